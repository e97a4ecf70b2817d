//! The last lines of a run on a terminal.

use std::collections::BTreeSet;

use crate::findings::RunResult;
use crate::model::Status;

use super::words::{self, Judged, counted, one_line};

/// How many problems are told in full.
const WORST: usize = 3;

/// Returns the last lines of a run on a terminal: the verdict and the three worst problems.
///
/// The worst come first: what is broken, then what fails, is inconclusive or warns, each by the rows concerned. A
/// rule that fails on several sides is told once, of the worst of them. No line holds a cell value.
pub fn terminal_summary(result: &RunResult) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut problems: Vec<Judged<'_>> = words::problems(result);
    problems.retain(|problem| seen.insert((problem.dataset.name.as_str(), problem.name().to_owned())));
    let (worst, rest) = problems.split_at(problems.len().min(WORST));
    let mut lines = vec![words::verdict(result).to_string()];
    let told =
        |problem: &Judged<'_>| format!("  {}: {}", one_line(&problem.dataset.name), problem.sentence());
    lines.extend(worst.iter().map(told));
    let stopping = rest.iter().filter(|problem| problem.stops).count() as u64;
    let warning = rest.len() as u64 - stopping;
    let more: Vec<String> = [
        (stopping > 0).then(|| counted(stopping, "more problem")),
        (warning > 0).then(|| counted(warning, "warning")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !more.is_empty() {
        lines.push(format!("  and {}: see the report", more.join(" and ")));
    }
    lines
}

/// Returns what could not be judged: a line for each dataset or rule, with its reason. No line holds a cell value.
pub fn could_not(result: &RunResult) -> Vec<String> {
    let broken = words::problems(result).into_iter().filter(|problem| problem.status == Status::Broken);
    broken.map(|problem| format!("{}: {}", one_line(&problem.dataset.name), problem.sentence())).collect()
}
