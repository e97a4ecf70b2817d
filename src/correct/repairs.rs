//! What would make the target equal expected: written, never applied.

use std::collections::BTreeSet;

use polars::prelude::PolarsError;

use crate::frame::{Frame, Texts, Value, series_of};
use crate::model::{Field, Logical};

use super::{KeyTexts, frame_of, in_their_name};

/// One row to insert, update or delete. Indexes are from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// The expected row is missing in the target.
    Insert {
        /// The row of expected.
        expected: usize,
    },
    /// Cells of the target's row differ from the expected ones.
    Update {
        /// The row of expected.
        expected: usize,
        /// The row of the target.
        target: usize,
        /// Our names of the columns that differ.
        columns: BTreeSet<String>,
    },
    /// The target's row is not expected.
    Delete {
        /// The row of the target.
        target: usize,
        /// Why: `unexpected`, or `merged` where its source row was merged into another.
        reason: &'static str,
    },
}

impl Repair {
    /// Returns the word for what is to be done: `insert`, `update` or `delete`.
    pub fn action(&self) -> &'static str {
        match self {
            Repair::Insert { .. } => "insert",
            Repair::Update { .. } => "update",
            Repair::Delete { .. } => "delete",
        }
    }
}

/// Makes the table of repairs: action, reason, columns (the differing ones, in the target's names, joined by
/// `,`), key, then every column of the target with the values the row should have; sorted by key, then action.
///
/// An update keeps the target's value wherever the two do not differ. A delete shows the row as it is. A value
/// that does not fit the target's type makes its column text. A target column called like one of the first four gets `target_` before its name.
///
/// # Errors
/// Where polars refuses the columns.
pub fn repairs(
    repairs: &[Repair],
    expected: &Frame,
    target: &Frame,
    key: &[String],
) -> Result<Frame, PolarsError> {
    let (expected_keys, target_keys) = (KeyTexts::new(expected, key), KeyTexts::new(target, key));
    let mut lines: Vec<(String, &'static str, &Repair)> = repairs
        .iter()
        .map(|repair| match repair {
            Repair::Insert { expected } => (expected_keys.get(*expected), repair.action(), repair),
            Repair::Update { target, .. } => (target_keys.get(*target), repair.action(), repair),
            Repair::Delete { target, .. } => (target_keys.get(*target), repair.action(), repair),
        })
        .collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)).then_with(|| place(a.2).cmp(&place(b.2))));
    let text = |name: &str, of: &dyn Fn(&(String, &'static str, &Repair)) -> Option<String>| {
        let values: Vec<Option<Value>> = lines.iter().map(|line| of(line).map(Value::Text)).collect();
        (Field::new(name, Logical::TEXT), series_of(name, &Logical::TEXT, &values))
    };
    let their_name = |name: &String| target.schema.get(name).map_or(name.clone(), |f| f.source_name.clone());
    let mut columns = vec![
        text("action", &|(_, action, _)| Some((*action).to_owned())),
        text("reason", &|(_, _, repair)| {
            Some(match repair {
                Repair::Insert { .. } => "missing".to_owned(),
                Repair::Update { .. } => "mismatched".to_owned(),
                Repair::Delete { reason, .. } => (*reason).to_owned(),
            })
        }),
        text("columns", &|(_, _, repair)| match repair {
            Repair::Update { columns, .. } => {
                Some(columns.iter().map(their_name).collect::<Vec<_>>().join(","))
            }
            _ => None,
        }),
        text("key", &|(key, _, _)| Some(key.clone())),
    ];
    for (field, column) in target.schema.fields.iter().zip(target.df.columns()) {
        let own = Texts::new(column.as_materialized_series(), &field.logical);
        let wanted = expected.texts(&field.name);
        let values: Vec<Option<String>> = lines
            .iter()
            .map(|(_, _, repair)| match repair {
                Repair::Insert { expected } => wanted.as_ref().and_then(|t| t.owned(*expected)),
                Repair::Update { expected, columns, .. } if columns.contains(&field.name) => {
                    wanted.as_ref().and_then(|t| t.owned(*expected))
                }
                Repair::Update { target, .. } | Repair::Delete { target, .. } => own.owned(*target),
            })
            .collect();
        let mut field = in_their_name(field);
        if ["action", "reason", "columns", "key"].contains(&field.name.as_str()) {
            field.name = format!("target_{}", field.name);
        }
        let typed: Vec<Option<Value>> =
            values.iter().map(|v| v.as_deref().and_then(|v| Value::parse(v, &field.logical))).collect();
        let fits = values.iter().zip(&typed).all(|(text, value)| text.is_some() == value.is_some());
        let series = if fits {
            series_of(&field.name, &field.logical, &typed)
        } else {
            field.logical = Logical::TEXT;
            let texts: Vec<Option<Value>> = values.into_iter().map(|v| v.map(Value::Text)).collect();
            series_of(&field.name, &Logical::TEXT, &texts)
        };
        columns.push((field, series));
    }
    frame_of(columns, lines.len())
}

fn place(repair: &Repair) -> (usize, usize) {
    match repair {
        Repair::Insert { expected } => (0, *expected),
        Repair::Update { target, .. } | Repair::Delete { target, .. } => (1, *target),
    }
}
