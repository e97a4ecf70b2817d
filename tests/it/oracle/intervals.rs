//! Spans of time in expressions, against the calendar of `chrono`.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::expression::{parse_value, values};
use counterfoil::frame::{Frame, Texts, Value};
use counterfoil::model::{Field, Logical};
use proptest::prelude::*;

use crate::table;

/// Days that the calendar reaches, on either side of 1970.
const FAR: i32 = 95_000_000;

/// An interval's parts, each with its unit.
type Parts = Vec<(i64, &'static str)>;

fn parts() -> impl Strategy<Value = Parts> {
    let calendar = proptest::sample::select(vec!["year", "years", "month", "months"]);
    let clock = proptest::sample::select(vec!["week", "weeks", "day", "days"]);
    let part = prop_oneof![
        2 => (-30_i64..30, calendar.clone()),
        1 => (-300_000_i64..300_000, calendar),
        2 => (-5_000_i64..5_000, clock.clone()),
        1 => (-100_000_000_i64..100_000_000, clock),
    ];
    proptest::collection::vec(part, 1..4)
}

fn times() -> impl Strategy<Value = Parts> {
    let unit = proptest::sample::select(vec!["hour", "hours", "minute", "minutes", "second", "SECONDS"]);
    proptest::collection::vec((-100_000_i64..100_000, unit), 0..3)
}

fn days() -> impl Strategy<Value = i32> {
    prop_oneof![4 => -40_000..40_000, 1 => -FAR..FAR, 1 => Just(FAR), 1 => Just(-FAR)]
}

fn text(parts: &Parts) -> String {
    parts.iter().map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

/// The same day so many months later, or the month's last one.
fn months_later(date: NaiveDate, months: i64) -> Option<NaiveDate> {
    let month = i64::from(date.year()) * 12 + i64::from(date.month0()) + months;
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u32::try_from(month.rem_euclid(12)).ok()? + 1;
    (1..=date.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
}

fn later(moment: NaiveDateTime, parts: &Parts, sign: i64) -> Option<NaiveDateTime> {
    let of = |wanted: &str| {
        let is = |unit: &str| unit.to_lowercase().trim_end_matches('s') == wanted;
        parts.iter().filter(|(_, unit)| is(unit)).map(|(number, _)| number * sign).sum::<i64>()
    };
    let date = months_later(moment.date(), of("year") * 12 + of("month"))?;
    let days = TimeDelta::try_days(of("week") * 7 + of("day"))?;
    let seconds = TimeDelta::try_seconds(of("hour") * 3600 + of("minute") * 60 + of("second"))?;
    date.and_time(moment.time()).checked_add_signed(days.checked_add(&seconds)?)
}

/// Evaluates an expression over one row; the error says why it was refused.
fn value(sql: &str, frame: &Frame) -> Result<(Logical, Option<String>), String> {
    let file = Arc::new(SourceFile::new("t.yml", sql));
    let text = Spanned { value: sql.to_owned(), span: Span { file, range: 0..sql.len() } };
    let mut out = Diagnostics::default();
    let as_of = DateTime::parse_from_rfc3339("2026-01-31T12:34:56Z").unwrap().to_utc();
    let bound = parse_value(&text, &mut out)
        .and_then(|expression| expression.bind_value("v", &frame.schema, as_of, &mut out));
    let (expr, field) = bound.ok_or_else(|| out.render(false))?;
    let column = values(frame, &expr, &field.logical).map_err(|error| error.to_string())?;
    let texts = Texts::new(column.as_materialized_series(), &field.logical);
    Ok((field.logical, texts.owned(0)))
}

fn row(day: Option<i32>, micros: Option<i64>) -> Frame {
    let fields = vec![
        Field::new("d", Logical::Date),
        Field::new("e", Logical::Date),
        Field::new("m", Logical::TIMESTAMP),
        Field::new("u", Logical::TIMESTAMP_UTC),
        Field::new("n", Logical::I64),
        Field::new("t", Logical::TEXT),
    ];
    let moment = micros.map(Value::Moment);
    let values = vec![
        day.map(Value::Date),
        Some(Value::Date(0)),
        moment.clone(),
        moment,
        Some(Value::I64(3)),
        Some(Value::Text("2020-01-01".to_owned())),
    ];
    table::build(fields, &[values])
}

/// The text of a value as the program writes it.
fn written(value: Option<Value>, logical: &Logical) -> Option<String> {
    let frame = table::build(vec![Field::new("v", logical.clone())], &[vec![value]]);
    frame.texts("v").and_then(|texts| texts.owned(0))
}

proptest! {
    #![proptest_config(super::cases(400))]

    #[test]
    fn moments_move_as_the_calendar_says(
        day in days(),
        micros in 0..86_400_000_000_i64,
        days in parts(),
        times in times(),
        minus in any::<bool>(),
    ) {
        let moment = i64::from(day) * 86_400_000_000 + micros;
        let frame = row(Some(day), Some(moment));
        let (op, sign) = if minus { ("-", -1) } else { ("+", 1) };
        let start = NaiveDate::from_epoch_days(day).unwrap().and_hms_opt(0, 0, 0).unwrap();

        let plain = later(start, &days, sign).map(|moved| Value::Date(moved.date().to_epoch_days()));
        let wanted = (Logical::Date, written(plain, &Logical::Date));
        prop_assert_eq!(value(&format!("d {op} interval '{}'", text(&days)), &frame), Ok(wanted.clone()));
        if !minus {
            prop_assert_eq!(value(&format!("interval '{}' + d", text(&days)), &frame), Ok(wanted));
        }

        let all: Parts = days.iter().chain(&times).copied().collect();
        let start = start + TimeDelta::microseconds(micros);
        let plain = later(start, &all, sign).map(|moved| Value::Moment(moved.and_utc().timestamp_micros()));
        for (column, logical) in [("m", Logical::TIMESTAMP), ("u", Logical::TIMESTAMP_UTC)] {
            let wanted = (logical.clone(), written(plain.clone(), &logical));
            prop_assert_eq!(value(&format!("{column} {op} interval '{}'", text(&all)), &frame), Ok(wanted));
        }
    }

    #[test]
    fn two_dates_have_days_between_them(a in days(), b in -40_000..40_000_i32) {
        let frame = row(Some(a), None);
        let date = NaiveDate::from_epoch_days(b).unwrap();
        let sql = format!("d - date '{date}'");
        prop_assert_eq!(value(&sql, &frame), Ok((Logical::I64, Some((i64::from(a) - i64::from(b)).to_string()))));
        prop_assert_eq!(value("e - d", &frame), Ok((Logical::I64, Some((-i64::from(a)).to_string()))));
    }
}

#[test]
fn what_spans_of_time_are() {
    let frame = row(NaiveDate::from_ymd_opt(2020, 1, 31).map(|date| date.to_epoch_days()), Some(0));
    let shown = |sql: &str| {
        value(sql, &frame).map(|(logical, text)| format!("{logical} {}", text.unwrap_or("-".to_owned())))
    };
    for (sql, wanted) in [
        ("d + interval '1 month'", "date 2020-02-29"),
        ("d + interval '1' month", "date 2020-02-29"),
        ("d - interval '-1 day'", "date 2020-02-01"),
        ("d + interval '1 month -1 day'", "date 2020-02-28"),
        ("d + interval '24 hours'", "date 2020-02-01"),
        ("d + interval '90 minutes'", "timestamp 2020-01-31 01:30:00"),
        ("(d + interval '1 day') - interval '1 year'", "date 2019-02-01"),
        ("m + interval '1 year 1 second'", "timestamp 1971-01-01 00:00:01"),
        ("u - interval '1 hour'", "timestamptz 1969-12-31 23:00:00Z"),
        ("d - current_date", "i64 -2192"),
        ("current_date - d", "i64 2192"),
        ("d - '2020-01-30'", "i64 1"),
        ("cast(m as date) - d", "i64 -18292"),
        ("d - null", "i64 -"),
        ("null + interval '1 day'", "timestamp -"),
        ("d + interval '300000 years'", "date -"),
        ("d + interval '2000000000 days'", "date -"),
        ("m + interval '290000 years'", "timestamp -"),
    ] {
        assert_eq!(shown(sql), Ok(wanted.to_owned()), "{sql}");
    }
    let nothing = row(None, None);
    assert_eq!(value("d + interval '1 day'", &nothing), Ok((Logical::Date, None)));
    assert_eq!(value("d - e", &nothing), Ok((Logical::I64, None)));
}

#[test]
fn what_goes_with_no_span_is_said() {
    let frame = row(Some(0), Some(0));
    for (sql, said) in [
        ("d + 30", "a number does not go with a date or timestamp"),
        ("n - d", "a number does not go with a date or timestamp"),
        ("d + e", "this calculation is not known for dates and timestamps"),
        ("d * e", "this calculation is not known for dates and timestamps"),
        ("m - d", "timestamp minus date is not known here"),
        ("u - m", "timestamptz minus timestamp is not known here"),
        ("n + interval '1 day'", "this is a number, not a date or timestamp"),
        ("t + interval '1 day'", "`date '2020-01-31'` is a date"),
        ("'2020-01-01' + interval '1 day'", "this is a text, not a date or timestamp"),
        ("d * interval '1 day'", "an interval is no value of its own"),
        ("interval '1 day' - d", "an interval is no value of its own"),
        ("interval '1 day' + interval '1 day'", "an interval is no value of its own"),
        ("-interval '1 day'", "an interval is no value of its own"),
        ("interval '1 day'", "an interval is no value of its own"),
        ("d + interval '1.5 days'", "`1.5 days` is not an interval"),
        ("d + interval '1 quarter'", "the units are year, month, week, day, hour, minute and second"),
        ("d + interval '1'", "`1` is not an interval"),
        ("d + interval '1:00' hour to minute", "numbers and units in single quotes"),
        ("d + interval 1 day", "numbers and units in single quotes"),
    ] {
        let refused = value(sql, &frame).expect_err(sql);
        assert!(refused.contains(said), "{sql}: {refused}");
    }
}
