//! From figures to statuses, and from statuses to an exit code.
//!
//! The exit code is a contract: 0 the gate passed, 1 it failed, 2 it could not judge.

use crate::findings::{DatasetResult, Gate, RuleResult};
use crate::model::{Severity, Status};
use crate::rule::MaxFailures;

/// Returns the status of a rule on one side.
///
/// Nothing evaluated is inconclusive, unless `allow_empty`. Failures within `max_failures`, or at severity
/// info, pass; beyond it a warning warns and an error fails.
///
/// ```
/// use counterfoil::gate::side_status;
/// use counterfoil::model::{Severity, Status};
/// assert_eq!(side_status(Severity::Error, None, false, 10, 1), Status::Fail);
/// assert_eq!(side_status(Severity::Warning, None, false, 10, 1), Status::Warn);
/// assert_eq!(side_status(Severity::Error, None, false, 0, 0), Status::Inconclusive);
/// ```
pub fn side_status(
    severity: Severity,
    max_failures: Option<MaxFailures>,
    allow_empty: bool,
    evaluated: u64,
    failed: u64,
) -> Status {
    if evaluated == 0 && failed == 0 {
        return if allow_empty { Status::Pass } else { Status::Inconclusive };
    }
    let allowed = max_failures.unwrap_or(MaxFailures::Count(0)).allows(failed, evaluated);
    match severity {
        _ if allowed => Status::Pass,
        Severity::Info => Status::Pass,
        Severity::Warning => Status::Warn,
        Severity::Error => Status::Fail,
    }
}

/// Returns the worst of several statuses; pass where there is none.
///
/// From worst to best: broken, fail, inconclusive, warn, skipped, pass.
pub fn worst(statuses: impl IntoIterator<Item = Status>) -> Status {
    let rank = |status: &Status| match status {
        Status::Broken => 5,
        Status::Fail => 4,
        Status::Inconclusive => 3,
        Status::Warn => 2,
        Status::Pass => 1,
        Status::Skipped => 0,
    };
    statuses.into_iter().max_by_key(rank).unwrap_or(Status::Pass)
}

/// Judges a run: anything broken or a ledger out of balance is 2; else a fail, or anything inconclusive, is 1; else 0.
///
/// A dataset stops it under its own name where it is broken itself or has a side without rows.
///
/// A warning is 0 unless `fail_on` is warning.
pub fn judge(datasets: &[DatasetResult], fail_on: Severity) -> Gate {
    let stops = |rule: &RuleResult| match rule.status {
        Status::Fail | Status::Broken | Status::Inconclusive => true,
        Status::Warn => fail_on == Severity::Warning,
        Status::Pass | Status::Skipped => false,
    };
    let mut stopped_by = Vec::new();
    let mut broken = false;
    for dataset in datasets {
        let unbalanced = dataset.ledger.as_ref().is_some_and(|ledger| !ledger.balanced);
        if dataset.error.is_some() || unbalanced {
            broken = true;
            stopped_by.push(dataset.name.clone());
        } else if dataset.inconclusive.is_some() {
            stopped_by.push(dataset.name.clone());
        }
        for rule in dataset.rules.iter().filter(|rule| stops(rule)) {
            broken |= rule.status == Status::Broken;
            stopped_by.push(format!("{}/{}", dataset.name, rule.id));
        }
    }
    stopped_by.sort();
    let rules = datasets.iter().flat_map(|d| &d.rules).map(|r| r.status);
    let empty = datasets.iter().filter(|d| d.inconclusive.is_some()).map(|_| Status::Inconclusive);
    let statuses = rules.chain(empty);
    let status = match (broken, stopped_by.is_empty()) {
        (true, _) => Status::Broken,
        (false, false) => worst(statuses),
        (false, true) => worst(statuses.filter(|s| *s != Status::Skipped)),
    };
    let exit_code = if broken { 2 } else { u8::from(!stopped_by.is_empty()) };
    Gate { exit_code, status, fail_on, stopped_by }
}
