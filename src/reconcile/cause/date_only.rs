//! A time of day that one side lost.
//!
//! The new column is a date, or a driver cut the time off: `2020-04-03 14:25` became `2020-04-03`.
//!
//! One of the two moments is midnight, the other later on the same day.
//!
//! ```rows expected
//! | logged: timestamp   |
//! | 2020-04-03 14:25:00 |
//! ```
//! ```rows target
//! | logged: date |
//! | 2020-04-03   |
//! ```
//! ```causes
//! row 1: logged: date_only
//! ```
//! ```yaml settles
//! reconcile:
//!   columns:
//!     logged: { precision: day }
//! ```

use crate::model::Family;
use crate::reconcile::cell::DAY;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 170;
pub(super) const INCLUDES: &[&str] = &["time_precision"];

pub(super) struct This;

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.moments()?;
        let is_day = |moment: i128| moment.rem_euclid(DAY) == 0;
        let same_day = e.div_euclid(DAY) == t.div_euclid(DAY);
        (same_day && e != t && (is_day(e) || is_day(t))).then_some(Figure::Plain)
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "a time of day that one side lost".to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let settling = Settling::of_all(told)?.word("precision", "day").giving_up("the time of day");
        if told.of.column.meeting.logical.family() == Family::Moment {
            return Some(settling);
        }
        (!told.keeps_text()).then(|| settling.word("as", "timestamp"))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.kept_as_text_or("")
    }
}
