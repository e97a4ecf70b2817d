//! Encryption: what each `sslmode` asks of the server's certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::PostgresError;
use super::settings::{Settings, SslMode};

/// Makes what encrypts connections.
///
/// # Errors
/// Where a certificate or key cannot be read.
pub(super) fn connector(settings: &Settings) -> Result<MakeRustlsConnect, PostgresError> {
    config(settings).map(MakeRustlsConnect::new)
}

/// Returns what a server's certificate has to be.
pub(super) fn level(settings: &Settings) -> Level {
    // As libpq has it: who names an authority wants it to be asked.
    match (settings.ssl_mode, &settings.root_certificate) {
        (SslMode::VerifyFull, _) => Level::Name,
        (SslMode::VerifyCa, _) | (SslMode::Require, Some(_)) => Level::Authority,
        _ => Level::Nothing,
    }
}

/// Makes the settings of encryption.
///
/// # Errors
/// Where a certificate or key cannot be read.
pub(super) fn config(settings: &Settings) -> Result<ClientConfig, PostgresError> {
    let provider = Arc::new(ring::default_provider());
    let level = level(settings);
    let roots = match level {
        Level::Nothing => Vec::new(),
        Level::Authority | Level::Name => trusted(settings.root_certificate.as_deref())?,
    };
    let verifier = Verifier::new(level, roots, Arc::clone(&provider))?;
    let failed = |e: &Error| PostgresError::new("encryption", e.to_string(), "check `sslcert` and `sslkey`");
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &settings.client_certificate {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = certificates(certificate, "`sslcert`")?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|_| unreadable("`sslkey`", key, "no private key (PEM) could be read from"))?;
            builder.with_client_auth_cert(chain, key).map_err(|e| failed(&e))?
        }
    };
    Ok(config)
}

fn unreadable(place: &str, path: &Path, problem: &str) -> PostgresError {
    let problem = format!("{problem} {}", path.display());
    PostgresError::new(place, problem, "correct the path, or the rights of the file")
}

fn certificates(path: &Path, place: &str) -> Result<Vec<CertificateDer<'static>>, PostgresError> {
    let failed = || unreadable(place, path, "no certificate (PEM) could be read from");
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|_| failed())?
        .collect::<Result<_, _>>()
        .map_err(|_| failed())?;
    if found.is_empty() { Err(failed()) } else { Ok(found) }
}

/// Returns the certificates of the authorities that are trusted.
fn trusted(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, PostgresError> {
    if let Some(file) = file {
        return certificates(file, "`root_certificate`");
    }
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        let problem = "this system has no certificates of authorities";
        return Err(PostgresError::new(
            "encryption",
            problem,
            "install them, or name a file in `root_certificate`",
        ));
    }
    Ok(found)
}

/// What a server's certificate has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Any.
    Nothing,
    /// From an authority that is trusted.
    Authority,
    /// That, and for the host's name.
    Name,
}

/// Tests a server's certificate to a level.
#[derive(Debug)]
struct Verifier {
    level: Level,
    /// Tests all of it; nothing where nothing is tested.
    full: Option<Arc<WebPkiServerVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(
        level: Level,
        roots: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, PostgresError> {
        let full = if level == Level::Nothing {
            None
        } else {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(roots.iter().cloned());
            let built =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build();
            Some(built.map_err(|_| {
                let advice = "it must be of an authority, as X.509 in PEM";
                PostgresError::new("`root_certificate`", "none of its certificates can be used", advice)
            })?)
        };
        Ok(Verifier { level, full, roots, provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(full) = &self.full else { return Ok(ServerCertVerified::assertion()) };
        match full.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is tested last: all else is right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.level == Level::Authority => Ok(ServerCertVerified::assertion()),
            // A server that signs for itself: its very certificate is trusted, and its dates have been tested.
            Err(Error::InvalidCertificate(CertificateError::Other(other)))
                if format!("{other:?}").contains("CaUsedAsEndEntity")
                    && self.roots.iter().any(|root| root.as_ref() == end_entity.as_ref()) =>
            {
                if self.level == Level::Name {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name);
        certificates(&path, "a fixture").unwrap().remove(0)
    }

    /// Returns whether a server with a certificate is accepted at 2026-01-01.
    fn verify(level: Level, root: &str, server: &str, name: &str, seconds: u64) -> Result<(), Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(level, vec![certificate(root)], provider).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        verifier.verify_server_cert(&certificate(server), &[], &name, &[], now).map(|_| ())
    }

    const NOW: u64 = 1_767_225_600;

    #[test]
    fn certificates_by_level() {
        for (level, root, server, name, ok) in [
            (Level::Authority, "authority.crt", "server.crt", "elsewhere", true),
            (Level::Name, "authority.crt", "server.crt", "localhost", true),
            (Level::Name, "authority.crt", "server.crt", "elsewhere", false),
            (Level::Authority, "other.crt", "server.crt", "localhost", false),
            // A server that signs for itself, as `openssl req -x509` makes it.
            (Level::Authority, "itself.crt", "itself.crt", "elsewhere", true),
            (Level::Name, "itself.crt", "itself.crt", "localhost", true),
            (Level::Name, "itself.crt", "itself.crt", "elsewhere", false),
            (Level::Authority, "other.crt", "itself.crt", "localhost", false),
        ] {
            let verified = verify(level, root, server, name, NOW);
            assert_eq!(verified.is_ok(), ok, "{level:?} {root} {server} {name}: {verified:?}");
        }
        assert!(verify(Level::Nothing, "other.crt", "server.crt", "elsewhere", NOW).is_ok());
    }

    #[test]
    fn certificates_have_their_time() {
        for server in ["server.crt", "itself.crt"] {
            let root = if server == "itself.crt" { server } else { "authority.crt" };
            for (seconds, expired) in [(0, false), (5_000_000_000, true)] {
                let error = verify(Level::Authority, root, server, "localhost", seconds).unwrap_err();
                let is_expired = format!("{error:?}").contains("Expired");
                assert_eq!(is_expired, expired, "{error:?}");
            }
        }
    }
}
