//! Probes over real sockets, of servers that answer from a script.

mod support;

use std::{net::TcpListener, time::Duration};

use bellwether_engine::{
    access::Credentials,
    event_source::Message,
    feed::Reason,
    network::Network,
    probe::{BUDGET, Budget, EventType, Fault, Redirect, Report, SAMPLE_BYTES, probe},
    subscription::{HeaderMap, HeaderName, HeaderValue},
};
use support::{Act, ScriptedServer, answer, client, send, stream};

/// For what only ends because the time is up.
const SHORT: Duration = Duration::from_secs(1);

async fn probed(url: &str, budget: impl Into<Budget>) -> Report {
    probe(&client(), url, HeaderMap::new(), Credentials::default(), &Network::default(), budget).await
}

fn event_type(name: &str, count: u64, data: &str, id: &str) -> EventType {
    let sample = Message { event_type: name.to_owned(), data: data.to_owned(), last_event_id: id.to_owned() };
    EventType { count, sample, data_truncated: false }
}

#[tokio::test]
async fn a_stream_is_described_by_what_it_sends() {
    let body = ": hello\n\nretry: 5000\nid: 7\ndata: 你好\n\nevent: build\ndata: {}\n\n\
                data: b\n\ndata: c\n\ndata: d\n\n";
    let server = ScriptedServer::start(vec![vec![stream(body), Act::Hold]]).await;
    let mut report = probed(server.url("/").as_str(), BUDGET).await;
    assert!(report.listened.take().is_some(), "{report:?}");
    let expected = Report {
        status: Some(200),
        content_type: Some("text/event-stream".into()),
        last_event_ids: true,
        retry: Some(Duration::from_secs(5)),
        event_types: vec![event_type("message", 4, "你好", "7"), event_type("build", 1, "{}", "7")],
        ..Report::default()
    };
    assert_eq!(report, expected);
}

#[tokio::test]
async fn enough_is_enough_and_the_connection_is_closed() {
    let long = "x".repeat(SAMPLE_BYTES + 1);
    let body: String = (0..20).map(|_| format!("data: {long}\n\n")).collect();
    let mut server = ScriptedServer::start(vec![vec![stream(&body), Act::Hold]]).await;
    // The time is not up for long.
    let report = probed(server.url("/").as_str(), Duration::from_secs(600)).await;
    let [seen] = &report.event_types[..] else { panic!("{report:?}") };
    assert_eq!((seen.count, seen.sample.data.len(), seen.data_truncated), (5, SAMPLE_BYTES, true));
    assert_eq!((report.ended, report.last_event_ids, report.fault), (false, false, None));
    server.hang_up().await;
    server.request().await;
    server.assert_quiet();
}

#[tokio::test]
async fn whoever_waits_is_told_soon_after_the_first_message() {
    let mut server = ScriptedServer::start(vec![vec![stream("data: a\n\ndata: b\n\n"), Act::Hold]]).await;
    // All in all there is no end in sight.
    let all = Duration::from_secs(600);
    let budget = Budget { all, after_first: Some(Duration::from_millis(50)) };
    let report = probed(server.url("/").as_str(), budget).await;
    assert_eq!((report.event_types[0].count, report.ended, report.fault), (2, false, None));
    server.hang_up().await;
}

#[tokio::test]
async fn a_server_that_hangs_up_after_its_events_is_fine_and_not_asked_again() {
    let mut server = ScriptedServer::start(vec![vec![stream("data: a\n\n")]]).await;
    let report = probed(server.url("/").as_str(), BUDGET).await;
    assert_eq!((report.ended, report.fault), (true, None));
    server.request().await;
    server.assert_quiet();
}

#[tokio::test]
async fn any_sign_of_life_shows_that_nothing_is_held_back() {
    for body in [": hello\n\n", "\n", "retry: 10\n", "data: half"] {
        let server = ScriptedServer::start(vec![vec![stream(body), Act::Hold]]).await;
        let report = probed(server.url("/").as_str(), SHORT).await;
        assert_eq!((report.event_types, report.keep_alive, report.fault), (vec![], None, None), "{body:?}");
    }
}

#[tokio::test]
async fn redirects_are_told_and_only_the_first_origin_gets_the_headers() {
    let mut target = ScriptedServer::start(vec![vec![stream("data: a\n\n")]]).await;
    let location = format!("Location: {}\r\n", target.url("/final?token=secret"));
    let mut server = ScriptedServer::start(vec![
        vec![answer("302 Found", "Location: /next?a=b\r\n")],
        vec![answer("301 Moved Permanently", &location)],
    ])
    .await;
    let key = || HeaderName::from_static("x-api-key");
    let headers = HeaderMap::from_iter([(key(), HeaderValue::from_static("secret"))]);
    let (credentials, network) = (Credentials::default(), Network::default());
    let report =
        probe(&client(), server.url("/first").as_str(), headers, credentials, &network, BUDGET).await;

    let hop = |status, url: String, other_origin| Redirect { status, url, other_origin };
    assert_eq!(
        report.redirects,
        [hop(302, server.url("/next").into(), false), hop(301, target.url("/final").into(), true)]
    );
    assert_eq!((report.status, report.fault), (Some(200), None));
    for line in ["GET /first HTTP/1.1", "GET /next?a=b HTTP/1.1"] {
        let request = server.request().await;
        assert_eq!((&*request.line, request.header("x-api-key")), (line, Some(&b"secret"[..])));
    }
    let request = target.request().await;
    assert_eq!(request.line, "GET /final HTTP/1.1", "the header's secret is no other origin's");
    assert_eq!(request.header("x-api-key"), None);
}

#[tokio::test]
async fn a_secret_that_a_redirect_puts_into_its_path_is_not_told() {
    let target = ScriptedServer::start(vec![vec![stream("data: a\n\n")]]).await;
    let location = format!("Location: {}\r\n", target.url("/of/t-url/final"));
    let server = ScriptedServer::start(vec![vec![answer("302 Found", &location)]]).await;
    let report = probed(server.url("/?token=t-url").as_str(), BUDGET).await;
    let hop = Redirect { status: 302, url: target.url("/of/***/final").into(), other_origin: true };
    assert_eq!((report.redirects, report.fault), (vec![hop], None));
}

#[tokio::test]
async fn each_answer_that_is_no_stream_has_its_cause() {
    let with_type = |kind: &str| answer("200 OK", &format!("Content-Type: {kind}\r\n"));
    let gzip = "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";
    let redirect = |to: &str| answer("302 Found", &format!("Location: {to}\r\n"));
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: a\n\n";
    for (act, status, code, detail) in [
        (answer("204 No Content", ""), 204, "no_content", "204"),
        (answer("400 Bad Request", ""), 400, "status", "400"),
        (answer("401 Unauthorized", ""), 401, "unauthorized", "401"),
        (answer("403 Forbidden", ""), 403, "forbidden", "403"),
        (answer("404 Not Found", ""), 404, "not_found", "404"),
        (answer("407 Proxy Authentication Required", ""), 407, "proxy_sign_in", "407"),
        (answer("410 Gone", ""), 410, "gone", "410"),
        (answer("429 Too Many Requests", ""), 429, "too_many_requests", "429"),
        (answer("502 Bad Gateway", ""), 502, "server_error", "502"),
        (with_type("text/html; charset=utf-8"), 200, "html", "text/html; charset=utf-8"),
        (with_type("application/json"), 200, "json", "application/json"),
        (with_type("text/plain"), 200, "content_type", "text/plain"),
        (answer("200 OK", ""), 200, "content_type", ""),
        (answer("200 OK", gzip), 200, "content_encoding", "gzip"),
        (answer("301 Moved Permanently", ""), 301, "redirect_no_location", "no location"),
        (redirect("ftp://127.0.0.1/"), 302, "redirect_scheme", "scheme"),
        (stream(""), 200, "ended_empty", ""),
        (stream(": hello\n\n"), 200, "ended_empty", ""),
    ] {
        let server = ScriptedServer::start(vec![vec![act]]).await;
        let report = probed(server.url("/").as_str(), BUDGET).await;
        let fault = report.fault.unwrap();
        assert_eq!(
            (report.status, fault.code(), &*fault.detail()),
            (Some(status), code, detail),
            "{status} {code}"
        );
    }
    let server = ScriptedServer::start(vec![vec![send(cut)]]).await;
    let report = probed(server.url("/").as_str(), BUDGET).await;
    assert_eq!(report.fault.unwrap().code(), "broken");
    assert_eq!(report.event_types, [event_type("message", 1, "a", "")]);
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let hop = || vec![answer("307 Temporary Redirect", "Location: /again\r\n")];
    let server = ScriptedServer::start((0..20).map(|_| hop()).collect()).await;
    let report = probed(server.url("/").as_str(), BUDGET).await;
    assert_eq!(report.redirects.len(), 10);
    assert_eq!((report.status, report.fault.unwrap().code()), (Some(307), "redirect_too_many"));
}

#[tokio::test]
async fn silence_is_told_from_no_answer() {
    let server = ScriptedServer::start(vec![vec![stream(""), Act::Hold]]).await;
    let report = probed(server.url("/").as_str(), SHORT).await;
    assert!(matches!(report.fault, Some(Fault::Silent(_))), "{report:?}");
    assert_eq!((report.status, report.event_types), (Some(200), vec![]));

    let redirect = vec![answer("302 Found", "Location: /next\r\n")];
    for scripts in [vec![vec![Act::Hold]], vec![redirect, vec![Act::Hold]]] {
        let hops = scripts.len() - 1;
        let server = ScriptedServer::start(scripts).await;
        let report = probed(server.url("/").as_str(), SHORT).await;
        assert_eq!((report.redirects.len(), report.status, report.listened), (hops, None, None));
        assert_eq!(report.fault, Some(Fault::Timeout(SHORT)));
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
        let report = probed(&url, BUDGET).await;
        assert_eq!(report, Report { fault: Some(Fault::Connection(reason)), ..Report::default() });
    }
    let (url, server) = support::untrusted();
    let report = probed(url.as_str(), BUDGET).await;
    assert_eq!(report.fault, Some(Fault::Connection(Reason::TlsUntrusted("127.0.0.1".into()))));
    server.join().unwrap();
}

#[tokio::test]
async fn what_is_no_url_is_not_asked_for() {
    for (url, code) in [
        ("", "not_a_url"),
        ("not a url", "not_a_url"),
        ("example.org/events", "not_a_url"),
        ("http://", "not_a_url"),
        ("ftp://example.org/", "scheme"),
        ("javascript:alert(1)", "scheme"),
    ] {
        let report = probed(url, BUDGET).await;
        assert_eq!((report.status, report.fault.unwrap().code()), (None, code), "{url}");
    }
}
