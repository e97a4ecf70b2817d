//! SQL to our tree: syntax and allow list, without a schema.

mod values;

use std::ops::Range;

use sqlparser::ast::{
    self, BinaryOperator, CaseWhen, CastKind, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    InTarget, Spanned as _, TrimWhereField, TypedString, UnaryOperator, Value,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};

use super::names::{Named, Names};
use super::place;
use super::tree::{Arithmetic, Comparison, Function, Is, Kind, Node};

/// The most words and signs of one expression.
const MOST_TOKENS: usize = 5_000;
/// An expression of no more words and signs is read on any stack.
const FEW_TOKENS: usize = 200;
/// The bytes of stack that longer ones have.
const DEEP_STACK: usize = 64 << 20;
/// The most levels of an expression.
const MOST_LEVELS: usize = 100;

/// Reads an expression into our tree.
pub(super) fn read(text: &Spanned<String>, out: &mut Diagnostics) -> Option<Node> {
    let sql = text.value.as_str();
    let tokens = match Tokenizer::new(&GenericDialect, sql).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            out.push(syntax(text, &error.to_string(), "condition"));
            return None;
        }
    };
    let words = tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF)).count();
    if words == 0 {
        out.push(Diagnostic::error(&text.span, "an SQL condition is expected here, not nothing"));
        return None;
    }
    if words > MOST_TOKENS {
        out.push(
            Diagnostic::error(&text.span, format!("the expression has more than {MOST_TOKENS} words"))
                .help("a long list of values belongs into a file: see `accepted_values` and its `from`"),
        );
        return None;
    }
    if words <= FEW_TOKENS {
        return tree(text, tokens, out);
    }
    // The parser's trees are as deep as a chain is long, and are walked and dropped by recursion.
    let mut own = Diagnostics::default();
    let joined = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK);
        thread.spawn_scoped(scope, || tree(text, tokens, &mut own)).map(std::thread::ScopedJoinHandle::join)
    });
    out.extend(own);
    match joined {
        Ok(Ok(node)) => node,
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => {
            out.push(Diagnostic::error(&text.span, format!("the expression cannot be read: {error}")));
            None
        }
    }
}

/// Reads an expression's tokens into our tree.
fn tree(text: &Spanned<String>, tokens: Vec<TokenWithSpan>, out: &mut Diagnostics) -> Option<Node> {
    let sql = text.value.as_str();
    let mut parser = Parser::new(&GenericDialect).with_tokens_with_locations(tokens);
    let expr = match parser.parse_expr() {
        Ok(expr) => expr,
        Err(error) => {
            out.push(syntax(text, &words(error), "condition"));
            return None;
        }
    };
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let span = place::bytes(sql, rest.span)
            .map_or_else(|| text.span.clone(), |range| place::in_file(text, &range));
        out.push(
            Diagnostic::error(&span, format!("the expression should end before `{}`", rest.token)).help(
                match rest.token {
                    Token::RParen => "a bracket is closed here that was not opened",
                    Token::SemiColon => "an expression is one condition, without `;`",
                    _ => "two conditions are joined by `and` or `or`",
                },
            ),
        );
        return None;
    }
    named(text, expr, &mut Plain, out)
}

/// Reads a part of an SQL text that is parsed already; `names` knows what stands for a column.
pub(super) fn named(
    text: &Spanned<String>,
    expr: Expr,
    names: &mut dyn Names,
    out: &mut Diagnostics,
) -> Option<Node> {
    Reader { text, names, out, level: 0 }.node(expr)
}

/// The names of an expression over one row: its columns, and nothing else.
struct Plain;

impl Names for Plain {
    fn column(&mut self, _: &Expr, _: &Range<usize>, _: &mut Diagnostics) -> Named {
        Named::Plain
    }
}

/// Returns what the SQL parser says.
pub(super) fn words(error: ParserError) -> String {
    match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
        ParserError::RecursionLimitExceeded => "it has too many levels".to_owned(),
    }
}

/// Makes a diagnostic of the SQL parser's message, which may end in a place; `what` the text should be.
pub(super) fn syntax(text: &Spanned<String>, message: &str, what: &str) -> Diagnostic {
    let (message, at) = match message.rsplit_once(" at Line: ") {
        Some((message, at)) => (message, at),
        None => (message, ""),
    };
    let span = at.split_once(", Column: ").and_then(|(line, column)| {
        let at = Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? };
        let start = place::byte(&text.value, at)?;
        let rest = text.value.get(start..)?;
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        (length > 0).then(|| place::in_file(text, &(start..start + length)))
    });
    let message = message.trim_start_matches("sql parser error: ");
    let at = span.as_ref().unwrap_or(&text.span);
    match message.strip_prefix("Expected: ").and_then(|message| message.split_once(", found: ")) {
        Some((wanted, "EOF")) => {
            Diagnostic::error(at, format!("the {what} ends too soon: it should go on with {wanted}"))
        }
        Some((wanted, found)) => {
            Diagnostic::error(at, format!("this is not an SQL {what}: {wanted} is expected before `{found}`"))
                .help("a column whose name is an SQL word stands in double quotes: \"end\"")
        }
        None => Diagnostic::error(at, format!("this is not an SQL {what}: {message}")),
    }
}

struct Reader<'a> {
    text: &'a Spanned<String>,
    names: &'a mut dyn Names,
    out: &'a mut Diagnostics,
    level: usize,
}

impl Reader<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        place::in_file(self.text, range)
    }

    fn range(&self, expr: &Expr) -> Range<usize> {
        place::bytes(&self.text.value, expr.span()).unwrap_or(0..self.text.value.len())
    }

    /// Reports something that expressions do not have.
    fn refuse<T>(&mut self, range: &Range<usize>, message: impl Into<String>, help: &str) -> Option<T> {
        let mut diagnostic = Diagnostic::error(&self.span(range), message);
        if !help.is_empty() {
            diagnostic = diagnostic.help(help);
        }
        self.out.push(diagnostic);
        None
    }

    fn boxed(&mut self, expr: Expr) -> Option<Box<Node>> {
        self.node(expr).map(Box::new)
    }

    fn nodes(&mut self, exprs: Vec<Expr>) -> Option<Vec<Node>> {
        // All are read, so that all mistakes are told.
        let nodes: Vec<Option<Node>> = exprs.into_iter().map(|expr| self.node(expr)).collect();
        nodes.into_iter().collect()
    }

    /// Reads two parts, and tells the mistakes of both.
    fn pair(&mut self, left: Expr, right: Expr) -> Option<(Box<Node>, Box<Node>)> {
        let (left, right) = (self.boxed(left), self.boxed(right));
        Some((left?, right?))
    }

    fn node(&mut self, expr: Expr) -> Option<Node> {
        let range = self.range(&expr);
        if self.level >= MOST_LEVELS {
            return self.refuse(
                &range,
                format!("the expression has more than {MOST_LEVELS} levels"),
                "split it into several checks",
            );
        }
        self.level += 1;
        let kind = self.kind(expr, &range);
        self.level -= 1;
        Some(Node { kind: kind?, range })
    }

    fn kind(&mut self, expr: Expr, range: &Range<usize>) -> Option<Kind> {
        match self.names.column(&expr, range, self.out) {
            Named::Column(name) => return Some(Kind::Column(name)),
            Named::Refused => return None,
            Named::Plain => {}
        }
        Some(match expr {
            Expr::Nested(inner) => self.node(*inner)?.kind,
            Expr::Identifier(Ident { value, .. }) => Kind::Column(value),
            Expr::CompoundIdentifier(parts) => {
                let column = parts.last().map(|p| p.value.clone()).unwrap_or_default();
                let message =
                    format!("an expression looks at one row of its own dataset: write `{column}` alone");
                return self.refuse(range, message, "");
            }
            Expr::Value(value) => self.value(value.value, range)?,
            Expr::TypedString(TypedString { data_type, value, .. }) => {
                self.typed(&data_type, value.value, range)?
            }
            Expr::Interval(interval) => self.interval(interval, range)?,
            Expr::IsNull(e) | Expr::IsUnknown(e) => self.is(*e, Is::Null, false)?,
            Expr::IsNotNull(e) | Expr::IsNotUnknown(e) => self.is(*e, Is::Null, true)?,
            Expr::IsTrue(e) => self.is(*e, Is::True, false)?,
            Expr::IsNotTrue(e) => self.is(*e, Is::True, true)?,
            Expr::IsFalse(e) => self.is(*e, Is::False, false)?,
            Expr::IsNotFalse(e) => self.is(*e, Is::False, true)?,
            Expr::IsDistinctFrom(left, right) => {
                let (left, right) = self.pair(*left, *right)?;
                Kind::Distinct { left, right, negated: false }
            }
            Expr::IsNotDistinctFrom(left, right) => {
                let (left, right) = self.pair(*left, *right)?;
                Kind::Distinct { left, right, negated: true }
            }
            Expr::In { expr, target: InTarget::List(list), negated, .. } => {
                let (value, list) = (self.boxed(*expr), self.nodes(list));
                let (value, list) = (value?, list?);
                if list.is_empty() {
                    return self.refuse(range, "`in` needs at least one value", "");
                }
                Kind::In { value, list, negated }
            }
            Expr::Between { expr, negated, low, high } => {
                let (value, (low, high)) = (self.boxed(*expr), self.pair(*low, *high)?);
                Kind::Between { value: value?, low, high, negated }
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like(*expr, *pattern, escape_char, (false, negated), range)?
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                self.like(*expr, *pattern, escape_char, (true, negated), range)?
            }
            Expr::BinaryOp { left, op, right } => self.binary(*left, &op, *right, range)?,
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Kind::Not(self.boxed(*expr)?),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                let inner = self.node(*expr)?;
                match inner.kind {
                    Kind::Number { digits, scale } => Kind::Number { digits: -digits, scale },
                    _ => Kind::Negate(Box::new(inner)),
                }
            }
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => self.node(*expr)?.kind,
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.map(|e| *e), conditions, else_result.map(|e| *e))?
            }
            Expr::Cast { kind, expr, data_type, format: None } => {
                let value = self.boxed(*expr);
                let to = self.logical(&data_type, range);
                if kind == CastKind::SafeCast {
                    return self.refuse(range, "`safe_cast` is not known here", "write `cast(… as …)`");
                }
                Kind::Cast { value: value?, to: to? }
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let from =
                    substring_from.map_or_else(|| Expr::value(Value::Number("1".to_owned(), false)), |e| *e);
                let parts = [*expr, from].into_iter().chain(substring_for.map(|e| *e)).collect();
                Kind::Call { function: Function::Substring, arguments: self.nodes(parts)? }
            }
            Expr::Trim { expr, trim_where, trim_what, trim_characters } => {
                let (start, end) = match trim_where {
                    None | Some(TrimWhereField::Both) => (true, true),
                    Some(TrimWhereField::Leading) => (true, false),
                    Some(TrimWhereField::Trailing) => (false, true),
                };
                let what = trim_what.map(|e| *e).into_iter().chain(trim_characters.into_iter().flatten());
                let arguments = self.nodes(std::iter::once(*expr).chain(what).collect())?;
                Kind::Call { function: Function::Trim { start, end }, arguments }
            }
            Expr::Function(function) => self.call(function, range)?,
            _ => {
                return self.refuse(
                    range,
                    "this part of SQL is not known here",
                    "comparisons, and, or, not, is null, in (list), between, like, case, cast, + - * / and || are",
                );
            }
        })
    }

    fn is(&mut self, expr: Expr, what: Is, negated: bool) -> Option<Kind> {
        Some(Kind::Is { value: self.boxed(expr)?, what, negated })
    }

    fn binary(&mut self, left: Expr, op: &BinaryOperator, right: Expr, range: &Range<usize>) -> Option<Kind> {
        let comparison = match op {
            BinaryOperator::And | BinaryOperator::Or => return self.chain(left, op, right),
            BinaryOperator::Eq => Some(Comparison::Equal),
            BinaryOperator::NotEq => Some(Comparison::NotEqual),
            BinaryOperator::Lt => Some(Comparison::Less),
            BinaryOperator::LtEq => Some(Comparison::LessOrEqual),
            BinaryOperator::Gt => Some(Comparison::Greater),
            BinaryOperator::GtEq => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        let arithmetic = match op {
            BinaryOperator::Plus => Some(Arithmetic::Add),
            BinaryOperator::Minus => Some(Arithmetic::Subtract),
            BinaryOperator::Multiply => Some(Arithmetic::Multiply),
            BinaryOperator::Divide => Some(Arithmetic::Divide),
            _ => None,
        };
        if comparison.is_none() && arithmetic.is_none() && *op != BinaryOperator::StringConcat {
            let help = match op {
                BinaryOperator::PGRegexMatch | BinaryOperator::PGRegexIMatch => {
                    "`like` compares with a pattern, and the check `pattern` with a regular expression"
                }
                _ => "= <> < <= > >= + - * / and || are",
            };
            return self.refuse(range, format!("the operator `{op}` is not known here"), help);
        }
        let (left, right) = self.pair(left, right)?;
        Some(match (comparison, arithmetic) {
            (Some(op), _) => Kind::Compare { op, left, right },
            (_, Some(op)) => Kind::Arithmetic { op, left, right },
            _ => Kind::Concat { left, right },
        })
    }

    /// Reads a chain of the same `and` or `or` as one level: chains may be long.
    fn chain(&mut self, left: Expr, op: &BinaryOperator, right: Expr) -> Option<Kind> {
        let mut parts = vec![right];
        let mut rest = left;
        loop {
            match rest {
                Expr::BinaryOp { left, op: inner, right } if inner == *op => {
                    parts.push(*right);
                    rest = *left;
                }
                first => {
                    parts.push(first);
                    break;
                }
            }
        }
        parts.reverse();
        let parts = self.nodes(parts)?;
        Some(if *op == BinaryOperator::And { Kind::And(parts) } else { Kind::Or(parts) })
    }

    fn like(
        &mut self,
        expr: Expr,
        pattern: Expr,
        escape: Option<Box<Expr>>,
        (any_case, negated): (bool, bool),
        range: &Range<usize>,
    ) -> Option<Kind> {
        let value = self.boxed(expr);
        let pattern = match self.node(pattern)?.kind {
            Kind::Text(text) => Some(text),
            Kind::Null => None,
            _ => return self.refuse(range, "`like` needs a pattern in single quotes", ""),
        };
        let escape = match escape.map(|e| self.node(*e)) {
            None => None,
            Some(node) => match node?.kind {
                Kind::Text(text) if text.chars().count() <= 1 => text.chars().next(),
                _ => return self.refuse(range, "`escape` needs one character in single quotes", ""),
            },
        };
        if let Some(pattern) = &pattern
            && let Err(message) = super::like::regex(pattern, escape, any_case)
        {
            let help = "without `escape` no character is special but % and _: say `escape '\\'` to use the backslash";
            return self.refuse(range, message, help);
        }
        Some(Kind::Like { value: value?, pattern, escape, any_case, negated })
    }

    fn case(&mut self, operand: Option<Expr>, arms: Vec<CaseWhen>, otherwise: Option<Expr>) -> Option<Kind> {
        let operand = operand.map(|e| self.boxed(e));
        let arms: Vec<Option<(Node, Node)>> = arms
            .into_iter()
            .map(|arm| {
                let (when, then) = (self.node(arm.condition), self.node(arm.result));
                Some((when?, then?))
            })
            .collect();
        let otherwise = otherwise.map(|e| self.boxed(e));
        Some(Kind::Case {
            operand: operand.map_or(Some(None), |o| o.map(Some))?,
            arms: arms.into_iter().collect::<Option<_>>()?,
            otherwise: otherwise.map_or(Some(None), |o| o.map(Some))?,
        })
    }

    fn call(&mut self, call: ast::Function, range: &Range<usize>) -> Option<Kind> {
        let name = call.name.to_string().to_lowercase();
        if call.over.is_some() || call.filter.is_some() || !call.within_group.is_empty() {
            return self.refuse(range, "an expression looks at one row, not at several", "");
        }
        let arguments = match call.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::List(list)
                if list.clauses.is_empty() && list.duplicate_treatment.is_none() =>
            {
                let mut arguments = Vec::with_capacity(list.args.len());
                for argument in list.args {
                    match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(expr),
                        _ => return self.refuse(range, format!("`{name}` takes plain values"), ""),
                    }
                }
                arguments
            }
            _ => return self.refuse(range, format!("`{name}` takes plain values"), ""),
        };
        match (name.as_str(), arguments.is_empty()) {
            ("current_date", true) => return Some(Kind::Today),
            ("as_of", true) => return Some(Kind::AsOf),
            ("current_timestamp" | "now" | "getdate" | "localtimestamp", _) => {
                let help = "`as_of()` is the run's \"now\", the same for every row and every rule";
                return self.refuse(range, format!("`{name}` is not known here"), help);
            }
            ("count" | "sum" | "avg" | "min" | "max", _) => {
                return self.refuse(range, "an expression looks at one row, not at several", "");
            }
            _ => {}
        }
        let Some((_, function, least, most)) = Function::ALL.iter().find(|(n, ..)| *n == name) else {
            let span = self.span(range);
            let names = Function::ALL.iter().map(|(n, ..)| *n).chain(["as_of", "current_date"]);
            self.out.push(
                Diagnostic::error(&span, format!("there is no function `{name}`")).suggest(&name, names),
            );
            return None;
        };
        if !(*least..=*most).contains(&arguments.len()) {
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let message = format!("`{name}` takes {wanted} values, not {}", arguments.len());
            return self.refuse(range, message, "");
        }
        Some(Kind::Call { function: *function, arguments: self.nodes(arguments)? })
    }
}
