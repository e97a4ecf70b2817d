//! FreeTDS, the real driver and its own client; Debian's packages tdsodbc and freetds-bin.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::servers::{may_be_missing, skipped};

/// The password of every test: it must not be seen anywhere.
pub const PASSWORD: &str = "hunter2-is-secret";

/// Where systems put the driver.
const DRIVERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so",
    "/usr/lib/aarch64-linux-gnu/odbc/libtdsodbc.so",
    "/usr/lib64/libtdsodbc.so.0",
    "/usr/lib/libtdsodbc.so",
    "/usr/local/lib/libtdsodbc.so",
    "/opt/homebrew/lib/libtdsodbc.so",
];

/// The driver's file; none where it is missing and may be.
pub fn driver() -> Option<PathBuf> {
    let found = DRIVERS.iter().map(PathBuf::from).find(|path| path.exists());
    if found.is_none() {
        missing("the FreeTDS driver", "tdsodbc");
    }
    found
}

/// A connection string for a responder on this port.
pub fn connection_string(port: u16, version: &str) -> Option<String> {
    let driver = driver()?;
    Some(format!(
        "Driver={};Server=127.0.0.1;Port={port};UID=reader;PWD={PASSWORD};Database=housing;TDS_Version={version};",
        driver.display()
    ))
}

/// `tsql` of FreeTDS; it is given the SQL, and gives back what it prints.
pub fn tsql(port: u16, version: &str, sql: &str) -> Option<String> {
    use std::io::Write;
    let child = Command::new("tsql")
        .args(["-H", "127.0.0.1", "-p", &port.to_string(), "-U", "reader", "-P", PASSWORD, "-D", "housing"])
        .args(["-t", "|", "-J", "UTF-8"])
        .env("TDSVER", version)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        missing("tsql", "freetds-bin");
        return None;
    };
    let mut input = child.stdin.take().expect("its input");
    input.write_all(format!("{sql}\ngo\nexit\n").as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    Some(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

fn missing(what: &str, package: &str) {
    assert!(
        may_be_missing(),
        "{what} is not installed (Debian: {package}); COUNTERFOIL_ALLOW_MISSING=1 skips what needs it"
    );
    skipped(&format!("{what} is not installed"));
}
