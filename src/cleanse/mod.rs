//! Cleansing steps: one kind a file.

mod date_format;
mod pipeline;
mod text;
mod values;

use std::fmt;

use polars::prelude::Series;

use crate::diagnostic::Diagnostics;
use crate::model::Field;
use crate::rule::{Columns, ProjectFiles, RuleError, kinds};

pub use pipeline::{
    CleanseError, Cleansed, CleansingRule, Condition, Held, Pipeline, StepOutcome, bind, cleanse,
};
pub use values::series;

kinds! { Step:
    case,
    collapse_whitespace,
    default,
    map_values,
    normalise_unicode,
    null_if,
    pad,
    parse_date,
    parse_number,
    redecode,
    replace,
    swap_day_month,
    trim,
}

/// A cleansing step as configured.
pub trait Step: fmt::Debug + Send + Sync {
    /// Returns the columns it acts on.
    fn columns(&self) -> &Columns;

    /// Checks what can be checked without data: patterns, lookup files, maps that undo themselves.
    fn check(&self, _files: &ProjectFiles, _out: &mut Diagnostics) {}

    /// Prepares the step for one column; a column it cannot act on is a diagnostic.
    ///
    /// A step that has nothing to do with the column's type (trim on a number under `"*"`) gives nothing and says nothing.
    fn bind(&self, field: &Field, files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep>;
}

/// A step ready for one column.
pub struct BoundStep {
    /// The column as it is afterwards; a step that converts clears `inferred`.
    pub output: Field,
    /// Does the work.
    pub apply: Box<dyn Fn(&Series) -> Result<Applied, RuleError> + Send + Sync>,
}

impl fmt::Debug for BoundStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoundStep({} -> {})", self.output.name, self.output.logical)
    }
}

/// What a step made of a column.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The values afterwards, as many as before.
    pub values: Series,
    /// The values it could not handle and that may not go on.
    pub refused: Vec<Refusal>,
}

/// One value that a step could not handle. Its place in [`Applied::values`] is NULL or the value as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The row's index in the column, from 0.
    pub index: usize,
    /// Why, without the value: "not a date in any of the formats".
    pub reason: &'static str,
    /// True where the whole dataset is refused, false where the row is held back.
    pub fatal: bool,
}
