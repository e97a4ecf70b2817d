//! Threads for drivers: what runs there may break or hang without taking the program with it.
//!
//! A driver is foreign code that blocks. So each call that may wait for a server runs in a thread of its own; the one
//! who asked waits with a limit, breaks off the statement where the user stops, and gives the thread up where it does
//! not come back. A thread that was given up stays until its driver returns or the program ends, with its connection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::source::{Cancel, SourceError};

use super::native::Canceller;
use super::problem::OdbcProblem;

/// How often a wish to stop is looked for.
const PIECE: Duration = Duration::from_millis(50);
/// How long a driver may take to break off what it is doing.
const GRACE: Duration = Duration::from_secs(5);

/// What comes from a thread: things on the way, and an end.
enum Sent<M, T> {
    Message(M),
    End(Result<T, SourceError>),
}

/// Work in a thread of its own.
pub(super) struct Apart<M, T> {
    received: Receiver<Sent<M, T>>,
    canceller: Arc<Canceller>,
    doing: &'static str,
}

/// What work in another thread has come to.
pub(super) enum Next<M, T> {
    /// Something on the way.
    Message(M),
    /// It is done.
    End(T),
}

/// Sends on the way; false where nobody listens any more.
pub(super) struct Sender<M, T>(SyncSender<Sent<M, T>>);

impl<M, T> Clone for Sender<M, T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

impl<M, T> Sender<M, T> {
    pub fn send(&self, message: M) -> bool {
        self.0.send(Sent::Message(message)).is_ok()
    }
}

impl<M: Send + 'static, T: Send + 'static> Apart<M, T> {
    /// Begins work; `canceller` breaks it off.
    pub fn start(
        doing: &'static str,
        canceller: Arc<Canceller>,
        work: impl FnOnce(&Sender<M, T>) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (sender, received) = sync_channel(2);
        let sender = Sender(sender);
        let run = move || {
            let end = catch_unwind(AssertUnwindSafe(|| work(&sender)))
                .unwrap_or_else(|_| Err(OdbcProblem::Broke(doing).into()));
            // Where nobody listens, the result goes; to let go of a connection may break too.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(sender.0.send(Sent::End(end)))));
        };
        std::thread::Builder::new()
            .name("odbc".to_owned())
            .spawn(run)
            .map_err(|error| SourceError::Sink(error.into()))?;
        Ok(Apart { received, canceller, doing })
    }

    /// Waits for what comes next, at most for `limit`.
    pub fn next(&self, limit: Option<Duration>, cancel: &Cancel) -> Result<Next<M, T>, SourceError> {
        let start = Instant::now();
        loop {
            match self.received.recv_timeout(PIECE) {
                Ok(Sent::Message(message)) => return Ok(Next::Message(message)),
                Ok(Sent::End(end)) => return end.map(Next::End),
                Err(RecvTimeoutError::Disconnected) => return Err(OdbcProblem::Broke(self.doing).into()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if cancel.is_cancelled() {
                self.give_up();
                return Err(SourceError::Cancelled);
            }
            if limit.is_some_and(|limit| start.elapsed() > limit) {
                self.give_up();
                let seconds = start.elapsed().as_secs();
                return Err(OdbcProblem::Hung { doing: self.doing, seconds }.into());
            }
        }
    }

    /// Waits for the end, at most for `limit`.
    pub fn end(&self, limit: Option<Duration>, cancel: &Cancel) -> Result<T, SourceError> {
        loop {
            if let Next::End(end) = self.next(limit, cancel)? {
                return Ok(end);
            }
        }
    }

    /// Asks the driver to break off, and waits a little for it to do so.
    pub fn give_up(&self) {
        let until = Instant::now() + GRACE;
        // To break off may hang as well.
        let canceller = Arc::clone(&self.canceller);
        let _ = std::thread::Builder::new().name("odbc".to_owned()).spawn(move || canceller.cancel());
        while Instant::now() < until {
            match self.received.recv_timeout(PIECE) {
                Ok(Sent::End(_)) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Sent::Message(_)) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// The connections that may be open at a time.
#[derive(Debug)]
pub(super) struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to one connection; it goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot<'a>(&'a Slots);

impl Slots {
    pub fn new(connections: usize) -> Self {
        Slots { free: Mutex::new(connections), freed: Condvar::new() }
    }

    /// Waits for a connection to be free, as long as `wanted` says.
    pub fn take(&self, wanted: impl Fn() -> bool) -> Option<Slot<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if !wanted() {
                return None;
            }
            if *free > 0 {
                *free -= 1;
                return Some(Slot(self));
            }
            free = self.freed.wait_timeout(free, PIECE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(work: impl FnOnce() -> i32 + Send + 'static) -> Apart<(), i32> {
        Apart::start("waiting", Arc::default(), move |_| Ok(work())).unwrap()
    }

    #[test]
    fn what_hangs_is_given_up() {
        let hanging = start(|| {
            std::thread::sleep(Duration::from_secs(30));
            1
        });
        let begin = Instant::now();
        let error = hanging.end(Some(Duration::from_millis(200)), &Cancel::default()).unwrap_err();
        assert!(error.to_string().contains("has not answered"), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn what_breaks_is_an_error() {
        let broken = start(|| panic!("a driver's bug"));
        let error = broken.end(None, &Cancel::default()).unwrap_err();
        assert!(error.to_string().contains("broke while waiting"), "{error}");
        assert_eq!(start(|| 7).end(None, &Cancel::default()).unwrap(), 7);
    }

    #[test]
    fn there_are_never_more_connections_than_slots() {
        let slots = Slots::new(1);
        let first = slots.take(|| true).unwrap();
        assert!(slots.take(|| false).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| slots.take(|| true).is_some());
            std::thread::sleep(Duration::from_millis(20));
            assert!(!second.is_finished());
            drop(first);
            assert!(second.join().unwrap());
        });
    }
}
