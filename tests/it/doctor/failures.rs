//! The commonest failures, made for real: at which step each shows, and what is advised.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value as Json, json};

use super::{closed_port, doctor, encoded, lines_of, native, odbc, project, said, steps};
use crate::odbc::Database;
use crate::servers::tds::{Answer, Responder, ServerError, freetds};
use crate::servers::{mariadb, postgres};
use crate::sqlserver::database::Database as SqlServer;
use crate::support::root;

/// A connection that fails, at a step, with words of what is said.
struct Failure {
    connection: Json,
    /// What a dataset reads by it.
    side: &'static str,
    step: &'static str,
    says: Vec<&'static str>,
}

fn failure(connection: Json, step: &'static str, says: &[&'static str]) -> Failure {
    Failure { connection, side: "table: t", step, says: says.to_vec() }
}

/// Runs the doctor on all at once; each fails at its step and nowhere else.
fn all_fail(failures: &[Failure]) {
    let names: Vec<String> = (0..failures.len()).map(|at| format!("c{at}")).collect();
    let connections: Vec<(&str, Json)> =
        names.iter().zip(failures).map(|(name, f)| (name.as_str(), f.connection.clone())).collect();
    let sides: Vec<(&str, &str)> =
        names.iter().zip(failures).map(|(name, f)| (name.as_str(), f.side)).collect();
    let folder = project(&connections, &sides);
    let ran = doctor(&folder, &[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for (name, failure) in names.iter().zip(failures) {
        assert_eq!(steps(&ran, name, "failed"), [failure.step], "{name}: {}", ran.stdout);
        let text = lines_of(&ran, name).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        for word in &failure.says {
            assert!(text.contains(word), "{name}: `{word}` is not said: {text}");
        }
    }
    let count = failures.len();
    assert!(said(&ran).contains(&format!("{count} of {count} connections cannot be read")), "{ran:?}");
    // Quiet, nothing but the failures is told, and they are told whole.
    let quiet = doctor(&folder, &["--quiet"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (Some(2), ""));
    assert_eq!(quiet.stderr.lines().filter(|line| line.starts_with("error: ")).count(), count, "{quiet:?}");
    for word in failures.iter().flat_map(|failure| &failure.says) {
        assert!(said(&quiet).contains(word), "{quiet:?}");
    }
}

/// Listens, and treats each client so.
fn server(treat: impl Fn(&mut TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            treat(&mut client);
        }
    });
    port
}

/// A PostgreSQL server that refuses everyone with this code and message.
fn refusing(code: &'static str, message: &'static str) -> u16 {
    server(move |client| {
        let mut startup = [0_u8; 512];
        if client.read(&mut startup).is_ok_and(|bytes| bytes > 8) {
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            let _ = client.write_all(&[b"E", &length[..], fields.as_bytes()].concat());
        }
    })
}

#[test]
fn of_postgres() {
    let Some(database) = postgres::database() else { return };
    database
        .execute("CREATE TABLE t (id int); CREATE TABLE granted (id int); GRANT SELECT ON granted TO PUBLIC");
    let (name, port) = (&database.name, database.server.port);
    let password = encoded(postgres::PASSWORD);
    let url = |login: &str, host: &str, query: &str| {
        native(&format!("postgresql://{login}@{host}:{port}/{name}?passfile=/nowhere&{query}"))
    };
    let at = |port: u16| {
        native(&format!(
            "postgresql://postgres:hunter2@127.0.0.1:{port}/{name}?sslmode=disable&connect_timeout=2"
        ))
    };
    let tls = |host: &str, authority: &str| {
        let file = root().join("fixtures/tls").join(authority).display().to_string();
        let url = format!("postgresql://only_tls@{host}:{port}/{name}?sslmode=verify-full");
        json!({"type": "postgres", "url": url, "root_certificate": file})
    };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let plain = server(|client| {
        let mut asked = [0_u8; 8];
        let _ = client.read_exact(&mut asked).and_then(|()| client.write_all(b"N"));
    });
    let by_scram = format!("by_scram:{password}");
    all_fail(&[
        failure(native("hunter2"), "settings", &["neither a URL nor"]),
        failure(
            native("postgresql://u:hunter2@no-such-host.invalid/x"),
            "name looked up",
            &["no address", "VPN"],
        ),
        failure(at(closed_port()), "port reached", &["connection was refused", "is the server running"]),
        failure(at(silent_port), "logged in", &["within 2 s", "firewall", "VPN"]),
        failure(
            native(&format!("postgresql://u:hunter2@127.0.0.1:{plain}/x?sslmode=require")),
            "TLS",
            &["offers no encryption", "sslmode=prefer"],
        ),
        failure(tls("localhost", "other.crt"), "TLS", &["from nobody who is trusted", "root_certificate"]),
        failure(tls("127.0.0.1", "authority.crt"), "TLS", &["another name than the host", "verify-ca"]),
        failure(
            url("only_tls", "127.0.0.1", "sslmode=disable"),
            "logged in",
            &["pg_hba.conf", "without encryption", "try `sslmode=require`"],
        ),
        failure(url("by_scram:hunter2", "127.0.0.1", ""), "logged in", &["password of `by_scram`", "URL"]),
        failure(url("by_scram", "127.0.0.1", ""), "logged in", &["wants a password", "PGPASSWORD"]),
        failure(url("stranger", "127.0.0.1", ""), "logged in", &["pg_hba.conf", "administrator"]),
        failure(
            native(&format!("postgresql://postgres:hunter2@127.0.0.1:{port}/nowhere")),
            "logged in",
            &["\"nowhere\" does not exist", "PGDATABASE"],
        ),
        failure(at(refusing("28000", "role \"x\" does not exist")), "logged in", &["no such user"]),
        failure(
            at(refusing("53300", "sorry, too many clients already")),
            "logged in",
            &["too many clients", "limits.connections"],
        ),
        failure(
            at(refusing("57P03", "the database system is starting up")),
            "logged in",
            &["starting", "in a moment"],
        ),
        failure(url(&by_scram, "127.0.0.1", ""), "rights", &["`t`", "permission denied", "grant select"]),
        Failure {
            side: "table: no_such.t",
            ..failure(
                url(&by_scram, "127.0.0.1", ""),
                "rights",
                &["no table or view `no_such.t`", "correct `table`"],
            )
        },
        Failure {
            side: "query: SELECT nothing FROM granted",
            ..failure(url(&by_scram, "127.0.0.1", ""), "rights", &["nothing", "correct the column"])
        },
    ]);
}

#[test]
fn of_drivers() {
    let folder = crate::support::Folder::new();
    let other = folder.write("other.so", [&b"\x7fELF\x01\x01"[..], &[0; 12], &[8, 0], &[0; 44]].concat());
    all_fail(&[
        failure(odbc("Driver={No Such};PWD=hunter2"), "driver", &["no ODBC driver `No Such`", "installed"]),
        failure(
            odbc("Driver=/nowhere/libx.so;PWD=hunter2"),
            "driver",
            &["/nowhere/libx.so", "is not there", "install the driver"],
        ),
        failure(
            odbc(&format!("Driver={};PWD=hunter2", other.display())),
            "driver",
            &["another 32-bit processor", "built for this processor"],
        ),
        failure(odbc("Server=x;PWD=hunter2"), "connected", &["IM002", "names no driver"]),
        failure(
            json!({"type": "odbc", "connection_string": "Driver=x.so;PWD=hunter2", "dialect": "sqlsever"}),
            "settings",
            &["there is no dialect `sqlsever`", "`sqlserver`"],
        ),
    ]);
}

#[test]
fn of_mariadb_through_its_driver() {
    let Some(database) = Database::new("mysql") else { return };
    database.execute("CREATE TABLE granted (id int); CREATE USER IF NOT EXISTS busy@'%' IDENTIFIED BY 'hunter2' WITH MAX_CONNECTIONS_PER_HOUR 1");
    let Database::MariaDb(server) = &database else { return };
    let name = &server.name;
    // One view is of a table that the reader may not see by itself.
    database.execute(&format!(
        "CREATE TABLE other (id int); REVOKE SELECT ON {name}.* FROM reader@'%'; GRANT SELECT ON {name}.granted TO reader@'%'"
    ));
    let good = database.connection_string();
    let password = format!("PWD={{{}}}", mariadb::PASSWORD.replace('}', "}}"));
    all_fail(&[
        failure(
            odbc(&good.replace(&password, "PWD=hunter2")),
            "connected",
            &["1045", "the user or the password"],
        ),
        failure(odbc(&good.replace(&password, "")), "connected", &["1045", "no password was given"]),
        failure(odbc(&good.replace(name, "nowhere")), "connected", &["no such database", "may not open it"]),
        failure(odbc(&database.at(closed_port())), "connected", &["2002", "nothing answers there", "VPN"]),
        failure(
            odbc(&good.replace("127.0.0.1", "no-such-host.invalid")),
            "connected",
            &["2005", "no address is known"],
        ),
        Failure { side: "table: other", ..failure(odbc(&good), "rights", &["`other`", "no table"]) },
        Failure {
            side: "query: SELECT * FROM other",
            ..failure(odbc(&good), "rights", &["1142", "ask for the right to SELECT"])
        },
        Failure {
            side: "query: SELECT nothing FROM granted",
            ..failure(odbc(&good), "rights", &["1054", "no such column"])
        },
    ]);
}

#[test]
fn of_postgres_through_its_driver() {
    let Some(database) = Database::new("postgres") else { return };
    let Some(server) = postgres::server() else { return };
    let good = |user: &str, more: &str| {
        odbc(&format!(
            "Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={};Database=postgres;UID={user};{more}",
            server.port
        ))
    };
    let plain = server_without_tls();
    all_fail(&[
        failure(
            good("by_scram", "PWD=hunter2"),
            "connected",
            &["password authentication failed", "the user or the password"],
        ),
        failure(good("by_scram", ""), "connected", &["no password was given"]),
        failure(good("only_tls", "SSLmode=disable"), "connected", &["pg_hba.conf", "sslmode=require"]),
        failure(good("stranger", ""), "connected", &["pg_hba.conf", "administrator"]),
        failure(
            odbc(&database.connection_string().replace("Database=", "Database=no_")),
            "connected",
            &["does not exist", "no such database"],
        ),
        failure(odbc(&database.at(closed_port())), "connected", &["refused", "firewall"]),
        failure(
            odbc(&format!("{};SSLmode=require", database.at(plain))),
            "connected",
            &["offers no encryption", "sslmode=prefer"],
        ),
        failure(
            odbc(&database.at(refusing("57P03", "the database system is starting up"))),
            "connected",
            &["starting or stopping"],
        ),
        failure(
            odbc(&database.at(refusing("53300", "sorry, too many clients already"))),
            "connected",
            &["limits.connections"],
        ),
        Failure {
            side: "table: no_such",
            ..failure(odbc(&database.connection_string()), "rights", &["no table `no_such`"])
        },
    ]);
}

fn server_without_tls() -> u16 {
    server(|client| {
        let mut asked = [0_u8; 8];
        let _ = client.read_exact(&mut asked).and_then(|()| client.write_all(b"N"));
    })
}

#[test]
fn of_sqlite_through_its_driver() {
    let Some(database) = Database::new("sqlite") else { return };
    database.execute("CREATE TABLE t (id int)");
    let folder = crate::support::Folder::new();
    let text = folder.write("not-a-database", "Dear Sir or Madam,\n".repeat(200));
    let of = |file: &str| odbc(&format!("Driver={{SQLite3}};Database={file}"));
    all_fail(&[
        failure(of("/nowhere/data.db"), "connected", &["correct `Database`"]),
        failure(of(&text.display().to_string()), "connected", &["no database of this kind"]),
        Failure {
            side: "table: no_such",
            ..failure(odbc(&database.connection_string()), "rights", &["no table `no_such`"])
        },
    ]);
}

#[test]
fn of_a_sql_server_through_freetds() {
    let Some(_) = freetds::driver() else { return };
    let refusing = |number: i32, message: &'static str| {
        Responder::with_gate(move |_| Some(ServerError::new(number, 14, message)), |_| Answer::done())
    };
    let log_in = refusing(18456, "Login failed for user 'reader'.");
    let database =
        refusing(4060, "Cannot open database \"housing\" requested by the login. The login failed.");
    let full = refusing(
        17809,
        "Could not connect because the maximum number of '4' user connections has already been reached.",
    );
    let rights = {
        let database = SqlServer::of("dbo.tenagree", &["id int not null"], Vec::new());
        let script = database.script();
        Responder::start(move |request| {
            if request.sql.contains("FROM dbo.tenagree") {
                Answer::error(
                    229,
                    14,
                    "The SELECT permission was denied on the object 'tenagree', database 'housing', schema 'dbo'.",
                )
            } else {
                script(request)
            }
        })
    };
    let silent = server_without_tls();
    let of = |port: u16| json!({"type": "odbc", "connection_string": freetds::connection_string(port, "7.4"), "dialect": "sqlserver"});
    all_fail(&[
        failure(of(log_in.port), "connected", &["18456", "the user or the password"]),
        failure(of(database.port), "connected", &["4060", "no such database"]),
        failure(of(full.port), "connected", &["17809", "limits.connections"]),
        failure(of(closed_port()), "connected", &["nothing answers there", "VPN"]),
        failure(of(silent), "connected", &["TDS_Version"]),
        Failure {
            side: "table: dbo.tenagree",
            ..failure(of(rights.port), "rights", &["`dbo.tenagree`", "229", "ask for the right to SELECT"])
        },
        Failure {
            side: "table: dbo.no_such",
            ..failure(of(rights.port), "rights", &["`dbo.no_such`", "may not see it"])
        },
    ]);
}
