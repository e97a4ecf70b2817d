//! Day and month exchanged.
//!
//! 3 April became 4 March: somebody read `03/04/2020` as Americans write it. Days after the twelfth cannot be
//! exchanged, so that half of the column is right and the mistake is seen late.
//!
//! - Both dates have the same year and time, and each one's day is the other's month. The 5 May is never exchanged.
//! - No line settles it. Where the exchange happened in the reading of a file, the column's type there is `text` and
//!   `parse_date` reads it; where the target holds it, the load must be run again.
//!
//! ```rows expected
//! | cot: date  |
//! | 2020-04-03 |
//! | 2021-12-01 |
//! ```
//! ```rows target
//! | cot: date  |
//! | 2020-03-04 |
//! | 2021-01-12 |
//! ```
//! ```causes
//! row 1: cot: date_order
//! row 2: cot: date_order
//! ```

use chrono::{DateTime, Datelike};

use crate::reconcile::cell::DAY;

use super::both::Both;
use super::dates::{FORMATS, read};
use super::settling::Told;
use super::{Cause, Figure};

pub(super) const RANK: u8 = 160;
pub(super) const INCLUDES: &[&str] = &[];

pub(super) struct This;

/// Returns a moment with its day and month exchanged.
fn exchanged(moment: i128) -> Option<i128> {
    let time = moment.rem_euclid(DAY);
    let date = DateTime::from_timestamp_micros(i64::try_from(moment - time).ok()?)?.date_naive();
    let (day, month) = (date.day(), date.month());
    if day == month {
        return None;
    }
    let date = chrono::NaiveDate::from_ymd_opt(date.year(), day, month)?;
    Some(i128::from(date.to_epoch_days()) * DAY + time)
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        if let Some((e, t)) = both.moments() {
            return both.same_moments(exchanged(e)?, t).then_some(Figure::Plain);
        }
        let (e, t) = both.texts()?;
        let same_form = FORMATS.iter().any(|format| {
            read(e, format).zip(read(t, format)).is_some_and(|(e, t)| exchanged(e) == Some(t))
        });
        same_form.then_some(Figure::Plain)
    }

    fn says(&self, _told: &Told<'_>) -> String {
        "day and month exchanged".to_owned()
    }
}
