//! Events that go: by a person's wish, which can be taken back, and by their age.

use jiff::Timestamp;

use super::{Error, Update, event_loop::EventLoop};

impl EventLoop {
    pub(super) fn delete(&mut self, seqs: &[u64], now: Timestamp) -> Result<(), Error> {
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

    /// Counts anew, and tells everyone.
    pub(super) fn events_came_or_went(&mut self) {
        self.count_held();
        self.open_gates();
        self.tell(Update::EventsChanged);
        (0..self.feeds.len()).for_each(|feed| self.refresh(feed));
    }
}
