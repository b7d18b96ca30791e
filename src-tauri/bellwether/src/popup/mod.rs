//! Popups: the desktop's own notifications, shown by notify-rust and watched for clicks.
//!
//! [`start`] runs a worker beside everything else; whoever has something to show hands it over without waiting and hears
//! in a [`PopupReport`] what became of it. A worker without a notification server says so, and says when one appears.

#[cfg(target_os = "linux")]
mod content;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod open;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
mod server;

use std::sync::Arc;

use bellwether_control::messages::Catalogue;
use bellwether_engine::notification::Urgency;
use tokio::sync::mpsc;

use crate::desktop::Desktop;
#[cfg(target_os = "linux")]
use linux::run;
#[cfg(not(target_os = "linux"))]
use other::run;

/// What one popup says. Plain text: the worker escapes it if the notification server reads markup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Popup {
    /// The event it is about, by its number in the event log: what the reports about this popup call it.
    pub event: u64,
    /// The feed's id: keys of different feeds never meet.
    pub feed: String,
    /// One line.
    pub summary: String,
    /// May be empty, may have several lines.
    pub body: String,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Comes back with the click.
    pub url: Option<String>,
    /// A popup of an equal feed and key that is still open is replaced.
    pub key: Option<String>,
}

/// What became of a popup, or of popups at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PopupReport {
    /// The notification server took it.
    Shown {
        /// The popup's event.
        event: u64,
    },
    /// It is not shown, and never will be: the server refused it, or has ended.
    Failed {
        /// The popup's event.
        event: u64,
        /// Why, in the user's language where the cause is ours to word.
        reason: String,
    },
    /// A click on the popup or on its "Open" button.
    Activated {
        /// The popup's event.
        event: u64,
        /// The popup's URL.
        url: Option<String>,
    },
    /// Gone from the screen without a click: dismissed, expired, replaced, or its notification server ended. Not every
    /// popup gets one: of very many open popups only the newest are watched.
    Closed {
        /// The popup's event.
        event: u64,
    },
    /// Whether popups can be shown at all, at the start and whenever it changes, with the server's name or what is missing.
    Available(bool, String),
}

/// Where to hand popups over. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct PopupSender(mpsc::Sender<Popup>);

impl PopupSender {
    /// Queues a popup without waiting.
    pub(crate) fn try_send(&self, popup: Popup) -> Result<(), QueueFull> {
        self.0.try_send(popup).map_err(|_| QueueFull)
    }

    /// How many popups still fit into the queue.
    pub(crate) fn places(&self) -> usize {
        self.0.capacity()
    }

    /// A queue that no worker empties.
    #[cfg(test)]
    pub(crate) fn queue(capacity: usize) -> (Self, mpsc::Receiver<Popup>) {
        let (popups, queue) = mpsc::channel(capacity);
        (Self(popups), queue)
    }
}

/// The popup was not queued: too many wait already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct QueueFull;

/// Starts the worker on the current tokio runtime. It shows the popups in the order in which they were handed over and ends
/// when every sender is gone. At most `queue_capacity` popups wait; while nobody takes the reports, nothing is shown.
pub(crate) fn start(
    queue_capacity: usize,
    catalogue: Arc<Catalogue>,
    desktop: &Desktop,
) -> (PopupSender, mpsc::Receiver<PopupReport>) {
    let (popups, queue) = mpsc::channel(queue_capacity);
    let (reports, received) = mpsc::channel(REPORTS);
    tokio::spawn(run(queue, reports, catalogue, desktop.clone()));
    (PopupSender(popups), received)
}

/// Reports that wait to be taken before the worker does.
const REPORTS: usize = 64;
