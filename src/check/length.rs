//! Every text has a length within bounds.
//!
//! A reference of fixed length that is shorter lost its leading zeros; one that ends exactly at a column's limit was
//! cut off.
//!
//! ```yaml check
//! check: length
//! column: tag_ref
//! min: 4
//! max: 5
//! ```
//! ```rows
//! | tag_ref: text |
//! | "éèêë"        |
//! | "123"         |
//! | "123456"      |
//! | null          |
//! ```
//! ```findings
//! row 2: tag_ref
//! row 3: tag_ref
//! ```
//!
//! NULL is not evaluated. Characters are Unicode code points: a letter with a separate accent counts as two. Padding of
//! `char(n)` columns is not counted, blanks in other columns are.

use chrono::{DateTime, Utc};
use polars::prelude::{DataType, col, lit};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

params! {
    /// Every text has a length within bounds.
    pub(super) struct Rule("check `length`") {
        /// The text columns, each tested for itself.
        column | columns: Vec<Spanned<String>>,
        /// The least number of characters. At least one of `min` and `max` must be given.
        min: Option<Spanned<u32>>,
        /// The greatest number of characters.
        max: Option<Spanned<u32>>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.column.clone()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.column, out);
        match (&self.min, &self.max, self.column.first()) {
            (None, None, Some(name)) => {
                out.push(Diagnostic::error(&name.span, "check `length` needs `min`, `max` or both"));
            }
            (Some(min), Some(max), _) if min.value > max.value => {
                out.push(Diagnostic::error(&max.span, "`max` is below `min`: no text can pass"));
            }
            _ => {}
        }
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_texts(schema, &self.column, "a length", out)?;
        let tests = fields.iter().map(|field| {
            let length = col(field.name.as_str()).str().len_chars().cast(DataType::Int64);
            let least = self.min.as_ref().map_or(0, |min| i64::from(min.value));
            let most = self.max.as_ref().map_or(i64::MAX, |max| i64::from(max.value));
            let passes = length.clone().gt_eq(lit(least)).and(length.lt_eq(lit(most)));
            RowTest { column: Some(field.name.clone()), passes }
        });
        Some(BoundCheck::Rows(tests.collect()))
    }
}
