//! Takes pictures of what a person sees, light and dark, in English and Chinese, into the folder that is named.
//!
//! Run by `cargo xtask screenshots`.

mod server;
mod story;

use std::path::{Path, PathBuf};

use bellwether_control::wire::{Event, Outcome};
use bellwether_tests::{Desktop, Need, Notifications, PATIENCE, Resident, until, until_some};
use serde_json::{Value, json};

use crate::server::StoryServer;
use crate::story::{Story, Telling};

/// Room for the window, and beside it popups and the tray's menu.
const SCREEN: (u32, u32) = (1440, 860);

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/screenshots".into()));
    if let Some(missing) = Need::Desktop.missing() {
        println!("skipped: {missing}");
        return;
    }
    for (story, locale) in [(story::ENGLISH, "en_US.UTF-8"), (story::CHINESE, "zh_CN.UTF-8")] {
        for (theme, gtk_theme) in [("light", "Adwaita"), ("dark", "Adwaita:dark")] {
            let environment = [("LANGUAGE", story.language), ("LANG", locale), ("GTK_THEME", gtk_theme)];
            take(&folder.join(format!("desktop-{}-{theme}.png", story.language)), &story, &environment);
        }
    }
}

/// A desktop on which the story's last events have just come: popups, the tray's menu, and the window at the newest event.
fn take(picture: &Path, story: &Story, environment: &[(&str, &str)]) {
    let (width, height) = SCREEN;
    let desktop = Desktop::with(&["--wallpaper", "--size", &format!("{width}x{height}")]);
    let server = StoryServer::start();
    let mut resident = Resident::prepare();
    resident.in_desktop(&desktop).config(&story.config(&server.address()));
    for (variable, value) in environment {
        resident.env(variable, value);
    }
    resident.start();
    tell(story.past, &server, &resident);
    age(&desktop, &mut resident, story.past);
    server.forget();
    resident.start();

    let popups = Notifications::watch(&desktop);
    let newest = tell(story.now, &server, &resident);
    until(PATIENCE, "the popup", || popups.popups().iter().any(|popup| popup.summary == newest.title));
    open_window(&desktop, &resident, &newest);
    until(PATIENCE, "the window's contents", || {
        resident.get::<Event>(&format!("/events/{}", newest.seq)).read
    });
    shot_of_stillness(&desktop, picture);
    open_tray_menu(&desktop);
    until(PATIENCE, "the tray's menu", || !is_still(&desktop, picture));
    shot_of_stillness(&desktop, picture);
    println!("{}", picture.display());
}

/// Lets events arrive one after the other; returns the last one as logged.
fn tell(events: &[Telling], server: &StoryServer, resident: &Resident) -> Event {
    let mut newest = None;
    for event in events {
        let before = newest_event(resident).map_or(0, |event| event.seq);
        server.tell(before + 1, event);
        newest = Some(until_some(PATIENCE, "the event in the log", || {
            newest_event(resident).filter(|event| event.seq > before && event.outcome != Outcome::Pending)
        }));
    }
    newest.expect("a story has events")
}

fn newest_event(resident: &Resident) -> Option<Event> {
    resident.events("limit=1").events.pop()
}

/// Ends the resident program, and moves what its log holds to where it belongs in the past, read.
fn age(desktop: &Desktop, resident: &mut Resident, past: &[Telling]) {
    resident.call::<Value>("POST", "/events/read", &json!({ "read": true }));
    resident.quit();
    desktop.run("dunstctl", &["close-all"]);
    let minutes: Vec<u32> = past.iter().map(|event| event.minutes_ago).collect();
    desktop
        .run("python3", &["-c", AGE, &resident.event_log().to_string_lossy(), &json!(minutes).to_string()]);
}

/// Gives the events of a log that nobody has open their ages in minutes, the oldest first.
const AGE: &str = "
import json, sqlite3, sys, time
log = sqlite3.connect(sys.argv[1])
events = log.execute('SELECT seq FROM event ORDER BY seq').fetchall()
for (seq,), minutes in zip(events, json.loads(sys.argv[2]), strict=True):
    at = int((time.time() - 60 * minutes) * 1000)
    log.execute('UPDATE event SET received_at = ?, clock = ? WHERE seq = ?', (at, at, seq))
log.execute('UPDATE feed SET last_event_at = (SELECT max(received_at) FROM event WHERE feed = feed.key)')
log.commit()
";

/// Opens the window at an event, to the left of the popups.
fn open_window(desktop: &Desktop, resident: &Resident, event: &Event) {
    resident.call::<Value>("POST", "/window", &json!({ "event": event.seq }));
    until(PATIENCE, "the window", || desktop.windows().iter().any(|title| title == "Bellwether"));
    let window = ["search", "--onlyvisible", "--name", "^Bellwether$"];
    desktop.run("xdotool", &[&window[..], &["windowsize", "1010", "740"]].concat());
    desktop.run("xdotool", &[&window[..], &["windowmove", "28", "44"]].concat());
}

/// Opens the menu of the tray's icon, the rightmost in the panel, and leaves the icon before its tooltip comes.
fn open_tray_menu(desktop: &Desktop) {
    let (width, height) = SCREEN;
    let (x, y, away) = ((width - 16).to_string(), (height - 16).to_string(), (height / 2).to_string());
    desktop.run("xdotool", &["mousemove", &x, &y, "click", "3", "mousemove", &x, &away]);
}

/// A picture of the screen that a second one right after it equals.
fn shot_of_stillness(desktop: &Desktop, picture: &Path) {
    until(PATIENCE, "a still picture", || {
        desktop.shot(picture);
        is_still(desktop, picture)
    });
}

/// Whether the screen looks as in the picture.
fn is_still(desktop: &Desktop, picture: &Path) -> bool {
    let now = desktop.folder().join("now.png");
    desktop.shot(&now);
    let (then, now) = (picture.to_string_lossy(), now.to_string_lossy());
    desktop.try_run("compare", &["-metric", "AE", &then, &now, "null:"]).is_ok()
}
