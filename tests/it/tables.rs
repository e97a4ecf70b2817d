//! `tables:` takes a whole schema, and one table that fails does not stop the rest.

use serde_json::Value as Json;

use crate::servers::postgres;
use crate::support::{Folder, Ran};

const OLD: &str = r#"
CREATE SCHEMA old;
CREATE TABLE old."Tenancy" ("TAG_REF" varchar(8) PRIMARY KEY, "Rent" numeric(9,2), surname text);
INSERT INTO old."Tenancy" VALUES ('1/01', 101.50, 'Okafor'), ('1/02', 99, 'Ng');
CREATE TABLE old.property (id int PRIMARY KEY, address text NOT NULL, UNIQUE (address));
INSERT INTO old.property VALUES (1, '1 Mare St'), (2, '2 Mare St'), (3, '3 Mare St');
CREATE TABLE old.estate (code text NOT NULL UNIQUE, name text);
INSERT INTO old.estate VALUES ('E1', 'Kings'), ('E2', 'Queens');
CREATE TABLE old.no_key (a int, b int);
INSERT INTO old.no_key VALUES (1, 2);
CREATE TABLE old.dropped (id int PRIMARY KEY);
INSERT INTO old.dropped VALUES (1);
CREATE TABLE old.tmp_1 (id int PRIMARY KEY);
CREATE VIEW old.seen AS SELECT * FROM old.property;
"#;

const NEW: &str = r"
CREATE SCHEMA new;
CREATE TABLE new.tenancy (tag_ref varchar(8) PRIMARY KEY, rent numeric(9,2), surname text);
INSERT INTO new.tenancy VALUES ('1/01', 101.50, 'Okafor'), ('1/02', 99.01, 'Ng');
CREATE TABLE new.property (id int PRIMARY KEY, address text);
INSERT INTO new.property VALUES (1, '1 Mare St'), (2, '2 Mare St'), (3, '3 Mare St');
CREATE TABLE new.estate (code text NOT NULL UNIQUE, name text);
INSERT INTO new.estate VALUES ('E1', 'Kings'), ('E2', 'Queens');
CREATE TABLE new.no_key (a int, b int);
INSERT INTO new.no_key VALUES (1, 2);
CREATE TABLE new.migrations (id int PRIMARY KEY);
";

/// A project of the two schemas, with these dataset files.
fn project(files: &[(&str, &str)]) -> Option<Folder> {
    let database = postgres::database()?;
    database.execute(OLD);
    database.execute(NEW);
    let folder = Folder::new();
    let url = serde_json::to_string(&database.url()).unwrap();
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Schemas\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  \
             db: {{ type: postgres, url: {url} }}\ndatasets: rules/*.yml\n"
        ),
    );
    for (name, text) in files {
        folder.write(&format!("rules/{name}.yml"), text);
    }
    Some(folder)
}

fn dataset<'r>(result: &'r Json, name: &str) -> &'r Json {
    let datasets = result["datasets"].as_array().unwrap();
    datasets.iter().find(|dataset| dataset["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn names(result: &Json) -> Vec<&str> {
    let datasets = result["datasets"].as_array().unwrap();
    datasets.iter().map(|dataset| dataset["name"].as_str().unwrap()).collect()
}

fn run(folder: &Folder) -> (Ran, Json) {
    let ran = folder.run(&["run"]);
    let result = serde_json::to_value(folder.result()).unwrap();
    (ran, result)
}

const ALL: &str = "sensitive: [surname]\nsource: { connection: db, tables: old.*, skip: [old.tmp_*] }\n\
                   target: { connection: db, tables: new.* }\n";

#[test]
fn each_table_is_a_dataset_and_what_fails_does_not_stop_the_rest() {
    let Some(folder) = project(&[("all", ALL)]) else { return };
    let (ran, result) = run(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(names(&result), ["Tenancy", "dropped", "estate", "no_key", "property"]);
    let tenancy = dataset(&result, "Tenancy");
    assert_eq!(tenancy["key"], serde_json::json!(["TAG_REF"]));
    assert_eq!(tenancy["buckets"]["matched"], 1, "{tenancy}");
    assert_eq!(tenancy["buckets"]["mismatched"], 1, "{tenancy}");
    assert_eq!(tenancy["masking"]["columns"].as_object().map_or(1, serde_json::Map::len), 1);
    assert_eq!(dataset(&result, "property")["buckets"]["matched"], 3);
    // Where no primary key is declared, another key without NULLs does.
    assert_eq!(dataset(&result, "estate")["key"], serde_json::json!(["code"]));
    assert_eq!(dataset(&result, "estate")["buckets"]["matched"], 2);
    for (name, says) in [("dropped", "the target has no table of the name"), ("no_key", "declares no key")] {
        let dataset = dataset(&result, name);
        assert_eq!(dataset["status"], "broken", "{dataset}");
        assert!(dataset["error"].as_str().unwrap().contains(says), "{dataset}");
    }
    assert!(ran.stderr.contains("a table of the target has no table of its name in the source"), "{ran:?}");
    assert!(ran.stderr.contains("migrations`"), "{ran:?}");
    let read = tenancy["source"]["read"].as_str().unwrap();
    assert!(read.starts_with("PostgreSQL ") && read.ends_with("for all tables of the connection"), "{read}");
}

#[test]
fn a_table_with_a_file_of_its_own_is_left_to_it() {
    let own = "dataset: keyless\nkey: [a, b]\nsource: { connection: db, table: old.no_key }\n\
               target: { connection: db, table: new.no_key }\n";
    let all = ALL.replace("[old.tmp_*]", "[old.tmp_*, old.dropped]").replace("new.*", "[new.*]");
    let all =
        format!("{all}cleanse:\n  - step: trim\n    columns: \"*\"\nreconcile: {{ exclude: [Rent] }}\n");
    let Some(folder) = project(&[("all", &all), ("own", own)]) else { return };
    let (ran, result) = run(&folder);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(names(&result), ["keyless", "Tenancy", "estate", "property"]);
    assert_eq!(dataset(&result, "keyless")["buckets"]["matched"], 1);
    // What is left to other files is told, of both sides.
    for table in ["\"old\".no_key", "\"new\".no_key"] {
        assert!(ran.stderr.contains(&format!("not read by this file: `{table}`")), "{ran:?}");
    }
    assert_eq!(dataset(&result, "Tenancy")["buckets"]["matched"], 2);
    // The snapshots of a run are used again, without a table more or less.
    let from = folder.path().join("counterfoil-out/runs/latest");
    assert_eq!(folder.run(&["run", "--from", from.to_str().unwrap()]).code, Some(0));
    let ran = folder.run(&["snapshot"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 8), "{ran:?}");
}

#[test]
fn a_name_that_may_be_of_several_tables_leaves_none_of_them_out() {
    let own = "dataset: one\nkey: [id]\nsource: { connection: db, table: property }\n";
    let all = "source: { connection: db, tables: [old.*, new.*] }\n";
    let Some(folder) = project(&[("all", all), ("own", own)]) else { return };
    let ran = folder.run(&["check-config", "--connect"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for says in ["another file reads `property`", "name its schema", "`\"new\".property`, `\"old\".property`"]
    {
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
}

#[test]
fn mistakes_are_told_before_anything_is_read() {
    let one_sided = "source: { connection: db, tables: \"old.*\" }\n";
    for (file, says) in [
        ("source: { connection: db, tables: older.* }\n", "no table of `db` matches `older.*`"),
        (
            "sensitive: [surnam]\nsource: { connection: db, tables: old.* }\n",
            "no table has the column `surnam`, which stands under `sensitive`",
        ),
        ("source: { connection: db, tables: \"[\" }\n", "is not a pattern of tables"),
        ("dataset: d\nsource: { connection: db, tables: old.* }\n", "this file is for one"),
        (
            "source: { connection: db, tables: old.* }\ntarget: { connection: db, table: new.tenancy }\n",
            "a dataset file needs `dataset`",
        ),
        ("source: { connection: db, table: old.property, skip: [x] }\n", "`skip` is for sides with `tables`"),
        ("source: { file: x.csv, tables: old.* }\n", "`tables` is for databases"),
    ] {
        let Some(folder) = project(&[("all", file)]) else { return };
        let ran = folder.run(&["run"]);
        assert_eq!(ran.code, Some(2), "{file}: {ran:?}");
        assert!(ran.stderr.contains(says), "{file}: {}", ran.stderr);
        assert!(!folder.path().join("counterfoil-out").exists(), "{file}");
    }
    // Without a connection the rest of the file is checked all the same.
    let Some(folder) = project(&[("all", one_sided)]) else { return };
    let ran = folder.run(&["check-config"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("1 file for a whole schema"), "{ran:?}");
    let ran = folder.run(&["check-config", "--connect"]);
    assert!(ran.stdout.contains("6 datasets"), "{ran:?}");
    folder.write("rules/all.yml", format!("{one_sided}checks:\n  - check: not_nul\n    columns: [id]\n"));
    let ran = folder.run(&["check-config"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("not_null"), "{ran:?}");
}
