//! Events that go: by a person's wish, which can be taken back, and by their age.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Error, Update, event_loop::EventLoop};
use crate::event_log::Retention;

/// How often it is looked whether the time of events is over.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// The least pause between two groups that leave; never shorter than a group took, so that what arrives has at least half of the time.
const BETWEEN: Duration = Duration::from_millis(20);

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

    /// How long events stay from now on; it is looked at once.
    pub(super) fn set_retention(&mut self, retention: Retention) {
        if self.sweep_at.is_none() || self.retention != retention {
            self.retention = retention;
            self.sweep_at = Some(Instant::now());
        }
    }

    /// Lets a group of events go whose time is over.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let begun = Instant::now();
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

    /// Counts anew, and tells everyone.
    pub(super) fn events_came_or_went(&mut self) {
        self.count_held();
        self.open_gates();
        self.tell(Update::EventsChanged);
        (0..self.feeds.len()).for_each(|feed| self.refresh(feed));
    }
}
