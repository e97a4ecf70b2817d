//! From failures to findings: keys, positions and the three texts of a cell.

use crate::frame::{Frame, Texts};
use crate::model::{Field, Finding, Logical, Side, key_text};

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
            keep: [None; 2],
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
    /// For expected and the target how many digits behind the point its numbers keep at least, where they are calculated:
    /// zeros at their ends say nothing then.
    keep: [Option<usize>; 2],
}

/// Returns a number without zeros at the end of its digits behind the point, but for so many digits.
fn plain(text: String, keep: Option<usize>) -> String {
    let Some((keep, (whole, fraction))) = keep.zip(text.split_once('.')) else { return text };
    let digits = fraction.trim_end_matches('0').len().max(keep.min(fraction.len()));
    match fraction.get(..digits) {
        Some("") => whole.to_owned(),
        Some(fraction) => format!("{whole}.{fraction}"),
        None => text,
    }
}

impl ColumnCells<'_> {
    /// Shows numbers that an expression makes plainly, on the sides where it does: an expression gives them sixteen digits
    /// behind the point and more, where they have two. They keep as many as the other side's have.
    pub fn with_calculated(mut self, [expected, target]: [bool; 2], fields: [Option<&Field>; 2]) -> Self {
        let scale = |field: Option<&Field>| match field.map(|field| &field.logical) {
            Some(Logical::Decimal { scale, .. }) => Some(usize::from(*scale)),
            _ => None,
        };
        let [of_expected, of_target] = fields.map(scale);
        let keep = |is_calculated: bool, own: Option<usize>, other: Option<usize>, other_is: bool| {
            own.filter(|_| is_calculated).map(|_| other.filter(|_| !other_is).unwrap_or(0))
        };
        self.keep =
            [keep(expected, of_expected, of_target, target), keep(target, of_target, of_expected, expected)];
        self
    }

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
        let [keep_expected, keep_target] = self.keep;
        finding.expected = text(&self.expected, expected).map(|text| plain(text, keep_expected));
        finding.target = text(&self.target, target).map(|text| plain(text, keep_target));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calculated_numbers_lose_zeros_that_say_nothing() {
        let shown = |text: &str, keep| plain(text.to_owned(), keep);
        assert_eq!(shown("128.9700000000000000", Some(0)), "128.97");
        assert_eq!(shown("128.9000000000000000", Some(2)), "128.90");
        assert_eq!(shown("-100.0000", Some(0)), "-100");
        assert_eq!(shown("100", Some(2)), "100");
        assert_eq!(shown("1.50", None), "1.50");
    }
}
