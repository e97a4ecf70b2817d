//! Why values differ: columns by cause, and the causes of each column with samples and what would settle them.

use serde::Serialize;

use crate::findings::{ColumnResult, DatasetResult};
use crate::reconcile::cause::CAUSES;
use crate::report::causes::{Difference, title};

use super::rules;
use super::samples::{OfRule, Sample};

/// Shares of the greatest count, in thousandths, from which a cell is so dark.
const SHADES: [(u64, u8); 4] = [(500, 5), (100, 4), (20, 3), (4, 2)];

/// Columns by cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Heat {
    /// The causes that occur, the most frequent first.
    pub heads: Vec<String>,
    /// The columns that differ, the worst first.
    pub rows: Vec<HeatRow>,
    /// What the single causes mean, by name.
    pub legend: Vec<(String, String)>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeatRow {
    /// Our name.
    pub column: String,
    /// For each cause its cells, where there are any.
    pub cells: Vec<Option<HeatCell>>,
}

/// The cells of a column that have a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeatCell {
    /// How many.
    pub cells: u64,
    /// How dark, from 1 to 5.
    pub shade: u8,
    /// The place of the samples.
    pub anchor: String,
}

/// A cause of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The place on the page.
    pub anchor: String,
    /// Its name.
    pub title: String,
    /// Where the differences come from.
    pub sentence: String,
    /// The cells.
    pub cells: u64,
    /// The first of them.
    pub samples: Vec<Sample>,
    /// The lines that would settle them; none where nothing would, or where they are hidden.
    pub lines: Vec<String>,
    /// What they give up, or why there are none.
    pub settling: String,
}

/// Returns the place of a cause of a column on the dataset's page.
pub(super) fn anchor(dataset: &DatasetResult, column: &str, cause: &str) -> String {
    let id = format!("reconcile-{column}");
    let position = dataset.rules.iter().position(|rule| rule.id == id).unwrap_or(dataset.rules.len());
    format!("{}-{}", rules::anchor(position), cause.replace('+', "-"))
}

/// Makes the table of columns by cause.
pub fn heat(dataset: &DatasetResult) -> Heat {
    let mut columns: Vec<&ColumnResult> =
        dataset.columns.iter().filter(|column| !column.causes.is_empty()).collect();
    columns.sort_by_key(|column| std::cmp::Reverse(column.mismatched));
    let mut totals: Vec<(&str, u64)> = Vec::new();
    for cause in columns.iter().flat_map(|column| &column.causes) {
        match totals.iter_mut().find(|(name, _)| *name == cause.cause) {
            Some((_, cells)) => *cells += cause.cells,
            None => totals.push((&cause.cause, cause.cells)),
        }
    }
    totals.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let most = columns.iter().flat_map(|column| &column.causes).map(|cause| cause.cells).max().unwrap_or(0);
    let shade = |cells: u64| {
        let share = cells.saturating_mul(1000).checked_div(most).unwrap_or(0);
        SHADES.iter().find(|(least, _)| share >= *least).map_or(1, |(_, shade)| *shade)
    };
    let rows = columns
        .iter()
        .map(|column| HeatRow {
            column: column.name.clone(),
            cells: totals
                .iter()
                .map(|(name, _)| {
                    let cause = column.causes.iter().find(|cause| cause.cause == *name)?;
                    Some(HeatCell {
                        cells: cause.cells,
                        shade: shade(cause.cells),
                        anchor: anchor(dataset, &column.name, name),
                    })
                })
                .collect(),
        })
        .collect();
    let occurs = |word: &str| totals.iter().any(|(name, _)| name.split('+').any(|one| one == word));
    let legend = CAUSES
        .iter()
        .filter(|kind| occurs(kind.name))
        .map(|kind| (title(kind.name), kind.summary()))
        .collect();
    Heat { heads: totals.iter().map(|(name, _)| title(name)).collect(), rows, legend }
}

/// Makes the causes of one compared column, the most frequent first; takes their samples from what the rule found.
pub fn of_column(
    dataset: &DatasetResult,
    column: &ColumnResult,
    found: &mut OfRule,
    differences: &[Difference],
) -> Vec<Cause> {
    let mut causes = Vec::new();
    for difference in differences.iter().filter(|difference| difference.column == column.name) {
        let samples = found
            .blocks
            .iter_mut()
            .find(|block| block.class.as_deref() == Some(difference.cause.as_str()))
            .map(|block| std::mem::take(&mut block.samples))
            .unwrap_or_default();
        causes.push(Cause {
            anchor: anchor(dataset, &column.name, &difference.cause),
            title: title(&difference.cause),
            sentence: difference.sentence.clone(),
            cells: difference.cells,
            samples,
            lines: difference
                .settling
                .yaml(&column.name)
                .map(|yaml| yaml.lines().map(str::to_owned).collect())
                .unwrap_or_default(),
            settling: difference.settling.says(difference.cells),
        });
    }
    causes
}
