//! Reading one table: its parts side by side, each again where the link drops.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::source::origin::read_anew;
use crate::source::pace::{Attempts, Pace};
use crate::source::{
    Cancel, ReadPlan, ReadReport, ReadRequest, Server, Sink, SourceError, Stable, Unfinished, arrow_schema,
};

use super::copy::{Batch, Problem, Rows};
use super::describe::{Table, describe, moved, origin, rewritten};
use super::error::{PostgresError, Stop};
use super::plan::Plan;
use super::pool::Pool;
use super::session::{Facts, NEVER, Session, Watch};
use super::types::Unfit;

/// How often a table is begun again because it is not what it was.
const MOST_BEGINNINGS: usize = 20;
/// How often a part is begun again whose link always drops after some rows.
const MOST_TRIES: usize = 200;

/// The reading of one table.
pub(super) struct Reading<'a> {
    pub pool: &'a Pool,
    pub pace: &'a Pace,
    pub request: &'a ReadRequest,
    pub cancel: &'a Cancel,
    pub sink: &'a dyn Sink,
}

/// Why the parts of a table are not complete.
enum Halt {
    /// A column has to come as text, for this reason.
    AsText(String, &'static str),
    /// The table's rows have moved.
    Moved,
    /// The reading is over.
    Stop(Stop),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Halt::Stop(stop)
    }
}

/// What is known of the moments at which parts were read.
#[derive(Debug, Default)]
struct Points {
    numbers: BTreeSet<u64>,
    facts: Option<Facts>,
}

impl Reading<'_> {
    /// Reads the table.
    pub fn read(&self) -> Result<ReadReport, SourceError> {
        let mut left = self.sink.unfinished().and_then(|left| Some((Plan::read(&left.parts)?, left)));
        let mut texts = left.as_ref().map(|(plan, _)| plan.texts.clone()).unwrap_or_default();
        let mut elsewhere = false;
        for _ in 0..MOST_BEGINNINGS {
            let (mut table, facts) = self.describe(&texts)?;
            let mut finished = BTreeSet::new();
            if let Some((plan, earlier)) = left.take() {
                elsewhere = plan.origin != table.plan.origin && !earlier.finished.is_empty();
                if goes_on(&table, &plan, &earlier) {
                    self.sink.resume().map_err(SourceError::Sink)?;
                    table.plan = plan;
                    finished = earlier.finished;
                } else if !texts.is_empty() {
                    // What an earlier table had is no reason any more.
                    texts.clear();
                    continue;
                }
            }
            let resumed = !finished.is_empty();
            if !resumed {
                let plan = ReadPlan { parts: table.plan.write(), rows: table.rows };
                self.sink.start(&table.schema, &plan).map_err(SourceError::Sink)?;
            }
            if elsewhere {
                table.notes.extend(read_anew(&table.schema));
            }
            match self.parts(&table, &finished) {
                // Where all parts were there already, the server is the one that was asked.
                Ok(points) => return Ok(report(&table, &points, resumed, facts)),
                Err(Halt::AsText(column, why)) => {
                    texts.insert(column, why.to_owned());
                }
                Err(Halt::Moved) => {}
                Err(Halt::Stop(stop)) => return Err(stop.into_error()),
            }
        }
        let problem = "the table is rewritten again and again while it is read";
        let advice = "run again when no `vacuum full`, `cluster`, `truncate` or `alter table` is going on";
        Err(PostgresError::new(self.request.query(), problem, advice).into())
    }

    /// Finds out what the table is, over as many connections as it takes.
    fn describe(&self, texts: &BTreeMap<String, String>) -> Result<(Table, Facts), SourceError> {
        let mut attempts = self.pace.attempts();
        let watch = Watch { cancel: self.cancel, halted: &NEVER };
        loop {
            self.wait_for_hours()?;
            let was_open = self.pool.has_been_open();
            let described = self.with_session(watch, |session| {
                // What is read next is tested by what is locked then.
                session.unlocked(self.cancel, || {
                    let mut table = describe(session, self.request, texts, self.pace.rate(), self.cancel)?;
                    table.plan.origin = origin(session, self.cancel)?;
                    table.plan.origin.named = self.pool.door.settings.named();
                    Ok((table, session.facts.clone()))
                })
            });
            match described {
                Ok(described) => return Ok(described),
                // Where there never was a connection, the user should hear of it at once.
                Err(Stop::Lost(error)) if was_open || self.pool.has_been_open() => {
                    self.try_again(&mut attempts, error)?;
                }
                Err(stop) => return Err(stop.into_error()),
            }
        }
    }

    /// Outside the hours no connection is held, and no moment.
    fn wait_for_hours(&self) -> Result<(), SourceError> {
        if !self.pace.is_open() {
            self.pool.close_idle();
        }
        self.pace.wait_for_hours(self.cancel, &|text| self.note(text))
    }

    /// Tells something of the connection.
    fn note(&self, text: &str) {
        self.sink.note(&format!("{}: {text}", self.request.connection_words()));
    }

    fn try_again(&self, attempts: &mut Attempts, error: PostgresError) -> Result<(), SourceError> {
        let why = format!("{}: {}", error.place, error.problem);
        self.pace.lost(attempts, &why, &|text| self.note(text));
        if attempts.again(self.cancel)? {
            return Ok(());
        }
        let problem = format!("{}; it was tried again for as long as `limits.retry_for` says", error.problem);
        Err(PostgresError { problem, ..error }.into())
    }

    /// Does something with a session, which is kept where it can be used again.
    fn with_session<T>(
        &self,
        watch: Watch<'_>,
        work: impl FnOnce(&Session) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let lease = self.pool.take(watch)?;
        let done = work(lease.session()?);
        if !matches!(done, Err(Stop::Lost(_))) && !self.cancel.is_cancelled() {
            lease.give_back();
        }
        done
    }

    /// Reads all parts but those that are finished, as many at a time as there may be connections.
    fn parts(&self, table: &Table, finished: &BTreeSet<usize>) -> Result<Points, Halt> {
        let open: VecDeque<usize> = (0..table.plan.parts()).filter(|part| !finished.contains(part)).collect();
        let workers = open.len().min(self.pool.limit()).max(1);
        let open = Mutex::new(open);
        let points = Mutex::new(Points::default());
        let first_halt: Mutex<Option<Halt>> = Mutex::new(None);
        let halted = AtomicBool::new(false);
        let work = || {
            let watch = Watch { cancel: self.cancel, halted: &halted };
            while !watch.is_over() {
                let next = open.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(part) = next else { break };
                match self.part(table, part, watch) {
                    Ok((point, facts)) => {
                        let mut points = points.lock().unwrap_or_else(PoisonError::into_inner);
                        points.numbers.insert(point);
                        points.facts = Some(facts);
                    }
                    Err(halt) => {
                        let mut first = first_halt.lock().unwrap_or_else(PoisonError::into_inner);
                        first.get_or_insert(halt);
                        halted.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            }
        };
        let panicked = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            // All are waited for.
            threads.into_iter().filter_map(|thread| thread.join().err()).count() > 0
        });
        if panicked {
            let advice = "please report it";
            return Err(Stop::fatal(&*table.name, "the program failed while reading it", advice).into());
        }
        if self.cancel.is_cancelled() {
            return Err(Stop::Fatal(SourceError::Cancelled).into());
        }
        match first_halt.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(halt) => Err(halt),
            None => Ok(points.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Reads a part, again and again where the link drops, and returns the moment it is from.
    fn part(&self, table: &Table, part: usize, watch: Watch<'_>) -> Result<(u64, Facts), Halt> {
        let mut attempts = self.pace.attempts();
        for _ in 0..MOST_TRIES {
            self.wait_for_hours().map_err(Stop::from)?;
            let mut halt = None;
            let mut came = false;
            let read = self.with_session(watch, |session| {
                session.guarded(self.cancel, table.before(), || {
                    self.copy(session, table, part, watch, &mut halt, &mut came)?;
                    Ok((session.point, session.facts.clone()))
                })
            });
            match (halt, read) {
                (Some(halt), _) => return Err(halt),
                (None, Ok(read)) => {
                    self.pace.read();
                    return Ok(read);
                }
                (None, Err(Stop::Lost(error))) => {
                    if came {
                        attempts.succeeded();
                    }
                    self.try_again(&mut attempts, error).map_err(Stop::from)?;
                }
                (None, Err(stop)) => return Err(stop.into()),
            }
        }
        let problem = format!("the connection was lost {MOST_TRIES} times while one part was read");
        let advice = "the link holds for too short a time: read less at a time, with `where` or a `query`";
        Err(Stop::fatal(&*table.name, problem, advice).into())
    }

    /// Copies a part into the sink. What ends the reading of the whole table goes to `halt`.
    fn copy(
        &self,
        session: &Session,
        table: &Table,
        part: usize,
        watch: Watch<'_>,
        halt: &mut Option<Halt>,
        came: &mut bool,
    ) -> Result<(), Stop> {
        let ended = || Stop::Fatal(SourceError::Cancelled);
        let mut open = self.sink.part(part).map_err(|e| Stop::Fatal(SourceError::Sink(e)))?;
        let mut rows = Some(Rows::new(arrow_schema(&table.schema), table.wires.iter().copied()));
        let mut keep = |batch: Batch| {
            let count = batch.rows.num_rows() as u64;
            open.batch(batch.rows).map_err(SourceError::Sink)?;
            self.pace.took(count, batch.bytes as u64, self.cancel)
        };
        let mut refused = None;
        let mut take = |piece: &[u8]| {
            *came = true;
            let Some(rows) = &mut rows else { return false };
            match rows.add(piece, &mut keep) {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    refused = Some(Halt::Stop(Stop::Fatal(error)));
                    false
                }
                Err(problem) => {
                    refused = Some(not_taken(table, problem));
                    false
                }
            }
        };
        // Rows of a range come soon; a view or query may have to work before its first.
        let patience = table.plan.has_ranges().then_some(session.silence);
        let all = session.copy(&table.copy(part), patience, watch, &mut take)?;
        if let (false, Some(refused)) = (all, refused) {
            *halt = Some(refused);
            return Err(ended());
        }
        let rest = match rows.take().map(Rows::finish).transpose() {
            Ok(rest) => rest.flatten(),
            Err(problem) => {
                *halt = Some(not_taken(table, problem));
                return Err(ended());
            }
        };
        rest.map_or(Ok(()), keep)?;
        // The table was locked against being rewritten since the query began: if it is as planned now, it was then.
        if let Some(test) = table.plan.test_of_files() {
            let answer = session.rows(&test, self.cancel)?;
            if answer.first().and_then(|row| row.first()?.as_deref()) != Some("t") {
                *halt = Some(Halt::Moved);
                return Err(ended());
            }
        }
        if let Some(name) = moved(session, self.cancel)? {
            return Err(rewritten(&session.place, &name));
        }
        open.finish().map_err(|e| Stop::Fatal(SourceError::Sink(e)))
    }
}

impl Table {
    /// Returns what is set before a part is read: the rows of a table come in the order in which they lie.
    fn before(&self) -> &'static str {
        if self.is_stored {
            "SET LOCAL max_parallel_workers_per_gather = 0"
        } else {
            "SET LOCAL max_parallel_workers_per_gather TO DEFAULT"
        }
    }
}

/// Returns true where the parts an earlier reading has finished are parts of this table.
fn goes_on(table: &Table, plan: &Plan, earlier: &Unfinished) -> bool {
    !earlier.finished.is_empty() && table.plan.is_still(plan) && table.schema == earlier.schema
}

/// Says why a value was not taken.
fn not_taken(table: &Table, problem: Problem) -> Halt {
    match problem {
        Problem::Column(position, unfit) => {
            let column = table.schema.fields.get(position).map_or("", |field| field.source_name.as_str());
            match unfit {
                Unfit::Beyond(why) => Halt::AsText(column.to_owned(), why),
                Unfit::Damaged(why) => {
                    let place = format!("{}, column `{column}`", table.name);
                    let advice = "leave the column out with `omit`, or convert it in a `query`";
                    Halt::Stop(Stop::fatal(place, why, advice))
                }
            }
        }
        Problem::Stream(why) => {
            let problem = format!("the server's answer is no binary COPY: {why}");
            Halt::Stop(Stop::fatal(&*table.name, problem, "is a proxy between that changes what is sent?"))
        }
    }
}

fn report(table: &Table, points: &Points, resumed: bool, asked: Facts) -> ReadReport {
    let stable = if resumed || points.numbers.len() > 1 {
        Stable::PerPart
    } else if points.numbers.first().is_none_or(|point| *point == 1) {
        Stable::OnePoint
    } else {
        Stable::PerTable
    };
    let facts = points.facts.clone().unwrap_or(asked);
    let server = Server {
        version: facts.version,
        isolation: "repeatable read, read only".to_owned(),
        seen_at: facts.seen_at.filter(|_| stable != Stable::PerPart),
        stable,
    };
    ReadReport { notes: table.notes.clone(), server: Some(server), ..ReadReport::default() }
}
