//! Punctuation and other signs that one side has and the other has not, or has in another form.
//!
//! `12, High St.` and `12 High St`, `O’Neil` and `O'Neil`: signs are typed, tidied and converted.
//!
//! - A sign between two digits means something: `12/3` and `123` are two numbers of a house. It counts as
//!   punctuation only in a text with seven digits or more, which is no amount: a telephone number.
//! - Amounts are `number_format` and `sign`, dates `date_spelling`.
//! - The step takes all signs away from the source; it is given where that makes the target's value. Where only the
//!   target has the signs no line settles it.
//!
//! ```rows expected
//! | street: text    |
//! | "12, High St."  |
//! | "O'Neil Court"  |
//! | "the Mews\u2026" |
//! ```
//! ```rows target
//! | street: text    |
//! | "12 High St"    |
//! | "ONeil Court"   |
//! | "the Mews..."   |
//! ```
//! ```causes
//! row 1: street: punctuation
//! row 2: street: punctuation
//! row 3: street: punctuation+unicode_form
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: replace
//!     columns: [street]
//!     pattern: "[^\\p{Alphabetic}\\p{N}\\p{White_Space}\\p{C}\\p{M}]"
//!     with: ""
//! ```

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::node::yaml;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 50;
pub(super) const INCLUDES: &[&str] = &[];

/// What is neither letter, digit, white space, accent nor unseen.
const PATTERN: &str = r"[^\p{Alphabetic}\p{N}\p{White_Space}\p{C}\p{M}]";

/// The pattern is right: a test makes it.
static SIGNS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

/// So many digits are a telephone number or the like.
const DIGITS: usize = 7;

const SOURCE: &str = "the source has signs that the target has not";
const OTHER: &str = "the signs differ";

pub(super) struct This;

fn without_signs(text: &str) -> Cow<'_, str> {
    // Most texts are ASCII, where the pattern means just this.
    if text.is_ascii() {
        let is_sign = |c: char| c.is_ascii_punctuation();
        return if text.contains(is_sign) { Cow::Owned(text.replace(is_sign, "")) } else { Cow::Borrowed(text) };
    }
    match SIGNS.as_ref() {
        Some(signs) => signs.replace_all(text, ""),
        None => Cow::Borrowed(text),
    }
}

fn runs_of_digits(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect()
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        let (bare_e, bare_t) = (without_signs(e), without_signs(t));
        if bare_e.trim().is_empty() || !both.same_texts(&bare_e, &bare_t) {
            return None;
        }
        let (runs_e, runs_t) = (runs_of_digits(e), runs_of_digits(t));
        if runs_e != runs_t && runs_e.concat().len() < DIGITS {
            return None;
        }
        // Numbers of different value, and a sign before or behind them, are no matter of punctuation.
        if both.numbers().is_some_and(|(e, t)| e.compare(t).is_ne()) {
            return None;
        }
        Some(Figure::Word(if both.same_texts(&bare_e, t) { SOURCE } else { OTHER }))
    }

    fn form<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        Some(without_signs(text))
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "punctuation".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let settling = Settling::of(told, |figure| *figure == Figure::Word(SOURCE))?;
        let fields = [("pattern", yaml::text(PATTERN)), ("with", "\"\"".to_owned())];
        told.source_is_text().then(|| {
            settling
                .step(told.step("replace"), &fields)
                .giving_up("all punctuation of the source in this column")
                .altering(|text| without_signs(text) != text)
        })
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.no_text_or(
            "The target has signs that the source has not, and no step puts them in: whether they belong there has to be decided; \
             the run's repairs take them away.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_taken_away_and_nothing_else() {
        assert!(SIGNS.is_some());
        assert_eq!(without_signs("O’Neil & Söhne, №1 (x)\u{200b}"), "ONeil  Söhne 1 x\u{200b}");
        let ascii: String = (0..128_u8).map(char::from).collect();
        let by_pattern = SIGNS.as_ref().map(|signs| signs.replace_all(&ascii, "").into_owned());
        assert_eq!(Some(without_signs(&ascii).into_owned()), by_pattern);
        assert_eq!(runs_of_digits("12/3 a4"), ["12", "3", "4"]);
    }
}
