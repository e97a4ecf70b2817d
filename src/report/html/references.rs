//! The references of a dataset on both sides, and the records that others refer to in it and that are not there.

use std::path::Path;

use serde::Serialize;

use crate::findings::{BySide, DatasetResult, ReferenceResult, RunResult, for_each_row};
use crate::mask::Mask;
use crate::model::Side;
use crate::report::ReportError;

use super::cell::{Piece, plain};
use super::facts;
use super::text::{address, list};

/// Records shown of each side.
const PARENTS: usize = 10;

/// The columns of a file of parents that are read, in this order.
const COLUMNS: &[&str] = &["side", "key", "dataset", "rule", "children", "further", "found_in"];

/// A foreign key on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The rule's id.
    pub rule: String,
    /// The dataset referred to, and its page.
    pub parent: String,
    /// See `parent`.
    pub link: String,
    /// Rows without a parent in the old system.
    pub source: Option<u64>,
    /// True where that is expected, because the raw source is not comparable.
    pub is_expected: bool,
    /// Rows without a parent in the target.
    pub target: Option<u64>,
    /// Keys of such rows: inherited, introduced, repaired, missing in the target; nothing where that is not known.
    pub classes: [Option<u64>; 4],
    /// Rows that have no key, and so no class.
    pub no_key: u64,
    /// Different records that are missing.
    pub missing: BySide,
}

/// A way to a missing record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// The datasets, from the rows' own to the one in which a record is missing.
    pub datasets: Vec<String>,
    /// The foreign keys that lead there.
    pub rules: Vec<String>,
    /// The rows.
    pub rows: BySide,
}

/// Makes the table of a dataset's foreign keys, and that of the ways on which they break further up.
pub fn of_dataset(dataset: &DatasetResult) -> (Vec<Reference>, Vec<Chain>) {
    let references = dataset.references.iter().map(|reference| Reference {
        rule: reference.rule.clone(),
        parent: reference.parent.clone(),
        link: format!("{}#restore", address(&facts::file(&reference.parent))),
        source: reference.source,
        is_expected: reference.before == Side::Expected,
        target: reference.target,
        classes: ["inherited", "introduced", "repaired", "missing in target"]
            .map(|class| reference.classes.get(class).copied()),
        no_key: reference.no_key,
        missing: reference.missing,
    });
    let chains = dataset.references.iter().flat_map(|reference| &reference.further).map(|chain| Chain {
        datasets: chain.datasets.clone(),
        rules: chain.rules.clone(),
        rows: chain.rows,
    });
    (references.collect(), chains.collect())
}

/// The records that one side misses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parents {
    /// `expected` or `target`.
    pub side: String,
    /// The first of them.
    pub shown: Vec<Parent>,
    /// All of them; one that several foreign keys miss counts for each.
    pub of: u64,
}

/// A record that is not there, as one foreign key misses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parent {
    /// Its key, or the token of it.
    pub key: Vec<Piece>,
    /// Its columns that are referred to.
    pub columns: String,
    /// Whose rows refer to it: the dataset and its columns.
    pub by: String,
    /// Rows that refer to it.
    pub children: u64,
    /// Rows further down.
    pub further: u64,
    /// Where it can be had, in words.
    pub found: &'static str,
}

/// Reads the records that others miss in a dataset; nothing where nobody refers to it.
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn read(
    folder: &Path,
    result: &RunResult,
    dataset: &DatasetResult,
    mask: &Mask<'_>,
) -> Result<Vec<Parents>, ReportError> {
    let path = folder.join("parents").join(format!("{}.parquet", dataset.name));
    let mut sides: Vec<Parents> = Vec::new();
    if !path.exists() {
        return Ok(sides);
    }
    for_each_row(&path, COLUMNS, |cells| {
        let &[Some(side), Some(key), Some(child), Some(rule), children, further, found_in] = cells else {
            return;
        };
        let at = sides.iter().position(|of| of.side == side).unwrap_or_else(|| {
            sides.push(Parents { side: side.to_owned(), shown: Vec::new(), of: 0 });
            sides.len() - 1
        });
        let Some(of_side) = sides.get_mut(at) else { return };
        of_side.of += 1;
        if of_side.shown.len() >= PARENTS {
            return;
        }
        let child = result.datasets.iter().find(|other| other.name == child);
        let known = child.and_then(|child| {
            let reference = child.references.iter().find(|reference| reference.rule == rule)?;
            Some((child, reference))
        });
        let count = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
        let is_hidden = known.is_none_or(|(child, reference)| is_hidden(child, reference, mask));
        of_side.shown.push(Parent {
            key: plain(&if is_hidden { mask.token(key) } else { key.to_owned() }),
            columns: known.map(|(_, reference)| list(&reference.parent_columns)).unwrap_or_default(),
            by: known
                .map(|(child, reference)| format!("{}: {}", child.name, list(&reference.columns)))
                .unwrap_or_default(),
            children: count(children),
            further: count(further),
            found: match found_in {
                Some("expected") => "in expected",
                Some("target") => "in the target",
                Some("quarantine") => "among the records held back",
                Some("merged") => "merged into another record",
                _ => "on neither side",
            },
        });
    })?;
    Ok(sides)
}

/// The key is that of the children too: where it is hidden with either, it is hidden.
fn is_hidden(child: &DatasetResult, reference: &ReferenceResult, mask: &Mask<'_>) -> bool {
    let own = reference.parent_columns.iter().any(|column| mask.reason(column).is_some());
    own || reference.columns.iter().any(|column| child.masking.columns.contains_key(column))
}
