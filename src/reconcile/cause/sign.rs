//! A number with the opposite sign.
//!
//! Credits and debits are booked the other way round in the new system, or a minus behind the digits was not read.
//!
//! The line compares the opposite of the source's number. Where the load is wrong it must be put right instead.
//!
//! ```rows expected
//! | balance: decimal(9,2) |
//! | 12.50                 |
//! | -3.00                 |
//! ```
//! ```rows target
//! | balance: decimal(9,2) |
//! | -12.50                |
//! | 3.00                  |
//! ```
//! ```causes
//! row 1: balance: sign
//! row 2: balance: sign
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     balance: { source_expression: "-balance" }
//! ```

use crate::frame::Number;
use crate::reconcile::cell::Cell;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 130;
pub(super) const INCLUDES: &[&str] = &[];

/// Why nothing is calculated.
pub(super) const NO_NUMBER: &str = "The source's column is not a number, and nothing is calculated with text: give it its type, in \
    `types` of a file or by the step `parse_number`, and a line settles it.";

pub(super) struct This;

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.numbers()?;
        let opposite = match e {
            Number::Exact { digits, scale } => Number::Exact { digits: digits.checked_neg()?, scale },
            Number::Float(value) => Number::Float(-value),
        };
        let is_zero = e.compare(Number::whole(0)).is_eq();
        // Texts are compared as texts: what is left of them is the number.
        let same = opposite.compare(t).is_eq() || both.same(&Cell::Number(opposite), &Cell::Number(t));
        (!is_zero && same).then_some(Figure::Plain)
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "the opposite sign".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let opposite = told.calculated(|name| format!("-{name}"))?;
        let settling = Settling::of_all(told)?.word("source_expression", opposite);
        Some(settling.giving_up("the sign of the source's numbers").altering(is_not_zero))
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        NO_NUMBER.to_owned()
    }
}

/// Returns true for the text of a number that is not 0.
pub(super) fn is_not_zero(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}
