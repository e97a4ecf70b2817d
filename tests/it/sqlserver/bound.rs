//! Whole blocks of rows in bound buffers, as a fast reader takes them: what FreeTDS puts there for each type.

use odbc_api::buffers::{AnyColumnBufferSlice, BufferDesc, ColumnarDynBuffer};
use odbc_api::sys::{Date, Timestamp};
use odbc_api::{Bit, ConnectionOptions, Cursor, environment};

use super::samples::{samples, table};
use crate::servers::tds::{Answer, Responder, Type, column, freetds, row};

/// How a reader binds a column of a type.
fn binding(kind: Type) -> BufferDesc {
    let nullable = true;
    match kind {
        Type::Bit => BufferDesc::Bit { nullable },
        Type::TinyInt | Type::SmallInt | Type::Int | Type::BigInt => BufferDesc::I64 { nullable },
        Type::Real => BufferDesc::F32 { nullable },
        Type::Float => BufferDesc::F64 { nullable },
        Type::Decimal(..) | Type::Numeric(..) | Type::SmallMoney | Type::Money => {
            BufferDesc::Text { max_str_len: 41 }
        }
        Type::SmallDateTime | Type::DateTime | Type::DateTime2(_) => BufferDesc::Timestamp { nullable },
        Type::Date => BufferDesc::Date { nullable },
        Type::Binary(_) | Type::VarBinary(_) | Type::VarBinaryMax | Type::Image | Type::RowVersion => {
            BufferDesc::Binary { max_bytes: 8_000 }
        }
        _ => BufferDesc::WText { max_str_len: 8_000 },
    }
}

/// A cell as T-SQL would show it.
fn cell(kind: Type, column: AnyColumnBufferSlice, row: usize) -> Option<String> {
    match kind {
        Type::Bit => column.as_nullable_slice::<Bit>().unwrap().get(row).map(|bit| bit.0.to_string()),
        Type::TinyInt | Type::SmallInt | Type::Int | Type::BigInt => {
            column.as_nullable_slice::<i64>().unwrap().get(row).map(ToString::to_string)
        }
        Type::Real => column.as_nullable_slice::<f32>().unwrap().get(row).map(|number| format!("{number:?}")),
        Type::Float => {
            column.as_nullable_slice::<f64>().unwrap().get(row).map(|number| format!("{number:?}"))
        }
        Type::Decimal(..) | Type::Numeric(..) | Type::SmallMoney | Type::Money => {
            let text = column.as_text().unwrap().get(row);
            text.map(|text| String::from_utf8(text.to_vec()).unwrap())
        }
        Type::Date => column
            .as_nullable_slice::<Date>()
            .unwrap()
            .get(row)
            .map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)),
        Type::SmallDateTime | Type::DateTime | Type::DateTime2(_) => {
            let digits = match kind {
                Type::DateTime2(scale) => usize::from(scale),
                Type::DateTime => 3,
                _ => 0,
            };
            column.as_nullable_slice::<Timestamp>().unwrap().get(row).map(|at| {
                let fraction = format!(".{:09}", at.fraction);
                let fraction = if digits == 0 { "" } else { &fraction[..=digits] };
                format!(
                    "{:04}-{:02}-{:02} {:02}:{:02}:{:02}{fraction}",
                    at.year, at.month, at.day, at.hour, at.minute, at.second
                )
            })
        }
        Type::Binary(_) | Type::VarBinary(_) | Type::VarBinaryMax | Type::Image | Type::RowVersion => {
            let bytes = column.as_binary().unwrap().get(row);
            bytes.map(|bytes| bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02X}")))
        }
        _ => column.as_wide_text().unwrap().get(row).map(|text| String::from_utf16(text).unwrap()),
    }
}

#[test]
fn a_block_of_rows_has_every_type() {
    for version in ["7.3", "7.4"] {
        let (columns, rows) = table();
        let server = Responder::start(move |_| Answer::rows(columns.clone(), rows.clone()));
        let Some(string) = freetds::connection_string(server.port, version) else { return };
        let connection = environment()
            .unwrap()
            .connect_with_connection_string(&string, ConnectionOptions::default())
            .unwrap();
        let cursor = connection.execute("select * from samples", (), None).unwrap().unwrap();
        let samples = samples();
        // Fewer than there are rows: the second block is a short one.
        let buffer = ColumnarDynBuffer::from_descs(3, samples.iter().map(|sample| binding(sample.kind)));
        let mut cursor = cursor.bind_buffer(buffer).unwrap();
        let (_, rows) = table();
        let mut at = 0;
        while let Some(block) = cursor.fetch_with_truncation_check(true).unwrap() {
            for row in 0..block.num_rows() {
                for (column, sample) in samples.iter().enumerate() {
                    let read = cell(sample.kind, block.column(column), row);
                    let expected = rows[at][column].as_deref().map(|value| padded(sample.kind, value));
                    assert_eq!(read, expected, "{} in TDS {version}", sample.name);
                }
                at += 1;
            }
        }
        assert_eq!(at, rows.len());
    }
}

/// A value as its column holds it.
fn padded(kind: Type, value: &str) -> String {
    match kind {
        Type::Char(length) | Type::NChar(length) => format!("{value: <width$}", width = usize::from(length)),
        Type::Binary(length) => format!("{value:0<width$}", width = 2 + 2 * usize::from(length)),
        Type::Real => format!("{:?}", value.parse::<f32>().unwrap()),
        Type::Float => format!("{:?}", value.parse::<f64>().unwrap()),
        // As text, years before 1000 come without their zeros.
        Type::DateTimeOffset(_) => value.trim_start_matches('0').to_owned(),
        _ => value.to_owned(),
    }
}

/// How one value came out of a buffer that it may not fit into.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Whole(String),
    /// The driver said that it was cut.
    Refused,
    /// The driver said nothing, but the length it gave is longer than the buffer.
    Cut,
}

/// Reads one column of one row, bound in one way.
fn read_one(kind: Type, value: &str, with: BufferDesc) -> Option<Outcome> {
    let value = value.to_owned();
    let server = Responder::start(move |_| Answer::rows(vec![column("c", kind)], vec![row([&value])]));
    let string = freetds::connection_string(server.port, "7.4")?;
    let connection =
        environment().unwrap().connect_with_connection_string(&string, ConnectionOptions::default()).unwrap();
    let cursor = connection.execute("select c from t", (), None).unwrap().unwrap();
    let mut cursor = cursor.bind_buffer(ColumnarDynBuffer::from_descs(10, [with])).unwrap();
    let Ok(block) = cursor.fetch_with_truncation_check(true) else { return Some(Outcome::Refused) };
    let column = block.unwrap().column(0);
    if column.as_wide_text().is_some_and(|text| text.has_truncated_values().is_some()) {
        return Some(Outcome::Cut);
    }
    Some(Outcome::Whole(cell(kind, column, 0).unwrap()))
}

#[test]
fn what_does_not_fit_is_seen() {
    let wide = BufferDesc::WText { max_str_len: 9 };
    let long = "ten digits ".repeat(1_000);
    for (kind, value, with, outcome) in [
        // FreeTDS says of wide text that all is well: whoever reads must look at the lengths.
        (Type::VarChar(30), "ten digits", wide, Outcome::Cut),
        (Type::NVarChar(30), "ten digits", wide, Outcome::Cut),
        (Type::VarCharMax, long.as_str(), wide, Outcome::Cut),
        (Type::Text, &long, wide, Outcome::Cut),
        (Type::NText, "ten digits", wide, Outcome::Cut),
        (Type::VarChar(30), "ten digits", BufferDesc::Text { max_str_len: 9 }, Outcome::Refused),
        (Type::VarBinary(30), "0x0102030405", BufferDesc::Binary { max_bytes: 4 }, Outcome::Refused),
        (Type::Image, "0x0102030405", BufferDesc::Binary { max_bytes: 4 }, Outcome::Refused),
        (Type::Decimal(38, 2), "123456789.12", BufferDesc::Text { max_str_len: 8 }, Outcome::Refused),
        (Type::NVarChar(30), "ten digit", wide, Outcome::Whole("ten digit".to_owned())),
    ] {
        let Some(read) = read_one(kind, value, with) else { return };
        assert_eq!(read, outcome, "{kind:?} in {with:?}");
    }
}
