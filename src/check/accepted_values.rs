//! Every value is one of a list.
//!
//! Codes come from a list somebody keeps. One that is not on it is a typing error, a code of an older system,
//! or a list that has moved on; after a migration it is also a code that nobody mapped.
//!
//! ```yaml check
//! check: accepted_values
//! column: tenure
//! values: [SEC, INT, "01"]
//! ```
//! ```rows
//! | tenure: char(3) |
//! | "SEC"           |
//! | "sec"           |
//! | "1"             |
//! | null            |
//! ```
//! ```findings
//! row 2: tenure
//! row 3: tenure
//! ```
//!
//! A longer list stands in a CSV file: its first column, below a header.
//!
//! ```yaml check
//! check: accepted_values
//! column: band
//! from: bands.csv
//! ```
//! ```csv bands.csv
//! band,meaning
//! 1,low
//! 2,"high, or very high"
//! ```
//! ```rows
//! | band: decimal(3,1) |
//! | 1.0                |
//! | 2.5                |
//! ```
//! ```findings
//! row 2: band
//! ```
//!
//! NULL is not evaluated: `not_null` is the check for it. The list is read as the column's type, so that `1`
//! and `1.0` are one number, and a value the type cannot have is a mistake in the rule. Texts are compared
//! byte by byte.

use chrono::{DateTime, Utc};
use polars::prelude::col;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::expression::{one_of, value_of};
use crate::model::{Dimension, Schema};
use crate::node::{Literal, params};
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

params! {
    /// Every value is one of a list.
    pub(super) struct Rule("check `accepted_values`") {
        /// The columns, each tested for itself.
        column | columns: Vec<Spanned<String>>,
        /// The values, as they are in the column. Either these or `from` must be given.
        values: Option<Vec<Literal>>,
        /// A CSV file whose first column, below a header, holds the values. The path is relative to the project file.
        from: Option<Spanned<String>>,
    }
}

/// A value of the list.
struct Accepted {
    text: String,
    /// The place to blame.
    span: Span,
    /// How messages call it: what stands in a file is not shown.
    called: String,
}

impl Rule {
    /// Returns the list.
    fn list(&self, files: &ProjectFiles, out: &mut Diagnostics) -> Option<Vec<Accepted>> {
        match (&self.values, &self.from) {
            (Some(values), None) => {
                let accepted = |value: &Literal| {
                    let text = value.text.clone()?;
                    Some(Accepted { called: format!("`{text}`"), text, span: value.span.clone() })
                };
                Some(values.iter().filter_map(accepted).collect())
            }
            (None, Some(from)) => read_list(from, files, out),
            _ => None,
        }
    }
}

/// Reads the first column of a CSV file with a header.
fn read_list(from: &Spanned<String>, files: &ProjectFiles, out: &mut Diagnostics) -> Option<Vec<Accepted>> {
    let file = files.read(&from.value, &from.span, out)?;
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut list = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                list.extend(record.get(0).map(|value| Accepted {
                    text: value.to_owned(),
                    span: from.span.clone(),
                    called: format!("the value on line {line} of `{}`", from.value),
                }));
            }
            Err(error) => {
                let message = format!("`{}` cannot be read as CSV: {error}", from.value);
                out.push(Diagnostic::error(&from.span, message));
                return None;
            }
        }
    }
    if list.is_empty() {
        out.push(
            Diagnostic::error(&from.span, format!("`{}` has no values", from.value))
                .help("the first line is the header, the values stand below it"),
        );
        return None;
    }
    Some(list)
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.column.clone()
    }

    fn check(&self, files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.column, out);
        let Some(name) = self.column.first() else { return };
        match (&self.values, &self.from) {
            (Some(values), None) => {
                if values.is_empty() {
                    out.push(Diagnostic::error(&name.span, "`values` needs at least one value"));
                }
                for value in values.iter().filter(|value| value.text.is_none()) {
                    out.push(
                        Diagnostic::error(&value.span, "NULL is not looked at here, so it cannot be in the list")
                            .help("leave it out; the check `not_null` looks for NULL, and \"null\" is the text"),
                    );
                }
            }
            (None, Some(_)) => {
                self.list(files, out);
            }
            _ => out.push(Diagnostic::error(
                &name.span,
                "check `accepted_values` needs either `values` or `from`, and not both",
            )),
        }
    }

    fn bind(
        &self,
        schema: &Schema,
        files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_all(schema, &self.column, out)?;
        let list = self.list(files, out)?;
        let (mut tests, mut right) = (Vec::with_capacity(fields.len()), true);
        for field in fields {
            let mut values = Vec::with_capacity(list.len());
            for Accepted { text, span, called } in &list {
                if let Some(value) = value_of(text, field) {
                    values.push(value);
                } else {
                    right = false;
                    out.push(Diagnostic::error(
                        span,
                        format!("{called} is not a value of `{}`, which is {}", field.name, field.logical),
                    ));
                }
            }
            let passes = one_of(col(field.name.as_str()), values);
            tests.push(RowTest { column: Some(field.name.clone()), passes });
        }
        right.then_some(BoundCheck::Rows(tests))
    }
}
