//! The integration tests: one binary, one module for each surface.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test, and what helps it, stops where it cannot go on"
)]

mod cleansing;
mod examples;
