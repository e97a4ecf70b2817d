//! The two columns of a row hold different values.
//!
//! A tenant who is their own joint tenant, a transfer from an account to itself: what stands in both columns was put into
//! one of them by mistake.
//!
//! ```yaml check
//! check: columns_differ
//! columns: [tenant, joint_tenant]
//! ```
//! ```rows
//! | tenant: i64 | joint_tenant: decimal(9,2) |
//! | 1           | 2.00                       |
//! | 1           | 1.00                       |
//! | 1           | null                       |
//! | null        | null                       |
//! ```
//! ```findings
//! row 2
//! ```
//!
//! Rows with NULL in one of the columns are not evaluated. Numbers of different types are compared by value, a date and a
//! timestamp by the date's midnight; columns that cannot be compared are a mistake in the rule.

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::expression::{Comparison, compare_columns};
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

params! {
    /// The two columns of a row hold different values.
    pub(super) struct Rule("check `columns_differ`") {
        /// The two columns.
        columns: Vec<Spanned<String>>,
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.columns.clone()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.columns, out);
        if let (false, Some(name)) = (self.columns.len() == 2, self.columns.first()) {
            out.push(Diagnostic::error(&name.span, "check `columns_differ` compares two columns"));
        }
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_all(schema, &self.columns, out)?;
        let ([first, second], [_, place]) = (fields.as_slice(), self.columns.as_slice()) else { return None };
        match compare_columns(first, Comparison::NotEqual, second) {
            Ok(passes) => Some(BoundCheck::Rows(vec![RowTest { column: None, passes }])),
            Err((message, help)) => {
                out.push(Diagnostic::error(&place.span, message).help(help));
                None
            }
        }
    }
}
