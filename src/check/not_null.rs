//! Every row has a value in these columns.
//!
//! A missing key, date or reference makes a record that nobody can use, and most other checks pass over NULL:
//! this one is what makes their silence safe.
//!
//! ```yaml check
//! check: not_null
//! columns: [tag_ref, cot]
//! ```
//! ```rows
//! | tag_ref: text | cot: date  |
//! | "000123/01"   | 2020-01-01 |
//! | null          | null       |
//! | ""            | 2020-01-02 |
//! ```
//! ```findings
//! row 2: tag_ref
//! row 2: cot
//! ```
//!
//! One finding for each row and column. Empty or blank text is a value and passes: where blank means
//! missing, make it NULL first with the step `null_if`.

use chrono::{DateTime, Utc};
use polars::prelude::col;

use crate::diagnostic::{Diagnostics, Spanned};
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Completeness;

params! {
    /// Every row has a value in these columns.
    pub(super) struct Rule("check `not_null`") {
        /// The columns, each tested for itself.
        columns | column: Vec<Spanned<String>>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.columns.clone()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.columns, out);
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_all(schema, &self.columns, out)?;
        let tests = fields.iter().map(|field| RowTest {
            column: Some(field.name.clone()),
            passes: col(field.name.as_str()).is_not_null(),
        });
        Some(BoundCheck::Rows(tests.collect()))
    }
}
