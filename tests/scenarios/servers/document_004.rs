//! Document 004: named against unnamed events, and its three literal examples.

use bellwether_control::wire::{Event, Outcome};
use bellwether_tests::{Need, Resident, Server, needs};

use crate::{events, feed, wait, wait_for_events};

#[test]
fn a_rule_on_ping_gets_the_pings_alone_and_one_on_message_the_messages_alone() {
    needs!(Need::Php);
    let php = Server::php();
    let url = |query: &str| php.url(&format!("/004_ping.php?period=0.05&every=2&{query}"));
    let feeds = [
        feed("ping", &url("ping"), "rule = [{ event = 'ping' }]"),
        feed("message", &url("message"), "rule = [{ event = 'message' }]"),
        feed("noise", &url("noise=1"), "rule = [{ event = 'ping' }]"),
    ];
    let resident = Resident::with_config(&feeds.concat());
    for (id, rule_on) in [("ping", "ping"), ("message", "message"), ("noise", "ping")] {
        let received = wait_for_events(&resident, id, 9);
        for (event, expected) in received.iter().zip(["ping", "ping", "message"].iter().cycle()) {
            assert_eq!(event.event, *expected, "{id}: {received:#?}");
            let shown = event.outcome == Outcome::Pending;
            assert!(shown || event.outcome == Outcome::Logged);
            assert_eq!(shown, event.event == rule_on, "{id}: {event:?}");
            let start =
                if event.event == "ping" { r#"{"time": "20"# } else { "This is a message at time 20" };
            // A PHP notice in the stream is no field that anyone knows.
            assert!(event.data.starts_with(start) && !event.data.contains("Notice"), "{id}: {}", event.data);
        }
    }
}

#[test]
fn the_three_examples_are_delivered_to_the_letter_in_every_disguise() {
    needs!(Need::Php);
    let connect = ("userconnect", r#"{"username": "bobby", "time": "02:33:48"}"#);
    let message = ("usermessage", r#"{"username": "bobby", "time": "02:34:11", "text": "Hi everyone."}"#);
    let system =
        ("message", "Here's a system message of some kind that will get used\nto accomplish some task.");
    let examples: [&[_]; 3] = [
        &[("message", "some text"), ("message", "another message\nwith two lines")],
        &[connect, message],
        &[connect, system, message],
    ];
    let disguises = ["", "eol=cr", "eol=crlf", "bom=1", "split=1", "eol=crlf&bom=1&split=1"];
    // Each stream is kept open, so that nothing comes twice, and the last event is delivered at its blank line, not at the end.
    let php = Server::php_with_workers(32);
    let cases: Vec<_> =
        (1..=3).flat_map(|n| (0..disguises.len()).map(move |disguise| (n, disguise))).collect();
    let feeds = cases.iter().map(|(n, disguise)| {
        let url = php.url(&format!("/004_examples.php?n={n}&hold=600&{}", disguises[*disguise]));
        feed(&format!("n{n}-{disguise}"), &url, "")
    });
    // Cut short they end at once, without their last blank line, and are asked for again.
    let cut =
        (1..=3).map(|n| feed(&format!("cut{n}"), &php.url(&format!("/004_examples.php?n={n}&cut=1")), ""));
    let resident = Resident::with_config(&feeds.chain(cut).collect::<String>());

    for (n, disguise) in cases {
        let (id, expected) = (format!("n{n}-{disguise}"), examples[n - 1]);
        let received = wait_for_events(&resident, &id, expected.len() as u64);
        assert_eq!(told(&received), expected, "{id}: {}", disguises[disguise]);
    }
    for (n, example) in (1..).zip(examples) {
        let (id, expected) = (format!("cut{n}"), &example[..example.len() - 1]);
        let rounds = 2 * expected.len() as u64;
        wait(&resident, &id, "the second round", |feed| feed.counts.events >= rounds);
        let received = events(&resident, &id);
        let whole = told(&received);
        assert!(
            whole.iter().zip(expected.iter().cycle()).all(|(event, expected)| event == expected),
            "{whole:?}"
        );
    }
}

/// Type and data of each.
fn told(events: &[Event]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event.event.as_str(), event.data.as_str())).collect()
}
