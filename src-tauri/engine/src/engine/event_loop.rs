//! The loop itself: what comes in, in order, and what is done about it.

use std::{sync::Arc, thread, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{broadcast, mpsc},
    time::{Instant, sleep, sleep_until, timeout_at},
};
use url::Url;

use super::{
    Command, Engine, Error, GROUP, Notifier, PREVIEW, Parts, Popup, QUEUE, Report, Summary, SummaryKind,
    UPDATES, Update,
    feeds::{Arrival, Connector, Entry, Pace, Source},
    outbox::Outbox,
};
use crate::{
    config::{ConfigError, ConfigFile},
    event_log::{Batch, EventLog, LogError, NewEvent, Record},
    event_source::Message,
    feed::{ConnectionState, Feed, Reason, State},
    notification::Notification,
    policy::{self, Notifications, Outcome, OutcomeReason},
    preset::{self, Opening},
    rule::{Action, Decision},
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

/// How many pending events are read from the log at once, to be shown or summed up.
const BACKLOG: usize = 1000;

pub(super) fn start<N: Notifier>(parts: Parts<N>) -> Result<Engine, Error> {
    let (command_sender, commands) = mpsc::channel(QUEUE);
    let (signal_sender, signals) = mpsc::channel(QUEUE);
    let (updates, _) = broadcast::channel(UPDATES);
    let runtime = tokio::runtime::Handle::current();
    let reader = parts.log.reader();
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
        commands,
        command_sender: command_sender.downgrade(),
        signals,
        updates: updates.clone(),
        stalled: Vec::new(),
        unmarked: Vec::new(),
        retry_at: None,
        unapplied: false,
        gathering_until: None,
        rest_at: None,
        removed: Vec::new(),
        notifications: Arc::default(),
    };
    event_loop.reload_config();
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
    commands: mpsc::Receiver<Command>,
    /// Weak, so that the loop ends with the last handle.
    pub(super) command_sender: mpsc::WeakSender<Command>,
    signals: mpsc::Receiver<Arrival>,
    updates: broadcast::Sender<Update>,
    /// Signals that could not be committed. While there are any, no others are taken: the connections wait.
    stalled: Vec<Arrival>,
    /// Events that were shown and that the log could not take as such.
    unmarked: Vec<Vec<u64>>,
    /// When what the log did not take is tried again.
    pub(super) retry_at: Option<Instant>,
    /// `feeds.toml` was read, but the log could not take all that it changes.
    pub(super) unapplied: bool,
    /// Signals wait until then, unless they fill a group.
    gathering_until: Option<Instant>,
    rest_at: Option<Instant>,
    /// The newest first.
    pub(super) removed: Vec<Url>,
    pub(super) notifications: Arc<Notifications>,
}

/// What the loop wakes up for.
enum Input {
    Command(Command),
    Signals(Vec<Arrival>),
    RetryCommit,
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
                    let stalled = std::mem::take(&mut self.stalled);
                    self.take(stalled);
                }
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
                Some(Arrival { source, signal, .. }) => self.note(&source, signal),
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
    fn note(&mut self, source: &Source, signal: Signal) {
        let Some(entry) = self.feeds.iter_mut().find(|entry| entry.feed.id == source.feed) else { return };
        if let Signal::Opened { origin, replay, moved_to } = signal {
            // Like the messages that follow it, it counts even if its connection has ended since.
            if entry.owns(source) {
                entry.origin = origin;
                entry.moved_to = moved_to;
                entry.replay_window = replay || entry.connected_before(source);
                entry.opening = Opening::default();
            }
            return;
        }
        if !entry.is_current(source) {
            return;
        }
        match signal {
            Signal::State(connection) => entry.connection = connection,
            Signal::Oversized(total) => entry.set_oversized(total),
            // Its view says so.
            Signal::Flooding => {}
            Signal::Opened { .. }
            | Signal::Message { .. }
            | Signal::LastEventId(_)
            | Signal::ResumeRefused
            | Signal::Comment(_) => return,
        }
        let view = entry.view();
        self.tell(Update::Feed(Box::new(view)));
    }

    /// Decides on messages and commits them with their outcomes and last event IDs, in one transaction; then tells everyone.
    /// On an error nothing has happened, neither in the log nor here, and the group comes back.
    fn commit(&mut self, group: Vec<Arrival>) -> Result<(), (Vec<Arrival>, LogError)> {
        if group.is_empty() {
            return Ok(());
        }
        let places: Vec<_> = self.feeds.iter().map(|entry| (entry.replay_window, entry.opening)).collect();
        match self.write(&group) {
            Ok(done) => {
                self.announce(group, done);
                Ok(())
            }
            Err(error) => {
                for (entry, place) in self.feeds.iter_mut().zip(places) {
                    (entry.replay_window, entry.opening) = place;
                }
                Err((group, error))
            }
        }
    }

    fn write(&mut self, group: &[Arrival]) -> Result<Done, LogError> {
        let mut done = Done { written: Vec::with_capacity(group.len()), closed: Vec::new() };
        let mut batch = self.log.begin()?;
        for (position, Arrival { source, signal, received_at, .. }) in group.iter().enumerate() {
            let Some(feed) = self.feeds.iter().position(|entry| entry.feed.id == source.feed) else {
                continue;
            };
            let entry = &mut self.feeds[feed];
            if !entry.owns(source) {
                continue;
            }
            let (message, identified, resume_value) = match signal {
                Signal::Message { message, identified, resume_value } => {
                    entry.find_preset(message, *received_at);
                    (message, *identified, entry.resume_value(source, message, resume_value))
                }
                Signal::LastEventId(id) => {
                    batch.set_last_event_id(&source.feed, id)?;
                    continue;
                }
                Signal::ResumeRefused => {
                    batch.set_resume_value(&source.feed, "")?;
                    continue;
                }
                _ => continue,
            };
            let resume_value = resume_value.as_deref();
            let preset = entry.feed.preset.as_ref().map(|chosen| chosen.preset);
            let snapshot = entry.opening.is_snapshot(preset, message);
            if entry.suspects_repeats() && hold_back(&mut batch, entry, message, identified, resume_value)? {
                let decision = preset::decide(&entry.feed, message, *received_at, snapshot);
                if decision.action == Action::Close {
                    // The stream has ended again, though the event that says so is no news.
                    done.closed.push((feed, entry.closed_by(&decision.reason)));
                }
                continue;
            }
            entry.replay_window &= !entry.ends_replay(resume_value.is_some());
            let (outcome, reason, notification) =
                policy::apply(preset::decide(&entry.feed, message, *received_at, snapshot));
            if outcome == Outcome::Closed {
                done.closed.push((feed, entry.closed_by(&reason)));
            }
            let event = NewEvent {
                message,
                origin: &entry.origin,
                received_at: *received_at,
                outcome,
                reason: &reason,
                notification: &notification,
            };
            let seq = batch.append(&source.feed, &event, resume_value)?;
            done.written.push(Written { position, feed, seq, outcome, reason, notification });
        }
        batch.commit()?;
        Ok(done)
    }

    /// After the commit: popups, closed feeds, and word to everyone who listens.
    fn announce(&mut self, mut group: Vec<Arrival>, done: Done) {
        let mut touched = vec![false; self.feeds.len()];
        for Arrival { source, .. } in &group {
            if let Some(feed) = self.feeds.iter().position(|entry| entry.feed.id == source.feed) {
                touched[feed] = true;
            }
        }
        self.keep_found_presets(&touched);
        for (feed, reason) in done.closed {
            let entry = &mut self.feeds[feed];
            // A paused feed stays so, whatever it still had received.
            if !entry.feed.paused {
                entry.stop(ConnectionState { reason: Some(reason), ..ConnectionState::new(State::Stopped) });
            }
        }
        for Written { position, feed, seq, outcome, reason, notification } in done.written {
            let entry = &mut self.feeds[feed];
            let Arrival { signal, received_at, .. } = &mut group[position];
            if outcome == Outcome::Pending {
                self.outbox.offer(|| popup(&entry.feed, vec![seq], notification.clone()));
            }
            let Signal::Message { message, .. } = signal else { continue };
            if self.updates.receiver_count() > 0 {
                let end = message.data.floor_char_boundary(PREVIEW);
                let data_truncated = end < message.data.len();
                message.data.truncate(end);
                message.data.shrink_to_fit();
                let record = Record {
                    seq,
                    feed: entry.feed.id.clone(),
                    message: std::mem::take(message),
                    data_truncated,
                    origin: entry.origin.clone(),
                    received_at: *received_at,
                    outcome,
                    reason,
                    notification,
                    read: false,
                    summary: None,
                };
                let _ = self.updates.send(Update::Event(Arc::new(record)));
            }
        }
        for feed in touched.iter().enumerate().filter_map(|(feed, touched)| touched.then_some(feed)) {
            self.refresh(feed);
        }
    }

    /// Reads a feed's counts again and tells of them.
    pub(super) fn refresh(&mut self, feed: usize) {
        let Some(entry) = self.feeds.get_mut(feed) else { return };
        if let Ok(counts) = self.log.counts(&entry.feed.id) {
            entry.counts = counts;
        }
        let view = entry.view();
        self.tell(Update::Feed(Box::new(view)));
    }

    pub(super) fn tell(&self, update: Update) {
        // An error means that nobody listens.
        let _ = self.updates.send(update);
    }

    /// Gives the notifier what it may have, from the outbox or from the log.
    pub(super) fn hand_over(&mut self) {
        if self.unmarked.is_empty() && self.outbox.wants_from_log() {
            self.refill();
        }
        while let Some(popup) = self.outbox.next() {
            self.notifier.show(popup);
        }
    }

    fn refill(&mut self) {
        let Ok(pending) = self.log.pending(BACKLOG) else { return };
        let complete = pending.len() < BACKLOG;
        let popups =
            policy::backlog(pending).into_iter().filter_map(|events| self.drawn_together(events)).collect();
        self.outbox.refill(popups, complete);
    }

    fn drawn_together(&self, events: Vec<u64>) -> Option<Popup> {
        let newest = self.log.popups(events.get(events.len().saturating_sub(3)..)?).ok()?;
        let titles = newest.iter().rev().map(|record| record.notification.title.clone()).collect();
        let newest = newest.into_iter().next_back()?;
        let known = self.feeds.iter().find(|entry| entry.feed.id == newest.feed);
        let summary = (events.len() > 1).then(|| Summary {
            id: events[0],
            kind: SummaryKind::Backlog,
            count: events.len() as u64,
            titles,
            feeds: Vec::new(),
        });
        Some(Popup {
            events,
            // A feed that was removed meanwhile has no name any more.
            feed_name: known.map_or_else(|| newest.feed.to_string(), |entry| entry.feed.name.clone()),
            feed: Some(newest.feed),
            notification: newest.notification,
            images: known.is_some_and(|entry| entry.feed.images),
            sound: self.notifications.sound,
            summary,
        })
    }

    /// Records what was handed over. What the log does not take now is tried again; until then nothing is read from it to be
    /// shown, as it would be shown twice.
    fn mark_shown(&mut self) {
        while let Some(events) = self.unmarked.last() {
            let summary = events.first().filter(|_| events.len() > 1);
            if let Err(error) = self.log.mark_handed_over(events, summary.copied()) {
                self.retry_at.get_or_insert(Instant::now() + COMMIT_RETRY);
                return self.log_failed(&error);
            }
            self.unmarked.pop();
            self.tell(Update::EventsChanged);
        }
    }

    /// What became of a popup, or of the notification server.
    pub(super) fn note_report(&mut self, report: Report) {
        match report {
            Report::Gone { .. } => {}
            Report::Available(there) => self.outbox.set_server(there),
            // A sample is no event's popup.
            Report::Shown { events } | Report::Failed { events } if events.is_empty() => {}
            Report::Shown { events } => {
                self.outbox.shown();
                self.unmarked.push(events);
                self.mark_shown();
            }
            Report::Failed { .. } => {
                let delay = self.outbox.refuse();
                let Some(commands) = self.command_sender.upgrade() else { return };
                self.connector.runtime.spawn(async move {
                    sleep(delay).await;
                    let _ = commands.send(Command::RetryPopups).await;
                });
            }
        }
    }
}

/// Counts a message that is in the log, instead of logging it again; whether it is. Only an ID that came on the new connection
/// proves that, or a value to resume by in the message itself: without them it bears the ID of an older one.
fn hold_back(
    batch: &mut Batch<'_>,
    entry: &Entry,
    message: &Message,
    identified: bool,
    resume_value: Option<&str>,
) -> Result<bool, LogError> {
    let feed = &entry.feed.id;
    let repeat = identified && batch.is_logged(feed, message)?
        || resume_value.is_some() && batch.is_resumable_logged(feed, message)?;
    if repeat {
        batch.count_repeat(feed, &message.last_event_id)?;
        resume_value.map_or(Ok(()), |value| batch.set_resume_value(feed, value))?;
    }
    Ok(repeat)
}

/// What a committed group did.
struct Done {
    /// The messages that are in the log now.
    written: Vec<Written>,
    /// Feeds whose stream a rule closed, by their place among the feeds, and which rule that was.
    closed: Vec<(usize, Reason)>,
}

/// A message's way through one group.
struct Written {
    /// Its place in the group.
    position: usize,
    /// Its feed's place among the feeds.
    feed: usize,
    seq: u64,
    outcome: Outcome,
    reason: OutcomeReason,
    notification: Notification,
}

pub(super) fn popup(feed: &Feed, events: Vec<u64>, notification: Notification) -> Popup {
    Popup {
        events,
        feed: Some(feed.id.clone()),
        feed_name: feed.name.clone(),
        notification,
        images: feed.images,
        sound: true,
        summary: None,
    }
}

/// Decides about a message as if it came in the middle of a connection.
pub(super) fn decide(feed: &Feed, message: &Message, received_at: Timestamp) -> Decision {
    preset::decide(feed, message, received_at, false)
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
