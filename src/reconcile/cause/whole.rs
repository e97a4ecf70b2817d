//! Explains the differences of a reconciliation.

use rayon::prelude::*;

use crate::frame::{Frame, Rows};
use crate::reconcile::Input;
use crate::reconcile::Reconciliation;
use crate::reconcile::bind::BoundReconcile;
use crate::reconcile::moved::Moved;
use crate::rule::RuleError;

use super::{Background, Differing, Explained, Study};

/// Finds out why the cells of a reconciliation differ.
///
/// What differs is looked at in the rows of the evidence; `moved` are those that changed meanwhile. Where a cause can only be told from what else stands in its
/// column, all rows of expected that have a partner pass by, with the columns that matter alone.
///
/// # Errors
/// Where a side lacks a column it was bound with, or its rows cannot be read.
pub fn explain(
    input: &Input<'_>,
    bound: &BoundReconcile,
    outcome: &Reconciliation,
    moved: &Moved,
) -> Result<Explained, RuleError> {
    let mut places = vec![0_u32; outcome.rows.pairs.len()];
    let (mut of_expected, mut of_target, mut has_moved) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = 0_u32;
    let pairs = outcome.rows.pairs.iter().zip(&mut places).zip(&outcome.mismatched);
    for (index, ((pair, place), differs)) in pairs.enumerate() {
        if *differs {
            *place = next;
            next += 1;
            of_expected.push(pair.expected);
            of_target.push(pair.target);
            has_moved.push(moved.has_pair(index));
        }
    }
    let columns: Vec<Vec<u32>> = outcome
        .columns
        .iter()
        .map(|column| {
            column.mismatched.iter().filter_map(|pair| places.get(*pair as usize).copied()).collect()
        })
        .collect();
    let names: Vec<&str> = bound.columns.iter().map(|column| column.name.as_str()).collect();
    let expected = outcome.evidence.expected.take(&of_expected, &names)?;
    let target = outcome.evidence.target.take(&of_target, &names)?;
    let differing = Differing {
        expected: &expected,
        target: &target,
        columns: &columns,
        moved: &has_moved,
        pairs: outcome.pairs(),
    };
    let study = Study::new(&differing, bound)?;
    let mut background = study.background();
    let wanted: Vec<String> = background.columns().into_iter().map(str::to_owned).collect();
    if !wanted.is_empty() {
        let alone = alone(outcome, moved);
        let parts = (0..input.expected.pieces())
            .into_par_iter()
            .map(|piece| {
                let mut part = study.background();
                feed(input.expected, piece, &wanted, &alone, &mut part)?;
                Ok(part)
            })
            .collect::<Result<Vec<Background<'_>>, RuleError>>()?;
        for part in &parts {
            background.merge(part);
        }
    }
    Ok(study.conclude(&background))
}

/// Returns the rows of expected that have no partner, or that differ from it and changed meanwhile, by their indexes,
/// ascending.
fn alone(outcome: &Reconciliation, moved: &Moved) -> Vec<u32> {
    let rows = &outcome.rows;
    let lists = [&rows.missing, &rows.duplicate_expected, &rows.no_key_expected];
    let places = lists.into_iter().flatten().copied();
    let pairs = rows.pairs.iter().zip(&outcome.mismatched).enumerate();
    let changed = pairs.filter(|(index, (_, differs))| **differs && moved.has_pair(*index));
    let places = places.chain(changed.map(|(_, (pair, _))| pair.expected));
    let mut alone: Vec<u32> =
        places.filter_map(|row| outcome.evidence.expected_at.get(row as usize).copied()).collect();
    alone.sort_unstable();
    alone
}

/// Feeds a piece, without the rows that are alone.
fn feed(
    rows: &dyn Rows,
    piece: usize,
    columns: &[String],
    alone: &[u32],
    background: &mut Background<'_>,
) -> Result<(), RuleError> {
    let mut done = Ok(());
    rows.visit(piece, columns, &mut |first, frame| {
        if done.is_ok() {
            done = paired(first, frame, alone).and_then(|frame| background.feed(&frame));
        }
    })?;
    done
}

/// Leaves out the rows that are alone; the first row has the index `first`.
fn paired(first: u64, frame: Frame, alone: &[u32]) -> Result<Frame, RuleError> {
    let end = first + frame.height() as u64;
    let from = alone.partition_point(|row| u64::from(*row) < first);
    let to = alone.partition_point(|row| u64::from(*row) < end);
    let here = alone.get(from..to).unwrap_or_default();
    if here.is_empty() {
        return Ok(frame);
    }
    let mut keep = vec![true; frame.height()];
    for row in here {
        if let Some(keep) = usize::try_from(u64::from(*row) - first).ok().and_then(|at| keep.get_mut(at)) {
            *keep = false;
        }
    }
    Ok(frame.filter(&keep)?)
}
