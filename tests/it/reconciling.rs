//! Reconciliation from the rule file to the files of the run.

use counterfoil::findings::for_each_row;
use counterfoil::model::Status;

use crate::support::Folder;

const SIDES: &str = "dataset: t\nkey: [id]\n\
     source: { connection: files, file: source.csv }\n\
     target: { connection: files, file: target.csv }\n";

/// Returns the rows of a Parquet file of the run, with these columns.
fn rows(folder: &Folder, file: &str, columns: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    for_each_row(&folder.run_folder().join(file), columns, |cells| {
        rows.push(cells.iter().map(|cell| cell.unwrap_or("-")).collect::<Vec<_>>().join(" "));
    })
    .expect("a file of the run");
    rows
}

fn page(folder: &Folder) -> String {
    std::fs::read_to_string(folder.run_folder().join("report/t.html")).expect("the dataset's page")
}

/// Codes, a calculated column, lists and JSON.
fn codes(rules: &str) -> Folder {
    let folder = Folder::new();
    folder.write("lookups/tenure.csv", "from,to\nSEC,Secure\nINT,Introductory\nGON,\n");
    folder.project(
        &format!(
            "{SIDES}{rules}reconcile:\n  columns:\n\
             \x20   tenure: {{ lookup: lookups/tenure.csv }}\n\
             \x20   full_name: {{ source_expression: \"forename || ' ' || surname\" }}\n\
             \x20   tags: {{ unordered: \";\", case: ignore }}\n\
             \x20   extra: {{ json: true }}\n"
        ),
        "id,tenure,forename,surname,tags,extra\n\
         1,SEC,Ann,Lee,a; b,\"{\"\"x\"\":1,\"\"y\"\":[]}\"\n\
         2,INT,Bo,Ray,b;a,\"{\"\"x\"\":1}\"\n\
         3,GON,Cy,Fox,a,7\n\
         4,ZZZ,Di,Orr,a;a,7\n\
         5,ZZZ,Ed,Poe,c,7\n",
        "id,tenure,full_name,tags,extra\n\
         1,Secure,Ann Lee,B;A,\"{ \"\"y\"\": [], \"\"x\"\": 1.0 }\"\n\
         2,Secure,Bo Ray,a;b,\"{\"\"x\"\":2}\"\n\
         3,,Cy Fox,a,7.0\n\
         4,ZZZ,Di Orr,a,7\n\
         5,Secure,Edd Poe,c,7\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    folder
}

#[test]
fn codes_lists_json_and_calculated_columns() {
    let folder = codes("");
    let found = rows(&folder, "findings/t.parquet", &["rule", "key", "source", "expected", "target"]);
    assert_eq!(
        found,
        [
            "reconcile-extra 2 {\"x\":1} {\"x\":1} {\"x\":2}",
            "reconcile-tenure 2 INT Introductory Secure",
            "reconcile-tags 4 a;a a;a a",
            "reconcile-unmapped-tenure 4 ZZZ ZZZ -",
            "reconcile-full_name 5 - Ed Poe Edd Poe",
            "reconcile-tenure 5 ZZZ ZZZ Secure",
            "reconcile-unmapped-tenure 5 ZZZ ZZZ -",
        ]
    );
    let result = folder.result();
    let rule = result.datasets[0].rules.iter().find(|rule| rule.id == "reconcile-unmapped-tenure");
    assert_eq!(rule.map(|rule| (rule.status, rule.sides[0].evaluated)), Some((Status::Warn, 5)));
    let compared = |name: &str| {
        let column = result.datasets[0].columns.iter().find(|column| column.name == name);
        column.and_then(|column| column.compared_as.clone()).unwrap_or_default()
    };
    assert_eq!(
        compared("tenure"),
        "compared as text, the source's codes replaced by a list, giving up nothing"
    );
    assert_eq!(
        compared("tags"),
        "compared as text, giving up upper and lower case and the order of the items"
    );
    assert_eq!(compared("extra"), "compared as text, giving up how JSON is written");
    let repairs = rows(&folder, "repairs/t.parquet", &["key", "columns", "tenure", "full_name"]);
    assert_eq!(
        repairs,
        ["2 tenure,extra Introductory Bo Ray", "4 tags ZZZ Di Orr", "5 full_name,tenure ZZZ Ed Poe",]
            .map(|line| line.replace("tenure,extra", "extra,tenure"))
    );
    let corrected = rows(&folder, "corrected/t.parquet", &["id", "tenure", "full_name"]);
    assert_eq!(corrected[..3], ["1 Secure Ann Lee", "2 Introductory Bo Ray", "3 - Cy Fox"]);
    let page = page(&folder);
    assert!(page.contains("tenure: 1 code that is not listed") && page.contains(">ZZZ<"), "{page}");
}

#[test]
fn what_is_calculated_from_a_hidden_column_is_hidden() {
    let page = page(&codes("sensitive: [surname, tenure]\n"));
    for secret in ["Poe", "ZZZ", "Introductory"] {
        assert!(!page.contains(secret), "{secret}");
    }
    assert!(page.contains("tenure: 1 code that is not listed, hidden with the column."));
    assert!(page.contains("full_name (calculated from a hidden column)"));
}

#[test]
fn a_calculated_target_has_no_repair_and_a_policy_that_does_nothing_is_said() {
    let folder = Folder::new();
    folder.project(
        &format!(
            "{SIDES}reconcile:\n  columns:\n\
             \x20   name: {{ target_expression: upper(name) }}\n\
             \x20   code: {{ map: {{ A: A }} }}\n"
        ),
        "id,name,code\n1,ANN,A\n2,BO,A\n",
        "id,name,code\n1,Ann,A\n2,Cy,A\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        rows(&folder, "findings/t.parquet", &["rule", "expected", "target"]),
        ["reconcile-name BO CY"]
    );
    assert_eq!(rows(&folder, "repairs/t.parquet", &["key"]), [""; 0]);
    let notes = &folder.result().datasets[0].notes;
    assert!(
        notes.iter().any(|n| n == "`map` of `code` changed none of 2 values; it can be left out."),
        "{notes:?}"
    );
}

#[test]
fn mistakes_in_lists_and_expressions_are_told_before_anything_is_read() {
    let folder = Folder::new();
    folder.project(
        &format!(
            "{SIDES}reconcile:\n  columns:\n\
             \x20   a: {{ lookup: nothing.csv }}\n\
             \x20   b: {{ source_expression: \"upper(\" }}\n"
        ),
        "id\n1\n",
        "id\n1\n",
    );
    let ran = folder.run(&["check-config"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("`nothing.csv` cannot be read") && ran.stderr.contains("rules/t.yml:8:"),
        "{ran:?}"
    );
}
