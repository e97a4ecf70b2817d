//! `counterfoil man`.

use std::path::PathBuf;

use clap::CommandFactory;

use super::{Cli, Output};

/// Print the manual page, or write one page a command into a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder for the pages
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let result = if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .map_err(|error| format!("the pages could not be written to `{}`: {error}", folder.display()))
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map(|()| output.deliver(String::from_utf8_lossy(&page).trim_end()))
            .map_err(|error| format!("the page could not be made: {error}"))
    };
    match result {
        Ok(()) => 0,
        Err(message) => {
            output.error(message);
            2
        }
    }
}
