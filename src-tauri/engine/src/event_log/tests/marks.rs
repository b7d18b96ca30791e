//! What changes after an event is logged: outcomes, read marks, and the counts of both.

use proptest::prelude::*;

use super::{Event, Fixture, feed};
use crate::{
    event_log::{Counts, IGNORED_KEPT, Query, ReadMark},
    policy::Outcome::{self, Closed, Held, Ignored, Logged, Pending, Shown, Summarized},
};

pub(super) fn with(outcomes: &[Outcome]) -> Vec<Event> {
    outcomes.iter().map(|outcome| Event { outcome: *outcome, ..Event::default() }).collect()
}

#[test]
fn pending_events_are_handed_over_once() {
    let mut fixture = Fixture::new();
    let seqs = fixture.append(&with(&[Pending, Logged, Pending, Pending, Shown]));
    let pending = |fixture: &Fixture, limit| {
        fixture.log.pending(limit).unwrap().iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(pending(&fixture, 9), [seqs[0], seqs[2], seqs[3]]);
    assert_eq!(pending(&fixture, 2), [seqs[0], seqs[2]]);

    fixture.log.mark_handed_over(&[seqs[0], seqs[1], 999, u64::MAX], None).unwrap();
    fixture.log.mark_handed_over(&[seqs[2]], Some(seqs[2])).unwrap();
    assert_eq!(pending(&fixture, 9), [seqs[3]]);
    let outcome = |seq| fixture.log.reader().get(seq).unwrap().unwrap().outcome;
    assert_eq!([seqs[0], seqs[1], seqs[2]].map(outcome), [Shown, Logged, Summarized]);
    assert_eq!(fixture.log.counts(&feed("a")).unwrap().unread, 4);
}

#[test]
fn read_marks_change_the_counts_of_their_feeds() {
    let mut fixture = Fixture::new();
    let mut seqs = fixture.append(&with(&[Shown, Pending, Logged, Closed, Ignored]));
    seqs.extend(fixture.append(&[Event { feed: "b", ..Event::default() }]));
    let unread = |fixture: &Fixture| fixture.seqs(&Query { unread: true, ..Query::default() });
    let (a, b) = (vec![feed("a")], vec![feed("b")]);
    let both = [a.clone(), b.clone()].concat();
    let events = |seqs: &[u64]| ReadMark::Events(seqs.to_vec());
    for (which, read, changed, left) in [
        (events(&[seqs[0], 999, u64::MAX]), true, &a, vec![seqs[5], seqs[1]]),
        (events(&[seqs[0]]), true, &vec![], vec![seqs[5], seqs[1]]),
        (events(&[seqs[0], seqs[2], seqs[3], seqs[4]]), false, &a, vec![seqs[5], seqs[1], seqs[0]]),
        (ReadMark::Feed(feed("a")), true, &a, vec![seqs[5]]),
        (ReadMark::Feed(feed("nobody")), true, &vec![], vec![seqs[5]]),
        (ReadMark::All, true, &b, vec![]),
        (ReadMark::All, true, &vec![], vec![]),
        (ReadMark::Feed(feed("b")), false, &b, vec![seqs[5]]),
        (ReadMark::All, false, &a, vec![seqs[5], seqs[1], seqs[0]]),
        (ReadMark::All, true, &both, vec![]),
    ] {
        assert_eq!(&fixture.log.mark_read(&which, read).unwrap(), changed, "{which:?} {read}");
        assert_eq!(unread(&fixture), left, "{which:?} {read}");
    }
    assert!(fixture.log.reader().get(seqs[0]).unwrap().unwrap().read);
}

#[test]
fn the_newest_ignored_events_stay() {
    let mut fixture = Fixture::new();
    let kept = IGNORED_KEPT as usize;
    let other = fixture.append(&[Event { feed: "b", outcome: Ignored, ..Event::default() }]);
    let mut ignored = fixture.append(&with(&[Ignored]));
    let shown = fixture.append(&with(&[Shown]));
    for _ in 0..5 {
        ignored.extend(fixture.append(&with(&vec![Ignored; kept / 4])));
    }
    let mut expected: Vec<u64> = ignored[ignored.len() - kept..].to_vec();
    expected.reverse();
    let held = Query { held_back: true, feed: Some(feed("a")), ..Query::default() };
    assert_eq!(fixture.seqs(&held), expected);
    assert_eq!(
        fixture.seqs(&Query { search: Some("data".into()), ..held }),
        expected,
        "in the index of words, too"
    );
    assert_eq!(fixture.seqs(&Query { held_back: true, feed: Some(feed("b")), ..Query::default() }), other);
    assert_eq!(fixture.seqs(&Query::default()), shown);
    let counts = fixture.log.counts(&feed("a")).unwrap();
    assert_eq!((counts.events, counts.unread, counts.ignored), (1, 1, ignored.len() as u64));
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(bool, Outcome)>, bool),
    HandOver(u64, bool),
    Read(ReadMark, bool),
    Repeat(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop::sample::select(vec![Shown, Pending, Summarized, Logged, Ignored, Closed, Held]);
    let mark = prop_oneof![
        prop::collection::vec(0..40_u64, 0..5).prop_map(ReadMark::Events),
        prop::bool::ANY.prop_map(|a| ReadMark::Feed(feed(if a { "a" } else { "b" }))),
        Just(ReadMark::All),
    ];
    let step = prop_oneof![
        3 => (prop::collection::vec((prop::bool::ANY, outcome), 0..6), prop::bool::weighted(0.8))
            .prop_map(|(events, commit)| Step::Append(events, commit)),
        1 => (0..40_u64, prop::bool::ANY).prop_map(|(seq, shown)| Step::HandOver(seq, shown)),
        2 => (mark, prop::bool::ANY).prop_map(|(mark, read)| Step::Read(mark, read)),
        1 => prop::bool::ANY.prop_map(Step::Repeat),
    ];
    prop::collection::vec(step, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_equal_a_recount(steps in steps()) {
        let mut fixture = Fixture::new();
        let mut repeats = [0, 0];
        for step in steps {
            let before = counts(&fixture);
            let changed = match step {
                Step::Append(events, commit) => {
                    let mut batch = fixture.log.begin().unwrap();
                    for (a, outcome) in events {
                        let feed = if a { "a" } else { "b" };
                        Event { feed, outcome, ..Event::default() }.append(&mut batch);
                    }
                    if commit { batch.commit().unwrap() }
                    None
                }
                Step::HandOver(seq, shown) => {
                    fixture.log.mark_handed_over(&[seq], (!shown).then_some(seq)).unwrap();
                    None
                }
                Step::Read(mark, read) => Some(fixture.log.mark_read(&mark, read).unwrap()),
                Step::Repeat(a) => {
                    repeats[usize::from(!a)] += 1;
                    let mut batch = fixture.log.begin().unwrap();
                    batch.count_repeat(&feed(if a { "a" } else { "b" }), "id").unwrap();
                    batch.commit().unwrap();
                    None
                }
            };
            let after = counts(&fixture);
            if let Some(changed) = changed {
                let differ = |index: usize| before[index].unread != after[index].unread;
                prop_assert_eq!([differ(0), differ(1)], ["a", "b"].map(|id| changed.contains(&feed(id))));
            }
            prop_assert_eq!(recount(&fixture, repeats), after);
        }
    }
}

fn counts(fixture: &Fixture) -> [Counts; 2] {
    ["a", "b"].map(|id| fixture.log.counts(&feed(id)).unwrap())
}

fn recount(fixture: &Fixture, repeats: [u64; 2]) -> [Counts; 2] {
    [("a", repeats[0]), ("b", repeats[1])].map(|(id, repeats)| {
        let of = |query| fixture.seqs(&Query { feed: Some(feed(id)), ..query });
        let all = of(Query::default());
        let held = of(Query { held_back: true, ..Query::default() });
        let record = |seq: &u64| fixture.log.reader().get(*seq).unwrap().unwrap();
        let newest = all.iter().chain(&held).max();
        Counts {
            events: all.len() as u64,
            unread: of(Query { unread: true, ..Query::default() }).len() as u64,
            repeats,
            ignored: held.iter().filter(|seq| record(seq).outcome == Ignored).count() as u64,
            last_event_at: newest.map(|seq| record(seq).received_at),
        }
    })
}
