//! Where every row went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The ledger of one dataset: every row of both sides, each in exactly one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Rows of the source by disposition, in the order in which the first that applies counts; none where there is no source.
    pub source: Vec<Entry>,
    /// Rows of the target likewise.
    pub target: Vec<Entry>,
    /// Rows of the source's snapshot.
    pub source_rows: u64,
    /// Rows of the target's snapshot.
    pub target_rows: u64,
    /// True where every row is accounted for once, and both sides agree on the pairs.
    pub balanced: bool,
}

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The disposition, e.g. `matched_unchanged`.
    pub disposition: String,
    /// Rows.
    pub rows: u64,
}

/// The places where a row of one side can go, in the order in which the first that applies counts.
pub trait Disposition: Copy + Ord + 'static {
    /// Every place, in order.
    const ALL: &'static [Self];

    /// Returns the word of files and reports, e.g. `matched_unchanged`.
    fn word(self) -> &'static str;

    /// Returns its place in [`Disposition::ALL`].
    fn place(self) -> usize;

    /// Returns whether the place is one where there is a reconciliation (`true`) and where there is none (`false`).
    fn applies(self, reconciled: bool) -> bool;
}

macro_rules! dispositions {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $vdoc:literal])+ $variant:ident = $word:literal, $with:literal, $without:literal;)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $vdoc])+ $variant,)+ }

        impl Disposition for $name {
            const ALL: &'static [Self] = &[$($name::$variant),+];

            fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            fn place(self) -> usize {
                self as usize
            }

            fn applies(self, reconciled: bool) -> bool {
                match self { $($name::$variant => if reconciled { $with } else { $without }),+ }
            }
        }
    };
}

dispositions! {
    /// Where a row of the source went; the first that applies counts.
    SourceDisposition {
        /// Left out by the filter.
        OutOfScope = "out_of_scope", true, true;
        /// Merged into another row.
        Merged = "merged", true, true;
        /// Held back.
        Quarantined = "quarantined", true, true;
        /// A part of its key is NULL.
        NoKey = "no_key", true, false;
        /// Its key is repeated on either side.
        DuplicateKey = "duplicate_key", true, false;
        /// The target does not have it.
        Missing = "missing", true, false;
        /// The target has it with another value.
        Mismatched = "mismatched", true, false;
        /// The target has it as it was cleansed.
        MatchedCleansed = "matched_cleansed", true, false;
        /// The target has it as it was.
        MatchedUnchanged = "matched_unchanged", true, false;
        /// The dataset has no target.
        Kept = "kept", false, true;
    }
}

dispositions! {
    /// Where a row of the target belongs; the first that applies counts.
    TargetDisposition {
        /// Left out by the filter.
        OutOfScope = "out_of_scope", true, true;
        /// A part of its key is NULL.
        NoKey = "no_key", true, false;
        /// Its key is repeated on either side.
        DuplicateKey = "duplicate_key", true, false;
        /// It is as expected.
        Matched = "matched", true, false;
        /// It has another value than expected.
        Mismatched = "mismatched", true, false;
        /// Its key belongs to a row that was held back.
        FromQuarantined = "from_quarantined", true, false;
        /// Its key belongs to a row that was merged into another.
        FromMerged = "from_merged", true, false;
        /// Nobody expected it.
        Unexpected = "unexpected", true, false;
        /// The dataset has no source.
        Kept = "kept", false, true;
    }
}

/// Counts where the rows of one snapshot went.
///
/// A row may be entered several times; the first disposition in the order of `D` counts.
#[derive(Debug, Clone)]
pub struct Tally<D> {
    rows: Vec<Option<D>>,
    /// How many rows have each disposition, by its place.
    counts: Vec<u64>,
    /// Entries for rows that the snapshot does not have.
    strays: u64,
}

impl<D: Disposition> Tally<D> {
    /// Begins to count the rows of a snapshot.
    pub fn new(rows: usize) -> Self {
        Tally { rows: vec![None; rows], counts: vec![0; D::ALL.len()], strays: 0 }
    }

    /// Enters a row by its position in the snapshot, from 1.
    pub fn enter(&mut self, row: u64, disposition: D) {
        let place = row.checked_sub(1).and_then(|index| self.rows.get_mut(usize::try_from(index).ok()?));
        match place {
            Some(place) => match *place {
                Some(first) if first <= disposition => {}
                first => {
                    if let Some(first) = first {
                        self.counts[first.place()] -= 1;
                    }
                    self.counts[disposition.place()] += 1;
                    *place = Some(disposition);
                }
            },
            None => self.strays += 1,
        }
    }

    /// Enters every row that has not been entered, by its position in the snapshot, from 1.
    pub fn enter_rest(&mut self, disposition: impl Fn(u64) -> D) {
        for (row, place) in (1..).zip(&mut self.rows) {
            if place.is_none() {
                let disposition = disposition(row);
                self.counts[disposition.place()] += 1;
                *place = Some(disposition);
            }
        }
    }

    /// Returns the number of rows that have not been entered.
    pub fn rest(&self) -> u64 {
        self.rows() - self.counts.iter().sum::<u64>()
    }

    /// Returns a row's disposition by its position in the snapshot, from 1.
    pub fn get(&self, row: u64) -> Option<D> {
        self.rows.get(usize::try_from(row.checked_sub(1)?).ok()?).copied().flatten()
    }

    /// Returns the number of rows of the snapshot.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Returns how many rows went where.
    pub fn counts(&self) -> Counts<D> {
        let mut counts = Counts { places: BTreeMap::new(), lost: self.rest() };
        for disposition in D::ALL {
            counts.put(*disposition, self.counts[disposition.place()]);
        }
        counts
    }

    /// Returns true where every row has one place, and no place has a row that is not there.
    fn is_complete(&self) -> bool {
        self.strays == 0 && self.rest() == 0
    }
}

/// How many rows of one side, or of a part of it, went where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts<D> {
    places: BTreeMap<D, u64>,
    /// Rows without a place, and rows taken from where there were none.
    lost: u64,
}

impl<D> Default for Counts<D> {
    fn default() -> Self {
        Counts { places: BTreeMap::new(), lost: 0 }
    }
}

impl<D: Disposition> Counts<D> {
    /// Counts a row.
    pub fn enter(&mut self, disposition: Option<D>) {
        match disposition {
            Some(disposition) => self.put(disposition, 1),
            None => self.lost += 1,
        }
    }

    /// Adds rows to a place.
    pub fn put(&mut self, disposition: D, rows: u64) {
        if rows > 0 {
            *self.places.entry(disposition).or_insert(0) += rows;
        }
    }

    /// Takes rows away from a place.
    pub fn take(&mut self, disposition: D, rows: u64) {
        let Some(place) = self.places.get_mut(&disposition) else {
            self.lost += rows;
            return;
        };
        self.lost += rows.saturating_sub(*place);
        *place = place.saturating_sub(rows);
        if *place == 0 {
            self.places.remove(&disposition);
        }
    }

    /// Adds the rows of another part.
    pub fn add(&mut self, other: &Counts<D>) {
        other.places.iter().for_each(|(disposition, rows)| self.put(*disposition, *rows));
        self.lost += other.lost;
    }

    /// Returns the rows in a place.
    pub fn of(&self, disposition: D) -> u64 {
        self.places.get(&disposition).copied().unwrap_or(0)
    }

    /// Returns the part that is in one place.
    #[must_use]
    pub fn only(&self, disposition: D) -> Counts<D> {
        let mut only = Counts::default();
        only.put(disposition, self.of(disposition));
        only
    }

    /// Returns the rows in all.
    pub fn rows(&self) -> u64 {
        self.places.values().sum::<u64>() + self.lost
    }

    /// Returns the lines: every place that applies, and any other that has rows.
    fn entries(&self, reconciled: bool) -> Vec<Entry> {
        D::ALL
            .iter()
            .map(|d| (d, self.of(*d)))
            .filter(|(d, rows)| d.applies(reconciled) || *rows > 0)
            .map(|(d, rows)| Entry { disposition: d.word().to_owned(), rows })
            .collect()
    }
}

impl Counts<SourceDisposition> {
    /// Returns the rows that the target has with equal values.
    pub fn matched(&self) -> u64 {
        self.of(SourceDisposition::MatchedCleansed) + self.of(SourceDisposition::MatchedUnchanged)
    }

    /// Returns true where every row has a place and both sides have as many matched rows, and as many mismatched ones.
    pub fn agree(source: &Counts<SourceDisposition>, target: &Counts<TargetDisposition>) -> bool {
        source.lost == 0
            && target.lost == 0
            && source.matched() == target.of(TargetDisposition::Matched)
            && source.of(SourceDisposition::Mismatched) == target.of(TargetDisposition::Mismatched)
    }
}

impl Ledger {
    /// Makes the ledger of a dataset from the tallies of the sides it has.
    ///
    /// It is balanced where every row of either snapshot has one place, and where, with both sides, the source's
    /// matched rows (cleansed and unchanged) are as many as the target's, and so are the mismatched.
    pub fn new(
        source: Option<&Tally<SourceDisposition>>,
        target: Option<&Tally<TargetDisposition>>,
    ) -> Ledger {
        let reconciled = source.is_some() && target.is_some();
        let (of_source, of_target) = (source.map(Tally::counts), target.map(Tally::counts));
        let agree = match (&of_source, &of_target) {
            (Some(source), Some(target)) => Counts::agree(source, target),
            _ => true,
        };
        let complete = source.is_none_or(Tally::is_complete) && target.is_none_or(Tally::is_complete);
        Ledger {
            source: of_source.map(|s| s.entries(reconciled)).unwrap_or_default(),
            target: of_target.map(|t| t.entries(reconciled)).unwrap_or_default(),
            source_rows: source.map_or(0, Tally::rows),
            target_rows: target.map_or(0, Tally::rows),
            balanced: complete && agree,
        }
    }

    /// Makes the ledger of a part of the rows of both sides.
    pub fn of_part(source: &Counts<SourceDisposition>, target: &Counts<TargetDisposition>) -> Ledger {
        Ledger {
            source: source.entries(true),
            target: target.entries(true),
            source_rows: source.rows(),
            target_rows: target.rows(),
            balanced: Counts::agree(source, target),
        }
    }

    /// Returns the rows of the source with a disposition.
    pub fn source_count(&self, disposition: SourceDisposition) -> u64 {
        count_of(&self.source, disposition.word())
    }

    /// Returns the rows of the target with a disposition.
    pub fn target_count(&self, disposition: TargetDisposition) -> u64 {
        count_of(&self.target, disposition.word())
    }
}

fn count_of(entries: &[Entry], word: &str) -> u64 {
    entries.iter().find(|entry| entry.disposition == word).map_or(0, |entry| entry.rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_applies_counts() {
        let mut source = Tally::new(2);
        source.enter(1, SourceDisposition::Missing);
        source.enter(1, SourceDisposition::Quarantined);
        source.enter(1, SourceDisposition::MatchedUnchanged);
        source.enter(2, SourceDisposition::MatchedCleansed);
        let mut target = Tally::new(1);
        target.enter(1, TargetDisposition::Matched);
        let ledger = Ledger::new(Some(&source), Some(&target));
        assert_eq!(source.get(1), Some(SourceDisposition::Quarantined));
        assert!(ledger.balanced);
        assert_eq!(ledger.source_count(SourceDisposition::Quarantined), 1);
        assert_eq!(ledger.source.iter().map(|e| e.rows).sum::<u64>(), ledger.source_rows);
        let words: Vec<&str> = ledger.target.iter().map(|e| e.disposition.as_str()).collect();
        assert_eq!(
            words,
            [
                "out_of_scope",
                "no_key",
                "duplicate_key",
                "matched",
                "mismatched",
                "from_quarantined",
                "from_merged",
                "unexpected"
            ]
        );
    }

    #[test]
    fn what_does_not_add_up_is_not_balanced() {
        let mut source = Tally::new(1);
        assert!(!Ledger::new(Some(&source), None).balanced, "a row without a place");
        source.enter_rest(|_| SourceDisposition::Kept);
        assert!(Ledger::new(Some(&source), None).balanced);
        source.enter(2, SourceDisposition::Kept);
        assert!(!Ledger::new(Some(&source), None).balanced, "a place without a row");
        let mut source = Tally::new(1);
        source.enter(1, SourceDisposition::Mismatched);
        let mut target = Tally::new(1);
        target.enter(1, TargetDisposition::Matched);
        assert!(!Ledger::new(Some(&source), Some(&target)).balanced, "the sides disagree");
        source.enter(0, SourceDisposition::Mismatched);
        assert!(!source.is_complete());
    }

    #[test]
    fn parts_that_do_not_add_up_are_not_balanced() {
        let (mut source, mut target) = (Counts::default(), Counts::default());
        source.put(SourceDisposition::MatchedCleansed, 2);
        target.put(TargetDisposition::Matched, 3);
        assert!(!Ledger::of_part(&source, &target).balanced);
        target.take(TargetDisposition::Matched, 1);
        let ledger = Ledger::of_part(&source, &target);
        assert!(ledger.balanced);
        assert_eq!((ledger.source_rows, ledger.target_rows), (2, 2));
        target.enter(None);
        assert!(!Ledger::of_part(&source, &target).balanced, "a row without a place");
        let mut target = Counts::default();
        target.take(TargetDisposition::Matched, 1);
        assert_eq!(target.rows(), 1, "what was not there is not lost sight of");
        assert!(!Counts::agree(&Counts::default(), &target));
    }

    #[test]
    fn one_sided_rows_are_kept() {
        let mut source = Tally::new(1);
        source.enter_rest(|_| SourceDisposition::Kept);
        let words: Vec<String> =
            Ledger::new(Some(&source), None).source.into_iter().map(|e| e.disposition).collect();
        assert_eq!(words, ["out_of_scope", "merged", "quarantined", "kept"]);
    }
}
