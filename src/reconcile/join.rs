//! Joins the records of two sides by key, one shelf at a time.

use super::align::Pair;
use super::shelves::Record;

/// No row.
const NONE: u32 = u32::MAX;

/// What a join found, by the rows' indexes in their sides.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    /// How many keys stand once on either side, in rows with the same hash.
    pub(super) same: u64,
    /// Those rows, where they were asked for.
    pub(super) same_pairs: Vec<Pair>,
    /// The rows of keys that stand once on either side, where their hashes differ.
    pub(super) different: Vec<Pair>,
    /// Rows of expected whose key the target does not have.
    pub(super) missing: Vec<u32>,
    /// Rows of the target whose key expected does not have.
    pub(super) unexpected: Vec<u32>,
    /// The rows of each key that stands twice or more on a side.
    pub(super) repeated: Vec<Repeated>,
}

/// The rows of a key that stands twice or more on a side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Repeated {
    pub(super) expected: Vec<u32>,
    pub(super) target: Vec<u32>,
}

/// A key, with the first record of either side.
struct Entry {
    key: (u64, u32),
    expected: u32,
    target: u32,
    /// Where its further records are, from 1; 0 where there are none.
    more: u32,
}

impl Joined {
    /// Takes in what another join found among other keys.
    pub(super) fn add(mut self, mut other: Joined) -> Joined {
        self.same += other.same;
        self.same_pairs.append(&mut other.same_pairs);
        self.different.append(&mut other.different);
        self.missing.append(&mut other.missing);
        self.unexpected.append(&mut other.unexpected);
        self.repeated.append(&mut other.repeated);
        self
    }
}

/// Joins records by their keys' hashes; `all` asks for the rows that are the same, too.
///
/// The order of the lists is that of the records.
pub(super) fn join(expected: &[Record], target: &[Record], all: bool) -> Joined {
    let mut table = Table::new(expected.len() + target.len());
    for (index, record) in (0_u32..).zip(expected) {
        table.enter(record.key(), index, true);
    }
    for (index, record) in (0_u32..).zip(target) {
        table.enter(record.key(), index, false);
    }
    let at = |records: &[Record], index: u32| records.get(index as usize).map(|record| record.at);
    let mut joined = Joined::default();
    for entry in &table.entries {
        let (e, t) = (expected.get(entry.expected as usize), target.get(entry.target as usize));
        if let Some(more) = (entry.more as usize).checked_sub(1).and_then(|more| table.more.get(more)) {
            let all = |first: Option<&Record>, records: &[Record], further: &[u32]| -> Vec<u32> {
                let further = further.iter().filter_map(|index| at(records, *index));
                first.map(|record| record.at).into_iter().chain(further).collect()
            };
            joined.repeated.push(Repeated {
                expected: all(e, expected, &more.expected),
                target: all(t, target, &more.target),
            });
            continue;
        }
        match (e, t) {
            (Some(e), Some(t)) if e.row == t.row => {
                joined.same += 1;
                if all {
                    joined.same_pairs.push(Pair { expected: e.at, target: t.at });
                }
            }
            (Some(e), Some(t)) => joined.different.push(Pair { expected: e.at, target: t.at }),
            (Some(e), None) => joined.missing.push(e.at),
            (None, Some(t)) => joined.unexpected.push(t.at),
            (None, None) => {}
        }
    }
    joined
}

/// Keys with their records, found by hash.
struct Table {
    /// Indexes of entries from 1, by hash; 0 is free. Its length is a power of two.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    more: Vec<Repeated>,
}

impl Table {
    fn new(records: usize) -> Table {
        let slots = (records * 2).next_power_of_two().max(2);
        Table { slots: vec![0; slots], entries: Vec::with_capacity(records), more: Vec::new() }
    }

    /// Enters a record of a side by its index.
    fn enter(&mut self, key: (u64, u32), index: u32, is_expected: bool) {
        let mask = self.slots.len() - 1;
        // A shelf is chosen by the uppermost bits.
        let mut slot = usize::try_from(key.0 & (mask as u64)).unwrap_or(0);
        loop {
            let Some(place) = self.slots.get_mut(slot) else { return };
            match (*place as usize).checked_sub(1) {
                None => {
                    let (expected, target) = if is_expected { (index, NONE) } else { (NONE, index) };
                    self.entries.push(Entry { key, expected, target, more: 0 });
                    *place = u32::try_from(self.entries.len()).unwrap_or(NONE);
                    return;
                }
                Some(entry) => {
                    if let Some(entry) = self.entries.get_mut(entry).filter(|entry| entry.key == key) {
                        let first = if is_expected { &mut entry.expected } else { &mut entry.target };
                        if *first == NONE {
                            *first = index;
                            return;
                        }
                        if entry.more == 0 {
                            self.more.push(Repeated::default());
                            entry.more = u32::try_from(self.more.len()).unwrap_or(NONE);
                        }
                        if let Some(more) = self.more.get_mut(entry.more as usize - 1) {
                            if is_expected { more.expected.push(index) } else { more.target.push(index) }
                        }
                        return;
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The same, by a map.
    fn plain(expected: &[Record], target: &[Record]) -> Joined {
        let mut keys: BTreeMap<(u64, u32), (Vec<Record>, Vec<Record>)> = BTreeMap::new();
        for record in expected {
            keys.entry(record.key()).or_default().0.push(*record);
        }
        for record in target {
            keys.entry(record.key()).or_default().1.push(*record);
        }
        let at = |records: &[Record]| records.iter().map(|r| r.at).collect::<Vec<_>>();
        let mut joined = Joined::default();
        for (e, t) in keys.values() {
            match (e.as_slice(), t.as_slice()) {
                ([e], [t]) => {
                    let pair = Pair { expected: e.at, target: t.at };
                    if e.row == t.row {
                        joined.same += 1;
                        joined.same_pairs.push(pair);
                    } else {
                        joined.different.push(pair);
                    }
                }
                ([e], []) => joined.missing.push(e.at),
                ([], [t]) => joined.unexpected.push(t.at),
                _ => joined.repeated.push(Repeated { expected: at(e), target: at(t) }),
            }
        }
        joined
    }

    fn sorted(mut joined: Joined) -> Joined {
        joined.same_pairs.sort_unstable();
        joined.different.sort_unstable();
        joined.missing.sort_unstable();
        joined.unexpected.sort_unstable();
        joined.repeated.sort_unstable_by(|a, b| (&a.expected, &a.target).cmp(&(&b.expected, &b.target)));
        joined
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        // Few keys, of which some have the same slot.
        let key = prop_oneof![0..12_u64, (0..12_u64).prop_map(|k| k << 40)];
        proptest::collection::vec((key, 0..2_u32, 0..3_u64), 0..30).prop_map(|records| {
            let number = |(at, (key, key_rest, row))| Record { key, key_rest, at, row };
            (0..).zip(records).map(number).collect()
        })
    }

    proptest! {
        #[test]
        fn joined_as_by_a_map(expected in records(), target in records()) {
            prop_assert_eq!(sorted(join(&expected, &target, true)), sorted(plain(&expected, &target)));
            let without = join(&expected, &target, false);
            prop_assert_eq!(without.same_pairs.len(), 0);
            prop_assert_eq!(without.same, plain(&expected, &target).same);
        }
    }
}
