//! What looks at several rows: `group by`, `distinct`, and the functions over groups.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use polars::prelude::{Column, DataFrame};
use sqlparser::ast::{
    CastKind, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, OrderByExpr, Spanned as _,
};

use crate::diagnostic::Diagnostics;
use crate::expression::{Expression, Named, Names, of_sql};
use crate::frame::{Frame, KeyParts, Keys, Texts, Value, series_of};
use crate::model::{Field, Logical, Schema};

use super::QueryError;
use super::order::{Ranks, sort};
use super::run::{Run, Selected};
use super::scope::{ANY, Rel};
use super::select::is_any;
use super::value::{Mode, function_name, named, quoted};

/// The functions over groups.
const AGGREGATES: &[&str] = &["count", "max", "min", "string_agg", "sum"];
/// The number that no exact one reaches.
const TOO_LARGE: i128 = 10i128.pow(38);

/// Returns true for the name of a function over groups, also of one that is not known here.
pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.contains(&name) || UNKNOWN.iter().any(|(unknown, _)| *unknown == name)
}

/// Functions over groups that others have, with what to write in their place.
const UNKNOWN: &[(&str, &str)] = &[
    ("array_agg", "`string_agg(column, ', ' order by …)` makes a text"),
    ("avg", "`sum(column) / count(column)`"),
    ("first", "`row_number() over (partition by … order by …)` says which is the first"),
    ("group_concat", "`string_agg(column, ', ' order by …)`"),
    ("last", "`row_number() over (partition by … order by … desc)` says which is the last"),
    ("listagg", "`string_agg(column, ', ' order by …)`"),
];

/// Rows in groups.
pub(super) struct Grouped {
    /// What they are grouped by, each with its slot.
    keys: Vec<(Expr, String)>,
    /// The group of each row.
    ids: Vec<u32>,
    /// The groups, one a row.
    pub(super) frame: Frame,
}

/// Returns the group of each row by some columns, and the first row of each group; NULL is a value like others here.
pub(super) fn groups(frame: &Frame, slots: &[String]) -> (Vec<u32>, Vec<u32>) {
    let parts = KeyParts::new(frame, slots);
    let mut known: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut firsts = Vec::new();
    let mut ids = Vec::with_capacity(frame.height());
    for row in 0u32.. {
        if row as usize >= frame.height() {
            break;
        }
        let mut key = Vec::new();
        for text in parts.texts(row as usize) {
            match text {
                None => key.push(0),
                Some(text) => {
                    key.push(1);
                    key.extend((text.len() as u64).to_le_bytes());
                    key.extend(text.as_bytes());
                }
            }
        }
        let next = u32::try_from(firsts.len()).unwrap_or(u32::MAX);
        let id = *known.entry(key).or_insert(next);
        if id == next {
            firsts.push(row);
        }
        ids.push(id);
    }
    (ids, firsts)
}

impl Run<'_> {
    /// Puts rows into groups; without keys there is one, even of no rows.
    pub(super) fn group(&mut self, rel: &mut Rel, keys: &[Expr]) -> Option<Grouped> {
        let mut slots = Vec::with_capacity(keys.len());
        for key in keys {
            if matches!(key, Expr::Value(_)) {
                return self.refuse(key.span(), "`group by` names columns, not their numbers", "");
            }
            slots.push(self.value(rel, key, Mode::Rows("in `group by`")));
        }
        let slots: Vec<String> = slots.into_iter().collect::<Option<_>>()?;
        let keys: Vec<(Expr, String)> = keys.iter().cloned().zip(slots.iter().cloned()).collect();
        if self.unknown {
            return Some(Grouped { keys, ids: Vec::new(), frame: Frame::default() });
        }
        let (ids, firsts) = match slots.as_slice() {
            [] => (vec![0; rel.frame.height()], vec![0]),
            slots => groups(&rel.frame, slots),
        };
        let mut schema = Schema::default();
        let mut columns: Vec<Column> = Vec::new();
        let wanted = polars::prelude::IdxCa::from_vec("row".into(), firsts.clone());
        for slot in &slots {
            if schema.get(slot).is_some() {
                continue;
            }
            let (field, column) = rel.frame.column(slot)?;
            schema.fields.push(field.clone());
            columns.push(self.got(column.take(&wanted))?);
        }
        let df = self.got(DataFrame::new(firsts.len(), columns))?;
        Some(Grouped { keys, ids, frame: Frame::new(schema, df) })
    }

    /// Keeps the groups for which a condition is true.
    pub(super) fn having(&mut self, rel: &mut Rel, grouped: &mut Grouped, condition: &Expr) -> Option<()> {
        let read = self.read_grouped(rel, grouped, condition)?;
        let keep = self.holds(&grouped.frame, &read)?;
        if self.unknown {
            return Some(());
        }
        let kept = grouped.frame.filter(&keep);
        grouped.frame = self.got(kept)?;
        // The rows of the other groups are of none that what comes now looks at.
        let mut next = 0u32;
        let numbers: Vec<Option<u32>> = keep
            .iter()
            .map(|keep| {
                keep.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        for id in &mut grouped.ids {
            *id = numbers.get(*id as usize).copied().flatten().unwrap_or(u32::MAX);
        }
        Some(())
    }

    /// Makes a column of an expression over groups, and returns its slot.
    pub(super) fn grouped_value(
        &mut self,
        rel: &mut Rel,
        grouped: &mut Grouped,
        expr: &Expr,
    ) -> Option<String> {
        let read = self.read_grouped(rel, grouped, expr)?;
        self.made(&mut grouped.frame, &read)
    }

    fn read_grouped(&mut self, rel: &mut Rel, grouped: &mut Grouped, expr: &Expr) -> Option<Expression> {
        let text = self.text;
        let mut own = Diagnostics::default();
        let read = of_sql(text, expr, &mut GroupNames { run: self, rel, grouped }, &mut own);
        self.out.extend(own);
        read
    }

    /// Keeps of equal rows the first.
    pub(super) fn distinct(&mut self, selected: Selected) -> Option<Selected> {
        if self.unknown {
            return Some(selected);
        }
        let slots: Vec<String> = selected.columns.iter().map(|(_, slot)| slot.clone()).collect();
        let (_, firsts) = groups(&selected.frame, &slots);
        let firsts: Vec<Option<u32>> = firsts.into_iter().map(Some).collect();
        let frame = self.take(&selected.frame, &firsts)?;
        Some(Selected { frame, ..selected })
    }

    /// Makes the column of a function over groups.
    fn aggregate(&mut self, rel: &mut Rel, grouped: &mut Grouped, call: &Function) -> Option<String> {
        let name = function_name(call);
        let span = call.name.span();
        if let Some((_, help)) = UNKNOWN.iter().find(|(unknown, _)| *unknown == name) {
            return self.refuse(span, format!("`{name}` is not known here"), help);
        }
        if call.filter.is_some() {
            let help = "`case when … then … end` inside the brackets does the same";
            return self.refuse(span, "`filter` is not known here", help);
        }
        let FunctionArguments::List(list) = &call.args else {
            return self.refuse(span, format!("`{name}` takes a value in brackets"), "");
        };
        let mut order: Vec<OrderByExpr> = call.within_group.clone();
        for clause in &list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(by) if name == "string_agg" => {
                    order.extend(by.iter().cloned());
                }
                _ => return self.refuse(span, format!("this form of `{name}` is not known here"), ""),
            }
        }
        let distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        if distinct && name != "count" || name != "string_agg" && !order.is_empty() {
            return self.refuse(span, format!("this form of `{name}` is not known here"), "");
        }
        if let ("count", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], false) =
            (name.as_str(), list.args.as_slice(), distinct)
        {
            return self.counted(grouped, None, &[]);
        }
        let arguments = self.arguments(call)?;
        let (value, separator) = match (arguments.as_slice(), name.as_str()) {
            ([value, separator], "string_agg") => match quoted(separator) {
                Some(separator) => (*value, separator),
                None => return self.refuse(separator.span(), "the separator stands in single quotes", ""),
            },
            ([value], "count" | "sum" | "min" | "max") => (*value, ""),
            (_, "string_agg") => {
                let help = "`string_agg(column, ', ' order by column)`";
                return self.refuse(span, "`string_agg` takes a text and a separator", help);
            }
            _ => return self.refuse(span, format!("`{name}` takes one value"), ""),
        };
        let slot = self.value(rel, value, Mode::Rows("inside another such function"))?;
        let (ranks, by) = self.order(rel, &order)?;
        if self.unknown {
            return Some(ANY.to_owned());
        }
        let field = rel.frame.schema.get(&slot)?.clone();
        match name.as_str() {
            "count" if distinct => {
                let keys = Keys::new(&rel.frame, &[slot.as_str()]);
                let keys = self.got(keys)?;
                let mut known = HashSet::new();
                let first =
                    |(row, id): (usize, &u32)| keys.hash(row).is_some_and(|hash| known.insert((*id, hash)));
                let is_first: Vec<bool> = grouped.ids.iter().enumerate().map(first).collect();
                self.counted(grouped, Some(&is_first), &[slot])
            }
            "count" => {
                let column = rel.frame.column(&slot)?.1;
                let there = column.is_not_null();
                let there: Vec<bool> = there.iter().map(|there| there == Some(true)).collect();
                self.counted(grouped, Some(&there), &[slot])
            }
            "sum" => self.sum(rel, grouped, (&slot, &field), value),
            "string_agg" => {
                if !field.logical.is_text() {
                    let help = "`cast(… as text)` makes a text of it";
                    return self.refuse(value.span(), format!("this is {}, not a text", field.logical), help);
                }
                self.joined(rel, grouped, (&slot, separator), &ranks, &by)
            }
            _ => {
                let ranks = Ranks::of(self, &rel.frame, &slot)?;
                let mut best: Vec<Option<(u32, u32)>> = vec![None; grouped.frame.height()];
                for (row, id) in (0u32..).zip(&grouped.ids) {
                    let (Some(best), Some(place)) = (best.get_mut(*id as usize), ranks.place(row as usize))
                    else {
                        continue;
                    };
                    let better =
                        best.is_none_or(|(own, _)| if name == "min" { place < own } else { place > own });
                    if better {
                        *best = Some((place, row));
                    }
                }
                let rows: Vec<Option<u32>> = best.into_iter().map(|best| best.map(|(_, row)| row)).collect();
                let taken = self.take(&rel.frame, &rows)?;
                let column = taken.column(&slot)?.1.clone();
                let origins = self.origins_of([slot.as_str()]);
                self.add(&mut grouped.frame, field, column, origins)
            }
        }
    }

    /// Counts the rows of each group, or those of them that are `counted`.
    fn counted(&mut self, grouped: &mut Grouped, counted: Option<&[bool]>, of: &[String]) -> Option<String> {
        if self.unknown {
            return Some(ANY.to_owned());
        }
        let mut counts = vec![0i64; grouped.frame.height()];
        for (row, id) in grouped.ids.iter().enumerate() {
            let counts_here = counted.is_none_or(|counted| counted.get(row).copied().unwrap_or(false));
            if let Some(count) = counts.get_mut(*id as usize).filter(|_| counts_here) {
                *count += 1;
            }
        }
        let counts: Vec<Option<Value>> = counts.into_iter().map(|count| Some(Value::I64(count))).collect();
        let series = series_of("count", &Logical::I64, &counts);
        let origins = self.origins_of(of.iter().map(String::as_str));
        self.add(&mut grouped.frame, Field::new("count", Logical::I64), series.into(), origins)
    }

    /// Adds up the exact numbers of each group.
    fn sum(
        &mut self,
        rel: &Rel,
        grouped: &mut Grouped,
        (slot, field): (&str, &Field),
        value: &Expr,
    ) -> Option<String> {
        let series = rel.frame.column(slot)?.1.as_materialized_series();
        let (digits, scale): (Vec<Option<i128>>, u8) = match &field.logical {
            Logical::I64 => (self.got(series.i64())?.iter().map(|v| v.map(i128::from)).collect(), 0),
            Logical::U64 => (self.got(series.u64())?.iter().map(|v| v.map(i128::from)).collect(), 0),
            Logical::Decimal { scale, .. } => {
                (self.got(series.decimal())?.physical().iter().collect(), *scale)
            }
            Logical::F64 => {
                let help = "`sum(cast(… as decimal(18,2)))` adds up exact numbers";
                let message = "the sum of floating-point numbers depends on their order";
                return self.refuse(value.span(), message, help);
            }
            other => {
                let message = format!("this is {other}, not a number");
                return self.refuse(value.span(), message, "`cast(… as decimal(18,2))` makes one of it");
            }
        };
        let mut sums: Vec<Option<i128>> = vec![None; grouped.frame.height()];
        for (digits, id) in digits.into_iter().zip(&grouped.ids) {
            let (Some(digits), Some(sum)) = (digits, sums.get_mut(*id as usize)) else { continue };
            let together = sum.unwrap_or(0).checked_add(digits).filter(|sum| sum.abs() < TOO_LARGE);
            if together.is_none() {
                return self.fail(QueryError::Rows("a sum of the query has more than 38 digits".to_owned()));
            }
            *sum = together;
        }
        let logical = Logical::Decimal { precision: 38, scale };
        let sums: Vec<Option<Value>> = sums.into_iter().map(|sum| sum.map(Value::Decimal)).collect();
        let series = series_of("sum", &logical, &sums);
        let origins = self.origins_of([slot]);
        self.add(&mut grouped.frame, Field::new("sum", logical), series.into(), origins)
    }

    /// Puts the texts of each group together, in the given order.
    fn joined(
        &mut self,
        rel: &Rel,
        grouped: &mut Grouped,
        (slot, separator): (&str, &str),
        order: &[Ranks],
        by: &[String],
    ) -> Option<String> {
        let (field, column) = rel.frame.column(slot)?;
        let texts = Texts::new(column.as_materialized_series(), &field.logical);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); grouped.frame.height()];
        for (row, id) in (0u32..).zip(&grouped.ids) {
            if let Some(group) = members.get_mut(*id as usize) {
                group.push(row);
            }
        }
        let mut joined: Vec<Option<Value>> = Vec::with_capacity(members.len());
        for mut group in members {
            sort(&mut group, order);
            let parts: Vec<_> = group.iter().filter_map(|row| texts.get(*row as usize)).collect();
            joined.push((!parts.is_empty()).then(|| Value::Text(parts.join(separator))));
        }
        let series = series_of("texts", &Logical::TEXT, &joined);
        let origins = self.origins_of(by.iter().map(String::as_str).chain([slot]));
        self.add(&mut grouped.frame, Field::new("texts", Logical::TEXT), series.into(), origins)
    }
}

/// The names of an expression over groups: what they are grouped by, and functions over them.
struct GroupNames<'e, 'a> {
    run: &'e mut Run<'a>,
    rel: &'e mut Rel,
    grouped: &'e mut Grouped,
}

impl Names for GroupNames<'_, '_> {
    fn column(&mut self, part: &Expr, _: &Range<usize>, _: &mut Diagnostics) -> Named {
        if let Some((_, slot)) = self.grouped.keys.iter().find(|(key, _)| key == part) {
            return Named::Column(slot.clone());
        }
        match part {
            Expr::Function(call) if super::select::is_of_several(call) => {
                named(self.run.aggregate(self.rel, self.grouped, call))
            }
            Expr::Function(call) => self.run.not_here(call, Mode::Select),
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, .. }
                if !matches!(**expr, Expr::Value(_)) =>
            {
                let Some(read) = self.run.read_grouped(self.rel, self.grouped, expr) else {
                    return Named::Refused;
                };
                named(self.run.cast(&mut self.grouped.frame, &read, part))
            }
            other => match self.run.column(self.rel, other) {
                Named::Column(slot) => {
                    if is_any(&slot) || self.grouped.keys.iter().any(|(_, key)| *key == slot) {
                        return Named::Column(slot);
                    }
                    let help = "name it in `group by`, or say which of a group's values is meant: `min(…)`, `max(…)`";
                    let message = "rows are grouped, and this column has several values in a group";
                    self.run.refuse::<()>(other.span(), message, help);
                    Named::Refused
                }
                found => found,
            },
        }
    }
}
