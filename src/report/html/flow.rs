//! Where every record went, drawn to scale, with the same figures as a table.

use serde::Serialize;

use crate::ledger::Ledger;

/// The height of the larger side's bar, in pixels.
const BAR: f64 = 160.0;
/// The least height of a place in the middle, which holds two lines of text.
const SLOT: f64 = 42.0;
/// The least width of a band.
const THINNEST: f64 = 1.5;

/// The places in the middle: name, what it means, the dispositions of the source and of the target in it, and where
/// the dataset's page tells more.
const PLACES: &[(&str, &str, &[&str], &[&str], Option<&str>)] = &[
    (
        "matched",
        "in both systems, with equal values",
        &["matched_unchanged", "matched_cleansed"],
        &["matched"],
        None,
    ),
    (
        "different values",
        "in both systems, with a value that differs",
        &["mismatched"],
        &["mismatched"],
        Some("differences"),
    ),
    ("missing in the target", "expected, but not there", &["missing"], &[], Some("one-side")),
    ("not expected", "in the target, but nobody expected it", &[], &["unexpected"], Some("one-side")),
    (
        "key used twice",
        "one of the two sides has the key more than once, so nobody can say which record is which",
        &["duplicate_key"],
        &["duplicate_key"],
        Some("one-side"),
    ),
    ("no key", "a part of the key is missing", &["no_key"], &["no_key"], Some("one-side")),
    (
        "held back",
        "quarantined before loading; in the target, a record that was to be held back",
        &["quarantined"],
        &["from_quarantined"],
        Some("quarantine"),
    ),
    (
        "merged",
        "went into another record; in the target, a record that was to be merged",
        &["merged"],
        &["from_merged"],
        Some("cleansing"),
    ),
    ("out of scope", "left out by the filter of the project", &["out_of_scope"], &["out_of_scope"], None),
    ("kept, nothing to compare", "the dataset has one side only", &["kept"], &["kept"], None),
];

/// The picture and its table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// The picture's height in pixels.
    pub height: String,
    /// The stretches of the source's bar and the bands from them.
    pub left: Vec<Band>,
    /// The stretches of the target's bar and the bands to them.
    pub right: Vec<Band>,
    /// The places in the middle.
    pub nodes: Vec<Node>,
    /// Rows of the source in all; nothing where there is none.
    pub source_rows: Option<u64>,
    /// Rows of the target in all; nothing where there is none.
    pub target_rows: Option<u64>,
    /// Of the source's matched rows those that match as they were, and those that match after cleansing.
    pub unchanged: u64,
    /// See `unchanged`.
    pub cleansed: u64,
    /// Every place, in words.
    pub table: Vec<Node>,
    /// True where every row is accounted for.
    pub balanced: bool,
}

/// A band between a bar and a place, and the stretch of the bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The band, as the path of an SVG 100 wide.
    pub path: String,
    /// Where the stretch of the bar begins, and how high it is.
    pub bar: (String, String),
    /// The shade, from 1.
    pub shade: usize,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Its shade, from 1: its place among all.
    pub shade: usize,
    /// The middle of its slot, in pixels.
    pub top: String,
    /// Rows of the source; nothing where a source's row cannot be there.
    pub source: Option<u64>,
    /// Rows of the target likewise.
    pub target: Option<u64>,
    /// The place on the dataset's page that tells more.
    pub anchor: Option<&'static str>,
}

/// Draws the ledgers of some datasets together; nothing where they hold no row at all.
pub fn flow(ledgers: &[&Ledger]) -> Option<Flow> {
    let of = |words: &[&str], source: bool| -> Option<u64> {
        let entries = ledgers.iter().flat_map(|l| if source { &l.source } else { &l.target });
        let mut found = entries.filter(|e| words.contains(&e.disposition.as_str())).peekable();
        found.peek()?;
        Some(found.map(|e| e.rows).sum())
    };
    let has = |source: bool| ledgers.iter().any(|l| !if source { &l.source } else { &l.target }.is_empty());
    let source_rows: u64 = ledgers.iter().map(|l| l.source_rows).sum();
    let target_rows: u64 = ledgers.iter().map(|l| l.target_rows).sum();
    let most = source_rows.max(target_rows);
    if most == 0 {
        return None;
    }
    let mut all: Vec<Node> = PLACES
        .iter()
        .enumerate()
        .map(|(i, (name, meaning, source, target, anchor))| Node {
            name,
            meaning,
            shade: i + 1,
            top: String::new(),
            source: of(source, true),
            target: of(target, false),
            anchor: *anchor,
        })
        .filter(|node| node.source.is_some() || node.target.is_some())
        .collect();
    let table = all.clone();
    all.retain(|node| node.source.unwrap_or(0) > 0 || node.target.unwrap_or(0) > 0);
    let scale = |rows: u64| (rows as f64 / most as f64 * BAR).max(THINNEST);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let (mut at, mut from, mut to) = (0.0, 0.0, 0.0);
    let slots: Vec<f64> = all
        .iter()
        .map(|node| {
            let thick = [node.source, node.target].into_iter().flatten().filter(|n| *n > 0).map(scale);
            thick.fold(SLOT, f64::max)
        })
        .collect();
    let height: f64 = slots.iter().sum();
    for (node, slot) in all.iter_mut().zip(&slots) {
        node.top = pixels(at + slot / 2.0);
        let middle = at + slot / 2.0;
        if let Some(rows) = node.source.filter(|n| *n > 0) {
            let thick = scale(rows);
            left.push(band(from, middle - thick / 2.0, thick, node.shade, true));
            from += thick;
        }
        if let Some(rows) = node.target.filter(|n| *n > 0) {
            let thick = scale(rows);
            right.push(band(to, middle - thick / 2.0, thick, node.shade, false));
            to += thick;
        }
        at += slot;
    }
    Some(Flow {
        height: pixels(height),
        left,
        right,
        nodes: all,
        source_rows: has(true).then_some(source_rows),
        target_rows: has(false).then_some(target_rows),
        unchanged: of(&["matched_unchanged"], true).unwrap_or(0),
        cleansed: of(&["matched_cleansed"], true).unwrap_or(0),
        table,
        balanced: ledgers.iter().all(|ledger| ledger.balanced),
    })
}

/// Draws a band of one thickness between a bar and a place in the middle.
fn band(bar: f64, place: f64, thick: f64, shade: usize, from_left: bool) -> Band {
    let (x0, y0, x1, y1) = if from_left { (0, bar, 100, place) } else { (0, place, 100, bar) };
    let path = format!(
        "M{x0} {}C50 {} 50 {} {x1} {}V{}C50 {} 50 {} {x0} {}Z",
        pixels(y0),
        pixels(y0),
        pixels(y1),
        pixels(y1),
        pixels(y1 + thick),
        pixels(y1 + thick),
        pixels(y0 + thick),
        pixels(y0 + thick),
    );
    Band { path, bar: (pixels(bar), pixels(thick)), shade }
}

fn pixels(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Entry;

    fn entries(list: &[(&str, u64)]) -> Vec<Entry> {
        list.iter().map(|(word, rows)| Entry { disposition: (*word).to_owned(), rows: *rows }).collect()
    }

    #[test]
    fn bands_are_to_scale_and_every_row_is_in_the_table() {
        let ledger = Ledger {
            source: entries(&[("matched_unchanged", 60), ("matched_cleansed", 30), ("missing", 10)]),
            target: entries(&[("matched", 90), ("unexpected", 0)]),
            source_rows: 100,
            target_rows: 90,
            balanced: true,
        };
        let flow = flow(&[&ledger]).unwrap();
        let heights: Vec<&str> = flow.left.iter().map(|band| band.bar.1.as_str()).collect();
        assert_eq!(heights, ["144", "16"]);
        assert_eq!(flow.right.len(), 1);
        assert_eq!(flow.table.iter().filter_map(|node| node.source).sum::<u64>(), 100);
        assert_eq!(
            flow.table.iter().map(|node| node.name).collect::<Vec<_>>(),
            ["matched", "missing in the target", "not expected"]
        );
        assert_eq!(flow.table[1].target, None, "no target row can be missing");
        assert_eq!((flow.unchanged, flow.cleansed), (60, 30));
    }

    #[test]
    fn no_rows_no_picture() {
        assert!(flow(&[]).is_none());
        assert!(flow(&[&Ledger::default()]).is_none());
    }
}
