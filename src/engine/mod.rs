//! Runs a plan: snapshots, cleansing, checks, matches and reconciliation, dataset by dataset.

mod bound;
mod built;
mod chains;
mod checks;
mod connected;
mod crosswalk;
mod dataset;
mod draft;
mod events;
mod expected;
mod findings;
mod folder;
mod judge;
mod lineage;
mod made;
mod masking;
mod mend;
mod mistakes;
mod moments;
mod movement;
mod orphans;
mod outputs;
mod prepare;
mod project_key;
mod recheck;
mod reconciled;
mod references;
mod resting;
mod row_keys;
mod row_rules;
mod tranches;
mod unknown;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, Utc};
use polars::prelude::PolarsError;

use crate::config::{Dataset, Plan};
use crate::diagnostic::Diagnostics;
use crate::expression::Expression;
use crate::findings::{FORMAT_VERSION, ONLY_RECONCILED, RunResult};
use crate::frame::Frame;
use crate::gate;
use crate::model::Side;
use crate::report::{self, ReportError};
use crate::rule::RuleError;
use crate::snapshot::{SnapshotError, WriteError, make_folders};
use crate::source::Cancel;

use bound::BoundDataset;
use dataset::Judgement;
use expected::Working;
use folder::{FolderError, RunFolder};
use prepare::Loaded;
use project_key::{KeyError, ProjectKey};

pub use connected::check_connected;
pub use events::{Event, Observer, Silent};
pub use folder::Unfinished;
pub use prepare::Taken;
pub use recheck::{Recheck, RecheckOptions, Rechecked, RecheckedColumn, Still, recheck};

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Cleanse, check, match and reconcile.
    Everything,
    /// Cleanse and reconcile, without corrected data; checks only serve to hold back children of quarantined rows.
    Reconcile,
}

/// What a run is told by its caller.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The folder for `runs/` and `snapshots/`.
    pub out: PathBuf,
    /// An earlier run whose snapshots are used instead of the connections.
    pub from: Option<PathBuf>,
    /// Whether snapshots go on from where an earlier reading was cut off.
    pub resume: bool,
    /// The run's "now"; default: the project's, else the start.
    pub as_of: Option<DateTime<Utc>>,
    /// Report templates that take the place of the built-in ones.
    pub templates: Option<PathBuf>,
    /// How far the run goes.
    pub stage: Stage,
    /// The memory that a reconciliation may take, in bytes; none is no limit.
    pub memory: Option<u64>,
    /// Stops the run.
    pub cancel: Cancel,
    /// Knows the run's folder while it is under way.
    pub unfinished: Unfinished,
}

/// A complete run.
#[derive(Debug)]
pub struct Outcome {
    /// The result.
    pub result: RunResult,
    /// The run's folder.
    pub folder: PathBuf,
}

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The rules do not fit the data's columns.
    #[error("the rules do not fit the data")]
    Bind(Diagnostics),
    /// Nothing could be read.
    #[error("nothing could be read: {0}")]
    NothingRead(String),
    /// The run was stopped.
    #[error("stopped; no run was written")]
    Cancelled,
    /// The project's key is missing.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The run folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A Parquet file of the run cannot be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A file of the run cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The report cannot be made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The findings cannot be brought into Arrow.
    #[error("the findings cannot be written: {0}")]
    Arrow(#[from] ArrowError),
    /// polars failed where no rule is to blame.
    #[error("{}", .0.to_string().lines().next().unwrap_or_default())]
    Polars(#[from] PolarsError),
}

/// Reads a run's "now": a date, which is its midnight in UTC, or an RFC 3339 time.
///
/// # Errors
/// A sentence for the user.
pub fn parse_as_of(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = text.parse::<NaiveDate>()
        && let Some(midnight) = date.and_hms_opt(0, 0, 0)
    {
        return Ok(midnight.and_utc());
    }
    DateTime::parse_from_rfc3339(text).map(|time| time.with_timezone(&Utc)).map_err(|_| {
        "a date such as 2026-03-09 or a time such as 2026-03-09T12:00:00Z is expected".to_owned()
    })
}

/// Takes a snapshot of every side of the plan, and nothing else; where `resume`, from where an earlier reading was cut off.
///
/// # Errors
/// [`EngineError::Cancelled`].
pub fn snapshots(
    plan: &Plan,
    out: &Path,
    resume: bool,
    cancel: &Cancel,
    observer: &dyn Observer,
) -> Result<Taken, EngineError> {
    let taken = prepare::take_all(plan, out, resume, cancel, observer);
    if cancel.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(taken) }
}

/// Evaluates a condition on a frame; NULL is not selected.
///
/// # Errors
/// Where the condition does not fit the frame.
pub(crate) fn select(
    condition: &Expression,
    frame: &Frame,
    as_of: DateTime<Utc>,
) -> Result<Vec<bool>, RuleError> {
    let mut out = Diagnostics::default();
    match condition.bind(&frame.schema, as_of, &mut out) {
        Some(expr) => crate::expression::evaluate(frame, &expr),
        None => Err(RuleError::Refused("the condition of `where` does not fit the columns".to_owned())),
    }
}

/// Keeps the events for run.log and hands them on.
struct Log<'a> {
    to: &'a dyn Observer,
    lines: Mutex<Vec<String>>,
}

impl Observer for Log<'_> {
    fn event(&self, event: &Event) {
        if !matches!(event, Event::Reading { .. })
            && let Ok(mut lines) = self.lines.lock()
        {
            lines
                .push(format!("{} {event}", Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)));
        }
        self.to.event(event);
    }
}

/// Runs a plan and leaves a run folder.
///
/// A dataset that cannot be read, or a rule that cannot be run, is broken; the rest goes on.
///
/// # Errors
/// There is no run folder where the rules do not fit the data, nothing could be read, the run was stopped, or
/// the outputs cannot be written.
pub fn run(plan: &Plan, options: &RunOptions, observer: &dyn Observer) -> Result<Outcome, EngineError> {
    let started = Utc::now();
    let log =
        Log { to: observer, lines: Mutex::new(vec![format!("{} start {}", started.to_rfc3339(), tool())]) };
    let as_of = options.as_of.or(plan.as_of).unwrap_or(started);
    let key = ProjectKey::find(plan.fingerprint_key.as_deref(), &plan.files.base)?;
    let folder = RunFolder::create(&options.out, started, &options.unfinished)?;
    for message in &folder.removed {
        log.event(&Event::Note { message: message.clone() });
    }
    if let Some(note) = &key.note {
        log.event(&Event::Note { message: note.clone() });
    }

    let from = match &options.from {
        Some(run) => prepare::From::Run(run),
        None => prepare::From::Connections { resume: options.resume },
    };
    let resting = match options.stage {
        Stage::Reconcile => resting::resting(plan),
        Stage::Everything => BTreeSet::new(),
    };
    let mut loaded = prepare::load_all(plan, &options.out, from, &resting, (as_of, &options.cancel), &log);
    stop_if(&options.cancel)?;
    let nothing = |l: &Loaded| l.source.is_none() && l.target.is_none() && l.mistakes.is_empty();
    if loaded.values().all(nothing) {
        let why =
            loaded.values().find_map(|l| l.error.clone()).unwrap_or_else(|| "there is no dataset".to_owned());
        return Err(EngineError::NothingRead(why));
    }
    let (bound, warnings) = bind_all(plan, &mut loaded, as_of)?;
    for message in &warnings {
        log.event(&Event::Note { message: message.clone() });
    }
    stop_if(&options.cancel)?;

    let working = make_expected(plan, &loaded, &bound, as_of, &options.cancel, &log)?;
    stop_if(&options.cancel)?;
    let world = dataset::World::new(plan, &loaded, &working, &key, as_of, options)?;
    let mut judged: Vec<Judgement> =
        waiting::each(&plan.datasets, |dataset| world.judge(dataset, bound.get(&dataset.name.value), &log));
    stop_if(&options.cancel)?;

    if options.stage == Stage::Everything {
        world.follow_references(&mut judged);
    }
    world.mask(&mut judged);
    let secret = key.derive("masks");
    for judgement in &mut judged {
        tranches::hide(&mut judgement.result, &secret);
    }
    let mut results = Vec::with_capacity(judged.len());
    for judgement in judged {
        let stage =
            |stage: &str| Event::Stage { dataset: judgement.result.name.clone(), stage: stage.to_owned() };
        let (begun, done) = (stage("write"), stage("done"));
        // Of what was never read there is nothing to write, and nothing is done.
        let was_read = judgement.result.error.is_none();
        if was_read {
            log.event(&begun);
        }
        results.push(outputs::write(&folder, &world, &key, judgement)?);
        if was_read {
            log.event(&done);
        }
        stop_if(&options.cancel)?;
    }
    let gate = gate::judge(&results, plan.gate.fail_on);
    let mut notes = warnings;
    if options.stage == Stage::Reconcile {
        notes.push(ONLY_RECONCILED.to_owned());
    }
    let result = RunResult {
        format_version: FORMAT_VERSION,
        tool: tool(),
        project: plan.project.clone(),
        as_of: as_of.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        gate,
        datasets: results,
        notes,
    };
    outputs::finish(&folder, &result, &key, options.templates.as_deref())?;
    stop_if(&options.cancel)?;
    let lines = log.lines.into_inner().unwrap_or_default();
    folder.write("run.log", (lines.join("\n") + "\n").as_bytes())?;
    let path = folder.publish()?;
    Ok(Outcome { result, folder: path })
}

fn tool() -> String {
    format!("counterfoil {}", env!("CARGO_PKG_VERSION"))
}

fn stop_if(cancel: &Cancel) -> Result<(), EngineError> {
    if cancel.is_cancelled() { Err(EngineError::Cancelled) } else { Ok(()) }
}

/// Binds every rule of every dataset that was read; all mistakes come out at once. Warnings are returned as sentences.
fn bind_all<'p>(
    plan: &'p Plan,
    loaded: &mut BTreeMap<String, Loaded>,
    as_of: DateTime<Utc>,
) -> Result<(BTreeMap<String, BoundDataset<'p>>, Vec<String>), EngineError> {
    let mut out = Diagnostics::default();
    let mut bound = BTreeMap::new();
    let holders = crosswalk::holders(plan, &|name, side| loaded.get(name)?.schema(side), as_of);
    for dataset in &plan.datasets {
        let Some(loaded) = loaded.get_mut(&dataset.name.value) else { continue };
        let mistakes = std::mem::take(&mut loaded.mistakes);
        if loaded.error.is_some() || !mistakes.is_empty() {
            out.extend(mistakes);
            continue;
        }
        if let Err(message) = prepare::filter_sides(dataset, loaded, as_of, &mut out) {
            loaded.error.get_or_insert(message);
            continue;
        }
        if let Some(message) = crosswalk::unread(dataset, &holders) {
            loaded.error.get_or_insert(message);
            continue;
        }
        let (source, target) = (loaded.schema(Side::Source), loaded.schema(Side::Target));
        let mut ready = BoundDataset::bind(dataset, [source, target], plan, &holders, as_of, &mut out);
        ready.were_seen(movement::seen(loaded));
        bound.insert(dataset.name.value.clone(), ready);
    }
    mistakes::references(plan, &|name, side| loaded.get(name)?.schema(side), &mut out);
    if out.has_errors() {
        return Err(EngineError::Bind(out));
    }
    let warnings =
        out.into_vec().iter().map(|warning| mistakes::sentence(warning, &plan.files.base)).collect();
    Ok((bound, warnings))
}

/// Brings every source to expected: cleanse, quarantine, merge, cascade.
fn make_expected(
    plan: &Plan,
    loaded: &BTreeMap<String, Loaded>,
    bound: &BTreeMap<String, BoundDataset<'_>>,
    as_of: DateTime<Utc>,
    cancel: &Cancel,
    log: &dyn Observer,
) -> Result<BTreeMap<String, Result<Working, String>>, EngineError> {
    let cleansed = waiting::each(&plan.datasets, |dataset| {
        let name = dataset.name.value.clone();
        let side = loaded.get(&name)?.source.as_ref()?;
        let bound = bound.get(&name).filter(|_| !cancel.is_cancelled())?;
        log.event(&Event::Stage { dataset: name.clone(), stage: "cleanse".to_owned() });
        let working = bound.cleanse(&side.frame, &plan.files, as_of).and_then(|mut working| {
            bound.merge(&mut working, as_of)?;
            Ok(working)
        });
        if let Err(message) = &working {
            log.event(&Event::Failed { dataset: name.clone(), message: message.clone() });
        }
        Some((name, working))
    });
    stop_if(cancel)?;
    let mut good = BTreeMap::new();
    let mut all = BTreeMap::new();
    for (name, working) in cleansed.into_iter().flatten() {
        match working {
            Ok(working) => {
                good.insert(name, working);
            }
            Err(message) => {
                all.insert(name, Err(message));
            }
        }
    }
    let datasets: Vec<&Dataset> = plan.datasets.iter().filter(|d| good.contains_key(&d.name.value)).collect();
    let ids = crosswalk::new_ids(plan, &good, &|name| all.contains_key(name), loaded);
    references::rewrite(&mut good, &datasets, &ids, as_of)?;
    references::cascade(&mut good, &datasets, &ids, as_of)?;
    all.extend(good.into_iter().map(|(name, working)| (name, Ok(working))));
    crosswalk::apply(&mut all, plan, &ids);
    Ok(all)
}

/// Says why values differ in a complete run, and what would settle it.
///
/// # Errors
/// Where the run cannot be read.
pub fn explain_differences(run: &Path) -> Result<Vec<report::Difference>, EngineError> {
    Ok(report::differences(&report::read_result(run)?, run)?)
}

/// Renders the report of a run again, in its folder.
///
/// # Errors
/// Where the run cannot be read, a template is wrong, or the files cannot be written.
pub fn render_report(run: &Path, templates: Option<&Path>) -> Result<(), EngineError> {
    for (name, bytes) in report::render(run, templates)? {
        let path = run.join(name);
        if let Some(folder) = path.parent() {
            make_folders(folder).map_err(|error| FolderError {
                path: folder.to_owned(),
                doing: "made",
                error,
            })?;
        }
        folder::write_owner_only(&path, &bytes).map_err(|error| FolderError {
            path,
            doing: "written",
            error,
        })?;
    }
    Ok(())
}
