//! A dataset's rules, ready for the columns that the data really has.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::cleanse::{CleansingRule, Condition, Step, StepOutcome};
use crate::config::{Dataset, Plan, Rule};
use crate::diagnostic::{Diagnostics, Span};
use crate::findings::StepResult;
use crate::frame::Frame;
use crate::matching::{BoundMatch, Match, MatchOutcome};
use crate::model::{Schema, Side};
use crate::reconcile::{BoundReconcile, Context, Seen};
use crate::rule::{Columns, ProjectFiles, RuleError};

use super::crosswalk::{self, Holders};
use super::expected::{RowState, Working};
use super::judge::{self, BoundSide};
use super::mistakes;

/// A dataset with every rule bound.
pub struct BoundDataset<'p> {
    dataset: &'p Dataset,
    checks: Vec<BoundSide>,
    /// The positions of the checks that can be run on the raw source as on expected.
    comparable: BTreeSet<usize>,
    matches: Vec<(usize, Side, Box<dyn BoundMatch>)>,
    reconcile: Option<BoundReconcile>,
    as_of: DateTime<Utc>,
}

impl<'p> BoundDataset<'p> {
    /// Binds every rule to the columns of the sides that there are; mistakes go to `out`.
    pub fn bind(
        dataset: &'p Dataset,
        [raw, target]: [Option<&Schema>; 2],
        plan: &Plan,
        holders: &Holders,
        as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> BoundDataset<'p> {
        let closures = conditions(dataset, as_of);
        let rules = cleansing_rules(dataset, &closures);
        let cleansed = raw.map(|schema| crate::cleanse::bind(schema, &rules, &plan.files, out).schema);
        let merged = cleansed.clone();
        let cleansed = cleansed.map(|schema| crosswalk::schema(dataset, &schema, holders));
        mistakes::hidden_columns(dataset, &[raw, target], out);
        // Of two sides the reconciliation checks the key.
        if let (Some(schema), None) | (None, Some(schema)) = (raw, target) {
            for name in dataset.key.iter().filter(|name| name.value != "_row") {
                crate::rule::find(schema, name, out);
            }
        }
        let of = |side: Side| match side {
            Side::Source => raw,
            Side::Expected => cleansed.as_ref(),
            Side::Target => target,
        };
        let mut checks = Vec::new();
        let mut comparable = BTreeSet::new();
        for (position, rule) in dataset.checks.iter().enumerate().filter(|(_, r)| r.common.skip.is_none()) {
            let gating = judge::gating_sides(dataset, rule.common.on.as_ref());
            // Ids are replaced after cleansing.
            let before = raw.zip(merged.as_ref());
            if before.is_some_and(|before| judge::is_comparable(plan, dataset, rule, before)) {
                comparable.insert(position);
            }
            let mut found = Vec::new();
            for side in Side::ALL.iter().copied() {
                let Some(schema) = of(side) else { continue };
                if gating.contains(&side) {
                    let mut own = Diagnostics::default();
                    checks.extend(judge::bind(rule, position, side, schema, &plan.files, as_of, &mut own));
                    found.push((side, own));
                } else if judge::is_wanted_beside(rule.rule.as_ref(), side, comparable.contains(&position)) {
                    // It does not gate: what cannot be bound has no figure.
                    let mut unheard = Diagnostics::default();
                    checks.extend(judge::bind(
                        rule,
                        position,
                        side,
                        schema,
                        &plan.files,
                        as_of,
                        &mut unheard,
                    ));
                }
            }
            mistakes::on_sides(found, out);
        }
        let mut matches = Vec::new();
        for (position, rule) in dataset.duplicates.iter().enumerate().filter(|(_, r)| r.common.skip.is_none())
        {
            let mut found = Vec::new();
            for side in judge::gating_sides(dataset, rule.common.on.as_ref()) {
                // Expected's rows are merged before their ids are replaced.
                let before = if side == Side::Expected { merged.as_ref() } else { of(side) };
                let Some(schema) = before else { continue };
                let mut own = Diagnostics::default();
                matches.extend(rule.rule.bind(schema, &mut own).map(|bound| (position, side, bound)));
                found.push((side, own));
            }
            mistakes::on_sides(found, out);
        }
        let reconcile = match (&cleansed, target) {
            (Some(expected), Some(target)) => {
                let context = Context { files: &plan.files, as_of };
                crate::reconcile::bind(&dataset.reconcile, &dataset.key, expected, target, context, out)
            }
            _ => None,
        };
        BoundDataset { dataset, checks, comparable, matches, reconcile, as_of }
    }

    /// Returns the columns of a dataset's source after cleansing; what cannot be bound is told elsewhere.
    pub fn cleansed(dataset: &Dataset, raw: &Schema, plan: &Plan, as_of: DateTime<Utc>) -> Schema {
        let closures = conditions(dataset, as_of);
        let rules = cleansing_rules(dataset, &closures);
        crate::cleanse::bind(raw, &rules, &plan.files, &mut Diagnostics::default()).schema
    }

    /// Returns the checks, each for one side.
    pub fn checks(&self) -> &[BoundSide] {
        &self.checks
    }

    /// Returns true where the check at a position can be run on the raw source as on expected.
    pub fn is_comparable(&self, position: usize) -> bool {
        self.comparable.contains(&position)
    }

    /// Returns the reconciliation, where the dataset has two sides.
    pub fn reconcile(&self) -> Option<&BoundReconcile> {
        self.reconcile.as_ref()
    }

    /// Notes when the two sides were seen, where that is known.
    pub fn were_seen(&mut self, seen: Option<Seen>) {
        if let Some(since) = self.reconcile.as_mut().and_then(|bound| bound.changed_since.as_mut()) {
            since.seen = seen;
        }
    }

    /// Cleanses the raw source and holds back the rows that a step could not handle.
    ///
    /// # Errors
    /// A sentence, where a step refuses a value or cannot be run.
    pub fn cleanse(
        &self,
        raw: &Frame,
        files: &ProjectFiles,
        as_of: DateTime<Utc>,
    ) -> Result<Working, String> {
        let closures = conditions(self.dataset, as_of);
        let rules = cleansing_rules(self.dataset, &closures);
        let mut out = Diagnostics::default();
        let pipeline = crate::cleanse::bind(&raw.schema, &rules, files, &mut out);
        let done =
            judge::guarded(|| pipeline.run(raw).map_err(|error| RuleError::Refused(error.to_string())))?;
        if let Some(first) = done.fatal.first() {
            return Err(format!(
                "step `{}` refuses {} values, the first in column `{}` of row {}: {}",
                first.rule,
                done.fatal.iter().filter(|f| f.rule == first.rule).count(),
                first.column,
                raw.rows[first.index],
                first.reason
            ));
        }
        let mut working = Working {
            states: vec![RowState::Kept; done.frame.height()],
            all: done.frame,
            held: BTreeMap::new(),
            corrections: done.corrections,
            steps: Vec::new(),
            matches: BTreeMap::new(),
            former: None,
            notes: Vec::new(),
            untranslated: BTreeMap::new(),
            possible: Frame::default(),
        };
        let mut quarantined = BTreeMap::<String, BTreeSet<usize>>::new();
        for hold in &done.held_back {
            working.states[hold.index] = RowState::Quarantined;
            let reason = format!("{}: {}: {}", hold.rule, hold.column, hold.reason);
            working.held.entry(hold.index).or_default().push(reason);
            quarantined.entry(hold.rule.clone()).or_default().insert(hold.index);
        }
        working.steps = self
            .dataset
            .steps
            .iter()
            .map(|step| StepResult {
                id: step.id.clone(),
                kind: step.kind.to_owned(),
                columns: step.rule.columns().named().iter().map(|c| c.value.clone()).collect(),
                changed: done.rules.iter().find(|r| r.rule == step.id).map_or(0, |r| r.changed),
                quarantined: quarantined.get(&step.id).map_or(0, |rows| rows.len() as u64),
                skipped: step.common.skip.as_ref().map(|reason| reason.value.clone()),
                note: done.rules.iter().find(|r| r.rule == step.id).and_then(|r| idle(step, r, raw)),
            })
            .collect();
        Ok(working)
    }

    /// Finds the duplicates of expected, in the order of the rules, and merges those that are to be merged.
    ///
    /// # Errors
    /// A sentence, where a match that merges cannot be run. One that only reports is broken later, on its own.
    pub fn merge(&self, working: &mut Working, as_of: DateTime<Utc>) -> Result<(), String> {
        for (position, _, bound) in self.matches.iter().filter(|(_, side, _)| *side == Side::Expected) {
            let rule = &self.dataset.duplicates[*position];
            let now = working.expected().map_err(|error| error.to_string())?;
            let outcome = judge::guarded(|| {
                let selected = selection(rule, &now.frame, as_of)?;
                bound.groups(&now.frame, selected.as_deref())
            });
            match outcome {
                Ok(outcome) => working.take_match(*position, rule.rule.merges(), outcome, &now.origin),
                Err(message) if rule.rule.merges() => return Err(format!("{}: {message}", rule.id)),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Runs a match on a side as it is.
    ///
    /// # Errors
    /// A sentence.
    pub fn run_match(&self, position: usize, side: Side, frame: &Frame) -> Result<MatchOutcome, String> {
        let rule = &self.dataset.duplicates[position];
        let Some((_, _, bound)) = self.matches.iter().find(|(p, s, _)| *p == position && *s == side) else {
            return Err("the match could not be prepared".to_owned());
        };
        judge::guarded(|| {
            let selected = selection(rule, frame, self.as_of)?;
            bound.groups(frame, selected.as_deref())
        })
    }
}

/// Says why a step for every text column could do nothing, where that is so.
fn idle(step: &Rule<dyn Step>, outcome: &StepOutcome, raw: &Frame) -> Option<String> {
    let for_all = matches!(step.rule.columns(), Columns::AllText(_));
    if !for_all || outcome.changed > 0 || raw.height() == 0 {
        return None;
    }
    let texts: Vec<_> = raw.schema.fields.iter().filter(|field| field.logical.is_text()).collect();
    if texts.is_empty() && outcome.columns.is_empty() {
        return Some("the source has no text column".to_owned());
    }
    let is_empty =
        |name: &str| raw.column(name).is_some_and(|(_, column)| column.null_count() == column.len());
    let idle = !texts.is_empty() && texts.iter().all(|field| is_empty(&field.name));
    idle.then(|| "no text column of the source has a value".to_owned())
}

fn selection(
    rule: &Rule<dyn Match>,
    frame: &Frame,
    as_of: DateTime<Utc>,
) -> Result<Option<Vec<bool>>, RuleError> {
    rule.condition.as_ref().map(|condition| super::select(condition, frame, as_of)).transpose()
}

/// The two halves of a step's `where`: its binding and its rows.
type StepCondition<'p> = (
    &'p Span,
    Box<dyn Fn(&Schema, &mut Diagnostics) + 'p>,
    Box<dyn Fn(&Frame) -> Result<Vec<bool>, RuleError> + 'p>,
);

/// Returns the steps' conditions, one for each step that is not switched off.
fn conditions(dataset: &Dataset, as_of: DateTime<Utc>) -> Vec<Option<StepCondition<'_>>> {
    active_steps(dataset)
        .map(|step| {
            let condition = step.condition.as_ref()?;
            let bind = move |schema: &Schema, out: &mut Diagnostics| {
                condition.bind(schema, as_of, out);
            };
            let rows = move |frame: &Frame| super::select(condition, frame, as_of);
            let span = &condition.text().span;
            Some((span, Box::new(bind) as Box<dyn Fn(&Schema, &mut Diagnostics)>, Box::new(rows) as Box<_>))
        })
        .collect()
}

fn active_steps(dataset: &Dataset) -> impl Iterator<Item = &Rule<dyn Step>> {
    dataset.steps.iter().filter(|step| step.common.skip.is_none())
}

/// Returns the steps that are not switched off, with their conditions.
fn cleansing_rules<'r>(
    dataset: &'r Dataset,
    conditions: &'r [Option<StepCondition<'r>>],
) -> Vec<CleansingRule<'r>> {
    active_steps(dataset)
        .zip(conditions)
        .map(|(step, condition)| CleansingRule {
            id: &step.id,
            step: step.rule.as_ref(),
            condition: condition.as_ref().map(|(span, bind, rows)| Condition {
                span,
                bind: bind.as_ref(),
                rows: rows.as_ref(),
            }),
        })
        .collect()
}
