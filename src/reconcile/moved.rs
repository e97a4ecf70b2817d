//! Records that were changed on one side after the other side's snapshot was taken: the source moves on meanwhile.

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use polars::prelude::DataType;

use crate::frame::Frame;
use crate::model::Logical;
use crate::rule::RuleError;

use super::Reconciliation;
use super::bind::BoundReconcile;

/// When the rows of two sides were as their snapshots show them, in microseconds since 1970 in UTC: of a snapshot that
/// is of several moments the last, so that what was changed after it can in no case be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The source's moment.
    pub source: i64,
    /// The target's moment.
    pub target: i64,
}

/// What a column's values are times of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Moments.
    Utc,
    /// What the clocks of a zone show.
    Wall(Tz),
}

/// `changed_since`, ready for two schemas.
#[derive(Debug, Clone)]
pub struct ChangedSince {
    /// Our name of the column that says when a row was last changed.
    pub column: String,
    /// When the sides were seen; nothing where that is not known.
    pub seen: Option<Seen>,
    /// How expected's values are read; nothing where it has no such column.
    pub(super) expected: Option<Clock>,
    /// The same of the target.
    pub(super) target: Option<Clock>,
}

/// Which rows were changed on one side after the other side's snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// For each pair of [`super::Alignment::pairs`] whether one of its rows was.
    pub pairs: Vec<bool>,
    /// The same for each row of [`super::Alignment::missing`].
    pub missing: Vec<bool>,
    /// The same for each row of [`super::Alignment::unexpected`].
    pub unexpected: Vec<bool>,
}

impl Moved {
    /// Returns true where the pair at an index was changed.
    pub fn has_pair(&self, index: usize) -> bool {
        self.pairs.get(index).copied().unwrap_or(false)
    }
}

impl BoundReconcile {
    /// Finds the rows that were changed on one side after the other side's snapshot; none where nobody asked.
    ///
    /// A time is taken to be before the snapshot where that is possible: in the hour that a clock shows twice it is the
    /// first, and an hour that no clock shows is none. A row without a time was not changed.
    ///
    /// # Errors
    /// Where a side lacks the column it was bound with.
    pub fn moved(&self, found: &Reconciliation) -> Result<Moved, RuleError> {
        let Some((since, seen)) = self.changed_since.as_ref().and_then(|since| Some((since, since.seen?)))
        else {
            return Ok(Moved::default());
        };
        // A row of the source is compared with when the target was seen, and the other way round.
        let expected = since.after(&found.evidence.expected, since.expected, seen.target)?;
        let target = since.after(&found.evidence.target, since.target, seen.source)?;
        let is = |rows: &[bool], row: u32| rows.get(row as usize).copied().unwrap_or(false);
        let rows = &found.rows;
        let pairs = rows.pairs.iter().map(|pair| is(&expected, pair.expected) || is(&target, pair.target));
        Ok(Moved {
            pairs: pairs.collect(),
            missing: rows.missing.iter().map(|row| is(&expected, *row)).collect(),
            unexpected: rows.unexpected.iter().map(|row| is(&target, *row)).collect(),
        })
    }
}

impl ChangedSince {
    /// Returns of each row whether it was changed after a moment.
    fn after(&self, frame: &Frame, clock: Option<Clock>, moment: i64) -> Result<Vec<bool>, RuleError> {
        let Some(clock) = clock else { return Ok(Vec::new()) };
        let (_, column) = frame
            .column(&self.column)
            .filter(|(field, _)| matches!(field.logical, Logical::Timestamp { .. }))
            .ok_or_else(|| RuleError::Refused(format!("`{}` is not a column of times", self.column)))?;
        let physical = column.as_materialized_series().to_physical_repr().cast(&DataType::Int64)?;
        Ok(physical
            .i64()?
            .iter()
            .map(|value| value.is_some_and(|value| clock.is_after(value, moment)))
            .collect())
    }
}

impl Clock {
    /// Returns true where what a clock shows is after a moment for certain.
    fn is_after(self, shown: i64, moment: i64) -> bool {
        match self {
            Clock::Utc => shown > moment,
            Clock::Wall(zone) => {
                let first = DateTime::from_timestamp_micros(shown)
                    .and_then(|shown| zone.from_local_datetime(&shown.naive_utc()).earliest());
                first.is_some_and(|first| first.timestamp_micros() > moment)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_micros()
    }

    #[test]
    fn the_moment_itself_is_not_after_it() {
        let seen = micros("2026-03-31T12:00:00Z");
        assert!(!Clock::Utc.is_after(seen, seen));
        assert!(Clock::Utc.is_after(seen + 1, seen));
    }

    #[test]
    fn a_wall_clock_is_read_in_its_zone() {
        let london = Clock::Wall(chrono_tz::Europe::London);
        // In July London's clocks are an hour ahead.
        let seen = micros("2026-07-01T12:00:00Z");
        assert!(!london.is_after(micros("2026-07-01T12:30:00Z"), seen));
        assert!(london.is_after(micros("2026-07-01T13:00:01Z"), seen));
        // The hour from 01:00 to 02:00 of 25 October comes twice: 01:40 may be before the second 01:30.
        let second = micros("2026-10-25T01:30:00Z");
        assert!(!london.is_after(micros("2026-10-25T01:40:00Z"), second));
        assert!(london.is_after(micros("2026-10-25T02:00:00Z"), second));
        // No clock showed 01:30 on 29 March.
        assert!(!london.is_after(micros("2026-03-29T01:30:00Z"), 0));
    }
}
