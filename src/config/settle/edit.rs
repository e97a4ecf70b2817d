//! Lines put into the text of a dataset's file, so that all else stays as it is.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::node::{Name, Node, Value, parse, yaml};

use super::policy::{contradiction, wider};

/// Puts words into the policy of a column.
///
/// # Errors
/// A sentence where the file is written in a way that lines cannot be put into, or has something that contradicts them.
pub(super) fn policy(
    text: &str,
    dataset: &str,
    column: &str,
    words: &[(String, String)],
) -> Result<String, String> {
    let root = read(text)?;
    if entry(&root, "dataset").is_none() {
        return Err(format!("its file is not for `{dataset}` alone; write the lines into a file of its own"));
    }
    let own = entry(&root, "reconcile")
        .and_then(|(_, node)| entry(node, "columns"))
        .and_then(|(_, node)| entry(node, column));
    let mut all: Vec<(&str, String)> =
        words.iter().map(|(word, value)| (word.as_str(), value.clone())).collect();
    if let Some((_, Node { value: Value::Map(entries), .. })) = own {
        all.extend(
            entries.iter().map(|(name, node)| (name.text.as_str(), slice(text, &node.span.range).to_owned())),
        );
    }
    if let Some((a, b)) = contradiction(&all) {
        return Err(format!(
            "`{a}` and `{b}` cannot stand together for `{column}`; decide which of them is meant"
        ));
    }
    let mut text = text.to_owned();
    for (word, value) in words {
        text = set(&text, column, word, value)?;
    }
    Ok(text)
}

/// Puts a word into the policy of a column.
fn set(text: &str, column: &str, word: &str, value: &str) -> Result<String, String> {
    let root = read(text)?;
    let name = yaml::text(column);
    let inner = format!("{{ {word}: {value} }}");
    let Some((reconcile_name, reconcile)) = entry(&root, "reconcile") else {
        return Ok(append(
            text,
            &["reconcile:".to_owned(), "  columns:".to_owned(), format!("    {name}: {inner}")],
        ));
    };
    let whole = format!("columns: {{ {name}: {inner} }}");
    let Some((columns_name, columns)) = entry(reconcile, "columns") else {
        let block = vec!["columns:".to_owned(), format!("  {name}: {inner}")];
        return add(text, reconcile_name, reconcile, &whole, &block);
    };
    let Some((column_name, own)) = entry(columns, column) else {
        let line = format!("{name}: {inner}");
        return add(text, columns_name, columns, &line, std::slice::from_ref(&line));
    };
    let Some((_, old)) = entry(own, word) else {
        let line = format!("{word}: {value}");
        return add(text, column_name, own, &line, std::slice::from_ref(&line));
    };
    let range = old.span.range.start..end_of(text, old)?;
    let written = slice(text, &range);
    match wider(word, written, value) {
        Some(value) if value == written => Ok(text.to_owned()),
        Some(value) => Ok(spliced(text, range, &value)),
        None => Err(format!("`{word}` of `{column}` says something else there; decide which is meant")),
    }
}

/// Puts a step to the end of `cleanse`.
///
/// # Errors
/// As [`policy`].
pub(super) fn step(text: &str, step: &[(String, String)]) -> Result<String, String> {
    let root = read(text)?;
    let lines = |indent: &str| -> Vec<String> {
        let line = |(i, (word, value)): (usize, &(String, String))| {
            let before = if i == 0 { "- " } else { "  " };
            format!("{indent}{before}{word}: {value}")
        };
        step.iter().enumerate().map(line).collect()
    };
    let fields: Vec<String> = step.iter().map(|(word, value)| format!("{word}: {value}")).collect();
    let flow = format!("{{ {} }}", fields.join(", "));
    let Some((name, list)) = entry(&root, "cleanse") else {
        let mut all = vec!["cleanse:".to_owned()];
        all.extend(lines("  "));
        return Ok(append(text, &all));
    };
    not_an_alias(text, list)?;
    match &list.value {
        Value::Null if slice(text, &list.span.range).is_empty() => {
            let at = after_colon(text, name)?;
            let newline = newline(text);
            let lines = lines("  ").join(newline);
            Ok(spliced(text, at..at, &format!("{newline}{lines}")))
        }
        Value::Null => Ok(spliced(text, list.span.range.clone(), &format!("[{flow}]"))),
        Value::List(_) if is_flow(text, list) => into_flow(text, list, &flow),
        Value::List(items) => {
            let start = items.first().map_or(list.span.range.start, |item| item.span.range.start);
            let line = line_start(text, start);
            let indent = slice(text, &(line..start)).split('-').next().unwrap_or_default();
            if !indent.chars().all(|c| c == ' ') {
                return Err("`cleanse` is written in a way that no step can be put into".to_owned());
            }
            Ok(after_line(text, end_of(text, list)?, &lines(indent)))
        }
        _ => Err("`cleanse` is not a list".to_owned()),
    }
}

fn read(text: &str) -> Result<Node, String> {
    let mut out = Diagnostics::default();
    let node = parse(&Arc::new(SourceFile::new("file", text)), &mut out);
    node.filter(|_| !out.has_errors()).ok_or_else(|| "the file is not valid YAML".to_owned())
}

fn entry<'n>(node: &'n Node, name: &str) -> Option<(&'n Name, &'n Node)> {
    match &node.value {
        Value::Map(entries) => {
            entries.iter().find(|(own, _)| own.text == name).map(|(name, node)| (name, node))
        }
        _ => None,
    }
}

fn slice<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    text.get(range.clone()).unwrap_or_default()
}

fn spliced(text: &str, range: Range<usize>, new: &str) -> String {
    let (before, after) = (slice(text, &(0..range.start)), slice(text, &(range.end..text.len())));
    format!("{before}{new}{after}")
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn line_start(text: &str, at: usize) -> usize {
    slice(text, &(0..at)).rfind('\n').map_or(0, |newline| newline + 1)
}

/// Puts lines to the end of the file.
fn append(text: &str, lines: &[String]) -> String {
    let newline = newline(text);
    let mut out = text.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(newline);
    }
    for line in lines {
        out.push_str(line);
        out.push_str(newline);
    }
    out
}

/// Puts lines behind the line in which a place is.
fn after_line(text: &str, at: usize, lines: &[String]) -> String {
    let newline = newline(text);
    let ends = at > 0 && slice(text, &(at - 1..at)) == "\n";
    let end =
        if ends { at } else { slice(text, &(at..text.len())).find('\n').map_or(text.len(), |n| at + n + 1) };
    let mut new = String::new();
    if !slice(text, &(0..end)).ends_with('\n') {
        new.push_str(newline);
    }
    for line in lines {
        new.push_str(line);
        new.push_str(newline);
    }
    spliced(text, end..end, &new)
}

/// Puts an entry into a map: `flow` where it stands in braces, else the lines of `block`.
fn add(text: &str, name: &Name, map: &Node, flow: &str, block: &[String]) -> Result<String, String> {
    not_an_alias(text, map)?;
    match &map.value {
        Value::Null if slice(text, &map.span.range).is_empty() => {
            let at = after_colon(text, name)?;
            Ok(spliced(text, at..at, &format!(" {{ {flow} }}")))
        }
        Value::Null => Ok(spliced(text, map.span.range.clone(), &format!("{{ {flow} }}"))),
        Value::Map(_) if is_flow(text, map) => into_flow(text, map, flow),
        Value::Map(entries) => {
            let start = entries.first().map_or(map.span.range.start, |(name, _)| name.span.range.start);
            let indent = slice(text, &(line_start(text, start)..start));
            if !indent.chars().all(|c| c == ' ') {
                return Err(format!("`{}` is written in a way that no line can be put into", name.text));
            }
            let lines: Vec<String> = block.iter().map(|line| format!("{indent}{line}")).collect();
            Ok(after_line(text, end_of(text, map)?, &lines))
        }
        _ => Err(format!("`{}` is not names with values", name.text)),
    }
}

fn not_an_alias(text: &str, node: &Node) -> Result<(), String> {
    if slice(text, &node.span.range).starts_with(['*', '&']) {
        return Err("the place is an anchor or an alias of YAML; write the lines by hand".to_owned());
    }
    Ok(())
}

fn after_colon(text: &str, name: &Name) -> Result<usize, String> {
    let end = name.span.range.end;
    let colon = slice(text, &(end..text.len())).find(':');
    colon.map(|colon| end + colon + 1).ok_or_else(|| format!("`{}` has no place for a value", name.text))
}

fn is_flow(text: &str, node: &Node) -> bool {
    slice(text, &(node.span.range.start..text.len())).starts_with(['{', '['])
}

/// Puts an entry before the closing bracket of a list or map in brackets.
fn into_flow(text: &str, node: &Node, entry: &str) -> Result<String, String> {
    let closing = end_of(text, node)?.saturating_sub(1);
    let inside = slice(text, &(node.span.range.start + 1..closing));
    let at = node.span.range.start + 1 + inside.trim_end().len();
    let new = match inside.trim_end() {
        "" => format!(" {entry} "),
        inside if inside.ends_with(',') => format!(" {entry}"),
        _ => format!(", {entry}"),
    };
    Ok(spliced(text, at..at, &new))
}

/// Returns where a node ends, its closing bracket included.
fn end_of(text: &str, node: &Node) -> Result<usize, String> {
    not_an_alias(text, node)?;
    match &node.value {
        Value::Null | Value::Scalar { .. } => Ok(node.span.range.end),
        Value::List(_) | Value::Map(_) if is_flow(text, node) => closing(text, node.span.range.start),
        Value::List(items) => items.last().map_or(Ok(node.span.range.end), |last| end_of(text, last)),
        Value::Map(entries) => match entries.last() {
            Some((name, last)) => Ok(end_of(text, last)?.max(name.span.range.end)),
            None => Ok(node.span.range.end),
        },
    }
}

/// Returns the place behind the bracket that closes the one at `start`.
fn closing(text: &str, start: usize) -> Result<usize, String> {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut before = ' ';
    let mut letters = slice(text, &(start..text.len())).char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        match (quote, c) {
            (Some('"'), '\\') => {
                letters.next();
            }
            (Some('\''), '\'') if letters.peek().is_some_and(|(_, next)| *next == '\'') => {
                letters.next();
            }
            (Some(open), c) if open == c => quote = None,
            // A quote inside a word is a letter.
            (None, '"' | '\'') if matches!(before, '{' | '[' | ',' | ':' | ' ' | '\n' | '\t') => {
                quote = Some(c);
            }
            (None, '#') if before.is_whitespace() => while letters.next_if(|(_, c)| *c != '\n').is_some() {},
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(start + at + c.len_utf8());
                }
            }
            _ => {}
        }
        before = c;
    }
    Err("a bracket is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(word, value)| ((*word).to_owned(), (*value).to_owned())).collect()
    }

    fn with(text: &str, column: &str, list: &[(&str, &str)]) -> String {
        let out = policy(text, "t", column, &words(list)).unwrap();
        assert!(read(&out).is_ok(), "{out}");
        out
    }

    #[test]
    fn a_policy_is_put_where_it_belongs_and_comments_stay() {
        let trim = [("whitespace", "trim")];
        for (before, after) in [
            ("dataset: t\n", "dataset: t\nreconcile:\n  columns:\n    a: { whitespace: trim }\n"),
            ("dataset: t", "dataset: t\nreconcile:\n  columns:\n    a: { whitespace: trim }\n"),
            (
                "dataset: t # x\nreconcile: # why\n    exclude: [b] # that\n\nchecks: []\n",
                "dataset: t # x\nreconcile: # why\n    exclude: [b] # that\n    columns:\n      a: { whitespace: trim }\n\nchecks: []\n",
            ),
            (
                "dataset: t\nreconcile:\n  columns:\n    b: { case: ignore } # b\n  # end\nkey: [id]\n",
                "dataset: t\nreconcile:\n  columns:\n    b: { case: ignore } # b\n    a: { whitespace: trim }\n  # end\nkey: [id]\n",
            ),
            (
                "dataset: t\nreconcile: { columns: { b: { case: ignore } } } # c\n",
                "dataset: t\nreconcile: { columns: { b: { case: ignore }, a: { whitespace: trim } } } # c\n",
            ),
            (
                "dataset: t\nreconcile:\n  columns:\n    a:\n      case: ignore\n    b: {}\n",
                "dataset: t\nreconcile:\n  columns:\n    a:\n      case: ignore\n      whitespace: trim\n    b: {}\n",
            ),
            (
                "dataset: t\nreconcile:\n  columns:\n    a: { case: ignore }\n",
                "dataset: t\nreconcile:\n  columns:\n    a: { case: ignore, whitespace: trim }\n",
            ),
            (
                "dataset: t\nreconcile:\nkey: [a]\n",
                "dataset: t\nreconcile: { columns: { a: { whitespace: trim } } }\nkey: [a]\n",
            ),
            (
                "dataset: t\r\nkey: [a]\r\n",
                "dataset: t\r\nkey: [a]\r\nreconcile:\r\n  columns:\r\n    a: { whitespace: trim }\r\n",
            ),
        ] {
            assert_eq!(with(before, "a", &trim), after);
        }
    }

    #[test]
    fn what_is_there_is_made_wider_or_refused() {
        let before = "dataset: t\nreconcile:\n  columns:\n    a: { null: [N/A], tolerance: 0.01 } # seen\n";
        let after = with(before, "a", &[("null", "[\"\"]"), ("tolerance", "0.5")]);
        assert_eq!(
            after,
            "dataset: t\nreconcile:\n  columns:\n    a: { null: [N/A, \"\"], tolerance: 0.5 } # seen\n"
        );
        let kept = with(before, "a", &[("tolerance", "0.005")]);
        assert_eq!(kept, before);
        let refused = |text: &str, list: &[(&str, &str)]| policy(text, "t", "a", &words(list)).unwrap_err();
        assert!(
            refused("dataset: t\nreconcile: { columns: { a: { as: bool } } }\n", &[("as", "uuid")])
                .contains("says something else")
        );
        assert!(
            refused("dataset: t\nreconcile: { columns: { a: { case: ignore } } }\n", &[("as", "bool")])
                .contains("cannot stand together")
        );
        assert!(refused("tables: [a]\n", &[("case", "ignore")]).contains("not for `t` alone"));
        assert!(
            refused(
                "dataset: t\nx: &p { case: ignore }\nreconcile: { columns: { a: *p } }\n",
                &[("whitespace", "trim")]
            )
            .contains("alias")
        );
    }

    #[test]
    fn a_step_is_put_to_the_end() {
        let one = words(&[("step", "pad"), ("columns", "[a]"), ("width", "8")]);
        for (before, after) in [
            ("dataset: t\n", "dataset: t\ncleanse:\n  - step: pad\n    columns: [a]\n    width: 8\n"),
            (
                "dataset: t\ncleanse:\n- step: trim\n  columns: \"*\" # all\n\n# then\nkey: [a]\n",
                "dataset: t\ncleanse:\n- step: trim\n  columns: \"*\" # all\n- step: pad\n  columns: [a]\n  width: 8\n\n# then\nkey: [a]\n",
            ),
            (
                "dataset: t\ncleanse: [{ step: trim, columns: [\"it's ]\"] }]\n",
                "dataset: t\ncleanse: [{ step: trim, columns: [\"it's ]\"] }, { step: pad, columns: [a], width: 8 }]\n",
            ),
            ("dataset: t\ncleanse: []\n", "dataset: t\ncleanse: [ { step: pad, columns: [a], width: 8 } ]\n"),
            (
                "dataset: t\ncleanse:\nkey: [a]\n",
                "dataset: t\ncleanse:\n  - step: pad\n    columns: [a]\n    width: 8\nkey: [a]\n",
            ),
        ] {
            let out = step(before, &one).unwrap();
            assert_eq!(out, after);
            assert!(read(&out).is_ok(), "{out}");
        }
    }
}
