//! The integration tests: one binary, one module for each surface.

mod architecture;
mod cli;
mod housing;
mod readme;
mod support;
