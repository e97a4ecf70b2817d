//! `counterfoil check-config`.

use super::Output;
use super::project::{ProjectArg, load};

/// Check the project and its rule files, without reading any data
///
/// Every mistake is shown at once, with its file, line and column.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let Some(plan) = load(&args.project.project, output) else {
        return 2;
    };
    let rules: usize =
        plan.datasets.iter().map(|d| d.steps.len() + d.checks.len() + d.duplicates.len()).sum();
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (datasets, rules) = (count(plan.datasets.len(), "dataset"), count(rules, "rule"));
    output.say(format!("{}: no mistake in {datasets} with {rules}.", plan.project));
    0
}
