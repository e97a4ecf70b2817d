//! No two rows have the same values in these columns.
//!
//! A business key that stands twice cannot be reconciled, and a join over it multiplies rows.
//!
//! ```yaml check
//! check: unique
//! columns: [tag_ref, person_no]
//! ```
//! ```rows
//! | tag_ref: text | person_no: i64 |
//! | "000123/01"   | 1              |
//! | "000123/01"   | 2              |
//! | "000123/01"   | 1              |
//! | null          | 1              |
//! | null          | 1              |
//! ```
//! ```findings
//! row 1 (group 000123/01|1)
//! row 3 (group 000123/01|1)
//! ```
//!
//! One finding for every row of a repeated value, all with the same group. Rows with NULL in one of the
//! columns are not evaluated. Texts are compared byte by byte: case, accents and blanks count (but padding in
//! `char(n)` columns does not).

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostics, Spanned};
use crate::frame::Keys;
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::{ProjectFiles, RuleError};

use super::{BoundCheck, Check, Failure, SideInput, SideOutcome, SideTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Uniqueness;

params! {
    /// No two rows have the same values in these columns.
    pub(super) struct Rule("check `unique`") {
        /// The columns that together are unique.
        columns | column: Vec<Spanned<String>>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.columns.clone()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.columns, out);
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_all(schema, &self.columns, out)?;
        Some(BoundCheck::Side(Box::new(Unique { columns: fields.iter().map(|f| f.name.clone()).collect() })))
    }
}

/// The check, ready for a side.
struct Unique {
    columns: Vec<String>,
}

impl SideTest for Unique {
    fn run(&self, input: &SideInput<'_>) -> Result<SideOutcome, RuleError> {
        let keys = Keys::new(input.frame, &self.columns)?;
        let mut outcome = SideOutcome::default();
        for index in (0..keys.len()).filter(|index| input.is_selected(*index)) {
            if keys.is_present(index) {
                outcome.evaluated += 1;
            } else {
                outcome.unknown += 1;
            }
        }
        let column = match self.columns.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        for rows in keys.groups(input.selected) {
            let text = rows.first().and_then(|row| keys.text(*row)).unwrap_or_default();
            let group = (input.group_id)(&text);
            outcome.failures.extend(rows.into_iter().map(|index| Failure {
                index: Some(index),
                column: column.clone(),
                group: Some(group.clone()),
                ..Failure::default()
            }));
        }
        outcome.failures.sort_by_key(|failure| failure.index);
        Ok(outcome)
    }
}
