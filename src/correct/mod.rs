//! What is written to mend the data: corrected datasets, changes, quarantine, repairs, and the parents to restore.
//!
//! Nothing here touches a database; every table is a [`Frame`] that the engine writes as Parquet.

mod changes;
mod corrected;
mod parents;
mod quarantine;
mod repairs;
mod ties;

use polars::prelude::{DataFrame, IntoColumn, PolarsError, Series};
use rayon::prelude::*;

use crate::frame::{Frame, KeyParts};
use crate::model::{Field, Schema, key_text};

pub use changes::changes;
pub use corrected::corrected;
pub use parents::{MissingParent, parents};
pub use quarantine::{HeldRow, quarantine};
pub use repairs::{Repair, repairs};
pub use ties::Ties;

/// The key of any row of a table as text, equal where the values are equal.
#[derive(Debug, Clone)]
pub struct KeyTexts {
    parts: KeyParts,
    rows: std::sync::Arc<Vec<u64>>,
}

impl KeyTexts {
    /// Makes the keys of a table from our names of the key columns; `_row` is the row's position in the snapshot.
    ///
    /// A column that the table does not have counts as NULL, which is shown as `\N`.
    pub fn new(frame: &Frame, key: &[String]) -> Self {
        let columns: Vec<&String> = key.iter().filter(|name| *name != "_row").collect();
        KeyTexts { parts: KeyParts::new(frame, &columns), rows: std::sync::Arc::clone(&frame.rows) }
    }

    /// Returns the key of the row at `index` (from 0). A dataset without key columns has the row's position.
    pub fn get(&self, index: usize) -> String {
        if self.parts.is_empty() {
            return self.rows[index].to_string();
        }
        key_text(self.parts.texts(index).iter().map(Option::as_deref))
    }

    /// Returns the key of the row at `index` (from 0), with the parts of `other` where these are NULL.
    pub fn get_or(&self, index: usize, other: &KeyTexts) -> String {
        if self.parts.is_empty() {
            return self.get(index);
        }
        let (own, others) = (self.parts.texts(index), other.parts.texts(index));
        key_text(own.iter().zip(&others).map(|(own, other)| own.as_deref().or(other.as_deref())))
    }

    /// Returns the indexes of all rows, sorted by key, then by position.
    pub fn order(&self) -> Vec<u32> {
        let keys: Vec<String> = (0..self.rows.len()).into_par_iter().map(|i| self.get(i)).collect();
        // The first bytes decide most comparisons without a look at the text.
        let head = |key: &str| {
            let mut head = [0; 8];
            head.iter_mut().zip(key.bytes()).for_each(|(to, byte)| *to = byte);
            u64::from_be_bytes(head)
        };
        let mut order: Vec<(u64, u32)> = keys.iter().zip(0..).map(|(key, row)| (head(key), row)).collect();
        order.par_sort_unstable_by(|(a, x), (b, y)| {
            let (x, y) = (*x as usize, *y as usize);
            a.cmp(b).then_with(|| keys[x].cmp(&keys[y])).then_with(|| self.rows[x].cmp(&self.rows[y]))
        });
        order.into_iter().map(|(_, row)| row).collect()
    }
}

/// A table for the target's system and what to know of it.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// The rows, sorted by key.
    pub frame: Frame,
    /// What could not be brought into the target's form, in sentences.
    pub notes: Vec<String>,
}

/// Makes a frame from columns with their fields.
fn frame_of(columns: Vec<(Field, Series)>, height: usize) -> Result<Frame, PolarsError> {
    let (fields, columns): (Vec<Field>, Vec<_>) = columns
        .into_iter()
        .map(|(field, series)| {
            let column = series.with_name(field.name.as_str().into()).into_column();
            (field, column)
        })
        .unzip();
    Ok(Frame::new(Schema { fields }, DataFrame::new(height, columns)?))
}

/// Renames a field to the name its own system uses.
fn in_their_name(field: &Field) -> Field {
    Field { name: field.source_name.clone(), ..field.clone() }
}
