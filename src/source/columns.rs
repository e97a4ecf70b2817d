//! Their columns to ours: names, declared types, and what is left out.

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Field, Logical};

use super::{ColumnRules, SourceError};

/// A column that is read.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// Its position among theirs, from 0.
    pub position: usize,
    /// Their name.
    pub source_name: String,
    /// Our name.
    pub name: String,
    /// The type the user declared.
    pub declared: Option<Logical>,
}

/// Finds out which of their columns are read, under which name and as which declared type.
pub(super) fn choose(theirs: &[String], rules: &ColumnRules) -> Result<Vec<Chosen>, SourceError> {
    let mut out = Diagnostics::default();
    for (their, our) in &rules.columns {
        if !theirs.contains(their) {
            out.push(
                Diagnostic::error(&our.span, format!("the table has no column `{their}`"))
                    .suggest(their, theirs.iter().map(String::as_str)),
            );
        }
    }
    let ours: Vec<&str> = theirs
        .iter()
        .map(|their| rules.columns.get(their).map_or(their.as_str(), |our| our.value.as_str()))
        .collect();
    let mut seen = HashSet::new();
    for (their, our) in theirs.iter().zip(&ours) {
        if !seen.insert(*our) {
            let clash = rules.columns.get(their).or_else(|| rules.columns.values().find(|c| c.value == *our));
            let message = format!("two columns of the table would have the name `{our}`");
            out.push(clash.map_or_else(
                || Diagnostic::without_place(message.clone()),
                |clash| Diagnostic::error(&clash.span, message.clone()),
            ));
        }
    }
    let mut known = |name: &Spanned<String>| {
        if !ours.contains(&name.value.as_str()) {
            out.push(
                Diagnostic::error(
                    &name.span,
                    format!("the table has no column that we call `{}`", name.value),
                )
                .suggest(&name.value, ours.iter().copied()),
            );
        }
    };
    for name in &rules.omit {
        known(name);
    }
    for (name, logical) in &rules.types {
        known(&Spanned { value: name.clone(), span: logical.span.clone() });
    }
    for (name, zone) in &rules.timezones {
        known(&Spanned { value: name.clone(), span: zone.span.clone() });
    }
    let chosen: Vec<Chosen> = theirs
        .iter()
        .zip(&ours)
        .enumerate()
        .filter(|(_, (_, our))| !rules.omit.iter().any(|omitted| omitted.value == **our))
        .map(|(position, (their, our))| Chosen {
            position,
            source_name: their.clone(),
            name: (*our).to_owned(),
            declared: rules.types.get(*our).map(|logical| logical.value.clone()),
        })
        .collect();
    if let (true, Some(omitted)) = (chosen.is_empty(), rules.omit.first()) {
        out.push(Diagnostic::error(&omitted.span, "`omit` leaves no column to read"));
    }
    if out.is_empty() { Ok(chosen) } else { Err(SourceError::Settings(Box::new(out))) }
}

impl Chosen {
    /// Makes the field, now that its type is known.
    pub fn field(
        &self,
        logical: Logical,
        format: Option<String>,
        source_type: String,
        rules: &ColumnRules,
    ) -> Field {
        let zone = rules.timezones.get(&self.name).map(|zone| &zone.value).or(rules.timezone.as_ref());
        Field {
            name: self.name.clone(),
            source_name: self.source_name.clone(),
            // A date is a midnight of the zone, and a text may become a date or timestamp by a cleansing step.
            timezone: zone
                .filter(|_| matches!(logical, Logical::Date | Logical::TIMESTAMP) || logical.is_text())
                .cloned(),
            logical,
            source_type,
            inferred: self.declared.is_none(),
            format,
        }
    }
}
