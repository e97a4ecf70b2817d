//! The commands: the only place that prints.

mod check_config;
mod completions;
mod doctor;
mod explain;
mod explain_differences;
mod init;
mod interrupt;
mod man;
mod output;
mod progress;
mod project;
mod recheck;
mod reconcile;
mod report;
mod run;
mod schema;
mod snapshot;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use output::Level;

pub use output::Output;

/// Proves that a migrated database matches the original, and mends it where it does not
///
/// Counterfoil takes snapshots of source and target tables, cleanses the source, checks both, finds duplicates and
/// orphans, reconciles record by record, and leaves a report, Parquet, corrected data and an exit code.
///
/// Exit codes: 0 the gate passed, 1 the gate failed, 2 it could not judge.
///
/// Results go to standard output, progress and errors to standard error. With --json-logs everything but what was asked
/// for (a schema, an explanation, a completion script) goes to standard error, errors and the verdict too: one JSON object
/// a line, each with `time` (UTC), `level` (info, warning, error), `event` and `message`; diagnostics have `file`, `line`
/// and `column`, and the verdict of a run `exit_code`, `status`, `stopped_by`, `problems`, `causes`, `run` and `report`.
///
/// Ctrl-C, SIGTERM and SIGHUP stop a run within a few seconds, a second one at once: exit code 2, and no half run is left.
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: OutputArgs,
}

/// How a command speaks.
#[derive(Debug, Clone, clap::Args)]
pub struct OutputArgs {
    /// Print nothing but errors
    #[arg(long, short, global = true, help_heading = "Output")]
    quiet: bool,
    /// Write progress, errors and the verdict as JSON to standard error, one object a line
    #[arg(long, global = true, help_heading = "Output")]
    json_logs: bool,
    /// When to use colour
    #[arg(long, global = true, help_heading = "Output", value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Run(run::Args),
    Snapshot(snapshot::Args),
    Reconcile(reconcile::Args),
    Recheck(recheck::Args),
    CheckConfig(check_config::Args),
    Doctor(doctor::Args),
    Report(report::Args),
    Explain(explain::Args),
    ExplainDifferences(explain_differences::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Parses the arguments, runs the command and returns the exit code.
///
/// Wrong arguments are exit code 2, help and version 0. A closed standard output is no error, one that is full is.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(not_parsed(&error, &arguments)),
    };
    let output = Output::new(&cli.output);
    output.hear_panics();
    // The panic has been told; an exit code of its own would be none of the contract's.
    let code = catch_unwind(AssertUnwindSafe(|| dispatch(&cli.command, &output))).unwrap_or(2);
    ExitCode::from(output.close(code))
}

fn dispatch(command: &Command, output: &Output) -> u8 {
    match command {
        Command::Init(args) => init::run(args, output),
        Command::Run(args) => run::run(args, output),
        Command::Snapshot(args) => snapshot::run(args, output),
        Command::Reconcile(args) => reconcile::run(args, output),
        Command::Recheck(args) => recheck::run(args, output),
        Command::CheckConfig(args) => check_config::run(args, output),
        Command::Doctor(args) => doctor::run(args, output),
        Command::Report(args) => report::run(args, output),
        Command::Explain(args) => explain::run(args, output),
        Command::ExplainDifferences(args) => explain_differences::run(args, output),
        Command::Schema(args) => schema::run(args, output),
        Command::Completions(args) => completions::run(args, output),
        Command::Man(args) => man::run(args, output),
    }
}

/// Prints help, the version, or what is wrong with the arguments.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> u8 {
    if !error.use_stderr() {
        // What cannot be printed cannot be reported either.
        let _ = error.print();
        return 0;
    }
    if arguments.iter().any(|argument| argument == "--json-logs") {
        let args = OutputArgs { quiet: false, json_logs: true, color: ColorChoice::Never };
        let message = error.render().to_string();
        Output::new(&args).record(Level::Error, "usage", message.trim_end(), serde_json::Map::new());
    } else {
        let _ = error.print();
    }
    2
}
