//! Outages as the log tells them: one line when a connection is lost or cannot be made, one when it is back, however many attempts lie
//! between.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Update, event_loop::EventLoop};
use crate::{
    event_log::{ConnectionChange, Happened},
    feed::{ConnectionState, FeedId, Reason, State},
};

/// So long a connection has to hold before it is back, unless a message comes: one that ends at once is still the same outage.
const STEADY: Duration = Duration::from_secs(5);

/// Whether a feed's connection is lost.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Outage {
    lost_at: Option<Timestamp>,
    /// It is there again, but has not shown yet that it holds.
    back: Option<Back>,
}

/// A connection that is there again.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Back {
    at: Timestamp,
    after: u64,
    due: Instant,
}

impl Outage {
    /// What the log knows from an earlier run.
    pub(super) fn known(lost_at: Option<Timestamp>) -> Self {
        Self { lost_at, back: None }
    }

    /// The connection's state is this now; whether and why it is lost by that.
    fn entered<'a>(
        &mut self,
        connection: &'a ConnectionState,
        now: Timestamp,
        after: u64,
        due: Instant,
    ) -> Option<&'a Reason> {
        if connection.state == State::Connected {
            self.back = self.lost_at.map(|_| Back { at: now, after, due });
            return None;
        }
        self.back = None;
        let reason = connection.reason.as_ref().filter(|reason| is_outage(connection.state, reason))?;
        if self.lost_at.is_some() {
            return None;
        }
        self.lost_at = Some(now);
        Some(reason)
    }

    /// It holds, as a message came, or as it is due: since when it is back, after which event, and how long it was away.
    fn held(&mut self, message: bool, now: Instant) -> Option<(Timestamp, u64, Duration)> {
        let back = self.back.filter(|back| message || back.due <= now)?;
        let lost_at = self.lost_at.take()?;
        self.back = None;
        let away = Duration::try_from(back.at.duration_since(lost_at)).unwrap_or_default();
        Some((back.at, back.after, away))
    }

    /// The connection is ended, and not by a fault.
    pub(super) fn let_go(&mut self) {
        self.back = None;
    }

    /// When it will have held for long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.back.map(|back| back.due)
    }
}

/// Whether it is an outage to be in this state for this reason: not what belongs to a stream, as the end that its server or a rule
/// gives it.
fn is_outage(state: State, reason: &Reason) -> bool {
    let ends_well = matches!(reason, Reason::Ended | Reason::ClosedByRule(_) | Reason::ClosedByPreset(_));
    matches!(state, State::Waiting | State::NeedsAttention | State::Stopped) && !ends_well
}

impl EventLoop {
    /// A feed's connection has another state now.
    pub(super) fn note_connection(&mut self, feed: usize) {
        // What cannot be read now is a place that is off by some events.
        let newest = self.log.newest().unwrap_or_default();
        let due = Instant::now() + STEADY;
        // As the log keeps it.
        let now = Timestamp::now();
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let Some(entry) = self.feeds.get_mut(feed) else { return };
        let lost = entry.outage.entered(&entry.connection, now, newest, due);
        let lost =
            lost.map(|reason| Happened::Lost { code: reason.code().to_owned(), detail: reason.detail() });
        let id = entry.feed.id.clone();
        if let Some(lost) = lost
            && !self.add_connection_change(&id, now, newest, lost)
            && let Some(entry) = self.feeds.get_mut(feed)
        {
            // It is told when the next attempt fails, so that no return is told alone.
            entry.outage = Outage::default();
        }
    }

    /// Looks which connections are back: that of a feed which had a message, or those that are due.
    pub(super) fn note_backs(&mut self, message_of: Option<usize>) {
        let now = Instant::now();
        let held: Vec<_> = self
            .feeds
            .iter_mut()
            .enumerate()
            .filter_map(|(place, entry)| {
                let held = entry.outage.held(message_of == Some(place), now)?;
                Some((entry.feed.id.clone(), held))
            })
            .collect();
        for (feed, (at, after, away)) in held {
            self.add_connection_change(&feed, at, after, Happened::Back { away });
        }
    }

    /// Whether the log has it.
    fn add_connection_change(&mut self, feed: &FeedId, at: Timestamp, after: u64, what: Happened) -> bool {
        // Not worth a retry: a log that cannot be written has more to tell.
        let Ok(number) = self.log.add_connection_change(feed, at, after, &what) else { return false };
        let change = ConnectionChange { number, feed: feed.clone(), at, after, what };
        self.tell(Update::ConnectionChange(Box::new(change)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(state: State, reason: Option<Reason>) -> ConnectionState {
        ConnectionState { reason, ..ConnectionState::new(state) }
    }

    /// Goes through states, one a second; what the log gets: seconds of losses, and of returns with their times away.
    fn told(states: &[(State, Option<Reason>)], message_at: Option<i64>) -> (Vec<i64>, Vec<(i64, u64)>) {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let (mut lost, mut back) = (Vec::new(), Vec::new());
        for (second, (kind, reason)) in (0..).zip(states) {
            let (now, later) =
                (Timestamp::from_second(second).unwrap(), start + Duration::from_secs(second.unsigned_abs()));
            let held = outage.held(message_at == Some(second), later);
            back.extend(held.map(|(at, _, away)| (at.as_second(), away.as_secs())));
            if outage.entered(&state(*kind, reason.clone()), now, 0, later + STEADY).is_some() {
                lost.push(second);
            }
        }
        let end = start + Duration::from_secs(states.len() as u64);
        let held = outage.held(message_at == Some(states.len() as i64), end);
        back.extend(held.map(|(at, _, away)| (at.as_second(), away.as_secs())));
        (lost, back)
    }

    #[test]
    fn an_outage_is_told_once_and_so_is_its_end() {
        use State::{Connected, Connecting, NeedsAttention, Paused, Stopped, Waiting};
        let refused = || Some(Reason::Refused("127.0.0.1".into()));
        let there = || vec![(Connecting, None), (Connected, None)];
        let out = || vec![(Waiting, refused()), (Connecting, refused()), (NeedsAttention, refused())];
        for (what, states, message_at, expected) in [
            ("good", there(), Some(2), (vec![], vec![])),
            ("lost", [there(), out()].concat(), None, (vec![2], vec![])),
            ("and back", [there(), out(), there()].concat(), Some(7), (vec![2], vec![(6, 4)])),
            ("not yet", [there(), out(), there()].concat(), None, (vec![2], vec![])),
            ("never there", out(), None, (vec![0], vec![])),
            (
                "again and again for a moment",
                [out(), there(), out(), there(), out()].concat(),
                None,
                (vec![0], vec![]),
            ),
            (
                "ended as it should",
                [there(), vec![(Waiting, Some(Reason::Ended))], there()].concat(),
                Some(5),
                (vec![], vec![]),
            ),
            (
                "closed by a rule",
                [there(), vec![(Stopped, Some(Reason::ClosedByRule(1)))]].concat(),
                None,
                (vec![], vec![]),
            ),
            ("over", [there(), vec![(Stopped, Some(Reason::Status(410)))]].concat(), None, (vec![2], vec![])),
            ("paused", [there(), vec![(Paused, None)], there()].concat(), Some(5), (vec![], vec![])),
            ("asked for", [there(), there()].concat(), Some(4), (vec![], vec![])),
        ] {
            assert_eq!(told(&states, message_at), expected, "{what}");
        }
    }

    #[test]
    fn a_connection_that_holds_is_back_without_a_message() {
        let (mut outage, start) = (Outage::known(Some(Timestamp::from_second(10).unwrap())), Instant::now());
        let connected = ConnectionState::new(State::Connected);
        let at = Timestamp::from_second(70).unwrap();
        assert_eq!(outage.entered(&connected, at, 8, start + STEADY), None);
        assert_eq!(outage.due(), Some(start + STEADY));
        assert_eq!(outage.held(false, start + STEADY - Duration::from_millis(1)), None);
        assert_eq!(outage.held(false, start + STEADY), Some((at, 8, Duration::from_secs(60))));
        assert_eq!((outage.held(true, start + STEADY), outage.due()), (None, None));
    }
}
