//! How much of what differs is only movement: records that one side changed after the other side's snapshot.

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
