//! Small tables as text: `| name: type |` headers, quoted text, bare values of every other type.

use counterfoil::cleanse::series;
use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Logical, Schema};
use polars::prelude::{Column, DataFrame};

/// Reads a table: a header line of `name: type` cells, then a line for each row.
///
/// A cell is `null`, text in double quotes with JSON's escapes for columns held as text, or the bare text of a value
/// of the column's type.
pub fn parse_rows(text: &str) -> Frame {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = cells(lines.next().expect("a table has a header"));
    let fields: Vec<Field> = header
        .iter()
        .map(|cell| {
            let (name, logical) = cell.split_once(':').expect("a header cell is `name: type`");
            let logical = logical.trim().parse().unwrap_or_else(|e| panic!("{e}"));
            Field::new(name.trim(), logical)
        })
        .collect();
    let rows: Vec<Vec<String>> = lines.map(cells).collect();
    let columns: Vec<Column> = fields
        .iter()
        .enumerate()
        .map(|(i, field)| {
            let values = rows.iter().map(|row| {
                assert_eq!(row.len(), fields.len(), "a row has as many cells as the header: {row:?}");
                cell(&row[i], &field.logical)
            });
            Column::from(series(&field.name, &field.logical, values))
        })
        .collect();
    let df = DataFrame::new(rows.len(), columns).expect("columns of one length");
    Frame::new(Schema { fields }, df)
}

/// Reads one cell as a column's type.
fn cell(cell: &str, logical: &Logical) -> Option<Value> {
    if cell == "null" {
        return None;
    }
    let text = if logical.is_text() {
        serde_json::from_str::<String>(cell).unwrap_or_else(|e| panic!("`{cell}` is not text in quotes: {e}"))
    } else {
        cell.to_owned()
    };
    let value = Value::parse(&text, logical);
    assert!(value.is_some(), "`{cell}` is not a value of {logical}");
    value
}

/// Splits a line at the `|` outside quotes.
fn cells(line: &str) -> Vec<String> {
    let inside = line
        .strip_prefix('|')
        .and_then(|l| l.strip_suffix('|'))
        .unwrap_or_else(|| panic!("a line of a table begins and ends with `|`: {line}"));
    let mut cells = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in inside.chars() {
        if c == '|' && !quoted {
            cells.push(String::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        cells.last_mut().expect("never empty").push(c);
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Writes a table in the form in which examples have it, without the blanks that line it up.
pub fn print_rows(frame: &Frame) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let fields = &frame.schema.fields;
    let mut text = line(fields.iter().map(|f| format!("{}: {}", f.name, f.logical)).collect());
    let texts: Vec<_> =
        fields.iter().map(|f| frame.texts(&f.name).expect("a column of the schema")).collect();
    for row in 0..frame.height() {
        let cells = texts.iter().zip(fields).map(|(texts, field)| match texts.owned(row) {
            None => "null".to_owned(),
            Some(text) if field.logical.is_text() => serde_json::to_string(&text).expect("text is JSON"),
            Some(text) => text,
        });
        text.push_str(&line(cells.collect()));
    }
    text
}

#[test]
fn a_table_is_read_and_printed() {
    let table = r#"
        | a: char(3) | b: decimal(5,2) | c: text          |
        | "x  "      | 1.5             | "a|b \"q\\" |
        | null       | null            | null             |
    "#;
    let printed = r#"| a: char(3) | b: decimal(5,2) | c: text |
| "x" | 1.50 | "a|b \"q\\" |
| null | null | null |
"#;
    assert_eq!(print_rows(&parse_rows(table)), printed);
}
