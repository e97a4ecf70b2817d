//! What every rule is: a kind, its parameters, and the fields all rules share.

mod columns;
mod common;
mod kind;
mod lookup;
mod quantity;
mod reference;
mod time_span;

pub use columns::{Columns, find};
pub use common::{Common, MaxFailures};
pub(crate) use kind::kinds;
pub use kind::{Kind, ProjectFiles, RuleError, example_blocks};
pub use lookup::{Given, Pair, Pairs, Place, listed_already};
pub use quantity::quantity;
pub use reference::Reference;
pub use time_span::TimeSpan;
