//! SQLite, from version 3.31.
//!
//! A column's type is a recommendation there: any value may have any kind. The declared type decides, and a column with
//! values of another kind is read as text, and says so. Reals travel with seventeen digits, since the driver rounds.

use std::time::Duration;

use crate::model::{Holds, Logical};
use crate::source::{Listed, SourceError};

use super::failure::{LOCKED, NO_TABLE, lasting, passing};
use super::names::parts;
use super::{
    Ask, Dialect, Facts, Failure, Fetch, Native, OnlyReads, Reading, Sample, Size, decimal, natives, one,
    quoted,
};

#[derive(Debug)]
pub(super) struct Sqlite;

/// Divides a declared type: its name, and the numbers in its brackets.
fn declared(native: &Native) -> (String, Vec<u64>) {
    let (name, rest) = native.declared.split_once('(').unwrap_or((&native.declared, ""));
    let numbers =
        rest.trim_end_matches([')', ' ']).split(',').filter_map(|n| n.trim().parse().ok()).collect();
    (name.trim().to_lowercase(), numbers)
}

impl Dialect for Sqlite {
    fn word(&self) -> &'static str {
        "sqlite"
    }

    fn servers(&self) -> &'static [&'static str] {
        &["sqlite"]
    }

    fn driver_options(&self, _library: &str) -> &'static [(&'static str, &'static str)] {
        // Rows come as they are read, and nothing is made where there is no file.
        &[("StepAPI", "1"), ("NoCreat", "1"), ("Timeout", "10000")]
    }

    fn letters(&self) -> Option<(&'static str, &'static str)> {
        Some(("SELECT unicode('é')", "233"))
    }

    fn drivers(&self) -> &'static [&'static str] {
        &["sqliteodbc", "sqlite3odbc"]
    }

    fn failures(&self) -> &'static [Failure] {
        FAILURES
    }

    fn only_reads(&self) -> OnlyReads {
        OnlyReads::Asked("SELECT CAST(query_only AS TEXT) FROM pragma_query_only")
    }

    fn begin(
        &self,
        ask: &mut dyn Ask,
        _server: &str,
        _statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError> {
        ask.run("PRAGMA query_only = 1")?;
        ask.run("BEGIN")?;
        let version = one(ask, "SELECT sqlite_version()")?;
        // The transaction sees what there is when it reads first.
        ask.rows("SELECT count(*) FROM sqlite_master")?;
        Ok(Facts {
            version: format!("SQLite {}", version.unwrap_or_default()),
            isolation: "SERIALIZABLE".to_owned(),
            statement: true,
            session: true,
        })
    }

    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError> {
        let mut parts = parts(table, str::to_owned);
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop().map_or_else(String::new, |schema| format!(", {}", quoted(&schema)));
        let rows = ask.rows(&format!(
            "SELECT name, lower(type), NULL, NULL, NULL, \
             CASE WHEN \"notnull\" THEN '0' ELSE '1' END, type \
             FROM pragma_table_xinfo({}{schema}) WHERE hidden <> 1 ORDER BY cid",
            quoted(&name)
        ))?;
        Ok(natives(rows))
    }

    fn reading(&self, native: &Native) -> Result<Reading, String> {
        let column = self.quote(&native.name);
        let (name, numbers) = declared(native);
        let has = |word: &str| name.contains(word);
        let kinds = |kinds: &str| format!("typeof({column}) NOT IN ({kinds}, 'null')");
        // Whatever a value is, this shows it: bytes as hexadecimal digits, reals with all their digits.
        let exact = format!("printf('%!.17g', {column})");
        // Drivers give text up to the first NUL.
        let has_nul = format!("(typeof({column}) = 'text' AND instr({column}, char(0)) > 0)");
        let any = format!(
            "CASE WHEN typeof({column}) = 'blob' OR {has_nul} THEN lower(hex({column})) \
             WHEN typeof({column}) = 'real' THEN {exact} ELSE CAST({column} AS TEXT) END"
        );
        let as_text = |why: &str| {
            Reading::new(
                Logical::Other(native.declared.to_lowercase()),
                any.clone(),
                Fetch::Wide(Size::Measured),
            )
            .measured(format!("2 * length({any})"))
            .note(format!("{why}, and is read as text"))
        };
        let another = || as_text("it has values of another kind than its declared type");
        let length = numbers.first().and_then(|length| u32::try_from(*length).ok());
        let text = |logical| {
            Reading::new(logical, format!("CAST({column} AS TEXT)"), Fetch::Wide(Size::Measured))
                .measured(format!("2 * length(CAST({column} AS TEXT))"))
                .unless(
                    format!("(typeof({column}) = 'blob' OR {has_nul})"),
                    as_text(
                        "it has values of another kind than its declared type, or with the character NUL, which are shown \
                         as hexadecimal digits",
                    ),
                )
        };
        let ascii = |logical, expression: String, size| {
            Reading::new(logical, expression, Fetch::Ascii(Size::Most(size)))
        };
        let digit = "[0-9]";
        let two = digit.repeat(2);
        let day = format!("{}-{two}-{two}", digit.repeat(4));
        if has("bool") || name == "bit" {
            return Ok(Reading::new(Logical::Bool, column.clone(), Fetch::I64)
                .unless(format!("({} OR {column} NOT IN (0, 1))", kinds("'integer'")), another()));
        }
        if has("int") {
            return Ok(ascii(Logical::I64, format!("CAST({column} AS TEXT)"), 20)
                .unless(kinds("'integer'"), another()));
        }
        if has("datetime") || has("timestamp") {
            let seconds = format!("{day}[ T]{two}:{two}:{two}");
            let unfit = format!(
                "NOT (typeof({column}) = 'text' AND substr({column}, 1, 19) GLOB '{seconds}' \
                 AND coalesce(datetime(substr({column}, 1, 19)), '') = replace(substr({column}, 1, 19), 'T', ' ') \
                 AND (length({column}) = 19 OR (length({column}) BETWEEN 21 AND 26 \
                 AND substr({column}, 20, 1) = '.' AND substr({column}, 21) NOT GLOB '*[^0-9]*')))"
            );
            let why = "it has values that are no timestamps as in 2026-03-29 01:30:00";
            return Ok(ascii(Logical::TIMESTAMP, column.clone(), 26).unless(unfit, as_text(why)));
        }
        if has("date") {
            let unfit = format!(
                "NOT (typeof({column}) = 'text' AND {column} GLOB '{day}' \
                 AND coalesce(date({column}), '') = {column})"
            );
            let why = "it has values that are no dates as in 2026-03-29";
            return Ok(ascii(Logical::Date, column.clone(), 10).unless(unfit, as_text(why)));
        }
        if has("char") || has("clob") || has("text") {
            let padded = matches!(name.as_str(), "char" | "character" | "nchar");
            let logical = match length {
                // Nothing holds the values to a length.
                Some(length) if padded => Logical::Text { length: Some(length), padded },
                _ => Logical::TEXT,
            };
            return Ok(text(logical));
        }
        if has("blob") || has("binary") {
            return Ok(Reading::new(Logical::Bytes, column.clone(), Fetch::Bytes(Size::Measured))
                .measured(format!("length({column})"))
                .unless(kinds("'blob'"), another()));
        }
        if has("real") || has("floa") || has("doub") {
            // Whole numbers are stored as such, and are reals all the same.
            // NULL is printed as nought.
            let real =
                format!("CASE WHEN {column} IS NOT NULL THEN printf('%!.17g', CAST({column} AS REAL)) END");
            return Ok(ascii(Logical::F64, real.clone(), 40).unless(
                format!("({} OR CAST({real} AS REAL) <> {column})", kinds("'real', 'integer'")),
                another(),
            ));
        }
        if has("dec") || has("num") {
            let precision = numbers.first().and_then(|n| u32::try_from(*n).ok());
            let scale = numbers.get(1).map_or(Some(0), |n| i32::try_from(*n).ok());
            if let Some((logical @ Logical::Decimal { precision, scale }, Size::Most(size))) =
                decimal(precision, scale)
            {
                // A real has fifteen digits for certain.
                let whole = precision.min(15).saturating_sub(scale);
                let unfit = format!(
                    "({} OR abs({column}) >= 1e{whole} \
                     OR (typeof({column}) = 'real' AND CAST(printf('%.{scale}f', {column}) AS REAL) <> {column}))",
                    kinds("'real', 'integer'")
                );
                let printed = format!(
                    "CASE typeof({column}) WHEN 'real' THEN printf('%.{scale}f', {column}) \
                     ELSE CAST({column} AS TEXT) END"
                );
                let why = "it has values with more digits than declared or stored, or of another kind";
                return Ok(ascii(logical, printed, size.max(24)).unless(unfit, as_text(why)));
            }
            return Ok(as_text("it has no declared number of digits"));
        }
        Ok(as_text("its declared type does not say what its values are"))
    }

    fn dividing_columns(&self, table: &str) -> Option<String> {
        let mut parts = parts(table, str::to_owned);
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop().map_or_else(String::new, |schema| format!(", {}", quoted(&schema)));
        Some(format!(
            "SELECT name FROM pragma_table_xinfo({}{schema}) WHERE pk = 1 AND hidden <> 1",
            quoted(&name)
        ))
    }

    fn estimated_rows(&self, table: &str) -> Option<String> {
        Some(format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))
    }

    fn tables(&self) -> Option<String> {
        Some(
            "SELECT '', name, CASE type WHEN 'view' THEN '1' ELSE '0' END, NULL FROM sqlite_master \
             WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_'"
                .to_owned(),
        )
    }

    fn unique_keys(&self, table: &Listed) -> Option<String> {
        let name = quoted(&table.name);
        Some(format!(
            "SELECT '', '1', name, pk FROM pragma_table_xinfo({name}) WHERE pk > 0 \
             UNION ALL SELECT l.name, '0', i.name, i.seqno FROM pragma_index_list({name}) l, \
             pragma_index_info(l.name) i WHERE l.\"unique\" = 1 AND l.origin <> 'pk' AND l.partial = 0 \
             AND NOT EXISTS (SELECT 1 FROM pragma_index_info(l.name) x \
             LEFT JOIN pragma_table_xinfo({name}) c ON c.name = x.name \
             WHERE c.name IS NULL OR (c.\"notnull\" = 0 AND c.pk = 0)) ORDER BY 2 DESC, 1, 4"
        ))
    }

    fn foreign_keys(&self, table: &Listed) -> Option<String> {
        // Which names are written otherwise in the parent's own declaration does not matter to the database.
        Some(format!(
            "SELECT CAST(f.id AS TEXT), f.\"from\", '', coalesce((SELECT m.name FROM sqlite_master m \
             WHERE m.type = 'table' AND m.name = f.\"table\" COLLATE NOCASE), f.\"table\"), \
             coalesce((SELECT p.name FROM pragma_table_xinfo(f.\"table\") p \
             WHERE p.name = f.\"to\" COLLATE NOCASE OR (f.\"to\" IS NULL AND p.pk = f.seq + 1)), f.\"to\") \
             FROM pragma_foreign_key_list({}) f ORDER BY f.id, f.seq",
            quoted(&table.name)
        ))
    }

    fn column_facts(&self, table: &Listed) -> Option<String> {
        let name = quoted(&table.name);
        Some(format!(
            "SELECT name, dflt_value, NULL, NULL, NULL FROM pragma_table_xinfo({name}) ORDER BY cid"
        ))
    }

    fn whereabouts(&self) -> Option<&'static str> {
        Some("SELECT '', file FROM pragma_database_list WHERE name = 'main'")
    }

    fn clock(&self) -> Option<&'static str> {
        Some("SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now')")
    }

    fn temporary(&self, number: usize, declared: &str) -> (String, String) {
        let name = format!("temp.counterfoil_{number}");
        (format!("CREATE TABLE {name} (id int, v {declared})"), name)
    }

    /// A declared type is a recommendation: any value can be stored.
    fn holds(&self, _declared: &str, _logical: &Logical, _characters: Option<&str>) -> Holds {
        Holds::default()
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const FAILURES: &[Failure] = &[
    lasting(
        &[14],
        "",
        "there is no such file, or it may not be read: correct `Database` in the connection string",
    ),
    lasting(&[26], "", "the file is no database of this kind: correct `Database` in the connection string"),
    lasting(&[], "no such table", NO_TABLE),
    passing(&[5, 6], "", LOCKED),
];

const SAMPLES: &[Sample] = &[
    Sample {
        native: "integer",
        logical: "i64",
        values: &[
            ("5000000000", "5000000000"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
        ],
    },
    Sample { native: "bigint", logical: "i64", values: &[("5000000000", "5000000000")] },
    Sample { native: "boolean", logical: "bool", values: &[("0", "false"), ("1", "true")] },
    Sample {
        native: "real",
        logical: "f64",
        values: &[
            ("66384.333", "66384.333"),
            ("-0.1", "-0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("2", "2"),
        ],
    },
    Sample {
        native: "decimal(9,2)",
        logical: "decimal(9,2)",
        values: &[("0", "0.00"), ("-0.5", "-0.50"), ("1234567.89", "1234567.89"), ("'1.10'", "1.10")],
    },
    Sample { native: "numeric", logical: "other:numeric", values: &[("1", "1"), ("0.5", "0.5")] },
    Sample { native: "char(6)", logical: "char(6)", values: &[("'ab'", "ab")] },
    Sample {
        native: "varchar(20)",
        logical: "text",
        values: &[
            ("'café £5'", "café £5"),
            ("'Łódź 東京 😀'", "Łódź 東京 😀"),
            ("'Último Øl 付'", "Último Øl 付"),
            ("'a  '", "a  "),
            ("''", ""),
        ],
    },
    Sample { native: "text", logical: "text", values: &[("'don''t'", "don't"), ("12", "12")] },
    Sample { native: "blob", logical: "bytes", values: &[("x'00ff'", "00ff"), ("x''", "")] },
    Sample {
        native: "date",
        logical: "date",
        values: &[("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")],
    },
    Sample {
        native: "datetime",
        logical: "timestamp",
        values: &[
            ("'1900-01-01 00:00:00'", "1900-01-01 00:00:00"),
            ("'2026-03-29T01:30:00.000001'", "2026-03-29 01:30:00.000001"),
        ],
    },
    Sample {
        native: "int",
        logical: "other:int",
        values: &[("1", "1"), ("'two'", "two"), ("x'00ff'", "00ff"), ("0.5", "0.5")],
    },
];
