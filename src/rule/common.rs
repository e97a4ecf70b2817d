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

#[expect(clippy::derivable_impls, reason = "the macro that makes the struct derives no default")]
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
            MaxFailures::Percent(most) => {
                // Exactly: as floating-point numbers 57 rows of 10,000 would be more than 0.57 %.
                let text = most.to_string();
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let share = format!("{whole}{fraction}").parse::<u128>().ok();
                let one = u32::try_from(fraction.len()).ok().and_then(|digits| 10_u128.checked_pow(digits));
                let least = one.and_then(|one| one.checked_mul(u128::from(failed) * 100));
                let most_rows = share.and_then(|share| share.checked_mul(u128::from(evaluated)));
                match (least, most_rows) {
                    (Some(least), Some(most)) => least <= most,
                    _ => failed as f64 * 100.0 <= most * evaluated as f64,
                }
            }
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
                let is_cut = text.contains('(') && !text.contains(')');
                out.push(if is_cut {
                    error.help("a text with a comma stands in quotes here: \"decimal(10,2)\"")
                } else {
                    error
                });
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^(text|(var)?char\\( *[0-9]+ *\\)|bool|i64|u64|f64|decimal\\( *[0-9]+ *, *[0-9]+ *\\)|date|timestamp(tz)?|time|bytes|uuid|json)$"})
    }
}

#[cfg(test)]
mod tests {
    use super::MaxFailures;

    #[test]
    fn a_share_is_compared_exactly() {
        assert!(MaxFailures::Percent(0.57).allows(57, 10_000));
        assert!(!MaxFailures::Percent(0.57).allows(58, 10_000));
        assert!(MaxFailures::Percent(0.0).allows(0, 0) && !MaxFailures::Percent(0.0).allows(1, 10));
        assert!(MaxFailures::Percent(100.0).allows(u64::MAX, u64::MAX));
        assert!(!MaxFailures::Percent(1e-30).allows(1, u64::MAX));
        assert!(MaxFailures::Count(3).allows(3, 3) && !MaxFailures::Count(3).allows(4, 9));
    }
}
