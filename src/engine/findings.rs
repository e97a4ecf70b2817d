//! From failures to findings: keys, positions and the three texts of a cell.

use crate::frame::{Frame, Texts};
use crate::model::{Finding, Side, key_text};

use super::row_keys::RowKeys;

/// Reads the texts that findings show, for one dataset.
///
/// A finding on the source shows the raw value; one on expected the raw and the expected value; one on the
/// target the target's value.
pub struct Cells<'a> {
    raw: Option<&'a Frame>,
    expected: Option<&'a Frame>,
    target: Option<&'a Frame>,
    origin: &'a [usize],
    keys: &'a RowKeys,
}

impl<'a> Cells<'a> {
    /// Makes the reader. `origin` gives for each row of expected its index among the raw rows.
    pub fn new(
        keys: &'a RowKeys,
        raw: Option<&'a Frame>,
        expected: Option<&'a Frame>,
        target: Option<&'a Frame>,
        origin: &'a [usize],
    ) -> Self {
        Cells { raw, expected, target, origin, keys }
    }

    fn frame(&self, side: Side) -> Option<&'a Frame> {
        match side {
            Side::Source => self.raw,
            Side::Expected => self.expected,
            Side::Target => self.target,
        }
    }

    /// Returns the key of a row of a side, by its index from 0.
    pub fn key(&self, side: Side, index: usize) -> Option<String> {
        self.keys.of(side).map(|keys| keys.get(index))
    }

    /// Begins a finding about a row; values are added by [`ColumnCells::fill`].
    pub fn row(&self, side: Side, index: usize, group: Option<String>) -> Finding {
        Finding {
            side,
            key: self.key(side, index),
            row: self.frame(side).map(|frame| frame.rows[index]),
            column: None,
            source: None,
            target: None,
            expected: None,
            cause: None,
            group,
        }
    }

    /// Makes the reader of one column's texts.
    pub fn column(&self, name: &str) -> ColumnCells<'_> {
        ColumnCells {
            name: name.to_owned(),
            origin: self.origin,
            raw: self.raw.and_then(|frame| frame.texts(name)),
            expected: self.expected.and_then(|frame| frame.texts(name)),
            target: self.target.and_then(|frame| frame.texts(name)),
        }
    }

    /// Makes the reader of the texts of several columns together, for a rule that looks at them as one.
    pub fn columns(&self, names: &[String]) -> Vec<ColumnCells<'_>> {
        names.iter().map(|name| self.column(name)).collect()
    }
}

/// Adds to a finding about a whole row the values of the columns that the rule looks at, joined as keys are.
pub fn fill_joined(columns: &[ColumnCells<'_>], finding: &mut Finding, index: usize) {
    if columns.is_empty() {
        return;
    }
    let parts: Vec<Finding> = columns
        .iter()
        .map(|column| {
            let mut part = finding.clone();
            column.fill(&mut part, index);
            part
        })
        .collect();
    let joined = |of: &dyn Fn(&Finding) -> Option<&str>| Some(key_text(parts.iter().map(of)));
    match finding.side {
        Side::Source => finding.source = joined(&|part| part.source.as_deref()),
        Side::Expected => {
            finding.source = joined(&|part| part.source.as_deref());
            finding.expected = joined(&|part| part.expected.as_deref());
        }
        Side::Target => finding.target = joined(&|part| part.target.as_deref()),
    }
}

/// The texts of one column on all sides.
pub struct ColumnCells<'a> {
    name: String,
    origin: &'a [usize],
    raw: Option<Texts>,
    expected: Option<Texts>,
    target: Option<Texts>,
}

impl ColumnCells<'_> {
    /// Adds the column and its values to a finding about the row at `index` of its side.
    pub fn fill(&self, finding: &mut Finding, index: usize) {
        finding.column = Some(self.name.clone());
        let text = |texts: &Option<Texts>, index: usize| texts.as_ref().and_then(|t| t.owned(index));
        match finding.side {
            Side::Source => finding.source = text(&self.raw, index),
            Side::Expected => {
                finding.source = self.origin.get(index).and_then(|origin| text(&self.raw, *origin));
                finding.expected = text(&self.expected, index);
            }
            Side::Target => finding.target = text(&self.target, index),
        }
    }

    /// Adds the column and the values of a pair of rows to a finding on the target.
    pub fn fill_pair(&self, finding: &mut Finding, expected: usize, target: usize) {
        finding.column = Some(self.name.clone());
        let text = |texts: &Option<Texts>, index: usize| texts.as_ref().and_then(|t| t.owned(index));
        finding.source = self.origin.get(expected).and_then(|origin| text(&self.raw, *origin));
        finding.expected = text(&self.expected, expected);
        finding.target = text(&self.target, target);
    }
}
