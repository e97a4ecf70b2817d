//! What a column's declared type can hold.

use std::fmt;

/// The characters of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodePage {
    /// The 128 of ASCII.
    Ascii,
    /// The 256 of ISO 8859-1.
    Latin1,
    /// Those of Unicode up to U+FFFF.
    BasicPlane,
    /// Those of a code page by its name, such as `windows-1252`.
    Named(String),
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CodePage::Ascii => "ASCII",
            CodePage::Latin1 => "ISO 8859-1",
            CodePage::BasicPlane => "Unicode up to U+FFFF",
            CodePage::Named(name) => name,
        })
    }
}

/// How texts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Characters of Unicode.
    Characters,
    /// Units of UTF-16: a character above U+FFFF is two.
    Utf16,
    /// Bytes in the column's code page; in UTF-8 where it has none.
    Bytes,
}

/// The smallest step between two moments or times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many microseconds.
    Micros(i64),
    /// A three-hundredth of a second, shown as milliseconds that end in 0, 3 or 7.
    ThreeHundredths,
}

/// Numbers that a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Those from `least` to `most`, in units of the last of `scale` digits behind the point.
    Exact {
        /// The least.
        least: i128,
        /// The greatest.
        most: i128,
        /// Digits behind the point.
        scale: u32,
    },
    /// Those with so many digits in all, wherever the point stands.
    Digits(u32),
    /// Binary ones of 32 bits.
    F32,
    /// Binary ones of 64 bits.
    F64,
}

impl Numbers {
    /// Returns the numbers with so many digits, some of them behind the point; nothing where they are more than 38.
    ///
    /// ```
    /// use counterfoil::model::Numbers;
    /// assert_eq!(Numbers::decimal(5, 2), Some(Numbers::Exact { least: -99_999, most: 99_999, scale: 2 }));
    /// ```
    pub fn decimal(precision: u32, scale: u32) -> Option<Numbers> {
        let most = 10_i128.checked_pow(precision)?.checked_sub(1)?;
        Some(Numbers::Exact { least: -most, most, scale })
    }

    /// Returns the whole numbers in a range.
    pub fn whole(least: i128, most: i128) -> Numbers {
        Numbers::Exact { least, most, scale: 0 }
    }
}

/// What a column's declared type can hold; what is not said has no limit, or none that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    /// The longest text or number of bytes.
    pub length: Option<(u64, Unit)>,
    /// The characters.
    pub code_page: Option<CodePage>,
    /// True where the character U+0000 cannot be kept.
    pub no_nul: bool,
    /// The numbers.
    pub numbers: Option<Numbers>,
    /// The first and the last moment, in microseconds since 1970-01-01 00:00.
    pub moments: Option<(i64, i64)>,
    /// The step between two moments or times.
    pub step: Option<Step>,
}

impl Holds {
    /// Returns true where nothing is known that a column could not hold.
    pub fn is_anything(&self) -> bool {
        *self == Holds::default()
    }

    /// Returns what a type of ours holds, where no database has declared it.
    pub fn of(logical: &super::Logical) -> Holds {
        use super::Logical;
        let numbers = match logical {
            Logical::I64 => Some(Numbers::whole(i64::MIN.into(), i64::MAX.into())),
            Logical::U64 => Some(Numbers::whole(0, u64::MAX.into())),
            Logical::F64 => Some(Numbers::F64),
            Logical::Decimal { precision, scale } => Numbers::decimal((*precision).into(), (*scale).into()),
            _ => None,
        };
        let length = match logical {
            Logical::Text { length: Some(length), .. } => Some((u64::from(*length), Unit::Characters)),
            _ => None,
        };
        let step = (*logical == Logical::Date).then_some(Step::Micros(86_400_000_000));
        Holds { length, numbers, step, ..Holds::default() }
    }
}
