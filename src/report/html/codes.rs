//! Codes that no list of a policy has: each with the number of records that hold it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::mask::Mask;

use super::cell::{Cell, cell};

/// Codes shown of one column.
const CODES: usize = 20;

/// A code that is not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The code.
    pub cell: Cell,
    /// Records of expected that hold it.
    pub records: u64,
}

/// How often each code of one column was found.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    records: BTreeMap<String, u64>,
}

impl Codes {
    /// Counts the code of a record.
    pub fn add(&mut self, code: Option<&str>) {
        let Some(code) = code else { return };
        match self.records.get_mut(code) {
            Some(records) => *records += 1,
            None => {
                self.records.insert(code.to_owned(), 1);
            }
        }
    }

    /// Returns the codes that most records hold, as they may be shown, and how many codes there are in all. Where the
    /// column is hidden no code is shown.
    pub fn shown(self, column: &str, mask: &Mask<'_>) -> (Vec<Code>, u64) {
        let all = self.records.len() as u64;
        if mask.reason(column).is_some() {
            return (Vec::new(), all);
        }
        let mut codes: Vec<(String, u64)> = self.records.into_iter().collect();
        codes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let shown = codes.into_iter().take(CODES);
        let code = |(text, records): (String, u64)| Code {
            cell: cell(mask, column, &[("code", Some(text.as_str()))]),
            records,
        };
        (shown.map(code).collect(), all)
    }
}
