//! From a place in an expression's text to its place in the file.

use std::ops::Range;

use sqlparser::tokenizer::{Location, Span as SqlSpan};

use crate::diagnostic::{Span, Spanned};

/// Returns the bytes of `text` at a span of the SQL parser, whose lines and characters count from 1.
pub(super) fn bytes(text: &str, span: SqlSpan) -> Option<Range<usize>> {
    let start = byte(text, span.start)?;
    let end = byte(text, span.end)?;
    (start < end).then_some(start..end)
}

/// Returns the byte at a location; nothing for the empty location.
pub(super) fn byte(text: &str, at: Location) -> Option<usize> {
    let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
    let line_start = if line == 0 { 0 } else { text.match_indices('\n').nth(line - 1)?.0 + 1 };
    let rest = text.get(line_start..)?;
    Some(line_start + rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i))
}

/// Returns the place in the file of some bytes of a value.
///
/// A value that stands in the file as it is, plain or in quotes, has exact places. In one that was folded,
/// indented or escaped a part is found where it stands as often as in the value: it is the same of them. Else it is the
/// place of the whole value. Of a part of several lines it is the first.
pub(super) fn in_file(value: &Spanned<String>, range: &Range<usize>) -> Span {
    let whole = &value.span;
    let Some(written) = whole.file.text.get(whole.range.clone()) else { return whole.clone() };
    let part = value.value.get(range.clone()).and_then(|part| part.lines().next());
    let Some(part) = part.filter(|part| !part.is_empty()) else { return whole.clone() };
    let start = match written.find(value.value.as_str()) {
        Some(offset) => offset + range.start,
        None => {
            let places = |text: &str| text.match_indices(part).map(|(at, _)| at).collect::<Vec<_>>();
            let (here, there) = (places(&value.value), places(written));
            let which = here.iter().position(|at| *at == range.start).filter(|_| here.len() == there.len());
            match which.and_then(|which| there.get(which)) {
                Some(start) => *start,
                None => return whole.clone(),
            }
        }
    };
    let start = whole.range.start + start;
    Span { file: whole.file.clone(), range: start..start + part.len() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Diagnostics, SourceFile};
    use crate::node::{FromNode, parse};

    fn shown(yaml: &str, part: &str) -> String {
        let file = Arc::new(SourceFile::new("t.yml", yaml));
        let mut out = Diagnostics::default();
        let node = parse(&file, &mut out).unwrap();
        let value = Spanned::<String>::from_node(node.get("that").unwrap(), &mut out).unwrap();
        let start = value.value.find(part).unwrap();
        let span = in_file(&value, &(start..start + part.len()));
        span.file.text[span.range].to_owned()
    }

    #[test]
    fn parts_are_found_however_the_value_is_written() {
        assert_eq!(shown("that: a > 1 and bé < 2\n", "bé"), "bé");
        assert_eq!(shown("that: \"a > 1 and b < 2\"\n", "b <"), "b <");
        assert_eq!(shown("that: |\n  alpha > 1\n  and beta < 2\n", "beta"), "beta");
        assert_eq!(shown("that: >\n  alpha > 1\n  and alpha < 2\n", "alpha < 2"), "alpha < 2");
        assert_eq!(shown("that: 'a = ''x'' or b = ''x'''\n", "'x'"), "'x'");
        assert_eq!(shown("that: 'it = ''x'' '\n", "it = 'x"), "'it = ''x'' '");
        assert_eq!(shown("that: |\n  alpha > 1\n  and alpha < 2\n", "1\nand"), "1");
    }

    #[test]
    fn lines_and_characters_become_bytes() {
        let span = |a, b| SqlSpan { start: a, end: b };
        let text = "é = 1\nand ü";
        let found = bytes(text, span(Location { line: 2, column: 5 }, Location { line: 2, column: 6 }));
        assert_eq!(found.map(|r| &text[r]), Some("ü"));
        assert_eq!(bytes(text, SqlSpan::empty()), None);
    }
}
