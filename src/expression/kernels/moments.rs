//! Dates and timestamps: midnights, days, clocks, spans between them.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use polars::prelude::{Expr, Int32Chunked, Int64Chunked, IntoSeries, TimeUnit};

use crate::expression::interval::Interval;
use crate::model::Logical;

use super::{at, kernel, one};

/// Makes moments of dates: their midnights. A date that no moment reaches becomes the farthest one.
pub(in crate::expression) fn midnight(value: Expr) -> Expr {
    kernel(&[value], &Logical::TIMESTAMP, |inputs, _| {
        let days = one(inputs)?.date()?.physical().clone();
        let moments = days.iter().map(|d| d.map(|d| i64::from(d).saturating_mul(86_400_000_000)));
        Ok(moments.collect::<Int64Chunked>().into_datetime(TimeUnit::Microseconds, None).into_series())
    })
}

/// Makes dates of naive moments: the time of day is cut off.
pub(in crate::expression) fn day(value: Expr) -> Expr {
    kernel(&[value], &Logical::Date, |inputs, _| {
        let moments = one(inputs)?.datetime()?.physical().clone();
        let days = moments.iter().map(|m| i32::try_from(m?.div_euclid(86_400_000_000)).ok());
        Ok(days.collect::<Int32Chunked>().into_date().into_series())
    })
}

/// Makes the naive moments that a clock on the wall showed at these instants.
pub(in crate::expression) fn wall_clock(value: Expr, zone: Tz) -> Expr {
    kernel(&[value], &Logical::TIMESTAMP, move |inputs, _| {
        let instants = one(inputs)?.datetime()?.physical().clone();
        let moments = instants.iter().map(|m| shown(m?, zone));
        Ok(moments.collect::<Int64Chunked>().into_datetime(TimeUnit::Microseconds, None).into_series())
    })
}

/// Returns what a clock on the wall shows at an instant, both in microseconds.
pub(crate) fn shown(micros: i64, zone: Tz) -> Option<i64> {
    let instant = DateTime::from_timestamp_micros(micros)?.naive_utc();
    let offset = zone.offset_from_utc_datetime(&instant).fix().local_minus_utc();
    micros.checked_add(i64::from(offset) * 1_000_000)
}

/// Makes the dates that are an interval of whole days away.
pub(in crate::expression) fn days_from(value: Expr, interval: Interval) -> Expr {
    kernel(&[value], &Logical::Date, move |inputs, _| {
        let days = one(inputs)?.date()?.physical().clone();
        let moved = days.iter().map(|day| interval.day_after(day?));
        Ok(moved.collect::<Int32Chunked>().into_date().into_series())
    })
}

/// Makes the moments that are an interval away.
pub(in crate::expression) fn moments_from(value: Expr, interval: Interval) -> Expr {
    kernel(&[value], &Logical::TIMESTAMP, move |inputs, _| {
        let moments = one(inputs)?.datetime()?.physical().clone();
        let moved = moments.iter().map(|moment| interval.moment_after(moment?));
        Ok(moved.collect::<Int64Chunked>().into_datetime(TimeUnit::Microseconds, None).into_series())
    })
}

/// Counts the days from the second date to the first.
pub(in crate::expression) fn days_between(left: Expr, right: Expr) -> Expr {
    kernel(&[left, right], &Logical::I64, |inputs, height| {
        let [left, right] = inputs else {
            return Err(polars::prelude::PolarsError::ComputeError("two columns are needed".into()));
        };
        let (left, right) = (left.date()?.physical().clone(), right.date()?.physical().clone());
        let of = |days: &Int32Chunked, index| days.get(at(days.len(), index)).map(i64::from);
        let between = (0..height).map(|index| Some(of(&left, index)? - of(&right, index)?));
        Ok(between.collect::<Int64Chunked>().into_series())
    })
}
