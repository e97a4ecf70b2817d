//! Replaces a text, or what a pattern matches, wherever it stands inside a value.
//!
//! Telephone numbers with blanks and brackets, codes with an old prefix: whatever is written in several ways and
//! meant once.
//!
//! `find` is a plain text and `with` is put in its place as it is written. `pattern` is a regular expression of the
//! [regex](https://docs.rs/regex/latest/regex/#syntax) crate (no look-around, no back-references, so it takes
//! linear time); in `with`, `$1` is the first group's text, `$name` a named group's, `$$` a dollar sign. Braces
//! as in `${1}` must be written `$${1}`, because `${…}` in a project file is an environment variable.
//!
//! - Every occurrence is replaced, from left to right, once: what came in is not searched again. So doing it
//!   twice may change more: `find: "aa"`, `with: a` makes `aaaa` `aa`, then `a`.
//! - A pattern matches anywhere in the value: `^` and `$` tie it to the ends, `(?i)` ignores case.
//! - NULL stays NULL; a value may become the empty text, which is not NULL (see `null_if`).
//! - Where values may grow, the column has no declared length afterwards.
//! - `"*"` takes every text column.
//!
//! ```yaml step
//! step: replace
//! columns: [telephone]
//! pattern: "^\\+44 *\\(?0?\\)? *([0-9]+)"
//! with: "0$1"
//! ```
//! ```rows before
//! | telephone: varchar(20) |
//! | "+44 (0)20 7946 0000"  |
//! | "020 7946 0000"        |
//! | null                   |
//! ```
//! ```rows after
//! | telephone: text |
//! | "020 7946 0000" |
//! | "020 7946 0000" |
//! | null            |
//! ```
//!
//! ```yaml step
//! step: replace
//! columns: [surname]
//! find: "*"
//! with: ""
//! ```
//! ```rows before
//! | surname: varchar(20) |
//! | "**Smith*"           |
//! | "*"                  |
//! ```
//! ```rows after
//! | surname: varchar(20) |
//! | "Smith"              |
//! | ""                   |
//! ```

use std::borrow::Cow;

use regex::Regex;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::{Dimension, Field};
use crate::node::params;
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

params! {
    /// The parameters.
    pub struct Rule("step `replace`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The text to look for, as it is. Give this or `pattern`.
        find: Option<Spanned<String>>,
        /// The regular expression to look for. Give this or `find`.
        pattern: Option<Spanned<String>>,
        /// What to put in its place; with `pattern`, `$1` is the text of the first group.
        with: Spanned<String>,
    }
}

/// What is looked for.
enum Search {
    Text(String),
    Pattern(Regex),
}

impl Rule {
    fn search(&self, out: &mut Diagnostics) -> Option<Search> {
        match (&self.find, &self.pattern) {
            (Some(find), None) if find.value.is_empty() => {
                out.push(Diagnostic::error(&find.span, "the empty text cannot be looked for"));
                None
            }
            (Some(find), None) => Some(Search::Text(find.value.clone())),
            (None, Some(pattern)) => {
                let regex = read_pattern(pattern, out)?;
                self.check_groups(&regex, out).then_some(Search::Pattern(regex))
            }
            (Some(_), Some(pattern)) => {
                out.push(Diagnostic::error(
                    &pattern.span,
                    "step `replace` has `find` and `pattern`: give one of them",
                ));
                None
            }
            (None, None) => {
                out.push(Diagnostic::error(&self.with.span, "step `replace` needs `find` or `pattern`"));
                None
            }
        }
    }

    /// Reports groups in `with` that the pattern does not have: they would silently be empty.
    fn check_groups(&self, regex: &Regex, out: &mut Diagnostics) -> bool {
        let missing: Vec<String> = groups_used(&self.with.value)
            .into_iter()
            .filter(|name| match name.parse::<usize>() {
                Ok(number) => number >= regex.captures_len(),
                Err(_) => !regex.capture_names().flatten().any(|n| n == name),
            })
            .collect();
        for name in &missing {
            out.push(
                Diagnostic::error(&self.with.span, format!("the pattern has no group `{name}`")).help(
                    "a group's name runs on through letters, digits and `_`: write `$${1}a`, not `$1a`; `$$` is a dollar sign",
                ),
            );
        }
        missing.is_empty()
    }
}

fn read_pattern(pattern: &Spanned<String>, out: &mut Diagnostics) -> Option<Regex> {
    match Regex::new(&pattern.value) {
        Ok(regex) => Some(regex),
        Err(error) => {
            out.push(pattern_error(&pattern.span, &error));
            None
        }
    }
}

fn pattern_error(span: &Span, error: &regex::Error) -> Diagnostic {
    let text = error.to_string();
    // The last line says what is wrong; those above draw the pattern.
    let reason = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
    Diagnostic::error(span, format!("this is not a regular expression: {reason}"))
}

/// Returns the groups that a replacement names, as the regex crate reads it.
fn groups_used(with: &str) -> Vec<String> {
    let mut groups = Vec::new();
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            if let Some((name, after)) = inside.split_once('}') {
                groups.push(name.to_owned());
                rest = after;
            }
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end > 0 {
                groups.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
    }
    groups
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        self.search(out);
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        if !text::acts_on("replace", &self.columns, field, out) {
            return None;
        }
        let with = self.with.value.clone();
        let search = self.search(out)?;
        let may_grow = match &search {
            Search::Text(find) => with.chars().count() > find.chars().count(),
            Search::Pattern(_) => !with.is_empty(),
        };
        let logical = if may_grow { text::without_length(&field.logical) } else { field.logical.clone() };
        let output = text::converted(field, logical);
        Some(match search {
            Search::Text(find) => text::each_into(output, move |t| {
                if t.contains(&find) { Cow::Owned(t.replace(&find, &with)) } else { Cow::Borrowed(t) }
            }),
            Search::Pattern(regex) => text::each_into(output, move |t| regex.replace_all(t, with.as_str())),
        })
    }
}
