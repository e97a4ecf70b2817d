//! One date or time written in two ways.
//!
//! `03/04/2020` and `2020-04-03`, `2020-04-03` and `2020-04-03T00:00:00`: where two columns meet as text, the dates are
//! equal and the texts are not. Columns of dates never differ so.
//!
//! - The forms: ISO 8601, day, month and year with `/`, `-` or `.` between them, month, day and year with `/`, `3 Apr 2020`,
//!   `20200403`, each with or without a time. Of day and month the order is taken that makes the two equal.
//! - `parse_date` reads the source's form where that is not ISO 8601. Where the target's is not, no line settles it.
//!
//! ```rows expected
//! | cot: text    |
//! | "03/04/2020" |
//! | "31/12/2021" |
//! ```
//! ```rows target
//! | cot: date  |
//! | 2020-04-03 |
//! | 2021-12-31 |
//! ```
//! ```causes
//! row 1: cot: date_spelling
//! row 2: cot: date_spelling
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: parse_date
//!     columns: [cot]
//!     formats: ["%d/%m/%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f"]
//!     to: timestamp
//! reconcile:
//!   columns:
//!     cot: { as: timestamp }
//! ```

use crate::model::Logical;
use crate::node::yaml;
use crate::reconcile::cell::Cell;
use crate::reconcile::convert::read_text;

use super::both::Both;
use super::dates::{FORMATS, read, shape};
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 155;
pub(super) const INCLUDES: &[&str] = &["punctuation", "whitespace", "date_order", "case"];

const ISO: &str = "both ISO 8601";
const OTHER: &str = "the target is not ISO 8601";

pub(super) struct This;

fn iso(text: &str) -> Option<i128> {
    match read_text(text, &Logical::TIMESTAMP)? {
        Cell::Moment(moment) => Some(moment),
        _ => None,
    }
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        if !e.bytes().chain(t.bytes()).any(|b| b.is_ascii_digit()) {
            return None;
        }
        match (iso(e), iso(t)) {
            (Some(e), Some(t)) => (e == t).then_some(Figure::Word(ISO)),
            (None, Some(t)) => {
                FORMATS.iter().find(|format| read(e, format) == Some(t)).map(|format| Figure::Word(format))
            }
            (Some(e), None) => {
                FORMATS.iter().any(|format| read(t, format) == Some(e)).then_some(Figure::Word(OTHER))
            }
            (None, None) => {
                let of = |text: &str| -> Vec<(&str, i128)> {
                    FORMATS.iter().filter_map(|format| Some((*format, read(text, format)?))).collect()
                };
                let (e, t) = (of(e), of(t));
                // Of one form in two readings nothing is known: that is `date_order`.
                let same = e.iter().any(|(a, x)| {
                    t.iter().any(|(b, y)| x == y && shape(a) != shape(b))
                });
                same.then_some(Figure::Word(OTHER))
            }
        }
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "one date written in two ways".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        if told.keeps_text() {
            return None;
        }
        let lost = "how dates are written";
        // Of two readings of the same form the first alone would be taken.
        let mut formats: Vec<&'static str> = Vec::new();
        for word in told.words().into_iter().filter(|word| word.contains('%')) {
            if !formats.iter().any(|own| shape(own) == shape(word)) {
                formats.push(word);
            }
        }
        if formats.is_empty() {
            let settling = Settling::of(told, |figure| *figure == Figure::Word(ISO))?;
            return Some(settling.word("as", "timestamp").giving_up(lost));
        }
        let settling = Settling::of(told, |figure| {
            matches!(figure, Figure::Word(word) if *word == ISO || formats.contains(word))
        })
        .filter(|_| told.source_is_text())?;
        // What both sides write as ISO 8601 has it must be read as well.
        let listed: Vec<String> =
            formats.iter().chain(&["%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f"]).map(|format| yaml::text(format)).collect();
        let fields = [("formats", format!("[{}]", listed.join(", "))), ("to", "timestamp".to_owned())];
        let settling = settling
            .step(told.step("parse_date"), &fields)
            .word("as", "timestamp")
            .altering(move |text| iso(text).is_none() && !formats.iter().any(|format| read(text, format).is_some()));
        Some(settling.giving_up(format!(
            "{lost}; a row whose value has another form is held back, unless `invalid` says otherwise"
        )))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or(
            "The target does not write its dates as ISO 8601, and no step reads what the target holds: its column should have the \
             type date, or the source's should be loaded as it is.",
        )
    }
}
