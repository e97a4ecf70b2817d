//! Plain data that every other module speaks: types, schemas, keys, severities and findings.

mod finding;
mod key;
mod logical;
mod schema;
mod status;

pub use finding::{Correction, Finding, SMALL_GROUP};
pub use key::{compare_keys, key_parts, key_text};
pub use logical::{Family, Logical};
pub use schema::{Field, Schema};
pub use status::{Dimension, Severity, Side, Status};
