//! What datasets say of one another.

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::Side;
use crate::reconcile::ROW;
use crate::rule::Reference;

use super::crosswalk::Crosswalk;
use super::family::Checks;
use super::load::Draft;
use super::made;
use super::rules::sides_of;

/// Reports names that stand twice, and references to datasets, sides and columns that are not there.
///
/// Where a dataset file could not be read, or `complete` is false, which names there are is not known.
pub(super) fn check_across(drafts: &[Option<Draft>], complete: bool, out: &mut Diagnostics) {
    let complete =
        complete && drafts.iter().all(|draft| draft.as_ref().is_some_and(|draft| draft.name.is_some()));
    let drafts: Vec<&Draft> = drafts.iter().flatten().collect();
    check_names(&drafts, out);
    check_crosswalks(&drafts, complete, out);
    made::check(&drafts, complete, out);
    for draft in &drafts {
        for rule in draft.rules.checks.iter().filter(|rule| rule.common.skip.is_none()) {
            let Some(reference) = rule.rule.reference() else { continue };
            let name = &reference.dataset;
            let is_it = |draft: &&&Draft| draft.name.as_ref().is_some_and(|n| n.value == name.value);
            match drafts.iter().find(is_it) {
                Some(parent) => {
                    check_parent(reference, parent, &sides_of::<Checks>(&rule.common, &draft.sides), out);
                }
                None if complete => {
                    let names = drafts.iter().filter_map(|draft| draft.name.as_ref());
                    out.push(
                        Diagnostic::error(&name.span, format!("there is no dataset `{}`", name.value))
                            .suggest(&name.value, names.map(|name| name.value.as_str())),
                    );
                }
                None => {}
            }
        }
    }
}

/// Reports crosswalks through datasets and columns that are not there.
fn check_crosswalks(drafts: &[&Draft], complete: bool, out: &mut Diagnostics) {
    for crosswalk in drafts.iter().flat_map(|draft| &draft.crosswalks) {
        let Crosswalk { through, from, to, .. } = &crosswalk.value;
        let is_it = |draft: &&&Draft| draft.name.as_ref().is_some_and(|name| name.value == through.value);
        match drafts.iter().find(is_it) {
            Some(holder) => {
                if let Some(own) = holder.crosswalks.first() {
                    out.push(
                        Diagnostic::error(
                            &through.span,
                            format!("the ids of `{}` are replaced themselves", through.value),
                        )
                        .also(&own.span, "here"),
                    );
                }
                let side = if holder.sides.has(Side::Source) { Side::Source } else { Side::Target };
                holder.sides.check_columns(&[from.clone(), to.clone()], &[side], out);
            }
            None if complete => {
                let names = drafts.iter().filter_map(|draft| draft.name.as_ref());
                out.push(
                    Diagnostic::error(&through.span, format!("there is no dataset `{}`", through.value))
                        .suggest(&through.value, names.map(|name| name.value.as_str())),
                );
            }
            None => {}
        }
        if from.value == to.value {
            out.push(Diagnostic::error(&to.span, "the new ids stand in the same column as the old ones"));
        }
    }
}

/// Reports what a parent does not have of what is looked for on some sides.
fn check_parent(reference: &Reference, parent: &Draft, sides: &[Side], out: &mut Diagnostics) {
    let Reference { dataset, columns } = reference;
    for column in columns.iter().filter(|column| column.value == ROW) {
        out.push(Diagnostic::error(
            &column.span,
            format!("`{ROW}` is the row's position: nothing can refer to it"),
        ));
    }
    for (word, alike) in [("source", &[Side::Source, Side::Expected][..]), ("target", &[Side::Target][..])] {
        let Some(side) = sides.iter().copied().find(|side| alike.contains(side)) else { continue };
        if !parent.sides.has(side) {
            let others: Vec<String> = Side::ALL
                .iter()
                .filter(|other| !alike.contains(other) && parent.sides.has(**other))
                .map(ToString::to_string)
                .collect();
            let error = Diagnostic::error(
                &dataset.span,
                format!("`{}` has no {word} to look for parents in", dataset.value),
            );
            out.push(match others.as_slice() {
                [] => error,
                _ => error.help(format!("`on: [{}]` looks only where it has rows", others.join(", "))),
            });
            continue;
        }
        for column in columns.iter().filter(|column| parent.sides.lacks(side, &column.value)) {
            out.push(
                Diagnostic::error(
                    &column.span,
                    format!("the {word} of `{}` has no column `{}`", dataset.value, column.value),
                )
                .help("it is omitted there, or has another name with us: see `omit` and `columns`"),
            );
        }
    }
}

/// Reports dataset names that stand twice, or whose folders would be one where case does not count.
fn check_names(drafts: &[&Draft], out: &mut Diagnostics) {
    let mut first: Vec<&Spanned<String>> = Vec::new();
    for name in drafts.iter().filter_map(|draft| draft.name.as_ref()) {
        let folder = name.value.to_lowercase();
        let Some(earlier) = first.iter().find(|earlier| earlier.value.to_lowercase() == folder) else {
            first.push(name);
            continue;
        };
        let message = if earlier.value == name.value {
            format!("there are two datasets `{}`", name.value)
        } else {
            format!("the datasets `{}` and `{}` differ only in case", earlier.value, name.value)
        };
        out.push(Diagnostic::error(&name.span, message).label("the second").also(&earlier.span, "the first"));
    }
}
