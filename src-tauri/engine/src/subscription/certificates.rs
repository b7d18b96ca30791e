//! TLS as a feed's settings and their files ask for it.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

use super::route::RequestError;
use crate::{
    feed::{FileFault, Reason},
    network::{ClientCertificate, Network},
};

/// Largest file of certificates or keys, in bytes; the authorities of a whole system take a quarter of it.
const MAX_FILE: u64 = 1 << 20;

/// The system's root certificates, loaded when they are first asked for. Most of what a TLS configuration takes in memory, so
/// there is one copy.
pub(super) type Roots = OnceLock<Arc<RootCertStore>>;

/// What tells that a file has changed; `None`: it cannot be asked.
pub(super) type Stamp = Option<(SystemTime, u64)>;

/// The stamps of all files that these settings name.
pub(super) fn stamps(network: &Network) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let file = fs::metadata(path).ok()?;
        Some((file.modified().ok()?, file.len()))
    };
    files(network).map(stamp).collect()
}

/// The files that these settings name.
pub(super) fn files(network: &Network) -> impl Iterator<Item = &Path> {
    let identity = network.client_certificate.iter();
    let identity = identity.flat_map(|identity| [&*identity.certificate, &*identity.key]);
    network.ca_file.as_deref().into_iter().chain(identity)
}

/// TLS 1.2 and 1.3. Reads files, so it may take a while.
pub(super) fn tls_config(network: &Network, roots: &Roots) -> Result<ClientConfig, RequestError> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let system = || Arc::clone(roots.get_or_init(system_roots));
    let builder = match &network.ca_file {
        _ if !network.verify_certificate => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        }
        // There may be none at all: then nobody is trusted, which is no fault of what goes without TLS.
        None => builder.with_root_certificates(system()),
        Some(path) => {
            let named = Arc::new(named(path, &system(), provider)?);
            builder.dangerous().with_custom_certificate_verifier(named)
        }
    };
    let Some(identity) = &network.client_certificate else { return Ok(builder.with_no_client_auth()) };
    let (chain, key) = read_identity(identity)?;
    builder.with_client_auth_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => unusable(&identity.key, FileFault::WrongKey),
        // Of a kind that cannot sign here.
        _ => unusable(&identity.key, FileFault::NoKey),
    })
}

fn named(path: &Path, system: &RootCertStore, provider: Arc<CryptoProvider>) -> Result<Named, RequestError> {
    let pem = read(path)?;
    let named: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    let mut roots = system.clone();
    if roots.add_parsable_certificates(named.iter().cloned()).0 == 0 {
        return Err(unusable(path, without_certificate(&pem)));
    }
    let authorities = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let authorities = authorities.map_err(|error| rustls::Error::General(error.to_string()))?;
    Ok(Named { authorities, named })
}

/// Those that cannot be read are left out.
fn system_roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
}

fn read_identity(
    identity: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), RequestError> {
    let pem = read(&identity.certificate)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(unusable(&identity.certificate, without_certificate(&pem)));
    }
    let pem = read(&identity.key)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let encrypted = [&b"ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"];
        let encrypted = encrypted.iter().any(|mark| memchr::memmem::find(&pem, mark).is_some());
        let fault = match without_certificate(&pem) {
            FileFault::Pkcs12 => FileFault::Pkcs12,
            _ if encrypted => FileFault::EncryptedKey,
            _ => FileFault::NoKey,
        };
        unusable(&identity.key, fault)
    })?;
    Ok((chain, key))
}

/// What a file without a certificate in PEM is. PKCS#12 (RFC 7292, 4) is a sequence that begins with the number 3.
fn without_certificate(bytes: &[u8]) -> FileFault {
    let length = match bytes {
        [0x30, 0x80, ..] => 0,
        [0x30, length @ 0x81..0x85, ..] => usize::from(length & 0x0F),
        _ => return FileFault::NoCertificate,
    };
    match bytes.get(2 + length..) {
        Some([0x02, 0x01, 0x03, ..]) => FileFault::Pkcs12,
        _ => FileFault::NoCertificate,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RequestError> {
    let cannot = |error: io::Error| unusable(path, FileFault::Unreadable(error.to_string()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(cannot(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}

fn unusable(path: &Path, fault: FileFault) -> RequestError {
    RequestError::File(Reason::CertificateFile { path: path.display().to_string(), fault })
}

/// Trusts authorities, and servers that show the very certificate that was named as one. A self-signed certificate is often
/// marked as an authority's, which webpki takes for no server's.
#[derive(Debug)]
struct Named {
    authorities: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // It is asked for after the time has been found right.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))))
                if cause.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
                    && self.named.iter().any(|named| named == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Takes every certificate: the person said so.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    // Whose key it is has not been verified, so what it signs proves nothing.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkcs12_is_told_from_other_binary_forms() {
        for (bytes, fault) in [
            (&[0x30, 0x82, 0x0A, 0x61, 0x02, 0x01, 0x03, 0x30][..], FileFault::Pkcs12),
            (&[0x30, 0x80, 0x02, 0x01, 0x03, 0x30], FileFault::Pkcs12),
            // A certificate in DER.
            (&[0x30, 0x82, 0x03, 0x61, 0x30, 0x82], FileFault::NoCertificate),
            (&[0x30, 0x84], FileFault::NoCertificate),
            (b"-----BEGIN PRIVATE KEY-----", FileFault::NoCertificate),
            (b"", FileFault::NoCertificate),
        ] {
            assert_eq!(without_certificate(bytes), fault, "{bytes:02x?}");
        }
    }
}
