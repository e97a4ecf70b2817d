//! One dataset: its columns, its key and what is declared of it.

use crate::model::{Logical, Side};
use crate::source::{Described, DescribedColumn};

use super::pair::{How, pairs};
use super::words::{is_free_text, is_sensitive, may_be_key};
use super::{Table, yaml};

/// Names that a column of ours cannot have: the row's position, and what the reconciliation's own rules are called by.
const KEPT: [&str; 5] = ["_row", "duplicate_key", "missing", "no_key", "unexpected"];

/// One dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    pub source: Option<Table>,
    pub target: Option<Table>,
    /// Why the two tables belong together.
    pub how: Option<How>,
    /// Those of the source in their order, then those that only the target has.
    pub columns: Vec<Column>,
    /// What names its rows.
    pub key: Option<Key>,
}

/// A column of one or both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Our name.
    pub ours: String,
    pub source: Option<DescribedColumn>,
    pub target: Option<DescribedColumn>,
    /// Why the two columns belong together.
    pub how: Option<How>,
}

/// The columns that name the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Our names.
    pub columns: Vec<String>,
    /// Where it is declared, in words.
    pub from: String,
}

impl Column {
    /// Returns what a side's catalogue says of it.
    pub fn of(&self, side: Side) -> Option<&DescribedColumn> {
        match side {
            Side::Target => self.target.as_ref(),
            Side::Source | Side::Expected => self.source.as_ref(),
        }
    }

    /// Returns its type on a side; nothing where it is not read there.
    fn logical(&self, side: Side) -> Option<&Logical> {
        self.of(side)?.logical.as_ref()
    }

    /// Returns the side whose values show no zone where those of the other do.
    pub fn side_without_zone(&self) -> Option<Side> {
        let naive = |logical: &Logical| matches!(logical, Logical::Date | Logical::Timestamp { utc: false });
        let zoned = |logical: &Logical| *logical == Logical::TIMESTAMP_UTC;
        let (source, target) = (self.logical(Side::Expected)?, self.logical(Side::Target)?);
        match (naive(source) && zoned(target), zoned(source) && naive(target)) {
            (true, _) => Some(Side::Expected),
            (_, true) => Some(Side::Target),
            _ => None,
        }
    }
}

/// Returns true where values of two types may be the same.
fn are_compatible(a: &DescribedColumn, b: &DescribedColumn) -> bool {
    match (&a.logical, &b.logical) {
        (Some(a), Some(b)) => a.family() == b.family(),
        _ => false,
    }
}

/// Pairs the columns of two tables, and gives them our names: the source's.
fn columns(source: Option<&Described>, target: Option<&Described>) -> Vec<Column> {
    let none: &[DescribedColumn] = &[];
    let left = source.map_or(none, |source| source.columns.as_slice());
    let right = target.map_or(none, |target| target.columns.as_slice());
    let names =
        |columns: &[DescribedColumn]| -> Vec<String> { columns.iter().map(|c| c.name.clone()).collect() };
    let (left_names, right_names) = (names(left), names(right));
    let texts = |names: &'_ [String]| -> Vec<String> { names.to_vec() };
    let found = {
        let (l, r) = (texts(&left_names), texts(&right_names));
        let l: Vec<&str> = l.iter().map(String::as_str).collect();
        let r: Vec<&str> = r.iter().map(String::as_str).collect();
        pairs(&l, &r, false, &|l, r| match (left.get(l), right.get(r)) {
            (Some(l), Some(r)) => are_compatible(l, r),
            _ => false,
        })
    };
    let mut taken: Vec<String> = left_names.iter().chain(&right_names).cloned().collect();
    let mut our_name = |theirs: &str| {
        if !KEPT.contains(&theirs) {
            return theirs.to_owned();
        }
        let mut ours = format!("{}_", theirs.trim_start_matches('_'));
        while taken.contains(&ours) {
            ours.push('_');
        }
        taken.push(ours.clone());
        ours
    };
    let mut columns: Vec<Column> = Vec::new();
    for (at, column) in left.iter().enumerate() {
        let pair = found.iter().find(|pair| pair.left == at);
        columns.push(Column {
            ours: our_name(&column.name),
            source: Some(column.clone()),
            target: pair.and_then(|pair| right.get(pair.right)).cloned(),
            how: pair.map(|pair| pair.how),
        });
    }
    for (at, column) in right.iter().enumerate() {
        if found.iter().all(|pair| pair.right != at) {
            let ours = our_name(&column.name);
            columns.push(Column { ours, source: None, target: Some(column.clone()), how: None });
        }
    }
    columns
}

impl Dataset {
    /// Makes the dataset of one or two tables; `zone_is_known` says whether somebody declared the databases' zone.
    pub fn new(
        name: String,
        source: Option<Table>,
        target: Option<Table>,
        how: Option<How>,
        zone_is_known: bool,
    ) -> Self {
        let columns = columns(source.as_ref().map(|t| &t.described), target.as_ref().map(|t| &t.described));
        let mut dataset = Dataset { name, source, target, how, columns, key: None };
        dataset.key = dataset.find_key(zone_is_known);
        dataset
    }

    /// Returns the table of a side.
    pub fn table(&self, side: Side) -> Option<&Table> {
        match side {
            Side::Target => self.target.as_ref(),
            Side::Source | Side::Expected => self.source.as_ref(),
        }
    }

    /// Returns true where both sides are there and can be compared.
    pub fn is_two_sided(&self) -> bool {
        self.source.is_some() && self.target.is_some() && self.key.is_some()
    }

    /// Returns the sides that are read. A target that cannot be compared for want of a key is not.
    pub fn sides(&self) -> Vec<Side> {
        let target = self.target.is_some() && (self.source.is_none() || self.key.is_some());
        let all = [(Side::Expected, self.source.is_some()), (Side::Target, target)];
        all.into_iter().filter(|(_, is_read)| *is_read).map(|(side, _)| side).collect()
    }

    /// Returns the column that a side's database calls by this name.
    fn theirs(&self, side: Side, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.of(side).is_some_and(|theirs| theirs.name == name))
    }

    /// Returns the column by our name.
    fn ours(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.ours == name)
    }

    /// Returns our names of a side's columns; nothing where one is not read.
    fn our_names(&self, side: Side, names: &[String]) -> Option<Vec<String>> {
        let ours = |name: &String| {
            let column = self.theirs(side, name)?;
            column.logical(side).map(|_| column.ours.clone())
        };
        names.iter().map(ours).collect()
    }

    /// Returns true where a side reads all of these columns, by our names.
    fn reads(&self, side: Side, columns: &[String]) -> bool {
        columns.iter().all(|name| self.ours(name).is_some_and(|column| column.logical(side).is_some()))
    }

    /// Finds the key: the primary key of one side, or else another unique one, whose columns every side has.
    fn find_key(&self, zone_is_known: bool) -> Option<Key> {
        let both: Vec<Side> =
            [Side::Expected, Side::Target].into_iter().filter(|side| self.table(*side).is_some()).collect();
        let fits = |columns: &[String]| {
            let zone =
                |name: &String| self.ours(name).is_some_and(|column| column.side_without_zone().is_some());
            both.iter().all(|side| self.reads(*side, columns)) && (zone_is_known || !columns.iter().any(zone))
        };
        let of = |side: Side, columns: &[String], what: &str| {
            let columns =
                self.our_names(side, columns).filter(|columns| !columns.is_empty() && fits(columns))?;
            let table = self.table(side)?;
            Some(Key { columns, from: format!("{what} of {}", table.listed.written) })
        };
        let primary = both
            .iter()
            .find_map(|side| of(*side, &self.table(*side)?.described.primary_key, "the primary key"));
        primary.or_else(|| {
            both.iter().find_map(|side| {
                let keys = &self.table(*side)?.described.unique_keys;
                keys.iter().find_map(|columns| of(*side, columns, "a unique key without NULL"))
            })
        })
    }

    /// Returns columns of both sides whose names let expect that they name rows.
    pub fn key_candidates(&self) -> Vec<&str> {
        let fits = |column: &&Column| {
            let is_read = |side| column.logical(side).is_some();
            is_read(Side::Expected) && is_read(Side::Target) && may_be_key(&column.ours)
        };
        self.columns.iter().filter(fits).map(|column| column.ours.as_str()).collect()
    }

    /// Returns the columns of the sides that are read for which a test of their names and types holds.
    fn named(&self, test: &dyn Fn(&str, &Logical) -> bool) -> Vec<String> {
        let sides = self.sides();
        let holds = |column: &&Column| {
            sides.iter().any(|side| column.logical(*side).is_some())
                && [Side::Expected, Side::Target].into_iter().any(|side| {
                    column
                        .of(side)
                        .zip(column.logical(side))
                        .is_some_and(|(c, logical)| test(&c.name, logical))
                })
        };
        self.columns.iter().filter(holds).map(|column| column.ours.clone()).collect()
    }

    /// Returns the columns whose names let expect that no report should show them.
    pub fn sensitive(&self) -> Vec<String> {
        self.named(&|name, _| is_sensitive(name))
    }

    /// Returns the columns whose names let expect free text.
    pub fn free_text(&self) -> Vec<String> {
        let sensitive = self.sensitive();
        let mut found = self.named(&|name, logical| is_free_text(name) && logical.is_text());
        found.retain(|name| !sensitive.contains(name));
        found
    }

    /// Returns the columns of a side that cannot be read exactly: our name, and the declared type.
    pub fn unreadable(&self, side: Side) -> Vec<(&str, &str)> {
        let unreadable = |column: &'_ &Column| column.of(side).is_some_and(|theirs| theirs.logical.is_none());
        let found = self.columns.iter().filter(unreadable);
        found.filter_map(|c| Some((c.ours.as_str(), c.of(side)?.declared.as_str()))).collect()
    }

    /// Returns the columns of a side whose name is not ours: theirs, and the column.
    pub fn renamed(&self, side: Side) -> Vec<(&str, &Column)> {
        let theirs = self.columns.iter().filter_map(|column| Some((column.of(side)?.name.as_str(), column)));
        theirs.filter(|(theirs, column)| *theirs != column.ours).collect()
    }

    /// Returns the columns that only one of two sides has.
    pub fn alone(&self, side: Side) -> Vec<&str> {
        let other = if side == Side::Target { Side::Expected } else { Side::Target };
        let alone = |column: &&Column| column.of(side).is_some() && column.of(other).is_none();
        self.columns.iter().filter(alone).map(|column| column.ours.as_str()).collect()
    }

    /// Returns the columns that meet only in the wall clock of a zone.
    pub fn without_zone(&self) -> Vec<&Column> {
        self.columns.iter().filter(|column| column.side_without_zone().is_some()).collect()
    }

    /// Returns the sides on which a rule about these columns can look: nothing where it can on none.
    fn on(&self, fits: &dyn Fn(Side) -> bool) -> Option<On> {
        let sides = self.sides();
        let fitting: Vec<Side> = sides.iter().copied().filter(|side| fits(*side)).collect();
        match fitting.as_slice() {
            [] => None,
            fitting if fitting.len() == sides.len() => Some(On::Everywhere),
            [one, ..] => Some(On::Only(*one)),
        }
    }
}

/// Where a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// On all sides that the dataset reads.
    Everywhere,
    /// On one of two.
    Only(Side),
}

/// A check that the catalogues declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The kind of check.
    pub kind: &'static str,
    /// Its columns, by our names.
    pub columns: Vec<String>,
    /// The parent dataset and its columns.
    pub references: Option<(String, Vec<String>)>,
    /// Where it can look.
    pub on: On,
    /// Its id, where the usual one would not do.
    pub id: Option<String>,
}

/// Returns the checks of a dataset that the catalogues declare; parents are looked for among all datasets.
pub fn declared(dataset: &Dataset, all: &[Dataset]) -> Vec<Declared> {
    let mut checks: Vec<Declared> = Vec::new();
    let mut add =
        |kind: &'static str, columns: Vec<String>, references: Option<(String, Vec<String>)>, on| {
            let usual = format!("{kind}-{}", columns.join("-"));
            let is_there = |check: &Declared| {
                check.kind == kind && check.columns == columns && check.references == references
            };
            if columns.is_empty() || checks.iter().any(is_there) {
                return;
            }
            // A list of all columns is no name for people.
            let usual = if kind == "not_null" && columns.len() > 3 { kind.to_owned() } else { usual };
            // An id is one line, whatever columns are called.
            let usual: String = usual.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
            let is_own = |check: &Declared, id: &str| {
                let own = format!("{}-{}", check.kind, check.columns.join("-"));
                check.id.as_deref().unwrap_or(&own) == id
            };
            let mut id = usual.clone();
            let mut number = 1;
            while checks.iter().any(|check| is_own(check, &id)) {
                number += 1;
                id = format!("{usual}-{number}");
            }
            let id = Some(id).filter(|id| *id != format!("{kind}-{}", columns.join("-")));
            checks.push(Declared { kind, columns, references, on, id });
        };
    let key = dataset.key.as_ref().map(|key| key.columns.clone()).unwrap_or_default();
    // Where there are two sides, rows without a key or with a repeated one are told anyway.
    let told = if dataset.is_two_sided() { key.clone() } else { Vec::new() };
    let sides = dataset.sides();
    let mut required: Vec<(On, Vec<String>)> = Vec::new();
    for column in dataset.columns.iter().filter(|column| !told.contains(&column.ours)) {
        let is_required = |side: &Side| column.of(*side).is_some_and(|theirs| !theirs.nullable);
        if !sides.iter().any(is_required) {
            continue;
        }
        let Some(on) = dataset.on(&|side| column.logical(side).is_some()) else { continue };
        match required.iter_mut().find(|(group, _)| *group == on) {
            Some((_, columns)) => columns.push(column.ours.clone()),
            None => required.push((on, vec![column.ours.clone()])),
        }
    }
    required.sort_by_key(|(on, _)| match on {
        On::Everywhere => 0,
        On::Only(side) => 1 + u8::from(*side == Side::Target),
    });
    for (on, columns) in required {
        add("not_null", columns, None, on);
    }
    for side in &sides {
        let Some(table) = dataset.table(*side) else { continue };
        let described = &table.described;
        let primary = Some(&described.primary_key).filter(|key| !key.is_empty());
        for columns in primary.into_iter().chain(&described.unique_keys) {
            let Some(columns) = dataset.our_names(*side, columns) else { continue };
            let is_told = columns.iter().all(|c| told.contains(c)) && columns.len() == told.len();
            if let Some(on) = dataset.on(&|side| dataset.reads(side, &columns)).filter(|_| !is_told) {
                add("unique", columns, None, on);
            }
        }
    }
    for side in &sides {
        let Some(table) = dataset.table(*side) else { continue };
        for key in &table.described.foreign_keys {
            let is_it = |parent: &&Dataset| {
                parent.sides().contains(side)
                    && parent.table(*side).is_some_and(|table| {
                        (&table.listed.schema, &table.listed.name) == (&key.schema, &key.table)
                    })
            };
            let Some(parent) = all.iter().find(is_it) else { continue };
            let own = dataset.our_names(*side, &key.columns);
            let Some((own, theirs)) = own.zip(parent.our_names(*side, &key.references)) else { continue };
            let meet = |side: Side| {
                let alike = |(own, theirs): (&String, &String)| {
                    let own = dataset.ours(own).and_then(|column| column.logical(side));
                    let theirs = parent.ours(theirs).and_then(|column| column.logical(side));
                    let zoned = |logical: &Logical| *logical == Logical::TIMESTAMP_UTC;
                    own.zip(theirs).is_some_and(|(a, b)| a.family() == b.family() && zoned(a) == zoned(b))
                };
                parent.sides().contains(&side) && own.iter().zip(&theirs).all(alike)
            };
            if let Some(on) = dataset.on(&meet) {
                add("foreign_key", own.clone(), Some((parent.name.clone(), theirs.clone())), on);
            }
        }
    }
    checks
}

/// Says in words why two names were taken for the same; nothing where there is nothing to say.
pub fn why(how: How) -> Option<&'static str> {
    match how {
        How::Same | How::Case | How::Separators => None,
        How::Plural => Some("guess: one name is the plural of the other"),
        How::Close => Some("guess: the names are alike"),
    }
}

/// Says which columns of a dataset were paired by a guess, for who decides.
pub fn guesses(dataset: &Dataset) -> Option<String> {
    let guessed = dataset.columns.iter().filter(|column| column.how == Some(How::Close));
    let names: Vec<&str> = guessed.map(|column| column.ours.as_str()).collect();
    (!names.is_empty()).then(|| yaml::names(names))
}
