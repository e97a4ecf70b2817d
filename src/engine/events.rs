//! What a run tells while it is under way.

use serde::Serialize;

/// One thing that happened. It never holds a cell value or a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A side is being read; `rows` so far.
    Reading {
        /// The dataset.
        dataset: String,
        /// `source` or `target`.
        side: String,
        /// Rows so far.
        rows: u64,
        /// Rows in all, as far as that is known beforehand.
        of: Option<u64>,
        /// Bytes in memory so far.
        bytes: u64,
    },
    /// A side has been read, or its snapshot was found where `--from` said.
    Read {
        /// The dataset.
        dataset: String,
        /// `source` or `target`.
        side: String,
        /// All rows.
        rows: u64,
        /// The snapshot's id.
        snapshot: String,
    },
    /// A dataset has come to a stage: `make`, `cleanse`, `check`, `reconcile`, `write`, `done`.
    Stage {
        /// The dataset.
        dataset: String,
        /// The stage.
        stage: String,
    },
    /// A dataset could not be worked on; the rest goes on.
    Failed {
        /// The dataset.
        dataset: String,
        /// Why.
        message: String,
    },
    /// Something the user should know.
    Note {
        /// The sentence.
        message: String,
    },
}

/// Takes the events of a run, from any thread.
pub trait Observer: Sync {
    /// Takes one event.
    fn event(&self, event: &Event);
}

/// Drops every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event) {}
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Reading { dataset, side, rows, .. } => {
                write!(f, "reading {dataset} {side}: {rows} rows")
            }
            Event::Read { dataset, side, rows, snapshot } => {
                write!(f, "read {dataset} {side}: {rows} rows, snapshot {snapshot}")
            }
            Event::Stage { dataset, stage } => write!(f, "{stage} {dataset}"),
            Event::Failed { dataset, message } => write!(f, "{dataset}: {message}"),
            Event::Note { message } => f.write_str(message),
        }
    }
}
