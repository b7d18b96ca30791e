//! Requests on the control socket, and what its client takes for answers: reading them never panics, and what was read means
//! the same when it is written and read again.

use std::fmt::Debug;

use axum::{extract::Query, http::Uri};
use bellwether_control::wire;
use bellwether_engine::{
    config::{
        edit::{NewFeed, add_feed},
        parse,
    },
    feed::FeedId,
};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) const DICTIONARY: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e400",
    "18446744073709551615",
    "0.1",
    "\\u0000",
    "\\ud800",
    "\\",
    "\"url\":",
    "\"http://h/\"",
    "\"id\":",
    "\"name\":",
    "\"paused\":true",
    "\"idle_timeout_seconds\":",
    "\"repeats\":\"show\"",
    "\"seqs\":[1]",
    "\"feed\":",
    "\"read\":true",
    "\"event\":",
    "\"language\":\"en\"",
    "feed=",
    "event=",
    "search=",
    "unread=true",
    "held_back=",
    "since=",
    "2026-01-01T00:00:00Z",
    "before=",
    "limit=",
    "preview=",
    "&",
    "=",
    "%",
    "%00",
    "%ff",
    "+",
    "?",
    "#",
    "中",
    "\u{202E}",
    " ",
    "\n",
];

pub(crate) fn check(bytes: &[u8]) {
    if let Some(draft) = body::<wire::FeedDraft>(bytes) {
        addition(draft);
    }
    body::<wire::FeedEdit>(bytes);
    body::<wire::CredentialEdit>(bytes);
    body::<wire::ProbeWish>(bytes);
    body::<wire::MarkRead>(bytes);
    body::<wire::OpenWindow>(bytes);
    body::<wire::SettingsEdit>(bytes);
    body::<wire::Status>(bytes);
    body::<Vec<wire::Feed>>(bytes);
    body::<wire::EventPage>(bytes);
    body::<wire::Update>(bytes);
    body::<wire::Error>(bytes);
    query(bytes);
    let text = String::from_utf8_lossy(bytes);
    if let Some(id) = FeedId::new(&text) {
        assert_eq!(id.as_str(), text);
    }
}

/// A request's or an answer's body, if it is one of this type.
fn body<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    assert_eq!(serde_json::from_slice::<T>(&written).expect("what was written can be read"), value);
    Some(value)
}

/// The query of `GET /events`, read as the resident program reads it.
fn query(bytes: &[u8]) {
    let target = [b"/events?", bytes].concat();
    let Ok(uri) = Uri::try_from(target) else { return };
    if let Ok(Query(query)) = Query::<wire::EventQuery>::try_from_uri(&uri) {
        let value = serde_json::to_value(&query).expect("what was read can be written");
        assert_eq!(serde_json::from_value::<wire::EventQuery>(value).expect("a query"), query);
    }
}

/// What a request adds to `feeds.toml` is there, or the request is refused.
fn addition(draft: wire::FeedDraft) {
    let new = NewFeed {
        url: draft.url,
        id: draft.id,
        name: draft.name,
        paused: draft.paused.unwrap_or_default(),
        ..NewFeed::default()
    };
    match add_feed("", &new) {
        Ok((text, id)) => {
            let config = parse(&text).expect("an addition gives a good file");
            assert_eq!(config.feeds.len(), 1);
            assert_eq!((&config.feeds[0].id, config.feeds[0].paused), (&id, new.paused));
        }
        Err(error) => assert!(!error.message.to_string().is_empty()),
    }
}
