//! A table's columns, in order.

use super::Logical;

/// One column of a dataset side, under our name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Our name of the column.
    pub name: String,
    /// Their name of the column, as the source has it.
    pub source_name: String,
    /// What the values mean.
    pub logical: Logical,
    /// The type as the source calls it, e.g. `char(12)`, `smalldatetime`, or `csv` where files have none.
    pub source_type: String,
    /// True where the type was inferred from the values, not declared by anyone.
    pub inferred: bool,
    /// How an inferred value was written, where the type alone does not say: the pattern of a timestamp.
    pub format: Option<String>,
    /// The zone whose wall clock a naive timestamp shows, an IANA name.
    pub timezone: Option<String>,
}

impl Field {
    /// Makes a declared column with the same name on both sides.
    pub fn new(name: impl Into<String>, logical: Logical) -> Self {
        let name = name.into();
        Field {
            source_name: name.clone(),
            source_type: logical.to_string(),
            name,
            logical,
            inferred: false,
            format: None,
            timezone: None,
        }
    }
}

/// The columns of one side, in the order of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

impl Schema {
    /// Returns the column with our name `name`.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// Returns the position of the column with our name `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }

    /// Returns our names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|f| f.name.as_str())
    }
}
