//! Popups: what they say, and what a click on them does.

use std::os::unix::fs::PermissionsExt;
use std::{env, fs};

use bellwether_control::wire::{ConnectionState, Event, Outcome, PartName};
use bellwether_tests::{Desktop, Need, Notifications, Resident, Source, needs, until, until_some};
use serde_json::{Value, json};

use crate::{PATIENCE, connected, feed, until_connected, until_outcome, until_part, until_read, wish};

#[test]
fn an_event_becomes_a_popup_of_plain_text() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(
        &desktop,
        &source,
        r#"
        [[feed.rule]]
        event = "alert"
        notify = { title = "{{ data.title }}", body = "{{ data.text }}", urgency = "critical" }
        [[feed.rule]]
        event = "whisper"
        notify = { urgency = "low" }
        [[feed.rule]]
        event = "silent*"
        action = "log"
        [[feed.rule]]
        action = "notify"
        "#,
    );

    source
        .send("alert", &json!({ "title": "磁盘将满 <b>&amp;", "text": "服务器 <b>&amp; “/var” 只剩 3 GB" }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary.starts_with("磁盘将满"));
    assert_eq!(popup.app_name, "Bellwether");
    assert_eq!(popup.summary, "磁盘将满 <b>&amp;", "a summary is no markup");
    assert_eq!(popup.body, "服务器 &lt;b&gt;&amp;amp; “/var” 只剩 3 GB");
    assert_eq!((popup.urgency(), popup.replaces_id), (Some(2), 0));
    let actions = ["default", "Show", "open", "Open", "mute", "Mute 1 h", "read", "Mark read"];
    assert_eq!(popup.actions, actions);
    assert_eq!(popup.hints["desktop-entry"], "bellwether");
    assert_eq!(popup.hints["category"], "x-bellwether.event");

    source.send("silent.night", &"for the log alone");
    source.send("whisper", &json!({ "title": "quiet" }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "quiet");
    assert_eq!(popup.urgency(), Some(0));

    // Markup, terminal colours, a title of two lines, and characters that turn the reading direction.
    let body = "<img src=\"file:///etc/passwd\"/><a href=\"javascript:x\">Click</a>\u{1b}[31mred\u{1b}[0m\u{202e}txt";
    source.send("message", &json!({ "title": "one\ntwo\u{202e}\u{7}", "message": body }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary.starts_with("one"));
    assert_eq!((popup.summary.as_str(), popup.urgency()), ("one two", Some(1)));
    let inert = "&lt;img src=\"file:///etc/passwd\"/&gt;&lt;a href=\"javascript:x\"&gt;Click&lt;/a&gt;redtxt";
    assert_eq!(popup.body, inert);

    // A hundred lines would cover the screen.
    source.send("message", &json!({ "title": "long", "message": "line\n".repeat(100) }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "long");
    assert!(popup.body.lines().count() < 10 && popup.body.ends_with('…'), "{}", popup.body);
    let whole = until_outcome(&resident, &["long"], Outcome::Shown).remove(0);
    assert_eq!(whole.body.lines().count(), 100, "the log keeps it all");

    assert_eq!(popups.popups().len(), 4, "the log alone is no popup: {:#?}", popups.popups());
    assert_eq!(popups.errors(), Vec::<Value>::new());
    until(PATIENCE, "them on the screen", || desktop.displayed() == 4);
    until_outcome(&resident, &["one two", "quiet"], Outcome::Shown);
}

#[test]
fn a_click_on_a_popup_opens_the_window_at_its_event() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "");
    let mut window = resident.updates_as_window();

    source.send("message", &json!({ "title": "first" }));
    let [event] = &until_outcome(&resident, &["first"], Outcome::Shown)[..] else { panic!("one event") };
    assert!(!event.read, "nobody has seen it yet");
    desktop.run("dunstctl", &["action", "0"]);
    assert_eq!(wish(&mut window), Some(event.seq));
    until_read(&resident, event.seq);
    let popup = popups.wait_for(|popup| popup.summary == "first");
    assert_eq!(popups.actions(), [(popup.id, "default".to_owned())]);
    desktop.run("dunstctl", &["close-all"]);

    source.send("message", &json!({ "title": "second" }));
    source.send("message", &json!({ "title": "third" }));
    let events = until_outcome(&resident, &["second", "third"], Outcome::Shown);
    until(PATIENCE, "both on the screen", || desktop.displayed() == 2);
    // The upper right corner, where dunst's list begins with the older one.
    desktop.click(1100, 45);
    assert_eq!(wish(&mut window), Some(events[0].seq));
    until_read(&resident, events[0].seq);
    assert!(!resident.get::<Event>(&format!("/events/{}", events[1].seq)).read, "nobody clicked on it");

    // Dismissing is not reading.
    desktop.run("dunstctl", &["close-all"]);
    until(PATIENCE, "an empty screen", || desktop.displayed() == 0);
    source.send("message", &json!({ "title": "fourth" }));
    until_outcome(&resident, &["fourth"], Outcome::Shown);
    assert!(!resident.get::<Event>(&format!("/events/{}", events[1].seq)).read);
}

#[test]
fn xfce_s_notification_server_shows_buttons_that_do_what_they_say() {
    needs!(Need::Desktop, Need::XfceNotifier);
    let (desktop, source) = (Desktop::with(&["--notifier", "xfce"]), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "");
    assert!(until_part(&resident, PartName::Notifications, true).starts_with("Xfce Notify Daemon"));
    let mut window = resident.updates_as_window();

    // The buttons lie at the popup's lower edge, equally wide: so far from its right one.
    for (title, key, from_right) in [("One", "default", 241), ("Two", "read", 57), ("Three", "mute", 149)] {
        until(PATIENCE, "an empty screen", || popup_area(&desktop).is_none());
        source.send("message", &json!({ "title": title, "message": "a < b && \"c\"" }));
        let popup = popups.wait_within(PATIENCE, |popup| popup.summary == title);
        let actions = ["default", "Open", "mute", "Mute 1 h", "read", "Mark read"];
        assert_eq!(popup.actions, actions, "its default action is a button as well");
        let [event] = &until_outcome(&resident, &[title], Outcome::Shown)[..] else { panic!("one event") };
        let (left, top, width, height) = until_some(PATIENCE, "the popup's window", || popup_area(&desktop));
        let clicked = (popup.id, key.to_owned());
        until(PATIENCE, "the click on the button", || {
            desktop.click(left + width - from_right, top + height - 30);
            popups.actions().contains(&clicked)
        });
        until_read(&resident, event.seq);
        match key {
            "default" => assert_eq!(wish(&mut window), Some(event.seq)),
            "mute" => until(PATIENCE, "a snooze", || resident.feed("ops").snoozed_until.is_some()),
            _ => {}
        }
    }
    assert_eq!(popups.actions().len(), 3);
}

/// Left, top, width and height of the popup of xfce4-notifyd on the screen.
fn popup_area(desktop: &Desktop) -> Option<(u32, u32, u32, u32)> {
    let search = ["search", "--onlyvisible", "--class", "xfce4-notifyd", "getwindowgeometry", "--shell"];
    let geometry = desktop.try_run("xdotool", &search).ok()?;
    let value = |name: &str| {
        let line = geometry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        line.parse().ok()
    };
    Some((value("X")?, value("Y")?, value("WIDTH")?, value("HEIGHT")?))
}

#[test]
fn links_are_opened_only_if_they_lead_to_the_web() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let (resident, links) = with_opener(&desktop, &feed(&source, ""));
    let mut window = resident.updates_as_window();
    let click = |title: &str, url: &str| {
        source.send("message", &json!({ "title": title, "url": url }));
        let event = until_outcome(&resident, &[title], Outcome::Shown).remove(0);
        desktop.run("dunstctl", &["action", "0"]);
        desktop.run("dunstctl", &["close-all"]);
        event.seq
    };
    let seq = click("a link", "https://example.org/a?b=c&d='e;f");
    until(PATIENCE, "the browser", || links() == ["https://example.org/a?b=c&d=%27e;f"]);
    until_read(&resident, seq);

    for (at, bad) in ["javascript:alert(1)", "file:///etc/passwd", "--help", "vscode://x"].iter().enumerate()
    {
        let seq = click(&format!("no link {at}"), bad);
        assert_eq!(wish(&mut window), Some(seq), "{bad}: the window instead");
    }
    let seq = click("another", "http://example.org/");
    until(PATIENCE, "the browser again", || links().len() == 2);
    assert_eq!(links()[1], "http://example.org/");
    let refused = resident.request("POST", &format!("/events/{}/open", seq - 1), &Value::Null);
    assert_eq!(refused.expect("an answer").status, 404, "nor does the window open what is no link");
}

/// The resident program, connected, where links are opened by a program that only notes them; what it has noted.
#[track_caller]
pub(crate) fn with_opener(desktop: &Desktop, config: &str) -> (Resident, impl Fn() -> Vec<String> + use<>) {
    let (folder, opened) = (desktop.folder().join("bin"), desktop.folder().join("opened"));
    fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("xdg-open");
    fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\n", opened.display()))
        .expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap_or_default());
    let mut resident = Resident::prepare();
    resident.in_desktop(desktop).config(config).env("PATH", &path);
    resident.start();
    until_connected(&resident);
    (resident, move || fs::read_to_string(&opened).unwrap_or_default().lines().map(str::to_owned).collect())
}

#[test]
fn a_popup_of_an_equal_key_is_replaced() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let rules = "[[feed.rule]]\nnotify = { title = '{{ data.title }}', key = '{{ data.disk }}' }\n";
    let resident = connected(&desktop, &source, rules);
    let show = |title: &str, disk: &str| {
        source.send("message", &json!({ "title": title, "disk": disk }));
        let popup = popups.wait_within(PATIENCE, |popup| popup.summary == title);
        until_outcome(&resident, &[title], Outcome::Shown);
        popup
    };
    let first = show("/var 90 %", "var");
    let other = show("/home 91 %", "home");
    let second = show("/var 95 %", "var");
    assert_eq!((first.replaces_id, other.replaces_id), (0, 0));
    assert_eq!((second.replaces_id, second.id), (first.id, first.id));
    assert_eq!(desktop.displayed(), 2);

    desktop.run("dunstctl", &["close-all"]);
    until(PATIENCE, "the popups' end", || popups.closed().len() >= 2);
    // Once dismissed it is no longer there to be replaced; the program hears of that a moment after us.
    let mut number = 0;
    until(PATIENCE, "a popup of its own", || {
        number += 1;
        show(&format!("/var {number} %"), &format!("var{number}"));
        let again = show(&format!("/var again {number} %"), "var");
        let fresh = again.replaces_id == 0;
        desktop.run("dunstctl", &["close-all"]);
        fresh
    });
}

#[test]
fn a_refused_sign_in_is_told_once_for_each_cause_and_not_at_each_retry() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    source.refuse(Some(401));
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&feed(&source, ""));
    resident.start();
    let told = || popups.popups().into_iter().map(|popup| (popup.summary, popup.body)).collect::<Vec<_>>();
    let refused_by = |status: u16| ("Ops".to_owned(), format!("The server refused the sign-in ({status})."));
    let until_refused = |status: u16, attempt: u32| {
        until(PATIENCE, &format!("refusal {attempt}, by {status}"), || {
            let connection = resident.feed("ops").connection;
            let reason = connection.reason.map(|reason| reason.detail);
            (connection.state, connection.attempt, reason)
                == (ConnectionState::NeedsAttention, attempt, Some(status.to_string()))
        });
    };

    until_refused(401, 1);
    popups.wait_within(PATIENCE, |popup| popup.summary == "Ops");
    for attempt in [2, 3] {
        resident.cli_text(&["feeds", "reconnect", "ops"]);
        until_refused(401, attempt);
    }
    assert_eq!(source.requests(), 3);
    source.refuse(Some(403));
    resident.cli_text(&["feeds", "reconnect", "ops"]);
    until_refused(403, 4);
    // Popups come in their order, so one for a retry would be there by now.
    popups.wait_within(PATIENCE, |popup| popup.body.contains("403"));
    assert_eq!(told(), [refused_by(401), refused_by(403)]);
    assert_eq!(popups.popups()[1].replaces_id, popups.popups()[0].id);
    until(PATIENCE, "it on the screen", || desktop.displayed() == 1);

    let mut window = resident.updates_as_window();
    desktop.run("dunstctl", &["action", "0"]);
    assert_eq!(wish(&mut window), None, "a click opens the window");

    // Once it was connected, a refusal is news again.
    source.refuse(None);
    resident.cli_text(&["feeds", "reconnect", "ops"]);
    until_connected(&resident);
    source.refuse(Some(401));
    resident.cli_text(&["feeds", "reconnect", "ops"]);
    until(PATIENCE, "a third popup", || told().len() == 3);
    assert_eq!(told()[2], refused_by(401));

    // Neither does another address inherit what was told of this one.
    resident.config(&feed(&source, "").replace("/events", "/others"));
    until(PATIENCE, "a fourth popup", || told().len() == 4);
    assert_eq!(told()[3], refused_by(401));
}

#[test]
fn a_refused_sign_in_is_told_once_there_is_somebody_to_show_it() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::with(&["--no-notify"]), Source::start());
    let popups = Notifications::watch(&desktop);
    source.refuse(Some(401));
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&feed(&source, ""));
    resident.start();
    until_part(&resident, PartName::Notifications, false);
    until(PATIENCE, "the refusal", || {
        resident.feed("ops").connection.state == ConnectionState::NeedsAttention
    });
    desktop.add("dunst");
    popups.wait_within(PATIENCE, |popup| popup.body.contains("401"));
}
