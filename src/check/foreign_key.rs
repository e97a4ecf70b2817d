//! Every row that refers to a row of another dataset finds it there.
//!
//! Old databases often declare no keys, so that references dangle for years; and a migration that drops or renames
//! parents leaves orphans behind.
//!
//! ```yaml check
//! check: foreign_key
//! column: prop_ref
//! references: properties.prop_ref
//! ```
//! ```rows
//! | tag_ref: text | prop_ref: char(8) |
//! | "000123/01"   | "P1"              |
//! | "000124/01"   | "P9"              |
//! | "000125/01"   | null              |
//! ```
//! ```rows properties
//! | prop_ref: text |
//! | "P1"           |
//! | "P1"           |
//! | null           |
//! ```
//! ```findings
//! row 2: prop_ref
//! ```
//!
//! References of several columns name them in the parent's order:
//!
//! ```yaml check
//! check: foreign_key
//! columns: [house_ref, person_no]
//! references: { dataset: members, columns: [house_ref, no] }
//! ```
//! ```rows
//! | house_ref: text | person_no: i64 |
//! | "H|1"           | 1              |
//! | "H"             | 1              |
//! | "H"             | null           |
//! ```
//! ```rows members
//! | house_ref: text | no: decimal(4,1) |
//! | "H|1"           | 1.0              |
//! | "H"             | 1.5              |
//! ```
//! ```findings
//! row 2
//! ```
//!
//! One finding for each child row without a parent. Rows with NULL in one of the columns refer to nothing and are not evaluated.
//! Children are looked for among parents of the same state: expected in expected, target in target. Values are compared
//! by value, not by type: 1 is 1.0, padding of `char(n)` does not count, a date is its midnight.
//!
//! Each finding has a class: *inherited* where the reference dangles in the raw source too, *introduced* where it does so only in
//! the target, *repaired* where only in the source, and *missing in target* where it did so in the source and the target does
//! not have the record at all. Both are looked at whatever `on` says; a record is known on the other side by its key, so
//! that one without a key has no class. Where a crosswalk replaces ids, raw references are compared by their old ones, if
//! both ends have the same crosswalk or none; else expected stands for the raw source. `where` reads the new ids. A child whose parent is held back is not an orphan but *parent
//! quarantined*, and is held back too; `cascade: false` keeps it.
//!
//! Further up is what the parent refers to itself, and so on. A child whose parent is there may still be broken further up:
//! its tenancy exists, and the tenancy's property does not. The
//! result counts such rows by the way that leads to what is missing, in expected and in the target, each once for each of its
//! references and for the nearest missing record. A way that leads along one foreign key several times, as in a tree, has it
//! once; a ring lacks nothing of itself. Of several parents with one key one that lacks nothing is enough.
//!
//! `parents/<dataset>.parquet` lists the records of a dataset that are missing: side, key, whose rows refer to it (dataset and
//! rule), how many (`children`), how many more stand further down (`further`), and where it may be had (`found_in`: `expected`,
//! `target`, `quarantine`, `merged`). Those come first whose return would mend most. The keys are not masked there.

use chrono::{DateTime, Utc};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::{Frame, Keys};
use crate::model::{Dimension, Family, Logical, Schema};
use crate::node::params;
use crate::rule::{ProjectFiles, Reference, RuleError};

use super::{BoundCheck, Check, Failure, SideInput, SideOutcome, SideTest, columns};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

params! {
    /// Every row that refers to a row of another dataset finds it there.
    pub(super) struct Rule("check `foreign_key`") {
        /// The columns that refer.
        columns | column: Vec<Spanned<String>>,
        /// The dataset and columns referred to: `properties.prop_ref`, or `{ dataset: members, columns: [house_ref, person_no] }`.
        references: Reference,
        /// Whether a row whose parent is quarantined is quarantined too.
        cascade: bool = "true",
    }
}

impl Check for Rule {
    fn columns(&self) -> Vec<Spanned<String>> {
        self.columns.clone()
    }

    fn reference(&self) -> Option<&Reference> {
        Some(&self.references)
    }

    fn cascade(&self) -> bool {
        self.cascade
    }

    fn check(&self, _files: &ProjectFiles, out: &mut Diagnostics) {
        columns::check(&self.columns, out);
        let (own, parent) = (self.columns.len(), self.references.columns.len());
        if own != parent {
            let message = format!("{own} columns refer to {parent}: each needs one");
            out.push(
                Diagnostic::error(&self.references.dataset.span, message)
                    .help("as in `{ dataset: members, columns: [house_ref, person_no] }`"),
            );
        }
    }

    fn bind(
        &self,
        schema: &Schema,
        _files: &ProjectFiles,
        _as_of: DateTime<Utc>,
        out: &mut Diagnostics,
    ) -> Option<BoundCheck> {
        let fields = columns::find_all(schema, &self.columns, out)?;
        Some(BoundCheck::Side(Box::new(ForeignKey {
            columns: fields.iter().map(|field| field.name.clone()).collect(),
            dataset: self.references.dataset.value.clone(),
            parent_columns: self.references.columns.iter().map(|c| c.value.clone()).collect(),
        })))
    }
}

/// The check, ready for a side.
struct ForeignKey {
    columns: Vec<String>,
    dataset: String,
    parent_columns: Vec<String>,
}

impl SideTest for ForeignKey {
    fn run(&self, input: &SideInput<'_>) -> Result<SideOutcome, RuleError> {
        let parent = (input.other)(&self.dataset).ok_or_else(|| {
            RuleError::Refused(format!("the dataset `{}` has no rows of this side to refer to", self.dataset))
        })?;
        self.comparable(input.frame, parent)?;
        let keys = Keys::new(input.frame, &self.columns)?;
        let parent_keys = Keys::new(parent, &self.parent_columns)?;
        let parents = parent_keys.index();
        let column = match self.columns.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        let mut outcome = SideOutcome::default();
        for index in (0..keys.len()).filter(|index| input.is_selected(*index)) {
            if !keys.is_present(index) {
                outcome.unknown += 1;
                continue;
            }
            outcome.evaluated += 1;
            if parents.find(&keys, index).next().is_none() {
                outcome.failures.push(Failure {
                    index: Some(index),
                    column: column.clone(),
                    ..Failure::default()
                });
            }
        }
        Ok(outcome)
    }
}

impl ForeignKey {
    /// Refuses columns of which no value could equal one of the other's.
    fn comparable(&self, child: &Frame, parent: &Frame) -> Result<(), RuleError> {
        for (own, theirs) in self.columns.iter().zip(&self.parent_columns) {
            let (Some((own_field, _)), Some((field, _))) = (child.column(own), parent.column(theirs)) else {
                return Err(RuleError::Refused(format!(
                    "there is no column `{theirs}` in `{}` to refer to: its columns are {}",
                    self.dataset,
                    parent.schema.names().collect::<Vec<_>>().join(", ")
                )));
            };
            let (a, b) = (&own_field.logical, &field.logical);
            let zoned = |l: &Logical| matches!(l, Logical::Timestamp { utc: true });
            let moments = a.family() == Family::Moment && zoned(a) != zoned(b);
            if a.family() != b.family() || moments {
                return Err(RuleError::Refused(format!(
                    "`{own}` is {a} and `{}.{theirs}` is {b}: they cannot be compared; bring them to one type with `types` or a step",
                    self.dataset
                )));
            }
        }
        Ok(())
    }
}
