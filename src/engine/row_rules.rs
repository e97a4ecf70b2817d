//! The rules of a reconciliation that are about whole rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Dimension, Finding, Severity, Side};
use crate::reconcile::{AMBIGUOUS, FOLDED_KEY, FROM_MERGED, FROM_QUARANTINED, cause};

use super::draft::Draft;
use super::findings::{Cells, fill_joined};
use super::judge::Judged;
use super::reconciled::Reconciled;

/// What the rules about rows look at.
pub struct RowRules<'a> {
    /// The columns that the rules look at: the key's, or where there is no key all that are compared.
    pub columns: Vec<String>,
    /// The texts of the rows of the evidence.
    pub cells: &'a Cells<'a>,
    /// The rows of expected and of the target.
    pub rows: (u64, u64),
    /// True where rows of the source are held back, and where such are merged.
    pub held_back: [bool; 2],
    /// True where a side has no rows and may have none.
    pub may_be_empty: bool,
    /// Makes the id of a rule's group from a text.
    pub group_id: &'a dyn Fn(&str, &str) -> String,
}

/// For each side the rows that were looked at, and what was found in them.
type Sides = Vec<(Side, u64, Vec<Finding>)>;

impl RowRules<'_> {
    fn list(&self, side: Side, indexes: &[u32]) -> Vec<Finding> {
        indexes.iter().map(|index| self.cells.row(side, *index as usize, None)).collect()
    }

    fn both(&self, expected: Vec<Finding>, target: Vec<Finding>) -> Sides {
        vec![(Side::Expected, self.rows.0, expected), (Side::Target, self.rows.1, target)]
    }

    /// Returns findings about rows that have no key: with all that is compared.
    fn whole(&self, side: Side, indexes: &[u32], columns: &[String]) -> Vec<Finding> {
        let texts = self.cells.columns(columns);
        let mut found = self.list(side, indexes);
        for (finding, index) in found.iter_mut().zip(indexes) {
            fill_joined(&texts, finding, *index as usize);
        }
        found
    }

    fn draft(
        &self,
        kind: &'static str,
        id: &str,
        says: &str,
        dimension: Dimension,
        sides: Sides,
    ) -> Draft<'_> {
        Draft {
            id: id.to_owned(),
            says: says.to_owned(),
            columns: self.columns.clone(),
            dimension,
            sides,
            fields: None,
            may_be_empty: self.may_be_empty,
            kind,
            severity: Severity::Error,
        }
    }
}

/// Gives those findings their cause whose rows moved.
fn moved(mut found: Vec<Finding>, moved: &[bool]) -> Vec<Finding> {
    for (finding, _) in found.iter_mut().zip(moved).filter(|(_, moved)| **moved) {
        finding.cause = Some(cause::MOVED.to_owned());
    }
    found
}

impl Reconciled {
    /// Returns those of some rows whose keys, as they are shown, others of these rows have.
    fn truly_repeated(&self, side: Side, rows: &BTreeSet<u32>) -> BTreeSet<u32> {
        let Some(keys) = self.keys.of(side) else { return BTreeSet::new() };
        let mut by_key: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for row in rows {
            by_key.entry(keys.get(*row as usize)).or_default().push(*row);
        }
        by_key.into_values().filter(|rows| rows.len() > 1).flatten().collect()
    }

    /// Returns the results and findings of the rules about whole rows.
    pub(super) fn row_rules(&self, of: &RowRules<'_>) -> Vec<Judged> {
        let rows = &self.outcome.rows;
        let pairs = self.outcome.pairs();
        let folded = |of: fn(&crate::reconcile::KeyGroup) -> &Vec<u32>| -> BTreeSet<u32> {
            rows.folded.iter().flat_map(of).copied().collect()
        };
        let (folded_expected, folded_target) = (folded(|key| &key.expected), folded(|key| &key.target));
        // A row is told of by the rule that says why its key is repeated; by both where its own key stands twice as well.
        let repeated = |side: Side, list: &[u32], folded: &BTreeSet<u32>| -> Vec<Finding> {
            let truly = self.truly_repeated(side, folded);
            let others = list.iter().copied().filter(|row| !folded.contains(row) || truly.contains(row));
            of.list(side, &others.collect::<Vec<u32>>())
        };
        let (missing, unexpected) = match self.bound.has_key() {
            true => (of.list(Side::Expected, &rows.missing), of.list(Side::Target, &rows.unexpected)),
            false => (
                of.whole(Side::Expected, &rows.missing, &of.columns),
                of.whole(Side::Target, &rows.unexpected, &of.columns),
            ),
        };
        let missing = moved(missing, &self.moved.missing);
        let unexpected = moved(unexpected, &self.moved.unexpected);
        let mut drafts = vec![
            of.draft(
                "reconcile",
                "reconcile-missing",
                "Every expected record is in the target.",
                Dimension::Completeness,
                vec![(Side::Expected, pairs + missing.len() as u64, missing)],
            ),
            of.draft(
                "reconcile",
                "reconcile-unexpected",
                "Every record of the target is expected.",
                Dimension::Consistency,
                vec![(Side::Target, pairs + unexpected.len() as u64, unexpected)],
            ),
        ];
        for (id, says, list, is_wanted) in [
            (
                FROM_QUARANTINED,
                "No record that is held back is in the target.",
                &rows.from_quarantined,
                of.held_back[0],
            ),
            (
                FROM_MERGED,
                "No record that went into another is in the target.",
                &rows.from_merged,
                of.held_back[1],
            ),
        ] {
            if is_wanted {
                let found = match self.bound.has_key() {
                    true => of.list(Side::Target, list),
                    false => of.whole(Side::Target, list, &of.columns),
                };
                let sides = vec![(Side::Target, of.rows.1, found)];
                drafts.push(of.draft("reconcile", id, says, Dimension::Consistency, sides));
            }
        }
        if self.bound.has_key() {
            drafts.push(of.draft(
                "reconcile",
                "reconcile-duplicate_key",
                "No key stands twice on either side.",
                Dimension::Uniqueness,
                of.both(
                    repeated(Side::Expected, &rows.duplicate_expected, &folded_expected),
                    repeated(Side::Target, &rows.duplicate_target, &folded_target),
                ),
            ));
        }
        if self.bound.folds() {
            let (mut expected, mut target) = (Vec::new(), Vec::new());
            for key in &rows.folded {
                let group = (of.group_id)(FOLDED_KEY, &key.key);
                let row = |side: Side, row: &u32| of.cells.row(side, *row as usize, Some(group.clone()));
                expected.extend(key.expected.iter().map(|index| row(Side::Expected, index)));
                target.extend(key.target.iter().map(|index| row(Side::Target, index)));
            }
            drafts.push(of.draft(
                "folded_key",
                FOLDED_KEY,
                "No two keys of a side are one without what is ignored of them.",
                Dimension::Uniqueness,
                of.both(expected, target),
            ));
        }
        if self.bound.has_key() {
            drafts.push(of.draft(
                "reconcile",
                "reconcile-no_key",
                "Every record has a key.",
                Dimension::Completeness,
                of.both(
                    of.list(Side::Expected, &rows.no_key_expected),
                    of.list(Side::Target, &rows.no_key_target),
                ),
            ));
        }
        if !self.bound.natural.is_empty() {
            let (mut expected, mut target) = (Vec::new(), Vec::new());
            for key in &rows.ambiguous {
                let group = (of.group_id)(AMBIGUOUS, &key.key);
                let row = |side: Side, row: &u32| of.cells.row(side, *row as usize, Some(group.clone()));
                expected.extend(key.expected.iter().map(|index| row(Side::Expected, index)));
                target.extend(key.target.iter().map(|index| row(Side::Target, index)));
            }
            let left = |rest: &[u32]| (rows.natural.len() + rest.len()) as u64;
            let sides = vec![
                (Side::Expected, left(&rows.missing), expected),
                (Side::Target, left(&rows.unexpected), target),
            ];
            let says = "No two records that are left have the same natural key.";
            drafts.push(Draft {
                columns: self.bound.natural.iter().map(|column| column.name.clone()).collect(),
                // Where every record has its partner by key, none is left.
                may_be_empty: true,
                // The records are missing and unexpected as well.
                severity: Severity::Warning,
                ..of.draft("ambiguous", AMBIGUOUS, says, Dimension::Uniqueness, sides)
            });
        }
        let finish = |draft: Draft<'_>| {
            let fields = self.bound.rules.get(&draft.id);
            Draft { fields, ..draft }.finish()
        };
        drafts.into_iter().map(finish).collect()
    }
}
