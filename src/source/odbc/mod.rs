//! ODBC: any database with a driver.
//!
//! A table is planned first: its columns by the catalogue, how each is read by the dialect, the lengths of long values
//! by the server, and parts by ranges of a key. Parts are read side by side, as many as the connection allows over all
//! tables; each is tried again where its connection is lost. Every driver runs in a thread of its own (see [`apart`]).

mod apart;
mod catalogue;
mod decode;
mod drivers;
mod examine;
mod fetch;
mod native;
mod plan;
mod problem;
mod session;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::Schema;

use super::dialect::{self, Ask, Dialect};
use super::pace::{Attempts, Pace};
use super::{
    Cancel, Connector, OdbcConnection, ReadPlan, ReadReport, ReadRequest, Server, Sink, SourceError, Stable,
    Unfinished, arrow_schema,
};

use apart::{Apart, Next, Slots};
use native::Canceller;
use plan::{Plan, Planned, Unfit, is_still, plan};
use problem::{CONNECTING, PLANNING, READING};
use session::{Address, LOGIN_SECONDS, Session};

pub use catalogue::OdbcCatalogue;
pub use drivers::{Driver, drivers};
pub use problem::{OdbcProblem, Refusal, Wrong};

/// How long a driver may take to connect, once its own limit is over.
const CONNECT_LIMIT: Duration = Duration::from_secs(LOGIN_SECONDS as u64 * 2 + 15);
/// How long rows may stop to come, where no statement timeout says.
const SILENCE: Duration = Duration::from_mins(5);
/// What a driver gets beyond the statement timeout.
const BEYOND_TIMEOUT: Duration = Duration::from_secs(15);

/// Reads tables from a database by its ODBC driver.
#[derive(Debug)]
pub struct Odbc {
    config: OdbcConnection,
    slots: Slots,
    pace: Pace,
    /// True once there was a session: before, who waits for one should hear at once that there is none.
    reached: AtomicBool,
}

impl Odbc {
    /// Makes the connector; nothing is opened yet.
    pub fn new(config: &OdbcConnection) -> Self {
        Odbc {
            config: config.clone(),
            slots: Slots::new(config.limits.connections.0),
            pace: Pace::new(&config.limits),
            reached: AtomicBool::new(false),
        }
    }

    fn address(&self) -> Result<Address, SourceError> {
        let mut named: Option<&'static dyn Dialect> = None;
        if let Some(word) = &self.config.dialect {
            named = dialect::by_word(&word.value);
            if named.is_none() {
                let mut out = Diagnostics::default();
                out.push(
                    Diagnostic::error(&word.span, format!("there is no dialect `{}`", word.value))
                        .suggest(&word.value, dialect::words()),
                );
                return Err(SourceError::Settings(Box::new(out)));
            }
        }
        Ok(Address {
            connection_string: self.config.connection_string.reveal().to_owned(),
            dialect: named,
            statement_timeout: self.config.limits.statement_timeout.map(|span| span.0),
            rate: self.pace.rate(),
        })
    }

    /// Returns how long a driver may be silent while it works on a statement.
    fn statement_limit(&self) -> Option<Duration> {
        self.config.limits.statement_timeout.map(|span| span.0 + BEYOND_TIMEOUT)
    }

    /// Connects; where there was a session before, it is tried again for as long as the limits say.
    fn open(&self, address: &Address, cancel: &Cancel) -> Result<Session, SourceError> {
        let mut attempts = self.pace.attempts();
        loop {
            match Self::open_once(address, cancel) {
                Err(error)
                    if self.reached.load(Ordering::Relaxed)
                        && is_passing(&error)
                        && attempts.again(cancel)? => {}
                result => {
                    self.reached.fetch_or(result.is_ok(), Ordering::Relaxed);
                    return result;
                }
            }
        }
    }

    /// Connects.
    fn open_once(address: &Address, cancel: &Cancel) -> Result<Session, SourceError> {
        let canceller = Arc::new(Canceller::default());
        let (address, own) = (address.clone(), Arc::clone(&canceller));
        let apart: Apart<(), Session> =
            Apart::start(CONNECTING, canceller, move |_| Session::open(&address, own))?;
        apart.end(Some(CONNECT_LIMIT), cancel)
    }

    /// Makes the plan of a request, with a session that it can be read by.
    fn plan(
        &self,
        address: &Address,
        request: &ReadRequest,
        unfit: Unfit,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<(Session, Planned), SourceError> {
        let mut attempts = self.pace.attempts();
        loop {
            self.pace.wait_for_hours(cancel, &|text| note(sink, request, text))?;
            let mut session = self.open(address, cancel)?;
            let asked = request.clone();
            let apart: Apart<(), (Session, Planned)> =
                Apart::start(PLANNING, session.canceller(), move |_| {
                    let planned = plan(&mut session, &asked, unfit)?;
                    Ok((session, planned))
                })?;
            match apart.end(self.statement_limit(), cancel) {
                Err(error)
                    if is_passing(&error) && self.again(&mut attempts, &error, request, cancel, sink)? => {}
                result => return result,
            }
        }
    }

    /// Waits until something is tried again, and tells so; false where that was done for long enough.
    fn again(
        &self,
        attempts: &mut Attempts,
        error: &SourceError,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<bool, SourceError> {
        self.pace.lost(attempts, &error.to_string(), &|text| note(sink, request, text));
        attempts.again(cancel)
    }

    /// Returns what an earlier reading left, with its plan, where the table has the columns still that it had then.
    fn goes_on(
        &self,
        address: &Address,
        request: &ReadRequest,
        left: Unfinished,
        cancel: &Cancel,
    ) -> Result<Option<(Session, Plan, Unfinished)>, SourceError> {
        // A plan of another version of this program is no plan.
        let Ok(plan) = serde_json::from_value::<Plan>(left.parts.clone()) else { return Ok(None) };
        let mut session = self.open(address, cancel)?;
        let (request, schema) = (request.clone(), left.schema.clone());
        let apart: Apart<(), (Session, bool)> = Apart::start(PLANNING, session.canceller(), move |_| {
            let is_still = is_still(&mut session, &request, &schema)?;
            Ok((session, is_still))
        })?;
        let (session, is_still) = apart.end(self.statement_limit(), cancel)?;
        let fits = plan.columns.len() == left.schema.fields.len();
        Ok((is_still && fits).then_some((session, plan, left)))
    }

    /// Asks for the server's time.
    fn seen_at(
        &self,
        mut session: Session,
        cancel: &Cancel,
    ) -> Result<(Session, Option<String>), SourceError> {
        let apart: Apart<(), (Session, Option<String>)> =
            Apart::start(PLANNING, session.canceller(), move |_| {
                let Some(clock) = session.dialect.clock() else { return Ok((session, None)) };
                // Not every user may ask.
                let answer = session.rows(clock).unwrap_or_default();
                let text = answer.into_iter().flatten().flatten().next();
                Ok((session, text.map(|text| format!("{}Z", text.trim()))))
            })?;
        apart.end(self.statement_limit(), cancel)
    }
}

/// Tells something of the connection.
fn note(sink: &dyn Sink, request: &ReadRequest, text: &str) {
    sink.note(&format!("{}: {text}", request.connection_words()));
}

/// Returns true where it is worth trying again.
fn is_passing(error: &SourceError) -> bool {
    match error {
        SourceError::Odbc(problem) => match &**problem {
            OdbcProblem::Refused(refusal) => refusal.is_passing(),
            OdbcProblem::Hung { .. } => true,
            _ => false,
        },
        _ => false,
    }
}

/// What is common to all readers of one table.
struct Table<'a> {
    odbc: &'a Odbc,
    request: &'a ReadRequest,
    address: &'a Address,
    plan: Arc<Plan>,
    schema: Arc<Schema>,
    arrow: SchemaRef,
    sink: &'a dyn Sink,
    cancel: &'a Cancel,
    left: Mutex<VecDeque<usize>>,
    /// The first failure; it ends all readers.
    failed: Mutex<Option<SourceError>>,
    /// True once something has failed.
    over: AtomicBool,
    /// How many sessions have read.
    sessions: AtomicUsize,
}

impl Table<'_> {
    fn next(&self) -> Option<usize> {
        if self.over.load(Ordering::Relaxed) {
            return None;
        }
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn is_wanted(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
            && !self.cancel.is_cancelled()
            && !self.left.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Reads parts until there are none left, and notes a failure.
    fn work(&self, session: Option<Session>) {
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
            loop {
                self.odbc.pace.wait_for_hours(self.cancel, &|text| note(self.sink, self.request, text))?;
                let open = match session.take() {
                    Some(open) => open,
                    None => {
                        self.sessions.fetch_add(1, Ordering::Relaxed);
                        self.odbc.open(self.address, self.cancel)?
                    }
                };
                match self.read_part(open, number) {
                    Ok(open) => {
                        self.odbc.pace.read();
                        session = Some(open);
                        break;
                    }
                    Err(error)
                        if is_passing(&error)
                            && self.odbc.again(
                                &mut attempts,
                                &error,
                                self.request,
                                self.cancel,
                                self.sink,
                            )? => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Reads a part; the session comes back where it can be used again.
    fn read_part(&self, session: Session, number: usize) -> Result<Session, SourceError> {
        let mut part = self.sink.part(number).map_err(SourceError::Sink)?;
        let (plan, schema, arrow) =
            (Arc::clone(&self.plan), Arc::clone(&self.schema), Arc::clone(&self.arrow));
        let apart: Apart<RecordBatch, Session> = Apart::start(READING, session.canceller(), move |sender| {
            fetch::fetch(&session, &plan, number, &schema, &arrow, &mut |batch| sender.send(batch))?;
            Ok(session)
        })?;
        let mut limit = self.odbc.statement_limit();
        let session = loop {
            match apart.next(limit, self.cancel)? {
                Next::End(session) => break session,
                Next::Message(batch) => {
                    let (rows, bytes) = (batch.num_rows() as u64, batch.get_array_memory_size() as u64);
                    let taken = part.batch(batch).map_err(SourceError::Sink);
                    if let Err(error) = taken.and_then(|()| self.odbc.pace.took(rows, bytes, self.cancel)) {
                        apart.give_up();
                        return Err(error);
                    }
                    // Once rows come, they go on coming.
                    limit = Some(limit.unwrap_or(SILENCE));
                }
            }
        };
        part.finish().map_err(SourceError::Sink)?;
        Ok(session)
    }
}

/// Returns true for what a value may bring about that its column's reading would change.
fn is_of_a_value(error: &SourceError) -> bool {
    let SourceError::Odbc(problem) = error else { return false };
    match &**problem {
        OdbcProblem::Unfit | OdbcProblem::Cell { .. } => true,
        OdbcProblem::Refused(refusal) => refusal.state.starts_with("22"),
        _ => false,
    }
}

impl Connector for Odbc {
    fn read(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<ReadReport, SourceError> {
        let _slot = self.slots.take(|| !cancel.is_cancelled()).ok_or(SourceError::Cancelled)?;
        let mut watching = false;
        match self.attempt(request, sink.unfinished(), Unfit::Watched, &mut watching, cancel, sink) {
            Err(error) if watching && is_of_a_value(&error) => {
                self.attempt(request, None, Unfit::Asked, &mut watching, cancel, sink)
            }
            result => result,
        }
    }

    fn was_opened(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    fn resumes(&self) -> bool {
        true
    }
}

impl Odbc {
    /// Reads a table, by a new plan or by what an earlier reading left; `watching` is whether the plan does.
    fn attempt(
        &self,
        request: &ReadRequest,
        left: Option<Unfinished>,
        unfit: Unfit,
        watching: &mut bool,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<ReadReport, SourceError> {
        let address = self.address()?;
        self.pace.wait_for_hours(cancel, &|text| note(sink, request, text))?;
        let left = match left {
            Some(left) => self.goes_on(&address, request, left, cancel)?,
            None => None,
        };
        let resumed = left.is_some();
        let (session, plan, schema, finished) = match left {
            Some((session, plan, left)) => {
                sink.resume().map_err(SourceError::Sink)?;
                (session, plan, left.schema, left.finished)
            }
            None => {
                let (session, Planned { plan, schema, rows }) =
                    self.plan(&address, request, unfit, cancel, sink)?;
                sink.start(&schema, &ReadPlan { parts: plan.json(), rows }).map_err(SourceError::Sink)?;
                (session, plan, schema, std::collections::BTreeSet::new())
            }
        };
        *watching = plan.watch.is_some();
        let (session, seen_at) = self.seen_at(session, cancel)?;
        let facts = session.facts.clone();
        let parts = plan.parts.len();
        let table = Table {
            odbc: self,
            request,
            address: &address,
            arrow: arrow_schema(&schema),
            plan: Arc::new(plan),
            schema: Arc::new(schema),
            sink,
            cancel,
            left: Mutex::new((0..parts).filter(|part| !finished.contains(part)).collect()),
            failed: Mutex::new(None),
            over: AtomicBool::new(false),
            sessions: AtomicUsize::new(0),
        };
        let helpers = self.config.limits.connections.0.min(parts).saturating_sub(1);
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|| {
                    // A connection that another table does not need.
                    if let Some(_slot) = self.slots.take(|| table.is_wanted()) {
                        table.work(None);
                    }
                });
            }
            table.work(Some(session));
        });
        let Table { failed, sessions, plan, .. } = table;
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        cancel.check()?;
        let in_one_statement = parts == 1 && facts.statement;
        let in_one_session = !resumed && sessions.into_inner() == 1 && facts.session;
        let stable = if in_one_statement || in_one_session { Stable::PerTable } else { Stable::PerPart };
        let seen_at = seen_at.filter(|_| stable != Stable::PerPart);
        Ok(ReadReport {
            files: Vec::new(),
            notes: plan.column_notes(),
            server: Some(Server { version: facts.version, isolation: facts.isolation, seen_at, stable }),
        })
    }
}
