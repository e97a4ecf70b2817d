//! The HTML report: nothing hidden shows, nothing hostile gets through, and what happened is said.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Folder, golden};

const SIDES: &str = "dataset: t\nkey: [id]\nsource: { connection: files, file: source.csv }\ntarget: { connection: files, file: target.csv }\n";

/// Reads every file of a report by name.
fn pages(report: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(report).expect("a report");
    entries
        .map(|entry| {
            let entry = entry.expect("a file");
            let text = std::fs::read_to_string(entry.path()).expect("text");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// Runs a project and returns the exit code and the pages.
fn report(folder: &Folder) -> (Option<i32>, BTreeMap<String, String>) {
    let ran = folder.run(&["run"]);
    assert!(matches!(ran.code, Some(0..=2)), "{ran:?}");
    (ran.code, pages(&folder.run_folder().join("report")))
}

/// Returns a page's text: without markup, styles and scripts.
fn words(page: &str) -> String {
    let body = page.split_once("<body>").expect("a body").1;
    let body = body.split_once("<script>").map_or(body, |(before, _)| before);
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn nothing_hidden_is_in_any_page() {
    let folder = Folder::new();
    // The secrets stand in every place that has samples: differences, missing and unexpected rows, repeated keys,
    // checks of one and of several columns, duplicates, totals by a sensitive column, corrections under the
    // source's own name, quarantine.
    let rules = format!(
        "{}sensitive: [id, name, born]\nfree_text: [note]\n\
         cleanse:\n\
         \x20 - step: case\n    columns: [name]\n    to: upper\n\
         \x20 - step: map_values\n    column: kind\n    values: {{ A: Alpha }}\n    unmapped: quarantine\n\
         checks:\n\
         \x20 - check: pattern\n    column: name\n    matches: \"[0-9]+\"\n\
         \x20 - check: unique\n    columns: [name, born]\n\
         \x20 - check: range\n    column: born\n    min: 2020-01-01\n\
         \x20 - check: expression\n    id: named\n    that: name = note\n\
         duplicates:\n\
         \x20 - match: exact\n    columns: [name, born]\n\
         reconcile:\n\
         \x20 totals:\n    - {{ column: amount, by: [name], agg: [count, sum] }}\n    - {{ column: born_year, by: [kind], agg: [sum, min, max, distinct] }}\n\
         \x20   - {{ column: name, agg: [nulls, distinct, min, max] }}\n    - {{ column: born, by: [kind], agg: [max, min] }}\n",
        SIDES.replace("file: source.csv", "file: source.csv, columns: { full_name: name }")
    );
    let rules = rules.replace("sensitive: [id, name, born]", "sensitive: [id, name, born, born_year]");
    let mut source = "id,full_name,born,born_year,kind,amount,note\n".to_owned();
    let mut target = "id,name,born,born_year,kind,amount,note\n".to_owned();
    let row = |id: &str, name: &str, day: u32, kind: &str, amount: u32, note: &str| {
        format!("{id},{name},1987-06-{day:02},77{day:02},{kind},{amount},{note}\n")
    };
    for n in 1..=9 {
        let note = format!("Sekritnote{n}");
        source += &row(&format!("KEYQQ{n}"), "Zanzibarine", n, "A", 10, &note);
        target += &row(&format!("KEYQQ{n}"), "ZANZIBARINA", n + 1, "Alpha", 11, &format!("{note}x"));
    }
    source += &row("KEYQQ20", "Missingname", 3, "A", 5, "Sekritnote");
    source += &row("KEYQQ21", "Heldbackname", 3, "B", 5, "Sekritnote");
    source += &row("KEYQQ22", "Doublename", 3, "A", 5, "Sekritnote");
    source += &row("KEYQQ22", "Doublename", 3, "A", 5, "Sekritnote");
    target += &row("KEYQQ30", "Surplusname", 3, "Alpha", 5, "Sekritnote");
    folder.project(&rules, &source, &target);
    let (code, pages) = report(&folder);
    assert_eq!(code, Some(1));
    let secrets = [
        "keyqq",
        "zanzibar",
        "missingname",
        "heldbackname",
        "doublename",
        "surplusname",
        "sekritnote",
        "1987-06-",
        "7703",
        "69,3",
        "7701",
    ];
    for (name, page) in &pages {
        let lower = page.to_lowercase();
        for secret in secrets {
            assert!(!lower.contains(secret), "{name} holds {secret}");
        }
    }
    let page = &pages["t.html"];
    assert!(page.matches("hidden (sensitive)").count() > 20);
    assert!(page.contains("hidden (free text)"));
    assert!(page.matches('~').count() > 10, "keys show as tokens");
    let text = words(page);
    assert!(text.contains("9 of 9 that both sides have") || text.contains("9 records of 9"), "{text}");
    assert!(text.contains("group of 2 records"), "{text}");
    assert!(text.contains("map_values-kind: kind: "), "{text}");
    // The other way round: without the mask the same places do show the values, so that the test tells something.
    let open = rules.replace("sensitive: [id, name, born, born_year]\nfree_text: [note]\n", "show: [note]\n");
    folder.project(&open, &source, &target);
    std::fs::remove_dir_all(folder.path().join("counterfoil-out")).expect("removed");
    let (_, pages) = report(&folder);
    let text = words(&pages["t.html"]).to_lowercase();
    for secret in ["keyqq1", "zanzibar", "sekritnote", "1987-06-", "doublename"] {
        assert!(text.contains(secret), "an open page shows {secret}");
    }
}

#[test]
fn hostile_values_and_names_are_only_text() {
    let folder = Folder::new();
    let rules = format!(
        "{SIDES}show: [name]\nchecks:\n  - check: pattern\n    column: name\n    matches: \"[0-9]\"\n"
    );
    let source = "id,name,\"<img src=x onerror=alert(2)>\"\n\
                  1,<script>alert(1)</script>,x\n\
                  2,\"\"\" onmouseover=\"\"alert(3)\",x\n\
                  3,{{ 7 * 7 }}{% raw %},x\n\
                  4,a\u{202e}b\u{200b}c,x\n\
                  \"<svg onload=alert(4)>\",&lt;,x\n";
    let target = source.replace(",x\n", ",y\n").replace("<svg onload=alert(4)>", "<svg onload=alert(5)>");
    folder.project(&rules, source, &target);
    let (code, pages) = report(&folder);
    assert_eq!(code, Some(1));
    for (name, page) in &pages {
        for wrong in ["<script>alert", "<img", "<svg onload", "onmouseover=\"", "\u{202e}", "\u{200b}"] {
            assert!(!page.contains(wrong), "{name} holds {wrong:?}");
        }
    }
    let page = &pages["t.html"];
    for shown in [
        "&lt;script&gt;alert(1)",
        "&lt;svg onload=alert(4)&gt;",
        "{{ 7 * 7 }}{% raw %}",
        "[U+202E]",
        "&amp;lt;",
    ] {
        assert!(page.contains(shown), "{shown} is shown as it is");
    }
    assert!(pages["index.html"].contains("&lt;img src=x onerror=alert(2)&gt;"));
}

/// A small migration with something of everything: a difference, a missing row, a warning, a skipped rule.
fn small() -> Folder {
    let folder = Folder::new();
    let rules = format!(
        "{SIDES}owner: Tenancy services\n\
         cleanse:\n  - step: trim\n    columns: [name]\n\
         checks:\n\
         \x20 - check: not_null\n    columns: [name]\n    severity: warning\n\
         \x20 - check: unique\n    columns: [name]\n    skip: names are not unique\n\
         reconcile:\n  totals:\n    - {{ column: rent, agg: [sum] }}\n"
    );
    folder.project(
        &rules,
        "id,name,rent\n1, Ann,100.00\n2,Bob,112.40\n3,Cid,90.00\n4,,80.00\n5,Eve,70.00\n6,Fay,60.00\n",
        "id,name,rent\n1,Ann,100.00\n2,Bob,112.04\n3,Cid,90.00\n5,Eve,70.00\n6,Fay,60.00\n",
    );
    folder
}

#[test]
fn least_and_greatest_values_that_differ_are_shown_where_they_tell_of_nobody() {
    let folder = Folder::new();
    let rules = format!(
        "{SIDES}reconcile:\n  totals:\n\
         \x20   - {{ column: code, agg: [distinct, min, max, nulls] }}\n\
         \x20   - {{ column: rent, agg: [min, max], tolerance: 0.5 }}\n"
    );
    let table = |codes: [&str; 6], rents: [&str; 6]| {
        let rows = codes.iter().zip(rents).zip(1..).map(|((code, rent), id)| format!("{id},{code},{rent}\n"));
        format!("id,code,rent\n{}", rows.collect::<String>())
    };
    folder.project(
        &rules,
        &table(["a1234", "b", "c", "d", "e", ""], ["1234.00", "2.25", "3.00", "4.00", "5.00", "6.00"]),
        &table(["a1235", "b", "c", "d", "d", "f"], ["1238.00", "2.00", "3.00", "4.00", "5.00", "6.00"]),
    );
    let (_, pages) = report(&folder);
    let page = words(&pages["t.html"]);
    for shown in [
        "max expectede targetf min expecteda1234 targeta1235 nulls expected1 target0",
        "total-rent: figures that differ FigureValues max expected1,234.00 target1,238.00",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("distinct") && !page.contains("min expected2"), "equal, or within the tolerance");
}

#[test]
fn the_first_page_is_as_agreed() {
    let folder = small();
    folder.write("templates/style.css", "/* style */\n");
    folder.write("templates/script.js", "/* script */\n");
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let run = folder.run_folder();
    let again = folder.run(&["report", &run.display().to_string(), "--templates", "templates"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    golden("tests/it/golden/report-index.html", &pages(&run.join("report"))["index.html"]);
}

#[test]
fn it_says_what_happened() {
    let (_, pages) = report(&small());
    let index = words(&pages["index.html"]);
    for said in [
        "Not ready: 3 rules stop the gate.",
        "t: 1 of 6 records is missing in the target.",
        "t: rent differs in 1 of 5 pairs of records.",
        "Owner: Tenancy services",
        "31 January 2026, 00:00 UTC",
        "names are not unique",
    ] {
        assert!(index.contains(said), "{said} in {index}");
    }
    let page = &pages["t.html"];
    let differing = "<bdi class=\"value\">112.<mark>4</mark>0</bdi>";
    assert!(page.contains(differing), "{page}");
    assert!(page.contains("<i class=\"sign\">·</i>Ann"), "a blank that was trimmed is seen");
    assert!(words(page).contains("sum expected512.40 target432.04"), "{}", words(page));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let folder = small();
    let (_, first) = report(&folder);
    let run = folder.run_folder();
    let ran = folder.run(&["report", &run.display().to_string()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(first == pages(&run.join("report")), "rendered again");
    std::fs::remove_dir_all(folder.path().join("counterfoil-out")).expect("removed");
    assert!(first == report(&folder).1, "run again");
}

#[test]
fn templates_of_the_user_and_their_mistakes() {
    let folder = small();
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let run = folder.run_folder().display().to_string();
    let render = || folder.run(&["report", &run, "--templates", "templates"]);

    folder.write("templates/style.css", ":root { --of-ours: 1; }");
    assert_eq!(render().code, Some(0));
    let rendered = pages(&folder.run_folder().join("report"));
    assert!(rendered.values().all(|page| page.contains("--of-ours: 1;")));

    folder.write("templates/index.html", "<h1>{{ verdict.headline }}</h1>\n<p>{{ run.projct }}</p>\n");
    let ran = render();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("`index.html`, line 2: undefined value"), "{}", ran.stderr);
    assert!(rendered == pages(&folder.run_folder().join("report")), "a failed rendering changes nothing");

    folder.write("templates/index.html", "<h1>{{ verdict.headline }}</h1>\n\n{% if %}\n");
    let ran = render();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("`index.html`, line 3: syntax error"), "{}", ran.stderr);

    folder.write("templates/index.html", "{{ verdict.headline }}: {{ '<b>' }}");
    assert_eq!(render().code, Some(0));
    let rendered = pages(&folder.run_folder().join("report"));
    assert_eq!(rendered["index.html"], "Not ready: 3 rules stop the gate.: &lt;b&gt;");

    folder.write("templates/indx.html", "");
    let ran = render();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("indx.html` replaces nothing"), "{}", ran.stderr);
    assert!(ran.stderr.contains("base.html, dataset.html, index.html, parts.html, script.js and style.css"));
}

#[test]
fn what_could_not_be_judged_is_said() {
    let folder = small();
    folder.write(
        "rules/u.yml",
        "dataset: u\nkey: [id]\nsource: { connection: files, file: nowhere.csv }\ntarget: { connection: files, file: target.csv }\n",
    );
    let (code, pages) = report(&folder);
    assert_eq!(code, Some(2));
    let index = words(&pages["index.html"]);
    assert!(index.contains("Could not judge: 1 dataset could not be judged."), "{index}");
    assert!(index.contains("Besides, 3 rules stop the gate."), "{index}");
    assert!(index.contains("the whole dataset"), "{index}");
    let page = words(&pages["u.html"]);
    assert!(page.contains("u: could not be judged."), "{page}");
    assert!(page.contains("Why: "), "{page}");
}

#[test]
fn nothing_to_judge_is_never_ready() {
    let folder = Folder::new();
    folder.project(SIDES, "id,name\n", "id,name\n");
    let (code, pages) = report(&folder);
    assert_eq!(code, Some(1));
    let index = words(&pages["index.html"]);
    assert!(index.contains("Not ready:"), "{index}");
    assert!(index.contains("had nothing to judge"), "{index}");
    assert!(index.contains("inconclusive"), "{index}");
    assert!(!pages["index.html"].contains("<figure class=\"flow\""), "no picture of no rows");
}

#[test]
fn one_side_is_no_migration() {
    let folder = Folder::new();
    let rules = "dataset: index\nkey: [id]\nsource: { connection: files, file: source.csv }\nchecks:\n  - check: not_null\n    columns: [name]\n";
    folder.project(rules, "id,name\n1,Ann\n2,Bob\n", "");
    let (code, pages) = report(&folder);
    assert_eq!(code, Some(0));
    let index = words(&pages["index.html"]);
    assert!(index.contains("Ready: no rule stops the gate."), "{index}");
    assert!(index.contains("one side only: nothing to compare"), "{index}");
    assert!(index.contains("kept, nothing to compare"), "{index}");
    // A dataset of this name must not take the place of the first page.
    let page = words(&pages["index.dataset.html"]);
    assert!(page.contains("index: nothing stops the gate."), "{page}");
    assert!(!page.contains("Values that differ"), "{page}");
}

#[test]
fn without_the_key_of_the_tokens_there_is_no_report() {
    let folder = small();
    assert_eq!(folder.run(&["run"]).code, Some(1));
    let run = folder.run_folder();
    std::fs::write(run.join(".mask-key"), "no key\n").expect("a file");
    let ran = folder.run(&["report", &run.display().to_string()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("is not a key of 64 hexadecimal digits"), "{}", ran.stderr);
}
