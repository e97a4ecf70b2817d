//! A record has one key, whatever the types of its key on the two sides.

use crate::support::{Folder, column, read_parquet};

/// What a run shows of its keys: rule, side and key of each finding, the keys of other files, how the first key column was compared.
struct Keys {
    findings: Vec<(String, String, String)>,
    repairs: Vec<String>,
    quarantine: Vec<String>,
    compared_as: String,
}

/// Runs a project with a check that fails where `x` is empty.
fn run(key: &str, sides: [&str; 2], more: &str, source: &str, target: &str) -> Keys {
    let folder = Folder::new();
    let [of_source, of_target] = sides;
    let rules = format!(
        "dataset: t\nkey: [{key}]\nsource: {{ connection: files, file: source.csv, {of_source} }}\ntarget: {{ connection: files, file: target.csv, {of_target} }}\nchecks:\n  - check: not_null\n    columns: [x]\n    on: [expected, target]\n{more}"
    );
    let ran = folder.project(&rules, source, target).run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let read = |kind: &str| read_parquet(&folder.run_folder().join(format!("{kind}/t.parquet")));
    let of = |kind: &str, name: &str| -> Vec<String> {
        column(&read(kind), name).into_iter().map(Option::unwrap).collect()
    };
    let (rules, sides, keys) = (of("findings", "rule"), of("findings", "side"), of("findings", "key"));
    let findings = rules.into_iter().zip(sides).zip(keys).map(|((rule, side), key)| (rule, side, key));
    let result = folder.result();
    let first = result.datasets[0].columns.iter().find(|c| c.name == key.split(',').next().unwrap()).unwrap();
    assert_eq!(first.not_compared, None);
    Keys {
        findings: findings.collect(),
        repairs: of("repairs", "key"),
        quarantine: of("quarantine", "key"),
        compared_as: first.compared_as.clone().unwrap(),
    }
}

fn of_rule(keys: &Keys, rule: &str) -> Vec<(String, String)> {
    let found = keys.findings.iter().filter(|(id, _, _)| id == rule);
    found.map(|(_, side, key)| (side.clone(), key.clone())).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_number_is_one_key_whatever_its_zeros() {
    let keys = run(
        "id,part",
        ["types: { id: i64, x: text, n: text }", "types: { id: 'decimal(9,2)', x: text, n: i64 }"],
        "cleanse:\n  - step: parse_number\n    columns: [n]\n    to: i64\n    invalid: quarantine\n",
        "id,part,x,n\n7,a,,1\n8,b,,2\n9,c,x,y\n,d,x,4\n",
        "id,part,x,n\n7.00,a,,2\n10.00,c,x,3\n,e,x,4\n",
    );
    let twice = pairs(&[("expected", "7|a"), ("target", "7|a"), ("expected", "8|b")]);
    assert_eq!(of_rule(&keys, "not_null-x"), twice);
    assert_eq!(of_rule(&keys, "reconcile-n"), pairs(&[("target", "7|a")]));
    assert_eq!(of_rule(&keys, "reconcile-missing"), pairs(&[("expected", "8|b")]));
    assert_eq!(of_rule(&keys, "reconcile-unexpected"), pairs(&[("target", "10|c")]));
    let no_key = pairs(&[("expected", "\\N|d"), ("target", "\\N|e")]);
    assert_eq!(of_rule(&keys, "reconcile-no_key"), no_key);
    assert_eq!(keys.repairs, ["10|c", "7|a", "8|b"]);
    assert_eq!(keys.quarantine, ["9|c"]);
    assert_eq!(keys.compared_as, "compared as numbers by value (i64 and decimal(9,2)), giving up nothing");
}

#[test]
fn a_moment_is_one_key_on_the_clocks_of_its_zone() {
    let keys = run(
        "at",
        [
            "timezone: Europe/London, types: { at: timestamp, x: text, n: i64 }",
            "types: { at: timestamptz, x: text, n: i64 }",
        ],
        "",
        "at,x,n\n2026-07-01 12:00:00,,1\n2026-07-02 00:00:00,,2\n",
        "at,x,n\n2026-07-01T11:00:00Z,,2\n2026-07-03T11:00:00Z,x,3\n",
    );
    let shared = "2026-07-01 12:00:00";
    let twice = pairs(&[("expected", shared), ("target", shared), ("expected", "2026-07-02")]);
    assert_eq!(of_rule(&keys, "not_null-x"), twice);
    assert_eq!(of_rule(&keys, "reconcile-n"), pairs(&[("target", shared)]));
    assert_eq!(keys.repairs, [shared, "2026-07-02", "2026-07-03 12:00:00"]);
    assert!(
        keys.compared_as.starts_with("compared as timestamp on the clocks of Europe/London, giving up"),
        "{}",
        keys.compared_as
    );
}

#[test]
fn what_cleansing_could_not_read_of_a_key_is_shown_as_it_was() {
    let keys = run(
        "id",
        ["types: { id: text, x: text }", "types: { id: i64, x: text }"],
        "cleanse:\n  - step: parse_number\n    columns: [id]\n    to: i64\n    invalid: quarantine\n",
        "id,x\n007,\nseven,x\n",
        "id,x\n7,\n",
    );
    assert_eq!(of_rule(&keys, "not_null-x"), pairs(&[("expected", "7"), ("target", "7")]));
    assert_eq!(keys.quarantine, ["seven"]);
}
