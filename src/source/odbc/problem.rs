//! What goes wrong between us, the driver and the server.

use std::fmt;

use odbc_api::Error;
use odbc_api::handles::Record;

use crate::source::dialect::{self, Dialect, Failure};

/// A database could not be read through its driver. No message shows a cell's value or a connection string.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OdbcProblem {
    /// The connection string names a driver that is not installed.
    #[error("there is no ODBC driver `{name}`: {}", list(installed))]
    NoDriver {
        /// The name in the connection string.
        name: String,
        /// The drivers that are there.
        installed: Vec<String>,
    },
    /// The driver's library is not there.
    #[error("the library {file} of the ODBC driver is not there: {REINSTALL}")]
    NoLibrary {
        /// Its file.
        file: String,
    },
    /// The driver's library is for another processor.
    #[error(
        "the library {file} of the ODBC driver is for {theirs}, and this program for {ours}: {OTHER_LIBRARY}"
    )]
    OtherProcessor {
        /// Its file.
        file: String,
        /// What it is for.
        theirs: &'static str,
        /// What the program is for.
        ours: &'static str,
    },
    /// A brace of the connection string is not closed. Nothing of it is shown: a password may be in any of it.
    #[error(
        "the connection string has a `{{` without its `}}`, or a driver's name with `;` or `=` in it: write `Driver={{name}};`, \
         and `}}}}` for a brace in a value that stands in braces"
    )]
    Brace,
    /// The driver or its manager refuses something.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// There is no such table.
    #[error("there is no table `{0}`, or this user may not see it: name it as in `schema.table`")]
    NoTable(String),
    /// A column cannot be read exactly.
    #[error("column `{column}`: {why}; leave it out by `omit`, or read a `query` that converts it")]
    Column {
        /// Their name of the column.
        column: String,
        /// Why not.
        why: String,
    },
    /// A value is one that the column's reading would change.
    #[error("a value is not of the column's type as it is read; run again")]
    Unfit,
    /// A value cannot be taken.
    #[error("row {row} of {part}, column {position} (`{column}`): {wrong}")]
    Cell {
        /// The row in its part, from 1.
        row: u64,
        /// Which rows were being read.
        part: String,
        /// The column's position among those that are read, from 1.
        position: usize,
        /// Their name of the column.
        column: String,
        /// What is wrong.
        wrong: Wrong,
    },
    /// The driver does not answer.
    #[error(
        "the driver has not answered for {seconds} s while {doing}: it was given up; its thread may stay until the program \
         ends (`limits.silence` and `limits.statement_timeout` give it longer)"
    )]
    Hung {
        /// What it was asked to do.
        doing: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The driver, or what reads from it, broke.
    #[error("the ODBC driver broke while {0}: update it, or try another one")]
    Broke(&'static str),
    /// There is nothing to try a database with.
    #[error(
        "there are no samples for the dialect `{0}`: name the database's own in `dialect`, where it has one"
    )]
    NoSamples(&'static str),
    /// The driver changes letters.
    #[error("the driver does not take letters beyond ASCII as they are: another driver of this database may")]
    Letters,
    /// What an earlier reading left cannot be used.
    #[error("what an earlier reading left is not readable: run again without `--resume`")]
    Plan,
}

const REINSTALL: &str = "install the driver anew, or correct its path in odbcinst.ini";
const OTHER_LIBRARY: &str = "install the driver that was built for this processor";

impl OdbcProblem {
    /// Changes the words of the driver, where there are any.
    pub(super) fn told_with(mut self, change: impl FnOnce(&str) -> String) -> Self {
        if let OdbcProblem::Refused(refusal) = &mut self {
            refusal.text = refusal.text.as_deref().map(change);
        }
        self
    }

    /// Returns what happened, and what to try where that stands apart.
    pub(in crate::source) fn parts(&self) -> (String, Option<String>) {
        match self {
            OdbcProblem::Refused(refusal) => (refusal.said(), refusal.advice().map(str::to_owned)),
            OdbcProblem::NoDriver { name, installed } => {
                (format!("there is no ODBC driver `{name}`"), Some(list(installed)))
            }
            other => {
                let text = other.to_string();
                let apart = [REINSTALL, OTHER_LIBRARY].into_iter().find(|advice| text.ends_with(advice));
                match apart {
                    Some(advice) => {
                        let text = text.strip_suffix(advice).unwrap_or_default();
                        (text.trim_end_matches(": ").to_owned(), Some(advice.to_owned()))
                    }
                    None => (text, None),
                }
            }
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none is installed; install the one of your database, or give its file's whole path"
            .to_owned();
    }
    format!("installed are {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It did not fit.
    #[error(
        "the value was cut off by the driver: it is longer than any was when the reading began, so run again; \
         if it stays, the driver does not say the truth about lengths"
    )]
    Truncated,
    /// It is not of its type.
    #[error("what the driver gives is not of the column's type")]
    Type,
    /// It is not text.
    #[error("what the driver gives is not well-formed text")]
    Text,
    /// It is finer than a microsecond.
    #[error("it has fractions of a microsecond, which a timestamp here does not hold")]
    Fine,
}

/// A diagnostic of the driver.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What it was asked to do.
    pub doing: &'static str,
    /// The SQLSTATE.
    pub state: String,
    /// The database's own code.
    pub native: i32,
    /// Its text, where that holds no value and no secret.
    pub text: Option<String>,
    /// What its database is known to say.
    known: Option<&'static Failure>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.doing, self.said())?;
        match self.advice() {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

impl Refusal {
    /// Takes what a call of the driver left; its text only where `shown`. The dialect knows what it means.
    pub(in crate::source) fn new(
        doing: &'static str,
        dialect: Option<&dyn Dialect>,
        error: &Error,
        shown: bool,
    ) -> Self {
        let (Error::Diagnostics { record, .. }
        | Error::UnsupportedOdbcApiVersion(record)
        | Error::InvalidRowArraySize { record, .. }
        | Error::UnableToRepresentNull(record)) = error
        else {
            return Refusal { doing, state: "HY000".to_owned(), native: 0, text: None, known: None };
        };
        let Record { state, native_error, message } = record;
        let state: String =
            state.0.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_alphanumeric).collect();
        let text = String::from_utf16_lossy(message);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let known = dialect.and_then(|dialect| dialect::known(dialect, *native_error, &text));
        let shown = shown && (doing == CONNECTING || names_no_value(&state));
        let text = (shown && !text.is_empty()).then_some(text);
        Refusal { doing, state, native: *native_error, text, known }
    }

    /// Notes that the connection is lost, whatever the driver says.
    pub(super) fn lose(&mut self) {
        "08S01".clone_into(&mut self.state);
        self.known = self.known.filter(|known| known.passes);
    }

    /// Returns the driver's words.
    fn said(&self) -> String {
        let text = self.text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
        format!("SQLSTATE {}, code {}{text}", self.state, self.native)
    }

    /// Returns true where a statement took longer than it might: it would again.
    pub(super) fn is_timeout(&self) -> bool {
        self.doing != CONNECTING && matches!(self.state.as_str(), "HYT00" | "HYT01") && self.known.is_none()
    }

    /// Returns true where the connection is lost, or the server asks to try again.
    pub fn is_passing(&self) -> bool {
        if let Some(known) = self.known {
            return known.passes;
        }
        let connecting = self.doing == CONNECTING;
        self.state.starts_with("08")
            || (connecting && matches!(self.state.as_str(), "HYT00" | "HYT01"))
            || matches!(self.state.as_str(), "57P01" | "57P02" | "57P03" | "40001")
    }

    fn advice(&self) -> Option<&'static str> {
        if let Some(known) = self.known {
            return Some(known.advice);
        }
        let state = self.state.as_str();
        let connecting = self.doing == CONNECTING;
        Some(match state {
            "IM002" => "the connection string names no driver and no data source that is known",
            "IM003" | "IM004" | "IM005" => {
                "the driver's library could not be loaded: is it complete, and for this processor?"
            }
            "01000" if connecting => "the driver's library could not be loaded: give its whole path",
            "28000" | "28P01" | "28001" => "the user or the password is wrong, or may not connect from here",
            "08001" | "08004" if connecting => {
                "the server could not be reached or refuses: look at host, port, name of the database, encryption, \
                 firewall and VPN"
            }
            "HYT00" | "HYT01" if connecting => {
                "the server does not answer: look at host, port, firewall and VPN"
            }
            "HYT00" | "HYT01" => "the server took longer than `statement_timeout`",
            _ if state.starts_with("08") => "the connection was lost",
            "3D000" | "42704" if connecting => "there is no such database",
            "42S02" | "42P01" => "there is no such table, or this user may not see it",
            "42S22" | "42703" => "there is no such column",
            "42501" => "this user may not read it: ask for the right to SELECT",
            "42000" | "37000" | "42601" => "the server does not take the SQL, or this user may not run it",
            "40001" => "the server broke it off for the sake of another transaction",
            "57014" | "HY008" => "the server broke it off: is `statement_timeout` too short?",
            "HY001" | "HY013" => "the driver has no memory left",
            "HYC00" | "IM001" => "the driver does not support it",
            _ => return None,
        })
    }
}

/// Returns true for the classes whose texts name objects, settings and the user's own SQL, never data.
fn names_no_value(state: &str) -> bool {
    ["08", "0A", "25", "28", "37", "3D", "3F", "42", "53", "57", "HY", "IM", "S0"]
        .iter()
        .any(|class| state.starts_with(class))
}

/// Making a connection, in the words of a message.
pub const CONNECTING: &str = "connecting";
/// Finding out what there is.
pub const PLANNING: &str = "reading the catalogue";
/// Finding out whether it works.
pub const EXAMINING: &str = "examining the session";
/// Reading samples back.
pub const TRYING: &str = "trying every type";
/// Reading rows.
pub const READING: &str = "reading rows";

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(doing: &'static str, state: &str) -> Refusal {
        Refusal { doing, state: state.to_owned(), native: 7, text: None, known: None }
    }

    #[test]
    fn what_a_database_says_comes_before_what_its_driver_means() {
        let of = |word: &str, state: &str, native: i32, text: &str| Refusal {
            known: dialect::by_word(word).and_then(|dialect| dialect::known(dialect, native, text)),
            native,
            ..refusal(CONNECTING, state)
        };
        // FreeTDS calls a refused log-in a syntax error, and psqlodbc a lost connection.
        for (word, state, native, text, says, passes) in [
            ("sqlserver", "42000", 18456, "Login failed for user 'x'", "password", false),
            ("sqlserver", "42000", 4060, "Cannot open database", "no such database", false),
            ("postgres", "08001", 101, "FATAL: password authentication failed for user", "password", false),
            ("postgres", "08001", 101, "connection refused", "firewall", true),
            ("mysql", "HY000", 2002, "Can't connect to server on '127.0.0.1' (115)", "firewall", true),
            ("mysql", "08004", 1049, "Unknown database", "no such database", false),
        ] {
            let refusal = of(word, state, native, text);
            assert!(refusal.to_string().contains(says), "{refusal}");
            assert_eq!(refusal.is_passing(), passes, "{refusal}");
        }
        let mut lost = of("sqlserver", "42000", 229, "permission denied");
        lost.lose();
        assert!(lost.is_passing() && lost.to_string().contains("lost"), "{lost}");
    }

    #[test]
    fn failures_have_advice() {
        for (doing, state, says) in [
            (CONNECTING, "28000", "password"),
            (CONNECTING, "08001", "firewall"),
            (CONNECTING, "IM002", "names no driver"),
            (READING, "08S01", "lost"),
            (READING, "HYT00", "statement_timeout"),
            (PLANNING, "42501", "SELECT"),
        ] {
            let shown = refusal(doing, state).to_string();
            assert!(shown.contains(says) && shown.contains(state), "{shown}");
        }
        assert_eq!(refusal(READING, "22003").to_string(), "reading rows failed: SQLSTATE 22003, code 7");
    }

    #[test]
    fn what_passes_is_tried_again() {
        assert!(["08S01", "08001", "40001"].iter().all(|state| refusal(READING, state).is_passing()));
        assert!(["42000", "28000", "22003"].iter().all(|state| !refusal(READING, state).is_passing()));
        // What took too long once will again.
        for state in ["HYT00", "HYT01"] {
            assert!(refusal(CONNECTING, state).is_passing());
            let refusal = refusal(READING, state);
            assert!(!refusal.is_passing() && refusal.is_timeout(), "{refusal}");
        }
    }

    #[test]
    fn what_may_hold_a_value_is_not_shown() {
        for (doing, shown, state, is_shown) in [
            (PLANNING, true, "42S02", true),
            (PLANNING, true, "22018", false),
            (PLANNING, true, "45000", false),
            (PLANNING, true, "P0001", false),
            (PLANNING, true, "23000", false),
            (PLANNING, false, "42000", false),
            (CONNECTING, true, "01000", true),
        ] {
            let mut letters = [b'0'; 5];
            letters.copy_from_slice(state.as_bytes());
            let message = "the value 'hunter2'".encode_utf16().collect();
            let record = Record { state: odbc_api::handles::State(letters), native_error: 1, message };
            let error = Error::Diagnostics { record, function: "SQLExecDirect" };
            let refusal = Refusal::new(doing, None, &error, shown).to_string();
            assert_eq!(refusal.contains("hunter2"), is_shown, "{refusal}");
        }
    }
}
