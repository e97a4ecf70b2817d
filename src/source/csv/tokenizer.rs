//! Bytes to records and cells, by RFC 4180.
//!
//! A state machine that takes bytes in pieces of any size. It knows for every cell whether it stood in
//! quotes, because a quoted empty cell is an empty text and an unquoted one is NULL.

use memchr::{memchr, memchr2_iter, memchr3};

/// The most bytes of one record: an unclosed quote must not swallow a whole file into memory.
const RECORD_LIMIT: usize = 64 << 20;

/// A cell of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where its bytes end in the block's data; they begin where the cell before it ends.
    pub end: u32,
    /// True where it stood in quotes.
    pub quoted: bool,
}

/// Records, one after the other.
#[derive(Debug)]
pub(super) struct Block {
    /// The cells' bytes without delimiters, quotes and line breaks.
    pub data: Vec<u8>,
    /// The cells, record by record.
    pub cells: Vec<Cell>,
    /// The line each record begins on, from 1.
    pub lines: Vec<u64>,
    most_rows: usize,
    most_bytes: usize,
}

impl Block {
    /// Makes an empty block that is full at so many rows or bytes.
    pub fn new(most_rows: usize, most_bytes: usize) -> Self {
        Block { data: Vec::new(), cells: Vec::new(), lines: Vec::new(), most_rows, most_bytes }
    }

    /// Returns true where no further record may begin.
    pub fn is_full(&self) -> bool {
        self.lines.len() >= self.most_rows || self.data.len() >= self.most_bytes
    }
}

/// What is wrong with the form of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A record with more or fewer cells than the first one.
    Ragged {
        /// Its cells.
        found: usize,
        /// The cells of the first record.
        expected: usize,
    },
    /// An empty line before further records.
    Blank {
        /// The cells of the first record.
        expected: usize,
    },
    /// Something else than a delimiter or a line break behind a closing quote.
    TextAfterQuote {
        /// The cell's position in its record, from 0.
        cell: usize,
    },
    /// A quote that is open at the end of the file; the fault's line is where it opened.
    OpenQuote,
    /// A record of more than 64 MiB.
    TooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a record.
    Record,
    /// Before a cell.
    Field,
    /// In a cell without quotes.
    Unquoted,
    /// In a quoted cell.
    Quoted,
    /// Behind a quote inside a quoted cell: it closed the cell, or is the first of two.
    QuoteSeen,
    /// Behind a carriage return that ended a record: a line feed belongs to it.
    ReturnSeen,
}

/// The state between two pieces of bytes.
#[derive(Debug)]
pub(super) struct Tokenizer {
    delimiter: u8,
    quote: Option<u8>,
    state: State,
    /// The line being read, from 1.
    line: u64,
    record_line: u64,
    record_cell: usize,
    record_byte: usize,
    open_line: u64,
    quoted: bool,
    /// True where the last byte inside quotes was a carriage return.
    return_before: bool,
    /// The first of the empty lines just seen.
    blank: Option<u64>,
    columns: Option<usize>,
}

impl Tokenizer {
    /// Begins a file.
    pub fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Tokenizer {
            delimiter,
            quote,
            state: State::Record,
            line: 1,
            record_line: 1,
            record_cell: 0,
            record_byte: 0,
            open_line: 1,
            quoted: false,
            return_before: false,
            blank: None,
            columns: None,
        }
    }

    /// Takes bytes in until they are used up or the block is full; returns how many were used.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong on it.
    pub fn feed(&mut self, bytes: &[u8], block: &mut Block) -> Result<usize, (u64, Fault)> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Record => {
                    if block.is_full() {
                        return Ok(at);
                    }
                    let ends = matches!(byte, b'\r' | b'\n');
                    if ends && self.columns.is_some_and(|columns| columns > 1) {
                        self.blank.get_or_insert(self.line);
                        self.end_line(byte);
                        at += 1;
                        continue;
                    }
                    if let (Some(line), Some(expected)) = (self.blank, self.columns) {
                        return Err((line, Fault::Blank { expected }));
                    }
                    self.record_line = self.line;
                    self.record_cell = block.cells.len();
                    self.record_byte = block.data.len();
                    self.state = State::Field;
                }
                State::Field => {
                    self.quoted = self.quote == Some(byte);
                    if self.quoted {
                        self.open_line = self.line;
                        self.return_before = false;
                        self.state = State::Quoted;
                        at += 1;
                    } else {
                        self.state = State::Unquoted;
                    }
                }
                State::Unquoted => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let length = memchr3(self.delimiter, b'\r', b'\n', rest).unwrap_or(rest.len());
                    at += self.keep(rest, length, block)?;
                    if let Some(&byte) = bytes.get(at) {
                        self.end_cell(byte, block)?;
                        at += 1;
                    }
                }
                State::Quoted => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let found = self.quote.and_then(|quote| memchr(quote, rest));
                    let length = found.unwrap_or(rest.len());
                    self.count_breaks(rest.get(..length).unwrap_or_default());
                    at += self.keep(rest, length, block)?;
                    if found.is_some() {
                        self.state = State::QuoteSeen;
                        at += 1;
                    }
                }
                State::QuoteSeen => {
                    if self.quote == Some(byte) {
                        block.data.push(byte);
                        self.return_before = false;
                        self.state = State::Quoted;
                    } else if byte == self.delimiter || matches!(byte, b'\r' | b'\n') {
                        self.end_cell(byte, block)?;
                    } else {
                        let cell = block.cells.len().saturating_sub(self.record_cell);
                        return Err((self.line, Fault::TextAfterQuote { cell }));
                    }
                    at += 1;
                }
                State::ReturnSeen => {
                    if byte == b'\n' {
                        at += 1;
                    }
                    self.state = State::Record;
                }
            }
        }
        Ok(at)
    }

    /// Ends the file: a last record without a line break is complete.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong on it.
    pub fn finish(&mut self, block: &mut Block) -> Result<(), (u64, Fault)> {
        match self.state {
            State::Record | State::ReturnSeen => Ok(()),
            State::Quoted => Err((self.open_line, Fault::OpenQuote)),
            State::Field => {
                self.quoted = false;
                self.end_cell(b'\n', block)
            }
            State::Unquoted | State::QuoteSeen => self.end_cell(b'\n', block),
        }
    }

    fn keep(&self, rest: &[u8], length: usize, block: &mut Block) -> Result<usize, (u64, Fault)> {
        block.data.extend_from_slice(rest.get(..length).unwrap_or_default());
        if block.data.len() - self.record_byte > RECORD_LIMIT {
            return Err((self.record_line, Fault::TooLong));
        }
        Ok(length)
    }

    fn end_cell(&mut self, byte: u8, block: &mut Block) -> Result<(), (u64, Fault)> {
        let end = u32::try_from(block.data.len()).map_err(|_| (self.record_line, Fault::TooLong))?;
        block.cells.push(Cell { end, quoted: self.quoted });
        if byte == self.delimiter {
            self.state = State::Field;
            return Ok(());
        }
        let found = block.cells.len() - self.record_cell;
        let expected = *self.columns.get_or_insert(found);
        if found != expected {
            return Err((self.record_line, Fault::Ragged { found, expected }));
        }
        block.lines.push(self.record_line);
        self.end_line(byte);
        Ok(())
    }

    fn end_line(&mut self, byte: u8) {
        self.line += 1;
        self.state = if byte == b'\r' { State::ReturnSeen } else { State::Record };
    }

    /// Counts the line breaks inside quotes; CR LF is one, also where the two come in different pieces.
    fn count_breaks(&mut self, piece: &[u8]) {
        let mut last_return = self.return_before.then_some(0_usize);
        for at in memchr2_iter(b'\r', b'\n', piece) {
            if piece.get(at) == Some(&b'\r') {
                self.line += 1;
                last_return = Some(at + 1);
            } else if last_return != Some(at) {
                self.line += 1;
            }
        }
        if let Some(byte) = piece.last() {
            self.return_before = *byte == b'\r';
        }
    }
}

/// Counts the line breaks of a text: LF, CR, and CR LF as one.
pub(super) fn line_breaks(text: &[u8]) -> u64 {
    let mut count = 0;
    let mut after_return = false;
    for byte in text {
        if *byte == b'\r' || (*byte == b'\n' && !after_return) {
            count += 1;
        }
        after_return = *byte == b'\r';
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Records = Vec<Vec<(String, bool)>>;

    /// Reads a text in pieces of `piece` bytes, with blocks of `rows` rows.
    fn read(text: &[u8], piece: usize, rows: usize) -> Result<(Records, Vec<u64>), (u64, Fault)> {
        let mut tokenizer = Tokenizer::new(b',', Some(b'"'));
        let (mut records, mut lines) = (Vec::new(), Vec::new());
        let mut block = Block::new(rows, 1 << 20);
        let mut take = |block: &mut Block| {
            let width = block.cells.len() / block.lines.len().max(1);
            let mut start = 0;
            for record in block.cells.chunks(width.max(1)) {
                let cells = record.iter().map(|cell| {
                    let text = String::from_utf8(block.data[start..cell.end as usize].to_vec()).unwrap();
                    start = cell.end as usize;
                    (text, cell.quoted)
                });
                records.push(cells.collect());
            }
            lines.append(&mut block.lines);
            *block = Block::new(rows, 1 << 20);
        };
        for piece in text.chunks(piece.max(1)) {
            let mut at = 0;
            while at < piece.len() {
                at += tokenizer.feed(&piece[at..], &mut block)?;
                if block.is_full() {
                    take(&mut block);
                }
            }
        }
        tokenizer.finish(&mut block)?;
        take(&mut block);
        Ok((records, lines))
    }

    fn plain(text: &str) -> Vec<Vec<String>> {
        let (records, _) = read(text.as_bytes(), 3, 2).unwrap();
        records.into_iter().map(|r| r.into_iter().map(|(t, _)| t).collect()).collect()
    }

    #[test]
    fn quotes_and_line_breaks() {
        assert_eq!(plain("a,b\r\n1,\"x\"\"y\"\r2,\n"), [["a", "b"], ["1", "x\"y"], ["2", ""]]);
        assert_eq!(plain("a,b\n1,\"x\r\ny,z\"\n2,5\"x\""), [["a", "b"], ["1", "x\r\ny,z"], ["2", "5\"x\""]]);
        let (records, lines) = read(b"a,b\n\"1\r\n\r2\n3\",\"\"\nx,", 1, 1).unwrap();
        assert_eq!(records[1], [("1\r\n\r2\n3".to_owned(), true), (String::new(), true)]);
        assert_eq!(records[2], [("x".to_owned(), false), (String::new(), false)]);
        assert_eq!(lines, [1, 2, 6]);
    }

    #[test]
    fn faults_name_their_line() {
        let fault = |text: &str| read(text.as_bytes(), 2, 5).unwrap_err();
        assert_eq!(fault("a,b\n1,2\n3\n"), (3, Fault::Ragged { found: 1, expected: 2 }));
        assert_eq!(fault("a,b\n\"1\n1\",2\n3,4,5"), (4, Fault::Ragged { found: 3, expected: 2 }));
        assert_eq!(fault("a,b\n1,\"2\" \n"), (2, Fault::TextAfterQuote { cell: 1 }));
        assert_eq!(fault("a,b\n1,2\n\"3\n4,5\n6,7\n"), (3, Fault::OpenQuote));
        assert_eq!(fault("a,b\n\r\n\n1,2\n"), (2, Fault::Blank { expected: 2 }));
    }

    #[test]
    fn empty_lines_end_a_file_or_are_rows_of_one_column() {
        assert_eq!(plain("a,b\n1,2\n\n\r\n"), [["a", "b"], ["1", "2"]]);
        assert_eq!(plain("a\n\nx\n\n"), [["a"], [""], ["x"], [""]]);
    }

    fn cell() -> impl Strategy<Value = (String, bool)> {
        (proptest::string::string_regex("[ab,\"\r\né]{0,4}").unwrap(), any::<bool>()).prop_map(
            |(text, quoted)| {
                let needed = text.contains([',', '"', '\r', '\n']);
                (text, quoted || needed)
            },
        )
    }

    fn write(records: &Records, ending: &str) -> String {
        let line = |record: &Vec<(String, bool)>| {
            let cells = record.iter().map(|(text, quoted)| {
                if *quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.clone() }
            });
            cells.collect::<Vec<_>>().join(",") + ending
        };
        records.iter().map(line).collect()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            records in (2..4_usize).prop_flat_map(|width| {
                proptest::collection::vec(proptest::collection::vec(cell(), width), 1..6)
            }),
            piece in 1..9_usize,
            rows in 1..4_usize,
            ending in proptest::sample::select(vec!["\n", "\r", "\r\n"]),
        ) {
            let text = write(&records, ending);
            let (read, lines) = read(text.as_bytes(), piece, rows).unwrap();
            prop_assert_eq!(&read, &records);
            let mut line = 1;
            for (record, found) in records.iter().zip(lines) {
                prop_assert_eq!(found, line);
                line += 1 + record.iter().map(|(text, _)| line_breaks(text.as_bytes())).sum::<u64>();
            }
        }

        #[test]
        fn values_are_those_of_the_csv_crate(text in "[ab,\"\r\n]{0,24}", piece in 1..9_usize) {
            let Ok((ours, _)) = read(text.as_bytes(), piece, 2) else { return Ok(()) };
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            // The csv crate skips every empty line; to us it is a row where there is one column.
            let ours: Vec<Vec<String>> = ours
                .into_iter()
                .filter(|record| record != &vec![(String::new(), false)])
                .map(|record| record.into_iter().map(|(text, _)| text).collect())
                .collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
