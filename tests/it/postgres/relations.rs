//! What can be read: tables, views, queries; odd names, odd tables.

use super::{Reader, only, rows, some};
use crate::servers::postgres::{Database, database};

fn people() -> Option<Database> {
    let database = database()?;
    database.execute(
        "CREATE SCHEMA housing;
         CREATE TABLE housing.people (id int PRIMARY KEY, name text, gone int, born date);
         INSERT INTO housing.people VALUES (1, 'Ann', 1, '1980-01-01'), (2, 'Bob', 2, NULL), (3, NULL, 3, '1990-02-03');
         ALTER TABLE housing.people DROP COLUMN gone;
         CREATE VIEW housing.named AS SELECT id, upper(name) AS name FROM housing.people WHERE name IS NOT NULL;
         CREATE MATERIALIZED VIEW housing.kept AS SELECT id FROM housing.people;
         CREATE TABLE housing.empty (id int, c char(3));
         CREATE TABLE housing.no_columns ();
         CREATE TABLE housing.\"Odd \"\"Table\"\"\" (\"Odd \"\"column\"\"\" int, \"select\" int, \"ä b\" text);
         INSERT INTO housing.\"Odd \"\"Table\"\"\" VALUES (1, 2, 'x')",
    );
    Some(database)
}

#[test]
fn tables_and_views() {
    let Some(database) = people() else { return };
    let reader = Reader::of(&database);
    let snapshot = reader.table("housing.people");
    assert_eq!(snapshot.manifest.columns.len(), 3);
    assert_eq!(rows(&snapshot)[0], some(&["1", "Ann", "1980-01-01"]));
    assert_eq!(snapshot.manifest.query, "housing.people");
    let server = snapshot.manifest.server.as_ref().expect("a server");
    assert_eq!(
        server.version,
        format!("PostgreSQL {}", database.value("SHOW server_version").split(' ').next().unwrap())
    );
    assert_eq!(server.isolation, "repeatable read, read only");
    assert_eq!(rows(&reader.table("housing.named")), [some(&["1", "ANN"]), some(&["2", "BOB"])]);
    assert_eq!(only(&reader.table("housing.kept")), some(&["1", "2", "3"]));
}

#[test]
fn columns_are_renamed_and_left_out() {
    let Some(database) = people() else { return };
    let reader = Reader::of(&database);
    let side = "{ table: housing.people, columns: { id: person }, omit: [name], where: \"born > '1985-01-01' -- a remark\" }";
    let snapshot = reader.take("t", side).expect("a snapshot");
    let names: Vec<(&str, &str)> =
        snapshot.manifest.columns.iter().map(|c| (c.source_name.as_str(), c.name.as_str())).collect();
    assert_eq!(names, [("id", "person"), ("born", "born")]);
    assert_eq!(rows(&snapshot), [some(&["3", "1990-02-03"])]);
    let error = reader.refused("{ table: housing.people, omit: [nam], columns: { idd: x } }");
    assert!(error.contains("no column `idd`") && error.contains("did you mean `name`"), "{error}");
    let qualified =
        reader.take("t", "{ table: housing.people, where: 'people.id = 2' }").expect("a snapshot");
    assert_eq!(rows(&qualified), [vec![Some("2".to_owned()), Some("Bob".to_owned()), None]]);
}

#[test]
fn queries() {
    let Some(database) = people() else { return };
    let reader = Reader::of(&database);
    for query in [
        "select id, name from housing.people order by id desc",
        "select id, name from housing.people order by id desc; ",
        "with p as (select * from housing.people) select id, name from p order by 1 desc -- the newest first",
        "values (3, null), (2, 'Bob'), (1, 'Ann')",
    ] {
        let snapshot = reader.take("t", &format!("{{ query: \"{query}\" }}")).expect(query);
        assert_eq!(rows(&snapshot)[2], some(&["1", "Ann"]), "{query}");
    }
    let snapshot =
        reader.take("t", "{ query: 'select 1::numeric(5,2) as a, 1.5 as b, count(*) from housing.people' }");
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(rows(&snapshot), [some(&["1.00", "1.5", "3"])]);
    let error = reader.refused("{ query: 'select id, id from housing.people' }");
    assert!(error.contains("two columns of the table would have the name `id`"), "{error}");
}

#[test]
fn odd_names() {
    let Some(database) = people() else { return };
    let reader = Reader::of(&database);
    let snapshot = reader.table("housing.\"Odd \"\"Table\"\"\"");
    let names: Vec<&str> = snapshot.manifest.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["Odd \"column\"", "select", "ä b"]);
    assert_eq!(rows(&snapshot), [some(&["1", "2", "x"])]);
    for (name, says) in [
        ("housing.peple", "there is no table or view `housing.peple`"),
        ("nowhere.people", "there is no table or view `nowhere.people`"),
        ("housing.people_pkey", "is an index"),
        ("a.b.c.d", "SQLSTATE"),
    ] {
        let error = reader.refused(&format!("{{ table: {name} }}"));
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn empty_tables() {
    let Some(database) = people() else { return };
    let reader = Reader::of(&database);
    let snapshot = reader.table("housing.empty");
    assert_eq!((snapshot.manifest.rows, snapshot.manifest.columns.len()), (0, 2));
    assert_eq!(snapshot.manifest.columns[1].padded, Some(0));
    assert!(snapshot.manifest.server.is_some());
    let error = reader.refused("{ table: housing.no_columns }");
    assert!(error.contains("housing.no_columns has no columns"), "{error}");
}

#[test]
fn what_the_server_refuses_is_said_without_values() {
    let Some(database) = people() else { return };
    database.execute(
        "CREATE TABLE secret (v text); INSERT INTO secret VALUES ('hunter2');
         CREATE VIEW bad AS SELECT v::int AS v FROM secret;
         CREATE FUNCTION raise() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hunter2'; END $$;
         CREATE FUNCTION write() RETURNS int LANGUAGE sql AS $$ INSERT INTO secret VALUES ('x'); SELECT 1 $$;
         ALTER TABLE housing.people ENABLE ROW LEVEL SECURITY;
         GRANT USAGE ON SCHEMA housing TO only_plain; GRANT SELECT ON housing.people TO only_plain",
    );
    let reader = Reader::of(&database);
    for (side, says) in [
        ("{ table: bad }", "SQLSTATE 22P02"),
        ("{ query: 'select raise()' }", "SQLSTATE P0001"),
        ("{ query: 'select 1/0 as x' }", "SQLSTATE 22012"),
        ("{ query: 'selec 1' }", "syntax error"),
        ("{ table: secret, where: 'nme = 1' }", "column \"nme\" does not exist"),
        // Nothing is ever written.
        ("{ query: 'select write()' }", "SQLSTATE 25006"),
        ("{ query: 'delete from secret returning v' }", "SQLSTATE 42601"),
    ] {
        let error = reader.refused(side);
        assert!(error.contains(says) && !error.contains("hunter2"), "{side}: {error}");
    }
    assert_eq!(database.value("SELECT count(*) FROM secret"), "1");
    // After all that the connection still serves.
    assert_eq!(reader.table("housing.named").manifest.rows, 2);
    let plain = Reader::new(&database.url().replace("postgres@", "only_plain@"), "");
    let error = plain.refused("{ table: secret }");
    assert!(error.contains("permission denied") && error.contains("grant select"), "{error}");
    let error = plain.refused("{ table: housing.people }");
    assert!(error.contains("row-level security") && error.contains("BYPASSRLS"), "{error}");
}

#[test]
fn the_servers_settings_change_nothing() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE t (i interval, d date[], f float8[], b bytea[], z timestamptz[])");
    database.execute(
        "INSERT INTO t VALUES ('1 day 2 hours', '{2026-01-31}', '{0.1}', ARRAY['\\x00ff'::bytea], '{2026-01-31 00:00+00}')",
    );
    let plain = rows(&Reader::of(&database).table("t"));
    database.execute(&format!(
        "ALTER DATABASE {0} SET IntervalStyle = 'iso_8601'; ALTER DATABASE {0} SET DateStyle = 'SQL, DMY';
         ALTER DATABASE {0} SET extra_float_digits = -10; ALTER DATABASE {0} SET bytea_output = 'escape';
         ALTER DATABASE {0} SET TimeZone = 'America/New_York'; ALTER DATABASE {0} SET default_transaction_isolation = 'read committed'",
        database.name
    ));
    assert_eq!(rows(&Reader::of(&database).table("t")), plain);
    assert_eq!(
        plain,
        [some(&[
            "1 day 02:00:00",
            "{2026-01-31}",
            "{0.1}",
            "{\"\\\\x00ff\"}",
            "{\"2026-01-31 00:00:00+00\"}"
        ])]
    );
}
