//! PostgreSQL through its ODBC driver. A connection of type `postgres` is faster, and needs no driver.
//!
//! A session is a transaction that reads only, at one moment. What the driver would round or bring in another zone
//! travels as text made by the server.

mod holds;

use std::time::Duration;

use crate::model::{Holds, Logical};
use crate::source::{Listed, SourceError};

use super::failure::{
    LOCKED, NO_DATABASE, NO_PASSWORD, NO_RIGHT, NO_TABLE, NOT_READY, OTHER_HOST, PASSWORD, TIMED_OUT,
    TOO_MANY, TOO_SLOW, UNKNOWN_HOST, UNREACHED, UNTRUSTED, lasting, passing,
};
use super::{
    Ask, Dialect, Facts, Failure, Fetch, Native, OnlyReads, Reading, Sample, Size, decimal, natives, none_of,
    one, quoted,
};

#[derive(Debug)]
pub(super) struct PostgreSql;

impl Dialect for PostgreSql {
    fn word(&self) -> &'static str {
        "postgres"
    }

    fn servers(&self) -> &'static [&'static str] {
        &["postgresql"]
    }

    fn driver_options(&self, _library: &str) -> &'static [(&'static str, &'static str)] {
        // No cursors: where the connection is lost behind one, the driver takes the whole process down (13.02). So it
        // holds the rows of a part, which are few; of a query or a table without a key they are all.
        &[("UseDeclareFetch", "0"), ("ByteaAsLongVarBinary", "1")]
    }

    fn keeps_rows(&self) -> bool {
        true
    }

    fn drivers(&self) -> &'static [&'static str] {
        &["psqlodbc"]
    }

    fn failures(&self) -> &'static [Failure] {
        FAILURES
    }

    fn only_reads(&self) -> OnlyReads {
        OnlyReads::Asked("SELECT current_setting('transaction_read_only')")
    }

    fn begin(
        &self,
        ask: &mut dyn Ask,
        _server: &str,
        statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError> {
        let timeout = statement_timeout.map_or(0, |timeout| timeout.as_millis());
        for statement in [
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "SET TIME ZONE 'UTC'",
            "SET DateStyle = 'ISO, YMD'",
            "SET IntervalStyle = 'postgres'",
            "SET extra_float_digits = 3",
            "SET bytea_output = 'hex'",
            // Rows that a policy hides are an error, not missing.
            "SET row_security = off",
            &format!("SET statement_timeout = {timeout}"),
        ] {
            ask.run(statement)?;
        }
        // The driver begins a transaction before the next statement.
        ask.without_autocommit()?;
        let version = one(ask, "SELECT current_setting('server_version')")?;
        Ok(Facts {
            version: format!("PostgreSQL {}", version.unwrap_or_default()),
            isolation: "REPEATABLE READ".to_owned(),
            statement: true,
            session: true,
        })
    }

    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError> {
        // A domain counts as the type below it.
        let rows = ask.rows(&format!(
            "SELECT a.attname::text, t.typname::text, \
             CASE WHEN t.typname IN ('bpchar', 'varchar') AND a.m > 4 THEN (a.m - 4)::text END, \
             CASE WHEN t.typname = 'numeric' AND a.m > 4 THEN (((a.m - 4) >> 16) & 65535)::text END, \
             CASE WHEN t.typname = 'numeric' AND a.m > 4 \
             THEN ((((a.m - 4) & 2047) # 1024) - 1024)::text END, \
             CASE WHEN a.attnotnull THEN '0' ELSE '1' END, format_type(a.atttypid, a.atttypmod)::text \
             FROM (SELECT a.*, d.typbasetype, CASE WHEN d.typtype = 'd' THEN d.typtypmod ELSE a.atttypmod END AS m \
             FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_type d ON d.oid = a.atttypid \
             WHERE a.attrelid = to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped) a \
             INNER JOIN pg_catalog.pg_type t \
             ON t.oid = CASE WHEN a.typbasetype <> 0 THEN a.typbasetype ELSE a.atttypid END ORDER BY a.attnum",
            quoted(table)
        ))?;
        Ok(natives(rows))
    }

    fn query_columns(&self, ask: &mut dyn Ask, query: &str) -> Result<Vec<Native>, SourceError> {
        let mut natives = ask.described(&none_of(&self.derived(query)))?;
        for native in &mut natives {
            // The driver knows the type by name, but makes up what has no length or digits.
            native.base = native.declared.to_lowercase();
            (native.length, native.precision, native.scale) = (None, None, None);
        }
        Ok(natives)
    }

    fn reading(&self, native: &Native) -> Result<Reading, String> {
        let column = self.quote(&native.name);
        let length = native.length.and_then(|length| u32::try_from(length).ok());
        let text = format!("{column}::text");
        let ascii = |logical, size| Reading::new(logical, text.clone(), Fetch::Ascii(Size::Most(size)));
        // A character outside the basic plane takes two units.
        let characters = format!("2 * length({column})");
        let text_characters = format!("2 * length({text})");
        let other = || Logical::Other(native.declared.clone());
        let outside = format!("({column} < '0001-01-01' OR {column} > '9999-12-31')");
        let no_such =
            |size| ascii(other(), size).note("it has moments outside the calendar, and is read as text");
        Ok(match native.base.as_str() {
            "int2" | "int4" | "int8" | "oid" | "smallint" | "integer" | "bigint" => {
                Reading::new(Logical::I64, column, Fetch::I64)
            }
            "bool" => Reading::new(Logical::Bool, format!("{column}::int"), Fetch::I64),
            "float4" => Reading::new(Logical::F64, format!("{column}::float8::text"), {
                Fetch::Ascii(Size::Most(32))
            }),
            // The driver takes it for a number of 32 bits.
            "float8" => ascii(Logical::F64, 32),
            "numeric" => match decimal(native.precision, native.scale) {
                Some((logical, Size::Most(size))) => ascii(logical, size).unless(
                    format!("{text} IN ('NaN', 'Infinity', '-Infinity')"),
                    ascii(other(), size.max(9))
                        .note("it has values that are no numbers, and is read as text"),
                ),
                _ => Reading::new(other(), text.clone(), Fetch::Ascii(Size::Measured))
                    .measured(format!("length({text})"))
                    .note("it has no declared number of digits, or more than 38, and is read as text"),
            },
            "bpchar" => {
                // As text it would lose its padding.
                Reading::text(Logical::Text { length, padded: true }, column.clone(), native.length, {
                    format!("2 * octet_length({column})")
                })
            }
            "varchar" | "text" | "name" | "citext" => {
                Reading::text(Logical::Text { length, padded: false }, column, native.length, characters)
            }
            "uuid" => ascii(Logical::Uuid, 36),
            "json" | "jsonb" => Reading::text(Logical::Json, text.clone(), None, text_characters),
            "bytea" => Reading::bytes(column.clone(), None, format!("octet_length({column})")),
            "date" => ascii(Logical::Date, 10).unless(outside, no_such(20)),
            "timestamp" => ascii(Logical::TIMESTAMP, 26)
                .unless(outside.replace("9999-12-31", "9999-12-31 23:59:59.999999"), no_such(32)),
            "timestamptz" => {
                let last = outside.replace("'0001-01-01'", "'0001-01-01 00:00:00+00'");
                ascii(Logical::TIMESTAMP_UTC, 32)
                    .unless(last.replace("9999-12-31", "9999-12-31 23:59:59.999999+00"), no_such(40))
            }
            "time" => ascii(Logical::Time, 15).unless(
                format!("{column} = '24:00:00'"),
                ascii(other(), 15).note("it has the time 24:00:00, and is read as text"),
            ),
            // The cast puts `/32` behind a single address, which the server does not show.
            "inet" => {
                let text = format!("textin(inet_out({column}))");
                let measure = format!("length({text})");
                Reading::other(native, text, measure)
            }
            _ => Reading::other(native, text.clone(), text_characters),
        })
    }

    fn dividing_columns(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT a.attname::text FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_attribute a \
             ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indrelid = to_regclass({}) \
             AND i.indisvalid AND i.indpred IS NULL ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid",
            quoted(table)
        ))
    }

    fn estimated_rows(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT greatest(c.reltuples, 0)::bigint::text FROM pg_catalog.pg_class c \
             WHERE c.oid = to_regclass({})",
            quoted(table)
        ))
    }

    fn is_plain(&self, name: &str) -> bool {
        name == "public" || (super::catalogue::is_word(name) && name == name.to_lowercase())
    }

    fn unreadable(&self) -> Option<String> {
        Some(
            "SELECT count(*)::text FROM pg_catalog.pg_class c \
             INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition \
             AND n.nspname <> 'information_schema' AND pg_catalog.left(n.nspname::text, 3) <> 'pg_' \
             AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
             AND pg_catalog.has_table_privilege(c.oid, 'SELECT')) \
             AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
             WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid \
             AND d.deptype = 'e')"
                .to_owned(),
        )
    }

    fn tables(&self) -> Option<String> {
        // Partitions belong to their table, whose rows are theirs.
        Some(
            "WITH RECURSIVE tree(root, oid) AS (SELECT c.oid, c.oid FROM pg_catalog.pg_class c \
             WHERE c.relkind = 'p' AND NOT c.relispartition \
             UNION ALL SELECT t.root, i.inhrelid FROM tree t \
             INNER JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid) \
             SELECT n.nspname::text, c.relname::text, CASE WHEN c.relkind IN ('v', 'm') THEN '1' ELSE '0' END, \
             CASE WHEN c.relkind = 'p' THEN (SELECT sum(p.reltuples)::bigint::text FROM tree t \
             INNER JOIN pg_catalog.pg_class p ON p.oid = t.oid \
             WHERE t.root = c.oid AND p.relkind <> 'p' AND p.reltuples >= 0) \
             WHEN c.relkind <> 'v' AND c.reltuples >= 0 THEN c.reltuples::bigint::text END \
             FROM pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition \
             AND n.nspname <> 'information_schema' AND pg_catalog.left(n.nspname::text, 3) <> 'pg_' \
             AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
             AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
             AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
             WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid \
             AND d.deptype = 'e')"
                .to_owned(),
        )
    }

    fn unique_keys(&self, table: &Listed) -> Option<String> {
        let columns = "pg_catalog.generate_series(0, i.indnkeyatts - 1)";
        Some(format!(
            "SELECT x.relname::text, CASE WHEN i.indisprimary THEN '1' ELSE '0' END, a.attname::text \
             FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
             CROSS JOIN LATERAL {columns} k(n) INNER JOIN pg_catalog.pg_attribute a \
             ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n] \
             WHERE i.indrelid = pg_catalog.to_regclass({}) AND i.indisunique AND i.indisvalid \
             AND i.indpred IS NULL AND i.indexprs IS NULL \
             AND NOT EXISTS (SELECT 1 FROM {columns} m(n) INNER JOIN pg_catalog.pg_attribute b \
             ON b.attrelid = i.indrelid AND b.attnum = i.indkey[m.n] WHERE NOT b.attnotnull) \
             ORDER BY i.indisprimary DESC, x.relname, k.n",
            quoted(&table.written)
        ))
    }

    fn foreign_keys(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT k.conname::text, a.attname::text, n.nspname::text, p.relname::text, r.attname::text \
             FROM pg_catalog.pg_constraint k \
             CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) \
             WITH ORDINALITY u(own, theirs, n) \
             INNER JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own \
             INNER JOIN pg_catalog.pg_attribute r ON r.attrelid = k.confrelid AND r.attnum = u.theirs \
             INNER JOIN pg_catalog.pg_class p ON p.oid = k.confrelid \
             INNER JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace \
             WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = pg_catalog.to_regclass({}) \
             ORDER BY k.conname, u.n",
            quoted(&table.written)
        ))
    }

    fn column_facts(&self, table: &Listed) -> Option<String> {
        // A sequence that was set and not yet used keeps the number itself.
        let next = "pg_catalog.substring(pg_catalog.query_to_xml(pg_catalog.format(\
                    'SELECT CASE WHEN is_called THEN last_value + %s ELSE last_value END AS v FROM %s', \
                    q.seqincrement, c.oid::pg_catalog.regclass), false, true, '')::text, '<v>(-?[0-9]+)</v>')";
        Some(format!(
            "SELECT a.attname::text, pg_catalog.pg_get_expr(d.adbin, d.adrelid), \
             pg_catalog.pg_encoding_to_char(b.encoding)::text, s.name, s.next FROM pg_catalog.pg_attribute a \
             INNER JOIN pg_catalog.pg_database b ON b.datname = pg_catalog.current_database() \
             LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             LEFT JOIN LATERAL (SELECT c.oid::pg_catalog.regclass::text AS name, CASE WHEN q.seqincrement > 0 \
             AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT') THEN {next} END AS next \
             FROM pg_catalog.pg_depend p INNER JOIN pg_catalog.pg_class c ON c.relkind = 'S' AND (\
             (p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objid = c.oid \
             AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = a.attrelid \
             AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i')) OR \
             (p.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND p.objid = d.oid \
             AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = c.oid)) \
             INNER JOIN pg_catalog.pg_sequence q ON q.seqrelid = c.oid ORDER BY c.oid LIMIT 1) s ON true \
             WHERE a.attrelid = pg_catalog.to_regclass({}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            quoted(&table.written)
        ))
    }

    fn whereabouts(&self) -> Option<&'static str> {
        Some(
            "SELECT (SELECT d.oid::text FROM pg_catalog.pg_database d WHERE d.datname = current_database()), current_database()::text",
        )
    }

    fn clock(&self) -> Option<&'static str> {
        // Of the beginning of the transaction.
        Some("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
    }

    fn now(&self) -> Option<&'static str> {
        Some("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
    }

    fn literal(&self, text: &str, _native: &Native) -> String {
        // With E a backslash means the same whatever the settings.
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    }

    fn temporary(&self, number: usize, declared: &str) -> (String, String) {
        let name = format!("pg_temp.counterfoil_{number}");
        (format!("CREATE TABLE {name} (id int, v {declared})"), name)
    }

    fn options_to_write(&self) -> &'static [(&'static str, &'static str)] {
        &[("ReadOnly", "0")]
    }

    fn holds(&self, declared: &str, logical: &Logical, characters: Option<&str>) -> Holds {
        holds::holds(declared, logical, characters)
    }

    fn samples(&self) -> &'static [Sample] {
        SAMPLES
    }
}

/// The driver gives one code for all failures of connecting: its text tells them apart.
const FAILURES: &[Failure] = &[
    lasting(&[], "password authentication failed", PASSWORD),
    lasting(&[], "no password supplied", NO_PASSWORD),
    lasting(
        &[],
        "no encryption",
        "the server's pg_hba.conf has no line for this user, database and address without encryption: try `sslmode=require`, or ask its administrator for a line",
    ),
    lasting(
        &[],
        "pg_hba.conf",
        "the server's pg_hba.conf has no line for this user, database, address and encryption: ask its administrator for one",
    ),
    lasting(&[], "fatal: role", "there is no such user: correct `UID` in the connection string"),
    lasting(&[], "fatal: database", NO_DATABASE),
    lasting(
        &[],
        "does not support ssl",
        "the server offers no encryption, and `sslmode` wants it: `sslmode=prefer` goes without, where the network may be trusted",
    ),
    lasting(&[], "does not match host name", OTHER_HOST),
    lasting(&[], "certificate verify failed", UNTRUSTED),
    lasting(&[], "root certificate", UNTRUSTED),
    lasting(&[], "could not translate host name", UNKNOWN_HOST),
    passing(&[], "connection refused", UNREACHED),
    passing(&[], "timeout expired", TIMED_OUT),
    passing(&[], "connection timed out", TIMED_OUT),
    passing(&[], "no route to host", TIMED_OUT),
    passing(&[], "too many clients", TOO_MANY),
    passing(&[], "too many connections", TOO_MANY),
    passing(&[], "remaining connection slots", TOO_MANY),
    passing(&[], "system is starting up", NOT_READY),
    passing(&[], "system is shutting down", NOT_READY),
    passing(&[], "in recovery mode", NOT_READY),
    lasting(
        &[],
        "row-level security",
        "policies would hide rows: read as a role with BYPASSRLS, or the table's owner",
    ),
    lasting(&[], "permission denied", NO_RIGHT),
    lasting(&[], "relation \"", NO_TABLE),
    lasting(&[], "schema \"", NO_TABLE),
    lasting(&[], "statement timeout", TOO_SLOW),
    passing(&[], "lock timeout", LOCKED),
];

const SAMPLES: &[Sample] = &[
    Sample { native: "smallint", logical: "i64", values: &[("-32768", "-32768")] },
    Sample { native: "integer", logical: "i64", values: &[("-2147483648", "-2147483648")] },
    Sample {
        native: "bigint",
        logical: "i64",
        values: &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
        ],
    },
    Sample { native: "boolean", logical: "bool", values: &[("false", "false"), ("true", "true")] },
    Sample {
        native: "real",
        logical: "f64",
        values: &[("0.5", "0.5"), ("0.1", "0.10000000149011612"), ("-16777215", "-16777215")],
    },
    Sample {
        native: "double precision",
        logical: "f64",
        values: &[("66384.333", "66384.333"), ("-0.1", "-0.1"), ("'NaN'", "NaN"), ("'-Infinity'", "-inf")],
    },
    Sample {
        native: "numeric(9,2)",
        logical: "decimal(9,2)",
        values: &[("0", "0.00"), ("-0.5", "-0.50"), ("1234567.89", "1234567.89")],
    },
    Sample {
        native: "numeric(38,10)",
        logical: "decimal(38,10)",
        values: &[("-9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999")],
    },
    Sample {
        native: "numeric",
        logical: "other:numeric",
        values: &[
            ("1.10", "1.10"),
            ("'NaN'", "NaN"),
            ("1e50", "100000000000000000000000000000000000000000000000000"),
        ],
    },
    Sample {
        native: "numeric(5,1)",
        logical: "other:numeric(5,1)",
        values: &[("1.5", "1.5"), ("'NaN'", "NaN")],
    },
    Sample { native: "character(6)", logical: "char(6)", values: &[("'ab'", "ab"), ("''", "")] },
    Sample {
        native: "character varying(20)",
        logical: "varchar(20)",
        values: &[
            ("'café £5'", "café £5"),
            ("'Łódź 東京 😀'", "Łódź 東京 😀"),
            ("'Último Øl 付'", "Último Øl 付"),
            ("'a  '", "a  "),
            ("''", ""),
        ],
    },
    Sample { native: "text", logical: "text", values: &[("'don''t'", "don't"), ("''", "")] },
    Sample { native: "bytea", logical: "bytes", values: &[("'\\x00ff'", "00ff"), ("''", "")] },
    Sample {
        native: "date",
        logical: "date",
        values: &[("'0001-01-01'", "0001-01-01"), ("'9999-12-31'", "9999-12-31")],
    },
    Sample {
        native: "timestamp without time zone",
        logical: "timestamp",
        values: &[
            ("'1900-01-01'", "1900-01-01 00:00:00"),
            ("'2026-03-29 01:30:00.000001'", "2026-03-29 01:30:00.000001"),
        ],
    },
    Sample {
        native: "timestamp with time zone",
        logical: "timestamptz",
        values: &[("'2026-07-01 12:00:00.5+01'", "2026-07-01 11:00:00.5Z")],
    },
    Sample {
        native: "time without time zone",
        logical: "time",
        values: &[("'00:00'", "00:00:00"), ("'23:59:59.999999'", "23:59:59.999999")],
    },
    Sample {
        native: "uuid",
        logical: "uuid",
        values: &[("'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff-8b86-d011-b42d-00c04fc964ff")],
    },
    Sample { native: "jsonb", logical: "json", values: &[("'{\"a\": 1}'", "{\"a\": 1}")] },
    Sample { native: "interval", logical: "other:interval", values: &[("'1 day 02:00'", "1 day 02:00:00")] },
    Sample { native: "integer[]", logical: "other:integer[]", values: &[("'{1,2}'", "{1,2}")] },
    Sample {
        native: "inet",
        logical: "other:inet",
        values: &[("'10.0.0.1'", "10.0.0.1"), ("'10.0.0.0/8'", "10.0.0.0/8")],
    },
    Sample {
        native: "time with time zone",
        logical: "other:time with time zone",
        values: &[("'12:00+01'", "12:00:00+01")],
    },
];
