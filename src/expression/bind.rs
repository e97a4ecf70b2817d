//! Our tree to polars, against the columns of one side.

mod arithmetic;
mod calls;
mod literal;

use std::ops::Range;

use chrono::{DateTime, Utc};
use polars::prelude::{Expr, LiteralValue, Scalar, col, lit, when};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::frame::polars_type;
use crate::model::{Family, Field, Logical, Schema};
use crate::rule::find;

use super::place;
use super::tree::{Comparison, Is, Kind, Node};
use super::{kernels, like};

pub(super) use literal::Literal;

/// An expression with its type.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) logical: Logical,
    /// The zone whose wall clock a naive timestamp shows.
    pub(super) zone: Option<String>,
}

impl Typed {
    pub(super) fn new(expr: Expr, logical: Logical) -> Self {
        Typed { expr, logical, zone: None }
    }

    /// Makes a column as it stands.
    pub(super) fn column(field: &Field) -> Self {
        Typed { expr: col(field.name.as_str()), logical: field.logical.clone(), zone: field.timezone.clone() }
    }

    /// Makes NULL of a type.
    pub(super) fn null(logical: &Logical) -> Self {
        let null = Scalar::null(polars_type(logical));
        Typed::new(Expr::Literal(LiteralValue::Scalar(null)), logical.clone())
    }
}

/// A part of an expression: with a type, or a literal that takes its type from its neighbour.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Typed(Typed),
    Literal(Literal),
}

/// Reads the tree against a schema.
pub(super) struct Binder<'a> {
    pub(super) schema: &'a Schema,
    pub(super) as_of: DateTime<Utc>,
    pub(super) text: &'a Spanned<String>,
    pub(super) out: &'a mut Diagnostics,
}

impl Binder<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        place::in_file(self.text, range)
    }

    /// Reports a mistake.
    fn refuse<T>(&mut self, range: &Range<usize>, message: impl Into<String>, help: &str) -> Option<T> {
        let mut diagnostic = Diagnostic::error(&self.span(range), message);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.out.push(diagnostic);
        None
    }

    /// Binds an expression that gives a value.
    pub(super) fn value(&mut self, node: &Node) -> Option<Typed> {
        let operand = self.operand(node)?;
        Some(self.alone(operand))
    }

    /// Binds a part that must be true or false.
    pub(super) fn condition(&mut self, node: &Node) -> Option<Expr> {
        match self.operand(node)? {
            Operand::Typed(Typed { expr, logical: Logical::Bool, .. }) => Some(expr),
            Operand::Literal(Literal::Null) => Some(Typed::null(&Logical::Bool).expr),
            other => {
                let message = format!("this is {}, not a condition", other.words());
                self.refuse(
                    &node.range,
                    message,
                    "a condition compares something, or is a column of true and false",
                )
            }
        }
    }

    fn conditions(&mut self, nodes: &[Node]) -> Option<Vec<Expr>> {
        let bound: Vec<Option<Expr>> = nodes.iter().map(|node| self.condition(node)).collect();
        bound.into_iter().collect()
    }

    /// Binds a part.
    pub(super) fn operand(&mut self, node: &Node) -> Option<Operand> {
        let range = &node.range;
        let typed = match &node.kind {
            Kind::Text(text) => return Some(Operand::Literal(Literal::Text(text.clone()))),
            Kind::Number { digits, scale } => {
                return Some(Operand::Literal(Literal::Number { digits: *digits, scale: *scale }));
            }
            Kind::Null => return Some(Operand::Literal(Literal::Null)),
            Kind::Today => return Some(Operand::Literal(Literal::Today)),
            Kind::AsOf => return Some(Operand::Literal(Literal::AsOf)),
            Kind::Bool(value) => Typed::new(lit(*value), Logical::Bool),
            Kind::Typed(logical, text) => literal::typed(text, logical)?,
            Kind::Column(name) => {
                let name = Spanned { value: name.clone(), span: self.span(range) };
                Typed::column(find(self.schema, &name, self.out)?)
            }
            Kind::Not(value) => Typed::new(self.condition(value)?.not(), Logical::Bool),
            Kind::And(parts) => Typed::new(balanced(self.conditions(parts)?, Expr::and)?, Logical::Bool),
            Kind::Or(parts) => Typed::new(balanced(self.conditions(parts)?, Expr::or)?, Logical::Bool),
            Kind::Is { value, what, negated } => {
                let expr = match what {
                    Is::Null => {
                        let value = self.operand(value)?;
                        self.alone(value).expr.is_null()
                    }
                    Is::True => self.condition(value)?.fill_null(lit(false)),
                    Is::False => self.condition(value)?.not().fill_null(lit(false)),
                };
                Typed::new(if *negated { expr.not() } else { expr }, Logical::Bool)
            }
            Kind::Compare { op, left, right } => {
                let (a, b) = self.pair(left, right, range, true)?;
                self.compare(*op, a, b, range)?
            }
            Kind::Distinct { left, right, negated } => {
                let (a, b) = self.pair(left, right, range, false)?;
                let (a_null, b_null) = (a.expr.clone().is_null(), b.expr.clone().is_null());
                let equal = self.compare(Comparison::Equal, a, b, range)?.expr;
                let same = when(a_null.clone().or(b_null.clone())).then(a_null.and(b_null)).otherwise(equal);
                Typed::new(if *negated { same } else { same.not() }, Logical::Bool)
            }
            Kind::In { value, list, negated } => {
                let found = self.among(value, list, range)?;
                Typed::new(if *negated { found.not() } else { found }, Logical::Bool)
            }
            Kind::Between { value, low, high, negated } => {
                let above = self.pair(value, low, range, true);
                let below = self.pair(value, high, range, true);
                let ((a, low), (b, high)) = (above?, below?);
                let above = self.compare(Comparison::GreaterOrEqual, a, low, range)?.expr;
                let below = self.compare(Comparison::LessOrEqual, b, high, range)?.expr;
                let inside = above.and(below);
                Typed::new(if *negated { inside.not() } else { inside }, Logical::Bool)
            }
            Kind::Like { value, pattern, escape, any_case, negated } => {
                let value = self.text(value)?;
                let found = match pattern {
                    None => Typed::null(&Logical::Bool).expr,
                    Some(pattern) => {
                        let regex = like::regex(pattern, *escape, *any_case).ok()?;
                        value.expr.str().contains(lit(regex), true)
                    }
                };
                Typed::new(if *negated { found.not() } else { found }, Logical::Bool)
            }
            Kind::Arithmetic { op, left, right } => self.calculation(*op, left, right, range)?,
            Kind::Interval(_) => {
                let help = "it stands beside `+` or `-` with a date or timestamp: `cot + interval '30 days'`";
                return self.refuse(range, "an interval is no value of its own", help);
            }
            Kind::Negate(value) => {
                let value = self.number(value)?;
                let logical = signed(&value.logical);
                Typed::new(kernels::negate(value.expr, &logical), logical)
            }
            Kind::Concat { left, right } => {
                let (a, b) = (self.text(left), self.text(right));
                Typed::new(a?.expr + b?.expr, Logical::TEXT)
            }
            Kind::Case { operand, arms, otherwise } => {
                return self.case(operand.as_deref(), arms, otherwise.as_deref(), range);
            }
            Kind::Cast { value, to } => self.cast(value, to, range)?,
            Kind::Call { function, arguments } => return self.call(*function, arguments, range),
        };
        Some(Operand::Typed(typed))
    }

    /// Gives a literal that has no neighbour the type it looks like; NULL becomes a text.
    fn alone(&self, operand: Operand) -> Typed {
        match operand {
            Operand::Typed(typed) => typed,
            Operand::Literal(literal) => {
                literal.alone(self.as_of).unwrap_or_else(|| Typed::null(&Logical::TEXT))
            }
        }
    }

    /// Binds two parts that are to be compared: a literal takes the type of the other one.
    fn pair(
        &mut self,
        left: &Node,
        right: &Node,
        range: &Range<usize>,
        warn: bool,
    ) -> Option<(Typed, Typed)> {
        let (a, b) = (self.operand(left), self.operand(right));
        let (a, b) = (a?, b?);
        let null = |o: &Operand| matches!(o, Operand::Literal(Literal::Null));
        if warn && (null(&a) || null(&b)) {
            self.out.push(
                Diagnostic::warning(
                    &self.span(range),
                    "a comparison with NULL is never true and never false",
                )
                .help("`is null` asks whether a value is NULL"),
            );
        }
        self.typed_pair((a, &left.range), (b, &right.range))
    }

    fn typed_pair(
        &mut self,
        (a, a_range): (Operand, &Range<usize>),
        (b, b_range): (Operand, &Range<usize>),
    ) -> Option<(Typed, Typed)> {
        Some(match (a, b) {
            (Operand::Typed(a), Operand::Typed(b)) => (a, b),
            (Operand::Typed(a), Operand::Literal(b)) => {
                let b = self.adapt(&b, &a, b_range)?;
                (a, b)
            }
            (Operand::Literal(a), Operand::Typed(b)) => (self.adapt(&a, &b, a_range)?, b),
            (Operand::Literal(a), Operand::Literal(b)) => {
                // The one that knows its type best gives it to the other.
                if matches!(a, Literal::Null | Literal::Text(_)) {
                    let b = self.alone(Operand::Literal(b));
                    (self.adapt(&a, &b, a_range)?, b)
                } else {
                    let a = self.alone(Operand::Literal(a));
                    let b = self.adapt(&b, &a, b_range)?;
                    (a, b)
                }
            }
        })
    }

    /// Gives a literal the type of what it meets.
    fn adapt(&mut self, literal: &Literal, like: &Typed, range: &Range<usize>) -> Option<Typed> {
        match literal.adapt(like, self.as_of) {
            Ok(typed) => Some(typed),
            Err(message) => self.refuse(range, message, ""),
        }
    }

    /// Compares two parts of the same family.
    fn compare(&mut self, op: Comparison, a: Typed, b: Typed, range: &Range<usize>) -> Option<Typed> {
        match compare(op, a, b) {
            Ok(expr) => Some(Typed::new(expr, Logical::Bool)),
            Err((message, help)) => self.refuse(range, message, help),
        }
    }

    /// Binds `value in (list)`: plain values of the column's own type are looked up, others compared one by one.
    fn among(&mut self, value: &Node, list: &[Node], range: &Range<usize>) -> Option<Expr> {
        let operand = self.operand(value)?;
        let items: Vec<Option<Operand>> = list.iter().map(|node| self.operand(node)).collect();
        let (mut known, mut null, mut found, mut broken) = (Vec::new(), false, Vec::new(), false);
        for (item, node) in items.into_iter().zip(list) {
            let Some(item) = item else {
                broken = true;
                continue;
            };
            if let (Operand::Typed(typed), Operand::Literal(literal)) = (&operand, &item) {
                if *literal == Literal::Null {
                    null = true;
                    continue;
                }
                if let Some(value) = literal.value(typed, self.as_of) {
                    known.push(value);
                    continue;
                }
            }
            let pair = self.typed_pair((operand.clone(), &value.range), (item, &node.range));
            match pair.and_then(|(a, b)| self.compare(Comparison::Equal, a, b, range)) {
                Some(equal) => found.push(equal.expr),
                None => broken = true,
            }
        }
        if broken {
            return None;
        }
        if let (Operand::Typed(typed), false) = (&operand, known.is_empty()) {
            found.push(kernels::one_of(typed.expr.clone(), known));
        }
        if null {
            found.push(Typed::null(&Logical::Bool).expr);
        }
        balanced(found, Expr::or)
    }

    /// Binds a part that must be a text.
    fn text(&mut self, node: &Node) -> Option<Typed> {
        let operand = self.operand(node)?;
        let words = operand.words();
        let typed = self.alone(operand);
        if !typed.logical.is_text() {
            let help = "`cast(… as text)` makes a text of it";
            return self.refuse(&node.range, format!("this is {words}, not a text"), help);
        }
        Some(typed)
    }
}

impl Operand {
    /// Returns what it is, in words for messages.
    pub(super) fn words(&self) -> String {
        match self {
            Operand::Typed(typed) => article(&typed.logical),
            Operand::Literal(Literal::Text(_)) => "a text".to_owned(),
            Operand::Literal(Literal::Number { .. }) => "a number".to_owned(),
            Operand::Literal(Literal::Null) => "NULL".to_owned(),
            Operand::Literal(Literal::Today) => "a date".to_owned(),
            Operand::Literal(Literal::AsOf) => "a timestamp".to_owned(),
        }
    }
}

/// Returns a type in words for messages.
pub(super) fn article(logical: &Logical) -> String {
    match logical.family() {
        Family::Text => "a text".to_owned(),
        Family::Bool => "true or false".to_owned(),
        Family::Number => "a number".to_owned(),
        Family::Moment | Family::Time | Family::Bytes => format!("of type {logical}"),
    }
}

/// Returns the digits behind the point of an exact number type.
pub(super) fn scale(logical: &Logical) -> Option<u8> {
    match logical {
        Logical::I64 | Logical::U64 => Some(0),
        Logical::Decimal { scale, .. } => Some(*scale),
        _ => None,
    }
}

/// Returns the type in which every number of a type can change its sign.
pub(super) fn signed(logical: &Logical) -> Logical {
    match scale(logical) {
        Some(scale) => Logical::Decimal { precision: 38, scale },
        None => Logical::F64,
    }
}

/// Joins expressions by an operator for which the order does not matter, in few levels.
pub(super) fn balanced(mut exprs: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while exprs.len() > 1 {
        let mut joined = Vec::with_capacity(exprs.len().div_ceil(2));
        let mut rest = exprs.into_iter();
        while let Some(first) = rest.next() {
            joined.push(match rest.next() {
                Some(second) => join(first, second),
                None => first,
            });
        }
        exprs = joined;
    }
    exprs.pop()
}

/// Compares two parts; the error is a message and what to try.
pub(super) fn compare(op: Comparison, a: Typed, b: Typed) -> Result<Expr, (String, &'static str)> {
    let (first, second) = (a.logical.family(), b.logical.family());
    if first != second {
        let help = match (first, second) {
            (Family::Text, Family::Number) | (Family::Number, Family::Text) => {
                "a number in single quotes is a text; `cast(… as decimal(18,2))` and `cast(… as text)` convert"
            }
            _ => "`cast(… as …)` converts",
        };
        return Err((format!("{} cannot be compared with {}", a.logical, b.logical), help));
    }
    let (a, b) = match first {
        Family::Number if polars_type(&a.logical) != polars_type(&b.logical) => {
            return Ok(kernels::compare_numbers(op, a.expr, b.expr));
        }
        Family::Moment => moments(a, b)?,
        _ => (a, b),
    };
    Ok(match op {
        Comparison::Equal => a.expr.eq(b.expr),
        Comparison::NotEqual => a.expr.neq(b.expr),
        Comparison::Less => a.expr.lt(b.expr),
        Comparison::LessOrEqual => a.expr.lt_eq(b.expr),
        Comparison::Greater => a.expr.gt(b.expr),
        Comparison::GreaterOrEqual => a.expr.gt_eq(b.expr),
    })
}

/// Brings two dates or timestamps to one type.
pub(super) fn moments(a: Typed, b: Typed) -> Result<(Typed, Typed), (String, &'static str)> {
    let zone = |typed: &Typed| typed.zone.as_ref().and_then(|zone| zone.parse::<chrono_tz::Tz>().ok());
    let refused = |a: &Typed, b: &Typed| {
        let message = format!("{} cannot be compared with {} without a zone", a.logical, b.logical);
        (
            message,
            "say in which zone the wall clock was: `timezone: Europe/London` on the side or its connection",
        )
    };
    Ok(match (&a.logical, &b.logical) {
        (a_type, b_type) if a_type == b_type => (a, b),
        (Logical::Date, Logical::Timestamp { utc: false }) => {
            (Typed::new(kernels::midnight(a.expr), Logical::TIMESTAMP), b)
        }
        (Logical::Timestamp { utc: false }, Logical::Date) => {
            (a, Typed::new(kernels::midnight(b.expr), Logical::TIMESTAMP))
        }
        (Logical::Timestamp { utc: false }, Logical::Timestamp { utc: true }) => match zone(&a) {
            Some(zone) => (a, Typed::new(kernels::wall_clock(b.expr, zone), Logical::TIMESTAMP)),
            None => return Err(refused(&a, &b)),
        },
        (Logical::Timestamp { utc: true }, Logical::Timestamp { utc: false }) => match zone(&b) {
            Some(zone) => (Typed::new(kernels::wall_clock(a.expr, zone), Logical::TIMESTAMP), b),
            None => return Err(refused(&a, &b)),
        },
        _ => return Err(refused(&a, &b)),
    })
}
