//! A generated pair of tables with planted causes.

use std::collections::BTreeMap;

use counterfoil::frame::{Frame, Value, series_of};
use counterfoil::model::{Field, Logical, Schema};
use polars::prelude::{Column, DataFrame};

use crate::housing::random::Random;

/// A value as text, or NULL.
pub type Text = Option<String>;

/// A column with both values of every row, and what was planted where.
pub struct Planted {
    pub name: &'static str,
    pub types: (&'static str, &'static str),
    pub values: Vec<(Text, Text)>,
    /// The cause of each differing cell, by row.
    pub causes: BTreeMap<usize, &'static str>,
}

/// Makes the value of a row.
pub type Base = fn(&mut Random) -> String;
/// Makes expected's and the target's value of a base value.
pub type Fault = fn(&str, &mut Random) -> (Text, Text);

/// What is planted in a column: each cause with its fault and how many rows have it.
pub type Plants = &'static [(&'static str, Fault, usize)];

/// The columns: name, types, base values, plants.
pub const COLUMNS: &[(&str, (&str, &str), Base, Plants)] = &[
    (
        "name",
        ("text", "text"),
        name,
        &[
            ("whitespace", whitespace, 80),
            ("case", case, 80),
            ("unicode_form", unicode, 60),
            ("code_page", code_page, 60),
            ("punctuation", punctuation, 80),
            ("null_or_blank", null_or_blank, 60),
            ("placeholder", placeholder_text, 60),
            ("case+whitespace", case_and_whitespace, 60),
            ("real_change", other_name, 120),
        ],
    ),
    (
        "street",
        ("text", "text"),
        street,
        &[("truncation", truncation, 300), ("real_change", other_street, 60), ("whitespace", whitespace, 60)],
    ),
    (
        "prop_ref",
        ("text", "text"),
        code,
        &[("leading_zeros", leading_zeros, 120), ("real_change", other_code, 60)],
    ),
    (
        "amount",
        ("text", "text"),
        amount,
        &[("number_format", number_format, 120), ("real_change", other_amount, 60)],
    ),
    (
        "rent",
        ("decimal(12,4)", "decimal(12,2)"),
        fine_amount,
        &[("rounding", rounding, 120), ("sign", sign, 60), ("real_change", other_rent, 60)],
    ),
    (
        "fee",
        ("decimal(12,2)", "decimal(12,2)"),
        amount,
        &[("scale_factor", scale_factor, 120), ("sign", sign, 60), ("real_change", other_amount, 60)],
    ),
    (
        "present",
        ("text", "text"),
        answer,
        &[("boolean_spelling", boolean_spelling, 120), ("real_change", other_answer, 60)],
    ),
    (
        "guid",
        ("text", "text"),
        guid,
        &[("guid_spelling", guid_spelling, 80), ("real_change", other_guid, 60)],
    ),
    (
        "cot",
        ("date", "date"),
        date,
        &[
            ("date_order", date_order, 100),
            ("day_shift", day_shift, 120),
            ("placeholder", placeholder_date, 60),
            ("real_change", other_date, 80),
        ],
    ),
    (
        "logged",
        ("timestamp", "timestamp"),
        moment,
        &[
            ("date_only", date_only, 80),
            ("time_precision", time_precision, 100),
            ("zone_shift", zone_shift, 120),
            ("real_change", other_moment, 80),
        ],
    ),
    (
        "written",
        ("text", "text"),
        date,
        &[("date_spelling", date_spelling, 100), ("real_change", other_date, 60)],
    ),
    (
        "tenure",
        ("text", "text"),
        tenure,
        &[("whitespace", whitespace, 40), ("real_change", other_tenure, 40)],
    ),
];

const SYLLABLES: [&str; 16] = [
    "Al", "Ber", "Cor", "Da", "El", "Fer", "Gil", "Har", "Il", "Jon", "Ka", "Lem", "Mar", "Nor", "Os", "Pel",
];

fn word(random: &mut Random) -> String {
    let mut word = random.pick(&SYLLABLES).to_owned();
    for _ in 0..random.range(1, 2) {
        word.push_str(&random.pick(&SYLLABLES).to_lowercase());
    }
    word
}

fn name(random: &mut Random) -> String {
    format!("{}-{}, {}é", word(random), word(random), word(random))
}

fn street(random: &mut Random) -> String {
    format!(
        "{} {} {} {}",
        random.range(1, 299),
        word(random),
        word(random),
        random.pick(&["Street", "Terrace", "Court"])
    )
}

fn code(random: &mut Random) -> String {
    format!("{:08}", random.range(1, 99_999))
}

fn amount(random: &mut Random) -> String {
    format!("{}.{:02}", random.range(100, 99_999), random.range(1, 99))
}

fn fine_amount(random: &mut Random) -> String {
    format!("{}.{:02}00", random.range(10, 9_999), random.range(1, 99))
}

fn answer(random: &mut Random) -> String {
    random.pick(&["Y", "N"]).to_owned()
}

fn guid(random: &mut Random) -> String {
    random.guid()
}

fn date(random: &mut Random) -> String {
    format!("{:04}-{:02}-{:02}", random.range(1990, 2024), random.range(1, 12), random.range(1, 28))
}

fn moment(random: &mut Random) -> String {
    let date = date(random);
    format!("{date} {:02}:{:02}:{:02}", random.range(1, 22), random.range(0, 59), random.range(1, 59))
}

fn tenure(random: &mut Random) -> String {
    random.pick(&["SEC", "INT", "NON", "Open", "Closed"]).to_owned()
}

fn both(e: &str, t: impl Into<String>) -> (Text, Text) {
    (Some(e.to_owned()), Some(t.into()))
}

fn whitespace(text: &str, random: &mut Random) -> (Text, Text) {
    both(
        text,
        random.pick(&[
            format!("{text}  ").as_str(),
            &format!(" {text}"),
            &text.replace(' ', "  "),
            &format!("{text}\t"),
        ]),
    )
    .pipe(|(e, t)| if e == t { both(text, format!("{text} ")) } else { (e, t) })
}

trait Pipe: Sized {
    fn pipe<T>(self, f: impl FnOnce(Self) -> T) -> T {
        f(self)
    }
}
impl<T> Pipe for T {}

fn case(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, if random.chance(50) { text.to_uppercase() } else { text.to_lowercase() })
}

fn unicode(text: &str, _: &mut Random) -> (Text, Text) {
    both(&text.replace('é', "e\u{301}"), text)
}

fn code_page(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, text.replace('é', random.pick(&["Ã©", "?", "\u{fffd}", "e"])))
}

fn punctuation(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, if random.chance(50) { text.replace(',', "") } else { text.replace([',', '-'], "") })
}

fn null_or_blank(_: &str, random: &mut Random) -> (Text, Text) {
    let blank = Some(random.pick(&["", " "]).to_owned());
    if random.chance(50) { (blank, None) } else { (None, blank) }
}

fn placeholder_text(_: &str, random: &mut Random) -> (Text, Text) {
    let value = Some(random.pick(&["N/A", "UNKNOWN", "tbc", "-"]).to_owned());
    if random.chance(50) { (value, None) } else { (None, value) }
}

fn case_and_whitespace(text: &str, _: &mut Random) -> (Text, Text) {
    both(text, format!("{} ", text.to_uppercase()))
}

/// Another name, or one with a letter more or less.
fn other_name(text: &str, random: &mut Random) -> (Text, Text) {
    match random.range(0, 2) {
        0 => both(text, format!("{text}n")),
        1 => both(text, text.get(1..).unwrap_or_default()),
        _ => both(text, name(random)),
    }
}

fn other_street(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, street(random))
}

fn truncation(text: &str, _: &mut Random) -> (Text, Text) {
    both(text, text.chars().take(12).collect::<String>())
}

fn leading_zeros(text: &str, _: &mut Random) -> (Text, Text) {
    both(text.trim_start_matches('0'), text)
}

fn other_code(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, code(random))
}

fn number_format(text: &str, random: &mut Random) -> (Text, Text) {
    let (whole, fraction) = text.split_once('.').expect("an amount");
    let grouped = match whole.len() {
        4.. => format!("{},{}", &whole[..whole.len() - 3], &whole[whole.len() - 3..]),
        _ => whole.to_owned(),
    };
    let written = match random.range(0, 2) {
        0 => format!("£{grouped}.{fraction}"),
        1 => format!("{text}00"),
        _ => format!("{grouped}.{fraction} €"),
    };
    (Some(written), Some(text.to_owned()))
}

/// Another amount, or one that is a little more.
fn other_amount(text: &str, random: &mut Random) -> (Text, Text) {
    let pence: i64 = text.replace('.', "").parse().expect("an amount");
    let more = pence + random.range(1, 9_000);
    if random.chance(50) {
        both(text, amount(random))
    } else {
        both(text, format!("{}.{:02}", more / 100, more % 100))
    }
}

fn other_rent(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, amount(random))
}

fn rounding(text: &str, random: &mut Random) -> (Text, Text) {
    let fine = format!("{}{:02}", &text[..text.len() - 2], random.pick(&[4, 17, 33, 49]));
    (Some(fine), Some(text[..text.len() - 2].to_owned()))
}

fn sign(text: &str, _: &mut Random) -> (Text, Text) {
    let short =
        text.strip_suffix("00").filter(|short| short.rsplit('.').next().is_some_and(|f| f.len() == 2));
    both(text, format!("-{}", short.unwrap_or(text)))
}

fn scale_factor(text: &str, _: &mut Random) -> (Text, Text) {
    let pence = text.replace('.', "");
    (Some(text.to_owned()), Some(format!("{pence}.00")))
}

fn boolean_spelling(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, if text == "Y" { random.pick(&["true", "1"]) } else { random.pick(&["false", "0"]) })
}

fn other_answer(text: &str, _: &mut Random) -> (Text, Text) {
    both(text, if text == "Y" { "N" } else { "Y" })
}

fn guid_spelling(text: &str, random: &mut Random) -> (Text, Text) {
    let capitals = text.to_uppercase();
    (
        Some(if random.chance(50) { format!("{{{capitals}}}") } else { format!("{{{text}}}") }),
        Some(text.to_owned()),
    )
}

fn other_guid(text: &str, random: &mut Random) -> (Text, Text) {
    both(text, random.guid())
}

fn date_order(_: &str, random: &mut Random) -> (Text, Text) {
    let (year, month) = (random.range(1990, 2024), random.range(1, 12));
    let day = (month + random.range(0, 10)) % 12 + 1;
    both(&format!("{year:04}-{month:02}-{day:02}"), format!("{year:04}-{day:02}-{month:02}"))
}

fn shifted(text: &str, days: i64) -> String {
    let date: chrono::NaiveDate = text.parse().expect("a date");
    (date + chrono::Duration::days(days)).to_string()
}

fn day_shift(text: &str, _: &mut Random) -> (Text, Text) {
    both(text, shifted(text, 4017))
}

fn placeholder_date(_: &str, random: &mut Random) -> (Text, Text) {
    let value = Some(random.pick(&["1900-01-01", "9999-12-31"]).to_owned());
    if random.chance(50) { (value, None) } else { (None, value) }
}

/// Another date, or one in the weeks before or after.
fn other_date(text: &str, random: &mut Random) -> (Text, Text) {
    let days = random.range(1, 40) * if random.chance(50) { 1 } else { -1 };
    both(text, if random.chance(50) { date(random) } else { shifted(text, days) })
}

fn date_only(text: &str, _: &mut Random) -> (Text, Text) {
    both(text, format!("{} 00:00:00", &text[..10]))
}

fn time_precision(text: &str, random: &mut Random) -> (Text, Text) {
    match random.range(0, 1) {
        0 => both(&format!("{text}.{:06}", random.range(1_001, 999_999)), text),
        _ => both(text, format!("{}00", &text[..17])),
    }
}

fn zone_shift(text: &str, _: &mut Random) -> (Text, Text) {
    let moment = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a moment");
    both(text, (moment + chrono::Duration::hours(1)).to_string())
}

/// Another moment, or one some minutes and seconds later.
fn other_moment(text: &str, random: &mut Random) -> (Text, Text) {
    let own = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a moment");
    let later = own + chrono::Duration::seconds(random.range(61, 3_000) / 7 * 7 + 1);
    both(text, if random.chance(50) { moment(random) } else { later.to_string() })
}

fn date_spelling(text: &str, random: &mut Random) -> (Text, Text) {
    let date: chrono::NaiveDate = text.parse().expect("a date");
    let format = random.pick(&["%d/%m/%Y", "%d %b %Y", "%Y-%m-%d 00:00:00"]);
    (Some(date.format(format).to_string()), Some(text.to_owned()))
}

/// `SEC` and `INT` always become words; of the others some change as they do in life.
fn other_tenure(text: &str, random: &mut Random) -> (Text, Text) {
    let others = ["NON", "Open", "Closed"];
    let other = random.pick(&others);
    both("Open", if other == "Open" || text == other { "Closed" } else { other })
}

/// Makes the columns, of so many rows. The order of the plants is that of the rows; a permutation mixes them.
pub fn planted(seed: u64, rows: usize) -> Vec<Planted> {
    let mut all = Vec::new();
    for (i, (name, types, base, plants)) in COLUMNS.iter().enumerate() {
        let mut random = Random::new(seed.wrapping_add(i as u64));
        let mut order: Vec<usize> = (0..rows).collect();
        random.shuffle(&mut order);
        let bases: Vec<String> = (0..rows).map(|_| base(&mut random)).collect();
        let mut values: Vec<(Text, Text)> = bases
            .iter()
            .map(|base| {
                // A column of other digits takes the same number.
                let target = match *types {
                    ("decimal(12,4)", _) => base[..base.len() - 2].to_owned(),
                    _ => base.clone(),
                };
                (Some(base.clone()), Some(target))
            })
            .collect();
        let mut causes = BTreeMap::new();
        let mut next = order.into_iter();
        for (cause, fault, count) in *plants {
            for row in next.by_ref().take(*count) {
                values[row] = fault(&bases[row], &mut random);
                if !is_same(&values[row], types) {
                    causes.insert(row, *cause);
                }
            }
        }
        if *name == "tenure" {
            for row in next {
                let new = match bases[row].as_str() {
                    "SEC" => "Secure",
                    "INT" => "Introductory",
                    _ => continue,
                };
                values[row] = both(&bases[row], new);
                causes.insert(row, "code_mapping");
            }
        }
        all.push(Planted { name, types: *types, values, causes });
    }
    all.push(exchanged("forename", "surname", seed, rows, true));
    all.push(exchanged("surname", "forename", seed, rows, false));
    all.push(slipped(seed, rows));
    all
}

fn is_same((e, t): &(Text, Text), types: &(&str, &str)) -> bool {
    let read = |text: &Text, logical: &str| {
        text.as_ref().map(|text| Value::parse(text, &logical.parse().expect("a type")).expect("a value"))
    };
    read(e, types.0) == read(t, types.1)
}

/// One of two columns that hold each other's values in 100 rows.
fn exchanged(name: &'static str, _other: &str, seed: u64, rows: usize, first: bool) -> Planted {
    let mut random = Random::new(seed ^ 0x5AFE);
    let mut values = Vec::new();
    let mut causes = BTreeMap::new();
    for row in 0..rows {
        let (a, b) = (word(&mut random), format!("{}son", word(&mut random)));
        let (own, other) = if first { (a, b) } else { (b, a) };
        let is_swapped = row % 20 == 3;
        if is_swapped {
            causes.insert(row, "columns_swapped");
        }
        values.push((Some(own.clone()), Some(if is_swapped { other } else { own })));
    }
    Planted { name, types: ("text", "text"), values, causes }
}

/// A column that slipped by one row in a run of 200 rows.
fn slipped(seed: u64, rows: usize) -> Planted {
    let mut random = Random::new(seed ^ 0xB10C);
    let expected: Vec<String> =
        (0..rows).map(|_| random.range(100_000_000, 999_999_999).to_string()).collect();
    let run = 100..300;
    let mut causes = BTreeMap::new();
    let values = (0..rows)
        .map(|row| {
            let target = if run.contains(&row) { expected[row - 1].clone() } else { expected[row].clone() };
            if run.contains(&row) {
                causes.insert(row, "rows_shifted");
            }
            (Some(expected[row].clone()), Some(target))
        })
        .collect();
    Planted { name: "uprn", types: ("i64", "i64"), values, causes }
}

/// Makes columns in which a cause shows in several cells together: of so many faults, in three times as many rows and two more.
pub type Together = fn(&mut Random, usize) -> Vec<Planted>;

/// The causes that no cell shows by itself, and no column of its own kind has in all cells.
pub const TOGETHER: &[Together] = &[mapped, swapped, shifted_by_a_row];

/// A code that always becomes another one, among codes that stay.
fn mapped(random: &mut Random, faults: usize) -> Vec<Planted> {
    let rows = 3 * faults + 2;
    let mut order: Vec<usize> = (0..rows).collect();
    random.shuffle(&mut order);
    let mut values = vec![both("", ""); rows];
    let mut causes = BTreeMap::new();
    for (i, row) in order.into_iter().enumerate() {
        if i < faults {
            values[row] = both("SEC", "Secure");
            causes.insert(row, "code_mapping");
        } else {
            let code = random.pick(&["INT", "NON", "Open"]).to_owned();
            values[row] = both(&code, code.clone());
        }
    }
    vec![Planted { name: "tenure", types: ("text", "text"), values, causes }]
}

/// Two columns that hold each other's values in some rows.
fn swapped(random: &mut Random, faults: usize) -> Vec<Planted> {
    let rows = 3 * faults + 2;
    let mut order: Vec<usize> = (0..rows).collect();
    random.shuffle(&mut order);
    let (mut of_first, mut of_second) = (vec![both("", ""); rows], vec![both("", ""); rows]);
    let mut causes = BTreeMap::new();
    for (i, row) in order.into_iter().enumerate() {
        let (a, b) = (format!("{}{i}", word(random)), format!("{}{i}son", word(random)));
        if i < faults {
            (of_first[row], of_second[row]) = (both(&a, b.clone()), both(&b, a));
            causes.insert(row, "columns_swapped");
        } else {
            (of_first[row], of_second[row]) = (both(&a, a.clone()), both(&b, b.clone()));
        }
    }
    let types = ("text", "text");
    vec![
        Planted { name: "forename", types, values: of_first, causes: causes.clone() },
        Planted { name: "surname", types, values: of_second, causes },
    ]
}

/// A column that slipped by one row somewhere: each row of a run holds what the one before or behind it should.
fn shifted_by_a_row(random: &mut Random, faults: usize) -> Vec<Planted> {
    let rows = 3 * faults + 2;
    let count = |n: usize| i64::try_from(n).expect("a small number");
    let expected: Vec<String> =
        (0..rows).map(|row| (count(row) * 1_000 + random.range(0, 999)).to_string()).collect();
    let start = usize::try_from(random.range(1, count(rows - faults - 1))).expect("a row");
    let is_up = random.chance(50);
    let mut causes = BTreeMap::new();
    let value = |row: usize| {
        if !(start..start + faults).contains(&row) {
            return both(&expected[row], expected[row].clone());
        }
        causes.insert(row, "rows_shifted");
        both(&expected[row], expected[if is_up { row + 1 } else { row - 1 }].clone())
    };
    let values = (0..rows).map(value).collect();
    vec![Planted { name: "uprn", types: ("i64", "i64"), values, causes }]
}

/// A column of few values in which some are changed at random.
pub fn few_values(random: &mut Random, values: u64, rows: usize, of_a_hundred: u64) -> Vec<Planted> {
    let most = i64::try_from(values).expect("a small number") - 1;
    let percent = i64::try_from(of_a_hundred).expect("a small number");
    let mut of_row = || {
        let old = random.range(0, most);
        let new = if random.chance(percent) { random.range(0, most) } else { old };
        both(&format!("v{old}"), format!("v{new}"))
    };
    let values = (0..rows).map(|_| of_row()).collect();
    vec![Planted { name: "kind", types: ("text", "text"), values, causes: BTreeMap::new() }]
}

/// A column of few values that slipped by one row from the first to the last.
pub fn few_values_slipped(random: &mut Random, values: u64, rows: usize) -> Vec<Planted> {
    let most = i64::try_from(values).expect("a small number") - 1;
    let expected: Vec<String> = (0..rows).map(|_| format!("v{}", random.range(0, most))).collect();
    let values = (0..rows).map(|row| both(&expected[row], expected[row.saturating_sub(1)].clone())).collect();
    vec![Planted { name: "kind", types: ("text", "text"), values, causes: BTreeMap::new() }]
}

/// Makes the two frames of columns, in the order of these rows.
pub fn frames(columns: &[Planted], order: &[usize]) -> (Frame, Frame) {
    let side = |of: fn(&(Text, Text)) -> &Text,
                logical: fn(&(&'static str, &'static str)) -> &'static str| {
        let mut fields = Vec::new();
        let mut made = Vec::new();
        for column in columns {
            let logical: Logical = logical(&column.types).parse().expect("a type");
            let values: Vec<Option<Value>> = order
                .iter()
                .map(|row| {
                    let text = of(&column.values[*row]).as_ref()?;
                    let value = Value::parse(text, &logical);
                    assert!(value.is_some(), "{}: `{text}` is no {logical}", column.name);
                    value
                })
                .collect();
            made.push(Column::from(series_of(column.name, &logical, &values)));
            fields.push(Field::new(column.name, logical));
        }
        let df = DataFrame::new(order.len(), made).expect("columns of one length");
        let rows = order.iter().map(|row| *row as u64 + 1).collect();
        Frame { schema: Schema { fields }, df, rows: std::sync::Arc::new(rows) }
    };
    (side(|pair| &pair.0, |types| types.0), side(|pair| &pair.1, |types| types.1))
}
