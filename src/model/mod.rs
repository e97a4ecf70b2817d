//! Plain data that every other module speaks: types, schemas, keys, severities and findings.

mod finding;
mod holds;
mod key;
mod logical;
mod remedy;
mod schema;
mod status;
mod structure;

pub use finding::{Correction, Finding, SMALL_GROUP};
pub use holds::{CodePage, Holds, Numbers, Step, Unit};
pub use key::{compare_keys, key_parts, key_text};
pub use logical::{Family, Logical};
pub use remedy::Remedy;
pub use schema::{Field, Schema};
pub use status::{Dimension, Severity, Side, Status};
pub use structure::{ColumnStructure, ForeignStructure, Sequence, Structure};
