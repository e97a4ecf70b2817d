//! A MariaDB server for the tests: started with the first that needs it, gone with the last.
//!
//! It listens on 127.0.0.1. A shell stands between: when the tests end, however they end, its input closes, and it stops
//! the server and removes its folder.

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{may_be_missing, skipped};

/// The password of the user `reader`, who may read.
pub const PASSWORD: &str = "s3;cr}t";

/// A server that runs.
pub struct Server {
    pub port: u16,
    /// Its input is what keeps the server alive.
    _shell: Child,
}

static SERVER: LazyLock<Option<Server>> = LazyLock::new(|| match start() {
    Ok(server) => Some(server),
    Err(why) if may_be_missing() => {
        skipped(&format!("no MariaDB server: {why}"));
        None
    }
    Err(why) => panic!(
        "no MariaDB server for the tests: {why}\nInstall one (`apt-get install mariadb-server`), or set COUNTERFOIL_ALLOW_MISSING=1 to pass by its tests."
    ),
});

/// A database of its own for one test.
pub struct Database {
    pub name: String,
    pub port: u16,
}

/// Makes a database of its own; nothing where there is no server and that is allowed.
pub fn database() -> Option<Database> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.as_ref()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let database = Database { name: String::new(), port: server.port };
    database.execute(&format!(
        "CREATE DATABASE {name} CHARACTER SET utf8mb4; GRANT SELECT ON {name}.* TO reader@'%';"
    ));
    Some(Database { name, ..database })
}

impl Database {
    /// Runs statements.
    pub fn execute(&self, sql: &str) {
        self.rows(sql);
    }

    /// Returns what a query gives: a line a row, a tab between values.
    pub fn rows(&self, sql: &str) -> String {
        let mut client = Command::new(client().expect("a client"))
            .args(["--no-defaults", "-h127.0.0.1", "-uroot", "--default-character-set=utf8mb4", "-N", "-B"])
            .arg(format!("-P{}", self.port))
            .arg(&self.name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the client runs");
        client.stdin.take().unwrap().write_all(sql.as_bytes()).expect("it reads");
        let output = client.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{sql}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/libexec".into()]).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

fn client() -> Option<PathBuf> {
    program(&["mariadb", "mysql"])
}

/// Waits for the end of its input, stops the server and removes its folder.
const SHELL: &str = r#"trap '' INT TERM HUP
folder=$1; shift
"$@" </dev/null & child=$!
cat >/dev/null
kill -TERM "$child"; wait "$child"
rm -rf "$folder"
"#;

fn start() -> Result<Server, String> {
    let install =
        program(&["mariadb-install-db", "mysql_install_db"]).ok_or("there is no mariadb-install-db")?;
    let daemon = program(&["mariadbd", "mysqld"]).ok_or("there is no mariadbd")?;
    client().ok_or("there is no client `mariadb`")?;
    let folder = tempfile::Builder::new().prefix("counterfoil-mariadb-").tempdir();
    let folder = folder.map_err(|e| e.to_string())?.keep();
    let data = folder.join("data");
    let id = Command::new("id").arg("-u").output().map_err(|e| format!("id: {e}"))?;
    // Root has to say so; others are who they are.
    let user = if String::from_utf8_lossy(&id.stdout).trim() == "0" { vec!["--user=root"] } else { vec![] };
    let installed = Command::new(install)
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .args(&user)
        .arg(format!("--datadir={}", data.display()))
        .output()
        .map_err(|e| e.to_string())?;
    if !installed.status.success() {
        return Err(String::from_utf8_lossy(&installed.stderr).into_owned());
    }
    let mut last = String::new();
    for _ in 0..5 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|e| e.to_string())?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        drop(listener);
        let log_path = folder.join("log");
        let log = File::create(&log_path).map_err(|e| e.to_string())?;
        let shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .arg(&folder)
            .arg(&daemon)
            .arg("--no-defaults")
            .args(&user)
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", folder.join("socket").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg(format!("--port={port}"))
            .args([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=64M",
                "--max-allowed-packet=64M",
                "--sql-mode=",
                // Another than the machine's: nothing may depend on it.
                "--default-time-zone=+09:00",
            ])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(|e| e.to_string())?)
            .stderr(log)
            .spawn()
            .map_err(|e| format!("sh: {e}"))?;
        let server = Server { port, _shell: shell };
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                let database = Database { name: String::new(), port };
                database.execute(&format!("CREATE USER reader@'%' IDENTIFIED BY '{PASSWORD}'"));
                return Ok(server);
            }
            last = std::fs::read_to_string(&log_path).unwrap_or_default();
            if last.contains("Aborting") || Instant::now() > until {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Err(format!("it does not start: {last}"))
}
