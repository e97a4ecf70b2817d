//! Judges one dataset: checks on every side, duplicates, reconciliation, ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use polars::prelude::PolarsError;

use crate::check::Check;
use crate::config::{Dataset, Plan, Rule};
use crate::findings::{ColumnResult, DatasetResult, RuleResult, SideResult};
use crate::frame::{Frame, Keys, Texts};
use crate::gate::worst;
use crate::model::{Finding, Schema, Side, Status, key_text};
use crate::snapshot::Manifest;
use crate::source::Cancel;

use super::bound::BoundDataset;
use super::expected::{Expected, RowState, Working, quarantined_keys};
use super::findings::{Cells, fill_joined};
use super::judge::{self, Figures, Outcome, SideOutcomes};
use super::masking::masking;
use super::prepare::{Loaded, LoadedSide};
use super::project_key::ProjectKey;
use super::reconciled::{self, Reconciled};
use super::row_keys::RowKeys;
use super::{Event, Observer, RunOptions, Stage};

/// Everything that the judging of a dataset may look at: all datasets, in every state.
pub struct World<'a> {
    plan: &'a Plan,
    loaded: &'a BTreeMap<String, Loaded>,
    working: &'a BTreeMap<String, Result<Working, String>>,
    expected: BTreeMap<String, Expected>,
    group_key: [u8; 32],
    as_of: DateTime<Utc>,
    stage: Stage,
    cancel: Cancel,
}

/// One dataset, judged.
pub struct Judgement {
    /// The result, complete but for what is counted while the outputs are written.
    pub result: DatasetResult,
    /// The findings of each rule, by the rule's position in the result.
    pub findings: Vec<(usize, Vec<Finding>)>,
    /// The reconciliation, where there is one.
    pub reconciled: Option<Reconciled>,
    /// The keys by which the rows are known.
    pub keys: RowKeys,
}

impl<'a> World<'a> {
    /// Makes the world of a run, with expected of every dataset that has a source.
    ///
    /// # Errors
    /// Where polars cannot filter a frame.
    pub fn new(
        plan: &'a Plan,
        loaded: &'a BTreeMap<String, Loaded>,
        working: &'a BTreeMap<String, Result<Working, String>>,
        key: &ProjectKey,
        as_of: DateTime<Utc>,
        options: &RunOptions,
    ) -> Result<Self, PolarsError> {
        let mut expected = BTreeMap::new();
        for (name, working) in working {
            if let Ok(working) = working {
                expected.insert(name.clone(), working.expected()?);
            }
        }
        let (stage, cancel) = (options.stage, options.cancel.clone());
        Ok(World { plan, loaded, working, expected, group_key: key.derive("groups"), as_of, stage, cancel })
    }

    /// Returns a side as it was read.
    pub fn side(&self, dataset: &str, side: Side) -> Option<&'a LoadedSide> {
        let loaded = self.loaded.get(dataset)?;
        match side {
            Side::Target => loaded.target.as_ref(),
            Side::Source | Side::Expected => loaded.source.as_ref(),
        }
    }

    /// Returns a dataset's rows in a state.
    pub fn frame(&self, dataset: &str, side: Side) -> Option<&Frame> {
        match side {
            Side::Expected => self.expected.get(dataset).map(|e| &e.frame),
            side => self.side(dataset, side).map(|s| &s.frame),
        }
    }

    /// Returns the way of a dataset's source to expected.
    pub fn working(&self, dataset: &str) -> Option<&'a Working> {
        self.working.get(dataset)?.as_ref().ok()
    }

    /// Returns a dataset's expected rows with the way back to the source's.
    pub fn expected(&self, dataset: &str) -> Option<&Expected> {
        self.expected.get(dataset)
    }

    /// Makes the stable id of a group.
    fn group_id(&self, dataset: &str, rule: &str, text: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.group_key);
        for part in [dataset, rule, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Judges one dataset. Once the user has asked to stop, what is left is passed over: the run will not be written.
    pub fn judge(
        &self,
        dataset: &Dataset,
        bound: Option<&BoundDataset<'_>>,
        log: &dyn Observer,
    ) -> Judgement {
        let name = dataset.name.value.as_str();
        let mut result = self.facts(dataset);
        let broken = match (&result.error, self.working.get(name)) {
            (Some(error), _) | (None, Some(Err(error))) => Some(error.clone()),
            (None, _) => self.cancel.check().err().map(|error| error.to_string()),
        };
        let Some(bound) = bound.filter(|_| broken.is_none()) else {
            result.error = Some(broken.unwrap_or_else(|| "the dataset could not be prepared".to_owned()));
            result.status = Status::Broken;
            return Judgement { result, findings: Vec::new(), reconciled: None, keys: RowKeys::default() };
        };
        let key: Vec<String> = dataset.key.iter().map(|k| k.value.clone()).collect();
        let expected = self.expected(name);
        let origin: &[usize] = expected.map_or(&[], |e| &e.origin);
        let (cleansed, target) = (self.working(name).map(|w| &w.all), self.frame(name, Side::Target));
        let keys = RowKeys::new(&key, bound.reconcile(), cleansed, expected.map(|e| &e.frame), target);
        let cells =
            Cells::new(&keys, self.frame(name, Side::Source), expected.map(|e| &e.frame), target, origin);
        let figures = Figures { cells: &cells };
        let mut judged: Vec<(RuleResult, Vec<Finding>)> = Vec::new();
        if self.stage == Stage::Everything {
            log.event(&Event::Stage { dataset: name.to_owned(), stage: "check".to_owned() });
            judged.extend(self.checks(dataset, bound, &figures, origin));
            if !self.cancel.is_cancelled() {
                judged.extend(self.matches(dataset, bound, &figures));
            }
        }
        let mut reconciled = None;
        if let (Some(expected), Some(target), Some(working), Some(plan)) =
            (expected, self.side(name, Side::Target), self.working(name), bound.reconcile())
            && !self.cancel.is_cancelled()
        {
            log.event(&Event::Stage { dataset: name.to_owned(), stage: "reconcile".to_owned() });
            match judge::guarded(|| reconciled::reconcile(plan, expected, working, &target.frame)) {
                Ok(done) => {
                    let (rows, target_rows) = (expected.frame.height() as u64, target.frame.height() as u64);
                    judged.extend(done.rules(dataset, &cells, rows, target_rows));
                    reconciled = Some(done);
                }
                Err(message) => judged.push((reconciled::broken(&message), Vec::new())),
            }
        }
        if let Some(done) = &reconciled {
            done.describe(&mut result);
        }
        result.ledger = Some(reconciled::ledger(
            self.side(name, Side::Source),
            self.working(name),
            expected,
            self.side(name, Side::Target),
            reconciled.as_ref(),
        ));
        let (rules, findings): (Vec<RuleResult>, Vec<Vec<Finding>>) = judged.into_iter().unzip();
        result.status = worst(rules.iter().map(|r| r.status));
        if result.ledger.as_ref().is_some_and(|ledger| !ledger.balanced) {
            result.status = Status::Broken;
            result.notes.push(
                "The ledger does not balance: a row is unaccounted for. Please report this.".to_owned(),
            );
        }
        result.rules = rules;
        Judgement { result, findings: findings.into_iter().enumerate().collect(), reconciled, keys }
    }

    /// Returns what is known of a dataset before it is judged.
    fn facts(&self, dataset: &Dataset) -> DatasetResult {
        let name = dataset.name.value.as_str();
        let working = self.working(name);
        let source = self.side(name, Side::Source);
        let target = self.side(name, Side::Target);
        let sides = [source.map(|s| &s.frame), target.map(|s| &s.frame)];
        let of = |side: Option<&LoadedSide>| {
            side.map(|side| SideResult {
                snapshot: side.snapshot.id.clone(),
                origin: origin(&side.snapshot.manifest),
                rows: side.snapshot.manifest.rows,
                out_of_scope: side.out_of_scope,
                files: side
                    .snapshot
                    .manifest
                    .files
                    .iter()
                    .map(|f| (f.name.clone(), f.sha256.clone()))
                    .collect(),
            })
        };
        let mut notes = Vec::new();
        for (side, loaded) in [("source", source), ("target", target)] {
            let of_side = loaded.iter().flat_map(|l| l.snapshot.notes());
            notes.extend(of_side.map(|note| format!("In the {side}, `{}`: {}.", note.column, note.text)));
        }
        DatasetResult {
            name: name.to_owned(),
            owner: dataset.owner.clone(),
            key: dataset.key.iter().map(|k| k.value.clone()).collect(),
            status: Status::Pass,
            error: self.loaded.get(name).and_then(|l| l.error.clone()),
            source: of(source),
            expected_rows: self.expected(name).map(|e| e.frame.height() as u64),
            target: of(target),
            columns: columns(
                source.map(|s| &s.frame.schema),
                working.map(|w| &w.all.schema),
                target.map(|s| &s.frame.schema),
            ),
            rules: Vec::new(),
            steps: working.map(|w| w.steps.clone()).unwrap_or_default(),
            buckets: None,
            totals: Vec::new(),
            ledger: None,
            corrections: working.map_or(0, |w| w.corrections.len() as u64),
            quarantined: working
                .map_or(0, |w| w.states.iter().filter(|s| **s == RowState::Quarantined).count() as u64),
            repairs: BTreeMap::new(),
            masking: masking(dataset, &sides),
            notes,
        }
    }

    /// Runs the checks of a dataset on all its sides.
    fn checks(
        &self,
        dataset: &Dataset,
        bound: &BoundDataset<'_>,
        figures: &Figures<'_>,
        origin: &[usize],
    ) -> Vec<(RuleResult, Vec<Finding>)> {
        let name = dataset.name.value.as_str();
        let id_of = |position: usize, text: &str| self.group_id(name, &dataset.checks[position].id, text);
        let mut outcomes: BTreeMap<Side, SideOutcomes> = BTreeMap::new();
        for side in Side::ALL.iter().copied() {
            if let Some(frame) = self.frame(name, side) {
                let names = self.plan.datasets.iter().map(|d| d.name.value.as_str());
                let all = names.filter_map(|other| Some((other, self.frame(other, side)?))).collect();
                outcomes.insert(side, judge::run_side(bound.checks(), frame, side, &all, &id_of, self.as_of));
            }
        }
        let mut judged = Vec::new();
        for (position, rule) in dataset.checks.iter().enumerate() {
            if let Some(reason) = &rule.common.skip {
                let columns = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
                judged.push((Figures::skipped(rule, columns, &reason.value), Vec::new()));
                continue;
            }
            let gating = judge::gating_sides(dataset, rule.common.on.as_ref());
            let sides: Vec<(Side, bool, Result<Outcome, String>)> = Side::ALL
                .iter()
                .filter_map(|side| {
                    let outcome = outcomes.get(side)?.get(&position)?.clone();
                    let gates = gating.contains(side);
                    // A figure that does not gate and could not be had is no figure.
                    (gates || outcome.is_ok()).then_some((*side, gates, outcome))
                })
                .collect();
            let not_comparable =
                dataset.source.is_some() && !sides.iter().any(|(side, _, _)| *side == Side::Source);
            let classes = self.classes(rule, position, name, &outcomes, figures.cells, origin);
            judged.push(figures.check(rule, &sides, not_comparable, &classes));
        }
        judged
    }

    /// Returns how the findings of a foreign key are classed: by the raw source against the target, per child key.
    fn classes<'s>(
        &'s self,
        rule: &Rule<dyn Check>,
        position: usize,
        name: &'s str,
        outcomes: &BTreeMap<Side, SideOutcomes>,
        cells: &'s Cells<'_>,
        origin: &'s [usize],
    ) -> impl Fn(Side, usize) -> Option<String> + 's {
        let of = |side: Side| outcomes.get(&side).and_then(|o| o.get(&position));
        let key = |side: Side| move |index: usize| cells.key(side, index);
        let classed = rule.rule.reference().is_some();
        let (mut source, mut target, mut held) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        if let Some(reference) = rule.rule.reference() {
            // Where the raw source is not comparable, expected stands for it.
            source = match of(Side::Source) {
                Some(Ok(_)) => judge::failed_keys(of(Side::Source), &key(Side::Source)),
                _ => judge::failed_keys(of(Side::Expected), &key(Side::Expected)),
            };
            target = judge::failed_keys(of(Side::Target), &key(Side::Target));
            held = self.rows_with_held_parent(rule, reference, name).unwrap_or_default();
        }
        let two_sided = self.side(name, Side::Target).is_some();
        move |side, index| {
            if !classed {
                return None;
            }
            if side == Side::Expected && origin.get(index).is_some_and(|row| held.contains(row)) {
                return Some("parent quarantined".to_owned());
            }
            let key = cells.key(side, index)?;
            let class = match side {
                Side::Target if source.contains(&key) => "inherited",
                Side::Target => "introduced",
                Side::Source | Side::Expected if !two_sided || target.contains(&key) => "inherited",
                Side::Source | Side::Expected => "repaired",
            };
            Some(class.to_owned())
        }
    }

    /// Returns the rows of a dataset's source (indexes among those in scope) whose parent is held back.
    fn rows_with_held_parent(
        &self,
        rule: &Rule<dyn Check>,
        reference: &crate::rule::Reference,
        name: &str,
    ) -> Option<BTreeSet<usize>> {
        let parent = self.working(&reference.dataset.value)?;
        let columns: Vec<&str> = reference.columns.iter().map(|c| c.value.as_str()).collect();
        let gone = quarantined_keys(parent, &columns).ok()?;
        if gone.is_empty() {
            return None;
        }
        let child = self.working(name)?;
        let own: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
        let keys = Keys::new(&child.all, &own).ok()?;
        Some(
            (0..keys.len())
                .filter(|i| keys.text(*i).is_some_and(|key| gone.contains(key.as_ref())))
                .collect(),
        )
    }

    /// Puts together the results of a dataset's matches: expected's, found before merging, and the target's.
    fn matches(
        &self,
        dataset: &Dataset,
        bound: &BoundDataset<'_>,
        figures: &Figures<'_>,
    ) -> Vec<(RuleResult, Vec<Finding>)> {
        let name = dataset.name.value.as_str();
        let mut judged = Vec::new();
        for (position, rule) in dataset.duplicates.iter().enumerate() {
            if let Some(reason) = &rule.common.skip {
                let columns = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
                judged.push((Figures::skipped(rule, columns, &reason.value), Vec::new()));
                continue;
            }
            let gating = judge::gating_sides(dataset, rule.common.on.as_ref());
            let mut sides = Vec::new();
            for side in gating {
                let outcome = match side {
                    Side::Expected => {
                        self.working(name).and_then(|w| w.matches.get(&position)).map(|o| Ok(o.clone()))
                    }
                    Side::Source | Side::Target => {
                        self.frame(name, side).map(|frame| bound.run_match(position, side, frame))
                    }
                };
                sides.extend(outcome.map(|outcome| (side, outcome)));
            }
            let group_id = |text: &str| self.group_id(name, &rule.id, text);
            // Expected's groups were found among all rows of the source, before merging: their cells are those of `all`.
            let columns: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
            let together = figures.cells.columns(&columns);
            let cleansed: Vec<Option<Texts>> =
                columns.iter().map(|column| self.working(name)?.all.texts(column)).collect();
            let place = |side: Side, row: usize| {
                let looked_at = if side == Side::Expected { Side::Source } else { side };
                let mut finding = figures.cells.row(looked_at, row, None);
                fill_joined(&together, &mut finding, row);
                if side == Side::Expected {
                    finding.side = side;
                    let parts: Vec<Option<String>> =
                        cleansed.iter().map(|texts| texts.as_ref()?.owned(row)).collect();
                    finding.expected = Some(key_text(parts.iter().map(Option::as_deref)));
                }
                finding
            };
            judged.push(Figures::matched(rule, &sides, &group_id, &place));
        }
        judged
    }
}

/// Returns where a snapshot came from: the connection and what was asked of it.
fn origin(manifest: &Manifest) -> String {
    match &manifest.connection {
        Some(connection) => format!("{connection}: {}", manifest.query),
        None => manifest.query.clone(),
    }
}

/// Lists every column: those of the source in its order, then those only the target has.
fn columns(source: Option<&Schema>, cleansed: Option<&Schema>, target: Option<&Schema>) -> Vec<ColumnResult> {
    let mut names: Vec<&str> = Vec::new();
    for schema in [source, target].into_iter().flatten() {
        for name in schema.names() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let type_in =
        |schema: Option<&Schema>, name: &str| schema.and_then(|s| s.get(name)).map(|f| f.logical.to_string());
    names
        .into_iter()
        .map(|name| ColumnResult {
            name: name.to_owned(),
            source_name: source.and_then(|s| s.get(name)).map(|f| f.source_name.clone()),
            source_type: type_in(source, name),
            expected_type: type_in(cleansed, name),
            target_type: type_in(target, name),
            compared_as: None,
            not_compared: None,
            compared: 0,
            mismatched: 0,
        })
        .collect()
}
