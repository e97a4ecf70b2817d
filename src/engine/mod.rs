//! Runs a plan: snapshots, cleansing, checks, matches and reconciliation, dataset by dataset.
