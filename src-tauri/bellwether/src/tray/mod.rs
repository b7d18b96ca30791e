//! The tray icon: state, the last events, and a menu.
//!
//! What is to be seen is a value, [`TrayView`], and the menu is made of it by [`menu::menu`]; the platform's module draws
//! both and knows nothing else. A desktop without a tray host is told of in a [`TrayReport`], and so is a host that appears.

mod icon;
#[cfg(target_os = "linux")]
mod linux;
mod menu;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(crate) use linux::start;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{MainThread, run};

use bellwether_control::messages::Catalogue;

/// What the tray shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct TrayView {
    /// The icon's shape.
    pub(crate) state: TrayState,
    /// How many events are unread: a dot on the icon, the number in the tooltip.
    pub(crate) unread: u64,
    /// The menu's first line and the tooltip, see [`status_line`].
    pub(crate) status_line: String,
    /// A person wanted no popups for a while: that can be ended.
    pub(crate) snoozed: bool,
    /// The newest events, the newest first; [`RECENT`] of them are shown.
    pub(crate) recent: Vec<RecentEvent>,
}

/// How many events the menu lists.
pub(crate) const RECENT: usize = 5;

/// One state, one shape: colour alone does not reach everybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum TrayState {
    /// Every feed that should be connected is, or there is none.
    Fine,
    /// Some feed needs a person.
    Attention,
    /// No feed is connected.
    #[default]
    Offline,
    /// Popups are held back.
    Snoozed,
}

/// An event in the menu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RecentEvent {
    /// Its number in the event log.
    pub(crate) event: u64,
    /// Its title, as the feed has it: of any length, with any characters.
    pub(crate) label: String,
}

/// What a person did with the tray, or whether there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TrayReport {
    /// Open the window, at this event.
    Open {
        /// Its number in the event log.
        event: Option<u64>,
    },
    /// Reconnect every feed now.
    Reconnect,
    /// Show no popups until then, as [`bellwether_engine::snooze`] understands it.
    Snooze(&'static str),
    /// End the program.
    Quit,
    /// Whether the icon is shown by anyone, at the start and whenever it changes; why not.
    Available(bool, String),
}

/// Feeds by what the status line says of them; paused ones count in `all` only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct FeedTotals {
    /// Every declared feed.
    pub(crate) all: usize,
    /// Those that should not be connected.
    pub(crate) paused: usize,
    /// Those that are connected.
    pub(crate) connected: usize,
    /// Those that need a person.
    pub(crate) attention: usize,
}

/// The most important thing to say about the feeds, in a few words; `calm` says until when popups are held back, if they are.
pub(crate) fn status_line(calm: Option<String>, feeds: FeedTotals, catalogue: &Catalogue) -> String {
    let count = |key, number| catalogue.count(key, u64::try_from(number).unwrap_or(u64::MAX));
    let text = |key| catalogue.text(key).to_owned();
    match calm {
        Some(calm) => calm,
        None if feeds.attention > 0 => count("tray.status_attention", feeds.attention),
        None if feeds.all == 0 => text("tray.status_none"),
        None if feeds.all == feeds.paused => text("tray.status_paused"),
        None if feeds.connected > 0 => count("tray.status_fine", feeds.connected),
        None => text("tray.status_offline"),
    }
}

/// Reports that wait to be taken. A person makes a few; more than these are dropped.
pub(crate) const REPORTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_line_says_the_most_important_thing() {
        let english = Catalogue::new("en");
        let feeds = |all, paused, connected, attention| FeedTotals { all, paused, connected, attention };
        for (calm, feeds, expected) in [
            (None, feeds(0, 0, 0, 0), "No feeds yet"),
            (None, feeds(2, 2, 0, 0), "All feeds are paused"),
            (None, feeds(1, 0, 1, 0), "1 feed connected"),
            (None, feeds(3, 1, 2, 0), "2 feeds connected"),
            (None, feeds(3, 0, 2, 1), "1 feed needs attention"),
            (None, feeds(3, 0, 0, 0), "Not connected"),
            (Some("Snoozed until 17:30"), feeds(3, 0, 2, 1), "Snoozed until 17:30"),
        ] {
            assert_eq!(status_line(calm.map(str::to_owned), feeds, &english), expected);
        }
    }
}
