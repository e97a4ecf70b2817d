//! What users write about databases: where they are, and how gently they are read.

use std::time::Duration;

use chrono::NaiveTime;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Span, Spanned};
use crate::node::{FromNode, Node, params};
use crate::rule::{TimeSpan, quantity};

params! {
    /// A PostgreSQL database.
    pub struct PostgresConnection("a connection of type `postgres`") {
        /// Where it is: `postgresql://user@host:5432/database?sslmode=verify-full`, usually `"${NAME}"` of an
        /// environment variable. What it leaves out comes from the usual variables (`PGHOST`, `PGUSER`, ...), and the
        /// password from `PGPASSWORD` or `.pgpass`.
        url: Option<Secret>,
        /// A file with the certificates that servers are trusted by (PEM), relative to the project file. Default: the system's.
        root_certificate: Option<Spanned<String>>,
        /// The zone whose wall clock timestamps without a zone show, such as `Europe/London`.
        timezone: Option<Spanned<String>>,
        /// How gently it is read.
        limits: Limits = "{}",
    }
}

params! {
    /// Any database with an ODBC driver.
    pub struct OdbcConnection("a connection of type `odbc`") {
        /// The connection string, such as `"Driver={ODBC Driver 18 for SQL Server};Server=uh;Database=uh;..."`,
        /// usually `"${NAME}"` of an environment variable.
        connection_string: Secret,
        /// The database's dialect. Default: by the name that the database gives itself.
        dialect: Option<Spanned<String>>,
        /// The zone whose wall clock timestamps without a zone show, such as `Europe/London`.
        timezone: Option<Spanned<String>>,
        /// How gently it is read.
        limits: Limits = "{}",
    }
}

params! {
    /// How gently a database is read.
    pub struct Limits("`limits`") {
        /// The most connections at a time.
        connections: Connections = "4",
        /// The most rows or bytes a second, over all connections: `5000 rows/s`, `20 MB/s`. Default: no limit.
        rate: Option<Rate>,
        /// The longest that the server may work on one statement, such as `90s`, `10min`, `2h` or `1d`; seven days at most, as
        /// for every span of time. Default: no limit.
        statement_timeout: Option<TimeSpan>,
        /// The hours in which it is read, by the clock of this machine, such as `19:00-07:00`. Default: always.
        hours: Option<Hours>,
        /// How long a lost connection is tried again before the reading breaks off.
        retry_for: TimeSpan = "10min",
        /// How long the server may send nothing before the connection counts as lost. Before its first row a view or query
        /// may take as long as `statement_timeout` allows.
        silence: TimeSpan = "1min",
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: Connections(4),
            rate: None,
            statement_timeout: None,
            hours: None,
            retry_for: TimeSpan(Duration::from_mins(10)),
            silence: TimeSpan(Duration::from_mins(1)),
        }
    }
}

/// A text that no message, log or `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: String,
    /// Where it stands.
    pub span: Span,
}

impl Secret {
    /// Returns the text, for those who connect with it and no one else.
    pub fn reveal(&self) -> &str {
        &self.value
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl FromNode for Secret {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let value = String::from_node(node, out)?;
        if value.trim().is_empty() {
            // A variable's name is no secret, whatever stands in it.
            let written = node.span.file.text.get(node.span.range.clone()).unwrap_or_default();
            let written = written.trim().trim_matches(['"', '\'']);
            let name = written.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
            let name = name.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            out.settle(match name {
                Some(name) => {
                    Diagnostic::error(&node.span, format!("the environment variable `{name}` is empty"))
                        .help("give it what the database's documentation calls a connection string or URL")
                }
                None => Diagnostic::error(&node.span, "this is empty"),
            });
            return None;
        }
        Some(Secret { value, span: node.span.clone() })
    }

    fn schema() -> Json {
        json!({"type": "string"})
    }
}

/// A number of connections: 1 to 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections(pub usize);

impl FromNode for Connections {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let number = String::from_node(node, out)?.parse().ok().filter(|n| (1..=64).contains(n));
        if number.is_none() {
            out.push(Diagnostic::error(&node.span, "a number of connections from 1 to 64 is expected here"));
        }
        number.map(Connections)
    }

    fn schema() -> Json {
        json!({"type": "integer", "minimum": 1, "maximum": 64})
    }
}

/// A most of rows or bytes in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// Rows.
    Rows(u64),
    /// Bytes, as they are in memory.
    Bytes(u64),
}

impl FromNode for Rate {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let most = quantity(&text).filter(|(number, _)| *number > 0);
        let rate = most.and_then(|(n, unit)| match unit.as_str() {
            "rows/s" => Some(Rate::Rows(n)),
            "kB/s" | "KB/s" => n.checked_mul(1_000).map(Rate::Bytes),
            "MB/s" => n.checked_mul(1_000_000).map(Rate::Bytes),
            _ => None,
        });
        if rate.is_none() {
            out.push(
                Diagnostic::error(&node.span, "a rate is expected here")
                    .help("as in `5000 rows/s`, `500 kB/s` or `20 MB/s`"),
            );
        }
        rate
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^[0-9]+ *(rows|kB|KB|MB)/s$"})
    }
}

/// Hours of the day, by the clock of this machine; those that end before they begin go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first moment.
    pub from: NaiveTime,
    /// The moment after the last.
    pub to: NaiveTime,
}

impl Hours {
    /// Returns true where a time is within the hours.
    pub fn contain(self, time: NaiveTime) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

impl FromNode for Hours {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
        let hours = text
            .split_once('-')
            .and_then(|(from, to)| Some(Hours { from: time(from)?, to: time(to)? }))
            .filter(|hours| hours.from != hours.to);
        if hours.is_none() {
            out.push(
                Diagnostic::error(&node.span, "hours of the day are expected here")
                    .help("as in `19:00-07:00`, which goes over midnight"),
            );
        }
        hours
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2} *- *[0-9]{1,2}:[0-9]{2}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::node;

    fn read<T: FromNode>(text: &str) -> Option<T> {
        let mut out = Diagnostics::default();
        let value = T::from_node(&node(text), &mut out);
        assert_eq!(value.is_none(), out.has_errors(), "{text}");
        value
    }

    #[test]
    fn limits_are_read() {
        let limits: Limits =
            read("{ connections: 2, rate: 20 MB/s, hours: '19:00-07:30', retry_for: 2h }").unwrap();
        assert_eq!((limits.connections.0, limits.rate), (2, Some(Rate::Bytes(20_000_000))));
        assert_eq!(limits.retry_for.0, Duration::from_hours(2));
        let hours = limits.hours.unwrap();
        let at = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        assert!(hours.contain(at(19, 0)) && hours.contain(at(0, 0)) && hours.contain(at(7, 29)));
        assert!(!hours.contain(at(7, 30)) && !hours.contain(at(12, 0)));
        assert_eq!(read::<Rate>("5000 rows/s"), Some(Rate::Rows(5_000)));
        for wrong in ["0 rows/s", "20", "MB/s", "99999999999999999999 MB/s"] {
            assert_eq!(read::<Rate>(wrong), None, "{wrong}");
        }
        let day: TimeSpan = read("1 d").unwrap();
        assert_eq!(day, read::<TimeSpan>("24h").unwrap());
        assert_eq!(read::<TimeSpan>("7d").unwrap().0, Duration::from_hours(168));
        for wrong in ["10", "10m", "8000h", "8d", "18446744073709551615d", "-1s"] {
            assert_eq!(read::<TimeSpan>(wrong), None, "{wrong}");
        }
        for wrong in ["19:00", "19:00-19:00", "25:00-07:00"] {
            assert_eq!(read::<Hours>(wrong), None, "{wrong}");
        }
        assert!(read::<Connections>("0").is_none() && read::<Connections>("65").is_none());
    }

    #[test]
    fn a_secret_is_not_shown() {
        let connection: OdbcConnection = read("{ connection_string: 'Driver=x;PWD=hunter2' }").unwrap();
        assert!(!format!("{connection:?}").contains("hunter2"));
        assert_eq!(connection.connection_string.reveal(), "Driver=x;PWD=hunter2");
    }
}
