//! The integration tests: one binary, one module for each surface.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test, and what helps it, stops where it cannot go on"
)]

mod architecture;
mod cleansing;
mod cli;
mod config;
mod examples;
mod gate;
mod housing;
mod malformed;
mod matches;
mod oracle;
mod readme;
mod support;
mod table;
mod types;
mod views;
mod zones;
