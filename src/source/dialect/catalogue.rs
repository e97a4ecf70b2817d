//! What a database says of its tables: the dialect's queries, and what their rows mean.

use indexmap::IndexMap;
use sqlparser::keywords::ALL_KEYWORDS;

use crate::source::SourceError;
use crate::source::catalogue::{Described, DescribedColumn, ForeignKey, Listed};

use super::{Ask, Asked, Dialect};

/// Rows of a catalogue, as text.
type Rows = Vec<Vec<Option<String>>>;

/// Returns the tables and views that may be read, sorted.
pub fn tables(dialect: &dyn Dialect, ask: &mut dyn Ask) -> Result<Vec<Listed>, SourceError> {
    let rows = match dialect.tables() {
        Some(sql) => ask.rows(&sql)?,
        None => of_driver(ask.driver_catalogue(Asked::Tables)?),
    };
    Ok(listed(dialect, rows))
}

/// Returns what the catalogue says of one of these tables; no columns where it is gone.
pub fn describe(dialect: &dyn Dialect, ask: &mut dyn Ask, table: &Listed) -> Result<Described, SourceError> {
    let columns = dialect.table_columns(ask, &table.written)?.into_iter().map(|native| DescribedColumn {
        logical: dialect.reading(&native).ok().map(|reading| reading.logical),
        name: native.name,
        declared: native.declared,
        nullable: native.nullable,
    });
    let mut described = Described { columns: columns.collect(), ..Described::default() };
    match dialect.unique_keys(table) {
        Some(sql) => add_keys(ask.rows(&sql)?, &mut described),
        None => described.primary_key = primary_key(ask.driver_catalogue(Asked::PrimaryKey(table))?),
    }
    described.foreign_keys = foreign_keys(match dialect.foreign_keys(table) {
        Some(sql) => ask.rows(&sql)?,
        None => references(ask.driver_catalogue(Asked::ForeignKeys(table))?),
    });
    Ok(described)
}

/// Reads the answer of [`Dialect::unreadable`].
pub fn counted(rows: &[Vec<Option<String>>]) -> u64 {
    rows.first().and_then(|row| row.first()?.as_deref()?.trim().parse().ok()).unwrap_or(0)
}

/// Reads the rows of [`Dialect::tables`].
pub fn listed(dialect: &dyn Dialect, rows: Rows) -> Vec<Listed> {
    let mut tables: Vec<Listed> = rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter();
            let mut next = || cells.next().flatten();
            let schema = next().unwrap_or_default();
            let name = next()?;
            let is_view = next().is_some_and(|text| text.trim() == "1");
            let rows = next().and_then(|text| text.trim().parse().ok());
            let part = |name: &str| {
                if dialect.is_plain(name) { name.to_owned() } else { dialect.quote(name) }
            };
            let written =
                if schema.is_empty() { part(&name) } else { format!("{}.{}", part(&schema), part(&name)) };
            Some(Listed { schema, name, written, is_view, rows })
        })
        .collect();
    tables.sort();
    tables
}

/// Reads the rows of [`Dialect::unique_keys`] into the keys of a table.
pub fn add_keys(rows: Rows, described: &mut Described) {
    let mut keys: IndexMap<String, (bool, Vec<String>)> = IndexMap::new();
    for row in rows {
        let Ok([Some(key), primary, Some(column)]) = first_three(row) else { continue };
        let is_primary = primary.is_some_and(|text| text.trim() == "1");
        keys.entry(key).or_insert_with(|| (is_primary, Vec::new())).1.push(column);
    }
    for (_, (is_primary, columns)) in keys {
        if is_primary && described.primary_key.is_empty() {
            described.primary_key = columns;
        } else if !described.unique_keys.contains(&columns) {
            described.unique_keys.push(columns);
        }
    }
    let primary_key = &described.primary_key;
    described.unique_keys.retain(|key| key != primary_key);
}

fn first_three(row: Vec<Option<String>>) -> Result<[Option<String>; 3], Vec<Option<String>>> {
    row.into_iter().take(3).collect::<Vec<_>>().try_into()
}

/// Reads the rows of [`Dialect::foreign_keys`].
pub fn foreign_keys(rows: Rows) -> Vec<ForeignKey> {
    let mut keys: IndexMap<String, ForeignKey> = IndexMap::new();
    for row in rows {
        let Ok([Some(key), Some(column), schema, Some(table), Some(reference)]) =
            <[Option<String>; 5]>::try_from(row)
        else {
            continue;
        };
        let key = keys.entry(key).or_insert_with(|| ForeignKey {
            columns: Vec::new(),
            schema: schema.unwrap_or_default(),
            table,
            references: Vec::new(),
        });
        key.columns.push(column);
        key.references.push(reference);
    }
    keys.into_values().collect()
}

/// Returns true for a name that no database takes for one of its own words.
pub fn is_word(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && name.chars().all(letters)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && ALL_KEYWORDS.binary_search(&name.to_ascii_uppercase().as_str()).is_err()
}

/// Makes rows of ours of those that ODBC defines for tables: catalogue, schema, name, type, remarks.
fn of_driver(rows: Rows) -> Rows {
    let row = |mut row: Vec<Option<String>>| {
        let kind = row.get_mut(3)?.take()?.trim().to_uppercase();
        let name = row.get_mut(2)?.take()?;
        let schema = row.get_mut(1)?.take();
        // Drivers list the catalogue's own views where they have no other word for them.
        let own = |schema: &str| {
            ["information_schema", "pg_catalog", "sys"].iter().any(|own| own.eq_ignore_ascii_case(schema))
        };
        let is_view = match kind.as_str() {
            "TABLE" => "0",
            "VIEW" => "1",
            _ => return None,
        };
        (!schema.as_deref().is_some_and(own))
            .then(|| vec![schema, Some(name), Some(is_view.to_owned()), None])
    };
    rows.into_iter().filter_map(row).collect()
}

/// Reads what ODBC defines for a primary key: catalogue, schema, table, column, its number from 1, the key's name.
fn primary_key(rows: Rows) -> Vec<String> {
    let mut columns: Vec<(u32, String)> = rows
        .into_iter()
        .filter_map(|mut row| {
            let number = row.get(4)?.as_deref()?.trim().parse().ok()?;
            Some((number, row.get_mut(3)?.take()?))
        })
        .collect();
    columns.sort();
    columns.into_iter().map(|(_, column)| column).collect()
}

/// Makes rows of ours of those that ODBC defines for foreign keys.
///
/// The parent's catalogue, schema, table and column stand first, the child's after them, then the column's number.
/// A key may have no name: then the second column of the same number belongs to a second key.
fn references(rows: Rows) -> Rows {
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut found: Vec<(String, u32, Vec<Option<String>>)> = Vec::new();
    for row in rows {
        let text = |at: usize| row.get(at).cloned().flatten().filter(|text| !text.is_empty());
        let (Some(table), Some(parent), Some(column), Some(number)) = (text(2), text(3), text(7), text(8))
        else {
            continue;
        };
        let schema = text(1);
        let key = if let Some(name) = text(11) {
            name
        } else {
            let place = (format!("{}.{table}", schema.as_deref().unwrap_or_default()), number.clone());
            let nth = seen.iter().filter(|other| **other == place).count();
            let key = format!("{} {nth}", place.0);
            seen.push(place);
            key
        };
        let number = number.trim().parse().unwrap_or(0);
        found.push((key.clone(), number, vec![Some(key), Some(column), schema, Some(table), Some(parent)]));
    }
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    found.into_iter().map(|(_, _, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::dialect::by_word;

    fn rows(lines: &[&[&str]]) -> Rows {
        let cell = |text: &&str| (*text != "-").then(|| (*text).to_owned());
        lines.iter().map(|line| line.iter().map(cell).collect()).collect()
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (word, schema, name, expected) in [
            ("sqlserver", "dbo", "tenagree", "dbo.tenagree"),
            ("sqlserver", "dbo", "Rent Account", "dbo.[Rent Account]"),
            ("sqlserver", "dbo", "order", "dbo.[order]"),
            ("postgres", "housing", "tenures", "housing.tenures"),
            ("postgres", "Housing", "a\"b", "\"Housing\".\"a\"\"b\""),
            ("oracle", "UH", "TENAGREE", "UH.TENAGREE"),
            ("oracle", "UH", "Tenagree", "UH.\"Tenagree\""),
            ("mysql", "uh", "007", "uh.`007`"),
            ("sqlite", "", "tenagree", "tenagree"),
            ("sqlite", "", "Łódź", "\"Łódź\""),
        ] {
            let dialect = by_word(word).unwrap();
            let found = listed(dialect, rows(&[&[schema, name, "0", "-"]]));
            assert_eq!(found[0].written, expected);
        }
    }

    #[test]
    fn tables_are_sorted() {
        let found = listed(
            by_word("sqlserver").unwrap(),
            rows(&[&["dbo", "b", "1", "-"], &["dbo", "a", "0", "42"], &["adm", "z", "0", "x"]]),
        );
        let names: Vec<(&str, bool, Option<u64>)> =
            found.iter().map(|table| (table.written.as_str(), table.is_view, table.rows)).collect();
        assert_eq!(names, [("adm.z", false, None), ("dbo.a", false, Some(42)), ("dbo.b", true, None)]);
    }

    #[test]
    fn keys_are_put_together() {
        let mut described = Described::default();
        let of = |lines: &[&[&str]]| rows(lines);
        add_keys(
            of(&[
                &["pk", "1", "b"],
                &["pk", "1", "a"],
                &["u", "0", "c"],
                &["same", "0", "c"],
                &["x", "0", "b"],
                &["x", "0", "a"],
            ]),
            &mut described,
        );
        assert_eq!(described.primary_key, ["b", "a"]);
        assert_eq!(described.unique_keys, [["c"]]);
        let keys = foreign_keys(of(&[
            &["f", "a", "dbo", "p", "x"],
            &["f", "b", "dbo", "p", "y"],
            &["g", "c", "-", "q", "z"],
        ]));
        assert_eq!(keys.len(), 2);
        assert_eq!(
            (&keys[0].columns, &keys[0].references),
            (&vec!["a".into(), "b".into()], &vec!["x".into(), "y".into()])
        );
        assert_eq!((keys[1].schema.as_str(), keys[1].table.as_str()), ("", "q"));
    }

    #[test]
    fn foreign_keys_of_drivers_may_have_no_names() {
        let line = |table: &str, parent: &str, column: &str, number: &str, name: &str| {
            rows(&[&["-", "s", table, parent, "-", "s", "child", column, number, "-", "-", name]]).remove(0)
        };
        let keys = foreign_keys(references(vec![
            line("p", "a", "x", "1", "-"),
            line("p", "a", "y", "1", "-"),
            line("p", "b", "x2", "2", "-"),
            line("p", "b", "y2", "2", "-"),
            line("q", "c", "z", "1", "named"),
        ]));
        let columns: Vec<Vec<String>> = keys.into_iter().map(|key| key.columns).collect();
        assert_eq!(
            columns,
            [vec!["z".to_owned()], vec!["x".into(), "x2".into()], vec!["y".into(), "y2".into()]]
        );
    }

    #[test]
    fn what_drivers_list_is_tables_and_views() {
        let found = of_driver(rows(&[
            &["c", "s", "t", "TABLE", "-"],
            &["c", "s", "v", "VIEW", "-"],
            &["c", "s", "x", "SYSTEM TABLE", "-"],
            &["c", "INFORMATION_SCHEMA", "columns", "VIEW", "-"],
        ]));
        assert_eq!(found, rows(&[&["s", "t", "0", "-"], &["s", "v", "1", "-"]]));
    }

    /// Compares the queries of a dialect with the committed ones; with `COUNTERFOIL_REGENERATE=1` writes them instead.
    #[test]
    fn queries_are_as_committed() {
        let table = Listed {
            schema: "UH".to_owned(),
            name: "IT'S".to_owned(),
            written: "UH.\"IT'S\"".to_owned(),
            is_view: false,
            rows: None,
        };
        let mut text = String::new();
        for word in ["mysql", "oracle", "postgres", "sqlite", "sqlserver"] {
            let dialect = by_word(word).unwrap();
            let queries = [
                dialect.tables(),
                dialect.unique_keys(&table),
                dialect.foreign_keys(&table),
                dialect.column_facts(&table),
            ];
            for (name, sql) in
                ["tables", "unique keys", "foreign keys", "column facts"].into_iter().zip(queries)
            {
                let sql = sql.unwrap_or_else(|| "-- it is not asked".to_owned());
                text += &format!("-- {word}: {name}\n{sql};\n\n");
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/init/catalogue/queries.sql");
        if std::env::var_os("COUNTERFOIL_REGENERATE").is_some_and(|value| value == "1") {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text, "{path} is not current");
    }
}
