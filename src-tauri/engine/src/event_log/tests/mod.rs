//! The log as its users see it.

mod connections;
mod crash;
mod deletion;
mod files;
mod filters;
mod handover;
mod marks;
mod portable;
mod resume;

use jiff::Timestamp;

use super::{Batch, EventLog, LogError, NewEvent, Query, Record};
use crate::{
    event_source::Message,
    feed::FeedId,
    notification::Notification,
    policy::{Outcome, OutcomeReason},
    resume::Resume,
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

    fn append(&self, batch: &mut Batch<'_>) -> u64 {
        self.try_append(batch).unwrap()
    }

    fn append_with(&self, batch: &mut Batch<'_>, resume_value: Option<&str>) -> u64 {
        self.try_append_with(batch, resume_value).unwrap()
    }

    fn try_append(&self, batch: &mut Batch<'_>) -> Result<u64, LogError> {
        self.try_append_with(batch, None)
    }

    fn try_append_with(&self, batch: &mut Batch<'_>, resume_value: Option<&str>) -> Result<u64, LogError> {
        let notification =
            Notification { title: self.title.into(), body: self.body.into(), ..Notification::default() };
        let new = NewEvent {
            message: &self.message(),
            origin: "https://example.org",
            received_at: Timestamp::from_millisecond(self.at).unwrap(),
            outcome: self.outcome,
            reason: &OutcomeReason { code: "rule".into(), rule: Some(2), detail: "why".into() },
            notification: &notification,
            urgent: false,
        };
        batch.append(&feed(self.feed), &new, resume_value)
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
        summary: None,
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

#[test]
fn search_finds_words_prefixes_and_chinese_text() {
    let check = |text: &str, query: &str, found: bool| {
        let mut fixture = Fixture::new();
        fixture.append(&[Event { data: text.into(), title: "", ..Event::default() }]);
        let query = Query { search: Some(query.into()), ..Query::default() };
        assert_eq!(!fixture.seqs(&query).is_empty(), found, "{query:?} in {text:?}");
    };
    let chinese = "服务器磁盘已满，请处理 disk full";
    for (text, query, found) in [
        ("The disk is full", "disk", true),
        ("The disk is full", "DISK full", true),
        ("The disk is full", "full the", true),
        ("The disk is full", "disk empty", false),
        ("The disk is full", "dis", true),
        ("The disk is full", "dis full", false),
        ("The disk is full", "isk", false),
        ("café au lait", "cafe", true),
        ("backup-2024.tar.gz", "backup-2024.tar", true),
        ("backup-2024.tar.gz", "2024-backup", false),
        (chinese, "服", true),
        (chinese, "磁盘", true),
        (chinese, "器磁盘", true),
        (chinese, "盘磁", false),
        (chinese, "服务器 请处理", true),
        (chinese, "磁盘 disk", true),
        (chinese, "请处理dis", true),
        (chinese, "满，请", true),
        (chinese, "网", false),
        ("𠮷野家で食べる", "𠮷野", true),
        ("𠮷野家で食べる", "家で食", true),
        ("디스크가 가득 찼습니다", "스크", true),
        ("ＣＰＵ 高负载", "cpu", true),
        ("CPU高", "ＣＰＵ", true),
        // JSON as PHP and Python write it: escaped.
        (r#"{"m":"\u78c1\u76d8\nfull\tnow"}"#, "磁盘", true),
        (r#"{"m":"\u78c1\u76d8\nfull\tnow"}"#, "full now", true),
        (r#"{"m":"\ud842\udfb7\u91ce"}"#, "𠮷野", true),
        (r#"{"p":"C:\\new"}"#, "new", true),
        (r#"{"p":"\ud842 \uzz \"#, "uzz", true),
        (r"C:\new in plain text", "new", true),
    ] {
        check(text, query, found);
    }
}

#[test]
fn title_and_body_are_searched_beyond_the_data() {
    let mut fixture = Fixture::new();
    let decoded =
        Event { data: "5omT5Y2w".into(), title: "打印机", body: "out of paper", ..Event::default() };
    let inside = Event { data: "x312y".into(), title: "12", body: "", ..Event::default() };
    let seqs = fixture.append(&[decoded, Event::default(), inside]);
    assert_eq!(fixture.seqs(&Query { search: Some("12".into()), ..Query::default() }), seqs[2..]);
    for text in ["打印", "paper", "5omT5Y2w", "印机 out"] {
        assert_eq!(
            fixture.seqs(&Query { search: Some(text.into()), ..Query::default() }),
            seqs[..1],
            "{text}"
        );
    }
}

#[test]
fn nothing_in_a_search_is_an_operator() {
    let mut fixture = Fixture::new();
    fixture.append(&[Event { data: "a near or not word f1 title".into(), ..Event::default() }]);
    for (text, found) in [
        ("\"", false),
        ("*", false),
        ("\"\"\"", false),
        ("，。", false),
        ("( )", false),
        ("\0", false),
        ("", true),
        (" \t", true),
        ("NEAR(", true),
        ("a OR", true),
        ("a AND nothing", false),
        ("nothing OR a", false),
        ("NOT", true),
        ("NOT a", true),
        ("wor*", true),
        ("wor", true),
        ("wor-", false),
        ("w*d", false),
        ("w\"ord", false),
        ("word\"", true),
        ("word\0", true),
        ("\"word", true),
        ("title:word", false),
        ("facet:f1", false),
        ("f1", true),
        ("t1", false),
        ("^a", true),
        ("{a}", true),
        ("-a", true),
        ("a + b", false),
    ] {
        let query = Query { search: Some(text.into()), ..Query::default() };
        assert_eq!(!fixture.seqs(&query).is_empty(), found, "{text:?}");
    }
    let long = Query { search: Some("word ".repeat(10_000)), ..Query::default() };
    assert_eq!(fixture.seqs(&long).len(), 1);
    assert!(fixture.seqs(&Query { search: Some("字".repeat(10_000)), ..Query::default() }).is_empty());
}

#[test]
fn a_preview_cuts_long_data_between_characters() {
    let mut fixture = Fixture::new();
    let long = "磁".repeat(100_000);
    let seqs = fixture.append(&[
        Event { data: long.clone(), ..Event::default() },
        Event { data: "x".repeat(10), ..Event::default() },
        Event { data: "x".repeat(11), ..Event::default() },
    ]);
    let preview = |preview| {
        let page = fixture.log.reader().page(&Query { limit: 9, preview, ..Query::default() }).unwrap();
        page.records.into_iter().map(|it| (it.message.data.len(), it.data_truncated)).collect::<Vec<_>>()
    };
    assert_eq!(preview(Some(10)), [(10, true), (10, false), (9, true)]);
    assert_eq!(preview(Some(0)), [(0, true), (0, true), (0, true)]);
    assert_eq!(preview(None), [(11, false), (10, false), (300_000, false)]);
    assert_eq!(fixture.log.reader().get(seqs[0]).unwrap().unwrap().message.data, long);
}

#[test]
fn only_the_same_id_and_content_of_the_same_feed_is_a_repeat() {
    let mut fixture = Fixture::new();
    let logged = Event { id: "1", kind: "alert", data: "x".into(), ..Event::default() };
    fixture.append(&[logged.clone(), Event { id: "", ..logged.clone() }]);
    let batch = fixture.log.begin().unwrap();
    for (event, repeated) in [
        (logged.clone(), true),
        (Event { id: "", ..logged.clone() }, false),
        (Event { id: "2", ..logged.clone() }, false),
        (Event { kind: "message", ..logged.clone() }, false),
        (Event { kind: "never", ..logged.clone() }, false),
        (Event { data: "y".into(), ..logged.clone() }, false),
        (Event { feed: "b", ..logged.clone() }, false),
    ] {
        assert_eq!(batch.is_logged(&feed(event.feed), &event.message()).unwrap(), repeated, "{event:?}");
    }
    drop(batch);
    let mut batch = fixture.log.begin().unwrap();
    let fresh = Event { id: "3", ..logged };
    fresh.append(&mut batch);
    assert!(batch.is_logged(&feed("a"), &fresh.message()).unwrap(), "within one batch");
}

#[test]
fn the_last_event_id_follows_every_message() {
    let mut fixture = Fixture::new();
    let id = |fixture: &Fixture| fixture.log.last_event_id(&feed("a")).unwrap();
    assert_eq!(id(&fixture), "");
    fixture.append(&[Event { id: "1", ..Event::default() }, Event { id: "2", ..Event::default() }]);
    assert_eq!(id(&fixture), "2");

    let mut batch = fixture.log.begin().unwrap();
    batch.set_last_event_id(&feed("a"), "3").unwrap();
    batch.commit().unwrap();
    assert_eq!(id(&fixture), "3");

    let mut batch = fixture.log.begin().unwrap();
    batch.count_repeat(&feed("a"), "1").unwrap();
    batch.count_repeat(&feed("a"), "2").unwrap();
    batch.commit().unwrap();
    assert_eq!(id(&fixture), "2");
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().repeats, 2);

    // A message after an empty `id` field has none (WHATWG HTML 9.2.6).
    fixture.append(&[Event { id: "", ..Event::default() }]);
    assert_eq!(id(&fixture), "");

    fixture.append(&[Event { id: "4", ..Event::default() }]);
    for (url, expected) in [("http://one/", "4"), ("http://one/", "4"), ("http://two/", "")] {
        fixture.log.set_streams([(&feed("a"), url, &Resume::Header)]).unwrap();
        assert_eq!(id(&fixture), expected, "at {url}");
    }
}

#[test]
fn a_clock_set_back_hides_nothing_from_since() {
    let mut fixture = Fixture::new();
    let times = [10, 20, 90, 30, 40, 15, 50, 60];
    let seqs = fixture.append(&times.map(|at| Event { at, ..Event::default() }));
    for since in 0..100 {
        let since_time = Some(Timestamp::from_millisecond(since).unwrap());
        let expected: Vec<u64> =
            std::iter::zip(&seqs, times).filter(|(_, at)| *at >= since).map(|(seq, _)| *seq).rev().collect();
        assert_eq!(fixture.seqs(&Query { since: since_time, ..Query::default() }), expected, "since {since}");
    }
}

#[test]
fn settings_are_kept() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.log.setting("language").unwrap(), None);
    fixture.log.set_setting("language", "en").unwrap();
    fixture.log.set_setting("language", "zh-CN").unwrap();
    fixture.log.release_memory().unwrap();
    assert_eq!(fixture.log.setting("language").unwrap().as_deref(), Some("zh-CN"));
}

#[test]
fn a_page_of_large_events_ends_early_and_the_next_one_goes_on() {
    let mut fixture = Fixture::new();
    let large = Event { data: "x".repeat(1 << 20), ..Event::default() };
    let mut all = fixture.append(&vec![large; 20]);
    all.reverse();
    for preview in [None, Some(10)] {
        let mut query = Query { limit: 1000, preview, ..Query::default() };
        let (mut seen, mut longest) = (Vec::new(), 0);
        loop {
            let page = fixture.log.reader().page(&query).unwrap();
            longest = longest.max(page.records.len());
            seen.extend(page.records.iter().map(|record| record.seq));
            query.before = page.next_before;
            if page.next_before.is_none() {
                break;
            }
        }
        assert_eq!(seen, all, "{preview:?}");
        assert_eq!(longest, if preview.is_some() { 20 } else { 7 }, "{preview:?}");
    }
}
