//! `counterfoil report`.

use std::path::{Path, PathBuf};

use super::Output;
use super::project::{OUTPUT, run_folder};
use crate::engine;

/// Render the report of a run again, for example with other templates
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run: its folder, or its id or `latest` where counterfoil-out is in this folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder with report templates that take the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let run = match run_folder(&args.run, Path::new(OUTPUT)) {
        Ok(run) => run,
        Err(message) => {
            output.error(message);
            return 2;
        }
    };
    match engine::render_report(&run, args.templates.as_deref()) {
        Ok(()) => {
            output.say(format!("Report: {}", run.join("report").join("index.html").display()));
            0
        }
        Err(error) => {
            output.error(error);
            2
        }
    }
}
