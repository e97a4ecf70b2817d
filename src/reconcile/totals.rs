//! Control totals: counts, sums, distinct values and extremes by group, expected against target.

mod group;
mod sum;

use std::collections::HashMap;

use rayon::prelude::*;

use crate::frame::{Frame, Keys, Rows};
use crate::model::{Field, Logical, key_text};
use crate::rule::RuleError;

use super::Input;
use super::align::Of;
use super::bind::BoundTotal;
use super::cell::Cell;
use super::config::{Aggregate, Amount};
use super::convert::{Convert, Reader};
use super::keys::key_frame;
use super::policy::within;
use super::wide::Wide;

use group::{Group, Wanted};
use sum::Total;

/// The fewest rows of a group whose figures tell nothing of single rows.
const FEWEST_ROWS: u64 = 5;

/// What a total found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TotalOutcome {
    /// The rule's id.
    pub id: String,
    /// Groups on either side.
    pub groups: u64,
    /// Groups in which a figure differs.
    pub differing: u64,
    /// Every figure, by group in the order of the groups' texts, then in the order of the rule file.
    pub figures: Vec<Figure>,
}

/// One figure of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The group's values as text, in the form of [`crate::model::key_text`]; empty where there is only one group.
    pub group: String,
    /// Which figure.
    pub agg: Aggregate,
    /// Expected's figure; NULL for the sum and the extremes of no value.
    pub expected: Option<String>,
    /// The target's figure; NULL for the sum and the extremes of no value.
    pub target: Option<String>,
    /// True where the two are equal; numbers within the tolerance.
    pub equal: bool,
    /// True where a side has rows in the group, but fewer than five: the figure tells of single people.
    pub small: bool,
}

/// Computes a total over all rows of expected and of the target.
///
/// The groups of the two sides are the same where their values are (as in keys); NULL is a value of its own.
/// `count` counts the values that are not NULL, `nulls` the others; a group that a side does not have counts 0 there.
/// `sum` adds up exactly, without limit and in any order with the same result: a floating-point number is worth the
/// shortest decimal number that reads back as it. A sum of no value is NULL, which equals only NULL. A group that
/// holds a NaN or both infinities sums to `NaN`.
///
/// `distinct`, `min` and `max` look at values in the form in which the two sides meet as keys: `7`, `7.0` and `7.00`
/// are one value, and so are a date and its midnight, and padded text with and without its blanks. Texts are ordered by
/// their code points, not by a server's collation; false comes before true; NaN is above all numbers. The extremes of
/// no value are NULL. Values are told apart by a hash of 128 bits: the chance that two of a billion values count as one
/// is below one in 10¹⁹.
///
/// # Errors
/// Where a column is not there.
pub fn total(input: &Input<'_>, total: &BoundTotal) -> Result<TotalOutcome, RuleError> {
    let computed = totals(input, std::slice::from_ref(total))?;
    computed.into_iter().next().ok_or_else(|| RuleError::Refused("a total was not computed".to_owned()))
}

/// Computes totals over all rows of expected and of the target, in one pass a side ([`total`]).
///
/// # Errors
/// Where a column is not there, or rows cannot be read.
pub(super) fn totals(input: &Input<'_>, totals: &[BoundTotal]) -> Result<Vec<TotalOutcome>, RuleError> {
    if totals.is_empty() {
        return Ok(Vec::new());
    }
    let (expected, target) = rayon::join(
        || of_side(input.expected, totals, Of::Expected),
        || of_side(input.target, totals, Of::Target),
    );
    let sides = expected?.into_iter().zip(target?);
    Ok(totals.iter().zip(sides).map(|(total, (expected, target))| compare(total, expected, target)).collect())
}

/// Counts one side for each total.
fn of_side<'a>(rows: &dyn Rows, totals: &'a [BoundTotal], of: Of) -> Result<Vec<SideTotals<'a>>, RuleError> {
    let mut columns: Vec<String> = Vec::new();
    for total in totals {
        columns.extend(total.by.iter().map(|part| part.name.clone()));
        columns.push(total.column.clone());
    }
    columns.sort_unstable();
    columns.dedup();
    let none = || -> Vec<SideTotals<'a>> { totals.iter().map(|total| SideTotals::new(total, of)).collect() };
    let counted = (0..rows.pieces())
        .into_par_iter()
        .map(|piece| {
            let (mut counted, mut done) = (none(), Ok(()));
            rows.visit(piece, &columns, &mut |_, frame| {
                if done.is_ok() {
                    done = counted.iter_mut().try_for_each(|total| total.add(&frame));
                }
            })?;
            done.map(|()| counted)
        })
        .try_reduce(none, |all, part| {
            Ok::<_, RuleError>(all.into_iter().zip(part).map(|(all, part)| merged(all, part)).collect())
        })?;
    // A side without rows still tells the columns' types.
    let mut all = none();
    let no_rows = rows.fetch(&[])?;
    all.iter_mut().try_for_each(|total| total.add(&no_rows))?;
    Ok(all.into_iter().zip(counted).map(|(all, counted)| merged(all, counted)).collect())
}

/// The figures of one side of a total: it is given the side's rows a frame at a time, in any order, and can be put
/// together from parts that were counted apart.
#[derive(Debug, Clone)]
pub(super) struct SideTotals<'a> {
    total: &'a BoundTotal,
    of: Of,
    wanted: Wanted,
    groups: HashMap<String, Group>,
    /// The side's own type of the column, once a frame has told it.
    logical: Option<Logical>,
}

/// Puts two parts of a side together.
fn merged<'a>(mut all: SideTotals<'a>, part: SideTotals<'a>) -> SideTotals<'a> {
    all.merge(part);
    all
}

impl<'a> SideTotals<'a> {
    pub(super) fn new(total: &'a BoundTotal, of: Of) -> Self {
        let asks = |agg| total.agg.contains(&agg);
        let wanted = Wanted {
            sum: asks(Aggregate::Sum),
            distinct: asks(Aggregate::Distinct),
            extremes: asks(Aggregate::Min) || asks(Aggregate::Max),
        };
        SideTotals { total, of, wanted, groups: HashMap::new(), logical: None }
    }

    /// Adds the rows of a frame.
    pub(super) fn add(&mut self, frame: &Frame) -> Result<(), RuleError> {
        let total = self.total;
        let (field, column) = frame
            .column(&total.column)
            .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of the table", total.column)))?;
        let reader = Reader::new(column.as_materialized_series(), field, self.convert())?;
        self.logical = Some(field.logical.clone());
        let padded = is_padded(field);
        let by = key_frame(frame, &total.by, self.of)?;
        let parts = total
            .by
            .iter()
            .map(|part| Ok(Keys::new(&by, &[&part.name])?))
            .collect::<Result<Vec<Keys>, RuleError>>()?;
        for row in 0..frame.height() {
            let cell = match reader.cell(row) {
                Cell::Text(text) if padded => Cell::Text(text.trim_end_matches(' ').to_owned().into()),
                cell => cell,
            };
            let group = group_text(&parts, row);
            match self.groups.get_mut(&group) {
                Some(known) => known.add(&cell, self.wanted),
                None => {
                    let mut new = Group::default();
                    new.add(&cell, self.wanted);
                    self.groups.insert(group, new);
                }
            }
        }
        Ok(())
    }

    /// Adds what was counted apart, of other rows of the same side.
    pub(super) fn merge(&mut self, other: SideTotals<'a>) {
        self.logical = self.logical.take().or(other.logical);
        // What a group holds does not depend on the order in which its parts come.
        other.groups.into_iter().for_each(|(name, group)| self.groups.entry(name).or_default().merge(group));
    }

    /// Returns how values are brought into the form in which the sides meet; where only counts and sums are asked
    /// for, they stay as they are.
    fn convert(&self) -> Convert {
        let Some(value) = &self.total.value else { return Convert::Direct };
        match value.convert(self.of) {
            // That the clocks skipped a time is another rule's finding.
            Convert::NaiveWall(_) => Convert::Direct,
            convert => convert.clone(),
        }
    }

    /// Returns the text of a value of the column.
    fn text(&self, cell: &Cell<'_>) -> Option<String> {
        let instants = matches!(self.logical, Some(Logical::Timestamp { utc: true }));
        let utc = instants && self.convert() == Convert::Direct;
        let text = group::text(cell, self.total.scale, utc)?;
        match self.logical {
            Some(Logical::Date) => Some(text.strip_suffix(" 00:00:00").map_or(text.clone(), str::to_owned)),
            _ => Some(text),
        }
    }
}

fn is_padded(field: &Field) -> bool {
    matches!(field.logical, Logical::Text { padded: true, .. })
}

/// Compares the figures of the two sides.
pub(super) fn compare(
    total: &BoundTotal,
    mut expected: SideTotals<'_>,
    mut target: SideTotals<'_>,
) -> TotalOutcome {
    let mut names: Vec<String> = expected.groups.keys().chain(target.groups.keys()).cloned().collect();
    if total.by.is_empty() {
        names.push(String::new());
    }
    names.sort_unstable();
    names.dedup();
    let mut outcome =
        TotalOutcome { id: total.id.clone(), groups: names.len() as u64, ..TotalOutcome::default() };
    for name in names {
        let e = expected.groups.remove(&name).unwrap_or_default();
        let t = target.groups.remove(&name).unwrap_or_default();
        let small = [&e, &t].iter().any(|side| (1..FEWEST_ROWS).contains(&side.rows));
        let before = outcome.figures.len();
        for agg in &total.agg {
            let (expected, target, equal) = match agg {
                Aggregate::Count => counts(e.count, t.count),
                Aggregate::Nulls => counts(e.rows - e.count, t.rows - t.count),
                Aggregate::Distinct => counts(e.distinct(), t.distinct()),
                Aggregate::Sum => sums(total, &e, &t),
                Aggregate::Min => extremes(total, (&expected, e.least()), (&target, t.least())),
                Aggregate::Max => extremes(total, (&expected, e.greatest()), (&target, t.greatest())),
            };
            outcome.figures.push(Figure { group: name.clone(), agg: *agg, expected, target, equal, small });
        }
        let differs = outcome.figures.iter().skip(before).any(|f| !f.equal);
        outcome.differing += u64::from(differs);
    }
    outcome
}

/// Both figures and whether they are equal.
type Compared = (Option<String>, Option<String>, bool);

fn counts(expected: u64, target: u64) -> Compared {
    (Some(expected.to_string()), Some(target.to_string()), expected == target)
}

fn sums(total: &BoundTotal, expected: &Group, target: &Group) -> Compared {
    let (e, t) = (expected.sum.value(expected.count), target.sum.value(target.count));
    let equal = match (&e, &t) {
        (Total::Exact(a), Total::Exact(b)) => {
            let most = total.tolerance.as_ref().and_then(|m| Wide::new(m.number())).unwrap_or_default();
            a.distance(b).compare(&most).is_le()
        }
        (a, b) => a == b,
    };
    (e.text(total.scale), t.text(total.scale), equal)
}

fn extremes(
    total: &BoundTotal,
    (expected, e): (&SideTotals<'_>, Option<&Cell<'static>>),
    (target, t): (&SideTotals<'_>, Option<&Cell<'static>>),
) -> Compared {
    let equal = match (e, t) {
        (Some(e), Some(t)) => e.equals(t) || within_tolerance(e, t, total.tolerance.as_ref()),
        (e, t) => e.is_none() && t.is_none(),
    };
    (e.and_then(|e| expected.text(e)), t.and_then(|t| target.text(t)), equal)
}

fn within_tolerance(e: &Cell<'_>, t: &Cell<'_>, tolerance: Option<&Amount>) -> bool {
    match (e, t, tolerance) {
        (Cell::Number(e), Cell::Number(t), Some(most)) => within(*e, *t, most),
        _ => false,
    }
}

/// Returns the text of a row's group. The parts are escaped already, so that NULL is told from every text.
fn group_text(parts: &[Keys], row: usize) -> String {
    let mut text = String::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            text.push('|');
        }
        match part.text(row) {
            Some(part) => text.push_str(&part),
            None => text.push_str(&key_text([None])),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use polars::prelude::DataFrame;
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::{Diagnostics, SourceFile};
    use crate::frame::{Value, series_of};
    use crate::model::Schema;
    use crate::node::FromNode;

    fn frame(rows: &[(Option<i64>, u8)]) -> Frame {
        let schema = Schema { fields: vec![Field::new("n", Logical::I64), Field::new("g", Logical::TEXT)] };
        let numbers: Vec<Option<Value>> = rows.iter().map(|(n, _)| n.map(Value::I64)).collect();
        let groups: Vec<Option<Value>> = rows.iter().map(|(_, g)| Some(Value::Text(g.to_string()))).collect();
        let columns = vec![
            series_of("n", &Logical::I64, &numbers).into(),
            series_of("g", &Logical::TEXT, &groups).into(),
        ];
        Frame::new(schema, DataFrame::new(rows.len(), columns).unwrap())
    }

    fn bound(agg: &str) -> BoundTotal {
        let text = format!("{{ totals: [{{ column: n, by: [g], agg: {agg} }}] }}");
        let mut out = Diagnostics::default();
        let file = std::sync::Arc::new(SourceFile::new("rules.yml", &text));
        let node = crate::node::parse(&file, &mut out).unwrap();
        let config = crate::reconcile::Reconcile::from_node(&node, &mut out).unwrap();
        let schema = frame(&[]).schema;
        let files = crate::rule::ProjectFiles::default();
        let context = crate::reconcile::Context { files: &files, as_of: chrono::DateTime::UNIX_EPOCH };
        let bound = crate::reconcile::bind(&config, &[], &schema, &schema, context, &mut out).unwrap();
        bound.totals.into_iter().next().unwrap()
    }

    /// The rows from one to before another.
    fn piece(frame: &Frame, from: usize, to: usize) -> Frame {
        let rows: Vec<u32> = (from..to).map(|row| u32::try_from(row).unwrap()).collect();
        frame.fetch(&rows).unwrap()
    }

    proptest! {
        #[test]
        fn parts_in_any_order_are_the_whole(
            rows in proptest::collection::vec((proptest::option::of(-3_i64..3), 0..2_u8), 0..30),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
            backwards in any::<bool>(),
        ) {
            let total = bound("[count, nulls, distinct, sum, min, max]");
            let whole = frame(&rows);
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(rows.len() + 1)).collect();
            at.extend([0, rows.len()]);
            at.sort_unstable();
            let mut parts: Vec<Frame> =
                at.windows(2).map(|w| piece(&whole, w[0], w[1])).collect();
            if backwards {
                parts.reverse();
            }
            let mut sides = SideTotals::new(&total, Of::Expected);
            for (i, part) in parts.iter().enumerate() {
                if i % 2 == 0 {
                    sides.add(part).unwrap();
                } else {
                    let mut apart = SideTotals::new(&total, Of::Expected);
                    apart.add(part).unwrap();
                    sides.merge(apart);
                }
            }
            let mut target = SideTotals::new(&total, Of::Target);
            target.add(&whole).unwrap();
            let outcome = compare(&total, sides, target);
            prop_assert_eq!(outcome.differing, 0, "{:?}", outcome.figures);
            let equal = outcome.figures.iter().all(|figure| figure.expected == figure.target);
            prop_assert!(equal, "{:?}", outcome.figures);
        }
    }
}
