//! Why a snapshot could not be taken or read, or a Parquet file not be written.

use std::path::{Path, PathBuf};

use crate::frame::BridgeError;
use crate::source::SourceError;

/// A file could not be written. Nothing stands under its name.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The system refused.
    #[error("{} could not be written: {source}{}", path.display(), advice(source))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The values could not be encoded.
    #[error("{} could not be encoded as Parquet: {problem}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

impl WriteError {
    /// Makes the error of a path.
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> WriteError {
        let path = path.to_owned();
        move |source| WriteError::Io { path, source }
    }
}

/// Returns what to try.
fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "; make room, or choose another place with `--out`"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "; give yourself the right to write there, or choose another place with `--out`"
        }
        _ => "",
    }
}

/// A snapshot could not be taken or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The table cannot be a dataset, which was known before it was read.
    #[error("{0}")]
    Unfit(String),
    /// The connection could not be opened.
    #[error("{connection} could not be opened: {error}")]
    Unopened {
        /// What messages call it.
        connection: String,
        /// Why.
        error: Box<SourceError>,
    },
    /// The query could not be run.
    #[error("the `query` of {dataset}'s {side} failed: {error}")]
    Query {
        /// The dataset.
        dataset: String,
        /// `source` or `target`.
        side: String,
        /// Why.
        error: Box<SourceError>,
    },
    /// The rows could not be made of those of other datasets.
    #[error("the `sql` of {dataset}'s {side} failed: {problem}")]
    Made {
        /// The dataset.
        dataset: String,
        /// `source` or `target`.
        side: String,
        /// Why.
        problem: String,
    },
    /// The source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The snapshot could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The reading broke off, and what is complete can be gone on with.
    #[error("{error}; what is complete was kept: `--resume` goes on from there")]
    Unfinished {
        /// Why it broke off.
        error: Box<SnapshotError>,
        /// The folder of what is complete.
        path: PathBuf,
    },
    /// Another process takes the same snapshot.
    #[error("another process is taking the same snapshot into {}: wait for it, or stop it", .0.display())]
    Busy(PathBuf),
    /// A dataset or side has a name that no folder can have.
    #[error("`{0}` cannot be the name of a folder: use letters, digits, `_`, `-` and `.`")]
    Name(String),
    /// There is no snapshot in the folder.
    #[error("there is no snapshot in {}: it has no manifest.json", .0.display())]
    NoManifest(PathBuf),
    /// The manifest cannot be understood.
    #[error("{} is not a manifest of a snapshot: {problem}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The snapshot was taken by a version of the program with other manifests.
    #[error("{} is of version {found}, and this program reads version {known}: take the snapshot again", path.display())]
    Version {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that is read.
        known: u32,
    },
    /// A file of the snapshot is not what it was.
    #[error("{} is not the file the snapshot was taken with: its bytes have changed; take the snapshot again", .0.display())]
    Changed(PathBuf),
    /// The snapshot was taken with other settings than those of today.
    #[error(
        "its snapshot was taken with another {0}, so its values are not those of the settings of today: take new snapshots, with a run without `--from`"
    )]
    Settings(String),
    /// A file of the snapshot could not be read.
    #[error("{} could not be read: {problem}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A column could not be brought into memory.
    #[error("column `{column}` of the snapshot {}: {source}", path.display())]
    Column {
        /// The snapshot's folder.
        path: PathBuf,
        /// Their name of the column.
        column: String,
        /// Why.
        source: BridgeError,
    },
}
