//! Causes of differences.

mod examples;
mod pair;
mod planted;
mod table;
mod write;
