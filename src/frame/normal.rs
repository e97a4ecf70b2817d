//! Texts that mean the same: white space and case.

use std::borrow::Cow;

/// Returns the text with lower-case letters, one letter at a time as Unicode gives them; the final sigma is a sigma.
///
/// Letters that have no single partner stay apart: `ß` is not `SS`.
pub fn fold_case(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    Cow::Owned(text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect())
}

/// Returns the text without white space at its ends, and with one blank for each run of it elsewhere.
///
/// White space is what Unicode calls so, the no-break space included.
pub fn collapse_whitespace(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let mut after_white = false;
    let plain = trimmed.chars().all(|c| {
        let white = c.is_whitespace();
        let fine = !white || (c == ' ' && !after_white);
        after_white = white;
        fine
    });
    if plain {
        return Cow::Borrowed(trimmed);
    }
    let mut words = String::with_capacity(trimmed.len());
    for word in trimmed.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    Cow::Owned(words)
}

/// Returns the text without any white space.
pub fn remove_whitespace(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_whitespace) {
        true => Cow::Owned(text.split_whitespace().collect()),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space() {
        assert_eq!(fold_case("Ab1"), "ab1");
        assert_eq!(fold_case("ΣΟΦΟΣ"), fold_case("σοφος"));
        assert_eq!(fold_case("σοφός"), fold_case("ΣΟΦΌΣ"));
        assert_ne!(fold_case("ß"), fold_case("SS"));
        assert_eq!(collapse_whitespace("  a \t\u{a0} b "), "a b");
        assert_eq!(collapse_whitespace("a\tb"), "a b");
        assert!(matches!(collapse_whitespace(" a b "), Cow::Borrowed("a b")));
        assert_eq!(collapse_whitespace(" \n "), "");
        assert_eq!(remove_whitespace(" a b\u{2003}c"), "abc");
    }
}
