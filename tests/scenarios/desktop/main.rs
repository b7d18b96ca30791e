//! The program on a real desktop: popups through a real notification server, the icon in a real tray, and what it does
//! where one of them is missing, comes or goes.

mod calm;
mod images;
mod offers;
mod parts;
mod popups;
mod presets;
mod tray;
mod unruly;

use std::time::Duration;

use bellwether_control::wire::{ConnectionState, Event, OpenWindow, Outcome, Part, PartName, Update};
use bellwether_tests::{Desktop, Resident, Source, Updates, until, until_some};

/// What a person sees within a second may take this long on a machine under load.
const PATIENCE: Duration = Duration::from_secs(60);

/// A feed of this source, with the rules that follow.
fn feed(source: &Source, rules: &str) -> String {
    format!("{MANY}{}", feed_alone(source, rules))
}

/// The same where popups are drawn together when there are many of them.
fn feed_alone(source: &Source, rules: &str) -> String {
    format!("[[feed]]\nid = 'ops'\nname = 'Ops'\nurl = '{}'\n{rules}", source.url())
}

/// Popups are shown one by one, however many they are.
const MANY: &str = "[notifications]\nflood = { popups = 100, overall = 100 }\n";

/// The resident program in this desktop, connected to the source.
#[track_caller]
fn connected(desktop: &Desktop, source: &Source, rules: &str) -> Resident {
    connected_to(desktop, &feed(source, rules))
}

/// The resident program in this desktop with this `feeds.toml`, its feed `ops` connected.
#[track_caller]
fn connected_to(desktop: &Desktop, config: &str) -> Resident {
    let mut resident = Resident::prepare();
    resident.in_desktop(desktop).config(config);
    resident.start();
    until_connected(&resident);
    resident
}

#[track_caller]
fn until_connected(resident: &Resident) {
    until(PATIENCE, "the connection", || resident.feed("ops").connection.state == ConnectionState::Connected);
}

fn part(resident: &Resident, name: PartName) -> Option<Part> {
    resident.status().parts.into_iter().find(|part| part.name == name)
}

/// Waits until a part is there, or known to be missing; returns what is said of it.
#[track_caller]
fn until_part(resident: &Resident, name: PartName, available: bool) -> String {
    let what = format!("{name:?} to be {}", if available { "there" } else { "missing" });
    until_some(PATIENCE, &what, || {
        part(resident, name).filter(|part| part.available == available).map(|part| part.detail)
    })
}

/// Waits for the events of these titles to have this outcome.
#[track_caller]
fn until_outcome(resident: &Resident, titles: &[&str], outcome: Outcome) -> Vec<Event> {
    until_some(PATIENCE, &format!("{titles:?} to be {outcome:?}"), || {
        let events = resident.events("limit=100").events;
        let wanted = titles.iter().map(|title| events.iter().find(|event| event.title == *title).cloned());
        let found: Vec<Event> = wanted.collect::<Option<_>>()?;
        found.iter().all(|event| event.outcome == outcome).then_some(found)
    })
}

/// Waits for a wish to see the window, which stands in for the window here.
#[track_caller]
fn wish(window: &mut Updates) -> Option<u64> {
    whole_wish(window).event
}

#[track_caller]
fn whole_wish(window: &mut Updates) -> OpenWindow {
    let update =
        window.wait_for(PATIENCE, "a wish for the window", |update| matches!(update, Update::OpenWindow(_)));
    let Update::OpenWindow(wish) = update else { unreachable!("that is what was waited for") };
    wish
}

#[track_caller]
fn until_read(resident: &Resident, seq: u64) {
    until(PATIENCE, "the event to be read", || resident.get::<Event>(&format!("/events/{seq}")).read);
}
