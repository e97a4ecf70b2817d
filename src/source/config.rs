//! What users write about sources: the sides of datasets, and connections.

mod address;
mod database;
mod open;
mod sql;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::Logical;
use crate::node::{FieldDoc, Fields, FromNode, Node, choices, params};

use super::{ColumnRules, CsvOptions, FileSelection, ReadRequest, Relation, Selection, TableSelection};

pub use address::AddressKind;
pub use database::{Connections, Hours, Limits, OdbcConnection, PostgresConnection, Rate, Secret};

choices! {
    /// What a file holds.
    pub enum Format {
        /// Text, one row a line, values separated by a delimiter.
        Csv = "csv",
        /// Apache Parquet.
        Parquet = "parquet",
    }
}

choices! {
    /// How the text of a file is encoded.
    pub enum Encoding {
        /// UTF-8, with or without its mark at the beginning.
        Utf8 = "utf-8",
        /// Windows code page 1252 (Western European).
        Windows1252 = "windows-1252",
    }
}

/// What stands between two values of a line: one ASCII character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub u8);

/// What values stand in where they hold a delimiter: one ASCII character, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote(pub Option<u8>);

/// Returns the one ASCII character a text is, a written `\t` being a tab.
fn one_character(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Some(*byte),
        b"\\t" => Some(b'\t'),
        _ => None,
    }
}

impl FromNode for Delimiter {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let delimiter = one_character(&String::from_node(node, out)?).map(Delimiter);
        if delimiter.is_none() {
            out.push(Diagnostic::error(
                &node.span,
                "one ASCII character is expected here, such as `;` or `\\t`",
            ));
        }
        delimiter
    }

    fn schema() -> Json {
        json!({"type": "string", "minLength": 1, "maxLength": 2})
    }
}

impl FromNode for Quote {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        if text.is_empty() {
            return Some(Quote(None));
        }
        let quote = one_character(&text).map(|byte| Quote(Some(byte)));
        if quote.is_none() {
            out.push(
                Diagnostic::error(&node.span, "one ASCII character is expected here, such as `'`")
                    .help("an empty text means that no value is quoted"),
            );
        }
        quote
    }

    fn schema() -> Json {
        json!({"type": "string", "maxLength": 1})
    }
}

params! {
    /// Where one side of a dataset comes from.
    pub struct SideConfig("a side") {
        /// The connection's name.
        connection: Option<Spanned<String>>,
        /// The file in the connection's folder; a pattern such as `tenagree-*.csv` reads all files that match as one table, in the order of their names.
        file: Option<Spanned<String>>,
        /// The table or view in the connection's database, such as `dbo.tenagree`. Give this or `query`.
        table: Option<Spanned<String>>,
        /// The tables of a whole schema, such as `dbo.*`, or a list of them: one dataset a table. Case does not count, and views
        /// do not match. Tables that other files name on the same connection are left to them. Only in a file without `dataset`.
        tables: Option<Spanned<Vec<Spanned<String>>>>,
        /// Tables that `tables` matches and that are not wanted, such as `dbo.tmp_*`.
        skip: Vec<Spanned<String>> = "[]",
        /// A query in the database's own SQL, whose rows are the table.
        query: Option<Spanned<String>>,
        /// One `select` over other datasets, run here on their snapshots: for tables that were split, merged or denormalised on
        /// the way. `tenancy` are the rows of that dataset's snapshot of the same side, as they were read; `source.tenancy` and
        /// `target.tenancy` say the side, and `expected.tenancy` is the cleansed source. Then there is no `connection`, and the
        /// query itself names, leaves out and casts columns. `counterfoil explain sql` says what it may be.
        sql: Option<Spanned<String>>,
        /// A condition in the database's own SQL: rows for which it is not true are never read. For a `table` only.
        r#where: Option<Spanned<String>>,
        /// `csv` or `parquet`. Default: by the file's ending.
        format: Option<Format>,
        /// What stands between two values: one character. Default: `,`, for files ending in .tsv a tab.
        delimiter: Option<Delimiter>,
        /// What values stand in where they hold a delimiter or a line break; empty for nothing. Default: `"`.
        quote: Option<Quote>,
        /// Whether the first line has the names; without one they are `column_1`, `column_2`, ... Default: true.
        header: Option<bool>,
        /// `utf-8` or `windows-1252`. Default: `utf-8`.
        encoding: Option<Encoding>,
        /// The texts that mean NULL, quoted or not. Default: what is empty and not quoted.
        null: Option<Vec<String>>,
        /// The types of columns, by our names: `text`, `varchar(n)`, `char(n)`, `bool`, `i64`, `u64`, `f64`,
        /// `decimal(p,s)`, `date`, `timestamp`, `timestamptz`, `time`, `bytes`, `uuid` or `json`. Columns that are not
        /// named: by their values.
        types: IndexMap<String, Spanned<Logical>> = "{}",
        /// Our names of columns, by theirs.
        columns: IndexMap<String, Spanned<String>> = "{}",
        /// Columns that are never read, by our names.
        omit: Vec<Spanned<String>> = "[]",
        /// An SQL condition over our columns: rows for which it is not true are out of scope.
        filter: Option<Spanned<String>>,
        /// The zone whose wall clock timestamps without a zone show, such as `Europe/London`.
        timezone: Option<Spanned<String>>,
        /// The same for single columns, by our names.
        timezones: IndexMap<String, Spanned<String>> = "{}",
    }
}

params! {
    /// A folder of files.
    pub struct FilesConnection("a connection of type `files`") {
        /// The folder, relative to the project file.
        path: String = ".",
        /// The zone whose wall clock timestamps without a zone show, such as `Europe/London`.
        timezone: Option<Spanned<String>>,
        /// What stands between two values: one character.
        delimiter: Option<Delimiter>,
        /// What values stand in where they hold a delimiter or a line break; empty for nothing.
        quote: Option<Quote>,
        /// Whether the first line has the names.
        header: Option<bool>,
        /// `utf-8` or `windows-1252`.
        encoding: Option<Encoding>,
        /// The texts that mean NULL, quoted or not.
        null: Option<Vec<String>>,
    }
}

impl Default for FilesConnection {
    /// Files beside the project file.
    fn default() -> Self {
        FilesConnection {
            path: ".".to_owned(),
            timezone: None,
            delimiter: None,
            quote: None,
            header: None,
            encoding: None,
            null: None,
        }
    }
}

/// A place that tables are read from.
#[derive(Debug, Clone)]
pub enum ConnectionConfig {
    /// A folder of files.
    Files(FilesConnection),
    /// A PostgreSQL database.
    Postgres(PostgresConnection),
    /// A database with an ODBC driver.
    Odbc(OdbcConnection),
}

impl Default for ConnectionConfig {
    /// Files beside the project file.
    fn default() -> Self {
        ConnectionConfig::Files(FilesConnection::default())
    }
}

impl FromNode for ConnectionConfig {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let mut fields = Fields::new(node, "a connection", out)?;
        let kind = fields.read::<Spanned<String>>("type", None, None, out)?;
        match kind.value.as_str() {
            "files" => {
                let connection = FilesConnection::read(&mut fields, out);
                fields.finish(out);
                connection.map(ConnectionConfig::Files)
            }
            "postgres" => {
                let connection = PostgresConnection::read(&mut fields, out);
                fields.finish(out);
                connection.map(ConnectionConfig::Postgres)
            }
            "odbc" => {
                let connection = OdbcConnection::read(&mut fields, out);
                fields.finish(out);
                connection.map(ConnectionConfig::Odbc)
            }
            other => {
                out.push(
                    Diagnostic::error(&kind.span, format!("there is no type of connection `{other}`"))
                        .suggest(other, ["files", "postgres", "odbc"]),
                );
                None
            }
        }
    }

    fn schema() -> Json {
        let form = |word: &str, doc: &str, fields: Vec<FieldDoc>| {
            let mut docs = vec![FieldDoc {
                name: "type",
                alias: None,
                doc: doc.to_owned(),
                required: true,
                default: None,
                schema: json!({"const": word}),
            }];
            docs.extend(fields);
            FieldDoc::object(&docs)
        };
        json!({"oneOf": [
            form("files", "The kind of place: `files`.", FilesConnection::docs()),
            form("postgres", "The kind of place: `postgres`.", PostgresConnection::docs()),
            form("odbc", "The kind of place: `odbc`.", OdbcConnection::docs()),
        ]})
    }
}

impl ConnectionConfig {
    /// Puts together what is to be read for a side; `place` is where the side stands in its file.
    ///
    /// Nothing is opened: what needs the columns that are there is tested by [`Connector::read`].
    pub fn request(&self, side: &SideConfig, place: &Span, out: &mut Diagnostics) -> Option<ReadRequest> {
        let zone = match self {
            ConnectionConfig::Files(files) => &files.timezone,
            ConnectionConfig::Postgres(postgres) => &postgres.timezone,
            ConnectionConfig::Odbc(odbc) => &odbc.timezone,
        };
        let zones = side.timezone.iter().chain(side.timezones.values()).chain(zone);
        // Every zone that is not known is told.
        let zones_are_known = zones.filter(|zone| !zone_is_known(zone, out)).count() == 0;
        let selection = match self {
            ConnectionConfig::Files(files) => files.selection(side, place, out).map(Selection::Files),
            ConnectionConfig::Postgres(_) | ConnectionConfig::Odbc(_) => {
                table_of(side, place, out).map(Selection::Table)
            }
        };
        let selection = selection.filter(|_| zones_are_known)?;
        Some(ReadRequest {
            connection: side.connection.as_ref().map(|c| c.value.clone()),
            selection,
            columns: ColumnRules {
                types: side.types.clone(),
                columns: side.columns.clone(),
                omit: side.omit.clone(),
                timezone: side.timezone.as_ref().or(zone.as_ref()).map(|zone| zone.value.clone()),
                timezones: side.timezones.clone(),
            },
        })
    }
}

impl FilesConnection {
    fn selection(&self, side: &SideConfig, place: &Span, out: &mut Diagnostics) -> Option<FileSelection> {
        let mut ok = true;
        let named = [("table", &side.table), ("query", &side.query), ("where", &side.r#where)];
        let named = named.into_iter().filter_map(|(name, value)| Some((name, &value.as_ref()?.span)));
        for (name, span) in named.chain(side.tables.as_ref().map(|tables| ("tables", &tables.span))) {
            out.push(
                Diagnostic::error(
                    span,
                    format!("`{name}` is for databases, and this side is read from files"),
                )
                .help("`filter` leaves rows out of any side; `connection` names the place that is read"),
            );
            ok = false;
        }
        let Some(file) = &side.file else {
            if ok {
                out.push(
                    Diagnostic::error(place, "a side that is read from files needs `file`")
                        .help("give a name such as `tenagree.csv`, or a pattern such as `tenagree-*.csv`"),
                );
            }
            return None;
        };
        let quote = side.quote.or(self.quote).unwrap_or(Quote(Some(b'"')));
        let delimiter =
            side.delimiter.or(self.delimiter).map_or_else(|| usual_delimiter(&file.value), |d| d.0);
        if quote.0 == Some(delimiter) {
            out.push(Diagnostic::error(place, "`delimiter` and `quote` are the same character"));
            ok = false;
        }
        ok.then(|| FileSelection {
            file: file.value.clone(),
            format: side.format,
            csv: CsvOptions {
                delimiter,
                quote: quote.0,
                header: side.header.or(self.header).unwrap_or(true),
                encoding: side.encoding.or(self.encoding).unwrap_or(Encoding::Utf8),
                null: side.null.clone().or_else(|| self.null.clone()),
            },
        })
    }
}

/// Returns what a side asks a database for.
fn table_of(side: &SideConfig, place: &Span, out: &mut Diagnostics) -> Option<TableSelection> {
    let mut ok = true;
    let mut only_files = |name: &str, span: &Span| {
        out.push(Diagnostic::error(
            span,
            format!("`{name}` is for files, and this side is read from a database"),
        ));
        ok = false;
    };
    if let Some(file) = &side.file {
        only_files("file", &file.span);
    }
    let options = [
        ("format", side.format.is_some()),
        ("delimiter", side.delimiter.is_some()),
        ("quote", side.quote.is_some()),
        ("header", side.header.is_some()),
        ("encoding", side.encoding.is_some()),
        ("null", side.null.is_some()),
    ];
    for (name, _) in options.into_iter().filter(|(_, given)| *given) {
        only_files(name, place);
    }
    if let Some((_, first)) = side.types.first() {
        out.push(
            Diagnostic::error(&first.span, "the types of a database come from its catalogue")
                .help("steps such as `parse_date` read texts as another type"),
        );
        ok = false;
    }
    if let Some(skipped) = side.skip.first() {
        out.push(Diagnostic::error(&skipped.span, "`skip` is for sides with `tables`"));
        ok = false;
    }
    if let Some(tables) = &side.tables {
        out.push(
            Diagnostic::error(&tables.span, "`tables` makes a dataset of each table: this file is for one")
                .help("take away `dataset`, `table` and `query`, and give both sides `tables`"),
        );
        return None;
    }
    let relation = match (&side.table, &side.query) {
        (Some(table), None) => Some(Relation::Table(table.value.clone())),
        (None, Some(query)) => {
            if let Some(condition) = &side.r#where {
                out.push(Diagnostic::error(
                    &condition.span,
                    "`where` is for a `table`: write it into the query",
                ));
                ok = false;
            }
            Some(Relation::Query(query.value.clone()))
        }
        (Some(_), Some(query)) => {
            out.push(Diagnostic::error(&query.span, "a side has `table` or `query`, not both"));
            None
        }
        (None, None) if side.file.is_some() => None,
        (None, None) => {
            out.push(
                Diagnostic::error(place, "a side that is read from a database needs `table` or `query`")
                    .help("as in `table: dbo.tenagree`"),
            );
            None
        }
    };
    let condition = side.r#where.as_ref().map(|condition| condition.value.clone());
    relation.filter(|_| ok).map(|relation| TableSelection { relation, condition, among: None })
}

fn usual_delimiter(file: &str) -> u8 {
    if file.to_ascii_lowercase().ends_with(".tsv") { b'\t' } else { b',' }
}

pub(super) fn zone_is_known(zone: &Spanned<String>, out: &mut Diagnostics) -> bool {
    let known = zone.value.parse::<chrono_tz::Tz>().is_ok();
    if !known {
        let names = chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name());
        let near = crate::diagnostic::nearest(&zone.value, names).unwrap_or("Europe/London");
        out.push(
            Diagnostic::error(&zone.span, format!("there is no time zone `{}`", zone.value))
                .help(format!("zones are named as in `{near}`")),
        );
    }
    known
}
