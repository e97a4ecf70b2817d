//! The Parquet form of findings.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use rayon::prelude::*;

use crate::model::{Dimension, Finding, Severity, Side, compare_keys};

/// A finding with the facts of its rule, as it stands in the Parquet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// The rule's id.
    pub rule: String,
    /// The word of its kind.
    pub kind: String,
    /// Its dimension.
    pub dimension: Dimension,
    /// Its severity.
    pub severity: Severity,
    /// The finding.
    pub finding: Finding,
    /// The stable identity, [`fingerprint`].
    pub fingerprint: String,
}

/// Returns the stable identity of a finding: 32 hexadecimal digits of a keyed BLAKE3 over dataset, rule, side, key and column.
///
/// The same finding has the same fingerprint in every run with the same project key; values do not enter it.
pub fn fingerprint(
    key: &[u8; 32],
    dataset: &str,
    rule: &str,
    side: Side,
    row_key: Option<&str>,
    column: Option<&str>,
) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in [Some(dataset), Some(rule), Some(side.word()), row_key, column] {
        match part {
            None => {
                hasher.update(&[0]);
            }
            Some(text) => {
                hasher.update(&[1]);
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Makes the table of findings: rule, kind, dimension, severity, side, key, row, column, source, target,
/// expected, cause, group, fingerprint, state; sorted by key (whole numbers by value), then row, rule, side and column.
///
/// `cause` says of a cell that differs between expected and target why it does, as far as is known; it is NULL elsewhere.
/// `state` is `new` in every row: history does not exist yet. All columns are text but `row`.
///
/// # Errors
/// Where Arrow refuses the columns.
pub fn to_batch(mut rows: Vec<FindingRow>) -> Result<RecordBatch, ArrowError> {
    rows.par_sort_by(|a, b| {
        let of = |r: &FindingRow| (r.finding.row, r.finding.side);
        let keys = match (&a.finding.key, &b.finding.key) {
            (Some(one), Some(other)) => compare_keys(one, other),
            (one, other) => one.cmp(other),
        };
        keys.then_with(|| of(a).0.cmp(&of(b).0))
            .then_with(|| a.rule.cmp(&b.rule))
            .then_with(|| of(a).1.cmp(&of(b).1))
            .then_with(|| a.finding.column.cmp(&b.finding.column))
    });
    let text = |of: &dyn Fn(&FindingRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringViewArray>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("rule", text(&|r| Some(&r.rule))),
        ("kind", text(&|r| Some(&r.kind))),
        ("dimension", text(&|r| Some(r.dimension.word()))),
        ("severity", text(&|r| Some(r.severity.word()))),
        ("side", text(&|r| Some(r.finding.side.word()))),
        ("key", text(&|r| r.finding.key.as_deref())),
        ("row", Arc::new(rows.iter().map(|r| r.finding.row).collect::<UInt64Array>())),
        ("column", text(&|r| r.finding.column.as_deref())),
        ("source", text(&|r| r.finding.source.as_deref())),
        ("target", text(&|r| r.finding.target.as_deref())),
        ("expected", text(&|r| r.finding.expected.as_deref())),
        ("cause", text(&|r| r.finding.cause.as_deref())),
        ("group", text(&|r| r.finding.group.as_deref())),
        ("fingerprint", text(&|r| Some(&r.fingerprint))),
        ("state", text(&|_| Some("new"))),
    ];
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .into_iter()
        .map(|(name, array)| {
            let nullable = !matches!(
                name,
                "rule" | "kind" | "dimension" | "severity" | "side" | "fingerprint" | "state"
            );
            let data_type = if name == "row" { DataType::UInt64 } else { DataType::Utf8View };
            (Field::new(name, data_type, nullable), array)
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
