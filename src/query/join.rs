//! Joins: which rows of two tables belong together.

use sqlparser::ast::{BinaryOperator, Expr, JoinConstraint, JoinOperator, Spanned as _, TableFactor};

use crate::expression::Expression;
use crate::frame::{Frame, Keys};
use crate::model::{Family, Field, Logical, Schema};

use super::QueryError;
use super::run::Run;
use super::scope::{ANY, Rel};
use super::value::{Mode, plain};

/// The most pairs that a join looks at where no columns are equal.
const MOST_PAIRS: usize = 50_000_000;

/// What becomes of rows without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// They go.
    Inner,
    /// Every row has every other one as its partner.
    Cross,
    /// Those of the left stay.
    Left,
    /// Those of the right stay.
    Right,
    /// All stay.
    Full,
}

/// A condition, sorted into what is equal on both sides and the rest.
#[derive(Default)]
struct On {
    left: Vec<String>,
    right: Vec<String>,
    rest: Vec<Expression>,
}

impl Run<'_> {
    /// Returns what kind of join it is.
    pub(super) fn how<'j>(
        &mut self,
        operator: &'j JoinOperator,
        relation: &TableFactor,
    ) -> Option<(How, Option<&'j JoinConstraint>)> {
        let (how, constraint) = match operator {
            JoinOperator::Join(on) | JoinOperator::Inner(on) => (How::Inner, on),
            JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (How::Left, on),
            JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (How::Right, on),
            JoinOperator::FullOuter(on) => (How::Full, on),
            JoinOperator::CrossJoin(on @ JoinConstraint::None) => (How::Cross, on),
            _ => {
                let help = "`join`, `left join`, `right join` and `full join` with `on` or `using`, and `cross join`";
                return self.refuse(relation.span(), "this kind of join is not known here", help);
            }
        };
        Some((how, Some(constraint).filter(|on| **on != JoinConstraint::None)))
    }

    /// Joins a table to the rows so far.
    pub(super) fn join(
        &mut self,
        left: Rel,
        factor: &TableFactor,
        how: How,
        constraint: Option<&JoinConstraint>,
    ) -> Option<Rel> {
        if matches!(factor, TableFactor::UNNEST { .. }) {
            return self.unnest(left, factor, how, constraint);
        }
        let right = self.factor(factor)?;
        let alias = right.tables.first().map(|table| table.alias.clone()).unwrap_or_default();
        if left.tables.iter().any(|table| table.alias == alias) {
            let help = "give one of them another name: `member as other`";
            return self.refuse(factor.span(), format!("two tables would have the name `{alias}`"), help);
        }
        let (mut left, mut right) = (left, right);
        let on = match constraint {
            None if how == How::Cross => On::default(),
            None | Some(JoinConstraint::None) => {
                let help = "`on a.key = b.key`, or `cross join` where all are meant";
                return self.refuse(factor.span(), "a join needs `on` or `using`", help);
            }
            Some(JoinConstraint::On(condition)) => self.on(&mut left, &mut right, condition)?,
            Some(JoinConstraint::Using(names)) => {
                if matches!(how, How::Right | How::Full) {
                    let help = "write `on`, and say by `coalesce` which of the two columns is meant";
                    return self.refuse(factor.span(), "`using` is known for `join` and `left join`", help);
                }
                let mut on = On::default();
                for name in names {
                    let Some(name) = plain(name) else {
                        return self.refuse(factor.span(), "`using` names columns alone", "");
                    };
                    let place = self.place(name.span);
                    let a = left.find(None, &name.value, &place, self.out);
                    let b = right.find(None, &name.value, &place, self.out);
                    let (a, b) = (a?, b?);
                    self.meet(&place, (&left.frame, &a), (&right.frame, &b))?;
                    self.tie([a.as_str(), b.as_str()]);
                    for column in right.tables.iter_mut().flat_map(|table| &mut table.columns) {
                        column.joined |= column.name == name.value;
                    }
                    on.left.push(a);
                    on.right.push(b);
                }
                on
            }
            Some(_) => {
                return self.refuse(factor.span(), "this form of join is not known here", "`on` or `using`");
            }
        };
        self.joined_rows(left, right, how, &on)
    }

    /// Sorts a condition into its parts, and makes the columns that they compare.
    fn on(&mut self, left: &mut Rel, right: &mut Rel, condition: &Expr) -> Option<On> {
        let mut both = Rel { tables: left.tables.clone(), ..Rel::default() };
        both.tables.extend(right.tables.iter().cloned());
        let mut on = On::default();
        let mut whole = true;
        for part in parts(condition) {
            let sides = match part {
                Expr::BinaryOp { left: a, op: BinaryOperator::Eq, right: b } => {
                    let (a, b) = (self.read(&mut both, a, Mode::Join), self.read(&mut both, b, Mode::Join));
                    match (a, b) {
                        (Some(a), Some(b)) => Some((a, b)),
                        _ => {
                            whole = false;
                            continue;
                        }
                    }
                }
                _ => None,
            };
            let sides = sides.and_then(|(a, b)| match (is_of(&a, left), is_of(&b, right)) {
                (true, true) => Some((a, b)),
                _ => (is_of(&b, left) && is_of(&a, right)).then_some((b, a)),
            });
            match sides {
                Some((a, b)) => {
                    let (a, b) = (self.made(&mut left.frame, &a), self.made(&mut right.frame, &b));
                    let place = self.place(part.span());
                    let met = a.zip(b).and_then(|(a, b)| {
                        self.meet(&place, (&left.frame, &a), (&right.frame, &b))?;
                        self.tie([a.as_str(), b.as_str()]);
                        on.left.push(a);
                        on.right.push(b);
                        Some(())
                    });
                    whole &= met.is_some();
                }
                None => match self.read(&mut both, part, Mode::Join) {
                    Some(read) => {
                        self.tie(read.columns().iter().map(|slot| slot.value.as_str()));
                        on.rest.push(read);
                    }
                    None => whole = false,
                },
            }
        }
        whole.then_some(on)
    }

    /// Reports two columns whose values can never be equal.
    fn meet(
        &mut self,
        place: &crate::diagnostic::Span,
        (left, a): (&Frame, &str),
        (right, b): (&Frame, &str),
    ) -> Option<()> {
        if self.unknown || [a, b].contains(&ANY) {
            return Some(());
        }
        let (a, b) = (&left.schema.get(a)?.logical, &right.schema.get(b)?.logical);
        let instants = |logical: &Logical| *logical == Logical::TIMESTAMP_UTC;
        if a.family() != b.family() || a.family() == Family::Moment && instants(a) != instants(b) {
            let help = "`cast(… as …)` on one side makes both of one type";
            return self.refuse_at(place, format!("{a} cannot be compared with {b}"), help);
        }
        Some(())
    }

    /// Puts the rows of two tables together.
    fn joined_rows(&mut self, left: Rel, right: Rel, how: How, on: &On) -> Option<Rel> {
        let mut tables = left.tables;
        tables.extend(right.tables);
        if self.unknown {
            return Some(Rel { tables, ..Rel::default() });
        }
        let (left, right) = (left.frame, right.frame);
        let mut pairs = self.pairs((&left, &on.left), (&right, &on.right))?;
        for condition in &on.rest {
            self.go_on()?;
            let indexes =
                |of: fn(&(u32, u32)) -> u32| pairs.iter().map(|pair| Some(of(pair))).collect::<Vec<_>>();
            let frame = self.beside((&left, &indexes(|pair| pair.0)), (&right, &indexes(|pair| pair.1)))?;
            let holds = self.holds(&frame, condition)?;
            let mut holds = holds.into_iter();
            pairs.retain(|_| holds.next().unwrap_or(false));
        }
        let keeps_left = matches!(how, How::Left | How::Full);
        let (mut of_left, mut of_right) = (Vec::with_capacity(pairs.len()), Vec::with_capacity(pairs.len()));
        let mut found = vec![false; right.height()];
        let mut rest = pairs.into_iter().peekable();
        for row in 0..u32::try_from(left.height()).unwrap_or(u32::MAX) {
            let mut alone = true;
            while let Some((_, partner)) = rest.next_if(|(own, _)| *own == row) {
                alone = false;
                of_left.push(Some(row));
                of_right.push(Some(partner));
                if let Some(found) = found.get_mut(partner as usize) {
                    *found = true;
                }
            }
            if alone && keeps_left {
                of_left.push(Some(row));
                of_right.push(None);
            }
        }
        if matches!(how, How::Right | How::Full) {
            for (row, _) in (0u32..).zip(&found).filter(|(_, found)| !**found) {
                of_left.push(None);
                of_right.push(Some(row));
            }
        }
        if u32::try_from(of_left.len()).is_err() {
            let message =
                format!("a join makes {} rows, and a query has at most {}", of_left.len(), u32::MAX);
            return self.fail(QueryError::Rows(message));
        }
        let frame = self.beside((&left, &of_left), (&right, &of_right))?;
        Some(Rel { tables, frame, broken: false })
    }

    /// Returns the pairs of rows whose columns are equal, by the left row and then the right one; without columns all.
    fn pairs(
        &mut self,
        (left, left_on): (&Frame, &[String]),
        (right, right_on): (&Frame, &[String]),
    ) -> Option<Vec<(u32, u32)>> {
        let mut pairs = Vec::new();
        let height = |frame: &Frame| u32::try_from(frame.height()).unwrap_or(u32::MAX);
        if left_on.is_empty() {
            let all = left.height().saturating_mul(right.height());
            if all > MOST_PAIRS {
                return self.fail(QueryError::Rows(format!(
                    "a join without equal columns would look at {all} pairs of rows; name columns that are equal behind `on`"
                )));
            }
            for row in 0..height(left) {
                pairs.extend((0..height(right)).map(|other| (row, other)));
            }
            return Some(pairs);
        }
        let (a, b) = (Keys::new(left, left_on), Keys::new(right, right_on));
        let (a, b) = (self.got(a)?, self.got(b)?);
        let index = b.index();
        for row in 0..height(left) {
            if row.is_multiple_of(64 << 10) {
                self.go_on()?;
            }
            let found = index.find(&a, row as usize).filter_map(|other| u32::try_from(other).ok());
            pairs.extend(found.map(|other| (row, other)));
        }
        Some(pairs)
    }

    /// Returns rows of two tables side by side.
    fn beside(
        &mut self,
        (left, of_left): (&Frame, &[Option<u32>]),
        (right, of_right): (&Frame, &[Option<u32>]),
    ) -> Option<Frame> {
        let (mut a, b) = (self.take(left, of_left)?, self.take(right, of_right)?);
        let added = a.df.hstack_mut(b.df.columns()).map(|_| ());
        self.got(added)?;
        let fields: Vec<Field> = a.schema.fields.into_iter().chain(b.schema.fields).collect();
        Some(Frame::new(Schema { fields }, a.df))
    }
}

/// Returns the conditions that must all hold.
pub(super) fn parts(condition: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    let mut open = vec![condition];
    while let Some(expr) = open.pop() {
        match expr {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**right, &**left]),
            Expr::Nested(inner) => open.push(inner),
            other => parts.push(other),
        }
    }
    parts
}

/// Returns true where all columns of an expression are of these rows, and there is one.
fn is_of(expr: &Expression, rel: &Rel) -> bool {
    let columns = expr.columns();
    let slots = || rel.tables.iter().flat_map(|table| &table.columns).map(|column| column.slot.as_str());
    !columns.is_empty() && columns.iter().all(|column| slots().any(|slot| slot == column.value))
}
