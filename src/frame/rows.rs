//! Rows that need not all be in memory: a side of a dataset, to be looked at piece by piece.

use std::path::Path;

use polars::prelude::{IdxCa, IdxSize, NewChunkedArray, PlSmallStr, PolarsError};

use crate::model::Schema;

use super::Frame;

/// Rows of a [`Frame`] that are visited at once.
const PIECE_ROWS: usize = 32 << 10;

/// Rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// polars failed.
    #[error("{}", .0.to_string().lines().next().unwrap_or_default())]
    Polars(#[from] PolarsError),
    /// The file that holds them could not be read.
    #[error("{0}")]
    Read(String),
}

/// The rows of one side in a fixed order, each known by its index from 0.
///
/// Pieces can be visited in any order and by several threads at once; each row is in exactly one.
pub trait Rows: Sync {
    /// Returns the columns, under our names.
    fn schema(&self) -> &Schema;

    /// Returns the number of rows.
    fn height(&self) -> u64;

    /// Returns the number of pieces.
    fn pieces(&self) -> usize;

    /// Hands the rows of a piece to `visit`, with these columns only, some thousands at a time: the index of the first
    /// of them, and a frame whose `rows` are their positions in the snapshot.
    ///
    /// # Errors
    /// Where the rows cannot be read; then some may have been handed over.
    fn visit(
        &self,
        piece: usize,
        columns: &[String],
        visit: &mut dyn FnMut(u64, Frame),
    ) -> Result<(), RowsError>;

    /// Returns the folder in which may be kept what was worked out of all rows, where they never change.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// Returns the rows at these indexes, which ascend, with all columns.
    ///
    /// # Errors
    /// Where the rows cannot be read.
    fn fetch(&self, indexes: &[u32]) -> Result<Frame, RowsError>;
}

impl Rows for Frame {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn height(&self) -> u64 {
        self.rows.len() as u64
    }

    fn pieces(&self) -> usize {
        self.rows.len().div_ceil(PIECE_ROWS).max(1)
    }

    fn visit(
        &self,
        piece: usize,
        columns: &[String],
        visit: &mut dyn FnMut(u64, Frame),
    ) -> Result<(), RowsError> {
        let start = piece * PIECE_ROWS;
        let rows = self.rows.get(start..(start + PIECE_ROWS).min(self.rows.len())).unwrap_or_default();
        let fields = self.schema.fields.iter().filter(|f| columns.contains(&f.name)).cloned().collect();
        let schema = Schema { fields };
        let from = i64::try_from(start).unwrap_or(i64::MAX);
        let df = self.df.select(schema.names())?.slice(from, rows.len());
        visit(start as u64, Frame { schema, df, rows: std::sync::Arc::new(rows.to_vec()) });
        Ok(())
    }

    fn fetch(&self, indexes: &[u32]) -> Result<Frame, RowsError> {
        let place: Vec<IdxSize> = indexes.to_vec();
        let df = self.df.take(&IdxCa::from_slice(PlSmallStr::EMPTY, &place))?;
        let rows = indexes.iter().filter_map(|i| self.rows.get(*i as usize).copied()).collect();
        Ok(Frame { schema: self.schema.clone(), df, rows: std::sync::Arc::new(rows) })
    }
}
