//! SQL conditions against a plain evaluator with the three values of SQL.

use std::cmp::Ordering;
use std::sync::Arc;

use counterfoil::diagnostic::{Diagnostics, SourceFile, Span, Spanned};
use counterfoil::expression::{parse, three_valued};
use counterfoil::frame::{Frame, Value};
use counterfoil::model::{Field, Logical};
use proptest::prelude::*;

use super::plain::{self, Digits, Number};
use crate::table;

/// An expression.
#[derive(Debug, Clone)]
enum Sql {
    Column(&'static str),
    /// A literal as it is written, and its value.
    Literal(String, V),
    Not(Box<Sql>),
    Chain(bool, Vec<Sql>),
    Is(Box<Sql>, &'static str),
    Compare(&'static str, Box<Sql>, Box<Sql>),
    In(Box<Sql>, Vec<Sql>, bool),
    Between(Box<[Sql; 3]>, bool),
    Like(Box<Sql>, &'static str, bool, bool),
    Arithmetic(char, Box<Sql>, Box<Sql>),
    Negate(Box<Sql>),
    Abs(Box<Sql>),
    Round(Box<Sql>, u8),
    Concat(Box<Sql>, Box<Sql>),
    Text(&'static str, Box<Sql>),
    Substring(Box<Sql>, i8, Option<i8>),
    Length(Box<Sql>),
    Coalesce(Vec<Sql>),
    Nullif(Box<Sql>, Box<Sql>),
    Case(Vec<(Sql, Sql)>, Option<Box<Sql>>),
    AsDate(Box<Sql>),
    AsText(Box<Sql>),
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
enum V {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Moment(i64),
}

/// What is known of an expression before any row: the digits behind the point of an exact number, or another type.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Type {
    Null,
    Exact(usize),
    Float,
    Other,
}

/// 2026-01-31 12:34:56 in UTC.
const AS_OF: &str = "2026-01-31 12:34:56Z";

fn columns() -> Vec<Field> {
    [
        ("n", "i64"),
        ("u", "u64"),
        ("d", "decimal(9,2)"),
        ("f", "f64"),
        ("g", "f64"),
        ("t", "text"),
        ("c", "char(4)"),
        ("a", "date"),
        ("m", "timestamp"),
        ("b", "bool"),
    ]
    .into_iter()
    .map(|(name, logical)| Field::new(name, logical.parse().unwrap()))
    .collect()
}

fn pool(column: &str) -> &'static [&'static str] {
    match column {
        "n" => &["0", "1", "-1", "2", "7", "9223372036854775807", "-9223372036854775808"],
        "u" => &["0", "1", "2", "18446744073709551615"],
        "d" => &["0.00", "1.00", "1.50", "-0.05", "0.10", "2.00", "9999999.99"],
        "f" | "g" => &["0", "1", "0.1", "-0.0", "NaN", "inf", "1.5", "1e300", "-2", "9007199254740992"],
        "t" => &["", "a", "A", "ab", " a ", "a%b", "é", "abc", "b ", "1"],
        "c" => &["", "a", "ab", "abc", "É"],
        "a" => &["2020-01-01", "2026-01-31", "1900-01-01", "2026-02-01"],
        "m" => &["2020-01-01 00:00:00", "2020-01-01 00:00:01", "2026-01-31 23:59:59.999999"],
        "b" => &["true", "false"],
        other => panic!("{other} has no values"),
    }
}

impl Sql {
    fn text(&self) -> String {
        let list = |parts: &[Sql], with: &str| parts.iter().map(Sql::text).collect::<Vec<_>>().join(with);
        let not = |negated: &bool| if *negated { "not " } else { "" };
        match self {
            Sql::Column(name) => (*name).to_owned(),
            Sql::Literal(text, _) => text.clone(),
            Sql::Not(e) => format!("(not {})", e.text()),
            Sql::Chain(and, parts) => format!("({})", list(parts, if *and { " and " } else { " or " })),
            Sql::Is(e, what) => format!("({} is {what})", e.text()),
            Sql::Compare(op, a, b) => format!("({} {op} {})", a.text(), b.text()),
            Sql::In(e, items, negated) => {
                format!("({} {}in ({}))", e.text(), not(negated), list(items, ", "))
            }
            Sql::Between(parts, negated) => {
                let [e, low, high] = parts.as_ref();
                format!("({} {}between {} and {})", e.text(), not(negated), low.text(), high.text())
            }
            Sql::Like(e, pattern, any_case, negated) => {
                let word = if *any_case { "ilike" } else { "like" };
                format!("({} {}{word} '{pattern}' escape '!')", e.text(), not(negated))
            }
            Sql::Arithmetic(op, a, b) => format!("({} {op} {})", a.text(), b.text()),
            Sql::Negate(e) => format!("(- {})", e.text()),
            Sql::Abs(e) => format!("abs({})", e.text()),
            Sql::Round(e, places) => format!("round({}, {places})", e.text()),
            Sql::Concat(a, b) => format!("({} || {})", a.text(), b.text()),
            Sql::Text(function, e) => format!("{function}({})", e.text()),
            Sql::Substring(e, from, None) => format!("substring({}, {from})", e.text()),
            Sql::Substring(e, from, Some(count)) => format!("substring({}, {from}, {count})", e.text()),
            Sql::Length(e) => format!("length({})", e.text()),
            Sql::Coalesce(parts) => format!("coalesce({})", list(parts, ", ")),
            Sql::Nullif(a, b) => format!("nullif({}, {})", a.text(), b.text()),
            Sql::Case(arms, otherwise) => {
                let arms: String = arms
                    .iter()
                    .map(|(when, then)| format!(" when {} then {}", when.text(), then.text()))
                    .collect();
                let otherwise = otherwise.as_ref().map_or(String::new(), |e| format!(" else {}", e.text()));
                format!("(case{arms}{otherwise} end)")
            }
            Sql::AsDate(e) => format!("cast({} as date)", e.text()),
            Sql::AsText(e) => format!("cast({} as text)", e.text()),
        }
    }

    fn names_a_column(&self) -> bool {
        let text = self.text();
        // Columns are single letters; everything else that is one stands in quotes.
        let mut quoted = false;
        let bare: String = text
            .chars()
            .map(|c| {
                quoted ^= c == '\'';
                if quoted { '\'' } else { c }
            })
            .collect();
        bare.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() == 1)
    }

    /// Returns the type; nothing where a product has too many digits.
    fn logical(&self) -> Option<Type> {
        let widest = |parts: Vec<&Sql>| -> Option<Type> {
            let types = parts.into_iter().map(Sql::logical).collect::<Option<Vec<Type>>>()?;
            let mut widest = Type::Null;
            for one in types {
                widest = match (widest, one) {
                    (Type::Null, one) => one,
                    (widest, Type::Null) => widest,
                    (Type::Exact(a), Type::Exact(b)) => Type::Exact(a.max(b)),
                    (Type::Float, _) | (_, Type::Float) => Type::Float,
                    _ => Type::Other,
                };
            }
            Some(widest)
        };
        // What stands in the parts but is not the result has to be right too.
        let sound = |parts: &[&Sql]| parts.iter().map(|e| e.logical()).collect::<Option<Vec<_>>>();
        Some(match self {
            Sql::Column("n" | "u") => Type::Exact(0),
            Sql::Column("d") => Type::Exact(2),
            Sql::Column("f" | "g") => Type::Float,
            Sql::Column(_) => Type::Other,
            Sql::Literal(_, V::Null) => Type::Null,
            Sql::Literal(_, V::Number(Number::Finite(digits))) => Type::Exact(digits.scale()),
            Sql::Literal(_, _) => Type::Other,
            Sql::Arithmetic(op, a, b) => match (a.logical()?, b.logical()?) {
                (Type::Float, _) | (_, Type::Float) => Type::Float,
                (a, b) => {
                    let scale = |t| if let Type::Exact(s) = t { s } else { 0 };
                    let scale = match op {
                        '*' => scale(a) + scale(b),
                        '/' => scale(a).max(scale(b)).max(16),
                        _ => scale(a).max(scale(b)),
                    };
                    if scale > 38 {
                        return None;
                    }
                    Type::Exact(scale)
                }
            },
            Sql::Negate(e) | Sql::Abs(e) => match e.logical()? {
                Type::Null => Type::Exact(0),
                other => other,
            },
            Sql::Round(e, places) => match e.logical()? {
                Type::Exact(scale) => Type::Exact(scale.min(usize::from(*places))),
                Type::Null => Type::Exact(0),
                other => other,
            },
            Sql::Length(e) => {
                e.logical()?;
                Type::Exact(0)
            }
            Sql::Coalesce(parts) => widest(parts.iter().collect())?,
            Sql::Nullif(a, b) => {
                b.logical()?;
                a.logical()?
            }
            Sql::Case(arms, otherwise) => {
                sound(&arms.iter().map(|(when, _)| when).collect::<Vec<_>>())?;
                widest(
                    arms.iter().map(|(_, then)| then).chain(otherwise.iter().map(AsRef::as_ref)).collect(),
                )?
            }
            Sql::Not(e)
            | Sql::Is(e, _)
            | Sql::Like(e, ..)
            | Sql::Text(_, e)
            | Sql::Substring(e, ..)
            | Sql::AsDate(e)
            | Sql::AsText(e) => {
                e.logical()?;
                Type::Other
            }
            Sql::Compare(_, a, b) | Sql::Concat(a, b) => {
                sound(&[a, b])?;
                Type::Other
            }
            Sql::Chain(_, parts) => {
                sound(&parts.iter().collect::<Vec<_>>())?;
                Type::Other
            }
            Sql::In(e, items, _) => {
                e.logical()?;
                sound(&items.iter().collect::<Vec<_>>())?;
                Type::Other
            }
            Sql::Between(parts, _) => {
                sound(&parts.iter().collect::<Vec<_>>())?;
                Type::Other
            }
        })
    }

    fn truth(&self, row: &[V]) -> Option<bool> {
        match self.value(row) {
            V::Null => None,
            V::Bool(v) => Some(v),
            other => panic!("{other:?} is no condition: {}", self.text()),
        }
    }

    fn string(&self, row: &[V]) -> Option<String> {
        match self.value(row) {
            V::Null => None,
            V::Text(v) => Some(v),
            other => panic!("{other:?} is no text: {}", self.text()),
        }
    }

    fn number(&self, row: &[V]) -> Option<Number> {
        match self.value(row) {
            V::Null => None,
            V::Number(v) => Some(v),
            other => panic!("{other:?} is no number: {}", self.text()),
        }
    }

    /// Returns a number as the expression's type has it: in at most 38 digits.
    fn fitting(&self, number: Option<Number>) -> V {
        match (number, self.logical()) {
            (None, _) => V::Null,
            (Some(Number::Finite(digits)), Some(Type::Exact(scale))) if digits.count(scale) > 38 => V::Null,
            (Some(number), Some(Type::Float)) => V::Number(Number::of_float(number.float())),
            (Some(number), _) => V::Number(number),
        }
    }

    fn value(&self, row: &[V]) -> V {
        let boolean = |value: Option<bool>| value.map_or(V::Null, V::Bool);
        let text = |value: Option<String>| value.map_or(V::Null, V::Text);
        let is_float = |e: &Sql| e.logical() == Some(Type::Float);
        match self {
            Sql::Column(name) => row[columns().iter().position(|f| f.name == *name).unwrap()].clone(),
            Sql::Literal(_, value) => value.clone(),
            Sql::Not(e) => boolean(e.truth(row).map(|v| !v)),
            Sql::Chain(and, parts) => boolean(chain(*and, parts.iter().map(|e| e.truth(row)))),
            Sql::Is(e, what) => {
                let value = e.value(row);
                let (negated, word) = what.strip_prefix("not ").map_or((false, *what), |word| (true, word));
                let found = match word {
                    "null" => value == V::Null,
                    "true" => value == V::Bool(true),
                    _ => value == V::Bool(false),
                };
                V::Bool(found != negated)
            }
            Sql::Compare("is distinct from", a, b) => {
                let (a, b) = (a.value(row), b.value(row));
                V::Bool(match (&a, &b) {
                    (V::Null, V::Null) => false,
                    (V::Null, _) | (_, V::Null) => true,
                    (a, b) => order(a, b).is_some_and(Ordering::is_ne),
                })
            }
            Sql::Compare(op, a, b) => boolean(order(&a.value(row), &b.value(row)).map(|o| holds(op, o))),
            Sql::In(e, items, negated) => {
                let value = e.value(row);
                let found =
                    chain(false, items.iter().map(|i| order(&value, &i.value(row)).map(Ordering::is_eq)));
                boolean(found.map(|v| v != *negated))
            }
            Sql::Between(parts, negated) => {
                let [value, low, high] = parts.as_ref().clone().map(|e| e.value(row));
                let above = order(&value, &low).map(Ordering::is_ge);
                let below = order(&value, &high).map(Ordering::is_le);
                boolean(chain(true, [above, below].into_iter()).map(|v| v != *negated))
            }
            Sql::Like(e, pattern, any_case, negated) => {
                let fold = |t: &str| if *any_case { t.to_lowercase() } else { t.to_owned() };
                let pattern: Vec<char> = fold(pattern).chars().collect();
                boolean(
                    e.string(row).map(|t| like(&pattern, &fold(&t).chars().collect::<Vec<_>>()) != *negated),
                )
            }
            Sql::Arithmetic(op, a, b) => {
                let (x, y) = (a.number(row), b.number(row));
                let (Some(x), Some(y)) = (x, y) else { return V::Null };
                if is_float(self) {
                    let (x, y) = (x.float(), y.float());
                    let result = match op {
                        '+' => x + y,
                        '-' => x - y,
                        '*' => x * y,
                        _ if y == 0.0 => return V::Null,
                        _ => x / y,
                    };
                    let burst = !result.is_finite() && x.is_finite() && y.is_finite();
                    return if burst { V::Null } else { V::Number(Number::of_float(result)) };
                }
                let (Number::Finite(x), Number::Finite(y)) = (x, y) else {
                    panic!("exact numbers are finite")
                };
                let result = match (op, self.logical()) {
                    ('+', _) => Some(x.plus(&y)),
                    ('-', _) => Some(x.minus(&y)),
                    ('*', _) => Some(x.times(&y)),
                    (_, Some(Type::Exact(scale))) => x.divided(&y, scale),
                    _ => None,
                };
                self.fitting(result.map(Number::Finite))
            }
            Sql::Negate(e) => self.fitting(e.number(row).map(|n| match n {
                Number::Finite(digits) => Number::Finite(digits.negated()),
                Number::Infinity { minus } => Number::Infinity { minus: !minus },
                Number::NotANumber => Number::NotANumber,
            })),
            Sql::Abs(e) => self.fitting(e.number(row).map(|n| match n {
                Number::Finite(digits) => Number::Finite(digits.size()),
                Number::Infinity { .. } => Number::Infinity { minus: false },
                Number::NotANumber => Number::NotANumber,
            })),
            Sql::Round(e, places) => self.fitting(e.number(row).map(|n| match n {
                Number::Finite(digits) => Number::Finite(digits.rounded(usize::from(*places))),
                other => other,
            })),
            Sql::Concat(a, b) => text(a.string(row).zip(b.string(row)).map(|(a, b)| a + &b)),
            Sql::Text(function, e) => text(e.string(row).map(|t| match *function {
                "lower" => t.to_lowercase(),
                "upper" => t.to_uppercase(),
                "ltrim" => t.trim_start_matches(' ').to_owned(),
                "rtrim" => t.trim_end_matches(' ').to_owned(),
                _ => t.trim_matches(' ').to_owned(),
            })),
            Sql::Substring(e, from, count) => {
                if count.is_some_and(|count| count < 0) {
                    return V::Null;
                }
                let end = count.map_or(i64::MAX, |count| i64::from(*from) + i64::from(count));
                text(e.string(row).map(|t| {
                    let places = t.chars().zip(1_i64..);
                    places.filter(|(_, at)| (i64::from(*from)..end).contains(at)).map(|(c, _)| c).collect()
                }))
            }
            Sql::Length(e) => {
                let length = e.string(row).map(|t| Digits::read(&t.chars().count().to_string()).unwrap());
                self.fitting(length.map(Number::Finite))
            }
            Sql::Coalesce(parts) => {
                let mut values = parts.iter().map(|e| self.as_mine(e.value(row)));
                values.find(|v| *v != V::Null).unwrap_or(V::Null)
            }
            Sql::Nullif(a, b) => {
                let (a, b) = (a.value(row), b.value(row));
                if order(&a, &b) == Some(Ordering::Equal) { V::Null } else { a }
            }
            Sql::Case(arms, otherwise) => {
                let arm = arms.iter().find(|(when, _)| when.truth(row) == Some(true)).map(|(_, then)| then);
                arm.or(otherwise.as_deref()).map_or(V::Null, |e| self.as_mine(e.value(row)))
            }
            Sql::AsDate(e) => match e.value(row) {
                V::Moment(m) => V::Moment(plain::midnight(m)),
                other => other,
            },
            Sql::AsText(e) => text(e.number(row).map(|n| n.text())),
        }
    }

    fn as_mine(&self, value: V) -> V {
        match value {
            V::Number(number) => self.fitting(Some(number)),
            other => other,
        }
    }
}

/// Returns `and` or `or` of conditions that may be unknown.
fn chain(and: bool, parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.collect();
    if parts.contains(&Some(!and)) {
        Some(!and)
    } else if parts.contains(&None) {
        None
    } else {
        Some(and)
    }
}

fn order(a: &V, b: &V) -> Option<Ordering> {
    Some(match (a, b) {
        (V::Null, _) | (_, V::Null) => return None,
        (V::Number(a), V::Number(b)) => a.order(b),
        (V::Text(a), V::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (V::Moment(a), V::Moment(b)) => a.cmp(b),
        (V::Bool(a), V::Bool(b)) => a.cmp(b),
        (a, b) => panic!("{a:?} and {b:?} have no order"),
    })
}

fn holds(op: &str, order: Ordering) -> bool {
    match op {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        other => panic!("{other} compares nothing"),
    }
}

fn like(pattern: &[char], text: &[char]) -> bool {
    let is_next = |c: &char, rest: &[char]| text.first() == Some(c) && like(rest, &text[1..]);
    match pattern {
        [] => text.is_empty(),
        ['!', c, rest @ ..] => is_next(c, rest),
        ['%', rest @ ..] => (0..=text.len()).any(|i| like(rest, &text[i..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        [c, rest @ ..] => is_next(c, rest),
    }
}

fn literal_number() -> impl Strategy<Value = Sql> {
    proptest::sample::select(vec!["0", "1", "2", "1.5", "-1", "0.1", "7", "100", "0.05", "-0.0"]).prop_map(
        |text| {
            let value = V::Number(Number::Finite(Digits::read(text).unwrap()));
            Sql::Literal(text.to_owned(), value)
        },
    )
}

fn columns_of(names: &[&'static str]) -> impl Strategy<Value = Sql> + Clone + use<> {
    proptest::sample::select(names.to_vec()).prop_map(Sql::Column)
}

fn null() -> Just<Sql> {
    Just(Sql::Literal("null".to_owned(), V::Null))
}

fn boxed(strategy: impl Strategy<Value = Sql>) -> impl Strategy<Value = Box<Sql>> {
    strategy.prop_map(Box::new)
}

/// Numbers: exact ones, or floating-point ones.
fn number(depth: u32, float: bool) -> BoxedStrategy<Sql> {
    let leaf = if float { columns_of(&["f", "g"]) } else { columns_of(&["n", "u", "d"]) };
    if depth == 0 {
        return prop_oneof![4 => leaf, 2 => literal_number(), 1 => null()].boxed();
    }
    let inner = move || number(depth - 1, float);
    // A floating-point number makes the result one, whatever stands beside it.
    let beside = move || if float { prop_oneof![inner(), number(depth - 1, false)].boxed() } else { inner() };
    let op = proptest::sample::select(vec!['+', '-', '*', '/']);
    let column = if float { columns_of(&["f", "g"]) } else { columns_of(&["n", "u", "d"]) };
    let choices = prop_oneof![
        4 => (op, boxed(leaf), boxed(beside()), any::<bool>()).prop_map(|(op, a, b, turned)| {
            if turned { Sql::Arithmetic(op, b, a) } else { Sql::Arithmetic(op, a, b) }
        }),
        1 => boxed(column.clone()).prop_map(Sql::Negate),
        1 => boxed(column.clone()).prop_map(Sql::Abs),
        1 => (boxed(inner()), 0..4_u8).prop_map(|(e, places)| Sql::Round(e, places)),
        1 => (inner(), inner(), column.clone()).prop_map(|(a, b, c)| Sql::Coalesce(vec![c, a, b])),
        1 => (boxed(column.clone()), boxed(inner())).prop_map(|(a, b)| Sql::Nullif(a, b)),
        1 => (condition(depth - 1), inner(), proptest::option::of(boxed(column)))
            .prop_map(|(when, then, otherwise)| Sql::Case(vec![(when, then)], otherwise)),
    ];
    if float {
        choices.prop_filter("a floating-point number", |e| e.logical() == Some(Type::Float)).boxed()
    } else {
        prop_oneof![9 => choices, 1 => boxed(string(depth - 1)).prop_map(Sql::Length)]
            .prop_filter("an exact number", |e| !matches!(e.logical(), Some(Type::Null | Type::Float)))
            .boxed()
    }
}

fn string(depth: u32) -> BoxedStrategy<Sql> {
    let literal = proptest::sample::select(vec!["", "a", "A", "ab", " a", "é", "1"])
        .prop_map(|text| Sql::Literal(format!("'{text}'"), V::Text(text.to_owned())));
    let leaf = prop_oneof![4 => columns_of(&["t", "c"]), 2 => literal, 1 => null()];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = move || string(depth - 1);
    let functions = proptest::sample::select(vec!["lower", "upper", "trim", "ltrim", "rtrim"]);
    prop_oneof![
        2 => leaf,
        1 => (boxed(inner()), boxed(inner())).prop_map(|(a, b)| Sql::Concat(a, b)),
        2 => (functions, boxed(inner())).prop_map(|(function, e)| Sql::Text(function, e)),
        1 => (boxed(inner()), -2..4_i8, proptest::option::of(-1..4_i8))
            .prop_map(|(e, from, count)| Sql::Substring(e, from, count)),
        1 => (columns_of(&["t", "c"]), inner()).prop_map(|(a, b)| Sql::Coalesce(vec![a, b])),
        1 => (boxed(columns_of(&["t", "c"])), boxed(inner())).prop_map(|(a, b)| Sql::Nullif(a, b)),
        1 => (condition(depth - 1), inner(), boxed(columns_of(&["t", "c"])))
            .prop_map(|(when, then, otherwise)| Sql::Case(vec![(when, then)], Some(otherwise))),
        1 => boxed(columns_of(&["n", "u", "d", "f"])).prop_map(Sql::AsText),
    ]
    .boxed()
}

fn moment(depth: u32) -> BoxedStrategy<Sql> {
    let at = |text: &str| match Value::parse(text, &Logical::TIMESTAMP) {
        Some(Value::Moment(m)) => V::Moment(m),
        other => panic!("{text}: {other:?}"),
    };
    let dates = proptest::sample::select(vec!["2020-01-01", "2026-01-31", "1900-01-01"])
        .prop_map(move |text| Sql::Literal(format!("date '{text}'"), at(text)));
    let times = proptest::sample::select(vec!["2020-01-01 00:00:00", "2020-01-01 00:00:01"])
        .prop_map(move |text| Sql::Literal(format!("timestamp '{text}'"), at(text)));
    let today = Just(Sql::Literal("current_date".to_owned(), at("2026-01-31")));
    let leaf = prop_oneof![4 => columns_of(&["a", "m"]), 1 => dates, 1 => times, 1 => today, 1 => null()];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = move || moment(depth - 1);
    prop_oneof![
        3 => leaf,
        1 => boxed(columns_of(&["a", "m"])).prop_map(Sql::AsDate),
        1 => (columns_of(&["a", "m"]), inner()).prop_map(|(a, b)| Sql::Coalesce(vec![a, b])),
        1 => (boxed(columns_of(&["a", "m"])), boxed(inner())).prop_map(|(a, b)| Sql::Nullif(a, b)),
        1 => (condition(depth - 1), inner(), boxed(columns_of(&["a", "m"])))
            .prop_map(|(when, then, otherwise)| Sql::Case(vec![(when, then)], Some(otherwise))),
    ]
    .boxed()
}

fn condition(depth: u32) -> BoxedStrategy<Sql> {
    let leaf = prop_oneof![
        3 => columns_of(&["b"]),
        1 => any::<bool>().prop_map(|v| Sql::Literal(v.to_string(), V::Bool(v))),
        1 => null(),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = move || condition(depth - 1);
    // Values of one kind, to be compared with one another.
    let values = move |count: usize| {
        let mixed = prop_oneof![2 => number(depth - 1, false), 1 => number(depth - 1, true)].boxed();
        prop_oneof![
            4 => proptest::collection::vec(mixed, count),
            2 => proptest::collection::vec(string(depth - 1), count),
            2 => proptest::collection::vec(moment(depth - 1), count),
            1 => proptest::collection::vec(prop_oneof![3 => columns_of(&["b"]), 1 => null()], count),
        ]
    };
    let pair = move || values(2).prop_map(|mut two| (two.remove(0), two.remove(0)));
    let ops = proptest::sample::select(vec!["=", "<>", "<", "<=", ">", ">=", "is distinct from"]);
    let is = proptest::sample::select(vec!["null", "not null", "true", "not true", "false", "not false"]);
    let patterns = proptest::sample::select(vec!["%", "a%", "_", "%b", "a!%b", "", "A_", "é", "%!_%"]);
    prop_oneof![
        1 => leaf,
        6 => (ops, pair()).prop_map(|(op, (a, b))| Sql::Compare(op, Box::new(a), Box::new(b))),
        3 => (any::<bool>(), proptest::collection::vec(inner(), 2..4)).prop_map(|(and, parts)| Sql::Chain(and, parts)),
        2 => boxed(inner()).prop_map(Sql::Not),
        1 => (boxed(inner()), is).prop_map(|(e, what)| Sql::Is(e, what)),
        1 => pair().prop_map(|(a, _)| Sql::Is(Box::new(a), "null")),
        2 => (values(4), any::<bool>()).prop_map(|(mut list, negated)| {
            let value = list.remove(0);
            Sql::In(Box::new(value), list, negated)
        }),
        2 => (values(3), any::<bool>()).prop_map(|(list, negated)| {
            let parts: [Sql; 3] = list.try_into().expect("three values");
            Sql::Between(Box::new(parts), negated)
        }),
        1 => (boxed(string(depth - 1)), patterns, any::<bool>(), any::<bool>())
            .prop_map(|(e, pattern, any_case, negated)| Sql::Like(e, pattern, any_case, negated)),
        1 => (inner(), inner(), boxed(columns_of(&["b"])))
            .prop_map(|(when, then, otherwise)| Sql::Case(vec![(when, then)], Some(otherwise))),
    ]
    .boxed()
}

fn rows() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(0..12_u8, 10), 0..7)
}

/// Makes the rows of numbers that pick values; 0 is NULL.
fn make(picked: &[Vec<u8>]) -> (Frame, Vec<Vec<V>>) {
    let fields = columns();
    let value = |field: &Field, number: u8| {
        let pool = pool(&field.name);
        let at = usize::from(number).checked_sub(1)?;
        Some(Value::parse(pool[at % pool.len()], &field.logical).unwrap())
    };
    let rows: Vec<Vec<Option<Value>>> = picked
        .iter()
        .map(|row| fields.iter().zip(row).map(|(field, number)| value(field, *number)).collect())
        .collect();
    let plain = |value: &Option<Value>, field: &Field| match value {
        None => V::Null,
        Some(Value::Bool(v)) => V::Bool(*v),
        Some(Value::Text(v)) => V::Text(v.clone()),
        Some(Value::Date(days)) => V::Moment(i64::from(*days) * 86_400_000_000),
        Some(Value::Moment(m)) => V::Moment(*m),
        Some(number) => V::Number(plain::number(number, &field.logical).unwrap()),
    };
    let values = rows.iter().map(|row| row.iter().zip(&fields).map(|(v, f)| plain(v, f)).collect()).collect();
    (table::build(fields, &rows), values)
}

/// Binds and evaluates a condition; the error says why it was refused.
fn evaluate(sql: &str, frame: &Frame) -> Result<Vec<Option<bool>>, String> {
    let file = Arc::new(SourceFile::new("t.yml", sql));
    let text = Spanned { value: sql.to_owned(), span: Span { file, range: 0..sql.len() } };
    let as_of = chrono::DateTime::parse_from_rfc3339(&AS_OF.replace(' ', "T")).unwrap().to_utc();
    let mut out = Diagnostics::default();
    let bound = parse(&text, &mut out).and_then(|e| e.bind(&frame.schema, as_of, &mut out));
    three_valued(frame, &bound.ok_or_else(|| out.render(false))?).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(super::cases(1000))]

    #[test]
    fn conditions_are_what_plain_sql_makes_of_them(sql in condition(3), picked in rows()) {
        prop_assume!(sql.names_a_column());
        let text = sql.text();
        let (frame, rows) = make(&picked);
        let found = evaluate(&text, &frame);
        if sql.logical().is_none() {
            let refused = found.is_err_and(|message| message.contains("digits behind the point"));
            prop_assert!(refused, "{} has too many digits", text);
            return Ok(());
        }
        let plain: Vec<Option<bool>> = rows.iter().map(|row| sql.truth(row)).collect();
        prop_assert_eq!(found, Ok(plain), "{}", text);
    }
}

#[test]
fn a_division_by_a_number_of_38_digits_has_a_result() {
    // 9223372036854775807 times itself has 38 digits.
    let (frame, _) = make(&[vec![6, 1, 1, 1, 1, 1, 1, 1, 1, 1]]);
    assert_eq!(evaluate("n / (n * n) = 0", &frame), Ok(vec![Some(true)]));
    assert_eq!(evaluate("(n * n) / (n * n) = 1", &frame), Ok(vec![Some(true)]));
    assert_eq!(evaluate("(n * n) / 0 is null", &frame), Ok(vec![Some(true)]));
}
