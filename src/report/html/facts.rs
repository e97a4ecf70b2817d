//! What both kinds of page say: the run, the snapshots, the masks, what was not checked.

use serde::Serialize;

use crate::findings::{DatasetResult, RunResult, SideResult};
use crate::model::Status;
use crate::report::words;

use super::rules::{anchor, undotted};
use super::text::{address, counted, date_and_time, list, number};

/// The run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The project's name.
    pub project: String,
    /// The tool and its version.
    pub tool: String,
    /// The run's "now": "23 November 2026".
    pub date: String,
    /// "18:15 UTC".
    pub time: String,
    /// The least severity that fails the gate.
    pub fail_on: &'static str,
    /// 0, 1 or 2.
    pub exit_code: u8,
    /// The version of run.json's form.
    pub format_version: u32,
}

impl Run {
    /// Takes the facts from a result.
    pub fn new(result: &RunResult) -> Run {
        let (date, time) = date_and_time(&result.as_of);
        Run {
            project: result.project.clone(),
            tool: result.tool.clone(),
            date,
            time,
            fail_on: result.gate.fail_on.word(),
            exit_code: result.gate.exit_code,
            format_version: result.format_version,
        }
    }
}

/// A snapshot that the run was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The dataset.
    pub dataset: String,
    /// `source` or `target`.
    pub side: &'static str,
    /// Its id.
    pub id: String,
    /// Where it came from.
    pub origin: String,
    /// The server, and whether all rows are of one moment.
    pub read: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Rows left out by the filter.
    pub out_of_scope: u64,
    /// File names and their SHA-256.
    pub files: Vec<(String, String)>,
}

/// Lists the snapshots of a dataset.
pub fn snapshots(dataset: &DatasetResult) -> Vec<Snapshot> {
    let view = |side: &'static str, of: &SideResult| Snapshot {
        dataset: dataset.name.clone(),
        side,
        id: of.snapshot.clone(),
        origin: of.origin.clone(),
        read: of.read.clone(),
        rows: of.rows,
        out_of_scope: of.out_of_scope,
        files: of.files.iter().map(|(name, hash)| (name.clone(), hash.clone())).collect(),
    };
    let source = dataset.source.iter().map(|of| view("source", of));
    source.chain(dataset.target.iter().map(|of| view("target", of))).collect()
}

/// What views hide of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mask {
    /// The dataset.
    pub dataset: String,
    /// True where keys show as tokens.
    pub key: bool,
    /// Sensitive columns, and those that refer to hidden ones.
    pub sensitive: Vec<String>,
    /// Columns with free text.
    pub free_text: Vec<String>,
}

/// Returns the mask of a dataset; nothing where it hides nothing.
pub fn mask(dataset: &DatasetResult) -> Option<Mask> {
    let masking = &dataset.masking;
    if masking.columns.is_empty() && !masking.key {
        return None;
    }
    let of = |sensitive: bool| -> Vec<String> {
        let columns = masking.columns.iter();
        columns.filter(|(_, why)| (*why != "free text") == sensitive).map(|(name, _)| name.clone()).collect()
    };
    Some(Mask { dataset: dataset.name.clone(), key: masking.key, sensitive: of(true), free_text: of(false) })
}

/// A column that was compared, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The dataset.
    pub dataset: String,
    /// Our names of the columns.
    pub columns: Vec<String>,
    /// "compared as …, giving up …".
    pub note: String,
}

/// Lists what the columns of a dataset were compared as; columns with one note stand together.
pub fn compared(dataset: &DatasetResult) -> Vec<Compared> {
    grouped(dataset, |column| column.compared_as.as_deref())
}

fn grouped(
    dataset: &DatasetResult,
    note: impl for<'c> Fn(&'c crate::findings::ColumnResult) -> Option<&'c str>,
) -> Vec<Compared> {
    let mut out: Vec<Compared> = Vec::new();
    for column in &dataset.columns {
        let Some(note) = note(column) else { continue };
        match out.iter_mut().find(|known| known.note == note) {
            Some(known) => known.columns.push(column.name.clone()),
            None => out.push(Compared {
                dataset: dataset.name.clone(),
                columns: vec![column.name.clone()],
                note: note.to_owned(),
            }),
        }
    }
    out
}

/// Something that was not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// The dataset.
    pub dataset: String,
    /// The word of a status.
    pub status: &'static str,
    /// What was not checked.
    pub what: String,
    /// Why.
    pub why: String,
    /// The dataset's page and the place there.
    pub link: Option<String>,
}

/// Lists everything that was not checked in a dataset.
pub fn not_checked(dataset: &DatasetResult) -> Vec<NotChecked> {
    let entry = |status: Status, what: String, why: String, link: Option<String>| NotChecked {
        dataset: dataset.name.clone(),
        status: status.word(),
        what,
        why,
        link,
    };
    let page = page(&dataset.name);
    let mut out = Vec::new();
    if let Some(error) = &dataset.error {
        out.push(entry(Status::Broken, "the whole dataset".to_owned(), undotted(error).to_owned(), None));
    }
    if let Some(why) = &dataset.inconclusive {
        let what = "the dataset as a whole".to_owned();
        out.push(entry(Status::Inconclusive, what, undotted(why).to_owned(), None));
    }
    for status in [Status::Broken, Status::Inconclusive, Status::Skipped] {
        for (position, rule) in dataset.rules.iter().enumerate().filter(|(_, rule)| rule.status == status) {
            let why = rule.reason.clone().unwrap_or_else(|| "no reason is given".to_owned());
            let link = Some(format!("{page}#{}", anchor(position)));
            out.push(entry(status, rule.id.clone(), undotted(&why).to_owned(), link));
        }
    }
    if let Some((what, why)) = words::left_out(dataset) {
        out.push(entry(Status::Skipped, what.to_owned(), why.to_owned(), None));
    }
    // One side can be without a figure where the other decides.
    let half: Vec<String> = dataset
        .rules
        .iter()
        .filter(|rule| !matches!(rule.status, Status::Inconclusive | Status::Broken | Status::Skipped))
        .flat_map(|rule| {
            let sides = rule.sides.iter().filter(|f| f.gates && f.status == Status::Inconclusive);
            sides.map(|figure| format!("{} in {}", rule.id, figure.side))
        })
        .collect();
    if !half.is_empty() {
        let why = "no row was evaluated there".to_owned();
        out.push(entry(Status::Inconclusive, half.join(", "), why, None));
    }
    // The columns of the key are what records are brought together by.
    let not_compared = |column: &crate::findings::ColumnResult| !dataset.key.contains(&column.name);
    for columns in grouped(dataset, |column| column.not_compared.as_deref().filter(|_| not_compared(column)))
    {
        let what = format!(
            "{} {}",
            if columns.columns.len() == 1 { "column" } else { "columns" },
            list(&columns.columns)
        );
        let why = format!("not compared: {}", undotted(&columns.note));
        out.push(entry(Status::Skipped, what, why, None));
    }
    let before: Vec<&str> = dataset
        .rules
        .iter()
        .filter(|rule| rule.sides.iter().any(|f| !f.gates && f.evaluated == 0 && f.note.is_some()))
        .map(|rule| rule.id.as_str())
        .collect();
    if !before.is_empty() {
        let what = format!("the raw source, for {}", list(&before));
        let why = "not comparable before cleansing: a step changes the type or the codes".to_owned();
        out.push(entry(Status::Skipped, what, why, None));
    }
    let unknown: Vec<String> = dataset
        .rules
        .iter()
        .filter_map(|rule| {
            let sides = rule.sides.iter().filter(|f| f.gates && f.unknown > 0);
            let sides: Vec<String> =
                sides.map(|figure| format!("{} in {}", number(figure.unknown), figure.side)).collect();
            (!sides.is_empty()).then(|| format!("{} ({})", rule.id, sides.join(", ")))
        })
        .collect();
    if !unknown.is_empty() {
        let why = "a value is missing, so that the rule could not say".to_owned();
        out.push(entry(Status::Skipped, format!("single rows: {}", list(&unknown)), why, None));
    }
    out
}

/// Returns the file name of a dataset's page: its name, but beside the first page.
pub fn file(dataset: &str) -> String {
    // No dataset's name has a dot, so that no two pages meet.
    if dataset.eq_ignore_ascii_case("index") {
        format!("{dataset}.dataset.html")
    } else {
        format!("{dataset}.html")
    }
}

/// Returns the address of a dataset's page.
pub fn page(dataset: &str) -> String {
    address(&file(dataset))
}

/// The head of a page: a status and sentences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The word of the status.
    pub status: &'static str,
    /// The verdict, in a sentence.
    pub headline: String,
    /// What else should be known at once.
    pub sentences: Vec<String>,
}

/// Judges the run, in sentences.
pub fn run_verdict(result: &RunResult) -> Verdict {
    let gate = &result.gate;
    let stops = |status: Status| {
        let rules = result.datasets.iter().flat_map(|d| d.rules.iter().map(move |r| (d, r)));
        rules.filter(|(d, r)| r.status == status && super::rules::stops(gate, &d.name, r)).count() as u64
    };
    let (fail, warn) = (stops(Status::Fail), stops(Status::Warn));
    let (inconclusive, broken) = (stops(Status::Inconclusive), stops(Status::Broken));
    let unread = result.datasets.iter().filter(|d| d.error.is_some()).count() as u64;
    let unbalanced = result.datasets.iter().filter(|d| d.ledger.as_ref().is_some_and(|l| !l.balanced));
    let unbalanced: Vec<&str> = unbalanced.map(|d| d.name.as_str()).collect();
    let empty = result.datasets.iter().filter(|d| words::is_empty(d)).count() as u64;
    let mut sentences = Vec::new();
    let rules = |n: u64| counted(n, "rule", "rules");
    let stopping = |n: u64| {
        let of_rules = (n > 0).then(|| format!("{} stop{} the gate", rules(n), s(n)));
        let datasets = || format!("{} had nothing to judge", counted(empty, "dataset", "datasets"));
        list(&of_rules.into_iter().chain((empty > 0).then(datasets)).collect::<Vec<_>>())
    };
    let headline = match gate.exit_code {
        0 => {
            let warned =
                result.datasets.iter().flat_map(|d| &d.rules).filter(|r| r.status == Status::Warn).count();
            match warned as u64 {
                0 if words::none_judged(result) => format!("{}.", words::NONE_JUDGED),
                0 => "Ready: no rule stops the gate.".to_owned(),
                n => format!("Ready: no rule stops the gate; {} warn{}.", rules(n), s(n)),
            }
        }
        1 => format!("Not ready: {}.", stopping(fail + warn + inconclusive)),
        _ => {
            let mut parts = Vec::new();
            if unread > 0 {
                parts.push(format!("{} could not be judged", counted(unread, "dataset", "datasets")));
            }
            if broken > 0 {
                parts.push(format!("{} could not be run", rules(broken)));
            }
            if !unbalanced.is_empty() {
                parts.push("the ledger does not balance".to_owned());
            }
            format!("Could not judge: {}.", list(&parts))
        }
    };
    let others = fail + warn + inconclusive;
    if gate.exit_code == 2 && others + empty > 0 {
        sentences.push(format!("Besides, {}.", stopping(others)));
    }
    if !unbalanced.is_empty() {
        sentences.push(format!("Rows are unaccounted for in {}: please report this.", list(&unbalanced)));
    }
    if inconclusive > 0 {
        let had = "had nothing to judge: what could not be checked is never a pass";
        sentences.push(format!("{} {had}.", rules(inconclusive)));
    }
    let datasets = result.datasets.len() as u64;
    let hit = result.datasets.iter().filter(|d| {
        d.error.is_some()
            || words::is_empty(d)
            || d.rules.iter().any(|r| super::rules::stops(gate, &d.name, r))
    });
    let hit = hit.count() as u64;
    let all: u64 = result.datasets.iter().map(|d| d.rules.len() as u64).sum();
    if hit > 0 {
        let place = if hit == datasets {
            format!("all {}", counted(datasets, "dataset", "datasets"))
        } else {
            format!("{} of {}", number(hit), counted(datasets, "dataset", "datasets"))
        };
        let place = if datasets == 1 { "the one dataset".to_owned() } else { place };
        sentences.push(format!("What stops the gate is in {place}; {} were looked at.", rules(all)));
    } else {
        sentences.push(format!(
            "{} in {} were looked at.",
            rules(all),
            counted(datasets, "dataset", "datasets")
        ));
    }
    let unjudged = gate.exit_code == 0 && words::none_judged(result);
    Verdict { status: if unjudged { UNASKED } else { gate.status.word() }, headline, sentences }
}

/// Judges one dataset, in sentences.
pub fn dataset_verdict(result: &RunResult, dataset: &DatasetResult) -> Verdict {
    let gate = &result.gate;
    let name = &dataset.name;
    let stopping = dataset.rules.iter().filter(|r| super::rules::stops(gate, name, r)).count() as u64;
    let warned = dataset.rules.iter().filter(|r| r.status == Status::Warn).count() as u64;
    let rules = |n: u64| counted(n, "rule", "rules");
    let mut sentences = Vec::new();
    let headline = if let Some(error) = &dataset.error {
        sentences.push(format!("Why: {}.", undotted(error)));
        format!("{name}: could not be judged.")
    } else if dataset.ledger.as_ref().is_some_and(|ledger| !ledger.balanced) {
        format!("{name}: the ledger does not balance.")
    } else if let Some(why) = &dataset.inconclusive {
        if stopping > 0 {
            sentences.push(format!("Besides, {} stop{} the gate.", rules(stopping), s(stopping)));
        }
        sentences.insert(0, format!("Why: {}.", undotted(why)));
        format!("{name}: had nothing to judge.")
    } else if stopping > 0 {
        format!("{name}: {} stop{} the gate.", rules(stopping), s(stopping))
    } else if warned > 0 {
        format!("{name}: nothing stops the gate; {} warn{}.", rules(warned), s(warned))
    } else if words::is_unasked(dataset) {
        format!("{name}: nothing was asked.")
    } else {
        format!("{name}: nothing stops the gate.")
    };
    Verdict { status: status(dataset), headline, sentences }
}

/// The word of a status that no rule has: nothing was asked.
pub const UNASKED: &str = "unasked";

/// Returns the word of a dataset's status.
pub fn status(dataset: &DatasetResult) -> &'static str {
    if words::is_unasked(dataset) { UNASKED } else { dataset.status.word() }
}

/// Returns the ending of a verb whose subject is so many.
fn s(n: u64) -> &'static str {
    if n == 1 { "s" } else { "" }
}
