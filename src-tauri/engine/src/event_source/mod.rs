//! The protocol of one event stream, without I/O: bytes, answers and `now` go in; messages, deadlines and the next request
//! come out. Rules: WHATWG HTML 9.2 (server-sent events), except where a client that runs for months must differ: it bounds
//! what it holds, its delays grow, it notices silence, and it gives up only where the server says so (204, 410).
//!
//! A driver asks [`EventSource::poll_request`] for a request, performs it, and reports what comes of it through
//! [`answered`](EventSource::answered), [`received`](EventSource::received), [`ended`](EventSource::ended) or
//! [`failed`](EventSource::failed). When there is no request to make it waits for [`EventSource::deadline`], calls
//! [`handle_timeout`](EventSource::handle_timeout), and asks again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use url::Url;

use crate::{
    feed::{Reason, RedirectFault, State},
    resume::{Resume, ResumeFrom},
};

mod answer;
mod backoff;
mod decoder;
pub(crate) mod lines;
#[cfg(test)]
mod tests;

pub use answer::{Answer, retry_after};
use answer::{Course, Remedy};
use backoff::Backoff;
use decoder::{Decoded, Decoder};

/// One dispatched message (WHATWG HTML 9.2.6, `MessageEvent`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// The event type; `message` where the stream names none.
    pub event_type: String,
    /// The data, lines joined by LF.
    pub data: String,
    /// The last event ID string at this message; empty if none.
    pub last_event_id: String,
}

/// The messages of a piece of a stream, also if the blank line at its end is missing.
pub(crate) fn messages(bytes: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut keep = |decoded| {
        if let Decoded::Message(message) = decoded {
            messages.push(message);
        }
    };
    let mut decoder = Decoder::new(&Limits::default(), String::new());
    decoder.push(bytes, &mut keep);
    decoder.push(b"\n\n", &mut keep);
    messages
}

/// Every limit of the protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Longest data of one event, in bytes; 1 MiB.
    pub event_bytes: usize,
    /// Longest event type, and longest ID, in bytes; 64 KiB.
    pub field_bytes: usize,
    /// Longest comment that is told, in bytes; longer ones are not. `None`: none at all, which costs nothing.
    pub comment_bytes: Option<usize>,
    /// Shortest reconnection time that a server may set; 1 s.
    pub retry_min: Duration,
    /// Longest reconnection time that a server may set; 1 h.
    pub retry_max: Duration,
    /// Reconnection time until the server sets one; 3 s.
    pub base_delay: Duration,
    /// Where growing delays stop growing, unless the reconnection time is longer; 60 s.
    pub delay_cap: Duration,
    /// First delay after a failure that a retry alone will hardly cure; 60 s.
    pub slow_delay: Duration,
    /// Where the delays after such failures stop growing; 15 min.
    pub slow_cap: Duration,
    /// A connection that lasts so long has proved itself, even if nothing came; 60 s.
    pub growth_reset: Duration,
    /// Time over which reconnects are spread after the machine slept, or when the network is back; 2 s.
    pub spread: Duration,
    /// Longest wait that a `Retry-After` may ask for; 1 h.
    pub retry_after_max: Duration,
    /// Time to look up the host and to make the connection, TLS included; 10 s.
    pub connect_timeout: Duration,
    /// Time from the sent request to the response's head; 30 s.
    pub header_timeout: Duration,
    /// Most redirects in a row; 10.
    pub redirects: u8,
    /// Longest ID that is sent back, in bytes; 4096.
    pub sendable_id_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes: 1 << 20,
            field_bytes: 64 << 10,
            comment_bytes: None,
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(60 * 60),
            base_delay: Duration::from_secs(3),
            delay_cap: Duration::from_secs(60),
            slow_delay: Duration::from_secs(60),
            slow_cap: Duration::from_secs(15 * 60),
            growth_reset: Duration::from_secs(60),
            spread: Duration::from_secs(2),
            retry_after_max: Duration::from_secs(60 * 60),
            connect_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            redirects: 10,
            sendable_id_bytes: 4096,
        }
    }
}

/// What the queue of outputs may hold on to while it is empty; a burst's memory is given back.
const QUEUE_AT_REST: usize = 16;

/// A request to make: GET, with the headers that every request of the protocol has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Where to.
    pub url: Url,
    /// The value of `Last-Event-ID`; `None`: no such header, because there is no ID, or it cannot or must not be sent.
    pub last_event_id: Option<String>,
}

/// What becomes of a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Its body is the event stream.
    Open,
    /// Its body is of no use; drop it.
    Refused,
}

/// What the stream gave, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// A message.
    Message(Message),
    /// The last event ID changed without a message.
    LastEventId(String),
    /// The server refused the value to resume by that came from the data, and takes the request without it.
    ResumeRefused,
    /// An ID has come on this connection: the last event ID of what follows is no longer the one that the connection began
    /// with. Told only if it began with one.
    Identified,
    /// An event over the limits is skipped.
    Oversized,
    /// A comment, if [`Limits::comment_bytes`] asks for them: all that follows the colon.
    Comment(String),
}

/// The connection's state at this moment, with the times of the driver's clock.
#[derive(Clone, PartialEq, Debug)]
pub struct Status {
    /// The state; never [`State::Paused`].
    pub state: State,
    /// Why it is not connected, or was not before this attempt.
    pub reason: Option<Reason>,
    /// Failed attempts in a row.
    pub attempt: u32,
    /// Since when it has been connected, if it is.
    pub connected_at: Option<Instant>,
    /// When the next attempt is due, if one is.
    pub next_attempt_at: Option<Instant>,
}

/// The state of one event stream over all its connections.
///
/// Calls that do not fit its state are ignored: bytes of a connection that is over, an answer that nobody waits for.
pub struct EventSource {
    limits: Limits,
    idle_timeout: Option<Duration>,
    url: Url,
    phase: Phase,
    outputs: VecDeque<Output>,
    last_event_id: String,
    resume: Resume,
    /// The latest value from the data to resume by; empty if none.
    resume_value: String,
    reconnection_time: Option<Duration>,
    oversized: u64,
    backoff: Backoff,
    reason: Option<Reason>,
    /// Where the server moved the stream to for good, when it was last opened.
    moved_to: Option<Url>,
    /// Since when the stream counts as connected, though its server ends each response after some events: such ends are
    /// its way, so only a failure of the next attempt is worth telling.
    steady_since: Option<Instant>,
}

enum Phase {
    /// A request is to be made.
    Due(Attempt),
    /// The request is under way.
    Connecting {
        attempt: Attempt,
        /// The request was made; once there is a connection, it was sent.
        since: Instant,
        sent: bool,
    },
    Open {
        since: Instant,
        last_byte: Instant,
        productive: bool,
        unfinished_since: Option<Instant>,
        decoder: Box<Decoder>,
    },
    Waiting {
        until: Option<Instant>,
        state: State,
    },
    Stopped,
}

#[derive(Clone)]
struct Attempt {
    url: Url,
    redirects: u8,
    /// All these redirects were for good (301, 308).
    moved: bool,
    /// The last event ID, or what else the connection is resumed by, is left out on trial, because the server may have refused it.
    without_id: bool,
}

impl Attempt {
    /// The first request of one.
    fn at(url: &Url) -> Self {
        Self { url: url.clone(), redirects: 0, moved: true, without_id: false }
    }
}

impl EventSource {
    /// An event source that wants to connect to `url` now.
    ///
    /// `idle_timeout` is the silence after which a connection counts as dead (`None`: never), `last_event_id` the one at
    /// which an earlier run ended, or empty. The `seed` alone decides how the delays are lengthened.
    pub fn new(
        limits: Limits,
        url: Url,
        idle_timeout: Option<Duration>,
        last_event_id: String,
        seed: u64,
    ) -> Self {
        Self {
            phase: Phase::Due(Attempt::at(&url)),
            limits,
            idle_timeout,
            url,
            outputs: VecDeque::new(),
            last_event_id,
            resume: Resume::Header,
            resume_value: String::new(),
            reconnection_time: None,
            oversized: 0,
            backoff: Backoff::new(seed),
            reason: None,
            moved_to: None,
            steady_since: None,
        }
    }

    /// Resumes in this way rather than by the header. `value` is the one at which an earlier run ended where it is taken from the
    /// data, or empty.
    #[must_use]
    pub fn resuming(self, resume: Resume, value: String) -> Self {
        Self { resume, resume_value: value, ..self }
    }

    /// A message has brought this value to resume by ([`Resume::value_of`]).
    pub fn set_resume_value(&mut self, value: &str) {
        value.clone_into(&mut self.resume_value);
    }

    /// The request to make now, if one is due: the first, one after a wait, to the target of a redirect.
    pub fn poll_request(&mut self, now: Instant) -> Option<Request> {
        let Phase::Due(attempt) = &self.phase else { return None };
        let attempt = attempt.clone();
        let request = Request { url: self.asked_url(&attempt), last_event_id: self.sent_id(&attempt) };
        self.phase = Phase::Connecting { attempt, since: now, sent: false };
        Some(request)
    }

    /// The connection is made only now, as what the request needs had to be read: its time runs from here.
    pub fn equipped(&mut self, now: Instant) {
        if let Phase::Connecting { since, .. } = &mut self.phase {
            *since = now;
        }
    }

    /// There is a connection, and the request goes out now. A driver that does not know of it need not tell: the two timeouts
    /// are then granted together.
    pub fn connected(&mut self, now: Instant) {
        if let Phase::Connecting { since, sent, .. } = &mut self.phase {
            (*since, *sent) = (now, true);
        }
    }

    /// The head of the response has come.
    #[must_use]
    pub fn answered(&mut self, now: Instant, answer: &Answer<'_>) -> Verdict {
        let Phase::Connecting { attempt, .. } = &self.phase else { return Verdict::Refused };
        let attempt = attempt.clone();
        match answer::course(answer, &self.asked_url(&attempt), self.resumes(&attempt)) {
            Course::Open => {
                self.open(now, &attempt);
                return Verdict::Open;
            }
            Course::Redirect(_) if attempt.redirects >= self.limits.redirects => {
                self.fail(now, Reason::Redirect(RedirectFault::TooMany));
            }
            Course::Redirect(url) => {
                let moved = attempt.moved && matches!(answer.status, 301 | 308);
                self.phase = Phase::Due(Attempt { url, redirects: attempt.redirects + 1, moved, ..attempt });
            }
            Course::WithoutId(reason) => {
                self.reason = Some(reason);
                self.phase = Phase::Due(Attempt { without_id: true, ..self.first_attempt() });
            }
            Course::Fail(reason) => self.fail(now, reason),
        }
        self.wait_at_least(now, answer.retry_after.unwrap_or_default());
        Verdict::Refused
    }

    /// Bytes of the body have come. What they give is fetched by [`poll_output`](Self::poll_output); hand over a large
    /// chunk in pieces to keep that queue short.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        let Phase::Open { last_byte, productive, unfinished_since, decoder, .. } = &mut self.phase else {
            return;
        };
        *last_byte = now;
        let ended_before = decoder.ended_blocks();
        decoder.push(bytes, |decoded| {
            let output = match decoded {
                Decoded::Retry(milliseconds) => {
                    let time = Duration::from_millis(milliseconds);
                    self.reconnection_time = Some(time.max(self.limits.retry_min).min(self.limits.retry_max));
                    *productive = true;
                    return;
                }
                Decoded::Message(message) => {
                    *productive = true;
                    Output::Message(message)
                }
                Decoded::LastEventId(id) => Output::LastEventId(id),
                Decoded::Identified => Output::Identified,
                Decoded::Comment(comment) => Output::Comment(comment),
                Decoded::Oversized => {
                    *productive = true;
                    self.oversized += 1;
                    Output::Oversized
                }
            };
            self.outputs.push_back(output);
        });
        if decoder.ended_blocks() != ended_before || !decoder.is_unfinished() {
            *unfinished_since = None;
        }
        if decoder.is_unfinished() {
            unfinished_since.get_or_insert(now);
        }
        decoder.last_event_id().clone_into(&mut self.last_event_id);
    }

    /// The next of what the stream gave.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if self.outputs.is_empty() && self.outputs.capacity() > QUEUE_AT_REST {
            self.outputs = VecDeque::new();
        }
        output
    }

    /// The body ended as it should. An event without its blank line is dropped, and its ID with it.
    pub fn ended(&mut self, now: Instant) {
        let Phase::Open { productive, .. } = self.phase else { return };
        if !productive {
            return self.fail(now, Reason::EndedEmpty);
        }
        let connected_at = self.status().connected_at;
        self.backoff.reset();
        let delay = self.backoff.after_end(&self.limits, self.reconnection_time);
        self.steady_since = connected_at;
        self.phase = Phase::Waiting { until: now.checked_add(delay), state: State::Waiting };
    }

    /// The request or the body failed.
    pub fn failed(&mut self, now: Instant, reason: Reason) {
        if matches!(self.phase, Phase::Connecting { .. } | Phase::Open { .. }) {
            self.fail(now, reason);
        }
    }

    /// Puts what the reason quotes of the server's words as it may be shown.
    pub(crate) fn mask_quote(&mut self, masked: impl Fn(&str) -> String) {
        if let Some(quote) = self.reason.as_mut().and_then(Reason::quote_mut) {
            *quote = masked(quote);
        }
    }

    /// Ends a wait, or a stop, because the person or the system says that now is a good time.
    pub fn try_now(&mut self) {
        if matches!(self.phase, Phase::Waiting { .. } | Phase::Stopped) {
            self.phase = Phase::Due(self.first_attempt());
        }
    }

    /// The machine has slept: whatever connection there is counts as dead, though nothing told of its end. Another attempt
    /// follows within [`Limits::spread`], and delays no longer count what failed before. A stop remains.
    pub fn woke_up(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Stopped) {
            self.steady_since = None;
            self.phase = Phase::Waiting { until: None, state: State::Waiting };
            self.try_soon(now);
        }
    }

    /// The network has come back: what waits because of a failure is tried within [`Limits::spread`], and so is a request
    /// that is under way, as it may have been lost. An open stream goes on.
    pub fn network_came_back(&mut self, now: Instant) {
        match self.phase {
            Phase::Waiting { .. } if self.steady_since.is_none() => self.try_soon(now),
            Phase::Connecting { .. } => self.woke_up(now),
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called next: the idle timeout, a timeout of the request, the
    /// end of a wait. `None`: never, or not until another call.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Due(_) | Phase::Stopped => None,
            Phase::Connecting { since, sent, .. } => {
                let connect = if sent { Duration::ZERO } else { self.limits.connect_timeout };
                since.checked_add(connect.saturating_add(self.limits.header_timeout))
            }
            Phase::Open { last_byte, .. } => last_byte.checked_add(self.idle_timeout?),
            Phase::Waiting { until, .. } => until,
        }
    }

    /// Does what is due at the [`deadline`](Self::deadline); nothing before it.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.phase {
            Phase::Due(_) | Phase::Stopped => {}
            Phase::Connecting { .. } => self.fail(now, Reason::HeaderTimeout(self.limits.header_timeout)),
            Phase::Open { .. } => self.fail(now, Reason::Idle(self.idle_timeout.unwrap_or_default())),
            Phase::Waiting { .. } => self.phase = Phase::Due(self.first_attempt()),
        }
    }

    /// The state as it is to be shown.
    pub fn status(&self) -> Status {
        let (state, since, next_attempt_at) = match self.phase {
            Phase::Open { since, .. } => (State::Connected, Some(since), None),
            Phase::Due(_) | Phase::Connecting { .. } => (State::Connecting, None, None),
            Phase::Waiting { until, state } => (state, None, until),
            Phase::Stopped => (State::Stopped, None, None),
        };
        let connected_at = self.steady_since.or(since);
        if connected_at.is_some() {
            return Status {
                state: State::Connected,
                reason: None,
                attempt: 0,
                connected_at,
                next_attempt_at: None,
            };
        }
        Status {
            state,
            reason: self.reason.clone(),
            attempt: self.backoff.failures(),
            connected_at: None,
            next_attempt_at,
        }
    }

    /// The last event ID string: what the next request carries, if it can be sent.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The reconnection time that the server set, within the limits; `None` if it set none yet.
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Since when an event has been under way, or a line of whatever kind; `None`: all that came is complete.
    pub fn unfinished_since(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open { unfinished_since, .. } => unfinished_since,
            _ => None,
        }
    }

    /// Where the stream was opened at last, if redirects that are for good alone (301, 308) led there: it may have secrets in it.
    pub fn moved_to(&self) -> Option<&Url> {
        self.moved_to.as_ref()
    }

    /// Events over the limits so far.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    fn open(&mut self, now: Instant, attempt: &Attempt) {
        if attempt.without_id {
            // The server takes the request without the ID, and would refuse it again with it.
            if self.resume.is_by_data() {
                self.resume_value.clear();
                self.outputs.push_back(Output::ResumeRefused);
            } else {
                self.last_event_id.clear();
                self.outputs.push_back(Output::LastEventId(String::new()));
            }
        }
        self.reason = None;
        let moved = attempt.redirects > 0 && attempt.moved && attempt.url != self.url;
        self.moved_to = moved.then(|| match &self.resume {
            // What a server repeats of it is not part of the address.
            Resume::Query { name, .. } => Resume::without(name, &attempt.url),
            _ => attempt.url.clone(),
        });
        let decoder = Box::new(Decoder::new(&self.limits, self.last_event_id.clone()));
        self.phase =
            Phase::Open { since: now, last_byte: now, productive: false, unfinished_since: None, decoder };
    }

    fn fail(&mut self, now: Instant, reason: Reason) {
        let proved = match self.phase {
            Phase::Open { since, productive, .. } => {
                productive
                    || matches!(reason, Reason::Idle(_))
                    || now.saturating_duration_since(since) >= self.limits.growth_reset
            }
            _ => false,
        };
        if proved {
            self.backoff.reset();
        }
        self.steady_since = None;
        self.phase = match answer::remedy(&reason) {
            Remedy::Retry => {
                let delay = self.backoff.after_failure(&self.limits, self.reconnection_time);
                Phase::Waiting { until: now.checked_add(delay), state: State::Waiting }
            }
            Remedy::RetrySlowly => {
                let delay = self.backoff.after_refusal(&self.limits, self.reconnection_time);
                Phase::Waiting { until: now.checked_add(delay), state: State::NeedsAttention }
            }
            Remedy::Stop => Phase::Stopped,
        };
        self.reason = Some(reason);
    }

    /// Shortens a wait to a part of [`Limits::spread`], with what failed before forgotten.
    fn try_soon(&mut self, now: Instant) {
        self.backoff.reset();
        let soon = now.checked_add(self.backoff.part_of(self.limits.spread));
        if let Phase::Waiting { until, .. } = &mut self.phase {
            *until = until.or(soon).min(soon);
        }
    }

    /// Lengthens the wait that has just begun, if one has, as its server asks for it.
    fn wait_at_least(&mut self, now: Instant, asked: Duration) {
        if let Phase::Waiting { until, .. } = &mut self.phase {
            *until = (*until).max(now.checked_add(asked.min(self.limits.retry_after_max)));
        }
    }

    /// Every connection begins at the configured URL: the target of a redirect may be gone by then.
    fn first_attempt(&self) -> Attempt {
        Attempt::at(&self.url)
    }

    /// Whether a request of this attempt asks for what follows something, which its server may refuse.
    fn resumes(&self, attempt: &Attempt) -> bool {
        self.sent_id(attempt).is_some() || self.parameter(attempt).is_some()
    }

    /// The header `Last-Event-ID` of a request of this attempt. It cannot hold control characters, and servers refuse long ones.
    fn sent_id(&self, attempt: &Attempt) -> Option<String> {
        let id = &self.last_event_id;
        let sendable = self.resume == Resume::Header
            && !attempt.without_id
            && (1..=self.limits.sendable_id_bytes).contains(&id.len())
            && id.bytes().all(|byte| byte == b'\t' || !byte.is_ascii_control());
        sendable.then(|| id.clone())
    }

    /// The parameter of the query that this attempt carries, or carried before it was redirected: name and value.
    fn parameter(&self, attempt: &Attempt) -> Option<(&str, &str)> {
        let Resume::Query { name, from, .. } = &self.resume else { return None };
        let value = match from {
            ResumeFrom::Id => &self.last_event_id,
            ResumeFrom::Data(_) => &self.resume_value,
        };
        let sendable = !attempt.without_id && (1..=self.limits.sendable_id_bytes).contains(&value.len());
        sendable.then_some((name, value))
    }

    /// The URL of a request of this attempt. What a redirect leads to is the server's to say, parameters and all.
    fn asked_url(&self, attempt: &Attempt) -> Url {
        match self.parameter(attempt) {
            Some((name, value)) if attempt.redirects == 0 => Resume::apply(name, value, &attempt.url),
            _ => attempt.url.clone(),
        }
    }
}
