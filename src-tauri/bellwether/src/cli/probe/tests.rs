//! What a probe says, and to whom.

use std::{path::Path, time::Duration};

use bellwether_control::messages::LOCALES;
use bellwether_engine::{
    feed::{FileFault, ProxyFault, Reason, RedirectFault},
    probe::{Fault, Report},
};
use clap::Parser;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    args::{Arguments, Command},
    cli::{finish, output::capture},
};

/// Code, standard output and standard error.
type Said = (u8, String, String);

fn said(found: &wire::Probe, json: bool, locale: &str) -> Said {
    let (mut output, captured) = capture::captured(None);
    let catalogue = Catalogue::new(locale);
    let result = show(found, json, &catalogue, &mut output);
    let code = finish(result, &catalogue, &mut output);
    (code, captured.out(), captured.err())
}

/// Probes a server that gives this answer and hangs up.
async fn probed(flags: &str, answer: &str) -> (Said, String) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = format!("bellwether probe http://{}/ {flags}", server.local_addr().unwrap());
    let Some(Command::Probe(args)) = Arguments::try_parse_from(line.split_whitespace()).unwrap().command
    else {
        panic!("{line}")
    };
    let answer = answer.to_owned();
    let served = tokio::spawn(async move {
        let (mut connection, _) = server.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    });
    let (mut output, captured) = capture::captured(None);
    let catalogue = Catalogue::new("en");
    let profile = Profile::find(Some(Path::new("/nonexistent"))).unwrap();
    let result = run(&args, &profile, &catalogue, &mut output).await;
    let code = finish(result, &catalogue, &mut output);
    ((code, captured.out(), captured.err()), served.await.unwrap())
}

#[tokio::test]
async fn a_stream_is_described_without_its_escape_sequences() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
                  id: 1\nretry: 2500\ndata: \u{1b}[31m磁盘\ndata: full\n\n";
    let ((code, out, err), request) = probed("-H X-Key:v", answer).await;
    let expected = "\
This is an event stream that can be used.
Answer      200 text/event-stream
Keep-alive  not seen twice in 0 s
Reconnect   after 2.5 s, as the server asks
Event IDs   yes: after a break the server can go on where it was
EVENT    COUNT  SAMPLE
message  1      磁盘 full
The server hangs up after these events; a feed asks it again by itself.
";
    assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""));
    assert!(request.contains("x-key: v\r\n") && request.contains("user-agent: bellwether/"), "{request}");
}

#[tokio::test]
async fn json_is_one_value_and_the_code_says_whether_it_can_be_used() {
    let ((code, out, err), _) =
        probed("--json", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let expected = json!({
        "usable": false, "fault": {"code": "unauthorized", "detail": "401"}, "status": 401,
        "content_type": null, "redirects": [], "listened_seconds": null, "keep_alive_seconds": null,
        "retry_seconds": null, "last_event_ids": false, "events": [], "ended": false, "preset": null
    });
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), expected);
}

#[tokio::test]
async fn a_provider_that_is_known_is_named_with_what_it_wants() {
    let body = "event: open\ndata: {\"id\":\"a\",\"time\":1,\"event\":\"open\",\"topic\":\"ops\"}\n\n";
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}");
    let ((code, out, _), _) = probed("", &answer).await;
    assert!(code == 0 && out.contains("\nLooks like  ntfy: it sent an event “open” as ntfy does\n"), "{out}");

    let url = "https://ntfy.sh/ops/sse".parse().unwrap();
    let fault = |fault| Report { fault: Some(fault), status: Some(401), ..Report::default() };
    let refused = fault(Fault::Connection(Reason::Status(401)));
    let found = |report| probe_on_the_wire(Report { preset: preset::by_url(&url), ..report });
    let (_, out, _) = said(&found(refused), false, "en");
    assert!(out.contains("Looks like  ntfy: the address is that of ntfy\n"), "{out}");
    assert!(out.contains("ntfy lets you in by bearer, basic, query.auth."), "{out}");
    let (_, out, _) = said(&found(fault(Fault::Connection(Reason::Status(404)))), false, "zh-CN");
    assert!(out.contains("ntfy 的地址：主题地址末尾加上 /sse"), "{out}");
}

#[test]
fn a_quiet_stream_is_described_in_the_persons_language() {
    let found = wire::Probe {
        redirects: vec![
            wire::ProbeRedirect { status: 302, url: "http://a/b".into(), other_origin: false },
            wire::ProbeRedirect { status: 301, url: "https://b/".into(), other_origin: true },
        ],
        status: Some(200),
        content_type: Some("text/event-stream".into()),
        listened_seconds: Some(9.96),
        keep_alive_seconds: Some(4.52),
        ..probe_on_the_wire(Report::default())
    };
    for (locale, expected) in [
        (
            "en",
            "\
This is an event stream that can be used.
Redirect 302  http://a/b
Redirect 301  https://b/ (another origin: it was not sent your headers)
Answer        200 text/event-stream
Keep-alive    every 4.5 s
Reconnect     the server asks for no particular time
Event IDs     none seen
No event came in 10 s, but the server shows that it is alive.
",
        ),
        (
            "zh-CN",
            "\
这是可以订阅的事件流。
重定向 302  http://a/b
重定向 301  https://b/（另一个源：没有把你的请求头发给它）
响应        200 text/event-stream
保活        每 4.5 秒
重连        服务器没有指定等待时间
事件 ID     未见到
10 秒内没有收到事件，但服务器有保活迹象。
",
        ),
    ] {
        assert_eq!(said(&found, false, locale), (0, expected.into(), String::new()));
    }
}

#[test]
fn silence_is_said_to_be_silence() {
    let found = wire::Probe {
        status: Some(200),
        content_type: Some("text/event-stream".into()),
        listened_seconds: Some(8.4),
        ..failed(Fault::Silent(Duration::from_millis(8400)))
    };
    for (locale, out, says) in [
        ("en", "Answer  200 text/event-stream\n", "nothing came in 8 s"),
        ("zh-CN", "响应  200 text/event-stream\n", "8 秒内没有收到任何内容"),
    ] {
        let (code, seen, err) = said(&found, false, locale);
        assert_eq!((code, seen.as_str()), (1, out));
        assert!(err.starts_with("bellwether: ") && err.contains(says) && err.contains("proxy_buffering off"));
    }
}

fn failed(fault: Fault) -> wire::Probe {
    probe_on_the_wire(Report { fault: Some(fault), ..Report::default() })
}

#[test]
fn each_cause_is_one_line_with_a_sentence_of_its_own_in_each_language() {
    let text = || "here".to_owned();
    let time = Duration::from_secs(10);
    let kind = |kind: &str| Reason::ContentType(Some(kind.to_owned()));
    let statuses = [204, 400, 401, 403, 404, 410, 429, 500].map(Reason::Status);
    let others = [
        kind("text/html"),
        kind("application/json"),
        kind("text/plain"),
        Reason::ContentType(None),
        Reason::ContentEncoding(text()),
        Reason::Redirect(RedirectFault::NoLocation),
        Reason::Redirect(RedirectFault::Scheme),
        Reason::Redirect(RedirectFault::Downgrade),
        Reason::Redirect(RedirectFault::TooMany),
        Reason::Dns(text()),
        Reason::Refused(text()),
        Reason::Unreachable(text()),
        Reason::TlsUntrusted(text()),
        Reason::TlsName(text()),
        Reason::TlsExpired(text()),
        Reason::TlsClientCertificate(text()),
        Reason::Tls(text()),
        Reason::EndedEmpty,
        Reason::Broken(text()),
        Reason::Network(text()),
    ];
    let files = [
        FileFault::Unreadable(text()),
        FileFault::NoCertificate,
        FileFault::NoKey,
        FileFault::EncryptedKey,
        FileFault::Pkcs12,
        FileFault::WrongKey,
    ];
    let files = files.map(|fault| Reason::CertificateFile { path: text(), fault });
    let proxy = [
        ProxyFault::Unreachable(text()),
        ProxyFault::Timeout(time),
        ProxyFault::SignIn,
        ProxyFault::Refused(String::new()),
    ];
    let proxy = proxy.map(|fault| Reason::Proxy { proxy: text(), fault });
    let others = others.into_iter().chain(files).chain(proxy);
    let connection = statuses.into_iter().chain(others).map(Fault::Connection);
    let own = [Fault::Url(text()), Fault::Scheme(text()), Fault::Silent(time), Fault::Timeout(time)];
    let faults: Vec<Fault> = own.into_iter().chain(connection).collect();
    for locale in LOCALES {
        let catalogue = Catalogue::new(locale);
        let mut sentences: Vec<String> = Vec::new();
        for fault in &faults {
            assert!(catalogue.has(&format!("probe.{}", fault.code())), "{fault:?}");
            let (code, out, err) = said(&failed(fault.clone()), false, locale);
            assert_eq!((code, out.as_str(), err.lines().count()), (1, "", 1), "{err}");
            assert!(!err.contains('{') && !sentences.contains(&err), "{err}");
            sentences.push(err);
        }
    }
}
