//! Characters that look alike and are spelled in two ways, or are not seen at all.
//!
//! `é` is one character, or an `e` with an accent behind it; `ﬁ` is one character or two; a zero-width space is
//! one that nobody sees.
//!
//! The step is given where the raw source can be brought to what the target holds. Where only the target is spelled in
//! the unusual way there is none: the target should be mended.
//!
//! ```rows expected
//! | name: text     |
//! | "Rene\u0301e"  |
//! | "Zoe\u0308"    |
//! ```
//! ```rows target
//! | name: text     |
//! | "Ren\u00e9e"   |
//! | "Zo\u00eb"     |
//! ```
//! ```causes
//! row 1: name: unicode_form
//! row 2: name: unicode_form
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: normalise_unicode
//!     columns: [name]
//!     form: NFC
//! ```

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::both::Both;
use super::settling::{Settling, Told};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 30;
pub(super) const INCLUDES: &[&str] = &[];

/// What the step can do: its form, and whether it takes away what is not seen.
const STEPS: [(&str, &str, bool); 4] = [
    ("NFC", "NFC", false),
    ("NFKC", "NFKC", false),
    ("NFC and unseen characters", "NFC", true),
    ("NFKC and unseen characters", "NFKC", true),
];

/// The figure of cells that no step settles.
const TARGET: &str = "the target";

pub(super) struct This;

/// Returns true for characters that the step takes away where it is told to.
fn is_unseen(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}')
}

fn normal(text: &str, form: &str, remove: bool) -> String {
    let kept = text.chars().filter(|c| !(remove && is_unseen(*c)));
    match form {
        "NFC" => kept.nfc().collect(),
        _ => kept.nfkc().collect(),
    }
}

fn is_plain(text: &str) -> bool {
    text.is_ascii() && !text.contains(is_unseen)
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        if is_plain(e) && is_plain(t) {
            return None;
        }
        let settled = STEPS.iter().find(|(_, form, remove)| both.same_texts(&normal(e, form, *remove), t));
        if let Some((word, _, _)) = settled {
            return Some(Figure::Word(word));
        }
        both.same_texts(&normal(e, "NFKC", true), &normal(t, "NFKC", true)).then_some(Figure::Word(TARGET))
    }

    fn form<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        Some(if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(normal(text, "NFKC", true)) })
    }

    fn says(&self, told: &Told<'_>) -> String {
        match told.words().as_slice() {
            words if words.iter().any(|word| word.contains("unseen")) => {
                "the spelling of characters in Unicode, and characters that are not seen"
            }
            _ => "the spelling of characters in Unicode",
        }
        .to_owned()
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let (word, form, remove) =
            STEPS.iter().find(|(word, _, _)| told.words().first() == Some(word)).filter(|_| told.source_is_text())?;
        let mut fields = vec![("form", (*form).to_owned())];
        if *remove {
            fields.push(("remove", "[control, zero_width]".to_owned()));
        }
        let lost = match *form {
            "NFC" => "how the source spells characters",
            _ => "how the source spells characters, and forms such as superscripts and ligatures",
        };
        let settling = Settling::of(told, |figure| *figure == Figure::Word(word))?;
        let settling = settling.step(told.step("normalise_unicode"), &fields).giving_up(lost);
        Some(settling.altering(move |text| normal(text, form, *remove) != text))
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        told.no_text_or(
            "It is the target that spells characters in the unusual way, and no step changes what the target holds: the run's \
             repairs do.",
        )
    }
}
