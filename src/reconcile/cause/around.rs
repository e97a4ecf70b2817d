//! What is around the cells of a column: the rows beside them, and the other columns of their row.

use std::collections::BTreeMap;

use crate::frame::Frame;
use crate::reconcile::cell::Cell;

use super::decide::Column;
use super::itself::Found;

/// The rows that differ, and which of them stand side by side in the snapshot.
pub(super) struct Places<'a> {
    /// Their positions in the snapshot.
    rows: &'a [u64],
    /// For each the indexes of the rows whose positions are one less and one more.
    beside: Vec<[Option<u32>; 2]>,
}

/// A cell that has a pattern's cause if the row beside it, which does not differ, holds its value.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// Which of the column's differing cells it is.
    pub(super) cell: usize,
    /// The position of the row beside it.
    pub(super) row: u64,
    /// What it has then.
    pub(super) found: Found,
}

impl<'a> Places<'a> {
    pub(super) fn new(frame: &'a Frame) -> Self {
        let mut places: Vec<(u64, u32)> = frame.rows.iter().copied().zip(0_u32..).collect();
        places.sort_unstable();
        let find = |row: Option<u64>| {
            let row = row?;
            let at = places.binary_search_by_key(&row, |(place, _)| *place).ok()?;
            places.get(at).map(|(_, index)| *index)
        };
        let beside =
            frame.rows.iter().map(|row| [find(row.checked_sub(1)), find(row.checked_add(1))]).collect();
        Places { rows: &frame.rows, beside }
    }

    /// Returns the index of the row before, for side 0, or behind another one.
    pub(super) fn beside(&self, index: usize, side: usize) -> Option<u32> {
        *self.beside.get(index)?.get(side)?
    }

    /// Returns the position of the row before or behind another one, whether it differs or not; positions begin at 1.
    pub(super) fn position_beside(&self, index: usize, side: usize) -> Option<u64> {
        let own = *self.rows.get(index)?;
        let row = if side == 0 { own.checked_sub(1)? } else { own.checked_add(1)? };
        (row > 0).then_some(row)
    }
}

/// Finds for each column the pairs in which another column differs too and the two hold each other's values.
pub(super) fn swaps<'a>(columns: &[Column<'a>], rows: usize) -> Vec<BTreeMap<u32, Vec<&'a str>>> {
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
