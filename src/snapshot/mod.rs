//! Immutable Parquet copies of tables, with their manifests; and the one writer of all Parquet.

mod error;
mod manifest;
mod reader;
mod rows;
mod store;
mod taking;
mod writer;

pub use error::{SnapshotError, WriteError};
pub use manifest::{Column, DataFile, Input, MANIFEST_VERSION, Manifest, Moments};
pub use rows::SnapshotRows;
pub use store::{Snapshot, Store, TakeOptions, manifest_in, take};
pub use taking::Progress;
pub use writer::{ParquetWriter, Written, make_folders, write_frame, write_parquet};
