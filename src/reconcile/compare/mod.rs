//! Cells: column by column over the pairs of rows.

mod fast;

use rayon::prelude::*;

use crate::frame::Frame;
use crate::rule::RuleError;

use super::align::Pair;
use super::bind::{BoundReconcile, ComparedColumn};
use super::cell::Cell;
use super::convert::Reader;
use super::meet::Meeting;
use super::policy::WORDS;

/// What the comparison of one column found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnOutcome {
    /// Pairs compared: all of them.
    pub compared: u64,
    /// The pairs whose values differ, by their index in [`super::Alignment::pairs`], ascending.
    pub mismatched: Vec<u32>,
    /// Each word of the column's policy with the number of pairs in which it made a difference: they would differ
    /// without it or be equal with it alone (for `as`: the outcome is another than without it).
    pub settled: Vec<(&'static str, u64)>,
    /// Pairs whose time without a zone is one that the clocks of the zone never showed; each is a mismatch.
    pub skipped_hours: u64,
}

/// Compares every column of every pair of rows of two frames.
///
/// # Equality
/// Without a policy two values are equal where they are the same value, not the same bytes: NULL equals NULL and
/// nothing else (an empty text is not NULL); numbers are compared by value, exactly, whatever their types, where a
/// floating-point number is worth the shortest decimal number that reads back as it; NaN equals NaN, -0.0 equals
/// 0.0; a date equals its midnight; texts are equal letter by letter, blanks and case included; a UUID's case and
/// braces mean nothing. An instant meets a time without a zone on the clocks of that zone: a time of the
/// repeated hour in autumn equals either instant, and a time of the skipped hour in spring equals nothing. Types
/// that have no values in common meet as text. What a policy makes equal comes on top, and nothing that is equal
/// without a policy differs with one, but for `as`.
///
/// The outcome does not depend on the number of threads.
///
/// # Errors
/// Where a column is not there or not of its type.
pub fn compare(
    expected: &Frame,
    target: &Frame,
    bound: &BoundReconcile,
    pairs: &[Pair],
) -> Result<Vec<ColumnOutcome>, RuleError> {
    bound.columns.par_iter().map(|column| compare_column((expected, target), column, pairs)).collect()
}

fn compare_column(
    sides: (&Frame, &Frame),
    column: &ComparedColumn,
    pairs: &[Pair],
) -> Result<ColumnOutcome, RuleError> {
    let (expected, target) = readers(sides, &column.name, &column.meeting)?;
    let (different, skipped_hours) = different_pairs(&expected, &target, pairs);
    let active = column.policy.active();
    let mut counts = [0_u64; WORDS.len()];
    let mut changed_by_as = None;
    if let Some(natural) = &column.natural {
        let (expected, target) = readers(sides, &column.name, natural)?;
        let (without, _) = different_pairs(&expected, &target, pairs);
        changed_by_as = Some(count_only_one(&different, &without));
    }
    let mismatched = if active.contains(&true) {
        let mut left = Vec::new();
        for index in different {
            let Some(pair) = pairs.get(index as usize) else { continue };
            let (e, t) = (expected.cell(pair.expected as usize), target.cell(pair.target as usize));
            match column.policy.settles(&e, &t, active) {
                Some(words) => {
                    for (count, word) in counts.iter_mut().zip(words) {
                        *count += u64::from(word);
                    }
                }
                None => left.push(index),
            }
        }
        left
    } else {
        different
    };
    let words = WORDS.iter().zip(active).zip(counts).filter(|((_, active), _)| *active);
    let settled = words.map(|((word, _), count)| (*word, count)).chain(changed_by_as.map(|n| ("as", n)));
    Ok(ColumnOutcome { compared: pairs.len() as u64, mismatched, settled: settled.collect(), skipped_hours })
}

fn readers(sides: (&Frame, &Frame), name: &str, meeting: &Meeting) -> Result<(Reader, Reader), RuleError> {
    let reader = |frame: &Frame, convert: &super::convert::Convert| {
        let (field, column) = frame
            .column(name)
            .ok_or_else(|| RuleError::Refused(format!("`{name}` is not a column of the table")))?;
        Ok::<_, RuleError>(Reader::new(column.as_materialized_series(), field, convert.clone())?)
    };
    Ok((reader(sides.0, &meeting.expected)?, reader(sides.1, &meeting.target)?))
}

/// Returns the pairs that differ without any policy, and how many hold a time that was skipped.
fn different_pairs(expected: &Reader, target: &Reader, pairs: &[Pair]) -> (Vec<u32>, u64) {
    if let Some(different) = fast::different_pairs(expected, target, pairs) {
        return (different, 0);
    }
    let mut skipped = 0;
    let mut different = Vec::new();
    for (index, pair) in (0_u32..).zip(pairs) {
        let (e, t) = (expected.cell(pair.expected as usize), target.cell(pair.target as usize));
        if !e.equals(&t) {
            skipped += u64::from(matches!(e, Cell::Skipped) || matches!(t, Cell::Skipped));
            different.push(index);
        }
    }
    (different, skipped)
}

/// Returns how many numbers are in one of two ascending lists only.
fn count_only_one(a: &[u32], b: &[u32]) -> u64 {
    let common = a.iter().filter(|x| b.binary_search(x).is_ok()).count();
    (a.len() + b.len() - 2 * common) as u64
}
