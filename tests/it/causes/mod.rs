//! Causes of differences.

mod examples;
mod pair;
mod planted;
mod settled;
mod table;
mod write;
