//! From a connection as it is written to what reads it, asks it and examines it. Nothing is opened yet.

use std::path::Path;

use crate::source::examine::{Examine, Folder};
use crate::source::files::Files;
use crate::source::odbc::{Odbc, OdbcCatalogue};
use crate::source::postgres::Postgres;
use crate::source::{Catalogue, Connector};

use super::ConnectionConfig;

impl ConnectionConfig {
    /// Makes what reads from the connection; `project` is the project file's folder.
    pub fn connector(&self, project: &Path) -> Box<dyn Connector> {
        match self {
            ConnectionConfig::Files(files) => Box::new(Files::new(project.join(&files.path))),
            ConnectionConfig::Postgres(postgres) => Box::new(Postgres::new(postgres, project)),
            ConnectionConfig::Odbc(odbc) => Box::new(Odbc::new(odbc)),
        }
    }

    /// Returns true where a table could be of one moment by a single connection, and more are allowed.
    pub fn may_hold_one_moment(&self) -> bool {
        matches!(self, ConnectionConfig::Odbc(odbc) if odbc.limits.connections.0 > 1)
    }

    /// Returns true where all tables are to be of one moment.
    pub fn shares_one_moment(&self) -> bool {
        matches!(self, ConnectionConfig::Postgres(_))
    }

    /// Makes what finds out whether the connection works; `project` is the project file's folder.
    pub fn examine(&self, project: &Path) -> Box<dyn Examine> {
        match self {
            ConnectionConfig::Files(files) => Box::new(Folder(project.join(&files.path))),
            ConnectionConfig::Postgres(postgres) => Box::new(Postgres::new(postgres, project)),
            ConnectionConfig::Odbc(odbc) => Box::new(Odbc::new(odbc)),
        }
    }

    /// Makes what tells which tables there are, where the connection is a database; `project` is the project file's
    /// folder.
    pub fn catalogue(&self, project: &Path) -> Option<Box<dyn Catalogue>> {
        match self {
            ConnectionConfig::Files(_) => None,
            ConnectionConfig::Postgres(postgres) => Some(Box::new(Postgres::new(postgres, project))),
            ConnectionConfig::Odbc(odbc) => Some(Box::new(OdbcCatalogue::new(odbc))),
        }
    }
}
