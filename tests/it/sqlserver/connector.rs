//! Counterfoil reads a SQL Server through the FreeTDS driver: what comes out, and what it asks for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow::array::Float64Array;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value as Json;

use super::database::{Database, UserTable, divide_by_zero};
use super::samples::{Sample, samples};
use crate::servers::tds::{
    Answer, Ending, Event, Request, Responder, Row, ServerError, Type, column, freetds, row,
};
use crate::support::{Folder, Ran, golden, program, read_parquet};

/// A project whose only dataset is a table of the responder, or a query.
fn project(server: &Responder, version: &str, side: &str, limits: &str) -> Option<Folder> {
    let folder = Folder::new();
    let string = freetds::connection_string(server.port, version)?;
    folder.write(
        "counterfoil.yml",
        format!(
            "version: 1\nproject: Test\nfingerprint_key: test\nas_of: 2026-01-31\nconnections:\n  uh:\n    type: odbc\n    \
             connection_string: '{string}'\n    dialect: sqlserver\n    limits: {{ {limits} }}\ndatasets: rules/*.yml\n"
        ),
    );
    folder.write("rules/t.yml", format!("dataset: t\nkey: [id]\nsource: {{ connection: uh, {side} }}\n"));
    Some(folder)
}

/// The snapshot in a folder: its manifest, and its rows in the order of its files.
struct Snapshot {
    manifest: Json,
    names: Vec<String>,
    rows: Vec<Row>,
}

fn snapshot(folder: &Folder) -> Snapshot {
    let found = snapshots(folder);
    let [path] = &found[..] else { panic!("one snapshot, not {found:?}") };
    let manifest: Json = serde_json::from_slice(&std::fs::read(path.join("manifest.json")).unwrap()).unwrap();
    let mut names = Vec::new();
    let mut rows = Vec::new();
    for file in manifest["files"].as_array().unwrap() {
        let (columns, more) = read_parquet(&path.join(file["name"].as_str().unwrap()));
        names = columns;
        rows.extend(more);
    }
    Snapshot { manifest, names, rows }
}

/// The folders of finished snapshots.
fn snapshots(folder: &Folder) -> Vec<PathBuf> {
    let side = folder.path().join("counterfoil-out/snapshots/t/source");
    let Ok(entries) = std::fs::read_dir(side) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| is_finished(path)).collect()
}

fn is_finished(path: &Path) -> bool {
    path.join("manifest.json").exists() && !path.to_string_lossy().ends_with(".part")
}

fn taken(folder: &Folder) -> Ran {
    let ran = folder.run(&["snapshot"]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!said.contains(freetds::PASSWORD), "the password is shown: {said}");
    ran
}

/// The samples that a microsecond can hold.
fn fit_samples() -> Vec<Sample> {
    let mut all = samples();
    for sample in &mut all {
        let fine = matches!(sample.kind, Type::Time(7) | Type::DateTime2(7) | Type::DateTimeOffset(7));
        sample
            .values
            .retain(|value| !fine || value.split(' ').all(|part| !part.contains('.') || part.ends_with('0')));
    }
    all
}

/// A table with a column for each sample, and a last row of NULLs.
fn table_of(samples: &[Sample]) -> UserTable {
    let most = samples.iter().map(|sample| sample.values.len()).max().unwrap();
    let columns = samples.iter().map(|sample| column(sample.name, sample.kind));
    let columns = std::iter::once(column("id", Type::Int).not_null()).chain(columns).collect();
    let rows = (0..=most).map(|at| {
        let cells = samples.iter().map(|sample| sample.values.get(at).cloned());
        std::iter::once(Some(at.to_string())).chain(cells).collect()
    });
    UserTable { key: Some("id"), ..UserTable::new("dbo.samples", columns, rows.collect()) }
}

/// How arrow prints a real.
fn real(value: f64) -> String {
    let array = Float64Array::from(vec![value]);
    let formatter = ArrayFormatter::try_new(&array, &FormatOptions::default()).unwrap();
    formatter.value(0).to_string()
}

/// How a value reads in the snapshot, as arrow prints it.
fn canonical(kind: Type, value: &str) -> String {
    let iso = |value: &str| {
        let value = value.replace(' ', "T");
        // Digits of the fraction in groups of three, none where it is zero.
        let (whole, fraction) = value.split_once('.').unwrap_or((&value, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = fraction.len().div_ceil(3) * 3;
        if digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction:0<digits$}") }
    };
    match kind {
        Type::Bit => (value == "1").to_string(),
        Type::Real => real(f64::from(value.parse::<f32>().unwrap())),
        Type::Float => real(value.parse::<f64>().unwrap()),
        Type::Char(length) | Type::NChar(length) => format!("{value: <width$}", width = usize::from(length)),
        Type::Binary(length) => {
            format!("{:0<width$}", value[2..].to_lowercase(), width = 2 * usize::from(length))
        }
        Type::VarBinary(_) | Type::VarBinaryMax | Type::Image | Type::RowVersion => value[2..].to_lowercase(),
        Type::UniqueIdentifier => value.to_lowercase(),
        Type::SmallDateTime | Type::DateTime | Type::DateTime2(_) | Type::Time(_) => iso(value),
        Type::DateTimeOffset(_) => {
            let moment =
                chrono::DateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f %:z").unwrap().to_utc();
            iso(&moment.naive_utc().format("%Y-%m-%d %H:%M:%S%.6f").to_string()) + "Z"
        }
        _ => value.to_owned(),
    }
}

#[test]
fn every_type_and_null_reaches_the_snapshot() {
    for version in ["7.2", "7.3", "7.4"] {
        let samples = fit_samples();
        let database = Database { tables: vec![table_of(&samples)], ..Database::default() };
        let rows = database.tables[0].table.rows.len();
        let server = Responder::start(database.script());
        let Some(folder) = project(&server, version, "table: dbo.samples", "") else { return };
        let ran = taken(&folder);
        assert_eq!(ran.code, Some(0), "TDS {version}: {ran:?}");
        let snapshot = snapshot(&folder);
        assert_eq!(
            snapshot.names[1..],
            samples.iter().map(|sample| sample.name.to_owned()).collect::<Vec<_>>()
        );
        assert_eq!(snapshot.rows.len(), rows);
        for (at, sample) in samples.iter().enumerate() {
            for (row, cells) in snapshot.rows.iter().enumerate() {
                let expected = sample.values.get(row).map(|value| canonical(sample.kind, value));
                assert_eq!(cells[at + 1], expected, "{} in TDS {version}, row {row}", sample.name);
            }
        }
    }
}

#[test]
fn types_are_those_of_the_catalogue() {
    let samples = fit_samples();
    let mut table = table_of(&samples);
    table.aliases = vec![("varchar", "PropRef")];
    let server = Responder::start(Database { tables: vec![table], ..Database::default() }.script());
    let Some(folder) = project(&server, "7.4", "table: dbo.samples", "") else { return };
    assert_eq!(taken(&folder).code, Some(0));
    let manifest = snapshot(&folder).manifest;
    let types = manifest["columns"].as_array().unwrap().iter().map(|column| {
        let text = |name: &str| column[name].as_str().unwrap().to_owned();
        format!("{}: {} as {}\n", text("name"), text("source_type"), text("logical"))
    });
    golden("tests/it/sqlserver/types.txt", &types.collect::<String>());
    let said = &manifest["server"];
    assert_eq!(said["version"], "Microsoft SQL Server 15.0.2000.5 Standard Edition (64-bit)");
    assert_eq!(said["isolation"], "READ COMMITTED");
    assert_eq!(said["stable"], "per_part");
    // Its rows are not of one moment.
    assert_eq!(said["seen_at"], Json::Null);
    assert!(
        manifest["moments"]["first"].is_string() && manifest["moments"]["continued"].is_null(),
        "{manifest}"
    );
}

#[test]
fn hundreds_of_nanoseconds_leave_text_and_say_so() {
    let database = Database::of(
        "dbo.t",
        &["id int not null", "at datetime2(7)", "noted datetimeoffset(7)", "opens time(7)"],
        vec![
            row([
                "1",
                "2024-02-29 12:34:56.1234567",
                "2024-07-01 00:30:00.0000001 +01:00",
                "23:59:59.9999999",
            ]),
            row([
                "2",
                "2024-02-29 12:34:56.0000000",
                "2024-07-01 00:30:00.0000000 +01:00",
                "00:00:00.0000000",
            ]),
        ],
    );
    let server = Responder::start(database.script());
    let Some(folder) = project(&server, "7.4", "table: dbo.t", "") else { return };
    assert_eq!(taken(&folder).code, Some(0));
    let snapshot = snapshot(&folder);
    assert_eq!(
        snapshot.rows[0],
        row(["1", "2024-02-29T12:34:56.1234567", "2024-07-01T00:30:00.0000001+01:00", "23:59:59.9999999"])
    );
    assert_eq!(
        snapshot.rows[1],
        row(["2", "2024-02-29T12:34:56", "2024-07-01T00:30:00+01:00", "00:00:00.0000000"])
    );
    for column in &snapshot.manifest["columns"].as_array().unwrap()[1..] {
        assert!(column["logical"].as_str().unwrap().starts_with("other:"), "{column}");
    }
}

#[test]
fn what_is_asked_of_the_server_is_known() {
    let text = |server: &Responder| {
        let log = server.log().into_iter();
        let lines = log.filter_map(|(connection, event)| match event {
            Event::Sql(request) => Some(format!("-- connection {connection}\n{}\n", request.sql)),
            Event::Transaction(_) | Event::LogIn => None,
            Event::Attention => Some(format!("-- connection {connection} cancels\n")),
        });
        lines.collect::<String>()
    };
    // Everything of a table of every type, of a table with a key of text in parts, of a query.
    let samples = fit_samples();
    let server = Responder::start(
        Database { tables: vec![table_of(&samples)], snapshot: true, ..Database::default() }.script(),
    );
    let Some(folder) = project(&server, "7.4", "table: dbo.samples", "connections: 1") else { return };
    assert_eq!(taken(&folder).code, Some(0));
    golden("tests/it/sqlserver/every-type.sql", &text(&server));

    let server = Responder::start(tenancies(40, Some(400_000)).script());
    let side = "table: '[dbo].[tenagree]', where: \"cot >= '2001-01-01'\"";
    let Some(folder) = project(&server, "7.4", side, "connections: 1") else { return };
    assert_eq!(taken(&folder).code, Some(0));
    golden("tests/it/sqlserver/parts.sql", &text(&server));

    let server = Responder::start(tenancies(40, None).script());
    let side = "query: 'SELECT id, rent FROM dbo.tenagree WHERE id < 5'";
    let Some(folder) = project(&server, "7.4", side, "connections: 1") else { return };
    assert_eq!(taken(&folder).code, Some(0));
    golden("tests/it/sqlserver/query.sql", &text(&server));
    assert_eq!(snapshot(&folder).rows.len(), 5);
}

#[test]
fn a_policy_that_may_hide_rows_is_told() {
    for hides in [false, true] {
        let server = Responder::start(Database { hides, ..tenancies(5, None) }.script());
        let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "") else { return };
        assert_eq!(taken(&folder).code, Some(0));
        let notes = snapshot(&folder).manifest["columns"][0]["notes"].to_string();
        assert_eq!(notes.contains("security policy"), hides, "{notes}");
    }
}

#[test]
fn letters_of_a_condition_reach_the_server() {
    let server = Responder::start(tenancies(40, None).script());
    let side = "table: dbo.tenagree, where: \"note = N'Zażółć 東京 😀'\"";
    let Some(folder) = project(&server, "7.4", side, "") else { return };
    assert_eq!(taken(&folder).code, Some(0));
    let sql = server.sql();
    assert!(sql.iter().any(|sql| is_data(sql) && sql.contains("note = N'Zażółć 東京 😀'")), "{sql:?}");
    assert_eq!(snapshot(&folder).rows.len(), 0);
}

/// A table of tenancies with a key of numbers.
fn tenancies(count: usize, estimate: Option<u64>) -> Database {
    let columns = [
        "id int not null",
        "tag_ref char(11) not null",
        "cot smalldatetime",
        "rent money",
        "note varchar(max)",
    ];
    let rows = (0..count).map(|at| {
        let note = if at % 7 == 0 { "NULL".to_owned() } else { "Zoë’s £5 ".repeat(at % 90) };
        row([
            &at.to_string(),
            &format!("{at:06}/{:02}", at % 100),
            &format!("{}-01-31 00:00:00", 1990 + at % 40),
            &format!("{}.{:04}", at, at % 10_000),
            &note,
        ])
    });
    let mut database = Database::of("dbo.tenagree", &columns, rows.collect());
    database.tables[0].key = Some("id");
    database.tables[0].estimate = estimate;
    database
}

/// The snapshot has the rows of the table, each once.
fn assert_equal(folder: &Folder, database: &Database) {
    let table = &database.tables[0].table;
    let mut expected: Vec<Row> = table
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&table.columns);
            cells.map(|(cell, column)| cell.as_deref().map(|cell| canonical(column.kind, cell))).collect()
        })
        .collect();
    let mut found = snapshot(folder).rows;
    let id = |row: &Row| row[0].as_ref().and_then(|id| id.parse::<i64>().ok());
    expected.sort_by_key(id);
    found.sort_by_key(id);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

#[test]
fn parts_are_read_side_by_side_and_together_are_the_table() {
    for key in ["id", "tag_ref"] {
        let mut database = tenancies(2_000, Some(1_000_000));
        database.tables[0].key = Some(key);
        let server = Responder::start(database.clone().script());
        let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "connections: 3") else { return };
        let ran = taken(&folder);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_equal(&folder, &database);
        let parts = server.sql().iter().filter(|sql| is_data(sql)).count();
        // Ten, and one for rows without a key.
        assert_eq!(parts, 11, "by {key}");
    }
}

/// True for the queries that read rows, not the catalogue or lengths.
fn is_data(sql: &str) -> bool {
    sql.starts_with("SELECT [id]") && sql.contains("tenagree")
}

#[test]
fn a_cut_connection_is_tried_again_and_nothing_is_lost_or_doubled() {
    for ending in [
        Ending::CutAfterRows(0),
        Ending::CutAfterRows(1),
        Ending::CutAfterRows(150),
        Ending::CutAfterBytes(1),
        Ending::CutAfterBytes(20_000),
    ] {
        let database = tenancies(2_000, Some(1_000_000));
        let (script, asked) = (database.clone().script(), AtomicUsize::new(0));
        let how = ending.clone();
        let server = Responder::start(move |request: &Request| {
            let answer = script(request);
            // Every third query for rows is cut.
            if is_data(&request.sql) && asked.fetch_add(1, Ordering::SeqCst) % 3 == 1 {
                answer.ending(how.clone())
            } else {
                answer
            }
        });
        let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "connections: 2") else { return };
        let ran = taken(&folder);
        assert_eq!(ran.code, Some(0), "{ending:?}: {ran:?}");
        assert_equal(&folder, &database);
        let queries = server.sql().iter().filter(|sql| is_data(sql)).count();
        assert!(queries > 10, "{ending:?}: {queries} queries");
        assert_eq!(snapshot(&folder).manifest["server"]["stable"], "per_part");
    }
}

#[test]
fn a_connection_that_stays_lost_is_an_error_in_the_end() {
    let (script, asked) = (tenancies(50, None).script(), AtomicUsize::new(0));
    let server = Responder::start(move |request: &Request| {
        let answer = script(request);
        if !is_data(&request.sql) {
            return answer;
        }
        asked.fetch_add(1, Ordering::SeqCst);
        answer.ending(Ending::CutAfterRows(10))
    });
    let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "retry_for: 2s") else { return };
    let ran = taken(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(snapshots(&folder), Vec::<PathBuf>::new());
    assert!(server.sql().iter().filter(|sql| is_data(sql)).count() > 1);
}

#[test]
fn an_error_in_the_middle_leaves_no_snapshot() {
    let script = tenancies(3_000, None).script();
    let server = Responder::start(move |request: &Request| {
        let answer = script(request);
        if is_data(&request.sql) { answer.ending(Ending::Error(1_500, divide_by_zero())) } else { answer }
    });
    let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "") else { return };
    let ran = taken(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("22012") && ran.stderr.contains("8134"), "{ran:?}");
    assert_eq!(snapshots(&folder), Vec::<PathBuf>::new());
    // It is no lost connection: nothing is tried again.
    assert_eq!(server.sql().iter().filter(|sql| is_data(sql)).count(), 1);
}

#[test]
fn an_interrupt_sends_an_attention() {
    let script = tenancies(3_000, None).script();
    let server = Responder::start(move |request: &Request| {
        let answer = script(request);
        if is_data(&request.sql) { answer.ending(Ending::Stall(100)) } else { answer }
    });
    let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "") else { return };
    let child = Command::new(program())
        .arg("snapshot")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while !server.sql().iter().any(|sql| is_data(sql)) {
        assert!(begin.elapsed() < Duration::from_mins(1), "no row was asked for: {:?}", server.sql());
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let asked = Instant::now();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    assert_eq!(server.attentions(), 1);
    assert_eq!(snapshots(&folder), Vec::<PathBuf>::new());
}

#[test]
fn a_statement_that_takes_too_long_is_broken_off() {
    let script = tenancies(100, None).script();
    let server = Responder::start(move |request: &Request| {
        let answer = script(request);
        if is_data(&request.sql) { answer.ending(Ending::Stall(10)) } else { answer }
    });
    let limits = "statement_timeout: 1s, retry_for: 1s";
    let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", limits) else { return };
    let ran = taken(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("statement_timeout"), "{ran:?}");
    assert!(server.attentions() >= 1);
}

#[test]
fn refusals_are_told_without_the_password() {
    for (number, message, says) in [
        (18456, "Login failed for user 'reader'.", "18456"),
        (4060, "Cannot open database \"housing\" requested by the login. The login failed.", "4060"),
    ] {
        let server = Responder::with_gate(
            move |_| Some(ServerError::new(number, 14, message)),
            |_: &Request| Answer::done(),
        );
        let Some(folder) = project(&server, "7.4", "table: dbo.t", "retry_for: 1s") else { return };
        let ran = taken(&folder);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    let server = Responder::start(tenancies(1, None).script());
    let Some(folder) = project(&server, "7.4", "table: dbo.tenants", "") else { return };
    let ran = taken(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no table `dbo.tenants`"), "{ran:?}");
}

#[test]
fn a_value_longer_than_any_was_is_an_error() {
    // Between the measuring and the reading a longer value comes.
    let script = tenancies(10, None).script();
    let server = Responder::start(move |request: &Request| {
        let mut answer = script(request);
        if is_data(&request.sql) {
            answer.rows[9][4] = Some("x".repeat(50_000));
        }
        answer
    });
    let Some(folder) = project(&server, "7.4", "table: dbo.tenagree", "") else { return };
    let ran = taken(&folder);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("cut off") && ran.stderr.contains("note"), "{ran:?}");
    assert_eq!(snapshots(&folder), Vec::<PathBuf>::new());
}
