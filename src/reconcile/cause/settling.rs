//! What a cause is told of its cells, and what it gives to settle them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use crate::expression;
use crate::model::{Family, Logical};
use crate::node::yaml;

use super::Figure;
use super::both::Of;

/// What is known of the cells of one cause in one column.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// The column.
    pub(super) of: &'a Of<'a>,
    /// True where all values of the cells, on both sides, are digits alone.
    pub(super) is_of_digits: bool,
    /// How many cells have which figure, the most frequent first.
    pub(super) figures: &'a [(Figure, u64)],
}

impl Told<'_> {
    /// Returns the number of cells.
    pub(super) fn cells(&self) -> u64 {
        self.figures.iter().map(|(_, cells)| *cells).sum()
    }

    /// Returns true where any cell has a figure.
    pub(super) fn has(&self, figure: &Figure) -> bool {
        self.figures.iter().any(|(own, _)| own == figure)
    }

    /// Returns the numbers among the figures, the most frequent first.
    pub(super) fn numbers(&self) -> Vec<i128> {
        let numbers = self.figures.iter().filter_map(|(figure, _)| match figure {
            Figure::Number(number) => Some(*number),
            _ => None,
        });
        numbers.collect()
    }

    /// Returns the words among the figures, the most frequent first.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let words = self.figures.iter().filter_map(|(figure, _)| match figure {
            Figure::Word(word) => Some(*word),
            _ => None,
        });
        words.collect()
    }

    /// Returns true where the values meet as text that may be written in several ways.
    pub(super) fn is_text(&self) -> bool {
        let form = &self.of.column.meeting.logical;
        form.family() == Family::Text && *form != Logical::Uuid
    }

    /// Returns true where expected's column is text as it was cleansed, so that steps for text can act on it.
    pub(super) fn source_is_text(&self) -> bool {
        self.of.e.logical.is_text() && !self.of.prepared
    }

    /// Says that words of the column's policy keep its values texts; else the sentence for what else is in the way.
    pub(super) fn kept_as_text_or(&self, otherwise: &str) -> String {
        match self.keeps_text() {
            true => "The column's policy has `case` or `whitespace`, which texts alone can have, so that its values cannot be \
                     compared as what they stand for: without these words a line settles it."
                .to_owned(),
            false => otherwise.to_owned(),
        }
    }

    /// Says that a step needs text, where the source's column is none; else the sentence for what else is in the way.
    pub(super) fn no_text_or(&self, otherwise: &str) -> String {
        match self.source_is_text() {
            true => otherwise.to_owned(),
            false => "The source's column is not text, and the steps that could settle it change text alone."
                .to_owned(),
        }
    }

    /// Returns true where the column's policy has a word that only texts can have.
    pub(super) fn keeps_text(&self) -> bool {
        let policy = &self.of.column.policy;
        policy.case || policy.whitespace.is_some()
    }

    /// Returns true where white space still means something in the column.
    pub(super) fn keeps_white_space(&self) -> bool {
        self.of.column.policy.whitespace.is_none()
    }

    /// Returns the column's name as YAML.
    pub(super) fn name(&self) -> String {
        yaml::text(&self.of.column.name)
    }

    /// Returns an expression of the source's column as YAML, where that column is a number; `of` is given its name in SQL.
    pub(super) fn calculated(&self, of: impl Fn(&str) -> String) -> Option<String> {
        let is_number = self.of.e.logical.family() == Family::Number && !self.of.prepared;
        is_number.then(|| Self::expression(&self.of.column.name, of))
    }

    /// Returns an expression of the source's column so many of a unit later as YAML, where that column is a date or timestamp.
    pub(super) fn later(&self, count: i128, unit: &str) -> Option<String> {
        let is_moment = self.of.e.logical.family() == Family::Moment && !self.of.prepared;
        let (sign, many) = (if count < 0 { '-' } else { '+' }, if count.abs() == 1 { "" } else { "s" });
        let later = |name: &str| format!("{name} {sign} interval '{} {unit}{many}'", count.abs());
        is_moment.then(|| Self::expression(&self.of.column.name, later))
    }

    /// Returns an expression of one of the source's columns as YAML; `of` is given its name in SQL.
    pub(super) fn expression(name: &str, of: impl Fn(&str) -> String) -> String {
        // In quotes only where it would be something else without.
        let plain = of(name);
        let file = Arc::new(SourceFile::new("expression", &plain));
        let text = Spanned { value: plain, span: Span { file, range: 0..0 } };
        let read = expression::parse_value(&text, &mut Diagnostics::default());
        let is_plain = read.is_some_and(|read| read.columns().iter().map(|c| c.value.as_str()).eq([name]));
        yaml::text(&if is_plain { text.value } else { of(&format!("\"{}\"", name.replace('"', "\"\""))) })
    }

    /// Begins a step for the column: `step: word`, `columns: [name]`.
    pub(super) fn step(&self, word: &str) -> Vec<(String, String)> {
        vec![("step".to_owned(), word.to_owned()), ("columns".to_owned(), format!("[{}]", self.name()))]
    }
}

/// Says of an expected value, as text, whether lines would make it another than an equal one of the target.
pub(super) type Alters = Arc<dyn Fn(Option<&str>) -> bool + Send + Sync>;

/// What would settle cells, and which of them.
#[derive(Default)]
pub(super) struct Settling {
    pub(super) policy: Vec<(String, String)>,
    pub(super) steps: Vec<Vec<(String, String)>>,
    pub(super) gives_up: String,
    /// True where the lines hold values of cells.
    pub(super) literals: bool,
    /// The figures of the cells that are settled.
    pub(super) covers: BTreeSet<Figure>,
    /// What it does to cells that are equal; nothing where it leaves them so.
    pub(super) alters: Option<Alters>,
}

impl Settling {
    /// Makes what settles the cells with figures for which `covers` is true; nothing where there are none.
    pub(super) fn of(told: &Told<'_>, covers: impl Fn(&Figure) -> bool) -> Option<Settling> {
        let covers: BTreeSet<Figure> =
            told.figures.iter().map(|(figure, _)| figure).filter(|figure| covers(figure)).cloned().collect();
        (!covers.is_empty()).then(|| Settling { covers, ..Settling::default() })
    }

    /// Makes what settles all cells.
    pub(super) fn of_all(told: &Told<'_>) -> Option<Settling> {
        Settling::of(told, |_| true)
    }

    /// Adds a word of the column's policy.
    pub(super) fn word(mut self, word: &str, value: impl Into<String>) -> Self {
        self.policy.push((word.to_owned(), value.into()));
        self
    }

    /// Adds a step.
    pub(super) fn step(mut self, step: Vec<(String, String)>, fields: &[(&str, String)]) -> Self {
        let mut step = step;
        step.extend(fields.iter().map(|(word, value)| ((*word).to_owned(), value.clone())));
        self.steps.push(step);
        self
    }

    /// Says which texts would be altered where both sides have them.
    pub(super) fn altering(mut self, alters: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.alters = Some(Arc::new(move |text| text.is_some_and(&alters)));
        self
    }

    /// Says what is given up.
    pub(super) fn giving_up(mut self, what: impl Into<String>) -> Self {
        self.gives_up = what.into();
        self
    }
}

/// Joins words as a sentence does: "a, b and c".
pub(super) fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Writes a number with commas between thousands.
pub(super) fn thousands(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
