//! One text file to blocks of cells.

use std::io::Read;
use std::path::Path;

use encoding_rs::WINDOWS_1252;

use crate::source::files::Watched;
use crate::source::{Cancel, CsvOptions, CsvProblem, Encoding, ReadFile, SourceError};

use super::tokenizer::{Block, Cell, Fault, Tokenizer, line_breaks};

/// A block has at most so many rows.
pub(super) const BLOCK_ROWS: usize = 16 << 10;
/// No row begins in a block that has so many bytes.
const BLOCK_BYTES: usize = 8 << 20;
/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// The next rows of a file, as text.
#[derive(Debug)]
pub(super) struct Rows {
    text: String,
    cells: Vec<Cell>,
    lines: Vec<u64>,
    width: usize,
    /// The cells whose text was not kept, by number, with the line breaks that they had.
    breaks_left_out: Vec<(usize, u64)>,
}

impl Rows {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns a cell's text and whether it stood in quotes; row and column count from 0.
    pub fn cell(&self, row: usize, column: usize) -> (&str, bool) {
        let index = row * self.width + column;
        let start = match index.checked_sub(1) {
            Some(before) => self.cells.get(before).map_or(0, |cell| cell.end as usize),
            None => 0,
        };
        self.cells.get(index).map_or(("", false), |cell| {
            (self.text.get(start..cell.end as usize).unwrap_or_default(), cell.quoted)
        })
    }

    /// Returns the line a cell begins on.
    pub fn line(&self, row: usize, column: usize) -> u64 {
        let kept: u64 = (0..column).map(|c| line_breaks(self.cell(row, c).0.as_bytes())).sum();
        let first = row * self.width;
        let from = self.breaks_left_out.partition_point(|(cell, _)| *cell < first);
        let to = self.breaks_left_out.partition_point(|(cell, _)| *cell < first + column);
        let left_out: u64 =
            self.breaks_left_out.get(from..to).unwrap_or_default().iter().map(|(_, breaks)| breaks).sum();
        self.lines.get(row).copied().unwrap_or_default() + kept + left_out
    }
}

/// A text file while it is read.
#[derive(Debug)]
pub(super) struct CsvFile<'a> {
    file: Watched,
    options: &'a CsvOptions,
    tokenizer: Tokenizer,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// The names of all columns.
    pub names: Vec<String>,
    /// The first row of a file without header.
    first: Option<Block>,
    ended: bool,
}

impl<'a> CsvFile<'a> {
    /// Opens a file and reads its names.
    pub fn open(path: &Path, options: &'a CsvOptions) -> Result<Self, SourceError> {
        let mut csv = CsvFile {
            file: Watched::open(path)?,
            options,
            tokenizer: Tokenizer::new(options.delimiter, options.quote),
            buffer: vec![0; PIECE],
            at: 0,
            end: 0,
            names: Vec::new(),
            first: None,
            ended: false,
        };
        csv.skip_mark()?;
        let mut block = Block::new(1, BLOCK_BYTES);
        csv.fill(&mut block)?;
        if block.lines.is_empty() {
            return Err(SourceError::Empty(path.to_owned()));
        }
        let width = block.cells.len();
        if options.header {
            let rows = csv.decode(block, &vec![true; width])?;
            csv.names = (0..width).map(|column| rows.cell(0, column).0.to_owned()).collect();
            csv.check_names()?;
        } else {
            csv.names = (1..=width).map(|position| format!("column_{position}")).collect();
            csv.first = Some(block);
        }
        Ok(csv)
    }

    /// Returns the next rows, with the text of the columns that are kept; nothing at the end of the file.
    pub fn next(&mut self, kept: &[bool], cancel: &Cancel) -> Result<Option<Rows>, SourceError> {
        cancel.check()?;
        let block = match self.first.take() {
            Some(first) => first,
            None => {
                let mut block = Block::new(BLOCK_ROWS, BLOCK_BYTES);
                self.fill(&mut block)?;
                block
            }
        };
        if block.lines.is_empty() {
            return Ok(None);
        }
        self.decode(block, kept).map(Some)
    }

    /// Ends the reading: the file must not have changed.
    pub fn finish(self) -> Result<ReadFile, SourceError> {
        self.file.finish()
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Makes the error of a problem on a line.
    pub fn problem(&self, line: u64, problem: CsvProblem) -> SourceError {
        SourceError::Csv { path: self.file.path().to_owned(), line, problem }
    }

    /// Reads more bytes behind those that are left; false at the end of the file.
    fn more(&mut self) -> Result<bool, SourceError> {
        self.buffer.copy_within(self.at..self.end, 0);
        self.end -= self.at;
        self.at = 0;
        loop {
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.file.read(free) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(SourceError::Io { path: self.file.path().to_owned(), source }),
            }
        }
    }

    /// Passes over a mark of UTF-8 at the beginning; other marks are errors.
    fn skip_mark(&mut self) -> Result<(), SourceError> {
        while self.end < 4 && self.more()? {}
        let head = self.buffer.get(..self.end).unwrap_or_default();
        let mark = if head.starts_with(b"\xEF\xBB\xBF") {
            match self.options.encoding {
                Encoding::Utf8 => {
                    self.at = 3;
                    return Ok(());
                }
                Encoding::Windows1252 => Some(("UTF-8", "remove `encoding`, or correct it")),
            }
        } else if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
            Some(("UTF-16", "save the file as UTF-8"))
        } else {
            None
        };
        match mark {
            Some((mark, advice)) => Err(self.problem(1, CsvProblem::Mark { mark, advice })),
            None => Ok(()),
        }
    }

    /// Fills a block, as far as the file goes.
    fn fill(&mut self, block: &mut Block) -> Result<(), SourceError> {
        while !self.ended && !block.is_full() {
            if self.at == self.end && !self.more()? {
                self.ended = true;
                return self.tokenizer.finish(block).map_err(|fault| self.fault(fault));
            }
            let bytes = self.buffer.get(self.at..self.end).unwrap_or_default();
            match self.tokenizer.feed(bytes, block) {
                Ok(used) => self.at += used,
                Err(fault) => return Err(self.fault(fault)),
            }
        }
        Ok(())
    }

    fn fault(&self, (line, fault): (u64, Fault)) -> SourceError {
        let problem = match fault {
            Fault::Ragged { found, expected } => CsvProblem::Ragged { found, expected },
            Fault::Blank { expected } => CsvProblem::Blank { expected },
            Fault::TextAfterQuote { cell } => CsvProblem::TextAfterQuote { column: self.name(cell) },
            Fault::OpenQuote => CsvProblem::OpenQuote,
            Fault::TooLong => CsvProblem::TooLong,
        };
        self.problem(line, problem)
    }

    /// Returns a column's name, or its number from 1 where names are not known yet.
    fn name(&self, column: usize) -> String {
        self.names.get(column).cloned().unwrap_or_else(|| (column + 1).to_string())
    }

    fn check_names(&self) -> Result<(), SourceError> {
        let mut seen = std::collections::HashSet::new();
        for (index, name) in self.names.iter().enumerate() {
            if name.is_empty() {
                return Err(self.problem(1, CsvProblem::EmptyName { position: index + 1 }));
            }
            if !seen.insert(name) {
                return Err(self.problem(1, CsvProblem::DuplicateName { name: name.clone() }));
            }
        }
        Ok(())
    }

    /// Makes text of a block's bytes. Columns that are not kept may hold anything.
    fn decode(&self, mut block: Block, kept: &[bool]) -> Result<Rows, SourceError> {
        let width = kept.len();
        let plain = match self.options.encoding {
            Encoding::Utf8 => true,
            Encoding::Windows1252 => block.data.is_ascii(),
        };
        if plain && memchr::memchr(0, &block.data).is_none() {
            match String::from_utf8(block.data) {
                Ok(text) if block.cells.iter().all(|cell| text.is_char_boundary(cell.end as usize)) => {
                    let breaks_left_out = Vec::new();
                    return Ok(Rows { text, cells: block.cells, lines: block.lines, width, breaks_left_out });
                }
                Ok(text) => block.data = text.into_bytes(),
                Err(error) => block.data = error.into_bytes(),
            }
        }
        self.decode_cells(block, kept)
    }

    fn decode_cells(&self, block: Block, kept: &[bool]) -> Result<Rows, SourceError> {
        let width = kept.len();
        let mut rows = Rows {
            text: String::with_capacity(block.data.len()),
            cells: Vec::with_capacity(block.cells.len()),
            lines: block.lines,
            width,
            breaks_left_out: Vec::new(),
        };
        let mut start = 0;
        for (index, cell) in block.cells.iter().enumerate() {
            let bytes = block.data.get(start..cell.end as usize).unwrap_or_default();
            start = cell.end as usize;
            let column = index % width.max(1);
            if kept.get(column) == Some(&true) {
                let place = |problem| {
                    // The cell itself has no text yet: its own line breaks are not before the problem's cell.
                    let line = rows.line(index / width.max(1), column);
                    self.problem(line, problem)
                };
                if bytes.contains(&0) {
                    return Err(place(CsvProblem::Nul { column: self.name(column) }));
                }
                match decode_cell(bytes, self.options.encoding) {
                    Ok(text) => rows.text.push_str(&text),
                    Err(at) => {
                        let line = rows.line(index / width.max(1), column);
                        let line = line + line_breaks(bytes.get(..at).unwrap_or_default());
                        let encoding = match self.options.encoding {
                            Encoding::Utf8 => "UTF-8",
                            Encoding::Windows1252 => "Windows-1252",
                        };
                        let column = self.name(column);
                        return Err(self.problem(line, CsvProblem::Encoding { column, encoding }));
                    }
                }
            } else {
                let breaks = line_breaks(bytes);
                if breaks > 0 {
                    rows.breaks_left_out.push((index, breaks));
                }
            }
            let end = u32::try_from(rows.text.len())
                .map_err(|_| self.problem(rows.lines.first().copied().unwrap_or(1), CsvProblem::TooLong))?;
            rows.cells.push(Cell { end, quoted: cell.quoted });
        }
        Ok(rows)
    }
}

/// Decodes one cell; bytes that are not of the encoding give the place of the first of them.
fn decode_cell(bytes: &[u8], encoding: Encoding) -> Result<std::borrow::Cow<'_, str>, usize> {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).map(Into::into).map_err(|e| e.valid_up_to()),
        Encoding::Windows1252 => {
            // Code page 1252 leaves these undefined; the decoder would make control characters of them.
            match bytes.iter().position(|b| matches!(b, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D)) {
                Some(at) => Err(at),
                None => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0),
            }
        }
    }
}
