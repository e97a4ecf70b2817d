//! `counterfoil doctor`.

mod conformance;
mod told;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Output;
use super::interrupt::on_interrupt;
use super::progress::Aside;
use crate::config::{self, ProjectConnections, Tables};
use crate::diagnostic::Diagnostics;
use crate::source::{
    Cancel, Catalogue, ConnectionConfig, Outcome, RIGHTS, ReadRequest, SourceError, Step, drivers,
};

use told::Told;

/// Find out whether the connections work: drivers, network, log-in, rights, clocks
///
/// Lists the ODBC drivers of this machine. Then, in a project, each connection is tried step by step, each step with the
/// time it took, and with advice where one failed. Nothing is written, no table is read, and no password is shown.
/// Without a project the drivers are all there is to tell.
///
/// Exit codes: 0 all is well, 2 a connection cannot be read.
///
/// With --conformance every type of the connection's database is tried: samples are written into temporary tables, in a
/// session of its own that alone sees them, and read back as a run reads. This is the only command that writes to a
/// database, and it writes nothing else; the tables are gone when it ends. The user needs the right to make temporary
/// tables. Exit codes: 0 every type that the server has came out right, 1 a value came out wrong, 2 it could not be done.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The connections to try [default: all of the project]
    #[arg(value_name = "CONNECTION")]
    connections: Vec<String>,
    /// The project: a folder that holds counterfoil.yml, or such a file [default: this folder, where it is one]
    #[arg(long, value_name = "PROJECT")]
    project: Option<PathBuf>,
    /// Write samples of every type into temporary tables of this connection, and read them back
    #[arg(long, value_name = "CONNECTION", conflicts_with = "connections")]
    conformance: Option<String>,
}

/// What is said where the user stops it.
const STOPPED: &str = "stopped";

pub(super) fn run(args: &Args, output: &Output) -> u8 {
    let interrupt = on_interrupt(output, Aside::new(output), STOPPED);
    let code = match &args.conformance {
        Some(name) => conformance::run(name, args.project.as_deref(), output, &interrupt.cancel),
        None => examine(args, output, &interrupt.cancel),
    };
    code.unwrap_or_else(|_| {
        output.error(STOPPED);
        2
    })
}

/// Reads the connections that are asked for, and says what is wrong with them; nothing where there is no project.
fn project(
    given: Option<&Path>,
    named: &[String],
    output: &Output,
) -> Result<Option<(ProjectConnections, bool)>, ()> {
    let path = given.unwrap_or_else(|| Path::new("."));
    if given.is_none() && named.is_empty() && !path.join("counterfoil.yml").is_file() {
        return Ok(None);
    }
    let mut found = Diagnostics::default();
    let project = config::connections(path, named, &|name| std::env::var(name).ok(), &mut found);
    output.diagnostics(&found);
    project.map(|project| Some((project, found.has_errors()))).ok_or(())
}

/// Returns what the project reads by each connection; nothing where its files have mistakes.
fn requests(file: &Path) -> Option<Vec<ReadRequest>> {
    let mut found = Diagnostics::default();
    // Whether a variable is set is told of its connection; what the files ask for does not hang on it.
    let variables = |name: &str| {
        Some(std::env::var(name).ok().filter(|v| !v.is_empty()).unwrap_or_else(|| "unset".to_owned()))
    };
    // A schema that is taken as a whole is not asked for: the connection may not work.
    let plan = config::load(file, &variables, Tables::NotAsked, &mut found)?;
    if found.has_errors() {
        return None;
    }
    let sides = plan.datasets.into_iter().flat_map(|dataset| [dataset.source, dataset.target]);
    Some(sides.flatten().map(|side| side.request).collect())
}

/// Returns those of a connection, in the order of the project, each table and query once.
fn of_connection(all: &[ReadRequest], name: &str) -> Vec<ReadRequest> {
    let mut own: Vec<ReadRequest> = Vec::new();
    for request in all.iter().filter(|request| request.connection.as_deref() == Some(name)) {
        if !own.iter().any(|known| known.query() == request.query()) {
            own.push(request.clone());
        }
    }
    own
}

fn examine(args: &Args, output: &Output, cancel: &Cancel) -> Result<u8, SourceError> {
    let told = Told(output);
    told.drivers(&drivers());
    let (project, mistaken) = match project(args.project.as_deref(), &args.connections, output) {
        Err(()) => return Ok(2),
        Ok(None) => {
            told.remark("There is no counterfoil.yml in this folder: no connection was tried.");
            return Ok(0);
        }
        Ok(Some(found)) => found,
    };
    if project.connections.is_empty() {
        if !mistaken {
            told.remark("The project has no connections: its files lie beside the project file.");
        }
        return Ok(if mistaken { 2 } else { 0 });
    }
    let requests = requests(&project.file);
    let (mut failed, mut not_tried) = (Vec::new(), Vec::new());
    for (name, connection) in &project.connections {
        match connection {
            Ok(connection) => {
                let own = requests.as_ref().map(|all| of_connection(all, name));
                if !try_one(name, connection, own.as_deref(), &project.folder, told, cancel)? {
                    failed.push(name.as_str());
                }
            }
            Err(wrong) => {
                told.connection(name);
                told.step(name, &not_tried_because("settings", wrong.clone()));
                not_tried.push(name.as_str());
            }
        }
    }
    if !mistaken || !failed.is_empty() || !not_tried.is_empty() {
        told.end(project.connections.len(), &failed, &not_tried);
    }
    Ok(if mistaken || !failed.is_empty() { 2 } else { 0 })
}

/// A step that was not tried.
fn not_tried_because(name: &'static str, text: String) -> Step {
    Step { name, outcome: Outcome::NotTried, text, advice: None, took: None }
}

/// Tries a connection, and returns whether all of it that is wanted can be read. There are no requests where it is not
/// known what is wanted.
fn try_one(
    name: &str,
    connection: &ConnectionConfig,
    requests: Option<&[ReadRequest]>,
    folder: &Path,
    told: Told<'_>,
    cancel: &Cancel,
) -> Result<bool, SourceError> {
    told.connection(name);
    let mut well = true;
    let mut in_session = false;
    connection.examine(folder).examine(requests.unwrap_or_default(), cancel, &mut |step| {
        well = well && step.outcome != Outcome::Failed;
        in_session = in_session || step.name == RIGHTS;
        if step.name == RIGHTS && requests.is_none() {
            let text = "the project's files have mistakes, which `counterfoil check-config` shows";
            told.step(name, &not_tried_because(RIGHTS, text.to_owned()));
        } else {
            told.step(name, &step);
        }
    })?;
    if in_session && let Some(catalogue) = connection.catalogue(folder) {
        told.step(name, &listed(catalogue.as_ref(), cancel)?);
    }
    Ok(well)
}

/// Finds out how many tables the user sees, in a session of its own. Those that datasets name are read without it.
fn listed(catalogue: &dyn Catalogue, cancel: &Cancel) -> Result<Step, SourceError> {
    let start = Instant::now();
    let (outcome, text, advice) = match catalogue.tables(cancel) {
        Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
        Err(error) => {
            let advice = "`init`, and datasets of whole schemas (`tables`), need it; others do not";
            (Outcome::Note, error.to_string(), Some(advice.to_owned()))
        }
        Ok(tables) => {
            let count = |is_view: bool, one: &str, many: &str| {
                let count = tables.iter().filter(|table| table.is_view == is_view).count();
                format!("{count} {}", if count == 1 { one } else { many })
            };
            let seen = format!("{} and {}", count(false, "table", "tables"), count(true, "view", "views"));
            let outcome = if tables.is_empty() { Outcome::Note } else { Outcome::Good };
            let others = match catalogue.unreadable(cancel) {
                Ok(count @ 1..) => {
                    format!(", and may not read {count} other{}", if count == 1 { "" } else { "s" })
                }
                _ => String::new(),
            };
            (outcome, format!("this user sees {seen}{others}"), None)
        }
    };
    Ok(Step { name: "catalogue", outcome, text, advice, took: Some(start.elapsed()) })
}
