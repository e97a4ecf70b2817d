//! What the doctor finds out of connections that work, in which form it says so, and that it can be stopped.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{doctor, lines_of, native, odbc, project, said, steps};
use crate::odbc::Database;
use crate::servers::postgres;
use crate::servers::tds::{Responder, freetds};
use crate::sqlserver::database::Database as SqlServer;
use crate::support::{Folder, Ran, golden, program, root};

#[test]
fn without_a_project_the_drivers_are_told() {
    let folder = Folder::new();
    let library = folder.write("libx.so", "");
    folder.write(
        "odbcinst.ini",
        format!(
            "[Whole]\nDriver={}\n[Absent]\nDriver=/nowhere/liby.so\n[Bare]\nDriver=libno-such-driver.so\n",
            library.display()
        ),
    );
    let run = |arguments: &[&str]| {
        let output = Command::new(program())
            .arg("doctor")
            .args(arguments)
            .current_dir(folder.path())
            .env("ODBCSYSINI", folder.path())
            .env("HOME", folder.path())
            .env_remove("ODBCINSTINI")
            .output()
            .unwrap();
        Ran::from(output)
    };
    let ran = run(&[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    golden(
        "tests/it/doctor/drivers.txt",
        &ran.stdout.replace(&library.display().to_string(), "/here/libx.so"),
    );
    let ran = run(&["--json-logs"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    let lines: Vec<Json> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| lines.iter().find(|line| line["driver"] == name).unwrap();
    assert_eq!((&of("Whole")["level"], &of("Absent")["level"]), (&json!("info"), &json!("warning")));
    let ran = run(&["--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn a_postgres_connection_is_tried_step_by_step() {
    let Some(database) = postgres::database() else { return };
    database.execute("CREATE TABLE t (id int, hidden int); GRANT SELECT (id) ON t TO only_tls; CREATE VIEW v AS SELECT 1 AS id; GRANT SELECT ON v TO only_tls");
    let (name, port) = (&database.name, database.server.port);
    let file = root().join("fixtures/tls/authority.crt").display().to_string();
    let url = format!("postgresql://only_tls@localhost:{port}/{name}?sslmode=verify-full");
    let secure = json!({"type": "postgres", "url": url, "root_certificate": file});
    // Only what is read has to be readable.
    let sides = [
        ("cloud", "table: t, omit: [hidden]"),
        ("cloud", "table: v"),
        ("cloud", "query: 'SELECT id FROM t'"),
    ];
    let folder = project(&[("cloud", secure), ("open", native(&database.url()))], &sides);
    let ran = doctor(&folder, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all = [
        "name looked up",
        "port reached",
        "TLS",
        "logged in",
        "encrypted",
        "server version",
        "only reads",
        "rights",
        "snapshot",
        "clock",
        "catalogue",
    ];
    assert_eq!(steps(&ran, "cloud", "ok"), all, "{}", ran.stdout);
    assert_eq!(steps(&ran, "open", "ok"), all, "{}", ran.stdout);
    let said = said(&ran);
    for text in [
        "localhost is 127.0.0.1",
        "TLS 1.3; the server's certificate is from a trusted authority, for this host",
        "as `only_tls`",
        "yes, the server says: TLSv1.3",
        "PostgreSQL 1",
        "lets this session write nothing",
        "all 3 tables and queries that the project names can be read",
        "this user sees 1 table and 1 view",
        "one moment for all tables of the connection",
        "as this machine's",
        "off: `sslmode=disable`",
        "no dataset names anything",
        "All 2 connections can be read.",
    ] {
        assert!(said.contains(text), "{text}: {}", ran.stdout);
    }
    // A time where there was something to wait for.
    let port_line = lines_of(&ran, "cloud").into_iter().find(|line| line.contains("port reached")).unwrap();
    assert!(port_line.contains(" ms "), "{port_line}");
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{}", ran.stdout);
    // Only one of them, by its name, from elsewhere.
    let elsewhere = Folder::new();
    let file = folder.path().join("counterfoil.yml").display().to_string();
    let ran = doctor(&elsewhere, &["open", "--project", &file]);
    assert!(ran.code == Some(0) && !ran.stdout.contains("\ncloud\n"), "{ran:?}");
}

#[test]
fn each_dialect_is_examined_through_its_driver() {
    for (word, version) in [("mysql", "MariaDB 1"), ("postgres", "PostgreSQL 1"), ("sqlite", "SQLite 3")] {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int)");
        let folder =
            project(&[("uh", odbc(&database.connection_string()))], &[("uh", "table: t, where: 'id > 5'")]);
        let ran = doctor(&folder, &[]);
        assert_eq!(ran.code, Some(0), "{word}: {ran:?}");
        let all = [
            "driver",
            "connected",
            "server version",
            "only reads",
            "rights",
            "snapshot",
            "clock",
            "catalogue",
        ];
        assert_eq!(steps(&ran, "uh", "ok"), all, "{word}: {}", ran.stdout);
        for text in [
            version,
            "write nothing",
            "the one table or query",
            "one moment for all rows of a table",
            "as this machine's",
        ] {
            assert!(said(&ran).contains(text), "{word}: {text}: {}", ran.stdout);
        }
    }
}

#[test]
fn what_a_sql_server_lacks_is_noted_with_advice() {
    for (snapshot, notes) in
        [(false, vec!["only reads", "snapshot", "clock"]), (true, vec!["only reads", "clock"])]
    {
        let database = SqlServer { snapshot, ..SqlServer::of("dbo.t", &["id int not null"], Vec::new()) };
        let server = Responder::start(database.script());
        let Some(string) = freetds::connection_string(server.port, "7.4") else { return };
        let folder = project(&[("uh", odbc(&string))], &[("uh", "table: dbo.t")]);
        let ran = doctor(&folder, &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(steps(&ran, "uh", "note"), notes, "{}", ran.stdout);
        let said = said(&ran);
        assert_eq!(said.contains("ALLOW_SNAPSHOT_ISOLATION ON"), !snapshot, "{said}");
        for text in [
            "Microsoft SQL Server 15.0.2000.5",
            "never committed",
            "may only SELECT",
            "(NTP)",
            "the one table",
        ] {
            assert!(said.contains(text), "{text}: {said}");
        }
    }
}

#[test]
fn folders_are_examined_too() {
    let folder = project(
        &[
            ("good", json!({"type": "files", "path": "data"})),
            ("bad", json!({"type": "files", "path": "nowhere"})),
        ],
        &[("good", "file: a.csv")],
    );
    folder.write("data/a.csv", "id\n1\n");
    folder.write("data/b.csv", "id\n1\n");
    let ran = doctor(&folder, &[]);
    assert_eq!(ran.code, Some(2));
    assert!(said(&ran).contains("data, with 2 files"), "{ran:?}");
    assert_eq!(steps(&ran, "good", "ok"), ["folder", "rights"]);
    assert_eq!(steps(&ran, "bad", "failed"), ["folder"]);
    assert!(ran.stderr.contains("1 of 2 connections cannot be read: bad"), "{ran:?}");
    assert_eq!(doctor(&folder, &["good"]).code, Some(0));
    std::fs::remove_file(folder.path().join("data/a.csv")).unwrap();
    let ran = doctor(&folder, &["good"]);
    assert!(ran.code == Some(2) && said(&ran).contains("there is no file"), "{ran:?}");
}

#[test]
fn what_could_not_be_tried_is_never_well() {
    let folder = project(
        &[
            ("good", json!({"type": "files", "path": "."})),
            ("unset", json!({"type": "odbc", "connection_string": "${COUNTERFOIL_TEST_UNSET}"})),
        ],
        &[("good", "file: a.csv"), ("unset", "table: t")],
    );
    folder.write("a.csv", "id\n1\n");
    let ran = doctor(&folder, &[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let untried = lines_of(&ran, "unset");
    assert!(untried.len() == 1 && untried[0].starts_with("  not tried "), "{}", ran.stdout);
    assert!(untried.join(" ").contains("`COUNTERFOIL_TEST_UNSET` is not set"), "{}", ran.stdout);
    assert_eq!(steps(&ran, "good", "ok"), ["folder", "rights"], "{}", ran.stdout);
    let said = said(&ran);
    assert!(said.contains("the one file that the project names can be read"), "{said}");
    assert!(said.contains("1 of 2 connections could not be tried: unset"), "{said}");
    assert!(!said.contains("have mistakes"), "{said}");
    // Where the files have mistakes, nobody knows what is wanted of a connection.
    folder.write("rules/0.yml", "dataset: d0\nnonsense: true\n");
    let ran = doctor(&folder, &["good"]);
    assert_eq!(steps(&ran, "good", "ok"), ["folder"], "{}", ran.stdout);
    assert!(ran.stdout.contains("not tried") && ran.stdout.contains("check-config"), "{}", ran.stdout);
}

#[test]
fn mistakes_elsewhere_do_not_matter_and_names_must_be_right() {
    let folder =
        project(&[("data", json!({"type": "files", "path": "."})), ("x", json!({"type": "odd"}))], &[]);
    folder.write("rules/t.yml", "dataset: t\nnonsense: true\n");
    let ran = doctor(&folder, &["data"]);
    assert!(ran.code == Some(0) && ran.stdout.contains("check-config"), "{ran:?}");
    let ran = doctor(&folder, &["dta", "data"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("there is no connection `dta`"), "{ran:?}");
    assert!(!ran.stdout.contains("can be read."), "{ran:?}");
    let ran = doctor(&folder, &[]);
    assert!(ran.code == Some(2) && ran.stderr.contains("no type of connection `odd`"), "{ran:?}");
    let ran = doctor(&Folder::new(), &["--project", "nowhere"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("no project at `nowhere`"), "{ran:?}");
    let ran = doctor(&Folder::new(), &["cloud"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("no counterfoil.yml"), "{ran:?}");
}

#[test]
fn an_interrupt_stops_it() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let by_driver = freetds::connection_string(port, "7.4").map(|string| odbc(&string));
    let by_us = native(&format!("postgresql://u:hunter2@127.0.0.1:{port}/x"));
    for connection in [Some(by_us), by_driver].into_iter().flatten() {
        let folder = project(&[("slow", connection)], &[]);
        let child = Command::new(program())
            .arg("doctor")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        let start = Instant::now();
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
        assert!(ran.code == Some(2) && ran.stderr.contains("stopped"), "{ran:?}");
    }
}
