//! Values that stand one row too high or too low.
//!
//! A column was pasted beside the others and slipped by a row; a sort took some columns and left others.
//!
//! - A pattern: five cells or more, of three values or more, and at least one in twenty of the column's differing cells,
//!   hold what is expected in the row before, or in the row behind, by position in the source's snapshot.
//! - The row beside is looked at where it differs too, which in a run of shifted rows it does.
//! - They are more than those that hold what is expected two rows before or two rows behind: where a column has few values, so
//!   many are met by chance.
//! - No line settles it: the load must be run again.
//!
//! ```rows expected
//! | uprn: i64 |
//! | 100020    |
//! | 100077    |
//! | 100013    |
//! | 100056    |
//! | 100031    |
//! | 100042    |
//! ```
//! ```rows target
//! | uprn: i64 |
//! | 100077    |
//! | 100013    |
//! | 100056    |
//! | 100031    |
//! | 100042    |
//! | 100020    |
//! ```
//! ```causes
//! row 1: uprn: rows_shifted
//! row 2: uprn: rows_shifted
//! row 3: uprn: rows_shifted
//! row 4: uprn: rows_shifted
//! row 5: uprn: rows_shifted
//! row 6: uprn: real_change
//! ```

use super::both::Both;
use super::settling::Told;
use super::{Cause, Figure};

pub(super) const RANK: u8 = 215;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

const BEFORE: &str = "before";
const BEHIND: &str = "behind";
const CHANCE: &str = "two away";

impl Cause for This {
    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        for (neighbour, word) in both.around.neighbours.iter().zip([BEFORE, BEHIND, CHANCE, CHANCE]) {
            if neighbour.as_ref().is_some_and(|cell| both.same(cell, both.t)) {
                figures.push(Figure::Word(word));
            }
        }
    }

    fn chance(&self) -> Option<Figure> {
        Some(Figure::Word(CHANCE))
    }

    fn says(&self, told: &Told<'_>) -> String {
        format!("values that belong to the row {}", told.words().join(" or the row "))
    }
}
