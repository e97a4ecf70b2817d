//! Made-up estates and blocks, at postcodes that look like Hackney's.

use super::random::Random;

#[rustfmt::skip]
const ESTATES: &[&str] = &[
    "Applegarth", "Bramley Park", "Cinnabar", "Daleham Fields", "Elderflower", "Fenwick Green", "Gooseneck",
    "Hollybank", "Ironside", "Juniper Hill", "Kestrel Wharf", "Larkspur",
];
#[rustfmt::skip]
const BLOCKS: &[&str] = &[
    "Alder", "Bracken", "Calder", "Denholm", "Easby", "Farleigh", "Garrick", "Harcourt", "Ivybridge",
    "Jessop", "Kelso", "Lomond", "Marlow", "Napier", "Orwell", "Penrose", "Quorn", "Rowan", "Selwyn",
    "Tamar", "Ulverston", "Ventnor", "Whitby", "Yarrow",
];
const OUTWARD: &[&str] = &["E2", "E5", "E8", "E9", "N1", "N4", "N16"];
const LETTERS: &[char] =
    &['A', 'B', 'D', 'E', 'F', 'G', 'H', 'J', 'L', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'W', 'X', 'Y', 'Z'];

/// The name of estate `n`, from 0.
pub fn estate(n: usize) -> String {
    format!("{} Estate", ESTATES[n % ESTATES.len()])
}

/// The name of block `n`, from 0; no two are alike.
pub fn block(n: usize) -> String {
    let name = BLOCKS[n % BLOCKS.len()];
    match n / BLOCKS.len() {
        0 => format!("{name} House"),
        1 => format!("{name} Court"),
        _ => format!("{name} Point"),
    }
}

pub fn postcode(random: &mut Random) -> String {
    let outward = random.pick(OUTWARD);
    format!("{outward} {}{}{}", random.range(0, 9), random.pick(LETTERS), random.pick(LETTERS))
}
