//! Mistakes in a dataset's file that only the columns of the data show.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::{Dataset, Plan};
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Schema, Side};

use super::judge::gating_sides;

/// Returns a warning as a sentence with its place; `base` is the project file's folder, which places leave out.
pub fn sentence(warning: &Diagnostic, base: &Path) -> String {
    match warning.place() {
        Some((file, line, _)) => {
            let file = Path::new(file);
            let file = file.strip_prefix(base).unwrap_or(file);
            format!("{}, line {line}: {}.", file.display(), warning.message())
        }
        None => format!("{}.", warning.message()),
    }
}

/// Reports what a rule found wrong on the sides it looks at: what is wrong on all of them once, without naming one.
pub fn on_sides(found: Vec<(Side, Diagnostics)>, out: &mut Diagnostics) {
    let sides = found.len();
    let found: Vec<(Side, Vec<Diagnostic>)> =
        found.into_iter().map(|(side, diagnostics)| (side, diagnostics.into_vec())).collect();
    for (at, (side, diagnostics)) in found.iter().enumerate() {
        let earlier = &found[..at];
        for diagnostic in diagnostics {
            let is_here =
                |others: &[Diagnostic]| others.iter().any(|other| other.is_same_mistake(diagnostic));
            if earlier.iter().any(|(_, others)| is_here(others)) {
                continue;
            }
            let everywhere = found.iter().filter(|(_, others)| is_here(others)).count() == sides;
            let diagnostic = diagnostic.clone();
            out.push(if everywhere { diagnostic } else { diagnostic.label(format!("in {}", words(*side))) });
        }
    }
}

fn words(side: Side) -> &'static str {
    match side {
        Side::Source => "the source",
        Side::Expected => "expected: the source after cleansing",
        Side::Target => "the target",
    }
}

/// Reports columns to hide or to show that no side has: a slip there would show what must not be seen.
pub fn hidden_columns(dataset: &Dataset, schemas: &[Option<&Schema>], out: &mut Diagnostics) {
    let names: BTreeSet<&str> = schemas.iter().flatten().flat_map(|schema| schema.names()).collect();
    for column in dataset.sensitive.iter().chain(&dataset.free_text).chain(&dataset.show) {
        unless_known(column, &names, format!("there is no column `{}`", column.value), out);
    }
}

/// Reports references to columns that the parent does not have.
pub fn references<'s>(plan: &Plan, schema: &dyn Fn(&str, Side) -> Option<&'s Schema>, out: &mut Diagnostics) {
    for dataset in &plan.datasets {
        for rule in dataset.checks.iter().filter(|rule| rule.common.skip.is_none()) {
            let Some(reference) = rule.rule.reference() else { continue };
            let mut found = Vec::new();
            for side in gating_sides(dataset, rule.common.on.as_ref()) {
                let Some(parent) = schema(&reference.dataset.value, side) else { continue };
                let names: BTreeSet<&str> = parent.names().collect();
                let mut own = Diagnostics::default();
                for column in &reference.columns {
                    let message = format!("`{}` has no column `{}`", reference.dataset.value, column.value);
                    unless_known(column, &names, message, &mut own);
                }
                found.push((side, own));
            }
            on_sides(found, out);
        }
    }
}

fn unless_known(column: &Spanned<String>, names: &BTreeSet<&str>, message: String, out: &mut Diagnostics) {
    if !names.contains(column.value.as_str()) {
        out.push(Diagnostic::error(&column.span, message).suggest(&column.value, names.iter().copied()));
    }
}
