//! The project against what its connections hold: which tables and columns there are. No row is kept.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::config::{Plan, SidePlan};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::{Schema, Side};
use crate::source::{Cancel, ReadRequest, SourceError, Unreadable};

use super::bound::BoundDataset;
use super::crosswalk;
use super::made;
use super::mistakes;
use super::prepare::{Wanted, read};
use super::waiting::each;

/// Connects to every connection that the plan reads by, and returns what does not fit: connections that cannot be
/// used, tables that are not there or may not be read, queries that are refused, columns that there are not.
///
/// Nothing is tried twice, and what fails of one connection or table does not stop the rest. `as_of` is the time that
/// conditions take for now.
pub fn check_connected(plan: &Plan, as_of: DateTime<Utc>, cancel: &Cancel) -> Diagnostics {
    let mut out = Diagnostics::default();
    for dataset in &plan.datasets {
        let side = dataset.source.as_ref().or(dataset.target.as_ref());
        if let Some((why, side)) = dataset.unfit.as_ref().zip(side) {
            out.push(Diagnostic::error(place(side), why.clone()));
        }
    }
    let mut by_connection: BTreeMap<Option<&str>, Vec<Wanted<'_>>> = BTreeMap::new();
    for side in read(plan) {
        let connection = side.plan.request.connection.as_deref();
        if connection.is_none_or(|name| !plan.unreached.contains(name)) {
            by_connection.entry(connection).or_default().push(side);
        }
    }
    let asked: Vec<(Option<&str>, Vec<Wanted<'_>>)> = by_connection.into_iter().collect();
    let found = each(&asked, |(_, sides)| {
        let requests: Vec<ReadRequest> = sides.iter().map(|side| side.plan.request.clone()).collect();
        let connection = sides.first().map(|side| side.plan.connection.examine(&plan.files.base));
        connection.map_or_else(|| Ok(Vec::new()), |connection| connection.columns(&requests, cancel))
    });
    let mut schemas: BTreeMap<(String, &'static str), Schema> = BTreeMap::new();
    for ((_, sides), found) in asked.iter().zip(found) {
        match found {
            Ok(found) => {
                for (side, found) in sides.iter().zip(found) {
                    match found {
                        Ok(schema) => {
                            schemas.insert((side.dataset.name.value.clone(), side.side), schema);
                        }
                        Err(unreadable) => tell(side.plan, unreadable, &mut out),
                    }
                }
            }
            Err(SourceError::Settings(mistakes)) => out.extend(*mistakes),
            Err(error) => {
                if let Some(side) = sides.first() {
                    let name = side.plan.request.connection_words();
                    let span =
                        side.plan.config.connection.as_ref().map_or(&side.plan.span, |name| &name.span);
                    out.push(told(span, &format!("{name} cannot be read: "), &error));
                }
            }
        }
    }
    made::schemas(plan, &mut schemas, as_of, &mut out);
    let of = |name: &str, side: Side| {
        schemas.get(&(name.to_owned(), if side == Side::Target { "target" } else { "source" }))
    };
    let holders = crosswalk::holders(plan, &of, as_of);
    for dataset in plan.datasets.iter().filter(|dataset| dataset.unfit.is_none()) {
        let name = dataset.name.value.as_str();
        let (source, target) = (of(name, Side::Source), of(name, Side::Target));
        // Without one of its sides, much of a dataset would look like a mistake.
        if source.is_some() != dataset.source.is_some() || target.is_some() != dataset.target.is_some() {
            continue;
        }
        for (side, schema) in [(&dataset.source, source), (&dataset.target, target)] {
            if let Some((filter, schema)) = side.as_ref().and_then(|side| side.filter.as_ref()).zip(schema) {
                filter.bind(schema, as_of, &mut out);
            }
        }
        if crosswalk::unread(dataset, &holders).is_none() {
            BoundDataset::bind(dataset, [source, target], plan, &holders, as_of, &mut out);
        }
    }
    mistakes::references(plan, &of, &mut out);
    out
}

/// Returns where a side says what it reads.
fn place(side: &SidePlan) -> &Span {
    let config = &side.config;
    [&config.table, &config.query, &config.sql, &config.file]
        .into_iter()
        .flatten()
        .next()
        .map_or(&side.span, |text| &text.span)
}

fn tell(side: &SidePlan, unreadable: Unreadable, out: &mut Diagnostics) {
    let condition = side.config.r#where.as_ref().filter(|_| unreadable.by_condition);
    match (unreadable.error, condition) {
        (SourceError::Settings(mistakes), _) => out.extend(*mistakes),
        (error, Some(condition)) => out.push(told(&condition.span, "`where`: ", &error)),
        (error, None) => out.push(told(place(side), "", &error)),
    }
}

fn told(span: &Span, begin: &str, error: &SourceError) -> Diagnostic {
    let (text, advice) = error.parts();
    let diagnostic = Diagnostic::error(span, format!("{begin}{text}"));
    match advice {
        Some(advice) => diagnostic.help(advice),
        None => diagnostic,
    }
}
