//! Standard output and error: what is said, to whom, in which form.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex};

use chrono::{SecondsFormat, Utc};
use clap::ColorChoice;
use serde_json::{Map, Value as Json};

use super::OutputArgs;
use crate::diagnostic::Diagnostics;

/// Where a command prints.
///
/// Results go to standard output, progress and errors to standard error. With JSON logs everything but what was
/// asked for goes to standard error, one object a line. A pipe that was closed is no error.
#[derive(Debug, Clone)]
pub struct Output {
    quiet: bool,
    form: Form,
    /// Why standard output could not be written, where that is not for a closed pipe.
    lost: Arc<Mutex<Option<io::Error>>>,
}

/// How standard error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// For people, or the log of a job.
    Text { colour: bool, terminal: bool },
    /// For a collector of logs.
    Json,
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something went on.
    Info,
    /// Something should be looked at.
    Warning,
    /// Something went wrong.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl Output {
    pub(super) fn new(args: &OutputArgs) -> Self {
        let terminal = io::stderr().is_terminal();
        let colour = match args.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        let form = if args.json_logs { Form::Json } else { Form::Text { colour, terminal } };
        Output { quiet: args.quiet, form, lost: Arc::default() }
    }

    /// Tells a result, unless quiet.
    pub fn say(&self, text: impl Display) {
        if self.json() {
            self.record(Level::Info, "result", &text.to_string(), Map::new());
        } else if !self.quiet {
            self.deliver(text);
        }
    }

    /// Prints what the command was asked for to standard output, quiet or not.
    pub fn deliver(&self, text: impl Display) {
        let mut stdout = io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{text}").and_then(|()| stdout.flush())
            // A reader that has gone away wants no more.
            && error.kind() != io::ErrorKind::BrokenPipe
            && let Ok(mut lost) = self.lost.lock()
        {
            lost.get_or_insert(error);
        }
    }

    /// Prints a line of progress, unless quiet.
    pub fn progress(&self, text: impl Display) {
        if self.json() {
            self.record(Level::Info, "note", &text.to_string(), Map::new());
        } else if !self.quiet {
            to_stderr(text);
        }
    }

    /// Prints an error.
    pub fn error(&self, text: impl Display) {
        if self.json() {
            self.record(Level::Error, "error", &text.to_string(), Map::new());
        } else {
            let mark = if self.colour() { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
            to_stderr(format!("{mark}: {text}"));
        }
    }

    /// Prints diagnostics; where quiet, only if there is an error among them.
    pub fn diagnostics(&self, found: &Diagnostics) {
        if found.is_empty() || (self.quiet && !found.has_errors()) {
            return;
        }
        if !self.json() {
            to_stderr(found.render(self.colour()));
            return;
        }
        for diagnostic in found.sorted() {
            let level = if diagnostic.is_error() { Level::Error } else { Level::Warning };
            let mut fields = Map::new();
            if let Some((file, line, column)) = diagnostic.place() {
                fields.insert("file".to_owned(), file.into());
                fields.insert("line".to_owned(), line.into());
                fields.insert("column".to_owned(), column.into());
            }
            if let Some(help) = diagnostic.help_text() {
                fields.insert("help".to_owned(), help.into());
            }
            self.record(level, "diagnostic", diagnostic.message(), fields);
        }
    }

    /// Writes an object of the JSON log: time, level, event, message, then the fields. Where quiet, only errors.
    pub fn record(&self, level: Level, event: &str, message: &str, fields: Map<String, Json>) {
        if self.quiet && level != Level::Error {
            return;
        }
        let mut line = Map::new();
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        line.insert("time".to_owned(), time.into());
        line.insert("level".to_owned(), level.word().into());
        line.insert("event".to_owned(), event.into());
        line.insert("message".to_owned(), message.into());
        for (name, value) in fields {
            line.entry(name).or_insert(value);
        }
        to_stderr(Json::Object(line));
    }

    /// Says of a panic where it was, and nothing of what it said: that may hold a value.
    pub(super) fn hear_panics(&self) {
        let output = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
            output.error(format!(
                "something broke off inside{place}; this is a fault of the tool, please report it"
            ));
        }));
    }

    /// Returns the exit code of a command that ended with `code`: one whose result could not be printed has not passed.
    pub(super) fn close(&self, code: u8) -> u8 {
        match self.lost.lock().ok().and_then(|mut lost| lost.take()) {
            Some(error) => {
                self.error(format!("standard output could not be written: {error}"));
                code.max(2)
            }
            None => code,
        }
    }

    /// Returns true where nothing but errors is wanted.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Returns true where the log is written as JSON.
    pub fn json(&self) -> bool {
        self.form == Form::Json
    }

    fn colour(&self) -> bool {
        matches!(self.form, Form::Text { colour: true, .. })
    }

    /// Returns true where progress bars can be drawn.
    pub fn bars(&self) -> bool {
        !self.quiet && matches!(self.form, Form::Text { terminal: true, .. })
    }
}

/// Prints a line. A closed standard error can be told to nobody.
fn to_stderr(text: impl Display) {
    // In one piece: lines of several threads, or of a reader that watches, do not mix.
    let line = format!("{text}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}
