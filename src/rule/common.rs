//! The fields all rules share.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Dimension, Severity, Side};
use crate::node::{FromNode, Node, params};

params! {
    /// The fields all checks share; steps and matches have some of them.
    pub struct Common("a rule") {
        /// The rule's name in results and reports, unique within its dataset. Default: the kind and its columns.
        id: Option<Spanned<String>>,
        /// How much a failure matters: `info`, `warning` or `error`. Default: `error`.
        severity: Option<Severity>,
        /// The data-quality dimension, where it is not the kind's own.
        dimension: Option<Dimension>,
        /// An SQL condition over our columns: rows for which it is not true are not looked at.
        r#where: Option<Spanned<String>>,
        /// How many rows may fail before the rule does: a count such as `10`, or a share of the rows evaluated such as `0.5%`.
        max_failures: Option<MaxFailures>,
        /// The states of the data looked at, each of which gates: `source`, `expected`, `target`. Default: expected and target.
        on: Option<Vec<Side>>,
        /// The reason why the rule is switched off. It is then counted as skipped.
        skip: Option<Spanned<String>>,
        /// Whether having no row to look at is a pass.
        allow_empty: bool = "false",
    }
}

impl Default for Common {
    fn default() -> Self {
        Common {
            id: None,
            severity: None,
            dimension: None,
            r#where: None,
            max_failures: None,
            on: None,
            skip: None,
            allow_empty: false,
        }
    }
}

/// How many rows may fail before a rule does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFailures {
    /// At most so many rows.
    Count(u64),
    /// At most this share of the rows evaluated, in percent.
    Percent(f64),
}

impl MaxFailures {
    /// Returns true where `failed` of `evaluated` rows are no more than allowed.
    pub fn allows(self, failed: u64, evaluated: u64) -> bool {
        match self {
            MaxFailures::Count(most) => failed <= most,
            MaxFailures::Percent(most) => failed as f64 * 100.0 <= most * evaluated as f64,
        }
    }
}

impl std::fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MaxFailures::Count(n) => write!(f, "{n}"),
            MaxFailures::Percent(p) => write!(f, "{p}%"),
        }
    }
}

impl FromNode for MaxFailures {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let value = match text.trim().strip_suffix('%') {
            Some(number) => {
                number.trim().parse().ok().filter(|p| (0.0..=100.0).contains(p)).map(MaxFailures::Percent)
            }
            None => text.trim().parse().ok().map(MaxFailures::Count),
        };
        if value.is_none() {
            out.push(Diagnostic::error(
                &node.span,
                "a count such as `10` or a share such as `0.5%` is expected here",
            ));
        }
        value
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9.]+ *%$"}]})
    }
}

macro_rules! from_words {
    ($($type:ty),+) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
                let text = String::from_node(node, out)?;
                let found = <$type>::ALL.iter().copied().find(|v| v.word() == text);
                if found.is_none() {
                    out.push(
                        Diagnostic::error(&node.span, format!("`{text}` is not a choice here"))
                            .suggest(&text, <$type>::ALL.iter().map(|v| v.word())),
                    );
                }
                found
            }

            fn schema() -> Json {
                json!({"enum": <$type>::ALL.iter().map(|v| v.word()).collect::<Vec<_>>()})
            }
        }
    )+};
}

from_words!(Severity, Dimension, Side);

impl FromNode for crate::model::Logical {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        match text.parse() {
            Ok(logical) => Some(logical),
            Err(message) => {
                let error = Diagnostic::error(&node.span, message);
                // Within `{ … }` and `[ … ]` a comma ends a text without quotes.
                out.push(match text.contains('(') && !text.contains(')') {
                    true => error.help("a text with a comma stands in quotes here: \"decimal(10,2)\""),
                    false => error,
                });
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^(text|(var)?char\\( *[0-9]+ *\\)|bool|i64|u64|f64|decimal\\( *[0-9]+ *, *[0-9]+ *\\)|date|timestamp(tz)?|time|bytes|uuid|json)$"})
    }
}
