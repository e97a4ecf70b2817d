//! The architecture: who may import whom, who prints, how long a file may be, and that no dependency is idle.
//!
//! The compiler holds none of this inside one crate, so the files are read as text.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::support::root;

/// The modules from low to high, each with those it may import. A row names only modules above it.
const MODULES: &[(&str, &str)] = &[
    ("model", ""),
    ("diagnostic", ""),
    ("node", "diagnostic"),
    ("frame", "model"),
    ("ledger", "model"),
    ("rule", "model diagnostic node frame"),
    ("expression", "model diagnostic node frame rule"),
    ("query", "model diagnostic frame expression"),
    ("cleanse", "model diagnostic node frame rule expression"),
    ("check", "model diagnostic node frame rule expression"),
    ("matching", "model diagnostic node frame rule expression"),
    ("reconcile", "model diagnostic node frame rule expression ledger"),
    ("source", "model diagnostic node frame rule expression"),
    ("snapshot", "model frame source"),
    (
        "config",
        "model diagnostic node frame rule expression query cleanse check matching reconcile source snapshot",
    ),
    ("init", "model diagnostic node source"),
    ("findings", "model frame ledger snapshot"),
    ("gate", "model rule findings"),
    ("mask", "model findings"),
    ("correct", "model frame snapshot findings"),
    ("report", "model node reconcile ledger findings mask"),
    (
        "engine",
        "model diagnostic node frame rule expression query cleanse check matching reconcile source snapshot config \
         ledger findings mask gate correct report",
    ),
    ("cli", "model diagnostic rule source config init findings engine report"),
    ("main", "cli"),
];

/// The longest file under src/, in lines.
const MAX_LINES: usize = 500;

/// Dependencies that no line of ours names: Cargo.toml says why they are there.
const UNNAMED_DEPENDENCIES: &[&str] = &["once_cell", "serde_core"];

/// Names of databases, in lower case.
const DATABASES: &[&str] =
    &["mysql", "mariadb", "oracle", "sqlite", "sqlserver", "sql server", "postgres", "psql"];

/// Where one database is known by its name, with a connector of its own: the word, and the beginnings of paths.
const OWN_CONNECTOR: (&str, &[&str]) =
    ("postgres", &["src/source/postgres/", "src/source/config", "src/source/error.rs", "src/source/mod.rs"]);

/// With what a program prints: a macro, or a stream that is asked for.
const PRINTING: &[(&str, &str)] = &[
    ("print", "!"),
    ("println", "!"),
    ("eprint", "!"),
    ("eprintln", "!"),
    ("dbg", "!"),
    ("stdout", "("),
    ("stderr", "("),
];

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    for file in sources() {
        let (module, depth) = place(&file);
        if module == "lib" {
            continue;
        }
        let Some(allowed) = MODULES.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed)
        else {
            wrong.push(format!("{}: module `{module}` is not in the table", shown(&file)));
            continue;
        };
        let text = read(&file);
        for (line, used) in imports(&without_tests(tokens(&text)), depth) {
            if used != module && !allowed.split_whitespace().any(|name| name == used) {
                let may = if allowed.is_empty() {
                    "nothing of ours".to_owned()
                } else {
                    allowed.replace(' ', ", ")
                };
                wrong
                    .push(format!("{}:{line}: `{module}` may not import `{used}`, only {may}", shown(&file)));
            }
        }
    }
    assert_none(
        &wrong,
        "The table is MODULES in tests/it/architecture.rs; a lower module never imports a higher one.",
    );
}

#[test]
fn the_table_has_no_cycle_and_names_modules_that_exist() {
    let files = sources();
    let existing: BTreeSet<String> = files.iter().map(|file| place(file).0).collect();
    for (i, (module, allowed)) in MODULES.iter().enumerate() {
        assert!(existing.contains(*module), "`{module}` is in the table, but not in src/");
        for name in allowed.split_whitespace() {
            assert!(
                MODULES[..i].iter().any(|(lower, _)| *lower == name),
                "`{module}` is allowed `{name}`, which does not stand above it in the table"
            );
        }
    }
}

#[test]
fn the_map_of_the_crate_is_the_table() {
    let row = Regex::new(r"^//! \| \[`(\w+)`\] \|").expect("a pattern");
    let text = read(&root().join("src/lib.rs"));
    let map: Vec<String> = text.lines().filter_map(|line| Some(row.captures(line)?[1].to_owned())).collect();
    let table: Vec<&str> =
        MODULES.iter().map(|(module, _)| *module).filter(|module| *module != "main").collect();
    assert_eq!(map, table, "the map in src/lib.rs and MODULES in tests/it/architecture.rs differ");
}

#[test]
fn only_the_command_line_prints() {
    let mut wrong = Vec::new();
    for file in sources().into_iter().filter(|file| place(file).0 != "cli") {
        let text = read(&file);
        for pair in without_tests(tokens(&text)).windows(2) {
            let [word, next] = pair else { continue };
            if PRINTING.contains(&(word.text, next.text)) {
                wrong.push(format!("{}:{}: `{}` stands outside src/cli", shown(&file), word.line, word.text));
            }
        }
    }
    assert_none(&wrong, "Give the text back, or send it to an observer; src/cli prints.");
}

#[test]
fn only_dialects_know_databases_by_name() {
    let mut wrong = Vec::new();
    let (own, places) = OWN_CONNECTOR;
    for file in sources() {
        let path = shown(&file);
        if path.starts_with("src/source/dialect/") {
            continue;
        }
        let text = read(&file);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (line, text) in code.lines().enumerate() {
            if text.trim_start().starts_with("//") {
                continue;
            }
            // `PostgreSQL server` holds another's name.
            let lower = text.to_lowercase().replace("postgresql", "postgres");
            let named = DATABASES.iter().find(|name| {
                lower.contains(**name)
                    && !(**name == own && places.iter().any(|place| path.starts_with(place)))
            });
            wrong.extend(named.map(|name| format!("{path}:{}: `{name}` is named", line + 1)));
        }
    }
    assert_none(&wrong, "What is known of a database stands in src/source/dialect.");
}

#[test]
fn files_stay_small_enough_to_read_in_one_sitting() {
    let wrong: Vec<String> = sources()
        .iter()
        .map(|file| (file, read(file).lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .map(|(file, lines)| format!("{}: {lines} lines", shown(file)))
        .collect();
    assert_none(
        &wrong,
        &format!("A file under src/ has at most {MAX_LINES} lines; divide it by what its parts are about."),
    );
}

#[test]
fn every_dependency_is_used() {
    let manifest = read(&root().join("Cargo.toml"));
    let mut ours = BTreeSet::new();
    let mut with_tests = BTreeSet::new();
    for file in sources() {
        let text = read(&file);
        let all = tokens(&text);
        with_tests.extend(all.iter().map(|token| token.text.to_owned()));
        ours.extend(without_tests(all).iter().map(|token| token.text.to_owned()));
    }
    for file in rust_files(&root().join("tests")) {
        with_tests.extend(tokens(&read(&file)).iter().map(|token| token.text.to_owned()));
    }
    let mut wrong = Vec::new();
    for (section, words) in [("dependencies", &ours), ("dev-dependencies", &with_tests)] {
        let names = names_in_section(&manifest, section);
        assert!(!names.is_empty(), "[{section}] was not read");
        for name in names {
            if !words.contains(&name.replace('-', "_")) && !UNNAMED_DEPENDENCIES.contains(&name.as_str()) {
                wrong.push(format!("Cargo.toml: `{name}` of [{section}] is used nowhere"));
            }
        }
    }
    assert_none(&wrong, "Remove it, or use it.");
}

fn assert_none(wrong: &[String], advice: &str) {
    assert!(wrong.is_empty(), "{}\n{advice}", wrong.join("\n"));
}

/// Every Rust file under src/, sorted.
fn sources() -> Vec<PathBuf> {
    let files = rust_files(&root().join("src"));
    assert!(files.len() > 20, "src/ was not found");
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder that can be listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "node_modules") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("a file that can be read")
}

/// The path as a reader knows it.
fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

/// The top module a file belongs to, and how many `super` lead from it to the crate's root.
fn place(file: &Path) -> (String, usize) {
    let below = file.strip_prefix(root().join("src")).expect("a file under src/").with_extension("");
    let mut names: Vec<String> = below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    (names.first().cloned().unwrap_or_default(), names.len())
}

/// What the text of a Rust file is made of; only words and signs have a name.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?sx)
          //[^\n]* | /\*.*?\*/
        | [bc]?r\#\#".*?"\#\# | [bc]?r\#".*?"\# | [bc]?r"[^"]*"
        | [bc]?"(?:\\.|[^"\\])*"
        | b?'(?:\\u\{[^}]*\}|\\x..|\\.|[^\\'])' | '\w+
        | (?<word>\w+|::|\S)"#,
    )
    .expect("a pattern")
});

/// A word or sign of a Rust file, outside comments and literals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token<'a> {
    text: &'a str,
    /// The line, from 1.
    line: usize,
}

/// Returns the words and signs of a Rust text; comments, texts and characters are left out. Block comments do not nest.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut line, mut seen) = (1, 0);
    let mut found = Vec::new();
    for captures in TOKEN.captures_iter(text) {
        let Some(word) = captures.name("word") else { continue };
        line += text[seen..word.start()].matches('\n').count();
        seen = word.start();
        found.push(Token { text: word.as_str(), line });
    }
    found
}

/// Leaves out what stands under `#[cfg(test)]`.
fn without_tests(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let is_test = ["#", "[", "cfg", "(", "test", ")", "]"]
            .iter()
            .enumerate()
            .all(|(k, text)| tokens.get(i + k).is_some_and(|token| token.text == *text));
        if !is_test {
            kept.push(tokens[i]);
            i += 1;
            continue;
        }
        // The item ends at a semicolon or a closing brace outside all brackets.
        let mut depth = 0_usize;
        i += 7;
        while i < tokens.len() {
            let text = tokens[i].text;
            i += 1;
            match text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && matches!(text, ";" | "}") {
                break;
            }
        }
    }
    kept
}

/// Returns the top modules that paths from the crate's root name, with their lines.
///
/// `depth` is how many `super` lead to the root; the program's own file reaches it by the crate's name.
fn imports<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<(usize, &'a str)> {
    let text = |i: usize| tokens.get(i).map_or("", |token| token.text);
    let mut found = Vec::new();
    for i in 0..tokens.len() {
        let after = |words: usize| i + 2 * words;
        let supers = (0..tokens.len())
            .take_while(|k| text(i + 2 * k) == "super" && text(i + 2 * k + 1) == "::")
            .count();
        let start = match text(i) {
            "crate" | "counterfoil" if text(i + 1) == "::" => after(1),
            "super" if supers >= depth && (i < 2 || text(i - 2) != "super") => after(supers),
            _ => continue,
        };
        if text(start) != "{" {
            found.extend(tokens.get(start).map(|token| (token.line, token.text)));
            continue;
        }
        // A group: the first word of each of its parts.
        let mut open = 0_usize;
        for k in start..tokens.len() {
            match text(k) {
                "{" => open += 1,
                "}" => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
            let begins = open == 1 && matches!(text(k), "{" | ",");
            if begins && !matches!(text(k + 1), "}" | "self") {
                found.extend(tokens.get(k + 1).map(|token| (token.line, token.text)));
            }
        }
    }
    found
}

/// The names in one section of Cargo.toml.
fn names_in_section(manifest: &str, section: &str) -> Vec<String> {
    let name = Regex::new(r"^([A-Za-z0-9_-]+)\s*=").expect("a pattern");
    manifest
        .lines()
        .skip_while(|line| line.trim() != format!("[{section}]"))
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(name.captures(line)?[1].to_owned()))
        .collect()
}

#[test]
fn the_scanner_sees_paths_and_nothing_else() {
    let text = r##"
        //! crate::a in a comment, and [`crate::a`].
        /* crate::a */
        use crate::one::{Two, Three};
        use crate::{
            two::{x, y},
            three, four::Z,
        };
        use super::near; use super::super::five::F;
        pub(crate) fn f<'a>(x: &'a str) -> char {
            let s = "crate::a \" crate::a"; let r = r#"crate::a "quoted" crate::a"#; let c = b'"';
            $crate::six::call(); crate::seven::call(&s, '\'', '"')
        }
        #[cfg(test)]
        #[allow(x)]
        mod tests { use crate::a; fn g() { { crate::a::b() } } }
        #[cfg(test)]
        use crate::a;
        impl crate::eight::T for [u8; 3] {}
    "##;
    let found = imports(&without_tests(tokens(text)), 2);
    let names: Vec<&str> = found.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, ["one", "two", "three", "four", "five", "six", "seven", "eight"]);
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 6, 7, 7, 9, 12, 12, 19]);
}

#[test]
fn a_file_at_the_root_reaches_others_by_one_super() {
    let found = |text, depth| {
        imports(&tokens(text), depth).iter().map(|(_, name)| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("use super::gate::G;", 1), ["gate"]);
    assert_eq!(
        found("use super::gate::G; use super::super::{self, mask, gate::{a, b}};", 2),
        ["mask", "gate"]
    );
    assert_eq!(found("counterfoil::cli::main(x)", 1), ["cli"]);
    assert_eq!(found("pub(super) fn f() {} use super::*;", 1), ["*"]);
}
