//! Popups on macOS and Windows, where notify-rust's own calls block until the click.

use std::{sync::Arc, thread};

use bellwether_control::messages::Catalogue;
use bellwether_engine::notification::Sound;
use notify_rust::{Notification, NotificationHandle, NotificationResponse};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
};

use super::{Click, Popup, PopupReport, Wish};
use crate::desktop::Desktop;

/// Of how many open popups a click is noticed. Each costs a thread.
const WATCHED: usize = 8;

/// The AppUserModelID that the installer registers. Without one, Windows shows toasts as PowerShell's.
#[cfg(windows)]
const APP_ID: &str = "Bellwether.Bellwether";

/// Shows what comes through `wishes` until every sender is gone. These systems offer no way to take a popup back.
pub(super) async fn run(
    mut wishes: mpsc::Receiver<Wish>,
    reports: mpsc::Sender<PopupReport>,
    catalogue: Arc<Catalogue>,
    _desktop: Desktop,
) {
    let _ = reports.send(PopupReport::Available(true, std::env::consts::OS.to_owned())).await;
    let watched = Arc::new(Semaphore::new(WATCHED));
    while let Some(wish) = wishes.recv().await {
        let Wish::Show(popup) = wish else { continue };
        let number = popup.number;
        let notification = notification(&popup, &catalogue);
        match spawn_blocking(move || notification.show()).await {
            Ok(Ok(handle)) => {
                let _ = reports.send(PopupReport::Shown { popup: number }).await;
                if let Ok(permit) = watched.clone().try_acquire_owned() {
                    let reports = reports.clone();
                    // Not the runtime's own threads, of which there are few: it may wait for days.
                    thread::spawn(move || watch(handle, number, &reports, &permit));
                } else {
                    let _ = reports.send(PopupReport::Closed { popup: number }).await;
                }
            }
            Ok(Err(error)) => failed(&reports, number, error.to_string()).await,
            Err(error) => failed(&reports, number, error.to_string()).await,
        }
    }
}

async fn failed(reports: &mpsc::Sender<PopupReport>, popup: u64, reason: String) {
    let _ = reports.send(PopupReport::Failed { popup, reason }).await;
}

fn notification(popup: &Popup, catalogue: &Catalogue) -> Notification {
    let mut notification = Notification::new();
    notification.appname("Bellwether").summary(&popup.summary).body(&popup.body);
    notification.action("open", catalogue.text("popup.open"));
    if let Sound::Named(name) = &popup.sound {
        notification.sound_name(name);
    }
    if let Some(image) = popup.image.as_ref().and_then(|path| path.to_str()) {
        notification.image_path(image);
    }
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
    popup: u64,
    reports: &mpsc::Sender<PopupReport>,
    _permit: &OwnedSemaphorePermit,
) {
    let mut click = None;
    let waited = handle.wait_for_response(|response: &NotificationResponse| match response {
        NotificationResponse::Default => click = Some(Click::Popup),
        NotificationResponse::Action(_) => click = Some(Click::Open),
        _ => {}
    });
    if let (Ok(()), Some(click)) = (waited, click) {
        let _ = reports.blocking_send(PopupReport::Activated { popup, click });
    }
    let _ = reports.blocking_send(PopupReport::Closed { popup });
}
