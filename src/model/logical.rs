//! The logical types: what a column means, whichever engine it came from.

use std::fmt;
use std::str::FromStr;

/// The meaning of a column's values.
///
/// Every logical type has one Arrow, one Parquet and one polars form (see [`crate::frame`]).
/// The text form (`Display`, `FromStr`) is the one users write in rule files, e.g. `decimal(10,2)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Logical {
    /// Text of any length, or of at most `length` characters.
    Text {
        /// Declared maximum length in characters.
        length: Option<u32>,
        /// True for `char(n)`: trailing blanks carry no meaning and are not kept.
        padded: bool,
    },
    /// True or false.
    Bool,
    /// A signed whole number of 64 bits.
    I64,
    /// An unsigned whole number of 64 bits.
    U64,
    /// A binary floating-point number of 64 bits.
    F64,
    /// An exact number of at most 38 digits, `scale` of them after the point.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// A calendar date.
    Date,
    /// A moment in microseconds: of a wall clock without zone, or of UTC.
    Timestamp {
        /// True where the value is an instant, kept in UTC.
        utc: bool,
    },
    /// A time of day in microseconds.
    Time,
    /// Raw bytes.
    Bytes,
    /// A UUID, as lower-case text with hyphens and without braces.
    Uuid,
    /// JSON, as text.
    Json,
    /// A type without a form of its own (interval, inet, array), as the text its source gave.
    Other(String),
}

/// Types whose values can be compared exactly with one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Text, JSON, UUIDs and types that travel as text.
    Text,
    /// Booleans.
    Bool,
    /// Whole, decimal and floating-point numbers.
    Number,
    /// Dates and timestamps.
    Moment,
    /// Times of day.
    Time,
    /// Bytes.
    Bytes,
}

impl Logical {
    /// Text without a declared length.
    pub const TEXT: Logical = Logical::Text { length: None, padded: false };
    /// A timestamp without a zone.
    pub const TIMESTAMP: Logical = Logical::Timestamp { utc: false };
    /// A timestamp in UTC.
    pub const TIMESTAMP_UTC: Logical = Logical::Timestamp { utc: true };

    /// Returns the family of the type.
    pub fn family(&self) -> Family {
        match self {
            Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => Family::Text,
            Logical::Bool => Family::Bool,
            Logical::I64 | Logical::U64 | Logical::F64 | Logical::Decimal { .. } => Family::Number,
            Logical::Date | Logical::Timestamp { .. } => Family::Moment,
            Logical::Time => Family::Time,
            Logical::Bytes => Family::Bytes,
        }
    }

    /// Returns true where values are held as text.
    pub fn is_text(&self) -> bool {
        self.family() == Family::Text
    }

    /// The forms a user may write, for messages and help.
    pub const FORMS: &'static [&'static str] = &[
        "text",
        "char(n)",
        "varchar(n)",
        "bool",
        "i64",
        "u64",
        "f64",
        "decimal(p,s)",
        "date",
        "timestamp",
        "timestamptz",
        "time",
        "bytes",
        "uuid",
        "json",
    ];
}

impl fmt::Display for Logical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Logical::Text { length: None, .. } => f.write_str("text"),
            Logical::Text { length: Some(n), padded: false } => write!(f, "varchar({n})"),
            Logical::Text { length: Some(n), padded: true } => write!(f, "char({n})"),
            Logical::Bool => f.write_str("bool"),
            Logical::I64 => f.write_str("i64"),
            Logical::U64 => f.write_str("u64"),
            Logical::F64 => f.write_str("f64"),
            Logical::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Logical::Date => f.write_str("date"),
            Logical::Timestamp { utc: false } => f.write_str("timestamp"),
            Logical::Timestamp { utc: true } => f.write_str("timestamptz"),
            Logical::Time => f.write_str("time"),
            Logical::Bytes => f.write_str("bytes"),
            Logical::Uuid => f.write_str("uuid"),
            Logical::Json => f.write_str("json"),
            Logical::Other(name) => f.write_str(name),
        }
    }
}

impl FromStr for Logical {
    type Err = String;

    /// Reads a type as written in a rule file, e.g. `decimal(10, 2)`; case and blanks do not matter.
    ///
    /// # Errors
    /// A sentence naming what is wrong with the text.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower: String = text.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
        let (name, arguments) = match lower.split_once('(') {
            Some((name, rest)) => match rest.strip_suffix(')') {
                Some(inside) => (name, inside.split(',').map(str::to_owned).collect::<Vec<_>>()),
                None => return Err(format!("`{text}` has no closing bracket")),
            },
            None => (lower.as_str(), Vec::new()),
        };
        let length = |least: u32| -> Result<u32, String> {
            match arguments.as_slice() {
                [one] => one.parse().ok().filter(|n| *n >= least),
                _ => None,
            }
            .ok_or_else(|| format!("`{name}` takes one length of at least {least}, as in `{name}(12)`"))
        };
        let plain = match name {
            "char" => return Ok(Logical::Text { length: Some(length(1)?), padded: true }),
            "varchar" => return Ok(Logical::Text { length: Some(length(1)?), padded: false }),
            "decimal" | "numeric" => {
                let numbers: Vec<Option<u8>> = arguments.iter().map(|a| a.parse().ok()).collect();
                return match numbers.as_slice() {
                    [Some(precision), Some(scale)] if (1..=38).contains(precision) && scale <= precision => {
                        Ok(Logical::Decimal { precision: *precision, scale: *scale })
                    }
                    _ => Err(
                        "`decimal` takes a precision of 1 to 38 and a scale up to it, as in `decimal(10,2)`"
                            .to_owned(),
                    ),
                };
            }
            "text" => Logical::TEXT,
            "bool" | "boolean" => Logical::Bool,
            "i64" | "bigint" | "int" | "integer" => Logical::I64,
            "u64" => Logical::U64,
            "f64" | "double" => Logical::F64,
            "date" => Logical::Date,
            "timestamp" => Logical::TIMESTAMP,
            "timestamptz" => Logical::TIMESTAMP_UTC,
            "time" => Logical::Time,
            "bytes" => Logical::Bytes,
            "uuid" => Logical::Uuid,
            "json" => Logical::Json,
            _ => return Err(format!("`{text}` is not a type; one of {}", Self::FORMS.join(", "))),
        };
        if arguments.is_empty() { Ok(plain) } else { Err(format!("`{name}` takes no length")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back() {
        for form in [
            "text",
            "char(12)",
            "varchar(3)",
            "bool",
            "i64",
            "u64",
            "f64",
            "decimal(38,0)",
            "date",
            "timestamp",
            "timestamptz",
            "time",
            "bytes",
            "uuid",
            "json",
        ] {
            assert_eq!(form.parse::<Logical>().map(|l| l.to_string()), Ok(form.to_owned()));
        }
    }

    #[test]
    fn wrong_forms_say_what_to_write() {
        for (form, says) in [
            ("decimal(39,2)", "1 to 38"),
            ("decimal(3,4)", "scale up to it"),
            ("char", "char(12)"),
            ("date(3)", "no length"),
            ("number", "not a type"),
        ] {
            assert!(form.parse::<Logical>().unwrap_err().contains(says), "{form}");
        }
    }
}
