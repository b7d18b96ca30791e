//! From one machine to another: a wiped machine plus an import is the same machine, but for its secrets.

use std::fs;
use std::path::Path;

use bellwether_control::wire::{
    ConnectionState, Doctor, EventPage, Exported, Feed, FeedRules, Imported, Settings, Status,
};
use bellwether_tests::{NumberedStream, PATIENCE, Resident, Source, until};
use serde_json::{Value, json};

const SECRET: &str = "hunter2-S3cr3t";

#[track_caller]
fn assert_no_secret(what: &str, bytes: &[u8]) {
    let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
    assert!(!found, "{what} holds a secret");
}

fn without_moment(mut feed: Feed) -> Feed {
    feed.connection.connected_at = None;
    feed.connection.last_activity_at = None;
    feed.connection.rhythm_seconds = None;
    feed
}

fn all(resident: &Resident) -> EventPage {
    let mut page = resident.events("limit=1000");
    page.connections.clear();
    page
}

fn import(resident: &Resident, file: &Path) -> std::process::Output {
    resident.cli(&["import", &file.display().to_string()])
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn a_wiped_machine_plus_an_import_is_the_same_machine_but_for_its_secrets() {
    let (stream, source) = (NumberedStream::start(), Source::start());
    let text = format!(
        "# Mine, with https://alice:{SECRET}@old.example/\n[[feed]]\nid = \"n\" # numbers\nurl = \"{}\"\ngroup = \"Work\"\n\n  # every tenth\n  [[feed.rule]]\n  when = \"data.n == 3\"\n\n\
         [[feed]]\nid = \"s\"\nurl = \"{}?token={SECRET}\"\n\n[[feed]]\nid = \"k\"\nurl = \"http://127.0.0.1:9/\"\npaused = true\nauth.bearer = {{ keyring = true }}\n",
        stream.url("/n"),
        source.url()
    );
    let mut old = Resident::with_config(&text);
    stream.send(40);
    for n in 0..3 {
        source.send("<b>", &json!({ "n": n, "text": "磁盘 \u{202e}\u{1b}[31m" }));
    }
    until(PATIENCE, "the events", || old.feed("n").counts.events == 40 && old.feed("s").counts.events == 3);
    let settings = json!({ "theme": "dark", "language": "zh-CN", "retention": { "days": 300 }, "sound": false,
        "quiet_hours": [{ "days": ["sun"], "from": "10:00", "to": "10:01", "time_zone": "UTC" }] });
    let _: Status = old.call("PATCH", "/settings", &settings);
    let _: Value = old.call("PUT", "/snooze", &json!({ "feed": "n", "until": "3h" }));
    let events = all(&old);
    let some: Vec<u64> = events.events.iter().map(|event| event.seq).filter(|seq| seq % 3 == 0).collect();
    let _: Value = old.call("POST", "/events/read", &json!({ "seqs": some, "read": true }));
    let file = old.profile().join("export.jsonl");
    let said = old.cli_text(&["export", "--events", &file.display().to_string()]);
    assert!(said.contains("43"), "{said}");
    assert_no_secret("the export", &fs::read(&file).expect("the export"));
    let again = old.cli(&["export", &file.display().to_string()]);
    assert!(!again.status.success(), "another file is left alone");
    let exported: Exported = old.call("POST", "/export", &json!({ "events": true }));
    assert_eq!(exported.events, 43);
    assert_no_secret(&exported.path, &fs::read(&exported.path).expect("the export"));
    let printed = old.cli(&["export", "-"]);
    assert_no_secret("standard output", &printed.stdout);
    assert_eq!(printed.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    let (before, rules, wanted) =
        (all(&old), old.get::<FeedRules>("/feeds/n/rules"), old.get::<Settings>("/settings"));
    let feed = without_moment(old.feed("n"));
    old.quit();

    let mut new = Resident::with_config("# what was here\n");
    let output = import(&new, &file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = new.profile().join("feeds.toml.before-import");
    assert_eq!(fs::read_to_string(&kept).expect("the old file"), "# what was here\n");
    assert_eq!(all(&new), before);
    assert_eq!(new.get::<FeedRules>("/feeds/n/rules"), rules);
    let settings: Settings = new.get("/settings");
    assert_eq!(
        (settings.retention, settings.sound, settings.quiet_hours),
        (wanted.retention, wanted.sound, wanted.quiet_hours)
    );
    let status = new.status();
    assert_eq!(
        (serde_json::to_value(status.theme).expect("JSON"), &*status.locale),
        (json!("dark"), "zh-CN")
    );
    until(PATIENCE, "the connection", || new.feed("n").connection.state == ConnectionState::Connected);
    assert_eq!(without_moment(new.feed("n")), feed);
    // Nothing is asked for or told twice.
    let request = stream.requests().pop().expect("a request");
    assert_eq!(request.last_event_id.as_deref(), Some("40"));
    stream.send(1);
    until(PATIENCE, "what is new", || new.feed("n").counts.events == 41);
    assert_eq!(new.log("n").len(), 41);
    // What lacks its secret waits for a person.
    let without: Feed = new.feed("s");
    assert!(without.paused && without.url.ends_with("?token=***"), "{without:?}");
    let mut expected = text.replace(SECRET, "***");
    expected = expected.replace("?token=***\"\n", "?token=***\"\npaused = true\n");
    let config = fs::read_to_string(new.config_file()).expect("feeds.toml");
    assert!(config.starts_with(&expected), "{config}");

    // Once more: it is there already.
    let text = fs::read_to_string(&file).expect("the export");
    let imported = new.cli_with_input(&["import", "-"], &text);
    assert!(imported.status.success());
    let said = String::from_utf8_lossy(&imported.stdout).into_owned();
    assert!(said.contains("s") && said.contains("k"), "{said}");
    assert_eq!(all(&new).events.len(), 44);
    assert!(new.profile().join("feeds.toml.before-import.2").exists());
    new.quit();
}

#[test]
fn what_is_no_export_changes_nothing() {
    let feed = "[[feed]]\nid = \"a\"\nurl = \"http://127.0.0.1:9/\"\npaused = true\n";
    let resident = Resident::with_config(feed);
    let head = json!({ "bellwether": 1, "version": "0", "exported_at": "", "config": feed.replace("\"a\"", "\"b\"") });
    let event = json!({ "seq": 1, "feed": "b", "event": "message", "received_at": "2026-01-01T00:00:00Z", "origin": "http://x", "outcome": 5,
        "reason": { "code": "rule" }, "urgency": 1, "title": "t", "data": "d" });
    let mut wrong = event.clone();
    wrong["outcome"] = json!(99);
    let file = resident.profile().join("x");
    for (text, said) in [
        (String::new(), "line 1: the file is empty"),
        ("{}".to_owned(), "line 1: "),
        ("PK\u{3}".to_owned(), "line 1: "),
        (head.to_string().replace("\"bellwether\":1", "\"bellwether\":2"), "newer version"),
        (format!("{head}\n{event}\n{wrong}\n"), "line 3: "),
        (format!("{head}\n{event}\n{{\"seq\":"), "line 3: "),
        (
            json!({ "bellwether": 1, "version": "0", "exported_at": "", "config": "[[feed]" }).to_string(),
            "TOML",
        ),
    ] {
        fs::write(&file, &text).expect("written");
        let output = import(&resident, &file);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(said), "{text}: {error}");
    }
    assert_eq!(fs::read_to_string(resident.config_file()).expect("feeds.toml"), feed);
    assert!(
        resident.events("").events.is_empty()
            && !resident.profile().join("feeds.toml.before-import").exists()
    );
    fs::write(&file, format!("{head}\n{event}\n")).expect("written");
    assert!(import(&resident, &file).status.success());
    assert_eq!(resident.events("").events[0].title, "t");
    let imported: Imported =
        serde_json::from_value(json!({ "feeds": 1, "events": 1, "missing_secrets": [] })).expect("JSON");
    assert_eq!(imported.feeds as usize, resident.get::<Vec<Feed>>("/feeds").len());
}

#[test]
fn the_report_says_what_works_without_secrets() {
    let mut resident = Resident::prepare();
    resident.config(&format!(
        "[[feed]]\nid = \"a\"\nurl = \"http://alice:{SECRET}@127.0.0.1:9/?token={SECRET}\"\npaused = true\nproxy = \"http://u:{SECRET}@127.0.0.1:9\"\n"
    ));
    resident.start();
    let doctor: Doctor = resident.get("/doctor");
    let names: Vec<&str> = doctor.checks.iter().map(|check| check.name.as_str()).collect();
    assert!(
        names.contains(&"Version") && names.contains(&"Keyring") && names.contains(&"Event log"),
        "{names:?}"
    );
    let version = doctor.checks.iter().find(|check| check.name == "Version").expect("a check");
    assert_eq!((version.fine, version.text.as_str()), (Some(true), env!("CARGO_PKG_VERSION")));
    assert!(
        doctor.report.contains("a · http://alice:***@127.0.0.1:9/?token=*** · ‖ Paused"),
        "{}",
        doctor.report
    );
    assert_no_secret("the report", serde_json::to_string(&doctor).expect("JSON").as_bytes());
    let _: Status = resident.call("PATCH", "/settings", &json!({ "language": "zh-CN" }));
    assert!(resident.get::<Doctor>("/doctor").report.contains("已暂停"));
    let _: Value = resident.call("DELETE", "/feeds/a", &Value::Null);
    let restored = resident.request("POST", "/feeds/a/restore", &Value::Null).expect("an answer");
    assert_eq!(restored.status, 200);
    assert_no_secret("the answer", restored.body.to_string().as_bytes());
}
