//! The checks of one dataset on all its sides, and its foreign keys looked at on both.

use std::collections::BTreeMap;

use crate::config::Dataset;
use crate::findings::ReferenceResult;
use crate::model::Side;

use super::bound::BoundDataset;
use super::dataset::World;
use super::judge::{self, Figures, Judged, Outcome, SideOutcomes};

/// The rows whose parent is not there, from 0, ascending: by the position of the foreign key among the dataset's checks, and
/// by the side; nothing of a side on which the check could not be run.
pub type Orphans = BTreeMap<(usize, Side), Vec<usize>>;

/// What the checks of a dataset came to.
pub struct Checked {
    /// The results and findings, in the order of the rule file.
    pub judged: Vec<Judged>,
    /// The foreign keys, in the same order.
    pub references: Vec<ReferenceResult>,
    /// The rows whose parent is not there.
    pub orphans: Orphans,
}

impl World<'_> {
    /// Runs the checks of a dataset on all its sides.
    pub fn checks(
        &self,
        dataset: &Dataset,
        bound: &BoundDataset<'_>,
        figures: &Figures<'_>,
        origin: &[usize],
    ) -> Checked {
        let name = dataset.name.value.as_str();
        let id_of = |position: usize, text: &str| self.group_id(name, &dataset.checks[position].id, text);
        let mut outcomes: BTreeMap<Side, SideOutcomes> = BTreeMap::new();
        for side in Side::ALL.iter().copied() {
            if let Some(frame) = self.frame(name, side) {
                let names = self.plan.datasets.iter().map(|d| d.name.value.as_str());
                let all = names.filter_map(|other| Some((other, self.frame(other, side)?))).collect();
                outcomes.insert(side, judge::run_side(bound.checks(), frame, side, &all, &id_of, self.as_of));
            }
        }
        let keys = self.keys_of_orphans(dataset, bound);
        let mut checked = Checked { judged: Vec::new(), references: Vec::new(), orphans: Orphans::new() };
        for (position, rule) in dataset.checks.iter().enumerate() {
            if let Some(reason) = &rule.common.skip {
                let columns = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
                checked.judged.push((Figures::skipped(rule, columns, &reason.value), Vec::new()));
                continue;
            }
            let gating = judge::gating_sides(dataset, rule.common.on.as_ref());
            let sides: Vec<(Side, bool, Result<Outcome, String>)> = Side::ALL
                .iter()
                .filter_map(|side| {
                    let outcome = outcomes.get(side)?.get(&position)?.clone();
                    let gates = gating.contains(side);
                    // Beside those that gate there is the one before cleansing, where it could be had.
                    let shown = gates || (*side == Side::Source && outcome.is_ok());
                    shown.then_some((*side, gates, outcome))
                })
                .collect();
            let not_comparable = !sides.iter().any(|(side, _, _)| *side == Side::Source)
                && self.side(name, Side::Source).is_some()
                && self.working(name).is_some()
                && !bound.is_comparable(position);
            let Some(reference) = rule.rule.reference() else {
                checked.judged.push(figures.check(rule, &sides, not_comparable, &|_, _| None));
                continue;
            };
            let failed = |side: Side| {
                let outcome = outcomes.get(&side)?.get(&position)?.as_ref().ok()?;
                Some(outcome.failed_rows())
            };
            for side in [Side::Expected, Side::Target] {
                checked.orphans.extend(failed(side).map(|rows| ((position, side), rows)));
            }
            let classes = self.classes(dataset, rule, reference, &failed, &keys, origin);
            checked.references.push(classes.result(rule, reference));
            let class = |side: Side, index: usize| classes.of(side, index).map(str::to_owned);
            checked.judged.push(figures.check(rule, &sides, not_comparable, &class));
        }
        checked
    }
}
