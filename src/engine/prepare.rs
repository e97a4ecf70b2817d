//! The beginning of a run: snapshots taken or opened, read, filtered; every rule bound to the real columns.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rayon::prelude::*;

use crate::config::{Dataset, Plan, SidePlan};
use crate::diagnostic::Diagnostics;
use crate::frame::Frame;
use crate::snapshot::{Snapshot, SnapshotError, Store, take};
use crate::source::{Cancel, SourceError};

use super::{Event, Observer};

/// One side of a dataset, read.
#[derive(Debug)]
pub struct LoadedSide {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The rows in scope, under our names.
    pub frame: Frame,
    /// Rows left out by the filter.
    pub out_of_scope: u64,
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

/// The snapshots that could be taken, and what went wrong with the others.
#[derive(Debug, Default)]
pub struct Taken {
    /// The snapshots, in the order of the plan.
    pub snapshots: Vec<Snapshot>,
    /// The place (`dataset source`) and the error of each that could not be taken.
    pub failed: Vec<(String, SnapshotError)>,
}

/// A side of the plan with its names.
struct Wanted<'p> {
    dataset: &'p Dataset,
    side: &'static str,
    plan: &'p SidePlan,
}

fn wanted(plan: &Plan) -> Vec<Wanted<'_>> {
    plan.datasets
        .iter()
        .flat_map(|dataset| {
            let source = dataset.source.as_ref().map(|plan| Wanted { dataset, side: "source", plan });
            let target = dataset.target.as_ref().map(|plan| Wanted { dataset, side: "target", plan });
            [source, target].into_iter().flatten()
        })
        .collect()
}

/// Takes a snapshot of every side of the plan, several at a time.
pub fn take_all(plan: &Plan, out: &Path, cancel: &Cancel, observer: &dyn Observer) -> Taken {
    let store = Store::new(out.join("snapshots"));
    let results: Vec<_> = wanted(plan)
        .par_iter()
        .map(|wanted| {
            let dataset = &wanted.dataset.name.value;
            let tell = |rows| {
                observer.event(&Event::Reading {
                    dataset: dataset.clone(),
                    side: wanted.side.to_owned(),
                    rows,
                });
            };
            let connector = wanted.plan.connection.connector(&plan.files.base);
            let result =
                take(&store, dataset, wanted.side, connector.as_ref(), &wanted.plan.request, cancel, &tell);
            if let Ok(snapshot) = &result {
                told(observer, dataset, wanted.side, snapshot);
            }
            (format!("{dataset} {}", wanted.side), result)
        })
        .collect();
    let mut taken = Taken::default();
    for (place, result) in results {
        match result {
            Ok(snapshot) => taken.snapshots.push(snapshot),
            Err(error) => taken.failed.push((place, error)),
        }
    }
    taken
}

fn told(observer: &dyn Observer, dataset: &str, side: &str, snapshot: &Snapshot) {
    observer.event(&Event::Read {
        dataset: dataset.to_owned(),
        side: side.to_owned(),
        rows: snapshot.manifest.rows,
        snapshot: snapshot.id.clone(),
    });
}

/// Reads every side of the plan: from new snapshots, or from those of an earlier run.
///
/// A side that cannot be read is an error of its dataset; the others go on. The order of the result is the plan's.
pub fn load_all(
    plan: &Plan,
    out: &Path,
    from: Option<&Path>,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> BTreeMap<String, Loaded> {
    let store = Store::new(out.join("snapshots"));
    let sides: Vec<_> = wanted(plan)
        .par_iter()
        .map(|wanted| {
            let dataset = &wanted.dataset.name.value;
            let snapshot = match from {
                _ if cancel.is_cancelled() => Err(SourceError::Cancelled.into()),
                Some(run) => {
                    Snapshot::open(&snapshot_of_run(run, dataset, wanted.side)).and_then(|snapshot| {
                        match snapshot.manifest.other_setting(&wanted.plan.request) {
                            Some(setting) => Err(SnapshotError::Settings(setting)),
                            None => Ok(snapshot),
                        }
                    })
                }
                None => {
                    let tell = |rows| {
                        observer.event(&Event::Reading {
                            dataset: dataset.clone(),
                            side: wanted.side.to_owned(),
                            rows,
                        });
                    };
                    let connector = wanted.plan.connection.connector(&plan.files.base);
                    take(
                        &store,
                        dataset,
                        wanted.side,
                        connector.as_ref(),
                        &wanted.plan.request,
                        cancel,
                        &tell,
                    )
                }
            };
            let loaded = snapshot.and_then(|snapshot| {
                told(observer, dataset, wanted.side, &snapshot);
                let frame = snapshot.read()?;
                Ok(LoadedSide { snapshot, frame, out_of_scope: 0 })
            });
            (dataset.clone(), wanted.side, loaded)
        })
        .collect();
    let mut loaded: BTreeMap<String, Loaded> = BTreeMap::new();
    for (dataset, side, result) in sides {
        let entry = loaded.entry(dataset.clone()).or_default();
        match result {
            // Where the user stops the run, nothing has failed.
            Err(_) if cancel.is_cancelled() => {}
            Ok(read) if side == "source" => entry.source = Some(read),
            Ok(read) => entry.target = Some(read),
            Err(SnapshotError::Source(SourceError::Settings(mistakes))) => entry.mistakes.extend(*mistakes),
            Err(error) => {
                let message = error.to_string();
                observer.event(&Event::Failed { dataset, message: format!("{side}: {message}") });
                entry.error.get_or_insert(format!("The {side} could not be read: {message}"));
            }
        }
    }
    loaded
}

/// Returns where a run keeps a snapshot.
pub fn snapshot_of_run(run: &Path, dataset: &str, side: &str) -> PathBuf {
    run.join("snapshots").join(dataset).join(side)
}

/// Leaves out the rows that a side's filter does not select; mistakes in the filter go to `out`.
pub fn filter(
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
