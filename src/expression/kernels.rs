//! What polars does not do as we need it: numbers of different types, texts by characters, strict casts.
//!
//! Every function makes an expression that is computed value by value; a value that is NULL, or a result
//! that cannot be had, is NULL.

mod moments;

use std::collections::HashSet;

use polars::prelude::{
    BinaryChunked, BooleanChunked, Column, DataType, Expr, Field as PolarsField, Float64Chunked,
    Int32Chunked, Int64Chunked, Int128Chunked, IntoColumn, IntoSeries, PlSmallStr, PolarsResult, Series,
    StringChunked, TimeUnit, UInt64Chunked, map_multiple,
};

use crate::frame::{Number, Texts, Value, polars_type};
use crate::model::{Family, Logical};

use super::tree::{Arithmetic, Comparison};

pub(crate) use moments::shown;
pub(super) use moments::{day, days_between, days_from, midnight, moments_from, wall_clock};

/// Makes an expression of a function over columns; a column of one value stands for as many as are needed.
fn kernel<F>(inputs: &[Expr], output: &Logical, function: F) -> Expr
where
    F: Fn(&[Series], usize) -> PolarsResult<Series> + Send + Sync + 'static,
{
    let dtype = polars_type(output);
    map_multiple(
        move |columns: &mut [Column]| {
            let name = columns.first().map_or(PlSmallStr::EMPTY, |c| c.name().clone());
            let height = columns.iter().map(Column::len).find(|length| *length != 1).unwrap_or(1);
            let inputs: Vec<Series> = columns.iter().map(|c| c.as_materialized_series().rechunk()).collect();
            Ok(function(&inputs, height)?.with_name(name).into_column())
        },
        inputs,
        move |_, fields| {
            let name = fields.first().map_or(PlSmallStr::EMPTY, |f| f.name().clone());
            Ok(PolarsField::new(name, dtype.clone()))
        },
    )
}

/// Returns the index at which a column of one value is read.
fn at(length: usize, index: usize) -> usize {
    if length == 1 { 0 } else { index }
}

/// A column of numbers of any type.
enum Numbers {
    I64(Int64Chunked),
    U64(UInt64Chunked),
    F64(Float64Chunked),
    Decimal(Int128Chunked, u32),
}

impl Numbers {
    fn new(series: &Series) -> PolarsResult<Self> {
        Ok(match series.dtype() {
            DataType::UInt64 => Numbers::U64(series.u64()?.clone()),
            DataType::Float64 => Numbers::F64(series.f64()?.clone()),
            DataType::Decimal(_, scale) => {
                Numbers::Decimal(series.decimal()?.physical().clone(), u32::try_from(*scale).unwrap_or(0))
            }
            _ => Numbers::I64(series.i64()?.clone()),
        })
    }

    fn get(&self, index: usize) -> Option<Number> {
        match self {
            Numbers::I64(c) => c.get(at(c.len(), index)).map(Number::whole),
            Numbers::U64(c) => c.get(at(c.len(), index)).map(Number::whole),
            Numbers::F64(c) => c.get(at(c.len(), index)).map(Number::Float),
            Numbers::Decimal(c, scale) => {
                c.get(at(c.len(), index)).map(|digits| Number::Exact { digits, scale: *scale })
            }
        }
    }
}

/// Compares numbers of any types by value.
pub(super) fn compare_numbers(op: Comparison, left: Expr, right: Expr) -> Expr {
    kernel(&[left, right], &Logical::Bool, move |inputs, height| {
        let [left, right] = two(inputs)?;
        let values = (0..height).map(|i| Some(op.holds(left.get(i)?.compare(right.get(i)?))));
        Ok(values.collect::<BooleanChunked>().into_series())
    })
}

fn two(inputs: &[Series]) -> PolarsResult<[Numbers; 2]> {
    match inputs {
        [left, right] => Ok([Numbers::new(left)?, Numbers::new(right)?]),
        _ => Err(polars::prelude::PolarsError::ComputeError("two columns are needed".into())),
    }
}

fn one(inputs: &[Series]) -> PolarsResult<&Series> {
    inputs.first().ok_or_else(|| polars::prelude::PolarsError::ComputeError("a column is needed".into()))
}

/// Calculates with numbers: exactly in `output`'s scale where it is a decimal, else in floating point.
pub(super) fn arithmetic(op: Arithmetic, left: Expr, right: Expr, output: &Logical) -> Expr {
    let to = output.clone();
    kernel(&[left, right], output, move |inputs, height| {
        let [left, right] = two(inputs)?;
        let values = (0..height).map(|i| calculate(op, left.get(i)?, right.get(i)?, &to));
        Ok(series(values, &to))
    })
}

fn calculate(op: Arithmetic, left: Number, right: Number, to: &Logical) -> Option<Value> {
    let Logical::Decimal { scale, .. } = to else {
        let (a, b) = (left.float(), right.float());
        let result = match op {
            Arithmetic::Add => a + b,
            Arithmetic::Subtract => a - b,
            Arithmetic::Multiply => a * b,
            Arithmetic::Divide if b == 0.0 => return None,
            Arithmetic::Divide => a / b,
        };
        return (result.is_finite() || !a.is_finite() || !b.is_finite()).then_some(Value::F64(result));
    };
    let scale = u32::from(*scale);
    let ((a, a_scale), (b, b_scale)) = (left.exact()?, right.exact()?);
    let bring = |digits: i128, from: u32| digits.checked_mul(10_i128.checked_pow(scale.checked_sub(from)?)?);
    let digits = match op {
        Arithmetic::Add => bring(a, a_scale)?.checked_add(bring(b, b_scale)?),
        Arithmetic::Subtract => bring(a, a_scale)?.checked_sub(bring(b, b_scale)?),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide => divide(a, b, (scale + b_scale).checked_sub(a_scale)?),
    }?;
    decimal(digits)
}

/// Returns a decimal where its digits are no more than 38.
fn decimal(digits: i128) -> Option<Value> {
    (digits.unsigned_abs() < 10_u128.pow(38)).then_some(Value::Decimal(digits))
}

/// Returns `a` times ten to the power of `shift`, divided by `b`, half rounded away from zero.
fn divide(a: i128, b: i128, shift: u32) -> Option<i128> {
    let divisor = b.unsigned_abs();
    let mut quotient = a.unsigned_abs().checked_div(divisor)?;
    let mut rest = a.unsigned_abs() % divisor;
    for _ in 0..shift {
        let digit;
        (digit, rest) = next_digit(rest, divisor);
        quotient = quotient.checked_mul(10)?.checked_add(digit)?;
    }
    if rest >= divisor - rest {
        quotient = quotient.checked_add(1)?;
    }
    let quotient = i128::try_from(quotient).ok()?;
    Some(if (a < 0) == (b < 0) { quotient } else { -quotient })
}

/// Divides ten times `rest` by a greater `divisor`: the quotient, which is a digit, and what is left.
fn next_digit(rest: u128, divisor: u128) -> (u128, u128) {
    if let Some(ten) = rest.checked_mul(10) {
        return (ten / divisor, ten % divisor);
    }
    // Added up ten times, never beyond the divisor.
    let (mut digit, mut left) = (0, 0);
    for _ in 0..10 {
        if left >= divisor - rest {
            left -= divisor - rest;
            digit += 1;
        } else {
            left += rest;
        }
    }
    (digit, left)
}

/// Changes the sign of numbers; whole numbers become decimals, so that none is too large.
pub(super) fn negate(value: Expr, output: &Logical) -> Expr {
    each_number(value, output, |number| match number {
        Number::Float(value) => Some(Value::F64(-value)),
        Number::Exact { digits, .. } => decimal(-digits),
    })
}

/// Takes the sign away.
pub(super) fn absolute(value: Expr, output: &Logical) -> Expr {
    each_number(value, output, |number| match number {
        Number::Float(value) => Some(Value::F64(value.abs())),
        Number::Exact { digits, .. } => decimal(digits.checked_abs()?),
    })
}

/// Rounds to `places` digits behind the point, half away from zero.
pub(super) fn round(value: Expr, places: u8, output: &Logical) -> Expr {
    let places = u32::from(places);
    each_number(value, output, move |number| {
        let float = matches!(number, Number::Float(_));
        let Some((digits, scale)) = number.exact() else { return Some(Value::F64(number.float())) };
        let rounded = match scale.checked_sub(places) {
            None | Some(0) => (digits, scale),
            Some(lost) if lost > 38 => (0, places),
            Some(lost) => {
                let unit = 10_i128.checked_pow(lost)?;
                let (kept, rest) = (digits / unit, digits % unit);
                let up = rest.unsigned_abs() >= unit.unsigned_abs() - rest.unsigned_abs();
                (kept + if up { digits.signum() } else { 0 }, places)
            }
        };
        match float {
            true => Some(Value::F64(Number::Exact { digits: rounded.0, scale: rounded.1 }.float())),
            false => decimal(rounded.0),
        }
    })
}

fn each_number(
    value: Expr,
    output: &Logical,
    function: impl Fn(Number) -> Option<Value> + Send + Sync + 'static,
) -> Expr {
    let to = output.clone();
    kernel(&[value], output, move |inputs, height| {
        let numbers = Numbers::new(one(inputs)?)?;
        Ok(series((0..height).map(|i| function(numbers.get(i)?)), &to))
    })
}

/// Makes decimals of `scale` of exact numbers, which have no more digits behind the point.
pub(super) fn to_decimal(value: Expr, scale: u8, output: &Logical) -> Expr {
    each_number(value, output, move |number| {
        let (digits, own) = number.exact()?;
        decimal(digits.checked_mul(10_i128.checked_pow(u32::from(scale).checked_sub(own)?)?)?)
    })
}

/// Takes the characters from `start` (from 1) on, at most `length` of them, as SQL counts them: places
/// before the first one count too. A negative length gives NULL.
pub(super) fn substring(value: Expr, start: Expr, length: Option<Expr>) -> Expr {
    let inputs: Vec<Expr> = [value, start].into_iter().chain(length).collect();
    kernel(&inputs, &Logical::TEXT, |inputs, height| {
        let texts = one(inputs)?.str()?.clone();
        let [start, length] = match inputs {
            [_, start] => [Numbers::new(start)?, Numbers::new(start)?],
            [_, start, length, ..] => [Numbers::new(start)?, Numbers::new(length)?],
            _ => return Err(polars::prelude::PolarsError::ComputeError("a start is needed".into())),
        };
        let bounded = inputs.len() > 2;
        let part = |i: usize| -> Option<&str> {
            let text = texts.get(at(texts.len(), i))?;
            let (from, 0) = start.get(i)?.exact()? else { return None };
            let to = match bounded {
                false => i128::MAX,
                true => match length.get(i)?.exact()? {
                    (count, 0) if count >= 0 => from.saturating_add(count),
                    _ => return None,
                },
            };
            let byte = |place: i128| match usize::try_from(place.max(1) - 1) {
                Ok(n) => text.char_indices().nth(n).map_or(text.len(), |(i, _)| i),
                Err(_) => text.len(),
            };
            let (first, last) = (byte(from), byte(to));
            Some(text.get(first..last).unwrap_or_default())
        };
        Ok((0..height).map(part).collect::<StringChunked>().into_series())
    })
}

/// Casts by way of the canonical text: what does not read as the wanted type, or would lose something, is NULL.
pub(super) fn cast(value: Expr, from: &Logical, to: &Logical) -> Expr {
    let (from, to, output) = (from.clone(), to.clone(), to.clone());
    kernel(&[value], &output, move |inputs, height| {
        let input = one(inputs)?;
        if from.family() == Family::Number {
            let numbers = Numbers::new(input)?;
            return Ok(series((0..height).map(|i| cast_number(numbers.get(i)?, &to)), &to));
        }
        let texts = Texts::new(input, &from);
        Ok(series((0..height).map(|i| Value::parse(&texts.get(at(input.len(), i))?, &to)), &to))
    })
}

fn cast_number(number: Number, to: &Logical) -> Option<Value> {
    if *to == Logical::F64 {
        let float = number.float();
        return number.compare(Number::Float(float)).is_eq().then_some(Value::F64(float));
    }
    let mut text = String::new();
    number.push_text(&mut text);
    Value::parse(&text, to)
}

/// Tests whether a value of `logical` is one of `values`, which are of the same type.
pub(crate) fn one_of(value: Expr, values: Vec<Value>) -> Expr {
    let set = Set::new(values);
    kernel(&[value], &Logical::Bool, move |inputs, height| {
        let input = one(inputs)?;
        let index = |i| at(input.len(), i);
        let found: BooleanChunked = match input.dtype() {
            DataType::Int64 => {
                let c = input.i64()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.numbers.contains(&i128::from(v)))).collect()
            }
            DataType::UInt64 => {
                let c = input.u64()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.numbers.contains(&i128::from(v)))).collect()
            }
            DataType::Float64 => {
                let c = input.f64()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.floats.contains(&float_bits(v)))).collect()
            }
            DataType::Binary => {
                let c: &BinaryChunked = input.binary()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.bytes.contains(v))).collect()
            }
            DataType::String => {
                let c = input.str()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.texts.contains(v))).collect()
            }
            DataType::Boolean => {
                let c = input.bool()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.numbers.contains(&i128::from(v)))).collect()
            }
            DataType::Decimal(..) => {
                let c = input.decimal()?.physical().clone();
                (0..height).map(|i| c.get(index(i)).map(|v| set.numbers.contains(&v))).collect()
            }
            _ => {
                let physical = input.to_physical_repr().cast(&DataType::Int64)?;
                let c = physical.i64()?;
                (0..height).map(|i| c.get(index(i)).map(|v| set.numbers.contains(&i128::from(v)))).collect()
            }
        };
        Ok(found.into_series())
    })
}

/// Values to look among, by the form in which polars holds them.
#[derive(Default)]
struct Set {
    texts: HashSet<String>,
    numbers: HashSet<i128>,
    floats: HashSet<u64>,
    bytes: HashSet<Vec<u8>>,
}

impl Set {
    fn new(values: Vec<Value>) -> Self {
        let mut set = Set::default();
        for value in values {
            match value {
                Value::Text(v) => drop(set.texts.insert(v)),
                Value::Bool(v) => drop(set.numbers.insert(i128::from(v))),
                Value::I64(v) | Value::Moment(v) => drop(set.numbers.insert(i128::from(v))),
                Value::U64(v) => drop(set.numbers.insert(i128::from(v))),
                Value::F64(v) => drop(set.floats.insert(float_bits(v))),
                Value::Decimal(v) => drop(set.numbers.insert(v)),
                Value::Date(v) => drop(set.numbers.insert(i128::from(v))),
                Value::Time(v) => drop(set.numbers.insert(i128::from(v) * 1000)),
                Value::Bytes(v) => drop(set.bytes.insert(v)),
            }
        }
        set
    }
}

/// Returns the bits of a number, the same for both zeros and for every NaN.
fn float_bits(value: f64) -> u64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

/// Makes a series of `logical`'s polars type; a value of another type is NULL.
fn series(values: impl Iterator<Item = Option<Value>>, logical: &Logical) -> Series {
    macro_rules! only {
        ($variant:ident as $chunked:ty) => {
            values
                .map(|v| match v {
                    Some(Value::$variant(v)) => Some(v),
                    _ => None,
                })
                .collect::<$chunked>()
        };
    }
    match logical {
        Logical::Text { .. } | Logical::Uuid | Logical::Json | Logical::Other(_) => {
            only!(Text as StringChunked).into_series()
        }
        Logical::Bool => only!(Bool as BooleanChunked).into_series(),
        Logical::I64 => only!(I64 as Int64Chunked).into_series(),
        Logical::U64 => only!(U64 as UInt64Chunked).into_series(),
        Logical::F64 => only!(F64 as Float64Chunked).into_series(),
        Logical::Decimal { precision, scale } => only!(Decimal as Int128Chunked)
            .into_decimal_unchecked(usize::from(*precision), usize::from(*scale))
            .into_series(),
        Logical::Date => only!(Date as Int32Chunked).into_date().into_series(),
        Logical::Timestamp { .. } => {
            only!(Moment as Int64Chunked).into_datetime(TimeUnit::Microseconds, None).into_series()
        }
        Logical::Time => {
            let nanoseconds = only!(Time as Int64Chunked) * 1000;
            nanoseconds.into_time().into_series()
        }
        Logical::Bytes => only!(Bytes as BinaryChunked).into_series(),
    }
}
