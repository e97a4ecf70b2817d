//! `counterfoil recheck`.

use std::path::Path;

use serde_json::{Map, json};

use super::Output;
use super::interrupt::on_interrupt;
use super::output::Level;
use super::progress::{Progress, steps_of_run};
use super::project::{RunArgs, load};
use super::run::fail;
use crate::config::Tables;
use crate::engine::{self, EngineError, Recheck, RecheckOptions, Rechecked};
use crate::report::{counted, thousands};

/// Read the records again in which a run found differences, and say which still differ
///
/// Only values that differed, records that were missing and records that were not expected are looked at: by their keys
/// where a database can find them so, else, as of files, the side is read and the records are picked out. Rules are those of
/// the project as it is now. Keys that stand twice, records without a key, those that were to be held back or merged, totals
/// and checks are left to the next run.
///
/// The run is not changed. What still differs is written to recheck-TIME.json beside the runs, without values; hidden keys
/// stand there as tokens. Exit codes: 0 nothing differs any more, 1 something does, 2 it could not be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
}

/// Records of a dataset that are named on a terminal.
const NAMED: usize = 10;

const STOPPED: &str = "stopped: nothing was written";

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let Some(plan) = load(&args.run.project, Tables::Asked, output) else { return 2 };
    let out = args.run.output_folder(&plan);
    let run = match args.run.find(Some(&plan)) {
        Ok(run) => run,
        Err(message) => {
            output.error(message);
            return 2;
        }
    };
    let progress = Progress::new(output, steps_of_run(&plan));
    let interrupt = on_interrupt(output, progress.aside(), STOPPED);
    let options = RecheckOptions { out, run, cancel: interrupt.cancel, unfinished: interrupt.unfinished };
    let result = engine::recheck(&plan, &options, &progress);
    progress.finish();
    match result {
        Ok((recheck, path)) => {
            tell(&recheck, &path, output);
            recheck.exit_code()
        }
        Err(EngineError::Cancelled) => {
            output.error(STOPPED);
            2
        }
        Err(error) => {
            fail(&error, output);
            2
        }
    }
}

fn tell(recheck: &Recheck, path: &Path, output: &Output) {
    let lines = lines(recheck);
    if !output.json() {
        for line in &lines {
            output.say(line);
        }
        if output.quiet() {
            for dataset in &recheck.datasets {
                if let Some(error) = &dataset.error {
                    output.error(format!("{}: {error}", dataset.name));
                }
            }
        }
        output.say(format!("Records: {}", path.display()));
        return;
    }
    let level = if recheck.exit_code() == 0 { Level::Info } else { Level::Error };
    let mut fields = Map::new();
    fields.insert("exit_code".to_owned(), json!(recheck.exit_code()));
    fields.insert("run".to_owned(), json!(recheck.run));
    fields.insert("records".to_owned(), json!(path.display().to_string()));
    output.record(level, "recheck", lines.first().map_or("", String::as_str), fields);
}

/// Says what became of the records: all of them, then dataset by dataset.
fn lines(recheck: &Recheck) -> Vec<String> {
    let sum = |of: fn(&Rechecked) -> u64| recheck.datasets.iter().map(of).sum::<u64>();
    let read = |dataset: &&Rechecked| dataset.error.is_none();
    let differed: u64 = recheck.datasets.iter().filter(read).map(|dataset| dataset.differed).sum();
    let mut lines = Vec::new();
    if recheck.datasets.is_empty() {
        lines.push("No record differed in the run.".to_owned());
    } else if differed > 0 {
        lines.push(became(differed, sum(|d| d.equal), sum(|d| d.gone), sum(|d| d.still)));
    }
    for dataset in &recheck.datasets {
        if let Some(error) = &dataset.error {
            let records = counted(dataset.differed, "record");
            lines.push(format!("  {}: {records} could not be read again: {error}", dataset.name));
            continue;
        }
        if recheck.datasets.len() > 1 {
            let all = became(dataset.differed, dataset.equal, dataset.gone, dataset.still);
            lines.push(format!("  {}: {all}", dataset.name));
        } else {
            lines.push(format!("  {}", dataset.name));
        }
        for column in &dataset.columns {
            let anew = match column.anew {
                0 => String::new(),
                1 => "; 1 other differs in it now".to_owned(),
                n => format!("; {} others differ in it now", thousands(n)),
            };
            lines.push(format!(
                "    {}: {} differed, of which {} still{anew}",
                column.name,
                if column.differed == 0 { "none".to_owned() } else { thousands(column.differed) },
                if column.still == 0 { "none".to_owned() } else { thousands(column.still) }
            ));
        }
        for record in dataset.records.iter().take(NAMED) {
            let columns = match record.columns.as_slice() {
                [] => String::new(),
                columns => format!(" in {}", columns.join(", ")),
            };
            lines.push(format!("    {}: {}{columns}", one_line(&record.key), record.is));
        }
        if dataset.records.len() > NAMED {
            lines.push(format!("    and {} more", thousands((dataset.records.len() - NAMED) as u64)));
        }
        for side in &dataset.read_whole {
            lines.push(format!("    (the {side} was read whole: its records cannot be found by their keys)"));
        }
    }
    lines
}

/// `Of 4,012 records that differed 3,990 are equal now, 22 still differ.`
fn became(differed: u64, equal: u64, gone: u64, still: u64) -> String {
    let are = |count: u64| if count == 1 { "is" } else { "are" };
    let gone = match gone {
        0 => String::new(),
        n => format!(", {} {} gone from both sides", thousands(n), are(n)),
    };
    let still = match still {
        0 => "none differs any more".to_owned(),
        1 => "1 still differs".to_owned(),
        n => format!("{} still differ", thousands(n)),
    };
    let equal =
        if equal == 0 { "none is".to_owned() } else { format!("{} {}", thousands(equal), are(equal)) };
    format!("Of {} that differed {equal} equal now{gone}, {still}.", counted(differed, "record"))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
