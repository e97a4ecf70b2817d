//! `doctor --conformance` against a SQL Server in memory, by the real driver FreeTDS: what it asks for, and what it says
//! of types that the server does not have and of values that come out wrong.

use std::sync::{Arc, Mutex};

use super::{doctor, odbc, project};
use crate::servers::tds::{Answer, Request, Responder, Type, column, freetds};
use crate::sqlserver::convert::{convert, parse_type};
use crate::sqlserver::database::{Database, UserTable};
use crate::support::golden;

/// A database that makes temporary tables, and takes rows into them.
struct Temporary {
    database: Database,
    /// What becomes of a text on its way into a table.
    damage: fn(String) -> String,
}

impl Temporary {
    fn answer(&mut self, request: &Request) -> Answer {
        // Where temporary tables really are; the objects of this database have a schema.
        let sql = request.sql.replace("tempdb..#", "#").replace("[tempdb].", "");
        if let Some(rest) = sql.strip_prefix("CREATE TABLE ") {
            return self.create(rest);
        }
        if let Some(rest) = sql.strip_prefix("INSERT INTO ") {
            return self.insert(rest);
        }
        self.database.answer(&Request { sql, parameters: request.parameters.clone() })
    }

    /// `#name (id int, v TYPE [COLLATE DATABASE_DEFAULT] NULL)`
    fn create(&mut self, rest: &str) -> Answer {
        let (name, rest) = rest.split_once(" (id int, v ").expect("two columns");
        let declared = rest.strip_suffix(" NULL)").expect("a column that can be NULL");
        let declared = declared.strip_suffix(" COLLATE DATABASE_DEFAULT").unwrap_or(declared);
        let Ok(kind) = parse_type(declared) else {
            return Answer::error(2715, 16, "Cannot find data type.");
        };
        let name: &'static str = Box::leak(format!("dbo.{name}").into_boxed_str());
        let columns = vec![column("id", Type::Int), column("v", kind)];
        self.database.tables.push(UserTable::new(name, columns, Vec::new()));
        Answer::done()
    }

    /// `#name VALUES (1, LITERAL)`
    fn insert(&mut self, rest: &str) -> Answer {
        let (name, rest) = rest.split_once(" VALUES (").expect("a row");
        let (id, literal) =
            rest.strip_suffix(')').and_then(|rest| rest.split_once(", ")).expect("two values");
        let damage = self.damage;
        let tables = &mut self.database.tables;
        let table = tables.iter_mut().find(|table| table.name == format!("dbo.{name}")).expect("a table");
        let columns = table.table.columns.clone();
        let value = (literal != "NULL").then(|| damage(stored(literal, columns[1].kind)));
        // Filled to its length, where it has one.
        let filled = UserTable::new(table.name, columns, vec![vec![Some(id.to_owned()), value]]);
        table.table.rows.extend(filled.table.rows);
        Answer::done()
    }
}

/// Returns what a literal is once it is stored, as T-SQL shows it.
fn stored(literal: &str, kind: Type) -> String {
    let text = literal.strip_prefix('N').unwrap_or(literal);
    let text = match text.strip_prefix('\'') {
        Some(quoted) => quoted.trim_end_matches('\'').replace("''", "'"),
        None => text.to_owned(),
    };
    let with_fraction = |text: &str, digits: u8| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let width = usize::from(digits);
        if digits == 0 { whole.to_owned() } else { format!("{whole}.{fraction:0<width$}") }
    };
    match kind {
        Type::Decimal(..) | Type::Numeric(..) => {
            convert(&text, Type::VarChar(40), kind, None).expect("a decimal")
        }
        Type::Money | Type::SmallMoney => {
            convert(&text, Type::VarChar(40), Type::Decimal(19, 4), None).expect("a decimal")
        }
        Type::SmallDateTime => text.replace('T', " "),
        Type::DateTime => with_fraction(&text.replace('T', " "), 3),
        Type::DateTime2(digits) => with_fraction(&text.replace('T', " "), digits),
        Type::Time(digits) => with_fraction(&text, digits),
        Type::DateTimeOffset(digits) => {
            let (moment, offset) = text.split_at(text.len() - "+01:00".len());
            format!("{} {offset}", with_fraction(&moment.replace('T', " "), digits))
        }
        _ => text,
    }
}

fn start(damage: fn(String) -> String) -> Responder {
    let server = Arc::new(Mutex::new(Temporary { database: Database::default(), damage }));
    Responder::start(move |request| server.lock().unwrap().answer(request))
}

#[test]
fn what_is_asked_and_what_is_said() {
    let server = start(|text| text);
    let Some(string) = freetds::connection_string(server.port, "7.4") else { return };
    let folder = project(&[("uh", odbc(&string))], &[]);
    let ran = doctor(&folder, &["--conformance", "uh"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    golden("tests/it/doctor/sqlserver.txt", &ran.stdout);
    golden("tests/it/doctor/sqlserver.sql", &(server.sql().join("\n") + "\n"));
}

#[test]
fn what_comes_out_wrong_is_shown() {
    let server = start(|text| text.replace('é', "e"));
    let Some(string) = freetds::connection_string(server.port, "7.4") else { return };
    let folder = project(&[("uh", odbc(&string))], &[]);
    let ran = doctor(&folder, &["--conformance", "uh"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("    'café £5' came out as `cafe £5`, not `café £5`"), "{}", ran.stdout);
    assert!(ran.stderr.contains("error: uh: ") && ran.stderr.contains(" came out wrong"), "{ran:?}");
}
