//! Gives equal characters one spelling.
//!
//! `é` can be one character or an `e` with an accent behind it; both look the same and are not equal. Old
//! systems, Macs and web forms write them differently.
//!
//! `NFC` composes characters and changes nothing that can be seen. `NFKC` also replaces what is only a form
//! of another character: full-width letters, ligatures such as `ﬁ`, superscripts (`m²` becomes `m2`),
//! no-break spaces (they become blanks). Use it for codes and keys, not for free text.
//!
//! `remove` takes characters away before that: `control` those below the blank and the like, except tab,
//! line feed and carriage return; `zero_width` the zero-width space, joiner and non-joiner, the word joiner,
//! the byte order mark and the soft hyphen. The joiners mean something in emoji and in some scripts, Persian
//! among them: leave `zero_width` out for such text.
//!
//! - NULL stays NULL; a text that loses all its characters becomes the empty text.
//! - `"*"` takes every text column.
//! - `NFKC` may lengthen a text: the column has no declared length afterwards.
//! - Doing it twice changes nothing more.
//!
//! ```yaml step
//! step: normalise_unicode
//! columns: [surname]
//! ```
//! ```rows before
//! | surname: varchar(20) |
//! | "Re\u0301my"         |
//! | "R\u00e9my"          |
//! | "m\u00b2"            |
//! | null                 |
//! ```
//! ```rows after
//! | surname: varchar(20) |
//! | "R\u00e9my"          |
//! | "R\u00e9my"          |
//! | "m\u00b2"            |
//! | null                 |
//! ```
//!
//! ```yaml step
//! step: normalise_unicode
//! columns: [code]
//! form: NFKC
//! remove: [control, zero_width]
//! ```
//! ```rows before
//! | code: varchar(9)    |
//! | "\uff21\u200b\uff22" |
//! | "\u0000\ufb01x\n"   |
//! ```
//! ```rows after
//! | code: text |
//! | "AB"       |
//! | "fix\n"    |
//! ```

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc, is_nfkc};

use crate::diagnostic::Diagnostics;
use crate::model::{Dimension, Field};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

choices! {
    /// A normal form of Unicode.
    pub enum Form {
        /// Composed characters.
        Nfc = "NFC",
        /// Composed characters without forms that only look different.
        Nfkc = "NFKC",
    }
}

choices! {
    /// Characters that nobody sees.
    pub enum Remove {
        /// Control characters, except tab, line feed and carriage return.
        Control = "control",
        /// Characters of no width.
        ZeroWidth = "zero_width",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `normalise_unicode`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The normal form: `NFC` or `NFKC`.
        form: Form = "NFC",
        /// Characters to take away: `control`, `zero_width`.
        remove: Vec<Remove> = "[]",
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        if !text::acts_on("normalise_unicode", &self.columns, field, out) {
            return None;
        }
        let form = self.form;
        let control = self.remove.contains(&Remove::Control);
        let zero_width = self.remove.contains(&Remove::ZeroWidth);
        let logical = match form {
            Form::Nfc => field.logical.clone(),
            Form::Nfkc => text::without_length(&field.logical),
        };
        let removed = move |c: char| (control && is_control(c)) || (zero_width && is_zero_width(c));
        Some(text::each_into(text::converted(field, logical), move |t| {
            if t.is_ascii() && !t.contains(removed) {
                return Cow::Borrowed(t);
            }
            let kept: Cow<'_, str> =
                if t.contains(removed) { Cow::Owned(t.replace(removed, "")) } else { Cow::Borrowed(t) };
            match form {
                Form::Nfc if is_nfc(&kept) => kept,
                Form::Nfc => Cow::Owned(kept.nfc().collect()),
                Form::Nfkc if is_nfkc(&kept) => kept,
                Form::Nfkc => Cow::Owned(kept.nfkc().collect()),
            }
        }))
    }
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}')
}
