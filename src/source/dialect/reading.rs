//! What a column is to its database, and how it is read.

use serde::{Deserialize, Serialize};

use crate::model::Logical;

/// Up to how many characters the catalogue's length is taken for the longest value; beyond, values are measured.
const SHORT: u64 = 255;

/// A column as the catalogue has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Native {
    /// Its name.
    pub name: String,
    /// The name of its base type, in lower case and without lengths.
    pub base: String,
    /// The declared length in characters, of binary types in bytes; nothing where there is no limit or it is not known.
    pub length: Option<u64>,
    /// All digits of a number.
    pub precision: Option<u32>,
    /// Digits behind the point, of a number or of a second.
    pub scale: Option<i32>,
    /// True where it can be NULL, or that is not known.
    pub nullable: bool,
    /// The type as it was declared, such as `varchar(12)`.
    pub declared: String,
}

/// As what the values of an expression are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fetch {
    /// A signed number of 64 bits.
    I64,
    /// A floating-point number of 64 bits.
    F64,
    /// A date.
    Date,
    /// A date and time, to the nanosecond.
    Moment,
    /// Text of ASCII alone: numbers, dates.
    Ascii(Size),
    /// Any text, as UTF-16.
    Wide(Size),
    /// Bytes.
    Bytes(Size),
}

/// The longest value of a column, in characters (UTF-16 units) or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// None is longer.
    Most(usize),
    /// The server is asked, with [`Reading::measure`].
    Measured,
    /// Nobody knows: values are fetched piece by piece.
    Unknown,
}

/// How a column is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What its values mean.
    pub logical: Logical,
    /// The expression that brings them whole.
    pub expression: String,
    /// As what they are fetched.
    pub fetch: Fetch,
    /// An SQL expression that gives the length of a value.
    pub measure: Option<String>,
    /// An SQL condition that holds for values which this reading would change, and how the column is read where
    /// there is one.
    pub unfit: Option<(String, Box<Reading>)>,
    /// What should be known of the column.
    pub note: Option<String>,
}

impl Reading {
    pub fn new(logical: Logical, expression: impl Into<String>, fetch: Fetch) -> Self {
        Reading { logical, expression: expression.into(), fetch, measure: None, unfit: None, note: None }
    }

    /// Text whose length in characters is declared, or else is measured by an SQL expression.
    pub fn text(
        logical: Logical,
        expression: impl Into<String>,
        length: Option<u64>,
        measure: String,
    ) -> Self {
        match length.filter(|length| *length <= SHORT) {
            // A character outside the basic plane takes two units.
            Some(length) => Reading::new(logical, expression, Fetch::Wide(most(length.saturating_mul(2)))),
            None => Reading::new(logical, expression, Fetch::Wide(Size::Measured)).measured(measure),
        }
    }

    /// Bytes whose number is declared, or else is measured by an SQL expression.
    pub fn bytes(expression: impl Into<String>, length: Option<u64>, measure: String) -> Self {
        match length.filter(|length| *length <= SHORT) {
            Some(length) => Reading::new(Logical::Bytes, expression, Fetch::Bytes(most(length))),
            None => Reading::new(Logical::Bytes, expression, Fetch::Bytes(Size::Measured)).measured(measure),
        }
    }

    /// Text of a type that has no form of its own; the column gets a note.
    pub fn other(native: &Native, expression: impl Into<String>, measure: String) -> Self {
        Reading::new(Logical::Other(native.declared.clone()), expression, Fetch::Wide(Size::Measured))
            .measured(measure)
            .note(format!("`{}` has no form of its own here, and is read as text", native.declared))
    }

    pub fn measured(mut self, measure: String) -> Self {
        self.measure = Some(measure);
        self
    }

    pub fn unless(mut self, unfit: String, other: Reading) -> Self {
        self.unfit = Some((unfit, Box::new(other)));
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

pub fn most(length: u64) -> Size {
    usize::try_from(length).map_or(Size::Unknown, Size::Most)
}

/// Returns a decimal type, where one of ours has as many digits.
pub fn decimal(precision: Option<u32>, scale: Option<i32>) -> Option<(Logical, Size)> {
    let precision = u8::try_from(precision?).ok().filter(|p| (1..=38).contains(p))?;
    let scale = u8::try_from(scale?).ok().filter(|s| *s <= precision)?;
    // A sign, a point, a nought before it.
    Some((Logical::Decimal { precision, scale }, Size::Most(usize::from(precision) + 3)))
}
