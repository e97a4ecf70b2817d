//! White space at the ends or inside of a text.
//!
//! Padded columns, double blanks, no-break spaces from web pages: nobody sees them, and the values are not equal.
//!
//! White space is what Unicode calls so. It is told apart whether blanks at the ends, runs of white space or any white
//! space at all make the difference; `whitespace` of the column's policy is as wide as the widest of them.
//!
//! - Trailing blanks of `char(n)` never differ. A text of blanks against NULL is `null_or_blank`.
//! - With `case`, `unicode_form`, `code_page`, `punctuation` or `leading_zeros` in one cell, both are named.
//!
//! ```rows expected
//! | name: text |
//! | "Ann "     |
//! | "O  Neil"  |
//! | "ANN "     |
//! ```
//! ```rows target
//! | name: text |
//! | "Ann"      |
//! | "O Neil"   |
//! | "Ann"      |
//! ```
//! ```causes
//! row 1: name: whitespace
//! row 2: name: whitespace
//! row 3: name: case+whitespace
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     name: { whitespace: collapse }
//! ```

use std::borrow::Cow;

use crate::frame::{collapse_whitespace, remove_whitespace};

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 10;
pub(super) const INCLUDES: &[&str] = &["unicode_form"];

/// From the narrowest to the widest.
const WORDS: [&str; 3] = ["trim", "collapse", "ignore"];

pub(super) struct This;

fn widest(told: &Told<'_>) -> &'static str {
    WORDS.into_iter().rev().find(|word| told.has(&Figure::Word(word))).unwrap_or("trim")
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        let word = if both.same_texts(e.trim(), t.trim()) {
            "trim"
        } else if both.same_texts(&collapse_whitespace(e), &collapse_whitespace(t)) {
            "collapse"
        } else if both.same_texts(&remove_whitespace(e), &remove_whitespace(t)) {
            "ignore"
        } else {
            return None;
        };
        Some(Figure::Word(word))
    }

    fn form<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        Some(remove_whitespace(text))
    }

    fn says(&self, told: &Told<'_>) -> String {
        match widest(told) {
            "trim" => "white space at the ends",
            "collapse" => "the amount of white space",
            _ => "white space",
        }
        .to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let lost = match widest(told) {
            "trim" => "white space at both ends",
            "collapse" => "the amount of white space",
            _ => "all white space",
        };
        Some(Settling::of_all(told)?.word("whitespace", widest(told)).giving_up(lost))
    }
}
