//! Calm alerts of connections: feeds that cannot be reached for long, and feeds that have grown silent. Pure: states and times
//! go in, at the most one popup at a time comes out.
//!
//! Invariants:
//! - All feeds that cannot be reached share one popup, which is replaced in place; an outage is told once, however often its
//!   connection comes and goes, until it holds.
//! - Only what a person would want to act on is an outage: not a feed that they paused, nor one whose server said that it is over,
//!   nor one whose sign-in was refused, as that is told at once and by itself.
//! - Time in which the machine slept is time in which nothing could be known, and counts neither as outage nor as silence.
//! - While popups are held back nothing changes: what still holds afterwards is told then, and what is over is not.

mod gaps;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use url::Url;

use self::gaps::Gaps;
use crate::{
    engine::FeedView,
    feed::{ConnectionState, FeedId, Reason, Silence, State},
};

/// For how long a change is gathered with others at the most: a network that goes takes many feeds along, one after the other.
const GATHER: Duration = Duration::from_secs(10);

/// For how long a connection must hold before an outage that was told is over, unless an event comes.
const STEADY: Duration = Duration::from_secs(60);

/// A time in which a feed could not be reached, from which on its silence is measured anew.
const MISSED: Duration = Duration::from_secs(60);

/// Whether a feed can be reached, as a person would say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// It is connected, or its server ended the stream as it should and will be asked again.
    There,
    /// It ought to be connected and is not.
    Out,
    /// It is not to be connected, or what keeps it from that is told elsewhere.
    Excused,
}

/// The reasons that are told at once by themselves.
pub const TOLD_AT_ONCE: [&str; 2] = ["sign_in_refused", "proxy_sign_in"];

impl Reach {
    /// That of a connection.
    pub fn of(connection: &ConnectionState) -> Self {
        let reason = connection.reason.as_ref();
        let is_over = matches!(
            reason,
            None | Some(Reason::ClosedByRule(_) | Reason::ClosedByPreset(_) | Reason::Status(204))
        );
        match connection.state {
            State::Connected => Self::There,
            State::Paused => Self::Excused,
            State::Stopped if is_over => Self::Excused,
            _ if reason.is_some_and(|reason| TOLD_AT_ONCE.contains(&reason.code())) => Self::Excused,
            State::Connecting | State::Waiting if reason == Some(&Reason::Ended) => Self::There,
            _ => Self::Out,
        }
    }
}

/// A feed as it is looked at.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which.
    pub feed: FeedId,
    /// Where its stream is: with another one everything begins anew.
    pub url: Url,
    /// Whether it can be reached.
    pub reach: Reach,
    /// How many events it has had; those that a rule ignores, such as signs of life, say nothing.
    pub events: u64,
    /// When its newest event came.
    pub last_event_at: Option<Timestamp>,
    /// What silence of it is to be told; `None`: none.
    pub silence: Option<Silence>,
    /// Nothing is to be told of it now.
    pub held: bool,
}

impl From<&FeedView> for Seen {
    /// A muted feed is excused: nothing is wanted of it.
    fn from(view: &FeedView) -> Self {
        let feed = &view.feed;
        Self {
            feed: feed.id.clone(),
            url: feed.url.clone(),
            reach: if feed.mute { Reach::Excused } else { Reach::of(&view.connection) },
            events: view.counts.events,
            last_event_at: view.counts.last_event_at,
            silence: feed.silence_alert,
            held: view.snoozed_until.is_some(),
        }
    }
}

/// What is to be told. Feeds are in the order in which they were looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Alert {
    /// These feeds cannot be reached: in place of what was told of outages before.
    Out(Vec<FeedId>),
    /// All is well again with these: in place of what was told of outages before.
    Back(Vec<FeedId>),
    /// Nothing is to be told of outages any more: what was told is to be taken away.
    Over,
    /// Nothing has come from this feed for so long.
    Silent(FeedId, Duration),
    /// Something has come from it again: in place of what was told of its silence.
    Heard(FeedId),
    /// Nothing is to be told of its silence any more: what was told is to be taken away.
    NotSilent(FeedId),
}

/// Knows what is to be told, and what has been.
#[derive(Debug, Default)]
pub struct Alerts {
    /// From how long on an outage is told; `None`: never.
    outage: Option<Duration>,
    feeds: Vec<Known>,
    /// Those that the popup about outages has named since it was last about none.
    named: BTreeSet<FeedId>,
    /// Since when that popup has not said what is the case.
    differs_since: Option<Instant>,
    /// What was learned of feeds before they were first looked at.
    learned: BTreeMap<FeedId, Gaps>,
}

/// A feed, and what is known of it.
#[derive(Debug)]
struct Known {
    seen: Seen,
    /// Since when its reach has been what it is.
    since: Instant,
    /// The popup about outages names it.
    told_out: bool,
    /// An event has come since it was last out.
    spoke: bool,
    gaps: Gaps,
    /// When it last said something, or could have begun to.
    heard: Instant,
    told_silent: bool,
    /// It was learned from the log how long it usually is silent.
    taught: bool,
    /// It was told as silent, and has said something.
    broke_silence: bool,
}

impl Alerts {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a feed's usual silence has to be [learned](Alerts::learn) from the log before the next look at it.
    pub fn has_to_learn(&self, seen: &Seen) -> bool {
        let taught = |known: &Known| known.taught && known.seen.feed == seen.feed;
        seen.silence == Some(Silence::Usual)
            && !self.learned.contains_key(&seen.feed)
            && !self.feeds.iter().any(taught)
    }

    /// Learns from the times of a feed's events in the log, oldest first, how long it usually is silent.
    pub fn learn(&mut self, feed: &FeedId, times: impl IntoIterator<Item = Timestamp>) {
        let mut gaps = Gaps::default();
        times.into_iter().for_each(|time| gaps.event(time));
        // Nobody listened from then until now.
        gaps.interrupt();
        match self.feeds.iter_mut().find(|known| known.seen.feed == *feed) {
            Some(known) => (known.gaps, known.taught) = (gaps, true),
            None => drop(self.learned.insert(feed.clone(), gaps)),
        }
    }

    /// Looks at all feeds as they stand. An outage is told if it is longer than `outage`.
    pub fn look(&mut self, feeds: Vec<Seen>, outage: Option<Duration>, now: Instant) {
        self.outage = outage;
        let mut before = std::mem::take(&mut self.feeds);
        for seen in feeds {
            let at =
                before.iter().position(|known| known.seen.feed == seen.feed && known.seen.url == seen.url);
            let known = match at {
                Some(at) => before.swap_remove(at).looked_at(seen, now),
                None => {
                    let gaps = self.learned.remove(&seen.feed);
                    Known::new(seen, gaps, now)
                }
            };
            self.feeds.push(known);
        }
        self.note_differences(now);
    }

    /// The machine has slept: what was not told yet is measured anew from now on.
    pub fn woke_up(&mut self, now: Instant) {
        for known in &mut self.feeds {
            known.since = now;
            known.heard = now;
            known.gaps.interrupt();
        }
        self.differs_since = None;
    }

    /// What is to be told now, if anything; the same again until it [was told](Alerts::told).
    pub fn next(&mut self, now: Instant) -> Option<Alert> {
        self.note_differences(now);
        if self.differs_since.is_some_and(|since| now.saturating_duration_since(since) >= self.gather()) {
            return Some(self.about_outages(now));
        }
        self.feeds.iter().find_map(|known| known.about_silence(now))
    }

    /// It was told.
    pub fn told(&mut self, alert: &Alert) {
        match alert {
            Alert::Out(feeds) => {
                for known in &mut self.feeds {
                    known.told_out = feeds.contains(&known.seen.feed);
                }
                self.named.extend(feeds.iter().cloned());
                self.differs_since = None;
            }
            Alert::Back(_) | Alert::Over => {
                self.feeds.iter_mut().for_each(|known| known.told_out = false);
                self.named.clear();
                self.differs_since = None;
            }
            Alert::Silent(feed, _) => self.set_told_silent(feed, true),
            Alert::Heard(feed) | Alert::NotSilent(feed) => self.set_told_silent(feed, false),
        }
    }

    /// When [`Alerts::next`] may have something else to say if nothing changes until then.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let gathered = self.differs_since.and_then(|since| since.checked_add(self.gather()));
        let steady = self.steady();
        let feeds = self.feeds.iter().filter(|known| !known.seen.held);
        let feeds = feeds.flat_map(|known| [known.outage_due(self.outage, steady), known.silence_due()]);
        gathered.into_iter().chain(feeds.flatten().filter(|due| *due > now)).min()
    }

    fn set_told_silent(&mut self, feed: &FeedId, told: bool) {
        if let Some(known) = self.feeds.iter_mut().find(|known| known.seen.feed == *feed) {
            known.told_silent = told;
            known.broke_silence = false;
        }
    }

    /// Where outages of seconds are told, seconds count.
    fn gather(&self) -> Duration {
        self.outage.map_or(Duration::ZERO, |outage| (outage / 4).min(GATHER))
    }

    fn steady(&self) -> Duration {
        self.outage.map_or(Duration::ZERO, |outage| outage.min(STEADY))
    }

    fn note_differences(&mut self, now: Instant) {
        let gone = self.named.iter().any(|feed| self.feeds.iter().all(|known| known.seen.feed != *feed));
        let differs = self.feeds.iter().any(|known| self.is_out(known, now) != known.told_out)
            // The last one that it named is no more.
            || (gone && self.feeds.iter().all(|known| !known.told_out));
        if differs {
            self.differs_since.get_or_insert(now);
        } else {
            self.differs_since = None;
        }
    }

    /// Whether the popup about outages is to name it.
    fn is_out(&self, known: &Known, now: Instant) -> bool {
        if known.seen.held {
            return known.told_out;
        }
        let Some(outage) = self.outage else { return false };
        let for_so_long = now.saturating_duration_since(known.since);
        match known.seen.reach {
            Reach::Out => known.told_out || for_so_long >= outage,
            Reach::There => known.told_out && !known.spoke && for_so_long < self.steady(),
            Reach::Excused => false,
        }
    }

    fn about_outages(&self, now: Instant) -> Alert {
        let id = |known: &Known| known.seen.feed.clone();
        let out: Vec<FeedId> = self.feeds.iter().filter(|known| self.is_out(known, now)).map(id).collect();
        if !out.is_empty() {
            return Alert::Out(out);
        }
        let is_back =
            |known: &&Known| known.seen.reach == Reach::There && self.named.contains(&known.seen.feed);
        let back: Vec<FeedId> = self.feeds.iter().filter(is_back).map(id).collect();
        if back.is_empty() || self.outage.is_none() { Alert::Over } else { Alert::Back(back) }
    }
}

impl Known {
    fn new(seen: Seen, gaps: Option<Gaps>, now: Instant) -> Self {
        Self {
            seen,
            since: now,
            told_out: false,
            spoke: false,
            taught: gaps.is_some(),
            gaps: gaps.unwrap_or_default(),
            heard: now,
            told_silent: false,
            broke_silence: false,
        }
    }

    fn looked_at(mut self, seen: Seen, now: Instant) -> Self {
        if seen.reach != self.seen.reach {
            let missed =
                self.seen.reach != Reach::There && now.saturating_duration_since(self.since) >= MISSED;
            if missed {
                self.heard = now;
                self.gaps.interrupt();
            }
            self.since = now;
            self.spoke = false;
        }
        if seen.events > self.seen.events {
            if let Some(at) = seen.last_event_at {
                self.gaps.event(at);
            }
            self.heard = now;
            self.spoke = true;
            self.broke_silence = self.told_silent;
        }
        self.seen = seen;
        self
    }

    /// From how long on its silence is to be told.
    fn patience(&self) -> Option<Duration> {
        match self.seen.silence? {
            Silence::Usual => self.gaps.unusual(),
            Silence::After(time) => Some(time),
        }
    }

    fn about_silence(&self, now: Instant) -> Option<Alert> {
        if self.seen.held {
            return None;
        }
        let feed = || self.seen.feed.clone();
        if self.told_silent {
            let is_moot = self.seen.silence.is_none() || self.seen.reach == Reach::Excused;
            return if self.broke_silence {
                Some(Alert::Heard(feed()))
            } else {
                is_moot.then(|| Alert::NotSilent(feed()))
            };
        }
        let silent_for = now.saturating_duration_since(self.heard);
        let is_silent = self.seen.reach == Reach::There && silent_for >= self.patience()?;
        is_silent.then(|| Alert::Silent(feed(), silent_for))
    }

    fn outage_due(&self, outage: Option<Duration>, steady: Duration) -> Option<Instant> {
        match self.seen.reach {
            Reach::Out if !self.told_out => self.since.checked_add(outage?),
            Reach::There if self.told_out => self.since.checked_add(steady),
            _ => None,
        }
    }

    fn silence_due(&self) -> Option<Instant> {
        if self.told_silent || self.seen.reach != Reach::There {
            return None;
        }
        self.heard.checked_add(self.patience()?)
    }
}
