//! Reads dates written as text and makes the column a date or timestamp column.
//!
//! `01/02/2020` is the first of February or the second of January; a column that keeps dates as text has both, and
//! `31/02/2019` too. The formats you list are the ones that count.
//!
//! `formats` are strftime formats: `%d` day, `%m` month, `%Y` year of four digits, `%y` of two (1970 to 2069),
//! `%b` `Feb`, `%B` `February`, `%H:%M:%S` a time, `%.f` a fraction of a second with its point, or nothing. The whole text must
//! match. Days, months and hours may lack their leading zero (unless the next number follows without anything
//! between, as in `%Y%m%d`); years may not. Names are English, in any case.
//!
//! - The first format that reads a text wins. `%d/%m/%Y` before `%m/%d/%Y` therefore makes every text that both
//!   read a British date: check-config warns of such pairs.
//! - For `to: date` a time of day must be midnight: a date cannot hold another, and nothing is dropped.
//!   For `to: timestamp` a text without a time is midnight. The moments are of a wall clock, without a zone.
//! - NULL stays NULL. The empty text is invalid: put `null_if` with `""` before this step.
//! - A column that holds dates or timestamps already passes as it is.
//! - Where the text was ISO 8601 already (`2020-02-01`), the change of type is no correction; `01/02/2020` becoming
//!   2020-02-01 is one.
//! - The columns must be named; `"*"` is a diagnostic.
//!
//! ```yaml step
//! step: parse_date
//! columns: [dob]
//! formats: ["%Y-%m-%d", "%d/%m/%Y"]
//! ```
//! ```rows before
//! | dob: text             |
//! | "2020-02-01"          |
//! | "1/2/2020"            |
//! | "31/02/2020"          |
//! | "01/02/20"            |
//! | null                  |
//! ```
//! ```rows after
//! | dob: date  |
//! | 2020-02-01 |
//! | 2020-02-01 |
//! | null       |
//! | null       |
//! | null       |
//! ```
//! ```refused
//! row 3: not a date in any of the formats
//! row 4: not a date in any of the formats
//! ```
//!
//! ```yaml step
//! step: parse_date
//! columns: [logged]
//! formats: ["%d %b %Y %H:%M:%S%.f", "%d %b %Y"]
//! to: timestamp
//! invalid: null
//! ```
//! ```rows before
//! | logged: text                |
//! | "01 Feb 2020 13:30:00.25"   |
//! | "1 FEB 2020"                |
//! | "soon"                      |
//! ```
//! ```rows after
//! | logged: timestamp      |
//! | 2020-02-01 13:30:00.25 |
//! | 2020-02-01 00:00:00    |
//! | null                   |
//! ```

use chrono::{NaiveDateTime, NaiveTime};
use polars::prelude::Series;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::{Texts, Value};
use crate::model::{Dimension, Family, Field, Logical};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::date_format::{DateFormat, SPECIFIERS};
use super::text::{Invalid, OrNull};
use super::{BoundStep, Step, text, values};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

const NOT_A_DATE: &str = "not a date in any of the formats";
const HAS_A_TIME: &str = "a time of day that a date cannot hold";

choices! {
    /// What a column becomes.
    pub enum To {
        /// Days of the calendar.
        Date = "date",
        /// Moments of a wall clock.
        Timestamp = "timestamp",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `parse_date`") {
        /// The columns, by name.
        columns | column: Columns,
        /// The strftime formats, tried in order.
        formats: Vec<Spanned<String>>,
        /// The type the column becomes: `date` or `timestamp`.
        to: To = "date",
        /// What becomes of a value that no format reads: `quarantine`, `null` or `refuse`.
        invalid: OrNull<Invalid> = "quarantine",
    }
}

impl Rule {
    fn formats(&self, out: &mut Diagnostics) -> Option<Vec<DateFormat>> {
        if self.formats.is_empty()
            && let Some(span) = text::first_place(&self.columns)
        {
            out.push(Diagnostic::error(span, "step `parse_date` needs at least one of `formats`"));
            return None;
        }
        let formats: Vec<Option<DateFormat>> = self
            .formats
            .iter()
            .map(|format| match DateFormat::new(&format.value) {
                Ok(read) => Some(read),
                Err(what) => {
                    let help = format!("day, month and year are needed; understood are {SPECIFIERS}");
                    out.push(Diagnostic::error(&format.span, what).help(help));
                    None
                }
            })
            .collect();
        formats.into_iter().collect()
    }

    fn value(&self, moment: NaiveDateTime) -> Result<Value, &'static str> {
        match self.to {
            To::Timestamp => Ok(Value::Moment(moment.and_utc().timestamp_micros())),
            To::Date if moment.time() == NaiveTime::MIN => Ok(Value::Date(moment.date().to_epoch_days())),
            To::Date => Err(HAS_A_TIME),
        }
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        text::needs_names("parse_date", &self.columns, out);
        let Some(formats) = self.formats(out) else { return };
        for (i, (format, place)) in formats.iter().zip(&self.formats).enumerate() {
            let earlier = formats.iter().zip(&self.formats).take(i);
            for (_, first_place) in earlier.filter(|(first, _)| first.misreads(format)) {
                let (ours, theirs) = (&place.value, &first_place.value);
                out.push(
                    Diagnostic::warning(
                        &place.span,
                        format!("some texts of `{ours}` are read as other days by `{theirs}`"),
                    )
                    .help("the first format that reads a text wins: keep the one that the data was written in"),
                );
            }
        }
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        if field.logical.family() == Family::Moment {
            return None;
        }
        if matches!(self.columns, Columns::AllText(_)) {
            text::needs_names("parse_date", &self.columns, out);
            return None;
        }
        if !text::acts_on("parse_date", &self.columns, field, out) {
            return None;
        }
        let formats = self.formats(out)?;
        let to = match self.to {
            To::Date => Logical::Date,
            To::Timestamp => Logical::TIMESTAMP,
        };
        let (rule, from) = (self.clone(), field.logical.clone());
        let output = text::converted(field, to.clone());
        let apply = move |before: &Series| {
            let texts = Texts::new(before, &from);
            Ok(values::read_each(before, &texts, &to, rule.invalid.0, |text| {
                let moment = formats.iter().find_map(|format| format.read(text)).ok_or(NOT_A_DATE)?;
                rule.value(moment)
            }))
        };
        Some(BoundStep { output, apply: Box::new(apply) })
    }
}
