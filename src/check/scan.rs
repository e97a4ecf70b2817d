//! All row-level tests of a side in one pass over its rows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{BooleanChunked, DataFrame, Expr, IntoLazy, PlSmallStr};

use crate::frame::Frame;
use crate::rule::RuleError;

/// One test of each row.
#[derive(Debug, Clone)]
pub struct ScanTest {
    /// Boolean: true passes, false fails, NULL is not evaluated.
    pub passes: Expr,
    /// Boolean: true where the row is looked at; all rows where there is none.
    pub selected: Option<Expr>,
}

/// What a test of each row found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanOutcome {
    /// Rows evaluated: those that passed or failed.
    pub evaluated: u64,
    /// Rows looked at but not evaluated, because the test gave NULL.
    pub unknown: u64,
    /// The indexes, from 0 and ascending, of the rows that failed.
    pub failed: Vec<usize>,
}

/// Runs tests over the rows of a side, all in one plan.
///
/// Where the plan fails as a whole the tests are run one by one, so that only the faulty ones are broken.
/// There are as many outcomes as tests, in their order.
pub fn scan(frame: &Frame, tests: &[ScanTest]) -> Vec<Result<ScanOutcome, RuleError>> {
    let joint = guarded(|| run(frame, tests));
    match joint {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) if tests.len() == 1 => vec![Err(error)],
        Err(_) => tests
            .iter()
            .map(|test| guarded(|| Ok(run(frame, std::slice::from_ref(test))?.pop().unwrap_or_default())))
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

fn run(frame: &Frame, tests: &[ScanTest]) -> Result<Vec<ScanOutcome>, RuleError> {
    // Tests of one rule share their condition: it is computed once.
    let mut conditions: Vec<&Expr> = Vec::new();
    let mut expressions: Vec<Expr> = Vec::new();
    let mut places = Vec::with_capacity(tests.len());
    for (i, test) in tests.iter().enumerate() {
        expressions.push(test.passes.clone().alias(format!("test {i}")));
        places.push(test.selected.as_ref().map(|selected| {
            conditions.iter().position(|known| *known == selected).unwrap_or_else(|| {
                expressions.push(selected.clone().alias(format!("where {}", conditions.len())));
                conditions.push(selected);
                conditions.len() - 1
            })
        }));
    }
    if expressions.is_empty() {
        return Ok(Vec::new());
    }
    let result = frame.df.clone().lazy().select(expressions).collect()?;
    let height = frame.height();
    let mut outcomes = Vec::with_capacity(tests.len());
    for (i, place) in places.into_iter().enumerate() {
        let passes = column(&result, &format!("test {i}"), height)?;
        let selected = match place {
            Some(place) => Some(column(&result, &format!("where {place}"), height)?),
            None => None,
        };
        let mut outcome = ScanOutcome::default();
        for (row, passes) in passes.iter().enumerate() {
            if selected.as_ref().is_some_and(|selected| selected.get(row) != Some(true)) {
                continue;
            }
            match passes {
                None => outcome.unknown += 1,
                Some(passes) => {
                    outcome.evaluated += 1;
                    if !passes {
                        outcome.failed.push(row);
                    }
                }
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

    proptest! {
        #[test]
        fn counts_are_those_of_a_plain_loop(
            rows in proptest::collection::vec((any::<Option<bool>>(), any::<Option<bool>>()), 0..30)
        ) {
            let (a, b): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            let tests = [
                ScanTest { passes: col("a"), selected: None },
                ScanTest { passes: col("a"), selected: Some(col("b")) },
                ScanTest { passes: col("a").not(), selected: Some(col("b")) },
                ScanTest { passes: lit(false), selected: Some(col("b")) },
            ];
            let outcomes = scan(&frame(&a, &b), &tests);
            for (i, outcome) in outcomes.into_iter().enumerate() {
                let mut plain = ScanOutcome::default();
                for (row, (value, selected)) in rows.iter().enumerate() {
                    let looked_at = i == 0 || *selected == Some(true);
                    let passes = match i {
                        2 => value.map(|v| !v),
                        3 => Some(false),
                        _ => *value,
                    };
                    match passes {
                        _ if !looked_at => {}
                        None => plain.unknown += 1,
                        Some(passes) => {
                            plain.evaluated += 1;
                            if !passes { plain.failed.push(row); }
                        }
                    }
                }
                prop_assert_eq!(outcome.unwrap(), plain);
            }
        }
    }

    #[test]
    fn a_faulty_test_takes_no_other_down() {
        let frame = frame(&[Some(true), Some(false)], &[None, None]);
        let panics = col("a").map(|_| panic!("as it happens"), |_, f| Ok(f.clone()));
        let tests = [col("a"), col("missing"), panics, col("a").cast(DataType::Int64)]
            .map(|passes| ScanTest { passes, selected: None });
        let outcomes = scan(&frame, &tests);
        assert_eq!(outcomes[0].as_ref().unwrap().failed, [1]);
        assert!(outcomes[1..].iter().all(Result::is_err));
        assert!(outcomes[1].as_ref().unwrap_err().to_string().contains("missing"));
        assert_eq!(scan(&frame, &[]).len(), 0);
    }
}
