use std::io::{Result, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::numbered::{has_gone, read_request};
use crate::{PATIENCE, Random};

/// A server that has a fixed number of events, as [`NumberedStream`](crate::NumberedStream) makes them, and that treats its
/// clients as badly as servers and networks can without saying that it is over: by a script that its seed alone decides, no
/// response is whole. It replays what follows `Last-Event-ID`, and now and then some events from before.
pub struct RoughServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// How often a [`RoughServer`] did what.
#[derive(Clone, Copy, Default, Debug)]
pub struct Mishaps {
    /// Requests that came.
    pub requests: u64,
    /// Responses that ended as they should, though more events were there.
    pub ends: u64,
    /// Responses that ended in the middle of an event.
    pub half_events: u64,
    /// Connections that were reset (RST), some in the middle of an event.
    pub resets: u64,
    /// Connections that stayed open, with nothing more sent.
    pub stalls: u64,
    /// Answers of 500, 502 or 503 without `Retry-After`.
    pub refusals: u64,
    /// The same with `Retry-After`, in seconds or as a date.
    pub delayed_refusals: u64,
    /// Times that the port was closed for a while.
    pub restarts: u64,
    /// Events that were sent again though their ID, or a later one, was in the request.
    pub repeats: u64,
    /// Events that were sent in vain, as the next request asked for them again.
    pub in_vain: u64,
}

/// How far several servers have come together.
#[derive(Default)]
pub struct Progress {
    sent: Mutex<u64>,
    changed: Condvar,
}

impl RoughServer {
    /// One at this address with so many events, each with `name` in its data, about `stretch` of them in a response, which adds to `progress`.
    #[track_caller]
    pub fn start(
        at: IpAddr,
        name: &str,
        seed: u64,
        events: u64,
        stretch: u64,
        progress: &Arc<Progress>,
    ) -> Self {
        let listener = TcpListener::bind((at, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = State {
            random: Random::new(seed),
            sent: 0,
            newest: 0,
            refused_last: false,
            closed_for: None,
            mishaps: Mishaps::default(),
            ended: false,
        };
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            events,
            stretch,
            address,
            progress: Arc::clone(progress),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let server = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || shared.listen(listener));
        server
    }

    /// The URL of its stream.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The data of an event of the server of this name: some are short, some are not.
    pub fn data(name: &str, number: u64) -> String {
        let length = usize::try_from(number % 97).expect("a small number");
        format!("{name} {number} {}", "x".repeat(length))
    }

    /// What it did so far.
    pub fn mishaps(&self) -> Mishaps {
        self.shared.state().mishaps
    }
}

impl Drop for RoughServer {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
        // Wakes the listening thread, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

impl std::ops::AddAssign for Mishaps {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.ends += other.ends;
        self.half_events += other.half_events;
        self.resets += other.resets;
        self.stalls += other.stalls;
        self.refusals += other.refusals;
        self.delayed_refusals += other.delayed_refusals;
        self.restarts += other.restarts;
        self.repeats += other.repeats;
        self.in_vain += other.in_vain;
    }
}

impl Progress {
    /// The sum of the highest numbers that the servers have sent.
    pub fn sent(&self) -> u64 {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for that sum, for as long as there is progress.
    #[track_caller]
    pub fn wait_until_sent(&self, sum: u64) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        while *sent < sum {
            let before = *sent;
            let waited = self.changed.wait_timeout_while(sent, PATIENCE, |sent| *sent == before);
            sent = waited.unwrap_or_else(PoisonError::into_inner).0;
            assert!(*sent > before, "no progress for {PATIENCE:?} after {before} events");
        }
    }

    fn add(&self, events: u64) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) += events;
        self.changed.notify_all();
    }
}

struct Shared {
    name: String,
    events: u64,
    stretch: u64,
    address: SocketAddr,
    progress: Arc<Progress>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    random: Random,
    /// The highest number that was sent to anyone, and the one sent last.
    sent: u64,
    newest: u64,
    /// Refusals make a client wait longer and longer: never two in a row.
    refused_last: bool,
    /// The port is to be closed for so long.
    closed_for: Option<Duration>,
    mishaps: Mishaps,
    ended: bool,
}

/// What a request meets.
enum Fate {
    Refused {
        answer: String,
    },
    /// The events from `first` on, so many at most, and then the end.
    Served {
        first: u64,
        count: u64,
        end: End,
    },
}

#[derive(Clone, Copy)]
enum End {
    Clean,
    HalfEvent,
    Reset,
    HalfEventAndReset,
    Stall,
    Restart,
}

/// How often a response looks whether its client has gone.
const LOOK: Duration = Duration::from_millis(50);

/// The shortest time that a client heeds.
const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 1000\n\n";

impl State {
    fn fate(&mut self, after: u64, stretch: u64) -> Fate {
        self.mishaps.requests += 1;
        self.refused_last = !self.refused_last && self.random.below(6) == 0;
        if self.refused_last {
            return Fate::Refused { answer: self.refusal() };
        }
        self.mishaps.in_vain += std::mem::take(&mut self.newest).saturating_sub(after);
        let again = if self.random.below(2) == 0 { self.random.below(6).min(after) } else { 0 };
        self.mishaps.repeats += again;
        let end = match self.random.below(16) {
            0..4 => End::Clean,
            4..7 => End::HalfEvent,
            7..10 => End::Reset,
            10..13 => End::HalfEventAndReset,
            13 => End::Stall,
            _ => End::Restart,
        };
        Fate::Served { first: after - again + 1, count: self.random.below(2 * stretch), end }
    }

    fn refusal(&mut self) -> String {
        let status = ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable"]
            [usize::try_from(self.random.below(3)).expect("a small number")];
        let retry_after = match self.random.below(4) {
            0 => "Retry-After: 1\r\n".to_owned(),
            1 => format!("Retry-After: {}\r\n", http_date(SystemTime::now() + Duration::from_secs(2))),
            _ => String::new(),
        };
        if retry_after.is_empty() {
            self.mishaps.refusals += 1;
        } else {
            self.mishaps.delayed_refusals += 1;
        }
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n{retry_after}Content-Length: 5\r\nConnection: close\r\n\r\nsorry"
        )
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: &Arc<Self>, listener: TcpListener) {
        let mut open = Some(listener);
        while !self.state().ended {
            // It may take a moment until the port is free again.
            let Some(listener) = open.take().or_else(|| TcpListener::bind(self.address).ok()) else {
                self.rest(LOOK);
                continue;
            };
            for connection in listener.incoming().flatten() {
                let state = self.state();
                if state.ended || state.closed_for.is_some() {
                    break;
                }
                drop(state);
                let shared = Arc::clone(self);
                // However the client goes, it is its right.
                thread::spawn(move || drop(shared.serve(connection)));
            }
            drop(listener);
            let closed_for = self.state().closed_for.take();
            self.rest(closed_for.unwrap_or_default());
        }
    }

    /// Lets time pass, unless all is over.
    fn rest(&self, time: Duration) {
        let over = |state: &mut State| !state.ended;
        let _ = self.changed.wait_timeout_while(self.state(), time, over);
    }

    fn serve(&self, mut connection: TcpStream) -> Result<()> {
        let request = read_request(&connection)?;
        let after: u64 = request.last_event_id.and_then(|id| id.parse().ok()).unwrap_or_default();
        let fate = self.state().fate(after, self.stretch);
        let (first, count, end) = match fate {
            Fate::Refused { answer } => return connection.write_all(answer.as_bytes()),
            Fate::Served { first, count, end } => (first, count, end),
        };
        connection.write_all(HEAD.as_bytes())?;
        let mut next = first;
        while next < first + count && next <= self.events {
            let last = (next + 31).min(first + count - 1).min(self.events);
            let events: String = (next..=last).map(|number| self.event(number)).collect();
            connection.write_all(events.as_bytes())?;
            next = last + 1;
            let mut state = self.state();
            let new = last.saturating_sub(state.sent);
            state.sent += new;
            state.newest = last;
            drop(state);
            self.progress.add(new);
        }
        if next > self.events {
            return self.hold(&connection, Some(":\n"));
        }
        self.end(connection, next, end)
    }

    /// Ends a response before the event of this number, or in the middle of it.
    fn end(&self, mut connection: TcpStream, next: u64, end: End) -> Result<()> {
        if matches!(end, End::HalfEvent | End::HalfEventAndReset) {
            let event = self.event(next);
            let length = self.state().random.below(event.len() as u64 - 1);
            connection.write_all(&event.as_bytes()[..usize::try_from(length).expect("a small number")])?;
        }
        let mut state = self.state();
        match end {
            End::Clean => state.mishaps.ends += 1,
            End::HalfEvent => state.mishaps.half_events += 1,
            End::Reset | End::HalfEventAndReset => state.mishaps.resets += 1,
            End::Stall => state.mishaps.stalls += 1,
            End::Restart => {
                state.mishaps.restarts += 1;
                state.closed_for = Some(Duration::from_millis(100 + state.random.below(900)));
            }
        }
        drop(state);
        match end {
            End::Clean | End::HalfEvent => Ok(()),
            End::Stall => self.hold(&connection, None),
            End::Reset | End::HalfEventAndReset => reset(&connection),
            End::Restart => {
                // Wakes the listening thread.
                drop(TcpStream::connect(self.address));
                reset(&connection)
            }
        }
    }

    /// Keeps a response open until its client goes, and sends `life` all the while.
    fn hold(&self, mut connection: &TcpStream, life: Option<&str>) -> Result<()> {
        while !self.state().ended && !has_gone(connection)? {
            if let Some(life) = life {
                connection.write_all(life.as_bytes())?;
            }
            self.rest(LOOK);
        }
        Ok(())
    }

    fn event(&self, number: u64) -> String {
        format!("id: {number}\ndata: {}\n\n", RoughServer::data(&self.name, number))
    }
}

/// Lets the connection end with RST instead of FIN.
fn reset(connection: &TcpStream) -> Result<()> {
    Ok(rustix::net::sockopt::set_socket_linger(connection, Some(Duration::ZERO))?)
}

/// A time as `Retry-After` has it (RFC 9110, 5.6.7).
fn http_date(time: SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).expect("a time of this age");
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
