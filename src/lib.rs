//! Counterfoil proves that a migrated database matches the original, and mends it where it does not.
//!
//! It takes snapshots of source and target tables, cleanses the source, checks both, finds duplicates and
//! orphans, reconciles record by record, and leaves a report, Parquet, corrected data and an exit code.
//!
//! # The way of the data
//!
//! ```text
//!  config ─> source ─> snapshot ─> cleanse ─> check ┐
//!  (Plan)   (batches)  (Parquet)   (expected)  match ├─> findings ─> ledger ─> gate ─> exit code
//!                                          reconcile ┘      │
//!                                                           ├─> report (html, junit, markdown)
//!                                                           └─> correct (corrected, changes, quarantine, repairs)
//! ```
//!
//! # The map
//!
//! | module | what it does |
//! |---|---|
//! | [`model`] | plain data: logical types, schemas, keys, severities, findings, corrections |
//! | [`diagnostic`] | mistakes in the user's files, with place and excerpt |
//! | [`node`] | a file as it was typed; parameter structs that read themselves from it |
//! | [`frame`] | one side of a dataset in memory: values, texts, keys, numbers; the bridge between Arrow and polars |
//! | [`ledger`] | where every row went |
//! | [`rule`] | what every rule is: kinds, the fields all rules share |
//! | [`expression`] | SQL conditions, bound to columns, as polars expressions |
//! | [`query`] | SQL over the rows of other datasets, run here |
//! | [`cleanse`] | cleansing steps, one file each |
//! | [`check`] | checks, one file each, and the scan that runs those of a side together |
//! | [`matching`] | duplicates |
//! | [`reconcile`] | expected against target: alignment, comparison, causes of differences, totals |
//! | [`source`] | where tables come from: CSV and Parquet files |
//! | [`snapshot`] | immutable Parquet copies with manifests; the one Parquet writer |
//! | [`config`] | the project: read, checked all at once, made a plan |
//! | [`init`] | a first project, from what two databases say of their tables |
//! | [`findings`] | the result of a run |
//! | [`gate`] | from figures to statuses to an exit code |
//! | [`mask`] | what may be shown to whom |
//! | [`correct`] | corrected datasets, changes, quarantine, repairs, the parents to restore |
//! | [`report`] | views of a result |
//! | [`engine`] | runs a plan and writes the run folder |
//! | [`cli`] | the commands: the only place that prints |
//!
//! A module imports only what stands above it in this table, and of that what `tests/it/architecture.rs` allows.

pub mod check;
pub mod cleanse;
pub mod cli;
pub mod config;
pub mod correct;
pub mod diagnostic;
pub mod engine;
pub mod expression;
pub mod findings;
pub mod frame;
pub mod gate;
pub mod init;
pub mod ledger;
pub mod mask;
pub mod matching;
pub mod model;
pub mod node;
pub mod query;
pub mod reconcile;
pub mod report;
pub mod rule;
pub mod snapshot;
pub mod source;
