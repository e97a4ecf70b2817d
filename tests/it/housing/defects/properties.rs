//! Defects of properties.

use super::{Mend, accepted, bad_on_both, differs, hold_back_transactions};
use crate::housing::table::{mended, plain};
use crate::housing::truth::Defect;
use crate::housing::world::{HOUSEHOLDS, MEMBERS, PROPERTIES, TENANCIES, World};

const MATCH: &str = "same-dwelling-twice";

pub fn plant(w: &mut World) {
    lost(w);
    unmapped_type(w);
    twice(w);
    repaired(w);
    unexpected(w);
    bad_values(w);
    differences(w);
    mends(w);
}

fn lost(w: &mut World) {
    let mut d = Defect::new(
        "properties-lost",
        PROPERTIES,
        "missing",
        "A dwelling was not carried over, so that its household and its tenancy are orphans in the target.",
    );
    for home in w.any(3) {
        let tenancy = w.key(TENANCIES, home.only().tenancy);
        d.at(w.key(PROPERTIES, home.property));
        w.lose(&mut d, PROPERTIES, home.property);
        d.orphan(HOUSEHOLDS, "prop_ref", "target", &w.key(HOUSEHOLDS, home.only().household), "introduced");
        d.orphan(TENANCIES, "prop_ref", "target", &tenancy, "introduced");
    }
    w.defects.push(d);
}

fn unmapped_type(w: &mut World) {
    let mut d = Defect::new(
        "properties-unmapped-type",
        PROPERTIES,
        "unmapped code",
        "A dwelling has a type that the mapping does not know: it is quarantined, and all that hangs on it is held back.",
    );
    for home in w.any(3) {
        w.set_source(PROPERTIES, home.property, "subtyp_code", plain("ZZZ"));
        d.at(w.key(PROPERTIES, home.property));
        w.hold_back(&mut d, PROPERTIES, home.property);
        w.hold_back(&mut d, HOUSEHOLDS, home.only().household);
        for row in &home.only().members {
            w.hold_back(&mut d, MEMBERS, *row);
        }
        w.hold_back(&mut d, TENANCIES, home.only().tenancy);
        hold_back_transactions(w, &mut d, &home);
    }
    w.defects.push(d);
}

/// The first of them reaches the target as well.
fn twice(w: &mut World) {
    let mut d = Defect::new(
        "properties-twice",
        PROPERTIES,
        "duplicate, merged",
        "A dwelling was recorded twice; the second record is merged into the first and what refers to it follows. \
         The first pair still stands in the target.",
    );
    for (i, home) in w.any(4).into_iter().enumerate() {
        let prop_ref = format!("{:08}", 91_000 + i * 11);
        let survivor = w.key(PROPERTIES, home.property);
        let twin = w.copy_source(PROPERTIES, home.property, &prop_ref);
        w.set_source(PROPERTIES, twin, "prop_ref", plain(prop_ref.clone()));
        w.source_fate(PROPERTIES, twin, "merged");
        w.set_source(HOUSEHOLDS, home.only().household, "prop_ref", mended(prop_ref.clone(), &[MATCH]));
        w.set_source(TENANCIES, home.only().tenancy, "prop_ref", mended(prop_ref.clone(), &[MATCH]));
        d.at(prop_ref.clone());
        d.found(PROPERTIES, MATCH, "expected", &survivor, None);
        d.found(PROPERTIES, MATCH, "expected", &prop_ref, None);
        if i == 0 {
            let there = w.copy_target(PROPERTIES, home.property, &prop_ref);
            w.set_target(PROPERTIES, there, "prop_ref", Some(&prop_ref));
            w.target_fate(PROPERTIES, there, "from_merged");
            d.found(PROPERTIES, "reconcile-from_merged", "target", &prop_ref, None);
            for key in [&survivor, &prop_ref] {
                d.found(PROPERTIES, MATCH, "target", key, None);
                d.found(PROPERTIES, "unique-uprn", "target", key, Some("uprn"));
            }
        }
    }
    w.defects.push(d);
}

fn repaired(w: &mut World) {
    let mut d = Defect::new(
        "properties-added-in-target",
        PROPERTIES,
        "orphan, repaired",
        "The source lacks the dwelling that a household and a tenancy refer to; the target has it.",
    );
    for home in w.any(2) {
        w.source[PROPERTIES].rows[home.property].present = false;
        d.at(w.key(PROPERTIES, home.property));
        w.unexpected(&mut d, PROPERTIES, home.property);
        let (household, tenancy) = (home.only().household, home.only().tenancy);
        d.orphan(HOUSEHOLDS, "prop_ref", "expected", &w.key(HOUSEHOLDS, household), "repaired");
        d.orphan(TENANCIES, "prop_ref", "expected", &w.key(TENANCIES, tenancy), "repaired");
    }
    w.defects.push(d);
}

fn unexpected(w: &mut World) {
    let mut d = Defect::new(
        "properties-unexpected",
        PROPERTIES,
        "unexpected",
        "A dwelling stands in the target only, and nothing refers to it.",
    );
    for (i, home) in w.any(2).into_iter().enumerate() {
        let key = format!("{:08}", 92_000 + i * 11);
        let row = w.copy_target(PROPERTIES, home.property, &key);
        w.set_target(PROPERTIES, row, "prop_ref", Some(&key));
        w.set_target(PROPERTIES, row, "uprn", Some(&format!("99909{:07}", 9_000_001 + i)));
        w.unexpected(&mut d, PROPERTIES, row);
        d.at(key);
    }
    w.defects.push(d);
}

fn bad_values(w: &mut World) {
    let mut d = Defect::new("properties-no-postcode", PROPERTIES, "not_null", "A dwelling has no postcode.");
    for home in w.any(4) {
        w.set_source(PROPERTIES, home.property, "post_code", mended("", &["blank-is-missing"]));
        w.set_target(PROPERTIES, home.property, "post_code", None);
        w.fails(&mut d, PROPERTIES, home.property, "not_null-prop_ref-post_code", Some("post_code"));
        d.at(w.key(PROPERTIES, home.property));
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "properties-shared-uprn",
        PROPERTIES,
        "unique",
        "Two different dwellings carry one UPRN.",
    );
    for _ in 0..2 {
        let one = w.any(1).remove(0);
        let post_code = w.there(PROPERTIES, one.property, "post_code").map(str::to_owned);
        let other = w
            .take(1, |w, home| w.there(PROPERTIES, home.property, "post_code") != post_code.as_deref())
            .remove(0);
        let uprn = w.there(PROPERTIES, one.property, "uprn").unwrap_or_default().to_owned();
        w.set_both(PROPERTIES, other.property, "uprn", &uprn);
        for row in [one.property, other.property] {
            w.fails(&mut d, PROPERTIES, row, "unique-uprn", Some("uprn"));
            d.at(w.key(PROPERTIES, row));
        }
    }
    w.defects.push(d);

    let mut bad = |id, kind, says, n, values: &[&str], column, rule| {
        let homes = w.any(n);
        bad_on_both(
            w,
            Defect::new(id, PROPERTIES, kind, says),
            PROPERTIES,
            &homes,
            values,
            column,
            (rule, Some(column)),
        );
    };
    bad(
        "properties-too-many-bedrooms",
        "range",
        "A dwelling has 99 bedrooms.",
        2,
        &["99"],
        "num_bedrooms",
        "range-num_bedrooms",
    );
    bad(
        "properties-short-year",
        "length",
        "A year of building has three digits.",
        2,
        &["195", "201"],
        "u_year_built",
        "length-u_year_built",
    );
    bad(
        "properties-bad-uprn",
        "pattern",
        "A UPRN starts with zeros.",
        2,
        &["000100023336", "000100023442"],
        "uprn",
        "pattern-uprn",
    );

    let mut d = Defect::new(
        "properties-no-such-block",
        PROPERTIES,
        "orphan, inherited",
        "A dwelling belongs to a block that neither side has.",
    );
    for home in w.any(2) {
        w.set_both(PROPERTIES, home.property, "major_ref", "00099999");
        let key = w.key(PROPERTIES, home.property);
        d.orphan(PROPERTIES, "major_ref", "expected", &key, "inherited");
        d.orphan(PROPERTIES, "major_ref", "target", &key, "inherited");
        d.at(key);
    }
    w.defects.push(d);
}

fn differences(w: &mut World) {
    let mut plant = |id, kind, says, n, column, checks: &[&str], text: fn(&str) -> Option<String>| {
        let homes = w.any(n);
        differs(w, Defect::new(id, PROPERTIES, kind, says), PROPERTIES, &homes, column, checks, text);
    };
    plant(
        "properties-cut-postcode",
        "mismatch: truncated",
        "A postcode lost its last letter in the target.",
        3,
        "post_code",
        &["pattern-post_code"],
        |t| Some(t[..t.len() - 1].to_owned()),
    );
    plant(
        "properties-misspelt-type",
        "accepted_values",
        "An asset type is misspelt in the target.",
        2,
        "subtyp_code",
        &["accepted_values-subtyp_code"],
        |_| Some("Dweling".to_owned()),
    );
    plant(
        "properties-flag-flipped",
        "mismatch: flag",
        "A dwelling that can be let is marked as one that cannot.",
        3,
        "letable",
        &[],
        |_| Some("false".to_owned()),
    );
    plant(
        "properties-other-area",
        "mismatch: beyond tolerance",
        "A floor area is many times what it was.",
        2,
        "u_floor_area",
        &[],
        |t| Some(t.replace('.', "0.")),
    );
    let homes = w.any(5);
    accepted(
        w,
        Defect::new(
            "properties-float-noise",
            PROPERTIES,
            "no finding: within tolerance",
            "A floor area carries the noise of a floating-point number.",
        ),
        PROPERTIES,
        &homes,
        "u_floor_area",
        |t| format!("{t}000001"),
    );
    let homes = w.any(4);
    accepted(
        w,
        Defect::new(
            "properties-padded-address",
            PROPERTIES,
            "no finding: white space accepted",
            "An address has blanks behind it in the target, which its comparison trims.",
        ),
        PROPERTIES,
        &homes,
        "post_desig",
        |t| format!("{t}   "),
    );
}

fn mends(w: &mut World) {
    let mut mend = |id, says, column, n, worse: fn(&str) -> _| {
        let homes = w.any(n);
        Mend { id, set: PROPERTIES, says, column }.plant(w, &homes, worse);
    };
    mend("properties-small-postcode", "A postcode is in small letters.", "post_code", 25, |t| {
        mended(t.to_lowercase(), &["postcode-in-capitals"])
    });
    mend("properties-wide-postcode", "A postcode has two blanks.", "post_code", 15, |t| {
        mended(t.replace(' ', "  "), &["single-blanks"])
    });
    mend("properties-leading-blank", "An address has a blank before it.", "post_desig", 10, |t| {
        mended(format!(" {t}"), &["trim-text"])
    });
    let mut d = Defect::new(
        "properties-split-accent",
        PROPERTIES,
        "mended by cleansing",
        "An address writes its accent as a character of its own.",
    );
    for home in w.any(3) {
        w.set_source(
            PROPERTIES,
            home.property,
            "post_desig",
            mended("1, The Cafe\u{301}, Kelso Court", &["unicode-composed"]),
        );
        w.set_target(PROPERTIES, home.property, "post_desig", Some("1, The Café, Kelso Court"));
        d.at(w.key(PROPERTIES, home.property));
    }
    w.defects.push(d);
}
