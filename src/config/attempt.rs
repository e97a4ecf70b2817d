//! Reading on past a mistake.

use serde_json::Value as Json;

use crate::diagnostic::Diagnostics;
use crate::node::{FromNode, Node};

/// A value that was read, or whose mistake was reported: the names beside it are used all the same.
#[derive(Debug, Clone)]
pub(super) struct Attempt<T>(pub(super) Option<T>);

impl<T: FromNode> FromNode for Attempt<T> {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        Some(Attempt(T::from_node(node, out)))
    }

    fn schema() -> Json {
        T::schema()
    }

    fn missing() -> Option<Self> {
        T::missing().map(|value| Attempt(Some(value)))
    }

    fn after_mistake() -> Option<Self> {
        Some(Attempt(None))
    }
}
