//! Bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};

use super::Unfit;
use super::column::{Decoder, Values};

/// `bytea`.
#[derive(Debug, Default)]
pub(super) struct Bytes(BinaryBuilder);

impl Decoder for Bytes {
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit> {
        values.for_each(|value| self.0.append_option(value));
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::testing::printed;

    #[test]
    fn bytes_come_as_they_are() {
        assert_eq!(printed(Wire::Bytes, &[&[0, 255], &[]]), ["00ff", ""]);
    }
}
