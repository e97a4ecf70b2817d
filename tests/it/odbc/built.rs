//! How two databases are built, and what the columns of one could not hold of the other: MariaDB and PostgreSQL.

use counterfoil::findings::{RuleResult, RunResult, for_each_row};
use counterfoil::model::Status;

use super::Database;
use super::pairs::connection;
use crate::support::{Folder, Ran};

/// Runs a migration of a table from MariaDB to PostgreSQL; nothing where a server cannot be had and that is allowed.
fn run(old: &str, new: &str, rules: &str) -> Option<(Ran, RunResult, Folder)> {
    let (source, target) = (Database::new("mysql")?, Database::new("postgres")?);
    source.execute(old);
    target.execute(new);
    let folder = Folder::new();
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Built\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  old: {}\n  new: {}\n\
             datasets: rules/*.yml\n",
            connection(&source, true),
            connection(&target, false)
        ),
    );
    folder.write(
        "rules/t.yml",
        format!(
            "dataset: t\nkey: [id]\nsource: {{ connection: old, table: t }}\n\
             target: {{ connection: new, table: public.t }}\n{rules}"
        ),
    );
    let ran = folder.run(&["run"]);
    let result = folder.result();
    Some((ran, result, folder))
}

fn rule<'r>(result: &'r RunResult, id: &str) -> &'r RuleResult {
    let found = result.datasets[0].rules.iter().find(|rule| rule.id == id);
    found.unwrap_or_else(|| panic!("{id}: {:?}", result.datasets[0].error))
}

/// Returns the findings of a rule: side, key, column, expected, target, class.
fn findings(folder: &Folder, id: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let columns = ["rule", "side", "key", "column", "expected", "target", "group"];
    for_each_row(&folder.run_folder().join("findings/t.parquet"), &columns, |cells| {
        if cells[0] == Some(id) {
            rows.push(cells[1..].iter().map(|cell| cell.unwrap_or("-")).collect::<Vec<_>>().join(" | "));
        }
    })
    .expect("findings");
    rows.sort();
    rows
}

#[test]
fn values_that_would_not_fit_either_way() {
    let Some((ran, result, folder)) = run(
        "CREATE TABLE t (id int NOT NULL PRIMARY KEY, name varchar(20), rent decimal(9,3), n bigint, at datetime(6),
           old varchar(5) CHARACTER SET latin1);
         INSERT INTO t VALUES (1, 'Ann', 1.250, 1, '2020-01-01 00:00:00', 'abc'),
           (2, 'Bartholomew', 1000.125, 40000, '2020-01-01 00:00:00.5', 'abc')",
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(8), rent numeric(5,2), n smallint, at timestamp(0),
           old text);
         INSERT INTO t VALUES (1, 'Ann', 1.25, 1, '2020-01-01', 'Łódź'), (2, 'Barth', 100, 4, '2020-01-01 00:00:01', 'too long')",
        "",
    ) else {
        return;
    };
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        findings(&folder, "reconcile-fit"),
        [
            "expected | 2 | at | 2020-01-01 00:00:00.5 | - | at is finer than timestamp(0) without time zone keeps",
            "expected | 2 | n | 40000 | - | n is out of the range of smallint",
            "expected | 2 | name | Bartholomew | - | name is too long for character varying(8)",
            "expected | 2 | rent | 1000.125 | - | rent is out of the range of numeric(5,2)",
        ]
    );
    assert_eq!(rule(&result, "reconcile-fit").status, Status::Fail);
    assert_eq!(
        findings(&folder, "reconcile-fit-back"),
        [
            "target | 1 | old | - | Łódź | old has a character that is not in windows-1252",
            "target | 2 | old | - | too long | old is too long for varchar(5)",
        ]
    );
    let back = rule(&result, "reconcile-fit-back");
    assert_eq!((back.status, back.sides[0].failed), (Status::Pass, 2), "for information");
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(page.contains("Values that would not fit") && page.contains("old is too long for varchar(5)"));
    let summary = std::fs::read_to_string(folder.run_folder().join("summary.md")).expect("a summary");
    assert!(summary.contains("reconcile-fit |") && !summary.contains("reconcile-fit-back"), "{summary}");
}

#[test]
fn two_structures_that_are_not_the_same() {
    let old = "CREATE TABLE p (id int NOT NULL PRIMARY KEY);
         CREATE TABLE t (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, code varchar(8) NOT NULL UNIQUE, parent int,
           flag tinyint(1) NOT NULL DEFAULT 0, state char(1) DEFAULT 'N', note varchar(50), gone int, skipped int,
           FOREIGN KEY (parent) REFERENCES p (id));
         INSERT INTO p VALUES (1);
         INSERT INTO t VALUES (1, 'a', 1, 0, 'N', 'x', 1, 1), (7, 'b', 1, 1, 'N', 'y', 1, 1)";
    let new = "CREATE TABLE t (id serial PRIMARY KEY, code varchar(8), parent int, flag boolean NOT NULL DEFAULT false,
           state char(1) DEFAULT 'Y', note varchar(20), added int);
         INSERT INTO t VALUES (1, 'a', 1, false, 'N', 'x'), (7, 'b', 1, true, 'N', 'y');
         SELECT setval('t_id_seq', 7, false)";
    let rules = "reconcile:\n  exclude: [skipped]\n  schema:\n    allow: [\"tinyint -> boolean\", \"char -> text\"]\n";
    let Some((ran, result, folder)) = run(old, new, rules) else { return };
    assert_eq!(
        findings(&folder, "reconcile-schema"),
        [
            "target | - | added | - | integer | only in the target",
            "target | - | code | not NULL | can be NULL | nullability",
            "target | - | code | unique | no unique key | key",
            "target | - | gone | int(11) | - | only in the source",
            "target | - | note | varchar(50) | character varying(20) | length or range",
            "target | - | parent | refers to p | no foreign key | foreign key",
            "target | - | state | 'N' | 'Y'::bpchar | default",
        ]
    );
    assert_eq!(rule(&result, "reconcile-schema").status, Status::Warn);
    // The next number is 7, which is there already.
    assert_eq!(
        findings(&folder, "reconcile-sequences"),
        ["target | - | id | 7 | 7 | next number of t_id_seq is taken already"]
    );
    assert_eq!(rule(&result, "reconcile-sequences").status, Status::Fail);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let notes = &result.datasets[0].notes;
    assert!(
        notes.iter().any(|n| n.starts_with("`char -> text` under `schema: allow` never met")),
        "{notes:?}"
    );
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(
        page.contains("How the two sides are built")
            && page.contains("next number of t_id_seq is taken already")
    );

    // The same with the sequence ahead, and the structure made the same.
    let new = new.replace("setval('t_id_seq', 7, false)", "setval('t_id_seq', 7)");
    let Some((_, result, folder)) = run(old, &new, rules) else { return };
    assert_eq!(findings(&folder, "reconcile-sequences"), [""; 0]);
    assert_eq!(rule(&result, "reconcile-sequences").status, Status::Pass);
    // The run is made again from its snapshots: what was declared is kept with them.
    let run_folder = folder.run_folder();
    let again = folder.run(&["run", "--from", &run_folder.display().to_string()]);
    assert!(again.code.is_some_and(|code| code < 2), "{again:?}");
    assert_eq!(findings(&folder, "reconcile-schema").len(), 7);
}

#[test]
fn a_table_that_is_built_the_same_has_nothing_to_tell() {
    let Some((ran, result, folder)) = run(
        "CREATE TABLE t (id int NOT NULL PRIMARY KEY, name varchar(8) NOT NULL DEFAULT 'it''s', n decimal(5,2) DEFAULT 0,
           made datetime(6) DEFAULT current_timestamp(6));
         INSERT INTO t (id, made) VALUES (1, '2020-01-01')",
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(8) NOT NULL DEFAULT 'it''s', n numeric(5,2) DEFAULT 0.00,
           made timestamp DEFAULT now());
         INSERT INTO t (id, made) VALUES (1, '2020-01-01')",
        "",
    ) else {
        return;
    };
    assert_eq!(findings(&folder, "reconcile-schema"), [""; 0]);
    assert_eq!(rule(&result, "reconcile-schema").status, Status::Pass);
    assert_eq!(rule(&result, "reconcile-fit").status, Status::Pass);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
