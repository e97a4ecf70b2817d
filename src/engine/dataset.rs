//! Judges one dataset: checks on every side, duplicates, reconciliation, ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use polars::prelude::PolarsError;

use crate::config::{Dataset, Plan};
use crate::correct::MissingParent;
use crate::findings::{ColumnResult, DatasetResult, Masking, RuleResult, SideResult};
use crate::frame::{Frame, Texts};
use crate::gate::worst;
use crate::ledger::Ledger;
use crate::model::{Finding, Schema, Side, Status, key_text};
use crate::reconcile::Means;
use crate::snapshot::Manifest;
use crate::source::Cancel;

use super::bound::BoundDataset;
use super::built::Built;
use super::checks::Orphans;
use super::crosswalk;
use super::expected::{Expected, RowState, Working};
use super::findings::{Cells, fill_joined};
use super::judge::{self, Figures};
use super::masking::{Looked, hide_exchanged, maskings};
use super::moments;
use super::prepare::{Loaded, LoadedSide};
use super::project_key::ProjectKey;
use super::reconciled::{self, Reconciled};
use super::resting;
use super::row_keys::RowKeys;
use super::tranches;
use super::{Event, Observer, RunOptions, Stage};

/// Everything that the judging of a dataset may look at: all datasets, in every state.
pub struct World<'a> {
    pub(super) plan: &'a Plan,
    loaded: &'a BTreeMap<String, Loaded>,
    working: &'a BTreeMap<String, Result<Working, String>>,
    expected: BTreeMap<String, Expected>,
    group_key: [u8; 32],
    pub(super) as_of: DateTime<Utc>,
    stage: Stage,
    memory: Option<u64>,
    scratch: PathBuf,
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
    /// True where the rows rest.
    pub rests: bool,
    /// The rows whose parent is not there, by foreign key and side.
    pub orphans: Orphans,
    /// The records that others refer to and that are not there, by side, those that most rows miss first.
    pub parents: Vec<MissingParent>,
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
        Ok(World {
            plan,
            loaded,
            working,
            expected,
            group_key: key.derive("groups"),
            as_of,
            stage,
            memory: options.memory,
            scratch: options.out.clone(),
            cancel,
        })
    }

    /// Decides what views must not show of each dataset that was judged.
    pub fn mask(&self, judged: &mut [Judgement]) {
        let maskings = maskings(self.plan, |name| {
            let frame = |side: Side| self.side(name, side).map(|side| &side.frame);
            let resting = judged.iter().find(|judgement| judgement.rests && judgement.result.name == name);
            Looked {
                sides: [frame(Side::Source), frame(Side::Target)],
                longest: resting.and_then(|judgement| Some(judgement.reconciled.as_ref()?.longest())),
                made: [Side::Source, Side::Target]
                    .map(|side| self.side(name, side)?.snapshot.manifest.made.as_ref()),
            }
        });
        for judgement in judged {
            let mut masking = maskings.get(&judgement.result.name).cloned().unwrap_or_default();
            let dataset = self.plan.datasets.iter().find(|d| d.name.value == judgement.result.name);
            hide_exchanged(&mut masking, &judgement.result, dataset.map_or(&[], |dataset| &dataset.show));
            judgement.result.masking = masking;
        }
    }

    /// Returns how far the run goes.
    pub fn stage(&self) -> Stage {
        self.stage
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
    pub(super) fn group_id(&self, dataset: &str, rule: &str, text: &str) -> String {
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
            return Judgement {
                result,
                findings: Vec::new(),
                reconciled: None,
                keys: RowKeys::default(),
                rests: false,
                orphans: Orphans::new(),
                parents: Vec::new(),
            };
        };
        let key: Vec<String> = dataset.key.iter().map(|k| k.value.clone()).collect();
        let expected = self.expected(name);
        let origin: &[usize] = expected.map_or(&[], |e| &e.origin);
        let (cleansed, target) = (self.working(name).map(|w| &w.all), self.frame(name, Side::Target));
        let keys = RowKeys::new(&key, bound.reconcile(), cleansed, expected.map(|e| &e.frame), target);
        let cells =
            Cells::new(&keys, self.frame(name, Side::Source), expected.map(|e| &e.frame), target, origin);
        let empty = self.empty_sides(dataset);
        let may_be_empty = if dataset.allow_empty { empty.clone() } else { Vec::new() };
        let figures = Figures { cells: &cells, may_be_empty };
        let may_be_empty = !figures.may_be_empty.is_empty();
        let mut judged = crosswalk::rules(dataset, self.working(name), expected, &cells, may_be_empty);
        let mut orphans = Orphans::new();
        if self.stage == Stage::Everything {
            log.event(&Event::Stage { dataset: name.to_owned(), stage: "check".to_owned() });
            let checked = self.checks(dataset, bound, &figures, origin);
            judged.extend(checked.judged);
            (result.references, orphans) = (checked.references, checked.orphans);
            if !self.cancel.is_cancelled() {
                judged.extend(self.matches(dataset, bound, &figures));
            }
        }
        let mut reconciled = None;
        let (source_side, target_side) = (self.side(name, Side::Source), self.side(name, Side::Target));
        let resting = resting::rows_of(source_side, target_side);
        let rests = resting.is_some();
        if let (Some(expected), Some(side), Some(working), Some(plan)) =
            (expected, self.side(name, Side::Target), self.working(name), bound.reconcile())
            && !self.cancel.is_cancelled()
        {
            log.event(&Event::Stage { dataset: name.to_owned(), stage: "reconcile".to_owned() });
            let stop = || self.cancel.is_cancelled();
            let means = Means {
                memory: self.memory,
                folder: self.scratch.clone(),
                partners: self.stage == Stage::Everything && Reconciled::needs_partners(plan),
                stop: &stop,
            };
            let done = judge::guarded(|| match resting {
                Some(sides) => reconciled::reconcile_resting(plan, sides, &means),
                None => reconciled::reconcile(plan, expected, working, &side.frame, &means),
            });
            match done {
                Ok(done) => {
                    let rows = resting.map_or(expected.frame.height() as u64, |(rows, _)| rows.height());
                    let (expected, target) = (&done.prepared.expected, &done.prepared.target);
                    let raw = self.frame(name, Side::Source).filter(|_| !rests);
                    let cells = Cells::new(&keys, raw, Some(expected), Some(target), origin);
                    let group_id = |rule: &str, text: &str| self.group_id(name, rule, text);
                    let height = (rows, side.height());
                    judged.extend(done.rules(dataset, &cells, raw, height, may_be_empty, &group_id));
                    if let Some(source) = source_side {
                        let built = Built {
                            dataset,
                            source,
                            working,
                            target: side,
                            done: &done,
                            cells: &cells,
                            may_be_empty,
                        };
                        match judge::guarded(|| built.rules(self.stage)) {
                            Ok((rules, notes)) => {
                                judged.extend(rules);
                                result.notes.extend(notes);
                            }
                            Err(message) => judged.push((reconciled::broken(&message), Vec::new())),
                        }
                    }
                    reconciled = Some(done);
                }
                Err(message) => judged.push((reconciled::broken(&message), Vec::new())),
            }
        }
        if let Some(done) = &reconciled {
            done.describe(&mut result);
        }
        let (of_source, of_target) = match (source_side, target_side) {
            (Some(source), Some(target)) if rests => resting::tallies(source, target, reconciled.as_ref()),
            _ => reconciled::tallies(source_side, self.working(name), target_side, reconciled.as_ref()),
        };
        let mut ledger = Ledger::new(of_source.as_ref(), of_target.as_ref());
        if let (Some(done), Some(working), Some(source), Some(target)) =
            (&mut reconciled, self.working(name), &of_source, &of_target)
        {
            match judge::guarded(|| tranches::tranches(done, working, resting, (source, target))) {
                Ok(Some((tranches, notes))) => {
                    ledger.balanced &= tranches.balanced;
                    result.tranches = Some(tranches);
                    result.notes.extend(notes);
                }
                Ok(None) => {}
                Err(message) => {
                    let message = format!("the ledger by tranche could not be made: {message}");
                    judged.push((reconciled::broken(&message), Vec::new()));
                }
            }
        }
        result.ledger = Some(ledger);
        let (rules, findings): (Vec<RuleResult>, Vec<Vec<Finding>>) = judged.into_iter().unzip();
        result.inconclusive = if dataset.allow_empty { None } else { nothing_in(&empty) };
        if reconciled.as_ref().is_some_and(Reconciled::compares_nothing) {
            result.inconclusive.get_or_insert_with(|| NOTHING_COMPARED.to_owned());
        }
        let whole = result.inconclusive.iter().map(|_| Status::Inconclusive);
        result.status = worst(rules.iter().map(|r| r.status).chain(whole));
        if rules.is_empty() && result.inconclusive.is_none() {
            // Nothing was asked of it: that is no pass.
            result.status = Status::Skipped;
        }
        if result.ledger.as_ref().is_some_and(|ledger| !ledger.balanced) {
            result.status = Status::Broken;
            result.notes.push(
                "The ledger does not balance: a row is unaccounted for. Please report this.".to_owned(),
            );
        }
        result.rules = rules;
        let findings = findings.into_iter().enumerate().collect();
        Judgement { result, findings, reconciled, keys, rests, orphans, parents: Vec::new() }
    }

    /// Returns the sides in which no row is to be judged: the snapshot has none, or the filter leaves none.
    ///
    /// Expected is as empty as the source is: where every row is held back, there was something to judge.
    fn empty_sides(&self, dataset: &Dataset) -> Vec<Side> {
        let is_empty =
            |side: &Side| self.side(&dataset.name.value, *side).is_some_and(|loaded| loaded.height() == 0);
        Side::ALL.iter().copied().filter(is_empty).collect()
    }

    /// Returns what is known of a dataset before it is judged.
    fn facts(&self, dataset: &Dataset) -> DatasetResult {
        let name = dataset.name.value.as_str();
        let working = self.working(name);
        let source = self.side(name, Side::Source);
        let target = self.side(name, Side::Target);
        let scattered = moments::scattered(self.plan, self.loaded);
        let of = |side: Option<&LoadedSide>| {
            side.map(|side| SideResult {
                snapshot: side.snapshot.id.clone(),
                origin: origin(&side.snapshot.manifest),
                read: moments::how_read(&side.snapshot.manifest, &scattered),
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
        let mut notes = working.map(|w| w.notes.clone()).unwrap_or_default();
        for (side, loaded, plan) in [("source", source, &dataset.source), ("target", target, &dataset.target)]
        {
            notes.extend(moments::notes(side, loaded, plan.as_ref(), &scattered));
            let of_side = loaded.iter().flat_map(|l| l.snapshot.notes());
            notes.extend(of_side.map(|note| format!("In the {side}, `{}`: {}.", note.column, note.text)));
        }
        DatasetResult {
            name: name.to_owned(),
            owner: dataset.owner.clone(),
            key: dataset.key.iter().map(|k| k.value.clone()).collect(),
            status: Status::Pass,
            error: self.loaded.get(name).and_then(|l| l.error.clone()),
            inconclusive: None,
            source: of(source),
            expected_rows: self.expected(name).map(|expected| match source.filter(|s| s.resting.is_some()) {
                Some(source) => source.height(),
                None => expected.frame.height() as u64,
            }),
            target: of(target),
            columns: columns(
                source.map(|s| &s.frame.schema),
                working.map(|w| &w.all.schema),
                target.map(|s| &s.frame.schema),
            ),
            rules: Vec::new(),
            steps: working.map(|w| w.steps.clone()).unwrap_or_default(),
            buckets: None,
            moved: None,
            totals: Vec::new(),
            references: Vec::new(),
            ledger: None,
            tranches: None,
            corrections: working.map_or(0, |w| w.corrections.len() as u64),
            quarantined: working
                .map_or(0, |w| w.states.iter().filter(|s| **s == RowState::Quarantined).count() as u64),
            repairs: BTreeMap::new(),
            masking: Masking::default(),
            notes,
        }
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
            judged.push(figures.matched(rule, &sides, &group_id, &place));
        }
        judged
    }
}

/// What is said where every column beside the key is on one side only: most likely the names were not mapped.
const NOTHING_COMPARED: &str = "no column is compared: beside the key the two sides have none of the same name; map their names with `columns`";

/// Says that sides have no rows.
fn nothing_in(empty: &[Side]) -> Option<String> {
    let what = match (empty.contains(&Side::Source), empty.contains(&Side::Target)) {
        (false, false) => return None,
        (true, false) => "the source has no rows",
        (false, true) => "the target has no rows",
        (true, true) => "neither the source nor the target has rows",
    };
    Some(format!("{what}; where that is right, write `allow_empty: true` in the dataset"))
}

/// Returns where a snapshot came from: the connection and what was asked of it.
fn origin(manifest: &Manifest) -> String {
    match (&manifest.connection, &manifest.made) {
        (Some(connection), _) => format!("{connection}: {}", manifest.query),
        (None, Some(_)) => format!("sql: {}", manifest.query),
        (None, None) => manifest.query.clone(),
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
            causes: Vec::new(),
        })
        .collect()
}
