//! A time that was rounded or cut off at minutes, seconds or milliseconds.
//!
//! `smalldatetime` knows minutes, `datetime` three hundredths of a second, the target microseconds.
//!
//! - One of the two times has no smaller part than the unit, and the other is less than a unit away from it.
//! - SQL Server's `datetime` ends in .000, .003 or .007 of a second: it counts as milliseconds where it is within them.
//! - `precision` cuts off and does not round: it settles what was cut off, and what was rounded down.
//! - Where the whole time of day is gone the cause is `date_only`.
//!
//! ```rows expected
//! | logged: timestamp          |
//! | 2020-04-03 14:25:10.123456 |
//! | 2020-04-03 14:25:59.25     |
//! ```
//! ```rows target
//! | logged: timestamp       |
//! | 2020-04-03 14:25:10.123 |
//! | 2020-04-03 14:25:59     |
//! ```
//! ```causes
//! row 1: logged: time_precision
//! row 2: logged: time_precision
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     logged: { precision: second }
//! ```

use crate::model::Family;
use crate::reconcile::cell::Cell;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 200;
pub(super) const INCLUDES: &[&str] = &[];

/// The units, the finest first: the word of the policy and microseconds.
const UNITS: [(&str, i128); 3] = [("millisecond", 1_000), ("second", 1_000_000), ("minute", 60_000_000)];
/// Half a tick of `datetime` and a little: a 600th of a second.
const HALF_TICK: i128 = 1_667;

const ROUNDED: &str = "rounded up";

pub(super) struct This;

fn of_time(both: &Both<'_>) -> Option<(i128, i128)> {
    match (both.e, both.t) {
        (Cell::Time(e), Cell::Time(t)) => Some((i128::from(*e), i128::from(*t))),
        _ => both.moments(),
    }
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = of_time(both)?;
        if e == t {
            return None;
        }
        let is_tick = |time: i128| time % 1_000 == 0 && matches!(time.rem_euclid(10_000) / 1_000, 0 | 3 | 7);
        for (word, unit) in UNITS {
            let coarse = |time: i128| time.rem_euclid(unit) == 0;
            if !coarse(e) && !coarse(t) || (t - e).abs() >= unit {
                continue;
            }
            return Some(Figure::Word(if e.div_euclid(unit) == t.div_euclid(unit) { word } else { ROUNDED }));
        }
        if (is_tick(e) || is_tick(t)) && (t - e).abs() <= HALF_TICK {
            let same_second = e.div_euclid(1_000_000) == t.div_euclid(1_000_000);
            return Some(Figure::Word(if same_second { "second" } else { ROUNDED }));
        }
        None
    }

    fn says(&self, told: &Told<'_>) -> String {
        match coarsest(told) {
            Some(word) => format!("times brought to the {word}"),
            None => "times rounded up to the next unit".to_owned(),
        }
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let word = coarsest(told)?;
        let settling = Settling::of(told, |figure| *figure != Figure::Word(ROUNDED))?.word("precision", word);
        let settling = settling.giving_up(match word {
            "millisecond" => "microseconds",
            "second" => "fractions of a second",
            _ => "seconds",
        });
        if matches!(told.of.column.meeting.logical.family(), Family::Moment | Family::Time) {
            return Some(settling);
        }
        (!told.keeps_text()).then(|| settling.word("as", "timestamp"))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or(
            "The times were rounded up, and `precision` cuts off alone: a load that rounds has to be decided on, and the source's \
             times rounded the same way.",
        )
    }
}

fn coarsest(told: &Told<'_>) -> Option<&'static str> {
    UNITS.iter().rev().map(|(word, _)| *word).find(|word| told.has(&Figure::Word(word)))
}
