//! What a command says while it works and when it ends: waits, what could not be judged, what an argument means.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use chrono::{Duration, Local};

use crate::support::{Folder, program};

/// A project of datasets with one file each, by name; `has` are those whose file is there.
fn files(names: &[&str], has: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        "version: 1\nproject: Test\nfingerprint_key: test\ndatasets: rules/*.yml\n",
    );
    for name in names {
        folder.write(
            &format!("rules/{name}.yml"),
            format!(
                "dataset: {name}\nkey: [id]\nsource: {{ file: {name}.csv }}\nchecks:\n  \
                 - {{ check: not_null, columns: [id] }}\n"
            ),
        );
    }
    for name in has {
        folder.write(&format!("{name}.csv"), "id,v\n1,x\n");
    }
    folder
}

#[test]
fn a_wait_for_the_hours_is_told_at_once() {
    let folder = files(&[], &[]);
    let at = |hours: i64| (Local::now() + Duration::hours(hours)).format("%H:%M").to_string();
    let hours = format!("{}-{}", at(3), at(4));
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\ndatasets: rules/*.yml\nconnections:\n  db: {{ type: \
             postgres, url: \"postgresql://x@127.0.0.1:1/x\", limits: {{ hours: \"{hours}\" }} }}\n"
        ),
    );
    for name in ["a", "b"] {
        let text = format!("dataset: {name}\nkey: [id]\nsource: {{ connection: db, table: {name} }}\n");
        folder.write(&format!("rules/{name}.yml"), text);
    }
    let mut child = Command::new(program())
        .arg("run")
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains(&format!("connection `db`: it is read from {}", &hours[..5])), "{line}");
    assert!(line.contains("waiting 2 h 59 min") || line.contains("waiting 3 h 0 min"), "{line}");
}

#[test]
fn what_could_not_be_judged_is_an_error_that_quiet_lets_through() {
    let folder = files(&["a", "b"], &["a"]);
    let ran = folder.run(&["run", "-q"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.starts_with("error: b: could not be judged: The source could not be read"), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
}
