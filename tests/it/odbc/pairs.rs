//! Every type × value × source × target: no difference where there is none.
//!
//! Each value of each sample meets the same value in the widest type of its family on the other side, and in every
//! sample of the other side that has it too; each database is a source and a target, PostgreSQL by its own connector too.

use counterfoil::model::{Family, Logical};
use counterfoil::source::Sample;

use super::{Database, conformance::samples_of};
use crate::support::Folder;

/// What a side is read by: the dialect of its samples, and whether by ODBC.
const ENDS: [(&str, bool); 4] = [("mysql", true), ("postgres", true), ("sqlite", true), ("postgres", false)];
/// Columns of one table: a row of MariaDB holds no more.
const COLUMNS: usize = 30;

/// A type on either side, with the literals of values that are the same.
struct Pair {
    native: (&'static str, &'static str),
    literals: Vec<(String, String)>,
}

fn logical(sample: &Sample) -> Logical {
    sample.logical.strip_prefix("other:").map_or_else(
        || sample.logical.parse().expect("a logical type"),
        |native| Logical::Other(native.to_owned()),
    )
}

/// Returns the widest type of a value's family, and the value as a literal; nothing where the database cannot hold it.
fn widest(word: &str, logical: &Logical, value: &str) -> Option<(&'static str, String)> {
    let pick = |mysql, postgres, sqlite| match word {
        "mysql" => mysql,
        "postgres" => postgres,
        _ => sqlite,
    };
    let quoted = format!("'{}'", value.replace('\'', "''"));
    match logical {
        Logical::F64 => {
            let literal = match value {
                "NaN" => "'NaN'",
                "inf" => "'Infinity'",
                "-inf" => "'-Infinity'",
                // Without an exponent it is a decimal.
                number => return Some((pick("double", "double precision", "real"), format!("{number}e0"))),
            };
            (word == "postgres").then(|| ("double precision", literal.to_owned()))
        }
        Logical::I64 | Logical::U64 | Logical::Decimal { .. } if word == "sqlite" => {
            let whole = value.parse::<i64>().is_ok();
            let short = value.len() <= 10;
            (whole || short).then(|| (if whole { "bigint" } else { "decimal(9,2)" }, value.to_owned()))
        }
        Logical::I64 | Logical::U64 | Logical::Decimal { .. } => {
            Some((pick("decimal(38,10)", "numeric(38,10)", ""), value.to_owned()))
        }
        Logical::Bool => {
            let number = if value == "true" { "1" } else { "0" };
            let literal = if word == "postgres" { value } else { number };
            Some((pick("bit(1)", "boolean", "boolean"), literal.to_owned()))
        }
        // Its first year is 1000.
        Logical::Date => (word != "mysql" || value >= "1000").then_some(("date", quoted)),
        Logical::Timestamp { utc: false } => {
            Some((pick("datetime(6)", "timestamp without time zone", "datetime"), quoted))
        }
        Logical::Timestamp { utc: true } => {
            let clock = quoted.replace('Z', "");
            let mysql = format!("CONVERT_TZ({clock}, '+00:00', @@session.time_zone)");
            let literal = if word == "mysql" { mysql } else { quoted };
            (word != "sqlite").then(|| (pick("timestamp(6) null", "timestamp with time zone", ""), literal))
        }
        Logical::Time => (word != "sqlite").then(|| (pick("time(6)", "time without time zone", ""), quoted)),
        Logical::Bytes => {
            let literal = if word == "postgres" { format!("'\\x{value}'") } else { format!("X'{value}'") };
            Some((pick("longblob", "bytea", "blob"), literal))
        }
        _ => {
            assert_eq!(logical.family(), Family::Text, "{logical}");
            Some((pick("longtext", "text", "text"), quoted))
        }
    }
}

/// Pairs each value of a side's samples with the widest type of the other; `turned` where the side is the target.
fn with_widest(of: &str, other: &str, turned: bool) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for sample in samples_of(of) {
        let logical = logical(sample);
        let mut found = 0;
        for (literal, value) in sample.values {
            let Some((native, same)) = widest(other, &logical, value) else { continue };
            let (natives, literals) = match turned {
                false => ((sample.native, native), ((*literal).to_owned(), same)),
                true => ((native, sample.native), (same, (*literal).to_owned())),
            };
            found += 1;
            // The widest type may depend on the value.
            match pairs.last_mut().filter(|last| found > 1 && last.native == natives) {
                Some(last) => last.literals.push(literals),
                None => pairs.push(Pair { native: natives, literals: vec![literals] }),
            }
        }
        let lacks = other == "sqlite"
            && (matches!(logical.family(), Family::Time | Family::Number)
                || logical == Logical::TIMESTAMP_UTC);
        assert!(found > 0 || lacks, "{} of {of} is tried with nothing of {other}", sample.native);
        assert!(found == sample.values.len() || found == 0 || other != of, "{} of {of}", sample.native);
    }
    pairs
}

/// Every two samples of one family that have a value in common.
fn in_common(source: &str, target: &str) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for left in samples_of(source) {
        for right in samples_of(target) {
            let family = logical(left).family();
            if family != logical(right).family() {
                continue;
            }
            let same = |a: &str, b: &str| {
                let numbers = a.parse::<f64>().ok().zip(b.parse::<f64>().ok());
                let equal = numbers.is_some_and(|(a, b)| a.to_bits() == b.to_bits() && a.abs() < 1e15);
                a == b || family == Family::Number && equal
            };
            let literals: Vec<_> = left
                .values
                .iter()
                .flat_map(|(l, a)| {
                    right.values.iter().filter(|(_, b)| same(a, b)).map(move |(r, _)| (*l, *r))
                })
                .map(|(l, r)| (l.to_owned(), r.to_owned()))
                .collect();
            if !literals.is_empty() {
                pairs.push(Pair { native: (left.native, right.native), literals });
            }
        }
    }
    pairs
}

/// Makes one side of a table: a row of NULL, then each value in turn, the last again where a column has fewer.
fn create(
    database: &Database,
    name: &str,
    pairs: &[Pair],
    native: fn(&Pair) -> &str,
    literal: fn(&(String, String)) -> &str,
) {
    let columns: Vec<String> =
        pairs.iter().enumerate().map(|(at, pair)| format!("c{at} {}", native(pair))).collect();
    let mut sql = format!("CREATE TABLE {name} (id int, {});\n", columns.join(", "));
    sql.push_str(&format!("INSERT INTO {name} VALUES (0{});\n", ", NULL".repeat(pairs.len())));
    for row in 0..values(pairs) {
        let cells: Vec<&str> =
            pairs.iter().map(|pair| literal(&pair.literals[row.min(pair.literals.len() - 1)])).collect();
        sql.push_str(&format!("INSERT INTO {name} VALUES ({}, {});\n", row + 1, cells.join(", ")));
    }
    database.execute(&sql);
}

/// Returns how many rows have values.
fn values(pairs: &[Pair]) -> usize {
    pairs.iter().map(|pair| pair.literals.len()).max().unwrap_or(0)
}

/// Returns the connection of an end, as it stands in a project.
pub fn connection(database: &Database, by_odbc: bool) -> String {
    let quoted = |text: String| serde_json::to_string(&text).unwrap();
    match database {
        Database::Postgres(own) if !by_odbc => format!("{{ type: postgres, url: {} }}", quoted(own.url())),
        _ => format!("{{ type: odbc, connection_string: {} }}", quoted(database.connection_string())),
    }
}

#[test]
fn equal_values_of_different_databases_do_not_differ() {
    for (source, source_by_odbc) in ENDS {
        for (target, target_by_odbc) in ENDS {
            let (Some(old), Some(new)) = (Database::new(source), Database::new(target)) else { continue };
            let what = format!("{source} (ODBC: {source_by_odbc}) to {target} (ODBC: {target_by_odbc})");
            let mut pairs = with_widest(source, target, false);
            pairs.extend(with_widest(target, source, true));
            pairs.extend(in_common(source, target));
            let folder = Folder::new();
            folder.write(
                "counterfoil.yml",
                format!(
                    "version: 1\nproject: Pairs\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  \
                     old: {}\n  new: {}\ndatasets: rules/*.yml\n",
                    connection(&old, source_by_odbc),
                    connection(&new, target_by_odbc)
                ),
            );
            for (number, chunk) in pairs.chunks(COLUMNS).enumerate() {
                let name = format!("t{number}");
                create(&old, &name, chunk, |pair| pair.native.0, |literals| &literals.0);
                create(&new, &name, chunk, |pair| pair.native.1, |literals| &literals.1);
                folder.write(
                    &format!("rules/{name}.yml"),
                    format!(
                        "dataset: {name}\nkey: [id]\nsource: {{ connection: old, table: {name} }}\n\
                         target: {{ connection: new, table: {name} }}\n"
                    ),
                );
            }
            let ran = folder.run(&["run"]);
            let result = folder.result();
            let mut wrong = Vec::new();
            let mut compared = 0;
            for (number, chunk) in pairs.chunks(COLUMNS).enumerate() {
                let dataset = result.datasets.iter().find(|d| d.name == format!("t{number}")).unwrap();
                assert_eq!(dataset.error, None, "{what}");
                let rows = values(chunk) as u64 + 1;
                let buckets = dataset.buckets.unwrap();
                assert_eq!(buckets.matched + buckets.mismatched, rows, "{what}");
                for (at, pair) in chunk.iter().enumerate() {
                    let column = dataset.columns.iter().find(|c| c.name == format!("c{at}")).unwrap();
                    if (column.compared, column.mismatched) == (rows, 0) {
                        compared += column.compared;
                    } else {
                        wrong.push(format!("{:?}: {column:?} of {rows} rows", pair.native));
                    }
                }
            }
            assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
            assert_eq!(ran.code, Some(0), "{what}: {ran:?}");
            let planned: usize = pairs.chunks(COLUMNS).map(|chunk| chunk.len() * (values(chunk) + 1)).sum();
            assert_eq!(compared, planned as u64, "{what}");
        }
    }
}
