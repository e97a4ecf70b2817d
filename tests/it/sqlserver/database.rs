//! A SQL Server database in memory: user tables, the catalogue's views over them, and what a session may say.

use std::sync::Arc;

use super::convert::parse_type;
use super::tsql::{Names, Table, select};
use crate::servers::tds::{Answer, Column, Request, Row, ServerError, Type, column, row};

/// A table of the user.
#[derive(Debug, Clone, Default)]
pub struct UserTable {
    /// `schema.name`.
    pub name: &'static str,
    pub table: Table,
    /// The types as declared, where they are alias types: the column's name and the alias.
    pub aliases: Vec<(&'static str, &'static str)>,
    /// The column of its clustered primary key.
    pub key: Option<&'static str>,
    /// Its foreign keys: the column, and the parent's schema, name and column.
    pub references: Vec<(&'static str, &'static str, &'static str, &'static str)>,
    /// How many rows the server believes it has, where that is not as many as it has.
    pub estimate: Option<u64>,
}

/// A database.
#[derive(Debug, Clone, Default)]
pub struct Database {
    pub tables: Vec<UserTable>,
    /// It allows snapshot isolation.
    pub snapshot: bool,
    /// Under READ COMMITTED it reads versions of rows.
    pub versioned: bool,
    /// A security policy decides which rows are seen.
    pub hides: bool,
}

impl Database {
    /// A database of one table, from lines such as `id int not null` and rows of cells.
    pub fn of(name: &'static str, columns: &[&str], rows: Vec<Row>) -> Self {
        let columns: Vec<Column> = columns.iter().map(|line| declared(line)).collect();
        Database { tables: vec![UserTable::new(name, columns, rows)], ..Database::default() }
    }

    /// Answers a request as the server would; the first error of severity 16 where it cannot.
    pub fn answer(&self, request: &Request) -> Answer {
        let sql = request.sql.trim();
        let upper = sql.to_uppercase();
        if upper.starts_with("SET ") || upper.starts_with("BEGIN TRAN") || upper.starts_with("ROLLBACK") {
            return Answer::done();
        }
        if let Some(table) = self.told(sql) {
            return Answer::rows(table.columns, table.rows);
        }
        match select(sql, self) {
            Ok(table) => Answer::rows(table.columns, table.rows),
            Err(message) => Answer::error(208, 16, &message),
        }
    }

    /// What the catalogue says of all tables, and of the keys of one; nothing for other questions.
    fn told(&self, sql: &str) -> Option<Table> {
        let of = |names: &[&str], rows: Vec<Row>| Table {
            columns: names.iter().map(|name| column(name, Type::NVarChar(128))).collect(),
            rows,
        };
        let asked = |table: &&UserTable| sql.contains(&format!("OBJECT_ID(N'{}')", table.name));
        if sql.contains("FROM sys.objects o INNER JOIN sys.schemas") {
            let rows = self.tables.iter().map(|table| {
                let (schema, name) = table.name.split_once('.').expect("a schema");
                row([schema, name, "0", &table.table.rows.len().to_string()])
            });
            return Some(of(&["schema", "name", "is_view", "rows"], rows.collect()));
        }
        if sql.starts_with("SELECT i.name, CONVERT(varchar(1), i.is_primary_key)") {
            let key = self.tables.iter().find(asked).and_then(|table| table.key);
            return Some(of(
                &["name", "is_primary", "column"],
                key.map(|key| row(["pk", "1", key])).into_iter().collect(),
            ));
        }
        if sql.contains("FROM sys.foreign_keys") {
            let keys = self.tables.iter().filter(asked).flat_map(|table| &table.references);
            let rows = keys.map(|(column, schema, table, parent)| row(["fk", column, schema, table, parent]));
            return Some(of(&["name", "column", "schema", "table", "parent"], rows.collect()));
        }
        None
    }

    /// A script for a responder.
    pub fn script(self) -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
        let this = Arc::new(self);
        move |request| this.answer(request)
    }

    fn object(&self, name: &str) -> Option<usize> {
        let plain = name.replace(['[', ']', '"'], "");
        let plain = plain.rsplit('.').take(2).collect::<Vec<_>>();
        let same = |table: &UserTable| {
            let (schema, own) = table.name.split_once('.').expect("a schema");
            match plain[..] {
                [name, owner] => name.eq_ignore_ascii_case(own) && owner.eq_ignore_ascii_case(schema),
                [name] => name.eq_ignore_ascii_case(own) && schema == "dbo",
                _ => false,
            }
        };
        self.tables.iter().position(same)
    }
}

/// The object's number in the catalogue.
fn id(at: usize) -> String {
    (1_000 + at).to_string()
}

/// Reads `id int not null`.
fn declared(line: &str) -> Column {
    let (line, nullable) = line.strip_suffix(" not null").map_or((line, true), |line| (line, false));
    let (name, kind) = line.split_once(' ').expect("a name and a type");
    Column { nullable, ..column(name, parse_type(kind).expect("a type")) }
}

impl UserTable {
    pub fn new(name: &'static str, columns: Vec<Column>, rows: Vec<Row>) -> Self {
        let rows = rows.into_iter().map(|row| {
            let cells = row.into_iter().zip(&columns);
            cells.map(|(cell, column)| cell.map(|text| stored(&text, column.kind))).collect()
        });
        let rows = rows.collect();
        UserTable { name, table: Table { columns, rows }, ..UserTable::default() }
    }
}

/// A value as its column holds it: fixed lengths are filled.
fn stored(text: &str, kind: Type) -> String {
    match kind {
        Type::Char(length) | Type::NChar(length) => format!("{text: <width$}", width = usize::from(length)),
        Type::Binary(length) => format!("{text:0<width$}", width = 2 + 2 * usize::from(length)),
        _ => text.to_owned(),
    }
}

/// What the catalogue says of a type: its name, number, length in bytes, precision and scale.
fn facts(kind: Type) -> (&'static str, u8, i32, u8, u8) {
    let fraction = |whole: u8, scale: u8| if scale == 0 { whole } else { whole + 1 + scale };
    let fine = |scale: u8| match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    };
    let decimal = |precision| match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    };
    match kind {
        Type::Image => ("image", 34, 16, 0, 0),
        Type::Text => ("text", 35, 16, 0, 0),
        Type::UniqueIdentifier => ("uniqueidentifier", 36, 16, 0, 0),
        Type::Date => ("date", 40, 3, 10, 0),
        Type::Time(scale) => ("time", 41, fine(scale), fraction(8, scale), scale),
        Type::DateTime2(scale) => ("datetime2", 42, fine(scale) + 3, fraction(19, scale), scale),
        Type::DateTimeOffset(scale) => ("datetimeoffset", 43, fine(scale) + 5, fraction(26, scale), scale),
        Type::TinyInt => ("tinyint", 48, 1, 3, 0),
        Type::SmallInt => ("smallint", 52, 2, 5, 0),
        Type::Int => ("int", 56, 4, 10, 0),
        Type::SmallDateTime => ("smalldatetime", 58, 4, 16, 0),
        Type::Real => ("real", 59, 4, 24, 0),
        Type::Money => ("money", 60, 8, 19, 4),
        Type::DateTime => ("datetime", 61, 8, 23, 3),
        Type::Float => ("float", 62, 8, 53, 0),
        Type::NText => ("ntext", 99, 16, 0, 0),
        Type::Bit => ("bit", 104, 1, 1, 0),
        Type::Decimal(precision, scale) => ("decimal", 106, decimal(precision), precision, scale),
        Type::Numeric(precision, scale) => ("numeric", 108, decimal(precision), precision, scale),
        Type::SmallMoney => ("smallmoney", 122, 4, 10, 4),
        Type::BigInt => ("bigint", 127, 8, 19, 0),
        Type::VarBinary(length) => ("varbinary", 165, length.into(), 0, 0),
        Type::VarBinaryMax => ("varbinary", 165, -1, 0, 0),
        Type::VarChar(length) => ("varchar", 167, length.into(), 0, 0),
        Type::VarCharMax => ("varchar", 167, -1, 0, 0),
        Type::Binary(length) => ("binary", 173, length.into(), 0, 0),
        Type::Char(length) => ("char", 175, length.into(), 0, 0),
        Type::RowVersion => ("timestamp", 189, 8, 0, 0),
        Type::NVarChar(length) => ("nvarchar", 231, 2 * i32::from(length), 0, 0),
        Type::NVarCharMax => ("nvarchar", 231, -1, 0, 0),
        Type::NChar(length) => ("nchar", 239, 2 * i32::from(length), 0, 0),
        Type::Xml => ("xml", 241, -1, 0, 0),
    }
}

/// All types that have a name of their own, for `sys.types`.
const TYPES: [Type; 30] = [
    Type::Image,
    Type::Text,
    Type::UniqueIdentifier,
    Type::Date,
    Type::Time(7),
    Type::DateTime2(7),
    Type::DateTimeOffset(7),
    Type::TinyInt,
    Type::SmallInt,
    Type::Int,
    Type::SmallDateTime,
    Type::Real,
    Type::Money,
    Type::DateTime,
    Type::Float,
    Type::NText,
    Type::Bit,
    Type::Decimal(38, 38),
    Type::Numeric(38, 38),
    Type::SmallMoney,
    Type::BigInt,
    Type::VarBinary(8_000),
    Type::VarChar(8_000),
    Type::Binary(8_000),
    Type::Char(8_000),
    Type::RowVersion,
    Type::NVarChar(4_000),
    Type::NChar(4_000),
    Type::Xml,
    // Last, with the number of an alias: what sysname is.
    Type::NVarChar(128),
];

/// The first number of alias types.
const FIRST_ALIAS: usize = 257;

impl Database {
    fn aliases(&self) -> Vec<&'static str> {
        let mut aliases: Vec<_> =
            self.tables.iter().flat_map(|table| &table.aliases).map(|(_, alias)| *alias).collect();
        aliases.sort_unstable();
        aliases.dedup();
        aliases
    }

    fn sys_types(&self) -> Table {
        let mut rows: Vec<Row> = TYPES[..TYPES.len() - 1]
            .iter()
            .map(|kind| {
                let (name, number, ..) = facts(*kind);
                row([name, &number.to_string(), &number.to_string()])
            })
            .collect();
        rows.push(row(["sysname", "231", "256"]));
        for table in &self.tables {
            for (name, alias) in &table.aliases {
                let of = table.table.columns.iter().find(|column| column.name == *name).expect("a column");
                let user =
                    FIRST_ALIAS + self.aliases().iter().position(|own| own == alias).expect("an alias");
                rows.push(row([alias, &facts(of.kind).1.to_string(), &user.to_string()]));
            }
        }
        rows.dedup();
        Table {
            columns: vec![
                column("name", Type::NVarChar(128)),
                column("system_type_id", Type::TinyInt),
                column("user_type_id", Type::Int),
            ],
            rows,
        }
    }

    fn sys_columns(&self) -> Table {
        let mut rows = Vec::new();
        for (object, table) in self.tables.iter().enumerate() {
            for (at, column) in table.table.columns.iter().enumerate() {
                let (_, number, length, precision, scale) = facts(column.kind);
                let alias = table.aliases.iter().find(|(name, _)| *name == column.name);
                let user = alias.map_or(usize::from(number), |(_, alias)| {
                    FIRST_ALIAS + self.aliases().iter().position(|own| own == alias).expect("an alias")
                });
                rows.push(row([
                    &id(object),
                    &(at + 1).to_string(),
                    &column.name,
                    &number.to_string(),
                    &user.to_string(),
                    &length.to_string(),
                    &precision.to_string(),
                    &scale.to_string(),
                    if column.nullable { "1" } else { "0" },
                ]));
            }
        }
        Table {
            columns: vec![
                column("object_id", Type::Int),
                column("column_id", Type::Int),
                column("name", Type::NVarChar(128)),
                column("system_type_id", Type::TinyInt),
                column("user_type_id", Type::Int),
                column("max_length", Type::SmallInt),
                column("precision", Type::TinyInt),
                column("scale", Type::TinyInt),
                column("is_nullable", Type::Bit),
            ],
            rows,
        }
    }

    /// The indexes: each table with a key has a clustered one.
    fn sys_indexes(&self, with_columns: bool) -> Table {
        let names: &[&str] = if with_columns {
            &["object_id", "index_id", "index_column_id", "column_id", "key_ordinal"]
        } else {
            &["object_id", "index_id", "type", "is_disabled", "has_filter", "is_primary_key", "is_unique"]
        };
        let mut rows = Vec::new();
        for (object, table) in self.tables.iter().enumerate() {
            let Some(key) = table.key else { continue };
            let at =
                table.table.columns.iter().position(|column| column.name == key).expect("the key's column")
                    + 1;
            rows.push(if with_columns {
                row([&id(object), "1", "1", &at.to_string(), "1"])
            } else {
                row([&id(object), "1", "1", "0", "0", "1", "1"])
            });
        }
        Table { columns: names.iter().map(|name| column(name, Type::Int)).collect(), rows }
    }

    /// The columns of a query, as `sys.dm_exec_describe_first_result_set` gives them.
    fn described(&self, query: &str) -> Table {
        let columns = select(query, self).map(|table| table.columns).unwrap_or_default();
        let rows = columns.iter().enumerate().map(|(at, column)| {
            let (_, number, length, precision, scale) = facts(column.kind);
            row([
                "0",
                &(at + 1).to_string(),
                if column.name.is_empty() { "NULL" } else { &column.name },
                if column.nullable { "1" } else { "0" },
                &number.to_string(),
                "NULL",
                &length.to_string(),
                &precision.to_string(),
                &scale.to_string(),
            ])
        });
        Table {
            rows: rows.collect(),
            columns: vec![
                column("is_hidden", Type::Bit),
                column("column_ordinal", Type::Int),
                column("name", Type::NVarChar(128)),
                column("is_nullable", Type::Bit),
                column("system_type_id", Type::Int),
                column("user_type_name", Type::NVarChar(128)),
                column("max_length", Type::SmallInt),
                column("precision", Type::TinyInt),
                column("scale", Type::TinyInt),
            ],
        }
    }
}

impl Names for Database {
    fn table(&self, name: &[String], arguments: Option<&[Option<String>]>) -> Option<Table> {
        let name = name.join(".");
        let lower = name.to_lowercase();
        Some(match (lower.as_str(), arguments) {
            ("sys.all_columns" | "sys.columns", None) => self.sys_columns(),
            ("sys.types", None) => self.sys_types(),
            ("sys.indexes", None) => self.sys_indexes(false),
            ("sys.index_columns", None) => self.sys_indexes(true),
            ("sys.partitions", None) => Table {
                columns: vec![
                    column("object_id", Type::Int),
                    column("index_id", Type::Int),
                    column("rows", Type::BigInt),
                ],
                rows: self
                    .tables
                    .iter()
                    .enumerate()
                    .map(|(at, table)| {
                        let rows = table.estimate.unwrap_or(table.table.rows.len() as u64);
                        row([&id(at), if table.key.is_some() { "1" } else { "0" }, &rows.to_string()])
                    })
                    .collect(),
            },
            ("sys.databases", None) => {
                let flag = |on: bool| if on { "1" } else { "0" };
                Table {
                    columns: vec![
                        column("database_id", Type::Int),
                        column("snapshot_isolation_state", Type::TinyInt),
                        column("is_read_committed_snapshot_on", Type::Bit),
                    ],
                    rows: vec![row(["5", flag(self.snapshot), flag(self.versioned)]), row(["1", "1", "0"])],
                }
            }
            ("sys.security_predicates", None) => Table {
                columns: vec![
                    column("object_id", Type::Int),
                    column("target_object_id", Type::Int),
                    column("predicate_type_desc", Type::NVarChar(60)),
                ],
                rows: (0..if self.hides { self.tables.len() } else { 0 })
                    .map(|at| row(["77", &id(at), "FILTER"]))
                    .collect(),
            },
            ("sys.security_policies", None) => Table {
                columns: vec![column("object_id", Type::Int), column("is_enabled", Type::Bit)],
                rows: vec![row(["77", "1"])],
            },
            ("sys.dm_exec_describe_first_result_set", Some([Some(query), ..])) => self.described(query),
            (_, None) => self.tables[self.object(&name)?].table.clone(),
            _ => return None,
        })
    }

    fn function(&self, name: &str, arguments: &[Option<String>]) -> Option<(Type, Option<String>)> {
        let first = arguments.first().cloned().flatten();
        Some(match name {
            "object_id" => (Type::Int, first.and_then(|name| self.object(&name)).map(id)),
            "db_name" => (Type::NVarChar(128), Some("uh".to_owned())),
            "db_id" => (Type::SmallInt, Some("5".to_owned())),
            "sysutcdatetime" => (Type::DateTime2(7), Some("2026-03-29 00:30:00.1234567".to_owned())),
            "type_name" => {
                let named = TYPES.iter().map(|kind| facts(*kind)).find(|(_, number, ..)| {
                    first.as_ref().is_some_and(|wanted| *wanted == number.to_string())
                });
                (Type::NVarChar(128), named.map(|(name, ..)| name.to_owned()))
            }
            "serverproperty" => {
                let value = match first.as_deref() {
                    Some("ProductVersion") => Some("15.0.2000.5"),
                    Some("ServerName") => Some("STAND-IN"),
                    Some("Edition") => Some("Standard Edition (64-bit)"),
                    _ => None,
                };
                (Type::NVarChar(128), value.map(str::to_owned))
            }
            _ => return None,
        })
    }
}

/// The error of a server that divides by zero on the way.
pub fn divide_by_zero() -> ServerError {
    ServerError::new(8134, 16, "Divide by zero error encountered.")
}
