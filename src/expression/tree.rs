//! Our tree of an expression: what is left of SQL once the allow list has been applied.

use std::ops::Range;

use crate::model::Logical;

use super::interval::Interval;

/// A part of an expression with its bytes in the expression's text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Column(String),
    Text(String),
    Number {
        digits: i128,
        scale: u8,
    },
    Bool(bool),
    Null,
    /// `current_date`: the day of the run's "now".
    Today,
    /// `as_of()`: the run's "now".
    AsOf,
    /// A text with its type in front: `DATE '2020-01-01'`.
    Typed(Logical, String),
    /// A span of time: `INTERVAL '30 days'`.
    Interval(Interval),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Is {
        value: Box<Node>,
        what: Is,
        negated: bool,
    },
    Compare {
        op: Comparison,
        left: Box<Node>,
        right: Box<Node>,
    },
    Distinct {
        left: Box<Node>,
        right: Box<Node>,
        negated: bool,
    },
    In {
        value: Box<Node>,
        list: Vec<Node>,
        negated: bool,
    },
    Between {
        value: Box<Node>,
        low: Box<Node>,
        high: Box<Node>,
        negated: bool,
    },
    Like {
        value: Box<Node>,
        pattern: Option<String>,
        escape: Option<char>,
        any_case: bool,
        negated: bool,
    },
    Arithmetic {
        op: Arithmetic,
        left: Box<Node>,
        right: Box<Node>,
    },
    Negate(Box<Node>),
    Concat {
        left: Box<Node>,
        right: Box<Node>,
    },
    Case {
        operand: Option<Box<Node>>,
        arms: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    Cast {
        value: Box<Node>,
        to: Logical,
    },
    Call {
        function: Function,
        arguments: Vec<Node>,
    },
}

/// What `is` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    Null,
    True,
    False,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Returns whether values in this order fulfil the comparison.
    pub(super) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// A calculation with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Coalesce,
    Length,
    Lower,
    Nullif,
    Round,
    Substring,
    /// With the ends it works on.
    Trim {
        start: bool,
        end: bool,
    },
    Upper,
}

impl Function {
    /// Every function by name, with the least and the most arguments.
    pub(super) const ALL: &'static [(&'static str, Function, usize, usize)] = &[
        ("abs", Function::Abs, 1, 1),
        ("char_length", Function::Length, 1, 1),
        ("coalesce", Function::Coalesce, 1, 100),
        ("length", Function::Length, 1, 1),
        ("lower", Function::Lower, 1, 1),
        ("ltrim", Function::Trim { start: true, end: false }, 1, 2),
        ("nullif", Function::Nullif, 2, 2),
        ("round", Function::Round, 1, 2),
        ("rtrim", Function::Trim { start: false, end: true }, 1, 2),
        ("substr", Function::Substring, 2, 3),
        ("substring", Function::Substring, 2, 3),
        ("trim", Function::Trim { start: true, end: true }, 1, 2),
        ("upper", Function::Upper, 1, 1),
    ];
}

impl Node {
    /// Returns the parts directly below, in the order of the text.
    pub(super) fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Column(_)
            | Kind::Text(_)
            | Kind::Number { .. }
            | Kind::Bool(_)
            | Kind::Null
            | Kind::Today
            | Kind::AsOf
            | Kind::Interval(_)
            | Kind::Typed(..) => Vec::new(),
            Kind::Not(value)
            | Kind::Negate(value)
            | Kind::Is { value, .. }
            | Kind::Like { value, .. }
            | Kind::Cast { value, .. } => vec![value],
            Kind::And(parts) | Kind::Or(parts) | Kind::Call { arguments: parts, .. } => {
                parts.iter().collect()
            }
            Kind::Compare { left, right, .. }
            | Kind::Distinct { left, right, .. }
            | Kind::Arithmetic { left, right, .. }
            | Kind::Concat { left, right } => vec![left, right],
            Kind::In { value, list, .. } => std::iter::once(value.as_ref()).chain(list).collect(),
            Kind::Between { value, low, high, .. } => vec![value, low, high],
            Kind::Case { operand, arms, otherwise } => operand
                .iter()
                .map(AsRef::as_ref)
                .chain(arms.iter().flat_map(|(when, then)| [when, then]))
                .chain(otherwise.iter().map(AsRef::as_ref))
                .collect(),
        }
    }
}
