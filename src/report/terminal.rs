//! The last lines of a run on a terminal.

use std::collections::BTreeSet;

use crate::findings::RunResult;
use crate::model::Status;

use super::causes;
use super::words::{self, Judged, counted, one_line};

/// How many problems are told in full.
const WORST: usize = 3;

/// Returns the last lines of a run on a terminal: the verdict and the three worst problems.
///
/// The worst come first: what is broken, then what fails, is inconclusive or warns, each by the rows concerned. A
/// rule that fails on several sides is told once, of the worst of them, and so is what several datasets could not be
/// judged for. No line holds a cell value.
pub fn terminal_summary(result: &RunResult) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut problems: Vec<Judged<'_>> = words::problems(result);
    problems.retain(|problem| seen.insert((problem.dataset.name.as_str(), problem.name().to_owned())));
    let mut lines = vec![words::verdict(result).to_string()];
    let mut told_causes: Vec<&str> = Vec::new();
    let mut told = 0;
    problems.retain(|problem| {
        let cause = problem.dataset.error.as_deref().filter(|_| problem.rule.is_none()).map(cause);
        if cause.is_some_and(|cause| told_causes.contains(&cause)) {
            return false;
        }
        if told == WORST {
            return true;
        }
        told += 1;
        let same = |cause: &str| {
            result.datasets.iter().filter(|d| d.error.as_deref().map(self::cause) == Some(cause)).count()
                as u64
        };
        match cause.map(|cause| (cause, same(cause))) {
            Some((cause, count @ 2..)) => {
                told_causes.push(cause);
                let why = one_line(cause.trim_end_matches('.'));
                lines.push(format!("  {} could not be judged: {why}", counted(count, "dataset")));
            }
            _ => lines.push(format!("  {}: {}", one_line(&problem.dataset.name), problem.sentence())),
        }
        false
    });
    let rest = problems;
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

/// Says why values differ in the three datasets with most differing cells of one cause: a line for each, with the cause that
/// most cells have. No line holds a cell value.
pub fn why_values_differ(result: &RunResult) -> Vec<String> {
    let mut worst: Vec<_> =
        result.datasets.iter().filter_map(|d| Some((d.name.as_str(), causes::worst(d)?))).collect();
    worst.sort_by_key(|(_, worst)| std::cmp::Reverse(worst.cells));
    let line = |(dataset, worst): &(&str, causes::Worst<'_>)| {
        format!("Why values differ in {}: {}", one_line(dataset), worst.sentence)
    };
    worst.iter().take(WORST).map(line).collect()
}

/// Returns why a dataset could not be judged, whichever of its sides that is about.
fn cause(error: &str) -> &str {
    let of_side = |side: &str| error.strip_prefix(side)?.strip_prefix(" could not be read: ");
    of_side("The source").or_else(|| of_side("The target")).unwrap_or(error)
}

/// Returns what could not be judged: a line for each dataset or rule, with its reason. No line holds a cell value.
pub fn could_not(result: &RunResult) -> Vec<String> {
    let broken = words::problems(result).into_iter().filter(|problem| problem.status == Status::Broken);
    broken.map(|problem| format!("{}: {}", one_line(&problem.dataset.name), problem.sentence())).collect()
}
