//! Makes values that stand for "nothing" NULL.
//!
//! Old systems write `1900-01-01`, a blank or `999999` where they know nothing. Left alone they are counted,
//! compared and averaged as if they were facts.
//!
//! - The values are written as the column's type: `1900-01-01` for a date or a timestamp at midnight, `0` for a
//!   number, any text for text. A value that is not of that type is a diagnostic; only `""` may stand before
//!   any type, where it can match nothing.
//! - Whole values are compared, exactly: `-1` and `-1.0` are the same decimal, `n/a` and `N/A` are two texts.
//! - The trailing blanks of `char(n)` do not count: `""` is a column of blanks, too.
//! - A text of blanks in any other column is not `""`: put `trim` before this step.
//! - NULL stays NULL. `"*"` takes every text column; a value longer than a column can hold is no mistake there.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: null_if
//! columns: [eot]
//! values: [1900-01-01, 2079-06-06]
//! ```
//! ```rows before
//! | eot: timestamp        |
//! | 1900-01-01 00:00:00   |
//! | 1900-01-01 00:00:01   |
//! | 2079-06-06 00:00:00   |
//! | null                  |
//! ```
//! ```rows after
//! | eot: timestamp      |
//! | null                |
//! | 1900-01-01 00:00:01 |
//! | null                |
//! | null                |
//! ```
//!
//! ```yaml step
//! step: null_if
//! columns: [ref, fee]
//! values: ["", 0]
//! ```
//! ```rows before
//! | ref: char(4) | fee: decimal(9,2) |
//! | "    "       | 0.00              |
//! | "0"          | 0.01              |
//! | "A1"         | -0                |
//! ```
//! ```rows after
//! | ref: char(4) | fee: decimal(9,2) |
//! | null         | null              |
//! | null         | 0.01              |
//! | "A1"         | null              |
//! ```

use polars::prelude::Series;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::frame::{Texts, Value};
use crate::model::{Dimension, Field};
use crate::node::{Literal, params};
use crate::rule::{Columns, ProjectFiles};

use super::values::{Index, Pick, literal, no_null, pick, read};
use super::{Applied, BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Completeness;

const NO_NULL: &str = "NULL is NULL already";

params! {
    /// The parameters.
    pub struct Rule("step `null_if`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The values that become NULL, written as the column's type.
        values: Vec<Literal>,
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        for value in &self.values {
            no_null(value, NO_NULL, out);
        }
        if self.values.is_empty()
            && let Some(span) = text::first_place(&self.columns)
        {
            out.push(Diagnostic::error(span, "step `null_if` needs at least one of `values`"));
        }
    }

    fn bind(&self, field: &Field, files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        self.check(files, out);
        if !text::is_meant(&self.columns, field) {
            return None;
        }
        let read: Vec<Value> = match &self.columns {
            // A value longer than one of all the columns allows cannot occur there, and is meant for the others.
            Columns::AllText(_) => {
                self.values.iter().filter_map(|v| read(v.text.as_deref()?, field, false)).collect()
            }
            Columns::Named(_) => {
                // A column that is not text cannot hold the empty text.
                let is_text = field.logical.is_text();
                let asked = self.values.iter().filter(|v| is_text || v.text.as_deref() != Some(""));
                let values: Vec<_> = asked.map(|value| literal(value, field, false, out)).collect();
                values.into_iter().collect::<Option<_>>()?
            }
        };
        let (index, _) = Index::new(&field.logical, read);
        let logical = field.logical.clone();
        let apply = move |before: &Series| {
            let texts = Texts::new(before, &logical);
            let picks: Vec<Pick> = (0..before.len())
                .map(|i| match texts.get(i) {
                    Some(text) if index.find(&text).is_some() => Pick::Null,
                    _ => Pick::Keep,
                })
                .collect();
            Ok(Applied { values: pick(before, &before.clear(), &picks)?, refused: Vec::new() })
        };
        Some(BoundStep { output: field.clone(), apply: Box::new(apply) })
    }
}
