//! Why a source could not be read.

use std::path::PathBuf;

use crate::diagnostic::Diagnostics;
use crate::model::Logical;

use super::PostgresError;
use super::odbc::OdbcProblem;

/// What a sink answers where it cannot take more.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// A source could not be read. No message shows a cell's value.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// What the user wrote does not fit the columns that are there.
    #[error("the settings do not fit the columns of the source:\n{}", .0.render(false))]
    Settings(Box<Diagnostics>),
    /// The connection's folder is not there.
    #[error("there is no folder {}: correct `path` of the connection", .0.display())]
    NoFolder(PathBuf),
    /// The file is not there.
    #[error("there is no file {}: correct `file`, or `path` of its connection", .0.display())]
    NoFile(PathBuf),
    /// The pattern fits no file.
    #[error("no file in {} matches `{pattern}`: correct `file`, or `path` of its connection", folder.display())]
    NoMatch {
        /// The folder that was searched.
        folder: PathBuf,
        /// The pattern.
        pattern: String,
    },
    /// The pattern is not one.
    #[error("`{pattern}` is not a pattern of file names: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The name does not say the format.
    #[error("the name of {} does not say what it holds: give `format: csv` or `format: parquet`", .0.display())]
    UnknownFormat(PathBuf),
    /// The files of one table are not of one format.
    #[error("{} and {} are of different formats: one table is read from files of one format", first.display(), other.display())]
    MixedFormats {
        /// The first file.
        first: PathBuf,
        /// A file of another format.
        other: PathBuf,
    },
    /// The file could not be read.
    #[error("{} could not be read: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is empty.
    #[error("{} is empty: a file without rows has at least its header", .0.display())]
    Empty(PathBuf),
    /// The text of a file is not well formed.
    #[error("{}, line {line}: {problem}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong on it.
        problem: CsvProblem,
    },
    /// The files of one table have different columns.
    #[error("{} has other columns than {}: {difference}", path.display(), first.display())]
    Columns {
        /// The first file.
        first: PathBuf,
        /// The file that differs.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// A Parquet file could not be read.
    #[error("{} could not be read as Parquet: {problem}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A column cannot be taken in as it is.
    #[error("{}, column `{column}`: {problem}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// Their name of the column.
        column: String,
        /// Why not, and what to do.
        problem: String,
    },
    /// The file is not the same as at the beginning of the reading.
    #[error("{} changed while it was being read: run again when nothing writes to it any more", .0.display())]
    Changed(PathBuf),
    /// A PostgreSQL database could not be read.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A database could not be read through its ODBC driver.
    #[error("{0}")]
    Odbc(Box<OdbcProblem>),
    /// The user stopped the work.
    #[error("stopped")]
    Cancelled,
    /// What was read could not be kept.
    #[error("{0}")]
    Sink(#[source] SinkError),
}

impl SourceError {
    /// Returns true for what a database, or the way to it, says.
    pub fn is_of_database(&self) -> bool {
        matches!(self, SourceError::Postgres(_) | SourceError::Odbc(_))
    }

    /// Returns what happened, and what to try where that stands apart.
    pub fn parts(&self) -> (String, Option<String>) {
        match self {
            SourceError::Postgres(error) => (error.problem.clone(), error.advice.clone()),
            SourceError::Odbc(problem) => problem.parts(),
            // Without the excerpt of the file, for where there is room for a few lines.
            SourceError::Settings(found) => {
                let found = found.sorted();
                let messages: Vec<&str> = found.iter().map(|diagnostic| diagnostic.message()).collect();
                let help: Vec<&str> = found.iter().filter_map(|diagnostic| diagnostic.help_text()).collect();
                (messages.join("; "), (!help.is_empty()).then(|| help.join("; ")))
            }
            other => (other.to_string(), None),
        }
    }
}

impl From<OdbcProblem> for SourceError {
    fn from(problem: OdbcProblem) -> Self {
        SourceError::Odbc(Box::new(problem))
    }
}

/// What is wrong on a line of a text file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// Not as many values as the first line has.
    #[error("{found} {}, where the first line has {expected}: is a delimiter in a value not quoted?", values(*found))]
    Ragged {
        /// The values of this line.
        found: usize,
        /// The values of the first line.
        expected: usize,
    },
    /// An empty line among the rows.
    #[error("the line is empty, where {expected} values are expected")]
    Blank {
        /// The values of the first line.
        expected: usize,
    },
    /// Something behind a closing quote.
    #[error(
        "column `{column}` has text behind its closing quote: a quote inside a quoted value is written twice"
    )]
    TextAfterQuote {
        /// Their name of the column, or its number.
        column: String,
    },
    /// A quote that is not closed.
    #[error("a quote that opens on this line is never closed")]
    OpenQuote,
    /// A row of more than 64 MiB.
    #[error("the row that begins here has more than 64 MiB: is a quote not closed?")]
    TooLong,
    /// Not in the encoding.
    #[error("column `{column}` has bytes that are not {encoding}{}", if *.encoding == "UTF-8" { ": if the file is from Windows, try `encoding: windows-1252`" } else { "" })]
    Encoding {
        /// Their name of the column, or its number.
        column: String,
        /// The encoding.
        encoding: &'static str,
    },
    /// A NUL byte.
    #[error("column `{column}` has a NUL byte, which no text has")]
    Nul {
        /// Their name of the column, or its number.
        column: String,
    },
    /// A mark of another encoding at the beginning.
    #[error("the file begins with the mark of {mark}, which is not what `encoding` says: {advice}")]
    Mark {
        /// The encoding the mark stands for.
        mark: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A column without a name.
    #[error("column {position} of the header has no name")]
    EmptyName {
        /// The column's position, from 1.
        position: usize,
    },
    /// A name that stands in the header twice.
    #[error("the header has `{name}` twice")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A value that is not of the declared type.
    #[error("column `{column}` has a value that is not `{wanted}`: {advice}")]
    WrongType {
        /// Their name of the column.
        column: String,
        /// The type that was declared.
        wanted: Logical,
        /// How such values are written, or what else may help.
        advice: &'static str,
    },
}

fn values(count: usize) -> &'static str {
    if count == 1 { "value" } else { "values" }
}
