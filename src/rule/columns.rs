//! A choice of columns in a rule.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::{Field, Schema};
use crate::node::{FromNode, Node, Value};

/// One column, several, or `"*"`: every text column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// Every text column of the dataset.
    AllText(Span),
    /// These, by our names.
    Named(Vec<Spanned<String>>),
}

impl FromNode for Columns {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        if let Value::Scalar { text, .. } = &node.value
            && text == "*"
        {
            return Some(Columns::AllText(node.span.clone()));
        }
        let named = Vec::<Spanned<String>>::from_node(node, out)?;
        if named.is_empty() {
            out.push(Diagnostic::error(&node.span, "at least one column is needed"));
            return None;
        }
        Some(Columns::Named(named))
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]})
    }
}

impl Columns {
    /// Returns the columns as they are in the schema; names it does not have are diagnostics.
    pub fn resolve<'s>(&self, schema: &'s Schema, out: &mut Diagnostics) -> Vec<&'s Field> {
        match self {
            Columns::AllText(_) => schema.fields.iter().filter(|f| f.logical.is_text()).collect(),
            Columns::Named(names) => names.iter().filter_map(|name| find(schema, name, out)).collect(),
        }
    }

    /// Returns the names joined for a rule id: `a-b`, or `all`.
    pub fn id_part(&self) -> String {
        match self {
            Columns::AllText(_) => "all".to_owned(),
            Columns::Named(names) => names.iter().map(|n| n.value.as_str()).collect::<Vec<_>>().join("-"),
        }
    }

    /// Returns the names that were typed.
    pub fn named(&self) -> &[Spanned<String>] {
        match self {
            Columns::AllText(_) => &[],
            Columns::Named(names) => names,
        }
    }
}

/// Returns a column by the name typed in a rule; a name the schema does not have is a diagnostic with the nearest one.
pub fn find<'s>(schema: &'s Schema, name: &Spanned<String>, out: &mut Diagnostics) -> Option<&'s Field> {
    let field = schema.get(&name.value);
    if field.is_none() {
        out.push(
            Diagnostic::error(&name.span, format!("there is no column `{}`", name.value))
                .suggest(&name.value, schema.names()),
        );
    }
    field
}
