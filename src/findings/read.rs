//! Reads the Parquet files of a run row by row, in little memory.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

/// Rows read at once.
const BATCH_ROWS: usize = 8192;

/// A Parquet file of a run could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It could not be opened.
    #[error("`{}` could not be read: {error}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// It is not what this version writes.
    #[error("`{}` {problem}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as the rest of a sentence.
        problem: String,
    },
}

/// Calls `each` for every row of a Parquet file, in the file's order, with the cells of `columns` as text, in that order.
///
/// # Errors
/// Where the file cannot be read or has not these columns.
pub fn for_each_row(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(&[Option<&str>]),
) -> Result<(), ReadError> {
    let form = |problem: String| ReadError::Form { path: path.to_owned(), problem };
    let parquet = |error: ParquetError| form(format!("is not a Parquet file that can be read: {error}"));
    let arrow = |error: ArrowError| form(format!("is not a Parquet file that can be read: {error}"));
    let file = File::open(path).map_err(|error| ReadError::Open { path: path.to_owned(), error })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
    let schema = builder.schema().clone();
    let mut roots = Vec::with_capacity(columns.len());
    for name in columns {
        let root = schema.index_of(name).map_err(|_| form(format!("has no column `{name}`")))?;
        roots.push(root);
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(parquet)?;
    for batch in reader {
        let batch = batch.map_err(arrow)?;
        let mut texts: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        for name in columns {
            let array = batch.column_by_name(name).ok_or_else(|| form(format!("has no column `{name}`")))?;
            texts.push(cast(array, &DataType::Utf8View).map_err(arrow)?);
        }
        let texts: Vec<&StringViewArray> =
            texts.iter().filter_map(|array| array.as_string_view_opt()).collect();
        let mut cells = vec![None; texts.len()];
        for row in 0..batch.num_rows() {
            for (cell, array) in cells.iter_mut().zip(&texts) {
                *cell = array.is_valid(row).then(|| array.value(row));
            }
            each(&cells);
        }
    }
    Ok(())
}
