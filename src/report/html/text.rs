//! Figures, dates and lists in words.

use chrono::{DateTime, Utc};

/// Returns a number with commas between thousands.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a count as a reader says it: a zero is "none".
pub fn count(n: u64) -> String {
    if n == 0 { "none".to_owned() } else { number(n) }
}

/// Returns a count with its noun in the right number: "1 rule", "21 rules".
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// Returns a share in percent with one decimal, cut off and never rounded up: only all of all is "100 %".
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    match (part, tenths) {
        (0, _) => "0 %".to_owned(),
        (_, 0) => "under 0.1 %".to_owned(),
        (_, 1000..) => "100 %".to_owned(),
        (_, tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// Returns an RFC 3339 time as "23 November 2026" and "18:15 UTC"; as it is where it is no such time.
pub fn date_and_time(text: &str) -> (String, String) {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => {
            let time = time.with_timezone(&Utc);
            (time.format("%-d %B %Y").to_string(), time.format("%H:%M UTC").to_string())
        }
        Err(_) => (text.to_owned(), String::new()),
    }
}

/// Joins words as a sentence does: "a, b and c".
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Returns a text as one part of a web address.
pub fn address(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Returns what stands for a character that would not be seen, or would change what is seen around it.
///
/// Those are control characters, but for none, and characters that turn the direction of writing or have no width.
pub fn visible(c: char) -> Option<String> {
    let hidden = c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    hidden.then(|| format!("[U+{:04X}]", u32::from(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_204), "1,204");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(count(0), "none");
        assert_eq!(counted(1, "rule", "rules"), "1 rule");
        assert_eq!(counted(21, "rule", "rules"), "21 rules");
    }

    #[test]
    fn a_share_is_never_better_than_it_is() {
        assert_eq!(percent(99_999, 100_000), "99.9 %");
        assert_eq!(percent(100, 100), "100 %");
        assert_eq!(percent(1, 100_000), "under 0.1 %");
        assert_eq!(percent(0, 100), "0 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(percent(u64::MAX - 1, u64::MAX), "99.9 %");
    }

    #[test]
    fn dates_and_lists() {
        let (date, time) = date_and_time("2026-11-23T19:15:00+01:00");
        assert_eq!((date.as_str(), time.as_str()), ("23 November 2026", "18:15 UTC"));
        assert_eq!(date_and_time("soon").0, "soon");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(address("a b/é"), "a%20b%2F%C3%A9");
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        assert_eq!(visible('\u{202e}').as_deref(), Some("[U+202E]"));
        assert_eq!(visible('\0').as_deref(), Some("[U+0000]"));
        assert_eq!(visible('é'), None);
    }
}
