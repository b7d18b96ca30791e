//! The popups on the screen, as far as the worker knows.

use std::collections::VecDeque;

/// Open popups, oldest first. `W` is what watches one for clicks; dropping it ends the watching.
pub(super) struct OpenPopups<W> {
    open: VecDeque<Open<W>>,
    watched: usize,
}

struct Open<W> {
    id: u32,
    event: u64,
    slot: Slot,
    watch: Option<W>,
}

/// What replaces what: the feed's id and the popup's key. A popup without a key replaces nothing.
pub(super) type Slot = Option<(String, String)>;

/// Open popups that are remembered so that one of the same key can replace them.
const REMEMBERED: usize = 256;

impl<W> OpenPopups<W> {
    /// `watched`: of how many popups, the newest ones, to keep the watch.
    pub(super) fn new(watched: usize) -> Self {
        Self { open: VecDeque::new(), watched }
    }

    /// The server's id of the popup that one of this slot replaces.
    pub(super) fn replaces(&self, slot: &Slot) -> Option<u32> {
        slot.as_ref()?;
        self.open.iter().rev().find(|open| open.slot == *slot).map(|open| open.id)
    }

    /// Adds a popup that was just shown; returns the event of the one that it took the place of.
    pub(super) fn insert(&mut self, id: u32, event: u64, slot: Slot, watch: W) -> Option<u64> {
        let replaced = self.position(|open| open.id == id).and_then(|at| self.open.remove(at));
        self.open.push_back(Open { id, event, slot, watch: Some(watch) });
        if let Some(oldest_watched) = self.open.len().checked_sub(self.watched + 1) {
            // All before it have been released already, one by one.
            self.open[oldest_watched].watch = None;
        }
        if self.open.len() > REMEMBERED {
            self.open.pop_front();
        }
        replaced.map(|open| open.event)
    }

    /// Forgets a popup that is gone; `false` if it was forgotten before.
    pub(super) fn remove(&mut self, id: u32, event: u64) -> bool {
        // Both: the id may belong to a newer popup already that took this one's place.
        self.position(|open| open.id == id && open.event == event)
            .and_then(|at| self.open.remove(at))
            .is_some()
    }

    /// Forgets all; returns the events of those that were watched.
    pub(super) fn clear(&mut self) -> Vec<u64> {
        self.open.drain(..).filter(|open| open.watch.is_some()).map(|open| open.event).collect()
    }

    fn position(&self, wanted: impl Fn(&Open<W>) -> bool) -> Option<usize> {
        self.open.iter().position(wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn slot(feed: &str, key: &str) -> Slot {
        Some((feed.to_owned(), key.to_owned()))
    }

    #[test]
    fn an_equal_feed_and_key_replaces() {
        let mut open = OpenPopups::new(4);
        assert_eq!(open.insert(7, 1, slot("ops", "disk"), ()), None);
        assert_eq!(open.insert(8, 2, None, ()), None);
        assert_eq!(open.replaces(&slot("ops", "disk")), Some(7));
        assert_eq!(open.replaces(&slot("ops", "load")), None);
        assert_eq!(open.replaces(&slot("dev", "disk")), None);
        assert_eq!(open.replaces(&None), None);

        assert_eq!(open.insert(7, 3, slot("ops", "disk"), ()), Some(1));
        assert!(!open.remove(7, 1), "the replaced popup's end must not forget its successor");
        assert_eq!(open.replaces(&slot("ops", "disk")), Some(7));
        assert!(open.remove(7, 3));
        assert_eq!(open.replaces(&slot("ops", "disk")), None);
    }

    #[test]
    fn only_the_newest_are_watched_but_more_are_remembered() {
        let mut open = OpenPopups::new(2);
        let watch = Rc::new(());
        for number in 0..10u32 {
            open.insert(number, number.into(), slot("feed", &number.to_string()), watch.clone());
            assert_eq!(Rc::strong_count(&watch) - 1, (number as usize + 1).min(2));
        }
        assert_eq!(open.replaces(&slot("feed", "0")), Some(0));
        assert_eq!(open.clear(), [8, 9]);
        assert_eq!(Rc::strong_count(&watch), 1);

        for number in 0..1000u32 {
            open.insert(number, number.into(), slot("feed", &number.to_string()), watch.clone());
        }
        assert_eq!(open.open.len(), REMEMBERED);
        assert_eq!(open.replaces(&slot("feed", "0")), None);
    }

    #[test]
    fn gaps_do_not_upset_the_count_of_the_watched() {
        let mut open = OpenPopups::new(2);
        let watch = Rc::new(());
        for number in 0..3 {
            open.insert(number, number.into(), None, watch.clone());
        }
        assert!(open.remove(1, 1));
        open.insert(3, 3, None, watch.clone());
        open.insert(4, 4, None, watch.clone());
        assert_eq!(open.clear(), [3, 4]);
    }
}
