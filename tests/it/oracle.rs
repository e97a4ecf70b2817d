//! Reconciliation against a plain, slow one.
