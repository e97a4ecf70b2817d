//! What the pipeline records: every change once, what could not be handled, and nothing else.

use counterfoil::cleanse::{
    CleanseError, Cleansed, CleansingRule, Condition, Step, StepOutcome, bind, cleanse,
};
use counterfoil::diagnostic::Diagnostics;
use counterfoil::frame::Frame;
use counterfoil::model::{Correction, Schema};
use counterfoil::rule::{ProjectFiles, RuleError};
use proptest::prelude::*;

use super::{run, step};
use crate::examples::table::{parse_rows, print_rows};
use crate::examples::yaml;

fn corrections(done: &Cleansed) -> Vec<String> {
    done.corrections
        .iter()
        .map(|Correction { row, column, before, after, rule }| {
            let shown = |t: &Option<String>| t.as_ref().map_or("NULL".to_owned(), |t| format!("{t:?}"));
            format!("{row} {column} {rule}: {} -> {}", shown(before), shown(after))
        })
        .collect()
}

#[test]
fn corrections_stand_by_row_column_and_step() {
    let frame = parse_rows(
        r#"| b: char(4) | a: text  |
           | "x"        | " n/a "  |
           | null       | "12/1/2020 " |
           | "y"        | "2020-01-12" |
           | "z"        | "soon"   |
           | "z"        | "n/a"    |"#,
    );
    let steps = [
        step("{ step: trim, columns: '*' }"),
        step("{ step: null_if, columns: a, values: [n/a] }"),
        step("{ step: parse_date, columns: a, formats: ['%F', '%d/%m/%Y'] }"),
        step("{ step: default, columns: a, value: 1999-12-31 }"),
        step("{ step: map_values, column: b, values: { x: 1, y: 2 }, unmapped: refuse }"),
    ];
    let done = run(&frame, &steps);
    assert_eq!(
        corrections(&done),
        [
            r#"1 b 4: "x" -> "1""#,
            r#"1 a 0: " n/a " -> "n/a""#,
            r#"1 a 1: "n/a" -> NULL"#,
            r#"1 a 3: NULL -> "1999-12-31""#,
            r#"2 a 0: "12/1/2020 " -> "12/1/2020""#,
            r#"2 a 2: "12/1/2020" -> "2020-01-12""#,
            r#"3 b 4: "y" -> "2""#,
            r#"5 a 1: "n/a" -> NULL"#,
            r#"5 a 3: NULL -> "1999-12-31""#,
        ]
    );
    let held: Vec<_> = done.held_back.iter().map(|h| (h.index, h.rule.as_str(), h.column.as_str())).collect();
    assert_eq!(held, [(3, "2", "a")]);
    let fatal: Vec<_> = done.fatal.iter().map(|h| (h.index, h.reason)).collect();
    assert_eq!(fatal, [(3, "not in the list of values"), (4, "not in the list of values")]);
    assert_eq!(done.frame.height(), 5);
    let counts: Vec<_> =
        done.rules.iter().map(|r| (r.columns.len(), r.selected, r.changed, r.refused)).collect();
    assert_eq!(counts, [(2, 5, 2, 0), (1, 5, 2, 0), (1, 5, 1, 1), (1, 5, 2, 0), (1, 5, 2, 2)]);
}

#[test]
fn a_change_of_type_alone_is_no_correction() {
    let frame = parse_rows(
        r#"| n: text | d: text               | t: text               |
           | "12.5"  | "2020-01-01"          | "2020-01-01 10:00"    |
           | "1,200" | "2020-01-01 00:00:00" | "2020-01-01T10:00:00" |
           | "x"     | "01/01/2020"          | null                  |"#,
    );
    let steps = [
        step("{ step: parse_number, columns: n, to: 'decimal(9,2)', invalid: null }"),
        step("{ step: parse_date, columns: d, formats: ['%F', '%F %T', '%d/%m/%Y'] }"),
        step("{ step: parse_date, columns: t, formats: ['%F %R', '%FT%T'], to: timestamp }"),
    ];
    let done = run(&frame, &steps);
    assert_eq!(
        corrections(&done),
        [r#"2 n 0: "1,200" -> "1200.00""#, r#"3 n 0: "x" -> NULL"#, r#"3 d 1: "01/01/2020" -> "2020-01-01""#]
    );
    assert!(done.held_back.is_empty() && done.fatal.is_empty());
    assert!(done.frame.schema.fields.iter().all(|f| !f.inferred));
}

/// Runs steps of which each may have a condition on the rows by their index.
fn run_where(frame: &Frame, steps: &[(Box<dyn Step>, Option<Vec<bool>>)]) -> Result<Cleansed, CleanseError> {
    let span = yaml("a: b").span;
    let ids: Vec<String> = (0..steps.len()).map(|i| i.to_string()).collect();
    let fine = |_: &Schema, _: &mut Diagnostics| {};
    let rows: Vec<_> = steps
        .iter()
        .map(|(_, mask)| {
            let mask = mask.clone().unwrap_or_default();
            move |_: &Frame| -> Result<Vec<bool>, RuleError> { Ok(mask.clone()) }
        })
        .collect();
    let rules: Vec<CleansingRule<'_>> = steps
        .iter()
        .zip(&ids)
        .zip(&rows)
        .map(|(((step, mask), id), rows)| CleansingRule {
            id,
            step: step.as_ref(),
            condition: mask.as_ref().map(|_| Condition { span: &span, bind: &fine, rows }),
        })
        .collect();
    cleanse(frame, &rules, &ProjectFiles::default())
}

#[test]
fn only_selected_rows_are_changed_or_refused() {
    let frame = parse_rows(
        r#"| a: char(3) | n: i64 |
           | "x"        | 1      |
           | "y"        | 1      |
           | "x"        | 2      |
           | "z"        | 2      |"#,
    );
    let mask = vec![true, false, false, true];
    let rule = "{ step: map_values, column: a, values: { x: longer }, unmapped: quarantine }";
    let done = run_where(&frame, &[(step(rule), Some(mask.clone()))]).unwrap();
    assert_eq!(
        print_rows(&done.frame),
        "| a: char(6) | n: i64 |\n| \"longer\" | 1 |\n| \"y\" | 1 |\n| \"x\" | 2 |\n| \"z\" | 2 |\n"
    );
    assert_eq!(corrections(&done), [r#"1 a 0: "x" -> "longer""#]);
    assert_eq!(done.held_back.iter().map(|h| h.index).collect::<Vec<_>>(), [3]);
    let outcome =
        StepOutcome { rule: "0".into(), columns: vec!["a".into()], selected: 2, changed: 1, refused: 1 };
    assert_eq!(done.rules, [outcome]);

    let rule = "{ step: parse_number, column: a, to: i64 }";
    let refused = run_where(&frame, &[(step(rule), Some(mask))]);
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("`where` cannot stand at a step that changes a column's type"), "{said}");

    let mut out = Diagnostics::default();
    let broken = step("{ step: trim, columns: n }");
    let rules = [CleansingRule { id: "r", step: broken.as_ref(), condition: None }];
    let pipeline = bind(&frame.schema, &rules, &ProjectFiles::default(), &mut out);
    assert!(out.has_errors());
    assert!(matches!(pipeline.run(&frame), Err(CleanseError::Diagnostics(_))));

    let short = run_where(&frame, &[(step("{ step: trim, columns: a }"), Some(vec![true]))]);
    assert!(short.unwrap_err().to_string().contains("`where` did not judge every row"));
}

#[test]
fn conditions_see_the_rows_and_columns_as_they_are_before_their_step() {
    let frame = parse_rows("| a: text |\n| \"1\" |\n| \"x\" |\n");
    let steps = [
        step("{ step: null_if, columns: a, values: [x] }"),
        step("{ step: parse_number, columns: a, to: i64 }"),
        step("{ step: default, columns: a, value: 7 }"),
    ];
    let span = yaml("a: b").span;
    let seen = std::sync::Mutex::new(Vec::new());
    let types = |schema: &Schema, _: &mut Diagnostics| {
        seen.lock().unwrap().push(schema.fields[0].logical.to_string());
    };
    let rows = |frame: &Frame| -> Result<Vec<bool>, RuleError> {
        seen.lock().unwrap().push(print_rows(frame));
        Ok(vec![false; frame.height()])
    };
    let condition = Some(Condition { span: &span, bind: &types, rows: &rows });
    let rules = [
        CleansingRule { id: "a", step: steps[0].as_ref(), condition: None },
        CleansingRule { id: "b", step: steps[1].as_ref(), condition: None },
        CleansingRule { id: "c", step: steps[2].as_ref(), condition },
    ];
    let done = cleanse(&frame, &rules, &ProjectFiles::default()).unwrap();
    assert_eq!(*seen.lock().unwrap(), ["i64", "| a: i64 |\n| 1 |\n| null |\n"]);
    assert_eq!(print_rows(&done.frame), "| a: i64 |\n| 1 |\n| null |\n");

    let mut out = Diagnostics::default();
    let pipeline = bind(&frame.schema, &rules, &ProjectFiles::default(), &mut out);
    assert_eq!(pipeline.schema, done.frame.schema);
    assert!(out.is_empty());
}

#[test]
fn rows_keep_their_places_in_the_snapshot_and_an_empty_table_is_fine() {
    let frame = parse_rows("| a: text |\n| \"x\" |\n| \" y\" |\n| \" z\" |\n");
    let some = frame.filter(&[false, true, true]).unwrap();
    let done = run(&some, &[step("{ step: trim, columns: '*' }")]);
    assert_eq!(done.corrections.iter().map(|c| c.row).collect::<Vec<_>>(), [2, 3]);
    let none = frame.filter(&[false; 3]).unwrap();
    let all = [
        step("{ step: trim, columns: '*' }"),
        step("{ step: null_if, columns: a, values: [x] }"),
        step("{ step: default, columns: a, value: x }"),
        step("{ step: map_values, column: a, values: { x: 1 } }"),
        step("{ step: parse_number, columns: a, to: i64 }"),
    ];
    let done = run(&none, &all);
    assert_eq!(print_rows(&done.frame), "| a: i64 |\n");
    assert!(done.corrections.is_empty());
}

/// One cell through the steps of the property below, by hand.
fn by_hand(order: usize, text: Option<String>) -> (Option<String>, bool) {
    match order {
        0 => (text.map(|t| t.trim().to_owned()), false),
        1 => (text.filter(|t| t != "a"), false),
        2 => (text.map(|t| t.to_uppercase()), false),
        3 => match text.as_deref() {
            Some("B") => (Some("beta".to_owned()), false),
            Some("C") | None => (None, false),
            Some(_) => (text, true),
        },
        _ => (text.or(Some("none".to_owned())), false),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_record_is_that_of_cells_done_by_hand(
        rows in prop::collection::vec((prop::option::of("[ abBc]{0,2}"), prop::option::of("[ abBc]{0,2}")), 0..8),
        masks in prop::collection::vec(prop::option::of(prop::collection::vec(any::<bool>(), 8)), 5),
    ) {
        let mut table = "| p: text | q: text |\n".to_owned();
        for (p, q) in &rows {
            let shown = |t: &Option<String>| t.as_ref().map_or("null".to_owned(), |t| format!("{t:?}"));
            table += &format!("| {} | {} |\n", shown(p), shown(q));
        }
        let rules = [
            "{ step: trim, columns: '*' }",
            "{ step: null_if, columns: [p, q], values: [a] }",
            "{ step: case, columns: '*', to: upper }",
            "{ step: map_values, columns: [p, q], values: { B: beta, C: ~ }, unmapped: quarantine }",
            "{ step: default, columns: '*', value: none }",
        ];
        let steps: Vec<_> = rules
            .iter()
            .zip(&masks)
            .map(|(rule, mask)| (step(rule), mask.as_ref().map(|m| m[..rows.len()].to_vec())))
            .collect();
        let done = run_where(&parse_rows(&table), &steps).unwrap();

        let (mut changes, mut held, mut counts) = (Vec::new(), Vec::new(), [0_u64; 5]);
        let mut cells = Vec::new();
        for (i, (p, q)) in rows.iter().enumerate() {
            for (name, cell) in [("p", p), ("q", q)] {
                let (mut cell, mut known) = (cell.clone(), true);
                for (order, (_, mask)) in steps.iter().enumerate() {
                    if mask.as_ref().is_some_and(|m| !m[i]) {
                        continue;
                    }
                    let (after, refused) = by_hand(order, cell.clone());
                    if refused {
                        held.push((i, order.to_string(), name.to_owned()));
                        known = false;
                    }
                    if after != cell && known {
                        counts[order] += 1;
                        changes.push(Correction {
                            row: i as u64 + 1,
                            column: name.to_owned(),
                            before: cell.clone(),
                            after: after.clone(),
                            rule: order.to_string(),
                        });
                    }
                    cell = after;
                }
                cells.push(cell);
            }
        }
        prop_assert_eq!(&done.corrections, &changes);
        let found: Vec<_> = done.held_back.iter().map(|h| (h.index, h.rule.clone(), h.column.clone())).collect();
        prop_assert_eq!(found, held);
        prop_assert_eq!(done.rules.iter().map(|r| r.changed).collect::<Vec<_>>(), counts);
        let (p, q) = (done.frame.texts("p").unwrap(), done.frame.texts("q").unwrap());
        let after: Vec<_> = (0..rows.len()).flat_map(|i| [p.owned(i), q.owned(i)]).collect();
        prop_assert_eq!(after, cells);
    }
}
