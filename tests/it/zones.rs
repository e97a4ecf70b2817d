//! Times without a zone meet instants on the clocks of the declared zone: over both changes of the clocks, as cells
//! and as keys, and never without a zone that somebody declared.

use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Logical};
use counterfoil::node::FromNode;
use counterfoil::reconcile::{Alignment, BoundReconcile, Pair, Reconcile, Reconciliation, bind};

use crate::examples::yaml;
use crate::oracle::context;
use crate::sides::reconcile;
use crate::support::{Folder, column, read_parquet};
use crate::table;
use crate::types::snapshot;

/// Makes a table of a number `n` and moments `at`; `null` is NULL.
fn moments(logical: &str, zone: Option<&str>, texts: &[&str]) -> Frame {
    let logical: Logical = logical.parse().unwrap();
    let at = Field { timezone: zone.map(str::to_owned), ..Field::new("at", logical.clone()) };
    let rows: Vec<Vec<Option<Value>>> = texts
        .iter()
        .zip(1..)
        .map(|(text, n)| {
            let value = Value::parse(text, &logical);
            assert!(value.is_some() || *text == "null", "{text} is not {logical}");
            vec![Some(Value::I64(n)), value]
        })
        .collect();
    table::build(vec![Field::new("n", Logical::I64), at], &rows)
}

fn bound(key: &str, rules: &str, expected: &Frame, target: &Frame) -> Result<BoundReconcile, String> {
    let mut out = Diagnostics::default();
    let config = Reconcile::from_node(&yaml(rules), &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    let file = SourceFile::new("t.yml", "key");
    let key = [Spanned { value: key.to_owned(), span: Span { file: file.into(), range: 0..3 } }];
    let files = counterfoil::rule::ProjectFiles::default();
    bind(&config.unwrap(), &key, &expected.schema, &target.schema, context(&files), &mut out)
        .ok_or_else(|| out.render(false))
}

fn run(key: &str, rules: &str, expected: &Frame, target: &Frame) -> Reconciliation {
    let bound = bound(key, rules, expected, target).unwrap_or_else(|message| panic!("{message}"));
    reconcile(expected, target, &bound)
}

/// Returns for each pair of times whether they are equal, with the number of skipped ones; the same in both
/// directions.
fn equal(zone: &str, rules: &str, pairs: &[(&str, &str)]) -> (Vec<bool>, u64) {
    let (naive, instants): (Vec<&str>, Vec<&str>) = pairs.iter().copied().unzip();
    let naive = moments("timestamp", Some(zone), &naive);
    let instants = moments("timestamptz", None, &instants);
    let found = |expected: &Frame, target: &Frame| {
        let outcome = run("n", rules, expected, target);
        let column = &outcome.columns[0];
        let same = (0..pairs.len()).map(|i| !column.mismatched.iter().any(|m| *m as usize == i));
        let same: Vec<bool> = same.collect();
        assert_eq!(outcome.mismatched, same.iter().map(|s| !s).collect::<Vec<_>>());
        assert_eq!(outcome.notes.iter().any(|n| n.contains("skipped in spring")), column.skipped_hours > 0);
        (same, column.skipped_hours)
    };
    let there = found(&naive, &instants);
    assert_eq!(found(&instants, &naive), there, "the other way round");
    there
}

/// The times around two changes of the clocks, in each zone: without a zone, as an instant, and whether they are equal.
const LONDON: [(&str, &str, bool); 16] = [
    // October 2025: 01:00 to 02:00 comes twice.
    ("2025-10-26 00:59:59.999999", "2025-10-25 23:59:59.999999Z", true),
    ("2025-10-26 01:00:00", "2025-10-26 00:00:00Z", true),
    ("2025-10-26 01:30:00", "2025-10-26 00:30:00Z", true),
    ("2025-10-26 01:30:00", "2025-10-26 01:30:00Z", true),
    ("2025-10-26 01:30:00", "2025-10-26 02:30:00Z", false),
    ("2025-10-26 01:30:00", "2025-10-26 00:30:00.000001Z", false),
    ("2025-10-26 02:00:00", "2025-10-26 02:00:00Z", true),
    ("2025-10-26 02:00:00", "2025-10-26 01:00:00Z", false),
    // March 2026: 01:00 to 02:00 never comes.
    ("2026-03-29 00:59:59.999999", "2026-03-29 00:59:59.999999Z", true),
    ("2026-03-29 01:00:00", "2026-03-29 01:00:00Z", false),
    ("2026-03-29 01:30:00", "2026-03-29 00:30:00Z", false),
    ("2026-03-29 01:30:00", "2026-03-29 01:30:00Z", false),
    ("2026-03-29 01:59:59.999999", "2026-03-29 00:59:59.999999Z", false),
    ("2026-03-29 02:00:00", "2026-03-29 01:00:00Z", true),
    ("2026-03-29 02:00:00", "2026-03-29 02:00:00Z", false),
    ("1900-01-01 00:00:00", "1900-01-01 00:00:00Z", true),
];
const NEW_YORK: [(&str, &str, bool); 7] = [
    ("2025-11-02 01:30:00", "2025-11-02 05:30:00Z", true),
    ("2025-11-02 01:30:00", "2025-11-02 06:30:00Z", true),
    ("2025-11-02 02:00:00", "2025-11-02 07:00:00Z", true),
    ("2026-03-08 01:59:59", "2026-03-08 06:59:59Z", true),
    ("2026-03-08 02:30:00", "2026-03-08 06:30:00Z", false),
    ("2026-03-08 02:30:00", "2026-03-08 07:30:00Z", false),
    ("2026-03-08 03:00:00", "2026-03-08 07:00:00Z", true),
];
const LORD_HOWE: [(&str, &str, bool); 8] = [
    // The clocks change by half an hour: in April 01:30 to 02:00 comes twice.
    ("2026-04-05 01:15:00", "2026-04-04 14:15:00Z", true),
    ("2026-04-05 01:45:00", "2026-04-04 14:45:00Z", true),
    ("2026-04-05 01:45:00", "2026-04-04 15:15:00Z", true),
    ("2026-04-05 02:00:00", "2026-04-04 15:30:00Z", true),
    // In October 02:00 to 02:30 never comes.
    ("2026-10-04 01:59:00", "2026-10-03 15:29:00Z", true),
    ("2026-10-04 02:15:00", "2026-10-03 15:45:00Z", false),
    ("2026-10-04 02:15:00", "2026-10-03 15:15:00Z", false),
    ("2026-10-04 02:30:00", "2026-10-03 15:30:00Z", true),
];

#[test]
fn a_repeated_hour_is_either_instant_and_a_skipped_one_is_none() {
    for (zone, cases, skipped) in [
        ("Europe/London", &LONDON[..], 4),
        ("America/New_York", &NEW_YORK[..], 2),
        ("Australia/Lord_Howe", &LORD_HOWE[..], 2),
    ] {
        let pairs: Vec<(&str, &str)> = cases.iter().map(|(naive, instant, _)| (*naive, *instant)).collect();
        let wanted: Vec<bool> = cases.iter().map(|case| case.2).collect();
        assert_eq!(equal(zone, "{}", &pairs), (wanted, skipped), "{zone}");
    }
}

#[test]
fn every_instant_equals_what_the_clocks_showed() {
    for (zone, first) in [
        ("Europe/London", "2025-10-25 12:00:00Z"),
        ("Europe/London", "2026-03-28 12:00:00Z"),
        ("America/New_York", "2025-11-01 12:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04 00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03 00:00:00Z"),
    ] {
        let Some(Value::Moment(first)) = Value::parse(first, &Logical::TIMESTAMP_UTC) else {
            panic!("{first}")
        };
        let tz: chrono_tz::Tz = zone.parse().unwrap();
        let instants: Vec<i64> = (0..36 * 12).map(|i| first + i * 300_000_000).collect();
        let shown = instants.iter().map(|micros| {
            let instant = chrono::DateTime::from_timestamp_micros(*micros).unwrap();
            instant.with_timezone(&tz).naive_local().format("%Y-%m-%d %H:%M:%S").to_string()
        });
        let shown: Vec<String> = shown.collect();
        let instants: Vec<String> =
            instants.iter().map(|micros| counterfoil::frame::moment_text(*micros, true)).collect();
        let pairs: Vec<(&str, &str)> =
            shown.iter().zip(&instants).map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let (same, skipped) = equal(zone, "{}", &pairs);
        assert!(same.iter().all(|same| *same) && skipped == 0, "{zone}");
    }
}

#[test]
fn a_skipped_time_equals_nothing_whatever_the_policy() {
    let pairs =
        [("2026-03-29 01:30:00", "2026-03-29 00:30:00Z"), ("2026-03-29 01:30:00", "2026-03-29 01:30:00Z")];
    for rules in [
        "{ columns: { at: { precision: day } } }",
        "{ columns: { at: { precision: hour } } }",
        "{ columns: { at: { as: date } } }",
        "{ columns: { at: { as: timestamp, precision: day } } }",
        "{ columns: { at: { null: ['2026-03-29 01:30:00'] } } }",
    ] {
        assert_eq!(equal("Europe/London", rules, &pairs), (vec![false, false], 2), "{rules}");
    }
    let naive = moments("timestamp", Some("Europe/London"), &["2026-03-29 01:30:00"]);
    let nothing = moments("timestamptz", None, &["null"]);
    assert_eq!(run("n", "{}", &naive, &nothing).columns[0].mismatched, [0]);
}

#[test]
fn a_text_that_is_read_as_a_skipped_time_equals_nothing() {
    let texts = moments("text", None, &["2026-03-29 01:30:00", "2026-03-29 02:30:00", "2026-03-29"]);
    let instants = moments(
        "timestamptz",
        None,
        &["2026-03-29 12:00:00Z", "2026-03-29 12:00:00Z", "2026-03-29 12:00:00Z"],
    );
    for rules in [
        "{ columns: { at: { as: date, timezone: Europe/London } } }",
        "{ columns: { at: { as: timestamp, precision: day, timezone: Europe/London } } }",
    ] {
        let found = run("n", rules, &texts, &instants);
        assert_eq!(
            (found.columns[0].mismatched.as_slice(), found.columns[0].skipped_hours),
            (&[0][..], 1),
            "{rules}"
        );
    }
}

#[test]
fn a_date_is_no_skipped_time_even_where_its_midnight_was_skipped() {
    // In São Paulo the clocks of 2018-11-04 began at 01:00.
    let dates = moments("date", Some("America/Sao_Paulo"), &["2018-11-04"]);
    let instants = moments("timestamptz", None, &["2018-11-04 12:00:00Z"]);
    for rules in ["{ columns: { at: { as: date } } }", "{ columns: { at: { precision: day } } }"] {
        let found = run("n", rules, &dates, &instants);
        assert_eq!(
            (found.columns[0].mismatched.as_slice(), found.columns[0].skipped_hours),
            (&[][..], 0),
            "{rules}"
        );
    }
    let found = run("n", "{}", &dates, &instants);
    assert_eq!(found.columns[0].mismatched, [0], "its midnight is another time");
}

#[test]
fn days_are_those_of_the_declared_zone() {
    let pairs = [
        ("2026-07-01 00:30:00", "2026-06-30 23:30:00Z"),
        ("2026-07-01 10:00:00", "2026-06-30 23:30:00Z"),
        ("2026-06-30 10:00:00", "2026-06-30 23:30:00Z"),
        ("2026-01-01 00:30:00", "2025-12-31 23:30:00Z"),
        ("2025-12-31 00:30:00", "2025-12-31 23:30:00Z"),
    ];
    for rules in ["{ columns: { at: { precision: day } } }", "{ columns: { at: { as: date } } }"] {
        let (same, _) = equal("Europe/London", rules, &pairs);
        assert_eq!(same, [true, true, false, false, true], "{rules}");
    }
    let (same, _) = equal(
        "America/New_York",
        "{ columns: { at: { precision: day } } }",
        &[("2026-06-30 22:00:00", "2026-07-01 02:00:00Z"), ("2026-07-01 22:00:00", "2026-07-01 02:00:00Z")],
    );
    assert_eq!(same, [true, false]);
}

#[test]
fn without_a_zone_nothing_is_assumed() {
    let naive = moments("timestamp", None, &["2020-01-01 00:00:00"]);
    let dates = moments("date", None, &["2020-01-01"]);
    let instants = moments("timestamptz", Some("Europe/London"), &["2020-01-01 00:00:00Z"]);
    for (without, rules) in [(&naive, "{}"), (&dates, "{}"), (&naive, "{ columns: { at: { as: date } } }")] {
        for (expected, target, side) in [(without, &instants, "source"), (&instants, without, "target")] {
            let message = bound("n", rules, expected, target).unwrap_err();
            assert!(message.contains(&format!("`at` has no time zone in the {side}")), "{message}");
            assert!(message.contains("timezone: Europe/London"), "{message}");
            let key = bound("at", "{}", expected, target).unwrap_err();
            assert!(key.contains("`at` has no time zone") && key.contains("t.yml:1:1"), "{key}");
        }
    }
    // Read but not compared: nothing meets.
    assert!(bound("n", "{ exclude: [at] }", &naive, &instants).is_ok());
    // As text they are what is written, and differ.
    assert_eq!(run("n", "{ columns: { at: { as: text } } }", &naive, &instants).columns[0].mismatched, [0]);
}

#[test]
fn what_the_rules_say_of_a_column_comes_before_what_its_side_says() {
    let naive = moments("timestamp", Some("America/New_York"), &["2026-07-01 12:00:00"]);
    let instants = moments("timestamptz", None, &["2026-07-01 11:00:00Z"]);
    assert_eq!(run("n", "{}", &naive, &instants).columns[0].mismatched, [0]);
    let london = "{ columns: { at: { timezone: Europe/London } } }";
    assert_eq!(run("n", london, &naive, &instants).columns[0].mismatched, [0_u32; 0]);
    let note = &bound("n", london, &naive, &instants).unwrap().columns[0].note;
    assert!(note.contains("on the clocks of Europe/London, giving up which of two equal times"), "{note}");
    let useless = bound("n", london, &naive, &naive).unwrap_err();
    assert!(useless.contains("`timezone` changes nothing here"), "{useless}");
}

#[test]
fn keys_meet_on_the_clocks_too() {
    let naive = moments(
        "timestamp",
        Some("Europe/London"),
        &["2026-07-01 12:00:00", "2025-10-26 01:30:00", "2026-03-29 01:30:00", "2025-10-26 00:30:00"],
    );
    let instants = moments(
        "timestamptz",
        None,
        &[
            "2025-10-26 00:30:00Z",
            "2025-10-26 01:30:00Z",
            "2026-03-29 00:30:00Z",
            "2026-03-29 01:30:00Z",
            "2026-07-01 11:00:00Z",
            "2025-10-25 23:30:00Z",
        ],
    );
    let found = run("at", "{ exclude: [n] }", &naive, &instants).rows;
    // Both instants of the repeated hour have the one key; the skipped time is nobody's key.
    let wanted = Alignment {
        pairs: vec![Pair { expected: 0, target: 4 }, Pair { expected: 3, target: 5 }],
        missing: vec![2],
        unexpected: vec![2, 3],
        duplicate_expected: vec![1],
        duplicate_target: vec![0, 1],
        ..Alignment::default()
    };
    assert_eq!(found, wanted);
    let back = run("at", "{ exclude: [n] }", &instants, &naive).rows;
    assert_eq!((back.missing, back.unexpected), (vec![2, 3], vec![2]));
    assert_eq!((back.duplicate_expected, back.duplicate_target), (vec![0, 1], vec![1]));
}

#[test]
fn groups_of_totals_meet_on_the_clocks_too() {
    let naive =
        moments("timestamp", Some("Europe/London"), &["2025-10-26 01:30:00", "2025-10-26 01:30:00", "null"]);
    let instants = moments("timestamptz", None, &["2025-10-26 00:30:00Z", "2025-10-26 01:30:00Z", "null"]);
    let found = run("n", "{ totals: [{ column: n, by: [at] }] }", &naive, &instants);
    assert_eq!((found.totals[0].groups, found.totals[0].differing), (2, 0), "{:?}", found.totals);
}

/// A project whose source shows the clocks of a zone and whose target has instants.
fn project(side: &str, rest: &str, source: &str, target: &str) -> Folder {
    let folder = Folder::new();
    let rules = format!(
        "dataset: t\nkey: [id]\nsource: {{ connection: files, file: source.csv{side} }}\ntarget: {{ connection: files, file: target.csv }}\n{rest}"
    );
    folder.project(&rules, source, target);
    folder
}

#[test]
fn a_run_finds_the_skipped_hour() {
    let source =
        "id,at\n1,2025-10-26 01:30:00\n2,2025-10-26 01:30:00\n3,2026-03-29 01:30:00\n4,2026-03-29 02:30:00\n";
    let target = "id,at\n1,2025-10-26T00:30:00Z\n2,2025-10-26T01:30:00Z\n3,2026-03-29T01:30:00Z\n4,2026-03-29T01:30:00Z\n";
    let folder = project(", timezone: Europe/London", "", source, target);
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let findings = read_parquet(&folder.run_folder().join("findings/t.parquet"));
    let of = |name: &str| column(&findings, name);
    assert_eq!(of("rule"), [Some("reconcile-at".to_owned())]);
    assert_eq!(of("key"), [Some("3".to_owned())]);
    assert_eq!(of("expected"), [Some("2026-03-29 01:30:00".to_owned())]);
    assert_eq!(of("target"), [Some("2026-03-29 01:30:00Z".to_owned())]);
    let notes = &folder.result().datasets[0].notes;
    assert!(
        notes.iter().any(|n| n.contains("`at` holds 1 time that the clocks of its zone skipped")),
        "{notes:?}"
    );
}

#[test]
fn what_mends_the_target_is_in_the_targets_time() {
    // 1 and 2 lie in the hour that October repeats, 3 differs, 4 is missing and 5 unexpected.
    let source = "id,at,n\n1,2025-10-26 01:30:00,1\n2,2025-10-26 01:30:00,2\n3,2026-03-29 02:30:00,3\n4,2026-07-01 12:00:00,4\n";
    let target = "id,at,n\n1,2025-10-26T00:30:00Z,1\n2,2025-10-26T01:30:00Z,0\n3,2026-03-29T02:30:00Z,3\n5,2026-07-01T12:00:00Z,5\n";
    let tables = |side: &str, rest: &str, source: &str, target: &str| {
        let folder = project(side, rest, source, target);
        let ran = folder.run(&["run"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let read = |kind: &str| {
            let table = read_parquet(&folder.run_folder().join(format!("{kind}/t.parquet")));
            column(&table, "at").into_iter().map(Option::unwrap).collect::<Vec<_>>()
        };
        let notes = folder.result().datasets[0].notes.clone();
        (read("corrected"), read("repairs"), notes)
    };
    let (corrected, repairs, notes) = tables(", timezone: Europe/London", "", source, target);
    let instants =
        ["2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z", "2026-03-29T01:30:00Z", "2026-07-01T11:00:00Z"];
    assert_eq!(corrected, instants);
    let mends =
        ["2025-10-26T01:30:00Z", "2026-03-29T01:30:00Z", "2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z"];
    assert_eq!(repairs, mends);
    assert_eq!(notes, [""; 0]);
    let zone = "reconcile: { columns: { at: { timezone: Europe/London } } }\n";
    assert_eq!(tables("", zone, source, target), (corrected, repairs, notes), "a zone of the rules");

    // The other way round every instant has its time.
    let (back, mends, notes) = tables("", zone, target, source);
    assert_eq!(
        back,
        ["2025-10-26T01:30:00", "2025-10-26T01:30:00", "2026-03-29T03:30:00", "2026-07-01T13:00:00"]
    );
    assert_eq!(mends.len(), 4);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn a_time_that_is_no_one_instant_is_not_guessed() {
    // 1 was skipped in March; 2 came twice in October, and the target does not know of it.
    let source = "id,at\n1,2026-03-29 01:30:00\n2,2025-10-26 01:30:00\n3,2026-07-01 12:00:00\n";
    let target = "id,at\n1,2026-03-29T01:30:00Z\n3,2026-07-01T12:00:00Z\n4,2026-07-01T12:00:00Z\n";
    let folder = project(", timezone: Europe/London", "", source, target);
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let at = |kind: &str| {
        let table = read_parquet(&folder.run_folder().join(format!("{kind}/t.parquet")));
        column(&table, "at").into_iter().map(Option::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(at("corrected"), ["2026-03-29T01:30:00", "2025-10-26T01:30:00", "2026-07-01T12:00:00"]);
    assert_eq!(
        at("repairs"),
        [
            "2026-03-29 01:30:00 Europe/London",
            "2025-10-26 01:30:00 Europe/London",
            "2026-07-01 11:00:00Z",
            "2026-07-01 12:00:00Z",
        ]
    );
    let notes = &folder.result().datasets[0].notes;
    for wanted in [
        "Corrected column `at` stays timestamp: 2 of its values do not fit timestamptz, because the clocks of Europe/London showed them twice or never.",
        "Repairs column `at` is text: 2 of its values do not fit timestamptz, because the clocks of Europe/London showed them twice or never.",
    ] {
        assert!(notes.iter().any(|note| note == wanted), "{notes:?}");
    }
}

#[test]
fn a_run_without_a_zone_is_a_mistake_in_the_rules() {
    let source = "id,at\n1,2025-10-26 01:30:00\n";
    let target = "id,at\n1,2025-10-26T00:30:00Z\n";
    let ran = project("", "", source, target).run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("`at` has no time zone in the source and one in the target"), "{ran:?}");
    let ran = project(", timezones: { at: Europe/London }", "", source, target).run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // A column's own zone comes before that of its side.
    let both = ", timezone: America/New_York, timezones: { at: Europe/London }";
    assert_eq!(project(both, "", source, target).run(&["run"]).code, Some(0));
    assert_eq!(project(", timezone: America/New_York", "", source, target).run(&["run"]).code, Some(1));
}

#[test]
fn texts_that_a_step_makes_moments_of_and_dates_have_the_zone_of_their_side() {
    let step = "cleanse:\n  - step: parse_date\n    columns: [at]\n    formats: ['%d/%m/%Y %H:%M']\n    to: timestamp\n";
    let source = "id,at,born\n1,01/07/2026 12:00,2026-07-01\n";
    let target = "id,at,born\n1,2026-07-01T11:00:00Z,2026-06-30T23:00:00Z\n";
    let ran = project(", timezone: Europe/London", step, source, target).run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let folder = Folder::new();
    folder.write("t.csv", source);
    let frame = snapshot(folder.path(), "{ file: t.csv, timezone: Europe/London }").unwrap().read().unwrap();
    let zones: Vec<Option<&str>> = frame.schema.fields.iter().map(|f| f.timezone.as_deref()).collect();
    assert_eq!(zones, [None, Some("Europe/London"), Some("Europe/London")]);
}
