//! Standard output and error: what is said, to whom, in which form.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use clap::ColorChoice;

use super::OutputArgs;

/// Where a command prints.
///
/// Results go to standard output, progress and errors to standard error. A pipe that was closed is no error.
#[derive(Debug, Clone)]
pub struct Output {
    quiet: bool,
    json: bool,
    colour: bool,
    terminal: bool,
}

impl Output {
    pub(super) fn new(args: &OutputArgs) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let colour = match args.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Output { quiet: args.quiet, json: args.json_logs, colour, terminal }
    }

    /// Prints a result to standard output, unless quiet.
    pub fn say(&self, text: impl Display) {
        if !self.quiet {
            self.deliver(text);
        }
    }

    /// Prints what the command was asked for to standard output, quiet or not.
    pub fn deliver(&self, text: impl Display) {
        // A reader that has gone away wants no more; nothing else can be done about a broken standard output.
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }

    /// Prints a line of progress to standard error, unless quiet.
    pub fn progress(&self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    /// Prints an error to standard error.
    pub fn error(&self, text: impl Display) {
        let mark = if self.colour { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        let _ = writeln!(std::io::stderr().lock(), "{mark}: {text}");
    }

    /// Prints diagnostics, already rendered, to standard error.
    pub fn diagnostics(&self, text: impl Display) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Returns true where colour is wanted.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Returns true where progress is written as JSON lines.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Returns true where progress bars can be drawn.
    pub fn bars(&self) -> bool {
        self.terminal && !self.quiet && !self.json
    }
}
