//! The five documents' servers, for real: what a correct client does with each (`tests/servers/README.md`), seen through the
//! resident program's control socket and on a desktop.
//!
//! Nothing here measures time. That something is quick enough is shown by what comes before what, or by how often it comes before a
//! deadline that a client with the fault in question could not meet.

mod document_000;
mod document_001;
mod document_002;
mod document_003;
mod document_004;
mod many;
mod nginx;
mod popups;

use std::cell::RefCell;
use std::time::Duration;

use bellwether_control::wire::{ConnectionState, Event, Feed, Update};
use bellwether_tests::{Control, Process, Updates, until_some};
use serde_json::Value;

/// How long an expectation may take: streams with waits of seconds in them, on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(120);

/// What makes a feed wait for [`connect_in_turn`].
const PAUSED: &str = "paused = true";

/// A feed's section of `feeds.toml`; `more` are its further lines.
fn feed(id: &str, url: &str, more: &str) -> String {
    format!("[[feed]]\nid = '{id}'\nurl = '{url}'\n{more}\n")
}

/// Connects paused feeds one after another. A worker of PHP's server that accepts two connections at the same moment answers the
/// second when the first has ended, which a stream may never do; a worker with a stream accepts none.
#[track_caller]
fn connect_in_turn(control: &Control, ids: impl IntoIterator<Item = impl AsRef<str>>) {
    for id in ids {
        let id = id.as_ref();
        let _: Feed = control.call("POST", &format!("/feeds/{id}/resume"), &Value::Null);
        wait(control, id, "its connection", |feed| feed.connection.state == ConnectionState::Connected);
    }
}

/// Waits until the feed `fits`, and returns it.
#[track_caller]
fn wait(control: &Control, id: &str, what: &str, fits: impl Fn(&Feed) -> bool) -> Feed {
    until_some(DEADLINE, &format!("{id}: {what}"), || Some(control.feed(id)).filter(&fits))
}

/// Waits until the feed has so many events in its lists, and returns them, oldest first. There may be more by then.
#[track_caller]
fn wait_for_events(control: &Control, id: &str, count: u64) -> Vec<Event> {
    wait(control, id, &format!("{count} events"), |feed| feed.counts.events >= count);
    events(control, id)
}

/// The feed's events as its list shows them, oldest first.
#[track_caller]
fn events(control: &Control, id: &str) -> Vec<Event> {
    listed(control, &format!("feed={id}"))
}

/// The events of a query, oldest first.
#[track_caller]
fn listed(control: &Control, query: &str) -> Vec<Event> {
    let mut page = control.events(query);
    let mut events = page.events;
    while let Some(before) = page.next_before {
        page = control.events(&format!("{query}&before={before}"));
        events.append(&mut page.events);
    }
    events.reverse();
    events
}

fn data(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.data.as_str()).collect()
}

/// Every state of the feed that the updates tell of until one `fits`.
#[track_caller]
fn history(updates: &mut Updates, id: &str, what: &str, fits: impl Fn(&Feed) -> bool) -> Vec<Feed> {
    let seen = RefCell::new(Vec::new());
    updates.wait_for(DEADLINE, &format!("{id}: {what}"), |update| {
        let feeds = match update {
            Update::Feed(feed) => std::slice::from_ref(feed),
            Update::Status(status) => &status.feeds,
            Update::Lagged => panic!("updates are missing"),
            _ => &[],
        };
        let mut ours = feeds.iter().filter(|feed| feed.id == id);
        ours.any(|feed| {
            seen.borrow_mut().push(feed.clone());
            fits(feed)
        })
    });
    seen.into_inner()
}

/// That no state in a history is one that a person would take for a fault.
#[track_caller]
fn assert_no_fault(history: &[Feed]) {
    for feed in history {
        let connection = &feed.connection;
        let well = matches!(connection.state, ConnectionState::Connecting | ConnectionState::Connected);
        assert!(
            well && connection.reason.is_none() && connection.attempt == 0,
            "{}: {connection:?}",
            feed.id
        );
    }
}

/// The code of the reason why the feed is not connected; empty if none.
fn reason(feed: &Feed) -> &str {
    feed.connection.reason.as_ref().map_or("", |reason| &reason.code)
}

/// How often a server has printed that a client hung up.
fn hang_ups(server: &Process) -> usize {
    server.lines().iter().filter(|line| line.ends_with("closed.")).count()
}
