//! A value that stands for nothing on one side, and nothing on the other.
//!
//! `1900-01-01`, `N/A`, `999999`: a column that must not be NULL is filled with something. Nothing is NULL or a
//! blank text.
//!
//! - The list is fixed, so that one cell suffices: `N/A`, `NA`, `NONE`, `NULL`, `NIL`, `UNKNOWN`, `NOT KNOWN`, `UNK`, `TBC`,
//!   `TBA`, `-`, `--`, `.`, `?`, `X`, `XX`, `XXX` in any case; a date of 1753-01-01, 1899-12-30, 1899-12-31, 1900-01-01,
//!   1970-01-01, 2079-06-06, 9999-12-31 or 0001-01-01; a number 0, -1, or of nines alone, three or more.
//! - Another value that always meets NULL is `code_mapping`.
//!
//! ```rows expected
//! | eot: date  | why: text |
//! | 1900-01-01 | "n/a"     |
//! | null       | null      |
//! ```
//! ```rows target
//! | eot: date  | why: text |
//! | null       | null      |
//! | 9999-12-31 | "Unknown" |
//! ```
//! ```causes
//! row 1: eot: placeholder
//! row 2: eot: placeholder
//! row 1: why: placeholder
//! row 2: why: placeholder
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     eot: { null: ["1900-01-01", "9999-12-31"] }
//! reconcile:
//!   columns:
//!     why: { null: [Unknown, n/a] }
//! ```

use std::borrow::Cow;

use crate::frame::Number;
use crate::node::yaml;
use crate::reconcile::cell::{Cell, DAY};

use super::both::{Both, text_of};
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 90;
pub(super) const INCLUDES: &[&str] = &[];

/// In capitals.
const WORDS: [&str; 17] = [
    "N/A", "NA", "NONE", "NULL", "NIL", "UNKNOWN", "NOT KNOWN", "UNK", "TBC", "TBA", "-", "--", ".", "?", "X", "XX",
    "XXX",
];

/// Days since 1970-01-01 of 0001-01-01, 1753-01-01, 1899-12-30, 1899-12-31, 1900-01-01, 1970-01-01, 2079-06-06, 9999-12-31.
const DAYS: [i128; 8] = [-719_162, -79_257, -25_569, -25_568, -25_567, 0, 39_968, 2_932_896];

pub(super) struct This;

/// Returns a column's list of values that mean NULL, with more of them.
pub(super) fn null_list(told: &Told<'_>, more: &[String]) -> String {
    let mut texts: Vec<String> = told.of.column.policy.null.iter().map(|null| null.text.clone()).collect();
    for text in more {
        if !texts.contains(text) {
            texts.push(text.clone());
        }
    }
    let texts: Vec<String> = texts.iter().map(|text| yaml::text(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn is_number(number: Number) -> bool {
    let mut text = String::new();
    number.push_text(&mut text);
    text == "0" || text == "-1" || (text.len() >= 3 && text.bytes().all(|b| b == b'9'))
}

fn stands_for_nothing(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Text(text) => {
            let text = text.trim();
            WORDS.contains(&text.to_uppercase().as_str())
                || (text.len() >= 10 && is_date(text))
                || text == "0"
                || text == "-1"
                || (text.len() >= 3 && text.bytes().all(|b| b == b'9'))
        }
        Cell::Moment(moment) => moment.rem_euclid(DAY) == 0 && DAYS.contains(&moment.div_euclid(DAY)),
        Cell::Number(number) => is_number(*number),
        _ => false,
    }
}

fn is_date(text: &str) -> bool {
    use crate::model::Logical;
    matches!(
        crate::reconcile::convert::read_text(text, &Logical::TIMESTAMP),
        Some(cell @ Cell::Moment(_)) if stands_for_nothing(&cell)
    )
}

/// Returns a value as it is written in a rule: a moment at midnight as its date.
fn written(cell: &Cell<'_>) -> Option<String> {
    let text = text_of(cell)?;
    Some(match cell {
        Cell::Moment(_) => text.strip_suffix(" 00:00:00").map(str::to_owned).unwrap_or(text),
        _ => text,
    })
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let is_nothing = |cell: &Cell<'_>| match cell {
            Cell::Null => true,
            Cell::Text(text) => text.trim().is_empty(),
            _ => false,
        };
        let value = match (both.e, both.t) {
            (e, t) if is_nothing(e) && stands_for_nothing(t) => t,
            (e, t) if is_nothing(t) && stands_for_nothing(e) => e,
            _ => return None,
        };
        // A blank against a placeholder needs the blank in the list as well.
        let blank = [both.e, both.t].into_iter().find_map(|cell| match cell {
            Cell::Text(text) if text.trim().is_empty() => Some(Cow::Borrowed(text.as_ref())),
            _ => None,
        });
        Some(match blank {
            Some(blank) => Figure::Pair(written(value), Some(blank.into_owned())),
            None => Figure::Text(written(value)?),
        })
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "a value that stands for nothing on one side, and nothing on the other".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let mut texts: Vec<String> = told
            .figures
            .iter()
            .flat_map(|(figure, _)| match figure {
                Figure::Text(text) => vec![text.clone()],
                Figure::Pair(value, blank) => value.iter().chain(blank).cloned().collect(),
                _ => Vec::new(),
            })
            .collect();
        texts.sort();
        texts.dedup();
        let settling = Settling::of_all(told)?.word("null", null_list(told, &texts));
        let mut settling = settling.giving_up("the difference between NULL and the values listed");
        // Dates and numbers of the list tell nothing of a person; texts stand as they are written in the cells.
        settling.literals = told.is_text();
        Some(settling)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn days_are_the_dates_of_the_documentation() {
        let day = |year, month, day| {
            i128::from(NaiveDate::from_ymd_opt(year, month, day).unwrap().to_epoch_days())
        };
        let days = [
            day(1, 1, 1),
            day(1753, 1, 1),
            day(1899, 12, 30),
            day(1899, 12, 31),
            day(1900, 1, 1),
            day(1970, 1, 1),
            day(2079, 6, 6),
            day(9999, 12, 31),
        ];
        assert_eq!(DAYS, days);
        assert!(is_date("1900-01-01 00:00:00") && !is_date("1900-01-01 00:00:01"));
    }
}
