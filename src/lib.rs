//! Counterfoil proves that a migrated database matches the original, and mends it where it does not.

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
