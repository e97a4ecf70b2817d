//! Steps that read text as numbers and dates, against printing.

use chrono::{NaiveDate, NaiveTime};
use counterfoil::frame::{decimal, moment_text};
use counterfoil::model::Logical;
use proptest::prelude::*;

use super::{column, made, run, step, texts};

/// Returns the text of a decimal's digits with `scale` of them behind the point.
fn decimal_text(digits: i128, scale: usize) -> (bool, String, String) {
    let text = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    (digits < 0, whole.to_owned(), fraction.to_owned())
}

/// Puts a separator between groups of three digits.
fn grouped(whole: &str, separator: &str) -> String {
    let bytes: Vec<String> = whole.bytes().rev().map(|b| char::from(b).to_string()).collect();
    let groups: Vec<String> = bytes.chunks(3).map(|g| g.iter().rev().map(String::as_str).collect()).collect();
    groups.into_iter().rev().collect::<Vec<_>>().join(separator)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_number_reads_back(
        digits in -99_999_999_999_999_999_999_i128..=99_999_999_999_999_999_999,
        style in 0..4_usize,
        separator in prop::sample::select(&["", ",", " ", "'", "\u{A0}"][..]),
        currency in prop::sample::select(&["", "£", "$ ", "€"][..]),
        comma in any::<bool>(),
    ) {
        let (negative, whole, fraction) = decimal_text(digits, 4);
        let separator = if comma && separator == "," { "." } else { separator };
        let body = format!("{}{}{fraction}", grouped(&whole, separator), if comma { "," } else { "." });
        let written = match (negative, style) {
            (false, _) => format!(" {currency}{body}"),
            (true, 0) => format!("-{currency}{body}"),
            (true, 1) => format!("{currency}-{body} "),
            (true, 2) => format!("({currency}{body})"),
            (true, _) => format!("{currency}{body}-"),
        };
        let mark = if comma { "," } else { "." };
        let rule = format!("{{ step: parse_number, columns: c, to: 'decimal(20,4)', decimal_mark: '{mark}' }}");
        let after = made(&rule, &Logical::TEXT, &[Some(written), None]);
        let sign = if negative { "-" } else { "" };
        prop_assert_eq!(after, vec![Some(format!("{sign}{whole}.{fraction}")), None]);
    }

    #[test]
    fn floating_point_numbers_read_back(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let after = made("{ step: parse_number, columns: c, to: f64 }", &Logical::TEXT, &[Some(number.to_string())]);
        let wanted = if number == 0.0 { 0.0 } else { number };
        prop_assert_eq!(after, vec![Some(wanted.to_string())]);
    }

    #[test]
    fn whole_numbers_read_back(number in any::<i64>()) {
        let after = made("{ step: parse_number, columns: c, to: i64 }", &Logical::TEXT, &[Some(number.to_string())]);
        prop_assert_eq!(after, vec![Some(number.to_string())]);
        let after = made("{ step: parse_number, columns: c, to: u64, invalid: null }", &Logical::TEXT, &[Some(number.to_string())]);
        prop_assert_eq!(after, vec![u64::try_from(number).ok().map(|n| n.to_string())]);
    }

    /// A pattern and the plain decimal reader decide what a number is, once more.
    #[test]
    fn what_is_not_a_number_is_refused(text in "[0-9.,()-]{0,9}") {
        let body = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?";
        let pattern = regex::Regex::new(&format!(r"^(?:(-?)({body})|()({body})(-)|(\()({body})\))$")).unwrap();
        let wanted = pattern.captures(&text).and_then(|found| {
            let group = |i| found.get(i).map_or("", |g| g.as_str());
            let digits = [2, 4, 7].into_iter().map(group).collect::<String>().replace(',', "");
            let minus = [1, 5, 6].into_iter().any(|i| !group(i).is_empty());
            decimal(&digits, 12, 3).map(|d| if minus { -d } else { d })
        });
        let done = run(&column(&Logical::TEXT, &[Some(text)]), &[step("{ step: parse_number, columns: c, to: 'decimal(12,3)' }")]);
        let after = texts(&done.frame)[0].as_deref().and_then(|t| decimal(t, 12, 3));
        prop_assert_eq!(after, wanted);
        prop_assert_eq!(done.held_back.len(), usize::from(wanted.is_none()));
    }

    #[test]
    fn a_printed_date_reads_back(
        day in -719_162..=2_932_896_i32,
        format in prop::sample::select(&[
            "%d/%m/%Y", "%-d/%-m/%Y", "%Y-%m-%d", "%Y%m%d", "%d%m%Y", "%d %b %Y", "%e %B %Y", "%A %d.%m.%Y", "%Y/%j", "%a, %-d-%b-%Y"
        ][..]),
    ) {
        let date = NaiveDate::from_epoch_days(day).unwrap();
        let rule = format!("{{ step: parse_date, columns: c, formats: ['{format}'] }}");
        let written = date.format(format).to_string();
        let more = [Some(format!("{written}0")), Some(format!("{written} ")), Some(format!("x{written}"))];
        let done = run(&column(&Logical::TEXT, &[&[Some(written)], &more[..]].concat()), &[step(&rule)]);
        prop_assert_eq!(texts(&done.frame), vec![Some(date.format("%Y-%m-%d").to_string()), None, None, None]);
        prop_assert_eq!(done.held_back.len(), 3);
    }

    #[test]
    fn a_printed_moment_reads_back(
        second in -62_135_596_800..=253_402_300_799_i64,
        micros in 0..1_000_000_i64,
        format in prop::sample::select(&["%d/%m/%Y %H:%M:%S%.f", "%Y%m%d%H%M%S%.f", "%b %d %Y %I:%M:%S%.f %p"][..]),
    ) {
        let all = second * 1_000_000 + micros;
        let moment = chrono::DateTime::from_timestamp_micros(all).unwrap().naive_utc();
        let rule = format!("{{ step: parse_date, columns: c, formats: ['{format}'], to: timestamp }}");
        let after = made(&rule, &Logical::TEXT, &[Some(moment.format(format).to_string())]);
        prop_assert_eq!(after, vec![Some(moment_text(all, false))]);
        let rule = format!("{{ step: parse_date, columns: c, formats: ['{format}'], invalid: null }}");
        let after = made(&rule, &Logical::TEXT, &[Some(moment.format(format).to_string())]);
        prop_assert_eq!(after[0].is_some(), moment.time() == NaiveTime::MIN);
    }
}

#[test]
fn the_first_format_that_reads_wins() {
    let before = ["01/02/2020", "13/02/2020", "02/13/2020"].map(|t| Some(t.to_owned()));
    let (rule, out) = crate::examples::read_step(&crate::examples::yaml(
        "{ step: parse_date, columns: c, formats: ['%d/%m/%Y', '%m/%d/%Y'] }",
    ));
    assert!(out.is_empty());
    let done = run(&column(&Logical::TEXT, &before), &[rule.unwrap()]);
    assert_eq!(texts(&done.frame), ["2020-02-01", "2020-02-13", "2020-02-13"].map(|t| Some(t.to_owned())));
}

#[test]
fn columns_of_the_type_pass_and_numbers_of_another_are_converted() {
    let frame = crate::examples::table::parse_rows(
        "| d: date     | t: timestamp        | n: i64 | f: f64 | e: decimal(9,3) |
         | 2020-02-01  | 2020-02-01 10:00:00 | 5      | 0.5    | 1.500           |
         | null        | null                | null   | null   | null            |
         | 2020-02-01  | 2020-02-01 00:00:00 | -7     | 0.125  | 0.001           |",
    );
    let done = run(
        &frame,
        &[
            step("{ step: parse_date, columns: [d, t], formats: ['%F'] }"),
            step("{ step: parse_number, columns: [n, f, e], to: 'decimal(9,2)', decimal_mark: ',' }"),
        ],
    );
    assert_eq!(
        crate::examples::table::print_rows(&done.frame),
        "| d: date | t: timestamp | n: decimal(9,2) | f: decimal(9,2) | e: decimal(9,2) |\n\
         | 2020-02-01 | 2020-02-01 10:00:00 | 5.00 | 0.50 | 1.50 |\n\
         | null | null | null | null | null |\n\
         | 2020-02-01 | 2020-02-01 00:00:00 | -7.00 | null | null |\n"
    );
    assert!(done.corrections.is_empty(), "{:?}", done.corrections);
    assert_eq!(done.rules[0].columns, Vec::<String>::new());
    let held: Vec<_> = done.held_back.iter().map(|h| (h.index, h.column.as_str())).collect();
    assert_eq!(held, [(2, "f"), (2, "e")]);
}
