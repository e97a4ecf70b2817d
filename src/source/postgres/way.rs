//! The way to a server, step by step: its name, its port, its encryption. Nothing is logged in to.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};
use tokio::runtime::Runtime;

use crate::source::examine::Steps;
use crate::source::{Cancel, SourceError};

use super::connect::Door;
use super::error::{PostgresError, not_agreed, not_encrypted, not_reached, tls_of, too_late, unknown_host};
use super::session::{NEVER, Wait, Watch, watched};
use super::settings::{Endpoint, Host, SslMode};
use super::tls::{self, Level};

/// What a client sends to ask for encryption.
const ASK: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];
/// How often a wish to stop is looked for while the server is silent.
const PIECE: Duration = Duration::from_millis(100);

/// Why the way ends before the server.
enum End {
    /// At this step.
    Failed(&'static str, PostgresError),
    Cancelled,
}

/// Goes to the first server of the settings that is reached, and tells each step; false where none is.
pub(super) fn go(
    door: &Door,
    runtime: &Runtime,
    cancel: &Cancel,
    steps: &mut Steps<'_>,
) -> Result<bool, SourceError> {
    let endpoints = &door.settings.endpoints;
    for (at, endpoint) in endpoints.iter().enumerate() {
        match (Way { door, runtime, cancel, endpoint }).go(steps) {
            Ok(()) => return Ok(true),
            Err(End::Cancelled) => return Err(SourceError::Cancelled),
            Err(End::Failed(name, error)) if at + 1 < endpoints.len() => {
                let text = format!("{}: {}; the next host is tried", endpoint.name(), error.problem);
                steps.note(name, text, error.advice.as_deref());
            }
            Err(End::Failed(name, error)) => steps.failed(name, &error.into()),
        }
    }
    Ok(false)
}

struct Way<'a> {
    door: &'a Door,
    runtime: &'a Runtime,
    cancel: &'a Cancel,
    endpoint: &'a Endpoint,
}

impl Way<'_> {
    fn go(&self, steps: &mut Steps<'_>) -> Result<(), End> {
        steps.begin();
        let Host::Net { name, address } = &self.endpoint.host else {
            steps.known("TLS", "off: the server is reached by a socket of this machine");
            return Ok(());
        };
        let addresses = match address.or_else(|| name.parse::<IpAddr>().ok()) {
            Some(address) => {
                steps.known("name looked up", format!("there is none to look up: {address}"));
                vec![address]
            }
            None => {
                let found = self.look_up(name)?;
                let all: Vec<String> = found.iter().map(IpAddr::to_string).collect();
                steps.good("name looked up", format!("{name} is {}", all.join(", ")));
                found
            }
        };
        let (stream, reached) = self.connect(&addresses)?;
        steps.good("port reached", reached.to_string());
        self.encrypt(name, stream, steps)
    }

    fn waited<T>(&self, name: &'static str, work: impl Future<Output = T>) -> Result<T, End> {
        let patience = self.door.settings.connect_timeout;
        let watch = Watch { cancel: self.cancel, halted: &NEVER };
        self.runtime.block_on(watched(watch, Some(patience), work)).map_err(|wait| match wait {
            Wait::Over => End::Cancelled,
            Wait::TimedOut => self.too_late(name),
        })
    }

    fn too_late(&self, name: &'static str) -> End {
        let seconds = self.door.settings.connect_timeout.as_secs();
        End::Failed(name, too_late(&self.door.place(self.endpoint), seconds))
    }

    fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, End> {
        let name = "name looked up";
        let found = self.waited(name, tokio::net::lookup_host((host, self.endpoint.port)))?;
        let mut addresses: Vec<IpAddr> = found.map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(End::Failed(
                name,
                unknown_host(&self.door.place(self.endpoint), self.door.settings.further_at),
            ));
        }
        Ok(addresses)
    }

    fn connect(&self, addresses: &[IpAddr]) -> Result<(TcpStream, SocketAddr), End> {
        let name = "port reached";
        let mut last = None;
        for address in addresses {
            let address = SocketAddr::new(*address, self.endpoint.port);
            let connected = self.waited(name, tokio::net::TcpStream::connect(address));
            let opened = connected.map(|stream| stream.and_then(tokio::net::TcpStream::into_std));
            match opened {
                Ok(Ok(stream)) => return Ok((stream, address)),
                Ok(Err(error)) => last = Some(self.refused(name, error.kind())),
                Err(End::Cancelled) => return Err(End::Cancelled),
                Err(end) => last = Some(end),
            }
        }
        Err(last.unwrap_or_else(|| self.too_late(name)))
    }

    fn refused(&self, name: &'static str, kind: std::io::ErrorKind) -> End {
        let (problem, advice) = not_reached(kind);
        End::Failed(name, PostgresError::new(self.door.place(self.endpoint), problem, advice))
    }

    /// Tries the encryption that the settings want.
    fn encrypt(&self, host: &str, mut stream: TcpStream, steps: &mut Steps<'_>) -> Result<(), End> {
        let name = "TLS";
        let mode = self.door.settings.ssl_mode;
        match mode {
            SslMode::Disable => {
                steps.known(name, "off: `sslmode=disable`");
                return Ok(());
            }
            SslMode::Allow => {
                steps.known(name, "off, unless the server insists: `sslmode=allow`");
                return Ok(());
            }
            SslMode::Prefer | SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {}
        }
        let until = Instant::now() + self.door.settings.connect_timeout;
        let ready = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_read_timeout(Some(PIECE)))
            .and_then(|()| stream.set_write_timeout(Some(PIECE)));
        ready.and_then(|()| stream.write_all(&ASK)).map_err(|error| self.refused(name, error.kind()))?;
        let mut answer = [0_u8; 1];
        self.patient(name, until, || stream.read_exact(&mut answer))?;
        if answer != *b"S" {
            if mode == SslMode::Prefer {
                steps.note(name, "off: the server offers no encryption", None);
                return Ok(());
            }
            return Err(End::Failed(name, not_encrypted(&self.door.place(self.endpoint))));
        }
        match self.shake_hands(host, &mut stream, until) {
            Ok(version) => {
                let tested = match tls::level(&self.door.settings) {
                    Level::Nothing => "the server's certificate is not tested",
                    Level::Authority => "the server's certificate is from a trusted authority",
                    Level::Name => "the server's certificate is from a trusted authority, for this host",
                };
                steps.good(name, format!("{version}; {tested}"));
                Ok(())
            }
            Err(End::Failed(_, error)) if mode == SslMode::Prefer => {
                let text =
                    format!("{}; without encryption is tried, as `sslmode=prefer` allows", error.problem);
                steps.note(name, text, error.advice.as_deref());
                Ok(())
            }
            Err(end) => Err(end),
        }
    }

    fn shake_hands(&self, host: &str, stream: &mut TcpStream, until: Instant) -> Result<&'static str, End> {
        let name = "TLS";
        let config: ClientConfig =
            tls::config(&self.door.settings).map_err(|error| End::Failed(name, error))?;
        let told = |error: &rustls::Error| {
            let (problem, advice) = not_agreed(error);
            End::Failed(name, PostgresError::new(self.door.place(self.endpoint), problem, advice))
        };
        let server = ServerName::try_from(host.to_owned()).map_err(|_| {
            let advice = "give it without special characters, or use `sslmode=require`";
            let problem = "the host's name cannot be in a certificate";
            End::Failed(name, PostgresError::new(self.door.place(self.endpoint), problem, advice))
        })?;
        let mut talk = ClientConnection::new(Arc::new(config), server).map_err(|error| told(&error))?;
        while talk.is_handshaking() {
            let mut wrong = None;
            let done = self.patient(name, until, || match talk.complete_io(stream) {
                Err(error) if tls_of(&error).is_some() => {
                    wrong = tls_of(&error).map(told);
                    Ok(())
                }
                other => other.map(drop),
            });
            if let Some(end) = wrong {
                return Err(end);
            }
            done?;
        }
        Ok(match talk.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        })
    }

    /// Does something with the stream again and again until the server has answered.
    fn patient(
        &self,
        name: &'static str,
        until: Instant,
        mut work: impl FnMut() -> std::io::Result<()>,
    ) -> Result<(), End> {
        loop {
            match work() {
                Ok(()) => return Ok(()),
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock
                            | std::io::ErrorKind::TimedOut
                            | std::io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(self.refused(name, error.kind())),
            }
            if self.cancel.is_cancelled() {
                return Err(End::Cancelled);
            }
            if Instant::now() >= until {
                return Err(self.too_late(name));
            }
        }
    }
}
