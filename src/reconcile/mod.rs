//! Reconciliation: expected against target, record by record, cell by cell, total by total.

mod align;
mod bind;
pub mod cause;
mod cell;
mod compare;
mod config;
mod convert;
mod meet;
mod policy;
mod totals;
mod wide;

use rayon::prelude::*;

use crate::frame::{Frame, Texts};
use crate::ledger::{SourceDisposition, Tally, TargetDisposition};
use crate::rule::RuleError;

pub use align::{Alignment, Pair, align};
pub use bind::{BoundReconcile, BoundTotal, ComparedColumn, KeyColumn, NotCompared, ROW, ROW_RULES, bind};
pub use compare::{ColumnOutcome, compare};
pub use config::{
    Aggregate, Amount, Case, ColumnPolicy, Precision, Reconcile, RuleFields, Total, Whitespace, Zone,
};
pub use totals::{Figure, TotalOutcome, total};

/// What is reconciled.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The cleansed source, less quarantined and merged rows.
    pub expected: &'a Frame,
    /// The new system's rows.
    pub target: &'a Frame,
    /// Rows held back, with expected's columns; only their keys are looked at. An empty frame needs no columns.
    pub quarantined: &'a Frame,
    /// Rows merged into others, likewise.
    pub merged: &'a Frame,
}

/// What a reconciliation found. Rows are indexes from 0 into the frames of the input.
#[derive(Debug, Clone, Default)]
pub struct Reconciliation {
    /// Where every row belongs.
    pub rows: Alignment,
    /// What was found in each compared column, in the order of [`BoundReconcile::columns`].
    pub columns: Vec<ColumnOutcome>,
    /// For each pair of [`Alignment::pairs`] whether at least one cell differs.
    pub mismatched: Vec<bool>,
    /// What the totals found, in the order of [`BoundReconcile::totals`].
    pub totals: Vec<TotalOutcome>,
    /// What the reader should know, in sentences without cell values: policies that made no difference, times that never were.
    pub notes: Vec<String>,
}

/// A cell that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The pair's index in [`Alignment::pairs`].
    pub pair: u32,
    /// The row of expected, from 0.
    pub expected_row: u32,
    /// The row of the target, from 0.
    pub target_row: u32,
    /// The expected value as text.
    pub expected: Option<String>,
    /// The target's value as text.
    pub target: Option<String>,
}

/// Compares expected with target.
///
/// Rows are aligned by key ([`align`]), the cells of each pair compared ([`compare`]), and the totals computed
/// over all rows ([`total`]). The outcome does not depend on the number of threads.
///
/// # Errors
/// Where a side lacks a column it was bound with, or has more rows than can be numbered.
pub fn reconcile(input: &Input<'_>, bound: &BoundReconcile) -> Result<Reconciliation, RuleError> {
    let rows = align(input, &bound.key)?;
    let columns = compare(input, bound, &rows.pairs)?;
    let totals = bound.totals.par_iter().map(|t| total(input, t)).collect::<Result<Vec<_>, _>>()?;
    let mut mismatched = vec![false; rows.pairs.len()];
    for pair in columns.iter().flat_map(|column| &column.mismatched) {
        if let Some(mark) = mismatched.get_mut(*pair as usize) {
            *mark = true;
        }
    }
    let notes = notes(bound, &columns);
    Ok(Reconciliation { rows, columns, mismatched, totals, notes })
}

fn notes(bound: &BoundReconcile, columns: &[ColumnOutcome]) -> Vec<String> {
    let mut notes = Vec::new();
    for (column, outcome) in bound.columns.iter().zip(columns) {
        let name = &column.name;
        for (word, count) in &outcome.settled {
            // Other words of the policy may only be possible in the type of `as`.
            let needed = *word == "as" && column.policy.active().contains(&true);
            if *count == 0 && !needed {
                notes.push(format!(
                    "`{word}` of `{name}` made no difference to any of {} row pairs; it can be left out",
                    outcome.compared
                ));
            }
        }
        match outcome.skipped_hours {
            0 => {}
            1 => notes.push(format!("`{name}` holds 1 time that the clocks of its zone skipped in spring")),
            n => {
                notes.push(format!("`{name}` holds {n} times that the clocks of its zone skipped in spring"));
            }
        }
    }
    notes
}

impl Reconciliation {
    /// Returns the number of pairs without a difference.
    pub fn matched_pairs(&self) -> u64 {
        self.mismatched.iter().filter(|m| !**m).count() as u64
    }

    /// Returns the number of pairs with at least one difference.
    pub fn mismatched_pairs(&self) -> u64 {
        self.mismatched.iter().filter(|m| **m).count() as u64
    }

    /// Returns the number of cells that differ.
    pub fn mismatched_cells(&self) -> u64 {
        self.columns.iter().map(|column| column.mismatched.len() as u64).sum()
    }

    /// Returns the differing cells of the compared column at `index`, in the order of expected's rows, with their texts.
    pub fn mismatches<'a>(
        &'a self,
        input: &Input<'_>,
        bound: &BoundReconcile,
        index: usize,
    ) -> impl Iterator<Item = Mismatch> + 'a {
        let texts = bound.columns.get(index).and_then(|column| {
            Some((input.expected.texts(&column.name)?, input.target.texts(&column.name)?))
        });
        let pairs = self.columns.get(index).map(|column| column.mismatched.as_slice()).unwrap_or_default();
        let text = |texts: &Texts, row: u32| texts.owned(row as usize);
        pairs.iter().filter_map(move |index| {
            let pair = self.rows.pairs.get(*index as usize)?;
            let (expected, target) = texts.as_ref()?;
            Some(Mismatch {
                pair: *index,
                expected_row: pair.expected,
                target_row: pair.target,
                expected: text(expected, pair.expected),
                target: text(target, pair.target),
            })
        })
    }

    /// Enters every row that was reconciled into the tallies of both sides.
    ///
    /// `cleansed` says of a row's position in the source's snapshot whether a step or a merge changed a cell of it.
    pub fn enter(
        &self,
        input: &Input<'_>,
        cleansed: impl Fn(u64) -> bool,
        source: &mut Tally<SourceDisposition>,
        target: &mut Tally<TargetDisposition>,
    ) {
        let row_of = |frame: &Frame, row: u32| frame.rows.get(row as usize).copied().unwrap_or(0);
        for (rows, disposition) in [
            (&self.rows.no_key_expected, SourceDisposition::NoKey),
            (&self.rows.duplicate_expected, SourceDisposition::DuplicateKey),
            (&self.rows.missing, SourceDisposition::Missing),
        ] {
            for row in rows {
                source.enter(row_of(input.expected, *row), disposition);
            }
        }
        for (rows, disposition) in [
            (&self.rows.no_key_target, TargetDisposition::NoKey),
            (&self.rows.duplicate_target, TargetDisposition::DuplicateKey),
            (&self.rows.from_quarantined, TargetDisposition::FromQuarantined),
            (&self.rows.from_merged, TargetDisposition::FromMerged),
            (&self.rows.unexpected, TargetDisposition::Unexpected),
        ] {
            for row in rows {
                target.enter(row_of(input.target, *row), disposition);
            }
        }
        for (pair, mismatched) in self.rows.pairs.iter().zip(&self.mismatched) {
            let (e, t) = (row_of(input.expected, pair.expected), row_of(input.target, pair.target));
            let (of_source, of_target) = match (mismatched, cleansed(e)) {
                (true, _) => (SourceDisposition::Mismatched, TargetDisposition::Mismatched),
                (false, true) => (SourceDisposition::MatchedCleansed, TargetDisposition::Matched),
                (false, false) => (SourceDisposition::MatchedUnchanged, TargetDisposition::Matched),
            };
            source.enter(e, of_source);
            target.enter(t, of_target);
        }
    }
}
