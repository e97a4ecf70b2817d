//! Snapshots from PostgreSQL, of a server that the tests start.

mod link;
mod login;
mod moments;
mod parts;
mod relations;
mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::node::{FromNode, Node, parse};
use counterfoil::snapshot::{Snapshot, SnapshotError, Store, TakeOptions, take};
use counterfoil::source::{Cancel, ConnectionConfig, Connector, ReadRequest, SideConfig};

use crate::servers::postgres::Database;
use crate::support::{Folder, read_parquet};

fn node(text: &str) -> Node {
    let mut out = Diagnostics::default();
    let node = parse(&Arc::new(SourceFile::new("test.yml", text)), &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    node.expect("a node")
}

/// What reads from a database, and where it writes.
struct Reader {
    config: ConnectionConfig,
    connector: Box<dyn Connector>,
    folder: Arc<Folder>,
    cancel: Cancel,
}

/// A snapshot, and the folder it is in.
#[derive(Debug)]
struct Taken {
    snapshot: Snapshot,
    _folder: Arc<Folder>,
}

impl std::ops::Deref for Taken {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Reader {
    /// Makes one; `options` are those of the connection beside its URL.
    fn new(url: &str, options: &str) -> Self {
        let text = format!("{{ type: postgres, url: \"{}\", {options} }}", url.replace('\\', "\\\\"));
        let mut out = Diagnostics::default();
        let config = ConnectionConfig::from_node(&node(&text), &mut out);
        assert!(out.is_empty(), "{}", out.render(false));
        let config = config.expect("a connection");
        let folder = Arc::new(Folder::new());
        Reader { connector: config.connector(folder.path()), config, folder, cancel: Cancel::default() }
    }

    fn of(database: &Database) -> Self {
        Reader::new(&database.url(), "")
    }

    fn request(&self, side: &str) -> ReadRequest {
        let mut out = Diagnostics::default();
        let side = SideConfig::from_node(&node(side), &mut out);
        let place = node("a: 1").span;
        let request = side.and_then(|side| self.config.request(&side, &place, &mut out));
        assert!(out.is_empty(), "{}", out.render(false));
        request.expect("a request")
    }

    /// Takes a snapshot of a side written in YAML.
    fn take(&self, dataset: &str, side: &str) -> Result<Taken, SnapshotError> {
        self.take_on(dataset, side, false)
    }

    /// The same, from where an earlier reading stopped.
    fn take_on(&self, dataset: &str, side: &str, resume: bool) -> Result<Taken, SnapshotError> {
        let store = Store::new(self.folder.path().join("snapshots"));
        let options =
            TakeOptions { cancel: &self.cancel, tell: &|_| (), note: &|_| (), resume, structure: &|| None };
        let snapshot =
            take(&store, dataset, "source", self.connector.as_ref(), &self.request(side), &options)?;
        Ok(Taken { snapshot, _folder: Arc::clone(&self.folder) })
    }

    /// Takes a snapshot of a table.
    fn table(&self, name: &str) -> Taken {
        self.take("t", &format!("{{ table: '{name}' }}")).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Returns the message with which a side cannot be read.
    fn refused(&self, side: &str) -> String {
        self.take("t", side).expect_err("an error").to_string()
    }
}

/// Returns all rows of a snapshot, as Arrow prints their values.
fn rows(snapshot: &Snapshot) -> Vec<Vec<Option<String>>> {
    snapshot.manifest.files.iter().flat_map(|file| read_parquet(&snapshot.path.join(&file.name)).1).collect()
}

/// Returns the logical types of a snapshot, by column.
fn logical(snapshot: &Snapshot) -> BTreeMap<&str, String> {
    snapshot.manifest.columns.iter().map(|c| (c.name.as_str(), c.logical.to_string())).collect()
}

/// Returns the only column of a snapshot.
fn only(snapshot: &Snapshot) -> Vec<Option<String>> {
    rows(snapshot).into_iter().map(|row| row[0].clone()).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

/// A table of so many rows, each in a block of its own, so that few rows make many parts.
fn wide(database: &Database, name: &str, rows: u32) {
    database.execute(&format!(
        "CREATE UNLOGGED TABLE {name} (id int, code char(12), note text, amount numeric(12,2), born date)
         WITH (fillfactor = 10);
         ALTER TABLE {name} ALTER note SET STORAGE PLAIN;
         INSERT INTO {name} SELECT i, 'c' || i, CASE WHEN i % 7 <> 0 THEN rpad('row ' || i, 800, md5(i::text)) END,
         CASE WHEN i % 11 <> 0 THEN i * 1.25 END, date '1900-01-01' + i FROM generate_series(1, {rows}) i;
         ANALYZE {name}"
    ));
}

/// Asserts that a snapshot holds the very rows of a table, none missing and none twice.
fn assert_equal_to(snapshot: &Snapshot, database: &Database, table: &str) {
    let mut found = rows(snapshot);
    let mut expected = database.rows(&format!("SET DateStyle = 'ISO'; SELECT * FROM {table}"));
    found.sort();
    expected.sort();
    assert_eq!(found.len(), expected.len(), "rows");
    assert_eq!(snapshot.manifest.rows, expected.len() as u64);
    let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert!(differs.is_none(), "{differs:?}");
}
