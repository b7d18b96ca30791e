//! What waits for its popup: taken back, released, set aside, told together.

use jiff::Timestamp;

use super::{Fixture, feed, marks::with};
use crate::{
    event_log::{NewEvent, Query, ReadMark, SetAside},
    notification::Notification,
    policy::{
        Outcome::{self, Held, Logged, Pending, Shown, Summarized},
        OutcomeReason,
    },
};

/// Events of feed "a" with this key, of which each has the outcome; their numbers.
fn with_key(fixture: &mut Fixture, key: &str, outcomes: &[Outcome]) -> Vec<u64> {
    let mut batch = fixture.log.begin().unwrap();
    let append = |outcome: &Outcome| {
        let message = crate::event_source::Message {
            event_type: "message".to_owned(),
            data: "marmot".to_owned(),
            last_event_id: String::new(),
        };
        let notification = Notification { key: Some(key.to_owned()), ..Notification::default() };
        let new = NewEvent {
            message: &message,
            origin: "",
            received_at: Timestamp::UNIX_EPOCH,
            outcome: *outcome,
            reason: &OutcomeReason::new(OutcomeReason::RULE),
            notification: &notification,
            urgent: false,
        };
        batch.append(&feed("a"), &new, None).unwrap()
    };
    let seqs = outcomes.iter().map(append).collect();
    batch.commit().unwrap();
    seqs
}

fn codes(fixture: &Fixture, seqs: &[u64]) -> Vec<(Outcome, String)> {
    let record = |seq: &u64| fixture.log.reader().get(*seq).unwrap().unwrap();
    seqs.iter().map(record).map(|record| (record.outcome, record.reason.code.into_owned())).collect()
}

#[test]
fn what_was_not_shown_yet_can_be_taken_back_and_is_found_as_held_back() {
    let mut fixture = Fixture::new();
    let seqs = with_key(&mut fixture, "k", &[Shown, Pending, Held, Logged, Pending]);
    let other = with_key(&mut fixture, "other", &[Pending]);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().unread, 5);
    assert_eq!(fixture.log.held().unwrap(), [(feed("a"), 1)]);

    let mut batch = fixture.log.begin().unwrap();
    // The last one is with the notification server already.
    let taken = batch.take_back(&feed("a"), "k", OutcomeReason::REPLACED, &seqs[4..]).unwrap();
    assert_eq!(taken, seqs[1..3]);
    assert!(batch.take_back(&feed("b"), "k", OutcomeReason::REPLACED, &[]).unwrap().is_empty());
    batch.commit().unwrap();
    let expected =
        [(Shown, "rule"), (Logged, "replaced"), (Logged, "replaced"), (Logged, "rule"), (Pending, "rule")];
    assert_eq!(codes(&fixture, &seqs), expected.map(|(outcome, code)| (outcome, code.to_owned())));
    assert_eq!(codes(&fixture, &other), [(Pending, "rule".to_owned())]);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().unread, 3);
    assert!(fixture.log.held().unwrap().is_empty());
    let held_back = [other[0], seqs[4], seqs[3], seqs[2], seqs[1]];
    assert_eq!(fixture.seqs(&Query { held_back: true, ..Query::default() }), held_back);
    let search = Some("marmot".to_owned());
    assert_eq!(fixture.seqs(&Query { held_back: true, search, ..Query::default() }), held_back);
}

#[test]
fn what_a_key_has_told_can_be_read_at_once() {
    let mut fixture = Fixture::new();
    with_key(&mut fixture, "k", &[Shown, Summarized, Logged]);
    let other = with_key(&mut fixture, "other", &[Shown]);
    let mut batch = fixture.log.begin().unwrap();
    batch.mark_key_read(&feed("a"), "k").unwrap();
    batch.commit().unwrap();
    assert_eq!(fixture.seqs(&Query { unread: true, ..Query::default() }), other);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().unread, 1);
    // What is unread again is known by its key again.
    fixture.log.mark_read(&ReadMark::All, true).unwrap();
    fixture.log.mark_read(&ReadMark::Feed(feed("a")), false).unwrap();
    let mut batch = fixture.log.begin().unwrap();
    batch.mark_key_read(&feed("a"), "k").unwrap();
    batch.commit().unwrap();
    assert_eq!(fixture.seqs(&Query { unread: true, ..Query::default() }), other);
}

#[test]
fn what_is_held_becomes_pending_unless_it_was_read_and_can_be_set_aside_again() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&with(&[Held, Held, Held, Pending]));
    fixture.log.mark_read(&ReadMark::Events(vec![seqs[1]]), true).unwrap();
    fixture.log.release(&[feed("b")]).unwrap();
    assert_eq!(fixture.log.held().unwrap(), [(feed("a"), 3)]);
    fixture.log.release(&[feed("a")]).unwrap();
    assert!(fixture.log.held().unwrap().is_empty());
    let outcomes =
        |fixture: &Fixture| codes(fixture, &seqs).into_iter().map(|(outcome, _)| outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(&fixture), [Pending, Logged, Pending, Pending]);

    let until = Some(Timestamp::UNIX_EPOCH);
    let aside = |seq, outcome, code, until| SetAside { seq, outcome, code, until };
    fixture
        .log
        .set_aside(&[
            aside(seqs[0], Held, Some(OutcomeReason::SNOOZED), until),
            aside(seqs[1], Held, Some(OutcomeReason::SNOOZED), until),
            aside(seqs[2], Logged, Some(OutcomeReason::MUTED), None),
            aside(seqs[3], Logged, None, None),
        ])
        .unwrap();
    assert_eq!(outcomes(&fixture), [Held, Logged, Logged, Logged], "only what is pending");
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().unread, 1);
    let reason = fixture.log.reader().get(seqs[0]).unwrap().unwrap().reason;
    assert_eq!((&*reason.code, &*reason.detail), (OutcomeReason::SNOOZED, "1970-01-01T00:00:00Z"));
    let reason = |seq| fixture.log.reader().get(seq).unwrap().unwrap().reason;
    assert_eq!((&*reason(seqs[2]).code, &*reason(seqs[2]).detail), (OutcomeReason::MUTED, ""));
    assert_eq!((&*reason(seqs[3]).code, &*reason(seqs[3]).detail), ("rule", "why"), "no news");
}

#[test]
fn events_that_one_popup_told_of_are_found_and_read_by_its_number() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&with(&[Pending, Pending, Pending, Shown]));
    fixture.log.mark_handed_over(&seqs[1..3], Some(seqs[1])).unwrap();
    fixture.log.mark_handed_over(&seqs[..1], Some(seqs[1])).unwrap();
    let summary = Some(seqs[1]);
    assert_eq!(fixture.seqs(&Query { summary, ..Query::default() }), [seqs[2], seqs[1], seqs[0]]);
    let before = Some(seqs[2]);
    assert_eq!(fixture.seqs(&Query { summary, before, ..Query::default() }), [seqs[1], seqs[0]]);
    let search = Some("nothing".to_owned());
    assert!(fixture.seqs(&Query { summary, search, ..Query::default() }).is_empty());
    fixture.log.mark_read(&ReadMark::Summary(seqs[1]), true).unwrap();
    assert_eq!(fixture.seqs(&Query { unread: true, ..Query::default() }), [seqs[3]]);
    assert!(fixture.seqs(&Query { summary, unread: true, ..Query::default() }).is_empty());
}
