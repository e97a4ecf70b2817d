//! The steps of a dataset in their order: bound to its columns, run over its rows, every change recorded.

use std::collections::BTreeSet;

use polars::prelude::{BooleanChunked, ChunkCompareEq, Column, NewChunkedArray, PlSmallStr, Series};

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::frame::{Frame, Texts, Value};
use crate::model::{Correction, Field, Logical, Schema};
use crate::rule::{ProjectFiles, RuleError};

use super::{Applied, BoundStep, Refusal, Step, values};

/// A cleansing rule: a step with its name and the rows it is for.
#[derive(Clone, Copy)]
pub struct CleansingRule<'a> {
    /// The rule's name, unique within its dataset.
    pub id: &'a str,
    /// What it does.
    pub step: &'a dyn Step,
    /// The rows it is for; all of them where there is none.
    pub condition: Option<Condition<'a>>,
}

/// The `where` of a cleansing rule.
#[derive(Clone, Copy)]
pub struct Condition<'a> {
    /// Where it stands.
    pub span: &'a Span,
    /// Checks it against the columns as they are before the step.
    pub bind: &'a dyn Fn(&Schema, &mut Diagnostics),
    /// Returns true for the rows it selects, of the rows as they are before the step.
    pub rows: &'a dyn Fn(&Frame) -> Result<Vec<bool>, RuleError>,
}

/// The steps of a dataset, ready for its columns.
pub struct Pipeline<'a> {
    /// The columns after the last step.
    pub schema: Schema,
    rules: Vec<BoundRule<'a>>,
    /// What was found wrong: with errors there is nothing to run.
    problems: Diagnostics,
}

struct BoundRule<'a> {
    rule: CleansingRule<'a>,
    columns: Vec<BoundStep>,
}

/// A dataset after its steps.
#[derive(Debug, Clone)]
pub struct Cleansed {
    /// Every row, those that are to be held back included.
    pub frame: Frame,
    /// One a cell and step that changed it, by row, column and step.
    ///
    /// A cell that a step could not handle has none from that step on: what it should be is not known.
    pub corrections: Vec<Correction>,
    /// The values for which their row is to be held back, by row, column and step.
    pub held_back: Vec<Held>,
    /// The values for which the whole dataset is refused, by row, column and step.
    pub fatal: Vec<Held>,
    /// What became of each rule, in their order.
    pub rules: Vec<StepOutcome>,
}

/// A value that a step could not handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The row's index in the frame, from 0.
    pub index: usize,
    /// The rule.
    pub rule: String,
    /// Our name of the column.
    pub column: String,
    /// Why, without the value.
    pub reason: &'static str,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepOutcome {
    /// The rule.
    pub rule: String,
    /// The columns it acted on; none where there was nothing to do.
    pub columns: Vec<String>,
    /// The rows it was for.
    pub selected: u64,
    /// The cells it changed.
    pub changed: u64,
    /// The cells it could not handle and that may not go on.
    pub refused: u64,
}

/// The steps of a dataset could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CleanseError {
    /// The rules do not fit the columns.
    #[error("the cleansing steps do not fit the columns:\n{}", .0.render(false))]
    Diagnostics(Diagnostics),
    /// A step failed.
    #[error("cleansing rule `{rule}`: {error}")]
    Rule {
        /// The rule.
        rule: String,
        /// What went wrong.
        error: RuleError,
    },
}

/// Prepares the steps for a dataset's columns, each for the columns as the steps before it leave them.
///
/// What does not fit is a diagnostic, each once; the steps behind are bound all the same, so that all is
/// reported together. With errors among them the pipeline does not run.
pub fn bind<'a>(
    schema: &Schema,
    rules: &[CleansingRule<'a>],
    files: &ProjectFiles,
    out: &mut Diagnostics,
) -> Pipeline<'a> {
    let mut schema = schema.clone();
    let mut bound = Vec::with_capacity(rules.len());
    let mut problems = Diagnostics::default();
    for rule in rules {
        let mut found = Diagnostics::default();
        let columns = bind_rule(&schema, rule, files, &mut found);
        for step in &columns {
            if let Some(position) = schema.position(&step.output.name) {
                schema.fields[position] = step.output.clone();
            }
        }
        bound.push(BoundRule { rule: *rule, columns });
        push_once(found, &mut problems);
    }
    out.extend(problems.clone());
    Pipeline { schema, rules: bound, problems }
}

/// Takes in diagnostics without those that stand there already: a step reports for each of its columns.
fn push_once(found: Diagnostics, out: &mut Diagnostics) {
    let mut seen: Vec<&Diagnostic> = Vec::new();
    for diagnostic in found.sorted() {
        if !seen.contains(&diagnostic) {
            seen.push(diagnostic);
            out.push(diagnostic.clone());
        }
    }
}

fn bind_rule(
    schema: &Schema,
    rule: &CleansingRule<'_>,
    files: &ProjectFiles,
    out: &mut Diagnostics,
) -> Vec<BoundStep> {
    let columns = rule.step.columns();
    for (i, name) in columns.named().iter().enumerate() {
        if columns.named().iter().take(i).any(|earlier| earlier.value == name.value) {
            out.push(Diagnostic::error(&name.span, format!("column `{}` is named twice", name.value)));
        }
    }
    let fields = columns.resolve(schema, out);
    let bound: Vec<(&Field, BoundStep)> =
        fields.into_iter().filter_map(|field| Some((field, rule.step.bind(field, files, out)?))).collect();
    if let Some(condition) = &rule.condition {
        (condition.bind)(schema, out);
        for (field, step) in bound.iter().filter(|(field, step)| !same_type(field, &step.output)) {
            let message = format!(
                "`where` cannot stand at a step that changes a column's type (`{}`, {} to {})",
                field.name, field.logical, step.output.logical
            );
            out.push(Diagnostic::error(condition.span, message).help(
                "a column has one type in all its rows: change the values first, in a step of their own",
            ));
        }
    }
    bound.into_iter().map(|(_, step)| step).collect()
}

/// Returns true where two columns hold values of the same type; lengths of text do not matter.
fn same_type(a: &Field, b: &Field) -> bool {
    match (&a.logical, &b.logical) {
        (Logical::Text { .. }, Logical::Text { .. }) => true,
        (a, b) => a == b,
    }
}

/// Binds the rules to a dataset's raw rows and runs them.
///
/// # Errors
/// Where a rule does not fit the columns or fails.
pub fn cleanse(
    frame: &Frame,
    rules: &[CleansingRule<'_>],
    files: &ProjectFiles,
) -> Result<Cleansed, CleanseError> {
    bind(&frame.schema, rules, files, &mut Diagnostics::default()).run(frame)
}

/// What the steps leave behind while they run, each with its row, column and step for sorting.
#[derive(Default)]
struct Trail {
    corrections: Vec<((usize, usize, usize), Correction)>,
    held: Vec<((usize, usize, usize), Held, bool)>,
    /// Column and row of the cells that a step could not handle.
    refused: BTreeSet<(usize, usize)>,
}

impl Pipeline<'_> {
    /// Runs the steps over the rows of a dataset with the columns they were bound to.
    ///
    /// # Errors
    /// Where a rule did not fit the columns, a step or a `where` fails, or the frame has not the columns.
    pub fn run(&self, frame: &Frame) -> Result<Cleansed, CleanseError> {
        if self.problems.has_errors() {
            return Err(CleanseError::Diagnostics(self.problems.clone()));
        }
        let mut frame = frame.clone();
        let mut trail = Trail::default();
        let mut rules = Vec::with_capacity(self.rules.len());
        for (order, bound) in self.rules.iter().enumerate() {
            let outcome = bound
                .run(order, &mut frame, &mut trail)
                .map_err(|error| CleanseError::Rule { rule: bound.rule.id.to_owned(), error })?;
            rules.push(outcome);
        }
        trail.corrections.sort_by_key(|(at, _)| *at);
        trail.held.sort_by_key(|(at, _, _)| *at);
        let (fatal, held_back): (Vec<_>, Vec<_>) = trail.held.into_iter().partition(|(_, _, fatal)| *fatal);
        Ok(Cleansed {
            frame,
            corrections: trail.corrections.into_iter().map(|(_, correction)| correction).collect(),
            held_back: held_back.into_iter().map(|(_, held, _)| held).collect(),
            fatal: fatal.into_iter().map(|(_, held, _)| held).collect(),
            rules,
        })
    }
}

impl BoundRule<'_> {
    fn run(&self, order: usize, frame: &mut Frame, trail: &mut Trail) -> Result<StepOutcome, RuleError> {
        let selected = match &self.rule.condition {
            Some(condition) => Some((condition.rows)(frame)?),
            None => None,
        };
        if selected.as_ref().is_some_and(|selected| selected.len() != frame.height()) {
            return Err(RuleError::Refused("`where` did not judge every row".to_owned()));
        }
        let mut outcome = StepOutcome {
            rule: self.rule.id.to_owned(),
            columns: Vec::with_capacity(self.columns.len()),
            selected: match &selected {
                Some(selected) => selected.iter().filter(|s| **s).count() as u64,
                None => frame.height() as u64,
            },
            changed: 0,
            refused: 0,
        };
        for step in &self.columns {
            let name = step.output.name.as_str();
            let missing = || RuleError::Refused(format!("there is no column `{name}` any more"));
            let position = frame.schema.position(name).ok_or_else(missing)?;
            let (field, column) = frame.column(name).ok_or_else(missing)?;
            let before = column.as_materialized_series();
            let applied = apply(step, before, selected.as_deref())?;
            let changed = changed(before, &field.logical, &applied.values, &step.output.logical)?;

            // A refused cell is set aside first: its NULL is no correction.
            for Refusal { index, reason, fatal } in &applied.refused {
                let (rule, column) = (self.rule.id.to_owned(), name.to_owned());
                let held = Held { index: *index, rule, column, reason };
                trail.held.push(((*index, position, order), held, *fatal));
                trail.refused.insert((position, *index));
                outcome.refused += 1;
            }
            let texts_before = Texts::new(before, &field.logical);
            let texts_after = Texts::new(&applied.values, &step.output.logical);
            for index in changed.into_iter().filter(|index| !trail.refused.contains(&(position, *index))) {
                let correction = Correction {
                    row: frame.rows.get(index).copied().unwrap_or_default(),
                    column: name.to_owned(),
                    before: texts_before.owned(index),
                    after: texts_after.owned(index),
                    rule: self.rule.id.to_owned(),
                };
                trail.corrections.push(((index, position, order), correction));
                outcome.changed += 1;
            }
            outcome.columns.push(name.to_owned());
            frame.replace(step.output.clone(), Column::from(applied.values))?;
        }
        Ok(outcome)
    }
}

/// Applies a step to the selected rows of a column and leaves the others as they are.
fn apply(step: &BoundStep, before: &Series, selected: Option<&[bool]>) -> Result<Applied, RuleError> {
    let mut applied = (step.apply)(before)?;
    if applied.values.len() != before.len() {
        return Err(RuleError::Refused("the step did not give back every row".to_owned()));
    }
    if let Some(selected) = selected {
        let mask = BooleanChunked::from_slice(PlSmallStr::EMPTY, selected);
        applied.values = applied.values.zip_with(&mask, before)?;
        applied.refused.retain(|refusal| selected.get(refusal.index) == Some(&true));
    }
    Ok(applied)
}

/// Returns the rows whose value is another than before, NULL being equal to NULL.
///
/// Where the type changes, a text that is a plain form of the new value already is no change.
fn changed(
    before: &Series,
    before_type: &Logical,
    after: &Series,
    after_type: &Logical,
) -> Result<Vec<usize>, RuleError> {
    if before.dtype() == after.dtype() {
        let same = before.equal_missing(after)?;
        if same.all() {
            return Ok(Vec::new());
        }
        return Ok(same.iter().enumerate().filter(|(_, same)| *same != Some(true)).map(|(i, _)| i).collect());
    }
    let texts = Texts::new(before, before_type);
    let plain = (0..before.len()).map(|i| Value::parse(&texts.get(i)?, after_type));
    let plain = Texts::new(&values::series("", after_type, plain), after_type);
    let after = Texts::new(after, after_type);
    Ok((0..before.len())
        .filter(|i| match (texts.get(*i), after.get(*i)) {
            (None, None) => false,
            (Some(_), Some(after)) => plain.get(*i).is_none_or(|plain| plain != after),
            _ => true,
        })
        .collect())
}
