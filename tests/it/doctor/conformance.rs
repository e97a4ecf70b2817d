//! `doctor --conformance`: every type of real servers comes out right, and nothing stays behind.

use serde_json::Value as Json;

use super::{doctor, encoded, native, odbc, project, said};
use crate::odbc::Database;
use crate::servers::postgres;
use crate::support::Ran;

/// Every type was there and came out right.
fn all_right(ran: &Ran, dialect: &str) {
    assert_eq!(ran.code, Some(0), "{dialect}: {}{}", ran.stdout, ran.stderr);
    let samples = counterfoil::source::samples();
    let (_, all) = samples.iter().find(|(word, _)| *word == dialect).unwrap();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[0]), ["type", "declared", "read", "as", "values"]);
    for (line, sample) in lines[1..].iter().zip(*all) {
        let count = sample.values.len() + 1;
        assert!(line.starts_with(sample.native), "{dialect}: {line}");
        assert!(line.ends_with(&format!("  {count} of {count} right")), "{dialect}: {line}");
    }
    let end = format!("{} types came out right.", all.len());
    assert_eq!(lines[all.len() + 1..], ["", end.as_str()], "{dialect}");
}

#[test]
fn every_type_of_postgres() {
    let Some(database) = postgres::database() else { return };
    let folder = project(&[("cloud", native(&database.url()))], &[]);
    all_right(&doctor(&folder, &["--conformance", "cloud"]), "postgres");
    assert_eq!(database.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'counterfoil%'"), "0");
    // One line a type, and one for all, where a collector of logs listens.
    let ran = doctor(&folder, &["--conformance", "cloud", "--json-logs"]);
    let lines: Vec<Json> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((ran.code, &last["event"], &last["exit_code"]), (Some(0), &"conformance".into(), &0.into()));
    assert!(lines.iter().any(|line| line["type"] == "uuid" && line["read_as"] == "uuid"), "{ran:?}");
    let ran = doctor(&folder, &["--conformance", "cloud", "--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn every_type_through_drivers() {
    for word in ["mysql", "postgres", "sqlite"] {
        let Some(database) = Database::new(word) else { continue };
        // The file is there before it is opened.
        database.execute("CREATE TABLE t (id int)");
        let folder = project(&[("uh", odbc(&by_owner(&database)))], &[]);
        all_right(&doctor(&folder, &["--conformance", "uh"]), word);
        let left = match &database {
            Database::MariaDb(database) => database.rows("SHOW TABLES LIKE 'counterfoil%'"),
            Database::Postgres(_) | Database::Sqlite(_) => String::new(),
        };
        assert_eq!(left.trim(), "", "{word}");
    }
}

/// The tests' reader of MariaDB may not make temporary tables: root may.
fn by_owner(database: &Database) -> String {
    let string = database.connection_string();
    match database {
        Database::MariaDb(_) => {
            let (before, _) = string.split_once("UID=").unwrap();
            format!("{before}UID=root")
        }
        _ => string,
    }
}

#[test]
fn what_cannot_be_done_is_exit_code_2() {
    let mut tried = Vec::new();
    if let Some(database) = postgres::database() {
        database.execute(&format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database.name));
        let login = format!("by_scram:{}", encoded(postgres::PASSWORD));
        let url = format!("postgresql://{login}@127.0.0.1:{}/{}", database.server.port, database.name);
        tried.push((native(&url), "42501"));
    }
    if let Some(database) = Database::new("mysql") {
        tried.push((odbc(&database.connection_string()), "1044"));
        let generic = serde_json::json!({"type": "odbc", "connection_string": by_owner(&database), "dialect": "generic"});
        tried.push((generic, "no samples for the dialect `generic`"));
    }
    tried.push((odbc("Driver={No Such};PWD=hunter2"), "no ODBC driver `No Such`"));
    tried.push((serde_json::json!({"type": "files"}), "folder of files"));
    for (connection, says) in tried {
        let folder = project(&[("uh", connection)], &[]);
        let ran = doctor(&folder, &["--conformance", "uh"]);
        assert!(ran.code == Some(2) && said(&ran).contains(says), "{says}: {ran:?}");
        assert_eq!(ran.stdout, "");
    }
    let ran = doctor(&project(&[], &[]), &["--conformance", "uh"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("no connection `uh`"), "{ran:?}");
    let ran = doctor(&project(&[], &[]), &["uh", "--conformance", "uh"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("cannot be used with"), "{ran:?}");
}
