//! What would settle the cells of a column that have the same causes, or why nothing would.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::Remedy;

use super::both::{Around, Both, Of, text_of};
use super::decide::{Column, Group};
use super::itself::Found;
use super::mapping::Background;
use super::settling::{Alters, Settling, Told, joined, thousands};
use super::{CAUSES, CauseKind, Causes, Figure};

/// Why no line can act on values that a policy made.
const PREPARED: &str = "The column is compared as an expression or a list of codes of its policy makes it, and no line acts on what \
    that makes: change the expression or the list.";
/// Why lines of several causes are not given.
const TOGETHER_NOT: &str =
    "The lines that its causes have on their own do not go together: settle one cause first, and run again.";

impl Column<'_> {
    /// Returns what would settle cells without making as many others differ; else says why nothing would, and what does.
    pub(super) fn harmless(
        &self,
        causes: Causes,
        group: &Group<'_>,
        index: usize,
        background: &Background<'_>,
    ) -> Result<Remedy, String> {
        let first = self.remedy(causes, group, false).map(|(mut remedy, alters)| {
            remedy.breaks = alters.map_or(0, |alters| self.breaks(causes, &alters, index, background));
            remedy
        });
        match first {
            Some(remedy) if remedy.breaks < remedy.settles => Ok(remedy),
            first => match self.remedy(causes, group, true) {
                Some((remedy, _)) => Ok(remedy),
                None => Err(match first {
                    Some(remedy) => breaks_more(&remedy),
                    None => self.no_line(causes, group),
                }),
            },
        }
    }

    /// Says why no line settles cells, and what does.
    fn no_line(&self, causes: Causes, group: &Group<'_>) -> String {
        let kinds: Vec<&CauseKind> = causes.kinds().collect();
        let said = self.each_told(group, &kinds, |kind, told| {
            if kind.cause.settling(told).is_some() {
                return None;
            }
            // Lines may be there for the column as it was before the policy made another of it.
            let before = Told { of: &Of { prepared: false, ..*told.of }, ..*told };
            let is_prepared = told.of.prepared && kind.cause.settling(&before).is_some();
            Some(if is_prepared { PREPARED.to_owned() } else { kind.cause.no_line(&before) })
        });
        let mut sentences: Vec<String> = Vec::new();
        for sentence in said.into_iter().flatten() {
            if !sentence.is_empty() && !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        if sentences.is_empty() { TOGETHER_NOT.to_owned() } else { sentences.join(" ") }
    }

    /// Returns how many equal cells lines would make different: of all rows that they alter those that do not differ.
    fn breaks(&self, causes: Causes, alters: &Alters, index: usize, background: &Background<'_>) -> u64 {
        let all = background.altered(index, causes).unwrap_or_else(|| {
            let rows = background.rows(index).into_iter().flatten();
            rows.filter(|(value, _)| alters(value.as_deref())).map(|(_, count)| *count).sum()
        });
        let is_counted = |pair: &u32| !self.moved.get(*pair as usize).copied().unwrap_or(false);
        let altered = |pair: &&u32| {
            is_counted(pair) && alters(text_of(&self.expected.cell(**pair as usize)).as_deref())
        };
        all.saturating_sub(self.differ.iter().filter(altered).count() as u64)
    }

    /// Calls `each` for causes with what is known of the cells of a group.
    fn each_told<T>(
        &self,
        group: &Group<'_>,
        kinds: &[&'static CauseKind],
        mut each: impl FnMut(&'static CauseKind, &Told<'_>) -> T,
    ) -> Vec<T> {
        let is_of_digits = group.pairs.iter().all(|pair| {
            let (e, t) = self.cells(*pair);
            [e, t].iter().all(|cell| {
                text_of(cell).is_some_and(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            })
        });
        kinds
            .iter()
            .map(|kind| {
                let mut by_figure: BTreeMap<Figure, u64> = BTreeMap::new();
                for (found, count) in &group.counted {
                    if let Some((_, figure)) = found.iter().find(|(position, _)| is(*position, kind)) {
                        *by_figure.entry(figure.clone()).or_default() += count;
                    }
                }
                let mut figures: Vec<(Figure, u64)> = by_figure.into_iter().collect();
                figures.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                each(kind, &Told { of: &self.of, is_of_digits, figures: &figures })
            })
            .collect()
    }

    pub(super) fn says(&self, causes: Causes, group: &Group<'_>) -> String {
        let kinds: Vec<&CauseKind> = causes.kinds().collect();
        self.each_told(group, &kinds, |kind, told| kind.cause.says(told)).join(", and from ")
    }

    /// Returns what would settle cells, and what it would alter besides; the second choice where `otherwise`.
    ///
    /// What several causes explain together is settled by all of them; what each explains alone, by the first that can.
    pub(super) fn remedy(
        &self,
        causes: Causes,
        group: &Group<'_>,
        otherwise: bool,
    ) -> Option<(Remedy, Option<Alters>)> {
        let kinds: Vec<&CauseKind> = causes.kinds().collect();
        let nothing = Around::default();
        let alone = |kind: &&CauseKind| {
            group.pairs.iter().all(|pair| {
                let (e, t) = self.cells(*pair);
                kind.cause.cell(&Both::new(&e, &t, &self.of, &nothing)).is_some()
            })
        };
        if kinds.len() > 1 && kinds.iter().all(alone) {
            return kinds
                .iter()
                .find_map(|kind| self.remedy_by(std::slice::from_ref(kind), group, otherwise));
        }
        self.remedy_by(&kinds, group, otherwise)
    }

    fn remedy_by(
        &self,
        kinds: &[&'static CauseKind],
        group: &Group<'_>,
        otherwise: bool,
    ) -> Option<(Remedy, Option<Alters>)> {
        let settling = self.each_told(group, kinds, |kind, told| match otherwise {
            true => kind.cause.otherwise(told),
            false => kind.cause.settling(told),
        });
        let settling: Vec<Settling> = settling.into_iter().collect::<Option<_>>()?;
        let is_settled = |found: &[Found]| {
            kinds.iter().zip(&settling).all(|(kind, settling)| {
                found.iter().any(|(position, figure)| is(*position, kind) && settling.covers.contains(figure))
            })
        };
        let settles =
            group.counted.iter().filter(|(found, _)| is_settled(found)).map(|(_, cells)| *cells).sum();
        let alters: Vec<Alters> = settling.iter().filter_map(|one| one.alters.clone()).collect();
        let remedy = together(&self.of, kinds, settling, settles)?;
        let any: Option<Alters> = match alters.as_slice() {
            [] => None,
            _ => Some(Arc::new(move |text: Option<&str>| alters.iter().any(|alters| alters(text)))),
        };
        Some((remedy, any))
    }
}

fn is(position: usize, kind: &CauseKind) -> bool {
    CAUSES.get(position).is_some_and(|own| own.name == kind.name)
}

/// Says that lines would do more harm than good.
fn breaks_more(remedy: &Remedy) -> String {
    let cells = |count: u64| match count {
        1 => "1 cell".to_owned(),
        count => format!("{} cells", thousands(count.into())),
    };
    format!(
        "What settles {} would make {} differ that {} equal now: only some records are so, and nothing in the column tells \
         which. The run's repairs bring each of them to what is expected.",
        cells(remedy.settles),
        cells(remedy.breaks),
        if remedy.breaks == 1 { "is" } else { "are" },
    )
}

/// Puts together what settles cells that several causes explain.
fn together(
    of: &Of<'_>,
    kinds: &[&'static CauseKind],
    settling: Vec<Settling>,
    settles: u64,
) -> Option<Remedy> {
    if settles == 0 {
        return None;
    }
    let mut remedy = Remedy { settles, ..Remedy::default() };
    let mut gives_up: Vec<String> = Vec::new();
    for one in settling {
        for (word, value) in one.policy {
            if remedy.policy.iter().any(|(other, _)| *other == word) {
                return None;
            }
            remedy.policy.push((word, value));
        }
        remedy.steps.extend(one.steps);
        remedy.literals |= one.literals;
        if !gives_up.contains(&one.gives_up) {
            gives_up.push(one.gives_up);
        }
    }
    // A step sees the blanks that a policy looks past.
    if !remedy.steps.is_empty() && kinds.iter().any(|kind| kind.name == "whitespace") {
        let columns = format!("[{}]", crate::node::yaml::text(&of.column.name));
        let tidy =
            |step: &str| vec![("step".to_owned(), step.to_owned()), ("columns".to_owned(), columns.clone())];
        remedy.steps.splice(0..0, [tidy("trim"), tidy("collapse_whitespace")]);
    }
    remedy.gives_up = joined(&gives_up);
    Some(remedy)
}
