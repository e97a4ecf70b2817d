//! What can go wrong with a PostgreSQL server, said so that someone can act on it.

use std::error::Error as _;
use std::io::ErrorKind;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::source::SourceError;

/// A PostgreSQL database could not be read. No message holds a password, a connection string or a cell's value.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}{}", advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default())]
pub struct PostgresError {
    /// Where it happened: the server and database, or the setting.
    pub place: String,
    /// What happened.
    pub problem: String,
    /// What to try.
    pub advice: Option<String>,
}

impl PostgresError {
    /// Makes an error with advice.
    pub(super) fn new(
        place: impl Into<String>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        PostgresError { place: place.into(), problem: problem.into(), advice: Some(advice.into()) }
    }
}

impl PostgresError {
    /// Adds what to look at where a URL has a further `@`.
    pub(super) fn hinting(mut self, further_at: bool) -> Self {
        if further_at {
            let hint = "the URL has more than one `@`: in a user or password it is written as %40";
            self.advice =
                Some(self.advice.map_or_else(|| hint.to_owned(), |advice| format!("{advice}; {hint}")));
        }
        self
    }
}

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server or the way to it went away: trying again may help.
    Lost(PostgresError),
    /// Trying again does not help.
    Fatal(SourceError),
}

impl Stop {
    /// Makes the end of what cannot be helped.
    pub fn fatal(place: impl Into<String>, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Stop::Fatal(PostgresError::new(place, problem, advice).into())
    }

    /// Returns the error to tell the user.
    pub fn into_error(self) -> SourceError {
        match self {
            Stop::Lost(error) => error.into(),
            Stop::Fatal(error) => error,
        }
    }
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Stop::Fatal(error)
    }
}

/// Sorts an error of a statement: was the link lost, or did the server refuse?
pub(super) fn of_statement(place: &str, error: &Error) -> Stop {
    let Some(refusal) = error.as_db_error() else {
        let problem = format!("the connection was lost ({})", plain(error));
        return Stop::Lost(PostgresError::new(place, problem, "is the network, VPN or tunnel up?"));
    };
    let told = told(place, refusal);
    if is_passing(refusal.code()) { Stop::Lost(told) } else { Stop::Fatal(told.into()) }
}

/// Returns true where the server refuses now and may not refuse later.
fn is_passing(code: &SqlState) -> bool {
    // 40001 and 40P01 come from a standby that has to go on with its replay.
    let text = code.code();
    text.starts_with("08")
        || matches!(text, "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" | "40001" | "40P01")
}

/// Returns true where the server has no connection to spare.
pub(super) fn is_full(error: &Error) -> bool {
    error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

/// Returns true where the server may take another attempt otherwise encrypted.
pub(super) fn is_refused_by_rule(error: &Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Says what the server said, where that cannot hold a cell's value.
pub(super) fn told(place: &str, refusal: &DbError) -> PostgresError {
    let code = refusal.code().code();
    // The messages of these classes name objects, settings and the user's own SQL, never data.
    let shown =
        ["08", "0A", "25", "28", "3D", "3F", "42", "53", "57"].iter().any(|class| code.starts_with(class));
    let said =
        if shown { format!("{} (SQLSTATE {code})", one_line(refusal.message())) } else { unnamed(code) };
    let advice = match code {
        "28P01" => "correct the password: in the URL, `PGPASSWORD` or `.pgpass`",
        "28000" if refusal.message().contains("no encryption") || refusal.message().contains("SSL off") => {
            "the server's pg_hba.conf has no line for this user, database and address without encryption: try `sslmode=require`, or ask its administrator for a line"
        }
        "28000" if refusal.message().contains("pg_hba.conf") => {
            "the server's pg_hba.conf has no line for this user, database, address and encryption: ask its administrator for one, or try another `sslmode`"
        }
        "28000" => "there is no such user, or they may not log in: correct the user, or ask for the right",
        "3D000" => "correct the database in the URL or `PGDATABASE`",
        "42501" => "ask for `grant usage on schema` and `grant select on` what is read",
        "42P01" | "3F000" => "correct the name; one with capitals or blanks stands in double quotes",
        "42703" => "correct the column; a name with capitals or blanks stands in double quotes",
        "53300" => "lower `limits.connections`, or end other connections",
        "53100" | "53200" | "53400" => {
            "the server is short of room: try again later, or with fewer `limits.connections`"
        }
        "57014" => {
            "the server ended the statement: raise `limits.statement_timeout`, or ask who cancelled it"
        }
        "57P01" | "57P02" | "57P03" => "the server is starting or stopping: try again in a moment",
        "55P03" => "someone holds a lock: try again when their work is done",
        "55000" => "what is read is not ready: a materialised view, for example, must be refreshed once",
        _ if code.starts_with("42") => "correct `query` or `where`: the server cannot make sense of it",
        _ if code.starts_with("22") => {
            "a value cannot be worked with as the query or view wants: try the query in a client of the database, which shows it"
        }
        _ if refusal.message().contains("row-level security") => {
            "policies would hide rows: read as a role with BYPASSRLS, or the table's owner"
        }
        _ => return PostgresError { place: place.to_owned(), problem: said, advice: None },
    };
    let advice = match refusal.message() {
        message if code == "42501" && message.contains("row-level security") => {
            "policies would hide rows: read as a role with BYPASSRLS, or the table's owner"
        }
        _ => advice,
    };
    PostgresError::new(place, said, advice)
}

fn unnamed(code: &str) -> String {
    let class = match code.get(..2).unwrap_or_default() {
        "22" => "a value is not as it must be",
        "2B" | "2D" | "40" => "the transaction was ended",
        "54" => "a limit of the program was reached",
        "55" => "an object is not in the right state",
        "58" => "the server's system failed",
        "P0" => "a function raised an error",
        "XX" => "the server's data or program is damaged",
        _ => "the server refused",
    };
    format!("{class} (SQLSTATE {code}; its text may hold data and is not shown)")
}

/// Says why there is no connection. `password` says where a password was looked for.
pub(super) fn of_connecting(place: &str, error: &Error, user: &str, password: &str) -> Stop {
    if let Some(refusal) = error.as_db_error() {
        let mut told = told(place, refusal);
        if refusal.code() == &SqlState::INVALID_PASSWORD {
            told.problem = format!("the server does not accept the password of `{user}` (SQLSTATE 28P01)");
            told.advice = Some(format!("correct it ({password}), or the user"));
        }
        let passing = is_passing(refusal.code()) || refusal.code() == &SqlState::TOO_MANY_CONNECTIONS;
        return if passing { Stop::Lost(told) } else { Stop::Fatal(told.into()) };
    }
    let text = chain(error);
    if text.contains("password missing") {
        let problem = format!("the server wants a password for `{user}`, and there is none");
        return Stop::fatal(
            place,
            problem,
            format!("give one in `PGPASSWORD`, `.pgpass` or the URL ({password})"),
        );
    }
    if text.contains("server does not support TLS") {
        return Stop::Fatal(not_encrypted(place).into());
    }
    if let Some(problem) = tls_problem(error) {
        return Stop::Fatal(PostgresError::new(place, problem.0, problem.1).into());
    }
    if text.contains("authentication") {
        let advice =
            "SCRAM, MD5 and plain passwords are supported; ask the server's administrator for one of them";
        return Stop::fatal(place, "no way to log in that both sides know", advice);
    }
    let (problem, advice) = match io_kind(error) {
        Some(ErrorKind::PermissionDenied) if text.contains("database") => (
            "no server there is as `target_session_attrs` wants it".to_owned(),
            "name the other hosts too, or leave `target_session_attrs` out",
        ),
        Some(kind) => not_reached(kind),
        None => (format!("no connection ({})", plain(error)), "are host and port right?"),
    };
    Stop::Lost(PostgresError::new(place, problem, advice))
}

/// Says that no answer came.
pub(super) fn too_late(place: &str, seconds: u64) -> PostgresError {
    let advice = "is a firewall in the way, is the VPN or tunnel up? `connect_timeout` lengthens the wait";
    PostgresError::new(place, format!("no connection within {seconds} s"), advice)
}

/// Says that a host is not known.
pub(super) fn unknown_host(place: &str, further_at: bool) -> PostgresError {
    let advice = "correct the host; is the VPN up that knows it?";
    PostgresError::new(place, "no address is known for the host", advice).hinting(further_at)
}

/// Says that the server cannot encrypt.
pub(super) fn not_encrypted(place: &str) -> PostgresError {
    let advice = "`sslmode=prefer` or `disable` goes without, where the network may be trusted";
    PostgresError::new(place, "the server offers no encryption, and `sslmode` wants it", advice)
}

/// Says what the system says of a server that is not reached, and what to try.
pub(super) fn not_reached(kind: ErrorKind) -> (String, &'static str) {
    match kind {
        ErrorKind::ConnectionRefused => (
            "nothing answers there: the connection was refused".to_owned(),
            "is the server running, are host and port right, is the VPN or tunnel up?",
        ),
        ErrorKind::NotFound => (
            "there is no such socket".to_owned(),
            "is the server running on this machine, and is `host` the folder of its socket?",
        ),
        ErrorKind::PermissionDenied => {
            ("the system does not let this program connect".to_owned(), "is the socket's folder open to you?")
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            ("the network does not reach it".to_owned(), "is the VPN or tunnel up?")
        }
        ErrorKind::TimedOut => (
            "it did not answer in time".to_owned(),
            "is a firewall in the way, is the VPN or tunnel up? `connect_timeout` lengthens the wait",
        ),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => (
            "the connection was closed while logging in".to_owned(),
            "is this a PostgreSQL server, and not a tunnel without its far end?",
        ),
        kind => (format!("no connection ({kind})"), "are host and port right?"),
    }
}

/// Returns what is wrong with the encryption, and what to try.
fn tls_problem(error: &Error) -> Option<(String, &'static str)> {
    let mut cause = error.source();
    let mut found = None;
    while let Some(inner) = cause {
        found = inner.downcast_ref::<std::io::Error>().and_then(tls_of).or(found);
        cause = inner.source();
    }
    found.map(not_agreed)
}

/// Returns what went wrong with the encryption, where a failure of the stream is that.
pub(super) fn tls_of(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref::<rustls::Error>()
}

/// Says what is wrong with the encryption, and what to try.
pub(super) fn not_agreed(error: &rustls::Error) -> (String, &'static str) {
    use rustls::{CertificateError as Bad, Error as Tls};
    match error {
        Tls::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => (
            "the server's certificate has expired".to_owned(),
            "the server needs a new one; is this machine's clock right?",
        ),
        Tls::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            ("the server's certificate is not valid yet".to_owned(), "is this machine's clock right?")
        }
        Tls::InvalidCertificate(Bad::UnknownIssuer) => (
            "the server's certificate is from nobody who is trusted".to_owned(),
            "give the certificate of its authority in `root_certificate`",
        ),
        Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => (
            "the server's certificate is for another name than the host".to_owned(),
            "connect by the name in the certificate (as a subject alternative name), or use `sslmode=verify-ca`",
        ),
        Tls::InvalidCertificate(other) => (
            format!("the server's certificate cannot be used ({other:?})"),
            "the server needs another one; `sslmode=require` encrypts without testing it",
        ),
        Tls::AlertReceived(alert) => (
            format!("the server broke off the encryption ({alert:?})"),
            "does it want a client certificate (`sslcert`, `sslkey`)?",
        ),
        other => (
            format!("no encryption could be agreed on ({other})"),
            "TLS 1.2 and 1.3 are supported; is the server's OpenSSL older?",
        ),
    }
}

/// Returns the first system error in the chain.
fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return Some(io.kind());
        }
        cause = inner.source();
    }
    None
}

/// Returns what an error that is not the server's says: none of its texts holds data.
fn plain(error: &Error) -> String {
    match io_kind(error) {
        Some(kind) => kind.to_string(),
        None => one_line(&error.to_string()),
    }
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
