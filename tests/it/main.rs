//! The integration tests: one binary, one module for each surface.

mod cleansing;
mod cli;
mod examples;
mod gate;
mod housing;
mod malformed;
mod support;
