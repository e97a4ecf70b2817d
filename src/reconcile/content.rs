//! What rows say, as texts: where rows have no key, those that say the same are the same.

use std::collections::BTreeMap;
use std::fmt::Write;

use xxhash_rust::xxh3::xxh3_128;

use crate::frame::Frame;
use crate::rule::RuleError;

use super::align::Of;
use super::bind::ComparedColumn;
use super::cell::Cell;
use super::convert::{Convert, Reader};
use super::policy::Policy;

impl ComparedColumn {
    fn convert(&self, of: Of) -> &Convert {
        match of {
            Of::Expected => &self.meeting.expected,
            Of::Target => &self.meeting.target,
        }
    }

    /// Returns what decides the text of a side's value, in words: for the name of what is kept.
    pub(super) fn describe(&self, of: Of) -> String {
        format!("content {:?} {:?} {:?}", self.name, self.convert(of), self.policy)
    }
}

/// The values of some columns of a frame, as they are compared.
pub(super) struct Contents<'a> {
    columns: Vec<(Reader, &'a Policy)>,
    /// The rows' positions in their snapshot.
    rows: &'a [u64],
    of: Of,
}

impl<'a> Contents<'a> {
    /// Takes the columns of a frame of one side.
    ///
    /// # Errors
    /// Where one is not there.
    pub(super) fn new(
        frame: &'a Frame,
        columns: impl IntoIterator<Item = &'a ComparedColumn>,
        of: Of,
    ) -> Result<Contents<'a>, RuleError> {
        let reader = |bound: &'a ComparedColumn| {
            let (field, column) = frame.column(&bound.name).ok_or_else(|| {
                RuleError::Refused(format!("`{}` is not a column of the table", bound.name))
            })?;
            let series = column.as_materialized_series();
            Ok((Reader::new(series, field, bound.convert(of).clone())?, &bound.policy))
        };
        let columns = columns.into_iter().map(reader).collect::<Result<_, RuleError>>()?;
        Ok(Contents { columns, rows: frame.rows.as_slice(), of })
    }

    /// Writes what the row at `index` says: two rows have one text where all their values are equal by the columns'
    /// policies. Returns false where a value is NULL, which is written too.
    pub(super) fn write(&self, index: usize, text: &mut String) -> bool {
        text.clear();
        let mut whole = true;
        for (reader, policy) in &self.columns {
            let cell = reader.cell(index);
            // Writing to a String cannot fail.
            let _ = match policy.canonical(&cell) {
                Cell::Null => {
                    whole = false;
                    text.write_char('-')
                }
                Cell::Text(value) => write!(text, "t{}:{value}", value.len()),
                // True is 1 and false is 0 where a boolean meets a number.
                Cell::Bool(value) => write!(text, "n{};", u8::from(value)),
                Cell::Number(number) => {
                    text.push('n');
                    number.push_text(text);
                    text.write_char(';')
                }
                Cell::Moment(moment) => write!(text, "m{moment};"),
                Cell::Time(time) => write!(text, "c{time};"),
                Cell::Bytes(bytes) => {
                    let _ = write!(text, "b{}:", bytes.len());
                    bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))
                }
                // It equals nothing.
                Cell::Skipped => {
                    let side = if self.of == Of::Expected { 'e' } else { 't' };
                    write!(text, "s{side}{};", self.rows.get(index).copied().unwrap_or_default())
                }
            };
        }
        whole
    }

    /// Returns the hash of what each row says.
    pub(super) fn hashes(&self) -> Vec<u128> {
        let mut text = String::new();
        let hash = |index| {
            self.write(index, &mut text);
            xxh3_128(text.as_bytes())
        };
        (0..self.rows.len()).map(hash).collect()
    }

    /// Returns how many rows say the same.
    fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let mut text = String::new();
        for index in 0..self.rows.len() {
            self.write(index, &mut text);
            *counts.entry(text.clone()).or_default() += 1;
        }
        counts
    }
}

/// Divides rows of the target into those that say what a row held back says, each for one of the target, and others.
pub(super) fn held_back(
    rows: Vec<u32>,
    target: &Frame,
    held_back: &Frame,
    columns: &[ComparedColumn],
) -> Result<(Vec<u32>, Vec<u32>), RuleError> {
    let mut known = Contents::new(held_back, columns, Of::Expected)?.counts();
    let contents = Contents::new(target, columns, Of::Target)?;
    let mut text = String::new();
    Ok(rows.into_iter().partition(|row| {
        contents.write(*row as usize, &mut text);
        known.get_mut(&text).is_some_and(|left| {
            let found = *left > 0;
            *left -= u64::from(found);
            found
        })
    }))
}
