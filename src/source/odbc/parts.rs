//! The readers of one table: each takes a part after the other, until there are none left.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;

use crate::model::Schema;
use crate::source::{Cancel, ReadRequest, Sink, SourceError};

use super::apart::{Apart, Next};
use super::fetch::{self, Batch};
use super::plan::Plan;
use super::problem::READING;
use super::session::{Address, Session};
use super::{FOR_A_WHOLE, MOST_TRIES, Odbc, WHILE_KEPT, is_passing, note};

/// What is common to all readers of one table.
pub(super) struct Table<'a> {
    pub(super) odbc: &'a Odbc,
    pub(super) request: &'a ReadRequest,
    pub(super) address: &'a Address,
    pub(super) plan: Arc<Plan>,
    pub(super) schema: Arc<Schema>,
    pub(super) arrow: SchemaRef,
    pub(super) sink: &'a dyn Sink,
    pub(super) cancel: &'a Cancel,
    pub(super) left: Mutex<VecDeque<usize>>,
    /// The first failure; it ends all readers.
    pub(super) failed: Mutex<Option<SourceError>>,
    /// True once something has failed.
    pub(super) over: AtomicBool,
    /// How many sessions have read.
    pub(super) sessions: AtomicUsize,
}

impl Table<'_> {
    fn next(&self) -> Option<usize> {
        if self.over.load(Ordering::Relaxed) {
            return None;
        }
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
            && !self.cancel.is_cancelled()
            && !self.left.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Reads parts until there are none left, and notes a failure.
    pub(super) fn work(&self, session: Option<Session>) {
        if let Err(error) = self.read_parts(session) {
            self.over.store(true, Ordering::Relaxed);
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn read_parts(&self, mut session: Option<Session>) -> Result<(), SourceError> {
        if session.is_some() {
            self.sessions.fetch_add(1, Ordering::Relaxed);
        }
        while let Some(number) = self.next() {
            let mut attempts = self.odbc.pace.attempts();
            let mut tries = 0;
            loop {
                if !self.odbc.pace.is_open() {
                    // Outside the hours no connection is held, and no moment.
                    session = None;
                }
                self.odbc.pace.wait_for_hours(self.cancel, &|text| note(self.sink, self.request, text))?;
                let open = match session.take() {
                    Some(open) => open,
                    None => {
                        self.sessions.fetch_add(1, Ordering::Relaxed);
                        self.odbc.open(self.address, self.cancel)?
                    }
                };
                let mut came = false;
                match self.read_part(open, number, &mut came) {
                    Ok(open) => {
                        self.odbc.pace.read();
                        session = Some(open);
                        break;
                    }
                    Err(error) if is_passing(&error) => {
                        tries += 1;
                        if came && tries < MOST_TRIES {
                            attempts.succeeded();
                        }
                        let again =
                            self.odbc.again(&mut attempts, &error, self.request, self.cancel, self.sink)?;
                        if !again {
                            return Err(error);
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Reads a part; the session comes back where it can be used again. `came` is whether rows have come.
    fn read_part(&self, session: Session, number: usize, came: &mut bool) -> Result<Session, SourceError> {
        let mut part = self.sink.part(number).map_err(SourceError::Sink)?;
        let (plan, schema, arrow) =
            (Arc::clone(&self.plan), Arc::clone(&self.schema), Arc::clone(&self.arrow));
        let silence = self.odbc.config.limits.silence.0;
        let longest = self.odbc.statement_limit();
        // Rows of a range come soon, unless the driver keeps them until it has all. What is read as a whole may be a
        // view or query, which may have to work before its first row and long for the next ones.
        let (first, next) = match (self.plan.parts.len(), session.dialect.keeps_rows()) {
            (0 | 1, _) => (None, silence.saturating_mul(FOR_A_WHOLE)),
            (_, true) => (Some(silence.saturating_mul(WHILE_KEPT)), silence),
            (_, false) => (Some(silence), silence),
        };
        let apart: Apart<Batch, Session> = Apart::start(READING, session.canceller(), move |sender| {
            fetch::fetch(&session, &plan, number, &schema, &arrow, &mut |batch| sender.send(batch))?;
            Ok(session)
        })?;
        let mut limit = longest.or(first);
        let session = loop {
            match apart.next(limit, self.cancel)? {
                Next::End(session) => break session,
                Next::Message(batch) => {
                    *came = true;
                    let (rows, bytes) = (batch.rows.num_rows() as u64, batch.bytes as u64);
                    let taken = part.batch(batch.rows).map_err(SourceError::Sink);
                    if let Err(error) = taken.and_then(|()| self.odbc.pace.took(rows, bytes, self.cancel)) {
                        apart.give_up();
                        return Err(error);
                    }
                    // Once rows come, they go on coming.
                    limit = Some(longest.map_or(next, |longest| longest.min(next)));
                }
            }
        };
        part.finish().map_err(SourceError::Sink)?;
        Ok(session)
    }
}
