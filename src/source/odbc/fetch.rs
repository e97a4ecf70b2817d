//! Rows of a query, decoded batch by batch, in the thread of their driver.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use odbc_api::buffers::{AnyColumnBufferSlice, BufferDesc, ColumnarDynBuffer};
use odbc_api::sys::{Date, Timestamp};
use odbc_api::{Cursor, CursorRow, Nullable};

use crate::model::Schema;
use crate::source::SourceError;
use crate::source::dialect::{Fetch, Size};

use super::decode::Builder;
use super::native::{Blocks, Rows, execute};
use super::plan::{Fetched, Plan};
use super::problem::{OdbcProblem, READING, Wrong};
use super::session::Session;

/// The size of the buffers of one reader, in bytes. Larger ones do not stay in a processor's cache.
const BUFFERS: usize = 1 << 20;
/// The most bytes of one row in buffers; a table with longer rows is fetched cell by cell.
const LONGEST_ROW: usize = 16 << 20;
/// The most rows of a batch: as many as the writer encodes at once.
const MOST_ROWS: usize = 16 << 10;
/// Bytes of a batch, where rows are long.
const BATCH_BYTES: usize = 8 << 20;
/// How long a batch may take to come together, where rows come slowly.
const PATIENCE: Duration = Duration::from_millis(500);

/// Takes the next batch; false where no more is wanted.
pub(super) type Take<'a> = dyn FnMut(RecordBatch) -> bool + 'a;

/// Reads a part of a plan.
pub(super) fn fetch(
    session: &Session,
    plan: &Plan,
    part: usize,
    schema: &Schema,
    arrow: &SchemaRef,
    take: &mut Take<'_>,
) -> Result<(), SourceError> {
    let mut batches = Batches {
        columns: schema.fields.iter().map(|field| Builder::new(&field.logical)).collect(),
        narrow: session.narrow,
        plan,
        part,
        arrow,
        rows: 0,
        seen: 0,
        begun: Instant::now(),
    };
    let query = plan.query(part);
    let query = session.spelled(&query);
    let narrow = session.narrow;
    // A condition of a part holds values of the key: no text of the driver is shown.
    let failed = |error: odbc_api::Error| session.refused(READING, &error, false);
    let is_lost = |code: i32| session.dialect.lost_codes().contains(&code);
    session.with_statement(
        |statement| {
            let Some(cursor) = execute(statement, &query).map_err(failed)? else { return Ok(()) };
            let watch = plan.watch.iter().map(|_| Fetch::I64);
            let fetches = watch.chain(plan.columns.iter().map(|column| column.fetch));
            let descs: Option<Vec<BufferDesc>> = fetches.map(|fetch| buffer(fetch, narrow)).collect();
            let row: usize =
                descs.iter().flatten().fold(1, |sum, desc| sum.saturating_add(desc.bytes_per_row()));
            match descs {
                Some(descs) if row <= LONGEST_ROW => {
                    // A power of two, so that blocks make up whole batches.
                    let rows = 1 << (BUFFERS / row).clamp(1, MOST_ROWS).ilog2();
                    let buffers = ColumnarDynBuffer::try_from_descs(rows, descs).map_err(failed)?;
                    in_blocks(cursor, buffers, &mut batches, take, &failed, &is_lost)
                }
                _ => cell_by_cell(cursor, &mut batches, take, &failed, &is_lost),
            }
        },
        READING,
    )
}

/// Returns the buffer of a column; nothing where no length is known.
fn buffer(fetch: Fetch, narrow: bool) -> Option<BufferDesc> {
    // One more than the longest: a value that fills its buffer was cut off.
    let most = |size: Size| match size {
        Size::Most(length) => Some(length.saturating_add(1)),
        Size::Measured | Size::Unknown => None,
    };
    Some(match fetch {
        Fetch::I64 => BufferDesc::I64 { nullable: true },
        Fetch::F64 => BufferDesc::F64 { nullable: true },
        Fetch::Date => BufferDesc::Date { nullable: true },
        Fetch::Moment => BufferDesc::Timestamp { nullable: true },
        Fetch::Ascii(size) => BufferDesc::Text { max_str_len: most(size)? },
        // What takes a unit of UTF-16 takes at most three bytes of UTF-8.
        Fetch::Wide(size) if narrow => BufferDesc::Text { max_str_len: most(size)?.saturating_mul(3) },
        Fetch::Wide(size) => BufferDesc::WText { max_str_len: most(size)? },
        Fetch::Bytes(size) => BufferDesc::Binary { max_bytes: most(size)? },
    })
}

/// The batch that is being put together.
struct Batches<'p> {
    columns: Vec<Builder>,
    narrow: bool,
    plan: &'p Plan,
    part: usize,
    arrow: &'p SchemaRef,
    /// Rows of this batch.
    rows: usize,
    /// Rows of the batches before.
    seen: u64,
    /// When it was begun.
    begun: Instant,
}

impl Batches<'_> {
    /// Returns how many columns come before those of the plan.
    fn before(&self) -> usize {
        usize::from(self.plan.watch.is_some())
    }

    fn wrong(&self, row: usize, column: usize, wrong: Wrong) -> SourceError {
        let part = match self.plan.parts.len() {
            0 | 1 => "the table".to_owned(),
            parts => format!("part {} of {parts}", self.part + 1),
        };
        let column_name = self.plan.columns.get(column).map(|column: &Fetched| column.name.clone());
        OdbcProblem::Cell {
            row: self.seen + row as u64 + 1,
            part,
            position: column + 1,
            column: column_name.unwrap_or_default(),
            wrong,
        }
        .into()
    }

    /// Returns true where there is enough for a batch.
    fn is_full(&self) -> bool {
        self.rows >= MOST_ROWS
            || self.columns.iter().map(Builder::bytes).sum::<usize>() >= BATCH_BYTES
            || self.begun.elapsed() >= PATIENCE
    }

    /// Ends the batch.
    fn finish(&mut self) -> Result<RecordBatch, SourceError> {
        self.seen += self.rows as u64;
        self.rows = 0;
        self.begun = Instant::now();
        let arrays = self.columns.iter_mut().map(Builder::finish).collect();
        RecordBatch::try_new(Arc::clone(self.arrow), arrays).map_err(|error| SourceError::Sink(error.into()))
    }
}

/// Fetches into buffers of many rows.
fn in_blocks(
    cursor: impl Cursor,
    buffers: ColumnarDynBuffer,
    batches: &mut Batches<'_>,
    take: &mut Take<'_>,
    failed: &dyn Fn(odbc_api::Error) -> SourceError,
    is_lost: &dyn Fn(i32) -> bool,
) -> Result<(), SourceError> {
    let mut blocks = Blocks::new(cursor, buffers).map_err(failed)?;
    let before = batches.before();
    while let Some(block) = blocks.next(is_lost).map_err(failed)? {
        let rows = block.num_rows();
        if before > 0 {
            let watched = block.column(0).as_nullable_slice::<i64>();
            // Before any value is looked at: what is not fit may be nothing at all to a decoder.
            if watched.is_none_or(|mut flags| flags.any(|flag| flag != Some(&0))) {
                return Err(OdbcProblem::Unfit.into());
            }
        }
        for column in 0..batches.columns.len() {
            let Some(fetch) = batches.plan.columns.get(column).map(|column| column.fetch) else { continue };
            let Some(builder) = batches.columns.get_mut(column) else { continue };
            if let Err((row, wrong)) =
                decode(block.column(before + column), fetch, batches.narrow, rows, builder)
            {
                return Err(batches.wrong(batches.rows + row, column, wrong));
            }
        }
        batches.rows += rows;
        if batches.is_full() && !take(batches.finish()?) {
            return Ok(());
        }
    }
    if batches.rows > 0 {
        take(batches.finish()?);
    }
    Ok(())
}

/// Decodes a column of a block; a value that is wrong comes back with its row.
fn decode(
    column: AnyColumnBufferSlice<'_>,
    fetch: Fetch,
    narrow: bool,
    rows: usize,
    builder: &mut Builder,
) -> Result<(), (usize, Wrong)> {
    /// Appends each value of a column, by the function for what it is.
    macro_rules! each {
        ($slice:expr, $rows:expr, $builder:expr, |$value:ident| $append:expr) => {{
            let slice = $slice.ok_or((0, Wrong::Type))?;
            for row in 0..$rows {
                match slice.get(row) {
                    None => $builder.null(),
                    Some($value) => $append.map_err(|wrong| (row, wrong))?,
                }
            }
        }};
    }
    let whole = |length: usize, size: Size| match size {
        Size::Most(most) if length <= most => Ok(()),
        _ => Err(Wrong::Truncated),
    };
    match fetch {
        Fetch::I64 => each!(column.as_nullable_slice::<i64>(), rows, builder, |value| builder.whole(*value)),
        Fetch::F64 => each!(column.as_nullable_slice::<f64>(), rows, builder, |value| builder.real(*value)),
        Fetch::Date => each!(column.as_nullable_slice::<Date>(), rows, builder, |value| builder.date(*value)),
        Fetch::Moment => {
            each!(column.as_nullable_slice::<Timestamp>(), rows, builder, |value| builder.moment(*value));
        }
        Fetch::Ascii(size) => each!(column.as_text(), rows, builder, |value| {
            whole(value.len(), size).and_then(|()| builder.utf8(value))
        }),
        Fetch::Wide(size) if narrow => each!(column.as_text(), rows, builder, |value| {
            let text = std::str::from_utf8(value).map_err(|_| Wrong::Text);
            // Of text that did not fit the driver gives a part, or the length that it has. No text has more units of
            // UTF-16 than bytes of UTF-8.
            let fits = |text: &str| match whole(text.len(), size) {
                Ok(()) => Ok(()),
                Err(_) => whole(text.encode_utf16().count(), size),
            };
            text.and_then(|text| fits(text).and_then(|()| builder.text(text)))
        }),
        Fetch::Wide(size) => each!(column.as_wide_text(), rows, builder, |value| {
            whole(value.len(), size).and_then(|()| builder.wide(value))
        }),
        Fetch::Bytes(size) => each!(column.as_binary(), rows, builder, |value| {
            whole(value.len(), size).and_then(|()| builder.binary(value))
        }),
    }
    Ok(())
}

/// Fetches cell by cell, long values piece by piece.
fn cell_by_cell(
    cursor: impl Cursor,
    batches: &mut Batches<'_>,
    take: &mut Take<'_>,
    failed: &dyn Fn(odbc_api::Error) -> SourceError,
    is_lost: &dyn Fn(i32) -> bool,
) -> Result<(), SourceError> {
    let mut rows = Rows::new(cursor);
    let mut scratch = Scratch { bytes: Vec::with_capacity(4_096), units: Vec::with_capacity(4_096) };
    while let Some(mut row) = rows.next(is_lost).map_err(failed)? {
        if batches.before() > 0 {
            let mut flag = Nullable::<i64>::null();
            row.get_data(1, &mut flag).map_err(failed)?;
            if flag.into_opt() != Some(0) {
                return Err(OdbcProblem::Unfit.into());
            }
        }
        for column in 0..batches.columns.len() {
            let number = u16::try_from(batches.before() + column + 1).unwrap_or(u16::MAX);
            let Some(fetch) = batches.plan.columns.get(column).map(|column| column.fetch) else { continue };
            let Some(builder) = batches.columns.get_mut(column) else { continue };
            let read =
                cell(&mut row, number, fetch, batches.narrow, builder, &mut scratch).map_err(failed)?;
            if let Err(wrong) = read {
                return Err(batches.wrong(batches.rows, column, wrong));
            }
        }
        batches.rows += 1;
        if batches.is_full() && !take(batches.finish()?) {
            return Ok(());
        }
    }
    if batches.rows > 0 {
        take(batches.finish()?);
    }
    Ok(())
}

struct Scratch {
    bytes: Vec<u8>,
    units: Vec<u16>,
}

/// Appends a cell.
fn cell(
    row: &mut CursorRow<'_>,
    number: u16,
    fetch: Fetch,
    narrow: bool,
    builder: &mut Builder,
    scratch: &mut Scratch,
) -> Result<Result<(), Wrong>, odbc_api::Error> {
    let appended = match fetch {
        Fetch::I64 => {
            let mut value = Nullable::<i64>::null();
            row.get_data(number, &mut value)?;
            value.into_opt().map(|value| builder.whole(value))
        }
        Fetch::F64 => {
            let mut value = Nullable::<f64>::null();
            row.get_data(number, &mut value)?;
            value.into_opt().map(|value| builder.real(value))
        }
        Fetch::Date => {
            let mut value = Nullable::<Date>::null();
            row.get_data(number, &mut value)?;
            value.into_opt().map(|value| builder.date(value))
        }
        Fetch::Moment => {
            let mut value = Nullable::<Timestamp>::null();
            row.get_data(number, &mut value)?;
            value.into_opt().map(|value| builder.moment(value))
        }
        Fetch::Ascii(_) => row.get_text(number, &mut scratch.bytes)?.then(|| builder.utf8(&scratch.bytes)),
        Fetch::Wide(_) if narrow => {
            row.get_text(number, &mut scratch.bytes)?.then(|| builder.utf8(&scratch.bytes))
        }
        Fetch::Wide(_) => {
            row.get_wide_text(number, &mut scratch.units)?.then(|| builder.wide(&scratch.units))
        }
        Fetch::Bytes(_) => {
            row.get_binary(number, &mut scratch.bytes)?.then(|| builder.binary(&scratch.bytes))
        }
    };
    Ok(appended.unwrap_or_else(|| {
        builder.null();
        Ok(())
    }))
}
