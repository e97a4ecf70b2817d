//! The examples in the documentation of matches are run, and matches compared with plain ones.

use std::sync::Arc;

use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::frame::{Frame, Value};
use counterfoil::matching::{KINDS, Match, MatchOutcome};
use counterfoil::model::{Field, Logical, Schema};
use counterfoil::node::{self, Fields};
use counterfoil::rule::{ProjectFiles, example_blocks};
use proptest::prelude::*;

use crate::table;

/// Reads a match as a rule file has it.
fn read(yaml: &str, out: &mut Diagnostics) -> Option<Box<dyn Match>> {
    let file = Arc::new(SourceFile::new("rule.yml", yaml));
    let node = node::parse(&file, out)?;
    let mut fields = Fields::new(&node, "a match", out)?;
    let word: String = fields.read("match", None, None, out)?;
    let kind = KINDS.iter().find(|kind| kind.name == word)?;
    let rule = (kind.read)(&mut fields, out);
    fields.finish(out);
    let rule = rule?;
    rule.check(&ProjectFiles::default(), out);
    Some(rule)
}

fn run(yaml: &str, frame: &Frame, selected: Option<&[bool]>) -> MatchOutcome {
    let mut out = Diagnostics::default();
    let bound = read(yaml, &mut out).and_then(|rule| rule.bind(&frame.schema, &mut out));
    assert!(out.is_empty(), "{}", out.render(false));
    bound.expect("a match that can be bound").groups(frame, selected).expect("groups")
}

/// Returns what is wrong with a rule for a table with a text column `a` and a number `n`.
fn wrong(yaml: &str) -> String {
    let schema = Schema { fields: vec![Field::new("a", Logical::TEXT), Field::new("n", Logical::I64)] };
    let mut out = Diagnostics::default();
    if let Some(rule) = read(yaml, &mut out) {
        rule.bind(&schema, &mut out);
    }
    out.render(false)
}

#[test]
fn every_example_finds_what_it_says() {
    for kind in KINDS {
        let documentation = kind.documentation();
        let (mut yaml, mut rows, mut examples) = (String::new(), None, 0);
        for (info, text) in example_blocks(&documentation) {
            match info.as_str() {
                "yaml match" => yaml = text,
                "rows" => rows = Some(table::frame(&text)),
                "findings" => {
                    let outcome = run(&yaml, rows.as_ref().expect("rows"), None);
                    let merges = yaml.contains("merge: true");
                    let mut lines: Vec<(usize, String)> = Vec::new();
                    for (i, group) in outcome.groups.iter().enumerate() {
                        for row in &group.rows {
                            let stays = if merges && *row == group.survivor { ", stays" } else { "" };
                            lines.push((*row, format!("row {} (group {}{stays})", row + 1, i + 1)));
                        }
                    }
                    lines.sort();
                    let found: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
                    assert_eq!(found, text.lines().collect::<Vec<_>>(), "{yaml}");
                    examples += 1;
                }
                other => panic!("{}: a block of {other} is not known", kind.name),
            }
        }
        assert!(examples > 0, "{} has no example", kind.name);
    }
}

#[test]
fn mistakes_are_told() {
    for (yaml, says) in [
        ("{match: exact, columns: [b]}", "there is no column `b`"),
        ("{match: exact, columns: [a, a]}", "stands here twice"),
        ("{match: exact, columns: [a], survivor: {order_by: n}}", "merge: true"),
        ("{match: exact, columns: [a], merge: true, survivor: {order_by: m}}", "there is no column `m`"),
        ("{match: exact, columns: [a], merge: true, survivor: {order_by: n, keep: most}}", "not a choice"),
        ("{match: exact, columns: [n], ignore: [case]}", "none of the columns is text"),
        ("{match: exact, columns: [a], ignore: [accents]}", "not a choice"),
    ] {
        assert!(wrong(yaml).contains(says), "{yaml}: {}", wrong(yaml));
    }
    assert_eq!(wrong("{match: exact, column: a, ignore: case}"), "");
}

#[test]
fn an_empty_table_has_no_groups() {
    let frame = table::frame("| a: text |");
    assert_eq!(run("{match: exact, columns: [a]}", &frame, None), MatchOutcome::default());
}

proptest! {
    #[test]
    fn groups_and_survivors_are_the_plain_ones(
        rows in proptest::collection::vec(
            (proptest::option::of("[aAb ]{0,3}"), proptest::option::of(0..3_i64), proptest::option::of(0..4_i64), any::<bool>()),
            0..40,
        ),
        case in any::<bool>(),
        whitespace in any::<bool>(),
        last in any::<bool>(),
    ) {
        let fields = vec![
            Field::new("t", Logical::TEXT),
            Field::new("n", Logical::I64),
            Field::new("o", Logical::I64),
        ];
        let values: Vec<Vec<Option<Value>>> = rows
            .iter()
            .map(|(t, n, o, _)| vec![t.clone().map(Value::Text), n.map(Value::I64), o.map(Value::I64)])
            .collect();
        let frame = table::build(fields, &values);
        let selected: Vec<bool> = rows.iter().map(|row| row.3).collect();
        let mut ignore = Vec::new();
        if case { ignore.push("case"); }
        if whitespace { ignore.push("whitespace"); }
        let yaml = format!(
            "{{match: exact, columns: [t, n], ignore: [{}], merge: true, survivor: {{order_by: o, keep: {}}}}}",
            ignore.join(", "),
            if last { "last" } else { "first" },
        );
        let outcome = run(&yaml, &frame, Some(&selected));

        let plain = |i: usize| -> Option<(String, i64)> {
            let (t, n, _, _) = &rows[i];
            let mut t = t.clone()?;
            if whitespace { t = t.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" "); }
            if case { t = t.to_lowercase(); }
            Some((t, (*n)?))
        };
        let chosen: Vec<usize> = (0..rows.len()).filter(|i| selected[*i]).collect();
        let mut groups: Vec<(Vec<usize>, usize)> = Vec::new();
        for &i in &chosen {
            let Some(key) = plain(i) else { continue };
            let members: Vec<usize> = chosen.iter().copied().filter(|j| plain(*j).as_ref() == Some(&key)).collect();
            if members.len() < 2 || members[0] != i { continue; }
            let mut survivor = i;
            for &j in &members {
                let better = match (rows[j].2, rows[survivor].2) {
                    (Some(_), None) => true,
                    (Some(a), Some(b)) => if last { a > b } else { a < b },
                    _ => false,
                };
                if better { survivor = j; }
            }
            groups.push((members, survivor));
        }
        let found: Vec<(Vec<usize>, usize)> =
            outcome.groups.iter().map(|g| (g.rows.clone(), g.survivor)).collect();
        prop_assert_eq!(found, groups);
        let with_values = chosen.iter().filter(|i| plain(**i).is_some()).count() as u64;
        prop_assert_eq!(outcome.evaluated, with_values);
        prop_assert_eq!(outcome.unknown, chosen.len() as u64 - with_values);
    }
}
