//! A rule of the reconciliation while it is put together.

use std::collections::BTreeMap;

use crate::findings::{RuleResult, SideFigure};
use crate::gate::{side_status, worst};
use crate::model::{Dimension, Finding, Severity, Side, Status};
use crate::reconcile::RuleFields;
use crate::reconcile::cause::MOVED;

/// One rule while it is put together.
pub struct Draft<'a> {
    /// Its id.
    pub id: String,
    /// What it asserts.
    pub says: String,
    /// The columns it looks at.
    pub columns: Vec<String>,
    /// Its dimension.
    pub dimension: Dimension,
    /// For each side the rows evaluated and its findings.
    pub sides: Vec<(Side, u64, Vec<Finding>)>,
    /// What the user set for it.
    pub fields: Option<&'a RuleFields>,
    /// True where nothing evaluated is no gap.
    pub may_be_empty: bool,
    /// The word of its kind.
    pub kind: &'static str,
    /// The severity where the user sets none.
    pub severity: Severity,
}

impl Draft<'_> {
    /// Puts the rule together with its findings. The classes of findings about the structure and about what fits are
    /// counted, and records without a partner that only moved.
    pub fn finish(self) -> (RuleResult, Vec<Finding>) {
        let severity = self.fields.and_then(|f| f.severity).unwrap_or(self.severity);
        let max_failures = self.fields.and_then(|f| f.max_failures);
        let mut figures = Vec::new();
        let mut findings = Vec::new();
        for (side, evaluated, found) in self.sides {
            let failed = found.len() as u64;
            let mut classes = BTreeMap::new();
            if matches!(self.kind, "fit" | "schema" | "crosswalk") {
                for class in found.iter().filter_map(|finding| finding.group.clone()) {
                    *classes.entry(class).or_insert(0) += 1;
                }
            }
            if self.kind == "reconcile" {
                // The causes of cells are counted by column.
                let is_moved =
                    |finding: &&Finding| finding.column.is_none() && finding.cause.as_deref() == Some(MOVED);
                let moved = found.iter().filter(is_moved).count() as u64;
                if moved > 0 {
                    classes.insert(MOVED.replace('_', " "), moved);
                }
            }
            let status = side_status(severity, max_failures, self.may_be_empty, evaluated, failed);
            figures.push(SideFigure {
                side,
                gates: true,
                status,
                evaluated,
                unknown: 0,
                failed,
                findings: failed,
                classes,
                note: (status == Status::Inconclusive).then(|| "no row was evaluated".to_owned()),
            });
            findings.extend(found);
        }
        let status = worst(figures.iter().map(|f| f.status));
        let result = RuleResult {
            id: self.id,
            kind: self.kind.to_owned(),
            says: self.says,
            columns: self.columns,
            dimension: self.dimension,
            severity,
            status,
            reason: (status == Status::Inconclusive).then(|| "no row was evaluated".to_owned()),
            max_failures: max_failures.map(|m| m.to_string()),
            sides: figures,
        };
        (result, findings)
    }
}
