//! From the raw source to expected: cleansed, held back, merged.
//!
//! The order is: cleanse, quarantine, merge, then cascade along the foreign keys until nothing changes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use polars::prelude::PolarsError;

use crate::check::Check;
use crate::config::{Dataset, Rule};
use crate::correct::HeldRow;
use crate::findings::StepResult;
use crate::frame::{Frame, Keys, Texts, Value, series_of};
use crate::matching::MatchOutcome;
use crate::model::Correction;

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

/// Rewrites references to merged keys to the survivors' keys, in every dataset that refers to one that merged rows.
///
/// Each rewritten cell is a correction by the match rule. A key that a remaining row still has is not rewritten.
///
/// # Errors
/// Where a referenced column is not there.
pub fn rewrite_references(
    working: &mut BTreeMap<String, Working>,
    datasets: &[&Dataset],
) -> Result<(), PolarsError> {
    for child in datasets {
        for rule in &child.checks {
            let Some(reference) = rule.rule.reference().filter(|_| rule.common.skip.is_none()) else {
                continue;
            };
            let parent_plan = datasets.iter().find(|d| d.name.value == reference.dataset.value);
            let (Some(parent_plan), Some(parent)) = (parent_plan, working.get(&reference.dataset.value))
            else {
                continue;
            };
            let columns: Vec<&str> = reference.columns.iter().map(|c| c.value.as_str()).collect();
            let renamed = merged_keys(parent, parent_plan, &columns)?;
            if renamed.is_empty() {
                continue;
            }
            if let Some(child_working) = working.get_mut(&child.name.value) {
                rewrite(child_working, rule, &renamed)?;
            }
        }
    }
    Ok(())
}

/// The parts of a surviving row's key, and the match rule that merged.
type Survivor = (Vec<Option<String>>, String);

/// Returns, for each key that only merged rows had, the parts of the survivor's key.
fn merged_keys(
    parent: &Working,
    plan: &Dataset,
    columns: &[&str],
) -> Result<HashMap<String, Survivor>, PolarsError> {
    let mut renamed = HashMap::new();
    if !parent.states.iter().any(|state| matches!(state, RowState::Merged(_))) {
        return Ok(renamed);
    }
    let keys = Keys::new(&parent.all, columns)?;
    let parts: Vec<Option<Texts>> = columns.iter().map(|c| parent.all.texts(c)).collect();
    let remaining: HashSet<String> = (0..keys.len())
        .filter(|i| parent.states[*i] == RowState::Kept)
        .filter_map(|i| keys.text(i).map(Cow::into_owned))
        .collect();
    let rule_of: HashMap<usize, &str> = parent
        .matches
        .iter()
        .flat_map(|(position, outcome)| {
            let id = plan.duplicates[*position].id.as_str();
            outcome.groups.iter().flat_map(move |g| g.rows.iter().map(move |row| (*row, id)))
        })
        .collect();
    for (i, state) in parent.states.iter().enumerate() {
        let RowState::Merged(into) = state else { continue };
        let Some(key) = keys.text(i).filter(|key| !remaining.contains(key.as_ref())) else { continue };
        // A survivor may have been merged in its turn.
        let mut survivor = *into;
        while let RowState::Merged(next) = parent.states[survivor] {
            survivor = next;
        }
        let values = parts.iter().map(|texts| texts.as_ref().and_then(|t| t.owned(survivor))).collect();
        let rule = rule_of.get(&i).copied().unwrap_or_default().to_owned();
        renamed.insert(key.into_owned(), (values, rule));
    }
    Ok(renamed)
}

fn rewrite(
    child: &mut Working,
    rule: &Rule<dyn Check>,
    renamed: &HashMap<String, Survivor>,
) -> Result<(), PolarsError> {
    let columns: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
    let keys = Keys::new(&child.all, &columns)?;
    let hits: Vec<(usize, &Survivor)> =
        (0..keys.len()).filter_map(|i| Some((i, renamed.get(keys.text(i)?.as_ref())?))).collect();
    if hits.is_empty() {
        return Ok(());
    }
    for (part, name) in columns.iter().enumerate() {
        let Some((field, column)) = child.all.column(name) else { continue };
        let field = field.clone();
        let texts = Texts::new(column.as_materialized_series(), &field.logical);
        let mut values: Vec<Option<Value>> =
            (0..texts.len()).map(|i| texts.get(i).and_then(|t| Value::parse(&t, &field.logical))).collect();
        for (index, (survivor, match_rule)) in &hits {
            let before = texts.owned(*index);
            let after = survivor[part].as_deref().and_then(|t| Value::parse(t, &field.logical));
            if after != values[*index] {
                values[*index] = after;
                child.corrections.push(Correction {
                    row: child.all.rows[*index],
                    column: name.clone(),
                    before,
                    after: survivor[part].clone(),
                    rule: match_rule.clone(),
                });
            }
        }
        let series = series_of(name, &field.logical, &values);
        child.all.replace(field, series.into())?;
    }
    Ok(())
}

/// Holds back every row whose parent is held back, along the foreign keys that cascade, until nothing changes.
///
/// # Errors
/// Where a referenced column is not there.
pub fn cascade(
    working: &mut BTreeMap<String, Working>,
    datasets: &[&Dataset],
    as_of: DateTime<Utc>,
) -> Result<(), PolarsError> {
    loop {
        let mut changed = false;
        for child in datasets {
            for rule in child.checks.iter().filter(|r| r.rule.cascade() && r.common.skip.is_none()) {
                let Some(reference) = rule.rule.reference() else { continue };
                let Some(parent) = working.get(&reference.dataset.value) else { continue };
                let columns: Vec<&str> = reference.columns.iter().map(|c| c.value.as_str()).collect();
                let gone = quarantined_keys(parent, &columns)?;
                if gone.is_empty() {
                    continue;
                }
                let Some(rows) = working.get_mut(&child.name.value) else { continue };
                for index in referring_rows(rows, rule, &gone, as_of)? {
                    rows.states[index] = RowState::Quarantined;
                    let columns =
                        rule.rule.columns().iter().map(|c| c.value.clone()).collect::<Vec<_>>().join(", ");
                    rows.held
                        .entry(index)
                        .or_default()
                        .push(format!("{}: {columns}: parent quarantined", rule.id));
                    changed = true;
                }
            }
        }
        if !changed {
            return Ok(());
        }
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

/// Returns the rows still in whose reference is one of the keys and which the rule's `where` selects.
fn referring_rows(
    child: &Working,
    rule: &Rule<dyn Check>,
    gone: &BTreeSet<String>,
    as_of: DateTime<Utc>,
) -> Result<Vec<usize>, PolarsError> {
    let columns: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
    let keys = Keys::new(&child.all, &columns)?;
    let mut rows: Vec<usize> = (0..keys.len())
        .filter(|i| child.states[*i] == RowState::Kept)
        .filter(|i| keys.text(*i).is_some_and(|key| gone.contains(key.as_ref())))
        .collect();
    if !rows.is_empty()
        && let Some(condition) = &rule.condition
    {
        let selected = super::select(condition, &child.all, as_of)
            .map_err(|error| PolarsError::ComputeError(error.to_string().into()))?;
        rows.retain(|i| selected[*i]);
    }
    Ok(rows)
}
