//! `check-config --connect`: what only the connections know is told with its place, all of it at once.

use serde_json::{Value as Json, json};

use crate::odbc::Database as Odbc;
use crate::servers::postgres::{self, Database, PASSWORD};
use crate::support::{Folder, Ran};

fn project(connections: &Json, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nconnections: {connections}\ndatasets: rules/*.yml\n"
        ),
    );
    for (name, text) in files {
        folder.write(&format!("rules/{name}.yml"), text);
    }
    folder
}

fn connected(folder: &Folder) -> Ran {
    let ran = folder.run(&["check-config", "--connect"]);
    assert!(!folder.path().join("counterfoil-out").exists(), "something was written");
    assert!(!ran.stderr.contains(PASSWORD) && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
    ran
}

fn native(database: &Database) -> Json {
    json!({"db": {"type": "postgres", "url": database.url()}})
}

fn tables(database: &Database) {
    database.execute(
        "CREATE TABLE t (id int PRIMARY KEY, name text, amount numeric(9,2)); \
         CREATE TABLE hidden (id int); REVOKE ALL ON hidden FROM public; GRANT SELECT ON t TO only_tls",
    );
}

#[test]
fn tables_and_columns_that_are_there_are_no_mistake() {
    let Some(database) = postgres::database() else { return };
    tables(&database);
    let file = "dataset: t\nkey: [id]\nsource: { connection: db, table: t, where: id > 0 }\n\
                target: { file: t.csv, types: { id: i64 } }\nchecks:\n  - { check: not_null, columns: [name] }\n";
    let folder = project(&native(&database), &[("t", file)]);
    folder.write("t.csv", "id,name,amount\n1,x,1.50\n");
    let ran = connected(&folder);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.contains("no mistake in 1 dataset with 1 rule"), "{ran:?}");
}

#[test]
fn all_that_does_not_fit_is_told_at_once_with_its_place() {
    let Some(database) = postgres::database() else { return };
    tables(&database);
    let files = [
        ("a", "dataset: a\nkey: [id]\nsource:\n  connection: db\n  table: nowhere\n"),
        ("b", "dataset: b\nkey: [ident]\nsource: { connection: db, table: t }\n"),
        (
            "c",
            "dataset: c\nkey: [id]\nsource:\n  connection: db\n  table: t\n  omit: [nam]\n  columns: { Amount: x }\n",
        ),
        ("d", "dataset: d\nkey: [id]\nsource:\n  connection: db\n  table: t\n  where: idd > 0\n"),
        ("e", "dataset: e\nkey: [id]\nsource:\n  connection: db\n  query: select id frm t\n"),
        (
            "f",
            "dataset: f\nkey: [id]\nsource: { connection: db, table: t, filter: nothing > 1 }\n\
             checks:\n  - { check: not_null, columns: [names] }\n",
        ),
        ("g", "dataset: g\nkey: [id]\nsource: { file: no.csv }\n"),
    ];
    let folder = project(&native(&database), &files);
    let ran = connected(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for text in [
        "there is no table or view `nowhere`",
        "rules/a.yml:5",
        "ident",
        "rules/b.yml:2",
        "no column that we call `nam`",
        "the table has no column `Amount`",
        "rules/d.yml:6",
        "idd",
        "rules/e.yml:5",
        "syntax error",
        "nothing",
        "names",
        "there is no file",
        "rules/g.yml:3",
    ] {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
    // Offline nothing of it is a mistake.
    assert_eq!(folder.run(&["check-config"]).code, Some(0));
}

#[test]
fn a_connection_that_cannot_be_opened_is_told_once_and_the_others_are_tried() {
    let Some(database) = postgres::database() else { return };
    tables(&database);
    let port = database.server.port;
    let wrong = format!("postgresql://scram:hunter2@127.0.0.1:{port}/{}?sslmode=disable", database.name);
    let dead = format!("postgresql://postgres@127.0.0.1:1/{}?sslmode=disable", database.name);
    let odbc =
        format!("Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port=1;Database={};UID=x", database.name);
    let connections = json!({
        "wrong": {"type": "postgres", "url": wrong},
        "dead": {"type": "postgres", "url": dead},
        "odbc": {"type": "odbc", "connection_string": odbc},
        "db": {"type": "postgres", "url": database.url()},
    });
    let one = |name: &str, connection: &str| {
        format!("dataset: {name}\nkey: [id]\nsource: {{ connection: {connection}, table: t }}\n")
    };
    let texts = [one("a", "wrong"), one("b", "wrong"), one("c", "dead"), one("d", "odbc"), one("e", "db")];
    let broken = "dataset: f\nkey: [id]\nsource: { connection: db, table: gone }\n".to_owned();
    let names = ["a", "b", "c", "d", "e"];
    let mut files: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    files.push(("f", &broken));
    let folder = project(&connections, &files);
    let ran = connected(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for (text, times) in [
        ("connection `wrong` cannot be read: ", 1),
        ("connection `dead` cannot be read: ", 1),
        ("connection `odbc` cannot be read: ", 1),
        ("is the server running", 1),
        ("there is no table or view `gone`", 1),
    ] {
        assert_eq!(ran.stderr.matches(text).count(), times, "{text}: {}", ran.stderr);
    }
}

#[test]
fn tables_without_a_partner_are_mistakes() {
    let Some(database) = postgres::database() else { return };
    database.execute(
        "CREATE SCHEMA old; CREATE SCHEMA new; CREATE TABLE old.a (id int PRIMARY KEY); \
         CREATE TABLE new.a (id int PRIMARY KEY); CREATE TABLE old.b (id int PRIMARY KEY)",
    );
    let dead = format!("postgresql://postgres@127.0.0.1:1/{}?sslmode=disable", database.name);
    let mut connections = native(&database);
    connections["dead"] = json!({"type": "postgres", "url": dead});
    let all = "source: { connection: db, tables: old.* }\ntarget: { connection: db, tables: new.* }\n";
    let ran = connected(&project(&connections, &[("all", all)]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("the target has no table of the name `b`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("rules/all.yml:1"), "{}", ran.stderr);
    // A connection whose tables cannot be listed is told once.
    let all = all.replacen("db", "dead", 1);
    let one = "dataset: one\nkey: [id]\nsource: { connection: dead, table: t }\n";
    let ran = connected(&project(&connections, &[("all", &all), ("one", one)]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(ran.stderr.matches("is the server running").count(), 1, "{}", ran.stderr);
}

#[test]
fn drivers_are_asked_too() {
    for word in Odbc::WORDS {
        let Some(database) = Odbc::new(word) else { continue };
        database.execute("CREATE TABLE t (id int, name varchar(9))");
        let connections = json!({"db": {"type": "odbc", "connection_string": database.connection_string()}});
        let good = "dataset: good\nkey: [id]\nsource: { connection: db, table: t, where: id > 0 }\n";
        let ran = connected(&project(&connections, &[("good", good)]));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{word}: {ran:?}");
        let files = [
            ("a", "dataset: a\nkey: [id]\nsource: { connection: db, table: nowhere }\n"),
            ("b", "dataset: b\nkey: [ident]\nsource: { connection: db, table: t }\n"),
            ("c", "dataset: c\nkey: [id]\nsource: { connection: db, table: t, omit: [nam] }\n"),
            ("d", "dataset: d\nkey: [id]\nsource:\n  connection: db\n  table: t\n  where: idd > 0\n"),
        ];
        let ran = connected(&project(&connections, &files));
        assert_eq!(ran.code, Some(2), "{word}: {ran:?}");
        for text in ["`nowhere`", "rules/a.yml:3", "ident", "call `nam`", "rules/d.yml:6", "`where`: "] {
            assert!(ran.stderr.contains(text), "{word}, {text}: {}", ran.stderr);
        }
    }
}
