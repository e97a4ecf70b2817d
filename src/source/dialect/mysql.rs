//! MySQL, from version 8, and MariaDB, from version 10.3.
//!
//! A session is a transaction that reads only, at one moment, for tables whose engine has transactions. `timestamp`
//! is an instant: the session's zone is UTC. Values that only this database has (dates of noughts, times that are
//! negative or longer than a day) make a column text.

mod failures;
mod holds;

use std::time::Duration;

use crate::model::{Holds, Logical};
use crate::source::{Listed, SourceError};

use super::names::{declared, parts};
use super::{
    Ask, Dialect, Facts, Failure, Fetch, Native, OnlyReads, Reading, Sample, Size, decimal, generic,
    hexadecimal, natives, none_of, one, quoted,
};

#[derive(Debug)]
pub(super) struct MySql;

/// Returns the conditions that pick a table in the catalogue.
fn of_table(table: &str) -> String {
    let mut parts = parts(table, str::to_owned);
    let name = parts.pop().unwrap_or_default();
    let schema = parts.pop().map_or_else(|| "DATABASE()".to_owned(), |schema| quoted(&schema));
    format!("table_schema = {schema} AND table_name = {}", quoted(&name))
}

/// Returns the conditions that pick a table of the catalogue in it again.
fn place(table: &Listed) -> String {
    let text = |text: &str| MySql.literal(text, &Native::default());
    format!("table_schema = {} AND table_name = {}", text(&table.schema), text(&table.name))
}

impl Dialect for MySql {
    fn word(&self) -> &'static str {
        "mysql"
    }

    fn servers(&self) -> &'static [&'static str] {
        &["mysql", "mariadb"]
    }

    fn driver_options(&self, _library: &str) -> &'static [(&'static str, &'static str)] {
        // No cache and a cursor that only goes forward: else a driver holds the whole result.
        &[("OPTION", "3145728")]
    }

    fn keeps_rows(&self) -> bool {
        // MariaDB's driver does, whatever it is told.
        true
    }

    fn drivers(&self) -> &'static [&'static str] {
        &["maodbc", "myodbc"]
    }

    fn failures(&self) -> &'static [Failure] {
        failures::FAILURES
    }

    fn only_reads(&self) -> OnlyReads {
        // The one name is of MariaDB and of old MySQL, the other of MySQL.
        OnlyReads::Asked(
            "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_read_only', 'transaction_read_only')",
        )
    }

    fn quote(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }

    fn letters(&self) -> Option<(&'static str, &'static str)> {
        // MariaDB's driver takes these for halves of pairs in UTF-16, and gives the text as so much shorter.
        Some(("SELECT _utf8mb4 X'C39AC39BE4BB9820656E64'", "ÚÛ付 end"))
    }

    fn lost_codes(&self) -> &'static [i32] {
        &[1053, 1152, 1153, 1158, 1159, 1160, 1161, 1205, 1213, 2002, 2003, 2006, 2013, 2055]
    }

    fn begin(
        &self,
        ask: &mut dyn Ask,
        _server: &str,
        statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError> {
        let version = one(ask, "SELECT CONCAT(VERSION(), ' ', @@version_comment)")?.unwrap_or_default();
        let maria = version.to_lowercase().contains("mariadb");
        ask.run("SET time_zone = '+00:00'")?;
        // The longest that the server waits for a reader that is slow.
        ask.run("SET net_write_timeout = 3600")?;
        if let Some(timeout) = statement_timeout {
            ask.run(&if maria {
                format!("SET max_statement_time = {}", timeout.as_secs())
            } else {
                format!("SET max_execution_time = {}", timeout.as_millis())
            })?;
        }
        ask.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
        ask.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")?;
        let product = if maria { "MariaDB" } else { "MySQL" };
        Ok(Facts {
            version: format!("{product} {}", version.trim()),
            isolation: "REPEATABLE READ".to_owned(),
            statement: true,
            session: true,
        })
    }

    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError> {
        let rows = ask.rows(&format!(
            "SELECT column_name, CONCAT(data_type, IF(column_type LIKE '%unsigned%', ' unsigned', '')), \
             CAST(character_maximum_length AS CHAR), CAST(numeric_precision AS CHAR), \
             CAST(COALESCE(numeric_scale, datetime_precision) AS CHAR), IF(is_nullable = 'YES', '1', '0'), \
             CAST(column_type AS CHAR) FROM information_schema.columns WHERE {} ORDER BY ordinal_position",
            of_table(table)
        ))?;
        Ok(natives(rows))
    }

    fn query_columns(&self, ask: &mut dyn Ask, query: &str) -> Result<Vec<Native>, SourceError> {
        let mut natives = ask.described(&none_of(&self.derived(query)))?;
        for native in &mut natives {
            // Two types are one to ODBC: an instant, and what a clock shows.
            let declared = native.declared.to_lowercase();
            if matches!(declared.as_str(), "datetime" | "timestamp" | "year" | "json" | "uuid") {
                native.base = declared;
            }
        }
        Ok(natives)
    }

    fn reading(&self, native: &Native) -> Result<Reading, String> {
        let column = self.quote(&native.name);
        let length = native.length.and_then(|length| u32::try_from(length).ok());
        let text = format!("CAST({column} AS CHAR)");
        let new = |logical, expression: &str, fetch| Reading::new(logical, expression, fetch);
        let ascii = |size| Fetch::Ascii(Size::Most(size));
        // A character outside the basic plane takes two units.
        let characters = format!("2 * CHAR_LENGTH({column})");
        let as_text = |logical, size, why: &str| {
            new(logical, &text, ascii(size)).note(format!("it has {why}, and is read as text"))
        };
        let noughts = "dates of noughts, such as 0000-00-00";
        let has_noughts = format!("(YEAR({column}) = 0 OR MONTH({column}) = 0 OR DAYOFMONTH({column}) = 0)");
        Ok(match native.base.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "tinyint unsigned"
            | "smallint unsigned" | "mediumint unsigned" | "int unsigned" => {
                new(Logical::I64, &column, Fetch::I64)
            }
            // As signed numbers they would wrap.
            "bigint unsigned" => new(Logical::U64, &text, ascii(20)),
            "year" => new(Logical::I64, &format!("{column} + 0"), Fetch::I64),
            "bit" => match native.precision {
                Some(1) => new(Logical::Bool, &format!("{column} + 0"), Fetch::I64),
                Some(2..=63) => new(Logical::I64, &format!("{column} + 0"), Fetch::I64),
                _ => new(Logical::U64, &format!("CAST({column} + 0 AS CHAR)"), ascii(20)),
            },
            "decimal" | "numeric" | "decimal unsigned" | "numeric unsigned" => {
                match decimal(native.precision, native.scale) {
                    Some((logical, size)) => new(logical, &column, Fetch::Ascii(size)),
                    None => new(Logical::Other(native.declared.clone()), &text, ascii(70))
                        .note("it has more than 38 digits, and is read as text"),
                }
            }
            // As text the server rounds them to six digits.
            "float" | "float unsigned" => new(Logical::F64, &format!("{column} * 1e0"), Fetch::F64),
            "double" | "double unsigned" | "real" => new(Logical::F64, &column, Fetch::F64),
            "char" => {
                Reading::text(Logical::Text { length, padded: true }, column, native.length, characters)
            }
            "varchar" | "enum" | "set" => {
                Reading::text(Logical::Text { length, padded: false }, column, native.length, characters)
            }
            // The last four are what a driver says of a query's columns.
            "tinytext" | "text" | "mediumtext" | "longtext" | "longvarchar" | "wvarchar" | "wlongvarchar"
            | "wchar" => Reading::text(Logical::TEXT, column, None, characters),
            "json" => Reading::text(Logical::Json, text.clone(), None, format!("2 * CHAR_LENGTH({text})")),
            "binary" | "varbinary" => {
                Reading::bytes(column.clone(), native.length, format!("LENGTH({column})"))
            }
            "tinyblob" | "blob" | "mediumblob" | "longblob" | "longvarbinary" => {
                Reading::bytes(column.clone(), None, format!("LENGTH({column})"))
            }
            "date" => new(Logical::Date, &column, Fetch::Date)
                .unless(has_noughts, as_text(Logical::Other("date".to_owned()), 10, noughts)),
            "datetime" => new(Logical::TIMESTAMP, &column, Fetch::Moment)
                .unless(has_noughts, as_text(Logical::Other(native.declared.clone()), 26, noughts)),
            "timestamp" => new(Logical::TIMESTAMP_UTC, &column, Fetch::Moment)
                .unless(has_noughts, as_text(Logical::Other(native.declared.clone()), 26, noughts)),
            "time" => new(Logical::Time, &text, ascii(17)).unless(
                format!("({column} < '00:00:00' OR {column} >= '24:00:00')"),
                as_text(
                    Logical::Other(native.declared.clone()),
                    17,
                    "times that are negative or longer than a day",
                ),
            ),
            "uuid" => new(Logical::Uuid, &text, ascii(36)),
            "inet4" | "inet6" => Reading::other(native, text, characters),
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" => {
                let text = format!("CONCAT('SRID=', ST_SRID({column}), ';', ST_AsText({column}))");
                let measure = format!("CHAR_LENGTH({text})");
                Reading::other(native, text, measure)
            }
            _ => generic::described(native, &column),
        })
    }

    fn moments(&self, table: Option<&str>) -> Option<String> {
        // Tables of engines without transactions are locked for a statement, and change between two. What a view or
        // query reads may be any.
        let (scope, picked) = match table {
            Some(table) => {
                let table = of_table(table);
                let (schema, name) = table.split_once(" AND ").unwrap_or((&table, "1 = 1"));
                let view = format!(
                    "EXISTS (SELECT 1 FROM information_schema.views v WHERE v.{schema} AND v.{name})"
                );
                (schema.to_owned(), format!("(t.{name} OR {view})"))
            }
            None => ("table_schema = DATABASE()".to_owned(), "1 = 1".to_owned()),
        };
        Some(format!(
            "SELECT '1', CASE WHEN COUNT(*) = 0 THEN '1' ELSE '0' END FROM information_schema.tables t \
             LEFT JOIN information_schema.engines e ON e.engine = t.engine \
             WHERE t.{scope} AND {picked} AND t.table_type <> 'VIEW' AND COALESCE(e.transactions, 'NO') <> 'YES'"
        ))
    }

    fn dividing_columns(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT column_name FROM information_schema.statistics WHERE {} AND seq_in_index = 1 \
             AND index_type = 'BTREE' AND sub_part IS NULL \
             ORDER BY index_name = 'PRIMARY' DESC, non_unique, index_name",
            of_table(table)
        ))
    }

    fn estimated_rows(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT CAST(table_rows AS CHAR) FROM information_schema.tables WHERE {}",
            of_table(table)
        ))
    }

    fn tables(&self) -> Option<String> {
        Some(
            "SELECT table_schema, table_name, IF(table_type = 'VIEW', '1', '0'), CAST(table_rows AS CHAR) \
             FROM information_schema.tables WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') \
             AND table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') \
             AND table_schema = COALESCE(DATABASE(), table_schema)"
                .to_owned(),
        )
    }

    fn unique_keys(&self, table: &Listed) -> Option<String> {
        let place = place(table);
        Some(format!(
            "SELECT index_name, IF(index_name = 'PRIMARY', '1', '0'), column_name \
             FROM information_schema.statistics WHERE {place} AND non_unique = 0 AND index_name NOT IN \
             (SELECT index_name FROM information_schema.statistics WHERE {place} \
             AND (nullable = 'YES' OR sub_part IS NOT NULL OR column_name IS NULL)) \
             ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index"
        ))
    }

    fn foreign_keys(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT constraint_name, column_name, referenced_table_schema, referenced_table_name, \
             referenced_column_name FROM information_schema.key_column_usage WHERE {} \
             AND referenced_table_name IS NOT NULL ORDER BY constraint_name, ordinal_position",
            place(table)
        ))
    }

    fn column_facts(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT column_name, CASE WHEN extra LIKE '%auto_increment%' THEN 'auto_increment()' \
             ELSE column_default END, character_set_name, NULL, NULL FROM information_schema.columns \
             WHERE {} ORDER BY ordinal_position",
            place(table)
        ))
    }

    fn whereabouts(&self) -> Option<&'static str> {
        Some("SELECT @@hostname, DATABASE()")
    }

    fn clock(&self) -> Option<&'static str> {
        Some("SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f')")
    }

    fn literal(&self, text: &str, _native: &Native) -> String {
        // What a backslash means depends on a setting.
        format!("_utf8mb4 X'{}'", hexadecimal(text.as_bytes()))
    }

    fn temporary(&self, number: usize, declared: &str) -> (String, String) {
        // Whatever letters the database takes: a type with a character set of its own has that.
        let name = format!("counterfoil_{number}");
        let make = format!("CREATE TEMPORARY TABLE {name} (id int, v {declared}) CHARACTER SET utf8mb4");
        (make, name)
    }

    fn temporary_columns(
        &self,
        ask: &mut dyn Ask,
        table: &str,
        _declared: &str,
    ) -> Result<Vec<Native>, SourceError> {
        // The catalogue does not show temporary tables.
        let rows = ask.rows(&format!("SHOW COLUMNS FROM {}", self.quote(table)))?;
        let native = |row: Vec<Option<String>>| {
            let mut cells = row.into_iter().flatten();
            let (name, kind) = (cells.next()?, cells.next()?);
            let mut native = declared(&name, &kind);
            let unsigned = if kind.contains("unsigned") { " unsigned" } else { "" };
            let word = native.base.split_whitespace().next().unwrap_or_default().to_owned();
            native.base = format!("{word}{unsigned}");
            let longest = |join: fn(&[&str]) -> usize| {
                let list = kind.split_once('(').map_or("", |(_, list)| list.trim_end_matches(')'));
                let words: Vec<&str> = list.split(',').map(|word| word.trim_matches('\'')).collect();
                u64::try_from(join(&words)).ok()
            };
            match word.as_str() {
                "enum" => {
                    native.length =
                        longest(|words| words.iter().map(|w| w.chars().count()).max().unwrap_or(0));
                }
                "set" => native.length = longest(|words| words.join(",").chars().count()),
                _ => {}
            }
            Some(native)
        };
        Ok(rows.into_iter().filter_map(native).collect())
    }

    fn holds(&self, declared: &str, logical: &Logical, characters: Option<&str>) -> Holds {
        holds::holds(declared, logical, characters)
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const SAMPLES: &[Sample] = &[
    Sample { native: "tinyint", logical: "i64", values: &[("-128", "-128"), ("127", "127")] },
    Sample { native: "tinyint unsigned", logical: "i64", values: &[("255", "255")] },
    Sample { native: "smallint unsigned", logical: "i64", values: &[("65535", "65535")] },
    Sample { native: "mediumint", logical: "i64", values: &[("-8388608", "-8388608")] },
    Sample { native: "int unsigned", logical: "i64", values: &[("4294967295", "4294967295")] },
    Sample { native: "int(8) zerofill", logical: "i64", values: &[("42", "42")] },
    Sample {
        native: "bigint",
        logical: "i64",
        values: &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
        ],
    },
    Sample {
        native: "bigint unsigned",
        logical: "u64",
        values: &[("18446744073709551615", "18446744073709551615"), ("0", "0")],
    },
    Sample { native: "bit(1)", logical: "bool", values: &[("b'0'", "false"), ("b'1'", "true")] },
    Sample { native: "bit(8)", logical: "i64", values: &[("b'10000001'", "129")] },
    Sample { native: "bit(64)", logical: "u64", values: &[("18446744073709551615", "18446744073709551615")] },
    Sample { native: "year", logical: "i64", values: &[("1901", "1901"), ("2155", "2155")] },
    Sample {
        native: "decimal(9,2)",
        logical: "decimal(9,2)",
        values: &[("0", "0.00"), ("-0.5", "-0.50"), ("1234567.89", "1234567.89")],
    },
    Sample {
        native: "decimal(38,10)",
        logical: "decimal(38,10)",
        values: &[("-9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999")],
    },
    Sample {
        native: "decimal(50,2)",
        logical: "other:decimal(50,2)",
        values: &[(
            "123456789012345678901234567890123456789012345678.25",
            "123456789012345678901234567890123456789012345678.25",
        )],
    },
    Sample {
        native: "float",
        logical: "f64",
        values: &[("0.5", "0.5"), ("0.1", "0.10000000149011612"), ("-16777215", "-16777215")],
    },
    Sample { native: "double", logical: "f64", values: &[("66384.333", "66384.333"), ("-0.1", "-0.1")] },
    Sample { native: "char(6)", logical: "char(6)", values: &[("'ab'", "ab"), ("''", "")] },
    Sample {
        native: "varchar(20)",
        logical: "varchar(20)",
        values: &[
            ("'café £5'", "café £5"),
            ("'Łódź 東京 😀'", "Łódź 東京 😀"),
            ("'Último Øl 付'", "Último Øl 付"),
            ("'a  '", "a  "),
            ("''", ""),
        ],
    },
    Sample { native: "varchar(2000)", logical: "varchar(2000)", values: &[("'don''t'", "don't")] },
    Sample {
        native: "varchar(20) character set latin1",
        logical: "varchar(20)",
        values: &[("'café £5 €'", "café £5 €")],
    },
    Sample { native: "tinytext", logical: "text", values: &[("'x'", "x")] },
    Sample { native: "longtext", logical: "text", values: &[("'東京'", "東京")] },
    Sample { native: "enum('a','b')", logical: "varchar(1)", values: &[("'b'", "b")] },
    Sample { native: "set('a','b')", logical: "varchar(3)", values: &[("'a,b'", "a,b")] },
    Sample { native: "binary(4)", logical: "bytes", values: &[("X'00FF'", "00ff0000")] },
    Sample { native: "varbinary(8)", logical: "bytes", values: &[("X'00FF'", "00ff"), ("X''", "")] },
    Sample { native: "blob", logical: "bytes", values: &[("X'DEADBEEF'", "deadbeef")] },
    Sample { native: "longblob", logical: "bytes", values: &[("X'DEADBEEF'", "deadbeef")] },
    Sample {
        native: "date",
        logical: "date",
        values: &[("'1000-01-01'", "1000-01-01"), ("'9999-12-31'", "9999-12-31")],
    },
    Sample {
        native: "datetime",
        logical: "timestamp",
        values: &[("'1900-01-01 00:00:00'", "1900-01-01 00:00:00")],
    },
    Sample {
        native: "datetime(6)",
        logical: "timestamp",
        values: &[
            ("'2026-03-29 01:30:00.000001'", "2026-03-29 01:30:00.000001"),
            ("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999"),
        ],
    },
    Sample {
        native: "timestamp(6) null",
        logical: "timestamptz",
        values: &[(
            "CONVERT_TZ('2026-07-01 11:00:00.5', '+00:00', @@session.time_zone)",
            "2026-07-01 11:00:00.5Z",
        )],
    },
    Sample {
        native: "time(6)",
        logical: "time",
        values: &[("'00:00:00'", "00:00:00"), ("'23:59:59.999999'", "23:59:59.999999")],
    },
    Sample {
        native: "time(3)",
        logical: "other:time(3)",
        values: &[("'-12:34:56.789'", "-12:34:56.789"), ("'838:59:59'", "838:59:59.000")],
    },
];
