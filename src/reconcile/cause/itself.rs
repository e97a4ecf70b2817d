//! Causes that a cell shows by itself, alone or together.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::reconcile::cell::Cell;

use super::both::{Around, Both};
use super::{CAUSES, Figure, MOVED, TOGETHER, position};

/// A cause that was found in a cell, with its figure there.
pub(super) type Found = (usize, Figure);

/// Finds the causes that a cell shows by itself: those that explain it alone, else the fewest that do together.
pub(super) fn by_itself(both: &Both<'_>, order: &[usize]) -> Vec<Found> {
    if both.around.moved {
        return position(MOVED).map(|moved| (moved, Figure::Plain)).into_iter().collect();
    }
    let tried = |position: &usize| Some((*position, CAUSES.get(*position)?.cause.cell(both)?));
    let alone: Vec<Found> = order.iter().filter_map(tried).collect();
    if !alone.is_empty() {
        let included: BTreeSet<&str> = alone
            .iter()
            .filter_map(|(position, _)| CAUSES.get(*position))
            .flat_map(|kind| kind.includes.iter().copied())
            .collect();
        let stays = |found: &Found| CAUSES.get(found.0).is_some_and(|kind| !included.contains(kind.name));
        let left: Vec<Found> = alone.iter().filter(|found| stays(found)).cloned().collect();
        // Causes that include each other would leave none.
        let left = if left.is_empty() { alone } else { left };
        return left.into_iter().take(TOGETHER).collect();
    }
    let Some((e, t)) = both.texts() else { return Vec::new() };
    let forms: Vec<usize> = order
        .iter()
        .copied()
        .filter(|position| {
            CAUSES.get(*position).is_some_and(|kind| {
                [e, t].iter().any(|text| kind.cause.form(text).is_some_and(|form| form != *text))
            })
        })
        .collect();
    // What is not equal without all of them is not equal without some.
    if forms.len() < 2 || !both.same_texts(&formed(e, &forms, None), &formed(t, &forms, None)) {
        return Vec::new();
    }
    for size in 2..=TOGETHER.min(forms.len()) {
        let mut chosen = Vec::new();
        if let Some(found) = explaining(both, (e, t), &forms, size, &mut chosen) {
            return found;
        }
    }
    Vec::new()
}

/// Returns a text brought into the forms of causes, but for one.
fn formed(text: &str, forms: &[usize], without: Option<usize>) -> String {
    let mut text = text.to_owned();
    for position in forms.iter().filter(|position| Some(**position) != without) {
        let form = CAUSES.get(*position).and_then(|kind| kind.cause.form(&text).map(Cow::into_owned));
        text = form.unwrap_or(text);
    }
    text
}

/// Tries all sets of `size` more causes, in order: one explains the cell where each of its causes does when the others
/// have been taken away.
fn explaining(
    both: &Both<'_>,
    (e, t): (&str, &str),
    forms: &[usize],
    size: usize,
    chosen: &mut Vec<usize>,
) -> Option<Vec<Found>> {
    if size == 0 {
        let nothing = Around::default();
        return chosen
            .iter()
            .map(|position| {
                let e = Cell::Text(formed(e, chosen, Some(*position)).into());
                let t = Cell::Text(formed(t, chosen, Some(*position)).into());
                let figure = CAUSES.get(*position)?.cause.cell(&Both::new(&e, &t, both.of, &nothing))?;
                Some((*position, figure))
            })
            .collect();
    }
    for (i, position) in forms.iter().enumerate() {
        chosen.push(*position);
        let rest = forms.get(i + 1..).unwrap_or_default();
        let found = explaining(both, (e, t), rest, size - 1, chosen);
        chosen.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}
