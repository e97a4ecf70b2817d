//! References on both sides: classes of orphans, what breaks further up, and the records to restore.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::findings::{BySide, DatasetResult, ReferenceResult};
use proptest::prelude::*;

use crate::support::{Folder, column, read_parquet};

/// Writes a dataset of two CSV files, whose rules stand in a file of its own.
fn dataset(folder: &Folder, name: &str, rules: &str, source: &str, target: &str) {
    let sides = format!(
        "dataset: {name}\nkey: [id]\nsource: {{ connection: files, file: {name}-old.csv }}\ntarget: {{ connection: files, file: {name}-new.csv }}\n{rules}"
    );
    folder.write(&format!("rules/{name}.yml"), sides);
    folder.write(&format!("{name}-old.csv"), source);
    folder.write(&format!("{name}-new.csv"), target);
}

fn refers(column: &str, parent: &str, more: &str) -> String {
    format!("checks:\n  - {{ check: foreign_key, column: {column}, references: {parent}.id{more} }}\n")
}

fn project(folder: &Folder) {
    folder.write(
        "counterfoil.yml",
        "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  files: { type: files, path: . }\ndatasets: rules/*.yml\n",
    );
}

fn result(folder: &Folder, name: &str) -> DatasetResult {
    folder.result().datasets.into_iter().find(|d| d.name == name).expect("a dataset")
}

fn reference(folder: &Folder, name: &str) -> ReferenceResult {
    result(folder, name).references.remove(0)
}

/// Sides, key, dataset, children, further and where it is, of each record to restore.
fn parents(folder: &Folder, name: &str) -> Vec<String> {
    let table = read_parquet(&folder.run_folder().join(format!("parents/{name}.parquet")));
    let cells: Vec<Vec<Option<String>>> = ["side", "key", "dataset", "children", "further", "found_in"]
        .map(|name| column(&table, name))
        .to_vec();
    let text = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "-".to_owned());
    (0..table.1.len())
        .map(|row| cells.iter().map(|cells| text(&cells[row])).collect::<Vec<_>>().join(" "))
        .collect()
}

/// Estates, properties on them, tenancies of these and transactions of these: estate E2 and property P9 are in neither
/// system; E3 and P4 were not loaded.
fn housing(folder: &Folder, more: [&str; 4]) {
    project(folder);
    dataset(folder, "estates", more[0], "id\nE1\nE3\n", "id\nE1\n");
    let properties = "id,estate\nP1,E1\nP2,E2\nP3,E3\nP4,E1\nP5,\n";
    dataset(
        folder,
        "properties",
        &format!("{}{}", refers("estate", "estates", ""), more[1]),
        properties,
        &properties.replace("P4,E1\n", ""),
    );
    let tenancies = "id,property\nT1,P1\nT2,P2\nT3,P2\nT4,P3\nT5,P4\nT6,P9\nT7,\n";
    // The target mends T6 and breaks T1.
    let mended = tenancies.replace("T6,P9", "T6,P5").replace("T1,P1", "T1,P8");
    dataset(
        folder,
        "tenancies",
        &format!("{}{}", refers("property", "properties", ""), more[2]),
        tenancies,
        &mended,
    );
    let payments = "id,tenancy\n1,T1\n2,T2\n3,T2\n4,T4\n5,T5\n6,T6\n";
    dataset(
        folder,
        "payments",
        &format!("{}{}", refers("tenancy", "tenancies", ""), more[3]),
        payments,
        payments,
    );
}

#[test]
fn what_is_missing_is_followed_down_to_whom_it_breaks() {
    let folder = Folder::new();
    housing(&folder, [""; 4]);
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let of = |expected, target| BySide { expected: Some(expected), target: Some(target) };
    let classes = |reference: &ReferenceResult| -> Vec<u64> {
        ["inherited", "introduced", "repaired"].map(|class| reference.classes[class]).to_vec()
    };

    let tenancies = reference(&folder, "tenancies");
    assert_eq!((tenancies.source, tenancies.target), (Some(1), Some(2)));
    assert_eq!(classes(&tenancies), [0, 2, 1], "T1 and T5 are introduced, T6 is repaired");
    assert_eq!(tenancies.missing, of(1, 2));
    // T2 and T3 lack E2 on both sides; T4 lacks E3 in the target.
    assert_eq!(tenancies.further.len(), 1);
    assert_eq!(tenancies.further[0].datasets, ["tenancies", "properties", "estates"]);
    assert_eq!(
        tenancies.further[0].rules,
        ["tenancies/foreign_key-property", "properties/foreign_key-estate"]
    );
    assert_eq!(tenancies.further[0].rows, of(2, 3));

    let payments = reference(&folder, "payments");
    assert_eq!((payments.source, payments.target, payments.missing), (Some(0), Some(0), of(0, 0)));
    let ways: Vec<(usize, BySide)> = payments.further.iter().map(|c| (c.datasets.len(), c.rows)).collect();
    // Payment 6 in expected and 1 and 5 in the target lack a property; 2, 3 and in the target 4 an estate.
    assert_eq!(ways, [(3, of(1, 2)), (4, of(2, 3))]);

    assert_eq!(
        parents(&folder, "estates"),
        ["expected E2 properties 1 4 -", "target E2 properties 1 4 -", "target E3 properties 1 2 expected"]
    );
    assert_eq!(
        parents(&folder, "properties"),
        ["expected P9 tenancies 1 1 -", "target P4 tenancies 1 1 expected", "target P8 tenancies 1 1 -"]
    );
    assert_eq!(parents(&folder, "tenancies"), [""; 0]);
    assert!(!folder.run_folder().join("parents/payments.parquet").exists(), "nobody refers to payments");

    let read = |name: &str| std::fs::read_to_string(folder.run_folder().join(name)).expect("a view");
    let page = read("report/tenancies.html");
    assert!(page.contains("tenancies → properties → estates"), "{page}");
    let page = read("report/estates.html");
    assert!(
        page.contains("Records to restore") && page.contains("E3") && page.contains("in expected"),
        "{page}"
    );
    let summary = read("summary.md");
    assert!(
        summary.contains("| tenancies | foreign_key-property | 1 | 2 | 0 | 2 | 1 | 0 | 2 | 3 |")
            && summary.contains("| payments | foreign_key-tenancy | 0 | 0 | 0 | 0 | 0 | 0 | 3 | 5 |"),
        "{summary}"
    );
    // What only reconciles looks at no reference.
    assert_eq!(folder.run(&["reconcile"]).code, Some(1));
    assert_eq!(result(&folder, "tenancies").references, []);
    assert!(!folder.run_folder().join("parents").exists());
}

#[test]
fn a_missing_record_is_hidden_with_the_columns_that_have_its_key() {
    // Hidden with the children, and with the parents, which hides it with all.
    // E3 is an estate that was not loaded, which the first of the two does not hide on the estates' own page.
    for (more, hidden) in [
        (["", "sensitive: [estate]\n", "", ""], &["E2"][..]),
        (["sensitive: [id]\n", "", "", ""], &["E2", "E3"]),
    ] {
        let folder = Folder::new();
        housing(&folder, more);
        assert_eq!(folder.run(&["run"]).code, Some(1));
        let page = std::fs::read_to_string(folder.run_folder().join("report/estates.html")).expect("a page");
        assert!(page.contains("Records to restore") && page.contains('~'), "{page}");
        for name in ["report/estates.html", "report/properties.html", "report/tenancies.html", "run.json"] {
            let text = std::fs::read_to_string(folder.run_folder().join(name)).expect("a view");
            assert!(hidden.iter().all(|key| !text.contains(key)), "{name}: {text}");
        }
        assert_eq!(parents(&folder, "estates").len(), 3, "the file has the keys");
    }
}

/// Who is not in the target has not been mended there.
#[test]
fn an_orphan_that_the_target_lacks_is_missing_and_not_repaired() {
    let folder = Folder::new();
    project(&folder);
    dataset(&folder, "parents", "", "id\nA\n", "id\nA\n");
    let rules = refers("parent", "parents", "");
    dataset(&folder, "children", &rules, "id,parent\n1,A\n2,X\n3,X\n4,Y\n", "id,parent\n1,A\n2,A\n4,Y\n");
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let classes = reference(&folder, "children").classes;
    let counts: Vec<(&str, u64)> = classes.iter().map(|(class, count)| (class.as_str(), *count)).collect();
    assert_eq!(counts, [("inherited", 1), ("introduced", 0), ("missing in target", 1), ("repaired", 1)]);
    let table = read_parquet(&folder.run_folder().join("findings/children.parquet"));
    let all: Vec<Vec<Option<String>>> =
        ["rule", "side", "key", "group"].map(|name| column(&table, name)).to_vec();
    let line =
        |row: usize| all.iter().map(|c| c[row].clone().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let found: Vec<String> = (0..table.1.len())
        .map(line)
        .filter(|line| line.contains("expected") && line.starts_with("foreign"))
        .collect();
    assert_eq!(
        found,
        [
            "foreign_key-parent expected 2 repaired",
            "foreign_key-parent expected 3 missing in target",
            "foreign_key-parent expected 4 inherited"
        ]
    );
}

/// Where keys were given anew, the same key is another record.
#[test]
fn orphans_have_no_class_where_keys_were_given_anew() {
    let folder = Folder::new();
    project(&folder);
    dataset(&folder, "parents", "", "id\nA\n", "id\nA\n");
    let rules = refers("parent", "parents", "") + "reconcile: { natural_key: [name] }\n";
    dataset(&folder, "children", &rules, "id,parent,name\n1,X,a\n2,A,b\n", "id,parent,name\n1,A,b\n2,X,a\n");
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let reference = reference(&folder, "children");
    assert_eq!((reference.source, reference.target), (Some(1), Some(1)));
    assert_eq!((reference.classes, reference.no_key), (BTreeMap::new(), 2));
    let table = read_parquet(&folder.run_folder().join("findings/children.parquet"));
    let rules = column(&table, "rule");
    let classes = column(&table, "group");
    let of_references =
        rules.iter().zip(&classes).filter(|(rule, _)| rule.as_deref() == Some("foreign_key-parent"));
    assert!(
        of_references.clone().count() >= 2 && of_references.into_iter().all(|(_, class)| class.is_none())
    );
}

#[test]
fn a_parent_that_is_held_back_can_be_had_there() {
    let folder = Folder::new();
    project(&folder);
    let hold = "cleanse:\n  - { step: map_values, column: kind, values: { a: a }, unmapped: quarantine }\n";
    dataset(&folder, "parents", hold, "id,kind\nA,a\nB,b\n", "id,kind\nA,a\n");
    let rules = refers("parent", "parents", ", cascade: false");
    dataset(&folder, "children", &rules, "id,parent\n1,A\n2,B\n", "id,parent\n1,A\n2,B\n");
    folder.run(&["run"]);
    assert_eq!(
        parents(&folder, "parents"),
        ["expected B children 1 0 quarantine", "target B children 1 0 quarantine"]
    );
}

#[test]
fn orphans_know_one_another_by_keys_in_the_form_in_which_the_sides_meet() {
    let folder = Folder::new();
    project(&folder);
    dataset(&folder, "parents", "", "id\n1\n", "id\n1\n");
    // The target's key has an hour more, and a zone.
    let rules = format!(
        "reconcile: {{ columns: {{ id: {{ timezone: Europe/London }} }} }}\n{}",
        refers("parent", "parents", "")
    );
    let (old, new) = ("id,parent\n2020-07-01 12:00:00,5\n", "id,parent\n2020-07-01 11:00:00Z,5\n");
    dataset(&folder, "children", &rules, old, new);
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let found = reference(&folder, "children");
    assert_eq!(found.classes["inherited"], 1, "{found:?}");
}

#[test]
fn rows_without_a_key_have_no_class() {
    let folder = Folder::new();
    project(&folder);
    dataset(&folder, "parents", "", "id\n1\n", "id\n1\n");
    dataset(
        &folder,
        "children",
        &refers("parent", "parents", ""),
        "id,parent\n,5\n2,5\n",
        "id,parent\n,5\n2,1\n",
    );
    folder.run(&["run"]);
    let found = reference(&folder, "children");
    assert_eq!((found.no_key, found.classes["repaired"], found.classes["inherited"]), (2, 1, 0));
}

/// Ids and what they refer to, of one side.
type Rows = Vec<(u8, Option<u8>)>;

fn csv(rows: &Rows, letters: (&str, &str)) -> String {
    let mut text = "id,ref\n".to_owned();
    for (id, refers) in rows {
        let refers = refers.map_or_else(String::new, |r| format!("{}{r}", letters.1));
        text.push_str(&format!("{}{id},{refers}\n", letters.0));
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn references_are_the_plain_ones(
        estates in proptest::collection::vec(proptest::collection::vec(0..5_u8, 1..5), 2),
        properties in proptest::collection::vec(
            proptest::collection::vec((0..6_u8, proptest::option::weighted(0.8, 0..7_u8)), 1..8), 2),
        tenancies in proptest::collection::vec(
            proptest::collection::vec((0..9_u8, proptest::option::weighted(0.8, 0..8_u8)), 1..10), 2),
    ) {
        let folder = Folder::new();
        project(&folder);
        let ids = |ids: &Vec<u8>| ids.iter().map(|id| (*id, Some(1))).collect::<Rows>();
        let estates = [ids(&estates[0]), ids(&estates[1])];
        dataset(&folder, "estates", "", &csv(&estates[0], ("e", "x")), &csv(&estates[1], ("e", "x")));
        let rules = [refers("ref", "estates", ""), refers("ref", "properties", ", where: \"id <> 't0'\"")];
        dataset(&folder, "properties", &rules[0], &csv(&properties[0], ("p", "e")), &csv(&properties[1], ("p", "e")));
        dataset(&folder, "tenancies", &rules[1], &csv(&tenancies[0], ("t", "p")), &csv(&tenancies[1], ("t", "p")));
        folder.run(&["run"]);

        let is_orphan = |parents: &Rows, refers: Option<u8>| {
            refers.is_some_and(|refers| parents.iter().all(|(id, _)| *id != refers))
        };
        // Tenancy t0 refers to nothing, whatever it says.
        let selected: Vec<Rows> = tenancies
            .iter()
            .map(|rows| rows.iter().map(|(id, refers)| (*id, refers.filter(|_| *id != 0))).collect())
            .collect();
        for (name, child, parent) in [("properties", &properties, &estates.to_vec()), ("tenancies", &selected, &properties)] {
            let found = reference(&folder, name);
            let orphans = |side: usize| -> Vec<(u8, Option<u8>)> {
                child[side].iter().copied().filter(|(_, refers)| is_orphan(&parent[side], *refers)).collect()
            };
            let (old, new) = (orphans(0), orphans(1));
            prop_assert_eq!((found.source, found.target), (Some(old.len() as u64), Some(new.len() as u64)));
            let keys = |rows: &Rows| rows.iter().map(|(id, _)| *id).collect::<BTreeSet<u8>>();
            let (old_keys, new_keys, there) = (keys(&old), keys(&new), keys(&child[1]));
            let classes = BTreeMap::from([
                ("inherited".to_owned(), old_keys.intersection(&new_keys).count() as u64),
                ("introduced".to_owned(), new_keys.difference(&old_keys).count() as u64),
                ("repaired".to_owned(), old_keys.difference(&new_keys).filter(|key| there.contains(key)).count() as u64),
                ("missing in target".to_owned(), old_keys.difference(&there).count() as u64),
            ]);
            prop_assert_eq!(&found.classes, &classes);
            let missing = |rows: &Rows| rows.iter().map(|(_, refers)| *refers).collect::<BTreeSet<_>>().len() as u64;
            prop_assert_eq!(found.missing, BySide { expected: Some(missing(&old)), target: Some(missing(&new)) });
        }

        // Of the properties with one id all must lack their estate.
        let below = |side: usize, estate: Option<u8>| -> u64 {
            let lacks = |(_, refers): &&(u8, Option<u8>)| is_orphan(&estates[side], *refers);
            selected[side]
                .iter()
                .filter(|(_, refers)| {
                    let mut parents = properties[side].iter().filter(|(id, _)| Some(*id) == *refers).peekable();
                    let first = parents.peek().and_then(|(_, refers)| *refers);
                    parents.peek().is_some() && parents.all(|p| lacks(&p)) && (estate.is_none() || first == estate)
                })
                .count() as u64
        };
        let further = reference(&folder, "tenancies").further;
        let sum = BySide::sum(further.iter().map(|chain| chain.rows));
        let (old, new) = (below(0, None), below(1, None));
        prop_assert_eq!((sum.expected.unwrap_or(0), sum.target.unwrap_or(0)), (old, new));
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for (side, word) in [(0, "expected"), (1, "target")] {
            let missing: BTreeSet<u8> =
                properties[side].iter().filter(|(_, e)| is_orphan(&estates[side], *e)).filter_map(|(_, e)| *e).collect();
            for estate in missing {
                let children = properties[side].iter().filter(|(_, e)| *e == Some(estate)).count();
                let other = estates[1 - side].iter().any(|(id, _)| *id == estate);
                let found_in = match (other, word) {
                    (true, "target") => "expected",
                    (true, _) => "target",
                    (false, _) => "-",
                };
                let further = below(side, Some(estate));
                wanted.insert(format!("{word} e{estate} properties {children} {further} {found_in}"));
            }
        }
        let list = parents(&folder, "estates");
        prop_assert_eq!(list.iter().cloned().collect::<BTreeSet<_>>(), wanted);
        let counts: Vec<(bool, u64)> = list
            .iter()
            .map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                let number = |at: usize| words[at].parse::<u64>().unwrap();
                (words[0] == "target", u64::MAX - number(3) - number(4))
            })
            .collect();
        prop_assert!(counts.is_sorted(), "{:?}", list);
    }
}
