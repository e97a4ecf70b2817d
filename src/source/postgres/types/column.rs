//! Values of one column: where they stand in the bytes of rows, and what collects them.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, NullBufferBuilder, PrimitiveArray};
use arrow::datatypes::DataType;

use super::Unfit;

/// One column of rows that lie one behind another, in order: the bytes of each value, or nothing for NULL.
#[derive(Debug, Clone)]
pub(in crate::source::postgres) struct Values<'a> {
    /// The rows. Each value has its length in four bytes before it, which is -1 for NULL.
    pub bytes: &'a [u8],
    /// Where the values begin with their lengths: this column's, and then those of others before its next.
    pub starts: &'a [u32],
    /// How many columns there are.
    pub columns: usize,
}

impl<'a> Iterator for Values<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let start = *self.starts.first()? as usize;
        self.starts = self.starts.get(self.columns..).unwrap_or_default();
        let value = self.bytes.get(start..).and_then(|bytes| {
            let (size, rest) = bytes.split_first_chunk::<4>()?;
            rest.get(..usize::try_from(i32::from_be_bytes(*size)).ok()?)
        });
        Some(value)
    }
}

/// Collects the values of one column.
pub(in crate::source::postgres) trait Decoder: Send {
    /// Adds values.
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit>;

    /// Returns what was added and begins anew.
    fn finish(&mut self) -> ArrayRef;
}

/// Collects values of one size in Arrow, as `read` makes them of their bytes.
pub(super) struct Fixed<T: ArrowPrimitiveType, R> {
    kind: DataType,
    read: R,
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
}

impl<T, R> Fixed<T, R>
where
    T: ArrowPrimitiveType,
    R: Fn(&[u8]) -> Result<T::Native, Unfit> + Send + 'static,
{
    /// Begins a column. `kind` is `T` with whatever parameters it has.
    pub fn decoder(kind: DataType, read: R) -> Box<dyn Decoder> {
        Box::new(Fixed::<T, R> { kind, read, values: Vec::new(), nulls: NullBufferBuilder::new(0) })
    }
}

impl<T, R> Decoder for Fixed<T, R>
where
    T: ArrowPrimitiveType,
    R: Fn(&[u8]) -> Result<T::Native, Unfit> + Send,
{
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit> {
        for value in values {
            if let Some(value) = value {
                self.values.push((self.read)(value)?);
                self.nulls.append_non_null();
            } else {
                self.values.push(T::Native::default());
                self.nulls.append_null();
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        // The next batch is likely to be as long.
        let next = Vec::with_capacity(self.values.len());
        let values = std::mem::replace(&mut self.values, next);
        let array = PrimitiveArray::<T>::new(values.into(), self.nulls.finish());
        Arc::new(array.with_data_type(self.kind.clone()))
    }
}
