//! A code that became another one: one expected value always meets one other value of the target.
//!
//! `SEC` became `Secure`, `3` became `closed`, `XX` became NULL: the new system has its own list.
//!
//! - It is looked for in what no other cause explains, and only where the column has at most 1,000 different expected
//!   values left.
//! - An expected value is a code where it meets the same other value in three cells or more, and in at least 95 of 100 of
//!   all rows that hold it, those without a difference counted; all codes together have five cells or more. So a value
//!   that stands once is never a code, and `Open` that became `Closed` in a few records is a real change.
//! - `map_values` lists the pairs; a value that the list does not have stays. Where NULL always became the same value,
//!   `default` fills it. Where the source's column cannot hold the new codes, as numbers that became words, `map` lists them
//!   in the column's policy.
//!
//! ```rows expected
//! | tenure: text |
//! | "SEC"        |
//! | "SEC"        |
//! | "SEC"        |
//! | "INT"        |
//! | "INT"        |
//! | "INT"        |
//! | "NON"        |
//! ```
//! ```rows target
//! | tenure: text   |
//! | "Secure"       |
//! | "Secure"       |
//! | "Secure"       |
//! | "Introductory" |
//! | "Introductory" |
//! | "Introductory" |
//! | "Licence"      |
//! ```
//! ```causes
//! row 1: tenure: code_mapping
//! row 2: tenure: code_mapping
//! row 3: tenure: code_mapping
//! row 4: tenure: code_mapping
//! row 5: tenure: code_mapping
//! row 6: tenure: code_mapping
//! row 7: tenure: real_change
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: map_values
//!     columns: [tenure]
//!     values: { INT: Introductory, SEC: Secure }
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Family, Logical};
use crate::node::yaml;

use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 210;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

/// Returns true where a mapping's values can be written in expected's column.
fn can_be_mapped(told: &Told<'_>) -> bool {
    let (e, t) = (&told.of.e.logical, &told.of.t.logical);
    let as_text = |logical: &Logical| matches!(logical, Logical::Text { .. } | Logical::Json | Logical::Other(_));
    as_text(e) || (e == t && matches!(e.family(), Family::Number | Family::Bool | Family::Moment))
}

/// Writes pairs as YAML on one line.
fn written(pairs: &[(&str, Option<&str>)]) -> String {
    let to = |to: Option<&str>| to.map_or_else(|| "null".to_owned(), yaml::text);
    let values: Vec<String> =
        pairs.iter().map(|(from, value)| format!("{}: {}", yaml::text(from), to(*value))).collect();
    format!("{{ {} }}", values.join(", "))
}

/// Lists the pairs in the column's policy, where the source's column cannot hold the new codes.
fn listed(told: &Told<'_>, pairs: &[(&str, Option<&str>)]) -> Option<Settling> {
    let settling = Settling::of(told, |figure| matches!(figure, Figure::Pair(Some(_), _)))
        .filter(|_| !told.of.prepared)?
        .word("map", written(pairs));
    let codes: BTreeSet<String> = pairs.iter().map(|(from, _)| (*from).to_owned()).collect();
    let mut settling = settling.altering(move |text| codes.contains(text));
    settling.literals = true;
    Some(settling.giving_up("the old codes where they are compared and loaded; a code that is not listed is counted as unmapped"))
}

impl Cause for This {
    fn says(&self, told: &Told<'_>) -> String {
        match told.figures.len() {
            1 => "one code that always became another value".to_owned(),
            n => format!("{n} codes that each always became another value"),
        }
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let mut pairs: Vec<(&str, Option<&str>)> = Vec::new();
        let mut default = None;
        for (figure, _) in told.figures {
            match figure {
                Figure::Pair(Some(from), to) => pairs.push((from, to.as_deref())),
                Figure::Pair(None, Some(to)) => default = Some(to),
                _ => {}
            }
        }
        pairs.sort_unstable();
        if !can_be_mapped(told) {
            return listed(told, &pairs);
        }
        let mut settling = Settling::of_all(told)?;
        if !pairs.is_empty() {
            let fields = [("values", written(&pairs))];
            settling = settling.step(told.step("map_values"), &fields);
        }
        if let Some(value) = default {
            settling = settling.step(told.step("default"), &[("value", yaml::text(value))]);
        }
        let mapped: BTreeSet<Option<String>> = told
            .figures
            .iter()
            .filter_map(|(figure, _)| match figure {
                Figure::Pair(from, _) => Some(from.clone()),
                _ => None,
            })
            .collect();
        settling.alters = Some(Arc::new(move |text| mapped.contains(&text.map(str::to_owned))));
        settling.literals = true;
        Some(settling.giving_up("the old codes, in expected and in what is loaded of it"))
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "The new codes do not fit into the source's column, and a list in the column's policy has no place for NULL: give the \
         column the type text, and `default` fills it."
            .to_owned()
    }
}
