//! What is done to a side's rows before they are compared: columns calculated by an expression, and codes replaced by the
//! other side's. It looks at one row at a time, so that a side can come in parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::{Column, Expr, IntoColumn, NewChunkedArray, StringChunked};

use crate::expression;
use crate::frame::{Frame, Texts};
use crate::model::{Field, Schema};
use crate::rule::RuleError;

use super::bind::BoundReconcile;

/// What is done to the columns of one side, in order.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    pub(super) steps: Vec<Step>,
}

/// What makes one column.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// The column as it becomes; one of the same name is replaced.
    pub(super) field: Field,
    /// The word of the policy that asks for it.
    pub(super) word: &'static str,
    pub(super) how: How,
}

#[derive(Debug, Clone)]
pub(super) enum How {
    /// The value of an expression over the row.
    Expression(Expr),
    /// Codes, in their canonical text, with those that take their places; nothing for NULL.
    Codes(Arc<BTreeMap<String, Option<String>>>),
}

/// What one step did to some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Our name of the column.
    pub column: String,
    /// The word of the policy: `map`, `lookup`, `source_expression` or `target_expression`.
    pub word: &'static str,
    /// Rows looked at.
    pub rows: u64,
    /// Rows whose value is another than before; nothing where there was no such column before.
    pub changed: Option<u64>,
    /// Rows with a value, whether listed or not, where codes are replaced.
    pub values: u64,
    /// Rows, from 0, whose code is not listed.
    pub unmapped: Vec<u32>,
}

/// Both sides as they are compared, and what was done to them.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Expected.
    pub expected: Frame,
    /// The target.
    pub target: Frame,
    /// What was done to expected, then to the target.
    pub applied: Vec<Applied>,
}

impl BoundReconcile {
    /// Calculates the columns that policies compare by an expression, and replaces codes, row by row.
    ///
    /// # Errors
    /// Where a column is not there, or polars refuses an expression.
    pub fn prepare(&self, expected: &Frame, target: &Frame) -> Result<Prepared, RuleError> {
        let (expected, mut applied) = self.preparations.0.apply(expected)?;
        let (target, of_target) = self.preparations.1.apply(target)?;
        applied.extend(of_target);
        Ok(Prepared { expected, target, applied })
    }

    /// Prepares rows that are held back as expected is, where more of them is looked at than their keys.
    ///
    /// # Errors
    /// Where a column is not there, or polars refuses an expression.
    pub fn prepare_held_back(&self, rows: Frame) -> Result<Frame, RuleError> {
        let by_key_alone = self.has_key() && self.natural.is_empty();
        if by_key_alone || rows.height() == 0 {
            return Ok(rows);
        }
        Ok(self.preparations.0.apply(&rows)?.0)
    }
}

impl Prepared {
    /// Returns what the reader should know: expressions and lists of codes that changed nothing.
    pub fn notes(&self) -> Vec<String> {
        self.applied.iter().filter_map(Applied::idle).collect()
    }
}

impl Preparation {
    /// Returns true where nothing is done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns true where a column of this name is made or replaced.
    pub fn makes(&self, name: &str) -> bool {
        self.steps.iter().any(|step| step.field.name == name)
    }

    /// Returns a side's columns as they become.
    pub(super) fn schema(&self, schema: &Schema) -> Schema {
        let mut schema = schema.clone();
        for step in &self.steps {
            match schema.position(&step.field.name).and_then(|at| schema.fields.get_mut(at)) {
                Some(field) => *field = step.field.clone(),
                None => schema.fields.push(step.field.clone()),
            }
        }
        schema
    }

    /// Makes the columns for the rows of a frame, and says what each step did.
    ///
    /// Every expression sees the row as it was before. Codes are replaced after that.
    ///
    /// # Errors
    /// Where a column is not there, or polars refuses an expression.
    pub fn apply(&self, frame: &Frame) -> Result<(Frame, Vec<Applied>), RuleError> {
        let mut prepared = frame.clone();
        let mut all = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let name = &step.field.name;
            let before = prepared.texts(name);
            let mut applied = Applied {
                column: name.clone(),
                word: step.word,
                rows: frame.height() as u64,
                ..Applied::default()
            };
            let column = match &step.how {
                How::Expression(expr) => expression::values(frame, expr, &step.field.logical)?,
                How::Codes(codes) => {
                    let texts = before.as_ref().ok_or_else(|| {
                        RuleError::Refused(format!("`{name}` is not a column of the table"))
                    })?;
                    replaced(texts, codes, &mut applied)
                }
            };
            if let Some(before) = &before {
                let after = Texts::new(column.as_materialized_series(), &step.field.logical);
                let changed = (0..frame.height()).filter(|row| before.get(*row) != after.get(*row)).count();
                applied.changed = Some(changed as u64);
                prepared.replace(step.field.clone(), column)?;
            } else {
                prepared.df.with_column(column.with_name(name.as_str().into()))?;
                prepared.schema.fields.push(step.field.clone());
            }
            all.push(applied);
        }
        Ok((prepared, all))
    }
}

/// Replaces codes; one that is not listed stays, and is noted.
fn replaced(texts: &Texts, codes: &BTreeMap<String, Option<String>>, applied: &mut Applied) -> Column {
    let mut column = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let text = texts.get(row);
        applied.values += u64::from(text.is_some());
        column.push(match text.as_deref().map(|text| codes.get(text)) {
            None => None,
            Some(Some(other)) => other.clone(),
            Some(None) => {
                applied.unmapped.extend(u32::try_from(row).ok());
                text.map(std::borrow::Cow::into_owned)
            }
        });
    }
    StringChunked::from_iter_options("".into(), column.into_iter()).into_column()
}

impl Applied {
    /// Says that a word of a policy changed nothing, where that is so.
    pub(super) fn idle(&self) -> Option<String> {
        (self.changed == Some(0)).then(|| {
            format!(
                "`{}` of `{}` changed none of {} values; it can be left out",
                self.word, self.column, self.rows
            )
        })
    }
}
