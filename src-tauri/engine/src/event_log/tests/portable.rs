//! What comes from another log.

use super::{Event, Fixture, feed};
use crate::{
    event_log::{Importing, PortableEvent, PortableFeed, Query},
    resume::Resume,
};

fn import(fixture: &mut Fixture, pieces: &[&[PortableEvent]]) -> usize {
    let (mut importing, mut appended) = (Importing::default(), 0);
    for piece in pieces {
        let mut batch = fixture.log.begin().unwrap();
        for event in *piece {
            appended += usize::from(batch.import(event, &mut importing).unwrap());
        }
        batch.commit().unwrap();
    }
    appended
}

fn exported(events: &[Event]) -> Vec<PortableEvent> {
    let mut fixture = Fixture::new();
    fixture.append(events);
    fixture.log.reader().portable_events(0).unwrap()
}

#[test]
fn what_was_imported_into_a_log_with_events_does_not_come_twice() {
    // The last two are equal, and yet are two.
    let at = |at, id| Event { at, id, ..Event::default() };
    let other = exported(&[
        at(1_000, ""),
        at(2_000, "1"),
        at(2_000, ""),
        at(9_000, ""),
        at(9_500, ""),
        at(9_500, ""),
    ]);
    let mut fixture = Fixture::new();
    let local = |at| Event { at, data: "local".into(), ..Event::default() };
    fixture.append(&[local(5_000), local(5_001), local(5_002), local(5_003), local(9_000)]);
    assert_eq!(import(&mut fixture, &[&other[..2], &other[2..]]), 6);
    fixture.append(&[local(9_500), local(20_000)]);
    assert_eq!(import(&mut fixture, &[&other]), 0);
    assert_eq!(fixture.seqs(&Query::default()).len(), 13);
    // One that came live on both machines.
    let mut both = Fixture::new();
    both.append(&[local(1), at(2_000, "1"), at(9_500, "")]);
    assert_eq!(import(&mut both, &[&other]), 3);
}

#[test]
fn what_no_popup_could_say_is_made_fit_and_a_time_to_come_does_not_set_the_clock() {
    let mut other = exported(&[Event::default()]);
    other[0].title = "a\u{1b}[31m\nb\u{202e}".into();
    other[0].url = Some("javascript:alert(1)".into());
    other[0].received_at = "2200-01-01T00:00:00Z".parse().unwrap();
    let mut fixture = Fixture::new();
    assert_eq!(import(&mut fixture, &[&other]), 1);
    let record = fixture.log.reader().get(1).unwrap().unwrap();
    assert_eq!((&*record.notification.title, record.notification.url), ("a b", None));
    let clock: i64 =
        fixture.log.connection.query_row("SELECT clock FROM event", [], |row| row.get(0)).unwrap();
    assert!(clock <= jiff::Timestamp::now().as_millisecond());

    let sound = &exported(&[Event::default()])[0];
    assert!(sound.is_sound());
    for change in [
        |event: &mut PortableEvent| event.data = "x".repeat((1 << 20) + 1),
        |event: &mut PortableEvent| event.event = "x".repeat((64 << 10) + 1),
        |event: &mut PortableEvent| event.reason.code = "a\u{1b}".into(),
    ] {
        let mut event = sound.clone();
        change(&mut event);
        assert!(!event.is_sound());
    }
}

#[test]
fn a_feed_that_has_gone_on_keeps_its_place() {
    let mut fixture = Fixture::new();
    let import = |fixture: &mut Fixture, id: &str, at: i64| {
        let last_event_at = Some(jiff::Timestamp::from_millisecond(at).unwrap());
        let other = PortableFeed {
            id: "a".into(),
            last_event_id: id.into(),
            resume_value: String::new(),
            repeats: 0,
            ignored: 0,
            last_event_at,
        };
        assert!(other.is_sound());
        assert!(!PortableFeed { id: "../a".into(), ..other.clone() }.is_sound());
        fixture.log.import_feeds(&[other]).unwrap();
        fixture.log.last_event_id(&feed("a")).unwrap()
    };
    fixture.log.set_streams([(&feed("a"), "https://example.org/", &Resume::Header)]).unwrap();
    assert_eq!(import(&mut fixture, "5", 5_000), "5", "none here");
    fixture.append(&[Event { id: "7", at: 7_000, ..Event::default() }]);
    assert_eq!(import(&mut fixture, "5", 5_000), "7", "older");
    assert_eq!(import(&mut fixture, "", 9_000), "7", "none there");
    assert_eq!(import(&mut fixture, "9", 9_000), "9", "newer");
}
