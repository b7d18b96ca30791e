//! A server of event streams that only says what it is told to, on http and https.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result, ensure};
use bellwether_tests::{PATIENCE, until, until_some};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tempfile::TempDir;

/// A running server; its connections are open until it is dropped.
pub(crate) struct Feeds {
    origin: String,
    open: Open,
    /// What a client has to trust, for https.
    certificates: Option<PathBuf>,
    _folder: Option<TempDir>,
}

type Open = Arc<Mutex<Vec<Connection>>>;

/// A connection whose response has begun.
struct Connection {
    path: String,
    socket: TcpStream,
    _tls: Option<StreamOwned<ServerConnection, TcpStream>>,
}

impl Feeds {
    /// On http.
    pub(crate) fn http() -> Result<Self> {
        let (origin, open) = serve("http", None)?;
        Ok(Self { origin, open, certificates: None, _folder: None })
    }

    /// On https, with a certificate that is made for it.
    pub(crate) fn https() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = Arc::new(tls_config(folder.path())?);
        let (origin, open) = serve("https", Some(config))?;
        let certificates = folder.path().join("trusted.pem");
        // Beside the system's, so that they take the memory that they take everywhere.
        let mut trusted = fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
        trusted.extend(fs::read(folder.path().join("certificate.pem"))?);
        fs::write(&certificates, trusted)?;
        Ok(Self { origin, open, certificates: Some(certificates), _folder: Some(folder) })
    }

    /// The file of the certificates that a client has to trust: for `SSL_CERT_FILE`.
    pub(crate) fn certificates(&self) -> Option<&Path> {
        self.certificates.as_deref()
    }

    /// Declares so many feeds of this server, `rules` included in each.
    pub(crate) fn declare(&self, config: &mut String, numbers: std::ops::Range<u32>, rules: &str) {
        for number in numbers {
            let scheme = self.origin.split(':').next().unwrap_or_default();
            let _ = write!(
                config,
                "[[feed]]\nid = \"{scheme}-{number}\"\nurl = \"{}/{number}\"\n{rules}\n",
                self.origin
            );
        }
    }

    /// Waits until so many feeds are connected.
    pub(crate) fn wait_for(&self, connections: usize) {
        until(PATIENCE, &format!("{connections} connections"), || lock(&self.open).len() >= connections);
    }

    /// The way to the feed of this number, once it is connected.
    pub(crate) fn stream(&self, number: u32) -> Result<TcpStream> {
        let path = format!("/{number}");
        let socket = until_some(PATIENCE, &format!("a connection to {path}"), || {
            let open = lock(&self.open);
            open.iter().rev().find(|connection| connection.path == path).map(|found| found.socket.try_clone())
        });
        Ok(socket?)
    }
}

/// About 350 bytes, as alerting servers send them.
pub(crate) fn typical(into: &mut String, number: u64) {
    let (host, priority) = (number % 97, number % 6);
    let _ = write!(
        into,
        "id: {number}\nevent: alert\ndata: {{\"title\":\"disk almost full\",\"message\":\"number{number} on host{host} \
         needs care: /var/lib is 93 % full, 12.4 GiB are left of 200\",\"priority\":{priority},\"tags\":[\"severity\",\
         \"storage\",\"host{host}\"],\"click\":\"https://alerts.example.org/alerts/{number}\",\"time\":\
         \"2024-05-06T07:08:09Z\",\"source\":\"monitor-3.example.org\"}}\n\n"
    );
}

fn serve(scheme: &str, tls: Option<Arc<ServerConfig>>) -> Result<(String, Open)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let origin = format!("{scheme}://127.0.0.1:{}", listener.local_addr()?.port());
    let open = Open::default();
    let all = Arc::downgrade(&open);
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let Some(open) = all.upgrade() else { return };
            let tls = tls.clone();
            thread::spawn(move || {
                if let Ok(connection) = answer(socket, tls) {
                    lock(&open).push(connection);
                }
            });
        }
    });
    Ok((origin, open))
}

fn answer(socket: TcpStream, tls: Option<Arc<ServerConfig>>) -> Result<Connection> {
    socket.set_nodelay(true)?;
    let clear = socket.try_clone()?;
    let Some(tls) = tls else {
        let path = respond(&mut &socket)?;
        return Ok(Connection { path, socket: clear, _tls: None });
    };
    let mut stream = StreamOwned::new(ServerConnection::new(tls)?, socket);
    let path = respond(&mut stream)?;
    Ok(Connection { path, socket: clear, _tls: Some(stream) })
}

/// Reads the request, begins the response, and returns the path that was asked for.
fn respond(stream: &mut (impl Read + Write)) -> Result<String> {
    let mut path = None;
    let mut reader = BufReader::new(&mut *stream);
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(reader.read_line(&mut line)? > 0, "the request broke off");
        path = path.or_else(|| line.split(' ').nth(1).map(str::to_owned));
        if line == "\r\n" {
            break;
        }
    }
    // Without a length the body goes on until the connection ends.
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: welcome\n\n")?;
    stream.flush()?;
    path.context("a request without a path")
}

/// A certificate for 127.0.0.1 that is signed with its own key, but is no authority: so a client may find it both sent by the
/// server and among those that it trusts.
fn tls_config(folder: &Path) -> Result<ServerConfig> {
    let [key, certificate] = ["key.pem", "certificate.pem"].map(|name| folder.join(name));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bench"]);
    openssl.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output();
    let made = made.context("cannot start openssl")?;
    ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    let chain = CertificateDer::pem_file_iter(&certificate)?.collect::<Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(&key)?)?;
    Ok(config)
}

fn lock(open: &Open) -> MutexGuard<'_, Vec<Connection>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
