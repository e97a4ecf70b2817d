//! `counterfoil explain-differences`: what it tells, and what it writes into rule files.

use crate::support::{Folder, column, read_parquet};

const RULES: &str = "\
dataset: t # the only one
key: [id]
source: { connection: files, file: source.csv, types: { id: i64, name: text, code: text, cot: date, rent: \"decimal(9,4)\", note: text } }
target: { connection: files, file: target.csv, types: { id: i64, name: text, code: text, cot: date, rent: \"decimal(9,2)\", note: text } }

# what is compared
reconcile:
  exclude: [] # nothing
  columns:
    name: { case: ignore } # agreed in March
";

fn project() -> Folder {
    let folder = Folder::new();
    let mut source = "id,name,code,cot,rent,note\n".to_owned();
    let mut target = source.clone();
    for id in 1..=12 {
        let word = ["red", "green", "blue", "black"][id % 4];
        source += &format!("{id},Ann {word},K{},2020-01-{id:02},10.{id:02}44,n{id}\n", id % 2);
        let space = if id % 3 == 0 { " " } else { "" };
        let code = if id % 2 == 0 { "Flat" } else { "House" };
        target += &format!("{id},ANN {word}{space},{code},2020-01-{:02},10.{id:02},m{id}\n", id + 1);
    }
    folder.project(RULES, &source, &target);
    folder
}

#[test]
fn causes_stand_in_every_output() {
    let folder = project();
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("all from"), "{ran:?}");
    let findings = read_parquet(&folder.run_folder().join("findings/t.parquet"));
    let (columns, causes) = (column(&findings, "column"), column(&findings, "cause"));
    let count = |name: &str, cause: &str| {
        columns
            .iter()
            .zip(&causes)
            .filter(|(c, k)| c.as_deref() == Some(name) && k.as_deref() == Some(cause))
            .count()
    };
    assert_eq!(count("name", "whitespace"), 4);
    assert_eq!(count("code", "code_mapping"), 12);
    assert_eq!(count("cot", "day_shift"), 12);
    assert_eq!(count("rent", "rounding"), 12);
    assert_eq!(count("note", "real_change"), 12);
    let result = folder.result();
    let cot = result.datasets[0].columns.iter().find(|column| column.name == "cot").expect("cot");
    assert_eq!(cot.causes[0].says, "dates that are exactly 1 day later in the target");
    let text = |name: &str| std::fs::read_to_string(folder.run_folder().join(name)).expect("text");
    assert!(!text("run.json").contains("Flat"), "run.json holds no value");
    assert!(text("summary.md").contains("All 12 differences come from dates that are exactly 1 day later"));
    assert!(text("junit.xml").contains("come from rounding to 2 digits behind the point"));
    let page = text("report/t.html");
    assert!(page.contains("Columns by cause") && page.contains("heat-5"), "{page}");
    assert!(page.contains("values: { K0: Flat, K1: House }"), "{page}");
}

#[test]
fn what_is_told_names_dataset_column_cause_count_and_lines() {
    let folder = project();
    folder.run(&["run"]);
    let told = folder.run(&["explain-differences"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    for part in [
        "t, name\n  whitespace: All 4 differences come from white space at the ends.\n",
        "          name: { whitespace: trim }\n",
        "t, code\n  code_mapping: All 12 differences come from 2 codes that each always became another value.\n",
        "          values: { K0: Flat, K1: House }\n",
        "t, cot\n  day_shift: All 12 differences come from dates that are exactly 1 day later in the target.\n    No line in the dataset's file settles it.\n",
        "          rent: { tolerance: 0.005 }\n",
    ] {
        assert!(told.stdout.contains(part), "{part}\n{}", told.stdout);
    }
    let chosen = folder.run(&["explain-differences", "--column", "rent", "latest"]);
    assert!(chosen.stdout.contains("rounding") && !chosen.stdout.contains("whitespace"), "{chosen:?}");
    let run = folder.run_folder();
    let by_folder =
        folder.run(&["explain-differences", run.to_str().expect("a path"), "--cause", "day_shift"]);
    assert!(by_folder.stdout.contains("day_shift"), "{by_folder:?}");
    let id = run.file_name().and_then(std::ffi::OsStr::to_str).expect("an id");
    let by_id = folder.run(&["explain-differences", id, "--cause", "day_shift"]);
    assert_eq!((by_id.code, &by_id.stdout), (Some(0), &by_folder.stdout), "{by_id:?}");
    let unknown = folder.run(&["explain-differences", "--cause", "whitespce"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("no difference of the run has the cause `whitespce`"), "{unknown:?}");
}

#[test]
fn written_lines_settle_and_leave_all_else_as_it_was() {
    let folder = project();
    folder.run(&["run"]);
    let written = folder.run(&["explain-differences", "--write"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    assert!(written.stdout.contains("rules/t.yml: t, rent, rounding\n"), "{written:?}");
    let rules = std::fs::read_to_string(folder.path().join("rules/t.yml")).expect("rules");
    let wanted = RULES.replace("{ case: ignore }", "{ case: ignore, whitespace: trim }")
        + "    rent: { tolerance: 0.005 }\ncleanse:\n  - step: map_values\n    columns: [code]\n    values: { K0: Flat, K1: House }\n";
    assert_eq!(rules, wanted);
    assert_eq!(folder.run(&["check-config"]).code, Some(0));
    folder.run(&["run"]);
    let result = folder.result();
    let left: Vec<(&str, u64)> = result.datasets[0]
        .columns
        .iter()
        .filter(|column| column.mismatched > 0)
        .map(|column| (column.name.as_str(), column.mismatched))
        .collect();
    assert_eq!(left, [("cot", 12), ("note", 12)]);
    let again = folder.run(&["explain-differences", "--write"]);
    assert!(again.stdout.contains("Nothing was written"), "{again:?}");
}

#[test]
fn a_file_that_would_not_be_valid_is_left_as_it_was() {
    let folder = project();
    folder.run(&["run"]);
    // Since the run the source's column has been left out: a step for it would name what is not there.
    let rules = RULES
        .replace("types: { id: i64, name: text, code: text,", "omit: [code], types: { id: i64, name: text,");
    let rules = rules.replacen("file: source.csv, omit", "file: source.csv, columns: {}, omit", 1);
    folder.write("rules/t.yml", &rules);
    let written = folder.run(&["explain-differences", "--write", "--column", "code"]);
    assert_eq!(written.code, Some(2), "{written:?}");
    assert!(written.stderr.contains("the file would not be valid with it and is as it was"), "{written:?}");
    assert!(written.stderr.contains("rules/t.yml:"), "the diagnostic has its place: {written:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("rules/t.yml")).expect("rules"), rules);
    let gone = folder.run(&["explain-differences", "nowhere"]);
    assert_eq!(gone.code, Some(2));
    assert!(gone.stderr.contains("nowhere"), "{gone:?}");
}

#[test]
fn lines_with_values_of_a_hidden_column_are_neither_told_nor_written() {
    let folder = project();
    folder.write("rules/t.yml", RULES.replace("key: [id]", "key: [id]\nsensitive: [code, name]"));
    folder.run(&["run"]);
    let told = folder.run(&["explain-differences"]).stdout;
    assert!(told.contains("hidden (sensitive)") && !told.contains("Flat"), "{told}");
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(!page.contains("Flat") && !page.contains("House"), "no value of a hidden column");
    folder.run(&["explain-differences", "--write"]);
    let rules = std::fs::read_to_string(folder.path().join("rules/t.yml")).expect("rules");
    assert!(!rules.contains("Flat"), "{rules}");
}
