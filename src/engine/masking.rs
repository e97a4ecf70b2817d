//! Which columns views must not show.

use std::collections::BTreeMap;

use crate::config::Dataset;
use crate::findings::Masking;
use crate::frame::Frame;

/// The longest text, in characters, that is not taken for free text.
const LONGEST_PLAIN_TEXT: usize = 60;

/// Decides what is hidden: columns listed as sensitive; columns listed as free text; and text columns whose
/// longest value on either side has more than 60 characters, unless listed under `show`.
///
/// Where a key column is hidden, keys show as tokens.
pub fn masking(dataset: &Dataset, sides: &[Option<&Frame>]) -> Masking {
    let mut columns = BTreeMap::new();
    for frame in sides.iter().copied().flatten() {
        for (field, column) in frame.schema.fields.iter().zip(frame.df.columns()) {
            let shown = dataset.show.iter().any(|name| name.value == field.name);
            if field.logical.is_text() && !shown && has_long_text(column.as_materialized_series()) {
                columns.insert(field.name.clone(), "free text".to_owned());
            }
        }
    }
    for name in &dataset.free_text {
        columns.insert(name.value.clone(), "free text".to_owned());
    }
    for name in &dataset.sensitive {
        columns.insert(name.value.clone(), "sensitive".to_owned());
    }
    let key = dataset.key.iter().any(|name| columns.contains_key(&name.value));
    Masking { key, columns }
}

fn has_long_text(series: &polars::prelude::Series) -> bool {
    series.str().is_ok_and(|texts| {
        texts
            .iter()
            .flatten()
            .any(|text| text.len() > LONGEST_PLAIN_TEXT && text.chars().count() > LONGEST_PLAIN_TEXT)
    })
}
