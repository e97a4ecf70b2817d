//! `recheck`: the records in which a run found differences are read again, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::odbc::Database;
use crate::servers::postgres;
use crate::support::{Folder, Ran};

const RULES: &str = "dataset: t\nkey: [id]\n\
    source: { connection: files, file: source.csv }\n\
    target: { connection: files, file: target.csv }\n";

const SOURCE: &str =
    "id,name,rent\n1,Ann,10.00\n2,Bo,20.00\n3,Cy,30.00\n4,Di,40.00\n5,Ed,50.00\n6,Flo,60.00\n";
const TARGET: &str = "id,name,rent\n1,Ann,10.00\n2,Bob,25.00\n3,Cy,35.00\n4,Dia,40.00\n6,Flo,60.00\n7,Gus,70.00\n8,Hal,80.00\n";

/// The result that was written last.
fn written(folder: &Folder) -> Json {
    let pattern = folder.path().join("counterfoil-out/recheck-*.json");
    let files = glob::glob(&pattern.to_string_lossy()).expect("a pattern");
    let mut files: Vec<PathBuf> = files.flatten().collect();
    files.sort_unstable();
    let text = std::fs::read_to_string(files.last().expect("a file")).expect("the file");
    serde_json::from_str(&text).expect("JSON")
}

fn counts(dataset: &Json) -> [u64; 4] {
    ["differed", "equal", "gone", "still"].map(|name| dataset[name].as_u64().expect("a count"))
}

/// Every record that still differs: its key, what it is, and its columns.
fn records(dataset: &Json) -> Vec<String> {
    let text = |value: &Json| value.as_str().expect("a text").to_owned();
    let list = dataset["records"].as_array().expect("a list").iter();
    list.map(|record| {
        let columns: Vec<String> = record["columns"].as_array().expect("a list").iter().map(text).collect();
        format!("{} {} {}", text(&record["key"]), text(&record["is"]), columns.join(","))
            .trim_end()
            .to_owned()
    })
    .collect()
}

/// The bytes of every file of a folder.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in glob::glob(&folder.join("**/*").to_string_lossy()).expect("a pattern").flatten() {
        if entry.is_file() {
            all.insert(entry.clone(), std::fs::read(&entry).expect("a file"));
        }
    }
    all
}

fn ran(folder: &Folder, arguments: &[&str], code: i32) -> Ran {
    let ran = folder.run(arguments);
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(folder.left_overs().is_empty(), "{:?}", folder.left_overs());
    ran
}

#[test]
fn what_is_equal_now_is_told_from_what_still_differs() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, TARGET);
    ran(&folder, &["run"], 1);
    let run = folder.run_folder();
    let before = bytes(&run);
    // 2 is half mended, 3 is mended, 4 differs otherwise; 5 arrived, 7 went; 8 came to the source too; 1 is new.
    folder.write("source.csv", SOURCE.replace("4,Di,40.00", "4,Dia,40.00") + "8,Hal,80.00\n");
    folder.write(
        "target.csv",
        "id,name,rent\n1,Other,10.00\n2,Bob,20.00\n3,Cy,30.00\n4,Dia,41.00\n5,Ed,50.00\n6,Flo,60.00\n8,Hal,80.00\n",
    );
    let told = ran(&folder, &["recheck"], 1);
    let all = written(&folder);
    let dataset = &all["datasets"][0];
    assert_eq!(counts(dataset), [6, 3, 1, 2]);
    assert_eq!(records(dataset), ["2 differs name", "4 differs rent"]);
    assert_eq!(
        dataset["columns"],
        json!([
            {"name": "name", "differed": 2, "still": 1, "anew": 0},
            {"name": "rent", "differed": 2, "still": 0, "anew": 1}
        ])
    );
    assert_eq!(dataset["read_whole"], json!(["source", "target"]));
    assert_eq!(all["run"].as_str(), run.file_name().and_then(|name| name.to_str()));
    assert!(
        told.stdout.contains(
            "Of 6 records that differed 3 are equal now, 1 is gone from both sides, 2 still differ."
        ),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("2: differs in name"), "{}", told.stdout);
    assert!(
        told.stdout.contains("    name: 2 differed, of which 1 still\n    rent: 2 differed, of which none still; 1 other differs in it now\n"),
        "{}",
        told.stdout
    );
    assert_eq!(bytes(&run), before, "the run is as it was");

    folder.write("target.csv", SOURCE.replace("4,Di,40.00", "4,Dia,40.00") + "8,Hal,80.00\n");
    let id = run.file_name().and_then(|name| name.to_str()).expect("a name");
    let told = ran(&folder, &["recheck", id, "--quiet"], 0);
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", ""));
    assert_eq!(counts(&written(&folder)["datasets"][0]), [6, 5, 1, 0]);
}

#[test]
fn hidden_keys_are_tokens_and_values_stand_nowhere() {
    let folder = Folder::new();
    let rules = RULES.replace("key: [id]", "key: [name]\nsensitive: [name]");
    folder.project(
        &rules,
        "name,rent\nAnnabel,11.13\nBoris,20.00\n",
        "name,rent\nAnnabel,17.19\nCyril,20.00\n",
    );
    ran(&folder, &["run"], 1);
    let mut told = ran(&folder, &["recheck"], 1).stdout;
    told += &ran(&folder, &["recheck", "--json-logs"], 1).stderr;
    let all = written(&folder);
    assert_eq!(counts(&all["datasets"][0]), [3, 0, 0, 3]);
    told += &all.to_string();
    for hidden in ["Annabel", "Boris", "Cyril", "11.13", "17.19"] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    assert!(records(&all["datasets"][0]).iter().all(|record| record.starts_with('~')));
}

#[test]
fn a_run_without_differences_has_nothing_to_read_again() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, SOURCE);
    ran(&folder, &["run"], 0);
    std::fs::remove_file(folder.path().join("source.csv")).expect("a file");
    let told = ran(&folder, &["recheck"], 0);
    assert!(told.stdout.contains("No record differed in the run."), "{}", told.stdout);
}

#[test]
fn what_cannot_be_read_again_is_never_good() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, TARGET);
    let told = folder.run(&["recheck"]);
    assert_eq!(told.code, Some(2), "{told:?}");
    assert!(told.stderr.contains("there is no complete run `latest`"), "{}", told.stderr);
    ran(&folder, &["run"], 1);
    std::fs::remove_file(folder.path().join("target.csv")).expect("a file");
    let told = ran(&folder, &["recheck"], 2);
    assert!(
        told.stdout.contains("6 records could not be read again: the target could not be read"),
        "{}",
        told.stdout
    );

    folder.write("target.csv", TARGET);
    folder.write(
        "rules/t.yml",
        format!("{RULES}duplicates:\n  - {{ match: exact, columns: [name], merge: true }}\n"),
    );
    let told = ran(&folder, &["recheck"], 2);
    assert!(
        told.stdout.contains("it merges duplicates, for which all its records are needed"),
        "{}",
        told.stdout
    );
}

/// A reference changes with the record that it leads to, and that with the one which it names in its own key.
#[test]
fn records_that_change_with_merging_further_up_are_not_read_again() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, TARGET);
    let pair = |name: &str, key: &str, rules: &str| {
        folder.write(
            &format!("rules/{name}.yml"),
            format!("dataset: {name}\nkey: {key}\nsource: {{ connection: files, file: {name}.csv }}\ntarget: {{ connection: files, file: {name}-new.csv }}\n{rules}"),
        );
    };
    pair("owners", "[id]", "duplicates:\n  - { match: exact, columns: [n], merge: true }\n");
    pair(
        "homes",
        "[owner, no]",
        "checks:\n  - { check: foreign_key, column: owner, references: owners.id }\n",
    );
    let refers = "checks:\n  - { check: foreign_key, columns: [owner, no], references: { dataset: homes, columns: [owner, no] } }\n";
    pair("lets", "[id]", refers);
    // By a column that nothing rewrites.
    pair("notes", "[id]", "checks:\n  - { check: foreign_key, column: no, references: homes.no }\n");
    for (name, text, new) in [
        ("owners", "id,n\n1,x\n2,x\n", "id,n\n1,x\n"),
        ("homes", "owner,no,v\n2,7,a\n", "owner,no,v\n1,7,b\n"),
        ("lets", "id,owner,no,v\n1,2,7,a\n", "id,owner,no,v\n1,1,7,b\n"),
        ("notes", "id,no,v\n1,7,a\n", "id,no,v\n1,7,b\n"),
    ] {
        folder.write(&format!("{name}.csv"), text);
        folder.write(&format!("{name}-new.csv"), new);
    }
    ran(&folder, &["run"], 1);
    ran(&folder, &["recheck"], 2);
    let all = written(&folder);
    let errors: Vec<(&str, Option<&str>)> = all["datasets"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|dataset| (dataset["name"].as_str().expect("a name"), dataset["error"].as_str()))
        .collect();
    assert_eq!(
        errors,
        [
            ("homes", Some("it refers to `owners`, whose duplicates are merged: run again")),
            (
                "lets",
                Some("it refers to `homes`, that leads to `owners`, whose duplicates are merged: run again")
            ),
            ("notes", None),
            ("t", None)
        ]
    );
}

#[test]
fn keys_that_cleansing_makes_are_found_all_the_same() {
    let folder = Folder::new();
    let rules = format!(
        "{RULES}cleanse:\n  - {{ step: pad, columns: [id], width: 4, with: \"0\" }}\n  - {{ step: trim, columns: [name] }}\n"
    );
    let rules = rules
        .replace("source.csv }", "source.csv, types: { id: text } }")
        .replace("target.csv }", "target.csv, types: { id: text } }");
    folder.project(&rules, "id,name\n1,a \n2,b\n3,c\n", "id,name\n0001,a\n0002,x\n0004,d\n");
    ran(&folder, &["run"], 1);
    folder.write("target.csv", "id,name\n0001,a\n0002,b\n0003,c\n0004,d\n");
    ran(&folder, &["recheck"], 1);
    let all = written(&folder);
    assert_eq!(
        (counts(&all["datasets"][0]), records(&all["datasets"][0])),
        ([3, 2, 0, 1], vec!["0004 not expected".to_owned()])
    );
}

/// A text that becomes a number is no correction, but its key is another one.
#[test]
fn keys_that_cleansing_reads_as_another_type_are_found_all_the_same() {
    let folder = Folder::new();
    let rules = format!("{RULES}cleanse:\n  - {{ step: parse_number, columns: [id], to: i64 }}\n");
    let rules = rules.replace("source.csv }", "source.csv, types: { id: text } }");
    folder.project(&rules, "id,name\n0001,a\n0002,b\n0003,c\n", "id,name\n1,a\n2,x\n");
    ran(&folder, &["run"], 1);
    ran(&folder, &["recheck"], 1);
    let all = written(&folder);
    assert_eq!(
        (counts(&all["datasets"][0]), records(&all["datasets"][0])),
        ([2, 0, 0, 2], vec!["2 differs name".to_owned(), "3 missing".to_owned()])
    );
}

#[test]
fn what_the_run_and_the_rules_do_not_share_is_not_read_again() {
    let folder = Folder::new();
    folder.project(RULES, SOURCE, TARGET);
    ran(&folder, &["run"], 1);
    folder.write("rules/t.yml", RULES.replace("key: [id]", "key: [id, name]"));
    let told = ran(&folder, &["recheck"], 2);
    assert!(told.stdout.contains("its key is another one now: run again"), "{}", told.stdout);

    // A dataset that the run could not compare has no differences to be found again.
    let folder = Folder::new();
    folder.project(RULES, SOURCE, "id,name,rent\n");
    std::fs::remove_file(folder.path().join("target.csv")).expect("a file");
    folder
        .write("rules/u.yml", RULES.replace("dataset: t", "dataset: u").replace("target.csv", "source.csv"));
    ran(&folder, &["run"], 2);
    let told = ran(&folder, &["recheck"], 2);
    assert!(told.stdout.contains("the run could not compare it: run again"), "{}", told.stdout);
}

/// The rows of each side that were read, by what the program says as it goes on.
fn rows_read(ran: &Ran) -> Vec<(String, u64)> {
    let lines = ran.stderr.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    lines
        .filter(|line| line["event"] == "read")
        .map(|line| (line["side"].as_str().expect("a side").to_owned(), line["rows"].as_u64().expect("rows")))
        .collect()
}

/// Keys with letters that mean something to a database or to a key's text.
const ODD: &str = "('o''k', 1), ('b\\s', 2), ('Łódź', 3), ('per%cent_', 4), ('a|b', 5), ('\\N', 6), ('two  ', 7), ('', 8), ('CASE', 9)";

fn odd(word: &str) -> String {
    // MariaDB reads a backslash as an escape.
    if word == "mysql" { ODD.replace('\\', "\\\\") } else { ODD.to_owned() }
}

#[test]
fn a_database_is_asked_for_the_differing_records_alone() {
    let Some(database) = postgres::database() else { return };
    for table in ["old", "new"] {
        database.execute(&format!(
            "CREATE TABLE {table} (\"the key\" text, n int, v text, PRIMARY KEY (\"the key\", n));
             INSERT INTO {table} SELECT 'k' || i, i, 'same' FROM generate_series(100, 5099) i;
             INSERT INTO {table} (\"the key\", n, v) SELECT *, '{table}' FROM (VALUES {ODD}) t;",
        ));
    }
    database
        .execute("UPDATE old SET v = 'changed' WHERE n BETWEEN 100 AND 2599; DELETE FROM new WHERE n = 5000");
    let folder = Folder::new();
    folder.project(
        "dataset: t\nkey: [k, n]\nsource: { connection: db, table: old, columns: { the key: k } }\n\
         target: { connection: db, query: \"select * from new -- all of it\", columns: { the key: k } }\n",
        "",
        "",
    );
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n  db: {{ type: postgres, url: \"{}\" }}\ndatasets: rules/*.yml\n",
            database.url()
        ),
    );
    ran(&folder, &["run"], 1);
    database.execute("UPDATE new SET v = old.v FROM old WHERE old.n = new.n AND new.n NOT IN (2, 3, 2000)");
    let told = ran(&folder, &["recheck", "--json-logs"], 1);
    let all = written(&folder);
    let dataset = &all["datasets"][0];
    assert_eq!(dataset["read_whole"], json!([]), "{told:?}");
    assert_eq!(counts(dataset), [2510, 2506, 0, 4]);
    let keys = records(dataset);
    assert_eq!(keys.len(), 4, "{keys:?}");
    for key in ["Łódź", "k2000", "k5000"] {
        assert!(keys.iter().any(|record| record.contains(key)), "{key}: {keys:?}");
    }
    let read = rows_read(&told);
    let sum = |side: &str| read.iter().filter(|(own, _)| own == side).map(|(_, rows)| rows).sum::<u64>();
    assert_eq!((sum("source"), sum("target")), (2510, 2509));
    for hidden in ["Łódź", "k2000", "IN (", "changed"] {
        assert!(!told.stderr.contains(hidden), "{hidden}: {}", told.stderr);
    }
}

#[test]
fn other_databases_are_asked_in_their_own_words() {
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        for table in ["old", "new"] {
            database.execute(&format!(
                "CREATE TABLE {table} (k varchar(40), n int, v varchar(40));\n\
                 INSERT INTO {table} VALUES ('equal', 50, 'same');\n\
                 INSERT INTO {table} (k, n) VALUES {};\n\
                 UPDATE {table} SET v = '{table}' WHERE v IS NULL",
                odd(word)
            ));
        }
        let folder = Folder::new();
        folder.project(
            "dataset: t\nkey: [k]\nsource: { connection: db, table: old, where: n > 0 }\ntarget: { connection: db, table: new }\n",
            "",
            "",
        );
        let text = database.connection_string().replace('\\', "\\\\").replace('"', "\\\"");
        folder.write(
            "counterfoil.yml",
            format!(
                "version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n  db: {{ type: odbc, connection_string: \"{text}\" }}\ndatasets: rules/*.yml\n"
            ),
        );
        ran(&folder, &["run"], 1);
        database.execute("UPDATE new SET v = 'old' WHERE n <> 2");
        let told = ran(&folder, &["recheck", "--json-logs"], 1);
        let all = written(&folder);
        let dataset = &all["datasets"][0];
        assert_eq!(dataset["read_whole"], json!([]), "{word}: {told:?}");
        assert_eq!(
            (counts(dataset), records(dataset)),
            ([9, 8, 0, 1], vec!["b\\\\s differs v".to_owned()]),
            "{word}"
        );
        assert_eq!(rows_read(&told), [("source".to_owned(), 9), ("target".to_owned(), 9)], "{word}");
    }
}

/// A server that does not tell cases apart finds a record by the keys of two statements; each takes its own alone.
#[test]
fn a_record_that_two_statements_find_is_there_once() {
    let Some(database) = Database::new("mysql") else { return };
    for table in ["old", "new"] {
        let keys: Vec<String> = (0..600)
            .flat_map(|n| [format!("('K{n:03}', '{table}')"), format!("('k{n:03}', '{table}')")])
            .collect();
        database.execute(&format!(
            "CREATE TABLE {table} (k varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, v varchar(40));\n\
             INSERT INTO {table} VALUES {}",
            keys.join(", ")
        ));
    }
    let folder = Folder::new();
    folder.project(
        "dataset: t\nkey: [k]\nsource: { connection: db, table: old }\ntarget: { connection: db, table: new }\n",
        "",
        "",
    );
    let text = database.connection_string().replace('\\', "\\\\").replace('"', "\\\"");
    folder.write(
        "counterfoil.yml",
        format!("version: 1\nproject: Test\nfingerprint_key: test\nconnections:\n  db: {{ type: odbc, connection_string: \"{text}\" }}\ndatasets: rules/*.yml\n"),
    );
    ran(&folder, &["run"], 1);
    database.execute("UPDATE new SET v = 'old' WHERE k <> 'k599'");
    ran(&folder, &["recheck"], 1);
    let dataset = &written(&folder)["datasets"][0];
    assert_eq!(dataset["read_whole"], json!([]));
    assert_eq!(
        (counts(dataset), records(dataset)),
        ([1200, 1198, 0, 2], vec!["K599 differs v".to_owned(), "k599 differs v".to_owned()])
    );
}
