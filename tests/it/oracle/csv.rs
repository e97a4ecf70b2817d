//! CSV files against a plain reader of them: one character after the other, the whole file at once.

use std::sync::Mutex;

use arrow::array::RecordBatch;
use counterfoil::frame::{Frame, to_series};
use counterfoil::model::{Logical, Schema};
use counterfoil::source::{
    Cancel, Connector, CsvProblem, Files, Part, ReadPlan, Sink, SinkError, SourceError, Unfinished,
    arrow_schema,
};
use polars::prelude::DataFrame;
use proptest::prelude::*;

use crate::support::Folder;
use crate::types::request;

/// A cell: its text, and whether it stood in quotes.
type Cell = (String, bool);

/// What the plain reader makes of a file: the records with the lines they begin on, or a line and what is wrong there.
type Read = Result<Vec<(u64, Vec<Cell>)>, (u64, &'static str)>;

/// Reads a text by RFC 4180, with LF, CR or CR LF behind a record.
fn read(text: &str, delimiter: char, quote: Option<char>) -> Read {
    let characters: Vec<char> = text.chars().collect();
    let mut records: Vec<(u64, Vec<Cell>)> = Vec::new();
    let (mut at, mut line) = (0, 1);
    let is_break = |at: usize| matches!(characters.get(at), Some('\r' | '\n'));
    let behind_break = |at: usize| {
        if characters[at] == '\r' && characters.get(at + 1) == Some(&'\n') { at + 2 } else { at + 1 }
    };
    let mut blank = None;
    while at < characters.len() {
        let begin = line;
        let width = records.first().map_or(0, |(_, cells)| cells.len());
        if is_break(at) && width > 1 {
            blank = blank.or(Some(line));
            at = behind_break(at);
            line += 1;
            continue;
        }
        if let Some(blank) = blank {
            return Err((blank, "blank"));
        }
        let mut cells: Vec<Cell> = Vec::new();
        loop {
            let mut cell = String::new();
            let quoted = quote.is_some() && characters.get(at).copied() == quote;
            if quoted {
                let open = line;
                at += 1;
                loop {
                    match characters.get(at) {
                        None => return Err((open, "open quote")),
                        Some(c) if Some(*c) == quote && characters.get(at + 1).copied() == quote => {
                            cell.push(*c);
                            at += 2;
                        }
                        Some(c) if Some(*c) == quote => {
                            at += 1;
                            break;
                        }
                        Some(_) if is_break(at) => {
                            let next = behind_break(at);
                            cell.extend(&characters[at..next]);
                            at = next;
                            line += 1;
                        }
                        Some(c) => {
                            cell.push(*c);
                            at += 1;
                        }
                    }
                }
                if at < characters.len() && characters[at] != delimiter && !is_break(at) {
                    return Err((line, "text after quote"));
                }
            } else {
                while at < characters.len() && characters[at] != delimiter && !is_break(at) {
                    cell.push(characters[at]);
                    at += 1;
                }
            }
            cells.push((cell, quoted));
            if characters.get(at) != Some(&delimiter) {
                break;
            }
            at += 1;
        }
        if at < characters.len() {
            at = behind_break(at);
        }
        if width > 0 && cells.len() != width {
            return Err((begin, "ragged"));
        }
        line += 1;
        records.push((begin, cells));
    }
    Ok(records)
}

fn texts(frame: &Frame, column: usize) -> Vec<Option<String>> {
    let texts = frame.texts(&frame.schema.fields[column].name).unwrap();
    (0..frame.height()).map(|row| texts.owned(row)).collect()
}

/// Keeps what is read.
#[derive(Default)]
struct Kept {
    schema: Schema,
    batches: Vec<RecordBatch>,
}

#[derive(Default)]
struct Keeping(Mutex<Kept>);

impl Sink for Keeping {
    fn unfinished(&self) -> Option<Unfinished> {
        None
    }

    fn start(&self, schema: &Schema, _plan: &ReadPlan) -> Result<(), SinkError> {
        self.0.lock().unwrap().schema = schema.clone();
        Ok(())
    }

    fn resume(&self) -> Result<(), SinkError> {
        panic!("nothing is ever left")
    }

    fn part(&self, _number: usize) -> Result<Box<dyn Part + '_>, SinkError> {
        Ok(Box::new(KeptPart(self)))
    }

    fn parquet_file(&self, _number: usize, _file: &mut dyn std::io::Read) -> Result<(), SinkError> {
        panic!("a text file is no Parquet file")
    }
}

struct KeptPart<'a>(&'a Keeping);

impl Part for KeptPart<'_> {
    fn batch(&mut self, batch: RecordBatch) -> Result<(), SinkError> {
        self.0.0.lock().unwrap().batches.push(batch);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Writes a file and reads it with the options.
fn load(bytes: &[u8], options: &str) -> Result<Frame, SourceError> {
    let folder = Folder::new();
    folder.write("t.csv", bytes);
    let keeping = Keeping::default();
    let request = request(&format!("{{ file: t.csv{options} }}"));
    Files::new(folder.path().to_owned()).read(&request, &Cancel::default(), &keeping)?;
    let kept = keeping.0.into_inner().unwrap();
    let batch = arrow::compute::concat_batches(&arrow_schema(&kept.schema), &kept.batches).unwrap();
    let fields = kept.schema.fields.iter().zip(batch.columns());
    let columns = fields.map(|(field, array)| to_series(&field.name, array, &field.logical).unwrap().into());
    let df = DataFrame::new(batch.num_rows(), columns.collect()).unwrap();
    Ok(Frame::new(kept.schema, df))
}

fn problem(error: SourceError) -> (u64, &'static str) {
    match error {
        SourceError::Csv { line, problem, .. } => (
            line,
            match problem {
                CsvProblem::Ragged { .. } => "ragged",
                CsvProblem::Blank { .. } => "blank",
                CsvProblem::TextAfterQuote { .. } => "text after quote",
                CsvProblem::OpenQuote => "open quote",
                other => panic!("{other}"),
            },
        ),
        SourceError::Empty(_) => (0, "empty"),
        other => panic!("{other}"),
    }
}

/// Returns the type of a column's texts: one whose values print back byte for byte, else text.
fn inferred(texts: &[Option<&str>]) -> Logical {
    let some: Vec<&str> = texts.iter().flatten().copied().collect();
    let all = |test: &dyn Fn(&str) -> bool| !some.is_empty() && some.iter().all(|text| test(text));
    if all(&|t| matches!(t, "true" | "false")) {
        return Logical::Bool;
    }
    if all(&|t| t.parse::<i64>().is_ok_and(|n| n.to_string() == t)) {
        return Logical::I64;
    }
    let decimal = |t: &str| {
        let (whole, fraction) = t.strip_prefix('-').unwrap_or(t).split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let plain = digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'));
        let zero = t.starts_with('-') && t.bytes().all(|b| !(b'1'..=b'9').contains(&b));
        (plain && !zero).then_some((fraction.len(), whole.len() + fraction.len()))
    };
    if let Some(Some((scale, _))) = some.first().map(|t| decimal(t)) {
        let digits = some.iter().filter_map(|t| decimal(t)).filter(|(s, _)| *s == scale);
        let digits: Vec<usize> = digits.map(|(_, digits)| digits).collect();
        let most = digits.iter().max().copied().unwrap_or(0);
        if digits.len() == some.len() && most <= 38 {
            let precision = if most <= 18 { 18 } else { 38 };
            return Logical::Decimal { precision, scale: u8::try_from(scale).unwrap() };
        }
    }
    let date = |t: &str| {
        t.len() == 10
            && chrono::NaiveDate::parse_from_str(t, "%Y-%m-%d")
                .is_ok_and(|d| d.format("%Y-%m-%d").to_string() == t)
    };
    if all(&date) { Logical::Date } else { Logical::TEXT }
}

proptest! {
    #![proptest_config(super::cases(400))]

    #[test]
    fn any_text_is_read_as_the_plain_reader_reads_it(
        body in "[ab,;\"'\r\né1]{0,30}",
        delimiter in proptest::sample::select(vec![',', ';']),
        quote in proptest::sample::select(vec![Some('"'), Some('\''), None]),
        mark in any::<bool>(),
    ) {
        let quoted = quote.map_or(String::new(), |q| if q == '\'' { "''''".to_owned() } else { format!("'{q}'") });
        let quoted = if quote.is_none() { "''".to_owned() } else { quoted };
        let width = read(&body, delimiter, quote).ok().and_then(|r| r.first().map(|(_, cells)| cells.len()));
        let types: Vec<String> = (1..=width.unwrap_or(0)).map(|i| format!("column_{i}: text")).collect();
        let options = format!(
            ", delimiter: '{delimiter}', quote: {quoted}, header: false, types: {{ {} }}",
            types.join(", ")
        );
        let bytes = if mark { [&b"\xEF\xBB\xBF"[..], body.as_bytes()].concat() } else { body.clone().into_bytes() };
        let found = load(&bytes, &options);
        match read(&body, delimiter, quote) {
            Err(wrong) => prop_assert_eq!(found.map_err(problem).map(|_| ()), Err(wrong)),
            Ok(records) if records.is_empty() => {
                prop_assert_eq!(found.map_err(problem).map(|_| ()), Err((0, "empty")));
            }
            Ok(records) => {
                let frame = found.map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(frame.height(), records.len());
                for column in 0..width.unwrap_or(0) {
                    let plain: Vec<Option<String>> = records
                        .iter()
                        .map(|(_, cells)| &cells[column])
                        .map(|(text, quoted)| (*quoted || !text.is_empty()).then(|| text.clone()))
                        .collect();
                    prop_assert_eq!(texts(&frame, column), plain);
                }
            }
        }
    }

    #[test]
    fn windows_1252_is_read_as_it_is_written(
        cells in proptest::collection::vec("[a€éß“ÿ ]{0,5}", 1..6),
        ending in proptest::sample::select(vec!["\n", "\r\n"]),
    ) {
        let text: String = cells.iter().map(|cell| format!("x,\"{cell}\"{ending}")).collect();
        let (bytes, _, wrong) = encoding_rs::WINDOWS_1252.encode(&text);
        prop_assert!(!wrong);
        let frame = load(&[b"n,caf\xE9\n", &bytes[..]].concat(), ", encoding: windows-1252, types: { 'café': text }").unwrap();
        prop_assert_eq!(frame.schema.fields[1].name.as_str(), "café");
        prop_assert_eq!(texts(&frame, 1), cells.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn null_texts_are_null_quoted_or_not(
        cells in proptest::collection::vec(
            (proptest::sample::select(vec!["", "NULL", "null", "N/A", "x", " "]), any::<bool>()),
            1..8,
        ),
        listed in proptest::option::of(proptest::sample::subsequence(vec!["", "NULL", "N/A"], 0..=3)),
    ) {
        let body: String = cells
            .iter()
            .map(|(text, quoted)| if *quoted { format!("1,\"{text}\"\n") } else { format!("1,{text}\n") })
            .collect();
        let null = listed.as_ref().map_or(String::new(), |list| {
            let list: Vec<String> = list.iter().map(|text| format!("'{text}'")).collect();
            format!(", null: [{}]", list.join(", "))
        });
        let frame = load(format!("n,v\n{body}").as_bytes(), &format!("{null}, types: {{ v: text }}")).unwrap();
        let plain: Vec<Option<String>> = cells
            .iter()
            .map(|(text, quoted)| {
                let is_null = match &listed {
                    Some(list) => list.contains(text),
                    None => text.is_empty() && !quoted,
                };
                (!is_null).then(|| (*text).to_owned())
            })
            .collect();
        prop_assert_eq!(texts(&frame, 1), plain);
    }

    #[test]
    fn a_type_is_inferred_only_where_every_value_prints_back(
        lot in proptest::sample::select(vec![
            &["0", "1", "-5", "9223372036854775807", "-9223372036854775808"][..],
            &["000123/01", "007", "1E5", "12345678901234567890", "-0", "+1"][..],
            &["1.10", "0.05", "-1.10", "-0.00", "1.1", "123456789012345678.90", "01.10", ".10"][..],
            &["2024-02-29", "2023-02-29", "1900-01-01", "29/02/2024", "2024-2-9", "20240229", "2024-02-29 "][..],
            &["true", "false", "TRUE", "yes", "0"][..],
        ]),
        picked in proptest::collection::vec((0..8_usize, 0..20_u8), 0..6),
    ) {
        // Mostly values of one kind, so that types come up; now and then NULL.
        let few = 1 + picked.first().map_or(0, |(i, _)| *i % 3);
        let values: Vec<Option<&str>> = picked
            .iter()
            .map(|(i, null)| (*null > 0).then(|| lot[if *null > 4 { i % few } else { i % lot.len() }]))
            .collect();
        let body: String = values.iter().map(|v| format!("x,{}\n", v.unwrap_or(""))).collect();
        let frame = load(format!("n,v\n{body}").as_bytes(), "").unwrap();
        prop_assert_eq!(&frame.schema.fields[1].logical, &inferred(&values), "{:?}", values);
        prop_assert!(frame.schema.fields[1].inferred);
        let plain: Vec<Option<String>> = values.iter().map(|v| v.map(str::to_owned)).collect();
        prop_assert_eq!(texts(&frame, 1), plain);
    }
}

#[test]
fn lines_are_right_behind_an_omitted_column_with_line_breaks() {
    for (encoding, e_acute) in [("utf-8", &b"\xC3\xA9"[..]), ("windows-1252", b"\xE9")] {
        let text = [&b"a,n\n\"1\n2\n"[..], e_acute, b"\",5\n\"1\n2\n", e_acute, b"\",x\n"].concat();
        let error =
            load(&text, &format!(", encoding: {encoding}, omit: [a], types: {{ n: i64 }}")).unwrap_err();
        assert!(error.to_string().contains("line 7: column `n`"), "{encoding}: {error}");
    }
    // What stands in an omitted column may be in any encoding.
    let error = load(b"a,n\n\"1\n\xFF\n2\",x\n", ", omit: [a], types: { n: i64 }").unwrap_err();
    assert!(error.to_string().contains("line 4: column `n`"), "{error}");
}
