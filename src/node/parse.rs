//! YAML text to nodes.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span};

use super::{Name, Node, Value};

/// Reads a YAML file of one document into a tree.
///
/// Names must be single values and stand once in a map. Anchors and aliases are followed; tags are refused,
/// because types are not YAML's business here. An empty file is a NULL node. Problems go to `out`, and what
/// could be read is returned, where anything could.
pub fn parse(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<Node> {
    let mut builder = Builder { file, offsets: Offsets::new(&file.text), anchors: HashMap::new(), out };
    let mut parser = Parser::new_from_str(&file.text);
    let mut root = None;
    loop {
        let (event, span) = match parser.next_event()? {
            Ok(pair) => pair,
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index());
                let span = Span { file: Arc::clone(file), range: at..at };
                builder
                    .out
                    .push(Diagnostic::error(&span, format!("this is not valid YAML: {}", error.info())));
                return None;
            }
        };
        let start = builder.offsets.byte(span.start.index())..builder.offsets.byte(span.end.index());
        match event {
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                if root.is_some() {
                    let span = builder.span(start);
                    builder.out.push(
                        Diagnostic::error(&span, "a second document in the same file")
                            .help("keep one document a file"),
                    );
                    return root;
                }
            }
            event => match builder.node(event, start, &mut parser) {
                Some(node) => root = Some(node),
                None => return None,
            },
        }
    }
    Some(root.unwrap_or(Node { span: Span { file: Arc::clone(file), range: 0..0 }, value: Value::Null }))
}

/// From the index of a character to the index of its first byte.
struct Offsets {
    bytes: Option<Vec<usize>>,
    length: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(i, _)| i).collect());
        Offsets { bytes, length: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        match &self.bytes {
            None => character.min(self.length),
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.length),
        }
    }
}

struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    offsets: Offsets,
    anchors: HashMap<usize, Node>,
    out: &'a mut Diagnostics,
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

impl Builder<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span { file: Arc::clone(self.file), range }
    }

    /// Takes the next event; a syntax error is reported and ends the reading.
    fn next<'e>(&mut self, parser: &mut Events<'e>) -> Option<(Event<'e>, std::ops::Range<usize>)> {
        match parser.next_event()? {
            Ok((event, span)) => {
                Some((event, self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index())))
            }
            Err(error) => {
                let at = self.offsets.byte(error.marker().index());
                let span = self.span(at..at);
                self.out.push(Diagnostic::error(&span, format!("this is not valid YAML: {}", error.info())));
                None
            }
        }
    }

    fn node(
        &mut self,
        event: Event<'_>,
        range: std::ops::Range<usize>,
        parser: &mut Events<'_>,
    ) -> Option<Node> {
        let (node, anchor) = match event {
            Event::Alias(anchor) => {
                let span = self.span(range);
                let Some(mut node) = self.anchors.get(&anchor).cloned() else {
                    self.out.push(Diagnostic::error(&span, "this alias stands inside what it refers to"));
                    return None;
                };
                node.span = span;
                return Some(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let span = self.span(range);
                if tag.is_some() {
                    self.out.push(
                        Diagnostic::error(&span, "tags such as `!!str` are not used here")
                            .help("write the value alone: it is read as what it is needed for"),
                    );
                }
                let value = if !quoted && matches!(text.as_ref(), "" | "null" | "~") {
                    Value::Null
                } else {
                    Value::Scalar { text: text.into_owned(), quoted }
                };
                (Node { span, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                let end = loop {
                    let (event, range) = self.next(parser)?;
                    if matches!(event, Event::SequenceEnd) {
                        break range.end;
                    }
                    items.push(self.node(event, range, parser)?);
                };
                let end = items.last().map_or(end, |last: &Node| last.span.range.end.max(range.end));
                (Node { span: self.span(range.start..end), value: Value::List(items) }, anchor)
            }
            Event::MappingStart(anchor, _) => {
                let mut entries: Vec<(Name, Node)> = Vec::new();
                let end = loop {
                    let (event, range) = self.next(parser)?;
                    if matches!(event, Event::MappingEnd) {
                        break range.end;
                    }
                    let key = self.node(event, range, parser)?;
                    let (event, range) = self.next(parser)?;
                    let value = self.node(event, range, parser)?;
                    let text = match key.value {
                        Value::Scalar { text, .. } => text,
                        // In the place of a name it is one: the option `null` of text files.
                        Value::Null if self.file.text.get(key.span.range.clone()) == Some("null") => {
                            "null".to_owned()
                        }
                        _ => {
                            self.out.push(Diagnostic::error(
                                &key.span,
                                format!("a name is expected here, not {}", key.words()),
                            ));
                            continue;
                        }
                    };
                    if entries.iter().any(|(name, _)| name.text == text) {
                        self.out.push(Diagnostic::error(
                            &key.span,
                            format!("`{text}` stands here a second time"),
                        ));
                        continue;
                    }
                    entries.push((Name { text, span: key.span }, value));
                };
                let start =
                    entries.first().map_or(range.start, |(name, _)| name.span.range.start.min(range.start));
                let end =
                    entries.last().map_or(end, |(name, node)| node.span.range.end.max(name.span.range.end));
                (Node { span: self.span(start..end.max(start)), value: Value::Map(entries) }, anchor)
            }
            _ => return None,
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Some(node)
    }
}

/// Replaces `${NAME}` and `${NAME:-default}` in every value of the tree; `$${` stands for `${`.
///
/// A missing variable is a diagnostic naming it. Names (the left of a colon) are not touched. The values
/// never reach a message: spans keep pointing at the text as it was written.
pub fn substitute(node: &mut Node, variables: &dyn Fn(&str) -> Option<String>, out: &mut Diagnostics) {
    match &mut node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => {
            if text.contains("${") {
                *text = substitute_text(text, &node.span, variables, out);
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| substitute(item, variables, out)),
        Value::Map(entries) => entries.iter_mut().for_each(|(_, item)| substitute(item, variables, out)),
    }
}

fn substitute_text(
    text: &str,
    span: &Span,
    variables: &dyn Fn(&str) -> Option<String>,
    out: &mut Diagnostics,
) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            result.push_str(&rest[..at - 1]);
            result.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        result.push_str(&rest[..at]);
        let Some(close) = rest[at..].find('}') else {
            out.push(
                Diagnostic::error(span, "`${` without a closing `}`")
                    .help("write `$${` for the two characters themselves"),
            );
            return result;
        };
        let inside = &rest[at + 2..at + close];
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match (valid, variables(name).filter(|v| default.is_none() || !v.is_empty()), default) {
            (false, _, _) => {
                out.push(
                    Diagnostic::error(span, format!("`${{{inside}}}` does not name an environment variable"))
                        .help("as in `${NAME}` or `${NAME:-default}`"),
                );
            }
            (true, Some(value), _) => result.push_str(&value),
            (true, None, Some(default)) => result.push_str(default),
            (true, None, None) => {
                out.push(
                    Diagnostic::error(span, format!("the environment variable `{name}` is not set"))
                        .help(format!("set it, or give a default: `${{{name}:-default}}`")),
                );
            }
        }
        rest = &rest[at + close + 1..];
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> (Option<Node>, Diagnostics) {
        let mut out = Diagnostics::default();
        let file = Arc::new(SourceFile { path: "t.yml".to_owned(), text: text.to_owned() });
        (parse(&file, &mut out), out)
    }

    fn scalars(node: &Node, found: &mut Vec<String>) {
        match &node.value {
            Value::Null => found.push("<null>".to_owned()),
            Value::Scalar { text, .. } => found.push(text.clone()),
            Value::List(items) => items.iter().for_each(|i| scalars(i, found)),
            Value::Map(entries) => entries.iter().for_each(|(_, i)| scalars(i, found)),
        }
    }

    #[test]
    fn literals_arrive_as_written() {
        let (node, out) = tree("a: [007, NO, 1E5, 000123/01, 1900-01-01, \"\", ~, yes, 0x1F, 1_000]\n");
        assert!(out.is_empty());
        let mut found = Vec::new();
        scalars(&node.unwrap(), &mut found);
        assert_eq!(
            found,
            ["007", "NO", "1E5", "000123/01", "1900-01-01", "", "<null>", "yes", "0x1F", "1_000"]
        );
    }

    #[test]
    fn spans_point_at_the_text() {
        let (node, _) = tree("é: 1\nkey: [ä, bcd]\n");
        let node = node.unwrap();
        let Value::List(items) = &node.get("key").unwrap().value else { panic!("a list") };
        assert_eq!(&node.span.file.text[items[1].span.range.clone()], "bcd");
        assert_eq!(items[1].span.line_column(), (2, 10));
    }

    #[test]
    fn mistakes_are_all_reported() {
        let (_, out) = tree("a: 1\na: 2\n? [x]\n: 3\nb: !!str 4\n");
        assert_eq!(out.sorted().len(), 3);
        let (node, out) = tree("a: [1\nb: 2");
        assert!(node.is_none() && out.has_errors());
    }

    #[test]
    fn variables_are_replaced_and_missing_ones_named() {
        let (node, mut out) = tree("a: x${ONE}y\nb: ${TWO:-d}\nc: $${ONE}\nd: ${THREE}\n");
        let mut node = node.unwrap();
        substitute(&mut node, &|name| (name == "ONE").then(|| "1".to_owned()), &mut out);
        let mut found = Vec::new();
        scalars(&node, &mut found);
        assert_eq!(found, ["x1y", "d", "${ONE}", ""]);
        assert_eq!(out.sorted().len(), 1);
        assert!(out.render(false).contains("`THREE` is not set"));
    }
}
