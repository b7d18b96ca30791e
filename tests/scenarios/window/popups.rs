//! From popups into the window.

use bellwether_control::wire::Outcome;
use bellwether_tests::{Need, Notifications, Source, needs, until};
use serde_json::json;

use crate::{PATIENCE, feed, list, prepared, until_shown, windows};

#[test]
fn a_click_on_a_popup_opens_the_window_at_its_event() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start();
    let shown = |text: &str| format!("document.querySelector('.detail h2')?.innerText === {}", json!(text));
    source.send("message", &json!({ "title": "the first", "message": "its text" }));
    until_shown(&resident, "the first");
    source.send("message", &json!({ "title": "the second" }));
    until_shown(&resident, "the second");
    until(PATIENCE, "both popups", || desktop.displayed() == 2);
    // The older one comes first in dunst's list.
    desktop.click(1100, 45);
    let page = driver.attach();
    page.wait("the event that was clicked on", &shown("the first"));
    page.see("its text");
    // The window is there; the next click leads on in it.
    desktop.tray(&["click", "the second"]);
    page.wait("the event that was clicked on", &shown("the second"));
    assert_eq!(windows(&desktop), 1);
    until(PATIENCE, "both to be read", || resident.events("").events.iter().all(|event| event.read));
}

#[test]
fn a_click_on_a_popup_of_several_events_opens_the_window_at_exactly_those() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    resident.start();
    source.send("message", &json!({ "title": "before" }));
    until_shown(&resident, "before");
    desktop.run("dunstctl", &["close-all"]);
    resident.cli_text(&["snooze", "1h"]);
    for title in ["one", "three", "two"] {
        source.send("message", &json!({ "title": title }));
    }
    until(PATIENCE, "three held events", || resident.status().attention.held == 3);
    resident.cli_text(&["snooze", "off"]);
    until(PATIENCE, "one popup", || desktop.displayed() == 1);

    desktop.run("dunstctl", &["action", "0"]);
    let page = driver.attach();
    page.see("Events of one popup");
    list(&page, &["one", "three", "two"]);
    until(PATIENCE, "them to be read", || resident.feed("ops").counts.unread == 1);
    page.click("button", "Show all events");
    list(&page, &["before", "one", "three", "two"]);

    // The window's own way to snooze reaches the program.
    page.click("button", "Snooze");
    page.click("menuitem", "For 1 hour");
    page.see("Snoozed until ");
    assert!(resident.status().attention.snoozed_until.is_some());
    page.click("button", "End");
    until(PATIENCE, "the end of the snooze", || resident.status().attention.snoozed_until.is_none());
}

#[test]
fn a_rule_made_from_an_event_changes_what_pops_up_next() {
    needs!(Need::Desktop, Need::Window);
    let source = Source::start();
    let (desktop, driver, mut resident) = prepared(&feed("ops", &source));
    let popups = Notifications::watch(&desktop);
    resident.start_with(&[]);
    source.send("alert", &json!({ "title": "low 1", "level": "low" }));
    popups.wait_for(|popup| popup.summary == "low 1");

    let page = driver.attach();
    page.click("option", "low 1");
    page.click("button", "Make a rule");
    page.see("Rule 1");
    page.click("label", "Log only");
    page.click("label", "Text");
    page.clear(".condition textarea");
    page.type_into(".condition textarea", "data.level == \"low\"");
    page.see("Would have notified 0 of 1");
    page.click("button", "Save rules");
    page.see("The rules of Ops were saved.");

    source.send("alert", &json!({ "title": "low 2", "level": "low" }));
    source.send("alert", &json!({ "title": "high 1", "level": "high" }));
    popups.wait_for(|popup| popup.summary == "high 1");
    let events = resident.events("").events;
    let low = events.iter().find(|event| event.title == "low 2").expect("the event is in the log");
    assert_eq!((low.outcome, low.reason.rule), (Outcome::Logged, Some(1)));
    assert!(popups.popups().iter().all(|popup| popup.summary != "low 2"), "{:?}", popups.popups());
}
