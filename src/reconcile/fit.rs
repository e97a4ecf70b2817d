//! Values that the other side's column could not hold. It looks at one row at a time, so that a side can come in parts.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use encoding_rs::Encoding;
use rayon::prelude::*;

use crate::frame::{Frame, Number, Texts};
use crate::model::{CodePage, Family, Field, Holds, Logical, Numbers, Schema, Step, Unit};
use crate::rule::RuleError;

use super::cell::{Cell, Values};
use super::convert::{read_text, wall_clock};

/// Why a value does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Misfit {
    /// It cannot be read as the type.
    NoValue,
    /// It is longer than the column.
    TooLong,
    /// It has a character that the column cannot keep.
    Character,
    /// It is below the least or above the greatest value.
    OutOfRange,
    /// It has more digits than are kept.
    Digits,
    /// It is a moment or time that is finer than are kept.
    Finer,
}

impl Misfit {
    /// Returns what is wrong with a value for a column that is declared so, as the rest of a sentence.
    pub fn words(self, holds: &Holds, declared: &str) -> String {
        match self {
            Misfit::NoValue => format!("is no value of {declared}"),
            Misfit::TooLong => format!("is too long for {declared}"),
            Misfit::Character => match &holds.code_page {
                Some(page) => format!("has a character that is not in {page}"),
                None => format!("has a character that {declared} cannot keep"),
            },
            Misfit::OutOfRange => format!("is out of the range of {declared}"),
            Misfit::Digits => format!("has more digits than {declared} keeps"),
            Misfit::Finer => format!("is finer than {declared} keeps"),
        }
    }
}

/// A column whose values are held against what the other side's column holds.
#[derive(Debug, Clone)]
pub struct FitColumn {
    /// Our name.
    pub name: String,
    /// What the other side's column holds.
    pub holds: Holds,
    /// Its type, as it is declared.
    pub declared: String,
    logical: Logical,
    /// The zone on whose clocks instants are shown there.
    zone: Option<Tz>,
    page: Page,
}

/// The characters of a column, ready to be looked at.
#[derive(Debug, Clone, Copy)]
enum Page {
    Any,
    UpTo(char),
    Encoded(&'static Encoding),
}

/// What was found in some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misfits {
    /// Values looked at.
    pub judged: u64,
    /// The row, from 0, the column's place among those judged, and why; in that order.
    pub found: Vec<(u32, usize, Misfit)>,
}

/// Returns the columns of a side whose values can be held against the other side's columns.
///
/// `holds` says of a column of the other side what it holds and how it is declared. Left out are columns that the other
/// side does not have, those without limits, and those of types that have nothing in common, which is said of the types.
pub fn fit_columns(
    own: &Schema,
    other: &Schema,
    holds: &dyn Fn(&Field) -> (Holds, String),
    zones: &BTreeMap<String, Tz>,
) -> Vec<FitColumn> {
    let column = |own: &Field| {
        let other = other.get(&own.name)?;
        let (holds, declared) = holds(other);
        let has_form = !other.logical.is_text() || other.logical == Logical::Uuid;
        let read = own.logical.is_text() && has_form;
        if (holds.is_anything() && !read) || !can_meet(&own.logical, &other.logical) {
            return None;
        }
        let page = match &holds.code_page {
            None => Page::Any,
            Some(CodePage::Ascii) => Page::UpTo('\u{7f}'),
            Some(CodePage::Latin1) => Page::UpTo('\u{ff}'),
            Some(CodePage::BasicPlane) => Page::UpTo('\u{ffff}'),
            Some(CodePage::Named(name)) => {
                Encoding::for_label(name.as_bytes()).map_or(Page::Any, Page::Encoded)
            }
        };
        let instants = own.logical == Logical::TIMESTAMP_UTC && other.logical != Logical::TIMESTAMP_UTC;
        let zone = zones.get(&own.name).copied().filter(|_| instants);
        if instants && zone.is_none() && other.logical.family() == Family::Moment {
            return None;
        }
        Some(FitColumn {
            name: own.name.clone(),
            holds,
            declared,
            logical: other.logical.clone(),
            zone,
            page,
        })
    };
    own.fields.iter().filter_map(column).collect()
}

/// Returns true where values of one type can be written as values of another.
fn can_meet(own: &Logical, other: &Logical) -> bool {
    let number = |family| matches!(family, Family::Number | Family::Bool);
    let (own, other) = (own.family(), other.family());
    own == other
        || own == Family::Text && other != Family::Bytes
        || other == Family::Text
        || number(own) && number(other)
}

/// Looks at every value of a frame. The outcome does not depend on the number of threads.
///
/// NULL fits everywhere: whether it may be there is said of the schema. A number fits a column of binary numbers where it
/// reads back as the same number.
///
/// # Errors
/// Where a column is not there or not of its type.
pub fn misfits(frame: &Frame, columns: &[FitColumn]) -> Result<Misfits, RuleError> {
    let of_columns = columns
        .par_iter()
        .enumerate()
        .map(|(place, column)| of_column(frame, column, place))
        .collect::<Result<Vec<Misfits>, RuleError>>()?;
    let mut all = Misfits::default();
    for found in of_columns {
        all.judged += found.judged;
        all.found.extend(found.found);
    }
    all.found.sort_unstable();
    Ok(all)
}

fn of_column(frame: &Frame, column: &FitColumn, place: usize) -> Result<Misfits, RuleError> {
    let (field, series) = frame
        .column(&column.name)
        .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of the table", column.name)))?;
    let series = series.as_materialized_series();
    let values = Values::new(series)?;
    let texts = Texts::new(series, &field.logical);
    let mut found = Misfits::default();
    for (row, index) in (0..frame.height()).zip(0_u32..) {
        let cell = values.cell(row);
        if matches!(cell, Cell::Null) {
            continue;
        }
        found.judged += 1;
        let why = match column.logical.family() {
            Family::Text => texts.get(row).and_then(|text| column.text(&text)),
            _ => column.value(cell),
        };
        found.found.extend(why.map(|why| (index, place, why)));
    }
    Ok(found)
}

impl FitColumn {
    /// Returns why a text does not fit.
    fn text(&self, text: &str) -> Option<Misfit> {
        if self.logical == Logical::Uuid {
            return read_text(text, &Logical::Uuid).is_none().then_some(Misfit::NoValue);
        }
        if self.holds.no_nul && text.contains('\0') {
            return Some(Misfit::Character);
        }
        let mut bytes = text.len();
        if !text.is_ascii() {
            match self.page {
                Page::UpTo(last) if text.chars().any(|c| c > last) => return Some(Misfit::Character),
                Page::Any | Page::UpTo('\u{ffff}') => {}
                Page::UpTo(_) => bytes = text.chars().count(),
                Page::Encoded(encoding) => {
                    let (encoded, _, unmappable) = encoding.encode(text);
                    if unmappable {
                        return Some(Misfit::Character);
                    }
                    bytes = encoded.len();
                }
            }
        }
        let (most, unit) = self.holds.length?;
        let is_longer = |length: usize| u64::try_from(length).is_ok_and(|length| length > most);
        // No text has more characters or units than bytes.
        let too_long = match unit {
            Unit::Bytes => is_longer(bytes),
            Unit::Characters => is_longer(text.len()) && is_longer(text.chars().count()),
            Unit::Utf16 => is_longer(text.len()) && is_longer(text.encode_utf16().count()),
        };
        too_long.then_some(Misfit::TooLong)
    }

    /// Returns why a value does not fit a column that does not hold texts.
    fn value(&self, cell: Cell<'_>) -> Option<Misfit> {
        let cell = match cell {
            Cell::Text(text) => match read_text(&text, &self.logical) {
                Some(cell) => cell,
                None => return Some(Misfit::NoValue),
            },
            Cell::Moment(instant) => {
                Cell::Moment(self.zone.map_or(instant, |zone| wall_clock(instant, zone)))
            }
            cell => cell,
        };
        let as_number = |value: bool| Number::whole(i64::from(value));
        match (self.logical.family(), cell) {
            (Family::Number, Cell::Number(number)) => self.number(number),
            (Family::Number, Cell::Bool(value)) => self.number(as_number(value)),
            (Family::Bool, Cell::Number(number)) => {
                let is_one = |value| number.compare(as_number(value)).is_eq();
                (!is_one(true) && !is_one(false)).then_some(Misfit::OutOfRange)
            }
            (_, Cell::Moment(moment)) => self.moment(moment),
            (_, Cell::Time(time)) => self.finer(time.into()),
            (_, Cell::Bytes(bytes)) => {
                let (most, _) = self.holds.length?;
                u64::try_from(bytes.len()).is_ok_and(|length| length > most).then_some(Misfit::TooLong)
            }
            _ => None,
        }
    }

    fn number(&self, number: Number) -> Option<Misfit> {
        let numbers = self.holds.numbers?;
        let finite = !matches!(number, Number::Float(value) if !value.is_finite());
        match numbers {
            Numbers::F64 | Numbers::F32 if !finite => None,
            _ if !finite => Some(Misfit::NoValue),
            Numbers::Exact { least, most, scale } => {
                let bound = |digits| Number::Exact { digits, scale };
                if number.compare(bound(least)).is_lt() || number.compare(bound(most)).is_gt() {
                    return Some(Misfit::OutOfRange);
                }
                // Within the range, what has no digits of ours is a tiny fraction.
                let (_, own) = significant(number).unwrap_or((0, u32::MAX));
                (own > scale).then_some(Misfit::Digits)
            }
            Numbers::Digits(most) => {
                let (digits, _) = significant(number)?;
                let count = digits.unsigned_abs().to_string().trim_end_matches('0').len();
                u32::try_from(count).is_ok_and(|count| count > most).then_some(Misfit::Digits)
            }
            Numbers::F64 => {
                let same = Number::Float(number.float()).compare(number).is_eq();
                (!same).then_some(if number.float().is_finite() {
                    Misfit::Digits
                } else {
                    Misfit::OutOfRange
                })
            }
            Numbers::F32 => short_float(number),
        }
    }

    fn moment(&self, moment: i128) -> Option<Misfit> {
        if let Some((first, last)) = self.holds.moments
            && !(i128::from(first)..=i128::from(last)).contains(&moment)
        {
            return Some(Misfit::OutOfRange);
        }
        self.finer(moment)
    }

    fn finer(&self, micros: i128) -> Option<Misfit> {
        let fits = match self.holds.step? {
            Step::Micros(step) => micros.rem_euclid(i128::from(step)) == 0,
            Step::ThreeHundredths => {
                micros % 1000 == 0 && matches!((micros / 1000).rem_euclid(10), 0 | 3 | 7)
            }
        };
        (!fits).then_some(Misfit::Finer)
    }
}

/// Returns the digits and scale of a number without zeros at the end of its fraction.
fn significant(number: Number) -> Option<(i128, u32)> {
    let (mut digits, mut scale) = number.exact()?;
    while scale > 0 && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Some((digits, scale))
}

/// Returns why a number does not fit a binary one of 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "what is lost is what is looked for")]
#[expect(clippy::float_cmp, reason = "a number is the same or not")]
fn short_float(number: Number) -> Option<Misfit> {
    let short = number.float() as f32;
    if !short.is_finite() {
        return Some(Misfit::OutOfRange);
    }
    let same = match number {
        Number::Float(value) => f64::from(short) == value,
        // The shortest decimal number that reads back as it.
        exact @ Number::Exact { .. } => {
            short.to_string().parse().is_ok_and(|shown: f64| Number::Float(shown).compare(exact).is_eq())
        }
    };
    (!same).then_some(Misfit::Digits)
}

#[cfg(test)]
mod tests;
