//! A server on a loopback port that answers from a script, and a subscription whose signals can be waited for.

#![allow(
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "helpers of several tests, which may panic"
)]

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use bellwether_engine::{
    access::Credentials,
    event_source::{Limits, Message},
    feed::{ConnectionState, Reason, State},
    network::Network,
    resume::Resume,
    subscription::{Client, HeaderMap, News, Signal, Subscription},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use url::Url;

/// The longest that a test waits for anything: far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the server does on a connection once it has read the request's head.
pub enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Goes on when the test says so.
    Wait(Arc<Notify>),
    /// Goes on after this time of tokio's clock.
    Pass(Duration),
    /// Says nothing more until the client hangs up.
    Hold,
    /// Closes the connection with a TCP reset.
    Reset,
}

/// Sends text.
pub fn send(text: impl Into<String>) -> Act {
    Act::Send(text.into().into_bytes())
}

/// Sends the head of an event stream whose body lasts until the connection is closed, and `body`.
pub fn stream(body: &str) -> Act {
    send(format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}"))
}

/// Sends a whole response without a body.
pub fn answer(status: &str, headers: &str) -> Act {
    send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{headers}\r\n"))
}

/// The head of a request that came.
#[derive(Debug)]
pub struct Recorded {
    /// `GET /path HTTP/1.1`
    pub line: String,
    /// Names in lower case, values as bytes.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Recorded {
    /// Whether a header came once, with this value.
    pub fn has(&self, name: &str, value: &[u8]) -> Result<(), String> {
        let seen = self.header(name);
        let text = |value| String::from_utf8_lossy(value).into_owned();
        if seen == Some(value) {
            return Ok(());
        }
        Err(format!("{name}: {:?} expected, {:?} came", text(value), seen.map(text)))
    }

    /// Whether a header did not come.
    pub fn lacks(&self, name: &str) -> Result<(), String> {
        self.header(name).map_or(Ok(()), |value| Err(format!("{name}: {} came", value.escape_ascii())))
    }

    /// Whether it is this that was asked for.
    pub fn is_for(&self, target: &str) -> Result<(), String> {
        if self.line == format!("GET {target} HTTP/1.1") { Ok(()) } else { Err(self.line.clone()) }
    }

    /// The value of a header, which there is at most once.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        let value = values.next().map(|(_, value)| value.as_slice());
        assert!(values.next().is_none(), "{name} came twice");
        value
    }
}

/// Answers its n-th connection by the n-th script, and holds those beyond.
pub struct ScriptedServer {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<Recorded>,
    hang_ups: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    /// Starts to listen.
    pub async fn start(scripts: Vec<Vec<Act>>) -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.expect("a free port"), scripts)
    }

    /// The same on a port whose number had to be known before.
    pub fn serve(listener: TcpListener, scripts: Vec<Vec<Act>>) -> Self {
        let address = listener.local_addr().expect("an address");
        let (record, requests) = mpsc::unbounded_channel();
        let (hang_up, hang_ups) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            let mut scripts = scripts.into_iter();
            while let Ok((connection, _)) = listener.accept().await {
                let script = scripts.next().unwrap_or_else(|| vec![Act::Hold]);
                tokio::spawn(act_out(connection, script, record.clone(), hang_up.clone()));
            }
        });
        Self { address, requests, hang_ups, task }
    }

    /// A URL of this server.
    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a URL")
    }

    /// The next request.
    pub async fn request(&mut self) -> Recorded {
        patiently("a request", self.requests.recv()).await.expect("the server runs")
    }

    /// Waits until a client closes a connection that is held.
    pub async fn hang_up(&mut self) {
        patiently("the end of a connection", self.hang_ups.recv()).await.expect("the server runs");
    }

    /// That no request has come that was not fetched.
    pub fn assert_quiet(&mut self) {
        assert!(self.unasked().is_ok(), "a request more than expected");
    }

    /// A request that has come already.
    pub fn recorded(&mut self) -> Option<Recorded> {
        self.requests.try_recv().ok()
    }

    /// Whether no request has come that was not fetched; else the one.
    pub fn unasked(&mut self) -> Result<(), String> {
        self.recorded().map_or(Ok(()), |request| Err(format!("{} was asked for", request.line)))
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn act_out(
    mut connection: TcpStream,
    script: Vec<Act>,
    record: mpsc::UnboundedSender<Recorded>,
    hang_up: mpsc::UnboundedSender<()>,
) {
    let Some(request) = read_head(&mut connection).await else { return };
    let _ = record.send(request);
    for act in script {
        match act {
            // The client may have hung up already, which is its right.
            Act::Send(bytes) => drop(connection.write_all(&bytes).await),
            Act::Wait(go) => go.notified().await,
            Act::Pass(time) => sleep(time).await,
            Act::Hold => {
                while matches!(connection.read(&mut [0; 1024]).await, Ok(1..)) {}
                let _ = hang_up.send(());
            }
            Act::Reset => connection.set_zero_linger().expect("a socket option"),
        }
    }
}

async fn read_head(connection: &mut TcpStream) -> Option<Recorded> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let line = String::from_utf8_lossy(lines.next()?).into_owned();
    let headers = lines.filter(|line| !line.is_empty()).map(|line| {
        let colon = line.iter().position(|byte| *byte == b':').expect("a header");
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        (name, line[colon + 1..].trim_ascii().to_vec())
    });
    Some(Recorded { line, headers: headers.collect() })
}

/// A server on a loopback port with a certificate that nobody trusts, for one connection. Its thread ends when the client has
/// refused the certificate.
pub fn untrusted() -> (Url, std::thread::JoinHandle<()>) {
    let config = tls_config(include_bytes!("untrusted.crt"), include_bytes!("untrusted.key"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let mut tls = rustls::ServerConnection::new(config).expect("a server");
        tls.complete_io(&mut connection).expect_err("the client refuses the certificate");
    });
    (Url::parse(&format!("https://{address}/")).expect("a URL"), server)
}

/// The authority that the certificates of [`over_tls`] are from.
pub const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/authority.crt");

/// The certificate of a server at 127.0.0.1 whose time is not over, and of one whose time is.
pub const VALID: &[u8] = include_bytes!("trusted.crt");
pub const EXPIRED: &[u8] = include_bytes!("expired.crt");

/// A server on a loopback port with this certificate, which gives each request this answer and then waits for the client to
/// hang up; its port.
pub fn over_tls(certificate: &[u8], answer: String) -> u16 {
    over_tls_by(certificate, move |_| answer.clone().into_bytes())
}

/// The same with an answer for each request's head, whose lines it gets in lower case.
pub fn over_tls_by(certificate: &[u8], answer: impl Fn(&[String]) -> Vec<u8> + Send + 'static) -> u16 {
    use std::io::{BufRead, BufReader, Read, Write};
    let config = tls_config(certificate, include_bytes!("trusted.key"));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).expect("a server");
            let mut stream = BufReader::new(rustls::StreamOwned::new(tls, connection));
            // A client may refuse the certificate, which is its right.
            let lines = stream.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let head: Vec<String> = lines.map(|line| line.to_ascii_lowercase()).collect();
            if !head.is_empty() && stream.get_mut().write_all(&answer(&head)).is_ok() {
                let _ = stream.read(&mut [0]);
            }
        }
    });
    port
}

fn tls_config(certificate: &[u8], key: &[u8]) -> Arc<rustls::ServerConfig> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let certificate = CertificateDer::from_pem_slice(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits");
    Arc::new(config)
}

/// Limits whose waits are over at once, but those after refusals, which no test can outwait.
pub fn quick() -> Limits {
    Limits {
        base_delay: Duration::ZERO,
        retry_min: Duration::ZERO,
        spread: Duration::ZERO,
        ..Limits::default()
    }
}

/// A client with the usual time to connect.
pub fn client() -> Client {
    Client::new("Bellwether/0.0.0").expect("a client")
}

/// A subscription that runs, and its signals.
pub struct Running {
    /// What it is told.
    pub news: Arc<News>,
    signals: mpsc::Receiver<Signal>,
    task: JoinHandle<()>,
}

impl Running {
    /// Subscribes with [`quick`] limits and nothing special.
    pub fn to(url: Url) -> Self {
        Self::start(subscription(url), Duration::from_secs(10))
    }

    /// Runs a subscription.
    pub fn start(subscription: Subscription, connect_timeout: Duration) -> Self {
        let client = Client::with_connect_timeout("Bellwether/0.0.0", connect_timeout).expect("a client");
        let news = Arc::new(News::default());
        // Small, so that every test has the back-pressure.
        let (sender, signals) = mpsc::channel(1);
        let task = tokio::spawn(subscription.run(client, news.clone(), sender, |signal, _| signal));
        Self { news, signals, task }
    }

    /// The next signal.
    pub async fn signal(&mut self) -> Signal {
        patiently("a signal", self.signals.recv()).await.expect("the subscription runs")
    }

    /// A signal that has come already.
    pub fn told(&mut self) -> Option<Signal> {
        self.signals.try_recv().ok()
    }

    /// The next signal, which must be about the state.
    pub async fn state(&mut self) -> ConnectionState {
        match self.signal().await {
            Signal::State(state) => state,
            other => panic!("a state expected, {other:?} came"),
        }
    }

    /// The next signal, which must be this state without failures.
    pub async fn plain_state(&mut self, state: State) {
        let seen = self.state().await;
        assert_eq!((seen.state, seen.reason, seen.attempt), (state, None, 0));
    }

    /// The next signal, which must be this state for this reason.
    pub async fn state_for(&mut self, state: State, reason: Reason) -> ConnectionState {
        let seen = self.state().await;
        assert_eq!((seen.state, seen.reason.as_ref()), (state, Some(&reason)));
        seen
    }

    /// The next signal, which must be an opened stream; whether it may replay.
    pub async fn opened(&mut self) -> bool {
        match self.signal().await {
            Signal::Opened { replay, .. } => replay,
            other => panic!("an opened stream expected, {other:?} came"),
        }
    }

    /// The next signal, which must be a message; its data and last event ID.
    pub async fn message(&mut self) -> (String, String) {
        match self.signal().await {
            Signal::Message { message: Message { data, last_event_id, .. }, .. } => (data, last_event_id),
            other => panic!("a message expected, {other:?} came"),
        }
    }

    /// From the start to the open stream.
    pub async fn connected(&mut self) {
        self.plain_state(State::Connecting).await;
        self.opened().await;
        self.plain_state(State::Connected).await;
    }

    /// Waits until the subscription is over by itself; a signal that comes instead.
    pub async fn ended(&mut self) -> Option<Signal> {
        patiently("the end", self.signals.recv()).await
    }

    /// Waits until the subscription is over by itself.
    pub async fn finished(mut self) {
        assert!(patiently("the end", self.signals.recv()).await.is_none(), "a signal more than expected");
        patiently("the end", self.task).await.expect("no panic");
    }

    /// Drops the subscription where it stands.
    pub fn abort(self) {
        self.task.abort();
    }
}

/// A subscription with [`quick`] limits, from the beginning.
pub fn subscription(url: Url) -> Subscription {
    Subscription {
        url,
        headers: HeaderMap::new(),
        credentials: Credentials::default(),
        network: Network::default(),
        idle_timeout: None,
        last_event_id: String::new(),
        resume: Resume::Header,
        resume_value: String::new(),
        limits: quick(),
        seed: 1,
        activity: Arc::default(),
    }
}

async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}
