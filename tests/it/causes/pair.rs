//! Two tables whose rows belong together one to one, compared and explained.

use std::collections::BTreeMap;

use counterfoil::cleanse::{self, CleansingRule};
use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::frame::Frame;
use counterfoil::model::Remedy;
use counterfoil::node::{FromNode, Node, Value, yaml as written};
use counterfoil::reconcile::cause::{Explained, explain};
use counterfoil::reconcile::{BoundReconcile, Input, Reconcile, Reconciliation, Seen, bind};
use counterfoil::rule::ProjectFiles;

use crate::examples::{read_step, yaml};
use crate::oracle::context;
use crate::sides::{outcome, whole};

/// When both sides were seen.
pub const NOON: &str = "2026-03-31T12:00:00Z";

/// Two tables, compared and explained.
pub struct Pair {
    pub expected: Frame,
    pub target: Frame,
    pub bound: BoundReconcile,
    pub outcome: Reconciliation,
    pub explained: Explained,
}

/// Compares two tables under what stands under `reconcile`, row by row.
pub fn compared(expected: &Frame, target: &Frame, rules: Option<&Node>) -> Pair {
    let mut out = Diagnostics::default();
    let config = rules.map_or_else(Reconcile::default, |node| {
        Reconcile::from_node(node, &mut out).expect("what stands under `reconcile`")
    });
    let file = std::sync::Arc::new(SourceFile::new("t.yml", "key: [_row]"));
    let key = vec![Spanned { value: "_row".to_owned(), span: Span { file, range: 6..10 } }];
    let files = ProjectFiles::default();
    let bound = bind(&config, &key, &expected.schema, &target.schema, context(&files), &mut out);
    assert!(!out.has_errors(), "{}", out.render(false));
    let mut bound = bound.expect("a reconciliation");
    let seen = NOON.parse::<chrono::DateTime<chrono::Utc>>().expect("a moment").timestamp_micros();
    if let Some(since) = &mut bound.changed_since {
        since.seen = Some(Seen { source: seen, target: seen });
    }
    let nothing = Frame::default();
    let prepared = bound.prepare(expected, target).expect("columns of their types");
    let (of_expected, of_target) = (&prepared.expected, &prepared.target);
    let input = Input {
        expected: of_expected,
        target: of_target,
        quarantined: &nothing,
        merged: &nothing,
        former: &nothing,
    };
    let found = outcome(&input, &bound).expect("columns of their types");
    let moved = bound.moved(&found).expect("a column of times");
    let explained = explain(&input, &bound, &found, &moved).expect("columns of their types");
    let outcome = whole(&found, of_expected, of_target);
    Pair { expected: expected.clone(), target: target.clone(), bound, outcome, explained }
}

impl Pair {
    /// Returns the cause of every differing cell, by column and row (from 0).
    pub fn causes(&self) -> BTreeMap<(String, u32), String> {
        let mut causes = BTreeMap::new();
        for ((column, outcome), explained) in
            self.bound.columns.iter().zip(&self.outcome.columns).zip(&self.explained.columns)
        {
            assert_eq!(outcome.mismatched.len(), explained.cells.len(), "every cell has its causes");
            for (pair, cell) in outcome.mismatched.iter().zip(&explained.cells) {
                let row = self.outcome.rows.pairs[*pair as usize].expected;
                causes.insert((column.name.clone(), row), cell.text());
            }
        }
        causes
    }

    /// Returns every remedy, with its column and cause.
    pub fn remedies(&self) -> Vec<(String, String, Remedy)> {
        let mut remedies = Vec::new();
        for (column, explained) in self.bound.columns.iter().zip(&self.explained.columns) {
            for outcome in &explained.outcomes {
                if let Some(remedy) = &outcome.remedy {
                    remedies.push((column.name.clone(), outcome.causes.text(), remedy.clone()));
                }
            }
        }
        remedies
    }

    /// Applies a remedy, compares again, and asserts that it settles what it says: neither more nor less of its cause.
    pub fn apply(&self, rules: &Node, column: &str, cause: &str, remedy: &Remedy) {
        let text = remedy.yaml(&written::text(column));
        let node = yaml(&text);
        let steps: Vec<_> = match node.get("cleanse").map(|list| &list.value) {
            Some(Value::List(steps)) => steps
                .iter()
                .map(|step| {
                    let (step, out) = read_step(step);
                    assert!(out.is_empty(), "{text}\n{}", out.render(false));
                    step.expect("a step")
                })
                .collect(),
            _ => Vec::new(),
        };
        let ids: Vec<String> = (0..steps.len()).map(|i| format!("step-{i}")).collect();
        let steps: Vec<CleansingRule<'_>> = steps
            .iter()
            .zip(&ids)
            .map(|(step, id)| CleansingRule { id, step: step.as_ref(), condition: None })
            .collect();
        let cleansed = cleanse::cleanse(&self.expected, &steps, &ProjectFiles::default())
            .unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert!(cleansed.held_back.is_empty(), "{column}: {cause}: a row is held back\n{text}");
        let policies = merged(rules, node.get("reconcile"), column);
        let again = compared(&cleansed.frame, &self.target, Some(&policies));
        let (before, after) = (self.causes(), again.causes());
        let own: Vec<_> = before
            .iter()
            .filter(|((name, _), own)| name == column && *own == cause)
            .map(|(at, _)| at)
            .collect();
        let settled = own.iter().filter(|at| !after.contains_key(**at)).count() as u64;
        assert_eq!(settled, remedy.settles, "{column}: {cause}: {} cells\n{text}", own.len());
    }
}

/// Puts the policy of a column into what stands under `reconcile`.
fn merged(rules: &Node, remedy: Option<&Node>, column: &str) -> Node {
    let Some(policy) = remedy.and_then(|r| r.get("columns")).and_then(|c| c.get(column)) else {
        return rules.clone();
    };
    let entries = |node: Option<&Node>| match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    let with = |node: Option<&Node>, more: Vec<_>| {
        let mut all: Vec<_> = entries(node);
        for (name, value) in more {
            let name: counterfoil::node::Name = name;
            all.retain(|(own, _): &(counterfoil::node::Name, Node)| own.text != name.text);
            all.push((name, value));
        }
        Node { span: rules.span.clone(), value: Value::Map(all) }
    };
    let own = rules.get("columns").and_then(|c| c.get(column));
    let name = |text: &str| counterfoil::node::Name { text: text.to_owned(), span: rules.span.clone() };
    let policy = with(own, entries(Some(policy)));
    let columns = with(rules.get("columns"), vec![(name(column), policy)]);
    with(Some(rules), vec![(name("columns"), columns)])
}
