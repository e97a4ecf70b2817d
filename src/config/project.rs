//! The project file, `counterfoil.yml`.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Diagnostics, Spanned};
use crate::model::Severity;
use crate::node::{FromNode, Node, choices, params};
use crate::rule::TimeSpan;
use crate::source::ConnectionConfig;

use super::attempt::Attempt;

params! {
    /// The project file, `counterfoil.yml`: where the data is, and which dataset files belong to the project.
    pub(super) struct ProjectConfig("the project file") {
        /// The version of this format: `1`.
        version: Attempt<Version>,
        /// The project's name, as reports show it.
        project: Attempt<Title>,
        /// Places that tables are read from, each with a name of your choice.
        connections: Attempt<IndexMap<String, Attempt<ConnectionConfig>>> = "{}",
        /// The dataset files: a path or a pattern such as `rules/*.yml`, or a list of them, relative to the project file.
        datasets: Attempt<Spanned<Vec<Spanned<String>>>>,
        /// What fails a run.
        gate: Attempt<Gate> = "{}",
        /// The secret with which the tokens of hidden values and the fingerprints of findings are made, usually
        /// `"${COUNTERFOIL_KEY}"`. Default: one is made once and kept beside the project file.
        fingerprint_key: Attempt<Option<Secret>>,
        /// The "now" of every run: a date (its midnight in UTC), or a moment with its zone. Default: when the run starts.
        as_of: Attempt<Option<AsOf>>,
        /// The longest that may lie between the snapshots of a dataset's two sides, such as `2h` or `1d`, at most
        /// seven days: the rule `reconcile-snapshot-gap` of each. A dataset may have its own under `reconcile`. Default: it is not looked at.
        max_snapshot_gap: Attempt<Option<TimeSpan>>,
    }
}

params! {
    /// What fails a run.
    pub(super) struct Gate("`gate`") {
        /// The least severity of a failed rule that fails the run: `error` or `warning`.
        fail_on: FailOn = "error",
    }
}

choices! {
    /// The least severity that fails a run.
    pub(super) enum FailOn {
        /// Errors only.
        Error = "error",
        /// Warnings too.
        Warning = "warning",
    }
}

impl FailOn {
    /// Returns the severity.
    pub(super) fn severity(self) -> Severity {
        match self {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
        }
    }
}

/// The version of the format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version;

impl FromNode for Version {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        if text == "1" {
            return Some(Version);
        }
        out.push(
            Diagnostic::error(&node.span, format!("there is no version `{text}` of this format"))
                .help("this program reads `version: 1`"),
        );
        None
    }

    fn schema() -> Json {
        json!({"const": 1})
    }
}

/// A name for people: any text that is not blank.
#[derive(Debug, Clone)]
pub(super) struct Title(pub(super) String);

impl FromNode for Title {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        if text.trim().is_empty() {
            out.push(Diagnostic::error(&node.span, "a name is expected here, not a blank text"));
            return None;
        }
        Some(Title(text))
    }

    fn schema() -> Json {
        json!({"type": ["string", "number", "boolean"], "pattern": "[^ ]"})
    }
}

/// A text that `Debug` does not show.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromNode for Secret {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        String::from_node(node, out).map(Secret)
    }

    fn schema() -> Json {
        String::schema()
    }
}

/// The "now" of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct AsOf(pub(super) DateTime<Utc>);

impl FromNode for AsOf {
    fn from_node(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, out)?;
        let moment = NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10)
            .map(|day| day.and_time(NaiveTime::MIN).and_utc())
            .or_else(|| DateTime::parse_from_rfc3339(&text).ok().map(|moment| moment.to_utc()));
        if moment.is_none() {
            out.push(
                Diagnostic::error(&node.span, "a date, or a moment with its zone, is expected here")
                    .help("as in `2026-03-31` or `2026-03-31T09:00:00Z`"),
            );
        }
        moment.map(AsOf)
    }

    fn schema() -> Json {
        json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?$"})
    }
}
