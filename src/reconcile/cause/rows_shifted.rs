//! Values that stand one row too high or too low.
//!
//! A column was pasted beside the others and slipped by a row; a sort took some columns and left others.
//!
//! - A pattern: five cells or more, of three values or more, and at least one in twenty of the column's differing cells,
//!   hold what is expected in the row before, or in the row behind, by position in the source's snapshot. What is the same to
//!   the column's policy is the same here, but for tolerances.
//! - It must be beyond chance: in a column of few values many cells are equal to the row above. Of `n` differing cells whose
//!   neighbour differs too, `k` are equal to it; `W` pairs, of any cell and any neighbour, are equal. Were the values dealt
//!   out to the cells at random, `k` or more would be equal with a probability of no more than
//!   `(W)r / ((n)r (k)r)`, for any `r` up to `k`, where `(a)r` is `a (a-1) … (a-r+1)`. It is Markov's inequality for the
//!   number of ways to choose `r` equal cells, under Fisher's permutation test. The least of these must be no more than 1 in
//!   10,000: eight cells suffice where all values differ, and no number does where they are all the same.
//! - The row beside the first of a run does not differ; it is looked at once there is a pattern.
//! - No line settles it: a value does not know its row. The column has to be loaded again; the run's repairs mend it record by
//!   record.
//!
//! ```rows expected
//! | uprn: i64 |
//! | 100020    |
//! | 100077    |
//! | 100013    |
//! | 100056    |
//! | 100031    |
//! | 100042    |
//! | 100088    |
//! | 100065    |
//! | 100009    |
//! ```
//! ```rows target
//! | uprn: i64 |
//! | 100077    |
//! | 100013    |
//! | 100056    |
//! | 100031    |
//! | 100042    |
//! | 100088    |
//! | 100065    |
//! | 100009    |
//! | 100020    |
//! ```
//! ```causes
//! row 1: uprn: rows_shifted
//! row 2: uprn: rows_shifted
//! row 3: uprn: rows_shifted
//! row 4: uprn: rows_shifted
//! row 5: uprn: rows_shifted
//! row 6: uprn: rows_shifted
//! row 7: uprn: rows_shifted
//! row 8: uprn: rows_shifted
//! row 9: uprn: real_change
//! ```

use super::both::Both;
use super::settling::Told;
use super::{Cause, Figure};

pub(super) const RANK: u8 = 215;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

/// The rows beside, in the order of [`super::both::Around::neighbours`].
const ROWS: [&str; 2] = ["before", "behind"];

impl Cause for This {
    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        if both.around.neighbours.iter().all(Option::is_none) {
            return;
        }
        let own = both.of.key(both.t);
        for (neighbour, word) in both.around.neighbours.iter().zip(ROWS) {
            if neighbour.as_ref().is_some_and(|cell| both.of.key(cell) == own) {
                figures.push(Figure::Word(word));
            }
        }
    }

    fn looks_at(&self, figure: &Figure) -> Option<usize> {
        ROWS.iter().position(|word| *figure == Figure::Word(word))
    }

    fn says(&self, told: &Told<'_>) -> String {
        format!("values that belong to the row {}", told.words().join(" or the row "))
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "A value does not know its row: the column has to be loaded again, or mended by the run's repairs, which have the right value \
         for each record."
            .to_owned()
    }
}
