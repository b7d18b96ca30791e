//! Document 000: a response for each message, and rows of a table.

use std::io::{Read, Write};
use std::net::TcpStream;

use bellwether_control::wire::{ConnectionState, Outcome};
use bellwether_tests::{Need, Resident, Server, needs};
use serde_json::{Value, json};

use crate::{assert_no_fault, data, events, feed, history, listed, wait, wait_for_events};

/// Eleven waits that double from one second would take half an hour, or six minutes with the usual limit to the growth: both
/// are beyond the deadline.
#[test]
fn a_response_for_each_message_goes_on_for_ever_without_fault_and_without_growing_waits() {
    needs!(Need::Php);
    let php = Server::php();
    let resident = Resident::with_config("");
    let [mut quick, mut usual] = [resident.updates(), resident.updates()];
    let feeds = [
        feed("quick", &php.url("/000_time.php?retry=200"), ""),
        feed("usual", &php.url("/000_time.php"), ""),
        feed("printed", &php.url("/000_time.php?printed=1"), ""),
    ];
    std::fs::write(resident.config_file(), feeds.concat()).expect("feeds.toml can be written");

    assert_no_fault(&history(&mut quick, "quick", "12 rounds", |feed| feed.counts.events >= 12));
    assert_no_fault(&history(&mut usual, "usual", "4 rounds", |feed| feed.counts.events >= 4));
    for event in events(&resident, "quick").iter().chain(&events(&resident, "usual")) {
        assert!(event.data.starts_with("The Server Time has Changed "), "{}", event.data);
        assert_eq!(
            (event.event.as_str(), event.id.as_str(), event.outcome),
            ("message", "", Outcome::Pending)
        );
    }
    let quick = resident.feed("quick");
    assert_eq!((quick.connection.state, quick.counts.repeats), (ConnectionState::Connected, 0));

    // The document's code as printed never ends its block: nothing comes of it, and the person can see that something is wrong.
    let printed = wait(&resident, "printed", "a second attempt", |feed| {
        feed.connection.state == ConnectionState::Waiting && feed.connection.attempt >= 2
    });
    assert_eq!(crate::reason(&printed), "ended_empty");
    assert_eq!(listed(&resident, "feed=printed&held_back=true"), []);
}

#[test]
fn rows_are_shown_once_over_every_break_and_idle_messages_never() {
    needs!(Need::Php);
    let php = Server::php();
    let url = php.url("/000_record.php?period=0.05");
    let rules = "
        rule = [{ when = \"data == 'idle'\", action = 'ignore' }, { action = 'notify' }]";
    let mut resident = Resident::with_config(&feed("record", &url, rules));
    // Only rows from the connection on are sent to who has no last event ID.
    wait(&resident, "record", "an idle message", |feed| feed.counts.ignored > 0);
    insert(&php, "Stock", "1 left");
    wait_for_events(&resident, "record", 1);

    resident.kill();
    insert(&php, "Stock", "2 left");
    insert(&php, "Stock", "3 left");
    resident.start();
    wait_for_events(&resident, "record", 3);

    insert(&php, "库存", "4 left");
    let _: Value = resident.call("POST", "/feeds/record/reconnect", &Value::Null);
    wait_for_events(&resident, "record", 4);
    wait(&resident, "record", "its connection", |feed| feed.connection.state == ConnectionState::Connected);
    insert(&php, "库存", "5 left");
    let rows = wait_for_events(&resident, "record", 5);

    let texts: Vec<_> =
        rows.iter().map(|row| (row.id.as_str(), row.title.as_str(), row.body.as_str())).collect();
    let expected = [
        ("1", "Stock", "1 left"),
        ("2", "Stock", "2 left"),
        ("3", "Stock", "3 left"),
        ("4", "库存", "4 left"),
        ("5", "库存", "5 left"),
    ];
    assert_eq!(texts, expected);
    for row in &rows {
        assert_eq!((row.outcome, row.reason.rule), (Outcome::Pending, Some(2)));
    }
    let idle = listed(&resident, "feed=record&held_back=true");
    let idle: Vec<_> = idle.into_iter().filter(|event| event.data == "idle").collect();
    assert!(!idle.is_empty(), "what is ignored can be looked up");
    assert!(idle.iter().all(|event| (event.outcome, event.reason.rule) == (Outcome::Ignored, Some(1))));
    assert!(!data(&events(&resident, "record")).contains(&"idle"));
}

/// Adds a row to the document's table.
#[track_caller]
pub(crate) fn insert(php: &Server, title: &str, body: &str) {
    let row = json!({ "title": title, "body": body }).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", php.port())).expect("the server listens");
    stream.set_read_timeout(Some(crate::DEADLINE)).expect("a timeout can be set");
    let head = "POST /000_record.php HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{row}", row.len());
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    assert!(answer.split(' ').nth(1) == Some("201"), "{answer}");
}
