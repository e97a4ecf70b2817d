//! SQL expressions over one row: the conditions of rules, `where` and `filter`.
//!
//! SQL is read by `sqlparser` into a tree of our own, which knows only what is allowed; the tree is bound to
//! a side's columns and becomes a polars expression. It looks at one row at a time.
//!
//! | | |
//! |---|---|
//! | conditions | `=` `<>` `<` `<=` `>` `>=`, `and` `or` `not`, `is [not] null`, `is [not] true`, `is [not] false`, `is [not] distinct from`, `[not] in (…)`, `[not] between … and …`, `[not] like` and `ilike` with `escape` |
//! | values | `'text'`, `12.50`, `true`, `false`, `null`, `date '2020-01-31'`, `timestamp '2020-01-31 12:00:00'`, `current_date`, `as_of()` |
//! | spans of time | `cot + interval '30 days'`, `eot - interval '1 year 6 months'`, `eot - cot` |
//! | calculation | `+` `-` `*` `/`, `\|\|`, `case when … then … else … end`, `cast(… as …)` |
//! | functions | `abs`, `coalesce`, `length`, `lower`, `ltrim`, `nullif`, `round`, `rtrim`, `substring`, `trim`, `upper` |
//!
//! **NULL** is SQL's: a comparison with NULL is neither true nor false, `and`, `or` and `in` follow the three
//! values. What cannot be computed is NULL too, never an error: a division by zero, a cast of a text that
//! is no number, a result of more than 38 digits. Such rows are counted as unknown.
//!
//! **Numbers** of different types are compared by value ([`crate::frame::Number`]). Whole and decimal
//! numbers are calculated exactly; a quotient has 16 digits behind the point (or more, where its parts
//! have), rounded half away from zero, also of two whole numbers: `1 / 2` is 0.5. As soon as one number is
//! a floating-point one, so is the result.
//!
//! **Texts** are compared byte by byte: case and accents count. Trailing blanks count too, but in `char(n)`
//! columns there are none. `length` and `substring` count characters. A text in quotes beside a date, a
//! number or a UUID is read as that type.
//!
//! **Moments**: a date beside a timestamp is its midnight. A timestamp without a zone meets an instant only
//! where the column's zone is declared. `current_date` and `as_of()` are the run's "now" in UTC, or in the
//! zone of the column they meet; the same for every row. `cast(… as date)` cuts off the time of day.
//!
//! **Spans of time**: an interval, of whole numbers of years, months, weeks, days, hours, minutes and seconds, is added to a
//! date or timestamp or taken from one. Months come first, and end on the month's last day where it is shorter
//! (`date '2020-01-31' + interval '1 month'` is 2020-02-29). A day is 24 hours, and of an instant the months are those of
//! UTC. A date stays a date, unless the interval has hours or less. Two dates have days between them, a whole number. What
//! the calendar does not reach (year ±262,142) is NULL.

mod bind;
mod interval;
mod kernels;
mod like;
mod names;
mod number;
mod parse;
mod place;
mod tree;

use chrono::{DateTime, Utc};
use polars::prelude::{Column, Expr, IntoLazy};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::{Frame, Number, Value, polars_type};
use crate::model::{Family, Field, Logical, Schema};
use crate::rule::RuleError;

use bind::{Binder, Literal, Typed};
pub(crate) use kernels::{one_of, shown};
pub(crate) use names::{Named, Names, not_a_query, of_sql, sql_place, sql_range};
pub(crate) use tree::Comparison;
use tree::{Kind, Node};

/// An SQL condition whose syntax is right, not yet bound to columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: Spanned<String>,
    root: Node,
}

/// Reads an SQL condition without a schema: wrong syntax and what expressions do not have are diagnostics at
/// their place.
pub fn parse(text: &Spanned<String>, out: &mut Diagnostics) -> Option<Expression> {
    let root = parse::read(text, out)?;
    let expression = Expression { text: text.clone(), root };
    if expression.columns().is_empty() {
        out.push(
            Diagnostic::error(&text.span, "the condition names no column: it is the same for every row")
                .help("a text stands in single quotes, a column in none or in double ones"),
        );
        return None;
    }
    Some(expression)
}

/// Reads an SQL expression that gives a value, without a schema: wrong syntax and what expressions do not have are
/// diagnostics at their place.
pub fn parse_value(text: &Spanned<String>, out: &mut Diagnostics) -> Option<Expression> {
    Some(Expression { text: text.clone(), root: parse::read(text, out)? })
}

impl Expression {
    /// Returns the condition as it was written.
    pub fn text(&self) -> &Spanned<String> {
        &self.text
    }

    /// Returns the columns it names, each once, in the order of the text.
    pub fn columns(&self) -> Vec<Spanned<String>> {
        let mut columns: Vec<Spanned<String>> = Vec::new();
        let mut open = vec![&self.root];
        while let Some(node) = open.pop() {
            if let Kind::Column(name) = &node.kind
                && !columns.iter().any(|c| c.value == *name)
            {
                let span = place::in_file(&self.text, &node.range);
                columns.push(Spanned { value: name.clone(), span });
            }
            open.extend(node.children().into_iter().rev());
        }
        columns
    }

    /// Binds the condition to a side's columns: unknown names and types that do not meet are diagnostics.
    ///
    /// The result is Boolean: true, false, or NULL for unknown. `as_of` is the run's "now".
    pub fn bind(&self, schema: &Schema, as_of: DateTime<Utc>, out: &mut Diagnostics) -> Option<Expr> {
        let mut binder = Binder { schema, as_of, text: &self.text, out };
        binder.condition(&self.root)
    }

    /// Binds an expression that gives a value to a side's columns, with the field that its values make.
    pub fn bind_value(
        &self,
        name: &str,
        schema: &Schema,
        as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<(Expr, Field)> {
        let mut binder = Binder { schema, as_of, text: &self.text, out };
        let typed = binder.value(&self.root)?;
        Some((typed.expr, Field { timezone: typed.zone, ..Field::new(name, typed.logical) }))
    }
}

/// Returns the values of a bound expression, one a row, in the polars form of their type.
///
/// # Errors
/// Where polars refuses the expression.
pub fn values(frame: &Frame, value: &Expr, logical: &Logical) -> Result<Column, RuleError> {
    let result = frame.df.clone().lazy().select([value.clone().alias("value")]).collect()?;
    let column = result.column("value")?;
    let wanted = polars_type(logical);
    let column = if *column.dtype() == wanted { column.clone() } else { column.cast(&wanted)? };
    match (column.len(), frame.height()) {
        (len, height) if len == height => Ok(column),
        // A value that does not depend on the row comes once.
        (1, height) => Ok(column.new_from_index(0, height)),
        _ => Err(RuleError::Refused(
            "the expression gave another number of values than there are rows".to_owned(),
        )),
    }
}

/// Returns for each row whether a bound condition is true; NULL counts as false.
///
/// # Errors
/// Where polars refuses the expression, or it is not a condition.
pub fn evaluate(frame: &Frame, condition: &Expr) -> Result<Vec<bool>, RuleError> {
    Ok(three_valued(frame, condition)?.into_iter().map(|value| value == Some(true)).collect())
}

/// Returns for each row whether a bound condition is true, false or unknown.
///
/// # Errors
/// Where polars refuses the expression, or it is not a condition.
pub fn three_valued(frame: &Frame, condition: &Expr) -> Result<Vec<Option<bool>>, RuleError> {
    let result = frame.df.clone().lazy().select([condition.clone().alias("condition")]).collect()?;
    let values: Vec<Option<bool>> = result.column("condition")?.bool()?.iter().collect();
    let height = frame.height();
    match values.as_slice() {
        // A condition that does not depend on the row comes as one value.
        [value] if height != 1 => Ok(vec![*value; height]),
        _ if values.len() == height => Ok(values),
        _ => Err(RuleError::Refused(
            "the condition gave another number of values than there are rows".to_owned(),
        )),
    }
}

/// Compares a column with a literal of a rule file, in the column's type.
///
/// A number may be one that the column's type cannot hold.
///
/// # Errors
/// A message where the text is not a value of the column's type.
pub(crate) fn compare_with(field: &Field, op: Comparison, text: &str) -> Result<Expr, String> {
    let column = Typed::column(field);
    let literal = literal_of(text, field)?.adapt(&column, DateTime::UNIX_EPOCH)?;
    bind::compare(op, column, literal).map_err(|(message, _)| message)
}

/// Compares two columns; the error is a message and what to try.
///
/// # Errors
/// Where the columns' types cannot be compared.
pub(crate) fn compare_columns(
    first: &Field,
    op: Comparison,
    second: &Field,
) -> Result<Expr, (String, &'static str)> {
    bind::compare(op, Typed::column(first), Typed::column(second))
}

/// Reads a literal of a rule file as a value of a column; nothing where the column's type cannot hold it.
///
/// A text may be longer than the column allows.
pub(crate) fn value_of(text: &str, field: &Field) -> Option<Value> {
    literal_of(text, field).ok()?.value(&Typed::column(field), DateTime::UNIX_EPOCH)
}

/// Returns how two literals of a rule file stand to each other as values of a column.
pub(crate) fn order_of(a: &str, b: &str, field: &Field) -> Option<std::cmp::Ordering> {
    if field.logical.family() == Family::Number {
        let number = |text| {
            let (digits, scale) = number::signed_number(text)?;
            Some(Number::Exact { digits, scale: scale.into() })
        };
        return Some(number(a)?.compare(number(b)?));
    }
    match (value_of(a, field)?, value_of(b, field)?) {
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(&b)),
        (Value::Moment(a), Value::Moment(b)) | (Value::Time(a), Value::Time(b)) => Some(a.cmp(&b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

/// Reads a literal of a rule file: a number for a column of numbers, else a text for the column's type to read.
fn literal_of(text: &str, field: &Field) -> Result<Literal, String> {
    if field.logical.family() != Family::Number {
        return Ok(Literal::Text(text.to_owned()));
    }
    match number::signed_number(text) {
        Some((digits, scale)) => Ok(Literal::Number { digits, scale }),
        None => Err(format!("`{text}` is not a number of at most 38 digits")),
    }
}
