use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{Desktop, PATIENCE, Process, here, until_some};

/// Records what is said about notifications on a desktop's bus, whoever answers there. It must watch before a popup is raised.
pub struct Notifications {
    monitor: Process,
}

/// One call of `Notify` (Desktop Notifications 1.3) and the id that it got.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Popup {
    /// The id that the server gave.
    #[serde(default)]
    pub id: u32,
    /// The caller's name on the bus.
    pub sender: String,
    /// `app_name`
    pub app_name: String,
    /// `replaces_id`; 0: a new one.
    pub replaces_id: u32,
    /// `app_icon`
    pub app_icon: String,
    /// `summary`
    pub summary: String,
    /// `body`: markup
    pub body: String,
    /// `actions`: key, label, key, label …
    pub actions: Vec<String>,
    /// `hints`; long byte arrays as a text that says their length.
    pub hints: BTreeMap<String, Value>,
    /// `expire_timeout` in ms; −1: the server's choice.
    pub expire_timeout: i32,
}

impl Popup {
    /// The label of the action with this key.
    pub fn action(&self, key: &str) -> Option<&str> {
        self.actions.chunks_exact(2).find(|pair| pair[0] == key).map(|pair| pair[1].as_str())
    }

    /// Hint `urgency`: 0 low, 1 normal, 2 critical.
    pub fn urgency(&self) -> Option<u64> {
        self.hints.get("urgency")?.as_u64()
    }
}

/// A line of `tests/desktop/notifications` but for the first.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Asked(Popup),
    Notify(Popup),
    Error(Value),
    Close(u32),
    Closed { id: u32, reason: u32 },
    Action { id: u32, key: String },
}

impl Notifications {
    /// Begins to watch.
    #[track_caller]
    pub fn watch(desktop: &Desktop) -> Self {
        let mut monitor = desktop.spawn(here().join("desktop/notifications"), &[]);
        monitor.wait_for_line(PATIENCE, "a monitor on the bus", |line| line.contains("\"ready\""));
        Self { monitor }
    }

    /// Every popup so far that the server accepted.
    pub fn popups(&self) -> Vec<Popup> {
        self.collect(|line| if let Line::Notify(popup) = line { Some(popup) } else { None })
    }

    /// Every popup so far that a server was asked for, whatever it answered; without an id.
    pub fn asked(&self) -> Vec<Popup> {
        self.collect(|line| if let Line::Asked(popup) = line { Some(popup) } else { None })
    }

    /// What the server refused so far: the call, and `message`.
    pub fn errors(&self) -> Vec<Value> {
        self.collect(|line| if let Line::Error(error) = line { Some(error) } else { None })
    }

    /// The ids that a program asked to close.
    pub fn close_calls(&self) -> Vec<u32> {
        self.collect(|line| if let Line::Close(id) = line { Some(id) } else { None })
    }

    /// The ids of closed popups, each with its reason: 1 expired, 2 dismissed, 3 by a call, 4 undefined.
    pub fn closed(&self) -> Vec<(u32, u32)> {
        self.collect(|line| if let Line::Closed { id, reason } = line { Some((id, reason)) } else { None })
    }

    /// The actions that were invoked: id and key.
    pub fn actions(&self) -> Vec<(u32, String)> {
        self.collect(|line| if let Line::Action { id, key } = line { Some((id, key)) } else { None })
    }

    /// Waits for the first popup that `fits`, which may have been raised already.
    #[track_caller]
    pub fn wait_for(&self, fits: impl Fn(&Popup) -> bool) -> Popup {
        self.wait_within(PATIENCE, fits)
    }

    /// Like [`Notifications::wait_for`] with another patience.
    #[track_caller]
    pub fn wait_within(&self, deadline: Duration, fits: impl Fn(&Popup) -> bool) -> Popup {
        until_some(deadline, "a popup that fits", || self.popups().into_iter().find(&fits))
    }

    fn collect<T>(&self, pick: impl FnMut(Line) -> Option<T>) -> Vec<T> {
        let lines = self.monitor.lines();
        lines.iter().filter_map(|line| serde_json::from_str(line).ok()).filter_map(pick).collect()
    }
}
