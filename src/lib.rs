//! Counterfoil proves that a migrated database matches the original, and mends it where it does not.
//!
//! This page is the map of the code. Data goes one way:
//!
//! ```text
//!  config ─> source ─> snapshot ─> cleanse ─> check ┐
//!  (Plan)   (batches)  (Parquet)   (expected)  match ├─> findings ─> ledger ─> gate ─> exit code
//!                                          reconcile ┘      │
//!                                                           ├─> report (html, json, junit, markdown)
//!                                                           └─> correct (corrected, changes, repairs, quarantine)
//! ```
//!
//! *Expected* is the source after cleansing, less the rows held back or merged: what the target should hold.
//! Reconciliation compares expected with the target.
//!
//! The modules from low to high; a lower one never imports a higher one, which `tests/it/architecture.rs` holds:
//!
//! | module | is about |
//! |---|---|
//! | [`model`] | plain data: logical types, columns, keys, sides, severities, findings, corrections |
//! | [`diagnostic`] | what is wrong in a file the user wrote, with its place |
//! | [`node`] | YAML as typed, with a place at every node, and the reading of parameters from it |
//! | [`frame`] | one side of a dataset in memory: the bridge to polars, the text form of values, keys |
//! | [`ledger`] | where every row went, in counts |
//! | [`rule`] | what all rules share: their kinds, common fields, columns and references |
//! | [`expression`] | SQL expressions, checked against the columns and translated to polars |
//! | [`cleanse`], [`check`], [`matching`] | one kind of step, check or match a file |
//! | [`reconcile`] | rows to partners, cell by cell, control totals |
//! | [`source`] | reading files |
//! | [`snapshot`] | immutable Parquet of one side, its manifest, and the store of them |
//! | [`config`] | the project and its datasets, validated: the plan of a run |
//! | [`findings`] | the result of a run |
//! | [`mask`] | what may be shown to whom |
//! | [`gate`] | the verdict |
//! | [`correct`], [`report`] | what is written: Parquet for machines, views for people |
//! | [`engine`] | a run, from plan to folder |
//! | [`cli`] | the commands; the only place that prints |
//!
//! Three things never mix: a *finding* is wrong in the data, a *diagnostic* in a file that the user wrote, and an
//! *error* means that the work could not be done.

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
pub mod ledger;
pub mod mask;
pub mod matching;
pub mod model;
pub mod node;
pub mod reconcile;
pub mod report;
pub mod rule;
pub mod snapshot;
pub mod source;
