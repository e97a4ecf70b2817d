//! From differing rows to the cause of every cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::frame::Frame;
use crate::model::{Field, Remedy};
use crate::reconcile::bind::{BoundReconcile, ComparedColumn};
use crate::reconcile::cell::Cell;
use crate::reconcile::convert::{Convert, Reader};
use crate::rule::RuleError;

use super::both::{Around, Both, Of, raw, text_of};
use super::evidence::{Counts, Frequent};
use super::itself::{Found, by_itself};
use super::mapping::{Background, Met};
use super::settling::{Alters, Settling, Told, joined};
use super::{CAUSES, CauseKind, Causes, Differing, Figure, in_order, position};

/// Why the cells of a reconciliation differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    /// For each column of [`BoundReconcile::columns`], in that order.
    pub columns: Vec<ColumnCauses>,
}

/// Why the cells of one column differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnCauses {
    /// The causes of each differing cell, in the order of [`Differing::columns`].
    pub cells: Vec<Causes>,
    /// The causes that occur, the most frequent first.
    pub outcomes: Vec<CauseOutcome>,
}

/// One cause of a column, or several that explain the same cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseOutcome {
    /// The causes.
    pub causes: Causes,
    /// The cells.
    pub cells: u64,
    /// Where the differences come from, as the rest of "… come from". It holds no cell value.
    pub says: String,
    /// What would settle them, where anything would.
    pub remedy: Option<Remedy>,
}

/// One column of the differing rows.
struct Column<'a> {
    expected: Reader,
    target: Reader,
    of: Of<'a>,
    /// The pairs that differ.
    differ: &'a [u32],
    /// For each pair that differs here the columns that differ too and hold each other's value.
    swaps: BTreeMap<u32, Vec<&'a str>>,
    /// True where one side has a zone and the other shows the clocks of one.
    zoned: bool,
    /// Which pairs were changed after a snapshot.
    moved: &'a [bool],
}

/// A study of differing rows that waits for what is around them.
///
/// The outcome does not depend on the order of the rows.
pub struct Study<'a> {
    bound: &'a BoundReconcile,
    columns: Vec<Column<'a>>,
    /// For each cell of each column what explains it; nothing where it is to be seen yet.
    found: Vec<Vec<Vec<Found>>>,
    met: Vec<Met>,
}

impl std::fmt::Debug for Study<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Study").field("columns", &self.columns.len()).finish_non_exhaustive()
    }
}

/// A side's column by our name.
fn column<'f>(
    frame: &'f Frame,
    column: &ComparedColumn,
    convert: &Convert,
) -> Result<(Reader, &'f Field), RuleError> {
    let (field, series) = frame
        .column(&column.name)
        .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of the table", column.name)))?;
    Ok((Reader::new(series.as_materialized_series(), field, convert.clone())?, field))
}

impl<'a> Study<'a> {
    /// Looks at the rows that differ.
    ///
    /// # Errors
    /// Where a column is not there or not of its type.
    pub fn new(differing: &Differing<'a>, bound: &'a BoundReconcile) -> Result<Self, RuleError> {
        let mut columns = Vec::with_capacity(bound.columns.len());
        for (position, compared) in bound.columns.iter().enumerate() {
            let (expected, e) = column(differing.expected, compared, &compared.meeting.expected)?;
            let (target, t) = column(differing.target, compared, &compared.meeting.target)?;
            let zoned = matches!(
                (&compared.meeting.expected, &compared.meeting.target),
                (Convert::Wall(_), Convert::NaiveWall(_)) | (Convert::NaiveWall(_), Convert::Wall(_))
            );
            columns.push(Column {
                expected,
                target,
                of: Of { column: compared, e, t, pairs: differing.pairs },
                differ: differing.columns.get(position).map(Vec::as_slice).unwrap_or_default(),
                swaps: BTreeMap::new(),
                zoned,
                moved: differing.moved,
            });
        }
        let swaps = swaps(&columns, differing.expected.height());
        for (column, swaps) in columns.iter_mut().zip(swaps) {
            column.swaps = swaps;
        }
        let rows = neighbours(differing.expected);
        let found: Vec<Vec<Vec<Found>>> = columns.par_iter().map(|column| column.found(&rows)).collect();
        let met = columns.par_iter().zip(&found).map(|(column, found)| column.met(found)).collect();
        Ok(Study { bound, columns, found, met })
    }

    /// Returns what is to be fed with the rows of expected that have a partner before [`Study::conclude`].
    pub fn background(&self) -> Background<'a> {
        let columns = self.columns.iter().zip(&self.found).enumerate();
        let alters = columns.flat_map(|(index, (column, found))| {
            column.alters(found).into_iter().map(move |(causes, alters)| ((index, causes), alters))
        });
        Background::new(self.bound, &self.met, alters)
    }

    /// Decides.
    pub fn conclude(mut self, background: &Background<'_>) -> Explained {
        let (mapped, real) = (position("code_mapping").unwrap_or(0), position("real_change").unwrap_or(0));
        for (index, ((column, found), met)) in
            self.columns.iter().zip(&mut self.found).zip(&self.met).enumerate()
        {
            let mapping = background.rows(index).map(|rows| met.mapping(rows)).unwrap_or_default();
            for (pair, found) in column.differ.iter().zip(found).filter(|(_, found)| found.is_empty()) {
                let (e, t) = column.cells(*pair);
                let (e, t) = (text_of(&e), text_of(&t));
                found.push(match mapping.get(&e) {
                    Some(to) if *to == t => (mapped, Figure::Pair(e, t)),
                    _ => (real, Figure::Plain),
                });
            }
        }
        let columns = self
            .columns
            .par_iter()
            .zip(&self.found)
            .enumerate()
            .map(|(index, (column, found))| column.told(found, index, background))
            .collect();
        Explained { columns }
    }
}

impl Column<'_> {
    fn cells(&self, pair: u32) -> (Cell<'_>, Cell<'_>) {
        (self.expected.cell(pair as usize), self.target.cell(pair as usize))
    }

    /// Calls `each` with both values of every cell that differs and what is around them.
    fn each(&self, rows: &[[Option<u32>; 4]], mut each: impl FnMut(&Both<'_>)) {
        for pair in self.differ {
            let index = *pair as usize;
            let (e, t) = self.cells(*pair);
            let neighbour = |side: usize| rows.get(index)?[side].map(|row| self.expected.cell(row as usize));
            let around = Around {
                neighbours: std::array::from_fn(neighbour),
                swapped: self.swaps.get(pair).cloned().unwrap_or_default(),
                raw: self.zoned.then(|| (raw(&self.expected, index), raw(&self.target, index))),
                moved: self.moved.get(index).copied().unwrap_or(false),
            };
            each(&Both::new(&e, &t, &self.of, &around));
        }
    }

    /// Finds what explains each cell, by the column's patterns or by itself.
    fn found(&self, rows: &[[Option<u32>; 4]]) -> Vec<Vec<Found>> {
        let order = in_order();
        let mut frequent: Vec<Frequent> = vec![Frequent::default(); CAUSES.len()];
        let mut figures = Vec::new();
        self.each(rows, |both| {
            for (kind, frequent) in CAUSES.iter().zip(&mut frequent) {
                kind.pattern(both, &mut figures);
                figures.drain(..).for_each(|figure| frequent.add(figure));
            }
        });
        let mut counts: Vec<Counts> = frequent.into_iter().map(Frequent::count).collect();
        let mut by_themselves = Vec::with_capacity(self.differ.len());
        self.each(rows, |both| {
            let own = by_itself(both, &order);
            let value = text_of(both.e).map_or(0, |text| xxh3_64(text.as_bytes()) | 1);
            for (kind, counts) in CAUSES.iter().zip(&mut counts).filter(|(_, counts)| !counts.is_empty()) {
                kind.pattern(both, &mut figures);
                figures.drain(..).for_each(|figure| counts.add(&figure, own.is_empty(), value));
            }
            by_themselves.push(own);
        });
        let pattern = |(counts, kind): (&Counts, &CauseKind)| {
            counts.patterns(self.differ.len() as u64, kind.cause.chance().as_ref())
        };
        let patterns: Vec<BTreeMap<Figure, u64>> = counts.iter().zip(CAUSES).map(pattern).collect();
        if patterns.iter().all(BTreeMap::is_empty) {
            return by_themselves;
        }
        let mut own = by_themselves.into_iter();
        let mut found = Vec::with_capacity(self.differ.len());
        self.each(rows, |both| {
            let own = own.next().unwrap_or_default();
            let pattern = order.iter().find_map(|position| {
                let (kind, patterns) = (CAUSES.get(*position)?, patterns.get(*position)?);
                if patterns.is_empty() {
                    return None;
                }
                kind.pattern(both, &mut figures);
                // The figure that most cells have, and of those the least.
                let best = figures
                    .drain(..)
                    .filter_map(|figure| Some((std::cmp::Reverse(*patterns.get(&figure)?), figure)))
                    .min();
                best.map(|(_, figure)| (*position, figure))
            });
            found.push(pattern.map_or(own, |pattern| vec![pattern]));
        });
        found
    }

    /// Collects the values of the cells that nothing explains.
    fn met(&self, found: &[Vec<Found>]) -> Met {
        let mut met = Met::default();
        for (pair, _) in self.differ.iter().zip(found).filter(|(_, found)| found.is_empty()) {
            let (e, t) = self.cells(*pair);
            met.add(text_of(&e), text_of(&t));
        }
        met
    }

    /// Returns what lines would alter, by the causes that they would settle.
    fn alters(&self, found: &[Vec<Found>]) -> Vec<(Causes, Alters)> {
        let groups = self.groups(found);
        let settled = groups.iter().filter_map(|(causes, group)| {
            let (_, alters) = self.remedy(*causes, group, false)?;
            alters.map(|alters| (*causes, alters))
        });
        settled.collect()
    }

    /// Says of each cause what can be said.
    fn told(&self, found: &[Vec<Found>], index: usize, background: &Background<'_>) -> ColumnCauses {
        let cells = found.iter().map(|found| causes_of(found)).collect();
        let mut outcomes: Vec<CauseOutcome> = self
            .groups(found)
            .iter()
            .map(|(causes, group)| CauseOutcome {
                causes: *causes,
                cells: group.pairs.len() as u64,
                says: self.says(*causes, group),
                remedy: self.harmless(*causes, group, index, background),
            })
            .collect();
        outcomes.sort_by(|a, b| b.cells.cmp(&a.cells).then_with(|| a.causes.cmp(&b.causes)));
        ColumnCauses { cells, outcomes }
    }

    /// Returns what would settle cells without making as many others differ.
    fn harmless(
        &self,
        causes: Causes,
        group: &Group<'_>,
        index: usize,
        background: &Background<'_>,
    ) -> Option<Remedy> {
        let first = self.remedy(causes, group, false).map(|(mut remedy, alters)| {
            remedy.breaks = alters.map_or(0, |alters| self.breaks(causes, &alters, index, background));
            remedy
        });
        match first {
            Some(remedy) if remedy.breaks < remedy.settles => Some(remedy),
            _ => self.remedy(causes, group, true).map(|(remedy, _)| remedy),
        }
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

    fn says(&self, causes: Causes, group: &Group<'_>) -> String {
        let kinds: Vec<&CauseKind> = causes.kinds().collect();
        self.each_told(group, &kinds, |kind, told| kind.cause.says(told)).join(", and from ")
    }

    /// Returns what would settle cells, and what it would alter besides; the second choice where `otherwise`.
    ///
    /// What several causes explain together is settled by all of them; what each explains alone, by the first that can.
    fn remedy(&self, causes: Causes, group: &Group<'_>, otherwise: bool) -> Option<(Remedy, Option<Alters>)> {
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

    /// Puts the cells of the same causes together.
    fn groups<'f>(&self, found: &'f [Vec<Found>]) -> BTreeMap<Causes, Group<'f>> {
        let mut groups: BTreeMap<Causes, Group<'f>> = BTreeMap::new();
        for (pair, found) in self.differ.iter().zip(found).filter(|(_, found)| !found.is_empty()) {
            let group = groups.entry(causes_of(found)).or_default();
            group.pairs.push(*pair);
            *group.counted.entry(found.as_slice()).or_default() += 1;
        }
        groups
    }
}

/// The cells of a column that have the same causes.
#[derive(Default)]
struct Group<'f> {
    /// Their pairs.
    pairs: Vec<u32>,
    /// How many have which figures.
    counted: BTreeMap<&'f [Found], u64>,
}

fn causes_of(found: &[Found]) -> Causes {
    let positions: Vec<usize> = found.iter().map(|(position, _)| *position).collect();
    Causes::new(&positions)
}

fn is(position: usize, kind: &CauseKind) -> bool {
    CAUSES.get(position).is_some_and(|own| own.name == kind.name)
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

/// Returns for each row the indexes of the rows whose positions in the snapshot are one less, one more, two less, two more.
fn neighbours(frame: &Frame) -> Vec<[Option<u32>; 4]> {
    let mut places: Vec<(u64, u32)> = frame.rows.iter().copied().zip(0_u32..).collect();
    places.sort_unstable();
    let find = |row: Option<u64>| {
        let row = row?;
        let at = places.binary_search_by_key(&row, |(place, _)| *place).ok()?;
        places.get(at).map(|(_, index)| *index)
    };
    let near = |row: &u64| [row.checked_sub(1), row.checked_add(1), row.checked_sub(2), row.checked_add(2)];
    frame.rows.iter().map(|row| near(row).map(find)).collect()
}

/// Finds for each column the pairs in which another column differs too and the two hold each other's values.
fn swaps<'a>(columns: &[Column<'a>], rows: usize) -> Vec<BTreeMap<u32, Vec<&'a str>>> {
    let mut swaps = vec![BTreeMap::new(); columns.len()];
    let mut in_row: Vec<Vec<usize>> = vec![Vec::new(); rows];
    for (position, column) in columns.iter().enumerate() {
        for pair in column.differ {
            if let Some(list) = in_row.get_mut(*pair as usize) {
                list.push(position);
            }
        }
    }
    for (pair, list) in (0_u32..).zip(&in_row).filter(|(_, list)| list.len() > 1) {
        let cells: Vec<(usize, Cell<'_>, Cell<'_>)> = list
            .iter()
            .filter_map(|position| {
                let (e, t) = columns.get(*position)?.cells(pair);
                Some((*position, e, t))
            })
            .collect();
        for (i, (a, a_e, a_t)) in cells.iter().enumerate() {
            for (b, b_e, b_t) in cells.iter().skip(i + 1) {
                if !a_e.equals(b_t) || !b_e.equals(a_t) {
                    continue;
                }
                for (own, other) in [(a, b), (b, a)] {
                    if let (Some(swaps), Some(other)) = (swaps.get_mut(*own), columns.get(*other)) {
                        let own: &mut Vec<&'a str> = swaps.entry(pair).or_default();
                        own.push(other.of.column.name.as_str());
                    }
                }
            }
        }
    }
    swaps
}
