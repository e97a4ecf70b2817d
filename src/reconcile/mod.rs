//! Reconciliation: expected against target, record by record, cell by cell, total by total.

mod config;

pub use config::{
    Aggregate, Amount, Case, ColumnPolicy, Precision, Reconcile, RuleFields, Total, Whitespace, Zone,
};
