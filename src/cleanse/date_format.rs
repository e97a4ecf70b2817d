//! Strict reading of dates by strftime formats: the whole text must match, and nothing is guessed.
//!
//! chrono's own parser takes `20` for a four-digit year and any white space for any other; migrated data holds
//! both as mistakes.

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};

/// The specifiers that are understood, for messages and help.
pub(super) const SPECIFIERS: &str =
    "%Y %y %m %b %B %d %e %j %a %A %H %I %p %M %S %.f %F %D %T %R, with `-` for no padding, and plain text";

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday"),
    (Weekday::Tue, "tuesday"),
    (Weekday::Wed, "wednesday"),
    (Weekday::Thu, "thursday"),
    (Weekday::Fri, "friday"),
    (Weekday::Sat, "saturday"),
    (Weekday::Sun, "sunday"),
];

/// A format for reading dates, with or without a time of day.
#[derive(Debug, Clone)]
pub(super) struct DateFormat {
    items: Vec<Item<'static>>,
    has_time: bool,
}

impl DateFormat {
    /// Reads a strftime format; a sentence where it cannot be read or does not make a whole date.
    pub(super) fn new(format: &str) -> Result<Self, String> {
        let items = StrftimeItems::new(format)
            .parse_to_owned()
            .map_err(|_| "this is not a strftime format".to_owned())?;
        if let Some(item) = items.iter().find(|item| !is_known(item)) {
            return Err(format!("this format has a part that is not understood here ({})", words(item)));
        }
        let has_time = items.iter().any(is_time);
        let format = DateFormat { items, has_time };
        // Two moments that differ in every part: a format from which both come back is whole.
        let whole = samples().all(|sample| {
            format.print(sample).and_then(|text| format.read(&text)).is_some_and(|read| {
                let wanted = if has_time { (sample.hour(), sample.minute()) } else { (0, 0) };
                read.date() == sample.date() && (read.hour(), read.minute()) == wanted
            })
        });
        if whole { Ok(format) } else { Err("this format does not make a whole date".to_owned()) }
    }

    /// Reads a text that matches the format from its first character to its last.
    ///
    /// Without a time in the format the time is midnight.
    pub(super) fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let mut parsed = Parsed::new();
        let mut rest = text;
        for (i, item) in self.items.iter().enumerate() {
            let beside = [i.checked_sub(1), Some(i + 1)];
            let fixed_width =
                beside.iter().flatten().any(|i| matches!(self.items.get(*i), Some(Item::Numeric(_, _))));
            rest = read_item(item, fixed_width, rest, &mut parsed)?;
        }
        if !rest.is_empty() {
            return None;
        }
        let date = parsed.to_naive_date().ok()?;
        let time = if self.has_time { parsed.to_naive_time().ok()? } else { NaiveTime::MIN };
        let is_leap_second = time.nanosecond() >= 1_000_000_000;
        (!is_leap_second && time.nanosecond() % 1000 == 0).then(|| date.and_time(time))
    }

    /// Returns a moment as text in this format.
    fn print(&self, moment: NaiveDateTime) -> Option<String> {
        use std::fmt::Write;
        let mut text = String::new();
        write!(text, "{}", moment.format_with_items(self.items.iter())).ok()?;
        Some(text)
    }

    /// Returns true where this format reads texts of another as another day.
    pub(super) fn misreads(&self, other: &DateFormat) -> bool {
        samples().any(|sample| {
            let Some(text) = other.print(sample) else { return false };
            matches!((self.read(&text), other.read(&text)), (Some(a), Some(b)) if a.date() != b.date())
        })
    }
}

/// Moments whose day, month and two-digit year are three different numbers that could each be another.
fn samples() -> impl Iterator<Item = NaiveDateTime> {
    [(2003, 2, 1, 4, 5), (2010, 11, 12, 13, 14)].into_iter().filter_map(|(year, month, day, hour, minute)| {
        NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, 6)
    })
}

fn is_known(item: &Item<'_>) -> bool {
    match item {
        Item::Literal(_) | Item::OwnedLiteral(_) | Item::Space(_) | Item::OwnedSpace(_) => true,
        Item::Numeric(numeric, _) => matches!(
            numeric,
            Numeric::Year
                | Numeric::YearMod100
                | Numeric::Month
                | Numeric::Day
                | Numeric::Ordinal
                | Numeric::Hour
                | Numeric::Hour12
                | Numeric::Minute
                | Numeric::Second
        ),
        Item::Fixed(fixed) => matches!(
            fixed,
            Fixed::ShortMonthName
                | Fixed::LongMonthName
                | Fixed::ShortWeekdayName
                | Fixed::LongWeekdayName
                | Fixed::LowerAmPm
                | Fixed::UpperAmPm
                | Fixed::Nanosecond
        ),
        Item::Error => false,
    }
}

fn is_time(item: &Item<'_>) -> bool {
    match item {
        Item::Numeric(numeric, _) => {
            matches!(numeric, Numeric::Hour | Numeric::Hour12 | Numeric::Minute | Numeric::Second)
        }
        Item::Fixed(fixed) => matches!(fixed, Fixed::LowerAmPm | Fixed::UpperAmPm | Fixed::Nanosecond),
        _ => false,
    }
}

/// Returns what a part of a format is, for messages.
fn words(item: &Item<'_>) -> &'static str {
    match item {
        Item::Numeric(Numeric::Nanosecond, _) => "%f; a fraction of a second is `%.f`, its point included",
        Item::Numeric(Numeric::Timestamp, _) => "%s",
        Item::Fixed(Fixed::TimezoneName) => "%Z",
        Item::Fixed(
            Fixed::TimezoneOffset
            | Fixed::TimezoneOffsetColon
            | Fixed::TimezoneOffsetZ
            | Fixed::TimezoneOffsetColonZ
            | Fixed::RFC2822
            | Fixed::RFC3339,
        ) => "an offset: the moments made here have no zone",
        Item::Numeric(_, _) => "a week, a quarter or a century",
        _ => "a part of strftime that is rarely used",
    }
}

/// Reads one part at the start of a text and returns what is behind it.
fn read_item<'t>(item: &Item<'_>, fixed_width: bool, text: &'t str, parsed: &mut Parsed) -> Option<&'t str> {
    match item {
        Item::Literal(literal) | Item::Space(literal) => text.strip_prefix(literal),
        Item::OwnedLiteral(literal) | Item::OwnedSpace(literal) => text.strip_prefix(&**literal),
        Item::Numeric(numeric, pad) => {
            let width = match numeric {
                Numeric::Year => 4,
                Numeric::Ordinal => 3,
                _ => 2,
            };
            let exact = fixed_width || matches!(numeric, Numeric::Year | Numeric::YearMod100);
            let blank = (*pad == chrono::format::Pad::Space).then(|| text.strip_prefix(' ')).flatten();
            let (number, rest) = match blank {
                Some(after) => digits(after, 1, width - 1)?,
                None => digits(text, if exact { width } else { 1 }, width)?,
            };
            match numeric {
                Numeric::Year => parsed.set_year(number),
                Numeric::YearMod100 => parsed.set_year_mod_100(number),
                Numeric::Month => parsed.set_month(number),
                Numeric::Day => parsed.set_day(number),
                Numeric::Ordinal => parsed.set_ordinal(number),
                Numeric::Hour => parsed.set_hour(number),
                Numeric::Hour12 => parsed.set_hour12(number),
                Numeric::Minute => parsed.set_minute(number),
                Numeric::Second => parsed.set_second(number),
                _ => return None,
            }
            .ok()?;
            Some(rest)
        }
        Item::Fixed(Fixed::Nanosecond) => {
            let Some(after) = text.strip_prefix('.') else { return Some(text) };
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, rest) = after.split_at(length);
            let (kept, lost) = fraction.split_at(length.min(9));
            if kept.is_empty() || lost.bytes().any(|b| b != b'0') {
                return None;
            }
            parsed.set_nanosecond(format!("{kept:0<9}").parse().ok()?).ok()?;
            Some(rest)
        }
        Item::Fixed(fixed) => read_name(fixed, text, parsed),
        Item::Error => None,
    }
}

fn read_name<'t>(fixed: &Fixed, text: &'t str, parsed: &mut Parsed) -> Option<&'t str> {
    let short = |name: &'static str| name.get(..3).unwrap_or(name);
    match fixed {
        Fixed::ShortMonthName | Fixed::LongMonthName => {
            let (number, rest) = (1..).zip(MONTHS).find_map(|(number, name)| {
                let name = if *fixed == Fixed::ShortMonthName { short(name) } else { name };
                Some((number, without_name(text, name)?))
            })?;
            parsed.set_month(number).ok()?;
            Some(rest)
        }
        Fixed::ShortWeekdayName | Fixed::LongWeekdayName => {
            let (day, rest) = DAYS.iter().find_map(|(day, name)| {
                let name = if *fixed == Fixed::ShortWeekdayName { short(name) } else { name };
                Some((*day, without_name(text, name)?))
            })?;
            parsed.set_weekday(day).ok()?;
            Some(rest)
        }
        _ => {
            let (afternoon, rest) = [(false, "am"), (true, "pm")]
                .into_iter()
                .find_map(|(afternoon, name)| Some((afternoon, without_name(text, name)?)))?;
            parsed.set_ampm(afternoon).ok()?;
            Some(rest)
        }
    }
}

/// Takes an English name off the start of a text, in any case.
fn without_name<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(rest)
}

/// Takes a number of `least` to `most` ASCII digits off the start of a text, as many as there are.
fn digits(text: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let (number, rest) = text.split_at_checked(count)?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        DateFormat::new(format).unwrap().read(text).map(|m| m.to_string())
    }

    #[test]
    fn the_whole_text_must_match() {
        let day = Some("2020-02-01 00:00:00".to_owned());
        for (format, text) in [
            ("%d/%m/%Y", "01/02/2020"),
            ("%d/%m/%Y", "1/2/2020"),
            ("%Y%m%d", "20200201"),
            ("%d %b %Y", "1 FEB 2020"),
            ("%A, %d %B %Y", "saturday, 01 February 2020"),
            ("%e.%m.%y", " 1.2.20"),
            ("%Y-%j", "2020-32"),
            ("%F", "2020-02-01"),
        ] {
            assert_eq!(read(format, text), day, "{format} {text}");
        }
        for (format, text) in [
            ("%d/%m/%Y", "01/02/20"),
            ("%d/%m/%Y", "01/02/02020"),
            ("%d/%m/%Y", "01/02/+2020"),
            ("%d/%m/%Y", " 01/02/2020"),
            ("%d/%m/%Y", "01/02/2020 "),
            ("%d/%m/%Y", "30/02/2020"),
            ("%d/%m/%Y", "001/02/2020"),
            ("%d/%m/%Y", "٠١/02/2020"),
            ("%d/%m/%y", "01/02/2020"),
            ("%Y%m%d", "2020201"),
            ("%d %b %Y", "1  Feb 2020"),
            ("%d %b %Y", "1 February 2020"),
            ("%A, %d %B %Y", "Sunday, 01 February 2020"),
            ("%d/%m/%Y", ""),
        ] {
            assert_eq!(read(format, text), None, "{format} {text}");
        }
    }

    #[test]
    fn times_to_the_microsecond() {
        assert_eq!(read("%F %T", "2020-02-01 24:00:00"), None);
        assert_eq!(read("%F %T", "2020-02-01 23:59:60"), None);
        assert_eq!(read("%F %I:%M %p", "2020-02-01 12:30 am").as_deref(), Some("2020-02-01 00:30:00"));
        assert_eq!(read("%F %T%.f", "2020-02-01 00:00:01").as_deref(), Some("2020-02-01 00:00:01"));
        assert_eq!(
            read("%F %T%.f", "2020-02-01 00:00:01.1234560000").as_deref(),
            Some("2020-02-01 00:00:01.123456")
        );
        assert_eq!(read("%F %T%.f", "2020-02-01 00:00:01.1234567"), None);
        assert_eq!(read("%F %T%.f", "2020-02-01 00:00:01."), None);
    }

    #[test]
    fn two_digit_years_from_1970_to_2069() {
        assert_eq!(read("%d/%m/%y", "01/01/69").as_deref(), Some("2069-01-01 00:00:00"));
        assert_eq!(read("%d/%m/%y", "01/01/70").as_deref(), Some("1970-01-01 00:00:00"));
    }

    #[test]
    fn formats_that_make_no_date_are_refused() {
        for format in
            ["%d/%m", "%Y", "%", "%d/%m/%Y %H", "%F %z", "%s", "%F %f", "%q", "", "%F %I:%M", "%C%y-%m-%d"]
        {
            assert!(DateFormat::new(format).is_err(), "{format}");
        }
        let uk = DateFormat::new("%d/%m/%Y").unwrap();
        let us = DateFormat::new("%m/%d/%Y").unwrap();
        let iso = DateFormat::new("%Y-%m-%d").unwrap();
        assert!(uk.misreads(&us) && us.misreads(&uk));
        assert!(!uk.misreads(&iso) && !iso.misreads(&uk));
    }
}
