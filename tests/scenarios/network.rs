//! TLS with certificates of the tests' own, real proxies, and resuming by a parameter.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use bellwether_control::wire::{ConnectionState, Event, Feed, Outcome, Probe};
use bellwether_tests::{
    Authority, Need, NumberedStream, PATIENCE, Random, Resident, Server, TlsFront, free_port, needs, until,
    until_some,
};
use serde_json::{Value, json};

fn feed(id: &str, url: &str, rest: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n{rest}\n")
}

fn connected(resident: &Resident, id: &str) -> Feed {
    until_some(PATIENCE, &format!("the connection of {id}"), || {
        Some(resident.feed(id)).filter(|feed| feed.connection.state == ConnectionState::Connected)
    })
}

/// Waits for a failure of this kind; its particular.
fn failed(resident: &Resident, id: &str, code: &str) -> String {
    until_some(PATIENCE, &format!("{id} to fail with {code}"), || {
        let reason = resident.feed(id).connection.reason?;
        (reason.code == code).then_some(reason.detail)
    })
}

#[test]
fn a_private_authority_is_trusted_once_its_file_is_named_and_a_renewed_file_needs_no_restart() {
    let (authority, other) = (Authority::new(), Authority::new());
    let stream = NumberedStream::start();
    stream.send(6);
    let server = TlsFront::start(stream.address(), &authority.issue(&["127.0.0.1"]));
    let mut resident = Resident::with_config(&feed("a", &server.url("/"), ""));
    assert_eq!(failed(&resident, "a", "tls_untrusted"), "127.0.0.1");
    assert_eq!(resident.feed("a").connection.state, ConnectionState::NeedsAttention);

    // Missing, then the wrong authority's, then with the right one.
    let file = resident.profile().join("authority.pem");
    resident.config(&feed("a", &server.url("/"), "ca_file = \"authority.pem\""));
    failed(&resident, "a", "file_unreadable");
    let try_with = |pem: String| {
        fs::write(&file, pem).expect("a file");
        resident.call::<Value>("POST", "/feeds/a/reconnect", &Value::Null);
    };
    try_with(other.pem());
    failed(&resident, "a", "tls_untrusted");
    try_with(other.pem() + &authority.pem());
    connected(&resident, "a");
    until(PATIENCE, "the events", || resident.feed("a").counts.events == 6);
    assert!(resident.feed("a").verify_certificate);

    // A probe of a feed's URL takes its settings, here and on the command line.
    let found: Probe = resident.call("POST", "/probe", &json!({ "url": server.url("/") }));
    assert!(found.usable, "{found:?}");
    resident.cli_text(&["probe", &server.url("/")]);
    let page = server.url("/other");
    let code = |output: std::process::Output| output.status.code();
    assert_eq!(code(resident.cli(&["probe", &page])), Some(1));
    resident.cli_text(&["probe", &page, "--ca-file", file.to_str().expect("a path")]);
    let heard = resident.cli_text(&["listen", &page, "--count", "3", "-k"]);
    assert!(heard.contains("event 3"), "{heard}");
}

#[test]
fn faults_of_certificates_and_of_their_files_are_told_apart_and_stop_no_other_feed() {
    let authority = Authority::new();
    let stream = NumberedStream::start();
    let name = TlsFront::start(stream.address(), &authority.issue(&["server.example.org"]));
    let expired = TlsFront::start(stream.address(), &authority.issue_expired(&["127.0.0.1"]));
    let good = TlsFront::start(stream.address(), &authority.issue(&["127.0.0.1"]));
    let (own, other) = (Authority::self_signed(&["127.0.0.1"]), Authority::self_signed(&["example.org"]));
    let own_front = TlsFront::start(stream.address(), &own);
    let other_front = TlsFront::start(stream.address(), &other);
    let mut resident = Resident::prepare();
    let folder = resident.profile().to_owned();
    fs::write(folder.join("authority.pem"), authority.pem()).expect("a file");
    fs::write(folder.join("own.pem"), own.certificate.clone() + &other.certificate).expect("a file");
    fs::write(folder.join("note.txt"), "not a certificate").expect("a file");
    let trusted = "ca_file = \"authority.pem\"";
    resident.config(
        &[
            feed("name", &name.url("/"), trusted),
            feed("expired", &expired.url("/"), trusted),
            feed("missing", &good.url("/"), "ca_file = \"missing.pem\""),
            feed("note", &good.url("/"), "ca_file = \"note.txt\""),
            feed("good", &good.url("/"), trusted),
            // A server's own certificate may be named itself.
            feed("own", &own_front.url("/"), "ca_file = \"own.pem\""),
            feed("other", &other_front.url("/"), "ca_file = \"own.pem\""),
            feed("unnamed", &own_front.url("/"), trusted),
        ]
        .concat(),
    );
    resident.start();
    let path = |name: &str| folder.join(name).display().to_string();
    for (id, code, detail) in [
        ("name", "tls_name", "127.0.0.1".to_owned()),
        ("other", "tls_name", "127.0.0.1".to_owned()),
        ("unnamed", "tls_untrusted", "127.0.0.1".to_owned()),
        ("expired", "tls_expired", "127.0.0.1".to_owned()),
        ("note", "file_no_certificate", path("note.txt")),
    ] {
        assert_eq!(failed(&resident, id, code), detail);
        assert_eq!(resident.feed(id).connection.state, ConnectionState::NeedsAttention, "{id}");
    }
    let cause = failed(&resident, "missing", "file_unreadable");
    assert!(cause.starts_with(&format!("{}: ", path("missing.pem"))), "{cause}");
    connected(&resident, "good");
    connected(&resident, "own");
    assert_eq!(resident.status().config.error, None);
    let status = resident.cli_text(&["status"]);
    assert!(status.contains("missing.pem") && status.contains("for another name"), "{status}");
}

#[test]
fn a_system_that_trusts_nobody_keeps_only_servers_with_tls_away() {
    let mut servers = Servers::start();
    let trusted = servers.feeds("trusted", "");
    let config = trusted + &feed("untrusted", &servers.tls.url("/"), "");
    servers.resident.env("SSL_CERT_FILE", "/dev/null").config(&config).start();
    connected(&servers.resident, "http-trusted");
    connected(&servers.resident, "https-trusted");
    failed(&servers.resident, "untrusted", "tls_untrusted");
}

#[test]
fn a_server_that_does_not_have_to_prove_itself_is_connected_to_and_shown_as_such() {
    let stream = NumberedStream::start();
    stream.send(1);
    let wrong = Authority::new().issue_expired(&["server.example.org"]);
    let server = TlsFront::start(stream.address(), &wrong);
    let resident = Resident::with_config(&feed("a", &server.url("/"), "verify_certificate = false"));
    assert!(!connected(&resident, "a").verify_certificate);
    until(PATIENCE, "the event", || resident.feed("a").counts.events == 1);
    for command in ["status", "feeds"] {
        let shown = resident.cli_text(&[command]);
        assert!(shown.contains("⚠ certificate not verified"), "{shown}");
    }
}

#[test]
fn a_server_that_asks_for_a_client_certificate_gets_it_and_refuses_who_has_none() {
    let (authority, other) = (Authority::new(), Authority::new());
    let stream = NumberedStream::start();
    let identity = authority.issue(&["127.0.0.1"]);
    let server = TlsFront::for_clients_of(&authority, stream.address(), &identity);
    let elsewhere = redirect_to(&server.url("/"));
    let (alice, eve) = (authority.issue(&["alice"]), other.issue(&["eve"]));
    let mut resident = Resident::prepare();
    let folder = resident.profile().to_owned();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, text) in [
        ("authority.pem", authority.pem()),
        ("alice.pem", alice.certificate.clone()),
        ("alice.key", alice.key.clone()),
        ("both.pem", alice.key.clone() + &alice.certificate),
        ("eve.pem", eve.key.clone() + &eve.certificate),
        ("encrypted.key", encrypted.to_owned()),
    ] {
        fs::write(folder.join(name), text).expect("a file");
    }
    fs::write(folder.join("alice.p12"), [0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x03, 0x30]).expect("a file");
    let with =
        |id: &str, rest: &str| feed(id, &server.url("/"), &format!("ca_file = \"authority.pem\"\n{rest}"));
    resident.config(
        &[
            with("two", "client_certificate = { certificate = \"alice.pem\", key = \"alice.key\" }"),
            with("one", "client_certificate = \"both.pem\""),
            with("none", ""),
            with("eve", "client_certificate = \"eve.pem\""),
            with("wrong", "client_certificate = { certificate = \"alice.pem\", key = \"eve.pem\" }"),
            with("locked", "client_certificate = { certificate = \"alice.pem\", key = \"encrypted.key\" }"),
            with("keyless", "client_certificate = \"alice.pem\""),
            with("p12", "client_certificate = \"alice.p12\""),
            // Another origin is shown no certificate.
            feed("elsewhere", &elsewhere, "ca_file = \"authority.pem\"\nclient_certificate = \"both.pem\""),
        ]
        .concat(),
    );
    resident.start();
    connected(&resident, "two");
    connected(&resident, "one");
    for (id, code) in [
        ("none", "tls_client_certificate"),
        ("eve", "tls_client_certificate"),
        ("elsewhere", "tls_client_certificate"),
        ("wrong", "file_wrong_key"),
        ("locked", "file_encrypted_key"),
        ("keyless", "file_no_key"),
        ("p12", "file_pkcs12"),
    ] {
        failed(&resident, id, code);
        assert_eq!(resident.feed(id).connection.state, ConnectionState::NeedsAttention, "{id}");
    }
    let status = resident.cli_text(&["status"]);
    let remedy = format!("openssl pkcs12 -in {} -nodes", folder.join("alice.p12").display());
    assert!(status.contains(&remedy), "{status}");
}

/// The URL of a server that sends everyone to another. Its thread ends with the test's process.
fn redirect_to(url: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let answer =
        format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let head =
                BufReader::new(&client).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let _ = head.count();
            let _ = client.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/")
}

/// A plain server, and one with TLS whose authority is in a file of the profile.
/// Leads to this machine, and is not one of its loopback addresses: the system's proxy is for it, too.
const NO_LOOPBACK: &str = "0.0.0.0";

struct Servers {
    authority: Authority,
    stream: NumberedStream,
    tls: TlsFront,
    resident: Resident,
}

impl Servers {
    fn start() -> Self {
        let authority = Authority::new();
        let stream = NumberedStream::start();
        stream.send(2);
        let tls = TlsFront::start(stream.address(), &authority.issue(&["127.0.0.1", NO_LOOPBACK]));
        let resident = Resident::prepare();
        fs::write(resident.profile().join("authority.pem"), authority.pem()).expect("a file");
        Self { authority, stream, tls, resident }
    }

    /// TLS before a proxy.
    fn before(&self, proxy: &Server) -> TlsFront {
        let address = proxy.address().parse().expect("an address");
        TlsFront::start(address, &self.authority.issue(&["127.0.0.1"]))
    }

    /// A feed of each of the two, `http-ID` and `https-ID`.
    fn feeds(&self, id: &str, rest: &str) -> String {
        feed(&format!("http-{id}"), &self.stream.url("/"), rest)
            + &feed(
                &format!("https-{id}"),
                &self.tls.url("/"),
                &format!("ca_file = \"authority.pem\"\n{rest}"),
            )
    }
}

#[test]
fn feeds_go_by_an_http_proxy_and_its_faults_are_told_from_the_servers() {
    needs!(Need::HttpProxy);
    let (open, locked) = (Server::tinyproxy(&[]), Server::tinyproxy(&["BasicAuth alice s3cret"]));
    let narrow = Server::tinyproxy(&["ConnectPort 443"]);
    let gone = format!("127.0.0.1:{}", free_port());
    let mut servers = Servers::start();
    let secured = servers.before(&open);
    let secured_by = format!("proxy = \"{}\"", secured.url(""));
    let by = |user: &str, address: &str| format!("proxy = \"http://{user}{address}\"");
    let closed = format!("https://127.0.0.1:{}/", free_port());
    let config = [
        servers.feeds("open", &by("", &open.address())),
        servers.feeds("locked", &by("alice:s3cret@", &locked.address())),
        servers.feeds("nobody", &by("", &locked.address())),
        // tinyproxy answers a wrong password by 401 instead of 407.
        feed("https-wrong", &servers.tls.url("/"), &by("alice:wr0ng@", &locked.address())),
        servers.feeds("gone", &by("", &gone)),
        feed("https-narrow", &servers.tls.url("/"), &by("", &narrow.address())),
        feed("https-closed", &closed, &by("", &open.address())),
        feed("http-secured", &servers.stream.url("/"), &format!("ca_file = \"authority.pem\"\n{secured_by}")),
        feed("https-secured", &servers.tls.url("/"), &format!("ca_file = \"authority.pem\"\n{secured_by}")),
        feed("http-distrusted", &servers.stream.url("/"), &secured_by),
        feed("https-distrusted", &servers.tls.url("/"), &secured_by),
        // The proxy is not who is not trusted.
        feed("https-untrusted", &servers.tls.url("/"), &by("", &open.address())),
    ];
    let resident = &mut servers.resident;
    resident.config(&config.concat()).start();
    for id in ["http-open", "https-open", "http-locked", "https-locked", "http-secured", "https-secured"] {
        connected(resident, id);
        until(PATIENCE, "the events", || resident.feed(id).counts.events == 2);
    }
    for (id, code, detail) in [
        ("http-nobody", "proxy_sign_in", locked.address()),
        ("https-nobody", "proxy_sign_in", locked.address()),
        ("https-wrong", "proxy_refused", locked.address()),
        ("https-narrow", "proxy_refused", narrow.address()),
        ("https-closed", "proxy_refused", open.address()),
        ("https-untrusted", "tls_untrusted", "127.0.0.1".to_owned()),
    ] {
        assert_eq!(failed(resident, id, code), detail);
    }
    let secured = secured.url("").replace("https://", "");
    for (id, proxy) in [
        ("http-gone", &gone),
        ("https-gone", &gone),
        ("http-distrusted", &secured),
        ("https-distrusted", &secured),
    ] {
        let cause = failed(resident, id, "proxy_unreachable");
        assert!(cause.starts_with(proxy), "{cause}");
    }
    // They did go by it.
    let seen = |what: &str| open.lines().iter().any(|line| line.contains(what));
    let tunnel = format!("CONNECT {} ", servers.tls.url("").trim_start_matches("https://"));
    assert!(seen(&tunnel) && seen(&format!("GET {} ", servers.stream.url("/"))), "{:#?}", open.lines());

    // Nobody is told the password.
    let shown = [resident.cli_text(&["status", "--json"]), resident.cli_text(&["doctor", "--json"])].concat();
    let written = resident.process().lines().concat();
    assert!(!shown.contains("s3cret") && !written.contains("s3cret") && !shown.contains("wr0ng"), "{shown}");
    let proxy = format!("http://{}", open.address());
    let heard = resident.cli_text(&["listen", &servers.stream.url("/"), "--count", "1", "--proxy", &proxy]);
    assert!(heard.contains("event 1"), "{heard}");
}

#[test]
fn feeds_go_by_a_socks_proxy_and_its_faults_are_told_from_the_servers() {
    needs!(Need::SocksProxy);
    let open = Server::microsocks(&[]);
    let locked = Server::microsocks(&["-u", "alice", "-P", "s3cret"]);
    let gone = format!("127.0.0.1:{}", free_port());
    let mut servers = Servers::start();
    let by = |scheme: &str, user: &str, address: &str| format!("proxy = \"{scheme}://{user}{address}\"");
    let closed = format!("http://127.0.0.1:{}/", free_port());
    let config = [
        servers.feeds("local", &by("socks5", "", &open.address())),
        servers.feeds("remote", &by("socks5h", "", &open.address())),
        servers.feeds("locked", &by("socks5h", "alice:s3cret@", &locked.address())),
        servers.feeds("wrong", &by("socks5", "alice:wr0ng@", &locked.address())),
        servers.feeds("nobody", &by("socks5", "", &locked.address())),
        servers.feeds("gone", &by("socks5", "", &gone)),
        feed("http-closed", &closed, &by("socks5", "", &open.address())),
        feed("https-untrusted", &servers.tls.url("/"), &by("socks5", "", &open.address())),
    ];
    let resident = &mut servers.resident;
    resident.config(&config.concat()).start();
    for id in ["http-local", "https-local", "http-remote", "https-remote", "http-locked", "https-locked"] {
        connected(resident, id);
        until(PATIENCE, "the events", || resident.feed(id).counts.events == 2);
    }
    for id in ["http-wrong", "https-wrong", "http-nobody", "https-nobody"] {
        assert_eq!(failed(resident, id, "proxy_sign_in"), locked.address(), "{id}");
    }
    for id in ["http-gone", "https-gone"] {
        let cause = failed(resident, id, "proxy_unreachable");
        assert!(cause.starts_with(&gone), "{cause}");
    }
    let cause = failed(resident, "http-closed", "proxy_refused");
    assert!(cause.starts_with(&format!("{}: ", open.address())), "{cause}");
    failed(resident, "https-untrusted", "tls_untrusted");
    let shown = resident.cli_text(&["status", "--json"]);
    assert!(!shown.contains("s3cret") && !shown.contains("wr0ng"), "{shown}");
}

#[test]
fn the_systems_proxy_holds_where_a_feed_says_nothing_and_its_exceptions_too() {
    needs!(Need::HttpProxy, Need::SocksProxy);
    let (http, socks) = (Server::tinyproxy(&[]), Server::microsocks(&[]));
    let gone = format!("http://127.0.0.1:{}", free_port());
    let through = |server: &Server| server.lines().iter().any(|line| line.contains("0.0.0.0:"));
    let elsewhere = |config: String| config.replace("127.0.0.1", NO_LOOPBACK);
    for (variables, server) in [
        (
            &[
                ("HTTP_PROXY", format!("http://{}", http.address())),
                ("https_proxy", format!("http://{}", http.address())),
            ][..],
            &http,
        ),
        (&[("ALL_PROXY", format!("socks5://{}", socks.address()))], &socks),
    ] {
        let mut servers = Servers::start();
        let config = elsewhere(servers.feeds("system", "") + &servers.feeds("direct", "proxy = \"none\""));
        for (name, value) in variables {
            servers.resident.env(name, value);
        }
        servers.resident.config(&config).start();
        for id in ["http-system", "https-system", "http-direct", "https-direct"] {
            connected(&servers.resident, id);
        }
        assert!(through(server), "{:#?}", server.lines());
    }
    for (exceptions, spared) in [("example.org", false), ("example.org, 0.0.0.0/8", true)] {
        let mut servers = Servers::start();
        let config = elsewhere(servers.feeds("system", "") + &servers.feeds("direct", "proxy = \"none\""))
            + &servers.feeds("own", "");
        servers.resident.env("ALL_PROXY", &gone).env("NO_PROXY", exceptions);
        servers.resident.config(&config).start();
        for id in ["http-direct", "https-direct", "http-own", "https-own"] {
            connected(&servers.resident, id);
        }
        for id in ["http-system", "https-system"] {
            if spared {
                connected(&servers.resident, id);
            } else {
                failed(&servers.resident, id, "proxy_unreachable");
            }
        }
    }
}

#[test]
fn a_redirect_from_the_network_to_this_machine_does_not_go_by_the_systems_proxy() {
    let stream = NumberedStream::start();
    stream.send(2);
    // A proxy that answers by itself, and would lead who comes back to it there for ever.
    let proxy = redirect_to(&stream.url("/"));
    let mut resident = Resident::prepare();
    resident.env("HTTP_PROXY", &proxy).env("http_proxy", &proxy);
    resident.config(&feed("a", "http://feeds.example.org/", "")).start();
    connected(&resident, "a");
    until(PATIENCE, "the events", || resident.feed("a").counts.events == 2);
}

#[test]
fn killed_amid_a_stream_without_ids_that_resumes_by_a_parameter_the_log_holds_every_event_once() {
    let stream = NumberedStream::without_ids(5);
    let mut random = Random::new(5);
    let mut resident = Resident::prepare();
    let by_query = "resume = { query = \"since\", from = \"data.id\" }";
    resident.config(&feed("numbers", &stream.url("/sse?poll=0"), by_query));
    let flow = stream.flow();
    for _ in 0..6 {
        let requests = stream.requests().len();
        let mut process = resident.spawn(&["--background"]);
        stream.wait_for_request(requests + 1);
        stream.wait_until_sent(stream.sent() + random.below(1500));
        assert_eq!(process.exited(), None, "{:#?}", process.lines());
        process.kill();
    }
    drop(flow);
    resident.start();
    let latest = stream.latest();
    until(PATIENCE, "the rest", || resident.feed("numbers").counts.events >= latest);
    let events = resident.log("numbers");
    assert!(events.iter().all(|event| event.outcome == Outcome::Pending));
    let number = |event: &Event| -> u64 {
        let data: Value = serde_json::from_str(&event.data).expect("JSON");
        data["id"].as_str().and_then(|id| id.parse().ok()).expect("a number")
    };
    assert!(events.iter().map(number).eq(1..=latest), "{} events for {latest}", events.len());
    assert!(latest > 500, "only {latest} events came");
    let requests = stream.requests();
    assert!(requests.iter().all(|request| request.last_event_id.is_none()));
    let last = &requests.last().expect("requests").path;
    assert!(last.starts_with("/sse?poll=0&since="), "{last}");
}
