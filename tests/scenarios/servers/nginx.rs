//! Document 002's nginx, well and badly set.

use bellwether_control::wire::{ConnectionState, Feed};
use bellwether_tests::{Need, Resident, Server, needs};

use crate::{data, events, feed, listed, reason, wait, wait_for_events};

#[test]
fn every_path_delivers_every_event_once_and_in_order_at_once_or_in_lumps() {
    needs!(Need::Go, Need::Nginx);
    // The next round is far away: what came, came of one response.
    let go = Server::go(&["-period", "50ms", "-count", "100", "-retry", "600000"]);
    let nginx = Server::nginx(&go, &[]);
    let paths = [
        ("direct", go.url("/events"), &go),
        ("off", nginx.url("/off/events"), &nginx),
        ("on", nginx.url("/on/events"), &nginx),
        ("accel", nginx.url("/on/events?accel=1"), &nginx),
        ("gzip", nginx.url("/gzip/events"), &nginx),
        ("moved", nginx.url("/moved/events"), &nginx),
    ];
    let feeds = paths.each_ref().map(|(id, url, _)| feed(id, url, ""));
    let resident = Resident::with_config(&feeds.concat());
    let expected: Vec<_> =
        (1..=100).rev().map(|n| format!(r#"{{"type": "counter", "value": {n}}}"#)).collect();
    let received = paths.each_ref().map(|(id, ..)| wait_for_events(&resident, id, 100));

    let first_of_on = received[2][0].seq;
    for ((id, _, server), received) in paths.iter().zip(&received) {
        assert_eq!(data(received), expected, "{id}");
        assert!(received.iter().zip((1..=100).rev()).all(|(event, n)| event.id == n.to_string()), "{id}");
        assert!(received.iter().all(|event| event.origin == server.url("")), "{id}: {}", received[0].origin);
        let feed = resident.feed(id);
        assert_eq!((feed.connection.state, reason(&feed)), (ConnectionState::Connected, ""), "{id}");
        // Where nginx holds back, its first lump is of some 40 events; by then every other path has passed many on.
        let before = received.iter().filter(|event| event.seq < first_of_on).count();
        assert!(*id == "on" || before >= 5, "{id}: {before} events before the first lump");
    }
    // Only behind the buffer do events come together: for its first 20, no other path has ten between two.
    let first_lump: Vec<u64> = received[2].iter().take(20).map(|event| event.seq).collect();
    assert!(first_lump.windows(2).all(|pair| pair[1] - pair[0] < 50), "{first_lump:?}");
}

#[test]
fn a_proxy_that_gives_up_is_a_transient_fault_and_its_pages_are_never_shown() {
    needs!(Need::Go, Need::Php, Need::Nginx);
    let (go, php) = (Server::go(&["-period", "5s"]), Server::php());
    let give_up = [("READ_TIMEOUT", "1s")];
    let [before_go, before_php] = [Server::nginx(&go, &give_up), Server::nginx(&php, &give_up)];
    let feeds = [
        // Silence behind the first event: the chunked body breaks off.
        feed("broken", &before_php.url("/timeout/003_message.php?period=30"), ""),
        // Silence from the beginning: 504.
        feed("late", &before_go.url("/timeout/events"), ""),
        feed("gone", &before_go.url("/gone/"), ""),
        feed("untrusted", &before_go.https_url("/off/events"), ""),
    ];
    let mut resident = Resident::with_config(&feeds.concat());
    let waiting = |feed: &Feed| feed.connection.state == ConnectionState::Waiting;

    let broken = wait(&resident, "broken", "a break", waiting);
    assert_eq!((reason(&broken), broken.connection.attempt), ("broken", 1));
    assert!(broken.connection.next_attempt_at.is_some());
    for (id, status) in [("gone", "502"), ("late", "504")] {
        let refused =
            wait(&resident, id, "a second attempt", |feed| waiting(feed) && feed.connection.attempt >= 2);
        let why = refused.connection.reason.map(|reason| (reason.code, reason.detail));
        assert_eq!(why, Some(("status".to_owned(), status.to_owned())));
    }
    let untrusted = wait(&resident, "untrusted", "a refused certificate", |feed| {
        feed.connection.state == ConnectionState::NeedsAttention
    });
    assert_eq!(reason(&untrusted), "tls_untrusted");
    assert!(untrusted.connection.next_attempt_at.is_some(), "it is tried again, slowly");

    // The reconnect after the break delivers again; an event starts the waits over.
    wait_for_events(&resident, "broken", 2);
    let broken = wait(&resident, "broken", "the next break", waiting);
    assert_eq!((reason(&broken), broken.connection.attempt), ("broken", 1));
    for id in ["gone", "late", "untrusted"] {
        assert_eq!(events(&resident, id), [], "{id}");
        assert_eq!(listed(&resident, &format!("feed={id}&held_back=true")), [], "{id}");
    }
    let told = [
        serde_json::to_string(&resident.status()).expect("a status is JSON"),
        resident.cli_text(&["status"]),
        resident.process().lines().join("\n"),
    ];
    for text in told {
        for page in ["<html", "Bad Gateway", "nginx"] {
            assert!(!text.contains(page), "{page} in {text}");
        }
    }
}
