//! The beginning of a run: snapshots taken or opened, read, filtered; every rule bound to the real columns.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::config::{Dataset, Plan, SidePlan};
use crate::diagnostic::Diagnostics;
use crate::frame::{Frame, Rows};
use crate::model::{Schema, Side};
use crate::snapshot::{Progress, Snapshot, SnapshotError, SnapshotRows, Store, TakeOptions, take};
use crate::source::{Cancel, Connector, ReadRequest, Relation, Selection, SourceError};

use super::made::{Known, Maker};
use super::waiting::each;
use super::{Event, Observer};

/// One side of a dataset, read.
#[derive(Debug)]
pub struct LoadedSide {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The rows in scope, under our names; none where they rest.
    pub frame: Frame,
    /// Rows left out by the filter.
    pub out_of_scope: u64,
    /// The rows, where they stay in the snapshot.
    pub resting: Option<SnapshotRows>,
}

impl LoadedSide {
    /// Reads a snapshot, or opens its rows where they rest.
    pub(super) fn load(
        snapshot: Snapshot,
        rests: bool,
        keep: Option<PathBuf>,
    ) -> Result<LoadedSide, SnapshotError> {
        if !rests {
            let frame = snapshot.read()?;
            return Ok(LoadedSide { snapshot, frame, out_of_scope: 0, resting: None });
        }
        let rows = snapshot.rows(keep)?;
        let frame = rows.fetch(&[]).map_err(|error| SnapshotError::Read {
            path: snapshot.path.clone(),
            problem: error.to_string(),
        })?;
        Ok(LoadedSide { snapshot, frame, out_of_scope: 0, resting: Some(rows) })
    }

    /// Returns the number of rows in scope.
    pub fn height(&self) -> u64 {
        self.resting.as_ref().map_or(self.frame.height() as u64, Rows::height)
    }
}

/// The sides of a dataset as far as they could be read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The old system's side.
    pub source: Option<LoadedSide>,
    /// The new system's side.
    pub target: Option<LoadedSide>,
    /// Why a side is not there though the plan has it.
    pub error: Option<String>,
    /// What the user wrote of a side that does not fit its columns.
    pub mistakes: Diagnostics,
}

impl Loaded {
    /// Returns the columns of a side, as far as it was read.
    pub fn schema(&self, side: Side) -> Option<&Schema> {
        let side = if side == Side::Target { &self.target } else { &self.source };
        side.as_ref().map(|side| &side.frame.schema)
    }
}

/// The snapshots that could be taken, and what went wrong with the others.
#[derive(Debug, Default)]
pub struct Taken {
    /// The snapshots, in the order of the plan.
    pub snapshots: Vec<Snapshot>,
    /// The place (`dataset source`) and the error of each that could not be taken.
    pub failed: Vec<(String, SnapshotError)>,
}

/// A side of the plan with its names.
pub struct Wanted<'p> {
    /// The dataset.
    pub dataset: &'p Dataset,
    /// `source` or `target`.
    pub side: &'static str,
    /// The side.
    pub plan: &'p SidePlan,
}

/// Returns every side that can be read.
pub fn wanted(plan: &Plan) -> Vec<Wanted<'_>> {
    plan.datasets
        .iter()
        .filter(|dataset| dataset.unfit.is_none())
        .flat_map(|dataset| {
            let source = dataset.source.as_ref().map(|plan| Wanted { dataset, side: "source", plan });
            let target = dataset.target.as_ref().map(|plan| Wanted { dataset, side: "target", plan });
            [source, target].into_iter().flatten()
        })
        .collect()
}

/// Returns the sides that queries make of what other datasets should hold: they are those of today's rules, whichever
/// snapshots these are applied to.
fn of_rules(plan: &Plan) -> BTreeSet<(String, Side)> {
    let mut found = BTreeSet::new();
    // Each comes after those that it reads.
    for (name, side) in &plan.made {
        let dataset = plan.datasets.iter().find(|dataset| dataset.name.value == *name);
        let made = dataset.and_then(|dataset| dataset.side(*side)?.made.as_ref());
        let reads = made.into_iter().flat_map(|made| &made.reads);
        if reads.into_iter().any(|read| read.1 == Side::Expected || found.contains(read)) {
            found.insert((name.clone(), *side));
        }
    }
    found
}

/// Returns every side that is read by a connection.
pub fn read(plan: &Plan) -> Vec<Wanted<'_>> {
    wanted(plan).into_iter().filter(|wanted| wanted.plan.made.is_none()).collect()
}

impl Wanted<'_> {
    /// Returns which side it is.
    fn side(&self) -> Side {
        if self.side == "target" { Side::Target } else { Side::Source }
    }
}

/// Takes snapshots of sides: one connector for each connection, shared by all its tables.
pub(super) struct Taker<'p> {
    store: Store,
    connectors: BTreeMap<Option<&'p str>, Box<dyn Connector>>,
    resume: bool,
    cancel: &'p Cancel,
    observer: &'p dyn Observer,
}

impl<'p> Taker<'p> {
    /// Makes what takes them into the folder of an output folder.
    pub(super) fn new(
        plan: &'p Plan,
        out: &Path,
        resume: bool,
        cancel: &'p Cancel,
        observer: &'p dyn Observer,
    ) -> Self {
        let mut connectors = BTreeMap::new();
        for Wanted { plan: side, .. } in wanted(plan) {
            connectors
                .entry(side.request.connection.as_deref())
                .or_insert_with(|| side.connection.connector(&plan.files.base));
        }
        Taker { store: Store::new(out.join("snapshots")), connectors, resume, cancel, observer }
    }

    /// Makes what makes the sides that are queries over others.
    fn maker(&'p self, plan: &'p Plan, as_of: DateTime<Utc>) -> Maker<'p> {
        Maker { plan, store: &self.store, as_of, cancel: self.cancel, observer: self.observer }
    }

    fn take(&self, wanted: &Wanted<'_>) -> Result<Snapshot, SnapshotError> {
        self.take_of(&wanted.dataset.name.value, wanted.side, &wanted.plan.request)
    }

    /// Takes a snapshot of what a side's request asks for.
    pub(super) fn take_of(
        &self,
        dataset: &str,
        side: &str,
        request: &ReadRequest,
    ) -> Result<Snapshot, SnapshotError> {
        let tell = |progress: Progress| {
            self.observer.event(&Event::Reading {
                dataset: dataset.to_owned(),
                side: side.to_owned(),
                rows: progress.rows,
                of: progress.of,
                bytes: progress.bytes,
            });
        };
        let note = |text: &str| {
            self.observer.event(&Event::Note { message: format!("{dataset} {side}: {text}") });
        };
        // Every side's connection has a connector; the plan holds no other.
        let connector = self.connectors.get(&request.connection.as_deref());
        let connector = connector.ok_or_else(|| SnapshotError::Name(dataset.to_owned()))?;
        // What cannot be asked is not known, and said so where it would be looked at.
        let structure = || connector.structure(request, self.cancel).ok().flatten();
        let options = TakeOptions {
            cancel: self.cancel,
            tell: &tell,
            note: &note,
            resume: self.resume,
            structure: &structure,
        };
        let snapshot = take(&self.store, dataset, side, connector.as_ref(), request, &options)
            .map_err(|error| placed(error, dataset, side, connector.as_ref(), request))?;
        if let Some(moments) =
            snapshot.manifest.moments.as_ref().filter(|moments| moments.continued.is_some())
        {
            note(&moments.words());
        }
        told(self.observer, dataset, side, &snapshot);
        Ok(snapshot)
    }
}

/// Says of a database's error whether it is of the connection or of the user's query.
fn placed(
    error: SnapshotError,
    dataset: &str,
    side: &str,
    connector: &dyn Connector,
    request: &ReadRequest,
) -> SnapshotError {
    let error = match error {
        SnapshotError::Source(error) if error.is_of_database() => error,
        other => return other,
    };
    let error = Box::new(error);
    let is_query =
        matches!(&request.selection, Selection::Table(table) if matches!(table.relation, Relation::Query(_)));
    if !connector.was_opened() {
        SnapshotError::Unopened { connection: request.connection_words(), error }
    } else if is_query {
        SnapshotError::Query { dataset: dataset.to_owned(), side: side.to_owned(), error }
    } else {
        SnapshotError::Source(*error)
    }
}

/// Takes a snapshot of every side of the plan, several at a time; then those of queries over them are made.
pub fn take_all(plan: &Plan, out: &Path, resume: bool, cancel: &Cancel, observer: &dyn Observer) -> Taken {
    let taker = Taker::new(plan, out, resume, cancel, observer);
    let mut known = Known::new();
    let taken = each(&read(plan), |wanted| (wanted.dataset, wanted.side(), taker.take(wanted)));
    for (dataset, side, result) in &taken {
        if let Ok(snapshot) = result {
            known.insert((dataset.name.value.clone(), *side), (snapshot.clone(), None));
        }
    }
    let as_of = plan.as_of.unwrap_or_else(Utc::now);
    let made = taker.maker(plan, as_of).all(&mut known, &|_, _| true);
    let results = taken.into_iter().chain(made);
    let results = results.map(|(dataset, side, result)| (format!("{} {side}", dataset.name.value), result));
    let mut taken = Taken::default();
    for (dataset, why) in unfit(plan) {
        taken.failed.push((dataset.clone(), SnapshotError::Unfit(why.clone())));
    }
    for (place, result) in results {
        match result {
            Ok(snapshot) => taken.snapshots.push(snapshot),
            Err(error) => taken.failed.push((place, error)),
        }
    }
    taken
}

/// Returns the datasets that cannot be read, and why.
fn unfit(plan: &Plan) -> impl Iterator<Item = (&String, &String)> {
    plan.datasets.iter().filter_map(|dataset| Some((&dataset.name.value, dataset.unfit.as_ref()?)))
}

/// Tells of a snapshot that is there.
pub(super) fn told(observer: &dyn Observer, dataset: &str, side: &str, snapshot: &Snapshot) {
    observer.event(&Event::Read {
        dataset: dataset.to_owned(),
        side: side.to_owned(),
        rows: snapshot.manifest.rows,
        snapshot: snapshot.id.clone(),
    });
}

/// Where a run's snapshots come from.
#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    /// They are taken now; where `resume`, from where an earlier reading was cut off.
    Connections {
        /// Whether to go on with what an earlier reading left.
        resume: bool,
    },
    /// They are those of an earlier run.
    Run(&'a Path),
}

/// Reads every side of the plan: from new snapshots, or from those of an earlier run.
///
/// The rows of the datasets that are `resting` stay in their snapshots. Sides that are queries over others are made once
/// those are there; `as_of` is the "now" of what these should hold.
/// A side that cannot be read is an error of its dataset; the others go on. The order of the result is the plan's.
pub fn load_all(
    plan: &Plan,
    out: &Path,
    from: From<'_>,
    resting: &BTreeSet<String>,
    (as_of, cancel): (DateTime<Utc>, &Cancel),
    observer: &dyn Observer,
) -> BTreeMap<String, Loaded> {
    let resume = matches!(from, From::Connections { resume: true });
    let taker = Taker::new(plan, out, resume, cancel, observer);
    let load = |name: &str, side: &str, snapshot: Snapshot| {
        // What a run holds stays as it is; the store is where more may be kept.
        let keep = taker.store.folder_of(name, side, &snapshot);
        LoadedSide::load(snapshot, resting.contains(name), keep)
    };
    let of_rules = of_rules(plan);
    let there = match from {
        From::Run(_) => wanted(plan)
            .into_iter()
            .filter(|wanted| !of_rules.contains(&(wanted.dataset.name.value.clone(), wanted.side())))
            .collect(),
        From::Connections { .. } => read(plan),
    };
    let mut sides = each(&there, |wanted| {
        let dataset = &wanted.dataset.name.value;
        let snapshot = match from {
            _ if cancel.is_cancelled() => Err(SourceError::Cancelled.into()),
            From::Run(run) => Snapshot::open(&snapshot_of_run(run, dataset, wanted.side))
                .and_then(|snapshot| match snapshot.manifest.other_setting(&wanted.plan.request) {
                    Some(setting) => Err(SnapshotError::Settings(setting)),
                    None => Ok(snapshot),
                })
                .inspect(|snapshot| told(observer, dataset, wanted.side, snapshot)),
            From::Connections { .. } => taker.take(wanted),
        };
        let loaded = snapshot.and_then(|snapshot| load(dataset, wanted.side, snapshot));
        (dataset.clone(), wanted.side(), loaded)
    });
    let mut known = Known::new();
    for (dataset, side, loaded) in &sides {
        if let Ok(loaded) = loaded {
            let frame = loaded.resting.is_none().then(|| loaded.frame.clone());
            known.insert((dataset.clone(), *side), (loaded.snapshot.clone(), frame));
        }
    }
    let from_run = matches!(from, From::Run(_));
    let is_made = |name: &str, side: Side| !from_run || of_rules.contains(&(name.to_owned(), side));
    for (dataset, side, made) in taker.maker(plan, as_of).all(&mut known, &is_made) {
        let name = &dataset.name.value;
        let loaded = made.and_then(|snapshot| load(name, &side.to_string(), snapshot));
        sides.push((name.clone(), side, loaded));
    }
    let mut loaded: BTreeMap<String, Loaded> = BTreeMap::new();
    for (dataset, why) in unfit(plan) {
        observer.event(&Event::Failed { dataset: dataset.clone(), message: why.clone() });
        let error = Some(format!("It was not read: {why}"));
        loaded.insert(dataset.clone(), Loaded { error, ..Loaded::default() });
    }
    let mut unopened = BTreeSet::new();
    for (dataset, side, result) in sides {
        let entry = loaded.entry(dataset.clone()).or_default();
        match result {
            // Where the user stops the run, nothing has failed.
            Err(_) if cancel.is_cancelled() => {}
            Ok(read) if side == Side::Source => entry.source = Some(read),
            Ok(read) => entry.target = Some(read),
            Err(SnapshotError::Source(SourceError::Settings(mistakes))) => entry.mistakes.extend(*mistakes),
            Err(error) => {
                let message = error.to_string();
                let told = match &error {
                    // Why is told once for all that is read by the connection.
                    SnapshotError::Unopened { connection, .. } if !unopened.insert(connection.clone()) => {
                        format!("{side}: {connection} could not be opened")
                    }
                    _ => format!("{side}: {message}"),
                };
                observer.event(&Event::Failed { dataset, message: told });
                let said = format!("The {side} could not be read: {message}");
                entry.error = Some(match entry.error.take() {
                    Some(first) => format!("{first}. {said}"),
                    None => said,
                });
            }
        }
    }
    loaded
}

/// Returns where a run keeps a snapshot.
pub fn snapshot_of_run(run: &Path, dataset: &str, side: &str) -> PathBuf {
    run.join("snapshots").join(dataset).join(side)
}

/// Leaves out the rows that the sides' filters do not select; mistakes in the filters go to `out`.
pub fn filter_sides(
    dataset: &Dataset,
    loaded: &mut Loaded,
    as_of: DateTime<Utc>,
    out: &mut Diagnostics,
) -> Result<(), String> {
    for (side, config) in [(&mut loaded.source, &dataset.source), (&mut loaded.target, &dataset.target)] {
        if let (Some(side), Some(config)) = (side.as_mut(), config.as_ref()) {
            filter(side, config, as_of, out)?;
        }
    }
    Ok(())
}

/// Leaves out the rows that a side's filter does not select; mistakes in the filter go to `out`.
fn filter(
    side: &mut LoadedSide,
    plan: &SidePlan,
    as_of: DateTime<Utc>,
    out: &mut Diagnostics,
) -> Result<(), String> {
    let Some(filter) = &plan.filter else { return Ok(()) };
    let Some(condition) = filter.bind(&side.frame.schema, as_of, out) else { return Ok(()) };
    let keep = crate::expression::evaluate(&side.frame, &condition).map_err(|error| error.to_string())?;
    let kept = side.frame.filter(&keep).map_err(|error| error.to_string())?;
    side.out_of_scope = (side.frame.height() - kept.height()) as u64;
    side.frame = kept;
    Ok(())
}
