//! What became of popups, and what a click on one means.

use std::time::Duration;

use bellwether_control::wire::{OpenWindow, PartName};
use bellwether_engine::{engine::Report, event_log::ReadMark, feed::FeedId};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    super::{Resident, open_link, say},
    Telling,
};
use crate::popup::{Click, PopupReport};

/// How long a click on "Mute 1 h" mutes.
const MUTE: Duration = Duration::from_secs(60 * 60);

/// Hears what becomes of popups, until the program ends.
pub(in crate::resident) async fn hear(resident: Resident, mut reports: mpsc::Receiver<PopupReport>) {
    // What keeps popups away is said once, not at each new attempt.
    let mut said = String::new();
    while let Some(report) = reports.recv().await {
        match report {
            PopupReport::Shown { popup } => {
                said.clear();
                let events = resident.popups.told().popups.get_mut(&popup).map(|telling| {
                    telling.shown = true;
                    telling.events.clone()
                });
                resident.engine.report(Report::Shown { events: events.unwrap_or_default() }).await;
                resident.popups.show_refused();
            }
            PopupReport::Failed { popup, reason } => {
                if said != reason && !reason.is_empty() {
                    say(&reason);
                    said = reason;
                }
                let events = resident.popups.refused(popup);
                resident.engine.report(Report::Failed { events }).await;
            }
            PopupReport::Activated { popup, click } => clicked(&resident, popup, click).await,
            PopupReport::Closed { popup } => closed(&resident, popup).await,
            PopupReport::Available(available, detail) => {
                resident.parts.set(PartName::Notifications, if available { Ok(detail) } else { Err(detail) });
                resident.engine.report(Report::Available(available)).await;
                if available {
                    resident.popups.show_refused();
                }
            }
        }
    }
}

/// A click: a link if it was one on a link, else the window, or what else the button says.
async fn clicked(resident: &Resident, popup: u64, click: Click) {
    let (url, links, feed, events, summary) = {
        let told = resident.popups.told();
        let Some(telling) = told.popups.get(&popup) else { return };
        let Telling { url, links, feed, events, summary, .. } = telling;
        (url.clone(), links.clone(), feed.clone(), events.clone(), *summary)
    };
    let link = match click {
        Click::Popup => url,
        Click::Link(at) => links.into_iter().nth(at),
        Click::Open | Click::Mute | Click::Read => None,
    };
    let done = match (click, link) {
        (_, Some(url)) => open_link(&url),
        (Click::Popup | Click::Open, None) => {
            let event = events.last().copied().filter(|_| summary.is_none());
            let wish = OpenWindow { event, summary };
            resident.window.open(wish).await.map_err(|error| error.to_string())
        }
        (Click::Mute, None) => mute(resident, feed).await,
        (Click::Read | Click::Link(_), None) => Ok(()),
    };
    if let Err(problem) = done {
        say(&problem);
    }
    let which = summary.map_or(ReadMark::Events(events), ReadMark::Summary);
    if !matches!(&which, ReadMark::Events(events) if events.is_empty()) {
        let _ = resident.engine.mark_read(which, true).await;
    }
}

async fn mute(resident: &Resident, feed: Option<FeedId>) -> Result<(), String> {
    let until = Timestamp::now().checked_add(MUTE).ok();
    match feed {
        Some(feed) => resident.engine.snooze(Some(feed), until).await.map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// A popup is gone.
async fn closed(resident: &Resident, popup: u64) {
    let gone = {
        let mut told = resident.popups.told();
        let summary = told.popups.remove(&popup).and_then(|telling| telling.summary);
        // Another one may have taken its place.
        summary.filter(|_| told.popups.values().all(|telling| telling.summary != summary))
    };
    if let Some(summary) = gone {
        resident.engine.report(Report::Gone { summary }).await;
    }
}
