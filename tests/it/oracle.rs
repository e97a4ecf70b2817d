//! What decides whether two values are equal, which rows belong together and how many there are, against plain,
//! slow implementations: written from the documentation, row by row, with nested loops.

mod checks;
mod csv;
mod expressions;
mod intervals;
mod meeting;
mod plain;
mod policies;
mod reconcile;
mod tables;
mod whole;

pub use reconcile::context;

use proptest::prelude::ProptestConfig;

/// Returns how a property is tested: with so many cases, unless `PROPTEST_CASES` says another number.
fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
