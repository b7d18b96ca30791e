//! Credentials over real sockets: who is shown them, who is not, and when they are read.

#![allow(clippy::expect_used, clippy::panic, reason = "what is expected and does not hold ends the test")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use bellwether_engine::{
    access::{Access, Credential, Credentials, Fault, Place, Source},
    feed::{Reason, State},
    network::Network,
    probe::{self, BUDGET, probe},
    subscription::{HeaderMap, HeaderName, HeaderValue, Subscription},
};
use support::{Act, Recorded, Running, ScriptedServer, answer, client, stream, subscription};
use tempfile::TempDir;
use url::Url;

/// Secrets in files, which can be renewed.
struct Secrets(TempDir);

impl Secrets {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, secret: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, secret).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its permissions");
        path
    }

    fn at(&self, place: Place, secret: &str) -> Credential {
        Credential { source: Source::File(self.write(place.kind(), secret)), place }
    }

    /// One of each kind that a request can have at once.
    fn of_each_kind(&self) -> Credentials {
        with(vec![
            self.at(Place::Basic { user: "alice".into() }, "s-basic"),
            self.at(Place::Header(HeaderName::from_static("x-api-key")), "s-header"),
            self.at(Place::Query("auth".into()), "s-query&="),
            self.at(Place::Cookie("session".into()), "s-cookie"),
        ])
    }
}

fn with(credentials: Vec<Credential>) -> Credentials {
    Credentials { access: Access { credentials, plain_http: false }, ..Credentials::default() }
}

fn running(url: Url, credentials: Credentials) -> Running {
    let subscription = Subscription { credentials, ..subscription(url) };
    Running::start(subscription, std::time::Duration::from_secs(10))
}

/// `s-basic` of alice, in base64.
const BASIC: &[u8] = b"Basic YWxpY2U6cy1iYXNpYw==";

fn assert_shown(request: &Recorded, line: &str) {
    assert_eq!(request.line, line);
    assert_eq!(request.header("authorization"), Some(BASIC));
    assert_eq!(request.header("x-api-key"), Some(&b"s-header"[..]));
    assert_eq!(request.header("cookie"), Some(&b"session=s-cookie"[..]));
}

fn assert_not_shown(request: &Recorded, line: &str) {
    assert_eq!(request.line, line);
    for name in ["authorization", "x-api-key", "cookie", "referer"] {
        assert_eq!(request.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn the_feed_s_own_origin_is_shown_all_and_another_one_nothing_even_if_it_is_told() {
    let secrets = Secrets::new();
    let mut other = ScriptedServer::start(vec![vec![stream("data: a\n\n"), Act::Hold]]).await;
    // It repeats the query that it was asked with, as nginx's $request_uri does.
    let target = other.url("/there?x=1&auth=s-query%26%3D&y=2&token=t");
    let (same, elsewhere) =
        ("Location: /second?auth=stale&z\r\n".to_owned(), format!("Location: {target}\r\n"));
    let scripts = vec![vec![answer("308 Permanent Redirect", &same)], vec![answer("302 Found", &elsewhere)]];
    let mut server = ScriptedServer::start(scripts).await;
    let mut running = running(server.url("/first?x=1&token=t"), secrets.of_each_kind());

    running.connected().await;
    assert_shown(&server.request().await, "GET /first?x=1&token=t&auth=s-query%26%3D HTTP/1.1");
    assert_shown(&server.request().await, "GET /second?z&auth=s-query%26%3D HTTP/1.1");
    assert_not_shown(&other.request().await, "GET /there?x=1&y=2 HTTP/1.1");
}

#[tokio::test]
async fn a_redirect_that_repeats_the_address_in_its_own_tells_nobody_either() {
    let secrets = Secrets::new();
    let mut other = ScriptedServer::start(vec![]).await;
    // A sign-in page is told where to return to, and a mirror what to fetch.
    for (target, line) in [
        (
            "/in?x=1&to=http%3A%2F%2F127.0.0.1%2F%3Ftoken%3Dt-url%26auth%3Ds-query%2526%253D",
            "GET /in?x=1 HTTP/1.1",
        ),
        ("/in?to=%2F%3Ftoken%3Dt-url", "GET /in HTTP/1.1"),
        ("/a/t-url/b?t-urls=1", "GET /a/***/b?t-urls=1 HTTP/1.1"),
        ("/a/s-query%26%3D/b", "GET /a/***/b HTTP/1.1"),
        // What only headers told its server.
        (
            "/in?x=1&a=alice%3As-basic&b=Basic%20YWxpY2U6cy1iYXNpYw%3D%3D&c=YWxpY2U6cy1iYXNpYw&d=s-header",
            "GET /in?x=1 HTTP/1.1",
        ),
        ("/in?x=1&cookie=session%3Ds-cookie", "GET /in?x=1 HTTP/1.1"),
        ("/in/YWxpY2U6cy1iYXNpYw==/s-cookie?s-header", "GET /in/***/*** HTTP/1.1"),
    ] {
        let location = format!("Location: {}\r\n", other.url(target));
        let server = ScriptedServer::start(vec![vec![answer("302 Found", &location)]]).await;
        let _running = running(server.url("/first?token=t-url"), secrets.of_each_kind());
        assert_not_shown(&other.request().await, line);
    }
}

#[tokio::test]
async fn a_bearer_token_that_a_redirect_repeats_goes_no_further() {
    let secrets = Secrets::new();
    let mut other = ScriptedServer::start(vec![]).await;
    let location = format!("Location: {}\r\n", other.url("/in?was=Bearer+s-bearer&x=1"));
    let server = ScriptedServer::start(vec![vec![answer("302 Found", &location)]]).await;
    let _running = running(server.url("/first"), with(vec![secrets.at(Place::Bearer, "s-bearer")]));
    assert_not_shown(&other.request().await, "GET /in?x=1 HTTP/1.1");
}

#[tokio::test]
async fn a_server_that_repeats_a_secret_gets_it_shown_nowhere() {
    let secrets = Secrets::new();
    for (status, headers, reason) in [
        (
            "200 OK",
            "Content-Type: text/x; t=Bearer s-bearer; u=1\r\n",
            Reason::ContentType(Some("text/x; t=Bearer ***; u=1".into())),
        ),
        ("200 OK", "Content-Type: s%2Dbearer\r\n", Reason::ContentType(Some("***".into()))),
        (
            "200 OK",
            "Content-Type: text/event-stream\r\nContent-Encoding: x-s-bearer\r\n",
            Reason::ContentEncoding("x-***".into()),
        ),
    ] {
        let scripts = || vec![vec![answer(status, headers)]];
        let credentials = with(vec![secrets.at(Place::Bearer, "s-bearer")]);
        let server = ScriptedServer::start(scripts()).await;
        let mut running = running(server.url("/"), credentials.clone());
        running.plain_state(State::Connecting).await;
        running.state_for(State::NeedsAttention, reason.clone()).await;
        let (server, network) = (ScriptedServer::start(scripts()).await, Network::default());
        let url = server.url("/");
        let found = probe(&client(), url.as_str(), HeaderMap::new(), credentials, &network, BUDGET).await;
        assert!(!format!("{found:?}").contains("s-bearer"), "{found:?}");
        assert_eq!(found.fault, Some(probe::Fault::Connection(reason)));
    }
    // A secret that is a word of the protocol's keeps nobody out.
    let mut server = ScriptedServer::start(vec![vec![stream(""), Act::Hold]]).await;
    let mut running = running(server.url("/"), with(vec![secrets.at(Place::Bearer, "stream")]));
    running.connected().await;
    assert_eq!(server.request().await.header("authorization"), Some(&b"Bearer stream"[..]));

    // Its own redirects are told as well.
    let location = "Location: /of/s-bearer\r\n";
    let server =
        ScriptedServer::start(vec![vec![answer("302 Found", location)], vec![stream("data: a\n\n")]]).await;
    let credentials = with(vec![secrets.at(Place::Bearer, "s-bearer")]);
    let (url, network) = (server.url("/"), Network::default());
    let found = probe(&client(), url.as_str(), HeaderMap::new(), credentials, &network, BUDGET).await;
    assert_eq!(found.redirects[0].url, server.url("/of/***").as_str());
}

#[tokio::test]
async fn user_and_password_in_a_url_go_no_further_than_its_origin() {
    let mut other = ScriptedServer::start(vec![vec![stream(""), Act::Hold]]).await;
    let mut target = other.url("/");
    target.set_username("alice").expect("a host");
    target.set_password(Some("s-basic")).expect("a host");
    let mut server =
        ScriptedServer::start(vec![vec![answer("302 Found", &format!("Location: {target}\r\n"))]]).await;
    let mut url = server.url("/a");
    url.set_username("alice").expect("a host");
    url.set_password(Some("s-basic")).expect("a host");
    let mut running = running(url, Credentials::default());
    running.connected().await;
    assert_eq!(server.request().await.header("authorization"), Some(BASIC));
    assert_not_shown(&other.request().await, "GET / HTTP/1.1");
}

#[tokio::test]
async fn a_renewed_secret_is_shown_at_the_next_attempt() {
    let secrets = Secrets::new();
    let scripts = vec![vec![answer("503 Service Unavailable", "")], vec![answer("401 Unauthorized", "")]];
    let mut server = ScriptedServer::start(scripts).await;
    let mut running = running(server.url("/"), with(vec![secrets.at(Place::Bearer, "old")]));
    let bearer = |request: Recorded| request.header("authorization").map(<[u8]>::to_vec);
    for status in [503, 401] {
        while running.state().await.reason != Some(Reason::Status(status)) {}
        assert_eq!(bearer(server.request().await).as_deref(), Some(&b"Bearer old"[..]));
    }
    secrets.write("bearer", "new\n");
    running.news.try_now();
    assert_eq!(bearer(server.request().await).as_deref(), Some(&b"Bearer new"[..]));
}

#[tokio::test]
async fn without_its_secret_no_request_is_made_and_the_cause_is_told() {
    let mut server = ScriptedServer::start(vec![vec![stream(""), Act::Hold]]).await;
    let secrets = Secrets::new();
    let credential = secrets.at(Place::Bearer, "s-bearer");
    let path = secrets.write("bearer", "s-bearer");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("its permissions");
    let mut running = running(server.url("/"), with(vec![credential]));
    running.plain_state(State::Connecting).await;
    let fault = Fault::FileOpen(path.display().to_string());
    let state = running.state_for(State::NeedsAttention, Reason::Credential(fault)).await;
    assert!(state.next_attempt_at.is_some() && state.attempt == 1);
    server.assert_quiet();
    secrets.write("bearer", "s-bearer");
    running.news.try_now();
    assert_eq!(server.request().await.header("authorization"), Some(&b"Bearer s-bearer"[..]));
}

#[tokio::test]
async fn nothing_secret_crosses_a_network_in_the_open_unless_the_feed_says_so() {
    let secrets = Secrets::new();
    let url = |text: &str| Url::parse(text).expect("a URL");
    // Addresses for documentation: nothing is sent there.
    for (url, credentials) in [
        (url("http://192.0.2.1/"), with(vec![secrets.at(Place::Bearer, "s")])),
        (url("http://192.0.2.1/"), with(vec![secrets.at(Place::Query("q".into()), "s")])),
        (url("http://[2001:db8::1]/"), with(vec![secrets.at(Place::Bearer, "s")])),
        (url("http://alice:s@192.0.2.1/"), Credentials::default()),
        (url("http://192.0.2.1/?access_token=s"), Credentials::default()),
    ] {
        let host = url.host_str().map(str::to_owned).expect("a host");
        let mut running = running(url, credentials);
        running.plain_state(State::Connecting).await;
        running.state_for(State::NeedsAttention, Reason::PlainHttp(host)).await;
    }
    let headers = HeaderMap::from_iter([(
        HeaderName::from_static("authorization"),
        HeaderValue::from_static("Bearer s"),
    )]);
    let (credentials, network) = (Credentials::default(), Network::default());
    let found = probe(&client(), "http://192.0.2.1/", headers, credentials, &network, BUDGET).await;
    assert_eq!(
        found.fault,
        Some(probe::Fault::Connection(Reason::PlainHttp("192.0.2.1".into()))),
        "a probe is as careful"
    );

    // This machine by an address that is not a loopback's.
    let mut server = ScriptedServer::start(vec![vec![stream(""), Act::Hold]]).await;
    let mut this = server.url("/");
    this.set_host(Some("0.0.0.0")).expect("a host");
    let mut credentials = with(vec![secrets.at(Place::Bearer, "s-open")]);
    credentials.access.plain_http = true;
    let mut running = running(this, credentials);
    running.connected().await;
    assert_eq!(server.request().await.header("authorization"), Some(&b"Bearer s-open"[..]));
}
