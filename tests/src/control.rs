use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bellwether_control::wire::{Event, EventPage, Feed, Status, Update};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::PATIENCE;

/// The control socket, spoken to as any script would: plain HTTP, no code of the product.
#[derive(Clone, Debug)]
pub struct Control {
    socket: PathBuf,
}

/// An answer on the control socket.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; `Null` if empty.
    pub body: Value,
}

impl Control {
    /// Speaks to the socket at this path.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Sends a request; `Null` for one without a body. The error is that of the connection.
    pub fn request(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Answer> {
        let mut stream = self.send(method, path, body, "close")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        parse(&answer)
            .ok_or_else(|| std::io::Error::new(ErrorKind::InvalidData, String::from_utf8_lossy(&answer)))
    }

    /// Asks for something that must be there.
    #[track_caller]
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.call("GET", path, &Value::Null)
    }

    /// Sends a request that must succeed (`Null` for one without a body); `()` or `Value` as the answer's type where it is empty.
    #[track_caller]
    pub fn call<T: DeserializeOwned>(&self, method: &str, path: &str, body: &Value) -> T {
        let answer =
            self.request(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        serde_json::from_value(answer.body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// `GET /status`
    #[track_caller]
    pub fn status(&self) -> Status {
        self.get("/status")
    }

    /// The feed of this id.
    #[track_caller]
    pub fn feed(&self, id: &str) -> Feed {
        let feeds: Vec<Feed> = self.get("/feeds");
        feeds.into_iter().find(|feed| feed.id == id).unwrap_or_else(|| panic!("no feed {id}"))
    }

    /// A page of events, newest first; `query` such as `feed=ops&limit=1000`.
    #[track_caller]
    pub fn events(&self, query: &str) -> EventPage {
        self.get(&format!("/events?{query}"))
    }

    /// A feed's whole log, oldest first.
    #[track_caller]
    pub fn log(&self, id: &str) -> Vec<Event> {
        let mut events = Vec::new();
        let mut before = String::new();
        loop {
            let page = self.events(&format!("feed={id}&limit=1000{before}"));
            events.extend(page.events);
            match page.next_before {
                Some(seq) => before = format!("&before={seq}"),
                None => break,
            }
        }
        events.reverse();
        events
    }

    /// Follows `GET /updates` from now on.
    #[track_caller]
    pub fn updates(&self) -> Updates {
        self.follow("/updates")
    }

    /// The same as the open window does: wishes to open it come here.
    #[track_caller]
    pub fn updates_as_window(&self) -> Updates {
        self.follow("/updates?window=true")
    }

    #[track_caller]
    fn follow(&self, path: &str) -> Updates {
        let stream = self.send("GET", path, &Value::Null, "keep-alive").expect("the socket answers");
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).expect("a head") > 0, "the head broke off: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        Updates { stream, data: String::new() }
    }

    fn send(&self, method: &str, path: &str, body: &Value, connection: &str) -> std::io::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: bellwether\r\nConnection: {connection}\r\n");
        if !body.is_empty() {
            request += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        stream.write_all(format!("{request}\r\n{body}").as_bytes())?;
        Ok(stream)
    }
}

/// The control socket's own event stream.
pub struct Updates {
    stream: BufReader<UnixStream>,
    data: String,
}

impl Updates {
    /// Waits for an update that `fits`; those before it are gone.
    #[track_caller]
    pub fn wait_for(&mut self, deadline: Duration, what: &str, fits: impl Fn(&Update) -> bool) -> Update {
        let end = Instant::now() + deadline;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.stream.get_ref().set_read_timeout(Some(left)).expect("a timeout can be set");
            match self.next() {
                Some(update) if fits(&update) => return update,
                Some(_) => {}
                None => break,
            }
        }
        panic!("waited {deadline:?} in vain for {what}");
    }

    /// The next update; none at the stream's end or when nothing comes in time.
    fn next(&mut self) -> Option<Update> {
        let mut line = String::new();
        loop {
            line.clear();
            // The lines of chunked coding between are hexadecimal numbers and blank: neither is a field of an event stream.
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(data) = line.strip_prefix("data:") {
                self.data = data.trim().to_owned();
            } else if line == "\n" && !self.data.is_empty() {
                let update = serde_json::from_str(&std::mem::take(&mut self.data));
                return Some(update.expect("an update is JSON"));
            }
        }
    }
}

/// An answer with a JSON body.
pub(crate) fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = &answer[end + 4..];
    let body = if chunked { joined(body)? } else { body.to_vec() };
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).ok()? };
    Some(Answer { status, body })
}

/// The body without its chunked coding (RFC 9112 7.1).
fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = chunks.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&chunks[..line]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let data = chunks.get(line + 2..)?;
        body.extend(data.get(..size)?);
        chunks = data.get(size + 2..)?;
    }
}
