//! Columns made of single values, and literals of rule files read as a column's type.

use std::collections::HashMap;

use polars::prelude::{
    BinaryChunked, BooleanChunked, Float64Chunked, IdxCa, IdxSize, Int32Chunked, Int64Chunked, Int128Chunked,
    IntoSeries, NewChunkedArray, PlSmallStr, PolarsError, Series, StringChunked, TimeUnit, UInt64Chunked,
};

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::frame::{Texts, Value};
use crate::model::{Field, Logical};
use crate::node::Literal;

use super::text::Invalid;
use super::{Applied, Refusal};

/// Makes a column, in the polars form of `logical`, of values read as that type.
///
/// A value of another type becomes NULL.
pub fn series(name: &str, logical: &Logical, values: impl IntoIterator<Item = Option<Value>>) -> Series {
    macro_rules! collect {
        ($type:ty, $variant:ident) => {
            <$type>::from_iter_options(
                PlSmallStr::from_str(name),
                values.into_iter().map(|value| match value {
                    Some(Value::$variant(inner)) => Some(inner),
                    _ => None,
                }),
            )
        };
    }
    match logical {
        Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => {
            collect!(StringChunked, Text).into_series()
        }
        Logical::Bool => collect!(BooleanChunked, Bool).into_series(),
        Logical::I64 => collect!(Int64Chunked, I64).into_series(),
        Logical::U64 => collect!(UInt64Chunked, U64).into_series(),
        Logical::F64 => collect!(Float64Chunked, F64).into_series(),
        Logical::Decimal { precision, scale } => collect!(Int128Chunked, Decimal)
            .into_decimal_unchecked(usize::from(*precision), usize::from(*scale))
            .into_series(),
        Logical::Date => collect!(Int32Chunked, Date).into_date().into_series(),
        Logical::Timestamp { .. } => {
            collect!(Int64Chunked, Moment).into_datetime(TimeUnit::Microseconds, None).into_series()
        }
        Logical::Time => {
            let nanos = values.into_iter().map(|value| match value {
                Some(Value::Time(micros)) => Some(micros * 1000),
                _ => None,
            });
            Int64Chunked::from_iter_options(PlSmallStr::from_str(name), nanos).into_time().into_series()
        }
        Logical::Bytes => collect!(BinaryChunked, Bytes).into_series(),
    }
}

/// Reads a text of a rule file as a value of the column's type.
///
/// `any_length` lets it be longer than the column's declared length.
pub(super) fn read(text: &str, field: &Field, any_length: bool) -> Option<Value> {
    match &field.logical {
        Logical::Text { padded, .. } if any_length => {
            Value::parse(text, &Logical::Text { length: None, padded: *padded })
        }
        logical => Value::parse(text, logical),
    }
}

/// Reports a text that is not a value of the column's type. The message begins with `prefix`.
pub(super) fn no_value(span: &Span, prefix: &str, field: &Field) -> Diagnostic {
    let message =
        format!("{prefix}this is not a value of column `{}`, which is {}", field.name, field.logical);
    let diagnostic = Diagnostic::error(span, message);
    if field.inferred {
        diagnostic.help(format!(
            "the type was inferred from the values: `types: {{ {}: text }}` at the source keeps the column as text",
            field.name
        ))
    } else {
        diagnostic
    }
}

/// Reads a literal as a value of the column's type; one that is not is a diagnostic. NULL gives nothing.
pub(super) fn literal(
    literal: &Literal,
    field: &Field,
    any_length: bool,
    out: &mut Diagnostics,
) -> Option<Value> {
    let value = read(literal.text.as_deref()?, field, any_length);
    if value.is_none() {
        out.push(no_value(&literal.span, "", field));
    }
    value
}

/// Reports NULL where it makes no sense.
pub(super) fn no_null(literal: &Literal, what: &str, out: &mut Diagnostics) {
    if literal.text.is_none() {
        out.push(
            Diagnostic::error(&literal.span, what)
                .help("write `\"\"` for the empty text, `\"null\"` for the word"),
        );
    }
}

/// What is to become of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pick {
    /// It stays.
    Keep,
    /// It becomes NULL.
    Null,
    /// It becomes the new value at this index.
    New(usize),
}

/// Returns the column with each value kept, made NULL, or replaced by one of `new`.
pub(super) fn pick(before: &Series, new: &Series, picks: &[Pick]) -> Result<Series, PolarsError> {
    if picks.iter().all(|p| *p == Pick::Keep) {
        return Ok(before.clone());
    }
    let mut all = before.clone();
    all.append(new)?;
    let index = |i: usize| {
        IdxSize::try_from(i).map_err(|_| PolarsError::ComputeError("the column has too many rows".into()))
    };
    let indexes = picks
        .iter()
        .enumerate()
        .map(|(i, p)| match p {
            Pick::Keep => index(i).map(Some),
            Pick::Null => Ok(None),
            Pick::New(n) => index(before.len() + n).map(Some),
        })
        .collect::<Result<Vec<_>, _>>()?;
    all.take(&IdxCa::from_iter_options(PlSmallStr::EMPTY, indexes.into_iter()))
}

/// Values of one type by which a column's values are found.
#[derive(Debug, Clone)]
pub(super) struct Index {
    logical: Logical,
    places: HashMap<String, usize>,
}

impl Index {
    /// Makes an index of values of `logical`; a repeated value keeps its first place and is given back as
    /// the pair of its first and its repeated place.
    pub(super) fn new(logical: &Logical, values: Vec<Value>) -> (Self, Vec<(usize, usize)>) {
        let count = values.len();
        let texts = Texts::new(&series("", logical, values.into_iter().map(Some)), logical);
        let mut index = Index { logical: logical.clone(), places: HashMap::new() };
        let mut repeated = Vec::new();
        for place in 0..count {
            let text = texts.get(place).unwrap_or_default();
            let text = index.same(&text).to_owned();
            match index.places.get(&text) {
                Some(first) => repeated.push((*first, place)),
                None => {
                    index.places.insert(text, place);
                }
            }
        }
        (index, repeated)
    }

    /// Returns the place of the value whose text form in a column of this type is `text`.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        self.places.get(self.same(text)).copied()
    }

    /// Minus zero is zero.
    fn same<'t>(&self, text: &'t str) -> &'t str {
        if self.logical == Logical::F64 && text == "-0" { "0" } else { text }
    }
}

/// Reads each text of a column as another type.
///
/// A value that cannot be read is NULL; `invalid` says whether that is all, its row is held back or the
/// dataset is refused, for the reason that `read` gave.
pub(super) fn read_each(
    before: &Series,
    texts: &Texts,
    to: &Logical,
    invalid: Invalid,
    read: impl Fn(&str) -> Result<Value, &'static str>,
) -> Applied {
    let mut refused = Vec::new();
    let values: Vec<Option<Value>> = (0..before.len())
        .map(|index| {
            let text = texts.get(index)?;
            read(&text)
                .map_err(|reason| {
                    if invalid != Invalid::Null {
                        refused.push(Refusal { index, reason, fatal: invalid == Invalid::Refuse });
                    }
                })
                .ok()
        })
        .collect();
    Applied { values: series(before.name(), to, values), refused }
}
