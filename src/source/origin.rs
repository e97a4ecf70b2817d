//! Which database something was read from, so that a later reading does not go on with rows of another.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::Schema;

use super::{ColumnNote, hex};

/// A database, as far as it can be told from others: a copy of its files may say the same of itself, but is called
/// otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// What the server calls itself, where it says so.
    pub server: Option<String>,
    /// What the server calls the database, where it says so.
    pub database: Option<String>,
    /// A hash of what the user calls both, without ports: those of a tunnel change.
    pub named: String,
}

/// Says of a table, at its first column, that it was begun anew because the rows that were there are of another database.
pub(super) fn read_anew(schema: &Schema) -> Option<ColumnNote> {
    let text = "the table was read from its beginning: what an earlier reading had left is of another server or \
                database, or of one by another name";
    schema.fields.first().map(|field| ColumnNote { column: field.name.clone(), text: text.to_owned() })
}

/// Returns a hash of names, which tells nobody what they are.
pub(super) fn named(names: &[String]) -> String {
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.to_lowercase());
        hash.update([0]);
    }
    let mut text = hex(&hash.finalize());
    text.truncate(32);
    text
}
