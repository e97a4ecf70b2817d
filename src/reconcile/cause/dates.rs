//! Forms in which people write dates.

use chrono::{NaiveDate, NaiveDateTime};

/// The forms, those of day before month first. They are formats of the step `parse_date`.
pub(super) const FORMATS: [&str; 14] = [
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
];

/// Returns the moment, in microseconds, that a text in a form stands for.
pub(super) fn read(text: &str, format: &str) -> Option<i128> {
    let text = text.trim();
    if text.len() < 8 || text.len() > 32 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let moment = if format.contains("%H") {
        NaiveDateTime::parse_from_str(text, format).ok()?
    } else {
        NaiveDate::parse_from_str(text, format).ok()?.and_hms_opt(0, 0, 0)?
    };
    Some(i128::from(moment.and_utc().timestamp_micros()))
}

/// Returns what two forms that differ only in the order of day and month have in common.
pub(super) fn shape(format: &str) -> String {
    format.replace("%d", "%m")
}
