//! One number written in two ways.
//!
//! `£1,234.50` and `1234.5`, `12.00-` and `-12`: where two columns meet as text, the numbers are equal and the texts are
//! not. Columns of numbers never differ so: they are compared by value.
//!
//! - What is understood: white space around; one of `£ $ €` before or behind; a sign before or behind; round brackets for
//!   a negative number; commas, blanks or apostrophes between groups of three digits.
//! - Leading zeros alone are `leading_zeros`.
//! - Where both sides are plain digits, they are compared as decimal numbers; where the source is written for people and
//!   the target plainly, `parse_number` reads it first. Where the target is written for people no line settles it.
//!
//! ```rows expected
//! | amount: text |
//! | "12.50"      |
//! | "7"          |
//! ```
//! ```rows target
//! | amount: text |
//! | "12.5"       |
//! | "7.00"       |
//! ```
//! ```causes
//! row 1: amount: number_format
//! row 2: amount: number_format
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     amount: { as: "decimal(38,10)" }
//! ```
//!
//! ```rows expected
//! | amount: text |
//! | "£1,234.50"  |
//! | "(12.00)"    |
//! ```
//! ```rows target
//! | amount: text |
//! | "1234.5"     |
//! | "-12"        |
//! ```
//! ```causes
//! row 1: amount: number_format
//! row 2: amount: number_format
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: parse_number
//!     columns: [amount]
//!     to: "decimal(38,10)"
//! reconcile:
//!   columns:
//!     amount: { as: "decimal(38,10)" }
//! ```

use crate::frame::Number;
use crate::model::Logical;
use crate::node::yaml;
use crate::reconcile::cell::Cell;
use crate::reconcile::convert::read_text;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 100;
pub(super) const INCLUDES: &[&str] = &["punctuation", "whitespace"];

/// The type in which they are compared: room enough on either side of the point.
pub(super) const DECIMAL: &str = "decimal(38,10)";
const SCALE: u32 = 10;

const PLAIN: &str = "both plain";
const SOURCE: &str = "the source written for people";
const OTHER: &str = "the target written for people";

pub(super) struct This;

fn plain(text: &str) -> Option<Number> {
    match read_text(text, &Logical::I64)? {
        Cell::Number(number) => Some(number),
        _ => None,
    }
}

/// Reads a number as people write it.
fn for_people(text: &str) -> Option<Number> {
    let is_currency = |c: char| matches!(c, '£' | '$' | '€');
    let text = text.trim();
    let (text, brackets) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => (inside.trim(), true),
        None => (text, false),
    };
    let mut negative = brackets;
    let mut text = text;
    // A sign and a currency, in either order, before and behind.
    for _ in 0..2 {
        if let Some(rest) = text.strip_prefix(['-', '\u{2212}']).or_else(|| text.strip_suffix('-')) {
            if negative {
                return None;
            }
            (negative, text) = (true, rest.trim());
        } else if let Some(rest) = text.strip_prefix('+') {
            text = rest.trim();
        }
        text = text.strip_prefix(is_currency).or_else(|| text.strip_suffix(is_currency)).unwrap_or(text).trim();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let groups: Vec<&str> = whole.split([',', ' ', '\'', '\u{a0}']).collect();
    let grouped = match groups.as_slice() {
        [_] => true,
        [first, rest @ ..] => {
            (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3)
        }
        [] => false,
    };
    let digits = groups.concat();
    let all = digits.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    if !grouped || !all || (digits.is_empty() && fraction.is_empty()) {
        return None;
    }
    let sign = if negative { "-" } else { "" };
    plain(&format!("{sign}{digits}.{fraction}"))
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        if !e.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let read = |text: &str| plain(text).or_else(|| for_people(text));
        let (number_e, number_t) = (read(e)?, read(t)?);
        if number_e.compare(number_t).is_ne() {
            return None;
        }
        let fine = number_e.exact().is_none_or(|(_, scale)| scale > SCALE);
        Some(Figure::Word(match (plain(e).is_some(), plain(t).is_some()) {
            _ if fine => OTHER,
            (true, true) => PLAIN,
            (false, true) => SOURCE,
            _ => OTHER,
        }))
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "one number written in two ways".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        if told.keeps_text() {
            return None;
        }
        let decimal = yaml::text(DECIMAL);
        if told.has(&Figure::Word(SOURCE)) && told.source_is_text() {
            let settling = Settling::of(told, |figure| *figure != Figure::Word(OTHER))?;
            let step = settling.step(told.step("parse_number"), &[("to", decimal.clone())]).word("as", decimal);
            let step = step.altering(|text| plain(text).or_else(|| for_people(text)).is_none());
            return Some(step.giving_up(
                "how numbers are written; a row whose value is not a number is held back, unless `invalid` says otherwise",
            ));
        }
        let settling = Settling::of(told, |figure| *figure == Figure::Word(PLAIN))?;
        Some(settling.word("as", decimal).giving_up("how numbers are written, and digits after the first 10 behind the point"))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or(
            "The target's numbers are written for people, or have more than 10 digits behind the point, and no step reads what the \
             target holds: its column should have the type of a number.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        let read = |text: &str| {
            for_people(text).map(|number| {
                let mut out = String::new();
                number.push_text(&mut out);
                out
            })
        };
        for (text, number) in [
            ("£1,234.50", "1234.5"),
            ("(12.00)", "-12"),
            ("-£ 5", "-5"),
            ("£-5", "-5"),
            ("7.5-", "-7.5"),
            ("1 000 000", "1000000"),
            ("12€", "12"),
        ] {
            assert_eq!(read(text).as_deref(), Some(number), "{text}");
        }
        for text in ["1,23", "", "£", "1,2345", "(-5)", "12/3", "a1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
