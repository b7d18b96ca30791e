//! The tray: its menu and its icon.

use bellwether_control::messages::Catalogue;
use bellwether_control::wire::Outcome;
use bellwether_tests::{Desktop, Need, Notifications, Source, free_port, needs, until};
use serde_json::{Value, json};

use crate::{PATIENCE, connected, until_connected, until_outcome, until_read, wish};

#[test]
fn the_tray_s_menu_shows_and_does_what_it_says() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let mut resident = connected(&desktop, &source, "");
    let titles: Vec<String> = (1..=6).map(|number| format!("event_{number} & more")).collect();
    for title in &titles {
        source.send("message", &json!({ "title": title }));
    }
    let newest = titles.iter().rev().take(5).cloned().collect::<Vec<_>>();
    until(PATIENCE, "the last five events in the menu", || {
        desktop.tray_menu().get(2..7) == Some(&newest[..])
    });
    let menu = desktop.tray_menu();
    assert_eq!((menu[0].as_str(), menu[1].as_str()), ("1 feed connected  (disabled)", "--"));
    assert_eq!(menu[7], "--");
    assert_eq!(menu[8..12], ["Snooze", "For 15 minutes", "For 1 hour", "Until tomorrow"]);
    assert_eq!(menu[12..], ["Open Bellwether", "Reconnect all", "--", "Quit"]);
    let list = desktop.tray(&["list"]);
    assert!(list.contains("Id: bellwether") && list.contains("6 unread events"), "{list}");

    let mut window = resident.updates_as_window();
    let seq = until_outcome(&resident, &[&titles[2]], Outcome::Shown).remove(0).seq;
    desktop.tray(&["click", &titles[2]]);
    assert_eq!(wish(&mut window), Some(seq));
    until_read(&resident, seq);
    desktop.tray(&["click", "Open Bellwether"]);
    assert_eq!(wish(&mut window), None);
    desktop.tray(&["activate"]);
    assert_eq!(wish(&mut window), None);

    // Its title only names the feed, as that of any plain text does.
    source.send("message", &json!("The lights are on"));
    until(PATIENCE, "what an event without a title says", || {
        desktop.tray_menu().get(2).is_some_and(|label| label.ends_with(": The lights are on"))
    });

    let requests = source.requests();
    desktop.tray(&["click", "Reconnect all"]);
    until(PATIENCE, "a new request", || source.requests() == requests + 1);
    until_connected(&resident);

    let name = format!("org.kde.StatusNotifierItem-{}-1", resident.status().pid);
    assert!(desktop.owned(&name));
    desktop.tray(&["click", "Quit"]);
    assert!(resident.process().wait(PATIENCE).success());
    until(PATIENCE, "the icon's end", || !desktop.owned(&name));
}

#[test]
fn the_tray_s_icon_has_a_shape_for_each_state() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let resident = connected(&desktop, &source, "");
    let until_says = |text: &str| {
        let tooltip = format!("ToolTip: Bellwether: {text}");
        until(PATIENCE, text, || desktop.tray(&["list"]).contains(&tooltip));
    };
    until_says("1 feed connected");
    let fine = icon(&desktop);
    source.send("message", &json!({ "title": "unread" }));
    until_says("1 feed connected\n1 unread event");
    let unread = icon(&desktop);
    let _: Value = resident.call("POST", "/events/read", &json!({ "read": true }));
    until(PATIENCE, "the dot's end", || icon(&desktop) == fine);

    let _: Value = resident.call("POST", "/feeds", &json!({ "url": source.page_url(), "id": "page" }));
    until_says("1 feed needs attention");
    let attention = icon(&desktop);

    resident.cli_text(&["snooze", "1h"]);
    until(PATIENCE, "the snooze", || desktop.tray(&["list"]).contains("ToolTip: Bellwether: Snoozed until "));
    let snoozed = icon(&desktop);
    resident.cli_text(&["snooze", "off"]);
    until_says("1 feed needs attention");
    assert_eq!(icon(&desktop), attention);

    let nobody = format!("http://127.0.0.1:{}/", free_port());
    let _: Value = resident.call("DELETE", "/feeds/page", &Value::Null);
    let _: Value = resident.call("PATCH", "/feeds/ops", &json!({ "url": nobody }));
    until_says("Not connected");
    let offline = icon(&desktop);
    let shapes = [&fine, &unread, &attention, &snoozed, &offline];
    for (at, shape) in shapes.iter().enumerate() {
        assert!(shape.len() > 1000 && !shapes[..at].contains(shape), "icon {at} looks like another");
    }

    let _: Value = resident.call("PATCH", "/feeds/ops", &json!({ "url": source.url() }));
    until_says("1 feed connected");
}

/// The pixels that the icon gives the tray.
fn icon(desktop: &Desktop) -> String {
    let list = desktop.tray(&["list", "--item", "bellwether"]);
    let (name, path) = list.lines().next().and_then(|line| line.split_once('/')).expect("an icon");
    let get = ["call", "--session", "-d", name, "-o", &format!("/{path}"), "-m"];
    let get =
        [&get[..], &["org.freedesktop.DBus.Properties.Get", "org.kde.StatusNotifierItem", "IconPixmap"]];
    desktop.run("gdbus", &get.concat())
}

#[test]
fn another_language_reaches_menu_and_popups_at_once() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "");
    source.send("message", &json!({ "title": "before" }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "before");
    assert_eq!(popup.action("mute"), Some("Mute 1 h"));
    until(PATIENCE, "the event in the menu", || desktop.tray_menu().contains(&"before".to_owned()));

    let _: Value = resident.call("PATCH", "/settings", &json!({ "language": "zh-CN" }));
    let texts = Catalogue::new("zh-CN");
    let status = format!("{}  (disabled)", texts.count("tray.status_fine", 1));
    let keys =
        ["tray.snooze", "snooze.quarter", "snooze.hour", "snooze.tomorrow", "tray.open", "tray.reconnect"];
    let quit = texts.text("tray.quit");
    let mut chinese = vec![&*status, "--", "before", "--"];
    chinese.extend(keys.map(|key| texts.text(key)));
    chinese.extend(["--", quit]);
    assert_eq!(quit, "退出");
    until(PATIENCE, "a Chinese menu", || desktop.tray_menu() == chinese);
    source.send("message", &json!({ "title": "after" }));
    let popup = popups.wait_within(PATIENCE, |popup| popup.summary == "after");
    let actions = ["default", "查看", "open", "打开", "mute", "免打扰 1 小时", "read", "标为已读"];
    assert_eq!(popup.actions, actions);

    let _: Value = resident.call("PATCH", "/settings", &json!({ "language": "en" }));
    until(PATIENCE, "an English menu", || desktop.tray_menu().contains(&"Quit".to_owned()));
}
