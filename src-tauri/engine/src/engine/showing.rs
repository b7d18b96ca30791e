//! From the log to the notification server: what is shown, what became of it, and what keeps it away.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    Attention, Error, Popup, Report, Update,
    event_loop::{COMMIT_RETRY, EventLoop},
    together::Gathered,
};
use crate::{
    event_log::{Pending, Record, SetAside},
    feed::{Feed, FeedId},
    notification::Notification,
    policy::{self, Outcome, Told},
};

/// How many pending events are read from the log at once, to be shown or summed up.
const BACKLOG: usize = 65_536;

/// The setting that keeps what a person snoozed.
pub(super) const SNOOZED: &str = "snoozed";

/// An event that was handed over, or several by one popup of this number, and that the log could not take as such yet.
pub(super) struct Unmarked {
    events: Vec<u64>,
    summary: Option<u64>,
}

impl EventLoop {
    /// Gives the notifier what it may have, from the outbox or from the log.
    pub(super) fn hand_over(&mut self) {
        if self.unmarked.is_empty() && self.outbox.wants_from_log() {
            self.refill();
        }
        let now = Instant::now();
        while let Some(mut popup) = self.outbox.next(now) {
            popup.sound = self.policy.settings().sound;
            self.notifier.show(popup);
        }
    }

    fn refill(&mut self) {
        let Ok(pending) = self.log.pending(BACKLOG) else { return };
        let mut complete = pending.len() < BACKLOG;
        let Some(pending) = self.still_told(pending) else { return };
        let most = self.policy.settings().flood.overall as usize;
        let (mut single, mut together) = (Vec::new(), Vec::new());
        for told in policy::plan(&pending, most) {
            let before = single.len() + together.len();
            match told.kind {
                Some(kind) => together.extend(self.gathered(&pending, &told, kind)),
                None => single.extend(self.single(&pending, &told)),
            }
            // What cannot be read now is not forgotten.
            complete &= single.len() + together.len() > before;
        }
        self.outbox.refill(single, together, complete);
    }

    /// The events that are still to be told: the others have been read, or came to a gate that was open before. `None`: the log
    /// cannot take that now.
    fn still_told(&mut self, pending: Vec<Pending>) -> Option<Vec<Pending>> {
        let now = Timestamp::now();
        let (mut told, mut aside) = (Vec::with_capacity(pending.len()), Vec::new());
        for event in pending {
            let seq = event.seq;
            let feed = self.feeds.iter().find(|entry| entry.feed.id == event.feed).map(|entry| &*entry.feed);
            if event.read {
                aside.push(SetAside { seq, outcome: Outcome::Logged, code: None, until: None });
            } else if let Some(closed) = feed.and_then(|feed| self.policy.closed(feed, event.urgent, now)) {
                let policy::Closed { outcome, code, until } = closed;
                aside.push(SetAside { seq, outcome, code: Some(code), until });
            } else {
                told.push(event);
            }
        }
        if !aside.is_empty() {
            if let Err(error) = self.log.set_aside(&aside) {
                self.retry_at.get_or_insert(Instant::now() + COMMIT_RETRY);
                self.log_failed(&error);
                return None;
            }
            self.count_held();
            self.open_gates();
            self.tell(Update::EventsChanged);
            (0..self.feeds.len()).for_each(|feed| self.refresh(feed));
        }
        Some(told)
    }

    /// An event's own popup.
    fn single(&self, pending: &[Pending], told: &Told) -> Option<Popup> {
        let event = pending.get(*told.events.first()?)?;
        let record = self.log.popups(&[event.seq]).ok()?.pop()?;
        Some(self.popup_of(record))
    }

    fn popup_of(&self, record: Record) -> Popup {
        let feed = self.known(&record.feed);
        Popup {
            events: vec![record.seq],
            // A feed that was removed meanwhile has no name any more.
            feed_name: feed.map_or_else(|| record.feed.to_string(), |feed| feed.name.clone()),
            images: feed.is_some_and(|feed| feed.images),
            feed: Some(record.feed),
            notification: record.notification,
            sound: self.policy.settings().sound,
            summary: None,
        }
    }

    /// Hands an event's popup to the notifier, whatever gate is closed.
    pub(super) fn show_again(&mut self, seq: u64) -> Result<(), Error> {
        let record = self.log.popups(&[seq])?.pop().ok_or(Error::NoSuchEvent(seq))?;
        if self.outbox.on_their_way().contains(&seq) {
            // It is being shown.
            return Ok(());
        }
        if !self.outbox.show_at_once(seq) {
            return Err(Error::NotShown);
        }
        self.again.push(seq);
        let popup = self.popup_of(record);
        self.notifier.show(popup);
        Ok(())
    }

    /// A popup that a person wanted to be shown is; whether it was such a one.
    fn note_shown_again(&mut self, events: &[u64]) -> bool {
        let Some(place) = self.again.iter().position(|seq| events == [*seq]) else { return false };
        let seq = self.again.swap_remove(place);
        self.outbox.shown(events);
        // What the log does not take now only keeps its old outcome.
        match self.log.mark_shown(seq) {
            Ok(true) => self.events_came_or_went(),
            Ok(false) => {}
            Err(error) => self.log_failed(&error),
        }
        true
    }

    fn gathered(&self, pending: &[Pending], told: &Told, kind: policy::SummaryKind) -> Option<Gathered> {
        let events: Vec<&Pending> = told.events.iter().filter_map(|place| pending.get(*place)).collect();
        let newest: Vec<u64> = events.iter().rev().take(Gathered::TITLES).map(|event| event.seq).collect();
        let newest: Vec<Record> = self.log.popups(&newest).ok()?;
        let now = Instant::now();
        let feed = told.feed.as_ref().and_then(|id| self.known(id));
        let mut gathered = Gathered {
            of: told.feed.clone(),
            kind,
            titles: newest.iter().map(|record| record.notification.title.clone()).collect(),
            newest: newest.into_iter().next()?.notification,
            urgency: events.iter().map(|event| event.urgency).max().unwrap_or_default(),
            feed_name: self.name_of(told.feed.as_ref()),
            images: feed.is_some_and(|feed| feed.images),
            feeds: BTreeMap::new(),
            events: events.iter().map(|event| event.seq).collect(),
            begun: now,
            due: now,
        };
        if told.feed.is_none() {
            for event in &events {
                *gathered.feeds.entry(self.name_of(Some(&event.feed))).or_default() += 1;
            }
        }
        Some(gathered)
    }

    fn known(&self, id: &FeedId) -> Option<&Feed> {
        self.feeds.iter().find(|entry| entry.feed.id == *id).map(|entry| &*entry.feed)
    }

    /// What a person calls a feed; empty for several.
    fn name_of(&self, id: Option<&FeedId>) -> String {
        id.map(|id| self.known(id).map_or_else(|| id.to_string(), |feed| feed.name.clone()))
            .unwrap_or_default()
    }

    /// Records what was handed over. What the log does not take now is tried again; until then nothing is read from it to be
    /// shown, as it would be shown twice.
    pub(super) fn mark_shown(&mut self) {
        while let Some(Unmarked { events, summary }) = self.unmarked.last() {
            if let Err(error) = self.log.mark_handed_over(events, *summary) {
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
            Report::Gone { summary } => self.outbox.gone(summary),
            Report::Available(there) => self.outbox.set_server(there),
            // A sample is no event's popup.
            Report::Shown { events } | Report::Failed { events } if events.is_empty() => {}
            Report::Shown { events } if self.note_shown_again(&events) => {}
            Report::Shown { events } => {
                let summary = self.outbox.shown(&events);
                self.unmarked.push(Unmarked { events, summary });
                self.mark_shown();
            }
            Report::Failed { events } => {
                self.again.retain(|seq| events != [*seq]);
                self.popups_at = Some(Instant::now() + self.outbox.refuse(&events));
            }
        }
    }

    /// Lets popups go on that nothing holds back any more, and says when to look again.
    pub(super) fn open_gates(&mut self) {
        let now = Timestamp::now();
        let ended = self.policy.snoozes.forget_ended(now);
        if ended {
            self.keep_snoozes();
        }
        let attention = self.attention();
        if ended || attention != self.attention {
            self.attention = attention;
            self.tell(Update::Attention);
        }
        let open: Vec<FeedId> = self
            .held
            .iter()
            .filter(|(feed, held)| **held > 0 && self.policy.closed_until(Some(feed), now).is_none())
            .map(|(feed, _)| feed.clone())
            .collect();
        if !open.is_empty() {
            match self.log.release(&open) {
                Ok(()) => {
                    self.held.retain(|feed, _| !open.contains(feed));
                    self.outbox.more_is_in_the_log();
                    self.tell(Update::EventsChanged);
                    self.attention = self.attention();
                    self.tell(Update::Attention);
                }
                Err(error) => {
                    self.retry_at.get_or_insert(Instant::now() + COMMIT_RETRY);
                    self.log_failed(&error);
                }
            }
        }
        self.gates_at = self.policy.changes_at(now).map(|at| Instant::now() + wait(now, at));
    }

    pub(super) fn snooze(&mut self, feed: Option<&FeedId>, until: Option<Timestamp>) -> Result<(), Error> {
        // Of a feed that is no more, it may still be ended.
        if let Some(id) = feed.filter(|_| until.is_some()) {
            self.view(id)?;
        }
        let mut snoozes = self.policy.snoozes.clone();
        snoozes.set(feed, until);
        self.log.set_setting(SNOOZED, &snoozes.write())?;
        self.policy.snoozes = snoozes;
        self.outbox.reconsider();
        self.open_gates();
        self.tell(Update::Attention);
        (0..self.feeds.len()).for_each(|feed| self.refresh(feed));
        Ok(())
    }

    /// A later run would show what this one need not hold back any more, at most; so an error is no reason to hold it.
    pub(super) fn keep_snoozes(&mut self) {
        if let Err(error) = self.log.set_setting(SNOOZED, &self.policy.snoozes.write()) {
            self.log_failed(&error);
        }
    }

    pub(super) fn attention(&mut self) -> Attention {
        let now = Timestamp::now();
        Attention {
            snoozed_until: self.policy.snoozes.until(None, now),
            quiet_until: self.policy.quiet_until(now),
            held: self.held.values().sum(),
        }
    }
}

/// How long to wait for a time on the wall's clock, which may be set meanwhile, or stand still with the machine.
fn wait(now: Timestamp, at: Timestamp) -> Duration {
    const LOOK: Duration = Duration::from_secs(30);
    Duration::try_from(at.duration_since(now)).unwrap_or_default().min(LOOK)
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
