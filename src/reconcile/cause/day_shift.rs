//! Dates that are all the same number of days away.
//!
//! Two epochs of a spreadsheet are 1,462 days apart; a date went through a zone and lost a day; a test copy was
//! moved by years.
//!
//! - A pattern: five cells or more, of three values or more, and at least one in twenty of the column's differing cells,
//!   are exactly the same number of days apart.
//! - The line compares the source's date moved by as many days, where its column is a date or timestamp. Where the load is
//!   wrong it must be put right instead.
//!
//! ```rows expected
//! | cot: date  |
//! | 2020-06-03 |
//! | 2020-07-11 |
//! | 2020-05-30 |
//! | 2020-08-01 |
//! | 2020-09-02 |
//! ```
//! ```rows target
//! | cot: date  |
//! | 2024-06-04 |
//! | 2024-07-12 |
//! | 2024-05-31 |
//! | 2024-08-02 |
//! | 2024-09-03 |
//! ```
//! ```causes
//! row 1: cot: day_shift
//! row 2: cot: day_shift
//! row 3: cot: day_shift
//! row 4: cot: day_shift
//! row 5: cot: day_shift
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     cot: { source_expression: "cot + interval '1462 days'" }
//! ```

use crate::reconcile::cell::DAY;

use super::both::Both;
use super::settling::{Settling, Told, joined, thousands};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 190;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

impl Cause for This {
    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        if let Some((e, t)) = both.moments()
            && e != t
            && (t - e) % DAY == 0
        {
            figures.push(Figure::Number((t - e) / DAY));
        }
    }

    fn says(&self, told: &Told<'_>) -> String {
        let days = |days: &i128| {
            let way = if *days > 0 { "later" } else { "earlier" };
            format!("{} day{} {way}", thousands(*days), if days.abs() == 1 { "" } else { "s" })
        };
        let shifts: Vec<String> = told.numbers().iter().map(days).collect();
        format!("dates that are exactly {} in the target", joined(&shifts))
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let (figure, _) = told.figures.first()?;
        let Figure::Number(days) = figure else { return None };
        let settling = Settling::of(told, |own| own == figure)?.word("source_expression", told.later(*days, "day")?);
        Some(settling.giving_up("the source's own dates").altering(|_| true))
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "The source's column is text, and days are added to dates alone: give it the type date, in `types` of a file or by the step \
         `parse_date`, and a line settles it."
            .to_owned()
    }
}
