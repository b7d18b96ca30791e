//! Drives one [`EventSource`] over the network: the only place that knows both reqwest's streaming side and the clock.

use std::{
    future::{Future, pending},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use jiff::Timestamp;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    sync::{Notify, mpsc},
    time,
};
use url::{Origin, Url};

use crate::{
    event_source::{Answer, EventSource, Limits, Message, Output, Request, Status, Verdict},
    feed::{ConnectionState, State},
};

mod client;
mod fault;

pub use client::{Client, ClientError, Room};

/// A chunk of the body is decoded in pieces of this size, so that what waits to be received stays small however much has
/// come at once.
const PIECE: usize = 8 << 10;

/// What is to be subscribed to, and where an earlier run ended.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Where every connection begins.
    pub url: Url,
    /// Sent with each request to this origin, in place of the client's own of the same name; a redirect to another origin
    /// gets none of them.
    pub headers: HeaderMap,
    /// Silence after which the connection counts as dead; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// The last event ID to begin with; empty if none.
    pub last_event_id: String,
    /// The limits of the protocol; the time to connect is the [`Client`]'s.
    pub limits: Limits,
    /// Decides how delays are lengthened; different for each feed, so that they do not come back in step.
    pub seed: u64,
}

/// What a subscription tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Signal {
    /// The head of a response was accepted; its messages follow.
    Opened {
        /// The origin of the final URL, after redirects (`https://example.org`).
        origin: String,
        /// The server may send again what was received before: this is a reconnect, or begins with a stored last event ID.
        replay: bool,
    },
    /// A message.
    Message(Message),
    /// The last event ID changed without a message: an ID in a block without data, or the server refused the old one.
    LastEventId(String),
    /// The state changed.
    State(ConnectionState),
    /// An event over the limits is skipped; so many were in this subscription.
    Oversized(u64),
    /// A comment of the stream; only if [`Limits::comment_bytes`] asks for them.
    Comment(String),
}

impl Subscription {
    /// Runs until the server ends it for good ([`State::Stopped`]) or nobody receives its signals any more. Dropping the
    /// future closes the connection.
    ///
    /// Each signal goes through `map` into `signals`; a full channel holds the connection back, down to TCP, and so does the
    /// [`Room`] that comes with a message: it is to be kept for as long as the message is.
    /// `try_now.notify_one()` ends a wait at once, and is without effect at any other time.
    pub async fn run<T>(
        self,
        client: Client,
        try_now: Arc<Notify>,
        signals: mpsc::Sender<T>,
        map: impl FnMut(Signal, Room) -> T,
    ) {
        let limits = Limits { connect_timeout: client.connect_timeout(), ..self.limits };
        let replay = !self.last_event_id.is_empty();
        let own = Own { origin: self.url.origin(), headers: self.headers };
        let source = EventSource::new(limits, self.url, self.idle_timeout, self.last_event_id, self.seed);
        let mut run = Run { source, client, own, signals, map, shown: None, replay };
        run.client.prepare().await;
        // An error only says that nobody is there to be told.
        let _ = run.drive(&try_now).await;
    }
}

struct Run<T, F> {
    source: EventSource,
    client: Client,
    own: Own,
    signals: mpsc::Sender<T>,
    map: F,
    shown: Option<Status>,
    replay: bool,
}

/// The feed's own headers, and whom they may be sent to.
struct Own {
    origin: Origin,
    headers: HeaderMap,
}

impl Own {
    fn headers_for(&self, url: &Url) -> HeaderMap {
        if url.origin() == self.origin { self.headers.clone() } else { HeaderMap::new() }
    }
}

/// Nobody receives the signals any more.
struct Abandoned;

impl<T, F: FnMut(Signal, Room) -> T> Run<T, F> {
    async fn drive(&mut self, try_now: &Notify) -> Result<(), Abandoned> {
        loop {
            while let Some(request) = self.source.poll_request(now()) {
                self.show().await?;
                self.attempt(request).await?;
            }
            // A wish from before this wait was known to anyone is void.
            let _ = try_now.notified().now_or_never();
            self.show().await?;
            if self.source.status().state == State::Stopped {
                return Ok(());
            }
            tokio::select! {
                _ = by(self.source.deadline(), pending::<()>()) => self.source.handle_timeout(now()),
                () = try_now.notified() => self.source.try_now(),
                () = self.signals.closed() => return Err(Abandoned),
            }
        }
    }

    /// Makes one request, and reads its response to the end.
    async fn attempt(&mut self, request: Request) -> Result<(), Abandoned> {
        let url = request.url.clone();
        let headers = self.own.headers_for(&url);
        let response = match by(self.source.deadline(), self.client.send(request, headers)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                self.source.failed(now(), fault::of_request(&error, &url, self.client.connect_timeout()));
                return Ok(());
            }
            Err(Late) => {
                self.source.handle_timeout(now());
                return Ok(());
            }
        };
        if self.source.answered(now(), &Head::of(&response).answer()) == Verdict::Refused {
            return Ok(());
        }
        let origin = url.origin().ascii_serialization();
        let replay = std::mem::replace(&mut self.replay, true);
        self.tell(Signal::Opened { origin, replay }).await?;
        self.show().await?;
        self.read(response).await
    }

    async fn read(&mut self, mut response: reqwest::Response) -> Result<(), Abandoned> {
        self.tell_outputs().await?;
        loop {
            let chunk = tokio::select! {
                chunk = by(self.source.deadline(), response.chunk()) => chunk,
                () = self.signals.closed() => return Err(Abandoned),
            };
            match chunk {
                Ok(Ok(Some(chunk))) => {
                    for piece in chunk.chunks(PIECE) {
                        self.source.received(now(), piece);
                        self.tell_outputs().await?;
                    }
                    continue;
                }
                Ok(Ok(None)) => self.source.ended(now()),
                Ok(Err(error)) => self.source.failed(now(), fault::of_body(&error)),
                Err(Late) => self.source.handle_timeout(now()),
            }
            return Ok(());
        }
    }

    async fn tell_outputs(&mut self) -> Result<(), Abandoned> {
        while let Some(output) = self.source.poll_output() {
            let signal = match output {
                Output::Message(message) => Signal::Message(message),
                Output::LastEventId(id) => Signal::LastEventId(id),
                Output::Oversized => Signal::Oversized(self.source.oversized()),
                Output::Comment(comment) => Signal::Comment(comment),
            };
            self.tell(signal).await?;
        }
        Ok(())
    }

    /// Tells the state, if it is another than was told last.
    async fn show(&mut self) -> Result<(), Abandoned> {
        let status = self.source.status();
        if self.shown.as_ref() == Some(&status) {
            return Ok(());
        }
        let state = connection_state(&status, now());
        self.shown = Some(status);
        self.tell(Signal::State(state)).await
    }

    async fn tell(&mut self, signal: Signal) -> Result<(), Abandoned> {
        let room = tokio::select! {
            room = self.client.room_for(&signal) => room,
            () = self.signals.closed() => return Err(Abandoned),
        };
        let signal = (self.map)(signal, room);
        self.signals.send(signal).await.map_err(|_| Abandoned)
    }
}

/// What the protocol reads of a response's head.
struct Head {
    status: u16,
    content_type: Option<String>,
    content_encoding: Option<String>,
    location: Option<String>,
}

impl Head {
    fn of(response: &reqwest::Response) -> Self {
        let first = |name: HeaderName| {
            let value = response.headers().get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            status: response.status().as_u16(),
            content_type: first(CONTENT_TYPE),
            content_encoding: first(CONTENT_ENCODING),
            location: first(LOCATION),
        }
    }

    fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            content_type: self.content_type.as_deref(),
            content_encoding: self.content_encoding.as_deref(),
            location: self.location.as_deref(),
        }
    }
}

/// The deadline passed first.
struct Late;

async fn by<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Result<T, Late> {
    match deadline {
        Some(deadline) => time::timeout_at(deadline.into(), future).await.map_err(|_| Late),
        None => Ok(future.await),
    }
}

/// Tokio's clock, so that a test can pause it.
fn now() -> Instant {
    time::Instant::now().into_std()
}

fn connection_state(status: &Status, now: Instant) -> ConnectionState {
    let wall_clock = |instant: Instant| {
        let (ahead, behind) =
            (instant.saturating_duration_since(now), now.saturating_duration_since(instant));
        Timestamp::now().checked_add(ahead).ok()?.checked_sub(behind).ok()
    };
    ConnectionState {
        state: status.state,
        reason: status.reason.clone(),
        attempt: status.attempt,
        connected_at: status.connected_at.and_then(wall_clock),
        next_attempt_at: status.next_attempt_at.and_then(wall_clock),
    }
}
