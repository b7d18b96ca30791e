//! The popups on the screen, as far as the worker knows.

use std::collections::VecDeque;

use super::{Click, Place};

/// Open popups, oldest first.
pub(super) struct OpenPopups {
    open: VecDeque<Open>,
    limit: usize,
}

/// A popup that the notification server has taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Open {
    /// The server's id.
    pub(super) id: u32,
    /// Our own number, which is never given twice.
    pub(super) number: u64,
    pub(super) place: Option<Place>,
    /// What was offered to be clicked.
    pub(super) clicks: Vec<Click>,
}

impl OpenPopups {
    /// `limit`: how many are remembered, the newest ones.
    pub(super) fn new(limit: usize) -> Self {
        Self { open: VecDeque::new(), limit }
    }

    /// The popup that one in this place replaces.
    pub(super) fn in_place(&self, place: Option<&Place>) -> Option<&Open> {
        place?;
        self.open.iter().rev().find(|open| open.place.as_ref() == place)
    }

    /// Adds a popup that was just shown; returns the numbers of those that are known no more: the one whose id it has, and what
    /// is over the limit.
    pub(super) fn insert(&mut self, popup: Open) -> Vec<u64> {
        let mut gone: Vec<u64> =
            self.remove(|open| open.id == popup.id).map(|open| open.number).into_iter().collect();
        self.open.push_back(popup);
        if self.open.len() > self.limit {
            gone.extend(self.open.pop_front().map(|open| open.number));
        }
        gone
    }

    /// The popup of a server's id.
    pub(super) fn by_id(&self, id: u32) -> Option<&Open> {
        self.open.iter().find(|open| open.id == id)
    }

    /// Forgets the first popup that is so.
    pub(super) fn remove(&mut self, wanted: impl Fn(&Open) -> bool) -> Option<Open> {
        let at = self.open.iter().position(wanted)?;
        self.open.remove(at)
    }

    /// Forgets all; returns their numbers.
    pub(super) fn clear(&mut self) -> Vec<u64> {
        self.open.drain(..).map(|open| open.number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u64; 0] = [];

    fn key(feed: &str, key: &str) -> Place {
        Place::Key { feed: feed.to_owned(), key: key.to_owned() }
    }

    fn open(id: u32, number: u64, place: Option<Place>) -> Open {
        Open { id, number, place, clicks: vec![Click::Popup] }
    }

    #[test]
    fn an_equal_place_is_found_and_an_equal_id_replaces() {
        let mut popups = OpenPopups::new(4);
        assert_eq!(popups.insert(open(7, 1, Some(key("ops", "disk")))), NONE);
        assert_eq!(popups.insert(open(8, 2, None)), NONE);
        assert_eq!(popups.insert(open(9, 3, Some(Place::Summary(40)))), NONE);
        let found =
            |popups: &OpenPopups, place: Option<&Place>| popups.in_place(place).map(|open| open.number);
        assert_eq!(found(&popups, Some(&key("ops", "disk"))), Some(1));
        assert_eq!(found(&popups, Some(&key("ops", "load"))), None);
        assert_eq!(found(&popups, Some(&key("dev", "disk"))), None);
        assert_eq!(found(&popups, Some(&Place::Summary(40))), Some(3));
        assert_eq!(found(&popups, Some(&Place::Summary(41))), None);
        assert_eq!(found(&popups, None), None, "a popup without a place replaces nothing");

        assert_eq!(popups.insert(open(7, 4, Some(key("ops", "disk")))), [1]);
        assert_eq!(popups.by_id(7).map(|open| open.number), Some(4));
        assert_eq!(popups.remove(|open| open.number == 1), None);
        assert_eq!(popups.remove(|open| open.id == 7).map(|open| open.number), Some(4));
        assert_eq!(found(&popups, Some(&key("ops", "disk"))), None);
        assert_eq!(popups.clear(), [2, 3]);
    }

    #[test]
    fn no_more_than_the_limit_are_remembered() {
        let mut popups = OpenPopups::new(3);
        for number in 1..=1000 {
            let gone = popups.insert(open(number, number.into(), Some(key("feed", &number.to_string()))));
            let expected: Vec<u64> = (number > 3).then(|| u64::from(number) - 3).into_iter().collect();
            assert_eq!(gone, expected);
        }
        assert_eq!(popups.clear(), [998, 999, 1000]);
    }
}
