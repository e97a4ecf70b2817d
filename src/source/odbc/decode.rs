//! From a driver's buffers to Arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    StringViewBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder, UInt64Builder,
};
use chrono::{DateTime, NaiveDate};
use odbc_api::sys::{Date, Timestamp};

use crate::frame::{Value, arrow_type, decimal};
use crate::model::Logical;

use super::problem::Wrong;

/// A column of the next batch.
pub(super) struct Builder {
    logical: Logical,
    array: Array,
    /// Where text is put together.
    scratch: String,
    /// The bytes of its texts and bytes.
    bytes: usize,
}

enum Array {
    I64(Int64Builder),
    U64(UInt64Builder),
    Bool(BooleanBuilder),
    F64(Float64Builder),
    Decimal(Decimal128Builder, u8, u8),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
    Time(Time64MicrosecondBuilder),
    Text(StringViewBuilder),
    Bytes(BinaryBuilder),
}

impl Builder {
    /// Begins a column of this type.
    pub fn new(logical: &Logical) -> Self {
        let form = arrow_type(logical);
        let array = match logical {
            Logical::I64 => Array::I64(Int64Builder::new()),
            Logical::U64 => Array::U64(UInt64Builder::new()),
            Logical::Bool => Array::Bool(BooleanBuilder::new()),
            Logical::F64 => Array::F64(Float64Builder::new()),
            Logical::Decimal { precision, scale } => {
                Array::Decimal(Decimal128Builder::new().with_data_type(form), *precision, *scale)
            }
            Logical::Date => Array::Date(Date32Builder::new()),
            Logical::Timestamp { .. } => {
                Array::Moment(TimestampMicrosecondBuilder::new().with_data_type(form))
            }
            Logical::Time => Array::Time(Time64MicrosecondBuilder::new()),
            Logical::Bytes => Array::Bytes(BinaryBuilder::new()),
            Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => {
                Array::Text(StringViewBuilder::new())
            }
        };
        Builder { logical: logical.clone(), array, scratch: String::new(), bytes: 0 }
    }

    /// Appends NULL.
    pub fn null(&mut self) {
        match &mut self.array {
            Array::I64(array) => array.append_null(),
            Array::U64(array) => array.append_null(),
            Array::Bool(array) => array.append_null(),
            Array::F64(array) => array.append_null(),
            Array::Decimal(array, ..) => array.append_null(),
            Array::Date(array) => array.append_null(),
            Array::Moment(array) => array.append_null(),
            Array::Time(array) => array.append_null(),
            Array::Text(array) => array.append_null(),
            Array::Bytes(array) => array.append_null(),
        }
    }

    /// Appends a whole number.
    pub fn whole(&mut self, value: i64) -> Result<(), Wrong> {
        match (&mut self.array, value) {
            (Array::I64(array), value) => array.append_value(value),
            (Array::Bool(array), 0 | 1) => array.append_value(value == 1),
            _ => return Err(Wrong::Type),
        }
        Ok(())
    }

    /// Appends a floating-point number.
    pub fn real(&mut self, value: f64) -> Result<(), Wrong> {
        let Array::F64(array) = &mut self.array else { return Err(Wrong::Type) };
        array.append_value(value);
        Ok(())
    }

    /// Appends a date.
    pub fn date(&mut self, value: Date) -> Result<(), Wrong> {
        let Array::Date(array) = &mut self.array else { return Err(Wrong::Type) };
        array.append_value(days(value.year, value.month, value.day).ok_or(Wrong::Type)?);
        Ok(())
    }

    /// Appends a date and time.
    pub fn moment(&mut self, value: Timestamp) -> Result<(), Wrong> {
        let Array::Moment(array) = &mut self.array else { return Err(Wrong::Type) };
        if !value.fraction.is_multiple_of(1_000) {
            return Err(Wrong::Fine);
        }
        let days = i64::from(days(value.year, value.month, value.day).ok_or(Wrong::Type)?);
        if value.hour > 23 || value.minute > 59 || value.second > 59 || value.fraction > 999_999_999 {
            return Err(Wrong::Type);
        }
        let seconds = i64::from(value.hour) * 3600 + i64::from(value.minute) * 60 + i64::from(value.second);
        array.append_value((days * 86_400 + seconds) * 1_000_000 + i64::from(value.fraction / 1_000));
        Ok(())
    }

    /// Appends UTF-8.
    pub fn utf8(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        let text = std::str::from_utf8(bytes).map_err(|_| Wrong::Text)?;
        self.text(text)
    }

    /// Appends UTF-16.
    pub fn wide(&mut self, units: &[u16]) -> Result<(), Wrong> {
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let decoded = char::decode_utf16(units.iter().copied()).try_for_each(|letter| {
            text.push(letter.map_err(|_| Wrong::Text)?);
            Ok(())
        });
        let result = decoded.and_then(|()| self.text(&text));
        self.scratch = text;
        result
    }

    /// Appends bytes.
    pub fn binary(&mut self, bytes: &[u8]) -> Result<(), Wrong> {
        let Array::Bytes(array) = &mut self.array else { return Err(Wrong::Type) };
        self.bytes += bytes.len();
        array.append_value(bytes);
        Ok(())
    }

    /// Appends what a text says.
    pub fn text(&mut self, text: &str) -> Result<(), Wrong> {
        self.bytes += text.len();
        match (&mut self.array, &self.logical) {
            (Array::Text(array), Logical::Uuid) => match Value::parse(text.trim_end(), &Logical::Uuid) {
                Some(Value::Text(uuid)) => array.append_value(uuid),
                _ => return Err(Wrong::Type),
            },
            (Array::Text(array), _) => array.append_value(text),
            (Array::Decimal(array, precision, scale), _) => {
                array.append_value(number(text, *precision, *scale).ok_or(Wrong::Type)?);
            }
            (array, logical) => append(array, text.trim_end(), logical)?,
        }
        Ok(())
    }

    /// Returns about how many bytes the values take that were appended as texts and bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Ends the batch's column, and begins the next.
    pub fn finish(&mut self) -> ArrayRef {
        self.bytes = 0;
        match &mut self.array {
            Array::I64(array) => Arc::new(array.finish()),
            Array::U64(array) => Arc::new(array.finish()),
            Array::Bool(array) => Arc::new(array.finish()),
            Array::F64(array) => Arc::new(array.finish()),
            Array::Decimal(array, ..) => Arc::new(array.finish()),
            Array::Date(array) => Arc::new(array.finish()),
            Array::Moment(array) => Arc::new(array.finish()),
            Array::Time(array) => Arc::new(array.finish()),
            Array::Text(array) => Arc::new(array.finish()),
            Array::Bytes(array) => Arc::new(array.finish()),
        }
    }
}

/// Reads a decimal; drivers may leave out the nought before its point.
fn number(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let text = text.trim();
    if let Some(value) = decimal(text, precision, scale) {
        return Some(value);
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    if digits.starts_with('.') { decimal(&format!("{sign}0{digits}"), precision, scale) } else { None }
}

fn append(array: &mut Array, text: &str, logical: &Logical) -> Result<(), Wrong> {
    let whole_offset;
    // `+01` is the same as `+01:00`, which alone is known elsewhere; a blank before it says nothing.
    let text = match logical {
        Logical::Timestamp { utc: true } => {
            whole_offset = with_minutes(text);
            whole_offset.as_str()
        }
        _ => text,
    };
    match (array, Value::parse(text, logical).ok_or(Wrong::Type)?) {
        (Array::I64(array), Value::I64(value)) => array.append_value(value),
        (Array::U64(array), Value::U64(value)) => array.append_value(value),
        (Array::Bool(array), Value::Bool(value)) => array.append_value(value),
        (Array::F64(array), Value::F64(value)) => array.append_value(value),
        (Array::Date(array), Value::Date(value)) => array.append_value(value),
        (Array::Moment(array), Value::Moment(value)) => array.append_value(value),
        (Array::Time(array), Value::Time(value)) => array.append_value(value),
        _ => return Err(Wrong::Type),
    }
    Ok(())
}

fn with_minutes(text: &str) -> String {
    let plain: String = match text.rfind(['+', '-']).filter(|at| *at > 10) {
        Some(at) => {
            let (moment, offset) = text.split_at(at);
            let minutes = if offset.len() == 3 { ":00" } else { "" };
            format!("{}{offset}{minutes}", moment.trim_end())
        }
        None => text.to_owned(),
    };
    plain
}

fn days(year: i16, month: u16, day: u16) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))?;
    i32::try_from((date - DateTime::UNIX_EPOCH.date_naive()).num_days()).ok()
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};

    use super::*;

    #[test]
    fn decimals_without_a_nought_are_read() {
        let mut builder = Builder::new(&Logical::Decimal { precision: 9, scale: 2 });
        for text in [".5", "-.50", "12", " 1.10", "-0.01"] {
            builder.utf8(text.as_bytes()).unwrap();
        }
        assert_eq!(builder.finish().as_primitive::<Decimal128Type>().values(), &[50, -50, 1200, 110, -1]);
        assert_eq!(builder.utf8(b"0.001"), Err(Wrong::Type));
        assert_eq!(builder.utf8(b"99999999.00"), Err(Wrong::Type));
    }

    #[test]
    fn offsets_are_read() {
        let mut builder = Builder::new(&Logical::TIMESTAMP_UTC);
        for text in ["1970-01-01 01:00:00+01", "1970-01-01T00:00:00 +00:00", "1969-12-31 23:30:00.5-00:30"] {
            builder.utf8(text.as_bytes()).unwrap();
        }
        let values = builder.finish();
        assert_eq!(values.as_primitive::<TimestampMicrosecondType>().values(), &[0, 0, 500_000]);
    }

    #[test]
    fn nothing_is_rounded_or_replaced() {
        let fine = Timestamp { year: 2026, month: 1, day: 1, hour: 0, minute: 0, second: 0, fraction: 100 };
        assert_eq!(Builder::new(&Logical::TIMESTAMP).moment(fine), Err(Wrong::Fine));
        let nought = Date { year: 0, month: 0, day: 0 };
        assert_eq!(Builder::new(&Logical::Date).date(nought), Err(Wrong::Type));
        assert_eq!(Builder::new(&Logical::TEXT).wide(&[0xD800, 65]), Err(Wrong::Text));
        assert_eq!(Builder::new(&Logical::Bool).whole(2), Err(Wrong::Type));
        let mut text = Builder::new(&Logical::TEXT);
        text.wide(&"Łódź 😀".encode_utf16().collect::<Vec<_>>()).unwrap();
        assert_eq!(text.finish().as_string_view().value(0), "Łódź 😀");
    }
}
