//! What people, servers, disks and other programs get wrong: one clear line each, with the cause and what to do; nothing is lost
//! and nothing crashes.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use bellwether_control::wire::{ConnectionState, Feed, OpenWindow, Update};
use bellwether_tests::{
    NumberedStream, PATIENCE, Process, Random, Resident, free_port, program, skip, until, until_some,
};
use rustix::process::{Gid, Uid};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A user that owns nothing: "nobody".
const NOBODY: u32 = 65534;

// Feeds that cannot be

#[test]
fn feeds_that_cannot_be_are_refused_in_one_line() {
    let config = "# mine\n[[feed]]\nid = \"a\"\nurl = \"http://127.0.0.1:9/a\"\npaused = true\n";
    let resident = Resident::with_config(config);
    let long = format!("http://x.example/{}", "x".repeat(10_000));
    for (url, id, status, code, what) in [
        ("not a url", None, 400, "invalid_url", "blank"),
        ("http://exa mple.org/", None, 400, "invalid_url", "blank"),
        ("http://x.example/\n[[feed]]", None, 400, "invalid_url", "line break"),
        ("", None, 400, "invalid_url", "empty"),
        ("example.org/events", None, 400, "invalid_url", "https://example.org/events"),
        ("localhost:8080/events", None, 400, "invalid_url", "https://localhost:8080/events"),
        ("http://", None, 400, "invalid_url", "host"),
        ("http://x.example:99999/", None, 400, "invalid_url", "port"),
        (&long, None, 400, "invalid_url", "8192"),
        ("ftp://x.example/events", None, 400, "unsupported_scheme", "use http or https"),
        ("file:///etc/passwd", None, 400, "unsupported_scheme", "use http or https"),
        ("javascript:alert(1)", None, 400, "unsupported_scheme", "use http or https"),
        ("http://127.0.0.1:9/a", None, 409, "duplicate_url", "“a”"),
        (" HTTP://127.0.0.1:9/b/../a ", None, 409, "duplicate_url", "“a”"),
        ("http://127.0.0.1:9/b", Some("a"), 409, "duplicate_id", "another id"),
        ("http://127.0.0.1:9/b", Some("A b"), 400, "invalid_id", "a-z"),
        ("http://127.0.0.1:9/b", Some(""), 400, "invalid_id", "a-z"),
    ] {
        let answer = resident.request("POST", "/feeds", &json!({ "url": url, "id": id })).expect("an answer");
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (status, Some(code)),
            "{url}: {}",
            answer.body
        );
        let mut arguments = vec!["feeds", "add", url];
        arguments.extend(id.map(|id| ["--id", id]).into_iter().flatten());
        let line = refusal(&resident.cli(&arguments));
        assert!(line.contains(what), "{url}: {line}");
        assert_eq!(line, format!("bellwether: {}", answer.body["message"].as_str().expect("a message")));
    }
    for (arguments, what) in [
        (&["feeds", "pause", "nope"][..], "no feed “nope”"),
        (&["feeds", "remove", "Näh"], "no feed “Näh”"),
        (&["feeds", "edit", "nope", "--name=x"], "no feed “nope”"),
        (&["feeds", "edit", "a", "--url=x.example"], "https://x.example"),
        (&["events", "--feed", "Nö"], "no feed “Nö”"),
    ] {
        let line = refusal(&resident.cli(arguments));
        assert!(line.contains(what), "{arguments:?}: {line}");
    }
    assert_eq!(resident.cli(&["feeds", "add"]).status.code(), Some(2), "wrong usage");
    assert_eq!(fs::read_to_string(resident.config_file()).expect("feeds.toml"), config);
}

#[test]
fn a_web_page_in_place_of_a_stream_needs_attention_and_leaves_nothing_in_the_log() {
    let server = NumberedStream::start();
    let resident = Resident::with_config(&feed("page", &server.url("/sign-in.html")));
    let connection = wait_for_state(&resident, "page", ConnectionState::NeedsAttention).connection;
    let reason = connection.reason.expect("a reason");
    assert_eq!((reason.code.as_str(), reason.detail.as_str()), ("content_type", "text/html; charset=utf-8"));
    assert!(connection.next_attempt_at.is_some());
    assert!(resident.events("held_back=true").events.is_empty());
    let text = resident.cli_text(&["status"]);
    assert!(text.lines().any(|line| line.contains("page") && line.contains("text/html")), "{text}");
}

#[test]
fn a_port_that_refuses_is_tried_again_and_again_until_somebody_listens() {
    let port = free_port();
    let resident = Resident::with_config(&feed("a", &format!("http://127.0.0.1:{port}/")));
    for attempt in 1..=2 {
        let feed = until_some(PATIENCE, "an attempt", || {
            let feed = resident.feed("a");
            (feed.connection.attempt >= attempt).then_some(feed)
        });
        let reason = feed.connection.reason.expect("a reason");
        assert_eq!((reason.code.as_str(), reason.detail), ("refused", format!("127.0.0.1:{port}")));
        until(PATIENCE, "the wait", || resident.feed("a").connection.state == ConnectionState::Waiting);
    }
    let text = resident.cli_text(&["status"]);
    assert!(text.contains(&port.to_string()) && text.contains("next try"), "{text}");
    assert!(resident.events("").events.is_empty());
}

// Files and folders

#[test]
fn a_broken_event_log_is_named_and_left_untouched() {
    let server = NumberedStream::start();
    server.send(300);
    let mut resident = Resident::with_config(&feed("a", &server.url("/")));
    until(PATIENCE, "the events", || resident.feed("a").counts.events == 300);
    assert!(resident.quit().success());
    assert!(!resident.profile().join("events.db-wal").exists(), "the log is one whole file after the end");
    let good = fs::read(resident.event_log()).expect("the log");
    // SQLite's header: the user version at 60, the application ID at 68 (Database File Format, 1.3).
    let with = |at: usize, bytes: &[u8]| [&good[..at], bytes, &good[at + bytes.len()..]].concat();
    let garbage: Vec<u8> = (0..good.len()).map(|at| (at * 7 % 251) as u8).collect();
    for (what, bytes) in [
        ("not a database", b"my notes".to_vec()),
        ("not a database", garbage.clone()),
        ("damaged", [&good[..100], &garbage[100..]].concat()),
        ("damaged", good[..good.len() / 2].to_vec()),
        ("newer version", with(60, &[0, 0, 0, 99])),
        ("another program", with(68, b"Mail")),
    ] {
        fs::write(resident.event_log(), &bytes).expect("the log can be written");
        let line = failed_start(&resident);
        assert!(line.contains(&resident.event_log().display().to_string()), "{line}");
        assert!(line.contains(what) && line.contains("move it away"), "{line}");
        assert!(fs::read(resident.event_log()).expect("the log") == bytes, "{what}: the file was changed");
        assert!(refusal(&resident.cli(&["status"])).contains("not running"));
    }
    fs::remove_file(resident.event_log()).expect("the log");
    fs::create_dir(resident.event_log()).expect("a folder");
    assert!(failed_start(&resident).contains("events.db"));
    fs::remove_dir(resident.event_log()).expect("the folder");

    fs::write(resident.event_log(), &good).expect("the log can be written");
    resident.start();
    assert_eq!(resident.feed("a").counts.events, 300);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).expect("mode");
    let inner = folder.path().join("new");
    for profile in [folder.path(), &inner] {
        let (mut command, _program) = unprivileged_program();
        let output = command.arg("--profile").arg(profile).arg("--background").output().expect("it starts");
        let line = refusal(&output);
        assert!(line.contains(&format!("the folder {}", profile.display())), "{line}");
        assert!(line.contains("denied") && line.contains("--profile"), "{line}");
    }
}

#[test]
fn a_profile_path_too_long_for_a_socket_is_named() {
    let resident = Resident::prepare();
    let folder = resident.profile().join("x".repeat(100));
    let folder = folder.to_str().expect("UTF-8");
    for arguments in [&["--background"][..], &["status"], &["feeds", "add", "http://x.example"]] {
        let mut command = Command::new(program());
        let line = refusal(&command.args(["--profile", folder]).args(arguments).output().expect("it starts"));
        assert!(line.contains(folder) && line.contains("shorter path"), "{line}");
    }
}

// Other programs

#[test]
fn a_second_start_opens_the_window_of_the_first() {
    let mut resident = Resident::with_config("");
    let pid = resident.status().pid;
    // Without a display the person is told so.
    let mut second = resident.spawn(&[]);
    assert_eq!(second.wait(PATIENCE).code(), Some(1));
    let line = only_line(&second);
    assert!(line.contains("running already") && line.contains("no display"), "{line}");

    let mut window = resident.updates_as_window();
    window.wait_for(PATIENCE, "the first update", |update| matches!(update, Update::Status(_)));
    let mut second = resident.spawn(&["--background"]);
    assert_eq!(second.wait(PATIENCE).code(), Some(0));
    assert!(only_line(&second).contains("running already"));
    let mut second = resident.spawn(&[]);
    assert_eq!(second.wait(PATIENCE).code(), Some(0));
    assert!(only_line(&second).contains("running already"));
    resident.call::<Value>("POST", "/window", &json!({ "event": 5 }));
    // Without `--background` only.
    for event in [None, Some(5)] {
        let opens = |update: &Update| matches!(update, Update::OpenWindow(_));
        let wish = window.wait_for(PATIENCE, "a wish", opens);
        assert_eq!(wish, Update::OpenWindow(OpenWindow { event, ..OpenWindow::default() }));
    }
    assert_eq!(resident.status().pid, pid);
    assert_eq!(resident.process().exited(), None);
}

#[test]
fn a_start_while_another_instance_ends_follows_it() {
    let mut resident = Resident::prepare();
    let lock = File::create(resident.profile().join("bellwether.lock")).expect("the lock file");
    lock.lock().expect("the lock");
    let socket = UnixListener::bind(resident.socket()).expect("a socket");
    let next = resident.spawn(&["--background"]);
    let asked = socket.accept().expect("the next instance asks");
    // This one lets go of everything without an answer.
    fs::remove_file(resident.socket()).expect("the socket");
    drop((asked, socket, lock));
    until(PATIENCE, "an answer", || resident.request("GET", "/status", &Value::Null).is_ok());
    assert_eq!(resident.status().pid, next.pid());
    drop(next);

    for _ in 0..5 {
        resident.start();
        resident.cli_text(&["quit"]);
    }
}

#[test]
fn garbage_on_the_control_socket_harms_nobody() {
    let server = NumberedStream::start();
    let mut resident = Resident::with_config(&feed("a", &server.url("/")));
    wait_for_state(&resident, "a", ConnectionState::Connected);
    let pid = resident.status().pid;
    let mut random = Random::new(7);
    let mut pieces: Vec<Vec<u8>> =
        (0..40).map(|_| (0..random.below(5_000)).map(|_| random.below(256) as u8).collect()).collect();
    let text = |text: &str| text.as_bytes().to_vec();
    pieces.extend([
        text("GET"),
        text("GET /status HTTP/1.1\r\n"),
        text("GET /status HTTP/9.9\r\n\r\n"),
        text("\0\0\0\0"),
        text("\r\n\r\n\r\n\r\n"),
        text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        text("POST /feeds HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}"),
        text("POST /feeds HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}"),
        text("POST /feeds HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n{\"url\":"),
        text("POST /feeds HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        text("POST /feeds HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n{}"),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1 << 20)).into_bytes(),
        format!("GET /status HTTP/1.1\r\nHost: x\r\nX-A: {}\r\n\r\n", "x".repeat(4 << 20)).into_bytes(),
        format!("GET /status HTTP/1.1\r\n{}\r\n", "X-B: y\r\n".repeat(5_000)).into_bytes(),
        format!(
            "POST /feeds HTTP/1.1\r\nHost: x\r\nContent-Length: {0}\r\n\r\n{1}",
            8 << 20,
            "[".repeat(8 << 20)
        )
        .into_bytes(),
    ]);
    for piece in &pieces {
        let mut stream = UnixStream::connect(resident.socket()).expect("the socket is there");
        // It may hang up before it has read all of it.
        let _ = stream.write_all(piece);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.read_to_end(&mut Vec::new()));
    }
    // Many that say little and stay.
    let idle: Vec<UnixStream> = (0..300)
        .map(|number| {
            let mut stream = UnixStream::connect(resident.socket()).expect("the socket is there");
            stream.write_all(&b"GET /status HTTP/1.1\r\n"[..number % 23]).expect("it listens");
            stream
        })
        .collect();
    assert_eq!(resident.status().pid, pid);
    server.send(3);
    until(PATIENCE, "the events", || resident.feed("a").counts.events == 3);
    drop(idle);
    assert_eq!(resident.get::<Vec<Feed>>("/feeds").len(), 1);
    assert_eq!(server.requests().len(), 1);
    assert!(resident.quit().success());
}

#[test]
fn requests_that_cannot_be_are_answered_with_an_error_in_json() {
    let resident = Resident::with_config(&feed("a", "http://127.0.0.1:9/"));
    let large = "x".repeat(3 << 20);
    for (method, path, body, status, code) in [
        ("GET", "/", "", 404, "not_found"),
        ("GET", "/feedz", "", 404, "not_found"),
        ("GET", "/status/", "", 404, "not_found"),
        ("DELETE", "/status", "", 405, "not_found"),
        ("PUT", "/feeds/a", "{}", 405, "not_found"),
        ("BREW", "/feeds", "", 405, "not_found"),
        ("POST", "/feeds", "", 400, "bad_request"),
        ("POST", "/feeds", "{", 400, "bad_request"),
        ("POST", "/feeds", "[]", 400, "bad_request"),
        ("POST", "/feeds", "{\"url\": 5}", 400, "bad_request"),
        ("POST", "/feeds", "{\"url\": \"http://x.example\", \"colour\": \"red\"}", 400, "bad_request"),
        ("POST", "/feeds", &large, 413, "bad_request"),
        ("PATCH", "/feeds/a", "{\"idle_timeout_seconds\": -1}", 400, "bad_request"),
        ("PATCH", "/feeds/a", "{\"idle_timeout_seconds\": 4000000000}", 400, "invalid_value"),
        ("PATCH", "/feeds/a", "{\"name\": \"\"}", 400, "invalid_value"),
        ("PATCH", "/feeds/nope", "{}", 404, "no_such_feed"),
        ("POST", "/feeds/%FF/pause", "", 400, "bad_request"),
        ("POST", "/feeds/..%2F..%2Fx/pause", "", 404, "no_such_feed"),
        ("GET", "/events?limit=many", "", 400, "bad_request"),
        ("GET", "/events?colour=red", "", 400, "bad_request"),
        ("GET", "/events?since=yesterday", "", 400, "bad_request"),
        ("GET", "/events/1", "", 404, "no_such_event"),
        ("GET", "/events/99999999999999999999", "", 404, "no_such_event"),
        ("GET", "/updates?window=perhaps", "", 400, "bad_request"),
        ("POST", "/events/read", "{\"read\": true, \"seqs\": [1], \"feed\": \"a\"}", 400, "bad_request"),
        ("PATCH", "/settings", "{\"language\": \"tlh\"}", 400, "bad_request"),
        ("POST", "/notifications/test", "", 503, "no_notifications"),
        ("POST", "/window", "", 503, "no_window"),
    ] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let what = format!("{method} {path} {}", &body[..body.len().min(80)]);
        let (answered, error) = error_of(UnixStream::connect(resident.socket()), &request);
        assert_eq!((answered, error["code"].as_str()), (status, Some(code)), "{what}: {error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.len() > 10 && !message.contains('\n'), "{what}: {message}");
    }
    let text = resident.cli_text(&["feeds"]);
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn another_user_is_turned_away_in_one_line() {
    if !rustix::process::geteuid().is_root() {
        skip!("only root can become another user");
    }
    let resident = Resident::with_config("");
    let profile = resident.profile();
    assert_eq!(mode(&resident.socket()), 0o600);
    let connect = || {
        let socket = resident.socket();
        // The kernel keeps users for each thread; this one ends as nobody.
        let other = thread::spawn(move || {
            let (gid, uid) = (Gid::from_raw(NOBODY), Uid::from_raw(NOBODY));
            rustix::thread::set_thread_groups(&[]).expect("no groups");
            rustix::thread::set_thread_res_gid(gid, gid, gid).expect("another group");
            rustix::thread::set_thread_res_uid(uid, uid, uid).expect("another user");
            UnixStream::connect(socket)
        });
        other.join().expect("no panic")
    };
    assert!(connect().is_err(), "folder and file keep others out");

    // And if their modes were changed by hand, the program does.
    fs::set_permissions(profile, Permissions::from_mode(0o755)).expect("mode");
    fs::set_permissions(resident.socket(), Permissions::from_mode(0o666)).expect("mode");
    let (status, error) = error_of(connect(), "GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((status, error["code"].as_str()), (403, Some("forbidden")), "{error}");
    assert_eq!(error["detail"], NOBODY.to_string());
    let (mut command, _program) = unprivileged_program();
    let output = command.arg("--profile").arg(profile).arg("feeds").output().expect("it starts");
    let line = refusal(&output);
    assert!(line.contains("user 65534") && line.contains("of your own"), "{line}");
    assert_eq!(resident.status().feeds.len(), 0);
}

// What the tests share

fn feed(id: &str, url: &str) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\n")
}

#[track_caller]
fn wait_for_state(resident: &Resident, id: &str, state: ConnectionState) -> Feed {
    until_some(PATIENCE, &format!("{state:?}"), || {
        Some(resident.feed(id)).filter(|feed| feed.connection.state == state)
    })
}

/// The one line that a command wrote that failed.
#[track_caller]
fn refusal(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "{output:?}");
    let line = text(&output.stderr);
    assert!(line.starts_with("bellwether: ") && line.ends_with('\n') && line.lines().count() == 1, "{line}");
    line.trim_end().to_owned()
}

/// The one line of a start that must fail.
#[track_caller]
fn failed_start(resident: &Resident) -> String {
    let mut process = resident.spawn(&["--background"]);
    assert_eq!(process.wait(PATIENCE).code(), Some(1));
    let line = only_line(&process);
    assert!(line.starts_with("bellwether: "), "{line}");
    line
}

/// The one line that an ended process wrote.
#[track_caller]
fn only_line(process: &Process) -> String {
    until(PATIENCE, "a line", || !process.lines().is_empty());
    let lines = process.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines[0].clone()
}

/// Sends a request, and returns the status and the JSON of the answer.
#[track_caller]
fn error_of(stream: std::io::Result<UnixStream>, request: &str) -> (u16, Value) {
    let mut stream = stream.expect("the socket can be reached");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // A body that is too large is not read to its end.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    assert!(head.to_lowercase().contains("content-type: application/json"), "{answer}");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("a file").permissions().mode() & 0o777
}

/// The program, to be run as a user without rights: as nobody where root runs the tests, who may write everywhere. The folder
/// must outlive it.
fn unprivileged_program() -> (Command, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if !rustix::process::geteuid().is_root() {
        return (Command::new(program()), folder);
    }
    // The build's folder may be closed to others.
    let copy = folder.path().join("bellwether");
    fs::copy(program(), &copy).expect("the program can be copied");
    for path in [folder.path(), &copy] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("mode");
    }
    let mut command = Command::new(copy);
    command.uid(NOBODY).gid(NOBODY).env_clear();
    (command, folder)
}
