//! Defects of rent transactions.

use super::{Mend, accepted, bad_on_both, differs};
use crate::housing::clean;
use crate::housing::random::Day;
use crate::housing::table::{Cell, mended, plain};
use crate::housing::truth::{Defect, amount, pence};
use crate::housing::world::{Home, TRANSACTIONS, World};

const DUPLICATES: &str = "receipt-posted-twice";

pub fn plant(w: &mut World) {
    late(w);
    unexpected(w);
    keys(w);
    posted_twice(w);
    orphans(w);
    unparsable(w);
    out_of_scope(w);
    bad_values(w);
    differences(w);
    mends(w);
}

fn first(home: &Home) -> usize {
    home.only().transactions[0]
}

/// Adds a transaction to both sides, in a batch of its own.
fn add(w: &mut World, home: &Home, day: Day, batch: i64, number: usize) -> usize {
    clean::transaction(w, home.only().tenancy, day, (batch, number))
}

fn late(w: &mut World) {
    let mut d = Defect::new(
        "transactions-late",
        TRANSACTIONS,
        "missing",
        "A transaction was posted after the copy was taken; the target's newest is over 30 days old.",
    );
    for (i, home) in w.any(6).into_iter().enumerate() {
        let row = add(w, &home, Day::of(2026, 3, 2), 21_001, i + 1);
        d.at(w.key(TRANSACTIONS, row));
        w.lose(&mut d, TRANSACTIONS, row);
    }
    d.found_of_side(TRANSACTIONS, "freshness-updated_at", "target", Some("updated_at"));
    w.defects.push(d);
}

fn unexpected(w: &mut World) {
    let mut d = Defect::new(
        "transactions-unexpected",
        TRANSACTIONS,
        "unexpected",
        "A transaction stands in the target only.",
    );
    for (i, home) in w.any(5).into_iter().enumerate() {
        let row = add(w, &home, Day::of(2025, 12, 24), 21_002, i + 1);
        w.touch(&mut d, TRANSACTIONS, row);
        w.source[TRANSACTIONS].rows[row].present = false;
        w.unexpected(&mut d, TRANSACTIONS, row);
        d.at(w.key(TRANSACTIONS, row));
    }
    w.defects.push(d);
}

fn keys(w: &mut World) {
    let mut d = Defect::new(
        "transactions-key-twice-there",
        TRANSACTIONS,
        "duplicate key in the target",
        "A transaction was loaded twice.",
    );
    for home in w.any(2) {
        let row = first(&home);
        let key = w.key(TRANSACTIONS, row);
        let again = w.copy_target(TRANSACTIONS, row, &key);
        w.touch(&mut d, TRANSACTIONS, row);
        w.source_fate(TRANSACTIONS, row, "duplicate_key");
        d.found(TRANSACTIONS, "reconcile-duplicate_key", "expected", &key, None);
        for row in [row, again] {
            w.target_fate(TRANSACTIONS, row, "duplicate_key");
            d.found(TRANSACTIONS, "reconcile-duplicate_key", "target", &key, None);
            d.found(TRANSACTIONS, DUPLICATES, "target", &key, None);
        }
        d.at(key);
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "transactions-key-twice-here",
        TRANSACTIONS,
        "duplicate key in the source",
        "Two transactions of the source share batch, number and line; the target has one of them.",
    );
    let home = w.any(1).remove(0);
    let row = first(&home);
    let key = w.key(TRANSACTIONS, row);
    let again = w.copy_source(TRANSACTIONS, row, &key);
    w.set_source(TRANSACTIONS, again, "real_value", plain("7.77"));
    w.touch(&mut d, TRANSACTIONS, row);
    for row in [row, again] {
        w.source_fate(TRANSACTIONS, row, "duplicate_key");
        d.found(TRANSACTIONS, "reconcile-duplicate_key", "expected", &key, None);
    }
    w.target_fate(TRANSACTIONS, row, "duplicate_key");
    d.found(TRANSACTIONS, "reconcile-duplicate_key", "target", &key, None);
    d.at(key);
    w.defects.push(d);
}

fn posted_twice(w: &mut World) {
    let mut d = Defect::new(
        "transactions-posted-twice",
        TRANSACTIONS,
        "duplicate, reported",
        "A transaction was posted twice under two numbers.",
    );
    for (i, home) in w.any(3).into_iter().enumerate() {
        let row = first(&home);
        let again = add(w, &home, Day::of(2025, 6, 2), 21_003, i + 1);
        for column in ["trans_type", "post_date", "real_value"] {
            let there = w.there(TRANSACTIONS, row, column).unwrap_or_default().to_owned();
            w.set_both(TRANSACTIONS, again, column, &there);
        }
        for row in [row, again] {
            w.fails(&mut d, TRANSACTIONS, row, DUPLICATES, None);
            d.at(w.key(TRANSACTIONS, row));
        }
    }
    w.defects.push(d);
}

fn orphans(w: &mut World) {
    let mut d = Defect::new(
        "transactions-no-such-tenancy",
        TRANSACTIONS,
        "orphan, inherited",
        "A transaction belongs to a tenancy that neither side has.",
    );
    for home in w.any(5) {
        let row = first(&home);
        w.set_both(TRANSACTIONS, row, "tag_ref", "990017/01");
        let key = w.key(TRANSACTIONS, row);
        d.orphan(TRANSACTIONS, "tag_ref", "expected", &key, "inherited");
        d.orphan(TRANSACTIONS, "tag_ref", "target", &key, "inherited");
        d.at(key);
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "transactions-wrong-tenancy",
        TRANSACTIONS,
        "orphan, introduced",
        "The target gives a transaction to a tenancy that does not exist.",
    );
    for home in w.any(2) {
        let row = first(&home);
        w.differ(&mut d, TRANSACTIONS, row, "tag_ref", Some("990101/01"));
        let key = w.key(TRANSACTIONS, row);
        d.orphan(TRANSACTIONS, "tag_ref", "target", &key, "introduced");
        d.at(key);
    }
    w.defects.push(d);
}

fn unparsable(w: &mut World) {
    for (id, kind, says, column, texts) in [
        (
            "transactions-no-amount",
            "unparsable number",
            "An amount is no number: the transaction is quarantined.",
            "real_value",
            ["n/a", "12,3x", "see note"],
        ),
        (
            "transactions-no-such-day",
            "unparsable date",
            "A posting date is no date: the transaction is quarantined.",
            "post_date",
            ["31/02/2025", "2025-13-01", "n/k"],
        ),
    ] {
        let mut d = Defect::new(id, TRANSACTIONS, kind, says);
        for (home, text) in w.any(3).iter().zip(texts) {
            let row = first(home);
            w.set_source(TRANSACTIONS, row, column, plain(text));
            w.hold_back(&mut d, TRANSACTIONS, row);
            d.at(w.key(TRANSACTIONS, row));
        }
        w.defects.push(d);
    }
}

fn out_of_scope(w: &mut World) {
    for (id, says, n, code, batch, in_source) in [
        (
            "transactions-opening",
            "An opening balance of the source is out of scope.",
            40,
            "ROB",
            21_004,
            true,
        ),
        ("transactions-suspense", "A suspense item of the target is out of scope.", 12, "SUS", 21_005, false),
    ] {
        let mut d = Defect::new(id, TRANSACTIONS, "no finding: out of scope", says);
        for (i, home) in w.any(n).into_iter().enumerate() {
            let row = add(w, &home, Day::of(2025, 4, 1), batch, i + 1);
            w.set_both(TRANSACTIONS, row, "trans_type", code);
            w.source[TRANSACTIONS].rows[row].present = in_source;
            w.target[TRANSACTIONS].rows[row].present = !in_source;
            w.source_fate(TRANSACTIONS, row, "out_of_scope");
            w.target_fate(TRANSACTIONS, row, "out_of_scope");
            d.at(w.key(TRANSACTIONS, row));
        }
        w.defects.push(d);
    }
}

fn bad_values(w: &mut World) {
    let homes = w.any(3);
    let d = Defect::new(
        "transactions-unknown-type",
        TRANSACTIONS,
        "accepted_values",
        "A transaction has a type that is not in the list.",
    );
    let rule = ("accepted_values-trans_type", Some("trans_type"));
    bad_on_both(w, d, TRANSACTIONS, &homes, &["DZZ"], "trans_type", rule);

    let homes = w.any(2);
    let d = Defect::new("transactions-too-large", TRANSACTIONS, "range", "An amount is over 5,000 pounds.");
    let rule = ("range-real_value", Some("real_value"));
    bad_on_both(w, d, TRANSACTIONS, &homes, &["9999.99", "-7250.00"], "real_value", rule);
}

fn differences(w: &mut World) {
    let homes = w.take(6, |w, home| {
        let changed = w.there(TRANSACTIONS, first(home), "updated_at").and_then(Day::read);
        changed.is_some_and(Day::is_summer)
    });
    let d = Defect::new(
        "transactions-hour-late",
        TRANSACTIONS,
        "mismatch: British Summer Time",
        "The clock of London was written as UTC: in summer the time is an hour late.",
    );
    differs(w, d, TRANSACTIONS, &homes, "updated_at", &[], |t| {
        let hour: u32 = t[11..13].parse().expect("an hour");
        Some(format!("{}{:02}{}", &t[..11], hour + 1, &t[13..]))
    });

    let homes = w.any(4);
    let d = Defect::new("transactions-other-amount", TRANSACTIONS, "mismatch: amount", "An amount differs.");
    differs(w, d, TRANSACTIONS, &homes, "real_value", &[], |t| Some(amount(pence(t) + 1_001)));

    let homes = w.any(2);
    let d = Defect::new(
        "transactions-other-sign",
        TRANSACTIONS,
        "mismatch: sign",
        "An amount has the other sign in the target.",
    );
    differs(w, d, TRANSACTIONS, &homes, "real_value", &[], |t| Some(amount(-pence(t))));

    let homes = w.any(30);
    for home in &homes {
        let row = first(home);
        let there = w.raw(TRANSACTIONS, row, "updated_at").unwrap_or_default().to_owned();
        w.set_source(TRANSACTIONS, row, "updated_at", plain(format!("{}{:02}", &there[..17], 7 + row % 20)));
    }
    let d = Defect::new(
        "transactions-seconds",
        TRANSACTIONS,
        "no finding: precision",
        "The source has seconds where the target has minutes, which is how they are compared.",
    );
    accepted(w, d, TRANSACTIONS, &homes, "updated_at", str::to_owned);
}

fn mends(w: &mut World) {
    let homes = w.any(8);
    Mend {
        id: "transactions-leading-blank",
        set: TRANSACTIONS,
        says: "A tenancy reference has a blank before it, so that it is an orphan until cleansing mends it.",
        column: "tag_ref",
    }
    .plant(w, &homes, |t| mended(format!(" {t}"), &["trim-text"]));

    let mut d = Defect::new(
        "transactions-british-date",
        TRANSACTIONS,
        "mended by cleansing",
        "A posting date is written day first.",
    );
    for home in w.any(40) {
        let row = first(&home);
        let day = w.raw(TRANSACTIONS, row, "post_date").and_then(Day::read).map(Day::british);
        w.set_source(TRANSACTIONS, row, "post_date", mended(day.unwrap_or_default(), &["post-date-as-date"]));
        d.at(w.key(TRANSACTIONS, row));
    }
    w.defects.push(d);

    let shapes: [(&str, &str, &str, fn(i64) -> String); 3] = [
        ("transactions-pound-sign", "An amount has a pound sign.", "112.40", |p| format!("£{}", amount(p))),
        ("transactions-thousands", "An amount has a comma for thousands.", "1234.50", |_| {
            "1,234.50".to_owned()
        }),
        ("transactions-brackets", "A negative amount is in brackets.", "-45.00", |p| {
            format!("({})", amount(-p))
        }),
    ];
    for (id, says, value, shape) in shapes {
        let mut d = Defect::new(id, TRANSACTIONS, "mended by cleansing", says);
        for home in w.any(10) {
            let row = first(&home);
            let cell: Cell = mended(shape(pence(value)), &["amount-as-number"]);
            w.set_target(TRANSACTIONS, row, "real_value", Some(value));
            w.set_source(TRANSACTIONS, row, "real_value", cell);
            d.at(w.key(TRANSACTIONS, row));
        }
        w.defects.push(d);
    }
}
