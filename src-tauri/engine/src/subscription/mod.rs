//! Drives one [`EventSource`] over the network: the only place that knows both reqwest's streaming side and the clock.

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use jiff::Timestamp;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    sync::{Notify, mpsc},
    task::yield_now,
    time::sleep_until,
};
use url::Url;

use crate::{
    access::Credentials,
    activity::{Activity, Flood},
    event_source::{EventSource, Limits, Message, Output, Request, Status},
    feed::{ConnectionState, State},
    network::Network,
    resume::Resume,
};

mod certificates;
mod client;
mod connected;
mod exchange;
mod fault;
pub mod image;
mod lookout;
mod reach;
mod route;

pub use client::{Client, ClientError, Room};
pub(crate) use exchange::{Body, Exchange, by, now};
use lookout::Lookout;

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
    /// Read before each request to this origin, and shown to no other.
    pub credentials: Credentials,
    /// What its connections go through.
    pub network: Network,
    /// Silence after which the connection counts as dead; `None`: never.
    pub idle_timeout: Option<Duration>,
    /// The last event ID to begin with; empty if none.
    pub last_event_id: String,
    /// What reconnects carry.
    pub resume: Resume,
    /// The value to begin with where [`Resume::Query`] takes it from the data; empty if none.
    pub resume_value: String,
    /// The limits of the protocol; the time to connect is the [`Client`]'s.
    pub limits: Limits,
    /// Decides how delays are lengthened; different for each feed, so that they do not come back in step.
    pub seed: u64,
    /// Where its signs of life are noted, for whoever asks.
    pub activity: Arc<Activity>,
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
        /// The final URL, without secrets, if all redirects to it were for good (301, 308).
        moved_to: Option<String>,
    },
    /// A message.
    Message {
        /// The message.
        message: Message,
        /// Its last event ID, if it has one, came on this connection and not only on an earlier one.
        identified: bool,
        /// The value to resume by after it, if it brings one ([`Resume::value_of`]).
        resume_value: Option<String>,
    },
    /// The server refused the value to resume by, and takes the request without it.
    ResumeRefused,
    /// The last event ID changed without a message: an ID in a block without data, or the server refused the old one.
    LastEventId(String),
    /// The state changed.
    State(ConnectionState),
    /// An event over the limits is skipped; so many were in this subscription.
    Oversized(u64),
    /// So much comes beside events that the stream is read slowly. Told anew only if that had been over for a while.
    Flooding,
    /// A comment of the stream; only if [`Limits::comment_bytes`] asks for them.
    Comment(String),
}

/// What a running subscription is told from outside.
#[derive(Debug, Default)]
pub struct News {
    try_now: Notify,
    sleep: Notify,
    network: Notify,
}

impl News {
    /// Somebody wants a waiting subscription to be tried at once. Without effect at any other time.
    pub fn try_now(&self) {
        self.try_now.notify_one();
    }

    /// The machine has slept: the connection is dropped, and made anew within [`Limits::spread`].
    pub fn woke_up(&self) {
        self.sleep.notify_one();
    }

    /// The network has come back: a wait ends within [`Limits::spread`], and a request without an answer is made anew. An
    /// open stream goes on.
    pub fn network_came_back(&self) {
        self.network.notify_one();
    }
}

impl Subscription {
    /// Runs until the server ends it for good ([`State::Stopped`]) or nobody receives its signals any more. Dropping the
    /// future closes the connection.
    ///
    /// Each signal goes through `map` into `signals`; a full channel holds the connection back, down to TCP, and so does the
    /// [`Room`] that comes with a message: it is to be kept for as long as the message is. `news` is heard all the while.
    pub async fn run<T>(
        self,
        client: Client,
        news: Arc<News>,
        signals: mpsc::Sender<T>,
        map: impl FnMut(Signal, Room) -> T,
    ) {
        let limits = Limits { connect_timeout: client.connect_timeout(), ..self.limits };
        let replay = !self.last_event_id.is_empty() || !self.resume_value.is_empty();
        let exchange = Exchange::new(&client, &self.network, &self.url, self.headers, self.credentials);
        let source = EventSource::new(limits, self.url, self.idle_timeout, self.last_event_id, self.seed)
            .resuming(self.resume.clone(), self.resume_value);
        let lookout = Lookout::new(client.lookouts());
        let mut run = Run {
            source,
            client,
            exchange,
            lookout,
            resume: self.resume,
            news,
            signals,
            map,
            activity: self.activity,
            shown: None,
            replay,
            identified: false,
        };
        run.exchange.prepare().await;
        // An error only says that nobody is there to be told.
        let _ = run.drive().await;
    }
}

struct Run<T, F> {
    source: EventSource,
    client: Client,
    exchange: Exchange,
    lookout: Lookout,
    resume: Resume,
    news: Arc<News>,
    signals: mpsc::Sender<T>,
    map: F,
    activity: Arc<Activity>,
    shown: Option<Status>,
    replay: bool,
    /// Whether the last event ID, if there is one, is of the present connection.
    identified: bool,
}

/// Nobody receives the signals any more.
struct Abandoned;

impl<T, F: FnMut(Signal, Room) -> T> Run<T, F> {
    async fn drive(&mut self) -> Result<(), Abandoned> {
        let news = Arc::clone(&self.news);
        loop {
            while let Some(request) = self.source.poll_request(now()) {
                self.show().await?;
                self.attempt(request).await?;
            }
            // News from before this wait was known to anyone are void, but for that of a sleep.
            let _ = news.try_now.notified().now_or_never();
            let _ = news.network.notified().now_or_never();
            self.show().await?;
            if self.source.status().state == State::Stopped {
                return Ok(());
            }
            self.lookout.waits(self.source.status().reason.as_ref());
            tokio::select! {
                _ = by(self.source.deadline(), pending::<()>()) => self.source.handle_timeout(now()),
                () = news.try_now.notified() => self.source.try_now(),
                () = news.sleep.notified() => self.source.woke_up(now()),
                () = news.network.notified() => self.source.network_came_back(now()),
                () = self.lookout.network_came_back() => self.source.network_came_back(now()),
                () = self.signals.closed() => return Err(Abandoned),
            }
        }
    }

    /// Makes one request, and reads its response to the end.
    async fn attempt(&mut self, request: Request) -> Result<(), Abandoned> {
        let origin = request.url.origin().ascii_serialization();
        let news = Arc::clone(&self.news);
        let (head, body) = tokio::select! {
            answer = self.exchange.request(&mut self.source, request) => answer,
            () = news.sleep.notified() => {
                self.source.woke_up(now());
                return Ok(());
            }
            () = news.network.notified() => {
                self.source.network_came_back(now());
                return Ok(());
            }
            () = self.lookout.network_came_back() => {
                self.source.network_came_back(now());
                return Ok(());
            }
        };
        if let Some(head) = head {
            self.lookout.answered(head.from);
        }
        let Some(body) = body else { return Ok(()) };
        let replay = std::mem::replace(&mut self.replay, true);
        // If it begins without an ID, each one that it has is its own.
        self.identified = self.source.last_event_id().is_empty();
        self.activity.opened();
        let moved_to = self.source.moved_to().and_then(|url| self.exchange.shown(url));
        self.tell(Signal::Opened { origin, replay, moved_to }).await?;
        self.show().await?;
        let read = self.read(body).await;
        self.activity.closed();
        read
    }

    async fn read(&mut self, mut body: Body) -> Result<(), Abandoned> {
        let news = Arc::clone(&self.news);
        let mut flood = Flood::new(now());
        self.tell_outputs(&mut flood).await?;
        loop {
            let held_until = flood.held_until(now());
            if held_until.is_some() && self.activity.flooded(now()) {
                self.tell(Signal::Flooding).await?;
            }
            let chunk = tokio::select! {
                chunk = unheld(held_until, body.chunk(&mut self.source)) => chunk,
                () = news.sleep.notified() => {
                    self.source.woke_up(now());
                    return Ok(());
                }
                () = self.signals.closed() => return Err(Abandoned),
            };
            let Some(chunk) = chunk else { return Ok(()) };
            for piece in chunk.as_ref().chunks(PIECE) {
                self.source.received(now(), piece);
                flood.received(piece);
                self.tell_outputs(&mut flood).await?;
            }
            self.activity.received(now(), self.source.unfinished_since());
            // Whoever always has more to read must leave the others their turn.
            yield_now().await;
        }
    }

    async fn tell_outputs(&mut self, flood: &mut Flood) -> Result<(), Abandoned> {
        while let Some(output) = self.source.poll_output() {
            let signal = match output {
                Output::Message(message) => {
                    flood.was(&message);
                    let resume_value = self.resume.value_of(&message);
                    if let Some(value) = &resume_value {
                        self.source.set_resume_value(value);
                    }
                    Signal::Message { message, identified: self.identified, resume_value }
                }
                Output::ResumeRefused => Signal::ResumeRefused,
                Output::Identified => {
                    self.identified = true;
                    continue;
                }
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

/// The future, not before a moment.
async fn unheld<T>(until: Option<Instant>, future: impl Future<Output = T>) -> T {
    if let Some(until) = until {
        sleep_until(until.into()).await;
    }
    future.await
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
