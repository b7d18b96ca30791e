//! Popups: the desktop's own notifications, shown and followed until they are closed.
//!
//! [`start`] runs a worker beside everything else; whoever has something to show hands it over without waiting and hears
//! in a [`PopupReport`] what became of it. A worker without a notification server says so, and says when one appears.

#[cfg(target_os = "linux")]
mod content;
mod images;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod open;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
mod server;

use std::{path::PathBuf, sync::Arc};

use bellwether_control::messages::Catalogue;
use bellwether_engine::notification::{Expire, Sound, Urgency};
use tokio::sync::mpsc;

use crate::desktop::Desktop;
pub(crate) use images::{Found, ImageCache};
#[cfg(target_os = "linux")]
use linux::run;
#[cfg(not(target_os = "linux"))]
use other::run;

/// What one popup says and offers. Plain text: the worker escapes it if the notification server reads markup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Popup {
    /// What the reports about this popup call it; never given twice.
    pub number: u64,
    /// A popup in an equal place that is still open is replaced.
    pub place: Option<Place>,
    /// One line.
    pub summary: String,
    /// May be empty, may have several lines.
    pub body: String,
    /// How urgent it is.
    pub urgency: Urgency,
    /// What it is about (Desktop Notifications 1.3, "Categories").
    pub category: &'static str,
    /// What it sounds like.
    pub sound: Sound,
    /// How long it stays.
    pub expire: Expire,
    /// A file with an image.
    pub image: Option<PathBuf>,
    /// What notification centres may group it by.
    pub group: Option<String>,
    /// What can be clicked on it.
    pub offers: Offers,
}

/// Where a popup stands. What is told of one thing takes the place of what was told of it before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// What a feed's events of this key are about; keys of different feeds never meet.
    Key { feed: String, key: String },
    /// A summary, by its number.
    Summary(u64),
    /// What the program itself has to say of a feed, of each kind one.
    Notice { feed: String, kind: &'static str },
}

/// What can be clicked on a popup, beside the popup itself, which can always be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Offers {
    /// A click on the popup itself opens a link, and not the window.
    pub opens_link: bool,
    /// The labels of its links.
    pub links: Vec<String>,
    /// Its feed can be muted for an hour.
    pub mute: bool,
    /// It can be marked as read.
    pub read: bool,
}

/// What was clicked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Click {
    /// The popup itself.
    Popup,
    /// One of [`Offers::links`], counted from 0.
    Link(usize),
    /// "Open": the window.
    Open,
    /// "Mute 1 h".
    Mute,
    /// "Mark read".
    Read,
}

/// What the worker is to do, in the order in which it is told.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Show this popup.
    Show(Box<Popup>),
    /// Take the popup of this number away, if it is there.
    Withdraw(u64),
}

/// What became of a popup, called by its number, or of popups at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PopupReport {
    /// The notification server took it.
    Shown { popup: u64 },
    /// It is not shown, and never will be: the server refused it, or has ended. Why, in the user's language where the cause is
    /// ours to word; empty if the server has too many of them for now.
    Failed { popup: u64, reason: String },
    /// A click. [`PopupReport::Closed`] follows.
    Activated { popup: u64, click: Click },
    /// Gone from the screen: clicked, dismissed, expired, withdrawn, replaced, or its notification server ended. Each popup that
    /// was shown gets one; of very many open ones the oldest get it before they are gone.
    Closed { popup: u64 },
    /// Whether popups can be shown at all, at the start and whenever it changes, with the server's name or what is missing.
    Available(bool, String),
}

/// Starts the worker on the current tokio runtime. It shows the popups in the order in which they were handed over and ends
/// when every sender is gone. At most `queue_capacity` wishes wait; while nobody takes the reports, nothing is shown.
pub(crate) fn start(
    queue_capacity: usize,
    catalogue: Arc<Catalogue>,
    desktop: &Desktop,
) -> (mpsc::Sender<Wish>, mpsc::Receiver<PopupReport>) {
    let (wishes, queue) = mpsc::channel(queue_capacity);
    let (reports, received) = mpsc::channel(REPORTS);
    tokio::spawn(run(queue, reports, catalogue, desktop.clone()));
    (wishes, received)
}

/// Reports that wait to be taken before the worker does.
const REPORTS: usize = 64;

/// How many popups are remembered as open.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "fewer can be watched elsewhere"))]
pub(crate) const REMEMBERED: usize = 256;
