//! The program's presence on the desktop: popups and tray, and what a click on them means.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bellwether_control::{
    messages::Catalogue,
    wire::{OpenWindow, PartName},
};
use bellwether_engine::{
    engine::{self, Notifier, Report},
    event_log::{Query, ReadMark, Record},
    feed::{Feed, FeedId, State},
    notification::{Notification, Urgency},
};
use tokio::{
    sync::{
        broadcast::error::{RecvError, TryRecvError},
        mpsc, watch,
    },
    time::sleep,
};

use super::{Resident, Start, attention, open_link, reading, say};
use crate::{
    desktop::Desktop,
    popup::{self, PopupReport, PopupSender, QueueFull},
    tray::{self, FeedTotals, RecentEvent, TrayReport, TrayState, TrayView},
};

/// How many popups may wait for the notification server; the engine hands over a few at a time.
const QUEUE: usize = 16;

/// The key of popups that tell of several events; no rule can write it, for texts of rules have no control characters.
const BACKLOG_KEY: &str = "\0backlog";

/// The key of popups that tell of a feed that needs its person.
const ATTENTION_KEY: &str = "\0attention";

/// How many popups that tell of several events are remembered with all of them; more are not watched for clicks either.
const GROUPS: usize = 32;

/// Places in that queue that popups without an event leave free: more than the engine ever needs at a time, for it waits for a report
/// of each of its popups.
const RESERVED: usize = 8;

/// How often the tray's view is made anew at the most.
const VIEW_PAUSE: Duration = Duration::from_millis(200);

/// What a popup that tells of no event reports itself as: the log counts from 1.
const NO_EVENT: u64 = 0;

/// The engine's way to the notification server.
#[derive(Clone)]
pub(crate) struct Popups {
    sender: PopupSender,
    catalogue: Arc<Catalogue>,
    /// The events of popups that tell of more than the one that they are known by.
    groups: Arc<Mutex<BTreeMap<u64, Vec<u64>>>>,
}

impl Popups {
    /// A popup that shows that popups work.
    pub(crate) fn show_test(&self) -> Result<(), QueueFull> {
        self.send(popup::Popup {
            event: NO_EVENT,
            feed: String::new(),
            summary: self.catalogue.text("popup.test_title").to_owned(),
            body: self.catalogue.text("popup.test_body").to_owned(),
            urgency: Urgency::Normal,
            url: None,
            key: None,
        })
    }

    /// A popup that tells what keeps a feed from connecting, in place of what the last one told of it.
    pub(super) fn show_attention(&self, feed: &Feed, body: String) -> Result<(), QueueFull> {
        self.send(popup::Popup {
            event: NO_EVENT,
            feed: feed.id.to_string(),
            summary: feed.name.clone(),
            body,
            urgency: Urgency::Normal,
            url: None,
            key: Some(ATTENTION_KEY.to_owned()),
        })
    }

    fn send(&self, popup: popup::Popup) -> Result<(), QueueFull> {
        if popup.event == NO_EVENT && self.sender.places() <= RESERVED {
            return Err(QueueFull);
        }
        self.sender.try_send(popup)
    }

    /// The events of a popup.
    fn group(&self, event: u64) -> Vec<u64> {
        let group = self.groups().get(&event).cloned();
        group.unwrap_or_else(|| if event == NO_EVENT { Vec::new() } else { vec![event] })
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<u64>>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifier for Popups {
    fn show(&mut self, popup: engine::Popup) {
        let engine::Popup { events, feed, feed_name, notification, .. } = popup;
        let feed = feed.map(|feed| feed.to_string()).unwrap_or_default();
        // The newest event stands for all of them: a click opens the window there.
        let event = events.last().copied().unwrap_or(NO_EVENT);
        let content = if events.len() > 1 {
            let count = self.catalogue.count("popup.backlog", events.len() as u64);
            let body = format!("{count}\n{}", notification.title);
            let mut groups = self.groups();
            groups.insert(event, events);
            if groups.len() > GROUPS {
                groups.pop_first();
            }
            drop(groups);
            popup::Popup {
                event,
                feed: feed.clone(),
                summary: feed_name,
                body,
                urgency: notification.urgency,
                url: None,
                // The next one of this feed takes its place.
                key: Some(BACKLOG_KEY.to_owned()),
            }
        } else {
            popup::Popup {
                event,
                feed,
                summary: notification.title,
                body: notification.body,
                urgency: notification.urgency,
                url: notification.url,
                key: notification.key,
            }
        };
        // Full only for samples, of which the next one may fit again.
        let _ = self.send(content);
    }

    fn withdraw(&mut self, _: &FeedId, _: &str) {}
}

/// Starts popups: the engine's end of them, and what becomes of each.
pub(crate) fn popups(catalogue: &Arc<Catalogue>, desktop: &Desktop) -> (Popups, mpsc::Receiver<PopupReport>) {
    let (sender, reports) = popup::start(QUEUE, Arc::clone(catalogue), desktop);
    (Popups { sender, catalogue: Arc::clone(catalogue), groups: Arc::default() }, reports)
}

/// Starts everything that listens to the desktop or tells it something, until the engine ends.
pub(crate) fn start(
    resident: &Resident,
    desktop: &Desktop,
    start: &Start,
    popup_reports: mpsc::Receiver<PopupReport>,
) {
    tokio::spawn(hear_popups(resident.clone(), popup_reports));
    tokio::spawn(attention::watch(resident.clone()));
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

async fn hear_popups(resident: Resident, mut reports: mpsc::Receiver<PopupReport>) {
    // What keeps popups away is said once, not at each new attempt.
    let mut said = String::new();
    while let Some(report) = reports.recv().await {
        match report {
            PopupReport::Shown { event } => {
                said.clear();
                let events = resident.popups.group(event);
                resident.engine.report(Report::Shown { events }).await;
            }
            PopupReport::Failed { event, reason } => {
                if said != reason {
                    say(&reason);
                    said = reason;
                }
                let events = resident.popups.group(event);
                resident.popups.groups().remove(&event);
                resident.engine.report(Report::Failed { events }).await;
            }
            PopupReport::Activated { event, url } => follow(&resident, event, url).await,
            PopupReport::Closed { event } => drop(resident.popups.groups().remove(&event)),
            PopupReport::Available(available, detail) => {
                resident.parts.set(PartName::Notifications, if available { Ok(detail) } else { Err(detail) });
                resident.engine.report(Report::Available(available)).await;
            }
        }
    }
}

/// A click on a popup: the event's link if it has one, else the window at the event.
async fn follow(resident: &Resident, event: u64, url: Option<String>) {
    let opened = match url {
        Some(url) => open_link(&url),
        None => {
            let wish = OpenWindow { event: (event != NO_EVENT).then_some(event), ..OpenWindow::default() };
            resident.window.open(wish).await.map_err(|error| error.to_string())
        }
    };
    if let Err(problem) = opened {
        say(&problem);
    }
    let told = resident.popups.group(event);
    resident.popups.groups().remove(&event);
    if !told.is_empty() {
        let _ = resident.engine.mark_read(ReadMark::Events(told), true).await;
    }
}

async fn hear_tray(resident: Resident, mut reports: mpsc::Receiver<TrayReport>) {
    let mut told = false;
    while let Some(report) = reports.recv().await {
        match report {
            TrayReport::Open { event } => follow(&resident, event.unwrap_or(NO_EVENT), None).await,
            TrayReport::Reconnect => {
                let _ = resident.engine.reconnect(None).await;
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
    let state = if totals.attention > 0 || config_broken || log_broken {
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
            (false, false) => tray::status_line(state, totals, &resident.catalogue),
        },
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
    use bellwether_engine::feed::FeedId;

    use super::*;

    #[tokio::test]
    async fn tests_leave_room_for_the_engine() {
        let (sender, _queue) = PopupSender::queue(QUEUE);
        let mut popups = Popups { sender, catalogue: Arc::new(Catalogue::new("en")), groups: Arc::default() };
        let shown = (0..100).filter(|_| popups.show_test().is_ok()).count();
        assert_eq!(shown, QUEUE - RESERVED);
        for event in 1..=RESERVED as u64 {
            popups.show(engine::Popup {
                events: vec![event],
                feed: FeedId::new("a"),
                feed_name: "a".to_owned(),
                notification: Notification::default(),
                images: false,
                sound: true,
                summary: None,
            });
        }
        assert_eq!(popups.sender.places(), 0, "none of them was dropped");
    }
}
