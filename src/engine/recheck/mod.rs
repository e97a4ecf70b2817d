//! Reads the records again in which a run found differences, and says which still differ.

mod found;
mod sides;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::config::{Dataset, Plan};
use crate::correct::KeyTexts;
use crate::diagnostic::Diagnostics;
use crate::frame::Frame;
use crate::mask::Mask;
use crate::model::{Side, Status};
use crate::reconcile::{BoundReconcile, Means};
use crate::report;
use crate::rule::RuleError;
use crate::source::Cancel;

use super::bound::BoundDataset;
use super::crosswalk::Holders;
use super::expected::{RowState, Working};
use super::folder::{FolderError, RunFolder, Unfinished, write_owner_only};
use super::prepare::{Loaded, filter_sides};
use super::reconciled::{self, Reconciled};
use super::{EngineError, Event, Observer, judge, stop_if};

use found::{Differing, Place};
use sides::Reader;

/// What is read again of a run.
#[derive(Debug, Clone)]
pub struct RecheckOptions {
    /// The folder with `runs/`, in which the result is written.
    pub out: PathBuf,
    /// The complete run.
    pub run: PathBuf,
    /// Stops the reading.
    pub cancel: Cancel,
    /// Knows the folder of what is read while that is under way.
    pub unfinished: Unfinished,
}

/// Which records still differ. It holds no value, and keys as far as the mask lets them be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recheck {
    /// The project's name.
    pub project: String,
    /// The run's id.
    pub run: String,
    /// When its records were read again, RFC 3339 in UTC.
    pub at: String,
    /// The datasets in which records differed, in the order of the run.
    pub datasets: Vec<Rechecked>,
}

/// The records of one dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rechecked {
    /// The dataset.
    pub name: String,
    /// Records that differed in the run, were missing or not expected.
    pub differed: u64,
    /// Those that are on both sides now, and the same.
    pub equal: u64,
    /// Those that neither side has any more.
    pub gone: u64,
    /// Those that still differ, or differ otherwise.
    pub still: u64,
    /// The compared columns that differed then or differ now.
    pub columns: Vec<RecheckedColumn>,
    /// The sides that had to be read whole, because their records cannot be found by their keys.
    pub read_whole: Vec<&'static str>,
    /// Records that still differ, by their keys.
    pub records: Vec<Still>,
    /// Why the dataset could not be read again.
    pub error: Option<String>,
}

/// A column of the records that were read again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecheckedColumn {
    /// Our name.
    pub name: String,
    /// Records that differed in it in the run.
    pub differed: u64,
    /// Those of them that differ in it now.
    pub still: u64,
    /// Other records that differ in it now: in the run they differed elsewhere, or had no partner.
    pub anew: u64,
}

/// A record that still differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Still {
    /// Its key, or the token of it.
    pub key: String,
    /// `differs`, `missing`, `not expected`, `repeated key` or `held back`.
    pub is: &'static str,
    /// The columns in which it differs.
    pub columns: Vec<String>,
}

impl Recheck {
    /// Returns the exit code: 0 where nothing differs any more, 1 where something does, 2 where it could not be read.
    pub fn exit_code(&self) -> u8 {
        if self.datasets.iter().any(|dataset| dataset.error.is_some()) {
            2
        } else {
            u8::from(self.datasets.iter().any(|dataset| dataset.still > 0))
        }
    }
}

/// Reads the records again that differed in a run, from both sides, and writes what still differs into a file whose path
/// is returned. The run is not changed.
///
/// # Errors
/// Where the run cannot be read, the rules do not fit the data any more, it is stopped, or the file cannot be written.
pub fn recheck(
    plan: &Plan,
    options: &RecheckOptions,
    observer: &dyn Observer,
) -> Result<(Recheck, PathBuf), EngineError> {
    let started = Utc::now();
    let run = std::fs::canonicalize(&options.run).unwrap_or_else(|_| options.run.clone());
    let result = report::read_result(&run)?;
    let mask_key = report::read_mask_key(&run)?;
    // What is read is no run: it goes when the folder does.
    let folder = RunFolder::create(&options.out, started, &options.unfinished)?;
    let as_of = plan.as_of.unwrap_or(started);
    let reader = Reader::new(plan, (folder.part(), &run), as_of, &options.cancel, observer);
    let mut datasets = Vec::new();
    for dataset in &result.datasets {
        let differing = Differing::read(&run, dataset).map_err(report::ReportError::from)?;
        // What was not judged then cannot be found again by what was found.
        let broken = dataset.error.is_some()
            || dataset.rules.iter().any(|rule| rule.id == "reconcile" && rule.status == Status::Broken);
        if differing.is_empty() && !broken {
            continue;
        }
        stop_if(&options.cancel)?;
        let name = dataset.name.as_str();
        observer.event(&Event::Stage { dataset: name.to_owned(), stage: "recheck".to_owned() });
        let mask = Mask::new(&mask_key, &dataset.masking);
        let work = Work { plan, reader: &reader, differing: &differing, as_of, scratch: folder.part() };
        let mut done = match plan.datasets.iter().find(|own| own.name.value == name) {
            _ if broken => Err("the run could not compare it: run again".to_owned()),
            None => Err("the project has no such dataset any more".to_owned()),
            Some(own) if !own.key.iter().map(|name| &name.value).eq(&dataset.key) => {
                Err("its key is another one now: run again".to_owned())
            }
            Some(own) => work.recheck(own, &mask, &options.cancel)?,
        }
        .unwrap_or_else(|error| Rechecked { error: Some(error), ..Rechecked::default() });
        stop_if(&options.cancel)?;
        name.clone_into(&mut done.name);
        done.differed = differing.keys.len() as u64;
        match &done.error {
            None => observer.event(&Event::Stage { dataset: name.to_owned(), stage: "done".to_owned() }),
            Some(message) => {
                observer.event(&Event::Failed { dataset: name.to_owned(), message: message.clone() });
            }
        }
        datasets.push(done);
    }
    let recheck = Recheck {
        project: plan.project.clone(),
        run: run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        at: started.to_rfc3339_opts(SecondsFormat::Secs, true),
        datasets,
    };
    let path = options.out.join(format!("recheck-{}.json", started.format("%Y%m%dT%H%M%S%3fZ")));
    let mut text = serde_json::to_string_pretty(&recheck).unwrap_or_default();
    text.push('\n');
    write_owner_only(&path, text.as_bytes()).map_err(|error| FolderError {
        path: path.clone(),
        doing: "written",
        error,
    })?;
    Ok((recheck, path))
}

/// What is to be done for one dataset.
struct Work<'a> {
    plan: &'a Plan,
    reader: &'a Reader<'a>,
    differing: &'a Differing,
    as_of: DateTime<Utc>,
    scratch: &'a Path,
}

/// What a record is now that still differs.
#[derive(Default)]
struct Now {
    is: Option<&'static str>,
    columns: BTreeSet<String>,
}

impl Work<'_> {
    /// Reads and compares; the inner error is a sentence about the dataset alone.
    fn recheck(
        &self,
        dataset: &Dataset,
        mask: &Mask<'_>,
        cancel: &Cancel,
    ) -> Result<Result<Rechecked, String>, EngineError> {
        if let Some(why) = self.unfit(dataset) {
            return Ok(Err(why));
        }
        let key: Vec<String> = dataset.key.iter().map(|name| name.value.clone()).collect();
        let mut out = Diagnostics::default();
        // A dataset with crosswalks is not read again.
        let holders = Holders::new();
        let read = self.reader.read(dataset, &key, self.differing, &mut |source, target| {
            let sides = [Some(source), Some(target)];
            let bound = BoundDataset::bind(dataset, sides, self.plan, &holders, self.as_of, &mut out);
            bound.reconcile().cloned()
        });
        if out.has_errors() {
            return Err(EngineError::Bind(out));
        }
        let (mut loaded, read_whole) = match read {
            Ok(read) => read,
            Err(message) => return Ok(Err(message)),
        };
        if let Err(message) = filter_sides(dataset, &mut loaded, self.as_of, &mut out) {
            return Ok(Err(message));
        }
        let (source, target) = (loaded.schema(Side::Source), loaded.schema(Side::Target));
        let bound = BoundDataset::bind(dataset, [source, target], self.plan, &holders, self.as_of, &mut out);
        if out.has_errors() {
            return Err(EngineError::Bind(out));
        }
        let compared = judge::guarded(|| Ok(self.compare(&loaded, &bound, cancel))).and_then(|done| done);
        Ok(compared.map(|(working, expected, done)| {
            let mut now = self.now(&working, &expected, &loaded, &done, &key);
            now.read_whole = read_whole;
            for record in &mut now.records {
                record.key = mask.key(&record.key);
            }
            now
        }))
    }

    /// Returns why a dataset cannot be read again record by record.
    fn unfit(&self, dataset: &Dataset) -> Option<String> {
        if dataset.source.is_none() || dataset.target.is_none() {
            Some("it has no longer two sides".to_owned())
        } else if merges(dataset) {
            Some("it merges duplicates, for which all its records are needed: run again".to_owned())
        } else if let Some((parent, merged)) = rewritten(self.plan).remove(dataset.name.value.as_str()) {
            let further =
                if parent == merged { String::new() } else { format!(", that leads to `{merged}`") };
            Some(format!("it refers to `{parent}`{further}, whose duplicates are merged: run again"))
        } else if !dataset.crosswalks.is_empty() {
            Some("its ids are replaced by a crosswalk: run again".to_owned())
        } else if dataset.key.is_empty() {
            Some("its records have no key by which they could be found: run again".to_owned())
        } else if !dataset.reconcile.natural_key.is_empty() {
            Some("its records may have other keys on either side: run again".to_owned())
        } else if dataset.key.iter().any(|name| dataset.reconcile.columns.contains_key(&name.value)) {
            Some("its keys are matched without all that stands in them: run again".to_owned())
        } else {
            dataset.unfit.clone()
        }
    }

    /// Cleanses and compares what was read.
    fn compare(
        &self,
        loaded: &Loaded,
        bound: &BoundDataset<'_>,
        cancel: &Cancel,
    ) -> Result<(Working, Frame, Reconciled), String> {
        let sides = loaded.source.as_ref().zip(loaded.target.as_ref()).zip(bound.reconcile());
        let ((source, target), rules) = sides.ok_or_else(|| "it is not reconciled any more".to_owned())?;
        let working = bound.cleanse(&source.frame, &self.plan.files, self.as_of)?;
        let expected = working.expected().map_err(|error| RuleError::from(error).to_string())?;
        let stop = || cancel.is_cancelled();
        let means = Means { memory: None, folder: self.scratch.to_owned(), partners: false, stop: &stop };
        let done = reconciled::reconcile(rules, &expected, &working, &target.frame, &means)
            .map_err(|error| error.to_string())?;
        Ok((working, expected.frame, done))
    }

    /// Counts what became of the records.
    fn now(
        &self,
        working: &Working,
        expected: &Frame,
        loaded: &Loaded,
        done: &Reconciled,
        key: &[String],
    ) -> Rechecked {
        let wanted = &self.differing.keys;
        let mut still: BTreeMap<String, Now> = BTreeMap::new();
        let mut tell = |key: Option<String>, is: &'static str, column: Option<&str>| {
            let Some(key) = key.filter(|key| wanted.contains_key(key)) else { return };
            let now = still.entry(key).or_default();
            now.is.get_or_insert(is);
            now.columns.extend(column.map(str::to_owned));
        };
        let rows = &done.outcome.rows;
        let key_of = |side: Side, row: u32| done.keys.of(side).map(|keys| keys.get(row as usize));
        for (side, list, is) in [
            (Side::Expected, &rows.missing, "missing"),
            (Side::Target, &rows.unexpected, "not expected"),
            (Side::Expected, &rows.duplicate_expected, "repeated key"),
            (Side::Target, &rows.duplicate_target, "repeated key"),
            (Side::Target, &rows.from_quarantined, "held back"),
        ] {
            for row in list {
                tell(key_of(side, *row), is, None);
            }
        }
        for (column, outcome) in done.bound.columns.iter().zip(&done.outcome.columns) {
            for pair in outcome.mismatched.iter().filter_map(|pair| rows.pairs.get(*pair as usize)) {
                tell(key_of(Side::Target, pair.target), "differs", Some(&column.name));
            }
        }
        let keys = |frame: &Frame, side: Side| all_keys(frame, &done.bound, side, key);
        let held = working.states.iter().zip(keys(&working.all, Side::Source));
        let held = held.filter(|(state, _)| **state == RowState::Quarantined);
        held.for_each(|(_, key)| tell(Some(key), "held back", None));
        let target = loaded.target.iter().flat_map(|side| keys(&side.frame, Side::Target));
        let there: HashSet<String> =
            keys(expected, Side::Expected).chain(target).filter(|key| wanted.contains_key(key)).collect();
        let gone =
            wanted.keys().filter(|key| !there.contains(*key) && !still.contains_key(*key)).count() as u64;
        let mut columns: BTreeMap<&str, RecheckedColumn> = BTreeMap::new();
        for (key, places) in wanted {
            let then = places.iter().filter_map(|place| match place {
                Place::Column(name) => Some(name.as_str()),
                Place::Alone => None,
            });
            let then: BTreeSet<&str> = then.collect();
            let now = still.get(key).map(|now| now.columns.iter().map(String::as_str).collect());
            let now: BTreeSet<&str> = now.unwrap_or_default();
            for name in then.union(&now).copied() {
                let column = columns.entry(name).or_default();
                let (differed, differs) = (then.contains(name), now.contains(name));
                column.differed += u64::from(differed);
                column.still += u64::from(differed && differs);
                column.anew += u64::from(!differed && differs);
            }
        }
        Rechecked {
            equal: wanted.len() as u64 - gone - still.len() as u64,
            gone,
            still: still.len() as u64,
            columns: columns
                .into_iter()
                .map(|(name, column)| RecheckedColumn { name: name.to_owned(), ..column })
                .collect(),
            records: still
                .into_iter()
                .map(|(key, now)| Still {
                    key,
                    is: now.is.unwrap_or("differs"),
                    columns: now.columns.into_iter().collect(),
                })
                .collect(),
            ..Rechecked::default()
        }
    }
}

/// Returns true where duplicates of a dataset are merged.
fn merges(dataset: &Dataset) -> bool {
    dataset.duplicates.iter().any(|rule| rule.common.skip.is_none() && rule.rule.merges())
}

/// Returns the datasets in which a reference may be rewritten, because the record referred to was merged into another or its
/// key holds such a reference itself; with the dataset that is referred to, and the one whose records are merged.
fn rewritten(plan: &Plan) -> BTreeMap<&str, (&str, &str)> {
    let mut found: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    // Columns that may be rewritten, with the dataset whose records are merged.
    let mut columns: BTreeMap<(&str, String), &str> = BTreeMap::new();
    loop {
        let before = columns.len();
        for dataset in &plan.datasets {
            for rule in dataset.checks.iter().filter(|rule| rule.common.skip.is_none()) {
                let Some(reference) = rule.rule.reference() else { continue };
                let parent = plan.datasets.iter().find(|other| other.name.value == reference.dataset.value);
                let Some(parent) = parent else { continue };
                let name = parent.name.value.as_str();
                let held = reference.columns.iter().find_map(|c| columns.get(&(name, c.value.clone())));
                let Some(merged) = (if merges(parent) { Some(name) } else { held.copied() }) else {
                    continue;
                };
                found.entry(&dataset.name.value).or_insert((name, merged));
                for column in rule.rule.columns() {
                    columns.entry((&dataset.name.value, column.value)).or_insert(merged);
                }
            }
        }
        if columns.len() == before {
            return found;
        }
    }
}

/// Returns the keys of all rows of a frame, in the form in which the sides meet.
fn all_keys(
    frame: &Frame,
    bound: &BoundReconcile,
    side: Side,
    key: &[String],
) -> impl Iterator<Item = String> + use<> {
    let met = bound.key_frame(frame, side).ok();
    let keys = KeyTexts::new(met.as_ref().unwrap_or(frame), key);
    (0..frame.height()).map(move |row| keys.get(row))
}
