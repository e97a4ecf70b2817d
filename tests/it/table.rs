//! Frames written as tables of text.
//!
//! The first line names the columns with their types. A cell is `null`, a text in double quotes with the
//! escapes of JSON, or the bare form of a value of the column's type.

use counterfoil::frame::{Frame, Value, polars_type};
use counterfoil::model::{Field, Logical, Schema};
use polars::prelude::{AnyValue, Column, DataFrame, LiteralValue, Series};

/// Splits a line of a table into its cells; a bar within quotes is part of the text.
fn cells(line: &str) -> Vec<String> {
    let inside = line.trim().strip_prefix('|').and_then(|l| l.strip_suffix('|'));
    let inside = inside.unwrap_or_else(|| panic!("a line of a table begins and ends with a bar: {line}"));
    let (mut cells, mut cell, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in inside.chars() {
        match c {
            '|' if !quoted => {
                cells.push(cell.trim().to_owned());
                cell.clear();
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        cell.push(c);
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// Reads a table.
pub fn frame(text: &str) -> Frame {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = cells(lines.next().expect("a table has a header"));
    let fields = header.iter().map(|cell| {
        let (name, logical) = cell.split_once(':').unwrap_or_else(|| panic!("name: type, not {cell}"));
        Field::new(name.trim(), logical.trim().parse().unwrap())
    });
    let fields: Vec<Field> = fields.collect();
    let rows: Vec<Vec<Option<Value>>> = lines
        .map(|line| {
            let cells = cells(line);
            assert_eq!(cells.len(), fields.len(), "{line}");
            cells.iter().zip(&fields).map(|(cell, field)| value(cell, &field.logical)).collect()
        })
        .collect();
    build(fields, &rows)
}

fn value(cell: &str, logical: &Logical) -> Option<Value> {
    if cell == "null" {
        return None;
    }
    let text = if cell.starts_with('"') { serde_json::from_str(cell).unwrap() } else { cell.to_owned() };
    Some(Value::parse(&text, logical).unwrap_or_else(|| panic!("{cell} is not {logical}")))
}

/// Makes a frame of values.
pub fn build(fields: Vec<Field>, rows: &[Vec<Option<Value>>]) -> Frame {
    let columns = fields.iter().enumerate().map(|(i, field)| {
        let values: Vec<AnyValue<'static>> = rows
            .iter()
            .map(|row| match row[i].clone().map(|v| v.literal(&field.logical)) {
                Some(LiteralValue::Scalar(scalar)) => scalar.value().clone().into_static(),
                _ => AnyValue::Null,
            })
            .collect();
        let name = field.name.as_str().into();
        let series = Series::from_any_values_and_dtype(name, &values, &polars_type(&field.logical), true);
        Column::from(series.unwrap())
    });
    let df = DataFrame::new(rows.len(), columns.collect()).unwrap();
    Frame::new(Schema { fields }, df)
}
