//! A first project from what two databases say of their tables.
//!
//! - `spec`: a connection, as it is given and as it is written.
//! - `read`: which tables there are, and which of the two databases belong together.
//! - `words`, `pair`: names: what they say of a column, and which mean the same.
//! - `dataset`: one dataset: its columns, its key, its checks.
//! - `names`, `write`: the files, as texts.
//!
//! Everything that is a guess says so in the file, and what needs a decision is told.

mod dataset;
mod names;
mod pair;
mod read;
mod spec;
mod words;
mod write;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::nearest;
use crate::node::yaml;
use crate::source::{Described, Listed, SourceError};

pub use read::{Found, Wanted, read};
pub use spec::Spec;
pub use write::project;

/// A table with what its database says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub listed: Listed,
    /// Its columns and keys.
    pub described: Described,
}

/// A project that is not yet written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// The files, with their paths below the project's folder.
    pub files: Vec<(String, String)>,
    /// How many datasets have two sides.
    pub two_sided: usize,
    /// How many datasets have one.
    pub one_sided: usize,
    /// What somebody has to decide, a sentence each, without a full stop.
    pub decisions: Vec<String>,
    /// What was left out, and why; a sentence each, without a full stop.
    pub left_out: Vec<String>,
}

/// Why no project was written. No message shows a connection string or a value.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A connection was not given as it should be.
    #[error("{0}")]
    Connection(String),
    /// There is no such time zone.
    #[error("there is no time zone `{zone}`; zones are named as in `{near}`")]
    Zone {
        /// What was given.
        zone: String,
        /// One that is there.
        near: String,
    },
    /// A database could not be read.
    #[error("the connection `{name}`: {source}")]
    Source {
        /// The connection's name.
        name: String,
        /// What went wrong.
        #[source]
        source: Box<SourceError>,
    },
    /// A pattern that no table has.
    #[error("no table of `{name}` is named as in `{pattern}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NoMatch {
        /// The connection's name.
        name: String,
        /// The pattern.
        pattern: String,
        /// A table whose name is near.
        near: Option<String>,
    },
    /// There is nothing to make a project of.
    #[error(
        "the connection `{0}` has no table that its user may read: ask for the right to, or name another database"
    )]
    NoTables(String),
    /// Files are there already.
    #[error("nothing was written, because these are in the way: {}; move them, or name another folder", .0.join(", "))]
    InTheWay(Vec<String>),
    /// A file could not be written.
    #[error("{} could not be written: {source}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// Reads the connections that were given: a source, and a target where there are two.
///
/// # Errors
/// Where there are more, two have one name, or one is wrong.
pub fn specs(
    arguments: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Spec>, InitError> {
    if arguments.len() > 2 {
        let message = "more than two connections were given: the first is the source, the second the target";
        return Err(InitError::Connection(message.to_owned()));
    }
    let specs: Result<Vec<Spec>, InitError> =
        arguments.iter().zip(1..).map(|(argument, at)| Spec::read(argument, at, environment)).collect();
    let specs = specs?;
    if let [first, second] = specs.as_slice() {
        // Two secrets in one variable, or a secret in one that holds something else.
        let clash = |a: &Spec, b: &Spec| {
            a.variable_to_set().is_some_and(|name| b.variables().iter().any(|v| v == name))
        };
        if first.name.eq_ignore_ascii_case(&second.name) || clash(first, second) || clash(second, first) {
            let message = format!(
                "the connections `{}` and `{}` would be one, or share a variable: give one of them another name",
                first.name, second.name
            );
            return Err(InitError::Connection(message));
        }
    }
    Ok(specs)
}

/// Checks the name of a zone.
///
/// # Errors
/// Where there is no such zone.
pub fn check_zone(zone: Option<&str>) -> Result<(), InitError> {
    let Some(zone) = zone.filter(|zone| zone.parse::<chrono_tz::Tz>().is_err()) else { return Ok(()) };
    let names = chrono_tz::TZ_VARIANTS.iter().map(|known| known.name());
    let near = nearest(zone, names).unwrap_or("Europe/London").to_owned();
    Err(InitError::Zone { zone: zone.to_owned(), near })
}

/// The file that says what git passes over.
const IGNORED: &str = ".gitignore";

/// What git should pass over.
const IGNORE: [&str; 2] = ["counterfoil-out/", ".counterfoil/"];

/// Returns what of a folder is in the way of a new project, as paths below it.
///
/// A file that says what git passes over is not: it is left as it is. Other dataset files are, because the project
/// would have them too.
pub fn in_the_way(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    if folder.is_file() {
        found.push(".".to_owned());
    }
    for name in ["counterfoil.yml", "counterfoil.yaml"] {
        if folder.join(name).symlink_metadata().is_ok() {
            found.push(name.to_owned());
        }
    }
    let rules = folder.join("rules");
    match fs::read_dir(&rules) {
        Ok(entries) => {
            let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            let mut names: Vec<String> =
                names.filter(|name| Path::new(name).extension().is_some_and(|e| e == "yml")).collect();
            names.sort();
            found.extend(names.into_iter().map(|name| format!("rules/{name}")));
        }
        Err(_) if rules.symlink_metadata().is_ok() => found.push("rules".to_owned()),
        Err(_) => {}
    }
    found
}

/// Writes a project into a folder, which is made where it is not there. No file is overwritten.
///
/// Returns the lines that a `.gitignore` which was there already lacks.
///
/// # Errors
/// Where something is in the way, or cannot be written. Then nothing of it is left.
pub fn write(project: &Project, folder: &Path) -> Result<Vec<&'static str>, InitError> {
    let in_the_way = in_the_way(folder);
    if !in_the_way.is_empty() {
        return Err(InitError::InTheWay(in_the_way));
    }
    let mut written: Vec<PathBuf> = Vec::new();
    let mut put = |path: PathBuf, text: &str| {
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let mut file = fs::File::create_new(&path)?;
            written.push(path.clone());
            file.write_all(text.as_bytes())
        });
        made.map_err(|source| InitError::Write { path, source })
    };
    let mut all = project.files.iter().map(|(path, text)| put(folder.join(path), text));
    if let Some(Err(error)) = all.find(Result::is_err) {
        for path in written {
            // What cannot be removed is named by the next attempt.
            let _ = fs::remove_file(path);
        }
        return Err(error);
    }
    let ignored = folder.join(IGNORED);
    if let Ok(text) = fs::read_to_string(&ignored) {
        let has = |line: &str| text.lines().any(|own| own.trim().trim_start_matches('/') == line);
        return Ok(IGNORE.into_iter().filter(|line| !has(line)).collect());
    }
    put(ignored, &format!("{}\n", IGNORE.join("\n")))?;
    Ok(Vec::new())
}
