//! The integration tests: one binary, one module for each surface.

mod cli;
mod housing;
mod support;
