//! Bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};

use super::{Decoder, Unfit};

/// `bytea`.
#[derive(Debug, Default)]
pub(super) struct Bytes(BinaryBuilder);

impl Decoder for Bytes {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        self.0.append_option(value);
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
