//! Text to typed values: declared CSV columns and the literals of rule files.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use polars::prelude::{AnyValue, DataType, LiteralValue, Scalar, TimeUnit};

use crate::model::Logical;

/// One value of a logical type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text and everything that travels as text.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A signed whole number.
    I64(i64),
    /// An unsigned whole number.
    U64(u64),
    /// A floating-point number.
    F64(f64),
    /// The digits of a decimal, without its point.
    Decimal(i128),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01 00:00, of the wall clock or of UTC.
    Moment(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// Reads a text as a logical type; nothing where the text is not of that type, or would lose digits.
    ///
    /// Blanks around the text are not accepted, except in padded text, which loses the trailing ones.
    /// Booleans are true/false, t/f, yes/no, y/n, 1/0 in any case. Numbers are plain: a sign, digits, a
    /// point; floating-point numbers may have an exponent. Dates are `YYYY-MM-DD`, also with a time that is
    /// all zero. Timestamps are a date, or a date, a blank or `T`, and `HH:MM[:SS[.fraction]]` with at most six digits that
    /// are not zero; instants have a `Z` or an offset behind. Bytes are hexadecimal, with or without `\x` or `0x`.
    ///
    /// ```
    /// use counterfoil::frame::Value;
    /// use counterfoil::model::Logical;
    /// assert_eq!(Value::parse("-0.5", &Logical::Decimal { precision: 9, scale: 2 }), Some(Value::Decimal(-50)));
    /// assert_eq!(Value::parse("0.005", &Logical::Decimal { precision: 9, scale: 2 }), None);
    /// assert_eq!(Value::parse("1900-01-01 00:00:00", &Logical::Date), Some(Value::Date(-25567)));
    /// ```
    pub fn parse(text: &str, logical: &Logical) -> Option<Value> {
        Some(match logical {
            Logical::Text { padded: true, length } => {
                let text = text.trim_end_matches(' ');
                Value::Text(fits(text, *length)?.to_owned())
            }
            Logical::Text { padded: false, length } => Value::Text(fits(text, *length)?.to_owned()),
            Logical::Json | Logical::Other(_) => Value::Text(text.to_owned()),
            Logical::Uuid => Value::Text(uuid(text)?),
            Logical::Bool => Value::Bool(boolean(text)?),
            Logical::I64 => Value::I64(text.parse().ok()?),
            Logical::U64 => Value::U64(text.parse().ok()?),
            Logical::F64 => Value::F64(float(text)?),
            Logical::Decimal { precision, scale } => Value::Decimal(decimal(text, *precision, *scale)?),
            Logical::Date => Value::Date(date(text)?),
            Logical::Timestamp { utc: false } => Value::Moment(moment(text)?),
            Logical::Timestamp { utc: true } => Value::Moment(instant(text)?),
            Logical::Time => Value::Time(time(text)?),
            Logical::Bytes => Value::Bytes(bytes(text)?),
        })
    }

    /// Returns the value as a polars literal of the logical type's polars form.
    pub fn literal(self, logical: &Logical) -> LiteralValue {
        let dtype = super::polars_type(logical);
        let value = match self {
            Value::Text(v) => AnyValue::StringOwned(v.as_str().into()),
            Value::Bool(v) => AnyValue::Boolean(v),
            Value::I64(v) => AnyValue::Int64(v),
            Value::U64(v) => AnyValue::UInt64(v),
            Value::F64(v) => AnyValue::Float64(v),
            Value::Decimal(v) => match &dtype {
                DataType::Decimal(precision, scale) => AnyValue::Decimal(v, *precision, *scale),
                _ => AnyValue::Null,
            },
            Value::Date(v) => AnyValue::Date(v),
            Value::Moment(v) => AnyValue::Datetime(v, TimeUnit::Microseconds, None),
            Value::Time(v) => AnyValue::Time(v * 1000),
            Value::Bytes(v) => AnyValue::BinaryOwned(v),
        };
        LiteralValue::Scalar(Scalar::new(dtype, value))
    }
}

fn fits(text: &str, length: Option<u32>) -> Option<&str> {
    let fits = length.is_none_or(|n| text.len() <= n as usize || text.chars().count() <= n as usize);
    fits.then_some(text)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Reads a floating-point number; a text in digits that is too large for one is none, and not infinite.
fn float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    (value.is_finite() || !text.bytes().any(|b| b.is_ascii_digit())).then_some(value)
}

fn uuid(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let shape = bare.len() == 36
        && bare
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() });
    shape.then(|| bare.to_ascii_lowercase())
}

/// Reads a plain decimal into its digits at `scale`; nothing where a digit that is not zero would be lost or the precision is exceeded.
pub fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty())
        || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let scale = usize::from(scale);
    let (kept, lost) = fraction.split_at(fraction.len().min(scale));
    if lost.bytes().any(|b| b != b'0') {
        return None;
    }
    let mut value: i128 = 0;
    for b in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', scale - kept.len())) {
        value = value.checked_mul(10)?.checked_add(i128::from(b - b'0'))?;
    }
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}

/// Reads `YYYY-MM-DD` strictly.
fn plain_date(text: &str) -> Option<NaiveDate> {
    let b = text.as_bytes();
    if b.len() != 10
        || b[4] != b'-'
        || b[7] != b'-'
        || !b.iter().enumerate().all(|(i, b)| matches!(i, 4 | 7) || b.is_ascii_digit())
    {
        return None;
    }
    NaiveDate::from_ymd_opt(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

/// Reads `HH:MM[:SS[.fraction]]` strictly, to the microsecond.
fn plain_time(text: &str) -> Option<NaiveTime> {
    let two = |at: usize| -> Option<u32> {
        let part = text.get(at..at + 2)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let colon = |at: usize| text.as_bytes().get(at) == Some(&b':');
    let (hour, minute) = (two(0)?, two(3).filter(|_| colon(2))?);
    let (second, micros) = match text.len() {
        5 => (0, 0),
        8 if colon(5) => (two(6)?, 0),
        9.. if colon(5) && text.as_bytes()[8] == b'.' => {
            let fraction = &text[9..];
            if fraction.is_empty()
                || !fraction.bytes().all(|b| b.is_ascii_digit())
                || fraction.get(6..).is_some_and(|rest| rest.bytes().any(|b| b != b'0'))
            {
                return None;
            }
            let micros = format!("{fraction:0<6}")[..6].parse().ok()?;
            (two(6)?, micros)
        }
        _ => return None,
    };
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

fn date_time(text: &str) -> Option<NaiveDateTime> {
    let date = plain_date(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return date.and_hms_opt(0, 0, 0);
    }
    let time = plain_time(rest.strip_prefix([' ', 'T'])?)?;
    Some(date.and_time(time))
}

fn date(text: &str) -> Option<i32> {
    let moment = date_time(text)?;
    (moment.time() == NaiveTime::MIN).then(|| moment.date().to_epoch_days())
}

fn moment(text: &str) -> Option<i64> {
    date_time(text).map(|m| m.and_utc().timestamp_micros())
}

fn instant(text: &str) -> Option<i64> {
    if let Some(naive) = text.strip_suffix(['Z', 'z']) {
        return moment(naive);
    }
    let at = text.rfind(['+', '-']).filter(|at| *at > 10)?;
    let offset = &text[at + 1..];
    let (hours, minutes) = match offset.len() {
        2 => (offset, "00"),
        4 => offset.split_at_checked(2)?,
        5 if offset.as_bytes()[2] == b':' => (offset.get(..2)?, offset.get(3..)?),
        _ => return None,
    };
    let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<i64>().ok())?;
    let minutes = number(hours)? * 60 + number(minutes)?;
    let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
    Some(moment(text[..at].trim_end_matches(' '))? - sign * minutes * 60_000_000)
}

fn time(text: &str) -> Option<i64> {
    plain_time(text)
        .map(|t| i64::from(t.num_seconds_from_midnight()) * 1_000_000 + i64::from(t.nanosecond() / 1000))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = ["\\x", "0x", "0X"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_nothing() {
        let d = |t: &str| decimal(t, 5, 2);
        assert_eq!(
            [d("1"), d("1.5"), d("1.500"), d(".5"), d("+999.99"), d("-999.99")],
            [Some(100), Some(150), Some(150), Some(50), Some(99999), Some(-99999)]
        );
        assert_eq!([d("1000"), d("1.005"), d("1e2"), d(""), d("."), d("1 "), d("--1")], [None; 7]);
    }

    #[test]
    fn digits_are_never_infinite() {
        let f = |t: &str| Value::parse(t, &Logical::F64);
        assert_eq!([f("1e400"), f("-1e309"), f("1.5.0")], [None, None, None]);
        assert_eq!(f("1.7976931348623157e308"), Some(Value::F64(f64::MAX)));
        assert_eq!(
            [f("inf"), f("-inf")],
            [Some(Value::F64(f64::INFINITY)), Some(Value::F64(f64::NEG_INFINITY))]
        );
        assert!(matches!(f("NaN"), Some(Value::F64(v)) if v.is_nan()));
    }

    #[test]
    fn moments_in_every_accepted_form() {
        let at = |t: &str, utc: bool| match Value::parse(t, &Logical::Timestamp { utc }) {
            Some(Value::Moment(m)) => Some(m),
            _ => None,
        };
        assert_eq!(at("1970-01-01T00:01", false), Some(60_000_000));
        assert_eq!(at("1970-01-01 00:00:01.5000000", false), Some(1_500_000));
        assert_eq!(at("1970-01-01 00:00:00.0000001", false), None);
        assert_eq!(at("1970-01-01 00:00:00Z", false), None);
        assert_eq!(at("1970-01-01 01:00:00+01", true), Some(0));
        assert_eq!(at("1970-01-01 01:00:00+01:00", true), Some(0));
        assert_eq!(at("1969-12-31T22:30:00-0130", true), Some(0));
        assert_eq!(at("1970-01-01 00:00:00", true), None);
        assert_eq!(date("2024-02-30"), None);
        assert_eq!(date("2024-02-29 00:00"), Some(19782));
        assert_eq!(date("2024-02-29 00:01"), None);
        assert_eq!(time("12:34:56.789"), Some(45_296_789_000));
    }

    #[test]
    fn text_longer_than_declared_is_refused() {
        let four = Logical::Text { length: Some(4), padded: true };
        assert_eq!(Value::parse("ab    ", &four), Some(Value::Text("ab".to_owned())));
        assert_eq!(Value::parse("abcde", &four), None);
        assert_eq!(Value::parse("éééé", &four), Some(Value::Text("éééé".to_owned())));
        assert_eq!(
            Value::parse("{ABCDEF00-0000-0000-0000-000000000001}", &Logical::Uuid),
            Some(Value::Text("abcdef00-0000-0000-0000-000000000001".to_owned()))
        );
        assert_eq!(Value::parse("\\xff00", &Logical::Bytes), Some(Value::Bytes(vec![255, 0])));
    }
}
