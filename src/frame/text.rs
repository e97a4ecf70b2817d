//! The one text form of a value: in findings, keys, reports and hashes.

use std::borrow::Cow;
use std::fmt::Write;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use polars::prelude::{
    BinaryChunked, BooleanChunked, DataType, Float64Chunked, Int32Chunked, Int64Chunked, Int128Chunked,
    Series, StringChunked, UInt64Chunked,
};

use crate::model::Logical;

/// The texts of a column's values, made as they are asked for.
///
/// Booleans are `true` and `false`; decimals show all digits of their scale; floating-point numbers the
/// fewest digits that read back as the same number; dates are ISO 8601; timestamps are
/// `2026-03-29 01:30:00` with as many digits of the second as are needed, instants with a `Z` behind;
/// bytes are lower-case hexadecimal.
#[derive(Debug, Clone)]
pub struct Texts {
    values: Values,
    length: usize,
}

#[derive(Debug, Clone)]
enum Values {
    Text(StringChunked),
    Bool(BooleanChunked),
    I64(Int64Chunked),
    U64(UInt64Chunked),
    F64(Float64Chunked),
    Decimal(Int128Chunked, u8),
    Date(Int32Chunked),
    Moment(Int64Chunked, bool),
    Time(Int64Chunked),
    Bytes(BinaryChunked),
    /// A column that has no values.
    Null,
}

impl Texts {
    /// Makes the texts of a series whose polars type is the one of `logical`.
    ///
    /// A series of another type has no texts: every value is NULL.
    pub fn new(series: &Series, logical: &Logical) -> Self {
        let series = series.rechunk();
        let values = match series.dtype() {
            DataType::String => series.str().map(|c| Values::Text(c.clone())),
            DataType::Boolean => series.bool().map(|c| Values::Bool(c.clone())),
            DataType::Int64 => series.i64().map(|c| Values::I64(c.clone())),
            DataType::UInt64 => series.u64().map(|c| Values::U64(c.clone())),
            DataType::Float64 => series.f64().map(|c| Values::F64(c.clone())),
            DataType::Decimal(_, scale) => {
                let scale = u8::try_from(*scale).unwrap_or(0);
                series.decimal().map(|c| Values::Decimal(c.physical().clone(), scale))
            }
            DataType::Date => series.date().map(|c| Values::Date(c.physical().clone())),
            DataType::Datetime(_, _) => {
                let utc = matches!(logical, Logical::Timestamp { utc: true });
                series.datetime().map(|c| Values::Moment(c.physical().clone(), utc))
            }
            DataType::Time => series.time().map(|c| Values::Time(c.physical().clone())),
            DataType::Binary => series.binary().map(|c| Values::Bytes(c.clone())),
            _ => Ok(Values::Null),
        };
        Texts { values: values.unwrap_or(Values::Null), length: series.len() }
    }

    /// Returns the text of the value at `index` (from 0), or NULL.
    ///
    /// # Panics
    /// Where `index` is not below the column's length.
    pub fn get(&self, index: usize) -> Option<Cow<'_, str>> {
        match &self.values {
            Values::Text(c) => c.get(index).map(Cow::Borrowed),
            Values::Bool(c) => c.get(index).map(|v| Cow::Borrowed(if v { "true" } else { "false" })),
            Values::I64(c) => c.get(index).map(|v| Cow::Owned(v.to_string())),
            Values::U64(c) => c.get(index).map(|v| Cow::Owned(v.to_string())),
            Values::F64(c) => c.get(index).map(|v| Cow::Owned(v.to_string())),
            Values::Decimal(c, scale) => c.get(index).map(|v| Cow::Owned(decimal_text(v, *scale))),
            Values::Date(c) => c.get(index).map(|v| Cow::Owned(date_text(v))),
            Values::Moment(c, utc) => c.get(index).map(|v| Cow::Owned(moment_text(v, *utc))),
            Values::Time(c) => c.get(index).map(|v| Cow::Owned(time_text(v / 1000))),
            Values::Bytes(c) => c.get(index).map(|v| Cow::Owned(hex(v))),
            Values::Null => None,
        }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns true where there is no value.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the text as a string of its own.
    ///
    /// # Panics
    /// Where `index` is not below the column's length.
    pub fn owned(&self, index: usize) -> Option<String> {
        self.get(index).map(Cow::into_owned)
    }
}

fn decimal_text(value: i128, scale: u8) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

pub(super) fn date_text(days: i32) -> String {
    match NaiveDate::from_epoch_days(days) {
        Some(date) => iso_date(date),
        None => format!("day {days}"),
    }
}

fn iso_date(date: NaiveDate) -> String {
    if (0..=9999).contains(&date.year()) {
        format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    } else {
        format!("{:+05}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

/// Returns the text of a moment given in microseconds since 1970-01-01, e.g. `2026-03-29 01:30:00.25`, with a `Z` for an instant.
///
/// A moment that the calendar does not reach (year ±262,142) is given as `moment <microseconds>`.
pub fn moment_text(micros: i64, utc: bool) -> String {
    let Some(moment) = DateTime::from_timestamp_micros(micros).map(|m| m.naive_utc()) else {
        return format!("moment {micros}");
    };
    let mut text = iso_date(moment.date());
    push_time(&mut text, moment);
    if utc {
        text.push('Z');
    }
    text
}

fn push_time(text: &mut String, moment: NaiveDateTime) {
    // Writing to a String cannot fail.
    let _ = write!(text, " {:02}:{:02}:{:02}", moment.hour(), moment.minute(), moment.second());
    push_fraction(text, moment.nanosecond() / 1000);
}

fn push_fraction(text: &mut String, micros: u32) {
    if micros > 0 {
        let digits = format!(".{micros:06}");
        text.push_str(digits.trim_end_matches('0'));
    }
}

/// Returns the text of a time of day given in microseconds since midnight, e.g. `14:05:00.5`.
pub fn time_text(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    push_fraction(&mut text, u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0));
    text
}

/// Returns bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_canonical() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(12345, 2), "123.45");
        assert_eq!(decimal_text(7, 0), "7");
        assert_eq!(date_text(-25567), "1900-01-01");
        assert_eq!(moment_text(1_774_747_800_250_000, true), "2026-03-29 01:30:00.25Z");
        assert_eq!(moment_text(-1, false), "1969-12-31 23:59:59.999999");
        assert_eq!(time_text(45_296_789_000), "12:34:56.789");
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
