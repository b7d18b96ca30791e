//! What leaves a person in peace: snoozes, muted feeds, and calm alerts of connections.

use bellwether_control::wire::{ConnectionState, Outcome};
use bellwether_tests::{Desktop, Need, Notifications, Resident, Source, needs, until, until_some};
use serde_json::json;

use crate::{PATIENCE, connected, until_connected, until_outcome};

/// Two feeds, with what comes before them in the file.
fn two_feeds(settings: &str, ops: &Source, mail: &Source) -> String {
    let feed = |id: &str, name: &str, source: &Source| {
        format!("[[feed]]\nid = '{id}'\nname = '{name}'\nurl = '{}'\n", source.url())
    };
    format!("{settings}\n{}{}", feed("ops", "Ops", ops), feed("mail", "Mail", mail))
}

#[track_caller]
fn until_both_connected(resident: &Resident) {
    until_connected(resident);
    until(PATIENCE, "the other connection", || {
        resident.feed("mail").connection.state == ConnectionState::Connected
    });
}

#[test]
fn a_snooze_lasts_over_a_restart_and_ends_in_one_popup() {
    needs!(Need::Desktop);
    let (desktop, ops, mail) = (Desktop::start(), Source::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&two_feeds("", &ops, &mail));
    resident.start();
    until_both_connected(&resident);

    assert!(resident.cli_text(&["snooze", "1h"]).starts_with("Snoozed until "));
    let until = resident.status().attention.snoozed_until;
    assert!(until.is_some());
    ops.send("message", &json!({ "title": "first" }));
    mail.send("message", &json!({ "title": "second" }));
    until_outcome(&resident, &["first", "second"], Outcome::Held);
    assert!(resident.quit().success());

    resident.start();
    assert_eq!(resident.status().attention.snoozed_until, until, "it is kept");
    until_both_connected(&resident);
    ops.send("message", &json!({ "title": "third" }));
    let held = until_outcome(&resident, &["first", "second", "third"], Outcome::Held);
    assert!(held.iter().all(|event| event.reason.code == "snoozed" && !event.reason.detail.is_empty()));
    let status = resident.cli_text(&["status"]);
    assert!(status.contains("Snoozed until ") && status.contains("3 events held back"), "{status}");
    let why = resident.cli_text(&["events", "--held-back"]);
    assert_eq!(why.matches("Popups were snoozed until ").count(), 3, "{why}");
    assert_eq!(popups.popups(), [], "nobody was disturbed");

    assert_eq!(resident.cli_text(&["snooze", "off"]), "Popups are shown again.\n");
    let told = until_outcome(&resident, &["first", "second", "third"], Outcome::Summarized);
    let [digest] = &popups.popups()[..] else { panic!("one popup: {:#?}", popups.popups()) };
    assert!(digest.body.contains('3'), "{digest:?}");
    let summary = told[0].summary.expect("its number");
    let of_it = resident.events(&format!("summary={summary}")).events;
    assert_eq!(of_it.len(), 3, "{of_it:#?}");
    assert_eq!(resident.status().attention.held, 0);
}

#[test]
fn a_muted_feed_shows_nothing_and_says_why() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "# a comment of mine\n");
    assert!(resident.cli_text(&["feeds", "mute", "ops"]).starts_with("Muted ops"));
    source.send("message", &json!({ "title": "unheard" }));
    let event = until_outcome(&resident, &["unheard"], Outcome::Logged).remove(0);
    assert_eq!(event.reason.code, "muted");
    assert!(resident.cli_text(&["status"]).contains("  muted"));

    resident.cli_text(&["feeds", "unmute", "ops"]);
    source.send("message", &json!({ "title": "heard" }));
    popups.wait_within(PATIENCE, |popup| popup.summary == "heard");
    assert_eq!(popups.popups().len(), 1);
    let file = std::fs::read_to_string(resident.config_file()).expect("feeds.toml");
    assert!(file.contains("mute = false") && file.ends_with("# a comment of mine\n"), "{file}");
}

#[test]
fn the_tray_snoozes_and_ends_it() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let resident = connected(&desktop, &source, "");
    let menu_has = |label: &str| desktop.tray_menu().iter().any(|line| line.starts_with(label));
    until(PATIENCE, "the menu", || menu_has("1 feed connected"));
    assert!(!menu_has("End snooze"));

    desktop.tray(&["click", "For 15 minutes"]);
    until(PATIENCE, "the snooze in the menu", || menu_has("Snoozed until ") && menu_has("End snooze"));
    source.send("message", &json!({ "title": "later" }));
    until_outcome(&resident, &["later"], Outcome::Held);
    assert_eq!(popups.popups(), []);

    desktop.tray(&["click", "End snooze"]);
    until_some(PATIENCE, "the popup", || popups.popups().pop());
    until(PATIENCE, "the usual menu", || menu_has("1 feed connected") && !menu_has("End snooze"));
}

#[test]
fn long_outages_share_one_calm_popup_that_tells_of_their_end() {
    needs!(Need::Desktop);
    let (desktop, ops, mail) = (Desktop::start(), Source::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let mut resident = Resident::prepare();
    let settings = "[notifications]\noutage_alert = '2s'";
    resident.in_desktop(&desktop).config(&two_feeds(settings, &ops, &mail));
    resident.start();
    until_both_connected(&resident);

    let ports = [ops.port(), mail.port()];
    drop(ops);
    let first = popups.wait_within(PATIENCE, |popup| popup.summary == "Ops cannot be reached");
    assert_eq!((first.urgency(), first.replaces_id), (Some(0), 0));
    assert!(!first.body.is_empty(), "it says why");
    drop(mail);
    let both = popups.wait_within(PATIENCE, |popup| popup.summary == "2 feeds cannot be reached");
    assert_eq!((both.replaces_id, both.body.as_str()), (first.id, "Ops, Mail"));

    let _back = ports.map(Source::start_at);
    let back = popups.wait_within(PATIENCE, |popup| popup.summary == "2 feeds are connected again");
    assert_eq!((back.urgency(), back.replaces_id), (Some(0), first.id));
    let all = popups.popups();
    assert!(all.iter().all(|popup| popup.id == first.id), "one place on the screen: {all:#?}");
    until(PATIENCE, "one popup on the screen", || desktop.displayed() == 1);
}

#[test]
fn a_feed_that_grows_silent_is_told_until_it_is_heard_again() {
    needs!(Need::Desktop);
    let (desktop, source) = (Desktop::start(), Source::start());
    let popups = Notifications::watch(&desktop);
    let _resident = connected(&desktop, &source, "silence_alert = '2s'\n");
    let silent = popups.wait_within(PATIENCE, |popup| popup.summary == "Ops has grown silent");
    assert_eq!((silent.urgency(), silent.body.as_str()), (Some(0), "No event has come for 2 seconds."));
    source.send("message", &json!({ "title": "here I am" }));
    let heard = popups.wait_within(PATIENCE, |popup| popup.summary == "Ops is heard again");
    assert_eq!((heard.urgency(), heard.replaces_id), (Some(0), silent.id));
}
