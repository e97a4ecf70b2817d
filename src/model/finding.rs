//! What rules leave behind: findings in the data, and corrections made to it.

use super::Side;

/// The word of a total's group with fewer than five rows on a side: views do not show its figures.
pub const SMALL_GROUP: &str = "small group";

/// One thing wrong in the data.
///
/// The rule it belongs to is known by whoever holds the list it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The state of the data it was found in.
    pub side: Side,
    /// The row's key as text ([`crate::model::key_text`]); NULL where the finding is about the whole side.
    pub key: Option<String>,
    /// The row's position in the side's snapshot, from 1.
    pub row: Option<u64>,
    /// Our name of the column; NULL where the finding is about the row, whose values are then those of all columns
    /// that the rule looks at, joined as keys are ([`crate::model::key_text`]).
    pub column: Option<String>,
    /// The raw source's value as text.
    pub source: Option<String>,
    /// The target's value as text.
    pub target: Option<String>,
    /// The expected value as text.
    pub expected: Option<String>,
    /// Why a cell differs from the expected one: the word of its cause, several joined by `+`. Why a record has no partner,
    /// where that is movement.
    pub cause: Option<String>,
    /// The duplicate group's id, the class of an orphan, or of a total [`SMALL_GROUP`].
    pub group: Option<String>,
}

/// One cell changed by a cleansing step or a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The row's position in the source's snapshot, from 1.
    pub row: u64,
    /// Our name of the column.
    pub column: String,
    /// The value as text before the change.
    pub before: Option<String>,
    /// The value as text after the change.
    pub after: Option<String>,
    /// The id of the rule that made the change.
    pub rule: String,
}
