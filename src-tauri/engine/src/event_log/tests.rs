//! The log as its users see it.

use jiff::Timestamp;

use super::{EventLog, NewEvent, Query, Record};
use crate::{
    event_source::Message,
    feed::FeedId,
    notification::Notification,
    policy::{Outcome, OutcomeReason},
};

/// A log in a folder of its own that goes with it.
struct Fixture {
    log: EventLog,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = EventLog::open(&folder.path().join("events.db")).unwrap();
        Self { log, folder }
    }

    fn append(&mut self, events: &[Event]) -> Vec<u64> {
        let mut batch = self.log.begin().unwrap();
        let seqs = events.iter().map(|event| event.append(&mut batch)).collect();
        batch.commit().unwrap();
        seqs
    }

    fn seqs(&self, query: &Query) -> Vec<u64> {
        let page = self.log.reader().page(&Query { limit: 1000, ..query.clone() }).unwrap();
        page.records.iter().map(|record| record.seq).collect()
    }
}

/// An event in a few words.
#[derive(Clone, Debug)]
struct Event {
    feed: &'static str,
    kind: &'static str,
    id: &'static str,
    data: String,
    title: &'static str,
    body: &'static str,
    outcome: Outcome,
    at: i64,
}

impl Default for Event {
    fn default() -> Self {
        let data = "data".to_owned();
        Self {
            feed: "a",
            kind: "message",
            id: "",
            data,
            title: "title",
            body: "",
            outcome: Outcome::Shown,
            at: 1_000,
        }
    }
}

impl Event {
    fn message(&self) -> Message {
        Message { event_type: self.kind.into(), data: self.data.clone(), last_event_id: self.id.into() }
    }

    fn append(&self, batch: &mut super::Batch<'_>) -> u64 {
        let notification =
            Notification { title: self.title.into(), body: self.body.into(), ..Notification::default() };
        let new = NewEvent {
            message: &self.message(),
            origin: "https://example.org",
            received_at: Timestamp::from_millisecond(self.at).unwrap(),
            outcome: self.outcome,
            reason: &OutcomeReason { code: "rule".into(), rule: Some(2), detail: "why".into() },
            notification: &notification,
        };
        batch.append(&feed(self.feed), &new).unwrap()
    }
}

fn feed(id: &str) -> FeedId {
    FeedId::new(id).unwrap()
}

#[test]
fn what_goes_in_comes_out() {
    let mut fixture = Fixture::new();
    let event =
        Event { kind: "alert", id: "7", data: "{\"a\":\n1}".into(), body: "body", ..Event::default() };
    let seq = fixture.append(std::slice::from_ref(&event))[0];
    let record = fixture.log.reader().get(seq).unwrap().unwrap();
    let expected = Record {
        seq,
        feed: feed("a"),
        message: event.message(),
        data_truncated: false,
        origin: "https://example.org".into(),
        received_at: Timestamp::from_millisecond(1_000).unwrap(),
        outcome: Outcome::Shown,
        reason: OutcomeReason { code: "rule".into(), rule: Some(2), detail: "why".into() },
        notification: Notification { title: "title".into(), body: "body".into(), ..Notification::default() },
        read: false,
    };
    assert_eq!(record, expected);
    assert_eq!(fixture.log.last_event_id(&feed("a")).unwrap(), "7");
    assert_eq!(fixture.log.reader().get(seq + 1).unwrap(), None);
    assert_eq!(fixture.log.reader().get(u64::MAX).unwrap(), None);
    assert!(fixture.folder.path().join("events.db").exists());
}

#[test]
fn each_filter_finds_its_events_newest_first() {
    use Outcome::{Closed, Ignored, Logged, Pending, Shown, Summarized};
    let mut fixture = Fixture::new();
    let mut events = Vec::new();
    for (index, outcome) in
        [Shown, Pending, Summarized, Logged, Ignored, Closed].into_iter().cycle().take(48).enumerate()
    {
        events.push(Event {
            feed: ["a", "b"][index / 6 % 2],
            kind: ["message", "alert"][index / 12 % 2],
            data: ["disk full", "磁盘已满"][index / 24].into(),
            outcome,
            at: 1_000 * index as i64,
            ..Event::default()
        });
    }
    let seqs = fixture.append(&events);
    let bits = [false, true];
    for (has_feed, has_kind, word, unread, held_back, since) in bits
        .into_iter()
        .flat_map(|a| bits.map(|b| (a, b)))
        .flat_map(|(a, b)| [None, Some("full"), Some("盘已")].map(|c| (a, b, c)))
        .flat_map(|(a, b, c)| bits.map(|d| (a, b, c, d)))
        .flat_map(|(a, b, c, d)| bits.map(|e| (a, b, c, d, e)))
        .flat_map(|(a, b, c, d, e)| [None, Some(17_500), Some(0), Some(90_000)].map(|f| (a, b, c, d, e, f)))
    {
        let query = Query {
            feed: has_feed.then(|| feed("b")),
            event: has_kind.then(|| "alert".into()),
            search: word.map(Into::into),
            unread,
            held_back,
            since: since.map(|at| Timestamp::from_millisecond(at).unwrap()),
            ..Query::default()
        };
        let expected: Vec<u64> = std::iter::zip(&seqs, &events)
            .filter(|(_, event)| {
                (!has_feed || event.feed == "b")
                    && (!has_kind || event.kind == "alert")
                    && word.is_none_or(|word| event.data.contains(word))
                    && (!unread || matches!(event.outcome, Shown | Pending | Summarized))
                    && (!held_back || matches!(event.outcome, Logged | Ignored | Pending))
                    && (held_back || event.outcome != Ignored)
                    && since.is_none_or(|since| event.at >= since)
            })
            .map(|(seq, _)| *seq)
            .rev()
            .collect();
        assert_eq!(fixture.seqs(&query), expected, "{query:?}");
        let paged = all_pages(&fixture, &Query { limit: 3, ..query });
        assert_eq!(paged, expected);
    }
}

/// Walks through all pages.
fn all_pages(fixture: &Fixture, query: &Query) -> Vec<u64> {
    let mut query = query.clone();
    let mut seqs = Vec::new();
    loop {
        let page = fixture.log.reader().page(&query).unwrap();
        seqs.extend(page.records.iter().map(|record| record.seq));
        match page.next_before {
            Some(before) => query.before = Some(before),
            None => return seqs,
        }
    }
}
