//! Texts as YAML: values, lists and comments that are read back as what they were.

use std::fmt::Write;

/// The longest line of a written file, in characters.
const WIDTH: usize = 118;

/// Words that other readers of YAML take for something else than text.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Returns a text as a value: `${` means itself.
pub fn text(text: &str) -> String {
    scalar(&text.replace("${", "$${"))
}

/// Returns a text as a value in which `${NAME}` stands for a variable.
pub fn template(text: &str) -> String {
    quoted(text)
}

fn scalar(text: &str) -> String {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(letters)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if is_invisible(letter) => {
                let code = u32::from(letter);
                // Writing into a text does not fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Returns true for what an editor, or a reader of YAML, does not show or keep as it is.
fn is_invisible(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control()
        || (letter.is_whitespace() && letter != ' ')
        || matches!(code, 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xffff)
        || code & 0xfffe == 0xfffe
}

/// Returns `name: [a, b]` at an indent, or the values below one another where the line would be long.
pub fn list(indent: usize, name: &str, items: &[String]) -> String {
    let blanks = " ".repeat(indent);
    let items: Vec<String> = items.iter().map(|item| text(item)).collect();
    let line = format!("{blanks}{name}: [{}]\n", items.join(", "));
    if line.chars().count() <= WIDTH {
        return line;
    }
    let lines: String =
        items.iter().fold(String::new(), |lines, item| lines + &format!("{blanks}  - {item}\n"));
    format!("{blanks}{name}:\n{lines}")
}

/// Returns a comment at an indent, in as many lines as it needs.
pub fn comment(indent: usize, text: &str) -> String {
    let start = format!("{}#", " ".repeat(indent));
    let mut lines = String::new();
    let mut line = start.clone();
    for word in text.split_whitespace() {
        let word: String = word.chars().map(|c| if is_invisible(c) { '?' } else { c }).collect();
        if line.len() > start.len() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line.clone_from(&start);
        }
        line.push(' ');
        line.push_str(&word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

/// Returns a text for the end of a line behind a value.
pub fn behind(text: &str) -> String {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().map(|c| if is_invisible(c) { '?' } else { c }).collect())
        .collect();
    format!("  # {}", words.join(" "))
}

/// Returns lines as a comment of their own: what stands there is not read until the marks are taken away.
pub fn commented_out(lines: &str) -> String {
    lines.lines().fold(String::new(), |out, line| out + "# " + line + "\n")
}

/// Returns names for a sentence, each in backticks.
pub fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::{Diagnostics, SourceFile};
    use crate::node::{FromNode, parse, substitute};

    fn read_back(yaml: &str) -> Vec<String> {
        let mut out = Diagnostics::default();
        let mut node = parse(&Arc::new(SourceFile::new("t.yml", yaml)), &mut out).unwrap();
        substitute(&mut node, &|_| None, &mut out);
        let read = Vec::<String>::from_node(node.get("v").unwrap(), &mut out);
        assert!(out.is_empty(), "{yaml}\n{}", out.render(false));
        read.unwrap()
    }

    #[test]
    fn what_could_be_something_else_stands_in_quotes() {
        for (text_, expected) in [
            ("tag_ref", "tag_ref"),
            ("dbo.tenagree", "dbo.tenagree"),
            ("Europe/London", "Europe/London"),
            ("NO", "\"NO\""),
            ("007", "\"007\""),
            ("*x", "\"*x\""),
            ("a: b", "\"a: b\""),
            ("say \"x\"\n", "\"say \\\"x\\\"\\n\""),
            ("${A}", "\"$${A}\""),
            ("", "\"\""),
            ("\u{feff}", "\"\\uFEFF\""),
        ] {
            assert_eq!(text(text_), expected);
        }
        assert_eq!(template("${A}"), "\"${A}\"");
    }

    #[test]
    fn long_comments_are_broken_and_stay_comments() {
        let written = comment(2, &format!("a\n{}", "word ".repeat(40)));
        assert!(written.lines().count() == 2 && written.lines().all(|line| line.starts_with("  # ")));
        assert!(written.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(behind("a\nb"), "  # a b");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in prop::collection::vec(any::<String>(), 1..5)) {
            prop_assert_eq!(read_back(&list(0, "v", &texts)), texts);
        }

        #[test]
        fn every_tricky_text_comes_back(
            texts in prop::collection::vec("[-$\\{\\}:#\\[\\], '\"\\\\*&!|>%@`~\u{85}\u{2028}\u{feff}\t\r\nNo07.a]{0,40}", 1..9)
        ) {
            prop_assert_eq!(read_back(&list(0, "v", &texts)), texts);
        }
    }
}
