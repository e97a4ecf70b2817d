//! Environment variables in the values of a file.

use std::cell::RefCell;

use crate::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{Name, Node, Value};

/// Replaces `${NAME}` and `${NAME:-default}` in every value of the tree; `$${` stands for `${`.
///
/// A missing variable is a diagnostic naming it, and so is a variable in a name (the left of a colon). The values
/// never reach a message: spans keep pointing at the text as it was written, and their file hides the values.
pub fn substitute(root: &mut Node, variables: &dyn Fn(&str) -> Option<String>, out: &mut Diagnostics) {
    let used = RefCell::new(Vec::new());
    let read = |name: &str| {
        let value = variables(name)?;
        used.borrow_mut().push((name.to_owned(), value.clone()));
        Some(value)
    };
    replace(root, &read, out);
    root.span.file.hide_values(used.into_inner());
}

fn replace(node: &mut Node, variables: &dyn Fn(&str) -> Option<String>, out: &mut Diagnostics) {
    match &mut node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => {
            if text.contains("${") {
                *text = substitute_text(text, &node.span, variables, out);
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| replace(item, variables, out)),
        Value::Map(entries) => {
            for (name, item) in entries {
                replace_in_name(name, out);
                replace(item, variables, out);
            }
        }
    }
}

/// Names have no variables: what is valid, and what is named twice, must not depend on the environment.
fn replace_in_name(name: &mut Name, out: &mut Diagnostics) {
    let plain = name.text.replace("$${", "");
    if plain.contains("${") {
        out.settle(
            Diagnostic::error(&name.span, "a variable stands in a name here: only values may have them")
                .help("write `$${` for the two characters themselves"),
        );
    }
    name.text = name.text.replace("$${", "${");
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
            out.settle(
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
                out.settle(
                    Diagnostic::error(span, format!("`${{{inside}}}` does not name an environment variable"))
                        .help("as in `${NAME}` or `${NAME:-default}`"),
                );
            }
            (true, Some(value), _) => result.push_str(&value),
            (true, None, Some(default)) => result.push_str(default),
            (true, None, None) => {
                out.settle(
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
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::node::parse;

    /// Reads a text with the variables `ONE`, which is `1`, and `SECRET`, which is `s3cret`.
    fn read(text: &str) -> (Node, Diagnostics) {
        let mut out = Diagnostics::default();
        let mut node = parse(&Arc::new(SourceFile::new("t.yml", text)), &mut out).unwrap();
        let variables = |name: &str| match name {
            "ONE" => Some("1".to_owned()),
            "SECRET" => Some("s3cret".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        substitute(&mut node, &variables, &mut out);
        (node, out)
    }

    fn text<'n>(node: &'n Node, name: &str) -> &'n str {
        match &node.get(name).unwrap().value {
            Value::Scalar { text, .. } => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn variables_are_replaced_and_missing_ones_named() {
        let (node, out) =
            read("a: x${ONE}y\nb: ${TWO:-d}\nc: $${ONE}\nd: ${THREE}\ne: ${EMPTY:-e}\nf: x${EMPTY}\n");
        let found: Vec<&str> = ["a", "b", "c", "d", "e", "f"].map(|name| text(&node, name)).to_vec();
        assert_eq!(found, ["x1y", "d", "${ONE}", "", "e", "x"]);
        assert_eq!(out.sorted().len(), 1);
        assert!(out.render(false).contains("`THREE` is not set"));
    }

    #[test]
    fn every_mistake_is_said_once() {
        let (_, out) = read("a: [\"${A}\", \"${B\", \"${}\", \"${a b}\"]\n\"${ONE}\": x\n\"$${x}\": y\n");
        let messages: Vec<&str> = out.sorted().iter().map(|d| d.message()).collect();
        assert_eq!(
            messages,
            [
                "the environment variable `A` is not set",
                "`${` without a closing `}`",
                "`${}` does not name an environment variable",
                "`${a b}` does not name an environment variable",
                "a variable stands in a name here: only values may have them",
            ]
        );
    }

    #[test]
    fn values_are_not_in_messages() {
        let (node, mut out) = read("a: x-${SECRET}\n");
        assert_eq!(text(&node, "a"), "x-s3cret");
        out.push(Diagnostic::error(&node.get("a").unwrap().span, "`x-s3cret` is not a number"));
        assert!(out.render(false).contains("`x-${SECRET}` is not a number"), "{}", out.render(false));
    }
}
