//! Events that go: by a person's wish, which can be taken back, and by their age.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{Error, Update, event_loop::EventLoop};
use crate::event_log::Retention;

/// How often it is looked whether the time of events is over.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// The least pause between two groups that leave; never shorter than a group took, so that what arrives has at least half of the time.
const BETWEEN: Duration = Duration::from_millis(20);

/// So long after the start, and after a jump of the system's clock, nothing leaves: a machine may start with a clock that is years
/// ahead, until the network sets it.
const SETTLES: Duration = Duration::from_secs(10 * 60);

/// A clock that went on by so much more or less than time did has jumped; or the machine slept.
const JUMP: SignedDuration = SignedDuration::from_hours(1);

/// The system's clock when it was looked at last.
pub(super) struct Clock {
    at: Instant,
    shown: Timestamp,
}

impl Clock {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), shown: Timestamp::now() }
    }

    /// Whether it jumped since it was looked at last.
    fn jumped(&mut self, at: Instant, shown: Timestamp) -> bool {
        let before = std::mem::replace(self, Self { at, shown });
        let passed = SignedDuration::try_from(at - before.at).unwrap_or(SignedDuration::MAX);
        shown.duration_since(before.shown).saturating_sub(passed).abs() > JUMP
    }
}

impl EventLoop {
    pub(super) fn delete(&mut self, seqs: &[u64], now: Timestamp) -> Result<(), Error> {
        self.mark_shown();
        // A popup on its way is told, whatever becomes of its event: it must not come again if that is restored.
        let on_their_way = self.outbox.on_their_way();
        let told: Vec<u64> = seqs.iter().copied().filter(|seq| on_their_way.contains(seq)).collect();
        if !told.is_empty() {
            self.log.mark_handed_over(&told, None)?;
        }
        let deleted = self.log.delete(seqs, now)?;
        if !deleted.is_empty() {
            self.outbox.remove(&deleted);
            self.events_came_or_went();
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, seqs: &[u64], now: Timestamp) -> Result<(), Error> {
        if self.log.restore(seqs, now)?.is_empty() {
            return Err(Error::NothingToRestore);
        }
        self.outbox.more_is_in_the_log();
        self.events_came_or_went();
        Ok(())
    }

    /// How long events stay from now on; it is looked at once, but at the start only when the clock can be trusted.
    pub(super) fn set_retention(&mut self, retention: Retention) {
        let starts = self.sweep_at.is_none();
        if starts || self.retention != retention {
            self.retention = retention;
            self.sweep_at = Some(Instant::now() + if starts { SETTLES } else { Duration::ZERO });
        }
    }

    /// Lets a group of events go whose time is over.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let begun = Instant::now();
        if self.clock.jumped(begun, now) {
            self.sweep_at = Some(begun + SETTLES);
            return;
        }
        // What cannot be forgotten now is forgotten in an hour.
        let _ = self.log.forget_old_deletions(now);
        let more = self.log.sweep(self.retention, now);
        self.swept |= more.as_ref().is_ok_and(|more| *more);
        let pause = match more {
            Ok(true) => begun.elapsed().max(BETWEEN),
            // A log that cannot be written says so where events come.
            Ok(false) | Err(_) => SWEEP,
        };
        self.sweep_at = Some(Instant::now() + pause);
        if pause == SWEEP && std::mem::take(&mut self.swept) {
            self.events_came_or_went();
        }
    }

    /// Counts anew, and tells of what is another number now.
    pub(super) fn events_came_or_went(&mut self) {
        let held = self.held.clone();
        self.count_held();
        self.open_gates();
        self.tell(Update::EventsChanged);
        for feed in 0..self.feeds.len() {
            let Some(entry) = self.feeds.get_mut(feed) else { continue };
            let id = &entry.feed.id;
            let counts = self.log.counts(id).unwrap_or(entry.counts);
            let before = std::mem::replace(&mut entry.counts, counts);
            if before != counts || held.get(id) != self.held.get(id) {
                self.show_view(feed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_has_jumped_and_one_that_goes_on_has_not() {
        let (start, shown) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let mut clock = Clock { at: start, shown };
        let hours = |hours| SignedDuration::from_hours(hours);
        let later = start + Duration::from_secs(2 * 3600);
        assert!(!clock.jumped(later, shown + hours(2)));
        assert!(clock.jumped(later, shown + hours(5 * 365 * 24)), "years ahead");
        assert!(!clock.jumped(later + SETTLES, shown + hours(5 * 365 * 24)), "it goes on from there");
        assert!(clock.jumped(later + SETTLES, shown + hours(2)), "set by the network");
    }
}
