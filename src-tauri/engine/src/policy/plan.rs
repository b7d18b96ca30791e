//! How what waited in the log is told: one by one, or together.

use std::collections::{BTreeMap, BTreeSet};

use super::OutcomeReason;
use crate::{event_log::Pending, feed::FeedId};

/// Most popups of one feed that a backlog shows one by one.
pub const MAX_BACKLOG_POPUPS: usize = 3;

/// Why events are drawn together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SummaryKind {
    /// Too many in a short time.
    Flood,
    /// They were missed and came after a reconnect.
    CatchUp,
    /// They waited, such as for a notification server.
    Backlog,
    /// They were held back by quiet hours or a snooze.
    Digest,
}

/// Events that one popup tells of, oldest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Their feed; `None`: several.
    pub feed: Option<FeedId>,
    /// Why they are drawn together; `None`: there is but one.
    pub kind: Option<SummaryKind>,
    /// Their places among the events that waited.
    pub events: Vec<usize>,
}

/// What is to be told of these events, oldest first: what was held back in one popup for all feeds; of each feed at most
/// [`MAX_BACKLOG_POPUPS`] one by one, else in one; all in one if that still were more than `most` popups. Each stands where the newest
/// of its events stood.
pub fn plan(pending: &[Pending], most: usize) -> Vec<Told> {
    let mut held = Vec::new();
    let mut feeds: BTreeMap<&FeedId, Vec<usize>> = BTreeMap::new();
    for (place, event) in pending.iter().enumerate() {
        match &*event.code {
            OutcomeReason::SNOOZED | OutcomeReason::QUIET_HOURS => held.push(place),
            _ => feeds.entry(&event.feed).or_default().push(place),
        }
    }
    let mut popups = Vec::new();
    for (_, events) in feeds {
        match together(pending, &events) {
            Some(kind) => popups.push(told(pending, kind, events)),
            None => popups
                .extend(events.into_iter().map(|event| told(pending, SummaryKind::Backlog, vec![event]))),
        }
    }
    if popups.len() > most.max(1) {
        let all: BTreeSet<usize> = popups.iter().flat_map(|popup| popup.events.iter().copied()).collect();
        popups = vec![told(pending, SummaryKind::Backlog, all.into_iter().collect())];
    }
    if !held.is_empty() {
        popups.push(told(pending, SummaryKind::Digest, held));
    }
    popups.sort_by_key(|popup| popup.events.last().copied());
    popups
}

/// Why the events of one feed are to be drawn together, if they are.
fn together(pending: &[Pending], events: &[usize]) -> Option<SummaryKind> {
    let of = |code: &str| {
        events.iter().filter(|place| pending.get(**place).is_some_and(|event| event.code == code)).count()
    };
    let (missed, flood) = (of(OutcomeReason::CATCH_UP), of(OutcomeReason::FLOOD));
    match events.len() {
        0 | 1 => None,
        count if missed == count => Some(SummaryKind::CatchUp),
        count if missed + flood == 0 && count <= MAX_BACKLOG_POPUPS => None,
        count if flood == count => Some(SummaryKind::Flood),
        _ => Some(SummaryKind::Backlog),
    }
}

fn told(pending: &[Pending], kind: SummaryKind, events: Vec<usize>) -> Told {
    let mut feeds = events.iter().filter_map(|place| pending.get(*place)).map(|event| &event.feed);
    let first = feeds.next();
    let feed = first.filter(|first| feeds.all(|feed| feed == *first)).cloned();
    Told { feed, kind: (events.len() > 1).then_some(kind), events }
}
