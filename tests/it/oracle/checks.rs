//! Checks against plain ones, with NULLs and with `where`.

use std::sync::Arc;

use counterfoil::check::{self, BoundCheck, ScanRule, SideInput, scan};
use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::expression::{evaluate, parse};
use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Side};
use counterfoil::node::Fields;
use counterfoil::rule::{Common, ProjectFiles};
use proptest::prelude::*;

use super::plain::{self, Number};
use crate::examples::yaml;
use crate::table;

/// What a check found: rows evaluated, rows unknown, failures by row and column, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
struct Found {
    evaluated: u64,
    unknown: u64,
    failures: Vec<(usize, Option<String>)>,
}

/// Runs a check as a rule file has it, and returns what each of its tests found.
fn run(rule: &str, frame: &Frame, parents: &Frame) -> Vec<Found> {
    let node = yaml(rule);
    let mut out = Diagnostics::default();
    let mut fields = Fields::new(&node, "a check", &mut out).unwrap();
    let word: String = fields.read("check", None, None, &mut out).unwrap();
    let kind = check::KINDS.iter().find(|kind| kind.name == word).unwrap();
    let common = Common::read(&mut fields, &mut out).unwrap();
    let check = (kind.read)(&mut fields, &mut out);
    fields.finish(&mut out);
    assert!(out.is_empty(), "{rule}: {}", out.render(false));
    let check = check.unwrap();
    let files = ProjectFiles::default();
    check.check(&files, &mut out);
    let as_of = chrono::DateTime::UNIX_EPOCH;
    let bound = check.bind(&frame.schema, &files, as_of, &mut out);
    let condition = common
        .r#where
        .as_ref()
        .map(|text| parse(text, &mut out).unwrap().bind(&frame.schema, as_of, &mut out).unwrap());
    assert!(out.is_empty(), "{rule}: {}", out.render(false));
    match bound.unwrap() {
        BoundCheck::Rows(tests) => {
            let scans: Vec<ScanRule> = tests
                .iter()
                .map(|t| ScanRule { tests: vec![t.passes.clone()], selected: condition.clone() })
                .collect();
            let outcomes = scan(frame, &scans).into_iter().zip(tests);
            outcomes
                .map(|(outcome, test)| {
                    let outcome = outcome.unwrap();
                    let failures = outcome.failed[0].iter().map(|row| (*row, test.column.clone())).collect();
                    Found { evaluated: outcome.evaluated, unknown: outcome.unknown, failures }
                })
                .collect()
        }
        BoundCheck::Side(test) => {
            let selected = condition.map(|c| evaluate(frame, &c).unwrap());
            let input = SideInput {
                side: Side::Expected,
                frame,
                selected: selected.as_deref(),
                other: &|name| (name == "parents").then_some(parents),
                group_id: &str::to_owned,
                as_of,
            };
            let outcome = test.run(&input).unwrap();
            let failures = outcome.failures.into_iter().map(|f| (f.index.unwrap(), f.column)).collect();
            vec![Found { evaluated: outcome.evaluated, unknown: outcome.unknown, failures }]
        }
    }
}

/// The columns: a text, a padded text, numbers of three types, a date, a timestamp, and the condition's column.
const COLUMNS: [(&str, &str, &[&str]); 8] = [
    ("t", "text", &["", "a", "ab", "abc", " a", "é", "A", "a|b"]),
    ("c", "char(5)", &["", "a", "ab", "abc", "é"]),
    ("i", "i64", &["0", "1", "2", "-1", "9223372036854775807"]),
    ("d", "decimal(9,2)", &["0.00", "1.00", "1.50", "-0.01", "2.00"]),
    ("f", "f64", &["0", "1", "-0.0", "NaN", "1.5", "inf"]),
    ("a", "date", &["2020-01-01", "2020-01-02", "1900-01-01"]),
    ("m", "timestamp", &["2020-01-01 00:00:00", "2020-01-01 00:00:01", "2020-01-02 00:00:00"]),
    ("w", "bool", &["true", "false", "true"]),
];

type Rows = Vec<Vec<Option<Value>>>;

fn fields() -> Vec<Field> {
    COLUMNS.iter().map(|(name, logical, _)| Field::new(*name, logical.parse().unwrap())).collect()
}

fn rows() -> impl Strategy<Value = Rows> {
    proptest::collection::vec(proptest::collection::vec(0..9_u8, COLUMNS.len()), 0..10).prop_map(|picked| {
        let fields = fields();
        let value = |i: usize, number: u8| {
            let at = usize::from(number).checked_sub(1)?;
            let pool = COLUMNS[i].2;
            Some(Value::parse(pool[at % pool.len()], &fields[i].logical).unwrap())
        };
        picked.iter().map(|row| row.iter().enumerate().map(|(i, n)| value(i, *n)).collect()).collect()
    })
}

fn at(name: &str) -> usize {
    COLUMNS.iter().position(|(n, ..)| *n == name).unwrap()
}

/// Returns the order of two values of one family.
fn order(a: (&Value, &Field), b: (&Value, &Field)) -> std::cmp::Ordering {
    let moment = |v: &Value| match v {
        Value::Date(days) => i64::from(*days) * 86_400_000_000,
        Value::Moment(m) => *m,
        other => panic!("{other:?} is no moment"),
    };
    match (a.0, b.0) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(_) | Value::Moment(_), _) => moment(a.0).cmp(&moment(b.0)),
        _ => plain::number(a.0, &a.1.logical).unwrap().order(&plain::number(b.0, &b.1.logical).unwrap()),
    }
}

/// Judges every selected row: passed, failed or unknown.
fn judged(
    rows: &Rows,
    with_where: bool,
    column: Option<&str>,
    judge: impl Fn(usize) -> Option<bool>,
) -> Found {
    let mut found = Found::default();
    for (i, row) in rows.iter().enumerate() {
        if with_where && row[at("w")] != Some(Value::Bool(true)) {
            continue;
        }
        match judge(i) {
            None => found.unknown += 1,
            Some(passed) => {
                found.evaluated += 1;
                if !passed {
                    found.failures.push((i, column.map(str::to_owned)));
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(super::cases(120))]

    #[test]
    fn checks_of_rows_are_the_plain_ones(rows in rows(), with_where in any::<bool>()) {
        let fields = fields();
        let frame = table::build(fields.clone(), &rows);
        let condition = if with_where { ", where: w" } else { "" };
        let check = |rule: &str| run(&format!("{{ {rule}{condition} }}"), &frame, &frame);
        let cell = |i: usize, name: &str| rows[i][at(name)].as_ref();

        let names = ["t", "i", "m"];
        let plain: Vec<Found> = names
            .iter()
            .map(|name| judged(&rows, with_where, Some(name), |i| Some(cell(i, name).is_some())))
            .collect();
        prop_assert_eq!(check("check: not_null, columns: [t, i, m]"), plain);

        for (name, list, written) in [
            ("t", &["", "ab", "A"][..], "['', ab, A]"),
            ("c", &["ab", ""][..], "['ab  ', '']"),
            ("i", &["1", "-1"][..], "['1.0', -1]"),
            ("d", &["1.5", "0"][..], "['1.50', 0]"),
            ("f", &["0", "1.5"][..], "[0, '1.5']"),
            ("a", &["2020-01-01"][..], "[2020-01-01]"),
        ] {
            let field = &fields[at(name)];
            let list: Vec<Value> = list.iter().map(|text| Value::parse(text, &field.logical).unwrap()).collect();
            let plain = judged(&rows, with_where, Some(name), |i| {
                cell(i, name).map(|v| list.iter().any(|item| order((v, field), (item, field)).is_eq()))
            });
            prop_assert_eq!(check(&format!("check: accepted_values, column: {name}, values: {written}")), vec![plain]);
        }

        for (name, min, max) in [("i", "0", "1"), ("d", "-0.005", "1.5"), ("f", "0", "1.5"), ("a", "1900-01-02", "2020-01-01"),
            ("m", "2020-01-01", "2020-01-01 00:00:01")] {
            let field = &fields[at(name)];
            // The bounds are exact, whatever digits the column has.
            let wide = match field.logical.to_string().as_str() {
                "i64" | "decimal(9,2)" | "f64" => Field::new("bound", "decimal(18,3)".parse().unwrap()),
                _ => field.clone(),
            };
            let bound = |text: &str| Value::parse(text, &wide.logical).unwrap();
            let plain = judged(&rows, with_where, Some(name), |i| {
                let value = cell(i, name)?;
                let low = order((value, field), (&bound(min), &wide)).is_ge();
                let high = order((value, field), (&bound(max), &wide)).is_le();
                Some(low && high)
            });
            prop_assert_eq!(check(&format!("check: range, column: {name}, min: {min}, max: {max}")), vec![plain], "{}", name);
        }

        for name in ["t", "c"] {
            let length = |i| match cell(i, name) {
                Some(Value::Text(text)) => Some(text.chars().count()),
                _ => None,
            };
            let plain = judged(&rows, with_where, Some(name), |i| length(i).map(|n| (1..=2).contains(&n)));
            prop_assert_eq!(check(&format!("check: length, column: {name}, min: 1, max: 2")), vec![plain]);
            let plain = judged(&rows, with_where, Some(name), |i| match cell(i, name) {
                Some(Value::Text(text)) => Some(matches!(text.as_str(), "a" | "ab" | "abc" | "A")),
                _ => None,
            });
            prop_assert_eq!(check(&format!("check: pattern, column: {name}, matches: 'a|A|ab(c|)'")), vec![plain]);
        }

        for (a, b) in [("i", "d"), ("d", "f"), ("a", "m"), ("t", "c"), ("i", "f")] {
            let (x, y) = (&fields[at(a)], &fields[at(b)]);
            let plain = judged(&rows, with_where, None, |i| {
                Some(!order((cell(i, a)?, x), (cell(i, b)?, y)).is_eq())
            });
            prop_assert_eq!(check(&format!("check: columns_differ, columns: [{a}, {b}]")), vec![plain], "{} {}", a, b);
        }

        let plain = judged(&rows, with_where, None, |i| {
            // i > d or t is null, with unknowns.
            let greater = match (cell(i, "i"), cell(i, "d")) {
                (Some(a), Some(b)) => Some(order((a, &fields[at("i")]), (b, &fields[at("d")])).is_gt()),
                _ => None,
            };
            if cell(i, "t").is_none() { Some(true) } else { greater }
        });
        prop_assert_eq!(check("check: expression, id: e, that: i > d or t is null"), vec![plain]);
    }

    #[test]
    fn unique_and_foreign_key_are_the_plain_ones(rows in rows(), parents in rows(), with_where in any::<bool>()) {
        let fields = fields();
        let (frame, parent_frame) = (table::build(fields.clone(), &rows), table::build(fields.clone(), &parents));
        let condition = if with_where { ", where: w" } else { "" };
        let check = |rule: &str| run(&format!("{{ {rule}{condition} }}"), &frame, &parent_frame).remove(0);
        let key = |row: &Vec<Option<Value>>, names: &[&str]| -> Option<Vec<(Value, Field)>> {
            names.iter().map(|n| Some((row[at(n)].clone()?, fields[at(n)].clone()))).collect()
        };
        let same = |a: &[(Value, Field)], b: &[(Value, Field)]| {
            a.iter().zip(b).all(|((x, f), (y, g))| order((x, f), (y, g)).is_eq())
        };
        let selected = |i: usize| !with_where || rows[i][at("w")] == Some(Value::Bool(true));

        for names in [&["t"][..], &["c"], &["f"], &["t", "i"], &["c", "d", "a"]] {
            let column = (names.len() == 1).then_some(names[0]);
            let plain = judged(&rows, with_where, column, |i| {
                let own = key(&rows[i], names)?;
                let others = (0..rows.len()).filter(|j| *j != i && selected(*j));
                Some(!others.filter_map(|j| key(&rows[j], names)).any(|other| same(&own, &other)))
            });
            prop_assert_eq!(check(&format!("check: unique, columns: [{}]", names.join(", "))), plain, "{:?}", names);
        }

        for (own, theirs) in [
            (&["t"][..], &["c"][..]),
            (&["i"], &["d"]),
            (&["f"], &["i"]),
            (&["a"], &["m"]),
            (&["c", "d"], &["t", "f"]),
            (&["t", "i", "m"], &["t", "i", "a"]),
        ] {
            let column = (own.len() == 1).then_some(own[0]);
            let plain = judged(&rows, with_where, column, |i| {
                let child = key(&rows[i], own)?;
                Some(parents.iter().filter_map(|row| key(row, theirs)).any(|parent| same(&child, &parent)))
            });
            let rule = format!(
                "check: foreign_key, columns: [{}], references: {{ dataset: parents, columns: [{}] }}",
                own.join(", "),
                theirs.join(", ")
            );
            prop_assert_eq!(check(&rule), plain, "{}", rule);
        }
    }
}

#[test]
fn nan_is_above_every_bound_and_equal_to_itself() {
    let frame = table::frame("| f: f64 |\n| NaN |\n| NaN |\n| inf |\n| -0.0 |\n| 0 |");
    let found = run("{ check: range, column: f, max: 1000000 }", &frame, &frame);
    assert_eq!(found[0].failures.iter().map(|f| f.0).collect::<Vec<_>>(), [0, 1, 2]);
    let found = run("{ check: unique, column: f }", &frame, &frame);
    assert_eq!(found[0].failures.iter().map(|f| f.0).collect::<Vec<_>>(), [0, 1, 3, 4]);
    assert_eq!(Number::of_float(-0.0), Number::of_float(0.0));
}

#[test]
fn a_condition_that_is_unknown_selects_no_row() {
    let frame = table::frame("| a: i64 | b: i64 |\n| 1 | null |\n| null | 1 |\n| 1 | 2 |");
    let file = SourceFile::new("t.yml", "b > 1");
    let text = Spanned { value: "b > 1".to_owned(), span: Span { file: Arc::new(file), range: 0..5 } };
    let mut out = Diagnostics::default();
    let bound = parse(&text, &mut out).unwrap().bind(&frame.schema, chrono::DateTime::UNIX_EPOCH, &mut out);
    assert_eq!(evaluate(&frame, &bound.unwrap()).unwrap(), [false, false, true]);
    let found = run("{ check: not_null, columns: [a], where: b > 1 }", &frame, &frame);
    assert_eq!(found, [Found { evaluated: 1, unknown: 0, failures: Vec::new() }]);
}
