//! The integration tests: one binary, one module for each surface.

mod architecture;
mod cleansing;
mod cli;
mod examples;
mod gate;
mod housing;
mod malformed;
mod readme;
mod support;
