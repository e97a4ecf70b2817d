//! summary.md: a run as a comment on a merge request.

use chrono::DateTime;

use crate::findings::{Buckets, BySide, CauseResult, ColumnResult, DatasetResult, RunResult};
use crate::ledger::SourceDisposition;
use crate::model::Status;

use super::causes;
use super::tranche;
use super::words::{self, Judged, counted, one_line, thousands};

/// A comment has a greatest length everywhere; the report has the rest.
const MOST_LINES: usize = 50;

/// The most causes named.
const MOST_CAUSES: usize = 12;

/// The most tranches of a dataset.
const MOST_TRANCHES: usize = 10;

/// Renders summary.md: verdict, what stops the gate, datasets, what was not checked. It holds no cell value, but the names of
/// tranches that may be shown.
pub fn summary_md(result: &RunResult) -> Vec<u8> {
    let verdict = words::verdict(result);
    let mut text = format!("## {} {}\n\n", verdict.mark, verdict.sentence);
    text.push_str(&format!(
        "{} · as of {} · {}\n",
        escaped(&result.project),
        escaped(&moment(&result.as_of)),
        escaped(&result.tool)
    ));
    stops(result, &mut text);
    warnings(result, &mut text);
    datasets(result, &mut text);
    why(result, &mut text);
    references(result, &mut text);
    tranches(result, &mut text);
    not_checked(result, &mut text);
    text.into_bytes()
}

/// Writes what stops the gate, the worst first.
fn stops(result: &RunResult, text: &mut String) {
    text.push_str("\n### What stops the gate\n\n");
    let stopping: Vec<Judged<'_>> = words::problems(result).into_iter().filter(|j| j.stops).collect();
    if stopping.is_empty() {
        text.push_str("None.\n");
    } else {
        table_of(&stopping, text);
    }
}

/// Writes what warns without stopping the gate, where there is any.
fn warnings(result: &RunResult, text: &mut String) {
    let warned: Vec<Judged<'_>> = words::problems(result).into_iter().filter(|j| !j.stops).collect();
    if !warned.is_empty() {
        text.push_str("\n### Warnings\n\n");
        table_of(&warned, text);
    }
}

fn table_of(judged: &[Judged<'_>], text: &mut String) {
    text.push_str("| dataset | rule | side | observed | allowed | owner |\n|---|---|---|---|---|---|\n");
    for one in judged.iter().take(MOST_LINES) {
        let counted = matches!(one.status, Status::Warn | Status::Fail);
        let observed = match one.status {
            Status::Broken => format!("broken: {}", one.observed()),
            Status::Inconclusive => format!("inconclusive: {}", one.observed()),
            _ => one.observed(),
        };
        row(
            &[
                one.dataset.name.clone(),
                one.name().to_owned(),
                one.side().map_or_else(|| "–".to_owned(), |side| side.word().to_owned()),
                observed,
                if counted { one.allowed() } else { "–".to_owned() },
                one.dataset.owner.clone().unwrap_or_else(|| "–".to_owned()),
            ],
            text,
        );
    }
    more(judged.len(), text);
}

fn more(lines: usize, text: &mut String) {
    if lines > MOST_LINES {
        text.push_str(&format!("\nand {} more, in the report\n", thousands((lines - MOST_LINES) as u64)));
    }
}

/// Writes the table of datasets.
fn datasets(result: &RunResult, text: &mut String) {
    text.push_str("\n### Datasets\n\n");
    if result.datasets.is_empty() {
        text.push_str("None.\n");
        return;
    }
    text.push_str(
        "| dataset | source rows | target rows | matched | mismatched | missing | unexpected | duplicate key | no key | held back | merged |\n",
    );
    text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    let mut paired = false;
    for dataset in &result.datasets {
        let rows = |side: &Option<crate::findings::SideResult>| {
            side.as_ref().map_or_else(|| "–".to_owned(), |side| thousands(side.rows))
        };
        let bucket = |of: &dyn Fn(&Buckets) -> u64| {
            dataset.buckets.as_ref().map_or_else(|| "–".to_owned(), |buckets| thousands(of(buckets)))
        };
        let both = |of: &dyn Fn(&Buckets) -> (u64, u64)| match dataset.buckets.as_ref().map(of) {
            None => "–".to_owned(),
            Some((0, 0)) => "0".to_owned(),
            Some((expected, target)) => format!("{} / {}", thousands(expected), thousands(target)),
        };
        let cells = [
            dataset.name.clone(),
            rows(&dataset.source),
            rows(&dataset.target),
            bucket(&|b| b.matched),
            bucket(&|b| b.mismatched),
            bucket(&|b| b.missing),
            bucket(&|b| b.unexpected),
            both(&|b| (b.duplicate_key_expected, b.duplicate_key_target)),
            both(&|b| (b.no_key_expected, b.no_key_target)),
            judged_count(dataset, dataset.quarantined),
            dataset.ledger.as_ref().map_or_else(
                || "–".to_owned(),
                |ledger| thousands(ledger.source_count(SourceDisposition::Merged)),
            ),
        ];
        paired |= cells.iter().any(|cell| cell.contains(" / "));
        row(&cells, text);
    }
    if paired {
        text.push_str("\nTwo counts in a cell are those of the expected records and of the target.\n");
    }
    for (dataset, moved) in result.datasets.iter().filter_map(|d| Some((d, causes::movement(d)?))) {
        text.push_str(&format!("\n{}: {}\n", escaped(&dataset.name), escaped(&moved)));
    }
}

/// Writes why values differ, the most frequent causes first; nothing where none do.
fn why(result: &RunResult, text: &mut String) {
    let mut all: Vec<(&DatasetResult, &ColumnResult, &CauseResult)> = Vec::new();
    for dataset in &result.datasets {
        for column in &dataset.columns {
            all.extend(column.causes.iter().map(|cause| (dataset, column, cause)));
        }
    }
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|(_, _, cause)| std::cmp::Reverse(cause.cells));
    text.push_str("\n### Why values differ\n\n");
    for (dataset, worst) in result.datasets.iter().filter_map(|d| Some((d, causes::worst(d)?))) {
        text.push_str(&format!("- {}: {}\n", escaped(&dataset.name), escaped(&worst.sentence)));
    }
    text.push_str("\n| dataset | column | cause | where from |\n|---|---|---|---|\n");
    for (dataset, column, cause) in all.iter().take(MOST_CAUSES) {
        let cells = [
            dataset.name.clone(),
            column.name.clone(),
            causes::title(&cause.cause),
            causes::sentence(cause, column.mismatched),
        ];
        row(&cells, text);
    }
    if all.len() > MOST_CAUSES {
        text.push_str(&format!(
            "\nand {} more, in the report\n",
            thousands((all.len() - MOST_CAUSES) as u64)
        ));
    }
    let settled = all.iter().filter(|(_, _, cause)| cause.no_line.is_none()).count();
    text.push_str(match settled {
        0 => "\nNo line settles them; `counterfoil explain-differences` says what does.\n",
        some if some < all.len() => {
            "\n`counterfoil explain-differences` has the lines that would settle some of them, and says what settles the others.\n"
        }
        _ => "\n`counterfoil explain-differences` has the lines that would settle them.\n",
    });
}

/// Writes the foreign keys that lead nowhere, or break further up; nothing where all are whole.
fn references(result: &RunResult, text: &mut String) {
    let mut broken = Vec::new();
    for dataset in &result.datasets {
        for reference in &dataset.references {
            let sums = BySide::sum(reference.further.iter().map(|chain| chain.rows));
            let counts = [reference.source, reference.target, sums.expected, sums.target];
            if counts.iter().any(|count| count.is_some_and(|count| count > 0)) {
                broken.push((dataset, reference, counts));
            }
        }
    }
    if broken.is_empty() {
        return;
    }
    text.push_str("\n### References\n\n");
    text.push_str(
        "| dataset | rule | to nothing in the source | in the target | inherited | introduced | repaired | missing in target | broken further up: expected | target |\n",
    );
    text.push_str("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    let shown = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), thousands);
    for (dataset, reference, [source, target, expected_up, target_up]) in broken.iter().take(MOST_LINES) {
        let class = |class: &str| shown(reference.classes.get(class).copied());
        let cells = [
            dataset.name.clone(),
            reference.rule.clone(),
            shown(*source),
            shown(*target),
            class("inherited"),
            class("introduced"),
            class("repaired"),
            class("missing in target"),
            shown(*expected_up),
            shown(*target_up),
        ];
        row(&cells, text);
    }
    more(broken.len(), text);
    text.push_str(
        "\nA record is broken further up where the record that it refers to is there and one that leads on from it is not: its tenancy exists, the tenancy's property does not.\n",
    );
}

/// Writes the tranches with the most broken records of each dataset whose ledger is split.
fn tranches(result: &RunResult, text: &mut String) {
    let split: Vec<_> = result.datasets.iter().filter_map(|d| Some((d, d.tranches.as_ref()?))).collect();
    if split.is_empty() {
        return;
    }
    text.push_str("\n### Ledger by tranche\n\n");
    text.push_str(
        "| dataset | tranche | source rows | target rows | broken | balanced |\n|---|---|--:|--:|--:|---|\n",
    );
    let mut left = 0;
    for (dataset, tranches) in split {
        for one in tranches.list.iter().take(MOST_TRANCHES) {
            let cells = [
                dataset.name.clone(),
                tranche::name(one).map_or_else(|| tranche::words(one), str::to_owned),
                thousands(one.ledger.source_rows),
                thousands(one.ledger.target_rows),
                thousands(one.broken),
                if one.ledger.balanced { "yes" } else { "no" }.to_owned(),
            ];
            row(&cells, text);
        }
        left += tranches.list.len().saturating_sub(MOST_TRANCHES);
    }
    if left > 0 {
        text.push_str(&format!("\nand {} more, in ledger.json\n", thousands(left as u64)));
    }
    text.push_str(&format!("\n{}\n", tranche::BROKEN));
}

/// A count of a dataset that was judged; where it was not, a zero would be a claim.
fn judged_count(dataset: &DatasetResult, count: u64) -> String {
    if dataset.error.is_some() { "–".to_owned() } else { thousands(count) }
}

/// Writes what was not checked, and why.
fn not_checked(result: &RunResult, text: &mut String) {
    text.push_str("\n### Not checked\n\n");
    let mut lines: Vec<String> = result.notes.iter().map(|note| escaped(&one_line(note))).collect();
    for judged in words::judged(result) {
        let why = match judged.status {
            Status::Broken => "broken",
            Status::Inconclusive => "inconclusive",
            Status::Skipped => "skipped",
            Status::Pass | Status::Warn | Status::Fail => continue,
        };
        let on = judged.side().map_or_else(String::new, |side| format!(" on {side}"));
        lines.push(format!(
            "{}, {}{on}: {why}: {}",
            escaped(&judged.dataset.name),
            escaped(judged.name()),
            escaped(&judged.observed())
        ));
    }
    for dataset in &result.datasets {
        lines.extend(dataset_gaps(dataset).map(|line| format!("{}: {line}", escaped(&dataset.name))));
    }
    if lines.is_empty() {
        text.push_str("None: everything that was asked for was checked.\n");
    }
    for line in lines.iter().take(MOST_LINES) {
        text.push_str(&format!("- {line}\n"));
    }
    more(lines.len(), text);
}

/// Returns what of a dataset was left out: the comparison itself, columns, rows without a value.
fn dataset_gaps(dataset: &DatasetResult) -> impl Iterator<Item = String> {
    let one_sided = words::left_out(dataset).map(|(_, why)| why.to_owned());
    let columns: Vec<String> = dataset
        .columns
        .iter()
        .filter_map(|column| Some((column, column.not_compared.as_deref()?)))
        .filter(|(_, reason)| *reason != "part of the key")
        .map(|(column, reason)| format!("{} ({})", escaped(&column.name), escaped(reason)))
        .collect();
    let columns = (!columns.is_empty()).then(|| format!("columns not compared: {}", columns.join(", ")));
    let gating = || dataset.rules.iter().flat_map(|r| &r.sides).filter(|figure| figure.gates);
    let unknown: u64 = gating().map(|figure| figure.unknown).sum();
    let unknown = (unknown > 0).then(|| {
        let rules =
            dataset.rules.iter().filter(|r| r.sides.iter().any(|f| f.gates && f.unknown > 0)).count() as u64;
        let times = if unknown == 1 { "once".to_owned() } else { format!("{} times", thousands(unknown)) };
        format!("{times} a value was missing (NULL) and {} passed it over", counted(rules, "rule"))
    });
    [one_sided, columns, unknown].into_iter().flatten()
}

fn row(cells: &[String], text: &mut String) {
    let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
    text.push_str(&format!("| {} |\n", cells.join(" | ")));
}

/// Returns a text that Markdown shows as it is, on one line.
///
/// A `_` between letters or digits never begins emphasis and stays readable.
fn escaped(text: &str) -> String {
    let text = one_line(text);
    let letters: Vec<char> = text.chars().collect();
    let word = |at: Option<usize>| at.and_then(|i| letters.get(i)).is_some_and(|c| c.is_alphanumeric());
    let mut shown = String::with_capacity(text.len());
    for (i, letter) in letters.iter().enumerate() {
        let special = match letter {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '$' => true,
            '_' => !(word(i.checked_sub(1)) && word(Some(i + 1))),
            _ => false,
        };
        if special {
            shown.push('\\');
        }
        shown.push(*letter);
    }
    shown
}

/// Returns an RFC 3339 time as people write it, `23 November 2026, 18:15 UTC`; anything else as it is.
fn moment(text: &str) -> String {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.to_utc().format("%-d %B %Y, %H:%M UTC").to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_are() {
        assert_eq!(escaped("a|b`c\nd"), "a\\|b\\`c d");
        assert_eq!(escaped("not_null-tag_ref"), "not_null-tag_ref");
        assert_eq!(escaped("_row *x* <b>"), "\\_row \\*x\\* \\<b\\>");
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(moment("2026-11-23T18:15:00Z"), "23 November 2026, 18:15 UTC");
        assert_eq!(moment("soon"), "soon");
    }
}
