//! Rows to partners: which row of expected is which row of the target.

use std::borrow::Cow;

use polars::prelude::{
    Column, DataFrame, Int64Chunked, IntoSeries, NewChunkedArray, StringChunked, TimeUnit,
};
use rayon::prelude::*;

use crate::frame::{Frame, Keys};
use crate::model::{Field, Logical, Schema, Side};
use crate::rule::RuleError;

use super::Input;
use super::bind::{BoundReconcile, KeyColumn, ROW};
use super::cell::Cell;
use super::convert::{Convert, Reader};

/// Two rows with the same key, by their indexes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The row of expected.
    pub expected: u32,
    /// The row of the target.
    pub target: u32,
}

/// Where every row of both sides belongs; each row is in exactly one list, and each list ascends.
///
/// Rows are indexes from 0 into the frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Rows whose key both sides have, once each, in the order of expected.
    pub pairs: Vec<Pair>,
    /// Expected rows whose key the target does not have.
    pub missing: Vec<u32>,
    /// Target rows whose key nobody else has.
    pub unexpected: Vec<u32>,
    /// Target rows that expected does not have and whose key belongs to a quarantined row.
    pub from_quarantined: Vec<u32>,
    /// Target rows that expected does not have and whose key belongs to a merged row and to no quarantined one.
    pub from_merged: Vec<u32>,
    /// Expected rows whose key is repeated on either side.
    pub duplicate_expected: Vec<u32>,
    /// Target rows whose key is repeated on either side.
    pub duplicate_target: Vec<u32>,
    /// Expected rows with a NULL in their key.
    pub no_key_expected: Vec<u32>,
    /// Target rows with a NULL in their key.
    pub no_key_target: Vec<u32>,
}

/// Which side of a reconciliation a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Expected,
    Target,
}

impl KeyColumn {
    pub(super) fn convert(&self, of: Of) -> &Convert {
        match of {
            Of::Expected => &self.expected,
            Of::Target => &self.target,
        }
    }
}

impl BoundReconcile {
    /// Returns the key columns of a frame of one side, in the form in which both sides meet.
    ///
    /// # Errors
    /// Where a key column is not there.
    pub fn key_frame(&self, frame: &Frame, side: Side) -> Result<Frame, RuleError> {
        let of = match side {
            Side::Source | Side::Expected => Of::Expected,
            Side::Target => Of::Target,
        };
        key_frame(frame, &self.key, of)
    }
}

/// Finds every row's partner by key.
///
/// A key is the same where every part is the same value, whatever its type: `7`, `7.0` and `7.00`; a date and
/// its midnight; padded text and the text without its blanks. Letters, their case and white space count. A key
/// part that is NULL makes a row without key; a key repeated on either side puts all rows with that key, on both
/// sides, into duplicate key. Hashes only speed up the search: keys are the same where their texts are.
///
/// # Errors
/// Where a key column is not there, or a side has more than 4,294,967,294 rows.
pub fn align(input: &Input<'_>, key: &[KeyColumn]) -> Result<Alignment, RuleError> {
    for frame in [input.expected, input.target] {
        if u32::try_from(frame.height()).is_err() {
            return Err(RuleError::Refused(format!(
                "a side has {} rows, and 4,294,967,295 are the most that can be reconciled; split the dataset with `filter`",
                frame.height()
            )));
        }
    }
    let expected = keys_of(input.expected, key, Of::Expected)?;
    let target = keys_of(input.target, key, Of::Target)?;
    let mut alignment = align_keys(&expected, &target);
    for (held_back, of_quarantined) in [(input.quarantined, true), (input.merged, false)] {
        if held_back.height() == 0 || alignment.unexpected.is_empty() {
            continue;
        }
        let known = keys_of(held_back, key, Of::Expected)?;
        let index = known.index();
        let (found, rest): (Vec<u32>, Vec<u32>) = std::mem::take(&mut alignment.unexpected)
            .into_iter()
            .partition(|row| index.find(&target, *row as usize).next().is_some());
        alignment.unexpected = rest;
        if of_quarantined {
            alignment.from_quarantined = found;
        } else {
            alignment.from_merged = found;
        }
    }
    Ok(alignment)
}

/// Makes the keys of a frame's rows, in the form in which both sides meet.
fn keys_of(frame: &Frame, key: &[KeyColumn], of: Of) -> Result<Keys, RuleError> {
    let names: Vec<&str> = key.iter().map(|k| k.name.as_str()).collect();
    Ok(Keys::new(&key_frame(frame, key, of)?, &names)?)
}

/// Returns the key columns of a frame, in the form in which both sides meet.
pub(super) fn key_frame(frame: &Frame, key: &[KeyColumn], of: Of) -> Result<Frame, RuleError> {
    let mut fields = Vec::with_capacity(key.len());
    let mut columns = Vec::with_capacity(key.len());
    for part in key {
        if part.name == ROW {
            fields.push(Field::new(ROW, Logical::U64));
            columns.push(Column::new(ROW.into(), frame.rows.as_slice()));
            continue;
        }
        let (field, column) = frame
            .column(&part.name)
            .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of the table", part.name)))?;
        let convert = part.convert(of);
        if matches!(convert, Convert::Direct | Convert::NaiveWall(_)) {
            fields.push(field.clone());
            columns.push(column.clone());
            continue;
        }
        let reader = Reader::new(column.as_materialized_series(), field, convert.clone())?;
        let (logical, series) = if matches!(convert, Convert::Wall(_)) {
            let moments = (0..frame.height()).map(|row| match reader.cell(row) {
                Cell::Moment(moment) => i64::try_from(moment).ok(),
                _ => None,
            });
            let moments = Int64Chunked::from_iter_options(field.name.as_str().into(), moments);
            (Logical::TIMESTAMP, moments.into_datetime(TimeUnit::Microseconds, None).into_series())
        } else {
            let texts = (0..frame.height()).map(|row| text_of(reader.cell(row)));
            (Logical::TEXT, StringChunked::from_iter_options(field.name.as_str().into(), texts).into_series())
        };
        fields.push(Field::new(field.name.clone(), logical));
        columns.push(series.into());
    }
    let df = DataFrame::new(frame.height(), columns)?;
    Ok(Frame { schema: Schema { fields }, df, rows: frame.rows.clone() })
}

fn text_of(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.into_owned()),
        Cell::Number(number) => {
            let mut text = String::new();
            number.push_text(&mut text);
            Some(text)
        }
        _ => None,
    }
}

/// Keys that can be found by a hash and are told apart by their texts.
trait Hashed: Sync {
    /// Returns the number of rows.
    fn count(&self) -> u32;
    /// Returns a row's hash; nothing where it has no key.
    fn short_hash(&self, row: u32) -> Option<u64>;
    /// Returns a row's canonical text; nothing where it has no key.
    fn key(&self, row: u32) -> Option<Cow<'_, str>>;
}

impl Hashed for Keys {
    fn count(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn short_hash(&self, row: u32) -> Option<u64> {
        // The upper half suffices to find a key; its text decides.
        self.hash(row as usize).and_then(|hash| u64::try_from(hash >> 64).ok())
    }

    fn key(&self, row: u32) -> Option<Cow<'_, str>> {
        self.text(row as usize)
    }
}

/// Returns the rows that have a key, by hash and row, and those that have none.
fn sorted(keys: &impl Hashed) -> (Vec<(u64, u32)>, Vec<u32>) {
    let mut with_key = Vec::with_capacity(keys.count() as usize);
    let mut without = Vec::new();
    for row in 0..keys.count() {
        match keys.short_hash(row) {
            Some(hash) => with_key.push((hash, row)),
            None => without.push(row),
        }
    }
    with_key.par_sort_unstable();
    (with_key, without)
}

/// How many ranges of hashes are worked on apart from one another.
const RANGES: u64 = 64;

fn align_keys<K: Hashed>(expected: &K, target: &K) -> Alignment {
    let ((e_sorted, no_key_expected), (t_sorted, no_key_target)) =
        rayon::join(|| sorted(expected), || sorted(target));
    let range_of = |sorted: &[(u64, u32)], range: u64| {
        let width = u64::MAX / RANGES + 1;
        let from = sorted.partition_point(|(hash, _)| hash / width < range);
        let to = sorted.partition_point(|(hash, _)| hash / width <= range);
        from..to
    };
    let parts: Vec<Alignment> = (0..RANGES)
        .into_par_iter()
        .map(|range| {
            let e = e_sorted.get(range_of(&e_sorted, range)).unwrap_or_default();
            let t = t_sorted.get(range_of(&t_sorted, range)).unwrap_or_default();
            align_range(expected, target, e, t)
        })
        .collect();
    drop((e_sorted, t_sorted));
    let mut whole = Alignment { no_key_expected, no_key_target, ..Alignment::default() };
    for mut part in parts {
        whole.pairs.append(&mut part.pairs);
        whole.missing.append(&mut part.missing);
        whole.unexpected.append(&mut part.unexpected);
        whole.duplicate_expected.append(&mut part.duplicate_expected);
        whole.duplicate_target.append(&mut part.duplicate_target);
    }
    whole.pairs.par_sort_unstable();
    for list in [
        &mut whole.missing,
        &mut whole.unexpected,
        &mut whole.duplicate_expected,
        &mut whole.duplicate_target,
    ] {
        list.par_sort_unstable();
    }
    whole
}

/// Aligns the rows of one range of hashes, both sides sorted by hash.
fn align_range<K: Hashed>(expected: &K, target: &K, e: &[(u64, u32)], t: &[(u64, u32)]) -> Alignment {
    let mut part = Alignment::default();
    let (mut e, mut t) = (e, t);
    loop {
        let hash = match (e.first(), t.first()) {
            (Some((a, _)), Some((b, _))) => *a.min(b),
            (Some((a, _)), None) | (None, Some((a, _))) => *a,
            (None, None) => return part,
        };
        let (e_run, e_rest) = e.split_at(e.iter().take_while(|(h, _)| *h == hash).count());
        let (t_run, t_rest) = t.split_at(t.iter().take_while(|(h, _)| *h == hash).count());
        (e, t) = (e_rest, t_rest);
        match (e_run, t_run) {
            ([(_, row)], []) => part.missing.push(*row),
            ([], [(_, row)]) => part.unexpected.push(*row),
            ([(_, e_row)], [(_, t_row)]) if expected.key(*e_row) == target.key(*t_row) => {
                part.pairs.push(Pair { expected: *e_row, target: *t_row });
            }
            _ => align_run(expected, target, e_run, t_run, &mut part),
        }
    }
}

/// Aligns rows that share a hash: by their texts.
fn align_run<K: Hashed>(expected: &K, target: &K, e: &[(u64, u32)], t: &[(u64, u32)], part: &mut Alignment) {
    let mut keys: Vec<(Cow<'_, str>, Vec<u32>, Vec<u32>)> = Vec::new();
    let of_expected = e.iter().filter_map(|(_, row)| Some((expected.key(*row)?, *row, true)));
    let of_target = t.iter().filter_map(|(_, row)| Some((target.key(*row)?, *row, false)));
    for (key, row, is_expected) in of_expected.chain(of_target) {
        let at = keys.iter().position(|(other, _, _)| *other == key).unwrap_or_else(|| {
            keys.push((key, Vec::new(), Vec::new()));
            keys.len() - 1
        });
        if let Some((_, e_rows, t_rows)) = keys.get_mut(at) {
            if is_expected { e_rows.push(row) } else { t_rows.push(row) }
        }
    }
    for (_, mut e_rows, mut t_rows) in keys {
        match (e_rows.as_slice(), t_rows.as_slice()) {
            ([e_row], [t_row]) => part.pairs.push(Pair { expected: *e_row, target: *t_row }),
            ([e_row], []) => part.missing.push(*e_row),
            ([], [t_row]) => part.unexpected.push(*t_row),
            _ => {
                part.duplicate_expected.append(&mut e_rows);
                part.duplicate_target.append(&mut t_rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Keys with hashes that say little.
    struct Plain(Vec<Option<String>>, u64);

    impl Hashed for Plain {
        fn count(&self) -> u32 {
            u32::try_from(self.0.len()).unwrap()
        }

        fn short_hash(&self, row: u32) -> Option<u64> {
            let key = self.0[row as usize].as_ref()?;
            Some((key.len() as u64).wrapping_mul(self.1))
        }

        fn key(&self, row: u32) -> Option<Cow<'_, str>> {
            self.0[row as usize].as_deref().map(Cow::Borrowed)
        }
    }

    fn plain(e: &[Option<String>], t: &[Option<String>]) -> Alignment {
        let mut plain = Alignment::default();
        let count = |side: &[Option<String>], key: &Option<String>| side.iter().filter(|k| *k == key).count();
        for (row, key) in e.iter().enumerate() {
            let row = u32::try_from(row).unwrap();
            match (key, count(e, key), count(t, key)) {
                (None, _, _) => plain.no_key_expected.push(row),
                (_, 1, 0) => plain.missing.push(row),
                (_, 1, 1) => {
                    let target = u32::try_from(t.iter().position(|k| k == key).unwrap()).unwrap();
                    plain.pairs.push(Pair { expected: row, target });
                }
                _ => plain.duplicate_expected.push(row),
            }
        }
        for (row, key) in t.iter().enumerate() {
            let row = u32::try_from(row).unwrap();
            match (key, count(e, key), count(t, key)) {
                (None, _, _) => plain.no_key_target.push(row),
                (_, 0, 1) => plain.unexpected.push(row),
                (_, 1, 1) => {}
                _ => plain.duplicate_target.push(row),
            }
        }
        plain
    }

    proptest! {
        #[test]
        fn hashes_decide_nothing(
            e in proptest::collection::vec(proptest::option::of("[abc]{1,3}"), 0..30),
            t in proptest::collection::vec(proptest::option::of("[abc]{1,3}"), 0..30),
            factor in prop_oneof![Just(0), Just(1), Just(u64::MAX / 3)],
        ) {
            let found = align_keys(&Plain(e.clone(), factor), &Plain(t.clone(), factor));
            prop_assert_eq!(found, plain(&e, &t));
        }
    }
}
