//! Defects of tenancies.

use super::{Mend, bad_on_both, differs, hold_back_transactions};
use crate::housing::random::Day;
use crate::housing::table::{mended, plain};
use crate::housing::truth::{Defect, amount, pence};
use crate::housing::world::{Home, TENANCIES, TRANSACTIONS, World};

pub fn plant(w: &mut World) {
    lost(w);
    unexpected(w);
    keys(w);
    unmapped(w);
    small_codes(w);
    other_home(w);
    bad_values(w);
    flags(w);
    differences(w);
    mends(w);
}

fn day(w: &World, home: &Home, column: &str) -> Option<Day> {
    w.there(TENANCIES, home.only().tenancy, column).and_then(Day::read)
}

fn is_current(w: &World, home: &Home) -> bool {
    day(w, home, "eot").is_none()
}

fn lost(w: &mut World) {
    let mut d = Defect::new(
        "tenancies-lost",
        TENANCIES,
        "missing",
        "A tenancy was not carried over, so that its transactions are orphans in the target.",
    );
    for home in w.any(4) {
        d.at(w.key(TENANCIES, home.only().tenancy));
        w.lose(&mut d, TENANCIES, home.only().tenancy);
        for row in &home.only().transactions {
            d.orphan(TRANSACTIONS, "tag_ref", "target", &w.key(TRANSACTIONS, *row), "introduced");
        }
    }
    w.defects.push(d);
}

fn unexpected(w: &mut World) {
    let mut d =
        Defect::new("tenancies-unexpected", TENANCIES, "unexpected", "A tenancy stands in the target only.");
    for (i, home) in w.any(3).into_iter().enumerate() {
        let key = format!("{:06}/01", 900_001 + i);
        let row = w.copy_target(TENANCIES, home.only().tenancy, &key);
        w.set_target(TENANCIES, row, "tag_ref", Some(&key));
        w.unexpected(&mut d, TENANCIES, row);
        w.touch(&mut d, TENANCIES, row);
        d.at(key);
    }
    w.defects.push(d);
}

fn keys(w: &mut World) {
    let mut d = Defect::new(
        "tenancies-key-twice",
        TENANCIES,
        "duplicate key in the source",
        "A tenancy stands twice in the source and once in the target.",
    );
    for home in w.any(2) {
        let row = home.only().tenancy;
        let key = w.key(TENANCIES, row);
        let again = w.copy_source(TENANCIES, row, &key);
        w.touch(&mut d, TENANCIES, row);
        for row in [row, again] {
            w.source_fate(TENANCIES, row, "duplicate_key");
            d.found(TENANCIES, "reconcile-duplicate_key", "expected", &key, None);
            d.found(TENANCIES, "unique-tag_ref", "expected", &key, Some("tag_ref"));
        }
        w.target_fate(TENANCIES, row, "duplicate_key");
        d.found(TENANCIES, "reconcile-duplicate_key", "target", &key, None);
        d.at(key);
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "tenancies-no-key",
        TENANCIES,
        "no key",
        "A tenancy of the source has a blank reference.",
    );
    let home = w.any(1).remove(0);
    let row = w.copy_source(TENANCIES, home.only().tenancy, "\\N");
    w.set_source(TENANCIES, row, "tag_ref", mended("", &["blank-is-missing"]));
    w.source_fate(TENANCIES, row, "no_key");
    w.touch(&mut d, TENANCIES, home.only().tenancy);
    d.found(TENANCIES, "reconcile-no_key", "expected", "\\N", None);
    d.found(TENANCIES, "not_null-tag_ref-prop_ref-cot", "expected", "\\N", Some("tag_ref"));
    d.at("\\N");
    w.defects.push(d);
}

fn unmapped(w: &mut World) {
    let mut d = Defect::new(
        "tenancies-unmapped-tenure",
        TENANCIES,
        "unmapped code",
        "A tenure code is not in the lookup: the tenancy is quarantined and its transactions are held back.",
    );
    for (home, code) in w.any(4).iter().zip(["XXX", "QQQ", "XXX", "SEK"]) {
        w.touch(&mut d, TENANCIES, home.only().tenancy);
        w.set_source(TENANCIES, home.only().tenancy, "tenure", plain(code));
        d.at(w.key(TENANCIES, home.only().tenancy));
        w.hold_back(&mut d, TENANCIES, home.only().tenancy);
        hold_back_transactions(w, &mut d, home);
    }
    w.defects.push(d);
}

fn small_codes(w: &mut World) {
    let mut d = Defect::new(
        "tenancies-small-tenure",
        TENANCIES,
        "pattern, on the source",
        "A tenure code is in small letters; cleansing mends it, and a check on the raw source reports it.",
    );
    for home in w.any(4) {
        let row = home.only().tenancy;
        let code = w.raw(TENANCIES, row, "tenure").unwrap_or_default().to_lowercase();
        w.set_source(TENANCIES, row, "tenure", mended(code, &["tenure-in-capitals", "tenure-type"]));
        d.found(TENANCIES, "source-codes-in-capitals", "source", &w.key(TENANCIES, row), Some("tenure"));
        d.at(w.key(TENANCIES, row));
    }
    w.defects.push(d);
}

fn other_home(w: &mut World) {
    let mut d = Defect::new(
        "tenancies-household-elsewhere",
        TENANCIES,
        "orphan, inherited (two columns)",
        "A tenancy's household exists, but lives in another property.",
    );
    for _ in 0..3 {
        let homes = w.any(2);
        let row = homes[0].only().tenancy;
        let elsewhere =
            w.there(TENANCIES, homes[1].only().tenancy, "house_ref").unwrap_or_default().to_owned();
        w.set_both(TENANCIES, row, "house_ref", &elsewhere);
        let key = w.key(TENANCIES, row);
        d.orphan(TENANCIES, "house_ref-prop_ref", "expected", &key, "inherited");
        d.orphan(TENANCIES, "house_ref-prop_ref", "target", &key, "inherited");
        d.at(key);
    }
    w.defects.push(d);
}

fn bad_values(w: &mut World) {
    let homes = w.take(2, is_current);
    let d = Defect::new(
        "tenancies-start-out-of-range",
        TENANCIES,
        "range",
        "A tenancy starts before 1920 or in the future.",
    );
    bad_on_both(w, d, TENANCIES, &homes, &["1919-06-01", "2027-02-01"], "cot", ("range-cot", Some("cot")));

    let homes = w.any(2);
    let d = Defect::new("tenancies-rent-too-high", TENANCIES, "range", "A weekly rent is over 500 pounds.");
    bad_on_both(w, d, TENANCIES, &homes, &["1124.50"], "rent", ("range-rent", Some("rent")));

    let mut d = Defect::new(
        "tenancies-ends-before-it-starts",
        TENANCIES,
        "expression",
        "A tenancy ends before it starts.",
    );
    for home in w.take(3, |w, home| !is_current(w, home)) {
        let row = home.only().tenancy;
        let end = Day(day(w, &home, "cot").map_or(0, |start| start.0 - 30)).iso();
        w.set_source(TENANCIES, row, "eot", plain(format!("{end} 00:00:00")));
        w.set_target(TENANCIES, row, "eot", Some(&end));
        w.fails(&mut d, TENANCIES, row, "ends-after-it-starts", None);
        d.at(w.key(TENANCIES, row));
    }
    w.defects.push(d);

    let mut d =
        Defect::new("tenancies-bad-reference", TENANCIES, "pattern", "A tenancy reference has a wrong form.");
    for (home, key) in w.any(2).iter().zip(["12345/1", "0012345"]) {
        let like = home.only().tenancy;
        let row = w.copy_both(TENANCIES, like, key);
        w.set_both(TENANCIES, row, "tag_ref", key);
        w.fails(&mut d, TENANCIES, row, "pattern-tag_ref", Some("tag_ref"));
        d.at(key);
    }
    w.defects.push(d);
}

fn flags(w: &mut World) {
    let mut d = Defect::new(
        "tenancies-flags-disagree",
        TENANCIES,
        "expression",
        "A tenancy without an end is marked terminated, or one with an end is marked present.",
    );
    for (n, current, column) in [(4, true, "terminated"), (2, false, "present")] {
        for home in w.take(n, |w, home| is_current(w, home) == current) {
            let row = home.only().tenancy;
            w.set_source(TENANCIES, row, column, plain("1"));
            w.set_target(TENANCIES, row, column, Some("true"));
            w.fails(&mut d, TENANCIES, row, "flags-agree", None);
            d.at(w.key(TENANCIES, row));
        }
    }
    w.defects.push(d);
}

fn differences(w: &mut World) {
    let mut plant = |id,
                     kind,
                     says,
                     wanted: fn(&World, &Home) -> bool,
                     n,
                     column,
                     checks: &[&str],
                     there: fn(&str) -> Option<String>| {
        let homes = w.take(n, wanted);
        differs(w, Defect::new(id, TENANCIES, kind, says), TENANCIES, &homes, column, checks, there);
    };
    plant(
        "tenancies-other-balance",
        "mismatch: amount",
        "A balance differs, and with it the total of its tenure type.",
        |_, _| true,
        3,
        "cur_bal",
        &[],
        |t| Some(amount(pence(t) + 12_345)),
    );
    plant(
        "tenancies-other-rent",
        "mismatch: beyond tolerance",
        "A rent differs by two pence, one more than is tolerated.",
        |_, _| true,
        4,
        "rent",
        &[],
        |t| Some(amount(pence(t) + 2)),
    );
    plant(
        "tenancies-swapped-day",
        "mismatch: day and month swapped",
        "Day and month of a start date changed places in the target.",
        |w, home| is_current(w, home) && day(w, home, "cot").and_then(Day::swapped).is_some(),
        3,
        "cot",
        &[],
        |t| Day::read(t).and_then(Day::swapped).map(Day::iso),
    );
    plant(
        "tenancies-day-early",
        "mismatch: one day",
        "Midnight in summer was taken to UTC: an end date is the day before.",
        |w, home| {
            let (start, end) = (day(w, home, "cot"), day(w, home, "eot"));
            end.is_some_and(Day::is_summer) && start < end
        },
        4,
        "eot",
        &[],
        |t| Day::read(t).map(|d| Day(d.0 - 1).iso()),
    );
    plant(
        "tenancies-lost-zero",
        "mismatch: leading zero lost",
        "A payment reference lost its leading zero in the target.",
        |w, home| w.there(TENANCIES, home.only().tenancy, "payment_ref").is_some_and(|t| t.starts_with('0')),
        5,
        "payment_ref",
        &["length-payment_ref"],
        |t| Some(t[1..].to_owned()),
    );
    plant(
        "tenancies-code-not-mapped",
        "mismatch: code",
        "The target kept the old system's tenure code.",
        |w, home| w.there(TENANCIES, home.only().tenancy, "tenure") == Some("Secure"),
        2,
        "tenure",
        &["accepted_values-tenure"],
        |_| Some("SEC".to_owned()),
    );

    let mut d = Defect::new(
        "tenancies-rounded-rent",
        TENANCIES,
        "no finding: within tolerance",
        "A rent differs by one penny, which is tolerated.",
    );
    for (i, home) in w.any(5).into_iter().enumerate() {
        let row = home.only().tenancy;
        let rent = pence(w.there(TENANCIES, row, "rent").unwrap_or_default());
        w.set_target(TENANCIES, row, "rent", Some(&amount(if i % 2 == 0 { rent + 1 } else { rent - 1 })));
        d.at(w.key(TENANCIES, row));
    }
    w.defects.push(d);
}

fn mends(w: &mut World) {
    let homes = w.any(12);
    Mend {
        id: "tenancies-property-without-zeros",
        set: TENANCIES,
        says: "A property reference lost its leading zeros in the source.",
        column: "prop_ref",
    }
    .plant(w, &homes, |t| mended(t.trim_start_matches('0'), &["property-zeros"]));

    let homes = w.any(6);
    Mend {
        id: "tenancies-leading-blank",
        set: TENANCIES,
        says: "A payment reference has a blank before it.",
        column: "payment_ref",
    }
    .plant(w, &homes, |t| mended(format!(" {t}"), &["trim-text"]));
}
