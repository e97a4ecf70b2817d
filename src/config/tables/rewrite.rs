//! One dataset file for each table, made of the file for all.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::node::{Name, Node, Value};
use crate::source::Described;

use super::{Known, OneTable, text_node};

/// The lists of a dataset file that name columns by our names; a table has those of them that it has.
const LISTS: &[&str] = &["sensitive", "free_text", "show"];

/// A table of the lead with its partner: none where there is no other side, and why where it could not be found.
pub(super) type Paired = (Known, Option<Result<Known, String>>);

/// Makes a file for each table; `side` is the one whose tables lead.
pub(super) fn files(node: &Node, side: &str, pairs: &[Paired], out: &mut Diagnostics) -> Vec<OneTable> {
    let names = dataset_names(pairs);
    let mut unused = Unused::of(node);
    let files = pairs.iter().zip(&names).map(|((lead, partner), name)| {
        let mut unfit = lead.1.as_ref().err().map(|problem| unreadable(&lead.0.written, problem));
        let partner = match partner {
            None => None,
            Some(Ok((listed, described))) => {
                if let Err(problem) = described {
                    unfit.get_or_insert_with(|| unreadable(&listed.written, problem));
                }
                Some((listed.written.as_str(), described.as_ref().ok()))
            }
            Some(Err(why)) => {
                unfit.get_or_insert_with(|| why.clone());
                Some((lead.0.written.as_str(), None))
            }
        };
        let table = Table::new(node, side, (&lead.0.written, lead.1.as_ref().ok()), partner);
        if table.key.is_none() && table.two_sided && node.get("key").is_none() {
            unfit.get_or_insert_with(|| {
                format!(
                    "`{}` declares no key without NULLs, so that its rows cannot be compared: give the table a file \
                     of its own with `key`",
                    lead.0.written
                )
            });
        }
        OneTable { node: table.file(node, name, unfit.is_some(), &mut unused), unfit }
    });
    let files = files.collect();
    unused.report(out);
    files
}

fn unreadable(table: &str, problem: &str) -> String {
    format!("what the catalogue says of `{table}` could not be read: {problem}")
}

/// Returns a file for a table that is not known, for checking all that can be without a database.
pub(in super::super) fn placeholder(node: &Node) -> Node {
    let side = |name: &'static str| node.get(name).is_some().then_some((name, None));
    let table = Table {
        sides: ["source", "target"]
            .into_iter()
            .filter_map(side)
            .map(|(name, columns)| SideTable { name, written: "table".to_owned(), columns })
            .collect(),
        key: None,
        two_sided: node.get("source").is_some() && node.get("target").is_some(),
    };
    table.file(node, "dataset", true, &mut Unused::default())
}

/// Returns a name for the dataset of each table: the table's, with its schema where two are alike.
fn dataset_names(pairs: &[Paired]) -> Vec<String> {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
    };
    let folded = |text: &str| text.to_lowercase();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((lead, _), _) in pairs {
        *counts.entry(folded(&plain(&lead.name))).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    pairs
        .iter()
        .map(|((lead, _), _)| {
            let alone = counts.get(&folded(&plain(&lead.name))).is_some_and(|n| *n == 1);
            let base = if alone || lead.schema.is_empty() {
                plain(&lead.name)
            } else {
                plain(&format!("{}_{}", lead.schema, lead.name))
            };
            let mut name = base.clone();
            let mut number = 2;
            while !taken.insert(folded(&name)) {
                name = format!("{base}_{number}");
                number += 1;
            }
            name
        })
        .collect()
}

/// A side of one table.
struct SideTable {
    name: &'static str,
    written: String,
    /// Our names by theirs, in their order; nothing where they are not known.
    columns: Option<Vec<(String, String)>>,
}

impl SideTable {
    fn ours(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().flatten().map(|(_, ours)| ours.as_str())
    }
}

/// One table, as its file will have it.
struct Table {
    sides: Vec<SideTable>,
    /// Our names of the key's columns, where the catalogue has one.
    key: Option<Vec<String>>,
    two_sided: bool,
}

impl Table {
    fn new(
        node: &Node,
        side: &str,
        lead: (&str, Option<&Described>),
        partner: Option<(&str, Option<&Described>)>,
    ) -> Table {
        let first = if side == "source" { "source" } else { "target" };
        let lead_columns = lead.1.map(|described| renamed(node, first, described, &[]));
        let ours: Vec<String> = lead_columns.iter().flatten().map(|(_, ours)| ours.clone()).collect();
        let partner_columns =
            partner.map(|(_, described)| described.map(|d| renamed(node, "target", d, &ours)));
        let of_lead =
            lead.1.zip(lead_columns.as_ref()).and_then(|(described, columns)| key(described, columns));
        let of_partner = partner
            .and_then(|(_, described)| described)
            .zip(partner_columns.as_ref().and_then(Option::as_ref))
            .and_then(|(described, columns)| key(described, columns));
        let mut sides = vec![SideTable { name: first, written: lead.0.to_owned(), columns: lead_columns }];
        if let Some((written, _)) = partner {
            sides.push(SideTable {
                name: "target",
                written: written.to_owned(),
                columns: partner_columns.flatten(),
            });
        }
        let has = |columns: &Vec<String>| {
            sides.iter().all(|side| columns.iter().all(|column| side.ours().any(|ours| ours == column)))
        };
        let key = of_lead.filter(has).or_else(|| of_partner.filter(has));
        Table { key, two_sided: partner.is_some(), sides }
    }

    /// Returns true where a side has a column, by our name, or its columns are not known.
    fn has(&self, side: Option<&str>, column: &str) -> bool {
        self.sides
            .iter()
            .filter(|table| side.is_none_or(|side| side == table.name))
            .any(|table| table.columns.is_none() || table.ours().any(|ours| ours == column))
    }

    /// Returns the file.
    fn file(&self, node: &Node, name: &str, unfit: bool, unused: &mut Unused) -> Node {
        let Value::Map(entries) = &node.value else { return node.clone() };
        let mut file = vec![entry("dataset", text_node(name, node))];
        let stand_in = ["key".to_owned()];
        let key = match &self.key {
            Some(key) => Some(key.as_slice()),
            // Nobody reads a table that cannot be a dataset.
            None => (unfit && self.two_sided).then_some(&stand_in[..]),
        };
        if let Some(key) = key.filter(|_| node.get("key").is_none()) {
            let items = key.iter().map(|column| text_node(column, node)).collect();
            file.push(entry("key", Node { span: node.span.clone(), value: Value::List(items) }));
        }
        for (entry, value) in entries {
            let value = match entry.text.as_str() {
                list if LISTS.contains(&list) => self.kept(value, None, list, unused),
                "reconcile" => self.reconcile(value, unused),
                side => match self.sides.iter().find(|table| table.name == side) {
                    Some(table) => self.side(value, table, unused),
                    None => value.clone(),
                },
            };
            file.push((entry.clone(), value));
        }
        Node { span: node.span.clone(), value: Value::Map(file) }
    }

    /// Returns the names of a list or map that a table has.
    fn kept(&self, node: &Node, side: Option<&str>, list: &str, unused: &mut Unused) -> Node {
        let mut keep = |name: &str| {
            let has = self.has(side, name);
            if has {
                unused.used(side, list, name);
            }
            has
        };
        let value = match &node.value {
            Value::List(items) => {
                let items = items.iter().filter(|item| match &item.value {
                    Value::Scalar { text, .. } => keep(text),
                    _ => true,
                });
                Value::List(items.cloned().collect())
            }
            Value::Map(entries) => {
                Value::Map(entries.iter().filter(|(name, _)| keep(&name.text)).cloned().collect())
            }
            other => other.clone(),
        };
        Node { span: node.span.clone(), value }
    }

    fn reconcile(&self, node: &Node, unused: &mut Unused) -> Node {
        let Value::Map(entries) = &node.value else { return node.clone() };
        let entries = entries.iter().map(|(name, value)| {
            let value = match name.text.as_str() {
                "exclude" => self.kept(value, None, "exclude", unused),
                _ => value.clone(),
            };
            (name.clone(), value)
        });
        Node { span: node.span.clone(), value: Value::Map(entries.collect()) }
    }

    fn side(&self, node: &Node, table: &SideTable, unused: &mut Unused) -> Node {
        let Value::Map(entries) = &node.value else { return node.clone() };
        let side = Some(table.name);
        let mut file = Vec::new();
        for (name, value) in entries {
            match name.text.as_str() {
                "tables" => file.push(entry("table", text_node(&table.written, value))),
                "skip" | "columns" => {}
                list @ ("omit" | "timezones") => {
                    file.push((name.clone(), self.kept(value, side, list, unused)));
                }
                _ => file.push((name.clone(), value.clone())),
            }
        }
        let columns: Vec<(Name, Node)> = match &table.columns {
            Some(columns) => columns
                .iter()
                .filter(|(theirs, ours)| theirs != ours)
                .map(|(theirs, ours)| {
                    unused.used(side, "columns", theirs);
                    let typed = node.get("columns").and_then(|columns| columns.get(theirs)).unwrap_or(node);
                    (Name { text: theirs.clone(), span: typed.span.clone() }, text_node(ours, typed))
                })
                .collect(),
            None => Vec::new(),
        };
        if !columns.is_empty() {
            file.push(entry("columns", Node { span: node.span.clone(), value: Value::Map(columns) }));
        }
        Node { span: node.span.clone(), value: Value::Map(file) }
    }
}

fn entry(name: &str, value: Node) -> (Name, Node) {
    (Name { text: name.to_owned(), span: value.span.clone() }, value)
}

/// Returns our names of a side's columns: those that the file gives, else the other side's where only case differs,
/// else their own.
fn renamed(node: &Node, side: &str, described: &Described, other: &[String]) -> Vec<(String, String)> {
    let given = node.get(side).and_then(|side| side.get("columns"));
    let theirs: Vec<&str> = described.columns.iter().map(|column| column.name.as_str()).collect();
    let alike = |name: &str| {
        let folded = name.to_lowercase();
        let one = theirs.iter().filter(|other| other.to_lowercase() == folded).count() == 1;
        let mut found = other.iter().filter(|other| other.to_lowercase() == folded);
        match (found.next(), found.next()) {
            (Some(ours), None) if one => Some(ours.clone()),
            _ => None,
        }
    };
    theirs
        .iter()
        .map(|name| {
            let typed = given.and_then(|given| given.get(name)).and_then(|node| match &node.value {
                Value::Scalar { text, .. } => Some(text.clone()),
                _ => None,
            });
            let same = other.iter().any(|other| other == name).then(|| (*name).to_owned());
            let ours = typed.or(same).or_else(|| alike(name)).unwrap_or_else(|| (*name).to_owned());
            ((*name).to_owned(), ours)
        })
        .collect()
}

/// Returns our names of a table's key: the primary one, else the first other without NULLs.
fn key(described: &Described, columns: &[(String, String)]) -> Option<Vec<String>> {
    let keys = std::iter::once(&described.primary_key).chain(&described.unique_keys);
    let mut named = keys.filter(|key| !key.is_empty()).map(|key| {
        key.iter()
            .map(|theirs| columns.iter().find(|(name, _)| name == theirs).map(|(_, ours)| ours.clone()))
            .collect::<Option<Vec<String>>>()
    });
    named.find_map(|key| key)
}

/// Names that no table had so far: a slip there would show what must not be seen.
#[derive(Default)]
struct Unused(BTreeMap<(String, String, String), Span>);

impl Unused {
    fn of(node: &Node) -> Unused {
        let mut unused = Unused::default();
        for list in LISTS {
            unused.add("", list, node.get(list));
        }
        unused.add("", "exclude", node.get("reconcile").and_then(|reconcile| reconcile.get("exclude")));
        for side in ["source", "target"] {
            for list in ["omit", "timezones", "columns"] {
                unused.add(side, list, node.get(side).and_then(|node| node.get(list)));
            }
        }
        unused
    }

    fn add(&mut self, side: &str, list: &str, node: Option<&Node>) {
        let names: Vec<(&str, &Span)> = match node.map(|node| &node.value) {
            Some(Value::List(items)) => items
                .iter()
                .filter_map(|item| match &item.value {
                    Value::Scalar { text, .. } => Some((text.as_str(), &item.span)),
                    _ => None,
                })
                .collect(),
            // The same name for theirs and ours is no change, and would not be noticed as used.
            Some(Value::Map(entries)) => entries
                .iter()
                .filter(|(name, value)| {
                    list != "columns"
                        || !matches!(&value.value, Value::Scalar { text, .. } if *text == name.text)
                })
                .map(|(name, _)| (name.text.as_str(), &name.span))
                .collect(),
            _ => Vec::new(),
        };
        for (name, span) in names {
            self.0.insert((side.to_owned(), list.to_owned(), name.to_owned()), span.clone());
        }
    }

    fn used(&mut self, side: Option<&str>, list: &str, name: &str) {
        self.0.remove(&(side.unwrap_or_default().to_owned(), list.to_owned(), name.to_owned()));
    }

    fn report(self, out: &mut Diagnostics) {
        for ((_, list, name), span) in self.0 {
            let message = format!("no table has the column `{name}`, which stands under `{list}`");
            out.push(Diagnostic::error(&span, message).help("names are ours, except under `columns`"));
        }
    }
}
