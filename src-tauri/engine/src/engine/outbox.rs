//! The way from committed events to the notification server, at the server's pace.
//!
//! The log itself is the queue: here lie only the next few popups. What does not fit waits in the log as pending, and when
//! it is read from there, or when the server was away, many of one feed become one popup.

use std::{collections::VecDeque, time::Duration};

use super::Popup;

/// How many popups may be with the notifier without a report.
const WITH_NOTIFIER: usize = 4;

/// How many popups may wait here. Few, so that a burst is drawn together soon.
const WAITING: usize = 8;

/// How long a server that refused a popup is left alone; twice as long after each further refusal.
const RETRY: Duration = Duration::from_secs(5);

/// How often that grows: up to some five minutes.
const GROWTH: u32 = 6;

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
    with_notifier: usize,
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
        if !self.is_open() || self.more_in_log || self.waiting.len() >= WAITING {
            self.more_in_log = true;
            return;
        }
        self.waiting.push_back(popup());
    }

    /// Whether it is time to read from the log: then nothing pending is here or with the notifier.
    pub(super) fn wants_from_log(&self) -> bool {
        self.is_open() && self.more_in_log && self.waiting.is_empty() && self.with_notifier == 0
    }

    /// What the log held when [`Outbox::wants_from_log`]; `complete` if there is no more.
    pub(super) fn refill(&mut self, popups: Vec<Popup>, complete: bool) {
        self.more_in_log = !complete;
        self.waiting.extend(popups);
    }

    /// The next popup for the notifier, if it may have one.
    pub(super) fn next(&mut self) -> Option<Popup> {
        if !self.is_open() || self.with_notifier >= WITH_NOTIFIER {
            return None;
        }
        let popup = self.waiting.pop_front()?;
        self.with_notifier += 1;
        Some(popup)
    }

    /// The notification server took one popup.
    pub(super) fn shown(&mut self) {
        self.with_notifier = self.with_notifier.saturating_sub(1);
        self.refusals = 0;
    }

    /// The notification server came, went, or is another one now. What is pending then is in the log.
    pub(super) fn set_server(&mut self, there: bool) {
        if self.server != there {
            self.server = there;
            self.start_over();
        }
        self.refused = false;
        self.refusals = 0;
    }

    /// The notification server refused a popup: nothing more goes to it until [`Outbox::retry`], which is due after this time.
    pub(super) fn refuse(&mut self) -> Duration {
        self.with_notifier = self.with_notifier.saturating_sub(1);
        let delay = RETRY * (1 << self.refusals.min(GROWTH));
        self.refusals = self.refusals.saturating_add(1);
        self.refused = true;
        self.start_over();
        delay
    }

    /// Whether popups are with the notifier.
    pub(super) fn awaits_reports(&self) -> bool {
        self.with_notifier > 0
    }

    /// A server that refused a popup is asked again.
    pub(super) fn retry(&mut self) {
        self.refused = false;
    }

    fn is_open(&self) -> bool {
        self.server && !self.refused
    }

    fn start_over(&mut self) {
        self.waiting.clear();
        self.more_in_log = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{feed::FeedId, notification::Notification};

    fn popup(seq: u64) -> Popup {
        let feed = FeedId::new("f").unwrap();
        Popup {
            events: vec![seq],
            feed: Some(feed),
            feed_name: String::new(),
            notification: Notification::default(),
            images: false,
            sound: true,
            summary: None,
        }
    }

    fn ready() -> Outbox {
        let mut outbox = Outbox::new();
        outbox.set_server(true);
        outbox.refill(Vec::new(), true);
        outbox
    }

    #[test]
    fn popups_pass_at_the_notifiers_pace() {
        let mut outbox = ready();
        for seq in 1..=10 {
            outbox.offer(|| popup(seq));
        }
        let first: Vec<_> = std::iter::from_fn(|| outbox.next()).flat_map(|p| p.events).collect();
        assert_eq!(first, [1, 2, 3, 4]);
        outbox.shown();
        assert_eq!(outbox.next().unwrap().events, [5]);
        assert!(outbox.next().is_none());
    }

    #[test]
    fn what_does_not_fit_waits_in_the_log_and_is_read_once_the_rest_is_done() {
        let mut outbox = ready();
        for seq in 1..=100 {
            outbox.offer(|| popup(seq));
        }
        assert!(!outbox.wants_from_log());
        while outbox.next().is_some() {
            outbox.shown();
        }
        assert!(outbox.wants_from_log());
        // An event that comes meanwhile must not overtake those in the log.
        outbox.offer(|| popup(101));
        assert!(outbox.next().is_none());
    }

    #[test]
    fn after_the_server_was_away_everything_pending_is_read_anew() {
        let mut outbox = ready();
        outbox.offer(|| popup(1));
        outbox.set_server(false);
        assert!(outbox.next().is_none());
        assert!(!outbox.wants_from_log());
        outbox.set_server(true);
        assert!(outbox.wants_from_log());
    }

    #[test]
    fn a_server_that_refused_is_left_alone_for_a_while_and_an_absent_one_until_it_comes() {
        let mut outbox = ready();
        outbox.offer(|| popup(1));
        assert!(outbox.next().is_some());
        outbox.refuse();
        assert!(!outbox.wants_from_log());
        outbox.retry();
        assert!(outbox.wants_from_log());
        outbox.set_server(false);
        outbox.retry();
        assert!(!outbox.wants_from_log());
    }

    #[test]
    fn refusals_in_a_row_grow_the_wait_until_a_popup_is_shown_or_another_server_comes() {
        let mut outbox = ready();
        let mut waits = |count| -> Vec<u64> {
            let refuse = |outbox: &mut Outbox| {
                let wait = outbox.refuse();
                outbox.retry();
                wait.as_secs()
            };
            let waits = (0..count).map(|_| refuse(&mut outbox)).collect();
            outbox.shown();
            waits
        };
        assert_eq!(waits(9), [5, 10, 20, 40, 80, 160, 320, 320, 320]);
        assert_eq!(waits(1), [5]);
        outbox.refuse();
        outbox.set_server(true);
        assert!(outbox.wants_from_log(), "another server is asked at once");
        assert_eq!(outbox.refuse(), RETRY);
    }
}
