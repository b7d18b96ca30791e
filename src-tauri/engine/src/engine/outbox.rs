//! The way from committed events to the notification server, at the server's pace.
//!
//! The log itself is the queue: here lie only the next few popups. What does not fit waits in the log as pending, and when
//! it is read from there, or when the server was away, many of one feed become one popup.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    Popup, SummaryKind,
    together::{Addition, Flight, Gathered, Of, Together},
};

/// How many popups may be with the notifier without a report.
const WITH_NOTIFIER: usize = 4;

/// How many popups may wait here. Few, so that a burst is drawn together soon.
const WAITING: usize = 8;

/// How long a server that refused a popup is left alone; twice as long after each further refusal.
const RETRY: Duration = Duration::from_secs(5);

/// How often that grows: up to some five minutes.
const GROWTH: u32 = 6;

/// Of how many feeds events are told together, each by a popup of its own; those of further feeds share one.
const FEEDS: usize = 10;

/// Popups between the log and the notifier.
#[derive(Default)]
pub(super) struct Outbox {
    /// There is a notification server.
    server: bool,
    /// It refused a popup, and is left alone for a while.
    refused: bool,
    /// So many in a row.
    refusals: u32,
    waiting: VecDeque<Popup>,
    together: Together,
    flights: Vec<Flight>,
    /// Whether the log may hold pending events that are neither here nor with the notifier.
    more_in_log: bool,
}

impl Outbox {
    /// An outbox after a start: what the last run left pending is in the log.
    pub(super) fn new() -> Self {
        Self { more_in_log: true, ..Self::default() }
    }

    /// A committed event's popup.
    pub(super) fn offer(&mut self, popup: impl FnOnce() -> Popup) {
        if !self.takes_more() || self.waiting.len() >= WAITING {
            self.more_in_log = true;
            return;
        }
        self.waiting.push_back(popup());
    }

    /// A committed event that is told together with others.
    pub(super) fn gather(&mut self, kind: SummaryKind, event: Addition<'_>, now: Instant) {
        if !self.takes_more() {
            self.more_in_log = true;
            return;
        }
        let feed = &event.feed.id;
        let own = self.together.knows(feed, now) || self.together.feeds(now) < FEEDS;
        let of: Of = own.then(|| feed.clone());
        self.more_in_log |= !self.together.add(&of, kind, event, now);
    }

    /// Whether it is time to read from the log: then nothing pending is here or with the notifier.
    pub(super) fn wants_from_log(&self) -> bool {
        self.is_open()
            && self.more_in_log
            && self.waiting.is_empty()
            && self.together.is_empty()
            && self.flights.is_empty()
    }

    /// What the log held when [`Outbox::wants_from_log`]; `complete` if there is no more.
    pub(super) fn refill(&mut self, one_by_one: Vec<Popup>, together: Vec<Gathered>, complete: bool) {
        self.more_in_log = !complete;
        self.waiting.extend(one_by_one);
        together.into_iter().for_each(|gathered| self.together.adopt(gathered));
    }

    /// The log holds more that is pending.
    pub(super) fn more_is_in_the_log(&mut self) {
        self.more_in_log = true;
    }

    /// The next popup for the notifier, if it may have one.
    pub(super) fn next(&mut self, now: Instant) -> Option<Popup> {
        if !self.is_open() || self.flights.len() >= WITH_NOTIFIER {
            return None;
        }
        let (popup, flight) = match self.waiting.pop_front() {
            Some(popup) => {
                let flight = Flight::of_one(popup.events.clone());
                (popup, flight)
            }
            None => self.together.next(&self.flights, now)?,
        };
        self.flights.push(flight);
        Some(popup)
    }

    /// When there may be a next popup without anything else happening.
    pub(super) fn due(&self) -> Option<Instant> {
        if !self.is_open() || self.flights.len() >= WITH_NOTIFIER {
            return None;
        }
        self.together.due(&self.flights)
    }

    /// The notification server took the popup of these events; returns the number of the popup that told of several.
    pub(super) fn shown(&mut self, events: &[u64]) -> Option<u64> {
        self.refusals = 0;
        let flight = self.land(events)?;
        self.together.note(flight)
    }

    /// A popup that told of several events is gone.
    pub(super) fn gone(&mut self, summary: u64) {
        self.together.end(summary);
    }

    /// The notification server came, went, or is another one now. What is pending then is in the log.
    pub(super) fn set_server(&mut self, there: bool) {
        if self.server != there {
            self.server = there;
            self.together.end_all();
            self.start_over();
        }
        self.refused = false;
        self.refusals = 0;
    }

    /// The notification server refused a popup: nothing more goes to it until [`Outbox::retry`], which is due after this time.
    pub(super) fn refuse(&mut self, events: &[u64]) -> Duration {
        self.land(events);
        let delay = RETRY * (1 << self.refusals.min(GROWTH));
        self.refusals = self.refusals.saturating_add(1);
        self.refused = true;
        self.start_over();
        delay
    }

    /// Whether popups are with the notifier.
    pub(super) fn awaits_reports(&self) -> bool {
        !self.flights.is_empty()
    }

    /// A server that refused a popup is asked again.
    pub(super) fn retry(&mut self) {
        self.refused = false;
    }

    /// Takes events back whose popups are not to be shown any more. Others that were gathered with them are read from the log again.
    pub(super) fn remove(&mut self, events: &[u64]) {
        self.waiting.retain(|popup| !popup.events.iter().any(|event| events.contains(event)));
        self.more_in_log |= self.together.remove(events);
    }

    /// What keeps popups away has changed: what is not with the notifier is read from the log again, and asked anew.
    pub(super) fn reconsider(&mut self) {
        self.start_over();
    }

    /// Notes a popup that goes to the notifier past all others. False: it may not, as there is no server, or it has too many to take.
    pub(super) fn show_at_once(&mut self, event: u64) -> bool {
        let takes = self.server && self.flights.len() < 2 * WITH_NOTIFIER;
        if takes {
            self.remove(&[event]);
            self.flights.push(Flight::of_one(vec![event]));
        }
        takes
    }

    /// The events that are with the notifier: they are told, whatever becomes of them.
    pub(super) fn on_their_way(&self) -> Vec<u64> {
        self.flights.iter().flat_map(|flight| flight.events.iter().copied()).collect()
    }

    fn land(&mut self, events: &[u64]) -> Option<Flight> {
        let place = self.flights.iter().position(|flight| flight.events == events)?;
        Some(self.flights.remove(place))
    }

    fn takes_more(&self) -> bool {
        self.is_open() && !self.more_in_log
    }

    fn is_open(&self) -> bool {
        self.server && !self.refused
    }

    fn start_over(&mut self) {
        self.waiting.clear();
        self.together.clear();
        self.more_in_log = true;
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
