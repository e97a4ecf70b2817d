//! Where every row went.

use serde::{Deserialize, Serialize};

/// The ledger of one dataset: every row of both sides, each in exactly one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Rows of the source by disposition, in the order in which the first that applies counts; none where there is no source.
    pub source: Vec<Entry>,
    /// Rows of the target likewise.
    pub target: Vec<Entry>,
    /// Rows of the source's snapshot.
    pub source_rows: u64,
    /// Rows of the target's snapshot.
    pub target_rows: u64,
    /// True where every row is accounted for once, and both sides agree on the pairs.
    pub balanced: bool,
}

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The disposition, e.g. `matched_unchanged`.
    pub disposition: String,
    /// Rows.
    pub rows: u64,
}
