//! What users write about sources: the sides of datasets, and connections.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::Logical;
use crate::node::{FieldDoc, Fields, FromNode, Node, choices, params};

use super::files::Files;
use super::{ColumnRules, Connector, CsvOptions, FileSelection, ReadRequest, Selection};

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
            other => {
                out.push(
                    Diagnostic::error(&kind.span, format!("there is no type of connection `{other}`"))
                        .suggest(other, ["files"]),
                );
                None
            }
        }
    }

    fn schema() -> Json {
        let mut docs = vec![FieldDoc {
            name: "type",
            alias: None,
            doc: "The kind of place: `files`.".to_owned(),
            required: true,
            default: None,
            schema: json!({"const": "files"}),
        }];
        docs.extend(FilesConnection::docs());
        json!({"oneOf": [FieldDoc::object(&docs)]})
    }
}

impl ConnectionConfig {
    /// Makes what reads from the connection; `project` is the project file's folder.
    pub fn connector(&self, project: &Path) -> Box<dyn Connector> {
        match self {
            ConnectionConfig::Files(files) => Box::new(Files::new(project.join(&files.path))),
        }
    }

    /// Puts together what is to be read for a side; `place` is where the side stands in its file.
    ///
    /// Nothing is opened: what needs the columns that are there is tested by [`Connector::read`].
    pub fn request(&self, side: &SideConfig, place: &Span, out: &mut Diagnostics) -> Option<ReadRequest> {
        let ConnectionConfig::Files(files) = self;
        let Some(file) = &side.file else {
            out.push(
                Diagnostic::error(place, "a side that is read from files needs `file`")
                    .help("give a name such as `tenagree.csv`, or a pattern such as `tenagree-*.csv`"),
            );
            return None;
        };
        let mut ok = true;
        let zones = side.timezone.iter().chain(side.timezones.values()).chain(&files.timezone);
        for zone in zones {
            ok &= zone_is_known(zone, out);
        }
        let quote = side.quote.or(files.quote).unwrap_or(Quote(Some(b'"')));
        let delimiter =
            side.delimiter.or(files.delimiter).map_or_else(|| usual_delimiter(&file.value), |d| d.0);
        if quote.0 == Some(delimiter) {
            out.push(Diagnostic::error(place, "`delimiter` and `quote` are the same character"));
            ok = false;
        }
        ok.then(|| ReadRequest {
            connection: side.connection.as_ref().map(|c| c.value.clone()),
            selection: Selection::Files(FileSelection {
                file: file.value.clone(),
                format: side.format,
                csv: CsvOptions {
                    delimiter,
                    quote: quote.0,
                    header: side.header.or(files.header).unwrap_or(true),
                    encoding: side.encoding.or(files.encoding).unwrap_or(Encoding::Utf8),
                    null: side.null.clone().or_else(|| files.null.clone()),
                },
            }),
            columns: ColumnRules {
                types: side.types.clone(),
                columns: side.columns.clone(),
                omit: side.omit.clone(),
                timezone: side.timezone.as_ref().or(files.timezone.as_ref()).map(|zone| zone.value.clone()),
                timezones: side.timezones.clone(),
            },
        })
    }
}

fn usual_delimiter(file: &str) -> u8 {
    if file.to_ascii_lowercase().ends_with(".tsv") { b'\t' } else { b',' }
}

fn zone_is_known(zone: &Spanned<String>, out: &mut Diagnostics) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::{node, side};

    #[test]
    fn sides_and_connections_are_read() {
        let mut out = Diagnostics::default();
        let connection = ConnectionConfig::from_node(
            &node(
                "{ type: files, path: data, timezone: Europe/London, delimiter: ';', null: ['', NULL, 'null'] }",
            ),
            &mut out,
        );
        let side =
            side("{ file: a.csv, quote: \"'\", types: { n: 'decimal(9,2)' }, columns: { N: n }, omit: [x] }");
        let request = connection.unwrap().request(&side, &node("a: 1").span, &mut out).unwrap();
        assert!(out.is_empty(), "{}", out.render(false));
        let Selection::Files(files) = &request.selection;
        assert_eq!((files.csv.delimiter, files.csv.quote), (b';', Some(b'\'')));
        assert_eq!(files.csv.null, Some(vec![String::new(), "NULL".to_owned(), "null".to_owned()]));
        assert_eq!(request.columns.timezone.as_deref(), Some("Europe/London"));
        assert_eq!(request.columns.columns["N"].value, "n");
    }

    #[test]
    fn mistakes_are_diagnostics() {
        for (text, says) in [
            ("{ type: file, path: data }", "did you mean `files`?"),
            ("{ type: files, pth: data }", "did you mean `path`?"),
            ("{ path: data }", "needs `type`"),
            ("{ type: files, delimiter: '::' }", "one ASCII character"),
            ("{ type: files, quote: '£' }", "one ASCII character"),
            ("{ type: files, encoding: latin1 }", "not a choice"),
        ] {
            let mut out = Diagnostics::default();
            let connection = ConnectionConfig::from_node(&node(text), &mut out);
            let shown = out.render(false);
            assert!(connection.is_none() || out.has_errors());
            assert!(shown.contains(says), "{shown}");
        }
        for (text, says) in [
            ("{ format: csv }", "needs `file`"),
            ("{ file: a.csv, timezone: Europe/Londn }", "Europe/London"),
            ("{ file: a.csv, delimiter: '\"' }", "the same character"),
        ] {
            let mut out = Diagnostics::default();
            let place = node("a: 1").span;
            assert!(ConnectionConfig::default().request(&side(text), &place, &mut out).is_none());
            assert!(out.render(false).contains(says), "{}", out.render(false));
        }
    }

    #[test]
    fn schemas_name_every_field() {
        let schema = ConnectionConfig::schema();
        assert_eq!(schema["oneOf"][0]["properties"]["type"]["const"], "files");
        assert_eq!(schema["oneOf"][0]["required"], json!(["type"]));
        assert!(SideConfig::schema()["properties"]["omit"]["description"].is_string());
    }
}
