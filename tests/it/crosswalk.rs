//! Ids that the target gave anew: expected carries the target's.

use crate::support::{self, Folder};

const HOLDER: &str = "dataset: ids\nkey: [old]\n\
    source: { connection: files, file: ids.csv, types: { old: text, new: uuid } }\n\
    cleanse:\n  - step: trim\n    columns: [old]\n";

const CUSTOMERS: &str = "dataset: customers\nkey: [id]\n\
    source: { connection: files, file: customers.csv, types: { id: text, name: text } }\n\
    target: { connection: files, file: target/customers.csv, types: { id: uuid, name: text } }\n\
    crosswalks:\n  - { column: id, through: ids, from: old, to: new }\n";

const RENTALS: &str = "dataset: rentals\nkey: [n]\n\
    source: { connection: files, file: rentals.csv, types: { n: i64, customer: text } }\n\
    target: { connection: files, file: target/rentals.csv, types: { n: i64, customer: uuid } }\n\
    crosswalks:\n  - { column: customer, through: ids, from: old, to: new, max_failures: 1 }\n\
    checks:\n  - check: foreign_key\n    column: customer\n    references: customers.id\n";

fn uuid(n: u8) -> String {
    format!("6f9619ff-8b86-d011-b42d-00cf4fc9000{n}")
}

fn project() -> Folder {
    let folder = Folder::new();
    folder.project(HOLDER, "", "");
    for (name, rules) in [("customers", CUSTOMERS), ("rentals", RENTALS)] {
        folder.write(&format!("rules/{name}.yml"), rules);
    }
    // 004 has two new ids, 005 none, and 003 the same twice.
    folder.write(
        "ids.csv",
        format!(
            "old,new\n 001,{}\n002,{}\n003,{}\n003,{}\n004,{}\n004,{}\n",
            uuid(1),
            uuid(2),
            uuid(3),
            uuid(3),
            uuid(4),
            uuid(5)
        ),
    );
    folder.write("customers.csv", "id,name\n001,Ann\n002,Bo\n003,Cy\n004,Di\n005,Ed\n");
    folder.write("rentals.csv", "n,customer\n1,001\n2,003\n3,\n4,002\n5,005\n");
    folder.write(
        "target/customers.csv",
        format!("id,name\n{},Ann\n{},Bob\n{},Di\n{},Ed\n", uuid(1), uuid(2), uuid(4), uuid(6)),
    );
    folder.write(
        "target/rentals.csv",
        format!("n,customer\n1,{}\n2,{}\n3,\n4,{}\n5,{}\n", uuid(1), uuid(3), uuid(1), uuid(6)),
    );
    folder
}

/// Lines of a file of the run, with what the GUIDs have in common left out.
fn lines(folder: &Folder, file: &str, columns: &[&str]) -> Vec<String> {
    let short = |line: &String| line.replace("6f9619ff-8b86-d011-b42d-00cf4fc9000", "#");
    support::lines(folder, file, columns).iter().map(short).collect()
}

#[test]
fn expected_carries_the_targets_ids() {
    let folder = project();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let columns = ["rule", "side", "key", "source", "expected", "target", "group"];
    assert_eq!(
        lines(&folder, "findings/customers.parquet", &columns),
        [
            "reconcile-name target #2 Bo Bo Bob -",
            "reconcile-missing expected #3 - - - -",
            "reconcile-unexpected target #4 - - - -",
            "reconcile-unexpected target #6 - - - -",
            "crosswalk-id expected \\N 004 - - ambiguous",
            "reconcile-no_key expected \\N - - - -",
            "crosswalk-id expected \\N 005 - - unmapped",
            "reconcile-no_key expected \\N - - - -",
        ]
    );
    assert_eq!(
        lines(&folder, "findings/rentals.parquet", &columns),
        [
            "foreign_key-customer target 2 - - #3 introduced",
            "reconcile-customer target 4 002 #2 #1 -",
            "crosswalk-customer expected 5 005 - - unmapped",
            "reconcile-customer target 5 005 - #6 -",
        ]
    );
    let result = folder.result();
    let of = |name: &str| result.datasets.iter().find(|dataset| dataset.name == name).unwrap();
    assert!(result.datasets.iter().all(|dataset| dataset.ledger.as_ref().unwrap().balanced));
    let rule = of("customers").rules.iter().find(|rule| rule.id == "crosswalk-id").unwrap();
    let figure = &rule.sides[0];
    assert_eq!((figure.evaluated, figure.failed, figure.classes.len()), (5, 2, 2));
    // One failure is allowed there.
    let rule = of("rentals").rules.iter().find(|rule| rule.id == "crosswalk-customer").unwrap();
    assert_eq!(rule.status, counterfoil::model::Status::Pass);
    assert_eq!(
        lines(&folder, "corrected/rentals.parquet", &["n", "customer"])[..4],
        ["1 #1", "2 #3", "3 -", "4 #2"]
    );
    assert_eq!(
        lines(&folder, "corrected/customers.parquet", &["id", "name"]),
        ["#1 Ann", "#2 Bo", "#3 Cy", "- Di", "- Ed"]
    );
    assert_eq!(
        lines(&folder, "repairs/customers.parquet", &["action", "id", "name"]),
        ["update #2 Bo", "insert #3 Cy", "delete #6 Ed"],
        "004 may be #4"
    );
    let said = |name: &str, start: &str| of(name).notes.iter().any(|note| note.starts_with(start));
    assert!(said("customers", "Repairs leave 1 rows of the target alone"), "{:?}", of("customers").notes);
    // Nobody knows what the customer of rental 5 is called now: its value stays.
    assert_eq!(lines(&folder, "repairs/rentals.parquet", &["action", "n", "customer"]), ["update 4 #2"]);
    assert!(said("rentals", "Repairs leave 1 differing values of `customer` alone"));
    let page = std::fs::read_to_string(folder.run_folder().join("report/customers.html")).unwrap();
    assert!(page.contains("crosswalk-id") && page.contains(">004<"), "{page}");
    // The same where only the reconciliation is asked for.
    let buckets = of("customers").buckets;
    assert_eq!(folder.run(&["reconcile", "--from", "latest"]).code, Some(1));
    let again = folder.result();
    let again = again.datasets.iter().find(|dataset| dataset.name == "customers").unwrap();
    assert_eq!(again.buckets, buckets);
}

#[test]
fn a_crosswalk_that_cannot_be_read_breaks_what_needs_it() {
    let folder = project();
    std::fs::remove_file(folder.path().join("ids.csv")).unwrap();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let result = folder.result();
    let customers = result.datasets.iter().find(|dataset| dataset.name == "customers").unwrap();
    assert_eq!(customers.error.as_deref(), Some("its crosswalk `ids` could not be read"));
}

#[test]
fn crosswalks_that_lead_nowhere_are_told_before_anything_is_read() {
    let folder = project();
    for (from, to, said) in [
        ("through: ids", "through: idz", "there is no dataset `idz`"),
        ("through: ids", "through: customers", "the ids of `customers` are replaced themselves"),
        ("to: new", "to: old", "stand in the same column"),
        ("column: id,", "column: _row,", "only `key` may name it"),
        (
            "crosswalks:\n",
            "crosswalks:\n  - { column: id, through: ids, from: old, to: new }\n",
            "`id` has two crosswalks",
        ),
        ("source: {", "other: {", "replaces the ids of the source"),
    ] {
        folder.write("rules/customers.yml", CUSTOMERS.replace(from, to));
        let ran = folder.run(&["check-config"]);
        assert!(ran.code == Some(2) && ran.stderr.contains(said), "{said}: {ran:?}");
    }
    folder.write("rules/customers.yml", CUSTOMERS);
    let ran = folder.run(&["check-config"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// Ids of another type are no other orphans: what was raw is compared with what was raw.
#[test]
fn an_orphan_of_the_old_system_is_inherited_whatever_the_type_of_its_new_id() {
    let folder = project();
    let add = |file: &str, line: String| {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        folder.write(file, text + &line);
    };
    add("rentals.csv", "6,009\n".to_owned());
    add("target/rentals.csv", format!("6,{}\n", uuid(9)));
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let found = lines(&folder, "findings/rentals.parquet", &["rule", "side", "key", "target", "group"]);
    let orphans: Vec<&String> = found.iter().filter(|line| line.starts_with("foreign_key")).collect();
    assert_eq!(
        orphans,
        ["foreign_key-customer target 2 #3 introduced", "foreign_key-customer target 6 #9 inherited"]
    );
    let result = folder.result();
    let rentals = result.datasets.iter().find(|dataset| dataset.name == "rentals").unwrap();
    let reference = &rentals.references[0];
    assert_eq!((reference.source, reference.before), (Some(1), counterfoil::model::Side::Source));
}

/// Where the parent has the new ids from the beginning, a raw reference says nothing of it.
#[test]
fn a_raw_reference_by_an_old_id_to_a_new_one_is_no_orphan() {
    let folder = Folder::new();
    folder.project("dataset: ids\nkey: [old]\nsource: { connection: files, file: ids.csv }\n", "", "");
    folder.write("rules/customers.yml", "dataset: customers\nkey: [id]\nsource: { connection: files, file: customers.csv }\ntarget: { connection: files, file: customers.csv }\n");
    folder.write("rules/rentals.yml", "dataset: rentals\nkey: [n]\nsource: { connection: files, file: old.csv }\ntarget: { connection: files, file: new.csv }\ncrosswalks:\n  - { column: customer, through: ids, from: old, to: new }\nchecks:\n  - { check: foreign_key, column: customer, references: customers.id }\n");
    folder.write("ids.csv", "old,new\na,X\nb,Y\n");
    folder.write("customers.csv", "id,name\nX,Ann\nY,Bo\n");
    folder.write("old.csv", "n,customer\n1,a\n2,b\n");
    folder.write("new.csv", "n,customer\n1,X\n2,Z\n");
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let found = lines(&folder, "findings/rentals.parquet", &["rule", "side", "key", "group"]);
    assert_eq!(found, ["foreign_key-customer target 2 introduced", "reconcile-customer target 2 -"]);
}

/// The condition of a reference reads the new ids wherever rows are held back by it, looked at in expected, or in the target.
#[test]
fn a_condition_on_a_replaced_column_reads_the_new_ids() {
    let folder = Folder::new();
    folder.project(
        "dataset: ids\nkey: [old]\nsource: { connection: files, file: ids.csv, types: { old: text, new: i64 } }\n",
        "",
        "",
    );
    folder.write("rules/customers.yml", "dataset: customers\nkey: [id]\nsource: { connection: files, file: customers.csv, types: { id: text, kind: text } }\ntarget: { connection: files, file: target.csv, types: { id: i64, kind: text } }\ncrosswalks:\n  - { column: id, through: ids, from: old, to: new }\ncleanse:\n  - { step: map_values, column: kind, values: { a: a }, unmapped: quarantine }\n");
    folder.write("rules/rentals.yml", "dataset: rentals\nkey: [n]\nsource: { connection: files, file: rentals.csv, types: { customer: text } }\ntarget: { connection: files, file: new.csv, types: { customer: i64 } }\ncrosswalks:\n  - { column: customer, through: ids, from: old, to: new }\nchecks:\n  - { check: foreign_key, column: customer, references: customers.id, where: customer >= 200 }\n");
    folder.write("ids.csv", "old,new\na,100\nb,200\nc,150\n");
    folder.write("customers.csv", "id,kind\na,a\nb,?\nc,?\n");
    folder.write("target.csv", "id,kind\n100,a\n");
    folder.write("rentals.csv", "n,customer\n1,a\n2,b\n3,c\n");
    folder.write("new.csv", "n,customer\n1,100\n3,150\n4,250\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(lines(&folder, "quarantine/rentals.parquet", &["n"]), ["2"]);
    // 150 is left out on every side; 250 is not in the source.
    let found = lines(&folder, "findings/rentals.parquet", &["rule", "side", "key", "group"]);
    assert_eq!(found, ["foreign_key-customer target 4 introduced", "reconcile-unexpected target 4 -"]);
}

/// An id is known as long as a row may have it, though the row that says so is held back along a reference.
#[test]
fn ids_are_known_though_their_holders_are_held_back() {
    let folder = project();
    folder.write(
        "rules/batches.yml",
        "dataset: batches\nkey: [id]\nsource: { connection: files, file: batches.csv, types: { id: text, kind: text } }\ncleanse:\n  - { step: map_values, column: kind, values: { a: a }, unmapped: quarantine }\n",
    );
    folder.write("batches.csv", "id,kind\n001,a\n002,?\n");
    folder.write(
        "rules/t.yml",
        HOLDER.to_owned()
            + "checks:\n  - { check: foreign_key, column: old, references: batches.id, severity: info }\n",
    );
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let found = lines(&folder, "findings/customers.parquet", &["rule", "side", "key", "source"]);
    assert!(!found.iter().any(|line| line == "crosswalk-id expected \\N 002"), "{found:?}");
    assert!(found.iter().any(|line| line == "reconcile-name target #2 Bo"), "{found:?}");
}

/// Without a key a row of the target is left alone where it has one of the ids.
#[test]
fn rows_without_a_key_are_not_deleted_where_they_may_be_ambiguous_ones() {
    let folder = project();
    folder.write(
        "rules/rentals.yml",
        RENTALS.replace("key: [n]", "key: none").replace(", max_failures: 1", ""),
    );
    folder.write("rentals.csv", "n,customer\n1,001\n2,004\n");
    folder.write("target/rentals.csv", format!("n,customer\n1,{}\n2,{}\n3,{}\n", uuid(1), uuid(5), uuid(2)));
    assert_eq!(folder.run(&["run"]).code, Some(1));
    assert_eq!(
        lines(&folder, "repairs/rentals.parquet", &["action", "n", "customer"]),
        ["insert 2 -", "delete 3 #2"]
    );
}
