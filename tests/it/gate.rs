//! The exit code is a contract: 0 the gate passed, 1 it failed, 2 it could not judge.

use counterfoil::model::Status;

use crate::support::Folder;

const SIDES: &str = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\n";
const GOOD: &str = "id,name\n1,Ann\n2,Bob\n3,Cid\n4,Dot\n";

/// Runs a dataset with these rules and returns the exit code and the status of the rule `id`.
fn outcome(rules: &str, source: &str, target: &str, id: &str) -> (Option<i32>, Option<Status>) {
    let folder = Folder::new();
    let ran = folder.project(&format!("{SIDES}{rules}"), source, target).run(&["run"]);
    let result = folder.result();
    assert_eq!(ran.code, Some(i32::from(result.gate.exit_code)), "{ran:?}");
    let status = result.datasets[0].rules.iter().find(|rule| rule.id == id).map(|rule| rule.status);
    (ran.code, status)
}

#[test]
fn equal_sides_pass() {
    assert_eq!(outcome("", GOOD, GOOD, "reconcile-missing"), (Some(0), Some(Status::Pass)));
}

#[test]
fn a_difference_fails_and_a_warning_does_not() {
    let changed = GOOD.replace("Cid", "Sid");
    assert_eq!(outcome("", GOOD, &changed, "reconcile-name"), (Some(1), Some(Status::Fail)));
    let warning = "reconcile:\n  rules:\n    reconcile-name: { severity: warning }\n";
    assert_eq!(outcome(warning, GOOD, &changed, "reconcile-name"), (Some(0), Some(Status::Warn)));
    let info = warning.replace("warning", "info");
    assert_eq!(outcome(&info, GOOD, &changed, "reconcile-name"), (Some(0), Some(Status::Pass)));
}

#[test]
fn a_warning_fails_where_the_gate_says_so() {
    let folder = Folder::new();
    let rules = format!("{SIDES}reconcile:\n  rules:\n    reconcile-name: {{ severity: warning }}\n");
    folder.project(&rules, GOOD, &GOOD.replace("Cid", "Sid"));
    let project = std::fs::read_to_string(folder.path().join("counterfoil.yml")).expect("a project");
    folder.write("counterfoil.yml", format!("{project}gate: {{ fail_on: warning }}\n"));
    assert_eq!(folder.run(&["run"]).code, Some(1));
}

#[test]
fn max_failures_as_count_and_as_share() {
    let missing = "id,name\n1,Ann\n2,\n3,Cid\n4,Dot\n";
    let rules =
        |most: &str| format!("checks:\n  - check: not_null\n    columns: [name]\n    max_failures: {most}\n");
    for (most, status) in
        [("0", Status::Fail), ("1", Status::Pass), ("24%", Status::Fail), ("25%", Status::Pass)]
    {
        let (_, found) = outcome(&rules(most), missing, missing, "not_null-name");
        assert_eq!(found, Some(status), "{most}");
    }
}

#[test]
fn nothing_evaluated_is_inconclusive() {
    let empty = "id,name\n";
    let check = "checks:\n  - check: not_null\n    columns: [name]\n";
    assert_eq!(outcome(check, empty, empty, "not_null-name"), (Some(1), Some(Status::Inconclusive)));
    let nobody = format!("{check}    where: name = 'Zed'\n");
    assert_eq!(outcome(&nobody, GOOD, GOOD, "not_null-name"), (Some(1), Some(Status::Inconclusive)));
    let allowed = format!("{nobody}    allow_empty: true\n");
    assert_eq!(outcome(&allowed, GOOD, GOOD, "not_null-name"), (Some(0), Some(Status::Pass)));
}

#[test]
fn a_rule_switched_off_is_skipped_with_its_reason() {
    let missing = "id,name\n1,Ann\n2,\n";
    let rules = "checks:\n  - check: not_null\n    columns: [name]\n    skip: waits for the letters\n";
    let folder = Folder::new();
    let ran = folder.project(&format!("{SIDES}{rules}"), missing, missing).run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let rule = folder.result().datasets[0]
        .rules
        .iter()
        .find(|r| r.id == "not_null-name")
        .cloned()
        .expect("the rule");
    assert_eq!((rule.status, rule.reason.as_deref()), (Status::Skipped, Some("waits for the letters")));
}

#[test]
fn the_raw_source_gates_only_where_asked() {
    let raw = "id,name\n1,Ann\n2,-\n";
    let clean = "id,name\n1,Ann\n2,Bob\n";
    let mended = "cleanse:\n  - step: replace\n    columns: [name]\n    find: '-'\n    with: Bob\nchecks:\n  - check: accepted_values\n    column: name\n    values: [Ann, Bob]\n";
    assert_eq!(outcome(mended, raw, clean, "accepted_values-name"), (Some(0), Some(Status::Pass)));
    let asked = format!("{mended}    on: [source]\n");
    assert_eq!(outcome(&asked, raw, clean, "accepted_values-name"), (Some(1), Some(Status::Fail)));
}

#[test]
fn a_value_that_is_refused_breaks_the_dataset() {
    let rules = "cleanse:\n  - step: map_values\n    column: name\n    values: { Ann: A, Bob: B, Cid: C }\n    unmapped: refuse\n";
    let folder = Folder::new();
    let ran = folder.project(&format!("{SIDES}{rules}"), GOOD, GOOD).run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(folder.result().datasets[0].error.is_some());
}

#[test]
fn a_warning_about_a_rule_reaches_the_terminal_and_the_report() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\nchecks:\n  - { check: expression, id: odd, that: name = null, allow_empty: true }\n";
    folder.project(rules, "id,name\n1,Ann\n", "id,name\n1,Ann\n");
    let ran = folder.run(&["run"]);
    let warning = "rules/t.yml, line 6: a comparison with NULL is never true and never false.";
    assert_eq!(ran.stderr.matches(warning).count(), 1, "{ran:?}");
    assert_eq!(folder.result().notes, [warning]);
    let page = std::fs::read_to_string(folder.run_folder().join("report/index.html")).expect("a report");
    assert!(page.contains("a comparison with NULL is never true and never false"));
}

#[test]
fn sides_without_a_common_column_are_not_equal_but_inconclusive() {
    let folder = Folder::new();
    let ran = folder.project(SIDES, "id,a\n1,x\n", "id,b\n1,y\n").run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("no column is compared"), "{ran:?}");
    assert_eq!(folder.result().gate.stopped_by, ["t"]);
    // A table of keys alone is compared by its keys.
    assert_eq!(folder.project(SIDES, "id\n1\n", "id\n1\n").run(&["run"]).code, Some(0));
}

#[test]
fn a_type_that_another_word_of_the_policy_needs_is_not_called_idle() {
    let folder = Folder::new();
    let rules = format!("{SIDES}reconcile:\n  columns:\n    v: {{ as: f64, relative: 0.000001 }}\n");
    folder.project(&rules, "id,v\n1,0.05\n2,0.066\n", "id,v\n1,0.05\n2,0.066\n");
    assert_eq!(folder.run(&["run"]).code, Some(0));
    let notes = folder.result().datasets[0].notes.join("\n");
    assert!(notes.contains("`relative` of `v` made no difference"), "{notes}");
    assert!(!notes.contains("`as` of `v`"), "{notes}");
}
