//! A link that drops: the finished snapshot equals the table.

use std::time::{Duration, Instant};

use counterfoil::snapshot::SnapshotError;
use counterfoil::source::Cancel;
use serde_json::{Value as Json, json};

use super::{Database, take_from};
use crate::servers::proxy::{Fate, Proxy};
use crate::support::Folder;

fn cut_after(bytes: u64) -> Fate {
    Fate { cut_after: Some(bytes), ..Fate::default() }
}

fn table(word: &str) -> Option<(Database, u16, Vec<Option<String>>)> {
    let database = Database::new(word)?;
    let port = match &database {
        Database::MariaDb(database) => {
            database.execute(
                "CREATE TABLE t (k int primary key, v varchar(40)); \
                 INSERT INTO t SELECT seq, CONCAT('value ', seq) FROM seq_1_to_250000; ANALYZE TABLE t;",
            );
            database.port
        }
        Database::Postgres(database) => {
            database.execute(
                "CREATE TABLE t (k int primary key, v varchar(40)); \
                 INSERT INTO t SELECT n, 'value ' || n FROM generate_series(1, 250000) n",
            );
            database.execute("ANALYZE t");
            database.server.port
        }
        Database::Sqlite(_) => 0,
    };
    let values = (1..=250_000).map(|n| Some(format!("value {n}"))).collect();
    Some((database, port, values))
}

#[test]
fn a_cut_connection_is_tried_again() {
    for word in ["mysql", "postgres"] {
        let Some((database, port, values)) = table(word) else { continue };
        // The first connections are cut while rows come, some while the catalogue is read.
        let proxy = Proxy::start(port, |number| match number {
            0..=3 => cut_after(2_000 + 300_000 * number as u64),
            4 | 5 => cut_after(1_000_000),
            _ => Fate::default(),
        });
        let settings = json!({"limits": {"connections": 2, "retry_for": "1min"}});
        let taken = take_from(
            &database.at(proxy.port),
            settings,
            "{ table: t }",
            Folder::new(),
            false,
            &Cancel::default(),
        )
        .unwrap_or_else(|error| panic!("{word}: {error}"));
        assert!(taken.texts("v") == values, "{word}: other rows");
        assert!(proxy.connections() > 6, "{word}");
    }
}

/// Reads a table over connections of which the first ones stall after so many bytes each.
fn given_up(limits: &Json, stalls: &'static [u64], longest: Duration) {
    let Some((database, port, values)) = table("mysql") else { return };
    let proxy =
        Proxy::start(port, |number| Fate { stall_after: stalls.get(number).copied(), ..Fate::default() });
    let start = Instant::now();
    let taken = take_from(
        &database.at(proxy.port),
        json!({ "limits": limits }),
        "{ table: t }",
        Folder::new(),
        false,
        &Cancel::default(),
    );
    let taken = taken.unwrap_or_else(|error| panic!("{error}"));
    assert!(taken.texts("v") == values);
    assert!(proxy.connections() > stalls.len(), "nothing was given up");
    assert!(start.elapsed() < longest, "{:?}", start.elapsed());
}

#[test]
fn a_stalled_connection_is_given_up() {
    let limits = json!({"connections": 1, "retry_for": "5min", "statement_timeout": "3s"});
    given_up(&limits, &[500_000], Duration::from_secs(100));
}

#[test]
fn a_stalled_connection_is_given_up_without_a_statement_timeout() {
    // One while the catalogue is read, one between two rows.
    let limits = json!({"connections": 1, "retry_for": "5min", "silence": "2s"});
    given_up(&limits, &[3_000, 500_000], Duration::from_mins(1));
}

#[test]
fn rows_of_another_database_are_not_gone_on_with() {
    let Some((database, port, _)) = table("mysql") else { return };
    let Some(Database::MariaDb(other)) = Database::new("mysql") else { return };
    other.execute(
        "CREATE TABLE t (k int primary key, v varchar(40)); \
         INSERT INTO t SELECT seq, CONCAT('other ', seq) FROM seq_1_to_250000; ANALYZE TABLE t;",
    );
    let proxy = Proxy::start(port, |number| cut_after(if number == 0 { 4_000_000 } else { 1 }));
    let folder = tempfile::tempdir().unwrap();
    let store = counterfoil::snapshot::Store::new(folder.path());
    let cancel = Cancel::default();
    let options = counterfoil::snapshot::TakeOptions {
        cancel: &cancel,
        tell: &|_| {},
        note: &|_| (),
        resume: true,
        structure: &|| None,
    };
    let take = |connection_string: &str, settings| {
        let (connector, request) = super::connector(connection_string, settings, "{ table: t }");
        counterfoil::snapshot::take(&store, "t", "source", connector.as_ref(), &request, &options)
    };
    let error = take(&database.at(proxy.port), json!({"limits": {"connections": 1, "retry_for": "1s"}}));
    assert!(matches!(error, Err(SnapshotError::Unfinished { .. })), "{error:?}");
    let snapshot = take(&Database::MariaDb(other).connection_string(), json!({})).unwrap();
    let frame = snapshot.read().unwrap();
    let texts = frame.texts("v").unwrap();
    let expected = (1..=250_000).map(|n| Some(format!("other {n}")));
    assert!((0..texts.len()).map(|at| texts.owned(at)).eq(expected));
    let notes = &snapshot.manifest.columns[0].notes;
    assert!(notes.iter().any(|note| note.contains("another server or database")), "{notes:?}");
}

#[test]
fn what_was_cut_off_is_resumed() {
    for word in ["mysql", "postgres"] {
        let Some((database, port, values)) = table(word) else { continue };
        // Long enough for a part, and never again.
        let proxy = Proxy::start(port, |number| match number {
            0 => cut_after(4_000_000),
            _ => cut_after(1),
        });
        let folder = tempfile::tempdir().unwrap();
        let settings = json!({"limits": {"connections": 1, "retry_for": "1s"}});
        let (connector, request) = super::connector(&database.at(proxy.port), settings, "{ table: t }");
        let store = counterfoil::snapshot::Store::new(folder.path());
        let cancel = Cancel::default();
        let options = counterfoil::snapshot::TakeOptions {
            cancel: &cancel,
            tell: &|_| {},
            note: &|_| (),
            resume: true,
            structure: &|| None,
        };
        let error =
            counterfoil::snapshot::take(&store, "t", "source", connector.as_ref(), &request, &options);
        let Err(SnapshotError::Unfinished { path, .. }) = error else { panic!("{word}: {error:?}") };
        let state: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path.join("unfinished.json")).unwrap()).unwrap();
        let complete = state["parts"].as_object().unwrap().len();
        assert!(complete > 0, "{word}: nothing is complete");
        // Another port: the same request by its name.
        let (connector, request) = super::connector(&database.connection_string(), json!({}), "{ table: t }");
        let snapshot =
            counterfoil::snapshot::take(&store, "t", "source", connector.as_ref(), &request, &options)
                .unwrap();
        let frame = snapshot.read().unwrap();
        let texts = frame.texts("v").unwrap();
        assert!((0..texts.len()).map(|at| texts.owned(at)).eq(values), "{word}");
        assert_eq!(snapshot.manifest.server.as_ref().unwrap().stable, counterfoil::source::Stable::PerPart);
    }
}
