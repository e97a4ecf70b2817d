//! The integration tests: one binary, one module for each surface.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test, and what helps it, stops where it cannot go on"
)]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    clippy::enum_variant_names,
    clippy::format_collect,
    clippy::match_same_arms,
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "an oracle is as plain as it can be"
)]

mod architecture;
mod causes;
mod cleansing;
mod cli;
mod config;
mod connected;
mod crosswalk;
mod doctor;
mod examples;
mod gate;
mod honest;
mod housing;
mod init;
mod keys;
mod malformed;
mod matches;
mod merging;
mod moving;
mod odbc;
mod oracle;
mod postgres;
mod query;
mod readme;
mod recheck;
mod reconciling;
mod references;
mod report;
mod resting;
mod servers;
mod shapes;
mod sides;
mod sqlserver;
mod support;
mod table;
mod tables;
mod told;
mod tranches;
mod types;
mod views;
mod zones;
