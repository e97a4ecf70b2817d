//! `counterfoil run`.

use std::path::PathBuf;

use super::Output;
use super::progress::Progress;
use super::project::{ProjectArg, load, output_folder};
use crate::engine::{self, EngineError, RunOptions, Stage};
use crate::report;
use crate::source::Cancel;

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
    /// Use the snapshots of an earlier run instead of reading the connections
    #[arg(long, value_name = "RUN")]
    pub from: Option<PathBuf>,
    /// The run's "now": a date or an RFC 3339 time [default: the project's `as_of`, else the start]
    #[arg(long, value_name = "TIME", value_parser = engine::parse_as_of)]
    pub as_of: Option<chrono::DateTime<chrono::Utc>>,
    /// Folder with report templates that take the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub templates: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    run_stage(&args.project, &args.common, Stage::Everything, output)
}

/// Makes a run and prints its verdict.
pub(super) fn run_stage(project: &ProjectArg, args: &RunArgs, stage: Stage, output: &Output) -> u8 {
    let Some(plan) = load(&project.project, output) else {
        return 2;
    };
    let options = RunOptions {
        out: output_folder(args.out.as_deref(), &plan),
        from: args.from.clone(),
        as_of: args.as_of,
        templates: args.templates.clone(),
        stage,
        cancel: cancel_on_interrupt(output),
    };
    let progress = Progress::new(output);
    let result = engine::run(&plan, &options, &progress);
    progress.finish();
    match result {
        Ok(outcome) => {
            for line in report::terminal_summary(&outcome.result) {
                output.say(line);
            }
            output.say(format!("Report: {}", outcome.folder.join("report").join("index.html").display()));
            outcome.result.gate.exit_code
        }
        Err(error) => {
            fail(&error, output);
            2
        }
    }
}

/// Makes a cancel that Ctrl-C and SIGTERM set.
pub(super) fn cancel_on_interrupt(output: &Output) -> Cancel {
    let cancel = Cancel::default();
    let seen = cancel.clone();
    if let Err(error) = ctrlc::set_handler(move || seen.cancel()) {
        output.progress(format!("Ctrl-C will not be handled: {error}"));
    }
    cancel
}

/// Prints why there is no run.
pub(super) fn fail(error: &EngineError, output: &Output) {
    match error {
        EngineError::Bind(found) => output.diagnostics(found.render(output.colour())),
        error => output.error(error),
    }
}
