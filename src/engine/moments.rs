//! Of which moments the rows of a side are, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Plan, SidePlan};
use crate::snapshot::Manifest;
use crate::source::{MadeOf, Stable};

use super::prepare::{Loaded, LoadedSide};

/// Returns the connections whose tables were to be of one moment, and are of several: they were lost meanwhile, or a
/// reading was continued.
pub fn scattered<'p>(plan: &'p Plan, loaded: &BTreeMap<String, Loaded>) -> BTreeSet<&'p str> {
    let mut tables: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for dataset in &plan.datasets {
        let Some(loaded) = loaded.get(&dataset.name.value) else { continue };
        for (side, plan) in [(&loaded.source, &dataset.source), (&loaded.target, &dataset.target)] {
            let (Some(side), Some(plan)) = (side, plan) else { continue };
            let server = side.snapshot.manifest.server.as_ref();
            let connection =
                plan.request.connection.as_deref().filter(|_| plan.connection.shares_one_moment());
            if let Some((connection, server)) = connection.zip(server) {
                let (count, apart) = tables.entry(connection).or_default();
                *count += 1;
                *apart |= server.stable != Stable::OnePoint;
            }
        }
    }
    tables.into_iter().filter(|(_, (count, apart))| *count > 1 && *apart).map(|(name, _)| name).collect()
}

fn is_scattered(manifest: &Manifest, scattered: &BTreeSet<&str>) -> bool {
    manifest.connection.as_deref().is_some_and(|connection| scattered.contains(connection))
}

/// Says of which server a side is, and of which moments its rows are; of a query over other datasets which snapshots it
/// read; nothing for files.
pub fn how_read(manifest: &Manifest, scattered: &BTreeSet<&str>) -> Option<String> {
    if let Some(made) = &manifest.made {
        let one = |read: &MadeOf| format!("{}.{} (snapshot {})", read.state, read.dataset, read.snapshot);
        let reads: Vec<String> = made.reads.iter().map(one).collect();
        return Some(format!("made here of {}", reads.join(", ")));
    }
    let server = manifest.server.as_ref()?;
    let stable = match server.stable {
        Stable::OnePoint if !is_scattered(manifest, scattered) => {
            "one moment for all tables of the connection"
        }
        Stable::OnePoint | Stable::PerTable => "one moment for this table",
        Stable::PerPart => "a moment of its own for each part",
    };
    let moments = manifest.moments.as_ref().map(|moments| format!(", {}", moments.words()));
    Some(format!("{}; {}; {stable}{}", server.version, server.isolation, moments.unwrap_or_default()))
}

/// Warns of a side whose rows, or tables, are of several moments.
pub fn notes(
    word: &str,
    side: Option<&LoadedSide>,
    plan: Option<&SidePlan>,
    scattered: &BTreeSet<&str>,
) -> Vec<String> {
    let Some(manifest) = side.map(|side| &side.snapshot.manifest) else { return Vec::new() };
    let mut notes = Vec::new();
    let in_parts = manifest.server.as_ref().is_some_and(|server| server.stable == Stable::PerPart);
    if in_parts {
        notes.push(parts(word, manifest, plan));
    } else if is_scattered(manifest, scattered) {
        let name = manifest.connection.as_deref().unwrap_or_default();
        notes.push(format!(
            "The tables of connection `{name}` are of several moments, because it was lost while they were read: what was \
             written meanwhile may be in one of them and not in another. The {word} is of one moment for itself."
        ));
    }
    notes
}

fn parts(word: &str, manifest: &Manifest, plan: Option<&SidePlan>) -> String {
    let when = manifest.moments.as_ref().map(|moments| match &moments.continued {
        Some(_) => format!(": it was {}", moments.words()),
        None => format!(", {}", moments.words()),
    });
    let was_continued = manifest.moments.as_ref().is_some_and(|moments| moments.continued.is_some());
    let try_next = match plan {
        Some(plan) if !was_continued && plan.connection.may_hold_one_moment() => {
            " Read it again when nobody writes, or with `limits: { connections: 1 }` where the server keeps one moment \
             for a connection."
        }
        _ => " Read it again, in one go, when nobody writes.",
    };
    format!(
        "The {word} was read in parts, each as it was at its own moment{}; a row that was written meanwhile may be \
         missing, or be there twice.{try_next}",
        when.unwrap_or_default()
    )
}
