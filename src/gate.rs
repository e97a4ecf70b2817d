//! From statuses to an exit code.
