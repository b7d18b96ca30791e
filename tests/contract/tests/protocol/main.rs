//! The contract-test service, driven as an outside harness drives it.

mod harness;

use bellwether_tests::PATIENCE;
use harness::{Callbacks, Service, StreamServer, request};
use serde_json::{Value, json};

#[test]
fn it_says_what_it_can_refuses_what_it_cannot_and_quits() {
    let mut service = Service::start();
    let (status, _, body) = request(&service.url, "GET", None);
    assert_eq!(status, 200);
    let capabilities = json!({ "capabilities": [
        "bom", "comments", "headers", "last-event-id", "read-timeout", "restart",
        "server-directed-shutdown-request",
    ] });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), capabilities);

    let good = json!({ "streamUrl": "http://127.0.0.1:1/", "callbackUrl": "http://127.0.0.1:1/" });
    for (key, value) in [
        ("streamUrl", json!("not a URL")),
        ("streamUrl", Value::Null),
        ("callbackUrl", json!("/relative")),
        ("initialDelayMs", json!(-1)),
        ("headers", json!({ "a header": "x" })),
        ("headers", json!({ "x-lines": "a\nb" })),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        assert_eq!(request(&service.url, "POST", Some(&bad)).0, 400, "{bad}");
    }
    assert_eq!(request(&format!("{}streams/1", service.url), "POST", Some(&json!({}))).0, 404);
    assert_eq!(request(&format!("{}streams/1", service.url), "DELETE", None).0, 404);

    assert_eq!(request(&service.url, "DELETE", None).0, 204);
    assert!(service.process.wait(PATIENCE).success());
}

#[test]
fn events_and_comments_are_called_back_one_after_the_other() {
    let (service, server, mut callbacks) = (Service::start(), StreamServer::start(), Callbacks::start());
    let stream = service.open(&json!({
        "streamUrl": server.url, "callbackUrl": callbacks.url, "tag": "a test",
        "lastEventId": "41", "headers": { "x-key": "é", "accept": "text/event-stream;q=1" },
    }));
    let mut connection = server.connection();
    assert!(connection.head.starts_with("GET /stream HTTP/1.1\r\n"), "{}", connection.head);
    for header in
        ["last-event-id: 41", "x-key: é", "accept: text/event-stream;q=1", "cache-control: no-cache"]
    {
        assert!(connection.head.to_lowercase().contains(&format!("\r\n{header}\r\n")), "{}", connection.head);
    }
    connection.open();
    connection
        .send("\u{FEFF}:Hello\n: spaced\ndata: a\ndata: b\n\nid: 42\nevent: put\ndata: c\n\ndata: d\n\n");
    callbacks.expect(&json!({ "kind": "comment", "comment": "Hello" }));
    callbacks.expect(&json!({ "kind": "comment", "comment": " spaced" }));
    callbacks.expect_event("message", "a\nb", "41");
    callbacks.expect_event("put", "c", "42");
    callbacks.expect_event("message", "d", "42");

    // No preparation is needed for a type, but none is refused.
    let listen = json!({ "command": "listen", "listen": { "type": "patch" } });
    assert_eq!(request(&stream, "POST", Some(&listen)).0, 202);
    connection.send("event: patch\ndata: e\n\n");
    callbacks.expect_event("patch", "e", "42");

    assert_eq!(request(&stream, "POST", Some(&json!({ "command": "dance" }))).0, 400);
    assert_eq!(request(&stream, "DELETE", None).0, 204);
    connection.wait_for_hang_up();
    assert_eq!(request(&stream, "DELETE", None).0, 404);
    callbacks.assert_quiet();
}

#[test]
fn a_stream_reconnects_after_its_end_a_failure_and_a_restart() {
    let (service, server, mut callbacks) = (Service::start(), StreamServer::start(), Callbacks::start());
    let stream = service.open(&json!({
        "streamUrl": server.url, "callbackUrl": callbacks.url, "initialDelayMs": 0,
    }));
    let mut connection = server.connection();
    assert!(!connection.head.to_lowercase().contains("last-event-id"));
    connection.open();
    connection.send("retry: 0\nid: 1\ndata: a\n\n");
    callbacks.expect_event("message", "a", "1");
    // The end of a response that gave something is no failure.
    drop(connection);

    let connection = server.connection();
    assert!(connection.head.to_lowercase().contains("\r\nlast-event-id: 1\r\n"));
    connection.answer("500 Internal Server Error");
    callbacks.expect_error("status: 500");
    server.connection().answer("404 Not Found");
    callbacks.expect_error("not_found: 404");

    let mut connection = server.connection();
    connection.open();
    connection.send("id: 2\ndata: b\n\n");
    callbacks.expect_event("message", "b", "2");
    assert_eq!(request(&stream, "POST", Some(&json!({ "command": "restart" }))).0, 202);
    connection.wait_for_hang_up();
    let connection = server.connection();
    assert!(connection.head.to_lowercase().contains("\r\nlast-event-id: 2\r\n"));

    // The server ends it for good, unless the harness wants otherwise.
    connection.answer("204 No Content");
    callbacks.expect_error("no_content: 204");
    assert_eq!(request(&stream, "POST", Some(&json!({ "command": "restart" }))).0, 202);
    server.connection().open();
}

#[test]
fn silence_is_an_error_and_the_stream_is_asked_for_again() {
    let (service, server, mut callbacks) = (Service::start(), StreamServer::start(), Callbacks::start());
    service.open(&json!({
        "streamUrl": server.url, "callbackUrl": callbacks.url, "initialDelayMs": 0, "readTimeoutMs": 100,
    }));
    let mut connection = server.connection();
    connection.open();
    callbacks.expect_error("idle");
    connection.wait_for_hang_up();
    server.connection();
}
