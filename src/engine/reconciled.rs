//! The reconciliation of one dataset as results, findings, repairs and ledger.

use std::collections::{BTreeMap, HashSet};

use polars::prelude::PolarsError;

use crate::config::Dataset;
use crate::findings::{Buckets, CauseResult, ColumnResult, DatasetResult, RuleResult, TotalResult};
use crate::frame::{Frame, Rows};
use crate::ledger::{SourceDisposition, Tally, TargetDisposition};
use crate::model::{Dimension, Finding, SMALL_GROUP, Severity, Side, Status};
use crate::reconcile::{
    self, BoundReconcile, BoundTotal, ComparedColumn, Input, Means, Moved, Prepared, TotalOutcome, cause,
};
use crate::rule::RuleError;

use super::draft::Draft;
use super::expected::{Expected, RowState, Working};
use super::findings::Cells;
use super::judge::{Judged, broken_figure, guarded};
use super::prepare::LoadedSide;
use super::row_keys::RowKeys;
use super::row_rules::RowRules;
use super::unknown::Unknown;

/// A reconciliation that was run.
pub struct Reconciled {
    /// What was compared, and how.
    pub bound: BoundReconcile,
    pub(super) outcome: reconcile::Reconciliation,
    pub(super) explained: cause::Explained,
    pub(super) moved: Moved,
    /// Why there are no causes, where they could not be found.
    not_explained: Option<String>,
    /// Both sides as they were compared; without rows where those rest.
    pub prepared: Prepared,
    /// The keys of the rows of the evidence.
    pub(super) keys: RowKeys,
    /// For each row of the evidence's expected its index among all rows of the source in scope.
    origin: Vec<usize>,
    /// True where rows of the source are held back, and where such are merged.
    held_back: [bool; 2],
    /// What nobody knows because ids have no new one, or several.
    pub(super) unknown: Unknown,
}

/// The rows of `all` in one state, with its columns.
pub fn rows_in(working: &Working, wanted: impl Fn(RowState) -> bool) -> Result<Frame, PolarsError> {
    let keep: Vec<bool> = working.states.iter().map(|state| wanted(*state)).collect();
    if keep.iter().any(|keep| *keep) { working.all.filter(&keep) } else { Ok(Frame::default()) }
}

/// Compares expected with the target.
///
/// # Errors
/// Where a column is missing or there are more rows than can be numbered.
pub fn reconcile(
    bound: &BoundReconcile,
    expected: &Expected,
    working: &Working,
    target: &Frame,
    means: &Means<'_>,
) -> Result<Reconciled, RuleError> {
    let quarantined = rows_in(working, |state| state == RowState::Quarantined)?;
    let merged = rows_in(working, |state| matches!(state, RowState::Merged(_)))?;
    let former = working.former.clone().unwrap_or_default();
    let (quarantined, merged) = (bound.prepare_held_back(quarantined)?, bound.prepare_held_back(merged)?);
    let former = bound.prepare_held_back(former)?;
    let prepared = bound.prepare(&expected.frame, target)?;
    let input = Input {
        expected: &prepared.expected,
        target: &prepared.target,
        quarantined: &quarantined,
        merged: &merged,
        former: &former,
    };
    let mut found = Found::new(&input, bound, means)?;
    found.outcome.notes.extend(prepared.notes());
    let origin = found.outcome.evidence.expected_at.iter();
    let origin: Vec<usize> = origin.filter_map(|at| expected.origin.get(*at as usize).copied()).collect();
    let unknown = Unknown::find(bound, working, &origin, &found.outcome.evidence.target)?;
    let held_back = [quarantined.height() > 0, merged.height() + former.height() > 0];
    Ok(Reconciled { held_back, unknown, ..found.with(bound, prepared, origin) })
}

/// Compares sides whose rows rest: the source is what is expected.
///
/// # Errors
/// Where a column is missing, rows cannot be read or there are more than can be numbered.
pub fn reconcile_resting(
    bound: &BoundReconcile,
    (expected, target): (&dyn Rows, &dyn Rows),
    means: &Means<'_>,
) -> Result<Reconciled, RuleError> {
    let nothing = Frame::default();
    let input = Input { expected, target, quarantined: &nothing, merged: &nothing, former: &nothing };
    let found = Found::new(&input, bound, means)?;
    let origin = (0..found.outcome.evidence.expected.height()).collect();
    let prepared = bound.prepare(&expected.fetch(&[])?, &target.fetch(&[])?)?;
    Ok(found.with(bound, prepared, origin))
}

/// What the comparison of two sides found.
struct Found {
    outcome: reconcile::Reconciliation,
    explained: cause::Explained,
    moved: Moved,
    not_explained: Option<String>,
    keys: RowKeys,
}

impl Found {
    /// Compares two sides, finds out why they differ, and makes the keys of the rows of the evidence.
    fn new(input: &Input<'_>, bound: &BoundReconcile, means: &Means<'_>) -> Result<Found, RuleError> {
        let outcome = reconcile::reconcile(input, bound, means)?;
        let moved = bound.moved(&outcome)?;
        // What differs is told in any case, even where it cannot be said why.
        let (explained, not_explained) = match guarded(|| cause::explain(input, bound, &outcome, &moved)) {
            Ok(explained) => (explained, None),
            Err(message) => (cause::Explained::default(), Some(message)),
        };
        let key: Vec<String> = bound.key.iter().map(|part| part.name.clone()).collect();
        let evidence = &outcome.evidence;
        let keys = RowKeys::new(&key, Some(bound), None, Some(&evidence.expected), Some(&evidence.target));
        Ok(Found { outcome, explained, moved, not_explained, keys })
    }

    fn with(self, bound: &BoundReconcile, prepared: Prepared, origin: Vec<usize>) -> Reconciled {
        let Found { outcome, explained, moved, not_explained, keys } = self;
        let (held_back, unknown) = ([false; 2], Unknown::default());
        let bound = bound.clone();
        Reconciled {
            bound,
            outcome,
            explained,
            moved,
            not_explained,
            prepared,
            keys,
            origin,
            held_back,
            unknown,
        }
    }
}

/// Where every row of the source and of the target went, of the sides that there are.
pub type Tallies = (Option<Tally<SourceDisposition>>, Option<Tally<TargetDisposition>>);

/// Enters every row of a dataset, from the sides it has.
pub fn tallies(
    source: Option<&LoadedSide>,
    working: Option<&Working>,
    target: Option<&LoadedSide>,
    reconciled: Option<&Reconciled>,
) -> Tallies {
    let rows = |side: &LoadedSide| usize::try_from(side.snapshot.manifest.rows).unwrap_or(usize::MAX);
    let mut of_source = source.map(|side| Tally::<SourceDisposition>::new(rows(side)));
    let mut of_target = target.map(|side| Tally::<TargetDisposition>::new(rows(side)));
    if let (Some(tally), Some(side), Some(working)) = (&mut of_source, source, working) {
        for (state, row) in working.states.iter().zip(working.all.rows.iter()) {
            match state {
                RowState::Kept => {}
                RowState::Merged(_) => tally.enter(*row, SourceDisposition::Merged),
                RowState::Quarantined => tally.enter(*row, SourceDisposition::Quarantined),
            }
        }
        let in_scope: HashSet<u64> =
            if side.out_of_scope > 0 { side.frame.rows.iter().copied().collect() } else { HashSet::new() };
        if side.out_of_scope > 0 {
            for row in (1..=tally.rows()).filter(|row| !in_scope.contains(row)) {
                tally.enter(row, SourceDisposition::OutOfScope);
            }
        }
        if target.is_none() {
            working
                .states
                .iter()
                .zip(working.all.rows.iter())
                .for_each(|(_, row)| tally.enter(*row, SourceDisposition::Kept));
        }
    }
    if let (Some(tally), Some(side)) = (&mut of_target, target) {
        if side.out_of_scope > 0 {
            let in_scope: HashSet<u64> = side.frame.rows.iter().copied().collect();
            for row in (1..=tally.rows()).filter(|row| !in_scope.contains(row)) {
                tally.enter(row, TargetDisposition::OutOfScope);
            }
        }
        if source.is_none() {
            side.frame.rows.iter().for_each(|row| tally.enter(*row, TargetDisposition::Kept));
        }
    }
    if let (Some(done), Some(working), Some(of_source), Some(of_target)) =
        (reconciled, working, &mut of_source, &mut of_target)
    {
        let changed: HashSet<u64> = working.corrections.iter().map(|c| c.row).collect();
        done.enter(|row| changed.contains(&row), of_source, of_target);
    }
    (of_source, of_target)
}

/// Makes the result of a reconciliation that could not be run.
pub fn broken(message: &str) -> RuleResult {
    RuleResult {
        id: "reconcile".to_owned(),
        kind: "reconcile".to_owned(),
        says: "Expected and target hold the same records.".to_owned(),
        columns: Vec::new(),
        dimension: Dimension::Consistency,
        severity: Severity::Error,
        status: Status::Broken,
        reason: Some(message.to_owned()),
        max_failures: None,
        sides: vec![broken_figure(Side::Target, true, message)],
    }
}

impl Reconciled {
    /// Returns the longest text of each text column that was looked at, in characters.
    pub fn longest(&self) -> &BTreeMap<String, u64> {
        &self.outcome.longest
    }

    /// Notes how long the longest text of a column is that something else than the comparison looked at.
    pub fn saw(&mut self, column: String, length: u64) {
        let longest = self.outcome.longest.entry(column).or_insert(0);
        *longest = length.max(*longest);
    }

    /// Enters every row that was reconciled into the tallies of both sides ([`reconcile::Reconciliation::enter`]).
    pub fn enter(
        &self,
        cleansed: impl Fn(u64) -> bool,
        source: &mut Tally<SourceDisposition>,
        target: &mut Tally<TargetDisposition>,
    ) {
        self.outcome.enter(cleansed, source, target);
    }

    /// Returns the results and findings of the reconciliation's rules. `all` reads the texts of the sides as they were
    /// compared; `raw` are all rows of the source in scope, none where they rest; `height` is the number of rows of either
    /// side; `may_be_empty` is true where a side has no rows and may have none. `group_id` makes the id of a rule's group
    /// from a text.
    pub fn rules(
        &self,
        dataset: &Dataset,
        all: &Cells<'_>,
        raw: Option<&Frame>,
        height: (u64, u64),
        may_be_empty: bool,
        group_id: &dyn Fn(&str, &str) -> String,
    ) -> Vec<Judged> {
        let rows = &self.outcome.rows;
        let evidence = &self.outcome.evidence;
        let (expected, target) = (Some(&evidence.expected), Some(&evidence.target));
        let cells = Cells::new(&self.keys, raw.or(expected), expected, target, &self.origin);
        let columns = match self.bound.has_key() {
            true => dataset.key.iter().map(|name| name.value.clone()).collect(),
            false => self.bound.columns.iter().map(|column| column.name.clone()).collect(),
        };
        let held_back = self.held_back;
        let of_rows = RowRules { columns, cells: &cells, rows: height, held_back, may_be_empty, group_id };
        let mut judged = self.row_rules(&of_rows);
        for (index, (column, outcome)) in self.bound.columns.iter().zip(&self.outcome.columns).enumerate() {
            let causes = self.explained.columns.get(index).map(|explained| explained.cells.as_slice());
            let made = [&self.bound.preparations.0, &self.bound.preparations.1];
            let fields = [&evidence.expected, &evidence.target].map(|frame| frame.schema.get(&column.name));
            let texts = cells
                .column(&column.name)
                .with_calculated(made.map(|preparation| preparation.makes(&column.name)), fields);
            let found = outcome.mismatched.iter().enumerate().filter_map(|(cell, index)| {
                let pair = rows.pairs.get(*index as usize)?;
                let (expected, target) = (pair.expected as usize, pair.target as usize);
                let mut finding = cells.row(Side::Target, target, None);
                texts.fill_pair(&mut finding, expected, target);
                finding.cause = causes.and_then(|causes| causes.get(cell)).map(|causes| causes.text());
                Some(finding)
            });
            let id = column.rule();
            let rule = self.bound.has_key().then(|| {
                Draft {
                    says: format!("`{}` is the same on both sides.", column.name),
                    columns: vec![column.name.clone()],
                    dimension: Dimension::Consistency,
                    sides: vec![(Side::Target, outcome.compared, found.collect())],
                    fields: self.bound.rules.get(&id),
                    may_be_empty,
                    kind: "reconcile",
                    severity: Severity::Error,
                    id,
                }
                .finish()
            });
            judged.extend(rule);
            judged.extend(self.unmapped(column, all, may_be_empty));
        }
        for (total, outcome) in self.bound.totals.iter().zip(&self.outcome.totals) {
            judged.push(self.total(total, outcome, may_be_empty));
        }
        judged
    }

    /// Returns the rule that counts codes which are not listed, where a column's codes are replaced.
    fn unmapped(
        &self,
        column: &ComparedColumn,
        cells: &Cells<'_>,
        may_be_empty: bool,
    ) -> Option<(RuleResult, Vec<Finding>)> {
        let id = column.unmapped_rule()?;
        let is_of = |applied: &&reconcile::Applied| {
            applied.column == column.name && applied.word != "source_expression"
        };
        let applied = self.prepared.applied.iter().find(is_of)?;
        let texts = cells.column(&column.name);
        let finding = |row: &u32| {
            let mut finding = cells.row(Side::Expected, *row as usize, None);
            texts.fill(&mut finding, *row as usize);
            finding
        };
        let draft = Draft {
            says: format!("Every code of `{}` is in its `{}`.", column.name, applied.word),
            columns: vec![column.name.clone()],
            dimension: Dimension::Validity,
            sides: vec![(Side::Expected, applied.values, applied.unmapped.iter().map(finding).collect())],
            fields: self.bound.rules.get(&id),
            may_be_empty: may_be_empty || applied.values == 0,
            kind: "unmapped",
            severity: Severity::Warning,
            id,
        };
        Some(draft.finish())
    }

    fn total(
        &self,
        total: &BoundTotal,
        outcome: &TotalOutcome,
        may_be_empty: bool,
    ) -> (RuleResult, Vec<Finding>) {
        let found: Vec<Finding> = outcome
            .figures
            .iter()
            .filter(|figure| !figure.equal)
            .map(|figure| Finding {
                side: Side::Target,
                key: Some(figure.group.clone()),
                row: None,
                column: Some(figure.agg.word().to_owned()),
                source: None,
                target: figure.target.clone(),
                expected: figure.expected.clone(),
                cause: None,
                group: figure.small.then(|| SMALL_GROUP.to_owned()),
            })
            .collect();
        let by: Vec<&str> = total.by.iter().map(|column| column.name.as_str()).collect();
        let says = if by.is_empty() {
            format!("The totals of `{}` agree.", total.column)
        } else {
            format!("The totals of `{}` agree for each {}.", total.column, by.join(", "))
        };
        let groups = outcome.groups * total.agg.len() as u64;
        Draft {
            says,
            columns: std::iter::once(total.column.clone())
                .chain(by.iter().map(|b| (*b).to_owned()))
                .collect(),
            dimension: Dimension::Consistency,
            sides: vec![(Side::Target, groups, found)],
            fields: self.bound.rules.get(&total.id),
            may_be_empty,
            kind: "total",
            severity: Severity::Error,
            id: total.id.clone(),
        }
        .finish()
    }

    /// Returns true where both sides have columns beside the key, and none of them is compared for want of a name
    /// that both have. What the user excluded is not missed.
    pub fn compares_nothing(&self) -> bool {
        let only = |reason: &str| self.bound.not_compared.iter().any(|column| column.reason == reason);
        self.bound.columns.is_empty() && only("only in the source") && only("only in the target")
    }

    /// Adds to a dataset's result what the reconciliation says: buckets, columns, totals, notes.
    pub fn describe(&self, result: &mut DatasetResult) {
        let rows = &self.outcome.rows;
        let count = |list: &[u32]| list.len() as u64;
        result.buckets = Some(Buckets {
            matched: self.outcome.matched_pairs(),
            mismatched: self.outcome.mismatched_pairs(),
            mismatched_cells: self.outcome.mismatched_cells(),
            missing: count(&rows.missing),
            unexpected: count(&rows.unexpected),
            duplicate_key_expected: count(&rows.duplicate_expected),
            duplicate_key_target: count(&rows.duplicate_target),
            no_key_expected: count(&rows.no_key_expected),
            no_key_target: count(&rows.no_key_target),
            from_quarantined: count(&rows.from_quarantined),
            from_merged: count(&rows.from_merged),
        });
        result.moved = self.movement();
        result.notes.extend(self.moved_note());
        for bound in &self.bound.columns {
            if !result.columns.iter().any(|column| column.name == bound.name) {
                result.columns.push(ColumnResult { name: bound.name.clone(), ..ColumnResult::default() });
            }
        }
        for column in &mut result.columns {
            if let Some((index, (bound, outcome))) = self
                .bound
                .columns
                .iter()
                .zip(&self.outcome.columns)
                .enumerate()
                .find(|(_, (bound, _))| bound.name == column.name)
            {
                column.compared_as = Some(bound.note.clone());
                column.compared = outcome.compared;
                column.mismatched = outcome.mismatched.len() as u64;
                let result = |outcome: &cause::CauseOutcome| CauseResult {
                    cause: outcome.causes.text(),
                    cells: outcome.cells,
                    says: outcome.says.clone(),
                    no_line: outcome.no_line.clone(),
                };
                let explained = self.explained.columns.get(index);
                column.causes = explained.iter().flat_map(|of| &of.outcomes).map(result).collect();
            }
            // The columns of the key are compared too: it is by them that records meet.
            if let Some(part) = self.bound.key.iter().find(|part| part.name == column.name) {
                column.compared_as = Some(part.note.clone());
                continue;
            }
            column.not_compared =
                self.bound.not_compared.iter().find(|n| n.name == column.name).map(|n| n.reason.to_owned());
        }
        result.totals = self
            .bound
            .totals
            .iter()
            .zip(&self.outcome.totals)
            .map(|(total, outcome)| TotalResult {
                rule: total.id.clone(),
                column: total.column.clone(),
                by: total.by.iter().map(|column| column.name.clone()).collect(),
                groups: outcome.groups,
                differing: outcome.differing,
            })
            .collect();
        let not_explained =
            |message: &String| format!("Why values differ could not be found out: {message}.");
        result.notes.extend(self.not_explained.iter().map(not_explained));
        result.notes.extend(self.outcome.notes.iter().map(|note| format!("{note}.")));
    }
}
