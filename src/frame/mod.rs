//! One side of a dataset in memory: polars columns with our schema and the rows' places in the snapshot.

mod bridge;
mod build;
mod calendar;
mod keys;
mod normal;
mod number;
mod parse;
mod rows;
mod text;

use std::sync::Arc;

use polars::prelude::{BooleanChunked, Column, DataFrame, IdxCa, NewChunkedArray, PlSmallStr, PolarsError};

use crate::model::{Field, Schema};

pub use bridge::{BridgeError, arrow_type, polars_type, to_record_batch, to_series};
pub use build::{Converted, convert, series_of};
pub use calendar::swap_day_month;
pub use keys::{KeyIndex, KeyParts, Keys};
pub use normal::{collapse_whitespace, fold_case, remove_whitespace};
pub use number::Number;
pub use parse::{Value, decimal};
pub use rows::{Rows, RowsError};
pub use text::{Texts, hex, moment_text, time_text};

/// A table in memory.
///
/// `df` has one column for each field of `schema`, in its order and under its name, in the polars form of
/// its logical type: text, UUIDs, JSON and types without a form as String; timestamps, naive or UTC, as
/// Datetime(µs) without a zone; times as Time; the rest under their own name. `rows` gives each row's position in the snapshot, from 1.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The columns' names and meanings.
    pub schema: Schema,
    /// The values.
    pub df: DataFrame,
    /// Positions in the snapshot, from 1, one a row.
    pub rows: Arc<Vec<u64>>,
}

impl Frame {
    /// Makes a frame whose rows are numbered from 1.
    pub fn new(schema: Schema, df: DataFrame) -> Self {
        let rows = Arc::new((1..=df.height() as u64).collect());
        Frame { schema, df, rows }
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.rows.len()
    }

    /// Returns the column and its field by our name.
    pub fn column(&self, name: &str) -> Option<(&Field, &Column)> {
        let position = self.schema.position(name)?;
        Some((&self.schema.fields[position], &self.df.columns()[position]))
    }

    /// Returns the texts of a column by our name.
    pub fn texts(&self, name: &str) -> Option<Texts> {
        let (field, column) = self.column(name)?;
        Some(Texts::new(column.as_materialized_series(), &field.logical))
    }

    /// Returns the rows for which `keep` is true, in order, with their positions.
    ///
    /// # Errors
    /// Where `keep` has another length than the frame.
    pub fn filter(&self, keep: &[bool]) -> Result<Frame, PolarsError> {
        let mask = BooleanChunked::from_slice(PlSmallStr::EMPTY, keep);
        let rows = self.rows.iter().zip(keep).filter(|(_, keep)| **keep).map(|(row, _)| *row).collect();
        Ok(Frame { schema: self.schema.clone(), df: self.df.filter(&mask)?, rows: Arc::new(rows) })
    }

    /// Returns the rows at these indexes (from 0), in that order, with their positions; of the columns those in `names`.
    ///
    /// # Errors
    /// Where an index is not below the frame's height, or a column is not there.
    pub fn take(&self, indexes: &[u32], names: &[&str]) -> Result<Frame, PolarsError> {
        let wanted = IdxCa::from_vec(PlSmallStr::EMPTY, indexes.to_vec());
        let missing =
            |name: &str| PolarsError::ColumnNotFound(format!("`{name}` is not a column of the table").into());
        let mut fields = Vec::with_capacity(names.len());
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let (field, column) = self.column(name).ok_or_else(|| missing(name))?;
            fields.push(field.clone());
            columns.push(column.take(&wanted)?);
        }
        let rows = indexes.iter().map(|index| self.rows.get(*index as usize).copied().unwrap_or(0)).collect();
        Ok(Frame {
            schema: Schema { fields },
            df: DataFrame::new(indexes.len(), columns)?,
            rows: Arc::new(rows),
        })
    }

    /// Returns the frame's rows and those of another with the same columns, in that order.
    ///
    /// # Errors
    /// Where the columns are not the same.
    pub fn with(&self, other: &Frame) -> Result<Frame, PolarsError> {
        let rows = self.rows.iter().chain(other.rows.iter()).copied().collect();
        Ok(Frame { schema: self.schema.clone(), df: self.df.vstack(&other.df)?, rows: Arc::new(rows) })
    }

    /// Puts frames with the same columns together, in their order; nothing where there is none.
    ///
    /// # Errors
    /// Where their columns are not the same.
    pub fn stacked(frames: impl IntoIterator<Item = Frame>) -> Result<Option<Frame>, PolarsError> {
        let mut frames = frames.into_iter();
        let Some(Frame { schema, mut df, rows }) = frames.next() else { return Ok(None) };
        let mut rows = Arc::unwrap_or_clone(rows);
        for frame in frames {
            df.vstack_mut(&frame.df)?;
            rows.extend_from_slice(&frame.rows);
        }
        df.rechunk_mut_par();
        Ok(Some(Frame { schema, df, rows: Arc::new(rows) }))
    }

    /// Puts a column in the place of the one with the same name.
    ///
    /// # Errors
    /// Where the column has another length than the frame, or its name is not there.
    pub fn replace(&mut self, field: Field, column: Column) -> Result<(), PolarsError> {
        let position = self.schema.position(&field.name).ok_or_else(|| {
            PolarsError::ColumnNotFound(format!("`{}` is not a column of the table", field.name).into())
        })?;
        self.df.replace_column(position, column.with_name(field.name.as_str().into()))?;
        self.schema.fields[position] = field;
        Ok(())
    }
}
