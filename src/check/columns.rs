//! The columns of a check.

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Field, Schema};
use crate::rule::find;

/// Reports a list of columns that is empty or names one twice.
pub(super) fn check(columns: &[Spanned<String>], out: &mut Diagnostics) {
    if columns.is_empty() {
        out.push(Diagnostic::without_place("at least one column is needed"));
    }
    for (i, column) in columns.iter().enumerate() {
        if columns.iter().take(i).any(|earlier| earlier.value == column.value) {
            out.push(Diagnostic::error(
                &column.span,
                format!("`{}` stands here a second time", column.value),
            ));
        }
    }
}

/// Finds all columns; each that is not there is a diagnostic.
pub(super) fn find_all<'s>(
    schema: &'s Schema,
    columns: &[Spanned<String>],
    out: &mut Diagnostics,
) -> Option<Vec<&'s Field>> {
    let found: Vec<Option<&Field>> = columns.iter().map(|name| find(schema, name, out)).collect();
    found.into_iter().collect()
}

/// Finds all columns, which must be of a family; `what` says what the check needs.
pub(super) fn find_texts<'s>(
    schema: &'s Schema,
    columns: &[Spanned<String>],
    what: &str,
    out: &mut Diagnostics,
) -> Option<Vec<&'s Field>> {
    let fields = find_all(schema, columns, out)?;
    let mut right = true;
    for (field, name) in fields.iter().zip(columns) {
        if !field.logical.is_text() {
            right = false;
            out.push(
                Diagnostic::error(
                    &name.span,
                    format!("{what} needs a text column, and `{}` is {}", field.name, field.logical),
                )
                .help("a condition on `cast(… as text)` does it for other types: see the check `expression`"),
            );
        }
    }
    right.then_some(fields)
}
