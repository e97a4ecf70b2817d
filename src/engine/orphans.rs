//! The classes of orphans: inherited, introduced, repaired, missing in the target, or with a parent that is held back.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::config::{Dataset, Rule};
use crate::findings::{BySide, ReferenceResult};
use crate::frame::{Frame, KeyIndex, Keys};
use crate::model::Side;
use crate::reconcile::ROW;
use crate::rule::Reference;

use super::bound::BoundDataset;
use super::dataset::World;
use super::expected::quarantined_keys;

/// The class of a reference that led nowhere in the old system too.
const INHERITED: &str = "inherited";
/// The class of one that leads nowhere only in the target.
const INTRODUCED: &str = "introduced";
/// The class of one that led nowhere only in the source: the target has its record, and that is no orphan.
const REPAIRED: &str = "repaired";
/// The class of one that led nowhere in the source and whose record the target does not have.
const MISSING: &str = "missing in target";

/// The orphans of one foreign key, classed by the raw source against the target, per child key.
pub struct Classes<'s> {
    keys: &'s BTreeMap<Side, Keys>,
    /// Where the source's orphans were looked for.
    before: Side,
    source: Option<Failed>,
    target: Option<Failed>,
    /// Whether the dataset has the side.
    has: (bool, bool),
    /// Rows of the source whose parent is held back.
    held: BTreeSet<usize>,
    origin: &'s [usize],
}

/// The rows of one side that lack a parent.
#[derive(Default)]
struct Failed {
    rows: u64,
    /// Those without a key.
    no_key: u64,
    /// The keys of the others.
    keys: BTreeSet<String>,
    /// Those of them that no row of the target has.
    missing: BTreeSet<String>,
}

impl World<'_> {
    /// Returns the keys by which the orphans of the sides are known to one another, in the form in which these meet; raw rows
    /// have those after cleansing. Where no check looks for orphans there are none, nor where rows have no key
    /// or are known by their position: then there are no classes.
    pub fn keys_of_orphans(&self, dataset: &Dataset, bound: &BoundDataset<'_>) -> BTreeMap<Side, Keys> {
        let name = dataset.name.value.as_str();
        let columns: Vec<&str> = dataset.key.iter().map(|k| k.value.as_str()).collect();
        let is_wanted = dataset.checks.iter().any(|rule| rule.rule.reference().is_some());
        // Where keys were given anew those of the two sides say nothing of one another.
        let anew = !dataset.reconcile.natural_key.is_empty();
        if !is_wanted || anew || columns.is_empty() || columns.contains(&ROW) {
            return BTreeMap::new();
        }
        let frames = [
            (Side::Source, self.working(name).map(|working| &working.all)),
            (Side::Expected, self.frame(name, Side::Expected)),
            (Side::Target, self.frame(name, Side::Target)),
        ];
        let keys = |(side, frame): (Side, Option<&Frame>)| {
            let frame = frame?;
            let met = bound.reconcile().and_then(|meeting| meeting.keys(frame, side).ok());
            Some((side, met.or_else(|| Keys::new(frame, &columns).ok())?))
        };
        frames.into_iter().filter_map(keys).collect()
    }

    /// Classes the orphans of a foreign key. `failed` gives the rows of a side that lack a parent, where the check could be
    /// run there; `origin` for each row of expected its index among all rows of the source in scope.
    pub fn classes<'s>(
        &self,
        dataset: &Dataset,
        rule: &Rule<dyn Check>,
        reference: &Reference,
        failed: &dyn Fn(Side) -> Option<Vec<usize>>,
        keys: &'s BTreeMap<Side, Keys>,
        origin: &'s [usize],
    ) -> Classes<'s> {
        let of_target = LazyCell::new(|| keys.get(&Side::Target).map(Keys::index));
        let of = |side: Side| {
            let rows = failed(side)?;
            let keys = keys.get(&side);
            let mut of_side = Failed { rows: rows.len() as u64, ..Failed::default() };
            for row in rows {
                let Some((keys, key)) = keys.and_then(|keys| Some((keys, keys.text(row)?))) else {
                    of_side.no_key += 1;
                    continue;
                };
                let lacks = |target: &KeyIndex<'_>| target.find(keys, row).next().is_none();
                if side != Side::Target && of_target.as_ref().is_some_and(lacks) {
                    of_side.missing.insert(key.clone().into_owned());
                }
                of_side.keys.insert(key.into_owned());
            }
            Some(of_side)
        };
        // Where the raw source is not comparable, expected stands for it.
        let (before, source) = match of(Side::Source) {
            Some(source) => (Side::Source, Some(source)),
            None => (Side::Expected, of(Side::Expected)),
        };
        Classes {
            keys,
            before,
            source,
            target: of(Side::Target),
            has: (dataset.source.is_some(), dataset.target.is_some()),
            held: self.rows_with_held_parent(rule, reference, &dataset.name.value).unwrap_or_default(),
            origin,
        }
    }

    /// Returns the rows of a dataset's source (indexes among those in scope) whose parent is held back.
    fn rows_with_held_parent(
        &self,
        rule: &Rule<dyn Check>,
        reference: &Reference,
        name: &str,
    ) -> Option<BTreeSet<usize>> {
        let parent = self.working(&reference.dataset.value)?;
        let columns: Vec<&str> = reference.columns.iter().map(|c| c.value.as_str()).collect();
        let gone = quarantined_keys(parent, &columns).ok()?;
        if gone.is_empty() {
            return None;
        }
        let child = self.working(name)?;
        let own: Vec<String> = rule.rule.columns().iter().map(|c| c.value.clone()).collect();
        let keys = Keys::new(&child.all, &own).ok()?;
        Some(
            (0..keys.len())
                .filter(|i| keys.text(*i).is_some_and(|key| gone.contains(key.as_ref())))
                .collect(),
        )
    }
}

impl Classes<'_> {
    /// Returns the class of a row that lacks a parent; nothing where it has no key or the other side is not known.
    pub fn of(&self, side: Side, index: usize) -> Option<&'static str> {
        if side == Side::Expected && self.origin.get(index).is_some_and(|row| self.held.contains(row)) {
            return Some("parent quarantined");
        }
        let (is_target, other_exists, other) = match side {
            Side::Target => (true, self.has.0, &self.source),
            Side::Source | Side::Expected => (false, self.has.1, &self.target),
        };
        let key = || self.keys.get(&side)?.text(index);
        let there = match other {
            // Without the other side there is nothing to compare with; where it could not be judged, nothing to say.
            None if !other_exists => !is_target,
            None => return None,
            Some(failed) => failed.keys.contains(key()?.as_ref()),
        };
        let is_missing = |failed: &Failed| key().is_some_and(|key| failed.missing.contains(key.as_ref()));
        Some(match (is_target, there) {
            (_, true) => INHERITED,
            (true, false) => INTRODUCED,
            (false, false) if self.source.as_ref().is_some_and(is_missing) => MISSING,
            (false, false) => REPAIRED,
        })
    }

    /// Puts together what is known of the foreign key on both sides; what stands further up is added later.
    pub fn result(&self, rule: &Rule<dyn Check>, reference: &Reference) -> ReferenceResult {
        let names = |columns: &[crate::diagnostic::Spanned<String>]| -> Vec<String> {
            columns.iter().map(|column| column.value.clone()).collect()
        };
        let mut classes = BTreeMap::new();
        // By position nobody can say which rows belong together.
        if let (Some(source), Some(target), false) = (&self.source, &self.target, self.keys.is_empty()) {
            let both = source.keys.intersection(&target.keys).count() as u64;
            classes.insert(INHERITED.to_owned(), both);
            classes.insert(INTRODUCED.to_owned(), target.keys.len() as u64 - both);
            let missing = source.missing.difference(&target.keys).count() as u64;
            classes.insert(MISSING.to_owned(), missing);
            classes.insert(REPAIRED.to_owned(), source.keys.len() as u64 - both - missing);
        }
        let both = [&self.source, &self.target];
        ReferenceResult {
            rule: rule.id.clone(),
            columns: names(&rule.rule.columns()),
            parent: reference.dataset.value.clone(),
            parent_columns: names(&reference.columns),
            before: self.before,
            source: self.source.as_ref().map(|failed| failed.rows),
            target: self.target.as_ref().map(|failed| failed.rows),
            classes,
            no_key: both.iter().filter_map(|failed| Some(failed.as_ref()?.no_key)).sum(),
            missing: BySide::default(),
            further: Vec::new(),
        }
    }
}
