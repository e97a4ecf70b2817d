//! The records that others refer to and that are not there.

use polars::prelude::PolarsError;

use crate::frame::{Frame, Value, series_of};
use crate::model::{Field, Logical, Side};

use super::frame_of;

/// A record that is not there, as one foreign key misses it on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingParent {
    /// Expected or the target.
    pub side: Side,
    /// The key that is referred to, in the form of [`crate::model::key_text`].
    pub key: String,
    /// The dataset whose rows refer to it.
    pub dataset: String,
    /// The id of the foreign key there.
    pub rule: String,
    /// Rows that refer to it.
    pub children: u64,
    /// Other rows, of any dataset, whose nearest missing record on one of their references it is.
    pub further: u64,
    /// Where it can be had: `expected`, `target`, `quarantine` or `merged`; nothing where nobody has it.
    pub found_in: Option<&'static str>,
}

/// Makes the table of the parents to restore: side, key, dataset, rule, children, further, `found_in`; in the order given.
///
/// # Errors
/// Where polars refuses the columns.
pub fn parents(missing: &[MissingParent]) -> Result<Frame, PolarsError> {
    let text = |name: &str, of: &dyn Fn(&MissingParent) -> Option<&str>| {
        let values: Vec<Option<Value>> =
            missing.iter().map(|one| of(one).map(|text| Value::Text(text.to_owned()))).collect();
        (Field::new(name, Logical::TEXT), series_of(name, &Logical::TEXT, &values))
    };
    let count = |name: &str, of: &dyn Fn(&MissingParent) -> u64| {
        let values: Vec<Option<Value>> = missing.iter().map(|one| Some(Value::U64(of(one)))).collect();
        (Field::new(name, Logical::U64), series_of(name, &Logical::U64, &values))
    };
    frame_of(
        vec![
            text("side", &|one| Some(one.side.word())),
            text("key", &|one| Some(&one.key)),
            text("dataset", &|one| Some(&one.dataset)),
            text("rule", &|one| Some(&one.rule)),
            count("children", &|one| one.children),
            count("further", &|one| one.further),
            text("found_in", &|one| one.found_in),
        ],
        missing.len(),
    )
}
