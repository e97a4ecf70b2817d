//! How much of what differs is only movement: records that one side changed after the other side's snapshot.

use std::time::Duration;

use crate::findings::Movement;
use crate::reconcile::Seen;
use crate::snapshot::Manifest;

use super::prepare::Loaded;
use super::reconciled::Reconciled;

/// Returns when the two sides of a dataset were seen; nothing where one is not there, or does not say it.
pub fn seen(loaded: &Loaded) -> Option<Seen> {
    let last = |manifest: &Manifest| manifest.seen().map(|(_, last)| last);
    Some(Seen {
        source: last(&loaded.source.as_ref()?.snapshot.manifest)?,
        target: last(&loaded.target.as_ref()?.snapshot.manifest)?,
    })
}

/// Returns the time between two snapshots, each with its first and last moment in microseconds: the longest that lies
/// between any two of these.
pub fn gap((source, target): ((i64, i64), (i64, i64))) -> Duration {
    Duration::from_micros(source.1.abs_diff(target.0).max(target.1.abs_diff(source.0)))
}

impl Reconciled {
    /// Counts what only moved; nothing where that was not asked for, or cannot be told.
    pub(super) fn movement(&self) -> Option<Movement> {
        self.bound.changed_since.as_ref()?.seen?;
        let (outcome, moved) = (&self.outcome, &self.moved);
        let count = |rows: &[bool]| rows.iter().filter(|moved| **moved).count() as u64;
        let pairs = outcome.mismatched.iter().enumerate();
        let cells = outcome.columns.iter().flat_map(|column| &column.mismatched);
        Some(Movement {
            mismatched: pairs.filter(|(pair, differs)| **differs && moved.has_pair(*pair)).count() as u64,
            mismatched_cells: cells.filter(|pair| moved.has_pair(**pair as usize)).count() as u64,
            missing: count(&moved.missing),
            unexpected: count(&moved.unexpected),
        })
    }

    /// Says where it cannot be told what moved, though that was asked for.
    pub(super) fn moved_note(&self) -> Option<String> {
        let since = self.bound.changed_since.as_ref().filter(|since| since.seen.is_none())?;
        Some(format!(
            "What was changed since the snapshots, by `{}`, is not known: a snapshot does not say when it was taken.",
            since.column
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moments_farthest_apart_count() {
        let gap = |a, b| gap((a, b)).as_micros();
        assert_eq!([gap((5, 5), (5, 5)), gap((1, 3), (9, 9)), gap((9, 9), (1, 3))], [0, 8, 8]);
        assert_eq!([gap((0, 10), (4, 5)), gap((4, 5), (0, 10))], [6, 6]);
    }
}
