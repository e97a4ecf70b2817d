//! Dates and times.
//!
//! The server counts from 2000, Arrow from 1970. `infinity`, and what no calendar here reaches (some 262,000 years
//! either way), is not a date of ours: such a column comes as text.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Builder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder};
use chrono::{Datelike, NaiveDate};

use super::{Decoder, Unfit};

/// Days from 1970-01-01 to 2000-01-01.
const DAYS: i32 = 10_957;
const DAY: i64 = 86_400_000_000;
const LENGTH: Unfit = Unfit::Damaged("a date or time has another length than its type");
const INFINITE: Unfit = Unfit::Beyond("it has `infinity`, which is no date");
const FAR: Unfit = Unfit::Beyond("it has dates that are further away than any calendar here reaches");

/// Returns a day's number from 1970, where it is a date of ours and has one on either side, for zones to move it.
fn day(since_1970: i64) -> Result<i32, Unfit> {
    // Days of the common era, from 1: 1970-01-01 has the number 719163.
    let within = |date: NaiveDate| i64::from(date.num_days_from_ce()) - 719_163;
    if since_1970 <= within(NaiveDate::MIN) + 1 || since_1970 >= within(NaiveDate::MAX) - 1 {
        return Err(FAR);
    }
    i32::try_from(since_1970).map_err(|_| FAR)
}

/// `date`.
#[derive(Debug, Default)]
pub(super) struct Dates(Date32Builder);

impl Decoder for Dates {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        let Some(value) = value else {
            self.0.append_null();
            return Ok(());
        };
        let days = i32::from_be_bytes(value.try_into().map_err(|_| LENGTH)?);
        if days == i32::MAX || days == i32::MIN {
            return Err(INFINITE);
        }
        self.0.append_value(day(i64::from(days) + i64::from(DAYS))?);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// `timestamp` and `timestamptz`.
#[derive(Debug)]
pub(super) struct Timestamps {
    builder: TimestampMicrosecondBuilder,
    utc: bool,
}

impl Timestamps {
    pub fn new(utc: bool) -> Self {
        Timestamps { builder: TimestampMicrosecondBuilder::new(), utc }
    }
}

impl Decoder for Timestamps {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        let Some(value) = value else {
            self.builder.append_null();
            return Ok(());
        };
        let since_2000 = i64::from_be_bytes(value.try_into().map_err(|_| LENGTH)?);
        if since_2000 == i64::MAX || since_2000 == i64::MIN {
            return Err(INFINITE);
        }
        let since_1970 = since_2000.checked_add(i64::from(DAYS) * DAY).ok_or(FAR)?;
        day(since_1970.div_euclid(DAY))?;
        self.builder.append_value(since_1970);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        let array = self.builder.finish();
        if self.utc { Arc::new(array.with_timezone("UTC")) } else { Arc::new(array) }
    }
}

/// `time`.
#[derive(Debug, Default)]
pub(super) struct Times(Time64MicrosecondBuilder);

impl Decoder for Times {
    fn add(&mut self, value: Option<&[u8]>) -> Result<(), Unfit> {
        let Some(value) = value else {
            self.0.append_null();
            return Ok(());
        };
        let time = i64::from_be_bytes(value.try_into().map_err(|_| LENGTH)?);
        match time {
            DAY => return Err(Unfit::Beyond("it has `24:00:00`, which is no time of a day")),
            0..DAY => self.0.append_value(time),
            _ => return Err(Unfit::Damaged("a time is outside the day")),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
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
        let moments = Timestamps::new(true).finish();
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
