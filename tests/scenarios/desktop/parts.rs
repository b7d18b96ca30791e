//! Parts of the desktop that are missing, come and go: each degrades alone, says so, and comes back by itself.

use std::os::unix::fs::symlink;

use bellwether_control::wire::{Outcome, PartName};
use bellwether_tests::{Desktop, Need, Notifications, Resident, Source, needs, until};
use serde_json::{Value, json};

use crate::{PATIENCE, connected, feed, part, until_connected, until_outcome, until_part};

#[track_caller]
fn send(resident: &Resident, source: &Source, titles: &[&str], outcome: Outcome) {
    for title in titles {
        source.send("message", &json!({ "title": title }));
    }
    until_outcome(resident, titles, outcome);
}

/// What `bellwether doctor` says of a part.
#[track_caller]
fn doctor(resident: &Resident, part: &str) -> String {
    let text = String::from_utf8(resident.cli(&["doctor"]).stdout).expect("text");
    let line = text.lines().find(|line| line.contains(part));
    line.unwrap_or_else(|| panic!("nothing about {part}: {text}")).to_owned()
}

/// `bellwether test-notification` fails with one line; returns it.
#[track_caller]
fn refused_test(resident: &Resident) -> String {
    let output = resident.cli(&["test-notification"]);
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
    assert!(output.stdout.is_empty());
    text
}

#[test]
fn a_notification_server_may_be_missing_come_and_be_killed() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::with(&["--no-notify"]), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "");
    let why = "no notification server is running";
    assert_eq!(until_part(&resident, PartName::Notifications, false), why);
    until_part(&resident, PartName::Tray, true);
    send(&resident, &source, &["one", "two"], Outcome::Pending);
    assert!(doctor(&resident, "Notifications").contains("missing"));
    assert!(resident.cli_text(&["status"]).contains("popups wait"));
    assert!(refused_test(&resident).contains(why));

    desktop.add("dunst");
    until_outcome(&resident, &["one", "two"], Outcome::Shown);
    assert!(until_part(&resident, PartName::Notifications, true).contains("dunst"));
    resident.cli_text(&["test-notification"]);
    popups.wait_within(PATIENCE, |popup| popup.body == "Popups work.");
    let shown: Vec<String> = popups.popups().into_iter().map(|popup| popup.summary).collect();
    assert_eq!(shown, ["one", "two", "Bellwether"]);

    desktop.end("notify");
    until_part(&resident, PartName::Notifications, false);
    send(&resident, &source, &["a", "b", "c", "d", "e"], Outcome::Pending);
    assert_eq!(popups.popups().len(), 3);
    desktop.add("dunst");
    let summary = popups.wait_within(PATIENCE, |popup| popup.body.starts_with("5 new events"));
    assert_eq!((summary.summary.as_str(), summary.body.as_str()), ("Ops", "5 new events\ne\nd\nc"));
    until_outcome(&resident, &["a", "b", "c", "d", "e"], Outcome::Summarized);
    // A click on it is a click on all of them; "one" and "two" stay unread.
    until(PATIENCE, "the click", || {
        let _ = desktop.try_run("dunstctl", &["action", "0"]);
        resident.feed("ops").counts.unread == 2
    });
    send(&resident, &source, &["live"], Outcome::Shown);
    popups.wait_within(PATIENCE, |popup| popup.summary == "live");
    assert_eq!(popups.popups().len(), 5, "{:#?}", popups.popups());
    assert!(doctor(&resident, "Notifications").contains("dunst"));
}

#[test]
fn a_notification_server_that_hangs_is_told_of_and_shows_nothing_twice() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "");
    send(&resident, &source, &["before"], Outcome::Shown);
    let processes = desktop.processes();
    let (server, _) = processes.iter().find(|(_, name)| name.contains("dunst")).expect("dunst runs");
    let signal = |name: &str| desktop.run("kill", &[name, &server.to_string()]);
    signal("-STOP");
    send(&resident, &source, &["late"], Outcome::Pending);
    let why = until_part(&resident, PartName::Notifications, false);
    assert!(why.contains("did not answer within 15 s"), "{why}");
    signal("-CONT");
    until_outcome(&resident, &["late"], Outcome::Shown);
    until_part(&resident, PartName::Notifications, true);
    send(&resident, &source, &["after"], Outcome::Shown);
    popups.wait_within(PATIENCE, |popup| popup.summary == "after");
    let shown: Vec<String> = popups.popups().into_iter().map(|popup| popup.summary).collect();
    assert_eq!(shown, ["before", "late", "after"]);
}

#[test]
fn what_waits_for_a_notification_server_outlives_the_program() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::with(&["--no-notify"]), Source::start());
    let popups = Notifications::watch(&desktop);
    let mut resident = connected(&desktop, &source, "");
    send(&resident, &source, &["one", "two"], Outcome::Pending);
    resident.kill();
    desktop.add("dunst");
    resident.start();
    popups.wait_within(PATIENCE, |popup| popup.summary == "two");
    until_outcome(&resident, &["one", "two"], Outcome::Shown);
    let shown: Vec<String> = popups.popups().into_iter().map(|popup| popup.summary).collect();
    assert_eq!(shown, ["one", "two"], "each once");
}

#[test]
fn a_tray_may_be_missing_come_and_be_killed() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::with(&["--no-tray"]), Source::start());
    let mut resident = connected(&desktop, &source, "");
    assert_eq!(until_part(&resident, PartName::Tray, false), "no tray on this desktop");
    until_part(&resident, PartName::Notifications, true);
    let told =
        resident.process().wait_for_line(PATIENCE, "a word about the tray", |line| line.contains("tray"));
    assert!(told.contains("no tray on this desktop") && told.contains("The window opens with"), "{told}");
    assert!(doctor(&resident, "Tray").contains("missing"));

    for _ in 0..2 {
        desktop.add("tray");
        until_part(&resident, PartName::Tray, true);
        assert!(desktop.tray(&["list"]).contains("Id: bellwether"));
        assert_eq!(desktop.tray_menu()[0], "1 feed connected  (disabled)");
        desktop.end("tray");
        until_part(&resident, PartName::Tray, false);
    }
    send(&resident, &source, &["without a tray"], Outcome::Shown);
}

#[test]
fn without_a_display_popups_go_on_and_the_window_says_why_not() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).env("DISPLAY", "").config(&feed(&source, ""));
    resident.start();
    until_connected(&resident);
    let why = until_part(&resident, PartName::Display, false);
    assert_eq!(why, "neither WAYLAND_DISPLAY nor DISPLAY is set");
    until_part(&resident, PartName::Notifications, true);
    until_part(&resident, PartName::Tray, true);
    send(&resident, &source, &["seen"], Outcome::Shown);

    let refused = resident.request("POST", "/window", &json!({})).expect("an answer");
    assert_eq!((refused.status, &refused.body["code"]), (503, &json!("no_window")));
    assert!(refused.body["message"].as_str().is_some_and(|text| text.contains("there is no display")));
    // A second start, and a click on a popup, want the window too.
    let second = resident.cli(&[]);
    assert_eq!(second.status.code(), Some(1));
    let told = String::from_utf8_lossy(&second.stderr);
    assert!(told.contains("there is no display"), "{told}");
    desktop.run("dunstctl", &["action", "0"]);
    resident
        .process()
        .wait_for_line(PATIENCE, "why there is no window", |line| line.contains("there is no display"));
    send(&resident, &source, &["and on"], Outcome::Shown);
}

#[test]
fn a_session_bus_may_be_missing_and_come() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    let bus = resident.profile().join("bus");
    resident.in_desktop(&desktop).config(&feed(&source, ""));
    resident.env("DBUS_SESSION_BUS_ADDRESS", &format!("unix:path={}", bus.display()));
    resident.start();
    until_connected(&resident);
    for name in [PartName::SessionBus, PartName::Notifications, PartName::Tray] {
        assert!(until_part(&resident, name, false).contains("No such file"), "{name:?}");
    }
    assert!(part(&resident, PartName::Display).is_some_and(|display| display.available));
    send(&resident, &source, &["early"], Outcome::Pending);
    assert!(doctor(&resident, "Session bus").contains("missing"));
    assert!(refused_test(&resident).contains("no session bus"));

    symlink(desktop.folder().join("run/bus"), &bus).expect("a link");
    popups.wait_within(PATIENCE, |popup| popup.summary == "early");
    until_outcome(&resident, &["early"], Outcome::Shown);
    for name in [PartName::SessionBus, PartName::Notifications, PartName::Tray] {
        until_part(&resident, name, true);
    }
    assert!(desktop.tray(&["list"]).contains("Id: bellwether"));
}

#[test]
fn with_no_desktop_at_all_events_are_logged_and_wait() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::with(&["--no-display", "--no-bus"]), Source::start());
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&feed(&source, ""));
    // A plain start wants a window: it says why there is none, and goes on.
    resident.start_with(&[]);
    until_connected(&resident);
    for name in [PartName::Display, PartName::SessionBus, PartName::Notifications, PartName::Tray] {
        until_part(&resident, name, false);
    }
    resident
        .process()
        .wait_for_line(PATIENCE, "why there is no window", |line| line.contains("there is no display"));
    send(&resident, &source, &["kept"], Outcome::Pending);
    let text = resident.cli_text(&["events"]);
    assert!(text.contains("kept"), "{text}");
    let _: Value = resident.call("POST", "/reconnect", &Value::Null);
    until(PATIENCE, "a second request", || source.requests() == 2);
    assert!(resident.quit().success());
}
