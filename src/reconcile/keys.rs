//! The keys of rows: as they are shown, and as they are matched.

use polars::prelude::{
    Column, DataFrame, Int64Chunked, IntoSeries, NewChunkedArray, StringChunked, TimeUnit,
};

use crate::frame::{Frame, Keys};
use crate::model::{Field, Logical, Schema, Side};
use crate::rule::RuleError;

use super::align::{Of, Pair};
use super::bind::{BoundReconcile, KeyColumn, ROW};
use super::cell::Cell;
use super::convert::{Convert, Reader};
use super::policy::WORDS;

impl KeyColumn {
    /// Returns how the column's values become those in which both sides meet.
    pub(super) fn convert(&self, of: Of) -> &Convert {
        match of {
            Of::Expected => &self.expected,
            Of::Target => &self.target,
        }
    }

    /// Returns true where something of its values means nothing.
    pub(super) fn folds(&self) -> bool {
        self.fold.active().contains(&true)
    }

    /// Returns what decides the keys of a side, in words: for the name of what is kept.
    pub(super) fn describe(&self, of: Of) -> String {
        let fold = match self.folds() {
            true => format!(" case {} whitespace {:?}", self.fold.case, self.fold.whitespace),
            false => String::new(),
        };
        format!("{:?}{fold}", self.convert(of))
    }
}

impl BoundReconcile {
    /// Returns the key columns of a frame of one side, in the form in which both sides meet: as keys are shown.
    ///
    /// # Errors
    /// Where a key column is not there.
    pub fn key_frame(&self, frame: &Frame, side: Side) -> Result<Frame, RuleError> {
        key_frame(frame, &self.key, of_side(side))
    }

    /// Returns the keys of a frame of one side as they are matched: without what policies of the key's columns ignore.
    ///
    /// # Errors
    /// Where a key column is not there.
    pub fn keys(&self, frame: &Frame, side: Side) -> Result<Keys, RuleError> {
        keys_of(frame, &self.key, of_side(side))
    }

    /// Returns true where rows have a key; without one, rows that say the same are paired off.
    pub fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Returns true where keys are matched without something that they show.
    pub fn folds(&self) -> bool {
        self.key.iter().any(KeyColumn::folds)
    }
}

fn of_side(side: Side) -> Of {
    match side {
        Side::Source | Side::Expected => Of::Expected,
        Side::Target => Of::Target,
    }
}

/// Makes the keys of a frame's rows, as they are matched.
pub(super) fn keys_of(frame: &Frame, key: &[KeyColumn], of: Of) -> Result<Keys, RuleError> {
    let mut met = key_frame(frame, key, of)?;
    for part in key.iter().filter(|part| part.folds()) {
        let Some((field, column)) = met.column(&part.name) else { continue };
        let padded = matches!(field.logical, Logical::Text { padded: true, .. });
        let texts = column.as_materialized_series().rechunk();
        let folded = texts.str()?.iter().map(|text| {
            let text = text.map(|text| if padded { text.trim_end_matches(' ') } else { text });
            text.map(|text| part.fold.folded(text))
        });
        let folded = StringChunked::from_iter_options(part.name.as_str().into(), folded);
        met.replace(Field::new(part.name.clone(), Logical::TEXT), folded.into_series().into())?;
    }
    keys_in(&met, key)
}

/// Makes the keys of a frame's rows, as they are shown.
pub(super) fn unfolded_keys_of(frame: &Frame, key: &[KeyColumn], of: Of) -> Result<Keys, RuleError> {
    keys_in(&key_frame(frame, key, of)?, key)
}

fn keys_in(frame: &Frame, key: &[KeyColumn]) -> Result<Keys, RuleError> {
    let names: Vec<&str> = key.iter().map(|part| part.name.as_str()).collect();
    Ok(Keys::new(frame, &names)?)
}

/// Returns the key columns of a frame, in the form in which both sides meet.
pub(super) fn key_frame(frame: &Frame, key: &[KeyColumn], of: Of) -> Result<Frame, RuleError> {
    let mut fields = Vec::with_capacity(key.len());
    let mut columns = Vec::with_capacity(key.len());
    for part in key {
        if part.name == ROW {
            fields.push(Field::new(ROW, Logical::U64));
            columns.push(Column::new(ROW.into(), frame.rows.as_slice()));
            continue;
        }
        let (field, column) = column_of(frame, &part.name)?;
        let convert = part.convert(of);
        if matches!(convert, Convert::Direct | Convert::NaiveWall(_)) {
            fields.push(field.clone());
            columns.push(column.clone());
            continue;
        }
        let reader = Reader::new(column.as_materialized_series(), field, convert.clone())?;
        let (logical, series) = if matches!(convert, Convert::Wall(_)) {
            let moments = (0..frame.height()).map(|row| match reader.cell(row) {
                Cell::Moment(moment) => i64::try_from(moment).ok(),
                _ => None,
            });
            let moments = Int64Chunked::from_iter_options(field.name.as_str().into(), moments);
            (Logical::TIMESTAMP, moments.into_datetime(TimeUnit::Microseconds, None).into_series())
        } else {
            let texts = (0..frame.height()).map(|row| text_of(reader.cell(row)));
            (Logical::TEXT, StringChunked::from_iter_options(field.name.as_str().into(), texts).into_series())
        };
        fields.push(Field::new(field.name.clone(), logical));
        columns.push(series.into());
    }
    let df = DataFrame::new(frame.height(), columns)?;
    Ok(Frame { schema: Schema { fields }, df, rows: frame.rows.clone() })
}

fn column_of<'f>(frame: &'f Frame, name: &str) -> Result<(&'f Field, &'f Column), RuleError> {
    frame.column(name).ok_or_else(|| RuleError::Refused(format!("`{name}` is not a column of the table")))
}

fn text_of(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.into_owned()),
        Cell::Number(number) => {
            let mut text = String::new();
            number.push_text(&mut text);
            Some(text)
        }
        _ => None,
    }
}

/// Counts, for each word by which a key's column is matched, the pairs that it brought together: column, word, pairs.
pub(super) fn brought_together(
    expected: &Frame,
    target: &Frame,
    key: &[KeyColumn],
    pairs: &[Pair],
) -> Result<Vec<(String, &'static str, u64)>, RuleError> {
    let mut found = Vec::new();
    for part in key.iter().filter(|part| part.folds()) {
        let reader = |frame: &Frame, of: Of| -> Result<Reader, RuleError> {
            let (field, column) = column_of(frame, &part.name)?;
            Ok(Reader::new(column.as_materialized_series(), field, part.convert(of).clone())?)
        };
        let (e, t) = (reader(expected, Of::Expected)?, reader(target, Of::Target)?);
        let active = part.fold.active();
        let mut counts = [0_u64; WORDS.len()];
        for pair in pairs {
            let (e, t) = (e.cell(pair.expected as usize), t.cell(pair.target as usize));
            if e.equals(&t) {
                continue;
            }
            let words = part.fold.settles(&e, &t, active).unwrap_or_default();
            counts.iter_mut().zip(words).for_each(|(count, word)| *count += u64::from(word));
        }
        let words = WORDS.iter().zip(active).zip(counts).filter(|((_, active), _)| *active);
        found.extend(words.map(|((word, _), count)| (part.name.clone(), *word, count)));
    }
    Ok(found)
}
