//! run.json: counts, statuses and facts of a run. It holds no cell value, but the names of tranches that views may show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::model::{Dimension, Remedy, Severity, Side, Status};

/// The version of run.json's form; it grows with every change that an older reader would misread.
pub const FORMAT_VERSION: u32 = 1;

/// The note of a run that only reconciled.
pub const ONLY_RECONCILED: &str =
    "Only the reconciliation was run: checks and duplicates were not looked at.";

/// The whole result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// The tool and its version, e.g. `counterfoil 0.1.0`.
    pub tool: String,
    /// The project's name.
    pub project: String,
    /// The run's "now", RFC 3339 in UTC.
    pub as_of: String,
    /// The verdict.
    pub gate: Gate,
    /// The datasets, in the order of the project.
    pub datasets: Vec<DatasetResult>,
    /// What the reader should know of the whole run, in sentences.
    pub notes: Vec<String>,
}

/// The verdict of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// 0 passed, 1 failed, 2 could not judge.
    pub exit_code: u8,
    /// The status that decided: pass, warn, fail, inconclusive or broken.
    pub status: Status,
    /// The least severity that fails the gate.
    pub fail_on: Severity,
    /// The rules that stop the gate, as `dataset/rule`, sorted.
    pub stopped_by: Vec<String>,
}

/// The result of one dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetResult {
    /// Its name.
    pub name: String,
    /// Whose data it is.
    pub owner: Option<String>,
    /// Our names of the key columns.
    pub key: Vec<String>,
    /// The worst status of its rules; skipped where it has none and nothing was asked of it.
    pub status: Status,
    /// Why the dataset could not be judged, where it could not.
    pub error: Option<String>,
    /// Why the dataset as a whole is inconclusive, where it is: a side has no rows.
    #[serde(default)]
    pub inconclusive: Option<String>,
    /// The old system's side.
    pub source: Option<SideResult>,
    /// Rows that the target should hold.
    pub expected_rows: Option<u64>,
    /// The new system's side.
    pub target: Option<SideResult>,
    /// Every column of either side, in the source's order, then the target's.
    pub columns: Vec<ColumnResult>,
    /// Checks, duplicates and reconciliation rules, in the order of the rule file.
    pub rules: Vec<RuleResult>,
    /// Cleansing steps, in the order of the rule file.
    pub steps: Vec<StepResult>,
    /// Rows of the reconciliation, where there is one.
    pub buckets: Option<Buckets>,
    /// What of these one side changed after the other side's snapshot, where `changed_since` says how that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Movement>,
    /// Control totals.
    pub totals: Vec<TotalResult>,
    /// The foreign keys, each looked at on both sides, in the order of the rule file.
    #[serde(default)]
    pub references: Vec<ReferenceResult>,
    /// Where every row went.
    pub ledger: Option<Ledger>,
    /// The same by tranche, where that is asked for.
    #[serde(default)]
    pub tranches: Option<TranchesResult>,
    /// Cells changed by steps and merges.
    pub corrections: u64,
    /// Rows held back.
    pub quarantined: u64,
    /// Rows to insert, update and delete that would make the target equal expected.
    pub repairs: BTreeMap<String, u64>,
    /// What views must not show.
    pub masking: Masking,
    /// What the reader should know, in sentences.
    pub notes: Vec<String>,
}

/// One side as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideResult {
    /// The snapshot's id.
    pub snapshot: String,
    /// Where it came from: the connection and the table or files, without credentials.
    pub origin: String,
    /// The server, and whether all rows are of one moment; nothing for files.
    #[serde(default)]
    pub read: Option<String>,
    /// Rows of the snapshot.
    pub rows: u64,
    /// Rows left out by the filter.
    pub out_of_scope: u64,
    /// SHA-256 of the snapshot's files, by name.
    pub files: BTreeMap<String, String>,
}

/// One column of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnResult {
    /// Our name.
    pub name: String,
    /// The source's own name of it, which the files of changes and quarantine use.
    #[serde(default)]
    pub source_name: Option<String>,
    /// The source's type, as logical type.
    pub source_type: Option<String>,
    /// The type after cleansing.
    pub expected_type: Option<String>,
    /// The target's type.
    pub target_type: Option<String>,
    /// How the two sides were compared: "compared as …, giving up …".
    pub compared_as: Option<String>,
    /// Why the column was not compared, where it was not.
    pub not_compared: Option<String>,
    /// Row pairs compared.
    pub compared: u64,
    /// Row pairs that differ.
    pub mismatched: u64,
    /// Why they differ, the most frequent first.
    #[serde(default)]
    pub causes: Vec<CauseResult>,
}

/// One cause of a column's differences, or several that explain the same cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseResult {
    /// The word of the cause; of several, by name, joined by `+`.
    pub cause: String,
    /// Row pairs that differ for it.
    pub cells: u64,
    /// Where the differences come from, as the rest of "… come from". It holds no cell value.
    pub says: String,
    /// Where no line of the dataset's file would settle them: why, and what does, in sentences. They hold no cell value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_line: Option<String>,
}

/// What would settle the differences of a dataset: the file `causes/<dataset>.json`. It may hold cell values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedies {
    /// By our name of the column and the word of the cause.
    pub columns: BTreeMap<String, BTreeMap<String, Remedy>>,
}

/// The result of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleResult {
    /// Its id, unique within the dataset.
    pub id: String,
    /// The word of its kind: `not_null`, `exact`, `reconcile`, `unmapped`, `fit`, `schema`,
    /// `total`.
    pub kind: String,
    /// What it asserts, in a short English sentence without cell values.
    pub says: String,
    /// Our names of the columns it looks at.
    pub columns: Vec<String>,
    /// The dimension.
    pub dimension: Dimension,
    /// How much a failure matters.
    pub severity: Severity,
    /// The worst status of its gating sides.
    pub status: Status,
    /// Why it is skipped, broken or inconclusive.
    pub reason: Option<String>,
    /// How many failures are allowed, as written.
    pub max_failures: Option<String>,
    /// The figures of each side, in the order source, expected, target.
    pub sides: Vec<SideFigure>,
}

/// What a rule found on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideFigure {
    /// The state of the data.
    pub side: Side,
    /// True where the figure counts for the gate.
    pub gates: bool,
    /// The status of this side alone.
    pub status: Status,
    /// Rows evaluated.
    pub evaluated: u64,
    /// Rows chosen but not evaluated because a value was NULL.
    pub unknown: u64,
    /// Rows that failed, each counted once.
    pub failed: u64,
    /// Findings written.
    pub findings: u64,
    /// Findings by group class, e.g. `inherited` and `introduced`; empty where there are no classes.
    pub classes: BTreeMap<String, u64>,
    /// Why there is no figure: "not comparable before cleansing".
    pub note: Option<String>,
}

/// The ledger of a dataset by tranche.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranchesResult {
    /// The column whose values make the tranches; nothing where conditions do.
    pub column: Option<String>,
    /// True where each tranche balances and together they are the whole.
    pub balanced: bool,
    /// Tranches in all.
    pub all: u64,
    /// The tranches, those with the most broken rows first.
    pub list: Vec<TrancheResult>,
}

/// The ledger of one tranche, or of several together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrancheResult {
    /// What it is made of.
    pub kind: TrancheKind,
    /// The value as text, or its token where the column is hidden; the name of a condition. Nothing for all other kinds.
    pub name: Option<String>,
    /// How many tranches are counted together here.
    pub tranches: u64,
    /// Rows that are missing, mismatched, not expected, without a key or with a repeated one; a mismatched pair counts once.
    pub broken: u64,
    /// Pairs of it whose row in the target belongs to another tranche by its own values.
    pub moved_out: u64,
    /// Pairs of other tranches whose row in the target belongs to this one by its own values.
    pub moved_in: u64,
    /// Where its rows went. A row of the target that has a partner stands where that does.
    pub ledger: Ledger,
}

/// What a tranche is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrancheKind {
    /// The rows with one value of the column.
    Value,
    /// The rows whose value is NULL.
    Null,
    /// The rows that a condition selects.
    Filter,
    /// The rows that no condition selects.
    Rest,
    /// Values with fewer than five rows on either side, together.
    Small,
    /// Values beyond the most that have a ledger of their own, together.
    Others,
    /// The rows that the sides' filters leave out.
    OutOfScope,
}

impl TrancheKind {
    /// Returns true for what is counted together, or not looked at: it stands at the end.
    pub fn is_apart(self) -> bool {
        matches!(self, TrancheKind::Small | TrancheKind::Others | TrancheKind::OutOfScope)
    }
}

/// A foreign key, looked at on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceResult {
    /// The rule's id.
    pub rule: String,
    /// Our names of the columns that refer.
    pub columns: Vec<String>,
    /// The dataset referred to.
    pub parent: String,
    /// Its columns.
    pub parent_columns: Vec<String>,
    /// Where the old system's orphans were looked for: the raw source, or expected where that is not comparable.
    pub before: Side,
    /// Rows without a parent there; nothing where that is not known or there is no source.
    pub source: Option<u64>,
    /// Rows without a parent in the target; nothing where that is not known or there is no target.
    pub target: Option<u64>,
    /// The keys of the rows without a parent, by class: `inherited` are orphans on both sides, `introduced` only in the
    /// target, `repaired` only in the source, `missing in target` those of the source whose record the target does not have.
    /// Empty where the two sides cannot be compared.
    pub classes: BTreeMap<String, u64>,
    /// Rows without a parent that have no key, on both sides together: nobody can say what they are on the other side.
    pub no_key: u64,
    /// Different parents that are not there, in expected and in the target.
    pub missing: BySide,
    /// Rows whose parent is there while a record further up is not, by the way that leads to it.
    pub further: Vec<ChainResult>,
}

/// Rows whose parent is there while a record further up is not. Each row is counted once for each of its references.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainResult {
    /// The datasets from the rows' own to the one in which a record is missing.
    pub datasets: Vec<String>,
    /// The foreign keys that lead there, as `dataset/rule`.
    pub rules: Vec<String>,
    /// The rows.
    pub rows: BySide,
}

/// A count in expected and one in the target; nothing where it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BySide {
    /// In expected.
    pub expected: Option<u64>,
    /// In the target.
    pub target: Option<u64>,
}

impl BySide {
    /// Adds up counts; nothing of none.
    pub fn sum(counts: impl IntoIterator<Item = BySide>) -> BySide {
        let add = |a: Option<u64>, b: Option<u64>| a.map(|a| a + b.unwrap_or(0)).or(b);
        counts.into_iter().fold(BySide::default(), |sum, one| BySide {
            expected: add(sum.expected, one.expected),
            target: add(sum.target, one.target),
        })
    }
}

/// What a cleansing step did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// Its id, unique within the dataset.
    pub id: String,
    /// The word of its kind.
    pub kind: String,
    /// Our names of the columns it acts on.
    pub columns: Vec<String>,
    /// Cells changed.
    pub changed: u64,
    /// Rows held back.
    pub quarantined: u64,
    /// Why the step is switched off, where it is.
    #[serde(default)]
    pub skipped: Option<String>,
    /// Why the step did nothing, where it could not do anything.
    #[serde(default)]
    pub note: Option<String>,
}

/// Rows of a reconciliation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buckets {
    /// Row pairs with equal values.
    pub matched: u64,
    /// Row pairs with at least one differing cell.
    pub mismatched: u64,
    /// Differing cells.
    pub mismatched_cells: u64,
    /// Expected rows without partner.
    pub missing: u64,
    /// Target rows without partner.
    pub unexpected: u64,
    /// Expected rows whose key is repeated on either side.
    pub duplicate_key_expected: u64,
    /// Target rows whose key is repeated on either side.
    pub duplicate_key_target: u64,
    /// Expected rows with a NULL key part.
    pub no_key_expected: u64,
    /// Target rows with a NULL key part.
    pub no_key_target: u64,
    /// Target rows whose key belongs to a quarantined row.
    pub from_quarantined: u64,
    /// Target rows whose key belongs to a merged row.
    pub from_merged: u64,
}

/// Rows of a reconciliation that one side changed after the other side's snapshot: what may be movement alone. Each is
/// counted in [`Buckets`] too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// Row pairs with at least one differing cell.
    pub mismatched: u64,
    /// Differing cells.
    pub mismatched_cells: u64,
    /// Expected rows without partner.
    pub missing: u64,
    /// Target rows without partner.
    pub unexpected: u64,
}

impl Movement {
    /// Returns the rows, pairs counted once.
    pub fn rows(&self) -> u64 {
        self.mismatched + self.missing + self.unexpected
    }
}

/// One control total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalResult {
    /// The rule it belongs to.
    pub rule: String,
    /// Our name of the column.
    pub column: String,
    /// Our names of the columns it is grouped by.
    pub by: Vec<String>,
    /// Groups on either side.
    pub groups: u64,
    /// Groups in which a figure differs.
    pub differing: u64,
}

/// What views must not show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masking {
    /// True where a key column is sensitive: keys show as tokens.
    pub key: bool,
    /// Columns whose values are hidden, with the reason: `sensitive`, `free text`, `refers to a
    /// sensitive column` or `calculated from a hidden column`.
    pub columns: BTreeMap<String, String>,
}
