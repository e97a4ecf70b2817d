//! Which columns views must not show.

use std::collections::BTreeMap;

use crate::config::{Dataset, Plan};
use crate::diagnostic::Spanned;
use crate::findings::{ColumnResult, DatasetResult, Masking};
use crate::frame::Frame;
use crate::source::Made;

/// The longest text, in characters, that is not taken for free text.
const LONGEST_PLAIN_TEXT: usize = 60;

/// Why a column is hidden whose values are those of a hidden column of another dataset.
const REFERS: &str = "refers to a sensitive column";

/// Why a column is hidden whose values are calculated from a hidden column.
const CALCULATED: &str = "calculated from a hidden column";

/// Why a column is hidden that a query made from a hidden column.
const MADE: &str = "made from a hidden column";

/// Why a column is hidden that holds values of a hidden column in some rows.
const EXCHANGED: &str = "holds values of a hidden column";

/// The sides of a dataset for whoever decides what is hidden of it.
pub struct Looked<'a> {
    /// The frames of the sides that it has.
    pub sides: [Option<&'a Frame>; 2],
    /// The longest text of each column that was looked at, in characters, where the frames have no rows because those rest.
    pub longest: Option<&'a BTreeMap<String, u64>>,
    /// What those of its sides were made of that are queries over other datasets.
    pub made: [Option<&'a Made>; 2],
}

/// Decides what is hidden of every dataset of a plan, by name; `looked` gives what is known of one.
///
/// The values of a foreign key are those of the column it refers to: where that is hidden so is it, unless listed
/// under `show`. So is a column that the reconciliation calculates from a hidden one, or a query makes from one.
pub fn maskings<'f>(plan: &Plan, looked: impl Fn(&str) -> Looked<'f>) -> BTreeMap<String, Masking> {
    let own = |dataset: &Dataset| {
        let name = &dataset.name.value;
        (name.clone(), masking(dataset, &looked(name)))
    };
    let mut all: BTreeMap<String, Masking> = plan.datasets.iter().map(own).collect();
    // A column may refer to one that is only hidden because it refers to another.
    loop {
        let mut found = Vec::new();
        for dataset in &plan.datasets {
            for rule in &dataset.checks {
                let Some(reference) = rule.rule.reference() else { continue };
                let Some(parent) = all.get(&reference.dataset.value) else { continue };
                let pairs = rule.rule.columns().into_iter().zip(&reference.columns);
                let hidden = pairs.filter(|(_, theirs)| parent.columns.contains_key(&theirs.value));
                found.extend(hidden.map(|(own, _)| (dataset, own.value, REFERS)));
            }
            for crosswalk in dataset.crosswalks.iter().map(|crosswalk| &crosswalk.value) {
                let Some(holder) = all.get(&crosswalk.through.value) else { continue };
                if [&crosswalk.from, &crosswalk.to].iter().any(|id| holder.columns.contains_key(&id.value)) {
                    found.push((dataset, crosswalk.column.value.clone(), REFERS));
                }
            }
            let own = all.get(&dataset.name.value);
            let made = looked(&dataset.name.value).made;
            for (name, origins) in made.into_iter().flatten().flat_map(|made| &made.columns) {
                let hidden = |origin: &String| {
                    let (from, column) = origin.split_once('.')?;
                    all.get(from)?.columns.contains_key(column).then_some(())
                };
                if origins.iter().any(|origin| hidden(origin).is_some()) {
                    found.push((dataset, name.clone(), MADE));
                }
            }
            for (name, policy) in &dataset.reconcile.columns {
                let is_hidden = |column: &String| own.is_some_and(|own| own.columns.contains_key(column));
                if policy.value.named().iter().any(is_hidden) {
                    found.push((dataset, name.clone(), CALCULATED));
                }
            }
        }
        let mut changed = false;
        for (dataset, column, why) in found {
            let Some(masking) = all.get_mut(&dataset.name.value) else { continue };
            let shown = dataset.show.iter().any(|name| name.value == column);
            if !shown && !masking.columns.contains_key(&column) {
                masking.key |= dataset.key.iter().any(|name| name.value == column);
                masking.columns.insert(column, why.to_owned());
                changed = true;
            }
        }
        if !changed {
            return all;
        }
    }
}

/// Hides the columns that hold values of a hidden one, because the two were exchanged in some rows; not those in `shown`.
pub fn hide_exchanged(masking: &mut Masking, result: &DatasetResult, shown: &[Spanned<String>]) {
    let exchanged = |column: &&ColumnResult| {
        column.causes.iter().any(|cause| cause.cause.split('+').any(|cause| cause == "columns_swapped"))
    };
    let names: Vec<&String> = result.columns.iter().filter(exchanged).map(|column| &column.name).collect();
    if names.iter().any(|name| masking.columns.contains_key(*name)) {
        for name in names.into_iter().filter(|name| !shown.iter().any(|shown| shown.value == **name)) {
            masking.columns.entry(name.clone()).or_insert_with(|| EXCHANGED.to_owned());
        }
    }
}

/// Decides what is hidden of one dataset by itself: columns listed as sensitive; columns listed as free text; and text columns whose
/// longest value on either side has more than 60 characters, unless listed under `show`.
///
/// Where a key column is hidden, keys show as tokens.
fn masking(dataset: &Dataset, looked: &Looked<'_>) -> Masking {
    let mut columns = BTreeMap::new();
    for frame in looked.sides.iter().copied().flatten() {
        for (field, column) in frame.schema.fields.iter().zip(frame.df.columns()) {
            let shown = dataset.show.iter().any(|name| name.value == field.name);
            if !field.logical.is_text() || shown {
                continue;
            }
            let hidden = match looked.longest {
                Some(longest) => match longest.get(&field.name) {
                    Some(length) => (*length > LONGEST_PLAIN_TEXT as u64).then_some("free text"),
                    None => Some("not looked at"),
                },
                None => has_long_text(column.as_materialized_series()).then_some("free text"),
            };
            if let Some(reason) = hidden {
                columns.insert(field.name.clone(), reason.to_owned());
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
