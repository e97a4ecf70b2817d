//! The classes of orphans: inherited, introduced, repaired, or with a parent that is held back.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::config::{Dataset, Rule};
use crate::frame::{Frame, Keys};
use crate::model::Side;
use crate::reconcile::BoundReconcile;

use super::dataset::World;
use super::expected::quarantined_keys;
use super::judge::{self, SideOutcomes};

impl World<'_> {
    /// Returns how the findings of a foreign key are classed: by the raw source against the target, per child key.
    pub fn classes<'s>(
        &'s self,
        dataset: &'s Dataset,
        meeting: Option<&BoundReconcile>,
        rule: &Rule<dyn Check>,
        position: usize,
        outcomes: &BTreeMap<Side, SideOutcomes>,
        origin: &'s [usize],
    ) -> impl Fn(Side, usize) -> Option<String> + 's {
        let name = dataset.name.value.as_str();
        let of = |side: Side| outcomes.get(&side).and_then(|o| o.get(&position));
        let classed = rule.rule.reference().is_some();
        let (mut source, mut target, mut held) = (None, None, BTreeSet::new());
        let mut keys = BTreeMap::new();
        if let Some(reference) = rule.rule.reference() {
            keys = self.row_keys(dataset, meeting);
            let key = |side: Side| {
                let keys = keys.get(&side);
                move |index: usize| Some(keys?.text(index)?.into_owned())
            };
            // Where the raw source is not comparable, expected stands for it.
            source = match of(Side::Source) {
                Some(Ok(_)) => judge::failed_keys(of(Side::Source), &key(Side::Source)),
                _ => judge::failed_keys(of(Side::Expected), &key(Side::Expected)),
            };
            target = judge::failed_keys(of(Side::Target), &key(Side::Target));
            held = self.rows_with_held_parent(rule, reference, name).unwrap_or_default();
        }
        let (has_source, has_target) = (dataset.source.is_some(), dataset.target.is_some());
        move |side, index| {
            if !classed {
                return None;
            }
            if side == Side::Expected && origin.get(index).is_some_and(|row| held.contains(row)) {
                return Some("parent quarantined".to_owned());
            }
            let (is_target, other_exists, other) = match side {
                Side::Target => (true, has_source, &source),
                Side::Source | Side::Expected => (false, has_target, &target),
            };
            let there = match other {
                // Without the other side there is nothing to compare with; where it could not be judged, nothing to say.
                None if !other_exists => !is_target,
                None => return None,
                Some(failed) => failed.contains(keys.get(&side)?.text(index)?.as_ref()),
            };
            let class = match (is_target, there) {
                (_, true) => "inherited",
                (true, false) => "introduced",
                (false, false) => "repaired",
            };
            Some(class.to_owned())
        }
    }

    /// Returns the keys by which the rows of the sides are known to one another; raw rows have those after cleansing.
    ///
    /// Where rows are known by their position or have no key there are none, and so no classes.
    fn row_keys(&self, dataset: &Dataset, meeting: Option<&BoundReconcile>) -> BTreeMap<Side, Keys> {
        let name = dataset.name.value.as_str();
        let columns: Vec<&str> = dataset.key.iter().map(|k| k.value.as_str()).collect();
        let keys_of = |frame: &Frame, side: Side| match meeting {
            Some(meeting) if meeting.folds() => meeting.keys(frame, side).ok(),
            _ => Keys::new(frame, &columns).ok(),
        };
        let frames = [
            (Side::Source, self.working(name).map(|working| &working.all)),
            (Side::Expected, self.frame(name, Side::Expected)),
            (Side::Target, self.frame(name, Side::Target)),
        ];
        if columns.is_empty() {
            return BTreeMap::new();
        }
        let keys = |(side, frame): (Side, Option<&Frame>)| Some((side, keys_of(frame?, side)?));
        frames.into_iter().filter_map(keys).collect()
    }

    /// Returns the rows of a dataset's source (indexes among those in scope) whose parent is held back.
    fn rows_with_held_parent(
        &self,
        rule: &Rule<dyn Check>,
        reference: &crate::rule::Reference,
        name: &str,
    ) -> Option<BTreeSet<usize>> {
        let parent = self.working(&reference.dataset.value)?;
        let columns: Vec<&str> = reference.columns.iter().map(|c| c.value.as_str()).collect();
        let gone = quarantined_keys(parent, &columns).ok()?;
        if gone.is_empty() {
            return None;
        }
        let child = self.working(name)?;
        let own: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
        let keys = Keys::new(&child.all, &own).ok()?;
        Some(
            (0..keys.len())
                .filter(|i| keys.text(*i).is_some_and(|key| gone.contains(key.as_ref())))
                .collect(),
        )
    }
}
