//! `counterfoil completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Output};

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "counterfoil", &mut script);
    output.deliver(String::from_utf8_lossy(&script).trim_end());
    0
}
