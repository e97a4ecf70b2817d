//! The text form of a key.

use std::cmp::Ordering;

/// Joins key parts with `|`, escaping `\` and `|` inside a part with `\`.
///
/// A NULL part is written `\N`, which no text part can give.
///
/// ```
/// use counterfoil::model::key_text;
/// assert_eq!(key_text([Some("000123/01"), Some("1")]), "000123/01|1");
/// assert_eq!(key_text([Some("a|b"), None, Some("c\\")]), "a\\|b|\\N|c\\\\");
/// ```
pub fn key_text<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut text = String::new();
    for (i, part) in parts.into_iter().enumerate() {
        if i > 0 {
            text.push('|');
        }
        match part {
            None => text.push_str("\\N"),
            Some(part) if part.contains(['|', '\\']) => {
                for c in part.chars() {
                    if matches!(c, '|' | '\\') {
                        text.push('\\');
                    }
                    text.push(c);
                }
            }
            Some(part) => text.push_str(part),
        }
    }
    text
}

/// Compares two texts that [`key_text`] joined: whole numbers by their value and before other texts, part by part.
///
/// ```
/// use counterfoil::model::compare_keys;
/// let mut keys = ["10|b", "9|b", "x", "10|a", "-1", "007", "7"];
/// keys.sort_by(|a, b| compare_keys(a, b));
/// assert_eq!(keys, ["-1", "007", "7", "9|b", "10|a", "10|b", "x"]);
/// ```
pub fn compare_keys(a: &str, b: &str) -> Ordering {
    let number = |part: &str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_whole { part.parse::<i128>().ok() } else { None }
    };
    let (mut left, mut right) = (a.split('|'), b.split('|'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (number(one), number(other)) {
                (Some(one), Some(other)) => one.cmp(&other),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => one.cmp(other),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Splits what [`key_text`] joined.
///
/// ```
/// use counterfoil::model::{key_parts, key_text};
/// let parts = [Some("a|b"), None, Some("c\\"), Some("")];
/// let back = key_parts(&key_text(parts));
/// assert_eq!(back.iter().map(Option::as_deref).collect::<Vec<_>>(), parts);
/// ```
pub fn key_parts(text: &str) -> Vec<Option<String>> {
    let mut parts = Vec::new();
    let mut part = Some(String::new());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '|' => parts.push(part.replace(String::new())),
            '\\' => match chars.next() {
                Some('N') => part = None,
                Some(escaped) => part.get_or_insert_default().push(escaped),
                None => {}
            },
            c => part.get_or_insert_default().push(c),
        }
    }
    parts.push(part);
    parts
}
