//! What a feed resumes by.

use std::path::Path;

use rusqlite::Connection;

use super::{Event, Fixture, feed};
use crate::{
    event_log::{EventLog, Query, schema},
    resume::{Resume, ResumeFrom},
};

fn by(name: &str, key: &str) -> Resume {
    Resume::Query { name: name.into(), from: ResumeFrom::Data(vec![key.into()]), events: Vec::new() }
}

#[test]
fn a_value_is_kept_with_its_event_until_the_stream_or_the_way_changes() {
    let mut fixture = Fixture::new();
    let event = |data: &str| Event { data: data.into(), ..Event::default() };
    let value = |fixture: &Fixture| fixture.log.resume_value(&feed("a")).unwrap();
    assert_eq!(value(&fixture), "");
    fixture.log.set_streams([(&feed("a"), "http://one/", &by("since", "id"))]).unwrap();

    let mut batch = fixture.log.begin().unwrap();
    event("lost").append_with(&mut batch, Some("lost"));
    drop(batch);
    assert_eq!(value(&fixture), "", "what is not committed never was");

    let mut batch = fixture.log.begin().unwrap();
    event("1").append_with(&mut batch, Some("v1"));
    event("2").append(&mut batch);
    batch.commit().unwrap();
    assert_eq!(value(&fixture), "v1", "an event without one changes nothing");
    assert_eq!(fixture.log.resume_value(&feed("b")).unwrap(), "");

    let batch = fixture.log.begin().unwrap();
    for (data, logged) in [("1", true), ("2", false), ("3", false)] {
        assert_eq!(batch.is_resumable_logged(&feed("a"), &event(data).message()).unwrap(), logged, "{data}");
    }
    assert!(!batch.is_resumable_logged(&feed("b"), &event("1").message()).unwrap());
    drop(batch);

    for (url, resume, expected) in [
        ("http://one/", by("since", "id"), "v1"),
        ("http://one/", by("since", "time"), ""),
        ("http://one/", by("since", "id"), ""),
    ] {
        fixture.log.set_streams([(&feed("a"), url, &resume)]).unwrap();
        assert_eq!(value(&fixture), expected, "{url} {resume}");
    }
    for (url, expected) in [("http://one/", "v2"), ("http://two/", "")] {
        let mut batch = fixture.log.begin().unwrap();
        batch.set_resume_value(&feed("a"), "v2").unwrap();
        batch.commit().unwrap();
        fixture.log.set_streams([(&feed("a"), url, &by("since", "id"))]).unwrap();
        assert_eq!(value(&fixture), expected, "{url}");
    }
}

#[test]
fn ignored_events_that_go_take_their_marks_along() {
    let mut fixture = Fixture::new();
    let ignored = crate::policy::Outcome::Ignored;
    let mut batch = fixture.log.begin().unwrap();
    for number in 0..=super::super::IGNORED_KEPT {
        let event = Event { data: number.to_string(), outcome: ignored, ..Event::default() };
        event.append_with(&mut batch, Some("v"));
    }
    batch.commit().unwrap();
    let marks: u32 =
        fixture.log.connection.query_row("SELECT count(*) FROM resumable", [], |row| row.get(0)).unwrap();
    assert_eq!(marks, super::super::IGNORED_KEPT);
}

/// A log as the first version made it, with one event.
fn first_version(path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch(include_str!("../schema_1.sql")).unwrap();
    db.execute_batch(
        "INSERT INTO feed (id, last_event_id, url_hash, events) VALUES ('a', '7', NULL, 1);
         INSERT INTO event_type (name) VALUES ('message');
         INSERT INTO event (feed, type, outcome, received_at, clock, content_hash, last_event_id, origin, reason_code,
             reason_detail, urgency, title, body, data)
             VALUES (1, 1, 2, 1000, 1000, 0, '7', 'https://example.org', 'default', '', 1, 'title', '', 'data');
         PRAGMA user_version = 1;",
    )
    .unwrap();
}

#[test]
fn a_log_of_the_first_version_is_taken_over_with_all_that_is_in_it() {
    let mut fixture = Fixture::new();
    let path = fixture.folder.path().join("old.db");
    first_version(&path);
    fixture.log = EventLog::open(&path).unwrap();
    assert_eq!(fixture.seqs(&Query::default()), [1]);
    assert_eq!(fixture.log.last_event_id(&feed("a")).unwrap(), "7");
    assert_eq!(fixture.log.resume_value(&feed("a")).unwrap(), "");
    fixture.log.set_streams([(&feed("a"), "http://one/", &by("since", "id"))]).unwrap();
    assert_eq!(fixture.log.last_event_id(&feed("a")).unwrap(), "7");
    assert_eq!(fixture.append(&[Event::default()]), [2]);
    let version: i64 =
        fixture.log.connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, schema::VERSION);
}
