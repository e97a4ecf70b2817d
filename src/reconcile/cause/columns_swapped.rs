//! Two columns that hold each other's values.
//!
//! Forename and surname, house and flat number: the load took one column for the other, in some rows or in all.
//!
//! - A pattern: five rows or more, of three values or more, and at least one in twenty of the column's differing cells, in
//!   which both columns differ and each holds what the other should.
//! - The lines compare each column with the other one of the source. Where all rows are so, `columns` of a side names the
//!   two the wrong way round, and that is the place to mend it.
//!
//! ```rows expected
//! | forename: text | surname: text |
//! | "Ann"          | "Lee"         |
//! | "Bob"          | "Ray"         |
//! | "Cid"          | "Fox"         |
//! | "Dot"          | "Hay"         |
//! | "Eve"          | "May"         |
//! ```
//! ```rows target
//! | forename: text | surname: text |
//! | "Lee"          | "Ann"         |
//! | "Ray"          | "Bob"         |
//! | "Fox"          | "Cid"         |
//! | "Hay"          | "Dot"         |
//! | "May"          | "Eve"         |
//! ```
//! ```causes
//! row 1: forename: columns_swapped
//! row 2: forename: columns_swapped
//! row 3: forename: columns_swapped
//! row 4: forename: columns_swapped
//! row 5: forename: columns_swapped
//! row 1: surname: columns_swapped
//! row 2: surname: columns_swapped
//! row 3: surname: columns_swapped
//! row 4: surname: columns_swapped
//! row 5: surname: columns_swapped
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     forename: { source_expression: surname }
//! reconcile:
//!   columns:
//!     surname: { source_expression: forename }
//! ```

use super::both::Both;
use super::settling::{Settling, Told, joined};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 5;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

impl Cause for This {
    fn pattern(&self, both: &Both<'_>, figures: &mut Vec<Figure>) {
        figures.extend(both.around.swapped.iter().take(2).map(|name| Figure::Text((*name).to_owned())));
    }

    fn says(&self, told: &Told<'_>) -> String {
        let names: Vec<String> = told
            .figures
            .iter()
            .filter_map(|(figure, _)| match figure {
                Figure::Text(name) => Some(format!("`{name}`")),
                _ => None,
            })
            .collect();
        format!("values exchanged with {}", joined(&names))
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let (figure, _) = told.figures.first()?;
        let Figure::Text(other) = figure else { return None };
        let calculated = Told::expression(other, str::to_owned);
        let settling = Settling::of(told, |own| own == figure).filter(|_| !told.of.prepared)?;
        let settling = settling.word("source_expression", calculated);
        // What the other column holds in the rows that are equal is not known here.
        Some(settling.giving_up("which of the two columns a value stands in").altering(|_| true))
    }
}
