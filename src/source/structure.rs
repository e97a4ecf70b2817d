//! What a database declares of a table that is read: its keys, defaults, character sets and sequences.

use crate::model::{ColumnStructure, ForeignStructure, Sequence, Structure};

use super::catalogue::Catalogue;
use super::dialect::named;
use super::{Cancel, ReadRequest, Relation, Selection, SourceError, TableSelection};

/// Returns what the catalogue declares of the table of a request; nothing where it is of a query or of files, or where
/// its name fits no table or several.
///
/// # Errors
/// Where the catalogue cannot be read.
pub fn structure(
    catalogue: &dyn Catalogue,
    request: &ReadRequest,
    cancel: &Cancel,
) -> Result<Option<Structure>, SourceError> {
    let Selection::Table(TableSelection { relation: Relation::Table(name), .. }) = &request.selection else {
        return Ok(None);
    };
    let tables = catalogue.tables(cancel)?;
    let Some(table) = named(name, &tables) else { return Ok(None) };
    let described = catalogue.describe(table, cancel)?;
    let facts = catalogue.column_facts(table, cancel)?;
    let columns = described.columns.into_iter().map(|column| {
        let known =
            facts.iter().find(|row| row.first().and_then(Option::as_deref) == Some(column.name.as_str()));
        let fact = |at: usize| known.and_then(|row| row.get(at)).cloned().flatten();
        let sequence = fact(3)
            .zip(fact(4))
            .and_then(|(name, next)| Some(Sequence { name, next: next.trim().parse().ok()? }));
        ColumnStructure {
            nullable: column.nullable,
            default: fact(1).map(|text| text.trim().to_owned()),
            default_is_known: known.is_some(),
            characters: fact(2).map(|text| text.trim().to_owned()),
            sequence,
            name: column.name,
        }
    });
    Ok(Some(Structure {
        columns: columns.collect(),
        primary_key: described.primary_key,
        unique_keys: described.unique_keys,
        foreign_keys: described
            .foreign_keys
            .into_iter()
            .map(|key| ForeignStructure {
                columns: key.columns,
                table: key.table,
                references: key.references,
            })
            .collect(),
    }))
}
