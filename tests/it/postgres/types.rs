//! Every type, with its edges, and what cannot be held by ours.

use counterfoil::model::Logical;

use super::{Reader, logical, only, rows, some};
use crate::servers::postgres::database;

/// Reads values of a type and asserts what comes of them.
fn assert_type(kind: &str, values: &[&str], logical: &str, expected: &[&str]) {
    let Some(database) = database() else { return };
    let values: Vec<String> = values.iter().map(|value| format!("({value}::{kind})")).collect();
    database
        .execute(&format!("CREATE TABLE t (v {kind}); INSERT INTO t VALUES {}, (NULL)", values.join(", ")));
    let snapshot = Reader::of(&database).table("t");
    let column = &snapshot.manifest.columns[0];
    assert_eq!(column.logical.to_string(), logical, "{kind}");
    assert_eq!(column.source_type, database.value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum = 1"));
    assert!(!column.inferred);
    let mut found = only(&snapshot);
    assert_eq!(found.pop(), Some(None), "{kind}");
    assert_eq!(column.nulls, Some(1));
    assert_eq!(found, some(expected), "{kind}");
}

#[test]
fn numbers() {
    assert_type("bool", &["true", "false"], "bool", &["true", "false"]);
    assert_type("int2", &["'-32768'", "32767"], "i64", &["-32768", "32767"]);
    assert_type("int4", &["'-2147483648'", "2147483647"], "i64", &["-2147483648", "2147483647"]);
    let int8 = ["-9223372036854775808", "9223372036854775807"];
    assert_type("int8", &["'-9223372036854775808'", "9223372036854775807"], "i64", &int8);
    assert_type("oid", &["4294967295"], "i64", &["4294967295"]);
    // Exactly the value that it has, which has more digits than the server shows.
    let float4 = ["0.10000000149011612", "NaN", "inf", "-inf"];
    assert_type("float4", &["0.1", "'NaN'", "'Infinity'", "'-Infinity'"], "f64", &float4);
    let float8 = ["0.1", "1.7976931348623157e308", "5e-324", "-0.0"];
    assert_type("float8", &["0.1", "1.7976931348623157e308", "5e-324", "'-0'"], "f64", &float8);
}

#[test]
fn decimals() {
    assert_type(
        "numeric(12,2)",
        &["1.5", "'-9999999999.99'", "0"],
        "decimal(12,2)",
        &["1.50", "-9999999999.99", "0.00"],
    );
    let most = "9".repeat(38);
    assert_type(
        "numeric(38,0)",
        &[&most, &format!("'-{most}'")],
        "decimal(38,0)",
        &[&most, &format!("-{most}")],
    );
    let small = format!("0.{}1", "0".repeat(37));
    assert_type("numeric(38,38)", &[&small], "decimal(38,38)", &[&small]);
    assert_type("numeric(2,-3)", &["12345"], "decimal(5,0)", &["12000"]);
    assert_type("numeric(3,5)", &["0.00123"], "decimal(5,5)", &["0.00123"]);
    // What no decimal of ours can hold is text, digit for digit.
    assert_type(
        "numeric",
        &["1.500", "1e-20", "'NaN'"],
        "numeric",
        &["1.500", "0.00000000000000000001", "NaN"],
    );
    let more = "9".repeat(39);
    assert_type("numeric(39,0)", &[&more], "numeric(39,0)", &[&more]);
}

#[test]
fn texts() {
    assert_type("text", &["''", "'£ ü 漢 🦀'", "E'two\\nlines'"], "text", &["", "£ ü 漢 🦀", "two\nlines"]);
    assert_type("varchar(5)", &["'ab  '"], "varchar(5)", &["ab  "]);
    assert_type("varchar", &["'ab'"], "text", &["ab"]);
    // The padding stays in the file, and is known as padding.
    assert_type("char(5)", &["'ab'", "''"], "char(5)", &["ab   ", "     "]);
    assert_type("bpchar", &["'ab '"], "text", &["ab "]);
    assert_type("name", &["'ab'"], "text", &["ab"]);
    assert_type("\"char\"", &["'a'"], "varchar(1)", &["a"]);
    assert_type("json", &["'{\"b\":1,  \"a\": 1, \"a\":2}'"], "json", &["{\"b\":1,  \"a\": 1, \"a\":2}"]);
    assert_type("jsonb", &["'{\"b\":1,  \"a\": 2}'"], "json", &["{\"a\": 2, \"b\": 1}"]);
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    assert_type("uuid", &["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"], "uuid", &[uuid]);
    assert_type("bytea", &["'\\x00ff'", "''"], "bytes", &["00ff", ""]);
}

#[test]
fn moments() {
    assert_type(
        "date",
        &["'0001-01-01'", "'9999-12-31'", "'1900-01-01'", "'0044-03-15 BC'"],
        "date",
        &["0001-01-01", "9999-12-31", "1900-01-01", "-0043-03-15"],
    );
    assert_type(
        "timestamp",
        &["'2026-03-29 01:30:00.000001'", "'1753-01-01'"],
        "timestamp",
        &["2026-03-29T01:30:00.000001", "1753-01-01T00:00:00"],
    );
    assert_type("timestamp(0)", &["'2026-03-29 01:30:00.6'"], "timestamp", &["2026-03-29T01:30:01"]);
    assert_type(
        "timestamptz",
        &["'2026-03-29 01:30:00+00'", "'2026-10-25 01:30:00 Europe/London'"],
        "timestamptz",
        &["2026-03-29T01:30:00Z", "2026-10-25T01:30:00Z"],
    );
    assert_type("time", &["'00:00'", "'23:59:59.999999'"], "time", &["00:00:00", "23:59:59.999999"]);
}

#[test]
fn what_has_no_type_of_its_own_is_text() {
    let other = |kind: &str, values: &[&str], expected: &[&str]| assert_type(kind, values, kind, expected);
    other("interval", &["'1 year 2 mons -3 days 04:05:06.7'"], &["1 year 2 mons -3 days +04:05:06.7"]);
    other("time with time zone", &["'12:00+02'"], &["12:00:00+02"]);
    other("inet", &["'10.0.0.1/24'", "'::1'"], &["10.0.0.1/24", "::1"]);
    other("cidr", &["'10.0.0.0/8'"], &["10.0.0.0/8"]);
    other("macaddr", &["'08:00:2B:01:02:03'"], &["08:00:2b:01:02:03"]);
    other("money", &["12.5"], &["$12.50"]);
    other("bit(3)", &["B'101'"], &["101"]);
    other("bit varying(5)", &["B'10'"], &["10"]);
    other("xml", &["'<a>1</a>'"], &["<a>1</a>"]);
    other("integer[]", &["'{1,NULL,3}'", "'{}'"], &["{1,NULL,3}", "{}"]);
    other("text[]", &["ARRAY['a b', 'c\"d']"], &["{\"a b\",\"c\\\"d\"}"]);
    other("int4range", &["'[1,5)'"], &["[1,5)"]);
    other("point", &["'(1,2)'"], &["(1,2)"]);
    other("tsvector", &["'a b'"], &["'a' 'b'"]);
    other("regclass", &["'pg_class'"], &["pg_class"]);
}

#[test]
fn what_users_declare_themselves() {
    let Some(database) = database() else { return };
    database.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'so so');
         CREATE TYPE pair AS (a int, b text);
         CREATE DOMAIN post_code AS varchar(8) CHECK (value <> '');
         CREATE DOMAIN price AS numeric(8,2);
         CREATE DOMAIN flat AS price;
         CREATE TABLE t (m mood, p pair, c post_code, r flat, ps pair[]);
         INSERT INTO t VALUES ('so so', (1, 'x,y'), 'SW1A 1AA', 12.5, ARRAY[(1, 'z')::pair])",
    );
    let snapshot = Reader::of(&database).table("t");
    assert_eq!(rows(&snapshot), [some(&["so so", "(1,\"x,y\")", "SW1A 1AA", "12.50", "{\"(1,z)\"}"])]);
    let types = logical(&snapshot);
    assert_eq!((types["c"].as_str(), types["r"].as_str()), ("varchar(8)", "decimal(8,2)"));
    let column = |name: &str| snapshot.manifest.columns.iter().find(|c| c.name == name).unwrap();
    assert_eq!(column("m").logical, Logical::Other("mood".to_owned()));
    assert!(column("m").notes[0].contains("`mood` was read as the text that the server makes of it"));
    assert_eq!((column("r").source_type.as_str(), column("r").notes.len()), ("flat", 0));
}

#[test]
fn a_column_with_a_value_beyond_ours_comes_as_text_and_says_so() {
    let Some(database) = database() else { return };
    for (kind, values, expected, says) in [
        ("numeric(8,2)", "(1.5), ('NaN')", &["1.50", "NaN"][..], "NaN"),
        (
            "date",
            "('2026-01-31'), ('infinity'), ('-infinity')",
            &["2026-01-31", "infinity", "-infinity"],
            "infinity",
        ),
        ("date", "('5874897-12-31')", &["5874897-12-31"], "further away"),
        (
            "timestamp",
            "('2026-01-31 10:00:00.5'), ('infinity')",
            &["2026-01-31 10:00:00.5", "infinity"],
            "infinity",
        ),
        ("timestamp", "('294276-12-31 23:59:59')", &["294276-12-31 23:59:59"], "further away"),
        (
            "timestamptz",
            "('2026-01-31 10:00:00+02'), ('-infinity')",
            &["2026-01-31 08:00:00+00", "-infinity"],
            "infinity",
        ),
        ("time", "('12:00'), ('24:00:00')", &["12:00:00", "24:00:00"], "24:00:00"),
    ] {
        database.execute(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (v {kind}, n int); INSERT INTO t (v) VALUES {values}"
        ));
        let snapshot = Reader::of(&database).table("t");
        let column = &snapshot.manifest.columns[0];
        assert_eq!(only(&snapshot), some(expected), "{kind}");
        assert!(matches!(column.logical, Logical::Other(_)), "{kind}");
        assert!(column.notes[0].contains(says), "{:?}", column.notes);
        assert_eq!(snapshot.manifest.columns[1].logical, Logical::I64);
    }
}

#[test]
fn several_columns_may_have_to_come_as_text() {
    let Some(database) = database() else { return };
    database.execute("CREATE TABLE t (a numeric(4,1), b date, c int)");
    database.execute("INSERT INTO t SELECT 1, '2026-01-01', i FROM generate_series(1, 40000) i");
    database.execute("INSERT INTO t VALUES ('NaN', '2026-01-01', 0), (1, 'infinity', 0)");
    let snapshot = Reader::of(&database).table("t");
    assert_eq!(snapshot.manifest.rows, 40_002);
    let types = logical(&snapshot);
    assert_eq!(
        (types["a"].as_str(), types["b"].as_str(), types["c"].as_str()),
        ("numeric(4,1)", "date", "i64")
    );
    assert_eq!(snapshot.manifest.files.len(), 1);
}

#[test]
fn a_whole_run_reconciles_types_with_themselves() {
    let Some(database) = database() else { return };
    database.execute(
        "CREATE TABLE t (id int, c char(6), n numeric(9,2), nan numeric(9,2), d date, far date, ts timestamp, tz timestamptz,
         tm time, u uuid, b bytea, j jsonb, i interval, f real, a int[]);
         INSERT INTO t VALUES
         (1, 'ab', 1.5, 'NaN', '2026-01-31', 'infinity', '2026-03-29 01:30', '2026-03-29 01:30+00', '12:00',
          'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00', '{}', '1 day', 0.1, '{1}'),
         (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    let folder = crate::support::Folder::new();
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  db: {{ type: postgres, url: \"{}\" }}\ndatasets: rules/*.yml\n",
            database.url()
        ),
    );
    folder.write(
        "rules/t.yml",
        "dataset: t\nkey: [id]\nsource: { connection: db, table: t }\ntarget: { connection: db, table: t }\n",
    );
    let ran = folder.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let dataset = &folder.result().datasets[0];
    let columns: Vec<(&str, u64)> = dataset.columns.iter().map(|c| (c.name.as_str(), c.mismatched)).collect();
    assert!(columns.len() >= 14 && columns.iter().all(|(_, count)| *count == 0), "{columns:?}");
}
