//! A snapshot while it is being taken: parts are written side by side, and each that is complete is noted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use chrono::Utc;
use parquet::file::statistics::Statistics;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::{Field, Logical, Schema};
use crate::source::{
    Cancel, ColumnNote, Part, ReadPlan, ReadRequest, Sink, SinkError, Unfinished, arrow_schema, load_parquet,
};

use super::manifest::{day, time_text};
use super::store::TakeOptions;
use super::writer::{Hashed, ParquetWriter, publish, temporary_beside};
use super::{Column, DataFile, MANIFEST_VERSION, Moments, SnapshotError, WriteError, store};

/// The file that says what a reading that was cut off has left.
const STATE: &str = "unfinished.json";

/// How far a snapshot has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows so far.
    pub rows: u64,
    /// Rows in all, as far as that is known beforehand.
    pub of: Option<u64>,
    /// Bytes in memory so far, before they are compressed.
    pub bytes: u64,
}

/// What stands in [`STATE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    version: u32,
    /// What was asked for: nothing else can be gone on with.
    request: Json,
    columns: Vec<Column>,
    plan: Json,
    rows: Option<u64>,
    parts: BTreeMap<usize, Done>,
}

/// A complete part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Done {
    /// Its file; nothing for a part without rows.
    file: Option<DataFile>,
    nulls: Vec<Option<u64>>,
    padded: Vec<Option<u64>>,
    /// When it was begun.
    #[serde(default)]
    begun: Option<String>,
}

impl State {
    /// Returns the rows of the parts that are complete.
    fn done(&self) -> u64 {
        self.parts.values().filter_map(|part| part.file.as_ref()).map(|file| file.rows).sum()
    }

    /// Says what is complete: `150,000 rows, read on …`.
    fn words(&self) -> String {
        let rows = match self.done() {
            1 => "1 row".to_owned(),
            rows => format!("{} rows", grouped(rows)),
        };
        match self.parts.values().filter_map(|part| part.begun.as_ref()).min() {
            Some(first) => format!("{rows}, read on {}", day(first)),
            None => rows,
        }
    }
}

/// Writes a count with commas between the thousands.
fn grouped(count: u64) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", grouped(count / 1000), count % 1000) }
}

/// Says what a reading that was cut off has left in a folder; nothing where no part of it is complete.
pub(super) fn left_words(folder: &Path, request: &ReadRequest) -> Option<String> {
    let state = state_in(folder, &request_of(request))?;
    (!state.parts.is_empty()).then(|| state.words())
}

/// A snapshot while it is taken.
pub(super) struct Taking<'a> {
    folder: PathBuf,
    cancel: &'a Cancel,
    tell: &'a (dyn Fn(Progress) + Sync),
    note: &'a (dyn Fn(&str) + Sync),
    /// True where what is complete is noted, for another reading to go on with.
    noted: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    state: State,
    left: Option<State>,
    schema: Schema,
    arrow: SchemaRef,
    progress: Progress,
    /// When it was continued.
    continued: Option<String>,
}

/// What a complete snapshot is made of.
pub(super) struct Taken {
    pub schema: Schema,
    pub files: Vec<DataFile>,
    /// When its parts were read; nothing where that is not noted.
    pub moments: Option<Moments>,
    nulls: Vec<Option<u64>>,
    padded: Vec<Option<u64>>,
}

impl<'a> Taking<'a> {
    /// Begins to take a snapshot into a folder. Where `noted`, what is there of the same request can be gone on with.
    pub fn new(folder: &Path, request: &ReadRequest, noted: bool, options: &TakeOptions<'a>) -> Self {
        let TakeOptions { cancel, tell, note, resume, .. } = *options;
        let schema = Schema::default();
        let state = State {
            version: MANIFEST_VERSION,
            request: request_of(request),
            columns: Vec::new(),
            plan: Json::Null,
            rows: None,
            parts: BTreeMap::new(),
        };
        let left = if noted { left_in(folder, &state.request) } else { None };
        if resume && noted && left.is_none() {
            note("there is no unfinished reading to go on with: it is read from its beginning");
        }
        let arrow = arrow_schema(&schema);
        let inner = Inner { state, left, schema, arrow, progress: Progress::default(), continued: None };
        Taking { folder: folder.to_owned(), cancel, tell, note, noted, inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nobody leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true where at least one part is complete and noted, of this reading or of the one before.
    pub fn is_worth_keeping(&self) -> bool {
        let inner = self.inner();
        let of_earlier = inner.left.as_ref().is_some_and(|left| !left.parts.is_empty());
        self.noted && (of_earlier || !inner.state.parts.is_empty())
    }

    /// Completes the snapshot's files: there is at least one, even without rows.
    pub fn close(self) -> Result<Taken, WriteError> {
        let none = self.inner().state.parts.values().all(|part| part.file.is_none());
        if none {
            let arrow = self.inner().arrow.clone();
            let name = file_name(0);
            let written = ParquetWriter::create_packed(&self.folder.join(&name), arrow)?.finish()?;
            let columns = self.inner().schema.fields.len();
            let file = DataFile { name, rows: written.rows, sha256: written.sha256 };
            let nulls = vec![Some(0); columns];
            let done = Done { file: Some(file), nulls, padded: vec![None; columns], begun: Some(now()) };
            self.inner().state.parts.insert(0, done);
        }
        let _ = std::fs::remove_file(self.folder.join(STATE));
        let inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        let begun = || inner.state.parts.values().filter_map(|part| part.begun.clone());
        let moments = begun().min().zip(begun().max());
        let mut taken = Taken {
            moments: moments.map(|(first, last)| Moments { first, last, continued: inner.continued }),
            nulls: vec![Some(0); inner.schema.fields.len()],
            padded: inner.schema.fields.iter().map(|field| is_padded(field).then_some(0)).collect(),
            schema: inner.schema,
            files: Vec::new(),
        };
        for part in inner.state.parts.into_values() {
            for (sum, more) in taken.nulls.iter_mut().zip(&part.nulls) {
                *sum = sum.zip(*more).map(|(sum, more)| sum + more);
            }
            for (sum, more) in taken.padded.iter_mut().zip(&part.padded) {
                *sum = sum.map(|sum| sum + more.unwrap_or(0));
            }
            taken.files.extend(part.file);
        }
        Ok(taken)
    }

    /// Notes a complete part.
    fn done(&self, number: usize, done: Done) -> Result<(), WriteError> {
        let mut inner = self.inner();
        inner.state.parts.insert(number, done);
        if self.noted {
            write_state(&self.folder.join(STATE), &inner.state)?;
        }
        Ok(())
    }

    fn add(&self, rows: u64, bytes: u64) {
        let progress = {
            let mut inner = self.inner();
            inner.progress.rows += rows;
            inner.progress.bytes += bytes;
            inner.progress
        };
        (self.tell)(progress);
    }

    /// Copies a file, and returns its hash.
    fn copy(&self, path: &Path, file: &mut dyn Read) -> Result<String, SinkError> {
        use std::io::Write;
        let temporary = temporary_beside(path)?;
        let handle = temporary.as_file().try_clone().map_err(WriteError::io(path))?;
        let mut output = Hashed::new(handle);
        let mut buffer = vec![0; 256 << 10];
        loop {
            self.cancel.check()?;
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            output.write_all(buffer.get(..count).unwrap_or_default()).map_err(WriteError::io(path))?;
            self.add(0, count as u64);
        }
        let sha256 = output.finish().map_err(WriteError::io(path))?;
        publish(temporary, path)?;
        Ok(sha256)
    }
}

impl Taken {
    /// Returns the columns with what is known of their values.
    pub fn columns(&self, notes: &[ColumnNote]) -> Vec<Column> {
        let counts = self.nulls.iter().zip(&self.padded);
        let columns = self.schema.fields.iter().zip(counts);
        columns
            .map(|(field, (nulls, padded))| {
                let notes = notes.iter().filter(|note| note.column == field.name);
                column(field, *nulls, *padded, notes.map(|note| note.text.clone()).collect())
            })
            .collect()
    }
}

impl Sink for Taking<'_> {
    fn unfinished(&self) -> Option<Unfinished> {
        let inner = self.inner();
        let left = inner.left.as_ref()?;
        Some(Unfinished {
            schema: Schema { fields: left.columns.iter().map(Column::field).collect() },
            parts: left.plan.clone(),
            finished: left.parts.keys().copied().collect::<BTreeSet<_>>(),
        })
    }

    fn note(&self, text: &str) {
        (self.note)(text);
    }

    fn start(&self, schema: &Schema, plan: &ReadPlan) -> Result<(), SinkError> {
        let mut inner = self.inner();
        if let Some(left) = inner.left.take().filter(|left| !left.parts.is_empty()) {
            let what = left.words();
            (self.note)(&format!(
                "the unfinished reading ({what}) is not of what is there now: it is read anew"
            ));
        }
        inner.continued = None;
        inner.state.parts.clear();
        if self.noted {
            // What is noted is of parts that go too.
            let _ = std::fs::remove_file(self.folder.join(STATE));
        }
        remove_others(&self.folder, &inner.state)?;
        inner.progress = Progress::default();
        inner.arrow = arrow_schema(schema);
        inner.schema = schema.clone();
        inner.state.columns =
            schema.fields.iter().map(|field| column(field, None, None, Vec::new())).collect();
        inner.state.plan = plan.parts.clone();
        inner.state.rows = plan.rows;
        inner.progress.of = plan.rows;
        Ok(())
    }

    fn resume(&self) -> Result<(), SinkError> {
        let mut inner = self.inner();
        let left = inner.left.take().ok_or("there is nothing to go on from")?;
        remove_others(&self.folder, &left)?;
        inner.schema = Schema { fields: left.columns.iter().map(Column::field).collect() };
        inner.arrow = arrow_schema(&inner.schema);
        inner.progress.of = left.rows;
        inner.progress.rows = left.done();
        inner.continued = Some(now());
        (self.note)(&format!("goes on with what was read before: {}", left.words()));
        inner.state = left;
        Ok(())
    }

    fn part(&self, number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        let (arrow, columns) = {
            let inner = self.inner();
            let padded: Vec<_> = inner.schema.fields.iter().map(|f| is_padded(f).then_some(0)).collect();
            (inner.arrow.clone(), padded)
        };
        let nulls = vec![Some(0); columns.len()];
        let done = Done { file: None, nulls, padded: columns, begun: Some(now()) };
        Ok(Box::new(Open { taking: self, number, arrow, writer: None, done, told: (0, 0) }))
    }

    fn parquet_file(&self, number: usize, file: &mut dyn Read) -> Result<(), SinkError> {
        let name = file_name(number);
        let path = self.folder.join(&name);
        let begun = Some(now());
        let sha256 = self.copy(&path, file)?;
        let problem = |problem: String| SnapshotError::Read { path: path.clone(), problem };
        let copied = File::open(&path).map_err(|e| problem(e.to_string()))?;
        let metadata = load_parquet(&copied).map_err(|e| problem(e.to_string()))?;
        let schema = self.inner().schema.clone();
        let names = metadata.schema().fields().iter().map(|field| field.name());
        if !names.eq(schema.fields.iter().map(|field| &field.source_name)) {
            return Err(problem("its columns are not those that were read before".to_owned()).into());
        }
        let mut rows = 0;
        let mut nulls = vec![Some(0); schema.fields.len()];
        for group in metadata.metadata().row_groups() {
            rows += u64::try_from(group.num_rows()).map_err(|e| problem(e.to_string()))?;
            for (nulls, chunk) in nulls.iter_mut().zip(group.columns()) {
                let more = chunk.statistics().and_then(Statistics::null_count_opt);
                *nulls = nulls.zip(more).map(|(sum, more)| sum + more);
            }
        }
        let padded = schema.fields.iter().map(|field| is_padded(field).then_some(0)).collect();
        self.done(number, Done { file: Some(DataFile { name, rows, sha256 }), nulls, padded, begun })?;
        self.add(rows, 0);
        Ok(())
    }
}

/// A part while it is written.
struct Open<'a> {
    taking: &'a Taking<'a>,
    number: usize,
    arrow: SchemaRef,
    writer: Option<ParquetWriter>,
    done: Done,
    /// Rows and bytes that were told of.
    told: (u64, u64),
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // Where it was not finished, nothing was read.
        let (rows, bytes) = self.told;
        let progress = &mut self.taking.inner().progress;
        progress.rows = progress.rows.saturating_sub(rows);
        progress.bytes = progress.bytes.saturating_sub(bytes);
    }
}

impl Part for Open<'_> {
    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.taking.cancel.check()?;
        let counts = self.done.nulls.iter_mut().zip(&mut self.done.padded);
        for (array, (nulls, padded)) in batch.columns().iter().zip(counts) {
            if let Some(nulls) = nulls {
                *nulls += array.null_count() as u64;
            }
            if let (Some(padded), Some(texts)) = (padded, array.as_string_view_opt()) {
                *padded += texts.iter().flatten().filter(|text| text.ends_with(' ')).count() as u64;
            }
        }
        let (rows, bytes) = (batch.num_rows() as u64, batch.get_array_memory_size() as u64);
        let writer = match &mut self.writer {
            Some(open) => open,
            None => {
                let path = self.taking.folder.join(file_name(self.number));
                self.writer.insert(ParquetWriter::create_packed(&path, self.arrow.clone())?)
            }
        };
        writer.write(batch)?;
        self.taking.add(rows, bytes);
        self.told.0 += rows;
        self.told.1 += bytes;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), SinkError> {
        if let Some(writer) = self.writer.take() {
            let written = writer.finish()?;
            let name = file_name(self.number);
            self.done.file = Some(DataFile { name, rows: written.rows, sha256: written.sha256 });
        }
        self.taking.done(self.number, self.done.clone())?;
        self.told = (0, 0);
        Ok(())
    }
}

/// Returns the time, as parts note it.
fn now() -> String {
    time_text(Utc::now())
}

fn file_name(number: usize) -> String {
    format!("data-{:04}.parquet", number + 1)
}

fn is_padded(field: &Field) -> bool {
    matches!(field.logical, Logical::Text { padded: true, .. })
}

fn column(field: &Field, nulls: Option<u64>, padded: Option<u64>, notes: Vec<String>) -> Column {
    Column {
        source_name: field.source_name.clone(),
        name: field.name.clone(),
        logical: field.logical.clone(),
        source_type: field.source_type.clone(),
        inferred: field.inferred,
        format: field.format.clone(),
        timezone: field.timezone.clone(),
        nulls,
        padded,
        notes,
    }
}

/// Returns what makes two requests the same.
pub(super) fn request_of(request: &ReadRequest) -> Json {
    serde_json::json!({
        "connection": request.connection,
        "query": request.query(),
        "options": request.options(),
        "columns": request.columns.columns.iter().map(|(theirs, ours)| (theirs, &ours.value)).collect::<Vec<_>>(),
    })
}

/// Returns what an earlier reading of the same request noted in a folder.
fn state_in(folder: &Path, request: &Json) -> Option<State> {
    let text = std::fs::read_to_string(folder.join(STATE)).ok()?;
    let state: State = serde_json::from_str(&text).ok()?;
    (state.version == MANIFEST_VERSION && state.request == *request).then_some(state)
}

/// Returns what an earlier reading of the same request left in a folder; parts whose bytes are others are left out.
fn left_in(folder: &Path, request: &Json) -> Option<State> {
    let mut state = state_in(folder, request)?;
    state.parts.retain(|number, part| match &part.file {
        None => true,
        Some(file) => {
            file.name == file_name(*number)
                && store::hash_file(&folder.join(&file.name)).is_ok_and(|hash| hash == file.sha256)
        }
    });
    Some(state)
}

/// Removes what a reading that was killed has left half written.
fn remove_others(folder: &Path, left: &State) -> Result<(), WriteError> {
    for entry in std::fs::read_dir(folder).map_err(WriteError::io(folder))? {
        let entry = entry.map_err(WriteError::io(folder))?;
        let name = entry.file_name();
        let is_kept = |part: &Done| part.file.as_ref().is_some_and(|file| *file.name == *name);
        if *name != *STATE && !left.parts.values().any(is_kept) {
            std::fs::remove_file(entry.path()).map_err(WriteError::io(&entry.path()))?;
        }
    }
    Ok(())
}

fn write_state(path: &Path, state: &State) -> Result<(), WriteError> {
    let temporary = temporary_beside(path)?;
    serde_json::to_writer(temporary.as_file(), state).map_err(|e| WriteError::io(path)(e.into()))?;
    publish(temporary, path)
}
