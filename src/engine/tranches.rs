//! The ledger of a dataset by tranche, as a result.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::findings::{DatasetResult, TrancheKind, TrancheResult, TranchesResult};
use crate::frame::{Frame, Rows};
use crate::ledger::{Ledger, SourceDisposition, Tally, TargetDisposition};
use crate::mask::Mask;
use crate::model::compare_keys;
use crate::reconcile::{BoundTranches, Part, Tranche, Whole, split};
use crate::rule::RuleError;

use super::expected::{RowState, Working};
use super::reconciled::{Reconciled, rows_in};

/// The most values of a column that have a line each.
const MOST: usize = 1_000;

/// The fewest rows of a value that has a line: fewer would tell of single people.
const FEWEST_ROWS: u64 = 5;

/// The rows of the source that went wrong, by place.
const BROKEN_SOURCE: [SourceDisposition; 4] = [
    SourceDisposition::NoKey,
    SourceDisposition::DuplicateKey,
    SourceDisposition::Missing,
    SourceDisposition::Mismatched,
];

/// Those of the target; what does not match counts with its row of the source.
const BROKEN_TARGET: [TargetDisposition; 5] = [
    TargetDisposition::NoKey,
    TargetDisposition::DuplicateKey,
    TargetDisposition::FromQuarantined,
    TargetDisposition::FromMerged,
    TargetDisposition::Unexpected,
];

/// Splits the ledger of a reconciled dataset; nothing where nobody asked for it. `resting` are the rows where those rest.
/// With the result come notes, in sentences without cell values.
///
/// # Errors
/// Where rows cannot be read.
pub fn tranches(
    done: &mut Reconciled,
    working: &Working,
    resting: Option<(&dyn Rows, &dyn Rows)>,
    (source_tally, target_tally): (&Tally<SourceDisposition>, &Tally<TargetDisposition>),
) -> Result<Option<(TranchesResult, Vec<String>)>, RuleError> {
    let Some(bound) = &done.bound.tranches else { return Ok(None) };
    let mut held = Frame::default();
    if resting.is_none() {
        held = rows_in(working, |state| state != RowState::Kept)?;
        if held.height() > 0 {
            held = done.bound.preparations.0.apply(&held)?.0;
        }
    }
    let (expected, target) = match resting {
        Some(sides) => sides,
        None => (&done.prepared.expected as &dyn Rows, &done.prepared.target as &dyn Rows),
    };
    let whole = Whole {
        expected,
        held: &held,
        target,
        source_tally,
        target_tally,
        evidence: &done.outcome.evidence,
        pairs: &done.outcome.rows.pairs,
    };
    let parts = split(bound, &whole)?;
    let mut sum = Part::default();
    for part in parts.values() {
        sum.add(part);
    }
    let is_whole = sum.source == source_tally.counts() && sum.target == target_tally.counts();
    let mut result = TranchesResult {
        column: None,
        balanced: is_whole && parts.values().all(Part::is_balanced),
        all: parts.len() as u64,
        list: Vec::new(),
    };
    let mut notes = Vec::new();
    match bound {
        BoundTranches::Column(column) => {
            result.column = Some(column.name.clone());
            let lengths = parts.keys().map(|tranche| match tranche {
                Tranche::Value(text) => text.chars().count() as u64,
                _ => 0,
            });
            let longest = lengths.max().unwrap_or(0);
            result.list = of_values(parts, &column.name, &mut notes);
            let name = column.name.clone();
            done.saw(name, longest);
        }
        BoundTranches::Filters(filters) => {
            for (tranche, part) in parts {
                let one = match &tranche {
                    Tranche::Filter(place) => {
                        let name = filters.get(*place).map(|filter| filter.name.clone());
                        if part.source.rows() + part.target.rows() == 0
                            && let Some(name) = &name
                        {
                            notes.push(format!("No row of either side belongs to the tranche `{name}`."));
                        }
                        one(TrancheKind::Filter, name, &part, 1)
                    }
                    Tranche::OutOfScope => one(TrancheKind::OutOfScope, None, &part, 1),
                    _ => one(TrancheKind::Rest, None, &part, 1),
                };
                result.list.push(one);
            }
        }
    }
    sort(&mut result.list);
    Ok(Some((result, notes)))
}

/// Makes the lines of a column's values: small ones together, and those beyond the most that have lines.
fn of_values(parts: BTreeMap<Tranche, Part>, column: &str, notes: &mut Vec<String>) -> Vec<TrancheResult> {
    let (mut list, mut values) = (Vec::new(), Vec::new());
    let mut small = (Part::default(), 0);
    for (tranche, part) in parts {
        match tranche {
            Tranche::Value(_) if part.source.rows().max(part.target.rows()) < FEWEST_ROWS => {
                small.0.add(&part);
                small.1 += 1;
            }
            Tranche::Value(name) => values.push((one(TrancheKind::Value, Some(name), &part, 1), part)),
            Tranche::OutOfScope => list.push(one(TrancheKind::OutOfScope, None, &part, 1)),
            _ => list.push(one(TrancheKind::Null, None, &part, 1)),
        }
    }
    values.sort_by(|(a, _), (b, _)| compare(a, b));
    let mut others = (Part::default(), 0);
    for (_, part) in values.iter().skip(MOST) {
        others.0.add(part);
        others.1 += 1;
    }
    if others.1 > 0 {
        notes.push(format!(
            "`{column}` has {} values with five rows and more: the {MOST} tranches with the most broken rows have a ledger each, the other {} one together.",
            values.len(),
            others.1
        ));
        list.push(one(TrancheKind::Others, None, &others.0, others.1));
    }
    if small.1 > 0 {
        list.push(one(TrancheKind::Small, None, &small.0, small.1));
    }
    list.extend(values.into_iter().take(MOST).map(|(one, _)| one));
    list
}

fn one(kind: TrancheKind, name: Option<String>, part: &Part, tranches: u64) -> TrancheResult {
    let source: u64 = BROKEN_SOURCE.iter().map(|place| part.source.of(*place)).sum();
    let target: u64 = BROKEN_TARGET.iter().map(|place| part.target.of(*place)).sum();
    TrancheResult {
        kind,
        name,
        tranches,
        broken: source + target,
        moved_out: part.moved_out,
        moved_in: part.moved_in,
        ledger: Ledger::of_part(&part.source, &part.target),
    }
}

/// Puts the tranches with the most broken rows first, and behind them what is counted together or not looked at.
fn sort(list: &mut [TrancheResult]) {
    list.sort_by(|a, b| a.kind.is_apart().cmp(&b.kind.is_apart()).then_with(|| compare(a, b)));
}

fn compare(a: &TrancheResult, b: &TrancheResult) -> std::cmp::Ordering {
    let rows = |one: &TrancheResult| Reverse((one.broken, one.ledger.source_rows + one.ledger.target_rows));
    let names = || match (&a.name, &b.name) {
        (Some(one), Some(other)) => compare_keys(one, other),
        (one, other) => one.cmp(other),
    };
    rows(a).cmp(&rows(b)).then(a.kind.cmp(&b.kind)).then_with(names)
}

/// Puts tokens in the place of a hidden column's values; `secret` is what those are made with.
pub fn hide(result: &mut DatasetResult, secret: &[u8; 32]) {
    let Some(tranches) = &mut result.tranches else { return };
    let is_hidden = |column: &String| result.masking.columns.contains_key(column);
    if !tranches.column.as_ref().is_some_and(is_hidden) {
        return;
    }
    let mask = Mask::new(secret, &result.masking);
    for one in &mut tranches.list {
        one.name = one.name.as_deref().map(|name| mask.token(name));
    }
    // The order of what is hidden tells nothing of it.
    sort(&mut tranches.list);
}
