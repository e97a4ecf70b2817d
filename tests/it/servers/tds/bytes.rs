//! Numbers and texts in the byte order of TDS: little-endian, texts in UTF-16.

/// Reads from a message, in order; what is not there is an error with a word about what was looked for.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| format!("{count} bytes are missing"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// An unsigned number of 1 to 8 bytes.
    pub fn number(&mut self, bytes: usize) -> Result<u64, String> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub fn u8(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A length or count of so many bytes.
    pub fn size(&mut self, bytes: usize) -> Result<usize, String> {
        usize::try_from(self.number(bytes)?).map_err(|error| error.to_string())
    }
}

/// Reads a text from UTF-16.
pub fn utf16(bytes: &[u8]) -> Result<String, String> {
    let units: Vec<u16> =
        bytes.chunks(2).map(|pair| pair.iter().rev().fold(0, |n, b| n << 8 | u16::from(*b))).collect();
    String::from_utf16(&units).map_err(|error| error.to_string())
}

/// A text in UTF-16.
pub fn to_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What a token is written into.
pub trait Put {
    fn u8(&mut self, number: u8);
    fn u16(&mut self, number: u16);
    fn u32(&mut self, number: u32);
    fn u64(&mut self, number: u64);
    fn put(&mut self, bytes: &[u8]);

    /// The lowest so many bytes of a number.
    fn low(&mut self, number: u128, bytes: usize) {
        self.put(&number.to_le_bytes()[..bytes]);
    }

    /// A text after its length, in UTF-16 units, of one byte.
    fn short_text(&mut self, text: &str) {
        let bytes = to_utf16(text);
        self.u8(u8::try_from(bytes.len() / 2).expect("a name of at most 255 characters"));
        self.put(&bytes);
    }

    /// A text after its length, in UTF-16 units, of two bytes.
    fn long_text(&mut self, text: &str) {
        let bytes = to_utf16(text);
        self.u16(u16::try_from(bytes.len() / 2).expect("a text of at most 65535 characters"));
        self.put(&bytes);
    }
}

impl Put for Vec<u8> {
    fn u8(&mut self, number: u8) {
        self.push(number);
    }
    fn u16(&mut self, number: u16) {
        self.put(&number.to_le_bytes());
    }
    fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }
    fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
