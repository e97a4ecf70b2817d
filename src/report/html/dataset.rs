//! The page of one dataset: every rule with what failed, and what was done to the data.

use serde::Serialize;

use crate::findings::{Buckets, ColumnResult, DatasetResult, RunResult};
use crate::mask::Mask;
use crate::report::causes::{Difference, movement, title};

use super::causes::{self, Cause, Heat};
use super::facts::{self, NotChecked, Run, Snapshot, Verdict};
use super::flow::{Flow, flow};
use super::index::{Part, bar};
use super::references::{self, Chain, Parents, Reference};
use super::rules::{self, RuleView};
use super::samples::{Change, Held, OfRule, Samples, has_groups};
use super::tranches::{self, Tranches};

/// The page of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The run.
    pub run: Run,
    /// The dataset's name.
    pub name: String,
    /// Whose data it is.
    pub owner: Option<String>,
    /// Our names of the key columns.
    pub key: Vec<String>,
    /// True where keys show as tokens.
    pub tokens: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Rows of the source, of expected and of the target.
    pub rows: [Option<u64>; 3],
    /// Where every record went.
    pub flow: Option<Flow>,
    /// The same by tranche.
    pub tranches: Option<Tranches>,
    /// The buckets, where there is a reconciliation.
    pub buckets: Option<Buckets>,
    /// How much of what differs only moved, where that was asked for.
    pub moved: Option<String>,
    /// The buckets, as a bar.
    pub bar: Vec<Part>,
    /// The reconciliation's rules about whole records.
    pub records: Vec<Shown>,
    /// The compared columns that have differences, the worst first.
    pub differences: Vec<Shown>,
    /// Columns by cause.
    pub heat: Heat,
    /// The compared columns without.
    pub equal_columns: Vec<String>,
    /// Columns with codes that no list has.
    pub codes: Vec<Shown>,
    /// Rules about values that the other side could not hold.
    pub fits: Vec<Shown>,
    /// Rules about the structure of the two sides.
    pub built: Vec<Shown>,
    /// Checks that have neither classes nor groups to show.
    pub checks: Vec<Shown>,
    /// Checks of references.
    pub orphans: Vec<Shown>,
    /// The foreign keys on both sides.
    pub references: Vec<Reference>,
    /// The ways on which they break further up.
    pub chains: Vec<Chain>,
    /// The records that others refer to and that are not there.
    pub restore: Vec<Parents>,
    /// Rules that found groups of records.
    pub duplicates: Vec<Shown>,
    /// Control totals.
    pub totals: Vec<Total>,
    /// Cleansing steps.
    pub steps: Vec<Step>,
    /// Corrections by merges.
    pub merges: Vec<Step>,
    /// Cells changed in all.
    pub corrections: u64,
    /// Rows held back.
    pub quarantined: u64,
    /// Rows held back, by reason.
    pub reasons: Vec<(String, u64)>,
    /// The first of the rows held back.
    pub held: Vec<Held>,
    /// Rows to insert, update and delete.
    pub repairs: Vec<(String, u64)>,
    /// Every column.
    pub columns: Vec<ColumnResult>,
    /// Columns that are hidden, with the reason.
    pub masked: Vec<(String, String)>,
    /// What was not checked.
    pub not_checked: Vec<NotChecked>,
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// A rule with what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The rule.
    pub rule: RuleView,
    /// What it found.
    pub found: OfRule,
    /// Row pairs that differ and row pairs compared, where the rule compares a column.
    pub compared: Option<(u64, u64)>,
    /// Why its values differ, where it compares a column.
    pub causes: Vec<Cause>,
    /// The length of its bar beside the worst of its table, in thousandths.
    pub share: u64,
}

/// A control total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The rule with what it found.
    pub shown: Shown,
    /// The column.
    pub column: String,
    /// The columns it is grouped by.
    pub by: Vec<String>,
    /// Groups on either side.
    pub groups: u64,
    /// Groups in which a figure differs.
    pub differing: u64,
}

/// A cleansing step, or a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// The columns it acts on.
    pub columns: Vec<String>,
    /// Cells changed.
    pub changed: u64,
    /// Rows held back.
    pub quarantined: u64,
    /// Why it is switched off, where it is.
    pub skipped: Option<String>,
    /// Why it could do nothing, where that is known.
    pub note: Option<String>,
    /// The first corrections.
    pub changes: Vec<Change>,
}

/// Makes the page of a dataset.
pub fn page(
    result: &RunResult,
    dataset: &DatasetResult,
    mask: &Mask<'_>,
    samples: Samples,
    explained: &[Difference],
    restore: Vec<Parents>,
) -> Page {
    let Samples { rules: found, mut changes, changed, held, reasons } = samples;
    let (mut records, mut differences, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    let (mut orphans, mut duplicates, mut totals) = (Vec::new(), Vec::new(), Vec::new());
    let (mut equal_columns, mut codes) = (Vec::new(), Vec::new());
    let (mut fits, mut built) = (Vec::new(), Vec::new());
    for ((position, rule), found) in dataset.rules.iter().enumerate().zip(found) {
        let view = rules::view(&result.gate, dataset, position, rule);
        let mut shown = Shown { rule: view, found, compared: None, causes: Vec::new(), share: 0 };
        let column = dataset.columns.iter().find(|c| rule.columns.first() == Some(&c.name));
        match (rule.kind.as_str(), column) {
            ("total", _) => {
                if let Some(total) = dataset.totals.iter().find(|total| total.rule == rule.id) {
                    totals.push(Total {
                        shown,
                        column: total.column.clone(),
                        by: total.by.clone(),
                        groups: total.groups,
                        differing: total.differing,
                    });
                } else {
                    checks.push(shown);
                }
            }
            ("reconcile", Some(column)) if rules::is_about_a_column(rule) => {
                if rules::is_equal_column(rule) {
                    equal_columns.push(column.name.clone());
                } else {
                    shown.compared = Some((column.mismatched, column.compared));
                    shown.causes = causes::of_column(dataset, column, &mut shown.found, explained);
                    differences.push(shown);
                }
            }
            ("reconcile" | "folded_key" | "ambiguous", _) => {
                for class in shown.found.blocks.iter_mut().filter_map(|block| block.class.as_mut()) {
                    *class = title(class);
                }
                records.push(shown);
            }
            ("unmapped", _) => codes.push(shown),
            ("fit", _) => fits.push(shown),
            ("schema", _) => built.push(shown),
            _ if !has_groups(rule) && rule.kind != "crosswalk" => orphans.push(shown),
            _ if !shown.found.groups.is_empty() || rule.kind == "exact" => duplicates.push(shown),
            _ => checks.push(shown),
        }
    }
    differences.sort_by_key(|shown| std::cmp::Reverse(shown.compared.map_or(0, |(n, _)| n)));
    let most = differences.iter().filter_map(|shown| shown.compared).map(|(n, _)| n).max().unwrap_or(0);
    for shown in &mut differences {
        let n = shown.compared.map_or(0, |(n, _)| n);
        let share = n.saturating_mul(1000).checked_div(most).unwrap_or_default();
        // What is there is seen.
        shown.share = share.max(u64::from(n > 0) * 4);
    }
    let steps: Vec<Step> = dataset
        .steps
        .iter()
        .map(|step| Step {
            id: step.id.clone(),
            kind: step.kind.clone(),
            columns: step.columns.clone(),
            changed: step.changed,
            quarantined: step.quarantined,
            skipped: step.skipped.clone(),
            note: step.note.clone(),
            changes: changes.remove(&step.id).unwrap_or_default(),
        })
        .collect();
    // What is left was changed by merges, of this dataset or of one it refers to.
    let merges = changes
        .into_iter()
        .map(|(id, list)| Step {
            kind: "merge".to_owned(),
            columns: Vec::new(),
            changed: changed.get(&id).copied().unwrap_or_default(),
            quarantined: 0,
            skipped: None,
            note: None,
            changes: list,
            id,
        })
        .collect();
    let mut reasons: Vec<(String, u64)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let masked = dataset.masking.columns.iter().map(|(name, why)| (name.clone(), why.clone())).collect();
    let (references, chains) = references::of_dataset(dataset);
    let key_is_hidden = dataset.key.iter().any(|column| mask.reason(column).is_some());
    Page {
        run: Run::new(result),
        name: dataset.name.clone(),
        owner: dataset.owner.clone(),
        key: dataset.key.clone(),
        tokens: key_is_hidden || dataset.masking.key,
        verdict: facts::dataset_verdict(result, dataset),
        rows: [
            dataset.source.as_ref().map(|side| side.rows),
            dataset.expected_rows,
            dataset.target.as_ref().map(|side| side.rows),
        ],
        flow: dataset.ledger.as_ref().and_then(|ledger| flow(&[ledger])),
        tranches: tranches::tranches(dataset),
        buckets: dataset.buckets,
        moved: movement(dataset),
        bar: bar(dataset),
        records,
        differences,
        heat: causes::heat(dataset),
        equal_columns,
        codes,
        fits,
        built,
        checks,
        orphans,
        references,
        chains,
        restore,
        duplicates,
        totals,
        steps,
        merges,
        corrections: dataset.corrections,
        quarantined: dataset.quarantined,
        reasons,
        held,
        repairs: dataset.repairs.iter().map(|(action, rows)| (action.clone(), *rows)).collect(),
        columns: dataset.columns.clone(),
        masked,
        not_checked: facts::not_checked(dataset),
        snapshots: facts::snapshots(dataset),
        notes: dataset.notes.clone(),
    }
}
