//! The harness' side: the service as a process, a server of streams that the test answers for, and a receiver of callbacks.

#![allow(clippy::expect_used, reason = "helpers of tests, which may panic")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use bellwether_tests::{PATIENCE, Process};
use serde_json::{Value, json};

/// The service at a port of its own.
pub(crate) struct Service {
    pub(crate) process: Process,
    /// Ends with a slash.
    pub(crate) url: String,
}

impl Service {
    pub(crate) fn start() -> Self {
        let mut command = Process::command(env!("CARGO_BIN_EXE_contract-service"));
        // The person's proxy is not for this machine.
        command.args(["--port", "0"]).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        let mut process = Process::start(&mut command);
        let line = process.wait_for_line(PATIENCE, "its address", |line| line.starts_with("listening on "));
        let url = format!("{}/", line.trim_start_matches("listening on "));
        Self { process, url }
    }

    /// Opens a stream; its URL.
    pub(crate) fn open(&self, params: &Value) -> String {
        let (status, head, body) = request(&self.url, "POST", Some(params));
        assert_eq!(status, 201, "{body}");
        let location = head.lines().find_map(|line| line.strip_prefix("location: /")).expect("a Location");
        format!("{}{location}", self.url)
    }
}

/// Makes a request; status, head in lower case, body.
pub(crate) fn request(url: &str, method: &str, body: Option<&Value>) -> (u16, String, String) {
    let (host, path) = url.strip_prefix("http://").expect("http").split_once('/').expect("a path");
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut connection = TcpStream::connect(host).expect("the service listens");
    let length = body.len();
    write!(
        connection,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("the service reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_lowercase(), body.to_owned())
}

/// A server of streams: each connection waits for the test to answer it.
pub(crate) struct StreamServer {
    pub(crate) url: String,
    connections: Receiver<Connection>,
}

/// A request for the stream; closed when dropped.
pub(crate) struct Connection {
    pub(crate) head: String,
    stream: TcpStream,
}

impl StreamServer {
    pub(crate) fn start() -> Self {
        let (sender, connections) = sync_channel(16);
        let url = listen(move |stream| {
            let (head, _) = read_request(&mut BufReader::new(&stream)).unwrap_or_default();
            let _ = sender.send(Connection { head, stream });
        });
        Self { url: format!("{url}/stream"), connections }
    }

    /// The next connection.
    pub(crate) fn connection(&self) -> Connection {
        self.connections.recv_timeout(PATIENCE).expect("a connection")
    }
}

impl Connection {
    /// Answers with the head of an event stream.
    pub(crate) fn open(&mut self) {
        self.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).expect("the client reads");
    }

    /// Answers without a body.
    pub(crate) fn answer(mut self, status: &str) {
        self.send(&format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    }

    /// Waits until the client closes it.
    pub(crate) fn wait_for_hang_up(&mut self) {
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        assert_eq!(self.stream.read(&mut [0; 64]).expect("the connection's end"), 0);
    }
}

/// Receives callbacks, and answers each only when the test has taken it.
pub(crate) struct Callbacks {
    pub(crate) url: String,
    received: Receiver<(String, Value)>,
    /// Callbacks that came, and that the test took.
    came: Arc<AtomicUsize>,
    taken: usize,
}

impl Callbacks {
    pub(crate) fn start() -> Self {
        let (sender, received) = sync_channel(0);
        let came = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&came);
        let url = listen(move |stream| receive(&stream, &sender, &counter));
        Self { url: format!("{url}/endpoints/7"), received, came, taken: 0 }
    }

    /// The next callback is this one, with the next number, and no other came before it was answered.
    pub(crate) fn expect(&mut self, expected: &Value) {
        assert_eq!(self.next(), *expected);
    }

    pub(crate) fn expect_event(&mut self, event_type: &str, data: &str, id: &str) {
        self.expect(&json!({ "kind": "event", "event": { "type": event_type, "data": data, "id": id } }));
    }

    /// The next callback is an error whose text begins so.
    pub(crate) fn expect_error(&mut self, start: &str) {
        let body = self.next();
        assert_eq!(body["kind"], "error");
        assert!(body["comment"].as_str().is_some_and(|text| text.starts_with(start)), "{body}");
    }

    /// That no callback has come that was not expected.
    pub(crate) fn assert_quiet(&self) {
        assert_eq!(self.came.load(Ordering::SeqCst), self.taken);
    }

    fn next(&mut self) -> Value {
        let (path, body) = self.received.recv_timeout(PATIENCE).expect("a callback");
        self.taken += 1;
        assert_eq!(path, format!("/endpoints/7/{}", self.taken));
        assert!(self.came.load(Ordering::SeqCst) <= self.taken + 1, "callbacks overlap");
        body
    }
}

fn receive(stream: &TcpStream, sender: &SyncSender<(String, Value)>, came: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    while let Some((head, body)) = read_request(&mut reader) {
        came.fetch_add(1, Ordering::SeqCst);
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let body = serde_json::from_slice(&body).expect("JSON");
        let answered = sender.send((path, body)).is_ok()
            && (&*stream).write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").is_ok();
        if !answered {
            return;
        }
    }
}

/// Serves each connection on a thread of its own, until the test's process ends; the URL, without a slash at its end.
fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    url
}

/// Head and body of the next request of a connection.
fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        head += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
