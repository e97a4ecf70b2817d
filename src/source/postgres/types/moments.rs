//! Dates and times.
//!
//! The server counts from 2000, Arrow from 1970. `infinity`, and what no calendar here reaches (some 262,000 years
//! either way), is not a date of ours: such a column comes as text.

use std::ops::RangeInclusive;

use arrow::datatypes::{DataType, Date32Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType};
use chrono::{Datelike, NaiveDate};

use super::Unfit;
use super::column::{Decoder, Fixed};

/// Days from 1970-01-01 to 2000-01-01.
const DAYS: i32 = 10_957;
const DAY: i64 = 86_400_000_000;
const LENGTH: Unfit = Unfit::Damaged("a date or time has another length than its type");
const INFINITE: Unfit = Unfit::Beyond("it has `infinity`, which is no date");
const FAR: Unfit = Unfit::Beyond("it has dates that are further away than any calendar here reaches");

/// Returns the days, by their number from 1970, that are of our calendar and have one on either side, for zones to
/// move them.
fn calendar() -> RangeInclusive<i64> {
    // Days of the common era, from 1: 1970-01-01 has the number 719163.
    let number = |date: NaiveDate| i64::from(date.num_days_from_ce()) - 719_163;
    number(NaiveDate::MIN) + 2..=number(NaiveDate::MAX) - 2
}

/// `date`.
pub(super) fn dates() -> Box<dyn Decoder> {
    let calendar = calendar();
    Fixed::<Date32Type, _>::decoder(DataType::Date32, move |value| {
        let days = i32::from_be_bytes(value.try_into().map_err(|_| LENGTH)?);
        if days == i32::MAX || days == i32::MIN {
            return Err(INFINITE);
        }
        let day = i64::from(days) + i64::from(DAYS);
        i32::try_from(day).ok().filter(|_| calendar.contains(&day)).ok_or(FAR)
    })
}

/// `timestamp` and `timestamptz`.
pub(super) fn timestamps(utc: bool) -> Box<dyn Decoder> {
    let zone = utc.then(|| "UTC".into());
    let calendar = calendar();
    let first = calendar.start() * DAY;
    let behind = (calendar.end() + 1) * DAY;
    Fixed::<TimestampMicrosecondType, _>::decoder(
        DataType::Timestamp(TimeUnit::Microsecond, zone),
        move |value| {
            let since_2000 = i64::from_be_bytes(value.try_into().map_err(|_| LENGTH)?);
            if since_2000 == i64::MAX || since_2000 == i64::MIN {
                return Err(INFINITE);
            }
            let since_1970 = since_2000.checked_add(i64::from(DAYS) * DAY);
            since_1970.filter(|moment| (first..behind).contains(moment)).ok_or(FAR)
        },
    )
}

/// `time`.
pub(super) fn times() -> Box<dyn Decoder> {
    Fixed::<Time64MicrosecondType, _>::decoder(DataType::Time64(TimeUnit::Microsecond), |value| {
        match i64::from_be_bytes(value.try_into().map_err(|_| LENGTH)?) {
            DAY => Err(Unfit::Beyond("it has `24:00:00`, which is no time of a day")),
            time @ 0..DAY => Ok(time),
            _ => Err(Unfit::Damaged("a time is outside the day")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::Wire;
    use super::super::testing::{printed, refused};
    use super::*;

    #[test]
    fn dates_at_their_ends() {
        let days = |days: i32| days.to_be_bytes();
        assert_eq!(
            printed(Wire::Date, &[&days(0), &days(-DAYS), &days(-36_525), &days(-730_119)]),
            ["2000-01-01", "1970-01-01", "1899-12-31", "0001-01-01"]
        );
        // The first day of the server's calendar, 4714-11-24 BC.
        assert_eq!(printed(Wire::Date, &[&days(-2_451_545)]), ["-4713-11-24"]);
        assert_eq!(refused(Wire::Date, &days(i32::MAX)), INFINITE);
        assert_eq!(refused(Wire::Date, &days(i32::MIN)), INFINITE);
        // Its last, 5874897-12-31.
        assert_eq!(refused(Wire::Date, &days(2_145_031_948)), FAR);
    }

    #[test]
    fn moments_at_their_ends() {
        let at = |micros: i64| micros.to_be_bytes();
        let naive = Wire::Timestamp { utc: false };
        assert_eq!(
            printed(naive, &[&at(0), &at(1), &at(-1)]),
            ["2000-01-01T00:00:00", "2000-01-01T00:00:00.000001", "1999-12-31T23:59:59.999999"]
        );
        assert_eq!(printed(Wire::Timestamp { utc: true }, &[&at(0)]), ["2000-01-01T00:00:00"]);
        let moments = timestamps(true).finish();
        assert_eq!(moments.data_type(), &crate::frame::arrow_type(&crate::model::Logical::TIMESTAMP_UTC));
        assert_eq!(refused(naive, &at(i64::MAX)), INFINITE);
        assert_eq!(refused(naive, &at(i64::MIN)), INFINITE);
        // 294276-12-31 23:59:59.999999, the server's last.
        assert_eq!(refused(naive, &at(9_223_371_331_199_999_999)), FAR);
        assert_eq!(printed(Wire::Time, &[&at(0), &at(DAY - 1)]), ["00:00:00", "23:59:59.999999"]);
        assert!(matches!(refused(Wire::Time, &at(DAY)), Unfit::Beyond(_)));
        assert!(matches!(refused(Wire::Time, &at(-1)), Unfit::Damaged(_)));
    }
}
