//! The rows of a snapshot, read piece by piece from its files.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use polars::prelude::DataFrame;
use rayon::prelude::*;

use crate::frame::{Frame, Rows, RowsError, to_series};
use crate::model::Schema;

use super::reader::{guarded, logical_array, opened};
use super::{Column, Manifest, SnapshotError};

/// Rows decoded at once.
const BATCH_ROWS: usize = 32 << 10;

/// The rows of a snapshot, under our names; they stay in its files.
#[derive(Debug)]
pub struct SnapshotRows {
    folder: Option<PathBuf>,
    schema: Schema,
    columns: Vec<Column>,
    files: Vec<(PathBuf, ArrowReaderMetadata)>,
    pieces: Vec<Piece>,
    height: u64,
}

/// A row group.
#[derive(Debug, Clone, Copy)]
struct Piece {
    file: usize,
    group: usize,
    /// The index of its first row in the snapshot, from 0.
    first: u64,
    rows: u64,
}

impl SnapshotRows {
    /// Opens a snapshot's files; `keep` is the folder in which may be kept what is worked out of the rows.
    pub(super) fn open(
        folder: &Path,
        manifest: &Manifest,
        keep: Option<PathBuf>,
    ) -> Result<SnapshotRows, SnapshotError> {
        let files = opened(folder, manifest)?;
        let (mut pieces, mut height) = (Vec::new(), 0);
        for (file, (_, metadata)) in files.iter().enumerate() {
            for (group, facts) in metadata.metadata().row_groups().iter().enumerate() {
                let rows = u64::try_from(facts.num_rows()).unwrap_or(0);
                pieces.push(Piece { file, group, first: height, rows });
                height += rows;
            }
        }
        if height != manifest.rows {
            let problem = "it has not as many rows as its manifest says".to_owned();
            return Err(SnapshotError::Read { path: folder.to_owned(), problem });
        }
        let (schema, columns) = (manifest.schema(), manifest.columns.clone());
        Ok(SnapshotRows { folder: keep, schema, columns, files, pieces, height })
    }

    /// Reads batches of some columns of a piece; `select` leaves out rows.
    fn batches(
        &self,
        piece: Piece,
        columns: &[&Column],
        select: Option<RowSelection>,
        take: &mut dyn FnMut(RecordBatch) -> Result<(), String>,
    ) -> Result<(), RowsError> {
        let Some((path, metadata)) = self.files.get(piece.file) else { return Ok(()) };
        guarded(path, || {
            let reader = reader(path, metadata, piece.group, columns, select)?;
            for batch in reader {
                take(batch.map_err(|e| e.to_string())?)?;
            }
            Ok(())
        })
        .map_err(|error| RowsError::Read(error.to_string()))
    }

    /// Makes a frame of columns in our order.
    fn frame(columns: &[&Column], arrays: &[ArrayRef], rows: Vec<u64>) -> Result<Frame, String> {
        let fields = columns.iter().map(|column| column.field()).collect();
        let series = columns.iter().zip(arrays).map(|(column, array)| {
            to_series(&column.name, array, &column.logical).map(Into::into).map_err(|e| e.to_string())
        });
        let series = series.collect::<Result<Vec<polars::prelude::Column>, String>>()?;
        let df = DataFrame::new(rows.len(), series).map_err(|e| e.to_string())?;
        Ok(Frame { schema: Schema { fields }, df, rows: std::sync::Arc::new(rows) })
    }
}

/// Opens a row group's columns.
fn reader(
    path: &Path,
    metadata: &ArrowReaderMetadata,
    group: usize,
    columns: &[&Column],
    select: Option<RowSelection>,
) -> Result<ParquetRecordBatchReader, String> {
    let positions = columns.iter().map(|column| {
        let position = metadata.schema().index_of(&column.source_name);
        position.map_err(|_| format!("it has no column `{}`", column.source_name))
    });
    let positions = positions.collect::<Result<Vec<_>, _>>()?;
    let file = File::open(path).map_err(|e| e.to_string())?;
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
        .with_projection(ProjectionMask::roots(metadata.parquet_schema(), positions))
        .with_row_groups(vec![group])
        .with_batch_size(BATCH_ROWS);
    if let Some(select) = select {
        builder = builder.with_row_selection(select);
    }
    builder.build().map_err(|e| e.to_string())
}

/// Returns a batch's columns in the order in which they were asked for, in the form of their logical types.
fn arrays(batch: &RecordBatch, columns: &[&Column]) -> Result<Vec<ArrayRef>, String> {
    columns
        .iter()
        .map(|column| {
            let array = batch.column_by_name(&column.source_name);
            let array = array.ok_or_else(|| format!("it has no column `{}`", column.source_name))?;
            logical_array(array, column)
        })
        .collect()
}

impl Rows for SnapshotRows {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn height(&self) -> u64 {
        self.height
    }

    fn pieces(&self) -> usize {
        self.pieces.len()
    }

    fn visit(
        &self,
        piece: usize,
        columns: &[String],
        visit: &mut dyn FnMut(u64, Frame),
    ) -> Result<(), RowsError> {
        let Some(piece) = self.pieces.get(piece) else { return Ok(()) };
        let columns: Vec<&Column> = self.columns.iter().filter(|c| columns.contains(&c.name)).collect();
        let mut first = piece.first;
        self.batches(*piece, &columns, None, &mut |batch| {
            let next = first + batch.num_rows() as u64;
            let frame = Self::frame(&columns, &arrays(&batch, &columns)?, (first + 1..=next).collect())?;
            visit(first, frame);
            first = next;
            Ok(())
        })?;
        if first == piece.first + piece.rows {
            Ok(())
        } else {
            let path = self.files.get(piece.file).map(|(path, _)| path.display().to_string());
            Err(RowsError::Read(format!("`{}` ends too early", path.unwrap_or_default())))
        }
    }

    fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    fn fetch(&self, indexes: &[u32]) -> Result<Frame, RowsError> {
        let columns: Vec<&Column> = self.columns.iter().collect();
        let wanted: Vec<(Piece, &[u32])> = self
            .pieces
            .iter()
            .map(|piece| {
                let from = indexes.partition_point(|i| u64::from(*i) < piece.first);
                let to = indexes.partition_point(|i| u64::from(*i) < piece.first + piece.rows);
                (*piece, indexes.get(from..to).unwrap_or_default())
            })
            .filter(|(_, indexes)| !indexes.is_empty())
            .collect();
        let frames = wanted
            .into_par_iter()
            .map(|(piece, indexes)| {
                let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
                self.batches(piece, &columns, Some(selection(piece.first, indexes)), &mut |batch| {
                    for (part, array) in parts.iter_mut().zip(arrays(&batch, &columns)?) {
                        part.push(array);
                    }
                    Ok(())
                })?;
                let whole = parts.iter().map(|parts| {
                    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
                    compact(&parts).map_err(|e| RowsError::Read(e.to_string()))
                });
                let whole = whole.collect::<Result<Vec<ArrayRef>, RowsError>>()?;
                let rows = indexes.iter().map(|index| u64::from(*index) + 1).collect();
                Self::frame(&columns, &whole, rows).map_err(RowsError::Read)
            })
            .collect::<Result<Vec<Frame>, RowsError>>()?;
        if let Some(all) = Frame::stacked(frames)? {
            return Ok(all);
        }
        let none: Vec<ArrayRef> = columns
            .iter()
            .map(|c| arrow::array::new_empty_array(&crate::frame::arrow_type(&c.logical)))
            .collect();
        Self::frame(&columns, &none, Vec::new()).map_err(RowsError::Read)
    }
}

/// Puts arrays together, without keeping the buffers of what was left out of them.
fn compact(parts: &[&dyn arrow::array::Array]) -> Result<ArrayRef, arrow::error::ArrowError> {
    use arrow::array::AsArray;
    let whole = arrow::compute::concat(parts)?;
    Ok(match whole.as_string_view_opt() {
        Some(texts) => std::sync::Arc::new(texts.gc()),
        None => whole,
    })
}

/// Returns which rows of a piece are wanted, whose first row has the index `first`.
fn selection(first: u64, indexes: &[u32]) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut next = first;
    for run in indexes.chunk_by(|a, b| a + 1 == *b) {
        let start = run.first().map_or(next, |start| u64::from(*start));
        if start > next {
            selectors.push(RowSelector::skip(usize::try_from(start - next).unwrap_or(usize::MAX)));
        }
        selectors.push(RowSelector::select(run.len()));
        next = start + run.len() as u64;
    }
    selectors.into()
}
