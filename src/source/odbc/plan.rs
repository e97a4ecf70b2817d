//! What of a table is read, with which expressions, in which parts.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::{Field, Logical, Schema};
use crate::source::columns::{Chosen, choose};
use crate::source::dialect::{Ask, Dialect, Fetch, Native, Reading, Size, source_of};
use crate::source::{ColumnNote, Rate, ReadRequest, Relation, SourceError};

use super::problem::OdbcProblem;
use super::session::Session;

/// About so many rows are in a part, as far as the server's estimate is right.
const PART_ROWS: u64 = 100_000;
/// The fewest, where a rate makes parts smaller.
const LEAST_ROWS: u64 = 5_000;
/// The most parts by arithmetic.
const MOST_RANGES: u64 = 512;
/// The most parts by comparison: each is compared with all boundaries before it.
const MOST_BOUNDARIES: u64 = 64;

/// All that reading any part again needs; it stands beside an unfinished snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// What stands behind FROM.
    pub from: String,
    /// The user's condition.
    pub condition: Option<String>,
    /// The columns, in the order of the schema.
    pub columns: Vec<Fetched>,
    /// An expression that is not 0 for rows with a value that a reading would change. It comes before the columns.
    pub watch: Option<String>,
    /// The condition of each part; nothing where it is the whole table.
    pub parts: Vec<Option<String>>,
    /// What should be known of the columns: our name, and a sentence.
    pub notes: Vec<(String, String)>,
}

/// How a column is fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// Their name.
    pub name: String,
    /// The expression that brings its values whole.
    pub expression: String,
    /// As what.
    pub fetch: Fetch,
}

/// When values are found that a reading would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// While rows are read: the plan has what watches for them, and is of no use once there is one.
    Watched,
    /// Before: the server is asked, which reads the whole table once more, and such columns are read otherwise.
    Asked,
}

/// A plan with what goes with it.
#[derive(Debug)]
pub(super) struct Planned {
    pub plan: Plan,
    pub schema: Schema,
    pub rows: Option<u64>,
}

impl Plan {
    /// Returns the query of a part.
    pub fn query(&self, part: usize) -> String {
        let columns = self.columns.iter().map(|column| column.expression.as_str());
        let columns: Vec<&str> = self.watch.as_deref().into_iter().chain(columns).collect();
        let part = self.parts.get(part).and_then(Option::as_deref);
        let conditions: Vec<String> =
            self.condition.as_deref().into_iter().chain(part).map(|c| format!("({c})")).collect();
        select(&columns.join(", "), &self.from, &conditions)
    }

    /// Returns the plan as JSON.
    pub fn json(&self) -> Json {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Returns the notes on the columns.
    pub fn column_notes(&self) -> Vec<ColumnNote> {
        let note =
            |(column, text): &(String, String)| ColumnNote { column: column.clone(), text: text.clone() };
        self.notes.iter().map(note).collect()
    }
}

fn select(what: &str, from: &str, conditions: &[String]) -> String {
    if conditions.is_empty() {
        format!("SELECT {what} FROM {from}")
    } else {
        format!("SELECT {what} FROM {from} WHERE {}", conditions.join(" AND "))
    }
}

/// Finds out what of a request's table is read, and how.
pub(super) fn plan(
    session: &mut Session,
    request: &ReadRequest,
    unfit: Unfit,
) -> Result<Planned, SourceError> {
    let natives = natives(session, request)?;
    if source_of(session.dialect, request).is_some_and(|(_, condition, _)| condition.is_some()) {
        // What the server says of the condition is shown here; once rows come, it could hold a value.
        session.rows(&without_rows(session.dialect, request, &natives)?)?;
    }
    planned(session, request, &natives, unfit)
}

/// Returns true where a request's table has the columns still that it had when a schema was made of them.
pub(super) fn is_still(
    session: &mut Session,
    request: &ReadRequest,
    schema: &Schema,
) -> Result<bool, SourceError> {
    let natives = natives(session, request)?;
    let now = readings(session.dialect, request, &natives)?;
    let now = now.iter().map(|(_, native, _)| (&native.name, &native.declared));
    Ok(now.eq(schema.fields.iter().map(|field| (&field.source_name, &field.source_type))))
}

/// Returns the columns of a request's table.
pub(super) fn natives(session: &mut Session, request: &ReadRequest) -> Result<Vec<Native>, SourceError> {
    let dialect = session.dialect;
    let Some((relation, _, _)) = source_of(dialect, request) else { return Err(OdbcProblem::Plan.into()) };
    let natives = match relation {
        Relation::Table(name) => dialect.table_columns(session, name)?,
        Relation::Query(query) => dialect.query_columns(session, query).map_err(|error| match error {
            SourceError::Odbc(problem) => problem.told_with(|text| dialect.without_wrapping(text)).into(),
            other => other,
        })?,
    };
    if natives.is_empty() {
        return Err(OdbcProblem::NoTable(request.query()).into());
    }
    Ok(natives)
}

/// Returns which columns of a table are read, and how.
fn readings<'n>(
    dialect: &dyn Dialect,
    request: &ReadRequest,
    natives: &'n [Native],
) -> Result<Vec<(Chosen, &'n Native, Reading)>, SourceError> {
    let names: Vec<String> = natives.iter().map(|native| native.name.clone()).collect();
    let chosen = choose(&names, &request.columns)?;
    let mut columns: Vec<(Chosen, &Native, Reading)> = Vec::new();
    for column in chosen {
        let Some(native) = natives.get(column.position) else { continue };
        let refused = |why: String| OdbcProblem::Column { column: native.name.clone(), why };
        if native.name.is_empty() {
            return Err(refused("a column of the query has no name".to_owned()).into());
        }
        let reading = dialect.reading(native).map_err(refused)?;
        columns.push((column, native, reading));
    }
    Ok(columns)
}

/// Returns a query that asks for what a request reads, with no rows.
pub(super) fn without_rows(
    dialect: &dyn Dialect,
    request: &ReadRequest,
    natives: &[Native],
) -> Result<String, SourceError> {
    let Some((_, condition, from)) = source_of(dialect, request) else {
        return Err(OdbcProblem::Plan.into());
    };
    let columns = readings(dialect, request, natives)?;
    let columns: Vec<&str> = columns.iter().map(|(_, _, reading)| reading.expression.as_str()).collect();
    let conditions: Vec<String> =
        condition.into_iter().map(|c| format!("({c})")).chain(["1 = 0".to_owned()]).collect();
    Ok(select(&columns.join(", "), &from, &conditions))
}

/// Returns the columns that a request is read with, where no value is one that its reading would change.
pub(super) fn schema(
    dialect: &dyn Dialect,
    request: &ReadRequest,
    natives: &[Native],
) -> Result<Schema, SourceError> {
    let fields = readings(dialect, request, natives)?.into_iter();
    let fields = fields.map(|(column, native, reading)| Field {
        inferred: false,
        ..column.field(reading.logical, None, native.declared.clone(), &request.columns)
    });
    Ok(Schema { fields: fields.collect() })
}

/// Finds out how these columns of a request's table are read.
pub(super) fn planned(
    session: &mut Session,
    request: &ReadRequest,
    natives: &[Native],
    unfit: Unfit,
) -> Result<Planned, SourceError> {
    let dialect = session.dialect;
    let Some((relation, condition, from)) = source_of(dialect, request) else {
        return Err(OdbcProblem::Plan.into());
    };
    let conditions: Vec<String> = condition.iter().map(|condition| format!("({condition})")).collect();
    let mut columns = readings(dialect, request, natives)?;
    let watch = if unfit == Unfit::Watched { watch(dialect, &mut columns) } else { None };
    probe(session, &mut columns, &from, &conditions)?;
    let (rows, parts) = match relation {
        Relation::Table(name) => {
            let estimate = dialect.estimated_rows(name).map(|sql| session.rows(&sql));
            let rows = estimate
                .and_then(|answer| answer.ok()?.first()?.first()?.as_deref()?.trim().parse::<u64>().ok());
            let parts = divide(session, name, natives, rows.unwrap_or(0), &from, &conditions)?;
            (rows.filter(|_| condition.is_none()), parts)
        }
        Relation::Query(_) => (None, vec![None]),
    };
    let mut schema = Schema::default();
    let condition = condition.map(str::to_owned);
    let mut plan = Plan { from, condition, columns: Vec::new(), watch, parts, notes: Vec::new() };
    for (column, native, reading) in columns {
        let mut field = column.field(reading.logical, None, native.declared.clone(), &request.columns);
        field.inferred = false;
        plan.notes.extend(reading.note.map(|note| (field.name.clone(), note)));
        plan.columns.push(Fetched {
            name: native.name.clone(),
            expression: reading.expression,
            fetch: reading.fetch,
        });
        schema.fields.push(field);
    }
    Ok(Planned { plan, schema, rows })
}

/// Returns the condition under which a reading would change a column's value.
fn unfit_of(dialect: &dyn Dialect, native: &Native, unfit: &str) -> String {
    format!("{} IS NOT NULL AND {unfit}", dialect.quote(&native.name))
}

/// Returns what watches for values that a reading would change, and forgets how such columns were read otherwise.
fn watch(dialect: &dyn Dialect, columns: &mut [(Chosen, &Native, Reading)]) -> Option<String> {
    let mut cases = String::new();
    for (_, native, reading) in columns {
        if let Some((unfit, _)) = reading.unfit.take() {
            cases.push_str(&format!("WHEN {} THEN 1 ", unfit_of(dialect, native, &unfit)));
        }
    }
    (!cases.is_empty()).then(|| format!("CASE {cases}ELSE 0 END"))
}

/// Asks the server, in one query, how long the values are and whether any is one that a reading would change.
fn probe(
    session: &mut Session,
    columns: &mut [(Chosen, &Native, Reading)],
    from: &str,
    conditions: &[String],
) -> Result<(), SourceError> {
    let mut asked = Vec::new();
    let dialect = session.dialect;
    for (_, native, reading) in &*columns {
        asked.extend(reading.measure.as_ref().map(|measure| format!("MAX({measure})")));
        if let Some((unfit, other)) = &reading.unfit {
            asked.push(format!("MAX(CASE WHEN {} THEN 1 ELSE 0 END)", unfit_of(dialect, native, unfit)));
            asked.extend(other.measure.as_ref().map(|measure| format!("MAX({measure})")));
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let rows = session.rows(&select(&asked.join(", "), from, conditions))?;
    let mut answers = rows.into_iter().next().unwrap_or_default().into_iter();
    let mut next = || -> u64 {
        // Some servers count in numbers with a point; NULL where there is no row.
        let text = answers.next().flatten().unwrap_or_default();
        let whole = text.trim().split('.').next().unwrap_or_default();
        whole.parse().unwrap_or(0)
    };
    for (_, _, reading) in columns {
        if reading.measure.is_some() {
            measured(&mut reading.fetch, next());
        }
        if let Some((_, mut other)) = reading.unfit.take() {
            let found = next() != 0;
            if other.measure.is_some() {
                measured(&mut other.fetch, next());
            }
            if found {
                *reading = *other;
            }
        }
    }
    Ok(())
}

/// Sets the size of what was measured, with a little to spare: rows may come and go meanwhile.
fn measured(fetch: &mut Fetch, longest: u64) {
    let longest = usize::try_from(longest).unwrap_or(usize::MAX);
    let spare = longest.saturating_add(longest / 8).saturating_add(16);
    if let Fetch::Ascii(size) | Fetch::Wide(size) | Fetch::Bytes(size) = fetch
        && *size == Size::Measured
    {
        *size = Size::Most(spare);
    }
}

/// Returns about how many rows are in a part: no more than a minute's worth of what the rate lets through.
fn part_rows(rate: Option<Rate>) -> u64 {
    match rate {
        Some(Rate::Rows(most)) => most.saturating_mul(60).clamp(LEAST_ROWS, PART_ROWS),
        // How long a row is, nobody knows yet.
        Some(Rate::Bytes(_)) | None => PART_ROWS,
    }
}

/// Divides a table into parts whose conditions, together, hold for each row exactly once.
fn divide(
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
    for name in session.rows(&candidates).unwrap_or_default().into_iter().flatten().flatten() {
        let Some(native) = natives.iter().find(|native| native.name == name) else { continue };
        let Ok(reading) = dialect.reading(native) else { continue };
        let key = dialect.quote(&name);
        let whole =
            matches!(reading.logical, Logical::I64 | Logical::U64 | Logical::Decimal { scale: 0, .. });
        let parts = if whole {
            let ends = session.rows(&select(&format!("MIN({key}), MAX({key})"), from, conditions))?;
            let end = |at: usize| -> Option<i128> { ends.first()?.get(at)?.as_deref()?.trim().parse().ok() };
            end(0).zip(end(1)).map(|(least, most)| ranges(&key, least, most, wanted.min(MOST_RANGES)))
        } else if matches!(reading.logical, Logical::Text { .. }) {
            Some(by_boundaries(session, native, &key, from, conditions, wanted.min(MOST_BOUNDARIES))?)
        } else {
            None
        };
        let Some(mut parts) = parts.filter(|parts| parts.len() > 1) else { continue };
        if native.nullable {
            parts.insert(0, format!("{key} IS NULL"));
        }
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
    let answer = session.rows(&dialect.boundaries(&from, key, parts))?;
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

    #[test]
    fn a_part_is_a_query() {
        let column = |expression: &str| Fetched {
            name: "a".to_owned(),
            expression: expression.to_owned(),
            fetch: Fetch::I64,
        };
        let plan = Plan {
            from: "dbo.t".to_owned(),
            condition: Some("x = 1 OR y = 2".to_owned()),
            columns: vec![column("[a]"), column("CONVERT(float, [b])")],
            watch: None,
            parts: vec![None, Some("[a] IS NULL".to_owned())],
            notes: Vec::new(),
        };
        assert_eq!(plan.query(0), "SELECT [a], CONVERT(float, [b]) FROM dbo.t WHERE (x = 1 OR y = 2)");
        assert_eq!(
            plan.query(1),
            "SELECT [a], CONVERT(float, [b]) FROM dbo.t WHERE (x = 1 OR y = 2) AND ([a] IS NULL)"
        );
        assert_eq!(serde_json::from_value::<Plan>(plan.json()).unwrap(), plan);
        let watching = Plan { watch: Some("CASE WHEN [a] = 0 THEN 1 ELSE 0 END".to_owned()), ..plan };
        let query = watching.query(0);
        assert!(query.starts_with("SELECT CASE WHEN [a] = 0 THEN 1 ELSE 0 END, [a], CONVERT("), "{query}");
    }
}
