//! A PostgreSQL server for the tests: started with the first that needs it, gone with the last.
//!
//! It listens on 127.0.0.1 and a socket in its own folder. A shell stands between: when the tests end, however they
//! end, its input closes, and it stops the server and removes the folder.

use std::ffi::OsString;
use std::fs::Permissions;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::{may_be_missing, skipped};
use crate::support::root;

/// The password of the roles that have one. It holds what has a meaning in URLs and password files.
pub const PASSWORD: &str = "s3:cr@t/?\\%";

/// A server that runs.
pub struct Server {
    pub port: u16,
    pub folder: PathBuf,
    /// Its input is what keeps the server alive.
    _shell: Child,
}

static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| match start() {
    Ok(server) => Some(server),
    Err(why) if may_be_missing() => {
        skipped(&format!("no PostgreSQL server: {why}"));
        None
    }
    Err(why) => panic!(
        "no PostgreSQL server for the tests: {why}\nInstall one (`apt-get install postgresql`), or set COUNTERFOIL_ALLOW_MISSING=1 to pass by its tests."
    ),
});

/// Returns the server; nothing where there is none and that is allowed.
pub fn server() -> Option<&'static Server> {
    SERVER.as_ref()
}

/// A database of its own for one test.
pub struct Database {
    pub name: String,
    pub server: &'static Server,
}

/// Makes a database of its own; nothing where there is no server and that is allowed.
pub fn database() -> Option<Database> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = server()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    execute(server, "postgres", &format!("CREATE DATABASE {name}"));
    Some(Database { name, server })
}

impl Database {
    /// Runs statements.
    pub fn execute(&self, sql: &str) {
        execute(self.server, &self.name, sql);
    }

    /// Returns what a query gives, as texts.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        rows(self.server, &self.name, sql)
    }

    /// Returns the first value of a query.
    pub fn value(&self, sql: &str) -> String {
        self.rows(sql)[0][0].clone().expect("a value")
    }

    /// Returns where the database is, for a user who needs no password.
    pub fn url(&self) -> String {
        self.url_at(self.server.port)
    }

    /// Returns the same by another port.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgresql://postgres@127.0.0.1:{port}/{}?sslmode=disable", self.name)
    }
}

fn execute(server: &Server, database: &str, sql: &str) {
    rows(server, database, sql);
}

fn rows(server: &Server, database: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(server.port)
            .user("postgres")
            .dbname(database)
            .application_name("tests");
        let (client, connection) = config.connect(NoTls).await.expect("a connection");
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        drop(client);
        connection.await.expect("no panic").expect("a farewell");
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
            }
            _ => None,
        };
        messages.iter().filter_map(row).collect()
    })
}

/// The folder of the server's programs: the newest.
fn programs() -> Result<PathBuf, String> {
    let version = |path: &Path| -> u32 {
        path.parent().and_then(|p| p.file_name()?.to_str()?.parse().ok()).unwrap_or(0)
    };
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    found.sort_by_key(|path| version(path));
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    let newest =
        found.into_iter().rev().find(|path| path.join("initdb").exists() && path.join("postgres").exists());
    newest.ok_or_else(|| "initdb and postgres are neither in /usr/lib/postgresql nor in PATH".to_owned())
}

/// Whom the server runs as, where that is not the user of the tests.
fn other_user() -> Result<Option<&'static str>, String> {
    let is = |flag: &str, user: &str| {
        let output = Command::new("id").arg(flag).arg(user).output();
        output
            .ok()
            .filter(|o| o.status.success())
            .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    let me = Command::new("id").arg("-u").output().map_err(|e| format!("id: {e}"))?;
    if String::from_utf8_lossy(&me.stdout).trim() != "0" {
        return Ok(None);
    }
    let user = ["postgres", "nobody"].into_iter().find(|user| is("-u", user).is_some());
    user.map(Some).ok_or_else(|| "root cannot run it, and there is no user postgres or nobody".to_owned())
}

/// A program that is run as the server's user.
fn command(user: Option<&str>, program: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    if let Some(user) = user {
        words.extend(["runuser", "-u", user, "--"].map(OsString::from));
    }
    words.push(program.into());
    words
}

fn folder(user: Option<&str>) -> Result<PathBuf, String> {
    let is_open = |folder: &Path| {
        user.is_none()
            || folder
                .ancestors()
                .all(|parent| parent.metadata().is_ok_and(|facts| facts.permissions().mode() & 0o001 != 0))
    };
    let places = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    let place =
        places.iter().find(|place| is_open(place)).ok_or("no temporary folder is open to its user")?;
    let folder = tempfile::Builder::new().prefix("counterfoil-postgres-").tempdir_in(place);
    let folder = folder.map_err(|e| format!("{}: {e}", place.display()))?.keep();
    if let Some(user) = user {
        let status = Command::new("chown").arg(user).arg(&folder).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("{} could not be given to {user}", folder.display()));
        }
    }
    // Sockets in it are for all users, files are not.
    std::fs::set_permissions(&folder, Permissions::from_mode(0o711))
        .map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

fn run(words: &[OsString], arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(&words[0])
        .args(&words[1..])
        .args(arguments)
        .current_dir("/")
        .output()
        .map_err(|e| format!("{}: {e}", words[0].display()))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

const HBA: &str = "
local   all all                       trust
host    all postgres     127.0.0.1/32 trust
host    all by_scram     127.0.0.1/32 scram-sha-256
host    all by_md5       127.0.0.1/32 md5
host    all by_password  127.0.0.1/32 password
hostssl all only_tls     127.0.0.1/32 trust
hostnossl all only_plain 127.0.0.1/32 trust
";

/// Waits for a connection to this, stops the server and removes its folder when the tests are gone.
const SHELL: &str = r#"trap '' INT TERM HUP
folder=$1; shift
"$@" </dev/null & child=$!
cat >/dev/null
pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || echo "$child")
kill -INT "$pid"; wait "$child"
rm -rf "$folder"
"#;

/// Starts a server; again where its port was taken meanwhile.
fn start() -> Result<Server, String> {
    let programs = programs()?;
    let user = other_user()?;
    let mut first = None;
    for _ in 0..3 {
        match make_and_serve(&programs, user) {
            Ok(server) => return Ok(server),
            Err(why) => {
                first.get_or_insert(why);
            }
        }
    }
    Err(first.unwrap_or_default())
}

fn make_and_serve(programs: &Path, user: Option<&str>) -> Result<Server, String> {
    let folder = folder(user)?;
    let data = folder.join("data");
    let data_text = data.to_str().ok_or("a folder that is not UTF-8")?;
    let initdb = command(user, &programs.join("initdb"));
    let options = ["-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8"];
    run(&initdb, &[&["-D", data_text], &options[..]].concat())?;
    write(&data.join("pg_hba.conf"), HBA.as_bytes())?;
    for name in ["server.crt", "server.key"] {
        let bytes =
            std::fs::read(root().join("fixtures/tls").join(name)).map_err(|e| format!("{name}: {e}"))?;
        write(&data.join(name), &bytes)?;
        std::fs::set_permissions(data.join(name), Permissions::from_mode(0o600))
            .map_err(|e| e.to_string())?;
        if let Some(user) = user {
            let owner = format!("{user}:");
            run(&["chown".into(), owner.into(), data.join(name).into()], &[])?;
        }
    }
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
    let port = free.map_err(|e| format!("no free port: {e}"))?.port();
    serve(programs, user, &folder, port)
}

/// Writes into a file that is there or not, whoever owns it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

fn serve(programs: &Path, user: Option<&str>, folder: &Path, port: u16) -> Result<Server, String> {
    let log_path = folder.join("log");
    let log = std::fs::File::create(&log_path).map_err(|e| format!("{}: {e}", log_path.display()))?;
    let mut shell = Command::new("sh");
    shell.args(["-c", SHELL, "sh"]).arg(folder).args(command(user, &programs.join("postgres")));
    shell.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).arg("-p").arg(port.to_string());
    for option in [
        "listen_addresses=127.0.0.1",
        "max_connections=80",
        "fsync=off",
        "full_page_writes=off",
        "autovacuum=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_wal_size=4GB",
        "ssl=on",
        "log_min_messages=fatal",
        "timezone=Asia/Tokyo",
        "datestyle=German, DMY",
    ] {
        shell.args(["-c", option]);
    }
    let spawned = shell
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(log.try_clone().map_err(|e| e.to_string())?)
        .stderr(log)
        .spawn()
        .map_err(|e| format!("sh: {e}"))?;
    let server = Server { port, folder: folder.to_owned(), _shell: spawned };
    let until = Instant::now() + Duration::from_mins(1);
    while !is_ready(port) {
        let log = std::fs::read_to_string(&log_path).unwrap_or_default();
        let has_failed = log.lines().any(|line| line.contains("FATAL") && !line.contains("starting up"));
        if has_failed || Instant::now() > until {
            return Err(format!("it does not start: {log}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    execute(
        &server,
        "postgres",
        &format!(
            "CREATE ROLE by_scram LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE by_password LOGIN PASSWORD '{PASSWORD}';
             CREATE ROLE only_tls LOGIN; CREATE ROLE only_plain LOGIN; CREATE ROLE stranger LOGIN;
             SET password_encryption = md5; CREATE ROLE by_md5 LOGIN PASSWORD '{PASSWORD}'"
        ),
    );
    Ok(server)
}

fn is_ready(port: u16) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(port).user("postgres").dbname("postgres");
        config.connect(NoTls).await.is_ok()
    })
}
