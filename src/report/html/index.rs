//! The first page: the verdict, where every record went, what stops the gate, every rule.

use serde::Serialize;

use crate::findings::{DatasetResult, RunResult};
use crate::ledger::SourceDisposition;
use crate::model::{Dimension, Side, Status};
use crate::report::causes::{self, movement};
use crate::report::words;

use crate::report::words::rows_hit;

use super::causes::anchor;
use super::facts::{self, Compared, Mask, NotChecked, Run, Snapshot, Verdict};
use super::flow::{Flow, flow};
use super::rules::{self, Problem, RuleView};
use super::text::{counted, number, percent};

/// The worst problems that stand under the verdict.
const WORST: usize = 3;

/// The first page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Index {
    /// The run.
    pub run: Run,
    /// The verdict.
    pub verdict: Verdict,
    /// The worst problems.
    pub worst: Vec<Problem>,
    /// Whose data it is that stops the gate, and how often, most first.
    pub owners: Vec<(Option<String>, u64)>,
    /// Where every record went.
    pub flow: Option<Flow>,
    /// What stops the gate, the worst first.
    pub stops: Vec<Stop>,
    /// The datasets.
    pub datasets: Vec<DatasetRow>,
    /// Quality by dimension.
    pub dimensions: Vec<DimensionRow>,
    /// What was not checked.
    pub not_checked: Vec<NotChecked>,
    /// What the reader should know: dataset (or none) and sentence.
    pub notes: Vec<(Option<String>, String)>,
    /// The snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What was compared as what.
    pub compared: Vec<Compared>,
    /// What is hidden.
    pub masks: Vec<Mask>,
}

/// Something that stops the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// The word of the status.
    pub status: &'static str,
    /// The rule's id; nothing where it is the dataset as a whole.
    pub rule: Option<String>,
    /// What the rule asserts.
    pub says: String,
    /// The dataset.
    pub dataset: String,
    /// What was found.
    pub observed: String,
    /// What is allowed.
    pub allowed: String,
    /// Whose data it is.
    pub owner: Option<String>,
    /// The dataset's page and the place there.
    pub link: String,
}

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatasetRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub link: String,
    /// Whose data it is.
    pub owner: Option<String>,
    /// The word of its status.
    pub status: &'static str,
    /// Why it could not be judged.
    pub error: Option<String>,
    /// Rows of the source, of expected and of the target.
    pub rows: [Option<u64>; 3],
    /// The buckets, as a bar.
    pub bar: Vec<Part>,
    /// How much of what differs only moved, where that was asked for.
    pub moved: Option<String>,
    /// The cause that most differing cells have, in words, and the place of its section.
    pub worst_cause: Option<(String, String)>,
    /// Rules that stop the gate, in words.
    pub stopped: String,
    /// Rules that warn, in words; nothing where none does.
    pub warned: Option<String>,
    /// Every rule, but for those of `equal`.
    pub rules: Vec<RuleView>,
    /// The compared columns in which nothing differs.
    pub equal: Vec<String>,
}

/// A stretch of a bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it stands for.
    pub name: &'static str,
    /// Rows.
    pub rows: u64,
    /// Its shade, from 1.
    pub shade: usize,
    /// Where it begins and how wide it is, in thousandths.
    pub place: (u64, u64),
}

/// Quality in one dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DimensionRow {
    /// Its word.
    pub name: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// The score in the raw source, in expected and in the target.
    pub scores: Vec<Option<Score>>,
}

/// A score with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// In percent.
    pub percent: String,
    /// Rows passed.
    pub passed: u64,
    /// Rows evaluated.
    pub evaluated: u64,
    /// "7 checks".
    pub checks: String,
}

/// Makes the first page.
pub fn index(result: &RunResult) -> Index {
    let ledgers: Vec<_> = result.datasets.iter().filter_map(|d| d.ledger.as_ref()).collect();
    let stops = stops(result);
    let mut notes: Vec<(Option<String>, String)> =
        result.notes.iter().map(|note| (None, note.clone())).collect();
    for dataset in &result.datasets {
        notes.extend(dataset.notes.iter().map(|note| (Some(dataset.name.clone()), note.clone())));
    }
    Index {
        run: Run::new(result),
        verdict: facts::run_verdict(result),
        worst: worst(result),
        owners: owners(&stops),
        flow: flow(&ledgers),
        stops,
        datasets: result.datasets.iter().map(|dataset| row(result, dataset)).collect(),
        dimensions: dimensions(result),
        not_checked: result.datasets.iter().flat_map(facts::not_checked).collect(),
        notes,
        snapshots: result.datasets.iter().flat_map(facts::snapshots).collect(),
        compared: result.datasets.iter().flat_map(facts::compared).collect(),
        masks: result.datasets.iter().filter_map(facts::mask).collect(),
    }
}

/// Returns the problems, the worst first: by status, then by how many records are hit.
fn ranked(result: &RunResult) -> Vec<(&DatasetResult, usize)> {
    let mut all: Vec<(&DatasetResult, usize)> =
        result.datasets.iter().flat_map(|d| (0..d.rules.len()).map(move |i| (d, i))).collect();
    all.retain(|(d, i)| !matches!(d.rules[*i].status, Status::Pass | Status::Skipped));
    all.sort_by_key(|(d, i)| {
        let rule = &d.rules[*i];
        // A total only follows from what is wrong with records, and its figures are not records; nor are values that
        // do not fit, and parts of a structure.
        let counts_others = ["total", "fit", "schema", "snapshot_gap"].contains(&rule.kind.as_str());
        (rules::rank(rule.status), counts_others, std::cmp::Reverse(rules::weight(rule)))
    });
    all
}

fn problem(dataset: &DatasetResult, sentence: String, status: Status, place: &str) -> Problem {
    Problem {
        sentence,
        dataset: dataset.name.clone(),
        owner: dataset.owner.clone(),
        status: status.word(),
        link: format!("{}{place}", facts::page(&dataset.name)),
    }
}

fn worst(result: &RunResult) -> Vec<Problem> {
    let broken = result.datasets.iter().filter_map(|dataset| {
        let error = rules::undotted(dataset.error.as_deref()?);
        let sentence = format!("{}: could not be judged: {error}.", dataset.name);
        Some(problem(dataset, sentence, Status::Broken, ""))
    });
    let empty = result.datasets.iter().filter(|dataset| words::is_empty(dataset)).map(|dataset| {
        let why = rules::undotted(dataset.inconclusive.as_deref().unwrap_or_default());
        let sentence = format!("{}: had nothing to judge: {why}.", dataset.name);
        problem(dataset, sentence, Status::Inconclusive, "")
    });
    let ruled = ranked(result).into_iter().map(|(dataset, i)| {
        let rule = &dataset.rules[i];
        let place = format!("#{}", rules::anchor(i));
        problem(dataset, rules::sentence(dataset, rule), rule.status, &place)
    });
    broken.chain(empty).chain(ruled).take(WORST).collect()
}

fn stops(result: &RunResult) -> Vec<Stop> {
    let mut out = Vec::new();
    for dataset in &result.datasets {
        let unbalanced = dataset.ledger.as_ref().is_some_and(|ledger| !ledger.balanced);
        let (status, observed) = match (&dataset.error, unbalanced, &dataset.inconclusive) {
            (Some(error), _, _) => (Status::Broken, rules::undotted(error).to_owned()),
            (None, true, _) => (Status::Broken, "a row is unaccounted for".to_owned()),
            (None, false, Some(why)) => (Status::Inconclusive, rules::undotted(why).to_owned()),
            (None, false, None) => continue,
        };
        out.push(Stop {
            status: status.word(),
            rule: None,
            says: "The dataset can be judged, and every row is accounted for.".to_owned(),
            dataset: dataset.name.clone(),
            observed,
            allowed: "none".to_owned(),
            owner: dataset.owner.clone(),
            link: facts::page(&dataset.name),
        });
    }
    for (dataset, i) in ranked(result) {
        let rule = &dataset.rules[i];
        if !rules::stops(&result.gate, &dataset.name, rule) {
            continue;
        }
        let view = rules::view(&result.gate, dataset, i, rule);
        out.push(Stop {
            status: view.status,
            rule: Some(view.id),
            says: view.says,
            dataset: dataset.name.clone(),
            observed: view.observed,
            allowed: view.allowed,
            owner: dataset.owner.clone(),
            link: format!("{}#{}", facts::page(&dataset.name), view.anchor),
        });
    }
    out
}

fn owners(stops: &[Stop]) -> Vec<(Option<String>, u64)> {
    let mut owners: Vec<(Option<String>, u64)> = Vec::new();
    for stop in stops {
        match owners.iter_mut().find(|(owner, _)| *owner == stop.owner) {
            Some((_, n)) => *n += 1,
            None => owners.push((stop.owner.clone(), 1)),
        }
    }
    owners.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    owners
}

fn row(result: &RunResult, dataset: &DatasetResult) -> DatasetRow {
    let views: Vec<RuleView> = dataset
        .rules
        .iter()
        .enumerate()
        .map(|(i, rule)| rules::view(&result.gate, dataset, i, rule))
        .collect();
    let stopped = views.iter().filter(|rule| rule.stops).count() as u64;
    let warned = views.iter().filter(|rule| rule.status == "warn" && !rule.stops).count() as u64;
    let all = counted(views.len() as u64, "rule", "rules");
    let is_equal = |i: usize| rules::is_equal_column(&dataset.rules[i]);
    let equal = (0..views.len()).filter(|i| is_equal(*i)).flat_map(|i| views[i].columns.clone()).collect();
    let views: Vec<RuleView> =
        views.into_iter().enumerate().filter(|(i, _)| !is_equal(*i)).map(|(_, view)| view).collect();
    DatasetRow {
        name: dataset.name.clone(),
        link: facts::page(&dataset.name),
        owner: dataset.owner.clone(),
        status: facts::status(dataset),
        error: dataset.error.clone(),
        rows: [
            dataset.source.as_ref().map(|side| side.rows),
            dataset.expected_rows,
            dataset.target.as_ref().map(|side| side.rows),
        ],
        bar: bar(dataset),
        moved: movement(dataset),
        worst_cause: causes::worst(dataset).map(|worst| {
            let place = anchor(dataset, worst.column, worst.cause);
            (worst.sentence, format!("{}#{place}", facts::page(&dataset.name)))
        }),
        stopped: if stopped == 0 {
            format!("none of {all}")
        } else {
            format!("{} of {all}", number(stopped))
        },
        warned: (warned > 0)
            .then(|| format!("{} warn{}", number(warned), if warned == 1 { "s" } else { "" })),
        equal,
        rules: views,
    }
}

/// Returns the buckets of a dataset as a bar of all records of both sides in scope; pairs count once. Records that are held back
/// or merged are the source's, as in its ledger; what the target has of them stands apart.
pub fn bar(dataset: &DatasetResult) -> Vec<Part> {
    let Some(b) = &dataset.buckets else { return Vec::new() };
    let of_source = |place| dataset.ledger.as_ref().map_or(0, |ledger| ledger.source_count(place));
    let held = of_source(SourceDisposition::Quarantined) + of_source(SourceDisposition::Merged);
    let parts = [
        ("matched", b.matched, 1),
        ("different", b.mismatched, 2),
        ("missing in the target", b.missing, 3),
        ("not expected", b.unexpected, 4),
        ("key used twice", b.duplicate_key_expected + b.duplicate_key_target, 5),
        ("no key", b.no_key_expected + b.no_key_target, 6),
        ("held back or merged", held, 7),
        ("in the target though held back or merged", b.from_quarantined + b.from_merged, 8),
    ];
    let all: u64 = parts.iter().map(|(_, rows, _)| rows).sum();
    let mut before = 0;
    parts
        .into_iter()
        .filter(|(_, rows, _)| *rows > 0)
        .map(|(name, rows, shade)| {
            let at = |rows: u64| {
                u64::try_from(u128::from(rows) * 1000 / u128::from(all.max(1))).unwrap_or_default()
            };
            let start = at(before);
            before += rows;
            Part { name, rows, shade, place: (start, (at(before) - start).max(3)) }
        })
        .collect()
}

/// Adds up the checks and matches of each dimension; the reconciliation has figures of its own.
fn dimensions(result: &RunResult) -> Vec<DimensionRow> {
    let asks = |dimension: Dimension| match dimension {
        Dimension::Accuracy => "Does it match reality?",
        Dimension::Completeness => "Are the records and values that should be there, there?",
        Dimension::Uniqueness => "Is each thing recorded once?",
        Dimension::Consistency => "Do values agree inside a record, between tables and between systems?",
        Dimension::Timeliness => "Is the data from the right time?",
        Dimension::Validity => "Is it in the right form and range?",
    };
    let score = |dimension: Dimension, side: Side| {
        let rules = result.datasets.iter().flat_map(|d| &d.rules);
        let figures: Vec<_> = rules
            .filter(|rule| {
                let of_reconciliation = [
                    "reconcile",
                    "folded_key",
                    "ambiguous",
                    "total",
                    "unmapped",
                    "crosswalk",
                    "fit",
                    "schema",
                    "snapshot_gap",
                ];
                rule.dimension == dimension && !of_reconciliation.contains(&rule.kind.as_str())
            })
            .flat_map(|rule| rule.sides.iter().map(move |figure| (rule, figure)))
            .filter(|(_, figure)| figure.side == side && figure.evaluated > 0)
            .collect();
        let evaluated: u64 = figures.iter().map(|(_, f)| f.evaluated).sum();
        let passed: u64 = figures.iter().map(|(rule, f)| f.evaluated.saturating_sub(rows_hit(rule, f))).sum();
        (!figures.is_empty()).then(|| Score {
            percent: percent(passed, evaluated),
            passed,
            evaluated,
            checks: counted(figures.len() as u64, "check", "checks"),
        })
    };
    Dimension::ALL
        .iter()
        .map(|dimension| DimensionRow {
            name: dimension.word(),
            asks: asks(*dimension),
            scores: Side::ALL.iter().map(|side| score(*dimension, *side)).collect(),
        })
        .collect()
}
