//! What goes wrong is said, with advice and without secrets.

use std::time::{Duration, Instant};

use counterfoil::source::Cancel;
use serde_json::json;

use super::{Database, take_from};
use crate::servers::mariadb;
use crate::support::Folder;

fn message(database: &Database, connection_string: &str, side: &str) -> String {
    let settings = json!({"limits": {"retry_for": "1s"}});
    let taken = take_from(connection_string, settings, side, Folder::new(), false, &Cancel::default());
    let Err(error) = taken else { panic!("{side} was read") };
    let message = error.to_string();
    assert!(!message.contains(mariadb::PASSWORD) && !message.contains("hunter2"), "{message}");
    if let Database::MariaDb(_) = database {
        assert!(!message.contains("PWD"), "{message}");
    }
    message
}

#[test]
fn failures_have_advice_and_no_secret() {
    for word in ["mysql", "postgres"] {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int, v varchar(9))");
        let good = database.connection_string();
        for (connection_string, side, says) in [
            ("Driver={No Such};Server=x;PWD=hunter2".to_owned(), "{ table: t }", "`MariaDB Unicode`"),
            (database.at(1), "{ table: t }", "firewall"),
            (good.clone(), "{ table: no_such }", "there is no table `no_such`"),
            (good.clone(), "{ query: SELECT nothing FROM t }", "SQLSTATE 42"),
            (good.clone(), "{ table: t, where: 'no_such = 1' }", "SQLSTATE 42"),
            (good.clone(), "{ table: t, omit: [w] }", "no column that we call `w`"),
        ] {
            let message = message(&database, &connection_string, side);
            assert!(message.contains(says), "{word}: {message}");
        }
        if word == "mysql" {
            let wrong = good.replace("s3;cr", "hunter2");
            let message = message(&database, &wrong, "{ table: t }");
            assert!(message.contains("password"), "{message}");
        }
    }
}

#[test]
fn what_the_server_says_of_values_is_not_shown() {
    let Some(database) = Database::new("mysql") else { return };
    database.execute("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'hunter2')");
    // The server quotes the value, while it is asked for the longest and while rows are read.
    for side in [
        "{ table: t, where: \"extractvalue('<a/>', concat(char(92), v)) = ''\" }",
        "{ query: \"SELECT id, extractvalue('<a/>', concat(char(92), v)) AS x FROM t\" }",
    ] {
        let message = message(&database, &database.connection_string(), side);
        assert!(message.contains("SQLSTATE"), "{message}");
    }
}

#[test]
fn policies_that_hide_rows_are_an_error() {
    let Some(database) = Database::new("postgres") else { return };
    database.execute(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         GRANT SELECT ON t TO only_plain; CREATE POLICY p ON t FOR SELECT TO only_plain USING (id = 2)",
    );
    let plain = database.connection_string().replace("UID=postgres", "UID=only_plain;sslmode=disable");
    let message = message(&database, &plain, "{ table: t }");
    assert!(message.contains("BYPASSRLS"), "{message}");
}

#[test]
fn an_unknown_dialect_is_a_diagnostic() {
    let Some(database) = Database::new("sqlite") else { return };
    database.execute("CREATE TABLE t (id int)");
    let Err(error) = database.try_take("{ table: t }", json!({"dialect": "sqlit"})) else { panic!() };
    let message = error.to_string();
    assert!(message.contains("there is no dialect `sqlit`") && message.contains("`sqlite`"), "{message}");
    assert_eq!(database.take_with("{ table: t }", json!({"dialect": "sqlite"})).logical("id"), "i64");
}

#[test]
fn the_generic_dialect_reads_what_odbc_describes() {
    for word in ["mysql", "postgres"] {
        let Some(database) = Database::new(word) else { continue };
        database.execute(
            "CREATE TABLE t (id bigint, n decimal(9,2), d date, v varchar(30), c char(4));\n\
             INSERT INTO t VALUES (5000000000, 1.50, '2026-01-02', 'Łódź', 'ab'), (NULL, NULL, NULL, NULL, NULL)",
        );
        let taken = database.try_take("{ table: t }", json!({"dialect": "generic"}));
        let taken = taken.unwrap_or_else(|error| panic!("{word}: {error}"));
        for (column, value) in
            [("id", "5000000000"), ("n", "1.50"), ("d", "2026-01-02"), ("v", "Łódź"), ("c", "ab")]
        {
            assert_eq!(taken.texts(column), [Some(value.to_owned()), None], "{word} {column}");
        }
    }
}

#[test]
fn a_statement_that_takes_too_long_ends() {
    for (word, query) in
        [("mysql", "SELECT id FROM t WHERE SLEEP(60) = 0"), ("postgres", "SELECT id FROM t, pg_sleep(60)")]
    {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        let start = Instant::now();
        let settings = json!({"limits": {"statement_timeout": "1s", "retry_for": "1s"}});
        let Err(error) = database.try_take(&format!("{{ query: \"{query}\" }}"), settings) else {
            panic!("{word}: it was read")
        };
        assert!(start.elapsed() < Duration::from_secs(30), "{word}: {:?}", start.elapsed());
        assert!(error.to_string().contains("SQLSTATE"), "{word}: {error}");
    }
}

#[test]
fn a_wish_to_stop_reaches_the_server() {
    for (word, query, running) in [
        (
            "mysql",
            "SELECT id FROM t WHERE SLEEP(60) = 0",
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(60)%' AND info NOT LIKE '%processlist%'",
        ),
        (
            "postgres",
            "SELECT id FROM t, pg_sleep(60)",
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND query NOT LIKE '%pg_stat_activity%'",
        ),
    ] {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        let count = |sql: &str| match &database {
            Database::MariaDb(database) => database.rows(sql),
            Database::Postgres(database) => database.value(sql),
            Database::Sqlite(_) => String::new(),
        };
        let cancel = Cancel::default();
        let took = std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let side = format!("{{ query: \"{query}\" }}");
                take_from(&database.connection_string(), json!({}), &side, Folder::new(), false, &cancel)
                    .is_err()
            });
            let until = Instant::now() + Duration::from_secs(30);
            while count(running).trim() == "0" && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(50));
            }
            let start = Instant::now();
            cancel.cancel();
            assert!(reading.join().unwrap());
            start.elapsed()
        });
        assert!(took < Duration::from_secs(7), "{word}: {took:?}");
        let until = Instant::now() + Duration::from_secs(3);
        while count(running).trim() != "0" {
            assert!(Instant::now() < until, "{word}: the server still works on it");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
