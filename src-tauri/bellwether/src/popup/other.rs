//! Popups on macOS and Windows, where notify-rust's own calls block until the click.

use std::{sync::Arc, thread};

use bellwether_control::messages::Catalogue;
use notify_rust::{Notification, NotificationHandle, NotificationResponse};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
};

use super::{Popup, PopupReport};
use crate::desktop::Desktop;

/// Of how many open popups a click is noticed. Each costs a thread.
const WATCHED: usize = 8;

/// The AppUserModelID that the installer registers. Without one, Windows shows toasts as PowerShell's.
#[cfg(windows)]
const APP_ID: &str = "Bellwether.Bellwether";

/// Shows what comes through `popups` until every sender is gone.
pub(super) async fn run(
    mut popups: mpsc::Receiver<Popup>,
    reports: mpsc::Sender<PopupReport>,
    catalogue: Arc<Catalogue>,
    _desktop: Desktop,
) {
    let _ = reports.send(PopupReport::Available(true, std::env::consts::OS.to_owned())).await;
    let watched = Arc::new(Semaphore::new(WATCHED));
    while let Some(popup) = popups.recv().await {
        let (event, url) = (popup.event, popup.url.clone());
        let notification = notification(&popup, &catalogue);
        let report = match spawn_blocking(move || notification.show()).await {
            Ok(Ok(handle)) => {
                if let Ok(permit) = watched.clone().try_acquire_owned() {
                    let reports = reports.clone();
                    // Not the runtime's own threads, of which there are few: it may wait for days.
                    thread::spawn(move || watch(handle, event, url, &reports, &permit));
                }
                PopupReport::Shown { event }
            }
            Ok(Err(error)) => PopupReport::Failed { event, reason: error.to_string() },
            Err(error) => PopupReport::Failed { event, reason: error.to_string() },
        };
        let _ = reports.send(report).await;
    }
}

fn notification(popup: &Popup, catalogue: &Catalogue) -> Notification {
    let mut notification = Notification::new();
    notification.appname("Bellwether").summary(&popup.summary).body(&popup.body);
    notification.action("open", catalogue.text("popup.open"));
    #[cfg(windows)]
    {
        use bellwether_engine::notification::Urgency;
        notification.app_id(APP_ID).urgency(match popup.urgency {
            Urgency::Low => notify_rust::Urgency::Low,
            Urgency::Normal => notify_rust::Urgency::Normal,
            Urgency::Critical => notify_rust::Urgency::Critical,
        });
    }
    notification
}

/// Blocks until the popup's end.
fn watch(
    handle: NotificationHandle,
    event: u64,
    url: Option<String>,
    reports: &mpsc::Sender<PopupReport>,
    _permit: &OwnedSemaphorePermit,
) {
    let mut activated = false;
    let waited = handle.wait_for_response(|response: &NotificationResponse| {
        activated = matches!(response, NotificationResponse::Default | NotificationResponse::Action(_));
    });
    let report = match waited {
        Ok(()) if activated => PopupReport::Activated { event, url },
        _ => PopupReport::Closed { event },
    };
    let _ = reports.blocking_send(report);
}
