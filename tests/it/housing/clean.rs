//! The tables before anything is planted: the source with its everyday quirks, the target as it should be.

use super::codes::{self, tenure_description};
use super::people::{Person, email, other_telephone, telephone};
use super::random::{Day, Random};
use super::table::{Cell, Row, mended, null, optional, plain};
use super::truth::amount;
use super::world::{HOUSEHOLDS, Home, Let, MEMBERS, PROPERTIES, TENANCIES, TRANSACTIONS, World};
use super::{layout, places};

const ESTATES: usize = 12;
const BLOCKS: usize = 55;
const DWELLINGS: usize = 1833;
/// Tenancies before any is planted: some dwellings have a former one as well.
const TENANCIES_AT_FIRST: usize = 1995;

#[rustfmt::skip]
/// Makes both sides.
pub fn build(seed: u64) -> World {
    let mut world = World {
        random: Random::new(seed),
        people: super::people::People::default(),
        source: layout::source(),
        target: layout::target(),
        untouched: Vec::new(),
        defects: Vec::new(),
    };
    codes::add(&mut world);
    let blocks = estates(&mut world);
    let mut batches = vec![0; 60];
    for n in 0..DWELLINGS {
        let (parent, ref address, ref post_code) = blocks[n % blocks.len()];
        let address = format!("{} {address}", n / blocks.len() + 1);
        let parent = world.key(PROPERTIES, parent);
        let property = property(&mut world, Some(parent), "DWE", &address, post_code);
        let lets = 1 + usize::from(n < TENANCIES_AT_FIRST - DWELLINGS);
        let lets = (0..lets).map(|i| tenancy(&mut world, property, n, (i, lets), &mut batches)).collect();
        world.untouched.push(Home { property, lets });
    }
    let mut untouched = std::mem::take(&mut world.untouched);
    world.random.shuffle(&mut untouched);
    world.untouched = untouched;
    world
}

/// Adds estates and their blocks; returns each block's row, name and postcode.
fn estates(world: &mut World) -> Vec<(usize, String, String)> {
    let estates: Vec<usize> = (0..ESTATES)
        .map(|n| {
            let post_code = places::postcode(&mut world.random);
            property(world, None, "EST", &places::estate(n), &post_code)
        })
        .collect();
    (0..BLOCKS)
        .map(|n| {
            let post_code = places::postcode(&mut world.random);
            let parent = world.key(PROPERTIES, estates[n % ESTATES]);
            let row = property(world, Some(parent), "BLK", &places::block(n), &post_code);
            (row, places::block(n), post_code)
        })
        .collect()
}

/// Adds a row to both sides; returns its index, the same on both.
fn push(world: &mut World, set: usize, key: String, source: Vec<Cell>, target: Vec<Cell>) -> usize {
    world.target[set].rows.push(Row::new(key.clone(), target));
    world.source[set].rows.push(Row::new(key, source));
    world.source[set].rows.len() - 1
}

fn property(world: &mut World, parent: Option<String>, kind: &str, address: &str, post_code: &str) -> usize {
    let n = world.source[PROPERTIES].rows.len();
    let random = &mut world.random;
    let key = format!("{:08}", 1207 + n * 11);
    let dwelling = kind == "DWE";
    let uprn = dwelling.then(|| format!("9990{:08}", 10_017 + n * 23));
    let year = random.range(1919, 2012).to_string();
    let patch = format!("E{:02}", n % 37);
    let bedrooms = dwelling.then(|| random.range(0, 5).to_string());
    let area = dwelling.then(|| format!("{}.{}", random.range(28, 120), random.range(1, 9)));
    let certificate = (dwelling && random.chance(60))
        .then(|| Day::of(random.range(2009, 2024), random.range(1, 12), random.range(1, 28)));
    let kind_there = match kind {
        "DWE" => "Dwelling",
        "BLK" => "Block",
        _ => "Estate",
    };
    let source = vec![
        plain(key.clone()),
        blank_or(parent.as_deref()),
        mended(kind, &["asset-type"]),
        plain(post_code),
        plain(address),
        blank_or(uprn.as_deref()),
        plain(year.clone()),
        plain(patch.clone()),
        plain(["JAB", "KDO", "MLT"][n % 3]),
        optional(bedrooms.clone()),
        plain(if dwelling { "1" } else { "0" }),
        optional(area.clone()),
        small_date(certificate, "no-certificate-date"),
        plain((n + 1).to_string()),
        null(),
        null(),
        row_version(n),
    ];
    let target = vec![
        plain(key.clone()),
        optional(parent),
        plain(kind_there),
        plain(post_code),
        plain(address),
        optional(uprn),
        plain(year),
        plain(patch),
        optional(bedrooms),
        plain(dwelling.to_string()),
        optional(area),
        optional(certificate.map(Day::iso)),
        plain("1"),
    ];
    push(world, PROPERTIES, key, source, target)
}

/// Adds a household, its members, its tenancy and the transactions of that; `number` is which of how many in this home.
fn tenancy(
    world: &mut World,
    property: usize,
    home: usize,
    number: (usize, usize),
    batches: &mut [usize],
) -> Let {
    let people = new_people(world);
    let household = household(world, property, &people);
    let house_ref = world.key(HOUSEHOLDS, household);
    let members = people.iter().enumerate().map(|(i, p)| member(world, &house_ref, i + 1, p)).collect();
    let n = world.source[TENANCIES].rows.len();
    let random = &mut world.random;
    let key = format!("{:06}/{:02}", 1000 + home * 7, number.0 + 1);
    let former = number.0 + 1 < number.1;
    let start = Day::of(
        if former { random.range(1978, 1999) } else { random.range(2001, 2024) },
        random.range(1, 12),
        random.range(1, 28),
    );
    let end = match (former, random.chance(12)) {
        (true, _) => Some(Day(Day::of(2000, 1, 3).0 + random.range(0, 300))),
        (false, true) => Some(Day(Day::of(2025, 2, 1).0 + random.range(0, 340))),
        (false, false) => None,
    };
    let codes = [
        "SEC", "SEC", "SEC", "SEC", "SEC", "SEC", "LEA", "LEA", "INT", "INT", "NON", "MPA", "SHO", "FRE",
        "TAF",
    ];
    let tenure = random.pick(&codes);
    let original = if tenure == "SEC" && random.chance(40) { "INT" } else { tenure };
    let payment = format!("{}{:08}", if random.chance(30) { 0 } else { 2 }, 10_000_000 + n * 4271);
    let balance = amount(random.range(-40_000, 150_000));
    let rent = amount(random.range(8_500, 19_000));
    let reason = end.map(|_| random.pick(&["TRN", "DEC", "ABA", "RTB"]));
    let prop_ref = world.key(PROPERTIES, property);
    let flag = |is: bool| plain(if is { "1" } else { "0" });
    let source = vec![
        plain(key.clone()),
        plain(prop_ref.clone()),
        plain(house_ref.clone()),
        mended(tenure, &["tenure-type"]),
        plain(original),
        plain(payment.clone()),
        plain(format!("{} 00:00:00", start.iso())),
        small_date(end, "no-end-date"),
        flag(end.is_none()),
        flag(end.is_some()),
        flag(end.is_none()),
        plain(balance.clone()),
        plain(rent.clone()),
        blank_or(reason),
        plain((n + 1).to_string()),
        null(),
        null(),
        null(),
    ];
    let target = vec![
        plain(world.random.guid()),
        plain(key.clone()),
        plain(prop_ref),
        plain(house_ref),
        plain(tenure_description(tenure)),
        plain(payment),
        plain(start.iso()),
        optional(end.map(Day::iso)),
        plain(end.is_none().to_string()),
        plain(end.is_some().to_string()),
        plain(balance),
        plain(rent),
        optional(reason.map(|r| format!("{r}-migrated"))),
    ];
    let tenancy = push(world, TENANCIES, key, source, target);
    let week = world.random.range(0, 7);
    let transactions = (0..world.random.pick(&[2, 2, 3, 3, 3, 4]))
        .map(|i| {
            let week = week + i * 8;
            batches[week as usize] += 1;
            transaction(
                world,
                tenancy,
                Day(Day::of(2025, 4, 7).0 + week * 7),
                (20_000 + week, batches[week as usize]),
            )
        })
        .collect();
    Let { household, members, tenancy, transactions }
}

/// One to four people: adults with one surname, as a rule, and children.
fn new_people(world: &mut World) -> Vec<Person> {
    let (random, people) = (&mut world.random, &mut world.people);
    let first = people.person(random, None, (1930, 2003), true);
    let more = random.pick(&[0, 0, 0, 1, 1, 1, 1, 2, 2, 3]);
    let mut all = vec![first];
    for i in 0..more {
        let adult = i == 0 && random.chance(60);
        let years = if adult { (1935, 2003) } else { (2009, 2024) };
        let nino = adult && random.chance(80);
        all.push(people.person(random, Some(all[0].surname), years, nino));
    }
    all
}

fn household(world: &mut World, property: usize, people: &[Person]) -> usize {
    let n = world.source[HOUSEHOLDS].rows.len();
    let prop_ref = world.key(PROPERTIES, property);
    let random = &mut world.random;
    let key = format!("{:08}", 40_013 + n * 3);
    let phone = random.chance(75).then(|| telephone(random));
    let mail = random.chance(50).then(|| email(random, &people[0]));
    let kin = random.chance(35).then(|| {
        let kin = world.people.person(random, Some(people[0].surname), (1940, 2003), false);
        (format!("{} {}", kin.forename, kin.surname), other_telephone(random))
    });
    let (kin, kin_phone) = kin.unzip();
    let children = people.iter().filter(|p| p.born >= Day::of(2008, 1, 1)).count();
    let joint = people.len() - children > 1;
    let status = random.chance(95).then(|| random.pick(&["F", "P", "N", "N"]));
    let since = random
        .chance(88)
        .then(|| Day::of(random.range(1990, 2024), random.range(1, 12), random.range(1, 28)).iso());
    // Blank text in a varchar column is trimmed to nothing first.
    let varchar = |text: &Option<String>| match text {
        Some(text) => plain(text.clone()),
        None => mended(" ", &["trim-text", "blank-is-missing"]),
    };
    let source = vec![
        plain(key.clone()),
        plain(prop_ref.clone()),
        plain(if joint { "1" } else { "0" }),
        blank_or(phone.as_deref()),
        varchar(&mail),
        varchar(&kin),
        varchar(&kin_phone),
        plain(people.len().to_string()),
        plain(children.to_string()),
        status.map_or_else(|| mended("", &["blank-is-missing", "no-benefit-unless-said"]), plain),
        since.clone().map_or_else(|| mended("1900-01-01", &["no-address-date"]), plain),
        plain((n + 1).to_string()),
        null(),
        null(),
        null(),
    ];
    let target = vec![
        plain(key.clone()),
        plain(prop_ref),
        plain(joint.to_string()),
        optional(phone),
        optional(mail),
        optional(kin),
        optional(kin_phone),
        plain(people.len().to_string()),
        plain(children.to_string()),
        plain(status.unwrap_or("N")),
        optional(since),
    ];
    push(world, HOUSEHOLDS, key, source, target)
}

/// Adds a member of a household.
pub fn member(world: &mut World, house_ref: &str, number: usize, person: &Person) -> usize {
    let n = world.source[MEMBERS].rows.len();
    let born_known = world.random.chance(96);
    let gender_known = world.random.chance(97);
    let key = format!("{house_ref}|{number}");
    let source = vec![
        plain(house_ref),
        plain(number.to_string()),
        plain(person.title),
        plain(person.forename),
        plain(person.surname),
        plain(person.surname.to_lowercase()),
        if born_known { plain(person.born.iso()) } else { mended("1900-01-01", &["no-date-of-birth"]) },
        if gender_known {
            plain(person.gender)
        } else {
            mended("", &["blank-is-missing", "gender-unless-said"])
        },
        blank_or(person.nino.as_deref()),
        plain(if number == 1 { "T" } else { "P" }),
        plain(if number == 1 { "1" } else { "0" }),
        plain((n + 1).to_string()),
        null(),
        null(),
        null(),
    ];
    let target = vec![
        plain(house_ref),
        plain(number.to_string()),
        plain(person.title),
        plain(person.forename),
        plain(person.surname),
        optional(born_known.then(|| person.born.iso())),
        plain(if gender_known { person.gender } else { "U" }),
        optional(person.nino.clone()),
        plain((number == 1).to_string()),
    ];
    push(world, MEMBERS, key, source, target)
}

/// Adds a transaction posted on a day, with its batch and number there.
pub fn transaction(world: &mut World, tenancy: usize, day: Day, number: (i64, usize)) -> usize {
    let n = world.source[TRANSACTIONS].rows.len();
    let tag_ref = world.key(TENANCIES, tenancy);
    let random = &mut world.random;
    let kind = random.pick(&["DBR", "DBR", "DSC", "DWR", "RBR", "RCP", "RDD", "RHB", "RPY"]);
    let pence = random.range(1_000, 24_000);
    let value = amount(if kind.starts_with('R') { -pence } else { pence });
    let changed = Day(day.0 + random.range(0, 2));
    let (hour, minute) = (random.range(8, 17), random.range(0, 59));
    let key = format!("{}|{}|1", number.0, number.1);
    let source = vec![
        plain(number.0.to_string()),
        plain(number.1.to_string()),
        plain("1"),
        plain(tag_ref.clone()),
        plain(kind),
        plain(day.iso()),
        plain(value.clone()),
        plain(format!("{} {hour:02}:{minute:02}:00", changed.iso())),
        plain((n + 1).to_string()),
        null(),
        null(),
        null(),
    ];
    let target = vec![
        plain(number.0.to_string()),
        plain(number.1.to_string()),
        plain("1"),
        plain(tag_ref),
        plain(kind),
        plain(day.iso()),
        plain(value),
        plain(format!("{}T{:02}:{minute:02}Z", changed.iso(), hour - i64::from(changed.is_summer()))),
    ];
    push(world, TRANSACTIONS, key, source, target)
}

/// Text, or the blanks that stand for none.
fn blank_or(text: Option<&str>) -> Cell {
    text.map_or_else(|| mended("", &["blank-is-missing"]), plain)
}

/// A smalldatetime, or the day that stands for none.
fn small_date(day: Option<Day>, step: &'static str) -> Cell {
    match day {
        Some(day) => plain(format!("{} 00:00:00", day.iso())),
        None => mended("1900-01-01 00:00:00", &[step]),
    }
}

pub fn row_version(n: usize) -> Cell {
    plain(format!("{:08X}", 0x001A_2000 + n * 3))
}
