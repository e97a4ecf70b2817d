//! Each type of SQL Server with values at its edges.

use crate::servers::tds::{Column, Row, Type, column};

/// A type with a name for its column, and values as T-SQL shows them.
pub struct Sample {
    pub name: &'static str,
    pub kind: Type,
    pub values: Vec<String>,
}

fn sample(name: &'static str, kind: Type, values: &[&str]) -> Sample {
    Sample { name, kind, values: values.iter().map(|value| (*value).to_owned()).collect() }
}

/// Every type.
pub fn samples() -> Vec<Sample> {
    // Longer than a packet.
    let long = "Zoë’s flat £1,234.56 – damp; ".repeat(200);
    vec![
        sample("bit", Type::Bit, &["0", "1"]),
        sample("tinyint", Type::TinyInt, &["0", "255"]),
        sample("smallint", Type::SmallInt, &["-32768", "32767"]),
        sample("int", Type::Int, &["-2147483648", "2147483647", "0"]),
        sample("bigint", Type::BigInt, &["-9223372036854775808", "9223372036854775807", "5000000000"]),
        sample("real", Type::Real, &["0.5", "-1.25", "3.4028235e38"]),
        sample("float", Type::Float, &["66384.333", "-0.1", "1.7976931348623157e308"]),
        sample("decimal_5_0", Type::Decimal(5, 0), &["-99999", "99999", "0"]),
        sample("decimal_18_2", Type::Decimal(18, 2), &["9999999999999999.99", "-0.01", "0.00"]),
        sample("numeric_28_10", Type::Numeric(28, 10), &["123456789012345678.0123456789", "-0.0000000001"]),
        sample(
            "decimal_38_38",
            Type::Decimal(38, 38),
            &["0.99999999999999999999999999999999999999", "-0.00000000000000000000000000000000000001"],
        ),
        sample(
            "numeric_38_0",
            Type::Numeric(38, 0),
            &["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"],
        ),
        sample("smallmoney", Type::SmallMoney, &["-214748.3648", "214748.3647", "0.0000"]),
        sample("money", Type::Money, &["-922337203685477.5808", "922337203685477.5807", "123.4500"]),
        sample("char", Type::Char(8), &["AB12", "", "Zoë £5’s"]),
        sample("varchar", Type::VarChar(30), &["Zoë O’Brien", "", " both ends ", "€ŠŽœ"]),
        sample("varcharmax", Type::VarCharMax, &["", &long]),
        sample("nchar", Type::NChar(6), &["Ωμέγα", "", "x"]),
        sample("nvarchar", Type::NVarChar(20), &["Zażółć gęślą jaźń", "", "😀 x"]),
        sample("nvarcharmax", Type::NVarCharMax, &["", "日本語", &long]),
        sample("text", Type::Text, &["a note – old", &long]),
        sample("ntext", Type::NText, &["日本語", &long]),
        sample("xml", Type::Xml, &["<a b=\"1\">é</a>"]),
        sample("binary", Type::Binary(4), &["0x00FF10AB", "0x01"]),
        sample("varbinary", Type::VarBinary(10), &["0x", "0x00", "0xDEADBEEF"]),
        sample("varbinarymax", Type::VarBinaryMax, &["0x", "0x00010203"]),
        sample("image", Type::Image, &["0xFFD8FFE0"]),
        sample("rowversion", Type::RowVersion, &["0x00000000000007D1"]),
        sample("uniqueidentifier", Type::UniqueIdentifier, &["6F9619FF-8B86-D011-B42D-00C04FC964FF"]),
        sample(
            "smalldatetime",
            Type::SmallDateTime,
            &["1900-01-01 00:00:00", "2079-06-06 23:59:00", "2024-02-29 12:34:00"],
        ),
        sample(
            "datetime",
            Type::DateTime,
            &[
                "1753-01-01 00:00:00.000",
                "9999-12-31 23:59:59.997",
                "1900-01-01 00:00:00.000",
                "2024-03-31 01:30:00.003",
            ],
        ),
        sample("date", Type::Date, &["0001-01-01", "9999-12-31", "2024-02-29"]),
        sample("time_0", Type::Time(0), &["00:00:00", "23:59:59"]),
        sample("time_7", Type::Time(7), &["00:00:00.0000000", "23:59:59.9999999", "12:34:56.1234567"]),
        sample("datetime2_0", Type::DateTime2(0), &["2024-02-29 23:59:59"]),
        sample("datetime2_3", Type::DateTime2(3), &["0001-01-01 00:00:00.000", "2024-02-29 23:59:59.999"]),
        sample(
            "datetime2_7",
            Type::DateTime2(7),
            &["0001-01-01 00:00:00.0000000", "9999-12-31 23:59:59.9999999", "2024-02-29 12:34:56.1234560"],
        ),
        sample(
            "datetimeoffset_7",
            Type::DateTimeOffset(7),
            &[
                "2024-07-01 00:30:00.0000000 +01:00",
                "2024-02-29 12:34:56.1234560 -11:45",
                "0001-01-02 00:00:00.0000000 +14:00",
            ],
        ),
        sample("datetimeoffset_0", Type::DateTimeOffset(0), &["2024-07-01 00:30:00 +00:00"]),
    ]
}

/// The samples as a table: one column a type, NULL where a type has no more values, and a last row of NULLs.
pub fn table() -> (Vec<Column>, Vec<Row>) {
    let samples = samples();
    let most = samples.iter().map(|sample| sample.values.len()).max().expect("samples");
    let rows = (0..=most).map(|at| samples.iter().map(|sample| sample.values.get(at).cloned()).collect());
    (samples.iter().map(|sample| column(sample.name, sample.kind)).collect(), rows.collect())
}
