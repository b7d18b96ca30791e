//! How many popups were shown of late, so that there are never too many.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Flood;
use crate::feed::FeedId;

/// Feeds with popups of long ago are forgotten once there are more than this.
const KEPT: usize = 64;

/// When popups were shown, oldest first.
type Times = VecDeque<Timestamp>;

/// The popups of late.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Recent {
    feeds: BTreeMap<FeedId, Times>,
    all: Times,
}

/// The popups of late as a group of events would leave them.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    before: &'a Recent,
    changed: BTreeMap<FeedId, Times>,
    all: Times,
}

impl Recent {
    pub(super) fn draft(&self) -> Draft<'_> {
        Draft { before: self, changed: BTreeMap::new(), all: self.all.clone() }
    }

    pub(super) fn keep(&mut self, (changed, all): (BTreeMap<FeedId, Times>, Times)) {
        self.feeds.extend(changed);
        self.all = all;
        if self.feeds.len() > KEPT
            && let Some(latest) = self.all.back().copied()
        {
            let within = SignedDuration::from_hours(1);
            self.feeds
                .retain(|_, times| times.back().is_some_and(|last| latest.duration_since(*last) < within));
        }
    }
}

impl Draft<'_> {
    /// Whether another popup of the feed is not too many; then it counts.
    pub(super) fn admits(&mut self, limits: &Flood, feed: &FeedId, at: Timestamp) -> bool {
        let before = self.before;
        let of_feed = self
            .changed
            .entry(feed.clone())
            .or_insert_with(|| before.feeds.get(feed).cloned().unwrap_or_default());
        for times in [&mut *of_feed, &mut self.all] {
            forget(times, limits, at);
        }
        let admitted = of_feed.len() < limits.popups as usize && self.all.len() < limits.overall as usize;
        if admitted {
            of_feed.push_back(at);
            self.all.push_back(at);
        }
        admitted
    }

    pub(super) fn into_changes(self) -> (BTreeMap<FeedId, Times>, Times) {
        (self.changed, self.all)
    }
}

/// Forgets what is so long ago that it does not count any more, and what a clock that was set back has left in the future.
fn forget(times: &mut Times, limits: &Flood, at: Timestamp) {
    let within = SignedDuration::try_from(limits.within).unwrap_or(SignedDuration::MAX);
    times.retain(|time| at.duration_since(*time).abs() < within);
}
