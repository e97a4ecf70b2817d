//! From settings to a session inside its transaction.

use std::net::IpAddr;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::config::SslMode as Negotiation;
use tokio_postgres::{Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::source::{Cancel, SourceError};

use super::error::{PostgresError, Stop, is_full, is_refused_by_rule, of_connecting, too_late, unknown_host};
use super::session::{Facts, NEVER, Session, Wait, Watch, watched};
use super::settings::{Endpoint, Host, Settings, SslMode};

/// How connections are made and what their sessions are held to.
#[derive(Debug)]
pub(super) struct Door {
    pub settings: Settings,
    pub tls: Tls,
    pub statement_timeout: Option<Duration>,
    pub silence: Duration,
}

/// Encryption, in a wrapper that can be shown.
#[derive(Clone)]
pub(super) struct Tls(pub MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// The one server, of those in the settings, that answered: the point is there and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reached {
    endpoint: Endpoint,
    address: Option<IpAddr>,
}

/// Why there is no further session.
#[derive(Debug)]
pub(super) enum NoEntry {
    /// The server has no connection to spare.
    Full(Stop),
    /// Anything else.
    Stop(Stop),
}

impl From<Stop> for NoEntry {
    fn from(stop: Stop) -> Self {
        NoEntry::Stop(stop)
    }
}

impl Door {
    /// Opens a session: at the same server as others, where `reached`, and at the point of one of `exported`.
    ///
    /// Where there are no others it is at a point of its own.
    pub fn open(
        &self,
        reached: Option<&Reached>,
        exported: &[String],
        cancel: &Cancel,
    ) -> Result<(Session, Reached), NoEntry> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|source| {
            let problem = format!("no connection can be made on this machine: {source}");
            Stop::fatal("PostgreSQL", problem, "are too many files or threads open?")
        })?;
        let mut last = None;
        let all: Vec<Reached> = match reached {
            Some(reached) => vec![reached.clone()],
            None => self
                .settings
                .endpoints
                .iter()
                .map(|e| Reached { endpoint: e.clone(), address: None })
                .collect(),
        };
        for place in all {
            match self.enter(&runtime, &place, cancel) {
                Ok((client, drive, place_text, reached)) => {
                    let mut session =
                        Session::new(runtime, client, drive, self.tls.0.clone(), place_text, self.silence);
                    self.begin(&mut session, exported, cancel)?;
                    return Ok((session, reached));
                }
                Err(NoEntry::Stop(Stop::Fatal(SourceError::Cancelled))) => {
                    runtime.shutdown_background();
                    return Err(Stop::Fatal(SourceError::Cancelled).into());
                }
                Err(error) => last = Some(error),
            }
        }
        runtime.shutdown_background();
        Err(last.unwrap_or_else(|| {
            Stop::fatal("PostgreSQL", "no host is named", "name one in `url` or `PGHOST`").into()
        }))
    }

    /// Returns what messages call the way to a server.
    pub fn place(&self, endpoint: &Endpoint) -> String {
        let (name, port) = (endpoint.name(), endpoint.port);
        format!("PostgreSQL, database `{}` at {name}, port {port}", self.settings.database)
    }

    fn enter(
        &self,
        runtime: &Runtime,
        reached: &Reached,
        cancel: &Cancel,
    ) -> Result<(tokio_postgres::Client, impl Future<Output = ()> + Send + 'static, String, Reached), NoEntry>
    {
        let settings = &self.settings;
        let endpoint = &reached.endpoint;
        let place = self.place(endpoint);
        let (password, password_from) = settings.password(endpoint);
        let watch = Watch { cancel, halted: &NEVER };
        let timed = |wait: Wait| match wait {
            Wait::Over => Stop::Fatal(SourceError::Cancelled),
            Wait::TimedOut => Stop::Lost(too_late(&place, settings.connect_timeout.as_secs())),
        };
        let mut addresses = vec![None];
        if let Host::Net { name, address } = &endpoint.host {
            addresses = if let Some(address) = reached.address.or(*address) {
                vec![Some(address)]
            } else {
                let found = tokio::net::lookup_host((name.as_str(), endpoint.port));
                let found =
                    runtime.block_on(watched(watch, Some(settings.connect_timeout), found)).map_err(timed)?;
                let found: Vec<_> = found.map(|all| all.map(|a| Some(a.ip())).collect()).unwrap_or_default();
                if found.is_empty() {
                    return Err(Stop::Lost(unknown_host(&place, settings.further_at)).into());
                }
                found
            };
        }
        let mut last = None;
        for address in addresses {
            for &(negotiation, only_if_refused) in self.attempts(&endpoint.host) {
                if only_if_refused && !last.as_ref().is_some_and(may_be_otherwise) {
                    continue;
                }
                let config = self.config(endpoint, address, password.as_deref(), negotiation);
                let work = config.connect(self.tls.0.clone());
                let done =
                    runtime.block_on(watched(watch, Some(settings.connect_timeout), work)).map_err(timed)?;
                match done {
                    Ok((client, connection)) => {
                        // What ends the connection is told to whoever waits for an answer.
                        let drive = async move { drop(connection.await) };
                        let reached = Reached { endpoint: endpoint.clone(), address };
                        return Ok((client, drive, place, reached));
                    }
                    Err(error) => last = Some(error),
                }
            }
        }
        let Some(error) = last else { return Err(timed(Wait::TimedOut).into()) };
        let stop = match of_connecting(&place, &error, &settings.user, &password_from) {
            Stop::Lost(error) => Stop::Lost(error.hinting(settings.further_at)),
            stop @ Stop::Fatal(_) => stop,
        };
        Err(if is_full(&error) { NoEntry::Full(stop) } else { stop.into() })
    }

    /// Returns with which encryption it is tried in turn, and whether only where the last was refused.
    fn attempts(&self, host: &Host) -> &'static [(Negotiation, bool)] {
        match (host, self.settings.ssl_mode) {
            (Host::Socket(_), _) | (_, SslMode::Disable) => &[(Negotiation::Disable, false)],
            (_, SslMode::Allow) => &[(Negotiation::Disable, false), (Negotiation::Require, true)],
            (_, SslMode::Prefer) => &[(Negotiation::Prefer, false), (Negotiation::Disable, true)],
            (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => {
                &[(Negotiation::Require, false)]
            }
        }
    }

    fn config(
        &self,
        endpoint: &Endpoint,
        address: Option<IpAddr>,
        password: Option<&str>,
        negotiation: Negotiation,
    ) -> Config {
        let settings = &self.settings;
        let mut config = Config::new();
        config
            .user(&settings.user)
            .dbname(&settings.database)
            .application_name(&settings.application_name)
            .connect_timeout(settings.connect_timeout)
            .target_session_attrs(settings.target)
            .channel_binding(settings.channel_binding)
            .ssl_mode(negotiation)
            .port(endpoint.port);
        match &endpoint.host {
            Host::Net { name, .. } => config.host(name),
            #[cfg(unix)]
            Host::Socket(folder) => config.host_path(folder),
            #[cfg(not(unix))]
            Host::Socket(folder) => config.host(folder.display().to_string()),
        };
        if let Some(address) = address {
            config.hostaddr(address);
        }
        if let Some(password) = password {
            config.password(password);
        }
        if let Some(options) = &settings.options {
            config.options(options);
        }
        match settings.keepalives {
            Some(keepalives) => config
                .keepalives(true)
                .keepalives_idle(keepalives.idle)
                .keepalives_interval(keepalives.interval)
                .keepalives_retries(keepalives.count),
            None => config.keepalives(false),
        };
        if let Some(timeout) = settings.user_timeout {
            config.tcp_user_timeout(timeout);
        }
        config
    }

    /// Makes the session read-only, its texts always the same, and begins its transaction.
    fn begin(&self, session: &mut Session, exported: &[String], cancel: &Cancel) -> Result<(), Stop> {
        let timeout = self.statement_timeout.map_or(0, |timeout| timeout.as_millis());
        // Rows that a policy hides are an error, not missing, unless the user says otherwise.
        let policies = self.settings.options.as_deref().is_some_and(|o| o.contains("row_security"));
        let rows = if policies { "" } else { "SET row_security = off;" };
        session.rows(
            &format!(
                "SET default_transaction_read_only = on; SET statement_timeout = {timeout}; \
                 SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0; {rows} \
                 SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; \
                 SET extra_float_digits = 3; SET bytea_output = 'hex'; SET synchronize_seqscans = off; \
                 SET client_min_messages = 'warning'; SET standard_conforming_strings = on"
            ),
            cancel,
        )?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let facts = "to_char(transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
                     current_setting('server_version'), current_setting('server_version_num')";
        let mut refused = None;
        // Whoever has a point may have gone meanwhile, but then another has the same.
        for name in exported {
            let joined =
                format!("{begin}; SET TRANSACTION SNAPSHOT '{name}'; SELECT pg_export_snapshot(), {facts}");
            match session.rows(&joined, cancel) {
                Ok(rows) => return note(session, rows),
                Err(Stop::Fatal(error)) if !cancel.is_cancelled() => {
                    session.rows("ROLLBACK", cancel)?;
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = refused {
            let problem = format!("the moment of the other connections could not be shared ({error})");
            return Err(Stop::Lost(PostgresError::new(&*session.place, problem, "is this the same server?")));
        }
        let rows = match session.rows(&format!("{begin}; SELECT pg_export_snapshot(), {facts}"), cancel) {
            // Some relatives of PostgreSQL cannot share a moment: then one connection reads all.
            Err(Stop::Fatal(_)) if !cancel.is_cancelled() => {
                session.rows("ROLLBACK", cancel)?;
                session.rows(&format!("{begin}; SELECT NULL, {facts}"), cancel)?
            }
            other => other?,
        };
        note(session, rows)
    }
}

/// Returns true where a connection with another encryption may be taken.
fn may_be_otherwise(error: &Error) -> bool {
    is_refused_by_rule(error) || (error.as_db_error().is_none() && error.to_string().contains("TLS"))
}

fn note(session: &mut Session, rows: Vec<Vec<Option<String>>>) -> Result<(), Stop> {
    let row = rows.into_iter().next().unwrap_or_default();
    let Ok([exported, seen_at, version, number]) = <[Option<String>; 4]>::try_from(row) else {
        let problem = "it does not say its version";
        return Err(Stop::fatal(&*session.place, problem, "is it a PostgreSQL server?"));
    };
    let version = version.unwrap_or_default();
    session.exported = exported;
    session.facts = Facts {
        // What a distribution puts behind it says nothing of the database.
        version: format!("PostgreSQL {}", version.split_whitespace().next().unwrap_or_default()),
        number: number.and_then(|number| number.parse().ok()).unwrap_or(0),
        seen_at,
    };
    Ok(())
}
