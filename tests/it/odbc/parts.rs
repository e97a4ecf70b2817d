//! Tables read in parts side by side: each row is there once.

use counterfoil::source::Stable;
use serde_json::json;

use super::{Database, Taken};

const ROWS: u32 = 250_000;

/// Asserts that a snapshot in several parts has exactly these rows.
fn assert_rows(taken: &Taken, mut expected: Vec<(Option<String>, Option<String>)>, word: &str) {
    assert!(taken.snapshot.manifest.files.len() > 1, "{word}: {} file", taken.snapshot.manifest.files.len());
    let mut found: Vec<_> = taken.texts("k").into_iter().zip(taken.texts("v")).collect();
    found.sort();
    expected.sort();
    assert!(found.len() == expected.len(), "{word}: {} rows, not {}", found.len(), expected.len());
    assert!(found == expected, "{word}: other rows");
}

/// Makes a table of ROWS rows, whose key and value are expressions of a number `n` from 0.
fn fill(database: &Database, word: &str, key_type: &str, key: &str, index: &str) {
    let value = if word == "postgres" { "'v' || n" } else { "CONCAT('v', n)" };
    database.execute(&format!("CREATE TABLE t (k {key_type}, v varchar(20))"));
    let last = ROWS - 1;
    match word {
        "mysql" => database.execute(&format!(
            "INSERT INTO t SELECT {key}, {value} FROM (SELECT seq AS n FROM seq_0_to_{last}) s; {index}; ANALYZE TABLE t;"
        )),
        _ => {
            database.execute(&format!("INSERT INTO t SELECT {key}, {value} FROM generate_series(0, {last}) n"));
            database.execute(&format!("{index}; ANALYZE t"));
        }
    }
}

fn expected(key: impl Fn(i64) -> Option<String>) -> Vec<(Option<String>, Option<String>)> {
    (0..i64::from(ROWS)).map(|n| (key(n), Some(format!("v{n}")))).collect()
}

fn at(n: i64, of: i64) -> usize {
    usize::try_from(n % of).expect("a place")
}

#[test]
fn numbers_with_gaps_noughts_and_nulls() {
    for word in ["mysql", "postgres"] {
        let Some(database) = Database::new(word) else { continue };
        // Every seventh has no key; the others are squares, half of them negative: dense at nought, with wide gaps.
        let key = "CASE WHEN n % 7 = 3 THEN NULL WHEN n % 2 = 0 THEN n * CAST(n AS decimal(20)) ELSE -n * CAST(n AS decimal(20)) END";
        fill(&database, word, "bigint", key, "CREATE INDEX i ON t (k)");
        let rows = expected(|n| match n {
            n if n % 7 == 3 => None,
            n if n % 2 == 0 => Some((n * n).to_string()),
            n => Some((-n * n).to_string()),
        });
        let taken = database.take("{ table: t }");
        assert_rows(&taken, rows.clone(), word);
        assert_eq!(taken.snapshot.manifest.server.as_ref().unwrap().stable, Stable::PerPart, "{word}");
        // By one connection all parts are of one moment.
        let one = database.take_with("{ table: t }", json!({"limits": {"connections": 1}}));
        assert_rows(&one, rows, word);
        assert_eq!(one.snapshot.manifest.server.as_ref().unwrap().stable, Stable::PerTable, "{word}");
        assert_eq!(one.snapshot.manifest.rows, taken.snapshot.manifest.rows);
    }
}

#[test]
fn texts_whose_collation_ignores_case_and_accents() {
    let Some(database) = Database::new("mysql") else { return };
    // Upper and lower case, accents, blanks behind, quotes and backslashes are neighbours or the same here.
    let key = r"CASE WHEN n % 11 = 5 THEN NULL ELSE CONCAT(ELT(1 + n % 6, 'a', 'A', 'ä', 'B', 'b\\''', 'Å'), n DIV 10, ELT(1 + n % 3, '', ' ', '%')) END";
    fill(&database, "mysql", "varchar(30) COLLATE utf8mb4_general_ci", key, "CREATE INDEX i ON t (k)");
    let rows = expected(|n| {
        let letter = ["a", "A", "ä", "B", "b\\'", "Å"][at(n, 6)];
        (n % 11 != 5).then(|| format!("{letter}{}{}", n / 10, ["", " ", "%"][at(n, 3)]))
    });
    assert_rows(&database.take("{ table: t }"), rows, "mysql");
}

#[test]
fn texts_of_postgres() {
    let Some(database) = Database::new("postgres") else { return };
    let key =
        r"CASE WHEN n % 11 = 5 THEN NULL ELSE (ARRAY['a','A','ä','B',E'b\\''','Å'])[1 + n % 6] || n / 10 END";
    fill(&database, "postgres", "varchar(30)", key, "CREATE INDEX i ON t (k)");
    let rows = expected(|n| {
        let letter = ["a", "A", "ä", "B", "b\\'", "Å"][at(n, 6)];
        (n % 11 != 5).then(|| format!("{letter}{}", n / 10))
    });
    assert_rows(&database.take("{ table: t }"), rows, "postgres");
}

#[test]
fn a_condition_holds_for_all_parts() {
    let Some(database) = Database::new("mysql") else { return };
    fill(&database, "mysql", "int", "n", "ALTER TABLE t ADD PRIMARY KEY (k)");
    let taken = database.take("{ table: t, where: \"k % 5 = 0 or v = 'v1'\" }");
    let rows = expected(|n| Some(n.to_string()));
    let rows =
        rows.into_iter().enumerate().filter(|(n, _)| n % 5 == 0 || *n == 1).map(|(_, row)| row).collect();
    assert_rows(&taken, rows, "mysql");
}

#[test]
fn sqlite_in_parts() {
    let Some(database) = Database::new("sqlite") else { return };
    database.execute(&format!(
        "CREATE TABLE t (k integer primary key, v text);\n\
         WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {}) \
         INSERT INTO t SELECT n * 3 - 1000, 'v' || n FROM s",
        ROWS - 1
    ));
    let taken = database.take("{ table: t }");
    assert_rows(&taken, expected(|n| Some((n * 3 - 1000).to_string())), "sqlite");
}

#[test]
fn a_value_of_another_kind_in_a_late_part_begins_the_table_anew() {
    let Some(database) = Database::new("mysql") else { return };
    let last = ROWS - 1;
    database.execute(&format!(
        "SET sql_mode = ''; CREATE TABLE t (k int primary key, d date); \
         INSERT INTO t SELECT seq, IF(seq = {last}, '0000-00-00', '2026-01-02') FROM seq_0_to_{last}; ANALYZE TABLE t;"
    ));
    let taken = database.take("{ table: t }");
    let mut expected = vec![Some("2026-01-02".to_owned()); usize::try_from(ROWS).expect("a size")];
    *expected.last_mut().expect("a row") = Some("0000-00-00".to_owned());
    assert!(taken.texts("d") == expected, "other rows");
    assert!(taken.snapshot.manifest.files.len() > 1, "{:?}", taken.snapshot.manifest.files);
    assert!(taken.notes("d").contains("noughts"), "{}", taken.notes("d"));
}
