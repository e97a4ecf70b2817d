//! What nobody knows because a crosswalk has no new id for an old one, or several.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::frame::{Frame, Keys};
use crate::model::Side;
use crate::reconcile::BoundReconcile;
use crate::rule::RuleError;

use super::expected::Working;

/// What nobody knows because a crosswalk has no new id, or several.
#[derive(Debug, Default)]
pub struct Unknown {
    /// Rows of the evidence's target that may be a row of the source whose id has several new ones.
    pub claimed: BTreeSet<u32>,
    /// Rows of the evidence's expected whose id in a column is not known, by the column.
    pub cells: BTreeMap<String, BTreeSet<u32>>,
}

impl Unknown {
    /// Finds what nobody knows because of ids without a new one, or with several; `origin` are the indexes of the evidence's
    /// expected rows among all of the source in scope.
    pub fn find(
        bound: &BoundReconcile,
        working: &Working,
        origin: &[usize],
        target: &Frame,
    ) -> Result<Self, RuleError> {
        let mut unknown = Unknown::default();
        for (column, untranslated) in &working.untranslated {
            let rows = (0..).zip(origin).filter(|(_, row)| untranslated.holds(**row)).map(|(at, _)| at);
            unknown.cells.insert(column.clone(), rows.collect());
        }
        let possible = &working.possible;
        let mut claim = |ours: Keys, theirs: Keys| {
            let index = ours.index();
            let claimed = (0..theirs.len()).filter(|row| index.find(&theirs, *row).next().is_some());
            unknown.claimed.extend(claimed.filter_map(|row| u32::try_from(row).ok()));
        };
        if possible.height() == 0 || target.height() == 0 {
            return Ok(unknown);
        }
        if bound.has_key() {
            claim(bound.keys(possible, Side::Expected)?, bound.keys(target, Side::Target)?);
            return Ok(unknown);
        }
        // Without a key a row may be any that has one of its ids.
        for (column, untranslated) in &working.untranslated {
            if target.column(column).is_none() {
                continue;
            }
            let several: HashSet<u64> =
                untranslated.ambiguous().filter_map(|row| working.all.rows.get(row).copied()).collect();
            let keep: Vec<bool> = possible.rows.iter().map(|row| several.contains(row)).collect();
            claim(Keys::new(&possible.filter(&keep)?, &[column])?, Keys::new(target, &[column])?);
        }
        Ok(unknown)
    }
}
