//! Logging in: passwords, encryption, the environment, and what is said where it fails.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::Reader;
use crate::servers::postgres::{Database, PASSWORD, database};
use crate::support::{Folder, Ran, program, root};

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"))
}

/// A URL of the test's database for another user.
fn url(database: &Database, login: &str, host: &str, query: &str) -> String {
    format!("postgresql://{login}@{host}:{}/{}?{query}", database.server.port, database.name)
}

fn one_row() -> Option<Database> {
    let database = database()?;
    database.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1); GRANT SELECT ON t TO PUBLIC");
    Some(database)
}

fn reads(url: &str, options: &str) {
    let reader = Reader::new(url, options);
    assert_eq!(reader.table("t").manifest.rows, 1);
}

fn says(url: &str, options: &str, expected: &[&str]) {
    let error = Reader::new(url, options).refused("{ table: t }");
    for text in expected {
        assert!(error.contains(text), "{error}");
    }
    for secret in [PASSWORD, &encoded(PASSWORD), "hunter2", "postgresql://postgres"] {
        assert!(!error.contains(secret), "{error}");
    }
}

#[test]
fn passwords_of_every_kind() {
    let Some(database) = one_row() else { return };
    let password = encoded(PASSWORD);
    for user in ["by_scram", "by_md5", "by_password"] {
        for mode in ["disable", "require"] {
            reads(
                &url(&database, &format!("{user}:{password}"), "127.0.0.1", &format!("sslmode={mode}")),
                "",
            );
        }
        let wrong = url(&database, &format!("{user}:hunter2"), "127.0.0.1", "sslmode=disable");
        says(&wrong, "", &[&format!("does not accept the password of `{user}`"), "28P01", &database.name]);
    }
    // With the server's certificate bound to the password.
    reads(
        &url(
            &database,
            &format!("by_scram:{password}"),
            "127.0.0.1",
            "sslmode=require&channel_binding=require",
        ),
        "",
    );
    let none = url(&database, "by_scram", "127.0.0.1", "sslmode=disable&passfile=/nowhere");
    says(&none, "", &["wants a password for `by_scram`", "PGPASSWORD", "there is no /nowhere"]);
}

#[test]
fn every_sslmode() {
    let Some(database) = one_row() else { return };
    let certificate =
        |name: &str| format!("root_certificate: {}", root().join("fixtures/tls").join(name).display());
    let (right, other) = (certificate("authority.crt"), certificate("other.crt"));
    let at = |host: &str, mode: &str| url(&database, "only_tls", host, &format!("sslmode={mode}"));
    for mode in ["allow", "prefer", "require"] {
        reads(&at("127.0.0.1", mode), "");
    }
    says(&at("127.0.0.1", "disable"), "", &["pg_hba.conf", "sslmode"]);
    for mode in ["require", "verify-ca"] {
        reads(&at("127.0.0.1", mode), &right);
        says(&at("127.0.0.1", mode), &other, &["from nobody who is trusted", "root_certificate"]);
    }
    says(&at("127.0.0.1", "verify-ca"), "", &["from nobody who is trusted"]);
    reads(&at("localhost", "verify-full"), &right);
    says(&at("127.0.0.1", "verify-full"), &right, &["for another name than the host", "verify-ca"]);
    says(
        &at("localhost", "verify-full"),
        "root_certificate: nowhere.pem",
        &["`root_certificate`", "nowhere.pem"],
    );
    // Who may not come encrypted.
    let plain = |mode: &str| url(&database, "only_plain", "127.0.0.1", &format!("sslmode={mode}"));
    for mode in ["disable", "allow", "prefer"] {
        reads(&plain(mode), "");
    }
    says(&plain("require"), "", &["pg_hba.conf"]);
}

#[test]
fn what_does_not_answer() {
    let Some(database) = one_row() else { return };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let name = &database.name;
    let at = |place: &str| format!("postgresql://postgres:hunter2@{place}/{name}?connect_timeout=2");
    says(&at(&format!("127.0.0.1:{port}")), "", &["refused", &format!("port {port}")]);
    says(&at("no-such-host.invalid"), "", &["no address is known for the host", "no-such-host.invalid"]);
    says(&at("%2Fnowhere"), "", &["no such socket"]);
    let missing =
        format!("postgresql://postgres:hunter2@127.0.0.1:{}/nowhere?sslmode=disable", database.server.port);
    says(&missing, "", &["database \"nowhere\" does not exist", "PGDATABASE"]);
    says(&url(&database, "stranger", "127.0.0.1", ""), "", &["pg_hba.conf", "administrator"]);
    says(&url(&database, "nobody_here:hunter2", "127.0.0.1", "sslmode=disable"), "", &["pg_hba.conf"]);
    // Something that is no server at all.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(drop));
    says(&at(&format!("127.0.0.1:{port}")), "", &["closed while logging in"]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    says(
        &at(&format!("127.0.0.1:{}", silent.local_addr().unwrap().port())),
        "",
        &["within 2 s", "connect_timeout"],
    );
    says("hunter2", "", &["neither a URL nor"]);
}

#[test]
fn the_first_host_that_answers() {
    let Some(database) = one_row() else { return };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = free.local_addr().unwrap().port();
    drop(free);
    let (port, name) = (database.server.port, &database.name);
    reads(
        &format!("postgresql://postgres@127.0.0.1:{closed},127.0.0.1:{port}/{name}"),
        "limits: { connections: 3 }",
    );
    let socket = database.server.folder.display();
    reads(&format!("host={socket} port={port} user=postgres dbname={name} sslmode=verify-full"), "");
    let standby = format!("postgresql://postgres@127.0.0.1:{port}/{name}?target_session_attrs=read-only");
    says(&standby, "", &["target_session_attrs"]);
}

/// Runs the program on a project whose connection names nothing, in this environment.
fn run_in(environment: &[(&str, &str)], home: &Folder) -> Ran {
    let folder = Folder::new();
    folder.write("counterfoil.yml", "version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n  db: { type: postgres }\ndatasets: rules/*.yml\n");
    folder.write("rules/t.yml", "dataset: t\nkey: [id]\nsource: { connection: db, table: t }\n");
    let output = Command::new(program())
        .arg("snapshot")
        .current_dir(folder.path())
        .env("HOME", home.path())
        .envs(environment.iter().copied())
        .output()
        .expect("the program runs");
    Ran::from(output)
}

#[test]
fn the_environment_and_the_password_file() {
    let Some(database) = one_row() else { return };
    let home = Folder::new();
    let port = database.server.port.to_string();
    let authority = root().join("fixtures/tls/authority.crt").display().to_string();
    let mut environment = vec![
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &port),
        ("PGUSER", "by_scram"),
        ("PGDATABASE", &database.name),
        ("PGSSLMODE", "verify-ca"),
        ("PGSSLROOTCERT", &authority),
    ];
    let ran = run_in(&environment, &home);
    assert!(ran.code == Some(2) && ran.stderr.contains("wants a password"), "{ran:?}");
    let escaped = PASSWORD.replace('\\', "\\\\").replace(':', "\\:");
    let file = home.write(
        ".pgpass",
        format!("# a remark\nelsewhere:*:*:*:hunter2\n127.0.0.1:{port}:*:by_scram:{escaped}\n"),
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = run_in(&environment, &home);
    assert!(ran.code == Some(2) && ran.stderr.contains("chmod 600"), "{ran:?}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ran = run_in(&environment, &home);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let elsewhere = Folder::new();
    let moved = elsewhere.path().join("passwords").display().to_string();
    std::fs::rename(&file, &moved).unwrap();
    environment.push(("PGPASSFILE", &moved));
    assert_eq!(run_in(&environment, &home).code, Some(0));
    environment.pop();
    environment.push(("PGPASSWORD", PASSWORD));
    assert_eq!(run_in(&environment, &home).code, Some(0));
    environment.push(("PGPASSWORD", "hunter2"));
    let ran = run_in(&environment, &home);
    assert!(ran.code == Some(2) && ran.stderr.contains("does not accept the password"), "{ran:?}");
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
