//! A project's files to a plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::model::{Severity, Side};
use crate::node::{FromNode, Node, Value};
use crate::reconcile::{AMBIGUOUS, FOLDED_KEY, ROW, ROW_RULES, Reconcile};
use crate::rule::{ProjectFiles, TimeSpan};

use super::across::check_across;
use super::crosswalk::{self, Crosswalk};
use super::dataset::{DatasetConfig, KeyConfig};
use super::family::{Checks, Matches, Steps};
use super::files;
use super::made;
use super::plan::{Dataset, GateConfig, Plan};
use super::project::ProjectConfig;
use super::rules::{self, AllRules, Context};
use super::side::{self, Connections, SideState, Sides, name_span};
use super::tables::{self, Databases, OneTable, Tables};

/// Reads a project: `path` is its folder, or the project file.
///
/// Every mistake that can be seen without data goes to `out`, in all files at once. `variables` gives the
/// values of environment variables. The plan is only to be used where `out` has no error; where a part of it
/// is beyond use there is none. Files for whole schemas have datasets only where databases are `asked`.
pub fn load(
    path: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
    asked: Tables,
    out: &mut Diagnostics,
) -> Option<Plan> {
    load_changed(path, variables, asked, None, out)
}

/// Reads a project as it would be with another text in one of its files; see [`load`].
pub(super) fn load_changed(
    path: &Path,
    variables: &dyn Fn(&str) -> Option<String>,
    asked: Tables,
    changed: Option<&(PathBuf, String)>,
    out: &mut Diagnostics,
) -> Option<Plan> {
    let file = files::project_file(path, out)?;
    let node = files::read(&file, variables, out)?;
    let config = ProjectConfig::from_node(&node, out)?;
    let project_files = ProjectFiles::new(&files::folder(&file));
    let connections = config.connections.0.as_ref();
    let patterns = config.datasets.0;
    if let Some(empty) = patterns.as_ref().filter(|patterns| patterns.value.is_empty()) {
        out.push(
            Diagnostic::error(&empty.span, "the project has no dataset")
                .help("name the files of its datasets, as in `datasets: rules/*.yml`"),
        );
    }
    let patterns = patterns.map(|patterns| patterns.value).unwrap_or_default();
    let nodes: Vec<Option<Node>> = files::datasets(&file, &patterns, out)
        .into_iter()
        .map(|path| match changed.filter(|(other, _)| files::is_same(other, &path)) {
            Some((_, text)) => files::read_text(&path, text.clone(), variables, out),
            None => files::read(&path, variables, out),
        })
        .collect();
    let read = |node: &Node, unfit, out: &mut Diagnostics| {
        Draft::read(node, unfit, connections, &project_files, out)
    };
    let mut drafts: Vec<Option<Draft>> = Vec::new();
    // Files for whole schemas come last: they leave out what other files name.
    for node in nodes.iter().filter(|node| node.as_ref().is_none_or(|node| !tables::is_for_many(node))) {
        drafts.push(node.as_ref().and_then(|node| read(node, None, out)));
    }
    let schemas: Vec<&Node> = nodes.iter().flatten().filter(|node| tables::is_for_many(node)).collect();
    let named = drafts.iter().flatten().flat_map(Draft::tables).collect();
    let mut databases = connections.map(|connections| Databases::new(connections, &project_files.base));
    let mut complete = true;
    for node in &schemas {
        let mut mistakes = Diagnostics::default();
        let draft = read(&tables::placeholder(node), None, &mut mistakes);
        let usable = draft.is_some() && !mistakes.has_errors();
        out.extend(mistakes);
        if asked == Tables::NotAsked || !usable {
            complete = false;
            continue;
        }
        let files = databases.as_mut().map(|databases| databases.files(node, &named, out));
        for OneTable { node, unfit } in files.unwrap_or_default() {
            drafts.push(read(&node, unfit, out));
        }
    }
    let unreached = databases.map(|databases| databases.unreached()).unwrap_or_default();
    check_across(&drafts, complete, out);
    let gap = config.max_snapshot_gap.0.flatten();
    let datasets = drafts.into_iter().map(|draft| draft?.into_dataset(gap));
    let datasets: Option<Vec<Dataset>> = datasets.collect();
    let made = datasets.as_ref().map(|datasets| made::order(datasets, out)).unwrap_or_default();
    let fail_on = config.gate.0.map_or(Severity::Error, |gate| gate.fail_on.severity());
    config.version.0?;
    Some(Plan {
        project: config.project.0?.0,
        file,
        files: project_files,
        datasets: datasets?,
        made,
        schemas: schemas.len(),
        unreached,
        gate: GateConfig { fail_on },
        fingerprint_key: config.fingerprint_key.0.flatten().map(|key| key.0).filter(|key| !key.is_empty()),
        as_of: config.as_of.0.flatten().map(|as_of| as_of.0),
    })
}

/// A dataset whose own file has been read.
pub(super) struct Draft {
    unfit: Option<String>,
    pub(super) name: Option<Spanned<String>>,
    owner: Option<String>,
    key: Vec<Spanned<String>>,
    /// True where the file says so.
    has_no_key: bool,
    sensitive: Vec<Spanned<String>>,
    free_text: Vec<Spanned<String>>,
    show: Vec<Spanned<String>>,
    allow_empty: bool,
    pub(super) sides: Sides,
    pub(super) rules: AllRules,
    pub(super) crosswalks: Vec<Spanned<Crosswalk>>,
    reconcile: Reconcile,
}

impl Draft {
    fn read(
        node: &Node,
        unfit: Option<String>,
        connections: Option<&Connections>,
        files: &ProjectFiles,
        out: &mut Diagnostics,
    ) -> Option<Draft> {
        let config = DatasetConfig::from_node(node, out)?;
        let sides = Sides {
            source: side::read(Side::Source, config.source, node.get("source"), connections, out),
            target: side::read(Side::Target, config.target, node.get("target"), connections, out),
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
        let (key, has_no_key) = match config.key.0 {
            Some(KeyConfig::Columns(columns)) => (columns, false),
            Some(KeyConfig::None) => (Vec::new(), true),
            None => (Vec::new(), false),
        };
        let name = config.dataset.0.flatten();
        if name.is_none() && node.get("dataset").is_none() {
            let place = name_span(Some(node), first_name(node)).unwrap_or(&node.span);
            out.push(Diagnostic::error(place, "a dataset file needs `dataset`"));
        }
        let draft = Draft {
            unfit,
            name: name.map(|name| Spanned { value: name.value.0, span: name.span }),
            owner: config.owner.0.flatten(),
            key,
            has_no_key,
            sensitive: config.sensitive.0.unwrap_or_default(),
            free_text: config.free_text.0.unwrap_or_default(),
            show: config.show.0.unwrap_or_default(),
            allow_empty: config.allow_empty.0.unwrap_or_default(),
            sides,
            rules,
            crosswalks: config.crosswalks.0.unwrap_or_default(),
            reconcile: reconcile.as_ref().map(|r| r.value.clone()).unwrap_or_default(),
        };
        draft.check(node, reconcile.as_ref(), files, out);
        Some(draft)
    }

    /// Returns the tables that the dataset reads: each with its connection, as it is written.
    fn tables(&self) -> Vec<(String, String)> {
        let sides = [&self.sides.source, &self.sides.target].into_iter().filter_map(SideState::config);
        sides
            .filter_map(|side| {
                Some((side.connection.as_ref()?.value.clone(), side.table.as_ref()?.value.clone()))
            })
            .collect()
    }

    /// Reports what contradicts itself within the dataset's own file.
    fn check(
        &self,
        node: &Node,
        reconcile: Option<&Spanned<Reconcile>>,
        files: &ProjectFiles,
        out: &mut Diagnostics,
    ) {
        let place = name_span(Some(node), "dataset").unwrap_or(&node.span);
        if !self.sides.has(Side::Source) && !self.sides.has(Side::Target) {
            out.push(
                Diagnostic::error(place, "the dataset has neither a source nor a target")
                    .help("`source` says where the old system's rows are, `target` where the new one's are"),
            );
        }
        self.check_key(node, place, out);
        self.check_shown(out);
        self.check_compared(node, files, out);
        crosswalk::check(&self.crosswalks, &self.sides, out);
        let of_totals = self.reconcile.totals.iter().map(|t| (t.value.id(), &t.span));
        let of_crosswalks = self.crosswalks.iter().map(|c| (c.value.id(), &c.span));
        let ids: Vec<Spanned<String>> = of_totals
            .map(|(value, span)| Spanned { value, span: span.clone() })
            .chain(
                of_crosswalks
                    .collect::<BTreeMap<_, _>>()
                    .into_iter()
                    .map(|(value, span)| Spanned { value, span: span.clone() }),
            )
            .collect();
        self.rules.check_ids(&ids, out);
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

    fn check_key(&self, node: &Node, place: &Span, out: &mut Diagnostics) {
        if self.sides.are_two() && node.get("key").is_none() {
            out.push(
                Diagnostic::error(place, "a dataset with two sides needs `key`: rows are compared by it")
                    .help(format!(
                        "name its columns, as in `key: [tag_ref]`, or `[{ROW}]` where both files have the same order, or write `key: none` where equal rows are to be counted"
                    )),
            );
        }
        if let Some(Value::List(names)) = node.get("key").map(|key| &key.value)
            && names.is_empty()
        {
            out.push(
                Diagnostic::error(name_span(Some(node), "key").unwrap_or(place), "`key` names no column")
                    .help(format!(
                        "as in `key: [tag_ref]`, or `[{ROW}]` where both files have the same order; `key: none` where there is none"
                    )),
            );
        }
        for (i, name) in self.key.iter().enumerate() {
            if let Some(first) = self.key.iter().take(i).find(|first| first.value == name.value) {
                out.push(
                    Diagnostic::error(&name.span, format!("`{}` stands in the key twice", name.value))
                        .label("the second")
                        .also(&first.span, "the first"),
                );
            }
        }
        let other = self.key.iter().any(|name| name.value != ROW);
        if let Some(row) = self.key.iter().find(|name| name.value == ROW).filter(|_| other) {
            out.push(Diagnostic::error(
                &row.span,
                format!("`{ROW}` names a row alone: no other column belongs in the key"),
            ));
        }
        let columns: Vec<_> = self.key.iter().filter(|name| name.value != ROW).cloned().collect();
        self.sides.check_columns(&columns, &[Side::Source, Side::Target], out);
    }

    /// Reports columns to hide or to show that no side has: a slip there would show what must not be seen.
    fn check_shown(&self, out: &mut Diagnostics) {
        for name in self.sensitive.iter().chain(&self.free_text).chain(&self.show) {
            self.sides.check_anywhere(name, out);
        }
        for shown in &self.show {
            if let Some(hidden) = self.sensitive.iter().find(|name| name.value == shown.value) {
                out.push(
                    Diagnostic::error(
                        &shown.span,
                        format!("`{}` cannot be shown: it is sensitive", shown.value),
                    )
                    .also(&hidden.span, "listed here"),
                );
            }
        }
    }

    /// Reports columns under `reconcile` that cannot be compared because a side does not have them.
    fn check_compared(&self, node: &Node, files: &ProjectFiles, out: &mut Diagnostics) {
        if !self.sides.are_two() {
            return;
        }
        let anywhere = self.reconcile.exclude.iter().chain(&self.reconcile.changed_since);
        anywhere.for_each(|name| self.sides.check_anywhere(name, out));
        let names = node.get("reconcile").and_then(|r| r.get("columns"));
        for (name, policy) in &self.reconcile.columns {
            let span = name_span(names, name).unwrap_or(&policy.span).clone();
            if self.has_no_key {
                policy.value.check_exact("without a key, rows are the same or not", out);
            }
            // A side whose value is calculated need not have the column.
            let has = |side: &Side| policy.value.expression(*side).1.is_none();
            let on: Vec<Side> = [Side::Source, Side::Target].into_iter().filter(has).collect();
            for (side, columns) in policy.value.check(name, &span, files, out) {
                self.sides.check_columns(&columns, &[side], out);
            }
            self.sides.check_columns(&[Spanned { value: name.clone(), span }], &on, out);
        }
        if !self.key.is_empty() || self.has_no_key {
            self.reconcile.check_natural_key(&self.key, out);
        }
        for name in &self.reconcile.natural_key {
            let policy = self.reconcile.columns.get(&name.value).map(|policy| &policy.value);
            let has = |side: &Side| policy.is_none_or(|policy| policy.expression(*side).1.is_none());
            let on: Vec<Side> = [Side::Source, Side::Target].into_iter().filter(has).collect();
            self.sides.check_columns(std::slice::from_ref(name), &on, out);
            if let Some(policy) = policy {
                policy.check_exact("a column of the natural key is the same or not", out);
            }
        }
        let totals = self.reconcile.totals.iter().map(|total| &total.value);
        let totals = totals.flat_map(|total| std::iter::once(&total.column).chain(&total.by)).cloned();
        let calculated = |name: &str| {
            let policy = self.reconcile.columns.get(name).map(|policy| &policy.value);
            policy.is_some_and(|p| p.source_expression.is_some() || p.target_expression.is_some())
        };
        let of_tranches = self.reconcile.tranches.iter().flat_map(|tranches| tranches.check(out));
        let of_tranches: Vec<Spanned<String>> = of_tranches.collect();
        let looked_at: Vec<Spanned<String>> =
            totals.chain(of_tranches).filter(|name| !calculated(&name.value)).collect();
        self.sides.check_columns(&looked_at, &[Side::Source, Side::Target], out);
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
            let known =
                ROW_RULES.into_iter().chain([FOLDED_KEY, AMBIGUOUS]).chain(totals.iter().map(String::as_str));
            out.push(
                Diagnostic::error(span, format!("there is no rule `{id}` in the reconciliation"))
                    .suggest(id, known),
            );
        }
    }

    /// Returns the dataset, where nothing it needs is beyond use; `gap` is the project's `max_snapshot_gap`.
    fn into_dataset(mut self, gap: Option<TimeSpan>) -> Option<Dataset> {
        self.reconcile.max_snapshot_gap = self.reconcile.max_snapshot_gap.or(gap);
        Some(Dataset {
            unfit: self.unfit,
            name: self.name?,
            owner: self.owner,
            key: self.key,
            sensitive: self.sensitive,
            free_text: self.free_text,
            show: self.show,
            allow_empty: self.allow_empty,
            source: self.sides.source.into_plan().ok()?,
            target: self.sides.target.into_plan().ok()?,
            steps: self.rules.steps,
            crosswalks: self.crosswalks,
            checks: self.rules.checks,
            duplicates: self.rules.duplicates,
            reconcile: self.reconcile,
        })
    }
}

/// Returns the first name of a map.
fn first_name(node: &Node) -> &str {
    match &node.value {
        Value::Map(entries) => entries.first().map_or("", |(name, _)| name.text.as_str()),
        _ => "",
    }
}
