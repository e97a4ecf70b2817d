//! `counterfoil check-config`.

use super::Output;
use super::project::{ProjectArg, load};
use crate::config::Tables;

/// Check the project and its rule files, without reading any data
///
/// Every mistake is shown at once, with its file, line and column.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
    /// Ask the databases which tables the files with `tables` are for, and check those too
    #[arg(long)]
    connect: bool,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let asked = if args.connect { Tables::Asked } else { Tables::NotAsked };
    let Some(plan) = load(&args.project.project, asked, output) else {
        return 2;
    };
    let rules: usize =
        plan.datasets.iter().map(|d| d.steps.len() + d.checks.len() + d.duplicates.len()).sum();
    let count = |n: usize, word: &str| match (n, word.split_once(' ')) {
        (1, _) => format!("1 {word}"),
        (n, Some((first, rest))) => format!("{n} {first}s {rest}"),
        (n, None) => format!("{n} {word}s"),
    };
    let (datasets, rules) = (count(plan.datasets.len(), "dataset"), count(rules, "rule"));
    let schemas = match plan.schemas {
        n if n > 0 && !args.connect => {
            format!(", nor in {}, whose tables --connect lists", count(n, "file for a whole schema"))
        }
        _ => String::new(),
    };
    output.say(format!("{}: no mistake in {datasets} with {rules}{schemas}.", plan.project));
    0
}
