//! What is kept of the values of one group, in whatever order they come.

use std::cmp::Ordering;
use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_128;

use crate::frame::{Number, hex, moment_text, time_text};
use crate::reconcile::cell::Cell;
use crate::reconcile::wide::Wide;

use super::sum::Sum;

/// Which figures are asked for, beside the counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) sum: bool,
    pub(super) distinct: bool,
    pub(super) extremes: bool,
}

/// The values of one group so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) rows: u64,
    /// Values that are not NULL.
    pub(super) count: u64,
    pub(super) sum: Sum,
    least: Option<Cell<'static>>,
    greatest: Option<Cell<'static>>,
    distinct: HashSet<u128>,
}

impl Group {
    /// Adds the value of a row.
    pub(super) fn add(&mut self, cell: &Cell<'_>, wanted: Wanted) {
        self.rows += 1;
        if matches!(cell, Cell::Null) {
            return;
        }
        self.count += 1;
        if wanted.sum
            && let Cell::Number(number) = cell
        {
            self.sum.add(*number);
        }
        if wanted.distinct {
            self.distinct.insert(hash(cell));
        }
        if wanted.extremes {
            if self.least.as_ref().is_none_or(|least| order(cell, least).is_lt()) {
                self.least = Some(cell.clone().into_owned());
            }
            if self.greatest.as_ref().is_none_or(|greatest| order(cell, greatest).is_gt()) {
                self.greatest = Some(cell.clone().into_owned());
            }
        }
    }

    /// Adds what was counted apart.
    pub(super) fn merge(&mut self, other: Group) {
        self.rows += other.rows;
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.distinct.extend(other.distinct);
        let further =
            |own: Option<Cell<'static>>, other: Option<Cell<'static>>, wanted: Ordering| match (own, other) {
                (Some(own), Some(other)) if order(&other, &own) == wanted => Some(other),
                (own, other) => own.or(other),
            };
        self.least = further(self.least.take(), other.least, Ordering::Less);
        self.greatest = further(self.greatest.take(), other.greatest, Ordering::Greater);
    }

    /// Returns the number of different values.
    pub(super) fn distinct(&self) -> u64 {
        self.distinct.len() as u64
    }

    /// Returns the least value; nothing where there is none.
    pub(super) fn least(&self) -> Option<&Cell<'static>> {
        self.least.as_ref()
    }

    /// Returns the greatest value; nothing where there is none.
    pub(super) fn greatest(&self) -> Option<&Cell<'static>> {
        self.greatest.as_ref()
    }
}

/// Returns the hash of a value: the same for equal values.
fn hash(cell: &Cell<'_>) -> u128 {
    let mut bytes = vec![rank(cell)];
    match cell {
        Cell::Null | Cell::Skipped => {}
        Cell::Text(text) => bytes.extend_from_slice(text.as_bytes()),
        Cell::Bool(value) => bytes.push(u8::from(*value)),
        Cell::Number(number) => bytes.extend_from_slice(number_text(*number).as_bytes()),
        Cell::Moment(moment) => bytes.extend_from_slice(&moment.to_le_bytes()),
        Cell::Time(time) => bytes.extend_from_slice(&time.to_le_bytes()),
        Cell::Bytes(value) => bytes.extend_from_slice(value),
    }
    xxh3_128(&bytes)
}

fn number_text(number: Number) -> String {
    let mut text = String::new();
    number.push_text(&mut text);
    text
}

/// Returns which kind of value comes first; the values of one column are of one kind.
fn rank(cell: &Cell<'_>) -> u8 {
    match cell {
        Cell::Null => 0,
        Cell::Bool(_) => 1,
        Cell::Number(_) => 2,
        Cell::Moment(_) => 3,
        Cell::Time(_) => 4,
        Cell::Text(_) => 5,
        Cell::Bytes(_) => 6,
        Cell::Skipped => 7,
    }
}

/// Returns how two values stand to each other: numbers by value, texts by code points, bytes as they are.
fn order(a: &Cell<'_>, b: &Cell<'_>) -> Ordering {
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
        (Cell::Number(a), Cell::Number(b)) => a.compare(*b),
        (Cell::Moment(a), Cell::Moment(b)) => a.cmp(b),
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (Cell::Bytes(a), Cell::Bytes(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// Returns the text of a value, the same for equal values; numbers have at least `scale` digits behind the point.
pub(super) fn text(cell: &Cell<'_>, scale: usize, utc: bool) -> Option<String> {
    Some(match cell {
        Cell::Null | Cell::Skipped => return None,
        Cell::Text(text) => text.clone().into_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(number) => Wide::new(*number).map_or_else(|| number_text(*number), |n| n.text(scale)),
        Cell::Moment(moment) => moment_text(i64::try_from(*moment).ok()?, utc),
        Cell::Time(time) => time_text(*time),
        Cell::Bytes(bytes) => hex(bytes),
    })
}
