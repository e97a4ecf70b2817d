//! Patterns of a column: figures that many of its cells share.
//!
//! Figures are counted in two passes. The first keeps the few that can be frequent (Misra and Gries, 1982: of what makes
//! up more than one in `KEPT + 1` of all that was seen, nothing is lost); the second counts those exactly. So memory does
//! not grow with the cells, and the outcome does not depend on their order.

use std::collections::{BTreeMap, BTreeSet};

use super::{Figure, LEAST_CELLS, LEAST_VALUES, ONE_IN};

/// How many figures the first pass keeps. A cell adds at most two, and a pattern is one cell in [`ONE_IN`] or more: one
/// figure in forty.
const KEPT: usize = 64;

/// The first pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Frequent(BTreeMap<Figure, u64>);

impl Frequent {
    pub(super) fn add(&mut self, figure: Figure) {
        if let Some(count) = self.0.get_mut(&figure) {
            *count += 1;
        } else if self.0.len() < KEPT {
            self.0.insert(figure, 1);
        } else {
            self.0.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// Makes the second pass, of the figures that may be frequent.
    pub(super) fn count(self) -> Counts {
        Counts(self.0.into_keys().map(|figure| (figure, Count::default())).collect())
    }
}

/// What speaks for a figure.
#[derive(Debug, Clone, Default)]
struct Count {
    /// Cells with it.
    cells: u64,
    /// Of those the ones that show no cause by themselves.
    alone: u64,
    /// Hashes of their expected values, no more than are needed.
    values: BTreeSet<u64>,
}

/// The second pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(BTreeMap<Figure, Count>);

impl Counts {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts a cell; `alone` where it shows no cause by itself.
    pub(super) fn add(&mut self, figure: &Figure, alone: bool, value: u64) {
        if let Some(count) = self.0.get_mut(figure) {
            count.cells += 1;
            count.alone += u64::from(alone);
            if count.values.len() < LEAST_VALUES {
                count.values.insert(value);
            }
        }
    }

    /// Returns the figures that make a pattern among so many differing cells, with their cells.
    pub(super) fn patterns(&self, differing: u64) -> BTreeMap<Figure, u64> {
        let holds = |count: &Count| {
            count.alone >= LEAST_CELLS
                && count.alone * 2 >= count.cells
                && count.values.len() >= LEAST_VALUES
                && count.cells * ONE_IN >= differing
        };
        self.0
            .iter()
            .filter(|(_, count)| holds(count))
            .map(|(figure, count)| (figure.clone(), count.cells))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_frequent_is_lost_whatever_the_order(
            figures in proptest::collection::vec(0_i128..200, 0..600).prop_shuffle(),
        ) {
            let mut frequent = Frequent::default();
            for figure in &figures {
                frequent.add(Figure::Number(*figure));
            }
            let counts = frequent.count();
            for figure in &figures {
                let cells = figures.iter().filter(|other| *other == figure).count();
                let must_be_there = cells * (KEPT + 1) > figures.len();
                prop_assert!(!must_be_there || counts.0.contains_key(&Figure::Number(*figure)));
            }
        }
    }

    #[test]
    fn a_pattern_needs_cells_values_a_share_and_no_better_cause() {
        let counted = |cells: u64, alone: u64, values: u64| {
            let mut frequent = Frequent::default();
            frequent.add(Figure::Plain);
            let mut counts = frequent.count();
            (0..cells).for_each(|i| counts.add(&Figure::Plain, i < alone, i % values));
            counts
        };
        assert_eq!(counted(5, 5, 3).patterns(100).get(&Figure::Plain), Some(&5));
        assert!(counted(4, 4, 3).patterns(4).is_empty(), "too few cells");
        assert!(counted(5, 5, 2).patterns(5).is_empty(), "too few values");
        assert!(counted(5, 5, 3).patterns(101).is_empty(), "too small a share");
        assert!(counted(12, 5, 3).patterns(12).is_empty(), "most have a cause of their own");
    }
}
