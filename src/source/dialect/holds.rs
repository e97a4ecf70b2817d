//! What a declared type holds: the declaration taken apart, and the limits that several databases share.

use crate::model::{Holds, Numbers, Step, Unit};

/// A declared type: its words in lower case without brackets, and the numbers within them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Such as `varchar`, `int unsigned` or `timestamp without time zone`.
    pub base: String,
    /// Such as 10 and 2; a word among them, such as `max`, is left out.
    pub numbers: Vec<i64>,
    /// What stands in the brackets, as written in lower case.
    pub inside: String,
}

impl Declared {
    /// Takes a declaration apart.
    pub fn new(declared: &str) -> Declared {
        let lower = declared.trim().to_lowercase();
        let (before, inside, after) = match (lower.find('('), lower.rfind(')')) {
            (Some(open), Some(close)) if open < close => {
                (&lower[..open], &lower[open + 1..close], &lower[close + 1..])
            }
            _ => (lower.as_str(), "", ""),
        };
        let words: Vec<&str> = before.split_whitespace().chain(after.split_whitespace()).collect();
        let first = |part: &str| part.split_whitespace().next().and_then(|word| word.parse().ok());
        Declared {
            base: words.join(" "),
            numbers: inside.split(',').filter_map(first).collect(),
            inside: inside.to_owned(),
        }
    }

    /// Returns the number at a place, where there is one that is not negative.
    pub fn number(&self, at: usize) -> Option<u32> {
        self.numbers.get(at).and_then(|number| u32::try_from(*number).ok())
    }

    /// Returns the declared length.
    pub fn length(&self) -> Option<u64> {
        self.number(0).map(u64::from)
    }
}

/// The texts or bytes up to a length.
pub fn up_to(length: Option<u64>, unit: Unit) -> Holds {
    Holds { length: length.map(|length| (length, unit)), ..Holds::default() }
}

/// Numbers.
pub fn numbers(numbers: impl Into<Option<Numbers>>) -> Holds {
    Holds { numbers: numbers.into(), ..Holds::default() }
}

/// Whole numbers of so many bits, with a sign.
pub fn signed(bits: u32) -> Holds {
    let most = 1_i128 << (bits - 1);
    numbers(Numbers::whole(-most, most - 1))
}

/// Whole numbers of so many bits, without a sign.
pub fn unsigned(bits: u32) -> Holds {
    numbers(Numbers::whole(0, (1_i128 << bits) - 1))
}

/// Moments or times with so many digits of the second.
pub fn to_digits(digits: u32) -> Holds {
    let step = 10_i64.checked_pow(6_u32.saturating_sub(digits)).unwrap_or(1);
    Holds { step: (step > 1).then_some(Step::Micros(step)), ..Holds::default() }
}

/// Days.
pub fn days() -> Holds {
    Holds { step: Some(Step::Micros(86_400_000_000)), ..Holds::default() }
}

#[cfg(test)]
pub mod testing {
    //! Tables of declarations with what they hold, in words.

    use crate::frame::moment_text;
    use crate::model::{Holds, Logical, Numbers, Step, Unit};
    use crate::source::dialect::by_word;

    fn words(holds: &Holds) -> String {
        let mut words = Vec::new();
        if let Some((length, unit)) = holds.length {
            let unit = match unit {
                Unit::Characters => "characters",
                Unit::Utf16 => "units",
                Unit::Bytes => "bytes",
            };
            words.push(format!("{length} {unit}"));
        }
        words.extend(holds.code_page.as_ref().map(|page| format!("in {page}")));
        words.extend(holds.no_nul.then(|| "no NUL".to_owned()));
        words.extend(holds.numbers.map(|numbers| match numbers {
            Numbers::Exact { least, most, scale } => format!("{least} to {most} by 1e-{scale}"),
            Numbers::Digits(digits) => format!("{digits} digits"),
            Numbers::F32 => "f32".to_owned(),
            Numbers::F64 => "f64".to_owned(),
        }));
        let at = |moment| moment_text(moment, false);
        words.extend(holds.moments.map(|(first, last)| format!("{} to {}", at(first), at(last))));
        words.extend(holds.step.map(|step| match step {
            Step::Micros(step) => format!("step {step}"),
            Step::ThreeHundredths => "step 1/300 s".to_owned(),
        }));
        if words.is_empty() { "anything".to_owned() } else { words.join(", ") }
    }

    /// Compares what a dialect says with a table: declaration, logical type, characters, what it holds.
    pub fn conforms(word: &str, table: &[(&str, &str, Option<&str>, &str)]) {
        let dialect = by_word(word).unwrap();
        for (declared, logical, characters, wanted) in table {
            let logical: Logical = logical.parse().unwrap();
            let found = dialect.holds(declared, &logical, *characters);
            assert_eq!(words(&found), *wanted, "{declared} in {characters:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_taken_apart() {
        for (declared, base, numbers) in [
            ("varchar(12)", "varchar", &[12][..]),
            ("Decimal(10, 2) UNSIGNED", "decimal unsigned", &[10, 2]),
            ("timestamp(3) without time zone", "timestamp without time zone", &[3]),
            ("nvarchar(max)", "nvarchar", &[]),
            ("VARCHAR2(12 CHAR)", "varchar2", &[12]),
            ("NUMBER(5,-2)", "number", &[5, -2]),
            ("text", "text", &[]),
            ("enum('a(','b)')", "enum", &[]),
        ] {
            let found = Declared::new(declared);
            assert_eq!((found.base.as_str(), found.numbers.as_slice()), (base, numbers), "{declared}");
        }
    }
}
