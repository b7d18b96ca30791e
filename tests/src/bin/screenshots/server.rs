//! The server that the story's events come from.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use bellwether_tests::{PATIENCE, until_some};

use crate::story::Telling;

/// An event stream at each path; what it sends is told from outside.
pub(crate) struct StoryServer {
    port: u16,
    streams: Arc<Mutex<HashMap<String, TcpStream>>>,
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n:\n\n";

impl StoryServer {
    /// Listens on a free port until the program ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self { port: listener.local_addr().expect("its port").port(), streams: Arc::default() };
        let streams = Arc::clone(&server.streams);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Some(path) = answer(&stream) {
                    lock(&streams).insert(path, stream);
                }
            }
        });
        server
    }

    /// Its address, without a path.
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Sends an event to the one who listens to its feed, once there is one.
    pub(crate) fn tell(&self, id: u64, event: &Telling) {
        let mut stream = until_some(PATIENCE, "a subscriber", || {
            lock(&self.streams).get(event.feed).and_then(|stream| stream.try_clone().ok())
        });
        write!(stream, "id: {}\nevent: {}\ndata: {}\n\n", id, event.event, event.data)
            .expect("the subscriber listens");
    }

    /// Waits for new subscribers from now on.
    pub(crate) fn forget(&self) {
        lock(&self.streams).clear();
    }
}

/// Answers a request; returns its path.
fn answer(mut stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    lines.find(String::is_empty)?;
    stream.write_all(HEAD.as_bytes()).ok()?;
    Some(path)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
