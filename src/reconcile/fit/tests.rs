//! Columns of each kind with values at their limits.

use polars::prelude::DataFrame;
use proptest::prelude::*;

use super::*;
use crate::frame::{Value, series_of};

fn frame(logical: &str, texts: &[&str]) -> Frame {
    let logical: Logical = logical.parse().unwrap();
    let values: Vec<Option<Value>> = texts
        .iter()
        .map(|t| (*t != "null").then(|| Value::parse(t, &logical).unwrap_or_else(|| panic!("{t}"))))
        .collect();
    let column = series_of("c", &logical, &values).into();
    let schema = Schema { fields: vec![Field::new("c", logical)] };
    Frame::new(schema, DataFrame::new(texts.len(), vec![column]).unwrap())
}

fn found(own: &Frame, other: &str, holds: Holds) -> Vec<Option<Misfit>> {
    let schema = Schema { fields: vec![Field::new("c", other.parse().unwrap())] };
    let columns = fit_columns(&own.schema, &schema, &|_| (holds.clone(), other.to_owned()), &BTreeMap::new());
    let found = misfits(own, &columns).unwrap().found;
    (0_u32..).take(own.height()).map(|row| found.iter().find(|f| f.0 == row).map(|f| f.2)).collect()
}

fn length(most: u64, unit: Unit, code_page: Option<CodePage>) -> Holds {
    Holds { length: Some((most, unit)), code_page, ..Holds::default() }
}

use Misfit::{Character, Digits, Finer, NoValue, OutOfRange, TooLong};

#[test]
fn texts_are_counted_as_the_column_counts() {
    let texts = frame("text", &["abc", "äöü", "äöüß", "a😀b", "abcd", "ab€", "a\0b", "", "null", "Łab"]);
    let western = || Some(CodePage::Named("windows-1252".to_owned()));
    for (holds, wanted) in [
        (
            length(3, Unit::Characters, None),
            [None, None, Some(TooLong), None, Some(TooLong), None, None, None, None, None],
        ),
        (
            length(3, Unit::Utf16, None),
            [None, None, Some(TooLong), Some(TooLong), Some(TooLong), None, None, None, None, None],
        ),
        (
            length(4, Unit::Bytes, None),
            [None, Some(TooLong), Some(TooLong), Some(TooLong), None, Some(TooLong), None, None, None, None],
        ),
        (
            length(3, Unit::Bytes, western()),
            [
                None,
                None,
                Some(TooLong),
                Some(Character),
                Some(TooLong),
                None,
                None,
                None,
                None,
                Some(Character),
            ],
        ),
        (
            length(9, Unit::Bytes, Some(CodePage::Latin1)),
            [None, None, None, Some(Character), None, Some(Character), None, None, None, Some(Character)],
        ),
        (
            length(9, Unit::Characters, Some(CodePage::BasicPlane)),
            [None, None, None, Some(Character), None, None, None, None, None, None],
        ),
        (
            Holds { no_nul: true, ..Holds::default() },
            [None, None, None, None, None, None, Some(Character), None, None, None],
        ),
    ] {
        assert_eq!(found(&texts, "text", holds.clone()), wanted, "{holds:?}");
    }
}

#[test]
fn numbers_have_a_range_and_digits() {
    let numbers =
        frame("decimal(20,4)", &["1.5000", "999.9900", "1000.0000", "0.1250", "-1000.0000", "16777217.0000"]);
    let decimal = |p, s| Holds { numbers: Numbers::decimal(p, s), ..Holds::default() };
    let of = |numbers| Holds { numbers: Some(numbers), ..Holds::default() };
    for (holds, wanted) in [
        (decimal(5, 2), [None, None, Some(OutOfRange), Some(Digits), Some(OutOfRange), Some(OutOfRange)]),
        (
            of(Numbers::whole(0, 1000)),
            [Some(Digits), Some(Digits), None, Some(Digits), Some(OutOfRange), Some(OutOfRange)],
        ),
        (of(Numbers::F32), [None, None, None, None, None, Some(Digits)]),
        (of(Numbers::F64), [None; 6]),
        (of(Numbers::Digits(4)), [None, Some(Digits), None, None, None, Some(Digits)]),
    ] {
        assert_eq!(found(&numbers, "decimal(20,4)", holds.clone()), wanted, "{holds:?}");
    }
    let floats = frame("f64", &["0.1", "0.5", "NaN", "inf", "1e300", "0.30000000000000004"]);
    let in_decimal = [None, None, Some(NoValue), Some(NoValue), Some(OutOfRange), Some(Digits)];
    assert_eq!(found(&floats, "decimal(5,2)", decimal(5, 2)), in_decimal);
    let short = [Some(Digits), None, None, None, Some(OutOfRange), Some(Digits)];
    assert_eq!(found(&floats, "f64", of(Numbers::F32)), short);
    let texts = frame("text", &["12", " 7 ", "x", "", "99999", "true"]);
    let read = [None, None, Some(NoValue), Some(NoValue), Some(OutOfRange), Some(NoValue)];
    assert_eq!(found(&texts, "i64", of(Numbers::whole(0, 255))), read);
    assert_eq!(
        found(&frame("i64", &["0", "1", "2"]), "bool", Holds { no_nul: true, ..Holds::default() }),
        [None, None, Some(OutOfRange)]
    );
}

#[test]
fn moments_have_a_range_and_a_step() {
    let moments = frame(
        "timestamp",
        &[
            "1752-12-31 23:59:59",
            "1753-01-01 00:00:00",
            "2020-01-01 00:00:00.003",
            "2020-01-01 00:00:00.005",
            "2020-01-01 12:30:00",
        ],
    );
    let old = Holds {
        moments: Some((-6_847_804_800_000_000, 253_402_300_799_997_000)),
        step: Some(Step::ThreeHundredths),
        ..Holds::default()
    };
    assert_eq!(found(&moments, "timestamp", old), [Some(OutOfRange), None, None, Some(Finer), None]);
    let minutes = Holds { step: Some(Step::Micros(60_000_000)), ..Holds::default() };
    assert_eq!(found(&moments, "timestamp", minutes), [Some(Finer), None, Some(Finer), Some(Finer), None]);
    let days = Holds::of(&Logical::Date);
    assert_eq!(
        found(&moments, "date", days.clone()),
        [Some(Finer), None, Some(Finer), Some(Finer), Some(Finer)]
    );
    let texts = frame("text", &["2020-01-01", "2020-13-01"]);
    assert_eq!(found(&texts, "date", days), [None, Some(NoValue)]);
}

#[test]
fn types_that_have_nothing_in_common_are_not_judged() {
    let schema = |logical: &str| Schema { fields: vec![Field::new("c", logical.parse().unwrap())] };
    let limited = |_: &Field| (Holds { no_nul: true, ..Holds::default() }, String::new());
    for (own, other, judged) in [
        ("i64", "date", 0),
        ("date", "bytes", 0),
        ("text", "bytes", 0),
        ("text", "date", 1),
        ("date", "text", 1),
        ("bool", "i64", 1),
        ("timestamptz", "date", 0),
    ] {
        let columns = fit_columns(&schema(own), &schema(other), &limited, &BTreeMap::new());
        assert_eq!(columns.len(), judged, "{own} and {other}");
    }
}

proptest! {
    #[test]
    fn what_fits_a_decimal_is_what_can_be_written_with_its_digits(
        digits in -200_000_i128..200_000, scale in 0_u8..5, precision in 1_u32..6, kept in 0_u32..4
    ) {
        let kept = kept.min(precision);
        let own = frame(&format!("decimal(20,{scale})"), &[&{
            let mut text = String::new();
            Number::Exact { digits, scale: scale.into() }.push_text(&mut text);
            text
        }]);
        let holds = Holds { numbers: Numbers::decimal(precision, kept), ..Holds::default() };
        // In the plain: some number of so many digits, with the point in its place, is the same.
        let fits = (-(10_i128.pow(precision)) + 1..10_i128.pow(precision))
            .any(|other| other * 10_i128.pow(scale.into()) == digits * 10_i128.pow(kept));
        prop_assert_eq!(found(&own, "decimal(20,4)", holds)[0].is_none(), fits);
    }
}
