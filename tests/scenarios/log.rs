//! The event log over the control socket: where events are, what is deleted and taken back, what is exported, what happened to connections.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use bellwether_control::wire::{ConnectionChangeKind, EventIndex, Exported, FeedActivity, Outcome, Update};
use bellwether_tests::{
    Desktop, Manner, Need, NotificationServer, Notifications, PATIENCE, Resident, Source, needs, until,
};
use serde_json::{Value, json};

const RULES: &str = "[[feed.rule]]\nevent = \"ping\"\naction = \"ignore\"\n[[feed.rule]]\nevent = \"quiet\"\naction = \"log\"\n[[feed.rule]]\n";

fn feed(source: &Source) -> String {
    format!("[[feed]]\nid = \"ops\"\nurl = \"{}\"\n{RULES}", source.url())
}

/// A program with a log of so many events of different kinds.
fn logged(count: u64) -> (Source, Resident) {
    let source = Source::start();
    let mut resident = Resident::prepare();
    // What opens folders only notes them.
    let bin = resident.profile().join("bin");
    fs::create_dir(&bin).expect("a folder");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\n", opened(&resident).display());
    fs::write(bin.join("xdg-open"), script).expect("a script");
    fs::set_permissions(bin.join("xdg-open"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap_or_default());
    resident.config(&feed(&source)).env("PATH", &path);
    resident.start();
    for n in 0..count {
        let kind = ["build", "quiet", "ping"][n as usize % 3];
        source.send(kind, &json!({ "n": n, "title": format!("No. {n}"), "message": "磁盘" }));
    }
    let listed = count - count / 3;
    until(PATIENCE, "the events", || {
        let counts = resident.feed("ops").counts;
        (counts.events, counts.ignored) == (listed, count / 3)
    });
    (source, resident)
}

fn opened(resident: &Resident) -> PathBuf {
    resident.profile().join("opened")
}

/// Walks through all pages of a list.
fn seqs(resident: &Resident, query: &str) -> Vec<u64> {
    let (mut seqs, mut before) = (Vec::new(), String::new());
    loop {
        let page = resident.events(&format!("{query}&limit=7{before}"));
        seqs.extend(page.events.iter().map(|event| event.seq));
        match page.next_before {
            Some(seq) => before = format!("&before={seq}"),
            None => return seqs,
        }
    }
}

fn code(resident: &Resident, method: &str, path: &str, body: &Value) -> (u16, String) {
    let answer = resident.request(method, path, body).expect("an answer");
    (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn the_index_says_where_the_events_of_each_list_are() {
    let (_source, resident) = logged(60);
    for query in [
        "",
        "feed=ops",
        "event=quiet",
        "unread=true",
        "held_back=true",
        "search=%E7%A3%81",
        "outcome=logged,ignored",
        "outcome=pending&search=n&unread=true",
        "since=2026-01-01T00:00:00Z",
        "until=2026-01-01T00:00:00Z",
        "feed=never",
    ] {
        let listed = seqs(&resident, query);
        let index: EventIndex =
            resident.get(&format!("/events/index?{query}&step=4&time_zone=Asia/Shanghai"));
        let marks: Vec<u64> = listed.iter().step_by(4).copied().collect();
        assert_eq!((index.count, index.step, index.marks), (listed.len() as u64, 4, marks), "{query}");
        assert_eq!(index.days.first().map(|day| day.at), (!listed.is_empty()).then_some(0), "{query}");
    }
    assert_eq!(resident.get::<Vec<String>>("/events/types?feed=ops"), ["build", "ping", "quiet"]);
    assert_eq!(resident.get::<Vec<String>>("/events/types?feed=never"), [""; 0]);
    let (status, bad) = code(&resident, "GET", "/events?outcome=told", &Value::Null);
    assert_eq!((status, bad.as_str()), (400, "bad_request"));
    let answer = resident.request("GET", "/events?outcome=told", &Value::Null).expect("an answer");
    assert!(
        answer.body["message"].as_str().expect("a text").contains("shown, pending, summarized"),
        "{answer:?}"
    );
}

#[test]
fn what_is_deleted_comes_back_as_it_was() {
    let (_source, resident) = logged(9);
    let mut updates = resident.updates();
    let before = resident.events("limit=100");
    let counts = resident.feed("ops").counts;
    let wish = json!({ "seqs": [1, 2, 999] });
    resident.call::<Value>("POST", "/events/delete", &wish);
    updates.wait_for(PATIENCE, "word of it", |update| *update == Update::EventsChanged);
    assert_eq!(code(&resident, "GET", "/events/1", &Value::Null), (404, "no_such_event".into()));
    assert_eq!(resident.feed("ops").counts.events, counts.events - 2);
    resident.call::<Value>("POST", "/events/restore", &wish);
    assert_eq!((resident.events("limit=100"), resident.feed("ops").counts), (before, counts));
    assert_eq!(code(&resident, "POST", "/events/restore", &wish), (404, "nothing_to_restore".into()));
    let many: Vec<u64> = (0..1001).collect();
    assert_eq!(
        code(&resident, "POST", "/events/delete", &json!({ "seqs": many })),
        (400, "bad_request".into())
    );
    assert_eq!(code(&resident, "POST", "/events/1/show", &Value::Null), (503, "no_notifications".into()));
    assert_eq!(code(&resident, "POST", "/events/99/show", &Value::Null), (404, "no_such_event".into()));
}

#[test]
fn an_outage_stands_in_the_log_between_its_events() {
    let source = Source::start();
    let port = source.port();
    let resident = Resident::with_config(&feed(&source));
    source.send("build", &json!({ "n": 1 }));
    until(PATIENCE, "the first event", || resident.feed("ops").counts.events == 1);
    let mut updates = resident.updates();
    drop(source);
    let change = |kind| move |update: &Update| matches!(update, Update::ConnectionChange(change) if change.kind == kind);
    // An end as it should be is none, but that nobody is there afterwards is.
    updates.wait_for(PATIENCE, "the loss", change(ConnectionChangeKind::Lost));
    let source = Source::start_at(port);
    // It has forgotten what it sent, and the client asks for what comes after the first.
    source.send("build", &json!({ "n": 1 }));
    source.send("build", &json!({ "n": 2 }));
    updates.wait_for(PATIENCE, "its end", change(ConnectionChangeKind::Back));
    until(PATIENCE, "the second event", || resident.feed("ops").counts.events == 2);
    let page = resident.events("feed=ops&connections=true");
    let kinds: Vec<_> = page.connections.iter().map(|change| (change.kind, change.after)).collect();
    assert_eq!(kinds, [(ConnectionChangeKind::Back, 1), (ConnectionChangeKind::Lost, 1)]);
    assert_eq!(page.connections[1].reason.as_ref().map(|reason| &*reason.code), Some("refused"));
    assert!(page.connections[0].away_seconds.is_some() && page.connections[0].reason.is_none());
    assert_eq!(resident.events("feed=ops").connections, []);
    assert_eq!(resident.events("feed=other&connections=true").connections, []);

    let activity: FeedActivity = resident.get("/feeds/ops/activity");
    assert_eq!((activity.step_seconds, activity.events.len()), (900, 96));
    assert_eq!(activity.events.iter().sum::<u32>(), 2);
    let kinds: Vec<_> = activity.connections.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ConnectionChangeKind::Lost, ConnectionChangeKind::Back]);
    assert_eq!(code(&resident, "GET", "/feeds/none/activity", &Value::Null), (404, "no_such_feed".into()));
}

/// The rows of a table, read as a spreadsheet does.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell).trim_end_matches('\r').to_owned());
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

#[test]
fn events_are_exported_to_files_that_are_the_persons_alone() {
    let (source, resident) = logged(600);
    source.send("build", &"=HYPERLINK(\"http://evil.example.org\"), \"磁盘\"\nand more");
    until(PATIENCE, "the last event", || resident.feed("ops").counts.events == 401);
    let export = |format: &str, query: Value| {
        let wish = json!({ "format": format, "query": query });
        resident.call::<Exported>("POST", "/events/export", &wish)
    };
    assert_eq!(code(&resident, "POST", "/exports/open", &Value::Null), (404, "not_found".into()));
    let jsonl = export("jsonl", json!({}));
    let text = fs::read_to_string(&jsonl.path).expect("the file");
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((events.len(), jsonl.events, jsonl.bytes), (401, 401, text.len() as u64));
    let expected: Vec<u64> = seqs(&resident, "");
    let exported: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    assert_eq!(exported, expected, "newest first, as in the list");
    let printed: Value =
        serde_json::from_str(&resident.cli_text(&["events", "--json", "--limit", "0"])).expect("JSON");
    assert_eq!(printed.as_array(), Some(&events), "the names that scripts know");

    let path = Path::new(&jsonl.path);
    assert_eq!(path.parent(), Some(resident.profile().join("home").as_path()));
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(name.starts_with("bellwether-events-20") && name.ends_with(".jsonl"), "{name}");
    assert_eq!(fs::metadata(path).expect("the file").permissions().mode() & 0o777, 0o600);

    resident.call::<Value>("POST", "/exports/open", &Value::Null);
    let home = format!("{}\n", resident.profile().join("home").display());
    until(PATIENCE, "its folder", || fs::read_to_string(opened(&resident)).is_ok_and(|text| text == home));

    let of = json!({ "feed": "ops", "outcome": "logged", "limit": 3, "before": 5 });
    let csv = export("csv", of.clone());
    let text = fs::read_to_string(&csv.path).expect("the file");
    let table = rows(text.strip_prefix('\u{feff}').expect("a mark for spreadsheets"));
    assert_eq!((table.len(), csv.events), (201, 200), "limit and before do not count");
    assert_eq!(table[0][..4], ["seq", "received_at", "feed", "event"]);
    assert!(table.iter().all(|row| row.len() == 12), "{table:?}");
    let all = fs::read_to_string(export("csv", json!({ "search": "HYPERLINK" })).path).expect("the file");
    let data = &rows(&all)[1][11];
    assert_eq!(data, "'=HYPERLINK(\"http://evil.example.org\"), \"磁盘\"\nand more");

    let again = [export("csv", of.clone()).path, export("csv", of).path];
    assert!(again[0] != again[1] && again[0] != csv.path, "no file takes the place of another: {again:?}");
    let left = fs::read_dir(resident.profile().join("home")).expect("the folder");
    let hidden = left.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0);
    let wish = json!({ "format": "csv", "query": { "outcome": "nothing" } });
    assert_eq!(code(&resident, "POST", "/events/export", &wish), (400, "bad_request".into()));
}

#[test]
fn the_command_line_exports_to_a_file_or_to_its_output() {
    let (_source, resident) = logged(9);
    let file: PathBuf = resident.profile().join("events.csv");
    let path = file.display().to_string();
    let export = ["events", "export", "--format", "csv", "--outcome", "pending", "--since", "1h", &path];
    let said = resident.cli_text(&export);
    assert_eq!(said, format!("Events written to {path}: 3\n"));
    let text = fs::read_to_string(&file).expect("the file");
    assert_eq!(text.lines().count(), 4);
    let refused = resident.cli(&export);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is there already"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).expect("the file"), text);
    assert_eq!(resident.cli_text(&["events", "export", "--format", "csv", "--outcome", "pending"]), text);
    let lines = resident.cli_text(&["events", "export", "--format", "jsonl", "--event", "quiet"]);
    assert_eq!(lines.lines().count(), 3);
    for line in lines.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).expect("JSON")["event"], "quiet");
    }
    let none = resident.cli_text(&["events", "--until", "1h"]);
    assert_eq!(none.lines().count(), 1, "{none}");
}

#[test]
fn a_popup_is_shown_once_more_and_a_click_on_it_means_the_same() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::with(&["--no-notify", "--no-display"]), Source::start());
    let server = NotificationServer::start(&desktop, Manner::Good);
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&feed(&source));
    resident.start();
    source.send("build", &json!({ "title": "Told" }));
    source.send("quiet", &json!({ "title": "Quiet" }));
    let first = popups.wait_for(|popup| popup.summary == "Told");
    until(PATIENCE, "both events", || resident.feed("ops").counts.events == 2);
    let outcome =
        |seq: u64| resident.get::<bellwether_control::wire::Event>(&format!("/events/{seq}")).outcome;
    until(PATIENCE, "its outcome", || outcome(1) == Outcome::Shown);
    resident.call::<Value>("PUT", "/snooze", &json!({ "until": "1h" }));

    resident.call::<Value>("POST", "/events/1/show", &Value::Null);
    let again = popups.wait_for(|popup| popup.summary == "Told" && popup.id != first.id);
    resident.call::<Value>("POST", "/events/2/show", &Value::Null);
    popups.wait_for(|popup| popup.summary == "Quiet");
    until(PATIENCE, "its outcome", || outcome(2) == Outcome::Shown);
    assert_eq!(outcome(1), Outcome::Shown);
    assert_eq!(resident.feed("ops").counts.unread, 1);

    let mut window = resident.updates_as_window();
    server.click(again.id, "default");
    let opened = window.wait_for(
        PATIENCE,
        "the window at its event",
        |update| matches!(update, Update::OpenWindow(wish) if wish.event == Some(1)),
    );
    assert!(matches!(opened, Update::OpenWindow(_)));
    until(PATIENCE, "that it is read", || resident.feed("ops").counts.unread == 0);
}
