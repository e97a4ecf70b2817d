//! From a value of expected to the same value in the target's type.

use std::collections::BTreeMap;

use chrono::{DateTime, LocalResult, Offset, TimeZone};
use chrono_tz::Tz;
use polars::prelude::{Int64Chunked, IntoSeries, NewChunkedArray, Series, TimeUnit};

use crate::frame::{Converted, Frame, convert};
use crate::model::{Field, Logical};

/// What ties the columns and rows of expected to those of the target.
#[derive(Debug, Clone, Default)]
pub struct Ties {
    /// The zone whose clocks a column shows on the side that has no zone, by our name of the column.
    pub zones: BTreeMap<String, Tz>,
    /// For each row of expected the index of its row in the target, from 0; empty where nothing was reconciled.
    pub partners: Vec<Option<usize>>,
}

/// A column of expected in the target's type.
pub(super) struct Fitted {
    /// The values, and those that have no form in the target's type.
    pub(super) converted: Converted,
    /// The zone by whose clocks they were converted.
    pub(super) zone: Option<Tz>,
}

impl Fitted {
    /// Returns why values did not fit, as the end of a sentence.
    pub(super) fn reason(&self) -> String {
        match self.zone {
            Some(zone) => format!(", because the clocks of {zone} showed them twice or never"),
            None => String::new(),
        }
    }
}

impl Ties {
    /// Brings a column of expected into the type that the target gives it.
    ///
    /// A time without a zone becomes the instant at which the clocks of its zone showed it. Where they showed it
    /// twice, the instant is the one that the row's partner in the target has; where that is neither, and where
    /// they never showed it, the value is lost. An instant becomes the time that the clocks showed.
    pub(super) fn fit(&self, own: &Field, series: &Series, wanted: &Field, target: &Frame) -> Fitted {
        let zoned = |logical: &Logical| *logical == Logical::TIMESTAMP_UTC;
        let naive = |logical: &Logical| matches!(logical, Logical::Date | Logical::Timestamp { utc: false });
        let plain = || convert(series, &own.logical, &wanted.logical);
        let Some(zone) = self.zones.get(&wanted.name).copied() else {
            return Fitted { converted: plain(), zone: None };
        };
        if naive(&own.logical) && zoned(&wanted.logical) {
            let walls = convert(series, &own.logical, &Logical::TIMESTAMP).series;
            let theirs = target.column(&wanted.name).map(|(_, c)| moments(c.as_materialized_series()));
            let partner = |row: usize| {
                let partner = self.partners.get(row).copied().flatten()?;
                theirs.as_ref()?.get(partner).copied().flatten()
            };
            let converted = mapped(&walls, |row, wall| instant(wall, zone, partner(row)));
            return Fitted { converted, zone: Some(zone) };
        }
        if zoned(&own.logical) && naive(&wanted.logical) {
            let mut shown = mapped(series, |_, instant| wall_clock(instant, zone));
            if wanted.logical == Logical::Date {
                let days = convert(&shown.series, &Logical::TIMESTAMP, &Logical::Date);
                shown.lost.extend(days.lost);
                shown.lost.sort_unstable();
                // What does not fit a date is no midnight; the clocks have nothing to do with it.
                return Fitted { converted: Converted { series: days.series, lost: shown.lost }, zone: None };
            }
            return Fitted { converted: shown, zone: Some(zone) };
        }
        Fitted { converted: plain(), zone: None }
    }
}

fn moments(series: &Series) -> Vec<Option<i64>> {
    match series.datetime() {
        Ok(moments) => moments.physical().iter().collect(),
        Err(_) => vec![None; series.len()],
    }
}

/// Converts moments one by one; a moment that has no other is lost.
fn mapped(series: &Series, of: impl Fn(usize, i64) -> Option<i64>) -> Converted {
    let mut lost = Vec::new();
    let values: Vec<Option<i64>> = moments(series)
        .into_iter()
        .enumerate()
        .map(|(row, moment)| {
            let other = of(row, moment?);
            if other.is_none() {
                lost.push(row);
            }
            other
        })
        .collect();
    let values = Int64Chunked::from_iter_options(series.name().clone(), values.into_iter());
    Converted { series: values.into_datetime(TimeUnit::Microseconds, None).into_series(), lost }
}

const SECOND: i64 = 1_000_000;

/// Returns the instant at which the clocks of a zone showed a time; nothing where they never did, or did twice
/// and `known` is neither.
fn instant(wall: i64, zone: Tz, known: Option<i64>) -> Option<i64> {
    let naive = DateTime::from_timestamp_micros(wall)?.naive_utc();
    let at = |offset: &<Tz as TimeZone>::Offset| {
        wall.checked_sub(i64::from(offset.fix().local_minus_utc()) * SECOND)
    };
    match zone.offset_from_local_datetime(&naive) {
        LocalResult::Single(offset) => at(&offset),
        LocalResult::Ambiguous(a, b) => known.filter(|known| [at(&a), at(&b)].contains(&Some(*known))),
        LocalResult::None => None,
    }
}

/// Returns what the clocks of a zone showed at an instant.
fn wall_clock(instant: i64, zone: Tz) -> Option<i64> {
    let naive = DateTime::from_timestamp_micros(instant)?.naive_utc();
    let offset = zone.offset_from_utc_datetime(&naive).fix().local_minus_utc();
    instant.checked_add(i64::from(offset) * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Value, moment_text};

    fn at(text: &str) -> i64 {
        let logical = if text.ends_with('Z') { Logical::TIMESTAMP_UTC } else { Logical::TIMESTAMP };
        match Value::parse(text, &logical) {
            Some(Value::Moment(m)) => m,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn both_changes_of_the_clocks() {
        let london = chrono_tz::Europe::London;
        let found = |wall: &str, known: Option<&str>| {
            instant(at(wall), london, known.map(at)).map(|m| moment_text(m, true))
        };
        for (wall, known, wanted) in [
            ("2025-07-01 12:00:00.5", None, Some("2025-07-01 11:00:00.5Z")),
            ("2025-12-01 12:00:00", Some("2020-01-01 00:00:00Z"), Some("2025-12-01 12:00:00Z")),
            // In October 2025 the hour from 01:00 came twice.
            ("2025-10-26 00:59:59", None, Some("2025-10-25 23:59:59Z")),
            ("2025-10-26 01:30:00", None, None),
            ("2025-10-26 01:30:00", Some("2025-10-26 00:30:00Z"), Some("2025-10-26 00:30:00Z")),
            ("2025-10-26 01:30:00", Some("2025-10-26 01:30:00Z"), Some("2025-10-26 01:30:00Z")),
            ("2025-10-26 01:30:00", Some("2025-10-26 02:30:00Z"), None),
            ("2025-10-26 02:00:00", None, Some("2025-10-26 02:00:00Z")),
            // In March 2026 the hour from 01:00 did not come.
            ("2026-03-29 00:59:59.999999", None, Some("2026-03-29 00:59:59.999999Z")),
            ("2026-03-29 01:30:00", None, None),
            ("2026-03-29 01:30:00", Some("2026-03-29 01:30:00Z"), None),
            ("2026-03-29 02:00:00", None, Some("2026-03-29 01:00:00Z")),
        ] {
            assert_eq!(found(wall, known).as_deref(), wanted, "{wall} {known:?}");
        }
        let shown = |instant: &str| wall_clock(at(instant), london).map(|m| moment_text(m, false));
        for (instant, wanted) in [
            ("2025-10-26 00:30:00Z", "2025-10-26 01:30:00"),
            ("2025-10-26 01:30:00Z", "2025-10-26 01:30:00"),
            ("2026-03-29 00:59:59Z", "2026-03-29 00:59:59"),
            ("2026-03-29 01:00:00Z", "2026-03-29 02:00:00"),
        ] {
            assert_eq!(shown(instant).as_deref(), Some(wanted), "{instant}");
        }
    }
}
