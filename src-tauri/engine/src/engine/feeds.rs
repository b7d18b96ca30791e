//! The feeds as the loop keeps them: their connections, and what a changed `feeds.toml` means for each.

use std::{
    borrow::Cow,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::{runtime::Handle, sync::mpsc, task::AbortHandle, time::sleep};

use super::{FeedView, outages::Outage};
use crate::{
    access::{Credentials, Keyring},
    activity::Activity,
    event_log::{Counts, EventLog, LogError},
    event_source::{Limits, Message},
    feed::{ConnectionState, DEFAULT_IDLE_TIMEOUT, Feed, FeedId, Reason, Repeats, State},
    policy::{CatchUp, OutcomeReason},
    preset::{self, Opening},
    rule::{FeedFacts, RuleFaults},
    subscription::{Client, HeaderMap, News, Room, Signal, Subscription, now},
};

/// Which connection a signal is from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) feed: FeedId,
    /// Grows with each connection task of the engine, so that a late signal of an ended one is known as such.
    pub(super) generation: u64,
}

/// A signal on its way through the loop.
pub(super) struct Arrival {
    pub(super) source: Source,
    pub(super) signal: Signal,
    pub(super) received_at: Timestamp,
    /// Until the message is in the log.
    pub(super) _room: Room,
}

impl Arrival {
    fn now(source: &Source, signal: Signal, room: Room) -> Self {
        Self { source: source.clone(), signal, received_at: Timestamp::now(), _room: room }
    }
}

/// What every connection is made with.
pub(super) struct Connector {
    pub(super) runtime: Handle,
    pub(super) client: Client,
    pub(super) keyring: Arc<dyn Keyring>,
    pub(super) limits: Limits,
    pub(super) seed: u64,
    pub(super) signals: mpsc::Sender<Arrival>,
    pub(super) generation: u64,
    pub(super) pace: Pace,
}

/// When connections are begun: with a thousand feeds neither their hosts nor the name service are to be asked by all at once.
#[derive(Default)]
pub(super) struct Pace {
    /// When the next one were due if none were begun at once.
    due: Option<Instant>,
}

/// How many connections are begun at once.
const AT_ONCE: u32 = 32;

/// The time between two of those beyond.
const APART: Duration = Duration::from_millis(4);

impl Pace {
    /// How long another connection has to wait from now.
    fn next(&mut self, now: Instant) -> Duration {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = due.checked_add(APART);
        due.saturating_duration_since(now).saturating_sub(APART * (AT_ONCE - 1))
    }
}

/// Where a feed's earlier connections ended, as the log has it.
pub(super) struct Position {
    last_event_id: String,
    resume_value: String,
}

impl Position {
    pub(super) fn of(feed: &FeedId, log: &EventLog) -> Result<Self, LogError> {
        Ok(Self { last_event_id: log.last_event_id(feed)?, resume_value: log.resume_value(feed)? })
    }
}

/// One feed in the loop.
pub(super) struct Entry {
    pub(super) feed: Arc<Feed>,
    pub(super) connection: ConnectionState,
    pub(super) counts: Counts,
    pub(super) origin: String,
    /// Where its server asks to connect to from now on.
    pub(super) moved_to: Option<String>,
    /// From a reconnect to the first message that is not in the log: here an equal message is a repeat.
    pub(super) replay_window: bool,
    /// Whether what comes was missed before.
    pub(super) catch_up: CatchUp,
    pub(super) rule_faults: RuleFaults,
    /// Whether its connection is lost, as the log tells.
    pub(super) outage: Outage,
    /// How far its connection is past what it begins with.
    pub(super) opening: Opening,
    /// Messages that may still tell its preset.
    pub(super) looked_at: u32,
    /// As it was before its preset was found, until that is kept.
    pub(super) before_preset: Option<Arc<Feed>>,
    oversized_before: u64,
    oversized_now: u64,
    generation: u64,
    /// The first generation that connected to the present URL: messages of older ones are another stream's.
    url_since: u64,
    activity: Arc<Activity>,
    task: Option<Task>,
}

struct Task {
    abort: AbortHandle,
    news: Arc<News>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

impl Entry {
    pub(super) fn new(feed: Arc<Feed>, counts: Counts, connector: &Connector) -> Self {
        Self {
            feed,
            connection: ConnectionState::new(State::Paused),
            counts,
            origin: String::new(),
            moved_to: None,
            replay_window: false,
            catch_up: CatchUp::new(counts.last_event_at),
            rule_faults: RuleFaults::default(),
            outage: Outage::default(),
            opening: Opening::default(),
            looked_at: 0,
            before_preset: None,
            oversized_before: 0,
            oversized_now: 0,
            generation: connector.generation,
            url_since: connector.generation + 1,
            activity: Arc::default(),
            task: None,
        }
    }

    /// Connects anew, or not at all if the feed is paused. Whatever connection there was is closed.
    pub(super) fn start(&mut self, position: Position, connector: &mut Connector) {
        if self.connection.state == State::Connected {
            self.enter(ConnectionState::new(State::Connecting));
        }
        self.task = None;
        self.outage.let_go();
        self.oversized_before += std::mem::take(&mut self.oversized_now);
        connector.generation += 1;
        self.generation = connector.generation;
        if self.feed.paused {
            self.connection = ConnectionState::new(State::Paused);
            return;
        }
        self.connection = ConnectionState::new(State::Connecting);
        let source = Source { feed: self.feed.id.clone(), generation: self.generation };
        let subscription = Subscription {
            url: self.feed.url.clone(),
            headers: HeaderMap::new(),
            credentials: Credentials {
                access: self.feed.access.clone(),
                feed: Some(self.feed.id.clone()),
                keyring: Arc::clone(&connector.keyring),
            },
            network: self.feed.network.clone(),
            idle_timeout: self.feed.idle_timeout,
            last_event_id: position.last_event_id,
            resume: self.feed.resume.clone(),
            resume_value: position.resume_value,
            limits: connector.limits.clone(),
            // A different sequence for each feed and connection: feeds of one host must not return in step.
            seed: connector.seed.wrapping_add(self.generation.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            activity: Arc::clone(&self.activity),
        };
        let news = Arc::new(News::default());
        let (signals, of) = (connector.signals.clone(), source.clone());
        let map = move |signal, room| Arrival::now(&of, signal, room);
        // By its address: a future that is handed on would be there once more in each that waits for it.
        let run = Box::pin(subscription.run(
            connector.client.clone(),
            Arc::clone(&news),
            connector.signals.clone(),
            map,
        ));
        let turn = connector.pace.next(now());
        let run = async move {
            if !turn.is_zero() {
                sleep(turn).await;
            }
            run.await;
        };
        let abort = connector.runtime.spawn(telling_of_a_panic(run, source, signals)).abort_handle();
        self.task = Some(Task { abort, news });
    }

    /// What it means that the feed is declared so from now on. Whatever changes may be the cure of what keeps it from connecting.
    pub(super) fn change(&self, new: &Feed) -> Change {
        let old = &*self.feed;
        let stuck = matches!(self.connection.state, State::NeedsAttention | State::Stopped) && old != new;
        let reconnects = old.paused != new.paused
            || old.idle_timeout != new.idle_timeout
            || old.access != new.access
            || old.network != new.network
            || old.resume != new.resume
            // Where a connection is since its begin is known only if that was looked at.
            || old.snapshot() != new.snapshot();
        if old.url != new.url {
            Change::AnotherStream
        } else if stuck || reconnects {
            Change::Reconnect
        } else {
            Change::Settings
        }
    }

    /// Closes the connection for good, with the state to show.
    pub(super) fn stop(&mut self, connection: ConnectionState) {
        self.disconnect();
        self.connection = connection;
    }

    /// Closes the connection.
    pub(super) fn disconnect(&mut self) {
        self.task = None;
        self.outage.let_go();
    }

    /// The URL changed: what older connections still deliver belongs to another stream.
    pub(super) fn forget_older_connections(&mut self) {
        self.url_since = self.generation + 1;
        self.origin.clear();
        self.moved_to = None;
        self.activity = Arc::default();
        self.catch_up = CatchUp::default();
        // An outage goes on, as the log has it: the feed is back once the new URL answers.
        self.looked_at = 0;
    }

    /// Ends a wait at once; false if there is none to end, and the connection must be made anew.
    pub(super) fn end_wait(&self) -> bool {
        let waiting = matches!(self.connection.state, State::Waiting | State::NeedsAttention);
        match &self.task {
            Some(task) if waiting => {
                task.news.try_now();
                true
            }
            _ => false,
        }
    }

    /// Where the connection hears of what happens to the machine, if there is one.
    pub(super) fn news(&self) -> Option<&News> {
        self.task.as_ref().map(|task| &*task.news)
    }

    /// Whether a signal is from the present connection.
    pub(super) fn is_current(&self, source: &Source) -> bool {
        source.generation == self.generation && self.task.is_some()
    }

    /// Whether a message is of this feed's stream: it was received, so it counts, even if its connection has ended since.
    pub(super) fn owns(&self, source: &Source) -> bool {
        source.generation >= self.url_since
    }

    /// Whether an older connection had the same stream: what it received may not have been committed when this one was asked
    /// for, so its server may send it again.
    pub(super) fn connected_before(&self, source: &Source) -> bool {
        source.generation > self.url_since
    }

    /// Whether an equal message in the log may make this one a repeat: only right after a reconnect.
    pub(super) fn suspects_repeats(&self) -> bool {
        self.replay_window && self.feed.repeats == Repeats::Hide
    }

    /// Whether a message that is no repeat proves that the server is past what it had sent before. What says nothing of its place,
    /// such as a greeting, does not where places are told by the data.
    pub(super) fn ends_replay(&self, has_place: bool) -> bool {
        has_place || !self.feed.resume.is_by_data()
    }

    /// The value to resume by that a message of this connection brought. One that was received before the way to resume changed
    /// brought another.
    pub(super) fn resume_value<'a>(
        &self,
        source: &Source,
        message: &Message,
        found: &'a Option<String>,
    ) -> Option<Cow<'a, str>> {
        if source.generation == self.generation && self.before_preset.is_none() {
            return found.as_deref().map(Cow::Borrowed);
        }
        self.feed.resume.value_of(message).map(Cow::Owned)
    }

    /// Looks whether one of its first messages tells its preset.
    pub(super) fn find_preset(&mut self, message: &Message, received_at: Timestamp) {
        if self.looked_at >= preset::LOOKED_AT || !self.feed.may_find_preset() {
            return;
        }
        self.looked_at += 1;
        let url = self.feed.shown_url();
        let facts = FeedFacts { id: self.feed.id.as_str(), name: &self.feed.name, url: &url };
        let Some(found) = preset::by_stream(&facts, message, received_at) else { return };
        drop(url);
        let feed = Arc::new(Feed::clone(&self.feed).with_preset(found));
        self.before_preset = Some(std::mem::replace(&mut self.feed, feed));
        self.opening.found();
    }

    /// Why its stream was closed, if it was for this reason of an event.
    pub(super) fn closed_by(&self, reason: &OutcomeReason) -> Reason {
        match &self.feed.preset {
            Some(chosen) if reason.code == OutcomeReason::PRESET => {
                Reason::ClosedByPreset(chosen.preset.name.clone())
            }
            _ => Reason::ClosedByRule(reason.rule.unwrap_or_default()),
        }
    }

    pub(super) fn set_oversized(&mut self, of_this_connection: u64) {
        self.oversized_now = of_this_connection;
    }

    /// The connection's state is this now.
    pub(super) fn enter(&mut self, connection: ConnectionState) {
        if self.connection.state == State::Connected && connection.state != State::Connected {
            self.catch_up.ended(self.activity.signs(now(), DEFAULT_IDLE_TIMEOUT).last);
        }
        self.connection = connection;
    }

    pub(super) fn view(&self, snoozed_until: Option<Timestamp>, held: u64) -> FeedView {
        let patience = self.feed.idle_timeout.unwrap_or(DEFAULT_IDLE_TIMEOUT);
        FeedView {
            feed: Arc::clone(&self.feed),
            connection: self.connection.clone(),
            counts: self.counts,
            oversized: self.oversized_before + self.oversized_now,
            moved_to: self.moved_to.clone(),
            signs: self.activity.signs(now(), patience),
            snoozed_until,
            held,
            rule_faults: self.rule_faults.all().to_vec(),
        }
    }
}

/// Runs a connection. One that ends by a fault of the program must not be taken for one on which nothing comes.
async fn telling_of_a_panic(run: impl Future<Output = ()>, source: Source, signals: mpsc::Sender<Arrival>) {
    if AssertUnwindSafe(run).catch_unwind().await.is_err() {
        let reason = Some(Reason::Network("a fault of Bellwether's own".to_owned()));
        let state = ConnectionState { reason, ..ConnectionState::new(State::Stopped) };
        let _ = signals.send(Arrival::now(&source, Signal::State(state), Room::default())).await;
    }
}

/// What a changed declaration asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// Nothing that the connection would notice.
    Settings,
    /// A new connection to the same stream.
    Reconnect,
    /// Another stream: its last event ID is no longer this feed's.
    AnotherStream,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_connections_are_begun_one_after_the_other_and_few_at_once() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let turns: Vec<Duration> = (0..1000).map(|_| pace.next(start)).collect();
        assert_eq!(turns.iter().filter(|turn| turn.is_zero()).count(), 32);
        assert_eq!((turns[32], turns[999]), (APART, APART * 968));
        let later = start + Duration::from_secs(10);
        assert!((0..32).all(|_| pace.next(later).is_zero()));
        assert_eq!(pace.next(later), APART);
    }

    #[tokio::test]
    async fn a_connection_that_panics_is_told_as_stopped() {
        let (signals, mut arrivals) = mpsc::channel(1);
        let source = Source { feed: FeedId::new("a").unwrap(), generation: 7 };
        telling_of_a_panic(async {}, source.clone(), signals.clone()).await;
        assert!(arrivals.try_recv().is_err());
        telling_of_a_panic(async { panic!("a fault") }, source, signals).await;
        let arrival = arrivals.try_recv().ok().unwrap();
        assert_eq!(arrival.source.generation, 7);
        let Signal::State(state) = arrival.signal else { panic!("a state") };
        assert_eq!(state.state, State::Stopped);
    }
}
