//! The two values of a differing cell, and what is around them.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

use crate::frame::{Number, moment_text};
use crate::model::{Field, Logical};
use crate::reconcile::bind::ComparedColumn;
use crate::reconcile::cell::{Cell, Values};
use crate::reconcile::convert::{Reader, read_text};
use crate::reconcile::policy::Policy;

/// A column with what both of its sides are.
#[derive(Clone, Copy)]
pub(in crate::reconcile) struct Of<'a> {
    pub(in crate::reconcile) column: &'a ComparedColumn,
    /// Expected's column.
    pub(in crate::reconcile) e: &'a Field,
    /// The target's.
    pub(in crate::reconcile) t: &'a Field,
    /// Pairs that were compared.
    pub(in crate::reconcile) pairs: u64,
    /// True where expected's values are made by the column's policy: an expression, or a list of codes.
    pub(in crate::reconcile) prepared: bool,
}

impl Of<'_> {
    /// Returns what stands for a value: the same for values that the policy calls equal, but for tolerances.
    pub(super) fn key(&self, cell: &Cell<'_>) -> u64 {
        key(&self.column.policy, cell)
    }
}

/// Returns what stands for a value under a policy: 0 for NULL, else an odd number.
pub(super) fn key(policy: &Policy, cell: &Cell<'_>) -> u64 {
    let of = |bytes: &[u8]| xxh3_64(bytes) | 1;
    let of_number = |number: Number| {
        let (mut digits, mut scale) = number.exact()?;
        while scale > 0 && digits % 10 == 0 {
            digits /= 10;
            scale -= 1;
        }
        Some(of(&digits.to_le_bytes()) ^ (u64::from(scale) << 1))
    };
    let canonical = policy.canonical(cell);
    let short = match &canonical {
        Cell::Text(text) => Some(of(text.as_bytes())),
        Cell::Moment(moment) => Some(of(&moment.to_le_bytes())),
        Cell::Number(number) => of_number(*number),
        Cell::Bool(value) => of_number(Number::whole(i64::from(*value))),
        _ => None,
    };
    short.unwrap_or_else(|| text_of(&canonical).map_or(0, |text| of(text.as_bytes())))
}

/// What is around a cell.
#[derive(Default)]
pub(super) struct Around<'a> {
    /// Expected's value in the row before and in the row after, where those rows differ too.
    pub(super) neighbours: [Option<Cell<'a>>; 2],
    /// The columns that differ in the same row and hold each other's value.
    pub(super) swapped: Vec<&'a str>,
    /// The values before they met, where one side has a zone and the other shows the clocks of one.
    pub(super) raw: Option<(Cell<'a>, Cell<'a>)>,
    /// True where one side changed the record after the other was read.
    pub(super) moved: bool,
}

/// The two values of a differing cell, in the form in which the sides meet.
pub(super) struct Both<'a> {
    /// Expected's value.
    pub(super) e: &'a Cell<'a>,
    /// The target's value.
    pub(super) t: &'a Cell<'a>,
    /// The column.
    pub(super) of: &'a Of<'a>,
    /// What is around the cell.
    pub(super) around: &'a Around<'a>,
    numbers: Option<(Number, Number)>,
    moments: Option<(i128, i128)>,
}

impl<'a> Both<'a> {
    pub(super) fn new(e: &'a Cell<'a>, t: &'a Cell<'a>, of: &'a Of<'a>, around: &'a Around<'a>) -> Self {
        let numbers = number(e).and_then(|e| Some((e, number(t)?)));
        let moments = moment(e).and_then(|e| Some((e, moment(t)?)));
        Both { e, t, of, around, numbers, moments }
    }

    /// Returns both values where both are text.
    pub(super) fn texts(&self) -> Option<(&str, &str)> {
        match (self.e, self.t) {
            (Cell::Text(e), Cell::Text(t)) => Some((e, t)),
            _ => None,
        }
    }

    /// Returns both values where both are numbers, or texts that plainly are.
    pub(super) fn numbers(&self) -> Option<(Number, Number)> {
        self.numbers
    }

    /// Returns both values where both are moments, or texts that plainly are.
    pub(super) fn moments(&self) -> Option<(i128, i128)> {
        self.moments
    }

    /// Returns true where the comparison calls two values equal: by value, or by the column's policy.
    pub(super) fn same(&self, e: &Cell<'_>, t: &Cell<'_>) -> bool {
        self.of.column.policy.same(e, t)
    }

    /// Returns true where the comparison calls two texts equal.
    pub(super) fn same_texts(&self, e: &str, t: &str) -> bool {
        self.same(&Cell::Text(Cow::Borrowed(e)), &Cell::Text(Cow::Borrowed(t)))
    }

    /// Returns true where two moments are equal to the comparison.
    pub(super) fn same_moments(&self, e: i128, t: i128) -> bool {
        self.same(&Cell::Moment(e), &Cell::Moment(t))
    }

    /// Returns the value that stands against NULL, where one side is NULL.
    pub(super) fn against_null(&self) -> Option<&Cell<'a>> {
        match (self.e, self.t) {
            (Cell::Null, other) | (other, Cell::Null) => Some(other),
            _ => None,
        }
    }
}

/// Returns a number; of a text one that is written plainly: a sign, digits, at most one point.
fn number(cell: &Cell<'_>) -> Option<Number> {
    match cell {
        Cell::Number(number) => Some(*number),
        Cell::Text(text) => {
            let text = text.trim();
            let plain = !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'));
            match plain.then(|| read_text(text, &Logical::I64))?? {
                Cell::Number(number) => Some(number),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns a moment; of a text one that is written as ISO 8601 has it.
fn moment(cell: &Cell<'_>) -> Option<i128> {
    match cell {
        Cell::Moment(moment) => Some(*moment),
        Cell::Text(text)
            if text.len() >= 10 && text.trim_start().starts_with(|c: char| c.is_ascii_digit()) =>
        {
            match read_text(text, &Logical::TIMESTAMP).or_else(|| read_text(text, &Logical::TIMESTAMP_UTC))? {
                Cell::Moment(moment) => Some(moment),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns a value as text, as it would be written in a rule; nothing for NULL.
pub(super) fn text_of(cell: &Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Text(text) => text.as_ref().to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Number(number) => {
            let mut text = String::new();
            number.push_text(&mut text);
            text
        }
        Cell::Moment(moment) => match i64::try_from(*moment) {
            Ok(moment) => moment_text(moment, false),
            Err(_) => moment.to_string(),
        },
        Cell::Time(time) => time.to_string(),
        Cell::Bytes(bytes) => bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")),
        Cell::Skipped => "skipped".to_owned(),
    })
}

/// Returns a value as it lies in its column, before it meets the other side.
pub(super) fn raw(reader: &Reader, index: usize) -> Cell<'_> {
    match &reader.values {
        Values::Text(_) => Cell::Null,
        values => values.cell(index),
    }
}
