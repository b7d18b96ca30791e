//! Popups that tell of several events: what is gathered for each, and what each has told so far.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use super::{Popup, Summary, SummaryKind};
use crate::{
    feed::{Feed, FeedId},
    notification::{Notification, Urgency},
    policy::{CATCHING_UP, PAUSE},
};

/// Events of a flood are gathered for so long before the first popup tells of them.
const GATHERING: Duration = Duration::from_millis(300);

/// A popup that counts up is replaced this often at the most.
const REPLACING: Duration = Duration::from_secs(1);

/// A popup that was not replaced for so long is left as it is: what comes then is told by a new one.
const LASTING: Duration = Duration::from_secs(600);

/// Most numbers of events that are gathered here; what comes beyond waits in the log.
const MAX_EVENTS: usize = 8_192;

/// Whose events a popup tells of; `None`: of several feeds.
pub(super) type Of = Option<FeedId>;

/// One more event for a popup of several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addition<'a> {
    pub(super) seq: u64,
    pub(super) feed: &'a Feed,
    pub(super) notification: &'a Notification,
}

/// Events that wait to be told of together.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Gathered {
    pub(super) of: Of,
    pub(super) kind: SummaryKind,
    pub(super) events: Vec<u64>,
    pub(super) newest: Notification,
    /// Newest first.
    pub(super) titles: VecDeque<String>,
    pub(super) urgency: Urgency,
    pub(super) feed_name: String,
    pub(super) images: bool,
    /// Of several feeds: how many of the events are whose.
    pub(super) feeds: BTreeMap<String, u64>,
    pub(super) begun: Instant,
    pub(super) due: Instant,
}

/// What one popup of several events has told so far.
#[derive(Clone, PartialEq, Debug)]
struct Shown {
    of: Of,
    id: u64,
    kind: SummaryKind,
    count: u64,
    feeds: BTreeMap<String, u64>,
    at: Instant,
}

/// What is with the notifier.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Flight {
    pub(super) events: Vec<u64>,
    /// `None`: it is one event's popup.
    shown: Option<Shown>,
}

/// All popups of several events.
#[derive(Default)]
pub(super) struct Together {
    gathered: Vec<Gathered>,
    shown: Vec<Shown>,
}

impl Together {
    /// Adds an event to those that are told together; false: there is no room, and the log keeps it.
    pub(super) fn add(&mut self, of: &Of, kind: SummaryKind, event: Addition<'_>, now: Instant) -> bool {
        let shown_at = self.shown.iter().find(|shown| shown.of == *of).map(|shown| shown.at);
        let place = self.gathered.iter().position(|gathered| gathered.of == *of);
        let place = place.unwrap_or_else(|| {
            self.gathered.push(Gathered::new(of.clone(), kind, event.feed, now, shown_at));
            self.gathered.len() - 1
        });
        self.gathered.get_mut(place).is_some_and(|gathered| gathered.add(kind, event, now))
    }

    /// Takes what was found in the log.
    pub(super) fn adopt(&mut self, gathered: Gathered) {
        self.gathered.push(gathered);
    }

    /// Of how many feeds events are told together now.
    pub(super) fn feeds(&self, now: Instant) -> usize {
        let shown = self.shown.iter().filter(|shown| shown.lasts(now)).map(|shown| &shown.of);
        let gathered = self.gathered.iter().map(|gathered| &gathered.of);
        let mut feeds: Vec<_> = shown.chain(gathered).flatten().collect();
        feeds.sort();
        feeds.dedup();
        feeds.len()
    }

    /// Whether this feed's events are being told together.
    pub(super) fn knows(&self, of: &FeedId, now: Instant) -> bool {
        let same = |other: &Of| other.as_ref() == Some(of);
        self.gathered.iter().any(|gathered| same(&gathered.of))
            || self.shown.iter().any(|shown| same(&shown.of) && shown.lasts(now))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gathered.is_empty()
    }

    /// When the next one is due, of those that are not with the notifier already.
    pub(super) fn due(&self, flights: &[Flight]) -> Option<Instant> {
        self.gathered
            .iter()
            .filter(|gathered| !in_flight(flights, &gathered.of))
            .map(|gathered| gathered.due)
            .min()
    }

    /// One that is due.
    pub(super) fn next(&mut self, flights: &[Flight], now: Instant) -> Option<(Popup, Flight)> {
        let due = |gathered: &Gathered| gathered.due <= now && !in_flight(flights, &gathered.of);
        let place = self.gathered.iter().position(due)?;
        self.shown.retain(|shown| shown.lasts(now));
        let gathered = self.gathered.remove(place);
        let before = self.shown.iter().find(|shown| shown.of == gathered.of);
        gathered.into_popup(before, now)
    }

    /// The notification server took it.
    pub(super) fn note(&mut self, flight: Flight) -> Option<u64> {
        let shown = flight.shown?;
        let id = shown.id;
        self.shown.retain(|before| before.of != shown.of);
        self.shown.push(shown);
        Some(id)
    }

    /// The popup is gone.
    pub(super) fn end(&mut self, id: u64) {
        self.shown.retain(|shown| shown.id != id);
    }

    /// All popups are gone.
    pub(super) fn end_all(&mut self) {
        self.shown.clear();
    }

    /// Forgets what was gathered: the log has it.
    pub(super) fn clear(&mut self) {
        self.gathered.clear();
    }

    /// Forgets what was gathered with one of these events, as its texts may be theirs; whether there was any.
    pub(super) fn remove(&mut self, events: &[u64]) -> bool {
        let before = self.gathered.len();
        self.gathered.retain(|gathered| !gathered.events.iter().any(|event| events.contains(event)));
        self.gathered.len() < before
    }
}

fn in_flight(flights: &[Flight], of: &Of) -> bool {
    flights.iter().any(|flight| flight.shown.as_ref().is_some_and(|shown| shown.of == *of))
}

impl Shown {
    fn lasts(&self, now: Instant) -> bool {
        now.duration_since(self.at) < LASTING
    }
}

impl Flight {
    pub(super) fn of_one(events: Vec<u64>) -> Self {
        Self { events, shown: None }
    }
}

impl Gathered {
    /// How many titles a popup of several events carries.
    pub(super) const TITLES: usize = 3;

    fn new(of: Of, kind: SummaryKind, feed: &Feed, now: Instant, shown_at: Option<Instant>) -> Self {
        let wait = if kind == SummaryKind::CatchUp { seconds(PAUSE) } else { GATHERING };
        Self {
            of,
            kind,
            events: Vec::new(),
            newest: Notification::default(),
            titles: VecDeque::new(),
            urgency: Urgency::Low,
            feed_name: feed.name.clone(),
            images: feed.images,
            feeds: BTreeMap::new(),
            begun: now,
            due: (now + wait).max(shown_at.map_or(now, |at| at + REPLACING)),
        }
    }

    fn add(&mut self, kind: SummaryKind, event: Addition<'_>, now: Instant) -> bool {
        if self.events.len() >= MAX_EVENTS {
            return false;
        }
        if kind == SummaryKind::CatchUp {
            self.due = self.due.max((now + seconds(PAUSE)).min(self.begun + seconds(CATCHING_UP)));
        }
        if kind != self.kind {
            self.kind = SummaryKind::Backlog;
        }
        self.events.push(event.seq);
        self.newest.clone_from(event.notification);
        self.titles.push_front(event.notification.title.clone());
        self.titles.truncate(Self::TITLES);
        self.urgency = self.urgency.max(event.notification.urgency);
        if self.of.is_none() {
            *self.feeds.entry(event.feed.name.clone()).or_default() += 1;
        }
        true
    }

    /// What is to be shown, in place of what was shown before. One event that need not be counted has its own popup.
    fn into_popup(self, before: Option<&Shown>, now: Instant) -> Option<(Popup, Flight)> {
        let Self { of, kind, events, newest, titles, urgency, feed_name, images, feeds, .. } = self;
        let first = *events.first()?;
        let mut popup = Popup {
            feed: of.clone(),
            feed_name,
            notification: newest,
            images,
            // Who shows it knows what `feeds.toml` says.
            sound: true,
            summary: None,
            events: events.clone(),
        };
        if events.len() == 1 && before.is_none() && kind != SummaryKind::Flood && of.is_some() {
            return Some((popup, Flight::of_one(events)));
        }
        let mut shown = before.cloned().unwrap_or(Shown {
            of,
            id: first,
            kind,
            count: 0,
            feeds: BTreeMap::new(),
            at: now,
        });
        if shown.kind != kind {
            shown.kind = SummaryKind::Backlog;
        }
        shown.count += events.len() as u64;
        shown.at = now;
        for (name, count) in feeds {
            *shown.feeds.entry(name).or_default() += count;
        }
        let mut feeds: Vec<(String, u64)> = shown.feeds.clone().into_iter().collect();
        feeds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        popup.notification.urgency = urgency;
        popup.summary = Some(Summary {
            id: shown.id,
            kind: shown.kind,
            count: shown.count,
            titles: titles.into(),
            feeds,
        });
        Some((popup, Flight { events, shown: Some(shown) }))
    }
}

fn seconds(time: jiff::SignedDuration) -> Duration {
    time.unsigned_abs()
}
