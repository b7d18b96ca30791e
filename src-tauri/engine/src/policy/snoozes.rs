//! Popups that a person wants none of for a while.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::feed::FeedId;

/// Until when, of which feeds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Snoozes {
    all: Option<Timestamp>,
    feeds: BTreeMap<FeedId, Timestamp>,
}

/// As the log's settings keep them.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    all: Option<Timestamp>,
    feeds: BTreeMap<String, Timestamp>,
}

impl Snoozes {
    /// What an earlier run kept; what cannot be read is none.
    pub(crate) fn read(text: &str) -> Self {
        let Kept { all, feeds } = serde_json::from_str(text).unwrap_or_default();
        Self {
            all,
            feeds: feeds.into_iter().filter_map(|(id, until)| Some((FeedId::new(&id)?, until))).collect(),
        }
    }

    /// For a later run.
    pub(crate) fn write(&self) -> String {
        let feeds = self.feeds.iter().map(|(id, until)| (id.to_string(), *until)).collect();
        serde_json::to_string(&Kept { all: self.all, feeds }).unwrap_or_default()
    }

    /// Sets or ends one: of a feed, or that of all.
    pub(crate) fn set(&mut self, feed: Option<&FeedId>, until: Option<Timestamp>) {
        match (feed, until) {
            (None, until) => self.all = until,
            (Some(feed), Some(until)) => drop(self.feeds.insert(feed.clone(), until)),
            (Some(feed), None) => drop(self.feeds.remove(feed)),
        }
    }

    /// Until when nothing is shown of this feed, by its own snooze or that of all; of no feed: by that of all.
    pub(crate) fn until(&self, feed: Option<&FeedId>, now: Timestamp) -> Option<Timestamp> {
        self.all.max(feed.and_then(|feed| self.feeds.get(feed).copied())).filter(|until| *until > now)
    }

    /// Until when this feed's own snooze lasts.
    pub(crate) fn of_feed(&self, feed: &FeedId, now: Timestamp) -> Option<Timestamp> {
        self.feeds.get(feed).copied().filter(|until| *until > now)
    }

    /// When the next one ends.
    pub(crate) fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.all.into_iter().chain(self.feeds.values().copied()).filter(|until| *until > now).min()
    }

    /// Forgets those of feeds that are no more; whether there were any.
    pub(crate) fn keep_feeds(&mut self, known: impl Fn(&FeedId) -> bool) -> bool {
        let before = self.feeds.len();
        self.feeds.retain(|feed, _| known(feed));
        self.feeds.len() < before
    }

    /// Forgets those that have ended; whether there were any.
    pub(crate) fn forget_ended(&mut self, now: Timestamp) -> bool {
        let before = self.clone();
        self.all = self.all.filter(|until| *until > now);
        self.feeds.retain(|_, until| *until > now);
        *self != before
    }
}
