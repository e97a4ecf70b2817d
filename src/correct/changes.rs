//! Every cell that a step or a merge changed.

use polars::prelude::PolarsError;

use crate::frame::{Frame, Value, series_of};
use crate::model::{Correction, Field, Logical, compare_keys};

use super::{KeyTexts, frame_of};

/// Makes the table of changes: key, row, column (in the source's name), before, after, rule; sorted by key, then
/// row, then in the order of the steps.
///
/// `cleansed` holds every row of the source in scope, with its rows in ascending order of their positions; the
/// key of a change is the one after cleansing, from `keys`.
///
/// # Errors
/// Where polars refuses the columns.
pub fn changes(corrections: &[Correction], cleansed: &Frame, keys: &KeyTexts) -> Result<Frame, PolarsError> {
    let mut lines: Vec<(String, &Correction)> = corrections
        .iter()
        .map(|c| (cleansed.rows.binary_search(&c.row).map(|i| keys.get(i)).unwrap_or_default(), c))
        .collect();
    lines.sort_by(|(a, x), (b, y)| compare_keys(a, b).then(x.row.cmp(&y.row)));
    let their_name =
        |name: &str| cleansed.schema.get(name).map_or(name, |f| f.source_name.as_str()).to_owned();
    let text = |name: &str, of: &dyn Fn(&(String, &Correction)) -> Option<String>| {
        let values: Vec<Option<Value>> = lines.iter().map(|line| of(line).map(Value::Text)).collect();
        (Field::new(name, Logical::TEXT), series_of(name, &Logical::TEXT, &values))
    };
    let rows: Vec<Option<Value>> = lines.iter().map(|(_, c)| Some(Value::U64(c.row))).collect();
    frame_of(
        vec![
            text("key", &|(key, _)| Some(key.clone())),
            (Field::new("row", Logical::U64), series_of("row", &Logical::U64, &rows)),
            text("column", &|(_, c)| Some(their_name(&c.column))),
            text("before", &|(_, c)| c.before.clone()),
            text("after", &|(_, c)| c.after.clone()),
            text("rule", &|(_, c)| Some(c.rule.clone())),
        ],
        lines.len(),
    )
}
