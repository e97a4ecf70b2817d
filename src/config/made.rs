//! Sides that are queries over other datasets: their names, and the order in which they are made.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::Side;
use crate::query::{Input, Query, TableName, run};
use crate::source::{ConnectionConfig, SideConfig};

use super::load::Draft;
use super::plan::{Dataset, MadeSide, SidePlan};
use super::side::SideState;

/// The words in front of a dataset's name.
const STATES: [(&str, Side); 3] =
    [("source", Side::Source), ("expected", Side::Expected), ("target", Side::Target)];

/// Reads a side that is a query; `own` is the side, `place` where it stands in its file.
pub(super) fn read(
    config: &SideConfig,
    sql: &Spanned<String>,
    own: Side,
    (place, span): (&Span, Span),
    out: &mut Diagnostics,
) -> Option<SidePlan> {
    let query = Query::parse(sql, out);
    let one_line = query.as_ref().map(Query::in_one_line).unwrap_or_default();
    let request = config.sql_request(one_line, place, out);
    let query = query?;
    // Without columns only names and forms are looked at, and no row is there that could fail.
    let looked = run(&query, &|_| Input::Unknown, &|| false, out);
    if let Err(error) = looked {
        out.push(Diagnostic::error(&sql.span, error.to_string()));
    }
    let mut reads = Vec::with_capacity(query.tables().len());
    for table in query.tables() {
        let state = state(table, own);
        if state.is_none() {
            let word = table.state.clone().unwrap_or_default();
            out.push(
                Diagnostic::error(&query.place(&table.range), format!("there is no state `{word}`"))
                    .suggest(&word, STATES.iter().map(|(word, _)| *word)),
            );
        }
        reads.push((table.dataset.clone(), state.unwrap_or(own)));
    }
    let made = Some(MadeSide { query, reads });
    let (config, connection) = (config.clone(), ConnectionConfig::default());
    // Where there are mistakes, the names are looked at with those of other files, and nothing is made of it.
    Some(SidePlan { config, connection, request, made, filter: None, span })
}

/// Returns the state of a dataset that a name in a query means; without a word in front that of the side itself.
fn state(table: &TableName, own: Side) -> Option<Side> {
    match &table.state {
        None => Some(own),
        Some(word) => STATES.iter().find(|(known, _)| known == word).map(|(_, side)| *side),
    }
}

/// Reports datasets and sides that queries name and that are not there.
pub(super) fn check(drafts: &[&Draft], complete: bool, out: &mut Diagnostics) {
    let names = || drafts.iter().filter_map(|draft| draft.name.as_ref()).map(|name| name.value.as_str());
    for draft in drafts {
        for made in [&draft.sides.source, &draft.sides.target].into_iter().filter_map(SideState::made) {
            for (table, (name, side)) in made.query.tables().iter().zip(&made.reads) {
                let place = made.query.place(&table.range);
                let is_it = |other: &&&Draft| other.name.as_ref().is_some_and(|own| own.value == *name);
                match drafts.iter().find(is_it) {
                    Some(read) if !read.sides.has(*side) => {
                        let word = if *side == Side::Target { "target" } else { "source" };
                        let other = if *side == Side::Target { "source" } else { "target" };
                        out.push(
                            Diagnostic::error(&place, format!("`{name}` has no {word}"))
                                .help(format!("`{other}.{name}` are the rows of its {other}")),
                        );
                    }
                    None if complete => {
                        out.push(
                            Diagnostic::error(&place, format!("there is no dataset `{name}`"))
                                .suggest(name, names()),
                        );
                    }
                    Some(_) | None => {}
                }
            }
        }
    }
}

/// What another thing is made of: a raw side of a dataset, or its expected rows.
type Node = (String, Side);

/// Returns the sides that are queries, each behind those that it reads; one that is made of itself is reported.
pub(super) fn order(datasets: &[Dataset], out: &mut Diagnostics) -> Vec<Node> {
    let mut waiting: Vec<(Node, BTreeSet<Node>)> = Vec::new();
    for dataset in datasets {
        for side in [Side::Source, Side::Target] {
            let Some(made) = dataset.side(side).and_then(|plan| plan.made.as_ref()) else { continue };
            let node = (dataset.name.value.clone(), side);
            let mut of = BTreeSet::new();
            for (table, read) in made.query.tables().iter().zip(&made.reads) {
                let reached = reached(datasets, read);
                if reached.contains(&node) {
                    out.push(cycle(&node, read, &made.query.place(&table.range)));
                }
                of.extend(reached);
            }
            waiting.push((node, of));
        }
    }
    let mut order: Vec<Node> = Vec::with_capacity(waiting.len());
    let made: BTreeSet<Node> = waiting.iter().map(|(node, _)| node.clone()).collect();
    while !waiting.is_empty() {
        let is_ready =
            |of: &BTreeSet<Node>| of.iter().all(|node| !made.contains(node) || order.contains(node));
        let Some(at) = waiting.iter().position(|(_, of)| is_ready(of)) else { break };
        order.push(waiting.remove(at).0);
    }
    order
}

fn cycle((name, side): &Node, (read, state): &Node, place: &Span) -> Diagnostic {
    let error = Diagnostic::error(
        place,
        format!("the {side} of `{name}` would be made of itself: it reads `{state}.{read}`, which needs it"),
    );
    error.help(match state {
        Side::Expected => {
            "what a dataset should hold depends on both its sides and on the datasets that it refers to; `source.` reads \
             the rows as they were"
        }
        Side::Source | Side::Target => "a query reads datasets that come from elsewhere",
    })
}

/// Returns all that something is made of, with itself.
fn reached(datasets: &[Dataset], from: &Node) -> BTreeSet<Node> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(node) = open.pop() {
        if !reached.insert(node.clone()) {
            continue;
        }
        let (name, side) = &node;
        let Some(dataset) = datasets.iter().find(|dataset| dataset.name.value == *name) else { continue };
        if *side != Side::Expected {
            let made = dataset.side(*side).and_then(|plan| plan.made.as_ref());
            open.extend(made.into_iter().flat_map(|made| made.reads.iter().cloned()));
            continue;
        }
        open.extend([Side::Source, Side::Target].map(|side| (name.clone(), side)));
        open.extend(dataset.leans_on().map(|other| (other.to_owned(), Side::Expected)));
    }
    reached
}
