//! Text that was read or written in the wrong code page, and characters that were lost on the way.
//!
//! `RenÃ©e` is `Renée` in UTF-8, read as Windows-1252; `Ren?e` went through a code page that has no `é`; `Renee`
//! lost its accent. Told apart are UTF-8 read as Windows-1252 (also twice), Windows-1252 read as Mac Roman or the
//! other way round, characters that became `?` or `�`, and accents that were left out.
//!
//! - No line settles it: what was lost is not in the data. Where a file was read wrongly, its `encoding` under
//!   `source` or `target` is the remedy; where the target holds it, the load must be run again.
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

use std::borrow::Cow;

use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1252};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::both::Both;
use super::settling::{Told, joined};
use super::{Cause, Figure};

pub(super) const RANK: u8 = 40;
pub(super) const INCLUDES: &[&str] = &["punctuation"];

const UTF8: &str = "UTF-8 read as Windows-1252";
const MAC: &str = "Windows-1252 and Mac Roman taken for each other";
const LOST: &str = "characters that a code page does not have";
const ACCENTS: &str = "accents that were left out";

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
        let one_way = |from: &str, to: &str| {
            let once = garbled(from);
            if !from.is_ascii() && (both.same_texts(&once, to) || both.same_texts(&garbled(&once), to)) {
                return Some(UTF8);
            }
            let mac = [(WINDOWS_1252, MACINTOSH), (MACINTOSH, WINDOWS_1252)];
            let is_mac = |(written, read): &(&'static Encoding, &'static Encoding)| {
                misread(from, written, read).is_some_and(|text| both.same_texts(&text, to))
            };
            if mac.iter().any(is_mac) {
                return Some(MAC);
            }
            if has_lost(from, to) {
                return Some(LOST);
            }
            (!from.is_ascii() && to.is_ascii() && both.same_texts(&without_accents(from), to)).then_some(ACCENTS)
        };
        one_way(e, t).or_else(|| one_way(t, e)).map(Figure::Word)
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
