//! `tranches:` as it stands in a rule file.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::expression;
use crate::node::{FromNode, Node, Value, params};
use crate::reconcile::bind::ROW;

params! {
    /// A part of the rows that a condition selects.
    pub struct Filter("a tranche") {
        /// Its name in results and reports. It is shown to everybody: no value of a person belongs in it.
        name: Spanned<String>,
        /// An SQL condition over our columns, which both sides need. A row belongs to the first tranche for which it is true.
        r#where: Spanned<String>,
    }
}

/// The parts of the rows that have a ledger of their own: those with one value of a column, or what conditions select.
#[derive(Debug, Clone)]
pub enum Tranches {
    /// Each value of a column, by our name.
    Column(Spanned<String>),
    /// Conditions, each with a name.
    Filters(Vec<Filter>),
}

impl FromNode for Tranches {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let Value::List(items) = &node.value else {
            if matches!(node.value, Value::Scalar { .. }) {
                return Spanned::<String>::from_node(node, out).map(Tranches::Column);
            }
            out.push(
                Diagnostic::error(&node.span, "`tranches` takes a column, or a list of conditions")
                    .help("as in `tranches: tenure`, or `tranches: [{ name: current, where: eot is null }]`"),
            );
            return None;
        };
        if items.is_empty() {
            out.push(Diagnostic::error(&node.span, "the list of tranches is empty"));
            return None;
        }
        let filters: Vec<Option<Filter>> = items
            .iter()
            .map(|item| {
                if let Value::Scalar { text, .. } = &item.value {
                    out.push(
                        Diagnostic::error(&item.span, "a tranche of a list has a name and a condition")
                            .help(format!("`tranches: {text}` makes one of each value of a column")),
                    );
                    return None;
                }
                Filter::from_node(item, out)
            })
            .collect();
        filters.into_iter().collect::<Option<Vec<_>>>().map(Tranches::Filters)
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": Filter::schema()}]})
    }
}

impl Tranches {
    /// Checks what can be checked without data: names and the syntax of conditions. Returns the columns that are looked at.
    pub fn check(&self, out: &mut Diagnostics) -> Vec<Spanned<String>> {
        let filters = match self {
            Tranches::Column(column) if column.value == ROW => {
                let message = format!("`{ROW}` is the row's position: it makes no tranches");
                out.push(Diagnostic::error(&column.span, message));
                return Vec::new();
            }
            Tranches::Column(column) => return vec![column.clone()],
            Tranches::Filters(filters) => filters,
        };
        let mut columns = Vec::new();
        for (i, filter) in filters.iter().enumerate() {
            if filter.name.value.trim().is_empty() {
                out.push(Diagnostic::error(&filter.name.span, "a tranche needs a name"));
            }
            if let Some(first) = filters.iter().take(i).find(|first| first.name.value == filter.name.value) {
                out.push(
                    Diagnostic::error(
                        &filter.name.span,
                        format!("there are two tranches `{}`", filter.name.value),
                    )
                    .label("the second")
                    .also(&first.name.span, "the first"),
                );
            }
            let parsed = expression::parse(&filter.r#where, out);
            columns.extend(parsed.iter().flat_map(expression::Expression::columns));
        }
        columns
    }
}
