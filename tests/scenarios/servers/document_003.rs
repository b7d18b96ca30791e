//! Document 003: messages in JSON, with everything that its settings may change around them.

use bellwether_control::wire::{ConnectionState, Event, Outcome};
use bellwether_tests::{Need, Resident, Server, needs};

use crate::{
    PAUSED, assert_no_fault, connect_in_turn, data, events, feed, history, listed, reason, wait,
    wait_for_events,
};

#[test]
fn its_messages_arrive_whatever_the_line_ends_and_the_name() {
    needs!(Need::Php);
    let php = Server::php();
    let url = |query: &str| php.url(&format!("/003_message.php?period=0.05&{query}"));
    let cases = [
        ("as-printed", "", "message"),
        ("crlf", "eol=crlf", "message"),
        ("named", "event=mail", "mail"),
        ("no-name", "event=", "message"),
        ("comments", "keepalive=0.01", "message"),
    ];
    let feeds = cases.map(|(id, query, _)| feed(id, &url(query), PAUSED));
    let resident = Resident::with_config(&feeds.concat());
    connect_in_turn(&resident, cases.map(|(id, ..)| id));
    for (id, _, event_type) in cases {
        for event in wait_for_events(&resident, id, 3) {
            assert_eq!((event.event.as_str(), event.id.as_str()), (event_type, ""), "{id}");
            assert!(event.data.contains(r"\u6b22\u8fce\u6765\u5230test"), "{id}: the data are as received");
            assert!(event.body.starts_with("欢迎来到test,现在是北京时间20"), "{id}: {}", event.body);
            assert_eq!(event.outcome, Outcome::Pending, "{id}");
        }
    }
}

#[test]
fn null_is_skipped_by_a_rule() {
    needs!(Need::Php);
    let php = Server::php();
    let rules = "rule = [{ when = 'data is none', action = 'ignore' }, { action = 'notify' }]";
    let url = php.url("/003_message.php?period=0.05&null=3");
    let resident = Resident::with_config(&feed("skipping", &url, rules));
    let shown = wait_for_events(&resident, "skipping", 8);
    assert!(shown.iter().all(|event| event.data.starts_with('{')), "{:?}", data(&shown));

    let is_null = |event: &Event| event.data == "null";
    let nulls: Vec<_> =
        listed(&resident, "feed=skipping&held_back=true").into_iter().filter(is_null).collect();
    assert!(nulls.len() >= 2 && nulls.iter().all(|event| event.outcome == Outcome::Ignored), "{nulls:?}");
}

#[test]
fn numbered_messages_resume_where_the_response_ended() {
    needs!(Need::Php);
    let php = Server::php();
    let url = php.url("/003_message.php?period=0.05&id=1&count=2&retry=500");
    let resident = Resident::with_config("");
    let mut updates = resident.updates();
    std::fs::write(resident.config_file(), feed("numbered", &url, "")).expect("feeds.toml can be written");
    assert_no_fault(&history(&mut updates, "numbered", "three responses", |feed| feed.counts.events >= 6));
    let numbered = events(&resident, "numbered");
    for (number, event) in (1..).zip(&numbered) {
        assert_eq!(event.id, number.to_string(), "{numbered:#?}");
    }
    assert_eq!(resident.feed("numbered").counts.repeats, 0);
}

/// Where comments come, the second message can only be waited for because they count; where none come, the connection counts as
/// dead before it.
#[test]
fn comments_are_signs_of_life_and_silence_is_noticed() {
    needs!(Need::Php);
    let php = Server::php();
    let idle_timeout = |seconds: u32| format!("{PAUSED}\nidle_timeout = {seconds}");
    let feeds = [
        feed("kept", &php.url("/003_message.php?period=10&keepalive=0.1"), &idle_timeout(5)),
        feed("silent", &php.url("/003_message.php?period=3600"), &idle_timeout(1)),
    ];
    let resident = Resident::with_config(&feeds.concat());
    connect_in_turn(&resident, ["kept", "silent"]);
    let mut updates = resident.updates();
    assert_no_fault(&history(&mut updates, "kept", "a second message", |feed| feed.counts.events >= 2));
    let silent = wait(&resident, "silent", "the end of patience", |feed| {
        feed.connection.state == ConnectionState::Waiting
    });
    assert_eq!(reason(&silent), "idle");
}
