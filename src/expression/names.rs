//! Expressions as parts of a query, whose names are those of several tables, and whose functions may look at several rows.

use std::ops::Range;

use sqlparser::ast::Expr;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::Span as SqlSpan;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};

use super::tree::Kind;
use super::{Expression, parse, place};

/// What a part of an expression is to whoever knows the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// Its values are those of this column.
    Column(String),
    /// It cannot be there, which has been reported.
    Refused,
    /// It is what it is in any expression.
    Plain,
}

/// Knows the names of an expression.
pub(crate) trait Names {
    /// Says what a part is, before it is read itself; `range` are its bytes in the SQL text.
    fn column(&mut self, part: &Expr, range: &Range<usize>, out: &mut Diagnostics) -> Named;
}

/// Reads a part of an SQL text that is parsed already.
pub(crate) fn of_sql(
    text: &Spanned<String>,
    part: &Expr,
    names: &mut dyn Names,
    out: &mut Diagnostics,
) -> Option<Expression> {
    let root = parse::named(text, part.clone(), names, out)?;
    Some(Expression { text: text.clone(), root })
}

/// Returns the bytes of an SQL text at a span of its parser; the whole of it where the span is empty.
pub(crate) fn sql_range(text: &Spanned<String>, span: SqlSpan) -> Range<usize> {
    place::bytes(&text.value, span).unwrap_or(0..text.value.len())
}

/// Returns the place in the file of some bytes of an SQL text.
pub(crate) fn sql_place(text: &Spanned<String>, range: &Range<usize>) -> Span {
    place::in_file(text, range)
}

/// Makes a diagnostic of what the SQL parser found wrong with a query.
pub(crate) fn not_a_query(text: &Spanned<String>, error: ParserError) -> Diagnostic {
    parse::syntax(text, &parse::words(error), "query")
}

impl Expression {
    /// Returns the column that it is, where it is nothing else.
    pub(crate) fn as_column(&self) -> Option<&str> {
        match &self.root.kind {
            Kind::Column(name) => Some(name),
            _ => None,
        }
    }
}
