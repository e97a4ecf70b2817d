//! The number of rows lies within bounds.
//!
//! The plainest sign that an extract was cut short, or ran over the wrong period.
//!
//! ```yaml check
//! check: row_count
//! min: 3
//! max: 1000
//! ```
//! ```rows
//! | tag_ref: text |
//! | "000123/01"   |
//! | null          |
//! ```
//! ```findings
//! side
//! ```
//!
//! One finding for the side as a whole. With `where` the rows chosen are counted.

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::{ProjectFiles, RuleError};

use super::{BoundCheck, Check, Failure, SideInput, SideOutcome, SideTest};

pub(super) const DIMENSION: Dimension = Dimension::Completeness;

params! {
    /// The number of rows lies within bounds.
    pub(super) struct Rule("check `row_count`") {
        /// The least number of rows. At least one of `min` and `max` must be given.
        min: Option<Spanned<u64>>,
        /// The greatest number of rows.
        max: Option<Spanned<u64>>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        Vec::new()
    }

    fn judges_sides(&self) -> bool {
        true
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        match (&self.min, &self.max) {
            (None, None) => out.push(Diagnostic::without_place("check `row_count` needs `min`, `max` or both")),
            (Some(min), Some(max)) if min.value > max.value => {
                out.push(Diagnostic::error(&max.span, "`max` is below `min`: no number of rows can pass"));
            }
            _ => {}
        }
    }

    fn bind(
        &self,
        _schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        _out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let (min, max) = (self.min.as_ref().map(|m| m.value), self.max.as_ref().map(|m| m.value));
        Some(BoundCheck::Side(Box::new(RowCount { min, max })))
    }
}

/// The check, ready for a side.
struct RowCount {
    min: Option<u64>,
    max: Option<u64>,
}

impl SideTest for RowCount {
    fn run(&self, input: &SideInput<'_>) -> Result<SideOutcome, RuleError> {
        let rows = (0..input.frame.height()).filter(|index| input.is_selected(*index)).count() as u64;
        let wanted = match (self.min, self.max) {
            (Some(min), _) if rows < min => Some(format!("at least {min} rows")),
            (_, Some(max)) if rows > max => Some(format!("at most {max} rows")),
            _ => None,
        };
        let failures = wanted.map(|wanted| Failure {
            observed: Some(format!("{rows} rows")),
            wanted: Some(wanted),
            ..Failure::default()
        });
        Ok(SideOutcome { evaluated: rows, unknown: 0, failures: failures.into_iter().collect() })
    }
}
