//! Lists in columns: JSON and texts with separators, one row an element.

use sqlparser::ast::{Expr, Function, JoinConstraint, Spanned as _, TableAlias, TableFactor};

use crate::expression::Expression;
use crate::frame::{Frame, Texts, Value, series_of};
use crate::model::{Field, Logical};

use super::QueryError;
use super::join::How;
use super::json::{Json, Step, path};
use super::run::Run;
use super::scope::{ANY, Col, Rel, Table};
use super::select::span_of;
use super::value::{Mode, function_name, quoted};

/// The help where a list is needed.
const LISTS: &str =
    "`unnest(json_items(column, '$.path')) as t(item)` or `unnest(split(column, ',')) as t(item)`";

/// How a text is taken apart.
enum Apart {
    Json(Vec<Step>),
    Split(String),
}

/// A column of texts, read for its elements.
struct Source {
    slot: String,
    read: Expression,
}

impl Run<'_> {
    /// Makes the column of `json_value(column, '$.path')`.
    pub(super) fn json_value(&mut self, rel: &mut Rel, call: &Function) -> Option<String> {
        let arguments = self.arguments(call)?;
        let [value, steps] = arguments.as_slice() else {
            let help = "`json_value(column, '$.path')`";
            return self.refuse(call.name.span(), "`json_value` takes a column and a path", help);
        };
        let steps = self.path(steps)?;
        let source = self.texts(rel, value)?;
        if self.unknown {
            return Some(ANY.to_owned());
        }
        let texts = texts_of(&rel.frame, &source.slot)?;
        let mut values = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            let Some(text) = texts.get(row) else {
                values.push(None);
                continue;
            };
            match Json::new(&text) {
                Ok(json) => values.push(json.at(&steps).and_then(Json::text).map(Value::Text)),
                Err(_) => return self.malformed(&rel.frame, &source.read, row, NOT_JSON),
            }
        }
        let series = series_of("value", &Logical::TEXT, &values);
        let origins = self.origins_of([source.slot.as_str()]);
        let slot = self.add(&mut rel.frame, Field::new("value", Logical::TEXT), series.into(), origins)?;
        self.is_placed_as(&slot, &source.slot);
        Some(slot)
    }

    /// Notes that the values of a column come from the rows of another one's.
    fn is_placed_as(&mut self, slot: &str, other: &str) {
        if let Some(place) = self.places.get(other).cloned() {
            self.places.insert(slot.to_owned(), place);
        }
    }

    /// Makes a row of each element of a list.
    pub(super) fn unnest(
        &mut self,
        mut left: Rel,
        factor: &TableFactor,
        how: How,
        constraint: Option<&JoinConstraint>,
    ) -> Option<Rel> {
        let TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, with_ordinality } =
            factor
        else {
            return None;
        };
        let span = span_of(factor);
        let is_true = |on: &Expr| matches!(on, Expr::Value(value) if value.value.to_string() == "true");
        let on_true = match constraint {
            None | Some(JoinConstraint::None) => true,
            Some(JoinConstraint::On(on)) => is_true(on),
            Some(_) => false,
        };
        let keeps = match (how, on_true) {
            (How::Cross | How::Inner, true) => false,
            (How::Left, true) => true,
            _ => {
                let help = "`cross join unnest(…) as t(item)`, or `left join unnest(…) as t(item) on true`";
                return self.refuse(span, "this form of join is not known with `unnest`", help);
            }
        };
        if *with_offset || with_offset_alias.is_some() {
            return self.refuse(span, "`with offset` is not known here", "`with ordinality` numbers from 1");
        }
        let Some(alias) = alias else {
            return self.refuse(span, "`unnest` needs a name behind it", LISTS);
        };
        let names = self.names(alias, *with_ordinality)?;
        let [Expr::Function(call)] = array_exprs.as_slice() else {
            return self.refuse(span, "`unnest` takes one list", LISTS);
        };
        let arguments = self.arguments(call)?;
        let (value, apart) = match (function_name(call).as_str(), arguments.as_slice()) {
            ("json_items", [value]) => (*value, Apart::Json(Vec::new())),
            ("json_items", [value, steps]) => (*value, Apart::Json(self.path(steps)?)),
            ("split", [value, separator]) => {
                match quoted(separator).filter(|separator| !separator.is_empty()) {
                    Some(separator) => (*value, Apart::Split(separator.to_owned())),
                    None => {
                        return self.refuse(
                            separator.span(),
                            "the separator stands in single quotes",
                            "as in `','`",
                        );
                    }
                }
            }
            _ => return self.refuse(span, "`unnest` takes `json_items(…)` or `split(…)`", LISTS),
        };
        let source = self.texts(&mut left, value)?;
        let mut columns: Vec<Col> = Vec::new();
        let mut frame = left.frame.clone();
        if self.unknown {
            let unknown = |name: String| Col { name, slot: ANY.to_owned(), joined: false };
            columns.extend(names.into_iter().map(unknown));
        } else {
            let (rows, items, numbers) = self.elements(&left.frame, &source, &apart, keeps)?;
            frame = self.take(&left.frame, &rows)?;
            let origins = self.origins_of([source.slot.as_str()]);
            let made = [(Logical::TEXT, items), (Logical::I64, numbers)];
            for (name, (logical, values)) in names.into_iter().zip(made) {
                let series = series_of("item", &logical, &values);
                let slot =
                    self.add(&mut frame, Field::new("item", logical), series.into(), origins.clone())?;
                self.is_placed_as(&slot, &source.slot);
                columns.push(Col { name, slot, joined: false });
            }
        }
        left.tables.push(Table { alias: alias.name.value.clone(), open: false, columns });
        Some(Rel { tables: left.tables, frame, broken: false })
    }

    /// Returns the names of the columns of an `unnest`.
    fn names(&mut self, alias: &TableAlias, numbered: bool) -> Option<Vec<String>> {
        let mut names: Vec<String> = alias.columns.iter().map(|column| column.name.value.clone()).collect();
        if names.is_empty() {
            names.push(alias.name.value.clone());
        }
        if numbered && names.len() == 1 {
            names.push("ordinality".to_owned());
        }
        if names.len() != 1 + usize::from(numbered) {
            let help = "`as t(item)`, or `with ordinality as t(item, number)`";
            return self.refuse(alias.name.span, "`unnest` has one column, and its number", help);
        }
        Some(names)
    }

    /// Returns for each element its row, its text and its number.
    fn elements(
        &mut self,
        frame: &Frame,
        source: &Source,
        apart: &Apart,
        keeps: bool,
    ) -> Option<(Vec<Option<u32>>, Vec<Option<Value>>, Vec<Option<Value>>)> {
        let texts = texts_of(frame, &source.slot)?;
        let (mut rows, mut items, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0u32.. {
            let at = row as usize;
            if at >= texts.len() {
                break;
            }
            if at.is_multiple_of(64 << 10) {
                self.go_on()?;
            }
            let found = match (texts.get(at), apart) {
                (None, _) => Vec::new(),
                (Some(text), Apart::Split(_)) if text.is_empty() => Vec::new(),
                (Some(text), Apart::Split(separator)) => {
                    text.split(separator).map(|part| Some(part.to_owned())).collect()
                }
                (Some(text), Apart::Json(steps)) => {
                    let Ok(json) = Json::new(&text) else {
                        return self.malformed(frame, &source.read, at, NOT_JSON);
                    };
                    match json.at(steps).filter(|json| !json.is_null()) {
                        None => Vec::new(),
                        Some(list) => match list.elements() {
                            Some(elements) => elements.into_iter().map(Json::text).collect(),
                            None => return self.malformed(frame, &source.read, at, NOT_A_LIST),
                        },
                    }
                }
            };
            if found.is_empty() && keeps {
                rows.push(Some(row));
                items.push(None);
                numbers.push(None);
            }
            for (number, item) in (1i64..).zip(found) {
                rows.push(Some(row));
                items.push(item.map(Value::Text));
                numbers.push(Some(Value::I64(number)));
            }
        }
        Some((rows, items, numbers))
    }

    /// Makes the column of texts that is taken apart.
    fn texts(&mut self, rel: &mut Rel, value: &Expr) -> Option<Source> {
        let read = self.read(rel, value, Mode::Rows("where a list is made"))?;
        let slot = self.made(&mut rel.frame, &read)?;
        if let Some(field) = rel.frame.schema.get(&slot).filter(|field| !field.logical.is_text()) {
            let message = format!("this is {}, not a text", field.logical);
            return self.refuse(value.span(), message, "JSON and lists are read from texts");
        }
        Some(Source { slot, read })
    }

    fn path(&mut self, steps: &Expr) -> Option<Vec<Step>> {
        let read = quoted(steps).and_then(path);
        if read.is_none() {
            let help = "`'$'` is the whole, `'$.name'` a name of it, `'$.\"a name\"'` too, and `'$.list[0]'` the first of a list";
            return self.refuse(steps.span(), "this is not a path", help);
        }
        read
    }

    /// Notes a row whose value cannot be used.
    pub(super) fn malformed<T>(
        &mut self,
        frame: &Frame,
        read: &Expression,
        row: usize,
        what: &str,
    ) -> Option<T> {
        let columns = read.columns();
        let place = columns.first().and_then(|column| self.places.get(&column.value));
        let number = place
            .and_then(|(_, _, rows)| frame.column(rows)?.1.as_materialized_series().u64().ok()?.get(row));
        let said = match (place, number) {
            (Some((dataset, column, _)), Some(number)) => {
                format!("column `{column}` of `{dataset}`, row {number}: {what}")
            }
            _ => format!("row {} of the rows that are looked at: {what}", row + 1),
        };
        self.fail(QueryError::Rows(said))
    }
}

/// What is said of a text that is not JSON.
const NOT_JSON: &str = "this is not JSON that has one value; correct it in the source, or say which texts are, with \
     `case when … then … end` inside the brackets";
/// What is said of JSON that is no list.
const NOT_A_LIST: &str = "the path does not lead to a list; `json_value` reads single values";

fn texts_of(frame: &Frame, slot: &str) -> Option<Texts> {
    frame.texts(slot)
}
