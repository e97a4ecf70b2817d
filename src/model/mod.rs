//! Plain data that every other module speaks: types, schemas, keys, severities and findings.

mod finding;
mod key;
mod logical;
mod remedy;
mod schema;
mod status;

pub use finding::{Correction, Finding, SMALL_GROUP};
pub use key::{key_parts, key_text};
pub use logical::{Family, Logical};
pub use remedy::Remedy;
pub use schema::{Field, Schema};
pub use status::{Dimension, Severity, Side, Status};
