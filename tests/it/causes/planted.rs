//! Planted causes are found, each as what it is.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::frame::{Frame, Value, series_of};
use counterfoil::model::{Field, Logical, Schema};
use counterfoil::reconcile::cause::{CAUSES, Differing, Study};
use polars::prelude::{Column, DataFrame};
use proptest::prelude::*;

use super::pair::compared;
use super::table::{COLUMNS, Planted, TOGETHER, Text, few_values, few_values_slipped, frames, planted};
use crate::examples::yaml;
use crate::housing::random::Random;
use crate::support::golden;

const ROWS: usize = 2_000;
const SEED: u64 = 7;

/// The causes of all cells, by column and position in the snapshot.
fn found(expected: &Frame, target: &Frame) -> BTreeMap<(String, u64), String> {
    found_under("columns: {}\n", expected, target)
}

fn found_under(rules: &str, expected: &Frame, target: &Frame) -> BTreeMap<(String, u64), String> {
    let rules = yaml(rules);
    let pair = compared(expected, target, Some(&rules));
    let causes = pair.causes();
    causes.into_iter().map(|((column, row), cause)| ((column, expected.rows[row as usize]), cause)).collect()
}

fn planted_cells(columns: &[Planted]) -> BTreeMap<(String, u64), String> {
    let mut cells = BTreeMap::new();
    for column in columns {
        for (row, cause) in &column.causes {
            cells.insert((column.name.to_owned(), *row as u64 + 1), (*cause).to_owned());
        }
    }
    cells
}

/// Has every twentieth record changed after the other side was seen, half of them in the source and half in the target.
fn with_movement(columns: &mut Vec<Planted>, rows: usize) {
    let (before, after) = (Some("2026-03-30 09:15:00Z".to_owned()), Some("2026-03-31 12:00:01Z".to_owned()));
    let values = (0..rows).map(|row| match row % 40 {
        7 => (after.clone(), before.clone()),
        27 => (before.clone(), after.clone()),
        _ => (before.clone(), before.clone()),
    });
    let moved = |row: usize| row % 20 == 7;
    for column in columns.iter_mut() {
        for (_, cause) in column.causes.iter_mut().filter(|(row, _)| moved(**row)) {
            *cause = "changed_after_the_snapshot";
        }
    }
    columns.push(Planted {
        name: "changed_at",
        types: ("timestamptz", "timestamptz"),
        values: values.collect(),
        causes: BTreeMap::new(),
    });
}

fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.3}", part as f64 / whole as f64) }
}

#[test]
fn planted_causes_are_found_each_as_what_it_is() {
    let mut columns = planted(SEED, ROWS);
    with_movement(&mut columns, ROWS);
    let order: Vec<usize> = (0..ROWS).collect();
    let (expected, target) = frames(&columns, &order);
    let rules = "changed_since: changed_at\nexclude: [changed_at]\n";
    let (found, planted) = (found_under(rules, &expected, &target), planted_cells(&columns));
    assert_eq!(
        found.keys().collect::<BTreeSet<_>>(),
        planted.keys().collect::<BTreeSet<_>>(),
        "what was planted differs, and nothing else"
    );
    let mut names: BTreeSet<&str> = CAUSES.iter().map(|kind| kind.name).collect();
    names.extend(planted.values().map(String::as_str));
    names.extend(found.values().map(String::as_str));
    let mut table =
        String::from("| cause | planted | found | right | precision | recall |\n|---|--:|--:|--:|--:|--:|\n");
    let mut wrong = String::new();
    for name in names {
        let of = |cells: &BTreeMap<(String, u64), String>| -> BTreeSet<(String, u64)> {
            cells.iter().filter(|(_, cause)| *cause == name).map(|(at, _)| at.clone()).collect()
        };
        let (was, is) = (of(&planted), of(&found));
        let right = was.intersection(&is).count();
        table.push_str(&format!(
            "| {} | {} | {} | {right} | {} | {} |\n",
            name.replace('+', " + "),
            was.len(),
            is.len(),
            share(right, is.len()),
            share(right, was.len())
        ));
        let good = |whole: usize| right as f64 >= 0.98 * whole as f64;
        if !good(was.len()) || (!was.is_empty() && !good(is.len())) {
            for at in was.symmetric_difference(&is).take(5) {
                wrong.push_str(&format!(
                    "{at:?}: planted {:?}, found {:?}\n",
                    planted.get(at),
                    found.get(at)
                ));
            }
        }
        assert!(!was.is_empty() || is.len() < 5, "{name} is not planted, and found {} times", is.len());
    }
    show(&table);
    assert!(wrong.is_empty(), "{table}\n{wrong}");
    let never: Vec<&str> = CAUSES
        .iter()
        .map(|kind| kind.name)
        .filter(|name| !planted.values().any(|cause| cause.split('+').any(|one| one == *name)))
        .collect();
    assert_eq!(never, [""; 0], "every cause is planted");
    golden("docs/causes.md", &page(&table));
}

/// Prints the table for who runs the test by hand, with `--nocapture`.
#[expect(clippy::print_stdout, reason = "the table is what the test is for")]
fn show(table: &str) {
    println!("{table}");
}

/// The page of the documentation.
fn page(table: &str) -> String {
    let mut text = String::from(
        "# Causes of differences\n\n\
         Every cell that differs between expected and target gets a cause. `counterfoil explain CAUSE` has the page of each, \
         with examples; `counterfoil explain-differences` says for a run what would settle its differences. How causes are \
         tried and what evidence they need stands at the top of `src/reconcile/cause/mod.rs`.\n\n\
         This page is made by a test.\n\n## The causes, in the order in which they are tried\n\n| cause | what it is |\n|---|---|\n",
    );
    let mut kinds: Vec<_> = CAUSES.iter().collect();
    kinds.sort_by_key(|kind| kind.rank);
    for kind in kinds {
        text.push_str(&format!("| `{}` | {} |\n", kind.name, kind.summary()));
    }
    text.push_str(&format!(
        "\n## How often they are right\n\n\
         A generated pair of {ROWS} rows and {} columns, with planted causes and real changes side by side in each column. A cell \
         counts as right where it has just the cause, or the causes, that were planted in it.\n\n{table}",
        COLUMNS.len() + 4
    ));
    text.push_str(
        "\n## Chance\n\n\
         A column of few different values has many cells that are equal to the row above, slipped or not. `rows_shifted` is \
         claimed only where chance would make so many of them less than once in 10,000 columns. Of `n` differing cells whose \
         neighbour differs too, `k` are equal to it, and of the pairs of any cell with any neighbour `W` are equal. Were the \
         values dealt out to the cells at random, `k` or more would be equal with a probability of no more than\n\n\
         ```text\nmin over r ≤ k of (W)r / ((n)r (k)r),   (a)r = a (a−1) … (a−r+1)\n```\n\n\
         This is Markov's inequality for the binomial moments of the number of equal cells (Feller, An Introduction to Probability \
         Theory and Its Applications, volume 1, chapter IV) under Fisher's permutation test (The Design of Experiments, 1935). The \
         proof stands in `src/reconcile/cause/chance.rs`, beside a test that deals out small columns in every possible way.\n",
    );
    text
}

#[test]
fn lines_that_settle_planted_causes_do() {
    let columns = planted(SEED, 600);
    let order: Vec<usize> = (0..600).collect();
    let (expected, target) = frames(&columns, &order);
    let rules = yaml("columns: {}\n");
    let pair = compared(&expected, &target, Some(&rules));
    let remedies = pair.remedies();
    for (column, cause, remedy) in &remedies {
        pair.apply(&rules, column, cause, remedy);
    }
    assert!(remedies.len() >= 15, "{} remedies", remedies.len());
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    let columns = planted(SEED, 600);
    let order: Vec<usize> = (0..600).collect();
    let (expected, target) = frames(&columns, &order);
    let wanted = found(&expected, &target);
    for seed in 1..4 {
        let mut mixed = order.clone();
        Random::new(seed).shuffle(&mut mixed);
        let (expected, target) = frames(&columns, &mixed);
        assert_eq!(found(&expected, &target), wanted, "seed {seed}");
    }
}

#[test]
fn what_is_around_differences_may_be_fed_in_portions() {
    let columns = planted(SEED, 600);
    let order: Vec<usize> = (0..600).collect();
    let (expected, target) = frames(&columns, &order);
    let pair = compared(&expected, &target, Some(&yaml("columns: {}\n")));
    let names: Vec<&str> = pair.bound.columns.iter().map(|column| column.name.as_str()).collect();
    let rows: Vec<u32> = (0..600).collect();
    // All rows, those without a difference too: the indexes of the pairs are then those of the rows.
    let (all_expected, all_target) =
        (expected.take(&rows, &names).expect("columns"), target.take(&rows, &names).expect("columns"));
    let differ: Vec<Vec<u32>> = pair.outcome.columns.iter().map(|column| column.mismatched.clone()).collect();
    let differing = Differing {
        expected: &all_expected,
        target: &all_target,
        columns: &differ,
        moved: &[],
        pairs: rows.len() as u64,
    };
    let study = Study::new(&differing, &pair.bound).expect("columns of their types");
    let mut whole = study.background();
    for rows in rows.chunks(97) {
        let mut part = study.background();
        part.feed(&expected.take(rows, &names).expect("columns")).expect("columns");
        whole.merge(&part);
    }
    assert!(!whole.columns().is_empty());
    assert_eq!(study.conclude(&whole), pair.explained);
}

/// Texts of all kinds, so that every cause is tried with what it does not expect.
fn any_text() -> impl Strategy<Value = Text> {
    let tricky = "[-+ .,/'0-9aAeéÃ©£(){}?\u{301}\u{200b}\u{a0}NyTZ:]{0,14}";
    let form = prop_oneof![
        "[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?",
        "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}",
        "-?[0-9]{1,30}(\\.[0-9]{1,12})?",
        Just("N/A".to_owned()),
        Just("true".to_owned()),
        "[0-9a-fA-F]{32}",
    ];
    proptest::option::of(
        prop_oneof![3 => tricky.prop_map(|text: String| text), 2 => form, 1 => any::<String>()],
    )
}

fn any_number() -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(prop_oneof![any::<i64>(), -200_i64..200, Just(86_400_000_000_i64), Just(0)])
}

fn column(name: &str, logical: &Logical, values: &[Option<Value>]) -> (Field, Column) {
    (Field::new(name, logical.clone()), Column::from(series_of(name, logical, values)))
}

fn frame(rows: usize, columns: Vec<(Field, Column)>) -> Frame {
    let (fields, columns) = columns.into_iter().unzip();
    Frame::new(Schema { fields }, DataFrame::new(rows, columns).expect("columns of one length"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_differing_cell_has_a_cause(
        texts in proptest::collection::vec((any_text(), any_text()), 1..40),
        numbers in proptest::collection::vec((any_number(), any_number()), 40),
        types in (0..7_usize, 0..7_usize),
    ) {
        let rows = texts.len();
        let kinds = [
            Logical::I64,
            Logical::Decimal { precision: 38, scale: 4 },
            Logical::F64,
            Logical::Date,
            Logical::TIMESTAMP,
            Logical::Time,
            Logical::Bool,
        ];
        let value = |number: Option<i64>, logical: &Logical| {
            let number = number?;
            Some(match logical {
                Logical::I64 => Value::I64(number),
                Logical::Decimal { .. } => Value::Decimal(number.into()),
                Logical::F64 => Value::F64(number as f64 / 8.0),
                Logical::Date => Value::Date((number % 40_000) as i32),
                Logical::Timestamp { .. } => Value::Moment(number % 4_000_000_000_000_000),
                Logical::Time => Value::Time(number.rem_euclid(86_400_000_000)),
                _ => Value::Bool(number % 2 == 0),
            })
        };
        let side = |of: fn(&(Text, Text)) -> &Text, at: fn(&(Option<i64>, Option<i64>)) -> Option<i64>, logical: &Logical| {
            let texts: Vec<Option<Value>> = texts.iter().map(|pair| of(pair).clone().map(Value::Text)).collect();
            let typed: Vec<Option<Value>> = numbers.iter().take(rows).map(|pair| value(at(pair), logical)).collect();
            let other: Vec<Option<Value>> = texts.iter().rev().cloned().collect();
            frame(rows, vec![
                column("a", &Logical::TEXT, &texts),
                column("b", &Logical::TEXT, &other),
                column("c", logical, &typed),
            ])
        };
        let expected = side(|pair| &pair.0, |pair| pair.0, &kinds[types.0]);
        let target = side(|pair| &pair.1, |pair| pair.1, &kinds[types.1]);
        let rules = yaml("columns: {}\n");
        let pair = compared(&expected, &target, Some(&rules));
        for cause in pair.causes().values() {
            prop_assert!(!cause.is_empty());
            prop_assert!(cause.split('+').all(|one| CAUSES.iter().any(|kind| kind.name == one)), "{cause}");
        }
        for explained in &pair.explained.columns {
            let cells: u64 = explained.outcomes.iter().map(|outcome| outcome.cells).sum();
            prop_assert_eq!(cells, explained.cells.len() as u64, "causes add up to the cells");
        }
    }

    #[test]
    fn as_many_faults_as_are_planted_are_found(place in 0..96_usize, count in 9..60_usize, seed in any::<u64>()) {
        let all: Vec<_> = COLUMNS
            .iter()
            .flat_map(|(name, types, base, plants)| plants.iter().map(move |plant| (name, types, base, plant)))
            .filter(|(_, _, _, (cause, _, _))| *cause != "real_change")
            .collect();
        let mut random = Random::new(seed);
        let place = place % (all.len() + TOGETHER.len());
        let (columns, rows) = match place.checked_sub(all.len()) {
            // Causes that show in several cells together, among rows without a fault.
            Some(place) => (TOGETHER[place](&mut random, count), 3 * count + 2),
            None => {
                let (name, types, base, (cause, fault, _)) = all[place];
                let mut values: Vec<(Text, Text)> = Vec::new();
                for _ in 0..count {
                    let text = base(&mut random);
                    values.push(fault(&text, &mut random));
                }
                let causes = (0..count).map(|row| (row, *cause)).collect();
                (vec![Planted { name, types: *types, values, causes }], count)
            }
        };
        let order: Vec<usize> = (0..rows).collect();
        let (expected, target) = frames(&columns, &order);
        prop_assert_eq!(found(&expected, &target), planted_cells(&columns));
    }

    #[test]
    fn a_column_of_few_values_does_not_slip_by_chance(
        values in 2..7_u64,
        rows in 20..200_usize,
        of_a_hundred in 20..101_u64,
        seed in any::<u64>(),
    ) {
        let mut random = Random::new(seed);
        let columns = few_values(&mut random, values, rows, of_a_hundred);
        let order: Vec<usize> = (0..rows).collect();
        let (expected, target) = frames(&columns, &order);
        for (at, cause) in found(&expected, &target) {
            prop_assert_ne!(cause.as_str(), "rows_shifted", "{:?}", at);
        }
    }

    #[test]
    fn a_column_of_few_values_that_slipped_is_seen(values in 3..7_u64, seed in any::<u64>()) {
        let mut random = Random::new(seed);
        let columns = few_values_slipped(&mut random, values, 400);
        let order: Vec<usize> = (0..400).collect();
        let (expected, target) = frames(&columns, &order);
        let found = found(&expected, &target);
        let shifted = found.values().filter(|cause| *cause == "rows_shifted").count();
        // One cell of the run may also be like the row on its other side, or have no differing neighbour at all.
        prop_assert!(shifted * 100 >= found.len() * 98, "{} of {}", shifted, found.len());
    }
}

/// Where a column has few values, the row beside often has by chance what the target has.
#[test]
fn changes_among_few_values_are_no_shifted_rows() {
    let of = |shifted: std::ops::Range<usize>, seed: u64| {
        let mut random = Random::new(seed);
        let values = ["red", "green", "blue", "white"];
        let expected: Vec<&str> = (0..400).map(|_| random.pick(&values)).collect();
        let target = (0..400).map(|row| match shifted.contains(&row) {
            true => expected[row - 1],
            false if random.chance(60) => random.pick(&values),
            false => expected[row],
        });
        let table = |rows: Vec<&str>| {
            let lines: Vec<String> = rows.iter().map(|value| format!("| \"{value}\" | 1 |\n")).collect();
            crate::table::frame(&format!("| v: text | n: i64 |\n{}", lines.concat()))
        };
        let (target, expected) = (table(target.collect()), table(expected));
        let pair = compared(&expected, &target, None);
        let causes = pair.causes();
        let shifted = causes.iter().filter(|(_, cause)| *cause == "rows_shifted").count();
        (shifted, causes.len())
    };
    for seed in 0..20 {
        let (by_chance, all) = of(0..0, seed);
        assert!(by_chance == 0 && all > 100, "{by_chance} of {all}");
        let (found, all) = of(100..300, seed);
        assert!(found >= 90 && all > found, "{found} of {all}");
    }
}
