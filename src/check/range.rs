//! Every value lies within bounds.
//!
//! A rent of a million, a birth in 2098: what is out of all reason is most often a slip of the hand, and after
//! a migration a slip of units or of the decimal point.
//!
//! ```yaml check
//! check: range
//! column: rent
//! min: 0
//! max: 499.995
//! ```
//! ```rows
//! | rent: decimal(9,2) |
//! | 0.00               |
//! | -0.01              |
//! | 499.99             |
//! | 500.00             |
//! | null               |
//! ```
//! ```findings
//! row 2: rent
//! row 4: rent
//! ```
//!
//! Dates, timestamps and times have bounds too:
//!
//! ```yaml check
//! check: range
//! columns: [cot, eot]
//! min: 1900-01-02
//! ```
//! ```rows
//! | cot: date  | eot: timestamp      |
//! | 2020-01-01 | 1900-01-01 23:59:59 |
//! | 1900-01-01 | 1900-01-02          |
//! ```
//! ```findings
//! row 1: eot
//! row 2: cot
//! ```
//!
//! The bounds belong to the range. NULL is not evaluated. Bounds of timestamps with a zone need one:
//! `2020-01-01 00:00:00Z`. NaN is above every bound. For a bound that moves with the day of the run, use the check
//! `expression`: `cot <= current_date`.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::expression::{Comparison, compare_with, order_of};
use crate::model::{Dimension, Family, Field, Schema};
use crate::node::{Literal, params};
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

params! {
    /// Every value lies within bounds.
    pub(super) struct Rule("check `range`") {
        /// The columns, each tested for itself: of numbers, dates, timestamps or times.
        column | columns: Vec<Spanned<String>>,
        /// The least value that passes, in the form of the column's type. At least one of `min` and `max` must be given.
        min: Option<Literal>,
        /// The greatest value that passes.
        max: Option<Literal>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.column.clone()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.column, out);
        for bound in [&self.min, &self.max].into_iter().flatten().filter(|bound| bound.text.is_none()) {
            out.push(Diagnostic::error(&bound.span, "a bound is a value; leave it out where there is none"));
        }
        if let (None, None, Some(name)) = (&self.min, &self.max, self.column.first()) {
            out.push(Diagnostic::error(&name.span, "check `range` needs `min`, `max` or both"));
        }
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_all(schema, &self.column, out)?;
        let tests: Vec<Option<RowTest>> =
            fields.iter().zip(&self.column).map(|(field, name)| self.test(field, name, out)).collect();
        Some(BoundCheck::Rows(tests.into_iter().collect::<Option<_>>()?))
    }
}

impl Rule {
    fn test(&self, field: &Field, name: &Spanned<String>, out: &mut Diagnostics) -> Option<RowTest> {
        if !matches!(field.logical.family(), Family::Number | Family::Moment | Family::Time) {
            out.push(
                Diagnostic::error(
                    &name.span,
                    format!("a range needs a column of numbers, dates, timestamps or times, and `{}` is {}", field.name, field.logical),
                )
                .help("the steps `parse_number` and `parse_date` make them of texts"),
            );
            return None;
        }
        let mut passes = None;
        for (bound, op) in
            [(&self.min, Comparison::GreaterOrEqual), (&self.max, Comparison::LessOrEqual)]
        {
            let Some((bound, text)) = bound.as_ref().and_then(|b| Some((b, b.text.as_ref()?))) else { continue };
            match compare_with(field, op, text) {
                Ok(test) => {
                    passes = Some(match passes {
                        None => test,
                        Some(earlier) => test.and(earlier),
                    });
                }
                Err(message) => {
                    out.push(Diagnostic::error(&bound.span, message));
                    return None;
                }
            }
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && let (Some(low), Some(high)) = (&min.text, &max.text)
            && order_of(low, high, field) == Some(Ordering::Greater)
        {
            out.push(Diagnostic::error(&max.span, "`max` is below `min`: no value can pass"));
            return None;
        }
        Some(RowTest { column: Some(field.name.clone()), passes: passes? })
    }
}
