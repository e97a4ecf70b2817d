//! The connections of one connector: at most so many, all at one point for as long as one of them lives.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::source::{Cancel, SourceError};

use super::connect::{Door, NoEntry, Reached};
use super::error::Stop;
use super::session::{Session, Watch};

/// How often someone who waits for a connection looks around.
const PIECE: Duration = Duration::from_millis(50);

/// Connections that are shared by all tables of a connector.
#[derive(Debug)]
pub(super) struct Pool {
    pub door: Door,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    idle: Vec<Session>,
    /// Connections that are open or being opened.
    open: usize,
    limit: usize,
    /// The number of the point, from 1.
    point: u64,
    /// The names by which the point can be joined: one for each connection that is at it.
    exported: Vec<String>,
    /// The server the point is at.
    reached: Option<Reached>,
    /// When the point is, as its first session says; those that join it later begin later.
    seen_at: Option<String>,
}

/// A session that is returned, or closed where that is not said.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    session: Option<Session>,
}

impl Pool {
    /// Makes the pool; nothing is opened.
    pub fn new(door: Door, limit: usize) -> Self {
        let inner = Inner {
            idle: Vec::new(),
            open: 0,
            limit: limit.max(1),
            point: 0,
            exported: Vec::new(),
            reached: None,
            seen_at: None,
        };
        Pool { door, inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// Makes a pool of one session that is open already, and of no other.
    pub fn of(door: Door, mut session: Session) -> Self {
        session.point = 1;
        let pool = Pool::new(door, 1);
        {
            let mut inner = pool.inner();
            inner.open = 1;
            inner.point = 1;
            inner.idle.push(session);
        }
        pool
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nobody leaves it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many connections there may be.
    pub fn limit(&self) -> usize {
        self.inner().limit
    }

    /// Returns true once a connection has been made.
    pub fn has_been_open(&self) -> bool {
        self.inner().point > 0
    }

    /// Closes the connections that nobody uses.
    pub fn close_idle(&self) {
        let idle = std::mem::take(&mut self.inner().idle);
        for session in idle {
            drop(Lease { pool: self, session: Some(session) });
        }
    }

    /// Waits for a connection, or opens one.
    pub fn take(&self, watch: Watch<'_>) -> Result<Lease<'_>, Stop> {
        let mut inner = self.inner();
        loop {
            watch.check()?;
            if let Some(session) = inner.idle.pop() {
                return Ok(Lease { pool: self, session: Some(session) });
            }
            // Without a name to join the point by, only the first may be opened.
            let may_be = inner.open == 0 || (inner.open < inner.limit && !inner.exported.is_empty());
            if may_be {
                match self.open(inner, watch.cancel)? {
                    Ok(lease) => return Ok(lease),
                    // There is another, and it is waited for.
                    Err(unchanged) => inner = unchanged,
                }
            } else {
                inner = self.changed.wait_timeout(inner, PIECE).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Opens a connection; without the lock, so that others can be returned meanwhile.
    fn open<'a>(
        &'a self,
        mut inner: MutexGuard<'a, Inner>,
        cancel: &Cancel,
    ) -> Result<Result<Lease<'a>, MutexGuard<'a, Inner>>, Stop> {
        let is_first = inner.open == 0;
        if is_first {
            inner.exported.clear();
            inner.reached = None;
        }
        inner.open += 1;
        let (exported, reached) = (inner.exported.clone(), inner.reached.clone());
        drop(inner);
        let opened = self.door.open(reached.as_ref(), &exported, cancel);
        let mut inner = self.inner();
        self.changed.notify_all();
        match opened {
            Ok((mut session, reached)) => {
                if is_first {
                    inner.point += 1;
                    inner.reached = Some(reached);
                    inner.seen_at.clone_from(&session.facts.seen_at);
                    if session.exported.is_none() {
                        inner.limit = 1;
                    }
                }
                session.point = inner.point;
                session.facts.seen_at.clone_from(&inner.seen_at);
                inner.exported.extend(session.exported.clone());
                Ok(Ok(Lease { pool: self, session: Some(session) }))
            }
            Err(NoEntry::Full(_)) if inner.open > 1 => {
                inner.open -= 1;
                inner.limit = inner.open;
                Ok(Err(inner))
            }
            Err(NoEntry::Full(stop) | NoEntry::Stop(stop)) => {
                inner.open -= 1;
                Err(stop)
            }
        }
    }
}

impl Lease<'_> {
    /// Returns the session.
    pub fn session(&self) -> Result<&Session, Stop> {
        self.session.as_ref().ok_or(Stop::Fatal(SourceError::Cancelled))
    }

    /// Gives the session back, for others to use.
    pub fn give_back(mut self) {
        let mut inner = self.pool.inner();
        inner.idle.extend(self.session.take());
        drop(inner);
        self.pool.changed.notify_all();
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        let exported = session.exported.clone();
        drop(session);
        let mut inner = self.pool.inner();
        inner.exported.retain(|name| Some(name) != exported.as_ref());
        inner.open = inner.open.saturating_sub(1);
        drop(inner);
        self.pool.changed.notify_all();
    }
}
