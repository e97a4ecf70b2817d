//! The run folder: written beside its name, renamed when complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::snapshot::make_folders;

/// A file or folder of a run could not be written.
#[derive(Debug, thiserror::Error)]
#[error("`{}` could not be {doing}: {error}", .path.display())]
pub struct FolderError {
    /// The file or folder.
    pub path: PathBuf,
    /// "made", "written", "renamed".
    pub doing: &'static str,
    /// What went wrong.
    pub error: io::Error,
}

/// The run folder under way, shared by all clones, so that it can be given up from another thread.
///
/// A run that is asked to stop does so at its next safe place. Where that is too far away the program can end on
/// the spot, and this leaves nothing half written.
#[derive(Debug, Clone, Default)]
pub struct Unfinished(Arc<Mutex<Option<PathBuf>>>);

impl Unfinished {
    fn lock(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the run folder under way and calls `end`, which is to end the program.
    ///
    /// Until `end` is through, the run neither gets its name nor comes to its end.
    pub fn give_up(&self, end: impl FnOnce()) {
        let under_way = self.lock();
        if let Some(part) = under_way.as_ref() {
            // Under another name first: whoever is still writing finds the folder no more.
            let gone = part.with_extension("gone.part");
            let gone = if fs::rename(part, &gone).is_ok() { &gone } else { part };
            // What cannot be removed still ends in `.part`.
            let _ = fs::remove_dir_all(gone);
        }
        end();
    }
}

/// A run folder that is being written. Dropped before it is published, it leaves nothing.
#[derive(Debug)]
pub struct RunFolder {
    part: PathBuf,
    complete: PathBuf,
    published: bool,
    unfinished: Unfinished,
    /// The runs that others began and never ended, which were removed: a sentence each, without a full stop.
    pub removed: Vec<String>,
    /// Held while the run is alive.
    _lock: Option<File>,
}

impl RunFolder {
    /// Makes `runs/<id>.part` under the output folder, for the owner only. The id is the start time, with a number behind it where it is taken.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn create(
        out: &Path,
        started: DateTime<Utc>,
        unfinished: &Unfinished,
    ) -> Result<RunFolder, FolderError> {
        let runs = out.join("runs");
        make_folders(&runs).map_err(|error| FolderError { path: runs.clone(), doing: "made", error })?;
        let removed = remove_dead(&runs);
        let stem = started.format("%Y%m%dT%H%M%SZ").to_string();
        for number in 1..1000 {
            let id = if number == 1 { stem.clone() } else { format!("{stem}-{number}") };
            let (part, complete) = (runs.join(format!("{id}.part")), runs.join(&id));
            if complete.exists() {
                continue;
            }
            let mut under_way = unfinished.lock();
            match make_owner_only(&part) {
                Ok(()) => {
                    *under_way = Some(part.clone());
                    return Ok(RunFolder {
                        _lock: lock(&part),
                        part,
                        complete,
                        published: false,
                        unfinished: unfinished.clone(),
                        removed,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(FolderError { path: part, doing: "made", error }),
            }
        }
        Err(FolderError {
            path: runs,
            doing: "made",
            error: io::Error::other("a thousand runs began in this second"),
        })
    }

    /// Returns the path of a file of the run while it is being written, and makes its folder.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn place(&self, name: &str) -> Result<PathBuf, FolderError> {
        let path = self.part.join(name);
        if let Some(folder) = path.parent() {
            self.make(folder)?;
        }
        Ok(path)
    }

    /// Makes a folder of the run while it is being written.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, FolderError> {
        let path = self.part.join(name);
        self.make(&path)?;
        Ok(path)
    }

    fn make(&self, folder: &Path) -> Result<(), FolderError> {
        // A run that is given up is not made again: whoever comes now waits until the program ends.
        let _under_way = self.unfinished.lock();
        make_folders(folder).map_err(|error| FolderError { path: folder.to_owned(), doing: "made", error })
    }

    /// Writes a whole file, for the owner only.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.place(name)?;
        write_owner_only(&path, bytes).map_err(|error| FolderError { path, doing: "written", error })
    }

    /// Returns the folder while it is being written.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Gives the folder its name, and points `latest` at it.
    ///
    /// # Errors
    /// Where the folder cannot be renamed. A `latest` that cannot be set is no error: not every file system has links.
    pub fn publish(mut self) -> Result<PathBuf, FolderError> {
        let unfinished = self.unfinished.clone();
        let mut under_way = unfinished.lock();
        let _ = fs::remove_file(self.part.join(LOCK));
        fs::rename(&self.part, &self.complete).map_err(|error| FolderError {
            path: self.complete.clone(),
            doing: "renamed",
            error,
        })?;
        self.published = true;
        *under_way = None;
        #[cfg(unix)]
        if let (Some(runs), Some(name)) = (self.complete.parent(), self.complete.file_name()) {
            let fresh = runs.join(".latest.new");
            let _ = fs::remove_file(&fresh);
            if std::os::unix::fs::symlink(name, &fresh).is_ok() {
                let _ = fs::rename(&fresh, runs.join("latest"));
            }
        }
        Ok(self.complete.clone())
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.published {
            let mut under_way = self.unfinished.lock();
            *under_way = None;
            // Nothing half done may stay; what cannot be removed still ends in `.part`.
            let _ = fs::remove_dir_all(&self.part);
        }
    }
}

/// The file in a run's folder that is locked for as long as whoever makes the run is alive.
const LOCK: &str = ".lock";

/// Locks a run's folder; nothing on file systems without locks. The file gets its name when it is locked.
fn lock(part: &Path) -> Option<File> {
    let fresh = part.join(".lock.new");
    let file = File::create(&fresh).ok()?;
    let is_locked = file.try_lock().is_ok() && fs::rename(&fresh, part.join(LOCK)).is_ok();
    if !is_locked {
        let _ = fs::remove_file(&fresh);
    }
    is_locked.then_some(file)
}

/// Removes the folders of runs whose makers are dead: their locks are there, and nobody holds them.
fn remove_dead(runs: &Path) -> Vec<String> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let part = entry.path();
        if part.extension().is_none_or(|ending| ending != "part") {
            continue;
        }
        // One that was never locked may be alive.
        let Ok(file) = File::options().write(true).open(part.join(LOCK)) else { continue };
        if file.try_lock().is_ok() && fs::remove_dir_all(&part).is_ok() {
            let name = entry.file_name();
            removed.push(format!(
                "removed runs/{}, which was left by a run that did not come to its end",
                name.to_string_lossy()
            ));
        }
    }
    removed.sort();
    removed
}

fn make_owner_only(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file beside its name and renames it, for the owner only.
pub fn write_owner_only(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_that_is_given_up_leaves_nothing_and_can_no_longer_be_published() {
        let out = tempfile::tempdir().unwrap();
        let unfinished = Unfinished::default();
        let folder = RunFolder::create(out.path(), Utc::now(), &unfinished).unwrap();
        folder.write("findings/t.parquet", b"half").unwrap();
        let mut ended = false;
        unfinished.give_up(|| ended = true);
        assert!(ended);
        assert_eq!(names(&out.path().join("runs")), Vec::<String>::new());
        assert!(folder.publish().is_err());
        assert_eq!(names(&out.path().join("runs")), Vec::<String>::new());
    }

    #[test]
    fn what_a_dead_run_left_is_removed_and_what_lives_is_not() {
        let out = tempfile::tempdir().unwrap();
        let runs = out.path().join("runs");
        let alive = RunFolder::create(out.path(), Utc::now(), &Unfinished::default()).unwrap();
        // As a kill leaves it: the lock is there, and nobody holds it.
        let dead = runs.join("20260101T000000Z.part");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), b"").unwrap();
        let unknown = runs.join("20260102T000000Z.part");
        fs::create_dir(&unknown).unwrap();
        let next = RunFolder::create(out.path(), Utc::now(), &Unfinished::default()).unwrap();
        assert!(!dead.exists() && unknown.exists() && alive.part().exists());
        assert_eq!(next.removed.len(), 1, "{:?}", next.removed);
        assert!(next.removed[0].contains("runs/20260101T000000Z.part"), "{:?}", next.removed);
        alive.write("run.json", b"{}").unwrap();
        let path = alive.publish().unwrap();
        assert!(!path.join(LOCK).exists());
    }

    #[test]
    fn a_run_that_is_published_is_not_given_up() {
        let out = tempfile::tempdir().unwrap();
        let unfinished = Unfinished::default();
        let folder = RunFolder::create(out.path(), Utc::now(), &unfinished).unwrap();
        folder.write("run.json", b"{}").unwrap();
        let path = folder.publish().unwrap();
        unfinished.give_up(|| {});
        assert!(path.join("run.json").exists());
    }
}
