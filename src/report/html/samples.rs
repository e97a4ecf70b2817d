//! The first findings, corrections and held-back rows of a dataset, masked.
//!
//! The files are read in order and only the first few of each kind are kept, so that memory stays small.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;

use crate::findings::{DatasetResult, RuleResult, for_each_row};
use crate::mask::{Mask, Shown};
use crate::model::{Family, Logical, SMALL_GROUP, key_parts};
use crate::report::ReportError;

use super::cell::{Cell, Piece, cell, of_shown, plain};
use super::codes::{Code, Codes};
use super::text::number;

/// Findings kept of each rule, side and class.
const FINDINGS: usize = 5;
/// Differing cells kept of each cause.
const CAUSES: usize = 3;
/// Groups kept of each rule and side.
const GROUPS: usize = 5;
/// Rows kept of each group.
const GROUP_ROWS: usize = 6;
/// Differing groups kept of each total.
const TOTALS: usize = 20;
/// Corrections kept of each step.
const CORRECTIONS: usize = 3;
/// Held-back rows kept.
const HELD: usize = 10;
/// Different reasons counted.
const REASONS: usize = 200;

/// The columns of a findings file that are read, in this order.
const COLUMNS: &[&str] =
    &["rule", "side", "key", "row", "column", "source", "expected", "target", "group", "cause"];

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The row's key, or its token; nothing where the finding is about the whole side.
    pub key: Option<Vec<Piece>>,
    /// The row's position in the snapshot.
    pub row: Option<String>,
    /// The values that the rule looked at.
    pub cells: Vec<Cell>,
}

/// The first findings of a rule on one side and, where it has classes, of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    /// `source`, `expected` or `target`.
    pub side: String,
    /// The class of an orphan, or the cause of a difference.
    pub class: Option<String>,
    /// The findings.
    pub samples: Vec<Sample>,
    /// Findings in all.
    pub of: u64,
}

/// The records of one duplicate group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The group's id.
    pub id: String,
    /// `source`, `expected` or `target`.
    pub side: String,
    /// Its first records.
    pub samples: Vec<Sample>,
    /// Its records in all.
    pub of: u64,
}

/// One differing figure of a control total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalFigure {
    /// The values of the group, one a column.
    pub group: Vec<Cell>,
    /// `count`, `nulls`, `distinct`, `sum`, `min` or `max`.
    pub figure: String,
    /// Expected's and the target's figure.
    pub cell: Cell,
}

/// What is shown of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OfRule {
    /// Findings, by side and class.
    pub blocks: Vec<Block>,
    /// Duplicate groups, by side.
    pub groups: Vec<Group>,
    /// Figures of totals.
    pub totals: Vec<TotalFigure>,
    /// Differing figures whose groups have fewer than five rows on a side, which are not shown.
    pub small: u64,
    /// Differing figures that are neither shown nor small.
    pub more: u64,
    /// Codes that are not listed, those of most records first; none where they are hidden.
    pub codes: Vec<Code>,
    /// Such codes in all.
    pub all_codes: u64,
}

/// One correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The row's key, or its token.
    pub key: Vec<Piece>,
    /// Before and after.
    pub cell: Cell,
}

/// One held-back row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The row's key, or its token.
    pub key: Vec<Piece>,
    /// The row's position in the snapshot.
    pub row: String,
    /// Rule, column and reason of each hold.
    pub reasons: Vec<String>,
}

/// What is shown of a dataset's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    /// By position of the rule in the result.
    pub rules: Vec<OfRule>,
    /// Corrections by the id of the rule that made them.
    pub changes: BTreeMap<String, Vec<Change>>,
    /// Corrections in all, by the id of the rule that made them.
    pub changed: BTreeMap<String, u64>,
    /// Held-back rows.
    pub held: Vec<Held>,
    /// Rows by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// Reads the samples of a dataset from the run's folder; a file that the dataset does not have is passed over.
///
/// # Errors
/// Where a file is there and cannot be read.
pub fn read(folder: &Path, dataset: &DatasetResult, mask: &Mask<'_>) -> Result<Samples, ReportError> {
    let mut samples = Samples { rules: vec![OfRule::default(); dataset.rules.len()], ..Samples::default() };
    let file = |kind: &str| {
        let path = folder.join(kind).join(format!("{}.parquet", dataset.name));
        path.exists().then_some(path)
    };
    if let Some(path) = file("findings") {
        read_findings(&path, dataset, mask, &mut samples.rules)?;
    }
    if let Some(path) = file("changes") {
        let ours: HashMap<&str, &str> = dataset
            .columns
            .iter()
            .map(|column| (column.source_name.as_deref().unwrap_or(&column.name), column.name.as_str()))
            .collect();
        for_each_row(&path, &["key", "column", "before", "after", "rule"], |cells| {
            let &[key, Some(column), before, after, Some(rule)] = cells else { return };
            *samples.changed.entry(rule.to_owned()).or_default() += 1;
            let list = samples.changes.entry(rule.to_owned()).or_default();
            if list.len() < CORRECTIONS {
                list.push(Change {
                    key: plain(&mask.key(key.unwrap_or_default())),
                    cell: change(mask, ours.get(column).copied(), column, before, after),
                });
            }
        })?;
    }
    if let Some(path) = file("quarantine") {
        for_each_row(&path, &["key", "row", "reasons"], |cells| {
            let &[key, row, reasons] = cells else { return };
            let reasons: BTreeSet<String> =
                reasons.unwrap_or_default().split("; ").map(str::to_owned).collect();
            for reason in &reasons {
                let room = samples.reasons.len() < REASONS;
                if let Some(rows) = samples.reasons.get_mut(reason) {
                    *rows += 1;
                } else if room {
                    samples.reasons.insert(reason.clone(), 1);
                }
            }
            if samples.held.len() < HELD {
                samples.held.push(Held {
                    key: plain(&mask.key(key.unwrap_or_default())),
                    row: row.map(row_number).unwrap_or_default(),
                    reasons: reasons.into_iter().collect(),
                });
            }
        })?;
    }
    Ok(samples)
}

/// Makes the cell of a correction. A column that is not known to the result is hidden: its mask is not known.
fn change(
    mask: &Mask<'_>,
    ours: Option<&str>,
    theirs: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> Cell {
    if let Some(column) = ours {
        return cell(mask, column, &[("before", before), ("after", after)]);
    }
    let hide = |text: Option<&str>| text.map_or(Shown::Null, |_| Shown::Hidden);
    of_shown(theirs, Some("not known"), &[("before", hide(before)), ("after", hide(after))])
}

/// Puts commas between the thousands of a number's whole part; any other text stays as it is.
fn with_commas(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, part) = rest.split_once('.').map_or((rest, None), |(whole, part)| (whole, Some(part)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || part.is_some_and(|part| !digits(part)) {
        return text.to_owned();
    }
    let mut out = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(part) = part {
        out.push('.');
        out.push_str(part);
    }
    out
}

fn row_number(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), number)
}

/// One row of a findings file.
struct Row<'a> {
    side: &'a str,
    key: Option<&'a str>,
    position: Option<&'a str>,
    column: Option<&'a str>,
    source: Option<&'a str>,
    expected: Option<&'a str>,
    target: Option<&'a str>,
    group: Option<&'a str>,
}

fn read_findings(
    path: &Path,
    dataset: &DatasetResult,
    mask: &Mask<'_>,
    out: &mut [OfRule],
) -> Result<(), ReportError> {
    let positions: HashMap<&str, usize> =
        dataset.rules.iter().enumerate().map(|(i, rule)| (rule.id.as_str(), i)).collect();
    let mut codes: BTreeMap<usize, Codes> = BTreeMap::new();
    for_each_row(path, COLUMNS, |cells| {
        let &[Some(rule), Some(side), key, row, column, source, expected, target, group, cause] = cells
        else {
            return;
        };
        let Some(position) = positions.get(rule).copied() else { return };
        let (Some(rule), Some(of_rule)) = (dataset.rules.get(position), out.get_mut(position)) else {
            return;
        };
        let found =
            Row { side, key, position: row, column, source, expected, target, group: cause.or(group) };
        if rule.kind == "unmapped" {
            codes.entry(position).or_default().add(expected);
        }
        if rule.kind == "total" {
            take_total(of_rule, dataset, rule, mask, &found);
        } else if let (Some(group), true) = (group, has_groups(rule)) {
            take_grouped(of_rule, rule, mask, &found, group);
        } else {
            take_finding(of_rule, rule, mask, &found);
        }
    })?;
    for (position, codes) in codes {
        let column = dataset.rules.get(position).and_then(|rule| rule.columns.first());
        if let (Some(of_rule), Some(column)) = (out.get_mut(position), column) {
            (of_rule.codes, of_rule.all_codes) = codes.shown(column, mask);
        }
    }
    for of_rule in out {
        // Source, expected, target; the order of the words by chance is not that.
        let rank = |side: &str| ["source", "expected", "target"].iter().position(|s| *s == side);
        of_rule.blocks.sort_by(|a, b| rank(&a.side).cmp(&rank(&b.side)).then(a.class.cmp(&b.class)));
        of_rule.groups.sort_by_key(|group| rank(&group.side));
    }
    Ok(())
}

/// Returns true where the findings of a rule belong to groups, and not to classes.
pub fn has_groups(rule: &RuleResult) -> bool {
    !["foreign_key", "fit", "schema", "crosswalk"].contains(&rule.kind.as_str())
}

fn take_grouped(of_rule: &mut OfRule, rule: &RuleResult, mask: &Mask<'_>, found: &Row<'_>, id: &str) {
    let groups = &mut of_rule.groups;
    let known = groups.iter().position(|group| group.side == found.side && group.id == id);
    if known.is_none() {
        if groups.iter().filter(|group| group.side == found.side).count() >= GROUPS {
            return;
        }
        let side = found.side.to_owned();
        groups.push(Group { id: id.to_owned(), side, samples: Vec::new(), of: 0 });
    }
    let place = known.unwrap_or(groups.len() - 1);
    if let Some(group) = groups.get_mut(place) {
        group.of += 1;
        if group.samples.len() < GROUP_ROWS {
            group.samples.push(sample(rule, mask, found));
        }
    }
}

fn take_finding(of_rule: &mut OfRule, rule: &RuleResult, mask: &Mask<'_>, found: &Row<'_>) {
    let same = |block: &&mut Block| block.side == found.side && block.class.as_deref() == found.group;
    if let Some(block) = of_rule.blocks.iter_mut().find(same) {
        block.of += 1;
        let most = if rule.kind == "reconcile" && block.class.is_some() { CAUSES } else { FINDINGS };
        if block.samples.len() < most {
            block.samples.push(sample(rule, mask, found));
        }
    } else {
        of_rule.blocks.push(Block {
            side: found.side.to_owned(),
            class: found.group.map(str::to_owned),
            samples: vec![sample(rule, mask, found)],
            of: 1,
        });
    }
}

fn sample(rule: &RuleResult, mask: &Mask<'_>, found: &Row<'_>) -> Sample {
    let all = match found.side {
        "source" => vec![("source", found.source)],
        "expected" => vec![("source", found.source), ("expected", found.expected)],
        _ if rule.kind == "snapshot_gap" => vec![("snapshots", found.target)],
        _ if rule.kind == "schema" => vec![("source", found.expected), ("target", found.target)],
        // What was compared with the target, or a check on the target alone.
        _ if rule.kind == "reconcile" => {
            vec![("source", found.source), ("expected", found.expected), ("target", found.target)]
        }
        _ => vec![("target", found.target)],
    };
    let cells = match found.column {
        Some(column) => vec![cell(mask, column, &all)],
        None if all.iter().all(|(_, text)| text.is_none()) => Vec::new(),
        None => joined(rule, mask, found.key.is_some(), &all),
    };
    Sample { key: found.key.map(|key| plain(&mask.key(key))), row: found.position.map(row_number), cells }
}

/// Takes apart the values of several columns; where that cannot be done, one hidden column hides them all.
fn joined(
    rule: &RuleResult,
    mask: &Mask<'_>,
    about_a_row: bool,
    all: &[(&'static str, Option<&str>)],
) -> Vec<Cell> {
    let parts: Vec<(&'static str, Vec<Option<String>>)> =
        all.iter().filter_map(|(label, text)| Some((*label, key_parts((*text)?)))).collect();
    let fits = about_a_row && parts.iter().all(|(_, parts)| parts.len() == rule.columns.len());
    if fits {
        let of_column = |(i, column): (usize, &String)| {
            let values: Vec<(&'static str, Option<&str>)> =
                parts.iter().map(|(label, parts)| (*label, parts[i].as_deref())).collect();
            cell(mask, column, &values)
        };
        return rule.columns.iter().enumerate().map(of_column).collect();
    }
    let reason = rule.columns.iter().find_map(|column| mask.reason(column));
    let shown: Vec<(&'static str, Shown)> = all
        .iter()
        .filter_map(|(label, text)| Some((*label, (*text)?)))
        .map(|(label, text)| {
            (label, if reason.is_some() { Shown::Hidden } else { Shown::Text(text.to_owned()) })
        })
        .collect();
    let name = if rule.columns.is_empty() { "the whole side".to_owned() } else { rule.columns.join(", ") };
    vec![of_shown(&name, reason, &shown)]
}

fn take_total(
    of_rule: &mut OfRule,
    dataset: &DatasetResult,
    rule: &RuleResult,
    mask: &Mask<'_>,
    found: &Row<'_>,
) {
    if found.group == Some(SMALL_GROUP) {
        of_rule.small += 1;
        return;
    }
    if of_rule.totals.len() >= TOTALS {
        of_rule.more += 1;
        return;
    }
    let Some(total) = dataset.totals.iter().find(|total| total.rule == rule.id) else { return };
    let parts = key_parts(found.key.unwrap_or_default());
    let group = if total.by.is_empty() {
        Vec::new()
    } else if parts.len() == total.by.len() {
        let of_column =
            |(column, part): (&String, &Option<String>)| cell(mask, column, &[("group", part.as_deref())]);
        total.by.iter().zip(&parts).map(of_column).collect()
    } else {
        let shown = [("group", Shown::Hidden)];
        total.by.iter().map(|column| of_shown(column, Some("not known"), &shown)).collect()
    };
    let figure = found.column.unwrap_or_default();
    let both = [("expected", found.expected), ("target", found.target)];
    let is_a_count = ["count", "nulls", "distinct"].contains(&figure);
    // A least text may look like a number, and is shown as it stands.
    let is_a_number = is_a_count || figure == "sum" || holds_numbers(dataset, &total.column);
    let both = both.map(|(label, text)| {
        (label, text.map(|text| if is_a_number { with_commas(text) } else { text.to_owned() }))
    });
    // A count tells nothing of a value; a sum of hidden values, or one of them, is hidden as they are.
    let cell = if is_a_count {
        let shown = both.map(|(label, text)| (label, text.map_or(Shown::Null, Shown::Text)));
        of_shown(&total.column, None, &shown)
    } else {
        let both = both.each_ref().map(|(label, text)| (*label, text.as_deref()));
        cell(mask, &total.column, &both)
    };
    of_rule.totals.push(TotalFigure { group, figure: figure.to_owned(), cell });
}

/// Returns true where both sides hold the column as numbers.
fn holds_numbers(dataset: &DatasetResult, column: &str) -> bool {
    let is_number = |text: &Option<String>| {
        let logical = text.as_deref().and_then(|text| text.parse::<Logical>().ok());
        logical.is_some_and(|logical| logical.family() == Family::Number)
    };
    dataset
        .columns
        .iter()
        .any(|c| c.name == column && is_number(&c.expected_type) && is_number(&c.target_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_read_as_people_write_them() {
        for (text, wanted) in [
            ("411929.38", "411,929.38"),
            ("-1234567", "-1,234,567"),
            ("0.5", "0.5"),
            ("NaN", "NaN"),
            ("1e5", "1e5"),
            ("", ""),
        ] {
            assert_eq!(with_commas(text), wanted);
        }
    }
}
