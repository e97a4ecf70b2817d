//! The text form of a key.

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
