//! A responder in the place of SQL Server: it speaks TDS 7.2 to 7.4 as the document MS-TDS says, and answers what a
//! test's script says.
//!
//! It listens on a free port of 127.0.0.1, without encryption, and takes any log-in unless the test refuses it. It
//! knows batches, the procedures of prepared statements, transactions and attention; other procedures go to the script.
//! What a client sends that the protocol does not have fails the test.

mod bytes;
mod calls;
mod connection;
pub mod freetds;
mod login;
mod packet;
mod script;
mod tokens;
mod types;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub use login::Login;
pub use script::{Answer, Column, Ending, Request, Row, ServerError, column, row};
pub use types::Type;

/// What a client did.
#[derive(Debug, Clone)]
pub enum Event {
    LogIn,
    Sql(Request),
    /// `begin`, `commit` or `rollback`.
    Transaction(&'static str),
    /// It cancelled what it had asked for.
    Attention,
}

type Script = Box<dyn Fn(&Request) -> Answer + Send + Sync>;
type Gate = Box<dyn Fn(&Login) -> Option<ServerError> + Send + Sync>;

/// What the threads share.
struct Shared {
    script: Script,
    gate: Gate,
    /// What clients did, each with the number of its connection, from 0.
    log: Mutex<Vec<(usize, Event)>>,
    streams: Mutex<Vec<TcpStream>>,
    problems: Mutex<Vec<String>>,
    stopping: AtomicBool,
}

impl Shared {
    fn note(&self, connection: usize, event: Event) {
        lock(&self.log).push((connection, event));
    }

    fn log_in(&self, connection: usize, login: &Login) -> Option<ServerError> {
        self.note(connection, Event::LogIn);
        (self.gate)(login)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server; it stops when it is dropped, and fails the test where a client broke the protocol.
pub struct Responder {
    pub port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

impl Responder {
    /// Starts one that answers by a script.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Responder::with_gate(|_| None, script)
    }

    /// Starts one that refuses log-ins for which the gate gives an error.
    pub fn with_gate(
        gate: impl Fn(&Login) -> Option<ServerError> + Send + Sync + 'static,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            gate: Box::new(gate),
            log: Mutex::default(),
            streams: Mutex::default(),
            problems: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let listening = thread::spawn({
            let shared = Arc::clone(&shared);
            move || listen(&listener, &shared)
        });
        Responder { port, shared, listening: Some(listening) }
    }

    /// What clients did so far, each with the number of its connection, from 0.
    pub fn log(&self) -> Vec<(usize, Event)> {
        lock(&self.shared.log).clone()
    }

    /// The SQL that came so far.
    pub fn sql(&self) -> Vec<String> {
        let log = self.log().into_iter();
        log.filter_map(|(_, event)| if let Event::Sql(request) = event { Some(request.sql) } else { None })
            .collect()
    }

    /// How many attentions came so far.
    pub fn attentions(&self) -> usize {
        self.log().iter().filter(|(_, event)| matches!(event, Event::Attention)).count()
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for stream in lock(&self.shared.streams).iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the listener.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let joined = self.listening.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(joined, Some(Ok(()))), "the responder panicked");
            let problems = lock(&self.shared.problems);
            assert!(problems.is_empty(), "a client broke the protocol: {}", problems.join("; "));
        }
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut serving = Vec::new();
    for (number, stream) in listener.incoming().enumerate() {
        let stream = stream.expect("a connection");
        lock(&shared.streams).push(stream.try_clone().expect("a handle of the connection"));
        // What was opened after the others were closed is the wish to stop.
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let shared = Arc::clone(shared);
        serving.push(thread::spawn(move || {
            if let Err(problem) = connection::serve(&stream, number, &shared)
                && !shared.stopping.load(Ordering::SeqCst)
            {
                lock(&shared.problems).push(problem);
            }
        }));
    }
    for thread in serving {
        thread.join().expect("a connection's thread does not panic");
    }
}
