//! Texts, JSON and UUIDs.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewBuilder};

use super::Unfit;
use super::column::{Decoder, Values};

const NOT_UTF8: Unfit =
    Unfit::Damaged("a text is not UTF-8: the database has no encoding that the server can convert");

/// Whatever is text as it comes, and what the server makes text of. Blanks of `char(n)` and those in `json` stay.
#[derive(Debug, Default)]
pub(super) struct Texts {
    builder: StringViewBuilder,
    /// Texts without what is between them: they are tested together, which takes less time than one by one.
    together: Vec<u8>,
}

impl Texts {
    /// Adds texts, of which `text` finds each in the bytes of its value.
    fn add_by(
        &mut self,
        values: Values<'_>,
        text: impl Fn(&[u8]) -> Result<&[u8], Unfit>,
    ) -> Result<(), Unfit> {
        self.together.clear();
        for value in values.clone().flatten() {
            self.together.extend_from_slice(text(value)?);
        }
        let together = std::str::from_utf8(&self.together).map_err(|_| NOT_UTF8)?;
        let mut at = 0;
        for value in values {
            let Some(value) = value else {
                self.builder.append_null();
                continue;
            };
            let end = at + text(value)?.len();
            // A text that ends within a character is none, though both of its neighbours make one together.
            self.builder.append_value(together.get(at..end).ok_or(NOT_UTF8)?);
            at = end;
        }
        Ok(())
    }
}

impl Decoder for Texts {
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit> {
        self.add_by(values, |value| Ok(value))
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder.finish())
    }
}

/// `jsonb`: its version, 1, and then its text.
#[derive(Debug, Default)]
pub(super) struct Jsonbs(Texts);

impl Decoder for Jsonbs {
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit> {
        self.0.add_by(values, |value| match value {
            [1, text @ ..] => Ok(text),
            _ => Err(Unfit::Damaged("a `jsonb` is of an unknown version")),
        })
    }

    fn finish(&mut self) -> ArrayRef {
        self.0.finish()
    }
}

/// `uuid`: 16 bytes, which become lower-case hexadecimal with hyphens.
#[derive(Debug, Default)]
pub(super) struct Uuids(StringViewBuilder);

impl Decoder for Uuids {
    fn add(&mut self, values: Values<'_>) -> Result<(), Unfit> {
        for value in values {
            let Some(value) = value else {
                self.0.append_null();
                continue;
            };
            let bytes: [u8; 16] =
                value.try_into().map_err(|_| Unfit::Damaged("a `uuid` has not 16 bytes"))?;
            let mut text = [b'-'; 36];
            let places = (0..36).filter(|at| !matches!(at, 8 | 13 | 18 | 23));
            let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            for (place, digit) in places.zip(digits) {
                text[place] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            }
            self.0.append_value(std::str::from_utf8(&text).map_err(|_| NOT_UTF8)?);
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::testing::{printed, read, refused};
    use super::*;

    #[test]
    fn texts_come_as_they_are() {
        let long = "£ and 12 bytes more".as_bytes();
        assert_eq!(printed(Wire::Text, &[b"ab  ", b"", long]), ["ab  ", "", "£ and 12 bytes more"]);
        assert_eq!(refused(Wire::Text, &[0xff]), NOT_UTF8);
        // Both halves of one character, in two values.
        assert_eq!(read(Wire::Text, &[Some(&[0xc3]), Some(&[0xa9])]).unwrap_err(), NOT_UTF8);
        assert_eq!(printed(Wire::Jsonb, &[b"\x01{\"a\": 1}"]), ["{\"a\": 1}"]);
        assert!(matches!(refused(Wire::Jsonb, b"\x02{}"), Unfit::Damaged(_)));
        let uuid =
            [0x0a, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0xff];
        assert_eq!(printed(Wire::Uuid, &[&uuid]), ["0aeebc99-9c0b-4ef8-bb6d-6bb9bd380aff"]);
        assert!(matches!(refused(Wire::Uuid, b"short"), Unfit::Damaged(_)));
    }
}
