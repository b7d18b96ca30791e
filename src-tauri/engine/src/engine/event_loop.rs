//! The loop itself: what comes in, in order, and what is done about it.

use std::{collections::BTreeMap, thread, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{broadcast, mpsc},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Attention, Command, Engine, Error, GROUP, Notifier, Parts, QUEUE, UPDATES, Update,
    deleting::Clock,
    feeds::{Arrival, Connector, Entry, Pace, Source},
    outbox::Outbox,
    running,
    showing::{SNOOZED, Unmarked},
};
use crate::{
    config::{ConfigError, ConfigFile},
    event_log::{EventLog, LogError, Retention},
    feed::FeedId,
    policy::{Policy, Snoozes},
    preset::Opening,
    run::Runner,
    sentence::Sentence,
    subscription::Signal,
};

/// How long the loop waits before it tries a failed commit again.
pub(super) const COMMIT_RETRY: Duration = Duration::from_secs(2);

/// How long a shutdown waits for word of the popups that are with the notifier: without it they come again.
const LAST_REPORTS: Duration = Duration::from_secs(1);

/// After this long without an event the memory that a burst took is given back.
const REST: Duration = Duration::from_secs(3);

/// In a steady stream, messages are gathered for so long after a commit, as a transaction for each would cost more than all
/// else about it. One that comes later after the last is committed at once.
const GATHERING: Duration = Duration::from_millis(4);

pub(super) fn start<N: Notifier>(parts: Parts<N>) -> Result<Engine, Error> {
    let (command_sender, commands) = mpsc::channel(QUEUE);
    let (signal_sender, signals) = mpsc::channel(QUEUE);
    let (updates, _) = broadcast::channel(UPDATES);
    let runtime = tokio::runtime::Handle::current();
    let reader = parts.log.reader();
    let snoozes = parts.log.setting(SNOOZED)?.map(|text| Snoozes::read(&text)).unwrap_or_default();
    let mut event_loop = EventLoop {
        config: parts.config,
        config_error: None,
        log: parts.log,
        log_error: None,
        notifier: Box::new(parts.notifier),
        outbox: Outbox::new(),
        feeds: Vec::new(),
        connector: Connector {
            runtime: runtime.clone(),
            client: parts.client,
            keyring: parts.keyring,
            limits: parts.limits,
            seed: parts.seed,
            signals: signal_sender,
            generation: 0,
            pace: Pace::default(),
        },
        runner: running::runner(&runtime, command_sender.downgrade()),
        commands,
        signals,
        updates: updates.clone(),
        stalled: Vec::new(),
        unmarked: Vec::new(),
        again: Vec::new(),
        sweep_at: None,
        clock: Clock::now(),
        swept: false,
        retry_at: None,
        unapplied: false,
        gathering_until: None,
        rest_at: None,
        policy: Policy::new(snoozes),
        retention: Retention::default(),
        held: BTreeMap::new(),
        attention: Attention::default(),
        gates_at: None,
        popups_at: None,
    };
    event_loop.count_held();
    event_loop.reload_config();
    event_loop.open_gates();
    thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || runtime.block_on(event_loop.run()))
        .map_err(Error::Thread)?;
    Ok(Engine { commands: command_sender, updates, reader })
}

pub(super) struct EventLoop {
    pub(super) config: ConfigFile,
    pub(super) config_error: Option<ConfigError>,
    pub(super) log: EventLog,
    pub(super) log_error: Option<Sentence>,
    pub(super) notifier: Box<dyn Notifier>,
    pub(super) outbox: Outbox,
    pub(super) feeds: Vec<Entry>,
    pub(super) connector: Connector,
    pub(super) runner: Runner,
    commands: mpsc::Receiver<Command>,
    signals: mpsc::Receiver<Arrival>,
    pub(super) updates: broadcast::Sender<Update>,
    /// Signals that could not be committed. While there are any, no others are taken: the connections wait.
    stalled: Vec<Arrival>,
    /// Events that were shown and that the log could not take as such.
    pub(super) unmarked: Vec<Unmarked>,
    /// Events whose popups a person wanted to be shown, whatever keeps them away, and that are with the notifier.
    pub(super) again: Vec<u64>,
    /// How long events stay in the log.
    pub(super) retention: Retention,
    /// When events whose time is over leave next.
    pub(super) sweep_at: Option<Instant>,
    pub(super) clock: Clock,
    /// Some have left, and nobody has been told.
    pub(super) swept: bool,
    /// When what the log did not take is tried again.
    pub(super) retry_at: Option<Instant>,
    /// `feeds.toml` was read, but the log could not take all that it changes.
    pub(super) unapplied: bool,
    /// Signals wait until then, unless they fill a group.
    gathering_until: Option<Instant>,
    rest_at: Option<Instant>,
    pub(super) policy: Policy,
    /// How many events of each feed are held back.
    pub(super) held: BTreeMap<FeedId, u64>,
    /// What was told of what keeps popups away.
    pub(super) attention: Attention,
    /// When that may change by itself.
    pub(super) gates_at: Option<Instant>,
    /// When a notification server that refused a popup is asked again.
    pub(super) popups_at: Option<Instant>,
}

/// What the loop wakes up for.
enum Input {
    Command(Command),
    Signals(Vec<Arrival>),
    RetryCommit,
    OpenGates,
    RetryPopups,
    /// A popup is due.
    HandOver,
    /// A connection has held.
    Back,
    Sweep,
    Rest,
    End,
}

impl EventLoop {
    async fn run(mut self) {
        loop {
            match self.next().await {
                Input::Command(Command::Shutdown(reply)) => {
                    // They stay feeds: what they received is committed.
                    self.feeds.iter_mut().for_each(Entry::disconnect);
                    self.take_received();
                    self.hear_last_reports().await;
                    let lost = self.log_error.take().filter(|_| !self.stalled.is_empty());
                    // The process may end as soon as it is told: the log is closed first, so that it is one whole file.
                    drop(self);
                    let _ = reply.send(lost);
                    return;
                }
                Input::Command(command) => self.obey(command),
                Input::Signals(signals) => {
                    self.take(signals);
                    let now = Instant::now();
                    self.gathering_until = Some(now + GATHERING);
                    self.rest_at = Some(now + REST);
                }
                Input::RetryCommit => {
                    self.retry_at = None;
                    if self.unapplied {
                        self.reload_config();
                    }
                    self.mark_shown();
                    self.open_gates();
                    let stalled = std::mem::take(&mut self.stalled);
                    self.take(stalled);
                }
                Input::OpenGates => self.open_gates(),
                Input::RetryPopups => {
                    self.popups_at = None;
                    self.outbox.retry();
                }
                Input::HandOver => {}
                Input::Back => self.note_backs(None),
                Input::Sweep => self.sweep(Timestamp::now()),
                Input::Rest => {
                    self.rest_at = None;
                    // What is not given back now is given back after the next burst.
                    let _ = self.log.release_memory();
                }
                Input::End => return,
            }
            self.hand_over();
        }
    }

    async fn next(&mut self) -> Input {
        let mut group = Vec::new();
        let flowing = self.stalled.is_empty();
        let gathering =
            self.gathering_until.filter(|end| self.signals.len() < GROUP && *end > Instant::now());
        let signals = &mut self.signals;
        let gathered = async {
            if let Some(end) = gathering {
                sleep_until(end).await;
            }
            signals.recv_many(&mut group, GROUP).await
        };
        // Not biased: whoever asks without end must not keep events out of the log, nor the other way round.
        tokio::select! {
            command = self.commands.recv() => command.map_or(Input::End, Input::Command),
            _ = gathered, if flowing => Input::Signals(group),
            () = until(self.retry_at) => Input::RetryCommit,
            () = until(self.gates_at) => Input::OpenGates,
            () = until(self.popups_at) => Input::RetryPopups,
            () = until(self.outbox.due()) => Input::HandOver,
            () = until(self.feeds.iter().filter_map(|entry| entry.outage.due()).min()) => Input::Back,
            () = until(self.sweep_at) => Input::Sweep,
            () = until(self.rest_at) => Input::Rest,
        }
    }

    /// Commits what waits in the queue: before the end, and before the feeds change.
    pub(super) fn take_received(&mut self) {
        while let Ok(arrival) = self.signals.try_recv() {
            self.stalled.push(arrival);
        }
        let rest = std::mem::take(&mut self.stalled);
        self.take(rest);
    }

    /// What the notification server has taken by now is not to be shown again at the next start.
    async fn hear_last_reports(&mut self) {
        let end = Instant::now() + LAST_REPORTS;
        while self.outbox.awaits_reports() {
            match timeout_at(end, self.commands.recv()).await {
                Ok(Some(Command::Report(report))) => self.note_report(report),
                // Whoever asks now is told that this is the end.
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Takes signals in order; messages that follow each other are committed together.
    fn take(&mut self, signals: Vec<Arrival>) {
        let mut signals = signals.into_iter();
        let mut group = Vec::new();
        loop {
            let next = signals.next();
            if matches!(
                &next,
                Some(Arrival {
                    signal: Signal::Message { .. } | Signal::LastEventId(_) | Signal::ResumeRefused,
                    ..
                })
            ) {
                group.extend(next);
                continue;
            }
            if let Err((mut group, error)) = self.commit(std::mem::take(&mut group)) {
                group.extend(next);
                group.extend(signals);
                self.stall(group, &error);
                return;
            }
            match next {
                Some(Arrival { source, signal, received_at, .. }) => self.note(&source, signal, received_at),
                None => break,
            }
        }
        if !self.unapplied && self.unmarked.is_empty() && self.log_error.take().is_some() {
            self.tell(Update::Log);
        }
    }

    fn stall(&mut self, group: Vec<Arrival>, error: &LogError) {
        self.stalled = group;
        self.retry_at = Some(Instant::now() + COMMIT_RETRY);
        let sentence = error.sentence();
        if self.log_error.as_ref() != Some(&sentence) {
            self.log_error = Some(sentence);
            self.tell(Update::Log);
        }
    }

    /// A signal that changes no data.
    fn note(&mut self, source: &Source, signal: Signal, received_at: Timestamp) {
        let Some(entry) = self.feeds.iter_mut().find(|entry| entry.feed.id == source.feed) else { return };
        if let Signal::Opened { origin, replay, moved_to } = signal {
            // Like the messages that follow it, it counts even if its connection has ended since.
            if entry.owns(source) {
                entry.origin = origin;
                entry.moved_to = moved_to;
                entry.replay_window = replay || entry.connected_before(source);
                entry.catch_up.opened(received_at);
                entry.opening = Opening::default();
            }
            return;
        }
        if !entry.is_current(source) {
            return;
        }
        match signal {
            Signal::State(connection) => {
                entry.enter(connection);
                if let Some(feed) = self.feeds.iter().position(|entry| entry.feed.id == source.feed) {
                    self.note_connection(feed);
                }
            }
            Signal::Oversized(total) => entry.set_oversized(total),
            // Its view says so.
            Signal::Flooding => {}
            Signal::Opened { .. }
            | Signal::Message { .. }
            | Signal::LastEventId(_)
            | Signal::ResumeRefused
            | Signal::Comment(_) => return,
        }
        self.tell_of(source);
    }

    fn tell_of(&self, source: &Source) {
        if let Some(feed) = self.feeds.iter().position(|entry| entry.feed.id == source.feed) {
            self.show_view(feed);
        }
    }

    /// Reads a feed's counts again and tells of them.
    pub(super) fn refresh(&mut self, feed: usize) {
        let Some(entry) = self.feeds.get_mut(feed) else { return };
        if let Ok(counts) = self.log.counts(&entry.feed.id) {
            entry.counts = counts;
        }
        self.show_view(feed);
    }

    /// Tells of a feed as it stands.
    pub(super) fn show_view(&self, feed: usize) {
        if let Some(entry) = self.feeds.get(feed) {
            self.tell(Update::Feed(Box::new(self.view_of(entry))));
        }
    }

    /// Counts anew what is held back.
    pub(super) fn count_held(&mut self) {
        if let Ok(held) = self.log.held() {
            self.held = held.into_iter().collect();
        }
    }

    pub(super) fn tell(&self, update: Update) {
        // An error means that nobody listens.
        let _ = self.updates.send(update);
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
