//! Rows to hashes: what a row says in the form in which the two sides meet, in 64 bits.
//!
//! Rows whose hashes are equal count as equal; rows whose hashes differ are compared by value. So different values must
//! have different hashes but for chance, 2⁻⁶⁴ for a pair of rows; equal values that have different hashes only cost time.
//! A row that differs from another in one word alone, such as a whole number, a date or a time, never has its hash: every
//! step is a bijection.
//! Hashes are kept with snapshots: what is changed here changes [`VERSION`].

use polars::prelude::{BooleanChunked, ChunkedArray, Int128Chunked, PolarsNumericType, StringChunked};
use polars_arrow::array::Array;
use xxhash_rust::xxh3::xxh3_64;

use crate::frame::{Frame, Number};
use crate::model::{Field, Logical};
use crate::rule::RuleError;

use super::align::Of;
use super::cell::{Cell, Values};
use super::convert::{Convert, Reader};
use super::meet::Meeting;

/// How hashes are made, as a number that rises when it changes.
pub(super) const VERSION: u32 = 2;

/// What a row's hash begins with.
const START: u64 = 0x9e37_79b9_7f4a_7c15;
/// What stands for NULL.
const NULL: [u64; 2] = [0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b];
/// What is added where a number has a second word.
const MORE: u64 = 0x3f84_d5b5_b547_0917;
/// What stands before values of one family, where the two sides' types differ.
const TEXT: u64 = 0x3c6e_f372_fe94_f82b;
const NUMBER: u64 = 0xa54f_f53a_5f1d_36f1;
const WRITTEN_NUMBER: u64 = 0x510e_527f_ade6_82d1;
const MOMENT: u64 = 0x9b05_688c_2b3e_6c1f;
const TIME: u64 = 0x1f83_d9ab_fb41_bd6b;
const BYTES: u64 = 0x5be0_cd19_137e_2179;
/// A time that never was equals nothing, not even itself on the other side.
const SKIPPED: [u64; 2] = [0xcbbb_9d5d_c105_9ed8, 0x629a_292a_367c_d507];

/// A column that goes into a row's hash.
#[derive(Debug, Clone)]
pub(super) struct Hashed {
    /// Our name.
    pub(super) name: String,
    /// How its values are read, on either side.
    form: Form,
}

/// How a column's values are read.
#[derive(Debug, Clone)]
enum Form {
    /// As they lie in memory: both sides have one type.
    Same,
    /// In the form in which the sides meet.
    Met { expected: Convert, target: Convert },
}

impl Hashed {
    /// Makes a column of a meeting; the fields are those of the two sides.
    pub(super) fn new(name: &str, meeting: &Meeting, expected: &Field, target: &Field) -> Hashed {
        let direct = meeting.expected == Convert::Direct && meeting.target == Convert::Direct;
        let form = if direct && lie_alike(&expected.logical, &target.logical) {
            Form::Same
        } else {
            Form::Met { expected: meeting.expected.clone(), target: meeting.target.clone() }
        };
        Hashed { name: name.to_owned(), form }
    }

    /// Returns what decides a side's hashes of this column, in words: for the name of what is kept.
    pub(super) fn describe(&self, of: Of) -> String {
        match (&self.form, of) {
            (Form::Same, _) => format!("{:?} same", self.name),
            (Form::Met { expected, .. }, Of::Expected) => format!("{:?} expected {expected:?}", self.name),
            (Form::Met { target, .. }, Of::Target) => format!("{:?} target {target:?}", self.name),
        }
    }
}

/// Returns true where equal values of two types have the same bits.
fn lie_alike(a: &Logical, b: &Logical) -> bool {
    match (a, b) {
        (Logical::Decimal { scale: a, .. }, Logical::Decimal { scale: b, .. }) => a == b,
        (a, b) if a.is_text() && b.is_text() => true,
        (a, b) => a == b,
    }
}

/// Returns the hash of every row of a frame that holds these columns.
///
/// # Errors
/// Where a column is not there.
pub(super) fn hash_rows(frame: &Frame, columns: &[Hashed], of: Of) -> Result<Vec<u64>, RuleError> {
    let mut hashes = vec![START; frame.height()];
    for column in columns {
        let (field, series) = frame
            .column(&column.name)
            .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of the table", column.name)))?;
        let series = series.as_materialized_series();
        match &column.form {
            Form::Same => same(&Values::new(series)?, &mut hashes),
            Form::Met { expected, target } => {
                let convert = if of == Of::Expected { expected } else { target };
                let reader = Reader::new(series, field, convert.clone())?;
                let mut text = String::new();
                for (row, hash) in hashes.iter_mut().enumerate() {
                    enter_cell(hash, &reader.cell(row), of, &mut text);
                }
            }
        }
    }
    Ok(hashes)
}

/// Mixes the bits of a number: a bijection.
///
/// Source: the finaliser of `SplitMix64`, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
#[inline]
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[inline]
fn enter(hash: &mut u64, word: u64) {
    *hash = mix(*hash ^ word).wrapping_add(START);
}

#[inline]
fn enter_null(hash: &mut u64) {
    enter_if(hash, false, 0);
}

/// Enters a word where there is one, else NULL: without a branch, because a column's NULLs cannot be foreseen.
#[inline]
fn enter_if(hash: &mut u64, is_there: bool, word: u64) {
    let (word, then) = if is_there { (word, START) } else { (NULL[0], NULL[1]) };
    *hash = mix(*hash ^ word).wrapping_add(then);
}

/// Enters the upper half of a number whose lower half was entered, as nothing else is entered.
fn enter_more(hash: &mut u64, value: i128) {
    *hash = mix(*hash ^ low(value.cast_unsigned() >> 64)).wrapping_add(MORE);
}

/// Enters a number of which few are so great that they need a second word.
#[inline]
fn enter_wide(hash: &mut u64, value: i128) {
    let bits = value.cast_unsigned();
    enter(hash, low(bits));
    if i64::try_from(value).is_err() {
        enter_more(hash, value);
    }
}

/// Returns the lower half.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the other half is looked at apart")]
fn low(value: u128) -> u64 {
    value as u64
}

/// Enters the values of a column as they lie in memory.
fn same(values: &Values, hashes: &mut [u64]) {
    match values {
        Values::Text(c) => texts(c, hashes),
        Values::Bool(c) => booleans(c, hashes),
        Values::I64(c) | Values::Moment(c) => numbers(c, hashes, i64::cast_unsigned),
        Values::U64(c) => numbers(c, hashes, |v| v),
        Values::F64(c) => numbers(c, hashes, bits),
        Values::Decimal(c, _) => decimals(c, hashes),
        Values::Date(c) => numbers(c, hashes, |v| i64::from(v).cast_unsigned()),
        Values::Time(c) => numbers(c, hashes, |v| (v / 1000).cast_unsigned()),
        Values::Bytes(c) => {
            for (value, hash) in c.iter().zip(hashes) {
                match value {
                    Some(value) => enter_bytes(hash, value),
                    None => enter_null(hash),
                }
            }
        }
        Values::Null => hashes.iter_mut().for_each(enter_null),
    }
}

/// Returns the bits of a number, the same for those that are equal.
fn bits(value: f64) -> u64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

fn booleans(c: &BooleanChunked, hashes: &mut [u64]) {
    let mut hashes = hashes.iter_mut();
    for chunk in c.downcast_iter() {
        let values = chunk.values().iter().zip(hashes.by_ref());
        match chunk.validity().filter(|_| chunk.null_count() > 0) {
            None => values.for_each(|(value, hash)| enter(hash, u64::from(value))),
            Some(valid) => values
                .zip(valid.iter())
                .for_each(|((value, hash), valid)| enter_if(hash, valid, u64::from(value))),
        }
    }
}

/// Enters numbers of one word each.
fn numbers<T: PolarsNumericType>(c: &ChunkedArray<T>, hashes: &mut [u64], word: impl Fn(T::Native) -> u64) {
    let mut hashes = hashes.iter_mut();
    for chunk in c.downcast_iter() {
        let values = chunk.values().as_slice().iter().zip(hashes.by_ref());
        match chunk.validity().filter(|_| chunk.null_count() > 0) {
            None => values.for_each(|(value, hash)| enter(hash, word(*value))),
            Some(valid) => values
                .zip(valid.iter())
                .for_each(|((value, hash), valid)| enter_if(hash, valid, word(*value))),
        }
    }
}

fn decimals(c: &Int128Chunked, hashes: &mut [u64]) {
    let mut hashes = hashes.iter_mut();
    for chunk in c.downcast_iter() {
        let values = chunk.values().as_slice().iter().zip(hashes.by_ref());
        match chunk.validity().filter(|_| chunk.null_count() > 0) {
            None => values.for_each(|(value, hash)| enter_wide(hash, *value)),
            Some(valid) => {
                for ((value, hash), valid) in values.zip(valid.iter()) {
                    enter_if(hash, valid, low(value.cast_unsigned()));
                    if valid && i64::try_from(*value).is_err() {
                        enter_more(hash, *value);
                    }
                }
            }
        }
    }
}

/// Texts that are read before the first of them is mixed: what is read of them lies anywhere, and the processor can wait
/// for many at once.
const AHEAD: usize = 32;

fn texts(c: &StringChunked, hashes: &mut [u64]) {
    let mut rest = hashes;
    for chunk in c.downcast_iter() {
        let valid = chunk.validity().filter(|_| chunk.null_count() > 0);
        let (hashes, others) = rest.split_at_mut(chunk.len().min(rest.len()));
        rest = others;
        let mut parts = [[0_u64; 4]; AHEAD];
        for (block, hashes) in hashes.chunks_mut(AHEAD).enumerate() {
            let first = block * AHEAD;
            let views = chunk.views().get(first..first + hashes.len()).unwrap_or_default();
            for (index, (view, parts)) in views.iter().zip(&mut parts).enumerate() {
                if !view.is_inline() && valid.is_none_or(|valid| valid.get_bit(first + index)) {
                    *parts = parts_of(chunk.value(first + index).as_bytes()).unwrap_or_default();
                }
            }
            for (index, ((view, parts), hash)) in views.iter().zip(&parts).zip(hashes).enumerate() {
                if valid.is_some_and(|valid| !valid.get_bit(first + index)) {
                    enter_null(hash);
                } else if view.is_inline() {
                    // Of up to twelve bytes: the view holds the length and the text itself.
                    let view = view.as_u128();
                    enter(hash, low(view));
                    enter(hash, low(view >> 64));
                } else if view.length as usize <= SHORT {
                    enter(hash, word_of_parts(*parts, u64::from(view.length)));
                } else {
                    enter_bytes(hash, chunk.value(first + index).as_bytes());
                }
            }
        }
    }
}

#[inline]
fn enter_bytes(hash: &mut u64, bytes: &[u8]) {
    enter(hash, word_of(bytes));
}

/// What the parts of short texts are mixed with. A byte of 255, which no text has, keeps a factor from being 0.
const SECRET: [u64; 4] =
    [0xff2e_7a31_9bd5_4c87, 0xff91_0d6e_58a3_f2b9, 0xff47_c8e5_1f60_a39d, 0xffb3_529c_e70d_864b];
/// The most bytes of a short text.
const SHORT: usize = 32;

/// Returns the hash of bytes, their number included.
#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    let length = bytes.len() as u64;
    match parts_of(bytes) {
        Some(parts) => word_of_parts(parts, length),
        None => mix(xxh3_64(bytes) ^ length),
    }
}

/// Reads 8 to 32 bytes as four words, two from either end; some are read twice where there are less than 32.
#[inline]
fn parts_of(bytes: &[u8]) -> Option<[u64; 4]> {
    let end = bytes.len().checked_sub(8).filter(|_| bytes.len() <= SHORT)?;
    let at = |from: usize| Some(u64::from_le_bytes(bytes.get(from..from + 8)?.try_into().ok()?));
    Some([at(0)?, at(end.min(8))?, at(end.saturating_sub(8))?, at(end)?])
}

/// Returns the hash of a short text.
///
/// Names and addresses are so short that a general hash mostly decides how long they are. Source: the way in which `XXH3`
/// multiplies and folds 17 to 128 bytes (<https://github.com/Cyan4973/xxHash>).
#[inline]
fn word_of_parts([a, b, c, d]: [u64; 4], length: u64) -> u64 {
    let first = fold(a ^ SECRET[0], b ^ SECRET[1].wrapping_sub(length));
    let last = fold(c ^ SECRET[2], d ^ SECRET[3]);
    first.wrapping_add(last.rotate_left(29))
}

/// Multiplies two words and folds the product.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low(product) ^ low(product >> 64)
}

/// Enters a value in the form in which the sides meet; `text` is scratch space.
fn enter_cell(hash: &mut u64, cell: &Cell<'_>, of: Of, text: &mut String) {
    match cell {
        Cell::Null => enter_null(hash),
        Cell::Text(value) => {
            enter(hash, TEXT);
            enter_bytes(hash, value.as_bytes());
        }
        Cell::Bool(value) => enter_number(hash, Number::whole(i64::from(*value)), text),
        Cell::Number(number) => enter_number(hash, *number, text),
        Cell::Moment(moment) => {
            enter(hash, MOMENT);
            enter_wide(hash, *moment);
        }
        Cell::Time(time) => {
            enter(hash, TIME);
            enter(hash, time.cast_unsigned());
        }
        Cell::Bytes(bytes) => {
            enter(hash, BYTES);
            enter_bytes(hash, bytes);
        }
        Cell::Skipped => enter(hash, SKIPPED[usize::from(of == Of::Target)]),
    }
}

/// Enters a number by its value, whatever its type.
fn enter_number(hash: &mut u64, number: Number, text: &mut String) {
    if let Some((mut digits, mut scale)) = number.exact() {
        while scale > 0 && digits % 10 == 0 {
            digits /= 10;
            scale -= 1;
        }
        enter(hash, NUMBER);
        enter_wide(hash, digits);
        enter(hash, u64::from(scale));
        return;
    }
    text.clear();
    number.push_text(text);
    enter(hash, WRITTEN_NUMBER);
    enter_bytes(hash, text.as_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use polars::prelude::NewChunkedArray;
    use proptest::prelude::*;

    use super::*;

    fn hashed(values: &[Option<&str>]) -> Vec<u64> {
        let mut hashes = vec![START; values.len()];
        texts(&StringChunked::from_iter_options("t".into(), values.iter().copied()), &mut hashes);
        hashes
    }

    /// What [`texts`] does, one by one and on its own.
    fn plainly(value: Option<&str>) -> u64 {
        let mut hash = START;
        match value {
            None => enter_null(&mut hash),
            Some(text) if text.len() > 12 => enter_bytes(&mut hash, text.as_bytes()),
            Some(text) => {
                let mut bytes = [0; 12];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                let half = |from: usize| u32::from_le_bytes(bytes[from..from + 4].try_into().unwrap());
                enter(&mut hash, text.len() as u64 | u64::from(half(0)) << 32);
                enter(&mut hash, u64::from(half(4)) | u64::from(half(8)) << 32);
            }
        }
        hash
    }

    /// Every byte counts, and so does the length, whatever it is.
    #[test]
    fn texts_that_differ_somewhere_have_different_hashes() {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for length in 0..80 {
            let text = "abcdefghij".repeat(8)[..length].to_owned();
            for at in 0..length {
                let mut other = text.clone();
                other.replace_range(at..=at, "Z");
                texts.insert(other);
            }
            texts.insert("x".repeat(length));
            texts.insert(text);
        }
        let values: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).chain([None]).collect();
        let hashes: BTreeSet<u64> = hashed(&values).into_iter().collect();
        assert_eq!(hashes.len(), values.len());
    }

    /// The bytes of numbers that are not there, and those of a NULL's place, say nothing.
    #[test]
    fn nulls_are_alike_in_every_type() {
        let null = plainly(None);
        let (mut ints, mut decimals_hashed, mut bools) = ([START; 2], [START; 2], [START; 2]);
        numbers(
            &polars::prelude::Int64Chunked::from_slice_options("n".into(), &[Some(7), None]),
            &mut ints,
            i64::cast_unsigned,
        );
        decimals(&Int128Chunked::from_slice_options("n".into(), &[Some(7), None]), &mut decimals_hashed);
        booleans(&BooleanChunked::from_slice_options("n".into(), &[Some(true), None]), &mut bools);
        assert_eq!([ints[1], decimals_hashed[1], bools[1]], [null; 3]);
        let (mut whole, mut wide) = ([START; 2], [START; 2]);
        numbers(
            &polars::prelude::Int64Chunked::from_slice("n".into(), &[7, 8]),
            &mut whole,
            i64::cast_unsigned,
        );
        decimals(&Int128Chunked::from_slice("n".into(), &[7, 1 << 64]), &mut wide);
        assert_eq!(whole[0], ints[0]);
        assert_eq!(wide[0], decimals_hashed[0]);
        // 2^64 is 0 in its lower half.
        let mut zero = [START];
        decimals(&Int128Chunked::from_slice("n".into(), &[0]), &mut zero);
        assert_ne!(wide[1], zero[0]);
    }

    /// The upper half of one number is not the lower half of the next.
    #[test]
    fn two_wide_decimals_are_not_one_and_a_narrow_one() {
        let (low, middle, high) = (0x1234_5678_9abc_i128, 0x1111_2222_3333_i128, 0x4444_5555_i128);
        let hashed = |pair: [i128; 2]| {
            let mut hashes = [START];
            for value in pair {
                decimals(&Int128Chunked::from_slice("n".into(), &[value]), &mut hashes);
            }
            let mut others = START;
            for value in pair {
                enter_wide(&mut others, value);
            }
            [hashes[0], others]
        };
        let (wide_first, wide_second) = ([low | middle << 64, high], [low, middle | high << 64]);
        for (one, other) in hashed(wide_first).into_iter().zip(hashed(wide_second)) {
            assert_ne!(one, other);
        }
    }

    proptest! {
        #[test]
        fn texts_are_hashed_as_one_by_one(values in proptest::collection::vec(proptest::option::of(".{0,40}"), 0..100)) {
            let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            let plain: Vec<u64> = values.iter().map(|value| plainly(*value)).collect();
            prop_assert_eq!(hashed(&values), plain);
        }
    }
}
