//! A first project from two databases: what their catalogues say, and what is written.

mod catalogue;
mod newcomer;
mod project;

use std::path::{Path, PathBuf};

use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::node::{FromNode, parse};
use counterfoil::source::{Cancel, Catalogue, ConnectionConfig};

use crate::support::Folder;

/// Makes what tells of the tables of a connection that is written in YAML.
fn catalogue(connection: &str) -> Box<dyn Catalogue> {
    let mut out = Diagnostics::default();
    let node =
        parse(&std::sync::Arc::new(SourceFile::new("test.yml", connection)), &mut out).expect("a node");
    let config = ConnectionConfig::from_node(&node, &mut out);
    assert!(!out.has_errors(), "{}", out.render(false));
    config.expect("a connection").catalogue(Path::new(".")).expect("a database")
}

/// Writes down all that a catalogue says.
fn told(catalogue: &dyn Catalogue) -> String {
    let cancel = Cancel::default();
    let mut out = String::new();
    for table in catalogue.tables(&cancel).unwrap_or_else(|error| panic!("{error}")) {
        let kind = if table.is_view { "view" } else { "table" };
        let rows = table.rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        out += &format!("{kind} {}{rows}\n", table.written);
        let described =
            catalogue.describe(&table, &cancel).unwrap_or_else(|error| panic!("{}: {error}", table.written));
        for column in described.columns {
            let logical =
                column.logical.map_or_else(|| "cannot be read".to_owned(), |logical| format!("is {logical}"));
            let required = if column.nullable { "" } else { ", not null" };
            out += &format!("  {}: {} {logical}{required}\n", column.name, column.declared);
        }
        if !described.primary_key.is_empty() {
            out += &format!("  primary key: {}\n", described.primary_key.join(", "));
        }
        for key in described.unique_keys {
            out += &format!("  unique: {}\n", key.join(", "));
        }
        for key in described.foreign_keys {
            let schema = if key.schema.is_empty() { String::new() } else { format!("{}.", key.schema) };
            out += &format!(
                "  foreign key: {} -> {schema}{} ({})\n",
                key.columns.join(", "),
                key.table,
                key.references.join(", ")
            );
        }
    }
    out
}

/// Every file of a folder but what a run leaves, by its path.
fn files(folder: &Folder) -> Vec<(String, String)> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut open = vec![folder.path().to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    let name = |path: &Path| path.strip_prefix(folder.path()).expect("below").display().to_string();
    let read = |path: &PathBuf| (name(path), std::fs::read_to_string(path).unwrap_or_default());
    let is_left = |name: &str| name.starts_with("counterfoil-out/") || name.starts_with(".counterfoil/");
    found.iter().map(read).filter(|(name, _)| !is_left(name) && !name.ends_with(".db")).collect()
}
