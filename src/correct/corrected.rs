//! The corrected dataset: what to load.

use polars::prelude::{IdxCa, NewChunkedArray, PlSmallStr, PolarsError, Series};
use rayon::prelude::*;

use crate::frame::Frame;
use crate::model::Field;

use super::{KeyTexts, Made, Ties, frame_of, in_their_name};

/// Makes the corrected dataset: expected, in the target's names, order and types.
///
/// A column of the target that expected lacks is left out. A time without a zone becomes an instant, and the other
/// way round, by the clocks of the zone in `ties`. A column in which a value would not fit the
/// target's type keeps the type it has, and a note says so. Without a target the source's names and order stand.
///
/// # Errors
/// Where polars cannot take the rows in order.
pub fn corrected(
    expected: &Frame,
    keys: &KeyTexts,
    target: Option<&Frame>,
    ties: &Ties,
) -> Result<Made, PolarsError> {
    let mut notes = Vec::new();
    let order = IdxCa::from_slice(PlSmallStr::EMPTY, &keys.order());
    let wanted: Vec<&Field> = match target {
        Some(target) => target.schema.fields.iter().collect(),
        None => expected.schema.fields.iter().collect(),
    };
    let ordered: Vec<Option<(Field, Series, Option<String>)>> = wanted
        .into_par_iter()
        .map(|field| {
            let Some((own, column)) = expected.column(&field.name) else { return Ok(None) };
            let series = column.as_materialized_series();
            let fitted = ties.fit(own, series, field, target.unwrap_or(expected));
            let lost = fitted.converted.lost.len();
            let mut field = in_their_name(field);
            if lost == 0 {
                return Ok(Some((field, fitted.converted.series.take(&order)?, None)));
            }
            let note = format!(
                "Corrected column `{}` stays {}: {lost} of its values {} not fit {}{}.",
                field.name,
                own.logical,
                if lost == 1 { "does" } else { "do" },
                field.logical,
                fitted.reason()
            );
            field.logical = own.logical.clone();
            Ok(Some((field, series.take(&order)?, Some(note))))
        })
        .collect::<Result<_, PolarsError>>()?;
    let mut columns = Vec::with_capacity(ordered.len());
    for (field, series, note) in ordered.into_iter().flatten() {
        columns.push((field, series));
        notes.extend(note);
    }
    Ok(Made { frame: frame_of(columns, expected.height())?, notes })
}
