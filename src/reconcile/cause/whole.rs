//! Causes of a reconciliation whose sides are in memory.

use crate::reconcile::Input;
use crate::reconcile::Reconciliation;
use crate::reconcile::bind::BoundReconcile;
use crate::rule::RuleError;

use super::{Differing, Explained, Study};

/// Rows that are looked at at once for what is around a difference.
const ROWS: usize = 64 * 1024;

/// Finds out why the cells of a reconciliation differ.
///
/// # Errors
/// Where a side lacks a column it was bound with.
pub fn explain(
    input: &Input<'_>,
    bound: &BoundReconcile,
    outcome: &Reconciliation,
) -> Result<Explained, RuleError> {
    let mut places = vec![0_u32; outcome.rows.pairs.len()];
    let (mut of_expected, mut of_target) = (Vec::new(), Vec::new());
    let mut next = 0_u32;
    for ((pair, place), differs) in outcome.rows.pairs.iter().zip(&mut places).zip(&outcome.mismatched) {
        if *differs {
            *place = next;
            next += 1;
            of_expected.push(pair.expected);
            of_target.push(pair.target);
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
    let expected = input.expected.take(&of_expected, &names)?;
    let target = input.target.take(&of_target, &names)?;
    let differing = Differing {
        expected: &expected,
        target: &target,
        columns: &columns,
        pairs: outcome.rows.pairs.len() as u64,
    };
    let study = Study::new(&differing, bound)?;
    let mut background = study.background();
    let wanted = background.columns();
    if !wanted.is_empty() {
        for pairs in outcome.rows.pairs.chunks(ROWS) {
            let rows: Vec<u32> = pairs.iter().map(|pair| pair.expected).collect();
            background.feed(&input.expected.take(&rows, &wanted)?)?;
        }
    }
    Ok(study.conclude(&background))
}
