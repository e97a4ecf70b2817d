//! Datasets whose rows stay in their snapshots: nothing cleanses, filters or holds back a row, and nothing but the
//! reconciliation looks at them.

use std::collections::BTreeSet;

use crate::config::{Dataset, Plan};
use crate::frame::Rows;
use crate::ledger::{SourceDisposition, Tally, TargetDisposition};

use super::prepare::LoadedSide;
use super::reconciled::{Reconciled, Tallies};

/// Returns the datasets that rest, by name, where only reconciliations are wanted.
///
/// A dataset rests where it has two sides without a filter and no step, match, list of codes, crosswalk or expression changes or holds back a row: none of its
/// own, nor one of a dataset that it refers to, whose held-back rows would hold back theirs.
pub fn resting(plan: &Plan) -> BTreeSet<String> {
    let mut moved: BTreeSet<&str> = plan
        .datasets
        .iter()
        .filter(|dataset| {
            let steps = dataset.steps.iter().any(|step| step.common.skip.is_none());
            let prepares = dataset.reconcile.columns.values().any(|policy| policy.value.prepares());
            let merges =
                dataset.duplicates.iter().any(|rule| rule.common.skip.is_none() && rule.rule.merges());
            let holds = |other: &Dataset| {
                other.crosswalks.iter().any(|crosswalk| crosswalk.value.through.value == dataset.name.value)
            };
            let translates = !dataset.crosswalks.is_empty() || plan.datasets.iter().any(holds);
            steps || merges || prepares || translates
        })
        .map(|dataset| dataset.name.value.as_str())
        .collect();
    loop {
        let before = moved.len();
        for dataset in &plan.datasets {
            let refers = |parent: &str| moved.contains(parent);
            let references = dataset.checks.iter().filter_map(|rule| rule.rule.reference());
            if references.into_iter().any(|reference| refers(&reference.dataset.value)) {
                moved.insert(&dataset.name.value);
            }
        }
        if moved.len() == before {
            break;
        }
    }
    let whole = |dataset: &&Dataset| {
        let sides = [&dataset.source, &dataset.target];
        sides.iter().all(|side| side.as_ref().is_some_and(|side| side.filter.is_none()))
    };
    let still = plan.datasets.iter().filter(whole).map(|dataset| dataset.name.value.clone());
    still.filter(|name| !moved.contains(name.as_str())).collect()
}

/// Enters every row of a dataset that rests.
pub fn tallies(source: &LoadedSide, target: &LoadedSide, done: Option<&Reconciled>) -> Tallies {
    let rows = |side: &LoadedSide| usize::try_from(side.height()).unwrap_or(usize::MAX);
    let mut of_source = Tally::<SourceDisposition>::new(rows(source));
    let mut of_target = Tally::<TargetDisposition>::new(rows(target));
    if let Some(done) = done {
        done.enter(|_| false, &mut of_source, &mut of_target);
    }
    (Some(of_source), Some(of_target))
}

/// Returns the rows of two sides that rest.
pub fn rows_of<'a>(
    source: Option<&'a LoadedSide>,
    target: Option<&'a LoadedSide>,
) -> Option<(&'a dyn Rows, &'a dyn Rows)> {
    let rows = |side: Option<&'a LoadedSide>| side?.resting.as_ref().map(|rows| rows as &dyn Rows);
    Some((rows(source)?, rows(target)?))
}
