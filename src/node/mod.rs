//! A file as it was typed: a tree of nodes, each with its place and its text.
//!
//! YAML's own typing is not used: `007` stays `007`, `NO` stays `NO`, `1E5` stays `1E5`, until someone who
//! knows the wanted type reads the text.

mod params;
mod parse;
mod read;
mod variables;
pub mod yaml;

use std::fmt;

use crate::diagnostic::Span;

pub use params::FieldDoc;
pub(crate) use params::{choices, clean_doc, name_of, params};
pub use parse::parse;
pub use read::{Fields, FromNode, Literal};
pub use variables::substitute;

/// A node of the tree.
///
/// `Debug` shows what is written, without credentials, and not the values of variables.
#[derive(Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: an empty value, `null` or `~`.
    Null,
    /// A text, exactly as written, without its quotes.
    Scalar {
        /// The text.
        text: String,
        /// True where it stood in quotes or in a block.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// Names with values, in the order of the file; no name twice.
    Map(Vec<(Name, Node)>),
}

/// A name in a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Scalar { .. } => f.write_str(&self.span.written()),
            value => value.fmt(f),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Scalar { .. } => f.write_str("a single value"),
            Value::List(items) => f.debug_list().entries(items).finish(),
            Value::Map(entries) => {
                f.debug_map().entries(entries.iter().map(|(name, node)| (&name.text, node))).finish()
            }
        }
    }
}

impl Node {
    /// Returns what the node is, in words for messages.
    pub fn words(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "names with values",
        }
    }

    /// Returns the value under a name, where the node is a map that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(n, _)| n.text == name).map(|(_, node)| node),
            _ => None,
        }
    }
}
