use std::io::{BufRead, BufReader, ErrorKind, Read, Result, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};

use crate::PATIENCE;

/// A server whose events are the numbers from 1: the number is the ID, [`NumberedStream::data`] the data. It replays as the
/// standard intends: a response begins after the request's `Last-Event-ID`, and with 1 where there is none. Each path has the
/// same events; a path that ends in `.html` is a web page instead.
///
/// One without IDs, as ntfy is one: the number is in the data, which is JSON, as `id`, and a response begins after the parameter
/// `since`, or with it.
///
/// An unruly one also does what servers in the world do: it cuts connections, in the middle of an event too, and after a
/// reconnect it sends some older events once more.
pub struct NumberedStream {
    address: SocketAddr,
    listening: TcpListener,
    shared: Arc<Shared>,
}

/// A request that came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The path and query.
    pub path: String,
    /// The `Last-Event-ID` header.
    pub last_event_id: Option<String>,
    /// When it had come.
    pub at: Instant,
}

impl NumberedStream {
    /// One that has no events yet.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(Ipv4Addr::LOCALHOST.into(), None, RETRY)
    }

    /// An unruly one, by this seed.
    #[track_caller]
    pub fn unruly(seed: u64) -> Self {
        Self::with(Ipv4Addr::LOCALHOST.into(), Some(Random::new(seed)), RETRY)
    }

    /// One at this address, that asks its clients to wait so long before they come back.
    #[track_caller]
    pub fn at(address: IpAddr, retry: Duration) -> Self {
        Self::with(address, None, retry)
    }

    /// An unruly one without IDs.
    #[track_caller]
    pub fn without_ids(seed: u64) -> Self {
        Self::made(Ipv4Addr::LOCALHOST.into(), Some(Random::new(seed)), RETRY, false)
    }

    #[track_caller]
    fn with(address: IpAddr, unruly: Option<Random>, retry: Duration) -> Self {
        Self::made(address, unruly, retry, true)
    }

    #[track_caller]
    fn made(address: IpAddr, unruly: Option<Random>, retry: Duration, ids: bool) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let listening = listener.try_clone().expect("a second handle");
        let state = State { latest: 0, sent: 0, requests: Vec::new(), unruly, ended: false };
        let shared = Arc::new(Shared { retry, ids, state: Mutex::new(state), changed: Condvar::new() });
        let server = Self { address, listening, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.state().ended {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let shared = Arc::clone(&shared);
                // However the client goes, it is its right.
                thread::spawn(move || drop(shared.serve(connection)));
            }
        });
        server
    }

    /// The URL of `path`, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The data of an event.
    pub fn data(number: u64) -> String {
        format!("event {number}")
    }

    /// Makes so many more events.
    pub fn send(&self, events: u64) {
        self.shared.state().latest += events;
        self.shared.changed.notify_all();
    }

    /// Makes events, some each millisecond, as long as the result lives.
    pub fn flow(&self) -> Flow {
        let shared = Arc::clone(&self.shared);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut random = Random::new(1);
            while stopped.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
                shared.state().latest += random.below(6);
                shared.changed.notify_all();
            }
        });
        Flow { stop: Some(stop), thread: Some(thread) }
    }

    /// How many events there are.
    pub fn latest(&self) -> u64 {
        self.shared.state().latest
    }

    /// The highest number that was sent to anyone.
    pub fn sent(&self) -> u64 {
        self.shared.state().sent
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Waits until there were so many requests, and returns the last of these.
    #[track_caller]
    pub fn wait_for_request(&self, count: usize) -> Request {
        self.wait("a request", |state| state.requests.len() >= count);
        self.requests()[count - 1].clone()
    }

    /// Waits until the event of this number was sent to anyone.
    #[track_caller]
    pub fn wait_until_sent(&self, number: u64) {
        self.wait("an event to be sent", |state| state.sent >= number);
    }

    #[track_caller]
    fn wait(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shared.state();
        while !holds(&state) {
            let left = end.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain for {what}"));
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for NumberedStream {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
        // Wakes the listening thread, which then sees that it is over.
        let _ = shutdown(&self.listening, Shutdown::Both);
    }
}

/// Events come until this is dropped.
pub struct Flow {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.stop.take();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Shared {
    retry: Duration,
    /// Events have IDs, and `Last-Event-ID` counts.
    ids: bool,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// How many events there are.
    latest: u64,
    /// The highest number that was sent to anyone.
    sent: u64,
    requests: Vec<Request>,
    unruly: Option<Random>,
    ended: bool,
}

/// How often a response looks whether its client has gone.
const LOOK: Duration = Duration::from_millis(50);

/// The shortest time that a client heeds.
const RETRY: Duration = Duration::from_secs(1);

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n\
                    <!doctype html><title>Sign in</title>\n\ndata: not an event\n\n";

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut connection: TcpStream) -> Result<()> {
        let request = read_request(&connection)?;
        let page = request.path.ends_with(".html");
        let after = if self.ids {
            request.last_event_id.as_deref()
        } else {
            request.path.split_once("since=").map(|(_, since)| since)
        };
        let after: u64 = after.and_then(|id| id.parse().ok()).unwrap_or_default();
        let mut state = self.state();
        let mut next = after + 1;
        // After how many events this connection is cut, if ever.
        let mut cut_after = u64::MAX;
        if let Some(random) = &mut state.unruly {
            next = next.saturating_sub(random.below(5)).max(1);
            cut_after = if random.below(3) == 0 { random.below(2000) } else { u64::MAX };
        }
        state.requests.push(request);
        drop(state);
        self.changed.notify_all();
        if page {
            return connection.write_all(PAGE.as_bytes());
        }
        connection.write_all(format!("{HEAD}retry: {}\n\n", self.retry.as_millis()).as_bytes())?;
        while let Some(latest) = self.more(next, &connection)? {
            let last = latest.min(next.saturating_add(cut_after)).min(next + 63);
            let events: String = (next..=last).map(|number| self.event(number)).collect();
            cut_after = cut_after.saturating_sub(last - next);
            if cut_after == 0 {
                return connection.write_all(&events.as_bytes()[..events.len() - 9]);
            }
            connection.write_all(events.as_bytes())?;
            next = last + 1;
            let mut state = self.state();
            state.sent = state.sent.max(last);
            drop(state);
            self.changed.notify_all();
        }
        Ok(())
    }

    fn event(&self, number: u64) -> String {
        let data = NumberedStream::data(number);
        if self.ids {
            format!("id: {number}\ndata: {data}\n\n")
        } else {
            format!("data: {{\"id\":\"{number}\",\"message\":\"{data}\"}}\n\n")
        }
    }

    /// Waits for the event of this number, and returns the newest one's; none when the client or the server has gone.
    fn more(&self, next: u64, connection: &TcpStream) -> Result<Option<u64>> {
        let mut state = self.state();
        while state.latest < next && !state.ended {
            let (waited, timeout) =
                self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner);
            state = waited;
            if timeout.timed_out() && has_gone(connection)? {
                return Ok(None);
            }
        }
        Ok((!state.ended).then_some(state.latest))
    }
}

pub(crate) fn has_gone(mut connection: &TcpStream) -> Result<bool> {
    connection.set_nonblocking(true)?;
    let read = connection.read(&mut [0; 64]);
    connection.set_nonblocking(false)?;
    Ok(!read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
}

pub(crate) fn read_request(connection: &TcpStream) -> Result<Request> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(connection).lines();
    // Who comes and asks for nothing only looks whether there is a way.
    let line = lines.next().ok_or(ErrorKind::UnexpectedEof)??;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut last_event_id = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or_default();
        if name.eq_ignore_ascii_case("last-event-id") {
            last_event_id = Some(value.to_owned());
        }
    }
    Ok(Request { path, last_event_id, at: Instant::now() })
}

/// Numbers that look random and come again with the same seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}
