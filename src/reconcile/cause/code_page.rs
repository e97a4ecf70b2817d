//! Text that was read or written in the wrong code page, and characters that were lost on the way.
//!
//! `RenÃ©e` is `Renée` in UTF-8, read as Windows-1252; `Ren?e` went through a code page that has no `é`; `Renee`
//! lost its accent. Told apart are UTF-8 read as Windows-1252 (also twice), Windows-1252 read as Mac Roman or the
//! other way round, characters that became `?` or `�`, and accents that were left out.
//!
//! - The step reads the source's text once more, where it is the source that was read wrongly: UTF-8 that was taken for
//!   Windows-1252 shows itself. Of Windows-1252 and Mac Roman nobody can tell which was right; the line takes the target's
//!   reading.
//! - No line settles what the target holds, or what is lost: the load must be run again. Where a file was read wrongly, its
//!   `encoding` under `source` or `target` is the remedy.
//! - A text without a character beyond ASCII on either side is never this cause.
//!
//! ```rows expected
//! | name: text |
//! | "Renée"    |
//! | "Renée"    |
//! | "Zoë"      |
//! ```
//! ```rows target
//! | name: text |
//! | "RenÃ©e"   |
//! | "Ren?e"    |
//! | "Zoe"      |
//! ```
//! ```causes
//! row 1: name: code_page
//! row 2: name: code_page
//! row 3: name: code_page
//! ```
//!
//! Where the source was read wrongly:
//!
//! ```rows expected
//! | name: text |
//! | "RenÃ©e"   |
//! | "ZoÃ«"     |
//! ```
//! ```rows target
//! | name: text |
//! | "Renée"    |
//! | "Zoë"      |
//! ```
//! ```causes
//! row 1: name: code_page
//! row 2: name: code_page
//! ```
//! ```yaml settles
//! cleanse:
//!   - step: redecode
//!     columns: [name]
//!     read_as: windows-1252
//!     written: utf-8
//! ```

use std::borrow::Cow;

use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1252};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::both::Both;
use super::settling::{Settling, Told, joined};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 40;
pub(super) const INCLUDES: &[&str] = &["punctuation"];

const IN_SOURCE: &str = "UTF-8 that the source has read as Windows-1252";
const IN_SOURCE_TWICE: &str = "UTF-8 that was read as Windows-1252 twice on the way to the source";
const IN_TARGET: &str = "UTF-8 read as Windows-1252";
const TARGET_AS_MAC: &str = "bytes that the source reads as Windows-1252 and the target as Mac Roman";
const SOURCE_AS_MAC: &str = "bytes that the source reads as Mac Roman and the target as Windows-1252";
const LOST: &str = "characters that a code page does not have";
const LOST_BY_SOURCE: &str = "characters that the source has lost, because a code page does not have them";
const ACCENTS: &str = "accents that were left out";
const ACCENTS_OF_SOURCE: &str = "accents that the source left out";

/// The figures that a step settles: in which code page the text was read, in which it was written, and how often.
const STEPS: [(&str, &str, &str, usize); 4] = [
    (IN_SOURCE, "windows-1252", "utf-8", 1),
    (IN_SOURCE_TWICE, "windows-1252", "utf-8", 2),
    (TARGET_AS_MAC, "windows-1252", "macintosh", 1),
    (SOURCE_AS_MAC, "macintosh", "windows-1252", 1),
];

pub(super) struct This;

/// Returns what bytes in UTF-8 look like in Windows-1252.
fn garbled(text: &str) -> String {
    WINDOWS_1252.decode_without_bom_handling(text.as_bytes()).0.into_owned()
}

/// Returns the text whose bytes in UTF-8 look like this in Windows-1252, where there is one.
fn repaired(text: &str) -> Option<String> {
    let (bytes, _, unmappable) = WINDOWS_1252.encode(text);
    if unmappable || text.is_ascii() {
        return None;
    }
    String::from_utf8(bytes.into_owned()).ok()
}

/// Returns a text that was written in one code page and read in another.
fn misread(text: &str, written: &'static Encoding, read: &'static Encoding) -> Option<String> {
    let (bytes, _, unmappable) = written.encode(text);
    (!unmappable).then(|| read.decode_without_bom_handling(&bytes).0.into_owned())
}

/// Returns true where `poor` is `rich` with signs of loss in place of its characters beyond ASCII.
fn has_lost(rich: &str, poor: &str) -> bool {
    let is_sign = |c: char| matches!(c, '?' | '\u{fffd}' | '\u{1a}' | '\u{bf}');
    let mut left = poor.chars().peekable();
    let mut lost = false;
    for c in rich.chars() {
        match left.peek() {
            Some(own) if *own == c => {
                left.next();
            }
            Some(sign) if !c.is_ascii() && is_sign(*sign) => {
                lost = true;
                // Each byte of the character may have its own sign.
                for _ in 0..c.len_utf8() {
                    if left.next_if(|sign| is_sign(*sign)).is_none() {
                        break;
                    }
                }
            }
            _ => return false,
        }
    }
    lost && left.next().is_none()
}

/// Returns a text without accents.
fn without_accents(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).nfc().collect()
}

impl Cause for This {
    fn cell(&self, both: &Both<'_>) -> Option<Figure> {
        let (e, t) = both.texts()?;
        if e.is_ascii() && t.is_ascii() {
            return None;
        }
        let is_garbled = |from: &str, to: &str| {
            let once = garbled(from);
            !from.is_ascii() && (both.same_texts(&once, to) || both.same_texts(&garbled(&once), to))
        };
        let is_misread = |written, read| misread(e, written, read).is_some_and(|text| both.same_texts(&text, t));
        let lost_accents = |from: &str, to: &str| {
            !from.is_ascii() && to.is_ascii() && both.same_texts(&without_accents(from), to)
        };
        // What the step can mend is what it makes equal.
        let once = repaired(e);
        let twice = once.as_deref().and_then(repaired);
        let is_equal = |text: &Option<String>| text.as_ref().is_some_and(|text| both.same_texts(text, t));
        let word = if is_equal(&once) {
            IN_SOURCE
        } else if is_equal(&twice) {
            IN_SOURCE_TWICE
        } else if is_garbled(e, t) {
            IN_TARGET
        } else if is_misread(WINDOWS_1252, MACINTOSH) {
            TARGET_AS_MAC
        } else if is_misread(MACINTOSH, WINDOWS_1252) {
            SOURCE_AS_MAC
        } else if has_lost(e, t) {
            LOST
        } else if lost_accents(e, t) {
            ACCENTS
        } else if has_lost(t, e) {
            LOST_BY_SOURCE
        } else if lost_accents(t, e) {
            ACCENTS_OF_SOURCE
        } else {
            return None;
        };
        Some(Figure::Word(word))
    }

    fn form<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        if text.is_ascii() {
            return Some(Cow::Borrowed(text));
        }
        let once = repaired(text);
        let twice = once.as_deref().and_then(repaired);
        let plain = twice.or(once).map_or_else(|| without_accents(text), |text| without_accents(&text));
        Some(Cow::Owned(plain))
    }

    fn says(&self, told: &Told<'_>) -> String {
        let words: Vec<String> = told.words().into_iter().map(str::to_owned).collect();
        format!("the code page: {}", joined(&words))
    }

    fn settling(&self, told: &Told<'_>) -> Option<Settling> {
        let first = told.words().into_iter().next()?;
        let (word, read, written, times) = STEPS.into_iter().find(|(word, ..)| *word == first)?;
        let mut settling = Settling::of(told, |figure| *figure == Figure::Word(word)).filter(|_| told.source_is_text())?;
        for _ in 0..times {
            let fields = [("read_as", read.to_owned()), ("written", written.to_owned())];
            settling = settling.step(told.step("redecode"), &fields);
        }
        let settling = settling.giving_up("how the source reads its own text");
        Some(match word {
            IN_SOURCE | IN_SOURCE_TWICE => settling.altering(|text| repaired(text).is_some()),
            _ => settling.altering(|text| !text.is_ascii()),
        })
    }

    fn no_line(&self, told: &Told<'_>) -> String {
        let is_of_source = |word: &&str| [LOST_BY_SOURCE, ACCENTS_OF_SOURCE].contains(word);
        told.no_text_or(match told.words().first() {
            Some(word) if is_of_source(word) => {
                "What the source has lost only the target still has: the source is to be read again in its own code page, or mended \
                 by hand."
            }
            _ => {
                "The target does not hold the text any more: it has to be loaded again, with the right `encoding` where it is a \
                 file, or mended by the run's repairs."
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_seen() {
        assert!(has_lost("Renée", "Ren?e") && has_lost("Renée", "Ren??e") && has_lost("Renée", "Ren\u{fffd}e"));
        assert!(!has_lost("Renée", "Renee") && !has_lost("Renée", "Ren?") && !has_lost("Why?", "Why?"));
        assert_eq!(repaired("RenÃ©e").as_deref(), Some("Renée"));
        assert_eq!(repaired("Renée"), None);
        assert_eq!(without_accents("Zoë Ångström"), "Zoe Angstrom");
    }
}
