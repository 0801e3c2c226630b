//! TLS to the database, with rustls. A certificate that is not checked is never accepted.
//!
//! What is checked: that an authority in `govern.database_ca`, else one of the public ones, vouches for the
//! certificate, that it holds now, and that it is for the host that the address names (but for
//! `sslmode=verify-ca`). The password is bound to the certificate (SCRAM with `tls-server-end-point`) where
//! the server offers that, so that nobody in the middle can pass it on.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, InvalidDnsNameError, ServerName, UnixTime, pem,
};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::store::StoreError;

/// Which host a certificate may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// The one that the address names.
    Own,
    /// Any that the authority vouches for.
    Any,
}

/// What is needed to encrypt connections.
#[derive(Debug, Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// With the authorities of a file in PEM, else with the public ones.
    pub(super) fn new(ca: Option<&Path>, names: Names) -> Result<Self, StoreError> {
        let roots = Arc::new(match ca {
            Some(file) => authorities(file).map_err(|what| StoreError::Authority {
                file: file.display().to_string(),
                what,
            })?,
            None => RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            },
        });
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| StoreError::Tls("this build has no version of it"))?;
        let mut config = match names {
            Names::Own => builder.with_root_certificates(roots),
            Names::Any => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(ChainOnly { roots, provider })),
        }
        .with_no_client_auth();
        // Demanded where a connection begins with TLS at once (`sslnegotiation=direct`).
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Tls(Arc::new(config)))
    }
}

fn authorities(file: &Path) -> Result<RootCertStore, String> {
    let unreadable = |error| match error {
        pem::Error::Io(error) => error.kind().to_string(),
        _ => "it is no PEM".to_owned(),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
        let certificate = certificate.map_err(unreadable)?;
        roots
            .add(certificate)
            .map_err(|_| "a certificate in it cannot be read".to_owned())?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(roots)
}

/// Checks who vouches for a certificate, and not for which host.
#[derive(Debug)]
struct ChainOnly {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ChainOnly {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A handshake with one host.
pub(super) struct Handshake {
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, InvalidDnsNameError> {
        Ok(Handshake {
            connector: TlsConnector::from(Arc::clone(&self.0)),
            host: ServerName::try_from(host.to_owned())?,
        })
    }
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let stream = self.connector.connect(self.host, stream).await?;
            Ok(Encrypted(stream))
        })
    }
}

/// An encrypted connection.
pub(super) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, to)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        let certificates = self.0.get_ref().1.peer_certificates().unwrap_or_default();
        certificates
            .first()
            .and_then(|certificate| end_point(certificate))
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The hash of a certificate that its password is bound to (RFC 5929, section 4.1): by the hash function of
/// the certificate's own signature, or SHA-256 in the place of MD5 and SHA-1. `None`: that signature has no
/// one hash function, or another than these.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    let (fields, _) = element(certificate)?;
    let (_, signature) = element(fields)?;
    let (algorithm, _) = element(signature)?;
    let (name, _) = element(algorithm)?;
    let hash: fn(&[u8]) -> Vec<u8> = match (name.strip_prefix(RSA), name.strip_prefix(ECDSA)) {
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => |bytes| Sha256::digest(bytes).to_vec(),
        (Some([12]), _) | (_, Some([3, 3])) => |bytes| Sha384::digest(bytes).to_vec(),
        (Some([13]), _) | (_, Some([3, 4])) => |bytes| Sha512::digest(bytes).to_vec(),
        _ => return None,
    };
    Some(hash(certificate))
}

/// The content of the first element in DER, and what is behind it.
fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let digits = digits.iter().skip_while(|digit| **digit == 0);
        let length = digits
            .clone()
            .take(5)
            .fold(0, |n, d| n << 8 | u64::from(*d));
        (usize::try_from(length).ok()?, rest)
    };
    rest.split_at_checked(length)
}

/// What TLS has to do with a failure, in words of our own: those of others hold names of hosts.
pub(super) fn trouble(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref())
            .and_then(|inner| inner.downcast_ref::<Error>());
        if let Some(error) = inner {
            return Some(words(error));
        }
        if error.is::<InvalidDnsNameError>() {
            return Some("the host of the address is none that a certificate can be for");
        }
        // The client's own error for this has no type.
        if error.to_string() == "server does not support TLS" {
            return Some(
                "the server offers none; over a private way, say sslmode=disable in its address",
            );
        }
        cause = error.source();
    }
    None
}

fn words(error: &Error) -> &'static str {
    let Error::InvalidCertificate(error) = error else {
        return "the handshake failed";
    };
    match error {
        // The second where another authority has the same name.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no known authority vouches for its certificate; govern.database_ca can name one"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host"
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => "its certificate does not hold now",
        _ => "its certificate cannot be accepted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate with nothing in it but the name of its signature.
    fn signed_with(name: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let algorithm = wrap(0x30, &wrap(6, name));
        wrap(
            0x30,
            &[wrap(0x30, &[1, 2, 3]), algorithm, wrap(3, &[0])].concat(),
        )
    }

    #[test]
    fn a_password_is_bound_by_the_hash_of_the_certificates_signature() {
        let rsa = |last| signed_with(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last]);
        let ecdsa =
            |last: &[u8]| signed_with(&[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04], last].concat());
        let bits = |of: Vec<u8>| end_point(&of).map_or(0, |hash| hash.len() * 8);
        assert_eq!(
            [4, 5, 11, 12, 13, 10].map(|n| bits(rsa(n))),
            [256, 256, 256, 384, 512, 0]
        );
        let own: [&[u8]; 4] = [&[1], &[3, 2], &[3, 3], &[3, 4]];
        assert_eq!(own.map(|n| bits(ecdsa(n))), [256, 256, 384, 512]);
        let ed25519 = signed_with(&[0x2b, 0x65, 0x70]);
        assert_eq!(bits(ed25519), 0);
        let whole = rsa(11);
        assert_eq!(end_point(&whole).unwrap(), Sha256::digest(&whole).to_vec());
        for end in 0..whole.len() {
            end_point(&whole[..end]);
        }
        assert_eq!(
            element(&[0x30, 0x82, 0, 1, 7, 8]),
            Some((&[7][..], &[8][..]))
        );
        assert_eq!(element(&[0x30, 0xff, 1]), None);
    }
}
