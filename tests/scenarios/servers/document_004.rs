//! Document 004: named against unnamed events, and its three literal examples.

use bellwether_control::wire::{Event, Outcome};
use bellwether_tests::{Need, Resident, Server, needs};

use crate::{PAUSED, connect_in_turn, feed, wait_for_events};

#[test]
fn a_rule_on_ping_gets_the_pings_alone_and_one_on_message_the_messages_alone() {
    needs!(Need::Php);
    let php = Server::php();
    let url = |query: &str| php.url(&format!("/004_ping.php?period=0.05&every=2&{query}"));
    let rule = |event: &str| format!("{PAUSED}\nrule = [{{ event = '{event}' }}]");
    let feeds = [
        feed("ping", &url("ping"), &rule("ping")),
        feed("message", &url("message"), &rule("message")),
        feed("noise", &url("noise=1"), &rule("ping")),
    ];
    let resident = Resident::with_config(&feeds.concat());
    connect_in_turn(&resident, ["ping", "message", "noise"]);
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
    let url = |n: usize, query: &str| php.url(&format!("/004_examples.php?n={n}&{query}"));
    let cases: Vec<_> = (1..=3)
        .flat_map(|n| {
            disguises.map(|disguise| (format!("n{n}{}", disguise.replace(['=', '&'], "-")), n, disguise))
        })
        .collect();
    let whole =
        cases.iter().map(|(id, n, disguise)| feed(id, &url(*n, &format!("hold=600&{disguise}")), PAUSED));
    // Cut short they end at once, without their last blank line, and are asked for again.
    let cut = (1..=3).map(|n| feed(&format!("cut{n}"), &url(n, "cut=1"), PAUSED));
    let resident = Resident::with_config(&whole.chain(cut).collect::<String>());
    connect_in_turn(&resident, cases.iter().map(|(id, ..)| id));
    connect_in_turn(&resident, ["cut1", "cut2", "cut3"]);

    for (id, n, _) in &cases {
        let expected = examples[n - 1];
        let received = wait_for_events(&resident, id, expected.len() as u64);
        assert_eq!(told(&received), expected, "{id}");
    }
    for (id, example) in ["cut1", "cut2", "cut3"].into_iter().zip(examples) {
        let expected = &example[..example.len() - 1];
        let received = wait_for_events(&resident, id, 2 * expected.len() as u64);
        let told = told(&received);
        assert!(
            told.iter().zip(expected.iter().cycle()).all(|(event, expected)| event == expected),
            "{told:?}"
        );
    }
}

/// Type and data of each.
fn told(events: &[Event]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event.event.as_str(), event.data.as_str())).collect()
}
