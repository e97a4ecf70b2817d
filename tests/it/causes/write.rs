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
    let summary = text("summary.md");
    assert!(summary.contains("All 12 differences come from dates that are exactly 1 day later"), "{summary}");
    assert!(summary.contains("has the lines that would settle some of them"), "{summary}");
    // Four causes have twelve cells each: the first by name stands for the dataset.
    let worst = "12 of 52 differing cells come from 2 codes that each always became another value, in code.";
    assert!(summary.contains(&format!("- t: {worst}\n")), "{summary}");
    assert!(ran.stdout.contains(&format!("  Why values differ in t: {worst}\n")), "{ran:?}");
    let (first, page) = (text("report/index.html"), text("report/t.html"));
    let link = first.split("href=\"").find(|part| part.contains(worst)).expect("the worst cause");
    let place = link.split('"').next().and_then(|link| link.strip_prefix("t.html#")).expect("a place");
    assert!(page.contains(&format!("class=\"cause\" id=\"{place}\"")), "{place}");
    assert!(text("junit.xml").contains("come from rounding to 2 digits behind the point"));
    let page = text("report/t.html");
    assert!(page.contains("Columns by cause") && page.contains("heat-5"), "{page}");
    assert!(page.contains("values: { K0: Flat, K1: House }"), "{page}");
}

#[test]
fn a_cell_of_two_causes_has_both_and_is_counted_apart() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\n";
    let (mut source, mut target) = ("id,name\n".to_owned(), "id,name\n".to_owned());
    for (id, (e, t)) in
        [("Ann Lee", "ANN LEE"), ("Bo Ray", "Bo Ray "), ("Cid Fox", "CID FOX "), ("Dot Hay", "DOT HAY ")]
            .into_iter()
            .enumerate()
    {
        source += &format!("{id},{e}\n");
        target += &format!("{id},{t}\n");
    }
    folder.project(rules, &source, &target);
    let ran = folder.run(&["run"]);
    assert!(
        ran.stdout
            .contains("2 of 4 differing cells come from capital and small letters, and from white space"),
        "{ran:?}"
    );
    let findings = read_parquet(&folder.run_folder().join("findings/t.parquet"));
    let causes: Vec<String> = column(&findings, "cause").into_iter().flatten().collect();
    assert_eq!(causes, ["case", "whitespace", "case+whitespace", "case+whitespace"]);
    let result = folder.result();
    let name = result.datasets[0].columns.iter().find(|column| column.name == "name").expect("name");
    let counted: Vec<(&str, u64)> =
        name.causes.iter().map(|cause| (cause.cause.as_str(), cause.cells)).collect();
    assert_eq!(counted, [("case+whitespace", 2), ("case", 1), ("whitespace", 1)]);
    assert_eq!(counted.iter().map(|(_, cells)| cells).sum::<u64>(), name.mismatched);
    let text = |file: &str| std::fs::read_to_string(folder.run_folder().join(file)).expect("text");
    let page = text("report/t.html");
    assert!(page.contains("<h4>case and whitespace</h4>") && page.contains("<h4>case</h4>"), "{page}");
    assert!(
        page.contains("2 of 4 differences come from capital and small letters, and from white space"),
        "{page}"
    );
    assert!(text("summary.md").contains("| t | name | case and whitespace | 2 of 4 differences come from"));
    folder.run(&["explain-differences", "--write"]);
    assert_eq!(folder.run(&["run"]).code, Some(0), "the lines of both settle all");
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
        "t, cot\n  day_shift: All 12 differences come from dates that are exactly 1 day later in the target.\n    These lines settle all of them and give up the source's own dates.\n",
        "          cot: { source_expression: \"cot + interval '1 day'\" }\n",
        "t, note\n  real_change: All 12 differences come from real changes.\n    No line in the dataset's file settles it. These are to be looked at one by one",
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
        + "    cot: { source_expression: \"cot + interval '1 day'\" }\n    rent: { tolerance: 0.005 }\ncleanse:\n  - step: map_values\n    columns: [code]\n    values: { K0: Flat, K1: House }\n";
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
    assert_eq!(left, [("note", 12)]);
    let summary = std::fs::read_to_string(folder.run_folder().join("summary.md")).expect("summary.md");
    assert!(
        summary.contains("No line settles them; `counterfoil explain-differences` says what does."),
        "{summary}"
    );
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

#[test]
fn numbers_that_an_expression_makes_are_shown_plainly() {
    let folder = Folder::new();
    let rules = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv, types: { id: i64, v: i64 } }\n\
        target: { connection: files, file: target.csv, types: { id: i64, v: \"decimal(9,2)\" } }\n\
        reconcile: { columns: { v: { source_expression: v / 100 } } }\n";
    folder.project(rules, "id,v\n1,12897\n2,5000\n3,1\n", "id,v\n1,130.00\n2,50.10\n3,0.01\n");
    folder.run(&["run"]);
    let findings = read_parquet(&folder.run_folder().join("findings/t.parquet"));
    let texts = |name: &str| column(&findings, name).into_iter().flatten().collect::<Vec<String>>();
    assert_eq!(texts("expected"), ["128.97", "50.00"]);
    assert_eq!(texts("target"), ["130.00", "50.10"]);
    let page = std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("a page");
    assert!(!page.contains("128.970"), "{page}");
}
