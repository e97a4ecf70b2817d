//! Duplicates: one kind of match a file.

use std::fmt;

use crate::diagnostic::{Diagnostics, Spanned};
use crate::frame::Frame;
use crate::model::Schema;
use crate::rule::{ProjectFiles, RuleError, kinds};

kinds! { Match: exact }

/// A match as configured: which rows are the same thing.
pub trait Match: fmt::Debug + Send + Sync {
    /// Returns the columns it compares, which also make its default id.
    fn columns(&self) -> Vec<Spanned<String>>;

    /// Returns true where each group is merged into one row of expected.
    fn merges(&self) -> bool;

    /// Checks what can be checked without data.
    fn check(&self, _files: &ProjectFiles, _out: &mut Diagnostics) {}

    /// Checks names and types against a side's columns.
    fn bind(&self, schema: &Schema, out: &mut Diagnostics) -> Option<Box<dyn BoundMatch>>;
}

/// A match ready for a side.
pub trait BoundMatch: Send + Sync {
    /// Finds the groups of two and more rows, in the order of their first rows.
    ///
    /// # Errors
    /// Where the rows cannot be compared.
    fn groups(&self, frame: &Frame, selected: Option<&[bool]>) -> Result<MatchOutcome, RuleError>;
}

/// The groups that a match found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchOutcome {
    /// Rows evaluated.
    pub evaluated: u64,
    /// Rows chosen but not evaluated, because a value was NULL.
    pub unknown: u64,
    /// The groups.
    pub groups: Vec<Group>,
}

/// Rows that are the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The rows' indexes from 0, ascending, two or more.
    pub rows: Vec<usize>,
    /// The row that stays where the group is merged, an index from 0.
    pub survivor: usize,
    /// The common values as text ([`crate::model::key_text`]), from which the group's stable id is made.
    pub text: String,
}
