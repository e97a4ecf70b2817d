//! What a reconciliation says of how to mend the target.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, PolarsError};

use crate::correct::{Made, Repair, Ties, repairs};
use crate::findings::Remedies;
use crate::frame::Frame;
use crate::model::{Field, Schema, compare_keys};
use crate::reconcile::{BoundReconcile, Pair, ROW};

use super::reconciled::Reconciled;

impl Reconciled {
    /// Returns how the columns and rows of expected are tied to the target's.
    pub fn ties(&self, expected_rows: usize) -> Ties {
        self.ties_of(&self.outcome.partners, expected_rows)
    }

    fn ties_of(&self, pairs: &[Pair], expected_rows: usize) -> Ties {
        let mut partners = vec![None; expected_rows];
        for pair in pairs {
            if let Some(partner) = partners.get_mut(pair.expected as usize) {
                *partner = Some(pair.target as usize);
            }
        }
        Ties { zones: self.bound.zones.clone(), partners }
    }

    /// Returns true where corrected data can only be made knowing the partner of every row: a time that a zone's clocks
    /// showed twice is the instant that the partner has.
    pub fn needs_partners(bound: &BoundReconcile) -> bool {
        !bound.zones.is_empty()
    }

    /// Makes the table of what would make the target equal expected, and counts its lines by what is to be done.
    ///
    /// # Errors
    /// Where polars refuses the columns.
    pub fn repairs_table(&self) -> Result<(Made, BTreeMap<String, u64>), PolarsError> {
        let list = self.repairs();
        let mut counts = BTreeMap::new();
        for repair in &list {
            *counts.entry(repair.action().to_owned()).or_insert(0) += 1;
        }
        let evidence = &self.outcome.evidence;
        let (Some(of_expected), Some(of_target)) = (&self.keys.expected, &self.keys.target) else {
            return Ok((Made::default(), counts));
        };
        let ties = self.ties_of(&self.outcome.rows.pairs, evidence.expected.height());
        let mut made = repairs(&list, &evidence.expected, &evidence.target, (of_expected, of_target), &ties)?;
        if !self.bound.has_key() && !list.is_empty() {
            made.notes.push(
                "Repairs name a row by all its columns, for there is no key: a delete means one of the rows that are equal to it, and `key` is the row's position in the snapshot of its side."
                    .to_owned(),
            );
        }
        made.notes.extend(self.left_alone());
        Ok((made, counts))
    }

    /// Makes the table of old and new keys of the pairs that were found by their natural key, sorted by the old: `old_` and
    /// `new_` before our name of each column of the key. Nothing where no natural key is given.
    ///
    /// # Errors
    /// Where polars refuses the columns.
    pub fn renumbered(&self) -> Result<Option<Frame>, PolarsError> {
        let Some(keys) = self.keys.expected.as_ref().filter(|_| !self.bound.natural.is_empty()) else {
            return Ok(None);
        };
        let evidence = &self.outcome.evidence;
        let mut pairs: Vec<(String, &Pair)> =
            self.outcome.rows.natural.iter().map(|pair| (keys.get(pair.expected as usize), pair)).collect();
        pairs.sort_by(|a, b| compare_keys(&a.0, &b.0).then(a.1.cmp(b.1)));
        let names: Vec<&str> =
            self.bound.key.iter().map(|part| part.name.as_str()).filter(|name| *name != ROW).collect();
        let of = |frame: &Frame, row: fn(&Pair) -> u32| {
            let rows: Vec<u32> = pairs.iter().map(|(_, pair)| row(pair)).collect();
            frame.take(&rows, &names)
        };
        let (old, new) = (of(&evidence.expected, |p| p.expected)?, of(&evidence.target, |p| p.target)?);
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for name in &names {
            for (word, frame) in [("old", &old), ("new", &new)] {
                let Some((field, column)) = frame.column(name) else { continue };
                let name = format!("{word}_{name}");
                columns.push(column.clone().with_name(name.as_str().into()));
                fields.push(Field { name: name.clone(), source_name: name, ..field.clone() });
            }
        }
        let df = DataFrame::new(pairs.len(), columns)?;
        Ok(Some(Frame::new(Schema { fields }, df)))
    }

    /// Returns what would make the target equal expected, by the rows of the evidence.
    ///
    /// Rows without a key, with a repeated one or whose natural key is ambiguous have no repair: nobody can say which row is
    /// meant. Nor has a target row that belongs to a quarantined one, or that may be a row whose new id is ambiguous; nor a
    /// value that is calculated from the target's columns, or an id for which there is no new one, or several: what they
    /// should be is not known.
    pub fn repairs(&self) -> Vec<Repair> {
        let rows = &self.outcome.rows;
        let mut columns: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        let columns_with_outcome = self.bound.columns.iter().zip(&self.outcome.columns);
        for (bound, outcome) in columns_with_outcome.filter(|(bound, _)| !bound.calculated) {
            for pair in outcome.mismatched.iter().filter(|pair| !self.is_unknown(**pair, &bound.name)) {
                columns.entry(*pair).or_default().insert(bound.name.clone());
            }
        }
        let of_expected: BTreeSet<&u32> = rows.ambiguous.iter().flat_map(|group| &group.expected).collect();
        let of_target: BTreeSet<&u32> = rows.ambiguous.iter().flat_map(|group| &group.target).collect();
        let missing = rows.missing.iter().filter(|row| !of_expected.contains(row));
        let inserts = missing.map(|row| Repair::Insert { expected: *row as usize });
        let updates = columns.into_iter().filter_map(|(pair, columns)| {
            let pair = rows.pairs.get(pair as usize)?;
            Some(Repair::Update { expected: pair.expected as usize, target: pair.target as usize, columns })
        });
        let delete = |reason: &'static str| move |row: &u32| Repair::Delete { target: *row as usize, reason };
        let claimed = |row: &&u32| self.unknown.claimed.contains(*row);
        let unexpected = rows.unexpected.iter().filter(|row| !of_target.contains(row) && !claimed(row));
        let unexpected = unexpected.map(delete("unexpected"));
        let merged = rows.from_merged.iter().filter(|row| !claimed(row)).map(delete("merged"));
        inserts.chain(updates).chain(unexpected).chain(merged).collect()
    }

    /// Returns true where the id that a pair of expected should have in a column is not known.
    fn is_unknown(&self, pair: u32, column: &str) -> bool {
        let row = self.outcome.rows.pairs.get(pair as usize).map(|pair| pair.expected);
        row.zip(self.unknown.cells.get(column)).is_some_and(|(row, rows)| rows.contains(&row))
    }

    /// Says what repairs leave as it is because ids have no new one, or several.
    fn left_alone(&self) -> impl Iterator<Item = String> {
        let rows = &self.outcome.rows;
        let found = rows.unexpected.iter().chain(&rows.from_merged);
        let claimed = found.filter(|row| self.unknown.claimed.contains(*row)).count();
        let rows = (claimed > 0).then(|| {
            format!(
                "Repairs leave {claimed} rows of the target alone that nobody expected: each has one of several new ids of a row of the source."
            )
        });
        let cells = self.bound.columns.iter().zip(&self.outcome.columns).filter_map(|(bound, outcome)| {
            let cells = outcome.mismatched.iter().filter(|pair| self.is_unknown(**pair, &bound.name)).count();
            (cells > 0).then(|| {
                format!(
                    "Repairs leave {cells} differing values of `{}` alone: their ids have no new one, or several.",
                    bound.name
                )
            })
        });
        rows.into_iter().chain(cells)
    }

    /// Returns what would settle differences.
    pub fn remedies(&self) -> Remedies {
        let mut remedies = Remedies::default();
        for (column, explained) in self.bound.columns.iter().zip(&self.explained.columns) {
            for outcome in &explained.outcomes {
                if let Some(remedy) = &outcome.remedy {
                    let of_column = remedies.columns.entry(column.name.clone()).or_default();
                    of_column.insert(outcome.causes.text(), remedy.clone());
                }
            }
        }
        remedies
    }
}
