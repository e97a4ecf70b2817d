//! One pass over a side: what is kept of its rows, from the rows themselves or from what an earlier pass has kept.

use std::collections::BTreeMap;

use polars_arrow::array::Utf8ViewArray;
use rayon::prelude::*;

use crate::frame::{Frame, Rows};
use crate::rule::RuleError;

use super::Means;
use super::align::Of;
use super::bind::{BoundReconcile, ROW};
use super::content::Contents;
use super::hash::{Hashed, VERSION, hash_rows};
use super::kept::{Keeping, Kept, Place};
use super::keys::keys_of;
use super::shelves::{Record, Shelves};

/// What a pass found beside the records that it put on shelves.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// The rows without key, by their indexes, ascending.
    pub(super) no_key: Vec<u32>,
    /// The longest text of each text column that was looked at, in characters.
    pub(super) longest: BTreeMap<String, u64>,
}

/// Puts what is kept of a side's rows on shelves.
///
/// Where the rows have a folder, their hashes are kept in it, and the next pass in the same way takes them from there.
///
/// # Errors
/// Where a column is not there, rows cannot be read, the shelves have no room, or the work is to be stopped.
pub(super) fn fill(
    rows: &dyn Rows,
    bound: &BoundReconcile,
    hashed: &[Hashed],
    of: Of,
    shelves: &Shelves<'_>,
    means: &Means<'_>,
) -> Result<Passed, RuleError> {
    let made_of = made_of(rows, bound, hashed, of);
    let place = rows.folder().map(|folder| Place::new(folder.to_owned(), made_of, rows.height()));
    if let Some(kept) = place.as_ref().and_then(Place::open) {
        return again(&kept, shelves, means);
    }
    let mut columns: Vec<String> =
        bound.key.iter().map(|part| part.name.clone()).chain(hashed.iter().map(|h| h.name.clone())).collect();
    columns.sort_unstable();
    columns.dedup();
    let keeping = place.as_ref().and_then(Place::keep);
    let is_text = |name: &&String| rows.schema().get(name).is_some_and(|field| field.logical.is_text());
    let texts = columns.iter().filter(is_text).map(|name| (name.clone(), 0));
    let none = Passed { no_key: Vec::new(), longest: texts.collect() };
    let passed = (0..rows.pieces())
        .into_par_iter()
        .map(|piece| {
            let mut passed = Passed::default();
            let mut done = Ok(());
            rows.visit(piece, &columns, &mut |start, frame| {
                if done.is_ok() {
                    done = means.go_on().and_then(|()| {
                        look(&frame, &mut passed.longest);
                        let records = records(&frame, start, bound, hashed, of, &mut passed.no_key)?;
                        if let Some(keeping) = &keeping {
                            keeping.put(start, frame.height(), &records);
                        }
                        shelves.put(&records)
                    });
                }
            })?;
            done.map(|()| passed)
        })
        .try_reduce(Passed::default, |a, b| Ok::<_, RuleError>(a.and(b)))?;
    let passed = none.and(passed);
    if let Some(keeping) = keeping {
        Keeping::finish(keeping, &passed.longest);
    }
    Ok(passed)
}

impl Passed {
    /// Takes in what was found of later rows.
    fn and(mut self, other: Passed) -> Passed {
        self.no_key.extend(other.no_key);
        for (column, length) in other.longest {
            let longest = self.longest.entry(column).or_insert(0);
            *longest = length.max(*longest);
        }
        self
    }
}

/// Returns what a side's hashes are made of, in words.
fn made_of(rows: &dyn Rows, bound: &BoundReconcile, hashed: &[Hashed], of: Of) -> String {
    let logical = |name: &str| match rows.schema().get(name) {
        Some(field) => field.logical.to_string(),
        None => String::new(),
    };
    let mut text = format!("version {VERSION}\n");
    for part in &bound.key {
        text.push_str(&format!("key {:?} {} {}\n", part.name, logical(&part.name), part.describe(of)));
    }
    for column in bound.columns.iter().filter(|_| !bound.has_key()) {
        text.push_str(&format!("{} {}\n", column.describe(of), logical(&column.name)));
    }
    for column in hashed {
        text.push_str(&format!("column {} {}\n", column.describe(of), logical(&column.name)));
    }
    text
}

/// Puts on shelves what an earlier pass has kept.
fn again(kept: &Kept, shelves: &Shelves<'_>, means: &Means<'_>) -> Result<Passed, RuleError> {
    let no_key = (0..kept.blocks())
        .into_par_iter()
        .map(|block| {
            means.go_on()?;
            let (records, no_key) = kept.block(block).ok_or_else(|| {
                RuleError::Refused("what was kept of the rows changed while it was read".to_owned())
            })?;
            shelves.put(&records)?;
            Ok(no_key)
        })
        .collect::<Result<Vec<Vec<u32>>, RuleError>>()?;
    Ok(Passed { no_key: no_key.concat(), longest: kept.longest().clone() })
}

/// Makes the records of rows of which the first has the index `start`.
fn records(
    frame: &Frame,
    start: u64,
    bound: &BoundReconcile,
    hashed: &[Hashed],
    of: Of,
    no_key: &mut Vec<u32>,
) -> Result<Vec<Record>, RuleError> {
    let at = |index: usize| u32::try_from(start + index as u64).unwrap_or(u32::MAX);
    if !bound.has_key() {
        let contents = Contents::new(frame, &bound.columns, of)?.hashes().into_iter().enumerate();
        return Ok(contents.map(|(index, content)| Record::new(content, 0, at(index))).collect());
    }
    let keys = keys_of(frame, &bound.key, of)?;
    let rows = hash_rows(frame, hashed, of)?;
    let mut records = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        match keys.hash(index) {
            Some(key) => records.push(Record::new(key, row, at(index))),
            None => no_key.push(at(index)),
        }
    }
    Ok(records)
}

/// Takes in how long the texts of some rows are.
fn look(frame: &Frame, longest: &mut BTreeMap<String, u64>) {
    for (field, column) in frame.schema.fields.iter().zip(frame.df.columns()) {
        if !field.logical.is_text() || field.name == ROW {
            continue;
        }
        let known = longest.entry(field.name.clone()).or_insert(0);
        let Ok(texts) = column.as_materialized_series().str() else { continue };
        for chunk in texts.downcast_iter() {
            *known = longest_of(chunk, *known);
        }
    }
}

/// Returns the length of the longest text in characters, at least `known`.
fn longest_of(chunk: &Utf8ViewArray, known: u64) -> u64 {
    // A text has no more characters than bytes, and those stand in its view.
    let bytes = chunk.views().iter().fold(0, |most, view| view.length.max(most));
    if u64::from(bytes) <= known {
        return known;
    }
    let mut longest = known;
    for (row, view) in (0..).zip(chunk.views().iter()) {
        if u64::from(view.length) > longest
            && let Some(text) = chunk.get(row)
        {
            longest = longest.max(text.chars().count() as u64);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use polars::prelude::{NewChunkedArray, StringChunked};

    use super::*;

    #[test]
    fn the_longest_text_is_counted_in_characters() {
        let texts = [Some("ééééééééééééé"), None, Some("abcdefghijklmno"), Some(""), Some("éé")];
        let texts = StringChunked::from_iter_options("t".into(), texts.into_iter());
        let chunk = texts.downcast_iter().next().unwrap();
        assert_eq!(longest_of(chunk, 0), 15);
        assert_eq!(longest_of(&chunk.clone().sliced(0, 2), 0), 13);
        assert_eq!(longest_of(chunk, 20), 20);
    }
}
