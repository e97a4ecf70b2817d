//! `crosswalks:` as it stands in a dataset file.

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Severity, Side};
use crate::node::params;
use crate::rule::MaxFailures;

use super::side::Sides;

params! {
    /// Ids that were given anew: the values of a column, the key or a reference, become those of the target. A dataset
    /// holds the old and the new ids; its rows are cleansed first. The ids are replaced after all cleansing and merging,
    /// so that expected, all that is checked of it and the corrected data have the new ids. An id that the dataset does not
    /// have, or has with several new ids, becomes NULL, and is found by the rule `crosswalk-<column>` with its old value.
    pub struct Crosswalk("a crosswalk") {
        /// The column whose values are replaced, by our name.
        column: Spanned<String>,
        /// The dataset that holds the ids.
        through: Spanned<String>,
        /// Its column of the old ids, by our name.
        from: Spanned<String>,
        /// Its column of the new ids.
        to: Spanned<String>,
        /// How much a failure matters: `info`, `warning` or `error`. Default: `error`.
        severity: Option<Severity>,
        /// How many rows may fail before the rule does: a count such as `10`, or a share of the rows evaluated such as `0.5%`.
        max_failures: Option<MaxFailures>,
    }
}

impl Crosswalk {
    /// Returns the id of its rule: `crosswalk-<column>`.
    pub fn id(&self) -> String {
        format!("crosswalk-{}", self.column.value)
    }
}

/// Reports what contradicts itself within the dataset's own file.
pub(super) fn check(crosswalks: &[Spanned<Crosswalk>], sides: &Sides, out: &mut Diagnostics) {
    if let Some(first) = crosswalks.first().filter(|_| !sides.has(Side::Source)) {
        out.push(Diagnostic::error(
            &first.span,
            "a crosswalk replaces the ids of the source, and the dataset has none",
        ));
        return;
    }
    for (i, crosswalk) in crosswalks.iter().enumerate() {
        let column = &crosswalk.value.column;
        sides.check_columns(std::slice::from_ref(column), &[Side::Source], out);
        let earlier = crosswalks.iter().take(i).find(|earlier| earlier.value.column.value == column.value);
        if let Some(earlier) = earlier {
            out.push(
                Diagnostic::error(&column.span, format!("`{}` has two crosswalks", column.value))
                    .label("the second")
                    .also(&earlier.value.column.span, "the first"),
            );
        }
    }
}
