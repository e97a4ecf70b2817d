//! Replaces whole values by the ones a list gives for them.
//!
//! The old system's codes become the new system's words: `SEC` becomes `Secure`. A value that nobody listed is the
//! interesting case, and `unmapped` says what happens to it.
//!
//! The list stands in the rule (`values`) or in a CSV file beside the project file (`from`), with the header
//! `from,to`. There an empty field is NULL and `""` is the empty text.
//!
//! - Whole values are compared, exactly: case and blanks count (`case` and `trim` before this step). Trailing blanks of
//!   `char(n)` do not.
//! - NULL stays NULL, whatever `unmapped` says: `default` fills it. An output of `null` makes NULL.
//! - On text the outputs may be longer than the column's declared length, which then grows. In columns of another type
//!   both sides of the list are written as that type.
//! - A value listed twice is a diagnostic. An output that is itself listed with another output is a warning: doing
//!   such a step twice changes more (`A: B` and `B: C`).
//! - An output is not accepted as an input by itself: where data already holds `Secure`, list `Secure: Secure` or
//!   use `unmapped: keep`.
//!
//! ```yaml step
//! step: map_values
//! column: tenure
//! values: { SEC: Secure, INT: Introductory, X: null }
//! unmapped: quarantine
//! ```
//! ```rows before
//! | tenure: char(3) |
//! | "SEC"           |
//! | "X"             |
//! | "sec"           |
//! | null            |
//! | "INT"           |
//! ```
//! ```rows after
//! | tenure: char(12) |
//! | "Secure"         |
//! | null             |
//! | "sec"            |
//! | null             |
//! | "Introductory"   |
//! ```
//! ```refused
//! row 3: not in the list of values
//! ```
//!
//! With a file, and a column of numbers:
//!
//! ```yaml step
//! step: map_values
//! column: status
//! from: lookups/status.csv
//! unmapped: null
//! ```
//! ```csv lookups/status.csv
//! from,to
//! 1,10
//! 2,20
//! 3,
//! ```
//! ```rows before
//! | status: i64 |
//! | 1           |
//! | 2           |
//! | 3           |
//! | 4           |
//! ```
//! ```rows after
//! | status: i64 |
//! | 10          |
//! | 20          |
//! | null        |
//! | null        |
//! ```

use std::collections::HashMap;

use polars::prelude::Series;
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::frame::{Texts, Value};
use crate::model::{Dimension, Field, Logical};
use crate::node::{choices, params};
use crate::rule::{Columns, Given, Pair, Pairs, Place, ProjectFiles, listed_already};

use super::text::OrNull;
use super::values::{Index, Pick, no_value, pick, read, series};
use super::{Applied, BoundStep, Refusal, Step, text};

pub(super) const DIMENSION: Dimension = Dimension::Consistency;

const UNMAPPED: &str = "not in the list of values";

choices! {
    /// What becomes of a value that is not listed.
    pub enum Unmapped {
        /// It stays.
        Keep = "keep",
        /// It becomes NULL, which is recorded as a correction.
        Null = "null",
        /// Its row is held back with a reason.
        Quarantine = "quarantine",
        /// The whole dataset is refused.
        Refuse = "refuse",
    }
}

params! {
    /// The parameters.
    pub struct Rule("step `map_values`") {
        /// The column, or several.
        column | columns: Columns,
        /// The list: each value with the one that takes its place. Give this or `from`.
        values: Option<Pairs>,
        /// A CSV file with the list, relative to the project file; its header is `from,to`. Give this or `values`.
        from: Option<Spanned<String>>,
        /// What becomes of a value that is not listed: `keep`, `null`, `quarantine` or `refuse`.
        unmapped: OrNull<Unmapped> = "keep",
    }
}

/// Reads one side of a pair as a value of a column.
fn value(place: &Place, field: &Field, out: &mut Diagnostics) -> Option<Value> {
    let value = read(place.text.as_deref()?, field, true);
    if value.is_none() {
        out.push(no_value(&place.span, &place.prefix, field));
    }
    value
}

impl Rule {
    /// Returns the list, from the rule or the file.
    fn pairs(&self, files: &ProjectFiles, out: &mut Diagnostics) -> Option<Vec<Pair>> {
        let given = Given {
            owner: "step `map_values`",
            at: text::first_place(&self.column)?,
            inline: ("values", self.values.as_ref()),
            file: ("from", self.from.as_ref()),
        };
        given.pairs(files, out)
    }
}

/// Warns of outputs that are inputs with another output: the step done twice is not the step done once.
fn warn_of_chains(pairs: &[Pair], out: &mut Diagnostics) {
    let outputs: HashMap<&str, Option<&str>> =
        pairs.iter().filter_map(|p| Some((p.from.text.as_deref()?, p.to.text.as_deref()))).collect();
    for Pair { to, .. } in pairs {
        let Some(text) = to.text.as_deref() else { continue };
        if outputs.get(text).is_some_and(|again| *again != Some(text)) {
            let what = format!("{}this output is listed as an input with another output", to.prefix);
            out.push(
                Diagnostic::warning(&to.span, what)
                    .help("values are replaced once: list it with itself, or with the same output, if that is not meant"),
            );
        }
    }
}

/// Returns the index of the inputs; an input listed twice is a diagnostic.
fn index(pairs: &[Pair], logical: &Logical, inputs: Vec<Value>, out: &mut Diagnostics) -> Option<Index> {
    let (index, repeated) = Index::new(logical, inputs);
    for (first, again) in &repeated {
        let (Some(first), Some(again)) = (pairs.get(*first), pairs.get(*again)) else { continue };
        listed_already(first, again, out);
    }
    repeated.is_empty().then_some(index)
}

impl Step for Rule {
    fn columns(&self) -> &Columns {
        &self.column
    }

    fn check(&self, files: &ProjectFiles, out: &mut Diagnostics) {
        let Some(pairs) = self.pairs(files, out) else { return };
        let inputs = pairs.iter().filter_map(|p| p.from.text.clone().map(Value::Text)).collect();
        if index(&pairs, &Logical::TEXT, inputs, out).is_some() {
            warn_of_chains(&pairs, out);
        }
    }

    fn bind(&self, field: &Field, files: &ProjectFiles, out: &mut Diagnostics) -> Option<BoundStep> {
        let pairs = self.pairs(files, out)?;
        if !text::is_meant(&self.column, field) {
            return None;
        }
        let inputs: Vec<Option<Value>> = pairs.iter().map(|p| value(&p.from, field, out)).collect();
        let inputs = inputs.into_iter().collect::<Option<Vec<_>>>();
        let outputs: Vec<Option<Value>> = pairs.iter().map(|p| value(&p.to, field, out)).collect();
        if pairs.iter().zip(&outputs).any(|(pair, output)| pair.to.text.is_some() && output.is_none()) {
            return None;
        }
        let index = index(&pairs, &field.logical, inputs?, out)?;
        let longest = outputs.iter().flatten().map(|value| match value {
            Value::Text(text) => text.chars().count(),
            _ => 0,
        });
        let output = text::converted(field, text::with_room(&field.logical, longest.max().unwrap_or(0)));
        let nulls: Vec<bool> = outputs.iter().map(Option::is_none).collect();
        let new = series("", &field.logical, outputs);
        let logical = field.logical.clone();
        let unmapped = self.unmapped.0;
        let apply = move |before: &Series| {
            let texts = Texts::new(before, &logical);
            let mut refused = Vec::new();
            let picks: Vec<Pick> = (0..before.len())
                .map(|i| {
                    let Some(text) = texts.get(i) else { return Pick::Keep };
                    match (index.find(&text), unmapped) {
                        (Some(place), _) if nulls.get(place) == Some(&true) => Pick::Null,
                        (Some(place), _) => Pick::New(place),
                        (None, Unmapped::Keep) => Pick::Keep,
                        (None, Unmapped::Null) => Pick::Null,
                        (None, Unmapped::Quarantine | Unmapped::Refuse) => {
                            let fatal = unmapped == Unmapped::Refuse;
                            refused.push(Refusal { index: i, reason: UNMAPPED, fatal });
                            Pick::Keep
                        }
                    }
                })
                .collect();
            Ok(Applied { values: pick(before, &new, &picks)?, refused })
        };
        Some(BoundStep { output, apply: Box::new(apply) })
    }
}
