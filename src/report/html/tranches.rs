//! The ledger by tranche, those with the most broken records first.

use serde::Serialize;

use crate::findings::{DatasetResult, TrancheResult};
use crate::ledger::{SourceDisposition, TargetDisposition};
use crate::report::tranche;

use super::cell::{Piece, plain};

/// Tranches shown.
const TRANCHES: usize = 20;

/// The tranches of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tranches {
    /// The column whose values make them; nothing where conditions do.
    pub column: Option<String>,
    /// Why the column is hidden, where it is.
    pub hidden: Option<String>,
    /// The first of them.
    pub lines: Vec<Line>,
    /// Lines in all.
    pub of: u64,
    /// True where all balance, and together are the whole.
    pub balanced: bool,
    /// What a broken record is.
    pub broken: &'static str,
}

/// One tranche.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its name, where it has one.
    pub name: Option<Vec<Piece>>,
    /// What it is, where it has none.
    pub words: String,
    /// Records of the source and of the target.
    pub rows: [u64; 2],
    /// Records that match.
    pub matched: u64,
    /// Pairs that differ.
    pub mismatched: u64,
    /// Expected records that the target lacks.
    pub missing: u64,
    /// Records of the target that nobody expected, among them those that were to be held back or merged.
    pub unexpected: u64,
    /// Records of both sides without a key, or with one that is used twice.
    pub keys: u64,
    /// Records held back or merged.
    pub held: u64,
    /// Broken records in all.
    pub broken: u64,
    /// Pairs that belong to another tranche in the target, and those that come from another.
    pub moved: [u64; 2],
    /// True where it balances.
    pub balanced: bool,
}

/// Makes the table of tranches; nothing where the ledger is not split.
pub fn tranches(dataset: &DatasetResult) -> Option<Tranches> {
    let tranches = dataset.tranches.as_ref()?;
    let column = tranches.column.clone();
    let hidden = column.as_ref().and_then(|column| dataset.masking.columns.get(column)).cloned();
    Some(Tranches {
        lines: tranches.list.iter().take(TRANCHES).map(line).collect(),
        of: tranches.list.len() as u64,
        balanced: tranches.balanced,
        broken: tranche::BROKEN,
        column,
        hidden,
    })
}

fn line(one: &TrancheResult) -> Line {
    let source = |place: SourceDisposition| one.ledger.source_count(place);
    let target = |place: TargetDisposition| one.ledger.target_count(place);
    Line {
        name: tranche::name(one).map(plain),
        words: tranche::words(one),
        rows: [one.ledger.source_rows, one.ledger.target_rows],
        matched: source(SourceDisposition::MatchedUnchanged) + source(SourceDisposition::MatchedCleansed),
        mismatched: source(SourceDisposition::Mismatched),
        missing: source(SourceDisposition::Missing),
        unexpected: target(TargetDisposition::Unexpected)
            + target(TargetDisposition::FromQuarantined)
            + target(TargetDisposition::FromMerged),
        keys: source(SourceDisposition::NoKey)
            + source(SourceDisposition::DuplicateKey)
            + target(TargetDisposition::NoKey)
            + target(TargetDisposition::DuplicateKey),
        held: source(SourceDisposition::Quarantined) + source(SourceDisposition::Merged),
        broken: one.broken,
        moved: [one.moved_out, one.moved_in],
        balanced: one.ledger.balanced,
    }
}
