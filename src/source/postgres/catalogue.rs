//! What the server says of its tables.

use tokio_postgres::types::{Kind, Type};

use crate::source::catalogue::{Catalogue, Described, DescribedColumn, Listed};
use crate::source::dialect::{self, Dialect};
use crate::source::{Cancel, SourceError};

use super::Postgres;
use super::describe::literal;
use super::error::Stop;
use super::session::{NEVER, Session, Watch};
use super::types::reading;

impl Postgres {
    /// Works with a session of the pool, which is kept where it can be used again.
    fn with_session<T>(
        &self,
        cancel: &Cancel,
        work: impl Fn(&Session) -> Result<T, Stop>,
    ) -> Result<T, SourceError> {
        let pool = self.pool()?;
        let mut attempts = self.pace.attempts();
        let watch = Watch { cancel, halted: &NEVER };
        loop {
            let was_open = pool.has_been_open();
            let done = pool.take(watch).and_then(|lease| {
                let session = lease.session()?;
                let done = session.guarded(cancel, "", || work(session));
                if !matches!(done, Err(Stop::Lost(_))) && !cancel.is_cancelled() {
                    lease.give_back();
                }
                done
            });
            match done {
                Err(Stop::Lost(error)) if was_open || pool.has_been_open() => {
                    if !attempts.again(cancel)? {
                        return Err(error.into());
                    }
                }
                done => return done.map_err(Stop::into_error),
            }
        }
    }
}

/// The queries of the catalogue are the same whichever way they go.
fn dialect() -> Option<&'static dyn Dialect> {
    dialect::by_word("postgres")
}

impl Catalogue for Postgres {
    fn tables(&self, cancel: &Cancel) -> Result<Vec<Listed>, SourceError> {
        let Some((dialect, sql)) = dialect().and_then(|dialect| Some((dialect, dialect.tables()?))) else {
            return Ok(Vec::new());
        };
        let rows = self.with_session(cancel, |session| session.rows(&sql, cancel))?;
        Ok(dialect::catalogue::listed(dialect, rows))
    }

    fn unreadable(&self, cancel: &Cancel) -> Result<u64, SourceError> {
        let Some(sql) = dialect().and_then(Dialect::unreadable) else { return Ok(0) };
        let rows = self.with_session(cancel, |session| session.rows(&sql, cancel))?;
        Ok(dialect::catalogue::counted(&rows))
    }

    fn describe(&self, table: &Listed, cancel: &Cancel) -> Result<Described, SourceError> {
        let queries = dialect().and_then(|d| Some((d.unique_keys(table)?, d.foreign_keys(table)?)));
        self.with_session(cancel, |session| {
            let columns = session.rows(&columns_query(&table.written), cancel)?;
            let columns: Vec<_> = columns.into_iter().filter_map(column).collect();
            if columns.is_empty() {
                let problem = format!("there is no table or view `{}` with columns", table.written);
                return Err(Stop::fatal(&*session.place, problem, "it was there a moment ago: run again"));
            }
            let mut described = Described { columns, ..Described::default() };
            if let Some((unique_keys, foreign_keys)) = &queries {
                dialect::catalogue::add_keys(session.rows(unique_keys, cancel)?, &mut described);
                described.foreign_keys =
                    dialect::catalogue::foreign_keys(session.rows(foreign_keys, cancel)?);
            }
            Ok(described)
        })
    }

    fn column_facts(&self, table: &Listed, cancel: &Cancel) -> Result<Vec<Vec<Option<String>>>, SourceError> {
        match dialect().and_then(|dialect| dialect.column_facts(table)) {
            Some(sql) => self.with_session(cancel, |session| session.rows(&sql, cancel)),
            None => Ok(Vec::new()),
        }
    }
}

/// Returns the query for the columns of a table; a domain travels as the type it is made of.
fn columns_query(written: &str) -> String {
    let table = format!("pg_catalog.to_regclass({})::pg_catalog.oid", literal(written));
    format!(
        "WITH RECURSIVE kinds(attnum, oid, modifier, required) AS (\
         SELECT a.attnum, a.atttypid, a.atttypmod, a.attnotnull FROM pg_catalog.pg_attribute a \
         WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped \
         UNION ALL SELECT k.attnum, t.typbasetype, t.typtypmod, k.required OR t.typnotnull FROM kinds k \
         JOIN pg_catalog.pg_type t ON t.oid = k.oid WHERE t.typtype = 'd') \
         SELECT a.attname, k.oid, k.modifier, pg_catalog.format_type(a.atttypid, a.atttypmod), k.required \
         FROM pg_catalog.pg_attribute a JOIN kinds k ON k.attnum = a.attnum \
         JOIN pg_catalog.pg_type t ON t.oid = k.oid \
         WHERE a.attrelid = {table} AND t.typtype <> 'd' ORDER BY a.attnum"
    )
}

fn column(row: Vec<Option<String>>) -> Option<DescribedColumn> {
    let [name, oid, modifier, declared, required] = <[Option<String>; 5]>::try_from(row).ok()?;
    let oid = oid?.parse().ok()?;
    let declared = declared?;
    let kind =
        Type::from_oid(oid).unwrap_or_else(|| Type::new(declared.clone(), oid, Kind::Simple, String::new()));
    let modifier = modifier.and_then(|text| text.parse().ok()).unwrap_or(-1);
    Some(DescribedColumn {
        name: name?,
        logical: Some(reading(&kind, modifier, &declared).logical),
        declared,
        nullable: required.as_deref() != Some("t"),
    })
}
