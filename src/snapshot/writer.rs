//! The one writer of Parquet: snapshots and all outputs of a run.
//!
//! The same rows give the same bytes, in whatever batches they come. A file is written under a temporary
//! name beside its own, readable by its owner only, and renamed when it is complete and on the disk.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::frame::{Frame, to_record_batch};
use crate::source::hex;

use super::WriteError;

/// Rows of a row group.
const GROUP_ROWS: usize = 256 << 10;
/// Encoded bytes after which a row group ends though it has fewer rows: they are in memory until then.
const GROUP_BYTES: usize = 32 << 20;
/// Rows encoded at once: every batch is cut or put together to this size, so that pages never depend on it.
const BATCH_ROWS: usize = 16 << 10;
/// Bytes of texts and bytes after which fewer rows are encoded at once.
const BATCH_BYTES: usize = 32 << 20;

/// The threads that encode. Those of the common pool may all be waiting for a reader, which waits for this.
static ENCODERS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| ThreadPoolBuilder::new().build().ok());

/// Runs what uses threads on those that encode.
fn with_encoders<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match ENCODERS.as_ref() {
        Some(encoders) => encoders.install(work),
        None => work(),
    }
}

/// Makes a folder and those above it that are not there, each for its owner only. What is there stays as it is.
///
/// # Errors
/// Where the system refuses.
pub fn make_folders(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The number of rows.
    pub rows: u64,
    /// The SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// Writes batches of one schema to a Parquet file.
///
/// # Errors
/// Where a batch is an error, or the file could not be written; then nothing stands under its name.
pub fn write_parquet<E: From<WriteError>>(
    path: &Path,
    schema: SchemaRef,
    batches: impl IntoIterator<Item = Result<RecordBatch, E>>,
) -> Result<Written, E> {
    let mut writer = ParquetWriter::create(path, schema)?;
    for batch in batches {
        writer.write(batch?)?;
    }
    Ok(writer.finish()?)
}

/// Writes a frame to a Parquet file, its columns under our names.
///
/// # Errors
/// Where a column's values are not of its logical type, or the file could not be written; then nothing
/// stands under its name.
pub fn write_frame(path: &Path, frame: &Frame) -> Result<Written, WriteError> {
    let batch = to_record_batch(frame)
        .map_err(|e| WriteError::Encode { path: path.to_owned(), problem: e.to_string() })?;
    write_parquet(path, batch.schema(), [Ok(batch)])
}

/// A Parquet file while it is written.
///
/// Where it is dropped before [`ParquetWriter::finish`], nothing is left of it.
pub struct ParquetWriter {
    path: PathBuf,
    temporary: NamedTempFile,
    file: SerializedFileWriter<Hashed>,
    groups: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    /// The columns of the row group being written, with its rows.
    group: Option<(Vec<ArrowColumnWriter>, usize)>,
    /// Rows that are not enough for a batch yet.
    waiting: BatchCoalescer,
    /// The bytes of their texts and bytes.
    waiting_bytes: usize,
    rows: u64,
}

impl std::fmt::Debug for ParquetWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetWriter")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl ParquetWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// Where no file can be made in the folder, or the schema has a type that Parquet has not.
    pub fn create(path: &Path, schema: SchemaRef) -> Result<Self, WriteError> {
        let properties = properties().map_err(|e| encode_error(path, e))?;
        Self::with(path, schema, properties.build())
    }

    /// Begins a file in the way that takes least time: its whole numbers, dates, times and decimals are packed.
    ///
    /// Readers from before about 2022 do not know `DELTA_BINARY_PACKED`.
    ///
    /// # Errors
    /// Where no file can be made in the folder, or the schema has a type that Parquet has not.
    pub fn create_packed(path: &Path, schema: SchemaRef) -> Result<Self, WriteError> {
        let properties = properties().map_err(|e| encode_error(path, e))?;
        let properties = packed(properties, &schema);
        Self::with(path, schema, properties.build())
    }

    fn with(path: &Path, schema: SchemaRef, properties: WriterProperties) -> Result<Self, WriteError> {
        let temporary = temporary_beside(path)?;
        let handle = temporary.as_file().try_clone().map_err(WriteError::io(path))?;
        let output = Hashed { file: BufWriter::with_capacity(1 << 20, handle), hasher: Sha256::new() };
        let (file, groups) = ArrowWriter::try_new(output, Arc::clone(&schema), Some(properties))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|e| encode_error(path, e))?;
        Ok(ParquetWriter {
            path: path.to_owned(),
            temporary,
            file,
            groups,
            waiting: BatchCoalescer::new(Arc::clone(&schema), BATCH_ROWS),
            waiting_bytes: 0,
            schema,
            group: None,
            rows: 0,
        })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Where they are not of the file's schema, or could not be written.
    pub fn write(&mut self, batch: RecordBatch) -> Result<(), WriteError> {
        self.rows += batch.num_rows() as u64;
        let mut rest = batch;
        while rest.num_rows() > 0 {
            let (count, is_full) = self.fitting(&rest);
            let piece = rest.slice(0, count);
            rest = rest.slice(count, rest.num_rows() - count);
            if is_full && self.waiting.is_empty() {
                // Whole batches need not be copied together.
                self.encode(&piece)?;
                continue;
            }
            self.waiting_bytes += all_bytes(&piece);
            self.waiting.push_batch(piece).map_err(|e| encode_error(&self.path, e.into()))?;
            if is_full {
                self.encode_waiting()?;
            }
        }
        Ok(())
    }

    /// Returns how many of some rows belong to the batch that is being put together, and whether they complete it.
    ///
    /// That depends on the rows alone, not on how they come.
    fn fitting(&self, rows: &RecordBatch) -> (usize, bool) {
        let room = BATCH_ROWS.saturating_sub(self.waiting.get_buffered_rows()).max(1);
        let most = room.min(rows.num_rows());
        let mut bytes = self.waiting_bytes;
        if bytes + all_bytes(&rows.slice(0, most)) >= BATCH_BYTES {
            for row in 0..most {
                bytes += row_bytes(rows, row);
                if bytes >= BATCH_BYTES {
                    return (row + 1, true);
                }
            }
        }
        (most, most == room)
    }

    /// Encodes the rows that wait.
    fn encode_waiting(&mut self) -> Result<(), WriteError> {
        self.waiting_bytes = 0;
        self.waiting.finish_buffered_batch().map_err(|e| encode_error(&self.path, e.into()))?;
        while let Some(batch) = self.waiting.next_completed_batch() {
            self.encode(&batch)?;
        }
        Ok(())
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// Where the rest could not be written, or the file not be renamed.
    pub fn finish(mut self) -> Result<Written, WriteError> {
        self.encode_waiting()?;
        self.end_group()?;
        let output = self.file.into_inner().map_err(|e| encode_error(&self.path, e))?;
        let sha256 = output.finish().map_err(WriteError::io(&self.path))?;
        publish(self.temporary, &self.path)?;
        Ok(Written { rows: self.rows, sha256 })
    }

    fn encode(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        let failed = |e| encode_error(&self.path, e);
        let (columns, rows) = match &mut self.group {
            Some(group) => group,
            none => {
                let index = self.file.flushed_row_groups().len();
                none.insert((self.groups.create_column_writers(index).map_err(failed)?, 0))
            }
        };
        let fields = self.schema.fields();
        with_encoders(|| {
            columns.par_iter_mut().zip(fields.par_iter()).zip(batch.columns()).try_for_each(
                |((writer, field), array)| {
                    compute_leaves(field, array)?.iter().try_for_each(|leaf| writer.write(leaf))
                },
            )
        })
        .map_err(failed)?;
        *rows += batch.num_rows();
        let bytes: usize = columns.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum();
        if *rows >= GROUP_ROWS || bytes >= GROUP_BYTES { self.end_group() } else { Ok(()) }
    }

    fn end_group(&mut self) -> Result<(), WriteError> {
        let Some((columns, _)) = self.group.take() else { return Ok(()) };
        let write = || {
            let close =
                || columns.into_par_iter().map(ArrowColumnWriter::close).collect::<Result<Vec<_>, _>>();
            let chunks = with_encoders(close)?;
            let mut group = self.file.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close().map(|_| ())
        };
        write().map_err(|e| encode_error(&self.path, e))
    }
}

/// Returns the bytes of a row's texts and bytes.
fn row_bytes(rows: &RecordBatch, row: usize) -> usize {
    rows.columns()
        .iter()
        .map(|array| {
            if let Some(texts) = array.as_string_view_opt() {
                texts.views().get(row).map_or(0, |view| view_bytes(*view))
            } else if let Some(bytes) = array.as_binary_opt::<i32>() {
                usize::try_from(bytes.value_length(row)).unwrap_or(0)
            } else {
                0
            }
        })
        .sum()
}

/// Returns the bytes of all rows' texts and bytes.
fn all_bytes(rows: &RecordBatch) -> usize {
    rows.columns()
        .iter()
        .map(|array| {
            if let Some(texts) = array.as_string_view_opt() {
                texts.views().iter().map(|view| view_bytes(*view)).sum()
            } else if let Some(bytes) = array.as_binary_opt::<i32>() {
                let offsets = bytes.value_offsets();
                let (first, last) = (offsets.first().copied(), offsets.last().copied());
                last.zip(first).and_then(|(last, first)| usize::try_from(last - first).ok()).unwrap_or(0)
            } else {
                0
            }
        })
        .sum()
}

/// Returns the length of the text that a view is of: its lowest 32 bits.
fn view_bytes(view: u128) -> usize {
    usize::try_from(view & u128::from(u32::MAX)).unwrap_or(0)
}

fn properties() -> Result<WriterPropertiesBuilder, ParquetError> {
    Ok(WriterProperties::builder()
        .set_created_by("counterfoil".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // A column of ever new values soon stops looking for old ones, which is most of the work of writing it.
        .set_dictionary_page_size_limit(128 << 10))
}

/// Packs whole numbers to the bits by which neighbours differ: hardly anything is left to compress, and looking for equal
/// ones takes longer.
fn packed(properties: WriterPropertiesBuilder, schema: &Schema) -> WriterPropertiesBuilder {
    let whole = schema.fields().iter().filter(|field| is_whole_number(field.data_type()));
    whole.fold(properties, |properties, field| {
        let column = ColumnPath::new(vec![field.name().clone()]);
        properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(column, Compression::UNCOMPRESSED)
    })
}

/// Returns true for types that Parquet stores as whole numbers of four or eight bytes.
fn is_whole_number(kind: &DataType) -> bool {
    match kind {
        DataType::Decimal128(precision, _) => *precision <= 18,
        kind => matches!(
            kind,
            DataType::Int64
                | DataType::UInt64
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Time64(_)
        ),
    }
}

fn encode_error(path: &Path, error: ParquetError) -> WriteError {
    let path = path.to_owned();
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(source) => WriteError::Io { path, source: *source },
            Err(other) => WriteError::Encode { path, problem: other.to_string() },
        },
        error => WriteError::Encode { path, problem: error.to_string() },
    }
}

/// Makes a file beside `path` that is removed unless it is published; only its owner can read it.
pub(super) fn temporary_beside(path: &Path) -> Result<NamedTempFile, WriteError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder).map_err(WriteError::io(path))
}

/// Brings a complete file to the disk and gives it its name.
pub(super) fn publish(temporary: NamedTempFile, path: &Path) -> Result<(), WriteError> {
    temporary.as_file().sync_all().map_err(WriteError::io(path))?;
    temporary.persist(path).map_err(|e| WriteError::io(path)(e.error))?;
    Ok(())
}

/// Writes to a file and hashes what is written.
pub(super) struct Hashed {
    file: BufWriter<File>,
    hasher: Sha256,
}

impl Hashed {
    /// Begins a file that is empty.
    pub fn new(file: File) -> Self {
        Hashed { file: BufWriter::new(file), hasher: Sha256::new() }
    }

    /// Writes out what is held back, and returns the hash in lower-case hexadecimal.
    pub fn finish(mut self) -> std::io::Result<String> {
        self.file.flush()?;
        Ok(hex(&self.hasher.finalize()))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, BinaryArray, StringViewArray};
    use arrow::datatypes::Field;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    /// Rows whose texts are long.
    fn rows(count: usize) -> RecordBatch {
        let texts: ArrayRef =
            Arc::new((0..count).map(|i| Some("x".repeat(i * 7919 % 90_000))).collect::<StringViewArray>());
        let bytes = (0..count).map(|i| (i % 3 != 0).then(|| vec![u8::try_from(i % 256).unwrap(); i % 1_000]));
        let bytes: ArrayRef = Arc::new(bytes.collect::<BinaryArray>());
        let fields = vec![Field::new("t", DataType::Utf8View, true), Field::new("b", DataType::Binary, true)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![texts, bytes]).unwrap()
    }

    #[test]
    fn long_values_give_the_same_bytes_in_whatever_batches_they_come() {
        let all = rows(2_000);
        assert!(all_bytes(&all) > 2 * BATCH_BYTES);
        assert_eq!(all_bytes(&all), (0..2_000).map(|row| row_bytes(&all, row)).sum::<usize>());
        let folder = tempfile::tempdir().unwrap();
        let written = |size: usize| {
            let path = folder.path().join(format!("{size}.parquet"));
            let starts = (0..all.num_rows()).step_by(size);
            let batches = starts.map(|at| Ok::<_, WriteError>(all.slice(at, size.min(all.num_rows() - at))));
            (write_parquet(&path, all.schema(), batches).unwrap(), path)
        };
        let (whole, path) = written(2_000);
        assert_eq!(whole.rows, 2_000);
        for size in [1, 7, 500, 1_999] {
            assert_eq!(written(size).0, whole, "{size}");
        }
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 2_000);
    }
}
