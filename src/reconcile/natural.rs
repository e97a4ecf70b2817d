//! Partners by natural key, for rows that have none by key: where surrogate keys were given anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::frame::Frame;
use crate::rule::RuleError;

use super::align::{Alignment, Evidence, KeyGroup, Of, Pair};
use super::bind::ComparedColumn;
use super::content::Contents;

/// Rows by their natural key; those in which a part is NULL have none.
fn by_natural_key(
    frame: &Frame,
    rows: impl Iterator<Item = u32>,
    natural: &[ComparedColumn],
    of: Of,
) -> Result<Vec<(String, u32)>, RuleError> {
    let contents = Contents::new(frame, natural, of)?;
    let mut text = String::new();
    let mut found = Vec::new();
    for row in rows {
        if contents.write(row as usize, &mut text) {
            found.push((text.clone(), row));
        }
    }
    Ok(found)
}

/// Finds partners for missing and unexpected rows.
///
/// Rows are partners where one row of each side is left that has the natural key. Where more are left on a side and at
/// least one on the other, nobody can say which is which: they are ambiguous, and stay missing and unexpected. A single
/// target row whose natural key no missing row has is of the quarantined row that has it. It is not of a merged row: that
/// often has the natural key of its survivor, and then a second row of the target would be hidden.
///
/// # Errors
/// Where a column is not there.
pub(super) fn find_partners(
    rows: &mut Alignment,
    evidence: &Evidence,
    quarantined: &Frame,
    natural: &[ComparedColumn],
) -> Result<(), RuleError> {
    let mut groups: BTreeMap<String, KeyGroup> = BTreeMap::new();
    let group = |key: String| KeyGroup { key, expected: Vec::new(), target: Vec::new() };
    for (key, row) in by_natural_key(&evidence.expected, rows.missing.iter().copied(), natural, Of::Expected)?
    {
        groups.entry(key.clone()).or_insert_with(|| group(key)).expected.push(row);
    }
    for (key, row) in by_natural_key(&evidence.target, rows.unexpected.iter().copied(), natural, Of::Target)?
    {
        groups.entry(key.clone()).or_insert_with(|| group(key)).target.push(row);
    }
    let quarantined: BTreeSet<String> = match quarantined.height() {
        0 => BTreeSet::new(),
        height => {
            let all = 0..u32::try_from(height).unwrap_or(u32::MAX);
            by_natural_key(quarantined, all, natural, Of::Expected)?.into_iter().map(|(key, _)| key).collect()
        }
    };
    let (mut found, mut held_back) = (Vec::new(), BTreeSet::new());
    for (key, group) in groups {
        match (group.expected.as_slice(), group.target.as_slice()) {
            ([expected], [target]) => found.push(Pair { expected: *expected, target: *target }),
            ([], [target]) if quarantined.contains(&key) => {
                rows.from_quarantined.push(*target);
                held_back.insert(*target);
            }
            ([], _) | (_, []) => {}
            _ => rows.ambiguous.push(group),
        }
    }
    let expected: BTreeSet<u32> = found.iter().map(|pair| pair.expected).collect();
    let target: BTreeSet<u32> = found.iter().map(|pair| pair.target).chain(held_back).collect();
    rows.missing.retain(|row| !expected.contains(row));
    rows.unexpected.retain(|row| !target.contains(row));
    found.sort_unstable();
    rows.pairs.extend(&found);
    rows.pairs.sort_unstable();
    rows.from_quarantined.sort_unstable();
    rows.natural = found;
    Ok(())
}
