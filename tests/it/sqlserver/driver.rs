//! The responder is what FreeTDS takes for a SQL Server: each type, and each way for an answer to end.
//!
//! Nothing of Counterfoil takes part here, so that what fails here is the responder's or the driver's fault.

use std::time::{Duration, Instant};

use odbc_api::{
    Connection, ConnectionOptions, Cursor, DataType, Error, IntoParameter, ResultSetMetadata, environment,
};

use super::samples::{samples, table};
use crate::servers::tds::{Answer, Ending, Event, Responder, ServerError, Type, column, freetds, row};

const VERSIONS: [&str; 3] = ["7.2", "7.3", "7.4"];

fn connect(port: u16, version: &str) -> Option<Connection<'static>> {
    // Without it, letters beyond Latin-1 cannot be sent.
    let string = freetds::connection_string(port, version)? + "ClientCharset=UTF-8;";
    let environment = environment().expect("the driver manager");
    Some(
        environment
            .connect_with_connection_string(&string, ConnectionOptions::default())
            .expect("a connection"),
    )
}

/// Everything of the first result, as wide text.
fn read(
    connection: &Connection,
    sql: &str,
    timeout: Option<usize>,
) -> (Vec<Vec<Option<String>>>, Option<Error>) {
    let mut rows = Vec::new();
    let mut cursor = match connection.execute(sql, (), timeout) {
        Ok(cursor) => cursor.expect("a result"),
        Err(error) => return (rows, Some(error)),
    };
    let columns = u16::try_from(cursor.num_result_cols().expect("columns")).expect("few columns");
    let mut text = Vec::new();
    loop {
        let mut row = match cursor.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => return (rows, None),
            Err(error) => return (rows, Some(error)),
        };
        let cells = (1..=columns).map(|at| {
            let there = row.get_wide_text(at, &mut text).expect("a cell");
            there.then(|| String::from_utf16(&text).expect("valid text"))
        });
        rows.push(cells.collect());
    }
}

/// The state and number of an error.
fn state(error: Option<Error>) -> (String, i32) {
    match error.expect("an error") {
        Error::Diagnostics { record, .. } => (record.state.as_str().to_owned(), record.native_error),
        other => panic!("{other}"),
    }
}

/// How FreeTDS writes a value of a type as text.
fn shown(kind: Type, value: &str, version: &str) -> String {
    let padded = |length: u16| format!("{value: <width$}", width = usize::from(length));
    let hex = |digits: usize| format!("{:0<digits$}", value[2..].to_lowercase());
    match kind {
        Type::Char(length) | Type::NChar(length) => padded(length),
        Type::Binary(length) => hex(2 * usize::from(length)),
        Type::VarBinary(_) | Type::VarBinaryMax | Type::Image | Type::RowVersion => hex(0),
        // Of years before 1000 it leaves out the zeros.
        Type::Date | Type::DateTime2(_) | Type::DateTimeOffset(_) if version != "7.2" => {
            value.trim_start_matches('0').to_owned()
        }
        _ => value.to_owned(),
    }
}

#[test]
fn the_driver_reads_every_type() {
    for version in VERSIONS {
        let (columns, rows) = table();
        let server = Responder::start(move |_| Answer::rows(columns.clone(), rows.clone()));
        let Some(connection) = connect(server.port, version) else { return };
        let (read, error) = read(&connection, "select * from samples", None);
        assert!(error.is_none(), "{error:?}");
        let (_, rows) = table();
        assert_eq!(read.len(), rows.len());
        for (at, sample) in samples().iter().enumerate() {
            for (read, row) in read.iter().zip(&rows) {
                let read = read[at].as_deref();
                let expected = row[at].as_deref().map(|value| shown(sample.kind, value, version));
                match sample.kind {
                    Type::Real => {
                        assert_eq!(number::<f32>(read), number(expected.as_deref()), "{}", sample.name);
                    }
                    Type::Float => {
                        assert_eq!(number::<f64>(read), number(expected.as_deref()), "{}", sample.name);
                    }
                    _ => assert_eq!(read, expected.as_deref(), "{} in TDS {version}", sample.name),
                }
            }
        }
        assert_eq!(server.sql(), ["select * from samples"]);
    }
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.map(|text| text.parse().ok().expect("a number"))
}

#[test]
fn columns_that_are_not_nullable_have_other_tokens() {
    let samples: Vec<_> = samples().into_iter().filter(|sample| sample.kind != Type::Xml).collect();
    let columns: Vec<_> = samples.iter().map(|sample| column(sample.name, sample.kind).not_null()).collect();
    let cells: Vec<_> = samples.iter().map(|sample| Some(sample.values[0].clone())).collect();
    let server = Responder::start(move |_| Answer::rows(columns.clone(), vec![cells.clone()]));
    let Some(connection) = connect(server.port, "7.4") else { return };
    let (rows, error) = read(&connection, "select * from samples", None);
    assert!(error.is_none(), "{error:?}");
    for (sample, cell) in samples.iter().zip(&rows[0]) {
        let expected = shown(sample.kind, &sample.values[0], "7.4");
        match sample.kind {
            Type::Real | Type::Float => assert_eq!(number::<f64>(cell.as_deref()), number(Some(&expected))),
            _ => assert_eq!(cell.as_deref(), Some(expected.as_str()), "{}", sample.name),
        }
    }
}

#[test]
fn the_driver_describes_the_types() {
    let (columns, rows) = table();
    let server = Responder::start(move |_| Answer::rows(columns.clone(), rows.clone()));
    let Some(connection) = connect(server.port, "7.4") else { return };
    let mut cursor = connection.execute("select * from samples", (), None).unwrap().unwrap();
    let mut kind = |name: &str| {
        let at = samples().iter().position(|sample| sample.name == name).unwrap() + 1;
        cursor.col_data_type(u16::try_from(at).unwrap()).unwrap()
    };
    let length = |number| std::num::NonZeroUsize::new(number);
    assert_eq!(kind("bit"), DataType::Bit);
    assert_eq!(kind("tinyint"), DataType::TinyInt);
    assert_eq!(kind("bigint"), DataType::BigInt);
    assert_eq!(kind("decimal_18_2"), DataType::Numeric { precision: 18, scale: 2 });
    assert_eq!(kind("decimal_38_38"), DataType::Numeric { precision: 38, scale: 38 });
    assert_eq!(kind("char"), DataType::Char { length: length(8) });
    assert_eq!(kind("varchar"), DataType::Varchar { length: length(30) });
    assert_eq!(kind("varcharmax"), DataType::Varchar { length: None });
    assert_eq!(kind("nchar"), DataType::WChar { length: length(6) });
    assert_eq!(kind("rowversion"), DataType::Binary { length: length(8) });
    assert_eq!(kind("smalldatetime"), DataType::Timestamp { precision: 0 });
    assert_eq!(kind("datetime"), DataType::Timestamp { precision: 3 });
    assert_eq!(kind("date"), DataType::Date);
    assert_eq!(kind("datetime2_7"), DataType::Timestamp { precision: 7 });
}

#[test]
fn tsql_reads_every_type() {
    for version in VERSIONS {
        let (columns, rows) = table();
        let server = Responder::start(move |request| {
            if request.sql.contains("samples") {
                Answer::rows(columns.clone(), rows.clone())
            } else {
                Answer::done()
            }
        });
        let Some(text) = freetds::tsql(server.port, version, "select * from samples") else { return };
        let lines: Vec<&str> = text.lines().collect();
        let header =
            lines.iter().position(|line| line.contains("bit|tinyint|")).unwrap_or_else(|| panic!("{text}"));
        let count = table().1.len();
        let cells: Vec<Vec<&str>> =
            lines[header + 1..].iter().take(count).map(|line| line.split('|').collect()).collect();
        let names: Vec<&str> =
            lines[header].split('|').map(|name| name.rsplit(' ').next().unwrap()).collect();
        for (at, sample) in samples().iter().enumerate() {
            assert_eq!(names[at], sample.name);
            // Dates are written in tsql's own way; numbers with more digits than there are.
            let is_date = matches!(
                sample.kind,
                Type::Date
                    | Type::Time(_)
                    | Type::DateTime2(_)
                    | Type::DateTimeOffset(_)
                    | Type::DateTime
                    | Type::SmallDateTime
                    | Type::Real
                    | Type::Float
            );
            if !is_date {
                assert_eq!(cells[0][at], shown(sample.kind, &sample.values[0], version), "{}", sample.name);
            }
            assert_eq!(cells[count - 1][at], "NULL", "{}", sample.name);
        }
        assert!(text.contains(&format!("({count} rows affected)")), "{text}");
    }
}

/// Rows with numbers from 0, wide enough that a few hundred fill several packets.
fn numbers(count: usize) -> Answer {
    let columns = vec![column("id", Type::Int).not_null(), column("note", Type::Char(40))];
    Answer::rows(
        columns,
        (0..count).map(|id| row([&id.to_string(), if id % 3 == 0 { "NULL" } else { "x" }])).collect(),
    )
}

#[test]
fn rows_that_fill_many_packets_arrive() {
    let server = Responder::start(|_| numbers(5_000));
    let Some(connection) = connect(server.port, "7.4") else { return };
    let (rows, error) = read(&connection, "select", None);
    assert!(error.is_none(), "{error:?}");
    let ids: Vec<_> = rows.iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(ids, (0..5_000).map(|id| id.to_string()).collect::<Vec<_>>());
}

#[test]
fn an_error_in_the_middle_is_an_error() {
    let server = Responder::start(|request| {
        let (number, severity) = if request.sql == "fatal" { (823, 24) } else { (8134, 16) };
        numbers(5_000).ending(Ending::Error(
            1_000,
            ServerError::new(number, severity, "Divide by zero error encountered."),
        ))
    });
    for sql in ["plain", "fatal"] {
        let Some(connection) = connect(server.port, "7.4") else { return };
        let (rows, error) = read(&connection, sql, None);
        assert!(rows.len() <= 1_000, "{}", rows.len());
        let (state, number) = state(error);
        assert_eq!((state.as_str(), number), if sql == "fatal" { ("42000", 823) } else { ("22012", 8134) });
    }
}

/// The numbers by which FreeTDS says that the connection is lost: reading failed, writing failed, unexpected end.
const LOST: [i32; 3] = [20004, 20006, 20017];

#[test]
fn a_cut_connection_is_an_error_wherever_it_is_cut() {
    let server = Responder::start(|request| {
        let ending = match request.sql.split_once(' ').unwrap() {
            ("rows", number) => Ending::CutAfterRows(number.parse().unwrap()),
            (_, number) => Ending::CutAfterBytes(number.parse().unwrap()),
        };
        numbers(1_000).ending(ending)
    });
    let bytes =
        [0, 1, 30_000].into_iter().chain((50..9_000).step_by(97)).map(|bytes| format!("bytes {bytes}"));
    for sql in ["rows 0", "rows 999", "rows 1000"].into_iter().map(str::to_owned).chain(bytes) {
        let Some(connection) = connect(server.port, "7.4") else { return };
        let (rows, error) = read(&connection, &sql, None);
        assert!(
            rows.iter().map(|row| &row[0]).eq(numbers(rows.len()).rows.iter().map(|row| &row[0])),
            "{sql}"
        );
        let (state, number) = state(error);
        // It does not say 08S01: a lost connection is told by these numbers of its own.
        assert!(LOST.contains(&number), "{sql}: {state} {number}");
    }
}

#[test]
fn a_timeout_sends_an_attention_and_the_connection_lives() {
    let server = Responder::start(|request| match request.sql.as_str() {
        "stall" => numbers(10).ending(Ending::Stall(3)),
        _ => numbers(2),
    });
    let Some(connection) = connect(server.port, "7.4") else { return };
    let start = Instant::now();
    let (rows, error) = read(&connection, "stall", Some(1));
    assert_eq!((rows.len(), state(error).0.as_str()), (3, "HYT00"));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(server.attentions(), 1);
    assert_eq!(read(&connection, "select", None).0.len(), 2);
}

#[test]
fn a_log_in_is_refused_as_the_server_says() {
    let server = Responder::with_gate(
        |login| {
            assert_eq!((login.user.as_str(), login.password.as_str()), ("reader", freetds::PASSWORD));
            Some(ServerError::new(18456, 14, "Login failed for user 'reader'."))
        },
        |_| Answer::done(),
    );
    let Some(string) = freetds::connection_string(server.port, "7.4") else { return };
    let refused =
        environment().unwrap().connect_with_connection_string(&string, ConnectionOptions::default());
    let error = refused.map(drop).unwrap_err();
    assert!(!error.to_string().contains(freetds::PASSWORD));
    assert_eq!(state(Some(error)), ("42000".to_owned(), 18456));
}

/// What came to the server, without the log-ins.
fn events(server: &Responder) -> Vec<String> {
    let log = server.log().into_iter();
    log.filter_map(|(_, event)| match event {
        Event::LogIn => None,
        Event::Sql(request) if request.parameters.is_empty() => Some(request.sql),
        Event::Sql(request) => {
            let values = request.parameters.into_iter().map(|(name, value)| {
                let value = value.unwrap_or_else(|| "NULL".to_owned());
                if name.is_empty() { value } else { format!("{name}={value}") }
            });
            Some(format!("{} [{}]", request.sql, values.collect::<Vec<_>>().join(", ")))
        }
        Event::Transaction(what) => Some(what.to_owned()),
        Event::Attention => Some("attention".to_owned()),
    })
    .collect()
}

#[test]
fn parameters_and_prepared_statements_reach_the_server() {
    let server = Responder::start(|_| numbers(2));
    let Some(connection) = connect(server.port, "7.4") else { return };
    let text = "Zoë’s".to_owned().into_parameter();
    let sql = "select a where b > ? and c = ? and d = ?";
    connection.execute(sql, (&5_000_000_000_i64, &1.5_f64, &text), None).unwrap();
    let mut prepared = connection.prepare("select b where c between ? and ?").unwrap();
    for bounds in [(1_i32, 2_i32), (-3, 4)] {
        let mut cursor = prepared.execute((&bounds.0, &bounds.1)).unwrap().unwrap();
        while cursor.next_row().unwrap().is_some() {}
    }
    drop(prepared);
    let mut described = connection.prepare("select c where d = ?").unwrap();
    assert_eq!(described.num_result_cols().unwrap(), 2);
    drop(described);
    assert_eq!(
        events(&server),
        [
            "select a where b > @P1 and c = @P2 and d = @P3 [5000000000, 1.5, Zoë’s]",
            // The rows were not read.
            "attention",
            "select b where c between @P1 and @P2 [1, 2]",
            "select b where c between @P1 and @P2 [-3, 4]",
            "select c where d = @P1",
        ]
    );
}

#[test]
fn transactions_are_begun_and_ended() {
    let server = Responder::start(|_| numbers(1));
    let Some(connection) = connect(server.port, "7.4") else { return };
    connection.set_autocommit(false).unwrap();
    read(&connection, "select 1", None);
    connection.commit().unwrap();
    read(&connection, "select 2", None);
    connection.rollback().unwrap();
    assert_eq!(events(&server), ["begin", "select 1", "commit", "begin", "select 2", "rollback", "begin"]);
}

#[test]
fn catalogue_calls_reach_the_script() {
    let server = Responder::start(|_| numbers(1));
    let Some(connection) = connect(server.port, "7.4") else { return };
    let _ = connection.columns("", "dbo", "tenagree", "%").map(drop);
    let _ = connection.tables("", "dbo", "%", "TABLE").map(drop);
    assert_eq!(
        events(&server),
        [
            "exec sp_columns [@table_name=tenagree, @table_owner=dbo, @column_name=%, @ODBCVer=3]",
            "attention",
            "exec sp_tables [@table_name=%, @table_owner=dbo, @table_type='TABLE']",
            "attention",
        ]
    );
}
