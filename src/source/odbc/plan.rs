//! What of a table is read, with which expressions, in which parts.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::{Field, Schema};
use crate::source::columns::{Chosen, choose};
use crate::source::dialect::{Ask, Dialect, Fetch, Native, Reading, Size, source_of};
use crate::source::origin::Origin;
use crate::source::{ColumnNote, ReadRequest, Relation, Selection, SourceError};

use super::divide::divide;
use super::problem::OdbcProblem;
use super::session::{Session, if_allowed};

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
    /// The database.
    pub origin: Origin,
    /// Whether all rows of one statement can be from one moment, and those of all statements of a session.
    pub moments: (bool, bool),
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
    /// Before: the server is asked, which reads the whole table once more, and such columns are read otherwise. The others
    /// are watched all the same, for what comes later.
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
        let part = self.parts.get(part).and_then(Option::as_deref).map(|part| format!("({part})"));
        let conditions: Vec<String> =
            self.condition.as_deref().map(bracketed).into_iter().chain(part).collect();
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

/// Puts a user's condition into brackets; the line break ends a remark at its end.
fn bracketed(condition: &str) -> String {
    format!("(\n{condition}\n)")
}

pub(super) fn select(what: &str, from: &str, conditions: &[String]) -> String {
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
    let mut planned = planned(session, request, &natives, unfit)?;
    let named = match source_of(session.dialect, request) {
        Some((Relation::Table(name), ..)) => Some(name.as_str()),
        _ => None,
    };
    planned.plan.moments = moments(session, named)?;
    let hides = named.map_or(Ok(false), |name| hides_rows(session, name))?;
    if let (true, Some(field)) = (hides, planned.schema.fields.first()) {
        planned.plan.notes.push((field.name.clone(), HIDDEN.to_owned()));
    }
    planned.plan.origin = session.origin()?;
    Ok(planned)
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
    let conditions: Vec<String> = condition.into_iter().map(bracketed).chain(["1 = 0".to_owned()]).collect();
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
    let among = match &request.selection {
        Selection::Table(table) => table.among.as_deref(),
        Selection::Files(_) | Selection::Sql(_) => None,
    };
    let conditions: Vec<String> = condition.into_iter().chain(among).map(bracketed).collect();
    let mut columns = readings(dialect, request, natives)?;
    let watched = if unfit == Unfit::Watched { watch(dialect, &mut columns) } else { None };
    // What is not there yet may come before the rows are read, in a session that begins later.
    let watch = watched.or(probe(session, &mut columns, &from, &conditions)?);
    let (rows, parts) = match relation {
        Relation::Table(name) => {
            let estimate = match dialect.estimated_rows(name) {
                Some(sql) => if_allowed(session.rows_of_data(&sql))?,
                None => Vec::new(),
            };
            let rows = estimate.first().and_then(|row| row.first()?.as_deref()?.trim().parse::<u64>().ok());
            // What is found by its key is looked for once, not in every part.
            let all = if among.is_some() { 0 } else { rows.unwrap_or(0) };
            let parts = divide(session, name, natives, all, &from, &conditions)?;
            (rows.filter(|_| conditions.is_empty()), parts)
        }
        Relation::Query(_) => (None, vec![None]),
    };
    let mut schema = Schema::default();
    let condition = match conditions.as_slice() {
        [_, _] => Some(conditions.join(" AND ")),
        _ => condition.or(among).map(str::to_owned),
    };
    let mut plan = Plan {
        from,
        condition,
        columns: Vec::new(),
        watch,
        parts,
        notes: Vec::new(),
        origin: Origin::default(),
        moments: (true, true),
    };
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

/// What is said of a table whose policies may hide rows, at its first column.
const HIDDEN: &str =
    "a security policy of the database decides which rows of the table its reader sees: some may be missing";

/// Returns true where policies may hide rows of a table from this user, as far as they may know.
fn hides_rows(session: &mut Session, table: &str) -> Result<bool, SourceError> {
    let Some(sql) = session.dialect.hidden_rows(table) else { return Ok(false) };
    let rows = session.rows_if_allowed(&sql)?;
    Ok(rows.iter().flatten().flatten().any(|cell| cell.trim() == "1"))
}

/// Returns whether one moment is to be had for a statement and for a session; what may not be asked counts as had.
fn moments(session: &mut Session, table: Option<&str>) -> Result<(bool, bool), SourceError> {
    let Some(sql) = session.dialect.moments(table) else { return Ok((true, true)) };
    let row = session.rows_if_allowed(&sql)?.into_iter().next().unwrap_or_default();
    let is = |at: usize| row.get(at).and_then(Option::as_deref).is_none_or(|cell| cell.trim() != "0");
    Ok((is(0), is(1)))
}

/// Returns the condition under which a reading would change a column's value.
fn unfit_of(dialect: &dyn Dialect, native: &Native, unfit: &str) -> String {
    format!("{} IS NOT NULL AND {unfit}", dialect.quote(&native.name))
}

/// Returns what watches for values that a reading would change, and forgets how such columns were read otherwise.
fn watch(dialect: &dyn Dialect, columns: &mut [(Chosen, &Native, Reading)]) -> Option<String> {
    let mut unfit = Vec::new();
    for (_, native, reading) in columns {
        unfit.extend(reading.unfit.take().map(|(condition, _)| unfit_of(dialect, native, &condition)));
    }
    watch_for(&unfit)
}

/// Returns what is not 0 for rows for which one of these conditions holds.
fn watch_for(conditions: &[String]) -> Option<String> {
    let mut cases = String::new();
    for condition in conditions {
        cases.push_str(&format!("WHEN {condition} THEN 1 "));
    }
    (!cases.is_empty()).then(|| format!("CASE {cases}ELSE 0 END"))
}

/// Asks the server, in one query, how long the values are and whether any is one that a reading would change; returns
/// what watches for those that were not found.
fn probe(
    session: &mut Session,
    columns: &mut [(Chosen, &Native, Reading)],
    from: &str,
    conditions: &[String],
) -> Result<Option<String>, SourceError> {
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
        return Ok(None);
    }
    let rows = session.rows_of_data(&select(&asked.join(", "), from, conditions))?;
    let mut answers = rows.into_iter().next().unwrap_or_default().into_iter();
    let mut next = || -> u64 {
        // Some servers count in numbers with a point; NULL where there is no row.
        let text = answers.next().flatten().unwrap_or_default();
        let whole = text.trim().split('.').next().unwrap_or_default();
        whole.parse().unwrap_or(0)
    };
    let mut absent = Vec::new();
    for (_, native, reading) in columns {
        if reading.measure.is_some() {
            measured(&mut reading.fetch, next());
        }
        if let Some((unfit, mut other)) = reading.unfit.take() {
            let found = next() != 0;
            if other.measure.is_some() {
                measured(&mut other.fetch, next());
            }
            if found {
                *reading = *other;
            } else {
                absent.push(unfit_of(dialect, native, &unfit));
            }
        }
    }
    Ok(watch_for(&absent))
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

#[cfg(test)]
mod tests {
    use super::*;

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
            origin: Origin::default(),
            moments: (true, true),
        };
        assert_eq!(plan.query(0), "SELECT [a], CONVERT(float, [b]) FROM dbo.t WHERE (\nx = 1 OR y = 2\n)");
        assert_eq!(
            plan.query(1),
            "SELECT [a], CONVERT(float, [b]) FROM dbo.t WHERE (\nx = 1 OR y = 2\n) AND ([a] IS NULL)"
        );
        assert_eq!(serde_json::from_value::<Plan>(plan.json()).unwrap(), plan);
        let watching = Plan { watch: Some("CASE WHEN [a] = 0 THEN 1 ELSE 0 END".to_owned()), ..plan };
        let query = watching.query(0);
        assert!(query.starts_with("SELECT CASE WHEN [a] = 0 THEN 1 ELSE 0 END, [a], CONVERT("), "{query}");
    }
}
