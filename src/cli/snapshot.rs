//! `counterfoil snapshot`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Output;
use super::interrupt::on_interrupt;
use super::progress::{Progress, counted, sides};
use super::project::{ProjectArg, load, output_folder};
use super::run::fail;
use crate::config::Tables;
use crate::engine::{self, EngineError};

/// Take the snapshots only
///
/// Prints each snapshot with its rows and its folder. Exit code 2 where one could not be taken.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    project: ProjectArg,
    /// Folder for snapshots/ [default: counterfoil-out beside the project file]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on where an earlier reading of a database was cut off
    #[arg(long)]
    resume: bool,
}

/// What is said where the user stops the reading.
const STOPPED: &str = "stopped: snapshots that were complete are kept, no other was written";

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let Some(plan) = load(&args.project.project, Tables::Asked, output) else {
        return 2;
    };
    let out = output_folder(args.out.as_deref(), &plan);
    let progress = Progress::new(output, sides(&plan));
    let interrupt = on_interrupt(output, progress.aside(), STOPPED);
    let taken = engine::snapshots(&plan, &out, args.resume, &interrupt.cancel, &progress);
    progress.finish();
    match taken {
        Ok(taken) => {
            for snapshot in &taken.snapshots {
                let rows = counted(snapshot.manifest.rows);
                output.say(format!("{rows} in {}", snapshot.path.display()));
            }
            // What several have in common is said once.
            let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for (place, error) in &taken.failed {
                places.entry(error.to_string()).or_default().push(place);
            }
            for (error, places) in &places {
                output.error(format!("{}: {error}", places.join(", ")));
            }
            if taken.failed.is_empty() { 0 } else { 2 }
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
