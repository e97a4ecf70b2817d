//! Calculations: with numbers, and with dates and timestamps.

use std::ops::Range;

use crate::expression::interval::Interval;
use crate::expression::kernels;
use crate::expression::tree::{Arithmetic, Kind, Node};
use crate::model::{Family, Logical};

use super::literal::Literal;
use super::{Binder, Operand, Typed, scale};

impl Binder<'_> {
    /// Binds a calculation: of two numbers, of a moment and an interval, or of the days between two dates.
    pub(super) fn calculation(
        &mut self,
        op: Arithmetic,
        left: &Node,
        right: &Node,
        range: &Range<usize>,
    ) -> Option<Typed> {
        match (op, &left.kind, &right.kind) {
            (Arithmetic::Add, _, Kind::Interval(interval)) => return self.moved(left, *interval),
            (Arithmetic::Add, Kind::Interval(interval), _) => return self.moved(right, *interval),
            (Arithmetic::Subtract, _, Kind::Interval(interval)) => {
                return self.moved(left, interval.negated()?);
            }
            _ => {}
        }
        let (a, b) = (self.operand(left), self.operand(right));
        let (a, b) = (a?, b?);
        if is_moment(&a) || is_moment(&b) {
            return self.days_between(op, (a, &left.range), (b, &right.range), range);
        }
        let (a, b) = (self.as_number(a, &left.range), self.as_number(b, &right.range));
        let (a, b) = (a?, b?);
        self.numbers(op, a, b, range)
    }

    /// Binds what is an interval away from a date or timestamp.
    fn moved(&mut self, node: &Node, interval: Interval) -> Option<Typed> {
        let operand = self.operand(node)?;
        if matches!(operand, Operand::Literal(Literal::Null)) {
            return Some(Typed::null(&Logical::TIMESTAMP));
        }
        let words = operand.words();
        let typed = self.alone(operand);
        match &typed.logical {
            Logical::Date if interval.is_of_days() => {
                Some(Typed::new(kernels::days_from(typed.expr, interval), Logical::Date))
            }
            Logical::Date => {
                let midnight = kernels::midnight(typed.expr);
                Some(Typed::new(kernels::moments_from(midnight, interval), Logical::TIMESTAMP))
            }
            Logical::Timestamp { .. } => {
                Some(Typed { expr: kernels::moments_from(typed.expr.clone(), interval), ..typed })
            }
            logical => {
                let help = match logical.is_text() {
                    true => "`date '2020-01-31'` is a date, and `cast(… as date)` makes one of a text",
                    false => "an interval is added to a date or timestamp, or taken from one",
                };
                self.refuse(&node.range, format!("this is {words}, not a date or timestamp"), help)
            }
        }
    }

    /// Binds the days between two dates; a calculation with moments has no other meaning.
    fn days_between(
        &mut self,
        op: Arithmetic,
        (a, a_range): (Operand, &Range<usize>),
        (b, b_range): (Operand, &Range<usize>),
        range: &Range<usize>,
    ) -> Option<Typed> {
        for (operand, range) in [(&a, a_range), (&b, b_range)] {
            let is_number = match operand {
                Operand::Typed(typed) => typed.logical.family() == Family::Number,
                Operand::Literal(literal) => matches!(literal, Literal::Number { .. }),
            };
            if is_number {
                let help = "days are written as an interval: `+ interval '30 days'`";
                return self.refuse(range, "a number does not go with a date or timestamp", help);
            }
        }
        if op != Arithmetic::Subtract {
            let help = "`+` and `-` take an interval, as in `cot + interval '30 days'`; `-` gives the days between two dates";
            return self.refuse(range, "this calculation is not known for dates and timestamps", help);
        }
        let (a, b) = self.typed_pair((a, a_range), (b, b_range))?;
        match (&a.logical, &b.logical) {
            (Logical::Date, Logical::Date) => {
                Some(Typed::new(kernels::days_between(a.expr, b.expr), Logical::I64))
            }
            (first, second) => {
                let message =
                    format!("{first} minus {second} is not known here: only dates have days between them");
                self.refuse(range, message, "`cast(… as date)` takes the day of a timestamp without a zone")
            }
        }
    }

    /// Calculates: exactly, unless one of the numbers is a floating-point one.
    fn numbers(&mut self, op: Arithmetic, a: Typed, b: Typed, range: &Range<usize>) -> Option<Typed> {
        let (s, t) = (scale(&a.logical), scale(&b.logical));
        let logical = match (s, t) {
            (Some(s), Some(t)) => {
                let scale = match op {
                    Arithmetic::Add | Arithmetic::Subtract => s.max(t),
                    Arithmetic::Multiply => s + t,
                    Arithmetic::Divide => s.max(t).max(16),
                };
                if scale > 38 {
                    let help = "take fewer of them with `round(…, 10)` first";
                    return self.refuse(
                        range,
                        format!("the product would have {scale} digits behind the point"),
                        help,
                    );
                }
                Logical::Decimal { precision: 38, scale }
            }
            _ => Logical::F64,
        };
        Some(Typed::new(kernels::arithmetic(op, a.expr, b.expr, &logical), logical))
    }

    /// Binds a part that must be a number.
    pub(super) fn number(&mut self, node: &Node) -> Option<Typed> {
        let operand = self.operand(node)?;
        self.as_number(operand, &node.range)
    }

    fn as_number(&mut self, operand: Operand, range: &Range<usize>) -> Option<Typed> {
        if matches!(operand, Operand::Literal(Literal::Null)) {
            return Some(Typed::null(&Logical::I64));
        }
        let words = operand.words();
        let is_text = matches!(operand, Operand::Literal(Literal::Text(_)));
        let typed = self.alone(operand);
        if typed.logical.family() != Family::Number || is_text {
            return self.refuse(range, format!("this is {words}, not a number"), "");
        }
        Some(typed)
    }
}

fn is_moment(operand: &Operand) -> bool {
    match operand {
        Operand::Typed(typed) => typed.logical.family() == Family::Moment,
        Operand::Literal(literal) => matches!(literal, Literal::Today | Literal::AsOf),
    }
}
