//! Counterfoil proves that a migrated database matches the original, and mends it where it does not.
