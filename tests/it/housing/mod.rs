//! The housing fixture: its generator, and what a run over it must report.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::panic,
    reason = "a generator of a few thousand rows, which may stop where it contradicts itself"
)]

mod clean;
mod codes;
mod defects;
pub mod generate;
mod layout;
mod people;
mod places;
pub mod random;
mod run;
mod table;
mod truth;
mod world;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

/// Dataset, rule, side, key and column of a finding; a finding about a whole side has no key.
pub type FindingId = (String, String, String, Option<String>, Option<String>);

/// Returns the fixture's folder.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/housing")
}

/// Returns `planted.json` as generated.
pub fn planted() -> Value {
    let files = generate::generate();
    serde_json::from_slice(&files["planted.json"]).expect("planted.json is JSON")
}

/// Returns how often each finding must be reported: rows that share a key share a finding's identity.
pub fn expected_finding_counts() -> BTreeMap<FindingId, usize> {
    let mut most: BTreeMap<FindingId, usize> = BTreeMap::new();
    for defect in planted()["planted"].as_array().into_iter().flatten() {
        let mut counts: BTreeMap<FindingId, usize> = BTreeMap::new();
        for finding in defect["consequences"].as_array().into_iter().flatten() {
            let text = |field: &str| finding[field].as_str().map(str::to_owned);
            let of = |field| text(field).expect("a finding has a dataset, a rule and a side");
            *counts
                .entry((of("dataset"), of("rule"), of("side"), text("key"), text("column")))
                .or_default() += 1;
        }
        // A total that several defects explain is one finding.
        for (finding, count) in counts {
            let known = most.entry(finding).or_default();
            *known = count.max(*known);
        }
    }
    most
}

#[test]
fn committed_files_are_what_the_generator_makes() {
    let regenerate = std::env::var_os("COUNTERFOIL_REGENERATE").is_some_and(|v| v == "1");
    let mut stale = Vec::new();
    for (path, bytes) in generate::generate() {
        let file = folder().join(&path);
        if regenerate {
            std::fs::create_dir_all(file.parent().expect("a file stands in a folder")).expect("a folder");
            std::fs::write(&file, &bytes).expect("a file is written");
        } else if std::fs::read(&file).ok().as_deref() != Some(&bytes[..]) {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "not what the generator makes: {stale:?}; see fixtures/housing/README.md");
}

#[test]
fn ledgers_hold_every_row_of_the_files() {
    let files = generate::generate();
    let lines = |path: &str| String::from_utf8_lossy(&files[path]).lines().count() - 1;
    let planted = planted();
    for (source, target, dataset) in [
        ("property", "assets", "properties"),
        ("househ", "households", "households"),
        ("member", "persons", "members"),
        ("tenagree", "tenures", "tenancies"),
        ("rtrans", "transactions", "transactions"),
    ] {
        let rows = &planted["datasets"][dataset]["rows"];
        assert_eq!(rows["source"], lines(&format!("data/source/{source}.csv")), "{dataset}");
        assert_eq!(rows["target"], lines(&format!("data/target/{target}.csv")), "{dataset}");
    }
}

#[test]
fn each_defect_is_named_once_and_the_fixture_stays_small() {
    let planted = planted();
    let defects = planted["planted"].as_array().expect("a list of defects");
    let ids: BTreeSet<&str> = defects.iter().filter_map(|defect| defect["id"].as_str()).collect();
    assert_eq!(ids.len(), defects.len());
    let bytes: usize = generate::generate().values().map(Vec::len).sum();
    assert!(bytes < 2_980_000, "{bytes} bytes");
}
