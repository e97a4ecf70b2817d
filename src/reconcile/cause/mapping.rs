//! Code mappings: one value of expected always meets one other value of the target.
//!
//! That a value always meets another cannot be seen from the rows that differ: where `Open` became `Closed` in one record
//! of a hundred it did so in every one of those. So the rows that have a partner are counted too, but only the few
//! values that may be codes, and those that lines would alter where both sides have them. Where a column slipped, the value in
//! the row before the first that differs is looked at as well.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::frame::Frame;
use crate::reconcile::bind::BoundReconcile;
use crate::reconcile::cell::Cell;
use crate::reconcile::convert::Reader;
use crate::rule::RuleError;

use super::around::Beside;
use super::both::{key, text_of};
use super::settling::Alters;
use super::{Causes, LEAST_CELLS};

/// The most different expected values of codes: a column with more of them that nothing else explains holds no codes.
const MOST_VALUES: usize = 1_000;
/// The fewest cells in which one value meets the other.
const LEAST_OF_VALUE: u64 = 3;
/// In at least so many of a hundred rows the value meets the other.
const OF_A_HUNDRED: u64 = 95;

/// The pairs of values that nothing else explains, of one column.
#[derive(Debug, Clone, Default)]
pub(super) struct Met {
    pairs: BTreeMap<Option<String>, BTreeMap<Option<String>, u64>>,
    too_many: bool,
}

impl Met {
    pub(super) fn add(&mut self, expected: Option<String>, target: Option<String>) {
        if self.too_many {
            return;
        }
        *self.pairs.entry(expected).or_default().entry(target).or_default() += 1;
        if self.pairs.len() > MOST_VALUES {
            self.too_many = true;
            self.pairs.clear();
        }
    }

    /// Returns each expected value that may be a code, with what it meets most and how often.
    fn candidates(&self) -> impl Iterator<Item = (&Option<String>, &Option<String>, u64)> {
        self.pairs.iter().filter_map(|(expected, met)| {
            let (target, count) = met.iter().max_by_key(|(_, count)| **count)?;
            (*count >= LEAST_OF_VALUE).then_some((expected, target, *count))
        })
    }

    /// Returns the mapping, where there is one.
    pub(super) fn mapping(
        &self,
        rows: &BTreeMap<Option<String>, u64>,
    ) -> BTreeMap<Option<String>, Option<String>> {
        let always = |expected: &Option<String>, count: u64| {
            rows.get(expected).is_some_and(|all| count * 100 >= all * OF_A_HUNDRED)
        };
        let held: Vec<_> =
            self.candidates().filter(|(expected, _, count)| always(expected, *count)).collect();
        let cells: u64 = held.iter().map(|(_, _, count)| *count).sum();
        if cells < LEAST_CELLS {
            return BTreeMap::new();
        }
        held.into_iter().map(|(expected, target, _)| (expected.clone(), target.clone())).collect()
    }
}

/// How many rows that have a partner hold the values that may be codes.
///
/// It is fed expected's rows, in any order and any portions, each row once; several may be merged.
#[derive(Clone)]
pub struct Background<'a> {
    bound: &'a BoundReconcile,
    /// By position of the column.
    rows: BTreeMap<usize, BTreeMap<Option<String>, u64>>,
    /// What lines would alter, by position of the column and the causes they would settle.
    altered: BTreeMap<(usize, Causes), (Alters, u64)>,
    /// The positions of rows whose values are wanted, ascending, by position of the column.
    wanted: Arc<BTreeMap<usize, Vec<u64>>>,
    /// What stands for the value in such a row, as far as it was fed.
    beside: BTreeMap<(usize, u64), u64>,
}

impl std::fmt::Debug for Background<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Background").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<'a> Background<'a> {
    pub(super) fn new(
        bound: &'a BoundReconcile,
        met: &[Met],
        alters: impl IntoIterator<Item = ((usize, Causes), Alters)>,
        beside: &[Vec<Beside>],
    ) -> Self {
        let wanted = |met: &Met| met.candidates().map(|(value, _, _)| (value.clone(), 0)).collect();
        let rows: BTreeMap<usize, BTreeMap<Option<String>, u64>> =
            met.iter().map(wanted).enumerate().collect();
        let altered = alters.into_iter().map(|(place, alters)| (place, (alters, 0))).collect();
        let mut wanted: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for (column, beside) in beside.iter().enumerate().filter(|(_, beside)| !beside.is_empty()) {
            let mut rows: Vec<u64> = beside.iter().map(|beside| beside.row).collect();
            rows.sort_unstable();
            rows.dedup();
            wanted.insert(column, rows);
        }
        Background {
            bound,
            rows: rows.into_iter().filter(|(_, values)| !values.is_empty()).collect(),
            altered,
            wanted: Arc::new(wanted),
            beside: BTreeMap::new(),
        }
    }

    /// Returns the columns of expected that are to be fed, by our names; none where nothing is to be counted.
    pub fn columns(&self) -> Vec<&'a str> {
        self.positions()
            .iter()
            .filter_map(|column| Some(self.bound.columns.get(*column)?.name.as_str()))
            .collect()
    }

    fn positions(&self) -> BTreeSet<usize> {
        let of_lines = self.altered.keys().map(|(column, _)| *column);
        self.rows.keys().copied().chain(of_lines).chain(self.wanted.keys().copied()).collect()
    }

    /// Counts the rows of a frame: rows of expected that have a partner, those that differ included.
    ///
    /// # Errors
    /// Where a column is not there.
    pub fn feed(&mut self, expected: &Frame) -> Result<(), RuleError> {
        for position in self.positions() {
            let Some(column) = self.bound.columns.get(position) else { continue };
            let (field, series) = expected.column(&column.name).ok_or_else(|| {
                RuleError::Refused(format!("`{}` is not a column of the table", column.name))
            })?;
            let convert = column.meeting.expected.clone();
            let reader = Reader::new(series.as_materialized_series(), field, convert)?;
            let mut codes = self.rows.get_mut(&position).map(Codes::new).unwrap_or_default();
            let mut altered: Vec<&mut (Alters, u64)> = self
                .altered
                .iter_mut()
                .filter(|((own, _), _)| *own == position)
                .map(|(_, counted)| counted)
                .collect();
            let wanted = self.wanted.get(&position).map(Vec::as_slice).unwrap_or_default();
            let is_counted = !altered.is_empty() || !codes.is_empty();
            for (row, place) in expected.rows.iter().enumerate() {
                if !wanted.is_empty() && wanted.binary_search(place).is_ok() {
                    self.beside.insert((position, *place), key(&column.policy, &reader.cell(row)));
                }
                if !is_counted {
                    continue;
                }
                let cell = reader.cell(row);
                let text = match &cell {
                    Cell::Text(text) => Some(Cow::Borrowed(text.as_ref())),
                    cell => text_of(cell).map(Cow::Owned),
                };
                for (alters, count) in &mut altered {
                    *count += u64::from(alters(text.as_deref()));
                }
                if let Some(count) = codes.get(text.as_deref()) {
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// Adds what another counted.
    pub fn merge(&mut self, other: &Background<'_>) {
        for (position, values) in &other.rows {
            let own = self.rows.entry(*position).or_default();
            for (value, count) in values {
                *own.entry(value.clone()).or_default() += count;
            }
        }
        self.beside.extend(&other.beside);
        for (place, (_, count)) in &other.altered {
            if let Some((_, own)) = self.altered.get_mut(place) {
                *own += count;
            }
        }
    }

    /// Returns what stands for a column's value in the row at this position of the snapshot, where it was wanted and fed.
    pub(super) fn beside(&self, column: usize, row: u64) -> Option<u64> {
        self.beside.get(&(column, row)).copied()
    }

    /// Returns how many rows lines would alter, those that differ included; nothing where that was not counted.
    pub(super) fn altered(&self, column: usize, causes: Causes) -> Option<u64> {
        self.altered.get(&(column, causes)).map(|(_, count)| *count)
    }

    pub(super) fn rows(&self, column: usize) -> Option<&BTreeMap<Option<String>, u64>> {
        self.rows.get(&column)
    }
}

/// The values of a column that may be codes, to be found among all values, of which few are.
#[derive(Default)]
struct Codes<'a> {
    null: Option<&'a mut u64>,
    texts: HashMap<&'a str, &'a mut u64>,
    /// The lengths that any of them has, as bits; the last stands for all from there on.
    lengths: u64,
}

impl<'a> Codes<'a> {
    fn new(values: &'a mut BTreeMap<Option<String>, u64>) -> Self {
        let mut codes = Codes::default();
        for (value, count) in values {
            match value {
                None => codes.null = Some(count),
                Some(text) => {
                    codes.lengths |= Self::bit(text);
                    codes.texts.insert(text, count);
                }
            }
        }
        codes
    }

    fn is_empty(&self) -> bool {
        self.null.is_none() && self.texts.is_empty()
    }

    fn bit(text: &str) -> u64 {
        1 << text.len().min(63)
    }

    fn get(&mut self, value: Option<&str>) -> Option<&mut u64> {
        match value {
            None => self.null.as_deref_mut(),
            Some(text) if self.lengths & Self::bit(text) == 0 => None,
            Some(text) => self.texts.get_mut(text).map(|count| &mut **count),
        }
    }
}
