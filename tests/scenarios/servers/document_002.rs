//! Document 002: a stream that ends and repeats its ids, and container logs in base64.

use bellwether_control::wire::Outcome;
use bellwether_tests::{Need, Resident, Server, needs, until};
use serde_json::Value;

use crate::{
    DEADLINE, assert_no_fault, data, events, feed, hang_ups, history, listed, wait, wait_for_events,
};

/// Only the errors, as plain text. Everything else matches no rule and goes to the log alone.
pub(crate) const ERRORS: &str = r#"
  [[feed.rule]]
  when = "'ERROR' in (data | b64decode)"
  notify = { body = "{{ data | b64decode }}" }
"#;

#[test]
fn what_a_server_sends_again_after_a_reconnect_is_counted_and_news_only_where_asked_for() {
    needs!(Need::Go);
    let quick = ["-period", "20ms", "-count", "5", "-retry", "200"];
    let [with_ids, without] = [Server::go(&quick), Server::go(&[&quick[..], &["-ids=false"]].concat())];
    let resident = Resident::with_config("");
    let mut updates = resident.updates();
    let feeds = [
        feed("hide", &with_ids.url("/events?hide"), ""),
        feed("show", &with_ids.url("/events?show"), "repeats = 'show'"),
        feed("no-ids", &without.url("/events"), ""),
    ];
    std::fs::write(resident.config_file(), feeds.concat()).expect("feeds.toml can be written");

    assert_no_fault(&history(&mut updates, "hide", "two rounds of repeats", |feed| {
        feed.counts.repeats >= 10
    }));
    let round = [5, 4, 3, 2, 1].map(|number| format!(r#"{{"type": "counter", "value": {number}}}"#));
    let hidden = events(&resident, "hide");
    assert_eq!(data(&hidden), round);
    assert_eq!(hidden.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["5", "4", "3", "2", "1"]);
    for id in ["show", "no-ids"] {
        let shown = wait_for_events(&resident, id, 15);
        assert!(
            data(&shown).iter().zip(round.iter().cycle()).all(|(data, expected)| data == expected),
            "{shown:#?}"
        );
        assert!(shown.iter().all(|event| event.outcome == Outcome::Pending));
        assert_eq!(resident.feed(id).counts.repeats, 0);
    }
}

#[test]
fn container_logs_show_their_errors_as_plain_text_and_the_rest_in_the_log_alone() {
    needs!(Need::Go);
    let go = Server::go(&["-period", "50ms"]);
    let logs = |query: &str| go.url(&format!("/api/container/logs/web?{query}"));
    let feeds = [feed("follow", &logs("tail=10&follow=1"), ERRORS), feed("tail", &logs("tail=2"), ERRORS)];
    let resident = Resident::with_config(&feeds.concat());

    let all = wait_for_events(&resident, "follow", 12);
    for (number, event) in (1..).zip(&all) {
        assert_eq!((event.event.as_str(), event.id.as_str()), ("message", ""));
        if number % 5 == 0 {
            assert_eq!((event.outcome, event.reason.rule), (Outcome::Pending, Some(1)));
            assert_eq!(event.body, format!("web line {number} ERROR 连接失败"));
        } else {
            assert_eq!(
                (event.outcome, event.reason.code.as_str()),
                (Outcome::Logged, "no_match"),
                "{event:?}"
            );
        }
    }
    // The bytes of the first line, as they came: a JSON string of base64.
    assert_eq!(all[0].data, r#""d2ViIGxpbmUgMSBJTkZPCg==""#);
    assert!(listed(&resident, "feed=follow&search=连接").len() >= 2, "the errors can be found by their text");

    // Without `follow` the answer ends after the tail, and each reconnect gets the same tail: nothing tells it from news.
    let tail = wait_for_events(&resident, "tail", 4);
    assert_eq!(tail[0].data, tail[2].data);
    assert_eq!(resident.feed("tail").counts.repeats, 0);
}

#[test]
fn a_feed_that_is_paused_removed_or_left_at_the_end_is_really_closed() {
    needs!(Need::Go);
    let go = Server::go(&["-period", "50ms", "-count", "1000000"]);
    let feeds = ["paused", "removed", "left"].map(|id| feed(id, &go.url(&format!("/events?{id}")), ""));
    let mut resident = Resident::with_config(&feeds.concat());
    for id in ["paused", "removed", "left"] {
        wait_for_events(&resident, id, 1);
    }
    assert_eq!(hang_ups(&go), 0);
    let _: Value = resident.call("POST", "/feeds/paused/pause", &Value::Null);
    until(DEADLINE, "the paused feed to hang up", || hang_ups(&go) == 1);
    let _: Value = resident.call("DELETE", "/feeds/removed", &Value::Null);
    until(DEADLINE, "the removed feed to hang up", || hang_ups(&go) == 2);
    assert!(!events(&resident, "removed").is_empty(), "its events stay in the log");

    let before = resident.feed("paused").counts.events;
    let _: Value = resident.call("POST", "/feeds/paused/resume", &Value::Null);
    wait(&resident, "paused", "another event", |feed| feed.counts.events > before);
    resident.quit();
    until(DEADLINE, "the others to hang up", || hang_ups(&go) == 4);
}
