//! The parts of the desktop, looked for from here when no resident program can be asked.

use bellwether_control::{messages::Catalogue, wire};

use super::Check;
use crate::{desktop, resident};

/// The check of one part. None is essential: without all of them the log still fills.
pub(super) fn check(part: &wire::Part, catalogue: &Catalogue) -> Check {
    let name: &'static str = match part.name {
        wire::PartName::Display => "display",
        wire::PartName::SessionBus => "session_bus",
        wire::PartName::Notifications => "notifications",
        wire::PartName::Tray => "tray",
        wire::PartName::Window => "window",
    };
    if part.available {
        return Check::ok(name, part.detail.clone());
    }
    let mut detail = catalogue.format(
        "cli.doctor.part_missing",
        &[
            ("what", catalogue.text(&format!("part.{name}_missing"))),
            ("hint", catalogue.text(&format!("cli.doctor.hint.{name}"))),
        ],
    );
    if !part.detail.is_empty() {
        detail.push_str(&format!(" ({})", part.detail));
    }
    Check::missing(name, detail)
}

/// The parts as this shell's session has them.
pub(super) async fn parts() -> Vec<wire::Part> {
    let mut parts = vec![display().await];
    parts.extend(on_the_bus::parts().await);
    parts.push(window());
    parts
}

fn part(name: wire::PartName, found: Result<String, String>) -> wire::Part {
    let available = found.is_ok();
    wire::Part { name, available, detail: found.unwrap_or_else(|missing| missing) }
}

async fn display() -> wire::Part {
    let found = desktop::display().await;
    part(wire::PartName::Display, found.map_err(|missing| missing.to_string()))
}

fn window() -> wire::Part {
    let found = resident::window_program().map(|path| path.display().to_string());
    part(wire::PartName::Window, found.map_err(|missing| missing.to_string()))
}

#[cfg(target_os = "linux")]
mod on_the_bus {
    use std::time::Duration;

    use bellwether_control::wire::{Part, PartName};
    use tokio::time::timeout;
    use zbus::{Connection, fdo::DBusProxy};

    use super::part;

    /// For all that is asked of the bus together.
    const TIMEOUT: Duration = Duration::from_secs(5);
    const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
    const TRAY: &str = "org.kde.StatusNotifierWatcher";

    pub(super) async fn parts() -> Vec<Part> {
        let (bus, notifications, tray) = match timeout(TIMEOUT, look()).await {
            Ok(Ok((notifications, tray))) => (Ok(String::new()), notifications, tray),
            Ok(Err(error)) => (Err(error.to_string()), Err(String::new()), Err(String::new())),
            Err(_) => (
                Err(format!("no answer within {} s", TIMEOUT.as_secs())),
                Err(String::new()),
                Err(String::new()),
            ),
        };
        vec![
            part(PartName::SessionBus, bus),
            part(PartName::Notifications, notifications),
            part(PartName::Tray, tray),
        ]
    }

    type Found = Result<String, String>;

    async fn look() -> zbus::Result<(Found, Found)> {
        let connection = Connection::session().await?;
        let bus = DBusProxy::new(&connection).await?;
        let names = bus.list_names().await?;
        let on_demand = bus.list_activatable_names().await?;
        let notifications = if names.iter().chain(&on_demand).any(|name| name.as_str() == NOTIFICATIONS) {
            Ok(NOTIFICATIONS.to_owned())
        } else {
            Err(NOTIFICATIONS.to_owned())
        };
        let watched = names.iter().any(|name| name.as_str() == TRAY);
        let tray = if watched && has_host(&connection).await? { Ok(TRAY) } else { Err(TRAY) };
        Ok((notifications, tray.map(str::to_owned).map_err(str::to_owned)))
    }

    /// A watcher alone shows nothing.
    async fn has_host(connection: &Connection) -> zbus::Result<bool> {
        let watcher = zbus::Proxy::new(connection, TRAY, "/StatusNotifierWatcher", TRAY).await?;
        watcher.get_property("IsStatusNotifierHostRegistered").await
    }
}

#[cfg(not(target_os = "linux"))]
mod on_the_bus {
    use bellwether_control::wire::Part;

    /// Popups and tray belong to the system here, and are always there.
    pub(super) async fn parts() -> Vec<Part> {
        Vec::new()
    }
}
