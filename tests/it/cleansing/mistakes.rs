//! What is wrong in a rule or a lookup file is said, in the right place.

use counterfoil::diagnostic::Diagnostics;
use counterfoil::model::{Field, Logical, Schema};
use counterfoil::rule::ProjectFiles;

use super::problems;
use crate::examples::{read_step, yaml};

fn columns() -> Vec<(&'static str, Logical)> {
    vec![
        ("t", Logical::TEXT),
        ("c", Logical::Text { length: Some(3), padded: true }),
        ("n", Logical::I64),
        ("d", Logical::Date),
        ("u", Logical::Uuid),
        ("j", Logical::Json),
    ]
}

fn said(rule: &str, files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    problems(rule, &columns(), folder.path()).render(false)
}

#[test]
fn sound_rules_say_nothing() {
    for rule in [
        "{ step: trim, columns: '*' }",
        "{ step: case, columns: '*', to: upper }",
        "{ step: null_if, columns: [n, d, t], values: [''] }",
        "{ step: null_if, columns: '*', values: [n/a] }",
        "{ step: default, columns: '*', value: n/a }",
        "{ step: map_values, column: '*', values: { n/a: none }, unmapped: quarantine }",
        "{ step: default, columns: u, value: 'ABCDEF00-0000-0000-0000-000000000001' }",
        "{ step: map_values, columns: [t, c], values: { A: B, B: B } }",
        "{ step: map_values, column: t, values: { A: B, C: ~ }, unmapped: null }",
        "{ step: parse_number, columns: [n], to: 'decimal(9,2)', invalid: 'null' }",
        "{ step: parse_date, columns: [d, t], formats: ['%d/%m/%Y', '%Y-%m-%d'], invalid: ~ }",
        "{ step: redecode, columns: '*', read_as: windows-1252, written: utf-8 }",
        "{ step: swap_day_month, columns: [d] }",
        "{ step: replace, columns: [t], pattern: '(a)(?<b>c)', with: '$1$b$$9${1}' }",
    ] {
        let said = said(rule, &[]);
        assert!(said.is_empty(), "{rule}: {said}");
    }
}

#[test]
fn mistakes_are_named() {
    for (rule, wanted) in [
        ("{ step: trim, columns: [t, x] }", "there is no column `x`"),
        ("{ step: trim, columns: [t, t] }", "column `t` is named twice"),
        ("{ step: trim, columns: n }", "step `trim` works on text, and `n` is i64"),
        ("{ step: case, columns: u, to: upper }", "step `case` works on text, and `u` is uuid"),
        ("{ step: collapse_whitespace, columns: j }", "`j` is json"),
        ("{ step: pad, columns: n, width: 8 }", "step `pad` works on text"),
        ("{ step: pad, columns: t, width: 0 }", "1 to 4000"),
        ("{ step: pad, columns: t, width: 5000 }", "1 to 4000"),
        ("{ step: pad, columns: t, width: 3, with: '' }", "exactly one character"),
        ("{ step: pad, columns: t, width: 3, with: ab }", "exactly one character"),
        ("{ step: trim, columns: t, side: left }", "`left` is not a choice here"),
        ("{ step: trim, columns: t, sides: end }", "did you mean `side`"),
        (
            "{ step: null_if, columns: [t, d], values: [31/12/1999] }",
            "not a value of column `d`, which is date",
        ),
        ("{ step: null_if, columns: n, values: [1.5] }", "not a value of column `n`, which is i64"),
        ("{ step: null_if, columns: c, values: [abcd] }", "column `c`, which is char(3)"),
        ("{ step: null_if, columns: t, values: [~] }", "NULL is NULL already"),
        ("{ step: null_if, columns: t, values: [] }", "at least one of `values`"),
        ("{ step: default, columns: n, value: none }", "not a value of column `n`, which is i64"),
        ("{ step: default, columns: n, value: ~ }", "NULL in the place of NULL"),
        ("{ step: replace, columns: t, with: x }", "needs `find` or `pattern`"),
        ("{ step: replace, columns: t, find: a, pattern: b, with: x }", "give one of them"),
        ("{ step: replace, columns: t, find: '', with: x }", "the empty text cannot be looked for"),
        ("{ step: replace, columns: t, pattern: '(', with: x }", "not a regular expression: unclosed group"),
        ("{ step: replace, columns: t, pattern: '(?=a)', with: x }", "look-around"),
        ("{ step: replace, columns: t, pattern: '(a)', with: $2 }", "the pattern has no group `2`"),
        ("{ step: replace, columns: t, pattern: '(a)', with: $1a }", "the pattern has no group `1a`"),
        ("{ step: replace, columns: t, pattern: '(a)', with: '${b}' }", "the pattern has no group `b`"),
        ("{ step: map_values, column: t }", "needs `values` or `from`"),
        ("{ step: map_values, column: t, values: {} }", "an empty list"),
        ("{ step: map_values, column: t, values: { null: a, \"null\\u0020\": b } }", "NULL cannot be mapped"),
        ("{ step: map_values, column: t, values: [a] }", "values with values are expected"),
        ("{ step: map_values, column: t, values: { A: B }, from: x.csv }", "give one of them"),
        ("{ step: map_values, column: n, values: { A: 1 } }", "not a value of column `n`"),
        ("{ step: map_values, column: n, values: { 1: A } }", "not a value of column `n`"),
        ("{ step: map_values, column: n, values: { 1: 5, 01: 6 } }", "this value is listed already (line 1)"),
        ("{ step: map_values, column: c, values: { A: 5, 'A ': 6 } }", "this value is listed already"),
        (
            "{ step: map_values, column: t, values: { A: B, B: C } }",
            "warning: this output is listed as an input",
        ),
        ("{ step: map_values, column: t, values: { A: B }, unmapped: drop }", "`drop` is not a choice here"),
        ("{ step: map_values, column: t, from: missing.csv }", "`missing.csv` cannot be read"),
        ("{ step: parse_number, columns: t, to: text }", "`text` is not a type of numbers"),
        ("{ step: parse_number, columns: t, to: decimal }", "`decimal` takes a precision"),
        ("{ step: parse_number, columns: d, to: i64 }", "step `parse_number` works on text, and `d` is date"),
        ("{ step: parse_number, columns: '*', to: i64 }", "needs its columns by name"),
        ("{ step: parse_number, columns: t, to: i64, decimal_mark: x }", "`x` is not a choice here"),
        ("{ step: parse_date, columns: '*', formats: ['%F'] }", "needs its columns by name"),
        (
            "{ step: parse_date, columns: n, formats: ['%F'] }",
            "step `parse_date` works on text, and `n` is i64",
        ),
        (
            "{ step: redecode, columns: n, read_as: windows-1252, written: utf-8 }",
            "step `redecode` works on text",
        ),
        ("{ step: redecode, columns: t, read_as: macintosh, written: macintosh }", "would change nothing"),
        (
            "{ step: redecode, columns: t, read_as: utf-8, written: macintosh }",
            "`utf-8` is not a choice here",
        ),
        ("{ step: swap_day_month, columns: '*' }", "needs its columns by name"),
        (
            "{ step: swap_day_month, columns: t }",
            "works on dates and on timestamps without a zone, and `t` is text",
        ),
        ("{ step: parse_date, columns: t, formats: [] }", "at least one of `formats`"),
        ("{ step: parse_date, columns: t, formats: ['%d/%m'] }", "does not make a whole date"),
        ("{ step: parse_date, columns: t, formats: ['%F %z'] }", "an offset"),
        ("{ step: parse_date, columns: t, formats: ['%!'] }", "not a strftime format"),
        (
            "{ step: parse_date, columns: t, formats: ['%d/%m/%Y', '%m/%d/%Y'] }",
            "warning: some texts of `%m/%d/%Y` are read as other days by `%d/%m/%Y`",
        ),
    ] {
        let said = said(rule, &[]);
        assert!(said.contains(wanted), "{rule}\nwanted: {wanted}\nsaid: {said}");
        assert!(said.ends_with("1 error") || said.ends_with("1 warning"), "{rule}: once\n{said}");
    }
}

#[test]
fn lookup_files_are_named_with_their_line_and_never_shown() {
    let rule = "{ step: map_values, column: n, from: x.csv }";
    for (text, wanted) in [
        ("", "`x.csv`, line 1: the header is not `from,to`"),
        ("a,b\n1,2\n", "`x.csv`, line 1: the header is not `from,to`"),
        ("from,to\n1,2\n\n777\n", "`x.csv`, line 4: 1 fields where 2 are expected"),
        ("from,to\n1,2,777\n", "`x.csv`, line 2: 3 fields where 2 are expected"),
        ("from,to\n1,2\n3,\"777", "`x.csv`, line 3: a quoted field has no closing quote"),
        ("from,to\n,777\n", "`x.csv`, line 2: NULL cannot be mapped"),
        ("from,to\n777,1\n777,2\n", "`x.csv`, line 3: this value is listed already (`x.csv`, line 2)"),
        ("from,to\n777,1\n0777,2\n", "`x.csv`, line 3: this value is listed already (`x.csv`, line 2)"),
        ("from,to\n1,777x\n", "`x.csv`, line 2: this is not a value of column `n`, which is i64"),
        ("from,to\n1,777\n777,2\n", "warning: `x.csv`, line 2: this output is listed as an input"),
        ("from,to\n", "an empty list"),
    ] {
        let said = said(rule, &[("x.csv", text)]);
        assert!(said.contains(wanted), "{text}\nwanted: {wanted}\nsaid: {said}");
        assert!(!said.contains("777"), "{said}");
    }
    assert_eq!(said(rule, &[("x.csv", "\u{FEFF}from , to\r\n1,\"2\"\r\n3,\r\n")]), "");
}

#[test]
fn an_inferred_type_is_named_as_the_cause() {
    let field = Field { inferred: true, ..Field::new("n", Logical::I64) };
    for rule in ["{ step: pad, columns: n, width: 8 }", "{ step: null_if, columns: n, values: [x] }"] {
        let (step, mut out) = read_step(&yaml(rule));
        assert!(step.unwrap().bind(&field, &ProjectFiles::default(), &mut out).is_none());
        assert!(out.render(false).contains("`types: { n: text }`"), "{}", out.render(false));
    }
}

#[test]
fn a_broken_step_is_never_passed_over_even_unchecked() {
    let schema = Schema { fields: vec![Field::new("t", Logical::TEXT)] };
    for rule in [
        "{ step: replace, columns: t, pattern: '(', with: x }",
        "{ step: pad, columns: t, width: 0 }",
        "{ step: map_values, column: t, from: missing.csv }",
        "{ step: parse_date, columns: t, formats: ['%d'] }",
        "{ step: parse_date, columns: '*', formats: ['%F'] }",
        "{ step: parse_number, columns: '*', to: i64 }",
        "{ step: parse_number, columns: t, to: date }",
        "{ step: null_if, columns: t, values: [~] }",
        "{ step: redecode, columns: t, read_as: macintosh, written: macintosh }",
        "{ step: swap_day_month, columns: '*' }",
        "{ step: swap_day_month, columns: t }",
        "{ step: default, columns: t, value: ~ }",
    ] {
        let (step, _) = read_step(&yaml(rule));
        let mut out = Diagnostics::default();
        let step = step.unwrap();
        let rules = [counterfoil::cleanse::CleansingRule { id: "r", step: step.as_ref(), condition: None }];
        counterfoil::cleanse::bind(&schema, &rules, &ProjectFiles::default(), &mut out);
        assert!(out.has_errors(), "{rule}");
    }
}
