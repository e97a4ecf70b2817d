//! The last lines of a run on a terminal.

use crate::findings::RunResult;

use super::words::{self, counted, one_line};

/// How many problems are told in full.
const WORST: usize = 3;

/// Returns the last lines of a run on a terminal: the verdict and the three worst problems.
///
/// The worst come first: what is broken, then what fails, is inconclusive or warns, each by the rows that failed.
pub fn terminal_summary(result: &RunResult) -> Vec<String> {
    let verdict = words::verdict(result);
    let problems = words::problems(result);
    let mut lines = vec![format!("{} {}. {}.", verdict.mark, verdict.word, verdict.sentence)];
    lines.extend(
        problems
            .iter()
            .take(WORST)
            .map(|problem| format!("  {}: {}", one_line(&problem.dataset.name), problem.sentence())),
    );
    if problems.len() > WORST {
        let more = (problems.len() - WORST) as u64;
        lines.push(format!("  and {}, all of them in the report", counted(more, "more problem")));
    }
    lines
}
