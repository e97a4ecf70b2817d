//! What policies ask to be done before values are compared: expressions and lists of codes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostics, Span, Spanned};
use crate::expression;
use crate::frame::{Texts, Value, series_of};
use crate::model::{Field, Logical, Schema, Side};
use crate::reconcile::config::{ColumnPolicy, Reconcile};
use crate::reconcile::convert::read_text;
use crate::reconcile::prepare::{How, Preparation, Step};
use crate::rule::{Given, Pair, Place, ProjectFiles, listed_already};

/// What binding needs beside the columns.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The files that lookups stand in.
    pub files: &'a ProjectFiles,
    /// The run's "now", for expressions.
    pub as_of: DateTime<Utc>,
}

impl ColumnPolicy {
    /// Returns the expression of a side, and its word.
    pub fn expression(&self, side: Side) -> (&'static str, Option<&Spanned<String>>) {
        match side {
            Side::Target => ("target_expression", self.target_expression.as_ref()),
            Side::Source | Side::Expected => ("source_expression", self.source_expression.as_ref()),
        }
    }

    /// Returns true where it calculates values or replaces codes before they are compared.
    pub fn prepares(&self) -> bool {
        let expressions = [Side::Source, Side::Target].iter().any(|side| self.expression(*side).1.is_some());
        expressions || self.map.is_some() || self.lookup.is_some()
    }

    /// Returns the columns that the expressions of both sides name.
    pub fn named(&self) -> Vec<String> {
        let mut unheard = Diagnostics::default();
        let texts = [Side::Source, Side::Target].into_iter().filter_map(|side| self.expression(side).1);
        let parsed = texts.filter_map(|text| expression::parse_value(text, &mut unheard));
        parsed.flat_map(|expression| expression.columns()).map(|column| column.value).collect()
    }

    /// Returns where the codes that are replaced are listed, and the word that says so; nothing where none are.
    pub(in crate::reconcile) fn codes<'a>(
        &'a self,
        owner: &'a str,
        at: &'a Span,
    ) -> Option<(&'static str, Given<'a>)> {
        let word = match (&self.map, &self.lookup) {
            (None, None) => return None,
            (Some(_), _) => "map",
            (None, Some(_)) => "lookup",
        };
        let inline = ("map", self.map.as_ref());
        Some((word, Given { owner, at, inline, file: ("lookup", self.lookup.as_ref()) }))
    }

    /// Checks what can be checked without data: the syntax of expressions, and lists of codes. Returns the columns that
    /// expressions name, by side.
    pub fn check(
        &self,
        name: &str,
        at: &Span,
        files: &ProjectFiles,
        out: &mut Diagnostics,
    ) -> Vec<(Side, Vec<Spanned<String>>)> {
        let owner = owner(name);
        if let Some((_, given)) = self.codes(&owner, at)
            && let Some(pairs) = given.pairs(files, out)
        {
            let mut seen: BTreeMap<&str, &Pair> = BTreeMap::new();
            for pair in &pairs {
                let Some(from) = pair.from.text.as_deref() else { continue };
                match seen.get(from) {
                    Some(first) => listed_already(first, pair, out),
                    None => {
                        seen.insert(from, pair);
                    }
                }
            }
        }
        let mut named = Vec::new();
        for side in [Side::Source, Side::Target] {
            let parsed = self.expression(side).1.and_then(|text| expression::parse_value(text, out));
            named.extend(parsed.map(|expression| (side, expression.columns())));
        }
        named
    }
}

fn owner(name: &str) -> String {
    format!("`{name}` of `reconcile`")
}

/// Binds what is done before values are compared: to expected, and to the target.
pub(super) fn preparations(
    config: &Reconcile,
    expected: &Schema,
    target: &Schema,
    context: Context<'_>,
    out: &mut Diagnostics,
) -> (Preparation, Preparation) {
    let (mut of_expected, mut of_target) = (Preparation::default(), Preparation::default());
    for (name, policy) in &config.columns {
        for (side, schema, steps) in
            [(Side::Expected, expected, &mut of_expected.steps), (Side::Target, target, &mut of_target.steps)]
        {
            let (word, Some(text)) = policy.value.expression(side) else { continue };
            let bound = expression::parse_value(text, out)
                .and_then(|expression| expression.bind_value(name, schema, context.as_of, out));
            steps.extend(bound.map(|(expr, field)| Step { field, word, how: How::Expression(expr) }));
        }
    }
    let (e, t) = (of_expected.schema(expected), of_target.schema(target));
    for (name, policy) in &config.columns {
        let owner = owner(name);
        let (Some((word, given)), Some(from), Some(to)) =
            (policy.value.codes(&owner, &policy.span), e.get(name), t.get(name))
        else {
            continue;
        };
        if let Some(codes) = given.pairs(context.files, out).and_then(|pairs| codes(&pairs, from, to, out)) {
            let field = Field {
                logical: Logical::TEXT,
                inferred: false,
                format: None,
                timezone: None,
                ..from.clone()
            };
            of_expected.steps.push(Step { field, word, how: How::Codes(Arc::new(codes)) });
        }
    }
    (of_expected, of_target)
}

/// Reads both sides of a list of codes: as values of the source's column, and of the target's.
fn codes(
    pairs: &[Pair],
    from: &Field,
    to: &Field,
    out: &mut Diagnostics,
) -> Option<BTreeMap<String, Option<String>>> {
    let mut codes: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut first: BTreeMap<String, &Pair> = BTreeMap::new();
    let mut fine = true;
    let no_value = |place: &Place, side: &str, field: &Field| {
        let (name, logical) = (&field.name, &field.logical);
        place.error(&format!("this is not a value of `{name}`, which is {logical} in the {side}"))
    };
    for pair in pairs {
        let Some(text) = pair.from.text.as_deref() else { continue };
        let Some(code) = canonical(text, from) else {
            out.push(no_value(&pair.from, "source", from));
            fine = false;
            continue;
        };
        if let Some(text) = pair.to.text.as_deref()
            && !to.logical.is_text()
            && read_text(text, &to.logical).is_none()
        {
            out.push(no_value(&pair.to, "target", to));
            fine = false;
        }
        if let Some(earlier) = first.get(&code) {
            listed_already(earlier, pair, out);
            fine = false;
        } else {
            first.insert(code.clone(), pair);
            codes.insert(code, pair.to.text.clone());
        }
    }
    fine.then_some(codes)
}

/// Returns the text that a column has for a value written in a rule file.
fn canonical(text: &str, field: &Field) -> Option<String> {
    let logical = match &field.logical {
        Logical::Text { padded, .. } => Logical::Text { length: None, padded: *padded },
        other => other.clone(),
    };
    let value = Value::parse(text, &logical)?;
    Texts::new(&series_of(&field.name, &logical, &[Some(value)]), &logical).owned(0)
}
