//! What popups offer to click, what takes the place of what, and what hostile events come to.

use std::fs;

use bellwether_control::wire::{Event, Outcome};
use bellwether_tests::{
    Desktop, Manner, Need, NotificationServer, Notifications, Popup, Resident, Source, needs, until,
};
use serde_json::json;

use crate::popups::with_opener;
use crate::{
    PATIENCE, connected, connected_to, feed, feed_alone, until_outcome, until_read, whole_wish, wish,
};

/// A bus with a notification server of the test's own, whose popups it can click on.
fn bus() -> (Desktop, NotificationServer, Notifications) {
    let desktop = Desktop::with(&["--no-notify", "--no-display"]);
    let server = NotificationServer::start(&desktop, Manner::Good);
    let popups = Notifications::watch(&desktop);
    (desktop, server, popups)
}

/// Sends an event of this title; returns it and its popup.
#[track_caller]
fn show(
    source: &Source,
    resident: &Resident,
    popups: &Notifications,
    mut data: serde_json::Value,
    title: &str,
) -> (Event, Popup) {
    data["title"] = title.into();
    source.send("message", &data);
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == title);
    (until_outcome(resident, &[title], Outcome::Shown).remove(0), popup)
}

#[test]
fn each_button_does_what_it_says_and_takes_the_popup_away() {
    needs!(Need::Desktop);
    let ((desktop, server, popups), source) = (bus(), Source::start());
    let rules = r#"
        [[feed.rule]]
        when = "data.links"
        notify = { buttons = [
            { label = "Silence\n<b>it</b>", url = "https://example.org/silence/{{ data.title }}" },
            { label = "Run", url = "{{ data.script }}" },
            { label = "Write", url = "mailto:ops@example.org" },
        ] }
        [[feed.rule]]
    "#;
    let (resident, links) = with_opener(&desktop, &feed(&source, rules));
    let mut window = resident.updates_as_window();
    let show_links = |title: &str| {
        let data = json!({ "links": true, "url": "https://example.org/", "script": "javascript:alert(1)" });
        show(&source, &resident, &popups, data, title)
    };
    let click = |title: &str, key: &str| {
        let (event, popup) = show_links(title);
        assert!(!event.read);
        server.click(popup.id, "link-7");
        server.click(popup.id, key);
        until_read(&resident, event.seq);
        until(PATIENCE, "the popup's end", || popups.close_calls().contains(&popup.id));
        popup
    };
    let popup = click("one", "link-0");
    let labels = ["Open link", "Silence <b>it</b> ↗", "Write ↗", "Mute 1 h"];
    let keys = ["default", "link-0", "link-1", "mute"];
    let expected: Vec<&str> = keys.into_iter().zip(labels).flat_map(|(key, label)| [key, label]).collect();
    assert_eq!(popup.actions, expected, "what is no link is no button");
    click("two", "link-1");
    click("three", "default");
    let opened = ["https://example.org/silence/one", "mailto:ops@example.org", "https://example.org/"];
    until(PATIENCE, "the links", || links() == opened);
    let (linked, popup) = show(&source, &resident, &popups, json!({ "url": "https://example.org/" }), "four");
    server.click(popup.id, "open");
    until_read(&resident, linked.seq);
    assert_eq!(wish(&mut window), Some(linked.seq));

    let (quiet, popup) = show_plain(&source, &resident, &popups, "five");
    assert_eq!(popup.actions, ["default", "Show", "open", "Open", "mute", "Mute 1 h", "read", "Mark read"]);
    server.click(popup.id, "read");
    until_read(&resident, quiet.seq);
    let (loud, popup) = show_plain(&source, &resident, &popups, "six");
    server.click(popup.id, "mute");
    until_read(&resident, loud.seq);
    until(PATIENCE, "the feed to be muted", || resident.feed("ops").snoozed_until.is_some());
    source.send("message", &json!({ "title": "seven" }));
    let held = until_outcome(&resident, &["seven"], Outcome::Held).remove(0);
    assert_eq!(held.reason.code, "snoozed");
    assert_eq!(links().len(), 3, "nothing else was opened: {:?}", links());
}

fn show_plain(source: &Source, resident: &Resident, popups: &Notifications, title: &str) -> (Event, Popup) {
    show(source, resident, popups, json!({}), title)
}

#[test]
fn an_event_takes_the_popup_of_its_key_away_and_no_other_feed_s() {
    needs!(Need::Desktop);
    let desktop = Desktop::start();
    let (ops, dev) = (Source::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let rules = r#"
        [[feed.rule]]
        event = "clear"
        action = "withdraw"
        notify = { key = "{{ data.key }}" }
        [[feed.rule]]
        notify = { key = "{{ data.key }}" }
    "#;
    let other = feed_alone(&dev, rules).replace("'ops'", "'dev'").replace("'Ops'", "'Dev'");
    let resident = connected_to(&desktop, &[feed(&ops, rules), other].concat());
    let data = json!({ "key": "disk" });
    let (_, first) = show(&ops, &resident, &popups, data.clone(), "of ops");
    let (_, second) = show(&dev, &resident, &popups, data.clone(), "of dev");
    assert_ne!(first.id, second.id, "keys of two feeds never meet");
    until(PATIENCE, "both on the screen", || desktop.displayed() == 2);

    ops.send("clear", &data);
    until(PATIENCE, "one of them to be gone", || desktop.displayed() == 1);
    assert_eq!(popups.close_calls(), [first.id]);
    // It is gone, so the next one of this key is a new one.
    let (_, again) = show(&ops, &resident, &popups, data, "again");
    assert_eq!(again.replaces_id, 0);
    ops.send("clear", &json!({ "key": "nothing of this name" }));
    show(&dev, &resident, &popups, json!({}), "last");
    assert_eq!(desktop.displayed(), 3);
}

#[test]
fn a_summary_counts_up_in_place_and_a_click_opens_exactly_its_events() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let flood = "[notifications]\nflood = { popups = 1, seconds = 600 }\n";
    let resident = connected_to(&desktop, &format!("{flood}{}", feed_alone(&source, "")));
    let mut window = resident.updates_as_window();
    let send = |numbers: std::ops::RangeInclusive<u32>| {
        for number in numbers {
            source.send("message", &json!({ "title": format!("event {number}") }));
        }
    };
    send(1..=5);
    let summary = popups.wait_within(PATIENCE, |popup| popup.body.starts_with("4 new events\n"));
    assert_eq!((&*summary.summary, &*summary.body), ("Ops", "4 new events\nevent 5\nevent 4\nevent 3"));
    assert_eq!(summary.hints["category"], "x-bellwether.summary");
    send(6..=8);
    let more = popups.wait_within(PATIENCE, |popup| popup.body.starts_with("7 new events\n"));
    assert_eq!((more.replaces_id, more.id), (summary.id, summary.id));
    until(PATIENCE, "two on the screen", || desktop.displayed() == 2);

    // The single popup is the first on the screen, and gone once it was clicked.
    desktop.run("dunstctl", &["action", "0"]);
    let first = whole_wish(&mut window);
    assert!(first.event.is_some() && first.summary.is_none(), "{first:?}");
    until(PATIENCE, "the summary alone", || desktop.displayed() == 1);
    desktop.run("dunstctl", &["action", "0"]);
    let wish = whole_wish(&mut window);
    let number = wish.summary.expect("the summary's number");
    assert_eq!(wish.event, None);
    let mut told = resident.events(&format!("summary={number}")).events;
    told.reverse();
    let titles: Vec<&str> = told.iter().map(|event| &*event.title).collect();
    assert_eq!(titles, ["event 2", "event 3", "event 4", "event 5", "event 6", "event 7", "event 8"]);
    assert_eq!(number, told[0].seq);
    until(PATIENCE, "all of them to be read", || resident.feed("ops").counts.unread == 0);
    until(PATIENCE, "an empty screen", || desktop.displayed() == 0);

    // What comes now is told by another one.
    send(9..=10);
    let next = popups.wait_within(PATIENCE, |popup| popup.body.starts_with("2 new events\n"));
    assert_eq!(next.replaces_id, 0);
    let events = resident.events(&format!("summary={number}")).events;
    assert_eq!(events.len(), 7, "the old one has its own events");
}

#[test]
fn what_was_missed_is_told_by_one_popup_and_a_click_opens_exactly_that() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let mut resident = connected_to(&desktop, &feed_alone(&source, ""));
    show_plain(&source, &resident, &popups, "before");
    assert!(resident.quit().success());
    desktop.run("dunstctl", &["close-all"]);
    for number in 1..=40 {
        source.send("message", &json!({ "title": format!("missed {number}") }));
    }
    resident.start();
    let summary =
        popups.wait_within(PATIENCE, |popup| popup.body.starts_with("40 events while you were away\n"));
    assert_eq!(summary.body.lines().nth(1), Some("missed 40"));
    until_outcome(&resident, &["missed 1", "missed 40"], Outcome::Summarized);
    let mut window = resident.updates_as_window();
    desktop.run("dunstctl", &["action", "0"]);
    let number = whole_wish(&mut window).summary.expect("the summary's number");
    let told = resident.events(&format!("summary={number}&limit=100")).events;
    let titles: Vec<String> = told.into_iter().rev().map(|event| event.title).collect();
    assert_eq!(titles, (1..=40).map(|number| format!("missed {number}")).collect::<Vec<_>>());
    assert_eq!(popups.popups().len(), 2, "nothing else: {:#?}", popups.popups());
}

#[test]
fn hostile_events_end_as_short_inert_text() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let rules = r#"
        images = true
        [[feed.rule]]
        notify = { title = "{{ data.title }}", icon = "{{ data.icon }}", sound = "{{ data.sound }}", expire = "{{ data.expire }}", group = "{{ data.group }}", urgency = "{{ data.urgency }}", buttons = [{ label = "{{ data.label }}", url = "{{ data.url }}" }] }
    "#;
    let resident = connected(&desktop, &source, rules);
    let hostile = json!({
        "title": format!("A\u{202e}\u{0}<b>\n\u{1b}[31m{}", "x".repeat(900_000)),
        "message": "</body>&lt;<a href='javascript:x'>\u{2066}link</a>",
        "icon": "file:///etc/passwd",
        "sound": "/etc/passwd; reboot",
        "expire": "-1",
        "group": "g\u{202e}".repeat(10_000),
        "urgency": "apocalyptic",
        "label": "\u{202e}kcilc".repeat(100),
        "url": "javascript:alert(1)",
    });
    source.send("message", &hostile);
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary.starts_with('A'));
    assert!(popup.summary.starts_with("A<b> xxx") && popup.summary.ends_with("x…"), "{}", popup.summary);
    assert_eq!(popup.summary.chars().count(), 256);
    assert_eq!(popup.body, "&lt;/body&gt;&amp;lt;&lt;a href='javascript:x'&gt;link&lt;/a&gt;");
    assert_eq!((popup.urgency(), popup.expire_timeout), (Some(1), -1));
    assert_eq!(popup.action("link-0"), None);
    for (hint, value) in &popup.hints {
        let text = value.to_string();
        assert!(text.chars().count() < 300 && !text.contains(['\u{202e}', '/']), "{hint}: {text}");
        assert!(!matches!(hint.as_str(), "image-path" | "sound-name" | "sound-file"), "{hint}: {text}");
    }

    let good = json!({ "title": "good", "sound": "bell", "expire": "30s", "group": "builds", "urgency": "low",
        "label": "Look", "url": "https://example.org/" });
    source.send("message", &good);
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "good");
    assert_eq!((popup.urgency(), popup.expire_timeout), (Some(0), 30_000));
    assert_eq!(
        (&popup.hints["sound-name"], &popup.hints["x-bellwether-group"]),
        (&json!("bell"), &json!("builds"))
    );
    assert_eq!(popup.action("link-0"), Some("Look ↗"));
    source.send("message", &json!({ "title": "still", "sound": false, "expire": "never" }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "still");
    assert_eq!((&popup.hints["suppress-sound"], popup.expire_timeout), (&json!(true), 0));

    let quiet = feed(&source, rules).replace("[notifications]\n", "[notifications]\nsound = false\n");
    fs::write(resident.config_file(), quiet).expect("feeds.toml can be written");
    until(PATIENCE, "a popup without a sound", || {
        source.send("message", &good);
        popups
            .popups()
            .iter()
            .any(|popup| popup.summary == "good" && popup.hints.get("suppress-sound") == Some(&json!(true)))
    });
    assert_eq!(popups.errors(), Vec::<serde_json::Value>::new());
}
