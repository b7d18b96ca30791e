//! A notification server and a tray host that only note when they are called.

use std::{
    collections::HashMap,
    ffi::OsStr,
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use anyhow::{Context, Result};
use bellwether_tests::Desktop;
use tokio::runtime::Runtime;
use zbus::{Connection, connection::Builder, interface, zvariant::OwnedValue};

/// A bus with both on it.
pub(crate) struct Bus {
    /// The bus itself, nothing else.
    pub(crate) desktop: Desktop,
    /// The summary of each popup, when it was asked for.
    pub(crate) popups: Receiver<(String, Instant)>,
    /// When each tray icon was registered.
    pub(crate) icons: Receiver<Instant>,
    _connection: Connection,
    _runtime: Runtime,
}

impl Bus {
    pub(crate) fn start() -> Result<Self> {
        let desktop = Desktop::with(&["--no-display"]);
        let address = desktop.environment().get(OsStr::new("DBUS_SESSION_BUS_ADDRESS"));
        let address = address.and_then(|address| address.to_str()).context("the desktop has no bus")?;
        let (notified, popups) = channel();
        let (registered, icons) = channel();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let connection = runtime.block_on(async {
            Builder::address(address)?
                .serve_at("/org/freedesktop/Notifications", Notifications { notified, last_id: 0 })?
                .serve_at("/StatusNotifierWatcher", Watcher { registered })?
                .name("org.freedesktop.Notifications")?
                .name("org.kde.StatusNotifierWatcher")?
                .build()
                .await
        })?;
        Ok(Self { desktop, popups, icons, _connection: connection, _runtime: runtime })
    }
}

struct Notifications {
    notified: Sender<(String, Instant)>,
    last_id: u32,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "so it is specified")]
    fn notify(
        &mut self,
        _app_name: &str,
        _replaces_id: u32,
        _app_icon: &str,
        summary: &str,
        _body: &str,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let _ = self.notified.send((summary.to_owned(), Instant::now()));
        self.last_id += 1;
        self.last_id
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        let [name, vendor, version, specification] = ["bench", "bench", "1", "1.3"].map(str::to_owned);
        (name, vendor, version, specification)
    }
}

struct Watcher {
    registered: Sender<Instant>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, _service: &str) {
        let _ = self.registered.send(Instant::now());
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}
