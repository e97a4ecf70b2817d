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

#[test]
fn a_dataset_of_which_nothing_is_asked_is_no_pass() {
    let folder = files(&["a", "b"], &["a", "b"]);
    folder.write("rules/b.yml", "dataset: b\nkey: [id]\nsource: { file: b.csv }\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "it is one-sided on purpose: {ran:?}");
    let run = folder.run_folder();
    let read = |name: &str| std::fs::read_to_string(run.join(name)).unwrap();
    let (index, page, summary) = (read("report/index.html"), read("report/b.html"), read("summary.md"));
    let why = "nothing was asked: it has no rule, and no target";
    for text in [&index, &page, &summary] {
        assert!(text.contains(why), "{text}");
    }
    assert!(!index.contains("Everything the project asks for was checked"), "{index}");
    assert!(index.contains("is-unasked") && page.contains("b: nothing was asked."), "{page}");
    assert!(page.contains("verdict is-unasked") && !page.contains("class=\"status is-pass\""), "{page}");
    assert!(summary.contains("a: not reconciled: it has no target"), "{summary}");
    assert!(index.contains("not reconciled: it has no target"), "{index}");
    // Where nothing at all was asked, the run has no green mark either.
    std::fs::remove_file(folder.path().join("rules/a.yml")).unwrap();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.starts_with("– Nothing judged. Ready: no rule stops the gate, but none was judged."),
        "{ran:?}"
    );
    let index = std::fs::read_to_string(folder.run_folder().join("report/index.html")).unwrap();
    assert!(index.contains("verdict is-unasked") && index.contains("but none was judged"), "{index}");
}

/// A project of a file that can be read and of these datasets of one connection.
fn with_connection(connection: &str, datasets: &[(&str, &str)]) -> Folder {
    let folder = files(&["good"], &["good"]);
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\ndatasets: rules/*.yml\nconnections:\n  uh: {connection}\n"
        ),
    );
    for (name, sides) in datasets {
        folder.write(&format!("rules/{name}.yml"), format!("dataset: {name}\nkey: [id]\n{sides}\n"));
    }
    folder
}

#[test]
fn a_connection_that_cannot_be_opened_is_one_problem() {
    let side = "source: { connection: uh, table: t }";
    let datasets: Vec<(&str, &str)> =
        ["a", "b", "c", "d", "e"].into_iter().map(|name| (name, side)).collect();
    let connection = "{ type: postgres, url: \"postgresql://x@127.0.0.1:1/x\" }";
    let folder = with_connection(connection, &datasets);
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let told = "5 datasets could not be judged: connection `uh` could not be opened: ";
    assert_eq!(ran.stdout.matches(told).count(), 1, "{ran:?}");
    assert_eq!(ran.stdout.matches("is the server running").count(), 1, "{ran:?}");
    assert_eq!(ran.stderr.matches("is the server running").count(), 1, "{ran:?}");
    assert!(!ran.stderr.contains("a: writing") && !ran.stderr.contains("a: done"), "{ran:?}");
    let ran = folder.run(&["snapshot"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(ran.stderr.matches("is the server running").count(), 1, "{ran:?}");
    // Both sides are named where both are broken.
    let both = "source: { connection: uh, table: t }\ntarget: { file: none.csv }";
    let ran = with_connection(connection, &[("a", both)]).run(&["run"]);
    assert!(ran.stdout.contains("a: could not be judged: The source could not be read"), "{ran:?}");
    assert!(ran.stdout.contains("The target could not be read: there is no file"), "{ran:?}");
}

#[test]
fn an_empty_variable_is_said_to_be_empty() {
    let folder = with_connection("{ type: odbc, connection_string: \"${UH_ODBC}\" }", &[]);
    let output = Command::new(program())
        .arg("check-config")
        .current_dir(folder.path())
        .env("UH_ODBC", "")
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the environment variable `UH_ODBC` is empty"), "{said}");
}

#[test]
fn what_is_wrong_with_a_query_or_condition_is_named() {
    for word in ["mysql", "postgres"] {
        let Some(database) = crate::odbc::Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        let text = serde_json::to_string(&database.connection_string()).unwrap();
        let folder = with_connection(
            &format!("{{ type: odbc, connection_string: {text} }}"),
            &[
                ("w", "source: { connection: uh, table: t, where: idd > 0 }"),
                ("q", "source: { connection: uh, query: select id frm t }"),
            ],
        );
        let ran = folder.run(&["run"]);
        assert_eq!(ran.code, Some(2), "{word}: {ran:?}");
        let w = ran.stdout.lines().find(|line| line.trim_start().starts_with("w: ")).unwrap_or_default();
        assert!(w.contains("idd"), "{word}: {ran:?}");
        let q = ran.stdout.lines().find(|line| line.trim_start().starts_with("q: ")).unwrap_or_default();
        assert!(q.contains("the `query` of q's source failed: "), "{word}: {ran:?}");
        assert!(!q.contains("1 = 0") && !q.contains(") q"), "{word}: {ran:?}");
    }
}

#[test]
fn the_side_whose_blanks_do_not_count_is_named() {
    let folder = files(&[], &[]);
    let side = |name: &str, kind: &str| format!("{name}: {{ file: {name}.csv, types: {{ v: {kind} }} }}\n");
    for (source, target, says) in [
        ("char(3)", "text", "trailing blanks of the source's char(3) (the target's count)"),
        ("text", "char(3)", "trailing blanks of the target's char(3) (the source's count)"),
        ("char(3)", "char(5)", "trailing blanks of the source's char(3) and the target's char(5)"),
    ] {
        let text = format!("dataset: t\nkey: [id]\n{}{}", side("source", source), side("target", target));
        folder.write("rules/t.yml", text);
        folder.write("source.csv", "id,v\n1,ab \n");
        folder.write("target.csv", "id,v\n1,ab\n");
        let ran = folder.run(&["run"]);
        assert_ne!(ran.code, Some(2), "{ran:?}");
        let result = folder.result();
        let column = result.datasets[0].columns.iter().find(|column| column.name == "v").unwrap();
        assert!(column.compared_as.as_ref().unwrap().contains(says), "{:?}", column.compared_as);
    }
}

#[test]
fn a_setting_is_found_in_the_section_that_explains_it() {
    for (setting, page) in [("limits", "project"), ("tables", "source")] {
        let ran = Folder::new().run(&["explain", setting]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(&format!("`counterfoil explain {page}` explains")), "{ran:?}");
    }
}
