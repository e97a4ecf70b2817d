//! The newest value of a column is not older than it may be.
//!
//! A feed that stopped, or an extract of last month's copy, looks right in every single row. Its newest date gives it away.
//!
//! ```yaml check
//! check: freshness
//! column: updated_at
//! max_age: 30d
//! ```
//! ```rows
//! | updated_at: timestamp |
//! | 2025-12-31 09:00      |
//! | 2026-01-01 11:59      |
//! | null                  |
//! ```
//! ```findings
//! side
//! ```
//!
//! (The run's "now" is 2026-01-31 12:00 here.) One finding for the side as a whole. NULL is not evaluated; where every value is
//! NULL, nothing could be judged.
//!
//! Dates are compared by the day. Timestamps without a zone are taken in the zone declared for them, else in UTC.
//! The newest value counts, also where it lies ahead of "now". One that lies more than a day ahead is a finding of its
//! own: it would keep the oldest data fresh for ever.
//!
//! ```yaml check
//! check: freshness
//! column: day
//! max_age: 48h
//! ```
//! ```rows
//! | day: date  |
//! | 2025-06-30 |
//! | 2206-01-31 |
//! ```
//! ```findings
//! side
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use polars::prelude::DataType;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::expression::shown;
use crate::frame::moment_text;
use crate::model::{Dimension, Field, Logical, Schema};
use crate::node::{FromNode, Node, params};
use crate::rule::{ProjectFiles, RuleError, find};

use super::{BoundCheck, Check, Failure, SideInput, SideOutcome, SideTest};

pub(super) const DIMENSION: Dimension = Dimension::Timeliness;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

params! {
    /// The newest value of a column is not older than it may be.
    pub(super) struct Rule("check `freshness`") {
        /// The column of dates or timestamps.
        column: Spanned<String>,
        /// How old the newest value may be: days, hours or minutes, as in `30d`, `12h`, `90m`.
        max_age: Age,
    }
}

/// A time span of days, hours or minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age(TimeDelta);

impl FromNode for Age {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let age = parse_age(&text);
        if age.is_none() {
            out.push(Diagnostic::error(&node.span, "an age is expected here, as in `30d`, `12h` or `90m`"));
        }
        age
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^[0-9]+ *[dhm]$"})
    }
}

fn parse_age(text: &str) -> Option<Age> {
    let unit = text.chars().last()?;
    let number: u32 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
    let minutes = match unit {
        'd' => 24 * 60,
        'h' => 60,
        'm' => 1,
        _ => return None,
    };
    TimeDelta::try_minutes(i64::from(number) * minutes).map(Age)
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        vec![self.column.clone()]
    }

    fn judges_sides(&self) -> bool {
        true
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let field = find(schema, &self.column, out)?;
        if !matches!(field.logical, Logical::Date | Logical::Timestamp { .. }) {
            out.push(
                Diagnostic::error(
                    &self.column.span,
                    format!("freshness needs a column of dates or timestamps, and `{}` is {}", field.name, field.logical),
                )
                .help("the step `parse_date` makes them of texts"),
            );
            return None;
        }
        Some(BoundCheck::Side(Box::new(Freshness { field: field.clone(), max_age: self.max_age.0 })))
    }
}

/// The check, ready for a side.
struct Freshness {
    field: Field,
    max_age: TimeDelta,
}

impl SideTest for Freshness {
    fn run(&self, input: &SideInput<'_>) -> Result<SideOutcome, RuleError> {
        let name = self.field.name.as_str();
        let (_, column) = input
            .frame
            .column(name)
            .ok_or_else(|| RuleError::Refused(format!("`{name}` is not a column of the table")))?;
        let days = self.field.logical == Logical::Date;
        let physical = column.as_materialized_series().to_physical_repr().cast(&DataType::Int64)?;
        let mut outcome = SideOutcome::default();
        let mut newest: Option<i64> = None;
        for (index, value) in physical.i64()?.iter().enumerate() {
            match value {
                _ if !input.is_selected(index) => {}
                None => outcome.unknown += 1,
                Some(value) => {
                    outcome.evaluated += 1;
                    let micros = if days { value.saturating_mul(DAY) } else { value };
                    newest = newest.max(Some(micros));
                }
            }
        }
        if let Some(newest) = newest {
            outcome.failures.extend(self.judge(newest, input.as_of));
        }
        Ok(outcome)
    }
}

impl Freshness {
    /// Returns what is wrong with the newest value, in microseconds of the column's clock.
    fn judge(&self, newest: i64, as_of: DateTime<Utc>) -> Option<Failure> {
        let utc = self.field.logical == Logical::TIMESTAMP_UTC;
        let days = self.field.logical == Logical::Date;
        let zone = self.field.timezone.as_ref().filter(|_| !utc && !days).and_then(|zone| zone.parse().ok());
        // The age is taken from the instant, so that it is right over a change of the clock.
        let on_clock = |instant: i64| {
            let moment = zone.and_then(|zone| shown(instant, zone)).unwrap_or(instant);
            if days { moment.div_euclid(DAY).saturating_mul(DAY) } else { moment }
        };
        let now = as_of.timestamp_micros();
        let age = self.max_age.num_microseconds().unwrap_or(i64::MAX);
        let (oldest, farthest) = (on_clock(now.saturating_sub(age)), on_clock(now.saturating_add(DAY)));
        let text = |micros: i64| {
            let text = moment_text(micros, utc);
            if days { text.split(' ').next().unwrap_or_default().to_owned() } else { text }
        };
        let wanted = if newest < oldest {
            format!("{} or later", text(oldest))
        } else if newest > farthest {
            format!("{} or earlier", text(farthest))
        } else {
            return None;
        };
        Some(Failure {
            column: Some(self.field.name.clone()),
            observed: Some(text(newest)),
            wanted: Some(wanted),
            ..Failure::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(logical: &str, zone: Option<&str>, age: &str, newest: &str, now: &str) -> Option<String> {
        let logical: Logical = logical.parse().unwrap();
        let newest = match crate::frame::Value::parse(newest, &logical) {
            Some(crate::frame::Value::Date(days)) => i64::from(days) * DAY,
            Some(crate::frame::Value::Moment(micros)) => micros,
            other => panic!("{other:?}"),
        };
        let field = Field { timezone: zone.map(str::to_owned), ..Field::new("at", logical) };
        let test = Freshness { field, max_age: parse_age(age).unwrap().0 };
        test.judge(newest, now.parse().unwrap()).and_then(|failure| failure.wanted)
    }

    #[test]
    fn the_limit_itself_is_fresh() {
        let now = "2026-01-31T12:00:00Z";
        assert_eq!(wanted("timestamptz", None, "1h", "2026-01-31 11:00:00Z", now), None);
        assert_eq!(
            wanted("timestamptz", None, "1h", "2026-01-31 10:59:59.999999Z", now).as_deref(),
            Some("2026-01-31 11:00:00Z or later")
        );
        assert_eq!(wanted("date", None, "30d", "2026-01-01", now), None);
        assert_eq!(wanted("date", None, "30d", "2025-12-31", now).as_deref(), Some("2026-01-01 or later"));
        assert_eq!(wanted("date", None, "1d", "2026-02-01", now), None);
        assert_eq!(wanted("date", None, "1d", "2026-02-02", now).as_deref(), Some("2026-02-01 or earlier"));
    }

    #[test]
    fn a_wall_clock_is_read_in_its_zone() {
        let now = "2026-07-01T12:00:00Z";
        let london = Some("Europe/London");
        assert_eq!(wanted("timestamp", london, "10m", "2026-07-01 12:50:00", now), None);
        assert!(wanted("timestamp", london, "10m", "2026-07-01 12:49:59", now).is_some());
        assert_eq!(wanted("timestamp", None, "10m", "2026-07-01 11:50:00", now), None);
    }

    #[test]
    fn ages_are_read() {
        assert_eq!(parse_age("30d"), parse_age("720h"));
        assert_eq!(parse_age("2 h"), parse_age("120m"));
        assert_eq!([parse_age("30"), parse_age("d"), parse_age("-1d"), parse_age("1w"), parse_age("")], [None; 5]);
    }
}
