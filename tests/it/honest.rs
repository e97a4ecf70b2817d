//! What a result must never pretend: figures that cannot be, values of another day, a green that looked at nothing.

use counterfoil::findings::{DatasetResult, RuleResult};
use counterfoil::model::{Side, Status};

use crate::support::{Folder, Ran};

/// Runs a dataset with only a source.
fn one_sided(rules: &str, source: &str) -> (Ran, DatasetResult) {
    let folder = Folder::new();
    let sides = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\n";
    let ran = folder.project(&format!("{sides}{rules}"), source, "").run(&["run"]);
    let dataset = folder.result().datasets.remove(0);
    (ran, dataset)
}

fn rule<'d>(dataset: &'d DatasetResult, id: &str) -> &'d RuleResult {
    dataset.rules.iter().find(|rule| rule.id == id).unwrap_or_else(|| panic!("no rule {id}"))
}

#[test]
fn a_check_of_several_columns_counts_each_row_once() {
    let rules = "checks:\n  - { check: range, columns: [p, q], max: 5, max_failures: 60% }\n";
    let source = "id,p,q\n1,9,\n2,9,\n3,,9\n4,,9\n5,,\n6,1,\n";
    let (ran, dataset) = one_sided(rules, source);
    let range = rule(&dataset, "range-p-q");
    let figure = range.sides.iter().find(|figure| figure.side == Side::Expected).expect("a figure");
    assert_eq!((figure.evaluated, figure.unknown, figure.failed), (5, 1, 4));
    // 4 of 5 is more than 60%.
    assert_eq!((range.status, ran.code), (Status::Fail, Some(1)));
}

#[test]
fn a_run_from_old_snapshots_refuses_settings_that_have_changed() {
    let text = "id,name,n\n1,Ann,1\n2,Bob,2\n";
    let sides = |more: &str| {
        format!(
            "dataset: t\nkey: [id]\nsource: {{ connection: files, file: source.csv{more} }}\ntarget: {{ connection: files, file: target.csv }}\n"
        )
    };
    let folder = Folder::new();
    let before = ", types: { n: i64 }, columns: { name: who }, omit: [who]";
    assert_eq!(folder.project(&sides(before), text, text).run(&["run"]).code, Some(0));
    let again = |more: &str| {
        folder.write("rules/t.yml", sides(more));
        folder.run(&["run", "--from", "counterfoil-out/runs/latest"])
    };
    assert_eq!(again(before).code, Some(0));
    // What is applied after the reading may change.
    assert_eq!(again(&format!("{before}, filter: id > 0")).code, Some(0));
    for (more, setting) in [
        (", types: { n: text }, columns: { name: who }, omit: [who]", "`types` of `n`"),
        (", types: { n: i64 }, columns: { name: whom }, omit: [whom]", "`columns` of `name`"),
        (", types: { n: i64 }, columns: { name: who }", "`omit`"),
        (", types: { n: i64 }, columns: { name: who }, omit: [who], null: [x]", "`null`"),
        (", types: { n: i64 }, columns: { name: who }, omit: [who], delimiter: ';'", "`delimiter`"),
        (", types: { n: i64 }, columns: { name: who }, omit: [who], timezone: Europe/London", "`timezone`"),
        (
            ", types: { n: i64 }, columns: { name: who }, omit: [who], timezones: { n: UTC }",
            "`timezones` of `n`",
        ),
    ] {
        let ran = again(more);
        assert_eq!(ran.code, Some(2), "{more}: {ran:?}");
        let error = folder.result().datasets[0].error.clone().expect("an error");
        assert!(
            error.starts_with(&format!(
                "The source could not be read: its snapshot was taken with another {setting},"
            )),
            "{error}"
        );
        assert!(error.ends_with("take new snapshots, with a run without `--from`"), "{error}");
        // The latest run is now the one without the source's snapshot: begin anew.
        folder.write("rules/t.yml", sides(before));
        assert_eq!(folder.run(&["run"]).code, Some(0));
    }
}

const TWO_SIDES: &str = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\n";

#[test]
fn a_side_without_rows_is_inconclusive_even_where_no_rule_looks() {
    let (empty, full) = ("id,name\n", "id,name\n1,Ann\n");
    let only = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\n";
    let filtered =
        "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv, filter: \"name = 'Zed'\" }\n";
    for (rules, source, target, what) in [
        (only, empty, full, "the source has no rows"),
        (filtered, full, full, "the source has no rows"),
        (TWO_SIDES, empty, empty, "neither the source nor the target has rows"),
        (TWO_SIDES, full, empty, "the target has no rows"),
    ] {
        let folder = Folder::new();
        let ran = folder.project(rules, source, target).run(&["run"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let result = folder.result();
        assert_eq!(result.gate.stopped_by[0], "t");
        assert!(result.datasets[0].inconclusive.as_deref().is_some_and(|why| why.starts_with(what)));
        assert!(ran.stdout.contains("1 dataset had nothing to judge"), "{ran:?}");
        let read = |name: &str| std::fs::read_to_string(folder.run_folder().join(name)).expect("a view");
        assert!(read("summary.md").contains(&format!("| t | dataset | – | inconclusive: {what};")));
        assert!(read("junit.xml").contains(&format!("had nothing to judge: {what};")));
        assert!(read("report/index.html").contains(&format!("had nothing to judge: {what};")));
    }
}

#[test]
fn a_side_may_be_without_rows_where_the_dataset_says_so() {
    let (empty, full) = ("id,name\n", "id,name\n1,Ann\n");
    let checks = "allow_empty: true\nchecks:\n  - { check: not_null, columns: [name] }\n  - { check: not_null, id: zed, columns: [name], where: name = 'Zed' }\nduplicates:\n  - { match: exact, columns: [name] }\n";
    let rules = format!("{TWO_SIDES}{checks}");
    let folder = Folder::new();
    let ran = folder.project(&rules, empty, empty).run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let result = folder.result();
    assert_eq!((result.datasets[0].status, &result.datasets[0].inconclusive), (Status::Pass, &None));
    // It is the side that may be empty, not a check of a side that has rows.
    folder.project(&rules, full, full);
    assert_eq!(folder.run(&["run"]).code, Some(1));
    assert_eq!(folder.result().gate.stopped_by, ["t/zed"]);
    // Nor may rows be missing.
    folder.project(
        &rules.replace("not_null, id: zed, columns: [name], where: name = 'Zed'", "unique, columns: [id]"),
        full,
        empty,
    );
    assert_eq!(folder.run(&["run"]).code, Some(1));
    assert_eq!(folder.result().gate.stopped_by, ["t/reconcile-missing"]);
}
