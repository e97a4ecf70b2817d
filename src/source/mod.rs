//! Where tables come from: one connector a kind of connection.
//!
//! A [`Connector`] reads one table and hands its schema and batches to a [`Sink`], synchronously: the sink
//! holds the reader back. What is to be read stands in a [`ReadRequest`], which [`ConnectionConfig::request`]
//! puts together from what the user wrote.

mod cells;
mod columns;
mod config;
mod csv;
mod error;
mod files;
mod infer;
mod original;
mod parquet;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::Spanned;
use crate::frame::arrow_type;
use crate::model::{Logical, Schema};

pub use config::{ConnectionConfig, Delimiter, Encoding, FilesConnection, Format, Quote, SideConfig};
pub use error::{CsvProblem, SinkError, SourceError};
pub use files::Files;
pub use original::{OriginalTexts, original_texts};
pub(crate) use parquet::{load_parquet, to_logical};

/// Reads tables from one kind of place.
pub trait Connector: Send + Sync {
    /// Reads a table: its schema and then its rows go to the sink, in the order of the source.
    ///
    /// # Errors
    /// Where anything of the table could not be read, or the sink could not take it. What the sink has taken
    /// until then is not the table.
    fn read(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &mut dyn Sink,
    ) -> Result<ReadReport, SourceError>;
}

/// Takes in a table while it is being read.
pub trait Sink {
    /// Takes the schema. It comes first, and once.
    ///
    /// # Errors
    /// Where the sink cannot go on.
    fn start(&mut self, schema: &Schema) -> Result<(), SinkError>;

    /// Takes the next rows: a batch of the schema's [`arrow_schema`].
    ///
    /// # Errors
    /// Where the sink cannot go on.
    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError>;

    /// Takes the next rows as a whole Parquet file, whose columns are those of the schema under their names,
    /// in Arrow types that can be cast to the schema's without loss.
    ///
    /// # Errors
    /// Where the file could not be read to its end, or the sink cannot go on.
    fn parquet_file(&mut self, file: &mut dyn Read) -> Result<(), SinkError>;
}

/// A wish to stop, shared by all clones.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks everyone who looks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true once someone has asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Goes on, unless someone has asked to stop.
    ///
    /// # Errors
    /// [`SourceError::Cancelled`] where someone has.
    pub fn check(&self) -> Result<(), SourceError> {
        if self.is_cancelled() { Err(SourceError::Cancelled) } else { Ok(()) }
    }
}

/// What is to be read.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The connection's name in the project file, for the manifest.
    pub connection: Option<String>,
    /// The table, in the words of its connector.
    pub selection: Selection,
    /// What becomes of its columns.
    pub columns: ColumnRules,
}

/// A table, in the words of its connector.
#[derive(Debug, Clone)]
pub enum Selection {
    /// Files of a folder.
    Files(FileSelection),
}

/// Files that hold one table.
#[derive(Debug, Clone)]
pub struct FileSelection {
    /// A file name or pattern, relative to the connector's folder.
    pub file: String,
    /// The format; where there is none, the file's ending says it.
    pub format: Option<Format>,
    /// How text files are written.
    pub csv: CsvOptions,
}

/// How a text file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    /// The ASCII character between two values.
    pub delimiter: u8,
    /// The ASCII character around values that need it, where there is one.
    pub quote: Option<u8>,
    /// Whether the first line has the names.
    pub header: bool,
    /// How the text is encoded.
    pub encoding: Encoding,
    /// The texts that are NULL, quoted or not; where there is no list, what is empty and not quoted.
    pub null: Option<Vec<String>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        CsvOptions { delimiter: b',', quote: Some(b'"'), header: true, encoding: Encoding::Utf8, null: None }
    }
}

/// What becomes of a table's columns.
#[derive(Debug, Clone, Default)]
pub struct ColumnRules {
    /// Declared types, by our names.
    pub types: IndexMap<String, Spanned<Logical>>,
    /// Our names, by theirs.
    pub columns: IndexMap<String, Spanned<String>>,
    /// Columns that are not read, by our names.
    pub omit: Vec<Spanned<String>>,
    /// The zone of timestamps without one, an IANA name.
    pub timezone: Option<String>,
    /// The same for single columns, by our names.
    pub timezones: IndexMap<String, Spanned<String>>,
}

impl ReadRequest {
    /// Returns what is asked for, in one line.
    pub fn query(&self) -> String {
        let Selection::Files(files) = &self.selection;
        files.file.clone()
    }

    /// Returns the options as JSON, for the manifest.
    pub fn options(&self) -> Json {
        let Selection::Files(files) = &self.selection;
        let rules = &self.columns;
        let character = |byte: u8| char::from(byte).to_string();
        json!({
            "format": files.format.map(Format::word),
            "delimiter": character(files.csv.delimiter),
            "quote": files.csv.quote.map(character),
            "header": files.csv.header,
            "encoding": files.csv.encoding.word(),
            "null": files.csv.null,
            "types": rules.types.iter().map(|(n, t)| (n.clone(), Json::from(t.value.to_string()))).collect::<serde_json::Map<_, _>>(),
            "columns": texts(&rules.columns),
            "omit": rules.omit.iter().map(|n| n.value.as_str()).collect::<Vec<_>>(),
            "timezone": rules.timezone,
            "timezones": texts(&rules.timezones),
        })
    }
}

fn texts(by_name: &IndexMap<String, Spanned<String>>) -> serde_json::Map<String, Json> {
    by_name.iter().map(|(name, text)| (name.clone(), Json::from(text.value.as_str()))).collect()
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// The files, in the order in which they were read.
    pub files: Vec<ReadFile>,
    /// What should be known of single columns, such as a type that was widened.
    pub notes: Vec<ColumnNote>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    /// Its path, relative to the connector's folder where it lies inside, with `/` between names.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last modified, where the system knows.
    pub modified: Option<SystemTime>,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// Something that should be known of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnNote {
    /// Our name of the column.
    pub column: String,
    /// What should be known, a sentence without a full stop.
    pub text: String,
}

/// Returns the Arrow schema of a table under *their* names: every field nullable, its logical and source
/// type in the metadata.
pub fn arrow_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<ArrowField> = schema
        .fields
        .iter()
        .map(|field| {
            ArrowField::new(&field.source_name, arrow_type(&field.logical), true).with_metadata(
                HashMap::from([
                    ("logical".to_owned(), field.logical.to_string()),
                    ("source_type".to_owned(), field.source_type.clone()),
                ]),
            )
        })
        .collect();
    Arc::new(ArrowSchema::new(fields))
}

/// Returns bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
    }
    text
}
