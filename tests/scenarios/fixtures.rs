//! The fixtures themselves: the desktop comes up and is watched, each server answers with its document's bytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bellwether_control::wire::Update;
use bellwether_tests::{Desktop, Need, Notifications, PATIENCE, Resident, Server, needs, until};

#[test]
fn a_desktop_comes_up_and_its_notifications_are_recorded() {
    needs!(Need::Desktop);
    let desktop = Desktop::start();
    let popups = Notifications::watch(&desktop);
    let send = [
        "-a",
        "ops",
        "-u",
        "critical",
        "-A",
        "default=Open",
        "-h",
        "string:desktop-entry:bellwether",
        "--wait",
    ];
    let mut sender = desktop.spawn("notify-send", &[&send[..], &["A & B", "你好"]].concat());

    let popup = popups.wait_for(|popup| popup.summary == "A & B");
    assert_eq!((popup.app_name.as_str(), popup.body.as_str(), popup.replaces_id), ("ops", "你好", 0));
    assert_eq!(popup.urgency(), Some(2));
    assert_eq!(popup.action("default"), Some("Open"));
    assert_eq!(popup.hints["desktop-entry"], "bellwether");
    assert_eq!(desktop.displayed(), 1);
    let picture = desktop.folder().join("screen.png");
    desktop.shot(&picture);
    assert!(picture.metadata().expect("a picture").len() > 1000);

    desktop.run("dunstctl", &["action", "0"]);
    until(PATIENCE, "the click", || popups.actions() == [(popup.id, "default".to_owned())]);
    sender.wait(PATIENCE);
}

#[test]
fn parts_of_a_desktop_are_left_out_and_come_back() {
    needs!(Need::Desktop);
    let desktop = Desktop::with(&["--no-notify", "--no-tray"]);
    assert!(
        !desktop.owned("org.freedesktop.Notifications") && !desktop.owned("org.kde.StatusNotifierWatcher")
    );
    let popups = Notifications::watch(&desktop);
    assert!(desktop.try_run("notify-send", &["too early"]).is_err());

    desktop.add("dunst");
    desktop.add("tray");
    desktop.run("notify-send", &["in time"]);
    popups.wait_for(|popup| popup.summary == "in time");
    desktop.end("notify");
    desktop.end("tray");
    assert!(desktop.try_run("notify-send", &["too late"]).is_err());
}

#[test]
fn php_sends_documents_000_003_and_004() {
    needs!(Need::Php);
    let php = Server::php();
    let time = until_end(&php.url("/000_time.php?retry=200"));
    assert!(time.starts_with("retry: 200\ndata: The Server Time has Changed "), "{time}");
    let record = read_until(&php.url("/000_record.php?period=0.05"), "data: idle\n\n");
    assert!(record.contains("text/event-stream"), "{record}");
    let message = until_end(&php.url("/003_message.php?count=1&period=0"));
    assert!(
        message.starts_with("event: message\ndata: {\"id\":") && message.contains("\\u6b22\\u8fce"),
        "{message}"
    );
    let ping = until_end(&php.url("/004_ping.php?count=2&every=2&period=0"));
    assert_eq!(
        (ping.matches("event: ping\n").count(), ping.matches("data: This is").count()),
        (2, 1),
        "{ping}"
    );
    let example = until_end(&php.url("/004_examples.php?n=1"));
    assert!(
        example.ends_with("data: some text\n\ndata: another message\ndata: with two lines\n\n"),
        "{example}"
    );
}

#[test]
fn node_sends_document_001_and_notices_the_hang_up() {
    needs!(Need::Node);
    let mut koa = Server::koa(&[("PERIOD_MS", "5"), ("RETRY_MS", "200")]);
    let stream = read_until(&koa.url("/test"), "event: pause\n");
    assert!(
        stream.contains("event: test\n") && stream.contains("data: 0\n") && stream.contains("retry: 200\n"),
        "{stream}"
    );
    koa.wait_for_line(PATIENCE, "closed.", |line| line == "closed.");
}

#[test]
fn go_sends_document_002_directly_and_through_each_of_nginx_s_paths() {
    needs!(Need::Go, Need::Nginx);
    let mut go = Server::go(&["-period", "20ms", "-count", "3", "-retry", "200"]);
    let nginx = Server::nginx(&go, &[]);
    let first = ":this is comment\nid: 3\nevent: message\ndata: {\"type\": \"counter\", \"value\": 3}\nretry: 200\n\n";
    for url in [go.url("/events"), nginx.url("/off/events"), nginx.url("/on/events")] {
        assert!(read_until(&url, "\"value\": 1}").contains(first), "{url}");
    }
    let logs = read_until(&go.url("/api/container/logs/web?tail=1"), "\n\n");
    assert!(logs.contains("event:message\ndata:\"d2ViIGxpbmUgMSBJTkZPCg==\"\n\n"), "{logs}");
    assert!(read_until(&nginx.url("/gone/"), "</html>").starts_with("HTTP/1.1 502"));
    assert!(read_until(&nginx.url("/moved/events"), "</html>").contains("307"));
    TcpStream::connect(nginx.https_url("").trim_start_matches("https://")).expect("https answers");

    drop(connect(&go.url("/api/container/logs/web?follow=1")));
    go.wait_for_line(PATIENCE, "closed.", |line| line.ends_with("closed."));
}

/// The body of an answer that ends.
fn until_end(url: &str) -> String {
    let mut text = String::new();
    connect(url).read_to_string(&mut text).expect("an answer in UTF-8");
    text.split_once("\r\n\r\n").expect("a head and a body").1.to_owned()
}

/// The bytes of an answer, head and chunks' sizes too, until they hold `end`; then hangs up.
fn read_until(url: &str, end: &str) -> String {
    let (mut stream, mut bytes) = (connect(url), Vec::new());
    while !String::from_utf8_lossy(&bytes).contains(end) {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).expect("the server sends in time");
        assert!(read > 0, "{url} ended without {end:?}: {}", String::from_utf8_lossy(&bytes));
        bytes.extend(&piece[..read]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn connect(url: &str) -> TcpStream {
    let (address, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    // In one piece: PHP's own server takes a request that comes in several for a malformed one.
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    stream
}

#[test]
fn the_resident_program_starts_is_spoken_to_is_killed_and_starts_again() {
    needs!(Need::Desktop, Need::Php);
    let (desktop, php) = (Desktop::start(), Server::php());
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    resident
        .in_desktop(&desktop)
        .config(&format!("[[feed]]\nid = 'time'\nurl = '{}'\n", php.url("/000_time.php?retry=200")));
    resident.start();
    let mut updates = resident.updates();
    updates.wait_for(
        PATIENCE,
        "an event",
        |update| matches!(update, Update::Event(event) if event.feed == "time"),
    );
    popups.wait_for(|popup| popup.body.starts_with("The Server Time has Changed"));
    assert_eq!(resident.feed("time").name, "time");

    resident.kill();
    resident.start();
    assert!(resident.events("feed=time&limit=1").events.len() == 1);
    assert!(resident.cli_text(&["feeds", "--json"]).contains("000_time.php"));
    assert!(resident.quit().success());
}
