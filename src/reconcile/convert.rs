//! The values of one side's column, brought into the form in which the two sides meet.

use std::borrow::Cow;
use std::fmt::Write;

use chrono::{DateTime, LocalResult, Offset, TimeZone, Timelike};
use chrono_tz::Tz;
use polars::prelude::{PolarsResult, Series};

use crate::frame::{Number, Texts, Value};
use crate::model::{Field, Logical};

use super::cell::{Cell, DAY, Values};

/// What is done to a side's values before they are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Convert {
    /// Nothing.
    Direct,
    /// They are compared in their canonical text.
    Text,
    /// They are compared in the text from which their type was inferred.
    Original(Option<String>),
    /// They are compared as UUIDs: lower case, without braces.
    Uuid,
    /// Instants are compared in the wall clock of a zone.
    Wall(Tz),
    /// Moments without a zone, and texts that are read as such, are the wall clock of this zone.
    NaiveWall(Tz),
    /// They are read as this type.
    As {
        logical: Logical,
        /// What is done before: nothing, or one of the wall clocks.
        before: Box<Convert>,
    },
}

/// Reads a side's column cell by cell.
pub(super) struct Reader {
    pub(super) values: Values,
    pub(super) convert: Convert,
    texts: Texts,
}

impl Reader {
    pub(super) fn new(series: &Series, field: &Field, convert: Convert) -> PolarsResult<Reader> {
        let series = series.rechunk();
        Ok(Reader { values: Values::new(&series)?, texts: Texts::new(&series, &field.logical), convert })
    }

    /// Returns the value at `index` (from 0) in the form in which it is compared.
    pub(super) fn cell(&self, index: usize) -> Cell<'_> {
        self.converted(index, &self.convert)
    }

    fn converted(&self, index: usize, convert: &Convert) -> Cell<'_> {
        match convert {
            Convert::Direct => self.values.cell(index),
            Convert::Text => self.text(index),
            Convert::Original(format) => match (format, self.values.cell(index)) {
                (Some(format), Cell::Moment(moment)) => {
                    formatted(moment, format).map_or_else(|| self.text(index), |t| Cell::Text(Cow::Owned(t)))
                }
                _ => self.text(index),
            },
            Convert::Uuid => match self.text(index) {
                Cell::Text(text) => Cell::Text(canonical_uuid(text)),
                other => other,
            },
            Convert::Wall(zone) => match self.values.cell(index) {
                Cell::Moment(instant) => Cell::Moment(wall_clock(instant, *zone)),
                other => other,
            },
            Convert::NaiveWall(zone) => match self.values.cell(index) {
                // A date is a day, not a time that a clock would have had to show.
                Cell::Moment(moment) if is_skipped(moment, *zone) && !self.is_date() => Cell::Skipped,
                other => other,
            },
            Convert::As { logical, before } => {
                if logical.is_text() && *logical != Logical::Uuid {
                    return self.text(index);
                }
                let cell = match (self.converted(index, before), before.as_ref()) {
                    (Cell::Text(text), Convert::NaiveWall(zone)) => on_clock(text, logical, *zone),
                    (cell, _) => cell,
                };
                match cell_as(cell, logical) {
                    Some(cell) => cell,
                    None => self.text(index),
                }
            }
        }
    }

    fn is_date(&self) -> bool {
        matches!(self.values, Values::Date(_))
    }

    fn text(&self, index: usize) -> Cell<'_> {
        self.texts.get(index).map_or(Cell::Null, Cell::Text)
    }
}

/// Returns a text that stands for a time which a zone's clocks never showed as such; any other as it is.
fn on_clock<'a>(text: Cow<'a, str>, logical: &Logical, zone: Tz) -> Cell<'a> {
    match read_text(&text, logical) {
        Some(Cell::Moment(moment)) if is_skipped(moment, zone) => Cell::Skipped,
        _ => Cell::Text(text),
    }
}

/// Returns a value as another type; nothing where it cannot be read so.
///
/// Numbers are rounded to the digits of a decimal or whole number, half away from zero; moments are cut off to
/// a date; texts are read without white space at their ends.
pub(super) fn cell_as<'a>(cell: Cell<'a>, logical: &Logical) -> Option<Cell<'a>> {
    let cell = match cell {
        Cell::Text(text) => read_text(&text, logical)?,
        other => other,
    };
    match (logical, cell) {
        (_, Cell::Null) => Some(Cell::Null),
        (_, Cell::Skipped) => Some(Cell::Skipped),
        (Logical::Bool, Cell::Bool(v)) => Some(Cell::Bool(v)),
        (Logical::Bool, Cell::Number(n)) => match n.exact() {
            Some((digits, scale)) if same_number(digits, scale, 1) => Some(Cell::Bool(true)),
            Some((0, _)) => Some(Cell::Bool(false)),
            _ => None,
        },
        (Logical::F64, Cell::Number(n)) => Some(Cell::Number(Number::Float(n.float()))),
        (Logical::I64 | Logical::U64, Cell::Number(n)) => Some(Cell::Number(rounded(n, 0))),
        (Logical::Decimal { scale, .. }, Cell::Number(n)) => {
            Some(Cell::Number(rounded(n, u32::from(*scale))))
        }
        (Logical::F64 | Logical::I64 | Logical::U64 | Logical::Decimal { .. }, Cell::Bool(v)) => {
            Some(Cell::Number(Number::whole(i64::from(v))))
        }
        (Logical::Date, Cell::Moment(m)) => Some(Cell::Moment(m.div_euclid(DAY) * DAY)),
        (Logical::Timestamp { .. }, cell @ Cell::Moment(_))
        | (Logical::Time, cell @ Cell::Time(_))
        | (Logical::Bytes, cell @ Cell::Bytes(_))
        | (Logical::Uuid, cell @ Cell::Text(_)) => Some(cell),
        _ => None,
    }
}

/// Reads a text as a value of a type; nothing where it is none.
pub(super) fn read_text(text: &str, logical: &Logical) -> Option<Cell<'static>> {
    let text = text.trim();
    match logical {
        Logical::I64 | Logical::U64 | Logical::Decimal { .. } => number(text).map(Cell::Number),
        // Floating-point numbers have NaN and the infinities beside numbers.
        Logical::F64 => match (number(text), Value::parse(text, logical)) {
            (Some(number), _) => Some(Cell::Number(number)),
            (None, Some(Value::F64(value))) if !value.is_finite() => Some(Cell::Number(Number::Float(value))),
            _ => None,
        },
        Logical::Date => match Value::parse(text, &Logical::TIMESTAMP)? {
            Value::Moment(m) => Some(Cell::Moment(i128::from(m))),
            _ => None,
        },
        other => match Value::parse(text, other)? {
            Value::Text(v) => Some(Cell::Text(Cow::Owned(v))),
            Value::Bool(v) => Some(Cell::Bool(v)),
            Value::Moment(v) => Some(Cell::Moment(i128::from(v))),
            Value::Time(v) => Some(Cell::Time(v)),
            Value::Bytes(v) => Some(Cell::Bytes(Cow::Owned(v))),
            _ => None,
        },
    }
}

/// Reads a number: up to 38 digits with at most one point, or with an exponent, then to the precision of a
/// floating-point number.
fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.contains(['e', 'E']) {
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
        return text.parse().ok().filter(|v: &f64| plain && v.is_finite()).map(Number::Float);
    }
    let amount = super::Amount::parse(digits)?;
    Some(Number::Exact { digits: if negative { -amount.digits } else { amount.digits }, scale: amount.scale })
}

fn same_number(digits: i128, scale: u32, whole: i128) -> bool {
    Number::Exact { digits, scale }.compare(Number::whole(whole)).is_eq()
}

/// Rounds a number to `scale` digits behind the point, half away from zero.
fn rounded(number: Number, scale: u32) -> Number {
    let Some((digits, own)) = number.exact() else {
        return number;
    };
    if own <= scale {
        return Number::Exact { digits, scale: own };
    }
    let Some(factor) = 10_i128.checked_pow(own - scale) else {
        return Number::Exact { digits: 0, scale };
    };
    let (quotient, rest) = (digits / factor, digits % factor);
    let up = rest.unsigned_abs() >= factor.unsigned_abs().div_ceil(2);
    Number::Exact { digits: quotient + if up { digits.signum() } else { 0 }, scale }
}

/// Returns a UUID in lower case without braces; another text as it is.
pub(super) fn canonical_uuid(text: Cow<'_, str>) -> Cow<'_, str> {
    match Value::parse(&text, &Logical::Uuid) {
        Some(Value::Text(uuid)) if uuid != text => Cow::Owned(uuid),
        _ => text,
    }
}

/// Returns what the clocks of a zone showed at an instant.
pub(super) fn wall_clock(instant: i128, zone: Tz) -> i128 {
    let moment = i64::try_from(instant).ok().and_then(DateTime::from_timestamp_micros);
    match moment {
        Some(moment) => {
            let offset = zone.offset_from_utc_datetime(&moment.naive_utc()).fix().local_minus_utc();
            instant + i128::from(offset) * 1_000_000
        }
        None => instant,
    }
}

/// Returns true where the clocks of a zone never showed this time.
pub(super) fn is_skipped(wall: i128, zone: Tz) -> bool {
    i64::try_from(wall)
        .ok()
        .and_then(DateTime::from_timestamp_micros)
        .is_some_and(|m| matches!(zone.offset_from_local_datetime(&m.naive_utc()), LocalResult::None))
}

/// Writes a moment as the pattern of an inferred type has it: `strftime`, but `%.7f` and the like may have any number
/// of digits. Nothing where the pattern has no place for a part of the moment.
fn formatted(moment: i128, pattern: &str) -> Option<String> {
    let micros = i64::try_from(moment).ok()?;
    let naive = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let nanos = format!("{:09}", naive.nanosecond());
    let mut plain = pattern.to_owned();
    if let Some((before, digits, after)) = pattern
        .split_once("%.")
        .and_then(|(before, rest)| rest.split_once('f').map(|(digits, after)| (before, digits, after)))
    {
        plain = format!("{before}.{}{after}", nanos.get(..digits.parse().ok()?)?);
    }
    let mut text = String::new();
    write!(text, "{}", naive.format(&plain)).ok()?;
    // What was cut off would make two moments one.
    let reads_back = [Logical::TIMESTAMP, Logical::TIMESTAMP_UTC]
        .iter()
        .any(|logical| Value::parse(&text, logical) == Some(Value::Moment(micros)));
    reads_back.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i128 {
        match read_text(text, &Logical::TIMESTAMP) {
            Some(Cell::Moment(m)) => m,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_changes_of_the_clocks_in_london() {
        let london = chrono_tz::Europe::London;
        // In October 2025 the hour from 01:00 came twice: at 00:xx and at 01:xx UTC.
        assert_eq!(wall_clock(at("2025-10-26 00:30:00"), london), at("2025-10-26 01:30:00"));
        assert_eq!(wall_clock(at("2025-10-26 01:30:00"), london), at("2025-10-26 01:30:00"));
        assert!(!is_skipped(at("2025-10-26 01:30:00"), london));
        // In March 2026 the clocks went from 00:59:59 to 02:00.
        assert_eq!(wall_clock(at("2026-03-29 00:59:59"), london), at("2026-03-29 00:59:59"));
        assert_eq!(wall_clock(at("2026-03-29 01:00:00"), london), at("2026-03-29 02:00:00"));
        assert!(!is_skipped(at("2026-03-29 00:59:59.999999"), london));
        assert!(is_skipped(at("2026-03-29 01:00:00"), london));
        assert!(is_skipped(at("2026-03-29 01:59:59.999999"), london));
        assert!(!is_skipped(at("2026-03-29 02:00:00"), london));
    }

    #[test]
    fn numbers_are_rounded_half_away_from_zero() {
        let round = |text: &str, scale| {
            let mut out = String::new();
            rounded(number(text).unwrap(), scale).push_text(&mut out);
            out
        };
        assert_eq!(round("2.225", 2), "2.23");
        assert_eq!(round("-2.225", 2), "-2.23");
        assert_eq!(round("2.2249", 2), "2.22");
        assert_eq!(round("0.5", 0), "1");
        assert_eq!(round("1.05e0", 1), "1.1");
        assert_eq!(round("7", 2), "7");
        assert!(number("1,5").is_none() && number("").is_none() && number("inf").is_none());
    }

    #[test]
    fn original_text_of_a_moment() {
        let written = |moment: &str, pattern: &str| formatted(at(moment), pattern);
        for (moment, pattern, text) in [
            ("2024-02-03 04:05", "%Y-%m-%dT%H:%M", "2024-02-03T04:05"),
            ("2024-02-03 04:05:06.5", "%Y-%m-%d %H:%M:%S%.1f", "2024-02-03 04:05:06.5"),
            ("2024-02-03 04:05:06.123456", "%Y-%m-%d %H:%M:%S%.7f", "2024-02-03 04:05:06.1234560"),
            ("2024-02-03 04:05:06", "%Y-%m-%dT%H:%M:%S%.3f+00:00", "2024-02-03T04:05:06.000+00:00"),
        ] {
            assert_eq!(written(moment, pattern).as_deref(), Some(text), "{pattern}");
        }
        assert_eq!(formatted(0, "%!"), None);
    }

    #[test]
    fn a_pattern_that_cuts_a_moment_is_not_used() {
        let written = |moment: &str, pattern: &str| formatted(at(moment), pattern);
        assert_eq!(written("2024-02-03 04:05:30", "%Y-%m-%d %H:%M"), None);
        assert_eq!(written("2024-02-03 04:05:30.25", "%Y-%m-%d %H:%M:%S"), None);
        assert_eq!(written("2024-02-03 04:05:30.25", "%Y-%m-%d %H:%M:%S%.1f"), None);
    }
}
