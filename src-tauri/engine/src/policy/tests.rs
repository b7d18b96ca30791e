//! Gates and plans, with time as a value.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time, tz::TimeZone};
use proptest::prelude::*;

use super::{
    CatchUp, Flood, Notifications, Outcome, OutcomeReason, Policy, QuietRange, Snoozes, SummaryKind, plan,
};
use crate::{
    config,
    event_log::Pending,
    feed::{Feed, FeedId},
    notification::{Notification, Urgency},
    rule::{Action, Decision},
};

fn feed(id: &str, more: &str) -> Arc<Feed> {
    let text = format!("[[feed]]\nid = \"{id}\"\nurl = \"http://{id}.example.org/\"\n{more}\n");
    config::parse(&text).expect("a feed").feeds.remove(0)
}

fn decision(action: Action, urgent: bool) -> Decision {
    let notification = Notification { title: "T".to_owned(), ..Notification::default() };
    let reason = OutcomeReason::new(OutcomeReason::RULE).by_rule(2);
    Decision { action, notification, reason, urgent, run: None }
}

fn notify() -> Decision {
    decision(Action::Notify, false)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_000_000_000 + millis).unwrap()
}

/// What a policy makes of one event, for good.
fn decide(
    policy: &mut Policy,
    feed: &Feed,
    decision: Decision,
    at: Timestamp,
    missed: bool,
) -> (Outcome, String) {
    let mut draft = policy.draft();
    let (outcome, reason, notification) = draft.apply(feed, decision, at, missed);
    assert_eq!((&*notification.title, reason.rule), ("T", Some(2)), "what the rule said stays");
    let changes = draft.into_changes();
    policy.keep(changes);
    (outcome, format!("{} {}", reason.code, reason.detail).trim_end().to_owned())
}

#[test]
fn each_action_has_its_outcome() {
    let (mut policy, feed) = (Policy::new(Snoozes::default()), feed("a", ""));
    for (action, outcome) in [
        (Action::Notify, Outcome::Pending),
        (Action::Log, Outcome::Logged),
        (Action::Ignore, Outcome::Ignored),
        (Action::Close, Outcome::Closed),
        (Action::Withdraw, Outcome::Logged),
    ] {
        let decided = decide(&mut policy, &feed, decision(action, false), at(0), false);
        assert_eq!(decided, (outcome, "rule".to_owned()));
    }
}

#[test]
fn three_popups_of_a_feed_in_ten_seconds_and_ten_of_all_are_shown_one_by_one() {
    let mut policy = Policy::new(Snoozes::default());
    let one = feed("one", "");
    let shown = |policy: &mut Policy, feed: &Feed, millis| {
        decide(policy, feed, notify(), at(millis), false).1 == "rule"
    };
    let burst: Vec<bool> = (0..500).map(|n| shown(&mut policy, &one, n * 2)).collect();
    assert_eq!(burst.iter().filter(|shown| **shown).count(), 3);
    assert!(burst[..3].iter().all(|shown| *shown), "the first ones");
    assert!(!shown(&mut policy, &one, 9_999));
    assert!(shown(&mut policy, &one, 10_000), "the first of the three is ten seconds ago");

    let mut policy = Policy::new(Snoozes::default());
    let feeds: Vec<_> = (0..12).map(|n| feed(&format!("f{n}"), "")).collect();
    let first: Vec<bool> = feeds.iter().map(|feed| shown(&mut policy, feed, 0)).collect();
    assert_eq!(first.iter().filter(|shown| **shown).count(), 10);

    let settings = Notifications {
        flood: Flood { popups: 1, overall: 2, within: Duration::from_secs(60) },
        ..Notifications::default()
    };
    policy.set(&Arc::new(settings));
    let mut policy_of = |feed: &Feed, millis| shown(&mut policy, feed, millis);
    assert!(policy_of(&feeds[0], 100_000) && !policy_of(&feeds[0], 159_999) && policy_of(&feeds[0], 160_000));
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_back_for_long() {
    let (mut policy, feed) = (Policy::new(Snoozes::default()), feed("a", ""));
    let hour = 3_600_000;
    for n in 0..3 {
        assert_eq!(decide(&mut policy, &feed, notify(), at(hour + n), false).1, "rule");
    }
    assert_eq!(decide(&mut policy, &feed, notify(), at(0), false).1, "rule");
}

#[test]
fn what_could_not_be_logged_counts_for_nothing() {
    let (mut policy, feed) = (Policy::new(Snoozes::default()), feed("a", ""));
    for _ in 0..5 {
        let mut draft = policy.draft();
        for n in 0..3 {
            assert_eq!(draft.apply(&feed, notify(), at(n), false).1.code, OutcomeReason::RULE);
        }
        assert_eq!(draft.apply(&feed, notify(), at(3), false).1.code, OutcomeReason::FLOOD);
    }
    assert_eq!(decide(&mut policy, &feed, notify(), at(4), false).1, "rule");
}

#[test]
fn gates_in_their_order() {
    let mut snoozes = Snoozes::default();
    snoozes.set(None, Some(at(60_000)));
    snoozes.set(FeedId::new("own").as_ref(), Some(at(90_000)));
    let mut policy = Policy::new(snoozes);
    let (plain, own) = (feed("plain", ""), feed("own", ""));
    let (muted, paused) = (feed("muted", "mute = true"), feed("paused", "paused = true\nmute = true"));
    let until = |millis| format!("snoozed {}", at(millis));
    for (feed, urgent, millis, expected) in [
        (&plain, false, 0, (Outcome::Held, until(60_000))),
        (&plain, true, 0, (Outcome::Pending, "rule".to_owned())),
        (&own, false, 0, (Outcome::Held, until(90_000))),
        (&own, false, 60_000, (Outcome::Held, until(90_000))),
        (&own, false, 90_000, (Outcome::Pending, "rule".to_owned())),
        (&plain, false, 60_000, (Outcome::Pending, "rule".to_owned())),
        (&muted, true, 0, (Outcome::Logged, "muted".to_owned())),
        (&paused, true, 0, (Outcome::Logged, "paused".to_owned())),
    ] {
        let decided = decide(&mut policy, feed, decision(Action::Notify, urgent), at(millis), false);
        assert_eq!(decided, expected, "{} {urgent} {millis}", feed.id);
    }
    assert_eq!(
        decide(&mut policy, &plain, notify(), at(100_000), true),
        (Outcome::Pending, "catch_up".to_owned())
    );
}

#[test]
fn quiet_hours_hold_back_over_each_change_of_the_clock_and_urgent_events_pass() {
    let night = |zone: &str| QuietRange {
        days: Vec::new(),
        from: Time::constant(22, 0, 0, 0),
        to: Time::constant(7, 0, 0, 0),
        zone: Some(TimeZone::get(zone).expect("a time zone")),
    };
    for (zone, evening, hours) in [
        ("Europe/Berlin", "2026-03-28", 8),
        ("Europe/Berlin", "2026-10-24", 10),
        ("America/New_York", "2026-03-07", 8),
        ("America/New_York", "2026-10-31", 10),
    ] {
        let range = night(zone);
        let zone_of = range.zone.clone().unwrap();
        let mut policy = Policy::new(Snoozes::default());
        policy.set(&Arc::new(Notifications { quiet_hours: vec![range], ..Notifications::default() }));
        let date: jiff::civil::Date = evening.parse().unwrap();
        let begin = zone_of.to_timestamp(date.at(22, 0, 0, 0)).unwrap();
        let end = begin + hours.hours();
        // One event each minute from before to after, each of a feed of its own, so that none is a flood.
        let mut moment = begin - 30.minutes();
        while moment < end + 30.minutes() {
            let feed = feed("night", "");
            let expected = if moment < begin || moment >= end {
                (Outcome::Pending, "rule".to_owned())
            } else {
                (Outcome::Held, format!("quiet_hours {end}"))
            };
            assert_eq!(decide(&mut policy, &feed, notify(), moment, false), expected, "{zone} {moment}");
            moment += 1.minute();
        }
        let urgent = decide(&mut policy, &feed("night", ""), decision(Action::Notify, true), begin, false);
        assert_eq!(urgent.0, Outcome::Pending);
        assert_eq!(policy.closed_until(None, begin), Some(end));
        assert!(policy.changes_at(begin).is_some_and(|change| change > begin && change <= end));
    }
}

#[test]
fn a_snooze_is_the_same_after_a_restart() {
    let mut snoozes = Snoozes::default();
    let (ops, mail) = (FeedId::new("ops").unwrap(), FeedId::new("mail").unwrap());
    snoozes.set(None, Some(at(1_000)));
    snoozes.set(Some(&ops), Some(at(5_000)));
    snoozes.set(Some(&mail), Some(at(500)));
    snoozes.set(Some(&mail), None);
    let mut again = Snoozes::read(&snoozes.write());
    assert_eq!(again, snoozes);
    assert_eq!(again.until(Some(&ops), at(0)), Some(at(5_000)));
    assert_eq!(again.until(Some(&mail), at(0)), Some(at(1_000)));
    assert_eq!(again.next_end(at(0)), Some(at(1_000)));
    assert_eq!(
        (again.until(Some(&mail), at(1_000)), again.of_feed(&ops, at(4_999))),
        (None, Some(at(5_000)))
    );
    assert!(again.forget_ended(at(1_000)) && !again.forget_ended(at(1_000)));
    for broken in ["", "{}", "[]", "{\"all\": 5}", "{\"feeds\": {\"N O\": \"2026-01-01T00:00:00Z\"}}"] {
        assert_eq!(Snoozes::read(broken), Snoozes::default(), "{broken}");
    }
}

#[test]
fn what_comes_in_one_go_after_a_gap_was_missed() {
    let missed = |catch_up: &mut CatchUp, times: &[i64]| -> String {
        times.iter().map(|time| if catch_up.event(at(*time)) { 'm' } else { '.' }).collect()
    };
    // Never heard of before: what it begins with is no backlog.
    let mut first = CatchUp::new(None);
    first.opened(at(0));
    assert_eq!(missed(&mut first, &[1, 2, 3]), "...");
    // A server that ends after each event, and is asked again after 3 s.
    first.ended(Some(at(3)));
    first.opened(at(3_003));
    assert_eq!(missed(&mut first, &[3_004]), ".");
    // An outage.
    first.ended(Some(at(3_004)));
    first.opened(at(63_004));
    assert_eq!(missed(&mut first, &[63_010, 64_000, 65_900, 67_900, 67_901]), "mmm..");
    // It does not last for ever.
    let mut restarted = CatchUp::new(Some(at(0)));
    restarted.opened(at(1_000));
    let each_second: Vec<i64> = (0..14).map(|n| 1_500 + n * 1_000).collect();
    assert_eq!(missed(&mut restarted, &each_second), "mmmmmmmmmm....");
    // A sleep, however short by the clock.
    restarted.slept();
    restarted.opened(at(16_000));
    assert_eq!(missed(&mut restarted, &[16_001, 16_002]), "mm");
    // Nothing came soon: there was nothing to miss.
    restarted.slept();
    restarted.opened(at(20_000));
    assert_eq!(missed(&mut restarted, &[30_000, 30_001]), "..");
    // A server that takes its time, on the second connection, as the first one broke at once.
    restarted.slept();
    restarted.opened(at(40_000));
    restarted.ended(Some(at(40_100)));
    restarted.opened(at(43_000));
    assert_eq!(missed(&mut restarted, &[49_000, 49_001, 51_100]), "mm.");
    // A connection that died unnoticed is no sign of life.
    restarted.ended(Some(at(51_100)));
    restarted.opened(at(400_000));
    assert_eq!(missed(&mut restarted, &[400_100]), "m");
    // A clock that is set back ends it, and does not make it last.
    assert_eq!(missed(&mut restarted, &[-3_000_000, -2_999_000, -2_990_000]), "...");
}

fn pending(events: &[(&str, &'static str)]) -> Vec<Pending> {
    (1..)
        .zip(events)
        .map(|(seq, (feed, code))| Pending {
            seq,
            feed: FeedId::new(feed).unwrap(),
            code: (*code).into(),
            urgency: Urgency::Normal,
            urgent: false,
            read: false,
        })
        .collect()
}

/// `feed:kind=1+2+3` for each popup.
fn planned(events: &[(&str, &'static str)], most: usize) -> String {
    let events = pending(events);
    let popups = plan(&events, most).into_iter().map(|told| {
        let seqs: Vec<String> = told.events.iter().map(|place| events[*place].seq.to_string()).collect();
        let feed = told.feed.as_ref().map_or("*", FeedId::as_str);
        let kind = match told.kind {
            None => "",
            Some(SummaryKind::Flood) => ":flood",
            Some(SummaryKind::CatchUp) => ":missed",
            Some(SummaryKind::Backlog) => ":waited",
            Some(SummaryKind::Digest) => ":held",
        };
        format!("{feed}{kind}={}", seqs.join("+"))
    });
    popups.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_backlog_is_at_most_three_popups_of_a_feed() {
    for (waiting, expected) in [
        ("", ""),
        ("a", "a=1"),
        ("aaa", "a=1 a=2 a=3"),
        ("aaaa", "a:waited=1+2+3+4"),
        ("aababaac", "b=3 b=5 a:waited=1+2+4+6+7 c=8"),
        ("abababab", "a:waited=1+3+5+7 b:waited=2+4+6+8"),
    ] {
        let feeds: Vec<String> = waiting.chars().map(String::from).collect();
        let events: Vec<_> = feeds.iter().map(|feed| (feed.as_str(), OutcomeReason::RULE)).collect();
        assert_eq!(planned(&events, 10), expected, "{waiting}");
    }
}

#[test]
fn what_was_missed_flooded_or_held_back_is_told_together() {
    use OutcomeReason as Why;
    assert_eq!(planned(&[("a", Why::CATCH_UP)], 10), "a=1", "one is not several");
    assert_eq!(
        planned(&[("a", Why::CATCH_UP), ("a", Why::CATCH_UP), ("b", Why::RULE)], 10),
        "a:missed=1+2 b=3"
    );
    assert_eq!(planned(&[("a", Why::FLOOD), ("a", Why::FLOOD)], 10), "a:flood=1+2");
    assert_eq!(planned(&[("a", Why::RULE), ("a", Why::FLOOD)], 10), "a:waited=1+2");
    let held = [("a", Why::SNOOZED), ("b", Why::QUIET_HOURS), ("a", Why::RULE), ("b", Why::SNOOZED)];
    assert_eq!(planned(&held, 10), "a=3 *:held=1+2+4");
    assert_eq!(planned(&[("a", Why::SNOOZED), ("a", Why::SNOOZED)], 10), "a:held=1+2");
    assert_eq!(planned(&[("a", Why::SNOOZED)], 10), "a=1");
    let many = [("a", Why::RULE), ("b", Why::RULE), ("c", Why::RULE)];
    assert_eq!(planned(&many, 2), "*:waited=1+2+3");
    assert_eq!(planned(&many, 3), "a=1 b=2 c=3");
}

/// One event of a made-up history.
#[derive(Clone, Debug)]
struct Made {
    feed: usize,
    action: Action,
    urgent: bool,
    /// Milliseconds since the one before; a clock may be set back.
    later: i64,
    missed: bool,
}

fn made() -> impl Strategy<Value = Made> {
    let action = prop_oneof![
        5 => Just(Action::Notify),
        1 => Just(Action::Log),
        1 => Just(Action::Ignore),
        1 => Just(Action::Close),
        1 => Just(Action::Withdraw),
    ];
    let later = prop_oneof![20 => 0i64..800, 3 => 0i64..8_000_000, 1 => -50_000i64..0];
    (0usize..5, action, any::<bool>(), later, proptest::bool::weighted(0.1))
        .prop_map(|(feed, action, urgent, later, missed)| Made { feed, action, urgent, later, missed })
}

/// The same policy each time: a night, a snooze, a muted feed.
fn of_a_person() -> (Policy, Vec<Arc<Feed>>) {
    let mut snoozes = Snoozes::default();
    snoozes.set(FeedId::new("f1").as_ref(), Some(at(20_000)));
    let mut policy = Policy::new(snoozes);
    let night = QuietRange {
        days: Vec::new(),
        from: Time::constant(22, 0, 0, 0),
        to: Time::constant(7, 0, 0, 0),
        zone: Some(TimeZone::UTC),
    };
    policy.set(&Arc::new(Notifications { quiet_hours: vec![night], ..Notifications::default() }));
    let feeds = (0..5).map(|n| feed(&format!("f{n}"), if n == 2 { "mute = true" } else { "" }));
    (policy, feeds.collect())
}

/// What becomes of a history, in groups of this size, of which some cannot be logged at first.
fn replay(history: &[Made], group: usize, failing: bool) -> Vec<(Timestamp, Outcome, OutcomeReason)> {
    let (mut policy, feeds) = of_a_person();
    let mut now = at(0);
    let times: Vec<Timestamp> = history
        .iter()
        .map(|made| {
            now += SignedDuration::from_millis(made.later);
            now
        })
        .collect();
    let history: Vec<_> = history.iter().zip(times).collect();
    let mut outcomes = Vec::new();
    for events in history.chunks(group) {
        for attempt in 0..if failing { 2 } else { 1 } {
            let mut draft = policy.draft();
            let decided: Vec<_> = events
                .iter()
                .map(|(made, at)| {
                    let decision = decision(made.action, made.urgent);
                    let (outcome, reason, _) = draft.apply(&feeds[made.feed], decision, *at, made.missed);
                    (*at, outcome, reason)
                })
                .collect();
            let changes = draft.into_changes();
            if !failing || attempt == 1 {
                policy.keep(changes);
                outcomes.extend(decided);
            }
        }
    }
    outcomes
}

proptest! {
    #[test]
    fn a_replay_decides_the_same_however_it_is_grouped(
        history in prop::collection::vec(made(), 1..120),
        group in 1usize..40,
        failing: bool,
    ) {
        let outcomes = replay(&history, 1, false);
        prop_assert_eq!(outcomes.len(), history.len());
        prop_assert_eq!(&outcomes, &replay(&history, group, failing));
        for ((_, outcome, reason), made) in outcomes.iter().zip(&history) {
            let expected = match made.action {
                Action::Log | Action::Withdraw => Outcome::Logged,
                Action::Ignore => Outcome::Ignored,
                Action::Close => Outcome::Closed,
                Action::Notify if made.feed == 2 => Outcome::Logged,
                Action::Notify => *outcome,
            };
            prop_assert_eq!(*outcome, expected);
            prop_assert!(!made.urgent || *outcome != Outcome::Held);
            prop_assert!(*outcome != Outcome::Held || !reason.detail.is_empty());
            prop_assert_eq!(reason.rule, Some(2));
        }
    }

    #[test]
    fn no_ten_seconds_have_more_than_ten_single_popups_or_three_of_a_feed(
        history in prop::collection::vec(made(), 1..200),
    ) {
        let history: Vec<Made> = history.into_iter().map(|made| Made { later: made.later.abs(), ..made }).collect();
        let outcomes = replay(&history, 1, false);
        let single: Vec<(Timestamp, usize)> = outcomes
            .iter()
            .zip(&history)
            .filter(|((_, outcome, reason), _)| *outcome == Outcome::Pending && reason.code == OutcomeReason::RULE)
            .map(|((at, ..), made)| (*at, made.feed))
            .collect();
        for (at, feed) in &single {
            let near: Vec<_> = single
                .iter()
                .filter(|(other, _)| other <= at && at.duration_since(*other) < SignedDuration::from_secs(10))
                .collect();
            prop_assert!(near.len() <= 10);
            prop_assert!(near.iter().filter(|(_, other)| other == feed).count() <= 3);
        }
    }

    #[test]
    fn a_plan_tells_each_event_once(
        events in prop::collection::vec((0usize..4, 0usize..6), 0..60),
        most in 1usize..12,
    ) {
        const CODES: [&str; 6] = ["rule", "default", "flood", "catch_up", "snoozed", "quiet_hours"];
        let events: Vec<(String, &'static str)> =
            events.into_iter().map(|(feed, code)| (format!("f{feed}"), CODES[code])).collect();
        let events: Vec<(&str, &'static str)> = events.iter().map(|(feed, code)| (feed.as_str(), *code)).collect();
        let waiting = pending(&events);
        let popups = plan(&waiting, most);
        let mut told: Vec<usize> = popups.iter().flat_map(|popup| popup.events.clone()).collect();
        told.sort_unstable();
        prop_assert_eq!(told, (0..events.len()).collect::<Vec<_>>());
        prop_assert!(popups.len() <= most + 1);
        for popup in &popups {
            prop_assert_eq!(popup.kind.is_some(), popup.events.len() > 1);
            prop_assert!(popup.events.is_sorted());
        }
    }
}
