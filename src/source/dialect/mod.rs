//! Dialects: what must be known of a database to read it exactly through its driver, one file each.
//!
//! A dialect says how a session begins, where the catalogue is, and for each native type which SELECT expression
//! brings its values whole, and as what they are fetched. Nothing else here or in [`super::odbc`] knows a database by
//! its name.

pub(super) mod catalogue;
mod failure;
mod generic;
mod holds;
mod mysql;
mod names;
mod oracle;
mod postgres;
mod reading;
mod sqlite;
mod sqlserver;

use std::fmt::{Debug, Write};
use std::time::Duration;

use crate::model::{Field, Holds, Logical};

use super::{Listed, ReadRequest, Relation, Selection, SourceError};

pub(super) use failure::{Failure, known};
pub(super) use names::named;
pub(super) use reading::{Fetch, Native, Reading, Size};
use reading::{decimal, most};

/// Every dialect, sorted by its word.
const DIALECTS: &[&dyn Dialect] = &[
    &generic::STANDARD,
    &mysql::MySql,
    &oracle::Oracle,
    &postgres::PostgreSql,
    &sqlite::Sqlite,
    &sqlserver::SqlServer,
];

/// Runs a statement in a session.
pub(super) trait Ask {
    /// Returns the rows of a query, as text.
    ///
    /// # Errors
    /// Where the server refuses it.
    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, SourceError>;

    /// Runs a statement that has no rows.
    ///
    /// # Errors
    /// Where the server refuses it.
    fn run(&mut self, sql: &str) -> Result<(), SourceError>;

    /// Turns the driver's own transactions on: from now on each statement is in one, until the session ends.
    ///
    /// # Errors
    /// Where the driver has none.
    fn without_autocommit(&mut self) -> Result<(), SourceError>;

    /// Returns the columns of a query as its driver describes them.
    ///
    /// # Errors
    /// Where the server refuses the query.
    fn described(&mut self, sql: &str) -> Result<Vec<Native>, SourceError>;

    /// Asks the driver itself, by the functions that ODBC has for it; the rows are as ODBC defines them.
    ///
    /// # Errors
    /// Where the driver refuses it.
    fn driver_catalogue(&mut self, asked: Asked<'_>) -> Result<Vec<Vec<Option<String>>>, SourceError>;
}

/// What a driver is asked for of its database's catalogue.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    /// The tables and views.
    Tables,
    /// The primary key of a table.
    PrimaryKey(&'a Listed),
    /// The foreign keys of a table.
    ForeignKeys(&'a Listed),
}

/// What a session turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// The product and its version.
    pub version: String,
    /// The isolation level, in the server's words.
    pub isolation: String,
    /// True where all rows of one statement are from one moment.
    pub statement: bool,
    /// True where all statements of the session are.
    pub session: bool,
}

/// Whether a session can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnlyReads {
    /// A query says so: its last cell is `1` or `ON` where it cannot.
    Asked(&'static str),
    /// Its transaction was begun as one that reads only, and the server holds it to that.
    Begun,
    /// The server has no such sessions; what it does is never committed.
    Never,
}

/// What a database is to its reader.
pub(super) trait Dialect: Debug + Sync {
    /// The word for it in project files.
    fn word(&self) -> &'static str;

    /// Beginnings of the names that drivers give to its server, in lower case.
    fn servers(&self) -> &'static [&'static str];

    /// What is added to a connection string that does not have it, for the driver of this library.
    fn driver_options(&self, _library: &str) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Pieces of the file names of its drivers' libraries, in lower case.
    fn drivers(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns true where its drivers keep the rows of a statement until they have all of them.
    fn keeps_rows(&self) -> bool {
        false
    }

    /// What fails often, with what to try; of several that fit the first counts.
    fn failures(&self) -> &'static [Failure] {
        &[]
    }

    /// Returns whether a session that has begun can write.
    fn only_reads(&self) -> OnlyReads {
        OnlyReads::Never
    }

    /// Returns what would give a session one moment for all its rows, where it has none; nothing where nothing would.
    fn stable_advice(&self) -> Option<&'static str> {
        None
    }

    /// Returns the dialect with names in these marks, where it knows none of its own. No mark: names have no quotes.
    fn marked(&self, _mark: Option<char>) -> Option<&'static dyn Dialect> {
        None
    }

    /// Puts a name into quotes.
    fn quote(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A query with a letter beyond ASCII and its only right answer, where drivers are about that take UTF-8 alone.
    fn letters(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// The database's own codes of a lost connection, where drivers give no SQLSTATE of one.
    fn lost_codes(&self) -> &'static [i32] {
        &[]
    }

    /// Begins a session that reads only, at one moment where the server can.
    ///
    /// # Errors
    /// Where the server refuses it.
    fn begin(
        &self,
        ask: &mut dyn Ask,
        server: &str,
        statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError>;

    /// Returns the columns of a table by its name as written; none where there is no such table.
    ///
    /// # Errors
    /// Where the catalogue cannot be read.
    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError>;

    /// Returns the columns of a query.
    ///
    /// # Errors
    /// Where the server refuses the query.
    fn query_columns(&self, ask: &mut dyn Ask, query: &str) -> Result<Vec<Native>, SourceError> {
        ask.described(&none_of(&self.derived(query)))
    }

    /// Returns how a column is read, or why it cannot be: a sentence without a full stop.
    ///
    /// # Errors
    /// Where no expression would bring its values whole.
    fn reading(&self, native: &Native) -> Result<Reading, String>;

    /// Returns a query that gives `1` where policies may hide rows of a table from who reads it, without an error;
    /// nothing where the server has none, or says so itself.
    fn hidden_rows(&self, _table: &str) -> Option<String> {
        None
    }

    /// Returns a query over the catalogue with two cells: `1` where all rows of one statement over a table are from one
    /// moment, and where those of all statements of a session are, as far as the session is such. No table: a query is
    /// read. Nothing where what a session is holds for every table.
    fn moments(&self, _table: Option<&str>) -> Option<String> {
        None
    }

    /// Returns a query for the columns that a table can well be divided by, the best first; nothing where there is none.
    fn dividing_columns(&self, table: &str) -> Option<String>;

    /// Returns a query for the estimated number of a table's rows; nothing where there is none.
    fn estimated_rows(&self, table: &str) -> Option<String>;

    /// Returns true for a name that means the same without quotes.
    fn is_plain(&self, name: &str) -> bool {
        catalogue::is_word(name)
    }

    /// Returns a query for the number of tables and views that the catalogue shows and the user may not read. Nothing where
    /// the catalogue hides them.
    fn unreadable(&self) -> Option<String> {
        None
    }

    /// Returns a query for the tables and views that the user may read, without the database's own: schema, name, `1`
    /// for a view, the estimated number of rows. Nothing where only the driver knows them.
    fn tables(&self) -> Option<String>;

    /// Returns a query for the unique keys of a table, in the order of their columns: name, `1` for the primary key, column.
    ///
    /// Others are left out where they have a condition, an expression, or a column that can be NULL. Nothing where only
    /// the driver knows the primary key.
    fn unique_keys(&self, table: &Listed) -> Option<String>;

    /// Returns a query for the foreign keys of a table, in the order of their columns: name, column, the parent's
    /// schema, table and column. Nothing where only the driver knows them.
    fn foreign_keys(&self, table: &Listed) -> Option<String>;

    /// Returns a query for what more is declared of a table's columns: name, default, character set or code page, the
    /// sequence that numbers its rows, and the number that the next row gets. Nothing where the catalogue cannot be asked.
    fn column_facts(&self, _table: &Listed) -> Option<String> {
        None
    }

    /// Returns a query for what the server calls itself and its database; nothing where only the driver knows them.
    fn whereabouts(&self) -> Option<&'static str> {
        None
    }

    /// Returns a query for the server's time in UTC, as RFC 3339 without a zone; nothing where there is none.
    fn clock(&self) -> Option<&'static str>;

    /// Returns a query for the server's time at this very moment, in the same form.
    fn now(&self) -> Option<&'static str> {
        self.clock()
    }

    /// Returns a text as a literal that compares with a column as its own values do.
    fn literal(&self, text: &str, _native: &Native) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// Returns a query for the greatest values of so many equal parts of a table, in their order.
    fn boundaries(&self, from: &str, key: &str, parts: usize) -> String {
        format!(
            "SELECT MAX(k) FROM (SELECT {key} AS k, NTILE({parts}) OVER (ORDER BY {key}) AS n FROM {from} \
             WHERE {key} IS NOT NULL) q GROUP BY n ORDER BY n"
        )
    }

    /// Returns what stands for a query among tables.
    fn derived(&self, query: &str) -> String {
        // The line break ends a remark at the query's end.
        format!("(\n{}\n) q", query.trim().trim_end_matches(';'))
    }

    /// Takes what [`Dialect::derived`] and a condition have put behind a user's query out of what the database says of it.
    fn without_wrapping(&self, text: &str) -> String {
        let wrapped = none_of(&self.derived("\u{0}"));
        // Servers show line breaks as they like.
        let behind = wrapped.split_once('\u{0}').map_or("", |(_, behind)| behind.trim_start());
        if behind.is_empty() { text.to_owned() } else { text.replace(behind, "") }
    }

    /// Returns a statement that makes a temporary table with a column `id` of whole numbers and a column `v` of this
    /// type, which only its own session sees, and the table's name.
    fn temporary(&self, number: usize, declared: &str) -> (String, String) {
        let name = format!("counterfoil_{number}");
        (format!("CREATE TEMPORARY TABLE {name} (id int, v {declared})"), name)
    }

    /// Returns the columns of a temporary table, whose `v` was declared so.
    ///
    /// # Errors
    /// Where the server refuses to tell them.
    fn temporary_columns(
        &self,
        ask: &mut dyn Ask,
        table: &str,
        _declared: &str,
    ) -> Result<Vec<Native>, SourceError> {
        self.table_columns(ask, table)
    }

    /// What a connection string needs so that its driver lets a session write.
    fn options_to_write(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Returns what a declared type holds. `characters` is what the catalogue says of its character set or code page.
    ///
    /// What is not known has no limit: better a value that is not reported than one that fits and is.
    fn holds(&self, _declared: &str, logical: &Logical, _characters: Option<&str>) -> Holds {
        Holds::of(logical)
    }

    /// Returns samples of every type, which a test or a user puts into a table and reads back.
    fn samples(&self) -> &'static [Sample] {
        &[]
    }
}

/// A native type with values, and what they are once read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The type as it is declared.
    pub native: &'static str,
    /// The logical type, as it is written in rule files.
    pub logical: &'static str,
    /// SQL literals, each with its canonical text.
    pub values: &'static [(&'static str, &'static str)],
}

/// Returns every dialect's word with its samples, sorted.
pub fn samples() -> Vec<(&'static str, &'static [Sample])> {
    DIALECTS.iter().map(|dialect| (dialect.word(), dialect.samples())).collect()
}

/// Returns the dialect of this word.
pub(super) fn by_word(word: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.word() == word)
}

/// Returns the dialect of a server, by the name that its driver gives it.
pub(super) fn by_server(name: &str) -> &'static dyn Dialect {
    let name = name.to_lowercase();
    let found = DIALECTS.iter().copied().find(|d| d.servers().iter().any(|server| name.starts_with(server)));
    found.unwrap_or(&generic::STANDARD)
}

/// Returns what a column's declared type holds, on a server of this name and version. Files hold anything.
pub(super) fn holds(server: Option<&str>, field: &Field, characters: Option<&str>) -> Holds {
    match server {
        Some(server) => by_server(server).holds(&field.source_type, &field.logical, characters),
        None => Holds::default(),
    }
}

/// Returns the dialect that a driver's library is for, by the library's name.
pub(super) fn by_driver(library: &str) -> Option<&'static dyn Dialect> {
    let file = library.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    DIALECTS.iter().copied().find(|dialect| dialect.drivers().iter().any(|piece| file.contains(piece)))
}

/// Returns the words of all dialects.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    DIALECTS.iter().map(|dialect| dialect.word())
}

/// Returns the table or query of a request, and what stands for it behind FROM.
pub(super) fn source_of<'r>(
    dialect: &dyn Dialect,
    request: &'r ReadRequest,
) -> Option<(&'r Relation, Option<&'r str>, String)> {
    let Selection::Table(table) = &request.selection else { return None };
    let from = match &table.relation {
        Relation::Table(name) => name.clone(),
        Relation::Query(query) => dialect.derived(query),
    };
    Some((&table.relation, table.condition.as_deref(), from))
}

/// Reads the columns of a catalogue's answer: name, base type, length, precision, scale, `1` where nullable, declared type.
fn natives(rows: Vec<Vec<Option<String>>>) -> Vec<Native> {
    let native = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        let mut next = || cells.next().flatten();
        let name = next()?;
        let base = next()?.trim().to_lowercase();
        let length = next().and_then(|text| text.trim().parse().ok());
        let precision = next().and_then(|text| text.trim().parse().ok());
        let scale = next().and_then(|text| text.trim().parse().ok());
        let nullable = next().is_none_or(|text| text.trim() != "0");
        let declared = next().unwrap_or_else(|| base.clone());
        Some(Native { name, base, length, precision, scale, nullable, declared })
    };
    rows.into_iter().filter_map(native).collect()
}

/// Returns a query that has columns and no rows.
fn none_of(from: &str) -> String {
    format!("SELECT * FROM {from} WHERE 1 = 0")
}

/// Returns the only value of a query, where it has one.
fn one(ask: &mut dyn Ask, sql: &str) -> Result<Option<String>, SourceError> {
    Ok(ask.rows(sql)?.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}

/// Returns a text as an SQL literal of the standard.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns bytes as hexadecimal digits in upper case.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // A string takes anything.
        let _ = write!(out, "{byte:02X}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_are_sorted_and_found() {
        let all: Vec<&str> = words().collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        assert_eq!(all, sorted);
        for word in all {
            assert_eq!(by_word(word).unwrap().word(), word);
        }
        assert!(by_word("nothing").is_none());
        assert_eq!(by_server("Something Else").word(), "generic");
        for (library, word) in [
            ("/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so", "sqlserver"),
            ("/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.3.so.2.1", "sqlserver"),
            ("libmaodbc.so", "mysql"),
            ("psqlodbcw.so", "postgres"),
            ("libsqlite3odbc.so", "sqlite"),
            ("libsqora.so.21.1", "oracle"),
        ] {
            assert_eq!(by_driver(library).map(super::Dialect::word), Some(word), "{library}");
        }
        assert!(by_driver("/usr/lib/mysql/libother.so").is_none());
    }

    #[test]
    fn samples_name_types_that_are() {
        for (word, samples) in samples() {
            for sample in samples {
                let known = sample.logical.parse::<Logical>();
                let other = sample.logical.starts_with("other:");
                assert!(known.is_ok() || other, "{word}: {}", sample.logical);
                assert!(!sample.values.is_empty(), "{word}: {}", sample.native);
            }
        }
    }
}
