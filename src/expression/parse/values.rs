//! Values and types as SQL writes them.

use std::ops::Range;

use sqlparser::ast::{self, Value};

use crate::expression::interval::{HELP, Interval};
use crate::expression::number::number;
use crate::expression::tree::Kind;
use crate::frame::Value as Literal;
use crate::model::Logical;

use super::Reader;

impl Reader<'_> {
    pub(super) fn value(&mut self, value: Value, range: &Range<usize>) -> Option<Kind> {
        Some(match value {
            Value::SingleQuotedString(text) => Kind::Text(text),
            Value::Boolean(value) => Kind::Bool(value),
            Value::Null => Kind::Null,
            Value::Number(text, false) => match number(&text) {
                Some((digits, scale)) => Kind::Number { digits, scale },
                None => return self.refuse(range, "a number has at most 38 digits", ""),
            },
            Value::DoubleQuotedString(text) => Kind::Column(text),
            _ => {
                let help = "a text stands in single quotes: 'text'";
                return self.refuse(range, "this form of a value is not known here", help);
            }
        })
    }

    pub(super) fn typed(
        &mut self,
        data_type: &ast::DataType,
        value: Value,
        range: &Range<usize>,
    ) -> Option<Kind> {
        let mut logical = self.logical(data_type, range)?;
        let text = value.into_string().unwrap_or_default();
        if logical == Logical::TIMESTAMP && Literal::parse(&text, &Logical::TIMESTAMP_UTC).is_some() {
            logical = Logical::TIMESTAMP_UTC;
        }
        if Literal::parse(&text, &logical).is_none() {
            return self.refuse(range, format!("`{text}` is not a {logical}"), "");
        }
        Some(Kind::Typed(logical, text))
    }

    /// Returns our type for one that SQL names.
    pub(super) fn logical(&mut self, data_type: &ast::DataType, range: &Range<usize>) -> Option<Logical> {
        let name = data_type.to_string();
        let found = match name.to_ascii_lowercase().as_str() {
            "varchar" | "char varying" | "character varying" | "nvarchar" | "string" => Ok(Logical::TEXT),
            "smallint" | "int" | "tinyint" | "int8" | "int4" | "int2" => Ok(Logical::I64),
            "double precision" | "float" | "float8" => Ok(Logical::F64),
            "timestamp with time zone" => Ok(Logical::TIMESTAMP_UTC),
            "timestamp without time zone" | "datetime" => Ok(Logical::TIMESTAMP),
            other => other.parse(),
        };
        match found {
            Ok(Logical::Text { length: Some(_), .. }) => self.refuse(
                range,
                format!("`{name}` would cut texts"),
                "cast to `text`, and take a part with `substring` where that is meant",
            ),
            Ok(logical) => Some(logical),
            Err(message) => self.refuse(range, message, ""),
        }
    }

    /// Reads `interval '30 days'`, or `interval '30' day`.
    pub(super) fn interval(&mut self, interval: ast::Interval, range: &Range<usize>) -> Option<Kind> {
        let is_plain = interval.leading_precision.is_none()
            && interval.last_field.is_none()
            && interval.fractional_seconds_precision.is_none();
        let text = match *interval.value {
            ast::Expr::Value(value) if is_plain => value.value.into_string(),
            _ => None,
        };
        let Some(text) = text else {
            return self.refuse(range, "an interval has its numbers and units in single quotes", HELP);
        };
        let unit = interval.leading_field.map(|unit| unit.to_string());
        match Interval::read(&text, unit.as_deref()) {
            Some(interval) => Some(Kind::Interval(interval)),
            None => self.refuse(range, format!("`{text}` is not an interval"), HELP),
        }
    }
}
