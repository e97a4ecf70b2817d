//! What is to be read, as the catalogue has it: columns with their types, and where the rows lie.

use std::collections::BTreeMap;
use std::fmt::Write;

use tokio_postgres::types::Type;

use crate::model::{Field, Schema};
use crate::source::columns::{Chosen, choose};
use crate::source::origin::Origin;
use crate::source::{Cancel, ColumnNote, Rate, ReadRequest, Relation, Selection, SourceError};

use super::error::Stop;
use super::plan::{Plan, Stored};
use super::session::Session;
use super::types::{Wire, as_text, reading};

/// The first version of the server that finds a range of rows by where they lie.
const RANGES_SINCE: u32 = 140_000;
/// The first version that shows the partitions which a table has now.
const PARTITION_TREES_SINCE: u32 = 120_000;
/// The first number that a table of a user can have.
const FIRST_OF_USERS: u32 = 16_384;

/// A table that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// What messages call it.
    pub name: String,
    pub schema: Schema,
    /// How each column travels.
    pub wires: Vec<Wire>,
    pub notes: Vec<ColumnNote>,
    pub plan: Plan,
    /// The number of rows, as the server guesses it; nothing where only some are read.
    pub rows: Option<u64>,
    /// The query, up to where the rows of a part are chosen.
    pub select: String,
    /// The condition of the user.
    pub condition: Option<String>,
    /// The keys of the rows that are wanted alone, as a condition.
    pub among: Option<String>,
    /// True for what has rows of its own, false for views and queries.
    pub is_stored: bool,
}

/// What a table is called, and what of its rows the catalogue says.
struct Found {
    name: String,
    from: String,
    oid: Option<u32>,
    kind: char,
}

/// Finds out what a request asks for; it is divided as the rate needs it. The columns in `texts`, by their names, come as texts, for the reasons there.
pub(super) fn describe(
    session: &Session,
    request: &ReadRequest,
    texts: &BTreeMap<String, String>,
    rate: Option<Rate>,
    cancel: &Cancel,
) -> Result<Table, Stop> {
    let Selection::Table(selection) = &request.selection else {
        return Err(Stop::fatal(&*session.place, "files were asked for", "name a `table` or `query`"));
    };
    let found = match &selection.relation {
        Relation::Table(name) => find(session, name, cancel)?,
        Relation::Query(query) => {
            let query = query.trim().trim_end_matches(';');
            // The line break ends a remark at the query's end.
            let from = format!("(\n{query}\n) AS counterfoil_query");
            Found { name: "the query".to_owned(), from, oid: None, kind: ' ' }
        }
    };
    let (theirs, types) = columns(session, &found, cancel)?;
    let chosen = choose(&theirs, &request.columns)?;
    let mut schema = Schema::default();
    let mut select = String::from("SELECT ");
    let mut wires = Vec::with_capacity(chosen.len());
    let mut notes = Vec::new();
    for Chosen { position, source_name, name, .. } in &chosen {
        let Some((kind, modifier, shown)) = types.get(*position) else { continue };
        let mut read = match texts.get(source_name) {
            Some(why) => as_text(shown, why),
            None => reading(kind, *modifier, shown),
        };
        notes.extend(read.note.take().map(|text| ColumnNote { column: name.clone(), text }));
        let comma = if wires.is_empty() { "" } else { ", " };
        let column = quoted(source_name);
        let value = match (read.wire, kind) {
            // The cast puts `/32` behind a single address, which the server does not show.
            (Wire::Cast, &Type::INET) => format!("pg_catalog.textin(pg_catalog.inet_out({column}))"),
            (Wire::Cast, _) => format!("{column}::pg_catalog.text"),
            _ => column,
        };
        // Writing into a text does not fail.
        let _ = write!(select, "{comma}{value}");
        wires.push(read.wire);
        let field = chosen_field(&chosen, *position, read.logical, shown, request);
        schema.fields.extend(field);
    }
    let _ = write!(select, " FROM {}", found.from);
    let (stored, rows) = match found.oid {
        Some(oid) if matches!(found.kind, 'r' | 'p' | 'm') => {
            stored(session, oid, &found.name, rate, cancel)?
        }
        _ => (None, None),
    };
    let known = selection.condition.is_none() && selection.among.is_none();
    // What is found by its key is looked for once, not in every part.
    let stored = if selection.among.is_some() { stored.map(Stored::in_one_part) } else { stored };
    Ok(Table {
        is_stored: matches!(found.kind, 'r' | 'p' | 'm'),
        plan: Plan::new(stored, texts.clone()),
        rows: rows.filter(|_| known),
        condition: selection.condition.clone(),
        among: selection.among.clone(),
        name: found.name,
        schema,
        wires,
        notes,
        select,
    })
}

fn chosen_field(
    chosen: &[Chosen],
    position: usize,
    logical: crate::model::Logical,
    shown: &str,
    request: &ReadRequest,
) -> Option<Field> {
    let chosen = chosen.iter().find(|chosen| chosen.position == position)?;
    // The catalogue declares it, whatever the user does.
    let field = chosen.field(logical, None, shown.to_owned(), &request.columns);
    Some(Field { inferred: false, ..field })
}

/// Finds a table or view by the name the user wrote.
fn find(session: &Session, name: &str, cancel: &Cancel) -> Result<Found, Stop> {
    let sql = format!(
        "SELECT c.oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relkind \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = pg_catalog.to_regclass({})::pg_catalog.oid",
        literal(name)
    );
    let rows = session.rows(&sql, cancel)?;
    let Some([Some(oid), Some(from), Some(kind)]) =
        rows.into_iter().next().and_then(|r| <[_; 3]>::try_from(r).ok())
    else {
        let advice = "correct `table`, or ask for `grant usage on schema` and `grant select on`; a name with capitals or \
                      blanks stands in double quotes, and one outside the search path has its schema before it, as in \
                      `housing.tenures`";
        let problem = format!("there is no table or view `{name}` that this user may read");
        return Err(Stop::fatal(&*session.place, problem, advice));
    };
    let kind = kind.chars().next().unwrap_or(' ');
    if !matches!(kind, 'r' | 'p' | 'm' | 'v' | 'f' | 'S') {
        let advice = "name a table or view";
        return Err(Stop::fatal(
            &*session.place,
            format!("`{name}` is an index or a type, without rows"),
            advice,
        ));
    }
    Ok(Found { name: from.clone(), from, oid: oid.parse().ok(), kind })
}

/// Returns the names of the columns, and of each the type, its modifier, and what the server calls it.
fn columns(
    session: &Session,
    found: &Found,
    cancel: &Cancel,
) -> Result<(Vec<String>, Vec<(Type, i32, String)>), Stop> {
    let statement = session.prepare(&format!("SELECT * FROM {}", found.from), cancel)?;
    let columns = statement.columns();
    if columns.is_empty() {
        let problem = format!("{} has no columns", found.name);
        return Err(Stop::fatal(&*session.place, problem, "there is nothing to read: leave it out"));
    }
    let mut values = String::new();
    for (i, column) in columns.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let _ = write!(
            values,
            "{comma}({i}, {}::oid, {}, {}::oid, {})",
            column.table_oid().unwrap_or(0),
            column.column_id().unwrap_or(0),
            column.type_().oid(),
            column.type_modifier(),
        );
    }
    // The table's own word is preferred: it names domains, which travel as what they are made of.
    let sql = format!(
        "SELECT coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.format_type(v.t, v.m)) \
         FROM (VALUES {values}) AS v(i, r, c, t, m) \
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = v.r AND a.attnum = v.c ORDER BY v.i"
    );
    let shown = session.rows(&sql, cancel)?;
    let names = columns.iter().map(|column| column.name().to_owned()).collect();
    let types = columns
        .iter()
        .zip(shown)
        .map(|(column, shown)| {
            let shown = shown.into_iter().next().flatten();
            let shown = shown.unwrap_or_else(|| column.type_().name().to_owned());
            (column.type_().clone(), column.type_modifier(), shown)
        })
        .collect();
    Ok((names, types))
}

/// Returns where the rows of a table lie, where that can be asked for, and how many there are by the server's guess.
///
/// A table with children or partitions is read as a whole, each part from a range of all of them: reading them one
/// by one would pass by the rights and policies of the table that the user named.
fn stored(
    session: &Session,
    oid: u32,
    name: &str,
    rate: Option<Rate>,
    cancel: &Cancel,
) -> Result<(Option<Stored>, Option<u64>), Stop> {
    let access = if session.facts.number >= 120_000 {
        "(SELECT am.amname FROM pg_catalog.pg_am am WHERE am.oid = c.relam)"
    } else {
        "'heap'"
    };
    let sql = format!(
        "WITH RECURSIVE tree(oid) AS (SELECT {oid}::pg_catalog.oid \
         UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree t ON i.inhparent = t.oid) \
         SELECT c.oid, c.relkind, coalesce({access}, 'heap'), c.relfilenode, \
         coalesce(pg_catalog.pg_relation_filenode(c.oid), 0), \
         CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END \
         / pg_catalog.current_setting('block_size')::pg_catalog.int8, \
         c.relpages, c.reltuples::pg_catalog.int8 \
         FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid ORDER BY c.oid"
    );
    let mut files = Vec::new();
    let mut pages = Vec::new();
    let mut rows = Some(0_u64);
    let mut in_ranges = session.facts.number >= RANGES_SINCE;
    for row in session.rows(&sql, cancel)? {
        let number = |at: usize| row.get(at).and_then(|t| t.as_deref()?.parse::<i64>().ok()).unwrap_or(0);
        let text = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        match text(1) {
            "p" => continue,
            "r" | "m" if text(2) == "heap" => {}
            _ => {
                in_ranges = false;
                rows = None;
                continue;
            }
        }
        let (then, now) = (number(3), number(4));
        if then != 0 && then != now {
            return Err(rewritten(&session.place, name));
        }
        let (size, known, guess) = (number(5).max(0), number(6), number(7));
        // As the server's own planner: the rows of a page are known since the last analysis, the pages now.
        rows = rows.filter(|_| guess >= 0).map(|sum| {
            let more = if known > 0 { guess.saturating_mul(size) / known } else { guess };
            sum.saturating_add(more.unsigned_abs())
        });
        files.push((u32::try_from(number(0)).unwrap_or(0), u32::try_from(now).unwrap_or(0)));
        pages.push(size.unsigned_abs());
    }
    Ok((in_ranges.then(|| Stored::new(oid, files, &pages, rows, rate)), rows))
}

/// Returns a relation of this transaction whose rows of its moment may be gone: it was emptied, rewritten, made or taken
/// out of its table since. What the transaction has read it has locked, so that this stays as it is.
///
/// The catalogue shows what there was at the moment; functions on it show what there is now.
pub(super) fn moved(session: &Session, cancel: &Cancel) -> Result<Option<String>, Stop> {
    // A partition that was added later has no row of the moment.
    let (is_alone, has_lost) = if session.facts.number >= PARTITION_TREES_SINCE {
        (
            "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class r WHERE r.oid = pg_catalog.pg_partition_root(l.relation))",
            "EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid AND NOT EXISTS \
             (SELECT 1 FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.relid = i.inhrelid))",
        )
    } else {
        ("true", "false")
    };
    let rows = session.rows(
        &format!(
            "SELECT l.relation::pg_catalog.regclass::pg_catalog.text \
             FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation \
             WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' \
             AND l.relation >= {FIRST_OF_USERS} AND CASE \
             WHEN c.relkind IN ('r', 'm') THEN c.relfilenode <> 0 \
             AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid) \
             WHEN c.relkind = 'p' THEN {has_lost} \
             WHEN c.oid IS NULL THEN {is_alone} AND (pg_catalog.pg_identify_object(\
             'pg_catalog.pg_class'::pg_catalog.regclass, l.relation, 0)).type IN ('table', 'materialized view') \
             ELSE false END ORDER BY l.relation LIMIT 1"
        ),
        cancel,
    )?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}

/// Says that rows of the moment may be gone.
pub(super) fn rewritten(place: &str, name: &str) -> Stop {
    let problem = format!("{name} was emptied or rewritten after the moment that the snapshot shows");
    let advice = "its rows of that moment may be gone: run again when no such work is going on";
    Stop::fatal(place, problem, advice)
}

/// Returns what the server calls itself and its database.
pub(super) fn origin(session: &Session, cancel: &Cancel) -> Result<Origin, Stop> {
    let one = |sql: &str| -> Result<Option<String>, Stop> {
        Ok(session.rows(sql, cancel)?.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
    };
    let database = one("SELECT pg_catalog.current_database()")?;
    let may_ask = one("SELECT pg_catalog.has_function_privilege(\
         pg_catalog.to_regprocedure('pg_catalog.pg_control_system()')::pg_catalog.oid, 'EXECUTE')")?;
    let server = match may_ask.as_deref() {
        Some("t") => one("SELECT system_identifier FROM pg_catalog.pg_control_system()")?,
        _ => None,
    };
    Ok(Origin { server, database, named: String::new() })
}

/// Puts a name into double quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Makes a literal of a text.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl From<Stop> for SourceError {
    fn from(stop: Stop) -> Self {
        stop.into_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_stay_what_they_are() {
        assert_eq!(quoted("Odd \"name\""), "\"Odd \"\"name\"\"\"");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
