//! The integration tests: one binary, one module for each surface.

mod matches;
mod oracle;
mod table;
