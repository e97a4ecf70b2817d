//! Tables that were split, merged or denormalised on the way: a side may be a query over other datasets.

use counterfoil::findings::{DatasetResult, RunResult};
use counterfoil::model::Status;

use crate::support::{Folder, column, program, read_parquet};

const TENANCY: &str = "dataset: tenancy\nkey: [tag_ref]\n\
    source: { connection: files, file: tenancy.csv, types: { tag_ref: char(6), house_ref: text, rent: \"decimal(9,2)\" } }\n";

const MEMBER: &str = "dataset: member\nkey: [house_ref, person_no]\nsensitive: [forename]\n\
    source: { connection: files, file: member.csv, types: { house_ref: text, person_no: i64 } }\n";

const TENURE: &str = "dataset: tenure\nkey: [tag_ref]\n\
source:\n\
\x20 sql: |\n\
\x20   select t.tag_ref, t.rent, count(m.person_no) as size,\n\
\x20          string_agg(m.forename, ', ' order by m.person_no) as household\n\
\x20   from tenancy as t\n\
\x20   left join member as m on m.house_ref = t.house_ref\n\
\x20   group by t.tag_ref, t.rent\n\
target: { connection: files, file: tenure.csv, types: { tag_ref: text, rent: \"decimal(9,2)\", size: i64, household: text } }\n";

/// Tenancies and their members of old; in the new system one table of both.
fn merged() -> Folder {
    let folder = Folder::new();
    folder.project(TENANCY, "", "");
    folder.write("rules/member.yml", MEMBER);
    folder.write("rules/tenure.yml", TENURE);
    folder.write(
        "tenancy.csv",
        "tag_ref,house_ref,rent\n000001,H1,100.00\n000002,H2,110.50\n000003,H3,90.00\n",
    );
    folder.write("member.csv", "house_ref,person_no,forename\nH1,2,Bo\nH1,1,Ann\nH2,1,Cy\nH9,1,Zoe\n");
    folder.write(
        "tenure.csv",
        "tag_ref,rent,size,household\n000001,100.00,2,\"Ann, Bo\"\n000002,110.50,1,Cyril\n000003,90.00,0,\n",
    );
    folder
}

fn of<'r>(result: &'r RunResult, name: &str) -> &'r DatasetResult {
    result.datasets.iter().find(|dataset| dataset.name == name).unwrap()
}

fn lines(folder: &Folder, file: &str, columns: &[&str]) -> Vec<String> {
    let table = read_parquet(&folder.run_folder().join(file));
    let columns: Vec<Vec<String>> = columns
        .iter()
        .map(|name| column(&table, name).into_iter().map(|cell| cell.unwrap_or("-".to_owned())).collect())
        .collect();
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows).map(|row| columns.iter().map(|c| c[row].as_str()).collect::<Vec<_>>().join(" | ")).collect()
}

/// Returns the ids of the snapshots of a side.
fn ids(folder: &Folder, place: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path().join("counterfoil-out/snapshots").join(place)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn log(folder: &Folder) -> String {
    std::fs::read_to_string(folder.run_folder().join("run.log")).unwrap()
}

#[test]
fn tables_that_were_merged_are_reconciled() {
    let folder = merged();
    let checked = folder.run(&["check-config"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let checked = folder.run(&["check-config", "--connect"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        lines(&folder, "findings/tenure.parquet", &["rule", "key", "expected", "target", "cause"]),
        ["reconcile-household | 000002 | Cy | Cyril | real_change"]
    );
    let result = folder.result();
    let tenure = of(&result, "tenure");
    assert!(tenure.ledger.as_ref().unwrap().balanced);
    let buckets = tenure.buckets.as_ref().unwrap();
    assert_eq!((buckets.matched, buckets.mismatched), (2, 1));
    let side = tenure.source.as_ref().unwrap();
    assert!(side.origin.starts_with("sql: SELECT t.tag_ref"), "{}", side.origin);
    let of_tenancy = &of(&result, "tenancy").source.as_ref().unwrap().snapshot;
    let of_member = &of(&result, "member").source.as_ref().unwrap().snapshot;
    assert_eq!(
        side.read.as_deref(),
        Some(
            format!(
                "made here of source.member (snapshot {of_member}), source.tenancy (snapshot {of_tenancy})"
            )
            .as_str()
        )
    );
    // The declared type of a column that is passed on, and that of a calculated one.
    let types: Vec<(&str, &str)> =
        tenure.columns.iter().map(|c| (c.name.as_str(), c.source_type.as_deref().unwrap())).collect();
    assert_eq!(
        types,
        [("tag_ref", "char(6)"), ("rent", "decimal(9,2)"), ("size", "i64"), ("household", "text")]
    );
    let text = std::fs::read_to_string(
        folder
            .path()
            .join("counterfoil-out/snapshots/tenure/source")
            .join(&side.snapshot)
            .join("manifest.json"),
    )
    .unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["made"]["reads"][1]["snapshot"], of_tenancy.as_str());
    assert_eq!(manifest["made"]["columns"][3][1], serde_json::json!(["member.forename", "member.person_no"]));
}

#[test]
fn what_comes_from_a_sensitive_column_stays_hidden() {
    let folder = merged();
    folder.run(&["run"]);
    let result = folder.result();
    let masking = &of(&result, "tenure").masking;
    assert_eq!(masking.columns.get("household").map(String::as_str), Some("made from a hidden column"));
    assert_eq!(masking.columns.len(), 1, "{masking:?}");
    for file in ["summary.md", "report/index.html", "junit.xml", "run.json", "run.log"] {
        let text = std::fs::read_to_string(folder.run_folder().join(file)).unwrap();
        assert!(!text.contains("Cyril") && !text.contains("Ann, Bo"), "{file}");
    }
    let page = std::fs::read_to_string(folder.run_folder().join("report/index.html")).unwrap();
    assert!(page.contains("made here of source.member"), "the report says where the rows come from");
}

/// Of two columns that a condition compares, one tells what the other holds.
#[test]
fn what_is_compared_with_a_sensitive_column_is_hidden_too() {
    for (query, hidden) in [
        (
            "select t.house_ref, m.person_no, t.tenant from tenancy t join member m on t.tenant = m.forename",
            true,
        ),
        (
            "select t.house_ref, m.person_no, t.tenant from tenancy t \
             join member m on t.house_ref = m.house_ref where lower(t.tenant) = lower(m.forename)",
            true,
        ),
        (
            "select t.house_ref, m.person_no, t.tenant from tenancy t \
             join member m on t.house_ref = m.house_ref where t.tenant <> 'X' and m.person_no = 1",
            false,
        ),
    ] {
        let folder = Folder::new();
        folder.project(
            "dataset: tenancy\nkey: [house_ref]\nsource: { connection: files, file: tenancy.csv }\n",
            "",
            "",
        );
        folder.write("rules/member.yml", MEMBER);
        folder.write(
            "rules/both.yml",
            format!(
                "dataset: both\nkey: [house_ref, person_no]\nsource: {{ sql: \"{query}\" }}\n\
                 target: {{ connection: files, file: both.csv }}\n"
            ),
        );
        folder.write("tenancy.csv", "house_ref,tenant\nH1,Ann\n");
        folder.write("member.csv", "house_ref,person_no,forename\nH1,1,Ann\n");
        folder.write("both.csv", "house_ref,person_no,tenant\nH1,1,Anna\n");
        let ran = folder.run(&["run"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let masking = of(&folder.result(), "both").masking.columns.clone();
        assert_eq!(masking.contains_key("tenant"), hidden, "{query}: {masking:?}");
        assert!(!masking.contains_key("house_ref"), "{query}: {masking:?}");
    }
}

/// What a dataset should hold is a matter of today's rules, whichever snapshots they are applied to.
#[test]
fn rules_that_changed_change_what_is_made_of_earlier_snapshots() {
    let folder = Folder::new();
    let rules = |filter: &str| {
        format!(
            "dataset: a\nkey: [id]\nsource: {{ connection: files, file: a.csv{filter}, types: {{ id: text }} }}\n"
        )
    };
    folder.project(&rules(", filter: \"id <> '2'\""), "", "");
    folder.write("a.csv", "id,n\n1,x\n2,y\n");
    folder.write("t.csv", "id,n\n1,x\n");
    folder.write(
        "rules/b.yml",
        "dataset: b\nkey: [id]\nsource: { sql: \"select id, n from expected.a\" }\n\
         target: { connection: files, file: t.csv, types: { id: text } }\n",
    );
    assert_eq!(folder.run(&["run"]).code, Some(0));
    folder.write("rules/t.yml", rules(""));
    let ran = folder.run(&["run", "--from", "latest"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(lines(&folder, "findings/b.parquet", &["rule", "key"]), ["reconcile-missing | 2"]);
}

#[test]
fn the_same_snapshots_are_not_queried_again() {
    let folder = merged();
    folder.run(&["run"]);
    assert!(log(&folder).contains(" make tenure"));
    let first = folder.result();
    let before = ids(&folder, "tenure/source");
    assert_eq!(before.len(), 1);

    folder.run(&["run"]);
    assert!(!log(&folder).contains(" make tenure"), "{}", log(&folder));
    assert_eq!(ids(&folder, "tenure/source"), before);
    assert_eq!(serde_json::to_value(folder.result()).unwrap(), serde_json::to_value(&first).unwrap());

    // Another snapshot of what it reads, or another query, makes another one.
    folder.write("member.csv", "house_ref,person_no,forename\nH1,2,Bo\nH1,1,Ann\nH2,1,Cyril\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(log(&folder).contains(" make tenure"));
    assert_eq!(ids(&folder, "tenure/source").len(), 2);
    let run = folder.run_folder();
    folder.write("rules/tenure.yml", TENURE.replace("', '", "','"));
    assert_eq!(folder.run(&["run"]).code, Some(1));
    assert_eq!(ids(&folder, "tenure/source").len(), 3);
    // The rows of an earlier run are those of its query.
    let from = folder.run(&["run", "--from", run.to_str().unwrap()]);
    assert_eq!(from.code, Some(2), "{from:?}");
    assert!(from.stdout.contains("another `sql`") || from.stderr.contains("another `sql`"), "{from:?}");
    folder.write("rules/tenure.yml", TENURE);
    let from = folder.run(&["run", "--from", run.to_str().unwrap()]);
    assert_eq!(from.code, Some(0), "{from:?}");
}

#[test]
fn snapshots_and_reconciliations_alone_make_them_too() {
    let folder = merged();
    let taken = folder.run(&["snapshot"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    assert!(taken.stdout.lines().last().unwrap().contains("snapshots/tenure/source/"), "{taken:?}");
    let ran = folder.run(&["reconcile"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let result = folder.result();
    assert_eq!(of(&result, "tenure").buckets.as_ref().unwrap().mismatched, 1);
    assert!(!log(&folder).contains(" make tenure"), "the snapshot's was used");
    let rechecked = folder.run(&["recheck", folder.run_folder().to_str().unwrap()]);
    assert_eq!(rechecked.code, Some(2), "{rechecked:?}");
    let said = format!("{}{}", rechecked.stdout, rechecked.stderr);
    assert!(said.contains("make a new run"), "{said}");
}

#[test]
fn lists_in_json_become_rows_of_a_table_that_was_split_off() {
    let folder = Folder::new();
    folder.project(
        "dataset: tenancy\nkey: [tag_ref]\nsource: { connection: files, file: tenancy.csv, types: { tag_ref: text, household: json } }\n",
        "",
        "",
    );
    folder.write(
        "rules/members.yml",
        "dataset: household_members\nkey: [tag_ref, place]\n\
         source:\n  sql: >\n    select t.tag_ref, m.place, json_value(m.item, '$.name') as name,\n\
         \x20   cast(json_value(m.item, '$.born') as date) as born\n\
         \x20   from tenancy as t\n    cross join unnest(json_items(t.household, '$.members')) with ordinality as m(item, place)\n\
         target: { connection: files, file: members.csv, types: { tag_ref: text, place: i64, name: text, born: date } }\n\
         checks:\n  - check: foreign_key\n    column: tag_ref\n    references: tenancy.tag_ref\n    on: [expected]\n\
         \x20 - check: not_null\n    columns: [name]\n",
    );
    let json = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    folder.write(
        "tenancy.csv",
        format!(
            "tag_ref,household\n001,{}\n002,{}\n003,\n",
            json(r#"{"members": [{"name": "Ann", "born": "1970-01-31"}, {"name": "Bo", "born": null}]}"#),
            json(r#"{"members": [{"name": "Cy"}]}"#)
        ),
    );
    folder.write(
        "members.csv",
        "tag_ref,place,name,born\n001,1,Ann,1970-01-31\n001,2,Bo,\n002,1,Cy,\n003,1,Di,\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        lines(&folder, "findings/household_members.parquet", &["rule", "side", "key"]),
        ["reconcile-unexpected | target | 003|1"]
    );
    let result = folder.result();
    let check =
        of(&result, "household_members").rules.iter().find(|r| r.id == "foreign_key-tag_ref").unwrap();
    assert_eq!((check.status, check.sides[0].evaluated), (Status::Pass, 3));

    // What is no JSON stops the dataset, without a word of the value; the rest goes on.
    folder.write("tenancy.csv", "tag_ref,household\n001,\n002,Confidential\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let error = of(&folder.result(), "household_members").error.clone().unwrap();
    assert!(
        error.contains("the `sql` of household_members's source failed: column `household` of `tenancy`, row 2: this is not JSON"),
        "{error}"
    );
    assert!(!error.contains("Confidential") && !ran.stderr.contains("Confidential"));
}

#[test]
fn a_target_that_was_split_is_put_together() {
    let folder = Folder::new();
    folder.project(
        "dataset: tenures\nkey: [id]\ntarget: { connection: files, file: tenures.csv, types: { id: text, start: date } }\n",
        "",
        "",
    );
    folder.write(
        "rules/rents.yml",
        "dataset: rents\nkey: [tenure]\ntarget: { connection: files, file: rents.csv, types: { tenure: text, amount: \"decimal(9,2)\" } }\n",
    );
    folder.write(
        "rules/tenancy.yml",
        "dataset: tenancy\nkey: [tag_ref]\n\
         source: { connection: files, file: tenancy.csv, types: { tag_ref: char(4), cot: date, rent: \"decimal(9,2)\" } }\n\
         target:\n  sql: select t.id as tag_ref, t.start as cot, r.amount as rent from tenures t left join rents r on r.tenure = t.id\n",
    );
    folder.write(
        "tenancy.csv",
        "tag_ref,cot,rent\n001,2001-04-02,1.00\n002,2011-04-04,2.00\n003,2020-01-01,3.00\n",
    );
    folder.write("tenures.csv", "id,start\n001,2001-04-02\n002,2011-04-05\n003,2020-01-01\n");
    folder.write("rents.csv", "tenure,amount\n003,3.00\n001,1.00\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        lines(&folder, "findings/tenancy.parquet", &["rule", "key", "expected", "target"]),
        ["reconcile-cot | 002 | 2011-04-04 | 2011-04-05", "reconcile-rent | 002 | 2.00 | -"]
    );
}

#[test]
fn a_query_reads_what_a_dataset_should_hold() {
    let folder = merged();
    folder.write(
        "rules/t.yml",
        TENANCY.to_owned()
            + "cleanse:\n  - step: map_values\n    column: house_ref\n    values: { h1: H1, H2: H2, H3: H3 }\n    unmapped: quarantine\n",
    );
    folder.write("rules/member.yml", MEMBER.replace("source: {", "source: { filter: person_no < 9,"));
    folder.write(
        "rules/tenure.yml",
        TENURE
            .replace("from tenancy", "from expected.tenancy")
            .replace("join member", "join expected.member"),
    );
    folder.write(
        "tenancy.csv",
        "tag_ref,house_ref,rent\n000001,h1,100.00\n000002,H2,110.50\n000003,H7,90.00\n",
    );
    folder.write("member.csv", "house_ref,person_no,forename\nH1,2,Bo\nH1,1,Ann\nH2,1,Cyril\nH2,9,Dead\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // 000003 is quarantined, so that it is in no expected tenure.
    assert_eq!(
        lines(&folder, "findings/tenure.parquet", &["rule", "side", "key"]),
        ["reconcile-unexpected | target | 000003"]
    );
    // What it reads depends on rules too, so that it is made again, with the same outcome.
    let before = ids(&folder, "tenure/source");
    folder.run(&["run"]);
    assert!(log(&folder).contains(" make tenure"));
    assert_eq!(ids(&folder, "tenure/source"), before);
}

#[test]
fn mistakes_are_told_at_their_places_and_all_at_once() {
    let folder = merged();
    folder.write(
        "rules/tenure.yml",
        "dataset: tenure\nkey: [tag_ref]\n\
         source:\n  connection: files\n  columns: { a: b }\n  sql: |\n    select t.tag_ref, avg(t.rent) as rent\n    from tenanci as t\n\
         \x20   join target.member as m on m.house_ref = t.house_ref\n    join later.member as l on l.house_ref = x.house_ref\n    group by t.tag_ref\n\
         target:\n  sql: select tag_ref from tenure\n",
    );
    let checked = folder.run(&["check-config"]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    for said in [
        "`connection` says how a table is read, and this side is made here by `sql`",
        "`columns` says how a table is read",
        "`avg` is not known here",
        "there is no state `later`",
        "there is no table `x` here",
        "there is no dataset `tenanci`",
        "did you mean `tenancy`",
        "`member` has no target",
        "`source.member` are",
        "rules/tenure.yml:7",
    ] {
        assert!(checked.stderr.contains(said), "{said}: {}", checked.stderr);
    }
}

#[test]
fn nothing_is_made_of_itself() {
    let folder = merged();
    folder.write("rules/tenure.yml", TENURE.replace("from tenancy", "from expected.tenancy"));
    folder.write(
        "rules/t.yml",
        TENANCY.to_owned()
            + "checks:\n  - check: foreign_key\n    column: tag_ref\n    references: tenure.tag_ref\n",
    );
    let checked = folder.run(&["check-config"]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    assert!(
        checked
            .stderr
            .contains("the source of `tenure` would be made of itself: it reads `expected.tenancy`"),
        "{}",
        checked.stderr
    );
    assert!(checked.stderr.contains("from expected.tenancy"), "{}", checked.stderr);
    // As they were read, it depends on nothing else.
    folder.write("rules/tenure.yml", TENURE);
    assert_eq!(folder.run(&["check-config"]).code, Some(0));
}

#[test]
fn columns_that_there_are_not_are_told_before_a_row_is_read() {
    let folder = merged();
    folder.write(
        "rules/tenure.yml",
        TENURE.replace("m.person_no) as size", "m.persn_no) as size").replace("t.rent,", "t.rnt,"),
    );
    for arguments in [&["check-config", "--connect"][..], &["run"]] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for said in
            ["`m` has no column `persn_no`", "`person_no`", "`t` has no column `rnt`", "rules/tenure.yml:5"]
        {
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
    }
}

#[test]
fn a_side_whose_tables_could_not_be_read_is_not_made() {
    let folder = merged();
    std::fs::remove_file(folder.path().join("member.csv")).unwrap();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let error = of(&folder.result(), "tenure").error.clone().unwrap();
    assert!(error.contains("it reads `source.member`, which could not be read"), "{error}");
}

#[test]
fn the_rows_do_not_depend_on_the_threads() {
    let folder = merged();
    let (mut tenancies, mut members) =
        ("tag_ref,house_ref,rent\n".to_owned(), "house_ref,person_no,forename\n".to_owned());
    for n in 0..3_000u32 {
        tenancies.push_str(&format!("{n:06},H{},{}.00\n", n * 7 % 1_000, n % 90));
        members.push_str(&format!("H{},{},Name {}\n", n * 13 % 1_100, n % 5, n * 31 % 97));
    }
    folder.write("tenancy.csv", tenancies);
    folder.write("member.csv", members);
    let ids_with = |threads: &str| {
        let ran = std::process::Command::new(program())
            .args(["snapshot", "--out", threads])
            .current_dir(folder.path())
            .env("RAYON_NUM_THREADS", threads)
            .env("POLARS_MAX_THREADS", threads)
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        let entries = std::fs::read_dir(folder.path().join(threads).join("snapshots/tenure/source")).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    let one = ids_with("1");
    assert_eq!(one.len(), 1);
    assert_eq!(ids_with("7"), one);
}
