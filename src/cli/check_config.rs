//! `counterfoil check-config`.

use super::Output;
use super::project::{ProjectArg, load, read};
use crate::config::{Plan, Tables};
use crate::diagnostic::Diagnostics;
use crate::engine;
use crate::source::Cancel;

/// Check the project and its rule files, without reading any data
///
/// Every mistake is shown at once, with its file, line and column. With --connect the same is done with what only the
/// connections know: tables that are not there, may not be read or have no partner, columns that a table does not have,
/// queries and conditions that a server refuses, and connections that cannot be opened. No row of a database is read;
/// files are read as far as the types of their columns need it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
    /// Connect to every connection of the project, and check its tables and columns too
    #[arg(long)]
    connect: bool,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let plan = if args.connect { connected(args, output) } else { offline(args, output) };
    let Some(plan) = plan else { return 2 };
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

/// Checks the files; there is a plan where they have no mistake.
fn offline(args: &Args, output: &Output) -> Option<Plan> {
    load(&args.project.project, Tables::NotAsked, output)
}

/// Checks the files, then what they say of the connections; there is a plan where nothing is wrong.
fn connected(args: &Args, output: &Output) -> Option<Plan> {
    let mut found = Diagnostics::default();
    let plan = read(&args.project.project, Tables::NotAsked, &mut found);
    if plan.is_none() || found.has_errors() {
        output.diagnostics(&found);
        return None;
    }
    let mut found = Diagnostics::default();
    let plan = read(&args.project.project, Tables::Asked, &mut found);
    if let Some(plan) = &plan {
        let as_of = plan.as_of.unwrap_or_else(chrono::Utc::now);
        found.extend(engine::check_connected(plan, as_of, &Cancel::default()));
    }
    output.diagnostics(&found);
    plan.filter(|_| !found.has_errors())
}
