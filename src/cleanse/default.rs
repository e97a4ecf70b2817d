//! Puts a value where there is none.
//!
//! Where the new system demands a value and the old one left it out, the agreed one is written here, and every
//! cell so filled is recorded as a correction.
//!
//! - Only NULL is filled: the empty text is a value (`null_if` with `""` makes it NULL first).
//! - The value is written as the column's type; one that is not of that type is a diagnostic. Text may be
//!   longer than the column's declared length, which then grows.
//! - `"*"` takes every text column.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: default
//! columns: [hb_status]
//! value: None
//! ```
//! ```rows before
//! | hb_status: char(1) |
//! | "Y"                |
//! | null               |
//! | ""                 |
//! ```
//! ```rows after
//! | hb_status: char(4) |
//! | "Y"                |
//! | "None"             |
//! | ""                 |
//! ```
//!
//! ```yaml step
//! step: default
//! column: rent
//! value: 0
//! ```
//! ```rows before
//! | rent: decimal(9,2) |
//! | null               |
//! | 12.50              |
//! ```
//! ```rows after
//! | rent: decimal(9,2) |
//! | 0.00               |
//! | 12.50              |
//! ```

use polars::prelude::Series;

use crate::diagnostic::Diagnostics;
use crate::frame::Value;
use crate::model::{Dimension, Field};
use crate::node::{Literal, params};
use crate::rule::{Columns, ProjectFiles};

use super::values::{Pick, literal, no_null, pick, series};
use super::{Applied, BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Completeness;

const NO_NULL: &str = "NULL in the place of NULL changes nothing";

params! {
    /// The parameters.
    pub struct Rule("step `default`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The value that takes the place of NULL, written as the column's type.
        value: Literal,
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        no_null(&self.value, NO_NULL, out);
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        no_null(&self.value, NO_NULL, out);
        if !text::is_meant(&self.columns, field) {
            return None;
        }
        let value = literal(&self.value, field, true, out)?;
        let characters = if let Value::Text(text) = &value { text.chars().count() } else { 0 };
        let logical = text::with_room(&field.logical, characters);
        let filling = series("", &logical, [Some(value)]);
        let output = text::converted(field, logical);
        let apply = move |before: &Series| {
            let nulls = before.is_null();
            let picks: Vec<Pick> =
                nulls.iter().map(|null| if null == Some(true) { Pick::New(0) } else { Pick::Keep }).collect();
            Ok(Applied { values: pick(before, &filling, &picks)?, refused: Vec::new() })
        };
        Some(BoundStep { output, apply: Box::new(apply) })
    }
}
