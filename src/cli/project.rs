//! Loading the project, which most commands begin with.

use std::path::{Path, PathBuf};

use crate::config::{self, Plan, Tables};
use crate::diagnostic::Diagnostics;

use super::Output;

/// The folder for `runs/` and `snapshots/` where no other is given, beside the project file.
pub const OUTPUT: &str = "counterfoil-out";

/// The project a command works on.
#[derive(Debug, Clone, clap::Args)]
pub struct ProjectArg {
    /// The project: a folder that holds counterfoil.yml, or such a file
    #[arg(default_value = ".", value_name = "PROJECT")]
    pub project: PathBuf,
}

/// The run that a command looks at, and the project that it is of.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// The run: its id, `latest`, or its folder
    #[arg(value_name = "RUN", default_value = "latest")]
    run: PathBuf,
    /// The project: a folder that holds counterfoil.yml, or such a file
    #[arg(long, value_name = "PROJECT", default_value = ".")]
    pub project: PathBuf,
    /// Folder of runs and snapshots, where it is not counterfoil-out beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl RunArgs {
    /// Returns the folder of runs and snapshots.
    pub fn output_folder(&self, plan: &Plan) -> PathBuf {
        output_folder(self.out.as_deref(), plan)
    }

    /// Returns true where the run's folder was given: then no project is needed to find it.
    pub fn is_folder(&self) -> bool {
        is_run(&self.run)
    }

    /// Finds the run ([`run_folder`]); without a project by its folder alone.
    ///
    /// # Errors
    /// A sentence for the user, where there is no complete run.
    pub fn find(&self, plan: Option<&Plan>) -> Result<PathBuf, String> {
        let out = plan.map_or_else(|| PathBuf::from(OUTPUT), |plan| self.output_folder(plan));
        run_folder(&self.run, &out)
    }
}

/// Loads a project and prints what is wrong with it; nothing is returned where it cannot be used.
pub fn load(project: &Path, asked: Tables, output: &Output) -> Option<Plan> {
    let mut found = Diagnostics::default();
    let plan = read(project, asked, &mut found);
    output.diagnostics(&found);
    plan.filter(|_| !found.has_errors())
}

/// Loads a project; what is wrong with it goes to `found`.
pub fn read(project: &Path, asked: Tables, found: &mut Diagnostics) -> Option<Plan> {
    config::load(project, &|name| std::env::var(name).ok(), asked, found)
}

/// Returns the folder for `runs/` and `snapshots/`: the one given, or `counterfoil-out` beside the project file.
pub fn output_folder(given: Option<&Path>, plan: &Plan) -> PathBuf {
    given.map_or_else(|| plan.files.base.join(OUTPUT), Path::to_path_buf)
}

/// Finds a run by what was given: its folder, else its id or `latest` among the runs of an output folder.
///
/// # Errors
/// A sentence for the user, where there is no complete run.
pub fn run_folder(given: &Path, out: &Path) -> Result<PathBuf, String> {
    let is_name = given.components().count() == 1 && !given.is_absolute();
    let by_name = is_name.then(|| out.join("runs").join(given));
    let found = [given.to_path_buf()].into_iter().chain(by_name).find(|run| is_run(run));
    found.ok_or_else(|| {
        format!(
            "there is no complete run `{}`: give its id, `latest`, or its folder, such as {}",
            given.display(),
            out.join("runs").join("latest").display()
        )
    })
}

/// Returns true for the folder of a complete run.
fn is_run(folder: &Path) -> bool {
    folder.join("run.json").is_file()
}
