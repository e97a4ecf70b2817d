//! JSON by value: one text for all spellings of the same value.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// How deep lists and objects may stand in one another.
const DEEPEST: usize = 128;

/// Returns the text that all spellings of a JSON value have in common; nothing where the text is not JSON that has one
/// value: it is broken, an object has a name twice, a text holds half of a surrogate pair, or it is nested more than 128 deep.
///
/// The order of an object's names, white space, escapes and the spelling of numbers mean nothing: `1`, `1.0` and `10e-1`
/// are one number, of any size, and `-0` is `0`. The order of a list counts.
pub(super) fn canonical(text: &str) -> Option<String> {
    let mut parser = Parser { rest: text.chars().peekable() };
    let mut out = String::with_capacity(text.len());
    parser.value(&mut out, 0)?;
    parser.blanks();
    parser.rest.next().is_none().then_some(out)
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn blanks(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t' | '\n' | '\r')).is_some() {}
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.rest.next_if_eq(&wanted).map(|_| ())
    }

    fn word(&mut self, word: &'static str, out: &mut String) -> Option<()> {
        for c in word.chars() {
            self.take(c)?;
        }
        out.push_str(word);
        Some(())
    }

    fn value(&mut self, out: &mut String, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.blanks();
        match self.rest.peek()? {
            '{' => self.object(out, depth),
            '[' => self.list(out, depth),
            '"' => {
                let text = self.text()?;
                quote(&text, out);
                Some(())
            }
            't' => self.word("true", out),
            'f' => self.word("false", out),
            'n' => self.word("null", out),
            _ => self.number(out),
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) -> Option<()> {
        self.take('{')?;
        let mut members = BTreeMap::new();
        self.blanks();
        if self.take('}').is_none() {
            loop {
                self.blanks();
                let name = self.text()?;
                self.blanks();
                self.take(':')?;
                let mut value = String::new();
                self.value(&mut value, depth + 1)?;
                if members.insert(name, value).is_some() {
                    return None;
                }
                self.blanks();
                if self.take(',').is_none() {
                    self.take('}')?;
                    break;
                }
            }
        }
        out.push('{');
        for (i, (name, value)) in members.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            quote(name, out);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Some(())
    }

    fn list(&mut self, out: &mut String, depth: usize) -> Option<()> {
        self.take('[')?;
        out.push('[');
        self.blanks();
        if self.take(']').is_none() {
            loop {
                self.value(out, depth + 1)?;
                self.blanks();
                if self.take(',').is_none() {
                    self.take(']')?;
                    break;
                }
                out.push(',');
            }
        }
        out.push(']');
        Some(())
    }

    fn text(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.four_digits()?;
                if !(0xD800..0xDC00).contains(&first) {
                    return char::from_u32(first);
                }
                self.take('\\')?;
                self.take('u')?;
                let second = self.four_digits()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                return char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + second);
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |number, _| Some(number * 16 + self.rest.next()?.to_digit(16)?))
    }

    fn digits(&mut self) -> Option<String> {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        (!digits.is_empty()).then_some(digits)
    }

    /// Writes a number as its digits without zeros at either end, and the power of ten of the last.
    fn number(&mut self, out: &mut String) -> Option<()> {
        let minus = self.take('-').is_some();
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let fraction = if self.take('.').is_some() { self.digits()? } else { String::new() };
        let mut exponent = 0_i64;
        if self.rest.next_if(|c| matches!(c, 'e' | 'E')).is_some() {
            let down = self.rest.next_if(|c| matches!(c, '+' | '-')) == Some('-');
            let digits: i64 = self.digits()?.parse().ok()?;
            exponent = if down { -digits } else { digits };
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            out.push('0');
            return Some(());
        }
        let sign = if minus { "-" } else { "" };
        out.push_str(&format!("{sign}{significant}e{exponent}"));
        Some(())
    }
}

/// Writes a text in quotes, so that no other text is written the same.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn spellings_of_one_value() {
        for (a, b) in [
            (r#"{"a":1,"b":[1,2]}"#, "{ \"b\": [1.0, 20e-1],\n\t\"a\": 1e0 }"),
            (r#""\u00e9\n\/""#, "\"é\\u000a/\""),
            (r#""\ud83d\ude00""#, "\"😀\""),
            ("-0", "0.000"),
            ("100", "1E+2"),
            ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
            ("1e400", "10e399"),
            (" null ", "null"),
        ] {
            assert!(canonical(a).is_some() && canonical(a) == canonical(b), "{a} and {b}");
        }
        for (a, b) in [
            ("[1,2]", "[2,1]"),
            ("1", "\"1\""),
            ("null", "\"null\""),
            (r#"{"a":null}"#, "{}"),
            ("123456789012345678901234567890", "123456789012345678901234567891"),
            (r#"["a","b"]"#, r#"["a\",\"b"]"#),
            ("[]", "{}"),
            ("0.1", "0.10000000000000001"),
        ] {
            assert!(
                canonical(a).is_some() && canonical(b).is_some() && canonical(a) != canonical(b),
                "{a} and {b}"
            );
        }
    }

    #[test]
    fn what_has_no_one_value_has_no_canonical_text() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "nul",
            "'a'",
            "\"a",
            "\"\\x\"",
            "\"\t\"",
            "1 2",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "NaN",
            &deep,
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|n| json!(n)),
            "[a\"\\\\\u{e9}/\n]{0,3}".prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec(("[abc]", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same value with the members of every object in the other order.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => Value::Array(items.iter().map(reversed).collect()),
            Value::Object(members) => {
                Value::Object(members.iter().rev().map(|(name, v)| (name.clone(), reversed(v))).collect())
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn equal_values_and_only_those_have_equal_texts(a in value(), b in value()) {
            let pretty = serde_json::to_string_pretty(&reversed(&a)).unwrap();
            prop_assert_eq!(canonical(&a.to_string()), canonical(&pretty));
            let back: Option<Value> = canonical(&a.to_string()).and_then(|text| serde_json::from_str(&text).ok());
            prop_assert!(back.is_some(), "the canonical text is JSON");
            prop_assert_eq!(canonical(&a.to_string()) == canonical(&b.to_string()), a == b);
        }
    }
}
