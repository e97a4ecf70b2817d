//! The integration tests: one binary, one module for each surface.

mod cleansing;
mod examples;
