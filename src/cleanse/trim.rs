//! Takes white space away at the start and the end of text.
//!
//! Blanks around a value are invisible on a screen and yet make two values differ: `"Ann"` and `"Ann "` do
//! not match, do not join and do not count as duplicates.
//!
//! White space is what Unicode calls so: blanks, tabs, line breaks, the no-break space that comes with text
//! copied from web pages. Characters of no width are not white space: see `normalise_unicode`.
//!
//! - NULL stays NULL. A text of nothing but white space becomes the empty text, not NULL: see `null_if`.
//! - `"*"` takes every text column; columns of other types pass. A column named here must be text.
//! - The trailing blanks of a `char(n)` column carry no meaning and are gone before any step: trimming them
//!   is no correction.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: trim
//! columns: "*"
//! ```
//! ```rows before
//! | forename: char(8) | surname: text   | n: i64 |
//! | "  Ann"           | " O'Neil\t"     | 1      |
//! | "Bo"              | "\u00a0\u00a0"  | 2      |
//! | null              | null            | null   |
//! ```
//! ```rows after
//! | forename: char(8) | surname: text | n: i64 |
//! | "Ann"             | "O'Neil"      | 1      |
//! | "Bo"              | ""            | 2      |
//! | null              | null          | null   |
//! ```
//!
//! Only one side, where leading blanks mean something:
//!
//! ```yaml step
//! step: trim
//! columns: [line]
//! side: end
//! ```
//! ```rows before
//! | line: text    |
//! | "  indented " |
//! ```
//! ```rows after
//! | line: text   |
//! | "  indented" |
//! ```

use std::borrow::Cow;

use crate::diagnostic::Diagnostics;
use crate::model::{Dimension, Field};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

choices! {
    /// Where white space is taken away.
    pub enum Side {
        /// At the start and the end.
        Both = "both",
        /// At the start.
        Start = "start",
        /// At the end.
        End = "end",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `trim`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// Where white space is taken away: `both`, `start` or `end`.
        side: Side = "both",
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        let side = self.side;
        text::acts_on("trim", &self.columns, field, out).then(|| {
            text::each(field, move |t| {
                Cow::Borrowed(match side {
                    Side::Both => t.trim(),
                    Side::Start => t.trim_start(),
                    Side::End => t.trim_end(),
                })
            })
        })
    }
}
