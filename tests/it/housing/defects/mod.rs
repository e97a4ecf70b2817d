//! Everything that is planted: each defect states its own consequences.

mod households;
mod members;
mod properties;
mod tenancies;
mod transactions;

use super::table::{Cell, mended};
use super::truth::{Defect, add_totals};
use super::world::{HOUSEHOLDS, Home, MEMBERS, PROPERTIES, TENANCIES, TENURES, TRANSACTIONS, World};

/// Plants all defects.
pub fn plant(world: &mut World) {
    properties::plant(world);
    households::plant(world);
    members::plant(world);
    tenancies::plant(world);
    transactions::plant(world);
    code_list(world);
    add_totals(world);
}

fn code_list(w: &mut World) {
    let mut d = Defect::new("tenures-no-text", TENURES, "not_null", "A tenure code has no description.");
    let row = 17;
    w.set_source(TENURES, row, "ten_desc", mended("", &["blank-is-missing"]));
    d.at(w.key(TENURES, row));
    d.found(TENURES, "not_null-ten_type-ten_desc", "expected", &w.key(TENURES, row), Some("ten_desc"));
    w.defects.push(d);

    let mut d = Defect::new(
        "tenures-too-few",
        TENURES,
        "row_count",
        "The code list has 27 rows where at least 28 are wanted.",
    );
    d.found_of_side(TENURES, "row_count", "expected", None);
    w.defects.push(d);
}

/// Holds back a tenancy's transactions, as its quarantine requires.
fn hold_back_transactions(w: &mut World, d: &mut Defect, home: &Home) {
    for row in &home.only().transactions {
        w.hold_back(d, TRANSACTIONS, *row);
    }
}

/// What a defect does to a row: cell by cell, nothing else changes.
struct Mend {
    id: &'static str,
    set: usize,
    says: &'static str,
    column: &'static str,
}

impl Mend {
    /// Plants a defect that a step mends: the source cell is written worse, the target is right already.
    fn plant(&self, w: &mut World, homes: &[Home], worse: impl Fn(&str) -> Cell) {
        let mut d = Defect::new(self.id, self.set, "mended by cleansing", self.says);
        for home in homes {
            let row = row_of(home, self.set);
            let was = w.raw(self.set, row, self.column).unwrap_or_default().to_owned();
            w.set_source(self.set, row, self.column, worse(&was));
            d.at(w.key(self.set, row));
        }
        w.defects.push(d);
    }
}

/// The first row of a home in a dataset.
fn row_of(home: &Home, set: usize) -> usize {
    match set {
        PROPERTIES => home.property,
        HOUSEHOLDS => home.only().household,
        MEMBERS => home.only().members[0],
        TENANCIES => home.only().tenancy,
        _ => home.only().transactions[0],
    }
}

/// Plants the same bad value on both sides, where it fails a check.
fn bad_on_both(
    w: &mut World,
    mut d: Defect,
    set: usize,
    homes: &[Home],
    values: &[&str],
    column: &'static str,
    rule: (&str, Option<&str>),
) {
    for (home, value) in homes.iter().zip(values.iter().cycle()) {
        let row = row_of(home, set);
        w.set_both(set, row, column, value);
        w.fails(&mut d, set, row, rule.0, rule.1);
        d.at(w.key(set, row));
    }
    w.defects.push(d);
}

/// Plants a difference in the target; `text` makes the target's text from what should stand there.
fn differs(
    w: &mut World,
    mut d: Defect,
    set: usize,
    homes: &[Home],
    column: &'static str,
    checks: &[&str],
    text: impl Fn(&str) -> Option<String>,
) {
    for home in homes {
        let row = row_of(home, set);
        let was = w.there(set, row, column).unwrap_or_default().to_owned();
        w.differ(&mut d, set, row, column, text(&was).as_deref());
        let key = w.key(set, row);
        for check in checks {
            d.found(set, check, "target", &key, Some(column));
        }
        d.at(key);
    }
    w.defects.push(d);
}

/// Writes something else in the target that the comparison is told to accept.
fn accepted(
    w: &mut World,
    mut d: Defect,
    set: usize,
    homes: &[Home],
    column: &'static str,
    text: impl Fn(&str) -> String,
) {
    for home in homes {
        let row = row_of(home, set);
        let was = w.there(set, row, column).unwrap_or_default().to_owned();
        w.set_target(set, row, column, Some(&text(&was)));
        d.at(w.key(set, row));
    }
    w.defects.push(d);
}
