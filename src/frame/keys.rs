//! Keys of rows: several columns as one value that can be compared between tables.

use std::borrow::Cow;

use polars::prelude::{
    BinaryChunked, BooleanChunked, DataType, Float64Chunked, Int32Chunked, Int64Chunked, Int128Chunked,
    PolarsError, PolarsResult, StringChunked, UInt64Chunked,
};
use polars_arrow::array::Utf8ViewArray;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::model::{Field, Logical, key_text};

use super::Frame;
use super::number::Number;
use super::text::{date_text, hex, moment_text, time_text};

/// Rows hashed by one task.
const ROWS_A_TASK: usize = 16 * 1024;

/// The keys of all rows of a frame: a canonical text and its 128-bit hash a row.
///
/// Equal values have equal texts, whatever their types: `1`, `1.0` and `1.00`; `0` and `-0.0`; a date and
/// the midnight of a naive timestamp; padded text with and without its blanks. An instant ends in `Z` and
/// never equals a naive moment. A row with a NULL part has no key.
///
/// The hash speeds up the search; whether two keys are the same is always decided by their texts.
#[derive(Debug, Clone)]
pub struct Keys {
    parts: Vec<Part>,
    present: Vec<bool>,
    hashes: Vec<u128>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(StringChunked),
    Padded(StringChunked),
    Bool(BooleanChunked),
    I64(Int64Chunked),
    U64(UInt64Chunked),
    F64(Float64Chunked),
    Decimal(Int128Chunked, u32),
    Date(Int32Chunked),
    Moment(Int64Chunked, bool),
    Time(Int64Chunked),
    Bytes(BinaryChunked),
    /// A column that has no values.
    Null,
}

impl Keys {
    /// Makes the keys of a frame's rows from these columns, by our names.
    ///
    /// # Errors
    /// Where a column is not there.
    pub fn new(frame: &Frame, columns: &[impl AsRef<str>]) -> PolarsResult<Keys> {
        let mut parts = Vec::with_capacity(columns.len());
        for name in columns {
            let name = name.as_ref();
            let (field, column) = frame.column(name).ok_or_else(|| {
                PolarsError::ColumnNotFound(format!("`{name}` is not a column of the table").into())
            })?;
            parts.push(Part::new(field, column)?);
        }
        let height = frame.height();
        let mut keys = Keys { parts, present: vec![false; height], hashes: vec![0; height] };
        let (parts, mut present, mut hashes) =
            (&keys.parts, std::mem::take(&mut keys.present), std::mem::take(&mut keys.hashes));
        present.par_chunks_mut(ROWS_A_TASK).zip(hashes.par_chunks_mut(ROWS_A_TASK)).enumerate().for_each(
            |(task, (present, hashes))| {
                let first = task * ROWS_A_TASK;
                if let [Part::Text(texts)] = parts.as_slice()
                    && let Some(texts) = texts.downcast_iter().next()
                {
                    return hash_texts(texts, first, present, hashes);
                }
                for (offset, (present, hash)) in present.iter_mut().zip(hashes).enumerate() {
                    if let Some(text) = text_of(parts, first + offset) {
                        *present = true;
                        *hash = xxh3_128(text.as_bytes());
                    }
                }
            },
        );
        (keys.present, keys.hashes) = (present, hashes);
        Ok(keys)
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.present.len()
    }

    /// Returns true where there is no row.
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// Returns true where the row at `index` (from 0) has a key: no part is NULL.
    pub fn is_present(&self, index: usize) -> bool {
        self.present.get(index).copied().unwrap_or(false)
    }

    /// Returns the hash of the key of the row at `index` (from 0); nothing where a part is NULL.
    pub fn hash(&self, index: usize) -> Option<u128> {
        self.is_present(index).then(|| self.hashes.get(index).copied())?
    }

    /// Returns the canonical text of the key of the row at `index` (from 0), in the form of
    /// [`key_text`]; nothing where a part is NULL.
    pub fn text(&self, index: usize) -> Option<Cow<'_, str>> {
        self.is_present(index).then(|| text_of(&self.parts, index))?
    }

    /// Returns true where a row has the same key as a row of other keys; false where either has none.
    pub fn same(&self, index: usize, other: &Keys, other_index: usize) -> bool {
        match (self.hash(index), other.hash(other_index)) {
            (Some(a), Some(b)) => a == b && self.text(index) == other.text(other_index),
            _ => false,
        }
    }

    /// Returns the rows that share their key with another, in groups of two and more: indexes from 0,
    /// ascending, the groups in the order of their first rows. Rows that `selected` leaves out are not looked at.
    pub fn groups(&self, selected: Option<&[bool]>) -> Vec<Vec<usize>> {
        let chosen = |index: usize| selected.is_none_or(|s| s.get(index).copied().unwrap_or(false));
        let mut sorted: Vec<(u128, usize)> = (0..self.len())
            .filter(|index| chosen(*index))
            .filter_map(|index| Some((self.hash(index)?, index)))
            .collect();
        sorted.par_sort_unstable();
        let mut groups = Vec::new();
        for run in sorted.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            // One group, but for keys whose hashes are equal by chance.
            let mut of_run: Vec<Vec<usize>> = Vec::with_capacity(1);
            for (_, index) in run {
                let home =
                    of_run.iter_mut().find(|g| g.first().is_some_and(|f| self.text(*f) == self.text(*index)));
                match home {
                    Some(group) => group.push(*index),
                    None => of_run.push(vec![*index]),
                }
            }
            groups.extend(of_run.into_iter().filter(|group| group.len() > 1));
        }
        groups.sort_unstable_by_key(|group| group.first().copied());
        groups
    }

    /// Makes an index in which rows are found by the keys of another table.
    pub fn index(&self) -> KeyIndex<'_> {
        let mut sorted: Vec<(u128, usize)> =
            (0..self.len()).filter_map(|index| Some((self.hash(index)?, index))).collect();
        sorted.par_sort_unstable();
        KeyIndex { keys: self, sorted }
    }
}

/// The canonical texts of the parts of keys, as [`Keys`] has them, for rows with NULL parts too and without hashes.
#[derive(Debug, Clone)]
pub struct KeyParts(Vec<Option<Part>>);

impl KeyParts {
    /// Takes the parts from these columns of a frame, by our names; a column that is not there counts as NULL.
    pub fn new(frame: &Frame, columns: &[impl AsRef<str>]) -> KeyParts {
        let part = |name: &str| {
            let (field, column) = frame.column(name)?;
            Part::new(field, column).ok()
        };
        KeyParts(columns.iter().map(|name| part(name.as_ref())).collect())
    }

    /// Returns the number of parts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true where there is no part.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the texts of the parts of the row at `index`, from 0.
    ///
    /// # Panics
    /// Where `index` is not below the frame's height.
    pub fn texts(&self, index: usize) -> Vec<Option<Cow<'_, str>>> {
        self.0.iter().map(|part| part.as_ref()?.text(index)).collect()
    }
}

/// Rows in the order of their keys' hashes, to be found by the keys of another table.
#[derive(Debug, Clone)]
pub struct KeyIndex<'a> {
    keys: &'a Keys,
    sorted: Vec<(u128, usize)>,
}

impl KeyIndex<'_> {
    /// Returns the rows (indexes from 0, ascending) whose key is that of the row at `index` of `other`.
    pub fn find(&self, other: &Keys, index: usize) -> impl Iterator<Item = usize> {
        let hash = other.hash(index);
        let start = hash.map_or(self.sorted.len(), |hash| self.sorted.partition_point(|(h, _)| *h < hash));
        self.sorted
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |(h, _)| Some(*h) == hash)
            .map(|(_, row)| *row)
            .filter(move |row| self.keys.text(*row) == other.text(index))
    }
}

/// Hashes keys of one text part, which most tables have: what [`text_of`] gives for the rows from `first` on.
fn hash_texts(texts: &Utf8ViewArray, first: usize, present: &mut [bool], hashes: &mut [u128]) {
    for (offset, (present, hash)) in present.iter_mut().zip(hashes).enumerate() {
        let Some(text) = texts.get(first + offset) else { continue };
        *present = true;
        *hash = match is_escaped(text) {
            true => xxh3_128(key_text([Some(text)]).as_bytes()),
            false => xxh3_128(text.as_bytes()),
        };
    }
}

/// Returns true where a text has characters that are escaped in a key.
fn is_escaped(text: &str) -> bool {
    // All bytes are looked at, so that several can be at once.
    text.bytes().fold(false, |found, byte| found | matches!(byte, b'|' | b'\\'))
}

/// Returns a row's canonical text, without a copy where it is one text without characters to escape.
fn text_of(parts: &[Part], index: usize) -> Option<Cow<'_, str>> {
    if let [part] = parts {
        let text = part.text(index)?;
        return Some(match is_escaped(&text) {
            true => Cow::Owned(key_text([Some(text.as_ref())])),
            false => text,
        });
    }
    let texts: Option<Vec<Cow<'_, str>>> = parts.iter().map(|part| part.text(index)).collect();
    Some(Cow::Owned(key_text(texts?.iter().map(|text| Some(text.as_ref())))))
}

impl Part {
    fn new(field: &Field, column: &polars::prelude::Column) -> PolarsResult<Part> {
        let series = column.as_materialized_series().rechunk();
        Ok(match series.dtype() {
            DataType::String => match &field.logical {
                Logical::Text { padded: true, .. } => Part::Padded(series.str()?.clone()),
                _ => Part::Text(series.str()?.clone()),
            },
            DataType::Boolean => Part::Bool(series.bool()?.clone()),
            DataType::Int64 => Part::I64(series.i64()?.clone()),
            DataType::UInt64 => Part::U64(series.u64()?.clone()),
            DataType::Float64 => Part::F64(series.f64()?.clone()),
            DataType::Decimal(_, scale) => {
                Part::Decimal(series.decimal()?.physical().clone(), u32::try_from(*scale).unwrap_or(0))
            }
            DataType::Date => Part::Date(series.date()?.physical().clone()),
            DataType::Datetime(_, _) => {
                let utc = matches!(field.logical, Logical::Timestamp { utc: true });
                Part::Moment(series.datetime()?.physical().clone(), utc)
            }
            DataType::Time => Part::Time(series.time()?.physical().clone()),
            DataType::Binary => Part::Bytes(series.binary()?.clone()),
            _ => Part::Null,
        })
    }

    fn text(&self, index: usize) -> Option<Cow<'_, str>> {
        let number = |number: Number| {
            let mut text = String::new();
            number.push_text(&mut text);
            Cow::Owned(text)
        };
        match self {
            Part::Text(c) => c.get(index).map(Cow::Borrowed),
            Part::Padded(c) => c.get(index).map(|v| Cow::Borrowed(v.trim_end_matches(' '))),
            Part::Bool(c) => c.get(index).map(|v| Cow::Borrowed(if v { "true" } else { "false" })),
            Part::I64(c) => c.get(index).map(|v| Cow::Owned(v.to_string())),
            Part::U64(c) => c.get(index).map(|v| Cow::Owned(v.to_string())),
            Part::F64(c) => c.get(index).map(|v| number(Number::Float(v))),
            Part::Decimal(c, scale) => {
                c.get(index).map(|digits| number(Number::Exact { digits, scale: *scale }))
            }
            Part::Date(c) => c.get(index).map(|v| Cow::Owned(date_text(v))),
            Part::Moment(c, utc) => c.get(index).map(|v| {
                let mut text = moment_text(v, *utc);
                if let Some(date) = text.strip_suffix(" 00:00:00").map(str::len) {
                    text.truncate(date);
                }
                Cow::Owned(text)
            }),
            Part::Time(c) => c.get(index).map(|v| Cow::Owned(time_text(v / 1000))),
            Part::Bytes(c) => c.get(index).map(|v| Cow::Owned(hex(v))),
            Part::Null => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use polars::prelude::{Column, DataFrame, Series};
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{Value, polars_type};
    use crate::model::Schema;

    fn frame(logicals: &[Logical], rows: &[Vec<Option<&str>>]) -> Frame {
        let schema = Schema {
            fields: logicals
                .iter()
                .enumerate()
                .map(|(i, l)| Field::new(format!("c{i}"), l.clone()))
                .collect(),
        };
        let columns = schema.fields.iter().enumerate().map(|(i, field)| {
            let values: Vec<polars::prelude::AnyValue<'static>> = rows
                .iter()
                .map(|row| match row[i] {
                    None => polars::prelude::AnyValue::Null,
                    Some(text) => match Value::parse(text, &field.logical).unwrap().literal(&field.logical) {
                        polars::prelude::LiteralValue::Scalar(s) => s.value().clone().into_static(),
                        _ => unreachable!(),
                    },
                })
                .collect();
            let series = Series::from_any_values_and_dtype(
                field.name.as_str().into(),
                &values,
                &polars_type(&field.logical),
                true,
            );
            Column::from(series.unwrap())
        });
        let df = DataFrame::new(rows.len(), columns.collect()).unwrap();
        Frame::new(schema, df)
    }

    fn single(logical: &str, texts: &[&str]) -> Keys {
        let rows: Vec<Vec<Option<&str>>> = texts.iter().map(|t| vec![Some(*t)]).collect();
        Keys::new(&frame(&[logical.parse().unwrap()], &rows), &["c0"]).unwrap()
    }

    #[test]
    fn equal_values_of_different_types_have_one_key() {
        for (a, b) in [
            (single("i64", &["1", "-7"]), single("decimal(9,2)", &["1.00", "-7.00"])),
            (single("u64", &["1", "0"]), single("f64", &["1.0", "-0.0"])),
            (single("char(5)", &["ab   ", "x|y"]), single("text", &["ab", "x|y"])),
            (single("date", &["2020-01-01"]), single("timestamp", &["2020-01-01 00:00:00"])),
            (single("f64", &["0.1"]), single("decimal(3,2)", &["0.10"])),
        ] {
            for i in 0..a.len() {
                assert!(a.same(i, &b, i), "{:?} {:?}", a.text(i), b.text(i));
                assert_eq!(a.hash(i), b.hash(i));
                assert_eq!(a.index().find(&b, i).collect::<Vec<_>>(), [i]);
            }
        }
        let (naive, utc) = (single("timestamp", &["2020-01-01"]), single("timestamptz", &["2020-01-01Z"]));
        assert!(!naive.same(0, &utc, 0));
    }

    #[test]
    fn equal_hashes_alone_decide_nothing() {
        let mut keys = single("text", &["a", "b", "a", "c", "b"]);
        keys.hashes = vec![7; 5];
        assert_eq!(keys.groups(None), [vec![0, 2], vec![1, 4]]);
        assert!(!keys.same(0, &keys, 1));
        assert_eq!(keys.index().find(&keys, 4).collect::<Vec<_>>(), [1, 4]);
        assert_eq!(keys.groups(Some(&[true, true, false, true, true])), [vec![1, 4]]);
    }

    #[test]
    fn a_missing_column_is_an_error() {
        assert!(Keys::new(&frame(&[Logical::I64], &[]), &["other"]).is_err());
    }

    proptest! {
        #[test]
        fn groups_are_those_of_the_pairs(
            rows in proptest::collection::vec((proptest::option::of("[ab|\\\\]{0,2}"), proptest::option::of(0..3_i64)), 0..40)
        ) {
            let texts: Vec<Vec<Option<String>>> =
                rows.iter().map(|(a, b)| vec![a.clone(), b.map(|b| b.to_string())]).collect();
            let cells: Vec<Vec<Option<&str>>> =
                texts.iter().map(|row| row.iter().map(Option::as_deref).collect()).collect();
            let keys = Keys::new(&frame(&[Logical::TEXT, Logical::I64], &cells), &["c0", "c1"]).unwrap();
            let mut plain: BTreeMap<(&str, i64), Vec<usize>> = BTreeMap::new();
            for (i, row) in rows.iter().enumerate() {
                prop_assert_eq!(keys.is_present(i), row.0.is_some() && row.1.is_some());
                if let (Some(a), Some(b)) = row {
                    plain.entry((a, *b)).or_default().push(i);
                }
            }
            for i in 0..rows.len() {
                let same: Vec<usize> =
                    plain.values().find(|g| g.contains(&i)).cloned().unwrap_or_default();
                prop_assert_eq!(keys.index().find(&keys, i).collect::<Vec<_>>(), same);
            }
            let mut groups: Vec<Vec<usize>> = plain.into_values().filter(|g| g.len() > 1).collect();
            groups.sort();
            prop_assert_eq!(keys.groups(None), groups);
        }
    }
}
