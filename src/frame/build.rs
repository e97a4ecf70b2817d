//! Values to columns.

use polars::prelude::{
    BinaryChunked, BooleanChunked, DataType, Float64Chunked, Int32Chunked, Int64Chunked, Int128Chunked,
    IntoSeries, NewChunkedArray, Series, StringChunked, TimeUnit, UInt64Chunked,
};

use crate::model::{Family, Logical};

use super::{Number, Texts, Value};

/// Makes a series of a logical type from its values; a value of another type becomes NULL.
pub fn series_of(name: &str, logical: &Logical, values: &[Option<Value>]) -> Series {
    macro_rules! collect {
        ($chunked:ty, $variant:ident $(, $convert:expr)?) => {
            <$chunked>::from_iter_options(
                name.into(),
                values.iter().map(|v| match v {
                    Some(Value::$variant(v)) => { let v = *v; $(let v = $convert(v);)? Some(v) }
                    _ => None,
                }),
            )
        };
    }
    match super::polars_type(logical) {
        DataType::Boolean => collect!(BooleanChunked, Bool).into_series(),
        DataType::Int64 => collect!(Int64Chunked, I64).into_series(),
        DataType::UInt64 => collect!(UInt64Chunked, U64).into_series(),
        DataType::Float64 => collect!(Float64Chunked, F64).into_series(),
        DataType::Decimal(precision, scale) => {
            collect!(Int128Chunked, Decimal).into_decimal_unchecked(precision, scale).into_series()
        }
        DataType::Date => collect!(Int32Chunked, Date).into_date().into_series(),
        DataType::Datetime(_, _) => {
            collect!(Int64Chunked, Moment).into_datetime(TimeUnit::Microseconds, None).into_series()
        }
        DataType::Time => collect!(Int64Chunked, Time, |micros: i64| micros * 1000).into_time().into_series(),
        DataType::Binary => BinaryChunked::from_iter_options(
            name.into(),
            values.iter().map(|v| match v {
                Some(Value::Bytes(v)) => Some(v.as_slice()),
                _ => None,
            }),
        )
        .into_series(),
        _ => StringChunked::from_iter_options(
            name.into(),
            values.iter().map(|v| match v {
                Some(Value::Text(v)) => Some(v.as_str()),
                _ => None,
            }),
        )
        .into_series(),
    }
}

/// A column in another logical type.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The values; NULL where the value has no form in the new type.
    pub series: Series,
    /// The indexes (from 0) of the values that have none.
    pub lost: Vec<usize>,
}

/// Converts a column to another logical type by its texts, so that nothing is rounded or cut: a value either
/// has the same meaning in the new type, or is listed as lost.
pub fn convert(series: &Series, from: &Logical, to: &Logical) -> Converted {
    if from == to {
        return Converted { series: series.clone(), lost: Vec::new() };
    }
    let texts = Texts::new(series, from);
    let mut lost = Vec::new();
    let values: Vec<Option<Value>> = (0..series.len())
        .map(|i| {
            let text = texts.get(i)?;
            let value = parse_as(&text, from, to);
            if value.is_none() {
                lost.push(i);
            }
            value
        })
        .collect();
    Converted { series: series_of(series.name(), to, &values), lost }
}

fn parse_as(text: &str, from: &Logical, to: &Logical) -> Option<Value> {
    match (from, to) {
        // The text of a floating-point number has the fewest digits that read back; these are all that it is worth.
        (Logical::F64, Logical::I64 | Logical::U64 | Logical::Decimal { .. }) => {
            let mut worth = String::new();
            Number::Float(text.parse().ok()?).push_text(&mut worth);
            Value::parse(&worth, to)
        }
        // A whole number with a decimal point of zeros: `12.00` as i64.
        (Logical::Decimal { .. }, Logical::I64 | Logical::U64) => {
            Value::parse(text.trim_end_matches('0').strip_suffix('.').unwrap_or(text), to)
        }
        // A floating-point number may be near a number without being it.
        (Logical::I64 | Logical::U64 | Logical::Decimal { .. }, Logical::F64) => {
            let Value::F64(float) = Value::parse(text, to)? else { return None };
            let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let scale = u8::try_from(scale).ok()?;
            let exact = Number::Exact { digits: super::decimal(text, 38, scale)?, scale: scale.into() };
            exact.compare(Number::Float(float)).is_eq().then_some(Value::F64(float))
        }
        // True is 1 and false is 0 wherever the two meet.
        (Logical::Bool, to) if to.family() == Family::Number => {
            Value::parse(if text == "true" { "1" } else { "0" }, to)
        }
        _ => Value::parse(text, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_built_and_printed() {
        for (logical, text) in [
            (Logical::TEXT, "a|b"),
            (Logical::Bool, "true"),
            (Logical::I64, "-9223372036854775808"),
            (Logical::U64, "18446744073709551615"),
            (Logical::F64, "0.1"),
            (Logical::Decimal { precision: 38, scale: 4 }, "-1234567890123456789012345678901234.5678"),
            (Logical::Date, "0001-01-01"),
            (Logical::TIMESTAMP, "1900-01-01 00:00:00.000001"),
            (Logical::TIMESTAMP_UTC, "2026-03-29 01:00:00Z"),
            (Logical::Time, "23:59:59.999999"),
            (Logical::Bytes, "00ff"),
            (Logical::Uuid, "00000000-0000-0000-0000-00000000abcd"),
        ] {
            let series = series_of("c", &logical, &[Value::parse(text, &logical), None]);
            let texts = Texts::new(&series, &logical);
            assert_eq!((texts.owned(0), texts.owned(1)), (Some(text.to_owned()), None), "{logical}");
        }
    }

    #[test]
    fn conversion_loses_nothing_in_silence() {
        let decimal = Logical::Decimal { precision: 9, scale: 2 };
        let values = [Value::parse("12.00", &decimal), Value::parse("12.50", &decimal), None];
        let converted = convert(&series_of("c", &decimal, &values), &decimal, &Logical::I64);
        assert_eq!(Texts::new(&converted.series, &Logical::I64).owned(0), Some("12".to_owned()));
        assert_eq!(converted.lost, [1]);
    }

    fn converted(text: &str, from: &str, to: &str) -> Option<String> {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let converted = convert(&series_of("c", &from, &[Value::parse(text, &from)]), &from, &to);
        assert_eq!(converted.lost.is_empty(), converted.series.null_count() == 0);
        Texts::new(&converted.series, &to).owned(0)
    }

    #[test]
    fn whole_numbers_keep_their_zeros() {
        for (text, from, to) in
            [("100", "decimal(5,0)", "i64"), ("100.00", "decimal(9,2)", "u64"), ("100", "f64", "i64")]
        {
            assert_eq!(converted(text, from, to).as_deref(), Some("100"), "{from} to {to}");
        }
    }

    #[test]
    fn what_a_float_cannot_hold_is_lost() {
        assert_eq!(converted("9007199254740993", "i64", "f64"), None);
        assert_eq!(converted("0.12345678901234567890", "decimal(38,20)", "f64"), None);
        assert_eq!(converted("0.10", "decimal(9,2)", "f64").as_deref(), Some("0.1"));
        assert_eq!(converted("-9223372036854775808", "i64", "f64").as_deref(), Some("-9223372036854776000"));
    }

    #[test]
    fn large_floats_become_the_numbers_that_they_hold() {
        // 2⁶⁰, of which the shortest text that reads back is 1152921504606847000.
        for to in ["i64", "u64", "decimal(38,2)"] {
            let found = converted("1152921504606846976", "f64", to).unwrap();
            assert_eq!(found.trim_end_matches(".00"), "1152921504606846976", "{to}");
        }
        assert_eq!(converted("1e300", "f64", "decimal(38,0)"), None);
        assert_eq!(converted("NaN", "f64", "i64"), None);
        assert_eq!(converted("0.1", "f64", "decimal(9,2)").as_deref(), Some("0.10"));
    }

    #[test]
    fn flags_become_numbers_as_they_are_compared() {
        assert_eq!(converted("true", "bool", "i64").as_deref(), Some("1"));
        assert_eq!(converted("false", "bool", "decimal(3,1)").as_deref(), Some("0.0"));
    }
}
