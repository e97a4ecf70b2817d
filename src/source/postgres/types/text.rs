//! Texts, JSON and UUIDs.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewBuilder};

use super::{Decoder, Unfit};

const NOT_UTF8: Unfit =
    Unfit::Damaged("a text is not UTF-8: the database has no encoding that the server can convert");

/// Whatever is text as it comes, and what the server makes text of. Blanks of `char(n)` and those in `json` stay.
#[derive(Debug, Default)]
pub(super) struct Texts(StringViewBuilder);

impl Decoder for Texts {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        match value {
            None => self.0.append_null(),
            Some(value) => self.0.append_value(std::str::from_utf8(value).map_err(|_| NOT_UTF8)?),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// `jsonb`: its version, 1, and then its text.
#[derive(Debug, Default)]
pub(super) struct Jsonbs(Texts);

impl Decoder for Jsonbs {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        match value {
            None => self.0.add(None),
            Some([1, text @ ..]) => self.0.add(Some(text)),
            Some(_) => Err(Unfit::Damaged("a `jsonb` is of an unknown version")),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        self.0.finish()
    }
}

/// `uuid`: 16 bytes, which become lower-case hexadecimal with hyphens.
#[derive(Debug, Default)]
pub(super) struct Uuids(StringViewBuilder);

impl Decoder for Uuids {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        let Some(value) = value else {
            self.0.append_null();
            return Ok(());
        };
        let bytes: [u8; 16] = value.try_into().map_err(|_| Unfit::Damaged("a `uuid` has not 16 bytes"))?;
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|at| !matches!(at, 8 | 13 | 18 | 23));
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, digit) in places.zip(digits) {
            text[place] = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        }
        self.0.append_value(std::str::from_utf8(&text).map_err(|_| NOT_UTF8)?);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::testing::{printed, refused};
    use super::*;

    #[test]
    fn texts_come_as_they_are() {
        let long = "£ and 12 bytes more".as_bytes();
        assert_eq!(printed(Wire::Text, &[b"ab  ", b"", long]), ["ab  ", "", "£ and 12 bytes more"]);
        assert_eq!(refused(Wire::Text, &[0xff]), NOT_UTF8);
        assert_eq!(printed(Wire::Jsonb, &[b"\x01{\"a\": 1}"]), ["{\"a\": 1}"]);
        assert!(matches!(refused(Wire::Jsonb, b"\x02{}"), Unfit::Damaged(_)));
        let uuid =
            [0x0a, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0xff];
        assert_eq!(printed(Wire::Uuid, &[&uuid]), ["0aeebc99-9c0b-4ef8-bb6d-6bb9bd380aff"]);
        assert!(matches!(refused(Wire::Uuid, b"short"), Unfit::Damaged(_)));
    }
}
