//! A sample of every type of Microsoft SQL Server.

use crate::source::dialect::Sample;

pub const SAMPLES: &[Sample] = &[
    Sample { native: "tinyint", logical: "i64", values: &[("0", "0"), ("255", "255")] },
    Sample { native: "smallint", logical: "i64", values: &[("-32768", "-32768"), ("32767", "32767")] },
    Sample {
        native: "int",
        logical: "i64",
        values: &[("-2147483648", "-2147483648"), ("2147483647", "2147483647")],
    },
    Sample {
        native: "bigint",
        logical: "i64",
        values: &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
            ("5000000000", "5000000000"),
        ],
    },
    Sample { native: "bit", logical: "bool", values: &[("0", "false"), ("1", "true")] },
    Sample {
        native: "decimal(9,2)",
        logical: "decimal(9,2)",
        values: &[("0", "0.00"), ("-0.5", "-0.50"), ("1234567.89", "1234567.89")],
    },
    Sample {
        native: "numeric(38,10)",
        logical: "decimal(38,10)",
        values: &[
            ("0.0000000001", "0.0000000001"),
            ("-9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999"),
        ],
    },
    Sample {
        native: "money",
        logical: "decimal(19,4)",
        values: &[
            ("-922337203685477.5808", "-922337203685477.5808"),
            ("922337203685477.5807", "922337203685477.5807"),
            ("0.0001", "0.0001"),
        ],
    },
    Sample {
        native: "smallmoney",
        logical: "decimal(10,4)",
        values: &[("-214748.3648", "-214748.3648"), ("12.3456", "12.3456")],
    },
    Sample { native: "float", logical: "f64", values: &[("66384.333", "66384.333"), ("-0.1", "-0.1")] },
    Sample {
        native: "real",
        logical: "f64",
        values: &[("0.5", "0.5"), ("0.1", "0.10000000149011612"), ("-16777215", "-16777215")],
    },
    Sample { native: "char(6)", logical: "char(6)", values: &[("'ab'", "ab"), ("''", "")] },
    Sample {
        native: "varchar(20)", logical: "varchar(20)", values: &[("'café £5'", "café £5"), ("''", "")]
    },
    Sample { native: "nchar(4)", logical: "char(4)", values: &[("N'Ωx'", "Ωx")] },
    Sample {
        native: "nvarchar(20)",
        logical: "varchar(20)",
        values: &[("N'Łódź 東京'", "Łódź 東京"), ("N'a  '", "a  ")],
    },
    Sample {
        native: "varchar(max)",
        logical: "text",
        values: &[("'x'", "x"), ("'don''t'", "don't"), ("''", "")],
    },
    Sample { native: "nvarchar(max)", logical: "text", values: &[("N'Ω'", "Ω")] },
    Sample { native: "text", logical: "text", values: &[("'long'", "long")] },
    Sample { native: "ntext", logical: "text", values: &[("N'Ω'", "Ω")] },
    Sample {
        native: "date",
        logical: "date",
        values: &[
            ("'0001-01-01'", "0001-01-01"),
            ("'9999-12-31'", "9999-12-31"),
            ("'1900-01-01'", "1900-01-01"),
        ],
    },
    Sample {
        native: "smalldatetime",
        logical: "timestamp",
        values: &[
            ("'1900-01-01T00:00:00'", "1900-01-01 00:00:00"),
            ("'2079-06-06T23:59:00'", "2079-06-06 23:59:00"),
        ],
    },
    Sample {
        native: "datetime",
        logical: "timestamp",
        values: &[
            ("'1753-01-01T00:00:00'", "1753-01-01 00:00:00"),
            ("'2026-03-29T01:30:00.007'", "2026-03-29 01:30:00.007"),
        ],
    },
    Sample {
        native: "datetime2(6)",
        logical: "timestamp",
        values: &[("'0001-01-01T00:00:00.000001'", "0001-01-01 00:00:00.000001")],
    },
    Sample {
        native: "datetime2(7)",
        logical: "timestamp",
        values: &[("'2026-03-29T01:30:00.1234560'", "2026-03-29 01:30:00.123456")],
    },
    Sample {
        native: "datetimeoffset(7)",
        logical: "timestamptz",
        values: &[("'2026-07-01T12:00:00.5000000+01:00'", "2026-07-01 11:00:00.5Z")],
    },
    Sample {
        native: "time(7)",
        logical: "time",
        values: &[("'00:00:00'", "00:00:00"), ("'23:59:59.9999990'", "23:59:59.999999")],
    },
    Sample {
        native: "uniqueidentifier",
        logical: "uuid",
        values: &[("'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff-8b86-d011-b42d-00c04fc964ff")],
    },
    Sample { native: "binary(4)", logical: "bytes", values: &[("0x00FF", "00ff0000")] },
    Sample { native: "varbinary(8)", logical: "bytes", values: &[("0x00FF", "00ff"), ("0x", "")] },
    Sample { native: "varbinary(max)", logical: "bytes", values: &[("0xDEADBEEF", "deadbeef")] },
    Sample { native: "image", logical: "bytes", values: &[("0xDEADBEEF", "deadbeef")] },
    Sample { native: "xml", logical: "other:xml", values: &[("'<a>1</a>'", "<a>1</a>")] },
    Sample { native: "sql_variant", logical: "other:sql_variant", values: &[("CONVERT(int, 5)", "5")] },
    Sample { native: "hierarchyid", logical: "other:hierarchyid", values: &[("'/1/2/'", "/1/2/")] },
];
