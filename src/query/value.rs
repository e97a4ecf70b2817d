//! Expressions of a query: their names are columns of its tables, and some of their functions are its own.

use std::ops::Range;

use chrono::DateTime;
use sqlparser::ast::{
    CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget, Spanned as _,
    Value,
};

use crate::diagnostic::{Diagnostics, Spanned};
use crate::expression::{self, Expression, Named, Names, of_sql};
use crate::frame::Frame;
use crate::model::Field;

use super::QueryError;
use super::join::parts;
use super::run::Run;
use super::scope::{ANY, Rel};
use super::select::is_of_several;

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// At this place, which looks at one row at a time.
    Rows(&'static str),
    /// Behind `select`.
    Select,
    /// Behind `on`, where there are no rows yet.
    Join,
}

/// The help where another query stands in an expression.
const JOIN_INSTEAD: &str =
    "join it: `join (select distinct …) as o on …`, or `left join … on …` and `where o.key is null`";

/// Returns the name of a function as it is known.
pub(super) fn function_name(call: &Function) -> String {
    call.name.to_string().to_lowercase()
}

/// Returns true where an expression looks at several rows.
pub(super) fn looks_at_several(text: &Spanned<String>, expr: &Expr) -> bool {
    struct Probe(bool);
    impl Names for Probe {
        fn column(&mut self, part: &Expr, _: &Range<usize>, _: &mut Diagnostics) -> Named {
            match part {
                Expr::Function(call) if is_of_several(call) => self.0 = true,
                Expr::Function(call) if is_own(&function_name(call)) => {}
                Expr::CompoundIdentifier(_) => {}
                _ => return Named::Plain,
            }
            Named::Column(ANY.to_owned())
        }
    }
    let mut probe = Probe(false);
    // What is wrong with it is told where it is read.
    let _ = of_sql(text, expr, &mut probe, &mut Diagnostics::default());
    probe.0
}

/// Returns true for the functions of queries that look at one row.
fn is_own(name: &str) -> bool {
    matches!(name, "json_value" | "json_items" | "split" | "row_number")
}

/// The names of an expression that looks at one row at a time.
struct RowNames<'e, 'a> {
    run: &'e mut Run<'a>,
    rel: &'e mut Rel,
    mode: Mode,
}

impl Names for RowNames<'_, '_> {
    fn column(&mut self, part: &Expr, _: &Range<usize>, _: &mut Diagnostics) -> Named {
        match part {
            Expr::Function(call) => {
                let name = function_name(call);
                let slot = match (name.as_str(), self.mode) {
                    ("json_value", Mode::Rows(_) | Mode::Select) => self.run.json_value(self.rel, call),
                    ("row_number", Mode::Select) if call.over.is_some() => {
                        self.run.row_number(self.rel, call)
                    }
                    _ => return self.run.not_here(call, self.mode),
                };
                named(slot)
            }
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, .. }
                if self.mode != Mode::Join && !matches!(**expr, Expr::Value(_)) =>
            {
                let Some(read) = self.run.read(self.rel, expr, self.mode) else { return Named::Refused };
                named(self.run.cast(&mut self.rel.frame, &read, part))
            }
            other => self.run.column(self.rel, other),
        }
    }
}

/// The names of an expression over slots.
struct Slots;

impl Names for Slots {
    fn column(&mut self, part: &Expr, _: &Range<usize>, _: &mut Diagnostics) -> Named {
        match part {
            Expr::Identifier(slot) => Named::Column(slot.value.clone()),
            _ => Named::Plain,
        }
    }
}

/// Returns the column that was found, if one was.
pub(super) fn named(slot: Option<String>) -> Named {
    slot.map_or(Named::Refused, Named::Column)
}

impl Run<'_> {
    /// Finds the column that a part of an expression names.
    pub(super) fn column(&mut self, rel: &Rel, part: &Expr) -> Named {
        match part {
            Expr::Identifier(name) => {
                let place = self.place(name.span);
                named(rel.find(None, &name.value, &place, self.out))
            }
            Expr::CompoundIdentifier(parts) => {
                let place = self.place(part.span());
                let [table, name] = parts.as_slice() else {
                    let help =
                        "a column is written `column` or `table.column`, by the table's name in this query";
                    return named(self.refuse_at(&place, "this is not the name of a column", help));
                };
                named(rel.find(Some(table), &name.value, &place, self.out))
            }
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::In { target: InTarget::Subquery(_), .. } => {
                let message = "a query inside an expression is not known here";
                named(self.refuse(part.span(), message, JOIN_INSTEAD))
            }
            _ => Named::Plain,
        }
    }

    /// Says of a function that it has no place here; of one that any expression has, nothing.
    pub(super) fn not_here(&mut self, call: &Function, mode: Mode) -> Named {
        let name = function_name(call);
        let span = call.name.span();
        let place = match mode {
            Mode::Rows(place) => place,
            Mode::Select => "here",
            Mode::Join => "behind `on`",
        };
        let (message, help) = match name.as_str() {
            _ if is_of_several(call) => {
                let help = "it stands behind `select`, or in `having`, with `group by`";
                (format!("`{name}` looks at several rows, which {place} it cannot"), help)
            }
            "row_number" if call.over.is_none() => {
                let help = "`row_number() over (partition by … order by …)`";
                ("`row_number` needs `over`".to_owned(), help)
            }
            "row_number" | "json_value" => {
                let help = "take it in `(select … as value from …) as t`, and `t.value` here";
                (format!("`{name}` cannot stand {place}"), help)
            }
            "json_items" | "split" | "unnest" => {
                let help = "`cross join unnest(json_items(column, '$.path')) as t(item)` makes a row of each";
                (format!("`{name}` gives several values, and stands behind `join`"), help)
            }
            "current_date" | "current_timestamp" | "as_of" | "now" | "getdate" => {
                let help = "`filter` of a dataset may compare with the day of a run";
                ("the rows of a query do not depend on the day on which it is run".to_owned(), help)
            }
            _ if call.over.is_some() => {
                let help = "`row_number() over (partition by … order by …)` is known";
                (format!("`{name}` is not known here with `over`"), help)
            }
            _ => return Named::Plain,
        };
        self.refuse::<()>(span, message, help);
        Named::Refused
    }

    /// Reads an expression that looks at one row at a time; columns that it needs are added to the rows.
    pub(super) fn read(&mut self, rel: &mut Rel, expr: &Expr, mode: Mode) -> Option<Expression> {
        let text = self.text;
        let mut own = Diagnostics::default();
        let read = of_sql(text, expr, &mut RowNames { run: self, rel, mode }, &mut own);
        self.out.extend(own);
        read
    }

    /// Makes a column of an expression, and returns its slot.
    pub(super) fn value(&mut self, rel: &mut Rel, expr: &Expr, mode: Mode) -> Option<String> {
        let read = self.read(rel, expr, mode)?;
        self.made(&mut rel.frame, &read)
    }

    /// Makes a column of an expression that was read, and returns its slot.
    pub(super) fn made(&mut self, frame: &mut Frame, read: &Expression) -> Option<String> {
        if self.unknown {
            return Some(ANY.to_owned());
        }
        if let Some(slot) = read.as_column() {
            return Some(slot.to_owned());
        }
        let (bound, field) = read.bind_value("value", &frame.schema, DateTime::UNIX_EPOCH, self.out)?;
        let values = expression::values(frame, &bound, &field.logical).map_err(|_| not_calculated());
        let column = self.got(values)?;
        let slots = read.columns();
        let origins = self.origins_of(slots.iter().map(|slot| slot.value.as_str()));
        self.add(frame, Field { ..field }, column, origins)
    }

    /// Makes a column of a cast: a value that the type does not have is an error with its row.
    pub(super) fn cast(&mut self, frame: &mut Frame, read: &Expression, cast: &Expr) -> Option<String> {
        let Expr::Cast { expr, data_type, format, .. } = cast else { return None };
        let slot = self.made(frame, read)?;
        let name = Ident { span: expr.span(), ..Ident::new(slot.clone()) };
        let of_slot = Expr::Cast {
            kind: CastKind::TryCast,
            expr: Box::new(Expr::Identifier(name)),
            data_type: data_type.clone(),
            format: format.clone(),
        };
        let (text, mut own) = (self.text, Diagnostics::default());
        let inner = of_sql(text, &of_slot, &mut Slots, &mut own);
        self.out.extend(own);
        let made = self.made(frame, &inner?)?;
        if self.unknown {
            return Some(made);
        }
        let (before, after) = (frame.column(&slot)?.1, frame.column(&made)?.1);
        if before.null_count() == after.null_count() {
            return Some(made);
        }
        let lost = before.is_not_null() & after.is_null();
        let row = lost.iter().position(|lost| lost == Some(true))?;
        let what = format!("the value cannot be cast to {data_type}; `try_cast` makes NULL of such values");
        self.malformed(frame, read, row, &what)
    }

    /// Returns for which rows a condition is true.
    pub(super) fn holds(&mut self, frame: &Frame, read: &Expression) -> Option<Vec<bool>> {
        if self.unknown {
            return Some(Vec::new());
        }
        let bound = read.bind(&frame.schema, DateTime::UNIX_EPOCH, self.out)?;
        let holds = expression::evaluate(frame, &bound).map_err(|_| not_calculated());
        self.got(holds)
    }

    /// Keeps the rows for which a condition is true: each of its parts that `and` joins.
    pub(super) fn filter(&mut self, rel: &mut Rel, condition: &Expr, mode: Mode) -> Option<()> {
        let mut whole = true;
        for part in parts(condition) {
            let Some(read) = self.read(rel, part, mode) else {
                whole = false;
                continue;
            };
            self.tie(read.columns().iter().map(|slot| slot.value.as_str()));
            let keep = self.holds(&rel.frame, &read)?;
            if !self.unknown {
                let kept = rel.frame.filter(&keep);
                rel.frame = self.got(kept)?;
            }
        }
        whole.then_some(())
    }

    /// Returns the arguments of a call: values alone.
    pub(super) fn arguments<'c>(&mut self, call: &'c Function) -> Option<Vec<&'c Expr>> {
        let plain = match &call.args {
            FunctionArguments::List(list) => list
                .args
                .iter()
                .map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        if plain.is_none() {
            let name = function_name(call);
            return self.refuse(call.name.span(), format!("`{name}` takes plain values"), "");
        }
        plain
    }
}

/// Returns a text in single quotes.
pub(super) fn quoted(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the name that an identifier is, alone.
pub(super) fn plain(name: &sqlparser::ast::ObjectName) -> Option<&Ident> {
    match super::scope::parts(name)?.as_slice() {
        [name] => Some(name),
        _ => None,
    }
}

fn not_calculated() -> QueryError {
    QueryError::Rows("an expression of the query could not be calculated".to_owned())
}
