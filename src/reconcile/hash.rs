//! Rows to hashes: what a row says in the form in which the two sides meet, in 64 bits.
//!
//! Rows whose hashes are equal count as equal; rows whose hashes differ are compared by value. So different values must
//! have different hashes but for chance, 2⁻⁶⁴ for a pair of rows; equal values that have different hashes only cost time.
//! A row that differs from another in one word alone, such as a whole number, a date or a time, never has its hash: every
//! step is a bijection.
//! Hashes are kept with snapshots: what is changed here changes [`VERSION`].

use polars::prelude::{ChunkedArray, PolarsNumericType, StringChunked};
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
pub(super) const VERSION: u32 = 1;

/// What a row's hash begins with.
const START: u64 = 0x9e37_79b9_7f4a_7c15;
/// What stands for NULL.
const NULL: [u64; 2] = [0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b];
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
    enter(hash, NULL[0]);
    enter(hash, NULL[1]);
}

#[inline]
fn enter_wide(hash: &mut u64, value: i128) {
    let value = value.cast_unsigned();
    enter(hash, low(value));
    enter(hash, low(value >> 64));
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
        Values::Bool(c) => {
            for (value, hash) in c.iter().zip(hashes) {
                match value {
                    Some(value) => enter(hash, u64::from(value)),
                    None => enter_null(hash),
                }
            }
        }
        Values::I64(c) | Values::Moment(c) => numbers(c, hashes, |hash, v| enter(hash, v.cast_unsigned())),
        Values::U64(c) => numbers(c, hashes, enter),
        Values::F64(c) => numbers(c, hashes, |hash, v| enter(hash, bits(v))),
        Values::Decimal(c, _) => numbers(c, hashes, enter_wide),
        Values::Date(c) => numbers(c, hashes, |hash, v| enter(hash, i64::from(v).cast_unsigned())),
        Values::Time(c) => numbers(c, hashes, |hash, v| enter(hash, (v / 1000).cast_unsigned())),
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

fn numbers<T: PolarsNumericType>(
    c: &ChunkedArray<T>,
    hashes: &mut [u64],
    enter: impl Fn(&mut u64, T::Native),
) {
    let mut hashes = hashes.iter_mut();
    for chunk in c.downcast_iter() {
        let values = chunk.values().as_slice().iter().zip(hashes.by_ref());
        match chunk.validity().filter(|_| chunk.null_count() > 0) {
            None => values.for_each(|(value, hash)| enter(hash, *value)),
            Some(valid) => {
                for ((value, hash), valid) in values.zip(valid.iter()) {
                    if valid { enter(hash, *value) } else { enter_null(hash) }
                }
            }
        }
    }
}

fn texts(c: &StringChunked, hashes: &mut [u64]) {
    let mut hashes = hashes.iter_mut();
    for chunk in c.downcast_iter() {
        let valid = chunk.validity().filter(|_| chunk.null_count() > 0);
        for (index, view) in chunk.views().iter().enumerate() {
            let Some(hash) = hashes.next() else { return };
            if valid.is_some_and(|valid| !valid.get_bit(index)) {
                enter_null(hash);
            } else if view.is_inline() {
                // Of up to twelve bytes: the view holds the length and the text itself.
                let view = view.as_u128();
                enter(hash, low(view));
                enter(hash, low(view >> 64));
            } else {
                enter_bytes(hash, chunk.value(index).as_bytes());
            }
        }
    }
}

#[inline]
fn enter_bytes(hash: &mut u64, bytes: &[u8]) {
    enter(hash, xxh3_64(bytes));
    enter(hash, bytes.len() as u64);
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
