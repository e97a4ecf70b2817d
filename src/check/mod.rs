//! Checks: one kind a file.

mod columns;
mod scan;

use std::fmt;

use chrono::{DateTime, Utc};
use polars::prelude::Expr;

use crate::diagnostic::{Diagnostics, Spanned};
use crate::frame::Frame;
use crate::model::{Schema, Side};
use crate::rule::{ProjectFiles, Reference, RuleError, kinds};

pub use scan::{ScanOutcome, ScanRule, scan};

kinds! { Check:
    accepted_values,
    columns_differ,
    expression,
    foreign_key,
    freshness,
    length,
    not_null,
    pattern,
    range,
    row_count,
    unique,
}

/// Returns the id of a check that was given none: its kind and columns, as in `not_null-tag_ref-cot`.
pub fn default_id(kind: &str, check: &dyn Check) -> String {
    let columns = check.columns();
    let parts: Vec<&str> = std::iter::once(kind).chain(columns.iter().map(|c| c.value.as_str())).collect();
    parts.join("-")
}

/// A check as configured.
pub trait Check: fmt::Debug + Send + Sync {
    /// Returns the columns it names, which also make its default id.
    fn columns(&self) -> Vec<Spanned<String>>;

    /// Returns what it refers to in another dataset.
    fn reference(&self) -> Option<&Reference> {
        None
    }

    /// Returns whether a row whose parent is quarantined is held back too; only asked where there is a reference.
    fn cascade(&self) -> bool {
        false
    }

    /// Returns whether it judges a side as a whole: it then fails once, whatever the number of rows.
    fn judges_sides(&self) -> bool {
        false
    }

    /// Checks what can be checked without data.
    fn check(&self, _files: &ProjectFiles, _out: &mut Diagnostics) {}

    /// Prepares the check for a side's columns; a column or type it cannot act on is a diagnostic.
    ///
    /// `as_of` is the run's "now". Only for checks in which [`Check::check`] found nothing.
    fn bind(
        &self,
        schema: &Schema,
        files: &ProjectFiles,
        as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck>;
}

/// A check ready for a side.
pub enum BoundCheck {
    /// Looks at each row alone: one test a column.
    Rows(Vec<RowTest>),
    /// Looks at the side as a whole.
    Side(Box<dyn SideTest>),
}

/// A test of each row.
#[derive(Debug, Clone)]
pub struct RowTest {
    /// The column a finding names; NULL for a test of several.
    pub column: Option<String>,
    /// Boolean: true passes, false fails, NULL is not evaluated ("unknown").
    pub passes: Expr,
}

/// A test of a whole side.
pub trait SideTest: Send + Sync {
    /// Runs the test.
    ///
    /// # Errors
    /// Where the data cannot be judged: the rule is then broken.
    fn run(&self, input: &SideInput<'_>) -> Result<SideOutcome, RuleError>;
}

/// What a test of a whole side may look at.
pub struct SideInput<'a> {
    /// The state of the data.
    pub side: Side,
    /// Its rows.
    pub frame: &'a Frame,
    /// True for the rows chosen by `where`; all rows where there is none.
    pub selected: Option<&'a [bool]>,
    /// Returns another dataset in the same state.
    pub other: &'a dyn Fn(&str) -> Option<&'a Frame>,
    /// Makes the stable id of a group from its values as text.
    pub group_id: &'a dyn Fn(&str) -> String,
    /// The run's "now".
    pub as_of: DateTime<Utc>,
}

impl SideInput<'_> {
    /// Returns true where the row at `index` (from 0) is chosen.
    pub fn is_selected(&self, index: usize) -> bool {
        self.selected.is_none_or(|selected| selected[index])
    }
}

/// What a test of a whole side found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SideOutcome {
    /// Rows evaluated.
    pub evaluated: u64,
    /// Rows chosen but not evaluated, because a value was NULL.
    pub unknown: u64,
    /// What failed.
    pub failures: Vec<Failure>,
}

/// One failure of a test of a whole side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The row's index from 0; nothing where the side as a whole failed.
    pub index: Option<usize>,
    /// The column, where it is one.
    pub column: Option<String>,
    /// The group or class.
    pub group: Option<String>,
    /// What was seen, where it is not a cell of the row: a count, a time.
    pub observed: Option<String>,
    /// What was wanted, likewise.
    pub wanted: Option<String>,
}
