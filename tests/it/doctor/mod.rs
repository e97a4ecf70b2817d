//! `counterfoil doctor`: what it finds out of connections, what it says of those that fail, and that types are tried.

mod conformance;
mod failures;
mod sqlserver;
mod steps;

use std::net::TcpListener;

use serde_json::{Value as Json, json};

use crate::servers::tds::freetds;
use crate::servers::{mariadb, postgres};
use crate::support::{Folder, Ran};

/// Writes a project of these connections, and a dataset for each `(connection, side in YAML)`.
fn project(connections: &[(&str, Json)], sides: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    let connections: serde_json::Map<String, Json> =
        connections.iter().map(|(name, connection)| ((*name).to_owned(), connection.clone())).collect();
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nconnections: {}\ndatasets: rules/*.yml\n",
            Json::from(connections)
        ),
    );
    for (at, (connection, side)) in sides.iter().enumerate() {
        folder.write(
            &format!("rules/{at}.yml"),
            format!("dataset: d{at}\nsource: {{ connection: {connection}, {side} }}\n"),
        );
    }
    folder
}

/// Runs the doctor; whatever it says, it says no password.
fn doctor(folder: &Folder, arguments: &[&str]) -> Ran {
    let ran = folder.run(&[&["doctor"], arguments].concat());
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for secret in
        [postgres::PASSWORD, &encoded(postgres::PASSWORD), mariadb::PASSWORD, freetds::PASSWORD, "hunter2"]
    {
        assert!(!said.contains(secret), "a password is shown: {said}");
    }
    // Not in pieces either: lines are broken at blanks alone.
    assert!(!said.contains("PWD=") || said.contains("`PWD=...`"), "a connection string is shown: {said}");
    ran
}

/// Returns a text as it stands in a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"))
}

/// Returns a connection of type `postgres`.
fn native(url: &str) -> Json {
    json!({"type": "postgres", "url": url})
}

/// Returns a connection of type `odbc`, which gives up soon.
fn odbc(connection_string: &str) -> Json {
    json!({"type": "odbc", "connection_string": connection_string})
}

/// Returns what stands under a connection, a line each, with blanks as they come.
fn lines_of<'r>(ran: &'r Ran, connection: &str) -> Vec<&'r str> {
    let lines = ran.stdout.lines().skip_while(|line| *line != connection).skip(1);
    lines.take_while(|line| !line.is_empty()).collect()
}

/// Returns the names of the steps of a connection that came out so.
fn steps<'r>(ran: &'r Ran, connection: &str, outcome: &str) -> Vec<&'r str> {
    let of = |line: &'r str| {
        let (word, rest) = (line.get(2..8)?.trim(), line.get(20..)?);
        (word == outcome).then(|| rest.get(..14).unwrap_or(rest).trim())
    };
    lines_of(ran, connection).into_iter().filter_map(of).collect()
}

/// Returns what was said, with every blank a single one.
fn said(ran: &Ran) -> String {
    format!("{} {}", ran.stdout, ran.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a port on which nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
