//! Rows to partners: which row of expected is which row of the target.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::frame::{Frame, Keys, Rows};
use crate::model::{Field, Logical};
use crate::rule::RuleError;

use super::bind::{BoundReconcile, ComparedColumn, KeyColumn};
use super::content;
use super::hash::Hashed;
use super::join::{Joined, Repeated, join};
use super::keys::{keys_of, unfolded_keys_of};
use super::meet::Meeting;
use super::natural;
use super::pass::fill;
use super::shelves::{Room, Shelves};
use super::{Input, Means};

/// Two rows with the same key, by their indexes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The row of expected.
    pub expected: u32,
    /// The row of the target.
    pub target: u32,
}

/// Rows of which nobody can say which is which, because they share a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyGroup {
    /// The key, as a text that no other group has.
    pub key: String,
    /// The rows of expected, ascending.
    pub expected: Vec<u32>,
    /// The rows of the target, ascending.
    pub target: Vec<u32>,
}

/// Where every row of both sides belongs. Each row is in exactly one list of rows, or in a pair that is the same; each list
/// ascends.
///
/// Rows are indexes from 0 into the frames of the [`Evidence`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alignment {
    /// How many pairs are the same in all that is compared; nothing more is kept of them.
    pub same: u64,
    /// The other rows whose key both sides have, once each, in the order of expected: without a policy they differ.
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
    /// Of the rows with a repeated key, by the key as it is matched, those whose own keys differ from another's on their side;
    /// in the order of the keys.
    pub folded: Vec<KeyGroup>,
    /// The pairs that were found by their natural key; they stand in `pairs` too.
    pub natural: Vec<Pair>,
    /// Missing and unexpected rows that share a natural key, of which one side at least has several; in its order.
    pub ambiguous: Vec<KeyGroup>,
}

/// Which side of a reconciliation a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Expected,
    Target,
}

/// The rows that differ, have no partner or no key of their own: what is told of single rows is told of these.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Rows of expected, in its order, with all its columns.
    pub expected: Frame,
    /// Their indexes in expected, from 0.
    pub expected_at: Vec<u32>,
    /// Rows of the target, likewise.
    pub target: Frame,
    /// Their indexes in the target, from 0.
    pub target_at: Vec<u32>,
}

/// Where the rows of two sides belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Aligned {
    pub(super) rows: Alignment,
    pub(super) evidence: Evidence,
    /// All pairs by the rows' indexes in their sides, in the order of expected; only those listed in `rows` where the others
    /// were not asked for.
    pub(super) partners: Vec<Pair>,
    /// The longest text of each text column on either side, in characters.
    pub(super) longest: BTreeMap<String, u64>,
}

/// Finds every row's partner by key, and tells the pairs that are the same from those that may not be.
///
/// A key is the same where every part is the same value, whatever its type: `7`, `7.0` and `7.00`; a date and
/// its midnight; padded text and the text without its blanks. Letters, their case and white space count, but for what the
/// policy of a key's column ignores. A key part that is NULL makes a row without key; a key repeated on either side puts all rows with that key, on both
/// sides, into duplicate key.
///
/// Where rows have no key, those that say the same in all that is compared are paired off: as many as both sides have, the
/// first of each. Values are the same by the policies of their columns.
///
/// Rows that are left on either side may be found to be partners by their natural key, see [`natural::find_partners`].
///
/// Each side is looked at once, piece by piece; of a row 24 bytes are kept: hashes of its key (96 bits) and of what is
/// compared (64 bits), and its index. They are joined by key. Rows with the same key and the same hash are the same, but
/// for chance. All others are fetched, and only their values decide: the texts of their keys, and [`super::compare()`].
/// Without a key the hash is of what is compared alone, and has 96 bits.
///
/// # Errors
/// Where a column is not there, a side has more than 4,294,967,294 rows, rows cannot be read or there is no
/// room for what is kept of them.
pub(super) fn align(
    input: &Input<'_>,
    bound: &BoundReconcile,
    means: &Means<'_>,
) -> Result<Aligned, RuleError> {
    for side in [input.expected, input.target] {
        if side.height() >= u64::from(u32::MAX) {
            return Err(RuleError::Refused(format!(
                "a side has {} rows, and 4,294,967,294 are the most that can be reconciled; split the dataset with `filter`",
                side.height()
            )));
        }
    }
    let hashed = hashed_columns(bound, input)?;
    let rows = usize::try_from(input.expected.height() + input.target.height()).unwrap_or(usize::MAX);
    let count = (rows / ROWS_A_SHELF).clamp(1, MOST_SHELVES).next_power_of_two();
    let room = Room::new(means.memory.map(room_for_records), means.folder.clone());
    let of_expected = Shelves::new(count, "expected", &room);
    let of_target = Shelves::new(count, "target", &room);
    let e = fill(input.expected, bound, &hashed, Of::Expected, &of_expected, means)?;
    let t = fill(input.target, bound, &hashed, Of::Target, &of_target, means)?;
    let joined = (0..count)
        .into_par_iter()
        .map(|shelf| {
            means.go_on()?;
            Ok(join(&of_expected.take(shelf)?, &of_target.take(shelf)?, means.partners))
        })
        .try_reduce(Joined::default, |a, b| Ok::<_, RuleError>(a.add(b)))?;
    means.go_on()?;
    let mut aligned = if bound.has_key() {
        let evidence = fetch(input, &joined, &e.no_key, &t.no_key)?;
        settle(input, (&bound.key, &bound.natural), joined, (&e.no_key, &t.no_key), evidence)?
    } else {
        let joined = pair_off(joined, means.partners);
        let evidence = fetch(input, &joined, &[], &[])?;
        settle_without_key(input, bound, joined, evidence)?
    };
    aligned.longest = e.longest;
    for (column, length) in t.longest {
        let longest = aligned.longest.entry(column).or_insert(0);
        *longest = length.max(*longest);
    }
    Ok(aligned)
}

/// Returns the bytes that records may take of so much memory; the rest is for what is decoded, joined and fetched.
fn room_for_records(memory: u64) -> usize {
    usize::try_from(memory / 2).unwrap_or(usize::MAX)
}

/// Rows of both sides that are joined at once, about: they and their table fit into a processor's cache.
const ROWS_A_SHELF: usize = 64 << 10;
/// More shelves than this would have too little on each while they are filled.
const MOST_SHELVES: usize = 1024;

/// Returns the columns that go into the rows' hashes: in the form in which they are compared, and where that is one that
/// the user chose, in the natural one too, so that it can be told what the choice changed. So do keys that are matched
/// without something of them.
fn hashed_columns(bound: &BoundReconcile, input: &Input<'_>) -> Result<Vec<Hashed>, RuleError> {
    let mut hashed = Vec::with_capacity(bound.columns.len());
    let fields = |name: &str| -> Result<(Field, Field), RuleError> {
        let field = |rows: &dyn Rows| {
            let field = rows.schema().get(name).cloned();
            field.ok_or_else(|| RuleError::Refused(format!("`{name}` is not a column of the table")))
        };
        Ok((field(input.expected)?, field(input.target)?))
    };
    for part in bound.key.iter().filter(|part| part.folds()) {
        let (e, t) = fields(&part.name)?;
        let meeting = Meeting::new(Logical::TEXT, String::new())
            .by(part.convert(Of::Expected).clone(), part.convert(Of::Target).clone());
        hashed.push(Hashed::new(&part.name, &meeting, &e, &t));
    }
    for column in &bound.columns {
        let (e, t) = fields(&column.name)?;
        for meeting in std::iter::once(&column.meeting).chain(&column.natural) {
            hashed.push(Hashed::new(&column.name, meeting, &e, &t));
        }
    }
    Ok(hashed)
}

/// Fetches the rows that may differ from their partner, and those that have none.
fn fetch(
    input: &Input<'_>,
    joined: &Joined,
    no_key_expected: &[u32],
    no_key_target: &[u32],
) -> Result<Evidence, RuleError> {
    let repeated = |of: fn(&Repeated) -> &Vec<u32>| joined.repeated.iter().flat_map(of).copied();
    let mut expected_at: Vec<u32> = joined.different.iter().map(|pair| pair.expected).collect();
    expected_at.extend(&joined.missing);
    expected_at.extend(repeated(|r| &r.expected));
    expected_at.extend(no_key_expected);
    let mut target_at: Vec<u32> = joined.different.iter().map(|pair| pair.target).collect();
    target_at.extend(&joined.unexpected);
    target_at.extend(repeated(|r| &r.target));
    target_at.extend(no_key_target);
    expected_at.par_sort_unstable();
    target_at.par_sort_unstable();
    let expected = input.expected.fetch(&expected_at)?;
    let target = input.target.fetch(&target_at)?;
    Ok(Evidence { expected, expected_at, target, target_at })
}

/// Pairs off rows that say the same, where they have no key: as many as both sides have. Of the others the last are left.
fn pair_off(mut joined: Joined, all: bool) -> Joined {
    for Repeated { mut expected, mut target } in std::mem::take(&mut joined.repeated) {
        expected.sort_unstable();
        target.sort_unstable();
        let both = expected.len().min(target.len());
        joined.same += both as u64;
        if all {
            let pairs = expected.iter().zip(&target).map(|(e, t)| Pair { expected: *e, target: *t });
            joined.same_pairs.extend(pairs);
        }
        joined.missing.extend(expected.drain(both..));
        joined.unexpected.extend(target.drain(both..));
    }
    joined
}

/// Finds the places of rows that have no key.
fn settle_without_key(
    input: &Input<'_>,
    bound: &BoundReconcile,
    joined: Joined,
    evidence: Evidence,
) -> Result<Aligned, RuleError> {
    // The evidence holds no other rows.
    let all = |frame: &Frame| (0..u32::try_from(frame.height()).unwrap_or(u32::MAX)).collect();
    let mut rows = Alignment {
        same: joined.same,
        missing: all(&evidence.expected),
        unexpected: all(&evidence.target),
        ..Alignment::default()
    };
    for (held_back, of_quarantined) in [(input.quarantined, true), (input.merged, false)] {
        if held_back.height() == 0 || rows.unexpected.is_empty() {
            continue;
        }
        let unexpected = std::mem::take(&mut rows.unexpected);
        let (found, rest) = content::held_back(unexpected, &evidence.target, held_back, &bound.columns)?;
        rows.unexpected = rest;
        if of_quarantined {
            rows.from_quarantined = found;
        } else {
            rows.from_merged = found;
        }
    }
    let mut partners = joined.same_pairs;
    partners.par_sort_unstable();
    Ok(Aligned { rows, evidence, partners, longest: BTreeMap::new() })
}

/// Decides by the texts of the keys what hashes have only found.
fn settle(
    input: &Input<'_>,
    (key, natural): (&[KeyColumn], &[ComparedColumn]),
    joined: Joined,
    (no_key_expected, no_key_target): (&[u32], &[u32]),
    evidence: Evidence,
) -> Result<Aligned, RuleError> {
    let expected = keys_of(&evidence.expected, key, Of::Expected)?;
    let target = keys_of(&evidence.target, key, Of::Target)?;
    let unfolded = match key.iter().any(KeyColumn::folds) {
        true => Some((
            unfolded_keys_of(&evidence.expected, key, Of::Expected)?,
            unfolded_keys_of(&evidence.target, key, Of::Target)?,
        )),
        false => None,
    };
    let keys = SideKeys { expected: &expected, target: &target, unfolded: unfolded.as_ref() };
    let place = |list: &[u32], at: &u32| list.binary_search(at).ok().and_then(|i| u32::try_from(i).ok());
    let of_expected =
        |at: &[u32]| at.iter().filter_map(|at| place(&evidence.expected_at, at)).collect::<Vec<_>>();
    let of_target =
        |at: &[u32]| at.iter().filter_map(|at| place(&evidence.target_at, at)).collect::<Vec<_>>();
    let mut rows = Alignment {
        same: joined.same,
        missing: of_expected(&joined.missing),
        unexpected: of_target(&joined.unexpected),
        no_key_expected: of_expected(no_key_expected),
        no_key_target: of_target(no_key_target),
        ..Alignment::default()
    };
    let different = joined.different.iter().map(|pair| ([pair.expected], [pair.target]));
    for (e, t) in different {
        keys.by_text(&of_expected(&e), &of_target(&t), &mut rows);
    }
    for repeated in &joined.repeated {
        let (e, t) = (of_expected(&repeated.expected), of_target(&repeated.target));
        keys.by_text(&e, &t, &mut rows);
    }
    rows.pairs.par_sort_unstable();
    rows.folded.par_sort_unstable();
    for list in
        [&mut rows.missing, &mut rows.unexpected, &mut rows.duplicate_expected, &mut rows.duplicate_target]
    {
        list.par_sort_unstable();
    }
    for (held_back, of_quarantined) in
        [(input.quarantined, true), (input.merged, false), (input.former, false)]
    {
        if held_back.height() == 0 || rows.unexpected.is_empty() {
            continue;
        }
        let known = keys_of(held_back, key, Of::Expected)?;
        let index = known.index();
        let (found, rest): (Vec<u32>, Vec<u32>) = std::mem::take(&mut rows.unexpected)
            .into_iter()
            .partition(|row| index.find(&target, *row as usize).next().is_some());
        rows.unexpected = rest;
        if of_quarantined {
            rows.from_quarantined = found;
        } else {
            rows.from_merged.extend(found);
        }
    }
    rows.from_merged.sort_unstable();
    if !natural.is_empty() {
        natural::find_partners(&mut rows, &evidence, input.quarantined, natural)?;
    }
    let mut partners = joined.same_pairs;
    partners.extend(rows.pairs.iter().filter_map(|pair| {
        let expected = *evidence.expected_at.get(pair.expected as usize)?;
        Some(Pair { expected, target: *evidence.target_at.get(pair.target as usize)? })
    }));
    partners.par_sort_unstable();
    Ok(Aligned { rows, evidence, partners, longest: BTreeMap::new() })
}

/// The keys of the rows of the evidence.
struct SideKeys<'a> {
    expected: &'a Keys,
    target: &'a Keys,
    /// As they are shown, where they are matched without something of that.
    unfolded: Option<&'a (Keys, Keys)>,
}

impl SideKeys<'_> {
    /// Aligns rows whose keys have one hash: by their texts.
    fn by_text(&self, e: &[u32], t: &[u32], rows: &mut Alignment) {
        let mut keys: Vec<(Cow<'_, str>, Vec<u32>, Vec<u32>)> = Vec::new();
        let of_expected = e.iter().filter_map(|row| Some((self.expected.text(*row as usize)?, *row, true)));
        let of_target = t.iter().filter_map(|row| Some((self.target.text(*row as usize)?, *row, false)));
        for (key, row, is_expected) in of_expected.chain(of_target) {
            let at = keys.iter().position(|(other, _, _)| *other == key).unwrap_or_else(|| {
                keys.push((key, Vec::new(), Vec::new()));
                keys.len() - 1
            });
            if let Some((_, e_rows, t_rows)) = keys.get_mut(at) {
                if is_expected { e_rows.push(row) } else { t_rows.push(row) }
            }
        }
        for (key, mut e_rows, mut t_rows) in keys {
            match (e_rows.as_slice(), t_rows.as_slice()) {
                ([e_row], [t_row]) => rows.pairs.push(Pair { expected: *e_row, target: *t_row }),
                ([e_row], []) => rows.missing.push(*e_row),
                ([], [t_row]) => rows.unexpected.push(*t_row),
                _ => {
                    rows.folded.extend(self.folded(&key, &e_rows, &t_rows));
                    rows.duplicate_expected.append(&mut e_rows);
                    rows.duplicate_target.append(&mut t_rows);
                }
            }
        }
    }

    /// Returns which rows of one key have keys of their own that differ from another's on their side.
    fn folded(&self, key: &str, e: &[u32], t: &[u32]) -> Option<KeyGroup> {
        let (of_expected, of_target) = self.unfolded?;
        let differing = |keys: &Keys, rows: &[u32]| -> Vec<u32> {
            let text = |row: &u32| keys.text(*row as usize);
            let first = rows.first().and_then(text);
            let mut all = if rows.iter().any(|row| text(row) != first) { rows.to_vec() } else { Vec::new() };
            all.sort_unstable();
            all
        };
        let (expected, target) = (differing(of_expected, e), differing(of_target, t));
        let found = !expected.is_empty() || !target.is_empty();
        found.then(|| KeyGroup { key: key.to_owned(), expected, target })
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::DataFrame;

    use super::*;
    use crate::model::Schema;
    use crate::reconcile::convert::Convert;
    use crate::reconcile::policy::Policy;

    fn side(texts: &[&str]) -> Frame {
        let values: Vec<Option<crate::frame::Value>> =
            texts.iter().map(|t| Some(crate::frame::Value::Text((*t).to_owned()))).collect();
        let series = crate::frame::series_of("k", &Logical::TEXT, &values);
        let schema = Schema { fields: vec![Field::new("k", Logical::TEXT)] };
        Frame::new(schema, DataFrame::new(texts.len(), vec![series.into()]).unwrap())
    }

    /// Keys that share a hash by chance are told apart by their texts, whatever the join has found.
    #[test]
    fn hashes_decide_nothing() {
        let part = KeyColumn {
            name: "k".to_owned(),
            note: String::new(),
            expected: Convert::Direct,
            target: Convert::Direct,
            fold: Policy::default(),
        };
        let (expected, target) = (side(&["a", "b", "c", "d", "d"]), side(&["b", "x", "c", "d", "e"]));
        let nothing = Frame::default();
        let input = Input {
            expected: &expected,
            target: &target,
            quarantined: &nothing,
            merged: &nothing,
            former: &nothing,
        };
        let joined = Joined {
            different: vec![Pair { expected: 0, target: 1 }],
            repeated: vec![Repeated { expected: vec![1, 2, 3, 4], target: vec![0, 2, 3, 4] }],
            ..Joined::default()
        };
        let evidence = fetch(&input, &joined, &[], &[]).unwrap();
        let rows = settle(&input, (&[part], &[]), joined, (&[], &[]), evidence).unwrap().rows;
        let pair = |expected, target| Pair { expected, target };
        assert_eq!(
            rows,
            Alignment {
                pairs: vec![pair(1, 0), pair(2, 2)],
                missing: vec![0],
                unexpected: vec![1, 4],
                duplicate_expected: vec![3, 4],
                duplicate_target: vec![3],
                ..Alignment::default()
            }
        );
    }
}
