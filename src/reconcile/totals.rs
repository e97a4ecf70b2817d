//! Control totals: counts and sums by group, expected against target.

use std::collections::HashMap;

use crate::frame::{Frame, Keys, Number, Rows};
use crate::model::key_text;
use crate::rule::RuleError;

use super::Input;
use super::align::{Of, key_frame};
use super::bind::BoundTotal;
use super::cell::{Cell, Values};
use super::config::Aggregate;
use super::policy::at_scale;
use super::wide::Wide;

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
    /// Expected's figure; NULL for a sum of no value.
    pub expected: Option<String>,
    /// The target's figure; NULL for a sum of no value.
    pub target: Option<String>,
    /// True where the two are equal, for sums within the tolerance.
    pub equal: bool,
    /// True where a side has rows in the group, but fewer than five: the figure tells of single people.
    pub small: bool,
}

/// Computes a total over all rows of expected and of the target.
///
/// The groups of the two sides are the same where their values are (as in keys); NULL is a value of its own.
/// `count` counts the values that are not NULL; a group that a side does not have counts 0 there. `sum` adds up
/// exactly, without limit and in any order with the same result: a floating-point number is worth the shortest
/// decimal number that reads back as it. A sum of no value is NULL, which equals only NULL. A group that holds a NaN
/// or both infinities sums to `NaN`.
///
/// # Errors
/// Where a column is not there.
pub fn total(input: &Input<'_>, total: &BoundTotal) -> Result<TotalOutcome, RuleError> {
    let (expected, target) = rayon::join(
        || groups(&whole(input.expected, total)?, total, Of::Expected),
        || groups(&whole(input.target, total)?, total, Of::Target),
    );
    let (mut expected, mut target) = (expected?, target?);
    let mut names: Vec<String> = expected.keys().chain(target.keys()).cloned().collect();
    if total.by.is_empty() {
        names.push(String::new());
    }
    names.sort_unstable();
    names.dedup();
    let mut outcome =
        TotalOutcome { id: total.id.clone(), groups: names.len() as u64, ..TotalOutcome::default() };
    for group in names {
        let (e, t) = (expected.remove(&group).unwrap_or_default(), target.remove(&group).unwrap_or_default());
        let before = outcome.figures.len();
        for agg in &total.agg {
            outcome.figures.push(figure(total, *agg, &group, &e, &t));
        }
        let differs = outcome.figures.iter().skip(before).any(|f| !f.equal);
        outcome.differing += u64::from(differs);
    }
    Ok(outcome)
}

fn figure(total: &BoundTotal, agg: Aggregate, group: &str, e: &Sum, t: &Sum) -> Figure {
    let (expected, target, equal) = match agg {
        Aggregate::Count => (Some(e.count.to_string()), Some(t.count.to_string()), e.count == t.count),
        Aggregate::Sum => {
            let (e, t) = (e.value(), t.value());
            let equal = match (&e, &t) {
                (Total::Exact(a), Total::Exact(b)) => {
                    let most =
                        total.tolerance.as_ref().and_then(|m| Wide::new(m.number())).unwrap_or_default();
                    a.distance(b).compare(&most).is_le()
                }
                (a, b) => a == b,
            };
            (e.text(total.scale), t.text(total.scale), equal)
        }
    };
    let small = [e, t].iter().any(|side| (1..FEWEST_ROWS).contains(&side.rows));
    Figure { group: group.to_owned(), agg, expected, target, equal, small }
}

/// Returns the columns of a side that a total looks at.
fn whole(rows: &dyn Rows, total: &BoundTotal) -> Result<Frame, RuleError> {
    let mut columns: Vec<String> = total.by.iter().map(|part| part.name.clone()).collect();
    columns.push(total.column.clone());
    let mut all: Option<Frame> = None;
    for piece in 0..rows.pieces() {
        let mut failed = None;
        rows.visit(piece, &columns, &mut |_, frame| {
            all = match all.take() {
                None => Some(frame),
                Some(before) => before.with(&frame).map_err(|error| failed = Some(error)).ok(),
            };
        })?;
        failed.map_or(Ok(()), Err)?;
    }
    match all {
        Some(all) => Ok(all),
        None => Ok(rows.fetch(&[])?),
    }
}

/// Sums up one side by group.
fn groups(frame: &Frame, total: &BoundTotal, of: Of) -> Result<HashMap<String, Sum>, RuleError> {
    let (_, column) = frame
        .column(&total.column)
        .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of the table", total.column)))?;
    let values = Values::new(column.as_materialized_series())?;
    let by = key_frame(frame, &total.by, of)?;
    let parts = total
        .by
        .iter()
        .map(|part| Ok(Keys::new(&by, &[&part.name])?))
        .collect::<Result<Vec<Keys>, RuleError>>()?;
    let mut groups: HashMap<String, Sum> = HashMap::new();
    for row in 0..frame.height() {
        let cell = values.cell(row);
        let group = group_text(&parts, row);
        match groups.get_mut(&group) {
            Some(sum) => sum.add(&cell),
            None => {
                let mut sum = Sum::default();
                sum.add(&cell);
                groups.insert(group, sum);
            }
        }
    }
    Ok(groups)
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

/// The values of one group so far.
#[derive(Debug, Clone, Default)]
struct Sum {
    rows: u64,
    count: u64,
    /// The sum of what fits here; the rest is in `wide`.
    digits: i128,
    scale: u32,
    wide: Option<Wide>,
    nan: bool,
    plus_infinity: bool,
    minus_infinity: bool,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Total {
    Null,
    Exact(Wide),
    NotFinite(&'static str),
}

impl Total {
    fn text(&self, scale: usize) -> Option<String> {
        match self {
            Total::Null => None,
            Total::Exact(wide) => Some(wide.text(scale)),
            Total::NotFinite(text) => Some((*text).to_owned()),
        }
    }
}

impl Sum {
    fn add(&mut self, cell: &Cell<'_>) {
        self.rows += 1;
        let number = match cell {
            Cell::Null => return,
            Cell::Number(number) => *number,
            _ => {
                self.count += 1;
                return;
            }
        };
        self.count += 1;
        if let Number::Float(value) = number
            && !value.is_finite()
        {
            self.nan |= value.is_nan();
            self.plus_infinity |= value == f64::INFINITY;
            self.minus_infinity |= value == f64::NEG_INFINITY;
            return;
        }
        let added = number.exact().and_then(|exact| {
            let scale = self.scale.max(exact.1);
            let sum = at_scale((self.digits, self.scale), scale)?.checked_add(at_scale(exact, scale)?)?;
            Some((sum, scale))
        });
        match added {
            Some((digits, scale)) => (self.digits, self.scale) = (digits, scale),
            None => {
                let so_far = self.wide.take().unwrap_or_default();
                self.wide = Some(Wide::new(number).map_or(so_far.clone(), |number| so_far.add(&number)));
            }
        }
    }

    fn value(&self) -> Total {
        match (self.nan, self.plus_infinity, self.minus_infinity) {
            (true, _, _) | (_, true, true) => return Total::NotFinite("NaN"),
            (_, true, _) => return Total::NotFinite("inf"),
            (_, _, true) => return Total::NotFinite("-inf"),
            _ => {}
        }
        if self.count == 0 {
            return Total::Null;
        }
        let fitting = Wide::new(Number::Exact { digits: self.digits, scale: self.scale }).unwrap_or_default();
        Total::Exact(match &self.wide {
            Some(wide) => wide.add(&fitting),
            None => fitting,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> Option<String> {
        let mut sum = Sum::default();
        for value in values {
            sum.add(&Cell::Number(Number::Float(*value)));
        }
        sum.value().text(0)
    }

    proptest! {
        #[test]
        fn the_order_of_floats_does_not_matter(
            values in proptest::collection::vec(any::<f64>(), 1..20).prop_shuffle(),
        ) {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert_eq!(sum(&values), sum(&sorted));
        }
    }

    #[test]
    fn sums_are_exact_and_without_limit() {
        assert_eq!(sum(&[0.1, 0.2]).unwrap(), "0.3");
        assert_eq!(sum(&[1e300, 0.5, -1e300]).unwrap(), "0.5");
        assert_eq!(sum(&[f64::INFINITY, 1.0]).unwrap(), "inf");
        assert_eq!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).unwrap(), "NaN");
        assert_eq!(sum(&[]), None);
        let mut large = Sum::default();
        for _ in 0..3 {
            large.add(&Cell::Number(Number::whole(i128::MAX)));
        }
        assert_eq!(large.value().text(0).unwrap(), "510423550381407695195061911147652317181");
    }
}
