//! The rows held back, with the reasons.

use polars::prelude::{IdxCa, NewChunkedArray, PlSmallStr, PolarsError};

use crate::frame::{Frame, Value, series_of};
use crate::model::{Field, Logical, compare_keys};

use super::{KeyTexts, frame_of, in_their_name};

/// One row that is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// The row's index in the frame, from 0.
    pub index: usize,
    /// The rule, the column and the reason of each hold, as `rule: column: reason`, in the order of the rules.
    pub reasons: Vec<String>,
}

/// Makes the table of held-back rows: key, row, reasons (joined by `; `), then every column of the raw source
/// in the source's names; sorted by key, then row.
///
/// A key is the one after cleansing, as findings show it; what cleansing could not read is raw.
///
/// A column of the source that is called `key`, `row` or `reasons` too gets `source_` before its name.
///
/// # Errors
/// Where polars cannot take the rows.
pub fn quarantine(
    held: &[HeldRow],
    raw: &Frame,
    cleansed_keys: &KeyTexts,
    raw_keys: &KeyTexts,
) -> Result<Frame, PolarsError> {
    let mut lines: Vec<(String, &HeldRow)> =
        held.iter().map(|h| (cleansed_keys.get_or(h.index, raw_keys), h)).collect();
    lines.sort_by(|(a, x), (b, y)| compare_keys(a, b).then(x.index.cmp(&y.index)));
    let text = |name: &str, values: Vec<String>| {
        let values: Vec<Option<Value>> = values.into_iter().map(|v| Some(Value::Text(v))).collect();
        (Field::new(name, Logical::TEXT), series_of(name, &Logical::TEXT, &values))
    };
    let rows: Vec<Option<Value>> = lines.iter().map(|(_, h)| Some(Value::U64(raw.rows[h.index]))).collect();
    let mut columns = vec![
        text("key", lines.iter().map(|(key, _)| key.clone()).collect()),
        (Field::new("row", Logical::U64), series_of("row", &Logical::U64, &rows)),
        text("reasons", lines.iter().map(|(_, h)| h.reasons.join("; ")).collect()),
    ];
    let indexes: Vec<u32> = lines.iter().map(|(_, h)| u32::try_from(h.index).unwrap_or(u32::MAX)).collect();
    let indexes = IdxCa::from_slice(PlSmallStr::EMPTY, &indexes);
    for (field, column) in raw.schema.fields.iter().zip(raw.df.columns()) {
        let mut field = in_their_name(field);
        if ["key", "row", "reasons"].contains(&field.name.as_str()) {
            field.name = format!("source_{}", field.name);
        }
        columns.push((field, column.as_materialized_series().take(&indexes)?));
    }
    frame_of(columns, lines.len())
}
