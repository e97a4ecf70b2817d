//! `counterfoil reconcile`.

use super::Output;
use super::project::ProjectArg;
use super::run::{RunArgs, run_stage};
use crate::engine::Stage;

/// Reconcile only: cleanse, align and compare, without checks and duplicates
///
/// The run says so in its report. Exit codes are those of `run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
    #[command(flatten)]
    common: RunArgs,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    run_stage(&args.project, &args.common, Stage::Reconcile, output)
}
