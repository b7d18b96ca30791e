//! What is deleted, taken back, and swept away.

use jiff::{SignedDuration, Timestamp};

use super::{Event, Fixture, feed};
use crate::{
    event_log::{Query, ReadMark, Record, Retention, SWEPT, deletion::KEPT_BYTES},
    policy::Outcome::{Held, Ignored, Logged, Pending, Shown, Summarized},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// All that the log has, by all its ways.
fn all(fixture: &Fixture) -> (Vec<Record>, Vec<Vec<u64>>, Vec<crate::event_log::Counts>) {
    let of = |query: Query| fixture.seqs(&query);
    let search = || Some("data".to_owned());
    let lists = vec![
        of(Query::default()),
        of(Query { held_back: true, ..Query::default() }),
        of(Query { unread: true, ..Query::default() }),
        of(Query { search: search(), ..Query::default() }),
        of(Query { search: search(), unread: true, ..Query::default() }),
        of(Query { search: search(), held_back: true, ..Query::default() }),
        of(Query { summary: Some(3), ..Query::default() }),
        fixture.log.pending(100).unwrap().into_iter().map(|pending| pending.seq).collect(),
    ];
    let mut seqs = [lists[0].clone(), lists[1].clone()].concat();
    seqs.sort_unstable();
    seqs.dedup();
    let records = seqs.iter().map(|seq| fixture.log.reader().get(*seq).unwrap().unwrap()).collect();
    (records, lists, ["a", "b"].map(|id| fixture.log.counts(&feed(id)).unwrap()).to_vec())
}

#[test]
fn what_is_deleted_is_nowhere_and_what_is_restored_is_as_before() {
    let mut fixture = Fixture::new();
    let event = |id, outcome| Event { id, outcome, ..Event::default() };
    fixture.append(&[
        event("1", Shown),
        event("2", Logged),
        event("3", Pending),
        event("4", Pending),
        event("5", Held),
        event("6", Ignored),
        Event { feed: "b", ..event("7", Shown) },
        event("8", Pending),
    ]);
    let mut batch = fixture.log.begin().unwrap();
    event("9", Shown).append_with(&mut batch, Some("place"));
    batch.commit().unwrap();
    fixture.log.mark_handed_over(&[3, 4], Some(3)).unwrap();
    fixture.log.mark_read(&ReadMark::Events(vec![7, 3]), true).unwrap();
    let before = all(&fixture);
    assert_eq!(
        fixture.log.delete(&[2, 3, 5, 6, 7, 8, 9, 77, u64::MAX], at(0)).unwrap(),
        [2, 3, 5, 6, 7, 8, 9]
    );
    let (records, lists, counts) = all(&fixture);
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(lists[..4], [vec![4, 1], vec![], vec![4, 1], vec![4, 1]]);
    assert_eq!(lists[6..], [vec![4], vec![]]);
    assert_eq!((counts[0].events, counts[0].unread, counts[1].events, counts[1].unread), (2, 2, 0, 0));
    assert_eq!((counts[0].ignored, fixture.log.last_event_id(&feed("a")).unwrap().as_str()), (1, "9"));

    assert_eq!(fixture.append(&[event("10", Shown)]), [10], "no number is used twice");
    fixture.log.delete(&[10], at(1)).unwrap();
    assert_eq!(fixture.log.restore(&[9, 8, 7, 6, 5, 3, 2, 1, 77], at(2)).unwrap(), [2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(all(&fixture), {
        let mut expected = before;
        expected.2[0].last_event_at = fixture.log.counts(&feed("a")).unwrap().last_event_at;
        expected
    });
    assert_eq!(fixture.log.restore(&[2], at(2)).unwrap(), [0; 0], "only once");
}

#[test]
fn the_latest_twenty_deletions_can_be_taken_back_for_an_hour() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&vec![Event::default(); 30]);
    for (second, seq) in (0..).zip(&seqs[..25]) {
        fixture.log.delete(&[*seq], at(second)).unwrap();
    }
    assert_eq!(fixture.log.restore(&seqs[..5], at(30)).unwrap(), [0; 0]);
    assert_eq!(fixture.log.restore(&seqs[5..6], at(30)).unwrap(), seqs[5..6]);
    assert_eq!(fixture.log.restore(&seqs[..], at(3600 + 9)).unwrap(), seqs[10..25]);
    fixture.log.delete(&seqs[29..], at(100)).unwrap();
    fixture.log.forget_old_deletions(at(100 + 3600)).unwrap();
    let left: i64 = fixture
        .log
        .connection
        .query_row("SELECT count(*) FROM temp.trash_event", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
    assert_eq!(fixture.log.restore(&seqs[29..], at(100)).unwrap(), [0; 0]);
    // A log that is opened again knows of none.
    fixture.log.delete(&seqs[28..29], at(0)).unwrap();
    fixture.log = crate::event_log::EventLog::open(&fixture.folder.path().join("events.db")).unwrap();
    assert_eq!(fixture.log.restore(&seqs[28..29], at(0)).unwrap(), [0; 0]);
}

#[test]
fn large_deletions_can_be_taken_back_as_far_as_there_is_room_for_them() {
    let mut fixture = Fixture::new();
    let data = "x".repeat(usize::try_from(KEPT_BYTES).unwrap() / 4);
    let seqs = fixture.append(&vec![Event { data, ..Event::default() }; 13]);
    for (second, deleted) in (0..).zip([&seqs[..2], &seqs[2..4], &seqs[4..5]]) {
        fixture.log.delete(deleted, at(second)).unwrap();
    }
    assert_eq!(fixture.log.restore(&seqs, at(9)).unwrap(), seqs[2..5]);
    fixture.log.delete(&seqs[5..], at(10)).unwrap();
    assert_eq!(fixture.log.restore(&seqs, at(11)).unwrap(), seqs[5..], "the newest, however large");
}

#[test]
fn a_deleted_event_is_still_known_as_a_repeat() {
    let mut fixture = Fixture::new();
    let event = |id| Event { id, ..Event::default() };
    let seqs = fixture.append(&[event("1"), event("")]);
    let mut batch = fixture.log.begin().unwrap();
    let placed = Event { data: "place 5".into(), ..event("") };
    let by_place = placed.append_with(&mut batch, Some("5"));
    batch.commit().unwrap();
    fixture.log.delete(&[seqs[0], seqs[1], by_place], at(0)).unwrap();
    let known = |fixture: &mut Fixture, event: &Event| {
        let batch = fixture.log.begin().unwrap();
        let message = event.message();
        [batch.is_logged(&feed(event.feed), &message), batch.is_resumable_logged(&feed(event.feed), &message)]
            .map(Result::unwrap)
    };
    assert_eq!(known(&mut fixture, &event("1")), [true, false]);
    assert_eq!(known(&mut fixture, &placed), [false, true]);
    for other in
        [event("2"), event(""), Event { data: "x".into(), ..event("1") }, Event { feed: "b", ..event("1") }]
    {
        assert_eq!(known(&mut fixture, &other), [false, false], "{other:?}");
    }
    assert_eq!(known(&mut fixture, &Event { kind: "alert", ..event("1") }), [false, false]);
}

#[test]
fn times_stay_in_order_when_the_newest_event_is_deleted_and_comes_back() {
    let mut fixture = Fixture::new();
    let ahead = fixture.append(&[Event { at: 90, ..Event::default() }]);
    fixture.log.delete(&ahead, at(0)).unwrap();
    let later = fixture.append(&[Event { at: 50, ..Event::default() }]);
    fixture.log.restore(&ahead, at(0)).unwrap();
    let since = |at| Query { since: Some(Timestamp::from_millisecond(at).unwrap()), ..Query::default() };
    assert_eq!(fixture.seqs(&since(60)), ahead);
    assert_eq!(fixture.seqs(&since(50)), [later[0], ahead[0]]);
}

#[test]
fn a_sweep_takes_the_oldest_by_days_and_by_number_but_not_what_waits() {
    const DAY: i64 = 24 * 3600;
    let mut fixture = Fixture::new();
    let on = |day: i64, outcome| Event { at: day * DAY * 1000, outcome, ..Event::default() };
    let mut seqs =
        fixture.append(&[on(0, Pending), on(0, Shown), on(0, Held), on(0, Ignored), on(1, Logged)]);
    seqs.extend(fixture.append(&[on(2, Shown), on(3, Summarized)]));
    let size = fixture.log.size().unwrap();
    assert_eq!((size.events, size.oldest_at), (6, Some(at(0))));
    assert!(size.bytes > 4096);
    let left = |fixture: &Fixture| {
        let mut left = fixture.seqs(&Query::default());
        left.extend(fixture.seqs(&Query { outcomes: Some(vec![Ignored]), ..Query::default() }));
        left.sort_unstable();
        left
    };
    let now = at(3 * DAY);
    let sweep = |fixture: &mut Fixture, retention, now| while fixture.log.sweep(retention, now).unwrap() {};
    sweep(&mut fixture, Retention::default(), now);
    assert_eq!(left(&fixture), seqs);
    let retention = Retention { days: Some(2), events: None };
    sweep(&mut fixture, retention, now);
    assert_eq!(left(&fixture), [&[1, 3], &seqs[4..]].concat());
    sweep(&mut fixture, retention, now + SignedDuration::from_secs(1));
    assert_eq!(left(&fixture), [&[1, 3], &seqs[5..]].concat());
    let retention = Retention { days: Some(30), events: Some(3) };
    sweep(&mut fixture, retention, now);
    assert_eq!(left(&fixture), [1, 3, 6, 7]);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().events, 4);
    assert_eq!(fixture.log.restore(&seqs, now).unwrap(), [0; 0], "nobody deleted them");

    let many = SWEPT as usize + 10;
    fixture.append(&vec![on(4, Shown); many]);
    let retention = Retention { days: None, events: Some(2) };
    assert!(fixture.log.sweep(retention, now).unwrap());
    assert_eq!(left(&fixture).len(), 4 + many - SWEPT as usize, "one group at a time");
    sweep(&mut fixture, retention, now);
    assert_eq!(left(&fixture).len(), 4, "what waits stays beside the newest");
}

#[test]
fn the_newest_stay_however_many_wait() {
    let mut fixture = Fixture::new();
    let with = |outcome| Event { outcome, ..Event::default() };
    let old = fixture.append(&vec![with(Shown); 3]);
    let waiting = fixture.append(&vec![with(Pending); SWEPT as usize + 3]);
    let new = fixture.append(&vec![with(Shown); 5]);
    let retention = Retention { days: None, events: Some(5) };
    while fixture.log.sweep(retention, at(0)).unwrap() {}
    let kept =
        |seqs: &[u64]| seqs.iter().filter(|seq| fixture.log.reader().get(**seq).unwrap().is_some()).count();
    assert_eq!((kept(&old), kept(&waiting), kept(&new)), (0, waiting.len(), new.len()));
}

#[test]
fn a_deletion_of_nothing_forgets_none() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&vec![Event::default(); 20]);
    for seq in &seqs {
        fixture.log.delete(&[*seq], at(0)).unwrap();
    }
    fixture.log.delete(&[77], at(1)).unwrap();
    assert_eq!(fixture.log.restore(&seqs, at(2)).unwrap(), seqs);
}
