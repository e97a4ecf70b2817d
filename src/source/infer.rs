//! The type of a column of texts, where every value prints back byte for byte.

use chrono::{DateTime, Datelike, Timelike};

use crate::frame::Value;
use crate::model::Logical;

/// What the values seen so far have in common.
///
/// Every text has exactly one shape, so two shapes that differ have only text in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// No value has been seen.
    #[default]
    Nothing,
    /// `true` and `false`.
    Bool,
    /// Whole numbers of 64 bits as they are printed: no leading zero, no plus, no minus zero.
    I64,
    /// Decimals that all have `scale` digits behind the point, and at most `digits` digits.
    Decimal {
        /// Digits behind the point.
        scale: u8,
        /// The most digits of a value.
        digits: u8,
    },
    /// Dates by ISO 8601.
    Date,
    /// Timestamps that are all written alike.
    Timestamp(Pattern),
    /// Anything else.
    Text,
}

impl Shape {
    /// Returns what the values seen so far have in common with one more.
    pub fn with(self, text: &str) -> Shape {
        if self == Shape::Text { self } else { self.join(Shape::of(text)) }
    }

    /// Returns what two lots of values have in common.
    pub fn join(self, other: Shape) -> Shape {
        match (self, other) {
            (Shape::Nothing, shape) | (shape, Shape::Nothing) => shape,
            (Shape::Decimal { scale: a, digits: m }, Shape::Decimal { scale: b, digits: n }) if a == b => {
                Shape::Decimal { scale: a, digits: m.max(n) }
            }
            (a, b) if a == b => a,
            _ => Shape::Text,
        }
    }

    /// Returns the shape of one text.
    fn of(text: &str) -> Shape {
        match text.as_bytes() {
            b"true" | b"false" => Shape::Bool,
            [b'0'..=b'9', _, _, _, b'-', _, _, b'-', ..] => moment(text),
            [b'-' | b'0'..=b'9', ..] => number(text),
            _ => Shape::Text,
        }
    }

    /// Returns the type, and the pattern where the type alone does not say how values were written.
    ///
    /// Decimals have a precision of 18 or, where that is too little, 38: what differs between two files is
    /// then their scale alone.
    pub fn logical(self) -> (Logical, Option<String>) {
        match self {
            Shape::Nothing | Shape::Text => (Logical::TEXT, None),
            Shape::Bool => (Logical::Bool, None),
            Shape::I64 => (Logical::I64, None),
            Shape::Decimal { scale, digits } => {
                (Logical::Decimal { precision: if digits <= 18 { 18 } else { 38 }, scale }, None)
            }
            Shape::Date => (Logical::Date, None),
            Shape::Timestamp(pattern) => {
                (Logical::Timestamp { utc: !pattern.zone.is_empty() }, Some(pattern.format()))
            }
        }
    }
}

fn number(text: &str) -> Shape {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let canonical = !whole.is_empty()
        && (whole == "0" || !whole.starts_with('0'))
        && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    let minus_zero = digits.len() < text.len() && digits.bytes().all(|b| matches!(b, b'0' | b'.'));
    if !canonical || minus_zero {
        return Shape::Text;
    }
    if digits.len() == whole.len() {
        return if text.parse::<i64>().is_ok() { Shape::I64 } else { Shape::Text };
    }
    match (u8::try_from(fraction.len()), u8::try_from(whole.len() + fraction.len())) {
        (Ok(scale @ 1..), Ok(digits @ ..=38)) => Shape::Decimal { scale, digits },
        _ => Shape::Text,
    }
}

fn moment(text: &str) -> Shape {
    if text.len() == 10 {
        return if Value::parse(text, &Logical::Date).is_some() { Shape::Date } else { Shape::Text };
    }
    Pattern::of(text).map_or(Shape::Text, Shape::Timestamp)
}

/// How a timestamp is written: a date, a separator, and a time of fixed width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pattern {
    /// `T` or a blank.
    separator: char,
    /// Whether there are seconds.
    seconds: bool,
    /// Digits of the fraction of a second; 0 for none.
    fraction: u8,
    /// How UTC is written; empty for a timestamp without zone.
    zone: &'static str,
}

/// The ways to write UTC that are recognised.
const ZONES: [&str; 3] = ["Z", "+00:00", "+00"];

impl Pattern {
    /// Returns the pattern of a text, where it is a timestamp that the pattern prints back.
    fn of(text: &str) -> Option<Pattern> {
        let zone = ZONES.into_iter().find(|zone| text.ends_with(zone)).unwrap_or("");
        let body = text.strip_suffix(zone)?;
        let separator = body.chars().nth(10).filter(|c| matches!(c, 'T' | ' '))?;
        let (seconds, fraction) = match body.len() {
            16 => (false, 0),
            19 => (true, 0),
            length @ 21..=29 => (true, u8::try_from(length - 20).ok()?),
            _ => return None,
        };
        let pattern = Pattern { separator, seconds, fraction, zone };
        match Value::parse(text, &Logical::Timestamp { utc: !zone.is_empty() })? {
            Value::Moment(micros) if pattern.print(micros).as_deref() == Some(text) => Some(pattern),
            _ => None,
        }
    }

    /// Returns the pattern in the words of strftime; `%.7f` has as many digits as it says.
    fn format(self) -> String {
        let mut format = format!("%Y-%m-%d{}%H:%M", self.separator);
        if self.seconds {
            format.push_str(":%S");
        }
        if self.fraction > 0 {
            format.push_str(&format!("%.{}f", self.fraction));
        }
        format.push_str(self.zone);
        format
    }

    /// Reads a pattern as [`Pattern::format`] gives it.
    pub fn from_format(format: &str) -> Option<Pattern> {
        let rest = format.strip_prefix("%Y-%m-%d")?;
        let separator = rest.chars().next().filter(|c| matches!(c, 'T' | ' '))?;
        let rest = rest.get(1..)?.strip_prefix("%H:%M")?;
        let (seconds, rest) = rest.strip_prefix(":%S").map_or((false, rest), |rest| (true, rest));
        let (fraction, rest) = match rest.strip_prefix("%.") {
            Some(digits) => (digits.get(..1)?.parse().ok()?, digits.get(1..)?.strip_prefix('f')?),
            None => (0, rest),
        };
        let zone = if rest.is_empty() { "" } else { ZONES.into_iter().find(|zone| *zone == rest)? };
        Some(Pattern { separator, seconds, fraction, zone })
    }

    /// Returns a moment as text; nothing where the pattern has no place for a part of it.
    pub fn print(self, micros: i64) -> Option<String> {
        let moment = DateTime::from_timestamp_micros(micros)?.naive_utc();
        if !(0..=9999).contains(&moment.year()) {
            return None;
        }
        let mut text = format!(
            "{:04}-{:02}-{:02}{}{:02}:{:02}",
            moment.year(),
            moment.month(),
            moment.day(),
            self.separator,
            moment.hour(),
            moment.minute()
        );
        if self.seconds {
            text.push_str(&format!(":{:02}", moment.second()));
        } else if moment.second() != 0 {
            return None;
        }
        let digits = format!("{:09}", moment.nanosecond());
        let (shown, lost) = digits.split_at_checked(usize::from(self.fraction))?;
        if lost.bytes().any(|b| b != b'0') {
            return None;
        }
        if !shown.is_empty() {
            text.push('.');
            text.push_str(shown);
        }
        text.push_str(self.zone);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(texts: &[&str]) -> String {
        let shape = texts.iter().fold(Shape::Nothing, |shape, text| shape.with(text));
        let (logical, format) = shape.logical();
        format.map_or_else(|| logical.to_string(), |format| format!("{logical} {format}"))
    }

    #[test]
    fn only_what_prints_back_is_a_type() {
        for (texts, expected) in [
            (&["0", "-5", "9223372036854775807", "-9223372036854775808"] as &[&str], "i64"),
            (&["9223372036854775808"], "text"),
            (&["12345678901234567890"], "text"),
            (&["-0"], "text"),
            (&["+1"], "text"),
            (&["007"], "text"),
            (&["1", ""], "text"),
            (&["1", " 2"], "text"),
            (&["000123/01"], "text"),
            (&["1E5"], "text"),
            (&["1.50", "-0.05", "0.00"], "decimal(18,2)"),
            (&["1.50", "1.5"], "text"),
            (&["1.50", "2"], "text"),
            (&["-0.00"], "text"),
            (&["01.50"], "text"),
            (&[".5"], "text"),
            (&["5."], "text"),
            (&["123456789012345678901234567890123456.78"], "decimal(38,2)"),
            (&["1234567890123456789012345678901234567.89"], "text"),
            (&["true", "false"], "bool"),
            (&["true", "TRUE"], "text"),
            (&["true", "1"], "text"),
            (&["2024-02-29", "1900-01-01"], "date"),
            (&["2023-02-29"], "text"),
            (&["2024-02-29 "], "text"),
            (&["2024-02-29 10:00:00", "1900-01-01 00:00:00"], "timestamp %Y-%m-%d %H:%M:%S"),
            (&["2024-02-29T10:00:00.125"], "timestamp %Y-%m-%dT%H:%M:%S%.3f"),
            (&["2024-02-29 10:00:00.1234560"], "timestamp %Y-%m-%d %H:%M:%S%.7f"),
            (&["2024-02-29 10:00:00.1234567"], "text"),
            (&["2024-02-29 10:00"], "timestamp %Y-%m-%d %H:%M"),
            (&["2024-02-29T10:00:00Z"], "timestamptz %Y-%m-%dT%H:%M:%SZ"),
            (&["2024-02-29 10:00:00.5+00"], "timestamptz %Y-%m-%d %H:%M:%S%.1f+00"),
            (&["2024-02-29 10:00:00+01"], "text"),
            (&["2024-02-29 10:00:00", "2024-02-29T10:00:00"], "text"),
            (&["2024-02-29 10:00:00", "2024-02-29 10:00:00.5"], "text"),
            (&["2024-02-29 10:00:00", "2024-02-29"], "text"),
            (&["2024-02-29 24:00:00"], "text"),
            (&[], "text"),
        ] {
            assert_eq!(shape(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn patterns_read_back() {
        for text in ["2024-02-29 10:00", "0001-01-01T10:00:00.120Z", "9999-12-31 10:00:00.1234560+00:00"] {
            let pattern = Pattern::of(text).unwrap();
            assert_eq!(Pattern::from_format(&pattern.format()), Some(pattern));
        }
        assert_eq!(Pattern::from_format("%d.%m.%Y"), None);
    }
}
