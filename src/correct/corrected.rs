//! The corrected dataset: what to load.

use polars::prelude::{IdxCa, NewChunkedArray, PlSmallStr, PolarsError, Series};
use rayon::prelude::*;

use crate::frame::{Frame, convert};
use crate::model::{Field, Schema};

use super::{KeyTexts, frame_of, in_their_name};

/// A corrected dataset and what to know of it.
#[derive(Debug, Clone)]
pub struct Corrected {
    /// The rows, sorted by key.
    pub frame: Frame,
    /// What could not be brought into the target's form, in sentences.
    pub notes: Vec<String>,
}

/// Makes the corrected dataset: expected, in the target's names, order and types.
///
/// A column of the target that expected lacks is left out. A column in which a value would not fit the
/// target's type keeps the type it has, and a note says so. Without a target the source's names and order stand.
///
/// # Errors
/// Where polars cannot take the rows in order.
pub fn corrected(
    expected: &Frame,
    key: &[String],
    target: Option<&Schema>,
) -> Result<Corrected, PolarsError> {
    let mut notes = Vec::new();
    let order = IdxCa::from_slice(PlSmallStr::EMPTY, &KeyTexts::new(expected, key).order());
    let wanted: Vec<&Field> = match target {
        Some(target) => target.fields.iter().collect(),
        None => expected.schema.fields.iter().collect(),
    };
    let ordered: Vec<Option<(Field, Series, Option<String>)>> = wanted
        .into_par_iter()
        .map(|field| {
            let Some((own, column)) = expected.column(&field.name) else { return Ok(None) };
            let series = column.as_materialized_series().take(&order)?;
            let converted = convert(&series, &own.logical, &field.logical);
            let mut field = in_their_name(field);
            if converted.lost.is_empty() {
                return Ok(Some((field, converted.series, None)));
            }
            let note = format!(
                "Corrected column `{}` stays {}: {} of its values do not fit {}.",
                field.name,
                own.logical,
                converted.lost.len(),
                field.logical
            );
            field.logical = own.logical.clone();
            Ok(Some((field, series, Some(note))))
        })
        .collect::<Result<_, PolarsError>>()?;
    let mut columns = Vec::with_capacity(ordered.len());
    for (field, series, note) in ordered.into_iter().flatten() {
        columns.push((field, series));
        notes.extend(note);
    }
    Ok(Corrected { frame: frame_of(columns, expected.height())?, notes })
}
