//! References between datasets on the way to expected: to merged records, and to records that are held back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use chrono::{DateTime, Utc};
use polars::prelude::{
    BooleanChunked, IdxCa, IdxSize, NewChunkedArray, PlSmallStr, PolarsError, PolarsResult, Series,
};

use crate::check::Check;
use crate::config::{Dataset, Rule};
use crate::frame::{Keys, Texts, convert, polars_type};
use crate::model::Correction;

use super::crosswalk::{NewIds, with_new_ids};
use super::expected::{RowState, Working};

/// A declared foreign key: whose columns refer to whose.
struct Link<'p> {
    child: &'p str,
    parent: &'p str,
    rule: &'p Rule<dyn Check>,
    columns: Vec<String>,
    referenced: Vec<String>,
}

/// Returns the foreign keys between datasets that are there, in the order of the plan.
fn links<'p>(working: &BTreeMap<String, Working>, datasets: &[&'p Dataset]) -> Vec<Link<'p>> {
    let mut links = Vec::new();
    for child in datasets {
        for rule in child.checks.iter().filter(|rule| rule.common.skip.is_none()) {
            let Some(reference) = rule.rule.reference() else { continue };
            let (child, parent) = (child.name.value.as_str(), reference.dataset.value.as_str());
            if working.contains_key(child) && working.contains_key(parent) {
                links.push(Link {
                    child,
                    parent,
                    rule,
                    columns: rule.rule.columns().iter().map(|c| c.value.clone()).collect(),
                    referenced: reference.columns.iter().map(|c| c.value.clone()).collect(),
                });
            }
        }
    }
    links
}

/// Returns the keys of all rows as text; nothing where a part is NULL.
fn key_texts(of: &Working, columns: &[String]) -> PolarsResult<Vec<Option<String>>> {
    let keys = Keys::new(&of.all, columns)?;
    Ok((0..keys.len()).map(|i| keys.text(i).map(std::borrow::Cow::into_owned)).collect())
}

/// Returns which rows the `where` of a foreign key selects: of a column whose ids are replaced it reads the new ones, here as in
/// expected and in the target. Where these could not be read nothing is selected: the child is not judged.
fn selected(
    of: &Working,
    link: &Link<'_>,
    ids: &NewIds,
    as_of: DateTime<Utc>,
) -> PolarsResult<Option<Vec<bool>>> {
    let Some(condition) = &link.rule.condition else { return Ok(None) };
    let columns = condition.columns();
    let named: Vec<&str> = columns.iter().map(|name| name.value.as_str()).collect();
    let translated = match ids.get(link.child) {
        Some(ids) => match with_new_ids(&of.all, ids, &named) {
            Ok(frame) => Some(frame),
            Err(_) => return Ok(Some(vec![false; of.all.height()])),
        },
        None => None,
    };
    super::select(condition, translated.as_ref().unwrap_or(&of.all), as_of)
        .map(Some)
        .map_err(|error| PolarsError::ComputeError(error.to_string().into()))
}

/// What a reference to a merged record becomes: the row whose key takes its place, and the match that merged.
#[derive(Clone, PartialEq, Eq)]
struct Renamed {
    row: usize,
    rule: String,
}

/// Rewrites references to merged records to the survivors' keys, until nothing changes: a rewritten reference may
/// itself be a part of a key that others refer to.
///
/// Only rows of expected that the foreign key's `where` selects are rewritten; each rewritten cell is a correction
/// by the match rule. A key that a remaining row still has, one that stands for records merged into different
/// ones, and one that the child's column cannot hold are left as they are; the latter two are notes of the child.
///
/// # Errors
/// Where a referenced column is not there.
pub fn rewrite(
    working: &mut BTreeMap<String, Working>,
    datasets: &[&Dataset],
    ids: &NewIds,
    as_of: DateTime<Utc>,
) -> PolarsResult<()> {
    let merged = |of: &Working| of.states.iter().any(|state| matches!(state, RowState::Merged(_)));
    if !working.values().any(merged) {
        return Ok(());
    }
    let links = links(working, datasets);
    // The keys before anything was rewritten: what references still say.
    let mut before = Vec::with_capacity(links.len());
    for link in &links {
        before.push(key_texts(&working[link.parent], &link.referenced)?);
    }
    let mut rule_of: BTreeMap<String, HashMap<usize, String>> =
        datasets.iter().map(|d| (d.name.value.clone(), merge_rules(working.get(&d.name.value), d))).collect();
    let mut notes = BTreeSet::new();
    // Every round but the last rewrites a reference for good, so a chain ends; a ring of keys is cut off here.
    for _ in 0..=links.len() * 4 {
        let mut changed = false;
        for (link, before) in links.iter().zip(&before) {
            let renamed = renamed(&working[link.parent], before, link, &rule_of[link.parent], &mut notes)?;
            if renamed.is_empty() {
                continue;
            }
            let rewritten = rewrite_link(working, link, &renamed, (ids, as_of), &mut notes)?;
            changed |= !rewritten.is_empty();
            if let Some(rules) = rule_of.get_mut(link.child) {
                rules.extend(rewritten);
            }
        }
        if !changed {
            break;
        }
    }
    for (child, note) in notes {
        if let Some(child) = working.get_mut(&child) {
            child.notes.push(note);
        }
    }
    Ok(())
}

/// Returns the match rule that merged each row.
fn merge_rules(of: Option<&Working>, plan: &Dataset) -> HashMap<usize, String> {
    let groups = of.into_iter().flat_map(|of| &of.matches).flat_map(|(position, outcome)| {
        outcome.groups.iter().flat_map(move |group| group.rows.iter().map(move |row| (*position, *row)))
    });
    groups.filter_map(|(position, row)| Some((row, plan.duplicates.get(position)?.id.clone()))).collect()
}

/// Returns the former keys that no remaining row has any more, with the rows whose keys take their places.
fn renamed(
    parent: &Working,
    before: &[Option<String>],
    link: &Link<'_>,
    rule_of: &HashMap<usize, String>,
    notes: &mut BTreeSet<(String, String)>,
) -> PolarsResult<HashMap<String, Renamed>> {
    let now = key_texts(parent, &link.referenced)?;
    let kept = |row: usize| parent.states.get(row) == Some(&RowState::Kept);
    let remaining: HashSet<&str> =
        (0..now.len()).filter(|row| kept(*row)).filter_map(|row| now[row].as_deref()).collect();
    let mut renamed: HashMap<String, Renamed> = HashMap::new();
    let mut torn = HashSet::new();
    for (row, key) in before.iter().enumerate() {
        let Some(key) = key.as_ref().filter(|key| !remaining.contains(key.as_str())) else { continue };
        // A survivor may have been merged in its turn.
        let mut survivor = row;
        while let Some(RowState::Merged(next)) = parent.states.get(survivor) {
            survivor = *next;
        }
        if !kept(survivor) || now[survivor].as_ref() == Some(key) {
            continue;
        }
        let rule = rule_of.get(&row).cloned().unwrap_or_default();
        if renamed.get(key).is_some_and(|first| now[first.row] != now[survivor]) {
            torn.insert(key.clone());
        }
        renamed.entry(key.clone()).or_insert(Renamed { row: survivor, rule });
    }
    if !torn.is_empty() {
        let text = format!(
            "References to {} keys of `{}` are left as they are: the records with such a key were merged into different ones.",
            torn.len(),
            link.parent
        );
        notes.insert((link.child.to_owned(), text));
    }
    renamed.retain(|key, _| !torn.contains(key));
    Ok(renamed)
}

/// Rewrites the references of one foreign key; returns the rows that changed, with the rules that did it.
fn rewrite_link(
    working: &mut BTreeMap<String, Working>,
    link: &Link<'_>,
    renamed: &HashMap<String, Renamed>,
    (ids, as_of): (&NewIds, DateTime<Utc>),
    notes: &mut BTreeSet<(String, String)>,
) -> PolarsResult<Vec<(usize, String)>> {
    let child = &working[link.child];
    let selected = selected(child, link, ids, as_of)?;
    let hits: Vec<(usize, &Renamed)> = key_texts(child, &link.columns)?
        .iter()
        .enumerate()
        .filter(|(row, _)| child.states[*row] == RowState::Kept)
        .filter(|(row, _)| selected.as_ref().is_none_or(|selected| selected[*row]))
        .filter_map(|(row, key)| Some((row, renamed.get(key.as_ref()?)?)))
        .collect();
    if hits.is_empty() {
        return Ok(Vec::new());
    }
    // The survivors' parts in the child's types, one a hit.
    let survivors: Vec<IdxSize> =
        hits.iter().map(|(_, to)| IdxSize::try_from(to.row).unwrap_or(IdxSize::MAX)).collect();
    let survivors = IdxCa::from_slice(PlSmallStr::EMPTY, &survivors);
    let parent = &working[link.parent];
    let mut lost = BTreeSet::new();
    let mut parts: Vec<(String, Series)> = Vec::with_capacity(link.columns.len());
    for (own, theirs) in link.columns.iter().zip(&link.referenced) {
        let (Some((field, _)), Some((from, column))) = (child.all.column(own), parent.all.column(theirs))
        else {
            continue;
        };
        let values = column.as_materialized_series().take(&survivors)?;
        let converted = convert(&values, &from.logical, &field.logical);
        lost.extend(converted.lost);
        parts.push((own.clone(), converted.series));
    }
    if !lost.is_empty() {
        let text = format!(
            "{} references in {} are left as they are: the key of the record that `{}` was merged into does not fit the column.",
            lost.len(),
            link.columns.join(", "),
            link.parent
        );
        notes.insert((link.child.to_owned(), text));
    }
    let hits: Vec<(usize, usize, String)> = hits
        .iter()
        .enumerate()
        .filter(|(at, _)| !lost.contains(at))
        .map(|(at, (row, to))| (at, *row, to.rule.clone()))
        .collect();
    let Some(child) = working.get_mut(link.child) else { return Ok(Vec::new()) };
    child.remember(&hits.iter().map(|(_, row, _)| *row).collect())?;
    let mut changed = BTreeMap::new();
    for (name, values) in parts {
        put(child, &name, &values, &hits, &mut changed)?;
    }
    Ok(changed.into_iter().collect())
}

/// Puts values into the hit cells of a column, each a correction; the other cells stay as they are.
fn put(
    child: &mut Working,
    name: &str,
    values: &Series,
    hits: &[(usize, usize, String)],
    changed: &mut BTreeMap<usize, String>,
) -> PolarsResult<()> {
    let Some((field, column)) = child.all.column(name) else { return Ok(()) };
    let (field, before) = (field.clone(), column.as_materialized_series().clone());
    let mut keep = vec![true; before.len()];
    let mut from: Vec<IdxSize> = vec![0; before.len()];
    for (at, row, _) in hits {
        keep[*row] = false;
        from[*row] = IdxSize::try_from(*at).unwrap_or(IdxSize::MAX);
    }
    let spread = values.take(&IdxCa::from_slice(PlSmallStr::EMPTY, &from))?;
    let spread = spread.strict_cast(&polars_type(&field.logical))?.strict_cast(before.dtype())?;
    let after = before.zip_with(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &keep), &spread)?;
    let (texts_before, texts_after) =
        (Texts::new(&before, &field.logical), Texts::new(&after, &field.logical));
    for (_, row, rule) in hits {
        let (before, after) = (texts_before.owned(*row), texts_after.owned(*row));
        if before != after {
            child.corrections.push(Correction {
                row: child.all.rows[*row],
                column: name.to_owned(),
                before,
                after,
                rule: rule.clone(),
            });
            changed.insert(*row, rule.clone());
        }
    }
    child.all.replace(field, after.into())
}

/// Holds back every row whose parent is held back, along the foreign keys that cascade, until nothing changes.
///
/// A parent that is held back holds its children back where no remaining row has its key.
///
/// # Errors
/// Where a referenced column is not there.
pub fn cascade(
    working: &mut BTreeMap<String, Working>,
    datasets: &[&Dataset],
    ids: &NewIds,
    as_of: DateTime<Utc>,
) -> PolarsResult<()> {
    if working.values().all(|of| of.held.is_empty()) {
        return Ok(());
    }
    let mut cascades = Vec::new();
    for link in links(working, datasets).into_iter().filter(|link| link.rule.rule.cascade()) {
        cascades.push(Cascade::new(working, link, ids, as_of)?);
    }
    let mut open: VecDeque<(String, usize)> = VecDeque::new();
    for (name, of) in working.iter() {
        open.extend(of.held.keys().map(|row| (name.clone(), *row)));
    }
    // Those held back from the beginning are no longer among the remaining; others leave them one by one.
    let first = open.len();
    let mut done = 0;
    while let Some((name, row)) = open.pop_front() {
        let from_the_beginning = done < first;
        done += 1;
        for cascade in cascades.iter_mut().filter(|cascade| cascade.link.parent == name) {
            let Some(key) = cascade.parent_keys.get(row).cloned().flatten() else { continue };
            if let Some(remaining) = cascade.remaining.get_mut(&key).filter(|_| !from_the_beginning) {
                *remaining = remaining.saturating_sub(1);
            }
            if cascade.remaining.get(&key).is_some_and(|remaining| *remaining > 0) {
                continue;
            }
            let (link, Some(children)) = (&cascade.link, cascade.children.remove(&key)) else { continue };
            let Some(child) = working.get_mut(link.child) else { continue };
            for row in children {
                if child.states[row] != RowState::Kept {
                    continue;
                }
                child.states[row] = RowState::Quarantined;
                let reason = format!("{}: {}: parent quarantined", link.rule.id, link.columns.join(", "));
                child.held.entry(row).or_default().push(reason);
                open.push_back((link.child.to_owned(), row));
            }
        }
    }
    Ok(())
}

/// One foreign key while rows are held back along it.
struct Cascade<'p> {
    link: Link<'p>,
    parent_keys: Vec<Option<String>>,
    /// How many remaining rows of the parent have a key.
    remaining: HashMap<String, usize>,
    /// The rows of the child that refer to a key, ascending.
    children: HashMap<String, Vec<usize>>,
}

impl<'p> Cascade<'p> {
    fn new(
        working: &BTreeMap<String, Working>,
        link: Link<'p>,
        ids: &NewIds,
        as_of: DateTime<Utc>,
    ) -> PolarsResult<Self> {
        let (parent, child) = (&working[link.parent], &working[link.child]);
        let parent_keys = key_texts(parent, &link.referenced)?;
        let mut remaining: HashMap<String, usize> = HashMap::new();
        for (key, state) in parent_keys.iter().zip(&parent.states) {
            if let (Some(key), RowState::Kept) = (key, state) {
                *remaining.entry(key.clone()).or_default() += 1;
            }
        }
        let selected = selected(child, &link, ids, as_of)?;
        let mut children: HashMap<String, Vec<usize>> = HashMap::new();
        for (row, key) in key_texts(child, &link.columns)?.into_iter().enumerate() {
            let is_in =
                child.states[row] == RowState::Kept && selected.as_ref().is_none_or(|selected| selected[row]);
            if let Some(key) = key.filter(|_| is_in) {
                children.entry(key).or_default().push(row);
            }
        }
        Ok(Cascade { link, parent_keys, remaining, children })
    }
}
