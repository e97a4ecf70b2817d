//! All row-level tests of a side in one pass over its rows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{BooleanChunked, DataFrame, Expr, IntoLazy, PlSmallStr};

use crate::frame::Frame;
use crate::rule::RuleError;

/// The tests of one rule, which look at the same rows.
#[derive(Debug, Clone)]
pub struct ScanRule {
    /// Boolean, one a test: true passes, false fails, NULL is not evaluated.
    pub tests: Vec<Expr>,
    /// Boolean: true where the row is looked at; all rows where there is none.
    pub selected: Option<Expr>,
}

/// What the tests of one rule found. Every row is counted once, however many tests look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanOutcome {
    /// Rows evaluated: those that passed or failed at least one test.
    pub evaluated: u64,
    /// Rows looked at but not evaluated, because every test gave NULL.
    pub unknown: u64,
    /// For each test the indexes, from 0 and ascending, of the rows that failed it.
    pub failed: Vec<Vec<usize>>,
}

/// Runs the tests of several rules over the rows of a side, all in one plan.
///
/// Where the plan fails as a whole the rules are run one by one, so that only the faulty ones are broken.
/// There are as many outcomes as rules, in their order.
pub fn scan(frame: &Frame, rules: &[ScanRule]) -> Vec<Result<ScanOutcome, RuleError>> {
    let joint = guarded(|| run(frame, rules));
    match joint {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) if rules.len() == 1 => vec![Err(error)],
        Err(_) => rules
            .iter()
            .map(|rule| guarded(|| Ok(run(frame, std::slice::from_ref(rule))?.pop().unwrap_or_default())))
            .collect(),
    }
}

/// Turns a panic into an error: it breaks the rule, not the run.
fn guarded<T>(work: impl FnOnce() -> Result<T, RuleError>) -> Result<T, RuleError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = "the rule stopped at a fault of the program: please report it, with the rule and the columns' types";
        Err(RuleError::Refused(message.to_owned()))
    })
}

fn run(frame: &Frame, rules: &[ScanRule]) -> Result<Vec<ScanOutcome>, RuleError> {
    // Rules may share their condition: it is computed once.
    let mut conditions: Vec<&Expr> = Vec::new();
    let mut expressions: Vec<Expr> = Vec::new();
    let mut places = Vec::with_capacity(rules.len());
    for (i, rule) in rules.iter().enumerate() {
        for (j, test) in rule.tests.iter().enumerate() {
            expressions.push(test.clone().alias(format!("test {i} {j}")));
        }
        places.push(rule.selected.as_ref().map(|selected| {
            conditions.iter().position(|known| *known == selected).unwrap_or_else(|| {
                expressions.push(selected.clone().alias(format!("where {}", conditions.len())));
                conditions.push(selected);
                conditions.len() - 1
            })
        }));
    }
    if expressions.is_empty() {
        return Ok(vec![ScanOutcome::default(); rules.len()]);
    }
    let result = frame.df.clone().lazy().select(expressions).collect()?;
    let height = frame.height();
    let mut outcomes = Vec::with_capacity(rules.len());
    for (i, (rule, place)) in rules.iter().zip(places).enumerate() {
        let tests: Vec<BooleanChunked> = (0..rule.tests.len())
            .map(|j| column(&result, &format!("test {i} {j}"), height))
            .collect::<Result<_, _>>()?;
        let selected = match place {
            Some(place) => Some(column(&result, &format!("where {place}"), height)?),
            None => None,
        };
        let mut outcome = ScanOutcome { failed: vec![Vec::new(); tests.len()], ..ScanOutcome::default() };
        for row in 0..height {
            if selected.as_ref().is_some_and(|selected| selected.get(row) != Some(true)) {
                continue;
            }
            let mut evaluated = false;
            for (test, failed) in tests.iter().zip(&mut outcome.failed) {
                let passes = test.get(row);
                evaluated |= passes.is_some();
                if passes == Some(false) {
                    failed.push(row);
                }
            }
            if evaluated {
                outcome.evaluated += 1;
            } else {
                outcome.unknown += 1;
            }
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Returns a Boolean column with one value a row; one value alone stands for all rows.
fn column(result: &DataFrame, name: &str, height: usize) -> Result<BooleanChunked, RuleError> {
    let values = result.column(name)?.bool()?.rechunk().into_owned();
    if values.len() == height {
        return Ok(values);
    }
    if values.len() == 1 {
        return Ok((0..height)
            .map(|_| values.get(0))
            .collect::<BooleanChunked>()
            .with_name(PlSmallStr::EMPTY));
    }
    Err(RuleError::Refused("a test gave another number of values than there are rows".to_owned()))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataType, col, lit};
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Field, Logical, Schema};

    fn frame(values: &[Option<bool>], selected: &[Option<bool>]) -> Frame {
        let schema = Schema { fields: vec![Field::new("a", Logical::Bool), Field::new("b", Logical::Bool)] };
        let columns = vec![Column::new("a".into(), values), Column::new("b".into(), selected)];
        Frame::new(schema, DataFrame::new(values.len(), columns).unwrap())
    }

    fn one(test: Expr, selected: Option<Expr>) -> ScanRule {
        ScanRule { tests: vec![test], selected }
    }

    proptest! {
        #[test]
        fn counts_are_those_of_a_plain_loop(
            rows in proptest::collection::vec((any::<Option<bool>>(), any::<Option<bool>>()), 0..30)
        ) {
            let (a, b): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            let negated = |value: Option<bool>| value.map(|v| !v);
            let rules = [
                one(col("a"), None),
                one(col("a"), Some(col("b"))),
                one(col("a").not(), Some(col("b"))),
                one(lit(false), Some(col("b"))),
                ScanRule { tests: vec![col("a"), col("b"), col("a").not()], selected: None },
                ScanRule { tests: vec![col("a"), col("a").not()], selected: Some(col("b")) },
                ScanRule { tests: vec![col("a"), lit(true)], selected: Some(col("b").not()) },
            ];
            let outcomes = scan(&frame(&a, &b), &rules);
            prop_assert_eq!(outcomes.len(), rules.len());
            for (i, outcome) in outcomes.into_iter().enumerate() {
                let mut plain = ScanOutcome { failed: vec![Vec::new(); rules[i].tests.len()], ..ScanOutcome::default() };
                for (row, (a, b)) in rows.iter().copied().enumerate() {
                    let (looked_at, values) = match i {
                        0 => (true, vec![a]),
                        1 => (b == Some(true), vec![a]),
                        2 => (b == Some(true), vec![negated(a)]),
                        3 => (b == Some(true), vec![Some(false)]),
                        4 => (true, vec![a, b, negated(a)]),
                        5 => (b == Some(true), vec![a, negated(a)]),
                        _ => (b == Some(false), vec![a, Some(true)]),
                    };
                    if !looked_at { continue; }
                    if values.iter().all(Option::is_none) { plain.unknown += 1; } else { plain.evaluated += 1; }
                    for (test, value) in values.into_iter().enumerate() {
                        if value == Some(false) { plain.failed[test].push(row); }
                    }
                }
                let failed: std::collections::BTreeSet<usize> = plain.failed.iter().flatten().copied().collect();
                prop_assert!(failed.len() as u64 <= plain.evaluated);
                prop_assert_eq!(outcome.unwrap(), plain);
            }
        }
    }

    #[test]
    fn a_faulty_rule_takes_no_other_down() {
        let frame = frame(&[Some(true), Some(false)], &[None, None]);
        let panics = col("a").map(|_| panic!("as it happens"), |_, f| Ok(f.clone()));
        let rules =
            [col("a"), col("missing"), panics, col("a").cast(DataType::Int64)].map(|test| one(test, None));
        let outcomes = scan(&frame, &rules);
        assert_eq!(outcomes[0].as_ref().unwrap().failed, [[1]]);
        assert!(outcomes[1..].iter().all(Result::is_err));
        assert!(outcomes[1].as_ref().unwrap_err().to_string().contains("missing"));
        assert_eq!(scan(&frame, &[]).len(), 0);
    }
}
