//! The outbox, with time as a value.

use std::sync::Arc;

use proptest::prelude::*;

use super::{super::Summary, *};
use crate::{
    config,
    event_log::Pending,
    feed::{Feed, FeedId},
    notification::{Notification, Urgency},
    policy::{OutcomeReason, plan},
};

fn feed(id: &str) -> Arc<Feed> {
    let text = format!("[[feed]]\nid = \"{id}\"\nname = \"N-{id}\"\nurl = \"http://{id}.example.org/\"\n");
    config::parse(&text).expect("a feed").feeds.remove(0)
}

fn popup(seq: u64) -> Popup {
    Popup {
        events: vec![seq],
        feed: FeedId::new("f"),
        feed_name: String::new(),
        notification: Notification::default(),
        images: false,
        sound: true,
        summary: None,
    }
}

fn ready() -> Outbox {
    let mut outbox = Outbox::new();
    outbox.set_server(true);
    outbox.refill(Vec::new(), Vec::new(), true);
    outbox
}

fn gather(outbox: &mut Outbox, feed: &Feed, kind: SummaryKind, seq: u64, now: Instant) {
    let notification = Notification {
        title: format!("T{seq}"),
        urgency: if seq == 2 { Urgency::Critical } else { Urgency::Normal },
        ..Notification::default()
    };
    outbox.gather(kind, Addition { seq, feed, notification: &notification }, now);
}

const MILLI: Duration = Duration::from_millis(1);

/// The number, the count and the titles of a popup of several events.
type Counted = (u64, u64, String);

/// The next popup, if it is due by then: its events, and its number, count and titles if it tells of several.
fn told(outbox: &mut Outbox, now: Instant) -> Option<(Vec<u64>, Option<Counted>)> {
    let popup = outbox.next(now)?;
    let summary = popup.summary.map(|summary| (summary.id, summary.count, summary.titles.join(" ")));
    Some((popup.events, summary))
}

#[test]
fn popups_pass_at_the_notifiers_pace() {
    let (mut outbox, now) = (ready(), Instant::now());
    for seq in 1..=10 {
        outbox.offer(|| popup(seq));
    }
    let first: Vec<_> = std::iter::from_fn(|| outbox.next(now)).flat_map(|popup| popup.events).collect();
    assert_eq!(first, [1, 2, 3, 4]);
    assert_eq!(outbox.shown(&[2]), None);
    assert_eq!(outbox.next(now).unwrap().events, [5]);
    assert!(outbox.next(now).is_none());
}

#[test]
fn what_does_not_fit_waits_in_the_log_and_is_read_once_the_rest_is_done() {
    let (mut outbox, now) = (ready(), Instant::now());
    for seq in 1..=100 {
        outbox.offer(|| popup(seq));
    }
    assert!(!outbox.wants_from_log());
    while let Some(popup) = outbox.next(now) {
        outbox.shown(&popup.events);
    }
    assert!(outbox.wants_from_log());
    // An event that comes meanwhile must not overtake those in the log.
    outbox.offer(|| popup(101));
    gather(&mut outbox, &feed("a"), SummaryKind::Flood, 102, now);
    assert!(outbox.next(now).is_none() && outbox.due().is_none());
}

#[test]
fn after_the_server_was_away_everything_pending_is_read_anew() {
    let (mut outbox, now) = (ready(), Instant::now());
    outbox.offer(|| popup(1));
    gather(&mut outbox, &feed("a"), SummaryKind::Flood, 2, now);
    outbox.set_server(false);
    assert!(outbox.next(now + 10 * 1000 * MILLI).is_none());
    assert!(!outbox.wants_from_log());
    outbox.set_server(true);
    assert!(outbox.wants_from_log());
}

#[test]
fn a_server_that_refused_is_left_alone_for_a_while_and_an_absent_one_until_it_comes() {
    let (mut outbox, now) = (ready(), Instant::now());
    outbox.offer(|| popup(1));
    assert!(outbox.next(now).is_some());
    outbox.refuse(&[1]);
    assert!(!outbox.wants_from_log());
    outbox.retry();
    assert!(outbox.wants_from_log());
    outbox.set_server(false);
    outbox.retry();
    assert!(!outbox.wants_from_log());
}

#[test]
fn refusals_in_a_row_grow_the_wait_until_a_popup_is_shown_or_another_server_comes() {
    let mut outbox = ready();
    let mut waits = |count| -> Vec<u64> {
        let refuse = |outbox: &mut Outbox| {
            let wait = outbox.refuse(&[1]);
            outbox.retry();
            wait.as_secs()
        };
        let waits = (0..count).map(|_| refuse(&mut outbox)).collect();
        outbox.shown(&[1]);
        waits
    };
    assert_eq!(waits(9), [5, 10, 20, 40, 80, 160, 320, 320, 320]);
    assert_eq!(waits(1), [5]);
    outbox.refuse(&[1]);
    outbox.set_server(true);
    assert!(outbox.wants_from_log(), "another server is asked at once");
    assert_eq!(outbox.refuse(&[1]), RETRY);
}

#[test]
fn a_flood_is_one_popup_that_counts_up_in_its_place() {
    let (mut outbox, start, a) = (ready(), Instant::now(), feed("a"));
    for seq in 1..=100 {
        gather(&mut outbox, &a, SummaryKind::Flood, seq, start + seq as u32 * MILLI);
    }
    let due = outbox.due().expect("a popup");
    assert_eq!(told(&mut outbox, due - MILLI), None);
    let (events, summary) = told(&mut outbox, due).unwrap();
    assert_eq!((events.len(), summary), (100, Some((1, 100, "T100 T99 T98".to_owned()))));
    // While it is with the server no second one goes there, and what comes is counted once it is known to be shown.
    gather(&mut outbox, &a, SummaryKind::Flood, 101, due);
    assert_eq!(told(&mut outbox, due + 60_000 * MILLI), None);
    let events: Vec<u64> = (1..=100).collect();
    assert_eq!(outbox.shown(&events), Some(1));
    let due = outbox.due().unwrap();
    assert_eq!(told(&mut outbox, due), Some((vec![101], Some((1, 101, "T101".to_owned())))));
    assert_eq!(outbox.shown(&[101]), Some(1));
    // At most one a second.
    gather(&mut outbox, &a, SummaryKind::Flood, 102, due + MILLI);
    assert!(outbox.due().unwrap() >= due + 1000 * MILLI);
    // Closed: what comes then is another one's.
    outbox.gone(1);
    let (_, summary) = told(&mut outbox, due + 2000 * MILLI).unwrap();
    assert_eq!(summary, Some((102, 1, "T102".to_owned())));
}

#[test]
fn a_refused_count_is_not_counted() {
    let (mut outbox, start, a) = (ready(), Instant::now(), feed("a"));
    gather(&mut outbox, &a, SummaryKind::Flood, 1, start);
    let due = outbox.due().unwrap();
    assert!(told(&mut outbox, due).is_some());
    outbox.shown(&[1]);
    gather(&mut outbox, &a, SummaryKind::Flood, 2, due);
    let due = outbox.due().unwrap();
    assert_eq!(told(&mut outbox, due).unwrap().1, Some((1, 2, "T2".to_owned())));
    outbox.refuse(&[2]);
    outbox.retry();
    assert!(outbox.wants_from_log(), "it is in the log still");
    outbox.refill(Vec::new(), Vec::new(), true);
    gather(&mut outbox, &a, SummaryKind::Flood, 2, due);
    let due = outbox.due().unwrap();
    assert_eq!(told(&mut outbox, due).unwrap().1, Some((1, 2, "T2".to_owned())));
}

#[test]
fn what_was_missed_is_told_once_no_more_comes() {
    let (mut outbox, start, a) = (ready(), Instant::now(), feed("a"));
    for seq in 1..=40 {
        gather(&mut outbox, &a, SummaryKind::CatchUp, seq, start + seq as u32 * 100 * MILLI);
    }
    let due = outbox.due().unwrap();
    assert_eq!(due, start + 6_000 * MILLI, "2 s after the last one");
    let popup = outbox.next(due).unwrap();
    assert_eq!(popup.notification.urgency, Urgency::Critical, "as urgent as the most urgent");
    assert_eq!((popup.events.len(), popup.feed_name.as_str()), (40, "N-a"));
    let summary = popup.summary.unwrap();
    assert_eq!((summary.kind, summary.count), (SummaryKind::CatchUp, 40));
    outbox.shown(&popup.events);

    // Without end it is told after 10 s.
    let b = feed("b");
    for seq in 100..300 {
        gather(&mut outbox, &b, SummaryKind::CatchUp, seq, start + (seq as u32 - 100) * 100 * MILLI);
    }
    assert_eq!(outbox.due(), Some(start + 10_000 * MILLI));
    // A single one is no summary.
    let c = feed("c");
    let mut outbox = ready();
    gather(&mut outbox, &c, SummaryKind::CatchUp, 500, start);
    let due = outbox.due().unwrap();
    assert_eq!(told(&mut outbox, due), Some((vec![500], None)));
}

#[test]
fn floods_of_many_feeds_share_a_popup() {
    let (mut outbox, start) = (ready(), Instant::now());
    let feeds: Vec<_> = (0..30).map(|n| feed(&format!("f{n}"))).collect();
    for (seq, feed) in (1..).zip(&feeds) {
        gather(&mut outbox, feed, SummaryKind::Flood, seq, start);
        gather(&mut outbox, feed, SummaryKind::Flood, seq + 100, start);
    }
    let mut summaries = Vec::new();
    while let Some(popup) = outbox.next(start + 400 * MILLI) {
        outbox.shown(&popup.events);
        summaries.push((popup.feed, popup.summary.unwrap()));
    }
    assert_eq!(summaries.len(), FEEDS + 1);
    let (of, shared) = summaries.last().unwrap();
    assert_eq!((of, shared.count, shared.feeds.len()), (&None, 40, 20));
    assert!(shared.feeds.contains(&("N-f29".to_owned(), 2)));
}

#[test]
fn what_is_taken_back_is_not_shown() {
    let (mut outbox, start, a) = (ready(), Instant::now(), feed("a"));
    outbox.offer(|| popup(1));
    outbox.offer(|| popup(2));
    gather(&mut outbox, &a, SummaryKind::Flood, 3, start);
    gather(&mut outbox, &a, SummaryKind::Flood, 4, start);
    outbox.remove(&[1]);
    assert_eq!(told(&mut outbox, start), Some((vec![2], None)));
    outbox.shown(&[2]);
    // What was gathered with it is read from the log again, so that no text of what is gone is left.
    outbox.remove(&[4]);
    assert_eq!(outbox.due(), None);
    assert!(outbox.wants_from_log());
}

/// What can happen to popups.
#[derive(Clone, Debug)]
enum Happens {
    /// An event of a feed is committed, as one of these gates let it pass.
    Event { feed: usize, code: usize },
    /// The server comes or goes.
    Server(bool),
    /// The oldest popup that is with the server is taken, or refused.
    Report { shown: bool },
    /// A server that refused is asked again.
    Retry,
    /// Time passes, in milliseconds.
    Later(u32),
    /// A newer event takes the place of this one, if it was not shown yet.
    TakeBack(usize),
    /// A popup of several events is closed, the newest first.
    Gone,
    /// The program ends and starts again.
    Restart,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        20 => (0usize..14, 0usize..6).prop_map(|(feed, code)| Happens::Event { feed, code }),
        2 => any::<bool>().prop_map(Happens::Server),
        8 => proptest::bool::weighted(0.8).prop_map(|shown| Happens::Report { shown }),
        3 => Just(Happens::Retry),
        5 => (0u32..3_000).prop_map(Happens::Later),
        1 => (0usize..40).prop_map(Happens::TakeBack),
        1 => Just(Happens::Gone),
        1 => Just(Happens::Restart),
    ]
}

const CODES: [&str; 6] = [
    OutcomeReason::RULE,
    OutcomeReason::RULE,
    OutcomeReason::FLOOD,
    OutcomeReason::CATCH_UP,
    OutcomeReason::SNOOZED,
    OutcomeReason::QUIET_HOURS,
];

/// A log and a notification server in memory, with the outbox between them.
struct World {
    outbox: Outbox,
    feeds: Vec<Arc<Feed>>,
    /// Events by their number, from 1: feed, code, and whether a popup is still to tell of them.
    log: Vec<(usize, &'static str, bool)>,
    /// How often each was told.
    told: Vec<u32>,
    with_server: VecDeque<Popup>,
    /// Each popup of several with the events that it was told of, and the count that it last showed.
    summaries: Vec<(u64, Vec<u64>, u64)>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let feeds = (0..14).map(|n| feed(&format!("f{n}"))).collect();
        let (log, told, summaries) = Default::default();
        let outbox = Outbox::new();
        Self { outbox, feeds, log, told, with_server: VecDeque::new(), summaries, now: Instant::now() }
    }

    fn happen(&mut self, what: &Happens) {
        match *what {
            Happens::Event { feed, code } => self.commit(feed, CODES[code]),
            Happens::Server(there) => self.outbox.set_server(there),
            Happens::Report { shown } => self.report(shown),
            Happens::Retry => self.outbox.retry(),
            Happens::Later(millis) => self.now += millis * MILLI,
            Happens::TakeBack(event) => self.take_back(event),
            Happens::Gone => {
                if let Some((id, ..)) = self.summaries.last() {
                    self.outbox.gone(*id);
                }
            }
            Happens::Restart => {
                // Popups that were on their way are told of while the program ends, and others never were.
                while !self.with_server.is_empty() {
                    self.report(true);
                }
                self.outbox = Outbox::new();
                self.outbox.set_server(true);
            }
        }
        self.hand_over();
    }

    fn commit(&mut self, feed: usize, code: &'static str) {
        self.log.push((feed, code, true));
        self.told.push(0);
        let seq = self.log.len() as u64;
        let (outbox, feed) = (&mut self.outbox, &self.feeds[feed]);
        let notification = Notification { title: format!("T{seq}"), ..Notification::default() };
        let event = Addition { seq, feed, notification: &notification };
        match code {
            OutcomeReason::FLOOD => outbox.gather(SummaryKind::Flood, event, self.now),
            OutcomeReason::CATCH_UP => outbox.gather(SummaryKind::CatchUp, event, self.now),
            OutcomeReason::RULE => outbox.offer(|| Popup {
                feed: Some(feed.id.clone()),
                notification: notification.clone(),
                ..popup(seq)
            }),
            // Released at once.
            _ => outbox.more_is_in_the_log(),
        }
    }

    fn report(&mut self, shown: bool) {
        let Some(popup) = self.with_server.pop_front() else { return };
        if !shown {
            self.outbox.refuse(&popup.events);
            return;
        }
        let summary = self.outbox.shown(&popup.events);
        assert_eq!(summary, popup.summary.as_ref().map(|summary| summary.id));
        for event in &popup.events {
            let place = *event as usize - 1;
            self.told[place] += 1;
            self.log[place].2 = false;
        }
        if let Some(Summary { id, count, .. }) = popup.summary {
            match self.summaries.iter_mut().find(|(known, ..)| *known == id) {
                Some((_, events, shown)) => {
                    events.extend(popup.events);
                    *shown = count;
                }
                None => self.summaries.push((id, popup.events, count)),
            }
        }
    }

    fn take_back(&mut self, event: usize) {
        let on_its_way = self.with_server.iter().any(|popup| popup.events.contains(&(event as u64 + 1)));
        if let Some((_, _, pending)) =
            self.log.get_mut(event).filter(|(_, _, pending)| *pending && !on_its_way)
        {
            *pending = false;
            // It counts as told: by the one that took its place.
            self.told[event] += 1;
            self.outbox.remove(&[event as u64 + 1]);
        }
    }

    fn hand_over(&mut self) {
        if self.outbox.wants_from_log() {
            self.refill();
        }
        while let Some(popup) = self.outbox.next(self.now) {
            assert!(!popup.events.is_empty() && (popup.events.len() == 1 || popup.summary.is_some()));
            let newest = popup.events.iter().max().copied().unwrap_or_default();
            assert_eq!(popup.notification.title, format!("T{newest}"), "it says what its newest event says");
            self.with_server.push_back(popup);
        }
        assert!(self.with_server.len() <= WITH_NOTIFIER);
    }

    fn refill(&mut self) {
        let waiting = (1..).zip(&self.log).filter(|(_, (.., pending))| *pending);
        let pending: Vec<Pending> = waiting
            .map(|(seq, (feed, code, _))| Pending {
                seq,
                feed: self.feeds[*feed].id.clone(),
                code: (*code).into(),
                urgency: Urgency::Normal,
                urgent: false,
                read: false,
            })
            .collect();
        let (mut single, mut together) = (Vec::new(), Vec::new());
        for told in plan(&pending, 10) {
            let events: Vec<u64> = told.events.iter().map(|place| pending[*place].seq).collect();
            match told.kind {
                None => {
                    let notification =
                        Notification { title: format!("T{}", events[0]), ..Notification::default() };
                    single.push(Popup { feed: told.feed, notification, ..popup(events[0]) });
                }
                Some(kind) => together.push(Gathered {
                    of: told.feed,
                    kind,
                    events,
                    newest: Notification {
                        title: format!("T{}", pending[*told.events.last().unwrap()].seq),
                        ..Notification::default()
                    },
                    titles: VecDeque::new(),
                    urgency: Urgency::Normal,
                    feed_name: String::new(),
                    images: false,
                    feeds: std::collections::BTreeMap::new(),
                    begun: self.now,
                    due: self.now,
                }),
            }
        }
        self.outbox.refill(single, together, true);
    }

    /// Everything goes well from now on.
    fn calm_down(&mut self) {
        self.outbox.set_server(true);
        self.outbox.retry();
        for _ in 0..1000 {
            self.now += 1_000 * MILLI;
            self.hand_over();
            while !self.with_server.is_empty() {
                self.report(true);
                self.hand_over();
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_each_event_is_told_once_and_each_count_is_right(
        history in prop::collection::vec(happens(), 0..200),
    ) {
        let mut world = World::new();
        for what in &history {
            world.happen(what);
        }
        world.calm_down();
        prop_assert!(world.told.iter().all(|told| *told == 1), "{:?}", world.told);
        for (id, events, count) in &world.summaries {
            prop_assert_eq!(events.len() as u64, *count, "of {}", id);
        }
    }
}
