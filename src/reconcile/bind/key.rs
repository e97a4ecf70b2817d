//! The columns of the key and of totals' groups: how their values meet, and what of a key means nothing.

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Family, Field, Logical};
use crate::reconcile::config::{ColumnPolicy, Reconcile};
use crate::reconcile::convert::Convert;
use crate::reconcile::meet::{Meeting, meet};
use crate::reconcile::policy::Policy;

use super::column::note;
use super::{Binder, ComparedColumn, KeyColumn, ROW};

impl Binder<'_> {
    /// Binds a column of the key.
    pub(super) fn key_part(&mut self, name: &Spanned<String>) -> Option<KeyColumn> {
        if name.value == ROW {
            return Some(KeyColumn {
                name: ROW.to_owned(),
                note: "compared as the row's position".to_owned(),
                expected: Convert::Direct,
                target: Convert::Direct,
                fold: Policy::default(),
            });
        }
        let (e, t, meeting) = self.met(name)?;
        let config = self.config;
        let fold = match config.columns.get(&name.value).filter(|policy| fits_key(&policy.value)) {
            Some(policy) => self.policy(&name.value, &policy.value, &meeting, &e, &t)?,
            None => Policy::default(),
        };
        Some(key_column(name, meeting, fold))
    }

    /// Reports what needs a key, where there is none.
    pub(super) fn check_without_key(&mut self, columns: &[ComparedColumn]) {
        let why = "without a key, rows are the same or not";
        self.config.columns.values().for_each(|policy| policy.value.check_exact(why, self.out));
        if columns.is_empty() && !self.out.has_errors() {
            self.out.push(
                Diagnostic::without_place(
                    "there is no key, and no column is compared by which rows could be told apart",
                )
                .help("map the names of the two sides with `columns`, or exclude less"),
            );
        }
    }

    /// Binds the columns of the natural key.
    pub(super) fn natural_key(
        &mut self,
        key: &[Spanned<String>],
        columns: &[ComparedColumn],
    ) -> Vec<ComparedColumn> {
        let config = self.config;
        let mut natural = Vec::new();
        for name in &config.natural_key {
            let Some((e, t)) = self.both(name) else { continue };
            let policy = config.columns.get(&name.value).map(|policy| &policy.value);
            if let Some(policy) = policy {
                policy.check_exact("a column of the natural key is the same or not", self.out);
            }
            match columns.iter().find(|column| column.name == name.value) {
                Some(column) => natural.push(column.clone()),
                // It is excluded, or a part of the key.
                None if !self.out.has_errors() => natural.extend(self.column(&e, &t)),
                None => {}
            }
        }
        config.check_natural_key(key, self.out);
        natural
    }

    /// Binds a column of a total, or of its groups.
    pub(super) fn key_column(&mut self, name: &Spanned<String>) -> Option<KeyColumn> {
        let (_, _, meeting) = self.met(name)?;
        Some(key_column(name, meeting, Policy::default()))
    }

    /// Returns a column of both sides, and how its values are the same.
    fn met(&mut self, name: &Spanned<String>) -> Option<(Field, Field, Meeting)> {
        let (mut e, mut t) = self.both(name)?;
        // Values of one family are the same key by value, however their types were found.
        if e.logical.family() == t.logical.family() {
            (e.inferred, t.inferred) = (false, false);
        }
        match meet(&e, &t, self.zone_in_rules(&name.value)) {
            Ok(mut meeting) => {
                let as_number = || Convert::As { logical: Logical::I64, before: Box::new(Convert::Direct) };
                if meeting.logical.family() == Family::Number {
                    for (field, convert) in [(&e, &mut meeting.expected), (&t, &mut meeting.target)] {
                        if field.logical == Logical::Bool {
                            *convert = as_number();
                        }
                    }
                }
                Some((e, t, meeting))
            }
            Err(refusal) => {
                self.refuse(&name.value, Some(&name.span), &e, &t, refusal);
                None
            }
        }
    }
}

fn key_column(name: &Spanned<String>, meeting: Meeting, fold: Policy) -> KeyColumn {
    KeyColumn {
        name: name.value.clone(),
        note: note(&meeting, &fold),
        expected: meeting.expected,
        target: meeting.target,
        fold,
    }
}

impl ColumnPolicy {
    /// Reports words by which values are only nearly equal, where they are the same or not; `why` says it.
    pub fn check_exact(&self, why: &str, out: &mut Diagnostics) {
        for (word, amount) in [("tolerance", &self.tolerance), ("relative", &self.relative)] {
            if let Some(amount) = amount {
                out.push(
                    Diagnostic::error(&amount.span, format!("`{word}` is not possible here: {why}"))
                        .help("`as: decimal(12,2)` rounds both sides before they are compared"),
                );
            }
        }
    }
}

impl Reconcile {
    /// Reports a natural key that cannot find anything beside the key.
    pub fn check_natural_key(&self, key: &[Spanned<String>], out: &mut Diagnostics) {
        let Some(first) = self.natural_key.first() else { return };
        if key.is_empty() {
            out.push(
                Diagnostic::error(
                    &first.span,
                    "a natural key is for rows that have no partner by key, and there is no key",
                )
                .help("make it the `key`"),
            );
            return;
        }
        let names = |name: &Spanned<String>| self.natural_key.iter().any(|other| other.value == name.value);
        if key.iter().all(names) {
            out.push(
                Diagnostic::error(&first.span, "the natural key holds all of the key, so rows that have it in common are partners already")
                    .help("leave out the columns of the key"),
            );
        }
        for (i, name) in self.natural_key.iter().enumerate() {
            if self.natural_key.iter().take(i).any(|earlier| earlier.value == name.value) {
                out.push(Diagnostic::error(
                    &name.span,
                    format!("`{}` stands here a second time", name.value),
                ));
            }
        }
    }
}

/// Returns true where a policy has only words that a column of the key can have.
pub(super) fn fits_key(policy: &ColumnPolicy) -> bool {
    policy.tolerance.is_none()
        && policy.relative.is_none()
        && policy.precision.is_none()
        && policy.unordered.is_none()
        && policy.json.is_none()
        && policy.null.is_empty()
        && policy.map.is_none()
        && policy.lookup.is_none()
        && policy.source_expression.is_none()
        && policy.target_expression.is_none()
        && policy.r#as.is_none()
}
