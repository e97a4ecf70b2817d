//! Columns of one type on both sides: values are compared where they lie.

use polars::prelude::{BooleanChunked, ChunkedArray, PolarsNumericType, StringChunked};
use polars_arrow::array::{Array, BinaryViewArrayGeneric, ViewType};
use polars_arrow::bitmap::Bitmap;

use super::super::align::Pair;
use super::super::cell::Values;
use super::super::convert::{Convert, Reader};

/// Returns the pairs that differ; nothing where the two sides are not of one type.
pub(super) fn different_pairs(expected: &Reader, target: &Reader, pairs: &[Pair]) -> Option<Vec<u32>> {
    if expected.convert != Convert::Direct || target.convert != Convert::Direct {
        return None;
    }
    Some(match (&expected.values, &target.values) {
        (Values::Text(e), Values::Text(t)) => texts(e, t, pairs)?,
        (Values::Bool(e), Values::Bool(t)) => booleans(e, t, pairs),
        (Values::I64(e), Values::I64(t)) | (Values::Moment(e), Values::Moment(t)) => {
            numbers(e, t, pairs, |a, b| a == b)?
        }
        (Values::U64(e), Values::U64(t)) => numbers(e, t, pairs, |a, b| a == b)?,
        #[expect(clippy::float_cmp, reason = "without a tolerance, numbers are the same or not")]
        (Values::F64(e), Values::F64(t)) => {
            numbers(e, t, pairs, |a, b| a == b || (a.is_nan() && b.is_nan()))?
        }
        (Values::Decimal(e, a), Values::Decimal(t, b)) if a == b => numbers(e, t, pairs, |a, b| a == b)?,
        (Values::Date(e), Values::Date(t)) => numbers(e, t, pairs, |a, b| a == b)?,
        (Values::Time(e), Values::Time(t)) => numbers(e, t, pairs, |a, b| a / 1000 == b / 1000)?,
        _ => return None,
    })
}

/// Collects the indexes of the pairs for which `equal` is false.
fn collect(pairs: &[Pair], equal: impl Fn(usize, usize) -> bool) -> Vec<u32> {
    let mut different = Vec::new();
    for (index, pair) in (0_u32..).zip(pairs) {
        if !equal(pair.expected as usize, pair.target as usize) {
            different.push(index);
        }
    }
    different
}

/// Returns whether two values are NULL, both or one: then nothing more need be compared.
fn nulls(e: Option<&Bitmap>, t: Option<&Bitmap>, i: usize, j: usize) -> Option<bool> {
    let e_null = e.is_some_and(|valid| !valid.get_bit(i));
    let t_null = t.is_some_and(|valid| !valid.get_bit(j));
    (e_null || t_null).then_some(e_null && t_null)
}

fn numbers<T: PolarsNumericType>(
    e: &ChunkedArray<T>,
    t: &ChunkedArray<T>,
    pairs: &[Pair],
    equal: impl Fn(T::Native, T::Native) -> bool,
) -> Option<Vec<u32>> {
    let (e, t) = (e.downcast_iter().next()?, t.downcast_iter().next()?);
    let (e_values, t_values) = (e.values().as_slice(), t.values().as_slice());
    let same = |i: usize, j: usize| match (e_values.get(i), t_values.get(j)) {
        (Some(a), Some(b)) => equal(*a, *b),
        _ => false,
    };
    Some(if e.null_count() == 0 && t.null_count() == 0 {
        collect(pairs, same)
    } else {
        let (e_valid, t_valid) = (e.validity(), t.validity());
        collect(pairs, |i, j| nulls(e_valid, t_valid, i, j).unwrap_or_else(|| same(i, j)))
    })
}

fn booleans(e: &BooleanChunked, t: &BooleanChunked, pairs: &[Pair]) -> Vec<u32> {
    collect(pairs, |i, j| e.get(i) == t.get(j))
}

fn texts(e: &StringChunked, t: &StringChunked, pairs: &[Pair]) -> Option<Vec<u32>> {
    let (e, t) = (e.downcast_iter().next()?, t.downcast_iter().next()?);
    let (e_valid, t_valid) = (e.validity(), t.validity());
    Some(collect(pairs, |i, j| nulls(e_valid, t_valid, i, j).unwrap_or_else(|| same_view(e, t, i, j))))
}

/// Compares two texts: those of up to 12 bytes lie in their views, and the views of others start with their
/// length and first bytes.
fn same_view<T: ViewType + ?Sized>(
    e: &BinaryViewArrayGeneric<T>,
    t: &BinaryViewArrayGeneric<T>,
    i: usize,
    j: usize,
) -> bool {
    match (e.views().get(i), t.views().get(j)) {
        (Some(a), Some(b)) if a.is_inline() && a.as_u128() == b.as_u128() => true,
        (Some(a), Some(b)) => {
            a.length == b.length && a.prefix == b.prefix && e.value(i).to_bytes() == t.value(j).to_bytes()
        }
        _ => false,
    }
}
