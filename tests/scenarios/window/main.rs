//! The real window, as the resident program opens it, driven from within its page.

mod events;
mod feeds;
mod lifetime;
mod popups;
mod safety;

use std::time::Duration;

use bellwether_control::wire::{Event, Outcome};
use bellwether_tests::{Desktop, Page, Resident, Source, WINDOW_PATIENCE, WebDriver, until_some};
use serde_json::json;

pub(crate) const PATIENCE: Duration = WINDOW_PATIENCE;

/// A desktop with the resident program in it and a driver for its windows; its feeds.toml is this text.
#[track_caller]
pub(crate) fn prepared(config: &str) -> (Desktop, WebDriver, Resident) {
    let desktop = Desktop::start();
    let driver = WebDriver::start(&desktop);
    let mut resident = Resident::prepare();
    driver.drives(resident.in_desktop(&desktop).config(config));
    (desktop, driver, resident)
}

pub(crate) fn feed(id: &str, source: &Source) -> String {
    let name = id[..1].to_uppercase() + &id[1..];
    format!("[[feed]]\nid = '{id}'\nname = '{name}'\nurl = '{}'\n", source.url())
}

/// How many windows' processes run.
pub(crate) fn windows(desktop: &Desktop) -> usize {
    desktop.window_processes().len()
}

/// How many of WebKit's processes run.
pub(crate) fn webkits(desktop: &Desktop) -> usize {
    desktop.webkit_processes().len()
}

/// Waits until the list holds the events of these titles and no others; they are given in the order of the alphabet.
#[track_caller]
pub(crate) fn list(page: &Page<'_>, titles: &[&str]) {
    let listed =
        "[...document.querySelectorAll('[role=option] .title')].map((title) => title.innerText).sort()";
    page.wait(
        &format!("{titles:?}"),
        &format!("JSON.stringify({listed}) === JSON.stringify({})", json!(titles)),
    );
}

#[track_caller]
pub(crate) fn until_shown(resident: &Resident, title: &str) -> Event {
    until_some(PATIENCE, title, || {
        let events = resident.events("").events;
        events.into_iter().find(|event| event.title == title && event.outcome == Outcome::Shown)
    })
}
