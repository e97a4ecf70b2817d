//! The commands: the only place that prints.

mod check_config;
mod completions;
mod explain;
mod man;
mod output;
mod progress;
mod project;
mod reconcile;
mod report;
mod run;
mod schema;
mod snapshot;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

pub use output::Output;

/// Proves that a migrated database matches the original, and mends it where it does not
///
/// Counterfoil takes snapshots of source and target tables, cleanses the source, checks both, finds duplicates and
/// orphans, reconciles record by record, and leaves a report, Parquet, corrected data and an exit code.
///
/// Exit codes: 0 the gate passed, 1 the gate failed, 2 it could not judge.
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
    /// Write progress as one JSON object a line to standard error
    #[arg(long, global = true, help_heading = "Output", conflicts_with = "quiet")]
    json_logs: bool,
    /// When to use colour
    #[arg(long, global = true, help_heading = "Output", value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Snapshot(snapshot::Args),
    Reconcile(reconcile::Args),
    CheckConfig(check_config::Args),
    Report(report::Args),
    Explain(explain::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Parses the arguments, runs the command and returns the exit code.
///
/// Wrong arguments are exit code 2, help and version 0. A closed standard output is no error.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // What cannot be printed cannot be reported either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let output = Output::new(&cli.output);
    let code = match cli.command {
        Command::Run(args) => run::run(&args, &output),
        Command::Snapshot(args) => snapshot::run(&args, &output),
        Command::Reconcile(args) => reconcile::run(&args, &output),
        Command::CheckConfig(args) => check_config::run(&args, &output),
        Command::Report(args) => report::run(&args, &output),
        Command::Explain(args) => explain::run(&args, &output),
        Command::Schema(args) => schema::run(&args, &output),
        Command::Completions(args) => completions::run(&args, &output),
        Command::Man(args) => man::run(&args, &output),
    };
    ExitCode::from(code)
}
