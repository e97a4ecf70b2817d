//! The result of a run: what stands in run.json and in the findings files.

mod read;
mod result;
mod table;
pub use read::{ReadError, for_each_row};
pub use table::{FindingRow, fingerprint, to_batch};

pub use result::{
    Buckets, BySide, CauseResult, ChainResult, ColumnResult, DatasetResult, FORMAT_VERSION, Gate, Masking,
    Movement, ONLY_RECONCILED, ReferenceResult, Remedies, RuleResult, RunResult, SideFigure, SideResult,
    StepResult, TotalResult, TrancheKind, TrancheResult, TranchesResult,
};
