//! A program that is killed goes on where it was, and the report says so.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use counterfoil::snapshot::Snapshot;
use counterfoil::source::Stable;

use super::Database;
use crate::support::{Folder, Ran, program};

fn start(folder: &Folder, connection_string: &str, arguments: &[&str]) -> Child {
    Command::new(program())
        .args(arguments)
        .current_dir(folder.path())
        .env("TEST_ODBC", connection_string)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

fn finish(child: Child) -> Ran {
    Ran::from(child.wait_with_output().expect("the program ends"))
}

/// A project that reads one table, slowly where a rate says so.
fn project(folder: &Folder, rate: &str) {
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  db:\n    type: odbc\n    \
             connection_string: \"${{TEST_ODBC}}\"\n    limits: {{ connections: 2{rate} }}\ndatasets: rules/*.yml\n"
        ),
    );
    folder.write("rules/t.yml", "dataset: t\nkey: [k]\nsource: { connection: db, table: t }\n");
}

/// Returns the parts that an unfinished snapshot notes as complete.
fn noted(folder: &Path) -> usize {
    let unfinished =
        format!("{}/counterfoil-out/snapshots/t/source/*.part/unfinished.json", folder.display());
    let Some(path) = glob::glob(&unfinished).expect("a pattern").flatten().next() else { return 0 };
    let state =
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    state.and_then(|state| Some(state["parts"].as_object()?.len())).unwrap_or(0)
}

fn finished(folder: &Path) -> PathBuf {
    let manifests = format!("{}/counterfoil-out/snapshots/t/source/*/manifest.json", folder.display());
    let found: Vec<PathBuf> = glob::glob(&manifests).expect("a pattern").flatten().collect();
    let [manifest] = &found[..] else { panic!("one snapshot, not {found:?}") };
    manifest.parent().expect("a folder").to_owned()
}

fn killed_and_resumed(word: &str, rows: &str, changed: Option<&str>) {
    let Some(database) = Database::new(word) else { return };
    database.execute(rows);
    let folder = Folder::new();
    project(&folder, ", rate: 200000 rows/s");
    let mut child = start(&folder, &database.connection_string(), &["run"]);
    let until = Instant::now() + Duration::from_mins(1);
    while noted(folder.path()) == 0 {
        assert!(
            Instant::now() < until && child.try_wait().unwrap().is_none(),
            "{word}: no part was completed"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("it can be killed");
    finish(child);
    if let Some(sql) = changed {
        database.execute(sql);
    }
    project(&folder, "");
    let ran = finish(start(&folder, &database.connection_string(), &["run", "--resume"]));
    assert_eq!(ran.code, Some(0), "{word}: {ran:?}");
    let snapshot = Snapshot::open(&finished(folder.path())).expect("a snapshot");
    let frame = snapshot.read().expect("its rows");
    let (keys, values) = (frame.texts("k").expect("keys"), frame.texts("v").expect("values"));
    let mut found: Vec<(u32, Option<String>)> = (0..frame.height())
        .map(|row| (keys.owned(row).expect("a key").parse().expect("a number"), values.owned(row)))
        .collect();
    found.sort();
    let expected = (1..=400_000).map(|n| (n, Some(format!("value {n}"))));
    assert!(found.into_iter().eq(expected), "{word}: other rows");
    let declared = snapshot.manifest.columns.iter().find(|column| column.name == "v").expect("the column");
    assert_eq!(declared.source_type.contains("60"), changed.is_some(), "{word}: {declared:?}");
    let stable = snapshot.manifest.server.expect("a server").stable;
    assert_eq!(stable, Stable::PerPart, "{word}");
    let result = folder.result();
    let warned = result.datasets[0].notes.iter().any(|note| note.contains("was read in parts"));
    assert!(warned, "{word}: {:?}", result.datasets[0].notes);
    let page = std::fs::read_to_string(folder.run_folder().join("report/index.html")).expect("a page");
    assert!(page.contains("was read in parts"), "{word}: the report does not warn");
}

const MARIADB: &str = "CREATE TABLE t (k int primary key, v varchar(40)); \
    INSERT INTO t SELECT seq, CONCAT('value ', seq) FROM seq_1_to_400000; ANALYZE TABLE t;";

#[test]
fn it_goes_on_where_it_was() {
    killed_and_resumed("mysql", MARIADB, None);
    let postgres = "CREATE TABLE t (k int primary key, v varchar(40)); \
        INSERT INTO t SELECT n, 'value ' || n FROM generate_series(1, 400000) n; ANALYZE t";
    killed_and_resumed("postgres", postgres, None);
}

#[test]
fn a_table_whose_columns_have_changed_is_read_anew() {
    killed_and_resumed("mysql", MARIADB, Some("ALTER TABLE t MODIFY v varchar(60)"));
}
