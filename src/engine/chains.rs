//! Chains of references: which rows refer to a row that is there, but lacks a parent itself or further up.

use std::collections::{BTreeMap, HashMap};

/// One foreign key on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The dataset whose rows refer, by its number.
    pub child: usize,
    /// The dataset that they refer to.
    pub parent: usize,
    /// The child's rows whose parent is not there, ascending.
    pub orphans: Vec<usize>,
}

/// Which rows refer to which, by foreign key. Rows are indexes from 0; those that a key's `where` leaves out refer to nothing.
pub trait Kin {
    /// Returns the text of what a row of the child refers to.
    fn key(&self, link: usize, child: usize) -> String;

    /// Returns the rows of the child that refer to a row of the parent, ascending.
    fn children(&self, link: usize, parent: usize) -> Vec<usize>;

    /// Returns the rows of the parent that a row of the child refers to, ascending; several have the same key.
    fn parents(&self, link: usize, child: usize) -> Vec<usize>;
}

/// A parent that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The foreign key that misses it.
    pub link: usize,
    /// Its key, as the children have it.
    pub key: String,
    /// One of its children.
    pub child: usize,
    /// Rows that refer to it.
    pub children: u64,
    /// Other rows whose nearest missing record, on one of their references, it is.
    pub further: u64,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// The missing parents, by foreign key, then by their first child.
    pub missing: Vec<Missing>,
    /// For each foreign key the rows that have their parent while something is missing further up, by the foreign keys that
    /// lead there: the first is the row's own, the last the one whose parent is missing.
    pub further: Vec<BTreeMap<Vec<usize>, u64>>,
}

/// Where a row's way up ends.
#[derive(Debug, Clone, Copy)]
struct Break {
    /// How many references lead there; 1 where the row's own parent is missing.
    level: usize,
    missing: usize,
    path: usize,
}

/// Follows all references up to missing parents.
///
/// A row that refers to several rows with one key is broken where all of these are; the one whose way up is longest counts,
/// of equal ones the first. Of the references of a row's parent the one with the shortest way to a missing record counts, of equal
/// ones the first in the order of `links`. So every row is counted once for each of its references. Where a way leads along
/// one foreign key several times, as in a tree, the path has it once. Rows that refer to one another in a ring lack nothing
/// of themselves.
pub fn trace(links: &[Link], kin: &dyn Kin) -> Traced {
    let mut paths = Paths::default();
    let mut missing: Vec<Missing> = Vec::new();
    // By foreign key the rows that are broken on it, and by dataset the nearest break of each broken row.
    let mut on_link: Vec<HashMap<usize, Break>> = vec![HashMap::new(); links.len()];
    let mut of_row: HashMap<(usize, usize), Break> = HashMap::new();
    let mut found: Vec<Vec<(usize, Break)>> = vec![Vec::new(); links.len()];
    let mut fresh: Vec<(usize, usize)> = Vec::new();
    for (number, link) in links.iter().enumerate() {
        let path = paths.extended(number, None);
        let mut of_key: HashMap<String, usize> = HashMap::new();
        for row in &link.orphans {
            let key = kin.key(number, *row);
            let at = *of_key.entry(key).or_insert_with_key(|key| {
                let key = key.clone();
                missing.push(Missing { link: number, key, child: *row, children: 0, further: 0 });
                missing.len() - 1
            });
            if let Some(parent) = missing.get_mut(at) {
                parent.children += 1;
            }
            let here = Break { level: 1, missing: at, path };
            note(&mut on_link[number], &mut found[number], *row, here);
            of_row.entry((link.child, *row)).or_insert_with(|| {
                fresh.push((link.child, *row));
                here
            });
        }
    }
    while !fresh.is_empty() {
        let mut next: Vec<((usize, usize), Break)> = Vec::new();
        for (number, link) in links.iter().enumerate() {
            for (_, parent) in fresh.iter().filter(|(dataset, _)| *dataset == link.parent) {
                for child in kin.children(number, *parent) {
                    if on_link[number].contains_key(&child) {
                        continue;
                    }
                    let parents = kin.parents(number, child);
                    let breaks: Option<Vec<Break>> =
                        parents.iter().map(|row| of_row.get(&(link.parent, *row)).copied()).collect();
                    // One that lacks nothing is enough.
                    let Some(breaks) = breaks else { continue };
                    let Some(longest) = breaks.iter().map(|b| b.level).max() else { continue };
                    let Some(chosen) = breaks.iter().find(|b| b.level == longest) else { continue };
                    let here = Break {
                        level: chosen.level + 1,
                        missing: chosen.missing,
                        path: paths.extended(number, Some(chosen.path)),
                    };
                    note(&mut on_link[number], &mut found[number], child, here);
                    if !of_row.contains_key(&(link.child, child)) {
                        next.push(((link.child, child), here));
                    }
                }
            }
        }
        // What is found on this level is known from the next on.
        fresh.clear();
        for (row, here) in next {
            of_row.entry(row).or_insert_with(|| {
                fresh.push(row);
                here
            });
        }
    }
    count_further(links, &found, &mut missing);
    let further = found.iter().map(|found| {
        let mut counts = BTreeMap::new();
        for (_, here) in found.iter().filter(|(_, here)| here.level > 1) {
            *counts.entry(paths.of(here.path)).or_insert(0) += 1;
        }
        counts
    });
    Traced { further: further.collect(), missing }
}

fn note(known: &mut HashMap<usize, Break>, found: &mut Vec<(usize, Break)>, row: usize, here: Break) {
    known.insert(row, here);
    found.push((row, here));
}

/// Counts for each missing parent the rows further down, each once, and not those that refer to it themselves.
fn count_further(links: &[Link], found: &[Vec<(usize, Break)>], missing: &mut [Missing]) {
    let mut datasets: Vec<usize> = links.iter().map(|link| link.child).collect();
    datasets.sort_unstable();
    datasets.dedup();
    for dataset in datasets {
        let own = links.iter().zip(found).filter(|(link, _)| link.child == dataset);
        let mut ends: Vec<(usize, usize, bool)> = own
            .flat_map(|(_, found)| found.iter().map(|(row, here)| (*row, here.missing, here.level > 1)))
            .collect();
        // A row's own reference comes before the same row's ways.
        ends.sort_unstable();
        ends.dedup_by_key(|(row, missing, _)| (*row, *missing));
        for (_, at, _) in ends.iter().filter(|(_, _, further)| *further) {
            if let Some(parent) = missing.get_mut(*at) {
                parent.further += 1;
            }
        }
    }
}

/// The ways up that occur, each once.
#[derive(Debug, Default)]
struct Paths {
    all: Vec<Vec<usize>>,
    of: HashMap<Vec<usize>, usize>,
    extended: HashMap<(usize, usize), usize>,
}

impl Paths {
    /// Returns the way that begins with a foreign key and goes on as another does; a loop in it is left out.
    fn extended(&mut self, link: usize, rest: Option<usize>) -> usize {
        if let Some(known) = rest.and_then(|rest| self.extended.get(&(link, rest))) {
            return *known;
        }
        let tail = rest.map(|rest| self.of(rest)).unwrap_or_default();
        let path = match tail.iter().position(|other| *other == link) {
            Some(at) => tail.get(at..).unwrap_or_default().to_vec(),
            None => std::iter::once(link).chain(tail).collect(),
        };
        let known = self.all.len();
        let id = *self.of.entry(path.clone()).or_insert(known);
        if id == known {
            self.all.push(path);
        }
        if let Some(rest) = rest {
            self.extended.insert((link, rest), id);
        }
        id
    }

    fn of(&self, path: usize) -> Vec<usize> {
        self.all.get(path).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Datasets of rows: each has a key, and for each foreign key of its dataset what it refers to.
    #[derive(Debug, Clone)]
    struct Town {
        /// By dataset, by row.
        keys: Vec<Vec<u8>>,
        /// Child, parent, and what each row of the child refers to.
        links: Vec<(usize, usize, Vec<Option<u8>>)>,
    }

    impl Town {
        fn refers(&self, link: usize, row: usize) -> Option<u8> {
            self.links[link].2.get(row).copied().flatten()
        }

        fn links(&self) -> Vec<Link> {
            let orphans = |link: usize, child: usize| {
                let is_orphan =
                    |row: &usize| self.refers(link, *row).is_some() && self.parents(link, *row).is_empty();
                (0..self.keys[child].len()).filter(is_orphan).collect()
            };
            let links = self.links.iter().enumerate();
            links
                .map(|(n, (child, parent, _))| Link {
                    child: *child,
                    parent: *parent,
                    orphans: orphans(n, *child),
                })
                .collect()
        }
    }

    impl Kin for Town {
        fn key(&self, link: usize, child: usize) -> String {
            self.refers(link, child).unwrap().to_string()
        }

        fn children(&self, link: usize, parent: usize) -> Vec<usize> {
            let key = self.keys[self.links[link].1][parent];
            let rows = self.keys[self.links[link].0].len();
            (0..rows).filter(|row| self.refers(link, *row) == Some(key)).collect()
        }

        fn parents(&self, link: usize, child: usize) -> Vec<usize> {
            let Some(wanted) = self.refers(link, child) else { return Vec::new() };
            let keys = &self.keys[self.links[link].1];
            (0..keys.len()).filter(|row| keys[*row] == wanted).collect()
        }
    }

    /// Level, missing parent (foreign key and key) and way up of a row on a foreign key.
    type End = (usize, (usize, u8), Vec<usize>);

    /// The plain answer: whatever is known is worked out again and again until nothing is added.
    fn plain(town: &Town) -> BTreeMap<(usize, usize), End> {
        let mut ends: BTreeMap<(usize, usize), End> = BTreeMap::new();
        for level in 1.. {
            let mut added = BTreeMap::new();
            for (link, (child, parent, _)) in town.links.iter().enumerate() {
                for row in 0..town.keys[*child].len() {
                    let Some(key) = town.refers(link, row) else { continue };
                    if ends.contains_key(&(link, row)) {
                        continue;
                    }
                    let parents = town.parents(link, row);
                    if parents.is_empty() {
                        added.insert((link, row), (1, (link, key), vec![link]));
                        continue;
                    }
                    // Of each parent its nearest end; of these the longest.
                    let nearest = |row: &usize| {
                        let own = (0..town.links.len()).filter(|l| town.links[*l].0 == *parent);
                        own.filter_map(|l| ends.get(&(l, *row))).min_by_key(|end| end.0)
                    };
                    let nearest: Option<Vec<&End>> = parents.iter().map(nearest).collect();
                    let Some(nearest) = nearest else { continue };
                    let longest = nearest.iter().map(|end| end.0).max().unwrap();
                    let chosen = nearest.iter().find(|end| end.0 == longest).unwrap();
                    let mut path = vec![link];
                    path.extend(&chosen.2);
                    if let Some(at) = chosen.2.iter().position(|l| *l == link) {
                        path = chosen.2[at..].to_vec();
                    }
                    added.insert((link, row), (chosen.0 + 1, chosen.1, path));
                }
            }
            // A level is complete before the next begins.
            added.retain(|_, end| end.0 == level);
            if added.is_empty() {
                return ends;
            }
            ends.extend(added);
        }
        unreachable!()
    }

    fn town() -> impl Strategy<Value = Town> {
        let keys = proptest::collection::vec(proptest::collection::vec(0..5_u8, 0..6), 3);
        let refers = proptest::collection::vec(proptest::option::weighted(0.8, 0..6_u8), 6);
        let links = proptest::collection::vec((0..3_usize, 0..3_usize, refers), 0..5);
        (keys, links).prop_map(|(keys, links)| Town { keys, links })
    }

    proptest! {
        #[test]
        fn ways_up_are_the_plain_ones(town in town()) {
            let traced = trace(&town.links(), &town);
            let ends = plain(&town);
            let mut further = vec![BTreeMap::new(); town.links.len()];
            let mut children: BTreeMap<(usize, String), u64> = BTreeMap::new();
            let mut below: BTreeMap<(usize, String), std::collections::BTreeSet<(usize, usize)>> = BTreeMap::new();
            for ((link, row), (level, (at, key), path)) in &ends {
                let missing = (*at, key.to_string());
                if *level == 1 {
                    *children.entry(missing).or_default() += 1;
                    continue;
                }
                *further[*link].entry(path.clone()).or_insert(0) += 1;
                let child = town.links[*link].0;
                let refers_itself = town.links[*at].0 == child
                    && ends.get(&(*at, *row)).is_some_and(|end| end.0 == 1 && end.1 == (*at, *key));
                if !refers_itself {
                    below.entry(missing).or_default().insert((child, *row));
                }
            }
            prop_assert_eq!(traced.further, further);
            let found: BTreeMap<(usize, String), (u64, u64)> =
                traced.missing.iter().map(|m| ((m.link, m.key.clone()), (m.children, m.further))).collect();
            prop_assert_eq!(found.len(), traced.missing.len(), "each once");
            let wanted: BTreeMap<(usize, String), (u64, u64)> = children
                .into_iter()
                .map(|(missing, n)| {
                    let below = below.get(&missing).map_or(0, |rows| rows.len() as u64);
                    (missing, (n, below))
                })
                .collect();
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn a_ring_lacks_nothing_and_a_tree_has_its_key_once() {
        // 0 refers to 1 and 1 to 0; 2 refers to 9, which is not there, 3 to 2, 4 to 3.
        let town = Town {
            keys: vec![vec![0, 1, 2, 3, 4]],
            links: vec![(0, 0, vec![Some(1), Some(0), Some(9), Some(2), Some(3)])],
        };
        let traced = trace(&town.links(), &town);
        assert_eq!(traced.further, [BTreeMap::from([(vec![0], 2)])]);
        let missing = Missing { link: 0, key: "9".to_owned(), child: 2, children: 1, further: 2 };
        assert_eq!(traced.missing, [missing]);
    }

    #[test]
    fn a_parent_of_the_same_key_that_lacks_nothing_is_enough() {
        // Two parents have key 1: one lacks its own parent, the other refers to nothing.
        let links = |second: Option<u8>| Town {
            keys: vec![vec![7], vec![1, 1], vec![5]],
            links: vec![(0, 1, vec![Some(1)]), (1, 2, vec![Some(6), second])],
        };
        let traced = |town: Town| trace(&town.links(), &town).further[0].clone();
        assert_eq!(traced(links(None)), BTreeMap::new());
        assert_eq!(traced(links(Some(6))), BTreeMap::from([(vec![0, 1], 1)]));
    }
}
