//! Values in the plain: numbers as digits on paper, texts, the clocks of London.

use std::cmp::Ordering;

use counterfoil::frame::Value;
use counterfoil::model::Logical;

/// A decimal number as one writes it: digits from the left, so many of them behind the point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    minus: bool,
    /// Without zeros that say nothing: none in front of the point but the one that stands there, none at the end.
    whole: Vec<u8>,
    fraction: Vec<u8>,
}

impl Digits {
    /// Reads plain digits with an optional sign and point.
    pub fn read(text: &str) -> Option<Digits> {
        let (minus, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.len() + fraction.len() == 0
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let list = |text: &str| text.bytes().map(|b| b - b'0').collect();
        Some(Digits { minus, whole: list(whole), fraction: list(fraction) }.tidy())
    }

    pub fn zero() -> Digits {
        Digits { minus: false, whole: Vec::new(), fraction: Vec::new() }
    }

    fn tidy(mut self) -> Digits {
        while self.whole.first() == Some(&0) {
            self.whole.remove(0);
        }
        while self.fraction.last() == Some(&0) {
            self.fraction.pop();
        }
        if self.whole.is_empty() && self.fraction.is_empty() {
            self.minus = false;
        }
        self
    }

    /// Returns the number as text with at least so many digits behind the point.
    pub fn text(&self, least: usize) -> String {
        let mut fraction = self.fraction.clone();
        while fraction.len() < least {
            fraction.push(0);
        }
        let list = |digits: &[u8]| digits.iter().map(|d| char::from(b'0' + d)).collect::<String>();
        let whole = if self.whole.is_empty() { "0".to_owned() } else { list(&self.whole) };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{whole}{point}{}", if self.minus { "-" } else { "" }, list(&fraction))
    }

    /// Returns both numbers' digits, written below one another.
    fn lined_up(&self, other: &Digits) -> (Vec<u8>, Vec<u8>, usize) {
        let (whole, fraction) =
            (self.whole.len().max(other.whole.len()), self.fraction.len().max(other.fraction.len()));
        let line = |n: &Digits| {
            let mut line = vec![0; whole - n.whole.len()];
            line.extend(&n.whole);
            line.extend(&n.fraction);
            line.resize(whole + fraction, 0);
            line
        };
        (line(self), line(other), fraction)
    }

    fn of(minus: bool, line: Vec<u8>, fraction: usize) -> Digits {
        let at = line.len() - fraction;
        Digits { minus, whole: line[..at].to_vec(), fraction: line[at..].to_vec() }.tidy()
    }

    pub fn size(&self) -> Digits {
        Digits { minus: false, ..self.clone() }
    }

    pub fn negated(&self) -> Digits {
        Digits { minus: !self.minus, ..self.clone() }.tidy()
    }

    pub fn is_zero(&self) -> bool {
        *self == Digits::zero()
    }

    pub fn order(&self, other: &Digits) -> Ordering {
        let (a, b, _) = self.lined_up(other);
        match (self.minus, other.minus) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => a.cmp(&b),
            (true, true) => b.cmp(&a),
        }
    }

    pub fn plus(&self, other: &Digits) -> Digits {
        let (a, b, fraction) = self.lined_up(other);
        if self.minus == other.minus {
            let (mut line, mut carry) = (Vec::new(), 0);
            for (x, y) in a.iter().zip(&b).rev() {
                let sum = x + y + carry;
                line.insert(0, sum % 10);
                carry = sum / 10;
            }
            line.insert(0, carry);
            return Digits::of(self.minus, line, fraction);
        }
        let (large, small, minus) = if a >= b { (a, b, self.minus) } else { (b, a, other.minus) };
        let (mut line, mut borrow) = (Vec::new(), 0);
        for (x, y) in large.iter().zip(&small).rev() {
            let (x, y) = (i16::from(*x), i16::from(*y) + borrow);
            borrow = i16::from(x < y);
            line.insert(0, u8::try_from(x + 10 * borrow - y).unwrap());
        }
        Digits::of(minus, line, fraction)
    }

    pub fn minus(&self, other: &Digits) -> Digits {
        self.plus(&other.negated())
    }

    pub fn times(&self, other: &Digits) -> Digits {
        let digits = |n: &Digits| n.whole.iter().chain(&n.fraction).copied().collect::<Vec<u8>>();
        let (a, b) = (digits(self), digits(other));
        let mut line = vec![0_u32; a.len() + b.len()];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                line[i + j + 1] += u32::from(*x) * u32::from(*y);
            }
        }
        for i in (1..line.len()).rev() {
            line[i - 1] += line[i] / 10;
            line[i] %= 10;
        }
        let line: Vec<u8> = line.into_iter().map(|d| u8::try_from(d).unwrap()).collect();
        Digits::of(self.minus != other.minus, line, self.fraction.len() + other.fraction.len())
    }

    /// Rounds to so many digits behind the point, half away from zero.
    pub fn rounded(&self, scale: usize) -> Digits {
        if self.fraction.len() <= scale {
            return self.clone();
        }
        let up = self.fraction[scale] >= 5;
        let cut = Digits { fraction: self.fraction[..scale].to_vec(), ..self.clone() };
        let mut unit = vec![0; scale];
        let one = match unit.last_mut() {
            Some(last) => {
                *last = 1;
                Digits { minus: self.minus, whole: Vec::new(), fraction: unit }
            }
            None => Digits { minus: self.minus, whole: vec![1], fraction: Vec::new() },
        };
        if up { cut.plus(&one) } else { cut.tidy() }
    }

    /// Returns how many digits stand in the number, those behind the point counted up to `scale`.
    pub fn count(&self, scale: usize) -> usize {
        self.whole.len() + scale.max(self.fraction.len())
    }

    /// Returns how many digits stand behind the point.
    pub fn scale(&self) -> usize {
        self.fraction.len()
    }

    /// Divides by taking away: so many digits behind the point, half rounded away from zero.
    pub fn divided(&self, by: &Digits, scale: usize) -> Option<Digits> {
        if by.is_zero() {
            return None;
        }
        let shifted = |n: &Digits, places: usize| {
            let mut fraction = n.fraction.clone();
            fraction.resize(places.max(fraction.len()), 0);
            let mut whole = n.whole.clone();
            whole.extend(&fraction[..places]);
            Digits { minus: false, whole, fraction: fraction[places..].to_vec() }.tidy()
        };
        let places = self.fraction.len().max(by.fraction.len());
        let (top, bottom) = (shifted(self, places), shifted(by, places));
        let mut rest = Digits::zero();
        let mut line: Vec<u8> = Vec::new();
        let top_digits = top.whole.clone();
        for i in 0..=(top_digits.len() + scale) {
            rest.whole.push(top_digits.get(i).copied().unwrap_or(0));
            rest = rest.tidy();
            let mut digit = 0;
            while rest.order(&bottom) != Ordering::Less {
                rest = rest.minus(&bottom);
                digit += 1;
            }
            line.push(digit);
        }
        let at = top_digits.len();
        let exact = Digits {
            minus: self.minus != by.minus,
            whole: line[..at].to_vec(),
            fraction: line[at..].to_vec(),
        };
        // One digit more than wanted tells how to round.
        Some(exact.rounded(scale).tidy())
    }
}

/// A number, or what floating-point numbers have beside numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    Finite(Digits),
    NotANumber,
    Infinity { minus: bool },
}

impl Number {
    /// Returns what a floating-point number is worth: whole ones what they hold, others the shortest text that
    /// reads back as them.
    pub fn of_float(value: f64) -> Number {
        if value.is_nan() {
            Number::NotANumber
        } else if value.is_infinite() {
            Number::Infinity { minus: value < 0.0 }
        } else if value.fract() == 0.0 {
            Number::Finite(Digits::read(&format!("{value:.0}")).unwrap())
        } else {
            Number::Finite(Digits::read(&value.to_string()).unwrap())
        }
    }

    pub fn text(&self) -> String {
        match self {
            Number::Finite(digits) => digits.text(0),
            Number::NotANumber => "NaN".to_owned(),
            Number::Infinity { minus: false } => "inf".to_owned(),
            Number::Infinity { minus: true } => "-inf".to_owned(),
        }
    }

    pub fn float(&self) -> f64 {
        self.text().parse().unwrap()
    }

    /// Returns how two numbers stand; NaN is equal to itself and above all others.
    pub fn order(&self, other: &Number) -> Ordering {
        let rank = |n: &Number| match n {
            Number::Infinity { minus: true } => 0,
            Number::Finite(_) => 1,
            Number::Infinity { minus: false } => 2,
            Number::NotANumber => 3,
        };
        match (self, other) {
            (Number::Finite(a), Number::Finite(b)) => a.order(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

/// Returns a value as a number.
pub fn number(value: &Value, logical: &Logical) -> Option<Number> {
    Some(match value {
        Value::I64(v) => Number::Finite(Digits::read(&v.to_string())?),
        Value::U64(v) => Number::Finite(Digits::read(&v.to_string())?),
        Value::F64(v) => Number::of_float(*v),
        Value::Decimal(_) => Number::Finite(Digits::read(&text(value, logical))?),
        _ => return None,
    })
}

const DAY: i64 = 86_400_000_000;

/// Returns year, month and day of a number of days since 1970-01-01, by counting.
fn calendar(days: i64) -> (i64, u32, u32) {
    let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let length = |y: i64| if leap(y) { 366 } else { 365 };
    // Whole spans of 400 years have 146,097 days.
    let mut year = 1970 + days.div_euclid(146_097) * 400;
    let mut rest = days.rem_euclid(146_097);
    while rest >= length(year) {
        rest -= length(year);
        year += 1;
    }
    let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while rest >= months[month] {
        rest -= months[month];
        month += 1;
    }
    (year, u32::try_from(month + 1).unwrap(), u32::try_from(rest + 1).unwrap())
}

fn date_text(days: i64) -> String {
    let (year, month, day) = calendar(days);
    format!("{year:04}-{month:02}-{day:02}")
}

pub fn time_text(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    match micros % 1_000_000 {
        0 => text,
        rest => format!("{text}.{rest:06}").trim_end_matches('0').to_owned(),
    }
}

pub fn moment_text(micros: i64) -> String {
    format!("{} {}", date_text(micros.div_euclid(DAY)), time_text(micros.rem_euclid(DAY)))
}

/// Returns the day of a moment, as the moment of its midnight.
pub fn midnight(micros: i64) -> i64 {
    micros.div_euclid(DAY) * DAY
}

/// Returns the usual text of a value.
pub fn text(value: &Value, logical: &Logical) -> String {
    match value {
        Value::Text(v) => v.clone(),
        Value::Bool(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::U64(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
        Value::Decimal(digits) => {
            let Logical::Decimal { scale, .. } = logical else { panic!("{logical} has no digits") };
            let plain = format!("{:0>width$}", digits.unsigned_abs(), width = usize::from(*scale) + 1);
            let at = plain.len() - usize::from(*scale);
            let point = if *scale > 0 { "." } else { "" };
            format!("{}{}{point}{}", if *digits < 0 { "-" } else { "" }, &plain[..at], &plain[at..])
        }
        Value::Date(days) => date_text(i64::from(*days)),
        Value::Moment(micros) => {
            let zone = if *logical == Logical::TIMESTAMP_UTC { "Z" } else { "" };
            format!("{}{zone}", moment_text(*micros))
        }
        Value::Time(micros) => time_text(*micros),
        Value::Bytes(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
    }
}

/// Returns the moment of the last Sunday of a month with 31 days, at 01:00.
fn last_sunday(year: i64, month: u32) -> i64 {
    // Begun a few days before the 31st, and counted on to it.
    let mut days = (year - 1970) * 365 + (year - 1970) / 4 + if month == 3 { 80 } else { 295 };
    while calendar(days) != (year, month, 31) {
        days += 1;
    }
    // 1970-01-04 was a Sunday.
    while (days - 3).rem_euclid(7) != 0 {
        days -= 1;
    }
    days * DAY + 3_600_000_000
}

/// Returns what the clocks of London show at an instant; for the years from 1996 on, and for the winters since 1900.
pub fn london(instant: i64) -> i64 {
    let (year, _, _) = calendar(instant.div_euclid(DAY));
    let summer =
        (1996..2100).contains(&year) && (last_sunday(year, 3)..last_sunday(year, 10)).contains(&instant);
    if summer { instant + 3_600_000_000 } else { instant }
}

/// Returns true for a time that the clocks of London passed over.
pub fn london_skipped(wall: i64) -> bool {
    let (year, _, _) = calendar(wall.div_euclid(DAY));
    (1996..2100).contains(&year) && {
        let change = last_sunday(year, 3);
        (change..change + 3_600_000_000).contains(&wall)
    }
}

/// Returns a text without what whitespace and case mean.
pub fn squeezed(text: &str, whitespace: Option<&str>, case: bool) -> String {
    let words: Vec<&str> = text.split(char::is_whitespace).filter(|word| !word.is_empty()).collect();
    let text = match whitespace {
        None => text.to_owned(),
        Some("trim") => text.trim_matches(char::is_whitespace).to_owned(),
        Some("collapse") => words.join(" "),
        Some("ignore") => words.concat(),
        Some(other) => panic!("{other} is no word for white space"),
    };
    if !case {
        return text;
    }
    text.chars().map(|c| if c == 'ς' { "σ".to_owned() } else { c.to_lowercase().to_string() }).collect()
}

/// Returns one text for all spellings of a JSON value; numbers within lists and objects are small.
pub fn json(text: &str) -> Option<String> {
    fn of(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::Array(items) => {
                format!("[{}]", items.iter().map(of).collect::<Vec<_>>().join(","))
            }
            serde_json::Value::Object(members) => {
                let mut members: Vec<String> =
                    members.iter().map(|(n, v)| format!("{n:?}:{}", of(v))).collect();
                members.sort();
                format!("{{{}}}", members.join(","))
            }
            serde_json::Value::Number(number) => Number::of_float(number.as_f64().unwrap()).text(),
            other => other.to_string(),
        }
    }
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    match Digits::read(text.trim()) {
        Some(digits) if value.is_number() => Some(digits.text(0)),
        _ => Some(of(&value)),
    }
}

#[test]
fn paper_arithmetic() {
    let d = |t: &str| Digits::read(t).unwrap();
    assert_eq!(d("-00.50").text(0), "-0.5");
    assert_eq!(d("-0.0").text(2), "0.00");
    assert_eq!(d("9.99").plus(&d("0.01")).text(0), "10");
    assert_eq!(d("1").minus(&d("1.25")).text(0), "-0.25");
    assert_eq!(d("-1.5").times(&d("0.02")).text(0), "-0.03");
    assert_eq!(d("-2.225").rounded(2).text(2), "-2.23");
    assert_eq!(d("0.5").rounded(0).text(0), "1");
    assert_eq!(d("9.96").rounded(1).text(0), "10");
    assert_eq!(d("2").divided(&d("-3"), 4).unwrap().text(0), "-0.6667");
    assert_eq!(d("1.5").divided(&d("0.25"), 2).unwrap().text(0), "6");
    assert_eq!(d("1").divided(&d("0"), 2), None);
    assert_eq!(moment_text(-1), "1969-12-31 23:59:59.999999");
    assert_eq!(date_text(-25567), "1900-01-01");
    assert_eq!(date_text(-719_162), "0001-01-01");
    assert_eq!(moment_text(london(1_774_746_000_000_000)), "2026-03-29 02:00:00");
    assert!(london_skipped(1_774_747_800_000_000) && !london_skipped(1_774_749_600_000_000));
}
