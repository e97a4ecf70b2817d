//! ODBC: any database with a driver.
//!
//! A table is planned first: its columns by the catalogue, how each is read by the dialect, the lengths of long values
//! by the server, and parts by ranges of a key. Parts are read side by side, as many as the connection allows over all
//! tables; each is tried again where its connection is lost. Every driver runs in a thread of its own (see [`apart`]).

mod apart;
mod catalogue;
mod decode;
mod divide;
mod drivers;
mod examine;
mod fetch;
mod native;
mod parts;
mod plan;
mod problem;
mod session;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Diagnostics};

use super::dialect::{self, Dialect};
use super::origin::read_anew;
use super::pace::{Attempts, Pace};
use super::{
    Cancel, Connector, OdbcConnection, ReadPlan, ReadReport, ReadRequest, Server, Sink, SourceError, Stable,
    Unfinished, arrow_schema,
};

use apart::{Apart, Next, Slots};
use native::Canceller;
use parts::Table;
use plan::{Plan, Planned, Unfit, is_still, plan};
use problem::{CONNECTING, PLANNING};
use session::{Address, LOGIN_SECONDS, Over, Session};

pub use catalogue::OdbcCatalogue;
pub use drivers::{Driver, drivers};
pub use problem::{OdbcProblem, Refusal, Wrong};

/// How long a driver may take to connect, once its own limit is over.
const CONNECT_LIMIT: Duration = Duration::from_secs(LOGIN_SECONDS as u64 * 2 + 15);
/// How many silences the first rows may take of a driver that keeps them until it has all of a part.
const WHILE_KEPT: u32 = 10;
/// How many silences a question about all rows of a table may take, where no statement timeout says.
const OVER_A_TABLE: u32 = 60;
/// How many silences may lie between two batches of what is read as a whole: a batch is filled before it comes.
const FOR_A_WHOLE: u32 = 5;
/// How often a part is begun again whose link always drops after some rows.
const MOST_TRIES: usize = 200;
/// How often it is asked, before a table is read, whether it has values that a reading would change.
const MOST_ASKED: usize = 3;
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
            connection_string: self.config.connection_string.clone(),
            dialect: named,
            statement_timeout: self.config.limits.statement_timeout.map(|span| span.0),
            rate: self.pace.rate(),
        })
    }

    /// Returns how long a driver may be silent while it works on a statement over rows of the user.
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

    /// Works with a session in a thread of its own. The catalogue has to answer before the silence is too long.
    fn work<T: Send + 'static>(
        &self,
        mut session: Session,
        cancel: &Cancel,
        work: impl FnOnce(&mut Session) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<(Session, T), SourceError> {
        let silence = Some(self.config.limits.silence.0);
        let apart: Apart<Over, (Session, T)> = Apart::start(PLANNING, session.canceller(), move |sender| {
            let sender = sender.clone();
            session.pulse = Some(Box::new(move |over| {
                let _ = sender.send(over);
            }));
            let done = work(&mut session);
            session.pulse = None;
            Ok((session, done?))
        })?;
        let mut limit = silence;
        loop {
            limit = match apart.next(limit, cancel)? {
                Next::End(done) => return Ok(done),
                Next::Message(Over::Catalogue) => silence,
                Next::Message(Over::Rows) => {
                    let longest = self.config.limits.silence.0.saturating_mul(OVER_A_TABLE);
                    Some(self.statement_limit().unwrap_or(longest))
                }
            };
        }
    }

    /// Does the same with a new session; again where the connection is lost.
    fn work_anew<T: Send + 'static>(
        &self,
        address: &Address,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &dyn Sink,
        work: impl Fn(&mut Session) -> Result<T, SourceError> + Clone + Send + 'static,
    ) -> Result<(Session, T), SourceError> {
        let mut attempts = self.pace.attempts();
        loop {
            self.pace.wait_for_hours(cancel, &|text| note(sink, request, text))?;
            let session = self.open(address, cancel)?;
            match self.work(session, cancel, work.clone()) {
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

    /// Returns what an earlier reading left, with its plan, where the table is of the same database and has the columns
    /// still that it had then.
    fn goes_on(
        &self,
        address: &Address,
        request: &ReadRequest,
        left: Unfinished,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<Left, SourceError> {
        // A plan of another version of this program is no plan.
        let Ok(plan) = serde_json::from_value::<Plan>(left.parts.clone()) else { return Ok(Left::Nothing) };
        let (asked, schema, origin) = (request.clone(), left.schema.clone(), plan.origin.clone());
        let (session, (is_same, is_still)) =
            self.work_anew(address, request, cancel, sink, move |session| {
                let is_same = session.origin()? == origin;
                Ok((is_same, is_same && is_still(session, &asked, &schema)?))
            })?;
        let fits = plan.columns.len() == left.schema.fields.len();
        Ok(match is_same {
            true if is_still && fits => Left::Parts(Box::new((session, plan, left))),
            false if !left.finished.is_empty() => Left::OfAnother,
            _ => Left::Nothing,
        })
    }
}

/// What an earlier reading has left.
enum Left {
    /// Nothing that can be gone on with.
    Nothing,
    /// Rows of another database.
    OfAnother,
    /// Parts that are complete.
    Parts(Box<(Session, Plan, Unfinished)>),
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

/// Returns true where a value was met that the column's reading would change.
fn is_unfit(error: &SourceError) -> bool {
    matches!(error, SourceError::Odbc(problem) if matches!(**problem, OdbcProblem::Unfit))
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
    fn structure(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
    ) -> Result<Option<crate::model::Structure>, SourceError> {
        crate::source::structure::structure(&OdbcCatalogue::over(self), request, cancel)
    }

    fn read(
        &self,
        request: &ReadRequest,
        cancel: &Cancel,
        sink: &dyn Sink,
    ) -> Result<ReadReport, SourceError> {
        let _slot = self.slots.take(|| !cancel.is_cancelled()).ok_or(SourceError::Cancelled)?;
        let mut watching = false;
        let mut result =
            self.attempt(request, sink.unfinished(), Unfit::Watched, &mut watching, cancel, sink);
        for number in 0..MOST_ASKED {
            match &result {
                // Where it was asked, only what has come since is a reason to ask again.
                Err(error) if watching && (is_unfit(error) || (number == 0 && is_of_a_value(error))) => {}
                _ => break,
            }
            result = self.attempt(request, None, Unfit::Asked, &mut watching, cancel, sink);
        }
        result
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
            Some(left) => self.goes_on(&address, request, left, cancel, sink)?,
            None => Left::Nothing,
        };
        let resumed = matches!(left, Left::Parts(_));
        let of_another = matches!(left, Left::OfAnother);
        let (session, plan, schema, finished) = match left {
            Left::Parts(left) => {
                let (session, plan, left) = *left;
                sink.resume().map_err(SourceError::Sink)?;
                (session, plan, left.schema, left.finished)
            }
            Left::Nothing | Left::OfAnother => {
                let asked = request.clone();
                let (session, Planned { plan, schema, rows }) =
                    self.work_anew(&address, request, cancel, sink, move |session| {
                        plan(session, &asked, unfit)
                    })?;
                sink.start(&schema, &ReadPlan { parts: plan.json(), rows }).map_err(SourceError::Sink)?;
                (session, plan, schema, std::collections::BTreeSet::new())
            }
        };
        *watching = plan.watch.is_some();
        let (facts, seen_at) = (session.facts.clone(), session.seen_at.clone());
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
        let Table { failed, sessions, plan, schema, .. } = table;
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        cancel.check()?;
        let in_one_statement = parts == 1 && facts.statement && plan.moments.0;
        let in_one_session = !resumed && sessions.into_inner() == 1 && facts.session && plan.moments.1;
        let stable = if in_one_statement || in_one_session { Stable::PerTable } else { Stable::PerPart };
        let seen_at = seen_at.filter(|_| stable != Stable::PerPart);
        let mut notes = plan.column_notes();
        notes.extend(of_another.then(|| read_anew(&schema)).flatten());
        Ok(ReadReport {
            files: Vec::new(),
            notes,
            server: Some(Server { version: facts.version, isolation: facts.isolation, seen_at, stable }),
            made: None,
        })
    }
}
