//! Spans of the calendar and the clock: `interval '1 year 3 days'`.

use chrono::{DateTime, Months, NaiveDate};

/// Microseconds of a day.
const DAY: i128 = 86_400_000_000;

/// The units, as help for who wrote another.
pub(super) const HELP: &str = "as in `interval '30 days'`; the units are year, month, week, day, hour, minute and second, with whole numbers";

/// A span: months, whose length the calendar knows, and what is always the same length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Interval {
    months: i64,
    micros: i128,
}

impl Interval {
    /// Reads whole numbers with units, each with its own sign: `1 year -3 days`. Where `unit` is given it is that of the
    /// one number. Nothing where it is not so written.
    pub(super) fn read(text: &str, unit: Option<&str>) -> Option<Interval> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let parts: Vec<(&str, &str)> = match (unit, words.as_slice()) {
            (Some(unit), [number]) => vec![(number, unit)],
            (None, words) if !words.is_empty() && words.len().is_multiple_of(2) => {
                words.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect()
            }
            _ => return None,
        };
        let mut interval = Interval::default();
        for (number, unit) in parts {
            let number: i64 = number.parse().ok()?;
            let unit = unit.to_ascii_lowercase();
            let (months, micros) = match unit.strip_suffix('s').unwrap_or(&unit) {
                "year" => (12, 0),
                "month" => (1, 0),
                "week" => (0, 7 * DAY),
                "day" => (0, DAY),
                "hour" => (0, DAY / 24),
                "minute" => (0, 60_000_000),
                "second" => (0, 1_000_000),
                _ => return None,
            };
            interval.months = interval.months.checked_add(number.checked_mul(months)?)?;
            interval.micros = interval.micros.checked_add(i128::from(number) * micros)?;
        }
        Some(interval)
    }

    /// Returns true where it has no part of a day.
    pub(super) fn is_of_days(self) -> bool {
        self.micros % DAY == 0
    }

    /// Returns the span backwards.
    pub(super) fn negated(self) -> Option<Interval> {
        Some(Interval { months: self.months.checked_neg()?, micros: self.micros.checked_neg()? })
    }

    /// Returns the day that is so far from another, both in days since 1970-01-01; nothing beyond the calendar, or where
    /// it has a part of a day.
    pub(super) fn day_after(self, days: i32) -> Option<i32> {
        let days = match self.months {
            0 => days,
            months => months_from(NaiveDate::from_epoch_days(days)?, months)?.to_epoch_days(),
        };
        let more = self.is_of_days().then_some(self.micros / DAY)?;
        let days = i32::try_from(i128::from(days) + more).ok()?;
        NaiveDate::from_epoch_days(days).map(|_| days)
    }

    /// Returns the moment that is so far from another, both in microseconds since 1970-01-01 00:00; nothing beyond the
    /// calendar.
    pub(super) fn moment_after(self, micros: i64) -> Option<i64> {
        let moved = match self.months {
            0 => micros,
            months => {
                let moment = DateTime::from_timestamp_micros(micros)?.naive_utc();
                let date = months_from(moment.date(), months)?;
                date.and_time(moment.time()).and_utc().timestamp_micros()
            }
        };
        let moved = i64::try_from(i128::from(moved) + self.micros).ok()?;
        DateTime::from_timestamp_micros(moved).map(|_| moved)
    }
}

/// Returns the same day of another month, or its last day where it is shorter.
fn months_from(date: NaiveDate, months: i64) -> Option<NaiveDate> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { date.checked_sub_months(count) } else { date.checked_add_months(count) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_their_units() {
        let read = |text| Interval::read(text, None);
        assert_eq!(read("4017 days"), Some(Interval { months: 0, micros: 4017 * DAY }));
        assert_eq!(read(" -1  Week 2 HOURS "), Some(Interval { months: 0, micros: -7 * DAY + DAY / 12 }));
        assert_eq!(read("1 year 6 months"), Some(Interval { months: 18, micros: 0 }));
        assert_eq!(Interval::read("90", Some("minutes")), read("1 hour 30 minutes"));
        for wrong in
            ["", "1", "day", "1.5 days", "1 fortnight", "1 day 2", "99999999999999999999 days", "1day"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(Interval::read("1 day", Some("day")), None);
    }
}
