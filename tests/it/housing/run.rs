//! A run over the housing fixture finds what was planted, as what it is, and nothing else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use counterfoil::findings::{DatasetResult, RunResult};
use counterfoil::ledger::Entry;
use serde_json::Value;

use super::{FindingId, expected_finding_counts, folder, planted};
use crate::support::{Folder, Ran, column, read_parquet};

/// One run for all tests of this file.
struct Run {
    folder: Folder,
    ran: Ran,
    result: RunResult,
}

static RUN: LazyLock<Run> = LazyLock::new(|| {
    let own = Folder::new();
    let out = own.path().join("counterfoil-out");
    let project = folder();
    let ran = own.run(&["run", project.to_str().expect("a path"), "--out", out.to_str().expect("a path")]);
    assert!(own.path().join("counterfoil-out/runs/latest/run.json").exists(), "{ran:?}");
    let result = own.result();
    Run { folder: own, ran, result }
});

fn dataset(name: &str) -> &'static DatasetResult {
    RUN.result.datasets.iter().find(|d| d.name == name).expect("the dataset")
}

#[test]
fn the_verdict_is_the_planted_one() {
    let planted = planted();
    assert_eq!(RUN.ran.code.map(i64::from), planted["verdict"]["exit_code"].as_i64(), "{:?}", RUN.ran);
    assert!(RUN.ran.stdout.contains("Report: "), "{:?}", RUN.ran);
}

#[test]
fn every_planted_finding_is_found_and_nothing_else() {
    let mut found: BTreeMap<FindingId, usize> = BTreeMap::new();
    for dataset in &RUN.result.datasets {
        let table = read_parquet(&RUN.folder.run_folder().join(format!("findings/{}.parquet", dataset.name)));
        let [rules, sides, keys, columns] =
            ["rule", "side", "key", "column"].map(|name| column(&table, name));
        for row in 0..rules.len() {
            let text = |cells: &[Option<String>]| cells[row].clone().expect("never NULL");
            let id =
                (dataset.name.clone(), text(&rules), text(&sides), keys[row].clone(), columns[row].clone());
            *found.entry(id).or_default() += 1;
        }
    }
    let wanted = expected_finding_counts();
    let missed: Vec<_> = wanted.iter().filter(|(id, n)| found.get(*id) != Some(n)).collect();
    let surplus: Vec<_> = found.iter().filter(|(id, n)| wanted.get(*id) != Some(n)).collect();
    assert!(missed.is_empty() && surplus.is_empty(), "not found: {missed:#?}\nfound beside: {surplus:#?}");
}

#[test]
fn orphans_are_of_the_planted_class() {
    let mut wanted: Vec<(String, String, String, Option<String>, String)> = Vec::new();
    for defect in planted()["planted"].as_array().into_iter().flatten() {
        for finding in defect["consequences"].as_array().into_iter().flatten() {
            let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
            if text("rule").starts_with("foreign_key") {
                wanted.push((
                    text("dataset"),
                    text("rule"),
                    text("side"),
                    finding["key"].as_str().map(str::to_owned),
                    text("group"),
                ));
            }
        }
    }
    let mut found = Vec::new();
    for dataset in &RUN.result.datasets {
        let table = read_parquet(&RUN.folder.run_folder().join(format!("findings/{}.parquet", dataset.name)));
        let [rules, sides, keys, groups] = ["rule", "side", "key", "group"].map(|name| column(&table, name));
        for row in 0..rules.len() {
            let rule = rules[row].clone().unwrap_or_default();
            if rule.starts_with("foreign_key") {
                found.push((
                    dataset.name.clone(),
                    rule,
                    sides[row].clone().unwrap_or_default(),
                    keys[row].clone(),
                    groups[row].clone().unwrap_or_default(),
                ));
            }
        }
    }
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
}

fn lines(entries: &[Entry]) -> BTreeMap<String, u64> {
    entries.iter().filter(|e| e.rows > 0).map(|e| (e.disposition.clone(), e.rows)).collect()
}

fn counts(value: &Value) -> BTreeMap<String, u64> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, n)| n.as_u64().filter(|n| *n > 0).map(|n| (name.clone(), n)))
        .collect()
}

#[test]
fn every_row_went_where_it_should() {
    let planted = planted();
    for (name, truth) in planted["datasets"].as_object().expect("datasets") {
        let ledger = dataset(name).ledger.as_ref().expect("a ledger");
        assert!(ledger.balanced, "{name}");
        assert_eq!(lines(&ledger.source), counts(&truth["ledger"]["source"]), "{name} source");
        assert_eq!(lines(&ledger.target), counts(&truth["ledger"]["target"]), "{name} target");
    }
}

#[test]
fn every_bucket_holds_the_planted_rows() {
    let planted = planted();
    for (name, truth) in planted["datasets"].as_object().expect("datasets") {
        let Some(buckets) = dataset(name).buckets else {
            assert!(truth["buckets"].is_null(), "{name} was not reconciled");
            continue;
        };
        let wanted = &truth["buckets"];
        for (word, found, wanted) in [
            ("matched", buckets.matched, &wanted["matched"]),
            ("mismatched", buckets.mismatched, &wanted["mismatched"]),
            ("missing", buckets.missing, &wanted["missing"]),
            ("unexpected", buckets.unexpected, &wanted["unexpected"]),
            ("duplicate key", buckets.duplicate_key_expected, &wanted["duplicate_key"]["expected"]),
            ("duplicate key there", buckets.duplicate_key_target, &wanted["duplicate_key"]["target"]),
            ("no key", buckets.no_key_expected, &wanted["no_key"]["expected"]),
            ("no key there", buckets.no_key_target, &wanted["no_key"]["target"]),
        ] {
            assert_eq!(Some(found), wanted.as_u64(), "{name}: {word}");
        }
    }
}

#[test]
fn every_correction_was_made_by_its_step() {
    let planted = planted();
    for (name, truth) in planted["datasets"].as_object().expect("datasets") {
        let table = read_parquet(&RUN.folder.run_folder().join(format!("changes/{name}.parquet")));
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for rule in column(&table, "rule") {
            *found.entry(rule.expect("never NULL")).or_default() += 1;
        }
        assert_eq!(found, counts(&truth["corrections"]), "{name}");
    }
}

#[test]
fn corrected_data_is_what_the_target_should_hold() {
    for dataset in &RUN.result.datasets {
        let table =
            read_parquet(&RUN.folder.run_folder().join(format!("corrected/{}.parquet", dataset.name)));
        assert_eq!(Some(table.1.len() as u64), dataset.expected_rows, "{}", dataset.name);
    }
    let table = read_parquet(&RUN.folder.run_folder().join("corrected/tenancies.parquet"));
    assert!(table.0.contains(&"uh_reference".to_owned()), "the target's names: {:?}", table.0);
    let references = column(&table, "uh_reference");
    // A key that is NULL is written `\\N`, which comes after digits.
    let keys: Vec<&str> = references.iter().map(|key| key.as_deref().unwrap_or("\\N")).collect();
    assert!(keys.is_sorted(), "sorted by key");
    let repairs = read_parquet(&RUN.folder.run_folder().join("repairs/tenancies.parquet"));
    let buckets = dataset("tenancies").buckets.expect("reconciled");
    let actions = column(&repairs, "action");
    let count = |word: &str| actions.iter().filter(|a| a.as_deref() == Some(word)).count() as u64;
    assert_eq!(
        [count("insert"), count("update"), count("delete")],
        [buckets.missing, buckets.mismatched, buckets.unexpected]
    );
}

#[test]
fn quarantined_rows_are_kept_with_their_reasons() {
    for dataset in &RUN.result.datasets {
        let table =
            read_parquet(&RUN.folder.run_folder().join(format!("quarantine/{}.parquet", dataset.name)));
        assert_eq!(table.1.len() as u64, dataset.quarantined, "{}", dataset.name);
        assert!(
            column(&table, "reasons").iter().all(|reason| reason.as_ref().is_some_and(|r| !r.is_empty()))
        );
    }
}

#[test]
fn the_same_run_twice_gives_the_same_bytes() {
    let again = Folder::new();
    let project = folder();
    let first = RUN.folder.run_folder();
    let ran = again.run(&["run", project.to_str().expect("a path"), "--out", "counterfoil-out"]);
    assert_eq!(ran.code, RUN.ran.code);
    let second = again.run_folder();
    let mut open = vec![String::new()];
    let mut compared = 0;
    while let Some(place) = open.pop() {
        for entry in std::fs::read_dir(first.join(&place)).expect("a folder").flatten() {
            let name = format!("{place}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                open.push(format!("{name}/"));
            } else if !name.ends_with("run.log") && !name.ends_with("manifest.json") {
                let read = |run: &std::path::Path| std::fs::read(run.join(&name)).expect("both have it");
                assert!(read(&first) == read(&second), "{name} differs");
                compared += 1;
            }
        }
    }
    assert!(compared > 30, "{compared} files compared");
}
