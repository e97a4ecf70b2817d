//! One connection: a thread reads what the client sends, this one answers.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::calls::{self, Call};
use super::login::{self, Version};
use super::packet::{self, Message, Reply, Stop};
use super::script::{Answer, Ending, Request};
use super::tokens::{self, Done};
use super::{Event, Shared};

/// Serves a client until it leaves. What it does that is not of the protocol is an error.
pub fn serve(stream: &TcpStream, number: usize, shared: &Shared) -> Result<(), String> {
    let mut reading = stream.try_clone().map_err(|error| error.to_string())?;
    let (sender, inbox) = channel();
    let reader = thread::spawn(move || {
        while let Ok(Some(message)) = packet::read(&mut reading) {
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    let closing = Closing(stream);
    let result = converse(stream, &inbox, number, shared);
    drop(closing);
    reader.join().map_err(|_| "the thread that reads panicked".to_owned())?;
    result
}

/// Closes the connection at the end, also where a script panics: no client waits for it then.
struct Closing<'a>(&'a TcpStream);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn converse(
    stream: &TcpStream,
    inbox: &Receiver<Message>,
    number: usize,
    shared: &Shared,
) -> Result<(), String> {
    let spid = u16::try_from(50 + number).map_err(|error| error.to_string())?;
    let reply = |packet_size| Reply::new(stream, inbox, spid, packet_size);

    let Ok(hello) = inbox.recv() else { return Ok(()) };
    let message = if hello.kind == packet::PRELOGIN {
        let mut answer = reply(4_096);
        if answer.put(&login::prelogin()).and_then(|()| answer.finish()).is_err() {
            return Ok(());
        }
        let Ok(message) = inbox.recv() else { return Ok(()) };
        message
    } else {
        hello
    };
    if message.kind != packet::LOGIN {
        return Err(format!("a packet of type {:#04X} came in the place of a log-in", message.kind));
    }
    let login = login::parse(&message.body)?;
    let refused = shared.log_in(number, &login);
    let mut out = Vec::new();
    if let Some(error) = &refused {
        tokens::error(error, &mut out);
        tokens::done(Done::Statement, tokens::ERROR, 0, &mut out);
    } else {
        tokens::login_accepted(&login, &mut out);
        tokens::done(Done::Statement, 0, 0, &mut out);
    }
    let mut answer = reply(4_096);
    if answer.put(&out).and_then(|()| answer.finish()).is_err() || refused.is_some() {
        return Ok(());
    }

    let mut session = Session {
        number,
        shared,
        version: login.version,
        prepared: BTreeMap::new(),
        handles: 0,
        begun: 0,
        open: 0,
    };
    while let Ok(message) = inbox.recv() {
        let mut answer = reply(login.packet_size);
        match session.answer(&message, &mut answer)? {
            Ok(()) => {}
            Err(Stop::Attention) => {
                shared.note(number, Event::Attention);
                let mut out = Vec::new();
                tokens::done(Done::Statement, tokens::ATTENTION, 0, &mut out);
                // Nothing can come between an attention and its answer.
                let _ = answer.put(&out);
            }
            Err(Stop::Cut | Stop::Gone) => return Ok(()),
        }
        if answer.finish().is_err() {
            return Ok(());
        }
    }
    Ok(())
}

struct Session<'a> {
    number: usize,
    shared: &'a Shared,
    version: Version,
    /// The SQL of prepared statements, by their handles.
    prepared: BTreeMap<i32, String>,
    handles: i32,
    /// How many transactions were begun.
    begun: u64,
    /// The transaction that is open; 0 is none.
    open: u64,
}

impl Session<'_> {
    /// Answers a message; the outer error is of the client, the inner one says why the reply broke off.
    fn answer(&mut self, message: &Message, reply: &mut Reply) -> Result<Result<(), Stop>, String> {
        if matches!(message.kind, packet::BATCH | packet::RPC) {
            let named = calls::in_transaction(&message.body)?;
            if named != self.open {
                return Err(format!("a request names transaction {named}, where {} is open", self.open));
            }
        }
        match message.kind {
            packet::ATTENTION => Ok(Err(Stop::Attention)),
            packet::BATCH => {
                let request = Request { sql: calls::batch(&message.body)?, parameters: Vec::new() };
                // A transaction may be begun and ended by a statement too.
                let words = request.sql.to_lowercase();
                let wish = match words.split_whitespace().collect::<Vec<_>>()[..] {
                    ["begin", "tran" | "transaction"] => Some(BEGIN),
                    ["commit", ..] => Some(COMMIT),
                    ["rollback", ..] => Some(ROLLBACK),
                    _ => None,
                };
                if let Some(wish) = wish {
                    self.shared.note(self.number, Event::Sql(request));
                    return self.transaction(wish, false, reply);
                }
                let answer = self.ask(request);
                Ok(self.send(reply, &answer, Done::Statement).map(drop))
            }
            packet::RPC => {
                let calls = calls::calls(&message.body)?;
                for (at, call) in calls.iter().enumerate() {
                    let more = if at + 1 < calls.len() { tokens::MORE } else { 0 };
                    if let Err(stop) = self.call(call, more, reply)? {
                        return Ok(Err(stop));
                    }
                }
                Ok(Ok(()))
            }
            packet::TRANSACTION => {
                let (wish, another) = calls::transaction(&message.body)?;
                self.transaction(wish, another, reply)
            }
            other => Err(format!("a packet of type {other:#04X} is not known here")),
        }
    }

    fn call(&mut self, call: &Call, more: u16, reply: &mut Reply) -> Result<Result<(), Stop>, String> {
        let text = |at: usize| -> Result<String, String> {
            let value = call.parameters.get(at).and_then(|(_, value)| value.clone());
            value.ok_or_else(|| format!("{} has no parameter {at}", call.procedure))
        };
        let from = |at: usize| call.parameters.get(at..).unwrap_or_default().to_vec();
        let mut handle = None;
        let answer = match call.procedure.as_str() {
            "sp_executesql" => self.ask(Request { sql: text(0)?, parameters: from(2) }),
            "sp_prepare" => {
                let sql = text(2)?;
                handle = Some(self.prepare(&sql));
                let answer = self.ask(Request { sql, parameters: Vec::new() });
                Answer { rows: Vec::new(), ..answer }
            }
            "sp_prepexec" => {
                let sql = text(2)?;
                handle = Some(self.prepare(&sql));
                self.ask(Request { sql, parameters: from(3) })
            }
            "sp_execute" => {
                let sql = self.statement(&text(0)?)?;
                self.ask(Request { sql, parameters: from(1) })
            }
            "sp_unprepare" => {
                let handle = text(0)?;
                self.statement(&handle)?;
                self.prepared.retain(|own, _| own.to_string() != handle);
                Answer::done()
            }
            name if name.starts_with("sp_cursor") => return Err(format!("{name} is not known here")),
            name => self.ask(Request { sql: format!("exec {name}"), parameters: from(0) }),
        };
        let failed = match self.send(reply, &answer, Done::InProcedure) {
            Ok(failed) => failed,
            Err(stop) => return Ok(Err(stop)),
        };
        let mut out = Vec::new();
        tokens::return_status(i32::from(failed), &mut out);
        if let Some(handle) = handle {
            tokens::return_handle(handle, self.version, &mut out);
        }
        tokens::done(Done::Procedure, more, 0, &mut out);
        Ok(reply.put(&out))
    }

    fn transaction(
        &mut self,
        wish: u16,
        another: bool,
        reply: &mut Reply,
    ) -> Result<Result<(), Stop>, String> {
        let mut out = Vec::new();
        let wishes = if another { vec![wish, BEGIN] } else { vec![wish] };
        for wish in wishes {
            let (name, change) = match wish {
                BEGIN => ("begin", 8),
                COMMIT => ("commit", 9),
                ROLLBACK => ("rollback", 10),
                other => return Err(format!("a transaction request {other} is not known here")),
            };
            self.shared.note(self.number, Event::Transaction(name));
            if (wish == BEGIN) != (self.open == 0) {
                return Err(format!("a transaction cannot {name} where {} is open", self.open));
            }
            if wish == BEGIN {
                self.begun += 1;
                self.open = self.begun;
                tokens::transaction(change, self.open, &mut out);
            } else {
                tokens::transaction(change, std::mem::take(&mut self.open), &mut out);
            }
        }
        tokens::done(Done::Statement, 0, 0, &mut out);
        Ok(reply.put(&out))
    }

    fn ask(&self, request: Request) -> Answer {
        self.shared.note(self.number, Event::Sql(request.clone()));
        (self.shared.script)(&request)
    }

    fn prepare(&mut self, sql: &str) -> i32 {
        self.handles += 1;
        self.prepared.insert(self.handles, sql.to_owned());
        self.handles
    }

    fn statement(&self, handle: &str) -> Result<String, String> {
        let number = handle.parse().ok();
        number
            .and_then(|number: i32| self.prepared.get(&number).cloned())
            .ok_or_else(|| format!("there is no prepared statement {handle}"))
    }

    /// Sends an answer; true where it was an error.
    fn send(&self, reply: &mut Reply, answer: &Answer, done: Done) -> Result<bool, Stop> {
        if let Ending::CutAfterBytes(bytes) = answer.ending {
            reply.cut_after(bytes);
        }
        let mut out = Vec::new();
        if !answer.columns.is_empty() {
            tokens::columns(&answer.columns, self.version, &mut out);
        }
        let ends_at = match &answer.ending {
            Ending::Whole | Ending::CutAfterBytes(_) => usize::MAX,
            Ending::Error(rows, _) | Ending::CutAfterRows(rows) | Ending::Stall(rows) => *rows,
        };
        for row in answer.rows.iter().take(ends_at) {
            reply.put(&out)?;
            out.clear();
            tokens::row(&answer.columns, row, self.version, &mut out);
        }
        reply.put(&out)?;
        out.clear();
        let rows = answer.rows.len().min(ends_at) as u64;
        match &answer.ending {
            Ending::Whole | Ending::CutAfterBytes(_) => {
                let count = if answer.columns.is_empty() { 0 } else { tokens::COUNT };
                tokens::done(done, more_after(done) | count, rows, &mut out);
                reply.put(&out)?;
                if matches!(answer.ending, Ending::CutAfterBytes(_)) {
                    reply.flush()?;
                    return Err(Stop::Cut);
                }
                Ok(false)
            }
            Ending::Error(_, error) => {
                tokens::error(error, &mut out);
                tokens::done(done, more_after(done) | tokens::ERROR, 0, &mut out);
                reply.put(&out)?;
                if error.severity >= FATAL {
                    reply.flush()?;
                    return Err(Stop::Cut);
                }
                Ok(true)
            }
            Ending::CutAfterRows(_) => {
                reply.flush()?;
                Err(Stop::Cut)
            }
            Ending::Stall(_) => {
                reply.flush()?;
                Err(reply.stall())
            }
        }
    }
}

// What may be wished for a transaction.
const BEGIN: u16 = 5;
const COMMIT: u16 = 7;
const ROLLBACK: u16 = 8;

/// From this severity on the server closes the connection.
const FATAL: u8 = 20;

/// Inside a procedure its own end always follows.
fn more_after(done: Done) -> u16 {
    match done {
        Done::InProcedure => tokens::MORE,
        Done::Statement | Done::Procedure => 0,
    }
}
