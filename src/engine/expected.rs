//! From the raw source to expected: cleansed, held back, merged.
//!
//! The order is: cleanse, quarantine, merge, then cascade along the foreign keys until nothing changes (see
//! [`super::references`]), then replace ids (see [`super::crosswalk`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::PolarsError;

use crate::correct::HeldRow;
use crate::findings::StepResult;
use crate::frame::{Frame, Keys};
use crate::matching::MatchOutcome;
use crate::model::Correction;

use super::crosswalk::Untranslated;

/// What became of a row of the source on its way to expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    /// It is a row of expected.
    Kept,
    /// It is held back.
    Quarantined,
    /// It went into another row, given by its index.
    Merged(usize),
}

/// The source of one dataset on its way to expected.
#[derive(Debug)]
pub struct Working {
    /// Every row in scope, cleansed.
    pub all: Frame,
    /// What became of each row of `all`.
    pub states: Vec<RowState>,
    /// Why rows are held back, by index in `all`.
    pub held: BTreeMap<usize, Vec<String>>,
    /// Cells changed by steps and merges.
    pub corrections: Vec<Correction>,
    /// What each step did.
    pub steps: Vec<StepResult>,
    /// What each match found, by the match's position in the plan; indexes are those of `all`.
    pub matches: BTreeMap<usize, MatchOutcome>,
    /// Rows whose references were rewritten, as they were before: a target row may still have such a key.
    pub former: Option<Frame>,
    /// What the reader should know, in sentences.
    pub notes: Vec<String>,
    /// The rows whose ids have no new ones, by the column.
    pub untranslated: BTreeMap<String, Untranslated>,
    /// Rows whose ids have several new ones, in columns by which rows are known, once with each of them: a target row may be
    /// one of these.
    pub possible: Frame,
}

/// Expected, with the way back to the source's rows.
#[derive(Debug)]
pub struct Expected {
    /// The rows.
    pub frame: Frame,
    /// For each of them its index among all rows of the source in scope.
    pub origin: Vec<usize>,
}

impl Working {
    /// Returns which rows are still in.
    pub fn kept(&self) -> Vec<bool> {
        self.states.iter().map(|state| *state == RowState::Kept).collect()
    }

    /// Returns the rows that are still in, as they are now.
    ///
    /// # Errors
    /// Where polars cannot filter the frame.
    pub fn expected(&self) -> Result<Expected, PolarsError> {
        let kept = self.kept();
        let origin = kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(i, _)| i).collect();
        let frame = if kept.iter().all(|kept| *kept) { self.all.clone() } else { self.all.filter(&kept)? };
        Ok(Expected { frame, origin })
    }

    /// Keeps rows as they are now, before their references are rewritten.
    ///
    /// # Errors
    /// Where polars cannot take the rows.
    pub fn remember(&mut self, rows: &BTreeSet<usize>) -> Result<(), PolarsError> {
        let keep: Vec<bool> = (0..self.all.height()).map(|row| rows.contains(&row)).collect();
        let now = self.all.filter(&keep)?;
        self.former = Some(match self.former.take() {
            Some(former) => former.with(&now)?,
            None => now,
        });
        Ok(())
    }

    /// Returns the held-back rows with their reasons.
    pub fn held_rows(&self) -> Vec<HeldRow> {
        self.held.iter().map(|(index, reasons)| HeldRow { index: *index, reasons: reasons.clone() }).collect()
    }

    /// Takes in a match's outcome, found among the rows that are still in; `origin` maps its indexes to those of `all`.
    pub fn take_match(&mut self, position: usize, merges: bool, mut outcome: MatchOutcome, origin: &[usize]) {
        for group in &mut outcome.groups {
            group.rows.iter_mut().for_each(|row| *row = origin[*row]);
            group.survivor = origin[group.survivor];
            if merges {
                for row in group.rows.iter().filter(|row| **row != group.survivor) {
                    self.states[*row] = RowState::Merged(group.survivor);
                }
            }
        }
        self.matches.insert(position, outcome);
    }
}

/// Returns the keys that only held-back rows have.
pub fn quarantined_keys(parent: &Working, columns: &[&str]) -> Result<BTreeSet<String>, PolarsError> {
    if parent.held.is_empty() {
        return Ok(BTreeSet::new());
    }
    let keys = Keys::new(&parent.all, columns)?;
    let of = |wanted: RowState| -> BTreeSet<String> {
        (0..keys.len())
            .filter(|i| parent.states[*i] == wanted)
            .filter_map(|i| keys.text(i).map(Cow::into_owned))
            .collect()
    };
    let gone = of(RowState::Quarantined);
    let kept = of(RowState::Kept);
    Ok(gone.difference(&kept).cloned().collect())
}
