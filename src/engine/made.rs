//! Sides that are queries over other datasets: run on the snapshots of those, and kept as snapshots of their own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::config::{Dataset, MadeSide, Plan, SidePlan};
use crate::diagnostic::Diagnostics;
use crate::frame::{Frame, polars_type, to_record_batch};
use crate::model::{Logical, Schema, Side};
use crate::query::{self, Input, Output, QueryError, TableName};
use crate::snapshot::{Manifest, Snapshot, SnapshotError, Store, TakeOptions, take};
use crate::source::{
    Cancel, Connector, Made, MadeOf, ReadPlan, ReadReport, ReadRequest, Sink, SinkError, SourceError,
    arrow_schema,
};

use super::bound::BoundDataset;
use super::crosswalk;
use super::prepare::{Loaded, LoadedSide, told};
use super::{Event, Observer, Silent, bind_all, make_expected};

/// Rows that are written at once.
const BATCH_ROWS: usize = 64 << 10;

/// The sides that are known so far, by dataset and side: snapshots, with their rows where those are in memory.
pub type Known = BTreeMap<(String, Side), (Snapshot, Option<Frame>)>;

/// A side that was made: its dataset, which it is, and its snapshot or why there is none.
pub type Done<'p> = (&'p Dataset, Side, Result<Snapshot, SnapshotError>);

/// Makes the sides that are queries over other datasets.
pub struct Maker<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// Where snapshots are kept.
    pub store: &'p Store,
    /// The run's "now", which the cleansing of what is read may need.
    pub as_of: DateTime<Utc>,
    /// Stops the work.
    pub cancel: &'p Cancel,
    /// Hears of it.
    pub observer: &'p dyn Observer,
}

impl<'p> Maker<'p> {
    /// Makes every such side that `is_made` says, each after those that it reads; `known` gains their snapshots.
    pub fn all(&self, known: &mut Known, is_made: &dyn Fn(&str, Side) -> bool) -> Vec<Done<'p>> {
        let mut done = Vec::with_capacity(self.plan.made.len());
        for (name, side) in self.plan.made.iter().filter(|(name, side)| is_made(name, *side)) {
            let dataset = self.plan.datasets.iter().find(|dataset| dataset.name.value == *name);
            let Some((dataset, plan)) = dataset.and_then(|dataset| Some((dataset, dataset.side(*side)?)))
            else {
                continue;
            };
            let Some(made) = &plan.made else { continue };
            let result = self.one(dataset, *side, (plan, made), known);
            if let Ok(snapshot) = &result {
                known.insert((name.clone(), *side), (snapshot.clone(), None));
                told(self.observer, name, word(*side), snapshot);
            }
            done.push((dataset, *side, result));
        }
        done
    }

    fn one(
        &self,
        dataset: &Dataset,
        side: Side,
        (plan, made): (&SidePlan, &MadeSide),
        known: &Known,
    ) -> Result<Snapshot, SnapshotError> {
        let name = dataset.name.value.as_str();
        self.cancel.check()?;
        let failed = |problem: String| SnapshotError::Made {
            dataset: name.to_owned(),
            side: word(side).to_owned(),
            problem,
        };
        let (reads, seen) = read_of(made, known).map_err(failed)?;
        if let Some(mut snapshot) = self.made_before(name, side, &plan.request, &reads) {
            self.store.seen_again(&mut snapshot, seen)?;
            return Ok(snapshot);
        }
        self.observer.event(&Event::Stage { dataset: name.to_owned(), stage: "make".to_owned() });
        let frames = self.frames(made, known, &failed)?;
        let rows = |name: &TableName, empty: bool| {
            let at = made.query.tables().iter().position(|table| table == name);
            let read = at.and_then(|at| made.reads.get(at));
            match read.and_then(|read| Some((frames.get(read)?, read))) {
                Some((frame, (dataset, _))) => {
                    let frame = if empty { empty_of(&frame.schema) } else { frame.clone() };
                    Input::Rows(frame, dataset.clone())
                }
                None => Input::Unknown,
            }
        };
        let stop = || self.cancel.is_cancelled();
        // What is wrong with the query is told before a row is looked at.
        let mut mistakes = Diagnostics::default();
        let looked = query::run(&made.query, &|name| rows(name, true), &stop, &mut mistakes);
        if mistakes.has_errors() {
            return Err(SourceError::Settings(Box::new(mistakes)).into());
        }
        let wrong = |error: QueryError| match error {
            QueryError::Stopped => SourceError::Cancelled.into(),
            QueryError::Rows(problem) => failed(problem),
        };
        looked.map_err(wrong)?;
        let mut unheard = Diagnostics::default();
        let output =
            query::run(&made.query, &|name| rows(name, false), &stop, &mut unheard).map_err(wrong)?;
        let output = output.ok_or_else(|| failed("it gave no rows".to_owned()))?;
        drop(frames);
        let source = MadeRows::new(output, plan, reads, seen);
        let options = TakeOptions {
            cancel: self.cancel,
            tell: &|_| {},
            note: &|_| {},
            resume: false,
            structure: &|| None,
        };
        take(self.store, name, word(side), &source, &plan.request, &options)
    }

    /// Returns the snapshot that the same query over the same snapshots has left.
    ///
    /// What a dataset should hold depends on more than its snapshot: what reads it is made again.
    fn made_before(
        &self,
        name: &str,
        side: Side,
        request: &ReadRequest,
        reads: &[MadeOf],
    ) -> Option<Snapshot> {
        if reads.iter().any(|read| read.state == Side::Expected.to_string()) {
            return None;
        }
        let (query, options) = (request.query(), request.options());
        let is_same = |manifest: &Manifest| {
            let made = manifest.made.as_ref();
            made.is_some_and(|made| made.version == query::VERSION && made.reads == reads)
                && manifest.tool == env!("CARGO_PKG_VERSION")
                && manifest.query == query
                && manifest.options == options
        };
        self.store.find(name, word(side), &is_same)
    }

    /// Returns the rows of all that a query reads.
    fn frames(
        &self,
        made: &MadeSide,
        known: &Known,
        failed: &dyn Fn(String) -> SnapshotError,
    ) -> Result<BTreeMap<(String, Side), Frame>, SnapshotError> {
        let mut frames = BTreeMap::new();
        let wanted: BTreeSet<&(String, Side)> = made.reads.iter().collect();
        let expected: BTreeSet<&str> = wanted
            .iter()
            .filter(|(_, side)| *side == Side::Expected)
            .map(|(name, _)| name.as_str())
            .collect();
        for read in wanted.into_iter().filter(|(_, side)| *side != Side::Expected) {
            if let Some(one) = known.get(read) {
                frames.insert(read.clone(), rows_of(one)?);
            }
        }
        if !expected.is_empty() {
            for (name, frame) in self.expected(&expected, known, failed)? {
                frames.insert((name, Side::Expected), frame);
            }
        }
        Ok(frames)
    }

    /// Brings datasets to what they should hold, with all that this depends on.
    fn expected(
        &self,
        wanted: &BTreeSet<&str>,
        known: &Known,
        failed: &dyn Fn(String) -> SnapshotError,
    ) -> Result<Vec<(String, Frame)>, SnapshotError> {
        let needed = needed(self.plan, wanted);
        let mut loaded: BTreeMap<String, Loaded> = BTreeMap::new();
        for dataset in self.plan.datasets.iter().filter(|d| needed.contains(d.name.value.as_str())) {
            let mut own = Loaded::default();
            for side in [Side::Source, Side::Target].into_iter().filter(|side| dataset.side(*side).is_some())
            {
                let name = dataset.name.value.clone();
                let Some(one) = known.get(&(name, side)) else {
                    own.error = Some(format!("its {side} could not be read"));
                    continue;
                };
                let side_loaded = LoadedSide {
                    snapshot: one.0.clone(),
                    frame: rows_of(one)?,
                    out_of_scope: 0,
                    resting: None,
                };
                *(if side == Side::Target { &mut own.target } else { &mut own.source }) = Some(side_loaded);
            }
            loaded.insert(dataset.name.value.clone(), own);
        }
        let (bound, _) = bind_all(self.plan, &mut loaded, self.as_of).map_err(|_| {
            let names: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
            failed(format!("the rules of what {} should hold do not fit the data", names.join(" and ")))
        })?;
        let working = make_expected(self.plan, &loaded, &bound, self.as_of, self.cancel, &Silent);
        let mut working = working.map_err(|error| match error {
            _ if self.cancel.is_cancelled() => SourceError::Cancelled.into(),
            error => failed(error.to_string()),
        })?;
        let mut frames = Vec::with_capacity(wanted.len());
        for name in wanted {
            let unread = || format!("what `{name}` should hold could not be made");
            let rows = match working.remove(*name) {
                Some(Ok(working)) => working.expected().map_err(|_| failed(unread()))?.frame,
                Some(Err(problem)) => return Err(failed(format!("{}: {problem}", unread()))),
                None => return Err(failed(unread())),
            };
            frames.push(((*name).to_owned(), rows));
        }
        Ok(frames)
    }
}

/// Returns the datasets that decide what some should hold, with those.
fn needed<'p>(plan: &'p Plan, wanted: &BTreeSet<&'p str>) -> BTreeSet<&'p str> {
    let mut needed = BTreeSet::new();
    let mut open: Vec<&str> = wanted.iter().copied().collect();
    while let Some(name) = open.pop() {
        if needed.insert(name) {
            let dataset = plan.datasets.iter().find(|dataset| dataset.name.value == name);
            open.extend(dataset.into_iter().flat_map(Dataset::leans_on));
        }
    }
    needed
}

/// Returns what a query reads, and between which moments it was as it is.
fn read_of(made: &MadeSide, known: &Known) -> Result<(Vec<MadeOf>, Option<(i64, i64)>), String> {
    let mut reads = BTreeSet::new();
    let mut seen: Option<Option<(i64, i64)>> = None;
    for (name, state) in &made.reads {
        let side = if *state == Side::Target { Side::Target } else { Side::Source };
        let Some((snapshot, _)) = known.get(&(name.clone(), side)) else {
            return Err(format!("it reads `{state}.{name}`, which could not be read"));
        };
        let own = snapshot.manifest.seen();
        seen = Some(match seen {
            None => own,
            Some(all) => all.zip(own).map(|(all, own)| (all.0.min(own.0), all.1.max(own.1))),
        });
        let (dataset, snapshot) = (name.clone(), snapshot.id.clone());
        reads.insert(MadeOf { dataset, state: state.to_string(), snapshot });
    }
    Ok((reads.into_iter().collect(), seen.flatten()))
}

fn rows_of((snapshot, frame): &(Snapshot, Option<Frame>)) -> Result<Frame, SnapshotError> {
    match frame {
        Some(frame) => Ok(frame.clone()),
        None => snapshot.read(),
    }
}

fn word(side: Side) -> &'static str {
    if side == Side::Target { "target" } else { "source" }
}

/// Returns columns without rows.
fn empty_of(schema: &Schema) -> Frame {
    let columns = schema.fields.iter().map(|field| {
        let name = field.name.as_str().into();
        polars::prelude::Series::new_empty(name, &polars_type(&field.logical)).into()
    });
    // Columns of no rows are of one length.
    let df = polars::prelude::DataFrame::new(0, columns.collect()).unwrap_or_default();
    Frame::new(schema.clone(), df)
}

/// Gives the wall clocks of a side the zones that its file says.
fn zoned(mut schema: Schema, plan: &SidePlan) -> Schema {
    let rules = &plan.request.columns;
    for field in &mut schema.fields {
        let own = rules.timezones.get(&field.name).map(|zone| &zone.value);
        let is_wall_clock =
            matches!(field.logical, Logical::Date | Logical::TIMESTAMP) || field.logical.is_text();
        if let Some(zone) = own.or(rules.timezone.as_ref().filter(|_| field.timezone.is_none()))
            && is_wall_clock
        {
            field.timezone = Some(zone.clone());
        }
    }
    schema
}

/// Finds out the columns of every side that is a query, where those of what it reads are known; mistakes go to `out`.
pub fn schemas(
    plan: &Plan,
    known: &mut BTreeMap<(String, &'static str), Schema>,
    as_of: DateTime<Utc>,
    out: &mut Diagnostics,
) {
    for (name, side) in &plan.made {
        let dataset = plan.datasets.iter().find(|dataset| dataset.name.value == *name);
        let Some(own) = dataset.and_then(|dataset| dataset.side(*side)) else { continue };
        let Some(made) = &own.made else { continue };
        let inputs = |table: &TableName| {
            let at = made.query.tables().iter().position(|own| own == table);
            let Some((read, state)) = at.and_then(|at| made.reads.get(at)) else { return Input::Unknown };
            match schema_of(plan, known, (read, *state), as_of) {
                Some(schema) => Input::Rows(empty_of(&schema), read.clone()),
                None => Input::Unknown,
            }
        };
        let is_known = made.query.tables().iter().all(|table| matches!(inputs(table), Input::Rows(..)));
        let output = query::run(&made.query, &inputs, &|| false, out);
        if let (Ok(Some(output)), true) = (output, is_known) {
            known.insert((name.clone(), word(*side)), zoned(output.frame.schema, own));
        }
    }
}

/// Returns the columns of a dataset in a state, where they are known.
fn schema_of(
    plan: &Plan,
    known: &BTreeMap<(String, &'static str), Schema>,
    (name, state): (&str, Side),
    as_of: DateTime<Utc>,
) -> Option<Schema> {
    let of = |name: &str, side: Side| known.get(&(name.to_owned(), word(side)));
    let raw = of(name, state)?;
    if state != Side::Expected {
        return Some(raw.clone());
    }
    let dataset = plan.datasets.iter().find(|dataset| dataset.name.value == name)?;
    let cleansed = BoundDataset::cleansed(dataset, raw, plan, as_of);
    let holders = crosswalk::holders(plan, &of, as_of);
    match crosswalk::unread(dataset, &holders) {
        None => Some(crosswalk::schema(dataset, &cleansed, &holders)),
        Some(_) => None,
    }
}

/// The rows of a query, as something that can be read.
struct MadeRows {
    frame: Frame,
    made: Made,
}

impl MadeRows {
    fn new(output: Output, plan: &SidePlan, reads: Vec<MadeOf>, seen: Option<(i64, i64)>) -> Self {
        let Output { frame, origins } = output;
        let columns = frame.schema.names().zip(origins).map(|(name, origins)| {
            let origins = origins.into_iter().map(|(dataset, column)| format!("{dataset}.{column}"));
            (name.to_owned(), origins.collect())
        });
        let made = Made { version: query::VERSION, reads, columns: columns.collect(), seen };
        let schema = zoned(frame.schema.clone(), plan);
        MadeRows { frame: Frame { schema, ..frame }, made }
    }
}

impl Connector for MadeRows {
    fn read(&self, _: &ReadRequest, cancel: &Cancel, sink: &dyn Sink) -> Result<ReadReport, SourceError> {
        let failed = |error: SinkError| SourceError::Sink(error);
        let schema = &self.frame.schema;
        let rows = self.frame.height();
        let plan = ReadPlan { rows: Some(rows as u64), ..ReadPlan::default() };
        sink.start(schema, &plan).map_err(failed)?;
        let whole = to_record_batch(&self.frame).map_err(|error| failed(Box::new(error)))?;
        let whole = whole.with_schema(arrow_schema(schema)).map_err(|error| failed(Box::new(error)))?;
        let mut part = sink.part(0).map_err(failed)?;
        for first in (0..rows).step_by(BATCH_ROWS) {
            cancel.check()?;
            part.batch(whole.slice(first, BATCH_ROWS.min(rows - first))).map_err(failed)?;
        }
        part.finish().map_err(failed)?;
        Ok(ReadReport { made: Some(self.made.clone()), ..ReadReport::default() })
    }
}
