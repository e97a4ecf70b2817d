//! Reads single records of a side by their keys, or the whole side where they cannot be found so.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::config::{Dataset, Plan, SidePlan};
use crate::correct::KeyTexts;
use crate::engine::Observer;
use crate::engine::bound::BoundDataset;
use crate::engine::prepare::{Loaded, LoadedSide, Taker, snapshot_of_run};
use crate::findings::for_each_row;
use crate::frame::{Frame, Rows};
use crate::model::{Field, Schema, Side};
use crate::reconcile::BoundReconcile;
use crate::snapshot::{Manifest, SnapshotError, manifest_in};
use crate::source::{Cancel, Selection, SourceError, among};

use super::found::Differing;

/// Keys that a statement names, where the key is one column; fewer where it has more.
const KEYS: usize = 1_000;
/// With more records to find than this a whole side is read sooner.
const MOST: usize = 50_000;

/// Reads the sides of datasets.
pub struct Reader<'a> {
    plan: &'a Plan,
    run: &'a Path,
    as_of: DateTime<Utc>,
    taker: Taker<'a>,
}

/// One side of a dataset.
struct OneSide<'a> {
    dataset: &'a Dataset,
    side: Side,
    plan: &'a SidePlan,
    bound: &'a BoundReconcile,
    key: &'a [String],
    manifest: &'a Manifest,
    differing: &'a Differing,
    /// True where no step changed a key.
    raw: bool,
}

impl<'a> Reader<'a> {
    /// Makes the reader; `scratch` is a folder for what is read.
    pub fn new(
        plan: &'a Plan,
        (scratch, run): (&Path, &'a Path),
        as_of: DateTime<Utc>,
        cancel: &'a Cancel,
        observer: &'a dyn Observer,
    ) -> Self {
        Reader { plan, run, as_of, taker: Taker::new(plan, scratch, false, cancel, observer) }
    }

    /// Reads what differed of both sides, and returns which sides were read whole.
    ///
    /// `bind` binds the reconciliation to the columns that the run found. Whole sides may have other rows too.
    ///
    /// # Errors
    /// A sentence without a value.
    pub fn read(
        &self,
        dataset: &Dataset,
        key: &[String],
        differing: &Differing,
        bind: &mut dyn FnMut(&Schema, &Schema) -> Option<BoundReconcile>,
    ) -> Result<(Loaded, Vec<&'static str>), String> {
        let name = dataset.name.value.as_str();
        let (Some(source), Some(target)) = (&dataset.source, &dataset.target) else {
            return Err("it has no longer two sides".to_owned());
        };
        let manifest = |side: Side| {
            manifest_in(&snapshot_of_run(self.run, name, word(side))).map_err(|error| error.to_string())
        };
        let (of_source, of_target) = (manifest(Side::Source)?, manifest(Side::Target)?);
        let Some(bound) = bind(&of_source.schema(), &of_target.schema()) else {
            return Err("it is not reconciled any more".to_owned());
        };
        let raw = self.keys_are_raw(dataset, key, &of_source)?;
        let mut whole = Vec::new();
        let mut read = |side: Side, plan: &SidePlan, manifest: &Manifest, raw: bool| {
            let one = OneSide { dataset, side, plan, bound: &bound, key, manifest, differing, raw };
            let by_key = self.by_key(&one)?;
            if by_key.is_none() {
                whole.push(word(side));
            }
            by_key.map_or_else(|| self.whole(&one), Ok)
        };
        let loaded = Loaded {
            source: Some(read(Side::Source, source, &of_source, raw)?),
            target: Some(read(Side::Target, target, &of_target, true)?),
            ..Loaded::default()
        };
        Ok((loaded, whole))
    }

    /// Returns true where no step of the run changed a key, nor its type: then a record has the same on its way.
    fn keys_are_raw(&self, dataset: &Dataset, key: &[String], source: &Manifest) -> Result<bool, String> {
        let path = self.run.join("changes").join(format!("{}.parquet", dataset.name.value));
        if !path.exists() {
            return Ok(false);
        }
        let schema = source.schema();
        // `0001` that becomes the number 1 is no correction, but another key.
        let cleansed = BoundDataset::cleansed(dataset, &schema, self.plan, self.as_of);
        let same =
            |name: &String| schema.get(name).map(|f| &f.logical) == cleansed.get(name).map(|f| &f.logical);
        if !key.iter().all(same) {
            return Ok(false);
        }
        let theirs: Vec<&str> =
            key.iter().filter_map(|name| Some(schema.get(name)?.source_name.as_str())).collect();
        let mut raw = true;
        for_each_row(&path, &["column"], |cells| {
            raw &= !cells.first().copied().flatten().is_some_and(|column| theirs.contains(&column));
        })
        .map_err(|error| error.to_string())?;
        Ok(raw)
    }

    /// Reads the records alone; nothing where they cannot be named in the database's own words.
    fn by_key(&self, one: &OneSide<'_>) -> Result<Option<LoadedSide>, String> {
        if one.plan.made.is_some() {
            return Err(format!(
                "the {} is a query over other datasets, whose rows are made by a whole run alone: make a new run",
                word(one.side)
            ));
        }
        let Some(conditions) = one.conditions() else { return Ok(None) };
        let mut all: Option<LoadedSide> = None;
        for (keys, condition) in conditions {
            let mut request = one.plan.request.clone();
            let Selection::Table(table) = &mut request.selection else { return Ok(None) };
            table.among = Some(condition);
            let name = one.dataset.name.value.as_str();
            let part = self.taker.take_of(name, word(one.side), &request);
            let part = match part.and_then(|snapshot| LoadedSide::load(snapshot, false, None)) {
                Ok(mut part) => {
                    // A server may find keys in another case too, which another statement names.
                    let met =
                        one.bound.key_frame(&part.frame, one.side).map_err(|error| error.to_string())?;
                    let texts = KeyTexts::new(&met, one.key);
                    let named: Vec<bool> =
                        (0..part.frame.height()).map(|row| keys.contains(texts.get(row).as_str())).collect();
                    part.frame = part.frame.filter(&named).map_err(|error| error.to_string())?;
                    part
                }
                Err(
                    error @ (SnapshotError::Unopened { .. } | SnapshotError::Source(SourceError::Cancelled)),
                ) => {
                    return Err(said(one.side, &error));
                }
                // What the database has against the keys may hold one of them: it is not told.
                Err(_) => return Ok(None),
            };
            all = Some(match all.take() {
                None => part,
                Some(mut all) if all.frame.schema == part.frame.schema => {
                    all.frame = all.frame.with(&part.frame).map_err(|error| error.to_string())?;
                    all
                }
                // The columns are of another type where other values are in them.
                Some(_) => return Ok(None),
            });
        }
        Ok(all)
    }

    /// Reads the whole side, and keeps the records alone where they can be told.
    fn whole(&self, one: &OneSide<'_>) -> Result<LoadedSide, String> {
        let name = one.dataset.name.value.as_str();
        let rests = one.raw && !one.key.iter().any(|name| name == crate::reconcile::ROW);
        let read = self.taker.take_of(name, word(one.side), &one.plan.request);
        let mut side = read
            .and_then(|snapshot| LoadedSide::load(snapshot, rests, None))
            .map_err(|error| said(one.side, &error))?;
        if let Some(rows) = side.resting.take() {
            side.frame = one.pick(&rows)?;
        }
        Ok(side)
    }
}

impl OneSide<'_> {
    /// Returns conditions that name all records, some in each, with the keys of those.
    fn conditions(&self) -> Option<Vec<(BTreeSet<&str>, String)>> {
        let server = &self.manifest.server.as_ref()?.version;
        let named = |part: &crate::reconcile::KeyColumn| part.is_as_it_stands(self.side);
        if !self.raw || self.differing.keys.len() > MOST || !self.bound.key.iter().all(named) {
            return None;
        }
        let schema = self.manifest.schema();
        let columns: Vec<&Field> = self.key.iter().map(|name| schema.get(name)).collect::<Option<_>>()?;
        let keys = self.differing.parts()?;
        let keys: Vec<Vec<&str>> =
            keys.iter().map(|parts| parts.iter().map(String::as_str).collect()).collect();
        let each = (KEYS / columns.len().pow(2)).max(1);
        let texts: Vec<&str> = self.differing.keys.keys().map(String::as_str).collect();
        keys.chunks(each)
            .zip(texts.chunks(each))
            .map(|(some, texts)| Some((texts.iter().copied().collect(), among(server, &columns, some)?)))
            .collect()
    }

    /// Fetches the records of a side whose rows rest.
    fn pick(&self, rows: &dyn Rows) -> Result<Frame, String> {
        let mut indexes = Vec::new();
        let mut failed = None;
        for piece in 0..rows.pieces() {
            let visited = rows.visit(piece, self.key, &mut |first, frame| match self
                .bound
                .key_frame(&frame, self.side)
            {
                Ok(met) => {
                    let keys = KeyTexts::new(&met, self.key);
                    let here =
                        (0..frame.height()).filter(|row| self.differing.keys.contains_key(&keys.get(*row)));
                    indexes.extend(here.filter_map(|row| u32::try_from(first + row as u64).ok()));
                }
                Err(error) => failed = Some(error.to_string()),
            });
            if let Some(error) = visited.err().map(|error| error.to_string()).or(failed.take()) {
                return Err(error);
            }
        }
        rows.fetch(&indexes).map_err(|error| error.to_string())
    }
}

fn word(side: Side) -> &'static str {
    if side == Side::Target { "target" } else { "source" }
}

fn said(side: Side, error: &SnapshotError) -> String {
    format!("the {} could not be read: {error}", word(side))
}
