//! Whether a database can be read through its driver, and whether every type comes out right.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::Schema;
use crate::source::dialect::{Ask, OnlyReads, Sample};
use crate::source::examine::{
    ClockDifference, Examine, Step, Steps, Tried, Unreadable, Verdict, judge, request_for, tell_rights,
};
use crate::source::{Cancel, ReadRequest, Selection, SourceError, arrow_schema};

use super::apart::{Apart, Next, Sender};
use super::drivers::{self, Places};
use super::fetch::fetch;
use super::native::Canceller;
use super::plan::{Planned, Unfit, natives, planned, schema, without_rows};
use super::problem::{CONNECTING, EXAMINING, OdbcProblem, TRYING};
use super::session::{Address, Session};
use super::{CONNECT_LIMIT, Odbc};

/// How long a statement may take where no statement timeout says: none of them reads rows.
const LIMIT: Duration = Duration::from_mins(1);

/// Connects once; the time is told by whoever asked.
fn connect(address: &Address, to_write: bool, cancel: &Cancel) -> Result<Session, SourceError> {
    let canceller = Arc::new(Canceller::default());
    let (address, own) = (address.clone(), Arc::clone(&canceller));
    let apart: Apart<(), Session> = Apart::start(CONNECTING, canceller, move |_| {
        let mut session = Session::connect(&address, own, to_write)?;
        if !to_write {
            session.begin()?;
        }
        Ok(session)
    })?;
    apart.end(Some(CONNECT_LIMIT), cancel)
}

impl Odbc {
    /// Does something with a session in a thread of its own, and hands on what comes from there.
    fn hand_on<M: Send + 'static>(
        &self,
        doing: &'static str,
        session: Session,
        cancel: &Cancel,
        work: impl FnOnce(Session, &Sender<M, ()>) -> Result<(), SourceError> + Send + 'static,
        take: &mut dyn FnMut(M),
    ) -> Result<(), SourceError> {
        let apart: Apart<M, ()> =
            Apart::start(doing, session.canceller(), move |sender| work(session, sender))?;
        let limit = self.statement_limit().unwrap_or(LIMIT);
        loop {
            match apart.next(Some(limit), cancel)? {
                Next::Message(message) => take(message),
                Next::End(()) => return Ok(()),
            }
        }
    }
}

impl Examine for Odbc {
    fn examine(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), SourceError> {
        let mut steps = Steps::new(tell);
        let address = match self.address() {
            Ok(address) => address,
            Err(error) => {
                steps.failed("settings", &error);
                return Ok(());
            }
        };
        let found = drivers::resolved(address.connection_string.reveal(), &Places::of_system()).and_then(
            |resolved| {
                let library = drivers::library_of(&resolved);
                library.as_deref().map_or(Ok(()), drivers::test_library)?;
                Ok(library)
            },
        );
        match found {
            Ok(library) => {
                let shown =
                    library.unwrap_or_else(|| "none is named here: a data source has to name it".to_owned());
                steps.good("driver", shown);
            }
            Err(problem) => {
                steps.failed("driver", &problem.into());
                return Ok(());
            }
        }
        let session = match connect(&address, false, cancel) {
            Ok(session) => session,
            Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
            Err(error) => {
                steps.failed("connected", &error);
                return Ok(());
            }
        };
        steps.good("connected", "what its driver does in one: look-up, port, encryption, log-in");
        steps.known("server version", session.facts.version.clone());
        let requests = requests.to_vec();
        let work = move |mut session: Session, sender: &Sender<Step, ()>| {
            look(&mut session, &requests, &mut |step| {
                sender.send(step);
            })
        };
        match self.hand_on(EXAMINING, session, cancel, work, tell) {
            Err(SourceError::Cancelled) => Err(SourceError::Cancelled),
            Err(error) => {
                Steps::new(tell).failed("session", &error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn columns(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
    ) -> Result<Vec<Result<Schema, Unreadable>>, SourceError> {
        let address = self.address()?;
        let session = connect(&address, false, cancel)?;
        let requests = requests.to_vec();
        let mut found = Vec::with_capacity(requests.len());
        let work = move |mut session: Session, sender: &Sender<Result<Schema, Unreadable>, ()>| {
            for request in &requests {
                let columns = columns(&mut session, request);
                if let Err(Unreadable { error, .. }) = columns.as_ref()
                    && is_lost(error)
                {
                    return columns.map(drop).map_err(|unreadable| unreadable.error);
                }
                sender.send(columns);
            }
            Ok(())
        };
        self.hand_on(EXAMINING, session, cancel, work, &mut |columns| found.push(columns))?;
        Ok(found)
    }

    fn conform(&self, cancel: &Cancel, tell: &mut dyn FnMut(Tried)) -> Option<Result<(), SourceError>> {
        Some(self.address().and_then(|address| {
            let session = connect(&address, true, cancel)?;
            let work = move |mut session: Session, sender: &Sender<Tried, ()>| {
                try_samples(&mut session, &mut |tried| {
                    sender.send(tried);
                })
            };
            self.hand_on(TRYING, session, cancel, work, tell)
        }))
    }
}

/// Finds out with which columns a request is read, and whether its rows may be.
fn columns(session: &mut Session, request: &ReadRequest) -> Result<Schema, Unreadable> {
    let natives = natives(session, request)?;
    let mut whole = request.clone();
    if let Selection::Table(table) = &mut whole.selection {
        table.condition = None;
    }
    session.rows(&without_rows(session.dialect, &whole, &natives)?)?;
    let schema = schema(session.dialect, request, &natives)?;
    if matches!(&request.selection, Selection::Table(table) if table.condition.is_some()) {
        let asked = session.rows(&without_rows(session.dialect, request, &natives)?);
        asked.map_err(|error| Unreadable { error, by_condition: true })?;
    }
    Ok(schema)
}

/// Finds out what there is to know of a session that has begun.
fn look(
    session: &mut Session,
    requests: &[ReadRequest],
    tell: &mut dyn FnMut(Step),
) -> Result<(), SourceError> {
    let mut steps = Steps::new(tell);
    let dialect = session.dialect;
    let never = "the database has no session that only reads; what this one does is never committed";
    match dialect.only_reads() {
        OnlyReads::Asked(query) => match session.rows(query) {
            Ok(rows) => {
                let last = rows.first().and_then(|row| row.last()?.as_deref()).unwrap_or_default();
                if last == "1" || last.eq_ignore_ascii_case("on") {
                    steps.good("only reads", "the server lets this session write nothing");
                } else {
                    let advice = "give a user that may only read";
                    steps.note("only reads", "the server says that this session could write", Some(advice));
                }
            }
            Err(error) => steps.failed("only reads", &error),
        },
        OnlyReads::Begun => steps.known("only reads", "its transaction was begun as one that only reads"),
        OnlyReads::Never => {
            steps.aside("only reads", never, Some("a user that may only SELECT is the surest"));
        }
    }
    let now = dialect.now();
    let mut clock = || session.rows(now?).ok()?.into_iter().flatten().flatten().next();
    let started = Instant::now();
    let difference = now.and_then(|_| ClockDifference::measure(&mut clock));
    let asked = started.elapsed();
    tell_rights(&mut steps, requests, |request| {
        let natives = natives(session, request)?;
        let query = without_rows(session.dialect, request, &natives)?;
        session.rows(&query).map(drop)
    })?;
    let facts = &session.facts;
    let isolation = &facts.isolation;
    match (facts.session, facts.statement) {
        (true, _) => steps.known("snapshot", format!("one moment for all rows of a table ({isolation})")),
        (false, statement) => {
            let what = if statement {
                "one moment for each statement: a table that is read in parts may change between them"
            } else {
                "no moment: rows that change while a table is read may be missing, or be there twice"
            };
            steps.aside("snapshot", format!("{what} ({isolation})"), dialect.stable_advice());
        }
    }
    steps.begin_before(asked);
    ClockDifference::tell(difference, &mut steps);
    Ok(())
}

/// Writes the samples of every type, begins to read only as a run does, and reads them back.
fn try_samples(session: &mut Session, tell: &mut dyn FnMut(Tried)) -> Result<(), SourceError> {
    let dialect = session.dialect;
    let samples = dialect.samples();
    if samples.is_empty() {
        return Err(OdbcProblem::NoSamples(dialect.word()).into());
    }
    // Where not even this can be made, it is not for the type.
    let (make, _) = dialect.temporary(0, "int");
    session.run(&make)?;
    let mut made: Vec<(usize, &Sample, String, Option<Verdict>)> = Vec::new();
    for (at, sample) in samples.iter().enumerate() {
        let (make, table) = dialect.temporary(at + 1, sample.native);
        let verdict = match session.run(&make) {
            Err(error) if is_lost(&error) => return Err(error),
            Err(error) => Some(Verdict::NotThere(error.to_string())),
            Ok(()) => fill(session, &table, sample)?,
        };
        made.push((at + 1, sample, table, verdict));
    }
    session.begin()?;
    for (_, sample, table, verdict) in made {
        let tried = match verdict {
            Some(verdict) => Tried::without(sample, verdict),
            None => match read_back(session, sample, &table) {
                Ok(tried) => tried,
                Err(error) if is_lost(&error) => return Err(error),
                Err(error) => Tried::without(sample, Verdict::Untried(error.to_string())),
            },
        };
        tell(tried);
    }
    Ok(())
}

/// Puts NULL and each value into a table; what the server does not take is a verdict.
fn fill(session: &mut Session, table: &str, sample: &Sample) -> Result<Option<Verdict>, SourceError> {
    let literals = std::iter::once("NULL").chain(sample.values.iter().map(|(literal, _)| *literal));
    for (number, literal) in literals.enumerate() {
        match session.run(&format!("INSERT INTO {table} VALUES ({number}, {literal})")) {
            Ok(()) => {}
            Err(error) if is_lost(&error) => return Err(error),
            Err(error) => {
                return Ok(Some(Verdict::Untried(format!("the server does not take {literal}: {error}"))));
            }
        }
    }
    Ok(None)
}

fn read_back(session: &mut Session, sample: &Sample, table: &str) -> Result<Tried, SourceError> {
    let natives = session.dialect.temporary_columns(session, table, sample.native)?;
    let Planned { plan, schema, .. } = planned(session, &request_for(table), &natives, Unfit::Asked)?;
    let arrow = arrow_schema(&schema);
    let mut batches = Vec::new();
    for part in 0..plan.parts.len() {
        fetch(session, &plan, part, &schema, &arrow, &mut |batch| {
            batches.push(batch.rows);
            true
        })?;
    }
    Ok(judge(sample, &schema, &batches))
}

/// Returns true where there is no session any more.
fn is_lost(error: &SourceError) -> bool {
    match error {
        SourceError::Odbc(problem) => match &**problem {
            OdbcProblem::Refused(refusal) => refusal.state.starts_with("08"),
            _ => false,
        },
        _ => false,
    }
}
