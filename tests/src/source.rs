use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{PATIENCE, until_some};

/// An event stream whose events the test makes, on 127.0.0.1. It numbers them from 1 and sends a client what follows its
/// `Last-Event-ID`, so nothing is lost between a client's connections. Ends with this value.
pub struct Source {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Each event as it stands in the stream.
    events: Vec<String>,
    requests: usize,
    /// The status that the stream is refused by.
    refusal: Option<u16>,
    ended: bool,
}

impl Source {
    /// Listens at a free port.
    #[track_caller]
    pub fn start() -> Self {
        Self::serve(TcpListener::bind(("127.0.0.1", 0)).expect("a port to listen on"))
    }

    /// Listens where one that has ended did: its server is back, and has forgotten everything.
    #[track_caller]
    pub fn start_at(port: u16) -> Self {
        let bind = || TcpListener::bind(("127.0.0.1", port)).ok();
        Self::serve(until_some(PATIENCE, "the port to be free again", bind))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    #[track_caller]
    fn serve(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("the listener has an address").port();
        let shared = Arc::new(Shared::default());
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&server);
                if shared.lock().ended {
                    return;
                }
                // A client that hangs up is no news.
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Self { port, shared }
    }

    /// Where it is to be subscribed to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/events", self.port)
    }

    /// A page of HTML: what an address that was copied from a browser often leads to.
    pub fn page_url(&self) -> String {
        format!("http://127.0.0.1:{}/page", self.port)
    }

    /// Sends an event to whoever is connected, and to whoever connects later. Data of several lines is sent as such.
    pub fn send(&self, event: &str, data: &impl Display) {
        let mut state = self.shared.lock();
        let data = format!("{data}").replace('\n', "\ndata: ");
        let id = state.events.len() + 1;
        state.events.push(format!("id: {id}\nevent: {event}\ndata: {data}\n\n"));
        self.shared.changed.notify_all();
    }

    /// Refuses the stream by this status to whoever asks for it from now on; `None`: no longer.
    pub fn refuse(&self, status: Option<u16>) {
        self.shared.lock().refusal = status;
    }

    /// How many requests it has had.
    pub fn requests(&self) -> usize {
        self.shared.lock().requests
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: &TcpStream) -> Option<()> {
        let (mut page, mut sent) = (false, 0);
        for (at, line) in BufReader::new(stream).lines().map_while(Result::ok).enumerate() {
            let line = line.to_ascii_lowercase();
            if at == 0 {
                page = line.starts_with("get /page ");
            } else if let Some(id) = line.strip_prefix("last-event-id:") {
                sent = id.trim().parse().unwrap_or_default();
            } else if line.is_empty() {
                break;
            }
        }
        let refusal = {
            let mut state = self.lock();
            state.requests += 1;
            state.refusal
        };
        if page {
            let page = "<!doctype html><title>A page</title>";
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length";
            return write!(stream, "{head}: {}\r\n\r\n{page}", page.len()).ok();
        }
        if let Some(status) = refusal {
            let head = format!("HTTP/1.1 {status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            return stream.write_all(head.as_bytes()).ok();
        }
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 1000\n\n";
        stream.write_all(head.as_bytes()).ok()?;
        let mut state = self.lock();
        while !state.ended {
            let news = state.events.get(sent..).unwrap_or_default().concat();
            if news.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            sent = state.events.len();
            drop(state);
            stream.write_all(news.as_bytes()).ok()?;
            state = self.lock();
        }
        stream.shutdown(Shutdown::Both).ok()
    }
}
