//! YAML text to nodes.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile, Span};

use super::{Name, Node, Value};

/// The most lists and maps within one another.
const MOST_LEVELS: usize = 100;
/// The most values that aliases may repeat: a few lines of aliases of aliases could else fill the memory.
const MOST_REPEATED: usize = 100_000;

/// Reads a YAML file of one document into a tree.
///
/// Names must be single values and stand once in a map. Anchors and aliases are followed; tags and merge keys
/// (`<<`) are refused: types are not YAML's business here, and what a rule says stands in the rule. An empty file
/// is a NULL node. Problems go to `out`, and what could be read is returned, where anything could.
pub fn parse(file: &Arc<SourceFile>, out: &mut Diagnostics) -> Option<Node> {
    let mut builder = Builder {
        file,
        offsets: Offsets::new(&file.text),
        parser: Parser::new_from_str(&file.text),
        anchors: HashMap::new(),
        level: 0,
        repeated: 0,
        out,
    };
    let mut root = None;
    loop {
        let (event, range) = builder.next()?;
        match event {
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                if root.is_some() {
                    let span = builder.span(range);
                    builder.out.push(
                        Diagnostic::error(&span, "a second document in the same file")
                            .help("keep one document a file: a line `---` begins another"),
                    );
                    return root;
                }
            }
            event => root = Some(builder.node(event, range)?),
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
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// What aliases refer to, each with the number of its nodes.
    anchors: HashMap<usize, (Node, usize)>,
    level: usize,
    /// How many nodes aliases have repeated.
    repeated: usize,
    out: &'a mut Diagnostics,
}

impl<'a> Builder<'a> {
    fn span(&self, range: Range<usize>) -> Span {
        Span { file: Arc::clone(self.file), range }
    }

    /// Takes the next event; a syntax error is reported and ends the reading.
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        match self.parser.next_event()? {
            Ok((event, span)) => {
                Some((event, self.offsets.byte(span.start.index())..self.offsets.byte(span.end.index())))
            }
            Err(error) => {
                let diagnostic = self.syntax(&error);
                self.out.push(diagnostic);
                None
            }
        }
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let at = self.offsets.byte(error.marker().index());
        let text = self.file.text.get(at..).unwrap_or_default();
        let length = text.chars().next().filter(|c| !c.is_whitespace()).map_or(0, char::len_utf8);
        let info = error.info();
        let diagnostic =
            Diagnostic::error(&self.span(at..at + length), format!("this is not valid YAML: {info}"));
        let line = self.file.text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
        match text.chars().next() {
            _ if line.trim_start_matches(' ').starts_with('\t') || info.contains("tab") => {
                diagnostic.help("indent with blanks: YAML does not take tabs")
            }
            Some('\t') => diagnostic.help("indent with blanks: YAML does not take tabs"),
            Some(c @ ('*' | '&' | '!' | '@' | '%' | '`')) => {
                diagnostic.help(format!("a value that begins with `{c}` stands in quotes"))
            }
            _ if info.contains("mapping values are not allowed") => {
                diagnostic.help("a value with a colon and a blank in it stands in quotes")
            }
            _ => diagnostic,
        }
    }

    fn node(&mut self, event: Event<'_>, range: Range<usize>) -> Option<Node> {
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, range),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let span = self.span(range);
                self.refuse_tag(tag.is_some(), &span);
                let value = if !quoted && matches!(text.as_ref(), "" | "null" | "~") {
                    Value::Null
                } else {
                    Value::Scalar { text: text.into_owned(), quoted }
                };
                (Node { span, value }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.enter(&range)?;
                self.refuse_tag(tag.is_some(), &self.span(range.clone()));
                let node = self.list(range)?;
                self.level -= 1;
                (node, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.enter(&range)?;
                self.refuse_tag(tag.is_some(), &self.span(range.clone()));
                let node = self.map(range)?;
                self.level -= 1;
                (node, anchor)
            }
            _ => return None,
        };
        if anchor > 0 {
            let size = size(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Some(node)
    }

    fn enter(&mut self, range: &Range<usize>) -> Option<()> {
        if self.level == MOST_LEVELS {
            let span = self.span(range.clone());
            let message = format!("more than {MOST_LEVELS} lists and maps stand within one another here");
            self.out.push(Diagnostic::error(&span, message));
            return None;
        }
        self.level += 1;
        Some(())
    }

    fn refuse_tag(&mut self, is_there: bool, span: &Span) {
        if is_there {
            self.out.push(
                Diagnostic::error(span, "tags such as `!!str` are not used here")
                    .help("write the value alone: it is read as what it is needed for"),
            );
        }
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Option<Node> {
        let span = self.span(range);
        let Some((node, size)) = self.anchors.get(&anchor) else {
            self.out.push(Diagnostic::error(&span, "this alias stands inside what it refers to"));
            return None;
        };
        self.repeated += size;
        if self.repeated > MOST_REPEATED {
            let message = format!("the aliases of this file repeat more than {MOST_REPEATED} values");
            self.out.push(Diagnostic::error(&span, message).help("write out what is meant"));
            return None;
        }
        Some(Node { span, value: node.value.clone() })
    }

    fn list(&mut self, range: Range<usize>) -> Option<Node> {
        let mut items: Vec<Node> = Vec::new();
        let end = loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                break range.end;
            }
            items.push(self.node(event, range)?);
        };
        let end = items.last().map_or(end, |last| last.span.range.end.max(range.end));
        Some(Node { span: self.span(range.start..end.max(range.start)), value: Value::List(items) })
    }

    fn map(&mut self, range: Range<usize>) -> Option<Node> {
        let mut entries: Vec<(Name, Node)> = Vec::new();
        let mut places: HashMap<String, Span> = HashMap::new();
        let end = loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break range.end;
            }
            let key = self.node(event, range)?;
            let (event, range) = self.next()?;
            let value = self.node(event, range)?;
            let Some(name) = self.name(key) else { continue };
            if let Some(first) = places.get(&name.text) {
                self.out.push(
                    Diagnostic::error(&name.span, format!("`{}` stands here a second time", name.text))
                        .label("the second")
                        .also(first, "the first"),
                );
            } else {
                places.insert(name.text.clone(), name.span.clone());
                entries.push((name, value));
            }
        };
        let start = entries.first().map_or(range.start, |(name, _)| name.span.range.start.min(range.start));
        let end = entries.last().map_or(end, |(name, node)| node.span.range.end.max(name.span.range.end));
        Some(Node { span: self.span(start..end.max(start)), value: Value::Map(entries) })
    }

    /// Takes a node in the place of a name.
    fn name(&mut self, key: Node) -> Option<Name> {
        match key.value {
            Value::Scalar { text, quoted: false } if text == "<<" => {
                self.out
                    .push(Diagnostic::error(&key.span, "the merge key `<<` is not used here").help(
                        "write the names out; a whole value can be repeated by an anchor and an alias",
                    ));
                None
            }
            Value::Scalar { text, .. } => Some(Name { text, span: key.span }),
            // In the place of a name it is one: the option `null` of text files.
            Value::Null if self.file.text.get(key.span.range.clone()) == Some("null") => {
                Some(Name { text: "null".to_owned(), span: key.span })
            }
            _ => {
                let message = format!("a name is expected here, not {}", key.words());
                self.out.push(Diagnostic::error(&key.span, message));
                None
            }
        }
    }
}

/// Returns the number of nodes of a tree.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar { .. } => 1,
        Value::List(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Map(entries) => entries.iter().map(|(_, node)| size(node)).sum::<usize>() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> (Option<Node>, Diagnostics) {
        let mut out = Diagnostics::default();
        let file = Arc::new(SourceFile::new("t.yml", text));
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
    fn quoted_and_block_scalars_arrive_without_their_form() {
        let (node, out) =
            tree("a: '00''7'\nb: \"1E5\\t\"\nc: |\n  NO\n  007\nd: >-\n  1900-01-01\n  x\ne: a:b\n");
        assert!(out.is_empty(), "{}", out.render(false));
        let mut found = Vec::new();
        scalars(&node.unwrap(), &mut found);
        assert_eq!(found, ["00'7", "1E5\t", "NO\n007\n", "1900-01-01 x", "a:b"]);
    }

    #[test]
    fn what_yaml_has_and_we_have_not_is_refused() {
        for (text, says) in [
            ("a: !!str 1\n", "tags"),
            ("a: !!set { x }\n", "tags"),
            ("a: !own [x]\n", "tags"),
            ("b: &b { x: 1 }\na:\n  <<: *b\n", "the merge key `<<`"),
            ("a: 1\n---\nb: 2\n", "a second document"),
            ("a: &a [*a]\n", "inside what it refers to"),
            ("? [x]\n: 1\n", "a name is expected here, not a list"),
            ("a:\n\tb: 1\n", "indent with blanks"),
            ("a: *\n", "a value that begins with `*` stands in quotes"),
            ("a: @x\n", "a value that begins with `@` stands in quotes"),
            ("a: b: c\n", "a colon and a blank"),
        ] {
            let (_, out) = tree(text);
            let said = out.render(false);
            assert!(said.contains(says) && said.ends_with("1 error"), "{text}: {said}");
        }
    }

    #[test]
    fn aliases_repeat_values_at_their_own_place() {
        let (node, out) = tree("a: &x [1, 2]\nb: *x\n");
        assert!(out.is_empty());
        let node = node.unwrap();
        assert_eq!(node.get("a").unwrap().value, node.get("b").unwrap().value);
        assert_eq!(node.get("b").unwrap().span.line_column(), (2, 4));
    }

    #[test]
    fn depth_and_repetition_have_bounds() {
        for text in ["[".repeat(200), "- ".repeat(50_000), "{a: ".repeat(150)] {
            let (node, out) = tree(&text);
            assert!(
                node.is_none() && out.render(false).contains("more than 100 lists and maps"),
                "{}",
                out.render(false)
            );
        }
        assert!(tree(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).1.is_empty());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..20 {
            bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "));
        }
        assert!(tree(&bomb).1.render(false).contains("repeat more than 100000 values"));
    }

    #[test]
    fn carriage_returns_and_byte_order_marks_do_not_move_places() {
        let (node, out) = tree("a: 1\r\nb: é\r\nc: x\r\n");
        assert!(out.is_empty());
        let node = node.unwrap();
        assert_eq!(node.get("c").unwrap().span.line_column(), (3, 4));
        assert_eq!(node.get("b").unwrap().value, Value::Scalar { text: "é".to_owned(), quoted: false });
    }
}
