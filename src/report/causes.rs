//! Causes of differences in words, and what would settle them as far as the mask lets it be seen.

use std::collections::BTreeMap;
use std::path::Path;

use crate::findings::{CauseResult, ColumnResult, DatasetResult, Remedies, RunResult};
use crate::mask::Mask;
use crate::model::Remedy;
use crate::node::yaml;

use super::ReportError;
use super::words::{one_line, thousands};

/// How many causes a sentence names.
const NAMED: usize = 2;

/// A cause of differences with what would settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The dataset.
    pub dataset: String,
    /// Our name of the column.
    pub column: String,
    /// The word of the cause; of several, joined by `+`.
    pub cause: String,
    /// The cells that differ for it.
    pub cells: u64,
    /// Where the differences come from, as a sentence.
    pub sentence: String,
    /// What would settle them.
    pub settling: Settling,
}

/// What would settle differences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settling {
    /// These lines would.
    Lines(Remedy),
    /// Lines would, but they hold values that are hidden for this reason.
    Hidden(String),
    /// Nothing that can be written in a dataset's file would; why, and what does, in sentences.
    Nothing(String),
}

impl Settling {
    /// Returns the lines as they stand in the dataset's file.
    pub fn yaml(&self, column: &str) -> Option<String> {
        match self {
            Settling::Lines(remedy) => Some(remedy.yaml(&yaml::text(column))),
            Settling::Hidden(_) | Settling::Nothing(_) => None,
        }
    }

    /// Says what the lines do and give up, or why there are none.
    pub fn says(&self, cells: u64) -> String {
        match self {
            Settling::Lines(remedy) => {
                let which = match cells {
                    _ if remedy.settles < cells => {
                        format!("{} of {}", thousands(remedy.settles), thousands(cells))
                    }
                    1 => "it".to_owned(),
                    _ => "all of them".to_owned(),
                };
                let breaks = match remedy.breaks {
                    0 => String::new(),
                    1 => " They would make 1 cell differ that is equal now.".to_owned(),
                    n => format!(" They would make {} cells differ that are equal now.", thousands(n)),
                };
                format!("These lines settle {which} and give up {}.{breaks}", remedy.gives_up)
            }
            Settling::Hidden(reason) => {
                format!(
                    "Lines would settle it, but they hold values of the column, which are hidden ({reason})."
                )
            }
            Settling::Nothing(why) => {
                let nothing = "No line in the dataset's file settles it.";
                if why.is_empty() { nothing.to_owned() } else { format!("{nothing} {}", one_line(why)) }
            }
        }
    }
}

/// Lists every cause of every column, in the order of the result, with what would settle it.
///
/// `run` is the run's folder. No line holds a value that the mask hides.
///
/// # Errors
/// Where a file of the run cannot be read.
pub fn differences(result: &RunResult, run: &Path) -> Result<Vec<Difference>, ReportError> {
    let mut all = Vec::new();
    for dataset in &result.datasets {
        all.extend(of_dataset(dataset, run)?);
    }
    Ok(all)
}

pub(super) fn of_dataset(dataset: &DatasetResult, run: &Path) -> Result<Vec<Difference>, ReportError> {
    let remedies = read_remedies(&dataset.name, run)?;
    let mut all = Vec::new();
    for column in &dataset.columns {
        // The secret is for keys; values are shown or not.
        let mask = Mask::new(&[0; 32], &dataset.masking);
        for cause in &column.causes {
            let remedy = remedies.columns.get(&column.name).and_then(|causes| causes.get(&cause.cause));
            let settling = match (remedy, mask.reason(&column.name)) {
                (None, _) => Settling::Nothing(cause.no_line.clone().unwrap_or_default()),
                (Some(remedy), Some(reason)) if remedy.literals => Settling::Hidden(reason.to_owned()),
                (Some(remedy), _) => Settling::Lines(remedy.clone()),
            };
            all.push(Difference {
                dataset: dataset.name.clone(),
                column: column.name.clone(),
                cause: cause.cause.clone(),
                cells: cause.cells,
                sentence: sentence(cause, column.mismatched),
                settling,
            });
        }
    }
    Ok(all)
}

/// Reads what would settle a dataset's differences; a run without the file has none.
fn read_remedies(dataset: &str, run: &Path) -> Result<Remedies, ReportError> {
    let path = run.join("causes").join(format!("{dataset}.json"));
    if !path.is_file() {
        return Ok(Remedies::default());
    }
    let text =
        std::fs::read_to_string(&path).map_err(|error| ReportError::Read { path: path.clone(), error })?;
    serde_json::from_str(&text)
        .map_err(|error| ReportError::Form { path, problem: format!("is not of this version: {error}") })
}

/// Returns a cause as a reader says it: `null or blank`, `case and whitespace`.
pub(super) fn title(cause: &str) -> String {
    cause.replace('_', " ").split('+').collect::<Vec<_>>().join(" and ")
}

/// The cause that most differing cells of a dataset have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Worst<'a> {
    /// The word of the cause; of several, joined by `+`.
    pub(super) cause: &'a str,
    /// The column in which most of the cells are.
    pub(super) column: &'a str,
    /// The cells, in all columns.
    pub(super) cells: u64,
    /// Where they come from, as a sentence.
    pub(super) sentence: String,
}

/// Finds the cause that most differing cells of a dataset have, of those with as many the first by name; nothing where no
/// cell differs, or it is not known why.
pub(super) fn worst(dataset: &DatasetResult) -> Option<Worst<'_>> {
    let mut by_cause: BTreeMap<&str, Vec<(&ColumnResult, &CauseResult)>> = BTreeMap::new();
    for column in &dataset.columns {
        for cause in &column.causes {
            by_cause.entry(cause.cause.as_str()).or_default().push((column, cause));
        }
    }
    let cells =
        |places: &[(&ColumnResult, &CauseResult)]| places.iter().map(|(_, cause)| cause.cells).sum::<u64>();
    let all: u64 = by_cause.values().map(|places| cells(places)).sum();
    let (word, places) = by_cause
        .iter()
        .rev()
        .max_by_key(|(_, places)| cells(places))
        .filter(|(_, places)| cells(places) > 0)?;
    let (column, most) = places.iter().rev().max_by_key(|(_, cause)| cause.cells)?;
    let count = cells(places);
    let (name, says) = (one_line(&column.name), one_line(&most.says));
    let (of, come) = match (count, all) {
        (1, 1) => ("The one differing cell".to_owned(), "comes"),
        (count, all) if count == all => (format!("All {} differing cells", thousands(all)), "come"),
        (1, all) => (format!("1 of {} differing cells", thousands(all)), "comes"),
        (count, all) => (format!("{} of {} differing cells", thousands(count), thousands(all)), "come"),
    };
    let sentence = match places.len() {
        1 => format!("{of} {come} from {says}, in {name}."),
        columns => format!(
            "{of} have the cause {}, in {columns} columns; most, {}, are in {name} and come from {says}.",
            title(word),
            thousands(most.cells),
        ),
    };
    Some(Worst { cause: word, column: &column.name, cells: count, sentence })
}

/// Says how much of what differs one side changed after the other was read; nothing where that was not asked for, or
/// nothing differs.
pub(super) fn movement(dataset: &DatasetResult) -> Option<String> {
    let (moved, buckets) = (dataset.moved?, dataset.buckets?);
    let of = buckets.mismatched + buckets.missing + buckets.unexpected;
    let all = match of {
        1 => "1 record that differs, is missing or is not expected".to_owned(),
        of => format!("{} records that differ, are missing or are not expected", thousands(of)),
    };
    let after = "changed on one side after the other side's snapshot";
    let parts: Vec<String> =
        [(moved.mismatched, "that differ"), (moved.missing, "missing"), (moved.unexpected, "not expected")]
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", thousands(*count)))
            .collect();
    match (moved.rows(), of) {
        (_, 0) => None,
        (0, _) => Some(format!("None of {all} was {after}.")),
        (n, _) => Some(format!(
            "{} of {all} {} {after}: {}.",
            thousands(n),
            if n == 1 { "was" } else { "were" },
            parts.join(", ")
        )),
    }
}

/// Says where the differences of a cause come from, of so many in the column.
pub(super) fn sentence(cause: &CauseResult, of: u64) -> String {
    let says = one_line(&cause.says);
    match (cause.cells, of) {
        (1, 1) => format!("The one difference comes from {says}."),
        (cells, of) if cells == of => format!("All {} differences come from {says}.", thousands(cells)),
        (1, of) => format!("1 of {} differences comes from {says}.", thousands(of)),
        (cells, of) => format!("{} of {} differences come from {says}.", thousands(cells), thousands(of)),
    }
}

/// Says where a column's differences mainly come from, as the rest of "… differs in … pairs of records"; nothing where
/// it is not known.
pub(super) fn mainly(column: &ColumnResult) -> Option<String> {
    let of = column.mismatched;
    let (named, rest) = column.causes.split_at(column.causes.len().min(NAMED));
    let mut parts: Vec<String> = named
        .iter()
        .map(|cause| match cause.cells {
            cells if cells == of && of == 1 => format!("from {}", one_line(&cause.says)),
            cells if cells == of => format!("all from {}", one_line(&cause.says)),
            cells => format!("{} from {}", thousands(cells), one_line(&cause.says)),
        })
        .collect();
    let others: u64 = rest.iter().map(|cause| cause.cells).sum();
    if others > 0 {
        parts.push(format!("{} for other causes", thousands(others)));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
