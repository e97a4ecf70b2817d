//! Every text matches a regular expression.
//!
//! References, postcodes and national insurance numbers have a form. A value without it was typed into the wrong field or
//! damaged on the way.
//!
//! ```yaml check
//! check: pattern
//! column: tag_ref
//! matches: '\d{6}/\d{2}|VOID'
//! ```
//! ```rows
//! | tag_ref: text   |
//! | "000123/01"     |
//! | "000123/01 "    |
//! | "VOID"          |
//! | "AVOID"         |
//! | "000123/01\n"   |
//! | null            |
//! ```
//! ```findings
//! row 2: tag_ref
//! row 4: tag_ref
//! row 5: tag_ref
//! ```
//!
//! The whole value must match; `.*` before and after allows more. The syntax is that of the
//! [regex crate](https://docs.rs/regex/latest/regex/#syntax): no look-around and no back references; `(?i)` at the
//! start ignores case. NULL is not evaluated.

use chrono::{DateTime, Utc};
use polars::prelude::{col, lit};
use regex::Regex;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Dimension, Schema};
use crate::node::params;
use crate::rule::ProjectFiles;

use super::{BoundCheck, Check, RowTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

params! {
    /// Every text matches a regular expression.
    pub(super) struct Rule("check `pattern`") {
        /// The text columns, each tested for itself.
        column | columns: Vec<Spanned<String>>,
        /// The regular expression that the whole value must match. Best in single quotes, where a backslash is itself.
        matches: Spanned<String>,
    }
}

impl Rule {
    /// Returns the expression for the whole value; the error says what is wrong with it.
    fn anchored(&self) -> Result<String, String> {
        let pattern = &self.matches.value;
        Regex::new(pattern).map_err(|error| error.to_string())?;
        // A line break ends a comment of `(?x)`, which would else swallow the bracket.
        let forms = [format!("\\A(?:{pattern})\\z"), format!("\\A(?:{pattern}\n)\\z")];
        let whole = forms.into_iter().find(|form| Regex::new(form).is_ok());
        whole.ok_or_else(|| "it cannot be used for a whole value".to_owned())
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.column.clone()
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.column, out);
        if let Err(error) = self.anchored() {
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            out.push(
                Diagnostic::error(&self.matches.span, format!("this is not a regular expression: {reason}"))
                    .help("a character with a meaning of its own stands for itself behind a backslash: `\\(`"),
            );
        }
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_texts(schema, &self.column, "a pattern", out)?;
        let pattern = self.anchored().ok()?;
        let tests = fields.iter().map(|field| RowTest {
            column: Some(field.name.clone()),
            passes: col(field.name.as_str()).str().contains(lit(pattern.clone()), true),
        });
        Some(BoundCheck::Rows(tests.collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{SourceFile, Span};

    fn rule(pattern: &str) -> Rule {
        let file = Arc::new(SourceFile::new("t.yml", pattern));
        let span = Span { file, range: 0..pattern.len() };
        Rule { column: Vec::new(), matches: Spanned { value: pattern.to_owned(), span } }
    }

    #[test]
    fn the_whole_value_is_meant_whatever_the_pattern() {
        for (pattern, passes, fails) in [
            ("a|ab", "ab", "abc"),
            ("(?x) a b # two letters", "ab", "a b"),
            ("(?m)^a$", "a", "a\na"),
            ("(?i)x", "X", "XX"),
        ] {
            let regex = Regex::new(&rule(pattern).anchored().unwrap()).unwrap();
            assert!(regex.is_match(passes) && !regex.is_match(fails), "{pattern}");
        }
        for wrong in ["a)|(?:b", "(", "(?=a)"] {
            let mut out = Diagnostics::default();
            rule(wrong).check(&ProjectFiles::default(), &mut out);
            assert!(out.has_errors(), "{wrong}");
        }
    }
}
