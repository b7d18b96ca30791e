//! The program's presence on the desktop: everything that listens to it or tells it something, and the tray.

use std::{sync::Arc, time::Duration};

use bellwether_control::{
    messages::Catalogue,
    wire::{OpenWindow, PartName},
};
use bellwether_engine::{
    engine::Attention,
    event_log::{Query, ReadMark, Record},
    feed::State,
    notification::Notification,
};
use jiff::Zoned;
use tokio::{
    sync::{
        broadcast::error::{RecvError, TryRecvError},
        mpsc, watch,
    },
    time::sleep,
};

use super::{Resident, Start, alerts, attention, popups, reading, say};
use crate::{
    cli::time,
    desktop::Desktop,
    tray::{self, FeedTotals, RecentEvent, TrayReport, TrayState, TrayView},
};

/// How often the tray's view is made anew at the most.
const VIEW_PAUSE: Duration = Duration::from_millis(200);

/// Starts everything that listens to the desktop or tells it something, until the engine ends.
pub(crate) fn start(resident: &Resident, desktop: &Desktop, start: &Start, popups: popups::Ends) {
    tokio::spawn(popups::hear(resident.clone(), popups.reports));
    tokio::spawn(popups::fetch_images(resident.clone(), popups.images));
    tokio::spawn(attention::watch(resident.clone()));
    tokio::spawn(alerts::watch(resident.clone(), resident.woke_up.subscribe()));
    let view = watch_view(resident);
    let tray_reports = start_tray(view, resident, desktop, start);
    tokio::spawn(hear_tray(resident.clone(), tray_reports));
    #[cfg(target_os = "linux")]
    tokio::spawn(hear_bus(resident.parts.clone(), desktop.bus()));
}

#[cfg(target_os = "linux")]
fn start_tray(
    view: watch::Receiver<TrayView>,
    resident: &Resident,
    desktop: &Desktop,
    _start: &Start,
) -> mpsc::Receiver<TrayReport> {
    tray::start(view, Arc::clone(&resident.catalogue), desktop)
}

#[cfg(not(target_os = "linux"))]
fn start_tray(
    view: watch::Receiver<TrayView>,
    resident: &Resident,
    _desktop: &Desktop,
    start: &Start,
) -> mpsc::Receiver<TrayReport> {
    let (reports, received) = mpsc::channel(tray::REPORTS);
    let catalogue = Arc::clone(&resident.catalogue);
    let runtime = tokio::runtime::Handle::current();
    // The main thread waits for this as long as the program runs.
    let _ = start.main_thread.send(tray::MainThread { view, catalogue, reports, runtime });
    received
}

/// Opens the window, at an event if there is one, which counts as read then.
async fn open_window(resident: &Resident, event: Option<u64>) {
    let wish = OpenWindow { event, ..OpenWindow::default() };
    if let Err(problem) = resident.window.open(wish).await {
        say(&problem.to_string());
    }
    if let Some(event) = event {
        let _ = resident.engine.mark_read(ReadMark::Events(vec![event]), true).await;
    }
}

async fn hear_tray(resident: Resident, mut reports: mpsc::Receiver<TrayReport>) {
    let mut told = false;
    while let Some(report) = reports.recv().await {
        match report {
            TrayReport::Open { event } => open_window(&resident, event).await,
            TrayReport::Reconnect => {
                let _ = resident.engine.reconnect(None).await;
            }
            TrayReport::Snooze(until) => {
                if let Err(refusal) = resident.snooze(None, Some(until)).await {
                    say(&refusal.0.message);
                }
            }
            TrayReport::Quit => drop(resident.quit.send_replace(true)),
            TrayReport::Available(available, detail) => {
                if !available && !std::mem::replace(&mut told, true) {
                    say(&resident.catalogue.format("resident.no_tray", &[("cause", &detail)]));
                }
                resident.parts.set(PartName::Tray, if available { Ok(detail) } else { Err(detail) });
            }
        }
    }
}

#[cfg(target_os = "linux")]
async fn hear_bus(parts: super::parts::Parts, mut bus: watch::Receiver<crate::desktop::Bus>) {
    loop {
        let found = match &*bus.borrow_and_update() {
            crate::desktop::Bus::Connected(_) => {
                Some(Ok(std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default()))
            }
            crate::desktop::Bus::Missing(cause) => Some(Err(cause.clone())),
            crate::desktop::Bus::Connecting => None,
        };
        if let Some(found) = found {
            parts.set(PartName::SessionBus, found);
        }
        if bus.changed().await.is_err() {
            return;
        }
    }
}

/// Keeps the tray's view up to date.
fn watch_view(resident: &Resident) -> watch::Receiver<TrayView> {
    let (sender, receiver) = watch::channel(TrayView::default());
    let resident = resident.clone();
    tokio::spawn(async move {
        let mut updates = resident.engine.updates();
        let mut language = resident.language.subscribe();
        loop {
            let Some(view) = view(&resident).await else { return };
            sender.send_if_modified(|shown| {
                let changed = *shown != view;
                *shown = view;
                changed
            });
            tokio::select! {
                update = updates.recv() => if let Err(RecvError::Closed) = update { return },
                _ = language.changed() => {}
            }
            // A burst is looked at once: what has come until then is in the next view anyway.
            sleep(VIEW_PAUSE).await;
            while !matches!(updates.try_recv(), Err(TryRecvError::Empty | TryRecvError::Closed)) {}
        }
    });
    receiver
}

async fn view(resident: &Resident) -> Option<TrayView> {
    let feeds = resident.engine.feeds().await.ok()?;
    let config_broken = resident.engine.config_error().await.ok()?.is_some();
    let log_broken = resident.engine.log_error().await.ok()?.is_some();
    let log = resident.engine.log().clone();
    let query = Query { limit: tray::RECENT as u32, preview: Some(0), ..Query::default() };
    let newest = reading::read(move || log.page(&query)).await.ok()?;
    let count =
        |wanted: &[State]| feeds.iter().filter(|view| wanted.contains(&view.connection.state)).count();
    let totals = FeedTotals {
        all: feeds.len(),
        paused: count(&[State::Paused]),
        connected: count(&[State::Connected]),
        attention: count(&[State::NeedsAttention, State::Stopped]),
    };
    let attention = resident.engine.attention().await.ok()?;
    let calm = calm(attention, &Zoned::now(), &resident.catalogue);
    let state = if config_broken || log_broken {
        TrayState::Attention
    } else if calm.is_some() {
        TrayState::Snoozed
    } else if totals.attention > 0 {
        TrayState::Attention
    } else if totals.connected == 0 && totals.all > totals.paused {
        TrayState::Offline
    } else {
        TrayState::Fine
    };
    let recent = newest.map(|page| page.records).unwrap_or_default();
    Some(TrayView {
        state,
        unread: feeds.iter().map(|view| view.counts.unread).sum(),
        // What concerns all feeds comes before what concerns some.
        status_line: match (log_broken, config_broken) {
            (true, _) => resident.catalogue.text("tray.status_log").to_owned(),
            (false, true) => resident.catalogue.text("tray.status_config").to_owned(),
            (false, false) => tray::status_line(calm, totals, &resident.catalogue),
        },
        snoozed: attention.snoozed_until.is_some(),
        recent: recent
            .into_iter()
            .map(|record| {
                let feed = feeds.iter().find(|view| view.feed.id == record.feed);
                RecentEvent {
                    event: record.seq,
                    label: label(record, feed.map(|view| view.feed.name.as_str())),
                }
            })
            .collect(),
    })
}

/// Until when popups are held back, and by what: a person's wish, or the quiet hours. `None`: they are not.
fn calm(attention: Attention, now: &Zoned, catalogue: &Catalogue) -> Option<String> {
    let (key, until) = match attention {
        Attention { snoozed_until: Some(until), .. } => ("attention.snoozed", until),
        Attention { quiet_until: Some(until), .. } => ("attention.quiet", until),
        _ => return None,
    };
    Some(catalogue.format(key, &[("time", &time::clock(&until.to_string(), now, catalogue))]))
}

/// What tells an event from others in the tray's menu: its title, and its text too where the title only names the feed.
fn label(record: Record, feed_name: Option<&str>) -> String {
    let Notification { title, body, .. } = record.notification;
    let names_the_feed = feed_name
        .and_then(|name| title.strip_prefix(name))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(" · "));
    if names_the_feed && !body.is_empty() { format!("{title}: {body}") } else { title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_popups_back_is_said_with_its_end() {
        let now: Zoned = "2026-11-20T22:00:00+00:00[UTC]".parse().unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        let (evening, morning) = ("2026-11-20T22:15:00Z", "2026-11-21T07:00:00Z");
        for (snoozed_until, quiet_until, expected) in [
            (None, None, None),
            (at(evening), None, Some("Snoozed until 22:15")),
            (None, at(morning), Some("Quiet hours until 07:00 tomorrow")),
            (at(evening), at(morning), Some("Snoozed until 22:15")),
        ] {
            let attention = Attention { snoozed_until, quiet_until, held: 0 };
            assert_eq!(calm(attention, &now, &Catalogue::new("en")).as_deref(), expected);
        }
    }
}
