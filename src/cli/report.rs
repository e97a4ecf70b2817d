//! `counterfoil report`.

use std::path::PathBuf;

use super::Output;
use crate::engine;

/// Render the report of a run again, for example with other templates
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder, such as counterfoil-out/runs/latest
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder with report templates that take the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    if !args.run.join("run.json").is_file() {
        output.error(format!(
            "there is no complete run in `{}`: give the folder of a run, such as counterfoil-out/runs/latest",
            args.run.display()
        ));
        return 2;
    }
    match engine::render_report(&args.run, args.templates.as_deref()) {
        Ok(()) => {
            output.say(format!("Report: {}", args.run.join("report").join("index.html").display()));
            0
        }
        Err(error) => {
            output.error(error);
            2
        }
    }
}
