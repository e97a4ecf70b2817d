//! Rows with the same values in all of these columns are the same thing.
//!
//! The same person, property or account entered twice: two rents, two letters, and after the migration two
//! records that nobody dares to delete. A key cannot tell, because each entry got its own.
//!
//! ```yaml match
//! match: exact
//! columns: [surname, born]
//! ignore: [case, whitespace]
//! ```
//! ```rows
//! | surname: text | born: date |
//! | "O'Neil"      | 1970-05-01 |
//! | "Smith"       | 1981-12-24 |
//! | "O'NEIL "     | 1970-05-01 |
//! | "O'Neil"      | null       |
//! | "Smith"       | 1981-12-25 |
//! ```
//! ```findings
//! row 1 (group 1)
//! row 3 (group 1)
//! ```
//!
//! One finding for every row of a group of two or more. Rows with NULL in one of the columns are not evaluated:
//! two people without a date of birth are not one. An empty text is a value; where it means "nothing", make it
//! NULL with the step `null_if` first.
//!
//! Without `ignore` values are compared exactly. With `whitespace`, blanks, tabs and line breaks at the ends mean
//! nothing, and elsewhere any number of them is one blank. With `case`, letters that differ only in case are the
//! same. Accents count, and so does punctuation. Similar but different values are not found.
//!
//! With `merge: true` each group becomes one row of expected. The row that stays is the first of the
//! group, or the one with the least (`keep: first`) or greatest (`keep: last`) value of a column:
//!
//! ```yaml match
//! match: exact
//! columns: [ni_no]
//! merge: true
//! survivor: { order_by: updated, keep: last }
//! ```
//! ```rows
//! | ni_no: text | updated: date |
//! | "QQ123456C" | 2019-01-01    |
//! | "QQ123456C" | 2024-01-01    |
//! | "QQ123456C" | null          |
//! | "QQ654321A" | null          |
//! ```
//! ```findings
//! row 1 (group 1)
//! row 2 (group 1, stays)
//! row 3 (group 1)
//! ```
//!
//! Rows in which that column is NULL stay only where all of the group are NULL; of equal ones the first stays.

use polars::prelude::{Column, DataFrame, IntoSeries, SortOptions, StringChunked};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::{Frame, Keys, collapse_whitespace, fold_case};
use crate::model::{Dimension, Logical, Schema};
use crate::node::{choices, params};
use crate::rule::{ProjectFiles, RuleError, find};

use super::{BoundMatch, Group, Match, MatchOutcome};

pub(super) const DIMENSION: Dimension = Dimension::Uniqueness;

params! {
    /// Rows with the same values in all of these columns are the same thing.
    pub(super) struct Rule("match `exact`") {
        /// The columns that are compared.
        columns | column: Vec<Spanned<String>>,
        /// What means nothing in texts: `case`, `whitespace` or both.
        ignore: Vec<Spanned<Ignored>> = "[]",
        /// Whether each group is merged into one row of expected.
        merge: bool = "false",
        /// Which row of a merged group stays. Default: the first.
        survivor: Option<Spanned<Survivor>>,
    }
}

params! {
    /// Which row of a group stays.
    pub(super) struct Survivor("`survivor`") {
        /// The column whose values decide.
        order_by: Spanned<String>,
        /// `first`: the row with the least value stays; `last`: the one with the greatest.
        keep: Keep = "first",
    }
}

choices! {
    /// What means nothing in texts.
    pub(super) enum Ignored {
        /// Whether letters are upper or lower case.
        Case = "case",
        /// White space at the ends, and its amount elsewhere.
        Whitespace = "whitespace",
    }
}

choices! {
    /// Which end of an order stays.
    pub(super) enum Keep {
        /// The least value.
        First = "first",
        /// The greatest value.
        Last = "last",
    }
}

impl Rule {
    fn ignores(&self, what: Ignored) -> bool {
        self.ignore.iter().any(|ignored| ignored.value == what)
    }
}

impl Match for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.columns.clone()
    }

    fn merges(&self) -> bool {
        self.merge
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        if self.columns.is_empty() {
            out.push(Diagnostic::without_place("at least one column is needed"));
        }
        for (i, column) in self.columns.iter().enumerate() {
            if self.columns.iter().take(i).any(|other| other.value == column.value) {
                out.push(Diagnostic::error(&column.span, format!("`{}` stands here twice", column.value)));
            }
        }
        if let Some(survivor) = self.survivor.as_ref().filter(|_| !self.merge) {
            out.push(
                Diagnostic::error(&survivor.span, "`survivor` is for groups that are merged")
                    .help("add `merge: true`, or leave `survivor` out"),
            );
        }
    }

    fn bind(&self, schema: &Schema, out: &mut Diagnostics) -> Option<Box<dyn BoundMatch>> {
        let fields: Vec<_> = self.columns.iter().filter_map(|name| find(schema, name, out)).collect();
        let mut complete = fields.len() == self.columns.len() && !fields.is_empty();
        if complete
            && let Some(ignored) = self.ignore.first()
            && !fields.iter().any(|field| field.logical.is_text())
        {
            out.push(
                Diagnostic::error(&ignored.span, "`ignore` is for texts, and none of the columns is text")
                    .help("leave it out"),
            );
            complete = false;
        }
        let order = match &self.survivor {
            Some(survivor) => {
                let order = &survivor.value;
                complete &= find(schema, &order.order_by, out).is_some();
                Some((order.order_by.value.clone(), order.keep))
            }
            None => None,
        };
        complete.then(|| {
            Box::new(Exact {
                columns: self.columns.iter().map(|c| c.value.clone()).collect(),
                case: self.ignores(Ignored::Case),
                whitespace: self.ignores(Ignored::Whitespace),
                order,
            }) as Box<dyn BoundMatch>
        })
    }
}

/// The match, ready for a side.
struct Exact {
    columns: Vec<String>,
    case: bool,
    whitespace: bool,
    /// The column that decides which row stays, and the end of its order.
    order: Option<(String, Keep)>,
}

impl Exact {
    /// Returns the compared columns without what is ignored.
    fn normal(&self, frame: &Frame) -> Result<Frame, RuleError> {
        let mut fields = Vec::with_capacity(self.columns.len());
        let mut columns: Vec<Column> = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let (field, column) = column_of(frame, name)?;
            let plain = matches!(field.logical, Logical::Text { .. } | Logical::Json | Logical::Other(_));
            fields.push(field.clone());
            if !plain || !(self.case || self.whitespace) {
                columns.push(column.clone());
                continue;
            }
            let texts = column.as_materialized_series().rechunk();
            let normal: StringChunked = texts.str()?.iter().map(|text| text.map(|t| self.normal_text(t))).collect();
            columns.push(normal.with_name(name.as_str().into()).into_series().into());
        }
        let df = DataFrame::new(frame.height(), columns)?;
        Ok(Frame { schema: Schema { fields }, df, rows: frame.rows.clone() })
    }

    fn normal_text(&self, text: &str) -> String {
        let text = if self.whitespace { collapse_whitespace(text) } else { text.into() };
        if self.case { fold_case(&text).into_owned() } else { text.into_owned() }
    }

    /// Returns each row's place in the order in which rows stay.
    fn places(&self, frame: &Frame) -> Result<Option<Vec<usize>>, RuleError> {
        let Some((name, keep)) = &self.order else { return Ok(None) };
        let (_, column) = column_of(frame, name)?;
        let options = SortOptions {
            descending: *keep == Keep::Last,
            nulls_last: true,
            maintain_order: true,
            ..SortOptions::default()
        };
        let mut places = vec![usize::MAX; frame.height()];
        for (place, row) in column.as_materialized_series().arg_sort(options).into_no_null_iter().enumerate() {
            if let Some(at) = places.get_mut(row as usize) {
                *at = place;
            }
        }
        Ok(Some(places))
    }
}

fn column_of<'f>(
    frame: &'f Frame,
    name: &str,
) -> Result<(&'f crate::model::Field, &'f Column), RuleError> {
    frame
        .column(name)
        .ok_or_else(|| RuleError::Refused(format!("`{name}` is not a column of the table")))
}

impl BoundMatch for Exact {
    fn groups(&self, frame: &Frame, selected: Option<&[bool]>) -> Result<MatchOutcome, RuleError> {
        let keys = Keys::new(&self.normal(frame)?, &self.columns)?;
        let places = self.places(frame)?;
        let mut outcome = MatchOutcome::default();
        for row in 0..frame.height() {
            if selected.is_none_or(|s| s.get(row).copied().unwrap_or(false)) {
                let count = if keys.is_present(row) { &mut outcome.evaluated } else { &mut outcome.unknown };
                *count += 1;
            }
        }
        for rows in keys.groups(selected) {
            let place = |row: &usize| places.as_ref().and_then(|p| p.get(*row).copied()).unwrap_or(*row);
            let Some(survivor) = rows.iter().copied().min_by_key(place) else { continue };
            let text = keys.text(survivor).unwrap_or_default().into_owned();
            outcome.groups.push(Group { rows, survivor, text });
        }
        Ok(outcome)
    }
}
