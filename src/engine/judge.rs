//! Runs the checks and matches of one dataset and turns their failures into results and findings.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Utc};
use polars::prelude::Expr;

use crate::check::{BoundCheck, Check, Failure, ScanRule, SideInput, scan};
use crate::cleanse::Step;
use crate::config::{Dataset, Plan, Rule};
use crate::diagnostic::Diagnostics;
use crate::expression::Expression;
use crate::findings::{RuleResult, SideFigure};
use crate::frame::Frame;
use crate::gate::{side_status, worst};
use crate::matching::MatchOutcome;
use crate::model::{Finding, Schema, Side, Status};
use crate::rule::{Kind, ProjectFiles, RuleError};

use super::findings::{Cells, fill_joined};

/// A check ready for one side.
pub struct BoundSide {
    /// The check's position in the plan.
    pub position: usize,
    /// The side.
    pub side: Side,
    /// The tests.
    pub check: BoundCheck,
    /// The condition of `where`.
    pub condition: Option<Expr>,
}

/// What the checks of one side found, by the check's position in the plan.
pub type SideOutcomes = BTreeMap<usize, Result<Outcome, String>>;

/// What one check found on one side.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    evaluated: u64,
    unknown: u64,
    failures: Vec<Failure>,
}

/// Returns the sides on which a check gates: what the user said, else expected and target, of those the dataset has.
pub fn gating_sides(dataset: &Dataset, on: Option<&Vec<Side>>) -> Vec<Side> {
    let exists = |side: &Side| match side {
        Side::Source | Side::Expected => dataset.source.is_some(),
        Side::Target => dataset.target.is_some(),
    };
    let asked = on.cloned().unwrap_or_else(|| vec![Side::Expected, Side::Target]);
    Side::ALL.iter().copied().filter(|side| asked.contains(side) && exists(side)).collect()
}

/// Returns true where a check means on the raw source what it means on expected: no step changes the type or the codes of one of
/// its columns, and no crosswalk its ids. References are compared nevertheless where the ids of both ends are replaced alike.
/// `raw` and `cleansed` are the columns before and after the steps.
pub fn is_comparable(
    plan: &Plan,
    dataset: &Dataset,
    rule: &Rule<dyn Check>,
    (raw, cleansed): (&Schema, &Schema),
) -> bool {
    let columns = rule.rule.columns();
    let names: BTreeSet<&str> = columns.iter().map(|c| c.value.as_str()).collect();
    let same = |name: &&str| raw.get(name).map(|f| &f.logical) == cleansed.get(name).map(|f| &f.logical);
    let recodes = |step: &Rule<dyn Step>| {
        let named = step.rule.columns();
        step.kind == "map_values" && named.named().iter().any(|column| names.contains(column.value.as_str()))
    };
    if !names.iter().all(same) || dataset.steps.iter().any(recodes) {
        return false;
    }
    let selects = rule.condition.iter().flat_map(Expression::columns);
    if selects.into_iter().any(|name| dataset.crosswalk(&name.value).is_some()) {
        return false;
    }
    let Some(reference) = rule.rule.reference() else {
        return names.iter().all(|name| dataset.crosswalk(name).is_none());
    };
    let parent = plan.datasets.iter().find(|other| other.name.value == reference.dataset.value);
    let ids = |of: Option<&Dataset>, name: &str| {
        let crosswalk = of?.crosswalk(name)?;
        Some([&crosswalk.through, &crosswalk.from, &crosswalk.to].map(|name| name.value.clone()))
    };
    let ends = columns.iter().zip(&reference.columns);
    ends.into_iter().all(|(own, theirs)| ids(Some(dataset), &own.value) == ids(parent, &theirs.value))
}

/// Returns true where a check is run on a side on which it does not gate: on the raw source for its figure before
/// cleansing, where that is comparable; and where it looks for orphans, on expected and the target, whatever `on` says: these
/// have classes, and others refer to them.
pub fn is_wanted_beside(check: &dyn Check, side: Side, comparable: bool) -> bool {
    match side {
        Side::Source => comparable,
        Side::Expected | Side::Target => check.reference().is_some(),
    }
}

/// Prepares one check for one side; mistakes go to `out`.
pub fn bind(
    rule: &Rule<dyn Check>,
    position: usize,
    side: Side,
    schema: &Schema,
    files: &ProjectFiles,
    as_of: DateTime<Utc>,
    out: &mut Diagnostics,
) -> Option<BoundSide> {
    let check = rule.rule.bind(schema, files, as_of, out);
    let condition = match &rule.condition {
        Some(condition) => Some(condition.bind(schema, as_of, out)?),
        None => None,
    };
    Some(BoundSide { position, side, check: check?, condition })
}

/// Runs all checks of one side: those that look at rows in one scan, the others one by one.
///
/// `all` are the datasets in the same state, by name. A check that fails to run, or panics, is an error of its
/// own; the others go on.
pub fn run_side(
    bound: &[BoundSide],
    frame: &Frame,
    side: Side,
    all: &BTreeMap<&str, &Frame>,
    group_id: &dyn Fn(usize, &str) -> String,
    as_of: DateTime<Utc>,
) -> SideOutcomes {
    let mut outcomes = SideOutcomes::new();
    scan_rows(bound, frame, side, &mut outcomes);
    for bound in bound.iter().filter(|b| b.side == side) {
        let BoundCheck::Side(test) = &bound.check else { continue };
        let run = || -> Result<Outcome, RuleError> {
            let selected = match &bound.condition {
                Some(condition) => Some(crate::expression::evaluate(frame, condition)?),
                None => None,
            };
            let make_id = |text: &str| group_id(bound.position, text);
            let other = |name: &str| all.get(name).copied();
            let input = SideInput {
                side,
                frame,
                selected: selected.as_deref(),
                other: &other,
                group_id: &make_id,
                as_of,
            };
            let found = test.run(&input)?;
            Ok(Outcome { evaluated: found.evaluated, unknown: found.unknown, failures: found.failures })
        };
        outcomes.insert(bound.position, guarded(run));
    }
    outcomes
}

/// Runs a rule so that neither an error nor a panic goes further than its own result.
pub fn guarded<T>(run: impl FnOnce() -> Result<T, RuleError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the rule broke off inside; this is a fault of the tool, please report it".to_owned()),
    }
}

fn scan_rows(bound: &[BoundSide], frame: &Frame, side: Side, outcomes: &mut SideOutcomes) {
    let mut rules = Vec::new();
    let mut places = Vec::new();
    for bound in bound.iter().filter(|b| b.side == side) {
        let BoundCheck::Rows(tests) = &bound.check else { continue };
        let passes = tests.iter().map(|test| test.passes.clone()).collect();
        rules.push(ScanRule { tests: passes, selected: bound.condition.clone() });
        places.push((bound.position, tests));
    }
    if rules.is_empty() {
        return;
    }
    let found = match guarded(|| Ok(scan(frame, &rules))) {
        Ok(found) => found,
        Err(message) => places.iter().map(|_| Err(RuleError::Refused(message.clone()))).collect(),
    };
    for ((position, tests), result) in places.into_iter().zip(found) {
        let outcome = result.map_err(|error| error.to_string()).map(|scanned| {
            let failures = tests.iter().zip(&scanned.failed).flat_map(|(test, failed)| {
                failed.iter().map(|index| Failure {
                    index: Some(*index),
                    column: test.column.clone(),
                    ..Failure::default()
                })
            });
            Outcome { evaluated: scanned.evaluated, unknown: scanned.unknown, failures: failures.collect() }
        });
        outcomes.insert(position, outcome);
    }
}

/// What a dataset's check came to: its result and its findings.
pub type Judged = (RuleResult, Vec<Finding>);

/// The figures of one rule while they are put together.
pub struct Figures<'a> {
    /// The texts of findings.
    pub cells: &'a Cells<'a>,
    /// The sides that have no rows and may have none: nothing evaluated there is no gap.
    pub may_be_empty: Vec<Side>,
}

impl Figures<'_> {
    /// Puts together the result of a check from what it found on each side.
    ///
    /// `classes` gives a finding's class by side and row index, where the check has classes.
    pub fn check(
        &self,
        rule: &Rule<dyn Check>,
        sides: &[(Side, bool, Result<Outcome, String>)],
        not_comparable: bool,
        classes: &dyn Fn(Side, usize) -> Option<String>,
    ) -> Judged {
        let mut figures = Vec::new();
        let mut findings = Vec::new();
        let mut reason = None;
        let columns: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
        for (side, gates, outcome) in sides {
            let (figure, found) = match outcome {
                Err(message) => {
                    if *gates {
                        reason = Some(message.clone());
                    }
                    (broken_figure(*side, *gates, message), Vec::new())
                }
                Ok(outcome) => {
                    let found =
                        if *gates { self.findings(&columns, *side, outcome, classes) } else { Vec::new() };
                    (self.figure(rule, *side, *gates, outcome, &found, classes), found)
                }
            };
            figures.push(figure);
            findings.extend(found);
        }
        if not_comparable {
            figures.insert(0, noted_figure(Side::Source, "not comparable before cleansing"));
        }
        (Self::result(rule, columns, figures, reason), findings)
    }

    fn figure(
        &self,
        rule: &Rule<dyn Check>,
        side: Side,
        gates: bool,
        outcome: &Outcome,
        found: &[Finding],
        classes: &dyn Fn(Side, usize) -> Option<String>,
    ) -> SideFigure {
        let rows: BTreeSet<Option<usize>> = outcome.failures.iter().map(|f| f.index).collect();
        let mut by_class = BTreeMap::new();
        for index in rows.iter().flatten() {
            if let Some(class) = classes(side, *index) {
                *by_class.entry(class).or_insert(0) += 1;
            }
        }
        let failed = rows.len() as u64;
        let status = side_status(
            rule.severity,
            rule.common.max_failures,
            rule.common.allow_empty || self.may_be_empty.contains(&side),
            outcome.evaluated,
            failed,
        );
        SideFigure {
            side,
            gates,
            status,
            evaluated: outcome.evaluated,
            unknown: outcome.unknown,
            failed,
            findings: found.len() as u64,
            classes: by_class,
            note: (status == Status::Inconclusive).then(|| "no row was evaluated".to_owned()),
        }
    }

    fn findings(
        &self,
        all: &[String],
        side: Side,
        outcome: &Outcome,
        classes: &dyn Fn(Side, usize) -> Option<String>,
    ) -> Vec<Finding> {
        let mut columns = BTreeMap::new();
        let about_rows = outcome.failures.iter().any(|f| f.index.is_some() && f.column.is_none());
        let together = if about_rows { self.cells.columns(all) } else { Vec::new() };
        outcome
            .failures
            .iter()
            .map(|failure| {
                let Some(index) = failure.index else {
                    return whole_side(side, failure);
                };
                let group = classes(side, index).or_else(|| failure.group.clone());
                let mut finding = self.cells.row(side, index, group);
                match &failure.column {
                    Some(name) => {
                        let cells = columns.entry(name.clone()).or_insert_with(|| self.cells.column(name));
                        cells.fill(&mut finding, index);
                    }
                    None => fill_joined(&together, &mut finding, index),
                }
                finding
            })
            .collect()
    }

    /// Puts together the result of a match; its findings are one a row of each group.
    pub fn matched(
        &self,
        rule: &Rule<dyn crate::matching::Match>,
        sides: &[(Side, Result<MatchOutcome, String>)],
        group_id: &dyn Fn(&str) -> String,
        place: &dyn Fn(Side, usize) -> Finding,
    ) -> Judged {
        let mut figures = Vec::new();
        let mut findings = Vec::new();
        let mut reason = None;
        for (side, outcome) in sides {
            match outcome {
                Err(message) => {
                    reason = Some(message.clone());
                    figures.push(broken_figure(*side, true, message));
                }
                Ok(outcome) => {
                    let before = findings.len();
                    for group in &outcome.groups {
                        let id = group_id(&group.text);
                        findings.extend(
                            group
                                .rows
                                .iter()
                                .map(|row| Finding { group: Some(id.clone()), ..place(*side, *row) }),
                        );
                    }
                    let failed = (findings.len() - before) as u64;
                    let common = &rule.common;
                    let status = side_status(
                        rule.severity,
                        common.max_failures,
                        common.allow_empty || self.may_be_empty.contains(side),
                        outcome.evaluated,
                        failed,
                    );
                    figures.push(SideFigure {
                        side: *side,
                        gates: true,
                        status,
                        evaluated: outcome.evaluated,
                        unknown: outcome.unknown,
                        failed,
                        findings: failed,
                        classes: BTreeMap::new(),
                        note: (status == Status::Inconclusive).then(|| "no row was evaluated".to_owned()),
                    });
                }
            }
        }
        let columns = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
        (Self::result(rule, columns, figures, reason), findings)
    }

    /// Puts together a rule's result from the figures of its sides.
    pub fn result<T: ?Sized>(
        rule: &Rule<T>,
        columns: Vec<String>,
        figures: Vec<SideFigure>,
        reason: Option<String>,
    ) -> RuleResult {
        let status = worst(figures.iter().filter(|f| f.gates).map(|f| f.status));
        let reason =
            reason.or_else(|| (status == Status::Inconclusive).then(|| "no row was evaluated".to_owned()));
        RuleResult {
            id: rule.id.clone(),
            kind: rule.kind.to_owned(),
            says: says(rule.kind),
            columns,
            dimension: rule.dimension,
            severity: rule.severity,
            status,
            reason,
            max_failures: rule.common.max_failures.map(|m| m.to_string()),
            sides: figures,
        }
    }

    /// Makes the result of a rule that is switched off.
    pub fn skipped<T: ?Sized>(rule: &Rule<T>, columns: Vec<String>, reason: &str) -> RuleResult {
        let mut result = Self::result(rule, columns, Vec::new(), Some(reason.to_owned()));
        result.status = Status::Skipped;
        result
    }
}

/// Returns what a kind asserts: the first sentence of its documentation.
fn says(kind: &str) -> String {
    let documentation = crate::check::KINDS
        .iter()
        .find(|k| k.name == kind)
        .map(Kind::documentation)
        .or_else(|| crate::matching::KINDS.iter().find(|k| k.name == kind).map(Kind::documentation));
    documentation.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// A finding about a side as a whole.
fn whole_side(side: Side, failure: &Failure) -> Finding {
    let observed = failure.observed.clone();
    Finding {
        side,
        key: None,
        row: None,
        column: failure.column.clone(),
        source: if side == Side::Source { observed.clone() } else { None },
        target: if side == Side::Target { observed.clone() } else { None },
        expected: if side == Side::Expected { observed } else { None },
        cause: None,
        group: failure.group.clone(),
    }
}

/// A figure of a side that could not be judged.
pub fn broken_figure(side: Side, gates: bool, message: &str) -> SideFigure {
    SideFigure { status: Status::Broken, gates, ..noted_figure(side, message) }
}

/// A figure that only has a note.
fn noted_figure(side: Side, note: &str) -> SideFigure {
    SideFigure {
        side,
        gates: false,
        status: Status::Skipped,
        evaluated: 0,
        unknown: 0,
        failed: 0,
        findings: 0,
        classes: BTreeMap::new(),
        note: Some(note.to_owned()),
    }
}

impl Outcome {
    /// Returns the rows that failed, each once, ascending, from 0.
    pub fn failed_rows(&self) -> Vec<usize> {
        let rows: BTreeSet<usize> = self.failures.iter().filter_map(|failure| failure.index).collect();
        rows.into_iter().collect()
    }
}
