//! NULL on one side, an empty text or a text of blanks on the other.
//!
//! Old systems write a blank where they know nothing; a new one has NULL for it.
//!
//! A value that stands for nothing, such as `N/A`, is `placeholder`.
//!
//! ```rows expected
//! | phone: text |
//! | ""          |
//! | null        |
//! ```
//! ```rows target
//! | phone: text |
//! | null        |
//! | "  "        |
//! ```
//! ```causes
//! row 1: phone: null_or_blank
//! row 2: phone: null_or_blank
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     phone: { null: [""], whitespace: trim }
//! ```

use crate::reconcile::cell::Cell;

use super::both::Both;
use super::placeholder::null_list;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 80;
pub(super) const INCLUDES: &[&str] = &[];

const EMPTY: &str = "empty text";
const BLANKS: &str = "blanks";

pub(super) struct This;

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        match both.against_null()? {
            Cell::Text(text) if text.is_empty() => Some(Figure::Word(EMPTY)),
            Cell::Text(text) if text.trim().is_empty() => Some(Figure::Word(BLANKS)),
            _ => None,
        }
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "NULL on one side and blank text on the other".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let settling = Settling::of_all(told).filter(|_| told.is_text())?;
        let settling = settling.word("null", null_list(told, &[String::new()]));
        Some(if told.has(&Figure::Word(BLANKS)) && told.keeps_white_space() {
            settling
                .word("whitespace", "trim")
                .giving_up("the difference between NULL and blank text, and white space at both ends")
        } else {
            settling.giving_up("the difference between NULL and blank text")
        })
    }

    fn no_line(&self, _told: &Told<'_>) -> String {
        "The values are not compared as text, so that a blank cannot be listed as NULL: the step `null_if` makes NULL of the \
         source's, and the target's is to be mended."
            .to_owned()
    }
}
