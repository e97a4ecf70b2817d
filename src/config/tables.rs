//! Dataset files for whole schemas: `tables:` makes one dataset of each table that matches.
//!
//! Such a file is rewritten, before it is read, into one dataset file a table, as its author would have written them:
//! with the table's name, its key from the catalogue, and names that the table does not have taken out of its lists.

mod pair;
mod rewrite;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use glob::{MatchOptions, Pattern};
use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::node::{FromNode, Node, Value};
use crate::source::{Cancel, Catalogue, ConnectionConfig, Described, Listed, SideConfig};

use super::side::Connections;

pub(super) use rewrite::placeholder;

/// Whether databases are asked for their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// They are not: a file for a whole schema is checked, and has no datasets.
    NotAsked,
    /// They are.
    Asked,
}

/// A dataset file as it would have been written for one table.
pub(super) struct OneTable {
    /// The file.
    pub(super) node: Node,
    /// Why the table cannot be a dataset, where it cannot.
    pub(super) unfit: Option<String>,
}

/// Returns true for a file that is for a whole schema: it has no name of its own, and all of its sides have `tables`.
pub(super) fn is_for_many(node: &Node) -> bool {
    let sides: Vec<&Node> = ["source", "target"].into_iter().filter_map(|side| node.get(side)).collect();
    let single = |side: &&Node| {
        let has = |name: &str| side.get(name).is_some();
        !has("tables") || !has("connection") || has("table") || has("query")
    };
    node.get("dataset").is_none() && !sides.is_empty() && !sides.iter().any(single)
}

/// What a file for a whole schema says of one side.
struct Wanted {
    connection: Spanned<String>,
    tables: Spanned<Vec<Spanned<String>>>,
    skip: Vec<Spanned<String>>,
}

impl Wanted {
    /// Reads a side; nothing where it has no `tables`, or a mistake that was reported before.
    fn of(node: &Node, side: &str) -> Option<Wanted> {
        let config = SideConfig::from_node(node.get(side)?, &mut Diagnostics::default())?;
        Some(Wanted { connection: config.connection?, tables: config.tables?, skip: config.skip })
    }
}

/// The databases of a project and the tables they list, each asked once.
pub(super) struct Databases<'a> {
    connections: &'a Connections,
    base: &'a Path,
    asked: BTreeMap<String, Option<Arc<Database>>>,
}

struct Database {
    catalogue: Box<dyn Catalogue>,
    tables: Vec<Listed>,
}

/// A table of a side, with what its catalogue says of it.
type Known = (Listed, Result<Described, String>);

impl<'a> Databases<'a> {
    pub(super) fn new(connections: &'a Connections, base: &'a Path) -> Self {
        Databases { connections, base, asked: BTreeMap::new() }
    }

    /// Returns the database of a connection; a failure is reported, once.
    fn get(&mut self, connection: &Spanned<String>, out: &mut Diagnostics) -> Option<Arc<Database>> {
        let name = &connection.value;
        if let Some(asked) = self.asked.get(name) {
            return asked.clone();
        }
        let database = self.connections.get(name).and_then(|config| config.0.as_ref()).and_then(|config| {
            let asked = ask(config, self.base);
            asked
                .map_err(|problem| {
                    let message = format!("the tables of `{name}` could not be listed: {problem}");
                    out.push(Diagnostic::error(&connection.span, message));
                })
                .ok()
        });
        let database = database.map(Arc::new);
        self.asked.insert(name.clone(), database.clone());
        database
    }

    /// Returns the connections that could not be asked.
    pub(super) fn unreached(&self) -> BTreeSet<String> {
        let unreached = self.asked.iter().filter(|(_, database)| database.is_none());
        unreached.map(|(name, _)| name.clone()).collect()
    }

    /// Makes one file a table. `named` are the tables that other files take, by connection, as they are written
    /// there.
    ///
    /// A database that cannot be asked, patterns without a table, and names that no table has are diagnostics.
    pub(super) fn files(
        &mut self,
        node: &Node,
        named: &BTreeSet<(String, String)>,
        out: &mut Diagnostics,
    ) -> Vec<OneTable> {
        let (source, target) = (Wanted::of(node, "source"), Wanted::of(node, "target"));
        let Some(lead) = source.as_ref().or(target.as_ref()) else { return Vec::new() };
        let database = self.get(&lead.connection, out);
        let partner = target.as_ref().filter(|_| source.is_some());
        // Both are asked, so that what is wrong with either is said at once.
        let partners = partner.map(|target| (target, self.get(&target.connection, out)));
        let Some(database) = database else { return Vec::new() };
        let partners = match partners {
            Some((target, Some(partners))) => Some((target, partners)),
            Some((_, None)) => return Vec::new(),
            None => None,
        };
        let of_lead = chosen(lead, &database.tables, named, out);
        let of_partner = partners
            .as_ref()
            .map(|(target, database)| chosen(target, &database.tables, named, out))
            .unwrap_or_default();
        let pairs = pair::pair(&of_lead, &of_partner);
        if let Some(target) = partner {
            without_partner(target, &of_partner, &pairs, out);
        }
        let known: Vec<(Known, Option<Result<Known, String>>)> = pairs
            .into_par_iter()
            .map(|(lead, found)| {
                let partner = partners.as_ref().map(|(_, database)| found.map(|t| describe(database, t)));
                (describe(&database, lead), partner)
            })
            .collect();
        let side = if source.is_some() { "source" } else { "target" };
        rewrite::files(node, side, &known, out)
    }
}

fn ask(config: &ConnectionConfig, base: &Path) -> Result<Database, String> {
    let catalogue = config.catalogue(base).ok_or("it is no database")?;
    // Nothing is written yet: whoever stops the program stops this too.
    let tables = catalogue.tables(&Cancel::default()).map_err(|error| error.to_string())?;
    Ok(Database { catalogue, tables })
}

fn describe(database: &Database, table: Listed) -> Known {
    let described = database.catalogue.describe(&table, &Cancel::default());
    (table, described.map_err(|error| error.to_string()))
}

/// Returns the tables of a database that a side wants.
fn chosen(
    wanted: &Wanted,
    all: &[Listed],
    named: &BTreeSet<(String, String)>,
    out: &mut Diagnostics,
) -> Vec<Listed> {
    let tables: Vec<&Listed> = all.iter().filter(|table| !table.is_view).collect();
    let mut found = BTreeSet::new();
    for pattern in &wanted.tables.value {
        let matching = matching(pattern, &tables, out);
        if matching.is_empty() && !out.has_errors() {
            let name = &wanted.connection.value;
            let schemas: BTreeSet<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
            let schemas: Vec<String> =
                schemas.into_iter().filter(|s| !s.is_empty()).map(|s| format!("`{s}`")).collect();
            let help = match schemas.as_slice() {
                [] => format!("`{name}` shows this user {} tables", tables.len()),
                schemas => format!("`{name}` shows this user tables of {}", schemas.join(", ")),
            };
            let message = format!("no table of `{name}` matches `{}` that this user may read", pattern.value);
            out.push(Diagnostic::error(&pattern.span, message).help(help));
        }
        found.extend(matching);
    }
    for pattern in &wanted.skip {
        let skipped = matching(pattern, &tables, out);
        if skipped.is_empty() {
            let message = format!("no table matches `{}`: nothing is skipped", pattern.value);
            out.push(Diagnostic::warning(&pattern.span, message));
        }
        found.retain(|table| !skipped.contains(table));
    }
    let written: Vec<&str> = named
        .iter()
        .filter(|(connection, _)| *connection == wanted.connection.value)
        .map(|(_, written)| written.as_str())
        .collect();
    taken::leave(found, &written, all, &wanted.tables, out)
}

/// Returns the tables that match a pattern: of their schema and name, or of their name where it has no dot.
fn matching<'t>(pattern: &Spanned<String>, tables: &[&'t Listed], out: &mut Diagnostics) -> Vec<&'t Listed> {
    let options = MatchOptions {
        case_sensitive: false,
        require_literal_separator: false,
        require_literal_leading_dot: false,
    };
    let compiled = match Pattern::new(&pattern.value) {
        Ok(compiled) => compiled,
        Err(error) => {
            let message = format!("`{}` is not a pattern of tables: {}", pattern.value, error.msg);
            out.push(Diagnostic::error(&pattern.span, message).help("`*` stands for any characters"));
            return Vec::new();
        }
    };
    let whole = pattern.value.contains('.');
    let is_wanted = |table: &&&Listed| {
        let name = if whole { format!("{}.{}", table.schema, table.name) } else { table.name.clone() };
        compiled.matches_with(&name, options)
    };
    tables.iter().filter(is_wanted).copied().collect()
}

/// Says which tables of the target no table of the source is paired with.
fn without_partner(
    target: &Wanted,
    tables: &[Listed],
    pairs: &[(Listed, Result<Listed, String>)],
    out: &mut Diagnostics,
) {
    let paired: BTreeSet<&Listed> = pairs.iter().filter_map(|(_, partner)| partner.as_ref().ok()).collect();
    let alone: Vec<String> =
        tables.iter().filter(|t| !paired.contains(t)).map(|t| format!("`{}`", t.written)).collect();
    if !alone.is_empty() {
        let message = match alone.len() {
            1 => "a table of the target has no table of its name in the source that this user may read: it is left out"
                .to_owned(),
            n => format!(
                "{n} tables of the target have no table of their name in the source that this user may read: they are \
                 left out"
            ),
        };
        let help = format!("`skip` what is not wanted: {}", alone.join(", "));
        out.push(Diagnostic::warning(&target.tables.span, message).help(help));
    }
}

/// Returns a node for a text that stands where another node does.
fn text_node(text: &str, like: &Node) -> Node {
    Node { span: like.span.clone(), value: Value::Scalar { text: text.to_owned(), quoted: true } }
}
