//! Microsoft SQL Server, from version 2012.
//!
//! All rows of a session are from one moment where the database allows snapshot isolation; else it reads what is
//! committed, without waiting for one moment, and says so. There is no session that only reads: a transaction is begun
//! that is never committed. Dates and times travel as text made by the server, since drivers lose fractions or offsets;
//! `SET TEXTSIZE` keeps drivers from cutting long values off.

use std::time::Duration;

use crate::model::{Holds, Logical};
use crate::source::{Listed, SourceError};

use super::names::parts;
use super::{
    Ask, Dialect, Facts, Failure, Fetch, Native, Reading, Sample, Size, decimal, natives, none_of, one,
    quoted,
};

mod failures;
mod holds;
mod samples;

#[derive(Debug)]
pub(super) struct SqlServer;

/// Behind the name and the type's name: length, precision, scale, whether it is nullable, and the type as declared,
/// of one `c` with the columns of `sys.columns`, its base type's name `b` and its declared type's name `d`.
fn facts(b: &str, d: &str) -> String {
    format!(
        "CASE WHEN {b} IN ('nchar', 'nvarchar') AND c.max_length > 0 THEN CONVERT(varchar(11), c.max_length / 2) \
         WHEN {b} IN ('char', 'varchar', 'binary', 'varbinary') AND c.max_length > 0 \
         THEN CONVERT(varchar(11), c.max_length) END, \
         CONVERT(varchar(11), c.precision), CONVERT(varchar(11), c.scale), CONVERT(varchar(1), c.is_nullable), \
         {d} + CASE WHEN {d} <> {b} THEN '' \
         WHEN c.max_length = -1 AND {b} IN ('varchar', 'nvarchar', 'varbinary') THEN '(max)' \
         WHEN {b} IN ('nchar', 'nvarchar') THEN '(' + CONVERT(varchar(11), c.max_length / 2) + ')' \
         WHEN {b} IN ('char', 'varchar', 'binary', 'varbinary') \
         THEN '(' + CONVERT(varchar(11), c.max_length) + ')' \
         WHEN {b} IN ('decimal', 'numeric') \
         THEN '(' + CONVERT(varchar(11), c.precision) + ',' + CONVERT(varchar(11), c.scale) + ')' \
         WHEN {b} IN ('time', 'datetime2', 'datetimeoffset') THEN '(' + CONVERT(varchar(11), c.scale) + ')' \
         ELSE '' END"
    )
}

/// Returns the database of a name with three parts, with a point behind, for the catalogue's views.
fn database(table: &str) -> String {
    let parts = parts(table, str::to_owned);
    match parts.as_slice() {
        [database, _, _] if !database.is_empty() => format!("{}.", SqlServer.quote(database)),
        _ => String::new(),
    }
}

fn object(table: &str) -> String {
    format!("OBJECT_ID(N{})", quoted(table))
}

/// Returns the text of a variant that holds one of an eight-bit code page, as long as it is.
///
/// Up to 4,000 bytes it goes straight into Unicode. Longer ones have to go through the code page of the database, and
/// stay their bytes where that is another.
fn long_text(column: &str) -> String {
    format!(
        "CASE WHEN DATALENGTH({column}) <= 4000 THEN CONVERT(nvarchar(max), CONVERT(nvarchar(4000), {column})) \
         WHEN CONVERT(varbinary(8000), CONVERT(varchar(8000), {column})) = CONVERT(varbinary(8000), {column}) \
         AND COLLATIONPROPERTY(CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY({column}, 'Collation')), 'CodePage') \
         = COLLATIONPROPERTY(CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Collation')), 'CodePage') \
         THEN CONVERT(nvarchar(max), CONVERT(varchar(8000), {column})) \
         ELSE CONVERT(varchar(max), CONVERT(varbinary(8000), {column}), 1) END"
    )
}

/// Returns the text of a variant that holds a floating-point number: servers before 2016 do not write all digits.
fn real_text(column: &str, kind: &str, bytes: u8) -> String {
    let number = format!("CONVERT({kind}, {column})");
    let digits = format!("CONVERT(varchar(40), {number}, 3)");
    format!(
        "CASE WHEN CONVERT({kind}, {digits}) = {number} THEN {digits} \
         ELSE CONVERT(varchar(40), CONVERT(binary({bytes}), {number}), 1) END"
    )
}

/// Date and time text of at most microseconds; a seventh digit that is not zero leaves text.
fn to_the_microsecond(
    native: &Native,
    logical: Logical,
    expression: String,
    size: usize,
    column: &str,
) -> Reading {
    let reading = Reading::new(logical, expression.clone(), Fetch::Ascii(Size::Most(size)));
    if native.scale.is_some_and(|scale| scale <= 6) {
        return reading;
    }
    let text =
        Reading::new(Logical::Other(native.declared.clone()), expression, Fetch::Ascii(Size::Most(size)))
            .note("it has fractions of a microsecond, and is read as text");
    reading.unless(format!("DATEPART(nanosecond, {column}) % 1000 <> 0"), text)
}

impl Dialect for SqlServer {
    fn word(&self) -> &'static str {
        "sqlserver"
    }

    fn servers(&self) -> &'static [&'static str] {
        &["microsoft sql server", "azure sql", "sql server"]
    }

    fn drivers(&self) -> &'static [&'static str] {
        &["msodbcsql", "tdsodbc", "sqlncli"]
    }

    fn failures(&self) -> &'static [Failure] {
        failures::FAILURES
    }

    fn stable_advice(&self) -> Option<&'static str> {
        Some(
            "`ALTER DATABASE name SET ALLOW_SNAPSHOT_ISOLATION ON` would give each table one moment; it changes nothing \
             for others but some room in tempdb",
        )
    }

    fn quote(&self, name: &str) -> String {
        format!("[{}]", name.replace(']', "]]"))
    }

    fn driver_options(&self, library: &str) -> &'static [(&'static str, &'static str)] {
        // FreeTDS sends letters beyond Latin-1 only so; other drivers do not know it.
        if library.to_lowercase().contains("tdsodbc") { &[("ClientCharset", "UTF-8")] } else { &[] }
    }

    fn lost_codes(&self) -> &'static [i32] {
        &[20004, 20006, 20017, 20047, 10053, 10054, 10060]
    }

    fn begin(
        &self,
        ask: &mut dyn Ask,
        _server: &str,
        _statement_timeout: Option<Duration>,
    ) -> Result<Facts, SourceError> {
        for statement in [
            "SET NOCOUNT ON",
            "SET QUOTED_IDENTIFIER ON",
            "SET ANSI_NULLS ON",
            "SET ANSI_PADDING ON",
            "SET TEXTSIZE 2147483647",
        ] {
            ask.run(statement)?;
        }
        let version = one(
            ask,
            "SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) + N' ' \
             + CONVERT(nvarchar(128), SERVERPROPERTY('Edition'))",
        )?;
        let states = ask.rows(
            "SELECT CONVERT(varchar(11), snapshot_isolation_state), \
             CONVERT(varchar(1), is_read_committed_snapshot_on) FROM sys.databases WHERE database_id = DB_ID()",
        )?;
        let state = |column: usize| {
            states.first().and_then(|row| row.get(column)).and_then(|cell| cell.as_deref()) == Some("1")
        };
        let (snapshot, versioned) = (state(0), state(1));
        let isolation = if snapshot { "SNAPSHOT" } else { "READ COMMITTED" };
        ask.run(&format!("SET TRANSACTION ISOLATION LEVEL {isolation}"))?;
        // Never committed: a query with a side effect has none.
        ask.run("BEGIN TRANSACTION")?;
        Ok(Facts {
            version: format!("Microsoft SQL Server {}", version.unwrap_or_default().trim()),
            isolation: if !snapshot && versioned {
                "READ COMMITTED (row versions)".to_owned()
            } else {
                isolation.to_owned()
            },
            statement: snapshot || versioned,
            session: snapshot,
        })
    }

    fn table_columns(&self, ask: &mut dyn Ask, table: &str) -> Result<Vec<Native>, SourceError> {
        let db = database(table);
        // An alias type has the base type of its system type; a CLR type has none but its own.
        let base = "CASE WHEN c.system_type_id = 240 THEN t.name ELSE b.name END";
        let facts = facts(base, "t.name");
        let rows = ask.rows(&format!(
            "SELECT c.name, {base}, {facts} FROM {db}sys.all_columns c \
             INNER JOIN {db}sys.types t ON t.user_type_id = c.user_type_id \
             LEFT JOIN {db}sys.types b ON b.user_type_id = c.system_type_id \
             WHERE c.object_id = {} ORDER BY c.column_id",
            object(table)
        ))?;
        Ok(natives(rows))
    }

    fn query_columns(&self, ask: &mut dyn Ask, query: &str) -> Result<Vec<Native>, SourceError> {
        let base =
            "CASE WHEN c.system_type_id = 240 THEN c.user_type_name ELSE TYPE_NAME(c.system_type_id) END";
        let facts = facts(base, &format!("COALESCE(c.user_type_name, {base})"));
        let rows = ask.rows(&format!(
            "SELECT COALESCE(c.name, N''), {base}, {facts} \
             FROM sys.dm_exec_describe_first_result_set(N{}, NULL, 0) c \
             WHERE c.is_hidden = 0 AND c.system_type_id IS NOT NULL ORDER BY c.column_ordinal",
            quoted(query)
        ))?;
        if rows.is_empty() {
            // What is wrong with the query is told by the server when it is asked itself.
            return ask.described(&none_of(&self.derived(query)));
        }
        Ok(natives(rows))
    }

    fn reading(&self, native: &Native) -> Result<Reading, String> {
        let column = self.quote(&native.name);
        let ascii = |logical, expression: String, size| {
            Reading::new(logical, expression, Fetch::Ascii(Size::Most(size)))
        };
        let length = native.length.and_then(|length| u32::try_from(length).ok());
        let bytes_long = format!("DATALENGTH({column})");
        let units_long = format!("DATALENGTH({column}) / 2");
        Ok(match native.base.as_str() {
            "tinyint" | "smallint" | "int" | "bigint" => Reading::new(Logical::I64, column, Fetch::I64),
            "bit" => Reading::new(Logical::Bool, column, Fetch::I64),
            "decimal" | "numeric" => match decimal(native.precision, native.scale) {
                Some((logical, size)) => Reading::new(logical, column, Fetch::Ascii(size)),
                None => return Err("the catalogue does not say how many digits it has".to_owned()),
            },
            // Drivers round to two digits.
            "money" => ascii(
                Logical::Decimal { precision: 19, scale: 4 },
                format!("CONVERT(decimal(19,4), {column})"),
                22,
            ),
            "smallmoney" => ascii(
                Logical::Decimal { precision: 10, scale: 4 },
                format!("CONVERT(decimal(10,4), {column})"),
                13,
            ),
            "float" => Reading::new(Logical::F64, column, Fetch::F64),
            "real" => Reading::new(Logical::F64, format!("CONVERT(float, {column})"), Fetch::F64),
            "char" | "nchar" => {
                Reading::text(Logical::Text { length, padded: true }, column, native.length, bytes_long)
            }
            "varchar" => {
                Reading::text(Logical::Text { length, padded: false }, column, native.length, bytes_long)
            }
            "nvarchar" => {
                Reading::text(Logical::Text { length, padded: false }, column, native.length, units_long)
            }
            "text" => Reading::text(Logical::TEXT, column, None, bytes_long),
            "ntext" => Reading::text(Logical::TEXT, column, None, units_long),
            "json" => {
                Reading::text(Logical::Json, format!("CONVERT(nvarchar(max), {column})"), None, bytes_long)
            }
            "date" => ascii(Logical::Date, format!("CONVERT(char(10), {column}, 23)"), 10),
            "smalldatetime" | "datetime" => {
                ascii(Logical::TIMESTAMP, format!("CONVERT(varchar(33), {column}, 126)"), 33)
            }
            "datetime2" => {
                let text = format!("CONVERT(varchar(33), {column}, 126)");
                to_the_microsecond(native, Logical::TIMESTAMP, text, 33, &column)
            }
            "datetimeoffset" => {
                let text = format!("CONVERT(varchar(40), {column}, 126)");
                to_the_microsecond(native, Logical::TIMESTAMP_UTC, text, 40, &column)
                    .note("the moments are kept, in UTC; the offsets they were written with are not")
            }
            "time" => {
                let text = format!("CONVERT(varchar(16), {column}, 121)");
                to_the_microsecond(native, Logical::Time, text, 16, &column)
            }
            "uniqueidentifier" => ascii(Logical::Uuid, format!("CONVERT(char(36), {column})"), 36),
            "binary" | "varbinary" => Reading::bytes(column, native.length, bytes_long),
            "image" => Reading::bytes(column, None, bytes_long),
            "timestamp" | "rowversion" => Reading::new(
                Logical::Bytes,
                format!("CONVERT(binary(8), {column})"),
                Fetch::Bytes(Size::Most(8)),
            ),
            "xml" => Reading::other(native, format!("CONVERT(nvarchar(max), {column})"), {
                format!("DATALENGTH(CONVERT(nvarchar(max), {column})) / 2")
            }),
            "hierarchyid" => {
                let text = format!("CONVERT(nvarchar(4000), {column}.ToString())");
                let measure = format!("DATALENGTH({text}) / 2");
                Reading::other(native, text, measure)
            }
            "geography" | "geometry" => {
                let text = format!(
                    "N'SRID=' + CONVERT(nvarchar(11), {column}.STSrid) + N';' \
                     + CONVERT(nvarchar(max), {column}.ToString())"
                );
                let measure = format!("DATALENGTH({text}) / 2");
                Reading::other(native, text, measure)
            }
            "sql_variant" => {
                let of =
                    |kind: &str, text: &str| format!(" WHEN '{kind}' THEN CONVERT(nvarchar(max), {text})");
                let text = format!(
                    "CASE CONVERT(varchar(128), SQL_VARIANT_PROPERTY({column}, 'BaseType')){}{}{}{}{}{}{}{}{}{}{}{}{} \
                     ELSE CONVERT(nvarchar(max), CONVERT(nvarchar(4000), {column})) END",
                    of("char", &long_text(&column)),
                    of("varchar", &long_text(&column)),
                    of("float", &real_text(&column, "float", 8)),
                    of("real", &real_text(&column, "real", 4)),
                    of("money", &format!("CONVERT(varchar(40), CONVERT(decimal(19,4), {column}))")),
                    of("smallmoney", &format!("CONVERT(varchar(40), CONVERT(decimal(10,4), {column}))")),
                    of("datetime", &format!("CONVERT(varchar(40), CONVERT(datetime, {column}), 126)")),
                    of("smalldatetime", &format!("CONVERT(varchar(40), CONVERT(datetime, {column}), 126)")),
                    of("date", &format!("CONVERT(varchar(40), CONVERT(date, {column}), 23)")),
                    of("datetime2", &format!("CONVERT(varchar(40), CONVERT(datetime2, {column}), 126)")),
                    of(
                        "datetimeoffset",
                        &format!("CONVERT(varchar(40), CONVERT(datetimeoffset, {column}), 126)")
                    ),
                    of("binary", &format!("CONVERT(varchar(max), CONVERT(varbinary(8000), {column}), 2)")),
                    of("varbinary", &format!("CONVERT(varchar(max), CONVERT(varbinary(8000), {column}), 2)")),
                );
                // Sixteen thousand digits are the most: a binary value of 8,000 bytes.
                let reading = Reading::other(native, text, format!("2 * DATALENGTH({column}) + 64"));
                reading.note(
                    "the values are of several types, and are read as text; numbers and texts that the server cannot \
                     write as such without loss as the hexadecimal digits of their bytes, behind 0x",
                )
            }
            other => return Err(format!("there is no way to read `{other}` that is known to be exact")),
        })
    }

    fn hidden_rows(&self, table: &str) -> Option<String> {
        // There are such policies from version 2016 on.
        let db = database(table);
        Some(format!(
            "SELECT '1' FROM {db}sys.security_predicates x \
             INNER JOIN {db}sys.security_policies p ON p.object_id = x.object_id \
             WHERE x.target_object_id = {} AND x.predicate_type_desc = 'FILTER' AND p.is_enabled = 1",
            object(table)
        ))
    }

    fn moments(&self, table: Option<&str>) -> Option<String> {
        // A session is what its own database allows; that of another may allow less.
        let parts = parts(table?, str::to_owned);
        let [other, _, _] = parts.as_slice() else { return None };
        Some(format!(
            "SELECT CASE WHEN d.is_read_committed_snapshot_on = 1 \
             OR (d.snapshot_isolation_state = 1 AND o.snapshot_isolation_state = 1) THEN '1' ELSE '0' END, \
             CASE WHEN d.snapshot_isolation_state = 1 THEN '1' ELSE '0' END \
             FROM sys.databases d CROSS JOIN sys.databases o WHERE d.name = N{} AND o.database_id = DB_ID()",
            quoted(other)
        ))
    }

    fn dividing_columns(&self, table: &str) -> Option<String> {
        let db = database(table);
        Some(format!(
            "SELECT c.name FROM {db}sys.indexes i \
             INNER JOIN {db}sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id \
             INNER JOIN {db}sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id \
             WHERE i.object_id = {} AND ic.key_ordinal = 1 AND i.type IN (1, 2) AND i.is_disabled = 0 \
             AND i.has_filter = 0 ORDER BY i.type, i.is_primary_key DESC, i.is_unique DESC, i.index_id",
            object(table)
        ))
    }

    fn estimated_rows(&self, table: &str) -> Option<String> {
        Some(format!(
            "SELECT CONVERT(varchar(20), SUM(p.rows)) FROM {}sys.partitions p \
             WHERE p.object_id = {} AND p.index_id IN (0, 1)",
            database(table),
            object(table)
        ))
    }

    fn tables(&self) -> Option<String> {
        Some(
            "SELECT s.name, o.name, CASE o.type WHEN 'V' THEN '1' ELSE '0' END, CONVERT(varchar(20), p.rows) \
             FROM sys.objects o INNER JOIN sys.schemas s ON s.schema_id = o.schema_id \
             LEFT JOIN (SELECT object_id, SUM(rows) AS rows FROM sys.partitions WHERE index_id IN (0, 1) \
             GROUP BY object_id) p ON p.object_id = o.object_id \
             WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 \
             AND HAS_PERMS_BY_NAME(QUOTENAME(s.name) + N'.' + QUOTENAME(o.name), N'OBJECT', N'SELECT') = 1 \
             AND NOT EXISTS (SELECT 1 FROM sys.extended_properties e WHERE e.class = 1 \
             AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = N'microsoft_database_tools_support')"
                .to_owned(),
        )
    }

    fn unique_keys(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT i.name, CONVERT(varchar(1), i.is_primary_key), c.name FROM sys.indexes i \
             INNER JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id \
             INNER JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id \
             WHERE i.object_id = {} AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 \
             AND i.has_filter = 0 AND ic.key_ordinal > 0 \
             AND NOT EXISTS (SELECT 1 FROM sys.index_columns nic INNER JOIN sys.columns nc \
             ON nc.object_id = nic.object_id AND nc.column_id = nic.column_id \
             WHERE nic.object_id = i.object_id AND nic.index_id = i.index_id AND nic.key_ordinal > 0 \
             AND nc.is_nullable = 1) ORDER BY i.is_primary_key DESC, i.index_id, ic.key_ordinal",
            object(&table.written)
        ))
    }

    fn foreign_keys(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT k.name, c.name, s.name, p.name, r.name FROM sys.foreign_keys k \
             INNER JOIN sys.foreign_key_columns f ON f.constraint_object_id = k.object_id \
             INNER JOIN sys.columns c ON c.object_id = f.parent_object_id AND c.column_id = f.parent_column_id \
             INNER JOIN sys.objects p ON p.object_id = f.referenced_object_id \
             INNER JOIN sys.schemas s ON s.schema_id = p.schema_id INNER JOIN sys.columns r \
             ON r.object_id = f.referenced_object_id AND r.column_id = f.referenced_column_id \
             WHERE k.parent_object_id = {} ORDER BY k.name, f.constraint_column_id",
            object(&table.written)
        ))
    }

    fn column_facts(&self, table: &Listed) -> Option<String> {
        Some(format!(
            "SELECT c.name, CASE WHEN c.is_identity = 1 THEN N'identity()' ELSE d.definition END, \
             CONVERT(varchar(11), COLLATIONPROPERTY(c.collation_name, 'CodePage')), NULL, NULL FROM sys.columns c \
             LEFT JOIN sys.default_constraints d ON d.object_id = c.default_object_id \
             WHERE c.object_id = {} ORDER BY c.column_id",
            object(&table.written)
        ))
    }

    fn whereabouts(&self) -> Option<&'static str> {
        Some("SELECT CONVERT(nvarchar(256), SERVERPROPERTY('ServerName')), DB_NAME()")
    }

    fn clock(&self) -> Option<&'static str> {
        Some("SELECT CONVERT(varchar(33), SYSUTCDATETIME(), 126)")
    }

    fn literal(&self, text: &str, native: &Native) -> String {
        // A literal of the other kind would make the server compare by another order.
        let prefix = if native.base.starts_with('n') { "N" } else { "" };
        format!("{prefix}{}", quoted(text))
    }

    fn temporary(&self, number: usize, declared: &str) -> (String, String) {
        // Its text is as in the database, and not as in tempdb, where the table is.
        let word = declared.split('(').next().unwrap_or_default();
        let is_text = matches!(word, "char" | "varchar" | "nchar" | "nvarchar" | "text" | "ntext");
        let collation = if is_text { " COLLATE DATABASE_DEFAULT" } else { "" };
        (
            format!("CREATE TABLE #counterfoil_{number} (id int, v {declared}{collation} NULL)"),
            format!("tempdb..#counterfoil_{number}"),
        )
    }

    fn holds(&self, declared: &str, logical: &Logical, characters: Option<&str>) -> Holds {
        holds::holds(declared, logical, characters)
    }

    fn samples(&self) -> &'static [Sample] {
        samples::SAMPLES
    }
}

#[cfg(test)]
mod tests;
