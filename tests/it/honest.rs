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
