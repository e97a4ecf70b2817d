//! Any database of which nothing is known but what its driver says: the types that ODBC itself defines.
//!
//! Lengths are not measured: what has no declared length is fetched piece by piece, which is slow. Tables are read in
//! one part, without one moment for all rows unless a single statement has it.

use std::time::Duration;

use crate::model::Logical;
use crate::source::{Listed, SourceError};

use super::{Ask, Dialect, Facts, Fetch, Native, Reading, Size, decimal, none_of};

/// Names stand in what the standard says.
pub(super) static STANDARD: Generic = Generic { marks: Some(('"', '"')) };
static IN_BACKTICKS: Generic = Generic { marks: Some(('`', '`')) };
static IN_BRACKETS: Generic = Generic { marks: Some(('[', ']')) };
static PLAIN: Generic = Generic { marks: None };

#[derive(Debug)]
pub(super) struct Generic {
    /// What stands before and behind a name; nothing where names have no quotes.
    marks: Option<(char, char)>,
}

impl Dialect for Generic {
    fn word(&self) -> &'static str {
        "generic"
    }

    fn servers(&self) -> &'static [&'static str] {
        &[]
    }

    fn marked(&self, mark: Option<char>) -> Option<&'static dyn Dialect> {
        Some(match mark {
            Some('"') => &STANDARD,
            Some('`') => &IN_BACKTICKS,
            Some('[') => &IN_BRACKETS,
            _ => &PLAIN,
        })
    }

    fn quote(&self, name: &str) -> String {
        match self.marks {
            Some((before, behind)) => {
                format!("{before}{}{behind}", name.replace(behind, &format!("{behind}{behind}")))
            }
            None => name.to_owned(),
        }
    }

    fn begin(
        &self,
        ask: &mut dyn Ask,
        server: &str,
        _statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError> {
        // Never committed: a query with a side effect has none. A driver without transactions reads all the same.
        let isolation = if ask.without_autocommit().is_ok() { "the driver's own" } else { "none" };
        Ok(Facts {
            version: server.to_owned(),
            isolation: isolation.to_owned(),
            statement: false,
            session: false,
        })
    }

    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError> {
        ask.described(&none_of(table))
    }

    fn reading(&self, native: &Native) -> Result<Reading, String> {
        let is_plain = |name: &str| {
            name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_numeric())
        };
        if self.marks.is_none() && !is_plain(&native.name) {
            return Err("its name needs quotes, and the driver says that the database has none".to_owned());
        }
        Ok(described(native, &self.quote(&native.name)))
    }

    fn dividing_columns(&self, _table: &str) -> Option<String> {
        None
    }

    fn estimated_rows(&self, _table: &str) -> Option<String> {
        None
    }

    fn tables(&self) -> Option<String> {
        None
    }

    fn unique_keys(&self, _table: &Listed) -> Option<String> {
        None
    }

    fn foreign_keys(&self, _table: &Listed) -> Option<String> {
        None
    }

    fn clock(&self) -> Option<&'static str> {
        None
    }
}

/// Returns how a column of one of ODBC's own types is read, with no more trust in the driver than it needs.
pub(super) fn described(native: &Native, column: &str) -> Reading {
    let sized = |factor: u64| match native.length {
        Some(length) if length > 0 && length <= 8_000 => super::most(length.saturating_mul(factor)),
        _ => Size::Unknown,
    };
    let length = native.length.and_then(|length| u32::try_from(length).ok()).filter(|length| *length > 0);
    let other = Logical::Other(native.declared.clone());
    let new = |logical, fetch| Reading::new(logical, column, fetch);
    match native.base.as_str() {
        "tinyint" | "smallint" | "integer" | "bigint" => new(Logical::I64, Fetch::I64),
        "bigint unsigned" => new(Logical::U64, Fetch::Ascii(Size::Most(20))),
        "bit" => new(Logical::Bool, Fetch::I64),
        "real" | "float" | "double" => new(Logical::F64, Fetch::F64),
        "decimal" | "numeric" => match decimal(native.precision, native.scale) {
            Some((logical, size)) => new(logical, Fetch::Ascii(size)),
            None => new(other, Fetch::Ascii(Size::Unknown))
                .note("it has more digits than a decimal takes, or their number is not known: read as text"),
        },
        "char" | "wchar" => new(Logical::Text { length, padded: true }, Fetch::Wide(sized(2))),
        "varchar" | "wvarchar" if sized(2) != Size::Unknown => {
            new(Logical::Text { length, padded: false }, Fetch::Wide(sized(2)))
        }
        "varchar" | "wvarchar" | "longvarchar" | "wlongvarchar" => {
            new(Logical::TEXT, Fetch::Wide(Size::Unknown))
        }
        "binary" | "varbinary" => new(Logical::Bytes, Fetch::Bytes(sized(1))),
        "longvarbinary" => new(Logical::Bytes, Fetch::Bytes(Size::Unknown)),
        "date" => new(Logical::Date, Fetch::Date),
        "timestamp" => new(Logical::TIMESTAMP, Fetch::Moment),
        "time" => new(Logical::Time, Fetch::Ascii(Size::Most(32))),
        "guid" => new(Logical::Uuid, Fetch::Ascii(Size::Most(38))),
        _ => new(other, Fetch::Wide(Size::Unknown)).note("a type of the driver's own, read as text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_marks_of_the_driver() {
        let quoted = |mark, name| STANDARD.marked(mark).unwrap().quote(name);
        assert_eq!(quoted(Some('"'), "a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(quoted(Some('`'), "a`b"), "`a``b`");
        assert_eq!(quoted(Some('['), "a]b"), "[a]]b]");
        assert_eq!(quoted(None, "a_b"), "a_b");
        let column =
            |name: &str| Native { name: name.to_owned(), base: "date".to_owned(), ..Native::default() };
        assert!(PLAIN.reading(&column("a_b")).is_ok());
        // It would be read as the column `a`, called `b`.
        assert!(PLAIN.reading(&column("a b")).is_err());
    }
}
