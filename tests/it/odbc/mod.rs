//! Snapshots by ODBC, with the real drivers of three databases.

mod built;
mod conformance;
mod errors;
mod killed;
mod link;
mod pairs;
mod parts;
mod values;
mod watch;
mod zones;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterfoil::diagnostic::{Diagnostics, SourceFile};
use counterfoil::frame::Frame;
use counterfoil::node::{FromNode, Node, parse};
use counterfoil::snapshot::{Snapshot, SnapshotError, Store, TakeOptions, take};
use counterfoil::source::{Cancel, ConnectionConfig, Connector, ReadRequest, SideConfig};
use serde_json::{Value as Json, json};

use crate::servers::{mariadb, may_be_missing, postgres, skipped};
use crate::support::Folder;

/// A database with its driver.
pub enum Database {
    MariaDb(mariadb::Database),
    Postgres(postgres::Database),
    Sqlite(Folder),
}

/// Returns where Debian keeps a driver; nothing where it is not installed and that is allowed.
fn driver(file: &str, package: &str) -> Option<PathBuf> {
    let found = glob::glob(&format!("/usr/lib/*/odbc/{file}")).unwrap().flatten().next();
    assert!(
        found.is_some() || may_be_missing(),
        "the ODBC driver {file} is not installed: `apt-get install {package}`, or set COUNTERFOIL_ALLOW_MISSING=1"
    );
    if found.is_none() {
        skipped(&format!("no ODBC driver {file}"));
    }
    found
}

impl Database {
    /// Returns the dialects whose databases can be had here.
    pub const WORDS: [&str; 3] = ["mysql", "postgres", "sqlite"];

    /// Makes an empty database; nothing where it cannot be had and that is allowed.
    pub fn new(word: &str) -> Option<Self> {
        Some(match word {
            "mysql" => {
                driver("libmaodbc.so", "odbc-mariadb")?;
                Database::MariaDb(mariadb::database()?)
            }
            "postgres" => {
                driver("psqlodbcw.so", "odbc-postgresql")?;
                Database::Postgres(postgres::database()?)
            }
            "sqlite" => {
                driver("libsqlite3odbc.so", "libsqliteodbc")?;
                Database::Sqlite(Folder::new())
            }
            other => panic!("{other}"),
        })
    }

    /// Runs statements.
    pub fn execute(&self, sql: &str) {
        match self {
            Database::MariaDb(database) => database.execute(sql),
            Database::Postgres(database) => database.execute(sql),
            Database::Sqlite(folder) => {
                let library = driver("libsqlite3odbc.so", "libsqliteodbc").unwrap();
                let text = format!("Driver={};Database={}", library.display(), sqlite_file(folder).display());
                let connection = odbc_api::environment()
                    .unwrap()
                    .connect_with_connection_string(&text, odbc_api::ConnectionOptions::default())
                    .unwrap();
                for statement in sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                    // The driver has no UTF-16, and its manager hands on of each character the lower half.
                    let statement: String = statement.bytes().map(char::from).collect();
                    let statement = statement.as_str();
                    connection.execute(statement, (), None).unwrap_or_else(|e| panic!("{statement}: {e}"));
                }
            }
        }
    }

    /// Returns a connection string with the driver's bare name, as users write it.
    pub fn connection_string(&self) -> String {
        match self {
            Database::MariaDb(database) => self.at(database.port),
            Database::Postgres(database) => self.at(database.server.port),
            Database::Sqlite(_) => self.at(0),
        }
    }

    /// Returns the same by another port.
    pub fn at(&self, port: u16) -> String {
        match self {
            Database::MariaDb(database) => format!(
                "Driver={{MariaDB Unicode}};Server=127.0.0.1;Port={port};Database={};UID=reader;PWD={{{}}}",
                database.name,
                mariadb::PASSWORD.replace('}', "}}")
            ),
            Database::Postgres(database) => format!(
                "Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={port};Database={};UID=postgres",
                database.name
            ),
            Database::Sqlite(folder) => {
                format!("Driver={{SQLite3}};Database={}", sqlite_file(folder).display())
            }
        }
    }

    /// Takes a snapshot of a side written in YAML.
    pub fn take(&self, side: &str) -> Taken {
        self.take_with(side, json!({}))
    }

    /// Takes a snapshot with further settings of the connection.
    pub fn take_with(&self, side: &str, settings: Json) -> Taken {
        self.try_take(side, settings).unwrap_or_else(|error| panic!("{side}: {error}"))
    }

    /// Takes a snapshot, or returns why not.
    pub fn try_take(&self, side: &str, settings: Json) -> Result<Taken, SnapshotError> {
        take_from(&self.connection_string(), settings, side, Folder::new(), false, &Cancel::default())
    }
}

fn sqlite_file(folder: &Folder) -> PathBuf {
    folder.path().join("data.db")
}

/// A snapshot in a folder of its own.
pub struct Taken {
    pub snapshot: Snapshot,
    pub frame: Frame,
    _folder: Folder,
}

impl Taken {
    /// Returns the texts of a column.
    pub fn texts(&self, column: &str) -> Vec<Option<String>> {
        let texts = self.frame.texts(column).unwrap_or_else(|| panic!("there is no column {column}"));
        (0..texts.len()).map(|at| texts.owned(at)).collect()
    }

    /// Returns the logical type of a column as it is written.
    pub fn logical(&self, column: &str) -> String {
        self.frame.column(column).unwrap().0.logical.to_string()
    }

    /// Returns the notes on a column.
    pub fn notes(&self, column: &str) -> String {
        let columns = &self.snapshot.manifest.columns;
        columns.iter().find(|c| c.name == column).unwrap().notes.join("; ")
    }
}

pub fn node(text: &str) -> Node {
    let mut out = Diagnostics::default();
    let node = parse(&Arc::new(SourceFile::new("test.yml", text)), &mut out);
    assert!(out.is_empty(), "{}", out.render(false));
    node.unwrap()
}

/// Makes a connector and a request.
pub fn connector(connection_string: &str, settings: Json, side: &str) -> (Box<dyn Connector>, ReadRequest) {
    let mut connection = json!({"type": "odbc", "connection_string": connection_string});
    for (name, value) in settings.as_object().unwrap() {
        connection[name] = value.clone();
    }
    let mut out = Diagnostics::default();
    let config = ConnectionConfig::from_node(&node(&connection.to_string()), &mut out);
    let side = SideConfig::from_node(&node(side), &mut out);
    assert!(!out.has_errors(), "{}", out.render(false));
    let config = config.unwrap();
    let request = config.request(&side.unwrap(), &node("a: 1").span, &mut out);
    assert!(!out.has_errors(), "{}", out.render(false));
    (config.connector(Path::new(".")), request.unwrap())
}

/// Takes a snapshot into a folder.
pub fn take_from(
    connection_string: &str,
    settings: Json,
    side: &str,
    folder: Folder,
    resume: bool,
    cancel: &Cancel,
) -> Result<Taken, SnapshotError> {
    let (connector, request) = connector(connection_string, settings, side);
    let store = Store::new(folder.path());
    let options = TakeOptions { cancel, tell: &|_| {}, note: &|_| (), resume, structure: &|| None };
    let snapshot = take(&store, "t", "source", connector.as_ref(), &request, &options)?;
    let frame = snapshot.read()?;
    Ok(Taken { snapshot, frame, _folder: folder })
}
