//! The types of PostgreSQL: what each is to us, how it travels, and its bytes to Arrow. One file a family.
//!
//! What is not listed here travels as the text that the server makes of it, by a cast in the query.

mod bytes;
mod column;
mod moments;
mod numbers;
mod text;

use tokio_postgres::types::Type;

use crate::model::Logical;

pub(super) use column::{Decoder, Values};

/// A column's type, and how it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// How it travels.
    pub wire: Wire,
    /// What it is to us.
    pub logical: Logical,
    /// What should be known of it, a sentence without a full stop.
    pub note: Option<String>,
}

/// How a value travels in binary COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// One byte, 0 or 1.
    Bool,
    /// `int2`.
    Int2,
    /// `int4`.
    Int4,
    /// `int8`.
    Int8,
    /// `oid`, without sign.
    Oid,
    /// `float4`: every value is a `float8` too, and comes as that one.
    Float4,
    /// `float8`.
    Float8,
    /// `numeric` with at most 38 digits.
    Numeric { precision: u8, scale: u8 },
    /// UTF-8.
    Text,
    /// A version, then UTF-8.
    Jsonb,
    /// 16 bytes.
    Uuid,
    /// Any bytes.
    Bytes,
    /// Days.
    Date,
    /// Microseconds, of a wall clock or of UTC.
    Timestamp { utc: bool },
    /// Microseconds of a day.
    Time,
    /// The text that the server makes of it.
    Cast,
}

/// Why a value could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The type has values that ours has not, and this is one: the column has to come as text.
    Beyond(&'static str),
    /// The bytes are not those of the type.
    Damaged(&'static str),
}

impl Wire {
    /// Makes what collects values that travel so.
    pub fn decoder(self) -> Box<dyn Decoder> {
        match self {
            Wire::Bool => numbers::Bools::decoder(),
            Wire::Int2 => numbers::int2(),
            Wire::Int4 => numbers::int4(),
            Wire::Int8 => numbers::int8(),
            Wire::Oid => numbers::oid(),
            Wire::Float4 => numbers::float4(),
            Wire::Float8 => numbers::float8(),
            Wire::Numeric { precision, scale } => numbers::numerics(precision, scale),
            Wire::Text | Wire::Cast => Box::new(text::Texts::default()),
            Wire::Jsonb => Box::new(text::Jsonbs::default()),
            Wire::Uuid => Box::new(text::Uuids::default()),
            Wire::Bytes => Box::new(bytes::Bytes::default()),
            Wire::Date => moments::dates(),
            Wire::Timestamp { utc } => moments::timestamps(utc),
            Wire::Time => moments::times(),
        }
    }
}

/// Returns how a type is read. `modifier` is what the server has besides it (lengths, digits), and `shown` its name.
pub(super) fn reading(kind: &Type, modifier: i32, shown: &str) -> Reading {
    let plain = |wire, logical| Reading { wire, logical, note: None };
    match *kind {
        Type::BOOL => plain(Wire::Bool, Logical::Bool),
        Type::INT2 => plain(Wire::Int2, Logical::I64),
        Type::INT4 => plain(Wire::Int4, Logical::I64),
        Type::INT8 => plain(Wire::Int8, Logical::I64),
        Type::OID => plain(Wire::Oid, Logical::I64),
        Type::FLOAT4 => plain(Wire::Float4, Logical::F64),
        Type::FLOAT8 => plain(Wire::Float8, Logical::F64),
        Type::NUMERIC => match digits(modifier) {
            Some((precision, scale)) => {
                plain(Wire::Numeric { precision, scale }, Logical::Decimal { precision, scale })
            }
            None if modifier < 0 => as_text(shown, "it declares no number of digits, and may have any"),
            None => as_text(shown, "it may have more than 38 digits"),
        },
        Type::TEXT | Type::NAME => plain(Wire::Text, Logical::TEXT),
        Type::VARCHAR => plain(Wire::Text, Logical::Text { length: length(modifier), padded: false }),
        Type::BPCHAR => {
            let length = length(modifier);
            // Without a length nothing is padded.
            plain(Wire::Text, Logical::Text { length, padded: length.is_some() })
        }
        Type::CHAR => plain(Wire::Cast, Logical::Text { length: Some(1), padded: false }),
        Type::UNKNOWN => plain(Wire::Cast, Logical::TEXT),
        Type::JSON => plain(Wire::Text, Logical::Json),
        Type::JSONB => plain(Wire::Jsonb, Logical::Json),
        Type::UUID => plain(Wire::Uuid, Logical::Uuid),
        Type::BYTEA => plain(Wire::Bytes, Logical::Bytes),
        Type::DATE => plain(Wire::Date, Logical::Date),
        Type::TIMESTAMP => plain(Wire::Timestamp { utc: false }, Logical::TIMESTAMP),
        Type::TIMESTAMPTZ => plain(Wire::Timestamp { utc: true }, Logical::TIMESTAMP_UTC),
        Type::TIME => plain(Wire::Time, Logical::Time),
        _ => as_text(shown, "it has no type of its own here"),
    }
}

/// Returns how a column is read whose values come as the server's texts, and why.
pub(super) fn as_text(shown: &str, why: &str) -> Reading {
    Reading {
        wire: Wire::Cast,
        logical: Logical::Other(shown.to_owned()),
        note: Some(format!("`{shown}` was read as the text that the server makes of it: {why}")),
    }
}

/// Returns the declared length of `varchar(n)` and `char(n)`.
fn length(modifier: i32) -> Option<u32> {
    u32::try_from(modifier.checked_sub(4)?).ok().filter(|length| *length > 0)
}

/// Returns the precision and scale that hold every value of `numeric(p,s)`, where 38 digits do.
fn digits(modifier: i32) -> Option<(u8, u8)> {
    let declared = u32::try_from(modifier.checked_sub(4)?).ok()?;
    let precision = i64::from(declared >> 16);
    // Eleven bits with a sign.
    let low = i64::from(declared & 0x7ff);
    let scale = if low >= 1024 { low - 2048 } else { low };
    // `numeric(2,-3)` has whole numbers of five digits, `numeric(3,5)` no digit before the fourth behind the point.
    let (precision, scale) = if scale < 0 { (precision - scale, 0) } else { (precision.max(scale), scale) };
    let precision = u8::try_from(precision).ok().filter(|p| (1..=38).contains(p))?;
    Some((precision, u8::try_from(scale).ok()?))
}

#[cfg(test)]
mod testing {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray};
    use arrow::datatypes::TimestampMicrosecondType;

    use super::*;

    /// Returns what comes of values.
    pub fn read(wire: Wire, values: &[Option<&[u8]>]) -> Result<ArrayRef, Unfit> {
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for value in values {
            starts.push(u32::try_from(bytes.len()).unwrap());
            let size = value.map_or(-1, |value| i32::try_from(value.len()).unwrap());
            bytes.extend(size.to_be_bytes());
            bytes.extend(value.unwrap_or_default());
        }
        let mut decoder = wire.decoder();
        decoder.add(Values { bytes: &bytes, starts: &starts, columns: 1 })?;
        Ok(decoder.finish())
    }

    /// Returns what comes of values, as Arrow prints it.
    pub fn printed(wire: Wire, values: &[&[u8]]) -> Vec<String> {
        let and_null: Vec<_> = values.iter().copied().map(Some).chain([None]).collect();
        let mut array = read(wire, &and_null).unwrap();
        assert!(array.is_null(values.len()));
        // Zones cannot be printed: without its own, a moment shows what it is in UTC.
        if let Some(moments) = array.as_primitive_opt::<TimestampMicrosecondType>() {
            array = Arc::new(moments.clone().with_timezone_opt::<&str>(None));
        }
        let text = |i| arrow::util::display::array_value_to_string(&array, i).unwrap();
        (0..values.len()).map(text).collect()
    }

    /// Returns why a value is not taken.
    pub fn refused(wire: Wire, value: &[u8]) -> Unfit {
        read(wire, &[Some(value)]).unwrap_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modifier(precision: i32, scale: i32) -> i32 {
        ((precision << 16) | (scale & 0x7ff)) + 4
    }

    #[test]
    fn numerics_by_their_digits() {
        for (p, s, expected) in [
            (10, 2, Some((10, 2))),
            (38, 38, Some((38, 38))),
            (38, 0, Some((38, 0))),
            (39, 0, None),
            (2, -3, Some((5, 0))),
            (37, -3, None),
            (3, 5, Some((5, 5))),
            (1000, 1000, None),
        ] {
            assert_eq!(digits(modifier(p, s)), expected, "numeric({p},{s})");
        }
        assert_eq!(digits(-1), None);
        assert_eq!(reading(&Type::NUMERIC, -1, "numeric").logical, Logical::Other("numeric".to_owned()));
    }

    #[test]
    fn characters_by_their_length() {
        let padded = reading(&Type::BPCHAR, 16, "character(12)").logical;
        assert_eq!(padded, Logical::Text { length: Some(12), padded: true });
        assert_eq!(reading(&Type::BPCHAR, -1, "bpchar").logical, Logical::TEXT);
        let short = reading(&Type::VARCHAR, 7, "character varying(3)").logical;
        assert_eq!(short, Logical::Text { length: Some(3), padded: false });
    }

    #[test]
    fn what_is_unknown_is_text_and_said() {
        let interval = reading(&Type::INTERVAL, -1, "interval");
        assert_eq!((interval.wire, interval.logical), (Wire::Cast, Logical::Other("interval".to_owned())));
        assert!(interval.note.unwrap().contains("`interval` was read as the text"));
    }
}
