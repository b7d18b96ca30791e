//! Commands against a control server that answers from a script.

use std::{
    ffi::OsString,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::to_bytes,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bellwether_control::{messages::Catalogue, paths::Profile};
use clap::Parser;
use jiff::{ToSpan, Zoned};
use serde_json::{Value, json};

use super::{output::capture, run_with};
use crate::args::{Arguments, ClientCommand, Command};

fn command(line: &str) -> ClientCommand {
    let arguments = line.split_whitespace().map(OsString::from);
    match Arguments::try_parse_from(std::iter::once("bellwether".into()).chain(arguments)).unwrap().command {
        Some(Command::Client(command)) => command,
        other => panic!("{line}: {other:?}"),
    }
}

/// A profile whose socket answers, or not.
struct Fake {
    profile: Profile,
    requests: Arc<Mutex<Vec<String>>>,
    server: Option<tokio::task::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

/// What a command left behind.
#[derive(PartialEq, Debug)]
struct Ran {
    code: u8,
    out: String,
    err: String,
}

impl Fake {
    fn silent() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::find(Some(folder.path())).unwrap();
        Self { profile, requests: Arc::default(), server: None, _folder: folder }
    }

    /// Answers each request, written `METHOD path body`, as the script says.
    fn answering(script: impl Fn(&str) -> (u16, Value) + Clone + Send + Sync + 'static) -> Self {
        let mut fake = Self::silent();
        let requests = fake.requests.clone();
        let app = Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let line = format!("{} {} {}", head.method, head.uri, String::from_utf8_lossy(&body));
            let line = line.trim_end().to_owned();
            let (status, answer) = script(&line);
            requests.lock().unwrap().push(line);
            respond(status, &answer)
        });
        let listener = tokio::net::UnixListener::bind(&fake.profile.socket).unwrap();
        fake.server = Some(tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }));
        fake
    }

    async fn run(&self, line: &str) -> Ran {
        let (mut output, captured) = capture::captured(None);
        let code = run_with(&command(line), &self.profile, &Catalogue::new("en"), &mut output).await;
        Ran { code, out: captured.out(), err: captured.err() }
    }

    /// The requests but for the first question that every command asks.
    fn asked(&self) -> Vec<String> {
        self.requests.lock().unwrap().drain(..).filter(|line| line != "GET /status").collect()
    }
}

fn respond(status: u16, answer: &Value) -> Response {
    let body = if answer.is_null() { String::new() } else { answer.to_string() };
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn feed(id: &str) -> Value {
    json!({
        "id": id, "name": "运维告警", "group": null, "url": "https://example.org/events", "credentials": [], "paused": false,
        "idle_timeout_seconds": 300, "repeats": "hide", "verify_certificate": true, "rules": 0,
        "preset": {
            "id": "ntfy", "name": "ntfy", "chosen": "url",
            "why": {"code": "preset_url", "params": {"name": "ntfy"}, "message": "the address is that of ntfy"}
        },
        "rule_faults": [], "muted": false, "snoozed_until": null, "held": 0,
        "connection": {
            "state": "waiting", "reason": {"code": "refused", "detail": "example.org:443"}, "attempt": 2,
            "connected_at": null, "next_attempt_at": "2020-01-01T00:00:00.000Z",
            "last_activity_at": null, "rhythm_seconds": null, "hint": null, "moved_to": null
        },
        "counts": {"events": 7, "unread": 3, "repeats": 1, "ignored": 0, "oversized": 0},
        "last_event_at": null
    })
}

fn status(locale: &str) -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"), "pid": 42, "started_at": "2026-11-20T12:00:00.000Z",
        "language": "system", "theme": "system", "locale": locale,
        "config": {
            "path": "/c/feeds.toml",
            "error": {"line": 3, "key": "feed[1].url", "column": 0, "code": "url_blank", "params": {"url": "x y"}, "message": "not a URL"}
        },
        "event_log": "/d/events.db", "event_log_error": null,
        "attention": {"snoozed_until": null, "quiet_until": null, "held": 0},
        "parts": [
            {"name": "display", "available": true, "detail": ":0"},
            {"name": "tray", "available": false, "detail": "no watcher"}
        ],
        "feeds": [feed("ops")]
    })
}

fn event(seq: u64) -> Value {
    json!({
        "seq": seq, "feed": "ops", "event": "deploy", "data": "磁\u{1b}[31m盘\nfull", "data_truncated": false, "id": "",
        "origin": "https://example.org",
        "received_at": "2026-11-20T12:00:00.000Z", "outcome": "shown",
        "reason": {"code": "rule", "rule": 2, "detail": ""},
        "title": format!("Event \u{1b}[31m{seq}"), "body": "two\nlines", "url": null, "urgency": "normal",
        "key": null, "icon": null, "group": null, "sound": "default", "expire_seconds": null, "buttons": [],
        "read": false, "summary": null
    })
}

/// The newest events first, from a log of so many, at most three a page.
fn page(request: &str, log: u64) -> Value {
    let number = |name: &str| -> Option<u64> {
        let rest = request.split_once(&format!("{name}="))?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let newest = number("before").map_or(log, |before| before - 1);
    let events: Vec<u64> = (1..=newest).rev().take(number("limit").unwrap().min(3) as usize).collect();
    let next = events.last().filter(|seq| **seq > 1);
    json!({"events": events.iter().map(|seq| event(*seq)).collect::<Vec<_>>(), "next_before": next})
}

fn script(request: &str) -> (u16, Value) {
    match request.split([' ', '?']).take(2).collect::<Vec<_>>()[..] {
        ["GET", "/status"] => (200, status("en")),
        ["GET", "/events"] => (200, page(request, 8)),
        ["POST", "/feeds"] => (201, feed("ops")),
        ["PATCH", _] | ["POST", "/feeds/ops/pause" | "/feeds/ops/resume" | "/feeds/ops/reconnect"] => {
            (200, feed("ops"))
        }
        ["DELETE", "/feeds/nobody"] => (
            404,
            json!({"code": "no_such_feed", "message": "no feed nobody; see: bellwether feeds", "detail": "nobody"}),
        ),
        ["PUT", "/snooze"] => (200, json!({"snoozed_until": null, "quiet_until": null, "held": 0})),
        _ => (204, Value::Null),
    }
}

#[tokio::test]
async fn commands_become_requests_and_one_line() {
    let fake = Fake::answering(script);
    for (line, request, says) in [
        (
            "feeds add https://example.org/events --id ops --paused",
            r#"POST /feeds {"url":"https://example.org/events","id":"ops","paused":true}"#,
            "Added ops, connecting to https://example.org/events",
        ),
        ("feeds remove ops", "DELETE /feeds/ops", "Removed ops; its events stay in the log."),
        ("feeds pause ops", "POST /feeds/ops/pause", "Paused ops."),
        ("feeds resume ops", "POST /feeds/ops/resume", "Resumed ops."),
        ("feeds reconnect ops", "POST /feeds/ops/reconnect", "Trying ops again."),
        ("feeds reconnect", "POST /reconnect", "Trying all feeds again."),
        ("feeds test ops", "POST /feeds/ops/test", "Sent a sample notification of ops."),
        (
            "feeds edit ops --idle-timeout 2m --repeats show",
            r#"PATCH /feeds/ops {"idle_timeout_seconds":120,"repeats":"show"}"#,
            "Changed ops.",
        ),
        ("feeds mute ops", r#"PATCH /feeds/ops {"muted":true}"#, "Muted ops: its events go to the log only."),
        ("feeds unmute ops", r#"PATCH /feeds/ops {"muted":false}"#, "Unmuted ops."),
        ("snooze off", r#"PUT /snooze {"until":"off"}"#, "Popups are shown again."),
        ("test-notification", "POST /notifications/test", "Sent a test notification."),
    ] {
        let ran = fake.run(line).await;
        assert_eq!(ran, Ran { code: 0, out: format!("{says}\n"), err: String::new() }, "{line}");
        assert_eq!(fake.asked(), [request], "{line}");
    }
}

#[tokio::test]
async fn json_is_one_value() {
    let fake = Fake::answering(script);
    for (line, expected) in [
        ("status --json", status("en")),
        ("feeds --json", json!([feed("ops")])),
        ("feeds pause ops --json", feed("ops")),
        ("feeds remove ops --json", Value::Null),
    ] {
        let ran = fake.run(line).await;
        assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), expected, "{line}");
    }
    let ran = fake.run("events --json --limit 2").await;
    assert!(!ran.out.contains('\u{1b}'));
    let events: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(events.as_array().unwrap().len(), 2);
    let expected = json!({
        "seq": 8, "feed": "ops", "event": "deploy", "data": "磁\u{1b}[31m盘\nfull", "id": "",
        "received_at": "2026-11-20T12:00:00.000Z", "outcome": "shown", "reason": "rule 2",
        "title": "Event \u{1b}[31m8", "body": "two\nlines", "url": null, "read": false
    });
    assert_eq!(events[0], expected);
}

#[tokio::test]
async fn events_are_asked_for_page_by_page() {
    let fake = Fake::answering(script);
    for (line, count, requests) in [
        ("events --limit 2", 2, vec!["GET /events?limit=2&preview=true"]),
        (
            "events --limit 4 --feed ops --unread",
            4,
            vec![
                "GET /events?feed=ops&unread=true&limit=4&preview=true",
                "GET /events?feed=ops&unread=true&before=6&limit=1&preview=true",
            ],
        ),
        (
            "events --limit 0 --json",
            8,
            vec![
                "GET /events?limit=1000",
                "GET /events?before=6&limit=1000",
                "GET /events?before=3&limit=1000",
            ],
        ),
        (
            "events --since 2026-11-20T08:00:00+08:00 --held-back --event x --search 磁盘 --limit 1",
            1,
            vec![
                "GET /events?event=x&search=%E7%A3%81%E7%9B%98&held_back=true&since=2026-11-20T00%3A00%3A00.000Z&limit=1&preview=true",
            ],
        ),
    ] {
        let ran = fake.run(line).await;
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        assert_eq!(ran.out.matches("deploy").count(), count, "{line}: {}", ran.out);
        assert_eq!(fake.asked(), requests, "{line}");
    }
}

#[tokio::test]
async fn events_are_a_table_without_a_feeds_escape_sequences() {
    let fake = Fake::answering(script);
    let out = fake.run("events --limit 2").await.out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    let title = lines[0].find("TITLE").unwrap();
    assert_eq!(&lines[1][title..], "Event 8: two lines");
    assert_eq!(&lines[2][title..], "Event 7: two lines");
    assert!(lines[1].contains("  ops   deploy  shown    "), "{out}");
}

#[tokio::test]
async fn events_that_were_held_back_are_told_with_the_reason() {
    let fake = Fake::answering(script);
    let out = fake.run("events --limit 1 --held-back").await.out;
    let lines: Vec<&str> = out.lines().collect();
    let why = lines[0].find("WHY").unwrap();
    assert!(lines[1][why..].starts_with("Rule 2 of this feed decided so.  Event 8"), "{out}");
}

#[tokio::test]
async fn an_empty_log_is_said_so() {
    let fake = Fake::answering(|request| match request {
        "GET /status" => (200, status("zh-CN")),
        _ => (200, json!({"events": [], "next_before": null})),
    });
    assert_eq!(fake.run("events").await.out, "没有这样的事件。\n");
    assert_eq!(fake.run("events --json").await.out, "[]\n");
}

/// A moment on the wire, and the time of the day at which it is here: in an hour, or in two if that were tomorrow.
fn soon() -> (String, String) {
    let now = Zoned::now();
    let hours = [1, 2].map(|hours| now.checked_add(hours.hours()).unwrap());
    let soon = hours.iter().find(|hour| hour.hour() != 0).unwrap();
    let clock = soon.strftime("%H:%M").to_string();
    let tomorrow = if soon.date() == now.date() { "" } else { " tomorrow" };
    (soon.timestamp().to_string(), clock + tomorrow)
}

#[tokio::test]
async fn a_snooze_is_told_with_its_end() {
    let (until, clock) = soon();
    let fake = Fake::answering(move |request| match request.split_once(' ').unwrap().1 {
        "/status" => (200, status("en")),
        "/feeds" => {
            let mut feed = feed("ops");
            feed["snoozed_until"] = json!(until);
            (200, json!([feed]))
        }
        _ => (200, json!({"snoozed_until": until, "quiet_until": null, "held": 3})),
    });
    let all = r#"PUT /snooze {"until":"until 08:00"}"#;
    let of_one = [r#"PUT /snooze {"feed":"ops","until":"1h"}"#, "GET /feeds"];
    for (line, requests, says) in [
        ("snooze until 08:00", &[all][..], format!("Snoozed until {clock} · 3 events held back\n")),
        ("snooze 1h --feed ops", &of_one[..], format!("Snoozed ops until {clock}.\n")),
    ] {
        let ran = fake.run(line).await;
        assert_eq!(ran, Ran { code: 0, out: says, err: String::new() }, "{line}");
        assert_eq!(fake.asked(), requests, "{line}");
    }
    let json: Value = serde_json::from_str(&fake.run("snooze 1h --json").await.out).unwrap();
    assert_eq!(json["held"], 3);
    let json: Value = serde_json::from_str(&fake.run("snooze 1h --feed ops --json").await.out).unwrap();
    assert_eq!(json["id"], "ops");
}

#[tokio::test]
async fn a_time_that_nobody_understands_is_refused_in_the_persons_language() {
    let mistake = json!({
        "code": "invalid_value", "message": "english", "detail": "english",
        "sentence": {"code": "snooze_unknown", "params": {"value": "soon"}, "message": "english"}
    });
    let fake = Fake::answering(move |request| match request {
        "GET /status" => (200, status("zh-CN")),
        _ => (400, mistake.clone()),
    });
    let ran = fake.run("snooze soon").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("无法理解时间“soon”"), "{}", ran.err);
}

#[tokio::test]
async fn status_tells_what_keeps_popups_away() {
    let (until, clock) = soon();
    for (attention, muted, expected) in [
        (json!({"snoozed_until": null, "quiet_until": null, "held": 0}), false, None),
        (
            json!({"snoozed_until": until, "quiet_until": null, "held": 1}),
            false,
            Some(format!("Snoozed until {clock} · 1 event held back")),
        ),
        (
            json!({"snoozed_until": null, "quiet_until": until, "held": 0}),
            true,
            Some(format!("Quiet hours until {clock}")),
        ),
    ] {
        let mut status = status("en");
        status["attention"] = attention;
        let feed = &mut status["feeds"][0];
        (feed["muted"], feed["snoozed_until"], feed["held"]) = (json!(muted), json!(until), json!(2));
        let fake = Fake::answering(move |_| (200, status.clone()));
        let out = fake.run("status").await.out;
        let said = out.lines().nth(1).filter(|line| line.contains("until"));
        assert_eq!(said.map(str::to_owned), expected, "{out}");
        let of_feed =
            format!("{}snoozed until {clock} · 2 events held back · ", if muted { "muted · " } else { "" });
        assert!(out.contains(&format!("  {of_feed}")), "{out}");
    }
}

#[tokio::test]
async fn status_tells_of_signs_of_life() {
    for (locale, rhythm, hint, expected) in [
        ("en", Some(45), None, "last sign of life just now · usually every 45 s · 1 repeat held back"),
        ("en", Some(180), None, "last sign of life just now · usually every 3 min · 1 repeat held back"),
        ("zh-CN", Some(45), None, "最近动静：刚刚 · 通常每 45 秒一次 · 略去 1 个重复事件"),
        (
            "en",
            None,
            Some("flooding"),
            "It sends far more than its events, so it is read slowly. · last sign of life just now · 1 repeat held back",
        ),
        (
            "zh-CN",
            None,
            Some("unfinished"),
            "最新的事件不完整：末尾的空行一直没有收到。 · 最近动静：刚刚 · 略去 1 个重复事件",
        ),
    ] {
        let mut status = status(locale);
        let connection = &mut status["feeds"][0]["connection"];
        *connection = json!({
            "state": "connected", "reason": null, "attempt": 0, "connected_at": "2026-11-20T12:00:00.000Z",
            "next_attempt_at": null, "last_activity_at": "2999-01-01T00:00:00.000Z",
            "rhythm_seconds": rhythm, "hint": hint
        });
        let fake = Fake::answering(move |_| (200, status.clone()));
        let out = fake.run("status").await.out;
        assert!(out.lines().any(|line| line.ends_with(&format!("  {expected}"))), "{out}");
    }
}

#[tokio::test]
async fn status_tells_where_a_feed_has_moved_to() {
    for (locale, expected) in [
        ("en", "its server asks to use https://example.org/new from now on"),
        ("zh-CN", "服务器要求今后改用 https://example.org/new"),
    ] {
        let mut status = status(locale);
        status["feeds"][0]["connection"]["moved_to"] = json!("https://example.org/new");
        let fake = Fake::answering(move |_| (200, status.clone()));
        let out = fake.run("status").await.out;
        assert!(out.contains(&format!(" · {expected} · ")), "{out}");
    }
}

#[tokio::test]
async fn rules_that_fail_are_named_with_their_newest_failure() {
    for (locale, expected) in [
        ("en", "Rule 2 fails: when: b64decode: not base64 (event 41; times: 3)"),
        ("zh-CN", "规则 2 出错：when: b64decode: not base64（事件 41，共 3 次）"),
    ] {
        let mut status = status(locale);
        let fault = json!({"rule": 2, "detail": "when: b64decode: not base64", "seq": 41, "count": 3});
        status["feeds"][0]["rule_faults"] = json!([fault]);
        let fake = Fake::answering(move |_| (200, status.clone()));
        let out = fake.run("status").await.out;
        assert!(out.contains(&format!(" · {expected} · ")), "{out}");
        let out = fake.run("feeds").await.out;
        assert!(out.contains(&format!("\nops: {expected}\n")), "{out}");
    }
}

#[tokio::test]
async fn a_trial_of_rules_is_asked_for_and_told() {
    let reason = |code: &str, rule: Option<u32>| json!({"code": code, "rule": rule, "detail": ""});
    let popup = |seq: u64, title: &str, body: &str, url: Option<&str>| {
        json!({
            "seq": seq, "feed": "ops", "reason": reason("rule", Some(1)), "title": title, "body": body, "url": url,
            "urgency": "normal", "key": null, "icon": null, "group": null, "sound": null, "expire": null, "buttons": [],
            "urgent": false, "run": null
        })
    };
    let preview = json!({
        "evaluated": 100, "notified": 3,
        "decided": [
            {"action": "log", "reason": reason("no_match", None), "count": 97},
            {"action": "notify", "reason": reason("rule", Some(1)), "count": 3}
        ],
        "popups": [popup(9, "Disk \u{1b}[31mfull", "93 %\nof 200 GiB", Some("https://example.org/9")), popup(7, "Door", "", None)],
        "failures": [{"feed": "ops", "rule": 2, "detail": "when: x", "seq": 5, "count": 4}]
    });
    let answer = preview.clone();
    let fake = Fake::answering(move |line| match line {
        "GET /status" => (200, status("en")),
        _ => (200, answer.clone()),
    });
    let ran = fake
        .run("rules test ops --when data.n>3 --title {{data.n}} --event a --event b --replace 2 --popups 2")
        .await;
    assert_eq!((ran.code, &*ran.err), (0, ""));
    assert_eq!(
        ran.out,
        "Events: 100, with a popup: 3\n\nCOUNT  OUTCOME  WHY\n97     log      None of this feed’s rules matches it.\n\
         3      popup    Rule 1 of this feed decided so.\n\n9  ops  Disk full\n    93 %\n    of 200 GiB\n    https://example.org/9\n\n\
         7  ops  Door\n\nand 1 more popup\nops: Rule 2 fails: when: x (event 5; times: 4)\n"
    );
    let asked = json!({
        "feed": "ops",
        "rules": [{"event": ["a", "b"], "when": "data.n>3", "action": "notify", "notify": {"title": "{{data.n}}"}}],
        "place": {"replace": 2}, "popups": 2
    });
    let (_, body) =
        fake.asked()[0].split_once("POST /rules/test ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), asked);
    let ran = fake.run("rules test --json").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), preview);
    assert_eq!(fake.asked(), ["POST /rules/test {}"]);
}

#[tokio::test]
async fn mistakes_in_rules_to_be_tried_name_their_place() {
    for (locale, expected) in [("en", "--when, character 6: unknown filter “foo”"), ("zh-CN", "--when")] {
        let status = status(locale);
        let fake = Fake::answering(move |_| (200, status.clone()));
        let ran = fake.run("rules test ops --when data|foo").await;
        assert!(ran.code == 1 && ran.err.contains(expected) && ran.err.contains("foo"), "{ran:?}");
        let file = fake.profile.socket.with_file_name("draft.toml");
        std::fs::write(&file, "[[rule]]\nevent = \"a\"\n[[rule]]\nnotify.titel = \"x\"\n").unwrap();
        let ran = fake.run(&format!("rules test ops --rule {}", file.display())).await;
        assert!(ran.code == 1 && ran.err.contains("draft.toml:4: rule[2].notify.titel"), "{ran:?}");
        let ran = fake.run("rules test ops --sample /nowhere/x").await;
        assert!(ran.code == 1 && ran.err.contains("/nowhere/x"), "{ran:?}");
        assert!(fake.asked().is_empty());
    }
}

#[tokio::test]
async fn status_speaks_the_programs_language() {
    for (locale, head, next, repeats, config) in [
        (
            "en",
            "Bellwether 0.1.0, running since ",
            "2 failed attempts · next try any moment · 1 repeat held back",
            "never",
            "/c/feeds.toml:3: feed[1].url: “x y” is not a URL: it has a blank or line break in it (the last good state holds)",
        ),
        (
            "zh-CN",
            "Bellwether 0.1.0，自 ",
            "连续失败 2 次 · 即刻重试 · 略去 1 个重复事件",
            "从未",
            "/c/feeds.toml:3: feed[1].url：“x y”不是网址：其中有空格或换行（仍沿用上一次的有效设置）",
        ),
    ] {
        let catalogue = Catalogue::new(locale);
        let fake = Fake::answering(move |_| (200, status(locale)));
        let out = fake.run("status").await.out;
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 6, "{out}");
        assert!(lines[0].starts_with(head), "{out}");
        assert!(lines[2].starts_with(&format!("◐ {}", catalogue.text("state.waiting"))), "{out}");
        assert!(lines[2].contains(&format!("  ops  运维告警  {repeats}")), "{out}");
        let reason = catalogue.format("reason.refused", &[("detail", "example.org:443")]);
        assert!(lines[2].ends_with(&format!("  {reason} · {next}")), "{out}");
        assert!(lines[3].ends_with(catalogue.text("part.tray_missing")), "{out}");
        assert!(lines[4].ends_with("bellwether doctor"), "{out}");
        assert_eq!(lines[5], config);
    }
}

#[tokio::test]
async fn nobody_at_the_socket_is_one_line_and_code_1() {
    let fake = Fake::silent();
    for line in ["status", "feeds", "events --json", "test-notification", "feeds pause ops"] {
        let ran = fake.run(line).await;
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{line}");
        assert!(ran.err.starts_with("bellwether: not running"), "{line}: {}", ran.err);
        assert!(ran.err.contains("start it with: bellwether --background"), "{line}: {}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_refusal_is_passed_on() {
    let fake = Fake::answering(script);
    let ran = fake.run("feeds remove nobody").await;
    let err = "bellwether: no feed nobody; see: bellwether feeds\n".to_owned();
    assert_eq!(ran, Ran { code: 1, out: String::new(), err });

    let fake = Fake::answering(|request| match request {
        "GET /status" => (200, status("zh-CN")),
        other => script(other),
    });
    let sentence = Catalogue::new("zh-CN").text("error.no_such_feed").to_owned();
    let err = fake.run("feeds remove nobody").await.err;
    assert_eq!(err, format!("bellwether: {sentence}（no feed nobody; see: bellwether feeds）\n"));
}

#[tokio::test]
async fn garbage_at_the_socket_is_one_line() {
    let fake = Fake::answering(|_| (200, json!("garbage\nof two lines")));
    let ran = fake.run("status").await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.lines().count()), (1, "", 1), "{ran:?}");
    assert!(ran.err.contains("control.sock"), "{ran:?}");
}

#[tokio::test]
async fn quit_waits_for_the_end() {
    let silent = Fake::silent();
    let ran = silent.run("quit").await;
    assert_eq!(ran, Ran { code: 0, out: "Bellwether is not running.\n".into(), err: String::new() });

    let mut fake = Fake::answering(script);
    let server = fake.server.take().unwrap();
    let requests = fake.requests.clone();
    let end = tokio::spawn(async move {
        // A question after the wish shows that the command waits.
        let waits = |requests: &Vec<String>| {
            requests.iter().skip_while(|line| *line != "POST /quit").any(|line| line == "GET /status")
        };
        while !waits(&requests.lock().unwrap()) {
            tokio::task::yield_now().await;
        }
        server.abort();
    });
    let ran = fake.run("quit").await;
    end.await.unwrap();
    assert_eq!(ran, Ran { code: 0, out: "Bellwether has ended.\n".into(), err: String::new() });
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let fake = Fake::answering(script);
    let (mut output, captured) = capture::closed();
    let code =
        run_with(&command("events --limit 0"), &fake.profile, &Catalogue::new("en"), &mut output).await;
    assert_eq!((code, captured.err().as_str()), (0, ""));
}

#[tokio::test]
async fn doctor_works_with_and_without_the_program() {
    let silent = Fake::silent();
    let ran = silent.run("doctor --json").await;
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let check = |report: &Value, name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks
            .iter()
            .find(|check| check["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {report}"))
            .clone()
    };
    assert_eq!((ran.code, &report["ok"]), (0, &json!(true)), "{report}");
    assert_eq!(check(&report, "resident")["ok"], false);
    for name in ["version", "profile_folder", "feeds_toml", "event_log", "display", "window"] {
        check(&report, name);
    }

    let fake = Fake::answering(script);
    let ran = fake.run("doctor --json").await;
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    // The script's program reports a broken feeds.toml.
    assert_eq!((ran.code, &report["ok"]), (1, &json!(false)), "{report}");
    assert_eq!(check(&report, "feeds_toml")["ok"], false);
    assert_eq!(check(&report, "resident")["ok"], true);
    assert_eq!(
        check(&report, "display"),
        json!({"name": "display", "ok": true, "essential": false, "detail": ":0"})
    );
    let tray = check(&report, "tray");
    assert!(tray["detail"].as_str().unwrap().ends_with("(no watcher)"), "{tray}");

    let ran = fake.run("doctor").await;
    assert!(ran.out.contains("✗ missing  feeds.toml"), "{}", ran.out);
    assert!(ran.out.ends_with("Something essential is missing; see ✗ above.\n"), "{}", ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
}
