//! The references of all datasets together: chains that break further up, and the parents to restore.

use std::collections::BTreeMap;

use crate::config::{Dataset, Rule};
use crate::correct::MissingParent;
use crate::findings::{BySide, ChainResult, ReferenceResult};
use crate::frame::{Frame, KeyIndex, Keys};
use crate::model::{Side, compare_keys};
use crate::rule::Reference;

use super::chains::{Kin, Link, Traced, trace};
use super::dataset::{Judgement, World};
use super::expected::RowState;

/// A foreign key on one side, ready to be followed.
struct Live<'p> {
    /// The child's number among the datasets, and the check's among its checks.
    place: (usize, usize),
    rule: &'p Rule<dyn crate::check::Check>,
    reference: &'p Reference,
    link: Link,
    child_keys: Keys,
    parent_keys: Keys,
    /// The child's rows that `where` selects.
    selected: Option<Vec<bool>>,
}

/// Foreign keys of one side, with their rows in the order of keys.
struct Family<'a> {
    links: &'a [Live<'a>],
    by_child: Vec<KeyIndex<'a>>,
    by_parent: Vec<KeyIndex<'a>>,
}

impl Kin for Family<'_> {
    fn key(&self, link: usize, child: usize) -> String {
        let key = self.links.get(link).and_then(|live| live.child_keys.text(child));
        key.map(std::borrow::Cow::into_owned).unwrap_or_default()
    }

    fn children(&self, link: usize, parent: usize) -> Vec<usize> {
        let (Some(live), Some(index)) = (self.links.get(link), self.by_child.get(link)) else {
            return Vec::new();
        };
        let is_selected =
            |row: &usize| live.selected.as_ref().is_none_or(|s| s.get(*row).copied().unwrap_or(false));
        index.find(&live.parent_keys, parent).filter(is_selected).collect()
    }

    fn parents(&self, link: usize, child: usize) -> Vec<usize> {
        match (self.links.get(link), self.by_parent.get(link)) {
            (Some(live), Some(index)) => index.find(&live.child_keys, child).collect(),
            _ => Vec::new(),
        }
    }
}

impl World<'_> {
    /// Follows the references of all datasets on expected and on the target: adds to the foreign keys of the results how many
    /// parents are missing and what stands below them, and to each dataset the records that others miss in it.
    pub fn follow_references(&self, judged: &mut [Judgement]) {
        for side in [Side::Expected, Side::Target] {
            self.follow(judged, side);
        }
        for judgement in judged {
            for reference in &mut judgement.result.references {
                let (in_expected, in_target) = (reference.missing.expected, reference.missing.target);
                for chain in &mut reference.further {
                    // Where the key was looked at, what was not found is nothing.
                    chain.rows.expected = chain.rows.expected.or(in_expected.map(|_| 0));
                    chain.rows.target = chain.rows.target.or(in_target.map(|_| 0));
                }
                reference.further.sort_by_key(|chain| chain.rules.len());
            }
        }
    }

    /// Returns true where a foreign key of any dataset refers to this one.
    pub fn is_referred_to(&self, name: &str) -> bool {
        let checks = self.plan.datasets.iter().flat_map(|dataset| &dataset.checks);
        let mut wanted = checks.filter(|rule| rule.common.skip.is_none());
        wanted.any(|rule| rule.rule.reference().is_some_and(|reference| reference.dataset.value == name))
    }

    /// Returns the foreign keys that could be run on a side, by child and check: with the child's and the parent's number, and
    /// the rows without a parent.
    fn links(&self, judged: &[Judgement], side: Side) -> Vec<((usize, usize), Link)> {
        let datasets = &self.plan.datasets;
        let number = |name: &str| datasets.iter().position(|dataset| dataset.name.value == name);
        let mut links = Vec::new();
        for (child, (dataset, judgement)) in datasets.iter().zip(judged).enumerate() {
            for (position, rule) in dataset.checks.iter().enumerate() {
                let Some(reference) = rule.rule.reference() else { continue };
                let Some(orphans) = judgement.orphans.get(&(position, side)) else { continue };
                let Some(parent) = number(&reference.dataset.value) else { continue };
                links.push(((child, position), Link { child, parent, orphans: orphans.clone() }));
            }
        }
        links
    }

    fn follow(&self, judged: &mut [Judgement], side: Side) {
        let all = self.links(judged, side);
        for ((child, position), _) in &all {
            if let Some(reference) = self.reference_of(judged, *child, *position) {
                *count_of(&mut reference.missing, side) = Some(0);
            }
        }
        // Only what stands above or below a missing parent is looked at.
        let mut touched: Vec<bool> = vec![false; self.plan.datasets.len()];
        for (_, link) in all.iter().filter(|(_, link)| !link.orphans.is_empty()) {
            touched[link.child] = true;
        }
        while let Some((_, link)) = all.iter().find(|(_, link)| touched[link.parent] && !touched[link.child])
        {
            touched[link.child] = true;
        }
        let live: Vec<Live<'_>> = all
            .into_iter()
            .filter(|(_, link)| touched[link.parent] || !link.orphans.is_empty())
            .filter_map(|(place, link)| self.live(place, link, side))
            .collect();
        if live.is_empty() {
            return;
        }
        let family = Family {
            links: &live,
            by_child: live.iter().map(|live| live.child_keys.index()).collect(),
            by_parent: live.iter().map(|live| live.parent_keys.index()).collect(),
        };
        let links: Vec<Link> = live.iter().map(|live| live.link.clone()).collect();
        let Traced { missing, further } = trace(&links, &family);
        for (live, ways) in live.iter().zip(further) {
            let Some(reference) = self.reference_of(judged, live.place.0, live.place.1) else { continue };
            for (path, rows) in ways {
                add_chain(&mut reference.further, self.chain(&family, &path), side, rows);
            }
        }
        let mut found: BTreeMap<usize, Vec<(&Live<'_>, MissingParent)>> = BTreeMap::new();
        for (number, live) in live.iter().enumerate() {
            let of_link: Vec<_> = missing.iter().filter(|missing| missing.link == number).collect();
            if of_link.is_empty() {
                continue;
            }
            if let Some(reference) = self.reference_of(judged, live.place.0, live.place.1) {
                *count_of(&mut reference.missing, side) = Some(of_link.len() as u64);
            }
            let keys = self.elsewhere(live, side);
            let states = self.working(&live.reference.dataset.value).map(|working| working.states.as_slice());
            let elsewhere = Elsewhere {
                word: other(side).word(),
                other: keys[0].as_ref().map(Keys::index),
                source: keys[1].as_ref().map(Keys::index).zip(states),
            };
            let list = found.entry(live.link.parent).or_default();
            list.extend(of_link.into_iter().map(|missing| {
                let parent = MissingParent {
                    side,
                    key: missing.key.clone(),
                    dataset: self.plan.datasets[live.place.0].name.value.clone(),
                    rule: live.rule.id.clone(),
                    children: missing.children,
                    further: missing.further,
                    found_in: elsewhere.find(&live.child_keys, missing.child),
                };
                (live, parent)
            }));
        }
        for (parent, mut list) in found {
            list.sort_by(|(a, x), (b, y)| {
                let all = |one: &MissingParent| one.children + one.further;
                all(y)
                    .cmp(&all(x))
                    .then_with(|| y.children.cmp(&x.children))
                    .then_with(|| a.place.cmp(&b.place))
                    .then_with(|| compare_keys(&x.key, &y.key))
            });
            if let Some(judgement) = judged.get_mut(parent) {
                judgement.parents.extend(list.into_iter().map(|(_, parent)| parent));
            }
        }
    }

    /// Makes a foreign key ready to be followed; nothing where its rows cannot be looked at, which its check has said.
    fn live(&self, place: (usize, usize), link: Link, side: Side) -> Option<Live<'_>> {
        let child = self.plan.datasets.get(link.child)?;
        let parent = self.plan.datasets.get(link.parent)?;
        let rule = child.checks.get(place.1)?;
        let reference = rule.rule.reference()?;
        let frame = |dataset: &Dataset| self.frame(&dataset.name.value, side);
        let (child, parent) = (frame(child)?, frame(parent)?);
        let own: Vec<String> = rule.rule.columns().iter().map(|column| column.value.clone()).collect();
        let selected = match &rule.condition {
            Some(condition) => Some(super::select(condition, child, self.as_of).ok()?),
            None => None,
        };
        Some(Live {
            place,
            rule,
            reference,
            link,
            child_keys: Keys::new(child, &own).ok()?,
            parent_keys: Keys::new(parent, &names(reference)).ok()?,
            selected,
        })
    }

    fn reference_of<'j>(
        &self,
        judged: &'j mut [Judgement],
        child: usize,
        position: usize,
    ) -> Option<&'j mut ReferenceResult> {
        let id = &self.plan.datasets.get(child)?.checks.get(position)?.id;
        judged.get_mut(child)?.result.references.iter_mut().find(|reference| reference.rule == *id)
    }

    /// Puts a way up into words: the datasets, and the foreign keys that lead from each to the next.
    fn chain(&self, family: &Family<'_>, path: &[usize]) -> (Vec<String>, Vec<String>) {
        let (mut datasets, mut rules) = (Vec::new(), Vec::new());
        for live in path.iter().filter_map(|link| family.links.get(*link)) {
            let child = &self.plan.datasets[live.place.0].name.value;
            if datasets.is_empty() {
                datasets.push(child.clone());
            }
            datasets.push(live.reference.dataset.value.clone());
            rules.push(format!("{child}/{}", live.rule.id));
        }
        (datasets, rules)
    }

    /// Returns the keys of the rows among which the parents that a side misses may be: the other side's, and all of the source.
    fn elsewhere(&self, live: &Live<'_>, side: Side) -> [Option<Keys>; 2] {
        let name = live.reference.dataset.value.as_str();
        let columns = names(live.reference);
        let keys = |frame: Option<&Frame>| Keys::new(frame?, &columns).ok();
        [keys(self.frame(name, other(side))), keys(self.working(name).map(|working| &working.all))]
    }
}

/// The side that a missing parent may be on.
fn other(side: Side) -> Side {
    match side {
        Side::Target => Side::Expected,
        Side::Source | Side::Expected => Side::Target,
    }
}

fn names(reference: &Reference) -> Vec<String> {
    reference.columns.iter().map(|column| column.value.clone()).collect()
}

/// The rows of a parent among which a missing one may be: the other side's, and those of the source with what became of them.
struct Elsewhere<'a> {
    word: &'static str,
    other: Option<KeyIndex<'a>>,
    source: Option<(KeyIndex<'a>, &'a [RowState])>,
}

impl Elsewhere<'_> {
    /// Returns where the row is that a child refers to: the other side, else what the source's row became.
    fn find(&self, children: &Keys, child: usize) -> Option<&'static str> {
        if self.other.as_ref().is_some_and(|index| index.find(children, child).next().is_some()) {
            return Some(self.word);
        }
        let (index, states) = self.source.as_ref()?;
        let mut became = index.find(children, child).filter_map(|row| states.get(row));
        became.find_map(|state| match state {
            RowState::Kept => None,
            RowState::Quarantined => Some("quarantine"),
            RowState::Merged(_) => Some("merged"),
        })
    }
}

fn count_of(counts: &mut BySide, side: Side) -> &mut Option<u64> {
    match side {
        Side::Target => &mut counts.target,
        Side::Source | Side::Expected => &mut counts.expected,
    }
}

fn add_chain(
    chains: &mut Vec<ChainResult>,
    (datasets, rules): (Vec<String>, Vec<String>),
    side: Side,
    rows: u64,
) {
    let at = chains.iter().position(|chain| chain.rules == rules).unwrap_or_else(|| {
        chains.push(ChainResult { datasets, rules, rows: BySide::default() });
        chains.len() - 1
    });
    if let Some(chain) = chains.get_mut(at) {
        *count_of(&mut chain.rows, side) = Some(rows);
    }
}
