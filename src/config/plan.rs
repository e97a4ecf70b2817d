//! The plan: a project without a mistake that can be seen without data.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::check::Check;
use crate::cleanse::Step;
use crate::diagnostic::{Span, Spanned};
use crate::expression::Expression;
use crate::matching::Match;
use crate::model::{Dimension, Severity};
use crate::reconcile::Reconcile;
use crate::rule::{Common, ProjectFiles};
use crate::source::{ConnectionConfig, Connector, ReadRequest, SideConfig};

use super::crosswalk::Crosswalk;

/// Everything a run needs to know before it sees data.
pub struct Plan {
    /// The project's name.
    pub project: String,
    /// The project file.
    pub file: PathBuf,
    /// The files beside it.
    pub files: ProjectFiles,
    /// The datasets, parents and children in the order of their files.
    pub datasets: Vec<Dataset>,
    /// How many files are for whole schemas; their tables are among the datasets where databases were asked.
    pub schemas: usize,
    /// The connections whose tables were asked for and could not be listed.
    pub unreached: BTreeSet<String>,
    /// What fails the gate.
    pub gate: GateConfig,
    /// The key of fingerprints and masks, where the project gives one. It is not shown by `Debug`.
    pub fingerprint_key: Option<String>,
    /// The run's "now", where the project fixes one.
    pub as_of: Option<DateTime<Utc>>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("project", &self.project)
            .field("file", &self.file)
            .field("datasets", &self.datasets.iter().map(|dataset| &dataset.name.value).collect::<Vec<_>>())
            .field("gate", &self.gate)
            .field("fingerprint_key", &self.fingerprint_key.as_ref().map(|_| "***"))
            .field("as_of", &self.as_of)
            .finish_non_exhaustive()
    }
}

/// What fails the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateConfig {
    /// The least severity that fails it: error, or warning.
    pub fail_on: Severity,
}

/// One dataset with its rules.
#[derive(Debug)]
pub struct Dataset {
    /// Why it cannot be read or compared, where that is known beforehand: a sentence without a full stop.
    pub unfit: Option<String>,
    /// Its name.
    pub name: Spanned<String>,
    /// Whose data it is.
    pub owner: Option<String>,
    /// Our names of the key columns; `_row` is the row's position.
    pub key: Vec<Spanned<String>>,
    /// Columns that no view shows.
    pub sensitive: Vec<Spanned<String>>,
    /// Columns of free text, that no view shows either.
    pub free_text: Vec<Spanned<String>>,
    /// Columns that are shown however long their text.
    pub show: Vec<Spanned<String>>,
    /// True where a side may be without rows.
    pub allow_empty: bool,
    /// The old system's side.
    pub source: Option<SidePlan>,
    /// The new system's side.
    pub target: Option<SidePlan>,
    /// The cleansing steps, in order.
    pub steps: Vec<Rule<dyn Step>>,
    /// The columns whose ids the target gave anew.
    pub crosswalks: Vec<Spanned<Crosswalk>>,
    /// The checks, in the order of the file.
    pub checks: Vec<Rule<dyn Check>>,
    /// The matches, in the order of the file.
    pub duplicates: Vec<Rule<dyn Match>>,
    /// The reconciliation; only used where there are two sides.
    pub reconcile: Reconcile,
}

impl Dataset {
    /// Returns the crosswalk that replaces the ids of a column.
    pub fn crosswalk(&self, column: &str) -> Option<&Crosswalk> {
        let mut all = self.crosswalks.iter().map(|crosswalk| &crosswalk.value);
        all.find(|crosswalk| crosswalk.column.value == column)
    }
}

/// Where one side of a dataset is read from.
#[derive(Debug)]
pub struct SidePlan {
    /// The side as configured.
    pub config: SideConfig,
    /// The connection it names; files beside the project file where it names none.
    pub connection: ConnectionConfig,
    /// What the connection is asked for.
    pub request: ReadRequest,
    /// The condition of `filter`, parsed: rows for which it is not true are out of scope.
    pub filter: Option<Expression>,
    /// Where the side stands.
    pub span: Span,
}

impl SidePlan {
    /// Makes what reads the side, and what it is asked for; `base` is the project file's folder.
    ///
    /// Nothing is opened yet.
    pub fn open(&self, base: &Path) -> (Box<dyn Connector>, ReadRequest) {
        (self.connection.connector(base), self.request.clone())
    }
}

/// A rule: a kind with its parameters and the fields all rules share.
#[derive(Debug)]
pub struct Rule<T: ?Sized> {
    /// Unique within the dataset.
    pub id: String,
    /// The word of the kind.
    pub kind: &'static str,
    /// The dimension, the rule's own or the kind's.
    pub dimension: Dimension,
    /// The severity, the rule's own or the family's: warning for matches, else error.
    pub severity: Severity,
    /// The fields all rules share.
    pub common: Common,
    /// The condition of `where`, parsed.
    pub condition: Option<Expression>,
    /// Where the word of its kind stands.
    pub span: Span,
    /// What the kind made of the parameters.
    pub rule: Box<T>,
}
