//! One connection: a transaction that reads, at a point shared with the others.
//!
//! Each has a runtime of its own with a single thread: whoever holds the session drives it. Nothing outside this
//! folder sees a future.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, CopyOutStream, SimpleQueryMessage, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::source::{Cancel, SourceError};

use super::error::{PostgresError, Stop, of_statement};

/// How often a wish to stop is looked for while nothing comes.
const PIECE: Duration = Duration::from_millis(50);
/// How long the server is given to take a wish to cancel, or a farewell.
const FAREWELL: Duration = Duration::from_secs(2);
/// What is taken in of a copy that is not wanted any more before the server is asked to end it.
const UNDER_WAY: usize = 64 << 20;

/// Ends a part of a transaction as if it had not been.
const UNDO: &str = "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part";

/// Nobody halts who watches this.
pub(super) static NEVER: AtomicBool = AtomicBool::new(false);

/// What may stop a worker: the user, or another worker that has failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch<'a> {
    pub cancel: &'a Cancel,
    pub halted: &'a AtomicBool,
}

impl Watch<'_> {
    /// Returns true where there is no point in going on.
    pub fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || self.halted.load(Ordering::Relaxed)
    }

    /// Goes on, unless there is no point.
    pub fn check(&self) -> Result<(), Stop> {
        if self.is_over() { Err(Stop::Fatal(SourceError::Cancelled)) } else { Ok(()) }
    }
}

/// What is known of the server and its moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub version: String,
    /// The version as a number, such as 150018.
    pub number: u32,
    pub seen_at: Option<String>,
}

/// A connection inside its transaction.
pub(super) struct Session {
    /// Where it leads, for messages.
    pub place: String,
    /// The name that others join its point by; nothing where the server has no such names.
    pub exported: Option<String>,
    /// The number of its point: sessions of one point see the same rows.
    pub point: u64,
    pub facts: Facts,
    /// Longest silence of the server before the link counts as lost.
    pub silence: Duration,
    client: Option<Client>,
    tls: MakeRustlsConnect,
    /// Drives the socket; ends when the client is gone.
    task: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

/// Why a wait ended without a result.
#[derive(Debug)]
pub(super) enum Wait {
    Over,
    TimedOut,
}

/// Ticks while a future waits, so that a wish to stop and the end of patience are noticed.
struct Ticker<'a> {
    watch: Watch<'a>,
    limit: Option<Duration>,
    since: Instant,
}

impl Ticker<'_> {
    fn poll(&self, tick: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<Wait> {
        if self.watch.is_over() {
            return Poll::Ready(Wait::Over);
        }
        if self.limit.is_some_and(|limit| self.since.elapsed() >= limit) {
            return Poll::Ready(Wait::TimedOut);
        }
        let mut tick = tick;
        while tick.as_mut().poll(cx).is_ready() {
            tick.as_mut().reset(tokio::time::Instant::now() + PIECE);
        }
        Poll::Pending
    }
}

/// Waits for a future, for as long as there is patience and a point in it.
pub(super) async fn watched<T>(
    watch: Watch<'_>,
    limit: Option<Duration>,
    work: impl Future<Output = T>,
) -> Result<T, Wait> {
    let mut work = pin!(work);
    let mut tick = pin!(tokio::time::sleep(PIECE));
    let ticker = Ticker { watch, limit, since: Instant::now() };
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Ok(value)),
        Poll::Pending => ticker.poll(tick.as_mut(), cx).map(Err),
    })
    .await
}

/// Says that the server was silent for too long.
fn silent(place: &str, limit: Duration) -> Stop {
    let problem = format!("the server sent nothing for {} s", limit.as_secs());
    let advice = "is the network, VPN or tunnel up, is what is read locked? `limits.silence` gives it longer";
    Stop::Lost(PostgresError::new(place, problem, advice))
}

impl Session {
    /// Makes a session of a new connection whose socket `drive` looks after.
    pub fn new(
        runtime: Runtime,
        client: Client,
        drive: impl Future<Output = ()> + Send + 'static,
        tls: MakeRustlsConnect,
        place: String,
        silence: Duration,
    ) -> Self {
        let task = runtime.spawn(drive);
        Session {
            place,
            exported: None,
            point: 0,
            facts: Facts { version: String::new(), number: 0, seen_at: None },
            silence,
            client: Some(client),
            tls,
            task: Some(task),
            runtime: Some(runtime),
        }
    }

    fn parts(&self) -> Result<(&Runtime, &Client), Stop> {
        let lost = || Stop::Lost(PostgresError::new(&*self.place, "the connection is closed", "try again"));
        self.runtime.as_ref().zip(self.client.as_ref()).ok_or_else(lost)
    }

    fn wait<T>(
        &self,
        cancel: &Cancel,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Stop> {
        let (runtime, client) = self.parts()?;
        // Statements are short: only the user breaks them off.
        let watch = Watch { cancel, halted: &NEVER };
        runtime.block_on(async {
            match watched(watch, Some(self.silence), work).await {
                Ok(result) => result.map_err(|error| of_statement(&self.place, &error)),
                Err(wait) => Err(self.ended(wait, client).await),
            }
        })
    }

    /// Runs statements and returns the rows of all of them as texts.
    pub fn rows(&self, sql: &str, cancel: &Cancel) -> Result<Vec<Vec<Option<String>>>, Stop> {
        let (_, client) = self.parts()?;
        let messages = self.wait(cancel, client.simple_query(sql))?;
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
            }
            _ => None,
        };
        Ok(messages.iter().filter_map(row).collect())
    }

    /// Has the server work out what a query returns.
    pub fn prepare(&self, sql: &str, cancel: &Cancel) -> Result<Statement, Stop> {
        let (_, client) = self.parts()?;
        self.wait(cancel, client.prepare(sql))
    }

    /// Runs something so that the transaction is as before where it fails and the link holds.
    pub fn guarded<T>(
        &self,
        cancel: &Cancel,
        before: &str,
        work: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.between(cancel, before, "RELEASE SAVEPOINT part", work)
    }

    /// Does the same, and leaves nothing locked.
    pub fn unlocked<T>(&self, cancel: &Cancel, work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
        self.between(cancel, "", UNDO, work)
    }

    fn between<T>(
        &self,
        cancel: &Cancel,
        before: &str,
        after: &str,
        work: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.rows(&format!("SAVEPOINT part; {before}"), cancel)?;
        let done = work();
        let after = match &done {
            Ok(_) => after,
            Err(Stop::Lost(_)) => return done,
            Err(Stop::Fatal(_)) if cancel.is_cancelled() => return done,
            Err(Stop::Fatal(_)) => UNDO,
        };
        match self.rows(after, cancel) {
            Ok(_) => done,
            // A session that cannot be brought back is of no more use, but another may be.
            Err(Stop::Fatal(error)) if !cancel.is_cancelled() => {
                let problem = format!("the transaction could not go on ({error})");
                Err(Stop::Lost(PostgresError::new(&*self.place, problem, "try again")))
            }
            Err(stop) => Err(stop),
        }
    }

    /// Copies out what a statement gives, piece by piece; false where `take` wanted no more.
    ///
    /// Until the first piece there is patience for `first`, or without end; from then on, for the usual silence.
    /// The session can be used again, unless the link was lost or the user stopped.
    pub fn copy(
        &self,
        sql: &str,
        first: Option<Duration>,
        watch: Watch<'_>,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<bool, Stop> {
        let (runtime, client) = self.parts()?;
        let failed = |error: &tokio_postgres::Error| of_statement(&self.place, error);
        let alone = Watch { cancel: watch.cancel, halted: &NEVER };
        runtime.block_on(async {
            let stream = match watched(alone, first, client.copy_out(sql)).await {
                Ok(stream) => stream.map_err(|error| failed(&error))?,
                Err(wait) => return Err(self.ended(wait, client).await),
            };
            let mut stream = pin!(stream);
            match pieces(stream.as_mut(), watch, first, self.silence, &mut |bytes| take(bytes)).await {
                Ok(End::Complete) => return Ok(true),
                Ok(End::Unwanted) => {}
                Ok(End::Waited(Wait::Over)) if !watch.cancel.is_cancelled() => {}
                Ok(End::Waited(wait)) => return Err(self.ended(wait, client).await),
                Err(error) => return Err(failed(&error)),
            }
            // What is under way is taken in, so that a wish to cancel hits only what it is for.
            let mut rest = UNDER_WAY;
            let mut enough = |bytes: &[u8]| {
                rest = rest.saturating_sub(bytes.len());
                rest > 0
            };
            let mut end = pieces(stream.as_mut(), alone, None, self.silence, &mut enough).await;
            if matches!(end, Ok(End::Unwanted)) {
                self.ask_to_end(client).await;
                end = pieces(stream.as_mut(), alone, None, self.silence, &mut |_| true).await;
            }
            match end {
                Ok(End::Complete | End::Unwanted) => {}
                Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {}
                Ok(End::Waited(wait)) => return Err(self.ended(wait, client).await),
                Err(error) => return Err(failed(&error)),
            }
            if watch.is_over() { Err(Stop::Fatal(SourceError::Cancelled)) } else { Ok(false) }
        })
    }

    async fn ended(&self, wait: Wait, client: &Client) -> Stop {
        match wait {
            Wait::TimedOut => silent(&self.place, self.silence),
            Wait::Over => {
                self.ask_to_end(client).await;
                Stop::Fatal(SourceError::Cancelled)
            }
        }
    }

    /// Asks the server to end what it does for this session.
    async fn ask_to_end(&self, client: &Client) {
        let token = client.cancel_token();
        let asked = token.cancel_query(self.tls.clone());
        // Who does not answer has nothing to end, or will notice that nobody reads.
        let _ = tokio::time::timeout(FAREWELL, asked).await;
    }
}

/// How the pieces of a stream came to an end.
enum End {
    /// All were taken.
    Complete,
    /// No more were wanted.
    Unwanted,
    /// None came any more.
    Waited(Wait),
}

/// Hands on what comes, until it ends or is not wanted.
async fn pieces(
    mut stream: Pin<&mut CopyOutStream>,
    watch: Watch<'_>,
    first: Option<Duration>,
    silence: Duration,
    take: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<End, tokio_postgres::Error> {
    let mut tick = pin!(tokio::time::sleep(PIECE));
    let mut ticker = Ticker { watch, limit: first, since: Instant::now() };
    poll_fn(|cx| {
        let mut came = false;
        loop {
            match stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => {
                    came = true;
                    if !take(&bytes) {
                        return Poll::Ready(Ok(End::Unwanted));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(End::Complete)),
                Poll::Pending => break,
            }
        }
        if came {
            ticker.since = Instant::now();
            ticker.limit = Some(silence);
        }
        ticker.poll(tick.as_mut(), cx).map(|wait| Ok(End::Waited(wait)))
    })
    .await
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without its client the connection says farewell and ends.
        drop(self.client.take());
        if let (Some(runtime), Some(task)) = (self.runtime.take(), self.task.take()) {
            let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, task).await });
            // Whoever looks up a name meanwhile is not waited for.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("place", &self.place)
            .field("point", &self.point)
            .finish_non_exhaustive()
    }
}
