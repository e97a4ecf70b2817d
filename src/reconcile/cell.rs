//! One value of a column in the form in which two sides meet, and when two of them are equal.

use std::borrow::Cow;

use polars::prelude::{
    BinaryChunked, BooleanChunked, DataType, Float64Chunked, Int32Chunked, Int64Chunked, Int128Chunked,
    PolarsResult, Series, StringChunked, UInt64Chunked,
};

use crate::frame::Number;

/// Microseconds of a day.
pub(super) const DAY: i128 = 86_400_000_000;

/// One value.
#[derive(Debug, Clone)]
pub(super) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Bool(bool),
    Number(Number),
    /// Microseconds since 1970-01-01 00:00, of a wall clock or of UTC; a date is its midnight.
    Moment(i128),
    /// Microseconds since midnight.
    Time(i64),
    Bytes(Cow<'a, [u8]>),
    /// A time that the clocks of its zone never showed.
    Skipped,
}

impl Cell<'_> {
    /// Returns the value on its own.
    pub(super) fn into_owned(self) -> Cell<'static> {
        match self {
            Cell::Null => Cell::Null,
            Cell::Text(v) => Cell::Text(Cow::Owned(v.into_owned())),
            Cell::Bool(v) => Cell::Bool(v),
            Cell::Number(v) => Cell::Number(v),
            Cell::Moment(v) => Cell::Moment(v),
            Cell::Time(v) => Cell::Time(v),
            Cell::Bytes(v) => Cell::Bytes(Cow::Owned(v.into_owned())),
            Cell::Skipped => Cell::Skipped,
        }
    }

    /// Returns true where two values are equal without any policy.
    ///
    /// NULL equals NULL and nothing else. Numbers are compared by value, NaN equals NaN, and -0.0 equals 0.0.
    /// True is 1 and false is 0 where a boolean meets a number. A time that was skipped equals nothing.
    pub(super) fn equals(&self, other: &Cell<'_>) -> bool {
        match (self, other) {
            (Cell::Null, Cell::Null) => true,
            (Cell::Text(a), Cell::Text(b)) => a == b,
            (Cell::Bool(a), Cell::Bool(b)) => a == b,
            (Cell::Number(a), Cell::Number(b)) => a.compare(*b).is_eq(),
            (Cell::Bool(a), Cell::Number(b)) | (Cell::Number(b), Cell::Bool(a)) => {
                Number::whole(i64::from(*a)).compare(*b).is_eq()
            }
            (Cell::Moment(a), Cell::Moment(b)) => a == b,
            (Cell::Time(a), Cell::Time(b)) => a == b,
            (Cell::Bytes(a), Cell::Bytes(b)) => a == b,
            _ => false,
        }
    }
}

/// The values of a column in one piece.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Text(StringChunked),
    Bool(BooleanChunked),
    I64(Int64Chunked),
    U64(UInt64Chunked),
    F64(Float64Chunked),
    Decimal(Int128Chunked, u32),
    Date(Int32Chunked),
    Moment(Int64Chunked),
    /// Nanoseconds since midnight.
    Time(Int64Chunked),
    Bytes(BinaryChunked),
    /// A column that has no values.
    Null,
}

impl Values {
    /// Takes the values of a series in the polars form of a logical type; another type gives NULLs.
    pub(super) fn new(series: &Series) -> PolarsResult<Values> {
        let series = series.rechunk();
        Ok(match series.dtype() {
            DataType::String => Values::Text(series.str()?.clone()),
            DataType::Boolean => Values::Bool(series.bool()?.clone()),
            DataType::Int64 => Values::I64(series.i64()?.clone()),
            DataType::UInt64 => Values::U64(series.u64()?.clone()),
            DataType::Float64 => Values::F64(series.f64()?.clone()),
            DataType::Decimal(_, scale) => {
                Values::Decimal(series.decimal()?.physical().clone(), u32::try_from(*scale).unwrap_or(0))
            }
            DataType::Date => Values::Date(series.date()?.physical().clone()),
            DataType::Datetime(_, _) => Values::Moment(series.datetime()?.physical().clone()),
            DataType::Time => Values::Time(series.time()?.physical().clone()),
            DataType::Binary => Values::Bytes(series.binary()?.clone()),
            _ => Values::Null,
        })
    }

    /// Returns the value at `index`, from 0.
    pub(super) fn cell(&self, index: usize) -> Cell<'_> {
        let cell = match self {
            Values::Text(c) => c.get(index).map(|v| Cell::Text(Cow::Borrowed(v))),
            Values::Bool(c) => c.get(index).map(Cell::Bool),
            Values::I64(c) => c.get(index).map(|v| Cell::Number(Number::whole(v))),
            Values::U64(c) => c.get(index).map(|v| Cell::Number(Number::whole(v))),
            Values::F64(c) => c.get(index).map(|v| Cell::Number(Number::Float(v))),
            Values::Decimal(c, scale) => {
                c.get(index).map(|digits| Cell::Number(Number::Exact { digits, scale: *scale }))
            }
            Values::Date(c) => c.get(index).map(|v| Cell::Moment(i128::from(v) * DAY)),
            Values::Moment(c) => c.get(index).map(|v| Cell::Moment(i128::from(v))),
            Values::Time(c) => c.get(index).map(|v| Cell::Time(v / 1000)),
            Values::Bytes(c) => c.get(index).map(|v| Cell::Bytes(Cow::Borrowed(v))),
            Values::Null => None,
        };
        cell.unwrap_or(Cell::Null)
    }
}
