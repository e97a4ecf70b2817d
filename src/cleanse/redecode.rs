//! Reads text again that was read in the wrong code page.
//!
//! `RenÃ©e` is what becomes of `Renée` where a file in UTF-8 is taken for Windows-1252: each letter beyond ASCII is two odd
//! ones. The bytes are all there, so the text can be read once more, as what it was written in.
//!
//! `read_as` is the code page in which the text was read, `written` the one in which it was written.
//!
//! - A text that cannot come from such a mistake stays as it is: one with a character that `read_as` does not have, or whose bytes
//!   are no text in `written`. Hardly any text that was read rightly is UTF-8 by accident; between code pages of one byte a
//!   letter, any text is: give the step a `where`, or only columns in which all texts are wrong.
//! - NULL and texts of ASCII alone stay as they are. `"*"` takes every text column.
//! - What was lost on the way (`?`, `�`) does not come back. Where the file is still at hand, its `encoding` under `source` is
//!   the better remedy.
//! - Text that was garbled twice needs the step twice. Doing it once more changes nothing where `written` is UTF-8.
//!
//! ```yaml step
//! step: redecode
//! columns: [name]
//! read_as: windows-1252
//! written: utf-8
//! ```
//! ```rows before
//! | name: text    |
//! | "RenÃ©e"      |
//! | "Renée"       |
//! | "Ann"         |
//! | "â€œZoÃ«â€\u009d" |
//! | "Łódź Ã©"     |
//! | null          |
//! ```
//! ```rows after
//! | name: text |
//! | "Renée"    |
//! | "Renée"    |
//! | "Ann"      |
//! | "“Zoë”"    |
//! | "Łódź Ã©"  |
//! | null       |
//! ```
//!
//! ```yaml step
//! step: redecode
//! columns: [name]
//! read_as: windows-1252
//! written: macintosh
//! ```
//! ```rows before
//! | name: text |
//! | "RenŽe"    |
//! ```
//! ```rows after
//! | name: text |
//! | "Renée"    |
//! ```

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_8859_15, MACINTOSH, UTF_8, WINDOWS_1252};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Dimension, Field};
use crate::node::{choices, params};
use crate::rule::{Columns, ProjectFiles};

use super::{BoundStep, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Validity;

choices! {
    /// A code page of one byte a character.
    pub enum ReadAs {
        /// Western European, as Windows has it; also what is called Latin-1.
        Windows1252 = "windows-1252",
        /// Western European with the euro sign, ISO 8859-15, also called Latin-9.
        Iso885915 = "iso-8859-15",
        /// Mac Roman.
        Macintosh = "macintosh",
    }
}

choices! {
    /// What a text was written in.
    pub enum Written {
        /// UTF-8.
        Utf8 = "utf-8",
        /// Western European, as Windows has it; also what is called Latin-1.
        Windows1252 = "windows-1252",
        /// Western European with the euro sign, ISO 8859-15, also called Latin-9.
        Iso885915 = "iso-8859-15",
        /// Mac Roman.
        Macintosh = "macintosh",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `redecode`") {
        /// The columns, or `"*"` for every text column.
        columns | column: Columns,
        /// The code page in which the text was read: `windows-1252`, `iso-8859-15` or `macintosh`.
        read_as: ReadAs,
        /// The one in which it was written: `utf-8`, `windows-1252`, `iso-8859-15` or `macintosh`.
        written: Spanned<Written>,
    }
}

impl Rule {
    /// Returns in what the text was read, and in what it was written; where both are the same it says so.
    fn encodings(&self, out: &mut Diagnostics) -> Option<(&'static Encoding, &'static Encoding)> {
        let read = match self.read_as {
            ReadAs::Windows1252 => WINDOWS_1252,
            ReadAs::Iso885915 => ISO_8859_15,
            ReadAs::Macintosh => MACINTOSH,
        };
        let written = match self.written.value {
            Written::Utf8 => UTF_8,
            Written::Windows1252 => WINDOWS_1252,
            Written::Iso885915 => ISO_8859_15,
            Written::Macintosh => MACINTOSH,
        };
        if read == written {
            let message = "`read_as` is the same: the step would change nothing";
            let help = "`read_as` is how the text was read by mistake, `written` what it really is";
            out.push(Diagnostic::error(&self.written.span, message).help(help));
            return None;
        }
        Some((read, written))
    }
}

/// Returns a text as it is when its bytes are read as what they were written in.
fn again<'t>(text: &'t str, read: &'static Encoding, written: &'static Encoding) -> Cow<'t, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let (bytes, _, unmappable) = read.encode(text);
    let decoded = (!unmappable).then(|| written.decode_without_bom_handling_and_without_replacement(&bytes));
    match decoded.flatten() {
        Some(decoded) => Cow::Owned(decoded.into_owned()),
        None => Cow::Borrowed(text),
    }
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        self.encodings(out);
    }

    fn bind(&self, field: &Field, _files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        if !text::acts_on("redecode", &self.columns, field, out) {
            return None;
        }
        let (read, written) = self.encodings(out)?;
        Some(text::each(field, move |text| again(text, read, written)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_read_wrongly_comes_back(text in any::<String>()) {
            let (garbled, _) = WINDOWS_1252.decode_without_bom_handling(text.as_bytes());
            prop_assert_eq!(again(&garbled, WINDOWS_1252, UTF_8), text.as_str());
        }
    }
}
