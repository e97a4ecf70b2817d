//! Rules as the report shows them: figures of each side, and what is wrong in a sentence.

use serde::Serialize;

use crate::findings::{DatasetResult, Gate, RuleResult, SideFigure};
use crate::model::{Side, Status};

use crate::reconcile::{FROM_MERGED, FROM_QUARANTINED};
use crate::report::words::{is_whole_side, rows_hit};

use super::text::{count, counted, number};

/// The rules of the reconciliation that are about whole records, and the one that stands for all of them.
const RECORD_RULES: &[&str] = &[
    "reconcile-missing",
    "reconcile-unexpected",
    FROM_QUARANTINED,
    FROM_MERGED,
    "reconcile-duplicate_key",
    "reconcile-no_key",
    "reconcile",
];

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// Its id.
    pub id: String,
    /// The place on the dataset's page.
    pub anchor: String,
    /// The word of its kind.
    pub kind: String,
    /// What it asserts.
    pub says: String,
    /// The columns it looks at.
    pub columns: Vec<String>,
    /// Its dimension.
    pub dimension: &'static str,
    /// Its severity.
    pub severity: &'static str,
    /// The word of its status.
    pub status: &'static str,
    /// Why it is skipped, broken or inconclusive.
    pub reason: Option<String>,
    /// How many failures are allowed, in words.
    pub allowed: String,
    /// True where it stops the gate.
    pub stops: bool,
    /// What was found on the sides that count, in words.
    pub observed: String,
    /// The figures of the raw source, expected and the target; nothing where the rule was not run there.
    pub figures: Vec<Option<FigureView>>,
}

/// What a rule found on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FigureView {
    /// The word of the side.
    pub side: &'static str,
    /// "17 of 2,000", "none of 2,000", or why there is no figure.
    pub text: String,
    /// Rows that failed.
    pub failed: u64,
    /// Rows evaluated.
    pub evaluated: u64,
    /// Rows that could not be judged because a value is missing.
    pub unknown: u64,
    /// True where it counts for the gate.
    pub gates: bool,
    /// True where the figure is one, and not a reason.
    pub has_figure: bool,
    /// The word of the status of this side alone.
    pub status: &'static str,
    /// Rows by class, e.g. of orphans.
    pub classes: Vec<(String, u64)>,
}

/// Something wrong, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What is wrong, to how many of how many.
    pub sentence: String,
    /// The dataset.
    pub dataset: String,
    /// Whose data it is.
    pub owner: Option<String>,
    /// The word of the status.
    pub status: &'static str,
    /// The dataset's page and the place there.
    pub link: String,
}

/// Returns true where a rule stops the gate.
pub fn stops(gate: &Gate, dataset: &str, rule: &RuleResult) -> bool {
    let name = format!("{dataset}/{}", rule.id);
    gate.stopped_by.binary_search(&name).is_ok()
}

/// Returns true where a rule of the reconciliation compares one column.
pub fn is_about_a_column(rule: &RuleResult) -> bool {
    rule.kind == "reconcile" && !RECORD_RULES.contains(&rule.id.as_str()) && rule.columns.len() == 1
}

/// Returns true where a rule compares a column in which nothing differs.
pub fn is_equal_column(rule: &RuleResult) -> bool {
    is_about_a_column(rule) && rule.status == Status::Pass && rule.sides.iter().all(|f| f.failed == 0)
}

/// Returns what is counted by a rule, one and many.
fn unit(rule: &RuleResult) -> (&'static str, &'static str) {
    match rule.kind.as_str() {
        "total" => ("figure", "figures"),
        "fit" => ("value", "values"),
        "schema" if rule.id == "reconcile-sequences" => ("sequence", "sequences"),
        "schema" => ("part", "parts"),
        "snapshot_gap" => ("pair of snapshots", "pairs of snapshots"),
        "reconcile" if is_about_a_column(rule) => ("pair of records", "pairs of records"),
        "reconcile" | "folded_key" | "ambiguous" => ("record", "records"),
        _ => ("row", "rows"),
    }
}

/// Makes the view of a rule.
pub fn view(gate: &Gate, dataset: &DatasetResult, position: usize, rule: &RuleResult) -> RuleView {
    let figure = |side: Side| {
        rule.sides.iter().find(|figure| figure.side == side).map(|figure| figure_view(rule, figure))
    };
    RuleView {
        id: rule.id.clone(),
        anchor: anchor(position),
        kind: rule.kind.clone(),
        says: rule.says.clone(),
        columns: rule.columns.clone(),
        dimension: rule.dimension.word(),
        severity: rule.severity.word(),
        status: rule.status.word(),
        reason: rule.reason.clone(),
        allowed: match &rule.max_failures {
            Some(text) if text != "0" => format!("at most {text}"),
            _ => "none".to_owned(),
        },
        stops: stops(gate, &dataset.name, rule),
        observed: observed(rule),
        figures: Side::ALL.iter().map(|side| figure(*side)).collect(),
    }
}

/// Returns the place of a rule on its dataset's page.
pub fn anchor(position: usize) -> String {
    format!("rule-{}", position + 1)
}

fn figure_view(rule: &RuleResult, figure: &SideFigure) -> FigureView {
    let has_figure = figure.evaluated > 0 || figure.failed > 0;
    let text = if has_figure && figure.failed > 0 && is_whole_side(rule) {
        "whole side".to_owned()
    } else if has_figure {
        format!("{} of {}", count(figure.failed), number(figure.evaluated))
    } else {
        match (&figure.note, figure.status) {
            (_, Status::Broken) => "could not be run".to_owned(),
            (Some(note), _) => note.clone(),
            (None, _) => "no row was evaluated".to_owned(),
        }
    };
    FigureView {
        side: figure.side.word(),
        text,
        failed: figure.failed,
        evaluated: figure.evaluated,
        unknown: figure.unknown,
        gates: figure.gates,
        has_figure,
        status: figure.status.word(),
        classes: figure.classes.iter().map(|(class, rows)| (class.clone(), *rows)).collect(),
    }
}

/// Returns what was found on the sides that count and are not fine, in words.
fn observed(rule: &RuleResult) -> String {
    if matches!(rule.status, Status::Broken | Status::Inconclusive | Status::Skipped) {
        return rule.reason.clone().unwrap_or_else(|| rule.status.word().to_owned());
    }
    let worth = |figure: &&SideFigure| figure.gates && figure.failed > 0;
    if is_whole_side(rule) {
        let sides: Vec<&str> = rule.sides.iter().filter(worth).map(|figure| figure.side.word()).collect();
        return if sides.is_empty() {
            "none".to_owned()
        } else {
            format!("{} as a whole", sides.join(" and "))
        };
    }
    let (_, many) = unit(rule);
    let mut text = String::new();
    for figure in rule.sides.iter().filter(worth) {
        let (failed, evaluated) = (number(figure.failed), number(figure.evaluated));
        match (text.is_empty(), many) {
            (true, "rows" | "records") => {
                text.push_str(&format!("{failed} of {evaluated} {many} in {}", figure.side));
            }
            (true, _) => text.push_str(&format!("{failed} of {evaluated} {many}")),
            (false, _) => text.push_str(&format!("; {failed} of {evaluated} in {}", figure.side)),
        }
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Returns the figure that says most of what is wrong: of the sides that count, the one with most failures.
fn worst_figure(rule: &RuleResult) -> Option<&SideFigure> {
    // The first of equals: expected before the target.
    rule.sides.iter().filter(|f| f.gates).rev().max_by_key(|figure| figure.failed)
}

/// Returns how many rows a rule's failures concern on the side that has most.
pub fn weight(rule: &RuleResult) -> u64 {
    worst_figure(rule).map_or(0, |figure| rows_hit(rule, figure))
}

/// Says what is wrong with a rule's data, to how many of how many.
pub fn sentence(dataset: &DatasetResult, rule: &RuleResult) -> String {
    let name = &dataset.name;
    let reason = || rule.reason.clone().unwrap_or_else(|| "the reason is not known".to_owned());
    match rule.status {
        Status::Broken => return format!("{}: {} could not be run: {}.", name, rule.id, undotted(&reason())),
        Status::Inconclusive => {
            return format!("{}: {} had nothing to judge: {}.", name, rule.id, undotted(&reason()));
        }
        Status::Skipped => return format!("{}: {} is switched off: {}.", name, rule.id, undotted(&reason())),
        Status::Pass | Status::Warn | Status::Fail => {}
    }
    let Some(figure) = worst_figure(rule) else {
        return format!("{name}: {}.", rule.id);
    };
    let (one, many) = unit(rule);
    let (failed, all) = (number(figure.failed), counted(figure.evaluated, one, many));
    let are = if figure.failed == 1 { "is" } else { "are" };
    let were = if figure.failed == 1 { "was" } else { "were" };
    let have = if figure.failed == 1 { "has" } else { "have" };
    let side = figure.side.word();
    let columns = rule.columns.join(", ");
    match (rule.kind.as_str(), rule.id.as_str()) {
        (_, "reconcile-missing") => {
            format!("{name}: {failed} of {all} {are} missing in the target.")
        }
        (_, "reconcile-unexpected") => {
            format!("{name}: {failed} of {all} in the target {are} not expected there.")
        }
        (_, FROM_QUARANTINED) => format!("{name}: {failed} of {all} in the target {were} to be held back."),
        (_, FROM_MERGED) => format!("{name}: {failed} of {all} in the target {were} to be merged."),
        (_, "reconcile-duplicate_key") => {
            format!(
                "{name}: {failed} of {all} in {side} {have} a key that one of the two sides has more than once."
            )
        }
        ("folded_key", _) => {
            format!(
                "{name}: {failed} of {all} in {side} {have} a key that only case or white space tells from another’s."
            )
        }
        ("ambiguous", _) => {
            format!(
                "{name}: {failed} of {all} left in {side} {have} a natural key ({columns}) that several have, so their partners are not known."
            )
        }
        (_, "reconcile-no_key") => format!("{name}: {failed} of {all} in {side} {have} no key."),
        ("reconcile", _) => format!("{name}: {columns} differs in {failed} of {all}."),
        ("fit", _) => {
            let other = if figure.side == Side::Target { "source" } else { "target" };
            format!("{name}: {failed} of {all} would not fit the {other}’s columns.")
        }
        ("schema", "reconcile-sequences") => {
            format!("{name}: {failed} of {all} {have} a next number that is taken already.")
        }
        ("snapshot_gap", _) => {
            format!("{name}: the snapshots of the two sides are farther apart than `max_snapshot_gap`.")
        }
        ("schema", _) => format!("{name}: the two sides differ in {failed} of {all} of their structure."),
        ("crosswalk", _) => {
            format!("{name}: {failed} of {all} in {side} {have} an id in {columns} without one new id.")
        }
        ("unmapped", _) => {
            format!("{name}: {failed} of {all} in {side} {have} a code of {columns} that is not listed.")
        }
        ("total", _) => format!("{name}: {failed} of {all} of the total {} {are} not equal.", rule.id),
        ("foreign_key", _) => {
            format!("{name}: {failed} of {all} in {side} {have} a {columns} that refers to nothing.")
        }
        ("not_null", _) => format!("{name}: {failed} of {all} in {side} {have} no value in {columns}."),
        ("exact", _) => format!("{name}: {failed} of {all} in {side} look like duplicates ({}).", rule.id),
        ("unique", _) => format!("{name}: {failed} of {all} in {side} repeat {columns}."),
        ("row_count" | "freshness", _) => {
            format!("{name}: {side} does not hold what {} asks for.", rule.id)
        }
        _ => format!("{name}: {failed} of {all} in {side} fail {}.", rule.id),
    }
}

/// Returns a sentence's words without the full stop.
pub fn undotted(text: &str) -> &str {
    text.trim_end().trim_end_matches('.')
}

/// Returns how bad a status is, the worst first.
pub fn rank(status: Status) -> u8 {
    match status {
        Status::Broken => 0,
        Status::Fail => 1,
        Status::Inconclusive => 2,
        Status::Warn => 3,
        Status::Skipped => 4,
        Status::Pass => 5,
    }
}
