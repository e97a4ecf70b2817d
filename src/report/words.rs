//! A result in words: what the views without pictures say.

use std::collections::BTreeSet;

use crate::findings::{ColumnResult, DatasetResult, ONLY_RECONCILED, RuleResult, RunResult, SideFigure};
use crate::model::{Severity, Side, Status};
use crate::reconcile::{FROM_MERGED, FROM_QUARANTINED};

use super::causes;

/// The verdict of a run that stops nothing because it judged nothing.
pub(super) const NONE_JUDGED: &str = "Ready: no rule stops the gate, but none was judged";

/// The kinds that judge a side as a whole: their one failure is not one of so many records.
const WHOLE_SIDE: &[&str] = &["freshness", "row_count"];

/// Writes a count with commas between the thousands.
///
/// ```
/// use counterfoil::report::thousands;
/// assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
/// ```
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a count with its noun: `none`, `1 rule`, `1,200 rules`.
///
/// ```
/// use counterfoil::report::counted;
/// assert_eq!([0, 1, 1200].map(|n| counted(n, "rule")), ["no rules", "1 rule", "1,200 rules"]);
/// ```
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        more => format!("{} {noun}s", thousands(more)),
    }
}

/// Makes one line of a text: line breaks and other control characters become blanks.
pub(super) fn one_line(text: &str) -> String {
    let blank: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    blank.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The verdict of a run in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// A mark that differs by shape: ✓, !, ✕, ◌ or –.
    pub mark: &'static str,
    /// The mark in a word.
    pub word: &'static str,
    /// The verdict as a sentence without full stop.
    pub sentence: String,
}

impl std::fmt::Display for Verdict {
    /// Writes one line: the mark, the word, the sentence.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.sentence.starts_with(self.word) {
            write!(f, "{} {}.", self.mark, self.sentence)
        } else {
            write!(f, "{} {}. {}.", self.mark, self.word, self.sentence)
        }
    }
}

/// Returns the verdict of a run in words.
pub fn verdict(result: &RunResult) -> Verdict {
    let rules = || result.datasets.iter().flat_map(|dataset| &dataset.rules);
    let with = |status: Status| rules().filter(|r| r.status == status && !is_unjudged(r)).count() as u64;
    let verb = |count: u64, verb: &str| format!("{verb}{}", if count == 1 { "s" } else { "" });
    let empty = result.datasets.iter().filter(|d| is_empty(d)).count() as u64;
    let stopping = (result.gate.stopped_by.len() as u64).saturating_sub(empty);
    let stops = |rules: u64| {
        let of_rules =
            (rules > 0).then(|| format!("{} {} the gate", counted(rules, "rule"), verb(rules, "stop")));
        let of_datasets = (empty > 0).then(|| format!("{} had nothing to judge", counted(empty, "dataset")));
        of_rules.into_iter().chain(of_datasets).collect::<Vec<_>>().join(" and ")
    };
    let (mark, word, mut sentence) = match result.gate.exit_code {
        0 => match (with(Status::Warn), with(Status::Pass)) {
            (0, 0) => ("–", "Nothing judged", NONE_JUDGED.to_owned()),
            (0, _) => ("✓", "Pass", "Ready: no rule stops the gate".to_owned()),
            (warned, _) => {
                let rules = counted(warned, "rule");
                ("!", "Warn", format!("Ready: no rule stops the gate; {rules} {}", verb(warned, "warn")))
            }
        },
        1 => ("✕", "Fail", format!("Not ready: {}", stops(stopping))),
        _ => {
            let datasets = result.datasets.iter().filter(|d| is_broken(d)).count() as u64;
            let broken = with(Status::Broken);
            let parts: Vec<String> =
                [(datasets, "dataset", "could not be judged"), (broken, "rule", "could not be run")]
                    .into_iter()
                    .filter(|(count, _, _)| *count > 0)
                    .map(|(count, noun, what)| format!("{} {what}", counted(count, noun)))
                    .collect();
            let mut text = format!("Could not judge: {}", parts.join(" and "));
            let others = stopping.saturating_sub(datasets + broken);
            if others + empty > 0 {
                text.push_str(&format!("; besides, {}", stops(others)));
            }
            ("◌", "Could not judge", text)
        }
    };
    let skipped = with(Status::Skipped) + rules().filter(|rule| is_unjudged(rule)).count() as u64;
    if result.notes.iter().any(|note| note == ONLY_RECONCILED) {
        sentence.push_str("; checks and duplicates were not looked at");
    }
    if skipped > 0 {
        let was = if skipped == 1 { "was" } else { "were" };
        sentence.push_str(&format!("; {} {was} skipped", counted(skipped, "rule")));
    }
    Verdict { mark, word, sentence }
}

/// Returns true where the dataset itself is broken, apart from its rules.
pub(super) fn is_broken(dataset: &DatasetResult) -> bool {
    dataset.error.is_some() || dataset.ledger.as_ref().is_some_and(|ledger| !ledger.balanced)
}

/// Returns true where the dataset as a whole is inconclusive, and no worse.
pub(super) fn is_empty(dataset: &DatasetResult) -> bool {
    dataset.inconclusive.is_some() && !is_broken(dataset)
}

/// Returns true where nothing was asked of a dataset: it has no rule, and is not compared with anything.
pub(super) fn is_unasked(dataset: &DatasetResult) -> bool {
    dataset.rules.is_empty() && dataset.buckets.is_none() && !is_broken(dataset) && !is_empty(dataset)
}

/// Says what of a dataset as a whole was not looked at, though nothing went wrong: what, and why.
pub(super) fn left_out(dataset: &DatasetResult) -> Option<(&'static str, &'static str)> {
    if dataset.error.is_some() || dataset.buckets.is_some() {
        return None;
    }
    Some(match (is_unasked(dataset), &dataset.source, &dataset.target) {
        (true, _, None) => ("the dataset as a whole", "nothing was asked: it has no rule, and no target"),
        (true, _, Some(_)) => ("the dataset as a whole", "nothing was asked: it has no rule, and no source"),
        (false, Some(_), None) => ("the comparison", "not reconciled: it has no target"),
        (false, None, Some(_)) => ("the comparison", "not reconciled: it has no source"),
        (false, _, _) => ("the comparison", "not reconciled"),
    })
}

/// Returns true where no rule of the run was judged.
pub(super) fn none_judged(result: &RunResult) -> bool {
    let mut rules = result.datasets.iter().flat_map(|dataset| &dataset.rules);
    !rules.any(|rule| rule.status != Status::Skipped && !is_unjudged(rule))
}

/// One thing that was judged: a rule on one of its gating sides, a rule as a whole, or a dataset itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged<'r> {
    /// The dataset.
    pub dataset: &'r DatasetResult,
    /// The rule; none where the dataset itself is judged.
    pub rule: Option<&'r RuleResult>,
    /// The side's figure; none where the rule has none that explains its status.
    pub figure: Option<&'r SideFigure>,
    /// The status.
    pub status: Status,
    /// True where it stops the gate.
    pub stops: bool,
}

/// Returns everything that was judged, in the order of the result.
///
/// What stops the gate is taken from the gate: of a rule that stops it at least one entry does, of any other none.
pub(super) fn judged(result: &RunResult) -> Vec<Judged<'_>> {
    let stopped_by: BTreeSet<&str> = result.gate.stopped_by.iter().map(String::as_str).collect();
    let mut all = Vec::new();
    for dataset in &result.datasets {
        let own = |status: Status| Judged { dataset, rule: None, figure: None, status, stops: false };
        let stops = stopped_by.contains(dataset.name.as_str());
        if is_broken(dataset) {
            all.push(Judged { stops, ..own(Status::Broken) });
        } else if is_empty(dataset) {
            all.push(Judged { stops, ..own(Status::Inconclusive) });
        } else if dataset.ledger.is_some() {
            all.push(own(Status::Pass));
        }
        for rule in &dataset.rules {
            let stops = stopped_by.contains(format!("{}/{}", dataset.name, rule.id).as_str());
            all.extend(sides_of(rule).into_iter().map(|(figure, status)| Judged {
                dataset,
                rule: Some(rule),
                figure,
                status,
                stops: stops && may_stop(status, result.gate.fail_on),
            }));
        }
    }
    all
}

/// Returns a rule's gating sides with their statuses, none worse than the rule's own; where none is as bad as the
/// rule, the rule as a whole stands at the end.
fn sides_of(rule: &RuleResult) -> Vec<(Option<&SideFigure>, Status)> {
    if rule.status == Status::Skipped || is_unjudged(rule) {
        return vec![(None, Status::Skipped)];
    }
    let mut sides: Vec<_> = rule
        .sides
        .iter()
        .filter(|figure| figure.gates)
        .map(|figure| {
            let status =
                if badness(figure.status) > badness(rule.status) { rule.status } else { figure.status };
            (Some(figure), status)
        })
        .collect();
    if !sides.iter().any(|(_, status)| *status == rule.status) {
        sides.push((None, rule.status));
    }
    sides
}

/// Returns true for a rule that looked at no side: it passes, but nobody may call it checked.
pub(super) fn is_unjudged(rule: &RuleResult) -> bool {
    rule.status == Status::Pass && !rule.sides.iter().any(|figure| figure.gates)
}

fn may_stop(status: Status, fail_on: Severity) -> bool {
    match status {
        Status::Broken | Status::Fail | Status::Inconclusive => true,
        Status::Warn => fail_on == Severity::Warning,
        Status::Pass | Status::Skipped => false,
    }
}

fn badness(status: Status) -> u8 {
    match status {
        Status::Broken => 5,
        Status::Fail => 4,
        Status::Inconclusive => 3,
        Status::Warn => 2,
        Status::Pass => 1,
        Status::Skipped => 0,
    }
}

/// Returns what is wrong, the worst first: broken before fail before inconclusive before warn, then by the rows
/// concerned, then in the order of the result.
pub(super) fn problems(result: &RunResult) -> Vec<Judged<'_>> {
    let mut wrong: Vec<Judged<'_>> =
        judged(result).into_iter().filter(|j| badness(j.status) > badness(Status::Pass)).collect();
    wrong.sort_by_key(|j| std::cmp::Reverse((badness(j.status), j.rows())));
    wrong
}

impl Judged<'_> {
    /// Returns the rows that failed.
    pub fn failed(&self) -> u64 {
        self.figure.map_or(0, |figure| figure.failed)
    }

    /// Returns the rows concerned: all where a side fails as a whole, none for a total, which is no row.
    fn rows(&self) -> u64 {
        match (self.rule, self.figure) {
            (Some(rule), _) if ["total", "fit", "schema", "snapshot_gap"].contains(&rule.kind.as_str()) => 0,
            (Some(rule), Some(figure)) => rows_hit(rule, figure),
            _ => 0,
        }
    }

    /// Returns the name of what was judged: the rule's id, `dataset` or `ledger`.
    pub fn name(&self) -> &str {
        match self.rule {
            Some(rule) => &rule.id,
            None if self.dataset.error.is_some() || is_empty(self.dataset) => "dataset",
            None => "ledger",
        }
    }

    /// Returns the side, where one was judged.
    pub fn side(&self) -> Option<Side> {
        self.figure.map(|figure| figure.side)
    }

    /// Returns what was seen, without the rule: `12 of 2,000`, or why there is no figure.
    pub fn observed(&self) -> String {
        match (self.rule, self.figure) {
            (Some(rule), Some(figure)) if counts(self.status) && is_whole_side(rule) => {
                let rows = counted(figure.evaluated, "row");
                if figure.failed == 0 { rows } else { format!("the side as a whole, {rows}") }
            }
            (_, Some(figure)) if counts(self.status) => of(figure),
            _ => self.reason(),
        }
    }

    /// Returns how many failures are allowed, as written: `none`, `10`, `0.5%`.
    pub fn allowed(&self) -> String {
        match self.rule.and_then(|rule| rule.max_failures.as_deref()) {
            None | Some("0" | "0%") => "none".to_owned(),
            Some(most) => match most.parse() {
                Ok(count) => thousands(count),
                Err(_) => one_line(most),
            },
        }
    }

    /// Returns why there is no figure, on one line.
    fn reason(&self) -> String {
        let text = match (self.rule, self.figure) {
            (Some(_), Some(SideFigure { note: Some(note), .. })) => note.as_str(),
            (Some(rule), _) => match (&rule.reason, self.status) {
                (Some(reason), _) => reason.as_str(),
                (None, Status::Skipped) => "it looked at no side",
                (None, _) => "no reason was given",
            },
            (None, _) => match (&self.dataset.error, &self.dataset.inconclusive) {
                (Some(error), _) => error.as_str(),
                (None, Some(why)) if is_empty(self.dataset) => why.as_str(),
                (None, _) => "the ledger does not balance: a row is unaccounted for",
            },
        };
        one_line(text.trim_end().trim_end_matches('.'))
    }

    /// Says of each cause of a compared column how many differences come from it.
    pub fn causes(&self) -> Vec<String> {
        let column = self.compared().filter(|_| self.failed() > 0);
        let sentences =
            column.map(|column| column.causes.iter().map(|one| causes::sentence(one, column.mismatched)));
        sentences.into_iter().flatten().collect()
    }

    /// Returns the column that the rule compares.
    fn compared(&self) -> Option<&ColumnResult> {
        let name = self.rule.filter(|rule| rule.kind == "reconcile")?.id.strip_prefix("reconcile-")?;
        self.dataset.columns.iter().find(|column| column.name == name)
    }

    /// Returns where the differences of a compared column mainly come from, as the rest of a sentence.
    fn mainly(&self) -> String {
        let column = self.compared().filter(|_| self.failed() > 0);
        column.and_then(causes::mainly).map_or_else(String::new, |text| format!(", {text}"))
    }

    /// Returns what was found as a sentence without full stop, e.g. `12 of 2,000 expected records are missing in
    /// the target (reconcile-missing)`. It holds no cell value.
    pub fn sentence(&self) -> String {
        let Some(rule) = self.rule else {
            return match self.dataset.error {
                Some(_) => format!("could not be judged: {}", self.reason()),
                None if self.status == Status::Inconclusive => {
                    format!("had nothing to judge: {}", self.reason())
                }
                None => self.reason(),
            };
        };
        let mainly = self.mainly();
        let on = self.figure.map_or_else(String::new, |figure| format!(" on the {}", state(figure.side)));
        let text = match (self.status, self.figure) {
            (Status::Broken, _) => format!("{} could not be run{on}: {}", rule.id, self.reason()),
            (Status::Inconclusive, _) => format!("{} had nothing to judge{on}: {}", rule.id, self.reason()),
            (Status::Skipped, _) => format!("{} was skipped: {}", rule.id, self.reason()),
            (_, Some(figure)) => format!("{}{mainly} ({})", found(rule, figure), rule.id),
            (_, None) => format!("the status of {} is {}", rule.id, self.status),
        };
        one_line(&text)
    }
}

/// Returns true for a status that rests on counts.
fn counts(status: Status) -> bool {
    matches!(status, Status::Pass | Status::Warn | Status::Fail)
}

/// Returns true where a rule judges a side as a whole, not row by row.
pub(super) fn is_whole_side(rule: &RuleResult) -> bool {
    WHOLE_SIDE.contains(&rule.kind.as_str())
}

/// Returns how many rows a failure concerns: all of them where the side fails as a whole.
pub(super) fn rows_hit(rule: &RuleResult, figure: &SideFigure) -> u64 {
    if is_whole_side(rule) && figure.failed > 0 { figure.evaluated.max(figure.failed) } else { figure.failed }
}

/// `12 of 2,000`.
fn of(figure: &SideFigure) -> String {
    format!("{} of {}", thousands(figure.failed), thousands(figure.evaluated))
}

/// The word for a state of the data.
fn state(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Expected => "expected records",
        Side::Target => "target",
    }
}

/// Says what a rule found on a side.
fn found(rule: &RuleResult, figure: &SideFigure) -> String {
    let one = figure.failed == 1;
    let pick = |singular: &'static str, plural: &'static str| if one { singular } else { plural };
    let records = format!("{} {} records", of(figure), figure.side);
    let columns = listed(&rule.columns);
    let text = match (rule.kind.as_str(), rule.id.as_str()) {
        ("reconcile", "reconcile-missing") => {
            format!("{records} {} missing in the target", pick("is", "are"))
        }
        ("reconcile", "reconcile-unexpected") => format!("{records} {} not expected", pick("was", "were")),
        ("reconcile", FROM_QUARANTINED) => format!("{records} {} to be held back", pick("was", "were")),
        ("reconcile", FROM_MERGED) => format!("{records} {} to be merged", pick("was", "were")),
        ("reconcile", "reconcile-duplicate_key") => {
            format!("{records} {} a key that one of the two sides has more than once", pick("has", "have"))
        }
        ("folded_key", _) => {
            format!(
                "{records} {} a key that only case or white space tells from another's",
                pick("has", "have")
            )
        }
        ("ambiguous", _) => {
            format!(
                "{records} without a partner {} a natural key ({columns}) that several have",
                pick("has", "have")
            )
        }
        ("reconcile", "reconcile-no_key") => format!("{records} {} no key", pick("has", "have")),
        ("reconcile", _) => format!("{columns} differs in {} pairs of records", of(figure)),
        ("total", _) => {
            let (column, by) = rule.columns.split_at(rule.columns.len().min(1));
            let by = if by.is_empty() { String::new() } else { format!(" by {}", listed(by)) };
            format!("{} totals of {}{by} {}", of(figure), listed(column), pick("differs", "differ"))
        }
        ("fit", _) => {
            let other = if figure.side == Side::Target { "source" } else { "target" };
            format!("{} values would not fit the columns of the {other}", of(figure))
        }
        ("schema", "reconcile-sequences") => {
            format!("{} sequences {} a next number that is taken already", of(figure), pick("has", "have"))
        }
        ("snapshot_gap", _) => {
            "the snapshots of the two sides are farther apart than `max_snapshot_gap`".to_owned()
        }
        ("schema", _) => format!("the two sides differ in {} parts of their structure", of(figure)),
        ("crosswalk", _) => {
            format!("{records} {} an id in {columns} without one new id", pick("has", "have"))
        }
        ("unmapped", _) => {
            format!("{records} {} a code of {columns} that is not listed", pick("has", "have"))
        }
        ("not_null", _) => {
            let any = if rule.columns.len() > 1 { "one of " } else { "" };
            format!("{records} {} no value in {any}{columns}", pick("has", "have"))
        }
        ("unique", _) => {
            format!("{records} {} with another in {columns}", pick("is the same", "are the same"))
        }
        ("foreign_key", _) => {
            format!("{records} {} in {columns} to a record that is not there", pick("refers", "refer"))
        }
        ("exact", _) => format!("{records} {} a duplicate of another", pick("is", "are each")),
        _ if is_whole_side(rule) => {
            format!("the {} {} the check that {}", state(figure.side), fails(figure.side), claim(&rule.says))
        }
        _ => format!("{records} {} the check that {}", pick("fails", "fail"), claim(&rule.says)),
    };
    let classes: Vec<String> =
        figure.classes.iter().map(|(class, rows)| format!("{} {class}", thousands(*rows))).collect();
    if classes.is_empty() { text } else { format!("{text}, {}", classes.join(", ")) }
}

fn fails(side: Side) -> &'static str {
    if side == Side::Expected { "fail" } else { "fails" }
}

/// A sentence as the rest of another.
fn claim(says: &str) -> String {
    let says = says.trim_end_matches('.');
    let mut letters = says.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => "its rule holds".to_owned(),
    }
}

/// Names in backticks.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if quoted.is_empty() { "no column".to_owned() } else { quoted.join(", ") }
}
