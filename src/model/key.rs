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
