//! A reference from one dataset's columns to another's.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::node::{FromNode, Node, Value, params};

/// The parent of a foreign key: `properties.prop_ref`, or `{ dataset: members, columns: [house_ref, person_no] }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The parent dataset.
    pub dataset: Spanned<String>,
    /// Its columns, in the order of the child's.
    pub columns: Vec<Spanned<String>>,
}

params! {
    /// The long form of a reference.
    struct LongReference("a reference") {
        /// The parent dataset.
        dataset: Spanned<String>,
        /// Its columns, in the order of the child's.
        columns | column: Vec<Spanned<String>>,
    }
}

impl FromNode for Reference {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let Value::Scalar { text, .. } = &node.value else {
            let LongReference { dataset, columns } = LongReference::from_node(node, out)?;
            return Some(Reference { dataset, columns });
        };
        let spanned = |value: &str| Spanned { value: value.to_owned(), span: node.span.clone() };
        match text.split_once('.') {
            Some((dataset, column)) if !dataset.is_empty() && !column.is_empty() => {
                Some(Reference { dataset: spanned(dataset), columns: vec![spanned(column)] })
            }
            _ => {
                out.push(Diagnostic::error(&node.span, "a reference names a dataset and a column").help(
                    "as in `properties.prop_ref`, or `{ dataset: members, columns: [house_ref, person_no] }`",
                ));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "string", "pattern": "^[^.]+\\..+$"}, LongReference::schema()]})
    }
}
