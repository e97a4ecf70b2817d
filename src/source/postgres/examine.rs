//! Whether a PostgreSQL database can be read, and whether every type comes out right.

use std::collections::BTreeMap;

use tokio::runtime::Builder;

use crate::model::Schema;
use crate::source::dialect::{Sample, samples};
use crate::source::examine::{
    ClockDifference, Examine, Kept, Step, Steps, Tried, Unreadable, Verdict, judge, request_for, tell_rights,
};
use crate::source::{Cancel, ReadRequest, SourceError};

use super::connect::NoEntry;
use super::describe::describe;
use super::error::Stop;
use super::pool::Pool;
use super::session::Session;
use super::table::Reading;
use super::{Postgres, way};

/// The dialect whose samples are tried.
const DIALECT: &str = "postgres";

impl Examine for Postgres {
    fn examine(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(), SourceError> {
        let mut steps = Steps::new(tell);
        let door = match self.door() {
            Ok(door) => door,
            Err(error) => {
                steps.failed("settings", &error.into());
                return Ok(());
            }
        };
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(source) => {
                let problem = format!("no connection can be made on this machine: {source}");
                let stop = Stop::fatal("PostgreSQL", problem, "are too many files or threads open?");
                steps.failed("settings", &stop.into_error());
                return Ok(());
            }
        };
        let reached = way::go(&door, &runtime, cancel, &mut steps);
        // Whoever looks up a name meanwhile is not waited for.
        runtime.shutdown_background();
        if !reached? {
            return Ok(());
        }
        steps.begin();
        let session = match door.open(None, &[], cancel) {
            Ok((session, _)) => session,
            Err(NoEntry::Full(stop) | NoEntry::Stop(stop)) => {
                let error = stop.into_error();
                if let SourceError::Cancelled = error {
                    return Err(error);
                }
                steps.failed("logged in", &error);
                return Ok(());
            }
        };
        let user = &door.settings.user;
        steps.good("logged in", format!("as `{user}`, to the database `{}`", door.settings.database));
        look(&session, requests, cancel, &mut steps)
    }

    fn columns(
        &self,
        requests: &[ReadRequest],
        cancel: &Cancel,
    ) -> Result<Vec<Result<Schema, Unreadable>>, SourceError> {
        let session = match self.door()?.open(None, &[], cancel) {
            Ok((session, _)) => session,
            Err(NoEntry::Full(stop) | NoEntry::Stop(stop)) => return Err(stop.into_error()),
        };
        let mut found = Vec::with_capacity(requests.len());
        for request in requests {
            cancel.check()?;
            let table = apart(session.guarded(cancel, "", || {
                let table = describe(&session, request, &BTreeMap::new(), None, cancel)?;
                session.rows(&format!("{} WHERE false", table.select), cancel)?;
                Ok(table)
            }))?;
            let condition =
                match table.as_ref().ok().and_then(|table| Some((table, table.condition.as_ref()?))) {
                    None => Ok(()),
                    Some((table, condition)) => {
                        let sql = format!("{} WHERE (\n{condition}\n) AND false", table.select);
                        apart(session.guarded(cancel, "", || session.rows(&sql, cancel)))?.map(drop)
                    }
                };
            found.push(match (table, condition) {
                (Ok(table), Ok(())) => Ok(table.schema),
                (Ok(_), Err(error)) => Err(Unreadable { error, by_condition: true }),
                (Err(error), _) => Err(error.into()),
            });
        }
        Ok(found)
    }

    fn conform(&self, cancel: &Cancel, tell: &mut dyn FnMut(Tried)) -> Option<Result<(), SourceError>> {
        Some(self.try_samples(cancel, tell))
    }
}

/// Returns one text that a query gives; nothing where it cannot be asked, and the session goes on.
fn one(session: &Session, sql: &str, cancel: &Cancel) -> Result<Option<String>, Stop> {
    let answer = session.guarded(cancel, "", || session.rows(sql, cancel));
    match answer {
        Ok(rows) => Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten()),
        Err(Stop::Fatal(error)) if !matches!(error, SourceError::Cancelled) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// Takes the end of the session from what one question has come to.
fn apart<T>(done: Result<T, Stop>) -> Result<Result<T, SourceError>, SourceError> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(Stop::Fatal(SourceError::Cancelled)) => Err(SourceError::Cancelled),
        Err(Stop::Fatal(error)) => Ok(Err(error)),
        Err(Stop::Lost(error)) => Err(error.into()),
    }
}

/// Finds out what there is to know of a session.
fn look(
    session: &Session,
    requests: &[ReadRequest],
    cancel: &Cancel,
    steps: &mut Steps<'_>,
) -> Result<(), SourceError> {
    let looked = try_to_look(session, requests, cancel, steps);
    match looked.map_err(Stop::into_error) {
        Err(SourceError::Cancelled) => Err(SourceError::Cancelled),
        Err(error) => {
            steps.failed("session", &error);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn try_to_look(
    session: &Session,
    requests: &[ReadRequest],
    cancel: &Cancel,
    steps: &mut Steps<'_>,
) -> Result<(), Stop> {
    let encrypted = "SELECT CASE WHEN ssl THEN version ELSE '' END FROM pg_catalog.pg_stat_ssl \
                     WHERE pid = pg_catalog.pg_backend_pid()";
    match one(session, encrypted, cancel)?.as_deref() {
        Some("") => steps.good("encrypted", "no"),
        Some(version) => steps.good("encrypted", format!("yes, the server says: {version}")),
        None => steps.note("encrypted", "the server does not say", None),
    }
    steps.known("server version", session.facts.version.clone());
    steps.begin();
    if one(session, "SHOW transaction_read_only", cancel)?.as_deref() == Some("on") {
        steps.good("only reads", "the server lets this session write nothing");
    } else {
        let advice = "give a user that may only read";
        steps.note("only reads", "the server does not say that this session cannot write", Some(advice));
    }
    tell_rights(steps, requests, |request| {
        let asked = session.guarded(cancel, "", || {
            let table = describe(session, request, &BTreeMap::new(), None, cancel)?;
            let condition = table.condition.as_ref().map(|c| format!("(\n{c}\n) AND ")).unwrap_or_default();
            session.rows(&format!("{} WHERE {condition}false", table.select), cancel)
        });
        asked.map(drop).map_err(Stop::into_error)
    })?;
    if session.exported.is_some() {
        steps.known("snapshot", "one moment for all tables of the connection, over all its sessions");
    } else {
        let text = "one moment for all tables, read by a single session: this server cannot share its moment";
        steps.aside("snapshot", text, None);
    }
    steps.begin();
    let now = "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')";
    let mut stopped = None;
    let difference = ClockDifference::measure(&mut || match one(session, now, cancel) {
        Ok(text) => text,
        Err(stop) => {
            stopped = Some(stop);
            None
        }
    });
    if let Some(stop) = stopped {
        return Err(stop);
    }
    ClockDifference::tell(difference, steps);
    Ok(())
}

impl Postgres {
    /// Writes the samples of every type into temporary tables of a session, and has a run's own code read them.
    fn try_samples(&self, cancel: &Cancel, tell: &mut dyn FnMut(Tried)) -> Result<(), SourceError> {
        let door = self.door()?;
        let session = match door.open(None, &[], cancel) {
            Ok((session, _)) => session,
            Err(NoEntry::Full(stop) | NoEntry::Stop(stop)) => return Err(stop.into_error()),
        };
        let made = make(&session, cancel).map_err(Stop::into_error)?;
        let pool = Pool::of(door, session);
        for (sample, table, verdict) in made {
            let tried = match verdict {
                Some(verdict) => Tried::without(sample, verdict),
                None => {
                    let (request, kept) = (request_for(&table), Kept::default());
                    let reading =
                        Reading { pool: &pool, pace: &self.pace, request: &request, cancel, sink: &kept };
                    match reading.read() {
                        Ok(_) => {
                            let (schema, batches) = kept.into_inner();
                            judge(sample, &schema, &batches)
                        }
                        Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
                        Err(error) => Tried::without(sample, Verdict::Untried(error.to_string())),
                    }
                }
            };
            tell(tried);
        }
        Ok(())
    }
}

/// Makes a table of each type that the server knows, fills it, and begins to read only.
fn make(session: &Session, cancel: &Cancel) -> Result<Vec<(&'static Sample, String, Option<Verdict>)>, Stop> {
    session.rows("ROLLBACK; SET default_transaction_read_only = off", cancel)?;
    // Where not even this can be made, it is not for the type.
    session.rows("CREATE TABLE pg_temp.counterfoil_0 (id int)", cancel)?;
    let all = samples().into_iter().find(|(word, _)| *word == DIALECT).map_or(&[][..], |(_, all)| all);
    let mut made = Vec::new();
    for (at, sample) in all.iter().enumerate() {
        let table = format!("pg_temp.counterfoil_{}", at + 1);
        let verdict =
            match session.rows(&format!("CREATE TABLE {table} (id int, v {})", sample.native), cancel) {
                Ok(_) => fill(session, &table, sample, cancel)?,
                Err(Stop::Fatal(error)) if !matches!(error, SourceError::Cancelled) => {
                    Some(Verdict::NotThere(error.to_string()))
                }
                Err(stop) => return Err(stop),
            };
        made.push((sample, table, verdict));
    }
    let begin = "SET default_transaction_read_only = on; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    session.rows(begin, cancel)?;
    Ok(made)
}

/// Puts NULL and each value into a table; what the server does not take is a verdict.
fn fill(session: &Session, table: &str, sample: &Sample, cancel: &Cancel) -> Result<Option<Verdict>, Stop> {
    let literals = std::iter::once("NULL").chain(sample.values.iter().map(|(literal, _)| *literal));
    for (number, literal) in literals.enumerate() {
        match session.rows(&format!("INSERT INTO {table} VALUES ({number}, {literal})"), cancel) {
            Ok(_) => {}
            Err(Stop::Fatal(error)) if !matches!(error, SourceError::Cancelled) => {
                return Ok(Some(Verdict::Untried(format!("the server does not take {literal}: {error}"))));
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(None)
}
