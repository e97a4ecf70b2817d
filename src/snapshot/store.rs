//! Where snapshots live: taken into a folder that is renamed when it is complete.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use chrono::Utc;
use sha2::{Digest, Sha256};

use crate::frame::Frame;
use crate::model::Structure;
use crate::source::{Cancel, ColumnNote, Connector, ReadReport, ReadRequest, SourceError, Stable, hex};

use super::manifest::time_text;
use super::taking::{Progress, Taking, left_words, request_of};
use super::writer::{make_folders, publish, temporary_beside};
use super::{Input, MANIFEST_VERSION, Manifest, SnapshotError, SnapshotRows, WriteError, reader};

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

    /// Returns the snapshot of a dataset's side whose manifest is the one that is looked for, where its files are as they
    /// were: of several the one with the least id.
    pub fn find(&self, dataset: &str, side: &str, wanted: &dyn Fn(&Manifest) -> bool) -> Option<Snapshot> {
        let folder = self.folder(dataset, side).ok()?;
        let entries = std::fs::read_dir(folder).ok()?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        let named = |path: &PathBuf| {
            let manifest = read_manifest(&path.join(MANIFEST)).ok()?;
            let is_its = path.file_name().is_some_and(|name| *name == *manifest.id);
            (is_its && wanted(&manifest)).then(|| Snapshot::open(path).ok()).flatten()
        };
        paths.iter().find_map(named)
    }

    /// Writes other times into the manifest of a snapshot: its rows are those of these times too.
    ///
    /// # Errors
    /// Where the manifest cannot be written.
    pub fn seen_again(&self, snapshot: &mut Snapshot, seen: Option<(i64, i64)>) -> Result<(), SnapshotError> {
        snapshot.manifest.taken_at = time_text(Utc::now());
        if let Some(made) = &mut snapshot.manifest.made {
            made.seen = seen;
        }
        // A run that has linked the earlier manifest keeps it: this is another file of the same name.
        write_manifest(&snapshot.path.join(MANIFEST), &snapshot.manifest)
    }

    /// Returns the folder of a snapshot, where it is in the store.
    pub fn folder_of(&self, dataset: &str, side: &str, snapshot: &Snapshot) -> Option<PathBuf> {
        Some(self.folder(dataset, side).ok()?.join(&snapshot.id)).filter(|folder| folder.is_dir())
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

/// How a snapshot is taken.
#[derive(Clone, Copy)]
pub struct TakeOptions<'a> {
    /// Stops the reading.
    pub cancel: &'a Cancel,
    /// Hears how far it has come.
    pub tell: &'a (dyn Fn(Progress) + Sync),
    /// Hears what the user should know meanwhile: a sentence without a full stop.
    pub note: &'a (dyn Fn(&str) + Sync),
    /// Whether what a reading of the same request left is gone on with. Otherwise it is set aside until this one is done.
    pub resume: bool,
    /// Returns what the database declares of the table, where it can be asked. It is asked once the rows are there.
    pub structure: &'a (dyn Fn() -> Option<Structure> + Sync),
}

/// Takes a snapshot of one side of a dataset.
///
/// The rows are written into a folder that ends in `.part`; it gets its name when all is there. Where anything
/// fails, or the user stops, it is removed, unless the connector can go on later: then it stays with the parts
/// that are complete. Where the store has the same content already, that snapshot is returned, with the new times.
///
/// # Errors
/// Where the source could not be read or the snapshot not be written; then there is no snapshot.
pub fn take(
    store: &Store,
    dataset: &str,
    side: &str,
    connector: &dyn Connector,
    request: &ReadRequest,
    options: &TakeOptions<'_>,
) -> Result<Snapshot, SnapshotError> {
    let folder = store.folder(dataset, side)?;
    make_folders(&folder).map_err(WriteError::io(&folder))?;
    let noted = connector.resumes();
    let mut part = match noted {
        true => PartFolder::of_request(&folder, request, options)?,
        false => PartFolder::new(&folder)?,
    };
    let taken_at = time_text(Utc::now());
    let taking = Taking::new(part.path(), request, noted, options);
    let report = match connector.read(request, options.cancel, &taking) {
        Ok(report) => report,
        Err(error) => {
            let error = plain_error(error);
            if taking.is_worth_keeping() {
                part.stay();
                return Err(SnapshotError::Unfinished {
                    error: Box::new(error),
                    path: part.path().to_owned(),
                });
            }
            return Err(error);
        }
    };
    options.cancel.check()?;
    let taken = taking.close()?;
    let moments = taken.moments.clone().filter(|moments| {
        let in_parts = report.server.as_ref().is_some_and(|server| server.stable == Stable::PerPart);
        in_parts || moments.continued.is_some()
    });
    let first = moments.as_ref().filter(|moments| moments.continued.is_some()).map(|m| m.first.clone());
    let mut manifest = Manifest {
        version: MANIFEST_VERSION,
        id: String::new(),
        dataset: dataset.to_owned(),
        side: side.to_owned(),
        connection: request.connection.clone(),
        query: request.query(),
        options: request.options(),
        inputs: inputs(&report),
        taken_at: first.unwrap_or(taken_at),
        moments,
        rows: taken.files.iter().map(|file| file.rows).sum(),
        columns: taken.columns(&report.notes),
        files: taken.files,
        server: report.server,
        structure: (options.structure)(),
        made: report.made,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    };
    manifest.id = manifest.content_id();
    write_manifest(&part.path().join(MANIFEST), &manifest)?;
    let kept = keep(&mut part, &folder.join(&manifest.id), manifest)?;
    part.forget_earlier();
    Ok(kept)
}

/// A folder that a snapshot is taken into. It is removed when it is dropped, unless it is to stay.
struct PartFolder {
    path: PathBuf,
    stays: bool,
    /// Where an unfinished reading of the same request is set aside.
    earlier: Option<PathBuf>,
    /// Held so that no other process takes the same.
    _lock: Option<File>,
}

impl PartFolder {
    /// Makes a folder of a name that no other has.
    fn new(folder: &Path) -> Result<Self, SnapshotError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("").suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let made = builder.tempdir_in(folder).map_err(WriteError::io(folder))?;
        Ok(PartFolder { path: made.keep(), stays: false, earlier: None, _lock: None })
    }

    /// Makes or finds the folder of a request: another reading of it comes to the same.
    ///
    /// What an earlier one left is set aside where it is not gone on with, and found there by a later one that goes on.
    fn of_request(
        folder: &Path,
        request: &ReadRequest,
        options: &TakeOptions<'_>,
    ) -> Result<Self, SnapshotError> {
        let mut name = hex(&Sha256::digest(request_of(request).to_string()));
        name.truncate(16);
        let path = folder.join(format!("{name}.part"));
        let lock_path = folder.join(format!(".{name}.lock"));
        let lock = File::create(&lock_path).map_err(WriteError::io(&lock_path))?;
        match lock.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => return Err(SnapshotError::Busy(path)),
            // On a file system without locks, two at once are the user's to avoid.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => {}
        }
        let earlier = folder.join(format!("{name}.earlier.part"));
        let left = left_words(&path, request);
        if options.resume && left.is_none() && earlier.exists() {
            remove(&path)?;
            std::fs::rename(&earlier, &path).map_err(WriteError::io(&path))?;
        } else if !options.resume && path.exists() {
            match left {
                Some(_) => {
                    remove(&earlier)?;
                    std::fs::rename(&path, &earlier).map_err(WriteError::io(&earlier))?;
                }
                None => remove(&path)?,
            }
        }
        if let Some(left) = left_words(&earlier, request).filter(|_| !options.resume) {
            (options.note)(&format!(
                "an unfinished reading ({left}) is set aside, until this one is complete; `--resume` continues it"
            ));
        }
        if !path.exists() {
            make_owner_only(&path).map_err(WriteError::io(&path))?;
        }
        Ok(PartFolder { path, stays: false, earlier: Some(earlier), _lock: Some(lock) })
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn stay(&mut self) {
        self.stays = true;
    }

    /// Removes what was set aside: the whole table is there.
    fn forget_earlier(&self) {
        if let Some(earlier) = &self.earlier {
            // What cannot be removed still ends in `.part`.
            let _ = std::fs::remove_dir_all(earlier);
        }
    }
}

impl Drop for PartFolder {
    fn drop(&mut self) {
        if !self.stays {
            // What cannot be removed still ends in `.part`.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes a folder, where there is one.
fn remove(path: &Path) -> Result<(), WriteError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(WriteError::io(path)(error)),
        _ => Ok(()),
    }
}

fn make_owner_only(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Gives a complete folder its name, unless the same content is there already: then that was seen again, at another time.
fn keep(part: &mut PartFolder, path: &Path, manifest: Manifest) -> Result<Snapshot, SnapshotError> {
    if path.exists() {
        if let Ok(existing) = Snapshot::open(path) {
            // A run that has linked the earlier manifest keeps it: this is another file of the same name.
            write_manifest(&path.join(MANIFEST), &manifest)?;
            return Ok(Snapshot { manifest, ..existing });
        }
        // The same content under the same name, damaged since: what was just taken is what it was.
        std::fs::remove_dir_all(path).map_err(WriteError::io(path))?;
    }
    if let Err(error) = std::fs::rename(part.path(), path) {
        // Another run may have taken the same just now.
        return Snapshot::open(path).map_err(|_| WriteError::io(path)(error).into());
    }
    // The folder has another name now: there is nothing to remove.
    part.stay();
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

    /// Opens the rows, to be read piece by piece, as [`Snapshot::read`] would give them.
    ///
    /// `keep` is the folder in which may be kept what is worked out of them, where there is one.
    ///
    /// # Errors
    /// Where a file could not be opened.
    pub fn rows(&self, keep: Option<PathBuf>) -> Result<SnapshotRows, SnapshotError> {
        SnapshotRows::open(&self.path, &self.manifest, keep)
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

/// Reads what the snapshot in a folder says about itself, without a look at its files.
///
/// # Errors
/// Where there is none, or it is of another version.
pub fn manifest_in(folder: &Path) -> Result<Manifest, SnapshotError> {
    read_manifest(&folder.join(MANIFEST))
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

pub(super) fn hash_file(path: &Path) -> std::io::Result<String> {
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
