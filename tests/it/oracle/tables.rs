//! Small tables made of few values, so that many of them are equal.

use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Logical};

use crate::table;

/// Texts that come up as values: of each lot some mean the same as values of one type and not of another.
const LOTS: [&[&str]; 6] = [
    &[
        "1",
        "1.0",
        "1.00",
        "0",
        "-1",
        "2",
        "0.1",
        "0.10",
        "1.5",
        "-0.05",
        "0.3",
        "100",
        "NaN",
        "true",
        "7",
        "007",
        "9007199254740993",
        "9007199254740992",
        "18446744073709551615",
        "-9223372036854775808",
        "-0",
        "1e300",
        "inf",
        "-inf",
        "5e-324",
        "2.225",
        "1.005",
        "1.0000000000000000000000000000000000001",
    ],
    &[
        "2020-01-01",
        "2020-01-01 00:00:00",
        "2020-01-01 00:00:00Z",
        "2026-03-29 00:30:00",
        "2026-03-29 00:30:00Z",
        "2026-03-29 01:30:00",
        "2026-03-29 01:30:00Z",
        "2026-03-29 02:30:00",
        "2026-03-29 02:30:00Z",
        "2025-10-26 00:30:00Z",
        "2025-10-26 01:30:00",
        "2025-10-26 01:30:00Z",
        "2025-10-26 02:30:00",
        "2020-01-01 00:00:00.000001",
        "2020-01-01 23:59:59.999999",
        "2020-01-01 12:34:56.5Z",
        "2020-07-01 00:00:00",
        "2020-06-30 23:00:00Z",
        "2020-07-01",
        "1900-01-01",
        "1900-01-01 00:00:00Z",
        "9999-12-31",
    ],
    &[
        "a",
        "A",
        "a ",
        " a",
        "a  b",
        "a\tb",
        "A b",
        "",
        " ",
        "N/A",
        "n/a ",
        "ß",
        "SS",
        "é",
        "É",
        "a|b",
        "a\\",
        "|",
        "a;b",
        "b; a",
        "A;b",
        "b;a;b",
        "[1,2]",
        "[1, 2.0]",
        "[2,1]",
        "{\"k\":1,\"l\":[]}",
        "{ \"l\": [], \"k\": 1.0 }",
        "{\"k\":1,",
    ],
    &[
        "00000000-0000-0000-0000-00000000abcd",
        "00000000-0000-0000-0000-00000000ABCD",
        "{00000000-0000-0000-0000-00000000abcd}",
        "00000000-0000-0000-0000-000000000001",
        "abcd",
        "00ff",
        "00",
    ],
    &["true", "false", "1", "0", "yes", "2", "1.0", "N", "True"],
    &["12:00:00", "00:00:00", "23:59:59.999999", "12:00:00.5", "12:00:01", "12:00", "0012"],
];

/// The types that each lot is about, most often.
const THEMES: [&[&str]; 6] = [
    &["i64", "u64", "f64", "decimal(9,2)", "decimal(18,1)", "decimal(38,37)", "decimal(5,0)", "text"],
    &["date", "timestamp", "timestamptz", "text"],
    &["text", "char(4)", "varchar(9)", "json", "other"],
    &["uuid", "text", "bytes", "char(40)"],
    &["bool", "i64", "decimal(3,1)", "text"],
    &["time", "text", "time"],
];

pub fn logical(word: &str) -> Logical {
    if word == "other" { Logical::Other("interval".to_owned()) } else { word.parse().unwrap() }
}

/// Returns the lot of texts with the number, and one of its types; now and then one of another lot.
pub fn theme(lot: u8, kind: u8) -> (&'static [&'static str], Logical) {
    let lot = usize::from(lot) % LOTS.len();
    let stranger = kind >= 230;
    let types = THEMES[if stranger { (lot + usize::from(kind)) % LOTS.len() } else { lot }];
    (LOTS[lot], logical(types[usize::from(kind) % types.len()]))
}

/// Returns some of a lot's texts: so many in a row, from a place on.
pub fn some_of(lot: &[&'static str], from: u8, count: usize) -> Vec<&'static str> {
    (0..count).map(|i| lot[(usize::from(from) + i) % lot.len()]).collect()
}

/// Returns what texts are as a type, each in its place; what is held in memory has no padding.
pub fn values(texts: &[&str], logical: &Logical) -> Vec<Option<Value>> {
    texts.iter().map(|text| Value::parse(text, logical)).collect()
}

/// Returns the value that a number picks: 0 is NULL, and a text that is no value gives way to the next that is one.
pub fn pick(values: &[Option<Value>], number: u8) -> Option<Value> {
    let from = usize::from(number).checked_sub(1)?;
    (from..from + values.len()).find_map(|at| values[at % values.len()].clone())
}

pub type Row = Vec<Option<Value>>;

/// Makes a frame of the rows for which `keep` is true, numbered as all rows are.
pub fn frame(fields: &[Field], rows: &[Row], keep: &[bool]) -> Frame {
    table::build(fields.to_vec(), rows).filter(keep).unwrap()
}
