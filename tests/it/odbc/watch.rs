//! What comes between planning and reading: values that the plan does not know, and tables without moments.

use std::sync::atomic::{AtomicUsize, Ordering};

use counterfoil::model::Schema;
use counterfoil::source::{Cancel, Part, ReadPlan, Sink, SinkError, Stable, Unfinished};
use serde_json::json;

use super::{Database, connector};

/// Keeps no rows; does something to the database whenever a table begins.
struct Meanwhile<'a> {
    begun: AtomicUsize,
    schema: std::sync::Mutex<Schema>,
    then: &'a (dyn Fn(usize) + Sync),
}

struct Nothing;

impl Part for Nothing {
    fn batch(&mut self, _: arrow::array::RecordBatch) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Sink for Meanwhile<'_> {
    fn unfinished(&self) -> Option<Unfinished> {
        None
    }

    fn start(&self, schema: &Schema, _: &ReadPlan) -> Result<(), SinkError> {
        *self.schema.lock().unwrap() = schema.clone();
        (self.then)(self.begun.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(())
    }

    fn resume(&self) -> Result<(), SinkError> {
        Ok(())
    }

    fn part(&self, _: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        Ok(Box::new(Nothing))
    }

    fn parquet_file(&self, _: usize, _: &mut dyn std::io::Read) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn values_that_come_after_the_server_was_asked_are_met() {
    let Some(database) = Database::new("mysql") else { return };
    // Without transactions the session sees what comes.
    database.execute(
        "SET sql_mode = ''; CREATE TABLE t (id int, d date, e date, f date) ENGINE = MyISAM; \
         INSERT INTO t VALUES (1, '0000-00-00', '2026-01-02', '2026-01-02'), (2, '2026-01-02', '2026-01-02', NULL)",
    );
    let then = |number: usize| {
        if number == 2 {
            database.execute("SET sql_mode = ''; UPDATE t SET e = '0000-00-00' WHERE id = 2");
        }
    };
    let sink = Meanwhile { begun: AtomicUsize::new(0), schema: std::sync::Mutex::default(), then: &then };
    let (connector, request) = connector(&database.connection_string(), json!({}), "{ table: t }");
    let report = connector.read(&request, &Cancel::default(), &sink).expect("a report");
    let logical: Vec<String> =
        sink.schema.lock().unwrap().fields.iter().map(|field| field.logical.to_string()).collect();
    assert_eq!(logical[3], "date");
    assert!(logical[1] == logical[2] && logical[1] != "i64", "{logical:?}");
    let noted =
        |column: &str| report.notes.iter().any(|note| note.column == column && note.text.contains("noughts"));
    assert!(noted("d") && noted("e") && !noted("f"), "{:?}", report.notes);
    assert_eq!(sink.begun.load(Ordering::Relaxed), 3);
}

#[test]
fn values_that_come_again_and_again_are_an_error() {
    let Some(database) = Database::new("mysql") else { return };
    let columns: Vec<String> = (0..9).map(|at| format!("c{at} date")).collect();
    database.execute(&format!(
        "SET sql_mode = ''; CREATE TABLE t (id int, {}) ENGINE = MyISAM; INSERT INTO t (id, c0) VALUES (1, '0000-00-00')",
        columns.join(", ")
    ));
    let then = |number: usize| {
        database.execute(&format!("SET sql_mode = ''; UPDATE t SET c{number} = '0000-00-00'"));
    };
    let sink = Meanwhile { begun: AtomicUsize::new(0), schema: std::sync::Mutex::default(), then: &then };
    let (connector, request) = connector(&database.connection_string(), json!({}), "{ table: t }");
    let error = connector.read(&request, &Cancel::default(), &sink).expect_err("an error").to_string();
    assert!(error.contains("run again"), "{error}");
}

#[test]
fn a_table_without_transactions_has_no_moment_but_that_of_a_statement() {
    let Some(database) = Database::new("mysql") else { return };
    for (name, engine) in [("a", "InnoDB"), ("b", "MyISAM"), ("c", "MyISAM")] {
        let rows = if name == "c" { 10 } else { 250_000 };
        database.execute(&format!(
            "CREATE TABLE {name} (k int PRIMARY KEY) ENGINE = {engine}; INSERT INTO {name} SELECT seq FROM seq_1_to_{rows}; \
             ANALYZE TABLE {name};"
        ));
    }
    for (name, stable) in [("a", Stable::PerTable), ("b", Stable::PerPart), ("c", Stable::PerTable)] {
        let taken =
            database.take_with(&format!("{{ table: {name} }}"), json!({"limits": {"connections": 1}}));
        let manifest = &taken.snapshot.manifest;
        assert_eq!(manifest.files.len() > 1, name != "c", "{name}");
        assert_eq!(manifest.server.as_ref().expect("a server").stable, stable, "{name}");
    }
}
