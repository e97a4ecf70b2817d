//! Views of a result: HTML, JUnit and Markdown files, and the last lines on a terminal.
//!
//! A view is a pure function of run.json and of the Parquet files of the run; the same run gives the same bytes.

mod causes;
mod html;
mod junit;
mod markdown;
mod terminal;
mod tranche;
mod words;

use std::path::{Path, PathBuf};

use crate::findings::{ReadError, RunResult};

pub use causes::{Difference, Settling, differences};
pub use junit::junit_xml;
pub use markdown::summary_md;
pub use terminal::{could_not, terminal_summary, why_values_differ};
pub use words::{Verdict, counted, thousands, verdict};

/// The file of a run folder that holds the secret for the tokens of hidden keys, as 64 hexadecimal digits.
pub const MASK_KEY_FILE: &str = ".mask-key";

/// A report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file of the run could not be read.
    #[error("`{}` could not be read: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// A Parquet file of the run could not be read.
    #[error(transparent)]
    Parquet(#[from] ReadError),
    /// A template has a mistake.
    #[error("the template `{name}`{}: {problem}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Template {
        /// The template's name.
        name: String,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A file among the user's templates takes the place of none.
    #[error("`{}` replaces nothing: there is no built-in template of this name, only {known}", .path.display())]
    NoSuchTemplate {
        /// The file.
        path: PathBuf,
        /// The names of the built-in templates.
        known: String,
    },
    /// A file of the run is not what this version writes.
    #[error("`{}` {problem}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as the rest of a sentence.
        problem: String,
    },
    /// A view could not be made.
    #[error("{name} could not be made: {problem}")]
    Make {
        /// The view's file.
        name: &'static str,
        /// Why.
        problem: String,
    },
}

/// Renders the views of a complete run; see [`render_result`].
///
/// # Errors
/// Where run.json cannot be read or is of another version, and those of [`render_result`].
pub fn render(run: &Path, templates: Option<&Path>) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    render_result(&read_result(run)?, run, templates)
}

/// Reads the result of a complete run.
///
/// # Errors
/// Where run.json cannot be read or is of another version.
pub fn read_result(run: &Path) -> Result<RunResult, ReportError> {
    let path = run.join("run.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| ReportError::Read { path: path.clone(), error })?;
    serde_json::from_str(&text).map_err(|error| ReportError::Form {
        path,
        problem: format!("is not a run of this version: {error}"),
    })
}

/// Renders the views of a result whose Parquet files stand in `folder`.
///
/// Returns the files by their path in the run folder. Templates in the folder `templates` take the place of the
/// built-in ones with the same name.
///
/// # Errors
/// Where a file of the run cannot be read, or a template has a mistake.
pub fn render_result(
    result: &RunResult,
    folder: &Path,
    templates: Option<&Path>,
) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let mask_key = read_mask_key(folder)?;
    let mut files = html::render(result, folder, templates, &mask_key)?;
    files.push(("junit.xml".to_owned(), junit_xml(result)?));
    files.push(("summary.md".to_owned(), summary_md(result)));
    Ok(files)
}

/// Reads the secret that the tokens of a run are made with.
///
/// # Errors
/// Where its file cannot be read, or is not one.
pub fn read_mask_key(folder: &Path) -> Result<[u8; 32], ReportError> {
    let path = folder.join(MASK_KEY_FILE);
    let text =
        std::fs::read_to_string(&path).map_err(|error| ReportError::Read { path: path.clone(), error })?;
    let key = blake3::Hash::from_hex(text.trim()).map_err(|_| ReportError::Form {
        path,
        problem: "is not a key of 64 hexadecimal digits; run again to have one".to_owned(),
    })?;
    Ok(*key.as_bytes())
}
