//! Document 001: named events in pieces, and a feed that is closed by one of them.

use bellwether_control::wire::{ConnectionState, Feed, Outcome};
use bellwether_tests::{Need, Resident, Server, needs, until};
use jiff::Timestamp;
use serde_json::Value;

use crate::{DEADLINE, assert_no_fault, data, events, feed, hang_ups, history, wait, wait_for_events};

#[test]
fn pause_closes_the_feed_for_good_by_a_rule_and_the_server_notices() {
    needs!(Need::Node);
    let koa = Server::koa(&[("PERIOD_MS", "100"), ("HEARTBEAT_MS", "30")]);
    let rules = "rule = [{ event = 'pause', action = 'close' }, { event = 'test' }]";
    let resident = Resident::with_config(&feed("closing", &koa.url("/test"), rules));
    let closed =
        wait(&resident, "closing", "its end", |feed| feed.connection.state == ConnectionState::Stopped);
    let detail =
        closed.connection.reason.as_ref().map(|reason| (reason.code.as_str(), reason.detail.as_str()));
    assert_eq!(detail, Some(("closed_by_rule", "1")));
    assert_eq!(closed.connection.next_attempt_at, None);
    until(DEADLINE, "the server to notice", || hang_ups(&koa) == 1);

    let first = events(&resident, "closing");
    let expected = [
        ("test", "0", Outcome::Pending),
        ("test", "1", Outcome::Pending),
        ("test", "2", Outcome::Pending),
        ("test", "3", Outcome::Pending),
        ("test", "4", Outcome::Pending),
        ("pause", "5", Outcome::Closed),
    ];
    let told: Vec<_> =
        first.iter().map(|event| (event.event.as_str(), event.data.as_str(), event.outcome)).collect();
    // What had been received with `pause` already was not thrown away.
    assert_eq!(told[..6], expected);
    assert!(first.iter().all(|event| event.id.parse::<u64>().is_ok()), "ids are time stamps: {first:?}");

    // A person may ask for it again. The server starts at 0, and the next hang-up it sees is the second: nobody came between.
    let _: Value = resident.call("POST", "/feeds/closing/reconnect", &Value::Null);
    until(DEADLINE, "the second end", || hang_ups(&koa) == 2);
    let again = wait_for_events(&resident, "closing", first.len() as u64 + 6);
    assert_eq!(data(&again[first.len()..])[..6], ["0", "1", "2", "3", "4", "5"]);
    let feed =
        wait(&resident, "closing", "its end", |feed| feed.connection.state == ConnectionState::Stopped);
    assert_eq!(feed.counts.repeats, 0, "new time stamps: news");
}

#[test]
fn without_such_a_rule_the_feed_goes_on_and_comes_back_when_the_server_said() {
    needs!(Need::Node);
    let mut koa = Server::koa(&[("PERIOD_MS", "50"), ("HEARTBEAT_MS", "20")]);
    let resident = Resident::with_config("");
    let mut updates = resident.updates();
    let feeds = [
        feed("all", &koa.url("/test?all"), ""),
        feed("unnamed", &koa.url("/test?unnamed"), "rule = [{ event = 'message' }]"),
    ];
    std::fs::write(resident.config_file(), feeds.concat()).expect("feeds.toml can be written");

    let count = |feed: &Feed| feed.counts.events >= 10;
    assert_no_fault(&history(&mut updates, "all", "events behind the pause", count));
    let all = events(&resident, "all");
    for (number, event) in all.iter().enumerate() {
        // Each came in five writes, with blank lines behind and between: one event for each number, and no empty one.
        assert_eq!(event.data, number.to_string());
        assert_eq!(event.event, if number == 5 { "pause" } else { "test" });
        assert_eq!(event.outcome, Outcome::Pending);
    }
    let unnamed = wait_for_events(&resident, "unnamed", 7);
    assert!(unnamed.iter().all(|event| event.outcome == Outcome::Logged), "none is for `message`");
    assert_eq!(resident.feed("unnamed").counts.unread, 0);

    // `retry: 10000` stood behind the data of each event and holds from then on; the usual wait is 4.5 s at most.
    koa.kill();
    let waiting = wait(&resident, "all", "a wait", |feed| feed.connection.state == ConnectionState::Waiting);
    let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let between = time(&waiting.last_event_at).zip(time(&waiting.connection.next_attempt_at));
    assert!(
        between.is_some_and(|(last, next)| next.duration_since(last).as_millis() >= 9_990),
        "{waiting:?}"
    );
}

/// The idle timeout is half the time between two events: without the blank lines no connection would live to see its second.
#[test]
fn blank_lines_are_signs_of_life() {
    needs!(Need::Node);
    let koa = Server::koa(&[("PERIOD_MS", "8000"), ("HEARTBEAT_MS", "100")]);
    let resident = Resident::with_config(&feed("slow", &koa.url("/test"), "idle_timeout = 4"));
    assert_eq!(data(&wait_for_events(&resident, "slow", 2)), ["0", "1"]);
    assert_eq!(hang_ups(&koa), 0);
}
