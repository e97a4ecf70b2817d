//! What the steps on text share: which columns they act on, and how values are changed.

use std::borrow::Cow;

use polars::prelude::{ChunkApply, IntoSeries, Series};
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::model::{Field, Logical};
use crate::node::{FromNode, Node, Value, choices};
use crate::rule::Columns;

use super::{Applied, BoundStep};

/// Returns the place of the first column that a rule names.
pub(super) fn first_place(columns: &Columns) -> Option<&Span> {
    match columns {
        Columns::AllText(span) => Some(span),
        Columns::Named(names) => names.first().map(|n| &n.span),
    }
}

/// Returns the place where a rule names a column.
pub(super) fn place<'c>(columns: &'c Columns, field: &Field) -> Option<&'c Span> {
    let named = columns.named().iter().find(|n| n.value == field.name).map(|n| &n.span);
    named.or_else(|| first_place(columns))
}

/// Returns true where a step that works on text acts on the column.
///
/// Under `"*"` it acts on text alone and is silent about the rest, UUIDs and JSON among it. A column that is named may also hold a type that
/// travels as text; a named UUID, JSON or a type that is not text is a diagnostic.
pub(super) fn acts_on(step: &str, columns: &Columns, field: &Field, out: &mut Diagnostics) -> bool {
    match (columns, &field.logical) {
        (_, Logical::Text { .. }) | (Columns::Named(_), Logical::Other(_)) => true,
        (Columns::AllText(_), _) => false,
        (Columns::Named(_), logical) => {
            refuse_type(&format!("step `{step}` works on text"), logical, columns, field, out);
            false
        }
    }
}

/// Returns true where a step for columns of any type acts on the column: under `"*"` it acts on text alone.
pub(super) fn is_meant(columns: &Columns, field: &Field) -> bool {
    matches!((columns, &field.logical), (Columns::Named(_), _) | (_, Logical::Text { .. }))
}

/// Reports that a step cannot act on a column because of its type.
pub(super) fn refuse_type(
    what: &str,
    logical: &Logical,
    columns: &Columns,
    field: &Field,
    out: &mut Diagnostics,
) {
    let Some(span) = place(columns, field) else { return };
    let message = format!("{what}, and `{}` is {logical}", field.name);
    let help = if field.inferred {
        format!(
            "the type was inferred from the values: `types: {{ {}: text }}` at the source keeps the column as text",
            field.name
        )
    } else {
        "leave the column out of this step".to_owned()
    };
    out.push(Diagnostic::error(span, message).help(help));
}

/// Refuses `"*"` for a step that would take every text column for something it is not.
pub(super) fn needs_names(step: &str, columns: &Columns, out: &mut Diagnostics) {
    if let Columns::AllText(span) = columns {
        out.push(
            Diagnostic::error(span, format!("step `{step}` needs its columns by name"))
                .help("not every text column holds such values: list those that do"),
        );
    }
}

/// Makes a step that changes each text on its own and keeps the column's type.
///
/// In padded columns trailing blanks carry no meaning: what the change leaves of them is taken away.
pub(super) fn each<F>(field: &Field, change: F) -> BoundStep
where
    F: for<'t> Fn(&'t str) -> Cow<'t, str> + Send + Sync + 'static,
{
    each_into(field.clone(), change)
}

/// Makes a step that changes each text on its own into a text column described by `output`.
pub(super) fn each_into<F>(output: Field, change: F) -> BoundStep
where
    F: for<'t> Fn(&'t str) -> Cow<'t, str> + Send + Sync + 'static,
{
    let padded = matches!(output.logical, Logical::Text { padded: true, .. });
    let apply = move |before: &Series| {
        let text = before.str()?;
        let change = &change;
        let values = text.apply_values(|t| {
            let changed = change(t);
            if padded && changed.ends_with(' ') { without_padding(changed) } else { changed }
        });
        Ok(Applied { values: values.into_series(), refused: Vec::new() })
    };
    BoundStep { output, apply: Box::new(apply) }
}

fn without_padding(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(' ')),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end_matches(' ').len());
            Cow::Owned(text)
        }
    }
}

/// Returns the field with another type, which nobody inferred; with the same type it is as it was.
pub(super) fn converted(field: &Field, logical: Logical) -> Field {
    if logical == field.logical {
        return field.clone();
    }
    Field { logical, inferred: false, format: None, ..field.clone() }
}

/// Returns the type with room for texts of `characters`; types that are not text are as before.
pub(super) fn with_room(logical: &Logical, characters: usize) -> Logical {
    match logical {
        Logical::Text { length: Some(length), padded } if characters > *length as usize => {
            Logical::Text { length: u32::try_from(characters).ok(), padded: *padded }
        }
        other => other.clone(),
    }
}

/// Returns the type without its declared length, where values may outgrow it; padding is still not kept.
pub(super) fn without_length(logical: &Logical) -> Logical {
    match logical {
        Logical::Text { padded, .. } => Logical::Text { length: None, padded: *padded },
        other => other.clone(),
    }
}

choices! {
    /// What becomes of a value that cannot be read.
    pub enum Invalid {
        /// The row is held back with a reason.
        Quarantine = "quarantine",
        /// The value becomes NULL, which is recorded as a correction.
        Null = "null",
        /// The whole dataset is refused.
        Refuse = "refuse",
    }
}

/// A choice among words of which one is `null`, written with quotes or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrNull<T>(pub T);

impl<T: FromNode> FromNode for OrNull<T> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        if node.value == Value::Null {
            let value = Value::Scalar { text: "null".to_owned(), quoted: false };
            return T::from_node(&Node { span: node.span.clone(), value }, out).map(OrNull);
        }
        T::from_node(node, out).map(OrNull)
    }

    fn schema() -> Json {
        json!({"anyOf": [T::schema(), {"type": "null"}]})
    }
}
