//! What a database says of its tables.

use crate::model::Logical;

use super::{Cancel, SourceError};

/// A database that tells which tables it has.
pub trait Catalogue: Send + Sync {
    /// Returns the tables and views that may be read, without the database's own, sorted by schema and name.
    ///
    /// # Errors
    /// Where the database cannot be reached or its catalogue not be read.
    fn tables(&self, cancel: &Cancel) -> Result<Vec<Listed>, SourceError>;

    /// Returns how many further tables and views the catalogue shows that may not be read; 0 where it shows none.
    ///
    /// # Errors
    /// Where the database cannot be reached or its catalogue not be read.
    fn unreadable(&self, _cancel: &Cancel) -> Result<u64, SourceError> {
        Ok(0)
    }

    /// Returns what the catalogue says of one of these tables.
    ///
    /// # Errors
    /// Where the database cannot be reached, the table is gone, or its catalogue cannot be read.
    fn describe(&self, table: &Listed, cancel: &Cancel) -> Result<Described, SourceError>;

    /// Returns what more it says of the columns of one of these tables: name, default, character set or code page, the
    /// sequence that numbers its rows, and the number that the next row gets. No rows where it cannot be asked.
    ///
    /// # Errors
    /// Where the database cannot be reached, or its catalogue cannot be read.
    fn column_facts(&self, table: &Listed, cancel: &Cancel) -> Result<Vec<Vec<Option<String>>>, SourceError>;
}

/// A table or view of a database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its schema, as the catalogue has it; empty where the database has none.
    pub schema: String,
    /// Its name, as the catalogue has it.
    pub name: String,
    /// Its whole name as it is written in `table:`, in the database's quotes where it needs them.
    pub written: String,
    /// True for a view.
    pub is_view: bool,
    /// The estimated number of rows.
    pub rows: Option<u64>,
}

/// What the catalogue says of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The columns, in their order.
    pub columns: Vec<DescribedColumn>,
    /// The columns of the primary key, in its order; empty where none is declared.
    pub primary_key: Vec<String>,
    /// The columns of each other unique key without conditions, expressions or columns that can be NULL.
    pub unique_keys: Vec<Vec<String>>,
    /// The declared foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Its name.
    pub name: String,
    /// The type it is read as; nothing where it cannot be read.
    pub logical: Option<Logical>,
    /// The type as it was declared.
    pub declared: String,
    /// True where it can be NULL, or that is not known.
    pub nullable: bool,
}

/// A declared foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns.
    pub columns: Vec<String>,
    /// The schema of the parent.
    pub schema: String,
    /// The name of the parent.
    pub table: String,
    /// The parent's columns, in the same order.
    pub references: Vec<String>,
}
