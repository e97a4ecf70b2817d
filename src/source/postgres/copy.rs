//! Binary COPY: from the bytes of the stream to batches.
//!
//! The stream begins with a signature, flags and an extension, and then has rows: the number of values, and each
//! with its length before it (-1 for NULL). A number of values of -1 ends it. Where the pieces of the stream are cut
//! says nothing.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::types::{Decoder, Unfit, Values, Wire};

/// Rows of a batch: as many as the writer encodes at once.
const BATCH_ROWS: usize = 16 << 10;
/// Bytes of a batch, where rows are long.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes of rows that are taken at once: they stay in the processor's own memory meanwhile.
const HELD_BYTES: usize = 256 << 10;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Why the stream could not be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// A value of this column, by its position, could not be taken.
    Column(usize, Unfit),
    /// The stream is not one of binary COPY.
    Stream(&'static str),
}

/// A batch and the bytes it came in.
#[derive(Debug)]
pub(super) struct Batch {
    pub rows: RecordBatch,
    pub bytes: usize,
}

/// Puts batches together from the pieces of a stream.
///
/// Rows are held until there are some of them, and then taken column by column: what one type needs is done again and
/// again while its code and its column are near.
pub(super) struct Rows {
    schema: SchemaRef,
    decoders: Vec<Box<dyn Decoder>>,
    /// Bytes of rows that are not taken yet, the last of which may not be whole.
    held: Vec<u8>,
    /// Up to where they are whole rows.
    whole: usize,
    /// Where the values of these rows begin with their lengths, row by row.
    starts: Vec<u32>,
    begun: bool,
    ended: bool,
    /// Rows of the batch that is being put together, and the bytes that they came in.
    count: usize,
    bytes: usize,
}

impl Rows {
    /// Begins a stream whose values travel as `wires` says.
    pub fn new(schema: SchemaRef, wires: impl Iterator<Item = Wire>) -> Self {
        Rows {
            schema,
            decoders: wires.map(Wire::decoder).collect(),
            held: Vec::new(),
            whole: 0,
            starts: Vec::new(),
            begun: false,
            ended: false,
            count: 0,
            bytes: 0,
        }
    }

    /// Takes a piece; full batches go to `give`, until it wants no more.
    ///
    /// # Errors
    /// Where a value cannot be taken, or the bytes are no such stream. The outer result is `give`'s own.
    pub fn add<E>(
        &mut self,
        piece: &[u8],
        give: &mut dyn FnMut(Batch) -> Result<(), E>,
    ) -> Result<Result<(), E>, Problem> {
        self.held.extend_from_slice(piece);
        if !self.begun {
            let Some(length) = head(&self.held)? else { return Ok(Ok(())) };
            self.held.drain(..length);
            self.begun = true;
        }
        while self.next_row()? {
            let is_full = self.count >= BATCH_ROWS || self.bytes >= BATCH_BYTES;
            if is_full || self.whole >= HELD_BYTES {
                self.take()?;
            }
            if is_full && let Err(error) = give(self.batch()?) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }

    /// Finds the next row among what is held; false where it is not there, or not whole.
    fn next_row(&mut self) -> Result<bool, Problem> {
        if self.ended && self.held.len() > self.whole {
            return Err(Problem::Stream("something stands behind its end"));
        }
        let Some(count) = number::<2>(&self.held, self.whole).map(i16::from_be_bytes) else {
            return Ok(false);
        };
        if count == -1 {
            self.ended = true;
            self.whole += 2;
            return Ok(true);
        }
        if usize::try_from(count) != Ok(self.decoders.len()) {
            return Err(Problem::Stream("a row has another number of values than there are columns"));
        }
        let known = self.starts.len();
        let mut end = self.whole + 2;
        for _ in 0..count {
            let Some(size) = number::<4>(&self.held, end).map(i32::from_be_bytes) else {
                self.starts.truncate(known);
                return Ok(false);
            };
            self.starts.push(u32::try_from(end).map_err(|_| Problem::Stream("a row is too long"))?);
            end += 4 + usize::try_from(size).unwrap_or(0);
        }
        if end > self.held.len() {
            self.starts.truncate(known);
            return Ok(false);
        }
        self.count += 1;
        self.bytes += end - self.whole;
        self.whole = end;
        Ok(true)
    }

    /// Takes the rows that are held and whole, and lets go of them.
    fn take(&mut self) -> Result<(), Problem> {
        let columns = self.decoders.len();
        for (position, decoder) in self.decoders.iter_mut().enumerate() {
            let starts = self.starts.get(position..).unwrap_or_default();
            let values = Values { bytes: &self.held, starts, columns };
            decoder.add(values).map_err(|unfit| Problem::Column(position, unfit))?;
        }
        self.starts.clear();
        self.held.drain(..self.whole);
        self.whole = 0;
        Ok(())
    }

    fn batch(&mut self) -> Result<Batch, Problem> {
        let arrays = self.decoders.iter_mut().map(|decoder| decoder.finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.count));
        let rows = RecordBatch::try_new_with_options(SchemaRef::clone(&self.schema), arrays, &options)
            .map_err(|_| Problem::Stream("its values are not of the types that were announced"))?;
        self.count = 0;
        Ok(Batch { rows, bytes: std::mem::take(&mut self.bytes) })
    }

    /// Ends the stream, and returns the rows that did not fill a batch.
    ///
    /// # Errors
    /// Where the stream has not come to its end, or a value cannot be taken.
    pub fn finish(mut self) -> Result<Option<Batch>, Problem> {
        if !self.ended {
            return Err(Problem::Stream("it breaks off"));
        }
        self.take()?;
        if self.count == 0 { Ok(None) } else { self.batch().map(Some) }
    }
}

/// Returns the length of what stands before the first row, where all of it is there.
fn head(bytes: &[u8]) -> Result<Option<usize>, Problem> {
    let seen = bytes.len().min(SIGNATURE.len());
    if bytes.get(..seen) != SIGNATURE.get(..seen) {
        return Err(Problem::Stream("it has not the signature"));
    }
    let Some(flags) = number::<4>(bytes, 11).map(u32::from_be_bytes) else { return Ok(None) };
    let Some(extension) = number::<4>(bytes, 15).map(u32::from_be_bytes) else { return Ok(None) };
    // The upper half of the flags is for what a reader must understand.
    if flags >> 16 != 0 {
        return Err(Problem::Stream("it has flags that this program does not know"));
    }
    let length = 19 + extension as usize;
    Ok((bytes.len() >= length).then_some(length))
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;

    fn stream(rows: usize) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3, 7, 7, 7]);
        for i in 0..rows {
            bytes.extend([0, 2, 0, 0, 0, 4]);
            bytes.extend(i32::try_from(i).unwrap().to_be_bytes());
            if i % 3 == 0 {
                bytes.extend([255; 4]);
            } else {
                let text = "x".repeat(i % 20);
                bytes.extend(i32::try_from(text.len()).unwrap().to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        bytes.extend([255, 255]);
        bytes
    }

    fn rows() -> Rows {
        let fields = vec![Field::new("n", DataType::Int64, true), Field::new("t", DataType::Utf8View, true)];
        Rows::new(Arc::new(Schema::new(fields)), [Wire::Int4, Wire::Text].into_iter())
    }

    fn read(bytes: &[u8], size: usize) -> Result<Vec<RecordBatch>, Problem> {
        let mut rows = rows();
        let mut batches = Vec::new();
        for piece in bytes.chunks(size) {
            let mut give = |batch: Batch| {
                batches.push(batch.rows);
                Ok::<_, Infallible>(())
            };
            let Ok(()) = rows.add(piece, &mut give)?;
        }
        batches.extend(rows.finish()?.map(|batch| batch.rows));
        Ok(batches)
    }

    #[test]
    fn it_does_not_matter_where_the_stream_is_cut() {
        let bytes = stream(300);
        for size in [1, 2, 3, 7, 19, 64, 1_000, bytes.len()] {
            let batches = read(&bytes, size).unwrap();
            let [batch] = batches.as_slice() else { panic!("{} batches", batches.len()) };
            let numbers = batch.column(0).as_primitive::<Int64Type>();
            let texts = batch.column(1).as_string_view();
            assert_eq!(batch.num_rows(), 300);
            for i in 0..300 {
                assert_eq!(numbers.value(i), i64::try_from(i).unwrap());
                assert_eq!(texts.iter().nth(i).unwrap().map(str::len), (i % 3 != 0).then_some(i % 20));
            }
        }
    }

    #[test]
    fn batches_are_of_the_size_that_is_encoded() {
        let batches = read(&stream(40_000), 8_192).unwrap();
        let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
        assert_eq!(sizes, [16_384, 16_384, 7_232]);
        let numbers = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values());
        assert!(numbers.copied().eq(0..40_000));
        let texts = batches.iter().flat_map(|batch| batch.column(1).as_string_view());
        let lengths = texts.map(|text| text.map(str::len));
        assert!(lengths.eq((0..40_000).map(|i| (i % 3 != 0).then_some(i % 20))));
        assert!(read(&stream(0), 4).unwrap().is_empty());
    }

    #[test]
    fn a_stream_that_breaks_off_is_no_table() {
        let bytes = stream(10);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], 4_096).is_err(), "{length}");
        }
    }

    #[test]
    fn what_is_no_such_stream_is_not_read() {
        let changed = |at: usize, to: u8| {
            let mut bytes = stream(10);
            bytes[at] = to;
            read(&bytes, 100).unwrap_err()
        };
        assert!(matches!(changed(0, b'X'), Problem::Stream(why) if why.contains("signature")));
        assert!(matches!(changed(12, 1), Problem::Stream(why) if why.contains("flags")));
        assert!(matches!(changed(23, 3), Problem::Stream(why) if why.contains("number of values")));
        let mut more = stream(1);
        more.push(0);
        assert!(
            matches!(read(&more, 100).unwrap_err(), Problem::Stream(why) if why.contains("behind its end"))
        );
    }

    #[test]
    fn a_value_that_is_not_taken_names_its_column() {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        bytes.extend([0, 2, 255, 255, 255, 255, 0, 0, 0, 1, 0xff, 255, 255]);
        assert!(matches!(read(&bytes, 100), Err(Problem::Column(1, Unfit::Damaged(_)))));
    }
}
