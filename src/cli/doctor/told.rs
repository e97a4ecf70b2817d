//! How the doctor speaks: aligned lines for people, records for collectors of logs.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::cli::Output;
use crate::cli::output::Level;
use crate::source::{Driver, Outcome, Step};

/// How far a line goes before it is broken.
const WIDTH: usize = 100;
/// Where the text of a step begins.
const TEXT: usize = 36;

/// Tells what was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a>(pub &'a Output);

impl Told<'_> {
    /// Tells which ODBC drivers there are.
    pub fn drivers(self, drivers: &[Driver]) {
        if self.0.json() {
            for driver in drivers {
                let mut fields = Map::new();
                fields.insert("driver".to_owned(), driver.name.clone().into());
                fields.insert("library".to_owned(), driver.library.clone().into());
                fields.insert("problem".to_owned(), driver.problem.clone().into());
                let level = if driver.problem.is_some() { Level::Warning } else { Level::Info };
                let said = driver.problem.as_deref().unwrap_or(&driver.library);
                self.0.record(level, "driver", &format!("{}: {said}", driver.name), fields);
            }
            return;
        }
        self.0.say("ODBC drivers");
        if drivers.is_empty() {
            self.0.say("  none; a connection of type `odbc` needs the one of its database");
        }
        let widest = drivers.iter().map(|driver| driver.name.chars().count()).max().unwrap_or(0);
        for driver in drivers {
            let begin = format!("  {:widest$}  ", driver.name);
            let said = driver.problem.as_deref().unwrap_or(&driver.library);
            self.0.say(hanging(&begin, said));
        }
    }

    /// Tells something that concerns no connection.
    pub fn remark(self, text: &str) {
        if !self.0.json() {
            self.0.say("");
        }
        self.0.say(text);
    }

    /// Begins to tell of a connection.
    pub fn connection(self, name: &str) {
        if !self.0.json() {
            self.0.say(format!("\n{name}"));
        }
    }

    /// Tells a step.
    pub fn step(self, connection: &str, step: &Step) {
        let said = match &step.advice {
            Some(advice) => format!("{connection}: {}: {}; {advice}", step.name, step.text),
            None => format!("{connection}: {}: {}", step.name, step.text),
        };
        if self.0.json() {
            self.0.record(level(step.outcome), "step", &said, fields(connection, step));
            return;
        }
        if self.0.quiet() {
            // Nothing else of it is heard.
            if step.outcome == Outcome::Failed {
                self.0.error(said);
            }
            return;
        }
        let took = step.took.map(shown).unwrap_or_default();
        let begin = match step.outcome {
            // The time has no place beside it, and there is none.
            Outcome::NotTried => format!("  {:16}  {:14}", word(step.outcome), step.name),
            outcome => format!("  {:6}  {took:>8}  {:14}", word(outcome), step.name),
        };
        self.0.say(hanging(&format!("{begin:TEXT$}"), &step.text));
        if let Some(advice) = &step.advice {
            self.0.say(hanging(&" ".repeat(TEXT), advice));
        }
    }

    /// Tells how it ended for all.
    pub fn end(self, count: usize, failed: &[&str], not_tried: &[&str]) {
        let noun = |count: usize| if count == 1 { "connection" } else { "connections" };
        if failed.is_empty() && not_tried.is_empty() {
            self.remark(&match count {
                1 => "The connection can be read.".to_owned(),
                count => format!("All {count} {} can be read.", noun(count)),
            });
        } else if !self.0.quiet() || self.0.json() {
            let said = [(failed, "cannot be read"), (not_tried, "could not be tried")]
                .into_iter()
                .filter(|(names, _)| !names.is_empty())
                .map(|(names, what)| {
                    format!("{} of {count} {} {what}: {}", names.len(), noun(count), names.join(", "))
                });
            self.0.error(said.collect::<Vec<_>>().join("; "));
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Good => "ok",
        Outcome::Note => "note",
        Outcome::Failed => "failed",
        Outcome::NotTried => "not tried",
    }
}

fn level(outcome: Outcome) -> Level {
    match outcome {
        Outcome::Good => Level::Info,
        Outcome::Note | Outcome::NotTried => Level::Warning,
        Outcome::Failed => Level::Error,
    }
}

fn fields(connection: &str, step: &Step) -> Map<String, Json> {
    let Step { name, outcome, text, advice, took } = step;
    let mut fields = Map::new();
    fields.insert("connection".to_owned(), connection.into());
    fields.insert("step".to_owned(), (*name).into());
    fields.insert("outcome".to_owned(), word(*outcome).into());
    fields.insert("text".to_owned(), text.clone().into());
    fields.insert("advice".to_owned(), advice.clone().into());
    fields.insert("seconds".to_owned(), took.map(|took| took.as_secs_f64()).into());
    fields
}

/// Returns a time with three figures or so.
fn shown(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1e3;
    if millis >= 1e4 {
        format!("{:.0} s", millis / 1e3)
    } else if millis >= 1e3 {
        format!("{:.1} s", millis / 1e3)
    } else if millis >= 10.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{millis:.1} ms")
    }
}

/// Puts a text behind the beginning of a line, and goes on below itself where the line ends.
pub(super) fn hanging(begin: &str, text: &str) -> String {
    let indent = begin.chars().count();
    let mut lines = Vec::new();
    let mut line = begin.to_owned();
    for given in text.lines() {
        for word in given.split_whitespace() {
            let is_first = line.chars().count() == indent;
            if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            } else if !is_first {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
    }
    if lines.is_empty() {
        lines.push(begin.trim_end().to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_go_on_below_themselves() {
        assert_eq!(hanging("  a  ", "one two\nthree"), "  a  one two\n     three");
        assert_eq!(hanging("  a  ", ""), "  a");
        let text = hanging("    ", &"word ".repeat(40));
        assert!(text.lines().all(|line| line.starts_with("    word") && line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
    }

    #[test]
    fn times_are_short() {
        for (micros, text) in [(340, "0.3 ms"), (12_345, "12 ms"), (1_500_000, "1.5 s"), (30_100_000, "30 s")]
        {
            assert_eq!(shown(Duration::from_micros(micros)), text);
        }
    }
}
