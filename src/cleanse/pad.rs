//! Fills text up to a width, as codes need that have lost their leading zeros.
//!
//! A spreadsheet or a numeric column in between turns `00012345` into `12345`; the two no longer match.
//!
//! - NULL and the empty text stay: neither is a code.
//! - Text that is longer already is left as it is, never cut.
//! - The width counts characters. A column declared shorter is afterwards as long as the width.
//! - A number column is a diagnostic: numbers have no leading zeros. Where a type was inferred, declare the
//!   column as text under `types:` of the source.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: pad
//! columns: [prop_ref]
//! width: 8
//! ```
//! ```rows before
//! | prop_ref: text | n: i64 |
//! | "12345"        | 1      |
//! | "00012345"     | 2      |
//! | "123456789"    | 3      |
//! | ""             | 4      |
//! | null           | 5      |
//! ```
//! ```rows after
//! | prop_ref: text | n: i64 |
//! | "00012345"     | 1      |
//! | "00012345"     | 2      |
//! | "123456789"    | 3      |
//! | ""             | 4      |
//! | null           | 5      |
//! ```
//!
//! ```yaml step
//! step: pad
//! columns: [grade]
//! width: 3
//! with: "-"
//! side: end
//! ```
//! ```rows before
//! | grade: char(2) |
//! | "é"            |
//! ```
//! ```rows after
//! | grade: char(3) |
//! | "é--"          |
//! ```

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Dimension, Field};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

/// Wider codes than this are a slip of the pen.
const WIDEST: u32 = 4000;

choices! {
    /// Where text is filled.
    pub enum Side {
        /// Before its first character.
        Start = "start",
        /// Behind its last character.
        End = "end",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `pad`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The width in characters, 1 to 4000.
        width: Spanned<u32>,
        /// The one character to fill with.
        with: Spanned<String> = "\"0\"",
        /// Where to fill: `start` or `end`.
        side: Side = "start",
    }
}

impl Rule {
    fn filling(&self, out: &mut Diagnostics) -> Option<(usize, char)> {
        let mut characters = self.with.value.chars();
        let character = characters.next().filter(|_| characters.next().is_none());
        if character.is_none() {
            out.push(Diagnostic::error(&self.with.span, "exactly one character is expected here"));
        }
        let width = (1..=WIDEST).contains(&self.width.value).then_some(self.width.value as usize);
        if width.is_none() {
            out.push(Diagnostic::error(&self.width.span, format!("a width is 1 to {WIDEST} characters")));
        }
        Some((width?, character?))
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        self.filling(out);
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        if !text::acts_on("pad", &self.columns, field, out) {
            return None;
        }
        let (width, character) = self.filling(out)?;
        let side = self.side;
        let output = text::converted(field, text::with_room(&field.logical, width));
        Some(text::each_into(output, move |t| {
            // A text of at least as many bytes may still have fewer characters.
            let missing = if t.is_empty() { 0 } else { width.saturating_sub(t.chars().count()) };
            if missing == 0 {
                return Cow::Borrowed(t);
            }
            let filling = std::iter::repeat_n(character, missing);
            Cow::Owned(match side {
                Side::Start => filling.chain(t.chars()).collect(),
                Side::End => t.chars().chain(filling).collect(),
            })
        }))
    }
}
