//! PostgreSQL: tables, views and queries, read by binary COPY.
//!
//! - [`written`], [`settings`], [`passfile`], [`tls`], [`connect`]: from what the user wrote to a connection.
//! - [`session`], [`pool`]: connections that read at one moment, shared by all tables.
//! - [`describe`], [`plan`], [`types`]: what a table is, its parts, and its types; [`catalogue`]: which tables there are.
//! - [`copy`], [`table`]: from the stream's bytes to batches, part by part.
//! - [`examine`], [`way`]: whether a connection works, step by step.
//!
//! # One moment
//! The first connection begins a transaction (`REPEATABLE READ READ ONLY`) and exports its snapshot; every other
//! joins it, for every table, and exports it too. The moment lives as long as one connection does. Where all are
//! lost, the next begins a new moment, and the manifest says that parts are from different ones.

mod catalogue;
mod connect;
mod copy;
mod describe;
mod error;
mod examine;
mod passfile;
mod plan;
mod pool;
mod session;
mod settings;
mod table;
mod tls;
mod types;
mod way;
mod written;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::pace::Pace;
use super::{Cancel, Connector, PostgresConnection, ReadReport, ReadRequest, Sink, SourceError};

use connect::{Door, Tls};
use pool::Pool;
use settings::Settings;
use table::Reading;

pub use error::PostgresError;

/// Reads tables from a PostgreSQL database.
#[derive(Debug)]
pub struct Postgres {
    config: PostgresConnection,
    project: PathBuf,
    pace: Pace,
    /// Made when it is first needed.
    pool: Mutex<Option<std::sync::Arc<Pool>>>,
}

impl Postgres {
    /// Makes the connector; nothing is opened yet. `project` is the project file's folder.
    pub fn new(config: &PostgresConnection, project: &Path) -> Self {
        Postgres {
            config: config.clone(),
            project: project.to_owned(),
            pace: Pace::new(&config.limits),
            pool: Mutex::new(None),
        }
    }

    fn pool(&self) -> Result<std::sync::Arc<Pool>, PostgresError> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pool.as_ref() {
            return Ok(std::sync::Arc::clone(pool));
        }
        let made = std::sync::Arc::new(Pool::new(self.door()?, self.config.limits.connections.0));
        *pool = Some(std::sync::Arc::clone(&made));
        Ok(made)
    }

    /// Makes what connections are opened by.
    fn door(&self) -> Result<Door, PostgresError> {
        let root = self.config.root_certificate.as_ref().map(|file| self.project.join(&file.value));
        let url = self.config.url.as_ref().map(super::Secret::reveal);
        let env = |name: &str| std::env::var(name).ok();
        let settings = Settings::read(url, root.as_deref(), &env)?;
        let tls = Tls(tls::connector(&settings)?);
        let limits = &self.config.limits;
        let statement_timeout = limits.statement_timeout.map(|timeout| timeout.0);
        Ok(Door { settings, tls, statement_timeout, silence: limits.silence.0 })
    }
}

impl Connector for Postgres {
    fn structure(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
    ) -> Result<Option<crate::model::Structure>, SourceError> {
        crate::source::structure::structure(self, request, cancel)
    }

    fn read(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<ReadReport, SourceError> {
        let pool = self.pool()?;
        Reading { pool: &pool, pace: &self.pace, request, cancel, sink }.read()
    }

    fn was_opened(&self) -> bool {
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.as_ref().is_some_and(|pool| pool.has_been_open())
    }

    fn resumes(&self) -> bool {
        true
    }
}
