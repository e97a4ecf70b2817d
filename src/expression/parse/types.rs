//! The types that SQL names.

use std::ops::Range;

use sqlparser::ast::{self, Value};

use crate::expression::tree::Kind;
use crate::frame::Value as Literal;
use crate::model::Logical;

use super::Reader;

impl Reader<'_> {
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
}
