//! The command line: help pages, exit codes and streams.

use crate::support::{Folder, golden, program};

const COMMANDS: &[&str] =
    &["run", "snapshot", "reconcile", "check-config", "report", "explain", "schema", "completions", "man"];

#[test]
fn every_help_page_is_as_committed() {
    let folder = Folder::new();
    golden("tests/it/help/counterfoil.txt", &folder.run(&["--help"]).stdout);
    for command in COMMANDS {
        let ran = folder.run(&[command, "--help"]);
        assert_eq!(ran.code, Some(0), "{command}");
        golden(&format!("tests/it/help/{command}.txt"), &ran.stdout);
    }
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    let folder = Folder::new();
    for arguments in [&["rum"][..], &["run", "--as-of", "yesterday"], &["report"], &[]] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.is_empty());
    }
}

#[test]
fn every_kind_is_explained_and_an_unknown_one_is_near() {
    let folder = Folder::new();
    let list = folder.run(&["explain"]).stdout;
    for kind in ["trim", "not_null", "exact"] {
        assert!(list.contains(kind), "{list}");
        let page = folder.run(&["explain", kind]);
        assert_eq!(page.code, Some(0));
        assert!(page.stdout.contains("columns"), "{page:?}");
    }
    let ran = folder.run(&["explain", "not_nul"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("did you mean `not_null`?"), "{ran:?}");
}

#[test]
fn completions_and_manual_are_made() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(folder.run(&["completions", shell]).stdout.contains("counterfoil"), "{shell}");
    }
    assert!(folder.run(&["man"]).stdout.starts_with(".ie"));
    assert_eq!(folder.run(&["man", "--out", "pages"]).code, Some(0));
    assert!(folder.path().join("pages/counterfoil-run.1").exists());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = std::process::Command::new(program())
        .arg("explain")
        .arg("trim")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}
