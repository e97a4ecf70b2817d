//! Snapshots to frames: column by column, in parallel.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, make_view, new_empty_array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::concat;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use polars::prelude::{Column as PolarsColumn, DataFrame};
use rayon::prelude::*;

use crate::frame::{Frame, arrow_type, to_series};
use crate::model::Logical;
use crate::source::{load_parquet, to_logical};

use super::{Column, Manifest, SnapshotError};

/// Rows decoded at once.
const BATCH_ROWS: usize = 64 << 10;

/// Reads a whole snapshot into memory, under our names.
pub(super) fn read(folder: &Path, manifest: &Manifest) -> Result<Frame, SnapshotError> {
    let files = opened(folder, manifest)?;
    let columns: Vec<PolarsColumn> = manifest
        .columns
        .par_iter()
        .map(|column| {
            let array = read_column(&files, column)?;
            to_series(&column.name, &array, &column.logical).map(Into::into).map_err(|source| {
                SnapshotError::Column { path: folder.to_owned(), column: column.source_name.clone(), source }
            })
        })
        .collect::<Result<_, SnapshotError>>()?;
    let problem = |problem: String| SnapshotError::Read { path: folder.to_owned(), problem };
    let rows = usize::try_from(manifest.rows).map_err(|e| problem(e.to_string()))?;
    let df = DataFrame::new(rows, columns)
        .map_err(|_| problem("its columns have not as many rows as its manifest says".to_owned()))?;
    Ok(Frame::new(manifest.schema(), df))
}

/// Opens a snapshot's files, in order.
pub(super) fn opened(
    folder: &Path,
    manifest: &Manifest,
) -> Result<Vec<(PathBuf, ArrowReaderMetadata)>, SnapshotError> {
    let files = manifest.files.iter().map(|file| {
        let path = folder.join(&file.name);
        let metadata = guarded(&path, || load_parquet(&open(&path)?).map_err(|e| e.to_string()))?;
        Ok((path, metadata))
    });
    files.collect()
}

fn open(path: &Path) -> Result<File, String> {
    File::open(path).map_err(|e| e.to_string())
}

/// Runs what may panic on a damaged file.
pub(super) fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, String>) -> Result<T, SnapshotError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the file is damaged".to_owned()))
        .map_err(|problem| SnapshotError::Read { path: path.to_owned(), problem })
}

fn read_column(files: &[(PathBuf, ArrowReaderMetadata)], column: &Column) -> Result<ArrayRef, SnapshotError> {
    let mut arrays: Vec<ArrayRef> = Vec::new();
    let mut last = Path::new("");
    for (path, metadata) in files {
        last = path;
        guarded(path, || {
            let position = metadata
                .schema()
                .index_of(&column.source_name)
                .map_err(|_| format!("it has no column `{}`", column.source_name))?;
            let mask = ProjectionMask::roots(metadata.parquet_schema(), [position]);
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(open(path)?, metadata.clone())
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS)
                .build()
                .map_err(|e| e.to_string())?;
            for batch in reader {
                let batch = batch.map_err(|e| e.to_string())?;
                for array in batch.columns() {
                    arrays.push(to_logical(array, &column.logical)?);
                }
            }
            Ok(())
        })?;
    }
    let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let whole = match parts.as_slice() {
        [] => new_empty_array(&arrow_type(&column.logical)),
        parts => guarded(last, || concat(parts).map_err(|e| e.to_string()))?,
    };
    drop(arrays);
    guarded(last, || unpadded(whole, column))
}

/// Returns an array of a file in the form of its column's logical type, without the blanks that pad it.
pub(super) fn logical_array(array: &ArrayRef, column: &Column) -> Result<ArrayRef, String> {
    unpadded(to_logical(array, &column.logical)?, column)
}

fn unpadded(array: ArrayRef, column: &Column) -> Result<ArrayRef, String> {
    match column.logical {
        Logical::Text { padded: true, .. } => without_padding(&array),
        _ => Ok(array),
    }
}

/// Drops trailing blanks; long texts keep their bytes where they are.
fn without_padding(array: &ArrayRef) -> Result<ArrayRef, String> {
    let texts = array.as_string_view();
    if !texts.iter().flatten().any(|text| text.ends_with(' ')) {
        return Ok(Arc::clone(array));
    }
    let views: ScalarBuffer<u128> = texts
        .iter()
        .zip(texts.views())
        .map(|(text, view)| match text {
            Some(text) if text.ends_with(' ') => {
                let text = text.trim_end_matches(' ');
                // Of a text that is not inside its view: the buffer's number and the text's place in it.
                let place = |shift: u32| u32::try_from((view >> shift) & u128::from(u32::MAX)).unwrap_or(0);
                make_view(text.as_bytes(), place(64), place(96))
            }
            _ => *view,
        })
        .collect();
    let buffers = texts.data_buffers().to_vec();
    let stripped =
        StringViewArray::try_new(views, buffers, texts.nulls().cloned()).map_err(|e| e.to_string())?;
    Ok(Arc::new(stripped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_goes_from_short_and_long_texts() {
        let texts = [
            Some("ab   "),
            None,
            Some("a text of more than twelve bytes       "),
            Some("fourteen bytes   "),
            Some("twelve bytes          "),
            Some("    "),
            Some(" kept"),
            Some("a text of more than twelve bytes without padding"),
        ];
        let array: ArrayRef = Arc::new(StringViewArray::from_iter(texts));
        let stripped = without_padding(&array).unwrap();
        let expected: Vec<Option<&str>> = texts.iter().map(|t| t.map(|t| t.trim_end_matches(' '))).collect();
        assert_eq!(stripped.as_string_view().iter().collect::<Vec<_>>(), expected);
    }
}
