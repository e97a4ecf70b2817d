//! The records of a run that differed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::findings::{DatasetResult, ReadError, for_each_row};
use crate::model::key_parts;

/// Where a record differed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// It had no partner.
    Alone,
    /// In a column, by our name.
    Column(String),
}

/// The records of a dataset that differed, were missing or not expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differing {
    /// Their keys, as findings have them, each with where it differed.
    pub keys: BTreeMap<String, BTreeSet<Place>>,
}

impl Differing {
    /// Reads them from the findings of a complete run.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub fn read(run: &Path, dataset: &DatasetResult) -> Result<Self, ReadError> {
        let mut differing = Differing::default();
        let path = run.join("findings").join(format!("{}.parquet", dataset.name));
        if !path.exists() {
            return Ok(differing);
        }
        for_each_row(&path, &["kind", "rule", "key", "column"], |cells| {
            let &[Some("reconcile"), Some(rule), Some(key), column] = cells else { return };
            let place = match column {
                Some(column) => Place::Column(column.to_owned()),
                None if matches!(rule, "reconcile-missing" | "reconcile-unexpected") => Place::Alone,
                // A key that stands twice, or none at all, names no record.
                None => return,
            };
            differing.keys.entry(key.to_owned()).or_default().insert(place);
        })?;
        Ok(differing)
    }

    /// Returns true where there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the parts of each key; nothing where one has a part without a value.
    pub fn parts(&self) -> Option<Vec<Vec<String>>> {
        self.keys.keys().map(|key| key_parts(key).into_iter().collect()).collect()
    }
}
