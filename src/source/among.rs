//! Conditions that name rows by their keys, in the database's own SQL.

use crate::model::{Field, Logical};

use super::dialect::{Dialect, Native, by_server};

/// The most digits of a number that every database takes.
const MOST_DIGITS: usize = 38;

/// Returns a condition that holds for the rows with one of these keys, and perhaps for others: a database may call keys equal
/// that differ in case or in blanks at their end.
///
/// `server` is the server's name as its snapshots have it, `columns` are the key's, and each key is the texts of its parts.
/// A part that is no number is not in a column of numbers. Nothing is returned where a database or a type is not known so
/// well that a value can be written safely and means the same.
pub fn among(server: &str, columns: &[&Field], keys: &[Vec<&str>]) -> Option<String> {
    let dialect = by_server(server);
    // A server that is not known may give letters within quotes a meaning of their own.
    if dialect.servers().is_empty() || columns.is_empty() {
        return None;
    }
    let names: Vec<String> = columns.iter().map(|field| dialect.quote(&field.source_name)).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for key in keys.iter().filter(|key| key.len() == columns.len()) {
        let parts: Option<Vec<Part>> =
            columns.iter().zip(key).map(|(field, text)| part(dialect, field, text)).collect();
        let literals: Option<Vec<String>> = parts?.into_iter().map(|part| part.0).collect();
        rows.extend(literals);
    }
    Some(match names.as_slice() {
        _ if rows.is_empty() => "1 = 0".to_owned(),
        [name] => {
            let all: Vec<&str> = rows.iter().flatten().map(String::as_str).collect();
            format!("{name} IN ({})", all.join(", "))
        }
        names => {
            let row = |row: &Vec<String>| {
                let parts: Vec<String> =
                    names.iter().zip(row).map(|(name, literal)| format!("{name} = {literal}")).collect();
                format!("({})", parts.join(" AND "))
            };
            rows.iter().map(row).collect::<Vec<_>>().join(" OR ")
        }
    })
}

/// A value as a literal; nothing within where no row can have it.
struct Part(Option<String>);

/// Writes a part of a key; nothing where that cannot be done safely.
fn part(dialect: &dyn Dialect, field: &Field, text: &str) -> Option<Part> {
    match field.logical {
        Logical::I64 | Logical::U64 | Logical::Decimal { .. } => {
            Some(Part(is_number(text).then(|| text.to_owned())))
        }
        Logical::Text { .. } | Logical::Uuid if !text.contains('\0') => {
            let base = field.source_type.split('(').next().unwrap_or_default().trim().to_lowercase();
            let native = Native {
                name: field.source_name.clone(),
                base,
                declared: field.source_type.clone(),
                ..Native::default()
            };
            Some(Part(Some(dialect.literal(text, &native))))
        }
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole) && is_digits(fraction) && whole.len() + fraction.len() <= MOST_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, logical: &str, declared: &str) -> Field {
        Field { source_type: declared.to_owned(), ..Field::new(name, logical.parse().unwrap()) }
    }

    #[test]
    fn each_database_has_its_names_and_literals() {
        let id = field("id", "text", "varchar(12)");
        let wide = field("id", "text", "nvarchar(12)");
        let keys = [vec!["it's"], vec!["a\\b"]];
        let of = |server: &str, field: &Field| among(server, &[field], &keys).unwrap();
        assert_eq!(of("PostgreSQL 16.2", &id), "\"id\" IN (E'it''s', E'a\\\\b')");
        assert_eq!(of("Microsoft SQL Server 16.0", &id), "[id] IN ('it''s', 'a\\b')");
        assert_eq!(of("Microsoft SQL Server 16.0", &wide), "[id] IN (N'it''s', N'a\\b')");
        assert_eq!(of("MariaDB 11.4", &id), "`id` IN (_utf8mb4 X'69742773', _utf8mb4 X'615C62')");
        assert_eq!(of("SQLite 3.45", &id), "\"id\" IN ('it''s', 'a\\b')");
        assert_eq!(among("Something else 1.0", &[&id], &keys), None);
    }

    #[test]
    fn what_is_no_number_is_in_no_column_of_numbers() {
        let number = field("n", "i64", "bigint");
        let text = field("t", "text", "text");
        let of = |columns: &[&Field], keys: &[Vec<&str>]| among("PostgreSQL 16", columns, keys);
        let keys = [vec!["7"], vec!["1 OR 1=1"], vec!["-0.5"], vec!["1e5"], vec![""], vec!["."]];
        assert_eq!(of(&[&number], &keys).as_deref(), Some("\"n\" IN (7, -0.5)"));
        assert_eq!(of(&[&number], &[vec!["x"]]).as_deref(), Some("1 = 0"));
        assert_eq!(
            of(&[&number, &text], &[vec!["7", "a"], vec!["8", "b"]]).as_deref(),
            Some("(\"n\" = 7 AND \"t\" = E'a') OR (\"n\" = 8 AND \"t\" = E'b')")
        );
        assert_eq!(of(&[&field("d", "date", "date")], &[vec!["2020-01-01"]]), None);
        assert_eq!(of(&[&text], &[vec!["a\0"]]), None);
    }
}
