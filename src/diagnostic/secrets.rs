//! Secrets in the user's files and in the messages about them.
//!
//! What came out of an environment variable is written as `${NAME}` again. Credentials that stand in a file as they
//! are become stars: too many characters rather than too few.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A value of at least so many bytes is hidden wherever it stands; a shorter one, which may well be a word of the
/// message, only beside its variable.
const LONG: usize = 6;
/// A value of fewer bytes is hidden only where it stands between backticks.
const SHORT: usize = 4;

/// An environment variable whose value was put into a file.
#[derive(PartialEq, Eq)]
pub(super) struct Variable {
    /// `${NAME`.
    reference: String,
    value: String,
}

/// Returns the variables, those with long values first: a value may be a part of another.
pub(super) fn variables(values: impl IntoIterator<Item = (String, String)>) -> Vec<Variable> {
    let mut variables: Vec<Variable> = values
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Variable { reference: format!("${{{name}"), value })
        .collect();
    variables.sort_by(|a, b| (b.value.len(), &a.reference).cmp(&(a.value.len(), &b.reference)));
    variables.dedup();
    variables
}

/// Returns a message about what is `written` with the names of variables in the place of their values.
pub(super) fn without_values(mut text: String, written: &str, variables: &[Variable]) -> String {
    for Variable { reference, value } in variables {
        let beside = written
            .match_indices(reference.as_str())
            .any(|(at, _)| written[at + reference.len()..].starts_with(['}', ':']));
        if !beside && value.len() < LONG {
            continue;
        }
        text = if value.len() < SHORT {
            text.replace(&format!("`{value}`"), &format!("`{reference}}}`"))
        } else {
            text.replace(value.as_str(), &format!("{reference}}}"))
        };
    }
    text
}

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    };
}

pattern!(IN_URL, r#"//[^/\s:@"']*:([^\s"']+)@"#);
pattern!(
    ASSIGNED,
    r#"(?i)(?:password|passwd|passphrase|pwd|secret|(?:api|access|account|private)_?key)[ \t]*=[ \t]*(\{[^}\n]*\}?|"[^"\n]*|'[^'\n]*|[^\s;"`]+)"#
);
pattern!(
    NAMED,
    r#"(?im)(["']?[\w.-]*(?:password|passwd|passphrase|pwd|secret|(?:api|access|auth)_?token|(?:api|access|account|private|fingerprint)_?key)["']?)[ \t]*:(?:[ \t]+|\r?$|["'])"#
);
pattern!(REFERENCE, r"\$\{[A-Za-z0-9_]+(?:\}|:-)");

/// Returns the bytes of a file that are credentials, in order, without references to variables.
pub(super) fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = assigned(text);
    for name in NAMED.iter().flat_map(|pattern| pattern.find_iter(text)) {
        // A quote behind the colon belongs to the value.
        let end = name.end() - usize::from(name.as_str().ends_with(['"', '\'']));
        let before = text.get(..name.start()).unwrap_or_default();
        let before = before.rsplit('\n').next().unwrap_or_default();
        found.extend(value_of_name(text, before, end));
    }
    let mut found: Vec<Range<usize>> =
        found.into_iter().flat_map(|range| without_references(text, range)).collect();
    found.sort_by_key(|range| (range.start, range.end));
    found
}

/// Returns the passwords of URLs and of `name=value`.
fn assigned(text: &str) -> Vec<Range<usize>> {
    let patterns = [&IN_URL, &ASSIGNED].into_iter().filter_map(|pattern| pattern.as_ref());
    patterns
        .flat_map(|pattern| pattern.captures_iter(text).filter_map(|found| Some(found.get(1)?.range())))
        .collect()
}

/// Returns where the value of a name stands; before it the line has `before`, the value begins at `at`.
fn value_of_name(text: &str, before: &str, at: usize) -> Vec<Range<usize>> {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    let mut ranges = Vec::new();
    if let Some(quote @ ('"' | '\'')) = line.chars().next() {
        ranges.push(at + 1..at + closing_quote(rest, quote).unwrap_or(rest.len()));
        return ranges;
    }
    let opened = before.matches(['{', '[']).count() > before.matches(['}', ']']).count();
    if opened {
        let end = line.find([',', '}', ']']).unwrap_or(line.len());
        ranges.push(at..at + end);
        return ranges;
    }
    let value = line.split(" #").next().unwrap_or_default();
    if !value.starts_with(['|', '>', '#']) {
        ranges.push(at..at + value.len());
    }
    // What goes on in deeper lines belongs to the value.
    let mut start = at + line.len();
    for line in rest.split('\n').skip(1) {
        start += 1;
        let indent = line.len() - line.trim_start_matches(' ').len();
        if !line.trim().is_empty() && indent <= before.len() {
            break;
        }
        ranges.push(start..start + line.len());
        start += line.len();
    }
    ranges
}

/// Returns where the quote that a text begins with is closed.
fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        let doubled =
            quote == '\'' && c == quote && characters.peek().is_some_and(|(_, next)| *next == quote);
        if doubled || (quote == '"' && c == '\\') {
            characters.next();
        } else if c == quote {
            return Some(at);
        }
    }
    None
}

/// Returns the parts of a range that are not the name of a variable; a default is one of them.
fn without_references(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    let inside = text.get(range.clone()).unwrap_or_default();
    for reference in REFERENCE.iter().flat_map(|pattern| pattern.find_iter(inside)) {
        parts.push(start..range.start + reference.start());
        start = range.start + reference.end();
    }
    parts.push(start..range.end);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns a part of a text with a star for each character within `hidden`, white space apart.
pub(super) fn starred(text: &str, part: Range<usize>, hidden: &[Range<usize>]) -> String {
    let Some(shown) = text.get(part.clone()) else { return String::new() };
    let near: Vec<&Range<usize>> =
        hidden.iter().filter(|range| range.start < part.end && part.start < range.end).collect();
    let star = |(at, c): (usize, char)| {
        let at = part.start + at;
        let is_hidden = !c.is_whitespace() && near.iter().any(|range| range.contains(&at));
        if is_hidden { '*' } else { c }
    };
    shown.char_indices().map(star).collect()
}

/// Returns a message without passwords in URLs and behind `password=`.
pub(super) fn without_credentials(text: String) -> String {
    let found: Vec<Range<usize>> =
        assigned(&text).into_iter().flat_map(|range| without_references(&text, range)).collect();
    if found.is_empty() { text } else { starred(&text, 0..text.len(), &found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        starred(text, 0..text.len(), &credentials(text))
    }

    #[test]
    fn credentials_become_stars() {
        for (text, wanted) in [
            ("url: postgres://me:s3cret@host/db", "url: postgres://me:******@host/db"),
            ("url: postgres://me:s3c/r@t@host/db", "url: postgres://me:*******@host/db"),
            ("url: http://host:8080/path", "url: http://host:8080/path"),
            ("password: s3cret # mine", "password: ****** # mine"),
            ("password: 's3''cret'\nnext: x", "password: '********'\nnext: x"),
            ("password: \"a\\\"b\"\nnext: x", "password: \"****\"\nnext: x"),
            ("password: $ecret pass", "password: ****** ****"),
            ("- { db_password: pässw, path: x }", "- { db_password: *****, path: x }"),
            ("a: {\"password\":\"x y\", b: c}", "a: {\"password\":\"* *\", b: c}"),
            ("password: |\n  s3cret\n\n  more\nnext: x", "password: |\n  ******\n\n  ****\nnext: x"),
            ("- password:\n    s3cret\n  path: x", "- password:\n    ******\n  path: x"),
            ("fingerprint_key: abc", "fingerprint_key: ***"),
            ("c: \"Server=x;PWD={a;b};Uid=y\"", "c: \"Server=x;PWD=*****;Uid=y\""),
            ("c: \"Server=x;Password=ab'c\"", "c: \"Server=x;Password=****\""),
            ("password: ${DB_PASSWORD}", "password: ${DB_PASSWORD}"),
            ("password: ${DB_PASSWORD:-hunter2}", "password: ${DB_PASSWORD:-********"),
            ("url: x://${USER}:${PW}@host", "url: x://${USER}:${PW}@host"),
            ("key: [tag_ref]", "key: [tag_ref]"),
            ("{ user: x, password: a, secret: b }", "{ user: x, password: *, secret: * }"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }

    #[test]
    fn values_are_written_as_their_variables() {
        let known = variables([
            ("URL".to_owned(), "s3cret".to_owned()),
            ("PIN".to_owned(), "12".to_owned()),
            ("NONE".to_owned(), String::new()),
            ("WORD".to_owned(), "place".to_owned()),
        ]);
        let said = |text: &str, written: &str| without_values(text.to_owned(), written, &known);
        assert_eq!(said("`s3cret` is no place", "*alias"), "`${URL}` is no place");
        assert_eq!(said("`s3cret/x` is not", "${URL:-a}/x"), "`${URL}/x` is not");
        assert_eq!(said("`12` is not 12", "${PIN}"), "`${PIN}` is not 12");
        assert_eq!(said("`12` is not 12", "${PINS}"), "`12` is not 12");
        assert_eq!(said("no place", "${WORD}"), "no ${WORD}");
    }
}
