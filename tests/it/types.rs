//! Every logical type goes from a file through a snapshot into memory, out to Parquet and back, and stays what it is.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    Decimal256Array, DictionaryArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray, NullArray, RecordBatch,
    StringArray, StringViewArray, Time32MillisecondArray, Time32SecondArray, Time64MicrosecondArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{Field as ArrowField, Int32Type, Schema as ArrowSchema, SchemaRef, i256};
use counterfoil::diagnostic::Diagnostics;
use counterfoil::frame::{Frame, Value, arrow_type, polars_type};
use counterfoil::model::{Field, Logical};
use counterfoil::node::FromNode;
use counterfoil::snapshot::{
    Snapshot, SnapshotError, Store, TakeOptions, WriteError, take, write_frame, write_parquet,
};
use counterfoil::source::{Cancel, ConnectionConfig, Files, ReadRequest, SideConfig};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::examples::yaml;
use crate::support::Folder;
use crate::table;

/// Reads a side of files as a rule file has it.
pub fn request(side: &str) -> ReadRequest {
    let mut out = Diagnostics::default();
    let node = yaml(side);
    let request = SideConfig::from_node(&node, &mut out)
        .and_then(|side| ConnectionConfig::default().request(&side, &node.span, &mut out));
    assert!(out.is_empty(), "{side}: {}", out.render(false));
    request.unwrap()
}

/// Takes a snapshot of a file in the folder.
pub fn snapshot(folder: &Path, side: &str) -> Result<Snapshot, SnapshotError> {
    let store = Store::new(folder.join("snapshots"));
    let files = Files::new(folder.to_owned());
    let options = TakeOptions {
        cancel: &Cancel::default(),
        tell: &|_| (),
        note: &|_| (),
        resume: false,
        structure: &|| None,
    };
    take(&store, "d", "source", &files, &request(side), &options)
}

fn texts(frame: &Frame, column: &str) -> Vec<Option<String>> {
    let texts = frame.texts(column).unwrap();
    (0..frame.height()).map(|row| texts.owned(row)).collect()
}

/// Reads a Parquet file as it is: its Arrow schema, and its batches.
fn arrow_of(path: &Path) -> (SchemaRef, Vec<RecordBatch>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = builder.schema().clone();
    (schema, builder.build().unwrap().map(Result::unwrap).collect())
}

/// The types with values as a file has them, and their usual texts where those are others.
type Edge = (&'static str, &'static [&'static str], &'static [&'static str]);

const NINES: &str = "99999999999999999999999999999999999999";

const EDGES: [Edge; 19] = [
    (
        "text",
        &[
            "",
            " ",
            "a",
            " a  ",
            "é𝄞",
            "line\nbreak\r\n",
            "quote\"s, and",
            "null",
            "NULL",
            "007",
            "a text of more than twelve bytes  ",
        ],
        &[],
    ),
    (
        "char(20)",
        &["ab   ", "", "    ", "12345678901234567890", "fourteen bytes      ", " a"],
        &["ab", "", "", "12345678901234567890", "fourteen bytes", " a"],
    ),
    ("varchar(3)", &["abc", "é𝄞ü", "", "a  "], &[]),
    ("bool", &["true", "f", "YES", "0"], &["true", "false", "true", "false"]),
    (
        "i64",
        &["-9223372036854775808", "9223372036854775807", "0", "+7", "007"],
        &["-9223372036854775808", "9223372036854775807", "0", "7", "7"],
    ),
    ("u64", &["0", "18446744073709551615", "9223372036854775808"], &[]),
    (
        "decimal(38,0)",
        &["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "0"],
        &[],
    ),
    (
        "decimal(38,38)",
        &[
            "0.99999999999999999999999999999999999999",
            "-.99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001",
        ],
        &[
            "0.99999999999999999999999999999999999999",
            "-0.99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001",
        ],
    ),
    ("decimal(10,2)", &["1", "-0.05", "99999999.99", "1.500"], &["1.00", "-0.05", "99999999.99", "1.50"]),
    ("decimal(1,1)", &["0.9", "-0.9"], &[]),
    ("decimal(1,0)", &["9", "-9"], &[]),
    ("date", &["0001-01-01", "9999-12-31", "1900-01-01", "1970-01-01", "2024-02-29"], &[]),
    (
        "timestamp",
        &[
            "0001-01-01 00:00:00",
            "9999-12-31T23:59:59.999999",
            "1969-12-31 23:59:59.999999",
            "2026-03-29 01:30",
        ],
        &[
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59.999999",
            "1969-12-31 23:59:59.999999",
            "2026-03-29 01:30:00",
        ],
    ),
    (
        "timestamptz",
        &[
            "0001-01-01 00:00:00Z",
            "9999-12-31 23:59:59.999999Z",
            "2026-03-29 02:30:00.000001+01:00",
            "1969-12-31 23:59:59-00",
        ],
        &[
            "0001-01-01 00:00:00Z",
            "9999-12-31 23:59:59.999999Z",
            "2026-03-29 01:30:00.000001Z",
            "1969-12-31 23:59:59Z",
        ],
    ),
    (
        "time",
        &["00:00:00", "23:59:59.999999", "12:34", "00:00:00.000001"],
        &["00:00:00", "23:59:59.999999", "12:34:00", "00:00:00.000001"],
    ),
    ("bytes", &["", "00", "00ff00", "\\x0000", "0xFF"], &["", "00", "00ff00", "0000", "ff"]),
    (
        "uuid",
        &["{ABCDEF00-0000-0000-0000-00000000000F}", "00000000-0000-0000-0000-000000000000"],
        &["abcdef00-0000-0000-0000-00000000000f", "00000000-0000-0000-0000-000000000000"],
    ),
    ("json", &["{ \"b\": 1,  \"a\": [1.0, 1e5, 1.0] }\n", "null", " []", "\"\\u00e9\""], &[]),
    (
        "f64",
        &["NaN", "inf", "-inf", "0", "-0.0", "0.1", "1e-7", "1.5"],
        &["NaN", "inf", "-inf", "0", "-0", "0.1", "0.0000001", "1.5"],
    ),
];

/// Follows a snapshot into memory, out to Parquet, and back by way of the Parquet source.
fn follow(folder: &Folder, taken: &Snapshot, logical: &Logical, usual: &[Option<String>]) {
    let word = logical.to_string();
    for file in &taken.manifest.files {
        let (schema, _) = arrow_of(&taken.path.join(&file.name));
        let field = schema.field_with_name("v").unwrap();
        assert_eq!(field.data_type(), &arrow_type(logical), "{word} in the snapshot");
        assert_eq!(field.metadata()["logical"], word);
        assert_eq!(field.metadata()["source_type"], taken.manifest.columns[1].source_type);
    }
    let reopened = Snapshot::open(&taken.path).unwrap();
    assert_eq!(&reopened.manifest, &taken.manifest, "{word}");
    let frame = reopened.read().unwrap();
    let field = frame.schema.get("v").unwrap().clone();
    assert_eq!(&field.logical, logical);
    assert_eq!(frame.df.column("v").unwrap().dtype(), &polars_type(logical), "{word} in memory");
    assert_eq!(texts(&frame, "v"), usual, "{word} in memory");

    let path = folder.path().join("again.parquet");
    write_frame(&path, &frame).unwrap();
    let (schema, batches) = arrow_of(&path);
    let arrow = schema.field_with_name("v").unwrap();
    assert_eq!(arrow.data_type(), &arrow_type(logical), "{word} written");
    let metadata = HashMap::from([
        ("logical".to_owned(), word.clone()),
        ("source_type".to_owned(), field.source_type.clone()),
    ]);
    assert_eq!(arrow.metadata(), &metadata, "{word} written");
    let nulls: usize = batches.iter().map(|b| b.column_by_name("v").unwrap().null_count()).sum();
    assert_eq!(nulls, usual.iter().filter(|t| t.is_none()).count());

    // The Parquet form of the text family is text: what kind of text it is has to be said again.
    let types = if logical.is_text() { format!(", types: {{ v: '{word}' }}") } else { String::new() };
    let second =
        snapshot(folder.path(), &format!("{{ file: again.parquet{types} }}")).unwrap().read().unwrap();
    assert_eq!(&second.schema.get("v").unwrap().logical, logical, "{word} read again");
    assert_eq!(texts(&second, "v"), usual, "{word} read again");
    assert!(second.df.equals_missing(&frame.df), "{word}: other values");
}

#[test]
fn csv_to_parquet_to_memory_and_back() {
    for (word, written, usual) in EDGES {
        let logical: Logical = word.parse().unwrap();
        let usual = if usual.is_empty() { written } else { usual };
        let mut usual: Vec<Option<String>> = usual.iter().map(|text| Some((*text).to_owned())).collect();
        let folder = Folder::new();
        let mut csv = "n,v\n".to_owned();
        for text in written {
            csv.push_str(&format!("1,\"{}\"\n", text.replace('"', "\"\"")));
        }
        csv.push_str("2,\n");
        usual.push(None);
        folder.write("t.csv", csv);
        let taken = snapshot(folder.path(), &format!("{{ file: t.csv, types: {{ v: '{word}' }} }}"));
        let taken = taken.unwrap_or_else(|error| panic!("{word}: {error}"));
        assert_eq!(taken.manifest.columns[1].nulls, Some(1), "{word}");
        follow(&folder, &taken, &logical, &usual);
    }
}

#[test]
fn the_edges_of_floating_point_numbers() {
    let values = [
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        2.225_073_858_507_201e-308,
        f64::EPSILON,
        0.1 + 0.2,
        9_007_199_254_740_993.0,
        1e300,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let folder = Folder::new();
    let rows: String = values.iter().map(|v| format!("1,{v:e}\n")).collect();
    folder.write("t.csv", format!("n,v\n{rows}"));
    let taken = snapshot(folder.path(), "{ file: t.csv, types: { v: f64 } }").unwrap();
    let usual: Vec<Option<String>> = values.iter().map(|v| Some(v.to_string())).collect();
    follow(&folder, &taken, &Logical::F64, &usual);
    let frame = taken.read().unwrap();
    let column = frame.df.column("v").unwrap().f64().unwrap();
    for (value, kept) in values.iter().zip(column.iter()) {
        let kept = kept.unwrap();
        assert!(kept.to_bits() == value.to_bits() || (kept.is_nan() && value.is_nan()), "{value}");
    }
}

#[test]
fn what_a_type_cannot_hold_is_an_error_and_leaves_nothing() {
    let beyond = format!("1{NINES}");
    for (word, text) in [
        ("i64", "9223372036854775808"),
        ("i64", "-9223372036854775809"),
        ("u64", "18446744073709551616"),
        ("u64", "-1"),
        ("decimal(38,0)", beyond.as_str()),
        ("decimal(10,2)", "1.005"),
        ("decimal(2,1)", "10.0"),
        ("f64", "1e400"),
        ("f64", "1,5"),
        ("date", "2023-02-29"),
        ("date", "2024-02-29 00:01"),
        ("date", "10000-01-01"),
        ("timestamp", "2024-01-01 00:00:00.0000001"),
        ("timestamp", "2024-01-01 00:00:00Z"),
        ("timestamptz", "2024-01-01 00:00:00"),
        ("time", "24:00:00"),
        ("time", "12:00:00.1234567"),
        ("bytes", "0"),
        ("bytes", "0g"),
        ("uuid", "00000000000000000000000000000000"),
        ("bool", "maybe"),
        ("char(3)", "abcd  "),
        ("varchar(3)", "ab  "),
    ] {
        let folder = Folder::new();
        folder.write("t.csv", format!("n,v\n1,\n2,\"{text}\"\n"));
        let error =
            snapshot(folder.path(), &format!("{{ file: t.csv, types: {{ v: '{word}' }} }}")).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("t.csv, line 3: column `v`") && message.contains(word), "{word}: {message}");
        // The folder's name is made of letters and digits: a short value may be part of it.
        assert!(text.len() < 6 || !message.contains(text), "{word}: the value is shown");
        assert_eq!(folder.left_overs(), Vec::<std::path::PathBuf>::new());
        let kept = std::fs::read_dir(folder.path().join("snapshots/d/source")).unwrap().count();
        assert_eq!(kept, 0, "{word}");
    }
}

/// Writes one column `v` beside a column `n`, and takes a snapshot of it.
fn of_arrow(folder: &Folder, array: &ArrayRef, options: &str) -> Result<Snapshot, SnapshotError> {
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::try_from(array.len()).unwrap()));
    let fields = vec![
        ArrowField::new("n", n.data_type().clone(), true),
        ArrowField::new("v", array.data_type().clone(), true),
    ];
    let schema = Arc::new(ArrowSchema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), vec![n, array.clone()]).unwrap();
    write_parquet::<WriteError>(&folder.path().join("t.parquet"), schema, [Ok(batch)]).unwrap();
    snapshot(folder.path(), &format!("{{ file: t.parquet{options} }}"))
}

#[test]
fn parquet_of_every_type_is_read_as_what_it_is() {
    let day = 86_400_000_000_i64;
    let (first_day, last_day) = (-719_162, 2_932_896);
    let last = i64::from(last_day) * day + day - 1;
    let uuids = FixedSizeBinaryArray::try_from_iter([vec![0_u8; 16], vec![255; 16]].into_iter()).unwrap();
    let cases: Vec<(ArrayRef, &str, Vec<Option<&str>>)> = vec![
        (
            Arc::new(Int8Array::from(vec![Some(-128), Some(127), None])),
            "i64",
            vec![Some("-128"), Some("127"), None],
        ),
        (Arc::new(Int16Array::from(vec![i16::MIN])), "i64", vec![Some("-32768")]),
        (Arc::new(Int32Array::from(vec![i32::MIN])), "i64", vec![Some("-2147483648")]),
        (
            Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX])),
            "i64",
            vec![Some("-9223372036854775808"), Some("9223372036854775807")],
        ),
        (Arc::new(UInt8Array::from(vec![255])), "u64", vec![Some("255")]),
        (Arc::new(UInt16Array::from(vec![65_535])), "u64", vec![Some("65535")]),
        (Arc::new(UInt32Array::from(vec![u32::MAX])), "u64", vec![Some("4294967295")]),
        (Arc::new(UInt64Array::from(vec![u64::MAX])), "u64", vec![Some("18446744073709551615")]),
        (Arc::new(Float32Array::from(vec![0.5, f32::NAN])), "f64", vec![Some("0.5"), Some("NaN")]),
        (
            Arc::new(Float64Array::from(vec![0.1, f64::INFINITY, -0.0])),
            "f64",
            vec![Some("0.1"), Some("inf"), Some("-0")],
        ),
        (Arc::new(BooleanArray::from(vec![Some(true), None])), "bool", vec![Some("true"), None]),
        (
            Arc::new(
                Decimal128Array::from(vec![10_i128.pow(38) - 1, 1 - 10_i128.pow(38)])
                    .with_precision_and_scale(38, 38)
                    .unwrap(),
            ),
            "decimal(38,38)",
            vec![
                Some("0.99999999999999999999999999999999999999"),
                Some("-0.99999999999999999999999999999999999999"),
            ],
        ),
        (
            Arc::new(
                Decimal256Array::from(vec![i256::from_i128(-150)]).with_precision_and_scale(38, 2).unwrap(),
            ),
            "decimal(38,2)",
            vec![Some("-1.50")],
        ),
        (
            Arc::new(Date32Array::from(vec![Some(first_day), Some(last_day), None])),
            "date",
            vec![Some("0001-01-01"), Some("9999-12-31"), None],
        ),
        (Arc::new(Date64Array::from(vec![86_400_000])), "date", vec![Some("1970-01-02")]),
        (Arc::new(TimestampSecondArray::from(vec![-1])), "timestamp", vec![Some("1969-12-31 23:59:59")]),
        (
            Arc::new(TimestampMillisecondArray::from(vec![1])),
            "timestamp",
            vec![Some("1970-01-01 00:00:00.001")],
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![last, i64::from(first_day) * day])),
            "timestamp",
            vec![Some("9999-12-31 23:59:59.999999"), Some("0001-01-01 00:00:00")],
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![1_000])),
            "timestamp",
            vec![Some("1970-01-01 00:00:00.000001")],
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![Some(last), None]).with_timezone("UTC")),
            "timestamptz",
            vec![Some("9999-12-31 23:59:59.999999Z"), None],
        ),
        (
            Arc::new(TimestampMillisecondArray::from(vec![1_774_747_800_000]).with_timezone("+01:00")),
            "timestamptz",
            vec![Some("2026-03-29 01:30:00Z")],
        ),
        (
            Arc::new(
                TimestampMicrosecondArray::from(vec![1_774_747_800_000_000]).with_timezone("Europe/London"),
            ),
            "timestamptz",
            vec![Some("2026-03-29 01:30:00Z")],
        ),
        (Arc::new(Time32SecondArray::from(vec![86_399])), "time", vec![Some("23:59:59")]),
        (Arc::new(Time32MillisecondArray::from(vec![1])), "time", vec![Some("00:00:00.001")]),
        (Arc::new(Time64MicrosecondArray::from(vec![day - 1])), "time", vec![Some("23:59:59.999999")]),
        (Arc::new(Time64NanosecondArray::from(vec![1_000])), "time", vec![Some("00:00:00.000001")]),
        (
            Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff\x00"[..]), Some(b""), None])),
            "bytes",
            vec![Some("00ff00"), Some(""), None],
        ),
        (Arc::new(LargeBinaryArray::from(vec![&b"\x00"[..]])), "bytes", vec![Some("00")]),
        (
            Arc::new(BinaryViewArray::from(vec![&b"a binary of more than twelve bytes"[..2]])),
            "bytes",
            vec![Some("6120")],
        ),
        (
            Arc::new(uuids),
            "bytes",
            vec![Some("00000000000000000000000000000000"), Some("ffffffffffffffffffffffffffffffff")],
        ),
        (
            Arc::new(StringArray::from(vec![Some(""), None, Some("é ")])),
            "text",
            vec![Some(""), None, Some("é ")],
        ),
        (Arc::new(LargeStringArray::from(vec!["a"])), "text", vec![Some("a")]),
        (
            Arc::new(StringViewArray::from(vec!["a text of more than twelve bytes"])),
            "text",
            vec![Some("a text of more than twelve bytes")],
        ),
        (
            Arc::new(vec![Some("b"), None, Some("b")].into_iter().collect::<DictionaryArray<Int32Type>>()),
            "text",
            vec![Some("b"), None, Some("b")],
        ),
        (Arc::new(NullArray::new(2)), "text", vec![None, None]),
    ];
    for (array, word, usual) in cases {
        let logical: Logical = word.parse().unwrap();
        let folder = Folder::new();
        let arrow = array.data_type().clone();
        let taken = of_arrow(&folder, &array, "").unwrap_or_else(|error| panic!("{arrow}: {error}"));
        let column = &taken.manifest.columns[1];
        assert_eq!((&column.logical, column.inferred), (&logical, false), "{arrow}");
        let frame = taken.read().unwrap_or_else(|error| panic!("{arrow}: {error}"));
        let usual: Vec<Option<String>> = usual.iter().map(|t| t.map(str::to_owned)).collect();
        assert_eq!(texts(&frame, "v"), usual, "{arrow}");
        assert_eq!(column.nulls, Some(usual.iter().filter(|t| t.is_none()).count() as u64), "{arrow}");
        let path = folder.path().join("out.parquet");
        write_frame(&path, &frame).unwrap();
        let (schema, _) = arrow_of(&path);
        let field = schema.field_with_name("v").unwrap();
        assert_eq!(
            (field.data_type(), field.metadata()["logical"].as_str()),
            (&arrow_type(&logical), word),
            "{arrow}"
        );
        assert_eq!(field.metadata()["source_type"], column.source_type, "{arrow}");
    }
}

#[test]
fn parquet_values_that_would_lose_something_are_refused() {
    let cases: Vec<(ArrayRef, &str)> = vec![
        (Arc::new(TimestampNanosecondArray::from(vec![1])), "nanoseconds"),
        (Arc::new(Time64NanosecondArray::from(vec![1])), "nanoseconds"),
        (Arc::new(Date64Array::from(vec![1])), "time of day"),
        (
            Arc::new(
                Decimal256Array::from(vec![i256::from_i128(1)]).with_precision_and_scale(39, 2).unwrap(),
            ),
            "at most 38 digits",
        ),
    ];
    for (array, says) in cases {
        let folder = Folder::new();
        let error = of_arrow(&folder, &array, "").unwrap_err().to_string();
        assert!(error.contains("column `v`") && error.contains(says), "{error}");
    }
    let folder = Folder::new();
    let error = of_arrow(&folder, &(Arc::new(Int64Array::from(vec![1])) as ArrayRef), ", types: { v: text }");
    assert!(error.unwrap_err().to_string().contains("types of Parquet files can be declared for text only"));
}

#[test]
fn types_without_a_form_of_their_own_travel_as_text_with_their_name() {
    let mut field = Field::new("v", Logical::Other("interval".to_owned()));
    field.source_type = "interval day to second".to_owned();
    let rows = vec![vec![Some(Value::Text("1 day 02:03:04".to_owned()))], vec![None]];
    let frame = table::build(vec![field], &rows);
    let folder = Folder::new();
    let path = folder.path().join("out.parquet");
    write_frame(&path, &frame).unwrap();
    let (schema, batches) = arrow_of(&path);
    let metadata = schema.field(0).metadata();
    assert_eq!(
        (metadata["logical"].as_str(), metadata["source_type"].as_str()),
        ("interval", "interval day to second")
    );
    let column: &StringViewArray = batches[0].column(0).as_any().downcast_ref().unwrap();
    assert_eq!(column.iter().collect::<Vec<_>>(), [Some("1 day 02:03:04"), None]);
}
