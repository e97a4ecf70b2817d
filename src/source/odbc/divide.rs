//! A table in parts: by ranges of a number, or by values of a key that the server chooses.

use crate::model::Logical;
use crate::source::dialect::{Dialect, Native};
use crate::source::{Rate, SourceError};

use super::plan::select;
use super::session::Session;

/// About so many rows are in a part, as far as the server's estimate is right.
const PART_ROWS: u64 = 100_000;
/// The fewest, where a rate makes parts smaller.
const LEAST_ROWS: u64 = 5_000;
/// The most parts by arithmetic.
const MOST_RANGES: u64 = 512;
/// The most parts by comparison: each is compared with all boundaries before it.
const MOST_BOUNDARIES: u64 = 64;

/// Returns about how many rows are in a part: no more than a minute's worth of what the rate lets through.
fn part_rows(rate: Option<Rate>) -> u64 {
    match rate {
        Some(Rate::Rows(most)) => most.saturating_mul(60).clamp(LEAST_ROWS, PART_ROWS),
        // How long a row is, nobody knows yet.
        Some(Rate::Bytes(_)) | None => PART_ROWS,
    }
}

/// Divides a table into parts whose conditions, together, hold for each row exactly once.
pub(super) fn divide(
    session: &mut Session,
    table: &str,
    natives: &[Native],
    rows: u64,
    from: &str,
    conditions: &[String],
) -> Result<Vec<Option<String>>, SourceError> {
    let dialect = session.dialect;
    let wanted = rows / part_rows(session.rate);
    let Some(candidates) = dialect.dividing_columns(table).filter(|_| wanted > 1) else {
        return Ok(vec![None]);
    };
    // Where the catalogue of keys may not be read, the table is read in one part.
    for name in session.rows_if_allowed(&candidates)?.into_iter().flatten().flatten() {
        let Some(native) = natives.iter().find(|native| native.name == name) else { continue };
        let Ok(reading) = dialect.reading(native) else { continue };
        let key = dialect.quote(&name);
        let whole =
            matches!(reading.logical, Logical::I64 | Logical::U64 | Logical::Decimal { scale: 0, .. });
        let parts = if whole {
            let ends = session.rows_of_data(&select(&format!("MIN({key}), MAX({key})"), from, conditions))?;
            let end = |at: usize| -> Option<i128> { ends.first()?.get(at)?.as_deref()?.trim().parse().ok() };
            end(0).zip(end(1)).map(|(least, most)| ranges(&key, least, most, wanted.min(MOST_RANGES)))
        } else if matches!(reading.logical, Logical::Text { .. }) {
            Some(by_boundaries(session, native, &key, from, conditions, wanted.min(MOST_BOUNDARIES))?)
        } else {
            None
        };
        let Some(mut parts) = parts.filter(|parts| parts.len() > 1) else { continue };
        // Also where the key cannot be NULL: by the time that the parts are gone on with it may.
        parts.insert(0, format!("{key} IS NULL"));
        return Ok(parts.into_iter().map(Some).collect());
    }
    Ok(vec![None])
}

/// Divides whole numbers by arithmetic alone; the first and the last part have no end.
fn ranges(key: &str, least: i128, most: i128, parts: u64) -> Vec<String> {
    let span = most.saturating_sub(least).saturating_add(1).max(1);
    let parts = i128::from(parts).min(span).max(1);
    let boundary = |part: i128| least.saturating_add(span / parts * part + span % parts * part / parts);
    let mut conditions = Vec::new();
    for part in 0..parts {
        conditions.push(match (part > 0, part + 1 < parts) {
            (false, false) => format!("{key} IS NOT NULL"),
            (false, true) => format!("{key} < {}", boundary(part + 1)),
            (true, true) => format!("{key} >= {} AND {key} < {}", boundary(part), boundary(part + 1)),
            (true, false) => format!("{key} >= {}", boundary(part)),
        });
    }
    conditions
}

/// Divides by values of the key that the server chooses and compares itself.
///
/// A part is what is not beyond its boundary and beyond every one before. So each row is in one part, in whatever order
/// the server puts the boundaries, and even where one does not come back as it went.
fn by_boundaries(
    session: &mut Session,
    native: &Native,
    key: &str,
    from: &str,
    conditions: &[String],
    parts: u64,
) -> Result<Vec<String>, SourceError> {
    let dialect: &dyn Dialect = session.dialect;
    let parts = usize::try_from(parts).unwrap_or(1);
    let from =
        if conditions.is_empty() { from.to_owned() } else { dialect.derived(&select(key, from, conditions)) };
    let answer = session.rows_of_data(&dialect.boundaries(&from, key, parts))?;
    let mut boundaries: Vec<String> = answer.into_iter().filter_map(|row| row.into_iter().next()?).collect();
    boundaries.pop();
    boundaries.dedup();
    Ok(beyond(key, &boundaries.iter().map(|text| dialect.literal(text, native)).collect::<Vec<_>>()))
}

fn beyond(key: &str, boundaries: &[String]) -> Vec<String> {
    let mut before = String::new();
    let mut conditions = Vec::new();
    for boundary in boundaries {
        conditions.push(format!("{before}{key} <= {boundary}"));
        before.push_str(&format!("{key} > {boundary} AND "));
    }
    conditions.push(if boundaries.is_empty() {
        format!("{key} IS NOT NULL")
    } else {
        before.trim_end_matches(" AND ").to_owned()
    });
    conditions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Evaluates a condition of [`ranges`] for a number.
    fn holds(condition: &str, value: i128) -> bool {
        condition.split(" AND ").all(|one| {
            let words: Vec<&str> = one.split(' ').collect();
            match words.as_slice() {
                ["k", "IS", "NOT", "NULL"] => true,
                ["k", "<", bound] => value < bound.parse::<i128>().unwrap(),
                ["k", ">=", bound] => value >= bound.parse::<i128>().unwrap(),
                other => panic!("{other:?}"),
            }
        })
    }

    proptest! {
        #[test]
        fn every_number_is_in_one_range(
            least in any::<i64>(), more in 0..=u64::MAX, parts in 1..20_u64, at in any::<i64>()
        ) {
            let least = i128::from(least);
            let conditions = ranges("k", least, least + i128::from(more), parts);
            prop_assert!(conditions.len() as u64 <= parts);
            for value in [i128::from(at), least, least + i128::from(more), least - 1, least + i128::from(more) + 1] {
                prop_assert_eq!(conditions.iter().filter(|c| holds(c, value)).count(), 1, "{}", value);
            }
        }
    }

    #[test]
    fn a_part_is_what_a_minute_lets_through() {
        let rates = [None, Some(Rate::Rows(500)), Some(Rate::Rows(1)), Some(Rate::Rows(9_000_000))];
        assert_eq!(rates.map(part_rows), [100_000, 30_000, 5_000, 100_000]);
    }

    #[test]
    fn ranges_are_even() {
        assert_eq!(ranges("k", -10, 10, 3), ["k < -3", "k >= -3 AND k < 4", "k >= 4"]);
        assert_eq!(ranges("k", 5, 5, 3), ["k IS NOT NULL"]);
    }

    #[test]
    fn boundaries_leave_nothing_out() {
        let boundaries = ["'b'".to_owned(), "'m'".to_owned()];
        assert_eq!(beyond("k", &boundaries), ["k <= 'b'", "k > 'b' AND k <= 'm'", "k > 'b' AND k > 'm'"]);
        assert_eq!(beyond("k", &[]), ["k IS NOT NULL"]);
    }
}
