//! What a database declares of a table, beside its columns' types.

use serde::{Deserialize, Serialize};

/// What a database declares of a table; columns have their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// The columns, in their order.
    pub columns: Vec<ColumnStructure>,
    /// The columns of the primary key; none where there is none.
    pub primary_key: Vec<String>,
    /// The columns of each other unique key.
    pub unique_keys: Vec<Vec<String>>,
    /// The foreign keys.
    pub foreign_keys: Vec<ForeignStructure>,
}

/// What a database declares of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnStructure {
    /// Its name.
    pub name: String,
    /// True where it can be NULL, or that is not known.
    pub nullable: bool,
    /// Its default, as the catalogue has it; nothing where it has none.
    pub default: Option<String>,
    /// True where the catalogue was asked for defaults.
    pub default_is_known: bool,
    /// Its character set or code page, in the database's words.
    pub characters: Option<String>,
    /// The sequence that numbers its rows.
    pub sequence: Option<Sequence>,
}

/// A sequence that numbers the rows of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The number that the next row gets.
    pub next: i64,
}

/// A declared foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignStructure {
    /// The columns.
    pub columns: Vec<String>,
    /// The table that they refer to.
    pub table: String,
    /// Its columns, in the same order.
    pub references: Vec<String>,
}

impl Structure {
    /// Returns what is declared of a column, by its own name.
    pub fn column(&self, name: &str) -> Option<&ColumnStructure> {
        self.columns.iter().find(|column| column.name == name)
    }
}
