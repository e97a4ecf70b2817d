//! A source that moves: records that one side changed after the other was read are told apart from those that differ.

use std::time::{Duration, SystemTime};

use counterfoil::findings::{Movement, RuleResult, for_each_row};
use counterfoil::model::Status;

use crate::servers::postgres;
use crate::support::{Folder, Ran};

const RULES: &str = "dataset: t\nkey: [id]\n\
    source: { connection: files, file: source.csv, timezone: Europe/London, types: { at: timestamp } }\n\
    target: { connection: files, file: target.csv, timezone: Europe/London, types: { at: timestamp } }\n\
    reconcile:\n  changed_since: at\n  exclude: [at]\n";

const SOURCE: &str = "id,name,rent,at\n\
    1,Ann,10.00,2020-01-01 09:00:00\n\
    2,Bo,20.00,2099-01-01 09:00:00\n\
    3,Cy,30.00,2020-01-01 09:00:00\n\
    4,Di,40.00,\n\
    5,Ed,50.00,2099-01-01 09:00:00\n\
    6,Flo,60.00,2020-01-01 09:00:00\n\
    7,Gus,70.00,2020-01-01 09:00:00\n";

const TARGET: &str = "id,name,rent,at\n\
    1,Ann,10.00,2020-01-01 09:00:00\n\
    2,Bob,25.00,2020-01-01 09:00:00\n\
    3,Cy,35.00,2020-01-01 09:00:00\n\
    4,Di,45.00,\n\
    7,Gus,75.00,2099-01-01 09:00:00\n\
    8,Hal,80.00,2099-01-01 09:00:00\n\
    9,Ivy,90.00,2020-01-01 09:00:00\n";

fn joined(cells: &[Option<&str>], by: &str) -> String {
    cells.iter().map(|cell| cell.unwrap_or("-")).collect::<Vec<_>>().join(by)
}

/// Every finding: its rule, key and cause.
fn causes(folder: &Folder) -> Vec<String> {
    let mut rows = Vec::new();
    for_each_row(&folder.run_folder().join("findings/t.parquet"), &["rule", "key", "cause"], |cells| {
        rows.push(joined(cells, " "));
    })
    .expect("findings");
    rows.sort_unstable();
    rows
}

fn rule(folder: &Folder, id: &str) -> RuleResult {
    let rules = folder.result().datasets[0].rules.clone();
    rules.into_iter().find(|rule| rule.id == id).expect("the rule")
}

fn failed(folder: &Folder, arguments: &[&str]) -> Ran {
    let ran = folder.run(arguments);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran
}

#[test]
fn what_was_changed_after_the_snapshot_is_counted_apart_and_fails_all_the_same() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, TARGET);
    let ran = failed(&folder, &["run"]);
    let wanted = [
        "reconcile-missing 5 changed_after_the_snapshot",
        "reconcile-missing 6 -",
        "reconcile-name 2 changed_after_the_snapshot",
        "reconcile-rent 2 changed_after_the_snapshot",
        "reconcile-rent 3 real_change",
        "reconcile-rent 4 real_change",
        "reconcile-rent 7 changed_after_the_snapshot",
        "reconcile-unexpected 8 changed_after_the_snapshot",
        "reconcile-unexpected 9 -",
    ];
    assert_eq!(causes(&folder), wanted);
    let result = folder.result();
    let movement = Movement { mismatched: 2, mismatched_cells: 3, missing: 1, unexpected: 1 };
    assert_eq!(result.datasets[0].moved, Some(movement));
    let missing = rule(&folder, "reconcile-missing");
    assert_eq!((missing.status, missing.sides[0].failed), (Status::Fail, 2));
    assert_eq!(
        missing.sides[0].classes.iter().collect::<Vec<_>>(),
        [(&"changed after the snapshot".to_owned(), &1)]
    );
    assert!(ran.stdout.contains("missing in the target, 1 changed after the snapshot"), "{}", ran.stdout);

    let said = "4 of 8 records that differ, are missing or are not expected were changed on one side after the other side";
    let read = |name: &str| std::fs::read_to_string(folder.run_folder().join(name)).expect(name);
    for name in ["report/t.html", "report/index.html", "summary.md"] {
        assert!(read(name).contains(said), "{name}");
    }
    assert!(read("report/t.html").contains("reconcile-missing, changed after the snapshot, in expected"));

    // The same by way of the snapshots, and of the rows that rest in them.
    let page = read("report/t.html");
    failed(&folder, &["run", "--from", "latest"]);
    assert_eq!(causes(&folder), wanted);
    assert_eq!(std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page"), page);
    failed(&folder, &["reconcile", "--from", "latest"]);
    assert_eq!(causes(&folder), wanted);
    assert_eq!(folder.result().datasets[0].moved, Some(movement));
}

#[test]
fn where_nobody_asks_nothing_is_said_of_movement() {
    let folder = Folder::new();
    folder.project(&RULES.replace("  changed_since: at\n", ""), SOURCE, TARGET);
    failed(&folder, &["run"]);
    assert!(causes(&folder).iter().all(|found| !found.contains("changed_after")));
    let text = std::fs::read_to_string(folder.run_folder().join("run.json")).expect("run.json");
    assert!(!text.contains("\"moved\""), "{text}");
}

#[test]
fn files_are_of_the_moment_they_were_modified_and_the_same_content_may_be_seen_again() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, &TARGET.replace("2099", "2020"));
    let modified = |year: u64| {
        let file =
            std::fs::File::options().append(true).open(folder.path().join("target.csv")).expect("the target");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(year * 31_556_952)).expect("a time");
    };
    folder.write("source.csv", SOURCE.replace("2099-", "2015-"));
    let moved = || causes(&folder).iter().filter(|found| found.contains("changed_after")).count();
    modified(40);
    failed(&folder, &["run"]);
    // Everything in the source with a time was changed after 2010: records 2, 3, 5, 6, 7.
    assert_eq!(moved(), 6);
    let first = folder.run_folder();
    let id = first.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    // The same content, seen again in 2018: what was changed in 2015 should be in it.
    modified(48);
    failed(&folder, &["run"]);
    assert_eq!(moved(), 3, "{:?}", causes(&folder));
    assert_eq!(folder.result().datasets[0].target, {
        let text = std::fs::read_to_string(first.join("run.json")).expect("run.json");
        let earlier: counterfoil::findings::RunResult = serde_json::from_str(&text).expect("run.json");
        earlier.datasets[0].target.clone()
    });
    // The first run keeps what its snapshot said.
    failed(&folder, &["run", "--from", &id]);
    assert_eq!(moved(), 6);
}

#[test]
fn a_column_that_cannot_say_it_is_a_mistake_with_its_place() {
    let bound = |rules: &str| {
        let folder = Folder::new();
        folder.project(rules, SOURCE, TARGET);
        let ran = folder.run(&["run"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("rules/t.yml:6"), "{}", ran.stderr);
        ran.stderr
    };
    let text = bound(&RULES.replace("changed_since: at", "changed_since: att"));
    assert!(text.contains("there is no column `att`") && text.contains("did you mean `at`"), "{text}");
    let text = bound(&RULES.replace("changed_since: at", "changed_since: name"));
    assert!(text.contains("`changed_since` needs timestamps, and `name` is text in the source"), "{text}");
    let text = bound(&RULES.replacen("timezone: Europe/London, ", "", 1));
    assert!(text.contains("`at` has no time zone in the source"), "{text}");
    let text = bound(&RULES.replace("file: target.csv, timezone: Europe/London, ", "file: target.csv, "));
    assert!(text.contains("`at` has no time zone in the target"), "{text}");
}

#[test]
fn one_side_may_have_the_column_alone() {
    let folder = Folder::new();
    let rules = RULES.replace(
        "file: target.csv, timezone: Europe/London, types: { at: timestamp } }",
        "file: target.csv, omit: [at] }",
    );
    folder.project(&rules, SOURCE, TARGET);
    failed(&folder, &["run"]);
    let moved: Vec<String> =
        causes(&folder).into_iter().filter(|found| found.contains("changed_after")).collect();
    assert_eq!(
        moved,
        [
            "reconcile-missing 5 changed_after_the_snapshot",
            "reconcile-name 2 changed_after_the_snapshot",
            "reconcile-rent 2 changed_after_the_snapshot",
        ]
    );
}

#[test]
fn a_database_says_when_its_rows_were_seen_and_its_zone_what_its_clocks_show() {
    let Some(database) = postgres::database() else { return };
    database.execute(
        "CREATE TABLE old (id int PRIMARY KEY, v text, at timestamp);
         INSERT INTO old SELECT 1, 'a', (now() AT TIME ZONE 'Asia/Tokyo') - interval '1 hour';
         INSERT INTO old SELECT 2, 'a', (now() AT TIME ZONE 'Asia/Tokyo') + interval '1 hour';
         INSERT INTO old SELECT 3, 'a', (now() AT TIME ZONE 'Asia/Tokyo') + interval '1 hour';
         CREATE TABLE new (id int PRIMARY KEY, v text, at timestamptz);
         INSERT INTO new SELECT 1, 'b', now() - interval '1 hour';
         INSERT INTO new SELECT 2, 'b', now() - interval '1 hour';
         INSERT INTO new SELECT 4, 'b', now() + interval '1 hour';
         INSERT INTO new SELECT 5, 'b', now() - interval '1 hour';",
    );
    let folder = Folder::new();
    folder.project(
        "dataset: t\nkey: [id]\nsource: { connection: old, table: old }\ntarget: { connection: new, table: new }\n\
         reconcile: { changed_since: at, exclude: [at] }\n",
        "",
        "",
    );
    let connection = |name: &str, more: &str| {
        format!("  {name}: {{ type: postgres, url: \"{}\"{more} }}\n", database.url())
    };
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n{}{}datasets: rules/*.yml\n",
            connection("old", ", timezone: Asia/Tokyo"),
            connection("new", "")
        ),
    );
    failed(&folder, &["run"]);
    assert_eq!(
        causes(&folder),
        [
            "reconcile-missing 3 changed_after_the_snapshot",
            "reconcile-unexpected 4 changed_after_the_snapshot",
            "reconcile-unexpected 5 -",
            "reconcile-v 1 real_change",
            "reconcile-v 2 changed_after_the_snapshot",
        ]
    );
}

/// A project whose files were last modified so many seconds apart.
fn apart(seconds: u64, rules: &str, project: &str) -> Folder {
    let folder = Folder::new();
    folder.project(&format!("{}{rules}", RULES.replace("changed_since: at\n  ", "")), SOURCE, SOURCE);
    let text = std::fs::read_to_string(folder.path().join("counterfoil.yml")).expect("the project");
    folder.write("counterfoil.yml", format!("{text}{project}"));
    for (name, seconds) in [("source.csv", 1_000_000_000), ("target.csv", 1_000_000_000 + seconds)] {
        let file = std::fs::File::options().append(true).open(folder.path().join(name)).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("a time");
    }
    folder
}

const GAP: &str = "reconcile-snapshot-gap";

#[test]
fn snapshots_too_far_apart_fail_the_gate() {
    let folder = apart(22_321, "  max_snapshot_gap: 6h\n", "");
    let ran = failed(&folder, &["run"]);
    assert!(
        ran.stdout.contains("the snapshots of the two sides are farther apart than `max_snapshot_gap`"),
        "{}",
        ran.stdout
    );
    let gap = rule(&folder, GAP);
    assert_eq!(
        (gap.status, gap.says.as_str()),
        (Status::Fail, "No more than 6h lies between the snapshots of the two sides.")
    );
    let mut found = Vec::new();
    let path = folder.run_folder().join("findings/t.parquet");
    for_each_row(&path, &["rule", "expected", "target"], |cells| found.push(joined(cells, " / ")))
        .expect("findings");
    assert_eq!(found, [format!("{GAP} / at most 6h / 6h 12min apart")]);
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(page.contains("6h 12min apart"));
    // The snapshots say it, however often they are judged and by whichever command.
    failed(&folder, &["reconcile", "--from", "latest"]);
    assert_eq!(rule(&folder, GAP), gap);
}

#[test]
fn the_limit_itself_is_near_enough_and_a_dataset_may_have_its_own() {
    for (seconds, rules, project, code) in [
        (7200, "  max_snapshot_gap: 2h\n", "", 0),
        (7201, "  max_snapshot_gap: 2h\n", "", 1),
        (7201, "", "max_snapshot_gap: 2h\n", 1),
        (7201, "  max_snapshot_gap: 3h\n", "max_snapshot_gap: 2h\n", 0),
        (7201, "  rules: { reconcile-snapshot-gap: { severity: warning } }\n", "max_snapshot_gap: 2h\n", 0),
        (7201, "", "", 0),
    ] {
        let folder = apart(seconds, rules, project);
        let ran = folder.run(&["run"]);
        assert_eq!(ran.code, Some(code), "{seconds} {rules}{project}: {ran:?}");
        let judged = folder.result().datasets[0].rules.iter().any(|rule| rule.id == GAP);
        assert_eq!(judged, !rules.is_empty() || !project.is_empty());
    }
}

#[test]
fn a_gap_that_is_no_span_of_time_is_a_mistake_with_its_place() {
    for (rules, project, place) in [
        ("  max_snapshot_gap: soon\n", "", "rules/t.yml:7:21"),
        ("", "max_snapshot_gap: 2 weeks\n", "counterfoil.yml:8:19"),
    ] {
        let ran = apart(0, rules, project).run(&["check-config"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.stderr.contains("a span of time of at most seven days is expected here"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains(place), "{}", ran.stderr);
    }
}
