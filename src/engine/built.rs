//! How the two sides are built: their structure, and values that the other side could not hold.

use std::collections::BTreeSet;

use crate::config::Dataset;
use crate::findings::RuleResult;
use crate::model::{Dimension, Family, Field, Finding, Holds, Severity, Side};
use crate::reconcile::{
    FIT, FIT_BACK, FitColumn, SCHEMA, SEQUENCES, SNAPSHOT_GAP, SchemaOutcome, SideSchema, compare_schemas,
    fit_columns, greatest_whole, misfits, sequences_behind,
};
use crate::rule::{RuleError, TimeSpan};
use crate::source::holds;

use super::Stage;
use super::draft::Draft;
use super::expected::Working;
use super::findings::Cells;
use super::movement;
use super::prepare::LoadedSide;
use super::reconciled::Reconciled;

/// The two sides of a dataset that was reconciled.
pub struct Built<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// The source as it was read.
    pub source: &'a LoadedSide,
    /// The source on its way to expected.
    pub working: &'a Working,
    /// The target as it was read.
    pub target: &'a LoadedSide,
    /// The reconciliation.
    pub done: &'a Reconciled,
    /// The texts of findings, of the sides as they were compared.
    pub cells: &'a Cells<'a>,
    /// True where a side has no rows and may have none.
    pub may_be_empty: bool,
}

/// A rule's result with its findings.
type Judged = (RuleResult, Vec<Finding>);

/// Returns what a column of a side holds, as its database declares it.
fn holds_of(side: &LoadedSide, field: &Field) -> Holds {
    let manifest = &side.snapshot.manifest;
    let column = manifest.structure.as_ref().and_then(|structure| structure.column(&field.source_name));
    let characters = column.and_then(|column| column.characters.as_deref());
    holds(manifest.server.as_ref().map(|server| server.version.as_str()), field, characters)
}

/// The same where a server declares it; nothing for files.
fn declared(side: &LoadedSide, field: &Field) -> Option<Holds> {
    side.snapshot.manifest.server.as_ref().map(|_| holds_of(side, field))
}

fn empty_finding(side: Side) -> Finding {
    Finding {
        side,
        key: None,
        row: None,
        column: None,
        source: None,
        target: None,
        expected: None,
        group: None,
        cause: None,
    }
}

impl Built<'_> {
    /// Returns the rules about the two sides' structure and, in a whole run, about what fits and about sequences, where
    /// there is anything to judge, and what the reader should know.
    ///
    /// # Errors
    /// Where a column is not there.
    pub fn rules(&self, stage: Stage) -> Result<(Vec<Judged>, Vec<String>), RuleError> {
        let (mut judged, mut notes) = (Vec::new(), Vec::new());
        let is_whole = stage == Stage::Everything;
        if is_whole {
            judged.extend(self.fit()?);
            judged.extend(self.fit_back()?);
        }
        judged.extend(self.gap());
        judged.extend(self.schema(&mut notes));
        if is_whole {
            judged.extend(self.sequences()?);
        }
        Ok((judged, notes))
    }

    /// Looks for values of expected that the target could not hold.
    fn fit(&self) -> Result<Option<Judged>, RuleError> {
        let (expected, target) = (&self.done.prepared.expected, &self.target.frame);
        let declared = |field: &Field| (holds_of(self.target, field), field.source_type.clone());
        let columns = fit_columns(&expected.schema, &target.schema, &declared, &self.done.bound.zones);
        self.judge_fit(FIT, Side::Expected, &columns, Severity::Error)
    }

    /// Looks for values of the target that the source could not hold.
    fn fit_back(&self) -> Result<Option<Judged>, RuleError> {
        let (source, target) = (&self.source.frame.schema, &self.target.frame);
        let declared = |field: &Field| (holds_of(self.source, field), field.source_type.clone());
        let mut columns = fit_columns(&target.schema, source, &declared, &self.done.bound.zones);
        let prepared = &self.done.bound.preparations;
        columns.retain(|column| {
            // How a value is written in another type of the source, or which code it had, is not known.
            let family = |field: Option<&Field>| match field.map(|field| field.logical.family()) {
                Some(Family::Bool) => Some(Family::Number),
                family => family,
            };
            family(source.get(&column.name)) == family(target.schema.get(&column.name))
                && !prepared.0.makes(&column.name)
                && !prepared.1.makes(&column.name)
        });
        self.judge_fit(FIT_BACK, Side::Target, &columns, Severity::Info)
    }

    fn judge_fit(
        &self,
        id: &str,
        side: Side,
        columns: &[FitColumn],
        severity: Severity,
    ) -> Result<Option<Judged>, RuleError> {
        if columns.is_empty() {
            return Ok(None);
        }
        let (frame, other) = match side {
            Side::Target => (&self.target.frame, "source"),
            Side::Source | Side::Expected => (&self.done.prepared.expected, "target"),
        };
        let found = misfits(frame, columns)?;
        let texts: Vec<_> = columns.iter().map(|column| self.cells.column(&column.name)).collect();
        let findings = found.found.iter().filter_map(|(row, place, why)| {
            let (column, texts) = (columns.get(*place)?, texts.get(*place)?);
            let words = format!("{} {}", column.name, why.words(&column.holds, &column.declared));
            let mut finding = self.cells.row(side, *row as usize, Some(words));
            texts.fill(&mut finding, *row as usize);
            Some(finding)
        });
        let draft = Draft {
            id: id.to_owned(),
            says: format!(
                "Every value of {} fits the {other}'s columns.",
                if side == Side::Target { "the target" } else { "expected" }
            ),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            dimension: Dimension::Validity,
            sides: vec![(side, found.judged, findings.collect())],
            fields: self.done.bound.rules.get(id),
            may_be_empty: self.may_be_empty || found.judged == 0,
            kind: "fit",
            severity,
        };
        Ok(Some(draft.finish()))
    }

    /// Looks whether too much time lies between the two snapshots.
    fn gap(&self) -> Option<Judged> {
        let most = self.dataset.reconcile.max_snapshot_gap?;
        let seen = |side: &LoadedSide| side.snapshot.manifest.seen();
        let gap = seen(self.source).zip(seen(self.target)).map(movement::gap);
        let finding = gap.filter(|gap| *gap > most.0).map(|gap| Finding {
            expected: Some(format!("at most {most}")),
            target: Some(format!("{} apart", TimeSpan(gap))),
            ..empty_finding(Side::Target)
        });
        let draft = Draft {
            id: SNAPSHOT_GAP.to_owned(),
            says: format!("No more than {most} lies between the snapshots of the two sides."),
            columns: Vec::new(),
            dimension: Dimension::Timeliness,
            // Without both times there is nothing to judge.
            sides: vec![(Side::Target, u64::from(gap.is_some()), finding.into_iter().collect())],
            fields: self.done.bound.rules.get(SNAPSHOT_GAP),
            may_be_empty: false,
            kind: "snapshot_gap",
            severity: Severity::Error,
        };
        Some(draft.finish())
    }

    /// Compares the structure of the two sides.
    fn schema(&self, notes: &mut Vec<String>) -> Option<Judged> {
        let (allow, asked) = &self.done.bound.schema;
        let [source, target] =
            [self.source, self.target].map(|side| side.snapshot.manifest.structure.as_ref());
        if source.is_none() && target.is_none() && !asked {
            return None;
        }
        for (side, structure) in [("source", source), ("target", target)] {
            if structure.is_none() {
                notes.push(format!(
                    "What the {side} declares of keys, references, defaults and NULL is not known: it is no table of a \
                     database, or its catalogue could not be read."
                ));
            }
        }
        let excluded = self.done.bound.not_compared.iter().filter(|column| column.reason == "excluded");
        let ignored: BTreeSet<String> = excluded.map(|column| column.name.clone()).collect();
        let key: Vec<String> =
            self.dataset.key.iter().map(|name| name.value.clone()).filter(|name| name != "_row").collect();
        let outcome = compare_schemas(
            &SideSchema {
                schema: &self.source.frame.schema,
                structure: source,
                holds: &|field| declared(self.source, field),
            },
            &SideSchema {
                schema: &self.target.frame.schema,
                structure: target,
                holds: &|field| declared(self.target, field),
            },
            &self.working.all.schema,
            &ignored,
            &key,
            allow,
        );
        let SchemaOutcome { compared, mut differences, unused } = outcome;
        // What an expression gives or looks at stands for a column that one side does not have.
        let explained: BTreeSet<String> = self
            .dataset
            .reconcile
            .columns
            .iter()
            .flat_map(|(name, policy)| {
                let named = policy.value.named();
                let itself = (!named.is_empty()).then(|| name.clone());
                named.into_iter().chain(itself)
            })
            .collect();
        differences.retain(|one| !(one.class.starts_with("only in") && explained.contains(&one.column)));
        for pair in unused.iter().filter_map(|place| allow.get(*place)) {
            notes.push(format!(
                "`{} -> {}` under `schema: allow` never met; it can be left out.",
                pair.source, pair.target
            ));
        }
        let findings = differences.into_iter().map(|difference| Finding {
            column: Some(difference.column),
            expected: difference.source,
            target: difference.target,
            group: Some(difference.class.to_owned()),
            ..empty_finding(Side::Target)
        });
        let draft = Draft {
            id: SCHEMA.to_owned(),
            says: "The two sides are built the same.".to_owned(),
            columns: Vec::new(),
            dimension: Dimension::Consistency,
            sides: vec![(Side::Target, compared, findings.collect())],
            fields: self.done.bound.rules.get(SCHEMA),
            may_be_empty: true,
            kind: "schema",
            severity: Severity::Warning,
        };
        Some(draft.finish())
    }

    /// Looks for sequences of the target whose next number is taken already: the next insert would fail.
    fn sequences(&self) -> Result<Option<Judged>, RuleError> {
        let Some(structure) = &self.target.snapshot.manifest.structure else { return Ok(None) };
        let frame = &self.target.frame;
        let (looked_at, behind) =
            sequences_behind(&frame.schema, structure, &|column| greatest_whole(frame, column))?;
        if looked_at == 0 {
            return Ok(None);
        }
        let findings = behind.into_iter().map(|behind| Finding {
            column: Some(behind.column),
            expected: Some(behind.greatest),
            target: Some(behind.next),
            group: Some(format!("next number of {} is taken already", behind.sequence)),
            ..empty_finding(Side::Target)
        });
        let draft = Draft {
            id: SEQUENCES.to_owned(),
            says: "Every sequence of the target is ahead of its column.".to_owned(),
            columns: Vec::new(),
            dimension: Dimension::Consistency,
            sides: vec![(Side::Target, looked_at, findings.collect())],
            fields: self.done.bound.rules.get(SEQUENCES),
            may_be_empty: true,
            kind: "schema",
            severity: Severity::Error,
        };
        Ok(Some(draft.finish()))
    }
}
