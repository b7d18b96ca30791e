//! What happened to connections, and where it stands between the events.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{Event, Fixture, feed};
use crate::event_log::{CHANGES, CHANGES_OF_FEED, ConnectionChange, EventLog, Happened, Query, schema};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn lost() -> Happened {
    Happened::Lost { code: "refused".into(), detail: "127.0.0.1".into() }
}

fn back() -> Happened {
    Happened::Back { away: Duration::from_millis(61_500) }
}

impl Fixture {
    fn change(&mut self, id: &str, second: i64, what: &Happened) -> u64 {
        let after = self.log.newest().unwrap();
        self.log.add_connection_change(&feed(id), at(second), after, what).unwrap()
    }

    fn changes(&self, query: &Query) -> Vec<u64> {
        let page = self.log.reader().page(query).unwrap();
        let changes = self.log.reader().connections(query, page.next_before).unwrap();
        changes.into_iter().map(|change| change.number).collect()
    }
}

#[test]
fn changes_stand_between_the_events_of_their_page_each_on_one_page() {
    let mut fixture = Fixture::new();
    let first = fixture.change("a", 0, &lost());
    fixture.append(&vec![Event::default(); 3]);
    let second = fixture.change("a", 10, &back());
    fixture.append(&[Event { feed: "b", ..Event::default() }, Event::default()]);
    let (third, fourth) = (fixture.change("b", 20, &lost()), fixture.change("a", 21, &lost()));
    for limit in 1..7 {
        let mut query = Query { limit, ..Query::default() };
        let mut seen = Vec::new();
        loop {
            seen.extend(fixture.changes(&query));
            query.before = fixture.log.reader().page(&query).unwrap().next_before;
            if query.before.is_none() {
                break;
            }
        }
        assert_eq!(seen, [fourth, third, second, first], "{limit} events on a page");
    }
    let of = |query| fixture.changes(&Query { limit: 9, ..query });
    assert_eq!(of(Query { feed: Some(feed("a")), ..Query::default() }), [fourth, second, first]);
    assert_eq!(of(Query { feed: Some(feed("b")), ..Query::default() }), [third]);
    assert_eq!(
        of(Query { search: Some("nothing".into()), ..Query::default() }),
        [fourth, third, second, first]
    );
    assert_eq!(of(Query { since: Some(at(10)), until: Some(at(21)), ..Query::default() }), [third, second]);

    let changes = fixture.log.reader().connections_since(&feed("a"), at(1)).unwrap();
    let expected = [(second, 10, 3, back()), (fourth, 21, 5, lost())];
    let expected = expected.map(|(number, second, after, what)| ConnectionChange {
        number,
        feed: feed("a"),
        at: at(second),
        after,
        what,
    });
    assert_eq!(changes, expected);
}

#[test]
fn the_newest_changes_stay() {
    let mut fixture = Fixture::new();
    let kept = CHANGES_OF_FEED as usize;
    let other = fixture.change("b", 0, &lost());
    let numbers: Vec<u64> =
        (0..=CHANGES_OF_FEED.into()).map(|second| fixture.change("a", second, &lost())).collect();
    let of = |fixture: &Fixture, id| {
        let changes = fixture.log.reader().connections_since(&feed(id), at(0)).unwrap();
        changes.into_iter().map(|change| change.number).collect::<Vec<_>>()
    };
    assert_eq!(of(&fixture, "a"), numbers[numbers.len() - kept..]);
    assert_eq!(of(&fixture, "b"), [other]);
    let last = i64::from(CHANGES) + 1;
    fixture
        .log
        .connection
        .execute("UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'connection_change'", [last])
        .unwrap();
    fixture.change("a", 5000, &back());
    assert_eq!(of(&fixture, "b"), [0; 0], "it is over {CHANGES} changes old");
}

#[test]
fn a_log_knows_what_was_lost_when_it_is_opened_again() {
    let mut fixture = Fixture::new();
    let known = |fixture: &Fixture| fixture.log.lost_since(&feed("a")).unwrap();
    assert_eq!(known(&fixture), None);
    fixture.change("a", 7, &lost());
    fixture.log = EventLog::open(&fixture.folder.path().join("events.db")).unwrap();
    assert_eq!(known(&fixture), Some(at(7)));
    fixture.change("b", 8, &back());
    assert_eq!(known(&fixture), Some(at(7)));
    fixture.change("a", 9, &back());
    assert_eq!(known(&fixture), None);
}

#[test]
fn a_log_of_schema_3_grows_into_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let db = Connection::open(&path).unwrap();
    for schema in
        [include_str!("../schema_1.sql"), include_str!("../schema_2.sql"), include_str!("../schema_3.sql")]
    {
        db.execute_batch(schema).unwrap();
    }
    db.execute_batch(
        "INSERT INTO feed (id, events, unread, last_event_id) VALUES ('a', 2, 1, '7');
         INSERT INTO event_type (name) VALUES ('message');
         INSERT INTO event VALUES (1, 1, 1, 2, 5, 5, 0, '', 'https://example.org', 'default', NULL, '', 1, 't', NULL, NULL, 'b', 'd');
         INSERT INTO event VALUES (2, 1, 1, 5, 3, 5, 0, '', 'https://example.org', 'muted', NULL, '', 1, 't', NULL, NULL, 'b', 'd');
         INSERT INTO unread (seq, feed, type) VALUES (1, 1, 1);
         INSERT INTO search (rowid, title, body, data, facet) VALUES (1, 't', 'b', 'd', 'f1 t1 n'), (2, 't', 'b', 'd', 'f1 t1 h');
         PRAGMA user_version = 3;",
    )
    .unwrap();
    drop(db);
    let mut fixture = Fixture { log: EventLog::open(&path).unwrap(), folder };
    let version: i64 =
        fixture.log.connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, schema::VERSION);
    assert_eq!(fixture.seqs(&Query::default()), [2, 1]);
    assert_eq!(fixture.seqs(&Query { held_back: true, ..Query::default() }), [2]);
    let until = Timestamp::from_millisecond(4).unwrap();
    assert_eq!(fixture.seqs(&Query { until: Some(until), ..Query::default() }), [2]);
    fixture.change("a", 1, &lost());
    assert_eq!(fixture.log.delete(&[1, 2], at(0)).unwrap(), [1, 2]);
    assert_eq!(fixture.log.restore(&[1], at(0)).unwrap(), [1]);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().unread, 1);
}
