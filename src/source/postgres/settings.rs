//! Where the server is and how to log in: from a URL or `key=value` text, the environment, and what is usual.
//!
//! No message repeats what was written: a password may be in any of it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

use crate::source::origin::named;

use super::error::PostgresError;
use super::passfile::{self, Found};
use super::written::{Given, wrong};

/// How long one attempt to connect may take, unless the user says it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How much encryption is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    /// None.
    Disable,
    /// Only where the server insists.
    Allow,
    /// Where the server can.
    Prefer,
    /// Always.
    Require,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a certificate of a trusted authority for the host's name.
    VerifyFull,
}

/// A server that may be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub host: Host,
    pub port: u16,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// By a name or address; where `address` is given, the name is for the certificate and the password alone.
    Net { name: String, address: Option<IpAddr> },
    /// By a socket in this folder.
    Socket(PathBuf),
}

impl Endpoint {
    /// Returns the name as the user gave it.
    pub fn name(&self) -> String {
        match &self.host {
            Host::Net { name, .. } => name.clone(),
            Host::Socket(folder) => folder.display().to_string(),
        }
    }
}

/// All that is needed to connect.
#[derive(Clone)]
pub(super) struct Settings {
    /// The servers, in the order in which they are tried.
    pub endpoints: Vec<Endpoint>,
    pub user: String,
    pub database: String,
    password: Option<String>,
    passfile: Option<PathBuf>,
    pub ssl_mode: SslMode,
    /// A file with the authorities that are trusted; nothing for those of the system.
    pub root_certificate: Option<PathBuf>,
    /// The client's own certificate and key.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    pub channel_binding: ChannelBinding,
    pub connect_timeout: Duration,
    pub application_name: String,
    pub options: Option<String>,
    pub target: TargetSessionAttrs,
    pub keepalives: Option<Keepalives>,
    pub user_timeout: Option<Duration>,
    /// True where a URL has a further `@`: what stands before it may have been taken for another part.
    pub further_at: bool,
}

/// How the system finds out that the other side is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keepalives {
    pub idle: Duration,
    pub interval: Duration,
    pub count: u32,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("endpoints", &self.endpoints)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("ssl_mode", &self.ssl_mode)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Returns a hash of the names by which the user calls the servers and the database.
    pub fn named(&self) -> String {
        let names = self.endpoints.iter().map(Endpoint::name).chain([self.database.clone()]);
        named(&names.collect::<Vec<_>>())
    }

    /// Reads what the user wrote; what it leaves out comes from the environment.
    ///
    /// # Errors
    /// Where it cannot be understood, or does not say enough.
    pub fn read(
        url: Option<&str>,
        root_certificate: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PostgresError> {
        let given = Given::read(url, env)?;
        let get = |key: &str| given.get(key);
        let seconds = |key: &str, usual: u64| {
            Ok::<_, PostgresError>(Duration::from_secs(given.positive(key)?.unwrap_or(usual)))
        };
        let utf8 = ["auto", "utf8", "utf-8", "unicode"];
        if get("client_encoding").is_some_and(|e| !utf8.contains(&e.to_ascii_lowercase().as_str())) {
            return Err(wrong("`client_encoding` is not UTF8, in which all text is read"));
        }
        if get("gssencmode").is_some_and(|mode| mode == "require") {
            return Err(wrong("`gssencmode=require` is not supported: `sslmode` encrypts"));
        }
        let ssl_mode = match get("sslmode").as_deref() {
            Some("disable") => SslMode::Disable,
            Some("allow") => SslMode::Allow,
            None | Some("prefer") => SslMode::Prefer,
            Some("require") => SslMode::Require,
            Some("verify-ca") => SslMode::VerifyCa,
            Some("verify-full") => SslMode::VerifyFull,
            Some(_) => {
                return Err(wrong(
                    "`sslmode` is none of disable, allow, prefer, require, verify-ca and verify-full",
                ));
            }
        };
        let channel_binding = match get("channel_binding").as_deref() {
            Some("disable") => ChannelBinding::Disable,
            None | Some("prefer") => ChannelBinding::Prefer,
            Some("require") => ChannelBinding::Require,
            Some(_) => return Err(wrong("`channel_binding` is none of disable, prefer and require")),
        };
        let target = match get("target_session_attrs").as_deref() {
            None | Some("any" | "prefer-standby") => TargetSessionAttrs::Any,
            Some("read-write" | "primary") => TargetSessionAttrs::ReadWrite,
            Some("read-only" | "standby") => TargetSessionAttrs::ReadOnly,
            Some(_) => {
                return Err(wrong(
                    "`target_session_attrs` is none of any, read-write, read-only, primary, standby and prefer-standby",
                ));
            }
        };
        let user = get("user").or_else(|| ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(env));
        let user = user.ok_or_else(|| wrong("it names no user, and nor does `PGUSER`"))?;
        let client_certificate = match (get("sslcert"), get("sslkey")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
            _ => return Err(wrong("`sslcert` and `sslkey` belong together, and one is missing")),
        };
        let keepalives = Keepalives {
            idle: seconds("keepalives_idle", 30)?,
            interval: seconds("keepalives_interval", 10)?,
            count: given.positive("keepalives_count")?.and_then(|n| u32::try_from(n).ok()).unwrap_or(3),
        };
        let user_timeout = given.positive("tcp_user_timeout")?;
        Ok(Settings {
            endpoints: endpoints(get("host"), get("hostaddr"), get("port"))?,
            database: get("dbname").unwrap_or_else(|| user.clone()),
            user,
            password: get("password"),
            passfile: get("passfile").map(PathBuf::from).or_else(|| passfile::usual(env)),
            ssl_mode,
            root_certificate: root_certificate
                .map(Path::to_owned)
                .or_else(|| get("sslrootcert").filter(|file| file != "system").map(PathBuf::from)),
            client_certificate,
            channel_binding,
            connect_timeout: seconds("connect_timeout", CONNECT_TIMEOUT.as_secs())?,
            application_name: get("application_name")
                .or_else(|| get("fallback_application_name"))
                .unwrap_or_else(|| "counterfoil".to_owned()),
            options: get("options"),
            target,
            keepalives: (given.number("keepalives")? != Some(0)).then_some(keepalives),
            user_timeout: user_timeout.map(Duration::from_millis),
            further_at: url.is_some_and(has_further_at),
        })
    }

    /// Returns the password for a server, and where it is from or why there is none: for a message.
    pub fn password(&self, endpoint: &Endpoint) -> (Option<String>, String) {
        if let Some(password) = &self.password {
            return (Some(password.clone()), "it is from the URL or `PGPASSWORD`".to_owned());
        }
        let Some(file) = &self.passfile else {
            return (None, "there is no password file either".to_owned());
        };
        match passfile::look_up(file, &endpoint.name(), endpoint.port, &self.database, &self.user) {
            Found::Password(password) => (Some(password), format!("it is from {}", file.display())),
            Found::Nothing(why) => (None, why),
        }
    }
}

fn endpoints(
    host: Option<String>,
    address: Option<String>,
    port: Option<String>,
) -> Result<Vec<Endpoint>, PostgresError> {
    let list = |text: &Option<String>| -> Vec<String> {
        text.as_deref()
            .map(|text| text.split(',').map(|part| part.trim().to_owned()).collect())
            .unwrap_or_default()
    };
    let (names, addresses, ports) = (list(&host), list(&address), list(&port));
    let count = names.len().max(addresses.len()).max(1);
    let fits = |list: &[String]| list.is_empty() || list.len() == count;
    if !fits(&names) || !fits(&addresses) || !(ports.len() <= 1 || fits(&ports)) {
        return Err(wrong("it has not as many hosts, addresses and ports"));
    }
    (0..count)
        .map(|i| {
            let port = match ports.get(i).or(ports.first()).map(String::as_str) {
                None | Some("") => 5432,
                Some(text) => text
                    .parse::<u16>()
                    .ok()
                    .filter(|port| *port > 0)
                    .ok_or_else(|| wrong("a port is no number from 1 to 65535"))?,
            };
            let address = match addresses.get(i).map(String::as_str) {
                None | Some("") => None,
                Some(text) => Some(text.parse::<IpAddr>().map_err(|_| wrong("`hostaddr` is no IP address"))?),
            };
            let host = match (names.get(i).filter(|name| !name.is_empty()), address) {
                (Some(name), _) if name.starts_with('/') => Host::Socket(name.into()),
                (Some(name), address) => Host::Net { name: name.clone(), address },
                (None, Some(address)) => Host::Net { name: address.to_string(), address: Some(address) },
                (None, None) => usual_host(port),
            };
            Ok(Endpoint { host, port })
        })
        .collect()
}

/// Returns the server of this machine: by its socket where that is in one of the usual places.
fn usual_host(port: u16) -> Host {
    let folders = ["/var/run/postgresql", "/tmp"];
    let socket = folders.iter().map(Path::new).find(|f| f.join(format!(".s.PGSQL.{port}")).exists());
    match socket {
        Some(folder) if cfg!(unix) => Host::Socket(folder.to_owned()),
        _ => Host::Net { name: "localhost".to_owned(), address: None },
    }
}

/// Returns true for a URL with more than one `@` before its `?`.
fn has_further_at(url: &str) -> bool {
    url.contains("://") && url.split('?').next().unwrap_or_default().matches('@').count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Settings, PostgresError> {
        let env = |name: &str| (name == "PGUSER").then(|| "ann".to_owned());
        Settings::read(Some(url), None, &env)
    }

    fn net(name: &str, port: u16) -> Endpoint {
        Endpoint { host: Host::Net { name: name.to_owned(), address: None }, port }
    }

    #[test]
    fn urls_are_read() {
        let settings = read(
            "postgres://b%40b:p%3Aw:x@db1.example,db2.example:6000/hou%73ing?sslmode=verify-ca&connect_timeout=7",
        )
        .unwrap();
        assert_eq!(settings.endpoints, [net("db1.example", 5432), net("db2.example", 6000)]);
        assert_eq!((settings.user.as_str(), settings.database.as_str()), ("b@b", "housing"));
        assert_eq!(settings.password.as_deref(), Some("p:w:x"));
        assert_eq!(settings.ssl_mode, SslMode::VerifyCa);
        assert_eq!(settings.connect_timeout, Duration::from_secs(7));
        let settings = read("postgresql://[::1]:5433/d").unwrap();
        assert_eq!(settings.endpoints, [net("::1", 5433)]);
        let settings = read("postgresql://%2Fvar%2Frun%2Fx/d").unwrap();
        assert_eq!(settings.endpoints[0].host, Host::Socket("/var/run/x".into()));
        assert!(!settings.further_at && read("postgresql://u:p@ss@h/d").unwrap().further_at);
        let error = read("postgresql://u:p@ss/w@h/d").unwrap_err().to_string();
        assert!(error.contains("%40") && !error.contains("w@h"), "{error}");
        let settings = read("postgresql:///d?host=h&port=1").unwrap();
        assert_eq!((settings.endpoints, settings.user.as_str()), (vec![net("h", 1)], "ann"));
    }

    #[test]
    fn pairs_are_read() {
        let settings =
            read("host = h1,h2 port=1 user=u password='it\\'s a \\\\ one' dbname=d options='-c x=1'")
                .unwrap();
        assert_eq!(settings.endpoints, [net("h1", 1), net("h2", 1)]);
        assert_eq!(settings.password.as_deref(), Some("it's a \\ one"));
        assert_eq!(settings.options.as_deref(), Some("-c x=1"));
        assert_eq!(settings.ssl_mode, SslMode::Prefer);
    }

    #[test]
    fn the_environment_fills_in() {
        let env = |name: &str| {
            Some(
                match name {
                    "PGHOST" => "h",
                    "PGPORT" => "6432",
                    "PGUSER" => "u",
                    "PGPASSWORD" => "p",
                    "PGDATABASE" => "d",
                    "PGSSLMODE" => "require",
                    "PGSSLROOTCERT" => "/r.pem",
                    "PGCONNECT_TIMEOUT" => "3",
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let settings = Settings::read(None, None, &env).unwrap();
        assert_eq!(settings.endpoints, [net("h", 6432)]);
        assert_eq!((settings.user.as_str(), settings.database.as_str()), ("u", "d"));
        assert_eq!(settings.password(&settings.endpoints[0]).0.as_deref(), Some("p"));
        assert_eq!(settings.root_certificate, Some("/r.pem".into()));
        assert_eq!((settings.ssl_mode, settings.connect_timeout.as_secs()), (SslMode::Require, 3));
        let settings = Settings::read(Some("postgresql://a@b/c"), Some(Path::new("/own.pem")), &env).unwrap();
        assert_eq!((settings.endpoints, settings.user.as_str()), (vec![net("b", 6432)], "a"));
        assert_eq!(settings.root_certificate, Some("/own.pem".into()));
    }

    #[test]
    fn mistakes_are_said_without_what_was_written() {
        for (url, says) in [
            ("postgres://u:hunter2@h:x/d", "a port"),
            ("postgres://u:hunter2@h/d?sslmode=yes-hunter2", "`sslmode` is none of"),
            ("postgres://u:pa?ss=hunter2@h/d", "a setting that is none of"),
            ("postgres://u:hunter2%@h/d", "no two hexadecimal digits"),
            ("password=hunter2 hunter2", "neither a URL nor"),
            ("password='hunter2", "never closed"),
            ("host=a,b,c port=1,2 password=hunter2", "not as many"),
            ("hostaddr=hunter2", "no IP address"),
            ("sslcert=hunter2", "belong together"),
            ("client_encoding=latin1", "not UTF8"),
            ("connect_timeout=hunter2", "no whole number"),
        ] {
            let error = read(url).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", read("password=hunter2")).contains("hunter2"));
    }
}
