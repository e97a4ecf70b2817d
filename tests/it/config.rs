//! The project file and its mistakes: the sample projects under fixtures/config, the schemas, and properties.

mod properties;
mod schema;
mod validator;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Folder, Ran, golden, program, root};

/// Returns the sample projects of a kind, by name.
fn samples(kind: &str) -> Vec<PathBuf> {
    let folder = root().join("fixtures/config").join(kind);
    let mut samples: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("samples").flatten().map(|entry| entry.path()).collect();
    samples.sort();
    samples
}

/// Runs the program in a folder with only those environment variables that its file `environment` sets.
fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    let environment = std::fs::read_to_string(folder.join("environment")).unwrap_or_default();
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let output = Command::new(program())
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables)
        .output()
        .expect("the program runs");
    Ran::from(output)
}

/// Compares what a sample's run said with the file beside it, and asserts that no secret is in it.
fn said(sample: &Path, ran: &Ran) {
    let file = sample.join("diagnostics.txt");
    golden(
        file.strip_prefix(root()).expect("a file of the repository").to_str().expect("a path"),
        &ran.stderr,
    );
    for secret in ["hunter2", "battery-staple", "corréct horse", "literal-fingerprint", "s3cret"] {
        assert!(!ran.stderr.contains(secret), "`{secret}` is said: {ran:?}");
    }
}

#[test]
fn every_mistake_is_shown_with_its_place() {
    let samples = samples("invalid");
    assert!(samples.len() >= 25, "{} samples", samples.len());
    for sample in samples {
        let ran = run_in(&sample, &["check-config"]);
        assert_eq!(ran.code, Some(2), "{}: {ran:?}", sample.display());
        assert_eq!(ran.stdout, "", "{}", sample.display());
        said(&sample, &ran);
    }
}

#[test]
fn what_is_right_is_accepted() {
    for sample in samples("valid") {
        let ran = run_in(&sample, &["check-config"]);
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", sample.display());
        assert!(ran.stdout.contains("no mistake"), "{}: {ran:?}", sample.display());
        if sample.join("diagnostics.txt").exists() {
            said(&sample, &ran);
        } else {
            assert_eq!(ran.stderr, "", "{}", sample.display());
        }
    }
}

#[test]
fn mistakes_that_only_the_data_show_stop_the_run_before_it_begins() {
    for sample in samples("unfit") {
        assert_eq!(run_in(&sample, &["check-config"]).code, Some(0), "{}", sample.display());
        let out = Folder::new();
        let folder = out.path().to_str().expect("a path");
        let ran = run_in(&sample, &["run", "--quiet", "--out", folder]);
        assert_eq!(ran.code, Some(2), "{}: {ran:?}", sample.display());
        said(&sample, &ran);
        assert!(!out.path().join("runs/latest").exists(), "{}", sample.display());
        assert_eq!(out.left_overs(), Vec::<PathBuf>::new(), "{}", sample.display());
    }
}

#[test]
fn datasets_may_refer_to_one_another_and_to_themselves() {
    let out = Folder::new();
    let sample = root().join("fixtures/config/valid/cycles");
    let ran = run_in(&sample, &["run", "--out", out.path().to_str().expect("a path")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn paths_are_shown_from_where_the_program_was_started() {
    let ran = Command::new(program())
        .args(["check-config", "invalid/mistakes-everywhere"])
        .current_dir(root().join("fixtures/config"))
        .output();
    let ran = Ran::from(ran.expect("the program runs"));
    assert!(ran.stderr.contains("--> invalid/mistakes-everywhere/rules/tenancies.yml:13:5"), "{ran:?}");
}

#[test]
fn a_huge_file_with_many_mistakes_is_read_in_little_time() {
    let folder = Folder::new();
    let rules = (0..2_000)
        .map(|i| format!("  - {{ check: range, column: c{i}, mini: {i} }}\n"))
        .collect::<Vec<_>>()
        .concat();
    let values = (0..50_000).map(|i| format!("      V{i}: W{i}\n")).collect::<Vec<_>>().concat();
    folder.project(
        &format!(
            "dataset: t\nsource: {{ file: source.csv }}\ncleanse:\n  - step: map_values\n    column: a\n    values:\n{values}checks:\n{rules}"
        ),
        "",
        "",
    );
    let started = std::time::Instant::now();
    let ran = folder.run(&["check-config"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.ends_with("4000 errors\n"), "{}", &ran.stderr[ran.stderr.len() - 200..]);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
