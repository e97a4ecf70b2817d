//! Puts text into capitals, small letters, or words with a capital first.
//!
//! Codes typed as `sec` and `SEC`, emails, postcodes: where case carries no meaning, one case makes equal
//! values equal.
//!
//! `title` puts the first letter of each word into capitals and the rest into small letters. A word begins
//! after anything that is not a letter or a digit: `smith-jones` becomes `Smith-Jones`. An apostrophe
//! begins a new word only after a single letter: `o'neil` becomes `O'Neil`, `mary's` becomes `Mary's`.
//! `title` cannot know names: `mcdonald`, `McDonald` and `MCDONALD` all become `Mcdonald`, `DE LA MARE` becomes
//! `De La Mare`. Do not use it where the target keeps such spellings.
//!
//! - NULL stays NULL.
//! - The mappings are Unicode's, the same for every language: `ß` in capitals is `SS`, `İ` in small letters
//!   is an `i` with a dot above it, a sigma at the end of a word is `ς`. A text may so become longer; the
//!   column's declared length is kept all the same.
//! - `"*"` takes every text column.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: case
//! columns: [code]
//! to: upper
//! ```
//! ```rows before
//! | code: text |
//! | "sec"      |
//! | "straße 1" |
//! | null       |
//! ```
//! ```rows after
//! | code: text  |
//! | "SEC"       |
//! | "STRASSE 1" |
//! | null        |
//! ```
//!
//! ```yaml step
//! step: case
//! columns: [name]
//! to: title
//! ```
//! ```rows before
//! | name: text            |
//! | "ANN-MARIE o'neil"    |
//! | "st mary's court 2nd" |
//! | "McDonald"            |
//! ```
//! ```rows after
//! | name: text            |
//! | "Ann-Marie O'Neil"    |
//! | "St Mary's Court 2nd" |
//! | "Mcdonald"            |
//! ```

use std::borrow::Cow;

use crate::diagnostic::Diagnostics;
use crate::model::{Dimension, Field};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

choices! {
    /// The case of text.
    pub enum Case {
        /// Capitals.
        Upper = "upper",
        /// Small letters.
        Lower = "lower",
        /// A capital at the start of each word, small letters for the rest.
        Title = "title",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `case`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The case: `upper`, `lower` or `title`.
        to: Case,
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        let to = self.to;
        text::acts_on("case", &self.columns, field, out).then(|| {
            text::each(field, move |t| {
                let changed = match to {
                    Case::Upper => t.to_uppercase(),
                    Case::Lower => t.to_lowercase(),
                    Case::Title => title(t),
                };
                if changed == t { Cow::Borrowed(t) } else { Cow::Owned(changed) }
            })
        })
    }
}

fn title(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut letters = 0;
    for c in text.to_lowercase().chars() {
        let apostrophe = matches!(before, Some('\'' | '\u{2019}'));
        let begins = before.is_none_or(|b| !in_word(b) && (!apostrophe || letters <= 1));
        if !in_word(c) && !matches!(c, '\'' | '\u{2019}') {
            letters = 0;
        }
        if begins {
            letters = 0;
            for (i, capital) in c.to_uppercase().enumerate() {
                // One letter may have a capital of several: `ß` is `Ss`.
                let small = if i == 0 { capital } else { capital.to_lowercase().next().unwrap_or(capital) };
                letters += usize::from(small.is_alphanumeric());
                result.push(small);
            }
        } else {
            letters += usize::from(c.is_alphanumeric());
            result.push(c);
        }
        before = Some(c);
    }
    result
}

/// Returns true for letters, digits and the marks that stand on them.
fn in_word(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}
