//! `like` patterns to regular expressions.

/// Returns the regular expression of a `like` pattern, for the whole value: `%` stands for any characters,
/// also line breaks, `_` for one; what follows the escape character stands for itself.
///
/// # Errors
/// A sentence where the pattern can be read in two ways: an escape before anything but `%`, `_` and itself,
/// and a backslash before `%` or `_` where no escape was given (SQL Server and PostgreSQL differ there).
pub(super) fn regex(pattern: &str, escape: Option<char>, any_case: bool) -> Result<String, String> {
    let mut regex = String::from(if any_case { "(?si)\\A" } else { "(?s)\\A" });
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        if Some(c) == escape {
            match characters.next() {
                Some(next) if matches!(next, '%' | '_') || next == c => push(next, &mut regex),
                _ => return Err(format!("after the escape `{c}` only `%`, `_` and `{c}` may stand")),
            }
            continue;
        }
        match c {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '\\' if escape.is_none() && matches!(characters.peek(), Some('%' | '_' | '\\')) => {
                return Err("this backslash means something else in each database".to_owned());
            }
            c => push(c, &mut regex),
        }
    }
    regex.push_str("\\z");
    Ok(regex)
}

fn push(c: char, regex: &mut String) {
    regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain judgement, by trying every way.
    fn matches(pattern: &[char], escape: Option<char>, text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [c, next, rest @ ..] if Some(*c) == escape => {
                text.first() == Some(next) && matches(rest, escape, &text[1..])
            }
            ['%', rest @ ..] => (0..=text.len()).any(|i| matches(rest, escape, &text[i..])),
            ['_', rest @ ..] => !text.is_empty() && matches(rest, escape, &text[1..]),
            [c, rest @ ..] => text.first() == Some(c) && matches(rest, escape, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn means_what_sql_means(pattern in "[ab%_!.\\n(é]{0,6}", text in "[ab%_!.\\n(é]{0,6}", escaped: bool) {
            let escape = escaped.then_some('!');
            if let Ok(made) = regex(&pattern, escape, false) {
                let plain = matches(
                    &pattern.chars().collect::<Vec<_>>(),
                    escape,
                    &text.chars().collect::<Vec<_>>(),
                );
                prop_assert_eq!(regex::Regex::new(&made).unwrap().is_match(&text), plain, "{}", made);
            }
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert!(regex("50\\%", None, false).is_err());
        assert!(regex("50\\%", Some('\\'), false).is_ok());
        assert!(regex("a!b", Some('!'), false).is_err());
        assert!(regex("a!", Some('!'), false).is_err());
        assert!(regex("c:\\temp", None, false).is_ok());
        assert!(regex::Regex::new(&regex("ÉA%", None, true).unwrap()).unwrap().is_match("éab"));
    }
}
