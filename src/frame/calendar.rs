//! Days of the calendar.

use chrono::{Datelike, NaiveDate};

/// Returns a day, in days since 1970-01-01, with its day and month exchanged: nothing where the day is no month, or both are
/// the same number.
///
/// ```
/// use counterfoil::frame::swap_day_month;
/// assert_eq!(swap_day_month(18_355), Some(18_325), "3 April 2020 and 4 March 2020");
/// ```
pub fn swap_day_month(days: i32) -> Option<i32> {
    let date = NaiveDate::from_epoch_days(days)?;
    let (day, month) = (date.day(), date.month());
    if day == month {
        return None;
    }
    NaiveDate::from_ymd_opt(date.year(), day, month).map(|date| date.to_epoch_days())
}
