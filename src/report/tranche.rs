//! The names of tranches.

use crate::findings::{TrancheKind, TrancheResult};

use super::words::counted;

/// What a broken record is.
pub const BROKEN: &str = "Broken are records that differ (a pair counts once), are missing or not expected, have a key twice or none, and records of the target that were to be held back or merged.";

/// Returns the name of a tranche where it has one that can be seen.
pub fn name(one: &TrancheResult) -> Option<&str> {
    one.name.as_deref().filter(|name| !name.trim().is_empty())
}

/// Says what a tranche is that has no name.
pub fn words(one: &TrancheResult) -> String {
    match one.kind {
        TrancheKind::Value | TrancheKind::Filter => "empty text".to_owned(),
        TrancheKind::Null => "no value (NULL)".to_owned(),
        TrancheKind::Rest => "none of the conditions".to_owned(),
        TrancheKind::Small => {
            format!("other: {} with fewer than five records", counted(one.tranches, "value"))
        }
        TrancheKind::Others => format!("{} more together", counted(one.tranches, "value")),
        TrancheKind::OutOfScope => "out of scope".to_owned(),
    }
}
