//! As much T-SQL as Counterfoil sends, evaluated over tables in memory; what is not known here is an error.
//!
//! A cell is a text as T-SQL would show it, see [`Type`]; comparisons are those of `Latin1_General_CI_AS`.

use std::cmp::Ordering;
use std::fmt::Debug;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, InTarget,
    JoinConstraint, JoinOperator, ObjectName, OrderByExpr, OrderByKind, OrderBySort, Query, Select,
    SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, UnaryOperator, Value, WindowType,
};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;

use super::convert::{bytes_long, convert, parse_type};
use crate::servers::tds::{Column, Row, Type, column};

type Cell = Option<String>;

/// A table, or the result of a query.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// What the statements of a database refer to.
pub trait Names {
    /// The table or view of a name, or what a function that gives a table gives.
    fn table(&self, name: &[String], arguments: Option<&[Cell]>) -> Option<Table>;

    /// The value of a function of the system, with its type.
    fn function(&self, name: &str, arguments: &[Cell]) -> Option<(Type, Cell)>;
}

/// Evaluates a SELECT.
pub fn select(sql: &str, names: &dyn Names) -> Result<Table, String> {
    let statements = Parser::parse_sql(&MsSqlDialect {}, sql).map_err(|error| format!("{error} in {sql}"))?;
    match statements.as_slice() {
        [Statement::Query(query)] => Evaluation { names }.query(query),
        _ => Err(format!("not a single SELECT: {sql}")),
    }
}

/// The rows that a SELECT works on, each column with the name of its table.
#[derive(Debug, Clone, Default)]
struct Scope {
    columns: Vec<(String, Column)>,
    rows: Vec<Row>,
}

struct Evaluation<'a> {
    names: &'a dyn Names,
}

impl Evaluation<'_> {
    fn query(&self, query: &Query) -> Result<Table, String> {
        let SetExpr::Select(select) = query.body.as_ref() else { return unknown(&query.body) };
        let order = match query.order_by.as_ref().map(|order| &order.kind) {
            None => &[][..],
            Some(OrderByKind::Expressions(order)) => order,
            Some(other) => return unknown(other),
        };
        self.select(select, order)
    }

    fn select(&self, select: &Select, order: &[OrderByExpr]) -> Result<Table, String> {
        let mut scope = self.from(&select.from)?;
        if let Some(condition) = &select.selection {
            let rows = std::mem::take(&mut scope.rows);
            for row in rows {
                if self.holds(condition, &scope, &row)? {
                    scope.rows.push(row);
                }
            }
        }
        let mut items = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => items.push((name_of(expr), expr.clone())),
                SelectItem::ExprWithAlias { expr, alias } => items.push((alias.value.clone(), expr.clone())),
                SelectItem::Wildcard(_) => {
                    items.extend(scope.columns.iter().map(|(_, column)| {
                        (column.name.clone(), Expr::Identifier(column.name.as_str().into()))
                    }));
                }
                other => return unknown(other),
            }
        }
        let mut columns = Vec::new();
        for (name, expr) in &items {
            let (kind, nullable) = self.kind(expr, &scope)?;
            columns.push(Column { nullable, ..column(name, kind) });
        }
        let GroupByExpr::Expressions(group, _) = &select.group_by else { return unknown(&select.group_by) };
        let rows = if !group.is_empty() {
            self.sort(&mut scope, order)?;
            let mut groups: Vec<(Vec<Cell>, Vec<Row>)> = Vec::new();
            for row in &scope.rows {
                let key =
                    group.iter().map(|expr| self.value(expr, &scope, row)).collect::<Result<Vec<_>, _>>()?;
                match groups.iter_mut().find(|(own, _)| *own == key) {
                    Some((_, rows)) => rows.push(row.clone()),
                    None => groups.push((key, vec![row.clone()])),
                }
            }
            let group = |(_, rows)| self.aggregated(&items, &scope, rows);
            groups.into_iter().map(group).collect::<Result<Vec<Row>, String>>()?
        } else if items.iter().any(|(_, expr)| has_aggregate(expr)) {
            vec![self.aggregated(&items, &scope, scope.rows.clone())?]
        } else {
            self.sort(&mut scope, order)?;
            let tiles = self.tiles(&items, &scope)?;
            let mut rows = Vec::new();
            for (at, row) in scope.rows.iter().enumerate() {
                let cells = items.iter().zip(&tiles).map(|((_, expr), tiles)| match tiles {
                    Some(tiles) => Ok(Some(tiles[at].to_string())),
                    None => self.value(expr, &scope, row),
                });
                rows.push(cells.collect::<Result<_, _>>()?);
            }
            rows
        };
        Ok(Table { columns, rows })
    }

    fn aggregated(&self, items: &[(String, Expr)], scope: &Scope, rows: Vec<Row>) -> Result<Row, String> {
        let group = Scope { columns: scope.columns.clone(), rows };
        items.iter().map(|(_, expr)| self.aggregate(expr, &group)).collect()
    }

    /// For each item that is NTILE, the tile of each row.
    fn tiles(&self, items: &[(String, Expr)], scope: &Scope) -> Result<Vec<Option<Vec<usize>>>, String> {
        let tiles = |expr: &Expr| -> Result<Option<Vec<usize>>, String> {
            let Expr::Function(function) = expr else { return Ok(None) };
            let Some(WindowType::WindowSpec(window)) = &function.over else { return Ok(None) };
            let name = last(&function.name);
            let count = match self.arguments(function, scope, &Vec::new())?.as_slice() {
                [Some(count)] if name == "ntile" => {
                    count.parse::<usize>().map_err(|error| error.to_string())?
                }
                _ => return unknown(expr),
            };
            let mut ordered = Vec::new();
            for (at, row) in scope.rows.iter().enumerate() {
                ordered.push((at, self.keys(&window.order_by, scope, row)?));
            }
            ordered.sort_by(|(_, a), (_, b)| by_keys(&window.order_by, a, b));
            let (each, more) = (ordered.len() / count, ordered.len() % count);
            let mut tiles = vec![0; ordered.len()];
            for (position, (at, _)) in ordered.into_iter().enumerate() {
                // The first `more` tiles have one row more.
                let long = more * (each + 1);
                tiles[at] =
                    1 + if position < long { position / (each + 1) } else { more + (position - long) / each };
            }
            Ok(Some(tiles))
        };
        items.iter().map(|(_, expr)| tiles(expr)).collect()
    }

    fn sort(&self, scope: &mut Scope, order: &[OrderByExpr]) -> Result<(), String> {
        let mut keyed = Vec::new();
        for row in &scope.rows {
            keyed.push((self.keys(order, scope, row)?, row.clone()));
        }
        keyed.sort_by(|(a, _), (b, _)| by_keys(order, a, b));
        scope.rows = keyed.into_iter().map(|(_, row)| row).collect();
        Ok(())
    }

    fn keys(&self, order: &[OrderByExpr], scope: &Scope, row: &Row) -> Result<Vec<Cell>, String> {
        order.iter().map(|by| self.value(&by.expr, scope, row)).collect()
    }

    fn from(&self, from: &[TableWithJoins]) -> Result<Scope, String> {
        let [from] = from else {
            // SELECT without FROM has one row.
            return if from.is_empty() {
                Ok(Scope { columns: vec![], rows: vec![vec![]] })
            } else {
                unknown("lists")
            };
        };
        let mut left = self.factor(&from.relation)?;
        for join in &from.joins {
            let right = self.factor(&join.relation)?;
            let (condition, keeps) = match &join.join_operator {
                JoinOperator::Inner(JoinConstraint::On(condition)) => (condition, false),
                JoinOperator::Left(JoinConstraint::On(condition)) => (condition, true),
                other => return unknown(other),
            };
            let mut both =
                Scope { columns: [left.columns, right.columns.clone()].concat(), rows: Vec::new() };
            for row in left.rows {
                let before = both.rows.len();
                for other in &right.rows {
                    let joined = [row.clone(), other.clone()].concat();
                    if self.holds(condition, &both, &joined)? {
                        both.rows.push(joined);
                    }
                }
                if keeps && both.rows.len() == before {
                    both.rows.push([row, vec![None; right.columns.len()]].concat());
                }
            }
            left = both;
        }
        Ok(left)
    }

    fn factor(&self, factor: &TableFactor) -> Result<Scope, String> {
        let (table, name) = match factor {
            TableFactor::Table { name, alias, args, .. } => {
                let parts: Vec<String> = name
                    .0
                    .iter()
                    .filter_map(|part| part.as_ident())
                    .map(|ident| ident.value.clone())
                    .collect();
                let arguments = match args {
                    None => None,
                    Some(args) => Some(self.values(&args.args, &Scope::default(), &Vec::new())?),
                };
                let table = self.names.table(&parts, arguments.as_deref());
                let table = table.ok_or_else(|| format!("Invalid object name '{name}'."))?;
                (table, alias.as_ref().map_or_else(|| last(name), |alias| alias.name.value.clone()))
            }
            TableFactor::Derived { subquery, alias: Some(alias), .. } => {
                (self.query(subquery)?, alias.name.value.clone())
            }
            other => return unknown(other),
        };
        let columns = table.columns.into_iter().map(|column| (name.clone(), column)).collect();
        Ok(Scope { columns, rows: table.rows })
    }

    /// Whether a condition holds; unknown is not.
    fn holds(&self, condition: &Expr, scope: &Scope, row: &Row) -> Result<bool, String> {
        let value = |expr: &Expr| self.value(expr, scope, row);
        Ok(match condition {
            Expr::Nested(inner) => self.holds(inner, scope, row)?,
            Expr::IsNull(inner) => value(inner)?.is_none(),
            Expr::IsNotNull(inner) => value(inner)?.is_some(),
            Expr::In { expr, target: InTarget::List(list), negated: false, .. } => {
                let wanted = value(expr)?;
                let list = list.iter().map(value).collect::<Result<Vec<_>, _>>()?;
                wanted.is_some() && list.iter().any(|one| one.is_some() && compare(one, &wanted).is_eq())
            }
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.holds(left, scope, row)? && self.holds(right, scope, row)?
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                self.holds(left, scope, row)? || self.holds(right, scope, row)?
            }
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (value(left)?, value(right)?);
                if left.is_none() || right.is_none() {
                    return Ok(false);
                }
                let order = compare(&left, &right);
                match op {
                    BinaryOperator::Eq => order.is_eq(),
                    BinaryOperator::NotEq => order.is_ne(),
                    BinaryOperator::Lt => order.is_lt(),
                    BinaryOperator::LtEq => order.is_le(),
                    BinaryOperator::Gt => order.is_gt(),
                    BinaryOperator::GtEq => order.is_ge(),
                    other => return unknown(other),
                }
            }
            other => return unknown(other),
        })
    }

    fn value(&self, expr: &Expr, scope: &Scope, row: &Row) -> Result<Cell, String> {
        let value = |expr: &Expr| self.value(expr, scope, row);
        Ok(match expr {
            Expr::Value(literal) => match &literal.value {
                Value::Null => None,
                Value::Number(text, _)
                | Value::SingleQuotedString(text)
                | Value::NationalStringLiteral(text)
                | Value::HexStringLiteral(text) => Some(text.clone()),
                other => return unknown(other),
            },
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => row[position(expr, scope)?].clone(),
            Expr::Nested(inner) => value(inner)?,
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => value(expr)?.map(|text| format!("-{text}")),
            Expr::Case { operand: None, conditions, else_result, .. } => {
                for when in conditions {
                    if self.holds(&when.condition, scope, row)? {
                        return value(&when.result);
                    }
                }
                else_result.as_ref().map_or(Ok(None), |other| value(other))?
            }
            Expr::Convert { expr: inner, styles, .. } => {
                let (from, _) = self.kind(inner, scope)?;
                let (to, _) = kind_of_conversion(expr)?;
                let style = styles.first().map(value).transpose()?.flatten();
                value(inner)?.map(|text| convert(&text, from, to, style.as_deref())).transpose()?
            }
            Expr::BinaryOp { left, op, right } => {
                let is_text = is_text(self.kind(left, scope)?.0) || is_text(self.kind(right, scope)?.0);
                let (Some(left), Some(right)) = (value(left)?, value(right)?) else { return Ok(None) };
                Some(match op {
                    BinaryOperator::Plus if is_text => left + &right,
                    BinaryOperator::Plus => (number(&left)? + number(&right)?).to_string(),
                    BinaryOperator::Multiply => (number(&left)? * number(&right)?).to_string(),
                    BinaryOperator::Divide => (number(&left)? / number(&right)?).to_string(),
                    BinaryOperator::Modulo => (number(&left)? % number(&right)?).to_string(),
                    other => return unknown(other),
                })
            }
            Expr::Function(function) => match last(&function.name).as_str() {
                "datalength" => {
                    let [argument] = expressions(function)?[..] else { return unknown(expr) };
                    let (kind, _) = self.kind(argument, scope)?;
                    value(argument)?.map(|text| bytes_long(&text, kind).to_string())
                }
                "datepart" => match expressions(function)?[..] {
                    [Expr::Identifier(part), argument] if part.value == "nanosecond" => {
                        value(argument)?.map(|text| {
                            let fraction = text.split(['.', ' ', '+', '-']).find(|part| part.len() == 7);
                            (fraction.and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0) * 100)
                                .to_string()
                        })
                    }
                    _ => return unknown(expr),
                },
                "coalesce" => {
                    let values = self.arguments(function, scope, row)?;
                    values.into_iter().find(Option::is_some).flatten()
                }
                name => {
                    let known = self.names.function(name, &self.arguments(function, scope, row)?);
                    known.ok_or_else(|| format!("'{name}' is not a recognized built-in function name."))?.1
                }
            },
            other => return unknown(other),
        })
    }

    /// A value over all rows of a group.
    fn aggregate(&self, expr: &Expr, group: &Scope) -> Result<Cell, String> {
        let Expr::Function(function) = expr else {
            let Expr::Convert { expr: inner, data_type, styles, .. } = expr else {
                let first = group.rows.first();
                return first.map_or(Ok(None), |row| self.value(expr, group, row));
            };
            let (from, _) = self.kind(inner, group)?;
            let to = parse_type(&data_type.as_ref().map(ToString::to_string).unwrap_or_default())?;
            assert!(styles.is_empty(), "a style over an aggregate is not known here");
            return self.aggregate(inner, group)?.map(|text| convert(&text, from, to, None)).transpose();
        };
        let name = last(&function.name);
        let arguments = expressions(function)?;
        let [argument] = arguments[..] else { return unknown(expr) };
        let mut values = Vec::new();
        for row in &group.rows {
            values.extend(self.value(argument, group, row)?);
        }
        let order = |a: &String, b: &String| compare(&Some(a.clone()), &Some(b.clone()));
        match name.as_str() {
            "max" => Ok(values.into_iter().max_by(order)),
            "min" => Ok(values.into_iter().min_by(order)),
            "sum" if values.is_empty() => Ok(None),
            "sum" => {
                let numbers = values.iter().map(|text| number(text)).collect::<Result<Vec<_>, _>>()?;
                Ok(Some(numbers.iter().sum::<i128>().to_string()))
            }
            _ => unknown(expr),
        }
    }

    /// The type of an expression, and whether it can be NULL.
    fn kind(&self, expr: &Expr, scope: &Scope) -> Result<(Type, bool), String> {
        Ok(match expr {
            Expr::Value(literal) => match &literal.value {
                Value::Number(text, _) if text.len() < 10 => (Type::Int, true),
                Value::Number(_, _) => (Type::BigInt, true),
                Value::NationalStringLiteral(_) => (Type::NVarChar(4_000), true),
                _ => (Type::VarChar(8_000), true),
            },
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                let column = &scope.columns[position(expr, scope)?].1;
                (column.kind, column.nullable)
            }
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => (self.kind(inner, scope)?.0, true),
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
                (self.widest(results, scope)?, true)
            }
            Expr::Convert { .. } => kind_of_conversion(expr)?,
            Expr::BinaryOp { left, right, .. } => {
                (self.widest([left.as_ref(), right.as_ref()], scope)?, true)
            }
            Expr::Function(function) => match last(&function.name).as_str() {
                "datalength" | "datepart" => (Type::Int, true),
                "ntile" => (Type::BigInt, true),
                "max" | "min" | "sum" | "coalesce" => (self.widest(expressions(function)?, scope)?, true),
                name => {
                    let nothing = vec![None; expressions(function)?.len()];
                    let known = self.names.function(name, &nothing);
                    (
                        known
                            .ok_or_else(|| format!("'{name}' is not a recognized built-in function name."))?
                            .0,
                        true,
                    )
                }
            },
            other => return unknown(other),
        })
    }

    /// The type that several have together: that of wide text, of text, of the first.
    fn widest<'e>(&self, all: impl IntoIterator<Item = &'e Expr>, scope: &Scope) -> Result<Type, String> {
        let kinds =
            all.into_iter().map(|expr| Ok(self.kind(expr, scope)?.0)).collect::<Result<Vec<_>, String>>()?;
        let long = |kind: &&Type| matches!(kind, Type::NVarCharMax | Type::VarCharMax);
        let wide = |kind: &&Type| matches!(kind, Type::NChar(_) | Type::NVarChar(_));
        if let [one] = kinds[..] {
            return Ok(one);
        }
        if let Some(kind) = kinds.iter().find(long) {
            return Ok(*kind);
        }
        Ok(match kinds.iter().find(wide) {
            Some(_) => Type::NVarChar(4_000),
            None if kinds.iter().any(|kind| is_text(*kind)) => Type::VarChar(8_000),
            None => *kinds.first().ok_or("nothing has no type")?,
        })
    }

    fn arguments(&self, function: &Function, scope: &Scope, row: &Row) -> Result<Vec<Cell>, String> {
        expressions(function)?.into_iter().map(|expr| self.value(expr, scope, row)).collect()
    }

    fn values(&self, arguments: &[FunctionArg], scope: &Scope, row: &Row) -> Result<Vec<Cell>, String> {
        arguments.iter().map(|argument| self.value(expression(argument)?, scope, row)).collect()
    }
}

fn unknown<T>(what: impl Debug) -> Result<T, String> {
    Err(format!("this is not known here: {what:?}"))
}

fn expressions(function: &Function) -> Result<Vec<&Expr>, String> {
    match &function.args {
        FunctionArguments::List(list) => list.args.iter().map(expression).collect(),
        other => unknown(other),
    }
}

fn expression(argument: &FunctionArg) -> Result<&Expr, String> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
        other => unknown(other),
    }
}

/// The last part of a name, in lower case.
fn last(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    ident.map(|ident| ident.value.to_lowercase()).unwrap_or_default()
}

fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => {
            function.over.is_none() && matches!(last(&function.name).as_str(), "max" | "min" | "sum")
        }
        Expr::Convert { expr, .. } => has_aggregate(expr),
        _ => false,
    }
}

fn is_text(kind: Type) -> bool {
    matches!(
        kind,
        Type::Char(_)
            | Type::VarChar(_)
            | Type::VarCharMax
            | Type::NChar(_)
            | Type::NVarChar(_)
            | Type::NVarCharMax
    )
}

fn number(text: &str) -> Result<i128, String> {
    text.parse()
        .map_err(|_| format!("Conversion failed when converting the value '{text}' to data type int."))
}

/// The order of two values: NULL first, numbers by value, text without case and without blanks at its end.
fn compare(a: &Cell, b: &Cell) -> Ordering {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some().cmp(&b.is_some()) };
    match (a.parse::<i128>(), b.parse::<i128>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.trim_end_matches(' ').to_lowercase().cmp(&b.trim_end_matches(' ').to_lowercase()),
    }
}

fn by_keys(order: &[OrderByExpr], a: &[Cell], b: &[Cell]) -> Ordering {
    let orders = order.iter().zip(a.iter().zip(b)).map(|(by, (a, b))| {
        let order = compare(a, b);
        if by.options.sort == Some(OrderBySort::Desc) { order.reverse() } else { order }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn kind_of_conversion(expr: &Expr) -> Result<(Type, bool), String> {
    let Expr::Convert { data_type: Some(data_type), .. } = expr else { return unknown(expr) };
    Ok((parse_type(&data_type.to_string())?, true))
}

fn position(expr: &Expr, scope: &Scope) -> Result<usize, String> {
    let (table, name) = match expr {
        Expr::Identifier(name) => (None, &name.value),
        Expr::CompoundIdentifier(parts) => match &parts[..] {
            [table, name] => (Some(&table.value), &name.value),
            _ => return unknown(expr),
        },
        _ => return unknown(expr),
    };
    let found = scope.columns.iter().position(|(own, column)| {
        table.is_none_or(|table| own.eq_ignore_ascii_case(table)) && column.name.eq_ignore_ascii_case(name)
    });
    found.ok_or_else(|| format!("Invalid column name '{name}'."))
}
