//! Spans of time as users write them.

use std::fmt;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{FromNode, Node};

use super::quantity;

/// The seconds of a day.
const DAY: u64 = 24 * 3600;
/// The longest span, in seconds.
const MOST: u64 = 7 * DAY;

/// A span of time, such as `30s`, `10min`, `2h`, `1d`: of at most seven days, a day being 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan(pub Duration);

impl FromNode for TimeSpan {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let seconds = quantity(&text).and_then(|(number, unit)| {
            let unit = match unit.as_str() {
                "s" => 1,
                "min" => 60,
                "h" => 3600,
                "d" => DAY,
                _ => return None,
            };
            number.checked_mul(unit)
        });
        let span = seconds.filter(|seconds| *seconds <= MOST).map(|s| TimeSpan(Duration::from_secs(s)));
        if span.is_none() {
            out.push(
                Diagnostic::error(&node.span, "a span of time of at most seven days is expected here")
                    .help("as in `30s`, `10min`, `2h` or `1d`"),
            );
        }
        span
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^[0-9]+ *(s|min|h|d)$"})
    }
}

impl fmt::Display for TimeSpan {
    /// Writes the two greatest units, the rest cut off: `2h`, `6h 12min`, `3d 4h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [
            (seconds / DAY, "d"),
            (seconds / 3600 % 24, "h"),
            (seconds / 60 % 60, "min"),
            (seconds % 60, "s"),
        ];
        let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
        let (count, unit) = units[first];
        write!(f, "{count}{unit}")?;
        match units.get(first + 1) {
            Some((count @ 1.., unit)) => write!(f, " {count}{unit}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_their_two_greatest_units() {
        let said = |seconds| TimeSpan(Duration::from_secs(seconds)).to_string();
        let spans = [0, 59, 600, 725, 7200, 22_320, 90_000, 86_400 + 59];
        assert_eq!(spans.map(said), ["0s", "59s", "10min", "12min 5s", "2h", "6h 12min", "1d 1h", "1d"]);
    }
}
