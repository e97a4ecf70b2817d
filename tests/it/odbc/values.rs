//! What drivers are known to corrupt, long values, columns left out, queries.

use serde_json::json;

use super::Database;
use crate::support::{column, read_parquet};

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn a_double_is_not_read_with_32_bits() {
    let Some(database) = Database::new("postgres") else { return };
    database.execute("CREATE TABLE t (v float8); INSERT INTO t VALUES (66384.333), (0.1), (1e308)");
    let taken = database.take("{ table: t }");
    let expected = format!("{}", 1e308);
    assert_eq!(taken.texts("v"), some(&["66384.333", "0.1", &expected]));
}

#[test]
fn a_bit_is_not_null() {
    let Some(database) = Database::new("mysql") else { return };
    database.execute("CREATE TABLE t (v bit(1)); INSERT INTO t VALUES (b'1'), (b'0'), (NULL)");
    let taken = database.take("{ table: t }");
    assert_eq!(taken.texts("v"), [Some("true".to_owned()), Some("false".to_owned()), None]);
}

#[test]
fn an_unsigned_number_does_not_wrap() {
    let Some(database) = Database::new("mysql") else { return };
    database.execute("CREATE TABLE t (v bigint unsigned); INSERT INTO t VALUES (18446744073709551615)");
    for side in ["{ table: t }", "{ query: SELECT v FROM t }"] {
        assert_eq!(database.take(side).texts("v"), some(&["18446744073709551615"]), "{side}");
    }
}

#[test]
fn a_large_integer_does_not_wrap() {
    let Some(database) = Database::new("sqlite") else { return };
    database.execute("CREATE TABLE t (v integer);\nINSERT INTO t VALUES (5000000000)");
    for side in ["{ table: t }", "{ query: SELECT v FROM t }"] {
        assert_eq!(database.take(side).texts("v"), some(&["5000000000"]), "{side}");
    }
}

#[test]
fn fractions_are_not_lost() {
    for (word, kind) in [("sqlite", "timestamp"), ("mysql", "datetime(6)"), ("postgres", "timestamp")] {
        let Some(database) = Database::new(word) else { continue };
        database.execute(&format!(
            "CREATE TABLE t (v {kind});\nINSERT INTO t VALUES ('2026-03-29 01:30:00.123456')"
        ));
        let taken = database.take("{ table: t }");
        assert_eq!(taken.texts("v"), some(&["2026-03-29 01:30:00.123456"]), "{word}");
        assert_eq!(taken.logical("v"), "timestamp");
    }
}

#[test]
fn a_zone_is_not_lost() {
    for (word, kind) in [("mysql", "timestamp(6) NULL"), ("postgres", "timestamptz")] {
        let Some(database) = Database::new(word) else { continue };
        // Both servers run in the zone of Tokyo.
        let zone = if word == "mysql" { "SET time_zone = '+00:00';" } else { "SET TIME ZONE 'UTC';" };
        database.execute(&format!(
            "{zone} CREATE TABLE t (v {kind}); INSERT INTO t VALUES ('2026-07-01 11:00:00.5')"
        ));
        let taken = database.take("{ table: t }");
        assert_eq!(
            (taken.texts("v"), taken.logical("v")),
            (some(&["2026-07-01 11:00:00.5Z"]), "timestamptz".to_owned())
        );
    }
}

#[test]
fn bytes_do_not_break_the_driver() {
    let Some(database) = Database::new("sqlite") else { return };
    database.execute(&format!(
        "CREATE TABLE t (v blob);\nINSERT INTO t VALUES (x'{}'), (x''), (NULL)",
        "00ff".repeat(5_000)
    ));
    let taken = database.take("{ table: t }");
    assert_eq!(taken.texts("v"), [Some("00ff".repeat(5_000)), Some(String::new()), None]);
}

#[test]
fn times_that_are_none_of_a_day_come_as_text_with_a_note() {
    let Some(database) = Database::new("mysql") else { return };
    database.execute("CREATE TABLE t (v time(3)); INSERT INTO t VALUES ('-12:34:56.789'), ('01:00:00')");
    let taken = database.take("{ table: t }");
    assert_eq!(taken.texts("v"), some(&["-12:34:56.789", "01:00:00.000"]));
    assert!(taken.notes("v").contains("negative"), "{}", taken.notes("v"));
}

#[test]
fn dates_of_noughts_come_as_text_with_a_note() {
    let Some(database) = Database::new("mysql") else { return };
    database.execute(
        "CREATE TABLE t (v date, w datetime); INSERT INTO t VALUES ('0000-00-00', '2026-01-00 00:00:00')",
    );
    let taken = database.take("{ table: t }");
    assert_eq!((taken.texts("v"), taken.texts("w")), (some(&["0000-00-00"]), some(&["2026-01-00 00:00:00"])));
    assert!(taken.notes("v").contains("noughts") && taken.notes("w").contains("noughts"));
}

#[test]
fn moments_outside_the_calendar_come_as_text_with_a_note() {
    let Some(database) = Database::new("postgres") else { return };
    database.execute(
        "CREATE TABLE t (a date, b timestamptz, c timestamp, d numeric(5,2), e time);
         INSERT INTO t VALUES ('infinity', '-infinity', '0044-03-15 BC', 'NaN', '24:00')",
    );
    let taken = database.take("{ table: t }");
    for (column, text) in [
        ("a", "infinity"),
        ("b", "-infinity"),
        ("c", "0044-03-15 00:00:00 BC"),
        ("d", "NaN"),
        ("e", "24:00:00"),
    ] {
        assert_eq!(taken.texts(column), some(&[text]));
        assert!(taken.notes(column).contains("text"), "{column}");
    }
}

#[test]
fn padding_is_kept_and_known() {
    let Some(database) = Database::new("postgres") else { return };
    database.execute("CREATE TABLE t (v char(6)); INSERT INTO t VALUES ('ab')");
    let taken = database.take("{ table: t }");
    assert_eq!((taken.texts("v"), taken.logical("v").as_str()), (some(&["ab"]), "char(6)"));
    let file = taken.snapshot.path.join(&taken.snapshot.manifest.files[0].name);
    assert_eq!(column(&read_parquet(&file), "v"), some(&["ab    "]));
    assert_eq!(taken.snapshot.manifest.columns[0].padded, Some(1));
}

#[test]
fn long_values_come_whole() {
    for (word, text, bytes) in
        [("mysql", "longtext", "longblob"), ("postgres", "text", "bytea"), ("sqlite", "text", "blob")]
    {
        let Some(database) = Database::new(word) else { continue };
        database.execute(&format!("CREATE TABLE t (id int, v {text}, w {bytes})"));
        let values = match word {
            "mysql" => "REPEAT('é€😀x', 300000), REPEAT(X'00FF10', 400000)",
            "postgres" => "repeat('é€😀x', 300000), decode(repeat('00ff10', 400000), 'hex')",
            _ => {
                "replace(printf('%.300000c', 'q'), 'q', 'é€😀x'), CAST(replace(printf('%.400000c', 'q'), 'q', 'abc') AS BLOB)"
            }
        };
        database.execute(&format!("INSERT INTO t VALUES (1, {values})"));
        database.execute("INSERT INTO t VALUES (2, 'short', NULL)");
        let taken = database.take("{ table: t }");
        let long = "é€😀x".repeat(300_000);
        let repeated = if word == "sqlite" { "616263" } else { "00ff10" };
        assert!(taken.texts("v") == some(&[&long, "short"]), "{word}");
        assert!(taken.texts("w") == [Some(repeated.repeat(400_000)), None], "{word}");
    }
}

#[test]
fn very_long_values_come_piece_by_piece() {
    for (word, text) in [("mysql", "longtext"), ("postgres", "text")] {
        let Some(database) = Database::new(word) else { continue };
        database.execute(&format!(
            "CREATE TABLE t (id int, n decimal(9,2), d date, v {text}, f double precision);
             INSERT INTO t VALUES (1, 1.5, '2026-01-02', REPEAT('é', 9000000), 0.1), (NULL, NULL, NULL, NULL, NULL)"
        ));
        let taken = database.take("{ table: t }");
        assert!(taken.texts("v") == [Some("é".repeat(9_000_000)), None], "{word}");
        for (column, value) in [("id", "1"), ("n", "1.50"), ("d", "2026-01-02"), ("f", "0.1")] {
            assert_eq!(taken.texts(column), [Some(value.to_owned()), None], "{word}");
        }
    }
}

#[test]
fn columns_conditions_and_names_are_chosen() {
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        database.execute(
            "CREATE TABLE tenants (tag varchar(20), name varchar(40), secret varchar(9));\n\
             INSERT INTO tenants VALUES ('a/1', 'Zoë', 'x'), ('a/2', 'Łukasz', 'y'), ('b/1', NULL, 'z')",
        );
        let taken = database
            .take("{ table: tenants, where: \"tag like 'a/%' or name = 'é'\", columns: { tag: tag_ref }, omit: [secret] }");
        assert_eq!(taken.texts("tag_ref"), some(&["a/1", "a/2"]), "{word}");
        assert_eq!(taken.texts("name"), some(&["Zoë", "Łukasz"]), "{word}");
        assert!(taken.frame.column("secret").is_none());
        let manifest = &taken.snapshot.manifest;
        assert_eq!(manifest.columns[0].source_name, "tag");
        assert!(!manifest.columns[0].inferred);
        let server = manifest.server.as_ref().expect("facts of the server");
        assert!(
            server.seen_at.as_deref().is_some_and(|at| at.starts_with("20") && at.ends_with('Z')),
            "{server:?}"
        );
        assert_eq!(server.stable, counterfoil::source::Stable::PerTable);
        assert!(server.version.chars().any(|c| c.is_ascii_digit()), "{server:?}");
    }
}

#[test]
fn a_query_has_the_types_that_the_driver_describes() {
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        database.execute(
            "CREATE TABLE t (id int, d date, v varchar(400));\n\
             INSERT INTO t VALUES (1, '2026-01-02', 'Łódź'), (NULL, NULL, NULL)",
        );
        let taken = database.take(
            "{ query: \"SELECT id, d, v AS \\\"long name\\\" FROM t WHERE v <> 'é' OR v IS NULL\" }"
                .replace(
                    "\\\"long name\\\"",
                    if word == "mysql" { "`long name`" } else { "\\\"long name\\\"" },
                )
                .as_str(),
        );
        assert_eq!(taken.texts("id"), [Some("1".to_owned()), None], "{word}");
        assert_eq!(taken.texts("d"), [Some("2026-01-02".to_owned()), None], "{word}");
        assert_eq!(taken.texts("long name"), [Some("Łódź".to_owned()), None], "{word}");
        assert_eq!((taken.logical("id").as_str(), taken.logical("d").as_str()), ("i64", "date"), "{word}");
    }
}

#[test]
fn an_empty_table_is_a_snapshot_without_rows() {
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int, v varchar(1000))");
        let taken = database.take("{ table: t }");
        assert_eq!((taken.snapshot.manifest.rows, taken.logical("id").as_str()), (0, "i64"), "{word}");
    }
}

#[test]
fn text_in_windows_1252_comes_out_right() {
    let Some(database) = Database::new("mysql") else { return };
    // What MariaDB calls latin1 is windows-1252.
    database.execute(
        "CREATE TABLE t (v varchar(300) CHARACTER SET latin1, w char(9) CHARACTER SET latin1);
         INSERT INTO t VALUES ('“£5” – € café', 'ÿ€')",
    );
    let taken = database.take("{ table: t }");
    assert_eq!((taken.texts("v"), taken.texts("w")), (some(&["“£5” – € café"]), some(&["ÿ€"])));
}

#[test]
fn text_with_a_nul_is_not_cut() {
    let Some(database) = Database::new("sqlite") else { return };
    database.execute(
        "CREATE TABLE t (v text, w text, d date);\n\
         INSERT INTO t VALUES ('ab' || char(0) || 'cd', 'whole', '2026-01-02');\nINSERT INTO t VALUES ('ef', NULL, NULL)",
    );
    let taken = database.take("{ table: t }");
    assert_eq!(taken.texts("v"), some(&["6162006364", "ef"]));
    assert!(taken.notes("v").contains("NUL"), "{}", taken.notes("v"));
    assert_eq!((taken.logical("w").as_str(), taken.logical("d").as_str()), ("text", "date"));
}

#[test]
fn remarks_at_the_end_of_what_a_user_writes_do_no_harm() {
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int, v varchar(900));\nINSERT INTO t VALUES (1, 'a'), (2, 'b')");
        for side in [
            "{ query: 'SELECT id, v FROM t WHERE id = 2 -- the second' }",
            "{ table: t, where: 'id = 2 -- the second' }",
        ] {
            assert_eq!(database.take(side).texts("v"), some(&["b"]), "{word}: {side}");
        }
    }
}

#[test]
fn the_driver_is_no_way_to_write() {
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        database.execute("CREATE TABLE t (id int)");
        let query = if word == "postgres" {
            "WITH x AS (INSERT INTO t VALUES (1) RETURNING id) SELECT id FROM x"
        } else {
            "INSERT INTO t VALUES (1)"
        };
        assert!(database.try_take(&format!("{{ query: {query} }}"), json!({})).is_err(), "{word}");
        assert_eq!(database.take("{ table: t }").snapshot.manifest.rows, 0, "{word}");
    }
}

#[test]
fn no_letter_makes_a_text_shorter() {
    // MariaDB's driver counts some of them as half a pair of UTF-16.
    let letters: Vec<char> = ('\u{a1}'..='\u{24f}').chain('\u{4ec0}'..='\u{4eff}').chain(['😀']).collect();
    for word in Database::WORDS {
        let Some(database) = Database::new(word) else { continue };
        let quote = if word == "mysql" { '`' } else { '"' };
        let name = format!("{quote}Último Øre{quote}");
        database.execute(&format!("CREATE TABLE t (id int, {name} varchar(60), v varchar(2000))"));
        let values: Vec<String> =
            letters.iter().map(|letter| format!("{letter}ltimo {letter}{letter} Pau-De-Arara")).collect();
        for (id, value) in values.iter().enumerate() {
            database.execute(&format!("INSERT INTO t VALUES ({id}, '{value}', '{value}')"));
        }
        let expected: Vec<Option<String>> = values.into_iter().map(Some).collect();
        let taken = database.take("{ table: t }");
        for column in ["Último Øre", "v"] {
            assert_eq!(taken.texts(column), expected, "{word}: {column}");
        }
        let side = format!("{{ table: t, where: {} }}", serde_json::json!(format!("{name} LIKE '付%Arara'")));
        assert_eq!(database.take(&side).texts("v"), some(&["付ltimo 付付 Pau-De-Arara"]), "{word}");
    }
}
