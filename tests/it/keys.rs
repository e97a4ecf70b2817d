//! How records of the two sides find one another: by one key, whatever its types; without regard to case; without a key.

use counterfoil::model::Status;

use crate::support::{Folder, column, lines, read_parquet};

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

/// Two sides whose keys are the same but for case and blanks.
fn folded() -> Folder {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: [tag_ref]\n\
        source: { connection: files, file: source.csv, types: { tag_ref: text, x: text } }\n\
        target: { connection: files, file: target.csv, types: { tag_ref: text, x: text } }\n\
        reconcile: { columns: { tag_ref: { case: ignore, whitespace: trim } } }\n";
    folder.project(
        rules,
        "tag_ref,x\n007a,1\nB2,2\nc3,3\nC3,4\nd4,5\nd4,6\ne5,7\n7A,8\n",
        "tag_ref,x\n007A ,1\nb2,0\nC3,3\nD4,5\nf6,9\n7a,8\n",
    );
    folder
}

#[test]
fn keys_are_matched_as_the_old_server_saw_them() {
    let folder = folded();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let findings = read_parquet(&folder.run_folder().join("findings/t.parquet"));
    let of = |name: &str| -> Vec<String> {
        column(&findings, name).into_iter().map(Option::unwrap_or_default).collect()
    };
    let found: Vec<String> = of("rule")
        .into_iter()
        .zip(of("side"))
        .zip(of("key"))
        .map(|((rule, side), key)| format!("{rule} {side} {key}"))
        .collect();
    assert_eq!(
        found,
        [
            "reconcile-duplicate_key target C3",
            "reconcile-folded_key expected C3",
            "reconcile-duplicate_key target D4",
            "reconcile-x target b2",
            "reconcile-folded_key expected c3",
            "reconcile-duplicate_key expected d4",
            "reconcile-duplicate_key expected d4",
            "reconcile-missing expected e5",
            "reconcile-unexpected target f6",
        ]
        .map(str::to_owned)
    );
    let groups: Vec<String> = of("group").into_iter().filter(|group| !group.is_empty()).collect();
    assert!(groups.len() == 2 && groups[0] == groups[1], "{groups:?}");
    let result = folder.result();
    let dataset = &result.datasets[0];
    let compared = dataset.columns.iter().find(|column| column.name == "tag_ref").unwrap();
    assert_eq!(
        compared.compared_as.as_deref(),
        Some("compared as text, giving up upper and lower case and white space at both ends")
    );
    for note in [
        "The keys of 3 of 3 row pairs would not be the same without `case` of `tag_ref`.",
        "The keys of 1 of 3 row pairs would not be the same without `whitespace` of `tag_ref`.",
    ] {
        assert!(dataset.notes.iter().any(|n| n == note), "{:?}", dataset.notes);
    }
    let buckets = dataset.buckets.unwrap();
    assert_eq!((buckets.duplicate_key_expected, buckets.duplicate_key_target), (4, 2));
    assert!(dataset.ledger.as_ref().unwrap().balanced);
    // What is mended keeps the target's spelling.
    let repairs = read_parquet(&folder.run_folder().join("repairs/t.parquet"));
    let keys: Vec<String> = column(&repairs, "tag_ref").into_iter().map(Option::unwrap).collect();
    assert_eq!(keys, ["b2", "e5", "f6"]);
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).unwrap();
    assert!(page.contains("a group of 2 records"), "{page}");
    // Where the rows rest, the same is found, and again from what was kept of them.
    for _ in 0..2 {
        assert_eq!(folder.run(&["reconcile", "--from", "latest"]).code, Some(1));
        let again = &folder.result().datasets[0];
        assert_eq!((again.buckets, &again.notes), (Some(buckets), &dataset.notes));
    }
    // Another way of matching is not taken from there.
    let path = folder.path().join("rules/t.yml");
    let rules = std::fs::read_to_string(&path).unwrap().replace("case: ignore, ", "");
    std::fs::write(path, rules).unwrap();
    assert_eq!(folder.run(&["reconcile", "--from", "latest"]).code, Some(1));
    let buckets = folder.result().datasets[0].buckets.unwrap();
    assert_eq!((buckets.mismatched, buckets.missing, buckets.duplicate_key_expected), (1, 5, 2));
}

/// A key that truly stands twice is told by its own rule too, whatever is made of keys that are one only when folded.
#[test]
fn true_repeats_keep_their_own_severity() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: [k]\n\
        source: { connection: files, file: source.csv, types: { k: text, x: text } }\n\
        target: { connection: files, file: target.csv, types: { k: text, x: text } }\n\
        reconcile: { columns: { k: { case: ignore } }, rules: { reconcile-folded_key: { severity: warning } } }\n";
    folder.project(rules, "k,x\na,1\na,2\nA,3\nb,1\nB,2\nc,1\n", "k,x\nc,1\n");
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let found = lines(&folder, "findings/t.parquet", &["rule", "key"]);
    assert_eq!(
        found,
        [
            "reconcile-folded_key A",
            "reconcile-folded_key B",
            "reconcile-duplicate_key a",
            "reconcile-folded_key a",
            "reconcile-duplicate_key a",
            "reconcile-folded_key a",
            "reconcile-folded_key b",
        ]
    );
    folder.write("source.csv", "k,x\na,1\nA,3\nb,1\nB,2\nc,1\n");
    assert_eq!(folder.run(&["run"]).code, Some(0), "what is one only when folded is a warning here");
}

#[test]
fn rows_without_a_key_are_counted() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: none\nsensitive: [b]\n\
        source: { connection: files, file: source.csv, types: { a: text, b: 'decimal(9,2)', c: text } }\n\
        target: { connection: files, file: target.csv, types: { a: text, b: 'decimal(9,3)', c: text } }\n\
        cleanse:\n  - step: parse_number\n    columns: [c]\n    to: i64\n    invalid: quarantine\n\
        reconcile:\n  columns: { a: { case: ignore } }\n  exclude: [c]\n";
    folder.project(
        rules,
        "a,b,c\nx,1,1\nx,1,1\nX,1.00,1\ny,2,1\n,3,1\nz,77.5,1\nq,4,odd\n",
        "a,b,c\nx,1.000,7\nx,1,8\ny,2.5,1\nY,2,1\n,3,1\nq,4,0\nq,4,0\nx,1.001,1\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        lines(&folder, "findings/t.parquet", &["rule", "side", "row", "expected", "target"]),
        [
            "reconcile-missing expected 3 X|1.00 -",
            "reconcile-unexpected target 3 - y|2.500",
            "reconcile-from_quarantined target 6 - q|4.000",
            "reconcile-missing expected 6 z|77.50 -",
            "reconcile-unexpected target 7 - q|4.000",
            "reconcile-unexpected target 8 - x|1.001",
        ]
    );
    let result = folder.result();
    let dataset = &result.datasets[0];
    let ids: Vec<&str> = dataset.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert!(!ids.iter().any(|id| id.contains("key") || id.ends_with("-a")), "{ids:?}");
    let buckets = dataset.buckets.unwrap();
    assert_eq!((buckets.matched, buckets.mismatched, buckets.missing), (4, 0, 2));
    assert_eq!((buckets.unexpected, buckets.from_quarantined), (3, 1));
    assert!(dataset.ledger.as_ref().unwrap().balanced);
    assert_eq!(
        lines(&folder, "repairs/t.parquet", &["action", "key", "a", "b"]),
        ["delete 3 y 2.500", "insert 3 X 1.000", "insert 6 z 77.500", "delete 7 q 4.000", "delete 8 x 1.001"]
    );
    assert!(dataset.notes.iter().any(|note| note.contains("there is no key: a delete means")));
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).unwrap();
    assert!(page.contains("<dt>Key</dt><dd><span class=\"quiet\">none</span>"), "{page}");
    assert!(!page.contains("77.5"), "a hidden value");
}

#[test]
fn rows_without_a_key_that_rest_are_counted_too() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: none\nsource: { connection: files, file: source.csv }\n\
        target: { connection: files, file: target.csv }\n";
    folder.project(rules, "a,b\nx,1\nx,1\ny,2\nz,\n", "a,b\nx,1\ny,2\ny,2\nz,\n");
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let buckets = folder.result().datasets[0].buckets.unwrap();
    assert_eq!((buckets.matched, buckets.missing, buckets.unexpected), (3, 1, 1));
    for _ in 0..2 {
        assert_eq!(folder.run(&["reconcile", "--from", "latest"]).code, Some(1));
        assert_eq!(folder.result().datasets[0].buckets, Some(buckets));
    }
    // What was kept is not used where more means nothing.
    let rules = rules.replace("target.csv }", "target.csv }\nreconcile: { columns: { a: { null: [x] } } }");
    folder.write("rules/t.yml", rules);
    folder.run(&["reconcile", "--from", "latest"]);
    assert_eq!(folder.result().datasets[0].buckets, Some(buckets));
}

#[test]
fn what_needs_a_key_is_said_where_there_is_none() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: none\nsource: { connection: files, file: source.csv }\n\
        target: { connection: files, file: target.csv }\n\
        reconcile: { columns: { b: { tolerance: 0.1, relative: 0.5 } } }\n";
    folder.project(rules, "a,b\nx,1\n", "a,b\nx,1\n");
    let ran = folder.run(&["check-config"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for word in ["`tolerance` is not possible here: without a key", "`relative` is not", "rules/t.yml:5:"] {
        assert!(ran.stderr.contains(word), "{ran:?}");
    }
    folder.write(
        "rules/t.yml",
        rules.replace(
            "reconcile: { columns: { b: { tolerance: 0.1, relative: 0.5 } } }",
            "reconcile: { exclude: [a, b] }",
        ),
    );
    let ran = folder.run(&["run"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("no column is compared by which rows"), "{ran:?}");
    folder.write("rules/t.yml", rules.replace("key: none", "key: []"));
    let ran = folder.run(&["check-config"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("`key: none` where there is none"), "{ran:?}");
}

const RENUMBERED: &str = "dataset: t\nkey: [id]\n\
    source: { connection: files, file: source.csv, types: { id: i64, who: text, day: date, x: text } }\n\
    target: { connection: files, file: target.csv, types: { id: i64, who: text, day: date, x: text } }\n\
    cleanse:\n  - step: map_values\n    column: x\n    values: { a: a, b: b, c: c, d: d }\n    unmapped: quarantine\n\
    reconcile:\n  natural_key: [who, day]\n  columns: { who: { case: ignore } }\n";

#[test]
fn rows_that_were_renumbered_find_their_partners() {
    let folder = Folder::new();
    folder.project(
        RENUMBERED,
        "id,who,day,x\n1,ann,2020-01-01,a\n2,Bob,2020-01-02,b\n9,cy,2020-01-03,c\n10,cy,2020-01-04,c\n\
         4,dee,2020-01-05,d\n5,dee,2020-01-05,d\n6,,2020-01-06,a\n7,eve,2020-01-07,?\n8,flo,2020-01-08,a\n",
        "id,who,day,x\n1,ann,2020-01-01,a\n102,bob,2020-01-02,B\n103,cy,2020-01-03,c\n104,cy,2020-01-04,c\n\
         105,dee,2020-01-05,d\n106,,2020-01-06,a\n107,eve,2020-01-07,a\n109,gil,2020-01-09,a\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        lines(&folder, "findings/t.parquet", &["rule", "side", "key", "expected", "target"]),
        [
            "reconcile-ambiguous expected 4 - -",
            "reconcile-missing expected 4 - -",
            "reconcile-ambiguous expected 5 - -",
            "reconcile-missing expected 5 - -",
            "reconcile-missing expected 6 - -",
            "reconcile-missing expected 8 - -",
            "reconcile-x target 102 b B",
            "reconcile-ambiguous target 105 - -",
            "reconcile-unexpected target 105 - -",
            "reconcile-unexpected target 106 - -",
            "reconcile-from_quarantined target 107 - -",
            "reconcile-unexpected target 109 - -",
        ]
    );
    let result = folder.result();
    let dataset = &result.datasets[0];
    let buckets = dataset.buckets.unwrap();
    assert_eq!((buckets.matched, buckets.mismatched, buckets.from_quarantined), (3, 1, 1));
    assert!(dataset.ledger.as_ref().unwrap().balanced);
    let note = "3 of 4 row pairs were found by their natural key `who`, `day`: their keys differ.";
    assert!(dataset.notes.iter().any(|n| n == note), "{:?}", dataset.notes);
    let ambiguous = dataset.rules.iter().find(|rule| rule.id == "reconcile-ambiguous").unwrap();
    assert_eq!((ambiguous.status, ambiguous.sides[0].evaluated), (Status::Warn, 7));
    assert_eq!(lines(&folder, "renumbered/t.parquet", &["old_id", "new_id"]), ["2 102", "9 103", "10 104"]);
    assert_eq!(
        lines(&folder, "repairs/t.parquet", &["action", "key", "id", "who", "x"]),
        [
            "update 102 102 bob b",
            "delete 106 106 - a",
            "delete 109 109 gil a",
            "insert 6 6 - a",
            "insert 8 8 flo a",
        ]
    );
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).unwrap();
    assert!(page.contains("reconcile-ambiguous, in expected: a group of 2 records"), "{page}");
}

#[test]
fn natural_keys_that_cannot_be_are_told_before_anything_is_read() {
    let folder = Folder::new();
    folder.project(RENUMBERED, "id,who,day,x\n1,a,2020-01-01,a\n", "id,who,day,x\n1,a,2020-01-01,a\n");
    for (key, natural, said) in [
        ("[id]", "[id, day]", "the natural key holds all of the key"),
        ("[id]", "[_row]", "only `key` may name it"),
        ("[id]", "[day, day]", "`day` stands here a second time"),
        ("none", "[day]", "and there is no key"),
    ] {
        let rules = RENUMBERED.replace("key: [id]", &format!("key: {key}")).replace("[who, day]", natural);
        folder.write("rules/t.yml", rules);
        let ran = folder.run(&["check-config"]);
        assert!(ran.code == Some(2) && ran.stderr.contains(said), "{said}: {ran:?}");
    }
    folder.write("rules/t.yml", RENUMBERED.replace("[who, day]", "[when]"));
    let ran = folder.run(&["run"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("there is no column `when`"), "{ran:?}");
    folder.write("rules/t.yml", RENUMBERED);
    assert_eq!(folder.run(&["run"]).code, Some(0));
    let notes = &folder.result().datasets[0].notes;
    assert!(
        notes.iter().any(|n| n.ends_with("found no partner for a row; it can be left out.")),
        "{notes:?}"
    );
}
