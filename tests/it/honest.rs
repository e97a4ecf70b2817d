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

#[test]
fn settings_that_would_do_nothing_are_mistakes() {
    let only_target = "dataset: t\nkey: [id]\ntarget: { connection: files, file: target.csv }\n";
    let matched = "duplicates:\n  - { match: exact, columns: [name], merge: true";
    for (sides, rules, message, help) in [
        (
            TWO_SIDES,
            format!("{matched}, on: [target] }}\n"),
            "does not look at expected",
            "add `expected` to `on`",
        ),
        (only_target, format!("{matched} }}\n"), "does not look at expected", "the dataset has no source"),
        (
            TWO_SIDES,
            "checks:\n  - { check: row_count, min: 1, max_failures: 5% }\n".to_owned(),
            "a share of rows means nothing here",
            "leave `max_failures` out",
        ),
    ] {
        let folder = Folder::new();
        let ran = folder.project(&format!("{sides}{rules}"), "id,name\n", "id,name\n").run(&["check-config"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(message) && ran.stderr.contains(help), "{ran:?}");
    }
    let folder = Folder::new();
    let fine = format!(
        "{TWO_SIDES}{matched}, on: [expected] }}\nchecks:\n  - {{ check: row_count, min: 1, max_failures: 0 }}\n"
    );
    assert_eq!(folder.project(&fine, "id,name\n", "id,name\n").run(&["check-config"]).code, Some(0));
}

/// Writes a project of parents and children and returns the children's result.
fn family(child: &str, parents: [&str; 2], children: [&str; 2]) -> (Ran, DatasetResult, Folder) {
    let folder = Folder::new();
    let rules = |name: &str| {
        TWO_SIDES
            .replace("dataset: t", &format!("dataset: {name}"))
            .replace("file: ", &format!("file: {name}-"))
    };
    folder.project(&format!("{}{child}", rules("children")), "", "");
    folder.write("rules/parents.yml", rules("parents"));
    for (name, texts) in [("parents", parents), ("children", children)] {
        folder.write(&format!("{name}-source.csv"), texts[0]);
        folder.write(&format!("{name}-target.csv"), texts[1]);
    }
    let ran = folder.run(&["run"]);
    let result = folder.result();
    let children = result.datasets.into_iter().find(|d| d.name == "children").expect("children");
    (ran, children, folder)
}

#[test]
fn an_orphan_on_both_sides_is_inherited_whatever_the_check_looks_at() {
    let parents = "id\n1\n";
    // The target writes 7 as 7.0; 9 is mended there, 10 is new.
    let (source, target) = ("id,parent\n7,5\n8,1\n9,5\n10,1\n", "id,parent\n7.0,5\n8.0,1\n9.0,1\n10.0,5\n");
    for (on, side, classes) in [
        ("[expected]", Side::Expected, [("inherited", 1), ("repaired", 1)]),
        ("[target]", Side::Target, [("inherited", 1), ("introduced", 1)]),
    ] {
        let check = format!(
            "checks:\n  - {{ check: foreign_key, columns: [parent], references: {{ dataset: parents, columns: [id] }}, on: {on} }}\n"
        );
        for steps in
            ["", "cleanse:\n  - { step: map_values, column: parent, values: { '5': '5', '1': '1' } }\n"]
        {
            let (_, children, _folder) = family(&format!("{steps}{check}"), [parents; 2], [source, target]);
            let orphans = rule(&children, "foreign_key-parent");
            let figure = orphans.sides.iter().find(|figure| figure.side == side).expect("a figure");
            let found: Vec<(&str, u64)> =
                figure.classes.iter().map(|(class, n)| (class.as_str(), *n)).collect();
            assert_eq!(found, classes, "{on} {steps}");
            // What was looked at for the classes alone is no figure, but for the one before cleansing.
            assert!(orphans.sides.iter().all(|f| f.side == side || f.side == Side::Source), "{orphans:?}");
        }
    }
}

#[test]
fn only_what_steps_change_is_not_comparable_before_cleansing() {
    // The parents' source cannot be read: there is no figure, and nobody says that steps are to blame.
    let check = "checks:\n  - { check: foreign_key, columns: [parent], references: { dataset: parents, columns: [id] }, on: [target] }\n";
    let (_, children, _folder) =
        family(check, ["id,\"\n", "id\n1\n"], ["id,parent\n1,1\n", "id,parent\n1,1\n"]);
    let orphans = rule(&children, "foreign_key-parent");
    assert!(orphans.sides.iter().all(|figure| figure.note.is_none()), "{orphans:?}");
}

#[cfg(unix)]
#[test]
fn every_folder_of_the_output_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.project(TWO_SIDES, "id,name\n1,Ann\n", "id,name\n1,Bob\n");
    let program = crate::support::program();
    let ran = std::process::Command::new("sh")
        .args(["-c", &format!("umask 0; exec '{program}' run --out far/away")])
        .current_dir(folder.path())
        .output()
        .expect("a run");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let mut open = vec![folder.path().join("far")];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let mode = std::fs::metadata(&path).expect("a folder").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", path.display());
        seen += 1;
        let inside = std::fs::read_dir(&path).expect("entries").flatten().map(|entry| entry.path());
        open.extend(inside.filter(|path| path.is_dir() && !path.is_symlink()));
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn a_column_that_refers_to_a_hidden_one_is_hidden_too() {
    let folder = Folder::new();
    let side = |name: &str| TWO_SIDES.replace("dataset: t", &format!("dataset: {name}"));
    let refers = |columns: &str, to: &str, key: &str| {
        format!(
            "checks:\n  - {{ check: foreign_key, columns: [{columns}], references: {{ dataset: {to}, columns: [{key}] }} }}\n"
        )
    };
    let text = "id,name\n1,1\n2,2\n";
    folder.project(&format!("{}sensitive: [id]\n", side("people")), text, text);
    // A chain, in an order that needs more than one pass; and one that is shown.
    folder.write("rules/a.yml", format!("{}{}", side("pets"), refers("name", "homes", "id")));
    folder.write("rules/b.yml", format!("{}{}", side("homes"), refers("id", "people", "id")));
    folder.write("rules/c.yml", format!("{}show: [name]\n{}", side("shown"), refers("name", "people", "id")));
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let result = folder.result();
    let masking = |name: &str| &result.datasets.iter().find(|d| d.name == name).expect("a dataset").masking;
    let refers = Some("refers to a sensitive column");
    assert_eq!(masking("pets").columns.get("name").map(String::as_str), refers);
    assert!(!masking("pets").key);
    assert_eq!(masking("homes").columns.get("id").map(String::as_str), refers);
    assert!(masking("homes").key);
    assert!(masking("shown").columns.is_empty() && !masking("shown").key);
}

#[test]
fn a_column_that_holds_values_of_a_hidden_one_is_hidden_too() {
    let names = ["Quinn", "Ray", "Rowe", "Shaw", "Todd", "Vane", "Wood"];
    let line = |id: usize, swapped: bool| {
        let (forename, surname) = (format!("F{id}"), names[id]);
        if swapped { format!("{id},{surname},{forename}\n") } else { format!("{id},{forename},{surname}\n") }
    };
    let text = |swapped: &dyn Fn(usize) -> bool| {
        (0..names.len()).fold("id,forename,surname\n".to_owned(), |all, id| all + &line(id, swapped(id)))
    };
    let folder = Folder::new();
    folder.project(&format!("{TWO_SIDES}sensitive: [surname]\n"), &text(&|_| false), &text(&|id| id > 0));
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let masking = &folder.result().datasets[0].masking;
    assert_eq!(masking.columns.get("forename").map(String::as_str), Some("holds values of a hidden column"));
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(names.iter().all(|name| !page.contains(name)), "no value of a hidden column");

    // An id and what a crosswalk makes of it are one secret.
    let folder = Folder::new();
    let rules = TWO_SIDES
        .replace("key: [id]", "key: [id]\ncrosswalks: [{ column: id, through: ids, from: old, to: new }]");
    folder.project(&rules, "id,v\n1,a\n2,b\n", "id,v\n11,a\n12,b\n");
    folder.write("ids.csv", "old,new\n1,11\n2,12\n");
    folder.write(
        "rules/ids.yml",
        "dataset: ids\nkey: [old]\nsensitive: [old]\nsource: { connection: files, file: ids.csv }\n",
    );
    assert_eq!(folder.run(&["run"]).code, Some(0));
    let result = folder.result();
    let masking = &result.datasets.iter().find(|d| d.name == "t").expect("a dataset").masking;
    assert!(masking.columns.contains_key("id") && masking.key, "{masking:?}");
}

#[test]
fn a_step_that_did_nothing_says_why() {
    let steps = |source: &str| {
        let rules = "cleanse:\n  - { step: trim, columns: '*' }\n  - { step: trim, id: off, columns: [name], skip: waits for the letters }\n";
        let folder = Folder::new();
        let sides =
            "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv, types: { name: text } }\n";
        assert_eq!(folder.project(&format!("{sides}{rules}"), source, "").run(&["run"]).code, Some(0));
        let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
        (folder.result().datasets.remove(0).steps, page)
    };
    let (found, page) = steps("id,name\n1,Ann\n");
    assert_eq!((&found[0].skipped, &found[0].note), (&None, &None));
    assert_eq!(found[1].skipped.as_deref(), Some("waits for the letters"));
    assert!(page.contains("skipped: waits for the letters"), "{page}");
    let (found, page) = steps("id,name\n1,\n");
    assert_eq!(found[0].note.as_deref(), Some("no text column of the source has a value"));
    assert!(page.contains("nothing to do: no text column of the source has a value"));
}
