//! What a database says of its tables, by its driver.

use std::borrow::Borrow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::source::catalogue::{Catalogue, Described, Listed};
use crate::source::dialect::{self, Ask};
use crate::source::{Cancel, OdbcConnection, SourceError};

use super::problem::OdbcProblem;
use super::session::Session;
use super::{Odbc, is_passing};

/// Asks a database for its tables, over connections that are kept for the next question.
pub struct OdbcCatalogue<O = Odbc> {
    odbc: O,
    idle: Mutex<Vec<Session>>,
    /// True once there was a connection.
    has_been_open: AtomicBool,
}

impl OdbcCatalogue {
    /// Makes the catalogue; nothing is opened yet.
    pub fn new(config: &OdbcConnection) -> Self {
        OdbcCatalogue::over(Odbc::new(config))
    }
}

impl<O: Borrow<Odbc>> OdbcCatalogue<O> {
    /// Makes the catalogue of a connector, with whose readings it shares the number of connections.
    pub fn over(odbc: O) -> Self {
        OdbcCatalogue { odbc, idle: Mutex::new(Vec::new()), has_been_open: AtomicBool::new(false) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works with a session that is idle, or a new one; again where the connection was lost.
    fn with_session<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        work: impl Fn(&mut Session) -> Result<T, SourceError> + Clone + Send + 'static,
    ) -> Result<T, SourceError> {
        let odbc: &Odbc = self.odbc.borrow();
        let address = odbc.address()?;
        let _slot = odbc.slots.take(|| !cancel.is_cancelled()).ok_or(SourceError::Cancelled)?;
        let mut attempts = odbc.pace.attempts();
        loop {
            let idle = self.idle().pop();
            let session = match idle {
                Some(session) => session,
                None if self.has_been_open.load(Ordering::Relaxed) => odbc.open(&address, cancel)?,
                // Where there never was a connection, the user should hear of it at once.
                None => Odbc::open_once(&address, cancel)?,
            };
            self.has_been_open.store(true, Ordering::Relaxed);
            match odbc.work(session, cancel, work.clone()) {
                Ok((session, done)) => {
                    self.idle().push(session);
                    return Ok(done);
                }
                Err(error) if is_passing(&error) && attempts.again(cancel)? => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<O: Borrow<Odbc> + Send + Sync> Catalogue for OdbcCatalogue<O> {
    fn tables(&self, cancel: &Cancel) -> Result<Vec<Listed>, SourceError> {
        self.with_session(cancel, |session| dialect::catalogue::tables(session.dialect, session))
    }

    fn unreadable(&self, cancel: &Cancel) -> Result<u64, SourceError> {
        self.with_session(cancel, |session| {
            let Some(sql) = session.dialect.unreadable() else { return Ok(0) };
            Ok(dialect::catalogue::counted(&session.rows(&sql)?))
        })
    }

    fn describe(&self, table: &Listed, cancel: &Cancel) -> Result<Described, SourceError> {
        let asked = table.clone();
        let described = self.with_session(cancel, move |session| {
            dialect::catalogue::describe(session.dialect, session, &asked)
        })?;
        if described.columns.is_empty() {
            return Err(OdbcProblem::NoTable(table.written.clone()).into());
        }
        Ok(described)
    }

    fn column_facts(&self, table: &Listed, cancel: &Cancel) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        let asked = table.clone();
        self.with_session(cancel, move |session| match session.dialect.column_facts(&asked) {
            Some(sql) => session.rows(&sql),
            None => Ok(Vec::new()),
        })
    }
}
