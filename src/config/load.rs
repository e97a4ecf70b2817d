//! A project's files to a plan.

use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::{Severity, Side};
use crate::node::{FromNode, Node};
use crate::reconcile::{ROW, ROW_RULES, Reconcile};
use crate::rule::ProjectFiles;

use super::dataset::DatasetConfig;
use super::family::{Checks, Matches, Steps};
use super::files;
use super::plan::{Dataset, GateConfig, Plan};
use super::project::ProjectConfig;
use super::rules::{self, AllRules, Context};
use super::side::{self, Connections, Sides, name_span};

/// Reads a project: `path` is its folder, or the project file.
///
/// Every mistake that can be seen without data goes to `out`, in all files at once. `variables` gives the
/// values of environment variables. The plan is only to be used where `out` has no error; where a part of it
/// is beyond use there is none.
pub fn load(path: &Path, variables: &dyn Fn(&str) -> Option<String>, out: &mut Diagnostics) -> Option<Plan> {
    let file = files::project_file(path, out)?;
    let node = files::read(&file, variables, out)?;
    let config = ProjectConfig::from_node(&node, out)?;
    let project_files = ProjectFiles::new(&files::folder(&file));
    let connections = config.connections.0.as_ref();
    let patterns = config.datasets.0.unwrap_or_default();
    let mut drafts = Vec::new();
    for path in files::datasets(&file, &patterns, out) {
        let Some(node) = files::read(&path, variables, out) else { continue };
        drafts.extend(Draft::read(&node, connections, &project_files, out));
    }
    check_names(&drafts, out);
    for draft in &drafts {
        draft.check_references(&drafts, out);
    }
    let datasets: Option<Vec<Dataset>> = drafts.into_iter().map(Draft::into_dataset).collect();
    let fail_on = config.gate.0.map_or(Severity::Error, |gate| gate.fail_on.severity());
    Some(Plan {
        project: config.project.0?.0,
        file,
        files: project_files,
        datasets: datasets?,
        gate: GateConfig { fail_on },
        fingerprint_key: config.fingerprint_key.0.flatten().filter(|key| !key.is_empty()),
        as_of: config.as_of.0.flatten().map(|as_of| as_of.0),
    })
}

/// A dataset whose own file has been read.
struct Draft {
    name: Option<Spanned<String>>,
    owner: Option<String>,
    key: Vec<Spanned<String>>,
    sensitive: Vec<Spanned<String>>,
    free_text: Vec<Spanned<String>>,
    show: Vec<Spanned<String>>,
    sides: Sides,
    rules: AllRules,
    reconcile: Reconcile,
}

impl Draft {
    fn read(
        node: &Node,
        connections: Option<&Connections>,
        files: &ProjectFiles,
        out: &mut Diagnostics,
    ) -> Option<Draft> {
        let config = DatasetConfig::from_node(node, out)?;
        let sides = Sides {
            source: side::read(config.source, node.get("source"), connections, out),
            target: side::read(config.target, node.get("target"), connections, out),
        };
        let context = Context { files, sides: &sides };
        let steps = config.cleanse.0.map(|list| rules::read::<Steps>(&list.nodes, &context, out));
        let checks = config.checks.0.map(|list| rules::read::<Checks>(&list.nodes, &context, out));
        let duplicates = config.duplicates.0.map(|list| rules::read::<Matches>(&list.nodes, &context, out));
        let rules = AllRules {
            steps: steps.unwrap_or_default(),
            checks: checks.unwrap_or_default(),
            duplicates: duplicates.unwrap_or_default(),
        };
        let reconcile = config.reconcile.0.flatten();
        let draft = Draft {
            name: config.dataset.0.map(|name| Spanned { value: name.value.0, span: name.span }),
            owner: config.owner.0.flatten(),
            key: config.key.0.unwrap_or_default(),
            sensitive: config.sensitive.0.unwrap_or_default(),
            free_text: config.free_text.0.unwrap_or_default(),
            show: config.show.0.unwrap_or_default(),
            sides,
            rules,
            reconcile: reconcile.as_ref().map(|r| r.value.clone()).unwrap_or_default(),
        };
        draft.check(node, reconcile.as_ref(), out);
        Some(draft)
    }

    /// Reports what contradicts itself within the dataset's own file.
    fn check(&self, node: &Node, reconcile: Option<&Spanned<Reconcile>>, out: &mut Diagnostics) {
        let place = name_span(Some(node), "dataset").unwrap_or(&node.span);
        if !self.sides.has(Side::Source) && !self.sides.has(Side::Target) {
            out.push(
                Diagnostic::error(place, "the dataset has neither a source nor a target")
                    .help("`source` says where the old system's rows are, `target` where the new one's are"),
            );
        }
        if self.sides.are_two() && self.key.is_empty() && node.get("key").is_none() {
            out.push(
                Diagnostic::error(place, "a dataset with two sides needs `key`: rows are compared by it")
                    .help(format!("name its columns, as in `key: [tag_ref]`, or `[{ROW}]` where both files have the same order")),
            );
        }
        if let Some(row) = self.key.iter().find(|name| name.value == ROW).filter(|_| self.key.len() > 1) {
            out.push(Diagnostic::error(
                &row.span,
                format!("`{ROW}` names a row alone: no other column belongs in the key"),
            ));
        }
        let both = [Side::Source, Side::Target];
        self.sides.check_columns(&self.key, &both, out);
        let total_ids: Vec<Spanned<String>> = self
            .reconcile
            .totals
            .iter()
            .map(|t| Spanned { value: t.value.id(), span: t.span.clone() })
            .collect();
        self.rules.check_ids(&total_ids, out);
        if let Some(reconcile) = reconcile.filter(|_| !self.sides.are_two()) {
            out.push(
                Diagnostic::error(
                    name_span(Some(node), "reconcile").unwrap_or(&reconcile.span),
                    "only a dataset with both a source and a target is reconciled",
                )
                .help("take `reconcile` away, or give the missing side"),
            );
        }
        self.check_rule_ids(node, out);
    }

    /// Reports ids under `reconcile: rules:` that no rule can have.
    fn check_rule_ids(&self, node: &Node, out: &mut Diagnostics) {
        let totals: Vec<String> = self.reconcile.totals.iter().map(|t| t.value.id()).collect();
        let names = node.get("reconcile").and_then(|r| r.get("rules"));
        for (id, fields) in &self.reconcile.rules {
            if id.strip_prefix("reconcile-").is_some_and(|column| !column.is_empty()) || totals.contains(id) {
                continue;
            }
            let span = name_span(names, id).unwrap_or(&fields.span);
            let known = ROW_RULES.iter().copied().chain(totals.iter().map(String::as_str));
            out.push(
                Diagnostic::error(span, format!("there is no rule `{id}` in the reconciliation"))
                    .suggest(id, known),
            );
        }
    }

    /// Reports references to datasets, sides and columns that are not there.
    fn check_references(&self, all: &[Draft], out: &mut Diagnostics) {
        for rule in self.rules.checks.iter().filter(|rule| rule.common.skip.is_none()) {
            let Some(reference) = rule.rule.reference() else { continue };
            let named =
                |draft: &&Draft| draft.name.as_ref().is_some_and(|n| n.value == reference.dataset.value);
            let Some(parent) = all.iter().find(named) else {
                let names =
                    all.iter().filter_map(|draft| draft.name.as_ref()).map(|name| name.value.as_str());
                out.push(
                    Diagnostic::error(
                        &reference.dataset.span,
                        format!("there is no dataset `{}`", reference.dataset.value),
                    )
                    .suggest(&reference.dataset.value, names),
                );
                continue;
            };
            let own = rule.rule.columns().len();
            if own != reference.columns.len() {
                out.push(Diagnostic::error(
                    &reference.dataset.span,
                    format!("{own} columns refer to {}: the numbers must be equal", reference.columns.len()),
                ));
            }
            for side in rules::sides_of::<Checks>(&rule.common, &self.sides) {
                if !parent.sides.has(side) {
                    let missing = if side == Side::Target { "target" } else { "source" };
                    out.push(
                        Diagnostic::error(
                            &reference.dataset.span,
                            format!("`{}` has no {missing} to look for parents in", reference.dataset.value),
                        )
                        .help(format!(
                            "`on` chooses the states of the data that are looked at: leave out `{side}`"
                        )),
                    );
                }
                for column in &reference.columns {
                    if parent.sides.lacks(side, &column.value) {
                        out.push(Diagnostic::error(
                            &column.span,
                            format!(
                                "`{}` has no column `{}` on its {side} side",
                                reference.dataset.value, column.value
                            ),
                        ));
                    }
                }
            }
        }
    }

    /// Returns the dataset, where nothing it needs is beyond use.
    fn into_dataset(self) -> Option<Dataset> {
        Some(Dataset {
            name: self.name?,
            owner: self.owner,
            key: self.key,
            sensitive: self.sensitive,
            free_text: self.free_text,
            show: self.show,
            source: self.sides.source.into_plan().ok()?,
            target: self.sides.target.into_plan().ok()?,
            steps: self.rules.steps,
            checks: self.rules.checks,
            duplicates: self.rules.duplicates,
            reconcile: self.reconcile,
        })
    }
}

/// Reports dataset names that stand twice.
fn check_names(drafts: &[Draft], out: &mut Diagnostics) {
    let mut first: Vec<&Spanned<String>> = Vec::new();
    for name in drafts.iter().filter_map(|draft| draft.name.as_ref()) {
        match first.iter().find(|earlier| earlier.value == name.value) {
            Some(earlier) => out.push(
                Diagnostic::error(&name.span, format!("there are two datasets `{}`", name.value))
                    .label("the second")
                    .also(&earlier.span, "the first"),
            ),
            None => first.push(name),
        }
    }
}
