//! `counterfoil run`.

use std::path::PathBuf;

use serde_json::{Map, json};

use super::Output;
use super::interrupt::on_interrupt;
use super::output::Level;
use super::progress::{Progress, steps_of_run};
use super::project::{ProjectArg, load, output_folder, run_folder};
use crate::config::Tables;
use crate::engine::{self, EngineError, Outcome, RunOptions, Stage};
use crate::report;

/// Run the whole job: snapshot, cleanse, check, reconcile, report, correct, gate
///
/// Ends with the verdict, the three worst problems and the path of the report. Exit codes: 0 the gate passed, 1 the gate failed, 2 it could not judge.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
    #[command(flatten)]
    common: RunArgs,
}

/// What commands that make a run have in common.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Folder for runs/ and snapshots/ [default: counterfoil-out beside the project file]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Use the snapshots of an earlier run instead of reading the connections: its id, `latest`, or its folder
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,
    /// Go on where an earlier reading of a database was cut off
    #[arg(long, conflicts_with = "from")]
    pub resume: bool,
    /// The run's "now": a date or an RFC 3339 time [default: the project's `as_of`, else the start]
    #[arg(long, value_name = "TIME", value_parser = engine::parse_as_of)]
    pub as_of: Option<chrono::DateTime<chrono::Utc>>,
    /// Folder with report templates that take the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
}

/// What is said where the user stops a run.
const STOPPED: &str = "stopped: no run was written";

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    run_stage(&args.project, &args.common, Stage::Everything, None, output)
}

/// Makes a run and prints its verdict.
pub(super) fn run_stage(
    project: &ProjectArg,
    args: &RunArgs,
    stage: Stage,
    memory: Option<u64>,
    output: &Output,
) -> u8 {
    let Some(plan) = load(&project.project, Tables::Asked, output) else {
        return 2;
    };
    let out = output_folder(args.out.as_deref(), &plan);
    let from = match args.from.as_deref().map(|given| run_folder(given, &out)).transpose() {
        Ok(from) => from,
        Err(message) => {
            output.error(message);
            return 2;
        }
    };
    let progress = Progress::new(output, steps_of_run(&plan));
    let interrupt = on_interrupt(output, progress.aside(), STOPPED);
    let options = RunOptions {
        out,
        from,
        resume: args.resume,
        as_of: args.as_of,
        templates: args.templates.clone(),
        stage,
        memory,
        cancel: interrupt.cancel,
        unfinished: interrupt.unfinished,
    };
    let result = engine::run(&plan, &options, &progress);
    progress.finish();
    match result {
        Ok(outcome) => {
            tell(&outcome, output);
            outcome.result.gate.exit_code
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

/// Tells the verdict, the worst problems, why values differ and where the report is.
fn tell(outcome: &Outcome, output: &Output) {
    let lines = report::terminal_summary(&outcome.result);
    let why = report::why_values_differ(&outcome.result);
    let page = outcome.folder.join("report").join("index.html");
    if !output.json() {
        for line in &lines {
            output.say(line);
        }
        for line in &why {
            output.say(format!("  {line}"));
        }
        if output.quiet() && outcome.result.gate.exit_code == 2 {
            for line in report::could_not(&outcome.result) {
                output.error(line);
            }
        }
        output.say(format!("Report: {}", page.display()));
        return;
    }
    let gate = &outcome.result.gate;
    let level = match (gate.exit_code, gate.status) {
        (0, crate::model::Status::Warn) => Level::Warning,
        (0, _) => Level::Info,
        _ => Level::Error,
    };
    let (verdict, problems) =
        lines.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let problems: Vec<&str> = problems.iter().map(|line| line.trim()).collect();
    let mut fields = Map::new();
    fields.insert("exit_code".to_owned(), json!(gate.exit_code));
    fields.insert("status".to_owned(), json!(gate.status));
    fields.insert("stopped_by".to_owned(), json!(gate.stopped_by));
    fields.insert("problems".to_owned(), json!(problems));
    fields.insert("causes".to_owned(), json!(why));
    fields.insert("run".to_owned(), json!(outcome.folder.display().to_string()));
    fields.insert("report".to_owned(), json!(page.display().to_string()));
    output.record(level, "verdict", verdict, fields);
}

/// Prints why nothing was made.
pub(super) fn fail(error: &EngineError, output: &Output) {
    match error {
        EngineError::Bind(found) => output.diagnostics(found),
        error => output.error(error),
    }
}
