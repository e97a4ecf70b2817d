//! Nodes to values: every problem is collected, none stops the reading of the rest.

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};

use super::{Name, Node, Value};

/// A type that can be read from a node of a file.
pub trait FromNode: Sized {
    /// Reads the value; what is wrong goes to `out`, and then nothing is returned.
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self>;

    /// Returns the JSON Schema of what can be read.
    fn schema() -> Json;

    /// Returns the value that stands for a name that is not there, where one does.
    fn missing() -> Option<Self> {
        None
    }

    /// Returns the value that stands for a name that should have been there, once that has been reported.
    fn after_mistake() -> Option<Self> {
        None
    }
}

/// The names and values of a map while they are being read.
#[derive(Debug)]
pub struct Fields<'a> {
    owner: String,
    span: Span,
    entries: &'a [(Name, Node)],
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Begins to read a map; anything else is a diagnostic. `owner` names it in messages: "step `trim`".
    pub fn new(node: &'a Node, owner: impl Into<String>, out: &mut Diagnostics) -> Option<Self> {
        let owner = owner.into();
        if let Value::Map(entries) = &node.value {
            return Some(Fields { owner, span: node.span.clone(), entries, known: Vec::new() });
        }
        let message = format!("{owner} takes names with values, not {}", node.words());
        out.push(Diagnostic::error(&node.span, message));
        None
    }

    /// Returns the value of a name, and remembers that the name is known here.
    pub fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.known.push(name);
        self.entries.iter().find(|(n, _)| n.text == name).map(|(_, node)| node)
    }

    /// Reads the value of a name or its alias, or its default where it has one; a missing value is a diagnostic.
    pub fn read<T: FromNode>(
        &mut self,
        name: &'static str,
        alias: Option<&'static str>,
        default: Option<&str>,
        out: &mut Diagnostics,
    ) -> Option<T> {
        let first = self.take(name);
        let second = alias.and_then(|alias| self.take(alias));
        match (first, second) {
            (Some(_), Some(second)) => {
                out.push(Diagnostic::error(
                    &second.span,
                    format!("{} has `{name}` and `{}`: give one of them", self.owner, alias.unwrap_or(name)),
                ));
                None
            }
            (Some(node), None) | (None, Some(node)) => T::from_node(node, out),
            (None, None) => {
                let value = match default {
                    Some(text) => default_value(text),
                    None => T::missing(),
                };
                if value.is_none() {
                    out.push(Diagnostic::error(&self.head(), format!("{} needs `{name}`", self.owner)));
                    return T::after_mistake();
                }
                value
            }
        }
    }

    /// Returns the place of the whole map.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Returns the place of the map's first name, which is where a missing one is reported.
    fn head(&self) -> Span {
        self.entries.first().map_or_else(|| self.span.clone(), |(name, _)| name.span.clone())
    }

    /// Ends the reading: names that nobody asked for are diagnostics.
    pub fn finish(self, out: &mut Diagnostics) {
        for (name, _) in self.entries {
            if !self.known.contains(&name.text.as_str()) {
                out.push(
                    Diagnostic::error(&name.span, format!("{} has no `{}`", self.owner, name.text))
                        .suggest(&name.text, self.known.iter().copied()),
                );
            }
        }
    }
}

/// Reads a default written as YAML.
fn default_value<T: FromNode>(text: &str) -> Option<T> {
    let mut out = Diagnostics::default();
    let file = std::sync::Arc::new(crate::diagnostic::SourceFile::new("default", text));
    let node = super::parse(&file, &mut out)?;
    T::from_node(&node, &mut out).filter(|_| out.is_empty())
}

/// A value that is data: kept as it was written until the type it is needed for is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// The text as written; NULL for nothing, `null` or `~` outside quotes.
    pub text: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl FromNode for Literal {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = match &node.value {
            Value::Null => None,
            Value::Scalar { text, .. } => Some(text.clone()),
            _ => {
                out.push(Diagnostic::error(
                    &node.span,
                    format!("a single value is expected here, not {}", node.words()),
                ));
                return None;
            }
        };
        Some(Literal { text, span: node.span.clone() })
    }

    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean", "null"]})
    }
}

/// Returns the text of a single value; anything else is a diagnostic that says what was expected.
fn scalar<'a>(node: &'a Node, expected: &str, out: &mut Diagnostics) -> Option<&'a str> {
    if let Value::Scalar { text, .. } = &node.value {
        return Some(text);
    }
    out.push(Diagnostic::error(&node.span, format!("{expected} is expected here, not {}", node.words())));
    None
}

impl FromNode for String {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        scalar(node, "a text", out).map(str::to_owned)
    }

    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

impl FromNode for bool {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match scalar(node, "`true` or `false`", out)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                out.push(Diagnostic::error(&node.span, "`true` or `false` is expected here"));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"type": "boolean"})
    }
}

macro_rules! whole_number {
    ($($type:ty, $words:literal, $schema:tt;)+) => {$(
        impl FromNode for $type {
            fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
                let number = scalar(node, $words, out)?.parse().ok();
                if number.is_none() {
                    out.push(Diagnostic::error(&node.span, concat!($words, " is expected here")));
                }
                number
            }

            fn schema() -> Json {
                json!($schema)
            }
        }
    )+};
}

whole_number! {
    u64, "a whole number from 0", {"type": "integer", "minimum": 0};
    u32, "a whole number from 0", {"type": "integer", "minimum": 0};
    usize, "a whole number from 0", {"type": "integer", "minimum": 0};
    i64, "a whole number", {"type": "integer"};
}

impl FromNode for f64 {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let number = scalar(node, "a number", out)?.parse().ok().filter(|n: &f64| n.is_finite());
        if number.is_none() {
            out.push(Diagnostic::error(&node.span, "a number is expected here"));
        }
        number
    }

    fn schema() -> Json {
        json!({"type": "number"})
    }
}

/// A list; a single value stands for a list of one.
impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::List(items) => {
                let values: Vec<Option<T>> = items.iter().map(|item| T::from_node(item, out)).collect();
                values.into_iter().collect()
            }
            Value::Null => {
                out.push(Diagnostic::error(&node.span, "a list is expected here, not nothing"));
                None
            }
            _ => Some(vec![T::from_node(node, out)?]),
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "array", "items": T::schema()}, T::schema()]})
    }
}

impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        T::from_node(node, out).map(Some)
    }

    fn schema() -> Json {
        T::schema()
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<T: FromNode> FromNode for Spanned<T> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        T::from_node(node, out).map(|value| Spanned { value, span: node.span.clone() })
    }

    fn schema() -> Json {
        T::schema()
    }
}

/// Names with values, in the order of the file.
impl<T: FromNode> FromNode for IndexMap<String, T> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            out.push(Diagnostic::error(
                &node.span,
                format!("names with values are expected here, not {}", node.words()),
            ));
            return None;
        };
        let values: Vec<Option<(String, T)>> =
            entries.iter().map(|(name, node)| Some((name.text.clone(), T::from_node(node, out)?))).collect();
        values.into_iter().collect()
    }

    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": T::schema()})
    }
}
