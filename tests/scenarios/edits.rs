//! What the window changes over the control socket: rules, settings, orders, removals and their undoing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use bellwether_control::wire::{
    ConnectionState, Feed, FeedRules, FeedSettings, Probe, RulesPreview, Settings, Status, Theme, Update,
};
use bellwether_tests::{PATIENCE, Resident, Source, until};
use serde_json::{Value, json};

fn ask(resident: &Resident, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = resident.request(method, path, body).expect("an answer");
    (answer.status, answer.body)
}

fn config(resident: &Resident) -> String {
    fs::read_to_string(resident.config_file()).expect("feeds.toml")
}

#[test]
fn rules_are_read_changed_and_applied() {
    let source = Source::start();
    let url = source.url();
    let text = format!(
        "# Mine.\n[[feed]]\nid = \"ops\"\nurl = \"{url}\"\n\n  # loud\n  [[feed.rule]]\n  when = \"data.n > 3\" # of 5\n\n  \
         [[feed.rule]]\n  event = \"lamp\"\n  run = [\"true\"]\n  action = \"log\"\n\n[[feed]]\nid = \"b\"\nurl = \"http://127.0.0.1:9/\"\npaused = true\n"
    );
    let resident = Resident::with_config(&text);
    let read: FeedRules = resident.get("/feeds/ops/rules");
    assert_eq!(read.rules.len(), 2);
    assert_eq!((read.rules[0].rule.when.as_deref(), &read.rules[0].run), (Some("data.n > 3"), &None));
    assert_eq!(read.rules[1].run.as_deref(), Some(&["true".to_owned()][..]));

    // As they are.
    let rules: Vec<Value> =
        (1..).zip(&read.rules).map(|(was, rule)| json!({ "was": was, "rule": rule.rule })).collect();
    let same: FeedRules =
        resident.call("PUT", "/feeds/ops/rules", &json!({ "rules": rules, "revision": read.revision }));
    assert_eq!((same, config(&resident)), (read.clone(), text.clone()));

    let edit = json!({ "revision": read.revision, "rules": [
        { "rule": { "event": "ping", "action": "ignore" } },
        { "was": 2, "rule": read.rules[1].rule },
        { "was": 1, "rule": { "when": "data.n > 4" } },
    ] });
    let edited: FeedRules = resident.call("PUT", "/feeds/ops/rules", &edit);
    assert_eq!((edited.rules.len(), edited.rules[1].run.is_some()), (3, true));
    let expected = text.replace(
        &text[text.find("  # loud").expect("a rule")..text.find("\n[[feed]]\nid = \"b\"").expect("a feed")],
        "  [[feed.rule]]\n  event = \"ping\"\n  action = \"ignore\"\n\n  [[feed.rule]]\n  event = \"lamp\"\n  run = [\"true\"]\n  action = \"log\"\n\n  # loud\n  [[feed.rule]]\n  when = \"data.n > 4\" # of 5\n",
    );
    assert_eq!(config(&resident), expected);
    assert_eq!(resident.feed("ops").rules, 3);
    source.send("ping", &json!({ "n": 5 }));
    source.send("other", &json!({ "n": 5 }));
    until(PATIENCE, "the events", || {
        resident.feed("ops").counts.ignored == 1 && resident.feed("ops").counts.events == 1
    });
    assert_eq!(resident.log("ops")[0].reason.rule, Some(3));

    // Whoever read them before does not undo that.
    let (status, body) = ask(&resident, "PUT", "/feeds/ops/rules", &edit);
    assert_eq!(
        (status, body["code"].as_str(), body["sentence"]["code"].as_str()),
        (409, Some("conflict"), Some("rules_changed"))
    );
    let wrong =
        json!({ "rules": [{ "rule": {} }, { "rule": { "notify": { "title": "a\n{{ data | foo }}" } } }] });
    let (status, body) = ask(&resident, "PUT", "/feeds/ops/rules", &wrong);
    assert_eq!((status, body["code"].as_str()), (400, Some("invalid_value")));
    assert_eq!(body["place"], json!({ "key": "rule[2].notify.title", "line": 2, "column": 11 }));
    for (body, code) in [
        (json!({ "rules": [{ "rule": { "run": ["sh"] } }] }), "bad_request"),
        (json!({ "rules": [{ "was": 9, "rule": {} }] }), "invalid_value"),
        (json!({ "rules": [{ "was": 2, "rule": {} }, { "was": 2, "rule": {} }] }), "invalid_value"),
    ] {
        assert_eq!(ask(&resident, "PUT", "/feeds/ops/rules", &body).1["code"], code, "{body}");
    }
    assert_eq!(ask(&resident, "GET", "/feeds/nobody/rules", &Value::Null).1["code"], "no_such_feed");
    assert_eq!(config(&resident), expected);
}

#[test]
fn a_preset_that_was_found_stays_behind_the_first_rule_as_the_trial_says() {
    let text = "[[feed]]\nid = \"n\"\nurl = \"https://ntfy.sh/ops/sse\"\npaused = true\n";
    let resident = Resident::with_config(text);
    let rule = json!({ "event": "message", "when": "data.priority == 5", "action": "log" });
    let sample = "event: open\ndata: {\"id\":\"a\",\"event\":\"open\"}\n\nevent: message\ndata: {\"id\":\"b\",\"event\":\"message\",\"priority\":3,\"message\":\"m\"}\n\n";
    let trial = json!({ "feed": "n", "rules": [rule], "sample": sample });
    let tried: RulesPreview = resident.call("POST", "/rules/test", &trial);
    assert_eq!((tried.evaluated, tried.notified), (2, 1));
    assert_eq!(tried.popups[0].reason.code, "preset");
    let _: FeedRules = resident.call("PUT", "/feeds/n/rules", &json!({ "rules": [{ "rule": rule }] }));
    assert!(
        config(&resident).starts_with(&format!("{text}preset = \"ntfy\"\n\n[[feed.rule]]\n")),
        "{}",
        config(&resident)
    );
    let now: RulesPreview = resident.call("POST", "/rules/test", &json!({ "feed": "n", "sample": sample }));
    assert_eq!((now.decided, now.popups), (tried.decided, tried.popups));
}

#[test]
fn feeds_get_groups_settings_and_an_order() {
    let feed = |id: &str| {
        format!("# {id}\n[[feed]]\nid = \"{id}\"\nurl = \"http://127.0.0.1:9/{id}\"\npaused = true\n")
    };
    let resident = Resident::with_config(&format!("# Feeds\n\n{}\n{}\n{}", feed("a"), feed("b"), feed("c")));
    let ids = || resident.get::<Vec<Feed>>("/feeds").into_iter().map(|feed| feed.id).collect::<Vec<_>>();
    let _: Value = resident.call("PUT", "/feeds/order", &json!({ "feeds": ["c", "a"] }));
    assert_eq!(ids(), ["c", "a", "b"]);
    assert_eq!(config(&resident), format!("# Feeds\n\n{}\n{}\n{}", feed("c"), feed("a"), feed("b")));
    assert_eq!(ask(&resident, "PUT", "/feeds/order", &json!({ "feeds": ["x"] })).1["code"], "no_such_feed");

    let usual: FeedSettings = resident.get("/feeds/a/settings");
    let expected = FeedSettings {
        preset: None,
        images: false,
        silence_alert: None,
        proxy: "system".to_owned(),
        ca_file: None,
        client_certificate: None,
        verify_certificate: true,
        plain_http: false,
        resume: "header".to_owned(),
    };
    assert_eq!(usual, expected);
    let edit = json!({ "group": "Work", "preset": "none", "images": true, "silence_alert": "90m",
        "proxy": "http://alice:hunter2@proxy.example:3128", "ca_file": "own.pem", "verify_certificate": false, "plain_http": true });
    let edited: Feed = resident.call("PATCH", "/feeds/a", &edit);
    assert_eq!((edited.group.as_deref(), edited.verify_certificate), (Some("Work"), false));
    let now: FeedSettings = resident.get("/feeds/a/settings");
    assert_eq!(
        now,
        FeedSettings {
            preset: Some("none".to_owned()),
            images: true,
            silence_alert: Some("1h30m".to_owned()),
            proxy: "http://alice:***@proxy.example:3128/".to_owned(),
            ca_file: Some("own.pem".to_owned()),
            verify_certificate: false,
            plain_http: true,
            ..usual.clone()
        }
    );
    // What was shown masked can be given back.
    let _: Feed = resident.call("PATCH", "/feeds/a", &json!({ "proxy": now.proxy }));
    assert!(config(&resident).contains("hunter2@"));
    let (_, body) = ask(&resident, "PATCH", "/feeds/a", &json!({ "silence_alert": "soon" }));
    assert_eq!(
        (body["code"].as_str(), body["place"]["key"].as_str()),
        (Some("invalid_value"), Some("silence_alert"))
    );
    let back = json!({ "group": "", "preset": "", "images": false, "silence_alert": "", "proxy": "", "ca_file": "", "verify_certificate": true, "plain_http": false });
    let _: Feed = resident.call("PATCH", "/feeds/a", &back);
    assert_eq!(resident.get::<FeedSettings>("/feeds/a/settings"), usual);
}

#[test]
fn a_feed_comes_with_what_lets_it_in_or_not_at_all() {
    let source = Source::start();
    let resident = Resident::with_config("");
    let draft = |source: Value| {
        json!({ "url": "http://127.0.0.1:9/x", "name": "X", "paused": true, "credentials": [
            { "kind": "bearer", "secret": source }, { "kind": "query", "name": "k", "secret": { "env": "K" } }],
            "settings": { "group": "G", "images": true } })
    };
    let (status, body) = ask(&resident, "POST", "/feeds", &draft(json!({ "keyring": "hunter2" })));
    assert_eq!((status, body["code"].as_str()), (503, Some("no_keyring")));
    assert!(!resident.config_file().exists() || config(&resident).is_empty());
    let both = json!({ "url": "http://127.0.0.1:9/x", "credentials": [
        { "kind": "bearer", "secret": { "file": "hunter2" } }, { "kind": "basic", "name": "a", "secret": { "env": "B" } }] });
    assert_eq!(ask(&resident, "POST", "/feeds", &both).1["code"], "invalid_value");
    let typo = json!({ "url": "http://127.0.0.1:9/x", "credentials": [{ "kind": "bearer", "secret": { "fil": "hunter2" } }] });
    let (_, body) = ask(&resident, "POST", "/feeds", &typo);
    assert!(body["code"] == "bad_request" && !body.to_string().contains("hunter2"), "{body}");
    assert!(!resident.profile().join("secrets").exists());

    let added: Feed = resident.call("POST", "/feeds", &draft(json!({ "file": "hunter2" })));
    assert_eq!((added.group.as_deref(), added.credentials.len(), added.paused), (Some("G"), 2, true));
    let secret = resident.profile().join("secrets/x.bearer");
    assert_eq!(fs::read_to_string(&secret).expect("the secret"), "hunter2\n");
    assert!(!config(&resident).contains("hunter2"));

    // Tried, and not kept.
    let wish = json!({ "url": source.url(), "credentials": [{ "kind": "header", "name": "x-key", "secret": { "keyring": "hunter3" } }],
        "proxy": "none", "verify_certificate": false, "plain_http": true });
    source.send("a", &json!(1));
    let probe: Probe = resident.call("POST", "/probe", &wish);
    assert!(probe.usable, "{probe:?}");
    let bad = json!({ "url": source.url(), "proxy": "nonsense" });
    assert_eq!(ask(&resident, "POST", "/probe", &bad).1["sentence"]["code"], "proxy_invalid");
}

#[test]
fn a_removed_feed_comes_back_as_it_was() {
    let source = Source::start();
    let text = format!(
        "# Feeds\n\n[[feed]]\nid = \"first\"\nurl = \"http://127.0.0.1:9/\"\npaused = true\n\n# about it\n[[feed]]\nid = \"ops\" # here\n\
         url = \"{}?token=hunter2\"\ngroup = \"Work\"\n\n  # a rule\n  [[feed.rule]]\n  event = \"x\" # only\n\n# the last\n[[feed]]\nid = \"z\"\nurl = \"http://127.0.0.1:9/z\"\npaused = true\n",
        source.url()
    );
    let mut resident = Resident::with_config(&text);
    for n in 0..3 {
        source.send("x", &json!(n));
    }
    until(PATIENCE, "the events", || resident.feed("ops").counts.events == 3);
    let credential = json!({ "kind": "header", "name": "x-key", "secret": { "file": "hunter4" } });
    let _: Feed = resident.call("PUT", "/feeds/ops/credential", &credential);
    let snoozed: Value = resident.call("PUT", "/snooze", &json!({ "feed": "ops", "until": "1h" }));
    assert!(snoozed["snoozed_until"].is_null());
    until(PATIENCE, "the connection", || resident.feed("ops").connection.state == ConnectionState::Connected);
    let (before, written) = (resident.feed("ops"), config(&resident));
    let secret = resident.profile().join("secrets/ops.header.x-key");
    assert!(secret.exists());

    let _: Value = resident.call("DELETE", "/feeds/ops", &Value::Null);
    assert!(!secret.exists() && !config(&resident).contains("ops"));
    source.send("x", &json!(3));
    let restored: Feed = resident.call("POST", "/feeds/ops/restore", &Value::Null);
    assert_eq!(config(&resident), written);
    assert_eq!(fs::metadata(&secret).expect("the secret").permissions().mode() & 0o777, 0o600);
    assert_eq!(
        (&restored.group, &restored.credentials, restored.counts, &restored.snoozed_until, restored.rules),
        (&before.group, &before.credentials, before.counts, &before.snoozed_until, before.rules)
    );
    // It goes on where it ended: what came meanwhile comes, and nothing twice.
    until(PATIENCE, "what came meanwhile", || resident.feed("ops").counts.events == 4);
    let data: Vec<String> = resident.log("ops").into_iter().map(|event| event.data).collect();
    assert_eq!(data, ["0", "1", "2", "3"]);
    assert_eq!(ask(&resident, "POST", "/feeds/ops/restore", &Value::Null).1["code"], "nothing_to_restore");

    // Beside its old neighbours if the file has changed; only if nothing took its place.
    let _: Value = resident.call("DELETE", "/feeds/ops", &Value::Null);
    let _: Feed = resident.call("PATCH", "/feeds/first", &json!({ "name": "First" }));
    let taken = json!({ "id": "ops", "url": "http://127.0.0.1:9/other", "paused": true });
    let _: Feed = resident.call("POST", "/feeds", &taken);
    assert_eq!(ask(&resident, "POST", "/feeds/ops/restore", &Value::Null).1["code"], "duplicate_id");
    let output = resident.cli(&["feeds", "remove", "ops"]);
    assert!(output.status.success());
    let other: Feed = resident.call("POST", "/feeds/ops/restore", &Value::Null);
    assert_eq!(other.url, "http://127.0.0.1:9/other", "the latest removal of this id");
    resident.quit();
}

#[test]
fn settings_are_read_and_changed_and_told() {
    let mut resident = Resident::prepare();
    let settings_folder = tempfile::tempdir().expect("a folder");
    resident.env("XDG_CONFIG_HOME", &settings_folder.path().display().to_string()).env("TZ", "Europe/Berlin");
    resident.config("# Mine\n[[quiet_hours]]\nfrom = \"22:00\" # late\nto = \"07:00\"\n");
    resident.start();
    let read = || resident.get::<Settings>("/settings");
    let before = read();
    assert_eq!((before.flood.popups, before.sound, before.outage_alert_seconds), (3, true, 600));
    assert_eq!((before.quiet_hours.len(), before.quiet_hours[0].days.len()), (1, 7));
    assert_eq!((&*before.quiet_hours[0].from, &*before.quiet_hours[0].to), ("22:00", "07:00"));
    assert_eq!(
        (before.autostart.enabled, &*before.time_zone, before.log.events),
        (false, "Europe/Berlin", 0)
    );
    assert!(before.log.bytes > 0);

    let mut updates = resident.updates();
    let quiet = json!([{ "days": ["mon", "tue"], "from": "23:00", "to": "07:00" },
        { "days": ["sat"], "from": "00:00", "to": "00:00", "time_zone": "Asia/Shanghai" }]);
    let edit = json!({ "theme": "dark", "language": "zh-CN", "flood": { "popups": 5, "seconds": 20, "overall": 10 },
        "sound": false, "outage_alert_seconds": 0, "quiet_hours": quiet, "retention": { "days": 30, "events": 5000 }, "autostart": true });
    let status: Status = resident.call("PATCH", "/settings", &edit);
    assert_eq!((status.theme, &*status.locale), (Theme::Dark, "zh-CN"));
    updates.wait_for(
        PATIENCE,
        "the theme",
        |update| matches!(update, Update::Status(status) if status.theme == Theme::Dark),
    );
    let now = read();
    assert_eq!((now.flood.popups, now.flood.seconds, now.sound, now.outage_alert_seconds), (5, 20, false, 0));
    assert_eq!(
        serde_json::to_value(&now.quiet_hours).expect("JSON")[1],
        json!({ "days": ["sat"], "from": "00:00", "to": "00:00", "time_zone": "Asia/Shanghai" })
    );
    assert_eq!((now.retention.days, now.retention.events), (Some(30), Some(5000)));
    assert!(
        config(&resident).starts_with("# Mine\n[[quiet_hours]]\nfrom = \"23:00\" # late\nto = \"07:00\"\n"),
        "{}",
        config(&resident)
    );
    assert!(now.autostart.enabled);
    let entry = fs::read_to_string(&now.autostart.place).expect("the entry");
    assert!(
        entry.contains(&format!(" --background --profile {}\n", resident.profile().display())),
        "{entry}"
    );

    let (_, body) = ask(
        &resident,
        "PATCH",
        "/settings",
        &json!({ "quiet_hours": [{ "days": ["mon"], "from": "22", "to": "07:00" }] }),
    );
    assert_eq!(
        (body["code"].as_str(), body["place"]["key"].as_str()),
        (Some("invalid_value"), Some("quiet_hours[1].from"))
    );
    let (_, body) = ask(
        &resident,
        "PATCH",
        "/settings",
        &json!({ "flood": { "popups": 0, "seconds": 1, "overall": 1 }, "theme": "light" }),
    );
    assert_eq!(body["place"]["key"], "notifications.flood.popups");
    assert_eq!(resident.status().theme, Theme::Dark, "nothing is changed by half");

    let _: Status = resident.call(
        "PATCH",
        "/settings",
        &json!({ "autostart": false, "retention": {}, "quiet_hours": [] }),
    );
    let last = read();
    assert!(!last.autostart.enabled && last.retention.days.is_none() && last.quiet_hours.is_empty());
    resident.quit();
    resident.start();
    assert_eq!(resident.status().theme, Theme::Dark, "it is kept");
}
