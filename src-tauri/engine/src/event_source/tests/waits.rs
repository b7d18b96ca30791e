//! What lengthens and shortens the waits.

use super::*;

#[test]
fn retry_after_lengthens_the_one_delay_that_follows() {
    use State::{Connecting, NeedsAttention, Stopped, Waiting};
    let minutes = |minutes: u32| minutes * 60 * SECOND;
    for (status, asked, state, expected) in [
        (200, minutes(30), NeedsAttention, Some(minutes(30))),
        (401, minutes(30), NeedsAttention, Some(minutes(30))),
        (404, minutes(30), NeedsAttention, Some(minutes(30))),
        (408, minutes(30), Waiting, Some(minutes(30))),
        (429, minutes(30), Waiting, Some(minutes(30))),
        (500, minutes(30), Waiting, Some(minutes(30))),
        (503, minutes(30), Waiting, Some(minutes(30))),
        (503, minutes(61), Waiting, Some(minutes(60))),
        (503, Duration::MAX, Waiting, Some(minutes(60))),
        // Shorter than the own delay.
        (503, 2 * SECOND, Waiting, None),
        (404, 59 * SECOND, NeedsAttention, None),
        // What is over or goes on at once does not wait.
        (204, minutes(30), Stopped, None),
        (302, minutes(30), Connecting, None),
    ] {
        let mut bench = Bench::new("");
        let answer = |retry_after| Answer { status, location: Some("/x"), retry_after, ..Answer::default() };
        assert_eq!(bench.answer(&answer(Some(asked))), Verdict::Refused);
        let mut without = Bench::new("");
        assert_eq!(without.answer(&answer(None)), Verdict::Refused);
        assert_eq!(bench.state(), state, "{status}");
        let own = without.source.deadline().map(|_| without.wait());
        let wait = bench.source.deadline().map(|_| bench.wait());
        assert_eq!(wait, expected.or(own), "{status}, {asked:?}");
        if state == Waiting {
            bench.sleep();
            assert_eq!(bench.status_code(503), Verdict::Refused);
            bench.assert_wait(6);
        }
    }
    let mut bench =
        Bench::with(Limits { retry_max: 7200 * SECOND, ..Limits::default() }, "http://localhost/", "");
    bench.open();
    bench.receive("retry: 7200000\n");
    bench.source.ended(bench.now);
    bench.sleep();
    let answer = Answer { status: 503, retry_after: Some(Duration::MAX), ..Answer::default() };
    assert_eq!(bench.answer(&answer), Verdict::Refused);
    bench.assert_wait(7200);
}

type Reach = fn(&mut Bench);

/// Ways to each phase, and whether the network's return is news there.
const PHASES: [(&str, Reach, bool); 6] = [
    ("connecting", |bench| drop(bench.request()), true),
    ("open", Bench::open, false),
    (
        "ended after events",
        |bench| {
            bench.open();
            bench.receive("retry: 60000\ndata: a\n\n");
            bench.source.ended(bench.now);
        },
        false,
    ),
    ("waiting", |bench| assert_eq!(bench.status_code(503), Verdict::Refused), true),
    ("needs attention", |bench| assert_eq!(bench.status_code(404), Verdict::Refused), true),
    (
        "asked to wait",
        |bench| {
            let retry_after = Some(3600 * SECOND);
            assert_eq!(
                bench.answer(&Answer { status: 429, retry_after, ..Answer::default() }),
                Verdict::Refused
            );
        },
        true,
    ),
];

#[test]
fn waking_up_and_the_networks_return_bring_a_prompt_attempt_without_growth() {
    type News = fn(&mut EventSource, Instant);
    for (news, is_wake) in [(EventSource::woke_up as News, true), (EventSource::network_came_back, false)] {
        for (phase, reach, heeds_network) in PHASES {
            let mut bench = Bench::new("41");
            for _ in 0..5 {
                bench.status_code(503);
                bench.sleep();
            }
            reach(&mut bench);
            let (before, deadline) = (bench.source.status(), bench.source.deadline());
            news(&mut bench.source, bench.now);
            if !is_wake && !heeds_network {
                assert_eq!((bench.source.status(), bench.source.deadline()), (before, deadline), "{phase}");
                continue;
            }
            assert!(bench.wait() < 2 * SECOND, "{phase}");
            assert_ne!(bench.state(), State::Connected, "{phase}");
            assert_eq!(bench.source.status().attempt, 0, "{phase}");
            assert_eq!(bench.receive("data: of the dead connection\n\n"), [], "{phase}");
            bench.sleep();
            assert_eq!(bench.request().last_event_id.as_deref(), Some("41"), "{phase}");
            bench.source.failed(bench.now, Reason::Dns(String::new()));
            let base = bench.source.reconnection_time().map_or(3, |time| time.as_secs() as u32);
            bench.assert_wait(base);
        }
        let mut bench = Bench::new("");
        bench.status_code(204);
        news(&mut bench.source, bench.now);
        assert_eq!((bench.state(), bench.source.deadline()), (State::Stopped, None));
    }
}

#[test]
fn the_attempts_after_waking_up_are_spread() {
    let url = Url::parse("http://localhost/").unwrap();
    let now = Instant::now();
    let waits: Vec<Duration> = (0..1000)
        .map(|seed| {
            let mut source = EventSource::new(Limits::default(), url.clone(), None, String::new(), seed);
            source.woke_up(now);
            source.deadline().unwrap() - now
        })
        .collect();
    for part in 0..10 {
        let (from, to) = (SECOND * part / 5, SECOND * (part + 1) / 5);
        let count = waits.iter().filter(|wait| (from..to).contains(wait)).count();
        assert!((50..150).contains(&count), "{count} of 1000 within {from:?} to {to:?}");
    }
}

#[test]
fn good_news_never_lengthens_a_wait() {
    let mut bench = Bench::new("");
    bench.status_code(503);
    let due = bench.source.deadline();
    bench.now = due.unwrap();
    bench.source.network_came_back(bench.now);
    assert_eq!(bench.source.deadline(), due);
}

#[test]
fn trying_now_ends_a_wait_and_a_stop_but_no_connection() {
    for status in [503, 404, 204] {
        let mut bench = Bench::new("");
        bench.status_code(status);
        bench.source.try_now();
        let shown = bench.source.status();
        assert_eq!((shown.state, shown.reason), (State::Connecting, Some(Reason::Status(status))));
        bench.open();
        bench.source.try_now();
        assert_eq!(bench.state(), State::Connected);
        assert_eq!(bench.source.poll_request(bench.now), None);
    }
}
