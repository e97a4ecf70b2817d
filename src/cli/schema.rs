//! `counterfoil schema`.

use super::Output;
use crate::config;

/// Print the JSON Schema of the project file or of a dataset file, for editors
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which file
    #[arg(value_enum, default_value = "dataset")]
    file: File,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum File {
    /// counterfoil.yml
    Project,
    /// A file under rules/
    Dataset,
}

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let schema = match args.file {
        File::Project => config::project_schema(),
        File::Dataset => config::dataset_schema(),
    };
    output.deliver(format!("{schema:#}"));
    0
}
