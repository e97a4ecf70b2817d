//! Makes the housing fixture: extracts of an old and a new system, with planted defects and all that follows from them.
//!
//! The same bytes on every machine: one seeded generator, no clock, no order taken from a hash.

use std::collections::BTreeMap;

use super::world::World;
use super::{clean, defects, write};

/// Makes every generated file, by its path below `fixtures/housing`.
pub fn generate() -> BTreeMap<String, Vec<u8>> {
    let mut world = clean::build(20_200_309);
    defects::plant(&mut world);
    let mut files = BTreeMap::new();
    files.insert("planted.json".to_owned(), write::planted(&world).into_bytes());
    files.insert("README.md".to_owned(), write::readme(&world).into_bytes());
    extracts(&mut world, &mut files);
    files
}

/// The source keeps the order of its references; the target has one of its own.
fn extracts(world: &mut World, files: &mut BTreeMap<String, Vec<u8>>) {
    for side in &world.source {
        let order: Vec<usize> = (0..side.rows.len()).collect();
        files.insert(side.path.to_owned(), side.csv(&order));
    }
    for side in &world.target {
        let mut order: Vec<usize> = (0..side.rows.len()).collect();
        world.random.shuffle(&mut order);
        files.insert(side.path.to_owned(), side.csv(&order));
    }
}
