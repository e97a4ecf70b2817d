//! JSON without reading more of it than a path leads to, and without changing a digit.

use std::collections::BTreeSet;
use std::ops::Range;

/// How deep lists and objects may stand in one another.
const DEEPEST: usize = 128;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a name.
    Name(String),
    /// To an element of a list, from 0.
    Element(usize),
}

/// Reads a path: `$`, then names as `.name` or `."a name"` and places as `[0]`.
pub(super) fn path(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(".\"") {
            let (name, after) = after.split_once('"')?;
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "\"]*?@()".contains(c)) {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else {
            let (place, after) = rest.strip_prefix('[')?.split_once(']')?;
            if place.is_empty() || !place.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            steps.push(Step::Element(place.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

/// A text is not JSON that has one value: it is broken, an object has a name twice, half of a surrogate pair stands alone,
/// or it is nested more than 128 deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A part of a JSON text, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Json<'t>(&'t str);

impl<'t> Json<'t> {
    /// Looks through a whole text.
    pub(super) fn new(text: &'t str) -> Result<Json<'t>, Malformed> {
        let mut scanner = Scanner { text, at: 0 };
        let range = scanner.value(0)?;
        scanner.blanks();
        if scanner.at == text.len() { Ok(Json(text.get(range).ok_or(Malformed)?)) } else { Err(Malformed) }
    }

    /// Returns where a path leads; nothing where there is no such name or element.
    pub(super) fn at(self, path: &[Step]) -> Option<Json<'t>> {
        path.iter().try_fold(self, |json, step| match step {
            Step::Name(name) => {
                json.members()?.into_iter().find(|(own, _)| own == name).map(|(_, json)| json)
            }
            Step::Element(place) => json.elements()?.get(*place).copied(),
        })
    }

    fn members(self) -> Option<Vec<(String, Json<'t>)>> {
        let mut scanner = Scanner { text: self.0, at: 0 };
        if scanner.peek() != Some(b'{') {
            return None;
        }
        let mut members = Vec::new();
        scanner.object(0, &mut |name, range| members.push((name, range))).ok()?;
        members.into_iter().map(|(name, range)| Some((name, Json(self.0.get(range)?)))).collect()
    }

    /// Returns the elements of a list; nothing where it is none.
    pub(super) fn elements(self) -> Option<Vec<Json<'t>>> {
        let mut scanner = Scanner { text: self.0, at: 0 };
        if scanner.peek() != Some(b'[') {
            return None;
        }
        let mut elements = Vec::new();
        scanner.list(0, &mut |range| elements.push(range)).ok()?;
        elements.into_iter().map(|range| Some(Json(self.0.get(range)?))).collect()
    }

    /// Returns true for `null`.
    pub(super) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Returns the value as a text: of a text what it says, of anything else how it is written; NULL for `null`.
    pub(super) fn text(self) -> Option<String> {
        if self.is_null() {
            return None;
        }
        match self.0.starts_with('"') {
            true => Scanner { text: self.0, at: 0 }.string().ok(),
            false => Some(self.0.to_owned()),
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn must(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(Malformed) }
    }

    fn value(&mut self, depth: usize) -> Result<Range<usize>, Malformed> {
        self.blanks();
        let start = self.at;
        match self.peek().ok_or(Malformed)? {
            _ if depth > DEEPEST => return Err(Malformed),
            b'{' => self.object(depth, &mut |_, _| {})?,
            b'[' => self.list(depth, &mut |_| {})?,
            b'"' => {
                self.string()?;
            }
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => self.number()?,
        }
        Ok(start..self.at)
    }

    fn word(&mut self, word: &str) -> Result<(), Malformed> {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += word.len();
        if there { Ok(()) } else { Err(Malformed) }
    }

    fn object(&mut self, depth: usize, tell: &mut dyn FnMut(String, Range<usize>)) -> Result<(), Malformed> {
        self.must(b'{')?;
        self.blanks();
        if self.take(b'}') {
            return Ok(());
        }
        let mut names = BTreeSet::new();
        loop {
            self.blanks();
            let name = self.string()?;
            self.blanks();
            self.must(b':')?;
            let range = self.value(depth + 1)?;
            if !names.insert(name.clone()) {
                return Err(Malformed);
            }
            tell(name, range);
            self.blanks();
            if !self.take(b',') {
                return self.must(b'}');
            }
        }
    }

    fn list(&mut self, depth: usize, tell: &mut dyn FnMut(Range<usize>)) -> Result<(), Malformed> {
        self.must(b'[')?;
        self.blanks();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            tell(self.value(depth + 1)?);
            self.blanks();
            if !self.take(b',') {
                return self.must(b']');
            }
        }
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// Reads a text in quotes, and returns what it says.
    fn string(&mut self) -> Result<String, Malformed> {
        self.must(b'"')?;
        let mut said = String::new();
        loop {
            let rest = self.text.get(self.at..).ok_or(Malformed)?;
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').ok_or(Malformed)?;
            said.push_str(rest.get(..plain).ok_or(Malformed)?);
            self.at += plain;
            if self.take(b'"') {
                return Ok(said);
            }
            self.must(b'\\')?;
            let escaped = self.peek().ok_or(Malformed)?;
            self.at += 1;
            said.push(match escaped {
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.unicode()?,
                _ => return Err(Malformed),
            });
        }
    }

    fn unit(&mut self) -> Result<u32, Malformed> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Malformed)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Malformed);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Malformed)
    }

    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.unit()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.must(b'\\')?;
                self.must(b'u')?;
                let second = self.unit()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(Malformed);
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or(Malformed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Says where a path leads in a text.
    fn at(text: &str, steps: &str) -> String {
        let found = Json::new(text).unwrap().at(&path(steps).unwrap());
        found.map_or("nowhere".to_owned(), |json| json.text().unwrap_or_else(|| "NULL".to_owned()))
    }

    #[test]
    fn paths_lead_to_values_as_they_are_written() {
        let text = r#" {"a": {"b c": [1.50, {"d": "x\u00e9\n"}, null, 1e400]}, "": 0} "#;
        assert_eq!(at(text, "$.a.\"b c\"[0]"), "1.50");
        assert_eq!(at(text, "$.a.\"b c\"[1].d"), "xé\n");
        assert_eq!(at(text, "$.a.\"b c\"[1]"), r#"{"d": "x\u00e9\n"}"#);
        assert_eq!(at(text, "$.a.\"b c\"[2]"), "NULL");
        assert_eq!(at(text, "$.a.\"b c\"[3]"), "1e400");
        for nowhere in ["$.b", "$.a[0]", "$.a.\"b c\"[4]", "$.a.\"b c\".d", "$[0]"] {
            assert_eq!(at(text, nowhere), "nowhere", "{nowhere}");
        }
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in ["", "a", "$a", "$.", "$..a", "$[", "$[x]", "$[*]", "$.*", "$[-1]", "$.a b", "$.\"a"] {
            assert_eq!(path(text), None, "{text}");
        }
        let steps = vec![Step::Name("a".to_owned()), Step::Element(12), Step::Name("b.c".to_owned())];
        assert_eq!(path("$.a[12].\"b.c\""), Some(steps));
    }

    #[test]
    fn what_has_not_one_value_is_malformed() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":2}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            "nul",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"a",
            "1 1",
            "\"\n\"",
            "-",
            "NaN",
            deep.as_str(),
        ] {
            assert_eq!(Json::new(text), Err(Malformed), "{text}");
        }
    }

    /// JSON values whose numbers every reader writes in the same way.
    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Returns true where a part of a text has all the parts of a value, and no others.
    fn same(json: Json<'_>, value: &Value) -> bool {
        match value {
            Value::Null => json.text().is_none(),
            Value::String(text) => json.text().as_deref() == Some(text),
            Value::Array(all) => {
                let elements = json.elements().unwrap();
                elements.len() == all.len()
                    && elements.iter().zip(all).all(|(json, value)| same(*json, value))
            }
            Value::Object(all) => {
                let members = json.members().unwrap();
                members.len() == all.len()
                    && all.iter().all(|(name, value)| {
                        json.at(&[Step::Name(name.clone())]).is_some_and(|json| same(json, value))
                    })
            }
            other => json.text() == Some(other.to_string()),
        }
    }

    proptest! {
        #[test]
        fn every_part_of_a_value_is_found(value in json(), pretty: bool) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            prop_assert!(same(Json::new(&text).unwrap(), &value), "{}", text);
        }

        #[test]
        fn a_broken_text_is_refused_by_all_readers(text in "[\\[\\]{}\",:0-9a-e.\\\\ntrue -]{0,12}") {
            // serde_json takes the last of several equal names, and reads numbers that are too large as errors.
            if Json::new(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }
    }
}
