//! Texts to Arrow arrays of a declared or inferred type.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringViewBuilder,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
    UInt64Type,
};

use crate::frame::{Value, arrow_type};
use crate::model::Logical;

/// Makes the array of the type's Arrow form; a text that is not of the type gives its index, from 0.
///
/// Text of `char(n)` keeps its trailing blanks, which do not count for its length.
pub(super) fn to_array<'a>(
    texts: impl ExactSizeIterator<Item = Option<&'a str>>,
    logical: &Logical,
) -> Result<ArrayRef, usize> {
    match logical {
        Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => {
            let mut builder = StringViewBuilder::with_capacity(texts.len());
            for (index, text) in texts.enumerate() {
                match text {
                    None => builder.append_null(),
                    Some(text) if *logical == Logical::Uuid => match Value::parse(text, logical) {
                        Some(Value::Text(uuid)) => builder.append_value(uuid),
                        _ => return Err(index),
                    },
                    Some(text) if fits(text, logical) => builder.append_value(text),
                    Some(_) => return Err(index),
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        Logical::Bool => {
            let mut builder = BooleanBuilder::with_capacity(texts.len());
            for (index, text) in texts.enumerate() {
                match text.map(|text| Value::parse(text, logical)) {
                    None => builder.append_null(),
                    Some(Some(Value::Bool(value))) => builder.append_value(value),
                    Some(_) => return Err(index),
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        Logical::Bytes => {
            let mut builder = BinaryBuilder::new();
            for (index, text) in texts.enumerate() {
                match text.map(|text| Value::parse(text, logical)) {
                    None => builder.append_null(),
                    Some(Some(Value::Bytes(value))) => builder.append_value(value),
                    Some(_) => return Err(index),
                }
            }
            Ok(Arc::new(builder.finish()))
        }
        Logical::I64 => primitive::<Int64Type>(texts, logical, |value| match value {
            Value::I64(v) => Some(v),
            _ => None,
        }),
        Logical::U64 => primitive::<UInt64Type>(texts, logical, |value| match value {
            Value::U64(v) => Some(v),
            _ => None,
        }),
        Logical::F64 => primitive::<Float64Type>(texts, logical, |value| match value {
            Value::F64(v) => Some(v),
            _ => None,
        }),
        Logical::Decimal { .. } => primitive::<Decimal128Type>(texts, logical, |value| match value {
            Value::Decimal(v) => Some(v),
            _ => None,
        }),
        Logical::Date => primitive::<Date32Type>(texts, logical, |value| match value {
            Value::Date(v) => Some(v),
            _ => None,
        }),
        Logical::Timestamp { .. } => {
            primitive::<TimestampMicrosecondType>(texts, logical, |value| match value {
                Value::Moment(v) => Some(v),
                _ => None,
            })
        }
        Logical::Time => primitive::<Time64MicrosecondType>(texts, logical, |value| match value {
            Value::Time(v) => Some(v),
            _ => None,
        }),
    }
}

fn primitive<'a, T: ArrowPrimitiveType>(
    texts: impl ExactSizeIterator<Item = Option<&'a str>>,
    logical: &Logical,
    native: impl Fn(Value) -> Option<T::Native>,
) -> Result<ArrayRef, usize> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(texts.len()).with_data_type(arrow_type(logical));
    for (index, text) in texts.enumerate() {
        match text {
            None => builder.append_null(),
            Some(text) => match Value::parse(text, logical).and_then(&native) {
                Some(value) => builder.append_value(value),
                None => return Err(index),
            },
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Returns true where a text is not longer than its type allows; padding does not count.
fn fits(text: &str, logical: &Logical) -> bool {
    let Logical::Text { length: Some(most), padded } = logical else { return true };
    let most = usize::try_from(*most).unwrap_or(usize::MAX);
    let text = if *padded { text.trim_end_matches(' ') } else { text };
    text.len() <= most || text.chars().count() <= most
}

/// Returns how values of a type are written, for a message about one that is not.
pub(super) fn advice(logical: &Logical, blank: bool) -> &'static str {
    if blank && !logical.is_text() {
        return "it is empty or blank; if that means NULL, list it under `null`";
    }
    match logical {
        Logical::Text { .. } => "it is longer; correct the length, or use `text`",
        Logical::Bool => "it takes true/false, t/f, yes/no, y/n or 1/0",
        Logical::I64 | Logical::U64 => "it takes a whole number of 64 bits",
        Logical::F64 => "it takes a number such as -1.5 or 2e9",
        Logical::Decimal { .. } => "it takes a number such as -1.50 with no more digits than the type has",
        Logical::Date => "it takes YYYY-MM-DD",
        Logical::Timestamp { utc: false } => "it takes YYYY-MM-DD HH:MM:SS.ffffff without a zone",
        Logical::Timestamp { utc: true } => {
            "it takes YYYY-MM-DD HH:MM:SS.ffffff with a Z or an offset such as +01:00"
        }
        Logical::Time => "it takes HH:MM:SS.ffffff",
        Logical::Bytes => "it takes hexadecimal digits",
        Logical::Uuid => "it takes 32 hexadecimal digits with hyphens",
        Logical::Json | Logical::Other(_) => "use `text`",
    }
}
