//! Properties of reading: texts arrive as they were written, nothing makes it panic, places lie within the files.

use std::sync::Arc;

use counterfoil::config;
use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::node::{FromNode, Literal, Node, parse};
use proptest::prelude::*;

use crate::support::{Folder, root};

fn read(text: &str) -> Node {
    let mut out = Diagnostics::default();
    let node = parse(&Arc::new(SourceFile::new("t.yml", text)), &mut out);
    assert!(out.is_empty(), "{text:?}: {}", out.render(false));
    node.expect("a document")
}

/// Returns the text that a rule sees under a name.
fn seen(node: &Node, name: &str) -> Option<String> {
    let mut out = Diagnostics::default();
    let literal = Literal::from_node(node.get(name).expect("the name"), &mut out).expect("a literal");
    assert!(out.is_empty());
    literal.text
}

/// Writes a text in double quotes.
fn double_quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                written.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => written.push(c),
        }
    }
    written + "\""
}

/// Asserts that what is wrong is shown, and that each place lies within its file, between characters.
fn check_places(out: &Diagnostics) {
    for diagnostic in out.sorted() {
        if let Some(span) = diagnostic.span() {
            let text = &span.file.text;
            assert!(span.range.start <= span.range.end && span.range.end <= text.len(), "{diagnostic:?}");
            assert!(text.get(span.range.clone()).is_some(), "{diagnostic:?}");
            let (line, column) = span.line_column();
            let written = text.split('\n').nth(line - 1).expect("the line exists");
            assert!(column <= written.chars().count() + 1, "{diagnostic:?}");
            assert!(
                diagnostic.render(false).contains(&format!("{}:{line}:{column}", span.file.path)),
                "{diagnostic:?}"
            );
        }
    }
    let _ = out.render(true);
}

/// Loads a project of one dataset file.
fn load(project: &[u8], rules: &[u8]) -> Diagnostics {
    let folder = Folder::new();
    folder.write("counterfoil.yml", project);
    folder.write("rules/t.yml", rules);
    let mut out = Diagnostics::default();
    let plan = config::load(
        folder.path(),
        &|name| (name == "SET").then(|| "x".to_owned()),
        config::Tables::NotAsked,
        &mut out,
    );
    assert!(plan.is_some() || out.has_errors(), "no plan, and no reason");
    check_places(&out);
    out
}

const PROJECT: &[u8] = b"version: 1\nproject: P\nconnections: { extracts: { type: files }, cloud: { type: files } }\ndatasets: rules/*.yml\n";

fn everything() -> String {
    std::fs::read_to_string(root().join("fixtures/config/valid/everything/rules/tenancies.yml"))
        .expect("a sample")
}

/// Returns the last boundary of a character at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quoted_texts_arrive_identical(text in any::<String>(), other in "[ -~\u{a1}-\u{d7ff}]*") {
        let single = format!("'{}'", other.replace('\'', "''"));
        let node = read(&format!("a: {}\nb: [{{ c: {single} }}]\nd: {single} # end\n", double_quoted(&text)));
        prop_assert_eq!(seen(&node, "a"), Some(text));
        prop_assert_eq!(seen(&node, "d"), Some(other));
    }

    #[test]
    fn blocks_arrive_identical(lines in prop::collection::vec("[!-~][ -~]*", 1..5)) {
        let text = lines.join("\n") + "\n";
        let node = read(&format!("a: |\n  {}b: 1\n", lines.join("\n  ") + "\n"));
        prop_assert_eq!(seen(&node, "a"), Some(text));
        prop_assert_eq!(seen(&node, "b"), Some("1".to_owned()));
    }

    #[test]
    fn plain_values_arrive_as_typed(text in "[+-]?[0-9A-Za-z_.][0-9A-Za-z_./+-]{0,12}") {
        prop_assume!(text != "null" && !text.starts_with("---"));
        for yaml in [format!("a: {text}\n"), format!("{{ x: y, a: {text} }}"), format!("a:   {text}   # x\r\n")] {
            prop_assert_eq!(seen(&read(&yaml), "a"), Some(text.clone()));
        }
    }

    #[test]
    fn places_point_at_what_was_written(before in "[a-zé-ü€]{1,9}", text in "[a-zé-ü😀-😂]{1,9}") {
        let node = read(&format!("{before}x: {before}\r\ny: [{before}, {text}]\r\nz: {text}\r\n"));
        let span = &node.get("z").expect("z").span;
        prop_assert_eq!(&span.file.text[span.range.clone()], text.as_str());
        prop_assert_eq!(span.line_column(), (3, 4));
    }

    #[test]
    fn no_bytes_make_it_panic(project in any::<Vec<u8>>(), rules in any::<Vec<u8>>()) {
        load(&project, b"");
        load(PROJECT, &rules);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(dataset|checks|key|[-:,&*!|>{}\\[\\]#%@`'\"?\\\\ \n\t\r~a1é]|\\$\\{SET\\}|\\$\\{NOT\\}|<<: |- ){0,60}") {
        load(text.as_bytes(), b"");
        load(PROJECT, text.as_bytes());
    }

    #[test]
    fn no_change_to_a_good_file_makes_it_panic(
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        new in "[-:,&*!|>{}\\[\\]#'\"? \n\ta1é]{0,6}",
    ) {
        let text = everything();
        let start = boundary(&text, at.index(text.len()));
        let end = boundary(&text, start + length);
        load(PROJECT, format!("{}{new}{}", &text[..start], &text[end..]).as_bytes());
    }

    #[test]
    fn no_condition_makes_it_panic(words in prop::collection::vec(
        "a|é|1|1e9|'x'|\"b\"|\\(|\\)|and|or|not|is|null|in|between|like|escape|case|when|then|end|cast|as|date|text|\\+|-|\\*|/|=|<>|,|\\|\\||coalesce|;|--|\\$1|::|\\.|~", 0..15))
    {
        let condition = words.join(" ").replace('\'', "''");
        load(PROJECT, format!("dataset: t\nsource: {{ file: a.csv }}\nchecks:\n  - check: expression\n    that: '{condition}'\n").as_bytes());
    }
}

#[test]
fn the_good_file_is_good() {
    let out = load(PROJECT, everything().as_bytes());
    let messages: Vec<&str> = out.sorted().iter().map(|d| d.message()).collect();
    // What it refers to lies beside it in its own folder.
    assert!(
        messages.iter().all(|m| m.contains("cannot be read") || m.contains("no dataset")),
        "{messages:?}"
    );
}

#[test]
fn long_and_deep_conditions_do_not_overflow_the_stack() {
    let rule = |condition: &str| {
        load(
            PROJECT,
            format!("dataset: t\nsource: {{ file: a.csv }}\nchecks:\n  - check: expression\n    that: {condition}\n").as_bytes(),
        )
        .render(false)
    };
    assert_eq!(rule(&vec!["a = 1"; 1_000].join(" or ")), "");
    assert!(rule(&vec!["a"; 2_400].join(" + ")).contains("levels"), "a long sum");
    assert!(
        rule(&format!("{}a{}", "(".repeat(2_000), ")".repeat(2_000))).contains("levels"),
        "many brackets"
    );
    assert!(rule(&format!("x = {} a", "- ".repeat(4_000))).contains("levels"), "many signs");
    assert!(rule(&format!("{} a", "not ".repeat(4_000))).ends_with("1 error"), "many nots");
    assert!(rule(&vec!["a"; 6_000].join(" and ")).contains("more than 5000 words"), "too many words");
    assert!(
        rule(&format!("{} 1 {}", "case when a then ".repeat(900), "end ".repeat(900))).ends_with("1 error"),
        "many cases"
    );
}

#[test]
fn numbers_of_many_digits_are_refused_or_exact() {
    for text in ["1e400", "99999999999999999999999999999999999999999", "0x1F", "1_000", "-0", "+1", ".5"] {
        assert_eq!(seen(&read(&format!("a: {text}\n")), "a").as_deref(), Some(text));
    }
}
