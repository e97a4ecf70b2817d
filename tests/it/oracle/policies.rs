//! Codes and expressions of a reconciliation, against what they mean cell by cell.

use std::collections::BTreeMap;

use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Logical};
use counterfoil::node::FromNode;
use counterfoil::reconcile::{BoundReconcile, Prepared, Reconcile, Reconciliation, bind};
use counterfoil::rule::ProjectFiles;
use proptest::prelude::*;

use super::context;
use crate::examples::yaml;
use crate::table;

/// A side of a key and a code.
fn side(logical: &Logical, codes: &[Option<String>]) -> Frame {
    let rows: Vec<Vec<Option<Value>>> = codes
        .iter()
        .zip(1..)
        .map(|(code, n)| {
            vec![
                Some(Value::I64(n)),
                code.as_deref().map(|code| Value::parse(code, logical).expect("a code")),
            ]
        })
        .collect();
    table::build(vec![Field::new("n", Logical::I64), Field::new("c", logical.clone())], &rows)
}

fn bound(rules: &str, expected: &Frame, target: &Frame) -> Result<BoundReconcile, String> {
    let mut out = Diagnostics::default();
    let config = Reconcile::from_node(&yaml(rules), &mut out).ok_or_else(|| out.render(false))?;
    let span = Span { file: SourceFile::new("key.yml", "").into(), range: 0..0 };
    let key = [Spanned { value: "n".to_owned(), span }];
    let files = ProjectFiles::default();
    bind(&config, &key, &expected.schema, &target.schema, context(&files), &mut out)
        .ok_or_else(|| out.render(false))
}

fn run(rules: &str, expected: &Frame, target: &Frame) -> (Prepared, Reconciliation) {
    let bound = bound(rules, expected, target).expect("bound");
    let prepared = bound.prepare(expected, target).expect("prepared");
    let outcome = crate::sides::reconcile(&prepared.expected, &prepared.target, &bound);
    (prepared, outcome)
}

fn code(letters: &'static str) -> impl Strategy<Value = Option<String>> {
    proptest::option::weighted(0.9, proptest::string::string_regex(letters).expect("a pattern"))
}

proptest! {
    #![proptest_config(super::cases(400))]

    #[test]
    fn codes_are_replaced_and_those_not_listed_are_counted(
        rows in proptest::collection::vec((code("[1-5]"), code("[1-5x]")), 0..12),
        list in proptest::collection::btree_map("[1-5]", proptest::option::of("[1-5x]"), 1..4),
        numbers in any::<bool>(),
    ) {
        // The source's codes are numbers or texts; the target's are texts.
        let logical = if numbers { Logical::Decimal { precision: 5, scale: 1 } } else { Logical::TEXT };
        let (e, t): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
        let written = |to: &Option<String>| to.as_ref().map_or("null".to_owned(), |to| format!("'{to}'"));
        let pairs: Vec<String> = list.iter().map(|(from, to)| format!("'{from}': {}", written(to))).collect();
        let rules = format!("{{ columns: {{ c: {{ map: {{ {} }} }} }} }}", pairs.join(", "));
        let (prepared, outcome) = run(&rules, &side(&logical, &e), &side(&Logical::TEXT, &t));
        // A code that is not listed is compared as it stands; a decimal has its zero behind the point.
        let as_it_stands = |code: &String| if numbers { format!("{code}.0") } else { code.clone() };
        let plain: Vec<Option<String>> = e
            .iter()
            .map(|code| code.as_ref().and_then(|code| match list.get(code) {
                Some(other) => other.clone(),
                None => Some(as_it_stands(code)),
            }))
            .collect();
        let different: Vec<u32> = (0..).zip(plain.iter().zip(&t)).filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect();
        prop_assert_eq!(&outcome.columns[0].mismatched, &different);
        let unlisted: Vec<u32> = (0..)
            .zip(&e)
            .filter(|(_, code)| code.as_ref().is_some_and(|code| !list.contains_key(code)))
            .map(|(i, _)| i)
            .collect();
        let applied = &prepared.applied[0];
        prop_assert_eq!(&applied.unmapped, &unlisted);
        prop_assert_eq!(applied.values, e.iter().flatten().count() as u64);
        let changed = e.iter().zip(&plain).filter(|(before, after)| before.as_ref().map(as_it_stands) != **after).count();
        prop_assert_eq!(applied.changed, Some(changed as u64));
        prop_assert_eq!(prepared.notes().len(), usize::from(changed == 0));
    }

    #[test]
    fn codes_may_become_numbers(rows in proptest::collection::vec((code("[ABC]"), code("[12]")), 0..12)) {
        let (e, t): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let (_, outcome) = run(
            "{ columns: { c: { map: { A: 1, B: '2.00' } } } }",
            &side(&Logical::TEXT, &e),
            &side(&Logical::I64, &t),
        );
        let list: BTreeMap<&str, &str> = [("A", "1"), ("B", "2")].into();
        let plain = |code: &Option<String>| {
            let code = code.as_deref()?;
            Some((*list.get(code).unwrap_or(&code)).to_owned())
        };
        let different: Vec<u32> =
            (0..).zip(e.iter().zip(&t)).filter(|(_, (a, b))| plain(a) != **b).map(|(i, _)| i).collect();
        prop_assert_eq!(&outcome.columns[0].mismatched, &different);
    }

    #[test]
    fn an_expression_is_the_value_that_is_compared(
        rows in proptest::collection::vec((code("[ab]{0,2}"), code("[abAB]{0,2}")), 0..12),
        both in any::<bool>(),
    ) {
        let (e, t): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let source = "source_expression: \"upper(c) || '!'\"";
        let rules = if both {
            format!("{{ columns: {{ c: {{ {source}, target_expression: \"c || '!'\" }} }} }}")
        } else {
            format!("{{ columns: {{ c: {{ {source} }} }} }}")
        };
        let (prepared, outcome) = run(&rules, &side(&Logical::TEXT, &e), &side(&Logical::TEXT, &t));
        let of_source = |code: &Option<String>| code.as_ref().map(|c| format!("{}!", c.to_uppercase()));
        let of_target = |code: &Option<String>| code.as_ref().map(|c| if both { format!("{c}!") } else { c.clone() });
        let different: Vec<u32> =
            (0..).zip(e.iter().zip(&t)).filter(|(_, (a, b))| of_source(a) != of_target(b)).map(|(i, _)| i).collect();
        prop_assert_eq!(&outcome.columns[0].mismatched, &different);
        let texts = prepared.expected.texts("c").unwrap();
        let shown: Vec<Option<String>> = (0..e.len()).map(|row| texts.owned(row)).collect();
        prop_assert_eq!(shown, e.iter().map(of_source).collect::<Vec<_>>());
    }
}

#[test]
fn a_column_that_only_one_side_has_is_calculated_on_the_other() {
    let expected = table::frame(
        "| n: i64 | first: text | last: text |\n| 1 | \"Ann\" | \"Lee\" |\n| 2 | \"Bo\" | null |",
    );
    let target = table::frame("| n: i64 | name: text |\n| 1 | \"Ann Lee\" |\n| 2 | \"Bo\" |");
    let rules = "{ columns: { name: { source_expression: \"trim(first || ' ' || coalesce(last, ''))\" } } }";
    let bound = bound(rules, &expected, &target).unwrap();
    let column = &bound.columns[0];
    assert_eq!(column.note, "compared as text, the source's by an expression, giving up nothing");
    assert!(bound.not_compared.iter().all(|column| column.name != "name"));
    let (prepared, outcome) = run(rules, &expected, &target);
    assert_eq!(outcome.columns[0].mismatched, [0; 0]);
    assert_eq!(prepared.applied[0].changed, None, "there was no such column before");
    assert_eq!(outcome.notes, [""; 0]);
}

#[test]
fn what_policies_cannot_be_is_said_at_its_place() {
    let texts = table::frame("| n: i64 | c: text | d: i64 |\n| 1 | \"a\" | 1 |");
    for (policy, said) in [
        ("c: { map: { A: x }, lookup: l.csv }", "has `map` and `lookup`: give one of them"),
        ("c: { map: {} }", "has an empty list"),
        ("c: { map: { null: x } }", "NULL cannot be mapped"),
        ("c: { lookup: nothing.csv }", "`nothing.csv` cannot be read"),
        ("d: { map: { '1': 2, '01': 3 } }", "this value is listed already"),
        ("d: { map: { A: 2 } }", "this is not a value of `d`, which is i64 in the source"),
        ("d: { map: { '1': B } }", "this is not a value of `d`, which is i64 in the target"),
        ("c: { unordered: '' }", "needs what stands between two items"),
        ("d: { unordered: ';' }", "`unordered` is for texts"),
        ("d: { json: true }", "`json` is for texts"),
        ("c: { json: true, case: ignore }", "`case` is not possible beside `json`"),
        ("c: { source_expression: 'upper(x)' }", "there is no column `x`"),
        ("c: { target_expression: 'upper(' }", "upper("),
        ("new: { source_expression: 'upper(c)' }", "the column `new` is only in the source"),
        ("n: { map: { '1': 2 } }", "part of the key"),
        ("n: { case: ignore }", "`case` is for texts"),
        ("n: { case: ignore, tolerance: 1 }", "only `case`, `whitespace` and `timezone` are possible here"),
    ] {
        let message = bound(&format!("{{ columns: {{ {policy} }} }}"), &texts, &texts).expect_err(policy);
        assert!(message.contains(said), "{policy}: {message}");
    }
}
