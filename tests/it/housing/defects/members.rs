//! Defects of members.

use super::{Mend, bad_on_both, differs};
use crate::housing::clean;
use crate::housing::people::Person;
use crate::housing::random::Day;
use crate::housing::table::{mended, plain};
use crate::housing::truth::Defect;
use crate::housing::world::{HOUSEHOLDS, Home, MEMBERS, World};

const DUPLICATES: &str = "same-person-twice";
const SURNAME: &str = "Featherstonehaugh-Cholmondeley";

pub fn plant(w: &mut World) {
    missing_and_unexpected(w);
    orphans(w);
    repeated(w);
    bad_values(w);
    differences(w);
    cut_at_source(w);
    mends(w);
}

fn text<'w>(w: &'w World, home: &Home, column: &str) -> Option<&'w str> {
    w.there(MEMBERS, home.only().members[0], column)
}

fn has(column: &'static str) -> impl Fn(&World, &Home) -> bool {
    move |w, home| text(w, home, column).is_some()
}

fn missing_and_unexpected(w: &mut World) {
    let mut d =
        Defect::new("members-lost", MEMBERS, "missing", "A member of a household was not carried over.");
    for home in w.take(4, |_, home| home.only().members.len() > 1) {
        let row = home.only().members[1];
        d.at(w.key(MEMBERS, row));
        w.lose(&mut d, MEMBERS, row);
    }
    w.defects.push(d);

    let mut d =
        Defect::new("members-unexpected", MEMBERS, "unexpected", "A person stands in the target only.");
    for home in w.any(3) {
        let person = w.people.person(&mut w.random, None, (1950, 1999), true);
        let house_ref = w.key(HOUSEHOLDS, home.only().household);
        let row = clean::member(w, &house_ref, 9, &person);
        w.source[MEMBERS].rows[row].present = false;
        w.unexpected(&mut d, MEMBERS, row);
        d.at(w.key(MEMBERS, row));
    }
    w.defects.push(d);
}

fn orphans(w: &mut World) {
    let mut d = Defect::new(
        "members-no-such-household",
        MEMBERS,
        "orphan, inherited",
        "A member belongs to a household that neither side has.",
    );
    for home in w.take(3, |_, home| home.only().members.len() > 1) {
        let row = home.only().members[1];
        let number = w.raw(MEMBERS, row, "person_no").unwrap_or_default();
        let key = format!("09999991|{number}{}", d.keys.len());
        let number = format!("{number}{}", d.keys.len());
        w.set_both(MEMBERS, row, "house_ref", "09999991");
        w.set_both(MEMBERS, row, "person_no", &number);
        w.source[MEMBERS].rows[row].key.clone_from(&key);
        w.target[MEMBERS].rows[row].key.clone_from(&key);
        d.orphan(MEMBERS, "house_ref", "expected", &key, "inherited");
        d.orphan(MEMBERS, "house_ref", "target", &key, "inherited");
        d.at(key);
    }
    w.defects.push(d);
}

fn repeated(w: &mut World) {
    let mut d = Defect::new(
        "members-shared-nino",
        MEMBERS,
        "unique",
        "Two people carry one national insurance number.",
    );
    for _ in 0..2 {
        let homes = w.take(2, has("ni_no"));
        let nino = text(w, &homes[0], "ni_no").unwrap_or_default().to_owned();
        w.set_both(MEMBERS, homes[1].only().members[0], "ni_no", &nino);
        for home in homes {
            let row = home.only().members[0];
            w.fails(&mut d, MEMBERS, row, "unique-ni_no", Some("ni_no"));
            d.at(w.key(MEMBERS, row));
        }
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "members-twice",
        MEMBERS,
        "duplicate, reported",
        "One person is a member of two households; of the first pair one surname is in capitals.",
    );
    for i in 0..3 {
        let known = ["title", "forename", "surname", "dob", "gender"];
        let homes = w.take(2, |w, home| known.iter().all(|column| has(column)(w, home)));
        let first = homes[0].only().members[0];
        let surname = w.there(MEMBERS, first, "surname").unwrap_or_default().to_owned();
        let surname = if i == 0 { surname.to_uppercase() } else { surname };
        let house_ref = w.key(HOUSEHOLDS, homes[1].only().household);
        let again = clean::member(w, &house_ref, 8, &stand_in());
        for column in known {
            let there = w.there(MEMBERS, first, column).unwrap_or_default().to_owned();
            w.set_both(MEMBERS, again, column, &there);
        }
        w.set_both(MEMBERS, again, "surname", &surname);
        w.set_source(MEMBERS, again, "ci_surname", plain(surname.to_lowercase()));
        for row in [first, again] {
            w.fails(&mut d, MEMBERS, row, DUPLICATES, None);
            d.at(w.key(MEMBERS, row));
        }
    }
    w.defects.push(d);
}

/// A person whose every detail is then replaced.
fn stand_in() -> Person {
    Person { title: "Mr", forename: "A", surname: "B", gender: "M", born: Day::of(1970, 1, 2), nino: None }
}

fn bad_values(w: &mut World) {
    let mut bad = |id, kind, says, homes: fn(&mut World) -> Vec<Home>, values: &[&str], column, rule| {
        let homes = homes(w);
        bad_on_both(
            w,
            Defect::new(id, MEMBERS, kind, says),
            MEMBERS,
            &homes,
            values,
            column,
            (rule, Some(column)),
        );
    };
    bad(
        "members-bad-nino",
        "pattern",
        "A national insurance number has a wrong form.",
        |w| w.any(3),
        &["ZZ12345A", "12345678Z", "ZZ123456E"],
        "ni_no",
        "pattern-ni_no",
    );
    bad(
        "members-born-tomorrow",
        "range",
        "A date of birth lies in the future.",
        |w| w.any(2),
        &["2027-05-06"],
        "dob",
        "range-dob",
    );
    bad(
        "members-unknown-title",
        "accepted_values",
        "A title is not in the list.",
        |w| w.any(3),
        &["Cllr", "Lord"],
        "title",
        "accepted_values-title",
    );

    let mut d = Defect::new("members-no-surname", MEMBERS, "not_null", "A person has no surname.");
    for home in w.any(2) {
        let row = home.only().members[0];
        w.set_source(MEMBERS, row, "surname", mended("", &["blank-is-missing"]));
        w.set_source(MEMBERS, row, "ci_surname", mended(" ", &["trim-text", "blank-is-missing"]));
        w.set_target(MEMBERS, row, "surname", None);
        w.fails(&mut d, MEMBERS, row, "not_null-surname-forename", Some("surname"));
        d.at(w.key(MEMBERS, row));
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "members-stale-surname-copy",
        MEMBERS,
        "expression",
        "The case-folded copy of a surname is an older surname.",
    );
    for home in w.any(4) {
        let row = home.only().members[0];
        w.set_source(MEMBERS, row, "ci_surname", plain("formerly"));
        d.found(MEMBERS, "surname-copy-agrees", "expected", &w.key(MEMBERS, row), None);
        d.at(w.key(MEMBERS, row));
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
        differs(w, Defect::new(id, MEMBERS, kind, says), MEMBERS, &homes, column, checks, there);
    };
    plant(
        "members-mojibake",
        "mismatch: mojibake",
        "UTF-8 was read as windows-1252: an accent became two characters.",
        |w, home| text(w, home, "forename").is_some_and(|t| t.contains(['é', 'ë', 'ü', 'á', 'â'])),
        4,
        "forename",
        &[],
        |t| {
            // Both bytes of these letters stand for themselves in windows-1252.
            Some(t.bytes().map(char::from).collect())
        },
    );
    plant(
        "members-cut-surname",
        "mismatch: truncated",
        "A surname lost its end in the target.",
        |w, home| text(w, home, "surname").is_some_and(|t| t.len() >= 8),
        3,
        "surname",
        &[],
        |t| Some(t[..6].to_owned()),
    );
    plant(
        "members-capital-surname",
        "mismatch: case",
        "A surname stands in capitals in the target.",
        |_, _| true,
        3,
        "surname",
        &[],
        |t| Some(t.to_uppercase()),
    );
    plant(
        "members-trailing-blanks",
        "mismatch: trailing blanks",
        "A surname kept the blanks that padded it.",
        |_, _| true,
        3,
        "surname",
        &[],
        |t| Some(format!("{t:20}")),
    );
    plant(
        "members-placeholder-arrived",
        "mismatch: placeholder",
        "The day that stands for no date of birth reached the target.",
        |w, home| text(w, home, "dob").is_none(),
        3,
        "dob",
        &["range-dob"],
        |_| Some("1900-01-01".to_owned()),
    );
    plant(
        "members-lost-gender",
        "mismatch: value lost",
        "The target has no gender where one is expected.",
        |w, home| text(w, home, "gender").is_some_and(|t| t != "U"),
        2,
        "gender",
        &[],
        |_| None,
    );
}

fn cut_at_source(w: &mut World) {
    let mut d = Defect::new(
        "members-surname-too-long",
        MEMBERS,
        "length",
        "A surname is whole in the target, but the source's 20 characters cannot hold it.",
    );
    for home in w.any(2) {
        let row = home.only().members[0];
        w.set_source(MEMBERS, row, "surname", plain(&SURNAME[..20]));
        w.set_source(MEMBERS, row, "ci_surname", plain(SURNAME[..20].to_lowercase()));
        w.differ(&mut d, MEMBERS, row, "surname", Some(SURNAME));
        d.found(MEMBERS, "length-surname", "target", &w.key(MEMBERS, row), Some("surname"));
        d.at(w.key(MEMBERS, row));
    }
    w.defects.push(d);
}

fn mends(w: &mut World) {
    let mut mend = |id,
                    says,
                    column,
                    n,
                    wanted: fn(&World, &Home) -> bool,
                    worse: fn(&str) -> crate::housing::table::Cell| {
        let homes = w.take(n, wanted);
        Mend { id, set: MEMBERS, says, column }.plant(w, &homes, worse);
    };
    let ascii = |w: &World, home: &Home| text(w, home, "forename").is_some_and(str::is_ascii);
    mend("members-forename-in-capitals", "A forename is in capitals.", "forename", 25, ascii, |t| {
        mended(t.to_uppercase(), &["forename-in-title-case"])
    });
    mend(
        "members-starred-surname",
        "A surname has a star behind it.",
        "surname",
        8,
        |_, _| true,
        |t| mended(format!("{t}*"), &["no-stars"]),
    );
    mend(
        "members-zero-in-surname",
        "A surname has the digit 0 for the letter O.",
        "surname",
        6,
        |w, home| text(w, home, "surname").is_some_and(|t| t.starts_with('O')),
        |t| mended(t.replacen('O', "0", 1), &["zero-is-letter"]),
    );
    mend(
        "members-small-nino",
        "A national insurance number is in small letters.",
        "ni_no",
        20,
        |w, home| text(w, home, "ni_no").is_some(),
        |t| mended(t.to_lowercase(), &["nino-in-capitals"]),
    );
    mend(
        "members-british-date",
        "A date of birth is written day first.",
        "dob",
        15,
        |w, home| text(w, home, "dob").is_some(),
        |t| mended(Day::read(t).map(Day::british).unwrap_or_default(), &["dob-as-date"]),
    );
    mend(
        "members-no-such-day",
        "A date of birth is no date, and is taken as none.",
        "dob",
        4,
        |w, home| text(w, home, "dob").is_none(),
        |_| mended("00/00/0000", &["dob-as-date"]),
    );
    mend(
        "members-title-mr",
        "A title is written another way.",
        "title",
        20,
        |w, home| text(w, home, "title") == Some("Mr"),
        |_| mended("Mr.", &["title-in-list"]),
    );
    mend(
        "members-title-mrs",
        "A title is in capitals.",
        "title",
        10,
        |w, home| text(w, home, "title") == Some("Mrs"),
        |_| mended("MRS", &["title-in-list"]),
    );

    let mut d = Defect::new(
        "members-dummy-nino",
        MEMBERS,
        "mended by cleansing",
        "A national insurance number is the dummy QQ123456C.",
    );
    for home in w.any(5) {
        let row = home.only().members[0];
        w.set_source(MEMBERS, row, "ni_no", mended("QQ123456C", &["dummy-nino"]));
        w.set_target(MEMBERS, row, "ni_no", None);
        d.at(w.key(MEMBERS, row));
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "members-split-accent",
        MEMBERS,
        "mended by cleansing",
        "A forename writes its accent as a character of its own.",
    );
    for home in w.any(4) {
        let row = home.only().members[0];
        w.set_source(MEMBERS, row, "forename", mended("Ame\u{301}lie", &["unicode-composed"]));
        w.set_target(MEMBERS, row, "forename", Some("Amélie"));
        d.at(w.key(MEMBERS, row));
    }
    w.defects.push(d);

    let mut d = Defect::new(
        "members-wide-surname",
        MEMBERS,
        "mended by cleansing",
        "A surname of two words has several blanks between them.",
    );
    for home in w.any(4) {
        let row = home.only().members[0];
        w.set_source(MEMBERS, row, "surname", mended("St   John", &["single-blanks"]));
        w.set_source(MEMBERS, row, "ci_surname", plain("st john"));
        w.set_target(MEMBERS, row, "surname", Some("St John"));
        d.at(w.key(MEMBERS, row));
    }
    w.defects.push(d);
}
