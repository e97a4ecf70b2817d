//! What databases say of their tables, asked through each connector and dialect.

use counterfoil::source::Cancel;

use super::{catalogue, told};
use crate::odbc::Database;
use crate::servers::postgres;
use crate::servers::tds::{Answer, Column, Request, Responder, Row, Type, column, freetds, row};
use crate::support::golden;

/// The tables of the tests; what is before the bar is left out for a database that has no such thing.
const TABLES: &[(&str, &str)] = &[
    (
        "",
        "CREATE TABLE parent (id int NOT NULL PRIMARY KEY, code varchar(10) NOT NULL, alias varchar(10), UNIQUE (code), UNIQUE (alias))",
    ),
    (
        "",
        "CREATE TABLE child (b int NOT NULL, a varchar(8) NOT NULL, parent_id int, parent_code varchar(10), amount decimal(9,2) NOT NULL, \
         born date, PRIMARY KEY (a, b), CONSTRAINT to_parent FOREIGN KEY (parent_id) REFERENCES parent (id), \
         CONSTRAINT to_code FOREIGN KEY (parent_code) REFERENCES parent (code))",
    ),
    (
        "",
        "CREATE TABLE grandchild (n int NOT NULL, x varchar(8), y int, CONSTRAINT both_parts FOREIGN KEY (x, y) REFERENCES child (a, b))",
    ),
    ("mysql", "CREATE TABLE `odd ``name` (`from` int NOT NULL, `it's` text)"),
    ("postgres sqlite", "CREATE TABLE \"odd \"\"name\" (\"from\" int NOT NULL, \"it's\" text)"),
    ("", "CREATE VIEW all_children AS SELECT * FROM child"),
    ("postgres sqlite", "CREATE UNIQUE INDEX only_some ON grandchild (n) WHERE n > 0"),
    ("postgres", "CREATE UNIQUE INDEX of_expression ON grandchild ((n + 1))"),
    ("postgres", "CREATE SCHEMA housing"),
    ("postgres", "CREATE DOMAIN money_amount AS numeric(12,2) NOT NULL"),
    ("postgres", "CREATE DOMAIN rent_amount AS money_amount"),
    ("postgres", "CREATE TYPE state AS ENUM ('open', 'shut')"),
    (
        "postgres",
        "CREATE TABLE housing.parts (id int PRIMARY KEY, made timestamptz, rent rent_amount, now state, tags text[]) PARTITION BY RANGE (id)",
    ),
    ("postgres", "CREATE TABLE housing.parts_1 PARTITION OF housing.parts FOR VALUES FROM (0) TO (10)"),
    ("postgres", "CREATE TABLE housing.parts_2 PARTITION OF housing.parts FOR VALUES FROM (10) TO (20)"),
    ("postgres", "INSERT INTO housing.parts (id, rent) SELECT i, 1 FROM generate_series(1, 19) i"),
    (
        "postgres",
        "CREATE TABLE housing.referring (part int REFERENCES housing.parts, self int UNIQUE NOT NULL)",
    ),
    ("postgres", "CREATE MATERIALIZED VIEW housing.kept AS SELECT 1 AS one"),
    ("postgres", "ANALYZE"),
    ("sqlite", "CREATE TABLE plain (id INTEGER PRIMARY KEY, up INTEGER REFERENCES Parent, what)"),
    (
        "mysql",
        "CREATE TABLE numbers (n bigint unsigned NOT NULL, short varchar(40), UNIQUE KEY by_part (short(3)))",
    ),
];

fn statements(word: &str) -> String {
    let wanted =
        TABLES.iter().filter(|(words, _)| words.is_empty() || words.split(' ').any(|own| own == word));
    wanted.map(|(_, sql)| format!("{sql};\n")).collect()
}

/// Asks a database by its driver; `dialect` is as in a project file.
fn by_odbc(word: &str, dialect: &str) -> Option<String> {
    let database = Database::new(word)?;
    let statements = statements(word);
    // A database of no dialect quotes names as the standard says.
    let plain = statements.split_inclusive(";\n").filter(|sql| dialect.is_empty() || !sql.contains("odd"));
    database.execute(&plain.collect::<String>());
    let connection = format!(
        "{{ type: odbc, connection_string: '{}', {dialect} }}",
        database.connection_string().replace('\'', "''")
    );
    let text = told(&*catalogue(&connection));
    Some(match &database {
        Database::MariaDb(database) => text.replace(&database.name, "the_database"),
        _ => text,
    })
}

#[test]
fn each_dialect_tells_tables_columns_and_keys() {
    for word in Database::WORDS {
        if let Some(text) = by_odbc(word, "") {
            golden(&format!("tests/it/init/catalogue/{word}.txt"), &text);
        }
    }
}

#[test]
fn a_database_of_no_dialect_tells_by_its_driver() {
    for word in Database::WORDS {
        if let Some(text) = by_odbc(word, "dialect: generic") {
            golden(&format!("tests/it/init/catalogue/{word}-generic.txt"), &text);
        }
    }
}

#[test]
fn postgres_tells_the_same_with_and_without_a_driver() {
    let Some(database) = postgres::database() else { return };
    database.execute(&statements("postgres"));
    let text = told(&*catalogue(&format!("{{ type: postgres, url: '{}' }}", database.url())));
    golden("tests/it/init/catalogue/postgres-native.txt", &text);
    if let Some(by_driver) = by_odbc("postgres", "") {
        let without_types = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| {
                    !line.starts_with("  ") || line.contains(" key: ") || line.contains("unique: ")
                })
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(without_types(&text), without_types(&by_driver));
    }
}

#[test]
fn what_a_user_may_not_read_is_not_told() {
    let Some(database) = postgres::database() else { return };
    database.execute(
        "CREATE TABLE mine (a int); CREATE TABLE theirs (a int); CREATE SCHEMA closed; CREATE TABLE closed.c (a int);
         GRANT SELECT ON mine TO only_plain; GRANT SELECT ON closed.c TO only_plain",
    );
    let url = database.url().replace("postgres@", "only_plain@");
    let catalogue = catalogue(&format!("{{ type: postgres, url: '{url}' }}"));
    let tables = catalogue.tables(&Cancel::default()).unwrap();
    assert_eq!(tables.iter().map(|table| table.written.as_str()).collect::<Vec<_>>(), ["public.mine"]);
    assert_eq!(catalogue.unreadable(&Cancel::default()).unwrap(), 2);
    // What is gone is an error, and the next question is answered all the same.
    database.execute("DROP TABLE mine");
    let error = catalogue.describe(&tables[0], &Cancel::default()).unwrap_err().to_string();
    assert!(error.contains("`public.mine`"), "{error}");
    database.execute("CREATE TABLE next (a int); GRANT SELECT ON next TO only_plain");
    assert!(catalogue.tables(&Cancel::default()).is_ok());
}

/// Answers as a SQL Server would, of one schema with two tables and a view.
fn answer(request: &Request) -> Answer {
    let sql = request.sql.as_str();
    let text = |names: &[&str]| -> Vec<Column> {
        names.iter().map(|name| column(name, Type::NVarChar(128))).collect()
    };
    let of = |names: &[&str], rows: Vec<Row>| Answer::rows(text(names), rows);
    let is_child = sql.contains("OBJECT_ID(N'dbo.tenagree')");
    if sql.starts_with("SET ") || sql.starts_with("BEGIN TRAN") || sql.starts_with("ROLLBACK") {
        Answer::done()
    } else if sql.contains("SERVERPROPERTY") {
        of(&["v"], vec![row(["15.0.2000.5 Standard Edition"])])
    } else if sql.contains("sys.databases") {
        of(&["a", "b"], vec![row(["1", "0"])])
    } else if sql.contains("sys.objects o INNER JOIN sys.schemas") {
        of(
            &["s", "o", "v", "n"],
            vec![
                row(["dbo", "tenagree", "0", "42"]),
                row(["dbo", "Rent View", "1", "NULL"]),
                row(["dbo", "property", "0", "7"]),
            ],
        )
    } else if sql.contains("sys.foreign_keys") && is_child {
        of(&["k", "c", "s", "p", "r"], vec![row(["fk", "prop_ref", "dbo", "property", "prop_ref"])])
    } else if sql.contains("sys.foreign_keys") {
        of(&["k", "c", "s", "p", "r"], Vec::new())
    } else if sql.contains("sys.indexes") && is_child {
        of(
            &["i", "p", "c"],
            vec![row(["pk", "1", "tag_ref"]), row(["u", "0", "house"]), row(["u", "0", "person"])],
        )
    } else if sql.contains("sys.indexes") {
        of(&["i", "p", "c"], Vec::new())
    } else if sql.contains("sys.all_columns") {
        let line = |name: &str, base: &str, length: &str, nullable: &str, declared: &str| {
            row([name, base, length, "0", "0", nullable, declared])
        };
        let mut rows = vec![
            line("prop_ref", "char", "12", "0", "char(12)"),
            line("odd", "cursor", "NULL", "1", "cursor"),
        ];
        if is_child {
            rows.insert(0, line("tag_ref", "char", "11", "0", "char(11)"));
            rows.push(line("house", "nvarchar", "10", "0", "nvarchar(10)"));
            rows.push(line("person", "int", "NULL", "0", "int"));
        }
        of(&["n", "b", "l", "p", "s", "u", "d"], rows)
    } else {
        Answer::error(208, 16, &format!("not expected: {sql}"))
    }
}

#[test]
fn sql_server_tells_in_few_questions() {
    let server = Responder::start(answer);
    let Some(string) = freetds::connection_string(server.port, "7.4") else { return };
    let catalogue =
        catalogue(&format!("{{ type: odbc, dialect: sqlserver, connection_string: '{string}' }}"));
    let text = told(&*catalogue);
    golden("tests/it/init/catalogue/sqlserver.txt", &text);
    let asked =
        server.sql().into_iter().filter(|sql| sql.contains("FROM sys.") && !sql.contains("sys.databases"));
    // One for the tables, three for each of them.
    assert_eq!(asked.count(), 1 + 3 * 3);
    drop(catalogue);
}
