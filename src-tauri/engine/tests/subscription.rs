//! Subscriptions over real sockets, against servers that answer from a script.

mod support;

use std::{
    net::TcpListener,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bellwether_engine::{
    feed::{Reason, State},
    subscription::{Client, ClientError, HeaderMap, HeaderName, HeaderValue, Signal, Subscription},
};
use jiff::Timestamp;
use support::{Act, Running, ScriptedServer, answer, send, stream, subscription};
use tokio::sync::Notify;
use url::Url;

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn pair(data: &str, last_event_id: &str) -> (String, String) {
    (data.to_owned(), last_event_id.to_owned())
}

#[tokio::test]
async fn a_stream_is_asked_for_as_the_standard_says_and_its_messages_arrive() {
    let mut server =
        ScriptedServer::start(vec![vec![stream("id: 1\ndata: 你好\n\nid: 2\n\ndata: b\n\n"), Act::Hold]])
            .await;
    let mut running = Running::to(server.url("/stream?a=b"));

    let request = server.request().await;
    assert_eq!(request.line, "GET /stream?a=b HTTP/1.1");
    assert_eq!(request.header("accept"), Some(&b"text/event-stream"[..]));
    assert_eq!(request.header("cache-control"), Some(&b"no-cache"[..]));
    assert_eq!(request.header("accept-encoding"), Some(&b"identity"[..]));
    assert_eq!(request.header("user-agent"), Some(&b"Bellwether/0.0.0"[..]));
    assert_eq!(request.header("last-event-id"), None);
    assert_eq!(request.header("referer"), None);

    running.plain_state(State::Connecting).await;
    let origin = server.url("/").origin().ascii_serialization();
    assert_eq!(running.signal().await, Signal::Opened { origin, replay: false, moved_to: None });
    let state = running.state().await;
    assert_eq!(state.state, State::Connected);
    assert!(state.connected_at.is_some());
    assert_eq!(running.message().await, pair("你好", "1"));
    assert_eq!(running.signal().await, Signal::LastEventId("2".into()));
    assert_eq!(running.message().await, pair("b", "2"));
}

#[tokio::test]
async fn dropping_a_subscription_closes_its_connection() {
    let mut server = ScriptedServer::start(vec![vec![stream(""), Act::Hold]]).await;
    let mut running = Running::to(server.url("/"));
    running.connected().await;
    running.abort();
    server.hang_up().await;
}

#[tokio::test]
async fn no_content_and_gone_end_it_for_good() {
    for (status, code) in [("204 No Content", 204), ("410 Gone", 410)] {
        let mut server = ScriptedServer::start(vec![vec![answer(status, "")]]).await;
        let mut running = Running::to(server.url("/"));
        running.plain_state(State::Connecting).await;
        let state = running.state_for(State::Stopped, Reason::Status(code)).await;
        assert_eq!(state.next_attempt_at, None);
        running.finished().await;
        server.request().await;
        server.assert_quiet();
    }
}

#[tokio::test]
async fn a_redirect_is_followed_with_the_id_alone_and_each_reconnect_begins_at_the_configured_url() {
    let mut target = ScriptedServer::start(vec![vec![stream("id: 8\ndata: a\n\n")]]).await;
    let location = format!("Location: {}\r\n", target.url("/final"));
    let redirect = || vec![answer("307 Temporary Redirect", &location)];
    let mut server = ScriptedServer::start(vec![redirect(), redirect()]).await;
    let mut running = Running::start(
        Subscription {
            last_event_id: "7".into(),
            headers: HeaderMap::from_iter([
                (HeaderName::from_static("x-api-key"), HeaderValue::from_static("secret")),
                (HeaderName::from_static("accept"), HeaderValue::from_static("text/plain")),
            ]),
            ..subscription(server.url("/configured"))
        },
        TEN_SECONDS,
    );

    running.plain_state(State::Connecting).await;
    let origin = target.url("/").origin().ascii_serialization();
    assert_eq!(running.signal().await, Signal::Opened { origin, replay: true, moved_to: None });
    running.plain_state(State::Connected).await;
    assert_eq!(running.message().await, pair("a", "8"));
    for id in [&b"7"[..], b"8"] {
        // Another port is another origin: it gets none of the feed's own headers.
        for (server, line, key, accept) in [
            (&mut server, "GET /configured HTTP/1.1", Some(&b"secret"[..]), &b"text/plain"[..]),
            (&mut target, "GET /final HTTP/1.1", None, b"text/event-stream"),
        ] {
            let request = server.request().await;
            assert_eq!((&*request.line, request.header("last-event-id")), (line, Some(id)));
            assert_eq!(request.header("referer"), None);
            assert_eq!((request.header("x-api-key"), request.header("accept")), (key, Some(accept)));
        }
    }
}

#[tokio::test]
async fn a_refusal_needs_attention_and_trying_now_ends_the_wait() {
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
    let cases = [
        (answer("404 Not Found", ""), Reason::Status(404)),
        (send(html), Reason::ContentType(Some("text/html".into()))),
        (answer("200 OK", ""), Reason::ContentType(None)),
        (
            answer("200 OK", "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"),
            Reason::ContentEncoding("gzip".into()),
        ),
    ];
    for (act, reason) in cases {
        let mut server = ScriptedServer::start(vec![vec![act], vec![stream("data: a\n\n"), Act::Hold]]).await;
        let mut running = Running::to(server.url("/"));
        // A wish that comes before there is a wait has no effect on it.
        running.news.try_now();
        running.plain_state(State::Connecting).await;
        let state = running.state_for(State::NeedsAttention, reason.clone()).await;
        assert_eq!(state.attempt, 1);
        assert!(state.next_attempt_at.is_some());
        server.request().await;
        server.assert_quiet();
        running.news.try_now();
        running.state_for(State::Connecting, reason).await;
        assert!(!running.opened().await, "nothing was received that could be repeated");
        running.plain_state(State::Connected).await;
        assert_eq!(running.message().await, pair("a", ""));
    }
}

#[tokio::test]
async fn waking_up_drops_whatever_connection_there_is_and_makes_it_anew_with_its_id() {
    let mut server = ScriptedServer::start(vec![
        vec![stream("id: 1\ndata: a\n\n"), Act::Hold],
        vec![Act::Hold],
        vec![answer("404 Not Found", "")],
        vec![stream("id: 2\ndata: b\n\n"), Act::Hold],
    ])
    .await;
    let mut running = Running::to(server.url("/"));
    running.connected().await;
    assert_eq!(running.message().await, pair("a", "1"));
    assert_eq!(server.request().await.header("last-event-id"), None);
    // The stream is open.
    running.news.network_came_back();
    running.news.woke_up();
    server.hang_up().await;
    running.plain_state(State::Waiting).await;
    running.plain_state(State::Connecting).await;
    assert_eq!(server.request().await.header("last-event-id"), Some(&b"1"[..]));
    // The request is under way.
    running.news.woke_up();
    server.hang_up().await;
    running.plain_state(State::Waiting).await;
    running.plain_state(State::Connecting).await;
    server.request().await;
    let state = running.state_for(State::NeedsAttention, Reason::Status(404)).await;
    assert_eq!(state.attempt, 1);
    // It waits.
    running.news.woke_up();
    assert_eq!(running.state().await.state, State::Waiting);
    assert_eq!(running.state().await.state, State::Connecting);
    assert!(running.opened().await, "a reconnect may replay");
    running.plain_state(State::Connected).await;
    assert_eq!(running.message().await, pair("b", "2"));
    assert_eq!(server.request().await.header("last-event-id"), Some(&b"1"[..]));
    server.assert_quiet();
}

#[tokio::test]
async fn a_server_error_is_tried_again_by_itself() {
    let unavailable = || vec![answer("503 Service Unavailable", "")];
    let mut server =
        ScriptedServer::start(vec![unavailable(), unavailable(), vec![stream(""), Act::Hold]]).await;
    let mut running = Running::to(server.url("/"));
    running.plain_state(State::Connecting).await;
    for attempt in [1, 2] {
        let state = running.state_for(State::Waiting, Reason::Status(503)).await;
        assert_eq!(state.attempt, attempt);
        running.state_for(State::Connecting, Reason::Status(503)).await;
    }
    running.opened().await;
    running.plain_state(State::Connected).await;
    for _ in 0..3 {
        server.request().await;
    }
}

#[tokio::test]
async fn retry_after_is_respected_in_both_forms() {
    let (before, later) = (SystemTime::now(), Duration::from_secs(1800));
    // A date has whole seconds.
    let due = Timestamp::try_from(before + later - Duration::from_secs(1)).unwrap();
    let unavailable =
        |value: &str| vec![answer("503 Service Unavailable", &format!("Retry-After: {value}\r\n"))];
    let date = httpdate::fmt_http_date(before + later);
    let mut server = ScriptedServer::start(vec![unavailable("1800"), unavailable(&date)]).await;
    let mut running = Running::to(server.url("/"));
    running.plain_state(State::Connecting).await;
    for _ in 0..2 {
        let state = running.state_for(State::Waiting, Reason::Status(503)).await;
        assert!(state.next_attempt_at.is_some_and(|next| next >= due), "{state:?}");
        server.request().await;
        server.assert_quiet();
        running.news.try_now();
        running.state_for(State::Connecting, Reason::Status(503)).await;
    }
}

#[tokio::test]
async fn failures_to_connect_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let label_too_long = format!("{}.invalid", "x".repeat(64));
    for (url, reason) in [
        (format!("http://{closed}/"), Reason::Refused(closed.to_string())),
        (format!("http://{label_too_long}/"), Reason::Dns(label_too_long.clone())),
    ] {
        let mut running = Running::to(Url::parse(&url).unwrap());
        running.plain_state(State::Connecting).await;
        running.state_for(State::Waiting, reason.clone()).await;
        running.state_for(State::Connecting, reason).await;
    }
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_no_matter_of_its_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut connection, _) = listener.accept().unwrap();
        assert!(connection.read(&mut [0; 1024]).unwrap() > 0);
        connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let mut running = Running::to(Url::parse(&url).unwrap());
    running.plain_state(State::Connecting).await;
    let state = running.state().await;
    assert_eq!(state.state, State::Waiting);
    assert!(matches!(state.reason, Some(Reason::Tls(_))), "{state:?}");
    server.join().unwrap();
}

#[tokio::test]
async fn an_untrusted_certificate_needs_attention() {
    let (url, server) = support::untrusted();
    let mut running = Running::to(url);
    running.plain_state(State::Connecting).await;
    running.state_for(State::NeedsAttention, Reason::TlsUntrusted("127.0.0.1".into())).await;
    server.join().unwrap();
}

#[tokio::test]
async fn a_clean_end_after_events_goes_on_with_the_id_and_without_a_word() {
    let chunk = "8\r\nid: 3\nda\r\n9\r\nta: c\n\n: \r\n0\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let length = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 16\r\n\r\n";
    let mut server = ScriptedServer::start(vec![
        vec![stream("id: 1\ndata: a\n\n")],
        vec![send(format!("{length}id: 2\ndata: b\n\n\n"))],
        vec![send(format!("{chunked}{chunk}"))],
        vec![stream("data: d\n\n")],
    ])
    .await;
    let mut running = Running::to(server.url("/"));
    running.connected().await;
    assert_eq!(running.message().await, pair("a", "1"));
    for (data, id) in [("b", "2"), ("c", "3"), ("d", "3")] {
        assert!(running.opened().await, "a reconnect may replay");
        assert_eq!(running.message().await, pair(data, id));
    }
    let sent = [None, Some(&b"1"[..]), Some(b"2"), Some(b"3"), Some(b"3")];
    for id in sent {
        assert_eq!(server.request().await.header("last-event-id"), id);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_and_its_unfinished_event_is_dropped() {
    let go = Arc::new(Notify::new());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    let event = "id: 5\ndata: whole\n\nid: 6\ndata: cut";
    for cut in [
        // The event must be read before the reset, which discards what is still under way.
        vec![stream(event), Act::Wait(go.clone()), Act::Reset],
        vec![send(format!("{head}Content-Length: 1000\r\n\r\n{event}"))],
        vec![send(format!("{head}Transfer-Encoding: chunked\r\n\r\n1000\r\n{event}"))],
    ] {
        let mut server = ScriptedServer::start(vec![cut, vec![stream("data: next\n\n"), Act::Hold]]).await;
        let mut running = Running::to(server.url("/"));
        running.connected().await;
        assert_eq!(running.message().await, pair("whole", "5"));
        go.notify_one();
        let state = running.state().await;
        assert_eq!((state.state, state.attempt), (State::Waiting, 1));
        assert!(matches!(&state.reason, Some(Reason::Broken(text)) if !text.is_empty()), "{state:?}");
        assert_eq!(running.state().await.state, State::Connecting);
        running.opened().await;
        running.plain_state(State::Connected).await;
        assert_eq!(running.message().await, pair("next", "5"));
        server.request().await;
        assert_eq!(server.request().await.header("last-event-id"), Some(&b"5"[..]));
    }
}

#[tokio::test]
async fn an_end_before_any_event_or_answer_is_a_failure() {
    let mut server = ScriptedServer::start(vec![vec![stream(": hello\n\n")], vec![]]).await;
    let mut running = Running::to(server.url("/"));
    running.connected().await;
    assert_eq!(running.state_for(State::Waiting, Reason::EndedEmpty).await.attempt, 1);
    running.state_for(State::Connecting, Reason::EndedEmpty).await;
    let state = running.state().await;
    assert_eq!((state.state, state.attempt), (State::Waiting, 2));
    assert!(matches!(state.reason, Some(Reason::Broken(_))), "{state:?}");
    server.request().await;
}

#[tokio::test]
async fn a_server_that_never_answers_times_out() {
    let mut server = ScriptedServer::start(vec![vec![Act::Hold]]).await;
    let short = Duration::from_millis(200);
    let mut subscription = subscription(server.url("/"));
    subscription.limits.header_timeout = short;
    let mut running = Running::start(subscription, short);
    running.plain_state(State::Connecting).await;
    running.state_for(State::Waiting, Reason::HeaderTimeout(short)).await;
    server.hang_up().await;
}

#[tokio::test]
async fn a_silent_stream_times_out() {
    let idle = Duration::from_millis(50);
    let mut server = ScriptedServer::start(vec![vec![stream("data: a\n\n"), Act::Hold]]).await;
    let subscription = Subscription { idle_timeout: Some(idle), ..subscription(server.url("/")) };
    let mut running = Running::start(subscription, TEN_SECONDS);
    running.connected().await;
    assert_eq!(running.message().await, pair("a", ""));
    running.state_for(State::Waiting, Reason::Idle(idle)).await;
    server.hang_up().await;
}

#[tokio::test]
async fn an_id_is_sent_as_its_bytes_or_not_at_all() {
    let long = "x".repeat(5000);
    for (id, sent) in [("é中 7", true), (&*long, false), ("a\u{1}b", false)] {
        let mut server = ScriptedServer::start(vec![vec![stream(&format!("id: {id}\ndata: a\n\n"))]]).await;
        let mut running = Running::to(server.url("/"));
        running.connected().await;
        assert_eq!(running.message().await, pair("a", id));
        server.request().await;
        assert_eq!(server.request().await.header("last-event-id"), sent.then_some(id.as_bytes()));
    }
}

#[tokio::test]
async fn an_id_that_the_server_refuses_is_forgotten() {
    let mut server = ScriptedServer::start(vec![
        vec![answer("400 Bad Request", "")],
        vec![stream("data: a\n\n"), Act::Hold],
    ])
    .await;
    let subscription = Subscription { last_event_id: "stale".into(), ..subscription(server.url("/")) };
    let mut running = Running::start(subscription, TEN_SECONDS);
    running.plain_state(State::Connecting).await;
    running.state_for(State::Connecting, Reason::Status(400)).await;
    assert!(running.opened().await);
    running.plain_state(State::Connected).await;
    assert_eq!(running.signal().await, Signal::LastEventId(String::new()));
    assert_eq!(running.message().await, pair("a", ""));
    assert_eq!(server.request().await.header("last-event-id"), Some(&b"stale"[..]));
    assert_eq!(server.request().await.header("last-event-id"), None);
}

#[tokio::test]
async fn a_burst_and_an_oversized_event_arrive_in_order_through_a_full_channel() {
    let burst: String = (0..5000).map(|number| format!("id: {number}\ndata: {number}\n\n")).collect();
    let oversized = format!("data: {}\n\n", "x".repeat(2 << 20));
    let server =
        ScriptedServer::start(vec![vec![stream(&burst), send(oversized), send(burst.as_str()), Act::Hold]])
            .await;
    let mut running = Running::to(server.url("/"));
    running.connected().await;
    for round in 0..2 {
        for number in 0..5000 {
            let number = number.to_string();
            assert_eq!(running.message().await, pair(&number, &number));
        }
        if round == 0 {
            assert_eq!(running.signal().await, Signal::Oversized(1));
        }
    }
}

#[test]
fn a_name_that_no_header_can_hold_is_an_error() {
    assert!(matches!(Client::new("Bell\nwether"), Err(ClientError::UserAgent(_))));
}
