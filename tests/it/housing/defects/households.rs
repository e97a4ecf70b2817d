//! Defects of households.

use super::{Mend, accepted, bad_on_both, differs};
use crate::housing::random::Day;
use crate::housing::table::{mended, plain};
use crate::housing::truth::Defect;
use crate::housing::world::{HOUSEHOLDS, Home, MEMBERS, TENANCIES, World};

pub fn plant(w: &mut World) {
    lost(w);
    unparsable(w);
    keys(w);
    bad_values(w);
    differences(w);
    mends(w);
}

fn has(column: &'static str) -> impl Fn(&World, &Home) -> bool {
    move |w, home| w.there(HOUSEHOLDS, home.only().household, column).is_some()
}

fn lacks(column: &'static str) -> impl Fn(&World, &Home) -> bool {
    move |w, home| w.there(HOUSEHOLDS, home.only().household, column).is_none()
}

fn lost(w: &mut World) {
    let mut d = Defect::new(
        "households-lost",
        HOUSEHOLDS,
        "missing",
        "A household was not carried over, so that its members and its tenancy are orphans in the target.",
    );
    for home in w.any(2) {
        let home = home.only();
        d.at(w.key(HOUSEHOLDS, home.household));
        w.lose(&mut d, HOUSEHOLDS, home.household);
        for row in &home.members {
            d.orphan(MEMBERS, "house_ref", "target", &w.key(MEMBERS, *row), "introduced");
        }
        d.orphan(TENANCIES, "house_ref-prop_ref", "target", &w.key(TENANCIES, home.tenancy), "introduced");
    }
    w.defects.push(d);
}

fn unparsable(w: &mut World) {
    let mut d = Defect::new(
        "households-no-such-day",
        HOUSEHOLDS,
        "unparsable date",
        "A household's date is no date: it is quarantined and its members are held back; its tenancy, whose \
         reference does not cascade, is reported as having a quarantined parent.",
    );
    for (home, text) in w.any(2).iter().zip(["31/02/2019", "not known"]) {
        let home = home.only();
        w.set_source(HOUSEHOLDS, home.household, "address_date", plain(text));
        d.at(w.key(HOUSEHOLDS, home.household));
        w.hold_back(&mut d, HOUSEHOLDS, home.household);
        for row in &home.members {
            w.hold_back(&mut d, MEMBERS, *row);
        }
        let tenancy = w.key(TENANCIES, home.tenancy);
        d.orphan(TENANCIES, "house_ref-prop_ref", "expected", &tenancy, "parent quarantined");
    }
    w.defects.push(d);
}

fn keys(w: &mut World) {
    let mut d = Defect::new(
        "households-no-key",
        HOUSEHOLDS,
        "no key",
        "A row of the target has no household reference.",
    );
    let home = w.any(1).remove(0);
    let row = w.copy_target(HOUSEHOLDS, home.only().household, "\\N");
    w.set_target(HOUSEHOLDS, row, "house_ref", None);
    w.target_fate(HOUSEHOLDS, row, "no_key");
    d.at("\\N");
    d.found(HOUSEHOLDS, "reconcile-no_key", "target", "\\N", None);
    d.found(HOUSEHOLDS, "not_null-house_ref-prop_ref", "target", "\\N", Some("house_ref"));
    w.defects.push(d);

    let mut d = Defect::new(
        "households-key-twice",
        HOUSEHOLDS,
        "duplicate key in the target",
        "A household was loaded twice.",
    );
    for home in w.any(2) {
        let row = home.only().household;
        let key = w.key(HOUSEHOLDS, row);
        let again = w.copy_target(HOUSEHOLDS, row, &key);
        w.source_fate(HOUSEHOLDS, row, "duplicate_key");
        w.target_fate(HOUSEHOLDS, row, "duplicate_key");
        w.target_fate(HOUSEHOLDS, again, "duplicate_key");
        d.found(HOUSEHOLDS, "reconcile-duplicate_key", "expected", &key, None);
        d.found(HOUSEHOLDS, "reconcile-duplicate_key", "target", &key, None);
        d.found(HOUSEHOLDS, "reconcile-duplicate_key", "target", &key, None);
        d.at(key);
    }
    w.defects.push(d);
}

fn bad_values(w: &mut World) {
    let mut bad = |id, kind, says, homes: fn(&mut World) -> Vec<Home>, values: &[&str], column, rule| {
        let homes = homes(w);
        let d = Defect::new(id, HOUSEHOLDS, kind, says);
        bad_on_both(w, d, HOUSEHOLDS, &homes, values, column, rule);
    };
    bad(
        "households-more-children-than-people",
        "expression",
        "A household has more children than people.",
        |w| w.any(3),
        &["9"],
        "house_kids",
        ("children-are-people", None),
    );
    bad(
        "households-short-telephone",
        "pattern",
        "A telephone number lacks digits.",
        |w| w.take(3, has("telephone")),
        &["07700900", "0207946"],
        "telephone",
        ("pattern-telephone", Some("telephone")),
    );

    let mut d = Defect::new(
        "households-own-next-of-kin",
        HOUSEHOLDS,
        "columns_differ",
        "The next of kin has the household's own telephone number.",
    );
    for home in w.take(3, |w, home| has("telephone")(w, home) && has("nextkintel")(w, home)) {
        let row = home.only().household;
        let telephone = w.there(HOUSEHOLDS, row, "telephone").unwrap_or_default().to_owned();
        w.set_both(HOUSEHOLDS, row, "nextkintel", &telephone);
        w.fails(&mut d, HOUSEHOLDS, row, "columns_differ-telephone-nextkintel", None);
        d.at(w.key(HOUSEHOLDS, row));
    }
    w.defects.push(d);
}

/// Whether the day and month of a date can be exchanged.
fn can_swap(w: &World, home: &Home) -> bool {
    let day = w.there(HOUSEHOLDS, home.only().household, "address_date").and_then(Day::read);
    day.and_then(Day::swapped).is_some()
}

fn differences(w: &mut World) {
    let homes = w.take(4, |w, home| {
        w.there(HOUSEHOLDS, home.only().household, "telephone").is_some_and(|t| t.starts_with("07"))
    });
    let d = Defect::new(
        "households-lost-zero",
        HOUSEHOLDS,
        "mismatch: leading zero lost",
        "A telephone number lost its leading zero in the target.",
    );
    differs(w, d, HOUSEHOLDS, &homes, "telephone", &["pattern-telephone"], |t| Some(t[1..].to_owned()));

    let homes = w.take(3, lacks("nextkinname"));
    let d = Defect::new(
        "households-blank-for-null",
        HOUSEHOLDS,
        "mismatch: NULL and blank",
        "The target has empty text for the name of next of kin, where NULL is expected.",
    );
    differs(w, d, HOUSEHOLDS, &homes, "nextkinname", &[], |_| Some(String::new()));

    let homes = w.take(3, can_swap);
    let d = Defect::new(
        "households-swapped-day",
        HOUSEHOLDS,
        "mismatch: day and month swapped",
        "Day and month of a date changed places in the target.",
    );
    differs(w, d, HOUSEHOLDS, &homes, "address_date", &[], |t| {
        Day::read(t).and_then(Day::swapped).map(Day::iso)
    });

    let homes = w.take(6, has("email_address"));
    let d = Defect::new(
        "households-email-in-capitals",
        HOUSEHOLDS,
        "no finding: case accepted",
        "An e-mail address stands in capitals in the target, where its comparison ignores case.",
    );
    accepted(w, d, HOUSEHOLDS, &homes, "email_address", str::to_uppercase);

    let homes = w.take(3, lacks("nextkintel"));
    let d = Defect::new(
        "households-not-applicable",
        HOUSEHOLDS,
        "no finding: NULL accepted",
        "The target says N/A for no telephone number of next of kin, which its comparison takes as NULL.",
    );
    accepted(w, d, HOUSEHOLDS, &homes, "nextkintel", |_| "N/A".to_owned());
}

fn mends(w: &mut World) {
    let homes = w.take(20, has("telephone"));
    Mend {
        id: "households-spaced-telephone",
        set: HOUSEHOLDS,
        says: "A telephone number has blanks and brackets.",
        column: "telephone",
    }
    .plant(w, &homes, |t| mended(format!("({}) {}", &t[..5], &t[5..]), &["telephone-is-digits"]));

    let homes = w.take(10, has("telephone"));
    Mend {
        id: "households-abroad-telephone",
        set: HOUSEHOLDS,
        says: "A telephone number starts with +44.",
        column: "telephone",
    }
    .plant(w, &homes, |t| mended(format!("+44{}", &t[1..]), &["telephone-from-home"]));

    let homes = w.take(15, has("email_address"));
    Mend {
        id: "households-capital-email",
        set: HOUSEHOLDS,
        says: "An e-mail address is in capitals.",
        column: "email_address",
    }
    .plant(w, &homes, |t| mended(t.to_uppercase(), &["email-in-small-letters"]));

    let homes = w.take(25, has("address_date"));
    Mend {
        id: "households-british-date",
        set: HOUSEHOLDS,
        says: "A date is written day first.",
        column: "address_date",
    }
    .plant(w, &homes, |t| {
        mended(Day::read(t).map(Day::british).unwrap_or_default(), &["address-date-as-date"])
    });
}
