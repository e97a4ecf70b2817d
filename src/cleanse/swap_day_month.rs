//! Exchanges day and month of dates that were read the wrong way round.
//!
//! `03/04/2020` is 3 April in Britain and 4 March in America. A column that was read the other way has the right dates
//! where the day is greater than twelve, since these can be read in one way only, and the wrong ones elsewhere.
//!
//! - A date changes where its day could be a month, which is up to the twelfth. All others stay, and so does the 5 May.
//! - The time of day stays. Timestamps with a zone are refused: their day depends on the zone.
//! - NULL stays NULL. The columns must be named; `"*"` is a diagnostic.
//! - Where the column is text still, `parse_date` with the right format reads it rightly from the start.
//! - Doing it twice undoes it: put it after nothing that does the same.
//!
//! ```yaml step
//! step: swap_day_month
//! columns: [cot, logged]
//! ```
//! ```rows before
//! | cot: date  | logged: timestamp   |
//! | 2020-04-03 | 2021-12-01 10:30:00 |
//! | 2020-04-13 | 2020-05-05 00:00:00 |
//! | null       | 1969-02-01 23:59:59 |
//! ```
//! ```rows after
//! | cot: date  | logged: timestamp   |
//! | 2020-03-04 | 2021-01-12 10:30:00 |
//! | 2020-04-13 | 2020-05-05 00:00:00 |
//! | null       | 1969-01-02 23:59:59 |
//! ```

use polars::prelude::{Int32Chunked, Int64Chunked, IntoSeries, Series, TimeUnit};

use crate::diagnostic::Diagnostics;
use crate::frame;
use crate::model::{Dimension, Field, Logical};
use crate::node::params;
use crate::rule::{Columns, ProjectFiles};

use super::{Applied, BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

params! {
    /// The parameters.
    pub struct Rule("step `swap_day_month`") {
        /// The columns, by name: dates, or timestamps without a zone.
        columns | column: Columns,
    }
}

fn day(days: i32) -> i32 {
    frame::swap_day_month(days).unwrap_or(days)
}

fn moment(micros: i64) -> i64 {
    let swapped = i32::try_from(micros.div_euclid(DAY)).ok().map(|days| i64::from(day(days)));
    let swapped = swapped.and_then(|days| days.checked_mul(DAY)?.checked_add(micros.rem_euclid(DAY)));
    swapped.unwrap_or(micros)
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        text::needs_names("swap_day_month", &self.columns, out);
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        if matches!(self.columns, Columns::AllText(_)) {
            text::needs_names("swap_day_month", &self.columns, out);
            return None;
        }
        let values: fn(&Series) -> polars::prelude::PolarsResult<Series> = match field.logical {
            Logical::Date => |before| {
                let days = before.date()?.physical().clone();
                Ok(days.iter().map(|days| days.map(day)).collect::<Int32Chunked>().into_date().into_series())
            },
            Logical::Timestamp { utc: false } => |before| {
                let moments = before.datetime()?.physical().clone();
                let moments: Int64Chunked = moments.iter().map(|micros| micros.map(moment)).collect();
                Ok(moments.into_datetime(TimeUnit::Microseconds, None).into_series())
            },
            _ => {
                let what = "step `swap_day_month` works on dates and on timestamps without a zone";
                text::refuse_type(what, &field.logical, &self.columns, field, out);
                return None;
            }
        };
        let apply = move |before: &Series| {
            let values = values(before)?.with_name(before.name().clone());
            Ok(Applied { values, refused: Vec::new() })
        };
        Some(BoundStep { output: field.clone(), apply: Box::new(apply) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn doing_it_twice_undoes_it(days in -800_000..3_000_000_i32, micros in 0..DAY) {
            prop_assert_eq!(day(day(days)), days);
            let at = i64::from(days) * DAY + micros;
            prop_assert_eq!(moment(moment(at)), at);
            prop_assert_eq!(moment(at).rem_euclid(DAY), micros);
        }
    }
}
