//! The ledger by tranche: sums, partners in other tranches, rows held back, hidden values, limits.

use std::collections::BTreeMap;

use counterfoil::findings::{DatasetResult, TrancheKind, TrancheResult, TranchesResult};
use counterfoil::ledger::{Entry, Ledger};
use proptest::prelude::*;

use crate::support::{Folder, Ran};

const SIDES: &str = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv, types: { id: text, g: text, v: text } }\ntarget: { connection: files, file: target.csv, types: { id: text, g: text, v: text } }\n";

fn result(folder: &Folder) -> DatasetResult {
    folder.result().datasets.remove(0)
}

fn run(rules: &str, source: &str, target: &str) -> (Ran, DatasetResult, Folder) {
    let folder = Folder::new();
    let ran = folder.project(&format!("{SIDES}{rules}"), source, target).run(&["run"]);
    let result = result(&folder);
    (ran, result, folder)
}

/// The places that have rows, by side and disposition.
fn places(ledger: &Ledger) -> BTreeMap<String, u64> {
    let lines = |side: &'static str, entries: &[Entry]| -> Vec<(String, u64)> {
        entries.iter().map(|entry| (format!("{side} {}", entry.disposition), entry.rows)).collect()
    };
    let all = lines("source", &ledger.source).into_iter().chain(lines("target", &ledger.target));
    all.filter(|(_, rows)| *rows > 0).collect()
}

/// Asserts that all tranches balance and are the whole.
fn assert_whole(dataset: &DatasetResult) -> &TranchesResult {
    let tranches = dataset.tranches.as_ref().expect("tranches");
    let ledger = dataset.ledger.as_ref().expect("a ledger");
    assert!(tranches.balanced && ledger.balanced, "{tranches:?}");
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for one in &tranches.list {
        assert!(one.ledger.balanced, "{one:?}");
        let source: u64 = one.ledger.source.iter().map(|entry| entry.rows).sum();
        let target: u64 = one.ledger.target.iter().map(|entry| entry.rows).sum();
        assert_eq!((source, target), (one.ledger.source_rows, one.ledger.target_rows));
        for (place, rows) in places(&one.ledger) {
            *sum.entry(place).or_default() += rows;
        }
    }
    assert_eq!(sum, places(ledger));
    let ends: Vec<(bool, u64)> =
        tranches.list.iter().map(|one| (one.kind.is_apart(), u64::MAX - one.broken)).collect();
    assert!(ends.is_sorted(), "{ends:?}");
    tranches
}

fn named<'t>(tranches: &'t TranchesResult, name: &str) -> &'t TrancheResult {
    tranches.list.iter().find(|one| one.name.as_deref() == Some(name)).unwrap_or_else(|| panic!("no {name}"))
}

fn of_kind(tranches: &TranchesResult, kind: TrancheKind) -> &TrancheResult {
    tranches.list.iter().find(|one| one.kind == kind).unwrap_or_else(|| panic!("no {kind:?}"))
}

/// Rows of a key, a tranche and a value.
type Rows = Vec<(u8, Option<u8>, u8)>;

fn csv(rows: &Rows) -> String {
    let mut text = "id,g,v\n".to_owned();
    for (id, g, v) in rows {
        let g = g.map_or_else(String::new, |g| format!("g{g}"));
        text.push_str(&format!("k{id},{g},v{v}\n"));
    }
    text
}

/// Where each row goes, by tranche: written from the documentation, with nested loops.
fn plain(source: &Rows, target: &Rows, compared: bool) -> BTreeMap<Option<u8>, BTreeMap<String, u64>> {
    let count = |rows: &Rows, id: u8| rows.iter().filter(|row| row.0 == id).count();
    let repeated = |id: u8| count(source, id) > 1 || count(target, id) > 1;
    let differ = |a: &(u8, Option<u8>, u8), b: &(u8, Option<u8>, u8)| a.2 != b.2 || compared && a.1 != b.1;
    let mut all: BTreeMap<Option<u8>, BTreeMap<String, u64>> = BTreeMap::new();
    let mut put = |tranche: Option<u8>, place: &str| {
        *all.entry(tranche).or_default().entry(place.to_owned()).or_default() += 1;
    };
    for row in source {
        let partner = target.iter().find(|other| other.0 == row.0);
        put(
            row.1,
            match partner {
                Some(_) | None if repeated(row.0) => "source duplicate_key",
                None => "source missing",
                Some(other) if differ(row, other) => "source mismatched",
                Some(_) => "source matched_unchanged",
            },
        );
    }
    for row in target {
        match source.iter().find(|other| other.0 == row.0) {
            _ if repeated(row.0) => put(row.1, "target duplicate_key"),
            None => put(row.1, "target unexpected"),
            Some(other) if differ(row, other) => put(other.1, "target mismatched"),
            Some(other) => put(other.1, "target matched"),
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tranches_are_the_plain_ones_in_memory_and_not(
        rows in proptest::collection::vec(
            (0..40_u8, proptest::option::weighted(0.8, 0..4_u8), 0..3_u8, 0..12_u8, proptest::option::of(0..4_u8)), 5..60),
        more in proptest::collection::vec((40..60_u8, proptest::option::of(0..4_u8), 0..3_u8), 0..8),
        compared in any::<bool>(),
    ) {
        let source: Rows = rows.iter().map(|(id, g, v, _, _)| (*id, *g, *v)).collect();
        // Of the target a few rows are gone, or have another tranche or value.
        let mut target: Rows = rows
            .iter()
            .filter(|row| row.3 != 0)
            .map(|(id, g, v, fault, other)| match fault {
                1 => (*id, *other, *v),
                2 => (*id, *g, v + 1),
                _ => (*id, *g, *v),
            })
            .collect();
        target.extend(more);
        target.reverse();
        let exclude = if compared { "[]" } else { "[g]" };
        let (_, found, folder) =
            run(&format!("reconcile: {{ tranches: g, exclude: {exclude} }}\n"), &csv(&source), &csv(&target));
        let tranches = assert_whole(&found).clone();

        let mut wanted: BTreeMap<Option<String>, BTreeMap<String, u64>> = BTreeMap::new();
        let mut small = 0;
        for (tranche, places) in plain(&source, &target, compared) {
            let side = |word: &str| -> u64 {
                places.iter().filter(|(place, _)| place.starts_with(word)).map(|(_, rows)| rows).sum()
            };
            let is_small = tranche.is_some() && side("source").max(side("target")) < 5;
            small += u64::from(is_small);
            let name = match tranche {
                Some(_) if is_small => "small".to_owned(),
                Some(g) => format!("g{g}"),
                None => "NULL".to_owned(),
            };
            let all = wanted.entry(Some(name)).or_default();
            for (place, rows) in places {
                *all.entry(place).or_default() += rows;
            }
        }
        let name = |one: &TrancheResult| match one.kind {
            TrancheKind::Value => one.name.clone(),
            TrancheKind::Null => Some("NULL".to_owned()),
            TrancheKind::Small => Some("small".to_owned()),
            other => panic!("{other:?}"),
        };
        let lines: BTreeMap<Option<String>, BTreeMap<String, u64>> =
            tranches.list.iter().map(|one| (name(one), places(&one.ledger))).collect();
        prop_assert_eq!(&lines, &wanted);
        let counted: u64 =
            tranches.list.iter().filter(|one| one.kind == TrancheKind::Small).map(|one| one.tranches).sum();
        prop_assert_eq!(counted, small);

        // What was moved in and out leads back to what the target's rows say themselves.
        for one in &tranches.list {
            let Some(g) = one.name.as_ref().filter(|_| one.kind == TrancheKind::Value) else { continue };
            let own = target.iter().filter(|row| row.1.is_some_and(|own| format!("g{own}") == *g)).count() as u64;
            prop_assert_eq!(one.ledger.target_rows + one.moved_in, own + one.moved_out, "{:?}", one);
        }

        let ran = folder.run(&["reconcile", "--memory", "64KiB"]);
        let resting = result(&folder);
        prop_assert_eq!(resting.tranches.as_ref(), found.tranches.as_ref(), "{:?}", ran);
    }
}

#[test]
fn what_never_met_a_partner_stands_in_the_tranche_of_its_own_values() {
    // Cleansing brings the codes together; the record held back and the one merged have codes too.
    let rules = "cleanse:\n  - { step: case, columns: [g], to: upper }\n  - { step: map_values, column: v, values: { x: x, z: z }, unmapped: quarantine }\nduplicates:\n  - { match: exact, columns: [v], where: v = 'z', merge: true }\nreconcile: { tranches: [{ name: a or b, where: \"g in ('A', 'B')\" }, { name: b, where: g = 'B' }, { name: nobody, where: g = 'Z' }] }\n";
    let sides = rules.to_owned() + "allow_empty: false\n";
    let source = "id,g,v\n1,a,x\n2,b,x\n3,c,x\n4,a,bad\n5,c,z\n6,c,z\n7,,x\n";
    let target = "id,g,v\n1,A,x\n2,C,x\n4,A,bad\n5,C,z\n6,C,z\n7,,x\n";
    let (_, found, folder) = run(&sides, source, target);
    let tranches = assert_whole(&found);
    assert_eq!((tranches.column.as_deref(), tranches.all), (None, 4));
    let first = named(tranches, "a or b");
    let wanted = [
        ("source matched_cleansed", 1),
        ("source mismatched", 1),
        ("source quarantined", 1),
        ("target from_quarantined", 1),
        ("target matched", 1),
        ("target mismatched", 1),
    ];
    assert_eq!(places(&first.ledger), wanted.map(|(place, rows)| (place.to_owned(), rows)).into());
    // Record 2 is B, and C in the target: it stands where it was expected.
    assert_eq!((first.broken, first.moved_out, first.moved_in), (2, 1, 0));
    let rest = of_kind(tranches, TrancheKind::Rest);
    assert_eq!(
        (rest.moved_out, rest.moved_in, rest.ledger.source_rows, rest.ledger.target_rows),
        (0, 1, 4, 3)
    );
    assert_eq!(places(&rest.ledger)["source merged"], 1);
    // The first condition takes all that the second would.
    for (name, note) in [("b", "`b`"), ("nobody", "`nobody`")] {
        assert_eq!(places(&named(tranches, name).ledger), BTreeMap::new());
        assert!(found.notes.contains(&format!("No row of either side belongs to the tranche {note}.")));
    }
    let read = |name: &str| std::fs::read_to_string(folder.run_folder().join(name)).expect("a file");
    let page = read("report/t.html");
    assert!(page.contains("1 in another tranche in the target") && page.contains("none of the conditions"));
    assert!(read("summary.md").contains("| t | a or b | 3 | 3 | 2 | yes |"), "{}", read("summary.md"));
    let ledger: serde_json::Value = serde_json::from_str(&read("ledger.json")).expect("JSON");
    let list = ledger["t"]["tranches"]["list"].as_array().expect("a list");
    assert!(list.iter().any(|one| one["name"] == "a or b" && one["ledger"]["balanced"] == true), "{list:?}");
}

#[test]
fn rows_out_of_scope_stand_apart() {
    let sides = SIDES.replace("file: source.csv", "file: source.csv, filter: \"v <> 'old'\"");
    let folder = Folder::new();
    let source = "id,g,v\n1,a,x\n2,a,old\n";
    folder
        .project(&format!("{sides}reconcile: {{ tranches: g }}\n"), source, "id,g,v\n1,a,x\n")
        .run(&["run"]);
    let found = result(&folder);
    let tranches = assert_whole(&found);
    assert_eq!(of_kind(tranches, TrancheKind::OutOfScope).ledger.source_rows, 1);
    assert_eq!(tranches.list.last().map(|one| one.kind), Some(TrancheKind::OutOfScope));
}

/// So many rows of each of some values.
fn many(values: u32, rows: u32) -> String {
    let mut text = "id,g,v\n".to_owned();
    for value in 0..values {
        for row in 0..rows {
            text.push_str(&format!("{value}-{row},zebra{value},x\n"));
        }
    }
    text
}

#[test]
fn values_of_a_hidden_column_are_tokens_everywhere() {
    for more in ["sensitive: [g]\n", "free_text: [g]\n"] {
        let (_, found, folder) =
            run(&format!("{more}reconcile: {{ tranches: g }}\n"), &many(3, 6), &many(2, 6));
        let tranches = assert_whole(&found);
        assert_eq!(tranches.list.len(), 3);
        assert!(tranches.list.iter().all(|one| one.name.as_ref().is_some_and(|name| name.starts_with('~'))));
        let token = tranches.list[0].name.clone().expect("a token");
        for name in ["run.json", "ledger.json", "report/t.html", "summary.md", "junit.xml", "run.log"] {
            let text = std::fs::read_to_string(folder.run_folder().join(name)).expect("a file");
            assert!(!text.contains("zebra"), "{name}");
            let shows = ["run.json", "ledger.json", "report/t.html"].contains(&name);
            assert!(!shows || text.contains(&token), "{name}");
        }
        // The same where rows rest, and where the report is made again.
        folder.run(&["reconcile"]);
        assert_eq!(result(&folder).tranches.as_ref(), found.tranches.as_ref());
    }
    // A long value makes the column free text, in memory and not, though nothing is compared of it.
    let long = many(2, 6).replace("zebra0", &"long ".repeat(20));
    for command in ["run", "reconcile"] {
        let folder = Folder::new();
        folder.project(&format!("{SIDES}reconcile: {{ tranches: g, exclude: [g] }}\n"), &long, &long);
        assert_eq!(folder.run(&[command]).code, Some(0));
        let text = std::fs::read_to_string(folder.run_folder().join("run.json")).expect("a file");
        assert!(!text.contains("long long") && !text.contains("zebra1"), "{command}: {text}");
    }
    // Where it is not hidden, its values show in both.
    for command in ["run", "reconcile"] {
        let folder = Folder::new();
        folder.project(
            &format!("{SIDES}reconcile: {{ tranches: g, exclude: [g] }}\n"),
            &many(2, 6),
            &many(2, 6),
        );
        folder.run(&[command]);
        assert_eq!(named(assert_whole(&result(&folder)), "zebra1").broken, 0, "{command}");
    }
}

#[test]
fn a_thousand_values_have_a_line_each_and_the_others_one_together() {
    let source = many(1_003, 5);
    // The last value lacks two rows, the one before it one.
    let target = source.replace("1002-1,zebra1002,x\n", "").replace("1002-3,zebra1002,x\n", "");
    let target = target.replace("1001-4,zebra1001,x\n", "");
    let (_, found, folder) = run("reconcile: { tranches: g }\n", &source, &target);
    let tranches = assert_whole(&found);
    assert_eq!((tranches.all, tranches.list.len()), (1_003, 1_001));
    let first: Vec<(Option<&str>, u64)> =
        tranches.list.iter().take(3).map(|one| (one.name.as_deref(), one.broken)).collect();
    assert_eq!(first, [(Some("zebra1002"), 2), (Some("zebra1001"), 1), (Some("zebra0"), 0)]);
    let others = of_kind(tranches, TrancheKind::Others);
    assert_eq!((others.tranches, others.ledger.source_rows, others.broken), (3, 15, 0));
    let told = "`g` has 1003 values with five rows and more: the 1000 tranches with the most broken rows";
    assert!(found.notes.iter().any(|note| note.starts_with(told)), "{:?}", found.notes);
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(page.contains("the first 20 of 1,001 lines; the run’s ledger.json has all"), "{page}");
}
