//! A network that loses every packet and says nothing, or whose cable is pulled out: between two machines with a router
//! between them.

use std::time::{Duration, Instant};

use bellwether_control::wire::ConnectionState::{Connected, Waiting};
use bellwether_tests::{Lan, NumberedStream, PATIENCE, Resident, skip, until};

use crate::feed;

/// What the server asks its clients to wait: who does not hear of the network's return waits so long, and longer.
const RETRY: Duration = Duration::from_secs(30);

/// How long the way back may take once the network carries packets again.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn packets_that_vanish_are_noticed_by_the_silence_and_come_back_without_a_wait() {
    let lan = match Lan::start() {
        Ok(lan) => lan,
        Err(reason) => skip!("{reason}"),
    };
    let stream = lan.on_server(|| NumberedStream::at(Lan::SERVER, RETRY));
    let mut resident = Resident::prepare();
    resident.config(&(feed("one", &stream.url("/one"), 5) + &feed("two", &stream.url("/two"), 6)));
    lan.on_client(|| resident.start());
    stream.send(10);
    let have = |events| ["one", "two"].iter().all(|id| resident.feed(id).counts.events == events);
    until(PATIENCE, "the first events", || have(10));

    lan.forward(false);
    stream.send(10);
    for (id, idle_timeout) in [("one", "5"), ("two", "6")] {
        until(PATIENCE, "the silence to be noticed", || resident.feed(id).connection.state == Waiting);
        let reason = resident.feed(id).connection.reason.expect("a reason");
        assert_eq!((reason.code.as_str(), reason.detail.as_str()), ("idle", idle_timeout));
    }
    let text = resident.cli_text(&["status"]);
    assert!(text.contains("5 s") && text.contains("6 s"), "{text}");
    // Requests get lost as well.
    resident.cli_text(&["feeds", "reconnect"]);
    until(PATIENCE, "a lost request", || {
        let connection = resident.feed("one").connection;
        connection.state == Waiting
            && connection.reason.is_some_and(|reason| reason.code == "connect_timeout")
    });
    assert!(have(10));

    lan.forward(true);
    let begin = Instant::now();
    until(SOON, "the connections", || {
        ["one", "two"].iter().all(|id| resident.feed(id).connection.state == Connected)
    });
    println!("back after {:.1?}", begin.elapsed());
    until(PATIENCE, "the events from meanwhile", || have(20));
    let requests = stream.requests();
    assert!(requests[2..].iter().all(|request| request.last_event_id.as_deref() == Some("10")));
    // What only looks whether there is a way asks for nothing.
    assert_eq!(requests.len(), 4, "{requests:?}");
}

#[test]
fn a_cable_that_is_plugged_in_again_ends_the_wait() {
    let lan = match Lan::start() {
        Ok(lan) => lan,
        Err(reason) => skip!("{reason}"),
    };
    let stream = lan.on_server(|| NumberedStream::at(Lan::SERVER, RETRY));
    let mut resident = Resident::prepare();
    resident.config(&(feed("one", &stream.url("/one"), 2) + &feed("two", &stream.url("/two"), 4)));
    lan.on_client(|| resident.start());
    stream.send(10);
    let have = |events| ["one", "two"].iter().all(|id| resident.feed(id).counts.events == events);
    until(PATIENCE, "the first events", || have(10));

    lan.plug_in_client(false);
    for id in ["one", "two"] {
        until(PATIENCE, "the silence to be noticed", || resident.feed(id).connection.state == Waiting);
    }
    stream.send(10);
    lan.plug_in_client(true);
    let begin = Instant::now();
    until(SOON, "the rest", || have(20));
    println!("back after {:.1?}", begin.elapsed());
}

#[test]
fn a_way_into_the_network_ends_the_waits_of_feeds_that_never_saw_it() {
    let lan = match Lan::start() {
        Ok(lan) => lan,
        Err(reason) => skip!("{reason}"),
    };
    let stream = lan.on_server(|| NumberedStream::at(Lan::SERVER, RETRY));
    let mut resident = Resident::prepare();
    resident.config(&feed("far", &stream.url("/"), 300));
    lan.set_client_link(false);
    lan.on_client(|| resident.start());
    // The fourth wait is one of 24 s or more.
    until(3 * PATIENCE, "waits that have grown", || {
        let connection = resident.feed("far").connection;
        connection.state == Waiting && connection.attempt == 4
    });
    assert_eq!(resident.feed("far").connection.reason.expect("a reason").code, "unreachable");

    lan.set_client_link(true);
    let begin = Instant::now();
    until(SOON, "the connection", || resident.feed("far").connection.state == Connected);
    println!("back after {:.1?}", begin.elapsed());
}
