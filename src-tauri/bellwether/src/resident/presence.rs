//! The program's presence on the desktop: popups and tray, and what a click on them means.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bellwether_control::{
    messages::Catalogue,
    wire::{OpenWindow, PartName},
};
use bellwether_engine::{
    engine::{self, Notifier, Report},
    event_log::ReadMark,
    notification::Urgency,
};
use tokio::sync::{mpsc, watch};

use super::{Resident, Texts, open_link, say};
use crate::{
    desktop::Desktop,
    popup::{self, PopupReport, PopupSender},
};

/// How many popups may wait for the notification server; the engine hands over a few at a time.
const QUEUE: usize = 16;

/// What a popup that tells of no event reports itself as: the log counts from 1.
const NO_EVENT: u64 = 0;

/// The engine's way to the notification server.
#[derive(Clone)]
pub(crate) struct Popups {
    sender: PopupSender,
    texts: watch::Receiver<Texts>,
    /// The events of popups that tell of more than the one that they are known by.
    groups: Arc<Mutex<HashMap<u64, Vec<u64>>>>,
}

impl Popups {
    /// A popup that shows that popups work.
    pub(crate) fn show_test(&self, catalogue: &Catalogue) {
        self.send(popup::Popup {
            event: NO_EVENT,
            feed: String::new(),
            summary: catalogue.text("popup.test_title").to_owned(),
            body: catalogue.text("popup.test_body").to_owned(),
            urgency: Urgency::Normal,
            url: None,
            key: None,
        });
    }

    fn send(&self, popup: popup::Popup) {
        // The queue is longer than what the engine hands over at a time; a person's tests may fill it, and lose one.
        let _ = self.sender.try_send(popup);
    }

    fn take_group(&self, event: u64) -> Vec<u64> {
        let group = self.groups.lock().unwrap_or_else(PoisonError::into_inner).remove(&event);
        group.unwrap_or_else(|| if event == NO_EVENT { Vec::new() } else { vec![event] })
    }
}

impl Notifier for Popups {
    fn show(&mut self, popup: engine::Popup) {
        let engine::Popup { events, feed, feed_name, notification } = popup;
        // The newest event stands for all of them: a click opens the window there.
        let event = events.last().copied().unwrap_or(NO_EVENT);
        let texts = self.texts.borrow().clone();
        let content = if events.len() > 1 {
            let count = texts.catalogue.count("popup.backlog", events.len() as u64);
            let body = format!("{count}\n{}", notification.title);
            self.groups.lock().unwrap_or_else(PoisonError::into_inner).insert(event, events);
            popup::Popup {
                event,
                feed: feed.to_string(),
                summary: feed_name,
                body,
                urgency: notification.urgency,
                url: None,
                key: None,
            }
        } else {
            popup::Popup {
                event,
                feed: feed.to_string(),
                summary: notification.title,
                body: notification.body,
                urgency: notification.urgency,
                url: notification.url,
                key: notification.key,
            }
        };
        self.send(content);
    }
}
