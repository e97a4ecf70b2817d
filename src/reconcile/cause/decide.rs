//! From differing rows to the cause of every cell.

use std::collections::BTreeMap;

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::frame::Frame;
use crate::model::{Field, Remedy};
use crate::reconcile::bind::{BoundReconcile, ComparedColumn};
use crate::reconcile::cell::Cell;
use crate::reconcile::convert::{Convert, Reader};
use crate::rule::RuleError;

use super::around::{Beside, Places, swaps};
use super::both::{Around, Both, Of, raw, text_of};
use super::evidence::{Counts, Frequent};
use super::itself::{Found, by_itself};
use super::mapping::{Background, Met};
use super::settling::Alters;
use super::{CAUSES, CauseKind, Causes, Differing, Figure, chance, in_order, position};

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
    /// Where nothing would: why, and what does, in sentences. They hold no cell value.
    pub no_line: Option<String>,
}

/// One column of the differing rows.
pub(super) struct Column<'a> {
    pub(super) expected: Reader,
    target: Reader,
    pub(super) of: Of<'a>,
    /// The pairs that differ.
    pub(super) differ: &'a [u32],
    /// For each pair that differs here the columns that differ too and hold each other's value.
    swaps: BTreeMap<u32, Vec<&'a str>>,
    /// True where one side has a zone and the other shows the clocks of one.
    zoned: bool,
    /// Which pairs were changed after a snapshot.
    pub(super) moved: &'a [bool],
}

/// A study of differing rows that waits for what is around them.
///
/// The outcome does not depend on the order of the rows.
pub struct Study<'a> {
    bound: &'a BoundReconcile,
    columns: Vec<Column<'a>>,
    /// For each cell of each column what explains it; nothing where it is to be seen yet.
    found: Vec<Vec<Vec<Found>>>,
    /// For each column the cells that a row beside them, which does not differ, may explain.
    beside: Vec<Vec<Beside>>,
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
                of: Of {
                    column: compared,
                    e,
                    t,
                    pairs: differing.pairs,
                    prepared: bound.preparations.0.makes(&compared.name),
                },
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
        let places = Places::new(differing.expected);
        let (found, beside): (Vec<Vec<Vec<Found>>>, Vec<Vec<Beside>>) =
            columns.par_iter().map(|column| column.found(&places)).unzip();
        let met = columns.par_iter().zip(&found).map(|(column, found)| column.met(found)).collect();
        Ok(Study { bound, columns, found, beside, met })
    }

    /// Returns what is to be fed with the rows of expected that have a partner before [`Study::conclude`].
    pub fn background(&self) -> Background<'a> {
        let columns = self.columns.iter().zip(&self.found).enumerate();
        let alters = columns.flat_map(|(index, (column, found))| {
            column.alters(found).into_iter().map(move |(causes, alters)| ((index, causes), alters))
        });
        Background::new(self.bound, &self.met, alters, &self.beside)
    }

    /// Decides.
    pub fn conclude(mut self, background: &Background<'_>) -> Explained {
        let (mapped, real) = (position("code_mapping").unwrap_or(0), position("real_change").unwrap_or(0));
        for (index, ((column, found), met)) in
            self.columns.iter().zip(&mut self.found).zip(&self.met).enumerate()
        {
            for beside in self.beside.get(index).into_iter().flatten() {
                let (Some(pair), Some(found)) = (column.differ.get(beside.cell), found.get_mut(beside.cell))
                else {
                    continue;
                };
                let own = column.of.key(&column.target.cell(*pair as usize));
                if found.is_empty() && background.beside(index, beside.row) == Some(own) {
                    found.push(beside.found.clone());
                }
            }
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
    pub(super) fn cells(&self, pair: u32) -> (Cell<'_>, Cell<'_>) {
        (self.expected.cell(pair as usize), self.target.cell(pair as usize))
    }

    /// Calls `each` with both values of every cell that differs and what is around them.
    fn each(&self, places: &Places<'_>, mut each: impl FnMut(&Both<'_>)) {
        for pair in self.differ {
            let index = *pair as usize;
            let (e, t) = self.cells(*pair);
            let neighbour = |side| places.beside(index, side).map(|row| self.expected.cell(row as usize));
            let around = Around {
                neighbours: [neighbour(0), neighbour(1)],
                swapped: self.swaps.get(pair).cloned().unwrap_or_default(),
                raw: self.zoned.then(|| (raw(&self.expected, index), raw(&self.target, index))),
                moved: self.moved.get(index).copied().unwrap_or(false),
            };
            each(&Both::new(&e, &t, &self.of, &around));
        }
    }

    /// Finds what explains each cell, by the column's patterns or by itself; and the cells that a row may explain that does
    /// not differ.
    fn found(&self, places: &Places<'_>) -> (Vec<Vec<Found>>, Vec<Beside>) {
        let order = in_order();
        let mut frequent: Vec<Frequent> = vec![Frequent::default(); CAUSES.len()];
        let mut figures = Vec::new();
        self.each(places, |both| {
            for (kind, frequent) in CAUSES.iter().zip(&mut frequent) {
                kind.pattern(both, &mut figures);
                figures.drain(..).for_each(|figure| frequent.add(figure));
            }
        });
        let mut counts: Vec<Counts> = frequent.into_iter().map(Frequent::count).collect();
        let mut by_themselves = Vec::with_capacity(self.differ.len());
        self.each(places, |both| {
            let own = by_itself(both, &order);
            let value = text_of(both.e).map_or(0, |text| xxh3_64(text.as_bytes()) | 1);
            for (kind, counts) in CAUSES.iter().zip(&mut counts).filter(|(_, counts)| !counts.is_empty()) {
                kind.pattern(both, &mut figures);
                figures.drain(..).for_each(|figure| counts.add(&figure, own.is_empty(), value));
            }
            by_themselves.push(own);
        });
        let mut patterns: Vec<BTreeMap<Figure, u64>> =
            counts.iter().map(|counts| counts.patterns(self.differ.len() as u64)).collect();
        for (kind, patterns) in CAUSES.iter().zip(&mut patterns) {
            patterns.retain(|figure, _| self.is_beyond_chance(kind, figure, places));
        }
        if patterns.iter().all(BTreeMap::is_empty) {
            return (by_themselves, Vec::new());
        }
        let looks: Vec<(Found, usize)> = patterns
            .iter()
            .enumerate()
            .flat_map(|(position, patterns)| patterns.keys().map(move |figure| (position, figure.clone())))
            .filter_map(|found| Some((found.clone(), CAUSES.get(found.0)?.cause.looks_at(&found.1)?)))
            .collect();
        let mut own = by_themselves.into_iter();
        let (mut found, mut beside) = (Vec::with_capacity(self.differ.len()), Vec::new());
        self.each(places, |both| {
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
            if pattern.is_none() && own.is_empty() {
                let cell = found.len();
                let index = self.differ.get(cell).map_or(usize::MAX, |pair| *pair as usize);
                let unknown = looks.iter().filter(|(_, side)| places.beside(index, *side).is_none());
                beside.extend(unknown.filter_map(|(found, side)| {
                    Some(Beside { cell, row: places.position_beside(index, *side)?, found: found.clone() })
                }));
            }
            found.push(pattern.map_or(own, |pattern| vec![pattern]));
        });
        (found, beside)
    }

    /// Returns true where a figure does not rest on what stands in the rows beside the cells, or is there more often than
    /// chance would have it.
    fn is_beyond_chance(&self, kind: &CauseKind, figure: &Figure, places: &Places<'_>) -> bool {
        let Some(side) = kind.cause.looks_at(figure) else { return true };
        let (mut own, mut beside, mut equal) = (Vec::new(), Vec::new(), 0);
        self.each(places, |both| {
            if let Some(Some(neighbour)) = both.around.neighbours.get(side)
                && !both.around.moved
            {
                let (cell, neighbour) = (self.of.key(both.t), self.of.key(neighbour));
                equal += u64::from(cell == neighbour);
                own.push(cell);
                beside.push(neighbour);
            }
        });
        chance::bound(equal, own, beside) <= chance::MOST
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
            .map(|(causes, group)| {
                let (remedy, no_line) = match self.harmless(*causes, group, index, background) {
                    Ok(remedy) => (Some(remedy), None),
                    Err(why) => (None, Some(why)),
                };
                let says = self.says(*causes, group);
                CauseOutcome { causes: *causes, cells: group.pairs.len() as u64, says, remedy, no_line }
            })
            .collect();
        outcomes.sort_by(|a, b| b.cells.cmp(&a.cells).then_with(|| a.causes.cmp(&b.causes)));
        ColumnCauses { cells, outcomes }
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
pub(super) struct Group<'f> {
    /// Their pairs.
    pub(super) pairs: Vec<u32>,
    /// How many have which figures.
    pub(super) counted: BTreeMap<&'f [Found], u64>,
}

fn causes_of(found: &[Found]) -> Causes {
    let positions: Vec<usize> = found.iter().map(|(position, _)| *position).collect();
    Causes::new(&positions)
}
