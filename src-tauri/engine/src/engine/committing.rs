//! From messages to the log: decided, committed together, then told to everyone.

use std::sync::Arc;

use jiff::Timestamp;

use tokio::time::Instant;

use super::{
    PREVIEW, Update,
    event_loop::EventLoop,
    feeds::{Arrival, Entry, Source},
    running::OwnPart,
    showing::popup,
    together::Addition,
};
use crate::{
    event_log::{Batch, LogError, NewEvent, Record},
    event_source::Message,
    feed::{ConnectionState, Feed, FeedId, Reason, State},
    notification::Notification,
    policy::{self, Outcome, OutcomeReason, SummaryKind},
    preset,
    rule::{Action, Decision},
    run,
    subscription::Signal,
};

impl EventLoop {
    /// Popups that wait are not shown any more, and those that are there go away.
    fn take_back(&mut self, events: &[u64], withdrawn: &[(usize, String)]) {
        self.outbox.remove(events);
        for (feed, key) in withdrawn {
            if let Some(entry) = self.feeds.get(*feed) {
                self.notifier.withdraw(&entry.feed.id, key);
            }
        }
    }

    /// Decides on messages and commits them with their outcomes and last event IDs, in one transaction; then tells everyone.
    /// On an error nothing has happened, neither in the log nor here, and the group comes back.
    pub(super) fn commit(&mut self, group: Vec<Arrival>) -> Result<(), (Vec<Arrival>, LogError)> {
        if group.is_empty() {
            return Ok(());
        }
        let places = |entry: &Entry| (entry.replay_window, entry.catch_up, entry.opening);
        let before: Vec<_> = self.feeds.iter().map(places).collect();
        match self.write(&group) {
            Ok(done) => {
                self.announce(group, done);
                Ok(())
            }
            Err(error) => {
                for (entry, before) in self.feeds.iter_mut().zip(before) {
                    (entry.replay_window, entry.catch_up, entry.opening) = before;
                }
                Err((group, error))
            }
        }
    }

    fn write(&mut self, group: &[Arrival]) -> Result<Done, LogError> {
        let mut done = Done::default();
        let mut draft = self.policy.draft();
        let on_their_way = self.outbox.on_their_way();
        let mut batch = self.log.begin()?;
        for (position, Arrival { source, signal, received_at, .. }) in group.iter().enumerate() {
            let Some(feed) = self.feeds.iter().position(|entry| entry.feed.id == source.feed) else {
                continue;
            };
            let entry = &mut self.feeds[feed];
            if !entry.owns(source) {
                continue;
            }
            note_position(&mut batch, source, signal)?;
            let Signal::Message { message, identified, resume_value } = signal else { continue };
            entry.find_preset(message, *received_at);
            let (identified, resume_value) = (*identified, entry.resume_value(source, message, resume_value));
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
            let missed = entry.catch_up.event(*received_at);
            let mut decision = preset::decide(&entry.feed, message, *received_at, snapshot);
            let own = OwnPart::of(&mut decision);
            let (withdraws, urgent) = (decision.action == Action::Withdraw, decision.urgent);
            let (outcome, reason, notification) = draft.apply(&entry.feed, decision, *received_at, missed);
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
                urgent,
            };
            if let Some(key) = &notification.key {
                if withdraws {
                    done.withdrawn.push((feed, key.clone()));
                }
                let taken = take_back(&mut batch, &source.feed, key, withdraws, outcome, &on_their_way)?;
                done.taken_back.extend(taken);
            }
            let seq = batch.append(&source.feed, &event, resume_value)?;
            done.written.push(Written { position, feed, seq, outcome, reason, notification, own });
        }
        batch.commit()?;
        done.policy = Some(draft.into_changes());
        Ok(done)
    }

    /// An event is in the log: its popup, its feed's own program, and word to everyone who listens.
    fn announce_event(&mut self, written: Written, arrival: &mut Arrival, taken_back: bool, now: Instant) {
        let Written { feed, seq, outcome, reason, notification, own, .. } = written;
        let entry = &mut self.feeds[feed];
        let Arrival { signal: Signal::Message { message, .. }, received_at, .. } = arrival else { return };
        own.carry_out(entry, &self.runner, seq, |feed| {
            run::input(feed, message, *received_at, &notification)
        });
        match outcome {
            _ if taken_back => {}
            Outcome::Pending => {
                let event = Addition { seq, feed: &entry.feed, notification: &notification };
                match &*reason.code {
                    OutcomeReason::FLOOD => self.outbox.gather(SummaryKind::Flood, event, now),
                    OutcomeReason::CATCH_UP => self.outbox.gather(SummaryKind::CatchUp, event, now),
                    _ => self.outbox.offer(|| popup(&entry.feed, vec![seq], notification.clone())),
                }
            }
            Outcome::Held => *self.held.entry(entry.feed.id.clone()).or_default() += 1,
            _ => {}
        }
        if self.updates.receiver_count() == 0 {
            return;
        }
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
        self.tell(Update::Event(Arc::new(record)));
    }

    /// After the commit: popups, closed feeds, and word to everyone who listens.
    fn announce(&mut self, mut group: Vec<Arrival>, done: Done) {
        let now = Instant::now();
        let held_before = self.held.values().sum::<u64>();
        if let Some(changes) = done.policy {
            self.policy.keep(changes);
        }
        self.take_back(&done.taken_back, &done.withdrawn);
        let mut touched = vec![false; self.feeds.len()];
        for Arrival { source, .. } in &group {
            if let Some(feed) = self.feeds.iter().position(|entry| entry.feed.id == source.feed) {
                touched[feed] = true;
            }
        }
        self.keep_found_presets(&touched);
        let had_message: Vec<usize> = done.written.iter().map(|written| written.feed).collect();
        for feed in had_message {
            if self.feeds.get(feed).is_some_and(|entry| entry.outage.due().is_some()) {
                self.note_backs(Some(feed));
            }
        }
        for (feed, reason) in done.closed {
            let entry = &mut self.feeds[feed];
            // A paused feed stays so, whatever it still had received.
            if !entry.feed.paused {
                entry.stop(ConnectionState { reason: Some(reason), ..ConnectionState::new(State::Stopped) });
            }
        }
        for written in done.written {
            let arrival = &mut group[written.position];
            let taken_back = done.taken_back.contains(&written.seq);
            self.announce_event(written, arrival, taken_back, now);
        }
        if !done.taken_back.is_empty() {
            // Some of them may have been held back, of this group as well.
            self.count_held();
            self.tell(Update::EventsChanged);
        }
        if self.held.values().sum::<u64>() != held_before {
            // Its time may be over already.
            self.open_gates();
        }
        for feed in touched.iter().enumerate().filter_map(|(feed, touched)| touched.then_some(feed)) {
            self.refresh(feed);
        }
    }
}

/// Writes down where a feed's stream is, if a signal says that and nothing else.
fn note_position(batch: &mut Batch<'_>, source: &Source, signal: &Signal) -> Result<(), LogError> {
    match signal {
        Signal::LastEventId(id) => batch.set_last_event_id(&source.feed, id),
        Signal::ResumeRefused => batch.set_resume_value(&source.feed, ""),
        _ => Ok(()),
    }
}

/// Takes back what an event leaves of earlier ones of its key: if it withdraws them, all; if its own popup is to be shown, those
/// that were not shown yet. Returns their numbers.
fn take_back(
    batch: &mut Batch<'_>,
    feed: &FeedId,
    key: &str,
    withdraws: bool,
    outcome: Outcome,
    on_their_way: &[u64],
) -> Result<Vec<u64>, LogError> {
    if withdraws {
        let taken = batch.take_back(feed, key, OutcomeReason::WITHDRAWN, on_their_way)?;
        batch.mark_key_read(feed, key)?;
        return Ok(taken);
    }
    match outcome {
        Outcome::Pending | Outcome::Held => batch.take_back(feed, key, OutcomeReason::REPLACED, on_their_way),
        _ => Ok(Vec::new()),
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
#[derive(Default)]
struct Done {
    /// The messages that are in the log now.
    written: Vec<Written>,
    /// Feeds whose stream a rule closed, by their place among the feeds, and which rule that was.
    closed: Vec<(usize, Reason)>,
    /// Events whose popups are not to be shown any more, though they were.
    taken_back: Vec<u64>,
    /// Feeds with the keys of popups that go away.
    withdrawn: Vec<(usize, String)>,
    /// What became of the policy.
    policy: Option<policy::Changes>,
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
    own: OwnPart,
}

/// Decides about a message as if it came in the middle of a connection.
pub(super) fn decide(feed: &Feed, message: &Message, received_at: Timestamp) -> Decision {
    preset::decide(feed, message, received_at, false)
}
