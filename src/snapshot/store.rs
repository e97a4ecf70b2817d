//! Where snapshots live: taken into a folder that is renamed when it is complete.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use chrono::Utc;
use parquet::file::statistics::Statistics;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::frame::Frame;
use crate::model::{Logical, Schema};
use crate::source::{
    Cancel, ColumnNote, Connector, ReadReport, ReadRequest, Sink, SinkError, SourceError, arrow_schema, hex,
    load_parquet,
};

use super::manifest::time_text;
use super::writer::{Hashed, ParquetWriter, make_folders, publish, temporary_beside};
use super::{Column, DataFile, Input, MANIFEST_VERSION, Manifest, SnapshotError, WriteError, reader};

const MANIFEST: &str = "manifest.json";

/// The folder of all snapshots: `<root>/<dataset>/<side>/<id>/`.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Makes the store in a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Store { root: root.into() }
    }

    /// Returns the folder of a dataset's side.
    fn folder(&self, dataset: &str, side: &str) -> Result<PathBuf, SnapshotError> {
        for name in [dataset, side] {
            let mut parts = Path::new(name).components();
            let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
            if !plain || name.contains(['/', '\\', '\0']) {
                return Err(SnapshotError::Name(name.to_owned()));
            }
        }
        Ok(self.root.join(dataset).join(side))
    }
}

/// A snapshot whose files are as they were when it was taken.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The id, made from the content.
    pub id: String,
    /// The folder.
    pub path: PathBuf,
    /// What the snapshot says about itself.
    pub manifest: Manifest,
}

/// Takes a snapshot of one side of a dataset.
///
/// The rows are written into a folder that ends in `.part`, which is removed where anything fails or the
/// user stops; it gets its name when all is there. Where the store has the same content already, that
/// snapshot is returned. `progress` hears the number of rows so far.
///
/// # Errors
/// Where the source could not be read or the snapshot not be written; then there is no snapshot.
pub fn take(
    store: &Store,
    dataset: &str,
    side: &str,
    connector: &dyn Connector,
    request: &ReadRequest,
    cancel: &Cancel,
    progress: &dyn Fn(u64),
) -> Result<Snapshot, SnapshotError> {
    let folder = store.folder(dataset, side)?;
    make_folders(&folder).map_err(WriteError::io(&folder))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix("").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let part = builder.tempdir_in(&folder).map_err(WriteError::io(&folder))?;
    let taken_at = time_text(Utc::now());
    let mut taking = Taking::new(part.path(), cancel, progress);
    let report = connector.read(request, cancel, &mut taking).map_err(plain_error)?;
    taking.close()?;
    let mut manifest = Manifest {
        version: MANIFEST_VERSION,
        id: String::new(),
        dataset: dataset.to_owned(),
        side: side.to_owned(),
        connection: request.connection.clone(),
        query: request.query(),
        options: request.options(),
        inputs: inputs(&report),
        taken_at,
        rows: taking.files.iter().map(|file| file.rows).sum(),
        columns: taking.columns(&report.notes),
        files: taking.files,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    };
    manifest.id = manifest.content_id();
    write_manifest(&part.path().join(MANIFEST), &manifest)?;
    cancel.check()?;
    keep(part, &folder.join(&manifest.id), manifest)
}

/// Gives a complete folder its name, unless the same content is there already.
fn keep(part: TempDir, path: &Path, manifest: Manifest) -> Result<Snapshot, SnapshotError> {
    if path.exists() {
        if let Ok(existing) = Snapshot::open(path) {
            return Ok(existing);
        }
        // The same content under the same name, damaged since: what was just taken is what it was.
        std::fs::remove_dir_all(path).map_err(WriteError::io(path))?;
    }
    if let Err(error) = std::fs::rename(part.path(), path) {
        // Another run may have taken the same just now.
        return Snapshot::open(path).map_err(|_| WriteError::io(path)(error).into());
    }
    // The folder has another name now: there is nothing to remove.
    let _ = part.keep();
    sync_folder(path.parent().unwrap_or(path));
    Ok(Snapshot { id: manifest.id.clone(), path: path.to_owned(), manifest })
}

/// Brings the names in a folder to the disk, on systems that can.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(path) {
        // Some file systems cannot, which costs nothing but safety against a loss of power.
        let _ = folder.sync_all();
    }
}

fn inputs(report: &ReadReport) -> Vec<Input> {
    let input = |file: &crate::source::ReadFile| Input {
        path: file.path.clone(),
        size: file.size,
        modified: file.modified.map(time_text),
        sha256: file.sha256.clone(),
    };
    report.files.iter().map(input).collect()
}

fn write_manifest(path: &Path, manifest: &Manifest) -> Result<(), SnapshotError> {
    let temporary = temporary_beside(path)?;
    serde_json::to_writer_pretty(temporary.as_file(), manifest)
        .map_err(|e| WriteError::io(path)(e.into()))?;
    Ok(publish(temporary, path)?)
}

/// Takes our own errors out of the source's.
fn plain_error(error: SourceError) -> SnapshotError {
    let SourceError::Sink(inner) = error else { return error.into() };
    match inner.downcast::<WriteError>() {
        Ok(write) => SnapshotError::Write(*write),
        Err(inner) => match inner.downcast::<SourceError>() {
            Ok(source) => SnapshotError::Source(*source),
            Err(inner) => match inner.downcast::<SnapshotError>() {
                Ok(snapshot) => *snapshot,
                Err(inner) => SnapshotError::Source(SourceError::Sink(inner)),
            },
        },
    }
}

impl Snapshot {
    /// Opens a snapshot; every file must have the bytes it was taken with.
    ///
    /// # Errors
    /// Where there is none, its manifest is of another version, or a file is missing or has changed.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let manifest = read_manifest(&path.join(MANIFEST))?;
        for file in &manifest.files {
            let data = path.join(&file.name);
            let hash = hash_file(&data)
                .map_err(|e| SnapshotError::Read { path: data.clone(), problem: e.to_string() })?;
            if hash != file.sha256 {
                return Err(SnapshotError::Changed(data));
            }
        }
        if manifest.content_id() != manifest.id {
            return Err(SnapshotError::Changed(path.join(MANIFEST)));
        }
        Ok(Snapshot { id: manifest.id.clone(), path: path.to_owned(), manifest })
    }

    /// Reads the rows into memory, under our names; `char(n)` loses its padding.
    ///
    /// # Errors
    /// Where a file could not be read.
    pub fn read(&self) -> Result<Frame, SnapshotError> {
        reader::read(&self.path, &self.manifest)
    }

    /// Returns what should be known of single columns: types that were widened, padding that was dropped.
    pub fn notes(&self) -> Vec<ColumnNote> {
        let columns = self.manifest.columns.iter().flat_map(|column| {
            let padded = column.padded.filter(|count| *count > 0).map(|count| {
                let values = if count == 1 { "value" } else { "values" };
                format!("`{}`: {count} {values} without the trailing blanks that pad it", column.logical)
            });
            column
                .notes
                .iter()
                .cloned()
                .chain(padded)
                .map(|text| ColumnNote { column: column.name.clone(), text })
        });
        columns.collect()
    }

    /// Puts the snapshot's files into a folder that is there: as hard links, or copies where links fail.
    ///
    /// # Errors
    /// Where a file could be neither linked nor copied.
    pub fn link_into(&self, folder: &Path) -> Result<(), WriteError> {
        let names = self.manifest.files.iter().map(|file| file.name.as_str()).chain([MANIFEST]);
        for name in names {
            let (from, to) = (self.path.join(name), folder.join(name));
            if std::fs::hard_link(&from, &to).is_err() {
                std::fs::copy(&from, &to).map_err(WriteError::io(&to))?;
            }
        }
        Ok(())
    }
}

fn read_manifest(path: &Path) -> Result<Manifest, SnapshotError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(SnapshotError::NoManifest(path.parent().unwrap_or(path).to_owned()));
        }
        Err(e) => return Err(SnapshotError::Read { path: path.to_owned(), problem: e.to_string() }),
    };
    let bad = |problem: String| SnapshotError::Manifest { path: path.to_owned(), problem };
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))?;
    let found = json.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if found != u64::from(MANIFEST_VERSION) {
        return Err(SnapshotError::Version { path: path.to_owned(), found, known: MANIFEST_VERSION });
    }
    let manifest: Manifest = serde_json::from_value(json).map_err(|e| bad(e.to_string()))?;
    for file in &manifest.files {
        if Path::new(&file.name).file_name() != Some(file.name.as_ref()) {
            return Err(bad(format!("`{}` is not a file of the snapshot's own folder", file.name)));
        }
    }
    Ok(manifest)
}

fn hash_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// A snapshot while it is taken.
struct Taking<'a> {
    folder: &'a Path,
    cancel: &'a Cancel,
    progress: &'a dyn Fn(u64),
    schema: Schema,
    arrow: SchemaRef,
    writer: Option<(String, ParquetWriter)>,
    files: Vec<DataFile>,
    rows: u64,
    nulls: Vec<Option<u64>>,
    padded: Vec<Option<u64>>,
}

impl<'a> Taking<'a> {
    fn new(folder: &'a Path, cancel: &'a Cancel, progress: &'a dyn Fn(u64)) -> Self {
        let schema = Schema::default();
        Taking {
            folder,
            cancel,
            progress,
            arrow: arrow_schema(&schema),
            schema,
            writer: None,
            files: Vec::new(),
            rows: 0,
            nulls: Vec::new(),
            padded: Vec::new(),
        }
    }

    fn next_name(&self) -> String {
        format!("data-{:04}.parquet", self.files.len() + 1)
    }

    fn begin(&self) -> Result<(String, ParquetWriter), WriteError> {
        let name = self.next_name();
        let writer = ParquetWriter::create(&self.folder.join(&name), SchemaRef::clone(&self.arrow))?;
        Ok((name, writer))
    }

    /// Completes the file that batches go to.
    fn end_file(&mut self) -> Result<(), WriteError> {
        if let Some((name, writer)) = self.writer.take() {
            let written = writer.finish()?;
            self.files.push(DataFile { name, rows: written.rows, sha256: written.sha256 });
        }
        Ok(())
    }

    /// Completes the snapshot's files: there is at least one, even without rows.
    fn close(&mut self) -> Result<(), WriteError> {
        if self.writer.is_none() && self.files.is_empty() {
            self.writer = Some(self.begin()?);
        }
        self.end_file()
    }

    fn add_rows(&mut self, rows: u64) {
        self.rows += rows;
        (self.progress)(self.rows);
    }

    fn columns(&self, notes: &[ColumnNote]) -> Vec<Column> {
        let counts = self.nulls.iter().zip(&self.padded);
        let column =
            |(field, (nulls, padded)): (&crate::model::Field, (&Option<u64>, &Option<u64>))| Column {
                source_name: field.source_name.clone(),
                name: field.name.clone(),
                logical: field.logical.clone(),
                source_type: field.source_type.clone(),
                inferred: field.inferred,
                format: field.format.clone(),
                timezone: field.timezone.clone(),
                nulls: *nulls,
                padded: *padded,
                notes: notes
                    .iter()
                    .filter(|note| note.column == field.name)
                    .map(|note| note.text.clone())
                    .collect(),
            };
        self.schema.fields.iter().zip(counts).map(column).collect()
    }

    /// Copies a file, and returns its name and hash.
    fn copy(&self, file: &mut dyn Read) -> Result<(String, String), SinkError> {
        use std::io::Write;
        let name = self.next_name();
        let path = self.folder.join(&name);
        let temporary = temporary_beside(&path)?;
        let handle = temporary.as_file().try_clone().map_err(WriteError::io(&path))?;
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
            output.write_all(buffer.get(..count).unwrap_or_default()).map_err(WriteError::io(&path))?;
        }
        let sha256 = output.finish().map_err(WriteError::io(&path))?;
        publish(temporary, &path)?;
        Ok((name, sha256))
    }
}

impl Sink for Taking<'_> {
    fn start(&mut self, schema: &Schema) -> Result<(), SinkError> {
        self.arrow = arrow_schema(schema);
        self.nulls = vec![Some(0); schema.fields.len()];
        let padded =
            |field: &crate::model::Field| matches!(field.logical, Logical::Text { padded: true, .. });
        self.padded = schema.fields.iter().map(|field| padded(field).then_some(0)).collect();
        self.schema = schema.clone();
        Ok(())
    }

    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.cancel.check()?;
        for ((array, nulls), padded) in batch.columns().iter().zip(&mut self.nulls).zip(&mut self.padded) {
            if let Some(nulls) = nulls {
                *nulls += array.null_count() as u64;
            }
            if let (Some(padded), Some(texts)) = (padded, array.as_string_view_opt()) {
                *padded += texts.iter().flatten().filter(|text| text.ends_with(' ')).count() as u64;
            }
        }
        let rows = batch.num_rows() as u64;
        let (_, writer) = match &mut self.writer {
            Some(open) => open,
            None => {
                let begun = self.begin()?;
                self.writer.insert(begun)
            }
        };
        writer.write(batch)?;
        self.add_rows(rows);
        Ok(())
    }

    fn parquet_file(&mut self, file: &mut dyn Read) -> Result<(), SinkError> {
        self.end_file()?;
        let (name, sha256) = self.copy(file)?;
        let path = self.folder.join(&name);
        let problem = |problem: String| SnapshotError::Read { path: path.clone(), problem };
        let copied = File::open(&path).map_err(|e| problem(e.to_string()))?;
        let metadata = load_parquet(&copied).map_err(|e| problem(e.to_string()))?;
        let names = metadata.schema().fields().iter().map(|field| field.name());
        if !names.eq(self.schema.fields.iter().map(|field| &field.source_name)) {
            return Err(problem("its columns are not those that were read before".to_owned()).into());
        }
        let mut rows = 0;
        for group in metadata.metadata().row_groups() {
            rows += u64::try_from(group.num_rows()).map_err(|e| problem(e.to_string()))?;
            for (nulls, chunk) in self.nulls.iter_mut().zip(group.columns()) {
                let more = chunk.statistics().and_then(Statistics::null_count_opt);
                *nulls = nulls.zip(more).map(|(sum, more)| sum + more);
            }
        }
        self.files.push(DataFile { name, rows, sha256 });
        self.add_rows(rows);
        Ok(())
    }
}
