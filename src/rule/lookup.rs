//! Values with the ones that take their places: in the rule itself, or in a lookup file, which is CSV of two columns,
//! `from` and `to`.

use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::node::{FromNode, Literal, Node, Value as NodeValue};

use super::ProjectFiles;

/// Values with the ones that take their places.
#[derive(Debug, Clone)]
pub struct Pairs(Vec<Pair>);

/// A value and the one that takes its place.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The value looked for.
    pub from: Place,
    /// The value that takes its place.
    pub to: Place,
}

/// One side of a pair: its text and where it stands.
#[derive(Debug, Clone)]
pub struct Place {
    /// The text as written; nothing for NULL.
    pub text: Option<String>,
    /// Where it stands: in the rule, or where the rule names the file.
    pub span: Span,
    /// The lookup file and its line as messages begin with them; empty for a value in the rule itself.
    pub prefix: String,
}

impl Place {
    /// Makes a diagnostic about the value.
    pub fn error(&self, what: &str) -> Diagnostic {
        Diagnostic::error(&self.span, format!("{}{what}", self.prefix))
    }
}

impl FromNode for Pairs {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let NodeValue::Map(entries) = &node.value else {
            out.push(
                Diagnostic::error(
                    &node.span,
                    format!("values with values are expected here, not {}", node.words()),
                )
                .help("as in `{ SEC: Secure, INT: Introductory }`"),
            );
            return None;
        };
        let place = |text, span: &Span| Place { text, span: span.clone(), prefix: String::new() };
        let pairs: Vec<Option<Pair>> = entries
            .iter()
            .map(|(name, node)| {
                let to = Literal::from_node(node, out)?;
                // `null` without quotes is NULL, on this side too.
                let is_null = name.span.file.text.get(name.span.range.clone()) == Some("null");
                Some(Pair {
                    from: place((!is_null).then(|| name.text.clone()), &name.span),
                    to: place(to.text, &to.span),
                })
            })
            .collect();
        pairs.into_iter().collect::<Option<Vec<_>>>().map(Pairs)
    }

    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": Literal::schema()})
    }
}

/// Where a rule has a list of values from: both words of it, of which it needs one.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Whose list it is, in messages: "step `map_values`".
    pub owner: &'a str,
    /// The rule's place.
    pub at: &'a Span,
    /// The word of the list that stands in the rule, and the list.
    pub inline: (&'a str, Option<&'a Pairs>),
    /// The word of the lookup file, and its name.
    pub file: (&'a str, Option<&'a Spanned<String>>),
}

impl Given<'_> {
    /// Returns the list; what is wrong with it whatever the column's type is a diagnostic.
    pub fn pairs(&self, files: &ProjectFiles, out: &mut Diagnostics) -> Option<Vec<Pair>> {
        let (owner, at) = (self.owner, self.at);
        let pairs = match (self.inline.1, self.file.1) {
            (Some(pairs), None) => pairs.0.clone(),
            (None, Some(name)) => {
                let place = |text, line: usize| Place {
                    text,
                    span: name.span.clone(),
                    prefix: format!("`{}`, line {line}: ", name.value),
                };
                read(name, files, out)?
                    .into_iter()
                    .map(|row| Pair { from: place(row.from, row.line), to: place(row.to, row.line) })
                    .collect()
            }
            (Some(_), Some(name)) => {
                let what = format!("{owner} has `{}` and `{}`: give one of them", self.inline.0, self.file.0);
                out.push(Diagnostic::error(&name.span, what));
                return None;
            }
            (None, None) => {
                let what = format!("{owner} needs `{}` or `{}`", self.inline.0, self.file.0);
                out.push(Diagnostic::error(at, what));
                return None;
            }
        };
        if pairs.is_empty() {
            out.push(Diagnostic::error(at, format!("{owner} has an empty list")));
        }
        let nulls: Vec<&Place> = pairs.iter().map(|p| &p.from).filter(|from| from.text.is_none()).collect();
        for null in &nulls {
            out.push(null.error("NULL cannot be mapped").help(
                "step `default` fills NULL; in a lookup file `\"\"` is the empty text, and a field left empty is NULL",
            ));
        }
        (nulls.is_empty() && !pairs.is_empty()).then_some(pairs)
    }
}

/// Reports a value that is listed a second time.
pub fn listed_already(first: &Pair, again: &Pair, out: &mut Diagnostics) {
    let (line, _) = first.from.span.line_column();
    let where_first = match first.from.prefix.strip_suffix(": ") {
        Some(place) => place.to_owned(),
        None => format!("line {line}"),
    };
    out.push(again.from.error(&format!("this value is listed already ({where_first})")));
}

/// One line of a lookup file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// The line of the file where it begins, from 1.
    line: usize,
    /// The value looked for.
    from: Option<String>,
    /// The value that takes its place.
    to: Option<String>,
}

/// Reads a lookup file; what is wrong with it is a diagnostic that names file and line.
///
/// The diagnostics stand at the rule that names the file and show nothing of its content, which may be personal.
fn read(name: &Spanned<String>, files: &ProjectFiles, out: &mut Diagnostics) -> Option<Vec<Row>> {
    let file = files.read(&name.value, &name.span, out)?;
    let mut report = |line: usize, what: &str| {
        out.push(Diagnostic::error(&name.span, format!("`{}`, line {line}: {what}", name.value)).help(
            "a lookup is CSV with the header `from,to`; an empty field is NULL, `\"\"` the empty text",
        ));
    };
    let records = match records(file.text.strip_prefix('\u{FEFF}').unwrap_or(&file.text)) {
        Ok(records) => records,
        Err((line, what)) => {
            report(line, what);
            return None;
        }
    };
    let mut rows = Vec::with_capacity(records.len());
    let mut fine = true;
    let mut records = records.into_iter();
    let header = records.next().map(|r| r.fields).unwrap_or_default();
    let header: Vec<&str> = header.iter().map(|f| f.as_deref().unwrap_or_default().trim()).collect();
    if header != ["from", "to"] {
        report(1, "the header is not `from,to`");
        return None;
    }
    for record in records {
        match <[Option<String>; 2]>::try_from(record.fields) {
            Ok([from, to]) => rows.push(Row { line: record.line, from, to }),
            Err(fields) => {
                fine = false;
                report(record.line, &format!("{} fields where 2 are expected", fields.len()));
            }
        }
    }
    fine.then_some(rows)
}

struct Record {
    line: usize,
    fields: Vec<Option<String>>,
}

/// Splits CSV text into records: commas, double quotes doubled inside quotes, any line end; blank lines are passed over.
///
/// An empty field without quotes is NULL.
fn records(text: &str) -> Result<Vec<Record>, (usize, &'static str)> {
    let mut records = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let mut record = Record { line, fields: Vec::new() };
        loop {
            let (field, after) = field(rest).map_err(|what| (record.line, what))?;
            line += field.as_deref().map_or(0, |f| f.matches('\n').count());
            record.fields.push(field);
            if let Some(after) = after.strip_prefix(',') {
                rest = after;
                continue;
            }
            let next = after.strip_prefix("\r\n").or_else(|| after.strip_prefix(['\n', '\r']));
            line += usize::from(next.is_some());
            rest = next.unwrap_or(after);
            break;
        }
        if record.fields != [None] {
            records.push(record);
        }
    }
    Ok(records)
}

/// Reads the field at the start of a text; what is behind it, its end included, comes second.
fn field(text: &str) -> Result<(Option<String>, &str), &'static str> {
    if let Some(inside) = text.strip_prefix('"') {
        let (field, after) = quoted(inside).ok_or("a quoted field has no closing quote")?;
        if !after.is_empty() && !after.starts_with([',', '\n', '\r']) {
            return Err("text stands behind the closing quote of a field");
        }
        return Ok((Some(field), after));
    }
    let (field, after) = text.split_at(text.find([',', '\n', '\r']).unwrap_or(text.len()));
    if field.contains('"') {
        return Err("a quote stands inside a field that has none around it");
    }
    Ok(((!field.is_empty()).then(|| field.to_owned()), after))
}

/// Reads a field up to its closing quote; the text behind the quote comes second.
fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = inside;
    loop {
        let at = rest.find('"')?;
        field.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Some((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_line_ends_and_null() {
        let found = records("a,b\r\n\"x,\"\"y\n\",\n\n\"\",z").unwrap();
        let text = |t: &str| Some(t.to_owned());
        let lines: Vec<usize> = found.iter().map(|r| r.line).collect();
        let fields: Vec<_> = found.into_iter().map(|r| r.fields).collect();
        assert_eq!(
            fields,
            [vec![text("a"), text("b")], vec![text("x,\"y\n"), None], vec![text(""), text("z")]]
        );
        assert_eq!(lines, [1, 2, 5]);
    }

    #[test]
    fn says_where_quotes_are_wrong() {
        let at = |text: &str| records(text).err().map(|(line, _)| line);
        assert_eq!(at("a,b\n\"x"), Some(2));
        assert_eq!(at("\"x\"y"), Some(1));
        assert_eq!(at("a\nx\"y"), Some(2));
        assert_eq!(at("\"\""), None);
    }
}
