//! Where tables come from: one connector a kind of connection.
//!
//! A [`Connector`] reads one table and hands its schema and batches to a [`Sink`], synchronously: the sink
//! holds the reader back. What is to be read stands in a [`ReadRequest`], which [`ConnectionConfig::request`]
//! puts together from what the user wrote.

mod among;
mod catalogue;
mod cells;
mod columns;
mod config;
mod csv;
mod dialect;
mod error;
mod examine;
mod files;
mod infer;
mod odbc;
mod origin;
mod original;
mod pace;
mod parquet;
mod postgres;
mod structure;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema, SchemaRef};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::diagnostic::Spanned;
use crate::frame::arrow_type;
use crate::model::{Field, Holds, Logical, Schema, Structure};

pub use among::among;
pub use catalogue::{Catalogue, Described, DescribedColumn, ForeignKey, Listed};
pub use config::{
    AddressKind, ConnectionConfig, Connections, Delimiter, Encoding, FilesConnection, Format, Hours, Limits,
    OdbcConnection, PostgresConnection, Quote, Rate, Secret, SideConfig,
};
pub use dialect::{Sample, samples};
pub use error::{CsvProblem, SinkError, SourceError};
pub use examine::{Examine, Outcome, RIGHTS, Step, Tried, Unreadable, Verdict};
pub use files::Files;
pub use odbc::{Driver, OdbcProblem, Refusal, Wrong, drivers};
pub use original::{OriginalTexts, original_texts};
pub(crate) use parquet::{load_parquet, to_logical};
pub use postgres::PostgresError;

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
        sink: &dyn Sink,
    ) -> Result<ReadReport, SourceError>;

    /// Returns what the database declares of the table of a request, beside its columns' types; nothing for files and
    /// queries, and where the name fits no table or several. It uses no more connections than a reading may.
    ///
    /// # Errors
    /// Where the catalogue cannot be read.
    fn structure(&self, _request: &ReadRequest, _cancel: &Cancel) -> Result<Option<Structure>, SourceError> {
        Ok(None)
    }

    /// Returns true unless a connection has to be opened, and none could be so far.
    fn was_opened(&self) -> bool {
        true
    }

    /// Returns true where a reading that was cut off can go on from the parts that are complete.
    fn resumes(&self) -> bool {
        false
    }
}

/// Takes in a table while it is being read: in parts, which may be written at the same time.
///
/// The rows of the table are those of its parts, in the order of the parts' numbers.
pub trait Sink: Sync {
    /// Returns what an earlier reading of the same request left; nothing where there was none.
    fn unfinished(&self) -> Option<Unfinished>;

    /// Hears of something on the way that the user should know, such as a connection that is tried again: a sentence
    /// without a full stop, without a secret.
    fn note(&self, _text: &str) {}

    /// Takes the schema and how the table is divided. It comes first; where it comes again, the table is begun
    /// anew. Parts that are there are dropped.
    ///
    /// # Errors
    /// Where the sink cannot go on.
    fn start(&self, schema: &Schema, plan: &ReadPlan) -> Result<(), SinkError>;

    /// Goes on where an earlier reading stopped, in the place of [`Sink::start`].
    ///
    /// # Errors
    /// Where there is nothing to go on from.
    fn resume(&self) -> Result<(), SinkError>;

    /// Begins the part of this number, from 0.
    ///
    /// # Errors
    /// Where the sink cannot go on.
    fn part(&self, number: usize) -> Result<Box<dyn Part + '_>, SinkError>;

    /// Takes a part as a whole Parquet file, whose columns are those of the schema under their names, in Arrow
    /// types that can be cast to the schema's without loss.
    ///
    /// # Errors
    /// Where the file could not be read to its end, or the sink cannot go on.
    fn parquet_file(&self, number: usize, file: &mut dyn Read) -> Result<(), SinkError>;
}

/// A part of a table while it is being read. Dropped before it is finished, it leaves nothing.
pub trait Part {
    /// Takes the next rows: a batch of the schema's [`arrow_schema`].
    ///
    /// # Errors
    /// Where the sink cannot go on.
    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError>;

    /// Ends the part: its rows are kept, whatever happens to the others.
    ///
    /// # Errors
    /// Where they could not be kept.
    fn finish(self: Box<Self>) -> Result<(), SinkError>;
}

/// How a table is divided into parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadPlan {
    /// What the connector needs to read any part again, in its own words.
    pub parts: Json,
    /// The number of rows, as far as it is known beforehand.
    pub rows: Option<u64>,
}

/// What a reading left that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The schema it had.
    pub schema: Schema,
    /// Its [`ReadPlan::parts`].
    pub parts: Json,
    /// The numbers of the parts that are complete.
    pub finished: BTreeSet<usize>,
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
    /// A table, view or query of a database.
    Table(TableSelection),
    /// A query over other datasets, in one line: its rows are made here, and no connection is asked for them.
    Sql(String),
}

/// What is read of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSelection {
    /// The table.
    pub relation: Relation,
    /// A condition in the database's own SQL: rows for which it is not true are not read.
    pub condition: Option<String>,
    /// The same of the rows' keys ([`among`]). It holds values: no message and no manifest shows it.
    pub among: Option<String>,
}

/// A table of a database, or what stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// A table or view by its name, as written: `schema.name`, in the database's own quotes where it needs them.
    Table(String),
    /// A query in the database's own SQL.
    Query(String),
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
    /// Returns what messages call the connection.
    pub fn connection_words(&self) -> String {
        self.connection.as_ref().map_or_else(|| "the files".to_owned(), |name| format!("connection `{name}`"))
    }

    /// Returns what is asked for, in one line.
    pub fn query(&self) -> String {
        match &self.selection {
            Selection::Files(files) => files.file.clone(),
            Selection::Sql(query) => query.clone(),
            Selection::Table(table) => match (&table.relation, &table.condition) {
                (Relation::Table(name), None) => name.clone(),
                (Relation::Table(name), Some(condition)) => format!("{name} where {condition}"),
                (Relation::Query(query), _) => query.split_whitespace().collect::<Vec<_>>().join(" "),
            },
        }
    }

    /// Returns the settings that say what is asked for, in backticks.
    pub fn asked_with(&self) -> &'static str {
        match &self.selection {
            Selection::Files(_) => "`file`",
            Selection::Sql(_) => "`sql`",
            Selection::Table(TableSelection { relation: Relation::Query(_), .. }) => "`query`",
            Selection::Table(_) => "`table` or `where`",
        }
    }

    /// Returns the options as JSON, for the manifest.
    pub fn options(&self) -> Json {
        let rules = &self.columns;
        let mut options = json!({
            "types": rules.types.iter().map(|(n, t)| (n.clone(), Json::from(t.value.to_string()))).collect::<serde_json::Map<_, _>>(),
            "columns": texts(&rules.columns),
            "omit": rules.omit.iter().map(|n| n.value.as_str()).collect::<Vec<_>>(),
            "timezone": rules.timezone,
            "timezones": texts(&rules.timezones),
        });
        if let (Selection::Files(files), Json::Object(options)) = (&self.selection, &mut options) {
            let character = |byte: u8| char::from(byte).to_string();
            options.insert("format".to_owned(), json!(files.format.map(Format::word)));
            options.insert("delimiter".to_owned(), json!(character(files.csv.delimiter)));
            options.insert("quote".to_owned(), json!(files.csv.quote.map(character)));
            options.insert("header".to_owned(), json!(files.csv.header));
            options.insert("encoding".to_owned(), json!(files.csv.encoding.word()));
            options.insert("null".to_owned(), json!(files.csv.null));
        }
        options
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
    /// What is known of the server; nothing for files.
    pub server: Option<Server>,
    /// What the rows were made of, where they are those of a query over other datasets.
    pub made: Option<Made>,
}

/// What the rows of a query over other datasets were made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The version of what queries mean.
    pub version: u32,
    /// The datasets that were read, each once, by name and state.
    pub reads: Vec<MadeOf>,
    /// The columns, in their order, each with the columns that it was made from: `dataset.column`.
    pub columns: Vec<(String, Vec<String>)>,
    /// Between which moments the rows that were read were as they are, in microseconds since 1970 in UTC.
    pub seen: Option<(i64, i64)>,
}

/// A dataset that was read for the rows of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MadeOf {
    /// The dataset.
    pub dataset: String,
    /// `source`, `target` or `expected`.
    pub state: String,
    /// The id of its snapshot; of `expected` that of the source.
    pub snapshot: String,
}

/// What a server says of itself, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The product and its version, e.g. `PostgreSQL 15.18`.
    pub version: String,
    /// The isolation level, in the server's words.
    pub isolation: String,
    /// When its data was as the snapshot shows it, by its own clock (RFC 3339 in UTC); nothing where it does not say, or
    /// where that was more than one moment.
    pub seen_at: Option<String>,
    /// Whether all rows are from one moment.
    pub stable: Stable,
}

/// Whether the rows of a snapshot are from one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stable {
    /// All rows of all tables of the connection.
    OnePoint,
    /// All rows of this table.
    PerTable,
    /// The rows of each part: what changed in between may be missing, or be there twice.
    PerPart,
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

/// Returns what a column's declared type holds.
///
/// `server` is the name and version of the server that declares it, `characters` what its catalogue says of the column's
/// character set. Files have no server, and hold anything.
pub fn holds(server: Option<&str>, field: &Field, characters: Option<&str>) -> Holds {
    dialect::holds(server, field, characters)
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
