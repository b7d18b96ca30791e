//! The parts of the desktop that the program works with, and which of them are there now.

use std::collections::BTreeMap;

use bellwether_control::wire::{Part, PartName};
use tokio::sync::watch;

use super::window;
use crate::desktop;

/// Which parts are there. Clones share the same knowledge.
#[derive(Clone)]
pub(crate) struct Parts {
    known: watch::Sender<BTreeMap<u8, Part>>,
}

impl Parts {
    pub(crate) fn new() -> Self {
        Self { known: watch::Sender::new(BTreeMap::new()) }
    }

    /// Looks anew for what tells nobody when it comes or goes.
    pub(crate) async fn look(&self) {
        let display = desktop::display().await;
        self.set(PartName::Display, display.map_err(|missing| missing.to_string()));
        let window =
            window::program().map(|path| path.display().to_string()).map_err(|error| error.to_string());
        self.set(PartName::Window, window);
    }

    /// Notes that a part is there and what it is, or what is missing.
    pub(crate) fn set(&self, name: PartName, found: Result<String, String>) {
        let available = found.is_ok();
        let part = Part { name, available, detail: found.unwrap_or_else(|missing| missing) };
        self.known.send_if_modified(|known| {
            let changed = known.get(&order(name)) != Some(&part);
            known.insert(order(name), part);
            changed
        });
    }

    pub(crate) fn is_available(&self, name: PartName) -> bool {
        self.known.borrow().get(&order(name)).is_some_and(|part| part.available)
    }

    pub(crate) fn detail(&self, name: PartName) -> String {
        self.known.borrow().get(&order(name)).map(|part| part.detail.clone()).unwrap_or_default()
    }

    pub(crate) fn all(&self) -> Vec<Part> {
        self.known.borrow().values().cloned().collect()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<BTreeMap<u8, Part>> {
        self.known.subscribe()
    }
}

/// The order in which the parts are listed.
fn order(name: PartName) -> u8 {
    match name {
        PartName::Display => 0,
        PartName::SessionBus => 1,
        PartName::Notifications => 2,
        PartName::Tray => 3,
        PartName::Window => 4,
    }
}
