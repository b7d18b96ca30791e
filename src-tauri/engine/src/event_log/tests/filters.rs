//! Filters by outcome and time together with all others, and the index that tells where their events are.

use jiff::{Timestamp, civil::date, tz::TimeZone};
use proptest::{prelude::*, sample::subsequence};

use super::{Event, Fixture, all_pages, feed};
use crate::{
    event_log::{MAX_TYPES, Query},
    policy::Outcome::{self, Closed, Held, Ignored, Logged, Pending, Shown, Summarized},
};

const OUTCOMES: [Outcome; 7] = [Shown, Pending, Summarized, Logged, Ignored, Closed, Held];

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0..2_usize, 0..2_usize, 0..2_usize, prop::sample::select(OUTCOMES.to_vec()), 0..40_i64);
    let events = prop::collection::vec(event, 0..60);
    // Mostly in the order of time, as a clock goes, now and then not.
    (events, prop::bool::weighted(0.7)).prop_map(|(mut events, in_order)| {
        if in_order {
            events.sort_by_key(|event| event.4);
        }
        let event = |(feed, kind, data, outcome, hour): (usize, usize, usize, Outcome, i64)| Event {
            feed: ["a", "b"][feed],
            kind: ["message", "alert"][kind],
            data: ["disk full", "磁盘已满"][data].into(),
            outcome,
            at: hour * 3_600_000,
            ..Event::default()
        };
        events.into_iter().map(event).collect()
    })
}

fn queries() -> impl Strategy<Value = Query> {
    let time = || prop::option::of((0..42_i64).prop_map(|hour| Timestamp::from_second(hour * 3600).unwrap()));
    let outcomes = prop::option::of(subsequence(OUTCOMES.to_vec(), 0..=3));
    let search = prop::sample::select(vec![None, Some("full"), Some("盘已"), Some("none of it")]);
    let bits = (
        prop::option::of(prop::bool::ANY),
        prop::bool::ANY,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    );
    (bits, outcomes, search, time(), time()).prop_map(
        |((of_a, kind, unread, held_back), outcomes, search, since, until)| Query {
            feed: of_a.map(|a| feed(if a { "a" } else { "b" })),
            event: kind.then(|| "alert".into()),
            search: search.map(Into::into),
            unread,
            held_back,
            outcomes,
            since,
            until,
            limit: 3,
            ..Query::default()
        },
    )
}

fn fits(event: &Event, query: &Query) -> bool {
    let told = matches!(event.outcome, Shown | Pending | Summarized | Held);
    let named = query.outcomes.as_ref().is_some_and(|outcomes| outcomes.contains(&event.outcome));
    let at = Timestamp::from_millisecond(event.at).unwrap();
    query.feed.as_ref().is_none_or(|id| id.as_str() == event.feed)
        && query.event.as_ref().is_none_or(|kind| kind == event.kind)
        && query.search.as_ref().is_none_or(|text| event.data.contains(text))
        && (!query.unread || told)
        && (!query.held_back || matches!(event.outcome, Logged | Ignored | Pending | Held))
        && (query.outcomes.is_none() || named)
        && (event.outcome != Ignored || query.held_back || named)
        && query.since.is_none_or(|since| at >= since)
        && query.until.is_none_or(|until| at < until)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_filter_finds_its_events_and_the_index_their_places(
        events in events(),
        queries in prop::collection::vec(queries(), 24),
        step in 1..9_u32,
    ) {
        let mut fixture = Fixture::new();
        let seqs = fixture.append(&events);
        for query in queries {
            let newest = std::iter::zip(&seqs, &events).rev();
            let expected: Vec<u64> = newest.filter(|(_, event)| fits(event, &query)).map(|(seq, _)| *seq).collect();
            prop_assert_eq!(&all_pages(&fixture, &query), &expected, "{:?}", query);
            let index = fixture.log.reader().index(&query, step, &TimeZone::UTC).unwrap();
            let marks: Vec<u64> = expected.iter().step_by(step as usize).copied().collect();
            prop_assert_eq!((index.count, index.marks), (expected.len() as u64, marks), "{:?}", query);
            // The days of the log's clock, which never goes back.
            let mut days = Vec::new();
            for (place, seq) in (0..).zip(&expected) {
                let before = std::iter::zip(&seqs, &events).take_while(|(other, _)| *other <= seq);
                let clock = before.map(|(_, event)| event.at).max().unwrap();
                let day = Timestamp::from_millisecond(clock).unwrap().to_zoned(TimeZone::UTC).date();
                if days.last().is_none_or(|(last, _)| *last != day) {
                    days.push((day, place));
                }
            }
            prop_assert_eq!(index.days, days, "{:?}", query);
        }
    }
}

#[test]
fn days_are_those_of_the_time_zone() {
    let mut fixture = Fixture::new();
    let at = |time: &str| time.parse::<Timestamp>().unwrap().as_millisecond();
    // The day on which summer time ends has 25 hours.
    let times =
        ["2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"];
    fixture.append(&times.map(|time| Event { at: at(time), ..Event::default() }));
    let days = |zone: &str| {
        let zone = TimeZone::get(zone).unwrap();
        fixture.log.reader().index(&Query::default(), 200, &zone).unwrap().days
    };
    assert_eq!(
        days("Europe/Berlin"),
        [(date(2026, 10, 26), 0), (date(2026, 10, 25), 1), (date(2026, 10, 24), 3)]
    );
    assert_eq!(days("Asia/Shanghai"), [(date(2026, 10, 26), 0), (date(2026, 10, 25), 2)]);
}

#[test]
fn a_rare_type_or_outcome_is_found_among_very_many() {
    let mut fixture = Fixture::new();
    let mut expected = Vec::new();
    for round in 0..3 {
        fixture.append(&vec![
            Event {
                kind: "usual",
                outcome: [Shown, Logged, Shown][round],
                ..Event::default()
            };
            1500
        ]);
        expected.extend(fixture.append(&[Event { kind: "rare", outcome: Summarized, ..Event::default() }]));
        fixture.append(&[Event { kind: "rare", outcome: Shown, ..Event::default() }]);
    }
    expected.reverse();
    for (event, search, unread) in [
        (None, None, false),
        (Some("rare"), None, false),
        (None, Some("data"), false),
        (Some("rare"), Some("data"), true),
    ] {
        let query = Query {
            event: event.map(Into::into),
            search: search.map(Into::into),
            unread,
            outcomes: Some(vec![Summarized]),
            ..Query::default()
        };
        assert_eq!(fixture.seqs(&query), expected, "{query:?}");
        assert_eq!(
            fixture.log.reader().index(&query, 1, &TimeZone::UTC).unwrap().marks,
            expected,
            "{query:?}"
        );
    }
    let unread =
        Query { unread: true, outcomes: Some(vec![Shown]), event: Some("usual".into()), ..Query::default() };
    assert_eq!(all_pages(&fixture, &Query { limit: 1000, ..unread }).len(), 3000);
}

#[test]
fn types_are_told_in_their_order_and_not_all_of_too_many() {
    let mut fixture = Fixture::new();
    let event = |feed, kind| Event { feed, kind, ..Event::default() };
    fixture.append(&[event("a", "z"), event("b", "m"), event("a", "磁"), event("a", "a"), event("a", "z")]);
    fixture.append(&[Event { outcome: Ignored, ..event("a", "ping") }]);
    let types = |fixture: &Fixture, id| fixture.log.reader().types(Option::map(id, feed).as_ref()).unwrap();
    assert_eq!(types(&fixture, None), ["a", "m", "ping", "z", "磁"]);
    assert_eq!(types(&fixture, Some("a")), ["a", "ping", "z", "磁"]);
    assert_eq!(types(&fixture, Some("b")), ["m"]);
    assert_eq!(types(&fixture, Some("never")), [""; 0]);
    let many: Vec<Event> = (0..MAX_TYPES)
        .map(|number| event("b", Box::leak(format!("k{number:03}").into_boxed_str())))
        .collect();
    fixture.append(&many);
    let told = types(&fixture, Some("b"));
    assert_eq!((told.len(), told.last().map(String::as_str)), (MAX_TYPES, Some("k199")));
}

#[test]
fn activity_is_counted_by_the_quarter_of_an_hour() {
    let mut fixture = Fixture::new();
    let at = |time: &str| time.parse::<Timestamp>().unwrap().as_millisecond();
    let event = |feed, outcome, time| Event { feed, outcome, at: at(time), ..Event::default() };
    fixture.append(&[
        event("a", Shown, "2026-11-20T14:14:59.999Z"),
        event("a", Shown, "2026-11-20T14:15:00Z"),
        event("a", Logged, "2026-11-20T14:29:59Z"),
        event("b", Shown, "2026-11-20T14:29:59Z"),
        event("a", Shown, "2026-11-20T14:30:00Z"),
        event("a", Ignored, "2026-11-21T14:00:00Z"),
        event("a", Shown, "2026-11-21T14:05:00Z"),
    ]);
    let now = "2026-11-21T14:05:09Z".parse().unwrap();
    let activity = fixture.log.reader().activity(&feed("a"), now).unwrap();
    assert_eq!(activity.from, "2026-11-20T14:15:00Z".parse().unwrap());
    assert_eq!(activity.events.len(), 96);
    assert_eq!((activity.events[0], activity.events[1], activity.events[95]), (2, 1, 1));
    assert_eq!(activity.events.iter().sum::<u32>(), 4);
    let none = fixture.log.reader().activity(&feed("never"), now).unwrap();
    assert_eq!(none.events, [0; 96]);
}
