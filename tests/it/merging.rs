//! References to merged and to held-back records, over several datasets.

use crate::support::{Folder, column, read_parquet};

/// Runs datasets of a source side each, given as rules and CSV by name, and returns the folder.
fn run(datasets: &[(&str, &str, &str)]) -> Folder {
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\ndatasets: rules/*.yml\n",
    );
    for (name, rules, csv) in datasets {
        folder.write(&format!("rules/{name}.yml"), format!("dataset: {name}\n{rules}"));
        folder.write(&format!("{name}.csv"), csv);
    }
    let ran = folder.run(&["run"]);
    assert!(ran.code == Some(0) || ran.code == Some(1), "{ran:?}");
    folder
}

fn corrected(folder: &Folder, dataset: &str, name: &str) -> Vec<Option<String>> {
    column(&read_parquet(&folder.run_folder().join(format!("corrected/{dataset}.parquet"))), name)
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some((*value).to_owned())).collect()
}

const PARENTS: &str =
    "key: [id]\nsource: { file: p.csv }\nduplicates: [{ match: exact, columns: [n], merge: true }]\n";

#[test]
fn a_reference_to_a_merged_record_takes_the_survivors_key_whatever_the_types() {
    for (theirs, ours) in [
        ("decimal(9,1)", "i64"),
        ("i64", "decimal(9,2)"),
        ("i64", "u64"),
        ("f64", "i64"),
        ("decimal(9,1)", "f64"),
        ("u64", "i64"),
    ] {
        let parents = PARENTS.replace("p.csv", &format!("p.csv, types: {{ id: \"{theirs}\" }}"));
        let children = format!(
            "key: [id]\nsource: {{ file: c.csv, types: {{ ref: \"{ours}\" }} }}\nchecks: [{{ check: foreign_key, column: ref, references: p.id }}]\n"
        );
        let folder = run(&[("p", &parents, "id,n\n1,x\n2,x\n"), ("c", &children, "id,ref\n1,1\n2,2\n3,\n")]);
        let one = corrected(&folder, "c", "ref");
        assert_eq!((one[0].is_some(), &one[0], &one[2]), (true, &one[1], &None), "{theirs} and {ours}");
        let changes = read_parquet(&folder.run_folder().join("changes/c.parquet"));
        assert_eq!(column(&changes, "rule"), some(&["exact-n"]));
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
        assert_eq!(
            number(&column(&changes, "after")[0]),
            number(&one[0]),
            "what was written is what was told"
        );
    }
}

#[test]
fn a_key_that_the_reference_cannot_hold_is_left_and_told() {
    let folder = run(&[
        ("p", PARENTS, "id,n\nAB,x\n2,x\n"),
        (
            "c",
            "key: [id]\nsource: { file: c.csv, types: { ref: i64 } }\nchecks: [{ check: foreign_key, column: ref, references: q.id, on: [expected] }]\n",
            "id,ref\n1,7\n",
        ),
        (
            "q",
            "key: [id]\nsource: { file: q.csv, types: { id: \"decimal(9,1)\" } }\nduplicates: [{ match: exact, columns: [n], merge: true }]\n",
            "id,n\n7.5,x\n7.0,x\n",
        ),
    ]);
    assert_eq!(corrected(&folder, "c", "ref"), some(&["7"]));
    let result = folder.result();
    let child = result.datasets.iter().find(|d| d.name == "c").expect("the child");
    assert!(
        child.notes.iter().any(|note| note.starts_with("1 references in ref are left")),
        "{:?}",
        child.notes
    );
    assert_eq!(result.gate.exit_code, 1, "the reference dangles");
}

#[test]
fn only_references_that_the_rule_selects_are_rewritten() {
    let folder = run(&[
        ("p", PARENTS, "id,n\n1,x\n2,x\n"),
        (
            "c",
            "key: [id]\nsource: { file: c.csv }\nchecks: [{ check: foreign_key, column: ref, references: p.id, where: kind = 'P' }]\n",
            "id,kind,ref\n1,P,2\n2,H,2\n",
        ),
    ]);
    assert_eq!(corrected(&folder, "c", "ref"), some(&["1", "2"]));
}

#[test]
fn a_rewritten_reference_that_is_part_of_a_key_is_followed() {
    let folder = run(&[
        ("p", PARENTS, "id,n\n1,x\n2,x\n"),
        (
            "m",
            "key: [ref, no]\nsource: { file: m.csv }\nchecks: [{ check: foreign_key, column: ref, references: p.id }]\n",
            "ref,no\n1,1\n2,7\n",
        ),
        (
            "a",
            "key: [id]\nsource: { file: a.csv }\nchecks: [{ check: foreign_key, columns: [ref, no], references: { dataset: m, columns: [ref, no] } }]\n",
            "id,ref,no\n5,2,7\n",
        ),
    ]);
    assert_eq!(corrected(&folder, "a", "ref"), some(&["1"]));
    assert_eq!(folder.result().gate.exit_code, 0, "no false orphan");
}

#[test]
fn a_key_of_records_that_went_different_ways_is_left_and_told() {
    let folder = run(&[
        ("p", PARENTS, "id,n\n1,x\n2,x\n3,y\n2,y\n"),
        (
            "c",
            "key: [id]\nsource: { file: c.csv }\nchecks: [{ check: foreign_key, column: ref, references: p.id }]\n",
            "id,ref\n1,2\n",
        ),
    ]);
    assert_eq!(corrected(&folder, "c", "ref"), some(&["2"]));
    let result = folder.result();
    assert!(result.datasets[0].notes.iter().any(|note| note.contains("merged into different ones")));
}

#[test]
fn a_long_chain_is_held_back_to_its_end() {
    let rows: String = (1..=3_000).fold(String::from("id,above,kind\n"), |text, id| {
        let (above, kind) = if id == 1 { (String::new(), "Z") } else { ((id - 1).to_string(), "A") };
        text + &format!("{id},{above},{kind}\n")
    });
    let folder = run(&[(
        "t",
        "key: [id]\nsource: { file: t.csv }\ncleanse: [{ step: map_values, column: kind, values: { A: A }, unmapped: quarantine }]\nchecks: [{ check: foreign_key, column: above, references: t.id, allow_empty: true }]\n",
        &rows,
    )]);
    assert_eq!(folder.result().datasets[0].quarantined, 3_000);
}
