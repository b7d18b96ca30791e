use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// An authority that nobody trusts by itself. Its certificates are made anew in each test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, in PEM.
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let mut params = CertificateParams::default();
        // One is told from another by its name.
        let name = format!("Authority {}", COUNT.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("an authority");
        Self { issuer }
    }

    /// Its own certificate in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for these names or addresses that vouches for itself, marked as an authority's: what `openssl req -x509` makes.
    pub fn self_signed(names: &[&str]) -> Identity {
        let (mut params, key) = (params(names), key());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    /// A certificate for these names or addresses.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.sign(&params(names))
    }

    /// The same, past its time since many years.
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        let mut params = params(names);
        (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// TLS on 127.0.0.1 before a server that speaks none. Ends with this value.
pub struct TlsFront {
    port: u16,
    _end: oneshot::Sender<()>,
}

impl TlsFront {
    /// Shows `identity`, and passes everything on to `backend`.
    #[track_caller]
    pub fn start(backend: SocketAddr, identity: &Identity) -> Self {
        Self::with(backend, identity, None)
    }

    /// The same for clients alone that show a certificate of this authority.
    #[track_caller]
    pub fn for_clients_of(authority: &Authority, backend: SocketAddr, identity: &Identity) -> Self {
        Self::with(backend, identity, Some(authority))
    }

    #[track_caller]
    fn with(backend: SocketAddr, identity: &Identity, clients: Option<&Authority>) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(identity, clients)));
        let (end, ended) = oneshot::channel();
        let (tell_port, port) = mpsc::channel();
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                tell_port.send(listener.local_addr().expect("an address").port()).expect("the test waits");
                tokio::select! {
                    () = serve(&listener, &acceptor, backend) => {}
                    _ = ended => {}
                }
            });
        });
        Self { port: port.recv().expect("a server"), _end: end }
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }
}

fn server_config(identity: &Identity, clients: Option<&Authority>) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().expect("versions of TLS");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.issuer.der().clone()).expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key");
    builder.with_single_cert(vec![certificate], key).expect("a key that fits")
}

async fn serve(listener: &TcpListener, acceptor: &TlsAcceptor, backend: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            match acceptor.accept(client).into_fallible().await {
                Ok(mut client) => {
                    let Ok(mut server) = TcpStream::connect(backend).await else { return };
                    // However one of them goes, the other goes with it.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
                Err((_, mut client)) => {
                    // What the client still sends is read, as a reset would overtake the alert that says why it is refused.
                    let _ = client.shutdown().await;
                    let rest = async { while matches!(client.read(&mut [0; 1024]).await, Ok(1..)) {} };
                    let _ = tokio::time::timeout(Duration::from_secs(10), rest).await;
                }
            }
        });
    }
}
