//! Reconciliation: expected against target, record by record, cell by cell, total by total.

mod align;
mod bind;
pub mod cause;
mod cell;
mod compare;
mod config;
mod content;
mod convert;
mod fit;
mod hash;
mod join;
mod json;
mod kept;
mod keys;
mod meet;
mod moved;
mod natural;
mod pass;
mod policy;
mod prepare;
mod schema;
mod shelves;
mod totals;
mod tranches;
mod wide;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::frame::{Frame, Rows, Texts};
use crate::ledger::{SourceDisposition, Tally, TargetDisposition};
use crate::rule::RuleError;

pub use align::{Alignment, Evidence, KeyGroup, Pair};
pub use bind::{
    AMBIGUOUS, BoundReconcile, BoundTotal, ComparedColumn, Context, FIT, FIT_BACK, FOLDED_KEY, FROM_MERGED,
    FROM_QUARANTINED, KeyColumn, NotCompared, ROW, ROW_RULES, SCHEMA, SEQUENCES, SNAPSHOT_GAP, bind,
};
pub use compare::{ColumnOutcome, compare};
pub use config::{
    Aggregate, Amount, Case, ColumnPolicy, Precision, Reconcile, RuleFields, SchemaPolicy, Total, Whitespace,
    Zone,
};
pub use fit::{FitColumn, Misfit, Misfits, fit_columns, misfits};
pub use moved::{ChangedSince, Moved, Seen};
pub use prepare::{Applied, Preparation, Prepared};
pub use schema::{
    Behind, Difference, SchemaOutcome, SideSchema, TypePair, compare_schemas, greatest_whole,
    sequences_behind,
};
pub use totals::{Figure, TotalOutcome, total};
pub use tranches::{BoundFilter, BoundTranches, Filter, Part, Tranche, Tranches, Whole, split};

/// What is reconciled, prepared as the policies ask ([`BoundReconcile::prepare`]).
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The cleansed source, less quarantined and merged rows.
    pub expected: &'a dyn Rows,
    /// The new system's rows.
    pub target: &'a dyn Rows,
    /// Rows held back, with expected's columns; only their keys are looked at, and where there is no key, what is compared.
    /// An empty frame needs no columns.
    pub quarantined: &'a Frame,
    /// Rows merged into others, likewise.
    pub merged: &'a Frame,
    /// Rows under the keys that they had before a reference in them was rewritten to a survivor, likewise: known by these
    /// keys, and no rows of their own.
    pub former: &'a Frame,
}

/// What a reconciliation may use.
pub struct Means<'a> {
    /// The memory it may take, in bytes; none is no limit.
    pub memory: Option<u64>,
    /// The folder for what does not fit into that: a folder of its own is made in it, and removed.
    pub folder: PathBuf,
    /// Whether all pairs are wanted, not only those that are not the same at once.
    pub partners: bool,
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl Means<'_> {
    /// Returns an error where the work is to be stopped.
    fn go_on(&self) -> Result<(), RuleError> {
        if (self.stop)() { Err(RuleError::Refused("it was stopped".to_owned())) } else { Ok(()) }
    }
}

/// What a reconciliation found. Rows are indexes from 0 into the frames of the evidence.
#[derive(Debug, Clone, Default)]
pub struct Reconciliation {
    /// Where every row belongs.
    pub rows: Alignment,
    /// The rows that are told of.
    pub evidence: Evidence,
    /// The pairs by the rows' indexes in their sides, in the order of expected: all where they were asked for, else
    /// those of [`Alignment::pairs`].
    pub partners: Vec<Pair>,
    /// What was found in each compared column, in the order of [`BoundReconcile::columns`].
    pub columns: Vec<ColumnOutcome>,
    /// For each pair of [`Alignment::pairs`] whether at least one cell differs.
    pub mismatched: Vec<bool>,
    /// The longest text of each text column that is compared or in the key, on either side, in characters.
    pub longest: BTreeMap<String, u64>,
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
    /// The row of expected, from 0, in the evidence.
    pub expected_row: u32,
    /// The row of the target, from 0, in the evidence.
    pub target_row: u32,
    /// The expected value as text.
    pub expected: Option<String>,
    /// The target's value as text.
    pub target: Option<String>,
}

/// Compares expected with target.
///
/// Rows are aligned by key and hash, the cells of each pair that is not the same at once compared ([`compare()`]), and the
/// totals computed over all rows ([`total`]). The outcome does not depend on the number of threads, the pieces in which
/// the rows come, or the memory.
///
/// # Errors
/// Where a side lacks a column it was bound with, has more rows than can be numbered or cannot be read, where what does
/// not fit into the memory cannot be written, or it is to be stopped.
pub fn reconcile(
    input: &Input<'_>,
    bound: &BoundReconcile,
    means: &Means<'_>,
) -> Result<Reconciliation, RuleError> {
    let align::Aligned { rows, evidence, partners, longest } = align::align(input, bound, means)?;
    let mut columns = compare(&evidence.expected, &evidence.target, bound, &rows.pairs)?;
    for column in &mut columns {
        column.compared += rows.same;
    }
    let totals = totals::totals(input, &bound.totals)?;
    let mut mismatched = vec![false; rows.pairs.len()];
    for pair in columns.iter().flat_map(|column| &column.mismatched) {
        if let Some(mark) = mismatched.get_mut(*pair as usize) {
            *mark = true;
        }
    }
    let mut notes = if bound.has_key() { notes(bound, &columns) } else { Vec::new() };
    notes.extend(notes_on_keys(bound, &rows, &evidence)?);
    Ok(Reconciliation { rows, evidence, partners, columns, mismatched, longest, totals, notes })
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

/// Says what keys that are matched without something of them brought together.
fn notes_on_keys(
    bound: &BoundReconcile,
    rows: &Alignment,
    evidence: &Evidence,
) -> Result<Vec<String>, RuleError> {
    let by_key: Vec<Pair> =
        rows.pairs.iter().copied().filter(|pair| rows.natural.binary_search(pair).is_err()).collect();
    let pairs = rows.same + by_key.len() as u64;
    let found = keys::brought_together(&evidence.expected, &evidence.target, &bound.key, &by_key)?;
    let note = |(name, word, count): (String, &str, u64)| match count {
        0 if !rows.folded.is_empty() => None,
        0 => Some(format!(
            "`{word}` of the key's `{name}` made no difference to any of {pairs} row pairs; it can be left out"
        )),
        _ => Some(format!(
            "The keys of {count} of {pairs} row pairs would not be the same without `{word}` of `{name}`"
        )),
    };
    let mut notes: Vec<String> = found.into_iter().filter_map(note).collect();
    if !bound.natural.is_empty() {
        let names: Vec<String> = bound.natural.iter().map(|column| format!("`{}`", column.name)).collect();
        notes.push(match rows.natural.len() {
            0 => {
                format!("The natural key {} found no partner for a row; it can be left out", names.join(", "))
            }
            found => format!(
                "{found} of {} row pairs were found by their natural key {}: their keys differ",
                rows.same + rows.pairs.len() as u64,
                names.join(", ")
            ),
        });
    }
    Ok(notes)
}

impl Reconciliation {
    /// Returns the number of pairs.
    pub fn pairs(&self) -> u64 {
        self.rows.same + self.rows.pairs.len() as u64
    }

    /// Returns the number of pairs without a difference.
    pub fn matched_pairs(&self) -> u64 {
        self.rows.same + self.mismatched.iter().filter(|m| !**m).count() as u64
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
        bound: &BoundReconcile,
        index: usize,
    ) -> impl Iterator<Item = Mismatch> + 'a {
        let texts = bound.columns.get(index).and_then(|column| {
            Some((self.evidence.expected.texts(&column.name)?, self.evidence.target.texts(&column.name)?))
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

    /// Enters every row that was reconciled into the tallies of both sides, in which all other rows are entered already.
    ///
    /// Of the pairs that are the same only their number is known: they are what is left. Where that is another number,
    /// nothing is entered for it, and the ledger does not balance. `cleansed` says of a row's position in the source's
    /// snapshot whether a step or a merge changed a cell of it.
    pub fn enter(
        &self,
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
                source.enter(row_of(&self.evidence.expected, *row), disposition);
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
                target.enter(row_of(&self.evidence.target, *row), disposition);
            }
        }
        let matched = |row: u64| match cleansed(row) {
            true => SourceDisposition::MatchedCleansed,
            false => SourceDisposition::MatchedUnchanged,
        };
        for (pair, mismatched) in self.rows.pairs.iter().zip(&self.mismatched) {
            let e = row_of(&self.evidence.expected, pair.expected);
            let t = row_of(&self.evidence.target, pair.target);
            if *mismatched {
                source.enter(e, SourceDisposition::Mismatched);
                target.enter(t, TargetDisposition::Mismatched);
            } else {
                source.enter(e, matched(e));
                target.enter(t, TargetDisposition::Matched);
            }
        }
        if source.rest() == self.rows.same && target.rest() == self.rows.same {
            source.enter_rest(matched);
            target.enter_rest(|_| TargetDisposition::Matched);
        }
    }
}
