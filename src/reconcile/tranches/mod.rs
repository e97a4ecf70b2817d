//! The ledger by tranche: which part of the rows each row belongs to, and where the rows of each part went.

mod config;

use std::collections::BTreeMap;

use polars::prelude::Expr;
use rayon::prelude::*;

use crate::expression;
use crate::frame::{Frame, Keys, Rows};
use crate::ledger::{Counts, Disposition, SourceDisposition, Tally, TargetDisposition};
use crate::model::{Side, key_parts};
use crate::rule::RuleError;

use super::align::{Evidence, Of, Pair};
use super::bind::KeyColumn;
use super::keys::key_frame;

pub use config::{Filter, Tranches};

/// What makes the tranches, ready for both sides.
#[derive(Debug, Clone)]
pub enum BoundTranches {
    /// Each value of a column, in the form in which the sides meet.
    Column(Box<KeyColumn>),
    /// Conditions.
    Filters(Vec<BoundFilter>),
}

/// A condition, ready for both sides.
#[derive(Debug, Clone)]
pub struct BoundFilter {
    /// The tranche's name.
    pub name: String,
    pub(super) expected: Expr,
    pub(super) target: Expr,
    /// The columns it names.
    pub(super) columns: Vec<String>,
}

/// A part of the rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tranche {
    /// The rows with this value.
    Value(String),
    /// The rows whose value is NULL.
    Null,
    /// The rows for which the condition at this place, from 0, is the first that is true.
    Filter(usize),
    /// The rows for which no condition is true.
    Rest,
    /// The rows that the side's own filter leaves out: they are looked at no further.
    OutOfScope,
}

/// Where the rows of one tranche went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The rows of the source.
    pub source: Counts<SourceDisposition>,
    /// The rows of the target: those with a partner stand where their partner does.
    pub target: Counts<TargetDisposition>,
    /// Pairs of this tranche whose row in the target belongs to another by its own values.
    pub moved_out: u64,
    /// Pairs of other tranches whose row in the target belongs to this one by its own values.
    pub moved_in: u64,
}

impl Part {
    /// Returns true where every row has its place, and both sides agree on the pairs.
    pub fn is_balanced(&self) -> bool {
        Counts::agree(&self.source, &self.target)
    }

    /// Adds another part's rows.
    pub fn add(&mut self, other: &Part) {
        self.source.add(&other.source);
        self.target.add(&other.target);
        self.moved_out += other.moved_out;
        self.moved_in += other.moved_in;
    }
}

/// The rows of both sides, as they were compared, with what became of them.
pub struct Whole<'a> {
    /// Expected.
    pub expected: &'a dyn Rows,
    /// Rows of the source that are not in expected, prepared as that is.
    pub held: &'a Frame,
    /// The target.
    pub target: &'a dyn Rows,
    /// Where every row of the source went.
    pub source_tally: &'a Tally<SourceDisposition>,
    /// Where every row of the target belongs.
    pub target_tally: &'a Tally<TargetDisposition>,
    /// The rows that are not the same at once, and their pairs.
    pub evidence: &'a Evidence,
    /// See `evidence`.
    pub pairs: &'a [Pair],
}

/// Splits the ledger of a dataset by tranche.
///
/// A row of the source belongs to the tranche of its values after cleansing. So does a row of the target without partner; one
/// with a partner stands in the tranche of that, whatever its own values say, so that each tranche balances by itself. How many
/// pairs that moves is counted; of pairs that are the same in all that is compared only what the sides' numbers say, as single
/// ones among them are not known. The sums over all tranches are the whole's.
///
/// # Errors
/// Where a column is not there or rows cannot be read.
pub fn split(bound: &BoundTranches, whole: &Whole<'_>) -> Result<BTreeMap<Tranche, Part>, RuleError> {
    let (source, target) = rayon::join(
        || -> Result<Split<SourceDisposition>, RuleError> {
            let mut counted = counted(bound, whole.expected, Side::Expected, whole.source_tally)?;
            merge(&mut counted, counted_of(bound, whole.held, Side::Expected, whole.source_tally)?);
            Ok(counted)
        },
        || counted(bound, whole.target, Side::Target, whole.target_tally),
    );
    let mut parts: BTreeMap<Tranche, Part> = BTreeMap::new();
    let (source, target) = (source?, target?);
    let mut names: Vec<Tranche> = source.keys().chain(target.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let part = Part {
            source: source.get(&name).cloned().unwrap_or_default(),
            target: target.get(&name).cloned().unwrap_or_default(),
            ..Part::default()
        };
        parts.insert(name, part);
    }
    if let BoundTranches::Filters(filters) = bound {
        // One that nobody belongs to is told too.
        (0..filters.len()).for_each(|place| _ = parts.entry(Tranche::Filter(place)).or_default());
    }
    let out = Part {
        source: whole.source_tally.counts().only(SourceDisposition::OutOfScope),
        target: whole.target_tally.counts().only(TargetDisposition::OutOfScope),
        ..Part::default()
    };
    if out.source.rows() + out.target.rows() > 0 {
        parts.insert(Tranche::OutOfScope, out);
    }
    move_pairs(bound, whole, &mut parts)?;
    move_the_same(&mut parts);
    Ok(parts)
}

/// Puts the target's row of each pair that may differ where its partner stands.
fn move_pairs(
    bound: &BoundTranches,
    whole: &Whole<'_>,
    parts: &mut BTreeMap<Tranche, Part>,
) -> Result<(), RuleError> {
    let Evidence { expected, target, .. } = whole.evidence;
    let (of_expected, of_target) =
        (bound.of_rows(expected, Side::Expected)?, bound.of_rows(target, Side::Target)?);
    for pair in whole.pairs {
        let (Some(home), Some(own)) =
            (of_expected.get(pair.expected as usize), of_target.get(pair.target as usize))
        else {
            continue;
        };
        let row = target.rows.get(pair.target as usize).copied().unwrap_or(0);
        let (true, Some(disposition)) = (home != own, whole.target_tally.get(row)) else { continue };
        if let Some(part) = parts.get_mut(own) {
            part.target.take(disposition, 1);
            part.moved_in += 1;
        }
        let part = parts.entry(home.clone()).or_default();
        part.target.put(disposition, 1);
        part.moved_out += 1;
    }
    Ok(())
}

/// Puts the target's rows of pairs that are the same where their partners stand: where the tranches are made of what is not
/// compared exactly, they need not agree. Where the numbers do not add up nothing is moved, and the tranches do not balance.
fn move_the_same(parts: &mut BTreeMap<Tranche, Part>) {
    let matched = |part: &Part| (part.source.matched(), part.target.of(TargetDisposition::Matched));
    let (source, target) = parts.values().map(matched).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    if source != target {
        return;
    }
    for part in parts.values_mut() {
        let (source, target) = matched(part);
        part.moved_in += target.saturating_sub(source);
        part.moved_out += source.saturating_sub(target);
        part.target.take(TargetDisposition::Matched, target.saturating_sub(source));
        part.target.put(TargetDisposition::Matched, source.saturating_sub(target));
    }
}

/// Where the rows of one side went, by tranche.
type Split<D> = BTreeMap<Tranche, Counts<D>>;

/// Counts the rows of a side, a piece at a time.
fn counted<D: Disposition + Send + Sync>(
    bound: &BoundTranches,
    rows: &dyn Rows,
    side: Side,
    tally: &Tally<D>,
) -> Result<Split<D>, RuleError> {
    let columns = bound.columns();
    (0..rows.pieces())
        .into_par_iter()
        .map(|piece| {
            let (mut all, mut done) = (Split::new(), Ok(()));
            rows.visit(piece, &columns, &mut |_, frame| {
                if done.is_ok() {
                    done = counted_of(bound, &frame, side, tally).map(|part| merge(&mut all, part));
                }
            })?;
            done.map(|()| all)
        })
        .try_reduce(Split::new, |mut all, part| {
            merge(&mut all, part);
            Ok(all)
        })
}

/// What two parts of a side count does not depend on their order.
fn merge<D: Disposition>(all: &mut Split<D>, part: Split<D>) {
    for (tranche, counts) in part {
        all.entry(tranche).or_default().add(&counts);
    }
}

/// Counts the rows of a frame.
fn counted_of<D: Disposition>(
    bound: &BoundTranches,
    frame: &Frame,
    side: Side,
    tally: &Tally<D>,
) -> Result<Split<D>, RuleError> {
    let mut counts = Split::new();
    if frame.height() == 0 {
        return Ok(counts);
    }
    // Rows of one value are seldom far apart: the text is only copied for the first of a frame.
    let mut of_text: BTreeMap<String, Counts<D>> = BTreeMap::new();
    bound.each(frame, side, &mut |row, part| {
        let disposition = frame.rows.get(row).and_then(|row| tally.get(*row));
        match part {
            RowOf::Text(text) => match of_text.get_mut(text) {
                Some(known) => known.enter(disposition),
                None => of_text.entry(text.to_owned()).or_default().enter(disposition),
            },
            RowOf::Other(tranche) => counts.entry(tranche).or_default().enter(disposition),
        }
    })?;
    counts.extend(of_text.into_iter().map(|(text, of)| (value(&text), of)));
    Ok(counts)
}

/// A row's tranche, before its text is copied.
enum RowOf<'a> {
    /// The value, in the form of keys.
    Text(&'a str),
    Other(Tranche),
}

/// Returns the tranche of a value in the form of keys.
fn value(text: &str) -> Tranche {
    match key_parts(text).into_iter().next().flatten() {
        Some(value) => Tranche::Value(value),
        None => Tranche::Null,
    }
}

impl BoundTranches {
    /// Returns the columns that are looked at.
    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> = match self {
            BoundTranches::Column(column) => vec![column.name.clone()],
            BoundTranches::Filters(filters) => filters.iter().flat_map(|f| f.columns.clone()).collect(),
        };
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Hands over the tranche of every row of a frame.
    fn each(
        &self,
        frame: &Frame,
        side: Side,
        take: &mut dyn FnMut(usize, RowOf<'_>),
    ) -> Result<(), RuleError> {
        match self {
            BoundTranches::Column(column) => {
                let of = if side == Side::Target { Of::Target } else { Of::Expected };
                let met = key_frame(frame, std::slice::from_ref(column.as_ref()), of)?;
                let keys = Keys::new(&met, &[&column.name])?;
                for row in 0..keys.len() {
                    match keys.text(row) {
                        Some(text) => take(row, RowOf::Text(&text)),
                        None => take(row, RowOf::Other(Tranche::Null)),
                    }
                }
            }
            BoundTranches::Filters(filters) => {
                let mut first: Vec<Option<usize>> = vec![None; frame.height()];
                for (place, filter) in filters.iter().enumerate() {
                    let condition = if side == Side::Target { &filter.target } else { &filter.expected };
                    for (row, is_true) in first.iter_mut().zip(expression::evaluate(frame, condition)?) {
                        if is_true {
                            row.get_or_insert(place);
                        }
                    }
                }
                for (row, place) in first.into_iter().enumerate() {
                    take(row, RowOf::Other(place.map_or(Tranche::Rest, Tranche::Filter)));
                }
            }
        }
        Ok(())
    }

    /// Returns the tranche of every row of a frame.
    fn of_rows(&self, frame: &Frame, side: Side) -> Result<Vec<Tranche>, RuleError> {
        let mut all = Vec::with_capacity(frame.height());
        if frame.height() > 0 {
            self.each(frame, side, &mut |_, part| {
                all.push(match part {
                    RowOf::Text(text) => value(text),
                    RowOf::Other(tranche) => tranche,
                });
            })?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(source: u64, target: u64) -> Part {
        let mut part = Part::default();
        part.source.put(SourceDisposition::MatchedUnchanged, source);
        part.target.put(TargetDisposition::Matched, target);
        part
    }

    #[test]
    fn the_same_pairs_are_moved_only_where_the_numbers_add_up() {
        let mut parts = BTreeMap::from([(Tranche::Null, part(3, 1)), (Tranche::Rest, part(2, 4))]);
        move_the_same(&mut parts);
        let moved: Vec<(bool, u64, u64)> =
            parts.values().map(|part| (part.is_balanced(), part.moved_out, part.moved_in)).collect();
        assert_eq!(moved, [(true, 2, 0), (true, 0, 2)]);
        let mut parts = BTreeMap::from([(Tranche::Null, part(3, 1)), (Tranche::Rest, part(2, 2))]);
        move_the_same(&mut parts);
        assert_eq!(parts.values().map(Part::is_balanced).collect::<Vec<_>>(), [false, true]);
    }
}
