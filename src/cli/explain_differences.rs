//! `counterfoil explain-differences`.

use super::Output;
use super::project::{RunArgs, load};
use crate::config::{self, Accepted, Plan, Tables};
use crate::diagnostic::Diagnostics;
use crate::engine;
use crate::report::{Difference, Settling, counted};

/// Say why values differ in a run, and which lines would settle it
///
/// Each difference is told with its dataset, column and cause, how many cells have it, and the YAML that would settle them,
/// with what that gives up; or why none would, and what does. With --write the lines are put into the files of the datasets: comments and layout stay, and a
/// file that would not be valid with them is left as it was. `counterfoil explain CAUSE` says what a cause is.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Only this dataset; may be given several times
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// Only this column, by our name; may be given several times
    #[arg(long, value_name = "NAME")]
    column: Vec<String>,
    /// Only this cause, as the run names it; may be given several times
    #[arg(long, value_name = "CAUSE")]
    cause: Vec<String>,
    /// Put the lines into the files of the datasets
    #[arg(long)]
    write: bool,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let plan = if args.write || !args.run.is_folder() {
        match load(&args.run.project, Tables::NotAsked, output) {
            Some(plan) => Some(plan),
            None => return 2,
        }
    } else {
        None
    };
    let found = args.run.find(plan.as_ref());
    let all = found.and_then(|run| engine::explain_differences(&run).map_err(|error| error.to_string()));
    let all = match all {
        Ok(all) => all,
        Err(error) => {
            output.error(error);
            return 2;
        }
    };
    let chosen: Vec<&Difference> = all.iter().filter(|difference| args.wants(difference)).collect();
    if let Some(problem) = args.unknown(&all) {
        output.error(problem);
        return 2;
    }
    match &plan {
        Some(plan) if args.write => write(plan, &chosen, output),
        _ => {
            tell(&chosen, output);
            0
        }
    }
}

impl Args {
    fn wants(&self, difference: &Difference) -> bool {
        let is_among = |list: &[String], name: &str| list.is_empty() || list.iter().any(|own| own == name);
        is_among(&self.dataset, &difference.dataset)
            && is_among(&self.column, &difference.column)
            && is_among(&self.cause, &difference.cause)
    }

    /// Says which of the names given nothing of the run has.
    fn unknown(&self, all: &[Difference]) -> Option<String> {
        let missing = |list: &[String], word: &str, of: fn(&Difference) -> &str| {
            let name = list.iter().find(|name| !all.iter().any(|one| of(one) == name.as_str()))?;
            Some(format!("no difference of the run has the {word} `{name}`; without `--{word}` all are told"))
        };
        missing(&self.dataset, "dataset", |one| &one.dataset)
            .or_else(|| missing(&self.column, "column", |one| &one.column))
            .or_else(|| missing(&self.cause, "cause", |one| &one.cause))
    }
}

fn tell(chosen: &[&Difference], output: &Output) {
    if chosen.is_empty() {
        output.deliver("No value differs.");
        return;
    }
    let mut place = None;
    for difference in chosen {
        let own = (difference.dataset.as_str(), difference.column.as_str());
        if place != Some(own) {
            let before = if place.is_some() { "\n" } else { "" };
            output.deliver(format!("{before}{}, {}", difference.dataset, difference.column));
            place = Some(own);
        }
        output.deliver(format!("  {}: {}", difference.cause, difference.sentence));
        output.deliver(format!("    {}", difference.settling.says(difference.cells)));
        for line in difference.settling.yaml(&difference.column).iter().flat_map(|yaml| yaml.lines()) {
            output.deliver(format!("      {line}"));
        }
    }
}

fn write(plan: &Plan, chosen: &[&Difference], output: &Output) -> u8 {
    let with_lines: Vec<(&Difference, Accepted)> = chosen
        .iter()
        .filter_map(|difference| match &difference.settling {
            Settling::Lines(remedy) => Some((
                *difference,
                Accepted {
                    dataset: difference.dataset.clone(),
                    column: difference.column.clone(),
                    remedy: remedy.clone(),
                },
            )),
            Settling::Hidden(_) | Settling::Nothing(_) => None,
        })
        .collect();
    if with_lines.is_empty() {
        output.say("Nothing was written: no line settles what was chosen.");
        return 0;
    }
    let accepted: Vec<Accepted> = with_lines.iter().map(|(_, accepted)| accepted.clone()).collect();
    let mut found = Diagnostics::default();
    let settled = config::settle(plan, &|name| std::env::var(name).ok(), &accepted, &mut found);
    output.diagnostics(&found);
    let mut code = 0;
    for ((difference, _), settled) in with_lines.iter().zip(&settled) {
        let what = format!("{}, {}, {}", difference.dataset, difference.column, difference.cause);
        match &settled.problem {
            None => {
                output.say(format!("{}: {what}", settled.file));
                let lines = difference.settling.yaml(&difference.column).unwrap_or_default();
                lines.lines().for_each(|line| output.say(format!("  {line}")));
            }
            Some(problem) => {
                output.error(format!("{what}: not written: {problem}"));
                code = 2;
            }
        }
    }
    let others = chosen.len() - with_lines.len();
    if others > 0 {
        output.say(format!("{} without lines that could be written.", counted(others as u64, "cause")));
    }
    code
}
