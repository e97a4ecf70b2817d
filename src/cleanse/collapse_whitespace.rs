//! Makes every run of white space inside text one blank.
//!
//! Double blanks, tabs and line breaks inside a name or an address come from typing and copying; no one
//! means them, and they keep equal values apart.
//!
//! White space is what Unicode calls so: blanks, tabs, line breaks, no-break spaces. A single one that is not
//! the plain blank becomes one too.
//!
//! - NULL and the empty text stay.
//! - A run at the start or the end becomes one blank as well, it is not taken away: put `trim` beside it.
//!   (In a `char(n)` column trailing blanks carry no meaning and go.)
//! - `"*"` takes every text column. Do not use it on text whose line breaks mean something, such as notes.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: collapse_whitespace
//! columns: [address]
//! ```
//! ```rows before
//! | address: text           | n: i64 |
//! | "1  High\u00a0Street"   | 1      |
//! | "Flat 2\r\n\t3 Low Rd"  | 2      |
//! | "  Mill "               | 3      |
//! | null                    | 4      |
//! ```
//! ```rows after
//! | address: text       | n: i64 |
//! | "1 High Street"     | 1      |
//! | "Flat 2 3 Low Rd"   | 2      |
//! | " Mill "            | 3      |
//! | null                | 4      |
//! ```

use std::borrow::Cow;

use crate::diagnostic::Diagnostics;
use crate::model::{Dimension, Field};
use crate::node::params;
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

params! {
    /// The parameters.
    pub struct Rule("step `collapse_whitespace`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        text::acts_on("collapse_whitespace", &self.columns, field, out).then(|| text::each(field, collapse))
    }
}

fn collapse(text: &str) -> Cow<'_, str> {
    let mut after_white = false;
    let collapsed = text.chars().all(|c| {
        let fine = !c.is_whitespace() || (c == ' ' && !after_white);
        after_white = c.is_whitespace();
        fine
    });
    if collapsed {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_whitespace() {
            result.push(c);
        } else if !result.ends_with(' ') {
            result.push(' ');
        }
    }
    Cow::Owned(result)
}
