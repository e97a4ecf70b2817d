//! Bad input of every stage: exit code 2, one clear message, nothing half written under a final name.

use std::process::Command;

use crate::support::{Folder, Ran, program};

const RULES: &str = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv, types: { amount: \"decimal(9,2)\" } }\ntarget: { connection: files, file: target.csv, types: { amount: \"decimal(9,2)\" } }\n";
const GOOD: &str = "id,name,amount\n1,Ann,1.50\n2,Bob,2.00\n";

/// Runs the project and asserts that it could not judge, says so once, and leaves nothing half written.
fn refused(folder: &Folder, says: &[&str]) -> Ran {
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for words in says {
        assert!(ran.stderr.contains(words) || ran.stdout.contains(words), "`{words}` is missing in {ran:?}");
    }
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    assert_eq!(folder.left_overs(), Vec::<std::path::PathBuf>::new());
    ran
}

fn no_run(folder: &Folder) {
    assert!(!folder.path().join("counterfoil-out/runs/latest").exists());
}

#[test]
fn a_project_that_is_not_there() {
    let folder = Folder::new();
    refused(&folder, &["counterfoil.yml"]);
    no_run(&folder);
}

#[test]
fn a_project_that_is_not_yaml() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD).write("rules/t.yml", "dataset: [t\nkey: id\n");
    refused(&folder, &["rules/t.yml", "not valid YAML"]);
    no_run(&folder);
}

#[test]
fn rule_files_that_are_not_utf_8() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD).write("rules/t.yml", b"dataset: t\xff\n");
    refused(&folder, &["rules/t.yml"]);
    no_run(&folder);
}

#[test]
fn a_column_that_the_data_does_not_have_is_a_mistake_in_the_rules() {
    let folder = Folder::new();
    folder.project(&format!("{RULES}checks:\n  - check: not_null\n    columns: [nmae]\n"), GOOD, GOOD);
    refused(&folder, &["rules/t.yml:7:15", "`nmae`", "did you mean `name`?"]);
    no_run(&folder);
}

#[test]
fn a_ragged_line_is_named() {
    let folder = Folder::new();
    folder.project(RULES, "id,name,amount\n1,Ann,1.50\n2,Bob\n", GOOD);
    refused(&folder, &["source.csv", "line 3"]);
}

#[test]
fn a_byte_that_is_no_utf_8_is_named_by_line_and_column() {
    let folder = Folder::new();
    folder.project(RULES, "", GOOD).write("source.csv", b"id,name,amount\n1,Ann,1.50\n2,B\xe9a,2.00\n");
    refused(&folder, &["source.csv", "line 3", "name"]);
}

#[test]
fn a_value_of_a_wrong_type_is_named_but_not_shown() {
    let folder = Folder::new();
    folder.project(RULES, "id,name,amount\n1,Ann,1.50\n2,Bob,secret9\n", GOOD);
    let ran = refused(&folder, &["source.csv", "line 3", "amount", "decimal(9,2)"]);
    assert!(!ran.stderr.contains("secret9") && !ran.stdout.contains("secret9"), "{ran:?}");
}

#[test]
fn an_open_quote_is_named_by_the_line_it_opens_on() {
    let folder = Folder::new();
    folder.project(RULES, "id,name,amount\n1,Ann,1.50\n2,\"Bob,2.00\n3,Cid,1.00\n", GOOD);
    refused(&folder, &["source.csv", "line 3"]);
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD);
    std::fs::remove_file(folder.path().join("target.csv")).expect("removed");
    refused(&folder, &["target.csv"]);
}

#[test]
fn parquet_cut_in_half() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD);
    assert_eq!(folder.run(&["snapshot"]).code, Some(0));
    let mut parquet = Vec::new();
    let mut open = vec![folder.path().join("counterfoil-out/snapshots/t/source")];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path if path.extension().is_some_and(|e| e == "parquet") => parquet.push(path),
                _ => {}
            }
        }
    }
    let whole = std::fs::read(&parquet[0]).expect("a snapshot");
    folder.write("source.parquet", &whole[..whole.len() / 2]);
    folder.write(
        "rules/t.yml",
        RULES.replace("source.csv, types: { amount: \"decimal(9,2)\" }", "source.parquet"),
    );
    refused(&folder, &["source.parquet"]);
}

#[test]
fn a_changed_snapshot_is_refused() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD);
    assert_eq!(folder.run(&["run"]).code, Some(0), "{:?}", folder.run(&["run"]));
    let run = folder.run_folder();
    let kept = run.join("snapshots/t/source");
    let file = std::fs::read_dir(&kept)
        .expect("the run keeps its snapshots")
        .flatten()
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "parquet"))
        .expect("a Parquet file");
    let mut bytes = std::fs::read(&file).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&file, bytes).expect("written");
    let ran = folder.run(&["run", "--from", run.to_str().expect("a path")]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("data-0001.parquet") && ran.stderr.contains("its bytes have changed"),
        "{ran:?}"
    );
}

#[test]
fn a_run_from_earlier_snapshots_needs_no_files() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD);
    assert_eq!(folder.run(&["run"]).code, Some(0));
    let first = folder.run_folder();
    for file in ["source.csv", "target.csv"] {
        std::fs::remove_file(folder.path().join(file)).expect("removed");
    }
    assert_eq!(folder.run(&["run", "--from", first.to_str().expect("a path")]).code, Some(0));
    let second = folder.run_folder();
    assert_ne!(first, second);
    for file in
        ["run.json", "ledger.json", "report/index.html", "junit.xml", "summary.md", "findings/t.parquet"]
    {
        let read = |run: &std::path::Path| std::fs::read(run.join(file)).expect(file);
        assert!(read(&first) == read(&second), "{file} differs between two runs of the same snapshots");
    }
}

#[test]
fn one_dataset_that_cannot_be_read_does_not_stop_the_others() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD);
    folder.write("rules/u.yml", "dataset: u\nkey: [id]\nsource: { connection: files, file: nothing.csv }\n");
    let ran = refused(&folder, &["nothing.csv"]);
    let result = folder.result();
    assert_eq!(result.gate.exit_code, 2, "{ran:?}");
    assert!(result.datasets.iter().any(|d| d.name == "t" && d.error.is_none()));
    assert!(result.datasets.iter().any(|d| d.name == "u" && d.error.is_some()));
}

#[test]
fn a_full_disk() {
    let folder = Folder::new();
    let rows: String = (0..200_000).map(|i| format!("{i},{:x},1.00\n", i * 7_919 % 1_000_003)).collect();
    let text = format!("id,name,amount\n{rows}");
    folder.project(RULES, &text, &text).write("disk/.keep", "");
    let script = format!(
        "mount -t tmpfs -o size=256k none disk && {} run --out disk; code=$?; find disk -name '*.part' -o -name run.json; exit $code",
        program()
    );
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .current_dir(folder.path())
        .output()
        .expect("unshare runs");
    let ran = Ran::from(output);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.to_lowercase().contains("no space left"), "{ran:?}");
    assert_eq!(ran.stdout.trim(), "", "something stayed on the full disk: {ran:?}");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = Folder::new();
    folder.project(RULES, GOOD, GOOD).write("taken", "a file where a folder should be");
    let ran = folder.run(&["run", "--out", "taken/out"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("taken"), "{ran:?}");
}
