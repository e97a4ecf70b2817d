//! Functions, casts and choices.

use std::ops::Range;

use polars::prelude::{DataType, Expr, lit, when};

use crate::expression::kernels;
use crate::expression::tree::{Comparison, Function, Kind, Node};
use crate::model::{Family, Logical};

use super::literal::Literal;
use super::{Binder, Operand, Typed, article, moments, scale, signed};

/// The most arms of a `case`.
const MOST_ARMS: usize = 100;

impl Binder<'_> {
    pub(super) fn call(
        &mut self,
        function: Function,
        arguments: &[Node],
        range: &Range<usize>,
    ) -> Option<Operand> {
        let first = arguments.first()?;
        let typed = match function {
            Function::Coalesce => return self.coalesce(arguments, range),
            Function::Nullif => {
                let second = arguments.get(1)?;
                let (a, b) = self.pair(first, second, range, false)?;
                let value = a.clone();
                let equal = self.compare(Comparison::Equal, a, b, range)?.expr;
                let expr = when(equal).then(Typed::null(&value.logical).expr).otherwise(value.expr);
                Typed { expr, ..value }
            }
            Function::Length => {
                let text = self.text(first)?;
                Typed::new(text.expr.str().len_chars().cast(DataType::Int64), Logical::I64)
            }
            Function::Lower => Typed::new(self.text(first)?.expr.str().to_lowercase(), Logical::TEXT),
            Function::Upper => Typed::new(self.text(first)?.expr.str().to_uppercase(), Logical::TEXT),
            Function::Trim { start, end } => {
                let text = self.text(first)?.expr;
                let characters = match arguments.get(1).map(|node| (&node.kind, &node.range)) {
                    None => " ".to_owned(),
                    Some((Kind::Text(characters), _)) => characters.clone(),
                    Some((_, range)) => {
                        return self.refuse(range, "the characters to trim stand in single quotes", "");
                    }
                };
                let expr = match (start, end) {
                    (true, false) => text.str().strip_chars_start(lit(characters)),
                    (false, true) => text.str().strip_chars_end(lit(characters)),
                    _ => text.str().strip_chars(lit(characters)),
                };
                Typed::new(expr, Logical::TEXT)
            }
            Function::Substring => {
                let text = self.text(first);
                let numbers: Vec<Option<Expr>> =
                    arguments.iter().skip(1).map(|node| self.whole(node)).collect();
                let mut numbers = numbers.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
                Typed::new(kernels::substring(text?.expr, numbers.next()?, numbers.next()), Logical::TEXT)
            }
            Function::Abs => {
                let number = self.number(first)?;
                let logical = signed(&number.logical);
                Typed::new(kernels::absolute(number.expr, &logical), logical)
            }
            Function::Round => self.round(first, arguments.get(1))?,
        };
        Some(Operand::Typed(typed))
    }

    /// Binds a whole number.
    fn whole(&mut self, node: &Node) -> Option<Expr> {
        let number = self.number(node)?;
        match scale(&number.logical) {
            Some(0) => Some(number.expr),
            _ => self.refuse(&node.range, "a whole number is needed here", "`round(…)` makes one"),
        }
    }

    fn round(&mut self, value: &Node, places: Option<&Node>) -> Option<Typed> {
        let number = self.number(value);
        let places = match places.map(|node| (&node.kind, &node.range)) {
            None => 0,
            Some((Kind::Number { digits: digits @ 0..=38, scale: 0 }, _)) => u8::try_from(*digits).ok()?,
            Some((_, range)) => {
                return self.refuse(range, "the digits to keep are a whole number from 0 to 38", "");
            }
        };
        let number = number?;
        let logical = match scale(&number.logical) {
            Some(own) => Logical::Decimal { precision: 38, scale: own.min(places) },
            None => Logical::F64,
        };
        Some(Typed::new(kernels::round(number.expr, places, &logical), logical))
    }

    fn coalesce(&mut self, arguments: &[Node], range: &Range<usize>) -> Option<Operand> {
        let operands: Vec<Option<Operand>> = arguments.iter().map(|node| self.operand(node)).collect();
        let operands: Vec<Operand> = operands.into_iter().collect::<Option<_>>()?;
        let Some((mut values, shape)) = self.unify(operands, arguments, range)? else {
            return Some(Operand::Literal(Literal::Null));
        };
        let mut expr = values.pop()?;
        while let Some(value) = values.pop() {
            expr = when(value.clone().is_not_null()).then(value).otherwise(expr);
        }
        Some(Operand::Typed(Typed { expr, ..shape }))
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&Node>,
        arms: &[(Node, Node)],
        otherwise: Option<&Node>,
        range: &Range<usize>,
    ) -> Option<Operand> {
        if arms.len() > MOST_ARMS {
            return self.refuse(range, format!("`case` has more than {MOST_ARMS} arms"), "");
        }
        let mut conditions = Vec::with_capacity(arms.len());
        for (test, _) in arms {
            conditions.push(match operand {
                None => self.condition(test),
                Some(operand) => self
                    .pair(operand, test, &test.range, true)
                    .and_then(|(a, b)| self.compare(Comparison::Equal, a, b, &test.range))
                    .map(|equal| equal.expr),
            });
        }
        let results: Vec<Node> = arms.iter().map(|(_, result)| result).chain(otherwise).cloned().collect();
        let operands: Vec<Option<Operand>> = results.iter().map(|node| self.operand(node)).collect();
        let conditions: Vec<Expr> = conditions.into_iter().collect::<Option<_>>()?;
        let operands: Vec<Operand> = operands.into_iter().collect::<Option<_>>()?;
        let Some((mut values, shape)) = self.unify(operands, &results, range)? else {
            return Some(Operand::Literal(Literal::Null));
        };
        let mut expr = match otherwise {
            Some(_) => values.pop()?,
            None => Typed::null(&shape.logical).expr,
        };
        for (condition, value) in conditions.into_iter().zip(values).rev() {
            expr = when(condition).then(value).otherwise(expr);
        }
        Some(Operand::Typed(Typed { expr, ..shape }))
    }

    #[expect(clippy::option_option, reason = "a mistake was told, or all are NULL, or there are values")]
    /// Brings values that stand for one another to one type, whose shape (without a meaning of its own for
    /// the expression) is returned too. The inner nothing means that all are NULL.
    fn unify(
        &mut self,
        operands: Vec<Operand>,
        nodes: &[Node],
        range: &Range<usize>,
    ) -> Option<Option<(Vec<Expr>, Typed)>> {
        let mut shape: Option<Typed> = None;
        let typed_first = |literals: bool| {
            operands.iter().zip(nodes).filter(move |(o, _)| matches!(o, Operand::Literal(_)) == literals)
        };
        for (operand, node) in typed_first(false).chain(typed_first(true)) {
            let next = match (operand, &shape) {
                (Operand::Typed(typed), _) => typed.clone(),
                (Operand::Literal(Literal::Null), _) => continue,
                (Operand::Literal(literal), Some(shape)) => {
                    // What the shape cannot hold, such as more digits, widens it.
                    let shape = shape.clone();
                    self.adapt(literal, &shape, &node.range)?
                }
                (Operand::Literal(literal), None) => literal.alone(self.as_of)?,
            };
            shape = Some(match shape {
                None => next,
                Some(shape) => match common(&shape, &next) {
                    Ok(logical) => {
                        Typed { zone: shape.zone.clone().or(next.zone), ..Typed::new(shape.expr, logical) }
                    }
                    Err((message, help)) => return self.refuse(&node.range, message, help),
                },
            });
        }
        let Some(shape) = shape else { return Some(None) };
        let mut values = Vec::with_capacity(operands.len());
        for (operand, node) in operands.into_iter().zip(nodes) {
            let typed = match operand {
                Operand::Typed(typed) => typed,
                Operand::Literal(literal) => self.adapt(&literal, &shape, &node.range)?,
            };
            match bring(typed, &shape.logical) {
                Ok(expr) => values.push(expr),
                Err((message, help)) => return self.refuse(range, message, help),
            }
        }
        Some(Some((values, shape)))
    }

    pub(super) fn cast(&mut self, value: &Node, to: &Logical, range: &Range<usize>) -> Option<Typed> {
        let operand = self.operand(value)?;
        let typed = match operand {
            Operand::Literal(Literal::Null) => return Some(Typed::null(to)),
            operand => self.alone(operand),
        };
        let from = &typed.logical;
        let expr = match (from, to) {
            (from, to) if from == to => typed.expr,
            (Logical::Timestamp { utc: false }, Logical::Date) => kernels::day(typed.expr),
            (Logical::Date, Logical::Timestamp { utc: false }) => kernels::midnight(typed.expr),
            (from, to) if from.is_text() || to.is_text() => kernels::cast(typed.expr, from, to),
            (from, to) if from.family() == Family::Number && to.family() == Family::Number => {
                kernels::cast(typed.expr, from, to)
            }
            (from, to) => {
                let help = match from.family() == Family::Moment && to.family() == Family::Moment {
                    true => "the day and the wall clock of an instant depend on a zone",
                    false => "",
                };
                let message = format!("{} cannot be cast to {to}", from.clone());
                return self.refuse(range, message, help);
            }
        };
        Some(Typed::new(expr, to.clone()))
    }
}

/// Returns the type that holds the values of both.
fn common(a: &Typed, b: &Typed) -> Result<Logical, (String, &'static str)> {
    let (first, second) = (&a.logical, &b.logical);
    if first == second {
        return Ok(first.clone());
    }
    match (first.family(), second.family()) {
        (Family::Text, Family::Text) => Ok(Logical::TEXT),
        (Family::Number, Family::Number) => match (scale(first), scale(second)) {
            (Some(s), Some(t)) => Ok(Logical::Decimal { precision: 38, scale: s.max(t) }),
            _ => Err((
                format!("{first} and {second} stand for one another here: one is exact, the other is not"),
                "`cast(… as f64)` or `cast(… as decimal(18,2))` says which is wanted",
            )),
        },
        (Family::Moment, Family::Moment) => {
            moments(Typed::null(first), Typed::null(second)).map(|(one, _)| one.logical)
        }
        _ => Err((
            format!("one of the values is {}, another {}", article(first), article(second)),
            "`cast(… as …)` converts",
        )),
    }
}

/// Brings a value to the type that holds it.
fn bring(value: Typed, to: &Logical) -> Result<Expr, (String, &'static str)> {
    match (&value.logical, to) {
        (from, to) if from == to || from.is_text() => Ok(value.expr),
        (_, Logical::Decimal { scale, .. }) => Ok(kernels::to_decimal(value.expr, *scale, to)),
        (Logical::Date, Logical::Timestamp { .. }) => Ok(kernels::midnight(value.expr)),
        (from, to) => Err((format!("{from} cannot stand for {to}"), "`cast(… as …)` converts")),
    }
}
