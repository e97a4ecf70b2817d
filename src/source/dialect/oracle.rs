//! Oracle Database, from version 12.
//!
//! A session is a transaction that reads only, which sees one moment. `DATE` has a time of day, and is a timestamp.
//! Empty text is NULL to this database. Not run against a server in the tests: the statements are.

mod holds;

use std::time::Duration;

use crate::model::{Holds, Logical};
use crate::source::{Listed, SourceError};

use super::failure::{
    LOCKED, NO_DATABASE, NO_RIGHT, NO_TABLE, NOT_READY, PASSWORD, TIMED_OUT, TOO_MANY, UNKNOWN_HOST,
    UNREACHED, UNTRUSTED, lasting, passing,
};
use super::names::{declared, parts};
use super::{
    Ask, Dialect, Facts, Failure, Fetch, Native, OnlyReads, Reading, Sample, Size, decimal, natives, one,
    quoted,
};

#[derive(Debug)]
pub(super) struct Oracle;

/// Returns the conditions that pick a table in the catalogue.
fn of_table(table: &str, owner: &str) -> String {
    let mut parts = parts(table, str::to_uppercase);
    let name = parts.pop().unwrap_or_default();
    let schema = parts
        .pop()
        .map_or_else(|| "SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')".to_owned(), |schema| quoted(&schema));
    format!("{owner} = {schema} AND table_name = {}", quoted(&name))
}

impl Dialect for Oracle {
    fn word(&self) -> &'static str {
        "oracle"
    }

    fn servers(&self) -> &'static [&'static str] {
        &["oracle"]
    }

    fn drivers(&self) -> &'static [&'static str] {
        &["sqora"]
    }

    fn failures(&self) -> &'static [Failure] {
        FAILURES
    }

    fn only_reads(&self) -> OnlyReads {
        OnlyReads::Begun
    }

    fn lost_codes(&self) -> &'static [i32] {
        &[28, 1012, 3113, 3114, 3135, 12170, 12541, 12571]
    }

    fn begin(
        &self,
        ask: &mut dyn Ask,
        server: &str,
        _statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError> {
        let version = one(ask, "SELECT MAX(banner) FROM v$version").ok().flatten();
        ask.run("ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,'")?;
        ask.run("ALTER SESSION SET NLS_CALENDAR = 'GREGORIAN'")?;
        ask.run("ALTER SESSION SET TIME_ZONE = '+00:00'")?;
        ask.without_autocommit()?;
        ask.run("SET TRANSACTION READ ONLY")?;
        Ok(Facts {
            version: version.unwrap_or_else(|| server.to_owned()),
            isolation: "READ ONLY".to_owned(),
            statement: true,
            session: true,
        })
    }

    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError> {
        let rows = ask.rows(&format!(
            "SELECT column_name, LOWER(REGEXP_REPLACE(data_type, '\\([0-9]+\\)', '')), \
             TO_CHAR(CASE WHEN data_type LIKE '%CHAR%' THEN char_length ELSE data_length END), \
             TO_CHAR(data_precision), TO_CHAR(data_scale), CASE nullable WHEN 'N' THEN '0' ELSE '1' END, \
             LOWER(data_type) || CASE WHEN data_type LIKE '%CHAR%' THEN '(' || char_length || ')' \
             WHEN data_type = 'NUMBER' AND data_precision IS NOT NULL \
             THEN '(' || data_precision || ',' || data_scale || ')' \
             WHEN data_type = 'RAW' THEN '(' || data_length || ')' END \
             FROM all_tab_columns WHERE {} ORDER BY column_id",
            of_table(table, "owner")
        ))?;
        Ok(natives(rows))
    }

    fn reading(&self, native: &Native) -> Result<Reading, String> {
        let column = self.quote(&native.name);
        let length = native.length.and_then(|length| u32::try_from(length).ok());
        let characters = format!("2 * LENGTH({column})");
        let new = |logical, expression: String, size| {
            Reading::new(logical, expression, Fetch::Ascii(Size::Most(size)))
        };
        let other = || Logical::Other(native.declared.clone());
        let digits = |expression: &str, logical: Logical| {
            // The sign of years before the first; a blank stands in its place in others.
            let text = format!("LTRIM(TO_CHAR({expression}, 'SYYYY-MM-DD HH24:MI:SS.FF9'))");
            new(logical, format!("TO_CHAR({expression}, 'YYYY-MM-DD HH24:MI:SS.FF6')"), 40).unless(
                format!(
                    "(EXTRACT(YEAR FROM {expression}) < 1 OR \
                         SUBSTR(TO_CHAR({expression}, 'FF9'), 7) <> '000')"
                ),
                new(other(), text, 40)
                    .note("it has fractions of a microsecond or years before the first, and is read as text"),
            )
        };
        Ok(match native.base.as_str() {
            "number" => match decimal(native.precision, native.scale.or(Some(0))) {
                Some((Logical::Decimal { precision, scale: 0 }, _)) if precision <= 18 => {
                    new(Logical::Decimal { precision, scale: 0 }, format!("TO_CHAR({column}, 'TM9')"), 21)
                }
                Some((logical, Size::Most(size))) => new(logical, format!("TO_CHAR({column}, 'TM9')"), size),
                _ => new(other(), format!("TO_CHAR({column}, 'TM9')"), 64)
                    .note("it has no declared number of digits, and is read as text"),
            },
            "float" => new(other(), format!("TO_CHAR({column}, 'TM9')"), 64)
                .note("it has more digits than a floating-point number, and is read as text"),
            "binary_double" => Reading::new(Logical::F64, column, Fetch::F64),
            "binary_float" => Reading::new(Logical::F64, format!("TO_BINARY_DOUBLE({column})"), Fetch::F64),
            "char" | "nchar" => {
                Reading::text(Logical::Text { length, padded: true }, column, native.length, characters)
            }
            "varchar2" | "nvarchar2" | "varchar" => {
                Reading::text(Logical::Text { length, padded: false }, column, native.length, characters)
            }
            "clob" | "nclob" => {
                let measure = format!("2 * DBMS_LOB.GETLENGTH({column})");
                Reading::text(Logical::TEXT, column, None, measure)
            }
            "raw" => Reading::bytes(column.clone(), native.length, format!("UTL_RAW.LENGTH({column})")),
            "blob" => Reading::bytes(column.clone(), None, format!("DBMS_LOB.GETLENGTH({column})")),
            "date" => new(Logical::TIMESTAMP, format!("TO_CHAR({column}, 'YYYY-MM-DD HH24:MI:SS')"), 19)
                .unless(
                    format!("EXTRACT(YEAR FROM {column}) < 1"),
                    new(other(), format!("LTRIM(TO_CHAR({column}, 'SYYYY-MM-DD HH24:MI:SS'))"), 20)
                        .note("it has dates before the year 1, and is read as text"),
                ),
            "timestamp" => digits(&column, Logical::TIMESTAMP),
            "timestamp with time zone" | "timestamp with local time zone" => {
                let utc = format!("SYS_EXTRACT_UTC({column})");
                let mut reading = digits(&utc, Logical::TIMESTAMP_UTC);
                reading.expression = format!("{} || 'Z'", reading.expression);
                if let Some((_, other)) = &mut reading.unfit {
                    other.expression = format!("{} || 'Z'", other.expression);
                }
                reading.note("the moments are kept, in UTC; the zones they were written with are not")
            }
            "interval year to month" | "interval day to second" => {
                new(other(), format!("TO_CHAR({column})"), 64)
                    .note("it has no form of its own here, and is read as text")
            }
            "rowid" | "urowid" => Reading::other(
                native,
                format!("CAST({column} AS VARCHAR2(4000))"),
                format!("LENGTH(CAST({column} AS VARCHAR2(4000)))"),
            ),
            "xmltype" => {
                let text = format!("XMLSERIALIZE(CONTENT {column} AS CLOB)");
                let measure = format!("2 * DBMS_LOB.GETLENGTH({text})");
                Reading::other(native, text, measure)
            }
            "long" => Reading::new(Logical::TEXT, column, Fetch::Wide(Size::Unknown)),
            "long raw" => Reading::new(Logical::Bytes, column, Fetch::Bytes(Size::Unknown)),
            other => return Err(format!("there is no way to read `{other}` that is known to be exact")),
        })
    }

    fn dividing_columns(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT c.column_name FROM all_indexes i INNER JOIN all_ind_columns c \
             ON c.index_owner = i.owner AND c.index_name = i.index_name WHERE c.column_position = 1 \
             AND i.index_type = 'NORMAL' AND {} ORDER BY i.uniqueness DESC, i.index_name",
            of_table(table, "i.table_owner").replace("AND table_name", "AND i.table_name")
        ))
    }

    fn estimated_rows(&self, table: &str) -> Option<String> {
        Some(format!("SELECT TO_CHAR(num_rows) FROM all_tables WHERE {}", of_table(table, "owner")))
    }

    fn is_plain(&self, name: &str) -> bool {
        super::catalogue::is_word(name) && name == name.to_uppercase()
    }

    fn tables(&self) -> Option<String> {
        Some(
            "SELECT owner, table_name, '0', TO_CHAR(num_rows) FROM all_tables \
             WHERE nested = 'NO' AND secondary = 'N' AND temporary = 'N' AND dropped = 'NO' \
             AND (iot_type IS NULL OR iot_type = 'IOT') \
             AND owner NOT IN (SELECT username FROM all_users WHERE oracle_maintained = 'Y') \
             AND (owner, table_name) NOT IN (SELECT log_owner, log_table FROM all_mview_logs) \
             UNION ALL SELECT owner, view_name, '1', NULL FROM all_views \
             WHERE owner NOT IN (SELECT username FROM all_users WHERE oracle_maintained = 'Y')"
                .to_owned(),
        )
    }

    fn unique_keys(&self, table: &Listed) -> Option<String> {
        let (owner, name) = (quoted(&table.schema), quoted(&table.name));
        let without_null = |columns: &str, of: &str| {
            format!(
                "NOT EXISTS (SELECT 1 FROM {columns} n INNER JOIN all_tab_columns t ON t.owner = {owner} \
                 AND t.table_name = {name} AND t.column_name = n.column_name WHERE {of} AND t.nullable = 'Y')"
            )
        };
        Some(format!(
            "SELECT k.constraint_name, CASE k.constraint_type WHEN 'P' THEN '1' ELSE '0' END, c.column_name, \
             c.position FROM all_constraints k INNER JOIN all_cons_columns c ON c.owner = k.owner \
             AND c.constraint_name = k.constraint_name WHERE k.owner = {owner} AND k.table_name = {name} \
             AND k.constraint_type IN ('P', 'U') AND k.status = 'ENABLED' AND {} \
             UNION ALL SELECT i.index_name, '0', c.column_name, c.column_position FROM all_indexes i \
             INNER JOIN all_ind_columns c ON c.index_owner = i.owner AND c.index_name = i.index_name \
             WHERE i.table_owner = {owner} AND i.table_name = {name} AND i.uniqueness = 'UNIQUE' \
             AND i.index_type = 'NORMAL' AND i.status <> 'UNUSABLE' AND {} ORDER BY 2 DESC, 1, 4",
            without_null("all_cons_columns", "n.owner = k.owner AND n.constraint_name = k.constraint_name"),
            without_null("all_ind_columns", "n.index_owner = i.owner AND n.index_name = i.index_name"),
        ))
    }

    fn foreign_keys(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT k.constraint_name, c.column_name, p.owner, p.table_name, p.column_name \
             FROM all_constraints k INNER JOIN all_cons_columns c ON c.owner = k.owner \
             AND c.constraint_name = k.constraint_name INNER JOIN all_cons_columns p ON p.owner = k.r_owner \
             AND p.constraint_name = k.r_constraint_name AND p.position = c.position \
             WHERE k.owner = {} AND k.table_name = {} AND k.constraint_type = 'R' \
             ORDER BY k.constraint_name, c.position",
            quoted(&table.schema),
            quoted(&table.name)
        ))
    }

    fn whereabouts(&self) -> Option<&'static str> {
        Some("SELECT SYS_CONTEXT('USERENV', 'DB_UNIQUE_NAME'), SYS_CONTEXT('USERENV', 'CON_NAME') FROM dual")
    }

    fn clock(&self) -> Option<&'static str> {
        Some("SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD\"T\"HH24:MI:SS.FF6') FROM dual")
    }

    fn temporary(&self, number: usize, declared: &str) -> (String, String) {
        // Such a table has this beginning; it is gone with the session.
        let name = format!("ORA$PTT_COUNTERFOIL_{number}");
        let columns = format!("(id NUMBER(10), v {declared})");
        (format!("CREATE PRIVATE TEMPORARY TABLE {name} {columns} ON COMMIT PRESERVE DEFINITION"), name)
    }

    fn temporary_columns(
        &self,
        _ask: &mut dyn Ask,
        _table: &str,
        kind: &str,
    ) -> Result<Vec<Native>, SourceError> {
        // The catalogue does not show the columns of such a table.
        Ok(vec![declared("ID", "NUMBER(10)"), declared("V", kind)])
    }

    fn holds(&self, declared: &str, logical: &Logical, _characters: Option<&str>) -> Holds {
        holds::holds(declared, logical)
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

const FAILURES: &[Failure] = &[
    lasting(&[1017, 1005], "", PASSWORD),
    lasting(
        &[28000, 28001],
        "",
        "this user is locked or the password has expired: ask the database's administrator",
    ),
    lasting(&[12514, 12505, 12154], "", NO_DATABASE),
    lasting(&[12545, 12533], "", UNKNOWN_HOST),
    passing(&[12541, 12543, 12560], "", UNREACHED),
    passing(&[12170, 12535, 12606], "", TIMED_OUT),
    lasting(&[28860, 29024, 28862], "", UNTRUSTED),
    passing(&[18, 20, 12516, 12519, 12520], "", TOO_MANY),
    passing(&[1033, 1034, 1089, 1090, 12528], "", NOT_READY),
    lasting(&[942], "", NO_TABLE),
    lasting(&[1031, 1045, 41900], "", NO_RIGHT),
    passing(&[54], "", LOCKED),
];

const SAMPLES: &[Sample] = &[
    Sample { native: "NUMBER(9,2)", logical: "decimal(9,2)", values: &[("0", "0.00"), ("-0.5", "-0.50")] },
    Sample { native: "NUMBER(10)", logical: "decimal(10,0)", values: &[("5000000000", "5000000000")] },
    Sample { native: "NUMBER", logical: "other:number", values: &[("0.1", ".1")] },
    Sample { native: "BINARY_DOUBLE", logical: "f64", values: &[("66384.333", "66384.333")] },
    Sample { native: "CHAR(6)", logical: "char(6)", values: &[("'ab'", "ab")] },
    Sample { native: "VARCHAR2(20 CHAR)", logical: "varchar(20)", values: &[("'don''t'", "don't")] },
    Sample { native: "CLOB", logical: "text", values: &[("'x'", "x")] },
    Sample {
        native: "DATE",
        logical: "timestamp",
        values: &[("TIMESTAMP '1900-01-01 00:00:00'", "1900-01-01 00:00:00")],
    },
    Sample {
        native: "TIMESTAMP(6)",
        logical: "timestamp",
        values: &[("TIMESTAMP '2026-03-29 01:30:00.000001'", "2026-03-29 01:30:00.000001")],
    },
    Sample {
        native: "TIMESTAMP(6) WITH TIME ZONE",
        logical: "timestamptz",
        values: &[("TIMESTAMP '2026-07-01 12:00:00.5 +01:00'", "2026-07-01 11:00:00.5Z")],
    },
    Sample { native: "RAW(8)", logical: "bytes", values: &[("HEXTORAW('00FF')", "00ff")] },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers nothing: the columns of a temporary table are known.
    struct Silent;

    impl Ask for Silent {
        fn rows(&mut self, _sql: &str) -> Result<Vec<Vec<Option<String>>>, SourceError> {
            panic!("nothing is to be asked")
        }

        fn run(&mut self, _sql: &str) -> Result<(), SourceError> {
            panic!("nothing is to be run")
        }

        fn without_autocommit(&mut self) -> Result<(), SourceError> {
            panic!("nothing is to be set")
        }

        fn driver_catalogue(
            &mut self,
            _asked: super::super::Asked<'_>,
        ) -> Result<Vec<Vec<Option<String>>>, SourceError> {
            panic!("the driver is not to be asked")
        }

        fn described(&mut self, _sql: &str) -> Result<Vec<Native>, SourceError> {
            panic!("nothing is to be described")
        }
    }

    #[test]
    fn moments_that_are_read_as_text_keep_their_sign_and_zone() {
        let of = |kind: &str| {
            let reading = Oracle.reading(&declared("V", kind)).unwrap();
            (reading.expression.clone(), reading.unfit.unwrap().1.expression)
        };
        let (plain, other) = of("TIMESTAMP(6)");
        assert_eq!(plain, "TO_CHAR(\"V\", 'YYYY-MM-DD HH24:MI:SS.FF6')");
        assert_eq!(other, "LTRIM(TO_CHAR(\"V\", 'SYYYY-MM-DD HH24:MI:SS.FF9'))");
        let (plain, other) = of("TIMESTAMP(6) WITH TIME ZONE");
        assert!(plain.ends_with(" || 'Z'") && other.ends_with(" || 'Z'"), "{other}");
        assert!(other.contains("SYS_EXTRACT_UTC(\"V\"), 'SYYYY-"), "{other}");
    }

    #[test]
    fn samples_can_be_tried_in_temporary_tables() {
        let (make, table) = Oracle.temporary(3, "NUMBER(9,2)");
        assert_eq!(
            make,
            "CREATE PRIVATE TEMPORARY TABLE ORA$PTT_COUNTERFOIL_3 (id NUMBER(10), v NUMBER(9,2)) \
             ON COMMIT PRESERVE DEFINITION"
        );
        for sample in SAMPLES {
            let columns = Oracle.temporary_columns(&mut Silent, &table, sample.native).unwrap();
            let [id, value] = &columns[..] else { panic!("two columns") };
            assert_eq!((id.name.as_str(), value.name.as_str()), ("ID", "V"));
            assert!(matches!(Oracle.reading(id).unwrap().logical, Logical::Decimal { scale: 0, .. }));
            let logical = Oracle.reading(value).unwrap().logical;
            let wanted = sample.logical.strip_prefix("other:").unwrap_or(sample.logical);
            assert_eq!(logical.to_string(), wanted, "{}", sample.native);
        }
    }
}
